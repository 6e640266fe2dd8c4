/// What a backend must be able to do: memory, and the operations of a decoder and of its caches, as small
/// interfaces.
///
/// In: [io.shadowkv.tensor.Tensor] views. Out: the same memory, written. Operations only enqueue; nothing in a
/// decode step reads data back to the host, so that a step can be recorded once and replayed. Called by `cache`
/// and `model`; implemented by `op.reference` (the judge), `shadowkv-cpu` and later backends. Next stop:
/// `io.shadowkv.cache`.
@NullMarked
package io.shadowkv.op;

import org.jspecify.annotations.NullMarked;
