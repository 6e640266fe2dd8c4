// Projections of a few rows by up to four matrices: out_i[n, o] = sum_k x[n, k] * weight_i[o, k] (+ bias_i[o]) (+ addend_i[n, o]).
//
// Arguments  matrices  by value: pointers to weight [outputs, k], bias [outputs] or null, addend [rows, outputs] or
//                      null, out [rows, outputs] (may be the addend); outputs; number of its first tile.
//            count     matrices in use; tiles: tiles of all of them
//            x         [rows, k]; rows <= 8 * ROW_TILES; k a multiple of 8
//            partials  float [2 * blocks, TILE * ROWS], counters int [tiles], zero before the first launch and left zero
// Types      ACT (bf16 or f16) everywhere; sums in float, rounded once.
// Grid       one block of 256 threads a multiprocessor. The steps (a tile of weights, SLAB of its columns) of all tiles
//            stand in one line that is cut into equal pieces ("stream-K"), so that any sizes keep all
//            multiprocessors busy. Who works on a part of a tile leaves its sums; the last one to arrive adds
//            them up, in the order of the blocks: the result does not depend on who came last.
// Bytes      all weights once (x comes from the L2 cache: rows / TILE of the weights' bytes). Llama-3.1-8B on 4.58 TB/s:
//            q+k+v 50 MB 11.0 us, o 34 MB 7.3 us, gate+up 235 MB 51 us, down 117 MB 26 us, head 1.05 GB 229 us.
// Shared     STAGES * (WARPS * WARP_TILES * 16 + ROWS) * SLAB * 2 bytes, dynamic: 136 to 160 KiB.
// How        Weights are the 16-row operand of mma.m16n8k16, rows of x its 8 columns. Each lane copies by cp.async just
//            the 16 bytes that it will multiply itself, so weights need no barrier and meet no bank conflict: shared
//            memory is a deep register file. The order of k inside 32 elements is permuted alike in both operands
//            (lane q takes elements 8q to 8q+7), which leaves the sum as it is. x is shared by the warps.
//            Launched early, a block fetches its first weights while the kernel that makes x still runs: weights must have
//            been written before that one started.
// Limits     16-byte aligned pointers. Rows beyond `outputs` and columns beyond k are zeros that nobody reads.
//
// check: ACT=bf16 ROW_TILES=1
// check: ACT=bf16 ROW_TILES=2
// check: ACT=bf16 ROW_TILES=4
// check: ACT=bf16 ROW_TILES=5
// check: ACT=bf16 ROW_TILES=8
// check: ACT=f16 ROW_TILES=3
#include "mma.cuh"
#include "overlap.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef ROW_TILES
#define ROW_TILES 1
#endif

static const int WARPS = 8;
static const int THREADS = 32 * WARPS;
static const int WARP_TILES = ROW_TILES > 4 ? 2 : 1;  // weight rows of a warp / 16: more, where reading x costs more
static const int SLAB = 128 / WARP_TILES;
static const int STAGES = 4;  // LinearSkinny.java computes shared memory from these
static const int ROWS = 8 * ROW_TILES;
static const int TILE = WARPS * WARP_TILES * 16;
static const int GROUPS = SLAB / 32;  // 32 columns: 64 bytes of a row, 16 a lane
static const int WEIGHT_BYTES = TILE * SLAB * 2;
static const int STAGE_BYTES = WEIGHT_BYTES + ROWS * SLAB * 2;
static const int PIECES = (ROWS * (SLAB / 8) + THREADS - 1) / THREADS;  // of x, 8 elements each, a thread and step
static const int PARTIAL = TILE * ROWS;

struct Matrix {
    const ACT* weight;
    const ACT* bias;
    const ACT* addend;
    ACT* out;
    i32 outputs;
    i32 firstTile;
};
struct Matrices { Matrix at[4]; };

struct Words { u32 at[4]; };

static __device__ __forceinline__ Words read16(const u8* p) {
    uint4 v = *(const uint4*) p;
    return {{v.x, v.y, v.z, v.w}};
}

// As copyAsync16, and lets the L2 cache fetch the neighbouring 64 bytes: the next copy wants them.
static __device__ __forceinline__ void copyWeights(void* shared, const void* global, bool valid) {
    int bytes = valid ? 16 : 0;
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(sharedAddress(shared)), "l"(global), "r"(bytes) : "memory");
}

static __device__ __forceinline__ int matrixOf(const Matrices& matrices, int count, int tile) {
    int m = 0;
    while (m + 1 < count && tile >= matrices.at[m + 1].firstTile) m++;
    return m;
}

// The block that does step `unit` of `units`: block b does floor(units * b / blocks) and those after it.
static __device__ __forceinline__ int blockOf(i64 unit, i64 units, int blocks) {
    return (int) (((unit + 1) * blocks - 1) / units);
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

// Where thread i's piece of 8 elements of x goes, and whether it is there at all.
struct Piece {
    const ACT* from;
    u8* to;
    bool isValid;
};

static __device__ __forceinline__ Piece pieceOf(int i, u8* stage, const ACT* x, int rows, int k, int slab) {
    int row = i / (SLAB / 8), piece = i % (SLAB / 8);
    int column = slab * SLAB + piece * 8;
    bool isValid = row < rows && column < k;
    return {x + (isValid ? (i64) row * k + column : 0), stage + WEIGHT_BYTES + ((piece / 4) * ROWS + row) * 64 + piece % 4 * 16, isValid};
}

static __device__ __forceinline__ void fillRows(u8* stage, const ACT* x, int rows, int k, int slab) {
#pragma unroll
    for (int p = 0; p < PIECES; p++) {
        int i = p * THREADS + threadIdx.x;
        if (i < ROWS * (SLAB / 8)) {
            Piece piece = pieceOf(i, stage, x, rows, k, slab);
            copyAsync16(piece.to, piece.from, piece.isValid);
        }
    }
}

// The first stages' x, read at once: copies would have to queue behind those of weights that are under way.
static __device__ __forceinline__ void readRows(u8* stages, const ACT* x, int rows, int k, int slabs, int slab, int steps) {
    uint4 held[STAGES - 1][PIECES];
#pragma unroll
    for (int s = 0; s < STAGES - 1; s++) {
#pragma unroll
        for (int p = 0; p < PIECES; p++) {
            int i = p * THREADS + threadIdx.x;
            held[s][p] = make_uint4(0, 0, 0, 0);
            if (s < steps && i < ROWS * (SLAB / 8)) {
                Piece piece = pieceOf(i, stages, x, rows, k, (slab + s) % slabs);
                if (piece.isValid) held[s][p] = *(const uint4*) piece.from;
            }
        }
    }
#pragma unroll
    for (int s = 0; s < STAGES - 1; s++) {
#pragma unroll
        for (int p = 0; p < PIECES; p++) {
            int i = p * THREADS + threadIdx.x;
            if (s < steps && i < ROWS * (SLAB / 8)) *(uint4*) pieceOf(i, stages + s * STAGE_BYTES, x, rows, k, 0).to = held[s][p];
        }
    }
}

static __device__ __forceinline__ void multiplySlab(float (&sums)[WARP_TILES][ROW_TILES][4], const u8* stage) {
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
                multiply(ACT(), sums[t][n], first, b.at[0], b.at[1]);
                multiply(ACT(), sums[t][n], second, b.at[2], b.at[3]);
            }
        }
    }
}

static __device__ __forceinline__ void store(const float (&sums)[WARP_TILES][ROW_TILES][4], const Matrix& m, int tile, int rows) {
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    int first = (tile - m.firstTile) * TILE + warp * WARP_TILES * 16 + lane / 4;
#pragma unroll
    for (int t = 0; t < WARP_TILES; t++) {
#pragma unroll
        for (int e = 0; e < 4; e++) {
            int output = first + t * 16 + e / 2 * 8;
            if (output >= m.outputs) continue;
            float bias = m.bias ? toFloat(m.bias[output]) : 0.f;
#pragma unroll
            for (int n = 0; n < ROW_TILES; n++) {
                int row = n * 8 + lane % 4 * 2 + e % 2;
                if (row >= rows) continue;
                i64 at = (i64) row * m.outputs + output;
                float addend = m.addend ? toFloat(m.addend[at]) : 0.f;
                m.out[at] = fromFloat<ACT>(sums[t][n][e] + bias + addend);
            }
        }
    }
}

extern "C" __global__ void __launch_bounds__(256, 1) linearSkinny(const __grid_constant__ Matrices matrices, int count, int tiles,
        const ACT* x, int rows, int k, float* partials, i32* counters) {
    extern __shared__ __align__(16) u8 stages[];
    __shared__ i32 isLast;
    letNextStart();
    int slabs = (k + SLAB - 1) / SLAB;
    i64 units = (i64) tiles * slabs;
    i64 from = units * blockIdx.x / gridDim.x;
    int steps = (int) (units * (blockIdx.x + 1) / gridDim.x - from);
    int tile = (int) (from / slabs), slab = (int) (from % slabs);
    int nextTile = tile, nextSlab = slab, firstSlab = slab;

#pragma unroll
    for (int i = 0; i < STAGES - 1; i++) {
        if (i < steps) {
            fillWeights(stages + i * STAGE_BYTES, matrices, count, k, nextTile, nextSlab);
            if (++nextSlab == slabs) { nextSlab = 0; nextTile++; }
        }
        commitCopies();
    }
    waitForPrevious();
    readRows(stages, x, rows, k, slabs, slab, steps);
    float sums[WARP_TILES][ROW_TILES][4] = {};
    int stage = 0;
    for (int i = 0; i < steps; i++) {
        waitCopies<STAGES - 2>();
        __syncthreads();
        // All warps are done with the stage before this one.
        int refilled = stage == 0 ? STAGES - 1 : stage - 1;
        if (i + STAGES - 1 < steps) {
            fillWeights(stages + refilled * STAGE_BYTES, matrices, count, k, nextTile, nextSlab);
            fillRows(stages + refilled * STAGE_BYTES, x, rows, k, nextSlab);
            if (++nextSlab == slabs) { nextSlab = 0; nextTile++; }
        }
        commitCopies();
        multiplySlab(sums, stages + stage * STAGE_BYTES);
        stage = stage + 1 == STAGES ? 0 : stage + 1;
        slab++;
        if (slab < slabs && i + 1 < steps) continue;

        const Matrix& m = matrices.at[matrixOf(matrices, count, tile)];
        bool isWhole = firstSlab == 0 && slab == slabs;
        bool isMine = isWhole;
        if (!isWhole) {
            // A block has two parts of tiles at most: its first and its last.
            i64 tileStart = (i64) tile * slabs;
            bool isFirst = from >= tileStart;
            float* part = partials + (i64) (2 * blockIdx.x + (isFirst ? 0 : 1)) * PARTIAL + threadIdx.x * 4;
#pragma unroll
            for (int t = 0; t < WARP_TILES; t++) {
#pragma unroll
                for (int n = 0; n < ROW_TILES; n++) {
                    *(float4*) (part + (t * ROW_TILES + n) * (WARPS * 128)) = make_float4(sums[t][n][0], sums[t][n][1], sums[t][n][2], sums[t][n][3]);
                }
            }
            __threadfence();
            __syncthreads();
            if (threadIdx.x == 0) {
                int done = atomicAdd(counters + tile, slab - firstSlab) + slab - firstSlab;
                isLast = done == slabs;
                if (done == slabs) counters[tile] = 0;
                __threadfence();
            }
            __syncthreads();
            isMine = isLast != 0;
            if (isMine) {
#pragma unroll
                for (int t = 0; t < WARP_TILES; t++)
#pragma unroll
                    for (int n = 0; n < ROW_TILES; n++)
#pragma unroll
                        for (int e = 0; e < 4; e++) sums[t][n][e] = 0.f;
                int lastBlock = blockOf(tileStart + slabs - 1, units, gridDim.x);
                for (int b = blockOf(tileStart, units, gridDim.x); b <= lastBlock; b++) {
                    bool startsHere = units * b / gridDim.x >= tileStart;
                    const float* other = partials + (i64) (2 * b + (startsHere ? 0 : 1)) * PARTIAL + threadIdx.x * 4;
#pragma unroll
                    for (int t = 0; t < WARP_TILES; t++) {
#pragma unroll
                        for (int n = 0; n < ROW_TILES; n++) {
                            float4 v = __ldcg((const float4*) (other + (t * ROW_TILES + n) * (WARPS * 128)));
                            sums[t][n][0] += v.x;
                            sums[t][n][1] += v.y;
                            sums[t][n][2] += v.z;
                            sums[t][n][3] += v.w;
                        }
                    }
                }
            }
        }
        if (isMine) store(sums, m, tile, rows);
#pragma unroll
        for (int t = 0; t < WARP_TILES; t++)
#pragma unroll
            for (int n = 0; n < ROW_TILES; n++)
#pragma unroll
                for (int e = 0; e < 4; e++) sums[t][n][e] = 0.f;
        if (slab == slabs) { slab = 0; tile++; }
        firstSlab = slab;
    }
}
