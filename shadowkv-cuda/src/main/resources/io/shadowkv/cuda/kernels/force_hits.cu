// Overwrites scores so that about hitRate of the units that the next selection selects are
// resident, and the rest are random (ShadowOperations.forceHits). io.shadowkv.op.ForcedHits has the
// formula; all backends compute the same bits.
//
// scores  float [rows, kvHeads, width]; the first units[i] of row i are written
// table   IndexedEntry [slots]: residentUnits, slots, selected, counters are read
// slots   i32 [rows], -1: padding        units i32 [rows], 0: skipped
//
// Grid: (ceil(width / PART), rows * kvHeads) blocks of 1024 threads; a block writes PART units. No
// shared memory. Bytes: 4 written for each unit.
//
// check: EXTRA=0
#include "overlap.cuh"
#include "tables.cuh"

static const int THREADS = 1024;
static const int PART = 8 * THREADS;
static const u32 GOLDEN_RATIO = 0x9E3779B9u;

// MurmurHash3's fmix32.
static __device__ __forceinline__ u32 mix(u32 bits) {
    bits = (bits ^ bits >> 16) * 0x85EBCA6Bu;
    bits = (bits ^ bits >> 13) * 0xC2B2AE35u;
    return bits ^ bits >> 16;
}

extern "C" __global__ void __launch_bounds__(THREADS) forceHits(
    float* scores, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int kvHeads, int width, double hitRate) {
    letNextStart();
    int row = blockIdx.y / kvHeads, head = blockIdx.y % kvHeads, from = blockIdx.x * PART;
    int count = slots[row] < 0 ? 0 : units[row], to = min(count, from + PART);
    waitForPrevious();
    if (from >= count) return;
    const IndexedEntry& entry = table[slots[row]];
    float* own = scores + ((i64) row * kvHeads + head) * width;
    u32 base = mix((u32) entry.counters[0] + GOLDEN_RATIO * (u32) (head + 1));
    for (int u = from + threadIdx.x; u < to; u += THREADS)
        own[u] = ((float) (mix((base ^ 0x80000000u) + (u32) u) >> 9) + 0.5f) * 0x1p-23f;
    __syncthreads();
    u64 threshold = (u64) (hitRate * entry.selected / entry.slots * 0x1p32);
    for (int s = threadIdx.x; s < entry.slots; s += THREADS) {
        int unit = entry.residentUnits[(i64) head * entry.slots + s];
        if (unit >= from && unit < to) own[unit] = mix(base + (u32) s) < threshold ? 2.f : 0.f;
    }
}
