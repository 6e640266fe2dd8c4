package io.shadowkv.cuda.shadow;

import io.shadowkv.cuda.attention.HeadRows;
import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.cuda.launch.CudaParts;
import io.shadowkv.cuda.launch.KernelTypes;
import io.shadowkv.cuda.launch.PerQueue;
import io.shadowkv.cuda.launch.ScratchBuffer;
import io.shadowkv.cuda.launch.VectorWidth;
import io.shadowkv.op.Rotary;
import io.shadowkv.op.ValueCodes;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Restores the keys and values of a whole context from the index, so that the rows of a further
/// turn can attend to them. Bound by the link if the values are in host memory. Called from the
/// threads of the main queue and the side queue.
final class ContextRestore implements AutoCloseable {
    private static final int THREADS = 256;
    private static final int ROTATE_THREADS = 128;
    /// Vectors per thread in `restore_values.cu`.
    private static final int UNROLL = 4;
    /// Size of the buffers for keys before rotation and for codes on their way from host memory.
    private static final long STAGED_BYTES = 32L << 20;

    private final CudaParts parts;
    private final KeySpectrum spectrum;
    private final ShadowIndexing indexing;
    private final PerQueue<ScratchBuffer> plain;
    private final PerQueue<ScratchBuffer> codes;

    ContextRestore(CudaParts parts, KeySpectrum spectrum, ShadowIndexing indexing) {
        this.parts = parts;
        this.spectrum = spectrum;
        this.indexing = indexing;
        this.plain = new PerQueue<>(queue -> parts.scratch("keys before rotation"));
        this.codes = new PerQueue<>(queue -> parts.scratch("values on their way from host memory"));
    }

    void scatterUnits(Tensor source, int sourceRow, Tensor units, int unitTokens, Tensor target) {
        int heads = units.extent(0);
        int count = units.extent(1);
        int headDim = source.extent(2);
        ShadowIndexing.expect(units, DType.I32, "units");
        var rows = new HeadRows(source, sourceRow, Math.multiplyExact(count, unitTokens));
        if (count == 0 || heads == 0) {
            return;
        }
        int width = VectorWidth.of(parts.context(), headDim, source, target);
        int unit = Math.multiplyExact(unitTokens, headDim);
        Kernel kernel = parts.kernel(KernelSource.of("scatter_units.cu", "scatterUnits")
                .with("FROM", ShadowIndexing.from(source, target))
                .with("TO", ShadowIndexing.to(source, target))
                .with("UNIT", unit)
                .with("VEC", width));
        long vectors = (long) count * (unit / width);
        Grid grid = new Grid(Math.toIntExact(Math.ceilDiv(vectors, THREADS)), heads, 1, THREADS, 0);
        long targetStride = (long) target.extent(1) * headDim;
        kernel.launch(
                parts.queue(), grid, rows.address(parts.context()), units, target, rows.stride(), targetStride, count);
    }

    void restoreValues(Tensor values, @Nullable Tensor scales, int count, Tensor target, int to) {
        if (scales == null) {
            indexing.copyRows(values, 0, count, target, to);
            return;
        }
        if (!ValueCodes.isCode(values.dtype())) {
            throw new IllegalArgumentException(
                    "values of " + values.dtype() + " with scales; expected I8 or F8E4M3, or no scales");
        }
        ShadowIndexing.expect(scales, DType.BF16, "scales");
        var stored = new HeadRows(values, 0, count);
        var restored = new HeadRows(target, to, count);
        if (!stored.isOnHost()) {
            decode(stored, scales, 0, restored);
            return;
        }
        long rowBytes = Math.max(1, (long) stored.heads() * stored.headDim());
        int step = Math.clamp(STAGED_BYTES / rowBytes, 1, Math.max(1, count));
        for (int start = 0; start < count; start += step) {
            int length = Math.min(step, count - start);
            Tensor buffer = codes.of(parts.queue()).tensor(values.dtype(), stored.heads(), length, stored.headDim());
            indexing.copyRows(values, start, length, buffer, 0);
            decode(new HeadRows(buffer, 0, length), scales, start, restored.part(start, length));
        }
    }

    /// @param scaleRow row of the first scale
    private void decode(HeadRows stored, Tensor scales, int scaleRow, HeadRows restored) {
        Objects.checkFromIndexSize(scaleRow, restored.count(), scales.extent(1));
        if (stored.count() == 0 || stored.heads() == 0) {
            return;
        }
        int width = VectorWidth.of(parts.context(), stored.headDim(), stored.tensor(), restored.tensor());
        Kernel kernel = parts.kernel(KernelSource.of("restore_values.cu", "restoreValues")
                .with("VALUE", KernelTypes.name(restored.dtype()))
                .with("CODE", KernelTypes.name(stored.dtype()))
                .with("HEAD_DIM", stored.headDim())
                .with("VEC", width));
        long vectors = (long) stored.count() * (stored.headDim() / width);
        int blocks = Math.toIntExact(Math.ceilDiv(vectors, (long) THREADS * UNROLL));
        kernel.launch(
                parts.queue(),
                new Grid(blocks, stored.heads(), 1, THREADS, 0),
                stored.address(parts.context()),
                parts.context().address(scales) + (long) scaleRow * DType.BF16.bytes(),
                restored.address(parts.context()),
                stored.stride(),
                (long) scales.extent(1),
                restored.stride(),
                stored.count());
    }

    void restoreKeys(Tensor factor, Tensor basis, int count, Rotary rotary, Tensor keys) {
        if (count > rotary.positions()) {
            throw new IllegalArgumentException("keys of " + count + " tokens; the rotary tables cover "
                    + rotary.positions() + ". Make them as long as the context");
        }
        int width = basis.extent(1);
        int step = Math.clamp(STAGED_BYTES / Float.BYTES / width, 1, Math.max(1, count));
        for (int from = 0; from < count; from += step) {
            int rows = Math.min(step, count - from);
            Tensor piece = plain.of(parts.queue()).tensor(DType.F32, rows, width);
            spectrum.expand(factor.slice(from, rows), basis, piece);
            rotate(piece, from, rotary, new HeadRows(keys, from, rows));
        }
    }

    private void rotate(Tensor piece, int firstPosition, Rotary rotary, HeadRows keys) {
        int headDim = keys.headDim();
        int width = VectorWidth.of(parts.context(), ShadowIndexing.run(headDim, rotary), keys.tensor(), piece);
        Kernel kernel = parts.kernel(KernelSource.of("rotate_keys.cu", "rotateKeys")
                .with("KEY", KernelTypes.name(keys.dtype()))
                .with("PLAIN", KernelTypes.name(piece.dtype()))
                .with("HEAD_DIM", headDim)
                .with("ROTARY_DIM", rotary.rotaryDim())
                .with("INTERLEAVED", rotary.interleaved() ? 1 : 0)
                .with("VEC", width));
        kernel.launch(
                parts.queue(),
                Grid.covering((long) keys.count() * ShadowIndexing.places(headDim, rotary, width), ROTATE_THREADS),
                piece,
                rotary.cosines().slice(firstPosition, keys.count()),
                rotary.sines().slice(firstPosition, keys.count()),
                keys.address(parts.context()),
                keys.stride(),
                keys.heads(),
                keys.count());
    }

    @Override
    public void close() {
        plain.forEach(ScratchBuffer::close);
        codes.forEach(ScratchBuffer::close);
    }
}
