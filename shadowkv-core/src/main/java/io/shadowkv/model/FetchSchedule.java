package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache.Fetches;
import io.shadowkv.cache.DecodeCache.Wave;
import io.shadowkv.op.Backend;

/// Splits the rows of a decode step into microbatches, so that one computes while the values of another come over the
/// link. Immutable; decided from the backend's measured rates and the sizes of a step alone, so that steps of equal
/// shape are split alike.
final class FetchSchedule {
    /// Microbatches that go apart through the cache only, at most. More leave too few rows to score at a time.
    private static final int MOST_MICROBATCHES = 4;

    /// Rows of a microbatch, at least: fewer do not fill a device.
    private static final int LEAST_ROWS = 4;

    /// Microbatches that alternate through whole layers.
    private static final int ALTERNATING = 2;

    /// Share of the selected units that a step is expected to miss: the paper's hit rate is 60 %.
    private static final double MISS_RATE = 0.4;

    /// How many times as long as reading its weights a layer's fetches must take before microbatches alternate, which
    /// reads the weights once more. At 2.5 times a step took 3 % longer, at 3.1 as long, at 4.3 it was 6 % shorter
    /// and at 4.9 16 % (docs/bench/h200/variants.jsonl).
    private static final double ALTERNATION_BOUND = 3.2;

    private final boolean overlaps;
    private final double linkCost;
    private final long layerBytes;

    /// @param layerBytes bytes of one layer's weights
    FetchSchedule(Backend backend, long layerBytes) {
        this.overlaps = backend.hasSideQueue();
        this.linkCost = backend.rates().linkCost();
        this.layerBytes = layerBytes;
    }

    /// @param mayAlternate false where microbatches cannot go through layers by themselves
    Microbatches split(Wave wave, Fetches fetches, boolean mayAlternate) {
        int rows = wave.rows().count();
        if (!wave.isIndexed() || !overlaps || fetches.equals(Fetches.NONE)) {
            return Microbatches.NONE;
        }
        double fetchTime = MISS_RATE * rows * fetches.bytesPerRow() * linkCost;
        boolean alternates =
                mayAlternate && rows >= ALTERNATING * LEAST_ROWS && fetchTime > ALTERNATION_BOUND * layerBytes;
        return alternates
                ? new Microbatches(fetches.fromLayer(), ALTERNATING, true)
                : new Microbatches(fetches.fromLayer(), Math.clamp(rows / LEAST_ROWS, 1, MOST_MICROBATCHES), false);
    }

    /// Consecutive groups of a wave's rows, from `fromLayer` on.
    ///
    /// @param count how many, of about equal size
    /// @param alternate true if they go through whole layers in turns: one computes while what another chose is
    ///     fetched, at the price of reading the weights once for each. False if they go apart through the
    ///     cache only: what the first one chose is fetched while the next one chooses
    record Microbatches(int fromLayer, int count, boolean alternate) {
        /// All rows together.
        static final Microbatches NONE = new Microbatches(0, 1, false);
    }
}
