package io.shadowkv.eval.statistics;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/// The groups of answers whose means the suites' own scripts print, if these are not one mean for
/// each task:
///
/// - LongBench-E: three lengths of each task (THUDM/LongBench, `LongBench/eval.py`, `scorer_e`).
/// - LongBench v2: all questions, and those of each difficulty and length (`result.py`).
/// - SCBench: every turn of a task, and each metric if a task has several (microsoft/MInference,
///   `scbench/compute_scores.py`).
///
/// A group's score is a mean over answers, by the script's metric.
public final class ScoreGroups {
    private static final List<String> LENGTHS = List.of("0-4k", "4-8k", "8k+");

    private ScoreGroups() {}

    /// Answers of all methods that a script groups together.
    ///
    /// @param of name of the task, or of the suite
    /// @param name name of the group, such as `8k+` or `turn 2`
    /// @param metric the script's
    /// @param answers may be empty
    public record Group(String of, String name, String metric, List<AnswerRecord> answers) {
        /// The scores of a method's answers.
        public double[] scores(Method method) {
            return answers.stream()
                    .filter(answer -> answer.key().method().equals(method))
                    .mapToDouble(
                            answer -> Objects.requireNonNull(answer.scores().get(metric)))
                    .toArray();
        }

        private boolean isWholeTask(Collection<AnswerRecord> task) {
            return answers.size() == task.size();
        }
    }

    /// Returns the groups, in the order of the tasks.
    ///
    /// @param answers of one model and length; those without a score are ignored
    public static List<Group> of(Collection<AnswerRecord> answers) {
        Map<String, List<AnswerRecord>> tasks = new LinkedHashMap<>();
        Map<String, List<AnswerRecord>> suites = new LinkedHashMap<>();
        for (AnswerRecord answer : answers) {
            if (answer.isJudged()) {
                String task = answer.key().task();
                tasks.computeIfAbsent(task, _ -> new ArrayList<>()).add(answer);
                suites.computeIfAbsent(suite(task), _ -> new ArrayList<>()).add(answer);
            }
        }
        List<Group> groups = new ArrayList<>();
        suites.forEach((suite, ofSuite) -> {
            if (suite.startsWith("longbench-v2")) {
                groups.addAll(version2(suite, ofSuite));
            }
        });
        tasks.forEach((task, ofTask) -> {
            switch (suite(task)) {
                case "longbench-e" -> groups.addAll(even(task, ofTask));
                case "scbench" -> groups.addAll(turns(task, ofTask));
                default -> {}
            }
        });
        return groups;
    }

    private static String suite(String task) {
        return task.substring(0, Math.max(0, task.indexOf('/')));
    }

    private static List<Group> version2(String suite, List<AnswerRecord> answers) {
        return List.of(
                group(suite, "Overall", answers, _ -> true),
                group(suite, "Easy", answers, answer -> has(answer, "difficulty", "easy")),
                group(suite, "Hard", answers, answer -> !has(answer, "difficulty", "easy")),
                group(suite, "Short", answers, answer -> has(answer, "length", "short")),
                group(suite, "Medium", answers, answer -> has(answer, "length", "medium")),
                group(suite, "Long", answers, answer -> has(answer, "length", "long")));
    }

    private static List<Group> even(String task, List<AnswerRecord> answers) {
        return LENGTHS.stream()
                .map(length -> group(task, length, answers, answer -> has(answer, "length", length)))
                .toList();
    }

    /// Groups by turn, and by metric if there are several. A group that equals the whole task is
    /// left out.
    private static List<Group> turns(String task, List<AnswerRecord> answers) {
        List<String> metrics =
                answers.stream().map(ScoreGroups::scripts).distinct().sorted().toList();
        boolean isByTurn = !task.endsWith("@shared");
        int turns = isByTurn
                ? 1
                        + answers.stream()
                                .mapToInt(answer -> answer.key().turn())
                                .max()
                                .orElse(0)
                : 1;
        List<Group> groups = new ArrayList<>();
        for (int i = 0; i < turns; i++) {
            int turn = i;
            for (String metric : metrics) {
                String name = (isByTurn ? "turn " + (turn + 1) : "")
                        + (isByTurn && metrics.size() > 1 ? ", " : "")
                        + (isByTurn && metrics.size() == 1 ? "" : metric);
                List<AnswerRecord> some = answers.stream()
                        .filter(answer -> !isByTurn || answer.key().turn() == turn)
                        .filter(answer -> scripts(answer).equals(metric))
                        .toList();
                if (!some.isEmpty()) {
                    groups.add(new Group(task, name, metric, some));
                }
            }
        }
        boolean isPlain = answers.stream().allMatch(answer -> answer.scores().size() == 1);
        groups.removeIf(group -> isPlain && group.isWholeTask(answers));
        return groups;
    }

    private static Group group(String of, String name, List<AnswerRecord> answers, Predicate<AnswerRecord> isIn) {
        List<AnswerRecord> some = answers.stream().filter(isIn).toList();
        return new Group(of, name, scripts(answers.getFirst()), some);
    }

    private static boolean has(AnswerRecord answer, String label, String value) {
        return value.equals(answer.labels().get(label));
    }

    /// The script's metric: the last one; if there are two, the first is this project's variant.
    private static String scripts(AnswerRecord answer) {
        return answer.scores().keySet().stream().reduce((_, last) -> last).orElse("");
    }
}
