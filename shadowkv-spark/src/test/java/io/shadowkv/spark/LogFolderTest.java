package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.LeftOut;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.RunFile;
import io.shadowkv.eval.run.RunInfo;
import io.shadowkv.eval.worker.EvalJob;
import io.shadowkv.eval.worker.FakeWorkerMain.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is compared before a cluster adds answers to a log.
final class LogFolderTest {
    private static final List<String> PASSES = List.of("sh", "-c", "exit 0");

    @TempDir
    Path folder;

    private final List<String> notes = new ArrayList<>();

    private Path log() {
        return folder.resolve("answers.jsonl");
    }

    private static RunInfo run(String weights) {
        EvalPlan plan = Culprit.PLAN;
        return new RunInfo(
                "title",
                "shadowkv eval fake",
                "unknown",
                plan.model(),
                Map.of(),
                "a machine",
                plan.backend(),
                plan.kvType(),
                plan.tasks(),
                List.of(plan.contextTokens()),
                plan.samples(),
                plan.seed(),
                plan.methods(),
                Map.of("weights", weights),
                "2026-11-30T08:00:00Z",
                List.of());
    }

    private static EvalJob job(int contextTokens, List<String> check, @Nullable RunInfo run) {
        EvalPlan plan = Culprit.PLAN;
        var atLength = new EvalPlan(
                plan.model(),
                plan.backend(),
                plan.kvType(),
                plan.tasks(),
                contextTokens,
                plan.samples(),
                plan.seed(),
                plan.methods());
        return new EvalJob(atLength, plan.items(), List.of("worker"), 60, check, run);
    }

    private static EvalJob job(List<String> check, @Nullable RunInfo run) {
        return job(Culprit.PLAN.contextTokens(), check, run);
    }

    private void check(EvalJob job) {
        try (AnswerLog log = AnswerLog.open(log())) {
            new LogFolder(job, log(), notes::add).check(log);
        }
    }

    private void answer() {
        try (AnswerLog log = AnswerLog.open(log())) {
            log.append(Culprit.expected());
        }
    }

    @Test
    void aLogIsNotContinuedWithOtherWeights() throws IOException {
        check(job(PASSES, run("0123")));
        answer();
        check(job(PASSES, run("0123")));
        String before = Files.readString(folder.resolve("run.json"));
        assertThatThrownBy(() -> check(job(PASSES, run("4567"))))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("weights was 0123, is 4567")
                .hasMessageContaining("Give another folder");
        assertThat(folder.resolve("run.json")).hasContent(before);
        assertThat(notes).isEmpty();
    }

    /// The command is given the log, and its words are passed on; Spark does not start.
    @Test
    void aLogIsNotContinuedWithOtherPrompts() throws IOException {
        answer();
        EvalJob job = job(List.of("sh", "-c", "echo \"$0 holds answers to other prompts\" >&2; exit 1"), run("0123"));
        assertThatThrownBy(() -> check(job))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("exit code 1: " + log() + " holds answers to other prompts");
        Path file = folder.resolve("job.json");
        job.write(file);
        String before = Files.readString(log());
        assertThat(SparkEval.run(List.of(file.toString(), log().toString()))).isEqualTo(2);
        assertThat(log()).hasContent(before.strip());
    }

    @Test
    void aCommandThatCannotBeStartedIsNamed() {
        assertThatThrownBy(() -> check(job(List.of(folder.resolve("none").toString()), run("0123"))))
                .hasMessageContaining("the job's check command cannot be started")
                .hasMessageContaining(folder.resolve("none").toString());
    }

    @Test
    void whatIsNotComparedIsSaid() {
        EvalJob job = Culprit.job(folder, Trouble.NONE, 0);
        check(job);
        assertThat(notes).isEmpty();
        answer();
        check(job);
        assertThat(notes).hasSize(2).allMatch(note -> note.contains(log().toString()));
        assertThat(folder.resolve("run.json")).doesNotExist();
    }

    /// Jobs of one command at several lengths share a folder.
    @Test
    void whatWasLeftOutStandsInTheRunFile() {
        var at4k = new LeftOut("a/x", 4096, 5, "too long");
        var at8k = new LeftOut("b/y", 8192, 1, "too short");
        leaveOut(4096, at4k);
        leaveOut(8192, at8k);
        assertThat(RunFile.read(folder.resolve("run.json")).leftOut()).containsExactly(at4k, at8k);
        leaveOut(4096);
        assertThat(RunFile.read(folder.resolve("run.json")).leftOut()).containsExactly(at8k);
    }

    private void leaveOut(int contextTokens, LeftOut... samples) {
        EvalJob job = job(contextTokens, PASSES, run("0123"));
        check(job);
        answer();
        new LogFolder(job, log(), notes::add).leftOut(List.of(samples));
    }

    @Test
    void anInterruptedComparisonEnds() {
        answer();
        try (AnswerLog log = AnswerLog.open(log())) {
            var logFolder = new LogFolder(job(List.of("sh", "-c", "exec sleep 1000"), null), log(), notes::add);
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> logFolder.check(log)).isInstanceOf(CancellationException.class);
            assertThat(Thread.interrupted()).as("the thread stays interrupted").isTrue();
        }
    }
}
