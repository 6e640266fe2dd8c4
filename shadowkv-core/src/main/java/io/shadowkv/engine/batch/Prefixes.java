package io.shadowkv.engine.batch;

import io.shadowkv.cache.CacheStrategy;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.SequenceSize;
import io.shadowkv.engine.MemoryPlan.Item;
import io.shadowkv.engine.MemoryPlan.SequenceBytes;
import io.shadowkv.engine.PlannedSequence;
import io.shadowkv.op.Backend.Place;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Read prompts that are kept for other sequences: documents, and sequences that have ended. A
/// sequence whose tokens begin with those of a prefix does not read them again.
///
/// There are tens of prefixes, so the longest match is found by comparing ids, a few microseconds
/// for 100,000 tokens. Used by the engine's thread.
public final class Prefixes {
    private final Ledger ledger;
    private final int maxEnded;
    private final List<Prefix> held = new ArrayList<>();
    private long time;

    /// @param maxEnded maximum number of kept sequences that have ended; 0 keeps none
    Prefixes(Ledger ledger, int maxEnded) {
        this.ledger = ledger;
        this.maxEnded = maxEnded;
    }

    /// The longest prefix that a sequence can continue; null if there is none, or if a fork with these
    /// tokens would need more device memory than a sequence that is read. A fork keeps the tokens after
    /// the prefix resident, which takes several times the memory of their index.
    ///
    /// @param read the memory of the sequence if it is read
    @Nullable
    Prefix longest(int[] ids, PlannedSequence read) {
        Prefix prefix = held.stream()
                .filter(candidate -> continues(candidate, ids))
                .max(Comparator.comparingInt(candidate -> candidate.ids().length))
                .orElse(null);
        if (prefix == null) {
            return null;
        }
        PlannedSequence fork = planned(prefix, ids.length);
        return fork.bytes().resident() <= read.bytes().resident() ? prefix : null;
    }

    private static boolean continues(Prefix prefix, int[] ids) {
        int tokens = prefix.ids().length;
        return tokens <= ids.length
                && (tokens < ids.length || prefix.logits() != null)
                && Arrays.equals(prefix.ids(), 0, tokens, ids, 0, tokens);
    }

    /// The memory of a fork of a prefix.
    ///
    /// @param capacity maximum number of tokens of the fork, those of the prefix included
    static PlannedSequence planned(Prefix prefix, int capacity) {
        List<CacheStrategy.Allocation> parts = prefix.cache().forkFootprint(capacity - prefix.ids().length);
        return new PlannedSequence(
                SequenceSize.of(capacity),
                new SequenceBytes(
                        bytes(parts, Place.DEVICE),
                        bytes(parts, Place.HOST),
                        parts.stream()
                                .map(part -> new Item(part.name(), part.bytes(), part.place() == Place.HOST))
                                .toList()),
                prefix.cache().isShared() ? prefix.ids().length : 0);
    }

    private static long bytes(List<CacheStrategy.Allocation> parts, Place place) {
        return parts.stream()
                .filter(part -> part.place() == place)
                .mapToLong(CacheStrategy.Allocation::bytes)
                .sum();
    }

    /// Forks a prefix for a sequence. The prefix whose memory the fork shares stays held until the
    /// sequence ends.
    ///
    /// @throws io.shadowkv.op.BackendMemoryException if the memory is not available
    void fork(Prefix prefix, PlannedSequence planned, Sequence sequence) {
        SequenceCache fork = prefix.cache().fork(planned.size().capacityTokens() - prefix.ids().length);
        ledger.holds(fork, planned);
        use(prefix);
        leave(prefix);
        Prefix shared = prefix.shared();
        if (shared != null) {
            use(shared);
        }
        sequence.continues(shared, fork, planned, prefix.logits());
    }

    /// Protects a prefix from eviction until [#leave].
    public void use(Prefix prefix) {
        prefix.use(time++);
    }

    /// A user of the prefix has ended.
    public void leave(Prefix prefix) {
        prefix.leave();
        if (prefix.isReleased() && !prefix.isUsed()) {
            free(prefix);
        }
    }

    /// Keeps a read prompt. The ledger holds its cache.
    public Prefix keep(int[] ids, SequenceCache cache, float[] logits) {
        Prefix prefix = new Prefix(ids, cache, logits, null, true);
        held.add(prefix);
        return prefix;
    }

    /// Keeps a sequence that has ended, if the engine keeps any.
    ///
    /// @param ids the tokens in its cache
    /// @param parent the prefix whose memory `cache` shares; stays in use
    /// @return false if it is not kept
    private boolean keepEnded(int[] ids, SequenceCache cache, @Nullable Prefix parent) {
        if (maxEnded == 0) {
            return false;
        }
        while (unused() >= maxEnded && evict()) {}
        Prefix prefix = new Prefix(ids, cache, null, parent, false);
        prefix.use(time++);
        prefix.leave();
        held.add(prefix);
        return true;
    }

    /// Ends a sequence: keeps or frees its cache, and reports the end.
    void end(Sequence sequence) {
        SequenceCache reusable = sequence.reusable();
        Prefix base = sequence.prefix();
        boolean isKept =
                reusable != null && keepEnded(Arrays.copyOf(sequence.ids(), reusable.length()), reusable, base);
        sequence.end(ledger, isKept);
        if (base != null && !isKept && !sequence.isReadOnly()) {
            leave(base);
            sequence.leavesPrefix();
        }
        sequence.events().ended(sequence);
    }

    private long unused() {
        return held.stream()
                .filter(prefix -> !prefix.isPinned() && !prefix.isUsed())
                .count();
    }

    /// Evicts kept prompts until a sequence fits, the least recently used first. Evicts none if the
    /// sequence would not fit without all of them.
    ///
    /// @param admitted the memory of sequences and readings that were admitted and are not allocated yet
    /// @return false if it does not fit
    boolean makeRoom(PlannedSequence wanted, List<PlannedSequence> admitted) {
        if (!ledger.fits(wanted, admitted, evictable())) {
            return false;
        }
        while (!ledger.fits(wanted, admitted, List.of())) {
            if (!evict()) {
                return false;
            }
        }
        return true;
    }

    /// The caches that evicting everything would free: of unused prefixes, and of prefixes that only
    /// these use.
    private List<SequenceCache> evictable() {
        List<SequenceCache> caches = new ArrayList<>();
        Map<Prefix, Integer> parents = new HashMap<>();
        for (Prefix prefix : held) {
            if (prefix.isEvictable(0)) {
                caches.add(prefix.cache());
                Prefix parent = prefix.parent();
                if (parent != null) {
                    parents.merge(parent, 1, Integer::sum);
                }
            }
        }
        parents.forEach((parent, users) -> {
            if (parent.isEvictable(users)) {
                caches.add(parent.cache());
            }
        });
        return caches;
    }

    /// Frees the least recently used prefix that is neither pinned nor in use.
    ///
    /// @return false if there is none
    private boolean evict() {
        Prefix oldest = held.stream()
                .filter(prefix -> prefix.isEvictable(0))
                .min(Comparator.comparingLong(Prefix::lastUse))
                .orElse(null);
        if (oldest == null) {
            return false;
        }
        free(oldest);
        return true;
    }

    /// Stops finding a prefix, and frees it as soon as no sequence uses it.
    public void release(Prefix prefix) {
        if (prefix.isHeld()) {
            held.remove(prefix);
            prefix.release();
            if (!prefix.isUsed()) {
                free(prefix);
            }
        }
    }

    private void free(Prefix prefix) {
        held.remove(prefix);
        prefix.freed();
        ledger.free(prefix.cache());
        Prefix parent = prefix.parent();
        if (parent != null) {
            leave(parent);
        }
    }
}
