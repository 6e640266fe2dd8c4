/// The interface of a backend: memory, and the operations of a decoder and its caches.
///
/// In: [io.shadowkv.tensor.Tensor] views. Out: tensors that operations have written. Operations
/// only enqueue. Nothing in a decode step reads data back to the host, so that a step can be
/// recorded once and replayed. Called by `cache` and `model`; implemented by `op.reference`,
/// `shadowkv-cpu` and `shadowkv-cuda`. Next stop: `io.shadowkv.cache`.
@NullMarked
package io.shadowkv.op;

import org.jspecify.annotations.NullMarked;
