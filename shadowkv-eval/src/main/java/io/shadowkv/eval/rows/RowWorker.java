package io.shadowkv.eval.rows;

import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.worker.LineProcess;
import io.shadowkv.eval.worker.WorkerCommand;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A process that answers rows; see [RowLoop#worker]. Its crash does not affect this process.
///
/// For one thread at a time. After a failure only [#close] may be called.
public final class RowWorker implements AutoCloseable {
    private static final String ALIVE = "{\"alive\":true}";

    private final WorkerCommand command;
    private final LineProcess process;
    private @Nullable String document;

    /// Starts a worker and waits until it is ready.
    ///
    /// @param errors receives the lines of its standard error, on another thread
    /// @param isCancelled checked while waiting
    /// @throws ExaminerFailure if it does not start, ends, or is not ready in time
    /// @throws IllegalArgumentException if it is of another version
    /// @throws CancellationException if cancelled meanwhile
    public static RowWorker start(WorkerCommand command, Consumer<String> errors, BooleanSupplier isCancelled) {
        var worker = new RowWorker(command, LineProcess.start(command, errors, isCancelled));
        try {
            worker.awaitReady();
        } catch (RuntimeException | Error e) {
            worker.close();
            throw e;
        }
        return worker;
    }

    private RowWorker(WorkerCommand command, LineProcess process) {
        this.command = command;
        this.process = process;
    }

    private void awaitReady() {
        int protocol;
        try {
            protocol = RowJson.readyProtocol(next(command.readyWithin(), LineProcess.NOT_READY));
        } catch (IllegalArgumentException e) {
            throw process.failure("began with " + e.getMessage(), e);
        }
        if (protocol != RowLoop.PROTOCOL) {
            throw new IllegalArgumentException(command.name() + " uses version " + protocol
                    + " of the protocol, this run uses version " + RowLoop.PROTOCOL + ". Use the same build for both");
        }
    }

    /// Asks a row. The text of its document is sent only if it is not that of the row before.
    public void ask(RowQuestion row) {
        process.send(RowJson.line(row, !row.document().equals(document)));
        document = row.document();
    }

    /// Waits for the next answer to any row that was asked.
    ///
    /// @throws ExaminerFailure if the worker ends or hangs
    /// @throws CancellationException if cancelled meanwhile
    public RowAnswer next() {
        String line = next(command.silentWithin(), LineProcess.SILENT);
        try {
            return RowJson.answer(line);
        } catch (IllegalArgumentException e) {
            throw process.failure(
                    "wrote " + e.getMessage() + ". Only a worker's answers may go to its standard output", e);
        }
    }

    private String next(Duration silence, String complaint) {
        String line = process.line(silence, complaint);
        while (line.equals(ALIVE)) {
            line = process.line(silence, complaint);
        }
        return line;
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
