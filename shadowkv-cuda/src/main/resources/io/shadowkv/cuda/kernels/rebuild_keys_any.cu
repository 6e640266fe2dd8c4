// The plain form of rebuild_keys.cu, for types, ranks and head dims that tensor cores do not
// support: one warp per token.
//
// factor FACTOR [tokenCapacity, RANK], basis BASIS [RANK, kvHeads * HEAD_DIM], keys KEY
// [kvHeads, attendedCapacity, HEAD_DIM]; the other arguments are those of rebuild_keys.cu. Any
// RANK, HEAD_DIM, ROTARY_DIM (even), any types.
// Grid: any number of blocks of 256 threads; warps take tokens in turn. Shared memory:
// 4 * (rows * kvHeads + 1) bytes dynamic, 32 * HEAD_DIM static. Bytes: the basis of a head for each
// token, from L1 and L2; not tuned.
// Precision: sums and rotation in float, rounded once.
//
// check: FACTOR=float BASIS=float KEY=float HEAD_DIM=10 RANK=33 UNIT_TOKENS=8 ROTARY_DIM=4 INTERLEAVED=0
// check: FACTOR=bf16 BASIS=f16 KEY=float HEAD_DIM=80 RANK=1 UNIT_TOKENS=1 ROTARY_DIM=80 INTERLEAVED=1
#include "overlap.cuh"
#include "slices.cuh"

#ifndef FACTOR
#define FACTOR float
#endif
#ifndef BASIS
#define BASIS float
#endif
#ifndef KEY
#define KEY float
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef RANK
#define RANK 160
#endif
#ifndef UNIT_TOKENS
#define UNIT_TOKENS 8
#endif
#ifndef ROTARY_DIM
#define ROTARY_DIM 128
#endif
#ifndef INTERLEAVED
#define INTERLEAVED 0
#endif

static const int WARPS = 8;
static const int HALF = ROTARY_DIM / 2;

extern "C" __global__ void __launch_bounds__(32 * WARPS) rebuildKeysAny(
    const IndexedEntry* __restrict__ table, const i32* __restrict__ slots, const i32* __restrict__ units, int rowCount,
    int kvHeads, const float* __restrict__ cosines, const float* __restrict__ sines) {
    extern __shared__ int starts[];
    letNextStart();
    waitForPrevious();
    __shared__ float warpKeys[WARPS][HEAD_DIM];
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, segments = rowCount * kvHeads;
    float* plain = warpKeys[warp];
    int total = sumLengths(starts, segments, [&](int s) {
        int i = s / kvHeads;
        return missesOf(table, slots[i], units[i], s % kvHeads) * UNIT_TOKENS;
    });
    for (int at = blockIdx.x * WARPS + warp; at < total; at += gridDim.x * WARPS) {
        int segment = sliceOf(starts, segments, at), head = segment % kvHeads, r = at - starts[segment];
        const IndexedEntry& entry = table[slots[segment / kvHeads]];
        i64 miss = (i64) head * entry.selected + r / UNIT_TOKENS;
        int unit = entry.unitIds[(i64) head * entry.unitCapacity + entry.missUnits[miss]];
        i64 token = (i64) unit * UNIT_TOKENS + r % UNIT_TOKENS;
        i64 row = entry.firstRow + (i64) entry.missSlots[miss] * UNIT_TOKENS + r % UNIT_TOKENS;
        const FACTOR* factor = (const FACTOR*) entry.factor + token * RANK;
        for (int e = lane; e < HEAD_DIM; e += 32) {
            const BASIS* basis = (const BASIS*) entry.basis + (i64) head * HEAD_DIM + e;
            float sum = 0;
            for (int k = 0; k < RANK; k++) sum += toFloat(factor[k]) * toFloat(basis[(i64) k * kvHeads * HEAD_DIM]);
            plain[e] = sum;
        }
        __syncwarp();
        KEY* key = (KEY*) entry.keys + ((i64) head * entry.attendedCapacity + row) * HEAD_DIM;
        for (int e = lane; e < HEAD_DIM; e += 32) {
            float value = plain[e];
            if (e < ROTARY_DIM) {
                bool isFirst = INTERLEAVED ? e % 2 == 0 : e < HALF;
                int pair = INTERLEAVED ? e / 2 : e % HALF;
                float other = plain[INTERLEAVED ? e ^ 1 : isFirst ? e + HALF : e - HALF];
                float cosine = cosines[token * HALF + pair], sine = sines[token * HALF + pair];
                value = isFirst ? value * cosine - other * sine : other * sine + value * cosine;
            }
            key[e] = fromFloat<KEY>(value);
        }
        __syncwarp();
    }
}
