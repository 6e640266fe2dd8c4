package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.cuda.launch.SlotMirror;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Scores of landmarks on tensor cores, `score_landmarks.cu`: 16-bit queries and landmarks of one
/// type, head dims that are multiples of 16 up to 256, groups of up to 16. Used by the main queue's
/// thread.
final class StreamedScores implements AutoCloseable {
    private static final int LARGEST_HEAD_DIM = 256;
    private static final int LARGEST_GROUP = 16;
    private static final int WARPS = 8;
    private static final int TILE = 16;
    private static final int PIECE_BYTES = 16;
    /// Leaves shared memory for a small kernel on the same multiprocessor, such as the one that
    /// reads host memory.
    private static final int RING_BYTES = 212_992;
    private static final int MOST_STAGES = 12;
    /// Static shared memory of the kernel.
    private static final int STATIC_SHARED_BYTES = 1024;
    /// Tiles of a worker in a pass: enough to make the end of a pass cheap, and few enough to keep
    /// the logits of two passes in L2 (12 MB for groups of 4 on 132 multiprocessors).
    private static final int PASS_TILES = 24;

    private final CudaParts parts;
    private final ScratchBuffer logits;
    private final ScratchBuffer partials;
    private final ScratchBuffer counters;

    StreamedScores(CudaParts parts) {
        this.parts = parts;
        this.logits = parts.scratch("logits of landmarks");
        this.partials = parts.scratch("partial sums over landmarks");
        this.counters = parts.scratch("counters of landmark scores");
    }

    static boolean takes(IndexedShape shape, Tensor queries) {
        return IndexedShape.isHalf(shape.entries())
                && shape.entries() == queries.dtype()
                && shape.headDim() % TILE == 0
                && shape.headDim() <= LARGEST_HEAD_DIM
                && queries.extent(1) / shape.kvHeads() <= LARGEST_GROUP;
    }

    /// @param table `IndexedEntry` of all slots
    /// @param padded columns of a landmark's logits
    void run(Tensor queries, Tensor table, IndexedShape shape, StepRows rows, int padded, float scale, Tensor scores) {
        int startBytes = Integer.BYTES * (rows.count() + 1);
        int stageBytes = WARPS * TILE * ((shape.headDim() / 8) | 1) * PIECE_BYTES;
        int room = Math.min(RING_BYTES, parts.context().sharedBytesPerBlock() - STATIC_SHARED_BYTES - startBytes);
        int stages = Math.clamp(room / stageBytes, 1, MOST_STAGES);
        int sharedBytes = stages * stageBytes + startBytes;
        Kernel kernel = parts.kernel(KernelSource.of("score_landmarks.cu", "scoreLandmarks")
                .with("TYPE", KernelTypes.name(shape.entries()))
                .with("HEAD_DIM", shape.headDim())
                .with("GROUP", queries.extent(1) / shape.kvHeads())
                .with("PADDED", padded)
                .with("STAGES", stages));
        // As many as run at the same time, because workers wait for each other.
        int blocks = parts.freeMultiprocessors() * kernel.blocksPerMultiprocessor(32 * WARPS, sharedBytes);
        int width = scores.extent(2);
        Passes passes = Passes.of(rows.count(), shape.kvHeads() * Math.ceilDiv(width, TILE), blocks * WARPS);
        kernel.launchTogether(
                parts.queue(),
                Grid.of(blocks, 32 * WARPS).withShared(sharedBytes),
                queries,
                table,
                rows.slots(),
                rows.units(),
                rows.count(),
                shape.kvHeads(),
                width,
                scale,
                passes.rows(),
                passes.shareTiles(),
                scores,
                logits.tensor(DType.F32, passes.workers(), 2, passes.shareTiles(), TILE * padded),
                partials.tensor(DType.F32, passes.partials() + rows.count() * shape.kvHeads(), padded, 2),
                // Zeros when new; every launch leaves zeros.
                counters.tensor(DType.I32, Math.max(SlotMirror.CAPACITY, rows.count()), shape.kvHeads()));
    }

    /// The division of a wave into passes.
    ///
    /// @param rows rows of a pass; the last pass may have fewer
    /// @param count number of passes
    /// @param workers workers of the launch
    /// @param shareTiles maximum number of tiles of a worker in a pass
    private record Passes(int rows, int count, int workers, int shareTiles) {
        static Passes of(int rowCount, int rowTiles, int workers) {
            long fitting = (long) PASS_TILES * workers / Math.max(1, rowTiles);
            int count = Math.ceilDiv(rowCount, Math.clamp(fitting, 1, rowCount));
            int rows = Math.ceilDiv(rowCount, count);
            long shareTiles = Math.ceilDiv((long) rows * rowTiles, (long) workers);
            return new Passes(rows, Math.ceilDiv(rowCount, rows), workers, Math.toIntExact(Math.max(1, shareTiles)));
        }

        int partials() {
            return count * workers;
        }
    }

    @Override
    public void close() {
        logits.close();
        partials.close();
        counters.close();
    }
}
