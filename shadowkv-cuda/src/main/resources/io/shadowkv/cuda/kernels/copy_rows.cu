// copyRows: target[h, to + i] = source[h, from + i] for i < count, converted to target's type.
//
// Source:  op/ShadowOperations.copyRows
// source   FROM [H, sourceCapacity, d], the pointer is at row `from` of head 0
// target   TO   [H, targetCapacity, d], the pointer is at row `to` of head 0
// count    the rows of a head are adjacent, so a head is one run of count * d elements
// Macros   FROM, TO: element types; VEC: elements per access, a power of two that divides d and
//          every offset, at most 16 bytes of the wider type
// Grid     x: any number of blocks, y: H; block: 256 threads, each with UNROLL vectors at a
//          distance of the grid's width
// Bytes    H * count * d * (sizeof(FROM) + sizeof(TO)); [8, 124928, 128] of bf16 both ways: 512 MB,
//          floor 0.12 ms at the 4.30 TB/s that a copy reaches
// Shared   none
// Rounds   once, to nearest even; equal types keep their bits
// Limits   source and target must not overlap; ShadowIndexing copies overlapping rows through a
//          scratch buffer
// check: FROM=bf16 TO=bf16 VEC=8
// check: FROM=float TO=float VEC=4
// check: FROM=float TO=bf16 VEC=4
// check: FROM=f16 TO=float VEC=2
// check: FROM=bf16 TO=f16 VEC=1
// check: FROM=i8 TO=i8 VEC=16
#include "types.cuh"
#include "convert.cuh"

#ifndef FROM
#define FROM bf16
#endif
#ifndef TO
#define TO bf16
#endif
#ifndef VEC
#define VEC 8
#endif

static const int UNROLL = 4;

// sourceStride, targetStride: elements between the starts of adjacent heads; vectors: of a head.
extern "C" __global__ void __launch_bounds__(256)
copyRows(const FROM* source, TO* target, i64 sourceStride, i64 targetStride, i64 vectors) {
    const Vector<FROM, VEC>* from = (const Vector<FROM, VEC>*) (source + blockIdx.y * sourceStride);
    Vector<TO, VEC>* to = (Vector<TO, VEC>*) (target + blockIdx.y * targetStride);
    i64 width = (i64) gridDim.x * blockDim.x;
    for (i64 i = (i64) blockIdx.x * blockDim.x + threadIdx.x; i < vectors; i += UNROLL * width) {
        Vector<FROM, VEC> held[UNROLL];
#pragma unroll
        for (int j = 0; j < UNROLL; j++) {
            if (i + j * width < vectors) held[j] = from[i + j * width];
        }
#pragma unroll
        for (int j = 0; j < UNROLL; j++) {
            if (i + j * width < vectors) to[i + j * width] = convert<TO>(held[j]);
        }
    }
}
