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
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The operations of indexing, once for each layer and group of tokens: means, outliers, copies,
/// and keys before RoPE. All are bound by memory or the link. Called from the threads of the main
/// queue and the side queue.
final class ShadowIndexing implements AutoCloseable {
    private static final int THREADS = 256;
    /// Warps of a block in kernels with one warp per unit or row.
    private static final int WARPS = THREADS / 32;
    /// From this number of tokens, all warps of a block read a unit.
    private static final int LONG_UNIT = 64;
    /// Vectors per thread in `copy_rows.cu`.
    private static final int COPY_UNROLL = 4;
    private static final int SPLIT_THREADS = 1024;
    private static final int UNROTATE_THREADS = 128;
    /// Size of the buffer for values on their way to host memory: large enough to hide the start of
    /// a copy, small compared with a layer.
    private static final long STAGED_BYTES = 16L << 20;

    private final CudaParts parts;
    private final PerQueue<ScratchBuffer> overlapping;
    private final PerQueue<ScratchBuffer> staged;

    ShadowIndexing(CudaParts parts) {
        this.parts = parts;
        this.overlapping = new PerQueue<>(queue -> parts.scratch("rows that move within their tensor"));
        this.staged = new PerQueue<>(queue -> parts.scratch("values on their way to host memory"));
    }

    void landmarks(Tensor keys, int firstUnit, int unitTokens, Tensor landmarks, Tensor minCosines) {
        int heads = landmarks.extent(0);
        int units = landmarks.extent(1);
        int headDim = landmarks.extent(2);
        var rows = new HeadRows(keys, Math.multiplyExact(firstUnit, unitTokens), Math.multiplyExact(units, unitTokens));
        expect(minCosines, DType.F32, "minCosines");
        if (units == 0 || heads == 0) {
            return;
        }
        int warps = unitTokens >= LONG_UNIT ? WARPS : 1;
        Kernel kernel = parts.kernel(KernelSource.of("landmarks.cu", "landmarks")
                .with("KEY", KernelTypes.name(keys.dtype()))
                .with("LANDMARK", KernelTypes.name(landmarks.dtype()))
                .with("HEAD_DIM", headDim)
                .with("UNIT_TOKENS", unitTokens)
                .with("VEC", VectorWidth.of(parts.context(), headDim, keys, landmarks))
                .with("WARPS", warps));
        Grid grid = new Grid(Math.toIntExact(Math.ceilDiv((long) units * warps, WARPS)), heads, 1, THREADS, 0);
        kernel.launch(parts.queue(), grid, rows.address(parts.context()), landmarks, minCosines, rows.stride(), units);
    }

    void splitOutliers(Tensor minCosines, Tensor outliers, Tensor others) {
        int heads = minCosines.extent(0);
        int units = minCosines.extent(1);
        int count = outliers.extent(1);
        expect(minCosines, DType.F32, "minCosines");
        expect(outliers, DType.I32, "outliers");
        expect(others, DType.I32, "others");
        if (others.extent(1) != units - count) {
            throw new IllegalArgumentException("others is " + others.shape() + "; expected " + (units - count)
                    + " units: all " + units + " except the " + count + " outliers");
        }
        if (units == 0 || heads == 0) {
            return;
        }
        Kernel kernel = parts.kernel(KernelSource.of("split_outliers.cu", "splitOutliers"));
        kernel.launch(parts.queue(), Grid.of(heads, SPLIT_THREADS), minCosines, outliers, others, units, count);
    }

    void gatherUnits(Tensor source, Tensor units, int unitTokens, Tensor target, int targetRow) {
        int heads = units.extent(0);
        int count = units.extent(1);
        int headDim = source.extent(2);
        expect(units, DType.I32, "units");
        var rows = new HeadRows(target, targetRow, Math.multiplyExact(count, unitTokens));
        if (count == 0 || heads == 0) {
            return;
        }
        int width = VectorWidth.of(parts.context(), headDim, source, target);
        int unit = Math.multiplyExact(unitTokens, headDim);
        Kernel kernel = parts.kernel(KernelSource.of("gather_units.cu", "gatherUnits")
                .with("FROM", from(source, target))
                .with("TO", to(source, target))
                .with("UNIT", unit)
                .with("VEC", width));
        long vectors = (long) count * (unit / width);
        Grid grid = new Grid(Math.toIntExact(Math.ceilDiv(vectors, THREADS)), heads, 1, THREADS, 0);
        long sourceStride = (long) source.extent(1) * headDim;
        kernel.launch(
                parts.queue(), grid, source, units, rows.address(parts.context()), sourceStride, rows.stride(), count);
    }

    void copyRows(Tensor source, int from, int count, Tensor target, int to) {
        copy(new HeadRows(source, from, count), new HeadRows(target, to, count));
    }

    private void copy(HeadRows from, HeadRows to) {
        if (from.count() == 0 || from.heads() == 0) {
            return;
        }
        if (from.mayOverlap(to, parts.context())) {
            // The blocks of a kernel run in any order, so none may write before all have read.
            Tensor between =
                    overlapping.of(parts.queue()).tensor(to.dtype(), from.heads(), from.count(), from.headDim());
            copyByKernel(from, new HeadRows(between, 0, from.count()));
            copyByKernel(new HeadRows(between, 0, from.count()), to);
        } else if (from.dtype() == to.dtype() && (from.isOnHost() || to.isOnHost())) {
            copyByLink(from, to);
        } else if (to.isOnHost()) {
            forPieces(from, to.dtype(), (start, piece) -> {
                copyByKernel(from.part(start, piece.count()), piece);
                copyByLink(piece, to.part(start, piece.count()));
            });
        } else {
            copyByKernel(from, to);
        }
    }

    private void copyByKernel(HeadRows from, HeadRows to) {
        int width = VectorWidth.of(parts.context(), from.headDim(), from.tensor(), to.tensor());
        Kernel kernel = parts.kernel(KernelSource.of("copy_rows.cu", "copyRows")
                .with("FROM", from(from.tensor(), to.tensor()))
                .with("TO", to(from.tensor(), to.tensor()))
                .with("VEC", width));
        long vectors = (long) from.count() * from.headDim() / width;
        int blocks = Math.toIntExact(Math.ceilDiv(vectors, (long) THREADS * COPY_UNROLL));
        kernel.launch(
                parts.queue(),
                new Grid(blocks, from.heads(), 1, THREADS, 0),
                from.address(parts.context()),
                to.address(parts.context()),
                from.stride(),
                to.stride(),
                vectors);
    }

    /// Copies with the copy engines: 55 GB/s, without occupying a multiprocessor.
    private void copyByLink(HeadRows from, HeadRows to) {
        int elementBytes = from.dtype().bytes();
        for (int h = 0; h < from.heads(); h++) {
            long target = to.address(parts.context()) + h * to.stride() * elementBytes;
            long source = from.address(parts.context()) + h * from.stride() * elementBytes;
            parts.queue().copy(target, source, from.bytes());
        }
    }

    void storeValues(Tensor source, int from, int count, Tensor values, @Nullable Tensor scales, int to) {
        var sourceRows = new HeadRows(source, from, count);
        var storedRows = new HeadRows(values, to, count);
        if (scales == null) {
            copy(sourceRows, storedRows);
            return;
        }
        if (values.dtype() != DType.I8 && values.dtype() != DType.F8E4M3) {
            throw new IllegalArgumentException(
                    "values of " + values.dtype() + " with scales; expected I8 or F8E4M3, or no scales");
        }
        expect(scales, DType.BF16, "scales");
        if (count == 0 || source.extent(0) == 0) {
            return;
        }
        if (!storedRows.isOnHost()) {
            quantise(sourceRows, storedRows, scales, to);
            return;
        }
        forPieces(sourceRows, values.dtype(), (start, piece) -> {
            quantise(sourceRows.part(start, piece.count()), piece, scales, to + start);
            copyByLink(piece, storedRows.part(start, piece.count()));
        });
    }

    private void quantise(HeadRows from, HeadRows codes, Tensor scales, int scaleRow) {
        Objects.checkFromIndexSize(scaleRow, from.count(), scales.extent(1));
        int width = VectorWidth.of(parts.context(), from.headDim(), from.tensor(), codes.tensor());
        Kernel kernel = parts.kernel(KernelSource.of("store_values.cu", "storeValues")
                .with("VALUE", KernelTypes.name(from.dtype()))
                .with("CODE", KernelTypes.name(codes.dtype()))
                .with("HEAD_DIM", from.headDim())
                .with("VEC", width));
        int lanes = Math.min(32, Integer.highestOneBit(2 * (from.headDim() / width) - 1));
        int rowsOfBlock = WARPS * (32 / lanes);
        kernel.launch(
                parts.queue(),
                new Grid(Math.ceilDiv(from.count(), rowsOfBlock), from.heads(), 1, THREADS, 0),
                from.address(parts.context()),
                codes.address(parts.context()),
                parts.context().address(scales) + (long) scaleRow * DType.BF16.bytes(),
                from.stride(),
                codes.stride(),
                (long) scales.extent(1),
                from.count());
    }

    /// Copies rows through a staging buffer of the target's type, one piece at a time.
    private void forPieces(HeadRows rows, DType dtype, Piece action) {
        long rowBytes = (long) rows.heads() * rows.headDim() * dtype.bytes();
        int most = Math.clamp(STAGED_BYTES / rowBytes, 1, rows.count());
        for (int start = 0; start < rows.count(); start += most) {
            int length = Math.min(most, rows.count() - start);
            Tensor buffer = staged.of(parts.queue()).tensor(dtype, rows.heads(), length, rows.headDim());
            action.take(start, new HeadRows(buffer, 0, length));
        }
    }

    private interface Piece {
        void take(int start, HeadRows staging);
    }

    void unrotate(Tensor keys, int from, int count, int firstPosition, Rotary rotary, Tensor plain) {
        int heads = keys.extent(0);
        int headDim = keys.extent(2);
        var rows = new HeadRows(keys, from, count);
        if (firstPosition < 0 || firstPosition + (long) count > rotary.positions()) {
            throw new IllegalArgumentException("positions " + firstPosition + " until " + (firstPosition + (long) count)
                    + " were asked for; the rotary tables cover 0 until " + rotary.positions()
                    + ". Make them as long as the context");
        }
        if (count == 0 || heads == 0) {
            return;
        }
        int width = VectorWidth.of(parts.context(), run(headDim, rotary), keys, plain);
        Kernel kernel = parts.kernel(KernelSource.of("unrotate.cu", "unrotate")
                .with("KEY", KernelTypes.name(keys.dtype()))
                .with("PLAIN", KernelTypes.name(plain.dtype()))
                .with("HEAD_DIM", headDim)
                .with("ROTARY_DIM", rotary.rotaryDim())
                .with("INTERLEAVED", rotary.interleaved() ? 1 : 0)
                .with("VEC", width));
        kernel.launch(
                parts.queue(),
                Grid.covering((long) count * places(headDim, rotary, width), UNROTATE_THREADS),
                rows.address(parts.context()),
                rotary.cosines().slice(firstPosition, count),
                rotary.sines().slice(firstPosition, count),
                plain,
                rows.stride(),
                heads,
                count,
                (float) (1 / (rotary.scaling() * rotary.scaling())));
    }

    /// Threads per token of a kernel that rotates keys.
    ///
    /// @param width elements per access
    static int places(int headDim, Rotary rotary, int width) {
        // Interleaved pairs are inside a vector if it has room for a pair.
        int pairs = rotary.interleaved() && width > 1 ? width / 2 : width;
        return rotary.rotaryDim() / 2 / pairs + (headDim - rotary.rotaryDim()) / width;
    }

    /// A number whose divisors divide the head dim, the rotated part (half of it if pairs are not
    /// interleaved) and the rest.
    static int run(int headDim, Rotary rotary) {
        int turning = rotary.interleaved() ? rotary.rotaryDim() : rotary.rotaryDim() / 2;
        int run = turning | headDim - rotary.rotaryDim();
        return Integer.lowestOneBit(run);
    }

    /// The type that a kernel reads. Elements of equal types are only moved, so only their size
    /// matters.
    static String from(Tensor source, Tensor target) {
        return source.dtype() == target.dtype() ? bits(source.dtype()) : KernelTypes.name(source.dtype());
    }

    static String to(Tensor source, Tensor target) {
        return source.dtype() == target.dtype() ? bits(target.dtype()) : KernelTypes.name(target.dtype());
    }

    private static String bits(DType dtype) {
        return "u" + 8 * dtype.bytes();
    }

    static void expect(Tensor tensor, DType dtype, String name) {
        if (tensor.dtype() != dtype) {
            throw new IllegalArgumentException(
                    name + " is " + tensor.dtype() + " " + tensor.shape() + "; expected " + dtype);
        }
    }

    @Override
    public void close() {
        overlapping.forEach(ScratchBuffer::close);
        staged.forEach(ScratchBuffer::close);
    }
}
