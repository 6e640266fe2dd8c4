// Reductions within a warp and within a block.
#pragma once
#include "types.cuh"

static const u32 ALL_LANES = 0xffffffffu;

static __device__ __forceinline__ float warpSum(float x) {
#pragma unroll
    for (int d = 16; d > 0; d /= 2) x += __shfl_xor_sync(ALL_LANES, x, d);
    return x;
}

static __device__ __forceinline__ float warpMax(float x) {
#pragma unroll
    for (int d = 16; d > 0; d /= 2) x = fmaxf(x, __shfl_xor_sync(ALL_LANES, x, d));
    return x;
}

// Sum over a block of up to 1024 threads, returned to every thread. All threads must call it.
static __device__ __forceinline__ float blockSum(float x) {
    __shared__ float partial[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = (blockDim.x + 31) / 32;
    x = warpSum(x);
    __syncthreads();
    if (lane == 0) partial[warp] = x;
    __syncthreads();
    return warpSum(lane < warps ? partial[lane] : 0.f);
}

static __device__ __forceinline__ float blockMax(float x) {
    __shared__ float partial[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = (blockDim.x + 31) / 32;
    x = warpMax(x);
    __syncthreads();
    if (lane == 0) partial[warp] = x;
    __syncthreads();
    return warpMax(lane < warps ? partial[lane] : -__int_as_float(0x7f800000));
}
