package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.OpenItem;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// An examiner in another process, whose crash does not affect this one.
///
/// For one thread at a time. After a failure only [#close] may be called.
public final class WorkerProcess implements Examiner {
    private static final long MILLIS_BETWEEN_LOOKS = 50;
    private static final Duration GONE_WITHIN = Duration.ofSeconds(5);
    private static final String NOT_READY =
            "was not ready after %d s. Give it more time, or find out what it waits for";
    private static final String SILENT = "sent no message for %d s, not even that it is alive, and is killed";

    private final WorkerCommand command;
    private final EvalPlan plan;
    private final BooleanSupplier isCancelled;
    private final Process process;
    private final OutputTail outputTail;
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

    /// Starts a worker and waits until it is ready.
    ///
    /// @param plan the plan of its questions; it must have the plan's model, backend and type
    /// @param errors receives the lines of its standard error, each after the worker's name, on
    ///     another thread
    /// @param isCancelled checked while waiting
    /// @throws ExaminerFailure if it does not start, ends, or is not ready in time
    /// @throws IllegalArgumentException if its model, backend or type differs from the plan's
    /// @throws CancellationException if cancelled meanwhile
    public static WorkerProcess start(
            WorkerCommand command, EvalPlan plan, Consumer<String> errors, BooleanSupplier isCancelled) {
        WorkerProcess worker;
        try {
            Process process = new ProcessBuilder(command.command()).start();
            worker = new WorkerProcess(command, plan, process, errors, isCancelled);
        } catch (IOException e) {
            throw new ExaminerFailure(
                    command.name() + " cannot be started: " + e.getMessage() + "; the command was "
                            + String.join(" ", command.command()),
                    e);
        }
        try {
            worker.awaitReady();
        } catch (RuntimeException | Error e) {
            worker.close();
            throw e;
        }
        return worker;
    }

    private WorkerProcess(
            WorkerCommand command,
            EvalPlan plan,
            Process process,
            Consumer<String> errors,
            BooleanSupplier isCancelled) {
        this.command = command;
        this.plan = plan;
        this.process = process;
        this.isCancelled = isCancelled;
        this.outputTail = new OutputTail(command.name() + ": ", errors);
        Thread.ofPlatform().name(command.name() + " output").daemon().start(() -> {
            LineReader.forEach(process.getInputStream(), line -> lines.add(Optional.of(line)));
            lines.add(Optional.empty());
        });
        outputTail.follow(process.getErrorStream());
    }

    private void awaitReady() {
        WorkerMessages.Message message = next(command.readyWithin(), NOT_READY);
        if (!(message instanceof WorkerMessages.Started(Ready ready))) {
            throw failure(
                    "began with \"" + message.kind() + "\" instead of \"ready\"", new IOException(message.kind()));
        }
        if (ready.protocol() != Ready.PROTOCOL) {
            throw new IllegalArgumentException(command.name() + " uses version " + ready.protocol()
                    + " of the protocol, this run uses version " + Ready.PROTOCOL + ". Use the same build for both");
        }
        Ready wanted = new Ready(plan.model(), plan.backend(), plan.kvType());
        if (!ready.equals(wanted)) {
            throw new IllegalArgumentException(command.name() + " has " + describe(ready) + "; the run needs "
                    + describe(wanted) + ". Start it with the options of the run");
        }
    }

    private static String describe(Ready ready) {
        return ready.model() + " on " + ready.backend() + " with " + ready.kvType();
    }

    @Override
    public List<AnswerRecord> examine(List<Item> items, Wanted wanted, Listener listener) {
        List<OpenItem> asked = new ArrayList<>();
        for (Item item : items) {
            List<Method> methods = plan.methods().stream()
                    .filter(method -> wanted.isWanted(plan.key(item, method)))
                    .toList();
            if (!methods.isEmpty()) {
                asked.add(new OpenItem(item, methods));
            }
        }
        if (asked.isEmpty()) {
            return List.of();
        }
        send(new WorkerMessages.Ask(asked));
        while (true) {
            switch (next(command.silentWithin(), SILENT)) {
                case WorkerMessages.Reading(Double done) -> listener.reading(done);
                case WorkerMessages.Answers(List<AnswerRecord> answers) -> {
                    plan.checkAnswered(asked, answers);
                    return answers.stream()
                            .filter(answer -> wanted.isWanted(answer.key()))
                            .toList();
                }
                case WorkerMessages.Failed(Fault fault) -> throw refusal(fault);
                case WorkerMessages.Message other ->
                    throw failure("sent \"" + other.kind() + "\" as an answer", new IOException(other.kind()));
            }
        }
    }

    private RuntimeException refusal(Fault fault) {
        Item refused = fault.refused();
        if (refused != null) {
            return new SampleRefusal(refused, fault.message());
        }
        return fault.isMistake()
                ? new IllegalArgumentException(fault.message())
                : failure("failed: " + fault.message(), new IOException(fault.message()));
    }

    private void send(WorkerMessages.Message message) {
        byte[] line = (WorkerMessages.line(message) + "\n").getBytes(StandardCharsets.UTF_8);
        toInput(input -> {
            input.write(line);
            input.flush();
        });
    }

    /// An action on the worker's input.
    private interface InputAction {
        void apply(OutputStream input) throws IOException;
    }

    /// Runs on a thread of its own: a worker that hangs does not read, and a full pipe would block
    /// the caller.
    private void toInput(InputAction action) {
        Thread.ofPlatform().name(command.name() + " input").daemon().start(() -> {
            try {
                action.apply(process.getOutputStream());
            } catch (IOException _) {
                // The pipe is broken because the worker has ended, which the end of its output
                // reports too.
            }
        });
    }

    /// Waits for the next message; `alive` messages only extend the wait.
    ///
    /// The wait is counted in polls, so that time in which this process is stopped (Ctrl-Z) does
    /// not count.
    ///
    /// @param silence time limit for any message
    /// @param complaint message after a longer silence, with a placeholder for the seconds
    private WorkerMessages.Message next(Duration silence, String complaint) {
        long looks = silence.toMillis() / MILLIS_BETWEEN_LOOKS;
        try {
            for (long left = looks; left > 0; left--) {
                if (isCancelled.getAsBoolean()) {
                    throw new CancellationException(command.name() + " was not awaited: the run was cancelled");
                }
                Optional<String> line = lines.poll(MILLIS_BETWEEN_LOOKS, TimeUnit.MILLISECONDS);
                if (line != null) {
                    WorkerMessages.Message message =
                            WorkerMessages.parse(line.orElseThrow(() -> ended(new EOFException("end of its output"))));
                    if (!(message instanceof WorkerMessages.Alive)) {
                        return message;
                    }
                    left = looks;
                }
            }
            throw failure(complaint.formatted(silence.toSeconds()), new IOException("timeout"));
        } catch (IOException e) {
            throw failure("wrote " + e.getMessage() + ". Only a worker's answers may go to its standard output", e);
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

    private ExaminerFailure failure(String what, Exception cause) {
        return new ExaminerFailure(command.name() + " " + what + outputTail.quoted(), cause);
    }

    /// The process id.
    public long pid() {
        return process.pid();
    }

    /// Ends the process by closing its input; kills it if it does not end in time.
    @Override
    public void close() {
        toInput(OutputStream::close);
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
