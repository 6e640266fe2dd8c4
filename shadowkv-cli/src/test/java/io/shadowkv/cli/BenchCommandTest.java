package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `bench e2e` with the bundled model and short texts, on the CPU.
final class BenchCommandTest {
    @TempDir
    private Path folder;

    private static Object[] e2e(Object... more) {
        Object[] common = {
            "bench",
            "e2e",
            "--model",
            "needle-32k",
            "--batch",
            2,
            "--steps",
            3,
            "--warmup",
            1,
            "--profiled-steps",
            2,
            "--budget",
            64,
            "--outliers",
            4,
            "--rank",
            32,
            "--generated-tokens",
            32
        };
        return java.util.stream.Stream.of(common, more)
                .flatMap(java.util.Arrays::stream)
                .toArray();
    }

    @Test
    void bothMethodsAreMeasuredAtEveryLength() throws IOException {
        Path file = folder.resolve("e2e.jsonl");
        JsonNode all = shadowkv(e2e("--context", "1k,700", "--clone-prefill", "--json", "--out", file))
                .json();
        assertThat(all.get("runs")).hasSize(4);
        for (JsonNode run : all.get("runs")) {
            boolean selects = run.get("method").asString().equals("shadowkv");
            String what = run.toString();
            assertThat(run.get("batch").asInt()).as(what).isEqualTo(2);
            assertThat(run.get("tokens_per_second").asDouble()).as(what).isPositive();
            assertThat(run.at("/prefill/prompts").asInt()).as(what).isEqualTo(1);
            assertThat(run.at("/prefill/attention_seconds").asDouble()).as(what).isPositive();
            assertThat(run.at("/prefill/index_seconds").asDouble() > 0).as(what).isEqualTo(selects);
            assertThat(run.at("/step/part_ms/linears").asDouble()).as(what).isPositive();
            assertThat(run.at("/step/part_ms/attention").asDouble()).as(what).isPositive();
            for (String part : List.of("score", "select", "fetch", "rebuild")) {
                assertThat(run.at("/step/part_ms/" + part).isMissingNode())
                        .as(part + " of " + what)
                        .isNotEqualTo(selects);
            }
            assertThat(run.get("hit_rate").isNull()).as(what).isNotEqualTo(selects);
            assertThat(run.at("/memory/measured_device_bytes").asLong())
                    .as(what)
                    .isCloseTo(
                            run.at("/memory/planned_device_bytes").asLong(),
                            org.assertj.core.data.Percentage.withPercentage(3));
            assertThat(run.at("/memory/measured_host_bytes").asLong())
                    .as(what)
                    .isEqualTo(run.at("/memory/planned_host_bytes").asLong());
            assertThat(run.at("/bytes_per_step/memory").asLong()).as(what).isPositive();
        }
        assertThat(all.get("speed_ups")).hasSize(2);
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(4);
        assertThat(JsonMapper.shared().readTree(lines.getFirst())).isEqualTo(all.at("/runs/0"));
    }

    /// The share is that of the key blocks: 1,900 tokens have 15 blocks, of which 6 are always kept.
    @Test
    void aForcedDensityIsKept() {
        JsonNode run = shadowkv(e2e(
                        "--context",
                        1900,
                        "--method",
                        "full",
                        "--prefill",
                        "blocks",
                        "--prefill-from",
                        500,
                        "--prefill-density",
                        0.6,
                        "--json"))
                .json()
                .at("/runs/0");
        assertThat(run.get("forced_density").asDouble()).isEqualTo(0.6);
        assertThat(run.at("/prefill/density").asDouble()).isBetween(0.55, 0.9);
        assertThat(run.at("/prefill/density_by_layer").size()).isPositive();
        assertThat(run.at("/prefill/selection_seconds").asDouble()).isPositive();
        shadowkv(e2e("--context", 600, "--prefill-density", 0.6))
                .refused(2, "--prefill-density is given without --prefill blocks");
        shadowkv(e2e("--context", 600, "--prefill", "blocks", "--prefill-density", 1.5))
                .refused(2, "density of sparse prefill is 1.5; expected more than 0, at most 1");
    }

    @Test
    void aTableForPeople() {
        Shell.Result result = shadowkv(e2e("--context", 600, "--hit-rate", 0.6)).succeeded();
        assertThat(result.out())
                .contains(
                        "needle-32k, a checkpoint, ",
                        "synthetic (--hit-rate 0.6)",
                        "600 tokens",
                        "full attention",
                        "time to first token",
                        "tokens per second",
                        "ShadowKV compared with full attention: ");
        assertThat(result.out().lines())
                .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(100));
    }

    @Test
    void aForcedHitRateIsKept() {
        JsonNode run = shadowkv(e2e("--context", 900, "--method", "shadowkv", "--hit-rate", 0.6, "--json"))
                .json()
                .at("/runs/0");
        assertThat(run.get("hit_rate").asDouble()).isBetween(0.5, 0.7);
        assertThat(run.get("forced_hit_rate").asDouble()).isEqualTo(0.6);
    }

    @Test
    void refusesWhatDoesNotFit() {
        shadowkv(e2e("--context", "32k"))
                .refused(1, "32,768 tokens and 7 for the steps exceed the context of needle-32k");
        shadowkv(e2e("--context", 600, "--memory", "1M")).refused(1, "need", "available are 1,048,576 bytes");
        shadowkv(e2e("--context", 600, "--out", folder)).refused(2, "--out is " + folder + ", which cannot be written");
        shadowkv("bench", "e2e", "--model", "nothing-there", "--context", 600)
                .refused(1, "nothing-there: no such folder");
    }

    /// Full attention does not fit; ShadowKV does, and is measured all the same.
    @Test
    void aMethodThatFailsDoesNotTakeTheOtherWithIt() throws IOException {
        Path file = folder.resolve("e2e.jsonl");
        Shell.Result result = shadowkv(e2e("--context", "2k", "--memory", "31M", "--clone-prefill", "--out", file));
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out())
                .contains("tokens a second", "full attention failed; the message on standard error says why")
                .doesNotContain("over full attention");
        assertThat(result.out().lines().filter(line -> line.startsWith("2,048 tokens")))
                .singleElement()
                .asString()
                .endsWith("ShadowKV")
                .doesNotContain("full");
        assertThat(result.err())
                .contains(
                        "shadowkv: full attention at 2,048 tokens was not measured: ", "available are 32,505,856 bytes")
                .doesNotContain("\tat ", "defect");
        assertThat(Files.readAllLines(file)).hasSize(1);
    }

    @Test
    void interruptedItKeepsNothingHalf() {
        Shell.Result result = new Shell().cancelled().run(e2e("--context", 600));
        result.refused(1, "interrupted; the results of finished runs are kept");
    }
}
