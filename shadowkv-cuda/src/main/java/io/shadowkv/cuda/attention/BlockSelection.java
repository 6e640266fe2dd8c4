package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.op.AttentionOperations.BlockLists;
import io.shadowkv.op.AttentionOperations.BlockRule;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Scores of key blocks by their mean keys, and the selection by these scores. The lists stay in
/// device memory. On Hopper a kernel for its tensor cores scores blocks of 128 tokens with head dims
/// 64 and 128.
final class BlockSelection implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int LARGEST_HEAD_DIM = 256;
    /// The sizes of score_blocks.cu's tiles.
    private static final int TILE_MEANS = 64;

    private static final int WARPS = 8;
    /// The sizes of score_blocks_wgmma.cu.
    private static final int HOPPER_BLOCK = 128;

    private static final int HOPPER_LARGEST_HEAD_DIM = 128;
    private static final int HOPPER_HEADS = 4;

    private final CudaParts parts;
    private final PrefillAttention prefill;
    private final PerQueue<ScratchBuffer> rounded;

    /// @param prefill the kernels of exact prefill
    BlockSelection(CudaParts parts, PrefillAttention prefill) {
        this.parts = parts;
        this.prefill = prefill;
        this.rounded = new PerQueue<>(queue -> parts.scratch("mean keys of sparse prefill"));
    }

    /// @see io.shadowkv.op.AttentionOperations#scoreBlocks
    void score(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        check(queries, means, blockTokens, firstToken, scores);
        if (queries.extent(0) == 0) {
            return;
        }
        DType type = queries.dtype();
        int headDim = queries.extent(2);
        boolean fitsTensorCores = (type == DType.BF16 || type == DType.F16)
                && headDim % 16 == 0
                && headDim <= LARGEST_HEAD_DIM
                && scale > 0
                && parts.context().address(queries) % PrefillAttention.ALIGNMENT == 0;
        if (fitsTensorCores
                && blockTokens == HOPPER_BLOCK
                && headDim <= HOPPER_LARGEST_HEAD_DIM
                && prefill.fitsHopper(headDim)) {
            onHopper(queries, means, firstToken, scale, scores);
        } else if (fitsTensorCores) {
            onTensorCores(queries, means, blockTokens, firstToken, scale, scores);
        } else {
            plain(queries, means, blockTokens, firstToken, scale, scores);
        }
    }

    private static void check(Tensor queries, Tensor means, int blockTokens, int firstToken, Tensor scores) {
        int queryBlocks = scores.extent(1);
        int first = firstToken / blockTokens;
        boolean hasRowsOfAll = queries.extent(0) <= (first + queryBlocks) * (long) blockTokens - firstToken;
        if (means.dtype() != DType.F32
                || scores.dtype() != DType.F32
                || scores.extent(0) != means.extent(0)
                || queries.extent(1) % means.extent(0) != 0
                || means.extent(1) < first + queryBlocks
                || scores.extent(2) < first + queryBlocks
                || !hasRowsOfAll) {
            throw new IllegalArgumentException(
                    ("block scores of queries %s %s from token %d, mean keys %s %s, blocks of %d, into %s %s: mean keys"
                                    + " and scores must be F32, and both must hold all key blocks of the rows")
                            .formatted(
                                    queries.dtype(),
                                    queries.shape(),
                                    firstToken,
                                    means.dtype(),
                                    means.shape(),
                                    blockTokens,
                                    scores.dtype(),
                                    scores.shape()));
        }
    }

    /// For blocks of [#HOPPER_BLOCK] tokens.
    private void onHopper(Tensor queries, Tensor means, int firstToken, double scale, Tensor scores) {
        int headDim = queries.extent(2);
        int kvHeads = means.extent(0);
        int group = queries.extent(1) / kvHeads;
        int rounds = Math.ceilDiv(group, HOPPER_HEADS);
        int heads = Math.ceilDiv(group, rounds);
        int tileBytes = HOPPER_BLOCK * headDim * queries.dtype().bytes();
        int sharedBytes = (heads + 2) * tileBytes + 2 * WARPS * HOPPER_BLOCK * Float.BYTES + 1024 + 128;
        Tensor narrow = rounded(queries, means);
        try (Arena arena = Arena.ofConfined()) {
            var maps = prefill.hopperMaps(arena, queries, narrow, narrow, means.extent(1), 1);
            parts.kernel(source("score_blocks_wgmma.cu", "scoreBlocksWgmma", queries, kvHeads))
                    .launch(
                            parts.queue(),
                            Grid.of((long) kvHeads * scores.extent(1), PrefillAttention.HOPPER_THREADS)
                                    .withShared(sharedBytes),
                            maps.queries(),
                            maps.keys(),
                            queries.extent(0),
                            kvHeads,
                            firstToken,
                            scores.extent(1),
                            rounds,
                            (float) scale,
                            scores,
                            scores.extent(2));
        }
    }

    /// The means in the type of the queries.
    private Tensor rounded(Tensor queries, Tensor means) {
        int kvHeads = means.extent(0);
        Tensor narrow = rounded.of(parts.queue()).tensor(queries.dtype(), kvHeads, means.extent(1), queries.extent(2));
        parts.kernel(source("score_blocks.cu", "roundMeans", queries, kvHeads))
                .launch(parts.queue(), Grid.covering(means.elements(), THREADS), means, narrow, means.elements());
        return narrow;
    }

    void onTensorCores(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        int headDim = queries.extent(2);
        int kvHeads = means.extent(0);
        Tensor narrow = rounded(queries, means);
        int sharedBytes =
                2 * TILE_MEANS * (2 * headDim + PrefillAttention.ALIGNMENT) + WARPS * TILE_MEANS * Float.BYTES;
        parts.kernel(source("score_blocks.cu", "scoreBlocks", queries, kvHeads))
                .launch(
                        parts.queue(),
                        Grid.of((long) kvHeads * scores.extent(1), THREADS).withShared(sharedBytes),
                        queries,
                        narrow,
                        queries.extent(0),
                        queries.extent(1),
                        means.extent(1),
                        blockTokens,
                        firstToken,
                        scores.extent(1),
                        (float) scale,
                        scores,
                        scores.extent(2));
    }

    private static KernelSource source(String file, String function, Tensor queries, int kvHeads) {
        return KernelSource.of(file, function)
                .with("TYPE", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", queries.extent(2))
                .with("GROUP", queries.extent(1) / kvHeads);
    }

    void plain(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores) {
        Kernel kernel = parts.kernel(KernelSource.of("score_blocks_plain.cu", "scoreBlocksPlain")
                .with("ACT", KernelTypes.name(queries.dtype()))
                .with("HEAD_DIM", queries.extent(2)));
        kernel.launch(
                parts.queue(),
                Grid.of((long) means.extent(0) * scores.extent(1), THREADS),
                queries,
                means,
                queries.extent(0),
                queries.extent(1),
                means.extent(0),
                means.extent(1),
                blockTokens,
                firstToken,
                scores.extent(1),
                (float) scale,
                scores,
                scores.extent(2));
    }

    /// @see io.shadowkv.op.AttentionOperations#selectBlocks
    void select(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target) {
        int block = target.blockTokens();
        int width = (firstToken + tokens - 1) / block + 1;
        boolean coversRows = target.queryBlocks() == width - firstToken / block;
        boolean hasScores = scores == null
                || scores.dtype() == DType.F32
                        && scores.extent(0) == target.counts().extent(0)
                        && scores.extent(2) >= Math.min(width, firstToken / block + scores.extent(1));
        if (!coversRows || !hasScores || target.starts().extent(2) < width) {
            throw new IllegalArgumentException(
                    "selection of key blocks of %d for %d rows from token %d: lists are %s, counts %s, scores %s; each list must hold %d blocks, and there must be a list for each row block and head"
                            .formatted(
                                    block,
                                    tokens,
                                    firstToken,
                                    target.starts().shape(),
                                    target.counts().shape(),
                                    scores == null ? "none" : scores.shape(),
                                    width));
        }
        @Nullable
        Object[] arguments = {
            scores,
            scores == null ? 0 : scores.extent(1),
            scores == null ? 0 : scores.extent(2),
            rule.threshold(),
            rule.firstBlocks(),
            rule.nearestBlocks(),
            rule.forcedMillionths(),
            firstToken,
            tokens,
            block,
            target.queryBlocks(),
            target.starts(),
            target.starts().extent(2),
            target.counts(),
            target.work()
        };
        parts.kernel(KernelSource.of("select_blocks.cu", "selectBlocks"))
                .launch(parts.queue(), Grid.of(target.counts().elements(), THREADS), arguments);
    }

    @Override
    public void close() {
        rounded.forEach(ScratchBuffer::close);
    }
}
