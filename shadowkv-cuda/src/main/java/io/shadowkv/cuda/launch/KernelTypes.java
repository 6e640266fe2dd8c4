package io.shadowkv.cuda.launch;

import io.shadowkv.tensor.DType;

/// The names of element types in `types.cuh`. Stateless.
public final class KernelTypes {
    private KernelTypes() {}

    /// @throws IllegalArgumentException if no kernel computes on the type
    public static String name(DType dtype) {
        return switch (dtype) {
            case F32 -> "float";
            case BF16 -> "bf16";
            case F16 -> "f16";
            case F64 -> "double";
            case I8 -> "i8";
            case F8E4M3 -> "f8";
            default -> throw new IllegalArgumentException("no kernel computes on " + dtype);
        };
    }
}
