// The work of one decode launch as a list of tiles of positions (rows outermost, then heads), and
// its even division among blocks: block b of B takes tiles b*T/B to (b+1)*T/B (exclusive), for any
// mixture of lengths.
#pragma once
#include "decode_rows.cuh"
#include "warp.cuh"

constexpr int MAX_ROWS = 256;

struct Item { i32 row, part, first, end; };  // part = head * SLICES + slice; tiles first to end (exclusive)

// The item of a tile: the last row that starts at or before it. A row without tiles starts where
// the next row starts.
static __device__ __forceinline__ Item locate(const i32* starts, i32 rows, i32 parts, i32 tile) {
    i32 low = 0, high = rows;
    while (high - low > 1) {
        i32 middle = (low + high) / 2;
        if (starts[middle] <= tile) low = middle;
        else high = middle;
    }
    i32 tiles = (starts[low + 1] - starts[low]) / parts, part = (tile - starts[low]) / tiles;
    i32 first = starts[low] + part * tiles;
    return Item{low, part, first, first + tiles};
}

static __device__ __forceinline__ i32 firstTile(i32 block, i32 blocks, i32 tiles) { return (i32) ((i64) block * tiles / blocks); }
static __device__ __forceinline__ i32 blockOf(i32 tile, i32 blocks, i32 tiles) { return (i32) ((((i64) tile + 1) * blocks - 1) / tiles); }

// First tile of each row in the list; starts[rows] is the number of tiles.
template <int THREADS, int TILE, typename Entry>
static __device__ __forceinline__ void scanRows(const Entry* table, const i32* slots, const i32* attended, i32 rows, i32 parts, i32* starts) {
    for (i32 i = threadIdx.x; i < MAX_ROWS; i += THREADS) {
        i32 slot = i < rows ? slots[i] : -1;
        starts[i + 1] = slot < 0 ? 0 : (rowsOf(table[slot], attended[i], 0).length + TILE - 1) / TILE * parts;
    }
    __syncthreads();
    if (threadIdx.x < 32) {
        i32 own[MAX_ROWS / 32], sum = 0;
#pragma unroll
        for (int k = 0; k < MAX_ROWS / 32; k++) own[k] = sum += starts[1 + threadIdx.x * (MAX_ROWS / 32) + k];
        i32 before = sum;
        for (int d = 1; d < 32; d *= 2) {
            i32 left = __shfl_up_sync(ALL_LANES, before, d);
            if (threadIdx.x >= d) before += left;
        }
        before -= sum;
#pragma unroll
        for (int k = 0; k < MAX_ROWS / 32; k++) starts[1 + threadIdx.x * (MAX_ROWS / 32) + k] = before + own[k];
        if (threadIdx.x == 0) starts[0] = 0;
    }
    __syncthreads();
}
