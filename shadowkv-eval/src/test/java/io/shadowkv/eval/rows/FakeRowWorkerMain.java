package io.shadowkv.eval.rows;

import io.shadowkv.eval.worker.WorkerLoop;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A worker without a model: the answer to a question is the question and the length of its document.
///
/// Arguments: a folder that all workers share; the [Fault]; the question that triggers it; how often
/// it happens in all workers together. Each document that a worker reads is a line `PID LENGTH` of
/// the file `reads`, and the options of each row are a line of `options`. A worker creates `PID.waiting` when it waits,
/// and `device-N` if it was given a
/// device.
public final class FakeRowWorkerMain {
    /// The kind of failure.
    public enum Fault {
        NONE,
        /// Ends without a message.
        HALT,
        /// Waits until it is killed; ignores the end of its input.
        WAIT,
        /// Reports that the row cannot be answered.
        REFUSE,
        /// Ends before it is ready.
        NO_START
    }

    private static final Duration BEAT = Duration.ofMillis(100);

    private final Path folder;
    private final Fault fault;
    private final String culprit;
    private final int times;
    private @Nullable String document;

    private FakeRowWorkerMain(String[] args) {
        this.folder = Path.of(args[0]);
        this.fault = Fault.valueOf(args[1]);
        this.culprit = args[2];
        this.times = Integer.parseInt(args[3]);
    }

    /// The command that starts such a worker.
    public static List<String> command(Path folder, Fault fault, String culprit, int times) {
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        return new ArrayList<>(List.of(
                java.toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                FakeRowWorkerMain.class.getName(),
                folder.toString(),
                fault.name(),
                culprit,
                "" + times));
    }

    /// The answer that such a worker gives.
    public static String answer(String document, String question) {
        return question + ":" + document.length();
    }

    public static void main(String[] args) throws IOException {
        var out = new PrintStream(WorkerLoop.takeStandardOutput(), false, StandardCharsets.UTF_8);
        System.out.println("this is not a message");
        for (int i = 4; i + 1 < args.length; i++) {
            if (args[i].equals("--device")) {
                Files.writeString(Path.of(args[0]).resolve("device-" + args[i + 1]), "");
            }
        }
        if (args[1].equals(Fault.NO_START.name())) {
            System.err.println("the device has no memory left");
            System.exit(3);
        }
        RowLoop.worker(System.in, () -> {}, BEAT).run(new FakeRowWorkerMain(args).answerer(), line -> {
            out.print(line + "\n");
            out.flush();
        });
    }

    private RowAnswerer answerer() {
        return new RowAnswerer() {
            @Override
            public void ask(RowQuestion row, Listener listener) {
                try {
                    read(row.document());
                    listener.answered(answer(row));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public void awaitAnswers() {}

            @Override
            public void close() {}
        };
    }

    private void read(String wanted) throws IOException {
        if (!wanted.equals(document)) {
            document = wanted;
            append("reads", ProcessHandle.current().pid() + " " + wanted.length());
        }
    }

    private void append(String file, String line) throws IOException {
        Files.writeString(folder.resolve(file), line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private RowAnswer answer(RowQuestion row) throws IOException {
        if (row.options() != null) {
            append("options", row.options());
        }
        if (row.question().equals(culprit) && isNextTime()) {
            switch (fault) {
                case HALT -> Runtime.getRuntime().halt(137);
                case WAIT -> waitForTheEnd();
                case REFUSE -> {
                    return RowAnswer.failed(row.key(), "the text is too long");
                }
                default -> {}
            }
        }
        String answer = answer(row.document(), row.question());
        return new RowAnswer(row.key(), answer, null, "stop", row.document().length(), 0, answer.length());
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

    private void waitForTheEnd() throws IOException {
        Files.writeString(folder.resolve(ProcessHandle.current().pid() + ".waiting"), "");
        while (true) {
            LockSupport.parkNanos(Duration.ofSeconds(1).toNanos());
        }
    }
}
