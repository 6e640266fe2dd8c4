package io.shadowkv.spark;

import io.shadowkv.eval.rows.RowAnswer;
import io.shadowkv.eval.rows.RowWorker;
import io.shadowkv.eval.run.ExaminerFailure;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/// Passes questions to a worker and returns the answers as they come.
///
/// If the worker dies, another one is started, and the rows that were not answered are asked one at
/// a time. A row over which a worker dies that was asked nothing else gets an error, and the others
/// are answered.
/// If many workers die one after the other without an answer in between, the fault is the machine's:
/// the task fails, and Spark tries it elsewhere.
final class RowAnswers implements Iterator<Row>, AutoCloseable {
    private static final int DEATHS_OF_A_BROKEN_MACHINE = 5;

    private final RowSource source;
    private final Supplier<RowWorker> start;
    private final int batch;
    private final Map<String, RowSource.Asked> asked = new LinkedHashMap<>();
    private final Deque<RowSource.Asked> suspects = new ArrayDeque<>();
    private final Deque<Row> done = new ArrayDeque<>();
    private @Nullable RowWorker worker;
    private boolean isAlone;
    /// The worker has not answered a row yet.
    private boolean isFresh;
    private int deaths;

    /// @param start starts a worker
    /// @param batch number of rows that a worker has at a time
    RowAnswers(RowSource source, Supplier<RowWorker> start, int batch) {
        this.source = source;
        this.start = start;
        this.batch = batch;
    }

    @Override
    public boolean hasNext() {
        while (done.isEmpty()) {
            fill();
            if (asked.isEmpty() && done.isEmpty()) {
                close();
                return false;
            }
            if (done.isEmpty()) {
                await();
            }
        }
        return true;
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException("all rows of the partition are answered");
        }
        return done.remove();
    }

    private void fill() {
        if (!suspects.isEmpty()) {
            if (asked.isEmpty()) {
                isAlone = true;
                ask(suspects.remove());
            }
            return;
        }
        if (isAlone && !asked.isEmpty()) {
            return;
        }
        isAlone = false;
        while (asked.size() < batch && source.hasNext()) {
            RowSource.Asked row = source.next();
            if (row.question() == null) {
                done.add(failed(row, String.valueOf(row.error())));
            } else {
                ask(row);
            }
        }
    }

    private void ask(RowSource.Asked row) {
        RowWorker running = worker;
        if (running == null) {
            running = start.get();
            worker = running;
            isFresh = true;
        }
        var question = Objects.requireNonNull(row.question());
        asked.put(question.key(), row);
        running.ask(question);
    }

    private void await() {
        try {
            RowAnswer answer = Objects.requireNonNull(worker).next();
            RowSource.Asked row = asked.remove(answer.key());
            if (row == null) {
                throw new ExaminerFailure(
                        "the worker answered row " + answer.key() + " of the task, which was not asked",
                        new IllegalStateException());
            }
            deaths = 0;
            isFresh = false;
            done.add(row(row, answer));
        } catch (ExaminerFailure e) {
            close();
            deaths++;
            if (deaths == DEATHS_OF_A_BROKEN_MACHINE) {
                throw new ExaminerFailure(
                        deaths + " workers died one after the other on this machine; the last one: " + e.getMessage(),
                        e);
            }
            bury(e);
        }
    }

    /// The worker has died over the rows that were asked.
    private void bury(ExaminerFailure death) {
        if (isAlone && isFresh) {
            asked.values()
                    .forEach(row -> done.add(failed(
                            row,
                            "two workers died while answering this row; the second one was asked nothing else: "
                                    + death.getMessage())));
        } else {
            asked.values().forEach(suspects::addFirst);
        }
        asked.clear();
    }

    private static Row failed(RowSource.Asked row, String error) {
        return RowFactory.create(row.key(), null, error, null, null, null, null);
    }

    private static Row row(RowSource.Asked row, RowAnswer answer) {
        return answer.error() != null
                ? failed(row, answer.error())
                : RowFactory.create(
                        row.key(),
                        answer.answer(),
                        null,
                        answer.finish(),
                        answer.promptTokens(),
                        answer.cachedTokens(),
                        answer.newTokens());
    }

    /// Ends the worker.
    @Override
    public void close() {
        RowWorker running = worker;
        worker = null;
        if (running != null) {
            running.close();
        }
    }
}
