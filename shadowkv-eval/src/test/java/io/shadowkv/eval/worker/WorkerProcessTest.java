package io.shadowkv.eval.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.run.AnswerLog;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.EvalRun;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.FakeExaminer;
import io.shadowkv.eval.run.RecordingWatcher;
import io.shadowkv.eval.worker.FakeWorkerMain.InjectedFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Uses real child processes, some of which fail.
@Order(1)
final class WorkerProcessTest {
    private static final int SAMPLES = 10;
    private static final EvalPlan PLAN = FakeExaminer.plan(SAMPLES);
    private static final Item CULPRIT = new Item("a/x", 5);
    private static final Duration SILENT_WITHIN = FakeWorkerMain.SLOW.dividedBy(2);

    @TempDir
    Path folder;

    private final AtomicBoolean isCancelled = new AtomicBoolean();
    private final RecordingWatcher watcher = new RecordingWatcher();
    private final List<String> errors = Collections.synchronizedList(new ArrayList<>());

    private Supplier<Examiner> worker(String name, InjectedFault trouble, int times, Duration readyWithin) {
        List<String> command = FakeWorkerMain.command(SAMPLES, folder, trouble, CULPRIT, times);
        return () -> WorkerProcess.start(
                new WorkerCommand(name, command, readyWithin, SILENT_WITHIN, Duration.ofMillis(300)),
                PLAN,
                errors::add,
                isCancelled::get);
    }

    private Supplier<Examiner> worker(InjectedFault trouble, int times) {
        return worker("worker 0", trouble, times, Duration.ofMinutes(1));
    }

    private List<AnswerRecord> run(List<Supplier<Examiner>> openers) {
        try (AnswerLog log = AnswerLog.open(folder.resolve("log"))) {
            return new EvalRun(PLAN, log, EvalRun.Options.ofBatch(3), watcher, isCancelled::get)
                    .run(PLAN.items(), openers);
        }
    }

    private static List<AnswerRecord> expected() {
        return new FakeExaminer(PLAN).examine(PLAN.items(), _ -> true, _ -> {});
    }

    private List<Long> pids(String what) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith("." + what))
                    .map(name -> Long.valueOf(name.substring(0, name.indexOf('.'))))
                    .toList();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private long awaitWaiting() throws InterruptedException {
        while (pids("waiting").isEmpty()) {
            Thread.sleep(5);
        }
        return pids("waiting").getFirst();
    }

    @AfterEach
    void noWorkerIsLeft() {
        assertThat(pids("worker").stream().map(ProcessHandle::of).flatMap(java.util.Optional::stream))
                .noneMatch(ProcessHandle::isAlive);
    }

    /// Something that happens to a worker.
    private interface Interference {
        void befall(long pid) throws IOException, InterruptedException;
    }

    /// Runs two workers. One of them waits in the middle of the run, and `mishap` happens to it.
    private void losesNothingAndCountsNothingTwice(Interference mishap) throws IOException {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                mishap.befall(awaitWaiting());
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Supplier<Examiner> second = worker("worker 1", InjectedFault.WAIT, 1, Duration.ofMinutes(1));
        assertThat(run(List.of(worker(InjectedFault.WAIT, 1), second))).isEqualTo(expected());
        assertThat(Files.readAllLines(folder.resolve("log"))).hasSize(expected().size());
        assertThat(watcher.failed)
                .singleElement()
                .satisfies(items -> assertThat(items).contains(CULPRIT));
    }

    @Test
    void aWorkerThatIsKilledLosesNothingAndNothingCountsTwice() throws Exception {
        losesNothingAndCountsNothingTwice(
                pid -> ProcessHandle.of(pid).orElseThrow().destroyForcibly());
        assertThat(watcher.read).contains(1.0).hasSizeGreaterThan(SAMPLES);
        assertThat(errors).contains("worker 0: this is not a message", "worker 1: this is not a message");
    }

    @Test
    void aWorkerThatIsStoppedLosesNothingAndNothingCountsTwice() throws Exception {
        losesNothingAndCountsNothingTwice(WorkerProcessTest::stop);
        assertThat(watcher.failures)
                .singleElement()
                .satisfies(
                        message -> assertThat(message).contains("sent no message for 2 s, not even that it is alive"));
    }

    private static void stop(long pid) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-STOP", Long.toString(pid))
                        .start()
                        .waitFor())
                .isZero();
    }

    @Test
    void aWorkerThatTakesLongIsWaitedFor() {
        assertThat(run(List.of(worker(InjectedFault.SLOW, 1)))).isEqualTo(expected());
        assertThat(watcher.failures).isEmpty();
    }

    @Test
    void aStoppedWorkerDoesNotBlockTheRun() throws Exception {
        List<Item> fillThePipe =
                IntStream.range(0, 2000).mapToObj(i -> new Item("a/x", i)).toList();
        try (Examiner stopped = worker(InjectedFault.NONE, 0).get()) {
            stop(pids("worker").getFirst());
            assertThatThrownBy(() -> stopped.examine(fillThePipe, _ -> true, _ -> {}))
                    .isInstanceOf(ExaminerFailure.class)
                    .hasMessageContaining("sent no message for 2 s");
        }
    }

    @Test
    void aWorkerThatEndsAtTheStartSaysWhy() {
        assertThatThrownBy(() -> run(List.of(worker(InjectedFault.NO_START, 1))))
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("worker 0 ended with exit code 3")
                .hasMessageContaining("the device has no memory left");
    }

    @Test
    void aCommandThatDoesNotExistIsShown() {
        Supplier<Examiner> none = () -> WorkerProcess.start(
                new WorkerCommand("worker 0", List.of(folder + "/none", "x"), Duration.ofSeconds(1)),
                PLAN,
                errors::add,
                isCancelled::get);
        assertThatThrownBy(none::get)
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("worker 0 cannot be started")
                .hasMessageEndingWith(folder + "/none x");
    }

    @Test
    void aWorkerThatIsNeverReadyIsKilled() throws Exception {
        assertThatThrownBy(worker("worker 0", InjectedFault.NEVER_READY, 1, Duration.ofSeconds(1))::get)
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("was not ready after 1 s");
    }

    @Test
    void aWorkerOfAnotherKindIsRefused() {
        assertThatThrownBy(worker(InjectedFault.OTHER_BACKEND, 1)::get)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("worker 0 has fake on cpu with BF16; the run needs fake on none with BF16");
    }

    @Test
    void aSampleThatEndsEveryWorkerIsNamed() throws IOException {
        assertThatThrownBy(() -> run(List.of(worker(InjectedFault.HALT, 9))))
                .isInstanceOf(ExaminerFailure.class)
                .hasMessageContaining("sample 5 of a/x was asked 3 times")
                .hasMessageContaining("exit code 137");
        assertThat(Files.readAllLines(folder.resolve("log")))
                .as("samples 0 to 4")
                .hasSize(2 + 4 + 2 + 4 + 2);
    }

    @Test
    void aMalformedMessageIsAFailure() {
        assertThat(run(List.of(worker(InjectedFault.BABBLE, 1)))).isEqualTo(expected());
        assertThat(watcher.failures)
                .singleElement()
                .satisfies(message -> assertThat(message)
                        .contains("wrote \"{\"answers\":[1\", which is not a message")
                        .contains("this is not a message"));
    }

    @Test
    void aWorkersFailureDiffersFromAWrongRequest() {
        try (Examiner failing = worker(InjectedFault.FAIL, 1).get()) {
            assertThatThrownBy(() -> failing.examine(List.of(CULPRIT), _ -> true, _ -> {}))
                    .isInstanceOf(ExaminerFailure.class)
                    .hasMessageContaining("worker 0 failed: the device failed");
        }
        try (Examiner refusing = worker(InjectedFault.REFUSE, 2).get()) {
            assertThatThrownBy(() -> refusing.examine(List.of(CULPRIT), _ -> true, _ -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("the text is too short");
        }
    }

    @Test
    void aSampleThatAWorkerCannotBeAskedIsLeftOut() {
        assertThat(run(List.of(worker(InjectedFault.LEAVE_OUT, 1))))
                .isEqualTo(expected().stream()
                        .filter(answer ->
                                !new Item(answer.key().task(), answer.key().index()).equals(CULPRIT))
                        .toList());
        assertThat(watcher.leftOut).containsExactly(CULPRIT);
        assertThat(pids("worker")).as("workers that were started").hasSize(1);
    }

    @Test
    void onlyWhatIsWantedIsAsked() {
        try (Examiner examiner = worker(InjectedFault.NONE, 0).get()) {
            List<Item> items = List.of(CULPRIT, new Item("b/y", 0));
            assertThat(examiner.examine(items, key -> key.method().equals(FakeExaminer.SHADOW), _ -> {}))
                    .hasSize(3)
                    .allMatch(answer -> !answer.key().method().equals(Method.FULL));
            assertThat(examiner.examine(items, _ -> false, _ -> {})).isEmpty();
        }
    }

    @Test
    void aCancelledRunEndsItsWorkersAndTheNextAsksOnlyWhatIsMissing() throws Exception {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                awaitWaiting();
                isCancelled.set(true);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThatThrownBy(() -> run(List.of(worker(InjectedFault.WAIT, 1))))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("3 of 20 samples");
        noWorkerIsLeft();
        isCancelled.set(false);
        watcher.read.clear();
        assertThat(run(List.of(worker(InjectedFault.NONE, 0)))).isEqualTo(expected());
        assertThat(Files.readAllLines(folder.resolve("log"))).hasSize(expected().size());
        assertThat(watcher.read).as("one report a sample").hasSize(17);
    }
}
