package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Scores by two kernels, for any type and size: one writes logits, the other turns them into
/// probabilities. Used by the main queue's thread.
final class PlainScores implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int TILE = 32;
    private static final int NORMALIZE_UNITS = 4 * THREADS;

    private final CudaParts parts;
    private final ScratchBuffer logits;
    private final ScratchBuffer partials;

    PlainScores(CudaParts parts) {
        this.parts = parts;
        this.logits = parts.scratch("logits of units");
        this.partials = parts.scratch("partial sums over units");
    }

    /// @param source the first kernel, without `GROUP` and `PADDED`: `score_landmarks_any.cu`, or a
    ///     kernel with its arguments, grid and tile
    /// @param queries as the first kernel reads them
    /// @param scale factor of the dot products times log2(e)
    /// @param scores F32 `[r, kvHeads, width]`
    void run(
            KernelSource source,
            int groupSize,
            Tensor queries,
            Tensor table,
            StepRows rows,
            float scale,
            Tensor scores) {
        int kvHeads = scores.extent(1);
        int width = scores.extent(2);
        int padded = padded(groupSize);
        Kernel scorer = parts.kernel(source.with("GROUP", groupSize).with("PADDED", padded));
        int sharedBytes = Integer.BYTES * (rows.count() + 1);
        int scorers = parts.freeMultiprocessors() * scorer.blocksPerMultiprocessor(THREADS, sharedBytes);
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
    static int padded(int groupSize) {
        return groupSize <= 8 ? Integer.highestOneBit(2 * groupSize - 1) : Math.ceilDiv(groupSize, 8) * 8;
    }

    @Override
    public void close() {
        logits.close();
        partials.close();
    }
}
