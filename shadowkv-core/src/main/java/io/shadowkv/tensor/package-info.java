/// Typed, shaped views of memory; no arithmetic.
///
/// In: memory that a checkpoint mapped or a backend allocated. Out: [Tensor] views that operations
/// read and write. Used by every other package. Next stop: `io.shadowkv.checkpoint`.
@NullMarked
package io.shadowkv.tensor;

import org.jspecify.annotations.NullMarked;
