package io.shadowkv.cuda.attention;

import io.shadowkv.cuda.device.CudaContext;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.HostMemory;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;

/// A range of rows in every head of `[H, capacity, d]`, for kernels and copies.
///
/// @param from first row
/// @param count rows
public record HeadRows(Tensor tensor, int from, int count) {
    /// @throws IndexOutOfBoundsException if the tensor has no such rows
    public HeadRows {
        Objects.checkFromIndexSize(from, count, tensor.extent(1));
    }

    public int heads() {
        return tensor.extent(0);
    }

    public int headDim() {
        return tensor.extent(2);
    }

    public DType dtype() {
        return tensor.dtype();
    }

    /// `length` of these rows, starting at the `start`-th.
    public HeadRows part(int start, int length) {
        return new HeadRows(tensor, from + start, length);
    }

    /// Elements between the starts of adjacent heads.
    public long stride() {
        return (long) tensor.extent(1) * headDim();
    }

    /// Address of the first row of head 0.
    public long address(CudaContext context) {
        return context.address(tensor) + (long) from * headDim() * dtype().bytes();
    }

    /// Bytes of the rows of one head.
    public long bytes() {
        return (long) count * headDim() * dtype().bytes();
    }

    public boolean isOnHost() {
        return tensor.memory() instanceof HostMemory;
    }

    /// True if the two may have a row in common.
    public boolean mayOverlap(HeadRows other, CudaContext context) {
        long start = context.address(tensor);
        long otherStart = context.address(other.tensor);
        if (start + tensor.byteSize() <= otherStart || otherStart + other.tensor.byteSize() <= start) {
            return false;
        }
        boolean isSameTensor =
                start == otherStart && tensor.shape().equals(other.tensor.shape()) && dtype() == other.dtype();
        return !isSameTensor || Math.abs(from - other.from) < Math.max(count, other.count);
    }
}
