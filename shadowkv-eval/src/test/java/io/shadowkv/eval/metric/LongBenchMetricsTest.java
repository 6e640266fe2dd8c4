package io.shadowkv.eval.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.shadowkv.eval.Metric;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

final class LongBenchMetricsTest {
    private static final String ROWS = "longbench_metrics.jsonl";

    private static Metric metric(String name, JsonNode row) {
        return switch (name) {
            case "qa_f1_score" -> LongBenchMetrics.QA_F1_SCORE;
            case "qa_f1_zh_score" -> LongBenchMetrics.QA_F1_ZH_SCORE;
            case "rouge_score" -> LongBenchMetrics.ROUGE_SCORE;
            case "rouge_zh_score" -> LongBenchMetrics.ROUGE_ZH_SCORE;
            case "classification_score" ->
                LongBenchMetrics.classificationScore(Goldens.strings(row.get("all_classes")));
            case "retrieval_score" -> LongBenchMetrics.RETRIEVAL_SCORE;
            case "retrieval_zh_score" -> LongBenchMetrics.RETRIEVAL_ZH_SCORE;
            case "count_score" -> LongBenchMetrics.COUNT_SCORE;
            default -> LongBenchMetrics.CODE_SIM_SCORE;
        };
    }

    @ParameterizedTest
    @CsvSource({
        "qa_f1_score, 124",
        "qa_f1_zh_score, 30",
        "rouge_score, 83",
        "rouge_zh_score, 30",
        "classification_score, 50",
        "retrieval_score, 45",
        "retrieval_zh_score, 45",
        "count_score, 45",
        "code_sim_score, 60"
    })
    void equalsTheOfficialScore(String name, int rows) {
        Goldens.assertScores(Goldens.rows(ROWS, name, rows), row -> {
            Metric metric = metric(name, row);
            assertThat(metric.name()).isIn(name, name + "(chars)");
            return metric.score(
                    row.get("prediction").asString(),
                    List.of(row.get("reference").asString()));
        });
    }

    @Test
    void normalizesChineseAsTheOriginal() {
        Goldens.assertOutputs(Goldens.rows(ROWS, "normalize_zh_answer", 48), Normalization::chinese);
    }

    @Test
    void everyTaskHasItsOfficialMetric() {
        JsonNode table = Goldens.object("longbench_metric_table.json");
        assertThat(table.size()).isEqualTo(21);
        for (Map.Entry<String, JsonNode> row : table.properties()) {
            String name = row.getValue().asString();
            assertThat(LongBenchMetrics.of(row.getKey(), List.of(), PythonText::characters)
                            .name())
                    .as(row.getKey())
                    .isEqualTo(name);
        }
        assertThatThrownBy(() -> LongBenchMetrics.of("trivia", List.of(), PythonText::characters))
                .hasMessageContaining("trivia");
    }

    @Test
    void theBestReferenceCounts() {
        assertThat(LongBenchMetrics.QA_F1_SCORE.score("The cat", List.of("dog", "a cat", "cat sat")))
                .isEqualTo(1);
    }

    @Test
    void someTasksLookAtTheFirstLineOnly() {
        String answer = "\n\nParis\nQuestion: where is Rome?";
        List<String> classes = List.of("Rome", "Paris");
        for (String task : List.of("triviaqa", "samsum")) {
            assertThat(LongBenchMetrics.of(task, List.of(), PythonText::characters)
                            .score(answer, List.of("Paris")))
                    .as(task)
                    .isGreaterThan(0.99);
        }
        for (String task : List.of("trec", "lsht")) {
            assertThat(LongBenchMetrics.of(task, classes, PythonText::characters)
                            .score(answer, List.of("Paris")))
                    .as(task)
                    .isEqualTo(1);
        }
        assertThat(LongBenchMetrics.of("hotpotqa", List.of(), PythonText::characters)
                        .score(answer, List.of("Paris")))
                .isLessThan(0.5);
    }

    @Test
    void aReferenceWithoutANumberIsRefused() {
        assertThatThrownBy(() -> LongBenchMetrics.RETRIEVAL_SCORE.score("Paragraph 3", List.of("Section 3")))
                .hasMessageContaining("Section 3");
    }

    /// 你好 is one word here and two characters there.
    @Test
    void anotherSegmenterCountsOtherWords() {
        Segmenter pairs = text -> text.isEmpty() ? List.of() : List.of(text.substring(0, 2), text.substring(2));
        assertThat(LongBenchMetrics.chineseF1("pairs", pairs).score("你好吗", List.of("你好啊")))
                .isEqualTo(0.5);
        assertThat(LongBenchMetrics.QA_F1_ZH_SCORE.score("你好吗", List.of("你好啊"))).isCloseTo(2 / 3.0, offset(1e-12));
    }
}
