// appendRows: writes each sequence's new key and value to its row of the region, rounded to the
// region's type.
//   keys(slots[i])[h, writeRows[i]] = newKeys[i, h]; values likewise
//
// newKeys, newValues  ACT [rows, kvHeads, HEAD_DIM], aligned to VEC elements
// table               AttendedEntry [slots]; keys KEY, values VALUE [kvHeads, capacity, HEAD_DIM],
//                     aligned to VEC elements
// slots               [rows], -1 skips the row; writeRows [rows]
// grid                (rows, 2): y = 0 keys, 1 values; any number of threads
//
// Bytes               2 * rows * kvHeads * HEAD_DIM * (both element sizes): 131 KB at 32 rows of 8
//                     heads of 128; the launch dominates
// Precision           rounds once, to nearest even
// Fails               never; VEC divides HEAD_DIM
//
// check: HEAD_DIM=128 VEC=8
// check: HEAD_DIM=6 VEC=2 ACT=bf16 KEY=float VALUE=f16
#include "overlap.cuh"
#include "tables.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef KEY
#define KEY bf16
#endif
#ifndef VALUE
#define VALUE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef VEC
#define VEC 8
#endif

template <typename T> static __device__ __forceinline__ void append(const ACT* rows, T* target, i64 capacity, i64 at, i32 elements) {
    for (i32 k = threadIdx.x * VEC; k < elements; k += blockDim.x * VEC) {
        i32 head = k / HEAD_DIM;
        auto source = *(const Vector<ACT, VEC>*) (rows + k);
        Vector<T, VEC> rounded;
#pragma unroll
        for (int e = 0; e < VEC; e++) rounded.at[e] = fromFloat<T>(toFloat(source.at[e]));
        *(Vector<T, VEC>*) (target + (head * capacity + at) * HEAD_DIM + (k - head * HEAD_DIM)) = rounded;
    }
}

extern "C" __global__ void appendRows(const ACT* newKeys, const ACT* newValues, const AttendedEntry* table, const i32* slots, const i32* writeRows, i32 kvHeads) {
    letNextStart();
    i32 row = blockIdx.x, slot = slots[row], elements = kvHeads * HEAD_DIM;
    waitForPrevious();
    if (slot < 0) return;
    const AttendedEntry& entry = table[slot];
    if (blockIdx.y == 0) append<KEY>(newKeys + (i64) row * elements, (KEY*) entry.keys, entry.capacity, writeRows[row], elements);
    else append<VALUE>(newValues + (i64) row * elements, (VALUE*) entry.values, entry.capacity, writeRows[row], elements);
}
