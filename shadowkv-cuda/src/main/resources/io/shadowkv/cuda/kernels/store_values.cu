// storeValues: quantises rows of values for the store, with one scale per row.
//   scale = max |value| / TOP in float, rounded up to bf16; code = round-to-even(value / scale), 0 if the scale is 0
//
// Source:  op/ValueCodes (the same bits)
// source   VALUE [H, sourceCapacity, d], the pointer is at the first row of head 0
// codes    CODE  [H, codeCapacity, d], the same; device memory (ShadowIndexing brings them to the
//          host by DMA, which runs at the link's 55 GB/s and does not occupy multiprocessors)
// scales   bf16  [H, tokenCapacity], the same
// Macros   VALUE: element type; CODE: i8 or f8 (TOP 127 and 448); HEAD_DIM: d; VEC: elements per
//          access, a power of two that divides d and every offset, at most 16 bytes
// Grid     x: ceil(count / (8 * ROWS)), y: H; block: 256 threads, LANES lanes per row
// Bytes    H * count * (d * (sizeof(VALUE) + 1) + 2); [8, 124928, 128] of bf16: 386 MB, floor 90 us
//          at 4.30 TB/s, compared with 2.3 ms on the link
// Shared   none
// Rounds   as ValueCodes does: division in float, one rounding
// check: VALUE=bf16 CODE=i8 HEAD_DIM=128 VEC=8
// check: VALUE=bf16 CODE=f8 HEAD_DIM=128 VEC=8
// check: VALUE=f16 CODE=f8 HEAD_DIM=96 VEC=8
// check: VALUE=bf16 CODE=f8 HEAD_DIM=64 VEC=8
// check: VALUE=bf16 CODE=i8 HEAD_DIM=256 VEC=8
// check: VALUE=float CODE=f8 HEAD_DIM=256 VEC=4
// check: VALUE=float CODE=i8 HEAD_DIM=6 VEC=2
#include "types.cuh"
#include "convert.cuh"
#include "warp.cuh"

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
static const int LANES = powerOfTwo(ROW_VECTORS) < 32 ? powerOfTwo(ROW_VECTORS) : 32;
static const int PARTS = (ROW_VECTORS + LANES - 1) / LANES;  // vectors of a row per lane
static const int ROWS = 32 / LANES;                          // rows per warp
static_assert(HEAD_DIM % VEC == 0, "a row is whole vectors");

template <typename Code> struct Coding;

template <> struct Coding<i8> {
    static __device__ __forceinline__ float top() { return 127.f; }
    static __device__ __forceinline__ i8 of(float quotient) { return (i8) __float2int_rn(quotient); }
};

template <> struct Coding<f8> {
    static __device__ __forceinline__ float top() { return 448.f; }
    static __device__ __forceinline__ f8 of(float quotient) {
        f8 code;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
        u16 two;
        asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(two) : "f"(0.f), "f"(quotient));
        code.bits = (u8) two;
#else
        // Rounds exponent and mantissa at the third bit and moves them to their places. Below 2^-6
        // the steps are 2^-9.
        u32 bits = __float_as_uint(quotient), magnitude = bits & 0x7fffffffu;
        u32 rounded = magnitude < 0x3c800000u
            ? (u32) __float2int_rn(__uint_as_float(magnitude) * 512.f)
            : ((magnitude + 0x7ffffu + (magnitude >> 20 & 1)) >> 20) - (120u << 3);
        rounded = rounded > 0x7eu ? 0x7eu : rounded;
        code.bits = (u8) ((bits >> 31) << 7 | rounded);
#endif
        return code;
    }
};

// sourceStride, codeStride, scaleStride: elements between the starts of adjacent heads.
extern "C" __global__ void __launch_bounds__(256)
storeValues(const VALUE* source, CODE* codes, bf16* scales, i64 sourceStride, i64 codeStride, i64 scaleStride,
            i32 count) {
    int lane = threadIdx.x % 32, inRow = lane % LANES;
    i64 row = ((i64) blockIdx.x * 8 + threadIdx.x / 32) * ROWS + lane / LANES;
    bool isRow = row < count;
    const Vector<VALUE, VEC>* from = (const Vector<VALUE, VEC>*) (source + blockIdx.y * sourceStride + row * HEAD_DIM);
    Vector<VALUE, VEC> held[PARTS];
    float largest = 0;
#pragma unroll
    for (int part = 0; part < PARTS; part++) {
        held[part] = {};
        if (isRow && part * LANES + inRow < ROW_VECTORS) held[part] = from[part * LANES + inRow];
#pragma unroll
        for (int e = 0; e < VEC; e++) largest = fmaxf(largest, fabsf(toFloat(held[part].at[e])));
    }
#pragma unroll
    for (int d = LANES / 2; d > 0; d /= 2) largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, d));
    if (!isRow) return;

    float scale = __uint_as_float(__float_as_uint(largest / Coding<CODE>::top()) + 0xffffu & 0xffff0000u);
    if (inRow == 0) scales[blockIdx.y * scaleStride + row].bits = (u16) (__float_as_uint(scale) >> 16);
    Vector<CODE, VEC>* to = (Vector<CODE, VEC>*) (codes + blockIdx.y * codeStride + row * HEAD_DIM);
#pragma unroll
    for (int part = 0; part < PARTS; part++) {
        Vector<CODE, VEC> coded = {};
        if (scale != 0) {
#pragma unroll
            for (int e = 0; e < VEC; e++) coded.at[e] = Coding<CODE>::of(toFloat(held[part].at[e]) / scale);
        }
        if (part * LANES + inRow < ROW_VECTORS) to[part * LANES + inRow] = coded;
    }
}
