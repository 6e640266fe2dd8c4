package io.shadowkv.op.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.host.KeyCodes;
import io.shadowkv.op.testing.Closeness;
import io.shadowkv.op.testing.IndexedSequence;
import io.shadowkv.op.testing.Judge;
import io.shadowkv.op.testing.Placement;
import io.shadowkv.op.testing.PlainAttention;
import io.shadowkv.op.testing.Sample;
import io.shadowkv.op.testing.TestRows;
import io.shadowkv.op.testing.Workbench;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Token codes: encoding keys, and scoring what the codes stand for.
public abstract class TokenCodeConformance extends BackendConformance {
    private static final int HEADS = 2;

    /// Distance from a boundary of two codes, in steps, up to which rounding may decide.
    private static final double NEAR = 1e-4;

    /// Slots of a wave's sequences; a row without an index and a padding row stand among them.
    private static final int[] SLOTS = {3, 6, -1, 0, 4};

    private final Judge judge = new Judge();

    @Test
    void meansAreThoseOfTheFirstKeys() {
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                try (Workbench bench = workbench("mean keys of %s, head dim %d", type, headDim)) {
                    Sample keys = bench.normal(type, HEADS, 41, headDim);
                    // Rows behind the counted ones are not read.
                    for (int h = 0; h < HEADS; h++) {
                        Arrays.fill(keys.values(), (h * 41 + 37) * headDim, (h + 1) * 41 * headDim, Float.NaN);
                    }
                    Tensor means = bench.output(DType.F32, HEADS, headDim);
                    bench.operations().shadow().meanKeys(bench.input(keys), 37, means);
                    Tensor exact = judge.output(HEADS, headDim);
                    judge.operations().shadow().meanKeys(judge.input(keys), 37, exact);
                    float[] plain = new float[HEADS * headDim];
                    for (int i = 0; i < plain.length; i++) {
                        for (int t = 0; t < 37; t++) {
                            plain[i] += keys.values()[(i / headDim * 41 + t) * headDim + i % headDim];
                        }
                        plain[i] /= 37;
                    }
                    new Closeness(bench.description(), DType.F32, 1)
                            .check(Judge.values(exact), plain, bench.values(means));
                }
            }
        }
    }

    @Test
    void encodesKeysOfEveryHeadDim() {
        int pair = 0;
        for (int headDim : HEAD_DIMS) {
            for (DType type : STORAGE_TYPES) {
                encode(type, headDim, cycle(List.of(1, 15, 16, 17, 40), pair), cycle(List.of(0, 3, 16), pair++));
            }
        }
    }

    /// @param to token of the first code
    private void encode(DType type, int headDim, int count, int to) {
        try (Workbench bench = workbench("codes of %d %s keys at %d, head dim %d", count, type, to, headDim)) {
            int from = 2;
            Sample keys = bench.normal(type, HEADS, from + count + 1, headDim);
            Sample means = bench.normal(DType.F32, HEADS, headDim);
            // The first key of the first head is the mean itself: its code has no direction.
            for (int e = 0; e < headDim; e++) {
                means.values()[e] = keys.values()[from * headDim + e];
            }
            int blocks = TokenCodes.blocks(to + count);
            int words = TokenCodes.words(headDim);
            int[] before = new int[HEADS * blocks * words * TokenCodes.BLOCK_TOKENS];
            Arrays.fill(before, 77);
            Sample noScales = Sample.filled(DType.BF16, 5, HEADS, blocks * TokenCodes.BLOCK_TOKENS);
            Tensor codes = bench.ints(before, HEADS, blocks, words, TokenCodes.BLOCK_TOKENS);
            Tensor scales = bench.state(noScales);
            bench.operations()
                    .shadow()
                    .encodeKeys(bench.input(keys), from, count, bench.input(means), codes, scales, to);
            Tensor exactCodes = judge.ints(before, HEADS, blocks, words, TokenCodes.BLOCK_TOKENS);
            Tensor exactScales = judge.state(noScales);
            judge.operations()
                    .shadow()
                    .encodeKeys(judge.input(keys), from, count, judge.input(means), exactCodes, exactScales, to);

            int[] found = bench.intValues(codes);
            int[] expected = exactCodes.segment().toArray(java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED);
            float[] foundScales = bench.values(scales);
            double[] trueScales = Judge.values(exactScales);
            for (int h = 0; h < HEADS; h++) {
                for (int token = 0; token < blocks * TokenCodes.BLOCK_TOKENS; token++) {
                    int at = h * blocks * TokenCodes.BLOCK_TOKENS + token;
                    boolean isWritten = token >= to && token < to + count;
                    double[] steps = isWritten
                            ? steps(keys, means, h, from + token - to)
                            : new double[words * KeyCodes.WORD_DIMS];
                    boolean isEqual = true;
                    for (int e = 0; e < words * KeyCodes.WORD_DIMS; e++) {
                        int code = code(found, blocks, words, h, token, e);
                        int own = code(expected, blocks, words, h, token, e);
                        if (code != own) {
                            isEqual = false;
                            assertThat(Math.abs(steps[e] - Math.rint(steps[e])))
                                    .as(
                                            "%s: code %d of token %d is %d, not %d",
                                            bench.description(), e, token, code, own)
                                    .isLessThan(NEAR);
                            assertThat(Math.abs(code - own)).isEqualTo(1);
                        }
                    }
                    double allowed = isEqual ? 0x1p-8 * Math.abs(trueScales[at]) : 0.05 * trueScales[at];
                    assertThat((double) foundScales[at])
                            .as("%s: scale of token %d", bench.description(), token)
                            .isCloseTo(trueScales[at], org.assertj.core.data.Offset.offset(allowed));
                }
            }
        }
    }

    /// The turned elements of a key less the mean, in steps of the codes; rounding of float arithmetic is far
    /// below [#NEAR].
    private static double[] steps(Sample keys, Sample means, int h, int row) {
        int headDim = keys.extent(2);
        float[] turned = new float[headDim];
        for (int e = 0; e < headDim; e++) {
            turned[e] = keys.values()[(h * keys.extent(1) + row) * headDim + e] - means.values()[h * headDim + e];
        }
        KeyCodes.turn(turned, 0, headDim);
        double magnitude = 0;
        for (float element : turned) {
            magnitude += Math.abs(element) / headDim;
        }
        double[] steps = new double[TokenCodes.words(headDim) * KeyCodes.WORD_DIMS];
        for (int e = 0; e < headDim; e++) {
            steps[e] = magnitude == 0 ? 0 : turned[e] / (KeyCodes.STEP * magnitude);
        }
        return steps;
    }

    private static int code(int[] codes, int blocks, int words, int h, int token, int e) {
        int block = h * blocks + token / TokenCodes.BLOCK_TOKENS;
        int at = (block * words + e / KeyCodes.WORD_DIMS) * TokenCodes.BLOCK_TOKENS + token % TokenCodes.BLOCK_TOKENS;
        return codes[at] >>> KeyCodes.BITS * (e % KeyCodes.WORD_DIMS) & KeyCodes.LARGEST;
    }

    /// What a code stands for has the key's direction: nine tenths of it on average.
    @Test
    void aCodeStandsForItsKey() {
        try (Workbench bench = workbench("directions of codes")) {
            int headDim = 128;
            int count = 64;
            Sample keys = bench.normal(DType.F32, 1, count, headDim);
            Sample means = Sample.filled(DType.F32, 0, 1, headDim);
            int blocks = TokenCodes.blocks(count);
            int words = TokenCodes.words(headDim);
            Tensor codes = bench.intOutput(1, blocks, words, TokenCodes.BLOCK_TOKENS);
            Tensor scales = bench.output(DType.BF16, 1, blocks * TokenCodes.BLOCK_TOKENS);
            bench.operations().shadow().encodeKeys(bench.input(keys), 0, count, bench.input(means), codes, scales, 0);
            int[] found = bench.intValues(codes);
            double cosines = 0;
            for (int t = 0; t < count; t++) {
                double[] steps = steps(keys, means, 0, t);
                double product = 0;
                double squares = 0;
                double levels = 0;
                for (int e = 0; e < headDim; e++) {
                    double level = code(found, blocks, words, 0, t, e) - KeyCodes.CENTRE;
                    product += steps[e] * level;
                    squares += steps[e] * steps[e];
                    levels += level * level;
                }
                cosines += product / Math.sqrt(squares * levels) / count;
            }
            assertThat(cosines).isBetween(0.92, 0.96);
        }
    }

    @Test
    void scoresCodesOfDifferentLengths() {
        int pair = 0;
        List<int[]> units = List.of(
                new int[] {1, 0, 0, 7, 33}, new int[] {8, 0, 0, 15, 31}, new int[] {16, 0, 0, 64, 17}, new int[] {
                    65, 0, 0, 3, 128
                });
        for (int headDim : HEAD_DIMS) {
            for (int groupSize : GROUP_SIZES) {
                score(headDim, groupSize, cycle(units, pair++), 1);
            }
        }
    }

    @Test
    void scoresManyCodes() {
        score(64, 2, new int[] {4001, 0, 0, 2003, 3001}, 1);
    }

    /// Enough heads that a backend scores them in several turns, some of them without codes.
    @Test
    void scoresCodesOfManyRows() {
        int[] slots = new int[23];
        int[] units = new int[slots.length];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = i * 7 % slots.length;
            units[i] = i % 5 == 3 ? 0 : 1 + i * 97 % 331;
        }
        score(slots, 32, 3, units, 1);
    }

    @Test
    void survivesLargeScoresOfCodes() {
        score(64, 4, new int[] {40, 0, 0, 9, 33}, 300);
    }

    private void score(int headDim, int groupSize, int[] units, float sharpness) {
        score(SLOTS, headDim, groupSize, units, sharpness);
    }

    private void score(int[] slots, int headDim, int groupSize, int[] units, float sharpness) {
        try (Workbench bench = workbench(
                "scores of %s codes, head dim %d, group %d, times %s",
                Arrays.toString(units), headDim, groupSize, sharpness)) {
            Coded[] coded = new Coded[slots.length];
            for (int i = 0; i < slots.length; i++) {
                coded[i] = Coded.random(bench, headDim, units[i]);
            }
            var rows = TestRows.indexed(slots, units);
            int width = Arrays.stream(units).max().orElseThrow() + 2;
            Sample queries = bench.normal(bench.activationType(), slots.length, HEADS * groupSize, headDim);
            Sample poison = Sample.filled(DType.F32, Float.NaN, slots.length, HEADS, width);
            double scale = sharpness / Math.sqrt(headDim);
            Tensor scores = bench.state(poison);
            bench.operations()
                    .shadow()
                    .scoreUnits(bench.input(queries), table(bench, slots, coded), rows.on(bench), scale, scores);
            Tensor exact = judge.state(poison);
            judge.operations()
                    .shadow()
                    .scoreUnits(judge.input(queries), table(judge, slots, coded), rows.on(judge), scale, exact);
            float[] plain = plainScores(queries, coded, units, width, (float) scale);
            // A rounding of a score before softmax moves the result by that rounding times the score.
            new Closeness(bench.description(), DType.F32, 1 + 4 * sharpness)
                    .check(Judge.values(exact), plain, bench.values(scores));
        }
    }

    private static SlotTable<IndexedLayer> table(Placement side, int[] slots, Coded[] coded) {
        var table = new SlotTable<IndexedLayer>();
        for (int i = 0; i < slots.length; i++) {
            if (coded[i].units() > 0) {
                table.set(slots[i], coded[i].on(side));
            }
        }
        return table;
    }

    /// NaN where nothing is to be written.
    private static float[] plainScores(Sample queries, Coded[] coded, int[] units, int width, float scale) {
        int queryHeads = queries.extent(1);
        int headDim = queries.extent(2);
        float[] scores = new float[units.length * HEADS * width];
        Arrays.fill(scores, Float.NaN);
        for (int i = 0; i < units.length; i++) {
            for (int q = 0; q < queryHeads && units[i] > 0; q++) {
                int h = q / (queryHeads / HEADS);
                int at = (i * queryHeads + q) * headDim;
                float[] query = Arrays.copyOfRange(queries.values(), at, at + headDim);
                KeyCodes.turn(query, 0, headDim);
                float[] weights = PlainAttention.weights(query, coded[i].turnedKeys(h), 0, units[i], scale);
                for (int u = 0; u < units[i]; u++) {
                    int to = (i * HEADS + h) * width + u;
                    scores[to] = Float.isNaN(scores[to]) ? weights[u] : Math.max(scores[to], weights[u]);
                }
            }
        }
        return scores;
    }

    /// A sequence with random codes. Behind the last token, codes are random and scales NaN.
    private record Coded(IndexedSequence sequence, int headDim, int units, int[] codes, Sample scales) {
        static Coded random(Workbench bench, int headDim, int units) {
            var sizes = new IndexedSequence.Sizes(DType.BF16, 1, HEADS, headDim, 1, units, 1);
            int blocks = TokenCodes.blocks(sizes.capacity());
            int[] codes = bench.random()
                    .ints((long) HEADS * blocks * TokenCodes.words(headDim) * TokenCodes.BLOCK_TOKENS)
                    .toArray();
            Sample scales = bench.normal(DType.BF16, HEADS, blocks * TokenCodes.BLOCK_TOKENS);
            for (int h = 0; h < HEADS; h++) {
                int head = h * blocks * TokenCodes.BLOCK_TOKENS;
                Arrays.fill(scales.values(), head + units, head + blocks * TokenCodes.BLOCK_TOKENS, Float.NaN);
            }
            return new Coded(new IndexedSequence(bench, sizes), headDim, units, codes, scales);
        }

        private int blocks() {
            return scales.extent(1) / TokenCodes.BLOCK_TOKENS;
        }

        IndexedLayer on(Placement side) {
            IndexedLayer cold = sequence.cold(side);
            TokenCodes index = new TokenCodes(
                    side.ints(codes, HEADS, blocks(), TokenCodes.words(headDim), TokenCodes.BLOCK_TOKENS),
                    side.input(scales),
                    cold.index().unitIds());
            return new IndexedLayer(index, cold.keys(), cold.stored(), cold.residency());
        }

        /// What the codes of a head stand for, `[units, headDim]`.
        float[] turnedKeys(int h) {
            float[] keys = new float[units * headDim];
            for (int i = 0; i < keys.length; i++) {
                int token = i / headDim;
                float scale = scales.values()[h * scales.extent(1) + token];
                int code = code(codes, blocks(), TokenCodes.words(headDim), h, token, i % headDim);
                keys[i] = scale * (code - KeyCodes.CENTRE);
            }
            return keys;
        }
    }
}
