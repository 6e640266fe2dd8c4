// Logits of forbidden tokens become -infinity (SamplingOperations.maskLogits).
//
// Arguments  logits float [rows, width], in place; bits u32 [rows, words], words = ceil(width / 32): token j is allowed
//            if bit j % 32 of word j / 32 is 1; masked i32 [rows], 0: the row stays as it is
// Grid       256 threads a block, VECTOR logits a thread; rows along y.
// Bytes      rows * width * (4 + 1 / 8): logits are written, not read: 32 rows of 128,256: 16.9 MB, 4 us at 4.3 TB/s.
// Limits     with VECTOR > 1: width a multiple of VECTOR, logits aligned to VECTOR elements; rows up to 65,535.
//
// check: VECTOR=4
// check: VECTOR=1
#include "overlap.cuh"

#ifndef VECTOR
#define VECTOR 1
#endif

extern "C" __global__ void __launch_bounds__(256) maskLogits(
    float* logits, const u32* bits, const i32* masked, int width, int words) {
    letNextStart();
    waitForPrevious();
    int row = blockIdx.y, at = (blockIdx.x * 256 + threadIdx.x) * VECTOR;
    if (at >= width || masked[row] == 0) return;
    const float none = -__int_as_float(0x7f800000);
    u32 allowed = bits[(i64) row * words + at / 32] >> at % 32 & ((1u << VECTOR) - 1);
    float* own = logits + (i64) row * width + at;
    if (allowed == 0) {
        Vector<float, VECTOR> nones;
#pragma unroll
        for (int v = 0; v < VECTOR; v++) nones.at[v] = none;
        *(Vector<float, VECTOR>*) own = nones;
    } else {
#pragma unroll
        for (int v = 0; v < VECTOR; v++)
            if ((allowed >> v & 1) == 0) own[v] = none;
    }
}
