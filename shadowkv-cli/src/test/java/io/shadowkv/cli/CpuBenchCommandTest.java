package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// `bench cpu` with the bundled model and short texts.
class CpuBenchCommandTest {
    private static Object[] cpu(Object... more) {
        List<Object> arguments = new ArrayList<>(
                List.of("bench", "cpu", "--model", "needle-32k", "--steps", 2, "--warmup-rounds", 0, "--context", 300));
        arguments.addAll(List.of(more));
        return arguments.toArray();
    }

    @Test
    void measuresEveryMethodLengthAndBatchInEachRound(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("cpu.jsonl");
        String shadow = "--budget=64 --outliers=4 --rank=32 --generated-tokens=32";
        Object[] options = cpu("--batch", "1,2", "--rounds", 3, "--out", file);
        List<Object> all = new ArrayList<>(List.of(options));
        all.addAll(List.of(shadow.split(" ")));
        String out = shadowkv(all.toArray()).succeeded().out();
        assertThat(out)
                .contains("median of 3 rounds")
                .containsPattern("300 +1 +full attention +[\\d.]+ \\([\\d.]+ to [\\d.]+\\)")
                .containsPattern("300 +2 +ShadowKV .* \\d+ %");
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(4);
        for (String line : lines) {
            JsonNode run = JsonMapper.shared().readTree(line);
            assertThat(run.get("benchmark").asString()).isEqualTo("cpu");
            assertThat(run.get("prompt_tokens_per_second")).hasSize(3);
            assertThat(run.get("answer_tokens_per_second"))
                    .hasSize(3)
                    .allSatisfy(speed -> assertThat(speed.asDouble()).isPositive());
        }
    }

    @Test
    void refusesWhatItDoesNotMeasure() {
        shadowkv(cpu("--backend", "reference")).refused(2, "--backend is reference", "Leave the option out");
        shadowkv(cpu("--rounds", 0)).refused(2, "--rounds is 0", "expected 1 or more");
        shadowkv(cpu("--batch", "2,2")).refused(2, "--batch is [2, 2]", "different numbers");
        shadowkv(cpu("--context", "40k")).refused(1, "exceed the context of needle-32k", "smaller --context");
    }
}
