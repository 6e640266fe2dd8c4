package io.shadowkv.spark;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.FakeExaminer;
import io.shadowkv.eval.worker.EvalJob;
import io.shadowkv.eval.worker.FakeWorkerMain;
import io.shadowkv.eval.worker.FakeWorkerMain.InjectedFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// A job with one sample that makes workers fail.
final class FaultyJob {
    static final EvalPlan PLAN = FakeExaminer.plan(8);
    static final Item ITEM = new Item("a/x", 5);

    private FaultyJob() {}

    static EvalJob job(Path folder, InjectedFault trouble, int times) {
        return new EvalJob(PLAN, PLAN.items(), FakeWorkerMain.command(8, folder, trouble, ITEM, times), 60);
    }

    /// The answers of a run in a single process.
    static List<AnswerRecord> expected() {
        return new FakeExaminer(PLAN).examine(PLAN.items(), _ -> true, _ -> {});
    }

    /// Waits for the worker that blocks until it is killed.
    static ProcessHandle await(Path folder) {
        try {
            while (true) {
                try (Stream<Path> files = Files.list(folder)) {
                    Optional<String> waiting = files.map(
                                    file -> file.getFileName().toString())
                            .filter(name -> name.endsWith(".waiting"))
                            .findAny();
                    if (waiting.isPresent()) {
                        return ProcessHandle.of(Long.parseLong(waiting.get().replace(".waiting", "")))
                                .orElseThrow();
                    }
                }
                Thread.sleep(5);
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
