// Projections of a few rows by up to four matrices:
//   out_i[n, o] = sum_k x[n, k] * weight_i[o, k] (+ bias_i[o]) (+ addend_i[n, o])
//
// Arguments  matrices  by value: pointers to weight [outputs, k], bias [outputs] or null, addend
//            [rows, outputs] or null, out [rows, outputs] (may be the addend); outputs; number of
//            its first tile.
//            count     matrices in use; tiles: tiles of all of them
//            x         [rows, k]; rows <= 8 * ROW_TILES; k a multiple of 8
//            partials  float [2 * blocks, TILE * ROWS], counters int [tiles], zero before and after each launch
// Types      x, weights and biases ACT (bf16 or f16), addend and out OUT; sums in float, rounded
//            once.
// Grid       one block of 256 threads per multiprocessor; linear_tiles.cuh splits the work.
// Bytes      all weights once (x comes from the L2 cache: rows / TILE of the weights' bytes). For
//            devices before Hopper: on an H200 it reads 3.2 TB/s, less than linear_streamed.cu.
// Shared     STAGES * (WARPS * WARP_TILES * 16 + ROWS) * SLAB * 2 bytes, dynamic: 136 to 160 KiB.
// How        Weights are the 16-row operand of mma.m16n8k16, and rows of x are its 8 columns. With
//            cp.async, each lane copies exactly the 16 bytes that it multiplies itself, so weights
//            need no barrier and have no bank conflicts: shared memory serves as a large register
//            file. Both operands permute the order of k within 32 elements in the same way (lane q
//            has elements 8q to 8q+7), so the sum stays the same. The warps share x. In an early
//            launch, a block fetches its first weights while the kernel that computes x still runs.
//            The weights must have been written before that kernel started.
// Limits     16-byte aligned pointers. Rows after `outputs` and columns after k are zeros and are
//            not read.
//
// check: ACT=bf16 ROW_TILES=1
// check: ACT=bf16 ROW_TILES=2
// check: ACT=bf16 ROW_TILES=4
// check: ACT=bf16 ROW_TILES=5
// check: ACT=bf16 ROW_TILES=8
// check: ACT=f16 ROW_TILES=3
#include "linear_tiles.cuh"
#include "mma.cuh"
#include "overlap.cuh"

#ifndef ROW_TILES
#define ROW_TILES 1
#endif

static const int WARPS = 8;
static const int THREADS = 32 * WARPS;
static const int WARP_TILES = ROW_TILES > 4 ? 2 : 1;  // weight rows of a warp / 16: more if reading x costs more
static const int SLAB = 128 / WARP_TILES;
static const int STAGES = 4;  // LinearSkinny.java computes shared memory from these
static const int ROWS = 8 * ROW_TILES;
static const int TILE = WARPS * WARP_TILES * 16;
static const int GROUPS = SLAB / 32;  // 32 columns: 64 bytes of a row, 16 per lane
static const int WEIGHT_BYTES = TILE * SLAB * 2;
static const int STAGE_BYTES = WEIGHT_BYTES + ROWS * SLAB * 2;
static const int COPIES = (ROWS * (SLAB / 8) + THREADS - 1) / THREADS;  // of x, 8 elements each, per thread and step

struct Words { u32 at[4]; };

static __device__ __forceinline__ Words read16(const u8* p) {
    uint4 v = *(const uint4*) p;
    return {{v.x, v.y, v.z, v.w}};
}

// Like copyAsync16, but also makes the L2 cache fetch the adjacent 64 bytes, which the next copy
// reads.
static __device__ __forceinline__ void copyWeights(void* shared, const void* global, bool valid) {
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)), "l"(global), "r"(bytes) : "memory");
}

static __device__ __forceinline__ void fillWeights(u8* stage, const Matrices& matrices, int count, int k, int tile, int slab) {
    const Matrix& m = matrices.at[matrixOf(matrices, count, tile)];
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int firstRow = (tile - m.firstTile) * TILE + warp * WARP_TILES * 16 + lane / 4;
    u8* own = stage + warp * (WARP_TILES * 2 * GROUPS * 512) + lane * 16;
#pragma unroll
    for (int h = 0; h < 2 * WARP_TILES; h++) {
        int row = firstRow + 8 * h;
        const ACT* from = m.weight + (i64) (row < m.outputs ? row : 0) * k;
#pragma unroll
        for (int g = 0; g < GROUPS; g++) {
            int column = slab * SLAB + g * 32 + lane % 4 * 8;
            bool valid = row < m.outputs && column < k;
            copyWeights(own + (h * GROUPS + g) * 512, from + (valid ? column : 0), valid);
        }
    }
}

// The place of thread i's piece of 8 elements of x, and whether the piece exists.
struct Copy {
    const ACT* from;
    u8* to;
    bool isValid;
};

static __device__ __forceinline__ Copy copyOf(int i, u8* stage, const ACT* x, int rows, int k, int slab) {
    int row = i / (SLAB / 8), piece = i % (SLAB / 8);
    int column = slab * SLAB + piece * 8;
    bool isValid = row < rows && column < k;
    return {x + (isValid ? (i64) row * k + column : 0), stage + WEIGHT_BYTES + ((piece / 4) * ROWS + row) * 64 + piece % 4 * 16, isValid};
}

static __device__ __forceinline__ void fillRows(u8* stage, const ACT* x, int rows, int k, int slab) {
#pragma unroll
    for (int p = 0; p < COPIES; p++) {
        int i = p * THREADS + threadIdx.x;
        if (i < ROWS * (SLAB / 8)) {
            Copy copy = copyOf(i, stage, x, rows, k, slab);
            copyAsync16(copy.to, copy.from, copy.isValid);
        }
    }
}

// Reads x for the first stages directly, because asynchronous copies would wait behind those of
// weights in progress.
static __device__ __forceinline__ void readRows(u8* stages, const ACT* x, int rows, int k, int slabs, int slab, int steps) {
    uint4 held[STAGES - 1][COPIES];
#pragma unroll
    for (int s = 0; s < STAGES - 1; s++) {
#pragma unroll
        for (int p = 0; p < COPIES; p++) {
            int i = p * THREADS + threadIdx.x;
            held[s][p] = make_uint4(0, 0, 0, 0);
            if (s < steps && i < ROWS * (SLAB / 8)) {
                Copy copy = copyOf(i, stages, x, rows, k, (slab + s) % slabs);
                if (copy.isValid) held[s][p] = *(const uint4*) copy.from;
            }
        }
    }
#pragma unroll
    for (int s = 0; s < STAGES - 1; s++) {
#pragma unroll
        for (int p = 0; p < COPIES; p++) {
            int i = p * THREADS + threadIdx.x;
            if (s < steps && i < ROWS * (SLAB / 8)) *(uint4*) copyOf(i, stages + s * STAGE_BYTES, x, rows, k, 0).to = held[s][p];
        }
    }
}

static __device__ __forceinline__ void multiplySlab(float (&sums)[WARP_TILES * ROW_TILES][4], const u8* stage) {
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const u8* own = stage + warp * (WARP_TILES * 2 * GROUPS * 512) + lane * 16;
    const u8* shared = stage + WEIGHT_BYTES + lane * 16;
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        Words upper[WARP_TILES], lower[WARP_TILES];
#pragma unroll
        for (int t = 0; t < WARP_TILES; t++) {
            upper[t] = read16(own + (2 * t * GROUPS + g) * 512);
            lower[t] = read16(own + ((2 * t + 1) * GROUPS + g) * 512);
        }
#pragma unroll
        for (int n = 0; n < ROW_TILES; n++) {
            Words b = read16(shared + (g * ROWS + 8 * n) * 64);
#pragma unroll
            for (int t = 0; t < WARP_TILES; t++) {
                u32 first[4] = {upper[t].at[0], lower[t].at[0], upper[t].at[1], lower[t].at[1]};
                u32 second[4] = {upper[t].at[2], lower[t].at[2], upper[t].at[3], lower[t].at[3]};
                multiply(ACT(), sums[t * ROW_TILES + n], first, b.at[0], b.at[1]);
                multiply(ACT(), sums[t * ROW_TILES + n], second, b.at[2], b.at[3]);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(THREADS, 1) linearSkinny(const __grid_constant__ Matrices matrices, int count, int tiles,
        const ACT* x, int rows, int k, float* partials, i32* counters) {
    extern __shared__ __align__(16) u8 stages[];
    letNextStart();
    Piece piece(tiles, (k + SLAB - 1) / SLAB);
    int tile = piece.tile, slab = piece.slab, nextTile = tile, nextSlab = slab, firstSlab = slab;

#pragma unroll
    for (int i = 0; i < STAGES - 1; i++) {
        if (i < piece.steps) {
            fillWeights(stages + i * STAGE_BYTES, matrices, count, k, nextTile, nextSlab);
            if (++nextSlab == piece.slabs) { nextSlab = 0; nextTile++; }
        }
        commitCopies();
    }
    waitForPrevious();
    readRows(stages, x, rows, k, piece.slabs, slab, piece.steps);
    float sums[WARP_TILES * ROW_TILES][4] = {};
    int stage = 0;
    for (int i = 0; i < piece.steps; i++) {
        waitCopies<STAGES - 2>();
        __syncthreads();
        // All warps have finished the preceding stage.
        int refilled = stage == 0 ? STAGES - 1 : stage - 1;
        if (i + STAGES - 1 < piece.steps) {
            fillWeights(stages + refilled * STAGE_BYTES, matrices, count, k, nextTile, nextSlab);
            fillRows(stages + refilled * STAGE_BYTES, x, rows, k, nextSlab);
            if (++nextSlab == piece.slabs) { nextSlab = 0; nextTile++; }
        }
        commitCopies();
        multiplySlab(sums, stages + stage * STAGE_BYTES);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        slab++;
        if (slab < piece.slabs && i + 1 < piece.steps) continue;

        bool isWhole = firstSlab == 0 && slab == piece.slabs;
        if (isWhole || addUp<THREADS>(sums, piece, tile, firstSlab, slab, partials, counters)) {
            const Matrix& m = matrices.at[matrixOf(matrices, count, tile)];
            int firstOutput = (tile - m.firstTile) * TILE + threadIdx.x / 32 * WARP_TILES * 16;
#pragma unroll
            for (int t = 0; t < WARP_TILES; t++) store((const float (&)[ROW_TILES][4]) sums[t * ROW_TILES], m, firstOutput + t * 16, rows);
        }
        clear(sums);
        if (slab == piece.slabs) { slab = 0; tile++; }
        firstSlab = slab;
    }
}
