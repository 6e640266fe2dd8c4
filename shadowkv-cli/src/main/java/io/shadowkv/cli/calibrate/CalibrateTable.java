package io.shadowkv.cli.calibrate;

import io.shadowkv.engine.study.Calibration;
import io.shadowkv.engine.study.Divergence;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.stream.Collectors;

/// The results for the terminal: a row per layer, the divergences, and the option to use.
final class CalibrateTable {
    /// The multiples of the budget that have a column.
    private static final int[] MULTIPLES = {1, 2, 4, 8};

    private CalibrateTable() {}

    static void print(String model, Calibration result, PrintWriter out) {
        out.printf(
                Locale.ROOT,
                "%s, index %s, budget %,d tokens; the last %,d of %,d tokens%n%n",
                model,
                result.spec().index().name(),
                result.spec().sparseBudget(),
                result.positions(),
                result.tokens() + result.positions());
        out.printf("%5s   %-35s   %-17s   %s%n", "", "share of full attention held at", "proposed", "bytes per token");
        out.printf("%5s", "layer");
        for (int multiple : MULTIPLES) {
            out.printf("  %7s", multiple + "x");
        }
        out.printf("   %17s   %15s%n", "budget", "that a step reads");
        for (int i = 0; i < result.layers().size(); i++) {
            row(i, result.layers().get(i), result.spec().sparseBudget(), out);
        }
        out.println();
        out.printf(
                Locale.ROOT,
                "KL divergence from full attention: %s with the budget, %s with the proposed ones%n",
                nats(result.current()),
                nats(result.proposed()));
        out.println(
                result.times().isEmpty()
                        ? "every layer holds enough with the budget; --layer-budgets is not needed"
                        : "--layer-budgets " + option(result));
    }

    private static void row(int number, Calibration.Layer layer, int budget, PrintWriter out) {
        out.printf("%5d", number);
        for (int multiple : MULTIPLES) {
            out.printf(Locale.ROOT, "  %7.3f", layer.heldAt(multiple));
        }
        String proposed = String.format(Locale.ROOT, "%dx %,d", layer.times(), (long) layer.times() * budget);
        out.printf(Locale.ROOT, "   %17s   %,15d%n", proposed, layer.stepBytes());
    }

    private static String nats(Divergence divergence) {
        return String.format(Locale.ROOT, "%.4f nats", divergence.meanKl());
    }

    /// The proposed budgets as `--layer-budgets` takes them, such as `8x,1x,2x`.
    static String option(Calibration result) {
        return result.times().stream().map(times -> times + "x").collect(Collectors.joining(","));
    }
}
