package io.shadowkv.cli.demo;

import io.shadowkv.cli.ProgressLine;
import io.shadowkv.eval.AnswerRecord;
import io.shadowkv.eval.NeedleAccuracy;
import io.shadowkv.eval.plot.Quantity;
import java.io.PrintWriter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Shows which question is being read, how many are answered and how long the others will take.
final class NeedleProgress implements NeedleAccuracy.Watcher, AutoCloseable {
    private final PrintWriter err;
    private final ProgressLine.Style style;
    private @Nullable ProgressLine line;
    private String detail = "";

    NeedleProgress(PrintWriter err, ProgressLine.Style style) {
        this.err = err;
        this.style = style;
    }

    @Override
    public void asking(String task, int index, int done, int total, Duration left) {
        close();
        line = new ProgressLine(err, style, task + " " + index);
        detail = done + " of " + total + " answered"
                + (left.isZero() ? "" : ", " + Quantity.seconds(left.toMillis() / 1e3) + " for all");
    }

    @Override
    public void reading(double share) {
        if (line != null) {
            line.update(share, detail);
        }
    }

    @Override
    public void answered(AnswerRecord answer) {
        if (style == ProgressLine.Style.LINES) {
            err.println(answer.key().task() + " " + answer.key().index() + ", "
                    + answer.key().method() + ": score " + Quantity.threeDigits(answer.score()) + "; " + detail);
            err.flush();
        }
    }

    @Override
    public void close() {
        if (line != null) {
            line.close();
            line = null;
        }
    }
}
