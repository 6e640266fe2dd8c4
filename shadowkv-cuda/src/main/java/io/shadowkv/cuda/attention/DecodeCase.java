package io.shadowkv.cuda.attention;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// The arguments of one call of decode attention, except its rows.
///
/// @param queries `[r, queryHeads, headDim]`
/// @param table entries of all slots in device memory, as `tables.cuh` lays them out
/// @param isSelected true for a table of indexed layers, of which only the selected units are read
/// @param region the rows of any sequence; all sequences have its types and extents, except the
///     capacity
/// @param out `[r, queryHeads, headDim]`
record DecodeCase(Tensor queries, Tensor table, boolean isSelected, AttendedRows region, float scale, Tensor out) {
    int headDim() {
        return queries.extent(2);
    }

    int queryHeads() {
        return queries.extent(1);
    }

    int kvHeads() {
        return region.keys().extent(0);
    }

    int groupSize() {
        return queryHeads() / kvHeads();
    }

    DType keyType() {
        return region.keys().dtype();
    }

    DType valueType() {
        return region.values().dtype();
    }
}
