package io.shadowkv.eval.worker;

import io.shadowkv.eval.run.ExaminerFailure;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// A process that exchanges lines with this one through its standard input and output.
///
/// For one thread at a time. After a failure only [#close] may be called.
public final class LineProcess implements AutoCloseable {
    /// Complaint of a process that was not ready in time, for [#line].
    public static final String NOT_READY = "was not ready after %d s. Give it more time, or find out what it waits for";

    /// Complaint of a process that hangs, for [#line].
    public static final String SILENT = "sent no message for %d s, not even that it is alive, and is killed";

    private static final long MILLIS_BETWEEN_LOOKS = 50;
    private static final Duration GONE_WITHIN = Duration.ofSeconds(5);

    private final WorkerCommand command;
    private final BooleanSupplier isCancelled;
    private final Process process;
    private final OutputTail outputTail;
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();
    private final BlockingQueue<Optional<byte[]>> input = new LinkedBlockingQueue<>();

    /// Starts a process.
    ///
    /// @param errors receives the lines of its standard error, each after the worker's name, on
    ///     another thread
    /// @param isCancelled checked while waiting
    /// @throws ExaminerFailure if it does not start
    public static LineProcess start(WorkerCommand command, Consumer<String> errors, BooleanSupplier isCancelled) {
        try {
            return new LineProcess(command, new ProcessBuilder(command.command()).start(), errors, isCancelled);
        } catch (IOException e) {
            throw new ExaminerFailure(
                    command.name() + " cannot be started: " + e.getMessage() + "; the command was "
                            + String.join(" ", command.command()),
                    e);
        }
    }

    private LineProcess(WorkerCommand command, Process process, Consumer<String> errors, BooleanSupplier isCancelled) {
        this.command = command;
        this.process = process;
        this.isCancelled = isCancelled;
        this.outputTail = new OutputTail(command.name() + ": ", errors);
        Thread.ofPlatform().name(command.name() + " output").daemon().start(() -> {
            LineReader.forEach(process.getInputStream(), line -> lines.add(Optional.of(line)));
            lines.add(Optional.empty());
        });
        Thread.ofPlatform().name(command.name() + " input").daemon().start(this::writeInput);
        outputTail.follow(process.getErrorStream());
    }

    /// Sends a line, after those that were sent before. Returns at once: a process that hangs does
    /// not read, and a full pipe would block the caller.
    public void send(String line) {
        input.add(Optional.of((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    private void writeInput() {
        try (OutputStream pipe = process.getOutputStream()) {
            for (Optional<byte[]> line = input.take(); line.isPresent(); line = input.take()) {
                pipe.write(line.get());
                pipe.flush();
            }
        } catch (IOException _) {
            // The pipe is broken because the process has ended, which the end of its output reports
            // too.
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Waits for the next line.
    ///
    /// The wait is counted in polls, so that time in which this process is stopped (Ctrl-Z) does
    /// not count.
    ///
    /// @param silence time limit
    /// @param complaint message after a longer silence, with a placeholder for the seconds
    /// @throws ExaminerFailure if the process has ended or the time has passed
    /// @throws CancellationException if cancelled meanwhile
    public String line(Duration silence, String complaint) {
        try {
            for (long left = silence.toMillis() / MILLIS_BETWEEN_LOOKS; left > 0; left--) {
                if (isCancelled.getAsBoolean()) {
                    throw new CancellationException(command.name() + " was not awaited: the run was cancelled");
                }
                Optional<String> line = lines.poll(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS);
                if (line != null) {
                    return line.orElseThrow(() -> ended(new EOFException("end of its output")));
                }
            }
            throw failure(complaint.formatted(silence.toSeconds()), new IOException("timeout"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure("was not awaited: the thread was interrupted", e);
        }
    }

    /// The pipe is closed, so the process has ended or is about to end.
    private RuntimeException ended(IOException cause) {
        String how = "closed its pipe";
        try {
            if (process.waitFor(GONE_WITHIN)) {
                outputTail.awaitEnd(GONE_WITHIN);
                how = "ended with exit code " + process.exitValue();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        // An interrupt from the terminal ends the workers as well as the run; that is not a
        // failure.
        return isCancelled.getAsBoolean() ? new CancellationException(command.name() + " " + how) : failure(how, cause);
    }

    /// A failure of this process, with the last lines of its standard error.
    public ExaminerFailure failure(String what, Exception cause) {
        return new ExaminerFailure(command.name() + " " + what + outputTail.quoted(), cause);
    }

    /// The process id.
    public long pid() {
        return process.pid();
    }

    /// Ends the process by closing its input; kills it if it does not end in time.
    @Override
    public void close() {
        input.add(Optional.empty());
        try {
            if (!process.waitFor(command.endWithin())) {
                kill();
                // The next worker needs the memory that the process holds until it has ended.
                process.waitFor(GONE_WITHIN);
            }
        } catch (InterruptedException _) {
            kill();
            Thread.currentThread().interrupt();
        }
    }

    private void kill() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
