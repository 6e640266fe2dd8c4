// Rotary position encoding in place: the pair (a, b) of a head becomes (a cos - b sin, b cos + a
// sin).
//
// Arguments  queries ACT [rows, queryHeads, HEAD_DIM], keys ACT [rows, kvHeads, HEAD_DIM]; either
//            may be empty; positions i32 [rows]; cosines, sines float [positions, HALF];
//            queryCount, count: threads with work for the queries, and for both
// Pairs      INTERLEAVED: elements 2i and 2i + 1; otherwise i and i + HALF. Elements from 2 * HALF
//            on are not changed.
// Precision  float, rounded once.
// Grid       256 threads per block, VECTOR pairs per thread.
// Bytes      2 * rows * heads * 2 * HALF * sizeof(ACT), tables from L1: 8192 rows of 40 heads of
//            128 bf16: 168 MB, 39 us at 4.3 TB/s; the rows of a decode step are bound by latency.
// Limits     HALF a multiple of VECTOR; queries, keys and each row of a head aligned to VECTOR
//            elements (2 * VECTOR if INTERLEAVED).
//
// check: ACT=bf16 HEAD_DIM=128 HALF=64 INTERLEAVED=0 VECTOR=8
// check: ACT=bf16 HEAD_DIM=128 HALF=32 INTERLEAVED=1 VECTOR=4
// check: ACT=float HEAD_DIM=10 HALF=5 INTERLEAVED=0 VECTOR=1
// check: ACT=f16 HEAD_DIM=256 HALF=128 INTERLEAVED=0 VECTOR=8
// check: ACT=f16 HEAD_DIM=96 HALF=48 INTERLEAVED=0 VECTOR=8
#include "overlap.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef HALF
#define HALF 64
#endif
#ifndef INTERLEAVED
#define INTERLEAVED 0
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

static const int PIECES = HALF / VECTOR;

extern "C" __global__ void __launch_bounds__(256) rotate(ACT* queries, ACT* keys, const i32* positions, const float* cosines, const float* sines,
        i64 queryCount, i64 count, int queryHeads, int kvHeads) {
    letNextStart();
    i64 index = (i64) blockIdx.x * 256 + threadIdx.x;  // below count = rows * (queryHeads + kvHeads) * PIECES
    if (index >= count) return;
    bool isQuery = index < queryCount;
    if (!isQuery) index -= queryCount;
    int first = (int) (index % PIECES) * VECTOR;
    i64 head = index / PIECES;
    // No kernel of a step writes positions or tables.
    i64 table = (i64) positions[head / (isQuery ? queryHeads : kvHeads)] * HALF + first;
    ACT* at = (isQuery ? queries : keys) + head * HEAD_DIM;
    float cosine[VECTOR], sine[VECTOR];
#pragma unroll
    for (int i = 0; i < VECTOR; i++) {
        cosine[i] = __ldg(cosines + table + i);
        sine[i] = __ldg(sines + table + i);
    }
    waitForPrevious();
#if INTERLEAVED
    Vector<ACT, 2 * VECTOR>* both = (Vector<ACT, 2 * VECTOR>*) (at + 2 * first);
    Vector<ACT, 2 * VECTOR> pairs = *both;
#pragma unroll
    for (int i = 0; i < VECTOR; i++) {
        float a = toFloat(pairs.at[2 * i]), b = toFloat(pairs.at[2 * i + 1]);
        pairs.at[2 * i] = fromFloat<ACT>(a * cosine[i] - b * sine[i]);
        pairs.at[2 * i + 1] = fromFloat<ACT>(b * cosine[i] + a * sine[i]);
    }
    *both = pairs;
#else
    Vector<ACT, VECTOR>* lower = (Vector<ACT, VECTOR>*) (at + first);
    Vector<ACT, VECTOR>* upper = (Vector<ACT, VECTOR>*) (at + HALF + first);
    Vector<ACT, VECTOR> low = *lower, high = *upper;
#pragma unroll
    for (int i = 0; i < VECTOR; i++) {
        float a = toFloat(low.at[i]), b = toFloat(high.at[i]);
        low.at[i] = fromFloat<ACT>(a * cosine[i] - b * sine[i]);
        high.at[i] = fromFloat<ACT>(b * cosine[i] + a * sine[i]);
    }
    *lower = low;
    *upper = high;
#endif
}
