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

/// Files on the command line that cannot be read or written: the message names the file and says
/// what to do.
class UserFileTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "run needle-32k --file FOLDER",
                "tokenize needle-32k --file FOLDER",
                "tokenize needle-32k --chat FOLDER",
                "logits needle-32k --ids FOLDER --out x.safetensors"
            })
    void aFolderIsNoText(String line) {
        shadowkv((Object[]) line.replace("FOLDER", folder.toString()).split(" "))
                .refused(1, "shadowkv: " + folder + ": is a folder; give the name of a file in it");
    }

    @Test
    void aFileThatIsNotThere() {
        Path file = folder.resolve("nothing");
        shadowkv("run", "needle-32k", "--file", file).refused(1, file + ": no such file. Check the name");
    }

    /// A region of memory that is not mapped; the system's message for it names no file.
    @Test
    void whatTheSystemCannotReadIsNamed() {
        shadowkv("run", "needle-32k", "--file", "/proc/self/mem")
                .refused(1, "shadowkv: /proc/self/mem: Input/output error");
    }

    @Test
    void aFullDiskIsNamed() throws IOException {
        Path results = Files.createDirectory(folder.resolve("results"));
        Path log = Files.createSymbolicLink(results.resolve("answers.jsonl"), Path.of("/dev/full"));
        shadowkv(
                        "eval",
                        "--data",
                        "ruler/niah_single_2",
                        "--length",
                        "1k",
                        "--samples",
                        1,
                        "--method",
                        "full",
                        "--out",
                        results)
                .refused(1, "shadowkv: " + log + ": an answer cannot be written: No space left on device");

        Path report = Files.createSymbolicLink(folder.resolve("demo.html.part"), Path.of("/dev/full"));
        Shell.Result demo = shadowkv(
                "demo", "--tokens", 2048, "--questions", 1, "--no-sweep", "--report", folder.resolve("demo.html"));
        assertThat(demo.err()).contains(folder.resolve("demo.html") + ": No space left on device");
        assertThat(demo.code()).isEqualTo(1);
        assertThat(demo.out()).as("what was measured").contains("1 of 1");
        assertThat(report).doesNotExist();

        shadowkv(
                        "bench",
                        "e2e",
                        "--model",
                        "needle-32k",
                        "--context",
                        512,
                        "--batch",
                        1,
                        "--steps",
                        1,
                        "--method",
                        "full",
                        "--out",
                        "/dev/full")
                .refused(1, "shadowkv: /dev/full: No space left on device");

        Path rows = Files.createDirectories(folder.resolve("rows"));
        Path settings = Files.createSymbolicLink(rows.resolve("ruler-build.json"), Path.of("/dev/full"));
        shadowkv("ruler", "build", "--length", "1k", "--samples", 1, "--tasks", "vt", "--out", rows)
                .refused(1, "shadowkv: " + settings + ": No space left on device");
        shadowkv("ruler", "build", "--length", "1k", "--samples", 1, "--tasks", "vt", "--out", rows)
                .succeeded();
    }
}
