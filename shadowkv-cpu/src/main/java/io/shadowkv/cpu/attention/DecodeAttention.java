package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.vector.DotTile;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/// Attention of one token of each of several sequences. Each combination of sequence, key-value
/// head and segment of keys is a task; the softmaxes of the segments are merged at the end.
final class DecodeAttention {
    /// Keys per segment: enough to make the cost of merging negligible.
    private static final int STRETCH = 1024;

    private final WorkerPool pool;

    DecodeAttention(WorkerPool pool) {
        this.pool = pool;
    }

    void run(DecodeRows rows, Tensor queries, double scale, Tensor out) {
        var wave = new Wave(rows, queries, scale);
        pool.each(wave.tasks * wave.kvHeads, wave::attend);
        var target = new FloatRows(out);
        for (int i = 0; i < rows.count(); i++) {
            if (!rows.isPadding(i)) {
                for (int h = 0; h < wave.kvHeads; h++) {
                    wave.merge(i, h, target);
                }
            }
        }
    }

    /// The rows of one call, divided into segments.
    private static final class Wave {
        private final DecodeRows rows;
        private final FloatRows queries;
        /// First task of each row, and the number of tasks at the end.
        private final int[] firstTask;
        private final int tasks;
        private final int kvHeads;
        private final int groupSize;
        private final int headDim;
        private final float scale;
        /// For each task and query of the group: headDim sums, the largest score, and the total of
        /// the weights.
        private final float[] partial;

        Wave(DecodeRows rows, Tensor queries, double scale) {
            this.rows = rows;
            this.queries = new FloatRows(queries);
            this.scale = (float) (scale / Math.log(2));
            firstTask = new int[rows.count() + 1];
            for (int i = 0; i < rows.count(); i++) {
                firstTask[i + 1] = firstTask[i] + Math.ceilDiv(rows.longest(i), STRETCH);
            }
            tasks = firstTask[rows.count()];
            kvHeads = rows.kvHeads();
            groupSize = kvHeads == 0 ? 0 : queries.extent(1) / kvHeads;
            headDim = queries.extent(2);
            partial = new float[tasks * kvHeads * groupSize * (headDim + 2)];
        }

        void attend(int index, Scratch scratch) {
            int task = index / kvHeads;
            int head = index % kvHeads;
            int row = rowOf(task);
            AttendedRows region = rows.region(row);
            List<KeyTile.Span> spans = rows.spans(row, head, (task - firstTask[row]) * STRETCH, STRETCH);
            float[] query = KeyTile.queries(queries, queryAt(row, head), groupSize, headDim, scale, scratch);
            var scores = new KeyTile.Scores(scratch.floats(Use.SCORES, groupSize * STRETCH), STRETCH);
            long first = (long) head * region.keys().extent(1);
            var keys = new KeyTile(new FloatRows(region.keys()), headDim, scratch);
            keys.score(first, spans, query, groupSize, scores);
            int count = spans.stream().mapToInt(KeyTile.Span::count).sum();
            int padded = DotTile.padded(headDim);
            float[] sums = scratch.floats(Use.SUMS, groupSize * padded);
            Arrays.fill(sums, 0, groupSize * padded, 0);
            int at = partialAt(task, head);
            for (int g = 0; g < groupSize; g++) {
                float largest = VectorMath.largest(scores.values(), g * STRETCH, count);
                int end = at + g * (headDim + 2) + headDim;
                partial[end] = largest;
                partial[end + 1] = VectorMath.exp2InPlace(scores.values(), g * STRETCH, count, largest);
            }
            var values = new KeyTile(new FloatRows(region.values()), headDim, scratch);
            values.addWeighted(first, spans, scores, groupSize, sums);
            for (int g = 0; g < groupSize; g++) {
                System.arraycopy(sums, g * padded, partial, at + g * (headDim + 2), headDim);
            }
        }

        private int rowOf(int task) {
            int row = 0;
            while (firstTask[row + 1] <= task) {
                row++;
            }
            return row;
        }

        private long queryAt(int row, int head) {
            return ((long) row * kvHeads + head) * groupSize * headDim;
        }

        private int partialAt(int task, int head) {
            return (task * kvHeads + head) * groupSize * (headDim + 2);
        }

        void merge(int row, int head, FloatRows out) {
            float[] sum = new float[headDim];
            for (int g = 0; g < groupSize; g++) {
                float largest = Float.NEGATIVE_INFINITY;
                for (int task = firstTask[row]; task < firstTask[row + 1]; task++) {
                    largest = Math.max(largest, partial[partialAt(task, head) + g * (headDim + 2) + headDim]);
                }
                Arrays.fill(sum, 0);
                float total = 0;
                for (int task = firstTask[row]; task < firstTask[row + 1]; task++) {
                    int at = partialAt(task, head) + g * (headDim + 2);
                    float factor = (float) Math.pow(2, partial[at + headDim] - largest);
                    VectorMath.addScaled(factor, partial, at, sum, 0, headDim);
                    total += factor * partial[at + headDim + 1];
                }
                VectorMath.scale(1 / total, sum, 0, headDim);
                out.store(sum, 0, queryAt(row, head) + (long) g * headDim, headDim);
            }
        }
    }
}
