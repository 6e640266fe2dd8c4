package io.shadowkv.text.grammar;

import io.shadowkv.text.Json;
import io.shadowkv.text.grammar.State.Counter;
import io.shadowkv.text.grammar.regex.Dfa;
import java.util.List;
import tools.jackson.databind.node.StringNode;

/// Adds JSON objects: the properties in their order, then additional ones.
///
/// Additional keys spell each character in one way only, so that no escape can hide the name of a
/// property. An additional key may come twice; readers of JSON then keep the last value.
final class ObjectRule {
    /// In the place of the rule of additional properties: there may be none.
    static final int CLOSED = -1;

    /// A property and the rule of its value.
    record Property(String name, int rule, boolean isRequired) {}

    private final AnyJson any;
    private final AutomatonBuilder builder;
    private final List<Property> properties;
    private final int additional;

    /// Before property i, by i: nothing is written yet; a comma or the end must come; a comma has
    /// come.
    private final int[] first;

    private final int[] later;
    private final int[] behindComma;

    private ObjectRule(AnyJson any, List<Property> properties, int additional) {
        this.any = any;
        this.builder = any.builder();
        this.properties = properties;
        this.additional = additional;
        this.first = states(properties.size() + 1);
        this.later = states(properties.size() + 1);
        this.behindComma = states(properties.size() + 1);
    }

    private int[] states(int count) {
        int[] states = new int[count];
        for (int i = 0; i < count; i++) {
            states[i] = builder.state();
        }
        return states;
    }

    /// Adds objects between two states.
    ///
    /// @param additional the rule of additional properties' values, or [#CLOSED]
    /// @throws io.shadowkv.text.grammar.regex.RegexException if the names of the properties need too many
    ///     states to be kept apart from additional ones
    static void add(AnyJson any, int from, List<Property> properties, int additional, int to) {
        AutomatonBuilder builder = any.builder();
        ObjectRule rule = new ObjectRule(any, properties, additional);
        builder.on(from, '{', rule.first[0]);
        for (int i = 0; i < properties.size(); i++) {
            rule.addProperty(i);
        }
        rule.addAdditional();
        boolean mayEnd = true;
        for (int i = properties.size(); i >= 0; i--) {
            mayEnd &= i == properties.size() || !properties.get(i).isRequired;
            if (mayEnd) {
                builder.on(rule.later[i], '}', to);
            }
        }
        if (mayEnd) {
            builder.on(rule.first[0], '}', to);
        }
    }

    /// A property that is not required can be passed over, without a byte.
    private void addProperty(int i) {
        Property property = properties.get(i);
        int key = builder.state();
        int behindKey = builder.state();
        builder.text(key, Json.text(StringNode.valueOf(property.name)), behindKey);
        addValue(behindKey, property.rule, later[i + 1]);
        addComma(later[i], behindComma[i]);
        builder.empty(first[i], key);
        builder.empty(behindComma[i], key);
        if (!property.isRequired) {
            builder.empty(first[i], first[i + 1]);
            builder.empty(behindComma[i], behindComma[i + 1]);
        }
    }

    private void addAdditional() {
        if (additional != CLOSED) {
            int last = properties.size();
            int key = builder.state();
            int behindKey = builder.state();
            addKey(key, behindKey);
            addValue(behindKey, additional, later[last]);
            addComma(later[last], behindComma[last]);
            builder.empty(first[last], key);
            builder.empty(behindComma[last], key);
        }
    }

    private void addKey(int from, int to) {
        if (properties.isEmpty()) {
            builder.call(from, any.string(), to);
            return;
        }
        int begin = builder.state();
        int end = builder.state();
        Dfa names = Dfa.ofTexts(properties.stream().map(ObjectRule::escaped).toList());
        builder.on(from, '"', begin);
        builder.dfa(begin, Dfa.ofLength(0, Counter.UNBOUNDED, any.effort()).without(names, any.effort()), end);
        builder.on(end, '"', to);
    }

    private static String escaped(Property property) {
        String quoted = Json.text(StringNode.valueOf(property.name));
        return quoted.substring(1, quoted.length() - 1);
    }

    private void addValue(int from, int rule, int to) {
        int colon = builder.state();
        builder.on(from, ':', colon);
        addBlank(builder, colon, rule, to);
    }

    private void addComma(int from, int to) {
        int comma = builder.state();
        builder.on(from, ',', comma);
        builder.on(comma, ' ', to);
        builder.empty(comma, to);
    }

    /// Adds a call behind one blank or none.
    static void addBlank(AutomatonBuilder builder, int from, int rule, int to) {
        int begin = builder.state();
        builder.on(from, ' ', begin);
        builder.empty(from, begin);
        builder.call(begin, rule, to);
    }
}
