// logits[i, h, u, g] = query[i, h * GROUP + g] . landmark[slot i, h, u] * scale, and partial sums
// for a softmax over u. The plain form of score_landmarks.cu, for types, groups and head dims that
// tensor cores do not support: one landmark per lane. normalize_scores.cu computes the scores from
// both.
//
// queries QUERY [rows, kvHeads * GROUP, HEAD_DIM]; landmarks LANDMARK
// [kvHeads, unitCapacity, HEAD_DIM]; slots, units and scale as in score_landmarks.cu. Any HEAD_DIM,
// any GROUP, any pair of float, bf16 and f16.
// logits   float [rows, kvHeads, width, PADDED]; columns beyond GROUP are zero
// partials float2 (maximum, sum of 2^(logit - maximum)) [gridDim.x + rows * kvHeads, PADDED]: entry
// block + segment has the block's part of segment row * kvHeads + head. Blocks and segments both
// ascend, so no two pairs share an entry.
// Grid: any number of blocks of 256 threads; a tile is 32 landmarks. Shared memory: 4 * (rows + 1)
// bytes dynamic.
// Bytes: landmarks once for each query head of the group, from L1 and L2 except for the first time;
// not tuned.
// Precision: dot products in double, because the scores of float landmarks must be as precise as
// float allows.
//
// check: QUERY=float LANDMARK=float HEAD_DIM=6 GROUP=7 PADDED=8
// check: QUERY=bf16 LANDMARK=f16 HEAD_DIM=80 GROUP=1 PADDED=1
#include "slices.cuh"

#ifndef QUERY
#define QUERY float
#endif
#ifndef LANDMARK
#define LANDMARK float
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

static const int WARPS = 8;
static const int TILE = 32;
static const float LOWEST = -3.0e38f;

extern "C" __global__ void __launch_bounds__(32 * WARPS) scoreLandmarksAny(
    const QUERY* __restrict__ queries, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
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
        const LANDMARK* landmarks = (const LANDMARK*) entry.entries + (i64) head * entry.unitCapacity * HEAD_DIM;
        i64 segment = (i64) row * kvHeads + head;
        for (int g = 0; g < PADDED; g++) {
            const QUERY* query = queries + (segment * GROUP + g) * HEAD_DIM;
            float maximum = LOWEST, sum = 0;
            for (int tile = first + warp; tile < last; tile += WARPS) {
                int u = tile * TILE + lane;
                if (u >= count) continue;
                double dot = 0;
                for (int e = 0; e < HEAD_DIM && g < GROUP; e++)
                    dot += (double) toFloat(query[e]) * toFloat(landmarks[(i64) u * HEAD_DIM + e]);
                float logit = (float) (dot * scale);
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
