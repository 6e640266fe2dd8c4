// Attention of consecutive tokens to selected keys, for lists, types and head dims that the tensor
// core kernels do not support.
//
//   out[i, h] = softmax over the keys that row i reads, times their values
//
// source     op/AttentionOperations.prefillSelected; online softmax: Milakov and Gimelshein 2018
// queries    ACT [t, queryHeads, HEAD_DIM]; row i has position firstToken + i
// keys       STORED [kvHeads, capacity, HEAD_DIM]
// values     the same
// starts     i32 [listHeads, queryBlocks, startWidth], first keys of key blocks
// counts     i32 [listHeads, queryBlocks]
// columns    i32 [listHeads, queryBlocks, columnWidth], single keys; null: none
// columnCounts i32 [listHeads, queryBlocks]
// bands      i32 [listHeads, 2]; null: no limit inside key blocks
// meanKeys   float [kvHeads, meanCapacity, HEAD_DIM], means of blocks that are not read; null: they
//            count nothing
// meanValues the same
// out        ACT [t, queryHeads, HEAD_DIM]
// grid       ceil(t * queryHeads / WARPS) blocks of WARPS warps; a warp owns one query of one head,
//            a lane the elements lane, lane + 32, ... of it
// bytes      every warp reads its keys and values from cache; not tuned
// shared     none
// precision  products, sums and softmax in float; exp2f to 2 ulp
// limits     HEAD_DIM up to 1024 (registers); scale of any sign; rows read keys that are valid
//
// check: ACT=float STORED=float HEAD_DIM=6
// check: ACT=float STORED=bf16 HEAD_DIM=10
// check: ACT=bf16 STORED=bf16 HEAD_DIM=128
// check: ACT=bf16 STORED=float HEAD_DIM=256
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
#ifndef WARPS
#define WARPS 4
#endif

// Keys whose dot products are summed over the warp together.
static const int TOGETHER = 4;
static const int PER_LANE = (HEAD_DIM + 31) / 32;
static const float LOG2_E = 1.4426950408889634f;
static const float NONE = -1e30f;  // finite, so that keys that are all hidden do not give NaN

struct Row {
    float q[PER_LANE];
    float sum[PER_LANE];
    float largest;
    float weights;
};

// Attends to N rows of one head; `extra` is added to their scores. Row j is hidden unless bit j of
// `seen` is set; hidden rows must be readable.
template <int N, typename T>
static __device__ __forceinline__ void attend(
    Row& state, const T* keys, const T* values, const int (&rows)[N], u32 seen, float extra) {
    int lane = threadIdx.x % 32;
    float score[N];
    float next = state.largest;
#pragma unroll
    for (int j = 0; j < N; j++) {
        const T* key = keys + (i64) rows[j] * HEAD_DIM;
        float dot = 0.f;
#pragma unroll
        for (int e = 0; e < PER_LANE; e++) {
            int at = lane + 32 * e;
            if (at < HEAD_DIM) dot += state.q[e] * toFloat(key[at]);
        }
        score[j] = warpSum(dot) + extra;
        if (seen >> j & 1) next = fmaxf(next, score[j]);
    }
    float shrink = exp2f((state.largest - next) * LOG2_E);
    state.largest = next;
    state.weights *= shrink;
#pragma unroll
    for (int e = 0; e < PER_LANE; e++) state.sum[e] *= shrink;
#pragma unroll
    for (int j = 0; j < N; j++) {
        float weight = seen >> j & 1 ? exp2f((score[j] - next) * LOG2_E) : 0.f;
        const T* value = values + (i64) rows[j] * HEAD_DIM;
        state.weights += weight;
#pragma unroll
        for (int e = 0; e < PER_LANE; e++) {
            int at = lane + 32 * e;
            if (at < HEAD_DIM) state.sum[e] += weight * toFloat(value[at]);
        }
    }
}

extern "C" __global__ void __launch_bounds__(32 * WARPS, 4) prefillSelectedPlain(const ACT* queries, const STORED* keys,
    const STORED* values, int t, int queryHeads, int kvHeads, int capacity, int firstToken, int blockTokens, int listHeads,
    int queryBlocks, const i32* starts, int startWidth, const i32* counts, const i32* columns, int columnWidth,
    const i32* columnCounts, const i32* bands, const float* meanKeys, const float* meanValues, int meanCapacity, float scale,
    ACT* out) {
    int lane = threadIdx.x % 32;
    i64 item = (i64) blockIdx.x * WARPS + threadIdx.x / 32;
    if (item >= (i64) t * queryHeads) return;
    int position = firstToken + (int) (item / queryHeads), head = (int) (item % queryHeads);
    int kvHead = head / (queryHeads / kvHeads), listHead = head / (queryHeads / listHeads);
    int own = position / blockTokens;
    i64 list = (i64) listHead * queryBlocks + own - firstToken / blockTokens;
    keys += (i64) kvHead * capacity * HEAD_DIM;
    values += (i64) kvHead * capacity * HEAD_DIM;
    starts += list * startWidth;
    int count = counts[list];

    Row state;
    state.largest = NONE;
    state.weights = 0.f;
#pragma unroll
    for (int e = 0; e < PER_LANE; e++) {
        int at = lane + 32 * e;
        state.q[e] = at < HEAD_DIM ? toFloat(queries[item * HEAD_DIM + at]) * scale : 0.f;
        state.sum[e] = 0.f;
    }
    int sink = bands ? bands[2 * listHead] : 0;
    // Keys after `hidden` are seen. The largest int as a second number hides nothing.
    int hidden = bands ? position - bands[2 * listHead + 1] : -1;
    int rows[TOGETHER];
    for (int n = 0; n < count; n++) {
        int stop = min(starts[n] + blockTokens, position + 1);
        for (int from = starts[n]; from < stop; from += TOGETHER) {
            u32 seen = 0;
#pragma unroll
            for (int j = 0; j < TOGETHER; j++) {
                rows[j] = min(from + j, stop - 1);
                if (from + j < stop && (rows[j] < sink || rows[j] > hidden)) seen |= 1u << j;
            }
            attend(state, keys, values, rows, seen, 0.f);
        }
    }
    int columnCount = columns ? columnCounts[list] : 0;
    for (int n = 0; n < columnCount; n += TOGETHER) {
        u32 seen = 0;
#pragma unroll
        for (int j = 0; j < TOGETHER; j++) {
            int column = columns[list * columnWidth + min(n + j, columnCount - 1)];
            bool isSeen = n + j < columnCount && column <= position;
            rows[j] = isSeen ? column : position;
            if (isSeen) seen |= 1u << j;
        }
        attend(state, keys, values, rows, seen, 0.f);
    }
    if (meanKeys) {
        i64 region = (i64) kvHead * meanCapacity * HEAD_DIM;
        int listed = 0;
        for (int block = 0; block < own; block++) {
            if (listed < count && starts[listed] == block * blockTokens) {
                listed++;
                continue;
            }
            int mean[1] = {block};
            attend(state, meanKeys + region, meanValues + region, mean, 1u, logf((float) blockTokens));
        }
    }
#pragma unroll
    for (int e = 0; e < PER_LANE; e++) {
        int at = lane + 32 * e;
        if (at < HEAD_DIM) out[item * HEAD_DIM + at] = fromFloat<ACT>(state.sum[e] / state.weights);
    }
}
