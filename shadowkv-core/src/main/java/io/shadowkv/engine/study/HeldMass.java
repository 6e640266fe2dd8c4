package io.shadowkv.engine.study;

import java.util.Arrays;

/// The share of attention that a selection holds, under full attention's probabilities, for budgets
/// that double: for each, the units with the largest scores are selected, and all tokens that are in
/// no unit are attended to anyway. Summed over heads and positions.
///
/// With p(t) full attention's probability of token t, averaged over the query heads of a key-value
/// head, and U(b) the units that a budget b selects,
///
/// ```
/// held(b) = 1 - sum of p(t) over the tokens t of units outside U(b)
/// ```
///
/// so a budget of everything holds 1 exactly, and a larger budget never holds less.
final class HeldMass {
    private final int[] budgets;
    private final double[] sums;
    private long count;

    /// @param budgets selected units, ascending
    HeldMass(int... budgets) {
        this.budgets = budgets.clone();
        this.sums = new double[budgets.length];
    }

    /// Adds one token's attention in one key-value head.
    ///
    /// @param probabilities of each token, averaged over the query heads of the key-value head
    /// @param unitNumbers for each unit, its number: its first token is `number · unitTokens`
    /// @param scores for each unit
    void add(double[] probabilities, int[] unitNumbers, int unitTokens, float[] scores) {
        int[] ranked = ranked(scores);
        double outside = 0;
        int next = ranked.length;
        for (int i = budgets.length - 1; i >= 0; i--) {
            while (next > budgets[i]) {
                outside += mass(probabilities, unitNumbers[ranked[--next]], unitTokens);
            }
            sums[i] += Math.max(0, 1 - outside);
        }
        count++;
    }

    /// Adds what another one has summed, for the same budgets.
    void add(HeldMass other) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += other.sums[i];
        }
        count += other.count;
    }

    /// For each budget, the mean share that is held, from 0 to 1.
    double[] means() {
        return Arrays.stream(sums).map(sum -> sum / count).toArray();
    }

    private static double mass(double[] probabilities, int unit, int unitTokens) {
        double mass = 0;
        for (int token = unit * unitTokens; token < (unit + 1) * unitTokens; token++) {
            mass += probabilities[token];
        }
        return mass;
    }

    /// The units by falling score; of equal ones the first comes first, as in a step.
    private static int[] ranked(float[] scores) {
        long[] keys = new long[scores.length];
        for (int unit = 0; unit < keys.length; unit++) {
            // Scores are probabilities: the bits of numbers of 0 or more are in their order.
            keys[unit] = (long) ~Float.floatToIntBits(scores[unit]) << 32 | unit;
        }
        Arrays.sort(keys);
        int[] ranked = new int[keys.length];
        for (int place = 0; place < keys.length; place++) {
            ranked[place] = (int) keys[place];
        }
        return ranked;
    }
}
