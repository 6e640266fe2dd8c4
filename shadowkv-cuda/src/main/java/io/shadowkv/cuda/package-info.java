/// The backend for NVIDIA GPUs: memory, queues, kernels, and the operations of `io.shadowkv.op`.
///
/// In: tensors in device or page-locked memory. Out: the same memory, written by kernels that
/// queues run in order. Kernels are `.cu` resources that NVRTC compiles for the sizes of a model.
/// NVIDIA's libraries compute large matrix products and eigenvectors. Called through `op`. Next:
/// `io.shadowkv.cuda.device`.
@NullMarked
package io.shadowkv.cuda;

import org.jspecify.annotations.NullMarked;
