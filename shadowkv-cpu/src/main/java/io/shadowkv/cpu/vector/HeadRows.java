package io.shadowkv.cpu.vector;

import io.shadowkv.cpu.vector.Scratch.Use;
import io.shadowkv.tensor.Tensor;
import java.util.Objects;

/// Copies rows of one head from a tensor `[H, sourceCapacity, d]` to another `[H, targetCapacity, d]`.
public final class HeadRows {
    private static final int BUFFER_ROWS = 64;

    private final FloatRows source;
    private final FloatRows target;
    private final int sourceCapacity;
    private final int targetCapacity;
    private final int headDim;

    public HeadRows(Tensor source, Tensor target) {
        this.source = new FloatRows(source);
        this.target = new FloatRows(target);
        sourceCapacity = source.extent(1);
        targetCapacity = target.extent(1);
        headDim = source.extent(2);
    }

    /// Copies rows `from` to `from + count` (exclusive) to row `to` and following. They may overlap
    /// if both tensors are the same.
    public void copy(int head, int from, int to, int count, Scratch scratch) {
        Objects.checkFromIndexSize(from, count, sourceCapacity);
        Objects.checkFromIndexSize(to, count, targetCapacity);
        long sourceAt = ((long) head * sourceCapacity + from) * headDim;
        long targetAt = ((long) head * targetCapacity + to) * headDim;
        boolean same = source.dtype() == target.dtype();
        int step = same ? count : BUFFER_ROWS;
        float[] buffer = same ? new float[0] : scratch.floats(Use.ROW, BUFFER_ROWS * headDim);
        for (int i = 0; i < count; i += step) {
            long done = (long) i * headDim;
            int elements = Math.multiplyExact(Math.min(step, count - i), headDim);
            source.copyTo(sourceAt + done, target, targetAt + done, elements, buffer);
        }
    }
}
