// The arithmetic of score_codes.cu: dot products of queries with token codes on tensor cores of
// bytes, and sums for a softmax over the tokens.
//
// A turned query is an integer of 24 bits in four limbs of 6 bits (turn_queries.cu). The mask 0x03
// takes the codes of the first of four dimensions from the four bytes of a word, the mask 0x0c those
// of the second, times 4; the same masks of the word shifted by four bits take the third and the
// fourth. Limbs of the first and third dimension are stored times 4, so all products of a limb have
// one scale and one sum. Columns 2c and 2c + 1 of a block of columns have two limbs of head c of
// four heads, so that two blocks give a thread all limbs of a head.
#pragma once
#include "mma.cuh"
#include "warp.cuh"

#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif

static const int TILE = 32, BLOCK_TOKENS = 16;
static const int WORDS = (HEAD_DIM + 15) / 16, WORD_QUADS = (WORDS + 3) / 4;
static const int BLOCK_BYTES = WORDS * BLOCK_TOKENS * 4, SCALE_BYTES = TILE * 2;
static const int STAGE = 2 * BLOCK_BYTES + SCALE_BYTES;
static const int HEAD_QUADS = (GROUP + 3) / 4;
static const int LIMBS = 4, LIMB_BYTES = WORD_QUADS * 64;
static const int LOGITS = GROUP * TILE;  // of a tile
static const float LOWEST = -3.0e38f;
static const u32 FIRST = 0x03030303u, SECOND = 0x0c0c0c0cu;

// Two limbs joined are at most 64 * 31 + 63 in magnitude, their sums at most 3 * 4 * HEAD_DIM times
// that. Below 2^22, an integer that starts at the bits of 1.5 * 2^23 is a float without a conversion.
static const bool IS_BIASED = 12 * HEAD_DIM * (64 * 32 + 32) < 1 << 22;
static const i32 BIAS_BITS = IS_BIASED ? 0x4b400000 : 0;
static const float BIAS = IS_BIASED ? 12582912.f : 0.f;

// Sums of powers up to this one are added as they are; larger ones move the reference.
static const float LARGE_SUM = 1073741824.f;

// 2^x, and zero instead of a subnormal number.
static __device__ __forceinline__ float power(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Joins sums of 2^(logit - x) with different references x.
static __device__ __forceinline__ void join(float2& whole, float2 part) {
    float largest = fmaxf(whole.x, part.x);
    whole.y = whole.y * power(whole.x - largest) + part.y * power(part.x - largest);
    whole.x = largest;
}

// Joins those of all lanes that have the same lane % 4.
static __device__ __forceinline__ float2 joinLanes(float2 whole) {
    float largest = whole.x;
#pragma unroll
    for (int d = 4; d < 32; d *= 2) largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, d));
    float all = whole.y * power(whole.x - largest);
#pragma unroll
    for (int d = 4; d < 32; d *= 2) all += __shfl_xor_sync(ALL_LANES, all, d);
    return make_float2(largest, all);
}

// Place of a piece (four tokens of a word) in a block of a stage: eight lanes that read a word each
// of four, and two pieces of it, read different banks.
static __device__ __forceinline__ int placeOf(int word, int piece) { return word * 4 + (piece + word / 2 % 2 * 2) % 4; }

// Place of a token's logit among those of head `head` of a tile: lanes that write four tokens of
// four heads write different banks.
static __device__ __forceinline__ int placeOfLogit(int head, int four) { return head * TILE + (four + head % 4 * 2) % 8 * 4; }

// The codes of four tokens, words lane % 4, lane % 4 + 4, ..., and the tokens' scales.
struct Codes {
    Vector<u32, 4> words[WORD_QUADS];
    float scales[4];

    __device__ __forceinline__ void load(const u8* stage) {
        int four = threadIdx.x % 32 / 4;
        const u8* block = stage + four / 4 * BLOCK_BYTES;
#pragma unroll
        for (int q = 0; q < WORD_QUADS; q++) {
            int word = min(q * 4 + (int) threadIdx.x % 4, WORDS - 1);  // the query is zero after the last word
            words[q] = *(const Vector<u32, 4>*) (block + placeOf(word, four % 4) * 16);
        }
        auto own = *(const Vector<bf16, 4>*) (stage + 2 * BLOCK_BYTES + four * 8);
#pragma unroll
        for (int j = 0; j < 4; j++) scales[j] = toFloat(own.at[j]);
    }
};

// Logits of a warp's tokens of one segment. Lane l has heads l % 4, l % 4 + 4, ..., of tokens 4 * (l
// / 4) to 4 * (l / 4) + 3 of each tile.
struct Sums {
    u32 query[HEAD_QUADS][2][WORD_QUADS][4];
    float2 factors[HEAD_QUADS];
    float2 sums[HEAD_QUADS];  // a reference, and the sum of 2^(logit - reference)

    // limbs [GROUP, LIMBS, LIMB_BYTES], the highest first; all [GROUP]
    __device__ __forceinline__ void begin(const i8* limbs, const float2* all) {
        int column = threadIdx.x % 32 / 4;
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
#pragma unroll
            for (int n = 0; n < 2; n++)
#pragma unroll
                for (int q = 0; q < WORD_QUADS; q++) {
                    int head = k * 4 + column / 2;
                    Vector<u32, 4> some = {};
                    if (head < GROUP)
                        some = *(const Vector<u32, 4>*) (limbs + (head * LIMBS + n * 2 + column % 2) * LIMB_BYTES + (q * 4 + threadIdx.x % 4) * 16);
#pragma unroll
                    for (int j = 0; j < 4; j++) query[k][n][q][j] = some.at[j];
                }
            int head = k * 4 + (int) threadIdx.x % 4;
            float2 factor = head < GROUP ? all[head] : make_float2(0, 0);
            factors[k] = make_float2(factor.x, fmaf(-BIAS, factor.x, factor.y));
            sums[k] = make_float2(LOWEST, 0);
        }
    }
    // Adds tokens of a tile; `left` tokens of the segment are in this tile and behind it.
    __device__ __forceinline__ void add(const Codes& codes, int left, float* logits) {
        int lane = threadIdx.x % 32, four = lane / 4;
        float own[HEAD_QUADS][4];
#pragma unroll
        for (int half = 0; half < 2; half++) multiply(codes, half, own);
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
            int head = k * 4 + lane % 4;
            if (head < GROUP) *(Vector<float, 4>*) (logits + placeOfLogit(head, four)) = {{own[k][0], own[k][1], own[k][2], own[k][3]}};
            if (left < TILE)
#pragma unroll
                for (int j = 0; j < 4; j++) own[k][j] = four * 4 + j < left ? own[k][j] : LOWEST;
            take(own[k], sums[k]);
        }
    }
    // Logits of tokens 2 * half and 2 * half + 1 of each lane's four.
    __device__ __forceinline__ void multiply(const Codes& codes, int half, float (&own)[HEAD_QUADS][4]) {
        i32 dots[HEAD_QUADS][2][4];
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++)
#pragma unroll
            for (int i = 0; i < 8; i++) dots[k][i / 4][i % 4] = i % 2 == 1 ? BIAS_BITS : 0;
#pragma unroll
        for (int q = 0; q < WORD_QUADS; q++) {
            u32 x = codes.words[q].at[half * 2], y = codes.words[q].at[half * 2 + 1];
            u32 first[4] = {x & FIRST, y & FIRST, x >> 4 & FIRST, y >> 4 & FIRST};
            u32 second[4] = {x & SECOND, y & SECOND, x >> 4 & SECOND, y >> 4 & SECOND};
#pragma unroll
            for (int k = 0; k < HEAD_QUADS; k++)
#pragma unroll
                for (int n = 0; n < 2; n++) {
                    multiplyBytes(dots[k][n], first, query[k][n][q][0], query[k][n][q][2]);
                    multiplyBytes(dots[k][n], second, query[k][n][q][1], query[k][n][q][3]);
                }
        }
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++)
#pragma unroll
            for (int j = 0; j < 2; j++) {
                i32 high = dots[k][0][2 * j] * 64 + dots[k][0][2 * j + 1], low = dots[k][1][2 * j] * 64 + dots[k][1][2 * j + 1];
                float dot = fmaf(asFloat(high) - BIAS, 4096.f, asFloat(low));  // and BIAS, which factors[k].y takes away
                own[k][half * 2 + j] = fmaf(dot, factors[k].x, factors[k].y) * codes.scales[half * 2 + j];
            }
    }
    static __device__ __forceinline__ float asFloat(i32 biased) { return IS_BIASED ? __int_as_float(biased) : (float) biased; }

    // Adds four logits; those equal to LOWEST count nothing once there was another one. The
    // reference need not be the maximum, so it moves only if a sum would become too large.
    static __device__ __forceinline__ void take(const float (&own)[4], float2& sum) {
        float all = power(own[0] - sum.x) + power(own[1] - sum.x) + (power(own[2] - sum.x) + power(own[3] - sum.x));
        if (all <= LARGE_SUM) {
            sum.y += all;
        } else {
            float largest = fmaxf(fmaxf(fmaxf(own[0], own[1]), fmaxf(own[2], own[3])), sum.x);
            all = power(own[0] - largest) + power(own[1] - largest) + (power(own[2] - largest) + power(own[3] - largest));
            sum = make_float2(largest, sum.y * power(sum.x - largest) + all);
        }
    }
    // Writes this warp's references and sums, [GROUP].
    __device__ __forceinline__ void finish(float2* partial) const {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
            float2 whole = joinLanes(sums[k]);
            if (lane < 4 && k * 4 + lane < GROUP) partial[k * 4 + lane] = whole;
        }
    }
};
