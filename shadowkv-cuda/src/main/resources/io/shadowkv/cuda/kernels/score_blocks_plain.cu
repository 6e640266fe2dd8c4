// How much each block of query rows attends to each earlier key block, by the blocks' mean keys, for
// types and head dims that score_blocks.cu does not support.
//
//   scores[h, b, J] = sum over rows q of block b and query heads of group h of
//                     exp(scale * q . means[h, J] - largest exponent of the row),   J = 0 .. f + b
//
// source     FlashPrefill's block scores; op/AttentionOperations.scoreBlocks
// queries    ACT [t, queryHeads, HEAD_DIM]; row i has position firstToken + i
// means      float [kvHeads, meanCapacity, HEAD_DIM]
// scores     float [kvHeads, queryBlocks, width]
// grid       kvHeads * queryBlocks blocks of 256 threads. A warp finds the largest exponents of a
//            row; then each thread sums over all rows for the key blocks that it owns, so that the
//            order of sums is fixed
// bytes      means and queries from cache; not tuned
// shared     1 KiB: the largest exponents of 256 rows
// precision  float; expf to 2 ulp
// limits     scale of any sign
//
// check: ACT=float HEAD_DIM=6
// check: ACT=bf16 HEAD_DIM=10
// check: ACT=float HEAD_DIM=256
#include "types.cuh"
#include "warp.cuh"

#ifndef ACT
#define ACT float
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif

static const int THREADS = 256;

static __device__ __forceinline__ float dot(const ACT* query, const float* mean) {
    float sum = 0.f;
    for (int e = 0; e < HEAD_DIM; e++) sum += toFloat(query[e]) * mean[e];
    return sum;
}

extern "C" __global__ void __launch_bounds__(THREADS) scoreBlocksPlain(const ACT* queries, const float* means, int t,
    int queryHeads, int kvHeads, int meanCapacity, int blockTokens, int firstToken, int queryBlocks, float scale, float* scores,
    int width) {
    __shared__ float largest[THREADS];
    int head = blockIdx.x % kvHeads, block = queryBlocks - 1 - (int) (blockIdx.x / kvHeads);
    int group = queryHeads / kvHeads;
    int own = firstToken / blockTokens + block;
    // Rows of this block, and all their query heads, one after the other.
    int from = max(0, own * blockTokens - firstToken), to = min(t, (own + 1) * blockTokens - firstToken);
    int rows = (to - from) * group;
    means += (i64) head * meanCapacity * HEAD_DIM;
    scores += ((i64) head * queryBlocks + block) * width;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;

    for (int first = 0; first < rows; first += THREADS) {
        int count = min(THREADS, rows - first);
        __syncthreads();
        for (int i = warp; i < count; i += THREADS / 32) {
            int row = first + i;
            const ACT* query = queries + ((i64) (from + row / group) * queryHeads + head * group + row % group) * HEAD_DIM;
            float most = -__int_as_float(0x7f800000);
            for (int j = lane; j <= own; j += 32) most = fmaxf(most, scale * dot(query, means + (i64) j * HEAD_DIM));
            most = warpMax(most);
            if (lane == 0) largest[i] = most;
        }
        __syncthreads();
        for (int j = threadIdx.x; j <= own; j += THREADS) {
            float sum = first == 0 ? 0.f : scores[j];
            for (int i = 0; i < count; i++) {
                int row = first + i;
                const ACT* query = queries + ((i64) (from + row / group) * queryHeads + head * group + row % group) * HEAD_DIM;
                sum += expf(scale * dot(query, means + (i64) j * HEAD_DIM) - largest[i]);
            }
            scores[j] = sum;
        }
    }
}
