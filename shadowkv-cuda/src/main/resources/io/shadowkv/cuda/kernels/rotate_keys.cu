// rotateKeys: rotates plain keys of consecutive tokens and stores them head-major; the inverse of
// unrotate.
//   keys[h, i, first]  = x * cos - y * sin    x, y: the elements of the pair in plain[i, h]
//   keys[h, i, second] = y * cos + x * sin    cos, sin: those of position firstPosition + i
//   elements from rotaryDim on are copied
//
// Source:  op/ShadowOperations.restoreKeys; op/Rotary has the places of pairs
// plain          PLAIN [count, H * d]
// cosines, sines float [count, rotaryDim / 2], the pointers are at firstPosition
// keys           KEY [H, capacity, d], the pointer is at the first row of head 0
// Macros   KEY, PLAIN: element types; HEAD_DIM: d; ROTARY_DIM; INTERLEAVED: 1 if the elements of a
//          pair are adjacent; VEC: elements per access, a power of two that divides d,
//          rotaryDim / 2 and every offset, at most 16 bytes of the wider type (interleaved: that
//          divides rotaryDim and d)
// Grid     x: ceil(count * PLACES / 128); block: 128 threads, each with one place of one token in
//          all heads, so that it reads its cosines and sines once
// Bytes    count * H * d * (sizeof(KEY) + sizeof(PLAIN)) + 4 * count * rotaryDim; 124,928 tokens, 8
//          heads, d 128, float to bf16: 832 MB, floor 0.19 ms at 4.30 TB/s
// Shared   none
// Rounds   once; two products in float
// check: KEY=bf16 PLAIN=float HEAD_DIM=128 ROTARY_DIM=128 INTERLEAVED=0 VEC=4
// check: KEY=bf16 PLAIN=float HEAD_DIM=128 ROTARY_DIM=64 INTERLEAVED=1 VEC=4
// check: KEY=f16 PLAIN=float HEAD_DIM=96 ROTARY_DIM=96 INTERLEAVED=0 VEC=4
// check: KEY=float PLAIN=float HEAD_DIM=10 ROTARY_DIM=4 INTERLEAVED=0 VEC=2
// check: KEY=bf16 PLAIN=float HEAD_DIM=6 ROTARY_DIM=2 INTERLEAVED=1 VEC=1
#include "types.cuh"
#include "convert.cuh"

#ifndef KEY
#define KEY bf16
#endif
#ifndef PLAIN
#define PLAIN float
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef ROTARY_DIM
#define ROTARY_DIM 128
#endif
#ifndef INTERLEAVED
#define INTERLEAVED 0
#endif
#ifndef VEC
#define VEC 4
#endif

static const int HALF = ROTARY_DIM / 2;
// True if pairs are inside a vector; otherwise the elements of a pair are in two vectors.
static const bool IS_INSIDE = INTERLEAVED && VEC > 1;
static const int PAIRS = IS_INSIDE ? VEC / 2 : VEC;  // pairs per thread
static const int TURNING = HALF / PAIRS;             // places that are rotated; the others are copied
static const int PLACES = TURNING + (HEAD_DIM - ROTARY_DIM) / VEC;
static const int UNROLL = 4;
static_assert(HALF % PAIRS == 0 && (HEAD_DIM - ROTARY_DIM) % VEC == 0 && HEAD_DIM % VEC == 0, "whole vectors");

typedef Vector<KEY, VEC> Keys;
typedef Vector<PLAIN, VEC> Plains;

// keyStride: elements between the starts of adjacent heads of keys.
extern "C" __global__ void __launch_bounds__(128)
rotateKeys(const PLAIN* plain, const float* cosines, const float* sines, KEY* keys, i64 keyStride, i32 heads,
           i32 count) {
    i64 at = (i64) blockIdx.x * blockDim.x + threadIdx.x;
    i64 token = at / PLACES;
    int place = at % PLACES;
    if (token >= count) return;
    const PLAIN* from = plain + token * heads * HEAD_DIM;
    KEY* to = keys + token * HEAD_DIM;

    if (place >= TURNING) {
        int element = ROTARY_DIM + (place - TURNING) * VEC;
        for (int h = 0; h < heads; h++) {
            *(Keys*) (to + h * keyStride + element) = convert<KEY>(*(const Plains*) (from + h * HEAD_DIM + element));
        }
        return;
    }

    float cosine[PAIRS], sine[PAIRS];
#pragma unroll
    for (int p = 0; p < PAIRS; p++) {
        cosine[p] = cosines[token * HALF + place * PAIRS + p];
        sine[p] = sines[token * HALF + place * PAIRS + p];
    }
    int first = place * VEC * (INTERLEAVED && !IS_INSIDE ? 2 : 1);
    int second = first + (INTERLEAVED ? 1 : HALF);
    for (int start = 0; start < heads; start += UNROLL) {
        Plains x[UNROLL], y[UNROLL];
#pragma unroll
        for (int j = 0; j < UNROLL; j++) {
            if (start + j < heads) {
                const PLAIN* row = from + (start + j) * HEAD_DIM;
                x[j] = *(const Plains*) (row + first);
                if (!IS_INSIDE) y[j] = *(const Plains*) (row + second);
            }
        }
#pragma unroll
        for (int j = 0; j < UNROLL; j++) {
            if (start + j >= heads) break;
            KEY* row = to + (start + j) * keyStride;
            Keys u, v;
#pragma unroll
            for (int p = 0; p < PAIRS; p++) {
                float a = toFloat(x[j].at[IS_INSIDE ? 2 * p : p]);
                float b = toFloat(IS_INSIDE ? x[j].at[(2 * p + 1) % VEC] : y[j].at[p]);
                KEY turnedA = fromFloat<KEY>(a * cosine[p] - b * sine[p]);
                KEY turnedB = fromFloat<KEY>(b * cosine[p] + a * sine[p]);
                u.at[IS_INSIDE ? 2 * p : p] = turnedA;
                if (IS_INSIDE) {
                    u.at[(2 * p + 1) % VEC] = turnedB;
                } else {
                    v.at[p] = turnedB;
                }
            }
            *(Keys*) (row + first) = u;
            if (!IS_INSIDE) *(Keys*) (row + second) = v;
        }
    }
}
