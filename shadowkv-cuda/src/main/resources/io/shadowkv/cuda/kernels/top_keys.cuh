// Selection of the largest of many keys by a block, by a search for the smallest key that is taken.
// A key holds a logit and its id: the logit's bits in an order of unsigned numbers, below them the id, inverted, so
// that of equal logits the lower id is larger. No two keys are equal; 0 is no key.
#pragma once
#include "warp.cuh"

static const int KEY_THREADS = 1024;
static const int KEY_WARPS = KEY_THREADS / 32;
static const int ID_BITS = 19;  // SamplingOperations.MAX_VOCABULARY
static const u32 ID_MASK = (1u << ID_BITS) - 1;

static __device__ __forceinline__ float infinity() { return __int_as_float(0x7f800000); }

// Bits that are ordered as the numbers are; 0 and -0 are equal. 0 for -infinity and NaN.
static __device__ __forceinline__ u32 orderOf(float x) {
    u32 bits = __float_as_uint(__fadd_rn(x, 0.f));
    u32 order = bits ^ ((u32) ((i32) bits >> 31) | 0x80000000u);
    return x > -infinity() ? order : 0;  // false for NaN
}

static __device__ __forceinline__ float ofOrder(u32 order) {
    return __uint_as_float(order ^ (order >> 31 ? 0x80000000u : 0xffffffffu));
}

static __device__ __forceinline__ u64 keyOf(u32 order, int id) {
    return order == 0 ? 0 : (u64) order << ID_BITS | (ID_MASK - (u32) id);
}

static __device__ __forceinline__ int idOf(u64 key) { return (int) (ID_MASK - ((u32) key & ID_MASK)); }

static __device__ __forceinline__ double blockSum(double x) {
    __shared__ double partial[KEY_WARPS];
#pragma unroll
    for (int d = 16; d > 0; d /= 2) x += __shfl_xor_sync(ALL_LANES, x, d);
    __syncthreads();
    if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = x;
    __syncthreads();
    double sum = partial[threadIdx.x % 32];
#pragma unroll
    for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(ALL_LANES, sum, d);
    return sum;
}

// Sum of a count over the block, in every thread. Rounds alternate between two buffers, so that one barrier is enough.
static __device__ __forceinline__ int countAll(u32 own, int round) {
    __shared__ u32 warpCounts[2][KEY_WARPS];
    u32* counts = warpCounts[round & 1];
    own = __reduce_add_sync(ALL_LANES, own);
    if (threadIdx.x % 32 == 0) counts[threadIdx.x / 32] = own;
    __syncthreads();
    return (int) __reduce_add_sync(ALL_LANES, counts[threadIdx.x % 32]);
}

// The smallest key that is taken: the bound is built from its highest bit down, each bit kept if at least `wanted` keys
// reach it. First over the logits' bits; ids decide only among equals.
template <int HELD, typename OrderAt, typename KeyAt>
static __device__ u64 leastTaken(OrderAt orderAt, KeyAt keyAt, int wanted) {
    u32 count = 0, bound = 0;
#pragma unroll
    for (int j = 0; j < HELD; j++) count += orderAt(j) != 0;
    int round = 0;
    if (countAll(count, round++) <= wanted) return 1;
    for (int bit = 31; bit >= 0; bit--) {
        u32 trial = bound | 1u << bit;
        count = 0;
#pragma unroll
        for (int j = 0; j < HELD; j++) count += orderAt(j) >= trial;
        int total = countAll(count, round++);
        if (total >= wanted) bound = trial;
        if (total == wanted) return (u64) bound << ID_BITS;
    }
    u64 least = (u64) bound << ID_BITS;
    for (int bit = ID_BITS - 1; bit >= 0; bit--) {
        u64 trial = least | 1ull << bit;
        count = 0;
#pragma unroll
        for (int j = 0; j < HELD; j++) count += keyAt(j) >= trial;
        int total = countAll(count, round++);
        if (total >= wanted) least = trial;
        if (total == wanted) break;
    }
    return least;
}

// Writes the `wanted` largest keys to `chosen`, in any order, and 0 where there are fewer. keyAt(j) is the thread's
// j-th of HELD keys, orderAt(j) its logit's bits. At most 52 barriers; about 20 for logits that differ.
template <int HELD, typename OrderAt, typename KeyAt>
static __device__ void choose(OrderAt orderAt, KeyAt keyAt, int wanted, u64* chosen) {
    __shared__ int taken;
    int lane = threadIdx.x % 32;
    if (threadIdx.x == 0) taken = 0;
    u64 least = leastTaken<HELD>(orderAt, keyAt, wanted);
#pragma unroll
    for (int j = 0; j < HELD; j++) {
        u64 key = keyAt(j);
        u32 takes = __ballot_sync(ALL_LANES, key >= least);
        int at = 0;
        if (lane == 0 && takes != 0) at = atomicAdd(&taken, __popc(takes));
        at = __shfl_sync(ALL_LANES, at, 0) + __popc(takes & ((1u << lane) - 1));
        if (key >= least) chosen[at] = key;
    }
    __syncthreads();
    for (int i = taken + (int) threadIdx.x; i < wanted; i += KEY_THREADS) chosen[i] = 0;
}
