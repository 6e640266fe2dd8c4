// Eigenvectors as rows of a basis, largest eigenvalue first.
//
// Arguments  vectors VECTOR [count, width]: eigenvectors in ascending order of eigenvalue; basis
//            OUT [rank, width]: row i is vector count - 1 - i, rows from count on are zero
// Grid       one block of 256 threads per row.
// Bytes      rank * width * (4 + sizeof(OUT)): rank 160 of 1024: 1 MB, 2 us.
//
// check: OUT=bf16 VECTOR=float
// check: OUT=float VECTOR=double
#include "types.cuh"

#ifndef OUT
#define OUT bf16
#endif
#ifndef VECTOR
#define VECTOR float
#endif

extern "C" __global__ void __launch_bounds__(256) eigenRows(const VECTOR* vectors, int count, int width, OUT* basis) {
    int vector = count - 1 - (int) blockIdx.x;
    OUT* row = basis + (i64) blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += 256) row[i] = fromFloat<OUT>(vector < 0 ? 0.f : toFloat(vectors[(i64) vector * width + i]));
}
