package io.shadowkv.engine.batch;

import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.op.Backend;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.BackendMemoryException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/// Gives sequences the memory that they grow into, and takes it from others where memory is short.
///
/// Idle prefixes are freed first. Then running sequences are preempted, the one that would be
/// admitted last first. If the backend has host memory of its own and it suffices, a preempted
/// sequence is parked there; otherwise its memory is freed. Then what it had read is read again,
/// and what it had decoded is decoded again, which gives the same cache.
///
/// Used by the engine's thread, except for the counters.
final class Growth {
    private final Backend backend;
    private final Planner planner;
    private final Ledger ledger;
    private final Prefixes prefixes;
    private final int slots;
    private final AtomicLong parked = new AtomicLong();
    private final AtomicLong replayed = new AtomicLong();

    /// @param slots maximum number of sequences that run together
    Growth(Backend backend, Planner planner, Ledger ledger, Prefixes prefixes, int slots) {
        this.backend = backend;
        this.planner = planner;
        this.ledger = ledger;
        this.prefixes = prefixes;
        this.slots = slots;
    }

    /// True if the sequence needs more memory before its next token.
    static boolean isNeeded(SequenceCache cache) {
        return !cache.neededSize().equals(cache.size());
    }

    /// Gives a sequence the memory for its next tokens. The caller must put it into its slot again,
    /// whatever the result.
    ///
    /// @return false if there is too little memory
    boolean grow(Sequence sequence) {
        SequenceCache cache = sequence.requireCache();
        SequenceSize larger = cache.neededSize();
        PlannedSequence grown = planner.sized(sequence.planned(), size -> larger);
        if (!prefixes.makeRoom(more(sequence, grown, cache.growthBytes(larger)), List.of())) {
            return false;
        }
        try {
            cache.grow(larger);
        } catch (BackendMemoryException e) {
            ledger.changed(cache, measured(sequence));
            return false;
        }
        ledger.changed(cache, grown);
        sequence.sized(grown);
        return true;
    }

    /// The memory that a sequence needs in addition to what it holds.
    ///
    /// @param deviceBytes device memory that it needs for a while in addition to that
    private PlannedSequence more(Sequence sequence, PlannedSequence wanted, long deviceBytes) {
        SequenceBytes held = ledger.of(sequence.requireCache()).bytes();
        return PlannedSequence.more(
                SequenceSize.of(sequence.capacity()),
                wanted.bytes().resident() - held.resident() + deviceBytes,
                Math.max(0, wanted.bytes().offloaded() - held.offloaded()));
    }

    /// The memory that a sequence holds, as its cache counts it.
    private static PlannedSequence measured(Sequence sequence) {
        SequenceCache cache = sequence.requireCache();
        PlannedSequence planned = sequence.planned();
        var bytes = new SequenceBytes(cache.bytes(Place.DEVICE), cache.bytes(Place.HOST), List.of());
        return new PlannedSequence(planned.size(), bytes, planned.sharedTokens());
    }

    /// Takes the device memory of a sequence that is in no slot.
    ///
    /// @return false if the sequence must keep it
    boolean preempt(Sequence sequence) {
        if (park(sequence)) {
            return true;
        }
        if (!canReplay(sequence)) {
            return false;
        }
        replay(sequence);
        return true;
    }

    private boolean park(Sequence sequence) {
        SequenceCache cache = sequence.requireCache();
        if (backend.isHostDevice()
                || !prefixes.makeRoom(
                        PlannedSequence.more(SequenceSize.of(1), 0, cache.parking().parkedBytes()), List.of())) {
            return false;
        }
        try {
            cache.parking().park();
        } catch (BackendMemoryException e) {
            return false;
        }
        ledger.changed(cache, measured(sequence));
        parked.incrementAndGet();
        return true;
    }

    /// Moves a parked sequence back if there is memory for it and for its next tokens.
    ///
    /// @param admitted the memory of what will be opened
    /// @return false if there is too little memory
    boolean resume(Sequence sequence, List<PlannedSequence> admitted) {
        SequenceCache cache = sequence.requireCache();
        SequenceSize needed = cache.neededSize();
        boolean grows = isNeeded(cache);
        PlannedSequence wanted = grows ? planner.sized(sequence.planned(), size -> needed) : sequence.planned();
        if (!prefixes.makeRoom(more(sequence, wanted, grows ? cache.growthBytes(needed) : 0), admitted)) {
            return false;
        }
        try {
            cache.parking().resume();
        } catch (BackendMemoryException e) {
            return false;
        }
        ledger.changed(cache, measured(sequence));
        return true;
    }

    static boolean isParked(Sequence sequence) {
        SequenceCache cache = sequence.cache();
        return cache != null && cache.parking().isParked();
    }

    /// True if a sequence gets the same answer after it lost its cache: it shares no prefix, which may
    /// not be there later, and nobody looks at its steps or its cache.
    static boolean canReplay(Sequence sequence) {
        return sequence.prefix() == null && !sequence.keepsCache() && !sequence.needsWholeRow();
    }

    /// Frees the memory of a sequence, which is read and decoded again as far as it had come.
    void replay(Sequence sequence) {
        freeCache(sequence, true);
        replayed.incrementAndGet();
    }

    /// Frees the cache of a sequence that has not ended.
    ///
    /// @param readsAll true if the sequence must not continue a prefix
    void freeCache(Sequence sequence, boolean readsAll) {
        ledger.free(sequence.requireCache());
        Prefix prefix = sequence.prefix();
        if (prefix != null) {
            prefixes.leave(prefix);
        }
        sequence.losesCache(planner, slots, readsAll);
    }

    /// The memory that must stay free for others when a sequence is read. One that lost its memory
    /// before waits until all that run could grow to their ends: they would take it again.
    List<PlannedSequence> memory(Sequence sequence, Openings openings) {
        List<PlannedSequence> memory = new ArrayList<>(openings.memory());
        if (sequence.cache() == null && sequence.length() > sequence.readTokens()) {
            SequenceBytes left = ledger.growthLeft();
            memory.add(new PlannedSequence(SequenceSize.of(1), left, 0, false));
        }
        return memory;
    }

    /// Number of times that a sequence was parked. Thread-safe.
    long parked() {
        return parked.get();
    }

    /// Number of times that a sequence lost its memory and was read again. Thread-safe.
    long replayed() {
        return replayed.get();
    }
}
