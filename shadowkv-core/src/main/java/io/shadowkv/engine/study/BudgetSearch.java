package io.shadowkv.engine.study;

import io.shadowkv.engine.study.Calibration.Goal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// Finds the least budgets that meet a goal: the budget of the layer that holds the least is doubled
/// until the goal is met. A larger budget never holds less, so this ends at the latest when all
/// layers hold everything; then a sequence is kept whole, which is full attention.
final class BudgetSearch {
    private final double[][] held;

    /// @param held for each layer, the share that is held at the budget and at its doublings; the
    ///     last one is 1
    BudgetSearch(double[][] held) {
        this.held = held;
    }

    /// @param divergence measures the mean KL divergence with given doublings
    /// @return for each layer, how often its budget is doubled
    int[] doublings(Goal goal, ToDoubleFunction<int[]> divergence) {
        return switch (goal) {
            case Goal.Mass mass -> holding(mass.share().orElseGet(this::partOfMedian));
            case Goal.Kl kl -> within(kl.nats(), divergence);
        };
    }

    /// Part of what the median layer holds without doubling.
    double partOfMedian() {
        double[] shares =
                Arrays.stream(held).mapToDouble(layer -> layer[0]).sorted().toArray();
        return Goal.Mass.PART_OF_MEDIAN * shares[shares.length / 2];
    }

    private int[] holding(double share) {
        int[] doublings = new int[held.length];
        for (int layer = 0; layer < held.length; layer++) {
            while (held[layer][doublings[layer]] < share && doublings[layer] < held[layer].length - 1) {
                doublings[layer]++;
            }
        }
        return doublings;
    }

    /// The first of the budgets on the way to everything whose divergence is small enough. A binary
    /// search: further on the way the divergence is smaller, except for noise.
    private int[] within(double nats, ToDoubleFunction<int[]> divergence) {
        List<int[]> way = way();
        int tooSmall = -1;
        int enough = way.size() - 1;
        while (enough - tooSmall > 1) {
            int middle = (enough + tooSmall) / 2;
            if (divergence.applyAsDouble(way.get(middle)) <= nats) {
                enough = middle;
            } else {
                tooSmall = middle;
            }
        }
        return way.get(enough);
    }

    /// The budgets without doubling, and after each doubling of the layer that holds the least.
    private List<int[]> way() {
        List<int[]> way = new ArrayList<>();
        int[] doublings = new int[held.length];
        way.add(doublings.clone());
        for (int least = least(doublings); least >= 0; least = least(doublings)) {
            doublings[least]++;
            way.add(doublings.clone());
        }
        return way;
    }

    /// The layer that holds the least and does not have everything; -1 if all have everything.
    private int least(int[] doublings) {
        int least = -1;
        for (int layer = 0; layer < held.length; layer++) {
            boolean canGrow = doublings[layer] < held[layer].length - 1;
            if (canGrow && (least < 0 || held[layer][doublings[layer]] < held[least][doublings[least]])) {
                least = layer;
            }
        }
        return least;
    }
}
