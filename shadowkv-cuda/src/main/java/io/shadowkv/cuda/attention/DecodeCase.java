package io.shadowkv.cuda.attention;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// One call of decode attention, apart from its rows.
///
/// @param queries `[r, queryHeads, headDim]`
/// @param table entries of all slots in device memory, as `tables.cuh` lays them out
/// @param isSelected true for a table of indexed layers, of which the selected units are attended to
/// @param region any sequence's rows: its types and extents are all sequences', capacity apart
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
