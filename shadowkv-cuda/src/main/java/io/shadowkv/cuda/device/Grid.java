package io.shadowkv.cuda.device;

import io.shadowkv.cuda.ffi.LaunchAttribute;
import io.shadowkv.cuda.ffi.LaunchConfig;
import java.util.Set;

/// Blocks and threads of a launch.
///
/// @param x blocks along x, any number
/// @param y blocks along y, at most 65,535
/// @param z blocks along z, at most 65,535
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

    long blocks() {
        return (long) x * y * z;
    }

    LaunchConfig config(long stream, Set<LaunchAttribute> attributes) {
        return new LaunchConfig(x, y, z, threads, sharedBytes, stream, attributes);
    }

    public Grid withShared(int bytes) {
        return new Grid(x, y, z, threads, bytes);
    }
}
