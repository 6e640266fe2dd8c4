package io.shadowkv.text.grammar.regex;

import java.nio.IntBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Makes deterministic automata of nondeterministic ones, and of two deterministic ones.
final class Determinizer {
    /// A state takes a kilobyte while automata are made.
    static final int MOST_STATES = 20_000;

    /// Making, trimming and copying a state takes about as long as so many steps.
    private static final int STATE_STEPS = 1_000;

    private final List<int[]> next = new ArrayList<>();
    private final List<Boolean> accepting = new ArrayList<>();

    private final Effort effort;

    private Determinizer(Effort effort) {
        this.effort = effort;
    }

    /// The subset construction.
    ///
    /// @throws RegexException if it needs too many states or too much effort
    static Dfa determinized(Nfa nfa, Effort effort) {
        return new Determinizer(effort).subsets(nfa);
    }

    /// The product: what matches both, or what matches `a` and not `b`.
    ///
    /// @throws RegexException if it needs too many states or too much effort
    static Dfa combined(Dfa a, Dfa b, boolean isBoth, Effort effort) {
        return new Determinizer(effort).product(a, b, isBoth);
    }

    private Dfa subsets(Nfa nfa) {
        Map<IntBuffer, Integer> numbers = new HashMap<>();
        List<int[]> sets = new ArrayList<>();
        int[] marks = new int[nfa.size()];
        number(closed(nfa, new int[] {nfa.start}, marks, 1), numbers, sets, nfa);
        int closures = 1;
        for (int at = 0; at < sets.size(); at++) {
            int[][] targets = targets(nfa, sets.get(at));
            // Most bytes lead to few different sets.
            Map<IntBuffer, Integer> seen = new HashMap<>();
            for (int value = 0; value < 256; value++) {
                if (targets[value].length > 0) {
                    IntBuffer key = IntBuffer.wrap(targets[value]);
                    Integer known = seen.get(key);
                    if (known == null) {
                        closures++;
                        known = number(closed(nfa, targets[value], marks, closures), numbers, sets, nfa);
                        seen.put(key, known);
                    }
                    next.get(at)[value] = known;
                }
            }
        }
        return Dfa.trimmed(next, accepting);
    }

    /// The states behind a set, by byte, in the order of the edges.
    private int[][] targets(Nfa nfa, int[] set) {
        int[] counts = new int[256];
        for (int state : set) {
            for (Nfa.Edge edge : nfa.edges(state)) {
                effort.spend(edge.high() - edge.low() + 1L);
                for (int value = edge.low(); value <= edge.high(); value++) {
                    counts[value]++;
                }
            }
        }
        int[][] targets = new int[256][];
        Arrays.setAll(targets, value -> new int[counts[value]]);
        for (int state : set) {
            for (Nfa.Edge edge : nfa.edges(state)) {
                for (int value = edge.low(); value <= edge.high(); value++) {
                    targets[value][--counts[value]] = edge.target();
                }
            }
        }
        return targets;
    }

    private int number(int[] set, Map<IntBuffer, Integer> numbers, List<int[]> sets, Nfa nfa) {
        Integer known = numbers.get(IntBuffer.wrap(set));
        if (known != null) {
            return known;
        }
        int number = newState(Arrays.binarySearch(set, nfa.end) >= 0);
        numbers.put(IntBuffer.wrap(set), number);
        sets.add(set);
        return number;
    }

    /// The states that need no byte to be reached, ascending.
    ///
    /// @param marks by state, the last closure that it was in
    private int[] closed(Nfa nfa, int[] set, int[] marks, int closure) {
        IntStream.Builder closed = IntStream.builder();
        ArrayDeque<Integer> open = new ArrayDeque<>();
        for (int state : set) {
            open.push(state);
        }
        while (!open.isEmpty()) {
            int state = open.pop();
            if (marks[state] != closure) {
                marks[state] = closure;
                closed.add(state);
                effort.spend(1 + nfa.emptyEdges(state).size());
                nfa.emptyEdges(state).forEach(open::push);
            }
        }
        return closed.build().sorted().toArray();
    }

    private record Pair(int a, int b) {}

    private Dfa product(Dfa a, Dfa b, boolean isBoth) {
        Map<Pair, Integer> numbers = new HashMap<>();
        List<Pair> pairs = new ArrayList<>();
        number(new Pair(0, 0), numbers, pairs, a, b, isBoth);
        for (int at = 0; at < pairs.size(); at++) {
            Pair pair = pairs.get(at);
            effort.spend(256);
            for (int value = 0; value < 256; value++) {
                int nextA = a.next(pair.a, value);
                int nextB = pair.b == Dfa.NONE ? Dfa.NONE : b.next(pair.b, value);
                if (nextA != Dfa.NONE && (nextB != Dfa.NONE || !isBoth)) {
                    next.get(at)[value] = number(new Pair(nextA, nextB), numbers, pairs, a, b, isBoth);
                }
            }
        }
        return Dfa.trimmed(next, accepting);
    }

    private int number(Pair pair, Map<Pair, Integer> numbers, List<Pair> pairs, Dfa a, Dfa b, boolean isBoth) {
        Integer known = numbers.get(pair);
        if (known != null) {
            return known;
        }
        boolean isInB = pair.b != Dfa.NONE && b.isAccepting(pair.b);
        int number = newState(a.isAccepting(pair.a) && isInB == isBoth);
        numbers.put(pair, number);
        pairs.add(pair);
        return number;
    }

    private int newState(boolean isAccepting) {
        if (next.size() == MOST_STATES) {
            throw new RegexException("needs more than " + "%,d".formatted(MOST_STATES) + " states");
        }
        effort.spend(STATE_STEPS);
        int number = Dfa.newState(next, accepting);
        accepting.set(number, isAccepting);
        return number;
    }
}
