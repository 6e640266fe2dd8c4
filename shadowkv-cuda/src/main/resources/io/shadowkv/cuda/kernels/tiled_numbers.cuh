// Codes of quantised weights to pairs of 16-bit numbers in registers, without rounding: the types
// are bf16 and f16. Conversions that set the exponent follow FasterTransformer's
// interleaved_numeric_conversion.h.
#pragma once
#include "tiled_weight.cuh"

// x + y of pairs of 16-bit numbers; here the results are exact.
static __device__ __forceinline__ u32 addPairs(bf16, u32 x, u32 y) {
    u32 d;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(d) : "r"(x), "r"(0x3f803f80u), "r"(y));
    return d;
}
static __device__ __forceinline__ u32 addPairs(f16, u32 x, u32 y) {
    u32 d;
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(d) : "r"(x), "r"(y));
    return d;
}

// 128 (bf16) or 1024 (f16) in both halves of a register; its lowest 7 bits count units.
static __device__ __forceinline__ u32 units(bf16) { return 0x43004300u; }
static __device__ __forceinline__ u32 units(f16) { return 0x64006400u; }
// -(units + zero), for zero < 128.
static __device__ __forceinline__ u32 minus(bf16, int zero) { return (0xc300u | zero) * 0x10001u; }
static __device__ __forceinline__ u32 minus(f16, int zero) { return (0xe400u | zero) * 0x10001u; }
static __device__ __forceinline__ u32 ones(bf16) { return 0x3f803f80u; }
static __device__ __forceinline__ u32 ones(f16) { return 0x3c003c00u; }

// Bytes p and p + 1 of a word, 128 subtracted from each, as a pair.
static __device__ __forceinline__ u32 signedPair(bf16, u32 word, int p) {
    float low = __uint_as_float(__byte_perm(word, 0x4b000000u, 0x7440 + p)) - 8388736.f;  // 2^23 + 128
    float high = __uint_as_float(__byte_perm(word, 0x4b000000u, 0x7441 + p)) - 8388736.f;
    return pack(bf16(), low, high);
}
static __device__ __forceinline__ u32 signedPair(f16, u32 word, int p) {
    return addPairs(f16(), __byte_perm(word, 0x64646464u, 0x4140 + p * 0x101), 0xe480e480u);  // 1024 + 128
}

// Two E4M3 numbers as a pair. F16 holds all of them exactly, and NaN.
static __device__ __forceinline__ u32 smallPair(f16, u32 word, int p) {
    u32 d;
    asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(d) : "h"((u16) (word >> 8 * p)));
    return d;
}
static __device__ __forceinline__ u32 smallPair(bf16, u32 word, int p) {
    u32 d = smallPair(f16(), word, p);
    f16 low = {(u16) d}, high = {(u16) (d >> 16)};
    return pack(bf16(), toFloat(low), toFloat(high));
}

// A lane's codes of one group: numbers[h][t] are codes 2 t and 2 t + 1 of half h, as Act, without
// scale. `zeros` are subtracted.
template <typename Act>
static __device__ __forceinline__ void decode(Act act, u32 (&numbers)[2][4], const u8* image, int warp, int lane, int group, const u32 (&zeros)[2]) {
    if (FORMAT <= FP8) {
        uint4 v = *(const uint4*) (image + ((warp * 8 + group) * 32 + lane) * 16);
        u32 words[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
        for (int i = 0; i < 8; i++) {
            u32 word = words[i / 2];
            numbers[i / 4][i % 4] = FORMAT == INT8 ? signedPair(act, word, i % 2 * 2) : smallPair(act, word, i % 2 * 2);
        }
        return;
    }
    uint2 v = *(const uint2*) (image + ((warp * 4 + group / 2) * 32 + lane) * 16 + group % 2 * 8);
    u32 words[2] = {v.x, v.y};
    u32 high = 0;
    if (FORMAT == Q5_K) high = *(const u32*) (image + CODE_BYTES + (warp * 32 + lane) * 16 + group / 2 * 4);
    if (FORMAT == Q6_K) high = *(const u32*) (image + CODE_BYTES + ((warp * 2 + group / 4) * 32 + lane) * 16 + group % 4 * 4);
#pragma unroll
    for (int h = 0; h < 2; h++) {
#pragma unroll
        for (int t = 0; t < 4; t++) {
            u32 pair = (words[h] >> 4 * t & 0x000f000fu) | units(act);
            if (FORMAT == Q5_K) {
                int at = group % 2 * 8 + h * 4 + t;  // goes to bit 4
                pair |= (at <= 4 ? high << (at <= 4 ? 4 - at : 0) : high >> (at <= 4 ? 0 : at - 4)) & 0x00100010u;
            }
            if (FORMAT == Q6_K) {
                int at = (h * 4 + t) * 2;  // goes to bit 4
                pair |= (at <= 4 ? high << (at <= 4 ? 4 - at : 0) : high >> (at <= 4 ? 0 : at - 4)) & 0x00300030u;
            }
            numbers[h][t] = addPairs(act, pair, zeros[h]);
        }
    }
}
