package io.shadowkv.cuda;

/// Blocks and threads of a launch.
///
/// @param x blocks along x (any number); y and z take 65,535 at most
/// @param threads threads of a block
/// @param sharedBytes dynamic shared memory of a block
record Grid(int x, int y, int z, int threads, int sharedBytes) {
    static Grid of(long blocks, int threads) {
        return new Grid(Math.toIntExact(blocks), 1, 1, threads, 0);
    }

    /// Enough blocks of `threads` threads for `count` threads.
    static Grid covering(long count, int threads) {
        return of(Math.max(1, Math.ceilDiv(count, threads)), threads);
    }

    Grid withShared(int bytes) {
        return new Grid(x, y, z, threads, bytes);
    }
}
