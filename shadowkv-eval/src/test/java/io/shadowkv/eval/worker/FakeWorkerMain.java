package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.FakeExaminer;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// A worker without a model that can be told to fail.
///
/// Arguments: number of samples of the plan; a folder that all workers share; the [InjectedFault];
/// the task and the index of the sample that triggers it; and how often it happens in all workers
/// together. A worker creates the file `PID.worker` in the folder, `device-N` if it was given a
/// device, and `PID.waiting` when it waits.
public final class FakeWorkerMain {
    /// The kind of failure.
    public enum InjectedFault {
        NONE,
        /// Ends without a message.
        HALT,
        /// Waits until it is killed; ignores the end of its input.
        WAIT,
        /// Takes [#SLOW] for the sample.
        SLOW,
        /// Prints a line that is not a message.
        BABBLE,
        /// Fails in a way that another process may not.
        FAIL,
        /// Reports that the request is wrong.
        REFUSE,
        /// Reports that the sample cannot be asked.
        LEAVE_OUT,
        /// Ends before it is ready.
        NO_START,
        /// Is never ready.
        NEVER_READY,
        /// Reports another backend.
        OTHER_BACKEND
    }

    /// Longer than the silence that tests allow.
    static final Duration SLOW = Duration.ofSeconds(4);

    private static final Duration BEAT = Duration.ofMillis(100);

    private final Path folder;
    private final InjectedFault trouble;
    private final Item culprit;
    private final int times;

    private FakeWorkerMain(List<String> args) {
        this.folder = Path.of(args.get(1));
        this.trouble = InjectedFault.valueOf(args.get(2));
        this.culprit = new Item(args.get(3), Integer.parseInt(args.get(4)));
        this.times = Integer.parseInt(args.get(5));
    }

    /// The command that starts such a worker.
    public static List<String> command(int samples, Path folder, InjectedFault trouble, Item culprit, int times) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        List<String> command = new ArrayList<>(List.of(java.toString(), "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), FakeWorkerMain.class.getName()));
        command.addAll(List.of("" + samples, folder.toString(), trouble.name(), culprit.task()));
        command.addAll(List.of("" + culprit.index(), "" + times));
        return command;
    }

    public static void main(String[] args) throws IOException {
        new FakeWorkerMain(List.of(args)).work(List.of(args));
    }

    private void work(List<String> args) throws IOException {
        var loop = new WorkerLoop(System.in, WorkerLoop.takeStandardOutput(), () -> {}, BEAT);
        System.out.println("this is not a message");
        note("worker");
        if (args.size() > 7 && args.get(6).equals("--device")) {
            Files.writeString(folder.resolve("device-" + args.get(7)), "");
        }
        if (trouble == InjectedFault.NO_START) {
            System.err.println("the device has no memory left");
            System.exit(3);
        }
        if (trouble == InjectedFault.NEVER_READY) {
            waitForTheEnd();
        }
        EvalPlan plan = FakeExaminer.plan(Integer.parseInt(args.get(0)));
        String backend = trouble == InjectedFault.OTHER_BACKEND ? "cpu" : plan.backend();
        loop.serve(new Ready(plan.model(), backend, plan.kvType()), new FakeExaminer(plan, this::before));
    }

    private void note(String what) throws IOException {
        Files.writeString(folder.resolve(ProcessHandle.current().pid() + "." + what), "");
    }

    private void before(Item item) {
        try {
            if (item.equals(culprit) && isNextTime()) {
                injectFault();
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /// True if the failure has happened less often than requested, in all processes together.
    private boolean isNextTime() throws IOException {
        for (int i = 0; i < times; i++) {
            try {
                Files.createFile(folder.resolve("trouble-" + i));
                return true;
            } catch (FileAlreadyExistsException _) {
                // It has happened already.
            }
        }
        return false;
    }

    private void injectFault() throws IOException {
        switch (trouble) {
            case HALT -> Runtime.getRuntime().halt(137);
            case WAIT -> waitForTheEnd();
            case SLOW -> LockSupport.parkNanos(SLOW.toNanos());
            case BABBLE ->
                new java.io.FileOutputStream(java.io.FileDescriptor.out).write("{\"answers\":[1\n".getBytes());
            case FAIL -> throw new IllegalStateException("the device failed");
            case REFUSE -> throw new IllegalArgumentException("the text is too short");
            case LEAVE_OUT -> throw new SampleRefusal(culprit, "the text is too long");
            default -> {}
        }
    }

    private void waitForTheEnd() throws IOException {
        note("waiting");
        while (true) {
            LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
        }
    }
}
