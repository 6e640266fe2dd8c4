// Codes of quantised weights to pairs of 16-bit numbers in registers, without rounding: the types
// are bf16 and f16. Conversions that set the exponent follow FasterTransformer's
// interleaved_numeric_conversion.h.
#pragma once
#include "types.cuh"

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
