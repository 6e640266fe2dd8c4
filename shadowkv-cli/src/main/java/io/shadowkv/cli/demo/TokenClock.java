package io.shadowkv.cli.demo;

import io.shadowkv.cli.process.ProgressLine;
import io.shadowkv.engine.GenerationListener;
import java.util.Arrays;
import java.util.function.LongSupplier;

/// Records the time of each token and shows the progress of prefill.
///
/// Speed is that of the median step; on a shared machine the mean would include the load of other
/// programs.
final class TokenClock implements GenerationListener {
    private final ProgressLine line;
    private final LongSupplier clock;
    private long[] nanos = new long[256];
    private int count;

    TokenClock(ProgressLine line, LongSupplier clock) {
        this.line = line;
        this.clock = clock;
    }

    @Override
    public void reading(double done) {
        line.update(done);
    }

    @Override
    public void token(int id, String text) {
        if (count == nanos.length) {
            nanos = Arrays.copyOf(nanos, 2 * count);
        }
        nanos[count++] = clock.getAsLong();
    }

    /// Tokens per second of the median step between tokens `from` and `until` (exclusive), counted
    /// from 0; NaN for fewer than two tokens.
    double speed(int from, int until) {
        int last = Math.min(until, count);
        long[] steps = new long[Math.max(0, last - from - 1)];
        for (int i = 0; i < steps.length; i++) {
            steps[i] = nanos[from + i + 1] - nanos[from + i];
        }
        Arrays.sort(steps);
        return steps.length == 0 ? Double.NaN : 1e9 / steps[steps.length / 2];
    }
}
