// Shared by the projections of a few rows: the matrices, the even division of their tiles among
// blocks ("stream-K"), and the output of a tile's sums. A step is one slab of a tile's columns. The
// list of all steps is divided into equal pieces, so that all sizes keep all multiprocessors busy.
// A block that computes part of a tile writes its sums to memory. The last block to arrive adds
// them in the order of the blocks, so the result does not depend on the order of arrival.
#pragma once
#include "types.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef OUT
#define OUT ACT
#endif

struct Matrix {
    const ACT* weight;
    const ACT* bias;
    const OUT* addend;
    OUT* out;
    i32 outputs;
    i32 firstTile;
};
struct Matrices { Matrix at[4]; };

static __device__ __forceinline__ int matrixOf(const Matrices& matrices, int count, int tile) {
    int m = 0;
    while (m + 1 < count && tile >= matrices.at[m + 1].firstTile) m++;
    return m;
}

// A block's piece of the list: `steps` steps from number `from` on. The first one is slab `slab` of
// tile `tile`.
struct Piece {
    i64 units, from;
    int slabs, steps, tile, slab;

    __device__ __forceinline__ Piece(int tiles, int slabsOfTile) {
        slabs = slabsOfTile;
        units = (i64) tiles * slabs;
        from = start(blockIdx.x);
        steps = (int) (start(blockIdx.x + 1) - from);
        tile = (int) (from / slabs);
        slab = (int) (from % slabs);
    }
    __device__ __forceinline__ i64 start(int block) const { return units * block / gridDim.x; }
    __device__ __forceinline__ int blockOf(i64 unit) const { return (int) (((unit + 1) * gridDim.x - 1) / units); }
};

// Barrier of the threads that multiply.
template <int THREADS> static __device__ __forceinline__ void meet() { asm volatile("bar.sync 1, %0;" ::"n"(THREADS) : "memory"); }

template <int N> static __device__ __forceinline__ void clear(float (&sums)[N][4]) {
#pragma unroll
    for (int i = 0; i < N; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[i][e] = 0.f;
}

// Called by THREADS threads with their sums of slabs [first, end) of a tile, which are not all
// slabs. Returns true in the last block to arrive, whose sums are then those of the tile.
// `partials` is [2 * blocks, N, THREADS, 4]: a block has at most two partial tiles.
template <int THREADS, int N>
static __device__ __forceinline__ bool addUp(float (&sums)[N][4], const Piece& piece, int tile, int first, int end, float* partials, i32* counters) {
    __shared__ i32 isLast;
    i64 tileStart = (i64) tile * piece.slabs;
    float* part = partials + (i64) (2 * blockIdx.x + (piece.from >= tileStart ? 0 : 1)) * (N * THREADS * 4) + threadIdx.x * 4;
#pragma unroll
    for (int i = 0; i < N; i++) *(float4*) (part + i * (THREADS * 4)) = make_float4(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
    __threadfence();
    meet<THREADS>();
    if (threadIdx.x == 0) {
        int done = atomicAdd(counters + tile, end - first) + end - first;
        isLast = done == piece.slabs;
        if (done == piece.slabs) counters[tile] = 0;
        __threadfence();
    }
    meet<THREADS>();
    if (!isLast) return false;
    clear(sums);
    constexpr int AT_ONCE = N <= 2 ? 4 : N <= 4 ? 2 : 1;  // parts read at the same time, because each read waits for the L2 cache
    int lastBlock = piece.blockOf(tileStart + piece.slabs - 1);
#pragma unroll AT_ONCE
    for (int b = piece.blockOf(tileStart); b <= lastBlock; b++) {
        const float* other = partials + (i64) (2 * b + (piece.start(b) >= tileStart ? 0 : 1)) * (N * THREADS * 4) + threadIdx.x * 4;
#pragma unroll
        for (int i = 0; i < N; i++) {
            float4 v = __ldcg((const float4*) (other + i * (THREADS * 4)));
            sums[i][0] += v.x;
            sums[i][1] += v.y;
            sums[i][2] += v.z;
            sums[i][3] += v.w;
        }
    }
    return true;
}

// Writes a lane's sums of 16 outputs from `firstOutput` on, for tiles of 8 rows, in the layout of
// mma.m16n8k16.
template <int N>
static __device__ __forceinline__ void store(const float (&sums)[N][4], const Matrix& m, int firstOutput, int rows) {
    int lane = threadIdx.x % 32;
#pragma unroll
    for (int e = 0; e < 4; e++) {
        int output = firstOutput + lane / 4 + e / 2 * 8;
        if (output >= m.outputs) continue;
        float bias = m.bias ? toFloat(m.bias[output]) : 0.f;
#pragma unroll
        for (int n = 0; n < N; n++) {
            int row = n * 8 + lane % 4 * 2 + e % 2;
            if (row >= rows) continue;
            i64 at = (i64) row * m.outputs + output;
            float addend = m.addend ? toFloat(m.addend[at]) : 0.f;
            m.out[at] = fromFloat<OUT>(sums[n][e] + bias + addend);
        }
    }
}

// Combines the sums of two groups of 128 threads, which have the same outputs and rows, by matrix 0
// and matrix 1, to silu(gate) * up, and writes them.
template <int THREADS, int N>
static __device__ __forceinline__ void gate(float (&sums)[N][4], const Matrices& matrices, int firstOutput, int rows) {
    __shared__ float4 ups[N][128];
    int lane = threadIdx.x % 32, output = firstOutput + lane / 4;
    const Matrix& m = matrices.at[threadIdx.x / 128];
    float bias = m.bias && output < m.outputs ? toFloat(m.bias[output]) : 0.f, bias8 = m.bias && output + 8 < m.outputs ? toFloat(m.bias[output + 8]) : 0.f;
#pragma unroll
    for (int n = 0; n < N; n++)
#pragma unroll
        for (int e = 0; e < 4; e++) sums[n][e] += e / 2 ? bias8 : bias;
    if (threadIdx.x >= 128) {
#pragma unroll
        for (int n = 0; n < N; n++) ups[n][threadIdx.x - 128] = make_float4(sums[n][0], sums[n][1], sums[n][2], sums[n][3]);
    }
    meet<THREADS>();
    if (threadIdx.x < 128) {
#pragma unroll
        for (int n = 0; n < N; n++) {
            float4 up = ups[n][threadIdx.x];
            float factors[4] = {up.x, up.y, up.z, up.w};
#pragma unroll
            for (int e = 0; e < 4; e++) sums[n][e] = sums[n][e] / (1.f + expf(-sums[n][e])) * factors[e];
        }
        Matrix out = matrices.at[0];
        out.bias = nullptr;
        store(sums, out, firstOutput, rows);
    }
    meet<THREADS>();
}
