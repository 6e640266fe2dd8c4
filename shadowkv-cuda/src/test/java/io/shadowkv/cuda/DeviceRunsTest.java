package io.shadowkv.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Runs of the tests on a device are recorded in `docs/bench/device-runs.jsonl`. The build says what has changed since
/// the last run of all classes, because it cannot show on a machine without a device that this still works.
class DeviceRunsTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /// What only a device can test.
    private static final List<String> WATCHED = List.of(
            "shadowkv-cuda/src/main",
            "shadowkv-core/src/main/java/io/shadowkv/cache",
            "shadowkv-core/src/main/java/io/shadowkv/op",
            "shadowkv-core/src/main/java/io/shadowkv/engine/batch/StepBuilder.java");

    private static final Pattern RUN_OF_ALL = Pattern.compile(
            "\"commit\":\"(?<commit>[0-9a-f]+)\"" + ".*\"selection\":\"\".*\"exit_code\":(?<code>\\d+),\"suites\"");

    @TempDir
    Path temporary;

    /// Never fails because of changes: it prints them.
    @Test
    void saysWhatChangedSinceTheLastRunOnADevice() throws IOException, InterruptedException {
        List<String> lines = Files.readAllLines(ROOT.resolve("docs/bench/device-runs.jsonl"));
        System.out.println("shadowkv-cuda: " + note(lines));
    }

    /// A path that is not there would never change.
    @ParameterizedTest
    @ValueSource(strings = {"cuda", "cache", "op", "engine/batch/StepBuilder.java"})
    void watchesWhatADeviceRuns(String end) {
        assertThat(WATCHED.stream().map(ROOT::resolve))
                .allMatch(Files::exists)
                .anyMatch(path -> path.endsWith(end) || path.startsWith(ROOT.resolve("shadowkv-" + end)));
    }

    private String note(List<String> lines) throws IOException, InterruptedException {
        Matcher last = null;
        for (String line : lines) {
            Matcher run = RUN_OF_ALL.matcher(line);
            last = run.find() ? run : last;
        }
        if (last == null) {
            return "no run of all GPU tests is recorded in docs/bench/device-runs.jsonl; device/test.sh records one";
        }
        String commit = last.group("commit");
        String result = last.group("code").equals("0") ? "passed" : "failed";
        List<String> command = new ArrayList<>(List.of("git", "diff", "--name-only", commit, "--"));
        command.addAll(WATCHED);
        Ran diff = run(ROOT, command);
        if (diff.code() != 0) {
            return "the last run of all GPU tests is of commit " + commit + " and " + result
                    + "; what changed since then is unknown, because git does not say: " + diff.output();
        }
        List<String> changed = diff.output().lines().toList();
        return changed.isEmpty()
                ? "the last run of all GPU tests, of commit " + commit + ", " + result
                        + "; no kernel, cache, operation or step has changed since then"
                : changed.size()
                        + " files of kernels, cuda, cache, op or steps have changed since the last run of all GPU tests ("
                        + commit + ", " + result + "): run device/test.sh. " + String.join(", ", changed);
    }

    @Test
    void theNoteNamesTheCommitOfTheLastRunOfAllClasses() throws IOException, InterruptedException {
        assertThat(note(List.of())).contains("no run of all GPU tests is recorded");
        String head = run(ROOT, List.of("git", "rev-parse", "HEAD")).output();
        String all = line("", 1);
        assertThat(note(List.of(all, line("CudaFloatTest", 0))))
                .as("only a run of all classes counts")
                .contains("0123456789ab", "failed");
        if (head.matches("[0-9a-f]{40}")) {
            assertThat(note(List.of(all, all.replace("0123456789ab", head))))
                    .contains(head)
                    .doesNotContain("git does not say");
        }
    }

    /// A line as `device/record.sh` writes it, of two classes.
    private String line(String selection, int code) throws IOException, InterruptedException {
        Path reports = Files.createDirectories(temporary.resolve("reports"));
        Files.writeString(reports.resolve("CudaFloatTest.txt"), report(12, 0) + "exit code 0\n");
        Files.writeString(reports.resolve("CudaLawsTest-Turns.txt"), report(7, 2) + "exit code 1\n");
        Files.writeString(reports.resolve("Stopped.txt"), "killed\nexit code 124\n");
        Path project = Files.createDirectories(temporary.resolve("project"));
        Files.writeString(project.resolve("commit"), "0123456789ab-dirty\n");
        Path file = temporary.resolve("runs.jsonl");
        Files.deleteIfExists(file);
        Ran ran = run(
                ROOT,
                List.of(
                        "sh",
                        "device/record.sh",
                        reports.toString(),
                        project.toString(),
                        selection,
                        String.valueOf(code),
                        file.toString()));
        assertThat(ran.code()).as(ran.output()).isZero();
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(1);
        return lines.getFirst();
    }

    private static String report(int passed, int failed) {
        return "[         0 tests skipped         ]\n[ %9d tests successful      ]\n[ %9d tests failed          ]\n"
                .formatted(passed, failed);
    }

    @Test
    void aRunBecomesALine() throws IOException, InterruptedException {
        assertThat(line("Cuda(Float|Laws) \"x\"", 1))
                .startsWith("{\"time\":\"")
                .contains("\"commit\":\"0123456789ab\",\"dirty\":true,\"device\":\"")
                .contains("\"selection\":\"Cuda(Float|Laws) \\\"x\\\"\",")
                .contains("\"passed\":19,\"failed\":2,\"skipped\":0,\"exit_code\":1,\"suites\"")
                .contains("{\"name\":\"CudaFloatTest\",\"passed\":12,\"failed\":0,\"skipped\":0,\"exit_code\":0}")
                .contains("{\"name\":\"CudaLawsTest-Turns\",\"passed\":7,\"failed\":2,\"skipped\":0,\"exit_code\":1}")
                .endsWith("{\"name\":\"Stopped\",\"passed\":0,\"failed\":0,\"skipped\":0,\"exit_code\":124}]}");
    }

    private record Ran(int code, String output) {}

    private static Ran run(Path folder, List<String> command) throws IOException, InterruptedException {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return new Ran(process.waitFor(), output);
        } catch (IOException e) {
            return new Ran(127, e.getMessage());
        }
    }
}
