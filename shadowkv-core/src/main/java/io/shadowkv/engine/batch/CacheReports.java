package io.shadowkv.engine.batch;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.engine.Completion.CacheReport;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.op.Backend.Place;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reports of what a sequence's cache holds and has selected.
final class CacheReports {
    private CacheReports() {}

    /// Waits for the backend.
    ///
    /// @param cache null if the sequence has none
    static CacheReport of(@Nullable SequenceCache cache, PlannedSequence planned) {
        if (cache == null) {
            return new CacheReport(planned.bytes(), new SequenceBytes(0, 0, List.of()), 0, 0, false);
        }
        // A parked sequence has its counters in host memory; it is read where it ends without an answer.
        SequenceCache.Selections selections =
                cache.parking().isParked() ? new SequenceCache.Selections(0, 0) : cache.selections();
        var measured = new SequenceBytes(cache.bytes(Place.DEVICE), cache.bytes(Place.HOST), List.of());
        return new CacheReport(
                planned.bytes(), measured, selections.selected(), selections.missed(), !cache.isIndexed());
    }
}
