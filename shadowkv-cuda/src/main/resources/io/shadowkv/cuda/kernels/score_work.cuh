// The division of units among the workers of score_landmarks.cu and score_codes.cu, and reads of
// data that other workers have written. The list of all tiles of units (rows outermost, then heads;
// a head of a row is a segment) is divided into passes of some rows or segments, and each pass into
// even shares, for any mixture of lengths.
#pragma once
#include "mma.cuh"
#include "slices.cuh"

// The work, known to all workers.
struct Work {
    const IndexedEntry* table;
    const i32 *slots, *units;
    const int* starts;  // first tile of each row; starts[rows]: number of tiles
    int rows, kvHeads, passRows, workers;
};

// A worker's tiles of a pass.
struct Share {
    int first, end;            // in the list of all tiles
    int base, total, workers;  // tiles before the pass; tiles in it; workers that have some
};

static __device__ __forceinline__ Share shareOfTiles(const Work& work, int base, int total, int worker) {
    int workers = min(total, work.workers);
    if (worker >= workers) return {base, base, base, total, workers};
    return {base + shareStart(total, worker, workers), base + shareStart(total, worker + 1, workers), base, total, workers};
}

static __device__ __forceinline__ Share shareOfPass(const Work& work, int pass, int worker) {
    int base = work.starts[pass * work.passRows];
    return shareOfTiles(work, base, work.starts[min(work.rows, (pass + 1) * work.passRows)] - base, worker);
}

struct Segment { int row, index, first, end, count; };  // index below rows * kvHeads; tiles first to end (exclusive); count of landmarks

static __device__ __forceinline__ Segment segmentOf(const Work& work, int tile) {
    int row = sliceOf(work.starts, work.rows, tile), start = work.starts[row];
    int tiles = (work.starts[row + 1] - start) / work.kvHeads, head = (tile - start) / tiles;
    return {row, row * work.kvHeads + head, start + head * tiles, start + (head + 1) * tiles, work.units[row]};
}

static __device__ __forceinline__ void countUp(u32* p) {  // after this thread's writes, and those that it has seen
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" :: "l"(p) : "memory");
}
static __device__ __forceinline__ u32 readCounter(const u32* p) {
    u32 x;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(x) : "l"(p) : "memory");
    return x;
}
static __device__ __forceinline__ float2 readPast(const float2* p) {  // written by another block, so not read through L1
    float2 x;
    asm volatile("ld.global.cg.v2.f32 {%0, %1}, [%2];" : "=f"(x.x), "=f"(x.y) : "l"(p) : "memory");
    return x;
}

// Landmarks are read once per step, and must not evict logits from L2.
static __device__ __forceinline__ u64 evictFirst() {
    u64 policy;
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
    return policy;
}
static __device__ __forceinline__ void copyOnce(void* shared, const u8* global, bool valid, u64 policy) {
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global.L2::cache_hint [%0], [%1], 16, %2, %3;"
        :: "r"(sharedAddress(shared)), "l"(global), "r"(bytes), "l"(policy) : "memory");
}
