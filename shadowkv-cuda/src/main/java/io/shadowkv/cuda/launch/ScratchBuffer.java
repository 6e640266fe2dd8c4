package io.shadowkv.cuda.launch;

import io.shadowkv.op.MemoryScope;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import io.shadowkv.tensor.Tensor;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Device memory for intermediate results of one operation, on one queue at a time. A request for
/// more grows it by half or more and ends the recordings that use it. Its contents are unspecified.
public final class ScratchBuffer implements AutoCloseable {
    private final String purpose;
    private final Function<String, MemoryScope> newScope;
    private @Nullable MemoryScope scope;
    private @Nullable Tensor bytes;

    ScratchBuffer(String purpose, Function<String, MemoryScope> newScope) {
        this.purpose = purpose;
        this.newScope = newScope;
    }

    /// A tensor of this shape at the start of the buffer.
    public Tensor tensor(DType dtype, int... extents) {
        Shape shape = Shape.of(extents);
        long needed = Math.multiplyExact(shape.elements(), (long) dtype.bytes());
        Tensor held = bytes;
        if (held == null || held.byteSize() < needed) {
            close();
            MemoryScope fresh = newScope.apply(purpose);
            scope = fresh;
            // Rows of 4 KiB, because an extent is an int.
            int rows = Math.toIntExact(Math.ceilDiv(held == null ? needed : needed + needed / 2, 4096));
            held = fresh.allocate(DType.U8, Math.max(1, rows), 4096);
            bytes = held;
        }
        return new Tensor(dtype, shape, held.memory(), held.byteOffset());
    }

    @Override
    public void close() {
        if (scope != null) {
            scope.close();
            scope = null;
            bytes = null;
        }
    }
}
