// How much each block of query rows attends to each earlier key block, by the blocks' mean keys, on
// tensor cores (Ampere and newer), 16-bit types.
//
//   scores[h, b, J] = sum over rows q of block b and query heads of group h of
//                     exp(scale * q . means[h, J] - largest exponent of the row),   J = 0 .. f + b
//
// source     FlashPrefill's block scores; op/AttentionOperations.scoreBlocks
// queries    TYPE [t, queryHeads, HEAD_DIM]; row i has position firstToken + i
// means      TYPE [kvHeads, meanCapacity, HEAD_DIM], rounded by roundMeans
// scores     float [kvHeads, queryBlocks, width]
// sizes      256 rows (128 above head dim 128) at a time in registers, tiles of 64 means
// grid       kvHeads * queryBlocks blocks of 8 warps, the longest rows first
// work       2 * 2 * HEAD_DIM FLOP per (row, query head, key block): two passes, the first for the
//            largest exponents. With blocks of 128 tokens a 128th of exact attention's work
// bytes      means twice per 256 rows, from L2
// shared     2 * 64 * (2 * HEAD_DIM + 16) + 2 KiB: two stages of means, and sums of warps; 36 KiB at
//            head dim 128
// precision  products in float of TYPE, exponentials to 2 ulp, sums in float in a fixed order
// limits     HEAD_DIM a multiple of 16 up to 256; addresses aligned to 16 bytes; scale > 0
//
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4
// check: TYPE=f16 HEAD_DIM=80 GROUP=7
// check: TYPE=bf16 HEAD_DIM=64 GROUP=1
// check: TYPE=bf16 HEAD_DIM=256 GROUP=7
#include "types.cuh"
#include "warp.cuh"
#include "mma.cuh"

#ifndef TYPE
#define TYPE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif

static const int WARPS = 8;
static const int THREADS = 32 * WARPS;
static const int MEANS = 64;                            // means of a tile
static const int PARTS = HEAD_DIM <= 128 ? 2 : 1;       // fragments of 16 rows that a warp holds
static const int ROWS = WARPS * 16 * PARTS;
static const int WIDTH = 16;                            // means whose products are in registers at a time
static const int STRIDE = HEAD_DIM + 8;                 // see prefill_mma.cu
static const int PIECES = HEAD_DIM / 8;
static const int STEPS = HEAD_DIM / 16;
static const float LOG2_E = 1.4426950408889634f;
static const float NONE = -1e30f;
static_assert(HEAD_DIM % 16 == 0 && HEAD_DIM <= 256, "head dim must be a multiple of 16 up to 256");

static __device__ __forceinline__ float powerOf2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

extern "C" __global__ void __launch_bounds__(256) roundMeans(const float* means, TYPE* rounded, i64 count) {
    i64 i = (i64) blockIdx.x * 256 + threadIdx.x;
    if (i < count) rounded[i] = fromFloat<TYPE>(means[i]);
}

static __device__ __forceinline__ void copyMeans(TYPE* shared, const TYPE* means, int valid) {
    for (int i = threadIdx.x; i < MEANS * PIECES; i += THREADS) {
        int row = i / PIECES, piece = i % PIECES;
        copyAsync16(shared + row * STRIDE + 8 * piece, means + (i64) (row < valid ? row : 0) * HEAD_DIM + 8 * piece, row < valid);
    }
}

// d[16 * PARTS x WIDTH] = queries * means^T, for the means from `tile` on.
static __device__ __forceinline__ void multiplyTile(
    float (&d)[PARTS][WIDTH / 8][4], const u32 (&q)[PARTS][STEPS][4], const TYPE* tile) {
    int lane = threadIdx.x % 32;
    tile += (lane / 16 * 8 + lane % 8) * STRIDE + lane / 8 % 2 * 8;
#pragma unroll
    for (int part = 0; part < PARTS; part++)
#pragma unroll
        for (int n = 0; n < WIDTH / 8; n++)
#pragma unroll
            for (int e = 0; e < 4; e++) d[part][n][e] = 0.f;
#pragma unroll
    for (int k = 0; k < STEPS; k++) {
#pragma unroll
        for (int n = 0; n < WIDTH / 16; n++) {
            u32 b[4];
            loadMatrices(b, tile + 16 * n * STRIDE + 16 * k);
#pragma unroll
            for (int part = 0; part < PARTS; part++) {
                multiply(TYPE(), d[part][2 * n], q[part][k], b[0], b[1]);
                multiply(TYPE(), d[part][2 * n + 1], q[part][k], b[2], b[3]);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, HEAD_DIM <= 128 ? 2 : 1) scoreBlocks(const TYPE* queries,
    const TYPE* means, int t, int queryHeads, int meanCapacity, int blockTokens, int firstToken, int queryBlocks, float scale,
    float* scores, int width) {
    extern __shared__ __align__(16) unsigned char shared[];
    TYPE* stages = (TYPE*) shared;
    float* partial = (float*) (stages + 2 * MEANS * STRIDE);  // [WARPS, MEANS]
    int kvHeads = queryHeads / GROUP;
    int head = blockIdx.x % kvHeads, block = queryBlocks - 1 - (int) (blockIdx.x / kvHeads);
    int own = firstToken / blockTokens + block;
    // Rows of this block, and all their query heads, one after the other.
    int from = max(0, own * blockTokens - firstToken), to = min(t, (own + 1) * blockTokens - firstToken);
    int rows = (to - from) * GROUP;
    means += (i64) head * meanCapacity * HEAD_DIM;
    scores += ((i64) head * queryBlocks + block) * width;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    float factor = scale * LOG2_E;
    int tiles = own / MEANS + 1;

    for (int first = 0; first < rows; first += ROWS) {
        u32 q[PARTS][STEPS][4];
        float largest[PARTS][2];
#pragma unroll
        for (int part = 0; part < PARTS; part++) {
#pragma unroll
            for (int r = 0; r < 2; r++) {
                int row = first + (warp * PARTS + part) * 16 + lane / 4 + 8 * r;
                bool isRow = row < rows;
                const TYPE* query = queries + ((i64) (from + (isRow ? row / GROUP : 0)) * queryHeads + head * GROUP +
                                                  (isRow ? row % GROUP : 0)) * HEAD_DIM + lane % 4 * 2;
                largest[part][r] = NONE;
#pragma unroll
                for (int k = 0; k < STEPS; k++) {
                    q[part][k][r] = isRow ? *(const u32*) (query + 16 * k) : 0;
                    q[part][k][r + 2] = isRow ? *(const u32*) (query + 16 * k + 8) : 0;
                }
            }
        }
#pragma unroll 1
        for (int pass = 0; pass < 2; pass++) {
            copyMeans(stages, means, own + 1);
            commitCopies();
#pragma unroll 1
            for (int tile = 0; tile < tiles; tile++) {
                int next = tile + 1;
                if (next < tiles)
                    copyMeans(stages + next % 2 * MEANS * STRIDE, means + (i64) next * MEANS * HEAD_DIM, own + 1 - next * MEANS);
                commitCopies();
                waitCopies<1>();
                __syncthreads();
#pragma unroll 1
                for (int half = 0; half < MEANS; half += WIDTH) {
                    float d[PARTS][WIDTH / 8][4];
                    multiplyTile(d, q, stages + (tile % 2 * MEANS + half) * STRIDE);
                    int column = tile * MEANS + half + lane % 4 * 2;
                    if (pass == 0) {
#pragma unroll
                        for (int part = 0; part < PARTS; part++)
#pragma unroll
                            for (int n = 0; n < WIDTH / 8; n++)
#pragma unroll
                                for (int e = 0; e < 4; e++)
                                    if (column + 8 * n + e % 2 <= own)
                                        largest[part][e / 2] = fmaxf(largest[part][e / 2], d[part][n][e]);
                    } else {
#pragma unroll
                        for (int n = 0; n < WIDTH / 8; n++) {
                            float sum[2] = {0.f, 0.f};
#pragma unroll
                            for (int part = 0; part < PARTS; part++)
#pragma unroll
                                for (int e = 0; e < 4; e++)
                                    sum[e % 2] += powerOf2(fmaf(d[part][n][e], factor, -largest[part][e / 2]));
#pragma unroll
                            for (int i = 0; i < 2; i++)
#pragma unroll
                                for (int lanes = 4; lanes < 32; lanes *= 2) sum[i] += __shfl_xor_sync(ALL_LANES, sum[i], lanes);
                            if (lane < 4) {
                                partial[warp * MEANS + half + 8 * n + lane * 2] = sum[0];
                                partial[warp * MEANS + half + 8 * n + lane * 2 + 1] = sum[1];
                            }
                        }
                    }
                }
                // Now the stage is free, and the sums of all warps are there.
                __syncthreads();
                int j = tile * MEANS + threadIdx.x;
                if (pass == 1 && threadIdx.x < MEANS && j <= own) {
                    float sum = first == 0 ? 0.f : scores[j];
#pragma unroll
                    for (int w = 0; w < WARPS; w++) sum += partial[w * MEANS + threadIdx.x];
                    scores[j] = sum;
                }
            }
            if (pass == 0) {
#pragma unroll
                for (int part = 0; part < PARTS; part++)
#pragma unroll
                    for (int r = 0; r < 2; r++) {
                        float most = largest[part][r];
                        most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 1));
                        most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 2));
                        // Rows after the last one weigh nothing: 2^-infinity.
                        bool isRow = first + (warp * PARTS + part) * 16 + lane / 4 + 8 * r < rows;
                        largest[part][r] = isRow ? most * factor : __int_as_float(0x7f800000);
                    }
            }
        }
    }
}
