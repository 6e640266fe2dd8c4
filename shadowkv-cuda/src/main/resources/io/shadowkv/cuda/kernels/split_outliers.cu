// splitOutliers: for each head, the o units with the smallest minimum cosines, and all others. Both
// lists ascend; among equals, the lower unit is the outlier.
//
// Source:  ShadowKV (arXiv 2410.21465) section 4.1; op/ShadowOperations.splitOutliers minCosines
// float [H, units]; without NaN; -0 is less than 0
// outliers   i32 [H, o]
// others     i32 [H, units - o]
// Grid     x: H, one block per head; block: 1024 threads
// Method   radix selection of the o-th smallest number, 8 bits at a time, then one ordered pass
//          that writes both lists: the smaller numbers, and the first ones of those equal to it,
//          are outliers
// Bytes    5 passes over 4 * units, 4 * units written: all in L2 after the first. 15,616 units, 8
//          heads: 0.5 MB; bound by latency, about 30 us, once per layer
// Shared   1.3 KB
// Limits   fewer than 2^31 units
// check:
#include "types.cuh"
#include "warp.cuh"

static const int THREADS = 1024;
static const int ITEMS = 4;  // consecutive units of a thread in the ordered pass

// Unsigned integers in the order of the floats.
static __device__ __forceinline__ u32 ordered(float x) {
    u32 bits = __float_as_uint(x);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// Two counts, summed together.
struct Counts { i32 less, equal; };

static __device__ __forceinline__ Counts plus(Counts a, Counts b) { return {a.less + b.less, a.equal + b.equal}; }

// Sums over this lane and the lower lanes.
static __device__ __forceinline__ Counts inclusive(Counts own) {
    int lane = threadIdx.x % 32;
#pragma unroll
    for (int d = 1; d < 32; d *= 2) {
        Counts below = {__shfl_up_sync(ALL_LANES, own.less, d), __shfl_up_sync(ALL_LANES, own.equal, d)};
        if (lane >= d) own = plus(own, below);
    }
    return own;
}

// The `rank`-th smallest (from 1) of ordered(cosines); `less` receives the number of smaller ones.
// All threads must call it.
static __device__ u32 findThreshold(const float* cosines, int units, int rank, int& less) {
    __shared__ u32 histogram[256];
    __shared__ u32 digit;
    __shared__ int below;
    u32 prefix = 0;
    less = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        if (threadIdx.x < 256) histogram[threadIdx.x] = 0;
        __syncthreads();
        u32 mask = shift == 24 ? 0 : ~0u << (shift + 8);
        for (int start = 0; start < units; start += THREADS) {
            int unit = start + (int) threadIdx.x;
            u32 key = unit < units ? ordered(cosines[unit]) : 0;
            bool counts = unit < units && (key & mask) == prefix;
            // Cosines are similar, so most lanes have the same bin: one addition serves all lanes
            // with the same bin.
            u32 bin = counts ? key >> shift & 255 : 256;
            u32 same = __match_any_sync(ALL_LANES, bin);
            if (counts && (int) threadIdx.x % 32 == __ffs(same) - 1) atomicAdd(&histogram[bin], __popc(same));
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            int sum = less;
            u32 d = 0;
            while (d < 255 && sum + (int) histogram[d] < rank) sum += histogram[d++];
            digit = d;
            below = sum;
        }
        __syncthreads();
        prefix |= digit << shift;
        less = below;
    }
    return prefix;
}

extern "C" __global__ void __launch_bounds__(THREADS)
splitOutliers(const float* minCosines, i32* outliers, i32* others, i32 units, i32 count) {
    const float* cosines = minCosines + (i64) blockIdx.x * units;
    i32* chosen = outliers + (i64) blockIdx.x * count;
    i32* rest = others + (i64) blockIdx.x * (units - count);
    int less = 0;
    u32 threshold = count == 0 ? 0 : findThreshold(cosines, units, count, less);
    int needed = count - less;  // of those equal to the threshold

    __shared__ Counts warps[THREADS / 32];
    Counts before = {0, 0};  // in all earlier tiles
    for (int start = 0; start < units; start += THREADS * ITEMS) {
        int first = start + (int) threadIdx.x * ITEMS;
        bool isLess[ITEMS], isEqual[ITEMS];
        Counts own = {0, 0};
#pragma unroll
        for (int i = 0; i < ITEMS; i++) {
            u32 key = first + i < units ? ordered(cosines[first + i]) : 0xffffffffu;
            isLess[i] = first + i < units && key < threshold;
            isEqual[i] = first + i < units && key == threshold;
            own = plus(own, {isLess[i], isEqual[i]});
        }
        Counts upTo = inclusive(own);
        __syncthreads();
        if (threadIdx.x % 32 == 31) warps[threadIdx.x / 32] = upTo;
        __syncthreads();
        Counts sums = inclusive(warps[threadIdx.x % 32]);
        int source = (int) threadIdx.x / 32 - 1;
        Counts lower = {__shfl_sync(ALL_LANES, sums.less, source & 31), __shfl_sync(ALL_LANES, sums.equal, source & 31)};
        Counts all = {__shfl_sync(ALL_LANES, sums.less, 31), __shfl_sync(ALL_LANES, sums.equal, 31)};
        Counts at = plus(before, {upTo.less - own.less, upTo.equal - own.equal});
        if (source >= 0) at = plus(at, lower);
#pragma unroll
        for (int i = 0; i < ITEMS; i++) {
            if (first + i < units) {
                int outliersBefore = at.less + min(at.equal, needed);
                if (isLess[i] || (isEqual[i] && at.equal < needed)) {
                    chosen[outliersBefore] = first + i;
                } else {
                    rest[first + i - outliersBefore] = first + i;
                }
                at = plus(at, {isLess[i], isEqual[i]});
            }
        }
        before = plus(before, all);
    }
}
