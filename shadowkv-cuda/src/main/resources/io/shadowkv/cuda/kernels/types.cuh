// Element types without NVIDIA's headers, which users may not have: 16-bit floats as bits,
// conversions as PTX. Shared by all kernels; NVRTC and nvcc compile the same text.
#pragma once

typedef unsigned char u8;
typedef signed char i8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef long long i64;
typedef unsigned long long u64;

struct bf16 { u16 bits; };
struct f16 { u16 bits; };
struct f8 { u8 bits; };  // OCP E4M3: no infinities, NaN is 0x7f

static __device__ __forceinline__ float toFloat(float x) { return x; }
static __device__ __forceinline__ float toFloat(double x) { return (float) x; }
static __device__ __forceinline__ float toFloat(i8 x) { return (float) x; }
static __device__ __forceinline__ float toFloat(bf16 x) { return __uint_as_float((u32) x.bits << 16); }
static __device__ __forceinline__ float toFloat(f16 x) {
    float y;
    asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x.bits));
    return y;
}
// Moves exponent and mantissa to their places in a float, then scales by 2^(127-7). Exact for
// subnormals too.
static __device__ __forceinline__ float toFloat(f8 x) {
    u32 magnitude = x.bits & 0x7f;
    float y = __uint_as_float(magnitude << 20) * 0x1p120f;
    y = magnitude == 0x7f ? __uint_as_float(0x7fffffffu) : y;
    return x.bits & 0x80 ? -y : y;
}

template <typename T> static __device__ __forceinline__ T fromFloat(float x);
template <> __device__ __forceinline__ float fromFloat<float>(float x) { return x; }
template <> __device__ __forceinline__ double fromFloat<double>(float x) { return (double) x; }
template <> __device__ __forceinline__ bf16 fromFloat<bf16>(float x) {
    bf16 y;
    asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}
template <> __device__ __forceinline__ f16 fromFloat<f16>(float x) {
    f16 y;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y.bits) : "f"(x));
    return y;
}

// Two floats as two 16-bit floats in one register, `low` in the lower half.
static __device__ __forceinline__ u32 pack(bf16, float low, float high) {
    u32 y;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
    return y;
}
static __device__ __forceinline__ u32 pack(f16, float low, float high) {
    u32 y;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(y) : "f"(high), "f"(low));
    return y;
}

// N consecutive elements, loaded or stored in one access of N * sizeof(T) bytes. The address must
// be a multiple of that size.
template <typename T, int N> struct alignas(sizeof(T) * N) Vector { T at[N]; };
