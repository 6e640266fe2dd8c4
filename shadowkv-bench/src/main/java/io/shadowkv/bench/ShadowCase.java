package io.shadowkv.bench;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.Random;

/// One layer of ShadowKV with a context of 32,768 tokens: eight key-value heads of 128 elements,
/// four query heads per key-value head, rank 160, a budget of 2,048 tokens, 40 % of the selected
/// units missing.
final class ShadowCase {
    static final int TOKENS = 32_768;
    static final int UNIT_TOKENS = 8;
    static final int RANK = 160;
    static final int SLOTS = 256;
    static final int MISSES = 102;

    private static final int HEADS = 8;
    private static final int GROUP_SIZE = 4;
    private static final int HEAD_DIM = 128;
    private static final int UNITS = TOKENS / UNIT_TOKENS;

    private final Operands operands;
    private final SlotTable<IndexedLayer> layers = new SlotTable<>();
    private final StepRows rows;
    private final Tensor queries;
    private final Tensor scores;
    private final Rotary rotary;
    private final SlotTable<IndexedLayer> coded = new SlotTable<>();
    private final StepRows tokenRows;
    private final Tensor tokenScores;

    ShadowCase(Operands operands) {
        this.operands = operands;
        rows = operands.oneRow(SLOTS * UNIT_TOKENS, UNITS);
        queries = operands.random(DType.F32, 1, HEADS * GROUP_SIZE, HEAD_DIM);
        scores = operands.random(DType.F32, 1, HEADS, UNITS);
        rotary = new Rotary(
                operands.random(DType.F32, TOKENS, HEAD_DIM / 2),
                operands.random(DType.F32, TOKENS, HEAD_DIM / 2),
                HEAD_DIM,
                false,
                1);
        layers.set(0, layer(operands));
        tokenRows = operands.oneRow(SLOTS * UNIT_TOKENS, TOKENS);
        tokenScores = operands.random(DType.F32, 1, HEADS, TOKENS);
        coded.set(0, coded(layers.get(0), operands));
    }

    private static IndexedLayer layer(Operands operands) {
        int[] ids = new int[HEADS * UNITS];
        Arrays.setAll(ids, i -> i % UNITS);
        int[] residents = new int[HEADS * SLOTS];
        Arrays.fill(residents, -1);
        int[] missUnits = new int[HEADS * SLOTS];
        Arrays.setAll(missUnits, i -> i % SLOTS * 37 % UNITS);
        int[] missSlots = new int[HEADS * SLOTS];
        Arrays.setAll(missSlots, i -> i % SLOTS);
        int[] missCounts = new int[HEADS];
        Arrays.fill(missCounts, MISSES);
        return new IndexedLayer(
                new IndexedLayer.Landmarks(
                        UNIT_TOKENS,
                        operands.random(DType.BF16, HEADS, UNITS, HEAD_DIM),
                        operands.ints(ids, HEADS, UNITS)),
                new IndexedLayer.KeyFactor(
                        operands.random(DType.BF16, TOKENS, RANK), operands.random(DType.BF16, RANK, HEADS * HEAD_DIM)),
                new IndexedLayer.StoredValues(operands.random(DType.BF16, HEADS, TOKENS, HEAD_DIM), null),
                new IndexedLayer.Residency(
                        new AttendedRows(
                                operands.zeros(DType.BF16, HEADS, SLOTS * UNIT_TOKENS, HEAD_DIM),
                                operands.zeros(DType.BF16, HEADS, SLOTS * UNIT_TOKENS, HEAD_DIM)),
                        0,
                        operands.ints(residents, HEADS, SLOTS),
                        operands.zeros(DType.I32, HEADS, SLOTS),
                        operands.zeros(DType.I32, HEADS, SLOTS),
                        operands.ints(missUnits, HEADS, SLOTS),
                        operands.ints(missSlots, HEADS, SLOTS),
                        operands.ints(missCounts, HEADS),
                        operands.zeros(DType.I64, 2)));
    }

    /// The same layer with an entry for each token.
    private static IndexedLayer coded(IndexedLayer layer, Operands operands) {
        int[] codes = new Random(1)
                .ints((long) HEADS * TOKENS * TokenCodes.words(HEAD_DIM))
                .toArray();
        int blocks = TokenCodes.blocks(TOKENS);
        var index = new TokenCodes(
                operands.ints(codes, HEADS, blocks, TokenCodes.words(HEAD_DIM), TokenCodes.BLOCK_TOKENS),
                operands.random(DType.BF16, HEADS, TOKENS),
                operands.zeros(DType.I32, HEADS, TOKENS));
        return new IndexedLayer(index, layer.keys(), layer.stored(), layer.residency());
    }

    void scoreCodes() {
        double scale = 1 / Math.sqrt(HEAD_DIM);
        operands.operations().shadow().scoreUnits(queries, coded, tokenRows, scale, tokenScores);
    }

    void score() {
        double scale = 1 / Math.sqrt(HEAD_DIM);
        operands.operations().shadow().scoreUnits(queries, layers, rows, scale, scores);
    }

    void select() {
        operands.operations().shadow().select(scores, layers, rows);
    }

    void rebuild() {
        operands.operations().shadow().rebuildKeys(layers, rows, rotary);
    }

    void fetch() {
        operands.operations().shadow().fetchValues(layers, rows);
    }
}
