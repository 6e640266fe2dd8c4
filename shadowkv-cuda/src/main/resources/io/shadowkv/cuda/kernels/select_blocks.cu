// Selects the key blocks that a block of query rows reads, by their scores.
//
//   keeps j if j < firstBlocks, j > own - nearestBlocks, or scores[h, b, j] >= threshold * largest
//
// source     op/AttentionOperations.selectBlocks and its BlockRule, which draws the same numbers
// scores     float [kvHeads, scored, scoreWidth]; row blocks from `scored` on keep everything. Null
//            if all do
// starts     i32 [kvHeads, queryBlocks, width], first keys of the kept blocks, ascending
// counts     i32 [kvHeads, queryBlocks]
// work       u64 [1], increased by rows * (kept blocks - 1)
// grid       kvHeads * queryBlocks blocks of 256 threads; a list each
// bytes      scores twice, from L2; 2 MB for 65 row blocks of 122K tokens
// shared     64 bytes
// precision  the threshold in double, as BlockRule compares; shares in whole numbers
//
// If a score is not a number, everything is kept, because it must not drop a block.
//
// check:
#include "types.cuh"
#include "warp.cuh"

static const int THREADS = 256;
static const i64 MILLION = 1000000;

// BlockRule.isDrawn
static __device__ __forceinline__ bool isDrawn(int head, int own, int j, int fixedBlocks, int millionths) {
    u32 x = (u32) (head + 1) * 0x9e3779b1u ^ (u32) (own + 1) * 0x85ebca77u ^ (u32) (j + 1) * 0xc2b2ae3du;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    x = x ^ x >> 16;
    i64 blocks = own + 1, fixed = min(blocks, (i64) fixedBlocks);
    i64 wanted = millionths * blocks - fixed * MILLION;
    i64 others = (blocks - fixed) * MILLION;
    return (i64) (x >> 8) * others < wanted * (1 << 24);
}

extern "C" __global__ void __launch_bounds__(THREADS) selectBlocks(const float* scores, int scored, int scoreWidth,
    double threshold, int firstBlocks, int nearestBlocks, int millionths, int firstToken, int tokens, int blockTokens,
    int queryBlocks, i32* starts, int width, i32* counts, u64* work) {
    __shared__ int kept[THREADS / 32];
    int head = blockIdx.x / queryBlocks, block = blockIdx.x % queryBlocks;
    int own = firstToken / blockTokens + block;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    bool isScored = block < scored;
    const float* row = scores + ((i64) head * scored + block) * scoreWidth;
    starts += (i64) blockIdx.x * width;

    float most = 0.f;
    int isMissing = 0;
    if (isScored) {
        for (int j = threadIdx.x; j <= own; j += THREADS) {
            most = fmaxf(most, row[j]);
            isMissing |= row[j] != row[j];
        }
    }
    double least = threshold * (double) blockMax(most);
    bool keepsAll = __syncthreads_or(isMissing) || !isScored;

    int count = 0;
    for (int first = 0; first <= own; first += THREADS) {
        int j = first + threadIdx.x;
        bool keeps = j <= own;
        if (keeps && isScored && j >= firstBlocks && j <= own - nearestBlocks) {
            if (millionths >= 0) {
                keeps = isDrawn(head, own, j, firstBlocks + nearestBlocks, millionths);
            } else {
                keeps = keepsAll || !((double) row[j] < least);
            }
        }
        u32 lanes = __ballot_sync(ALL_LANES, keeps);
        if (lane == 0) kept[warp] = __popc(lanes);
        __syncthreads();
        int at = count + __popc(lanes & ((1u << lane) - 1));
        for (int w = 0; w < THREADS / 32; w++) {
            if (w < warp) at += kept[w];
            count += kept[w];
        }
        if (keeps) starts[at] = j * blockTokens;
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        counts[blockIdx.x] = count;
        int rows = min(firstToken + tokens, (own + 1) * blockTokens) - max(firstToken, own * blockTokens);
        atomicAdd(work, (u64) rows * (u64) (count - 1));
    }
}
