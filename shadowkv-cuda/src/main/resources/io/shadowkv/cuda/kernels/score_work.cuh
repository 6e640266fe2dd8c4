// How the workers of score_landmarks.cu divide landmarks: a line of tiles of 16 (rows outermost, then heads: a head of a
// row is a segment) is cut into passes of `passRows` rows, and each pass into even shares, so that lengths may differ as
// they like; and how a worker reads what others have written.
#pragma once
#include "mma.cuh"
#include "slices.cuh"

// What all workers know of the work.
struct Work {
    const IndexedEntry* table;
    const i32 *slots, *units;
    const int* starts;  // first tile of each row; starts[rows]: tiles of all
    int rows, kvHeads, passRows, workers;
};

// A worker's tiles of a pass.
struct Share {
    int first, end;            // in the line of all tiles
    int base, total, workers;  // tiles before the pass and in it; those who have some
};

static __device__ __forceinline__ Share shareOfPass(const Work& work, int pass, int worker) {
    int base = work.starts[pass * work.passRows];
    int total = work.starts[min(work.rows, (pass + 1) * work.passRows)] - base, workers = min(total, work.workers);
    if (worker >= workers) return {base, base, base, total, workers};
    return {base + shareStart(total, worker, workers), base + shareStart(total, worker + 1, workers), base, total, workers};
}

struct Segment { int row, index, first, end, count; };  // index: of rows * kvHeads; tiles first until end; landmarks

static __device__ __forceinline__ Segment segmentOf(const Work& work, int tile) {
    int row = sliceOf(work.starts, work.rows, tile), start = work.starts[row];
    int tiles = (work.starts[row + 1] - start) / work.kvHeads, head = (tile - start) / tiles;
    return {row, row * work.kvHeads + head, start + head * tiles, start + (head + 1) * tiles, work.units[row]};
}

static __device__ __forceinline__ u32 readCounter(const u32* p) {
    u32 x;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(x) : "l"(p) : "memory");
    return x;
}
static __device__ __forceinline__ float2 readPast(const float2* p) {  // what another block wrote: not through L1
    float2 x;
    asm volatile("ld.global.cg.v2.f32 {%0, %1}, [%2];" : "=f"(x.x), "=f"(x.y) : "l"(p) : "memory");
    return x;
}

// Landmarks are read once a step: they must not push logits out of L2.
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
