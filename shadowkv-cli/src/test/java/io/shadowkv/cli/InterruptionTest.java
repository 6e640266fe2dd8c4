package io.shadowkv.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.Fixtures;
import io.shadowkv.eval.run.AnswerLog;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Sends Ctrl-C and the termination signal to a real process. Where the backend does not matter, it is
/// the reference backend, which the JVM compiles in a fraction of the time.
@Order(1)
class InterruptionTest {
    private static final int EXIT_BY_SIGINT = 130;
    private static final int EXIT_BY_SIGTERM = 143;

    @TempDir
    Path temporary;

    @Test
    void endsAnAnswerWithWhatWasGenerated() throws Exception {
        Path err = temporary.resolve("err.txt");
        Process process = start(
                err, "run", "needle-32k", "Once upon a time", "-n", "100000", "--ignore-eos", "--backend", "reference");
        try (BufferedReader out = process.inputReader()) {
            // The first characters show that generation has begun.
            assertThat(out.read()).isNotEqualTo(-1);
            interrupt(process);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(process.exitValue()).isEqualTo(EXIT_BY_SIGINT);
        assertThat(Files.readString(err)).containsPattern("generated [\\d,]+ at .*; interrupted\\R$");
    }

    @Test
    void saysThatThePromptWasNotRead() throws Exception {
        Path text = Files.writeString(temporary.resolve("long.txt"), "The quick brown fox jumps. ".repeat(2_000));
        Path err = temporary.resolve("err.txt");
        Process process = start(
                err,
                "run",
                "needle-32k",
                "--file",
                text.toString(),
                "--progress",
                "--backend",
                "reference",
                "--prefill-rows",
                "16");
        for (int i = 0; i < 3_000 && !Files.readString(err).contains(" tokens: "); i++) {
            Thread.sleep(20);
        }
        interrupt(process);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(EXIT_BY_SIGINT);
        assertThat(process.getInputStream().readAllBytes()).isEmpty();
        assertThat(Files.readString(err))
                .containsPattern("shadowkv: interrupted while reading [\\d,]+ tokens; nothing was generated\\R$")
                .doesNotContain("Infinity", "tok/s");
    }

    /// Statistics of work that did not happen are null.
    @Test
    void theFiguresOfAnInterruptedReadingAreUnknown() {
        JsonNode json = new Shell()
                .cancelled()
                .run("run", "needle-32k", "hello", "--json")
                .json();
        assertThat(json.get("finish").asString()).isEqualTo("cancelled");
        assertThat(json.get("generated_tokens").asInt()).isZero();
        assertThat(json.at("/timings/prefill_seconds").isNull()).isTrue();
        assertThat(json.at("/timings/seal_seconds").isNull()).isTrue();
    }

    @Test
    void aRequestToEndKeepsTheAnswersOfAnEvaluation() throws Exception {
        Path out = temporary.resolve("results");
        String[] command = {
            "eval",
            "--data",
            "ruler/niah_single_2",
            "--length",
            "1k",
            "--samples",
            "40",
            "--method",
            "full",
            "--out",
            out.toString()
        };
        Path log = out.resolve("answers.jsonl");
        Process process = start(temporary.resolve("err.txt"), command);
        for (int i = 0; i < 3_000 && (!Files.exists(log) || Files.size(log) == 0); i++) {
            Thread.sleep(20);
        }
        signal(process, "TERM");
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(EXIT_BY_SIGTERM);
        assertThat(Files.readString(temporary.resolve("err.txt"))).contains("run the same command to resume");
        assertThat(Files.readString(log)).endsWith("}\n");
        int kept = AnswerLog.read(log).size();
        assertThat(kept).isBetween(1, 39);
        command[6] = Integer.toString(kept + 1);
        Shell.shadowkv((Object[]) command).succeeded();
        assertThat(AnswerLog.read(log)).hasSize(kept + 1);
    }

    @Test
    void endsAChatThatWaitsForALineAtOnce() throws Exception {
        Path err = temporary.resolve("err.txt");
        Process process = start(
                err, ProcessBuilder.Redirect.PIPE, "run", "needle-32k", "--chat", "-n", "2", "--backend", "reference");
        try (var in = process.outputWriter();
                BufferedReader out = process.inputReader()) {
            in.write("hello\n/stats\n");
            in.flush();
            assertThat(out.readLine()).isNotNull();
            for (int i = 0; i < 3_000 && !Files.readString(err).contains(" tokens used; "); i++) {
                Thread.sleep(20);
            }
            assertThat(err).content().contains(" tokens used; ");
            interrupt(process);
            // Much less than the time that a busy command gets to end.
            assertThat(process.waitFor(15, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(process.exitValue()).isEqualTo(EXIT_BY_SIGINT);
    }

    @Test
    void leavesNoHalfWrittenFile() throws Exception {
        Path ids = Files.writeString(temporary.resolve("ids.json"), "[" + "5, ".repeat(8_000) + "5]");
        Path err = temporary.resolve("err.txt");
        Path folder = Files.createDirectory(temporary.resolve("out"));
        Process process = start(
                err,
                "logits",
                "needle-32k",
                "--ids",
                ids.toString(),
                "--positions",
                "all",
                "--prefill",
                "1",
                "--backend",
                "reference",
                "--out",
                folder.resolve("logits.safetensors").toString());
        for (int i = 0; i < 600 && Shell.names(folder).isEmpty(); i++) {
            Thread.sleep(50);
        }
        assertThat(Shell.names(folder)).hasSize(1);
        interrupt(process);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(EXIT_BY_SIGINT);
        assertThat(Files.readString(err)).contains("interrupted; ", " was not written");
        assertThat(Shell.names(folder)).isEmpty();
    }

    private static Process start(Path err, String... arguments) throws IOException {
        return start(err, ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()), arguments);
    }

    private static Process start(Path err, ProcessBuilder.Redirect input, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(heedingInterrupts());
        command.addAll(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--add-modules",
                "jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "-Dshadowkv.home=" + Fixtures.repository(),
                "-cp",
                System.getProperty("java.class.path"),
                "io.shadowkv.cli.Main"));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectError(err.toFile())
                .redirectInput(input)
                .start();
    }

    /// A background build ignores SIGINT and so do the processes that it starts; GNU's env restores
    /// the default.
    private static List<String> heedingInterrupts() throws IOException {
        List<String> prefix = List.of("env", "--default-signal=INT");
        List<String> trial = new ArrayList<>(prefix);
        trial.add("true");
        try {
            return new ProcessBuilder(trial).start().waitFor() == 0 ? prefix : List.of();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static void interrupt(Process process) throws Exception {
        signal(process, "INT");
    }

    private static void signal(Process process, String name) throws Exception {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }
}
