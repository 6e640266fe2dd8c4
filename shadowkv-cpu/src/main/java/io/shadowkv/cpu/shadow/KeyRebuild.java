package io.shadowkv.cpu.shadow;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Rotation;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;

/// Rebuilds keys of one head: multiplies rows of A by the head's columns of B and rotates the result
/// to the positions.
final class KeyRebuild {
    private static final int PANEL = MicroKernel.PANEL;

    private final int head;
    private final Rotation rotation;
    private final FloatRows factor;
    private final FloatRows basis;
    private final FloatRows keys;
    private final int rank;
    private final int width;
    private final int capacity;
    private final int headDim;
    private final int paddedDim;

    /// @param factor A, `[tokenCapacity, rank]`
    /// @param basis B, `[rank, kvHeads * headDim]`
    /// @param keys `[kvHeads, capacity, headDim]`, receives the keys
    KeyRebuild(Tensor factor, Tensor basis, Tensor keys, int head, Rotation rotation) {
        this.head = head;
        this.rotation = rotation;
        this.factor = new FloatRows(factor);
        this.basis = new FloatRows(basis);
        this.keys = new FloatRows(keys);
        rank = factor.extent(1);
        width = basis.extent(1);
        capacity = keys.extent(1);
        headDim = keys.extent(2);
        paddedDim = Math.ceilDiv(headDim, PANEL) * PANEL;
    }

    /// The tokens to rebuild, and the rows that receive their keys.
    interface Places {
        int token(int index);

        int row(int index);
    }

    /// Rebuilds the keys of the first `tokens` places.
    void run(int tokens, Places places, Scratch scratch) {
        if (tokens == 0) {
            return;
        }
        float[] panels = packBasis(scratch);
        float[] rows = scratch.floats(Use.BROADCAST_ROWS, MicroKernel.ROWS * MicroKernel.ROW_STRIDE);
        float[] products = scratch.floats(Use.SUMS, MicroKernel.ROWS * paddedDim);
        var kernel = new MicroKernel(rows, panels, products);
        for (int t = 0; t < tokens; t += MicroKernel.ROWS) {
            int count = Math.min(MicroKernel.ROWS, tokens - t);
            Arrays.fill(products, 0, MicroKernel.ROWS * paddedDim, 0);
            for (int k = 0; k < rank; k += MicroKernel.DEPTH) {
                int depth = Math.min(MicroKernel.DEPTH, rank - k);
                for (int i = 0; i < count; i++) {
                    factor.load((long) places.token(t + i) * rank + k, rows, i * MicroKernel.ROW_STRIDE, depth);
                }
                for (int e = 0; e < paddedDim; e += PANEL) {
                    kernel.rows(0, e * rank + k * PANEL, e, paddedDim, depth);
                }
            }
            for (int i = 0; i < count; i++) {
                place(products, i, places.token(t + i), places.row(t + i), scratch);
            }
        }
    }

    /// Packs the head's columns as `[panel][rank][PANEL]`.
    private float[] packBasis(Scratch scratch) {
        float[] panels = scratch.floats(Use.PANELS, rank * paddedDim);
        for (int k = 0; k < rank; k++) {
            for (int e = 0; e < paddedDim; e += PANEL) {
                int at = e * rank + k * PANEL;
                int length = Math.min(PANEL, headDim - e);
                basis.load((long) k * width + (long) head * headDim + e, panels, at, length);
                Arrays.fill(panels, at + length, at + PANEL, 0);
            }
        }
        return panels;
    }

    private void place(float[] products, int i, int token, int row, Scratch scratch) {
        float[] table = scratch.floats(Use.SECOND_ROW, rotation.tableLength());
        rotation.forward(token, table);
        rotation.turn(products, i * paddedDim, table);
        long at = (long) head * capacity + Objects.checkIndex(row, capacity);
        keys.store(products, i * paddedDim, at * headDim, headDim);
    }
}
