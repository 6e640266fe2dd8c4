package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import java.util.Collections;
import java.util.Comparator;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Computes sets of allowed tokens, and keeps for each state the part that does not depend on its
/// callers. For any thread.
final class TokenMasks {
    /// States, and counts as far as a token can tell them apart.
    ///
    /// @param missing rounds that the counted state still needs, at most one more than a token can
    ///     make
    /// @param left rounds that the counted state may still make, at most one more than a token can
    ///     make
    private record Key(State state, int missing, int left) {}

    private final GrammarVocabulary vocabulary;
    private final Map<Key, LocalMask> masks = new ConcurrentHashMap<>();
    private final AtomicLong bytes = new AtomicLong();
    private volatile long lastUse;

    TokenMasks(GrammarVocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /// Adds the tokens that may follow to a set.
    void addTo(int[] bits, Positions positions) {
        lastUse = vocabulary.maskBudget().now();
        for (Frame frame : positions.frames()) {
            LocalMask mask = mask(frame);
            mask.addTo(bits, vocabulary);
            if (mask.hasExits() && !frame.caller().returns().isEmpty()) {
                addBehind(bits, mask, Positions.behind(frame.caller()));
            }
        }
    }

    /// Adds the tokens that go on behind the rule.
    private void addBehind(int[] bits, LocalMask mask, Positions behind) {
        for (int node : mask.plainExits()) {
            vocabulary.plain().walkBelow(node, behind, id -> bits[id >> 5] |= 1 << id);
        }
        for (int node : mask.restExits()) {
            vocabulary.rest().walkBelow(node, behind, id -> bits[id >> 5] |= 1 << id);
        }
    }

    private LocalMask mask(Frame frame) {
        Key key = key(frame);
        LocalMask known = masks.get(key);
        if (known != null) {
            return known;
        }
        // Two threads may compute the same mask; neither waits.
        LocalMask mask = LocalMask.of(frame.state(), frame.count(), vocabulary);
        vocabulary.maskBudget().reserve(this, mask.bytes());
        masks.put(key, mask);
        return mask;
    }

    long lastUse() {
        return lastUse;
    }

    /// What the masks take. Two threads that compute the same mask count it twice.
    long bytes() {
        return bytes.get();
    }

    void grow(long more) {
        bytes.addAndGet(more);
    }

    /// Drops all masks; they are computed again when they are needed.
    void forget() {
        masks.clear();
        bytes.set(0);
    }

    private Key key(Frame frame) {
        Counter counter = frame.state().ruleCounter();
        if (counter == null) {
            return new Key(frame.state(), 0, 0);
        }
        int most = vocabulary.longest() + 1;
        int missing = Math.clamp((long) counter.min() - frame.count(), 0, most);
        int left =
                counter.max() == Counter.UNBOUNDED ? most : Math.clamp((long) counter.max() - frame.count(), 0, most);
        return new Key(frame.state(), missing, left);
    }

    /// Bounds what all grammars of a vocabulary keep of computed masks. For any thread.
    ///
    /// A grammar that needs room takes it from the one that was used least recently. Grammars that
    /// nothing else refers to are forgotten.
    static final class Budget {
        private final long mostBytes;
        private final AtomicLong uses = new AtomicLong();
        /// Guarded by this.
        private final Set<TokenMasks> users = Collections.newSetFromMap(new WeakHashMap<>());

        Budget(long mostBytes) {
            this.mostBytes = mostBytes;
        }

        /// A number that is higher than each before.
        long now() {
            return uses.incrementAndGet();
        }

        /// Makes room for `bytes` more of `user`.
        synchronized void reserve(TokenMasks user, long bytes) {
            users.add(user);
            while (bytes() + bytes > mostBytes) {
                TokenMasks oldest = users.stream()
                        .filter(one -> one.bytes() > 0)
                        .min(Comparator.comparingLong(TokenMasks::lastUse))
                        .orElse(null);
                if (oldest == null) {
                    // A single mask is larger than the budget; it is kept until the next one.
                    break;
                }
                oldest.forget();
            }
            user.grow(bytes);
        }

        /// What all masks take now.
        synchronized long bytes() {
            return users.stream().mapToLong(TokenMasks::bytes).sum();
        }
    }
}
