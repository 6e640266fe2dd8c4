package io.shadowkv.cuda.launch;

import io.shadowkv.cuda.device.CudaQueue;
import io.shadowkv.cuda.device.Grid;
import io.shadowkv.cuda.device.Kernel;
import io.shadowkv.cuda.device.KernelSource;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;

/// Copies between places and floating types. The device cannot read or write host memory that is
/// not page-locked; if elements of such memory must be converted, they go through a buffer on the
/// device. Thread-safe; each queue has its own buffers.
public final class Copies implements AutoCloseable {
    /// Elements converted at a time if they go through a buffer.
    private static final int STAGED_ELEMENTS = 16 << 20;

    /// Bytes that a processor core copies at a time.
    private static final long HOST_PIECE = 16L << 20;

    private static final int THREADS = 256;

    private final CudaParts parts;
    private final PerQueue<Staging> staging;

    public Copies(CudaParts parts) {
        this.parts = parts;
        this.staging = new PerQueue<>(queue ->
                new Staging(parts.scratch("converting copied elements"), parts.scratch("converting copied elements")));
    }

    /// @throws IllegalArgumentException if the element counts differ, or if the types differ and
    ///     are not both among F32, BF16 and F16
    public void copy(Tensor source, Tensor target) {
        if (source.elements() != target.elements()) {
            throw new IllegalArgumentException("cannot copy " + source.shape() + " to " + target.shape() + ": "
                    + source.elements() + " elements, not " + target.elements());
        }
        if (source.elements() == 0) {
            return;
        }
        if (source.dtype() == target.dtype() && isOnHost(source) && isOnHost(target)) {
            copyOnHost(source, target);
            return;
        }
        if (source.dtype() == target.dtype()) {
            parts.queue().copy(anyAddress(target), anyAddress(source), source.byteSize());
            return;
        }
        check(source.dtype(), target.dtype());
        if (isReachable(source) && isReachable(target)) {
            convert(source, target);
        } else {
            convertInPieces(source, target);
        }
    }

    private static boolean isOnHost(Tensor tensor) {
        return tensor.memory() instanceof HostMemory;
    }

    /// Copies with all processor cores, after the work of the queue has ended. The driver would use
    /// one core: 8 GB/s on a machine where 16 cores reach 50 GB/s.
    private void copyOnHost(Tensor source, Tensor target) {
        parts.queue().synchronize();
        MemorySegment from = source.segment();
        MemorySegment to = target.segment();
        long bytes = source.byteSize();
        LongStream.range(0, Math.ceilDiv(bytes, HOST_PIECE)).parallel().forEach(piece -> {
            long at = piece * HOST_PIECE;
            MemorySegment.copy(from, at, to, at, Math.min(HOST_PIECE, bytes - at));
        });
    }

    private static void check(DType from, DType to) {
        for (DType type : new DType[] {from, to}) {
            if (type != DType.F32 && type != DType.BF16 && type != DType.F16) {
                throw new IllegalArgumentException(
                        "cannot copy " + from + " to " + to + ": only F32, BF16 and F16 are converted to each other");
            }
        }
    }

    private void convertInPieces(Tensor source, Tensor target) {
        Tensor from = flat(source);
        Tensor to = flat(target);
        CudaQueue queue = parts.queue();
        Staging buffers = staging.of(queue);
        int count = from.extent(0);
        for (int at = 0; at < count; at += STAGED_ELEMENTS) {
            int elements = Math.min(STAGED_ELEMENTS, count - at);
            Tensor pieceFrom = from.slice(at, elements);
            Tensor pieceTo = to.slice(at, elements);
            Tensor readable = pieceFrom;
            if (!isReachable(source)) {
                readable = buffers.source.tensor(from.dtype(), elements);
                queue.copy(anyAddress(readable), anyAddress(pieceFrom), pieceFrom.byteSize());
            }
            if (isReachable(target)) {
                convert(readable, pieceTo);
            } else {
                Tensor written = buffers.target.tensor(to.dtype(), elements);
                convert(readable, written);
                queue.copy(anyAddress(pieceTo), anyAddress(written), pieceTo.byteSize());
            }
        }
    }

    private static Tensor flat(Tensor tensor) {
        return tensor.reshape(Math.toIntExact(tensor.elements()));
    }

    private void convert(Tensor source, Tensor target) {
        int vector = VectorWidth.of(parts.context(), 0, source, target);
        Kernel kernel = parts.kernel(KernelSource.of("convert.cu", "convert")
                .with("FROM", KernelTypes.name(source.dtype()))
                .with("TO", KernelTypes.name(target.dtype()))
                .with("VECTOR", vector));
        Grid grid = Grid.covering(Math.ceilDiv(source.elements(), vector), THREADS);
        kernel.launch(parts.queue(), grid, source, target, source.elements());
    }

    private boolean isReachable(Tensor tensor) {
        return !(tensor.memory() instanceof HostMemory host)
                || parts.context().pinned().contains(host.segment().address());
    }

    /// Address of a tensor for a copy, which may also read or write pageable host memory.
    private long anyAddress(Tensor tensor) {
        if (isReachable(tensor)) {
            return parts.context().address(tensor);
        }
        MemorySegment segment = tensor.segment();
        if (!segment.isNative()) {
            throw new IllegalArgumentException("cannot copy " + tensor.dtype() + " " + tensor.shape()
                    + " in the Java heap; allocate it outside the heap");
        }
        return segment.address();
    }

    @Override
    public void close() {
        staging.forEach(buffers -> {
            buffers.source.close();
            buffers.target.close();
        });
    }

    private record Staging(ScratchBuffer source, ScratchBuffer target) {}
}
