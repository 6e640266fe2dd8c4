package io.shadowkv.cli.eval;

import io.shadowkv.cli.process.Machine;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.tensor.WeightPrecision;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The information about a session that a report shows in addition to its answers.
final class EvalRunInfo {
    private static final Set<String> PLACES = Set.of("--out", "--job-dir");

    private EvalRunInfo() {}

    /// @param plans one plan per length
    static RunInfo of(EvalSession session, EvalModel model, List<EvalPlan> plans) {
        Machine machine = Machine.here(session.root().surroundings());
        EvalPlan first = plans.getFirst();
        List<String> suites = first.tasks().stream()
                .map(task -> task.substring(0, task.indexOf('/')))
                .distinct()
                .toList();
        return new RunInfo(
                first.model() + ": " + String.join(", ", suites),
                command(session.arguments()),
                machine.commitText(),
                first.model(),
                model.facts(),
                machine.processor() + ", " + machine.cores() + " cores, " + machine.system() + ", Java "
                        + machine.java(),
                first.backend(),
                first.kvType(),
                first.tasks(),
                plans.stream().map(EvalPlan::contextTokens).toList(),
                first.samples(),
                first.seed(),
                plans.stream()
                        .flatMap(plan -> plan.methods().stream())
                        .distinct()
                        .toList(),
                settings(session, model),
                Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
                List.of());
    }

    /// All settings that change answers and are not part of their keys.
    static Map<String, String> settings(EvalSession session, EvalModel model) {
        Map<String, String> settings = new LinkedHashMap<>(session.data().settings());
        settings.put("template", session.run().template());
        settings.putAll(model.prints());
        WeightPrecision precision = session.engine().weights();
        if (precision != WeightPrecision.STORED) {
            settings.computeIfPresent("weights", (key, print) -> print + " as " + precision);
        }
        return settings;
    }

    /// The command without the options that only concern where it ran: the folder of the answers
    /// and the display of progress.
    static String command(List<String> arguments) {
        var command = new StringBuilder("shadowkv");
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (PLACES.contains(argument)) {
                i++;
            } else if (PLACES.stream().noneMatch(place -> argument.startsWith(place + "="))
                    && !argument.equals("--progress")) {
                command.append(' ').append(argument);
            }
        }
        return command.toString();
    }
}
