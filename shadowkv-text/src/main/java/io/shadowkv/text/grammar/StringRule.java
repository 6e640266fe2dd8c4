package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;

/// Adds JSON strings of all characters: valid UTF-8 and all of JSON's escapes, surrogates in pairs
/// only.
final class StringRule {
    private final AutomatonBuilder builder;
    /// Behind a whole character.
    private final int body;

    private StringRule(AutomatonBuilder builder) {
        this.builder = builder;
        this.body = builder.state();
    }

    /// Adds strings of `min` to `max` code points between two states.
    static void add(AutomatonBuilder builder, int from, int min, int max, int to) {
        StringRule rule = new StringRule(builder);
        rule.addUnescaped();
        rule.addEscapes();
        builder.on(from, '"', rule.body);
        builder.on(rule.body, '"', to);
        if (min > 0 || max != Counter.UNBOUNDED) {
            builder.count(rule.body, new Counter(min, max, '"'));
        }
    }

    private void addUnescaped() {
        builder.on(body, 0x20, 0x21, body);
        builder.on(body, 0x23, 0x5b, body);
        builder.on(body, 0x5d, 0x7f, body);
        int one = before(0x80, 0xbf, body);
        int two = before(0x80, 0xbf, one);
        int three = before(0x80, 0xbf, two);
        builder.on(body, 0xc2, 0xdf, one);
        builder.on(body, 0xe0, before(0xa0, 0xbf, one));
        builder.on(body, 0xe1, 0xec, two);
        builder.on(body, 0xed, before(0x80, 0x9f, one));
        builder.on(body, 0xee, 0xef, two);
        builder.on(body, 0xf0, before(0x90, 0xbf, two));
        builder.on(body, 0xf1, 0xf3, three);
        builder.on(body, 0xf4, before(0x80, 0x8f, two));
    }

    private void addEscapes() {
        int backslash = builder.state();
        builder.on(body, '\\', backslash);
        addEach(backslash, "\"\\/bfnrt", body);
        int oneDigit = beforeDigit("0123456789abcdefABCDEF", body);
        int twoDigits = beforeDigit("0123456789abcdefABCDEF", oneDigit);
        int threeDigits = beforeDigit("0123456789abcdefABCDEF", twoDigits);
        // A low surrogate: u, then DC00 to DFFF.
        int low = beforeDigit("dD", beforeDigit("cdefCDEF", twoDigits));
        int lowEscape = before('\\', '\\', before('u', 'u', low));
        int highTail = beforeDigit("0123456789abcdefABCDEF", beforeDigit("0123456789abcdefABCDEF", lowEscape));
        int digits = builder.state();
        builder.on(backslash, 'u', digits);
        addEach(digits, "0123456789abcefABCEF", threeDigits);
        int surrogate = builder.state();
        addEach(digits, "dD", surrogate);
        addEach(surrogate, "01234567", twoDigits);
        addEach(surrogate, "89abAB", highTail);
    }

    /// A new state from which bytes `low` to `high` lead to `to`.
    private int before(int low, int high, int to) {
        int state = builder.state();
        builder.on(state, low, high, to);
        return state;
    }

    /// A new state from which each of the digits leads to `to`.
    private int beforeDigit(String digits, int to) {
        int state = builder.state();
        addEach(state, digits, to);
        return state;
    }

    private void addEach(int from, String characters, int to) {
        characters.chars().forEach(character -> builder.on(from, character, to));
    }
}
