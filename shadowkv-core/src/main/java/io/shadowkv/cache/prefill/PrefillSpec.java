package io.shadowkv.cache.prefill;

import io.shadowkv.op.AttentionOperations.BlockRule;
import java.util.OptionalDouble;

/// Which keys the rows of a prompt attend to. Independent of the cache strategy, which decides what
/// decode steps attend to.
public sealed interface PrefillSpec {
    /// Short name as the command line spells it.
    String name();

    /// The name for readers: the short name and every parameter that differs from the defaults.
    String label();

    /// Every row attends to all keys before it.
    record Exact() implements PrefillSpec {
        @Override
        public String name() {
            return "exact";
        }

        @Override
        public String label() {
            return name();
        }
    }

    /// Each block of rows attends to the key blocks that its queries and the blocks' mean keys select,
    /// for each key-value head (after FlashPrefill). Needs no file and no search, and looks at every
    /// block of rows, so it also serves text that is read before the question is known.
    ///
    /// A key block is kept if its score ([io.shadowkv.op.AttentionOperations#scoreBlocks]) is at least
    /// the threshold times the highest score of the row block.
    ///
    /// @param threshold from 0 (keeps everything) to 1
    /// @param blockTokens tokens of a row block and of a key block
    /// @param firstBlocks first key blocks, which are always kept
    /// @param nearestBlocks nearest key blocks, the row block's own included, which are always kept
    /// @param wholeRowBlocks last row blocks of the text that is read, which attend to everything; at
    ///     least one, since the last block may be incomplete
    /// @param countsDropped true if a dropped block counts as its mean key and mean value
    /// @param minTokens a shorter context is read exactly
    /// @param forcedShare for benchmarks: share of the key blocks that a synthetic selection keeps; the
    ///     scores are computed and not used. Empty for the model's own selection
    record Blocks(
            double threshold,
            int blockTokens,
            int firstBlocks,
            int nearestBlocks,
            int wholeRowBlocks,
            boolean countsDropped,
            int minTokens,
            OptionalDouble forcedShare)
            implements PrefillSpec {
        public static final Blocks DEFAULT = new Blocks(0.1, 128, 2, 4, 2, false, 4096);

        /// The model's own selection.
        public Blocks(
                double threshold,
                int blockTokens,
                int firstBlocks,
                int nearestBlocks,
                int wholeRowBlocks,
                boolean countsDropped,
                int minTokens) {
            this(
                    threshold,
                    blockTokens,
                    firstBlocks,
                    nearestBlocks,
                    wholeRowBlocks,
                    countsDropped,
                    minTokens,
                    OptionalDouble.empty());
        }

        public Blocks {
            if (!(threshold >= 0 && threshold <= 1)) {
                throw new IllegalArgumentException(
                        "threshold of sparse prefill is " + threshold + "; expected 0 (keeps everything) to 1");
            }
            atLeast("blocks of sparse prefill, in tokens,", blockTokens, 8);
            atLeast("number of first blocks", firstBlocks, 0);
            atLeast("number of nearest blocks", nearestBlocks, 1);
            atLeast("number of whole row blocks", wholeRowBlocks, 1);
            atLeast("shortest context of sparse prefill", minTokens, 0);
            if (forcedShare.isPresent() && !(forcedShare.getAsDouble() > 0 && forcedShare.getAsDouble() <= 1)) {
                throw new IllegalArgumentException("density of sparse prefill is " + forcedShare.getAsDouble()
                        + "; expected more than 0, at most 1, such as 0.09");
            }
        }

        public Blocks withThreshold(double other) {
            return with(other, countsDropped, minTokens, forcedShare);
        }

        public Blocks withCountsDropped(boolean counts) {
            return with(threshold, counts, minTokens, forcedShare);
        }

        public Blocks withMinTokens(int tokens) {
            return with(threshold, countsDropped, tokens, forcedShare);
        }

        /// A synthetic selection in place of the scores', for benchmarks.
        public Blocks withForcedShare(double share) {
            return with(threshold, countsDropped, minTokens, OptionalDouble.of(share));
        }

        private Blocks with(double other, boolean counts, int tokens, OptionalDouble share) {
            return new Blocks(other, blockTokens, firstBlocks, nearestBlocks, wholeRowBlocks, counts, tokens, share);
        }

        /// Which key blocks a row block keeps.
        BlockRule rule() {
            return new BlockRule(threshold, firstBlocks, nearestBlocks, forcedShare);
        }

        @Override
        public String name() {
            return "blocks";
        }

        @Override
        public String label() {
            StringBuilder label = new StringBuilder(name());
            if (threshold != DEFAULT.threshold) {
                label.append(" threshold ").append(threshold);
            }
            if (blockTokens != DEFAULT.blockTokens) {
                label.append(" of ").append(blockTokens);
            }
            if (countsDropped) {
                label.append(" with means");
            }
            if (minTokens != DEFAULT.minTokens) {
                label.append(" from ").append(minTokens);
            }
            if (forcedShare.isPresent()) {
                label.append(" at a forced density of ").append(forcedShare.getAsDouble());
            }
            return label.toString();
        }
    }

    /// MInference (arXiv 2407.02490): each query head has a pattern of its own, found by a search
    /// beforehand. The last 64 queries of the prompt decide where the pattern lies.
    ///
    /// @param patterns the pattern of each head
    /// @param isScaled true if the estimate divides the dot products by the square root of the head
    ///     dim, as MInference does; false leaves that out, as the ShadowKV authors' copy does
    /// @param minTokens a shorter context is read exactly
    record MInference(HeadPatterns patterns, boolean isScaled, int minTokens) implements PrefillSpec {
        /// Shortest context unless it is chosen.
        public static final int MIN_TOKENS = 4096;

        public MInference {
            atLeast("shortest context of sparse prefill", minTokens, 0);
        }

        @Override
        public String name() {
            return "minference";
        }

        @Override
        public String label() {
            String label = isScaled ? name() : name() + " original";
            label = patterns.isDefault() ? label : label + " of " + patterns.source();
            return minTokens == MIN_TOKENS ? label : label + " from " + minTokens;
        }
    }

    /// Reads as another spec does, and measures the kept mass of some rows ([LayerDensity#keptMass]).
    /// The host computes it, which takes time but changes no result.
    ///
    /// @param read not exact, and not a measured spec
    /// @param rows number of rows of a text that are measured, at least 1
    record Measured(PrefillSpec read, int rows) implements PrefillSpec {
        public Measured {
            if (read instanceof Exact || read instanceof Measured) {
                throw new IllegalArgumentException(
                        "the kept mass of " + read.label() + " prefill; expected a sparse way to read");
            }
            atLeast("number of rows whose kept mass is measured", rows, 1);
        }

        @Override
        public String name() {
            return read.name();
        }

        @Override
        public String label() {
            return read.label();
        }
    }

    /// This spec, with the kept mass of some rows measured. Exact reading keeps everything, so it is
    /// returned as it is.
    ///
    /// @param rows number of rows of a text; 0 for none
    default PrefillSpec measuring(int rows) {
        return rows == 0 || this instanceof Exact ? this : new Measured(this, rows);
    }

    /// Rows that a unit of prefill must be able to hold.
    default int leastRows() {
        return switch (this) {
            case Exact _ -> 1;
            case Measured measured -> measured.read.leastRows();
            case Blocks blocks -> blocks.blockTokens;
            case MInference _ -> MinferenceAttention.BLOCK;
        };
    }

    private static void atLeast(String what, int value, int least) {
        if (value < least) {
            throw new IllegalArgumentException(what + " is " + value + "; expected at least " + least);
        }
    }
}
