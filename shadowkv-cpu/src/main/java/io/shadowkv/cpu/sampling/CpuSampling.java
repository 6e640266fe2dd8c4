package io.shadowkv.cpu.sampling;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.vector.Exponentials;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The operations on logits, one row per task.
public final class CpuSampling implements SamplingOperations {
    private final WorkerPool pool;

    public CpuSampling(WorkerPool pool) {
        this.pool = pool;
    }

    @Override
    public void topLogits(Tensor logits, Tensor inverseTemperatures, Tensor values, Tensor ids, Tensor logSums) {
        SamplingOperations.checkTop(logits, inverseTemperatures, values, ids, logSums);
        int width = logits.extent(1);
        var source = new FloatRows(logits);
        var out = new Candidates(values, ids, logSums);
        MemorySegment factors = inverseTemperatures.segment();
        pool.each(logits.extent(0), (i, scratch) -> {
            float[] row = scratch.floats(Use.ROW, width);
            source.load((long) i * width, row, 0, width);
            float factor = factors.get(JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES);
            float largest = VectorMath.largest(row, 0, width); // NaN if there is one
            if (Float.isNaN(largest) || Float.isInfinite(largest)) {
                out.writeNone(i, Float.NaN, 0);
                out.writeSums(i, Double.NaN, Double.NaN);
                return;
            }
            double sum = Exponentials.sum(row, width, largest, 1);
            double tempered = factor == 1 ? sum : Exponentials.sum(row, width, largest, factor);
            out.writeSums(i, Math.log(sum), Math.log(tempered));
            out.write(i, LargestLogits.select(row, width, out.count()));
        });
    }

    /// Outputs of a selection.
    private record Candidates(Tensor values, Tensor ids, Tensor logSums) {
        int count() {
            return values.extent(1);
        }

        void write(int i, long[] keys) {
            for (int rank = 0; rank < keys.length; rank++) {
                write(i, rank, LargestLogits.logitOf(keys[rank]), LargestLogits.idOf(keys[rank]));
            }
            writeNone(i, Float.NEGATIVE_INFINITY, keys.length);
        }

        /// Fills the entries from rank `from` on.
        void writeNone(int i, float value, int from) {
            for (int rank = from; rank < count(); rank++) {
                write(i, rank, value, -1);
            }
        }

        private void write(int i, int rank, float value, int id) {
            long at = (long) i * count() + rank;
            values.segment().set(JAVA_FLOAT_UNALIGNED, at * Float.BYTES, value);
            ids.segment().set(JAVA_INT_UNALIGNED, at * Integer.BYTES, id);
        }

        void writeSums(int i, double sum, double tempered) {
            MemorySegment sums = logSums.segment();
            sums.set(JAVA_FLOAT_UNALIGNED, 2L * i * Float.BYTES, (float) sum);
            sums.set(JAVA_FLOAT_UNALIGNED, (2L * i + 1) * Float.BYTES, (float) tempered);
        }
    }

    @Override
    public void adjustLogits(Tensor logits, Tensor places, Tensor changes) {
        SamplingOperations.checkAdjust(logits, places, changes);
        int width = logits.extent(1);
        int[] at = places.segment().toArray(JAVA_INT_UNALIGNED);
        float[] by = changes.segment().toArray(JAVA_FLOAT_UNALIGNED);
        MemorySegment target = logits.segment();
        for (int e = 0; e < at.length; e += 2) {
            if (at[e] >= 0) {
                long offset = ((long) at[e] * width + at[e + 1]) * Float.BYTES;
                float logit = target.get(JAVA_FLOAT_UNALIGNED, offset);
                float penalized = logit > 0 ? logit / by[e] : logit * by[e];
                target.set(JAVA_FLOAT_UNALIGNED, offset, penalized + by[e + 1]);
            }
        }
    }

    @Override
    public void maskLogits(Tensor logits, Tensor bits, Tensor masked) {
        SamplingOperations.checkMask(logits, bits, masked);
        int width = logits.extent(1);
        int words = bits.extent(1);
        int[] isMasked = masked.segment().toArray(JAVA_INT_UNALIGNED);
        MemorySegment allowed = bits.segment();
        var target = new FloatRows(logits);
        pool.each(logits.extent(0), (i, scratch) -> {
            if (isMasked[i] == 0) {
                return;
            }
            float[] row = scratch.floats(Use.ROW, width);
            target.load((long) i * width, row, 0, width);
            for (int w = 0; w < words; w++) {
                int word = allowed.get(JAVA_INT_UNALIGNED, ((long) i * words + w) * Integer.BYTES);
                mask(row, w * Integer.SIZE, Math.min(width, (w + 1) * Integer.SIZE), word);
            }
            target.store(row, 0, (long) i * width, width);
        });
    }

    private static void mask(float[] row, int from, int to, int allowed) {
        if (allowed == 0) {
            Arrays.fill(row, from, to, Float.NEGATIVE_INFINITY);
        } else if (allowed != -1) {
            for (int id = from; id < to; id++) {
                row[id] = (allowed >>> id - from & 1) == 0 ? Float.NEGATIVE_INFINITY : row[id];
            }
        }
    }
}
