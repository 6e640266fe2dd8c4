package io.shadowkv.cli.eval;

import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.plot.Quantity;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/// Scores by task and method, for the terminal; the report has the rest.
final class EvalTable {
    private EvalTable() {}

    static void print(int contextTokens, List<AnswerRecord> answers, PrintWriter out) {
        Set<Method> methods = new LinkedHashSet<>();
        Map<String, List<AnswerRecord>> tasks = new LinkedHashMap<>();
        for (AnswerRecord answer : answers) {
            methods.add(answer.key().method());
            tasks.computeIfAbsent(answer.key().task(), _ -> new ArrayList<>()).add(answer);
        }
        out.printf("%-30s %8s", String.format("at %,d tokens", contextTokens), "samples");
        methods.forEach(method -> out.printf("  %s", method.label()));
        out.println();
        tasks.forEach((task, ofTask) -> {
            out.printf("%-30s %8d", task, count(ofTask));
            methods.forEach(method -> cell(out, method, mean(ofTask, method)));
            out.println();
        });
        if (tasks.size() > 1) {
            out.printf("%-30s %8s", "mean of tasks", "");
            for (Method method : methods) {
                cell(
                        out,
                        method,
                        tasks.values().stream()
                                .map(ofTask -> mean(ofTask, method))
                                .flatMapToDouble(OptionalDouble::stream)
                                .average());
            }
            out.println();
        }
        out.println();
        out.flush();
    }

    private static long count(List<AnswerRecord> answers) {
        return answers.stream().map(answer -> answer.key().index()).distinct().count();
    }

    private static OptionalDouble mean(List<AnswerRecord> answers, Method method) {
        return answers.stream()
                .filter(answer -> answer.key().method().equals(method))
                .mapToDouble(AnswerRecord::score)
                .average();
    }

    private static void cell(PrintWriter out, Method method, OptionalDouble score) {
        String text = score.isPresent() ? Quantity.share(score.getAsDouble()) : "-";
        out.printf("  %" + method.label().length() + "s", text);
    }
}
