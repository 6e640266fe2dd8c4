package io.shadowkv.cli.eval;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.statistics.PublishedNumbers;
import io.shadowkv.eval.statistics.ScoreGroups;
import io.shadowkv.report.plot.Quantity;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/// Scores by task and method, for the terminal; the report has more detail.
final class EvalTable {
    /// With more methods than this, each method gets its own line, because lines would be too long.
    private static final int MOST_COLUMNS = 4;

    private static final int LEAST_WIDTH = 30;

    private EvalTable() {}

    /// @param answers the answers at one length
    /// @param leftOut samples that could not be asked
    static void print(int contextTokens, List<AnswerRecord> answers, List<LeftOut> leftOut, PrintWriter out) {
        Set<Method> methods = new LinkedHashSet<>();
        Map<String, List<AnswerRecord>> tasks = new LinkedHashMap<>();
        List<AnswerRecord> judged =
                answers.stream().filter(AnswerRecord::isJudged).toList();
        for (AnswerRecord answer : judged) {
            methods.add(answer.key().method());
            tasks.computeIfAbsent(answer.key().task(), _ -> new ArrayList<>()).add(answer);
        }
        String title = String.format("at %,d tokens", contextTokens);
        if (methods.size() <= MOST_COLUMNS) {
            wide(title, tasks, methods, out);
        } else {
            tall(title, tasks, methods, out);
        }
        groups(ScoreGroups.of(judged), methods, out);
        LeftOut.sentences(leftOut).forEach(sentence -> out.println("note: " + sentence));
        PublishedNumbers.notes(answers).forEach(note -> out.println("note: " + note));
        out.println();
        out.flush();
    }

    private static void wide(
            String title, Map<String, List<AnswerRecord>> tasks, Set<Method> methods, PrintWriter out) {
        String first = "%-" + width(tasks.keySet()) + "s %8s";
        out.printf(first, title, "samples");
        methods.forEach(method -> out.printf("  %s", method.label()));
        out.println();
        tasks.forEach((task, ofTask) -> {
            out.printf(first, task, samples(ofTask));
            methods.forEach(method -> cell(out, method, mean(ofTask, method)));
            out.println();
        });
        if (tasks.size() > 1) {
            out.printf(first, "mean of tasks", "");
            methods.forEach(method -> cell(out, method, meanOfTasks(tasks, method)));
            out.println();
        }
    }

    /// Scores grouped as the suites' own scripts print them.
    private static void groups(List<ScoreGroups.Group> groups, Set<Method> methods, PrintWriter out) {
        if (groups.isEmpty()) {
            return;
        }
        Set<String> names = new LinkedHashSet<>();
        groups.forEach(group -> names.add(name(group)));
        out.println();
        if (methods.size() <= MOST_COLUMNS) {
            String first = "%-" + width(names) + "s %8s";
            out.printf(first, "grouped as by the suite's script", "answers");
            methods.forEach(method -> out.printf("  %s", method.label()));
            out.println();
            for (ScoreGroups.Group group : groups) {
                out.printf(first, name(group), count(group, methods));
                methods.forEach(method ->
                        cell(out, method, Arrays.stream(group.scores(method)).average()));
                out.println();
            }
        } else {
            String row = "%-" + width(names) + "s %-36s %8s  %s%n";
            out.printf(row, "grouped as by the suite's script", "", "answers", "score");
            for (ScoreGroups.Group group : groups) {
                methods.forEach(method -> out.printf(
                        row,
                        name(group),
                        method.label(),
                        group.scores(method).length,
                        text(Arrays.stream(group.scores(method)).average())));
            }
        }
    }

    private static String name(ScoreGroups.Group group) {
        return group.of() + " " + group.name();
    }

    private static int count(ScoreGroups.Group group, Set<Method> methods) {
        return methods.stream()
                .mapToInt(method -> group.scores(method).length)
                .max()
                .orElse(0);
    }

    private static int width(Set<String> tasks) {
        return Math.max(
                LEAST_WIDTH, tasks.stream().mapToInt(String::length).max().orElse(0));
    }

    private static void cell(PrintWriter out, Method method, OptionalDouble score) {
        out.printf("  %" + method.label().length() + "s", text(score));
    }

    private static void tall(
            String title, Map<String, List<AnswerRecord>> tasks, Set<Method> methods, PrintWriter out) {
        String row = "%-" + width(tasks.keySet()) + "s %-36s %8s  %s%n";
        out.printf(row, title, "", "samples", "score");
        tasks.forEach((task, ofTask) -> methods.forEach(
                method -> out.printf(row, task, method.label(), samples(ofTask), text(mean(ofTask, method)))));
        if (tasks.size() > 1) {
            methods.forEach(
                    method -> out.printf(row, "mean of tasks", method.label(), "", text(meanOfTasks(tasks, method))));
        }
    }

    private static long samples(List<AnswerRecord> answers) {
        return answers.stream().map(answer -> answer.key().index()).distinct().count();
    }

    private static OptionalDouble mean(List<AnswerRecord> answers, Method method) {
        return answers.stream()
                .filter(answer -> answer.key().method().equals(method))
                .mapToDouble(AnswerRecord::score)
                .average();
    }

    private static OptionalDouble meanOfTasks(Map<String, List<AnswerRecord>> tasks, Method method) {
        return tasks.values().stream()
                .map(ofTask -> mean(ofTask, method))
                .flatMapToDouble(OptionalDouble::stream)
                .average();
    }

    private static String text(OptionalDouble score) {
        return score.isPresent() ? Quantity.share(score.getAsDouble()) : "-";
    }
}
