package io.shadowkv.op;

import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// ShadowKV's state of one sequence in one layer, as the operations see it. U units are indexed. A
/// unit is `unitTokens` consecutive tokens. A step selects k units; C ≥ k units are resident at a
/// time.
///
/// @param index what a step compares with the queries
/// @param keys the keys of all context tokens
/// @param stored the values of all context tokens
/// @param residency what attention reads, and which units are there
public record IndexedLayer(UnitIndex index, KeyFactor keys, StoredValues stored, Residency residency) {
    /// Number of key-value heads.
    public int kvHeads() {
        return residency.attended.keys().extent(0);
    }

    /// Elements of a head.
    public int headDim() {
        return residency.attended.keys().extent(2);
    }

    /// Tokens of a unit.
    public int unitTokens() {
        return index.unitTokens();
    }

    /// Maximum number of indexed units.
    public int unitCapacity() {
        return index.unitIds().extent(1);
    }

    /// Maximum number of context tokens.
    public int tokenCapacity() {
        return keys.factor.extent(0);
    }

    /// Columns of the key factorisation.
    public int rank() {
        return keys.factor.extent(1);
    }

    /// k, the number of units that a step selects.
    public int selectedUnits() {
        return residency.selectedSlots.extent(1);
    }

    /// C, the number of units that are resident at a time.
    public int slots() {
        return residency.residentUnits.extent(1);
    }

    /// What a step compares with the queries: one entry for each unit. All layers of a batch have
    /// the same kind.
    public sealed interface UnitIndex {
        /// Tokens of a unit.
        int unitTokens();

        /// I32 `[kvHeads, unitCapacity]`, the number of the u-th indexed unit: its first token is
        /// `unitIds * unitTokens`.
        Tensor unitIds();
    }

    /// The paper's index: one mean rotated key for each unit.
    ///
    /// @param unitTokens tokens of a unit: 8 for the paper's chunks
    /// @param means `[kvHeads, unitCapacity, headDim]`, row u is the landmark of the u-th indexed
    ///     unit
    public record Landmarks(int unitTokens, Tensor means, Tensor unitIds) implements UnitIndex {}

    /// The key of each token in two bits a dimension; a unit is one token.
    /// [io.shadowkv.op.host.KeyCodes] has the formula.
    ///
    /// Tokens lie in blocks of [#BLOCK_TOKENS]. A block has, for each group of 16 dimensions, one int
    /// of each of its tokens, so that one vector or one warp reads the same dimensions of many
    /// tokens. Bits 2i and 2i + 1 of an int are the code of the group's dimension i. What lies behind
    /// the last token is unspecified.
    ///
    /// @param codes I32 `[kvHeads, blocks, words, 16]`
    /// @param scales BF16 `[kvHeads, blocks * 16]`
    public record TokenCodes(Tensor codes, Tensor scales, Tensor unitIds) implements UnitIndex {
        /// Tokens of a block.
        public static final int BLOCK_TOKENS = 16;

        private static final int WORD_DIMS = 16;

        /// Ints of the code of one token of one head.
        public static int words(int headDim) {
            return Math.ceilDiv(headDim, WORD_DIMS);
        }

        /// Blocks of `tokens` tokens.
        public static int blocks(int tokens) {
            return Math.ceilDiv(tokens, BLOCK_TOKENS);
        }

        @Override
        public int unitTokens() {
            return 1;
        }
    }

    /// The keys of all context tokens as a product A · B, before rotation.
    ///
    /// @param factor A, `[tokenCapacity, rank]`: row t belongs to the key of token t
    /// @param basis B, `[rank, kvHeads * headDim]`, shared by all tokens; the columns of a head are
    ///     adjacent
    public record KeyFactor(Tensor factor, Tensor basis) {}

    /// The values of all context tokens, in one or more extents of consecutive tokens. A unit lies in
    /// one extent. All extents have the same type and lie in the same kind of memory.
    ///
    /// @param first the first tokens; may have none if there are more extents
    /// @param further the tokens after them. All have the same number of tokens, except that the
    ///     last may have fewer
    public record StoredValues(Extent first, List<Extent> further) {
        /// Maximum number of extents after the first.
        public static final int MAX_FURTHER = 32;

        public StoredValues {
            further = List.copyOf(further);
            if (further.size() > MAX_FURTHER) {
                throw new IllegalArgumentException("stored values have " + further.size()
                        + " extents after the first; expected at most " + MAX_FURTHER + ". Use longer extents");
            }
            for (int i = 1; i < further.size(); i++) {
                int tokens = further.get(i - 1).tokens();
                if (tokens != further.getFirst().tokens() || further.get(i).tokens() > tokens) {
                    throw new IllegalArgumentException("extent " + i + " of stored values has "
                            + further.get(i).tokens() + " tokens after one of " + tokens
                            + "; expected equal extents, of which the last may be shorter");
                }
            }
        }

        /// Values in one extent.
        public StoredValues(Tensor values, @Nullable Tensor scales) {
            this(new Extent(values, scales), List.of());
        }

        /// Consecutive tokens.
        ///
        /// @param values `[kvHeads, tokens, headDim]`, in host or backend memory; of the attended
        ///     values' type, or quantised: I8, or F8E4M3
        /// @param scales BF16 `[kvHeads, tokens]`, in backend memory: a quantised value is its
        ///     code times its row's scale; null if values are not quantised
        public record Extent(Tensor values, @Nullable Tensor scales) {
            /// Number of tokens.
            public int tokens() {
                return values.extent(1);
            }
        }

        /// Type of the values.
        public DType dtype() {
            return first.values.dtype();
        }

        /// True if values have scales.
        public boolean isQuantised() {
            return first.scales != null;
        }

        /// Tokens of an extent after the first, except for the last; 0 if there is none.
        public int furtherTokens() {
            return further.isEmpty() ? 0 : further.getFirst().tokens();
        }

        /// The number of the extent that a token lies in; 0 is the first.
        public int extentOf(int token) {
            return token < first.tokens() ? 0 : 1 + (token - first.tokens()) / furtherTokens();
        }

        /// The extent of that number.
        public Extent extent(int number) {
            return number == 0 ? first : further.get(number - 1);
        }

        /// The first token of the extent of that number.
        public int firstToken(int number) {
            return number == 0 ? 0 : first.tokens() + (number - 1) * furtherTokens();
        }
    }

    /// The rows that attention reads, the units among them, and what the last step selected.
    ///
    /// @param attended the resident rows; the resident units' region starts at `firstRow`
    /// @param firstRow row of slot 0 in `attended`; slot s starts at row `firstRow + s * unitTokens`
    /// @param residentUnits I32 `[kvHeads, C]`, index of the unit in each slot, or -1
    /// @param slotAges I32 `[kvHeads, C]`, steps since the unit in each slot was last selected, at most
    ///     255; decides which units are replaced
    /// @param selectedSlots I32 `[kvHeads, k]`, the slots of the units that the last step selected,
    ///     ascending, padded with -1 if there were fewer units than k
    /// @param missUnits I32 `[kvHeads, k]`, units that were selected but not resident; the first
    ///     `missCounts[h]` are valid
    /// @param missSlots I32 `[kvHeads, k]`, the slot that each missing unit is loaded into
    /// @param missCounts I32 `[kvHeads]`
    /// @param counters I64 `[2]`, running totals of selected units and of misses over all heads
    public record Residency(
            AttendedRows attended,
            int firstRow,
            Tensor residentUnits,
            Tensor slotAges,
            Tensor selectedSlots,
            Tensor missUnits,
            Tensor missSlots,
            Tensor missCounts,
            Tensor counters) {}
}
