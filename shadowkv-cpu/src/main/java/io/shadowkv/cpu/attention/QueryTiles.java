package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;

/// Tiles of query rows: some tokens times the query heads that read the same keys. Thread-safe.
final class QueryTiles {
    private static final int PANEL = MicroKernel.PANEL;

    private final FloatRows queries;
    private final int queryHeads;
    private final int headDim;
    private final int rowHeads;
    private final float scale;

    /// @param queries `[tokens, queryHeads, headDim]`
    /// @param rowHeads query heads of a tile
    /// @param scale factor of the dot products
    QueryTiles(Tensor queries, int rowHeads, double scale) {
        this.queries = new FloatRows(queries);
        this.queryHeads = queries.extent(1);
        this.headDim = queries.extent(2);
        this.rowHeads = rowHeads;
        // Scores are exponents of two: the factor turns e^x into 2^x at no cost.
        this.scale = (float) (scale / Math.log(2));
    }

    /// Offset of row r of a tile in queries and output; a tile has `rowHeads` heads of each token in
    /// turn.
    ///
    /// @param group number of the tile's group of query heads
    private long rowAt(int group, int firstToken, int r) {
        long token = (long) firstToken + r / rowHeads;
        return (token * queryHeads + (long) group * rowHeads + r % rowHeads) * headDim;
    }

    /// Packs queries as `[panel][headDim][PANEL]`, scaled; the rows that pad the last panel are
    /// zero.
    float[] pack(int group, int firstToken, int rows, Scratch scratch) {
        int padded = Math.ceilDiv(rows, PANEL) * PANEL;
        float[] packed = scratch.floats(Use.PANELS, padded * headDim);
        float[] row = scratch.floats(Use.ROW, headDim);
        for (int r = 0; r < padded; r++) {
            if (r < rows) {
                queries.load(rowAt(group, firstToken, r), row, 0, headDim);
            } else {
                Arrays.fill(row, 0, headDim, 0);
            }
            int at = r / PANEL * PANEL * headDim + r % PANEL;
            for (int e = 0; e < headDim; e++) {
                packed[at + e * PANEL] = row[e] * scale;
            }
        }
        return packed;
    }

    /// Writes the results of a tile.
    ///
    /// @param out `[tokens, queryHeads, headDim]`
    void store(FloatRows out, int group, int firstToken, int rows, OnlineSoftmax softmax, Scratch scratch) {
        float[] row = scratch.floats(Use.ROW, headDim);
        for (int r = 0; r < rows; r++) {
            softmax.result(r, row);
            out.store(row, 0, rowAt(group, firstToken, r), headDim);
        }
    }
}
