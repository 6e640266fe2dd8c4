package io.shadowkv.cpu.attention;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.op.AttentionOperations.SelectedKeys;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Attention of prompt rows to selected keys: the tiles of [PrefillAttention], over the key blocks and
/// columns of each query block only. One instance per call.
final class SelectedPrefill {
    private final QueryTiles tiles;
    private final TileProducts products;
    private final FloatRows keys;
    private final FloatRows values;
    private final FloatRows out;
    private final SelectedKeys selected;
    private final Lists blocks;
    private final @Nullable Lists columns;
    private final int @Nullable [] bands;
    private final int firstToken;
    private final int tokens;
    private final int headDim;
    private final int capacity;
    private final int rowHeads;
    private final int listsPerKvHead;

    /// The lists of all heads and query blocks.
    private record Lists(int[] entries, int[] counts, int width) {
        static Lists of(Tensor entries, Tensor counts) {
            return new Lists(ints(entries), ints(counts), entries.extent(2));
        }
    }

    SelectedPrefill(
            Tensor queries,
            Tensor keys,
            Tensor values,
            int firstToken,
            SelectedKeys selected,
            double scale,
            Tensor out) {
        this.keys = new FloatRows(keys);
        this.values = new FloatRows(values);
        this.out = new FloatRows(out);
        this.selected = selected;
        this.blocks = Lists.of(selected.blockStarts(), selected.blockCounts());
        SelectedKeys.KeyColumns single = selected.columns();
        this.columns = single == null ? null : Lists.of(single.entries(), single.counts());
        Tensor limits = selected.bands();
        this.bands = limits == null ? null : ints(limits);
        this.firstToken = firstToken;
        tokens = queries.extent(0);
        headDim = queries.extent(2);
        capacity = keys.extent(1);
        Objects.checkFromIndexSize(firstToken, tokens, capacity);
        rowHeads = queries.extent(1) / selected.heads();
        listsPerKvHead = selected.heads() / keys.extent(0);
        tiles = new QueryTiles(queries, rowHeads, scale);
        products = new TileProducts(headDim);
    }

    private static int[] ints(Tensor tensor) {
        return tensor.segment().toArray(JAVA_INT_UNALIGNED);
    }

    /// The last blocks read the most keys and run first.
    void run(WorkerPool pool) {
        int heads = selected.heads();
        int queryBlocks = selected.queryBlocks();
        pool.each(queryBlocks * heads, (i, scratch) -> {
            int block = queryBlocks - 1 - i / heads;
            int size = selected.blockTokens();
            int from = Math.max(0, (firstToken / size + block) * size - firstToken);
            int to = Math.min(tokens, (firstToken / size + block + 1) * size - firstToken);
            int tile = Math.max(1, PrefillAttention.TILE_ELEMENTS / (headDim * rowHeads));
            for (int first = from; first < to; first += tile) {
                new Tile(i % heads, block, first, Math.min(tile, to - first), scratch).attend();
            }
        });
    }

    /// Some rows of one query block, for the query heads that share a list.
    private final class Tile {
        private final int list;
        private final int at;
        private final int first;
        private final int count;
        private final Scratch scratch;
        private final long firstRow;
        private final float[] packed;
        private final OnlineSoftmax softmax;
        private final int[] tile = new int[TileProducts.TILE_KEYS];
        private int held;

        Tile(int list, int block, int first, int count, Scratch scratch) {
            this.list = list;
            this.at = list * selected.queryBlocks() + block;
            this.first = first;
            this.count = count;
            this.scratch = scratch;
            this.firstRow = (long) (list / listsPerKvHead) * capacity;
            int rows = count * rowHeads;
            this.packed = tiles.pack(list, first, rows, scratch);
            this.softmax = new OnlineSoftmax(Math.ceilDiv(rows, MicroKernel.PANEL), headDim, scratch);
            softmax.limits(rows, rowHeads, firstToken + first + 1);
            int[] limits = bands;
            if (limits != null) {
                softmax.band(limits[2 * list], limits[2 * list + 1]);
            }
        }

        void attend() {
            int end = firstToken + first + count;
            for (int n = 0; n < blocks.counts[at]; n++) {
                int start = blocks.entries[at * blocks.width + n];
                int stop = Math.min(start + selected.blockTokens(), end);
                for (int from = start; from < stop; from += tile.length) {
                    int tileKeys = Math.min(tile.length, stop - from);
                    for (int j = 0; j < tileKeys; j++) {
                        tile[j] = from + j;
                    }
                    products.scoreKeys(keys, firstRow, tile, tileKeys, packed, softmax, scratch);
                    softmax.weigh(from, tileKeys);
                    products.addValues(values, firstRow, tile, tileKeys, softmax, scratch);
                }
            }
            Lists single = columns;
            if (single != null) {
                for (int n = 0; n < single.counts[at]; n++) {
                    int column = single.entries[at * single.width + n];
                    if (column < end) {
                        addColumn(column);
                    }
                }
                columnTile();
            }
            SelectedKeys.BlockMeans means = selected.means();
            if (means != null) {
                attendMeans(means);
            }
            tiles.store(out, list, first, count * rowHeads, softmax, scratch);
        }

        private void addColumn(int column) {
            tile[held++] = column;
            if (held == tile.length) {
                columnTile();
            }
        }

        private void columnTile() {
            if (held > 0) {
                products.scoreKeys(keys, firstRow, tile, held, packed, softmax, scratch);
                softmax.weighColumns(tile, held);
                products.addValues(values, firstRow, tile, held, softmax, scratch);
                held = 0;
            }
        }

        /// Blocks of the grid before the query block that are not in its list.
        private void attendMeans(SelectedKeys.BlockMeans means) {
            var meanKeys = new FloatRows(means.keys());
            var meanValues = new FloatRows(means.values());
            long row = (long) (list / listsPerKvHead) * means.keys().extent(1);
            int size = selected.blockTokens();
            int own = (firstToken + first) / size;
            int n = 0;
            int listed = blocks.counts[at];
            for (int block = 0; block < own; block++) {
                if (n < listed && blocks.entries[at * blocks.width + n] == block * size) {
                    n++;
                } else {
                    tile[held++] = block;
                }
                if (held == tile.length || block == own - 1 && held > 0) {
                    products.scoreKeys(meanKeys, row, tile, held, packed, softmax, scratch);
                    softmax.weighTimes(size, held);
                    products.addValues(meanValues, row, tile, held, softmax, scratch);
                    held = 0;
                }
            }
        }
    }
}
