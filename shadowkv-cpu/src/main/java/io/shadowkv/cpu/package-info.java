/// The CPU backend: operations with the Vector API on a small pool of threads; activations are F32.
///
/// In: [io.shadowkv.tensor.Tensor] views of host memory. Out: tensors that are written when an
/// operation returns. Called through [io.shadowkv.op.Backend]; found by `ServiceLoader`. The
/// packages are loaded once for each requested vector width, so that the width is a constant for
/// the compiler. Next stop: `CpuBackend`.
@NullMarked
package io.shadowkv.cpu;

import org.jspecify.annotations.NullMarked;
