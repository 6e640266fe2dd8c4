package io.shadowkv.cli.eval;

import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.eval.Item;
import io.shadowkv.eval.SampleRefusal;
import io.shadowkv.eval.run.AnswerRecord;
import io.shadowkv.eval.run.ExaminerFailure;
import io.shadowkv.eval.run.Watcher;
import io.shadowkv.report.plot.Quantity;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Shows the current task, the number of answers and the remaining time. Thread-safe.
final class EvalProgress implements Watcher, AutoCloseable {
    private static final long REDRAW_NANOS = 100_000_000L;

    private final PrintWriter err;
    private final ProgressLine.Style style;
    private final String what;
    private final Map<Integer, String> asked = new TreeMap<>();
    private final Map<Integer, Double> read = new TreeMap<>();
    private String overall = "";
    private long drawn;
    private boolean isVisible;

    /// @param what what is asked, such as `at 32,768 tokens`
    EvalProgress(PrintWriter err, ProgressLine.Style style, String what) {
        this.err = err;
        this.style = style;
        this.what = what;
    }

    @Override
    public synchronized void asking(int seat, List<Item> items) {
        Item first = items.getFirst();
        asked.put(
                seat,
                first.task() + " " + first.index() + (items.size() > 1 ? " and " + (items.size() - 1) + " more" : ""));
        read.put(seat, 0.0);
        draw(true);
    }

    @Override
    public synchronized void reading(int seat, double done) {
        read.put(seat, done);
        draw(false);
    }

    @Override
    public synchronized void answered(int seat, List<AnswerRecord> answers, Progress progress) {
        Duration left = progress.left();
        overall = String.format(Locale.ROOT, "%,d of %,d", progress.done(), progress.total())
                + (left == null || left.isZero() ? "" : ", " + Quantity.seconds(left.toMillis() / 1e3) + " left");
        if (style == ProgressLine.Style.LINES) {
            for (AnswerRecord answer : answers) {
                err.println(overall + ": " + answer.key().task() + " "
                        + answer.key().index() + turn(answers, answer.key()) + ", "
                        + answer.key().method().label() + ": "
                        + (answer.isJudged() ? Quantity.share(answer.score()) : "thoughts"));
            }
            err.flush();
        }
        draw(true);
    }

    /// The number of a turn, from 1, if a sample has several turns.
    private static String turn(List<AnswerRecord> answers, AnswerRecord.Key key) {
        boolean isOneOfSeveral = answers.stream()
                .anyMatch(other -> other.key().turn() != key.turn()
                        && other.key().atTurn(key.turn()).equals(key));
        return isOneOfSeveral ? ", question " + (key.turn() + 1) : "";
    }

    @Override
    public synchronized void failed(int seat, List<Item> items, ExaminerFailure failure) {
        say("shadowkv: " + failure.getMessage() + "; " + items.getFirst().task() + " "
                + items.getFirst().index() + " is retried");
    }

    @Override
    public synchronized void leftOut(int seat, SampleRefusal refusal) {
        say("shadowkv: " + refusal.getMessage() + "; the sample is left out");
    }

    /// Prints a line above the progress.
    synchronized void say(String line) {
        erase();
        err.println(line);
        err.flush();
    }

    private void draw(boolean isNews) {
        long now = System.nanoTime();
        if (style != ProgressLine.Style.TERMINAL || !isNews && now - drawn < REDRAW_NANOS) {
            return;
        }
        drawn = now;
        isVisible = true;
        var line = new StringBuilder("\r").append(what).append(overall.isEmpty() ? "" : ": " + overall);
        for (Map.Entry<Integer, String> entry : asked.entrySet()) {
            Double share = read.getOrDefault(entry.getKey(), 0.0);
            line.append("  ").append(entry.getValue()).append(' ').append(stage(share));
        }
        err.print(line.append("\u001b[K"));
        err.flush();
    }

    private static String stage(@Nullable Double share) {
        return share == null || share >= 1 ? "answering" : String.format(Locale.ROOT, "%.0f %%", share * 100);
    }

    private void erase() {
        if (isVisible) {
            err.print("\r\u001b[K");
            isVisible = false;
        }
    }

    @Override
    public synchronized void close() {
        erase();
        err.flush();
    }
}
