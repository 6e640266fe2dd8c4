// landmarks: the mean of each unit's rotated keys, and the smallest cosine between the mean and a
// key of the unit.
//   landmarks[h, u] = sum over j < J of keys[h, first + u * J + j] / J
//   minCosines[h, u] = min over j of (key . mean) / (|key| |mean|), 0 if a length is 0; the mean is not rounded
//
// Source:  ShadowKV (arXiv 2410.21465) section 4.1; op/ShadowOperations.landmarks
// keys       KEY [H, capacity, d], the pointer is at the first unit's first row of head 0
// landmarks  LANDMARK [H, units, d]
// minCosines float [H, units]
// Macros   KEY, LANDMARK: element types; HEAD_DIM: d; UNIT_TOKENS: J; VEC: elements per access, a
//          power of two that divides d, at most 16 bytes of the wider type; WARPS: warps per unit,
//          1 or 8. Long units have 8, so that all their rows are in flight at a time
// Grid     x: ceil(units * WARPS / 8), y: H; block: 256 threads, LANES lanes per row
// Bytes    H * units * J * d * sizeof(KEY) read, 1 / J of it written; [8, 124928, 128] of bf16: 288
//          MB, floor 63 us at 4.58 TB/s
// Shared   32 * d bytes if WARPS is 8, for the sums of the warps; otherwise none. The rows of a unit stay in registers between mean and cosines if they need at most
//          64 registers; otherwise they are read again from the caches
// Rounds   the mean once, to LANDMARK; sums in float
// check: KEY=bf16 LANDMARK=bf16 HEAD_DIM=128 UNIT_TOKENS=8 VEC=8
// check: KEY=bf16 LANDMARK=bf16 HEAD_DIM=128 UNIT_TOKENS=1 VEC=8
// check: KEY=bf16 LANDMARK=bf16 HEAD_DIM=64 UNIT_TOKENS=8 VEC=8
// check: KEY=f16 LANDMARK=f16 HEAD_DIM=96 UNIT_TOKENS=8 VEC=8
// check: KEY=bf16 LANDMARK=bf16 HEAD_DIM=256 UNIT_TOKENS=8 VEC=8
// check: KEY=bf16 LANDMARK=bf16 HEAD_DIM=128 UNIT_TOKENS=64 VEC=8
// check: KEY=bf16 LANDMARK=float HEAD_DIM=128 UNIT_TOKENS=128 VEC=4 WARPS=8
// check: KEY=bf16 LANDMARK=float HEAD_DIM=80 UNIT_TOKENS=100 VEC=4 WARPS=8
// check: KEY=float LANDMARK=float HEAD_DIM=256 UNIT_TOKENS=8 VEC=4
// check: KEY=float LANDMARK=bf16 HEAD_DIM=10 UNIT_TOKENS=5 VEC=2
// check: KEY=bf16 LANDMARK=bf16 HEAD_DIM=6 UNIT_TOKENS=8 VEC=2
#include "types.cuh"
#include "convert.cuh"
#include "warp.cuh"

#ifndef KEY
#define KEY bf16
#endif
#ifndef LANDMARK
#define LANDMARK bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef UNIT_TOKENS
#define UNIT_TOKENS 8
#endif
#ifndef VEC
#define VEC 8
#endif
#ifndef WARPS
#define WARPS 1
#endif

static const int ROW_VECTORS = HEAD_DIM / VEC;
static const int LANES = powerOfTwo(ROW_VECTORS) < 32 ? powerOfTwo(ROW_VECTORS) : 32;
static const int PARTS = (ROW_VECTORS + LANES - 1) / LANES;  // vectors of a row per lane
static const int ROWS = 32 / LANES;                          // rows that a warp reads at a time
static const int PASSES = (UNIT_TOKENS + ROWS * WARPS - 1) / (ROWS * WARPS);
static const bool IS_HELD = PASSES * PARTS * VEC * (int) sizeof(KEY) <= 64 * 4;
static const int HELD = IS_HELD ? PASSES * PARTS : 1;
static_assert(HEAD_DIM % VEC == 0, "a row is whole vectors");
static_assert(WARPS == 1 || WARPS == 8, "a unit has one warp or all warps of a block");

// Sum over the lanes of a row, returned to each of them.
static __device__ __forceinline__ float rowSum(float x) {
#pragma unroll
    for (int d = LANES / 2; d > 0; d /= 2) x += __shfl_xor_sync(ALL_LANES, x, d);
    return x;
}

// Zeros after the last row of the unit and after the last vector of the row.
static __device__ __forceinline__ Vector<KEY, VEC> load(const Vector<KEY, VEC>* rows, int row, int vector) {
    Vector<KEY, VEC> loaded = {};
    if (row < UNIT_TOKENS && vector < ROW_VECTORS) loaded = rows[row * ROW_VECTORS + vector];
    return loaded;
}

extern "C" __global__ void __launch_bounds__(256)
landmarks(const KEY* keys, LANDMARK* landmarks, float* minCosines, i64 keyStride, i32 units) {
    i64 unit = (i64) blockIdx.x * (8 / WARPS) + threadIdx.x / (32 * WARPS);
    if (unit >= units) return;
    int lane = threadIdx.x % 32, inRow = lane % LANES;
    int warp = threadIdx.x / 32 % WARPS, group = warp * ROWS + lane / LANES;  // the group's first row
    const Vector<KEY, VEC>* rows = (const Vector<KEY, VEC>*)
        (keys + blockIdx.y * keyStride + unit * (UNIT_TOKENS * HEAD_DIM));

    Vector<KEY, VEC> held[HELD];
    float mean[PARTS][VEC] = {};
    if constexpr (IS_HELD) {
#pragma unroll
        for (int i = 0; i < PASSES * PARTS; i++) {
            held[i] = load(rows, i / PARTS * (ROWS * WARPS) + group, i % PARTS * LANES + inRow);
        }
#pragma unroll
        for (int i = 0; i < PASSES * PARTS; i++) {
#pragma unroll
            for (int e = 0; e < VEC; e++) mean[i % PARTS][e] += toFloat(held[i].at[e]);
        }
    } else {
        // Several rows in flight.
#pragma unroll 4
        for (int pass = 0; pass < PASSES; pass++) {
#pragma unroll
            for (int part = 0; part < PARTS; part++) {
                held[0] = load(rows, pass * (ROWS * WARPS) + group, part * LANES + inRow);
#pragma unroll
                for (int e = 0; e < VEC; e++) mean[part][e] += toFloat(held[0].at[e]);
            }
        }
    }
#pragma unroll
    for (int part = 0; part < PARTS; part++) {
#pragma unroll
        for (int e = 0; e < VEC; e++) {
#pragma unroll
            for (int d = 16; d >= LANES; d /= 2) {
                mean[part][e] += __shfl_xor_sync(ALL_LANES, mean[part][e], d);
            }
        }
    }
    if constexpr (WARPS > 1) {
        __shared__ float sums[WARPS][PARTS * LANES * VEC];
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
#pragma unroll
            for (int e = 0; e < VEC; e++) {
                if (lane < LANES) sums[warp][(part * LANES + lane) * VEC + e] = mean[part][e];
            }
        }
        __syncthreads();
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
#pragma unroll
            for (int e = 0; e < VEC; e++) {
                mean[part][e] = 0;
#pragma unroll
                for (int w = 0; w < WARPS; w++) mean[part][e] += sums[w][(part * LANES + inRow) * VEC + e];
            }
        }
    }
    float meanSquares = 0;
#pragma unroll
    for (int part = 0; part < PARTS; part++) {
#pragma unroll
        for (int e = 0; e < VEC; e++) {
            mean[part][e] /= UNIT_TOKENS;
            meanSquares += mean[part][e] * mean[part][e];
        }
    }
    float meanLength = sqrtf(rowSum(meanSquares));

    i64 at = (i64) blockIdx.y * units + unit;
    if (group == 0) {
        Vector<LANDMARK, VEC>* out = (Vector<LANDMARK, VEC>*) (landmarks + at * HEAD_DIM);
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            Vector<LANDMARK, VEC> rounded;
#pragma unroll
            for (int e = 0; e < VEC; e++) rounded.at[e] = fromFloat<LANDMARK>(mean[part][e]);
            if (part * LANES + inRow < ROW_VECTORS) out[part * LANES + inRow] = rounded;
        }
    }

    // Apart from rounding, cosines are at most 1.
    float least = 2;
#pragma unroll(IS_HELD ? PASSES : 4)
    for (int pass = 0; pass < PASSES; pass++) {
        float dot = 0, squares = 0;
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
            Vector<KEY, VEC> member;
            if constexpr (IS_HELD) {
                member = held[pass * PARTS + part];
            } else {
                member = load(rows, pass * (ROWS * WARPS) + group, part * LANES + inRow);
            }
#pragma unroll
            for (int e = 0; e < VEC; e++) {
                float x = toFloat(member.at[e]);
                dot += x * mean[part][e];
                squares += x * x;
            }
        }
        dot = rowSum(dot);
        float lengths = sqrtf(rowSum(squares)) * meanLength;
        if (pass * (ROWS * WARPS) + group < UNIT_TOKENS) least = fminf(least, lengths == 0 ? 0.f : dot / lengths);
    }
#pragma unroll
    for (int d = 16; d >= LANES; d /= 2) least = fminf(least, __shfl_xor_sync(ALL_LANES, least, d));
    if constexpr (WARPS > 1) {
        __shared__ float leasts[WARPS];
        if (lane == 0) leasts[warp] = least;
        __syncthreads();
#pragma unroll
        for (int w = 0; w < WARPS; w++) least = fminf(least, leasts[w]);
    }
    if (group == 0 && inRow == 0) minCosines[at] = least;
}
