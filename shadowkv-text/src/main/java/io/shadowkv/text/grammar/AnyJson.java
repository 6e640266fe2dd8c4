package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import io.shadowkv.text.grammar.regex.Dfa;
import io.shadowkv.text.grammar.regex.Effort;
import java.util.Arrays;
import java.util.List;

/// The rules that need no schema: any string, any number, any value.
///
/// A number has at most 19 digits before the point, 17 behind it, and 2 in the exponent: more do
/// not fit into a `double`, and a model could go on with digits for ever.
final class AnyJson {
    /// Levels of nesting in a value of no schema: the value itself is at level 0.
    static final int DEEPEST = 32;

    static final int FRACTION_DIGITS = 17;

    private static final Dfa NUMBER =
            Dfa.ofPattern("^-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,17})?([eE][+-]?[0-9]{1,2})?$", Effort.limited());

    private static final int NOT_MADE = -1;

    private final AutomatonBuilder builder;
    private final Effort effort;
    private final int[] values = new int[DEEPEST + 1];
    private int string = NOT_MADE;
    private int number = NOT_MADE;

    /// @param effort what patterns of the whole grammar may cost
    AnyJson(AutomatonBuilder builder, Effort effort) {
        this.builder = builder;
        this.effort = effort;
        Arrays.fill(values, NOT_MADE);
    }

    /// An automaton of all objects.
    static AutomatonBuilder.Automaton object() {
        AutomatonBuilder builder = new AutomatonBuilder();
        return builder.build(new AnyJson(builder, Effort.limited()).anyObject());
    }

    int anyObject() {
        int rule = builder.state();
        ObjectRule.add(this, rule, List.of(), value(1), builder.accepting());
        return rule;
    }

    AutomatonBuilder builder() {
        return builder;
    }

    Effort effort() {
        return effort;
    }

    int string() {
        if (string == NOT_MADE) {
            string = builder.state();
            StringRule.add(builder, string, 0, Counter.UNBOUNDED, builder.accepting());
        }
        return string;
    }

    int number() {
        if (number == NOT_MADE) {
            number = builder.state();
            builder.dfa(number, NUMBER, builder.accepting());
        }
        return number;
    }

    int value() {
        return value(0);
    }

    private int value(int level) {
        if (values[level] != NOT_MADE) {
            return values[level];
        }
        int rule = builder.state();
        values[level] = rule;
        int end = builder.accepting();
        builder.call(rule, string(), end);
        builder.call(rule, number(), end);
        builder.dfa(rule, Dfa.ofTexts(List.of("true", "false", "null")), end);
        if (level < DEEPEST) {
            ArrayRule.add(builder, rule, List.of(), value(level + 1), 0, Counter.UNBOUNDED, end);
            ObjectRule.add(this, rule, List.of(), value(level + 1), end);
        }
        return rule;
    }
}
