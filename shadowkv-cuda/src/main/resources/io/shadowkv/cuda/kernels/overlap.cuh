// Start of a kernel while the one before it in the stream still ends (programmatic dependent launch, Hopper and newer).
// A kernel launched with Kernel.launchEarly calls waitForPrevious before it touches anything that another kernel of the
// step writes or reads; what comes before that call, such as fetching weights, runs beside the kernel before.
// Launched as usual, or on older devices, both functions do nothing.
#pragma once
#include "types.cuh"

// Lets the next kernel start as soon as all blocks have come here. It waits for this one's end all the same.
static __device__ __forceinline__ void letNextStart() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

// Returns when the kernels before have ended and what they wrote can be read.
static __device__ __forceinline__ void waitForPrevious() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
