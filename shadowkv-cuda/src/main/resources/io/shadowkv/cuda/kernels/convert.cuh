// Conversion of elements and vectors between storage types. Equal types keep their bits, including
// those of NaN.
#pragma once
#include "types.cuh"

template <typename Target, typename Source> struct Conversion {
    static __device__ __forceinline__ Target of(Source x) { return fromFloat<Target>(toFloat(x)); }
};
template <typename Same> struct Conversion<Same, Same> {
    static __device__ __forceinline__ Same of(Same x) { return x; }
};

template <typename Target, typename Source, int N>
static __device__ __forceinline__ Vector<Target, N> convert(const Vector<Source, N>& from) {
    Vector<Target, N> to;
#pragma unroll
    for (int e = 0; e < N; e++) to.at[e] = Conversion<Target, Source>::of(from.at[e]);
    return to;
}

// The smallest power of two that is at least n.
static constexpr int powerOfTwo(int n) {
    int power = 1;
    while (power < n) power *= 2;
    return power;
}
