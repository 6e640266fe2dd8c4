package io.shadowkv.cli.process;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/// Shows the progress of an operation: one line redrawn in place on a terminal, otherwise one line
/// per tenth of the work.
///
/// For use by one thread. Nothing is drawn in the first half second, so that quick work prints
/// nothing.
public final class ProgressLine implements AutoCloseable {
    /// How progress is shown.
    public enum Style {
        /// Not at all.
        OFF,
        /// One line, redrawn.
        TERMINAL,
        /// One line per tenth of the work, for logs.
        LINES
    }

    private static final int CELLS = 30;
    private static final long QUIET_NANOS = 500_000_000L;
    private static final long REDRAW_NANOS = 100_000_000L;

    private final PrintWriter err;
    private final Style style;
    private final String what;
    private final LongSupplier clock;
    private final long started;
    private long drawn;
    private int tenths;
    private boolean isVisible;

    /// @param what a description of the work, such as `reading 31,204 tokens`
    public ProgressLine(PrintWriter err, Style style, String what) {
        this(err, style, what, System::nanoTime);
    }

    public ProgressLine(PrintWriter err, Style style, String what, LongSupplier clock) {
        this.err = err;
        this.style = style;
        this.what = what;
        this.clock = clock;
        this.started = clock.getAsLong();
        this.drawn = started;
    }

    /// Chooses the style for a command: lines without a terminal only if progress was requested.
    public static Style style(Surroundings surroundings, boolean isAskedFor) {
        return surroundings.errorIsTerminal() ? Style.TERMINAL : isAskedFor ? Style.LINES : Style.OFF;
    }

    /// Shows that `done` (0 to 1) of the work is done; `detail` follows the bar.
    public void update(double done, String detail) {
        double share = Math.clamp(done, 0.0, 1.0);
        long now = clock.getAsLong();
        switch (style) {
            case OFF -> {}
            case TERMINAL -> redraw(share, detail, now);
            case LINES -> line(share, detail, now);
        }
    }

    public void update(double done) {
        update(done, "");
    }

    private void redraw(double share, String detail, long now) {
        if (now - started < QUIET_NANOS || now - drawn < REDRAW_NANOS && share < 1) {
            return;
        }
        drawn = now;
        isVisible = true;
        int full = (int) (share * CELLS);
        String bar = "█".repeat(full) + "░".repeat(CELLS - full);
        err.print("\r" + what + " " + bar + " " + numbers(share, detail, now) + "\u001b[K");
        err.flush();
    }

    private void line(double share, String detail, long now) {
        int reached = (int) (share * 10);
        if (reached > tenths) {
            tenths = reached;
            err.println(what + ": " + numbers(share, detail, now));
            err.flush();
        }
    }

    private String numbers(double share, String detail, long now) {
        double seconds = (now - started) / 1e9;
        String left = share > 0.05 && share < 1
                ? String.format(Locale.ROOT, ", about %.0f s left", seconds / share - seconds)
                : "";
        return String.format(
                Locale.ROOT, "%3.0f %%  %.0f s%s%s", share * 100, seconds, left, detail.isEmpty() ? "" : "  " + detail);
    }

    /// Removes the line from the terminal.
    @Override
    public void close() {
        if (isVisible) {
            err.print("\r\u001b[K");
            err.flush();
            isVisible = false;
        }
    }
}
