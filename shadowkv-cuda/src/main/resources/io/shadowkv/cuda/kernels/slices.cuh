// Even division of work items of different lengths among the blocks of a grid. Every block sums the
// lengths in shared memory, takes an equal share of the total, and finds the start of its share.
#pragma once
#include "tables.cuh"
#include "warp.cuh"

// starts[i] = lengthOf(0) + ... + lengthOf(i - 1) for i from 0 to `count` (inclusive); returns
// starts[count]. All threads of the block must call it; blockDim.x is a multiple of 32.
template <typename Length> static __device__ int sumLengths(int* starts, int count, Length lengthOf) {
    __shared__ int warpTotals[32];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, warps = blockDim.x / 32;
    int before = 0;
    for (int base = 0; base < count; base += blockDim.x) {
        int i = base + threadIdx.x;
        int own = i < count ? lengthOf(i) : 0, sum = own;
#pragma unroll
        for (int d = 1; d < 32; d *= 2) {
            int lower = __shfl_up_sync(ALL_LANES, sum, d);
            sum += lane >= d ? lower : 0;
        }
        if (lane == 31) warpTotals[warp] = sum;
        __syncthreads();
        int below = 0, total = 0;
        for (int w = 0; w < warps; w++) {
            below += w < warp ? warpTotals[w] : 0;
            total += warpTotals[w];
        }
        if (i < count) starts[i] = before + below + sum - own;
        before += total;
        __syncthreads();
    }
    if (threadIdx.x == 0) starts[count] = before;
    __syncthreads();
    return before;
}

// The i with starts[i] <= at < starts[i + 1]; `at` is less than starts[count].
static __device__ __forceinline__ int sliceOf(const int* starts, int count, int at) {
    int low = 0, high = count;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (starts[middle] <= at) low = middle; else high = middle;
    }
    return low;
}

// First item of the share of worker `i` of `workers`; the share ends where the next one starts.
static __device__ __forceinline__ int shareStart(int total, int i, int workers) {
    return (int) ((i64) total * i / workers);
}

// The worker whose share contains item `at`: the last one that starts at or before it.
static __device__ __forceinline__ int shareOf(int total, int at, int workers) {
    return (int) ((((i64) at + 1) * workers + total - 1) / total) - 1;
}

// Misses of head h of the sequence in `slot`; 0 if the row is padding or has no index.
static __device__ __forceinline__ int missesOf(const IndexedEntry* table, int slot, int units, int head) {
    if (slot < 0 || units == 0) return 0;
    return table[slot].missCounts[head];
}
