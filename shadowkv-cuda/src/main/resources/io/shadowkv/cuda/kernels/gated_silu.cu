// gate = silu(gate) * up, silu(x) = x / (1 + e^-x), element by element.
//
// Arguments  gate ACT [count], in place; up ACT [count]
// Precision  float, rounded once. e^-x overflows to infinity for x < -88; silu is then -0, which is
//            correct.
// Grid       256 threads per block, VECTOR elements per thread.
// Bytes      3 * count * sizeof(ACT): 8192 rows of 14336 bf16: 705 MB, 164 us at 4.3 TB/s.
// Limits     pointers aligned to VECTOR elements; elements after the last whole vector are
//            processed one at a time.
//
// check: ACT=bf16 VECTOR=8
// check: ACT=float VECTOR=1
#include "overlap.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

static __device__ __forceinline__ ACT gated(ACT gate, ACT up) {
    float x = toFloat(gate);
    return fromFloat<ACT>(x / (1.f + expf(-x)) * toFloat(up));
}

extern "C" __global__ void __launch_bounds__(256) gatedSilu(ACT* gate, const ACT* up, i64 count) {
    letNextStart();
    waitForPrevious();
    i64 at = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at + VECTOR <= count) {
        Vector<ACT, VECTOR> gates = *(const Vector<ACT, VECTOR>*) (gate + at);
        Vector<ACT, VECTOR> ups = *(const Vector<ACT, VECTOR>*) (up + at);
#pragma unroll
        for (int i = 0; i < VECTOR; i++) gates.at[i] = gated(gates.at[i], ups.at[i]);
        *(Vector<ACT, VECTOR>*) (gate + at) = gates;
    } else {
        for (; at < count; at++) gate[at] = gated(gate[at], up[at]);
    }
}
