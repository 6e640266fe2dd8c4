// Causal attention of consecutive tokens, for types and head dims that the tensor core kernels do
// not support.
//
//   out[i, h] = sum_j softmax_j(scale * q[i, h] . k[h / GROUP, j]) v[h / GROUP, j],   j = 0 .. keyCount - t + i
//
// source     online softmax: Milakov and Gimelshein 2018, algorithm 3
// queries    ACT [t, queryHeads, HEAD_DIM]
// keys       STORED [kvHeads, capacity, HEAD_DIM], rows 0 .. keyCount - 1 are read
// values     the same
// out        ACT [t, queryHeads, HEAD_DIM]
// grid       ceil(t * queryHeads / WARPS) blocks of WARPS warps; a warp owns one query of one head,
//            a lane the elements lane, lane + 32, ... of it
// bytes      every warp reads its keys and values from cache:
//            t * queryHeads * keyCount * HEAD_DIM * 2 * sizeof(STORED); not
//            tuned, because it serves unaligned sizes and float models only
// shared     none
// precision  products, sums and softmax in float; exp2f to 2 ulp
// limits     HEAD_DIM up to 1024 (registers); scale of any sign
//
// check: ACT=float STORED=float HEAD_DIM=6 GROUP=1
// check: ACT=float STORED=bf16 HEAD_DIM=10 GROUP=4
// check: ACT=bf16 STORED=float HEAD_DIM=64 GROUP=7
// check: ACT=float STORED=float HEAD_DIM=128 GROUP=4
// check: ACT=f16 STORED=bf16 HEAD_DIM=256 GROUP=16
#include "types.cuh"
#include "warp.cuh"

#ifndef ACT
#define ACT float
#endif
#ifndef STORED
#define STORED float
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef WARPS
#define WARPS 4
#endif

// Keys whose dot products are summed over the warp together, so that their loads and shuffles
// overlap.
static const int TOGETHER = 4;
static const int PER_LANE = (HEAD_DIM + 31) / 32;
static const float LOG2_E = 1.4426950408889634f;

extern "C" __global__ void __launch_bounds__(32 * WARPS) prefillPlain(const ACT* queries, const STORED* keys,
    const STORED* values, int t, int queryHeads, int keyCount, int capacity, float scale, ACT* out) {
    int lane = threadIdx.x % 32;
    i64 item = (i64) blockIdx.x * WARPS + threadIdx.x / 32;
    if (item >= (i64) t * queryHeads) return;
    int query = (int) (item / queryHeads), head = (int) (item % queryHeads);
    i64 from = (i64) (head / GROUP) * capacity * HEAD_DIM;
    int count = keyCount - t + query + 1;

    float q[PER_LANE], sum[PER_LANE];
#pragma unroll
    for (int e = 0; e < PER_LANE; e++) {
        int at = lane + 32 * e;
        q[e] = at < HEAD_DIM ? toFloat(queries[item * HEAD_DIM + at]) * scale : 0.f;
        sum[e] = 0.f;
    }
    float largest = -__int_as_float(0x7f800000), weights = 0.f;
    for (int first = 0; first < count; first += TOGETHER) {
        float score[TOGETHER];
#pragma unroll
        for (int j = 0; j < TOGETHER; j++) {
            // After the last key, the last key is read again with weight 0.
            const STORED* key = keys + from + (i64) min(first + j, count - 1) * HEAD_DIM;
            score[j] = 0.f;
#pragma unroll
            for (int e = 0; e < PER_LANE; e++) {
                int at = lane + 32 * e;
                if (at < HEAD_DIM) score[j] += q[e] * toFloat(key[at]);
            }
        }
        float next = largest;
#pragma unroll
        for (int j = 0; j < TOGETHER; j++) {
            score[j] = warpSum(score[j]);
            next = fmaxf(next, score[j]);
        }
        // Every row attends to the first key, so `next` is finite, and exp2f(-infinity) is 0.
        float shrink = exp2f((largest - next) * LOG2_E);
        largest = next;
        weights *= shrink;
#pragma unroll
        for (int e = 0; e < PER_LANE; e++) sum[e] *= shrink;
#pragma unroll
        for (int j = 0; j < TOGETHER; j++) {
            float weight = first + j < count ? exp2f((score[j] - largest) * LOG2_E) : 0.f;
            const STORED* value = values + from + (i64) min(first + j, count - 1) * HEAD_DIM;
            weights += weight;
#pragma unroll
            for (int e = 0; e < PER_LANE; e++) {
                int at = lane + 32 * e;
                if (at < HEAD_DIM) sum[e] += weight * toFloat(value[at]);
            }
        }
    }
#pragma unroll
    for (int e = 0; e < PER_LANE; e++) {
        int at = lane + 32 * e;
        if (at < HEAD_DIM) out[item * HEAD_DIM + at] = fromFloat<ACT>(sum[e] / weights);
    }
}
