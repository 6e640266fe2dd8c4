package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.Tensor;

/// Writes keys and values where attention reads them: `store_rows.cu` for a prompt,
/// `append_rows.cu` for new tokens. Called by any thread, on that thread's queue.
final class KeyValuePlacing {
    private static final int THREADS = 256;
    /// Enough blocks to keep the memory busy; a thread moves several pieces.
    private static final int BLOCKS_PER_MULTIPROCESSOR = 8;

    private final CudaParts parts;

    KeyValuePlacing(CudaParts parts) {
        this.parts = parts;
    }

    void store(Tensor rows, Tensor target, int at) {
        int headDim = rows.extent(2);
        int vector = vector(headDim);
        long pieces = rows.elements() / vector;
        if (pieces == 0) {
            return;
        }
        Kernel kernel = parts.kernel(KernelSource.of("store_rows.cu", "storeRows")
                .with("SOURCE", KernelTypes.name(rows.dtype()))
                .with("TARGET", KernelTypes.name(target.dtype()))
                .with("HEAD_DIM", headDim)
                .with("VEC", vector));
        long most = (long) BLOCKS_PER_MULTIPROCESSOR * parts.context().multiprocessors();
        kernel.launch(
                parts.queue(),
                Grid.of(Math.min(most, Math.ceilDiv(pieces, THREADS)), THREADS),
                rows,
                target,
                (long) rows.extent(0),
                rows.extent(1),
                (long) target.extent(1),
                (long) at);
    }

    /// @param table `AttendedEntry` of all slots
    /// @param region the rows of any sequence, for their types
    void append(Tensor newKeys, Tensor newValues, Tensor table, AttendedRows region, StepRows rows) {
        int kvHeads = newKeys.extent(1);
        int headDim = newKeys.extent(2);
        int vector = vector(headDim);
        Kernel kernel = parts.kernel(KernelSource.of("append_rows.cu", "appendRows")
                .with("ACT", KernelTypes.name(newKeys.dtype()))
                .with("KEY", KernelTypes.name(region.keys().dtype()))
                .with("VALUE", KernelTypes.name(region.values().dtype()))
                .with("HEAD_DIM", headDim)
                .with("VEC", vector));
        int threads = Math.min(THREADS, 32 * Math.ceilDiv(kvHeads * headDim / vector, 32));
        kernel.launchEarly(
                parts.queue(),
                new Grid(rows.count(), 2, 1, threads, 0),
                newKeys,
                newValues,
                table,
                rows.slots(),
                rows.writeRows(),
                kvHeads);
    }

    /// Elements moved in one access; tensors are aligned to at least eight elements.
    private static int vector(int headDim) {
        return headDim % 8 == 0 ? 8 : headDim % 2 == 0 ? 2 : 1;
    }
}
