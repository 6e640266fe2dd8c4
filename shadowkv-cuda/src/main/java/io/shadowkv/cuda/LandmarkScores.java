package io.shadowkv.cuda;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Scores of the landmarks, in two kernels: one streams the landmarks and leaves logits, one turns logits into
/// probabilities once their maximum and sum are known. Used by the main queue's thread.
final class LandmarkScores implements AutoCloseable {
    private static final double LOG2_E = 1 / Math.log(2);
    private static final int NORMALIZE_THREADS = 256;
    private static final int NORMALIZE_UNITS = 4 * NORMALIZE_THREADS;

    private final CudaParts parts;
    private final ScratchBuffer logits;
    private final ScratchBuffer partials;

    LandmarkScores(CudaParts parts) {
        this.parts = parts;
        this.logits = parts.scratch("logits of landmarks");
        this.partials = parts.scratch("partial sums over landmarks");
    }

    /// @param queries [r, queryHeads, headDim]
    /// @param scores F32 [r, kvHeads, width]
    void run(
            Tensor queries,
            SlotTable<IndexedLayer> layers,
            IndexedShape shape,
            StepRows rows,
            double scale,
            Tensor scores) {
        int kvHeads = shape.kvHeads();
        int groupSize = queries.extent(1) / kvHeads;
        int padded = padded(groupSize);
        boolean isFast = IndexedShape.isHalf(shape.landmarks())
                && shape.landmarks() == queries.dtype()
                && shape.headDim() % 32 == 0
                && shape.headDim() <= 256
                && groupSize <= 16;
        KernelSource source = isFast
                ? KernelSource.of("score_landmarks.cu", "scoreLandmarks")
                        .with("TYPE", KernelTypes.name(shape.landmarks()))
                : KernelSource.of("score_landmarks_any.cu", "scoreLandmarksAny")
                        .with("QUERY", KernelTypes.name(queries.dtype()))
                        .with("LANDMARK", KernelTypes.name(shape.landmarks()));
        Kernel scorer = parts.kernel(source.with("HEAD_DIM", shape.headDim())
                .with("GROUP", groupSize)
                .with("PADDED", padded));
        int threads = isFast ? 128 : 256;
        // As score_landmarks.cu and score_landmarks_any.cu choose it.
        int tile = isFast && shape.headDim() > 64 ? 16 : 32;
        int sharedBytes = Integer.BYTES * (rows.count() + 1);
        int scorers = parts.context().multiprocessors() * scorer.blocksPerMultiprocessor(threads, sharedBytes);
        int width = scores.extent(2);
        Tensor logit = logits.tensor(DType.F32, rows.count(), kvHeads, width, padded);
        Tensor partial = partials.tensor(DType.F32, scorers + rows.count() * kvHeads, padded, 2);
        scorer.launch(
                parts.queue(),
                Grid.of(scorers, threads).withShared(sharedBytes),
                queries,
                parts.mirrors().indexed(layers),
                rows.slots(),
                rows.units(),
                rows.count(),
                kvHeads,
                width,
                (float) (scale * LOG2_E),
                logit,
                partial);
        parts.kernel(KernelSource.of("normalize_scores.cu", "normalizeScores")
                        .with("GROUP", groupSize)
                        .with("PADDED", padded)
                        .with("TILE", tile))
                .launch(
                        parts.queue(),
                        new Grid(
                                Math.ceilDiv(width, NORMALIZE_UNITS),
                                rows.count() * kvHeads,
                                1,
                                NORMALIZE_THREADS,
                                sharedBytes),
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

    /// Columns of a unit's logits: powers of two up to 8, then multiples of 8, so that they are read in whole.
    private static int padded(int groupSize) {
        return groupSize <= 8 ? Integer.highestOneBit(2 * groupSize - 1) : Math.ceilDiv(groupSize, 8) * 8;
    }

    @Override
    public void close() {
        logits.close();
        partials.close();
    }
}
