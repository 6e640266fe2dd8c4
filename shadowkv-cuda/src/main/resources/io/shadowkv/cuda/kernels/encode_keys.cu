// encodeKeys: keys in two bits a dimension and a scale (ShadowOperations.encodeKeys). With x the
// turned key less the mean, and m the mean of |x_e|:
//   code_e = clamp(floor(x_e / (1.1 * m)) + 2, 0, 3), scale = sum x_e^2 / sum x_e * (code_e - 1.5)
//
// Source:  op/host/KeyCodes
// keys     KEY [H, capacity, HEAD_DIM], the pointer is at the first row of head 0
// means    float [H, HEAD_DIM]
// codes    i32 [H, blocks, WORDS, 16], tokens `to` to `to + count` (exclusive) are written: bits
//          2i and 2i + 1 of word w of token t are the code of dimension 16w + i
// scales   bf16 [H, blocks * 16], the same tokens
// Macros   KEY: element type; HEAD_DIM
// Grid     x: ceil(count / 8), y: H; block: 256 threads, a warp per key
// Bytes    H * count * (HEAD_DIM * sizeof(KEY) + 4 * WORDS + 2); [8, 124928, 128] of bf16: 290 MB,
//          floor 64 us at 4.5 TB/s. Warps of a block write neighbouring tokens, so that L2 joins
//          their words.
// Shared   none
// Rounds   turn and sums in float, the scale once to bf16; a zero key has code 0 and scale 0
// check: KEY=bf16 HEAD_DIM=128
// check: KEY=float HEAD_DIM=10
// check: KEY=f16 HEAD_DIM=80
// check: KEY=bf16 HEAD_DIM=256
#include "types.cuh"
#include "turn.cuh"

#ifndef KEY
#define KEY bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif

static const int PARTS = (HEAD_DIM + 31) / 32;
static const int WORDS = (HEAD_DIM + 15) / 16;
static const int BLOCK_TOKENS = 16;

extern "C" __global__ void __launch_bounds__(256) encodeKeys(
    const KEY* keys, const float* means, i32* codes, bf16* scales, i64 keyStride, i32 blocks, i32 to, i32 count) {
    int lane = threadIdx.x % 32, head = blockIdx.y;
    i32 row = blockIdx.x * 8 + threadIdx.x / 32;
    if (row >= count) return;
    const KEY* key = keys + (i64) head * keyStride + (i64) row * HEAD_DIM;
    const float* mean = means + (i64) head * HEAD_DIM;
    float x[PARTS], magnitude = 0;
#pragma unroll
    for (int i = 0; i < PARTS; i++) {
        int e = i * 32 + lane;
        x[i] = e < HEAD_DIM ? toFloat(key[e]) - mean[e] : 0.f;
    }
    turn<HEAD_DIM>(x);
#pragma unroll
    for (int i = 0; i < PARTS; i++) magnitude += fabsf(x[i]);
    magnitude = warpSum(magnitude) / HEAD_DIM;
    float perStep = magnitude > 0 ? 1.f / (1.1f * magnitude) : 0.f, squares = 0, products = 0;
    i32 token = to + row;
    i32* own = codes + ((i64) head * blocks + token / BLOCK_TOKENS) * (WORDS * BLOCK_TOKENS) + token % BLOCK_TOKENS;
#pragma unroll
    for (int i = 0; i < PARTS; i++) {
        float steps = x[i] * perStep;
        bool isCoded = magnitude > 0 && i * 32 + lane < HEAD_DIM;
        int code = isCoded ? (steps >= -1.f) + (steps >= 0.f) + (steps >= 1.f) : 0;
        squares += x[i] * x[i];
        products += x[i] * (code - 1.5f);
        u32 bits = (u32) code << 2 * (lane % 16);
#pragma unroll
        for (int d = 8; d > 0; d /= 2) bits |= __shfl_xor_sync(ALL_LANES, bits, d);
        int word = 2 * i + lane / 16;
        if (lane % 16 == 0 && word < WORDS) own[word * BLOCK_TOKENS] = (i32) bits;
    }
    squares = warpSum(squares);
    products = warpSum(products);
    if (lane == 0) scales[(i64) head * blocks * BLOCK_TOKENS + token] = fromFloat<bf16>(magnitude > 0 ? squares / products : 0.f);
}
