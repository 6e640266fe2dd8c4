package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Calibration of the bundled model on a short text.
final class CalibrateCommandTest {
    private static final Object[] SHORT = {
        "calibrate", "needle-32k", "--backend", "cpu", "--tokens", 1024, "--positions", 8, "--budget", 32
    };

    @TempDir
    private Path folder;

    private static Shell.Result calibrate(Object... more) {
        Object[] all = java.util.Arrays.copyOf(SHORT, SHORT.length + more.length);
        System.arraycopy(more, 0, all, SHORT.length, more.length);
        return shadowkv(all);
    }

    /// The proposal is an option that other commands take.
    @ParameterizedTest
    @ValueSource(strings = {"landmarks", "codes"})
    void proposesBudgetsThatHoldTheShare(String index) throws IOException {
        Path file = folder.resolve("calibration.json");
        String outliers = index.equals("codes") ? "--generated-tokens=256" : "--outliers=8";
        Shell.Result result = calibrate("--index", index, outliers, "--mass", 0.9, "--out", file)
                .succeeded();
        JsonNode found = JsonMapper.shared().readTree(Files.readString(file));
        assertThat(found.at("/index").asString()).isEqualTo(index);
        assertThat(found.at("/positions").asInt()).isEqualTo(8);
        assertThat(found.at("/goal/mass").asDouble()).isEqualTo(0.9);
        assertThat(found.at("/layers").size()).isGreaterThan(3);
        for (JsonNode layer : found.at("/layers")) {
            int doublings = Integer.numberOfTrailingZeros(layer.at("/times").asInt());
            assertThat(layer.at("/held_at_doublings/" + doublings).asDouble()).isGreaterThanOrEqualTo(0.9);
            assertThat(layer.at("/budget").asInt()).isEqualTo(32 << doublings);
            assertThat(layer.at("/step_bytes").asLong()).isPositive();
        }
        assertThat(found.at("/proposed/mean_kl").asDouble())
                .isLessThanOrEqualTo(found.at("/current/mean_kl").asDouble());
        String budgets = found.at("/layer_budgets").asString();
        assertThat(result.out())
                .contains("needle-32k, index " + index + ", budget 32 tokens", "1x", "8x")
                .endsWith("--layer-budgets " + budgets + System.lineSeparator());
        shadowkv("inspect", "needle-32k", "--index", index, "--budget", 32, "--layer-budgets", budgets)
                .succeeded();
    }

    /// At the latest with everything, which is full attention.
    @Test
    void aGoalOfDivergenceIsMet() {
        JsonNode found = calibrate("--index", "codes", "--kl", 100, "--json").json();
        assertThat(found.at("/layer_budgets").asString()).isEmpty();
        JsonNode all = calibrate("--index", "codes", "--rank", 4, "--kl", 1e-9, "--json")
                .json();
        assertThat(all.at("/proposed/mean_kl").asDouble()).isLessThan(1e-9);
        assertThat(all.at("/current/mean_kl").asDouble()).isGreaterThan(1e-9);
    }

    @Test
    void readsAFile() throws IOException {
        Path text = Files.writeString(folder.resolve("text.txt"), "The grass is green. The sky is blue. ".repeat(120));
        String out = calibrate("--index", "codes", "--file", text).succeeded().out();
        assertThat(out).contains("the last 8 of 1,024 tokens", "KL divergence from full attention");
        Path little = Files.writeString(folder.resolve("little.txt"), "The grass is green. ".repeat(10));
        calibrate("--index", "codes", "--file", little).refused(1, "is kept whole, and nothing is selected from it");
    }

    @Test
    void refusesWhatDoesNotFitAndEndsWhenInterrupted() {
        shadowkv("calibrate", "needle-32k", "--tokens", "64k")
                .refused(1, "--tokens is 65,536", "32,768", "Lower --tokens");
        Object[] line = java.util.Arrays.copyOf(SHORT, SHORT.length);
        new Shell().cancelled().run(line).refused(1, "interrupted; nothing was measured");
    }
}
