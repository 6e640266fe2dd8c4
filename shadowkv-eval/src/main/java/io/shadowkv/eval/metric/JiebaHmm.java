package io.shadowkv.eval.metric;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Segments Chinese characters that are not in any word of the list, such as names: the Viterbi
/// path of a hidden Markov model whose states are positions within a word (fxsjy/jieba,
/// `jieba/finalseg`).
final class JiebaHmm {
    /// Beginning, end, middle, single. If two states are equally likely, the later one in this
    /// order wins.
    private static final String STATES = "BEMS";

    private static final double NEVER = -3.14e100;
    private static final double[] START = {-0.26268660809250016, NEVER, NEVER, -1.4652633398537678};
    /// Logarithm of a transition's probability `[after][before]`.
    private static final double[][] STEP = {
        {NEVER, -0.5897149736854513, NEVER, -0.7211965654669841},
        {-0.510825623765990, NEVER, -0.33344856811948514, NEVER},
        {-0.916290731874155, NEVER, -1.2603623820268226, NEVER},
        {NEVER, -0.8085250474669937, NEVER, -0.6658631448798212}
    };
    /// Possible predecessors of each state.
    private static final int[][] BEFORE = {{1, 3}, {0, 2}, {0, 2}, {1, 3}};

    private final List<Map<Character, Double>> emissions;

    private JiebaHmm(List<Map<Character, Double>> emissions) {
        this.emissions = emissions;
    }

    static JiebaHmm load() {
        List<Map<Character, Double>> emissions = new ArrayList<>();
        STATES.chars().forEach(_ -> emissions.add(new HashMap<>()));
        try (BufferedReader lines = JiebaWords.resource("prob_emit.txt")) {
            int state = 0;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.length() == 1) {
                    state = STATES.indexOf(line);
                } else {
                    emissions.get(state).put(line.charAt(0), Double.valueOf(line.substring(2)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new JiebaHmm(emissions);
    }

    /// Cuts a text into words.
    ///
    /// @param text at least one character
    List<String> cut(String text) {
        List<String> words = new ArrayList<>();
        int begin = 0;
        int[] states = likeliest(text);
        for (int i = 0; i < states.length; i++) {
            char state = STATES.charAt(states[i]);
            if (state == 'B') {
                begin = i;
            } else if (state == 'E' || state == 'S') {
                words.add(text.substring(state == 'E' ? begin : i, i + 1));
            }
        }
        return words;
    }

    private int[] likeliest(String text) {
        int length = text.length();
        double[] likelihood = new double[STATES.length()];
        int[][] cameFrom = new int[length][STATES.length()];
        for (int state = 0; state < STATES.length(); state++) {
            likelihood[state] = START[state] + emission(state, text.charAt(0));
        }
        for (int i = 1; i < length; i++) {
            double[] next = new double[STATES.length()];
            for (int state = 0; state < STATES.length(); state++) {
                double emission = emission(state, text.charAt(i));
                next[state] = Double.NEGATIVE_INFINITY;
                for (int before : BEFORE[state]) {
                    double through = likelihood[before] + STEP[state][before] + emission;
                    if (through >= next[state]) {
                        next[state] = through;
                        cameFrom[i][state] = before;
                    }
                }
            }
            likelihood = next;
        }
        int[] states = new int[length];
        states[length - 1] = likelihood[1] > likelihood[3] ? 1 : 3;
        for (int i = length - 1; i > 0; i--) {
            states[i - 1] = cameFrom[i][states[i]];
        }
        return states;
    }

    private double emission(int state, char character) {
        return emissions.get(state).getOrDefault(character, NEVER);
    }
}
