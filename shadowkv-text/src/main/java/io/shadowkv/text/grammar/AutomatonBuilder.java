package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import io.shadowkv.text.grammar.regex.Dfa;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Gathers states and edges, then leaves out what cannot lead to a match.
final class AutomatonBuilder {
    static final int MOST_STATES = 200_000;

    private static final class Draft {
        private final List<int[]> runs = new ArrayList<>(1);
        private final List<Integer> empty = new ArrayList<>(1);
        private final List<int[]> calls = new ArrayList<>(1);
        private boolean isAccepting;
        private boolean isProductive;
    }

    private final List<Draft> drafts = new ArrayList<>();
    private final Map<Integer, Counter> counters = new HashMap<>();

    int state() {
        if (drafts.size() == MOST_STATES) {
            throw new GrammarException("", "", "needs more than " + MOST_STATES + " states. Use smaller bounds");
        }
        drafts.add(new Draft());
        return drafts.size() - 1;
    }

    /// A state in which a rule has matched.
    int accepting() {
        int state = state();
        drafts.get(state).isAccepting = true;
        return state;
    }

    void count(int state, Counter counter) {
        counters.put(state, counter);
    }

    void on(int from, int value, int to) {
        on(from, value, value, to);
    }

    void on(int from, int low, int high, int to) {
        drafts.get(from).runs.add(new int[] {low, high, to});
    }

    void empty(int from, int to) {
        drafts.get(from).empty.add(to);
    }

    void call(int from, int rule, int to) {
        drafts.get(from).calls.add(new int[] {rule, to});
    }

    /// Adds the bytes of `text`, one state each.
    void text(int from, String text, int to) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        int last = from;
        for (int i = 0; i < bytes.length; i++) {
            int next = i == bytes.length - 1 ? to : state();
            on(last, bytes[i] & 0xff, next);
            last = next;
        }
    }

    /// Adds what an automaton matches.
    void dfa(int from, Dfa dfa, int to) {
        int[] states = new int[dfa.size()];
        for (int i = 0; i < states.length; i++) {
            states[i] = state();
        }
        empty(from, states[0]);
        for (int i = 0; i < states.length; i++) {
            if (dfa.isAccepting(i)) {
                empty(states[i], to);
            }
            int low = 0;
            while (low < 256) {
                int target = dfa.next(i, low);
                int high = low;
                while (high < 255 && dfa.next(i, high + 1) == target) {
                    high++;
                }
                if (target >= 0) {
                    on(states[i], low, high, states[target]);
                }
                low = high + 1;
            }
        }
    }

    /// The first state of `root`, from which all rules that it uses can be reached.
    ///
    /// @throws GrammarException if no text matches
    State build(int root) {
        markProductive();
        if (!drafts.get(root).isProductive) {
            throw new GrammarException(
                    "", "", "no finite JSON value satisfies it. Give recursion an end, and remove contradictions");
        }
        State[] states = new State[drafts.size()];
        for (int i = 0; i < states.length; i++) {
            states[i] = new State(i);
        }
        for (int i = 0; i < states.length; i++) {
            fill(states[i], drafts.get(i), states);
        }
        counters.forEach((state, counter) -> states[state].count(counter));
        counters.forEach((state, counter) -> spread(states[state], counter));
        for (State state : states) {
            if (TextLoops.isTextLoop(state)) {
                state.loopsOnText();
            }
        }
        return states[root];
    }

    private void fill(State state, Draft draft, State[] states) {
        draft.runs.sort(Comparator.comparingInt(run -> run[0]));
        for (int i = 1; i < draft.runs.size(); i++) {
            if (draft.runs.get(i)[0] <= draft.runs.get(i - 1)[1]) {
                throw new IllegalStateException("state " + state.number + " has two edges on a byte");
            }
        }
        state.fill(
                draft.runs.stream()
                        .filter(run -> drafts.get(run[2]).isProductive)
                        .map(run -> new State.Run(run[0], run[1], states[run[2]]))
                        .toList(),
                draft.empty.stream()
                        .filter(target -> drafts.get(target).isProductive)
                        .map(target -> states[target])
                        .toList(),
                draft.calls.stream()
                        .filter(this::isProductive)
                        .map(call -> new State.Call(states[call[0]], states[call[1]]))
                        .toList(),
                draft.isAccepting);
    }

    /// A state is productive if a match can be reached from it. Most edges lead to states made
    /// later, so going backwards ends soon.
    private void markProductive() {
        boolean hasChanged = true;
        while (hasChanged) {
            hasChanged = false;
            for (int i = drafts.size() - 1; i >= 0; i--) {
                Draft draft = drafts.get(i);
                if (!draft.isProductive && leadsOn(draft)) {
                    draft.isProductive = true;
                    hasChanged = true;
                }
            }
        }
    }

    private boolean leadsOn(Draft draft) {
        return draft.isAccepting
                || draft.runs.stream().anyMatch(run -> drafts.get(run[2]).isProductive)
                || draft.empty.stream().anyMatch(target -> drafts.get(target).isProductive)
                || draft.calls.stream().anyMatch(this::isProductive);
    }

    private boolean isProductive(int[] call) {
        return drafts.get(call[0]).isProductive && drafts.get(call[1]).isProductive;
    }

    /// Tells the states that follow a counted one within its rule what they depend on.
    private static void spread(State counted, Counter counter) {
        ArrayDeque<State> open = new ArrayDeque<>();
        open.push(counted);
        while (!open.isEmpty()) {
            State state = open.pop();
            if (state.ruleCounter() == null) {
                state.inRuleOf(counter);
                for (State.Run run : state.runs()) {
                    open.push(run.target());
                }
                state.empty().forEach(open::push);
                state.calls().forEach(call -> open.push(call.returnState()));
            }
        }
    }
}
