// Copies elements in order from one floating type to another, rounding to nearest even.
//
// Arguments  source FROM [count], target TO [count]; either may be page-locked host memory
// Grid       256 threads per block, VECTOR elements per thread.
// Bytes      count * (sizeof(FROM) + sizeof(TO)) at the speed of the slower memory.
// Limits     pointers aligned to VECTOR elements; elements after the last whole vector are
//            processed one at a time.
//
// check: FROM=float TO=bf16 VECTOR=4
// check: FROM=bf16 TO=f16 VECTOR=8
// check: FROM=f16 TO=float VECTOR=1
#include "types.cuh"

#ifndef FROM
#define FROM float
#endif
#ifndef TO
#define TO bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

extern "C" __global__ void __launch_bounds__(256) convert(const FROM* source, TO* target, i64 count) {
    i64 at = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at + VECTOR <= count) {
        Vector<FROM, VECTOR> from = *(const Vector<FROM, VECTOR>*) (source + at);
        Vector<TO, VECTOR> to;
#pragma unroll
        for (int i = 0; i < VECTOR; i++) to.at[i] = fromFloat<TO>(toFloat(from.at[i]));
        *(Vector<TO, VECTOR>*) (target + at) = to;
    } else {
        for (; at < count; at++) target[at] = fromFloat<TO>(toFloat(source[at]));
    }
}
