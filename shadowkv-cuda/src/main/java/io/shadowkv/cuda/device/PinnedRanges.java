package io.shadowkv.cuda.device;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/// The address ranges of page-locked host memory. Thread-safe.
public final class PinnedRanges {
    private final ConcurrentSkipListMap<Long, Long> ends = new ConcurrentSkipListMap<>();

    void add(long address, long bytes) {
        ends.put(address, address + bytes);
    }

    void remove(long address) {
        ends.remove(address);
    }

    public boolean contains(long address) {
        Map.Entry<Long, Long> range = ends.floorEntry(address);
        return range != null && address < range.getValue();
    }
}
