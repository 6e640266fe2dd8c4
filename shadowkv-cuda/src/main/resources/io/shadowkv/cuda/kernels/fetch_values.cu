// Copies the values of all misses from the store to their slots (ShadowOperations.fetchValues).
// Stored values are in page-locked host memory, which this kernel reads over the link, or in device
// memory. Codes (i8, f8) are multiplied by the scale of their row.
//
// table   IndexedEntry [slots]: storedValues STORED [kvHeads, valueTokens, HEAD_DIM], the extents
//         after them, the scales of both, missUnits, missSlots, missCounts, unitIds are read; rows
//         of misses in values VALUE [kvHeads, attendedCapacity, HEAD_DIM] are written
// slots   i32 [rows], -1: padding        units i32 [rows], 0: skipped
// hostBlocks  this many first blocks share the misses in host memory, all others those in device
//             memory; 1 or more
//
// The host never launches it for a layer whose values have another format than STORED
// (StepLimits.java), and every indexed token has a value; the traps guard against a mistake there. Fixed: UNIT_TOKENS contiguous tokens
// per unit. fetchValues moves 16 bytes per thread and access: HEAD_DIM * sizeof(STORED) and
// HEAD_DIM * sizeof(VALUE) must be multiples of 16, and tensors 16-byte aligned. fetchValuesAny
// moves single elements of any types.
//
// Grid: hostBlocks + any number of blocks of 256 threads. Blocks compute their share of the misses
// from missCounts, which balances rows and heads with different numbers of misses. Shared memory:
// 4 * (rows * kvHeads + 1) bytes dynamic, 6 KiB static.
// Bytes: one unit read over the link and written to the device for each miss, 2 KiB of bf16 (8 x
// 128): 14 rows x 8 heads x 102 misses are 23.4 MB, 0.46 ms at 51 GB/s. In flight: 32 KiB per
// block, so that 16 blocks keep the link busy (50 GB/s x 2 us = 100 KB are needed) and leave all
// other multiprocessors to the main queue.
// Precision: code * scale is exact in float; rounded once.
//
// check: STORED=bf16 VALUE=bf16 HEAD_DIM=128 UNIT_TOKENS=8 FORMAT=0
// check: STORED=i8 VALUE=bf16 HEAD_DIM=128 UNIT_TOKENS=8 FORMAT=1
// check: STORED=f8 VALUE=f16 HEAD_DIM=96 UNIT_TOKENS=8 FORMAT=2
// check: STORED=bf16 VALUE=bf16 HEAD_DIM=64 UNIT_TOKENS=1 FORMAT=0
// check: STORED=f8 VALUE=bf16 HEAD_DIM=256 UNIT_TOKENS=1 FORMAT=2
// check: STORED=float VALUE=float HEAD_DIM=10 UNIT_TOKENS=8 FORMAT=0
#include "slices.cuh"

#ifndef STORED
#define STORED bf16
#endif
#ifndef VALUE
#define VALUE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef UNIT_TOKENS
#define UNIT_TOKENS 8
#endif
#ifndef FORMAT
#define FORMAT 0
#endif

static const int THREADS = 256;
static const int LISTED = 256;  // misses whose addresses are computed at a time
static const int FLIGHT = 8;    // loads that a thread starts before it stores
static const int UNIT = UNIT_TOKENS * HEAD_DIM;

struct Move { const STORED* from; VALUE* to; const bf16* scales; };

static __device__ Move moveOf(
    const int* starts, int at, const IndexedEntry* table, const i32* slots, int segments, int kvHeads) {
    int segment = sliceOf(starts, segments, at), head = segment % kvHeads;
    const IndexedEntry& entry = table[slots[segment / kvHeads]];
    if ((entry.valueFormat & 3) != FORMAT) __trap();
    i64 miss = (i64) head * entry.selected + at - starts[segment];
    i64 token = (i64) entry.unitIds[(i64) head * entry.unitCapacity + entry.missUnits[miss]] * UNIT_TOKENS;
    const void* values = entry.storedValues;
    const bf16* scales = entry.storedScales;
    i64 tokens = entry.valueTokens;
    if (token >= tokens) {  // a unit lies in one extent
        i64 later = token - tokens;
        int extent = (int) (later / entry.extentTokens);
        if (extent >= entry.extents) __trap();
        values = entry.extentValues[extent];
        scales = entry.extentScales[extent];
        tokens = extent == entry.extents - 1 ? entry.lastTokens : entry.extentTokens;
        token = later - (i64) extent * entry.extentTokens;
    }
    i64 source = (i64) head * tokens + token;
    i64 target = (i64) head * entry.attendedCapacity + entry.firstRow + (i64) entry.missSlots[miss] * UNIT_TOKENS;
    return {(const STORED*) values + source * HEAD_DIM, (VALUE*) entry.values + target * HEAD_DIM,
        FORMAT == VALUES_AS_ATTENDED ? nullptr : scales + source};
}

// Calls copy(moves, count) for all misses of this block's share.
template <typename Copy> static __device__ void forShare(
    const IndexedEntry* table, const i32* slots, const i32* units, int rows, int kvHeads, int hostBlocks, Copy copy) {
    extern __shared__ int starts[];
    __shared__ Move moves[LISTED];
    bool isHost = blockIdx.x < hostBlocks;
    int worker = isHost ? blockIdx.x : blockIdx.x - hostBlocks;
    int workers = isHost ? hostBlocks : gridDim.x - hostBlocks, segments = rows * kvHeads;
    int total = sumLengths(starts, segments, [&](int segment) {
        int i = segment / kvHeads;
        if (slots[i] < 0 || units[i] == 0) return 0;
        const IndexedEntry& entry = table[slots[i]];
        return ((entry.valueFormat & VALUES_ON_HOST) != 0) == isHost ? entry.missCounts[segment % kvHeads] : 0;
    });
    int end = shareStart(total, worker + 1, workers);
    for (int at = shareStart(total, worker, workers); at < end; at += LISTED) {
        int count = min(LISTED, end - at);
        __syncthreads();
        for (int m = threadIdx.x; m < count; m += THREADS)
            moves[m] = moveOf(starts, at + m, table, slots, segments, kvHeads);
        __syncthreads();
        copy(moves, count);
    }
}

// Loads 16 bytes that will not be read again soon.
static __device__ __forceinline__ uint4 loadOnce(const void* p) {
    uint4 r;
    asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
        : "=r"(r.x), "=r"(r.y), "=r"(r.z), "=r"(r.w) : "l"(p));
    return r;
}

extern "C" __global__ void __launch_bounds__(THREADS) fetchValues(
    const IndexedEntry* __restrict__ table, const i32* __restrict__ slots, const i32* __restrict__ units, int rows,
    int kvHeads, int hostBlocks) {
    const int PACK = 16 / sizeof(STORED), PACKS = UNIT / PACK > 0 ? UNIT / PACK : 1;
    forShare(table, slots, units, rows, kvHeads, hostBlocks, [&](const Move* moves, int count) {
        for (int base = threadIdx.x; base < count * PACKS; base += THREADS * FLIGHT) {
            uint4 packs[FLIGHT];
            bf16 scales[FLIGHT];
#pragma unroll
            for (int j = 0; j < FLIGHT; j++) {
                int p = base + j * THREADS, element = p % PACKS * PACK;
                if (p >= count * PACKS) break;
                packs[j] = loadOnce(moves[p / PACKS].from + element);
                if (FORMAT != VALUES_AS_ATTENDED) scales[j] = moves[p / PACKS].scales[element / HEAD_DIM];
            }
#pragma unroll
            for (int j = 0; j < FLIGHT; j++) {
                int p = base + j * THREADS, element = p % PACKS * PACK;
                if (p >= count * PACKS) break;
                VALUE* to = moves[p / PACKS].to + element;
                if (FORMAT == VALUES_AS_ATTENDED) {
                    *(uint4*) to = packs[j];
                } else {
                    float scale = toFloat(scales[j]);
                    const STORED* codes = (const STORED*) &packs[j];
                    const int PART = 16 / sizeof(VALUE);
#pragma unroll
                    for (int part = 0; part < PACK / PART; part++) {
                        Vector<VALUE, PART> decoded;
#pragma unroll
                        for (int e = 0; e < PART; e++)
                            decoded.at[e] = fromFloat<VALUE>(toFloat(codes[part * PART + e]) * scale);
                        *(Vector<VALUE, PART>*) (to + part * PART) = decoded;
                    }
                }
            }
        }
    });
}

extern "C" __global__ void __launch_bounds__(THREADS) fetchValuesAny(
    const IndexedEntry* __restrict__ table, const i32* __restrict__ slots, const i32* __restrict__ units, int rows,
    int kvHeads, int hostBlocks) {
    forShare(table, slots, units, rows, kvHeads, hostBlocks, [&](const Move* moves, int count) {
        for (int p = threadIdx.x; p < count * UNIT; p += THREADS) {
            const Move& move = moves[p / UNIT];
            int element = p % UNIT;
            float value = toFloat(move.from[element]);
            if (FORMAT != VALUES_AS_ATTENDED) value *= toFloat(move.scales[element / HEAD_DIM]);
            move.to[element] = fromFloat<VALUE>(value);
        }
    });
}
