package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every command whose output cannot be written: a message, exit code 1, and no work after the
/// loss.
class LostOutputTest {
    private static final String FULL = "No space left on device";

    @TempDir
    Path folder;

    /// Accepts a number of bytes and then always fails.
    private static final class SmallDisk extends OutputStream {
        private int room;
        private int refusals;

        SmallDisk(int room) {
            this.room = room;
        }

        @Override
        public void write(int value) throws IOException {
            if (room-- <= 0) {
                refusals++;
                throw new IOException(FULL);
            }
        }
    }

    /// Commands that print; FOLDER stands for a folder of the test.
    static Stream<String> commands() {
        return Stream.of(
                "--help",
                "--version",
                "run --help",
                "bench e2e --help",
                "run needle-32k hello -n 20",
                "run needle-32k hello -n 2 --json",
                "run needle-32k hello --chat -n 2",
                "answer needle-32k FOLDER/rows.jsonl -n 2",
                "tokenize needle-32k hello",
                "tokenize needle-32k hello --json",
                "tokenize needle-32k --decode 1,2",
                "inspect needle-32k",
                "inspect needle-32k --json",
                "backends",
                "backends --json",
                "tasks",
                "completion bash",
                "eval --data ruler/niah_single_2 --length 1k --samples 1 --method full --out FOLDER/e",
                "eval --data ruler/niah_single_2 --length 1k --samples 1 --out FOLDER/j --job-dir FOLDER/jobs",
                "sweep --data ruler/niah_single_2 --length 1k --samples 1 --budgets 64 --ranks 32 --out FOLDER/s",
                "ruler build --length 1k --samples 1 --tasks vt --out FOLDER/r",
                "calibrate needle-32k --tokens 2048 --positions 8 --index codes --budget 64 --mass 0.8",
                "bench e2e --model needle-32k --context 512 --batch 1 --steps 1 --method full",
                "bench e2e --model needle-32k --context 512 --batch 1 --steps 1 --method full --json",
                "demo --tokens 2048 --questions 1 --no-sweep --budget 64 --report FOLDER/d.html",
                "demo --tokens 2048 --questions 1 --no-sweep --budget 64 --report FOLDER/d.html --json");
    }

    @ParameterizedTest
    @MethodSource("commands")
    void endsTheCommandWithAMessage(String line) throws IOException {
        Files.writeString(
                folder.resolve("rows.jsonl"), "{\"key\": 1, \"document\": \"A text.\", \"question\": \"What?\"}\n");
        var disk = new SmallDisk(0);
        Shell.Result result = new Shell().printingTo(disk).run(words(line));
        assertThat(result.err())
                .containsOnlyOnce("shadowkv: standard output cannot be written: " + FULL + ". ")
                .doesNotContain("\tat ", "Exception", "defect");
        assertThat(result.code()).isEqualTo(1);
        assertThat(disk.refusals).isEqualTo(1);
    }

    @Test
    void ofAReportAndAPull() throws IOException {
        Path results = folder.resolve("results");
        new Shell()
                .run(words("eval --data ruler/niah_single_2 --length 1k --samples 1 --method full --out " + results))
                .succeeded();
        for (String more : new String[] {"", " --json"}) {
            Shell.Result result = new Shell().printingTo(new SmallDisk(0)).run(words("report " + results + more));
            assertThat(result.err()).contains("standard output cannot be written: " + FULL);
            assertThat(result.code()).isEqualTo(1);
        }
        try (LoopbackHub hub = new LoopbackHub()) {
            hub.folders.put("models/acme/needle", Fixtures.needleModel());
            Shell.Result result = new Shell()
                    .with("HF_ENDPOINT", hub.endpoint())
                    .with("HF_TOKEN", LoopbackHub.TOKEN)
                    .with("HF_HUB_CACHE", folder.resolve("hub").toString())
                    .printingTo(new SmallDisk(0))
                    .run("pull", "acme/needle");
            assertThat(result.err()).contains("standard output cannot be written: " + FULL);
            assertThat(result.code()).isEqualTo(1);
        }
    }

    /// `logits` prints nothing and is the only command not tested here.
    @Test
    void noCommandIsForgotten() {
        var surroundings = new Surroundings(
                Map.of(), Optional.of(Fixtures.repository()), InputStream.nullInputStream(), false, false, List.of());
        Set<String> all = ShadowKvCommand.commandLine(surroundings, new Cancellation())
                .getSubcommands()
                .keySet();
        Set<String> tried = commands()
                .map(line -> line.split(" ")[0])
                .filter(word -> !word.startsWith("-"))
                .collect(Collectors.toSet());
        tried.addAll(Set.of("report", "pull", "logits", "serve"));
        assertThat(tried).isEqualTo(all);
    }

    @Test
    void stopsGeneratingAtTheFirstWriteThatFails() {
        var disk = new SmallDisk(3);
        long start = System.nanoTime();
        Shell.Result result =
                new Shell().printingTo(disk).run("run", "needle-32k", "hello", "-n", 20_000, "--ignore-eos");
        assertThat(result.err()).contains("standard output cannot be written: " + FULL);
        assertThat(result.code()).isEqualTo(1);
        assertThat(disk.refusals).isEqualTo(1);
        // Reading 20,000 tokens would take minutes.
        assertThat(System.nanoTime() - start).isLessThan(60_000_000_000L);
    }

    @Test
    void keepsTheAnswersOfAnEvaluation() throws IOException {
        String line =
                "eval --data ruler/niah_single_2 --length 1k --samples 1 --method full --out " + folder.resolve("e");
        new Shell().printingTo(new SmallDisk(0)).run(words(line));
        assertThat(Files.readString(folder.resolve("e/answers.jsonl"))).endsWith("}\n");
        assertThat(new Shell().run(words(line)).succeeded().out()).contains("ruler/niah_single_2", "report: ");
    }

    private Object[] words(String line) {
        return Stream.of(line.split(" "))
                .map(word -> word.replace("FOLDER", folder.toString()))
                .toArray();
    }
}
