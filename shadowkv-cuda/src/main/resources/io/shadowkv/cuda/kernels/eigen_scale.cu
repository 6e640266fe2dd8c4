// Makes a symmetric matrix ready for the eigensolver: scaled by a power of two so that its largest element lies in
// [1, 2), which leaves eigenvectors as they are and squares within float's range.
//
// largestElement  matrix float [count] -> largest u32 [1], the bits of the largest magnitude; zero before
// scaleMatrix     matrix float [count], largest u32 [1] -> scaled SCALED [count]; a matrix of zeros stays one
// Grid            256 threads a block, any number of blocks.
// Bytes           12 * count: a gram of 1024: 12.6 MB from the L2 cache, 4 us.
//
// check: SCALED=float
// check: SCALED=double
#include "warp.cuh"

#ifndef SCALED
#define SCALED float
#endif

extern "C" __global__ void __launch_bounds__(256) largestElement(const float* matrix, i64 count, u32* largest) {
    float most = 0.f;
    for (i64 i = (i64) blockIdx.x * 256 + threadIdx.x; i < count; i += (i64) gridDim.x * 256) most = fmaxf(most, fabsf(matrix[i]));
    most = warpMax(most);
    // Bits of non-negative floats are in the floats' order.
    if (threadIdx.x % 32 == 0) atomicMax(largest, __float_as_uint(most));
}

extern "C" __global__ void __launch_bounds__(256) scaleMatrix(const float* matrix, i64 count, const u32* largest, SCALED* scaled) {
    int exponent = (int) (*largest >> 23);
    // In two steps, since 2^-exponent itself may be beyond float. Subnormal matrices are treated as if of exponent 0.
    int shift = 127 - exponent;
    float half = __int_as_float((127 + shift / 2) << 23);
    float rest = __int_as_float((127 + shift - shift / 2) << 23);
    for (i64 i = (i64) blockIdx.x * 256 + threadIdx.x; i < count; i += (i64) gridDim.x * 256) scaled[i] = (SCALED) (matrix[i] * half * rest);
}
