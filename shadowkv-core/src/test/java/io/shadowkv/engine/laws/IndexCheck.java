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
        AttendedRows truth = ShadowInside.attended(whole, 0);
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
        return (sequence.length() - recent(sequence)) / spec.chunkSize() - spec.outlierChunks();
    }

    static void assertHolds(Backend backend, SequenceCache sequence, SequenceCache whole, double tolerance) {
        new IndexCheck(backend, sequence, whole, tolerance).run(sequence.rotary().of(0));
    }

    private void run(Rotary rotary) {
        float[] rebuilt = rebuiltKeys(rotary);
        float[] values = backend.download(index.storedValues());
        float[] landmarks = backend.download(index.landmarks());
        float[] attendedKeys = backend.download(index.attended().keys());
        float[] attendedValues = backend.download(index.attended().values());
        for (int head = 0; head < index.landmarks().extent(0); head++) {
            int rows = index.attended().keys().extent(1);
            int stored = index.storedValues().extent(1);
            for (int token = 0; token < contextTokens; token++) {
                assertRow("rebuilt key", head, token, rebuilt, (head * contextTokens + token) * headDim, trueKeys);
                assertRow("stored value", head, token, values, (head * stored + token) * headDim, trueValues);
            }
            int recentRow = (spec.outlierChunks() + spec.cachedUnits()) * spec.chunkSize();
            for (int i = 0; i < recentTokens; i++) {
                int at = (head * rows + recentRow + i) * headDim;
                assertRow("recent key", head, contextTokens + i, attendedKeys, at, trueKeys);
                assertRow("recent value", head, contextTokens + i, attendedValues, at, trueValues);
            }
            List<Integer> outliers = outliers(head, landmarks);
            for (int i = 0; i < outliers.size() * spec.chunkSize(); i++) {
                int token = outliers.get(i / spec.chunkSize()) * spec.chunkSize() + i % spec.chunkSize();
                assertRow("outlier key", head, token, attendedKeys, (head * rows + i) * headDim, trueKeys);
                assertRow("outlier value", head, token, attendedValues, (head * rows + i) * headDim, trueValues);
            }
        }
    }

    /// Checks that every chunk is listed once with its own mean; returns the chunks that are not listed.
    private List<Integer> outliers(int head, float[] landmarks) {
        int chunks = contextTokens / spec.chunkSize();
        int[] ids = backend.downloadInts(index.unitIds().row(head));
        BitSet listed = new BitSet();
        for (int unit = 0; unit < units; unit++) {
            assertThat(ids[unit]).as("chunk of unit " + unit).isBetween(0, chunks - 1);
            assertThat(listed.get(ids[unit]))
                    .as("chunk " + ids[unit] + " is listed twice")
                    .isFalse();
            listed.set(ids[unit]);
            int at = (head * index.landmarks().extent(1) + unit) * headDim;
            for (int e = 0; e < headDim; e++) {
                double mean = 0;
                for (int j = 0; j < spec.chunkSize(); j++) {
                    int token = ids[unit] * spec.chunkSize() + j;
                    mean += trueKeys[(head * trueCapacity + token) * headDim + e] / (double) spec.chunkSize();
                }
                assertThat((double) landmarks[at + e])
                        .as("landmark of chunk " + ids[unit])
                        .isCloseTo(mean, within(mean));
            }
        }
        List<Integer> others = new ArrayList<>();
        for (int chunk = listed.nextClearBit(0); chunk < chunks; chunk = listed.nextClearBit(chunk + 1)) {
            others.add(chunk);
        }
        assertThat(others).as("chunks outside the index of head " + head).hasSize(spec.outlierChunks());
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
        int heads = index.landmarks().extent(0);
        float[] factor = backend.download(index.factor());
        float[] basis = backend.download(index.basis());
        int rank = index.basis().extent(0);
        int width = index.basis().extent(1);
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
            Tensor keys = scope.allocate(backend.activationType(index.factor().dtype()), contextTokens, heads, headDim);
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
