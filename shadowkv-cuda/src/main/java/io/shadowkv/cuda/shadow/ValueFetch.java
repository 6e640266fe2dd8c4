package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.ValueCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Fetches the values of misses on the copy queue, at the same time as the next work of the current
/// queue; [io.shadowkv.cuda.launch.PendingFetches] keeps the events to wait for. Used by the main
/// queue's thread.
///
/// A few blocks read host memory and keep the link busy, so that all other multiprocessors are free
/// for the current queue. One more block per multiprocessor (four where units are single tokens)
/// reads device memory at its full rate, and ends at once if no values are there. The table says where the values of
/// each layer are, so
/// one grid serves every mixture.
public final class ValueFetch implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int PACK_BYTES = 16;
    /// Blocks for each multiprocessor that read device memory, where a unit is one token. A block
    /// waits for memory several times for each list of misses, and such lists have few bytes.
    private static final int TOKEN_BLOCKS = 4;

    private final CudaParts parts;
    private final int wantedHostBlocks;
    private final long fork;

    /// @param hostBlocks blocks that read host memory, 1 or more
    ValueFetch(CudaParts parts, int hostBlocks) {
        this.parts = parts;
        this.wantedHostBlocks = checkHostBlocks(hostBlocks);
        this.fork = parts.context().driver().cuEventCreate(false);
    }

    /// @throws IllegalArgumentException if no block would read host memory, so that values there
    ///     would not be fetched
    static int checkHostBlocks(int hostBlocks) {
        if (hostBlocks < 1) {
            throw new IllegalArgumentException("the number of blocks that fetch values from host memory is "
                    + hostBlocks + "; expected 1 or more");
        }
        return hostBlocks;
    }

    void run(SlotTable<IndexedLayer> layers, IndexedShape shape, StepRows rows) {
        boolean isCode = ValueCodes.isCode(shape.stored());
        boolean isFast = (isCode ? IndexedShape.isHalf(shape.values()) : shape.stored() == shape.values())
                && shape.headDim() * shape.stored().bytes() % PACK_BYTES == 0;
        Kernel kernel = parts.kernel(KernelSource.of("fetch_values.cu", isFast ? "fetchValues" : "fetchValuesAny")
                .with("STORED", KernelTypes.name(shape.stored()))
                .with("VALUE", KernelTypes.name(shape.values()))
                .with("HEAD_DIM", shape.headDim())
                .with("UNIT_TOKENS", shape.unitTokens())
                .with("FORMAT", shape.stored() == DType.I8 ? 1 : isCode ? 2 : 0));
        int hostBlocks = parts.hostBlocks(wantedHostBlocks);
        int deviceBlocks = parts.context().multiprocessors() * (shape.unitTokens() == 1 ? TOKEN_BLOCKS : 1);
        CudaQueue copyQueue = parts.context().copyQueue();
        // Before the fork, because this may copy the table on the current queue.
        Tensor table = parts.mirrors().indexed(layers);
        parts.queue().record(fork);
        copyQueue.await(fork);
        kernel.launch(
                copyQueue,
                Grid.of(hostBlocks + deviceBlocks, THREADS)
                        .withShared(Integer.BYTES * (rows.count() * shape.kvHeads() + 1)),
                table,
                rows.slots(),
                rows.units(),
                rows.count(),
                shape.kvHeads(),
                hostBlocks);
        parts.pendingFetches().put(rows);
    }

    @Override
    public void close() {
        parts.context().driver().cuEventDestroy(fork);
    }
}
