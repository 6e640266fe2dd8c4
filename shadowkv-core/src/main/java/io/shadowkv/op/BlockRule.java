package io.shadowkv.op;

import java.util.OptionalDouble;
import java.util.function.IntToDoubleFunction;

/// Which of the earlier key blocks a block of prompt rows keeps.
///
/// @param threshold a key block is kept if its score is at least this share of the row block's highest
///     score; 0 keeps everything
/// @param firstBlocks number of first key blocks, which are always kept
/// @param nearestBlocks number of nearest key blocks, the row block's own included, which are always
///     kept; at least 1
/// @param forcedShare for benchmarks: share of the key blocks that a synthetic selection keeps in
///     place of the scores' selection. Blocks that are always kept count; the others are pseudo-random
public record BlockRule(double threshold, int firstBlocks, int nearestBlocks, OptionalDouble forcedShare) {
    /// The unit in which shares are compared, so that all backends keep the same blocks.
    private static final long MILLION = 1_000_000;

    /// Bits of a pseudo-random number that are compared.
    private static final int BITS = 24;

    public BlockRule {
        if (!(threshold >= 0 && threshold <= 1)) {
            throw new IllegalArgumentException("threshold is " + threshold + "; expected 0 (keeps everything) to 1");
        }
        if (firstBlocks < 0 || nearestBlocks < 1) {
            throw new IllegalArgumentException("first blocks are " + firstBlocks + " and nearest blocks "
                    + nearestBlocks + "; expected at least 0 and at least 1");
        }
        if (forcedShare.isPresent() && !(forcedShare.getAsDouble() > 0 && forcedShare.getAsDouble() <= 1)) {
            throw new IllegalArgumentException("density of a synthetic selection is " + forcedShare.getAsDouble()
                    + "; expected more than 0, at most 1, such as 0.09");
        }
    }

    /// The forced share in millionths; -1 if scores select.
    public int forcedMillionths() {
        return forcedShare.isPresent() ? (int) Math.round(forcedShare.getAsDouble() * MILLION) : -1;
    }

    /// True if key block `j` is always kept by row block `own`.
    public boolean isFixed(int j, int own) {
        return j < firstBlocks || j > own - nearestBlocks;
    }

    /// The highest score that the threshold refers to; NaN if any score is not a number, because such
    /// a score must not drop a block.
    ///
    /// @param scores scores of the key blocks 0 to `own`
    public static double highest(IntToDoubleFunction scores, int own) {
        double highest = 0;
        for (int j = 0; j <= own; j++) {
            highest = Math.max(highest, scores.applyAsDouble(j));
        }
        return highest;
    }

    /// True if a row block keeps a key block.
    ///
    /// @param head number of the key-value head
    /// @param own number of the row block, counted from position 0
    /// @param j number of the key block, at most `own`
    /// @param score the key block's score
    /// @param highest see [#highest]
    public boolean keeps(int head, int own, int j, double score, double highest) {
        if (isFixed(j, own)) {
            return true;
        }
        return forcedShare.isPresent() ? isDrawn(head, own, j) : !(score < threshold * highest);
    }

    /// Draws `share * blocks - fixed` of the `blocks - fixed` others, on average. In whole numbers, so
    /// that all backends draw the same.
    private boolean isDrawn(int head, int own, int j) {
        long blocks = own + 1L;
        long fixed = Math.min(blocks, (long) firstBlocks + nearestBlocks);
        long wanted = forcedMillionths() * blocks - fixed * MILLION;
        long others = (blocks - fixed) * MILLION;
        return (random(head, own, j) >>> (Integer.SIZE - BITS)) * others < wanted << BITS;
    }

    private static int random(int head, int own, int j) {
        int x = (head + 1) * 0x9e3779b1 ^ (own + 1) * 0x85ebca77 ^ (j + 1) * 0xc2b2ae3d;
        x = (x ^ x >>> 16) * 0x7feb352d;
        x = (x ^ x >>> 15) * 0x846ca68b;
        return x ^ x >>> 16;
    }
}
