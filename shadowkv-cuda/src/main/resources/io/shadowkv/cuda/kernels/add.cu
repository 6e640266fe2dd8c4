// target += source, element by element.
//
// Arguments  target ACT [count], in place; source ACT [count]
// Grid       256 threads per block, VECTOR elements per thread.
// Bytes      3 * count * sizeof(ACT): 8192 rows of 4096 bf16: 201 MB, 47 us at 4.3 TB/s.
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

extern "C" __global__ void __launch_bounds__(256) add(ACT* target, const ACT* source, i64 count) {
    letNextStart();
    waitForPrevious();
    i64 at = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at + VECTOR <= count) {
        Vector<ACT, VECTOR> sum = *(const Vector<ACT, VECTOR>*) (target + at);
        Vector<ACT, VECTOR> more = *(const Vector<ACT, VECTOR>*) (source + at);
#pragma unroll
        for (int i = 0; i < VECTOR; i++) sum.at[i] = fromFloat<ACT>(toFloat(sum.at[i]) + toFloat(more.at[i]));
        *(Vector<ACT, VECTOR>*) (target + at) = sum;
    } else {
        for (; at < count; at++) target[at] = fromFloat<ACT>(toFloat(target[at]) + toFloat(source[at]));
    }
}
