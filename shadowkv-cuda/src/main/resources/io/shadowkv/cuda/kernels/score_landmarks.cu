// ShadowKV's scoring (arXiv 2410.21465, section 4.2): scores[i, h, u] =
//   max over g of softmax over u of (query[i, h * GROUP + g] . landmark[slot i, h, u] * scale)
//
// queries   TYPE [rows, kvHeads * GROUP, HEAD_DIM], rotated, 4-byte aligned
// table     IndexedEntry [slots]: entries, the landmarks TYPE [kvHeads, unitCapacity, HEAD_DIM], 16-byte aligned
// slots     i32 [rows], -1: padding        units i32 [rows], landmarks of each row, 0: skipped
// scale     factor of the dot products times log2(e): logits are exponents of 2
// scores    float [rows, kvHeads, width]; the first units[i] of row i are written
// logits    float [workers, 2, shareTiles, TILE, PADDED] by worker; columns from GROUP on are zero
// partials  float2 [passes * workers + rows * kvHeads, PADDED]: maximum, sum of 2^(logit - maximum)
// counters  u32 [rows * kvHeads], zero before and after
//
// A worker is a warp with a share of each pass (score_work.cuh). It streams its share through its
// own ring (cp.async, no block barrier; the ring continues into the next segment and pass), keeps
// the logits, and writes the maximum and sum of each segment to entry pass * workers + worker +
// segment of `partials`. Workers and segments both ascend, so no two share an entry. After it has
// streamed the next pass, the others have usually finished this one, and it converts its logits,
// still in L2, to scores. So a worker normally waits only in the last pass.
//
// Fixed: HEAD_DIM a multiple of 16 up to 256; GROUP <= 16, PADDED a power of two; TYPE bf16 or f16.
// Grid: at most as many blocks of 256 threads as run at the same time. Workers wait for each other,
// so the launch is cooperative (Kernel.launchTogether).
// Shared memory: 8 * STAGES * 16 * PITCH * 16 (208,896 bytes at 128 and 6 stages) + 4 * (rows + 1)
// bytes dynamic. shareTiles: tiles of the longest possible pass / workers, rounded up.
// Bytes: landmarks once, 2 * HEAD_DIM each (14 rows x 8 heads x 15,564 x 256 B = 446 MB: 97 us at
// 4.58 TB/s), 4 written for each; logits and partials stay in L2.
// Precision: products of 16-bit floats are exact, sums in float (tensor cores), softmax in float.
// With landmarks in registers instead of a ring it reached only 3.2 TB/s, with 80 KB in flight.
//
// check: TYPE=bf16 HEAD_DIM=128 GROUP=4 PADDED=4
// check: TYPE=bf16 HEAD_DIM=128 GROUP=8 PADDED=8
// check: TYPE=bf16 HEAD_DIM=128 GROUP=7 PADDED=8 STAGES=4
// check: TYPE=bf16 HEAD_DIM=128 GROUP=16 PADDED=16
// check: TYPE=f16 HEAD_DIM=64 GROUP=4 PADDED=4 STAGES=11
// check: TYPE=bf16 HEAD_DIM=96 GROUP=1 PADDED=1 STAGES=7
// check: TYPE=f16 HEAD_DIM=256 GROUP=2 PADDED=2 STAGES=3
// check: TYPE=bf16 HEAD_DIM=256 GROUP=16 PADDED=16 STAGES=3
// check: TYPE=bf16 HEAD_DIM=80 GROUP=1 PADDED=1 STAGES=9
#include "overlap.cuh"
#include "score_work.cuh"

#ifndef TYPE
#define TYPE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef PADDED
#define PADDED 4
#endif
#ifndef STAGES
#define STAGES 6
#endif

static const int WARPS = 8, TILE = 16;
static const int STEPS = HEAD_DIM / 16, QUERY_BLOCKS = (GROUP + 7) / 8;
static const int PIECES = HEAD_DIM / 8;   // 16-byte pieces of a landmark
static const int PITCH = PIECES | 1;      // odd: eight landmarks are in eight different bank groups
static const int STAGE = TILE * PITCH * 16, WIDTH = PADDED < 4 ? PADDED : 4;
static const int EACH = PADDED <= 4 ? 16 : 64 / PADDED;  // landmarks that a lane normalises at a time
static const int AT_ONCE = GROUP <= 4 ? 4 : 1;  // partials that a lane loads at a time
static const float LOWEST = -3.0e38f;

// The part of a worker that fetches, STAGES tiles ahead.
struct Fetch {
    int pass, at, end;
    Segment segment;
    const u8* landmarks;
    u64 policy;

    __device__ __forceinline__ void begin(const Work& work, int worker, int firstPass) {
        at = end = 0;
        for (pass = firstPass; pass * work.passRows < work.rows && at == end; pass++) {
            Share share = shareOfPass(work, pass, worker);
            at = share.first, end = share.end;
        }
        if (at < end) locate(work);
    }
    __device__ __forceinline__ void locate(const Work& work) {
        segment = segmentOf(work, at);
        const IndexedEntry& entry = work.table[work.slots[segment.row]];
        landmarks = (const u8*) entry.entries
            + (i64) (segment.index - segment.row * work.kvHeads) * entry.unitCapacity * (HEAD_DIM * 2);
    }
    // Starts to copy the next tile, if there is one; after the last landmark it writes zeros.
    __device__ __forceinline__ void copy(const Work& work, int worker, u8* stage) {
        if (at < end) {
            int lane = threadIdx.x % 32, tile = at - segment.first;
            int pieces = (segment.count - tile * TILE) * PIECES;
            const u8* from = landmarks + (i64) tile * (TILE * HEAD_DIM * 2);
#pragma unroll
            for (int k = 0; k < TILE * PIECES / 32; k++) {
                int piece = k * 32 + lane;
                bool valid = piece < pieces;
                copyOnce(stage + (piece / PIECES * PITCH + piece % PIECES) * 16, from + (valid ? piece : 0) * 16, valid, policy);
            }
            at++;
            if (at == end) begin(work, worker, pass);
            else if (at == segment.end) locate(work);
        }
        commitCopies();
    }
};

// Logits of a worker's landmarks of one segment: lane l has columns 2 * (l % 4) and the next of
// each query block.
struct Sums {
    u32 query[QUERY_BLOCKS][STEPS][2];
    float maximum[QUERY_BLOCKS][2], sum[QUERY_BLOCKS][2];

    __device__ __forceinline__ void begin(const TYPE* queries) {  // [GROUP, HEAD_DIM]
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int n = 0; n < QUERY_BLOCKS; n++) {
            int g = n * 8 + lane / 4;
            const TYPE* own = queries + (g < GROUP ? g : 0) * HEAD_DIM + lane % 4 * 2;
#pragma unroll
            for (int s = 0; s < STEPS; s++) {
                query[n][s][0] = g < GROUP ? *(const u32*) (own + s * 16) : 0;
                query[n][s][1] = g < GROUP ? *(const u32*) (own + s * 16 + 8) : 0;
            }
            maximum[n][0] = maximum[n][1] = LOWEST, sum[n][0] = sum[n][1] = 0;
        }
    }
    __device__ __forceinline__ void multiplyTile(const u8* stage, float (&dot)[QUERY_BLOCKS][2][4]) const {
        const u8* from = stage + (threadIdx.x % 16 * PITCH + threadIdx.x % 32 / 16) * 16;
#pragma unroll
        for (int s = 0; s < STEPS; s++) {
            u32 a[4];
            loadMatrices(a, from + s * 32);
#pragma unroll
            for (int n = 0; n < QUERY_BLOCKS; n++) multiply(TYPE(), dot[n][s % 2], a, query[n][s][0], query[n][s][1]);
        }
    }
    // Writes the logits of a tile of `count` landmarks to `logits` [TILE, PADDED].
    __device__ __forceinline__ void add(float (&dot)[QUERY_BLOCKS][2][4], float scale, int count, float* logits) {
        int u = threadIdx.x % 32 / 4;
#pragma unroll
        for (int n = 0; n < QUERY_BLOCKS; n++) {
            int column = n * 8 + threadIdx.x % 4 * 2;
            float d[4];
#pragma unroll
            for (int j = 0; j < 4; j++) d[j] = (dot[n][0][j] + dot[n][1][j]) * scale;
            if (column < PADDED) {
#pragma unroll
                for (int half = 0; half < 2; half++) {
                    float* to = logits + (u + half * 8) * PADDED + column;
                    if (PADDED == 1) *to = d[2 * half];
                    else *(Vector<float, 2>*) to = {{d[2 * half], d[2 * half + 1]}};
                }
            }
            bool low = u < count, high = u + 8 < count;
#pragma unroll
            for (int j = 0; j < 2; j++) {
                float largest = fmaxf(maximum[n][j], fmaxf(low ? d[j] : LOWEST, high ? d[j + 2] : LOWEST));
                sum[n][j] = sum[n][j] * exp2f(maximum[n][j] - largest) + (low ? exp2f(d[j] - largest) : 0)
                    + (high ? exp2f(d[j + 2] - largest) : 0);
                maximum[n][j] = largest;
            }
        }
    }
    __device__ __forceinline__ void publish(float2* partial, u32* counter) {  // partial [PADDED]
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int n = 0; n < QUERY_BLOCKS; n++)
#pragma unroll
            for (int j = 0; j < 2; j++) {
                float largest = maximum[n][j], all = sum[n][j];
#pragma unroll
                for (int d = 4; d < 32; d *= 2) largest = fmaxf(largest, __shfl_xor_sync(ALL_LANES, largest, d));
                all *= exp2f(maximum[n][j] - largest);
#pragma unroll
                for (int d = 4; d < 32; d *= 2) all += __shfl_xor_sync(ALL_LANES, all, d);
                int column = n * 8 + lane * 2 + j;
                if (lane < 4 && column < PADDED) partial[column] = make_float2(largest, all);
            }
        __syncwarp();
        if (lane == 0) countUp(counter);
    }
};

// Maximum and 1 / sum of a segment, from the partials [.., PADDED] of workers `first` to `last`
// (inclusive).
static __device__ __forceinline__ void gather(float2 (&whole)[GROUP], const float2* partials, int first, int last, u32* counter) {
    int lane = threadIdx.x % 32;
    u32 contributors = last - first + 1;
    if (lane == 0)
        while (readCounter(counter) < contributors) __nanosleep(32);
    __syncwarp();
#pragma unroll
    for (int g = 0; g < GROUP; g++) whole[g] = make_float2(LOWEST, 0);
#pragma unroll 1
    for (int b = first + lane; b <= last; b += 32 * AT_ONCE) {
        float2 parts[AT_ONCE][GROUP];
#pragma unroll
        for (int a = 0; a < AT_ONCE; a++)
#pragma unroll
            for (int g = 0; g < GROUP; g++) {
                parts[a][g] = make_float2(LOWEST, 0);
                if (b + a * 32 <= last) parts[a][g] = readPast(partials + (i64) (b + a * 32) * PADDED + g);
            }
#pragma unroll
        for (int a = 0; a < AT_ONCE; a++)
#pragma unroll
            for (int g = 0; g < GROUP; g++) {
                float2 part = parts[a][g];
                float largest = fmaxf(whole[g].x, part.x);
                whole[g].y = whole[g].y * exp2f(whole[g].x - largest) + part.y * exp2f(part.x - largest);
                whole[g].x = largest;
            }
    }
#pragma unroll
    for (int g = 0; g < GROUP; g++) {
        float largest = warpMax(whole[g].x);
        whole[g] = make_float2(largest, 1.f / warpSum(whole[g].y * exp2f(whole[g].x - largest)));
    }
    // Each worker counts twice: after it has written and after it has read. The last one resets the
    // counter to zero.
    if (lane == 0 && atomicAdd(counter, 1u) == 2 * contributors - 1) atomicExch(counter, 0u);
}

static __device__ __forceinline__ void normalize(const float2 (&whole)[GROUP], const float* logits, int count, float* scores) {
    for (int base = threadIdx.x % 32; base < count; base += 32 * EACH) {
        Vector<float, WIDTH> some[EACH][PADDED / WIDTH] = {};
#pragma unroll
        for (int e = 0; e < EACH; e++)
#pragma unroll
            for (int part = 0; part < PADDED / WIDTH; part++)
                if (base + e * 32 < count)
                    some[e][part] = *(const Vector<float, WIDTH>*) (logits + (i64) (base + e * 32) * PADDED + part * WIDTH);
#pragma unroll
        for (int e = 0; e < EACH; e++) {
            float best = 0;
#pragma unroll
            for (int g = 0; g < GROUP; g++)
                best = fmaxf(best, exp2f(some[e][g / WIDTH].at[g % WIDTH] - whole[g].x) * whole[g].y);
            if (base + e * 32 < count) scores[base + e * 32] = best;
        }
    }
}

extern "C" __global__ void __launch_bounds__(32 * WARPS, 1) scoreLandmarks(const TYPE* queries,
        const IndexedEntry* __restrict__ table, const i32* __restrict__ slots, const i32* __restrict__ units, int rows,
        int kvHeads, int width, float scale, int passRows, int shareTiles, float* scores, float* logits, float2* partials,
        u32* counters) {
    extern __shared__ __align__(16) u8 shared[];
    letNextStart();
    int* starts = (int*) (shared + WARPS * STAGES * STAGE);
    sumLengths(starts, rows, [&](int i) { return slots[i] < 0 ? 0 : (units[i] + TILE - 1) / TILE * kvHeads; });
    Work work{table, slots, units, starts, rows, kvHeads, passRows, (int) gridDim.x * WARPS};
    int worker = blockIdx.x * WARPS + threadIdx.x / 32, stage = 0;
    u8* ring = shared + threadIdx.x / 32 * (STAGES * STAGE);
    Fetch fetch;
    fetch.policy = evictFirst();
    fetch.begin(work, worker, 0);
    for (int s = 0; s < STAGES; s++) fetch.copy(work, worker, ring + s * STAGE);
    waitForPrevious();

    for (int pass = 0; (pass - 1) * passRows < rows; pass++) {
        if (pass * passRows < rows) {
            Share share = shareOfPass(work, pass, worker);
            float* own = logits + ((i64) worker * 2 + pass % 2) * shareTiles * (TILE * PADDED);
            Segment segment{0, 0, 0, 0, 0};
            Sums sums;
            for (int tile = share.first; tile < share.end; tile++) {
                if (tile >= segment.end) {
                    segment = segmentOf(work, tile);
                    sums.begin(queries + (i64) segment.index * (GROUP * HEAD_DIM));
                }
                float dot[QUERY_BLOCKS][2][4] = {};
                waitCopies<STAGES - 1>();
                __syncwarp();
                sums.multiplyTile(ring + stage * STAGE, dot);
                __syncwarp();
                fetch.copy(work, worker, ring + stage * STAGE);
                stage = stage + 1 == STAGES ? 0 : stage + 1;
                sums.add(dot, scale, segment.count - (tile - segment.first) * TILE, own + (tile - share.first) * (TILE * PADDED));
                if (tile + 1 == share.end || tile + 1 == segment.end)
                    sums.publish(partials + ((i64) pass * work.workers + worker + segment.index) * PADDED, counters + segment.index);
            }
        }
        if (pass == 0) continue;
        Share share = shareOfPass(work, pass - 1, worker);
        const float* own = logits + ((i64) worker * 2 + (pass - 1) % 2) * shareTiles * (TILE * PADDED);
        for (int tile = share.first; tile < share.end;) {
            Segment segment = segmentOf(work, tile);
            int end = min(segment.end, share.end), from = (tile - segment.first) * TILE;
            float2 whole[GROUP];
            gather(whole, partials + ((i64) (pass - 1) * work.workers + segment.index) * PADDED,
                shareOf(share.total, segment.first - share.base, share.workers),
                shareOf(share.total, segment.end - 1 - share.base, share.workers), counters + segment.index);
            normalize(whole, own + (tile - share.first) * (TILE * PADDED), min((end - tile) * TILE, segment.count - from),
                scores + (i64) segment.index * width + from);
            tile = end;
        }
    }
}
