// means[h] = sum over t < count of keys[h, t] / count (ShadowOperations.meanKeys), in two kernels:
// sumKeys adds the rows of a part of each head, meanKeys the parts.
//
// Source:  op/ShadowOperations.meanKeys
// keys     KEY [H, capacity, HEAD_DIM], the pointer is at the first row of head 0
// sums     double [H, parts, HEAD_DIM]
// means    float [H, HEAD_DIM]
// Macros   KEY: element type; HEAD_DIM
// Grid     sumKeys: (parts, H), meanKeys: H; blocks of 256 threads
// Bytes    H * count * HEAD_DIM * sizeof(KEY); [8, 124928, 128] of bf16: 256 MB, floor 57 us at
//          4.5 TB/s
// Shared   2 KiB static
// Rounds   sums in double, in an order that depends on count only; the mean once, to float
// check: KEY=bf16 HEAD_DIM=128
// check: KEY=float HEAD_DIM=10
// check: KEY=f16 HEAD_DIM=80
// check: KEY=bf16 HEAD_DIM=576
#include "types.cuh"

#ifndef KEY
#define KEY bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif

static const int THREADS = 256;
static const int COLUMNS = HEAD_DIM < THREADS ? HEAD_DIM : THREADS;  // that a block reads at a time
static const int ROWS = THREADS / COLUMNS;
static const int FLIGHT = 8;  // loads that a thread starts before it adds

extern "C" __global__ void __launch_bounds__(THREADS)
sumKeys(const KEY* keys, double* sums, i64 keyStride, i32 count) {
    __shared__ double partial[THREADS];
    i32 parts = gridDim.x, from = (i32) ((i64) count * blockIdx.x / parts), to = (i32) ((i64) count * (blockIdx.x + 1) / parts);
    int own = threadIdx.x / COLUMNS;
    for (int base = 0; base < HEAD_DIM; base += COLUMNS) {
        int column = base + threadIdx.x % COLUMNS;
        const KEY* at = keys + (i64) blockIdx.y * keyStride + column;
        double sum = 0;
        if (own < ROWS && column < HEAD_DIM) {
            for (i32 row = from + own; row < to; row += ROWS * FLIGHT) {
                float some[FLIGHT];
#pragma unroll
                for (int j = 0; j < FLIGHT; j++) some[j] = row + j * ROWS < to ? toFloat(at[(i64) (row + j * ROWS) * HEAD_DIM]) : 0.f;
#pragma unroll
                for (int j = 0; j < FLIGHT; j++) sum += some[j];
            }
        }
        __syncthreads();
        partial[threadIdx.x] = sum;
        __syncthreads();
        if (own == 0 && column < HEAD_DIM) {
            for (int r = 1; r < ROWS; r++) sum += partial[r * COLUMNS + threadIdx.x];
            sums[((i64) blockIdx.y * parts + blockIdx.x) * HEAD_DIM + column] = sum;
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) meanKeys(const double* sums, float* means, i32 parts, i32 count) {
    for (int column = threadIdx.x; column < HEAD_DIM; column += THREADS) {
        double sum = 0;
        for (int part = 0; part < parts; part++) sum += sums[((i64) blockIdx.x * parts + part) * HEAD_DIM + column];
        means[(i64) blockIdx.x * HEAD_DIM + column] = (float) (sum / count);
    }
}
