package io.shadowkv.cli.bench;

import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import java.io.PrintWriter;
import java.util.concurrent.CancellationException;

/// Shows on standard error what is being measured, and ends it when the user asks.
///
/// @param err where it is shown
/// @param style how; off shows nothing
/// @param cancellation the user's wish to end
record RunWatcher(PrintWriter err, ProgressLine.Style style, Cancellation cancellation) {
    /// A bar for one piece of work.
    ProgressLine bar(String what) {
        return new ProgressLine(err, style, what);
    }

    /// Draws the bar, unless the run was cancelled.
    ///
    /// @throws CancellationException if it was
    void update(ProgressLine bar, double done) {
        checkOn();
        bar.update(done);
    }

    /// @throws CancellationException if the run was cancelled
    void checkOn() {
        if (cancellation.isRequested()) {
            throw new CancellationException("interrupted");
        }
    }
}
