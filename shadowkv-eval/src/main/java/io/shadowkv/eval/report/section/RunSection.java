package io.shadowkv.eval.report.section;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.report.page.Page.Block;
import io.shadowkv.report.page.Page.Facts;
import io.shadowkv.report.page.Page.Prose;
import io.shadowkv.report.page.Page.Section;
import io.shadowkv.report.plot.Quantity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The settings needed to repeat the runs, and how the numbers were computed.
public final class RunSection {
    private RunSection() {}

    public static Section settings(List<RunInfo> runs) {
        List<Block> blocks = new ArrayList<>();
        for (RunInfo run : runs) {
            blocks.add(new Facts(facts(run)));
        }
        if (runs.isEmpty()) {
            blocks.add(new Prose("Unknown: there was no run.json next to the answers."));
        }
        return new Section(
                "settings", runs.size() > 1 ? "Settings of the " + runs.size() + " runs" : "Settings", blocks);
    }

    private static Map<String, String> facts(RunInfo run) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("command", run.command());
        facts.put("commit", run.commit());
        facts.put("started", run.started());
        facts.put("machine", run.machine());
        facts.put("backend", run.backend() + ", keys and values in " + run.kvType());
        facts.put("model", run.model());
        run.modelFacts().forEach((name, value) -> facts.put("model: " + name, value));
        facts.put("tasks", String.join(", ", run.tasks()));
        facts.put(
                "lengths",
                run.contexts().stream()
                        .map(tokens -> tokens == 0 ? "the files'" : Quantity.tokens(tokens))
                        .collect(Collectors.joining(", ")));
        facts.put("samples for each task", Integer.toString(run.samples()));
        facts.put("seed", Long.toString(run.seed()));
        for (Method method : run.methods()) {
            facts.put("method " + method.label(), parameters(method));
        }
        run.settings().forEach((name, value) -> facts.put(name, value));
        if (!run.leftOut().isEmpty()) {
            facts.put(
                    "left out",
                    run.leftOut().stream()
                            .map(one -> one.task() + " " + one.index())
                            .distinct()
                            .collect(Collectors.joining(", ")));
        }
        return facts;
    }

    private static String parameters(Method method) {
        Method.Shadow s = method.shadow();
        return s == null
                ? "all keys and values, exact"
                : "index %s, rank %d, chunk size %d, budget %d, budgets of the first layers %s, outlier chunks %d, local tokens %d, generated tokens %d, values %s, cached tokens %d"
                        .formatted(
                                s.index(),
                                s.rank(),
                                s.chunkSize(),
                                s.budget(),
                                s.layerBudgets().isEmpty() ? "the same" : s.layerBudgets(),
                                s.outliers(),
                                s.localTokens(),
                                s.generatedTokens(),
                                s.values(),
                                s.cachedTokens());
    }

    public static Section method() {
        return new Section(
                "reading",
                "How to read this",
                List.of(
                        new Prose(
                                "Scores are means of each task's official metric over samples, in percent; the turns of"
                                        + " a conversation about one text are one sample. Averages weigh tasks equally. Other"
                                        + " numbers that a suite's own script prints are in a separate table, as means over"
                                        + " answers."),
                        new Prose("Intervals have 95 % confidence and are computed by formulas, without random numbers."
                                + " Right-or-wrong scores: Wilson. Differences from full attention are paired by sample"
                                + " (same prompt, checked by its hash): Bonett and Price's adjusted Wald. Graded scores:"
                                + " Student's t if at least ten samples differ from the most frequent value, otherwise"
                                + " the same two formulas, whose intervals are then too wide rather than too narrow."
                                + " Averages: Zou and Donner's combination of the tasks' intervals."),
                        new Prose("Equal scores on a few samples do not show that a method loses nothing: the"
                                + " interval says how much it may lose. Better and worse count samples. Same answers are"
                                + " equal token by token. KL is KL(full || method) of next-token distributions after the"
                                + " same tokens, the prompt and full attention's own answer, in nats, first token left"
                                + " out (methods that read alike have the same); top-1 same is the share of positions whose"
                                + " likeliest token is the same.")));
    }
}
