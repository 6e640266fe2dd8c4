package io.shadowkv.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.Watcher;
import io.shadowkv.eval.worker.EvalJob;
import io.shadowkv.eval.worker.FakeWorkerMain.InjectedFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two task slots in this process with real worker processes.
final class LocalClusterTest {
    @TempDir
    Path folder;

    private final List<Watcher.Progress> progress = Collections.synchronizedList(new ArrayList<>());

    private final List<String> leftOut = Collections.synchronizedList(new ArrayList<>());

    private List<AnswerRecord> run(String master, EvalJob job) {
        var conf = new SparkConf()
                .setMaster(master)
                .setAppName("test")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1");
        try (AnswerLog log = AnswerLog.open(folder.resolve("log"));
                var spark = new JavaSparkContext(conf)) {
            return new ClusterRun(job, new ClusterRun.Options(2, 2, "gpu"), progress::add, leftOut::add)
                    .run(spark, log);
        }
    }

    @Test
    void aTaskWhoseWorkerIsKilledIsTriedAgainAndNothingCountsTwice() throws Exception {
        Thread.ofPlatform().daemon().start(() -> FaultyJob.await(folder).destroyForcibly());
        assertThat(run("local[2,3]", FaultyJob.job(folder, InjectedFault.WAIT, 1)))
                .isEqualTo(FaultyJob.expected());
        assertThat(folder.resolve("trouble-0")).as("a worker was killed").exists();
        assertThat(Files.readAllLines(folder.resolve("log")))
                .hasSize(FaultyJob.expected().size());
        assertThat(progress).extracting(Watcher.Progress::done).containsExactly(4, 8, 12, 16);
    }

    /// The other samples of its batch and task are answered without a retry.
    @Test
    void aSampleThatCannotBeAskedIsLeftOut() {
        List<AnswerRecord> others = FaultyJob.expected().stream()
                .filter(answer -> !new Item(answer.key().task(), answer.key().index()).equals(FaultyJob.ITEM))
                .toList();
        assertThat(run("local[2]", FaultyJob.job(folder, InjectedFault.LEAVE_OUT, 9)))
                .isEqualTo(others);
        assertThat(leftOut).containsExactly("the text is too long");
        assertThat(others).hasSizeLessThan(FaultyJob.expected().size());
    }

    @Test
    void aSampleOverWhichEveryTryFailsIsNamedAndTheNextRunAsksOnlyWhatIsMissing() throws IOException {
        assertThatThrownBy(() -> run("local[1,2]", FaultyJob.job(folder, InjectedFault.HALT, 9)))
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("ended with exit code 137")
                .hasMessageContaining("while answering sample 5 of a/x")
                .hasMessageNotContaining("\tat ")
                .hasMessageNotContaining("sample 4");
        assertThat(progress).isNotEmpty();
        assertThat(run("local[2]", FaultyJob.job(folder, InjectedFault.NONE, 0)))
                .isEqualTo(FaultyJob.expected());
        assertThat(progress)
                .extracting(Watcher.Progress::done)
                .as("in both runs")
                .containsExactly(4, 8, 12, 16);
        assertThat(Files.readAllLines(folder.resolve("log")))
                .hasSize(FaultyJob.expected().size());
    }
}
