package io.shadowkv.cpu.shadow;

import io.shadowkv.cpu.attention.KeyTile;
import io.shadowkv.cpu.vector.FloatRows;
import io.shadowkv.cpu.vector.Scratch;
import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.cpu.vector.VectorMath;
import io.shadowkv.cpu.vector.VectorWidth;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.host.KeyCodes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Products of queries with the token codes of one head. A lane is a token.
///
/// A query becomes a table of 16 products for each pair of dimensions, one for each value of the
/// pair's four bits. With 16 lanes a table is one vector, and a look-up is one permutation of it;
/// narrower vectors compute the levels instead.
final class CodeScores {
    private static final int TOKENS = TokenCodes.BLOCK_TOKENS;
    private static final int PAIR_BITS = 2 * KeyCodes.BITS;
    private static final int PAIR_VALUES = 1 << PAIR_BITS;
    private static final int WORD_PAIRS = KeyCodes.WORD_DIMS / 2;
    private static final int WORD_VALUES = WORD_PAIRS * PAIR_VALUES;
    private static final boolean HAS_TABLES = VectorWidth.LANES == PAIR_VALUES;

    private final MemorySegment codes;
    private final FloatRows scales;
    private final int words;
    private final long firstBlock;
    private final long firstToken;
    private final float[] tokenScales;

    CodeScores(TokenCodes index, int head, Scratch scratch) {
        codes = index.codes().segment();
        scales = new FloatRows(index.scales());
        words = index.codes().extent(2);
        firstBlock = (long) head * index.codes().extent(1);
        firstToken = (long) head * index.scales().extent(1);
        tokenScales = scratch.floats(Use.SECOND_ROW, TOKENS);
    }

    /// Floats of a row of scores of `tokens` tokens: whole blocks are written.
    static int stride(int tokens) {
        return TokenCodes.blocks(tokens) * TOKENS;
    }

    /// `scores[g * stride + t] = queries[g] · key t` for the first `tokens` tokens.
    ///
    /// @param queries `[groupSize, padded head dim]`, see [KeyTile#queries]; turned in place
    /// @param rowLength elements of a row of `queries`
    void score(
            float[] queries,
            int rowLength,
            int headDim,
            int groupSize,
            int tokens,
            KeyTile.Scores scores,
            Scratch scratch) {
        float[] products = scratch.floats(Use.TILE, 2 * words * WORD_VALUES);
        for (int g = 0; g < groupSize; g += 2) {
            boolean isPair = g + 1 < groupSize;
            prepare(queries, g * rowLength, headDim, products, 0);
            if (isPair) {
                prepare(queries, (g + 1) * rowLength, headDim, products, words * WORD_VALUES);
            }
            for (int token = 0; token < tokens; token += TOKENS) {
                scales.load(firstToken + token, tokenScales, 0, TOKENS);
                long block = (firstBlock + token / TOKENS) * words * TOKENS * Integer.BYTES;
                int at = g * scores.stride() + token;
                if (!HAS_TABLES) {
                    compute(block, products, 0, scores.values(), at);
                    if (isPair) {
                        compute(block, products, words * WORD_VALUES, scores.values(), at + scores.stride());
                    }
                } else if (isPair) {
                    lookUpPair(block, products, scores.values(), at, at + scores.stride());
                } else {
                    lookUp(block, products, scores.values(), at);
                }
            }
        }
    }

    /// Turns a query and writes what the blocks are multiplied with: a table for each pair of
    /// dimensions, or the query itself.
    private void prepare(float[] queries, int from, int headDim, float[] products, int to) {
        KeyCodes.turn(queries, from, headDim);
        int padded = words * KeyCodes.WORD_DIMS;
        if (!HAS_TABLES) {
            System.arraycopy(queries, from, products, to, headDim);
            Arrays.fill(products, to + headDim, to + padded, 0);
            return;
        }
        for (int e = 0; e < padded; e += 2) {
            float low = e < headDim ? queries[from + e] : 0;
            float high = e + 1 < headDim ? queries[from + e + 1] : 0;
            for (int value = 0; value < PAIR_VALUES; value++) {
                float lowLevel = (value & KeyCodes.LARGEST) - KeyCodes.CENTRE;
                float highLevel = (value >>> KeyCodes.BITS) - KeyCodes.CENTRE;
                products[to + e / 2 * PAIR_VALUES + value] = low * lowLevel + high * highLevel;
            }
        }
    }

    /// Two sums, because an addition that waits for the one before takes several cycles.
    private void lookUp(long block, float[] tables, float[] out, int at) {
        FloatVector even = VectorWidth.zero();
        FloatVector odd = VectorWidth.zero();
        for (int w = 0; w < words; w++) {
            IntVector word = word(block, w * TOKENS);
            for (int p = 0; p < WORD_PAIRS; p += 2) {
                int table = (w * WORD_PAIRS + p) * PAIR_VALUES;
                IntVector low = word.lanewise(VectorOperators.LSHR, p * PAIR_BITS);
                IntVector high = word.lanewise(VectorOperators.LSHR, (p + 1) * PAIR_BITS);
                even = looked(low, tables, table).add(even);
                odd = looked(high, tables, table + PAIR_VALUES).add(odd);
            }
        }
        even.add(odd).mul(VectorMath.vector(tokenScales, 0)).intoArray(out, at);
    }

    /// The same for two queries, which share the loads and shifts of the codes.
    private void lookUpPair(long block, float[] tables, float[] out, int at, int secondAt) {
        int second = words * WORD_VALUES;
        FloatVector even = VectorWidth.zero();
        FloatVector odd = VectorWidth.zero();
        FloatVector secondEven = VectorWidth.zero();
        FloatVector secondOdd = VectorWidth.zero();
        for (int w = 0; w < words; w++) {
            IntVector word = word(block, w * TOKENS);
            for (int p = 0; p < WORD_PAIRS; p += 2) {
                int table = (w * WORD_PAIRS + p) * PAIR_VALUES;
                IntVector low = word.lanewise(VectorOperators.LSHR, p * PAIR_BITS);
                IntVector high = word.lanewise(VectorOperators.LSHR, (p + 1) * PAIR_BITS);
                even = looked(low, tables, table).add(even);
                odd = looked(high, tables, table + PAIR_VALUES).add(odd);
                secondEven = looked(low, tables, second + table).add(secondEven);
                secondOdd = looked(high, tables, second + table + PAIR_VALUES).add(secondOdd);
            }
        }
        FloatVector scale = VectorMath.vector(tokenScales, 0);
        even.add(odd).mul(scale).intoArray(out, at);
        secondEven.add(secondOdd).mul(scale).intoArray(out, secondAt);
    }

    /// The table's entries at the lowest bits of `values`; indices wrap around at 16.
    private static FloatVector looked(IntVector values, float[] tables, int at) {
        return values.selectFrom(VectorMath.vector(tables, at).reinterpretAsInts())
                .reinterpretAsFloats();
    }

    private void compute(long block, float[] query, int from, float[] out, int at) {
        int dims = words * KeyCodes.WORD_DIMS;
        float centre = 0;
        for (int e = 0; e < dims; e++) {
            centre -= KeyCodes.CENTRE * query[from + e];
        }
        for (int lane = 0; lane < TOKENS; lane += VectorWidth.LANES) {
            FloatVector sum = VectorWidth.floats(centre);
            for (int w = 0; w < words; w++) {
                IntVector word = word(block, w * TOKENS + lane);
                for (int e = 0; e < KeyCodes.WORD_DIMS; e++) {
                    IntVector code = word.lanewise(VectorOperators.LSHR, e * KeyCodes.BITS)
                            .and(KeyCodes.LARGEST);
                    FloatVector level = (FloatVector) code.convert(VectorOperators.I2F, 0);
                    sum = level.fma(VectorWidth.floats(query[from + w * KeyCodes.WORD_DIMS + e]), sum);
                }
            }
            sum.mul(VectorMath.vector(tokenScales, lane)).intoArray(out, at + lane);
        }
    }

    private IntVector word(long block, int at) {
        return IntVector.fromMemorySegment(
                VectorWidth.INTS, codes, block + (long) at * Integer.BYTES, VectorWidth.ORDER);
    }
}
