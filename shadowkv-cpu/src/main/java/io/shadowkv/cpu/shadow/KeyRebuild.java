package io.shadowkv.cpu.shadow;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Rotation;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;

/// Rebuilds the missing keys of one head: multiplies the gathered rows of A by the head's columns
/// of B and rotates the result to the positions.
final class KeyRebuild {
    private static final int PANEL = MicroKernel.PANEL;

    private final IndexedLayer layer;
    private final int head;
    private final Rotation rotation;
    private final FloatRows factor;
    private final FloatRows basis;
    private final FloatRows keys;
    private final int rank;
    private final int headDim;
    private final int paddedDim;
    private final Misses misses;

    KeyRebuild(IndexedLayer layer, int head, Rotation rotation) {
        this.layer = layer;
        this.head = head;
        this.rotation = rotation;
        Tensor target = layer.attended().keys();
        factor = new FloatRows(layer.factor());
        basis = new FloatRows(layer.basis());
        keys = new FloatRows(target);
        rank = layer.factor().extent(1);
        headDim = target.extent(2);
        paddedDim = Math.ceilDiv(headDim, PANEL) * PANEL;
        misses = new Misses(layer, head);
    }

    void run(Scratch scratch) {
        int tokens = misses.count() * layer.unitTokens();
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
                    factor.load((long) token(t + i) * rank + k, rows, i * MicroKernel.ROW_STRIDE, depth);
                }
                for (int e = 0; e < paddedDim; e += PANEL) {
                    kernel.rows(0, e * rank + k * PANEL, e, paddedDim, depth);
                }
            }
            for (int i = 0; i < count; i++) {
                place(products, i, t + i, scratch);
            }
        }
    }

    /// Packs the head's columns as `[panel][rank][PANEL]`.
    private float[] packBasis(Scratch scratch) {
        float[] panels = scratch.floats(Use.PANELS, rank * paddedDim);
        int width = layer.basis().extent(1);
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

    private int token(int index) {
        return misses.token(index / layer.unitTokens()) + index % layer.unitTokens();
    }

    private void place(float[] products, int i, int index, Scratch scratch) {
        float[] table = scratch.floats(Use.SECOND_ROW, rotation.tableLength());
        rotation.forward(token(index), table);
        rotation.turn(products, i * paddedDim, table);
        int capacity = layer.attended().keys().extent(1);
        int row = Objects.checkIndex(misses.row(index / layer.unitTokens()) + index % layer.unitTokens(), capacity);
        keys.store(products, i * paddedDim, ((long) head * capacity + row) * headDim, headDim);
    }
}
