package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.Cancellation;
import java.io.PrintWriter;
import java.util.concurrent.CancellationException;

/// Shows progress on standard error and cancels a measurement at the user's request.
///
/// @param err where progress is printed
/// @param style how progress is shown; off shows nothing
/// @param cancellation the user's request to end
record RunWatcher(PrintWriter err, ProgressLine.Style style, Cancellation cancellation) {
    /// Creates a progress bar for one piece of work.
    ProgressLine bar(String what) {
        return new ProgressLine(err, style, what);
    }

    /// Updates the bar.
    ///
    /// @throws CancellationException if the run was cancelled
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
