package io.shadowkv.text.grammar.regex;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Makes deterministic automata of nondeterministic ones, and of two deterministic ones.
final class Determinizer {
    private static final int MOST_STATES = 20_000;

    private final List<int[]> next = new ArrayList<>();
    private final List<Boolean> accepting = new ArrayList<>();

    private Determinizer() {}

    /// The subset construction.
    static Dfa determinized(Nfa nfa) {
        return new Determinizer().subsets(nfa);
    }

    /// The product: what matches both, or what matches `a` and not `b`.
    static Dfa combined(Dfa a, Dfa b, boolean isBoth) {
        return new Determinizer().product(a, b, isBoth);
    }

    private Dfa subsets(Nfa nfa) {
        Map<BitSet, Integer> numbers = new HashMap<>();
        List<BitSet> sets = new ArrayList<>();
        BitSet first = new BitSet();
        first.set(nfa.start);
        number(closed(nfa, first), numbers, sets, nfa);
        for (int at = 0; at < sets.size(); at++) {
            BitSet set = sets.get(at);
            BitSet[] targets = new BitSet[256];
            set.stream().forEach(state -> {
                for (Nfa.Edge edge : nfa.edges(state)) {
                    for (int value = edge.low(); value <= edge.high(); value++) {
                        targets[value] = targets[value] == null ? new BitSet() : targets[value];
                        targets[value].set(edge.target());
                    }
                }
            });
            // Most bytes lead to few different sets.
            Map<BitSet, Integer> seen = new HashMap<>();
            for (int value = 0; value < 256; value++) {
                if (targets[value] != null) {
                    Integer known = seen.get(targets[value]);
                    if (known == null) {
                        known = number(closed(nfa, targets[value]), numbers, sets, nfa);
                        seen.put(targets[value], known);
                    }
                    next.get(at)[value] = known;
                }
            }
        }
        return Dfa.trimmed(next, accepting);
    }

    private int number(BitSet set, Map<BitSet, Integer> numbers, List<BitSet> sets, Nfa nfa) {
        Integer known = numbers.get(set);
        if (known != null) {
            return known;
        }
        int number = newState(set.get(nfa.end));
        numbers.put(set, number);
        sets.add(set);
        return number;
    }

    private static BitSet closed(Nfa nfa, BitSet set) {
        BitSet closed = new BitSet();
        ArrayDeque<Integer> open = new ArrayDeque<>();
        set.stream().forEach(open::push);
        while (!open.isEmpty()) {
            int state = open.pop();
            if (!closed.get(state)) {
                closed.set(state);
                nfa.emptyEdges(state).forEach(open::push);
            }
        }
        return closed;
    }

    private record Pair(int a, int b) {}

    private Dfa product(Dfa a, Dfa b, boolean isBoth) {
        Map<Pair, Integer> numbers = new HashMap<>();
        List<Pair> pairs = new ArrayList<>();
        number(new Pair(0, 0), numbers, pairs, a, b, isBoth);
        for (int at = 0; at < pairs.size(); at++) {
            Pair pair = pairs.get(at);
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
            throw new RegexException("pattern needs more than " + MOST_STATES + " states; simplify it");
        }
        int number = Dfa.newState(next, accepting);
        accepting.set(number, isAccepting);
        return number;
    }
}
