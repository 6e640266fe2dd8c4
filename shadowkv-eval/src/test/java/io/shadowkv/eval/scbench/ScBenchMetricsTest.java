package io.shadowkv.eval.scbench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.infinitebench.InfiniteBenchMetrics;
import io.shadowkv.eval.infinitebench.PublishedRows;
import io.shadowkv.eval.text.JsonRow;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class ScBenchMetricsTest {
    private static final Map<String, Metric> METRICS = Map.of(
            "kv_retrieval", ScBenchMetrics.of("scbench_kv"),
            "longdialogue_qa_eng", ScBenchMetrics.of("scbench_many_shot"),
            "scbench_vt", ScBenchMetrics.of("scbench_vt"),
            "math_find", ScBenchMetrics.of("scbench_mf"));
    private static final String ADD = "def add(a, b):\n    return a + b\n";
    private static final String SUB = "def sub(a, b):\n    return a - b\n";

    /// The output of `get_score_one` of SCBench's script.
    static Stream<JsonRow> rows() {
        return PublishedRows.of(InfiniteBenchMetrics.class, "metrics.jsonl")
                .filter(row -> row.text("suite").equals("scbench"));
    }

    static Stream<JsonRow> functions() {
        return PublishedRows.of(ScBenchMetricsTest.class, "bleu.jsonl");
    }

    @ParameterizedTest
    @MethodSource("rows")
    void scoresEqualTheScripts(JsonRow row) {
        assertThat(METRICS.get(row.text("task")).score(row.text("prediction"), row.texts("references")))
                .isCloseTo(Double.parseDouble(row.text("score")), within(1e-9));
    }

    /// The output of the script's `get_score_one` for labels that are one string.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            scbench_many_shot | (A) | The answer is (A). | 1 | 1.0
            scbench_many_shot | (A) | day | 0 | 1.0
            scbench_many_shot | (E) | I would say (b) | 0 | 1.0
            scbench_many_shot | (A) | (b | 0 | 1.0
            scbench_many_shot | (A) | bcd | 0 | 0.0
            scbench_qa_chn | 胡一刀 | 胡一刀 | 1 | 0.5
            scbench_qa_chn | 胡一刀 | 刀 | 0.5 | 1.0
            scbench_qa_chn | 苗人凤 | 是胡斐。 | 0 | 0.0
            scbench_vt | A1 | a1 | 1 | 1.0
            scbench_vt | A1B | a | 0 | 0.33
            """)
    void stringLabelsAreReadInTwoWays(String part, String label, String answer, double whole, double script) {
        List<Metric> metrics = ScBenchMetrics.of(part, true);
        assertThat(metrics.getFirst().score(answer, List.of(label))).isCloseTo(whole, within(1e-9));
        assertThat(metrics.getLast().score(answer, List.of(label))).isCloseTo(script, within(1e-9));
        assertThat(ScBenchMetrics.of(part, false)).hasSize(1);
        assertThat(ScBenchMetrics.of("scbench_kv", true)).hasSize(1);
        assertThat(metrics.getLast().score(answer, List.of(""))).isZero();
    }

    @ParameterizedTest
    @MethodSource("functions")
    void similarityOfFunctionsIsTheirs(JsonRow row) {
        assertThat(Bleu.similarity(row.text("candidate"), row.text("reference")))
                .isCloseTo(Double.parseDouble(row.text("score")), within(1e-12));
    }

    @Test
    void aFunctionIsRightWhereNoOtherIsCloser() {
        var both = List.of(new RepoQa.Function("add", ADD), new RepoQa.Function("sub", SUB));
        Metric metric = new RepoQa("sub", both).metric();
        assertThat(metric.score(SUB, List.of(SUB))).isEqualTo(1);
        assertThat(metric.score("Here it is:\n```python\n" + SUB + "```\nand more words", List.of(SUB)))
                .isEqualTo(1);
        assertThat(metric.score("```\n" + ADD + "```\n```\n" + SUB + "```", List.of(SUB)))
                .isZero();
        assertThat(metric.score(ADD, List.of(SUB))).isZero();
        // The most similar one, but with a similarity below 0.8.
        assertThat(metric.score("def sub(a, b):\n    pass", List.of(SUB))).isZero();
        assertThat(metric.score("", List.of(SUB))).isZero();
    }
}
