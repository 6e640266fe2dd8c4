/// Operations on the processor with the Vector API, on a small pool of threads; activations are F32.
///
/// In: [io.shadowkv.tensor.Tensor] views of host memory. Out: the same memory, written when an operation
/// returns. Called through [io.shadowkv.op.Backend]; found by `ServiceLoader`. The package is loaded once for
/// each vector width that is asked for, so that the width is a constant to the compiler. Next stop:
/// `CpuBackend`.
@NullMarked
package io.shadowkv.cpu;

import org.jspecify.annotations.NullMarked;
