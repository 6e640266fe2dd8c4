package io.shadowkv.cuda.linear;

import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.cuda.launch.VectorWidth;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import io.shadowkv.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Everything with quantised weights: they are placed as [TileImages] lays them out, a few rows are
/// multiplied by [TiledLinear], and for more rows a matrix is decoded to a buffer, which all matrices
/// use one after the other, and multiplied as plain numbers. What neither supports is done by a plain
/// kernel. Thread-safe.
final class TiledProducts implements AutoCloseable {
    /// Up to this number of rows, codes are read again for each [TiledLinear#MOST_ROWS] rows: decoding
    /// moves five times the bytes of 8-bit codes, nine times those of 4-bit codes.
    private static final int MOST_ROWS_IN_PIECES = 256;
    /// Up to this number of rows, the plain kernel is used if [TiledLinear] does not serve.
    private static final int MOST_PLAIN_ROWS = 16;
    /// Larger matrices (output projections) are not decoded as a whole.
    private static final long MOST_DECODED_BYTES = 512L << 20;

    private static final int THREADS = 256;
    private static final int PLAIN_TILE = 32;
    private static final long STAGING_BYTES = 64L << 20;

    private final CudaParts parts;
    private final Linear plainLinear;
    private final TiledLinear tiledLinear;
    private final PerQueue<ScratchBuffer> decoded;
    /// Used by one thread at a time, and again by the next matrix: memory that is new takes longer to
    /// fill than the images. Null while a thread uses it and before the first.
    private final AtomicReference<@Nullable Staging> staging = new AtomicReference<>();

    /// @param plainLinear multiplies by decoded matrices
    TiledProducts(CudaParts parts, Linear plainLinear) {
        this.parts = parts;
        this.plainLinear = plainLinear;
        this.tiledLinear = new TiledLinear(parts);
        this.decoded = new PerQueue<>(queue -> parts.scratch("a decoded matrix"));
    }

    /// Copies a quantised weight to the device, and makes the buffer large enough to decode it; null if
    /// it has no [TileFormat].
    @Nullable
    Weight place(Weight weight, MemoryScope scope) {
        TileFormat format = TileFormat.of(weight);
        if (format == null || weight.outputs() == 0 || weight.inputs() == 0) {
            return null;
        }
        int tiles = TileFormat.tiles(weight.outputs());
        int images = TileFormat.imagesOfRow(weight.inputs());
        Tensor placed = scope.allocate(DType.U8, Math.multiplyExact(tiles, images), format.imageBytes());
        long tileBytes = (long) images * format.imageBytes();
        int atOnce = Math.clamp(STAGING_BYTES / tileBytes, 1, tiles);
        Staging staged = staging.getAndSet(null);
        if (staged == null || staged.memory.byteSize() < atOnce * tileBytes) {
            closeStaging(staged);
            staged = new Staging(Math.max(STAGING_BYTES, atOnce * tileBytes));
        }
        try {
            MemorySegment memory = staged.memory;
            for (int tile = 0; tile < tiles; tile += atOnce) {
                int first = tile;
                int count = Math.min(atOnce, tiles - tile);
                IntStream.range(0, count)
                        .parallel()
                        .forEach(i -> new TileImages(weight, format)
                                .writeTile(first + i, memory.asSlice(i * tileBytes, tileBytes)));
                // When the call returns, the driver has read pageable memory.
                long target = parts.context().address(placed) + first * tileBytes;
                parts.queue().copy(target, memory.address(), count * tileBytes);
            }
        } finally {
            closeStaging(staging.getAndSet(staged));
        }
        if (decodedBytes(DType.BF16, weight) <= MOST_DECODED_BYTES) {
            decoded(DType.BF16, weight.outputs(), weight.inputs());
        }
        return new TiledWeight(format, weight.format(), weight.outputs(), weight.inputs(), placed);
    }

    private static void closeStaging(@Nullable Staging staging) {
        if (staging != null) {
            staging.arena.close();
        }
    }

    /// Host memory for the images of some tiles.
    private record Staging(Arena arena, MemorySegment memory) {
        Staging(long bytes) {
            this(Arena.ofShared(), bytes);
        }

        private Staging(Arena arena, long bytes) {
            this(arena, arena.allocate(bytes, 64));
        }
    }

    private static long decodedBytes(DType type, Weight weight) {
        return (long) weight.outputs() * weight.inputs() * type.bytes();
    }

    private Tensor decoded(DType type, int outputs, int inputs) {
        return decoded.of(parts.queue()).tensor(type, outputs, inputs);
    }

    /// `out[i] = table[ids[i]]`; an id outside the table gives a row of NaN.
    void embed(Tensor ids, TiledWeight table, Tensor out) {
        Kernel kernel = parts.kernel(
                table.tiles().kernel("embed_tiled.cu", "embedTiled").with("ACT", name(out)));
        if (ids.elements() > 0) {
            kernel.launchEarly(
                    parts.queue(),
                    Grid.of(ids.elements(), THREADS),
                    ids,
                    table.images(),
                    out,
                    table.inputs(),
                    table.outputs());
        }
    }

    /// `outs[i] = x · weights[i]ᵀ + biases[i]`.
    void run(Tensor x, List<TiledWeight> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        if (x.elements() == 0) {
            return;
        }
        int first = 0;
        while (first < weights.size()) {
            int end = endOfFormat(weights, first);
            List<TiledWeight> same = weights.subList(first, end);
            List<@Nullable Tensor> ownBiases = biases.subList(first, end);
            List<Tensor> ownOuts = outs.subList(first, end);
            if (isInPieces(x, same, ownBiases, ownOuts)) {
                inPieces(x, same, ownBiases, null, ownOuts);
            } else {
                for (int i = first; i < end; i++) {
                    byItself(x, weights.get(i), biases.get(i), outs.get(i));
                }
            }
            first = end;
        }
    }

    /// The first weight after `first` of another format, such as Q6_K between Q4_K.
    private static int endOfFormat(List<TiledWeight> weights, int first) {
        int end = first + 1;
        while (end < weights.size()
                && weights.get(end).tiles().equals(weights.get(first).tiles())) {
            end++;
        }
        return end;
    }

    /// `target += x · weightᵀ + bias`, rounded once, if a kernel supports it.
    ///
    /// @param scratch of the type and shape of `target`; overwritten
    /// @return false if no kernel supports it; `target` is not changed then
    boolean addTo(Tensor x, TiledWeight weight, @Nullable Tensor bias, Tensor scratch, Tensor target) {
        List<TiledWeight> weights = List.of(weight);
        List<@Nullable Tensor> biases = Collections.singletonList(bias);
        if (x.elements() == 0) {
            return true;
        }
        if (isInPieces(x, weights, biases, List.of(target))) {
            inPieces(x, weights, biases, target, List.of(target));
            return true;
        }
        return isDecoded(x, weight) && plainLinear.addTo(x, decoded(x, weight), bias, scratch, target);
    }

    /// `gate = silu(x · weights[0]ᵀ + biases[0]) * (x · weights[1]ᵀ + biases[1])`, if a kernel supports
    /// it.
    ///
    /// @return false if no kernel supports it; nothing is enqueued then
    boolean runGated(Tensor x, List<TiledWeight> weights, List<@Nullable Tensor> biases, Tensor gate) {
        TiledWeight first = weights.getFirst();
        if (x.elements() == 0) {
            return true;
        }
        int rows = rows(x, first);
        if (first.outputs() != weights.getLast().outputs()
                || !isInPieces(x, weights, biases, List.of(gate, gate))
                || !tiledLinear.servesGated(first.tiles(), rows)) {
            return false;
        }
        Tensor flat = x.reshape(rows, first.inputs());
        for (int from = 0; from < rows; from += TiledLinear.MOST_ROWS) {
            int count = Math.min(TiledLinear.MOST_ROWS, rows - from);
            tiledLinear.runGated(flat.slice(from, count), weights, biases, piece(gate, first, rows, from, count));
        }
        return true;
    }

    private boolean isInPieces(Tensor x, List<TiledWeight> weights, List<@Nullable Tensor> biases, List<Tensor> outs) {
        boolean areFew = rows(x, weights.getFirst()) <= MOST_ROWS_IN_PIECES
                || weights.stream().anyMatch(weight -> decodedBytes(x.dtype(), weight) > MOST_DECODED_BYTES);
        return areFew && tiledLinear.serves(x, weights, biases, outs);
    }

    private void inPieces(
            Tensor x,
            List<TiledWeight> weights,
            List<@Nullable Tensor> biases,
            @Nullable Tensor addend,
            List<Tensor> outs) {
        int rows = rows(x, weights.getFirst());
        Tensor flat = x.reshape(rows, weights.getFirst().inputs());
        for (int from = 0; from < rows; from += TiledLinear.MOST_ROWS) {
            int count = Math.min(TiledLinear.MOST_ROWS, rows - from);
            List<Tensor> pieces = new ArrayList<>();
            for (int i = 0; i < outs.size(); i++) {
                pieces.add(piece(outs.get(i), weights.get(i), rows, from, count));
            }
            Tensor ownAddend = addend == null ? null : piece(addend, weights.getFirst(), rows, from, count);
            tiledLinear.run(flat.slice(from, count), weights, biases, ownAddend, pieces);
        }
    }

    private static Tensor piece(Tensor out, TiledWeight weight, int rows, int from, int count) {
        return out.reshape(rows, weight.outputs()).slice(from, count);
    }

    private void byItself(Tensor x, TiledWeight weight, @Nullable Tensor bias, Tensor out) {
        if (isDecoded(x, weight)) {
            plainLinear.run(x, List.of(decoded(x, weight)), Collections.singletonList(bias), List.of(out));
        } else {
            multiplyPlain(x, weight, bias, out);
        }
    }

    private static boolean isDecoded(Tensor x, TiledWeight weight) {
        return rows(x, weight) > MOST_PLAIN_ROWS && decodedBytes(x.dtype(), weight) <= MOST_DECODED_BYTES;
    }

    /// The weight in the type of `x`, until the next one is decoded on this queue.
    private Tensor decoded(Tensor x, TiledWeight weight) {
        Tensor plain = decoded(x.dtype(), weight.outputs(), weight.inputs());
        decode(weight, plain);
        return plain;
    }

    /// Decodes a weight to `out`, rounded to its type.
    void decode(TiledWeight weight, Tensor out) {
        int vector = VectorWidth.of(parts.context(), weight.inputs(), out);
        Kernel kernel = parts.kernel(weight.tiles()
                .kernel("decode_tiled.cu", "decodeTiled")
                .with("OUT", name(out))
                .with("VECTOR", vector));
        Grid grid = Grid.covering(Math.ceilDiv(out.elements(), vector), THREADS);
        kernel.launchEarly(parts.queue(), grid, weight.images(), out, weight.inputs(), out.elements());
    }

    /// `out = x · weightᵀ + bias` by the plain kernel.
    void multiplyPlain(Tensor x, TiledWeight weight, @Nullable Tensor bias, Tensor out) {
        Kernel kernel = parts.kernel(weight.tiles()
                .kernel("multiply_tiled.cu", "multiplyTiled")
                .with("LEFT", name(x))
                .with("BIAS", name(bias == null ? x : bias))
                .with("OUT", name(out)));
        int rows = rows(x, weight);
        Grid grid = new Grid(Math.ceilDiv(weight.outputs(), PLAIN_TILE), Math.ceilDiv(rows, PLAIN_TILE), 1, THREADS, 0);
        kernel.launch(
                parts.queue(),
                grid,
                x,
                weight.images(),
                bias == null ? 0L : parts.context().address(bias),
                out,
                rows,
                weight.outputs(),
                weight.inputs());
    }

    private static int rows(Tensor x, TiledWeight weight) {
        return Math.toIntExact(x.elements() / weight.inputs());
    }

    private static String name(Tensor tensor) {
        return KernelTypes.name(tensor.dtype());
    }

    @Override
    public void close() {
        closeStaging(staging.getAndSet(null));
        decoded.forEach(ScratchBuffer::close);
    }
}
