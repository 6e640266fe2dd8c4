package io.shadowkv.eval.statistics;

import io.shadowkv.report.page.Page.Cell;
import io.shadowkv.report.page.Page.Tone;
import io.shadowkv.report.plot.Quantity;
import java.util.Locale;

/// Formats numbers for the report's tables; NaN becomes a dash.
public final class Numbers {
    public static final String NONE = "–";

    private Numbers() {}

    /// Such as `93.8`: percent without the sign.
    public static String percent(double share) {
        return Double.isNaN(share) ? NONE : String.format(Locale.ROOT, "%.1f", 100 * share);
    }

    /// Such as `86.2–97.3`: percent.
    public static String percent(Interval interval) {
        return Double.isNaN(interval.low()) ? "" : percent(interval.low()) + "–" + percent(interval.high());
    }

    /// Such as `+1.3`, `−0.4`, `0.0`: percentage points.
    public static String points(double share) {
        if (Double.isNaN(share)) {
            return NONE;
        }
        String size = String.format(Locale.ROOT, "%.1f", Math.abs(100 * share));
        return size.equals("0.0") ? size : (share < 0 ? "−" : "+") + size;
    }

    /// Such as `−3.1 to +0.5`: percentage points.
    public static String points(Interval interval) {
        return Double.isNaN(interval.low()) ? "" : points(interval.low()) + " to " + points(interval.high());
    }

    /// A score with its interval below.
    public static Cell score(Estimate estimate) {
        return new Cell(percent(estimate.value()), percent(estimate.interval()));
    }

    /// A difference with its interval below, coloured if the interval excludes zero.
    public static Cell difference(Estimate estimate) {
        Interval interval = estimate.interval();
        Tone tone = interval.low() > 0 ? Tone.GOOD : interval.high() < 0 ? Tone.BAD : Tone.PLAIN;
        return new Cell(points(estimate.value()), points(interval), tone);
    }

    /// Such as `0.0123`, `1.2e-5`: nats.
    public static String nats(double value) {
        if (Double.isNaN(value)) {
            return NONE;
        }
        return value != 0 && value < 0.0005
                ? String.format(Locale.ROOT, "%.1e", value).replace("e-0", "e-")
                : String.format(Locale.ROOT, value < 1 ? "%.3f" : "%.2f", value);
    }

    /// Such as `25`, or `20–25` if the numbers differ.
    public static String range(int least, int most) {
        return least == most ? Quantity.whole(least) : Quantity.whole(least) + "–" + Quantity.whole(most);
    }
}
