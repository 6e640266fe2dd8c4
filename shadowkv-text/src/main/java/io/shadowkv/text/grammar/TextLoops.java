package io.shadowkv.text.grammar;

import org.jspecify.annotations.Nullable;

/// Finds the states that each unescaped character of a JSON string leads back to.
///
/// In such a state the tokens of plain text need no walk along the trie.
final class TextLoops {
    private TextLoops() {}

    static boolean isTextLoop(State state) {
        return leadsBack(state, 0x20, 0x21, 0, state)
                && leadsBack(state, 0x23, 0x5b, 0, state)
                && leadsBack(state, 0x5d, 0x7f, 0, state)
                && leadsBack(state, 0xc2, 0xdf, 1, state)
                && then(state, 0xe0, 0xa0, 0xbf, 1)
                && leadsBack(state, 0xe1, 0xec, 2, state)
                && then(state, 0xed, 0x80, 0x9f, 1)
                && leadsBack(state, 0xee, 0xef, 2, state)
                && then(state, 0xf0, 0x90, 0xbf, 2)
                && leadsBack(state, 0xf1, 0xf3, 3, state)
                && then(state, 0xf4, 0x80, 0x8f, 2);
    }

    private static boolean then(State loop, int lead, int low, int high, int continuations) {
        State behind = loop.target(lead);
        return behind != null && behind != loop && leadsBack(behind, low, high, continuations, loop);
    }

    /// Whether each byte from `low` to `high`, then `continuations` bytes from 80 to BF, lead from
    /// a state to `loop`.
    private static boolean leadsBack(State from, int low, int high, int continuations, State loop) {
        @Nullable State known = null;
        for (int value = low; value <= high; value++) {
            State target = from.target(value);
            if (target == null || (continuations > 0) == (target == loop)) {
                return false;
            }
            // Neighbours mostly share their target; it is looked at once.
            if (continuations > 0 && target != known && !leadsBack(target, 0x80, 0xbf, continuations - 1, loop)) {
                return false;
            }
            known = target;
        }
        return true;
    }
}
