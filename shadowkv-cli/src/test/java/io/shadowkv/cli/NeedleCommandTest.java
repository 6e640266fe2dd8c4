package io.shadowkv.cli;

import static io.shadowkv.cli.Shell.shadowkv;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Counting right answers with the bundled model, at a length it can answer in no time.
final class NeedleCommandTest {
    @TempDir
    private Path folder;

    @Test
    void answersAreKeptAndNotAskedAgain() throws IOException {
        Path file = folder.resolve("answers.jsonl");
        Object[] command = {
            "needle",
            "--tasks",
            "niah_single_2,niah_multikey_2",
            "--length",
            1536,
            "--samples",
            2,
            "--budget",
            256,
            "--outliers",
            8,
            "--rank",
            128,
            "--out",
            file,
            "--progress"
        };
        Shell.Result first = shadowkv(command).succeeded();
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(8);
        assertThat(first.out()).contains("niah_single_2", "2 of 2", "100 %");
        assertThat(first.err()).contains("niah_multikey_2 1, shadowkv: score", "6 of 8 answered");

        Shell.Result second = shadowkv(command).succeeded();
        assertThat(second.out()).isEqualTo(first.out());
        assertThat(second.err()).doesNotContain("score");
        assertThat(Files.readAllLines(file)).isEqualTo(lines);
    }

    @Test
    void refusesWhatMakesNoSense() {
        Path file = folder.resolve("answers.jsonl");
        shadowkv("needle", "--tasks", "niah_single_9", "--out", file).refused(2, "niah_single_9", "niah_multiquery");
        shadowkv("needle", "--samples", 0, "--out", file).refused(2, "0 samples");
        shadowkv("needle", "--length", 40_000, "--out", file).refused(2, "--length is 40,000", "32,768");
        shadowkv("needle", "--length", 100, "--samples", 1, "--out", file)
                .refused(1, "needs at least", "100 were allowed");
        shadowkv("needle", "--rank", 0, "--out", file).refused(2, "rank is 0");
    }
}
