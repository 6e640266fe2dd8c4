// Projections of a few rows by up to four matrices:
//   out_i[n, o] = sum_k x[n, k] * weight_i[o, k] (+ bias_i[o]) (+ addend_i[n, o])
// GATED: out[n, o] = silu(gate) * up, where gate and up are the projections by matrices 0 and 1,
// and silu(x) = x / (1 + e^-x).
//
// Arguments  maps      by value: tile maps of the weights [outputs, k], boxes of 64 rows by 64 columns, and of x [rows, k],
//                      boxes of ROWS by 64; 128-byte swizzle
//            matrices  by value: pointers to bias [outputs] or null, addend [rows, outputs] or null, out [rows, outputs]
//                      (may be the addend); outputs; number of its first tile
//            count     matrices in use; tiles: tiles of all of them; with GATED, tiles of 64 outputs of both
//            x         [rows, k]; rows <= ROWS; k a multiple of 8
//            partials  float [2 * blocks, TILE * ROWS], counters i32 [tiles], zero before and after each launch
// Types      x, weights and biases ACT (bf16 or f16), addend and out OUT; sums in float, rounded
//            once.
// Grid       one block of 288 threads per multiprocessor; linear_tiles.cuh splits the work.
// Bytes      all weights once (x comes from the L2 cache: rows / TILE of the weights' bytes).
//            Llama-3.1-8B on 4.58 TB/s: q+k+v 50 MB 11.0 us, o 34 MB 7.3 us, gate+up 235 MB 51 us,
//            down 117 MB 26 us, head 1.05 GB 229 us.
// Shared     STAGES * PANELS * (TILE + ROWS) * 128 bytes and 1 KiB to align them, dynamic; with
//            GATED 64 * ROWS * 4 more.
// How        Hopper. One thread copies tiles (bulk copies, one barrier per stage), and two
//            warpgroups multiply them with wgmma. Weights are its 64-row operand, and x is its
//            columns. There is no block barrier, and each multiprocessor always has about 200 KiB
//            in flight. With 96 KiB, linear_skinny.cu reads 3.2 TB/s. In an early launch, a block
//            fetches its first weights while the kernel that computes x still runs: as many as the
//            ring holds, and AHEAD more stages into the L2 cache. The weights must have been
//            written before that kernel started. The warpgroups read x for the first stages,
//            because a bulk copy would wait behind those of weights.
// Limits     16-byte aligned pointers.
//
// check: ACT=bf16 ROW_TILES=1
// check: ACT=bf16 ROW_TILES=1 OUT=float
// check: ACT=bf16 ROW_TILES=2 GATED=1
// check: ACT=bf16 ROW_TILES=4 STAGES=5
// check: ACT=bf16 ROW_TILES=8 STAGES=4 GATED=1
// check: ACT=f16 ROW_TILES=8 STAGES=4
#include "linear_tiles.cuh"
#include "hopper.cuh"
#include "overlap.cuh"

#ifndef ROW_TILES
#define ROW_TILES 1
#endif
#ifndef PANELS
#define PANELS 2
#endif
#ifndef STAGES
#define STAGES 6
#endif
#ifndef AHEAD
#define AHEAD 4
#endif
#ifndef GATED
#define GATED 0
#endif

static const int THREADS = 256;  // threads that multiply

struct Maps { TensorMap weights[4], x; };

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
static const int GROUPS = 2;                   // groups of four warps; each has 64 rows of a tile
static const int ROWS = 8 * ROW_TILES;
static const int TILE = 64 * GROUPS;
static const int OUTPUTS = GATED ? 64 : TILE;  // outputs of a tile
static const int SLAB = 64 * PANELS;           // columns; a panel is 128 bytes, the width of the swizzle
static const int PANEL_BYTES = 64 * 128;
static const int WEIGHT_BYTES = TILE * SLAB * 2;
static const int ROW_BYTES = ROWS * SLAB * 2;
static const int STAGE_BYTES = WEIGHT_BYTES + ROW_BYTES;
static const int PIECES = ROWS * SLAB / 8;  // pieces of 16 bytes of a stage's x

// sums[64 outputs x 8 * ROW_TILES] += weights[64 x 16] * x[8 * ROW_TILES x 16]^T, by a warpgroup
#define QUAD(i) "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])
#define NAMES4 "%0,%1,%2,%3"
#define NAMES8 NAMES4 ",%4,%5,%6,%7"
#define NAMES16 NAMES8 ",%8,%9,%10,%11,%12,%13,%14,%15"
#if ROW_TILES == 1
#define PRODUCT(TYPE) "wgmma.mma_async.sync.aligned.m64n8k16.f32." TYPE "." TYPE " {" NAMES4 "}, %4, %5, 1, 1, 1, 0, 0;"
#define SUMS QUAD(0)
#elif ROW_TILES == 2
#define PRODUCT(TYPE) "wgmma.mma_async.sync.aligned.m64n16k16.f32." TYPE "." TYPE " {" NAMES8 "}, %8, %9, 1, 1, 1, 0, 0;"
#define SUMS QUAD(0), QUAD(1)
#elif ROW_TILES == 4
#define PRODUCT(TYPE) "wgmma.mma_async.sync.aligned.m64n32k16.f32." TYPE "." TYPE " {" NAMES16 "}, %16, %17, 1, 1, 1, 0, 0;"
#define SUMS QUAD(0), QUAD(1), QUAD(2), QUAD(3)
#elif ROW_TILES == 8
#define PRODUCT(TYPE) "wgmma.mma_async.sync.aligned.m64n64k16.f32." TYPE "." TYPE " {" NAMES32 "}, %32, %33, 1, 1, 1, 0, 0;"
#define SUMS QUAD(0), QUAD(1), QUAD(2), QUAD(3), QUAD(4), QUAD(5), QUAD(6), QUAD(7)
#else
#error "ROW_TILES is 1, 2, 4 or 8"
#endif
#define NAME_bf16 "bf16"
#define NAME_f16 "f16"
#define NAMED(type) NAME_##type
#define PRODUCT_OF(type) PRODUCT(NAMED(type))
static __device__ __forceinline__ void multiplyRows(float (&d)[ROW_TILES][4], u64 a, u64 b) { asm volatile(PRODUCT_OF(ACT) : SUMS : "l"(a), "l"(b)); }

struct Barriers { u64 full[STAGES], isFree[STAGES]; };

// If `stage` is null, fetches into the L2 cache only.
static __device__ __forceinline__ void copyWeights(u8* stage, u64* full, const Maps& maps, const Matrices& matrices, int count, int tile, int slab) {
    int m = GATED ? 0 : matrixOf(matrices, count, tile);
    int row = (tile - matrices.at[m].firstTile) * OUTPUTS;
#pragma unroll
    for (int g = 0; g < GROUPS; g++) {
        const TensorMap* map = &maps.weights[GATED ? g : m];
#pragma unroll
        for (int p = 0; p < PANELS; p++) {
            int x = slab * SLAB + p * 64, y = row + (GATED ? 0 : g * 64);
            if (stage) copyTile(stage + (g * PANELS + p) * PANEL_BYTES, map, full, x, y, 0);
            else prefetchTile(map, x, y, 0);
        }
    }
}

static __device__ __forceinline__ void copyRows(u8* stage, u64* full, const Maps& maps, int slab) {
#pragma unroll
    for (int p = 0; p < PANELS; p++) copyTile(stage + WEIGHT_BYTES + p * (ROWS * 128), &maps.x, full, slab * SLAB + p * 64, 0, 0);
}

// The work of the copying thread.
static __device__ __forceinline__ void copyAll(const Piece& piece, u8* stages, Barriers& barriers, const Maps& maps, const Matrices& matrices, int count) {
    int tile = piece.tile, slab = piece.slab, stage = 0, parity = 1;
    for (int i = 0; i < piece.steps; i++) {
        bool isFirst = i < STAGES;  // the warpgroups read the x of these stages
        if (i == STAGES) {
            int nextTile = tile, nextSlab = slab;
            for (int a = 0; a < AHEAD && i + a < piece.steps; a++) {
                copyWeights(nullptr, nullptr, maps, matrices, count, nextTile, nextSlab);
                if (++nextSlab == piece.slabs) { nextSlab = 0; nextTile++; }
            }
            waitForPrevious();
        }
        await(barriers.isFree + stage, parity);
        u64* full = barriers.full + stage;
        u8* to = stages + stage * STAGE_BYTES;
        arriveExpecting(full, isFirst ? WEIGHT_BYTES : STAGE_BYTES);
        copyWeights(to, full, maps, matrices, count, tile, slab);
        if (!isFirst) copyRows(to, full, maps, slab);
        if (++slab == piece.slabs) { slab = 0; tile++; }
        if (++stage == STAGES) { stage = 0; parity ^= 1; }
    }
}

// Reads x for the first stages, in the layout of bulk copies: piece c of row r in place c ^ r % 8.
static __device__ __forceinline__ void readFirstRows(const Piece& piece, u8* stages, const ACT* x, int rows, int k) {
    const int COUNT = (STAGES * PIECES + THREADS - 1) / THREADS;
    uint4 held[COUNT];
#pragma unroll
    for (int c = 0; c < COUNT; c++) {
        int i = c * THREADS + threadIdx.x, stage = i / PIECES, row = i / (SLAB / 8) % ROWS;
        int column = (piece.slab + stage) % piece.slabs * SLAB + i % (SLAB / 8) * 8;
        held[c] = make_uint4(0, 0, 0, 0);
        if (stage < min(STAGES, piece.steps) && row < rows && column < k) held[c] = *(const uint4*) (x + (i64) row * k + column);
    }
#pragma unroll
    for (int c = 0; c < COUNT; c++) {
        int i = c * THREADS + threadIdx.x, stage = i / PIECES, row = i / (SLAB / 8) % ROWS, p = i / 8 % PANELS;
        if (stage < STAGES) *(uint4*) (stages + stage * STAGE_BYTES + WEIGHT_BYTES + (p * ROWS + row) * 128 + ((i % 8) ^ (row % 8)) * 16) = held[c];
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");  // makes a thread's writes visible to wgmma
    meet<THREADS>();
}

// Tensor cores truncate instead of rounding, which biases long sums towards zero. So each stage has
// its own sum.
static __device__ __forceinline__ void multiplyStage(float (&products)[ROW_TILES][4], const u8* stage) {
    clear(products);
    u64 weights = operand(stage + threadIdx.x / 128 * (PANELS * PANEL_BYTES), 0), x = operand(stage + WEIGHT_BYTES, 0);
    beginProducts();
#pragma unroll
    for (int p = 0; p < PANELS; p++)
#pragma unroll
        for (int s = 0; s < 4; s++) multiplyRows(products, further(weights, p * PANEL_BYTES + s * 32), further(x, p * (ROWS * 128) + s * 32));
    commitProducts();
    waitProducts<0>();
#pragma unroll
    for (int n = 0; n < ROW_TILES; n++) pin(products[n]);
}

static __device__ __forceinline__ void finish(float (&sums)[ROW_TILES][4], const Matrices& matrices, int count, int tile, int rows) {
    int warp = threadIdx.x / 32;
#if GATED
    gate<THREADS>(sums, matrices, tile * OUTPUTS + warp % 4 * 16, rows);
#else
    const Matrix& m = matrices.at[matrixOf(matrices, count, tile)];
    store(sums, m, (tile - m.firstTile) * OUTPUTS + warp * 16, rows);
#endif
}
#endif

extern "C" __global__ void __launch_bounds__(THREADS + 32, 1) linearStreamed(const __grid_constant__ Maps maps, const __grid_constant__ Matrices matrices,
        int count, int tiles, const ACT* x, int rows, int k, float* partials, i32* counters) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
    extern __shared__ u8 dynamic[];
    __shared__ Barriers barriers;
    u8* stages = dynamic + (1024 - sharedAddress(dynamic) % 1024) % 1024;
    letNextStart();
    Piece piece(tiles, (k + SLAB - 1) / SLAB);
    if (threadIdx.x == THREADS) {
        for (int s = 0; s < STAGES; s++) {
            initBarrier(barriers.full + s, 1);
            initBarrier(barriers.isFree + s, THREADS / 32);
        }
        publishBarriers();
    }
    __syncthreads();
    if (threadIdx.x >= THREADS) {
        if (threadIdx.x == THREADS) copyAll(piece, stages, barriers, maps, matrices, count);
        return;
    }
    waitForPrevious();
    readFirstRows(piece, stages, x, rows, k);
    float sums[ROW_TILES][4] = {};
    int tile = piece.tile, slab = piece.slab, firstSlab = slab, stage = 0, parity = 0;
    for (int i = 0; i < piece.steps; i++) {
        await(barriers.full + stage, parity);
        float products[ROW_TILES][4];
        multiplyStage(products, stages + stage * STAGE_BYTES);
        if (threadIdx.x % 32 == 0) arrive(barriers.isFree + stage);
#pragma unroll
        for (int n = 0; n < ROW_TILES; n++)
#pragma unroll
            for (int e = 0; e < 4; e++) sums[n][e] += products[n][e];
        if (++stage == STAGES) { stage = 0; parity ^= 1; }
        slab++;
        if (slab < piece.slabs && i + 1 < piece.steps) continue;

        bool isWhole = firstSlab == 0 && slab == piece.slabs;
        if (isWhole || addUp<THREADS>(sums, piece, tile, firstSlab, slab, partials, counters)) finish(sums, matrices, count, tile, rows);
        clear(sums);
        if (slab == piece.slabs) { slab = 0; tile++; }
        firstSlab = slab;
    }
#endif
}
