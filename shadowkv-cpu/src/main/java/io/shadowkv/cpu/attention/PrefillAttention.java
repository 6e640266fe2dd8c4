package io.shadowkv.cpu.attention;

import io.shadowkv.cpu.linear.MicroKernel;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.WorkerPool;
import io.shadowkv.tensor.Tensor;

/// Causal attention of many query rows, one tile at a time, with FlashAttention's online softmax
/// (arXiv 2205.14135).
///
/// The lanes of a vector are query rows: the tokens of a tile times the query heads that share a
/// key-value head. Keys and values are therefore widened once for all of them, and the softmax needs
/// no sums across a vector. [TileProducts] computes both products. One instance per call.
final class PrefillAttention {
    /// Elements of the queries of a tile, and of its sums: each fills an eighth of a second-level
    /// cache of 1 MiB.
    static final int TILE_ELEMENTS = 32 * 1024;

    private final QueryTiles tiles;
    private final TileProducts products;
    private final FloatRows keys;
    private final FloatRows values;
    private final FloatRows out;
    private final int tokens;
    private final int kvHeads;
    private final int headDim;
    private final int groupSize;
    private final int capacity;
    private final int keyCount;
    private final int tileTokens;

    PrefillAttention(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out) {
        this.keys = new FloatRows(keys);
        this.values = new FloatRows(values);
        this.out = new FloatRows(out);
        this.keyCount = keyCount;
        tokens = queries.extent(0);
        headDim = queries.extent(2);
        kvHeads = keys.extent(0);
        capacity = keys.extent(1);
        groupSize = queries.extent(1) / kvHeads;
        tiles = new QueryTiles(queries, groupSize, scale);
        products = new TileProducts(headDim);
        tileTokens = Math.max(1, TILE_ELEMENTS / (headDim * groupSize));
    }

    /// The last tiles read the most keys and run first, so that the tasks at the end are short.
    void run(WorkerPool pool) {
        int count = Math.ceilDiv(tokens, tileTokens);
        pool.each(count * kvHeads, (i, scratch) -> {
            int first = (count - 1 - i / kvHeads) * tileTokens;
            attend(i % kvHeads, first, Math.min(tileTokens, tokens - first), scratch);
        });
    }

    private void attend(int head, int firstToken, int tokenCount, Scratch scratch) {
        int rows = tokenCount * groupSize;
        float[] packed = tiles.pack(head, firstToken, rows, scratch);
        var softmax = new OnlineSoftmax(Math.ceilDiv(rows, MicroKernel.PANEL), headDim, scratch);
        int earlier = keyCount - tokens + firstToken + 1;
        softmax.limits(rows, groupSize, earlier);
        int end = earlier + tokenCount - 1;
        int[] tile = new int[TileProducts.TILE_KEYS];
        long firstRow = (long) head * capacity;
        for (int from = 0; from < end; from += tile.length) {
            int count = Math.min(tile.length, end - from);
            for (int j = 0; j < count; j++) {
                tile[j] = from + j;
            }
            products.scoreKeys(keys, firstRow, tile, count, packed, softmax, scratch);
            softmax.weigh(from, count);
            products.addValues(values, firstRow, tile, count, softmax, scratch);
        }
        tiles.store(out, head, firstToken, rows, softmax, scratch);
    }
}
