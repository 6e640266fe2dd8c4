package io.shadowkv.eval.infinitebench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.text.JsonRow;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class InfiniteBenchMetricsTest {
    private static final Map<String, Metric> METRICS = Stream.of(
                    InfiniteBenchMetrics.PASSKEY,
                    InfiniteBenchMetrics.NUMBER_STRING,
                    InfiniteBenchMetrics.KV_RETRIEVAL,
                    InfiniteBenchMetrics.LONGDIALOGUE_QA_ENG,
                    InfiniteBenchMetrics.LONGBOOK_CHOICE_ENG,
                    InfiniteBenchMetrics.LONGBOOK_QA_ENG,
                    InfiniteBenchMetrics.LONGBOOK_QA_CHN,
                    InfiniteBenchMetrics.LONGBOOK_SUM_ENG,
                    InfiniteBenchMetrics.MATH_FIND,
                    InfiniteBenchMetrics.MATH_CALC,
                    InfiniteBenchMetrics.MATH_CALC_GPT4,
                    InfiniteBenchMetrics.CODE_RUN,
                    InfiniteBenchMetrics.CODE_DEBUG)
            .collect(Collectors.toMap(Metric::name, Function.identity()));

    /// The output of `get_score_one` of InfiniteBench's script.
    static Stream<JsonRow> rows() {
        return PublishedRows.of(InfiniteBenchMetricsTest.class, "metrics.jsonl")
                .filter(row -> row.text("suite").equals("infinitebench"));
    }

    @ParameterizedTest
    @MethodSource("rows")
    void scoresEqualTheScripts(JsonRow row) {
        Metric metric = METRICS.get(row.text("task"));
        assertThat(metric.score(row.text("prediction"), row.texts("references")))
                .isCloseTo(Double.parseDouble(row.text("score")), within(1e-9));
    }

    @Test
    void everyMetricIsThere() {
        assertThat(rows().map(row -> row.text("task"))).containsAll(METRICS.keySet());
    }
}
