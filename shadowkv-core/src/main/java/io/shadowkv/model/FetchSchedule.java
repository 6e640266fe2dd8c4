package io.shadowkv.model;

import io.shadowkv.cache.DecodeCache.Fetches;
import io.shadowkv.cache.DecodeCache.Wave;
import io.shadowkv.op.Backend;
import java.util.function.IntToDoubleFunction;

/// Splits the rows of a decode step into microbatches, so that one computes while values of another
/// are fetched over the link. Immutable. The split depends only on the backend's measured rates and
/// the sizes of a step, so that steps of equal shape are split alike.
final class FetchSchedule {
    /// Maximum number of microbatches that are separate only in the cache. With more, too few rows
    /// are scored at a time.
    private static final int MOST_MICROBATCHES = 4;

    /// Minimum number of rows in a microbatch; fewer do not use the whole device.
    private static final int LEAST_ROWS = 4;

    /// Number of microbatches that alternate through whole layers.
    private static final int ALTERNATING = 2;

    /// Expected share of the selected units that a step misses: the paper's hit rate is 60 %.
    private static final double MISS_RATE = 0.4;

    /// Microbatches alternate if a layer's fetches take at least this many times as long as reading
    /// the layer's weights; alternating reads the weights once more. At a ratio of 2.5 a step took
    /// 3 % longer with alternation, at 3.1 the same time; at 4.3 it was 6 % shorter and at 4.9 16 %
    /// shorter (docs/bench/h200/variants.jsonl).
    private static final double ALTERNATION_BOUND = 3.2;

    private final boolean overlaps;
    private final double linkCost;
    private final IntToDoubleFunction layerBytes;

    /// @param layerBytes bytes of one layer's weights that a number of rows reads
    FetchSchedule(Backend backend, IntToDoubleFunction layerBytes) {
        this.overlaps = backend.hasSideQueue();
        this.linkCost = backend.rates().linkCost();
        this.layerBytes = layerBytes;
    }

    /// @param mayAlternate false if microbatches cannot pass through layers separately
    Microbatches split(Wave wave, Fetches fetches, boolean mayAlternate) {
        int rows = wave.rows().count();
        if (!wave.isIndexed() || !overlaps || fetches.equals(Fetches.NONE)) {
            return Microbatches.NONE;
        }
        double fetchTime = MISS_RATE * rows * fetches.bytesPerRow() * linkCost;
        boolean alternates =
                mayAlternate && rows >= ALTERNATING * LEAST_ROWS && fetchTime > ALTERNATION_BOUND * readAgain(rows);
        return alternates
                ? new Microbatches(fetches.fromLayer(), ALTERNATING, true)
                : new Microbatches(fetches.fromLayer(), Math.clamp(rows / LEAST_ROWS, 1, MOST_MICROBATCHES), false);
    }

    /// Bytes of a layer's weights that two halves of the rows read in addition to what all rows read
    /// together: the whole layer, or of experts those that both halves choose.
    private double readAgain(int rows) {
        int half = rows / ALTERNATING;
        return layerBytes.applyAsDouble(half) + layerBytes.applyAsDouble(rows - half) - layerBytes.applyAsDouble(rows);
    }

    /// Consecutive groups of a wave's rows, from `fromLayer` on.
    ///
    /// @param count number of groups, of about equal size
    /// @param alternate true if the groups take turns in whole layers: one computes while the
    ///     selection of another is fetched, and each reads the weights. False if they are separate
    ///     only in the cache: the selection of one is fetched while the next one selects
    record Microbatches(int fromLayer, int count, boolean alternate) {
        /// All rows together.
        static final Microbatches NONE = new Microbatches(0, 1, false);
    }
}
