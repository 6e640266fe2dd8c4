// Index of each row's largest logit, the first one among equals; -1 for a row that has a NaN or
// whose largest logit is not finite.
//
// Arguments  logits ACT [rows, width], ids i32 [rows]
// Grid       one block of 1024 threads per row.
// Bytes      rows * width * sizeof(ACT), in the L2 cache because they were just written: 32 rows of
//            128,256 bf16: 8.2 MB. A block reads 16 KiB per round, with four rounds in flight:
//            about 5 us for up to as many rows as multiprocessors.
// Limits     with VECTOR > 1: width a multiple of VECTOR, logits aligned to VECTOR elements.
//
// check: ACT=bf16 VECTOR=8
// check: ACT=float VECTOR=1
#include "overlap.cuh"
#include "warp.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

static const int THREADS = 1024;

static __device__ __forceinline__ bool isBetter(float value, int at, float best, int bestAt) {
    return value > best || (value == best && at < bestAt);
}

extern "C" __global__ void __launch_bounds__(THREADS) argmax(const ACT* logits, i32* ids, int width) {
    __shared__ float warpBest[32];
    __shared__ int warpAt[32];
    letNextStart();
    waitForPrevious();
    const ACT* row = logits + (i64) blockIdx.x * width;
    float best = -__int_as_float(0x7f800000);
    int bestAt = 0x7fffffff;
    bool hasNan = false;
#pragma unroll 4
    for (int i = threadIdx.x * VECTOR; i < width; i += THREADS * VECTOR) {
        Vector<ACT, VECTOR> values = *(const Vector<ACT, VECTOR>*) (row + i);
#pragma unroll
        for (int j = 0; j < VECTOR; j++) {
            float value = toFloat(values.at[j]);
            hasNan |= value != value;
            if (value > best) {  // ascending, so a thread keeps the first among equals
                best = value;
                bestAt = i + j;
            }
        }
    }
    int anyNan = __syncthreads_or(hasNan);
#pragma unroll
    for (int d = 16; d > 0; d /= 2) {
        float value = __shfl_xor_sync(ALL_LANES, best, d);
        int at = __shfl_xor_sync(ALL_LANES, bestAt, d);
        if (isBetter(value, at, best, bestAt)) {
            best = value;
            bestAt = at;
        }
    }
    if (threadIdx.x % 32 == 0) {
        warpBest[threadIdx.x / 32] = best;
        warpAt[threadIdx.x / 32] = bestAt;
    }
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int w = 1; w < THREADS / 32; w++) {
            if (isBetter(warpBest[w], warpAt[w], best, bestAt)) {
                best = warpBest[w];
                bestAt = warpAt[w];
            }
        }
        bool isFinite = fabsf(best) < __int_as_float(0x7f800000);
        ids[blockIdx.x] = anyNan || !isFinite ? -1 : bestAt;
    }
}
