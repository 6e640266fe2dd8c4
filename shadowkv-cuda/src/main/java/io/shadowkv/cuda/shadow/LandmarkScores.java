package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Scores of the landmarks: on tensor cores if [StreamedScores] supports the types and sizes;
/// otherwise by two kernels, of which one writes logits and the other turns them into
/// probabilities. Used by the main queue's thread.
final class LandmarkScores implements AutoCloseable {
    private static final double LOG2_E = 1 / Math.log(2);
    private static final int THREADS = 256;
    private static final int TILE = 32;
    private static final int NORMALIZE_UNITS = 4 * THREADS;

    private final CudaParts parts;
    private final StreamedScores streamed;
    private final ScratchBuffer logits;
    private final ScratchBuffer partials;

    LandmarkScores(CudaParts parts) {
        this.parts = parts;
        this.streamed = new StreamedScores(parts);
        this.logits = parts.scratch("logits of landmarks");
        this.partials = parts.scratch("partial sums over landmarks");
    }

    /// @param queries `[r, queryHeads, headDim]`
    /// @param scores F32 `[r, kvHeads, width]`
    void run(
            Tensor queries,
            SlotTable<IndexedLayer> layers,
            IndexedShape shape,
            StepRows rows,
            double scale,
            Tensor scores) {
        if (rows.count() == 0) {
            return;
        }
        int padded = padded(queries.extent(1) / shape.kvHeads());
        Tensor table = parts.mirrors().indexed(layers);
        float exponent = (float) (scale * LOG2_E);
        if (StreamedScores.takes(shape, queries)) {
            streamed.run(queries, table, shape, rows, padded, exponent, scores);
        } else {
            runPlain(queries, table, shape, rows, padded, exponent, scores);
        }
    }

    private void runPlain(
            Tensor queries, Tensor table, IndexedShape shape, StepRows rows, int padded, float scale, Tensor scores) {
        int kvHeads = shape.kvHeads();
        int groupSize = queries.extent(1) / kvHeads;
        Kernel scorer = parts.kernel(KernelSource.of("score_landmarks_any.cu", "scoreLandmarksAny")
                .with("QUERY", KernelTypes.name(queries.dtype()))
                .with("LANDMARK", KernelTypes.name(shape.landmarks()))
                .with("HEAD_DIM", shape.headDim())
                .with("GROUP", groupSize)
                .with("PADDED", padded));
        int sharedBytes = Integer.BYTES * (rows.count() + 1);
        int scorers = parts.freeMultiprocessors() * scorer.blocksPerMultiprocessor(THREADS, sharedBytes);
        int width = scores.extent(2);
        Tensor logit = logits.tensor(DType.F32, rows.count(), kvHeads, width, padded);
        Tensor partial = partials.tensor(DType.F32, scorers + rows.count() * kvHeads, padded, 2);
        scorer.launch(
                parts.queue(),
                Grid.of(scorers, THREADS).withShared(sharedBytes),
                queries,
                table,
                rows.slots(),
                rows.units(),
                rows.count(),
                kvHeads,
                width,
                scale,
                logit,
                partial);
        Kernel normalizer = parts.kernel(KernelSource.of("normalize_scores.cu", "normalizeScores")
                .with("GROUP", groupSize)
                .with("PADDED", padded)
                .with("TILE", TILE));
        int blocks = Math.ceilDiv(width, NORMALIZE_UNITS);
        normalizer.launch(
                parts.queue(),
                new Grid(blocks, rows.count() * kvHeads, 1, THREADS, sharedBytes),
                logit,
                partial,
                rows.slots(),
                rows.units(),
                rows.count(),
                kvHeads,
                width,
                scorers,
                scores);
    }

    /// Columns of the logits of a unit: powers of two up to 8, then multiples of 8, so that whole
    /// vectors can be read.
    private static int padded(int groupSize) {
        return groupSize <= 8 ? Integer.highestOneBit(2 * groupSize - 1) : Math.ceilDiv(groupSize, 8) * 8;
    }

    @Override
    public void close() {
        streamed.close();
        logits.close();
        partials.close();
    }
}
