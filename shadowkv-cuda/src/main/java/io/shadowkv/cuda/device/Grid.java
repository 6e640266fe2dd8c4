package io.shadowkv.cuda.device;

/// Blocks and threads of a launch.
///
/// @param x blocks along x (any number); y and z take 65,535 at most
/// @param threads threads of a block
/// @param sharedBytes dynamic shared memory of a block
public record Grid(int x, int y, int z, int threads, int sharedBytes) {
    public static Grid of(long blocks, int threads) {
        return new Grid(Math.toIntExact(blocks), 1, 1, threads, 0);
    }

    /// Enough blocks of `threads` threads for `count` threads.
    public static Grid covering(long count, int threads) {
        return of(Math.max(1, Math.ceilDiv(count, threads)), threads);
    }

    public Grid withShared(int bytes) {
        return new Grid(x, y, z, threads, bytes);
    }
}
