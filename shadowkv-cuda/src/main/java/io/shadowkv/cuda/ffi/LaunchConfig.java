package io.shadowkv.cuda.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/// Grid, stream and attributes of a launch, as [Driver#cuLaunchKernelEx] takes them.
///
/// @param x blocks along x
/// @param y blocks along y
/// @param z blocks along z
/// @param threads threads of a block, along x
/// @param sharedBytes dynamic shared memory of a block
public record LaunchConfig(
        int x, int y, int z, int threads, int sharedBytes, long stream, Set<LaunchAttribute> attributes) {
    /// Bytes of a `CUlaunchAttribute`: id, padding to 8, a union of 64 bytes.
    private static final int ATTRIBUTE_BYTES = 72;
    /// Bytes of a `CUlaunchConfig`: grid, block, shared bytes, padding to 8, stream, attributes,
    /// their number, padding to 8.
    private static final int CONFIG_BYTES = 56;

    public LaunchConfig {
        attributes = Set.copyOf(attributes);
    }

    /// A `CUlaunchConfig`, valid as long as `arena`.
    MemorySegment write(Arena arena) {
        MemorySegment list = arena.allocate((long) ATTRIBUTE_BYTES * Math.max(1, attributes.size()), 8);
        long at = 0;
        for (LaunchAttribute attribute : attributes) {
            list.set(JAVA_INT, at, attribute.id());
            list.set(JAVA_INT, at + 8, 1);
            at += ATTRIBUTE_BYTES;
        }
        MemorySegment config = arena.allocate(CONFIG_BYTES, 8);
        int[] sizes = {x, y, z, threads, 1, 1, sharedBytes};
        for (int i = 0; i < sizes.length; i++) {
            config.setAtIndex(JAVA_INT, i, sizes[i]);
        }
        config.set(JAVA_LONG, 32, stream);
        config.set(ADDRESS, 40, list);
        config.set(JAVA_INT, 48, attributes.size());
        return config;
    }
}
