// logits[i, h, u, g] = turned query[i, h * GROUP + g] . key(code of token u) * scale, and partial
// sums for a softmax over u. The plain form of score_codes.cu, for groups and head dims that it
// does not support and for float queries: one token per lane. normalize_scores.cu computes the
// scores from both.
//
// queries  float [rows, kvHeads * GROUP, HEAD_DIM], turned (turn_queries.cu)
// table    IndexedEntry [slots]: entries, the codes i32 [kvHeads, codeBlocks, WORDS, 16];
//          entryScales bf16 [kvHeads, codeBlocks * 16]
// slots, units, logits, partials, grid and shared memory: as in score_landmarks_any.cu
// Bytes: codes once for each query head of the group, from L1 and L2 except for the first time; not
// tuned.
// Precision: dot products in double.
//
// check: HEAD_DIM=6 GROUP=7 PADDED=8
// check: HEAD_DIM=80 GROUP=1 PADDED=1
// check: HEAD_DIM=256 GROUP=4 PADDED=4
#include "slices.cuh"

#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef PADDED
#define PADDED 4
#endif

static const int WARPS = 8;
static const int TILE = 32;
static const int WORDS = (HEAD_DIM + 15) / 16;
static const int BLOCK_TOKENS = 16;
static const float LOWEST = -3.0e38f;

extern "C" __global__ void __launch_bounds__(32 * WARPS) scoreCodesAny(
    const float* __restrict__ queries, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int rows, int kvHeads, int width, float scale, float* __restrict__ logits,
    float2* __restrict__ partials) {
    extern __shared__ int starts[];
    __shared__ float2 warpPartials[WARPS][PADDED];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    int total = sumLengths(starts, rows, [&](int i) { return slots[i] < 0 ? 0 : (units[i] + TILE - 1) / TILE * kvHeads; });
    // No more workers than tiles, because each worker between two workers of a segment writes
    // partials there.
    int workers = min(total, (int) gridDim.x);
    if ((int) blockIdx.x >= workers) return;
    int end = shareStart(total, blockIdx.x + 1, workers);
    for (int at = shareStart(total, blockIdx.x, workers); at < end;) {
        int row = sliceOf(starts, rows, at);
        int count = units[row], tiles = (count + TILE - 1) / TILE;
        int head = (at - starts[row]) / tiles, first = (at - starts[row]) % tiles;
        int last = min(tiles, first + end - at);
        const IndexedEntry& entry = table[slots[row]];
        const u32* codes = (const u32*) entry.entries + (i64) head * entry.codeBlocks * (WORDS * BLOCK_TOKENS);
        const bf16* scales = entry.entryScales + (i64) head * entry.codeBlocks * BLOCK_TOKENS;
        i64 segment = (i64) row * kvHeads + head;
        for (int g = 0; g < PADDED; g++) {
            const float* query = queries + (segment * GROUP + g) * HEAD_DIM;
            float maximum = LOWEST, sum = 0;
            for (int tile = first + warp; tile < last; tile += WARPS) {
                int u = tile * TILE + lane;
                if (u >= count) continue;
                const u32* own = codes + (i64) (u / BLOCK_TOKENS) * (WORDS * BLOCK_TOKENS) + u % BLOCK_TOKENS;
                double dot = 0;
                for (int w = 0; w < WORDS && g < GROUP; w++) {
                    u32 word = own[w * BLOCK_TOKENS];
#pragma unroll
                    for (int i = 0; i < 16; i++)
                        if (w * 16 + i < HEAD_DIM) dot += (double) query[w * 16 + i] * ((int) (word >> 2 * i & 3) - 1.5);
                }
                float logit = (float) (dot * toFloat(scales[u]) * scale);
                logits[(segment * width + u) * PADDED + g] = logit;
                float largest = fmaxf(maximum, logit);
                sum = sum * exp2f(maximum - largest) + exp2f(logit - largest);
                maximum = largest;
            }
            float largest = warpMax(maximum);
            sum = warpSum(sum * exp2f(maximum - largest));
            if (lane == 0) warpPartials[warp][g] = make_float2(largest, sum);
        }
        __syncthreads();
        for (int g = threadIdx.x; g < PADDED; g += 32 * WARPS) {
            float largest = LOWEST, all = 0;
            for (int w = 0; w < WARPS; w++) largest = fmaxf(largest, warpPartials[w][g].x);
            for (int w = 0; w < WARPS; w++) all += warpPartials[w][g].y * exp2f(warpPartials[w][g].x - largest);
            partials[(segment + blockIdx.x) * PADDED + g] = make_float2(largest, all);
        }
        __syncthreads();
        at += last - first;
    }
}
