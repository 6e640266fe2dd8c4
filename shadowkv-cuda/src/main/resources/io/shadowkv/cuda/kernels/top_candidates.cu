// The largest logits of a row in descending order, from those of its parts, and the row's log sums: second half of
// SamplingOperations.topLogits.
//
// Arguments  keys u64 [rows, parts, wanted], partials double [rows, parts, 4]: as top_logits.cu writes them
//            inverseTemperatures float [rows]; values float [rows, wanted], ids i32 [rows, wanted], logSums float [rows, 2]
// Grid       one block of 1024 threads a row. EACH keys a thread: parts * wanted is at most EACH * 1024.
// Bytes      parts * wanted * 8 a row, at most 256 KiB, from the L2 cache. Not bound by memory: at most 51 barriers to
//            select, 55 steps of the sort at 1024 candidates, about 5 us for any number of rows up to the
//            multiprocessors'. Above 16,384 keys (k = 1024 and a vocabulary above 262,144) about 30 us.
// Precision  log sums in double, rounded to float.
// Limits     wanted up to 1024, parts up to 128.
//
// check: EACH=1
// check: EACH=2
// check: EACH=4
// check: EACH=8
// check: EACH=16
// check: EACH=32
#include "overlap.cuh"
#include "top_keys.cuh"

#ifndef EACH
#define EACH 16
#endif
#define HELD (EACH <= 16)  // in registers; more would spill, and are read again in every round

// Sorts `size` keys (a power of two up to 1024) in descending order, a key a thread: Batcher's bitonic sort.
static __device__ void sort(u64* keys, int size) {
    int x = threadIdx.x;
    u64 own = x < size ? keys[x] : 0;
    for (int run = 2; run <= size; run *= 2) {
        for (int distance = run / 2; distance > 0; distance /= 2) {
            u64 other;
            if (distance < 32) {
                other = __shfl_xor_sync(ALL_LANES, own, distance);
            } else {
                __syncthreads();
                if (x < size) keys[x] = own;
                __syncthreads();
                other = x < size ? keys[x ^ distance] : 0;
            }
            bool takesLarger = ((x & run) == 0) == ((x & distance) == 0);
            own = takesLarger == (other > own) ? other : own;
        }
    }
    __syncthreads();
    if (x < size) keys[x] = own;
    __syncthreads();
}

extern "C" __global__ void __launch_bounds__(KEY_THREADS, 1) topCandidates(
    const u64* keys, const double* partials, const float* inverseTemperatures, float* values, i32* ids, float* logSums,
    int parts, int wanted) {
    __shared__ u64 chosen[KEY_THREADS];
    letNextStart();
    waitForPrevious();
    int row = blockIdx.x, x = threadIdx.x, lane = x % 32, count = parts * wanted;
    const double* own = partials + 4ll * row * parts;
    auto read = [&](int j) {
        int i = j * KEY_THREADS + x;
        return i < count ? keys[(i64) row * count + i] : 0;
    };
#if HELD
    u64 held[EACH];
#pragma unroll
    for (int j = 0; j < EACH; j++) held[j] = read(j);
    auto keyAt = [&](int j) { return held[j]; };
#else
    auto keyAt = read;
#endif
    chosen[x] = 0;
    // Every warp looks at all parts; the first two add up a sum each.
    float most = -infinity();
    bool isOdd = false;
    for (int p = lane; p < parts; p += 32) {
        most = fmaxf(most, (float) own[4 * p]);
        isOdd |= own[4 * p + 3] != 0;
    }
    most = warpMax(most);
    isOdd = __any_sync(ALL_LANES, isOdd) || most == -infinity();
    if (x < 64) {
        int which = x / 32;
        double factor = which == 0 ? 1.0 : (double) inverseTemperatures[row], sum = 0;
        for (int p = lane; p < parts; p += 32) {
            double part = own[4 * p + 1 + which];
            sum += part == 0 ? 0 : part * exp((own[4 * p] - (double) most) * factor);
        }
#pragma unroll
        for (int d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(ALL_LANES, sum, d);
        if (lane == 0) logSums[2ll * row + which] = isOdd ? __int_as_float(0x7fc00000) : (float) log(sum);
    }
    __syncthreads();
    choose<EACH>([&](int j) { return (u32) (keyAt(j) >> ID_BITS); }, keyAt, wanted, chosen);
    __syncthreads();
    int size = 1;
    while (size < wanted) size *= 2;
    sort(chosen, size);
    if (x < wanted) {
        u64 key = chosen[x];
        bool isNone = isOdd || key == 0;
        float none = isOdd ? __int_as_float(0x7fc00000) : -infinity();
        values[(i64) row * wanted + x] = isNone ? none : ofOrder((u32) (key >> ID_BITS));
        ids[(i64) row * wanted + x] = isNone ? -1 : idOf(key);
    }
}
