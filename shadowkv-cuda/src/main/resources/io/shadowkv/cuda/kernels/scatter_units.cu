// scatterUnits: target[h, units[h, i] * J + j] = source[h, sourceRow + i * J + j] for j < J,
// converted to target's type; the inverse of gatherUnits.
//
// Source:  op/ShadowOperations.scatterUnits
// source   FROM [H, sourceCapacity, d], the pointer is at row sourceRow of head 0
// units    i32  [H, m], different units for each head
// target   TO   [H, targetCapacity, d]
// Macros   FROM, TO: element types; UNIT: J * d, the adjacent elements of a unit; VEC: elements per
//          access, a power of two that divides d and every offset, at most 16 bytes of the wider
//          type
// Grid     x: ceil(m * UNIT / VEC / 256), y: H; block: 256 threads, one vector each
// Bytes    H * m * UNIT * (sizeof(FROM) + sizeof(TO)); 48 outliers of 8 tokens, 8 heads, d 128,
//          bf16: 1.6 MB, a launch
// Shared   none
// Rounds   once, to nearest even; equal types keep their bits
// Limits   source and target must not overlap
// check: FROM=u16 TO=u16 UNIT=1024 VEC=8
// check: FROM=f16 TO=f16 UNIT=768 VEC=8
// check: FROM=float TO=bf16 UNIT=2048 VEC=4
// check: FROM=f16 TO=float UNIT=80 VEC=2
#include "types.cuh"
#include "convert.cuh"

#ifndef FROM
#define FROM bf16
#endif
#ifndef TO
#define TO bf16
#endif
#ifndef UNIT
#define UNIT 1024
#endif
#ifndef VEC
#define VEC 8
#endif

static const int UNIT_VECTORS = UNIT / VEC;
static_assert(UNIT % VEC == 0, "a unit is whole vectors");

// sourceStride, targetStride: elements between the starts of adjacent heads; count: m.
extern "C" __global__ void __launch_bounds__(256)
scatterUnits(const FROM* source, const i32* units, TO* target, i64 sourceStride, i64 targetStride, i32 count) {
    i64 at = (i64) blockIdx.x * blockDim.x + threadIdx.x;
    i64 unit = at / UNIT_VECTORS;
    if (unit >= count) return;
    i64 to = (i64) units[(i64) blockIdx.y * count + unit] * UNIT_VECTORS + at % UNIT_VECTORS;
    const Vector<FROM, VEC>* sources = (const Vector<FROM, VEC>*) (source + blockIdx.y * sourceStride);
    Vector<TO, VEC>* targets = (Vector<TO, VEC>*) (target + blockIdx.y * targetStride);
    targets[to] = convert<TO>(sources[at]);
}
