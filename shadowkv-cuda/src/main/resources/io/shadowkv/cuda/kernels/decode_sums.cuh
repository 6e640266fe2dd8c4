// Exact attention of a warp over 16 keys at a time, in shared memory, on tensor cores.
#pragma once
#include "mma.cuh"
#include "warp.cuh"

static __device__ __forceinline__ float minusInfinity() { return __uint_as_float(0xff800000u); }

// 2^x, with an error of at most two units in the last place; 2^-infinity = 0.
static __device__ __forceinline__ float exp2Fast(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Factor that rescales a sum relative to `from` to the larger maximum `to`. The maximum of an empty
// sum is -infinity.
static __device__ __forceinline__ float rescaling(float from, float to) {
    return from == minusInfinity() ? 0.f : exp2Fast(from - to);
}

// An 8x8 matrix of 16-bit elements, one register per lane.
static __device__ __forceinline__ u32 transpose(u32 x) {
    u32 y;
    asm volatile("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(y) : "r"(x));
    return y;
}

// Online softmax and weighted sum of one warp, for up to 8 * QUERY_TILES queries of a group. Keys
// are the 16-row operand of the tensor cores, and queries are the 8-column operand: for a group of
// 4 this costs half as much as queries as rows. An output fragment has the columns of a score
// fragment, so rescaling needs no exchange between lanes.
template <typename T, int D, int PITCH, int QUERY_TILES> struct Sums {
    static constexpr int TILES = QUERY_TILES, STEPS = D / 16;

    u32 query[QUERY_TILES][STEPS][2];
    float out[QUERY_TILES][STEPS][4];
    float largest[QUERY_TILES][2], sum[QUERY_TILES][2];

    // Loads queries [count, D]; further queries are zero.
    __device__ __forceinline__ void begin(const T* queries, i32 count) {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int n = 0; n < QUERY_TILES; n++) {
            i32 number = n * 8 + lane / 4;
            bool valid = number < count;
            const T* own = queries + (valid ? number : 0) * D + lane % 4 * 2;
#pragma unroll
            for (int s = 0; s < STEPS; s++) {
                query[n][s][0] = valid ? *(const u32*) (own + s * 16) : 0;
                query[n][s][1] = valid ? *(const u32*) (own + s * 16 + 8) : 0;
#pragma unroll
                for (int r = 0; r < 4; r++) out[n][s][r] = 0.f;
            }
            largest[n][0] = largest[n][1] = minusInfinity();
            sum[n][0] = sum[n][1] = 0.f;
        }
    }

    // Adds 16 keys and 16 values, in rows of PITCH 16-byte pieces. Bit i of `present` is set if row
    // i exists; other rows are zeros.
    __device__ __forceinline__ void add(const u8* stage, u32 present, float scale) {
        int lane = threadIdx.x % 32;
        float scores[QUERY_TILES][2][4] = {};  // two chains of dependent products instead of one
        const u8* keys = stage + ((lane % 16) * PITCH + lane / 16) * 16;
#pragma unroll
        for (int s = 0; s < STEPS; s++) {
            u32 a[4];
            loadMatrices(a, keys + s * 32);
#pragma unroll
            for (int n = 0; n < QUERY_TILES; n++) multiply(T{}, scores[n][s % 2], a, query[n][s][0], query[n][s][1]);
        }
        u32 weights[QUERY_TILES][2];
#pragma unroll
        for (int n = 0; n < QUERY_TILES; n++) weigh(n, scores[n], present, scale, weights[n]);
        const u8* values = stage + (16 * PITCH + (lane % 8 + lane / 16 * 8) * PITCH + lane / 8 % 2) * 16;
#pragma unroll
        for (int s = 0; s < STEPS; s++) {
            u32 a[4];
            loadMatricesTransposed(a, values + s * 32);
#pragma unroll
            for (int n = 0; n < QUERY_TILES; n++) multiply(T{}, out[n][s], a, weights[n][0], weights[n][1]);
        }
    }

    // Converts scores (keys lane/4 and lane/4 + 8, queries 2 * (lane%4) and the next) to weights,
    // in the layout of an operand for the values.
    __device__ __forceinline__ void weigh(int n, float (&scores)[2][4], u32 present, float scale, u32 (&weights)[2]) {
        int lane = threadIdx.x % 32;
        float p[4];
#pragma unroll
        for (int r = 0; r < 4; r++) {
            bool valid = present >> (lane / 4 + r / 2 * 8) & 1;
            p[r] = valid ? (scores[0][r] + scores[1][r]) * scale : minusInfinity();
        }
        float factor[2];
#pragma unroll
        for (int c = 0; c < 2; c++) {
            float top = fmaxf(p[c], p[2 + c]);
            for (int d = 4; d < 32; d *= 2) top = fmaxf(top, __shfl_xor_sync(ALL_LANES, top, d));
            top = fmaxf(top, largest[n][c]);
            factor[c] = rescaling(largest[n][c], top);
            largest[n][c] = top;
            p[c] = exp2Fast(p[c] - top);
            p[2 + c] = exp2Fast(p[2 + c] - top);
            sum[n][c] = sum[n][c] * factor[c] + p[c] + p[2 + c];
        }
        if (__any_sync(ALL_LANES, factor[0] != 1.f || factor[1] != 1.f)) {
#pragma unroll
            for (int s = 0; s < STEPS; s++) {
#pragma unroll
                for (int r = 0; r < 4; r++) out[n][s][r] *= factor[r % 2];
            }
        }
        weights[0] = transpose(pack(T{}, p[0], p[1]));
        weights[1] = transpose(pack(T{}, p[2], p[3]));
    }
};
