package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.cuda.device.CudaScope;
import io.shadowkv.op.AttendedRows;
import io.shadowkv.op.Backend.Place;
import io.shadowkv.op.IndexedLayer;
import io.shadowkv.op.IndexedLayer.TokenCodes;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.SlotTable;
import io.shadowkv.op.StepRows;
import io.shadowkv.op.host.KeyCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Data of one case of [ShadowStepBench], with enough layers to keep the data of a launch out of
/// L2, and checks of the kernels' results in double. All layers and rows share the values on the
/// host, which are larger than any cache.
final class ShadowStepBenchLayers {
    private static final int KV_HEADS = 8;
    private static final int GROUP_SIZE = 4;
    private static final int HEAD_DIM = 128;
    private static final int RANK = 160;
    private static final int SELECTED_TOKENS = 2048;
    private static final int FIRST_ROW = 384;
    private static final int TAIL = 368;
    private static final int LOCAL_TOKENS = 32;
    private static final int PATTERN_ROWS = 65_521;
    private static final long ROTATED_BYTES = 256L << 20;
    private static final double TOLERANCE = 0.02;

    private final CudaContext context;
    private final CudaScope memory;
    private final int batch;
    private final int tokens;
    private final boolean isCoded;
    private final int unitTokens;
    private final int selected;
    private final int outliers;
    private final int units;
    private final DType stored;
    private final Place place;
    private final SplittableRandom random = new SplittableRandom(11);
    private final Tensor pattern;
    private final Tensor hostValues;
    private final Rotary rotary;
    private final StepRows rows;
    private final Tensor queries;
    private final Tensor scores;
    private final List<SlotTable<IndexedLayer>> tables = new ArrayList<>();

    /// @param isCoded true for token codes, false for landmarks
    ShadowStepBenchLayers(
            CudaContext context, CudaScope memory, boolean isCoded, int batch, int tokens, DType stored, Place place) {
        this.context = context;
        this.memory = memory;
        this.batch = batch;
        this.tokens = tokens;
        this.isCoded = isCoded;
        this.unitTokens = isCoded ? 1 : 8;
        this.selected = SELECTED_TOKENS / unitTokens;
        this.outliers = isCoded ? 0 : 48;
        this.units = (tokens - LOCAL_TOKENS) / unitTokens - outliers;
        this.stored = stored;
        this.place = place;
        pattern = normal(PATTERN_ROWS, HEAD_DIM);
        hostValues = memory.allocate(place, stored, KV_HEADS, place == Place.HOST ? tokens : 1, HEAD_DIM);
        if (place == Place.HOST) {
            fillHost(hostValues.segment());
        }
        rotary = newRotary();
        queries = normal(batch, KV_HEADS * GROUP_SIZE, HEAD_DIM);
        scores = memory.allocate(DType.F32, batch, KV_HEADS, units);
        int[] slots = new int[batch];
        Arrays.setAll(slots, i -> i);
        int[] lengths = new int[batch];
        Arrays.fill(lengths, units);
        Tensor unused = memory.allocate(DType.I32, batch);
        rows = new StepRows(batch, upload(slots, batch), unused, unused, unused, upload(lengths, batch));
        int layers = Math.clamp(ROTATED_BYTES / (long) indexBytes() + 1, 1, 8);
        for (int layer = 0; layer < layers; layer++) {
            var table = new SlotTable<IndexedLayer>();
            for (int slot = 0; slot < batch; slot++) {
                table.set(slot, layer());
            }
            tables.add(table);
        }
        context.queue().synchronize();
    }

    private IndexedLayer layer() {
        int[] ids = new int[KV_HEADS * units];
        Arrays.setAll(ids, i -> i % units + outliers);
        int[] free = new int[KV_HEADS * selected];
        Arrays.fill(free, -1);
        Tensor values = place == Place.HOST ? hostValues : repeated(stored, KV_HEADS, tokens, HEAD_DIM);
        int attended = FIRST_ROW + SELECTED_TOKENS + TAIL;
        return new IndexedLayer(
                index(upload(ids, KV_HEADS, units)),
                new IndexedLayer.KeyFactor(
                        repeated(DType.BF16, tokens, RANK), repeated(DType.BF16, RANK, KV_HEADS * HEAD_DIM)),
                new IndexedLayer.StoredValues(values, scales()),
                new IndexedLayer.Residency(
                        new AttendedRows(
                                memory.allocate(DType.BF16, KV_HEADS, attended, HEAD_DIM),
                                memory.allocate(DType.BF16, KV_HEADS, attended, HEAD_DIM)),
                        FIRST_ROW,
                        upload(free, KV_HEADS, selected),
                        memory.allocate(DType.I32, KV_HEADS, selected),
                        memory.allocate(DType.I32, KV_HEADS, selected),
                        memory.allocate(DType.I32, KV_HEADS, selected),
                        memory.allocate(DType.I32, KV_HEADS, selected),
                        memory.allocate(DType.I32, KV_HEADS),
                        memory.allocate(DType.I64, 2)));
    }

    private IndexedLayer.UnitIndex index(Tensor ids) {
        if (!isCoded) {
            return new IndexedLayer.Landmarks(unitTokens, repeated(DType.BF16, KV_HEADS, units, HEAD_DIM), ids);
        }
        int blocks = TokenCodes.blocks(units);
        return new TokenCodes(
                repeated(DType.I32, KV_HEADS, blocks, TokenCodes.words(HEAD_DIM), TokenCodes.BLOCK_TOKENS),
                repeated(DType.BF16, KV_HEADS, blocks * TokenCodes.BLOCK_TOKENS),
                ids);
    }

    private @Nullable Tensor scales() {
        return stored == DType.BF16 ? null : repeated(DType.BF16, KV_HEADS, tokens);
    }

    private Rotary newRotary() {
        int half = HEAD_DIM / 2;
        Tensor cosines = memory.allocate(Place.HOST, DType.F32, tokens, half);
        Tensor sines = memory.allocate(Place.HOST, DType.F32, tokens, half);
        for (int i = 0; i < half; i++) {
            double frequency = Math.pow(500_000, -i / (double) half);
            for (int t = 0; t < tokens; t++) {
                cosines.segment()
                        .setAtIndex(ValueLayout.JAVA_FLOAT, (long) t * half + i, (float) Math.cos(t * frequency));
                sines.segment()
                        .setAtIndex(ValueLayout.JAVA_FLOAT, (long) t * half + i, (float) Math.sin(t * frequency));
            }
        }
        return new Rotary(onDevice(cosines), onDevice(sines), HEAD_DIM, false, 1);
    }

    private Tensor onDevice(Tensor host) {
        Tensor device = memory.allocate(host.dtype(), host.shape().toArray());
        context.queue().copy(context.address(device), host.segment().address(), host.byteSize());
        return device;
    }

    private Tensor normal(int... extents) {
        Tensor host = memory.allocate(Place.HOST, DType.BF16, extents);
        for (long i = 0; i < host.elements(); i++) {
            Floats.set(DType.BF16, host.segment(), i, random.nextGaussian());
        }
        return onDevice(host);
    }

    /// Device memory filled with repetitions of the pattern, with another start each time.
    private Tensor repeated(DType dtype, int... extents) {
        Tensor region = memory.allocate(dtype, extents);
        long target = context.address(region);
        long shift = (long) random.nextInt(PATTERN_ROWS / 2) * HEAD_DIM * Short.BYTES;
        for (long done = 0; done < region.byteSize(); ) {
            long bytes = Math.min(pattern.byteSize() - shift, region.byteSize() - done);
            context.queue().copy(target + done, context.address(pattern) + shift, bytes);
            done += bytes;
            shift = 0;
        }
        return region;
    }

    private void fillHost(MemorySegment bytes) {
        for (long done = 0; done < bytes.byteSize(); done += pattern.byteSize()) {
            long part = Math.min(pattern.byteSize(), bytes.byteSize() - done);
            context.queue().copy(bytes.address() + done, context.address(pattern), part);
        }
        context.queue().synchronize();
    }

    private Tensor upload(int[] values, int... extents) {
        return ShadowStepBench.upload(context, memory, values, extents);
    }

    int count() {
        return tables.size();
    }

    SlotTable<IndexedLayer> table(int layer) {
        return tables.get(layer);
    }

    StepRows rows() {
        return rows;
    }

    Tensor queries() {
        return queries;
    }

    Tensor scores() {
        return scores;
    }

    Rotary rotary() {
        return rotary;
    }

    double scale() {
        return 1 / Math.sqrt(HEAD_DIM);
    }

    /// Bytes of the landmarks or codes that a launch reads.
    double indexBytes() {
        int ofUnit = isCoded ? TokenCodes.words(HEAD_DIM) * Integer.BYTES + Short.BYTES : HEAD_DIM * Short.BYTES;
        return (double) ofUnit * KV_HEADS * units * batch;
    }

    double scoreBytes() {
        return 4.0 * KV_HEADS * units * batch;
    }

    /// Bytes of one miss.
    double fetchBytes() {
        return (double) unitTokens * HEAD_DIM * stored.bytes();
    }

    /// Bytes of one miss: the factor, the rotation, the key.
    double rebuildBytes() {
        return unitTokens * (2.0 * RANK + 4.0 * HEAD_DIM + 2.0 * HEAD_DIM);
    }

    /// Misses of a launch: the mean over layers.
    double misses() {
        double all = 0;
        for (SlotTable<IndexedLayer> table : tables) {
            for (int slot = 0; slot < batch; slot++) {
                all += Arrays.stream(ints(table.get(slot).residency().missCounts()))
                        .sum();
            }
        }
        return all / tables.size();
    }

    /// Scores of the last row and head of layer 0.
    void checkScores() {
        double[] keys = keys(tables.getFirst().get(batch - 1).index());
        float[] query = lastQueries();
        double[] best = new double[units];
        for (int g = 0; g < GROUP_SIZE; g++) {
            double[] weights = new double[units];
            for (int u = 0; u < units; u++) {
                for (int e = 0; e < HEAD_DIM; e++) {
                    weights[u] += query[g * HEAD_DIM + e] * keys[u * HEAD_DIM + e];
                }
                weights[u] = Math.exp(weights[u] * scale());
            }
            double sum = Arrays.stream(weights).sum();
            for (int u = 0; u < units; u++) {
                best[u] = Math.max(best[u], weights[u] / sum);
            }
        }
        MemorySegment found = bytes(scores);
        for (int u = 0; u < units; u++) {
            float score = found.getAtIndex(ValueLayout.JAVA_FLOAT, scores.elements() - units + u);
            expect("score of unit " + u, best[u], score, 1e-4 * best[u]);
        }
    }

    /// The queries of the last row and head, turned if the index is token codes, `[group, headDim]`.
    private float[] lastQueries() {
        float[] all = halves(queries);
        float[] last = Arrays.copyOfRange(all, all.length - GROUP_SIZE * HEAD_DIM, all.length);
        for (int g = 0; g < GROUP_SIZE && isCoded; g++) {
            KeyCodes.turn(last, g * HEAD_DIM, HEAD_DIM);
        }
        return last;
    }

    /// What stands for the last head's units, `[units, headDim]`.
    private double[] keys(IndexedLayer.UnitIndex index) {
        double[] keys = new double[units * HEAD_DIM];
        switch (index) {
            case IndexedLayer.Landmarks landmarks -> {
                float[] means = halves(landmarks.means());
                Arrays.setAll(keys, i -> means[means.length - keys.length + i]);
            }
            case TokenCodes coded -> {
                int[] codes = ints(coded.codes());
                float[] scales = halves(coded.scales());
                int words = TokenCodes.words(HEAD_DIM);
                int last = scales.length - scales.length / KV_HEADS;
                Arrays.setAll(keys, i -> {
                    int token = last + i / HEAD_DIM;
                    int e = i % HEAD_DIM;
                    int word =
                            (token / TokenCodes.BLOCK_TOKENS * words + e / KeyCodes.WORD_DIMS) * TokenCodes.BLOCK_TOKENS
                                    + token % TokenCodes.BLOCK_TOKENS;
                    int code = codes[word] >>> KeyCodes.BITS * (e % KeyCodes.WORD_DIMS) & KeyCodes.LARGEST;
                    return (double) scales[token] * (code - KeyCodes.CENTRE);
                });
            }
        }
        return keys;
    }

    /// Values and keys of the last miss of the last row and head of layer 0.
    void checkMisses() {
        IndexedLayer layer = tables.getFirst().get(batch - 1);
        int[] counts = ints(layer.residency().missCounts());
        int miss = (KV_HEADS - 1) * selected + counts[KV_HEADS - 1] - 1;
        int token = (ints(layer.residency().missUnits())[miss] + outliers) * unitTokens + unitTokens - 1;
        int row = FIRST_ROW + ints(layer.residency().missSlots())[miss] * unitTokens + unitTokens - 1;
        int to = ((KV_HEADS - 1) * layer.residency().attended().keys().extent(1) + row) * HEAD_DIM;
        float[] keys = halves(layer.residency().attended().keys());
        float[] values = halves(layer.residency().attended().values());
        MemorySegment kept = bytes(layer.stored().first().values());
        float[] factor = halves(layer.keys().factor());
        float[] basis = halves(layer.keys().basis());
        float scale =
                layer.stored().first().scales() == null ? 1 : halves(layer.stored().first().scales())[(KV_HEADS - 1) * tokens + token];
        double[] key = new double[HEAD_DIM];
        for (int e = 0; e < HEAD_DIM; e++) {
            long at = ((KV_HEADS - 1L) * tokens + token) * HEAD_DIM + e;
            double value = stored == DType.BF16
                    ? Floats.fromBf16(kept.getAtIndex(ValueLayout.JAVA_SHORT, at))
                    : kept.get(ValueLayout.JAVA_BYTE, at) * scale;
            expect("value " + e, value, values[to + e], 0.005 * Math.abs(value));
            for (int r = 0; r < RANK; r++) {
                key[e] += (double) factor[token * RANK + r] * basis[(r * KV_HEADS + KV_HEADS - 1) * HEAD_DIM + e];
            }
        }
        int half = HEAD_DIM / 2;
        for (int i = 0; i < half; i++) {
            double angle = token * Math.pow(500_000, -i / (double) half);
            double x = key[i] * Math.cos(angle) - key[i + half] * Math.sin(angle);
            double y = key[i] * Math.sin(angle) + key[i + half] * Math.cos(angle);
            expect("key " + i, x, keys[to + i], TOLERANCE * (1 + Math.abs(x)));
            expect("key " + (i + half), y, keys[to + i + half], TOLERANCE * (1 + Math.abs(y)));
        }
    }

    private static void expect(String what, double expected, double found, double tolerance) {
        if (!(Math.abs(expected - found) <= tolerance)) {
            throw new IllegalStateException(what + " is " + found + "; expected " + expected);
        }
    }

    private float[] halves(Tensor tensor) {
        MemorySegment bytes = bytes(tensor);
        float[] values = new float[Math.toIntExact(tensor.elements())];
        for (int i = 0; i < values.length; i++) {
            values[i] = Floats.fromBf16(bytes.getAtIndex(ValueLayout.JAVA_SHORT, i));
        }
        return values;
    }

    private int[] ints(Tensor tensor) {
        return bytes(tensor).toArray(ValueLayout.JAVA_INT);
    }

    private MemorySegment bytes(Tensor tensor) {
        MemorySegment bytes = Arena.ofAuto().allocate(tensor.byteSize(), 8);
        context.queue().copy(bytes.address(), context.address(tensor), tensor.byteSize());
        context.queue().synchronize();
        return bytes;
    }
}
