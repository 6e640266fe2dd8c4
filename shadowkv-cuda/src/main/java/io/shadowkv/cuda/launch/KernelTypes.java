package io.shadowkv.cuda.launch;

import io.shadowkv.tensor.DType;

/// Element types as `types.cuh` names them. Stateless.
public final class KernelTypes {
    private KernelTypes() {}

    /// @throws IllegalArgumentException if kernels do not know the type
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
