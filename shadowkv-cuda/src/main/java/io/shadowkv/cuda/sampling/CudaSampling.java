package io.shadowkv.cuda.sampling;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.cuda.launch.VectorWidth;
import io.shadowkv.op.SamplingOperations;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Operations on logits. Rows are split into parts. A block selects the largest logits of its part,
/// and a second kernel selects among those. Used by the main queue's thread only, because scratch
/// memory is shared.
public final class CudaSampling implements SamplingOperations, AutoCloseable {
    private static final int THREADS = 256;
    private static final int ROW_THREADS = 1024;
    /// Keys that a thread of the second kernel holds without spilling registers, and logits of the first.
    private static final int MOST_EACH = 16;
    private static final int LEAST_EACH = 4;
    /// Rows of a launch: what a grid takes along y.
    private static final int MOST_ROWS = 65_535;

    private final CudaParts parts;
    private final ScratchBuffer keys;
    private final ScratchBuffer partials;

    public CudaSampling(CudaParts parts) {
        this.parts = parts;
        this.keys = parts.scratch("largest logits of parts of rows");
        this.partials = parts.scratch("sums over parts of rows of logits");
    }

    @Override
    public void topLogits(Tensor logits, Tensor inverseTemperatures, Tensor values, Tensor ids, Tensor logSums) {
        SamplingOperations.checkTop(logits, inverseTemperatures, values, ids, logSums);
        int rows = logits.extent(0);
        if (rows == 0) {
            return;
        }
        checkRows(rows);
        int width = logits.extent(1);
        int wanted = values.extent(1);
        Split split = Split.of(rows, width, wanted, parts.context().multiprocessors());
        Tensor key = keys.tensor(DType.I64, rows, split.parts(), wanted);
        Tensor partial = partials.tensor(DType.F64, rows, split.parts(), 4);
        parts.kernel(KernelSource.of("top_logits.cu", "topLogits")
                        .with("EACH", split.logits())
                        .with("VECTOR", VectorWidth.of(parts.context(), width, logits)))
                .launchEarly(
                        parts.queue(),
                        new Grid(split.parts(), rows, 1, ROW_THREADS, 0),
                        logits,
                        inverseTemperatures,
                        key,
                        partial,
                        width,
                        wanted);
        parts.kernel(KernelSource.of("top_candidates.cu", "topCandidates").with("EACH", split.keys()))
                .launchEarly(
                        parts.queue(),
                        Grid.of(rows, ROW_THREADS),
                        key,
                        partial,
                        inverseTemperatures,
                        values,
                        ids,
                        logSums,
                        split.parts(),
                        wanted);
    }

    /// How a row is split.
    ///
    /// @param logits of a thread of the first kernel
    /// @param parts blocks of the first kernel a row
    /// @param keys of a thread of the second kernel
    record Split(int logits, int parts, int keys) {
        /// Small parts while there are multiprocessors for them, because the barriers of a block cost
        /// about the same for any size. Larger parts if the second kernel would have more keys than it
        /// can hold in registers.
        static Split of(int rows, int width, int wanted, int multiprocessors) {
            int logits = LEAST_EACH;
            while (logits < MOST_EACH
                    && (partsOf(width, logits) * wanted > MOST_EACH * ROW_THREADS
                            || (long) rows * partsOf(width, logits) > 2L * multiprocessors)) {
                logits *= 2;
            }
            int keys = Math.ceilDiv(partsOf(width, logits) * wanted, ROW_THREADS);
            return new Split(logits, partsOf(width, logits), keys == 1 ? 1 : 2 * Integer.highestOneBit(keys - 1));
        }

        private static int partsOf(int width, int logits) {
            return Math.ceilDiv(width, logits * ROW_THREADS);
        }
    }

    @Override
    public void adjustLogits(Tensor logits, Tensor places, Tensor changes) {
        SamplingOperations.checkAdjust(logits, places, changes);
        int count = places.extent(0);
        if (count > 0) {
            parts.kernel(KernelSource.of("adjust_logits.cu", "adjustLogits"))
                    .launchEarly(
                            parts.queue(),
                            Grid.covering(count, THREADS),
                            logits,
                            places,
                            changes,
                            logits.extent(1),
                            count);
        }
    }

    @Override
    public void maskLogits(Tensor logits, Tensor bits, Tensor masked) {
        SamplingOperations.checkMask(logits, bits, masked);
        int rows = logits.extent(0);
        if (rows == 0) {
            return;
        }
        checkRows(rows);
        int width = logits.extent(1);
        int vector = VectorWidth.of(parts.context(), width, logits);
        int blocks = Math.ceilDiv(width, vector * THREADS);
        parts.kernel(KernelSource.of("mask_logits.cu", "maskLogits").with("VECTOR", vector))
                .launchEarly(
                        parts.queue(),
                        new Grid(blocks, rows, 1, THREADS, 0),
                        logits,
                        bits,
                        masked,
                        width,
                        bits.extent(1));
    }

    private static void checkRows(int rows) {
        if (rows > MOST_ROWS) {
            throw new IllegalArgumentException(
                    "logits have " + rows + " rows; at most " + MOST_ROWS + " at a time. Split them");
        }
    }

    @Override
    public void close() {
        keys.close();
        partials.close();
    }
}
