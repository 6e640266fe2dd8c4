package io.shadowkv.cache.prefill;

import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;

/// The lists of [SelectedKeys] for some blocks of rows that a selection on the host makes: filled
/// there, then uploaded to memory that is allocated once.
final class KeyLists {
    private final Backend backend;
    private final int heads;
    private final int blockTokens;
    private final Tensor starts;
    private final Tensor startCounts;
    private final Tensor columns;
    private final Tensor columnCounts;
    private final Tensor bands;

    /// @param rowBlocks maximum number of row blocks
    /// @param maxStarts maximum number of key blocks of a list
    /// @param maxColumns maximum number of columns of a list
    KeyLists(
            Backend backend,
            MemoryScope scope,
            int heads,
            int blockTokens,
            int rowBlocks,
            int maxStarts,
            int maxColumns) {
        this.backend = backend;
        this.heads = heads;
        this.blockTokens = blockTokens;
        starts = scope.allocate(DType.I32, heads * rowBlocks * maxStarts);
        startCounts = scope.allocate(DType.I32, heads * rowBlocks);
        columns = scope.allocate(DType.I32, heads * rowBlocks * maxColumns);
        columnCounts = scope.allocate(DType.I32, heads * rowBlocks);
        bands = scope.allocate(DType.I32, heads, 2);
    }

    static long bytes(int heads, int rowBlocks, int maxStarts, int maxColumns) {
        return Integer.BYTES * (heads * (rowBlocks * (2L + maxStarts + maxColumns) + 2L));
    }

    /// The keys that one row block of one head reads.
    ///
    /// @param starts first keys of the key blocks, ascending
    /// @param columns single keys
    /// @param firstKeys keys that a band always shows
    /// @param nearestKeys nearest keys that a band shows; [SelectedKeys#NO_BAND] shows all
    record Kept(int[] starts, int[] columns, int firstKeys, int nearestKeys) {
        private static final int[] NONE = {};

        /// Key blocks alone.
        static Kept blocks(int[] starts) {
            return new Kept(starts, NONE, 0, SelectedKeys.NO_BAND);
        }

        private boolean isBanded() {
            return nearestKeys != SelectedKeys.NO_BAND;
        }

        /// Number of keys that one row of the block reads.
        ///
        /// @param row position of the row
        /// @param block tokens of a key block
        long keys(int row, int block) {
            if (isBanded()) {
                return Math.min(row + 1L, (long) firstKeys + nearestKeys);
            }
            int n = starts.length;
            long read = columns.length;
            while (n > 0 && starts[n - 1] + block > row) {
                n--;
                read += Math.clamp(row + 1 - starts[n], 0, block);
            }
            return read + (long) n * block;
        }

        /// Sum of the weights of the keys that one row of the block reads.
        ///
        /// @param weights the row's weights of keys 0 to its own
        /// @param block tokens of a key block
        double sum(double[] weights, int block) {
            int row = weights.length - 1;
            double sum = 0;
            for (int start : starts) {
                for (int j = start; j < start + block && j <= row; j++) {
                    boolean isShown = !isBanded() || j < firstKeys || j > row - nearestKeys;
                    sum += isShown ? weights[j] : 0;
                }
            }
            for (int column : columns) {
                sum += column <= row ? weights[column] : 0;
            }
            return sum;
        }
    }

    /// Uploads lists.
    ///
    /// @param kept `[heads][row blocks]`; the bands of a head are those of its first block
    SelectedKeys upload(Kept[][] kept) {
        int rowBlocks = kept[0].length;
        int width = 1;
        int columnWidth = 0;
        boolean isBanded = false;
        for (Kept[] head : kept) {
            for (Kept block : head) {
                width = Math.max(width, block.starts.length);
                columnWidth = Math.max(columnWidth, block.columns.length);
                isBanded |= block.isBanded();
            }
        }
        int[] allStarts = new int[heads * rowBlocks * width];
        int[] allColumns = new int[heads * rowBlocks * columnWidth];
        int[] counts = new int[heads * rowBlocks];
        int[] countsOfColumns = new int[heads * rowBlocks];
        int[] limits = new int[2 * heads];
        for (int h = 0; h < heads; h++) {
            for (int b = 0; b < rowBlocks; b++) {
                Kept block = kept[h][b];
                int at = h * rowBlocks + b;
                System.arraycopy(block.starts, 0, allStarts, at * width, block.starts.length);
                System.arraycopy(block.columns, 0, allColumns, at * columnWidth, block.columns.length);
                counts[at] = block.starts.length;
                countsOfColumns[at] = block.columns.length;
            }
            limits[2 * h] = kept[h][0].firstKeys;
            limits[2 * h + 1] = kept[h][0].nearestKeys;
        }
        return new SelectedKeys(
                blockTokens,
                uploaded(allStarts, starts, heads, rowBlocks, width),
                uploaded(counts, startCounts, heads, rowBlocks),
                columnWidth == 0
                        ? null
                        : new SelectedKeys.KeyColumns(
                                uploaded(allColumns, columns, heads, rowBlocks, columnWidth),
                                uploaded(countsOfColumns, columnCounts, heads, rowBlocks)),
                isBanded ? uploaded(limits, bands.reshape(2 * heads), heads, 2) : null,
                null);
    }

    private Tensor uploaded(int[] source, Tensor memory, int... extents) {
        Tensor target = memory.slice(0, source.length);
        backend.upload(source, target);
        return target.reshape(extents);
    }
}
