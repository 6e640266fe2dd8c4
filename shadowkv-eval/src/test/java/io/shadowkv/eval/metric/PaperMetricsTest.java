package io.shadowkv.eval.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Metric;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

final class PaperMetricsTest {
    private static final List<Metric> METRICS = List.of(
            PaperMetrics.NEEDLE_SCORE,
            PaperMetrics.MULTI_NUMBER,
            PaperMetrics.MULTI_WORDS,
            PaperMetrics.STRING_MATCH_PART);

    @ParameterizedTest
    @CsvSource({"needle_score, 430", "multi_number, 141", "multi_words, 140", "string_match_part, 224"})
    void equalsThePapersCode(String name, int rows) {
        Metric metric = METRICS.stream()
                .filter(each -> each.name().equals("paper:" + name))
                .findFirst()
                .orElseThrow();
        Goldens.assertScores(
                Goldens.rows("shadowkv_metrics.jsonl", name, rows),
                row -> metric.score(row.get("prediction").asString(), Goldens.strings(row.get("reference"))));
    }

    @Test
    void normalizesAnswersAsThePapersCode() {
        Goldens.assertOutputs(Goldens.rows("shadowkv_metrics.jsonl", "normalize_answer", 134), Normalization::answer);
        Goldens.assertOutputs(Goldens.rows("shadowkv_metrics.jsonl", "postprocess_pred", 134), PaperMetrics::cleaned);
    }

    @Test
    void everyDatasetHasThePapersMetricAndLength() {
        JsonNode table = Goldens.object("shadowkv_task_table.json");
        assertThat(table.size()).isEqualTo(14);
        for (JsonNode row : table) {
            String dataset = row.get("dataset").asString();
            assertThat(PaperMetrics.of(dataset).name())
                    .as(dataset)
                    .isEqualTo("paper:" + row.get("metric").asString());
            assertThat(PaperMetrics.newTokens(dataset))
                    .as(dataset)
                    .isEqualTo(row.get("max_new_tokens").asInt());
        }
        assertThatThrownBy(() -> PaperMetrics.of("summary")).hasMessageContaining("summary");
    }

    @Test
    void wholeTasksScoreAsThePapersCode() {
        List<JsonNode> rows = Goldens.rows("shadowkv_task_scores.jsonl");
        Map<String, double[]> sums = new LinkedHashMap<>();
        assertThat(rows).hasSize(126);
        Goldens.assertScores(rows, row -> {
            String dataset = row.get("dataset").asString();
            double score = PaperMetrics.of(dataset)
                    .score(row.get("prediction").asString(), Goldens.strings(row.get("outputs")));
            double[] sum = sums.computeIfAbsent(dataset, _ -> new double[2]);
            sum[0] += score;
            sum[1]++;
            return score;
        });
        JsonNode averages = Goldens.object("shadowkv_task_averages.json");
        assertThat(averages.propertyNames()).containsExactlyInAnyOrderElementsOf(sums.keySet());
        sums.forEach((dataset, sum) -> assertThat(
                        Math.abs(sum[0] / sum[1] - averages.get(dataset).asDouble()))
                .as(dataset)
                .isLessThanOrEqualTo(1e-9));
    }

    @Test
    void anEmptyAnswerToAQuestionScoresOne() {
        assertThat(PaperMetrics.STRING_MATCH_PART.score("", List.of("Paris"))).isEqualTo(1);
        assertThat(RulerMetrics.STRING_MATCH_PART.score("", List.of("Paris"))).isZero();
    }

    @Test
    void needsReferences() {
        for (Metric metric : METRICS) {
            assertThatThrownBy(() -> metric.score("a", List.of())).hasMessageContaining("no references");
        }
    }
}
