// Causal attention of consecutive tokens on tensor cores (Ampere and newer), 16-bit types.
//
//   out[i, h] = sum_j softmax_j(scale * q[i, h] . k[h / GROUP, j]) v[h / GROUP, j],   j = 0 .. keyCount - t + i
//
// source     Dao 2023, FlashAttention-2, algorithm 1, reimplemented with mma.m16n8k16
// queries    TYPE [t, queryHeads, HEAD_DIM]
// keys       TYPE [kvHeads, capacity, HEAD_DIM], rows 0 .. keyCount - 1 are read
// values     the same
// out        TYPE [t, queryHeads, HEAD_DIM]
// sizes      QUERIES x KEYS tiles: 128 x 64 up to head dim 128, 64 x 32 above
// grid       ceil(t / QUERIES) * queryHeads blocks of QUERIES / 16 warps, 16 queries per warp.
//            Heads vary fastest, so that the keys of a group are in L2 together. The longest rows
//            come first, so that the last blocks are short
// work       4 * HEAD_DIM FLOP per visible (query, key, head); bound by tensor cores: 16 rows per
//            warp read each tile of keys and values once from shared memory, which feeds 1,024
//            multiply-adds per clock, A100's full rate
// bytes      keys and values once per block of queries, mostly from L2
// shared     4 * KEYS * (2 * HEAD_DIM + 16): two stages of keys and values, 68 KiB at head dim 128;
//            the queries use the stages of the values before the first values arrive
// precision  products in float; weights rounded to TYPE before they are multiplied by the values;
//            the sum of weights is not rounded
// limits     HEAD_DIM a multiple of 16 up to 256; addresses aligned to 16 bytes; scale > 0
//
// Rows are padded by 16 bytes. 2 * HEAD_DIM / 16 is even; with one more piece, the eight rows of a
// matrix are in eight different bank groups for every head dim. A swizzle would need a multiple of
// 64.
//
// With BLOCK, which is 64 or 128, blocks of BLOCK rows read the key blocks of a list
// (op/AttentionOperations.prefillSelected, without columns, bands and means). QUERIES is at most
// BLOCK then, and the grid has queryBlocks * BLOCK / QUERIES * queryHeads blocks. Blocks of rows are
// counted from position 0, so a tile may begin before row 0. Additional arguments:
//
// allStarts  i32 [listHeads, queryBlocks, startWidth], first keys of blocks of BLOCK keys
// counts     i32 [listHeads, queryBlocks]
// rowHeads   query heads that share a list
//
// check: TYPE=bf16 HEAD_DIM=64 GROUP=1
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4 BLOCK=128
// check: TYPE=bf16 HEAD_DIM=128 GROUP=1 BLOCK=64
// check: TYPE=f16 HEAD_DIM=256 GROUP=4 BLOCK=128
// check: TYPE=f16 HEAD_DIM=80 GROUP=7
// check: TYPE=f16 HEAD_DIM=96 GROUP=4
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4
// check: TYPE=f16 HEAD_DIM=128 GROUP=8
// check: TYPE=bf16 HEAD_DIM=128 GROUP=16
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
#ifdef BLOCK
#define QUERIES (HEAD_DIM <= 128 ? BLOCK : 64)
#else
#define QUERIES (HEAD_DIM <= 128 ? 128 : 64)
#endif
#define KEYS (HEAD_DIM <= 128 ? 64 : 32)
#ifdef BLOCK
#define FIRST_KEY(tile) (starts[(tile) / (BLOCK / KEYS)] + (tile) % (BLOCK / KEYS) * KEYS)
#else
#define FIRST_KEY(tile) ((tile) * KEYS)
#endif

static const int THREADS = 2 * QUERIES;
static const int STRIDE = HEAD_DIM + 8;
static const int PIECES = HEAD_DIM / 8;  // pieces of 16 bytes per row
static const int STEPS = HEAD_DIM / 16;
static const float LOG2_E = 1.4426950408889634f;
static const float NONE = -1e30f;  // finite, so that a fully masked tile does not give NaN
static_assert(HEAD_DIM % 16 == 0 && HEAD_DIM <= 256, "head dim must be a multiple of 16 up to 256");

static __device__ __forceinline__ float powerOf2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Copies `rows` rows of HEAD_DIM elements, `step` elements apart, to shared memory; rows from
// `valid` on are zeros.
static __device__ __forceinline__ void copyRows(TYPE* shared, const TYPE* global, i64 step, int rows, int valid) {
    for (int i = threadIdx.x; i < rows * PIECES; i += THREADS) {
        int row = i / PIECES, piece = i % PIECES;
        copyAsync16(shared + row * STRIDE + 8 * piece, global + (row < valid ? row : 0) * step + 8 * piece, row < valid);
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) prefillMma(const TYPE* queries, const TYPE* keys,
    const TYPE* values, int t, int queryHeads, int keyCount, int capacity, float scale, TYPE* out
#ifdef BLOCK
    , const i32* allStarts, const i32* counts, int startWidth, int queryBlocks, int rowHeads
#endif
) {
    extern __shared__ __align__(16) unsigned char shared[];
    TYPE* sharedKeys = (TYPE*) shared;
    TYPE* sharedValues = sharedKeys + 2 * KEYS * STRIDE;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int head = blockIdx.x % queryHeads;
#ifdef BLOCK
    int queryTile = queryBlocks * (BLOCK / QUERIES) - 1 - (int) (blockIdx.x / queryHeads);
    int block = queryTile / (BLOCK / QUERIES);
    int firstQuery = (keyCount - t) / BLOCK * BLOCK + queryTile * QUERIES - (keyCount - t);
    if (firstQuery + QUERIES <= 0 || firstQuery >= t) return;
    i64 list = (i64) (head / rowHeads) * queryBlocks + block;
    const i32* starts = allStarts + list * startWidth;
#else
    int firstQuery = ((t + QUERIES - 1) / QUERIES - 1 - (int) (blockIdx.x / queryHeads)) * QUERIES;
#endif
    i64 region = (i64) (head / GROUP) * capacity * HEAD_DIM;
    keys += region;
    values += region;
    i64 rowStep = (i64) queryHeads * HEAD_DIM;
    int earlier = keyCount - t;  // keys before that of the first query
    int lastKey = earlier + min(firstQuery + QUERIES, t) - 1;
#ifdef BLOCK
    int tiles = counts[list] * (BLOCK / KEYS);
    // Of rows before row 0, row 0 is a copy; they are not stored.
    int skipped = max(0, -firstQuery);
    for (int i = threadIdx.x; i < QUERIES * PIECES; i += THREADS) {
        int row = i / PIECES, piece = i % PIECES, query = firstQuery + max(row, skipped);
        copyAsync16(sharedValues + row * STRIDE + 8 * piece,
            queries + (query < t ? query : t - 1) * rowStep + head * HEAD_DIM + 8 * piece, query < t);
    }
    if (tiles == 0) {
        waitCopies<0>();
        return;
    }
#else
    int tiles = lastKey / KEYS + 1;

    copyRows(sharedValues, queries + firstQuery * rowStep + head * HEAD_DIM, rowStep, QUERIES, t - firstQuery);
#endif
    int thisKey = FIRST_KEY(0);
    copyRows(sharedKeys, keys + (i64) thisKey * HEAD_DIM, HEAD_DIM, KEYS, keyCount - thisKey);
    commitCopies();
    waitCopies<0>();
    __syncthreads();
    u32 q[STEPS][4];
#pragma unroll
    for (int k = 0; k < STEPS; k++)
        loadMatrices(q[k], sharedValues + (16 * warp + lane % 16) * STRIDE + 16 * k + lane / 16 * 8);
    __syncthreads();
    copyRows(sharedValues, values + (i64) thisKey * HEAD_DIM, HEAD_DIM, KEYS, keyCount - thisKey);
    commitCopies();

    float sum[HEAD_DIM / 8][4] = {};
    float largest[2] = {NONE, NONE}, weights[2] = {0.f, 0.f};
    float factor = scale * LOG2_E;
    // The last key that each of this lane's two rows (8 apart) attends to, and the last one for any
    // row of the warp.
    int limit = earlier + firstQuery + 16 * warp + lane / 4;
    int warpLimit = min(earlier + firstQuery + 16 * warp + 15, lastKey);

    for (int tile = 0; tile < tiles; tile++) {
#ifdef BLOCK
        int firstKey = thisKey, stage = tile % 2;
        int nextKey = tile + 1 < tiles ? FIRST_KEY(tile + 1) : 0;
        thisKey = nextKey;
        int left = keyCount - nextKey;
#else
        int firstKey = tile * KEYS, stage = tile % 2, nextKey = firstKey + KEYS;
        int left = keyCount - firstKey - KEYS;
#endif
        bool isSeen = firstKey <= warpLimit;
        if (tile + 1 < tiles)
            copyRows(sharedKeys + (1 - stage) * KEYS * STRIDE, keys + (i64) nextKey * HEAD_DIM, HEAD_DIM, KEYS, left);
        commitCopies();
        waitCopies<2>();
        __syncthreads();

        float s[KEYS / 8][4] = {};
        if (isSeen) {
            const TYPE* tileKeys = sharedKeys + (stage * KEYS + lane / 16 * 8 + lane % 8) * STRIDE + lane / 8 % 2 * 8;
#pragma unroll
            for (int k = 0; k < STEPS; k++) {
#pragma unroll
                for (int n = 0; n < KEYS / 16; n++) {
                    u32 b[4];
                    loadMatrices(b, tileKeys + 16 * n * STRIDE + 16 * k);
                    multiply(TYPE(), s[2 * n], q[k], b[0], b[1]);
                    multiply(TYPE(), s[2 * n + 1], q[k], b[2], b[3]);
                }
            }
        }
        if (tile + 1 < tiles)
            copyRows(sharedValues + (1 - stage) * KEYS * STRIDE, values + (i64) nextKey * HEAD_DIM, HEAD_DIM, KEYS, left);
        commitCopies();

        u32 p[KEYS / 16][4];
        if (isSeen) {
            if (firstKey + KEYS - 1 > earlier + firstQuery + 16 * warp) {
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
                    for (int e = 0; e < 4; e++) {
                        int key = firstKey + 8 * n + lane % 4 * 2 + e % 2;
                        if (key > min(limit + e / 2 * 8, lastKey)) s[n][e] = NONE;
                    }
            }
#pragma unroll
            for (int r = 0; r < 2; r++) {
                float next = largest[r];
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++) next = fmaxf(next, fmaxf(s[n][2 * r], s[n][2 * r + 1]));
                next = fmaxf(next, __shfl_xor_sync(ALL_LANES, next, 1));
                next = fmaxf(next, __shfl_xor_sync(ALL_LANES, next, 2));
                float shrink = powerOf2((largest[r] - next) * factor), base = next * factor;
                largest[r] = next;
                weights[r] *= shrink;
#pragma unroll
                for (int n = 0; n < HEAD_DIM / 8; n++) {
                    sum[n][2 * r] *= shrink;
                    sum[n][2 * r + 1] *= shrink;
                }
#pragma unroll
                for (int n = 0; n < KEYS / 8; n++) {
                    float low = powerOf2(fmaf(s[n][2 * r], factor, -base));
                    float high = powerOf2(fmaf(s[n][2 * r + 1], factor, -base));
                    weights[r] += low + high;
                    p[n / 2][n % 2 * 2 + r] = pack(TYPE(), low, high);
                }
            }
        }
        waitCopies<2>();
        __syncthreads();
        if (isSeen) {
            const TYPE* tileValues = sharedValues + (stage * KEYS + lane % 16) * STRIDE + lane / 16 * 8;
#pragma unroll
            for (int k = 0; k < KEYS / 16; k++) {
#pragma unroll
                for (int n = 0; n < STEPS; n++) {
                    u32 b[4];
                    loadMatricesTransposed(b, tileValues + 16 * k * STRIDE + 16 * n);
                    multiply(TYPE(), sum[2 * n], p[k], b[0], b[1]);
                    multiply(TYPE(), sum[2 * n + 1], p[k], b[2], b[3]);
                }
            }
        }
    }
    waitCopies<0>();

#pragma unroll
    for (int r = 0; r < 2; r++) {
        float total = weights[r];
        total += __shfl_xor_sync(ALL_LANES, total, 1);
        total += __shfl_xor_sync(ALL_LANES, total, 2);
        float share = 1.f / total;
        int query = firstQuery + 16 * warp + lane / 4 + 8 * r;
#ifdef BLOCK
        if (query < 0) continue;
#endif
        if (query < t) {
            TYPE* row = out + query * rowStep + head * HEAD_DIM + lane % 4 * 2;
#pragma unroll
            for (int n = 0; n < HEAD_DIM / 8; n++)
                *(u32*) (row + 8 * n) = pack(TYPE(), sum[n][2 * r] * share, sum[n][2 * r + 1] * share);
        }
    }
}
