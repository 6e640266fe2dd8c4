// Causal attention of consecutive tokens on Hopper's tensor cores, 16-bit types.
//
//   out[i, h] = sum_j softmax_j(scale * q[i, h] . k[h / GROUP, j]) v[h / GROUP, j],   j = 0 .. keyCount - t + i
//
// source     Shah et al. 2024, FlashAttention-3, algorithm 2 and section 3.1 (two warpgroups in
//            turns), reimplemented
// queryMap   TYPE [t, queryHeads, HEAD_DIM], tiles of QUERIES / PACK x PACK x 64
// keyMap     TYPE [kvHeads, keyCount, HEAD_DIM], tiles of 1 x KEYS x 64; heads are capacity rows
//            apart
// valueMap   the same
// out        TYPE [t, queryHeads, HEAD_DIM]
// sizes      QUERIES 128; KEYS 128 up to head dim 128, 64 above
// grid       ceil(t / QUERIES) * queryHeads blocks of 384 threads: one warpgroup copies, two
//            compute 64 queries each. Heads vary fastest, so that the keys of a group are in L2
//            together. The longest rows come first
// PACK       a tile of queries has the rows of PACK heads of a group, so that a few tokens fill it:
//            ceil(t * PACK / QUERIES) * queryHeads / PACK blocks
// SPLIT      1: each block reads `splitTiles` tiles of keys, and there are `splits` times as many
//            blocks. Instead of out they write
//   sums       float [splits, t, queryHeads, HEAD_DIM], of weights and values
//   marks      float2 [splits, t, queryHeads]: base-2 logarithm of what the weights are relative
//              to, and their sum; 0 if the block reads no key. prefill_combine.cu adds them up
// work       4 * HEAD_DIM FLOP per visible (query, key, head); floor at the measured 796 TFLOP/s of
//            matrix products
// bytes      keys and values once per block of queries, from L2: 64 KiB for 8.4 MFLOP at head dim
//            128
// shared     (QUERIES + 4 * KEYS) * HEAD_DIM * 2 + 1,024 for alignment + 128 for barriers: 161 KiB
//            at head dim 128
// precision  products in float; weights rounded to TYPE before they are multiplied by the values;
//            the sum of weights is not rounded
// limits     compute capability 9.0; HEAD_DIM 64, 128 or 256; addresses aligned to 16 bytes;
//            scale > 0; PACK 1, 2, 4 or 8, a divisor of GROUP
//
// While a warpgroup computes the weights of a tile, the tensor cores multiply the weights and
// values of its preceding tile, and compute the products of the other warpgroup. Named barriers
// make the warpgroups enqueue in turns.
//
// With SELECTED, without PACK and SPLIT, a block of QUERIES rows reads the key blocks of a list
// (op/AttentionOperations.prefillSelected, without columns, bands and means), and the grid has
// queryBlocks * queryHeads blocks. Blocks of rows are counted from position 0, so the first one may
// begin before row 0; those rows are zeros and are not stored. Additional arguments:
//
// allStarts  i32 [listHeads, queryBlocks, startWidth], first keys of blocks of QUERIES keys
// counts     i32 [listHeads, queryBlocks]
// rowHeads   query heads that share a list
//
// check: TYPE=bf16 HEAD_DIM=64 GROUP=1
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4 SELECTED=1
// check: TYPE=bf16 HEAD_DIM=256 GROUP=8 SELECTED=1
// check: TYPE=f16 HEAD_DIM=128 GROUP=7
// check: TYPE=bf16 HEAD_DIM=256 GROUP=8
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4 PACK=4 SPLIT=1
#include "types.cuh"
#include "warp.cuh"
#include "hopper.cuh"

#ifndef TYPE
#define TYPE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef PACK
#define PACK 1
#endif
#ifndef SPLIT
#define SPLIT 0
#endif
#define QUERIES 128
#define KEYS (HEAD_DIM <= 128 ? 128 : 64)
#ifdef SELECTED
#define FIRST_KEY(tile) (starts[(tile) / (QUERIES / KEYS)] + (tile) % (QUERIES / KEYS) * KEYS)
#else
#define FIRST_KEY(tile) ((firstTile + (tile)) * KEYS)
#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
static const int TOKENS = QUERIES / PACK;            // of a tile of queries; a row is a token and a head, heads first
static const int PANELS = HEAD_DIM / 64;            // panels of 64 columns, 128 bytes: the width of the swizzle
static const int QUERY_PANEL = QUERIES * 128;       // bytes
static const int KEY_PANEL = KEYS * 128;            // bytes
static const int TILE_BYTES = KEYS * HEAD_DIM * 2;
static const int WIDTH = HEAD_DIM < 128 ? 64 : 128;  // columns of one product with values
static const int PARTS = HEAD_DIM / WIDTH;
static const float LOG2_E = 1.4426950408889634f;
static const float NONE = -1e30f;  // finite; every row attends to a key of the first tile, so no maximum keeps this value
static_assert(GROUP % PACK == 0 && 8 % PACK == 0, "PACK must divide GROUP and 8");
static_assert(HEAD_DIM == 64 || HEAD_DIM == 128 || HEAD_DIM == 256, "head dim must be 64, 128 or 256");

struct Barriers { u64 queries, keysFull[2], keysFree[2], valuesFull[2], valuesFree[2]; };

static __device__ __forceinline__ float powerOf2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Enqueues s[64 x KEYS] = queries * keys^T.
static __device__ __forceinline__ void enqueueScores(float (&s)[KEYS / 2], u64 queries, u64 keys) {
#pragma unroll
    for (int k = 0; k < HEAD_DIM / 16; k++)
        multiplyShared(TYPE(), s, further(queries, k / 4 * QUERY_PANEL + k % 4 * 32), further(keys, k / 4 * KEY_PANEL + k % 4 * 32), k > 0);
    commitProducts();
}

// Enqueues sum[64 x HEAD_DIM] += p * values.
static __device__ __forceinline__ void enqueueSum(float (&sum)[PARTS][WIDTH / 2], const u32 (&p)[KEYS / 16][4], u64 values) {
#pragma unroll
    for (int k = 0; k < KEYS / 16; k++)
#pragma unroll
        for (int part = 0; part < PARTS; part++)
            multiplyRegisters(TYPE(), sum[part], p[k], further(values, part * (WIDTH / 64) * KEY_PANEL + k * 16 * 128));
    commitProducts();
}

// Converts scores to weights in place; earlier sums must be multiplied by `shrink`. The first of
// the lane's two rows attends to keys up to `limit`; the second one is eight rows later and attends
// to 8 / PACK more keys.
static __device__ __forceinline__ void weigh(
    float (&s)[KEYS / 2], float (&largest)[2], float (&weights)[2], float (&shrink)[2], float factor, int firstKey, int limit) {
    if (firstKey + KEYS - 1 > limit) {
#pragma unroll
        for (int i = 0; i < KEYS / 2; i++) {
            int key = firstKey + i / 4 * 8 + threadIdx.x % 4 * 2 + i % 2;
            if (key > limit + i / 2 % 2 * (8 / PACK)) s[i] = NONE;
        }
    }
#pragma unroll
    for (int r = 0; r < 2; r++) {
        float next = largest[r];
#pragma unroll
        for (int i = 2 * r; i < KEYS / 2; i += 4) next = fmaxf(next, fmaxf(s[i], s[i + 1]));
        next = fmaxf(next, __shfl_xor_sync(ALL_LANES, next, 1));
        next = fmaxf(next, __shfl_xor_sync(ALL_LANES, next, 2));
        float base = next * factor;
        shrink[r] = powerOf2((largest[r] - next) * factor);
        largest[r] = next;
        float total = 0.f;
#pragma unroll
        for (int i = 2 * r; i < KEYS / 2; i += 4) {
            s[i] = powerOf2(fmaf(s[i], factor, -base));
            s[i + 1] = powerOf2(fmaf(s[i + 1], factor, -base));
            total += s[i] + s[i + 1];
        }
        weights[r] = weights[r] * shrink[r] + total;
    }
}

static __device__ __forceinline__ void round(u32 (&p)[KEYS / 16][4], const float (&s)[KEYS / 2]) {
#pragma unroll
    for (int i = 0; i < KEYS / 4; i++) p[i / 4][i % 4] = pack(TYPE(), s[2 * i], s[2 * i + 1]);
}

static __device__ __forceinline__ void scaleSums(float (&sum)[PARTS][WIDTH / 2], float first, float second) {
#pragma unroll
    for (int part = 0; part < PARTS; part++)
#pragma unroll
        for (int i = 0; i < WIDTH / 2; i++) sum[part][i] *= i / 2 % 2 == 0 ? first : second;
}

// Run by one thread: copies all tiles in order, each to a stage whose last readers have finished.
static __device__ void copyAll(unsigned char* queries, unsigned char* keys, unsigned char* values, Barriers* barriers,
    const TensorMap* queryMap, const TensorMap* keyMap, const TensorMap* valueMap, int firstQuery, int head, int firstTile, int tiles
#ifdef SELECTED
    , const i32* starts
#endif
) {
    arriveExpecting(&barriers->queries, QUERIES * HEAD_DIM * 2);
    for (int i = 0; i < PANELS; i++) copyTile(queries + i * QUERY_PANEL, queryMap, &barriers->queries, 64 * i, head, firstQuery);
    for (int tile = 0; tile < tiles; tile++) {
        int stage = tile % 2, parity = tile / 2 % 2;
        int firstKey = FIRST_KEY(tile);
        await(&barriers->keysFree[stage], 1 - parity);
        arriveExpecting(&barriers->keysFull[stage], TILE_BYTES);
        for (int i = 0; i < PANELS; i++)
            copyTile(keys + stage * TILE_BYTES + i * KEY_PANEL, keyMap, &barriers->keysFull[stage], 64 * i, firstKey, head / GROUP);
        await(&barriers->valuesFree[stage], 1 - parity);
        arriveExpecting(&barriers->valuesFull[stage], TILE_BYTES);
        for (int i = 0; i < PANELS; i++)
            copyTile(values + stage * TILE_BYTES + i * KEY_PANEL, valueMap, &barriers->valuesFull[stage], 64 * i, firstKey, head / GROUP);
    }
}
#endif

extern "C" __global__ void __launch_bounds__(384, 1) prefillWgmma(const __grid_constant__ TensorMap queryMap,
    const __grid_constant__ TensorMap keyMap, const __grid_constant__ TensorMap valueMap, int t, int queryHeads, int keyCount,
#if SPLIT
    float scale, int splits, int splitTiles, float* sums, float2* marks) {
#else
    float scale, TYPE* out
#ifdef SELECTED
    , const i32* allStarts, const i32* counts, int startWidth, int queryBlocks, int rowHeads
#endif
) {
#endif
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
    extern __shared__ unsigned char shared[];
    unsigned char* queries = shared + (1024 - sharedAddress(shared) % 1024) % 1024;
    unsigned char* keys = queries + PANELS * QUERY_PANEL;
    unsigned char* values = keys + 2 * TILE_BYTES;
    Barriers* barriers = (Barriers*) (values + 2 * TILE_BYTES);
    int packs = queryHeads / PACK;
    int head = blockIdx.x % packs * PACK;  // the first one of the tile
    int tileOfQueries = blockIdx.x / packs, firstTile = 0;
#if SPLIT
    int split = tileOfQueries % splits;
    tileOfQueries /= splits;
    firstTile = split * splitTiles;
#endif
#ifdef SELECTED
    int earlier = keyCount - t;
    int block = queryBlocks - 1 - tileOfQueries;
    int firstQuery = (earlier / TOKENS + block) * TOKENS - earlier;
    i64 list = (i64) (head / rowHeads) * queryBlocks + block;
    const i32* starts = allStarts + list * startWidth;
    int tiles = counts[list] * (QUERIES / KEYS);
    // Without tiles, nobody may wait for them.
    if (tiles == 0) return;
#else
    int firstQuery = ((t + TOKENS - 1) / TOKENS - 1 - tileOfQueries) * TOKENS;
    int earlier = keyCount - t;  // keys before that of the first query
    int tiles = (earlier + min(firstQuery + TOKENS, t) - 1) / KEYS + 1;
#endif
#if SPLIT
    tiles = min(tiles - firstTile, splitTiles);
    if (tiles <= 0) {
        if (threadIdx.x < QUERIES && firstQuery + threadIdx.x / PACK < t)
            marks[((i64) split * t + firstQuery + threadIdx.x / PACK) * queryHeads + head + threadIdx.x % PACK] = make_float2(NONE, 0.f);
        return;
    }
#endif
    // From lane 0, so that the compiler knows that all lanes have the same value: products must not
    // be in divergent code.
    int group = __shfl_sync(ALL_LANES, threadIdx.x / 128, 0);

    if (threadIdx.x == 0) {
        initBarrier(&barriers->queries, 1);
        for (int i = 0; i < 2; i++) {
            initBarrier(&barriers->keysFull[i], 1);
            initBarrier(&barriers->valuesFull[i], 1);
            // One arrival per reading warp.
            initBarrier(&barriers->keysFree[i], 8);
            initBarrier(&barriers->valuesFree[i], 8);
        }
        publishBarriers();
    }
    __syncthreads();

    if (group == 0) {
        fewerRegisters<24>();
        if (threadIdx.x == 0)
            copyAll(queries, keys, values, barriers, &queryMap, &keyMap, &valueMap, firstQuery, head, firstTile, tiles
#ifdef SELECTED
                , starts
#endif
            );
        return;
    }
    moreRegisters<240>();
    int mine = group - 1, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
    int row = 64 * mine + 16 * warp + lane / 4;  // of the tile
    int token = firstQuery + row / PACK;
    head += row % PACK;  // also of the row eight later
    float factor = scale * LOG2_E;
    float s[KEYS / 2], sum[PARTS][WIDTH / 2] = {};
    float largest[2] = {NONE, NONE}, weights[2] = {0.f, 0.f}, shrink[2];
    u32 p[KEYS / 16][4];
    u64 queryOperand = operand(queries + 64 * mine * 128, 16);
    u64 keyOperand = operand(keys, 16), valueOperand = operand(values, KEY_PANEL);

    // The first warpgroup has the first turn; barriers 1 and 2 are those of the turns.
    if (mine == 1) namedArrive(1, 256);
    await(&barriers->queries, 0);
    await(&barriers->keysFull[0], 0);
    namedWait(1 + mine, 256);
    beginProducts();
    enqueueScores(s, queryOperand, keyOperand);
    if (mine == 0 || tiles > 1) namedArrive(2 - mine, 256);
    waitProducts<0>();
    pin(s);
    if (lane == 0) arrive(&barriers->keysFree[0]);
    weigh(s, largest, weights, shrink, factor, FIRST_KEY(0), earlier + token);
    round(p, s);
    if (tiles > 1) await(&barriers->keysFull[1], 0);

    for (int tile = 1; tile < tiles; tile++) {
        int stage = tile % 2, before = 1 - stage;
        int firstKey = FIRST_KEY(tile);
        namedWait(1 + mine, 256);
        pin(s);
        beginProducts();
        enqueueScores(s, queryOperand, further(keyOperand, stage * TILE_BYTES));
        await(&barriers->valuesFull[before], (tile - 1) / 2 % 2);
        beginProducts();
        enqueueSum(sum, p, further(valueOperand, before * TILE_BYTES));
        // No warpgroup takes the last turn.
        if (mine == 0 || tile + 1 < tiles) namedArrive(2 - mine, 256);
        waitProducts<1>();
        pin(s);
        if (lane == 0) arrive(&barriers->keysFree[stage]);
        weigh(s, largest, weights, shrink, factor, firstKey, earlier + token);
        pin(s);
        // For the next tile. The loop is deliberate: without it, the assembler moves the arithmetic
        // of the weights after the wait for the products that it is to overlap with.
        if (tile + 1 < tiles) await(&barriers->keysFull[before], (tile + 1) / 2 % 2);
        waitProducts<0>();
#pragma unroll
        for (int part = 0; part < PARTS; part++) pin(sum[part]);
#pragma unroll
        for (int k = 0; k < KEYS / 16; k++) pin(p[k]);
        if (lane == 0) arrive(&barriers->valuesFree[before]);
        scaleSums(sum, shrink[0], shrink[1]);
        round(p, s);
    }
    int last = (tiles - 1) % 2;
    await(&barriers->valuesFull[last], (tiles - 1) / 2 % 2);
    beginProducts();
    enqueueSum(sum, p, further(valueOperand, last * TILE_BYTES));
    waitProducts<0>();
#pragma unroll
    for (int part = 0; part < PARTS; part++) pin(sum[part]);

#pragma unroll
    for (int r = 0; r < 2; r++) {
        weights[r] += __shfl_xor_sync(ALL_LANES, weights[r], 1);
        weights[r] += __shfl_xor_sync(ALL_LANES, weights[r], 2);
    }
#if SPLIT
#pragma unroll
    for (int r = 0; r < 2; r++) {
        if (token + 8 / PACK * r >= t) continue;
        i64 target = ((i64) split * t + token + 8 / PACK * r) * queryHeads + head;
        // A row whose keys are all in earlier parts has NONE, and its sums are not used.
        if (lane % 4 == 0) marks[target] = make_float2(largest[r] * factor, largest[r] == NONE ? 0.f : weights[r]);
        float* row = sums + target * HEAD_DIM + lane % 4 * 2;
#pragma unroll
        for (int i = 2 * r; i < WIDTH / 2; i += 4)
#pragma unroll
            for (int part = 0; part < PARTS; part++)
                *(float2*) (row + part * WIDTH + i / 4 * 8) = make_float2(sum[part][i], sum[part][i + 1]);
    }
#else
    scaleSums(sum, 1.f / weights[0], 1.f / weights[1]);
#pragma unroll
    for (int r = 0; r < 2; r++) {
        if (token + 8 / PACK * r >= t) continue;
#ifdef SELECTED
        if (token + 8 * r < 0) continue;
#endif
        TYPE* target = out + ((i64) (token + 8 / PACK * r) * queryHeads + head) * HEAD_DIM + lane % 4 * 2;
#pragma unroll
        for (int i = 2 * r; i < WIDTH / 2; i += 4)
#pragma unroll
            for (int part = 0; part < PARTS; part++)
                *(u32*) (target + part * WIDTH + i / 4 * 8) = pack(TYPE(), sum[part][i], sum[part][i + 1]);
    }
#endif
#endif
}
