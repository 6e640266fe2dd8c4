package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import java.util.List;

/// Adds JSON arrays: items with a rule each, then items with a common rule.
final class ArrayRule {
    private ArrayRule() {}

    /// Adds arrays of `min` to `max` items between two states.
    ///
    /// @param items the rule of the items behind the prefix, or -1 if there may be none
    static void add(AutomatonBuilder builder, int from, List<Integer> prefix, int items, int min, int max, int to) {
        int last = builder.state();
        builder.on(from, '[', last);
        for (int written = 0; ; written++) {
            if (written >= min) {
                builder.on(last, ']', to);
            }
            boolean isInPrefix = written < prefix.size();
            if (written == max || !isInPrefix && items < 0) {
                return;
            }
            int next = builder.state();
            addItem(builder, last, written > 0, isInPrefix ? prefix.get(written) : items, next);
            if (!isInPrefix) {
                addRest(builder, next, items, min - prefix.size(), max, prefix.size(), to);
                return;
            }
            last = next;
        }
    }

    /// Adds what may follow the first item behind the prefix. The state counts the items behind
    /// that one.
    private static void addRest(AutomatonBuilder builder, int state, int items, int min, int max, int prefix, int to) {
        builder.on(state, ']', to);
        addItem(builder, state, true, items, state);
        int most = max == Counter.UNBOUNDED ? max : max - prefix - 1;
        builder.count(state, new Counter(Math.max(0, min - 1), most, ']'));
    }

    private static void addItem(AutomatonBuilder builder, int from, boolean isBehindOther, int rule, int to) {
        if (isBehindOther) {
            int comma = builder.state();
            builder.on(from, ',', comma);
            ObjectRule.addBlank(builder, comma, rule, to);
        } else {
            builder.call(from, rule, to);
        }
    }
}
