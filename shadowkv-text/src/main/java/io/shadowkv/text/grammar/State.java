package io.shadowkv.text.grammar;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A state of a pushdown automaton over bytes. Immutable once [AutomatonBuilder] has built it.
///
/// A rule is known by its first state. A state has edges on bytes (at most one a byte), edges that
/// need no byte, and calls: the called rule must match, then matching goes on at the return state.
/// A rule has matched in an accepting state. No rule matches the empty text.
final class State {
    /// An edge on bytes `low` to `high`.
    record Run(int low, int high, State target) {}

    /// A call of the rule that begins at `rule`.
    record Call(State rule, State returnState) {}

    /// Bounds on how often a state is entered while its rule runs: in the state, the byte `closer`
    /// needs at least `min` rounds, each other byte fewer than `max`.
    record Counter(int min, int max, int closer) {
        /// `max` without an upper bound.
        static final int UNBOUNDED = Integer.MAX_VALUE;

        /// The count behind one more round; it is not raised beyond what can matter.
        int raised(int count) {
            return Math.min(count + 1, max == UNBOUNDED ? min : max);
        }

        boolean allows(int value, int count) {
            return value == closer ? count >= min : max == UNBOUNDED || count < max;
        }
    }

    private static final Run[] NO_RUNS = {};

    final int number;
    /// Ascending.
    private Run[] runs = NO_RUNS;
    private List<State> empty = List.of();
    private List<Call> calls = List.of();
    private boolean isAccepting;
    private @Nullable Counter counter;
    private @Nullable Counter ruleCounter;
    private boolean isTextLoop;

    State(int number) {
        this.number = number;
    }

    /// Sets all edges; only the builder calls this, once.
    void fill(List<Run> byteEdges, List<State> emptyEdges, List<Call> callEdges, boolean accepts) {
        runs = byteEdges.toArray(Run[]::new);
        empty = List.copyOf(emptyEdges);
        calls = List.copyOf(callEdges);
        isAccepting = accepts;
    }

    void count(Counter own) {
        counter = own;
    }

    void inRuleOf(Counter rules) {
        ruleCounter = rules;
    }

    void loopsOnText() {
        isTextLoop = true;
    }

    /// The state behind a byte when this one has been entered `count` times, or null.
    @Nullable
    State next(int value, int count) {
        for (Run run : runs) {
            if (value <= run.high) {
                boolean isAllowed = value >= run.low && (counter == null || counter.allows(value, count));
                return isAllowed ? run.target : null;
            }
        }
        return null;
    }

    /// The state behind a byte whatever the count, or null.
    @Nullable
    State target(int value) {
        for (Run run : runs) {
            if (value <= run.high) {
                return value >= run.low ? run.target : null;
            }
        }
        return null;
    }

    /// The count behind entering this state.
    int entered(int count) {
        return counter == null ? count : counter.raised(count);
    }

    boolean hasRuns() {
        return runs.length > 0;
    }

    Run[] runs() {
        return runs;
    }

    List<State> empty() {
        return empty;
    }

    List<Call> calls() {
        return calls;
    }

    boolean isAccepting() {
        return isAccepting;
    }

    /// Whether nothing but byte edges leaves this state.
    boolean isPlain() {
        return !isAccepting && empty.isEmpty() && calls.isEmpty();
    }

    /// The counter of this very state.
    @Nullable
    Counter counter() {
        return counter;
    }

    /// The counter on which edges of this state, or of later states of its rule, depend.
    @Nullable
    Counter ruleCounter() {
        return ruleCounter;
    }

    /// Whether each character that needs no escape in a JSON string leads back here.
    boolean isTextLoop() {
        return isTextLoop;
    }
}
