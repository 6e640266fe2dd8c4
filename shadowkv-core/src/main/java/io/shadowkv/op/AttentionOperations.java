package io.shadowkv.op;

import io.shadowkv.tensor.Tensor;
import java.util.OptionalDouble;
import java.util.function.IntToDoubleFunction;
import org.jspecify.annotations.Nullable;

/// Exact attention, and the operations that store keys and values for it. Query head h reads
/// key-value head `h / groupSize`. Keys and values are F32, BF16 or F16; softmax and sums are
/// computed in float or wider.
public interface AttentionOperations {
    /// `target[h, at + i] = rows[i, h]` for all rows and heads: converts from token-major to
    /// head-major order.
    ///
    /// @param rows `[t, kvHeads, headDim]`
    /// @param target `[kvHeads, capacity, headDim]`, rounded to its type
    void store(Tensor rows, Tensor target, int at);

    /// Causal attention of t consecutive tokens of one sequence: query i reads keys 0 to
    /// `keyCount - t + i`, inclusive.
    ///
    /// @param queries `[t, queryHeads, headDim]`, rotated
    /// @param keys `[kvHeads, capacity, headDim]`, rotated; rows 0 (inclusive) to `keyCount`
    ///     (exclusive) are valid and include those of the t tokens
    /// @param values the same shape
    /// @param scale factor that multiplies the dot products, usually 1/√headDim
    /// @param out `[t, queryHeads, headDim]`
    void prefill(Tensor queries, Tensor keys, Tensor values, int keyCount, double scale, Tensor out);

    /// Causal attention of t consecutive tokens of one sequence to some of the keys. Every row must
    /// read at least one key.
    ///
    /// @param queries `[t, queryHeads, headDim]`, rotated
    /// @param keys `[kvHeads, capacity, headDim]`, rotated; all keys that are read are valid
    /// @param values the same shape
    /// @param firstToken position of the first row; key j has position j
    /// @param scale factor that multiplies the dot products
    /// @param out `[t, queryHeads, headDim]`
    void prefillSelected(
            Tensor queries,
            Tensor keys,
            Tensor values,
            int firstToken,
            SelectedKeys selected,
            double scale,
            Tensor out);

    /// Estimates how much each block of query rows attends to each earlier key block, from the mean
    /// keys of the blocks: `scores[h, b, J] = sum over the rows q of block b and the query heads of
    /// group h of exp(scale · q · means[h, J] - the largest such exponent of this row and head over all
    /// J ≤ f + b)`. Blocks of `blockTokens` rows are counted as in [SelectedKeys]; f is the block of
    /// the first row. A backend may round the means to the queries' type.
    ///
    /// @param queries `[t, queryHeads, headDim]`, rotated
    /// @param means F32 `[kvHeads, any, headDim]`; the first f + `queryBlocks` of each head are valid
    /// @param firstToken position of the first row
    /// @param scores F32 `[kvHeads, queryBlocks, any]`; elements J ≤ f + b of each row are written
    void scoreBlocks(Tensor queries, Tensor means, int blockTokens, int firstToken, double scale, Tensor scores);

    /// Selects the key blocks of consecutive rows: for each key-value head and block of rows, those that
    /// `rule` keeps. Blocks of rows are counted as in [SelectedKeys]. Key blocks are those of the grid
    /// from position 0 up to the row block's own, which is always kept.
    ///
    /// @param scores F32 `[kvHeads, scoredBlocks, any]`, from [#scoreBlocks]; row blocks after the
    ///     `scoredBlocks`-th keep all key blocks. Null if all of them do
    /// @param firstToken position of the first row
    /// @param tokens number of rows
    void selectBlocks(@Nullable Tensor scores, BlockRule rule, int firstToken, int tokens, BlockLists target);

    /// Writes one new key and one new value per row:
    /// `target(slot).row[h, writeRows[i]] = new[i, h]`.
    ///
    /// @param newKeys `[r, kvHeads, headDim]`, rotated
    /// @param newValues the same shape
    void append(Tensor newKeys, Tensor newValues, SlotTable<AttendedRows> attended, StepRows rows);

    /// Row i attends to the first `attended[i]` rows of its sequence's region.
    ///
    /// @param queries `[r, queryHeads, headDim]`, rotated
    /// @param out `[r, queryHeads, headDim]`
    void decode(Tensor queries, SlotTable<AttendedRows> attended, StepRows rows, double scale, Tensor out);

    /// Like [#decode], for sequences with an index, whose region may hold more units than a step
    /// selects. Row i attends to rows 0 to `firstRow` (exclusive), to the units in its
    /// `selectedSlots`, and to rows `firstRow + C · unitTokens`, the end of the region, to
    /// `attended[i]` (exclusive). Every row except padding must have an index.
    ///
    /// @param queries `[r, queryHeads, headDim]`, rotated
    /// @param out `[r, queryHeads, headDim]`
    void decodeSelected(Tensor queries, SlotTable<IndexedLayer> layers, StepRows rows, double scale, Tensor out);

    /// The keys that prefill attends to, for each block of query rows. A row reads the keys of its
    /// block's key blocks and its block's columns, as far as they are not after the row, and no others.
    ///
    /// Query block b holds the rows of positions `B · (f + b)` to `B · (f + b + 1)` (exclusive), where B
    /// is `blockTokens` and f the block of the first row. Lists are per query block and head; heads are
    /// either the key-value heads, so that all query heads of a group read the same keys, or the query
    /// heads.
    ///
    /// @param blockTokens tokens of a query block and of a key block
    /// @param blockStarts I32 `[heads, queryBlocks, any]`, the first key of each key block, ascending;
    ///     blocks do not overlap and may begin at any key
    /// @param blockCounts I32 `[heads, queryBlocks]`, number of key blocks in each list
    /// @param columns single keys outside the key blocks; null if there are none
    /// @param bands I32 `[heads, 2]`, a limit inside key blocks: row i reads key j of a block only if
    ///     `j < bands[h, 0]` or `j > i - bands[h, 1]`. Columns are not limited. Null if nothing is
    /// @param means stands for key blocks that are not read; null if they count nothing
    record SelectedKeys(
            int blockTokens,
            Tensor blockStarts,
            Tensor blockCounts,
            @Nullable KeyColumns columns,
            @Nullable Tensor bands,
            @Nullable BlockMeans means) {
        /// Second number of a band that hides nothing.
        public static final int NO_BAND = Integer.MAX_VALUE;

        /// Number of heads that have lists of their own.
        public int heads() {
            return blockCounts.extent(0);
        }

        public int queryBlocks() {
            return blockCounts.extent(1);
        }

        /// Lists of single keys.
        ///
        /// @param entries I32 `[heads, queryBlocks, any]`
        /// @param counts I32 `[heads, queryBlocks]`, number of columns in each list
        public record KeyColumns(Tensor entries, Tensor counts) {}

        /// Means of whole key blocks of the grid: block J holds keys `B · J` to `B · (J + 1)`. A grid block
        /// that lies before a query block and is not in its list counts as B keys that all equal the
        /// block's mean key, with the block's mean value. All blocks in lists are blocks of the grid then.
        ///
        /// @param keys F32 `[kvHeads, any, headDim]`
        /// @param values the same shape
        public record BlockMeans(Tensor keys, Tensor values) {}
    }

    /// Which of the earlier key blocks a block of prompt rows keeps.
    ///
    /// @param threshold a key block is kept if its score is at least this share of the row block's highest
    ///     score; 0 keeps everything
    /// @param firstBlocks number of first key blocks, which are always kept
    /// @param nearestBlocks number of nearest key blocks, the row block's own included, which are always
    ///     kept; at least 1
    /// @param forcedShare for benchmarks: share of the key blocks that a synthetic selection keeps in
    ///     place of the scores' selection. Blocks that are always kept count; the others are pseudo-random
    record BlockRule(double threshold, int firstBlocks, int nearestBlocks, OptionalDouble forcedShare) {
        /// The unit in which shares are compared, so that all backends keep the same blocks.
        private static final long MILLION = 1_000_000;

        /// Bits of a pseudo-random number that are compared.
        private static final int BITS = 24;

        public BlockRule {
            if (!(threshold >= 0 && threshold <= 1)) {
                throw new IllegalArgumentException(
                        "threshold is " + threshold + "; expected 0 (keeps everything) to 1");
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

    /// What [#selectBlocks] writes: the key blocks that each block of rows reads, for
    /// each key-value head.
    ///
    /// @param blockTokens tokens of a row block and of a key block
    /// @param starts I32 `[kvHeads, queryBlocks, any]`, the first key of each kept key block, ascending
    /// @param counts I32 `[kvHeads, queryBlocks]`, number of key blocks in each list
    /// @param work I64 `[1]`, increased by the kept key blocks before each row's own, summed over rows and
    ///     key-value heads
    record BlockLists(int blockTokens, Tensor starts, Tensor counts, Tensor work) {
        public int queryBlocks() {
            return counts.extent(1);
        }
    }
}
