package io.shadowkv.server.page;

import java.util.ArrayDeque;
import java.util.Deque;

/// Tokens per second over the last seconds, from a running total.
final class TokenRate {
    private static final long WINDOW_NANOS = 2_000_000_000L;
    private static final double SECOND = 1e9;

    private final Deque<Total> totals = new ArrayDeque<>();

    private record Total(long nanos, long tokens) {}

    /// @param tokens number of tokens so far
    /// @param now time in nanoseconds
    /// @return tokens per second; 0 at the first call
    double next(long tokens, long now) {
        totals.addLast(new Total(now, tokens));
        while (totals.size() > 2 && now - totals.getFirst().nanos() > WINDOW_NANOS) {
            totals.removeFirst();
        }
        Total first = totals.getFirst();
        return now == first.nanos() ? 0 : (tokens - first.tokens()) * SECOND / (now - first.nanos());
    }
}
