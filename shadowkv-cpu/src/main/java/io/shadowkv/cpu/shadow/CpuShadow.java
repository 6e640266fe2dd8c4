package io.shadowkv.cpu.shadow;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.eigen.Gram;
import io.shadowkv.cpu.eigen.TopEigenvectors;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.HeadRows;
import io.shadowkv.cpu.vector.Rotation;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.Selection;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ShadowOperations;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// ShadowKV's operations at the end of prefill; [ShadowStep] implements the decode step.
public final class CpuShadow implements ShadowOperations {
    private static final int GRAIN_TOKENS = 64;
    private static final int GRAIN_UNITS = 64;
    /// Tokens of one task of a head. The head's part of the basis is packed once for each task.
    private static final int BLOCK_TOKENS = 512;

    private final WorkerPool pool;
    private final Gram gram;
    private final ShadowStep step;

    public CpuShadow(WorkerPool pool) {
        this.pool = pool;
        gram = new Gram(pool);
        step = new ShadowStep(pool);
    }

    @Override
    public void accumulateGram(Tensor keys, Tensor sums) {
        if (keys.extent(1) != sums.extent(0) || sums.extent(0) != sums.extent(1)) {
            throw new IllegalArgumentException(
                    "cannot add the products of keys " + keys.shape() + " to " + sums.shape() + "; expected [D, D]");
        }
        gram.accumulate(new FloatRows(keys), keys.extent(0), keys.extent(1), new FloatRows(sums));
    }

    @Override
    public void topEigenvectors(Tensor sums, Tensor basis) {
        new TopEigenvectors(pool).find(new FloatRows(sums), sums.extent(0), new FloatRows(basis), basis.extent(0));
    }

    @Override
    public void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines) {
        int units = landmarks.extent(1);
        int headDim = landmarks.extent(2);
        int first = Math.multiplyExact(firstUnit, unitTokens);
        Objects.checkFromIndexSize(first, units * unitTokens, keys.extent(1));
        var source = new FloatRows(keys);
        var means = new FloatRows(landmarks);
        var cosines = new FloatRows(minCosines);
        int capacity = keys.extent(1);
        pool.ranges(landmarks.extent(0) * units, GRAIN_UNITS, (from, to, scratch) -> {
            float[] members = scratch.floats(Use.TILE, unitTokens * headDim);
            float[] mean = scratch.floats(Use.ROW, headDim);
            float[] least = scratch.floats(Use.SECOND_ROW, 1);
            for (int i = from; i < to; i++) {
                long row = (long) (i / units) * capacity + first + (long) (i % units) * unitTokens;
                source.load(row * headDim, members, 0, unitTokens * headDim);
                least[0] = Landmark.meanAndLeastCosine(members, unitTokens, headDim, mean);
                means.store(mean, 0, (long) i * headDim, headDim);
                cosines.store(least, 0, i, 1);
            }
        });
    }

    @Override
    public void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others) {
        int units = minCosines.extent(1);
        int count = outliers.extent(1);
        var cosines = new FloatRows(minCosines);
        MemorySegment chosen = outliers.segment();
        MemorySegment left = others.segment();
        pool.each(minCosines.extent(0), (h, scratch) -> {
            float[] values = new float[units];
            cosines.load((long) h * units, values, 0, units);
            var least = Selection.least(values, units, count);
            long chosenAt = (long) h * count;
            long leftAt = (long) h * (units - count);
            for (int u = 0; u < units; u++) {
                if (least.get(u)) {
                    chosen.set(JAVA_INT_UNALIGNED, chosenAt++ * Integer.BYTES, u);
                } else {
                    left.set(JAVA_INT_UNALIGNED, leftAt++ * Integer.BYTES, u);
                }
            }
        });
    }

    @Override
    public void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow) {
        int count = units.extent(1);
        int[] wanted = units.segment().toArray(JAVA_INT_UNALIGNED);
        var rows = new HeadRows(source, target);
        pool.each(units.extent(0), (h, scratch) -> {
            for (int i = 0; i < count; i++) {
                rows.copy(h, wanted[h * count + i] * unitTokens, targetRow + i * unitTokens, unitTokens, scratch);
            }
        });
    }

    @Override
    public void scatterUnits(Tensor source, int sourceRow, Tensor units, int unitTokens, Tensor target) {
        int count = units.extent(1);
        int[] wanted = units.segment().toArray(JAVA_INT_UNALIGNED);
        var rows = new HeadRows(source, target);
        pool.each(units.extent(0), (h, scratch) -> {
            for (int i = 0; i < count; i++) {
                rows.copy(h, sourceRow + i * unitTokens, wanted[h * count + i] * unitTokens, unitTokens, scratch);
            }
        });
    }

    @Override
    public void copyRows(Tensor source, int from, int count, Tensor target, int to) {
        var rows = new HeadRows(source, target);
        pool.each(source.extent(0), (h, scratch) -> rows.copy(h, from, to, count, scratch));
    }

    @Override
    public void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain) {
        int heads = keys.extent(0);
        int headDim = keys.extent(2);
        Objects.checkFromIndexSize(from, count, keys.extent(1));
        var source = new FloatRows(keys);
        var target = new FloatRows(plain);
        var rotation = new Rotation(rotary);
        int capacity = keys.extent(1);
        pool.ranges(count, GRAIN_TOKENS, (first, last, scratch) -> {
            float[] row = scratch.floats(Use.ROW, heads * headDim);
            float[] table = scratch.floats(Use.SECOND_ROW, rotation.tableLength());
            for (int i = first; i < last; i++) {
                rotation.back(firstPosition + i, table);
                for (int h = 0; h < heads; h++) {
                    source.load(((long) h * capacity + from + i) * headDim, row, h * headDim, headDim);
                    rotation.turn(row, h * headDim, table);
                }
                target.store(row, 0, (long) i * heads * headDim, heads * headDim);
            }
        });
    }

    @Override
    public void meanKeys(Tensor keys, int count, Tensor means) {
        int headDim = keys.extent(2);
        Objects.checkFromIndexSize(0, count, keys.extent(1));
        var source = new FloatRows(keys);
        var target = new FloatRows(means);
        pool.each(keys.extent(0), (h, scratch) -> {
            float[] key = scratch.floats(Use.ROW, headDim);
            double[] sums = new double[headDim];
            for (int t = 0; t < count; t++) {
                source.load(((long) h * keys.extent(1) + t) * headDim, key, 0, headDim);
                for (int e = 0; e < headDim; e++) {
                    sums[e] += key[e];
                }
            }
            for (int e = 0; e < headDim; e++) {
                key[e] = (float) (sums[e] / count);
            }
            target.store(key, 0, (long) h * headDim, headDim);
        });
    }

    @Override
    public void encodeKeys(Tensor keys, int from, int count, Tensor means, Tensor codes, Tensor scales, int to) {
        var encoder = new KeyEncoder(keys, means, codes, scales);
        eachBlock(
                keys.extent(0),
                count,
                (h, first, rows, scratch) -> encoder.encode(h, from + first, rows, to + first, scratch));
    }

    @Override
    public void scoreUnits(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor scores) {
        step.score(queries, layers, rows, scale, scores);
    }

    @Override
    public void select(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows) {
        step.select(scores, layers, rows);
    }

    @Override
    public void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, StepRows rows, double hitRate) {
        step.forceHits(scores, layers, rows, hitRate);
    }

    @Override
    public void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to) {
        if (scales == null) {
            copyRows(source, from, count, values, to);
        } else {
            var codes = new ValueCoder(values, scales);
            pool.each(source.extent(0), (h, scratch) -> codes.encode(source, h, from, count, to, scratch));
        }
    }

    @Override
    public void restoreValues(Tensor values, @Nullable Tensor scales, int count, Tensor target, int to) {
        if (scales == null) {
            copyRows(values, 0, count, target, to);
            return;
        }
        var codes = new ValueCoder(values, scales);
        eachBlock(
                values.extent(0),
                count,
                (h, from, rows, scratch) -> codes.decode(h, from, rows, target, to + from, scratch));
    }

    @Override
    public void restoreKeys(Tensor factor, Tensor basis, int count, Rotary rotary, Tensor keys) {
        Objects.checkFromIndexSize(0, count, Math.min(factor.extent(0), keys.extent(1)));
        var rotation = new Rotation(rotary);
        eachBlock(
                keys.extent(0),
                count,
                (h, from, rows, scratch) ->
                        new KeyRebuild(factor, basis, keys, h, rotation).run(rows, new Consecutive(from), scratch));
    }

    private record Consecutive(int first) implements KeyRebuild.Places {
        @Override
        public int token(int index) {
            return first + index;
        }

        @Override
        public int row(int index) {
            return first + index;
        }
    }

    /// Calls `task` for blocks of rows of every head.
    private void eachBlock(int heads, int rows, BlockTask task) {
        int blocks = Math.ceilDiv(rows, BLOCK_TOKENS);
        pool.each(heads * blocks, (i, scratch) -> {
            int from = i % blocks * BLOCK_TOKENS;
            task.run(i / blocks, from, Math.min(BLOCK_TOKENS, rows - from), scratch);
        });
    }

    private interface BlockTask {
        void run(int head, int from, int rows, Scratch scratch);
    }

    @Override
    public void fetchValues(SlotTable<IndexedLayer> layers, StepRows rows) {
        step.fetchValues(layers, rows);
    }

    @Override
    public void rebuildKeys(SlotTable<IndexedLayer> layers, StepRows rows, Rotary rotary) {
        step.rebuildKeys(layers, rows, rotary);
    }
}
