// logits[i, h, u, g] = query[i, h * GROUP + g] . landmark[slot i, h, u] * scale, and what a softmax over u needs.
// First half of ShadowKV's scoring (arXiv 2410.21465, section 4.2); normalize_scores.cu is the second.
//
// queries   TYPE [rows, kvHeads * GROUP, HEAD_DIM], rotated, 16-byte aligned
// table     IndexedEntry [slots]: landmarks TYPE [kvHeads, unitCapacity, HEAD_DIM], 16-byte aligned
// slots     i32 [rows], -1: padding        units i32 [rows], landmarks of each row, 0: passed over
// scale     factor of the dot products times log2(e): logits are exponents of 2
// logits    float [rows, kvHeads, width, PADDED]; columns beyond GROUP are zero
// partials  float2 (maximum, sum of 2^(logit - maximum)) [gridDim.x + rows * kvHeads, PADDED]: entry
//           block + segment holds what the block saw of segment row * kvHeads + head. Blocks and segments both
//           ascend, so that no two pairs share an entry.
//
// Fixed: HEAD_DIM a multiple of 32; GROUP <= 16, PADDED a power of two; TYPE bf16 or f16.
// Grid: any number of blocks of 128 threads, as many as run at a time; each takes an even share of all tiles of
// TILE landmarks, so that sequences of different lengths balance. Shared memory: 4 * (rows + 1) bytes dynamic.
// Bytes: landmarks once, 2 * HEAD_DIM each (14 rows x 8 heads x 15,616 x 256 B = 448 MB: 98 us at 4.58 TB/s), and
// 4 * PADDED written for each, which mostly stay in L2 until they are normalised.
// Precision: products of 16-bit floats are exact, sums in float (tensor cores).
//
// Landmarks go from memory to registers only: a thread's 16 bytes of a row are dealt to two k=16 steps in an order
// of its own, and the query's 16 bytes in the same order; a dot product does not care. The next tile is asked for as
// soon as the multiplications have read this one, so that the exponentials hide behind the wait.
//
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4 PADDED=4
// check: TYPE=bf16 HEAD_DIM=128 GROUP=8 PADDED=8
// check: TYPE=bf16 HEAD_DIM=128 GROUP=7 PADDED=8
// check: TYPE=bf16 HEAD_DIM=128 GROUP=16 PADDED=16
// check: TYPE=f16 HEAD_DIM=64 GROUP=4 PADDED=4
// check: TYPE=bf16 HEAD_DIM=96 GROUP=1 PADDED=1
// check: TYPE=f16 HEAD_DIM=256 GROUP=2 PADDED=2
// check: TYPE=bf16 HEAD_DIM=256 GROUP=16 PADDED=16
#include "mma.cuh"
#include "slices.cuh"

#ifndef TYPE
#define TYPE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef PADDED
#define PADDED 4
#endif

static const int WARPS = 4;
// Blocks that a multiprocessor shall run at a time: as many as registers let without spilling.
static const int BLOCKS = HEAD_DIM > 128 && GROUP > 8 ? 3 : HEAD_DIM > 128 || GROUP > 8 ? 4 : 5;
static const int ROW_BLOCKS = HEAD_DIM <= 64 ? 2 : 1;  // 16 landmarks each
static const int TILE = 16 * ROW_BLOCKS;
static const int QUERY_BLOCKS = (GROUP + 7) / 8;
// Elements of a row that are asked for at once: 128 are 32 registers a thread.
static const int PIECE = HEAD_DIM > 128 ? HEAD_DIM / 2 : HEAD_DIM;
static const int LOADS = PIECE / 32;
static const float LOWEST = -3.0e38f;

struct Piece { u32 at[ROW_BLOCKS][2][LOADS][4]; };

// Landmarks are read once a step: they must not push logits and weights out of L2.
static __device__ __forceinline__ u64 evictFirst() {
    u64 policy;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}
static __device__ __forceinline__ void load(u32 (&r)[4], const TYPE* p, u64 policy) {
    asm volatile("ld.global.nc.L1::no_allocate.L2::cache_hint.v4.u32 {%0,%1,%2,%3}, [%4], %5;"
        : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "l"(p), "l"(policy));
}

// Columns [piece * PIECE, ...) of the tile's landmarks; zeros beyond the last one.
static __device__ __forceinline__ void loadPiece(
    Piece& rows, const TYPE* landmarks, int tile, int units, int piece, u64 policy) {
    int lane = threadIdx.x % 32;
#pragma unroll
    for (int b = 0; b < ROW_BLOCKS; b++)
#pragma unroll
        for (int half = 0; half < 2; half++) {
            int u = tile * TILE + b * 16 + half * 8 + lane / 4;
            const TYPE* p = landmarks + (i64) u * HEAD_DIM + piece * PIECE + lane % 4 * 8;
#pragma unroll
            for (int k = 0; k < LOADS; k++) {
                u32 (&r)[4] = rows.at[b][half][k];
                r[0] = r[1] = r[2] = r[3] = 0;
                if (u < units) load(r, p + k * 32, policy);
            }
        }
}

extern "C" __global__ void __launch_bounds__(32 * WARPS, BLOCKS) scoreLandmarks(
    const TYPE* __restrict__ queries, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int rows, int kvHeads, int width, float scale, float* __restrict__ logits,
    float2* __restrict__ partials) {
    extern __shared__ int starts[];
    __shared__ float2 warpPartials[WARPS][PADDED];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    u64 policy = evictFirst();
    int total = sumLengths(starts, rows, [&](int i) { return slots[i] < 0 ? 0 : (units[i] + TILE - 1) / TILE * kvHeads; });
    // No more workers than tiles: each one between two that meet in a segment leaves partials there.
    int workers = min(total, (int) gridDim.x);
    if ((int) blockIdx.x >= workers) return;
    int end = shareStart(total, blockIdx.x + 1, workers);
    for (int at = shareStart(total, blockIdx.x, workers); at < end;) {
        int row = sliceOf(starts, rows, at);
        int count = units[row], tiles = (count + TILE - 1) / TILE;
        int head = (at - starts[row]) / tiles, first = (at - starts[row]) % tiles;
        int last = min(tiles, first + end - at);
        const IndexedEntry& entry = table[slots[row]];
        const TYPE* landmarks = (const TYPE*) entry.landmarks + (i64) head * entry.unitCapacity * HEAD_DIM;
        i64 segment = (i64) row * kvHeads + head;

        u32 query[QUERY_BLOCKS][HEAD_DIM / 32][4];
#pragma unroll
        for (int n = 0; n < QUERY_BLOCKS; n++) {
            int g = n * 8 + lane / 4;
            const TYPE* p = queries + (segment * GROUP + g) * HEAD_DIM + lane % 4 * 8;
#pragma unroll
            for (int k = 0; k < HEAD_DIM / 32; k++) {
                uint4 q = g < GROUP ? *(const uint4*) (p + k * 32) : make_uint4(0, 0, 0, 0);
                query[n][k][0] = q.x, query[n][k][1] = q.y, query[n][k][2] = q.z, query[n][k][3] = q.w;
            }
        }
        float maximum[QUERY_BLOCKS][2], sum[QUERY_BLOCKS][2];
#pragma unroll
        for (int n = 0; n < QUERY_BLOCKS; n++) maximum[n][0] = maximum[n][1] = LOWEST, sum[n][0] = sum[n][1] = 0;

        Piece piece;
        if (first + warp < last) loadPiece(piece, landmarks, first + warp, count, 0, policy);
        for (int tile = first + warp; tile < last; tile += WARPS) {
            float dot[ROW_BLOCKS][QUERY_BLOCKS][4] = {};
#pragma unroll
            for (int part = 0; part < HEAD_DIM / PIECE; part++) {
#pragma unroll
                for (int b = 0; b < ROW_BLOCKS; b++)
#pragma unroll
                    for (int k = 0; k < LOADS; k++) {
                        u32 (&low)[4] = piece.at[b][0][k];
                        u32 (&high)[4] = piece.at[b][1][k];
                        u32 a[4] = {low[0], high[0], low[1], high[1]};
                        u32 c[4] = {low[2], high[2], low[3], high[3]};
#pragma unroll
                        for (int n = 0; n < QUERY_BLOCKS; n++) {
                            u32 (&q)[4] = query[n][part * LOADS + k];
                            multiply(TYPE(), dot[b][n], a, q[0], q[1]);
                            multiply(TYPE(), dot[b][n], c, q[2], q[3]);
                        }
                    }
                bool isLast = part + 1 == HEAD_DIM / PIECE;
                int next = isLast ? tile + WARPS : tile;
                if (next < last) loadPiece(piece, landmarks, next, count, isLast ? 0 : part + 1, policy);
            }
#pragma unroll
            for (int b = 0; b < ROW_BLOCKS; b++)
#pragma unroll
                for (int n = 0; n < QUERY_BLOCKS; n++) {
                    int u = tile * TILE + b * 16 + lane / 4, column = n * 8 + lane % 4 * 2;
                    float (&d)[4] = dot[b][n];
#pragma unroll
                    for (int j = 0; j < 4; j++) d[j] *= scale;
                    float* to = logits + (segment * width + u) * PADDED + column;
#pragma unroll
                    for (int half = 0; half < 2; half++)
                        if (u + half * 8 < count && column < PADDED) {
                            if (PADDED == 1) to[half * 8 * PADDED] = d[2 * half];
                            else *(float2*) (to + half * 8 * PADDED) = make_float2(d[2 * half], d[2 * half + 1]);
                        }
#pragma unroll
                    for (int j = 0; j < 2; j++) {
                        bool low = u < count, high = u + 8 < count;
                        float largest = fmaxf(maximum[n][j], fmaxf(low ? d[j] : LOWEST, high ? d[j + 2] : LOWEST));
                        sum[n][j] = sum[n][j] * exp2f(maximum[n][j] - largest) + (low ? exp2f(d[j] - largest) : 0)
                            + (high ? exp2f(d[j + 2] - largest) : 0);
                        maximum[n][j] = largest;
                    }
                }
        }
#pragma unroll
        for (int n = 0; n < QUERY_BLOCKS; n++)
#pragma unroll
            for (int j = 0; j < 2; j++) {
#pragma unroll
                for (int d = 4; d < 32; d *= 2) {
                    float other = __shfl_xor_sync(ALL_LANES, maximum[n][j], d);
                    float otherSum = __shfl_xor_sync(ALL_LANES, sum[n][j], d);
                    float largest = fmaxf(maximum[n][j], other);
                    sum[n][j] = sum[n][j] * exp2f(maximum[n][j] - largest) + otherSum * exp2f(other - largest);
                    maximum[n][j] = largest;
                }
                int column = n * 8 + lane * 2 + j;
                if (lane < 4 && column < PADDED) warpPartials[warp][column] = make_float2(maximum[n][j], sum[n][j]);
            }
        __syncthreads();
        if (threadIdx.x < PADDED) {
            float largest = LOWEST, all = 0;
            for (int w = 0; w < WARPS; w++) largest = fmaxf(largest, warpPartials[w][threadIdx.x].x);
            for (int w = 0; w < WARPS; w++)
                all += warpPartials[w][threadIdx.x].y * exp2f(warpPartials[w][threadIdx.x].x - largest);
            partials[(segment + blockIdx.x) * PADDED + threadIdx.x] = make_float2(largest, all);
        }
        __syncthreads();
        at += last - first;
    }
}
