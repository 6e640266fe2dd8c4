package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cli.bench.e2e.E2eResult.Memory;
import io.shadowkv.cli.bench.e2e.E2eResult.Prefill;
import io.shadowkv.cli.bench.e2e.E2eResult.Steps;
import io.shadowkv.op.OperationKind;
import io.shadowkv.report.plot.Quantity;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/// Results as text: one table per length, the methods in columns, at most 100 characters wide.
final class E2eTable {
    private static final String NONE = "–";

    private final E2eSetup setup;
    private final PrintWriter out;

    E2eTable(E2eSetup setup, PrintWriter out) {
        this.setup = setup;
        this.out = out;
    }

    /// Prints the conditions once, before the tables.
    void head() {
        out.printf(
                Locale.ROOT,
                "%s, %s, layers: %d, weights %s, keys and values %s%n",
                setup.model(),
                setup.isRandom() ? "random weights" : "a checkpoint",
                setup.layers(),
                setup.weightType(),
                setup.kvType());
        out.printf("%s: %s%n", setup.backend(), setup.device());
        out.printf(
                "steps: %d timed after %d for warming up, %d more for the parts; seed %d%n",
                setup.timedSteps(), setup.warmupSteps(), setup.profiledSteps(), setup.seed());
        if (!setup.prefill().equals("exact")) {
            out.println("prompts are read with --prefill " + setup.prefill());
        }
        if (setup.forcedDensity().isPresent()) {
            out.println("the choice of keys is synthetic (--prefill-density "
                    + setup.forcedDensity().getAsDouble() + "): speeds are valid, answers are not");
        }
        if (setup.clonesPrefill()) {
            out.println("one prompt was read and copied into every slot (--clone-prefill); each slot's query differs");
        }
        if (setup.forcedHitRate().isPresent()) {
            out.println("ShadowKV's selection is synthetic (--hit-rate "
                    + setup.forcedHitRate().getAsDouble() + "): speeds are valid, answers are not");
        }
        Ceilings ceilings = setup.ceilings();
        if (ceilings != null) {
            String link =
                    Double.isNaN(ceilings.linkBytesPerSecond()) ? "" : ", link " + rate(ceilings.linkBytesPerSecond());
            out.println("measured ceilings: memory " + rate(ceilings.deviceBytesPerSecond()) + link);
        }
    }

    /// The method's name for people.
    static String title(String method) {
        return method.equals("full") ? "full attention" : "ShadowKV";
    }

    /// @param results of one length, one or two methods
    /// @param failures the methods of this length that have none
    void print(List<E2eResult> results, List<E2eFailure> failures) {
        E2eResult first = results.getFirst();
        out.println();
        row("%,d tokens".formatted(first.contextTokens()), results, result -> title(result.method()));
        row("batch", results, result -> result.batch() + (result.batchIsLargest() ? " (no more fit)" : ""));
        prefill(results);
        steps(results);
        traffic(results);
        memory(results);
        for (E2eResult result : results) {
            if (result.keptWhole()) {
                out.println("the prompt fits what ShadowKV keeps resident, so nothing was selected");
            }
        }
        for (E2eFailure failure : failures) {
            out.println(title(failure.method()) + " failed; the message on standard error says why");
        }
        if (results.size() == 2) {
            double gain = results.getLast().tokensPerSecond() / first.tokensPerSecond();
            out.println(
                    "ShadowKV compared with full attention: " + Quantity.times(gain) + " as many tokens per second");
        }
    }

    private void prefill(List<E2eResult> results) {
        row("time to first token", results, result -> time(result.prefill().firstTokenSeconds()));
        row("  attention", results, result -> time(result.prefill().attentionSeconds()));
        if (results.stream().anyMatch(result -> !result.prefill().densities().isEmpty())) {
            row("  density of attention", results, result -> density(result.prefill()));
            row("  choosing keys", results, result -> selection(result.prefill()));
        }
        row("  indexing", results, result -> indexing(result.prefill()));
        row("  rest", results, result -> time(result.prefill().restSeconds()));
        row(
                "all prompts read",
                results,
                result -> result.prefill().prompts() + ", "
                        + time(result.prefill().allSeconds()));
    }

    private static String density(Prefill prefill) {
        return prefill.densities().isEmpty() ? NONE : Quantity.share(prefill.density());
    }

    private static String selection(Prefill prefill) {
        return prefill.densities().isEmpty() ? NONE : time(prefill.selectionSeconds());
    }

    private static String indexing(Prefill prefill) {
        if (prefill.indexSeconds() == 0) {
            return NONE;
        }
        boolean isParallel = prefill.waitedSeconds() < prefill.indexSeconds();
        return time(prefill.indexSeconds())
                + (isParallel ? " in parallel, waited " + time(prefill.waitedSeconds()) : "");
    }

    private void steps(List<E2eResult> results) {
        row("step, median", results, result -> time(result.steps().medianSeconds()));
        row("  10 % to 90 % of steps", results, result -> spread(result.steps()));
        for (OperationKind part : OperationKind.values()) {
            if (results.stream().anyMatch(result -> result.steps().partSeconds().containsKey(part))) {
                row("  " + part.title(), results, result -> part(result, part));
            }
        }
        row("tokens a second", results, result -> Quantity.threeDigits(result.tokensPerSecond()));
        row("hit rate", results, result -> Quantity.share(result.hitRate()));
    }

    private static String spread(Steps steps) {
        return time(steps.quantileSeconds(0.1)) + " to " + time(steps.quantileSeconds(0.9));
    }

    /// Time, speed, and the share of the ceiling if the bytes are known.
    private String part(E2eResult result, OperationKind part) {
        Double seconds = result.steps().partSeconds().get(part);
        if (seconds == null) {
            return NONE;
        }
        boolean overLink = part == OperationKind.FETCH && result.bytes().link() > 0;
        double bytes =
                overLink ? result.bytes().link() : result.bytes().device().getOrDefault(part, 0.0);
        return time(seconds) + (bytes > 0 ? speed(bytes / seconds, overLink) : "");
    }

    private void traffic(List<E2eResult> results) {
        row(
                "bytes per step, memory",
                results,
                result -> moved(result, result.bytes().deviceTotal(), false));
        row(
                "bytes per step, link",
                results,
                result -> moved(result, result.bytes().link(), true));
        Ceilings ceilings = setup.ceilings();
        if (ceilings != null) {
            row("floor of a step", results, result -> {
                double floor = result.bytes().floorSeconds(ceilings);
                return time(floor) + ", reached "
                        + percent(floor / result.steps().medianSeconds());
            });
        }
    }

    private String moved(E2eResult result, double bytes, boolean overLink) {
        if (bytes == 0) {
            return NONE;
        }
        return Quantity.bytes(bytes) + speed(bytes / result.steps().medianSeconds(), overLink);
    }

    private String speed(double bytesPerSecond, boolean overLink) {
        Ceilings ceilings = setup.ceilings();
        if (ceilings == null) {
            return "  " + rate(bytesPerSecond);
        }
        double ceiling = overLink ? ceilings.linkBytesPerSecond() : ceilings.deviceBytesPerSecond();
        return "  " + rate(bytesPerSecond) + String.format(Locale.ROOT, " %5s", percent(bytesPerSecond / ceiling));
    }

    private void memory(List<E2eResult> results) {
        bytes("device memory, planned", results, Memory::plannedDevice);
        bytes("device memory, measured", results, Memory::measuredDevice);
        bytes("host memory, planned", results, Memory::plannedHost);
        bytes("host memory, measured", results, Memory::measuredHost);
    }

    private void bytes(String what, List<E2eResult> results, Function<Memory, Long> bytes) {
        row(what, results, result -> Quantity.bytes(bytes.apply(result.memory())));
    }

    private void row(String what, List<E2eResult> results, Function<E2eResult, String> text) {
        StringBuilder line = new StringBuilder(String.format("%-28s", what));
        for (E2eResult result : results) {
            line.append(String.format(" %34s", text.apply(result)));
        }
        out.println(line);
    }

    private static String time(double seconds) {
        return Quantity.seconds(seconds);
    }

    private static String percent(double share) {
        return Double.isFinite(share) ? String.format(Locale.ROOT, "%.0f %%", share * 100) : NONE;
    }

    /// Bytes per second in powers of 1,000, as bandwidths are usually given.
    private static String rate(double bytesPerSecond) {
        return bytesPerSecond >= 1e12
                ? String.format(Locale.ROOT, "%.2f TB/s", bytesPerSecond / 1e12)
                : Quantity.threeDigits(bytesPerSecond / 1e9) + " GB/s";
    }
}
