package io.shadowkv.eval.statistics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.Records;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The means that the suites' own scripts print.
final class ScoreGroupsTest {
    private static List<String> lines(AnswerRecord... answers) {
        return ScoreGroups.of(List.of(answers)).stream()
                .map(group -> group.of() + " | " + group.name() + " | "
                        + group.answers().size() + " | "
                        + Arrays.stream(group.scores(Method.FULL)).average().stream()
                                .mapToObj(mean -> Long.toString(Math.round(100 * mean)))
                                .findFirst()
                                .orElse("-"))
                .toList();
    }

    private static AnswerRecord even(int index, String length, double score) {
        return Records.of("longbench-e/trec", index, 0, Map.of("length", length), "classification_score", score);
    }

    /// `scorer_e` of LongBench's eval.py: always three numbers for each task.
    @Test
    void longBenchEHasThreeLengths() {
        assertThat(lines(even(0, "0-4k", 1), even(1, "0-4k", 1), even(2, "0-4k", 1), even(3, "8k+", 0)))
                .containsExactly(
                        "longbench-e/trec | 0-4k | 3 | 100",
                        "longbench-e/trec | 4-8k | 0 | -",
                        "longbench-e/trec | 8k+ | 1 | 0");
        assertThat(lines(Records.of("longbench/trec", 0, 0, Map.of("length", "0-4k"), "classification_score", 1.0)))
                .isEmpty();
    }

    private static AnswerRecord second(String task, int index, String difficulty, double score) {
        String length = task.substring(task.indexOf('/') + 1);
        return Records.of(task, index, 0, Map.of("length", length, "difficulty", difficulty), "accuracy", score);
    }

    /// `result.py`: the mean over all questions, so three short ones weigh more than one long one.
    @Test
    void longBench2IsCountedOverAllQuestions() {
        assertThat(lines(
                        second("longbench-v2/short", 0, "easy", 1),
                        second("longbench-v2/short", 1, "hard", 1),
                        second("longbench-v2/short", 2, "hard", 1),
                        second("longbench-v2/long", 0, "hard", 0)))
                .containsExactly(
                        "longbench-v2 | Overall | 4 | 75",
                        "longbench-v2 | Easy | 1 | 100",
                        "longbench-v2 | Hard | 3 | 67",
                        "longbench-v2 | Short | 3 | 100",
                        "longbench-v2 | Medium | 0 | -",
                        "longbench-v2 | Long | 1 | 0");
    }

    /// Reasoning has no score, and each of the two suites has its own overall score.
    @Test
    void reasoningIsNotCounted() {
        Map<String, String> labels = Map.of("length", "short", "difficulty", "easy");
        assertThat(lines(
                        Records.of("longbench-v2-cot/short", 0, 0, labels),
                        Records.of("longbench-v2-cot/short", 0, 1, labels, "accuracy", 1.0),
                        second("longbench-v2/short", 0, "easy", 0)))
                .contains("longbench-v2-cot | Overall | 1 | 100", "longbench-v2 | Overall | 1 | 0");
    }

    /// `compute_scores.py`: `acc_by_turns`, and with `same_context_different_query` one number for
    /// each metric.
    @Test
    void scBenchIsCountedByTurnAndByMetric() {
        Stream<String> modes = Stream.of("", "@own");
        modes.forEach(mode -> assertThat(lines(
                        Records.of("scbench/scbench_kv" + mode, 0, 0, Map.of(), "kv_retrieval", 1.0),
                        Records.of("scbench/scbench_kv" + mode, 0, 1, Map.of(), "kv_retrieval", 0.0),
                        Records.of("scbench/scbench_kv" + mode, 1, 0, Map.of(), "kv_retrieval", 0.0),
                        Records.of("scbench/scbench_kv" + mode, 1, 1, Map.of(), "kv_retrieval", 0.0)))
                .containsExactly(
                        "scbench/scbench_kv" + mode + " | turn 1 | 2 | 50",
                        "scbench/scbench_kv" + mode + " | turn 2 | 2 | 0"));
        assertThat(lines(
                        Records.of("scbench/scbench_kv@shared", 0, 0, Map.of(), "kv_retrieval", 1.0),
                        Records.of("scbench/scbench_kv@shared", 0, 1, Map.of(), "kv_retrieval", 0.0)))
                .isEmpty();
        AnswerRecord[] mixed = {
            Records.of("scbench/scbench_repoqa_and_kv", 0, 0, Map.of(), "repoqa_pass@1_0.8", 1.0),
            Records.of("scbench/scbench_repoqa_and_kv", 0, 1, Map.of(), "kv_retrieval", 0.0),
            Records.of("scbench/scbench_repoqa_and_kv", 1, 1, Map.of(), "repoqa_pass@1_0.8", 0.0)
        };
        assertThat(lines(mixed))
                .containsExactly(
                        "scbench/scbench_repoqa_and_kv | turn 1, repoqa_pass@1_0.8 | 1 | 100",
                        "scbench/scbench_repoqa_and_kv | turn 2, kv_retrieval | 1 | 0",
                        "scbench/scbench_repoqa_and_kv | turn 2, repoqa_pass@1_0.8 | 1 | 0");
        assertThat(lines(
                        Records.of("scbench/scbench_repoqa_and_kv@shared", 0, 0, Map.of(), "repoqa_pass@1_0.8", 1.0),
                        Records.of("scbench/scbench_repoqa_and_kv@shared", 0, 1, Map.of(), "kv_retrieval", 0.0)))
                .containsExactly(
                        "scbench/scbench_repoqa_and_kv@shared | kv_retrieval | 1 | 0",
                        "scbench/scbench_repoqa_and_kv@shared | repoqa_pass@1_0.8 | 1 | 100");
    }

    /// The groups use the script's metric, so they have its score if a label has two metrics.
    @Test
    void stringLabelsAreTheScripts() {
        AnswerRecord answer = Records.of(
                "scbench/scbench_many_shot",
                0,
                0,
                Map.of(),
                "longdialogue_qa_eng:whole_label",
                0.0,
                "longdialogue_qa_eng",
                1.0);
        assertThat(lines(answer)).containsExactly("scbench/scbench_many_shot | turn 1 | 1 | 100");
        ScoreGroups.Group group = ScoreGroups.of(List.of(answer)).getFirst();
        assertThat(group.metric()).isEqualTo("longdialogue_qa_eng");
        assertThat(group.scores(Method.FULL)[0]).isCloseTo(1, within(1e-12));
    }
}
