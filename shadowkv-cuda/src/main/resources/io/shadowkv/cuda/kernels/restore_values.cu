// restoreValues: value = code * scale of its row, for rows of the store; the inverse of storeValues.
//
// Source:  op/ShadowOperations.restoreValues, op/ValueCodes
// codes    CODE  [H, codeCapacity, d], the pointer is at the first row of head 0; device memory
// scales   bf16  [H, tokenCapacity], the same
// values   VALUE [H, capacity, d], the same
// Macros   VALUE: element type; CODE: i8 or f8; HEAD_DIM: d; VEC: elements per access, a power of
//          two that divides d and every offset, at most 16 bytes of VALUE
// Grid     x: ceil(count * d / VEC / 256 / 4), y: H; block: 256 threads, four vectors each
// Bytes    H * count * (d * (sizeof(VALUE) + 1) + 2); [8, 124928, 128] to bf16: 386 MB, floor 90 us
//          at 4.30 TB/s, compared with 2.3 ms on the link
// Shared   none
// Rounds   once; the product is exact in float
// check: VALUE=bf16 CODE=i8 HEAD_DIM=128 VEC=8
// check: VALUE=bf16 CODE=f8 HEAD_DIM=128 VEC=8
// check: VALUE=f16 CODE=f8 HEAD_DIM=96 VEC=8
// check: VALUE=float CODE=i8 HEAD_DIM=6 VEC=2
#include "types.cuh"
#include "convert.cuh"

#ifndef VALUE
#define VALUE bf16
#endif
#ifndef CODE
#define CODE i8
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef VEC
#define VEC 8
#endif

static const int ROW_VECTORS = HEAD_DIM / VEC;
static const int UNROLL = 4;
static_assert(HEAD_DIM % VEC == 0, "a row is whole vectors");

// codeStride, valueStride, scaleStride: elements between the starts of adjacent heads.
extern "C" __global__ void __launch_bounds__(256)
restoreValues(const CODE* codes, const bf16* scales, VALUE* values, i64 codeStride, i64 scaleStride, i64 valueStride,
              i32 count) {
    const Vector<CODE, VEC>* from = (const Vector<CODE, VEC>*) (codes + blockIdx.y * codeStride);
    Vector<VALUE, VEC>* to = (Vector<VALUE, VEC>*) (values + blockIdx.y * valueStride);
    const bf16* rowScales = scales + blockIdx.y * scaleStride;
    i64 vectors = (i64) count * ROW_VECTORS, start = (i64) blockIdx.x * 256 * UNROLL + threadIdx.x;
    Vector<CODE, VEC> held[UNROLL];
    float scale[UNROLL];
#pragma unroll
    for (int j = 0; j < UNROLL; j++) {
        i64 at = start + j * 256;
        if (at >= vectors) break;
        held[j] = from[at];
        scale[j] = toFloat(rowScales[at / ROW_VECTORS]);
    }
#pragma unroll
    for (int j = 0; j < UNROLL; j++) {
        i64 at = start + j * 256;
        if (at >= vectors) break;
        Vector<VALUE, VEC> restored;
#pragma unroll
        for (int e = 0; e < VEC; e++) restored.at[e] = fromFloat<VALUE>(toFloat(held[j].at[e]) * scale[j]);
        to[at] = restored;
    }
}
