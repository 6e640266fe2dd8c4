// Decodes a quantised matrix to plain numbers, for products of many rows.
//
// Arguments  images (tiled_weight.cuh), out OUT [rows, width], width, count = rows * width
// Grid       256 threads per block, VECTOR neighbouring elements of a row per thread.
// Bytes      the codes once and count * sizeof(OUT). A matrix of 14336 x 4096 to bf16: 117 MB, 40 us
//            by its bytes; the index arithmetic of about 25 instructions per element takes 60 us.
// Limits     width a multiple of VECTOR; out aligned to VECTOR elements.
//
// check: FORMAT=INT8 OUT=bf16 VECTOR=8
// check: FORMAT=FP8 SCALE=float PARTS=2 OUT=f16 VECTOR=8
// check: FORMAT=INT4_ZERO PARTS=2 OUT=bf16 VECTOR=8
// check: FORMAT=Q5_K OUT=float VECTOR=4
// check: FORMAT=Q6_K OUT=bf16 VECTOR=8
#include "overlap.cuh"
#include "tiled_weight.cuh"

#ifndef OUT
#define OUT bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

extern "C" __global__ void __launch_bounds__(256) decodeTiled(const u8* images, OUT* out, int width, i64 count) {
    letNextStart();
    waitForPrevious();
    i64 at = ((i64) blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at >= count) return;
    int row = (int) (at / width), column = (int) (at % width), imagesOfRow = (width + IMAGE_COLUMNS - 1) / IMAGE_COLUMNS;
    Vector<OUT, VECTOR> decoded;
#pragma unroll
    for (int i = 0; i < VECTOR; i++) decoded.at[i] = fromFloat<OUT>(element(images, imagesOfRow, row, column + i));
    *(Vector<OUT, VECTOR>*) (out + at) = decoded;
}
