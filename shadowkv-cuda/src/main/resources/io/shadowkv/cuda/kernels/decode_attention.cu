// decodeAttention: exact attention of one new token per sequence, for sequences of different
// lengths.
//   out[i, q] = sum_p softmax_p(scale * queries[i, q] . keys[p]) values[p], p over the rows of decode_rows.cuh
// Source: FlashAttention (online softmax), Flash-Decoding (split keys), Stream-K (even division of
// uneven work).
//
// queries, out  ELEMENT, OUT [rows, kvHeads * GROUP, HEAD_DIM], queries aligned to 16 bytes
// table         AttendedEntry or IndexedEntry (SELECTED) [slots]; keys and values ELEMENT, aligned
//               to 16 bytes
// slots         [rows], -1 skips the row; attended [rows]; rows <= MAX_ROWS
// partials      float [blocks, 2, QUERIES, HEAD_DIM + 2]; counters [rows * kvHeads * SLICES], zero
//               before and after
// grid          any number of blocks (one per multiprocessor), WARPS * 32 threads; a block's
//               dynamic shared memory is WARPS * STAGES * 2 * 16 * PITCH * 16 + WARPS /
//               2 * QUERIES * HEAD_DIM * 33 / 32 * 4 bytes (208,896 + 16,896 for d = 128)
//
// The work is a list of tiles of WARPS * 16 positions, rows outermost, then heads. Block b takes
// tiles b*T/B to (b+1)*T/B (exclusive). A warp reads 16 positions of each tile through its own ring
// (cp.async, no block barrier) and keeps its own maximum, sum and output. The warps of a block add
// their results only at the end of an item (row, head), while the ring already fetches the next
// item. Blocks that share an item write their sums to `partials`; the last block to arrive adds
// them in the order of the blocks, so the result does not depend on the order of arrival.
//
// Bytes          2 * positions * kvHeads * HEAD_DIM * 2; at 4.58 TB/s, 8 x 124,928 tokens, 8 heads
//                of 128: 4.09 GB, 894 us
// Precision      products of 16-bit inputs, sums in float, weights rounded to ELEMENT before they
//                are multiplied by the values
// Fails          never; HEAD_DIM is a multiple of 16, at most 256. Groups above QUERIES read the
//                keys once per slice
//
// check: HEAD_DIM=128 GROUP=4
// check: HEAD_DIM=128 GROUP=4 SELECTED=1
// check: HEAD_DIM=128 GROUP=7 SELECTED=1
// check: HEAD_DIM=128 GROUP=8 ELEMENT=f16 OUT=f16
// check: HEAD_DIM=128 GROUP=16 STAGES=2 SELECTED=1
// check: HEAD_DIM=64 GROUP=7 STAGES=4 ELEMENT=f16 OUT=f16
// check: HEAD_DIM=96 GROUP=1 SELECTED=1
// check: HEAD_DIM=80 GROUP=1
// check: HEAD_DIM=256 GROUP=16 WARPS=4
#include "decode_meeting.cuh"
#include "decode_work.cuh"
#include "overlap.cuh"

#ifndef ELEMENT
#define ELEMENT bf16
#endif
#ifndef OUT
#define OUT bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 4
#endif
#ifndef SELECTED
#define SELECTED 0
#endif
#ifndef WARPS
#define WARPS 8
#endif
#ifndef STAGES
#define STAGES 3
#endif

#if SELECTED
typedef IndexedEntry Entry;
typedef PieceRows Rows;
#else
typedef AttendedEntry Entry;
typedef WholeRows Rows;
#endif

constexpr int KEYS = 16;                                             // positions of a warp in a tile
constexpr int QUERY_TILES = GROUP > 8 && HEAD_DIM <= 128 ? 2 : 1;
constexpr int QUERIES = 8 * QUERY_TILES;
constexpr int SLICES = (GROUP + QUERIES - 1) / QUERIES;
constexpr int PIECES = HEAD_DIM / 8;                                 // 16-byte pieces of a row
constexpr int PITCH = PIECES | 1;                                    // odd: 8 rows are in 8 different bank groups
constexpr int COPIES = KEYS * PIECES / 32;
constexpr int PARTIAL = QUERIES * (HEAD_DIM + 2);
static_assert(HEAD_DIM % 16 == 0 && HEAD_DIM <= 256 && STAGES <= 4 && WARPS % 2 == 0, "see the form above");

static __device__ __forceinline__ void copyStreamed(void* shared, const u8* global, bool valid) {
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)), "l"(global), "r"(bytes) : "memory");
}

static __device__ __forceinline__ float readPast(const float* p) {  // written by another block, so not read through L1
    float x;
    asm volatile("ld.global.cg.f32 %0, [%1];" : "=f"(x) : "l"(p) : "memory");
    return x;
}

// The part of a warp that fetches, always STAGES tiles ahead. `row` is the row of position lane %
// 16 of the next tile. It is looked up one tile early, so that the number of a selected slot has
// arrived when it is needed.
struct Fetch {
    Item item;
    const u8 *keys, *values;
    Rows rows;
    i32 row;

    __device__ __forceinline__ void prepare(i32 tile, i32 limit, const Entry* table, const i32* slots, const i32* attended,
            const i32* starts, i32 rowCount, i32 parts) {
        row = -1;
        if (tile >= limit) return;
        if (tile >= item.end) {
            item = locate(starts, rowCount, parts, tile);
            const Entry& entry = table[slots[item.row]];
            i32 head = item.part / SLICES;
            i64 offset = (i64) head * capacityOf(entry) * (HEAD_DIM * 2);
            keys = (const u8*) entry.keys + offset;
            values = (const u8*) entry.values + offset;
            rows = rowsOf(entry, attended[item.row], head);
        }
        i32 position = ((tile - item.first) * WARPS + (i32) threadIdx.x / 32) * KEYS + (i32) threadIdx.x % KEYS;
        if (position < rows.length) row = rows.at(position);
    }

    // Returns a bit for each position that exists.
    __device__ __forceinline__ u32 copy(u8* stage) {
        u32 present = __ballot_sync(ALL_LANES, row >= 0) & 0xffff;
        if (present != 0) {
#pragma unroll
            for (int k = 0; k < COPIES; k++) {
                int index = k * 32 + threadIdx.x % 32, at = index / PIECES, piece = index % PIECES;
                i32 source = __shfl_sync(ALL_LANES, row, at);
                bool valid = source >= 0;
                i64 offset = (i64) (valid ? source : 0) * (HEAD_DIM * 2) + piece * 16;
                u8* target = stage + (at * PITCH + piece) * 16;
                copyStreamed(target, keys + offset, valid);
                copyStreamed(target + KEYS * PITCH * 16, values + offset, valid);
            }
        }
        commitCopies();
        return present;
    }
};

typedef Sums<ELEMENT, HEAD_DIM, PITCH, QUERY_TILES> WarpSums;
typedef Meeting<WARPS, WarpSums> BlockSums;

static __device__ __forceinline__ void writeTwo(OUT* out, float a, float b) {
    *(Vector<OUT, 2>*) out = Vector<OUT, 2>{{fromFloat<OUT>(a), fromFloat<OUT>(b)}};
}

// Adds the partial sums of blocks first to last (inclusive). Those of the first block belong to its
// last item (place 1).
static __device__ __forceinline__ void combine(const float* partials, i32 first, i32 last, i32 queries, OUT* out) {
    for (int k = threadIdx.x; k < queries * (HEAD_DIM / 2); k += WARPS * 32) {
        int query = k / (HEAD_DIM / 2), d = k % (HEAD_DIM / 2) * 2;
        float largest = minusInfinity(), sum = 0.f, a = 0.f, b = 0.f;
#pragma unroll 4
        for (i32 block = first; block <= last; block++) {
            const float* own = partials + (i64) (2 * block + (block == first)) * PARTIAL;
            largest = fmaxf(largest, readPast(own + QUERIES * HEAD_DIM + query * 2));
        }
#pragma unroll 4
        for (i32 block = first; block <= last; block++) {
            const float* own = partials + (i64) (2 * block + (block == first)) * PARTIAL;
            float factor = rescaling(readPast(own + QUERIES * HEAD_DIM + query * 2), largest);
            sum += factor * readPast(own + QUERIES * HEAD_DIM + query * 2 + 1);
            a += factor * readPast(own + query * HEAD_DIM + d);
            b += factor * readPast(own + query * HEAD_DIM + d + 1);
        }
        float inverse = sum > 0.f ? 1.f / sum : 0.f;
        writeTwo(out + query * HEAD_DIM + d, a * inverse, b * inverse);
    }
}

// The state of a block at the end of an item or of its tiles.
struct Share {
    Item item;
    i32 begin, limit, blocks, tiles, kvHeads;
};

// Writes the outputs of an item if this block has all of it. Otherwise writes the sums to
// `partials` (place 1 for an item that begins in this block, 0 for one that began in an earlier
// block); the last block to arrive combines them.
static __device__ __forceinline__ void finish(const Share& share, BlockSums& meeting, const float* area, OUT* out, float* partials, u32* counters) {
    const Item& item = share.item;
    i32 slice = item.part % SLICES, queries = min(QUERIES, GROUP - slice * QUERIES);
    OUT* target = out + (((i64) item.row * share.kvHeads + item.part / SLICES) * GROUP + slice * QUERIES) * HEAD_DIM;
    bool begins = item.first >= share.begin, isWhole = begins && item.end <= share.limit;
    float* partial = partials + (i64) (2 * blockIdx.x + begins) * PARTIAL;
    for (int k = threadIdx.x; k < queries * (HEAD_DIM / 2); k += WARPS * 32) {
        int query = k / (HEAD_DIM / 2), d = k % (HEAD_DIM / 2) * 2;
        float a = meeting.gather(area, query, d), b = meeting.gather(area, query, d + 1), sum = meeting.allSum[query];
        if (isWhole) {
            float inverse = sum > 0.f ? 1.f / sum : 0.f;
            writeTwo(target + query * HEAD_DIM + d, a * inverse, b * inverse);
        } else {
            *(Vector<float, 2>*) (partial + query * HEAD_DIM + d) = Vector<float, 2>{{a, b}};
            if (d == 0) {
                partial[QUERIES * HEAD_DIM + query * 2] = meeting.allLargest[query];
                partial[QUERIES * HEAD_DIM + query * 2 + 1] = sum;
            }
        }
    }
    if (isWhole) return;
    i32 first = blockOf(item.first, share.blocks, share.tiles), last = blockOf(item.end - 1, share.blocks, share.tiles);
    u32* counter = counters + (i64) item.row * share.kvHeads * SLICES + item.part;
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) meeting.arrived = atomicAdd(counter, 1u);
    __syncthreads();
    if (meeting.arrived == (u32) (last - first)) {
        __threadfence();
        combine(partials, first, last, queries, target);
        if (threadIdx.x == 0) *counter = 0;
    }
}

extern "C" __global__ void __launch_bounds__(WARPS * 32, 1) decodeAttention(const ELEMENT* queries, const Entry* table,
        const i32* slots, const i32* attended, i32 rows, i32 kvHeads, float scale, OUT* out, float* partials, u32* counters) {
    extern __shared__ __align__(16) u8 shared[];
    __shared__ i32 starts[MAX_ROWS + 1];
    __shared__ BlockSums meeting;
    letNextStart();
    constexpr int STAGE = 2 * KEYS * PITCH * 16;
    u8* ring = shared + threadIdx.x / 32 * (STAGES * STAGE);
    float* area = (float*) (shared + WARPS * STAGES * STAGE);
    i32 parts = kvHeads * SLICES;
    scanRows<WARPS * 32, KEYS * WARPS>(table, slots, attended, rows, parts, starts);
    waitForPrevious();
    i32 tiles = starts[rows], blocks = min((i32) gridDim.x, tiles), block = blockIdx.x;
    if (block >= blocks) return;
    i32 begin = firstTile(block, blocks, tiles), limit = firstTile(block + 1, blocks, tiles);
    float scale2 = scale * 1.4426950408889634f;  // for powers of 2 instead of e

    Fetch fetch;
    fetch.item.end = 0;
    u64 history = 0;  // 16 bits per stage, the oldest stage highest
    fetch.prepare(begin, limit, table, slots, attended, starts, rows, parts);
    for (int s = 0; s < STAGES; s++) {
        history = history << 16 | fetch.copy(ring + s * STAGE);
        fetch.prepare(begin + s + 1, limit, table, slots, attended, starts, rows, parts);
    }
    Item item{0, 0, 0, 0};
    WarpSums sums;
    int stage = 0;
    for (i32 tile = begin; tile < limit; tile++) {
        if (tile >= item.end) {
            item = locate(starts, rows, parts, tile);
            i32 slice = item.part % SLICES;
            i64 query = ((i64) item.row * kvHeads + item.part / SLICES) * GROUP + slice * QUERIES;
            sums.begin(queries + query * HEAD_DIM, min(QUERIES, GROUP - slice * QUERIES));
        }
        waitCopies<STAGES - 1>();
        __syncwarp();
        u32 present = (u32) (history >> (16 * (STAGES - 1))) & 0xffff;
        if (present != 0) sums.add(ring + stage * STAGE, present, scale2);
        __syncwarp();
        history = history << 16 | fetch.copy(ring + stage * STAGE);
        fetch.prepare(tile + STAGES + 1, limit, table, slots, attended, starts, rows, parts);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        if (tile + 1 != item.end && tile + 1 != limit) continue;

        meeting.meet(sums, area);
        finish(Share{item, begin, limit, blocks, tiles, kvHeads}, meeting, area, out, partials, counters);
    }
}
