// Scales rows in place: scale multiplies all elements by one factor, scaleRows multiplies row i by
// factors[at[i]].
//
// Arguments  x ACT [rows, width], in place; scale: factor, count = rows * width; scaleRows: at i32
//            [rows], factors float [any], width, count
// Precision  float, rounded once.
// Grid       256 threads per block, VECTOR elements per thread.
// Bytes      2 * rows * width * sizeof(ACT): 8192 rows of 4096 bf16: 134 MB, 31 us at 4.3 TB/s; the
//            rows of a decode step are bound by latency.
// Limits     x aligned to VECTOR elements; scaleRows: width a multiple of VECTOR. Elements after the
//            last whole vector of scale are processed one at a time. An index in at outside factors
//            reads other memory.
//
// check: ACT=bf16 VECTOR=8
// check: ACT=f16 VECTOR=8
// check: ACT=float VECTOR=1
#include "overlap.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

static __device__ void multiply(ACT* at, float factor) {
    Vector<ACT, VECTOR> held = *(const Vector<ACT, VECTOR>*) at;
#pragma unroll
    for (int i = 0; i < VECTOR; i++) held.at[i] = fromFloat<ACT>(toFloat(held.at[i]) * factor);
    *(Vector<ACT, VECTOR>*) at = held;
}

extern "C" __global__ void __launch_bounds__(256) scale(ACT* x, float factor, i64 count) {
    letNextStart();
    waitForPrevious();
    i64 at = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at + VECTOR <= count) {
        multiply(x + at, factor);
    } else {
        for (; at < count; at++) x[at] = fromFloat<ACT>(toFloat(x[at]) * factor);
    }
}

extern "C" __global__ void __launch_bounds__(256) scaleRows(ACT* x, const i32* at, const float* factors, int width, i64 count) {
    letNextStart();
    i64 first = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (first >= count) return;
    // Kernels of the same step write the factors and places of experts.
    waitForPrevious();
    float factor = factors[at[first / width]];
    multiply(x + first, factor);
}
