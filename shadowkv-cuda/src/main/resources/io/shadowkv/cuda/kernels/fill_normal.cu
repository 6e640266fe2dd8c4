// Normally distributed numbers, determined by seed and index: element i is deviation * sqrt(-2 ln
// u) * cos(2 pi v). u and v are (h + 0.5) / 2^32 for the upper and the lower half h of SplitMix64's
// i-th output (DenseOperations.fillNormal).
//
// Arguments  target ACT [count]
// Precision  computed in double, rounded to float, then to ACT, as Floats.set does.
// Grid       256 threads per block, VECTOR elements per thread.
// Bytes      count * sizeof(ACT): 8.03e9 bf16: 16 GB, 3.7 ms at 4.3 TB/s; bound by double
//            arithmetic, about 150 instructions per element: 0.1 s on a data centre's GPU.
// Limits     target aligned to VECTOR elements; elements after the last whole vector are processed
//            one at a time.
//
// check: ACT=bf16 VECTOR=4
// check: ACT=float VECTOR=1
#include "types.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

static __device__ __forceinline__ ACT normal(u64 seed, u64 i, double deviation) {
    u64 z = seed + (i + 1) * 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    z ^= z >> 31;
    double u = ((double) (u32) (z >> 32) + 0.5) * 0x1p-32;
    double v = ((double) (u32) z + 0.5) * 0x1p-32;
    return fromFloat<ACT>((float) (deviation * (sqrt(-2.0 * log(u)) * cospi(2.0 * v))));
}

extern "C" __global__ void __launch_bounds__(256) fillNormal(ACT* target, i64 count, i64 seed, double deviation) {
    i64 at = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at + VECTOR <= count) {
        Vector<ACT, VECTOR> numbers;
#pragma unroll
        for (int i = 0; i < VECTOR; i++) numbers.at[i] = normal((u64) seed, (u64) (at + i), deviation);
        *(Vector<ACT, VECTOR>*) (target + at) = numbers;
    } else {
        for (; at < count; at++) target[at] = normal((u64) seed, (u64) at, deviation);
    }
}
