package io.shadowkv.engine.batch;

/// How much of the processors, or of the time, prompts get while other sequences decode: as much as
/// keeps the gap between two tokens within a limit. Used by one thread at a time.
final class ReadingPace {
    /// Shares of the processors for reading. A step takes about as much longer as it has fewer
    /// processors.
    private static final double[] SHARES = {0.88, 0.82, 0.76, 0.7, 0.64, 0.58, 0.5};

    private static final int FIRST = 3;

    /// Steps in a row that are too long, or short enough for a larger share, before the share changes.
    private static final int AGREEING = 3;

    /// A step is expected to take this much longer than its processors say.
    private static final double MARGIN = 1.05;

    /// Least time for reading between two steps, unless the limit is shorter: even a step that is
    /// longer than the limit must not stop all readings.
    private static final long LEAST_BUDGET = 20_000_000;

    private final long gapNanos;
    private int level = FIRST;
    private int tooLong;
    private int roomy;

    /// @param gapNanos limit of the gap between two tokens
    ReadingPace(long gapNanos) {
        this.gapNanos = gapNanos;
    }

    /// The share of the processors that reads, where they can be divided.
    double share() {
        return SHARES[level];
    }

    /// Notes how long a step took at the same time as a reading with [#share].
    ///
    /// @return true if the share has changed
    boolean stepped(long nanos) {
        boolean isLarger = level > 0 && nanos * MARGIN * (1 - SHARES[level]) / (1 - SHARES[level - 1]) < gapNanos;
        tooLong = nanos > gapNanos && level < SHARES.length - 1 ? tooLong + 1 : 0;
        roomy = isLarger ? roomy + 1 : 0;
        int change = tooLong >= AGREEING ? 1 : roomy >= AGREEING ? -1 : 0;
        if (change == 0) {
            return false;
        }
        level += change;
        tooLong = 0;
        roomy = 0;
        return true;
    }

    /// Time for reading between two steps, where reading and decoding take turns.
    ///
    /// @param stepNanos time of the last step
    long budget(long stepNanos) {
        return Math.max(Math.min(LEAST_BUDGET, gapNanos), gapNanos - stepNanos);
    }
}
