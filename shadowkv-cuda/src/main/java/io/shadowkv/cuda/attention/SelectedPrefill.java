package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Attention of the rows of a prompt to selected keys. Lists of key blocks alone are served by the
/// kernels of [PrefillAttention], which walk the listed blocks instead of all; a plain kernel serves
/// single keys, limits inside blocks, means of blocks that are not read, and all other types, head
/// dims and sizes of blocks. Thread-safe.
final class SelectedPrefill {
    private static final int PLAIN_WARPS = 4;
    private static final int PLAIN_LARGEST_HEAD_DIM = 1024;
    /// Rows of a block in prefill_wgmma.cu.
    private static final int HOPPER_BLOCK = 128;

    private static final Set<Integer> MMA_BLOCKS = Set.of(64, 128);

    private final CudaParts parts;
    private final PrefillAttention prefill;

    /// @param prefill the kernels of exact prefill
    SelectedPrefill(CudaParts parts, PrefillAttention prefill) {
        this.parts = parts;
        this.prefill = prefill;
    }

    /// One call of the operation.
    ///
    /// @param keyCount number of keys up to the last row's
    private record Call(
            Tensor queries,
            Tensor keys,
            Tensor values,
            int firstToken,
            int keyCount,
            SelectedKeys selected,
            double scale,
            Tensor out) {
        int tokens() {
            return queries.extent(0);
        }

        int heads() {
            return queries.extent(1);
        }

        int headDim() {
            return queries.extent(2);
        }

        int kvHeads() {
            return keys.extent(0);
        }

        /// Query heads that share a list.
        int rowHeads() {
            return heads() / selected.heads();
        }

        int startWidth() {
            return selected.blockStarts().extent(2);
        }
    }

    /// @see io.shadowkv.op.AttentionOperations#prefillSelected
    void run(
            Tensor queries,
            Tensor keys,
            Tensor values,
            int firstToken,
            SelectedKeys selected,
            double scale,
            Tensor out) {
        int keyCount = firstToken + queries.extent(0);
        var call = new Call(queries, keys, values, firstToken, keyCount, selected, scale, out);
        check(call);
        if (queries.extent(0) == 0) {
            return;
        }
        boolean isBlocksOnly = selected.columns() == null && selected.bands() == null && selected.means() == null;
        if (!isBlocksOnly || !prefill.fitsTensorCores(queries, keys, values, scale, out)) {
            plain(call);
        } else if (selected.blockTokens() == HOPPER_BLOCK && prefill.fitsHopper(queries.extent(2))) {
            onHopper(call);
        } else if (MMA_BLOCKS.contains(selected.blockTokens())) {
            onTensorCores(call);
        } else {
            plain(call);
        }
    }

    private static void check(Call call) {
        SelectedKeys selected = call.selected;
        int block = selected.blockTokens();
        int queryBlocks = call.tokens() == 0 ? 0 : (call.keyCount - 1) / block - call.firstToken / block + 1;
        if (call.keyCount > call.keys.extent(1)
                || queryBlocks != selected.queryBlocks()
                || call.heads() % selected.heads() != 0
                || selected.heads() % call.kvHeads() != 0) {
            throw new IllegalArgumentException(
                    ("selected prefill of %d rows with %d heads from token %d over keys %s: there are lists of %d row"
                                    + " blocks of %d and %d heads. Each row block must have a list, for each key-value head or"
                                    + " each query head, and the keys must hold those of the rows")
                            .formatted(
                                    call.tokens(),
                                    call.heads(),
                                    call.firstToken,
                                    call.keys.shape(),
                                    selected.queryBlocks(),
                                    block,
                                    selected.heads()));
        }
    }

    private void onHopper(Call call) {
        try (Arena arena = Arena.ofConfined()) {
            var maps = prefill.hopperMaps(arena, call.queries, call.keys, call.values, call.keyCount, 1);
            Kernel kernel = parts.kernel(
                    prefill.hopperSource(call.queries, call.kvHeads(), 1).with("SELECTED", 1));
            kernel.launch(
                    parts.queue(),
                    Grid.of((long) call.selected.queryBlocks() * call.heads(), PrefillAttention.HOPPER_THREADS)
                            .withShared(PrefillAttention.hopperSharedBytes(call.headDim())),
                    maps.queries(),
                    maps.keys(),
                    maps.values(),
                    call.tokens(),
                    call.heads(),
                    call.keyCount,
                    (float) call.scale,
                    call.out,
                    call.selected.blockStarts(),
                    call.selected.blockCounts(),
                    call.startWidth(),
                    call.selected.queryBlocks(),
                    call.rowHeads());
        }
    }

    private void onTensorCores(Call call) {
        int block = call.selected.blockTokens();
        // The sizes of prefill_mma.cu's tiles.
        int queryTile = call.headDim() <= 128 ? block : 64;
        int keyTile = call.headDim() <= 128 ? 64 : 32;
        int sharedBytes = 4 * keyTile * (2 * call.headDim() + PrefillAttention.ALIGNMENT);
        Kernel kernel =
                parts.kernel(prefill.mmaSource(call.queries, call.kvHeads()).with("BLOCK", block));
        kernel.launch(
                parts.queue(),
                Grid.of((long) call.selected.queryBlocks() * (block / queryTile) * call.heads(), 2 * queryTile)
                        .withShared(sharedBytes),
                call.queries,
                call.keys,
                call.values,
                call.tokens(),
                call.heads(),
                call.keyCount,
                call.keys.extent(1),
                (float) call.scale,
                call.out,
                call.selected.blockStarts(),
                call.selected.blockCounts(),
                call.startWidth(),
                call.selected.queryBlocks(),
                call.rowHeads());
    }

    private void plain(Call call) {
        SelectedKeys selected = call.selected;
        SelectedKeys.BlockMeans means = selected.means();
        boolean hasMeans = means == null
                || means.keys().dtype() == DType.F32 && means.values().dtype() == DType.F32;
        if (call.keys.dtype() != call.values.dtype()
                || call.out.dtype() != call.queries.dtype()
                || !hasMeans
                || call.headDim() > PLAIN_LARGEST_HEAD_DIM) {
            throw new IllegalArgumentException(
                    ("selected prefill of %s queries over %s keys and %s values into %s, head dim %d: keys and values"
                                    + " must have one type, queries and output too, means must be F32, and the head dim must be"
                                    + " at most %d")
                            .formatted(
                                    call.queries.dtype(),
                                    call.keys.dtype(),
                                    call.values.dtype(),
                                    call.out.dtype(),
                                    call.headDim(),
                                    PLAIN_LARGEST_HEAD_DIM));
        }
        SelectedKeys.KeyColumns columns = selected.columns();
        Kernel kernel = parts.kernel(KernelSource.of("prefill_selected_plain.cu", "prefillSelectedPlain")
                .with("ACT", KernelTypes.name(call.queries.dtype()))
                .with("STORED", KernelTypes.name(call.keys.dtype()))
                .with("HEAD_DIM", call.headDim())
                .with("WARPS", PLAIN_WARPS));
        @Nullable
        Object[] arguments = {
            call.queries,
            call.keys,
            call.values,
            call.tokens(),
            call.heads(),
            call.kvHeads(),
            call.keys.extent(1),
            call.firstToken,
            selected.blockTokens(),
            selected.heads(),
            selected.queryBlocks(),
            selected.blockStarts(),
            call.startWidth(),
            selected.blockCounts(),
            columns == null ? null : columns.entries(),
            columns == null ? 0 : columns.entries().extent(2),
            columns == null ? null : columns.counts(),
            selected.bands(),
            means == null ? null : means.keys(),
            means == null ? null : means.values(),
            means == null ? 0 : means.keys().extent(1),
            (float) call.scale,
            call.out
        };
        kernel.launch(
                parts.queue(),
                Grid.of(Math.ceilDiv((long) call.tokens() * call.heads(), PLAIN_WARPS), 32 * PLAIN_WARPS),
                arguments);
    }
}
