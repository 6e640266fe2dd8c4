// Product with a quantised matrix, of any sizes: out[i, j] = sum_k x[i, k] * weight[j, k] (+ bias[j]).
//
// Arguments  x [rows, depth], images of the weight [columns, depth] (tiled_weight.cuh), bias
//            [columns] or null, out [rows, columns]
// Types      LEFT, BIAS, OUT: any of float, bf16, f16; sums in float in ascending k, rounded once.
// Grid       (columns / 32, rows / 32) blocks of 256 threads, four elements per thread.
// Bytes      the codes once for every 32 rows; bound by arithmetic. For sizes, types and devices
//            that linear_tiled.cu does not support.
// Shared     8.25 KiB, static.
//
// check: FORMAT=INT8 LEFT=float BIAS=bf16 OUT=float
// check: FORMAT=FP8 SCALE=float PARTS=1 LEFT=bf16 BIAS=bf16 OUT=bf16
// check: FORMAT=INT4 LEFT=float BIAS=float OUT=float
// check: FORMAT=INT4_ZERO PARTS=2 LEFT=f16 BIAS=f16 OUT=f16
// check: FORMAT=Q6_K LEFT=float BIAS=float OUT=float
#include "tiled_weight.cuh"

#ifndef LEFT
#define LEFT float
#endif
#ifndef BIAS
#define BIAS float
#endif
#ifndef OUT
#define OUT float
#endif

static const int TILE = 32;

extern "C" __global__ void __launch_bounds__(256) multiplyTiled(const LEFT* x, const u8* images, const BIAS* bias, OUT* out, int rows, int columns, int depth) {
    __shared__ float left[TILE][TILE + 1];
    __shared__ float right[TILE][TILE + 1];
    int firstRow = blockIdx.y * TILE, firstColumn = blockIdx.x * TILE;
    int row = threadIdx.x / 32 * 4, column = threadIdx.x % 32, imagesOfRow = (depth + IMAGE_COLUMNS - 1) / IMAGE_COLUMNS;
    float sums[4] = {};
    for (int k = 0; k < depth; k += TILE) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int slow = threadIdx.x / 32 + 8 * i, fast = threadIdx.x % 32;
            bool isInside = k + fast < depth;
            left[slow][fast] = isInside && firstRow + slow < rows ? toFloat(x[(i64) (firstRow + slow) * depth + k + fast]) : 0.f;
            right[slow][fast] = isInside && firstColumn + slow < columns ? element(images, imagesOfRow, firstColumn + slow, k + fast) : 0.f;
        }
        __syncthreads();
#pragma unroll 8
        for (int i = 0; i < TILE; i++) {
            float factor = right[column][i];
#pragma unroll
            for (int r = 0; r < 4; r++) sums[r] = fmaf(left[row + r][i], factor, sums[r]);
        }
        __syncthreads();
    }
    column += firstColumn;
    if (column >= columns) return;
    float added = bias ? toFloat(bias[column]) : 0.f;
#pragma unroll
    for (int r = 0; r < 4; r++) {
        if (firstRow + row + r >= rows) break;
        out[(i64) (firstRow + row + r) * columns + column] = fromFloat<OUT>(sums[r] + added);
    }
}
