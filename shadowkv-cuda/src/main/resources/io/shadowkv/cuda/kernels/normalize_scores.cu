// scores[i, h, u] = max over g of 2^(logits[i, h, u, g] - M_g) / S_g: the softmax of each query
// head over the landmarks, and its maximum over the group. The second half of ShadowKV's scoring,
// after score_landmarks_any.cu.
//
// logits, partials, slots, units, PADDED: as score_landmarks_any.cu writes them; `scorers` and TILE
// are its grid and tile, which determine the places of a segment's partials
// scores   float [rows, kvHeads, width]; the first units[i] of row i are written
//
// Grid: (ceil(width / (256 * EACH)), rows * kvHeads), blocks of 256 threads. Shared memory:
// 4 * (rows + 1) bytes dynamic, 8 * PADDED static.
// Bytes: 4 * PADDED read, 4 written for each landmark (14 rows x 8 heads x 15,616 x 20 B = 35 MB,
// mostly from L2: 8 us at 4.5 TB/s).
// Precision: M and S from partials in float.
//
// check: GROUP=4 PADDED=4
// check: GROUP=1 PADDED=1
// check: GROUP=7 PADDED=8
// check: GROUP=16 PADDED=16
// check: GROUP=2 PADDED=2
#include "slices.cuh"

#ifndef GROUP
#define GROUP 4
#endif
#ifndef PADDED
#define PADDED 4
#endif
#ifndef TILE
#define TILE 32
#endif

static const int THREADS = 256;
static const int EACH = 4;
static const int WIDTH = PADDED < 4 ? PADDED : 4;
static const float LOWEST = -3.0e38f;

extern "C" __global__ void __launch_bounds__(THREADS) normalizeScores(
    const float* __restrict__ logits, const float2* __restrict__ partials, const i32* __restrict__ slots,
    const i32* __restrict__ units, int rows, int kvHeads, int width, int scorers, float* __restrict__ scores) {
    extern __shared__ int starts[];
    __shared__ float2 whole[PADDED];  // maximum, 1 / sum
    int segment = blockIdx.y, row = segment / kvHeads, head = segment % kvHeads;
    int count = slots[row] < 0 ? 0 : units[row], from = blockIdx.x * THREADS * EACH;
    if (from >= count) return;
    int total = sumLengths(starts, rows, [&](int i) { return slots[i] < 0 ? 0 : (units[i] + TILE - 1) / TILE * kvHeads; });
    int tiles = (count + TILE - 1) / TILE, firstTile = starts[row] + head * tiles;
    int workers = min(total, scorers);
    int firstScorer = shareOf(total, firstTile, workers), lastScorer = shareOf(total, firstTile + tiles - 1, workers);
    int lane = threadIdx.x % 32, warps = THREADS / 32;
    for (int g = threadIdx.x / 32; g < GROUP; g += warps) {
        float maximum = LOWEST, sum = 0;
        for (int b = firstScorer + lane; b <= lastScorer; b += 32) {
            float2 part = partials[((i64) segment + b) * PADDED + g];
            float largest = fmaxf(maximum, part.x);
            sum = sum * exp2f(maximum - largest) + part.y * exp2f(part.x - largest);
            maximum = largest;
        }
        float largest = warpMax(maximum);
        sum = warpSum(sum * exp2f(maximum - largest));
        if (lane == 0) whole[g] = make_float2(largest, 1.f / sum);
    }
    __syncthreads();
#pragma unroll
    for (int j = 0; j < EACH; j++) {
        int u = from + j * THREADS + threadIdx.x;
        if (u >= count) break;
        i64 at = (i64) segment * width + u;
        float best = 0;
#pragma unroll
        for (int part = 0; part < PADDED / WIDTH; part++) {
            auto some = *(const Vector<float, WIDTH>*) (logits + at * PADDED + part * WIDTH);
#pragma unroll
            for (int k = 0; k < WIDTH; k++) {
                int g = part * WIDTH + k;
                if (g < GROUP) best = fmaxf(best, exp2f(some.at[k] - whole[g].x) * whole[g].y);
            }
        }
        scores[at] = best;
    }
}
