package io.shadowkv.text.grammar;

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
