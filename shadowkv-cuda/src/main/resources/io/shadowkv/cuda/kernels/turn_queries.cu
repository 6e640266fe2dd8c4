// The queries of a step as the scores of token codes take them: turned (turn.cuh), because codes
// stand for turned keys. turnQueries writes floats for score_codes_any.cu. splitQueries writes
// integers for score_codes.cu: with s = max |x| / TOP, x is s * (64^3 * a + 64^2 * b + 64 * c + d) up
// to s / 2, with limbs from -32 to 31. It also clears the memory that blocks of score_codes.cu
// exchange their sums through.
//
// queries  QUERY [count, HEAD_DIM], `count` query heads of all rows
// turned   float [count, HEAD_DIM]
// limbs    i8 [count, 4, QUADS * 64]: a, b, c, d; byte 16w + 4j + b is that of dimension 16w + 4b + j,
//          times 4 if j is even, zero from HEAD_DIM on
// partials u64 [partialCount], cleared
// factors  float2 [count]: (s / 4 * scale, -1.5 * sum x * scale), so that the product of x with
//          levels, code - 1.5, is first * sum 4 * code * integer + second
// scale    factor of the dot products times log2(e)
// Macros   QUERY: element type; HEAD_DIM; splitQueries: HEAD_DIM at most 256, so that the sum of
//          the integers is an int
// Grid     ceil(count / 8) blocks of 256 threads, a warp per query head
// Bytes    not counted: kilobytes
// Shared   none
// Rounds   turn in float; the integers have 24 bits, as floats do
// check: QUERY=bf16 HEAD_DIM=128
// check: QUERY=float HEAD_DIM=6
// check: QUERY=f16 HEAD_DIM=80
// check: QUERY=bf16 HEAD_DIM=256
#include "overlap.cuh"
#include "turn.cuh"

#ifndef QUERY
#define QUERY bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif

static const int PARTS = (HEAD_DIM + 31) / 32;
static const int WORDS = (HEAD_DIM + 15) / 16;
static const int QUADS = (WORDS + 3) / 4;
static const int BYTES = QUADS * 64;
static const int LIMBS = 4;
static const float TOP = 31.f * 262144.f;

static __device__ __forceinline__ void loadTurned(float (&x)[PARTS], const QUERY* query) {
#pragma unroll
    for (int i = 0; i < PARTS; i++) {
        int e = i * 32 + threadIdx.x % 32;
        x[i] = e < HEAD_DIM ? toFloat(query[e]) : 0.f;
    }
    turn<HEAD_DIM>(x);
}

extern "C" __global__ void __launch_bounds__(256) turnQueries(const QUERY* queries, float* turned, i32 count) {
    letNextStart();
    waitForPrevious();
    i32 at = blockIdx.x * 8 + threadIdx.x / 32;
    if (at >= count) return;
    float x[PARTS];
    loadTurned(x, queries + (i64) at * HEAD_DIM);
#pragma unroll
    for (int i = 0; i < PARTS; i++) {
        int e = i * 32 + threadIdx.x % 32;
        if (e < HEAD_DIM) turned[(i64) at * HEAD_DIM + e] = x[i];
    }
}

// The lowest limb of x, -32 to 31, which is removed from x.
static __device__ __forceinline__ i32 takeLimb(i32& x) {
    i32 limb = (x + 32 & 63) - 32;
    x = (x - limb) / 64;
    return limb;
}

extern "C" __global__ void __launch_bounds__(256)
splitQueries(const QUERY* queries, i8* limbs, float2* factors, i32 count, float scale, u64* partials, i32 partialCount) {
    letNextStart();
    waitForPrevious();
    for (i32 i = blockIdx.x * 256 + threadIdx.x; i < partialCount; i += gridDim.x * 256) partials[i] = 0;
    int lane = threadIdx.x % 32;
    i32 at = blockIdx.x * 8 + threadIdx.x / 32;
    if (at >= count) return;
    float x[PARTS], largest = 0;
    loadTurned(x, queries + (i64) at * HEAD_DIM);
#pragma unroll
    for (int i = 0; i < PARTS; i++) largest = fmaxf(largest, fabsf(x[i]));
    largest = warpMax(largest);
    // A smaller query would overflow the quotient; its products are zero to all others' rounding.
    bool isZero = !(largest > 1e-30f);
    float steps = isZero ? 0.f : TOP / largest, step = isZero ? 0.f : largest / TOP;
    i8* own = limbs + (i64) at * (LIMBS * BYTES);
    u32 sum = 0;
#pragma unroll
    for (int i = 0; i < QUADS * 2; i++) {
        int e = i * 32 + lane, in = e % 16, to = e - in + in % 4 * 4 + in / 4;
        i32 rest = i < PARTS ? __float2int_rn(x[i < PARTS ? i : 0] * steps) : 0;
        int factor = in % 2 == 0 ? 4 : 1;
        sum += (u32) rest;
#pragma unroll
        for (int limb = LIMBS - 1; limb > 0; limb--) own[limb * BYTES + to] = (i8) (takeLimb(rest) * factor);
        own[to] = (i8) (rest * factor);
    }
    sum = __reduce_add_sync(ALL_LANES, sum);
    if (lane == 0) factors[at] = make_float2(step * 0.25f * scale, -1.5f * (float) (i32) sum * step * scale);
}
