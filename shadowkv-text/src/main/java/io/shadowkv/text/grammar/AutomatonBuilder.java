package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import io.shadowkv.text.grammar.regex.Dfa;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Gathers states and edges, then leaves out what cannot lead to a match.
final class AutomatonBuilder {
    static final int MOST_STATES = 200_000;

    /// The automaton would be too large. The compiler says which schema makes it so.
    static final class StateLimitException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StateLimitException() {
            super("needs more than " + "%,d".formatted(MOST_STATES)
                    + " states together with the rest of the schema. Use fewer or shorter values, or smaller bounds");
        }
    }

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
            throw new StateLimitException();
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

    /// Adds one of several texts. Those that begin alike share states.
    void texts(int from, Collection<String> texts, int to) {
        int root = state();
        empty(from, root);
        byte[] before = {};
        // The states behind the bytes of the text before.
        List<Integer> path = new ArrayList<>(List.of(root));
        List<byte[]> sorted = texts.stream()
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .sorted(Arrays::compareUnsigned)
                .toList();
        for (byte[] text : sorted) {
            int common = Arrays.mismatch(before, text);
            if (common >= 0) {
                path.subList(Math.min(common, before.length) + 1, path.size()).clear();
                for (int i = common; i < text.length; i++) {
                    int next = state();
                    on(path.getLast(), text[i] & 0xff, next);
                    path.add(next);
                }
                empty(path.getLast(), to);
                before = text;
            }
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

    /// A whole automaton.
    ///
    /// @param root first state of the rule that texts match; all rules that it uses can be reached
    ///     from it
    /// @param states number of states
    record Automaton(State root, int states) {}

    /// The automaton whose texts match `root`.
    ///
    /// @throws GrammarException if no text matches
    Automaton build(int root) {
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
        return new Automaton(states[root], states.length);
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

    /// A state is productive if a match can be reached from it. Goes from each productive state to
    /// those with an edge to it.
    private void markProductive() {
        List<List<Integer>> before = new ArrayList<>();
        drafts.forEach(draft -> before.add(new ArrayList<>(1)));
        ArrayDeque<Integer> open = new ArrayDeque<>();
        for (int i = 0; i < drafts.size(); i++) {
            Draft draft = drafts.get(i);
            int user = i;
            draft.runs.forEach(run -> before.get(run[2]).add(user));
            draft.empty.forEach(target -> before.get(target).add(user));
            draft.calls.forEach(call -> {
                before.get(call[0]).add(user);
                before.get(call[1]).add(user);
            });
            if (draft.isAccepting) {
                open.push(i);
            }
        }
        while (!open.isEmpty()) {
            int state = open.pop();
            if (!drafts.get(state).isProductive) {
                drafts.get(state).isProductive = true;
                for (int user : before.get(state)) {
                    if (!drafts.get(user).isProductive && leadsOn(drafts.get(user))) {
                        open.push(user);
                    }
                }
            }
        }
    }

    private boolean leadsOn(Draft draft) {
        return draft.runs.stream().anyMatch(run -> drafts.get(run[2]).isProductive)
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
