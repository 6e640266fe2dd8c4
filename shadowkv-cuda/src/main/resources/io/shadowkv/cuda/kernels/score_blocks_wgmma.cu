// How much each block of query rows attends to each earlier key block, by the blocks' mean keys, on
// Hopper's tensor cores, 16-bit types. The same numbers as score_blocks.cu.
//
//   scores[h, b, J] = sum over rows q of block b and query heads of group h of
//                     exp(scale * q . means[h, J] - largest exponent of the row),   J = 0 .. f + b
//
// source     FlashPrefill's block scores; op/AttentionOperations.scoreBlocks. Copies, barriers and
//            products as in prefill_wgmma.cu
// queryMap   TYPE [t, queryHeads, HEAD_DIM], tiles of ROWS x 1 x 64; row i has position
//            firstToken + i
// meanMap    TYPE [kvHeads, meanCapacity, HEAD_DIM], tiles of 1 x MEANS x 64; rounded by roundMeans
// scores     float [kvHeads, queryBlocks, width]
// sizes      blocks of 128 rows; HEADS query heads of a group at a time, all rows of which stay in
//            shared memory; tiles of 128 means
// rounds     ceil(GROUP / 4). An argument, since as a constant it makes the compiler keep more values
//            than there are registers
// grid       kvHeads * queryBlocks blocks of 384 threads, the longest rows first: one warpgroup
//            copies, two compute 64 rows of each head
// work       2 * 2 * HEAD_DIM FLOP per (row, query head, key block): two passes, the first for the
//            largest exponents. With 122K tokens, 32 / 8 heads of 128: 1.0 TFLOP a layer, floor
//            1.3 ms at the measured 796 TFLOP/s of matrix products; 0.25 G exponentials, 0.07 ms
// bytes      means twice per HEADS * 128 rows, from L2
// shared     (HEADS * ROWS + 2 * MEANS) * HEAD_DIM * 2 + 8 KiB for sums of warps + 1,024 for
//            alignment + 128 for barriers: 201 KiB at head dim 128 and 4 heads
// precision  products in float of TYPE, exponentials to 2 ulp, sums in float in a fixed order
// limits     compute capability 9.0; HEAD_DIM 64 or 128; blocks of 128 tokens; addresses aligned to
//            16 bytes; scale > 0
//
// The products of a head run while the exponents of the head before it are used. If GROUP is not a
// multiple of HEADS, the last heads of the last round are those of other groups, or zeros; they weigh
// nothing.
//
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4
// check: TYPE=bf16 HEAD_DIM=64 GROUP=2
// check: TYPE=f16 HEAD_DIM=128 GROUP=7
// check: TYPE=bf16 HEAD_DIM=128 GROUP=1
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

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
static const int ROWS = 128;   // rows of a block, of one query head
static const int MEANS = 128;  // means of a tile
static const int STAGES = 2;
static const int ROUNDS = (GROUP + 3) / 4;
static const int HEADS = (GROUP + ROUNDS - 1) / ROUNDS;  // query heads of a round
static const int PANELS = HEAD_DIM / 64;                 // panels of 64 columns, 128 bytes: the width of the swizzle
static const int QUERY_PANEL = ROWS * 128;               // bytes
static const int MEAN_PANEL = MEANS * 128;               // bytes
static const int HEAD_BYTES = ROWS * HEAD_DIM * 2;
static const int TILE_BYTES = MEANS * HEAD_DIM * 2;
static const int WARPS = 8;                              // that compute
static const int SUMS = MEANS / 4;                       // columns of a lane
static const float LOG2_E = 1.4426950408889634f;
static const float NONE = -1e30f;
static_assert(HEAD_DIM == 64 || HEAD_DIM == 128, "head dim must be 64 or 128");

struct Barriers { u64 queriesFull, queriesFree, full[STAGES], free[STAGES]; };

static __device__ __forceinline__ float powerOf2(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Enqueues s[64 x MEANS] = queries * means^T.
static __device__ __forceinline__ void enqueueScores(float (&s)[MEANS / 2], u64 queries, u64 means) {
#pragma unroll
    for (int k = 0; k < HEAD_DIM / 16; k++)
        multiplyShared(TYPE(), s, further(queries, k / 4 * QUERY_PANEL + k % 4 * 32), further(means, k / 4 * MEAN_PANEL + k % 4 * 32), k > 0);
    commitProducts();
}

// Run by one thread: copies the queries of each round, and all tiles of means twice a round, each to
// a stage whose last readers have finished.
static __device__ void copyAll(unsigned char* queries, unsigned char* means, Barriers* barriers, const TensorMap* queryMap,
    const TensorMap* meanMap, int firstQuery, int kvHead, int rounds, int tiles) {
    int step = 0;
    for (int round = 0; round < rounds; round++) {
        await(&barriers->queriesFree, 1 - round % 2);
        arriveExpecting(&barriers->queriesFull, HEADS * HEAD_BYTES);
        for (int h = 0; h < HEADS; h++)
            for (int i = 0; i < PANELS; i++)
                copyTile(queries + h * HEAD_BYTES + i * QUERY_PANEL, queryMap, &barriers->queriesFull, 64 * i,
                    kvHead * GROUP + round * HEADS + h, firstQuery);
        for (int pass = 0; pass < 2; pass++)
            for (int tile = 0; tile < tiles; tile++, step++) {
                int stage = step % STAGES;
                await(&barriers->free[stage], 1 - step / STAGES % 2);
                arriveExpecting(&barriers->full[stage], TILE_BYTES);
                for (int i = 0; i < PANELS; i++)
                    copyTile(means + stage * TILE_BYTES + i * MEAN_PANEL, meanMap, &barriers->full[stage], 64 * i, tile * MEANS, kvHead);
            }
    }
}

// The largest products of the lane's two rows. Columns after `last` do not count.
static __device__ __forceinline__ void keepLargest(const float (&s)[MEANS / 2], float (&largest)[2], int firstMean, int last) {
    if (firstMean + MEANS - 1 > last) {
#pragma unroll
        for (int i = 0; i < MEANS / 2; i++)
            if (firstMean + i / 4 * 8 + threadIdx.x % 4 * 2 + i % 2 <= last) largest[i / 2 % 2] = fmaxf(largest[i / 2 % 2], s[i]);
    } else {
#pragma unroll
        for (int i = 0; i < MEANS / 2; i++) largest[i / 2 % 2] = fmaxf(largest[i / 2 % 2], s[i]);
    }
    pin(largest);
}

// Adds the weights of the lane's two rows to the sums of its columns.
static __device__ __forceinline__ void addWeights(
    const float (&s)[MEANS / 2], const float (&largest)[2], float (&sums)[SUMS], float factor) {
#pragma unroll
    for (int i = 0; i < MEANS / 2; i++) sums[i / 4 * 2 + i % 2] += powerOf2(fmaf(s[i], factor, -largest[i / 2 % 2]));
    pin(sums);
}

// Keeps one half of the first 2 * HALF sums, the upper one in lanes with the bit DISTANCE, and adds the
// same half of the lane at that distance.
template <int HALF, int DISTANCE> static __device__ __forceinline__ void addHalf(float (&sums)[SUMS]) {
    bool isUpper = (threadIdx.x & DISTANCE) != 0;
#pragma unroll
    for (int i = 0; i < HALF; i++) {
        float given = isUpper ? sums[i] : sums[i + HALF];
        float kept = isUpper ? sums[i + HALF] : sums[i];
        sums[i] = kept + __shfl_xor_sync(ALL_LANES, given, DISTANCE);
    }
}

// One pass over all tiles of means for the heads of a round: the largest products of all rows, or,
// if IS_SECOND, the scores.
template <bool IS_SECOND>
static __device__ __forceinline__ void readMeans(float (&largest)[HEADS][2], int& step, u64 queries, u64 means, Barriers* barriers,
    float* partial, int tiles, int last, float factor, bool isFirstRound, float* scores) {
    int thread = threadIdx.x - 128, lane = threadIdx.x % 32;
    for (int tile = 0; tile < tiles; tile++, step++) {
        int stage = step % STAGES;
        u64 tileOfMeans = further(means, stage * TILE_BYTES);
        float s[2][MEANS / 2], sums[SUMS];
#pragma unroll
        for (int i = 0; i < SUMS; i++) sums[i] = 0.f;
        await(&barriers->full[stage], step / STAGES % 2);
        beginProducts();
        enqueueScores(s[0], queries, tileOfMeans);
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            if (h + 1 < HEADS) {
                beginProducts();
                enqueueScores(s[(h + 1) % 2], further(queries, (h + 1) * HEAD_BYTES), tileOfMeans);
                waitProducts<1>();
            } else {
                waitProducts<0>();
            }
            pin(s[h % 2]);
            if (h + 1 == HEADS && lane == 0) arrive(&barriers->free[stage]);
            if (IS_SECOND) {
                addWeights(s[h % 2], largest[h], sums, factor);
            } else {
                keepLargest(s[h % 2], largest[h], tile * MEANS, last);
            }
        }
        if (IS_SECOND) {
            // Eight lanes have the same columns. Afterwards the lane has the sums lane / 4 * 4 to
            // lane / 4 * 4 + 3 of them.
            addHalf<16, 16>(sums);
            addHalf<8, 8>(sums);
            addHalf<4, 4>(sums);
            // Two buffers: a warp that reads this one has passed the next tile's barrier before it is
            // written again.
            float* buffer = partial + tile % 2 * (WARPS * MEANS);
#pragma unroll
            for (int i = 0; i < 4; i++) {
                int sum = lane / 4 * 4 + i;
                buffer[thread / 32 * MEANS + sum / 2 * 8 + lane % 4 * 2 + sum % 2] = sums[i];
            }
            namedWait(1, 256);
            int j = tile * MEANS + thread % MEANS;
            if (thread / MEANS == tile % 2 && j <= last) {
                float sum = isFirstRound ? 0.f : scores[j];
#pragma unroll
                for (int w = 0; w < WARPS; w++) sum += buffer[w * MEANS + thread % MEANS];
                scores[j] = sum;
            }
        }
    }
}
#endif

extern "C" __global__ void __launch_bounds__(384, 1) scoreBlocksWgmma(const __grid_constant__ TensorMap queryMap,
    const __grid_constant__ TensorMap meanMap, int t, int kvHeads, int firstToken, int queryBlocks, int rounds, float scale,
    float* scores, int width) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
    extern __shared__ unsigned char shared[];
    unsigned char* queries = shared + (1024 - sharedAddress(shared) % 1024) % 1024;
    unsigned char* means = queries + HEADS * HEAD_BYTES;
    float* partial = (float*) (means + STAGES * TILE_BYTES);  // [2, WARPS, MEANS]
    Barriers* barriers = (Barriers*) (partial + 2 * WARPS * MEANS);
    int kvHead = blockIdx.x % kvHeads, block = queryBlocks - 1 - (int) (blockIdx.x / kvHeads);
    int own = firstToken / ROWS + block;
    int firstQuery = own * ROWS - firstToken;  // negative if the rows begin inside a block
    int tiles = own / MEANS + 1;
    scores += ((i64) kvHead * queryBlocks + block) * width;
    // From lane 0, so that the compiler knows that all lanes have the same value: products must not
    // be in divergent code.
    int group = __shfl_sync(ALL_LANES, threadIdx.x / 128, 0);

    if (threadIdx.x == 0) {
        initBarrier(&barriers->queriesFull, 1);
        // One arrival per reading warp.
        initBarrier(&barriers->queriesFree, WARPS);
        for (int i = 0; i < STAGES; i++) {
            initBarrier(&barriers->full[i], 1);
            initBarrier(&barriers->free[i], WARPS);
        }
        publishBarriers();
    }
    __syncthreads();

    if (group == 0) {
        fewerRegisters<24>();
        if (threadIdx.x == 0) copyAll(queries, means, barriers, &queryMap, &meanMap, firstQuery, kvHead, rounds, tiles);
        return;
    }
    moreRegisters<240>();
    int mine = group - 1, lane = threadIdx.x % 32;
    int token = firstQuery + 64 * mine + threadIdx.x / 32 % 4 * 16 + lane / 4;
    float factor = scale * LOG2_E;
    u64 queryOperand = operand(queries + 64 * mine * 128, 16), meanOperand = operand(means, 16);
    int step = 0;
#pragma unroll 1
    for (int round = 0; round < rounds; round++) {
        float largest[HEADS][2];
#pragma unroll
        for (int h = 0; h < HEADS; h++) largest[h][0] = largest[h][1] = NONE;
        await(&barriers->queriesFull, round % 2);
        readMeans<false>(largest, step, queryOperand, meanOperand, barriers, partial, tiles, own, factor, round == 0, scores);
#pragma unroll
        for (int h = 0; h < HEADS; h++)
#pragma unroll
            for (int r = 0; r < 2; r++) {
                float most = largest[h][r];
                most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 1));
                most = fmaxf(most, __shfl_xor_sync(ALL_LANES, most, 2));
                // Rows that are not there weigh nothing: 2^-infinity.
                bool isRow = token + 8 * r >= 0 && token + 8 * r < t && round * HEADS + h < GROUP;
                largest[h][r] = isRow ? most * factor : __int_as_float(0x7f800000);
            }
        readMeans<true>(largest, step, queryOperand, meanOperand, barriers, partial, tiles, own, factor, round == 0, scores);
        if (lane == 0) arrive(&barriers->queriesFree);
    }
#endif
}
