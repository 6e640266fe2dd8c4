// keys[slot's row] = rotate(factor[token] . basis[:, head], token's position) for the tokens of all
// misses: ShadowOperations.rebuildKeys. ShadowKV, arXiv 2410.21465, section 4.1; a token's position
// is its index in the sequence.
//
// table    IndexedEntry [slots]: factor TYPE [tokenCapacity, RANK], basis TYPE
//          [RANK, kvHeads * HEAD_DIM], missUnits, missSlots, missCounts, unitIds are read; rows of
//          misses in keys TYPE [kvHeads, attendedCapacity, HEAD_DIM] are written; all tensors
//          16-byte aligned
// slots    i32 [rows], -1: padding        units i32 [rows], 0: skipped
// cosines, sines  float [positions, ROTARY_DIM / 2]
//
// Fixed: HEAD_DIM and RANK multiples of 16, TYPE bf16 or f16, UNIT_TOKENS; the elements of a pair
// are adjacent (INTERLEAVED 1) or half of ROTARY_DIM apart; that half is then a multiple of 8.
// Grid: any number of blocks of 256 threads; as many as run at the same time are best. Each takes
// an even share of all tiles of 16 tokens, which balances rows and heads with different numbers of
// misses. The basis of a head is in shared memory. Each warp gathers, multiplies, rotates and
// writes its own tiles, and waits for no other warp.
// Shared memory: basis RANK * (HEAD_DIM + 8), rows 8 * 16 * (max(RANK, HEAD_DIM) + 8) elements (85
// KB at 160, 128), 4 * (rows * kvHeads + 1) bytes. Eight elements of padding let ldmatrix read
// without bank conflicts.
// Bytes per token: 2 * RANK of the factor, 4 * ROTARY_DIM of the tables, 2 * HEAD_DIM written: 14
// rows x 8 heads x 816 tokens x 1,088 B = 99 MB, 22 us at 4.5 TB/s; the basis 41 KB per head. FLOP:
// 3.7 G, 5 us at 796 TFLOP/s.
// Precision: products exact, sums and rotation in float, rounded once.
//
// check: TYPE=bf16 HEAD_DIM=128 RANK=160 UNIT_TOKENS=8 ROTARY_DIM=128 INTERLEAVED=0
// check: TYPE=bf16 HEAD_DIM=128 RANK=160 UNIT_TOKENS=1 ROTARY_DIM=64 INTERLEAVED=1
// check: TYPE=f16 HEAD_DIM=64 RANK=64 UNIT_TOKENS=8 ROTARY_DIM=32 INTERLEAVED=0
// check: TYPE=bf16 HEAD_DIM=96 RANK=160 UNIT_TOKENS=8 ROTARY_DIM=96 INTERLEAVED=0
// check: TYPE=f16 HEAD_DIM=256 RANK=160 UNIT_TOKENS=8 ROTARY_DIM=256 INTERLEAVED=0
#include "mma.cuh"
#include "overlap.cuh"
#include "slices.cuh"

#ifndef TYPE
#define TYPE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef RANK
#define RANK 160
#endif
#ifndef UNIT_TOKENS
#define UNIT_TOKENS 8
#endif
#ifndef ROTARY_DIM
#define ROTARY_DIM 128
#endif
#ifndef INTERLEAVED
#define INTERLEAVED 0
#endif

static const int WARPS = 8;
static const int THREADS = 32 * WARPS;
static const int TILE = 16;
static const int HALF = ROTARY_DIM / 2;
static const int BASIS_STRIDE = HEAD_DIM + 8;
static const int ROW_STRIDE = (RANK > HEAD_DIM ? RANK : HEAD_DIM) + 8;

// A row of a tile: its token, and its row among the attended keys of all heads; -1 after the last
// row.
struct Place { int token; i64 row; };

static __device__ __forceinline__ Place placeOf(const IndexedEntry& entry, int head, int tile, int tokens) {
    int r = tile * TILE + threadIdx.x % TILE;
    if (r >= tokens) return {-1, -1};
    i64 miss = (i64) head * entry.selected + r / UNIT_TOKENS;
    int unit = entry.unitIds[(i64) head * entry.unitCapacity + entry.missUnits[miss]];
    i64 row = entry.firstRow + (i64) entry.missSlots[miss] * UNIT_TOKENS + r % UNIT_TOKENS;
    return {unit * UNIT_TOKENS + r % UNIT_TOKENS, (i64) head * entry.attendedCapacity + row};
}

// Starts to copy the factor's rows of a tile; rows that do not exist become zeros.
static __device__ __forceinline__ void gather(TYPE* rows, const TYPE* factor, Place place) {
    const int PACKS = RANK / 8;
    // Not unrolled, because the compiler would keep the offsets of all rounds in registers and
    // spill them.
#pragma unroll 1
    for (int base = 0; base < TILE * PACKS; base += 32) {
        int p = base + threadIdx.x % 32, r = p / PACKS, pack = p % PACKS;
        int token = __shfl_sync(ALL_LANES, place.token, r);
        if (p < TILE * PACKS)
            copyAsync16(rows + r * ROW_STRIDE + pack * 8, factor + (i64) max(token, 0) * RANK + pack * 8, token >= 0);
    }
    commitCopies();
}

// Rotates the pairs of a row; `upper` is 0 or 2, for rows lane / 4 and lane / 4 + 8 of the
// accumulators.
static __device__ __forceinline__ void rotate(
    float (&keys)[HEAD_DIM / 8][4], int upper, i64 position, const float* cosines, const float* sines) {
    int column = threadIdx.x % 4 * 2;
#pragma unroll
    for (int n = 0; n < (INTERLEAVED ? (ROTARY_DIM + 7) / 8 : HALF / 8); n++) {
#if INTERLEAVED
        if (n * 8 + column < ROTARY_DIM) {
            i64 at = position * HALF + (n * 8 + column) / 2;
            float c = cosines[at], s = sines[at], x = keys[n][upper], y = keys[n][upper + 1];
            keys[n][upper] = x * c - y * s;
            keys[n][upper + 1] = x * s + y * c;
        }
#else
        i64 at = position * HALF + n * 8 + column;
        float2 c = *(const float2*) (cosines + at), s = *(const float2*) (sines + at);
        float (&low)[4] = keys[n];
        float (&high)[4] = keys[n + HALF / 8];
        float x0 = low[upper], y0 = high[upper], x1 = low[upper + 1], y1 = high[upper + 1];
        low[upper] = x0 * c.x - y0 * s.x;
        high[upper] = x0 * s.x + y0 * c.x;
        low[upper + 1] = x1 * c.y - y1 * s.y;
        high[upper + 1] = x1 * s.y + y1 * c.y;
#endif
    }
}

static __device__ __forceinline__ void rebuildTile(
    TYPE* rows, const TYPE* basis, Place place, TYPE* keys, const float* cosines, const float* sines) {
    int lane = threadIdx.x % 32;
    float sums[HEAD_DIM / 8][4] = {};
#pragma unroll 2
    for (int k = 0; k < RANK; k += 16) {
        u32 a[4];
        loadMatrices(a, rows + lane % 16 * ROW_STRIDE + k + lane / 16 * 8);
#pragma unroll
        for (int n = 0; n < HEAD_DIM / 16; n++) {
            u32 b[4];
            loadMatricesTransposed(b, basis + (k + lane % 16) * BASIS_STRIDE + n * 16 + lane / 16 * 8);
            multiply(TYPE(), sums[2 * n], a, b[0], b[1]);
            multiply(TYPE(), sums[2 * n + 1], a, b[2], b[3]);
        }
    }
    int low = __shfl_sync(ALL_LANES, place.token, lane / 4), high = __shfl_sync(ALL_LANES, place.token, lane / 4 + 8);
    rotate(sums, 0, max(low, 0), cosines, sines);
    rotate(sums, 2, max(high, 0), cosines, sines);
    __syncwarp();
    // Through shared memory, so that whole rows are written.
#pragma unroll
    for (int n = 0; n < HEAD_DIM / 8; n++) {
        TYPE* to = rows + lane / 4 * ROW_STRIDE + n * 8 + lane % 4 * 2;
        *(u32*) to = pack(TYPE(), sums[n][0], sums[n][1]);
        *(u32*) (to + 8 * ROW_STRIDE) = pack(TYPE(), sums[n][2], sums[n][3]);
    }
    __syncwarp();
    const int PACKS = HEAD_DIM / 8;
#pragma unroll 2
    for (int base = 0; base < TILE * PACKS; base += 32) {
        int p = base + lane, r = p / PACKS;
        i64 row = __shfl_sync(ALL_LANES, place.row, r);
        if (row >= 0) *(uint4*) (keys + row * HEAD_DIM + p % PACKS * 8) = *(const uint4*) (rows + r * ROW_STRIDE + p % PACKS * 8);
    }
    __syncwarp();
}

extern "C" __global__ void __launch_bounds__(THREADS, HEAD_DIM > 128 ? 1 : 2) rebuildKeys(
    const IndexedEntry* __restrict__ table, const i32* __restrict__ slots, const i32* __restrict__ units, int rowCount,
    int kvHeads, const float* __restrict__ cosines, const float* __restrict__ sines) {
    extern __shared__ uint4 shared[];
    letNextStart();
    waitForPrevious();
    TYPE* basis = (TYPE*) shared;
    int warp = threadIdx.x / 32, segments = rowCount * kvHeads;
    TYPE* rows = basis + RANK * BASIS_STRIDE + warp * TILE * ROW_STRIDE;
    int* starts = (int*) (basis + RANK * BASIS_STRIDE + WARPS * TILE * ROW_STRIDE);
    int total = sumLengths(starts, segments, [&](int s) {
        int i = s / kvHeads;
        return (missesOf(table, slots[i], units[i], s % kvHeads) * UNIT_TOKENS + TILE - 1) / TILE;
    });
    int end = shareStart(total, blockIdx.x + 1, gridDim.x);
    for (int at = shareStart(total, blockIdx.x, gridDim.x); at < end;) {
        int segment = sliceOf(starts, segments, at), head = segment % kvHeads;
        int first = at - starts[segment], last = min(starts[segment + 1] - starts[segment], first + end - at);
        const IndexedEntry& entry = table[slots[segment / kvHeads]];
        const TYPE* factor = (const TYPE*) entry.factor;
        int tokens = entry.missCounts[head] * UNIT_TOKENS;
        __syncthreads();
        const int PACKS = HEAD_DIM / 8;
        for (int p = threadIdx.x; p < RANK * PACKS; p += THREADS) {
            int r = p / PACKS, e = p % PACKS * 8;
            copyAsync16(basis + r * BASIS_STRIDE + e,
                (const TYPE*) entry.basis + ((i64) r * kvHeads + head) * HEAD_DIM + e);
        }
        int tile = first + warp;
        Place place = placeOf(entry, head, tile, tile < last ? tokens : 0);
        gather(rows, factor, place);
        waitCopies<0>();
        __syncthreads();
        while (tile < last) {
            int next = tile + WARPS;
            // Read early, because these are two dependent reads.
            Place nextPlace = placeOf(entry, head, next, next < last ? tokens : 0);
            rebuildTile(rows, basis, place, (TYPE*) entry.keys, cosines, sines);
            tile = next;
            place = nextPlace;
            if (tile < last) gather(rows, factor, place);
            waitCopies<0>();
            __syncwarp();
        }
        at += last - first;
    }
}
