package io.shadowkv.tensor;

import java.lang.foreign.MemorySegment;

/// Memory the JVM can read: a mapped file or an off-heap allocation. The creator of the segment's
/// arena owns it.
public record HostMemory(MemorySegment segment) implements Memory {
    @Override
    public long byteSize() {
        return segment.byteSize();
    }
}
