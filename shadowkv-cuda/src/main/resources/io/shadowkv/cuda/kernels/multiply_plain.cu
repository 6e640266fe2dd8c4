// Product of matrices of any sizes: out[i, j] = sum_k a[i, k] * b[j, k] (+ bias[j]) (+ out[i, j]).
//
// Arguments  a [rows, depth] with element (i, k) at i * aRow + k * aColumn; b [columns, depth]
//            likewise; bias [columns] or null; out [rows, columns], row-major; isAdded: out is read
//            and added to
// Types      LEFT, RIGHT, BIAS, OUT: any of float, bf16, f16; sums in float in ascending k, rounded
//            once.
// Grid       (columns / 32, rows / 32) blocks of 256 threads, four elements per thread.
// Bytes      the operands once for every 32 rows or columns; bound by float arithmetic (at most 60
//            TFLOP/s, of which it reaches a third). For sizes and types that the fast kernels do
//            not support; 16-bit models do not use it.
// Shared     8.25 KiB, static.
//
// check: LEFT=float RIGHT=bf16 BIAS=bf16 OUT=float
// check: LEFT=bf16 RIGHT=bf16 BIAS=bf16 OUT=bf16
// check: LEFT=f16 RIGHT=float BIAS=float OUT=f16
#include "types.cuh"

#ifndef LEFT
#define LEFT float
#endif
#ifndef RIGHT
#define RIGHT float
#endif
#ifndef BIAS
#define BIAS float
#endif
#ifndef OUT
#define OUT float
#endif

static const int TILE = 32;

// Adjacent threads read along the contiguous dimension.
template <typename T>
static __device__ __forceinline__ void load(float (&tile)[TILE][TILE + 1], const T* source, i64 rowStride, i64 columnStride, int firstRow, int rows, int firstColumn, int columns) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        int slow = threadIdx.x / 32 + 8 * i, fast = threadIdx.x % 32;
        int row = columnStride == 1 ? slow : fast, column = columnStride == 1 ? fast : slow;
        bool isInside = firstRow + row < rows && firstColumn + column < columns;
        tile[row][column] = isInside ? toFloat(source[(firstRow + row) * rowStride + (firstColumn + column) * columnStride]) : 0.f;
    }
}

extern "C" __global__ void __launch_bounds__(256) multiplyPlain(const LEFT* a, i64 aRow, i64 aColumn, const RIGHT* b, i64 bRow, i64 bColumn,
        const BIAS* bias, OUT* out, int rows, int columns, int depth, int isAdded) {
    __shared__ float left[TILE][TILE + 1];
    __shared__ float right[TILE][TILE + 1];
    int firstRow = blockIdx.y * TILE, firstColumn = blockIdx.x * TILE;
    int row = threadIdx.x / 32 * 4, column = threadIdx.x % 32;
    float sums[4] = {};
    for (int k = 0; k < depth; k += TILE) {
        load(left, a, aRow, aColumn, firstRow, rows, k, depth);
        load(right, b, bRow, bColumn, firstColumn, columns, k, depth);
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
        i64 at = (i64) (firstRow + row + r) * columns + column;
        out[at] = fromFloat<OUT>(sums[r] + added + (isAdded ? toFloat(out[at]) : 0.f));
    }
}
