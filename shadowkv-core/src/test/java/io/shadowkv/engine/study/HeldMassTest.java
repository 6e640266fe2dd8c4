package io.shadowkv.engine.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.engine.study.Calibration.Goal;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/// Masses and budgets of a few tokens, computed by hand.
class HeldMassTest {
    private static final Offset<Double> ROUNDING = within(1e-12);

    /// Three units of two tokens, numbers 0, 2 and 3; unit 1 and the last token are in no unit.
    @Test
    void whatIsInNoUnitIsAlwaysHeld() {
        double[] probabilities = {0.01, 0.02, 0.1, 0.2, 0.03, 0.04, 0.05, 0.15, 0.4};
        HeldMass mass = new HeldMass(1, 2, 3);
        mass.add(probabilities, new int[] {0, 2, 3}, 2, new float[] {0.1f, 0.5f, 0.4f});
        assertThat(mass.means()[0]).isCloseTo(1 - 0.03 - 0.2, ROUNDING);
        assertThat(mass.means()[1]).isCloseTo(1 - 0.03, ROUNDING);
        assertThat(mass.means()[2]).isEqualTo(1);

        HeldMass other = new HeldMass(1, 2, 3);
        other.add(probabilities, new int[] {0, 2, 3}, 2, new float[] {0.9f, 0, 0});
        other.add(mass);
        assertThat(other.means()[0])
                .as("of equal scores the first unit is selected")
                .isCloseTo((1 - 0.03 - 0.2 + 1 - 0.07 - 0.2) / 2, ROUNDING);
        assertThat(other.means()[1]).isCloseTo((1 - 0.03 + 1 - 0.2) / 2, ROUNDING);
    }

    private static final double[][] HELD = {{0.3, 0.5, 0.7, 1}, {0.8, 0.9, 0.95, 1}, {0.6, 0.8, 0.9, 1}};

    @Test
    void aLayerIsDoubledUntilItHoldsTheShare() {
        BudgetSearch search = new BudgetSearch(HELD);
        assertThat(mass(search, 0.3)).containsExactly(0, 0, 0);
        assertThat(mass(search, 0.65)).containsExactly(2, 0, 1);
        assertThat(mass(search, 1)).containsExactly(3, 3, 3);
        // The median layer holds 0.6.
        assertThat(search.partOfMedian()).isCloseTo(0.45, ROUNDING);
        assertThat(search.doublings(new Goal.Mass(OptionalDouble.empty()), none -> 0))
                .containsExactly(1, 0, 0);
    }

    private static int[] mass(BudgetSearch search, double share) {
        return search.doublings(new Goal.Mass(OptionalDouble.of(share)), none -> {
            throw new AssertionError("a goal of mass needs no further runs");
        });
    }

    /// The layer that holds the least is doubled first; few of the possible budgets are measured.
    @Test
    void theLeastBudgetsWithinADivergenceAreFound() {
        BudgetSearch search = new BudgetSearch(HELD);
        List<int[]> measured = new ArrayList<>();
        int[] found = search.doublings(new Goal.Kl(0.5), doublings -> {
            measured.add(doublings);
            return doublings[0] >= 2 && doublings[2] >= 1 ? 0.4 : 0.6;
        });
        assertThat(found).containsExactly(2, 0, 1);
        assertThat(measured).hasSizeLessThanOrEqualTo(4);
        assertThat(search.doublings(new Goal.Kl(0.5), doublings -> 1))
                .as("nothing is enough")
                .containsExactly(3, 3, 3);
        assertThat(search.doublings(new Goal.Kl(0.5), doublings -> 0)).containsExactly(0, 0, 0);
    }
}
