package io.shadowkv.cuda.attention;

/// How the attention of few rows to many keys is divided among the multiprocessors of Hopper, as
/// `prefill_wgmma.cu` computes it: rows of several heads of a group share a tile of queries, and
/// each block reads some tiles of keys.
///
/// @param pack heads of a group that share a tile of queries
/// @param splits parts of the keys; 1 if a block reads all its keys
/// @param splitTiles tiles of keys of a part
record KeyParts(int pack, int splits, int splitTiles) {
    private static final int QUERY_TILE = 128;
    private static final int LARGEST_PACK = 8;
    /// More blocks than this many for each multiprocessor fill the device without parts. It also bounds the memory
    /// for sums: 128 rows of floats for each block.
    private static final int MOST_WAVES = 2;
    /// The time that a block takes to start, and that sums take to be written and added up, in tiles of keys.
    private static final int TILES_OF_A_BLOCK = 2;
    private static final int TILES_OF_THE_SUMS = 4;

    /// The division that ends first if all blocks of a wave run at the same time. Whole keys if no division ends
    /// earlier than they do.
    ///
    /// @param tokens rows of a head
    /// @param keyTiles tiles of all keys
    static KeyParts of(int tokens, int heads, int group, int keyTiles, int multiprocessors) {
        KeyParts whole = new KeyParts(1, 1, keyTiles);
        long least = whole.cost(tokens, heads, multiprocessors);
        KeyParts best = whole;
        int pack = Math.min(LARGEST_PACK, Integer.lowestOneBit(group));
        long most = (long) MOST_WAVES * multiprocessors;
        for (int splits = 2;
                splits <= keyTiles && splits * new KeyParts(pack, 1, 0).blocks(tokens, heads) <= most;
                splits++) {
            int splitTiles = Math.ceilDiv(keyTiles, splits);
            KeyParts parts = new KeyParts(pack, Math.ceilDiv(keyTiles, splitTiles), splitTiles);
            long cost = parts.cost(tokens, heads, multiprocessors);
            if (cost < least) {
                least = cost;
                best = parts;
            }
        }
        return best;
    }

    /// Blocks of one part.
    long blocks(int tokens, int heads) {
        return Math.ceilDiv((long) tokens * pack, QUERY_TILE) * (heads / pack);
    }

    /// Time of all waves, in tiles of keys.
    private long cost(int tokens, int heads, int multiprocessors) {
        long waves = Math.ceilDiv(blocks(tokens, heads) * splits, multiprocessors);
        return waves * (splitTiles + TILES_OF_A_BLOCK) + (splits > 1 ? TILES_OF_THE_SUMS : 0);
    }
}
