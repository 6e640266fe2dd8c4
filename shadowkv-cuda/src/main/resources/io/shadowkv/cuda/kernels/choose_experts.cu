// The most likely experts of each row: softmax over all experts, then the COUNT largest, the first
// one among equals; their shares, divided by their sum if NORMALISED.
//
// Arguments  logits float [rows, EXPERTS]; ids i32 [rows, COUNT], weights float [rows, COUNT]
// Precision  float; a row with a NaN gets valid ids and shares that are NaN.
// Grid       one warp per row; a lane holds experts lane, lane + 32, ...
// Bytes      rows * EXPERTS * 4, just written; COUNT rounds of one reduction: a few us.
// Limits     COUNT up to EXPERTS, EXPERTS up to 1024.
//
// check: EXPERTS=128 COUNT=8 NORMALISED=1
// check: EXPERTS=7 COUNT=7 NORMALISED=0
// check: EXPERTS=1024 COUNT=1 NORMALISED=1
#include "overlap.cuh"
#include "warp.cuh"

#ifndef EXPERTS
#define EXPERTS 128
#endif
#ifndef COUNT
#define COUNT 8
#endif
#ifndef NORMALISED
#define NORMALISED 1
#endif

static const int HELD = (EXPERTS + 31) / 32;

extern "C" __global__ void __launch_bounds__(32) chooseExperts(const float* logits, i32* ids, float* weights) {
    letNextStart();
    waitForPrevious();
    const float lowest = -__int_as_float(0x7f800000);
    const float* row = logits + (i64) blockIdx.x * EXPERTS;
    int lane = threadIdx.x;
    float held[HELD];
    float largest = lowest;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        int expert = i * 32 + lane;
        held[i] = expert < EXPERTS ? row[expert] : lowest;
        largest = fmaxf(largest, held[i]);
    }
    largest = warpMax(largest);
    float sum = 0.f;
#pragma unroll
    for (int i = 0; i < HELD; i++) {
        if (i * 32 + lane < EXPERTS) sum += expf(held[i] - largest);  // NaN stays NaN
    }
    sum = warpSum(sum);
    u32 taken = 0;  // bit i: this lane's expert i is chosen
    float chosenSum = 0.f;
    float mine = 0.f;  // share of the choice with this lane's number
#pragma unroll 1
    for (int choice = 0; choice < COUNT; choice++) {
        float best = lowest;
        int bestAt = 0x7fffffff;
#pragma unroll
        for (int i = 0; i < HELD; i++) {
            int expert = i * 32 + lane;
            bool isFree = expert < EXPERTS && !(taken >> i & 1u);
            // The first free expert is better than none, also if it is NaN.
            if (isFree && (held[i] > best || bestAt == 0x7fffffff)) {
                best = held[i];
                bestAt = expert;
            }
        }
#pragma unroll
        for (int d = 16; d > 0; d /= 2) {
            float value = __shfl_xor_sync(ALL_LANES, best, d);
            int at = __shfl_xor_sync(ALL_LANES, bestAt, d);
            bool isBetter = bestAt == 0x7fffffff || (at != 0x7fffffff && (value > best || (!(best > value) && at < bestAt)));
            if (isBetter) {
                best = value;
                bestAt = at;
            }
        }
        bestAt = __shfl_sync(ALL_LANES, bestAt, 0);
        best = __shfl_sync(ALL_LANES, best, 0);
        if (bestAt % 32 == lane) taken |= 1u << (bestAt / 32);
        float share = expf(best - largest) / sum;
        chosenSum += share;
        if (lane == 0) ids[(i64) blockIdx.x * COUNT + choice] = bestAt;
        if (COUNT <= 32) {
            if (choice == lane) mine = share;
        } else if (lane == 0) {
            weights[(i64) blockIdx.x * COUNT + choice] = share;
        }
    }
    if (COUNT <= 32) {
        if (lane < COUNT) weights[(i64) blockIdx.x * COUNT + lane] = NORMALISED ? mine / chosenSum : mine;
    } else if (NORMALISED && lane == 0) {
        for (int choice = 0; choice < COUNT; choice++) weights[(i64) blockIdx.x * COUNT + choice] /= chosenSum;
    }
}
