package io.shadowkv.engine.batch;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.tensor.CloseAll;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;

/// The memory of all sequences: those being read, those that decode, and those that wait for a next
/// turn. Only the ledger says whether a further sequence fits, and only the ledger closes a cache
/// that it holds.
///
/// Used by the engine's thread, except for [#heldBytes] and [#heldTokens].
public final class Ledger {
    private final Planner planner;
    private final IdentityHashMap<SequenceCache, PlannedSequence> held = new IdentityHashMap<>();
    private final IdentityHashMap<Reading, List<PlannedSequence>> readings = new IdentityHashMap<>();
    private final AtomicLong deviceBytes = new AtomicLong();
    private final AtomicLong hostBytes = new AtomicLong();
    private final AtomicLong tokens = new AtomicLong();

    /// @param planner computes the bytes and knows the limits; from now on it counts what this
    ///     ledger holds
    public Ledger(Planner planner) {
        this.planner = planner;
        planner.counts(this);
    }

    /// Records a reading, whose sequences are allocated.
    void opens(Reading reading, List<PlannedSequence> sequences) {
        readings.put(reading, List.copyOf(sequences));
        sequences.forEach(sequence -> add(sequence, 1));
    }

    /// Records that one sequence of a reading was dropped or sealed.
    void ends(Reading reading, PlannedSequence sequence) {
        List<PlannedSequence> left = new ArrayList<>(readings.getOrDefault(reading, List.of()));
        if (left.remove(sequence)) {
            add(sequence, -1);
            readings.put(reading, List.copyOf(left));
        }
    }

    /// Closes a reading and what it still holds.
    void close(Reading reading) {
        List<PlannedSequence> left = readings.remove(reading);
        if (left != null) {
            left.forEach(sequence -> add(sequence, -1));
        }
        reading.close();
    }

    /// Records an open cache.
    public void holds(SequenceCache cache, PlannedSequence planned) {
        if (held.put(cache, planned) == null) {
            add(planned, 1);
        }
    }

    /// Records that a cache has other memory now.
    void changed(SequenceCache cache, PlannedSequence planned) {
        PlannedSequence before = held.put(cache, planned);
        if (before == null) {
            throw new IllegalStateException("the ledger does not hold a sequence of " + cache.length() + " tokens");
        }
        add(before, -1);
        add(planned, 1);
    }

    /// The memory of a cache.
    PlannedSequence of(SequenceCache cache) {
        return Objects.requireNonNull(held.get(cache), "the ledger does not hold the sequence");
    }

    /// The memory that all sequences need in addition, to grow to their capacity.
    SequenceBytes growthLeft() {
        long device = 0;
        long host = 0;
        for (PlannedSequence sequence : held.values()) {
            if (sequence.size().grows()) {
                SequenceBytes all = planner.sized(
                                sequence,
                                size -> new SequenceSize(size.capacityTokens(), size.deviceValueLayers()))
                        .bytes();
                device += Math.max(0, all.resident() - sequence.bytes().resident());
                host += Math.max(0, all.offloaded() - sequence.bytes().offloaded());
            }
        }
        return new SequenceBytes(device, host, List.of());
    }

    /// Closes a cache.
    public void free(SequenceCache cache) {
        PlannedSequence planned = held.remove(cache);
        if (planned != null) {
            add(planned, -1);
        }
        cache.close();
    }

    private void add(PlannedSequence sequence, int sign) {
        deviceBytes.addAndGet(sign * sequence.bytes().resident());
        hostBytes.addAndGet(sign * sequence.bytes().offloaded());
        tokens.addAndGet(sign * (long) sequence.ownTokens());
    }

    /// True if a sequence fits in addition to everything held.
    ///
    /// @param admitted sequences that were admitted and are not allocated yet
    /// @param freed caches that are held and would be freed before
    boolean fits(PlannedSequence wanted, Collection<PlannedSequence> admitted, Collection<SequenceCache> freed) {
        return planner.fits(
                wanted,
                admitted,
                held.values(),
                readings.values().stream().flatMap(List::stream).toList(),
                freed.stream().map(held::get).filter(Objects::nonNull).toList());
    }

    /// Bytes of all sequences. Thread-safe.
    public long heldBytes(Place place) {
        return (place == Place.DEVICE ? deviceBytes : hostBytes).get();
    }

    /// Tokens of all sequences; those that are shared count once. Thread-safe.
    public long heldTokens() {
        return tokens.get();
    }

    /// Bytes of all sequences that have been read.
    SequenceBytes sealedBytes() {
        long device = 0;
        long host = 0;
        for (PlannedSequence sequence : held.values()) {
            device += sequence.bytes().resident();
            host += sequence.bytes().offloaded();
        }
        return new SequenceBytes(device, host, List.of());
    }

    /// Number of caches and readings.
    public int entries() {
        return held.size() + readings.size();
    }

    /// Closes everything.
    void closeAll() {
        List<Runnable> closing = new ArrayList<>();
        readings.keySet().forEach(reading -> closing.add(() -> close(reading)));
        held.keySet().forEach(cache -> closing.add(() -> free(cache)));
        CloseAll.of(closing, Runnable::run);
    }
}
