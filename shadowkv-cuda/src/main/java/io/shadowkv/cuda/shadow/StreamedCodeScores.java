package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// Scores of token codes on tensor cores, `score_codes.cu`: 16-bit queries, head dims up to 256 and
/// groups of up to 16 where the queries fit in registers. Used by the main queue's thread.
final class StreamedCodeScores implements AutoCloseable {
    private static final int LARGEST_HEAD_DIM = 256;
    private static final int LARGEST_GROUP = 16;
    private static final int TILE = 32;
    private static final int LIMBS = 4;
    private static final int SPLIT_THREADS = 256;
    private static final int SPLIT_WARPS = SPLIT_THREADS / 32;
    /// Leaves shared memory for a small kernel on the same multiprocessor, such as the one that
    /// reads host memory.
    private static final int SHARED_BYTES = 212_992;
    /// Static shared memory of the kernel.
    private static final int STATIC_SHARED_BYTES = 1024;
    /// Size of the rings of a block: keeps memory busy for its latency (4.5 TB/s x 1 us are 34 KB a
    /// multiprocessor) while a tile of each warp is computed.
    private static final int RING_BYTES = 65_536;
    private static final int MOST_STAGES = 8;
    /// Segments of a pass. More would need more shared memory for the sums of warps.
    private static final int MOST_SEGMENTS = 8;
    /// The share of a block in a pass.
    private static final int SHARE_BYTES = 4 * Integer.BYTES;

    private final CudaParts parts;
    private final ScratchBuffer limbs;
    private final ScratchBuffer factors;
    private final ScratchBuffer logits;
    private final ScratchBuffer partials;

    StreamedCodeScores(CudaParts parts) {
        this.parts = parts;
        this.limbs = parts.scratch("bytes of turned queries");
        this.factors = parts.scratch("factors of turned queries");
        this.logits = parts.scratch("logits of token codes");
        this.partials = parts.scratch("partial sums over token codes");
    }

    static boolean takes(IndexedShape shape, Tensor queries) {
        return IndexedShape.isHalf(queries.dtype())
                && shape.headDim() <= LARGEST_HEAD_DIM
                && queries.extent(1) / shape.kvHeads() <= LARGEST_GROUP
                && Sizes.of(shape, queries).warps() > 0;
    }

    /// The sizes of a launch that the shape decides.
    ///
    /// @param warps warps that stream; 0 if a thread has too few registers for the queries
    private record Sizes(int groupSize, int warps, int stages, int stageBytes, int limbBytes) {
        static Sizes of(IndexedShape shape, Tensor queries) {
            int groupSize = queries.extent(1) / shape.kvHeads();
            int words = TokenCodes.words(shape.headDim());
            // Registers for the queries are 4 for each block of columns and four words.
            int columns = 2 * Math.ceilDiv(groupSize, 4) * Math.ceilDiv(words, 4);
            // With the warp that publishes, whole quarters of a multiprocessor.
            int warps =
                    columns <= 4 && groupSize <= 4 ? 15 : columns <= 8 && groupSize <= 8 ? 11 : columns <= 16 ? 7 : 0;
            int stageBytes = 2 * words * TokenCodes.BLOCK_TOKENS * Integer.BYTES + TILE * DType.BF16.bytes();
            int stages = warps == 0 ? 0 : Math.clamp(RING_BYTES / (warps * stageBytes), 2, MOST_STAGES);
            return new Sizes(groupSize, warps, stages, stageBytes, Math.ceilDiv(words, 4) * 64);
        }

        int ringBytes() {
            return warps * stages * stageBytes;
        }

        /// Shared memory for the sums of warps and the normalisers of a pass.
        int sumBytes(int segments) {
            return 2 * Float.BYTES * 2 * segments * (warps + 1) * groupSize;
        }

        /// Bytes of the logits of a tile, for two passes.
        int tileBytes() {
            return 2 * groupSize * TILE * Float.BYTES;
        }
    }

    /// @param table `IndexedEntry` of all slots
    /// @param scale factor of the dot products times log2(e)
    void run(Tensor queries, Tensor table, IndexedShape shape, StepRows rows, float scale, Tensor scores) {
        Sizes sizes = Sizes.of(shape, queries);
        int heads = rows.count() * queries.extent(1);
        int segments = rows.count() * shape.kvHeads();
        // One block runs on a multiprocessor: it has more than half of the shared memory.
        int blocks = parts.freeMultiprocessors();
        int fixed = sizes.ringBytes()
                + sizes.sumBytes(Math.min(MOST_SEGMENTS, segments))
                + SHARE_BYTES * segments
                + rowBytes(rows);
        int most = Math.min(SHARED_BYTES, parts.context().sharedBytesPerBlock() - STATIC_SHARED_BYTES);
        int tiles = Math.max(1, Math.ceilDiv(scores.extent(2), TILE));
        Passes passes = Passes.of(segments, tiles, blocks, (most - fixed) / sizes.tileBytes());
        Tensor bytes = limbs.tensor(DType.I8, heads, LIMBS, sizes.limbBytes());
        Tensor factor = factors.tensor(DType.F32, heads, 2);
        Tensor partial = partials.tensor(DType.F32, passes.count() * blocks + segments, sizes.groupSize(), 2);
        Kernel split = parts.kernel(KernelSource.of("turn_queries.cu", "splitQueries")
                .with("QUERY", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", shape.headDim()));
        split.launchEarly(
                parts.queue(),
                Grid.of(Math.ceilDiv(heads, SPLIT_WARPS), SPLIT_THREADS),
                queries,
                bytes,
                factor,
                heads,
                scale,
                partial,
                Math.toIntExact(partial.elements() / 2));
        Kernel kernel = parts.kernel(KernelSource.of("score_codes.cu", "scoreCodes")
                .with("HEAD_DIM", shape.headDim())
                .with("GROUP", sizes.groupSize())
                .with("WARPS", sizes.warps())
                .with("STAGES", sizes.stages())
                .with("IN_SHARED", passes.isShared() ? 1 : 0));
        Tensor logit = passes.isShared()
                ? logits.tensor(DType.F32, 1)
                : logits.tensor(DType.F32, blocks, 2, passes.shareTiles(), sizes.groupSize() * TILE);
        int sharedBytes = sizes.ringBytes()
                + sizes.sumBytes(passes.segments())
                + SHARE_BYTES * passes.count()
                + rowBytes(rows)
                + (passes.isShared() ? passes.shareTiles() * sizes.tileBytes() : 0);
        kernel.launchTogether(
                parts.queue(),
                Grid.of(blocks, 32 * (sizes.warps() + 1)).withShared(sharedBytes),
                bytes,
                factor,
                table,
                rows.slots(),
                rows.units(),
                rows.count(),
                shape.kvHeads(),
                scores.extent(2),
                passes.segments(),
                passes.shareTiles(),
                scores,
                logit,
                partial);
    }

    /// Shared memory for the lengths of the rows.
    private static int rowBytes(StepRows rows) {
        return Integer.BYTES * (2 * rows.count() + 1);
    }

    /// The division of a wave into passes of whole segments, a head of a row each.
    ///
    /// @param segments segments of a pass
    /// @param count number of passes
    /// @param shareTiles maximum number of tiles of a block in a pass
    /// @param isShared true if the logits of a pass fit in shared memory
    record Passes(int segments, int count, int shareTiles, boolean isShared) {
        /// @param all segments of the wave
        /// @param tiles maximum number of tiles of a segment
        /// @param blocks blocks of the launch
        /// @param room tiles whose logits fit in the shared memory of a block
        static Passes of(int all, int tiles, int blocks, int room) {
            long fitting = (long) blocks * Math.max(0, room) / tiles;
            int segments = Math.clamp(fitting, 1, Math.min(MOST_SEGMENTS, all));
            if ((long) segments * tiles >= Integer.MAX_VALUE / blocks) {
                throw new IllegalArgumentException(segments + " heads of " + tiles + " tiles of " + TILE
                        + " tokens are scored at a time by " + blocks
                        + " blocks; their product must stay below 2^31. Shorten the context");
            }
            int shareTiles = Math.ceilDiv(segments * tiles, blocks);
            return new Passes(segments, Math.ceilDiv(all, segments), shareTiles, shareTiles <= room);
        }
    }

    @Override
    public void close() {
        limbs.close();
        factors.close();
        logits.close();
        partials.close();
    }
}
