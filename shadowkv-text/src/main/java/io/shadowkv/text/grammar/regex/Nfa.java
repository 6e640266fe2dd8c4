package io.shadowkv.text.grammar.regex;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// A nondeterministic automaton over bytes, built from a [Regex].
///
/// Each character has one spelling: its UTF-8, or the short escape where JSON demands one (`\"`,
/// `\\`, `\n`).
final class Nfa {
    private static final int MOST_STATES = 200_000;
    private static final String ESCAPED = "\"\\\b\f\n\r\t";
    private static final String LETTERS = "\"\\bfnrt";
    private static final CodePoints CONTROLS = CodePoints.of(0, 0x1f);
    private static final CodePoints RAW =
            CONTROLS.or(CodePoints.of('"')).or(CodePoints.of('\\')).complement();

    /// An edge on bytes `low` to `high`.
    record Edge(int low, int high, int target) {}

    private final List<List<Edge>> edges = new ArrayList<>();
    private final List<List<Integer>> empty = new ArrayList<>();
    private final Effort effort;
    final int start;
    final int end;

    private Nfa(Regex regex, Effort effort) {
        this.effort = effort;
        this.start = state();
        this.end = add(regex, start);
    }

    /// @throws RegexException if it needs too many states or too much effort
    static Nfa of(Regex regex, Effort effort) {
        return new Nfa(regex, effort);
    }

    /// The number of states.
    int size() {
        return edges.size();
    }

    List<Edge> edges(int state) {
        return edges.get(state);
    }

    /// The states that need no byte to be reached from `state`.
    List<Integer> emptyEdges(int state) {
        return empty.get(state);
    }

    private int state() {
        if (edges.size() == MOST_STATES) {
            throw new RegexException("needs more than " + "%,d".formatted(MOST_STATES) + " states");
        }
        edges.add(new ArrayList<>(1));
        empty.add(new ArrayList<>(1));
        return edges.size() - 1;
    }

    /// Adds what leads from `from` through `regex`; gives the state behind it.
    private int add(Regex regex, int from) {
        effort.spend(1);
        return switch (regex) {
            case Regex.Characters characters -> {
                int to = state();
                addCharacters(characters.set(), from, to);
                yield to;
            }
            case Regex.Sequence sequence -> {
                int last = from;
                for (Regex part : sequence.parts()) {
                    last = add(part, last);
                }
                yield last;
            }
            case Regex.Choice choice -> {
                int to = state();
                for (Regex option : choice.options()) {
                    int begin = state();
                    empty.get(from).add(begin);
                    empty.get(add(option, begin)).add(to);
                }
                yield to;
            }
            case Regex.Repeat repeat -> addRepeat(repeat, from);
        };
    }

    private int addRepeat(Regex.Repeat repeat, int from) {
        int last = from;
        for (int i = 0; i < repeat.min(); i++) {
            last = add(repeat.body(), last);
        }
        int to = state();
        if (repeat.max() == Regex.UNBOUNDED) {
            // A loop needs a state of its own: the one before may have other edges.
            int loop = state();
            empty.get(last).add(loop);
            empty.get(add(repeat.body(), loop)).add(loop);
            empty.get(loop).add(to);
            return to;
        }
        for (int i = repeat.min(); i < repeat.max(); i++) {
            empty.get(last).add(to);
            last = add(repeat.body(), last);
        }
        empty.get(last).add(to);
        return to;
    }

    private void addCharacters(CodePoints set, int from, int to) {
        for (CodePoints.Range range : set.and(RAW).ranges()) {
            for (int[][] bytes : Utf8Ranges.of(range.first(), range.last())) {
                addBytes(bytes, from, to);
            }
        }
        CodePoints escaped = set.and(RAW.complement());
        if (!escaped.isEmpty()) {
            int backslash = state();
            edge(from, '\\', backslash);
            addEscapes(escaped, backslash, to);
        }
    }

    /// Adds what may follow a backslash: a letter, or `u00` and two hexadecimal digits as Jackson
    /// writes them.
    private void addEscapes(CodePoints set, int backslash, int to) {
        for (int i = 0; i < ESCAPED.length(); i++) {
            if (set.contains(ESCAPED.charAt(i))) {
                edge(backslash, LETTERS.charAt(i), to);
            }
        }
        int[] controls = IntStream.rangeClosed(0, 0x1f)
                .filter(one -> set.contains(one) && ESCAPED.indexOf(one) < 0)
                .toArray();
        if (controls.length > 0) {
            int u = state();
            int zero = state();
            int zeros = state();
            int[] rows = {state(), state()};
            edge(backslash, 'u', u);
            edge(u, '0', zero);
            edge(zero, '0', zeros);
            edge(zeros, '0', rows[0]);
            edge(zeros, '1', rows[1]);
            for (int control : controls) {
                edge(rows[control >> 4], "0123456789ABCDEF".charAt(control & 15), to);
            }
        }
    }

    private void edge(int from, char value, int to) {
        edges.get(from).add(new Edge(value, value, to));
    }

    private void addBytes(int[][] bytes, int from, int to) {
        effort.spend(bytes.length);
        int last = from;
        for (int i = 0; i < bytes.length; i++) {
            int next = i == bytes.length - 1 ? to : state();
            edges.get(last).add(new Edge(bytes[i][0], bytes[i][1], next));
            last = next;
        }
    }
}
