// ShadowKV's scoring with token codes: scores[i, h, u] =
//   max over g of softmax over u of (turned query[i, h * GROUP + g] . key(code of token u) * scale)
// A key's element is its level, code - 1.5, times the token's scale (op/host/KeyCodes).
//
// limbs, factors  the queries as turn_queries.cu splits them; limbs 16-byte aligned
// table     IndexedEntry [slots]: entries, the codes i32 [kvHeads, codeBlocks, WORDS, 16];
//           entryScales bf16 [kvHeads, codeBlocks * 16]; both 16-byte aligned
// slots     i32 [rows], -1: padding        units i32 [rows], tokens of each row, 0: skipped
// scores    float [rows, kvHeads, width]; the first units[i] of row i are written
// logits    float [blocks, 2, shareTiles, GROUP, 32] by block; not used if IN_SHARED
// partials  float2 [passes * blocks + rows * kvHeads, GROUP]: a reference, sum of 2^(logit -
//           reference). All zero before (turn_queries.cu); a sum that is not zero has been written
//
// A worker is a block with a share of each pass of passSegments segments (a head of a row each).
// Its first WARPS warps stream the tiles of 32 tokens of its share, each through a ring of its own
// (cp.async; the ring continues into the next pass), and keep the logits. Then the last warp adds
// the sums of the block and publishes them, and reads those of the other blocks of the same
// segments while the others stream the next pass. After that they turn the logits of the pass
// before into scores. There is no barrier of the grid: a block publishes a reference and its sum in
// one write of 8 bytes, so the others read until it is there. That takes about 3,000 cycles of the
// last warp, and a pass about 8,000 at the memory's rate.
//
// Fixed: HEAD_DIM at most 256; GROUP <= 16. A wave has fewer than 2^31 / blocks tiles in a pass.
// Grid: at most as many blocks of 32 * (WARPS + 1) threads as run at the same time. Workers wait
// for each other, so the launch is cooperative (Kernel.launchTogether).
// Shared memory: WARPS * STAGES * STAGE (65,280 at 128) + 2 * shareTiles * GROUP * 128 if IN_SHARED
// + 16 * passes + 16 * passSegments * (WARPS + 1) * GROUP + 4 * (2 * rows + 1) bytes dynamic.
// shareTiles: tiles of the longest possible pass / blocks, rounded up.
// Bytes: codes and scales once, 4 * WORDS + 2 each (20 rows x 8 heads x 124,928 x 34 B = 680 MB: 148
// us at 4.58 TB/s), 4 written for each.
// Precision: sums of integers are exact; the query has 24 bits, the softmax is in float.
//
// check: HEAD_DIM=128 GROUP=4 WARPS=15 STAGES=4 IN_SHARED=1
// check: HEAD_DIM=128 GROUP=8 WARPS=11 STAGES=5 IN_SHARED=1
// check: HEAD_DIM=128 GROUP=16 WARPS=7 STAGES=8 IN_SHARED=0
// check: HEAD_DIM=64 GROUP=4 WARPS=15 STAGES=7 IN_SHARED=1
// check: HEAD_DIM=80 GROUP=1 WARPS=15 STAGES=4 IN_SHARED=1
// check: HEAD_DIM=6 GROUP=7 WARPS=11 STAGES=8 IN_SHARED=1
// check: HEAD_DIM=256 GROUP=4 WARPS=7 STAGES=4 IN_SHARED=1
#include "overlap.cuh"
#include "score_work.cuh"
#include "code_sums.cuh"

#ifndef WARPS
#define WARPS 15
#endif
#ifndef STAGES
#define STAGES 4
#endif
#ifndef IN_SHARED
#define IN_SHARED 1
#endif

static const int BLOCK_PIECES = BLOCK_BYTES / 16, PIECES = 2 * BLOCK_PIECES;
static const int AT_ONCE = GROUP <= 8 ? 6 : 3;  // sums of other blocks that a lane reads at a time
static const u32 THREADS = 32 * (WARPS + 1);

// A block's tiles of a pass, first to end (exclusive), and the segment of the first one.
struct alignas(16) PassShare { int first, end, segment, segmentFirst; };

static __device__ __forceinline__ int firstTileOf(const Work& work, int segment) {
    int row = segment / work.kvHeads;
    if (row >= work.rows) return work.starts[work.rows];
    return work.starts[row] + (work.starts[row + 1] - work.starts[row]) / work.kvHeads * (segment % work.kvHeads);
}

static __device__ __forceinline__ PassShare shareOfPass(const Work& work, int passSegments, int pass, int worker) {
    int base = firstTileOf(work, pass * passSegments);
    int end = firstTileOf(work, min(work.rows * work.kvHeads, (pass + 1) * passSegments));
    Share share = shareOfTiles(work, base, end - base, worker);
    if (share.first >= share.end) return {0, 0, 0, 0};
    Segment segment = segmentOf(work, share.first);
    return {share.first, share.end, segment.index, segment.first};
}

// A segment, moved forwards: its tiles are first to end (exclusive).
struct Cursor {
    int index, first, end, count;

    __device__ __forceinline__ void begin(const PassShare& share) { index = share.segment - 1, first = end = share.segmentFirst, count = 0; }
    // To the segment that contains `tile`, which this one or a later one does.
    __device__ __forceinline__ void seek(const int* counts, int kvHeads, int tile) {
        while (tile >= end) {
            index++;
            count = counts[index / kvHeads];
            first = end;
            end += (count + TILE - 1) / TILE;
        }
    }
};

// The memory of a block, and what its phases share.
struct Block {
    Work work;
    int passSegments, shareTiles, passes, width;
    PassShare* shares;   // [passes]
    int* counts;         // tokens of each row, [rows]
    float* logits;       // [2, shareTiles, LOGITS]
    float2* own;         // [2, passSegments, WARPS, GROUP], of warps
    float2* normalisers; // [2, passSegments, GROUP]: reference, log2 of the sum of 2^(logit - reference)
    u64* partials;

    __device__ __forceinline__ float* logitsOf(int pass) const { return logits + (i64) (pass % 2) * shareTiles * LOGITS; }
    __device__ __forceinline__ int slotOf(int pass, int segment) const { return pass % 2 * passSegments + segment - pass * passSegments; }
    __device__ __forceinline__ u64* partialsOf(int pass, int block, int segment) const {
        return partials + ((i64) pass * work.workers + block + segment) * GROUP;
    }
    __device__ __forceinline__ void seek(Cursor& cursor, int tile) const { cursor.seek(counts, work.kvHeads, tile); }
};

// The part of a warp that fetches, STAGES tiles ahead.
struct Fetch {
    int pass, at, end;
    Cursor segment;
    const u8 *codes, *scales;

    __device__ __forceinline__ void begin(const Block& block, int firstPass) {
        at = end = 0;
        for (pass = firstPass; pass < block.passes && at >= end; pass++) {
            PassShare share = block.shares[pass];
            at = share.first + threadIdx.x / 32, end = share.end;
            segment.begin(share);
        }
        if (at < end) locate(block);
    }
    __device__ __forceinline__ void locate(const Block& block) {
        block.seek(segment, at);
        int row = segment.index / block.work.kvHeads;
        const IndexedEntry& entry = block.work.table[block.work.slots[row]];
        i64 firstBlock = (i64) (segment.index - row * block.work.kvHeads) * entry.codeBlocks;
        codes = (const u8*) entry.entries + firstBlock * BLOCK_BYTES;
        scales = (const u8*) entry.entryScales + firstBlock * (BLOCK_TOKENS * 2);
    }
    // Starts to copy the next tile, if there is one; a block of codes that does not exist becomes
    // zeros. Copies have no cache policy: where only some lanes copy, CUDA 13.0 assembles those with
    // a policy as illegal instructions.
    __device__ __forceinline__ void copy(const Block& block, u8* stage) {
        if (at < end) {
            int lane = threadIdx.x % 32, tile = at - segment.first;
            int blocks = segment.count - tile * TILE > BLOCK_TOKENS ? 2 : 1;
            const u8* from = codes + (i64) tile * (2 * BLOCK_BYTES);
#pragma unroll
            for (int k = 0; k < (PIECES + 31) / 32; k++) {
                int piece = k * 32 + lane, in = piece % BLOCK_PIECES;
                bool valid = piece / BLOCK_PIECES < blocks;
                u8* to = stage + piece / BLOCK_PIECES * BLOCK_BYTES + placeOf(in / 4, in % 4) * 16;
                if (PIECES % 32 == 0 || piece < PIECES) copyAsync16(to, from + (valid ? piece : 0) * 16, valid);
            }
            if (lane < SCALE_BYTES / 16) {
                bool valid = lane / 2 < blocks;
                copyAsync16(stage + 2 * BLOCK_BYTES + lane * 16, scales + (i64) tile * SCALE_BYTES + (valid ? lane : 0) * 16, valid);
            }
            at += WARPS;
            if (at >= end) begin(block, pass);
            else if (at >= segment.end) locate(block);
        }
        commitCopies();
    }
};

static __device__ __forceinline__ void stream(
    const Block& block, int pass, Fetch& fetch, u8* ring, int& stage, const i8* limbs, const float2* factors) {
    PassShare share = block.shares[pass];
    int warp = threadIdx.x / 32;
    bool hasSums = false;
    Cursor segment;
    segment.begin(share);
    Sums sums;
    for (int tile = share.first + warp; tile < share.end; tile += WARPS) {
        if (tile >= segment.end) {
            if (hasSums) sums.finish(block.own + (block.slotOf(pass, segment.index) * WARPS + warp) * GROUP);
            block.seek(segment, tile);
            sums.begin(limbs + (i64) segment.index * (GROUP * LIMBS * LIMB_BYTES), factors + (i64) segment.index * GROUP);
            hasSums = true;
        }
        Codes codes;
        waitCopies<STAGES - 1>();
        __syncwarp();
        codes.load(ring + stage * STAGE);
        __syncwarp();
        fetch.copy(block, ring + stage * STAGE);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        sums.add(codes, segment.count - (tile - segment.first) * TILE, block.logitsOf(pass) + (i64) (tile - share.first) * LOGITS);
    }
    if (hasSums) sums.finish(block.own + (block.slotOf(pass, segment.index) * WARPS + warp) * GROUP);
}

// A reference and its sum, which other blocks see both or not at all.
static __device__ __forceinline__ void publishSum(u64* to, float2 sum) {
    u64 bits = (u64) __float_as_uint(sum.y) << 32 | __float_as_uint(sum.x);
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(to), "l"(bits) : "memory");
}
static __device__ __forceinline__ float2 readSum(const u64* from) {
    u64 bits;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(bits) : "l"(from) : "memory");
    return make_float2(__uint_as_float((u32) bits), __uint_as_float((u32) (bits >> 32)));
}

// One warp: publishes the block's sums of each segment of its share.
static __device__ __forceinline__ void publish(const Block& block, int pass) {
    PassShare share = block.shares[pass];
    int lane = threadIdx.x % 32;
    Cursor segment;
    segment.begin(share);
    for (int tile = share.first; tile < share.end; tile = segment.end) {
        block.seek(segment, tile);
        float2* ofWarps = block.own + block.slotOf(pass, segment.index) * (WARPS * GROUP);
        u64* to = block.partialsOf(pass, blockIdx.x, segment.index);
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
            int head = k * 4 + lane % 4;
            float2 whole = make_float2(LOWEST, 0);
#pragma unroll
            for (int w = lane / 4; w < WARPS; w += 8)
                if (head < GROUP) {
                    join(whole, ofWarps[w * GROUP + head]);
                    ofWarps[w * GROUP + head] = make_float2(LOWEST, 0);
                }
            whole = joinLanes(whole);
            if (whole.y == 0) whole.y = 1e-30f;  // only if all its logits are infinite; zero would be waited for
            if (lane < 4 && head < GROUP) publishSum(to + head, whole);
        }
    }
}

// The worker whose share contains tile `at` of `total`.
static __device__ __forceinline__ int workerOf(u32 total, u32 at, u32 workers) { return (int) (((at + 1) * workers + total - 1) / total) - 1; }

// One warp: reads the sums of all blocks with tiles of a segment of this block's share, as soon as
// they are there. A block's sum is not zero, because its reference is one of its logits.
static __device__ __forceinline__ void gather(const Block& block, int pass) {
    PassShare share = block.shares[pass];
    if (share.first >= share.end) return;
    int lane = threadIdx.x % 32, base = firstTileOf(block.work, pass * block.passSegments);
    int all = block.work.rows * block.work.kvHeads;
    int total = firstTileOf(block.work, min(all, (pass + 1) * block.passSegments)) - base, workers = min(total, block.work.workers);
    Cursor segment;
    segment.begin(share);
    for (int tile = share.first; tile < share.end; tile = segment.end) {
        block.seek(segment, tile);
        int first = workerOf(total, segment.first - base, workers), last = workerOf(total, segment.end - 1 - base, workers);
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
            int head = k * 4 + lane % 4;
            float2 whole = make_float2(LOWEST, 0);
            for (int some = first; some <= last; some += 8 * AT_ONCE) {
                float2 parts[AT_ONCE];
                bool waits;
                do {
                    waits = false;
#pragma unroll
                    for (int a = 0; a < AT_ONCE; a++) {
                        int worker = some + a * 8 + lane / 4;
                        parts[a] = make_float2(LOWEST, 0);
                        if (worker <= last && head < GROUP) {
                            parts[a] = readSum(block.partialsOf(pass, worker, segment.index) + head);
                            waits |= __float_as_uint(parts[a].y) == 0;
                        }
                    }
                } while (__any_sync(ALL_LANES, waits));
#pragma unroll
                for (int a = 0; a < AT_ONCE; a++) join(whole, parts[a]);
            }
            whole = joinLanes(whole);
            if (lane < 4 && head < GROUP)
                block.normalisers[block.slotOf(pass, segment.index) * GROUP + head] = make_float2(whole.x, log2f(whole.y));
        }
    }
}

// Turns the logits that this warp has written into scores.
static __device__ __forceinline__ void normalise(const Block& block, int pass, float* scores) {
    PassShare share = block.shares[pass];
    int lane = threadIdx.x % 32;
    Cursor segment;
    segment.begin(share);
    const bool HELD = GROUP <= 8;  // in registers
    const float2* ofSegment = block.normalisers;
    float2 held[HELD ? GROUP : 1];
    for (int tile = share.first + (int) threadIdx.x / 32; tile < share.end; tile += WARPS) {
        if (tile >= segment.end) {
            block.seek(segment, tile);
            ofSegment = block.normalisers + block.slotOf(pass, segment.index) * GROUP;
#pragma unroll
            for (int g = 0; g < GROUP && HELD; g++) held[g] = ofSegment[g];
        }
        const float* from = block.logitsOf(pass) + (i64) (tile - share.first) * LOGITS + lane % 4;
        float best = LOWEST;
#pragma unroll
        for (int g = 0; g < GROUP; g++) {
            float2 normaliser = HELD ? held[HELD ? g : 0] : ofSegment[g];
            best = fmaxf(best, from[placeOfLogit(g, lane / 4)] - normaliser.x - normaliser.y);
        }
        int u = (tile - segment.first) * TILE + lane;
        if (u < segment.count) scores[(i64) segment.index * block.width + u] = power(best);
    }
    __syncwarp();  // before the logits are overwritten
}

extern "C" __global__ void __launch_bounds__(THREADS, 1) scoreCodes(
    const i8* limbs, const float2* factors, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int rows, int kvHeads, int width, int passSegments, int shareTiles, float* scores,
    float* logits, u64* partials) {
    extern __shared__ __align__(16) u8 shared[];
    letNextStart();
    u8* after = shared + WARPS * STAGES * STAGE;
    int passes = (rows * kvHeads + passSegments - 1) / passSegments;
    float* ownLogits = (float*) after;
    if (IN_SHARED) after += 2 * shareTiles * LOGITS * (int) sizeof(float);
    else ownLogits = logits + (i64) blockIdx.x * 2 * shareTiles * LOGITS;
    PassShare* shares = (PassShare*) after;
    float2* own = (float2*) (shares + passes);
    float2* normalisers = own + 2 * passSegments * WARPS * GROUP;
    int* counts = (int*) (normalisers + 2 * passSegments * GROUP);
    int* starts = counts + rows;
    Block block{{table, slots, units, starts, rows, kvHeads, 0, (int) gridDim.x}, passSegments, shareTiles, passes, width,
        shares, counts, ownLogits, own, normalisers, partials};
    for (int i = threadIdx.x; i < 2 * passSegments * WARPS * GROUP; i += THREADS) own[i] = make_float2(LOWEST, 0);
    sumLengths(starts, rows, [&](int i) {
        int count = counts[i] = slots[i] < 0 ? 0 : units[i];
        return (count + TILE - 1) / TILE * kvHeads;
    });
    for (int pass = threadIdx.x; pass < passes; pass += THREADS) shares[pass] = shareOfPass(block.work, passSegments, pass, blockIdx.x);
    __syncthreads();

    int warp = threadIdx.x / 32, stage = 0;
    u8* ring = shared + warp * (STAGES * STAGE);
    Fetch fetch;
    if (warp < WARPS) {
        fetch.begin(block, 0);
        for (int s = 0; s < STAGES; s++) fetch.copy(block, ring + s * STAGE);
    }
    waitForPrevious();

    for (int pass = 0; pass <= passes; pass++) {
        if (warp < WARPS) {
            if (pass < passes) stream(block, pass, fetch, ring, stage, limbs, factors);
        } else if (pass > 0) {
            gather(block, pass - 1);
        }
        __syncthreads();
        if (warp < WARPS) {
            if (pass > 0) normalise(block, pass - 1, scores);
        } else if (pass < passes) {
            publish(block, pass);
        }
    }
}
