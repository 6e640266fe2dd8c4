package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.rows.FakeRowWorkerMain.Fault;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.worker.FakeWorkerMain.InjectedFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real master with two workers of one device each; in each test an executor and its worker
/// process are killed.
final class StandaloneClusterTest {
    @TempDir
    static Path clusterFolder;

    private static StandaloneCluster cluster;

    @TempDir
    Path folder;

    @BeforeAll
    static void startCluster() throws IOException, InterruptedException {
        cluster = new StandaloneCluster(clusterFolder, 2);
    }

    @AfterAll
    static void stopCluster() {
        cluster.close();
    }

    /// Submits a program and kills the executor whose worker process waits.
    private int submitAndKill(String name, Class<?> program, List<String> args) throws Exception {
        Thread.ofPlatform().daemon().start(() -> {
            ProcessHandle worker = FaultyJob.await(folder);
            worker.parent().ifPresent(ProcessHandle::destroyForcibly);
            worker.destroyForcibly();
        });
        return cluster.submit(name, program, args);
    }

    @Test
    void anEvaluationLosesNothingAndEveryDeviceHasOneSlot() throws Exception {
        FaultyJob.job(folder, InjectedFault.WAIT, 1).write(folder.resolve("job.json"));
        Path file = folder.resolve("log.jsonl");
        int code = submitAndKill(
                "eval",
                SparkEval.class,
                List.of(
                        folder.resolve("job.json").toString(),
                        file.toString(),
                        "--batch",
                        "2",
                        "--batches-per-task",
                        "1"));
        String said = cluster.log("eval");
        assertThat(code).as(said).isZero();
        assertThat(said)
                .contains(
                        "answered 16 of 16 samples",
                        "has all " + FaultyJob.expected().size() + " answers");
        assertThat(said).as("the executor's death").contains("Lost executor");
        try (AnswerLog log = AnswerLog.open(file)) {
            assertThat(FaultyJob.PLAN.answers(FaultyJob.PLAN.items(), log.answers()))
                    .isEqualTo(FaultyJob.expected());
        }
        assertThat(Files.readAllLines(file)).hasSize(FaultyJob.expected().size());
        assertThat(folder.resolve("device-0")).exists();
        assertThat(folder.resolve("device-1")).exists();
    }

    @Test
    void aTableOfAnswersHasEveryRowOnce() throws Exception {
        Path output = folder.resolve("out");
        int code = submitAndKill(
                "answer",
                SparkAnswer.class,
                List.of(
                        "--input",
                        TableQuestions.json(folder.resolve("rows.json")).toString(),
                        "--format",
                        "json",
                        "--output",
                        output.toString(),
                        "--model",
                        "fake",
                        "--launcher",
                        TableQuestions.launcher(folder, Fault.WAIT, TableQuestions.question(7), 1)
                                .toString(),
                        "--documents-per-task",
                        "1"));
        String said = cluster.log("answer");
        assertThat(code).as(said).isZero();
        assertThat(said).as("the executor's death").contains("Lost executor");
        assertThat(said).contains("has all 24 rows: 24 answers, 0 errors");
        assertThat(TableQuestions.answers(output)).isEqualTo(TableQuestions.expected());
        assertThat(folder.resolve("device-0")).exists();
        assertThat(folder.resolve("device-1")).exists();
    }
}
