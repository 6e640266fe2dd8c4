package io.shadowkv.tensor;

import java.lang.foreign.MemorySegment;

/// A dense, row-major view of memory: type, shape, where it starts.
///
/// A view owns nothing; it is valid as long as the underlying memory is (the model's arena for
/// weights, the sequence's scope for caches). Immutable and safe to share between threads; access
/// to the underlying bytes is not synchronised.
///
/// @param dtype type of every element
/// @param shape extents, outermost first
/// @param memory the underlying memory
/// @param byteOffset offset of the first element in `memory`
public record Tensor(DType dtype, Shape shape, Memory memory, long byteOffset) implements Weight {
    /// @throws IllegalArgumentException if the view does not lie inside `memory`
    public Tensor {
        long bytes = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        if (byteOffset < 0 || Math.addExact(byteOffset, bytes) > memory.byteSize()) {
            throw new IllegalArgumentException("tensor " + dtype + " " + shape + " at byte " + byteOffset + " needs "
                    + bytes + " bytes; the underlying memory has " + memory.byteSize());
        }
    }

    /// A view of the beginning of `segment`.
    public static Tensor of(DType dtype, Shape shape, MemorySegment segment) {
        return new Tensor(dtype, shape, new HostMemory(segment), 0);
    }

    public long elements() {
        return shape.elements();
    }

    @Override
    public long byteSize() {
        return shape.elements() * dtype.bytes();
    }

    /// Extent of the outermost axis: the outputs of a matrix of weights.
    @Override
    public int outputs() {
        return shape.extent(0);
    }

    /// Extent of the second axis: the inputs of a matrix of weights.
    @Override
    public int inputs() {
        return shape.extent(1);
    }

    @Override
    public String format() {
        return dtype.name();
    }

    @Override
    public void decode(int row, int from, int count, float[] target, int at) {
        Floats.decode(dtype, row(row).segment(), from, count, target, at);
    }

    /// Extent of `axis`; negative counts from the innermost.
    public int extent(int axis) {
        return shape.extent(axis);
    }

    /// Rows `from` to `from + count` (exclusive) of the outermost axis.
    ///
    /// @throws IndexOutOfBoundsException if there are no such rows
    @Override
    public Tensor slice(int from, int count) {
        java.util.Objects.checkFromIndexSize(from, count, shape.extent(0));
        int[] extents = shape.toArray();
        extents[0] = count;
        long rowBytes = shape.extent(0) == 0 ? 0 : byteSize() / shape.extent(0);
        return new Tensor(dtype, Shape.of(extents), memory, byteOffset + from * rowBytes);
    }

    /// Element `index` of the outermost axis, with that axis removed.
    public Tensor row(int index) {
        Tensor row = slice(index, 1);
        int[] extents = shape.toArray();
        return row.reshape(java.util.Arrays.copyOfRange(extents, 1, extents.length));
    }

    /// The same elements with other extents.
    ///
    /// @throws IllegalArgumentException if the element counts differ
    public Tensor reshape(int... extents) {
        Shape other = Shape.of(extents);
        if (other.elements() != shape.elements()) {
            throw new IllegalArgumentException("cannot view " + shape + " as " + other + ": " + shape.elements()
                    + " elements, not " + other.elements());
        }
        return new Tensor(dtype, other, memory, byteOffset);
    }

    /// The bytes of this view, for code that runs on the host.
    ///
    /// @throws IllegalStateException if the tensor does not lie in host memory
    public MemorySegment segment() {
        if (memory instanceof HostMemory host) {
            return host.segment().asSlice(byteOffset, byteSize());
        }
        throw new IllegalStateException("tensor " + dtype + " " + shape + " lies in "
                + memory.getClass().getSimpleName() + ", not in host memory; copy it to the host first");
    }
}
