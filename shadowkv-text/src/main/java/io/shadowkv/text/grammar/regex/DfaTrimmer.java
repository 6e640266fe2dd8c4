package io.shadowkv.text.grammar.regex;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Takes the dead ends out of an automaton and unites the states that match the same.
final class DfaTrimmer {
    /// A chain of n states takes n rounds; such a chain is not worth them.
    private static final int MOST_ROUNDS = 64;
    /// Large automata get fewer rounds, so that the time is bounded.
    private static final int MOST_SIGNATURES = 400_000;

    private DfaTrimmer() {}

    static Dfa trimmed(Dfa dfa) {
        boolean[] isLive = live(dfa);
        int[] groups = groups(dfa, isLive);
        return united(dfa, isLive, groups);
    }

    /// The states from which a match can be reached.
    private static boolean[] live(Dfa dfa) {
        List<List<Integer>> before = new ArrayList<>();
        for (int state = 0; state < dfa.size(); state++) {
            before.add(new ArrayList<>());
        }
        ArrayDeque<Integer> open = new ArrayDeque<>();
        for (int state = 0; state < dfa.size(); state++) {
            for (int value = 0; value < 256; value++) {
                int target = dfa.next(state, value);
                // A run of bytes with one target is one edge.
                if (target != Dfa.NONE && (value == 0 || dfa.next(state, value - 1) != target)) {
                    before.get(target).add(state);
                }
            }
            if (dfa.isAccepting(state)) {
                open.push(state);
            }
        }
        boolean[] isLive = new boolean[dfa.size()];
        while (!open.isEmpty()) {
            int state = open.pop();
            if (!isLive[state]) {
                isLive[state] = true;
                before.get(state).forEach(open::push);
            }
        }
        return isLive;
    }

    /// Moore's algorithm: states are in one group until something tells them apart. The dead ones
    /// are in group -1. Without an end after all rounds, each state is a group.
    private static int[] groups(Dfa dfa, boolean[] isLive) {
        int[] groups = new int[dfa.size()];
        for (int state = 0; state < groups.length; state++) {
            groups[state] = isLive[state] ? dfa.isAccepting(state) ? 1 : 0 : Dfa.NONE;
        }
        int count = 0;
        int rounds = Math.min(MOST_ROUNDS, MOST_SIGNATURES / groups.length);
        for (int round = 0; round < rounds; round++) {
            Map<List<Integer>, Integer> numbers = new HashMap<>();
            int[] finer = new int[groups.length];
            Arrays.fill(finer, Dfa.NONE);
            for (int state = 0; state < groups.length; state++) {
                if (isLive[state]) {
                    finer[state] = numbers.computeIfAbsent(signature(dfa, state, groups), key -> numbers.size());
                }
            }
            groups = finer;
            if (numbers.size() == count) {
                return groups;
            }
            count = numbers.size();
        }
        return IntStream.range(0, groups.length)
                .map(state -> isLive[state] ? state : Dfa.NONE)
                .toArray();
    }

    /// The group of the state, then where its runs of bytes begin and the group that each leads to.
    private static List<Integer> signature(Dfa dfa, int state, int[] groups) {
        List<Integer> signature = new ArrayList<>();
        signature.add(groups[state]);
        int before = Dfa.NONE;
        for (int value = 0; value < 256; value++) {
            int target = dfa.next(state, value);
            int group = target == Dfa.NONE ? Dfa.NONE : groups[target];
            if (group != before) {
                signature.add(value);
                signature.add(group);
                before = group;
            }
        }
        return signature;
    }

    private static Dfa united(Dfa dfa, boolean[] isLive, int[] groups) {
        List<int[]> next = new ArrayList<>();
        List<Boolean> accepting = new ArrayList<>();
        if (!isLive[0]) {
            Dfa.newState(next, accepting);
            return Dfa.ofTrimmed(next, accepting);
        }
        int[] numbers = new int[dfa.size()];
        Arrays.fill(numbers, Dfa.NONE);
        for (int state = 0; state < dfa.size(); state++) {
            if (isLive[state] && numbers[groups[state]] == Dfa.NONE) {
                numbers[groups[state]] = Dfa.newState(next, accepting);
                accepting.set(numbers[groups[state]], dfa.isAccepting(state));
            }
        }
        for (int state = 0; state < dfa.size(); state++) {
            for (int value = 0; isLive[state] && value < 256; value++) {
                int target = dfa.next(state, value);
                if (target != Dfa.NONE && isLive[target]) {
                    next.get(numbers[groups[state]])[value] = numbers[groups[target]];
                }
            }
        }
        return Dfa.ofTrimmed(next, accepting);
    }
}
