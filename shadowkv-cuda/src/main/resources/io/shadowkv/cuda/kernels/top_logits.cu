// The largest logits of a part of a row, and the part's sums of exponentials: first half of
// SamplingOperations.topLogits. top_candidates.cu selects among the parts' results.
//
// Arguments  logits float [rows, width], inverseTemperatures float [rows]
//            keys u64 [rows, parts, wanted]: the part's largest, in any order; 0 where there are fewer
//            partials double [rows, parts, 4]: largest logit, sum of exp(l - largest), sum of exp((l - largest) *
//            inverseTemperature), 1 if there is a NaN or an infinity (else 0)
// Grid       parts blocks a row, rows along y, of 1024 threads; a part is EACH * 1024 logits, which stay in registers.
// Bytes      rows * width * 4, just written and so in the L2 cache: 32 rows of 128,256: 16.4 MB, 4 us at 4.3 TB/s;
//            writes rows * parts * wanted * 8: at most 1 / 4 of it where EACH is 8 (k = 1024), 1 / 80 for k = 50.
//            Not bound by memory: about 20 barriers of 1024 threads each, 2 us; up to 52 where many logits are equal.
// Precision  exponentials in float, summed in double. Selection is exact.
// Limits     width up to 2^19; with VECTOR > 1: width a multiple of VECTOR, logits aligned to VECTOR elements.
//            EACH = 32 spills registers, with and without ids kept apart.
//
// check: EACH=4 VECTOR=4
// check: EACH=8 VECTOR=4
// check: EACH=16 VECTOR=4
// check: EACH=8 VECTOR=2
// check: EACH=8 VECTOR=1
// check: EACH=16 VECTOR=1
#include "overlap.cuh"
#include "top_keys.cuh"

#ifndef EACH
#define EACH 8
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

static const int PART = EACH * KEY_THREADS;

// Place of a thread's j-th logit in its part.
static __device__ __forceinline__ int placeOf(int j) {
    return (j / VECTOR * KEY_THREADS + (int) threadIdx.x) * VECTOR + j % VECTOR;
}

extern "C" __global__ void __launch_bounds__(KEY_THREADS) topLogits(
    const float* logits, const float* inverseTemperatures, u64* keys, double* partials, int width, int wanted) {
    letNextStart();
    waitForPrevious();
    int first = blockIdx.x * PART, row = blockIdx.y;
    const float* part = logits + (i64) row * width + first;
    float factor = inverseTemperatures[row];
    u32 orders[EACH];
    float most = -infinity();
    bool isOdd = false;
#pragma unroll
    for (int j = 0; j < EACH; j += VECTOR) {
        bool isInside = first + placeOf(j) < width;
        Vector<float, VECTOR> values;
        if (isInside) values = *(const Vector<float, VECTOR>*) (part + placeOf(j));
#pragma unroll
        for (int v = 0; v < VECTOR; v++) {
            float value = isInside ? values.at[v] : -infinity();
            isOdd |= !(value < infinity());
            orders[j + v] = orderOf(value);
            most = fmaxf(most, value);
        }
    }
    int anyOdd = __syncthreads_or(isOdd);
    most = blockMax(most);
    double sum = 0, tempered = 0;
#pragma unroll
    for (int j = 0; j < EACH; j++) {
        float below = fmaxf(ofOrder(orders[j]) - most, -3.4028235e38f);  // finite, since the factor may be 0
        sum += orders[j] == 0 ? 0.f : expf(below);
        tempered += orders[j] == 0 ? 0.f : expf(below * factor);
    }
    sum = blockSum(sum);
    tempered = blockSum(tempered);
    i64 at = (i64) row * gridDim.x + blockIdx.x;
    if (threadIdx.x < 4) {
        double results[4] = {most, sum, tempered, anyOdd ? 1.0 : 0.0};
#pragma unroll
        for (int i = 0; i < 4; i++)
            if (threadIdx.x == i) partials[4 * at + i] = results[i];
    }
    choose<EACH>([&](int j) { return orders[j]; }, [&](int j) { return keyOf(orders[j], first + placeOf(j)); }, wanted,
        keys + at * wanted);
}
