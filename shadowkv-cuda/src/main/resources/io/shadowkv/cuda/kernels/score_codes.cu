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
// partials  float2 [passes * blocks + rows * kvHeads, GROUP]: maximum, sum of 2^(logit - maximum)
// counters  u32 [rows * kvHeads], zero before and after
//
// A worker is a block with a share of each pass of passSegments segments (score_work.cuh). Its
// first WARPS warps stream the tiles of 32 tokens of its share, each through a ring of its own
// (cp.async; the ring continues into the next pass), and keep the logits. Then the last warp adds
// the sums of the block and publishes them, and waits for those of all other blocks while the
// others stream the next pass. After that they turn the logits of the pass before into scores, so
// one barrier a pass is all that warps wait for.
//
// Products on tensor cores of bytes: the mask 0x03 takes the codes of the first of four dimensions
// from the four bytes of a word, the mask 0x0c those of the second, times 4; the same masks of the
// word shifted by four bits take the third and the fourth. A query is three bytes (24 bits): column
// 2c of a block of columns has the high bytes of head c of four heads and column 2c + 1 the middle
// ones, so that a thread has all of a head's sums; the low bytes of two such blocks share one.
//
// Fixed: HEAD_DIM at most 256; GROUP <= 16.
// Grid: at most as many blocks of 32 * (WARPS + 1) threads as run at the same time. Workers wait
// for each other, so the launch is cooperative (Kernel.launchTogether).
// Shared memory: WARPS * STAGES * STAGE (48,960 at 128) + 2 * shareTiles * GROUP * 128 if IN_SHARED
// + 16 * passSegments * (WARPS + 1) * GROUP + 4 * (rows + 1) bytes dynamic. shareTiles: tiles of
// the longest possible pass / blocks, rounded up.
// Bytes: codes and scales once, 4 * WORDS + 2 each (20 rows x 8 heads x 124,928 x 34 B = 680 MB: 148
// us at 4.58 TB/s), 4 written for each.
// Precision: sums of integers are exact; the query has 24 bits, the softmax is in float.
//
// check: HEAD_DIM=128 GROUP=4 WARPS=15 STAGES=3 IN_SHARED=1
// check: HEAD_DIM=128 GROUP=8 WARPS=11 STAGES=4 IN_SHARED=1
// check: HEAD_DIM=128 GROUP=16 WARPS=7 STAGES=6 IN_SHARED=0
// check: HEAD_DIM=64 GROUP=4 WARPS=15 STAGES=6 IN_SHARED=1
// check: HEAD_DIM=80 GROUP=1 WARPS=15 STAGES=4 IN_SHARED=1
// check: HEAD_DIM=6 GROUP=7 WARPS=11 STAGES=8 IN_SHARED=1
// check: HEAD_DIM=256 GROUP=4 WARPS=7 STAGES=3 IN_SHARED=1
#include "overlap.cuh"
#include "score_work.cuh"

#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef WARPS
#define WARPS 15
#endif
#ifndef STAGES
#define STAGES 3
#endif
#ifndef IN_SHARED
#define IN_SHARED 1
#endif

static const int TILE = 32, BLOCK_TOKENS = 16;
static const int WORDS = (HEAD_DIM + 15) / 16, WORD_QUADS = (WORDS + 3) / 4;
static const int BLOCK_BYTES = WORDS * BLOCK_TOKENS * 4, SCALE_BYTES = TILE * 2;
static const int STAGE = 2 * BLOCK_BYTES + SCALE_BYTES;
static const int BLOCK_PIECES = BLOCK_BYTES / 16, PIECES = 2 * BLOCK_PIECES;
static const bool WHOLE_WARPS = PIECES % 32 == 0;
static const int HEAD_QUADS = (GROUP + 3) / 4, HEAD_PAIRS = (HEAD_QUADS + 1) / 2;  // blocks of columns: high and middle; low
static const int LIMB_BYTES = WORD_QUADS * 64;
static const int LOGITS = GROUP * TILE;  // of a tile
static const float LOWEST = -3.0e38f;
static const u32 FIRST = 0x03030303u, SECOND = 0x0c0c0c0cu;

// 2^x, and zero instead of a subnormal number.
static __device__ __forceinline__ float power(float x) {
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Place of a piece (four tokens of a word) in a block of a stage: eight lanes that read a word each
// of four, and two pieces of it, read different banks.
static __device__ __forceinline__ int placeOf(int word, int piece) { return word * 4 + (piece + word / 2 % 2 * 2) % 4; }

// Place of a token's logit among those of head `head` of a tile: lanes that write four tokens of
// four heads write different banks.
static __device__ __forceinline__ int placeOfLogit(int head, int four) { return head * TILE + (four + head % 4 * 2) % 8 * 4; }

static __device__ __forceinline__ int firstTileOf(const Work& work, int segment) {
    int row = segment / work.kvHeads;
    if (row >= work.rows) return work.starts[work.rows];
    return work.starts[row] + (work.starts[row + 1] - work.starts[row]) / work.kvHeads * (segment % work.kvHeads);
}

static __device__ __forceinline__ Share shareOf(const Work& work, int passSegments, int pass) {
    int base = firstTileOf(work, pass * passSegments);
    int end = firstTileOf(work, min(work.rows * work.kvHeads, (pass + 1) * passSegments));
    return shareOfTiles(work, base, end - base, blockIdx.x);
}

// The part of a warp that fetches, STAGES tiles ahead.
struct Fetch {
    int pass, at, end;
    Segment segment;
    const u8 *codes, *scales;
    u64 policy;

    __device__ __forceinline__ void begin(const Work& work, int passSegments, int firstPass) {
        at = end = 0;
        for (pass = firstPass; pass * passSegments < work.rows * work.kvHeads && at >= end; pass++) {
            Share share = shareOf(work, passSegments, pass);
            at = share.first + threadIdx.x / 32, end = share.end;
        }
        if (at < end) locate(work);
    }
    __device__ __forceinline__ void locate(const Work& work) {
        segment = segmentOf(work, at);
        const IndexedEntry& entry = work.table[work.slots[segment.row]];
        i64 firstBlock = (i64) (segment.index - segment.row * work.kvHeads) * entry.codeBlocks;
        codes = (const u8*) entry.entries + firstBlock * BLOCK_BYTES;
        scales = (const u8*) entry.entryScales + firstBlock * (BLOCK_TOKENS * 2);
    }
    // Where only some lanes copy codes, CUDA 13.0 assembles copies with a policy as illegal
    // instructions.
    __device__ __forceinline__ void copyPiece(u8* to, const u8* from, bool valid) {
        if (WHOLE_WARPS) copyOnce(to, from, valid, policy);
        else copyAsync16(to, from, valid);
    }
    // Starts to copy the next tile, if there is one; a block of codes that does not exist becomes
    // zeros.
    __device__ __forceinline__ void copy(const Work& work, int passSegments, u8* stage) {
        if (at < end) {
            int lane = threadIdx.x % 32, tile = at - segment.first;
            int blocks = segment.count - tile * TILE > BLOCK_TOKENS ? 2 : 1;
            const u8* from = codes + (i64) tile * (2 * BLOCK_BYTES);
#pragma unroll
            for (int k = 0; k < (PIECES + 31) / 32; k++) {
                int piece = k * 32 + lane, block = piece / BLOCK_PIECES, in = piece % BLOCK_PIECES;
                bool valid = block < blocks;
                u8* to = stage + block * BLOCK_BYTES + placeOf(in / 4, in % 4) * 16;
                if (WHOLE_WARPS || piece < PIECES) copyPiece(to, from + (valid ? piece : 0) * 16, valid);
            }
            if (lane < SCALE_BYTES / 16) {
                bool valid = lane / 2 < blocks;
                copyPiece(stage + 2 * BLOCK_BYTES + lane * 16, scales + (i64) tile * SCALE_BYTES + (valid ? lane : 0) * 16, valid);
            }
            at += WARPS;
            if (at >= end) begin(work, passSegments, pass);
            else if (at >= segment.end) locate(work);
        }
        commitCopies();
    }
};

// The codes of four tokens, words lane % 4, lane % 4 + 4, ..., and the tokens' scales.
struct Codes {
    Vector<u32, 4> words[WORD_QUADS];
    float scales[4];

    __device__ __forceinline__ void load(const u8* stage) {
        int four = threadIdx.x % 32 / 4;
        const u8* block = stage + four / 4 * BLOCK_BYTES;
#pragma unroll
        for (int q = 0; q < WORD_QUADS; q++) {
            int word = min(q * 4 + (int) threadIdx.x % 4, WORDS - 1);  // the query is zero after the last word
            words[q] = *(const Vector<u32, 4>*) (block + placeOf(word, four % 4) * 16);
        }
        auto own = *(const Vector<bf16, 4>*) (stage + 2 * BLOCK_BYTES + four * 8);
#pragma unroll
        for (int j = 0; j < 4; j++) scales[j] = toFloat(own.at[j]);
    }
};

// Logits of a warp's tokens of one segment. Lane l has heads l % 4, l % 4 + 4, ..., of tokens 4 * (l
// / 4) to 4 * (l / 4) + 3 of each tile.
struct Sums {
    u32 query[HEAD_QUADS + HEAD_PAIRS][WORD_QUADS][4];
    float2 factors[HEAD_QUADS];
    float maximum[HEAD_QUADS], sum[HEAD_QUADS];

    __device__ __forceinline__ void loadColumn(u32 (&column)[WORD_QUADS][4], const i8* limbs, int head, int limb) {
#pragma unroll
        for (int q = 0; q < WORD_QUADS; q++) {
            Vector<u32, 4> some = {};
            if (head < GROUP)
                some = *(const Vector<u32, 4>*) (limbs + (head * 3 + limb) * LIMB_BYTES + (q * 4 + threadIdx.x % 4) * 16);
#pragma unroll
            for (int j = 0; j < 4; j++) column[q][j] = some.at[j];
        }
    }
    // limbs [GROUP, 3, LIMB_BYTES], all [GROUP]
    __device__ __forceinline__ void begin(const i8* limbs, const float2* all) {
        int column = threadIdx.x % 32 / 4;
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
            loadColumn(query[k], limbs, k * 4 + column / 2, column % 2);
            int head = k * 4 + (int) threadIdx.x % 4;
            factors[k] = head < GROUP ? all[head] : make_float2(0, 0);
            maximum[k] = LOWEST, sum[k] = 0;
        }
#pragma unroll
        for (int p = 0; p < HEAD_PAIRS; p++)
            loadColumn(query[HEAD_QUADS + p], limbs, (p * 2 + column % 2) * 4 + column / 2, 2);
    }
    // Adds tokens of a tile; `left` tokens of the segment are in this tile and behind it.
    __device__ __forceinline__ void add(const Codes& codes, int left, float* logits) {
        int four = threadIdx.x % 32 / 4;
#pragma unroll
        for (int p = 0; p < HEAD_PAIRS; p++) {
            float own[2][4];
#pragma unroll
            for (int half = 0; half < 2; half++) {
                i32 dots[3][2][4] = {};
                multiply(codes, half, p, dots);
#pragma unroll
                for (int j = 0; j < 2; j++)
#pragma unroll
                    for (int k = 0; k < 2; k++) {
                        i32 high = dots[k][0][2 * j] * 4 + dots[k][1][2 * j];
                        i32 middle = dots[k][0][2 * j + 1] * 4 + dots[k][1][2 * j + 1];
                        i32 low = dots[2][0][2 * j + k] * 4 + dots[2][1][2 * j + k];
                        float dot = fmaf((float) high, 65536.f, (float) (middle * 256 + low));
                        float2 factor = factors[p * 2 + k < HEAD_QUADS ? p * 2 + k : 0];
                        own[k][half * 2 + j] = fmaf(dot, factor.x, factor.y) * codes.scales[half * 2 + j];
                    }
            }
#pragma unroll
            for (int k = 0; k < 2; k++)
                if (p * 2 + k < HEAD_QUADS) take(own[k], p * 2 + k, left - four * 4, logits);
        }
    }
    // Sums of tokens 2 * half and 2 * half + 1 of each lane's four: of both masks, for two blocks of
    // high and middle bytes and one of low ones.
    __device__ __forceinline__ void multiply(const Codes& codes, int half, int p, i32 (&dots)[3][2][4]) {
#pragma unroll
        for (int q = 0; q < WORD_QUADS; q++) {
            u32 x = codes.words[q].at[half * 2], y = codes.words[q].at[half * 2 + 1];
            u32 first[4] = {x & FIRST, y & FIRST, x >> 4 & FIRST, y >> 4 & FIRST};
            u32 second[4] = {x & SECOND, y & SECOND, x >> 4 & SECOND, y >> 4 & SECOND};
#pragma unroll
            for (int n = 0; n < 3; n++) {
                int block = n == 2 ? HEAD_QUADS + p : p * 2 + n;
                if (n == 1 && block >= HEAD_QUADS) continue;
                multiplyBytes(dots[n][0], first, query[block][q][0], query[block][q][2]);
                multiplyBytes(dots[n][1], second, query[block][q][1], query[block][q][3]);
            }
        }
    }
    // The logits of four tokens, of which the first `left` exist, for a lane's k-th head.
    __device__ __forceinline__ void take(const float (&own)[4], int k, int left, float* logits) {
        int head = k * 4 + threadIdx.x % 4, four = threadIdx.x % 32 / 4;
        if (head < GROUP) *(Vector<float, 4>*) (logits + placeOfLogit(head, four)) = {{own[0], own[1], own[2], own[3]}};
        float largest = maximum[k], all = 0;
#pragma unroll
        for (int j = 0; j < 4; j++) largest = j < left ? fmaxf(largest, own[j]) : largest;
#pragma unroll
        for (int j = 0; j < 4; j++) all += j < left ? power(own[j] - largest) : 0.f;
        sum[k] = sum[k] * power(maximum[k] - largest) + all;
        maximum[k] = largest;
    }
    // Writes this warp's maxima and sums, [GROUP].
    __device__ __forceinline__ void finish(float2* partial) {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int k = 0; k < HEAD_QUADS; k++) {
            float largest = maximum[k];
#pragma unroll
            for (int d = 4; d < 32; d *= 2) largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, d));
            float all = sum[k] * power(maximum[k] - largest);
#pragma unroll
            for (int d = 4; d < 32; d *= 2) all += __shfl_xor_sync(ALL_LANES, all, d);
            if (lane < 4 && k * 4 + lane < GROUP) partial[k * 4 + lane] = make_float2(largest, all);
        }
    }
};

static __device__ __forceinline__ void join(float2& whole, float2 part) {
    float largest = fmaxf(whole.x, part.x);
    whole.y = whole.y * power(whole.x - largest) + part.y * power(part.x - largest);
    whole.x = largest;
}

// The memory of a block, and what its phases share.
struct Block {
    Work work;
    int passSegments, shareTiles, width;
    float* logits;       // [2, shareTiles, LOGITS]
    float2* own;         // [2, passSegments, WARPS, GROUP], of warps
    float2* normalisers; // [2, passSegments, GROUP]: maximum, log2 of the sum of 2^(logit - maximum)
    float2* partials;
    u32* counters;

    __device__ __forceinline__ float* logitsOf(int pass) const { return logits + (i64) (pass % 2) * shareTiles * LOGITS; }
    __device__ __forceinline__ int slotOf(int pass, const Segment& segment) const {
        return pass % 2 * passSegments + segment.index - pass * passSegments;
    }
    __device__ __forceinline__ float2* partialsOf(int pass, int block, const Segment& segment) const {
        return partials + ((i64) pass * work.workers + block + segment.index) * GROUP;
    }

    __device__ __forceinline__ void stream(int pass, Fetch& fetch, u8* ring, int& stage, const i8* limbs, const float2* factors) {
        Share share = shareOf(work, passSegments, pass);
        int warp = threadIdx.x / 32;
        Segment segment{0, 0, 0, 0, 0};
        Sums sums;
        for (int tile = share.first + warp; tile < share.end; tile += WARPS) {
            if (tile >= segment.end) {
                if (segment.end > 0) sums.finish(own + (slotOf(pass, segment) * WARPS + warp) * GROUP);
                segment = segmentOf(work, tile);
                sums.begin(limbs + (i64) segment.index * (GROUP * 3 * LIMB_BYTES), factors + (i64) segment.index * GROUP);
            }
            Codes codes;
            waitCopies<STAGES - 1>();
            __syncwarp();
            codes.load(ring + stage * STAGE);
            __syncwarp();
            fetch.copy(work, passSegments, ring + stage * STAGE);
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            sums.add(codes, segment.count - (tile - segment.first) * TILE, logitsOf(pass) + (i64) (tile - share.first) * LOGITS);
        }
        if (segment.end > 0) sums.finish(own + (slotOf(pass, segment) * WARPS + warp) * GROUP);
    }

    // One warp: publishes the block's sums of each segment of its share.
    __device__ __forceinline__ void publish(int pass) {
        Share share = shareOf(work, passSegments, pass);
        int lane = threadIdx.x % 32;
        for (int tile = share.first; tile < share.end;) {
            Segment segment = segmentOf(work, tile);
            float2* ofWarps = own + slotOf(pass, segment) * (WARPS * GROUP);
            if (lane < GROUP) {
                float2 whole = make_float2(LOWEST, 0);
                for (int w = 0; w < WARPS; w++) {
                    join(whole, ofWarps[w * GROUP + lane]);
                    ofWarps[w * GROUP + lane] = make_float2(LOWEST, 0);
                }
                partialsOf(pass, blockIdx.x, segment)[lane] = whole;
            }
            __syncwarp();
            if (lane == 0) countUp(counters + segment.index);
            tile = segment.end;
        }
    }

    // One warp: waits for the sums of all blocks with tiles of a segment of this block's share.
    __device__ __forceinline__ void gather(int pass) {
        Share share = shareOf(work, passSegments, pass);
        int lane = threadIdx.x % 32;
        for (int tile = share.first; tile < share.end;) {
            Segment segment = segmentOf(work, tile);
            u32* counter = counters + segment.index;
            int first = ::shareOf(share.total, segment.first - share.base, share.workers);
            int last = ::shareOf(share.total, segment.end - 1 - share.base, share.workers);
            u32 contributors = last - first + 1;
            if (lane == 0)
                while (readCounter(counter) < contributors) __nanosleep(32);
            __syncwarp();
#pragma unroll
            for (int k = 0; k < HEAD_QUADS; k++) {
                float2 whole[4] = {{LOWEST, 0}, {LOWEST, 0}, {LOWEST, 0}, {LOWEST, 0}};
                for (int b = first + lane; b <= last; b += 32) {
                    float2 parts[4];
#pragma unroll
                    for (int g = 0; g < 4; g++)
                        if (k * 4 + g < GROUP) parts[g] = readPast(partialsOf(pass, b, segment) + k * 4 + g);
#pragma unroll
                    for (int g = 0; g < 4; g++)
                        if (k * 4 + g < GROUP) join(whole[g], parts[g]);
                }
#pragma unroll
                for (int g = 0; g < 4; g++) {
                    float largest = warpMax(whole[g].x), all = warpSum(whole[g].y * power(whole[g].x - largest));
                    if (lane == 0 && k * 4 + g < GROUP) normalisers[slotOf(pass, segment) * GROUP + k * 4 + g] = make_float2(largest, log2f(all));
                }
            }
            // Each block counts twice: after it has written and after it has read. The last one
            // resets the counter to zero.
            if (lane == 0 && atomicAdd(counter, 1u) == 2 * contributors - 1) atomicExch(counter, 0u);
            tile = segment.end;
        }
    }

    // Turns the logits that this warp has written into scores.
    __device__ __forceinline__ void normalise(int pass, float* scores) {
        Share share = shareOf(work, passSegments, pass);
        int lane = threadIdx.x % 32;
        Segment segment{0, 0, 0, 0, 0};
        const bool HELD = GROUP <= 8;  // in registers
        const float2* ofSegment = normalisers;
        float2 held[HELD ? GROUP : 1];
        for (int tile = share.first + (int) threadIdx.x / 32; tile < share.end; tile += WARPS) {
            if (tile >= segment.end) {
                segment = segmentOf(work, tile);
                ofSegment = normalisers + slotOf(pass, segment) * GROUP;
#pragma unroll
                for (int g = 0; g < GROUP && HELD; g++) held[g] = ofSegment[g];
            }
            const float* from = logitsOf(pass) + (i64) (tile - share.first) * LOGITS + lane % 4;
            float best = LOWEST;
#pragma unroll
            for (int g = 0; g < GROUP; g++) {
                float2 normaliser = HELD ? held[HELD ? g : 0] : ofSegment[g];
                best = fmaxf(best, from[placeOfLogit(g, lane / 4)] - normaliser.x - normaliser.y);
            }
            int u = (tile - segment.first) * TILE + lane;
            if (u < segment.count) scores[(i64) segment.index * width + u] = power(best);
        }
        __syncwarp();  // before the logits are overwritten
    }
};

extern "C" __global__ void __launch_bounds__(32 * (WARPS + 1), 1) scoreCodes(
    const i8* limbs, const float2* factors, const IndexedEntry* __restrict__ table, const i32* __restrict__ slots,
    const i32* __restrict__ units, int rows, int kvHeads, int width, int passSegments, int shareTiles, float* scores,
    float* logits, float2* partials, u32* counters) {
    extern __shared__ __align__(16) u8 shared[];
    letNextStart();
    u8* after = shared + WARPS * STAGES * STAGE;
    float* ownLogits = (float*) after;
    if (IN_SHARED) after += 2 * shareTiles * LOGITS * (int) sizeof(float);
    else ownLogits = logits + (i64) blockIdx.x * 2 * shareTiles * LOGITS;
    float2* own = (float2*) after;
    float2* normalisers = own + 2 * passSegments * WARPS * GROUP;
    int* starts = (int*) (normalisers + 2 * passSegments * GROUP);
    for (int i = threadIdx.x; i < 2 * passSegments * WARPS * GROUP; i += 32 * (WARPS + 1)) own[i] = make_float2(LOWEST, 0);
    // Its barriers also follow the writes above.
    sumLengths(starts, rows, [&](int i) { return slots[i] < 0 ? 0 : (units[i] + TILE - 1) / TILE * kvHeads; });
    Block block{{table, slots, units, starts, rows, kvHeads, 0, (int) gridDim.x}, passSegments, shareTiles, width,
        ownLogits, own, normalisers, partials, counters};
    int warp = threadIdx.x / 32, stage = 0, passes = (rows * kvHeads + passSegments - 1) / passSegments;
    u8* ring = shared + warp * (STAGES * STAGE);
    Fetch fetch;
    if (warp < WARPS) {
        fetch.policy = evictFirst();
        fetch.begin(block.work, passSegments, 0);
        for (int s = 0; s < STAGES; s++) fetch.copy(block.work, passSegments, ring + s * STAGE);
    }
    waitForPrevious();

    for (int pass = 0; pass <= passes; pass++) {
        if (warp < WARPS) {
            if (pass < passes) block.stream(pass, fetch, ring, stage, limbs, factors);
        } else if (pass > 0) {
            block.gather(pass - 1);
        }
        __syncthreads();
        if (warp < WARPS) {
            if (pass > 0) block.normalise(pass - 1, scores);
        } else if (pass < passes) {
            block.publish(pass);
        }
    }
}
