package io.shadowkv.bench;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import io.shadowkv.op.Backend;
import io.shadowkv.op.MemoryScope;
import io.shadowkv.op.Operations;
import io.shadowkv.op.StepRows;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Floats;
import io.shadowkv.tensor.Tensor;
import java.util.SplittableRandom;

/// The random tensors of one benchmark.
final class Operands {
    static final long SEED = 20241;

    private final Backend backend;
    private final MemoryScope scope;
    private final SplittableRandom random = new SplittableRandom(SEED);

    Operands(Backend backend, MemoryScope scope) {
        this.backend = backend;
        this.scope = scope;
    }

    Operations operations() {
        return backend.operations();
    }

    Tensor zeros(DType dtype, int... extents) {
        return scope.allocate(dtype, extents);
    }

    /// Uniformly distributed between -1 and 1, with variance 1/3.
    Tensor random(DType dtype, int... extents) {
        Tensor tensor = scope.allocate(dtype, extents);
        var segment = tensor.segment();
        for (long i = 0; i < tensor.elements(); i++) {
            float value = random.nextFloat() * 2 - 1;
            switch (dtype) {
                case F32 -> segment.set(JAVA_FLOAT_UNALIGNED, i * Float.BYTES, value);
                case BF16 -> segment.set(JAVA_SHORT_UNALIGNED, i * Short.BYTES, Floats.toBf16(value));
                default -> Floats.set(dtype, segment, i, value);
            }
        }
        return tensor;
    }

    Tensor ints(int[] values, int... extents) {
        Tensor tensor = scope.allocate(DType.I32, extents);
        backend.upload(values, tensor);
        return tensor;
    }

    /// A step with one sequence, in slot 0.
    StepRows oneRow(int attended, int units) {
        return new StepRows(
                1,
                ints(new int[] {0}, 1),
                ints(new int[] {attended - 1}, 1),
                ints(new int[] {attended - 1}, 1),
                ints(new int[] {attended}, 1),
                ints(new int[] {units}, 1));
    }
}
