package io.shadowkv.text.grammar.regex;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/// A deterministic automaton over bytes, from every state of which a match can be reached.
/// Immutable.
///
/// States are numbered from 0, the start.
public final class Dfa {
    static final int NONE = -1;

    /// The target of each byte, by state; [#NONE] without one.
    private final List<int[]> next;
    private final List<Boolean> accepting;

    private Dfa(List<int[]> next, List<Boolean> accepting) {
        this.next = next;
        this.accepting = accepting;
    }

    /// Takes over both lists, whose states may be dead ends.
    static Dfa trimmed(List<int[]> next, List<Boolean> accepting) {
        return DfaTrimmer.trimmed(new Dfa(next, accepting));
    }

    /// Takes over both lists, which are known to have no dead ends.
    static Dfa ofTrimmed(List<int[]> next, List<Boolean> accepting) {
        return new Dfa(next, accepting);
    }

    /// What a JSON string between its quotes may hold so that its text matches.
    ///
    /// @param pattern as JSON schema has it: it may match anywhere in the text unless `^` and `$`
    ///     bind it
    /// @throws RegexException if the pattern is not understood, or needs too many states or too much
    ///     effort
    public static Dfa ofPattern(String pattern, Effort effort) {
        return Determinizer.determinized(Nfa.of(RegexParser.parse(pattern), effort), effort);
    }

    /// What a JSON string between its quotes may hold so that its text has `min` to `max` code
    /// points.
    ///
    /// @param max `Integer.MAX_VALUE` without a bound
    /// @throws RegexException if that needs too many states or too much effort
    public static Dfa ofLength(int min, int max, Effort effort) {
        Regex repeated = new Regex.Repeat(new Regex.Characters(CodePoints.ALL), min, max);
        return Determinizer.determinized(Nfa.of(repeated, effort), effort);
    }

    /// The numbers of a range, as JSON writes them: no leading zero, no `-0`, no exponent.
    public static Dfa ofNumbers(NumberRange range) {
        return NumberAutomaton.of(range);
    }

    /// Exactly these texts, in UTF-8.
    ///
    /// @throws RegexException if that needs too many states
    public static Dfa ofTexts(Collection<String> texts) {
        List<int[]> next = new ArrayList<>();
        List<Boolean> accepting = new ArrayList<>();
        newState(next, accepting);
        for (String text : texts) {
            int state = 0;
            for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
                int at = value & 0xff;
                if (next.get(state)[at] == NONE) {
                    if (next.size() == Determinizer.MOST_STATES) {
                        throw new RegexException(
                                "needs more than " + "%,d".formatted(Determinizer.MOST_STATES) + " states");
                    }
                    next.get(state)[at] = newState(next, accepting);
                }
                state = next.get(state)[at];
            }
            accepting.set(state, true);
        }
        return new Dfa(next, accepting);
    }

    static int newState(List<int[]> next, List<Boolean> accepting) {
        int[] targets = new int[256];
        Arrays.fill(targets, NONE);
        next.add(targets);
        accepting.add(false);
        return next.size() - 1;
    }

    /// What matches both.
    ///
    /// @throws RegexException if that needs too many states or too much effort
    public Dfa and(Dfa other, Effort effort) {
        return Determinizer.combined(this, other, true, effort);
    }

    /// What matches this and not the other.
    ///
    /// @throws RegexException if that needs too many states or too much effort
    public Dfa without(Dfa other, Effort effort) {
        return Determinizer.combined(this, other, false, effort);
    }

    public int size() {
        return next.size();
    }

    /// Whether nothing matches. The states of anything else than nothing all lead to a match.
    public boolean isEmpty() {
        return next.size() == 1 && !accepting.getFirst();
    }

    public boolean isAccepting(int state) {
        return accepting.get(state);
    }

    /// The state behind a byte, or -1.
    public int next(int state, int value) {
        return next.get(state)[value];
    }

    /// Whether all of `text`, in UTF-8, matches.
    public boolean matches(String text) {
        int state = 0;
        for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
            state = next(state, value & 0xff);
            if (state == NONE) {
                return false;
            }
        }
        return isAccepting(state);
    }
}
