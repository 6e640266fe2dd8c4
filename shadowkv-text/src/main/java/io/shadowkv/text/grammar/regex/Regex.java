package io.shadowkv.text.grammar.regex;

import java.util.List;

/// A parsed pattern.
sealed interface Regex {
    /// `max` of a [Repeat] without an upper bound.
    int UNBOUNDED = Integer.MAX_VALUE;

    /// One character of a set.
    record Characters(CodePoints set) implements Regex {}

    /// Parts one behind the other; without parts, the empty text.
    record Sequence(List<Regex> parts) implements Regex {}

    /// One of several.
    record Choice(List<Regex> options) implements Regex {}

    /// `min` to `max` times.
    record Repeat(Regex body, int min, int max) implements Regex {}

    static Regex anything() {
        return new Repeat(new Characters(CodePoints.ALL), 0, UNBOUNDED);
    }
}
