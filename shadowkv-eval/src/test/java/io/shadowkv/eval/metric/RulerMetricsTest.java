package io.shadowkv.eval.metric;

import static io.shadowkv.eval.metric.RulerMetrics.STRING_MATCH_ALL;
import static io.shadowkv.eval.metric.RulerMetrics.STRING_MATCH_PART;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Metric;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;

final class RulerMetricsTest {
    static final List<Metric> METRICS = List.of(STRING_MATCH_ALL, STRING_MATCH_PART);

    /// RULER prints the mean of a file in percent, rounded to two decimals of the binary value.
    @ParameterizedTest
    @FieldSource("METRICS")
    void equalsTheOfficialScore(Metric metric) {
        Goldens.assertScores(Goldens.rows("ruler_metrics.jsonl", metric.name(), 120), row -> {
            List<String> answers = Goldens.strings(row.get("predictions"));
            double sum = 0;
            for (int i = 0; i < answers.size(); i++) {
                sum += metric.score(
                        answers.get(i), Goldens.strings(row.get("references").get(i)));
            }
            return new BigDecimal(sum / answers.size() * 100)
                    .setScale(2, RoundingMode.HALF_EVEN)
                    .doubleValue();
        });
    }

    @Test
    void cleansAnswersAsTheOriginal() {
        Goldens.assertOutputs(Goldens.rows("ruler_metrics.jsonl", "postprocess_pred", 94), RulerMetrics::cleaned);
    }

    @Test
    void everyTaskFamilyHasAKnownMetric() {
        for (JsonNode name : Goldens.object("ruler_metric_table.json")) {
            assertThat(METRICS).extracting(Metric::name).contains(name.asString());
        }
    }

    @Test
    void isTheShareOfReferencesFound() {
        assertThat(STRING_MATCH_ALL.score(" 1234567.", List.of("1234567", "7654321", "1111111", "2222222")))
                .isEqualTo(0.25);
        assertThat(STRING_MATCH_PART.score("It is GREEN-hat", List.of("red-hat", "green-HAT")))
                .isEqualTo(1);
        assertThat(STRING_MATCH_ALL.score("", List.of("1"))).isZero();
        assertThat(STRING_MATCH_ALL.score("123 4567", List.of("1234567"))).isZero();
    }

    @Test
    void needsReferences() {
        for (Metric metric : METRICS) {
            assertThatThrownBy(() -> metric.score("a", List.of())).hasMessageContaining("no references");
        }
    }
}
