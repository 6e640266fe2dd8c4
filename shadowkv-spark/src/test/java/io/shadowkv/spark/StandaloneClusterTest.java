package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.worker.FakeWorkerMain.InjectedFault;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real master with two workers of one device each, one of which is killed.
final class StandaloneClusterTest {
    @TempDir
    Path folder;

    @Test
    void anExecutorThatIsKilledLosesNothingAndEveryDeviceHasOneSlot() throws Exception {
        FaultyJob.job(folder, InjectedFault.WAIT, 1).write(folder.resolve("job.json"));
        Path file = folder.resolve("log.jsonl");
        int code;
        String said;
        try (var cluster = new StandaloneCluster(folder.resolve("spark"), 2)) {
            Thread.ofPlatform().daemon().start(() -> {
                ProcessHandle worker = FaultyJob.await(folder);
                worker.parent().ifPresent(ProcessHandle::destroyForcibly);
                worker.destroyForcibly();
            });
            code = cluster.submit(List.of(
                    folder.resolve("job.json").toString(), file.toString(), "--batch", "2", "--batches-per-task", "1"));
            said = cluster.log("driver");
        }
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
}
