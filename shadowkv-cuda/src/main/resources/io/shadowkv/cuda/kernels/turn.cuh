// The turn of token codes (op/host/KeyCodes) by a warp: element e of a vector is in part e / 32 of
// lane e % 32, and elements behind the last one are zero.
#pragma once
#include "warp.cuh"

// The largest power of two that divides n.
static __device__ constexpr int turnSize(int n) { return n & -n; }

// 1 / sqrt(n) of a power of two, rounded once.
static __device__ constexpr float turnNorm(int n) {
    float norm = 1;
    while (n >= 4) n /= 4, norm *= 0.5f;
    return n == 2 ? norm * 0.70710678118654752f : norm;
}

static __device__ __forceinline__ bool isFlipped(int dimension) {
    u32 mixed = (u32) (dimension + 1) * 0x9E3779B1u;
    mixed = (mixed ^ mixed >> 15) * 0x85EBCA6Bu;
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35u;
    return (mixed ^ mixed >> 16) >> 31;
}

// Changes signs, then multiplies blocks of turnSize(DIM) elements by the Hadamard matrix.
template <int DIM> static __device__ __forceinline__ void turn(float (&x)[(DIM + 31) / 32]) {
    constexpr int PARTS = (DIM + 31) / 32, SIZE = turnSize(DIM);
    constexpr float NORM = turnNorm(SIZE);
    int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < PARTS; i++) x[i] *= isFlipped(i * 32 + lane) ? -NORM : NORM;
#pragma unroll
    for (int d = 1; d < 32; d *= 2) {
        if (d >= SIZE) break;
#pragma unroll
        for (int i = 0; i < PARTS; i++) {
            float other = __shfl_xor_sync(ALL_LANES, x[i], d);
            x[i] = lane & d ? other - x[i] : x[i] + other;
        }
    }
#pragma unroll
    for (int d = 1; d < PARTS; d *= 2) {
        if (d * 32 >= SIZE) break;
#pragma unroll
        for (int i = 0; i < PARTS; i++) {
            if ((i & d) == 0 && (i | d) < PARTS) {
                float low = x[i], high = x[i | d];
                x[i] = low + high;
                x[i | d] = low - high;
            }
        }
    }
}
