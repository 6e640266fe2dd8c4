// storeRows: copies token-major rows to a head-major region, rounded to its type.
//   target[h, at + i] = rows[i, h]
//
// rows    SOURCE [tokens, heads, HEAD_DIM], aligned to VEC elements
// target  TARGET [heads, capacity, HEAD_DIM], aligned to VEC elements
// grid    any number of blocks and threads
//
// Bytes      tokens * heads * HEAD_DIM * (both element sizes): 4,096 tokens of 8 heads of 128,
//            bf16: 16.8 MB, 4 us
// Precision  rounds once, to nearest even
// Fails      never; VEC divides HEAD_DIM
//
// check: HEAD_DIM=128 VEC=8
// check: HEAD_DIM=10 VEC=2 SOURCE=f16 TARGET=float
#include "types.cuh"

#ifndef SOURCE
#define SOURCE bf16
#endif
#ifndef TARGET
#define TARGET bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef VEC
#define VEC 8
#endif

extern "C" __global__ void storeRows(const SOURCE* rows, TARGET* target, i64 tokens, i32 heads, i64 capacity, i64 at) {
    constexpr int PIECES = HEAD_DIM / VEC;
    i64 pieces = tokens * heads * PIECES, stride = (i64) gridDim.x * blockDim.x;
    for (i64 k = (i64) blockIdx.x * blockDim.x + threadIdx.x; k < pieces; k += stride) {
        i64 row = k / PIECES, token = row / heads, head = row - token * heads;
        auto source = *(const Vector<SOURCE, VEC>*) (rows + k * VEC);
        Vector<TARGET, VEC> rounded;
#pragma unroll
        for (int e = 0; e < VEC; e++) rounded.at[e] = fromFloat<TARGET>(toFloat(source.at[e]));
        *(Vector<TARGET, VEC>*) (target + (head * capacity + at + token) * HEAD_DIM + (k - row * PIECES) * VEC) = rounded;
    }
}
