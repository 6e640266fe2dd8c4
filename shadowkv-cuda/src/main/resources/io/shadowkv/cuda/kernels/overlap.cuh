// Start of a kernel before the preceding one in the stream has ended (programmatic dependent
// launch, Hopper and newer). A kernel launched with Kernel.launchEarly or Kernel.launchTogether
// calls waitForPrevious before it accesses memory that another kernel of the step reads or writes.
// Code before that call, such as fetching weights, runs at the same time as the preceding kernel.
// In an ordinary launch, and on older devices, both functions do nothing.
#pragma once
#include "types.cuh"

// Lets the next kernel start after all blocks have called this. Its waitForPrevious still waits for
// the end of this kernel.
static __device__ __forceinline__ void letNextStart() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

// Returns after the preceding kernels have ended; their results can then be read.
static __device__ __forceinline__ void waitForPrevious() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
