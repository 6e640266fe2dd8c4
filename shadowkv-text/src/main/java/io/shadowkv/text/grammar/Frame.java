package io.shadowkv.text.grammar;

import java.util.LinkedHashSet;
import java.util.Set;

/// A place in a running rule: the state, how often the rule's counted state has been entered, and
/// where matching goes on behind the rule. Immutable.
record Frame(State state, int count, Caller caller) {
    /// The count of a rule whose counted state has not been entered.
    static final int UNCOUNTED = -1;

    /// The places that called a rule at the same byte. They share the rule's frames, so that the
    /// number of frames stays small however many ways of reading a text there are.
    static final class Caller {
        /// Behind a rule that nothing called.
        static final Caller OUTSIDE = new Caller();

        private final Set<Frame> returns = LinkedHashSet.newLinkedHashSet(1);

        Set<Frame> returns() {
            return returns;
        }
    }
}
