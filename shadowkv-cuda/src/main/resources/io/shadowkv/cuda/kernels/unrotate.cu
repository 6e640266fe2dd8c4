// unrotate: computes keys before RoPE from rows of rotated keys, token-major; the inverse of rotate
// and store.
//   plain[i, h, first]  = (x * cos + y * sin) / scaling^2    x, y: the elements of the pair in keys[h, from + i]
//   plain[i, h, second] = (y * cos - x * sin) / scaling^2    cos, sin: those of position firstPosition + i
//   elements from rotaryDim on are copied
//
// Source:  op/ShadowOperations.unrotate; op/Rotary has the places of pairs
// keys           KEY [H, capacity, d], the pointer is at row `from` of head 0
// cosines, sines float [count, rotaryDim / 2], the pointers are at firstPosition
// plain          PLAIN [count, H * d]
// Macros   KEY, PLAIN: element types; HEAD_DIM: d; ROTARY_DIM; INTERLEAVED: 1 if the elements of a
//          pair are adjacent; VEC: elements per access, a power of two that divides d,
//          rotaryDim / 2 and every offset, at most 16 bytes of the wider type (interleaved: that
//          divides rotaryDim and d)
// Grid     x: ceil(count * PLACES / 128); block: 128 threads, each with one place of one token in
//          all heads, so that it reads its cosines and sines once
// Bytes    count * H * d * (sizeof(KEY) + sizeof(PLAIN)) + 4 * count * rotaryDim; 124,928 tokens, 8
//          heads, d 128, bf16: 576 MB, floor 0.13 ms at 4.30 TB/s
// Shared   none
// Rounds   once; two products and a factor in float
// check: KEY=bf16 PLAIN=bf16 HEAD_DIM=128 ROTARY_DIM=128 INTERLEAVED=0 VEC=8
// check: KEY=bf16 PLAIN=bf16 HEAD_DIM=128 ROTARY_DIM=64 INTERLEAVED=1 VEC=8
// check: KEY=f16 PLAIN=f16 HEAD_DIM=96 ROTARY_DIM=96 INTERLEAVED=0 VEC=8
// check: KEY=bf16 PLAIN=bf16 HEAD_DIM=64 ROTARY_DIM=64 INTERLEAVED=0 VEC=8
// check: KEY=bf16 PLAIN=float HEAD_DIM=256 ROTARY_DIM=128 INTERLEAVED=0 VEC=4
// check: KEY=float PLAIN=float HEAD_DIM=10 ROTARY_DIM=4 INTERLEAVED=0 VEC=2
// check: KEY=float PLAIN=bf16 HEAD_DIM=6 ROTARY_DIM=2 INTERLEAVED=1 VEC=2
// check: KEY=bf16 PLAIN=bf16 HEAD_DIM=6 ROTARY_DIM=2 INTERLEAVED=1 VEC=1
#include "types.cuh"
#include "convert.cuh"

#ifndef KEY
#define KEY bf16
#endif
#ifndef PLAIN
#define PLAIN bf16
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
#define VEC 8
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

// keyStride: elements between the starts of adjacent heads of keys; undo: 1 / scaling^2.
extern "C" __global__ void __launch_bounds__(128)
unrotate(const KEY* keys, const float* cosines, const float* sines, PLAIN* plain, i64 keyStride, i32 heads, i32 count,
         float undo) {
    i64 at = (i64) blockIdx.x * blockDim.x + threadIdx.x;
    i64 token = at / PLACES;
    int place = at % PLACES;
    if (token >= count) return;
    const KEY* from = keys + token * HEAD_DIM;
    PLAIN* to = plain + token * heads * HEAD_DIM;

    if (place >= TURNING) {
        int element = ROTARY_DIM + (place - TURNING) * VEC;
        for (int h = 0; h < heads; h++) {
            *(Plains*) (to + h * HEAD_DIM + element) = convert<PLAIN>(*(const Keys*) (from + h * keyStride + element));
        }
        return;
    }

    // The factor is applied to the cosines and sines, once.
    float cosine[PAIRS], sine[PAIRS];
#pragma unroll
    for (int p = 0; p < PAIRS; p++) {
        cosine[p] = cosines[token * HALF + place * PAIRS + p] * undo;
        sine[p] = sines[token * HALF + place * PAIRS + p] * undo;
    }
    int first = place * VEC * (INTERLEAVED && !IS_INSIDE ? 2 : 1);
    int second = first + (INTERLEAVED ? 1 : HALF);
    for (int start = 0; start < heads; start += UNROLL) {
        Keys x[UNROLL], y[UNROLL];
#pragma unroll
        for (int j = 0; j < UNROLL; j++) {
            if (start + j < heads) {
                const KEY* row = from + (start + j) * keyStride;
                x[j] = *(const Keys*) (row + first);
                if (!IS_INSIDE) y[j] = *(const Keys*) (row + second);
            }
        }
#pragma unroll
        for (int j = 0; j < UNROLL; j++) {
            if (start + j >= heads) break;
            PLAIN* row = to + (start + j) * HEAD_DIM;
            Plains u, v;
#pragma unroll
            for (int p = 0; p < PAIRS; p++) {
                float a = toFloat(x[j].at[IS_INSIDE ? 2 * p : p]);
                float b = toFloat(IS_INSIDE ? x[j].at[(2 * p + 1) % VEC] : y[j].at[p]);
                PLAIN turnedA = fromFloat<PLAIN>(a * cosine[p] + b * sine[p]);
                PLAIN turnedB = fromFloat<PLAIN>(b * cosine[p] - a * sine[p]);
                u.at[IS_INSIDE ? 2 * p : p] = turnedA;
                if (IS_INSIDE) {
                    u.at[(2 * p + 1) % VEC] = turnedB;
                } else {
                    v.at[p] = turnedB;
                }
            }
            *(Plains*) (row + first) = u;
            if (!IS_INSIDE) *(Plains*) (row + second) = v;
        }
    }
}
