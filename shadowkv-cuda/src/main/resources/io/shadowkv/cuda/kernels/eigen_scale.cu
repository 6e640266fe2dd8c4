// Prepares a symmetric matrix for the eigensolver: scales it by a power of two so that its largest
// element is in [1, 2). The eigenvectors do not change, and squares stay within the range of float.
//
// largestElement  matrix float [count] -> largest u32 [1], the bits of the largest magnitude; zero
//                 before
// scaleMatrix     matrix float [count], largest u32 [1] -> scaled SCALED [count]; a zero matrix
//                 stays zero
// Grid            256 threads a block, any number of blocks.
// Bytes           12 * count: a Gram matrix of width 1024: 12.6 MB from the L2 cache, 4 us.
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
    // The bits of non-negative floats have the order of the floats.
    if (threadIdx.x % 32 == 0) atomicMax(largest, __float_as_uint(most));
}

extern "C" __global__ void __launch_bounds__(256) scaleMatrix(const float* matrix, i64 count, const u32* largest, SCALED* scaled) {
    int exponent = (int) (*largest >> 23);
    // In two steps, because 2^-exponent may be outside the range of float. Subnormal elements count
    // as exponent 0.
    int shift = 127 - exponent;
    float half = __int_as_float((127 + shift / 2) << 23);
    float rest = __int_as_float((127 + shift - shift / 2) << 23);
    for (i64 i = (i64) blockIdx.x * 256 + threadIdx.x; i < count; i += (i64) gridDim.x * 256) scaled[i] = (SCALED) (matrix[i] * half * rest);
}
