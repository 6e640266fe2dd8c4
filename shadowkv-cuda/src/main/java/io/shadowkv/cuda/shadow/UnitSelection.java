package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Selects the units of a step and assigns slots to misses; also writes synthetic scores for
/// comparing machines. One block per row and head, which selects from groups of units first if there
/// are more units than it holds. Used by the main queue's thread.
final class UnitSelection implements AutoCloseable {
    private static final int THREADS = 1024;
    /// Where there are more blocks than multiprocessors: two of them run on one at the same time.
    private static final int FEW_THREADS = 512;
    /// Units that a block of `select_units.cu` holds in registers.
    private static final int HELD_UNITS = 16_384;
    /// For each selected unit: its number, a miss, a flag.
    private static final int SHARED_BYTES_OF_UNIT = 2 * Integer.BYTES + 1;
    /// For each slot: its unit and age.
    private static final int SHARED_BYTES_OF_SLOT = Integer.BYTES + Short.BYTES;
    /// The same where misses and units of slots stay in device memory.
    private static final int LARGE_SHARED_BYTES_OF_UNIT = Integer.BYTES + 1;

    private static final int LARGE_SHARED_BYTES_OF_SLOT = Short.BYTES;
    /// Groups of units whose maxima are selected first have 8 to 32 units.
    private static final int LEAST_GROUP_SHIFT = 3;

    private static final int MOST_GROUP_SHIFT = 5;
    private static final int MAXIMA_THREADS = 256;
    /// Units of a block of `unit_maxima.cu`.
    private static final int MAXIMA_UNITS = 8 * MAXIMA_THREADS;

    /// Units of a block of `force_hits.cu`.
    private static final int FORCED_UNITS = 8 * THREADS;

    private final CudaParts parts;
    private final ScratchBuffer maxima;

    UnitSelection(CudaParts parts) {
        this.parts = parts;
        this.maxima = parts.scratch("maxima of groups of units");
    }

    void select(Tensor scores, SlotTable<IndexedLayer> layers, StepLimits limits, StepRows rows) {
        if (rows.count() == 0) {
            return;
        }
        int width = scores.extent(2);
        int groupShift = groupShift(width);
        Tensor largest = maxima(scores, limits, rows, groupShift);
        long blocks = (long) rows.count() * limits.shape().kvHeads();
        int threads = blocks > parts.context().multiprocessors() ? FEW_THREADS : THREADS;
        Shared shared = Shared.of(limits, kernel(threads, false).mostSharedBytes());
        Kernel kernel = kernel(threads, shared.isLarge());
        kernel.launchEarly(
                parts.queue(),
                Grid.of(blocks, threads).withShared(shared.bytes()),
                scores,
                largest,
                parts.mirrors().indexed(layers),
                rows.slots(),
                rows.units(),
                limits.shape().kvHeads(),
                width,
                groupShift,
                limits.selectedUnits(),
                limits.slots());
    }

    private Kernel kernel(int threads, boolean isLarge) {
        return parts.kernel(KernelSource.of("select_units.cu", "selectUnits")
                .with("THREADS", threads)
                .with("LARGE", isLarge ? 1 : 0));
    }

    /// Logarithm of the number of units whose maximum is selected first; 0 if a block holds the
    /// scores of all units.
    static int groupShift(int units) {
        int shift = units <= HELD_UNITS ? 0 : LEAST_GROUP_SHIFT;
        while (shift > 0 && shift < MOST_GROUP_SHIFT && groups(units, shift) > HELD_UNITS) {
            shift++;
        }
        return shift;
    }

    private static int groups(int units, int shift) {
        return Math.ceilDiv(units, 1 << shift);
    }

    /// The maxima of groups of units, F32 `[r, kvHeads, groups]`; unspecified if there are none.
    private Tensor maxima(Tensor scores, StepLimits limits, StepRows rows, int shift) {
        int kvHeads = limits.shape().kvHeads();
        if (shift == 0) {
            return maxima.tensor(DType.F32, 1);
        }
        int width = scores.extent(2);
        int groups = groups(width, shift);
        Tensor largest = maxima.tensor(DType.F32, rows.count(), kvHeads, groups);
        parts.kernel(KernelSource.of("unit_maxima.cu", "unitMaxima"))
                .launchEarly(
                        parts.queue(),
                        new Grid(Math.ceilDiv(width, MAXIMA_UNITS), rows.count() * kvHeads, 1, MAXIMA_THREADS, 0),
                        scores,
                        rows.slots(),
                        rows.units(),
                        kvHeads,
                        width,
                        1 << shift,
                        groups,
                        largest);
        return largest;
    }

    /// Dynamic shared memory of a block.
    ///
    /// @param isLarge true if some lists stay in device memory, because a block has too little
    record Shared(int bytes, boolean isLarge) {
        /// @param most bytes that a block may have
        /// @throws IllegalArgumentException if the units and slots need more
        static Shared of(StepLimits limits, int most) {
            long all = bytes(limits, SHARED_BYTES_OF_UNIT, SHARED_BYTES_OF_SLOT);
            if (all <= most) {
                return new Shared((int) all, false);
            }
            long least = bytes(limits, LARGE_SHARED_BYTES_OF_UNIT, LARGE_SHARED_BYTES_OF_SLOT);
            if (least > most) {
                throw new IllegalArgumentException(
                        "a step that selects %,d units among %,d slots needs %,d bytes of shared memory in a block; this device has %,d. Lower the sparse budget, the layer's own budget if it has one (--layer-budgets) or the number of cached tokens, or enlarge the chunks"
                                .formatted(limits.selectedUnits(), limits.slots(), least, most));
            }
            return new Shared((int) least, true);
        }

        private static long bytes(StepLimits limits, int ofUnit, int ofSlot) {
            long bytes = (long) ofUnit * limits.selectedUnits() + (long) ofSlot * limits.slots();
            return Math.ceilDiv(bytes, Integer.BYTES) * Integer.BYTES;
        }
    }

    void forceHits(Tensor scores, SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows, double hitRate) {
        if (rows.count() == 0) {
            return;
        }
        int blocks = Math.max(1, Math.ceilDiv(scores.extent(2), FORCED_UNITS));
        parts.kernel(KernelSource.of("force_hits.cu", "forceHits"))
                .launchEarly(
                        parts.queue(),
                        new Grid(blocks, rows.count() * shape.kvHeads(), 1, THREADS, 0),
                        scores,
                        parts.mirrors().indexed(layers),
                        rows.slots(),
                        rows.units(),
                        shape.kvHeads(),
                        scores.extent(2),
                        hitRate);
    }

    @Override
    public void close() {
        maxima.close();
    }
}
