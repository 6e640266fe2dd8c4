package io.shadowkv.cuda.device;

import java.util.ArrayList;
import java.util.List;

/// One instance of a kernel: a resource in `kernels/`, a function in it, and the constants that it
/// is compiled for.
///
/// @param file name of the resource, such as `rms_norm.cu`
/// @param function name of the `extern "C"` kernel
/// @param defines macros, each `NAME=value`, in a fixed order
public record KernelSource(String file, String function, List<String> defines) {
    public KernelSource {
        defines = List.copyOf(defines);
    }

    public static KernelSource of(String file, String function) {
        return new KernelSource(file, function, List.of());
    }

    /// The same kernel with one more constant. A type has the name that kernels use
    /// (`KernelTypes`).
    public KernelSource with(String name, Object value) {
        List<String> more = new ArrayList<>(defines);
        more.add(name + "=" + value);
        return new KernelSource(file, function, more);
    }
}
