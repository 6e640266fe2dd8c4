package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// Computes sets of allowed tokens, and keeps for each state the part that does not depend on its
/// callers. For any thread.
final class TokenMasks {
    /// A grammar's masks are forgotten where they would take more.
    private static final long MOST_BYTES = 64L << 20;

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

    TokenMasks(GrammarVocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /// Adds the tokens that may follow to a set.
    void addTo(int[] bits, Positions positions) {
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
        if (bytes.addAndGet(mask.bytes()) > MOST_BYTES) {
            masks.clear();
            bytes.set(mask.bytes());
        }
        masks.put(key, mask);
        return mask;
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
}
