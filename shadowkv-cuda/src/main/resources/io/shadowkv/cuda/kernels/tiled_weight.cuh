// Quantised weights as TileImages.java lays them out: for every 128 rows and 256 columns an image
// of IMAGE_BYTES, images of one tile of rows after each other. An image holds
//   codes   8 bits: [warp 8][group 8][lane 32][16 bytes]; 4 bits: [warp 8][pair of groups 4][lane 32][16 bytes]
//   high    further bits of each code: Q5_K [warp 8][lane 32][16 bytes], Q6_K [warp 8][half 2][lane 32][16 bytes]
//   scales  [row 128][SCALE_BYTES]
//   more    [row 128][MORE_BYTES]: zero points, or the F16 scale of Q6_K
// Warp w has rows 16 w to 16 w + 15, and a group is 32 columns. Lane 4 g + q has rows g and g + 8
// of its warp (halves 0 and 1) and 8 columns of each group: in most formats columns 8 q to 8 q + 7,
// and in Q6_K, whose scales are for 16 columns, 4 q to 4 q + 3 and 16 + 4 q to 16 + 4 q + 3. These are
// the operands of mma.m16n8k16 if the order of the summed index is permuted within 32 columns. In a
// word of eight 4-bit codes, code i is at bit 4 * (i / 2) if i is even and 16 bits further if it is
// odd, so that one mask selects a pair of neighbours.
//
// Rows and columns outside the matrix have codes whose number is 0, and scales of 0.
//
// FORMAT  INT8      numbers code - 128 (stored so), times a scale of type SCALE
//         FP8       OCP E4M3, times a scale
//         INT4      code - 8, times a scale
//         INT4_ZERO code - zero point (a byte), times a scale
//         Q4_K Q5_K Q6_K  as ggml's blocks of 256; SCALE_BYTES are the 16 bytes before the codes
//                   (Q6_K: its 16 scales)
// PARTS   scales of a row in an image: 1, 2, 4 or 8
#pragma once
#include "types.cuh"

#define INT8 1
#define FP8 2
#define INT4 3
#define INT4_ZERO 4
#define Q4_K 5
#define Q5_K 6
#define Q6_K 7

#ifndef FORMAT
#define FORMAT INT8
#endif
#ifndef SCALE
#define SCALE f16
#endif
#ifndef PARTS
#define PARTS 8
#endif

static const int IMAGE_ROWS = 128;
static const int IMAGE_COLUMNS = 256;
static const bool IS_SPLIT = FORMAT == Q6_K;                     // a lane has two runs of 4 columns
static const bool HAS_OFFSETS = FORMAT == Q4_K || FORMAT == Q5_K;
static const int CODE_BYTES = FORMAT <= FP8 ? 32768 : 16384;
static const int HIGH_BYTES = FORMAT == Q5_K ? 4096 : FORMAT == Q6_K ? 8192 : 0;
static const int SCALE_BYTES = FORMAT >= Q4_K ? 16 : PARTS * (int) sizeof(SCALE);
static const int MORE_BYTES = FORMAT == INT4_ZERO ? PARTS : FORMAT == Q6_K ? 2 : 0;
static const int SCALES_AT = CODE_BYTES + HIGH_BYTES;
static const int MORE_AT = SCALES_AT + IMAGE_ROWS * SCALE_BYTES;
static const int IMAGE_BYTES = MORE_AT + IMAGE_ROWS * MORE_BYTES;

static __device__ __forceinline__ float halfAt(const u8* p) { return toFloat(*(const f16*) p); }

// The 6-bit scales (or offsets) of groups 4 to 7 of a K block, a byte each; groups 0 to 3 are the
// lower 6 bits of `first`.
static __device__ __forceinline__ u32 laterScales(u32 first, u32 last) {
    return (last & 0x0f0f0f0fu) | ((first >> 6) & 0x03030303u) << 4;
}

// Scales and offsets of a row of a K block. A byte becomes a float by its place in 2^23, and one
// fma removes 2^23 and multiplies, exactly.
struct RowScales {
    u32 scales[2], offsets[2];
    float scale, scaleBase, offset, offsetBase;

    __device__ __forceinline__ RowScales(const u8* at) {
        uint4 head = *(const uint4*) at;
        f16 d = {(u16) head.x}, m = {(u16) (head.x >> 16)};
        scale = toFloat(d);
        offset = -toFloat(m);
        scaleBase = scale * -8388608.f;
        offsetBase = offset * -8388608.f;
        scales[0] = head.y & 0x3f3f3f3fu;
        scales[1] = laterScales(head.y, head.w);
        offsets[0] = head.z & 0x3f3f3f3fu;
        offsets[1] = laterScales(head.z, head.w >> 4);
    }
    static __device__ __forceinline__ float number(u32 bytes, int group) { return __uint_as_float(__byte_perm(bytes, 0x4b000000u, 0x7440 + group % 4)); }
    __device__ __forceinline__ float scaleOf(int group) const { return fmaf(scale, number(group < 4 ? scales[0] : scales[1], group), scaleBase); }
    // Negative, so that an element is scale * code + offset.
    __device__ __forceinline__ float offsetOf(int group) const { return fmaf(offset, number(group < 4 ? offsets[0] : offsets[1], group), offsetBase); }
};

// One element, for kernels that are not fast.
static __device__ __forceinline__ float element(const u8* images, int imagesOfRow, int row, int column) {
    const u8* image = images + ((i64) (row / IMAGE_ROWS) * imagesOfRow + column / IMAGE_COLUMNS) * IMAGE_BYTES;
    int r = row % IMAGE_ROWS, warp = r / 16, half = r / 8 % 2, c = column % IMAGE_COLUMNS, group = c / 32, in = c % 32;
    int q = IS_SPLIT ? in % 16 / 4 : in / 8;
    int i = IS_SPLIT ? in / 16 * 4 + in % 4 : in % 8;
    int lane = r % 8 * 4 + q;
    const u8* scales = image + SCALES_AT + r * SCALE_BYTES;
    const u8* more = image + MORE_AT + r * MORE_BYTES;
    if (FORMAT <= FP8) {
        u8 code = image[((warp * 8 + group) * 32 + lane) * 16 + half * 8 + i];
        float number = FORMAT == INT8 ? (float) ((int) code - 128) : toFloat(f8{code});
        return number * toFloat(((const SCALE*) scales)[group * PARTS / 8]);
    }
    u32 word = *(const u32*) (image + ((warp * 4 + group / 2) * 32 + lane) * 16 + group % 2 * 8 + half * 4);
    int code = word >> (i % 2 * 16 + i / 2 * 4) & 15;
    if (FORMAT == INT4) return (float) (code - 8) * toFloat(((const SCALE*) scales)[group * PARTS / 8]);
    if (FORMAT == INT4_ZERO) return (float) (code - (int) more[group * PARTS / 8]) * toFloat(((const SCALE*) scales)[group * PARTS / 8]);
    if (FORMAT == Q6_K) {
        u32 high = *(const u32*) (image + CODE_BYTES + ((warp * 2 + group / 4) * 32 + lane) * 16 + group % 4 * 4);
        code |= (high >> (i % 2 * 16 + (half * 4 + i / 2) * 2) & 3) << 4;
        float own = halfAt(more) * (float) ((const i8*) scales)[group * 2 + in / 16];
        return own * (float) (code - 32);
    }
    if (FORMAT == Q5_K) {
        u32 high = *(const u32*) (image + CODE_BYTES + (warp * 32 + lane) * 16 + group / 2 * 4);
        code |= (high >> (i % 2 * 16 + group % 2 * 8 + half * 4 + i / 2) & 1) << 4;
    }
    RowScales own(scales);
    return fmaf(own.scaleOf(group), (float) code, own.offsetOf(group));
}
