package io.shadowkv.report.plot;

import java.util.ArrayList;
import java.util.List;

/// Round numbers along an axis that starts at zero.
///
/// @param top the last of `ticks`, at or above the largest value
/// @param ticks from zero, evenly spaced
public record Axis(double top, List<Double> ticks) {
    /// Returns about `wanted` steps up to `largest`; each step is 1, 2, 2.5 or 5 times a power of
    /// ten.
    public static Axis upTo(double largest, int wanted) {
        double least = largest > 0 ? largest : 1;
        double rough = least / wanted;
        double power = Math.pow(10, Math.floor(Math.log10(rough)));
        double step = 10 * power;
        for (double factor : new double[] {5, 2.5, 2, 1}) {
            // The tolerance keeps 0.30000000000000004 from taking the next larger step.
            step = factor * power >= rough * (1 - 1e-9) ? factor * power : step;
        }
        int steps = (int) Math.ceil(least / step - 1e-9);
        List<Double> ticks = new ArrayList<>();
        for (int i = 0; i <= steps; i++) {
            ticks.add(i * step);
        }
        return new Axis(steps * step, ticks);
    }
}
