package io.shadowkv.cli.eval;

import io.shadowkv.cli.process.Machine;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.RunInfo;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What a report says of a session beside its answers.
final class EvalRunInfo {
    private static final Set<String> PLACES = Set.of("--out", "--job-dir");

    private EvalRunInfo() {}

    /// @param plans one a length
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

    /// Everything that decides answers without being part of their keys.
    static Map<String, String> settings(EvalSession session, EvalModel model) {
        Map<String, String> settings = new LinkedHashMap<>(session.data().settings());
        settings.put("template", session.run().template());
        settings.putAll(model.prints());
        return settings;
    }

    /// The command without what does not decide answers: the folder of the answers or of a cluster's jobs, and how
    /// progress was shown.
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
