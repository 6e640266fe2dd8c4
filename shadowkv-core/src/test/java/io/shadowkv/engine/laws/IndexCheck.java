package io.shadowkv.engine.laws;

import static org.assertj.core.api.Assertions.assertThat;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.cache.SequenceCache;
import io.shadowkv.cache.shadow.ShadowInside;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Rotary;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// Holds an index of full rank against the same sequence kept whole, in the first layer.
final class IndexCheck {
    private final Backend backend;
    private final SequenceCache sequence;
    private final AttendedRows truth;
    private final IndexedLayer index;
    private final KvCacheSpec.Shadow spec;
    private final int units;
    private final int contextTokens;
    private final int recentTokens;
    private final double tolerance;
    private final float[] trueKeys;
    private final float[] trueValues;
    private final int trueCapacity;
    private final int headDim;

    private IndexCheck(Backend backend, SequenceCache sequence, SequenceCache whole, double tolerance) {
        this.sequence = sequence;
        this.truth = ShadowInside.attended(whole, 0);
        this.backend = backend;
        this.index = ShadowInside.indexed(sequence, 0);
        this.spec = ShadowInside.spec(sequence);
        this.units = units(sequence);
        this.recentTokens = recent(sequence);
        this.contextTokens = sequence.length() - recentTokens;
        this.tolerance = tolerance;
        this.trueKeys = backend.download(truth.keys());
        this.trueValues = backend.download(truth.values());
        this.trueCapacity = truth.keys().extent(1);
        this.headDim = truth.keys().extent(2);
    }

    /// Recent tokens, from the room that they leave (the sequence must be below its capacity by more than that).
    private static int recent(SequenceCache sequence) {
        assertThat(sequence.capacity() - sequence.length()).isGreaterThanOrEqualTo(sequence.room());
        return ShadowInside.spec(sequence).recentTokens() - sequence.room();
    }

    /// Units that the index must hold: all chunks but the recent ones and the outliers.
    static int units(SequenceCache sequence) {
        KvCacheSpec.Shadow spec = ShadowInside.spec(sequence);
        return (sequence.length() - recent(sequence)) / spec.unitTokens()
                - spec.index().outlierUnits();
    }

    static void assertHolds(Backend backend, SequenceCache sequence, SequenceCache whole, double tolerance) {
        new IndexCheck(backend, sequence, whole, tolerance)
                .run(sequence.rotary().of(0));
    }

    private void run(Rotary rotary) {
        float[] rebuilt = rebuiltKeys(rotary);
        float[] values = backend.download(index.stored().first().values());
        checkEntries();
        float[] attendedKeys = backend.download(index.residency().attended().keys());
        float[] attendedValues = backend.download(index.residency().attended().values());
        for (int head = 0; head < index.kvHeads(); head++) {
            int rows = index.residency().attended().keys().extent(1);
            int stored = index.stored().first().values().extent(1);
            for (int token = 0; token < contextTokens; token++) {
                assertRow("rebuilt key", head, token, rebuilt, (head * contextTokens + token) * headDim, trueKeys);
                assertRow("stored value", head, token, values, (head * stored + token) * headDim, trueValues);
            }
            int recentRow = index.residency().firstRow() + index.slots() * spec.unitTokens();
            for (int i = 0; i < recentTokens; i++) {
                int at = (head * rows + recentRow + i) * headDim;
                assertRow("recent key", head, contextTokens + i, attendedKeys, at, trueKeys);
                assertRow("recent value", head, contextTokens + i, attendedValues, at, trueValues);
            }
            List<Integer> outliers = outliers(head);
            for (int i = 0; i < outliers.size() * spec.unitTokens(); i++) {
                int token = outliers.get(i / spec.unitTokens()) * spec.unitTokens() + i % spec.unitTokens();
                assertRow("outlier key", head, token, attendedKeys, (head * rows + i) * headDim, trueKeys);
                assertRow("outlier value", head, token, attendedValues, (head * rows + i) * headDim, trueValues);
            }
        }
    }

    /// Checks what a step compares with queries.
    private void checkEntries() {
        switch (index.index()) {
            case IndexedLayer.Landmarks landmarks -> checkLandmarks(backend.download(landmarks.means()));
            case IndexedLayer.TokenCodes codes -> checkCodes(codes);
        }
    }

    /// The codes are those of the true keys less the means that the sequence has. Roundings of keys may move a few
    /// elements over the boundary of two codes.
    private void checkCodes(IndexedLayer.TokenCodes codes) {
        int heads = index.kvHeads();
        int blocks = IndexedLayer.TokenCodes.blocks(contextTokens);
        int words = codes.codes().extent(2);
        try (MemoryScope scope = backend.newScope("codes of the true keys")) {
            Tensor expected = scope.allocate(DType.I32, heads, blocks, words, IndexedLayer.TokenCodes.BLOCK_TOKENS);
            Tensor scales = scope.allocate(DType.BF16, heads, blocks * IndexedLayer.TokenCodes.BLOCK_TOKENS);
            backend.operations()
                    .shadow()
                    .encodeKeys(
                            truth.keys(), 0, contextTokens, ShadowInside.meanKeys(sequence, 0), expected, scales, 0);
            backend.synchronize();
            for (int head = 0; head < heads; head++) {
                int[] own = backend.downloadInts(codes.codes().row(head));
                int[] wanted = backend.downloadInts(expected.row(head));
                int differing = 0;
                for (int i = 0; i < wanted.length; i++) {
                    int token = i / (words * 16) * 16 + i % 16;
                    int bits = own[i] ^ wanted[i];
                    differing += token < contextTokens ? Integer.bitCount((bits | bits >>> 1) & 0x55555555) : 0;
                }
                assertThat(differing)
                        .as("codes of other values of head " + head)
                        .isLessThanOrEqualTo(contextTokens * headDim / 50);
            }
        }
    }

    private void checkLandmarks(float[] landmarks) {
        for (int head = 0; head < index.kvHeads(); head++) {
            int[] ids = backend.downloadInts(index.index().unitIds().row(head));
            for (int unit = 0; unit < units; unit++) {
                int at = (head * index.unitCapacity() + unit) * headDim;
                for (int e = 0; e < headDim; e++) {
                    double mean = 0;
                    for (int j = 0; j < spec.unitTokens(); j++) {
                        int token = ids[unit] * spec.unitTokens() + j;
                        mean += trueKeys[(head * trueCapacity + token) * headDim + e] / (double) spec.unitTokens();
                    }
                    assertThat((double) landmarks[at + e])
                            .as("landmark of chunk " + ids[unit])
                            .isCloseTo(mean, within(mean));
                }
            }
        }
    }

    /// Checks that every chunk is listed once; returns the chunks that are not listed.
    private List<Integer> outliers(int head) {
        int chunks = contextTokens / spec.unitTokens();
        int[] ids = backend.downloadInts(index.index().unitIds().row(head));
        BitSet listed = new BitSet();
        for (int unit = 0; unit < units; unit++) {
            assertThat(ids[unit]).as("chunk of unit " + unit).isBetween(0, chunks - 1);
            assertThat(listed.get(ids[unit]))
                    .as("chunk " + ids[unit] + " is listed twice")
                    .isFalse();
            listed.set(ids[unit]);
        }
        List<Integer> others = new ArrayList<>();
        for (int chunk = listed.nextClearBit(0); chunk < chunks; chunk = listed.nextClearBit(chunk + 1)) {
            others.add(chunk);
        }
        assertThat(others)
                .as("chunks outside the index of head " + head)
                .hasSize(spec.index().outlierUnits());
        return others;
    }

    private void assertRow(String what, int head, int token, float[] found, int at, float[] truth) {
        int from = (head * trueCapacity + token) * headDim;
        for (int e = 0; e < headDim; e++) {
            if (!(Math.abs(found[at + e] - truth[from + e]) <= tolerance * (1 + Math.abs(truth[from + e])))) {
                assertThat(found[at + e])
                        .as(what + " of token " + token + ", head " + head)
                        .isEqualTo(truth[from + e]);
            }
        }
    }

    private org.assertj.core.data.Offset<Double> within(double value) {
        return org.assertj.core.api.Assertions.within(tolerance * (1 + Math.abs(value)));
    }

    /// `factor · basis`, rotated: [kvHeads, contextTokens, headDim].
    private float[] rebuiltKeys(Rotary rotary) {
        int heads = index.kvHeads();
        float[] factor = backend.download(index.keys().factor());
        float[] basis = backend.download(index.keys().basis());
        int rank = index.keys().basis().extent(0);
        int width = index.keys().basis().extent(1);
        float[] plain = new float[contextTokens * width];
        for (int token = 0; token < contextTokens; token++) {
            for (int column = 0; column < width; column++) {
                double sum = 0;
                for (int r = 0; r < rank; r++) {
                    sum += (double) factor[token * rank + r] * basis[r * width + column];
                }
                plain[token * width + column] = (float) sum;
            }
        }
        try (MemoryScope scope = backend.newScope("rebuilt keys");
                var arena = java.lang.foreign.Arena.ofConfined()) {
            Tensor keys = scope.allocate(
                    backend.activationType(index.keys().factor().dtype()), contextTokens, heads, headDim);
            Tensor host = Tensor.of(DType.F32, keys.shape(), arena.allocate(plain.length * 4L, 64));
            io.shadowkv.tensor.Floats.fill(host, plain);
            backend.operations().dense().copy(host, keys);
            Tensor positions = scope.allocate(DType.I32, contextTokens);
            backend.upload(java.util.stream.IntStream.range(0, contextTokens).toArray(), positions);
            backend.operations().dense().rotate(keys, positions, rotary);
            Tensor stored = scope.allocate(DType.F32, heads, contextTokens, headDim);
            backend.operations().attention().store(keys, stored, 0);
            return backend.download(stored);
        }
    }
}
