package io.shadowkv.model;

import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.FeedForwardSpec;
import io.shadowkv.model.spec.LayerSpec;
import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.BlockFormat;
import io.shadowkv.tensor.BlockWeight;
import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import io.shadowkv.tensor.WeightPrecision;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Random weights of a known shape, for benchmarks: normally distributed as before training, and
/// equal for equal seeds on every backend. Quantised matrices have uniformly distributed codes and
/// scales that give the same deviation, so that nothing has to be quantised. There are no biases,
/// whatever the family.
final class RandomWeights {
    private static final double DEVIATION = 0.02;
    /// Deviations of uniformly distributed codes: of a byte, of four bits, and of E4M3 numbers with
    /// magnitudes from 0.5 to 1.875.
    private static final double DEVIATION_8 = 73.9;

    private static final double DEVIATION_4 = 4.61;
    private static final double MEAN_4 = 7.5;
    private static final double DEVIATION_E4M3 = 1.159;
    /// Scales and offsets of 6 bits, all at their largest, in a block of Q4_K.
    private static final int LARGEST_6 = 63;

    private static final int FIRST_CODE_Q4_K = 16;
    private static final long ROW_SEED = 0x9E3779B97F4A7C15L;

    private final DecoderSpec spec;
    private final DType type;
    private final WeightEncoder encoder;
    private final Backend backend;
    private final MemoryScope scope;
    private final long seed;
    /// Where a matrix is made before it is copied to a device; used again by the next one, because
    /// first use of new memory takes longer than the random numbers.
    private final Staging staging = new Staging();

    private int tensors;

    /// @param type of all plain weights
    /// @param encoder has the precision of the matrices
    /// @param scope owner of the weights
    RandomWeights(DecoderSpec spec, DType type, WeightEncoder encoder, long seed, Backend backend, MemoryScope scope) {
        this.spec = spec;
        this.type = type;
        this.encoder = encoder;
        this.seed = seed;
        this.backend = backend;
        this.scope = scope;
    }

    /// Makes all weights. Called once.
    DecoderWeights fill() {
        try (staging) {
            return weights();
        }
    }

    private DecoderWeights weights() {
        int hidden = spec.hiddenSize();
        // The residual stream sums 2 · layers contributions; this factor keeps its variance
        // (GPT-2's initialisation).
        double last = DEVIATION / Math.sqrt(2.0 * spec.layers());
        Weight embedding = spec.tiedEmbeddings()
                ? matrix(spec.vocabularySize(), hidden, DEVIATION, true)
                : plain(spec.vocabularySize(), hidden, DEVIATION);
        Tensor ones = ones(hidden);
        Tensor headOnes = ones(spec.headDim());
        List<DecoderWeights.Layer> layers = new ArrayList<>();
        for (LayerSpec layer : spec.layerSpecs()) {
            layers.add(new DecoderWeights.Layer(
                    new DecoderWeights.Attention(
                            ones,
                            group(hidden, spec.queryWidth(), spec.kvWidth(), spec.kvWidth()),
                            layer.queryKeyNorm() ? headOnes : null,
                            layer.queryKeyNorm() ? headOnes : null,
                            new Projection(matrix(hidden, spec.queryWidth(), last, false), null),
                            layer.outputNorms() ? ones : null),
                    feedForward(layer, ones, last)));
        }
        Weight head = spec.tiedEmbeddings() ? embedding : matrix(spec.vocabularySize(), hidden, DEVIATION, true);
        return new DecoderWeights(embedding, layers, ones, head);
    }

    private DecoderWeights.FeedForward feedForward(LayerSpec layer, Tensor ones, double last) {
        int hidden = spec.hiddenSize();
        int width = layer.feedForward().intermediateSize();
        int experts = layer.feedForward() instanceof FeedForwardSpec.Experts some ? some.count() : 0;
        Projection router = experts == 0 ? null : new Projection(plain(experts, hidden, DEVIATION), null);
        List<DecoderWeights.Mlp> mlps = new ArrayList<>();
        for (int i = 0; i < Math.max(1, experts); i++) {
            mlps.add(new DecoderWeights.Mlp(
                    group(hidden, width, width), new Projection(matrix(hidden, width, last, false), null)));
        }
        return new DecoderWeights.FeedForward(ones, router, mlps, layer.outputNorms() ? ones : null);
    }

    private Weight matrix(int out, int in, double deviation, boolean isHead) {
        if (!encoder.encodes(in)) {
            return plain(out, in, deviation);
        }
        if (backend.isHostDevice()) {
            return codes(out, in, deviation, isHead, scope::allocate);
        }
        staging.reuse();
        return encoder.place(codes(out, in, deviation, isHead, staging), backend, scope);
    }

    private Weight codes(int out, int in, double deviation, boolean isHead, WeightEncoder.Allocator allocator) {
        long first = seed << 32 | tensors++;
        if (encoder.precision() == WeightPrecision.FP8) {
            Tensor codes = allocator.allocate(DType.F8E4M3, out, in);
            Tensor scales = allocator.allocate(DType.F32, out, 1);
            float[] all = new float[out];
            Arrays.fill(all, (float) (deviation / DEVIATION_E4M3));
            Floats.fill(scales, all);
            randomRows(codes, first, row -> {
                for (int i = 0; i < row.length; i++) {
                    row[i] = (byte) (row[i] & 0x8F | 0x30);
                }
            });
            return GroupedWeight.of(CodeLayout.F8E4M3, codes, scales, null, new Groups(out, in, 1, in));
        }
        BlockFormat format = encoder.blocks(in, isHead);
        Tensor blocks = allocator.allocate(DType.I8, out, Math.toIntExact(format.rowBytes(in)));
        randomRows(blocks, first, row -> {
            for (int at = 0; at < row.length; at += format.bytes()) {
                scaleBlock(format, row, at, deviation);
            }
        });
        return new BlockWeight(format, out, in, new HostMemory(blocks.segment()), 0);
    }

    /// Gives the codes of a block the deviation.
    private static void scaleBlock(BlockFormat format, byte[] row, int at, double deviation) {
        switch (format) {
            case Q8_0 -> putHalf(row, at, deviation / DEVIATION_8);
            case Q4_0 -> putHalf(row, at, deviation / DEVIATION_4);
            case Q4_K -> {
                Arrays.fill(row, at, at + FIRST_CODE_Q4_K, (byte) -1);
                putHalf(row, at, deviation / DEVIATION_4 / LARGEST_6);
                putHalf(row, at + 2, MEAN_4 * deviation / DEVIATION_4 / LARGEST_6);
            }
            default -> throw new IllegalArgumentException("weights are not quantised to " + format);
        }
    }

    private static void putHalf(byte[] row, int at, double value) {
        short bits = Float.floatToFloat16((float) value);
        row[at] = (byte) bits;
        row[at + 1] = (byte) (bits >> Byte.SIZE);
    }

    /// Fills each row with bytes that depend only on the seed and the row, then changes them.
    private static void randomRows(Tensor target, long seed, Consumer<byte[]> change) {
        MemorySegment segment = target.segment();
        int width = target.extent(1);
        IntStream.range(0, target.extent(0)).parallel().forEach(i -> {
            byte[] row = new byte[width];
            new SplittableRandom(seed + i * ROW_SEED).nextBytes(row);
            change.accept(row);
            MemorySegment.copy(row, 0, segment, ValueLayout.JAVA_BYTE, (long) i * width, width);
        });
    }

    private Tensor plain(int out, int in, double deviation) {
        Tensor weight = scope.allocate(type, out, in);
        // The seeds of different tensors and of different runs never coincide.
        backend.operations().dense().fillNormal(weight, seed << 32 | tensors++, deviation);
        return weight;
    }

    private ProjectionGroup group(int in, int... widths) {
        List<Projection> parts = new ArrayList<>();
        if (encoder.encodes(in)) {
            for (int width : widths) {
                parts.add(new Projection(matrix(width, in, DEVIATION, false), null));
            }
            return ProjectionGroup.of(parts);
        }
        Projection whole = new Projection(plain(Arrays.stream(widths).sum(), in, DEVIATION), null);
        int row = 0;
        for (int width : widths) {
            parts.add(whole.rows(row, width));
            row += width;
        }
        return ProjectionGroup.of(parts);
    }

    /// `[width]` ones, shared by all norms of this width.
    private Tensor ones(int width) {
        Tensor weight = scope.allocate(type, width);
        try (Arena arena = Arena.ofConfined()) {
            Tensor host = Tensor.of(type, weight.shape(), arena.allocate(weight.byteSize(), 64));
            float[] values = new float[width];
            Arrays.fill(values, 1);
            Floats.fill(host, values);
            backend.operations().dense().copy(host, weight);
            backend.synchronize();
        }
        return weight;
    }

    /// Host memory for the tensors of one matrix at a time.
    private static final class Staging implements WeightEncoder.Allocator, AutoCloseable {
        private static final int ALIGNMENT = 64;

        private Arena arena = Arena.ofShared();
        private MemorySegment memory = MemorySegment.NULL;
        private long used;
        private long needed;

        /// Begins the next matrix; the tensors of the last one are overwritten.
        void reuse() {
            if (needed > memory.byteSize()) {
                arena.close();
                arena = Arena.ofShared();
                memory = arena.allocate(needed, ALIGNMENT);
            }
            used = 0;
            needed = 0;
        }

        @Override
        public Tensor allocate(DType dtype, int... extents) {
            Shape shape = Shape.of(extents);
            long bytes = Math.max(1, shape.elements() * dtype.bytes());
            long rounded = Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
            needed += rounded;
            if (rounded > memory.byteSize() - used) {
                // The next matrix of this size finds enough.
                return Tensor.of(dtype, shape, arena.allocate(bytes, ALIGNMENT));
            }
            MemorySegment segment = memory.asSlice(used, bytes, ALIGNMENT);
            used += rounded;
            return Tensor.of(dtype, shape, segment);
        }

        @Override
        public void close() {
            arena.close();
        }
    }
}
