/// The backend for NVIDIA GPUs: memory, queues, kernels, and the operations of `io.shadowkv.op` made of them.
///
/// In: tensors in device or page-locked memory. Out: the same memory, written by kernels that queues run in
/// order. Kernels are `.cu` resources, compiled by NVRTC for the sizes of a model; matrix products, eigenvectors
/// and prefill attention are NVIDIA's libraries'. Called through `op`.
@NullMarked
package io.shadowkv.cuda;

import org.jspecify.annotations.NullMarked;
