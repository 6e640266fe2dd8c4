package io.shadowkv.eval.worker;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.OpenItem;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// An examiner in another process, whose crash does not affect this one.
///
/// For one thread at a time. After a failure only [#close] may be called.
public final class WorkerProcess implements Examiner {
    private final WorkerCommand command;
    private final EvalPlan plan;
    private final LineProcess process;

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
        var worker = new WorkerProcess(command, plan, LineProcess.start(command, errors, isCancelled));
        try {
            worker.awaitReady();
        } catch (RuntimeException | Error e) {
            worker.close();
            throw e;
        }
        return worker;
    }

    private WorkerProcess(WorkerCommand command, EvalPlan plan, LineProcess process) {
        this.command = command;
        this.plan = plan;
        this.process = process;
    }

    private void awaitReady() {
        WorkerMessages.Message message = next(command.readyWithin(), LineProcess.NOT_READY);
        if (!(message instanceof WorkerMessages.Started(Ready ready))) {
            throw process.failure(
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
        process.send(WorkerMessages.line(new WorkerMessages.Ask(asked)));
        while (true) {
            switch (next(command.silentWithin(), LineProcess.SILENT)) {
                case WorkerMessages.Reading(Double done) -> listener.reading(done);
                case WorkerMessages.Answers(List<AnswerRecord> answers) -> {
                    plan.checkAnswered(asked, answers);
                    return answers.stream()
                            .filter(answer -> wanted.isWanted(answer.key()))
                            .toList();
                }
                case WorkerMessages.Failed(Fault fault) -> throw refusal(fault);
                case WorkerMessages.Message other ->
                    throw process.failure("sent \"" + other.kind() + "\" as an answer", new IOException(other.kind()));
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
                : process.failure("failed: " + fault.message(), new IOException(fault.message()));
    }

    /// Waits for the next message; `alive` messages only extend the wait.
    ///
    /// @param silence time limit for any message
    /// @param complaint message after a longer silence, with a placeholder for the seconds
    private WorkerMessages.Message next(Duration silence, String complaint) {
        try {
            while (true) {
                WorkerMessages.Message message = WorkerMessages.parse(process.line(silence, complaint));
                if (!(message instanceof WorkerMessages.Alive)) {
                    return message;
                }
            }
        } catch (IOException e) {
            throw process.failure(
                    "wrote " + e.getMessage() + ". Only a worker's answers may go to its standard output", e);
        }
    }

    /// The process id.
    public long pid() {
        return process.pid();
    }

    /// Ends the process by closing its input; kills it if it does not end in time.
    @Override
    public void close() {
        process.close();
    }
}
