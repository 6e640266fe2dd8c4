package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cli.option.RunLog;
import io.shadowkv.cli.process.Machine;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Prints the rounds of `bench cpu` as a table or as lines of JSON, and logs the lines.
final class CpuPrinter {
    private final PrintWriter out;
    private final boolean json;
    private final RunLog log;
    private final Machine machine;

    CpuPrinter(PrintWriter out, boolean json, RunLog log, Machine machine) {
        this.out = out;
        this.json = json;
        this.log = log;
        this.machine = machine;
    }

    void print(CpuRounds rounds) {
        if (!json) {
            head(
                    rounds.setup(rounds.cases().getFirst()),
                    rounds.results(rounds.cases().getFirst()).size());
        }
        for (CpuRounds.Case each : rounds.cases()) {
            List<E2eResult> results = rounds.results(each);
            ObjectNode line = line(rounds.setup(each), results);
            log.append(line);
            if (json) {
                out.println(line);
            } else {
                row(each, results);
            }
        }
        out.flush();
    }

    private void head(E2eSetup setup, int rounds) {
        out.printf(
                Locale.ROOT,
                "%s, %s, layers: %d, weights %s, keys and values %s%n%s: %s%n",
                setup.model(),
                setup.isRandom() ? "random weights" : "a checkpoint",
                setup.layers(),
                setup.weightType(),
                setup.kvType(),
                setup.backend(),
                setup.device());
        out.printf("median of %d rounds (lowest to highest), tokens per second%n%n", rounds);
        out.printf("%8s %6s  %-14s %26s %26s %9s%n", "context", "batch", "method", "prompt", "answers", "hits");
    }

    private void row(CpuRounds.Case each, List<E2eResult> results) {
        E2eResult middle = median(results);
        String row = String.format(
                Locale.ROOT,
                "%,8d %6d  %-14s %26s %26s %9s",
                each.tokens(),
                each.options().batch().sequences(),
                E2eTable.title(each.strategy().name()),
                spread(results, CpuPrinter::promptSpeed),
                spread(results, E2eResult::tokensPerSecond),
                Double.isNaN(middle.hitRate()) ? "" : "%.0f %%".formatted(100 * middle.hitRate()));
        out.println(row.stripTrailing());
    }

    private static double promptSpeed(E2eResult result) {
        return result.contextTokens() / result.prefill().firstTokenSeconds();
    }

    private static String spread(List<E2eResult> results, ToDoubleFunction<E2eResult> value) {
        double[] sorted = results.stream().mapToDouble(value).sorted().toArray();
        return String.format(
                Locale.ROOT, "%.1f (%.1f to %.1f)", sorted[sorted.length / 2], sorted[0], sorted[sorted.length - 1]);
    }

    /// The round whose answers have the median speed.
    private static E2eResult median(List<E2eResult> results) {
        E2eResult[] sorted = results.toArray(E2eResult[]::new);
        Arrays.sort(sorted, Comparator.comparingDouble(E2eResult::tokensPerSecond));
        return sorted[sorted.length / 2];
    }

    /// The median round with the speeds of all rounds.
    private ObjectNode line(E2eSetup setup, List<E2eResult> results) {
        ObjectNode line = E2eJson.run(setup, machine, median(results));
        line.put("benchmark", "cpu");
        line.put("rounds", results.size());
        ArrayNode prompts = line.putArray("prompt_tokens_per_second");
        ArrayNode answers = line.putArray("answer_tokens_per_second");
        for (E2eResult result : results) {
            prompts.add(promptSpeed(result));
            answers.add(result.tokensPerSecond());
        }
        return line;
    }
}
