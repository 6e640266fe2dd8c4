// Projections of a few rows by up to four quantised matrices of one format:
//   out_i[n, o] = sum_k x[n, k] * weight_i[o, k] (+ bias_i[o]) (+ addend_i[n, o])
// GATED: out[n, o] = silu(gate) * up, where gate and up are the projections by matrices 0 and 1,
// and silu(x) = x / (1 + e^-x). A step then has one half of an image of each: 64 outputs of both.
//
// Arguments  matrices  by value: pointers to the images of a weight (tiled_weight.cuh), bias [outputs] or null, addend
//                      [rows, outputs] or null, out [rows, outputs] (may be the addend); outputs; number of its first tile
//            count     matrices in use; tiles: tiles of all of them; with GATED, tiles of 64 outputs of both
//            x         [rows, k]; rows <= ROWS; k a multiple of 8
//            partials  float [2 * blocks, ROW_TILES, 256, 4], counters i32 [tiles], zero before and after each launch
// Types      x and biases ACT (bf16 or f16), addend and out OUT. Codes are exact in ACT. The
//            products of the 32 columns (16 in Q6_K) that share a scale are summed by the tensor
//            cores, then scaled and added in float; rounded once.
// Grid       one block of 288 threads per multiprocessor; linear_tiles.cuh splits the work. A step
//            is one image: 128 outputs by 256 columns.
// Bytes      all codes and scales once. Llama-3.1-8B on 4.58 TB/s: q+k+v 50 MB as bf16 11.0 us, as
//            INT8 27 MB 5.8 us, as Q4_K 14 MB 3.1 us; gate+up 235 MB 51 us, 125 MB 27 us, 66 MB 14 us.
// Shared     STAGES * (IMAGE_BYTES + ROWS * PITCH), dynamic.
// How        Hopper. One warp copies: an image is contiguous, so it is one bulk copy, and each row of
//            x is another. Eight warps multiply with mma.m16n8k16: 16 outputs each. An image
//            stores codes in the order in which lanes read them, 16 bytes at a time without bank
//            conflicts (after Marlin). Codes become ACT numbers in registers: 4 bits by setting
//            the exponent (after FasterTransformer's interleaved conversion), 8 bits through float.
//            In an early launch, a block fetches its first weights while the kernel that computes
//            x still runs; the warps then read x for the first stages, because a bulk copy would
//            wait behind those of weights (linear_streamed.cu). A format with offsets needs the
//            sum of x over each group: each warp computes that of one group.
// Limits     16-byte aligned pointers.
//
// check: FORMAT=INT8 ROW_TILES=1 STAGES=5
// check: FORMAT=INT8 ROW_TILES=8 STAGES=3 OUT=float
// check: FORMAT=FP8 SCALE=float PARTS=1 ROW_TILES=4 STAGES=4
// check: FORMAT=INT4 ROW_TILES=2 STAGES=8
// check: FORMAT=INT4_ZERO PARTS=2 ROW_TILES=3 STAGES=7
// check: FORMAT=INT8 ROW_TILES=1 STAGES=5 GATED=1
// check: FORMAT=Q4_K ROW_TILES=8 STAGES=3 GATED=1
// check: FORMAT=Q4_K ROW_TILES=1 STAGES=8
// check: FORMAT=Q4_K ROW_TILES=8 STAGES=3
// check: FORMAT=Q5_K ACT=f16 ROW_TILES=6 STAGES=4
// check: FORMAT=Q6_K ACT=f16 ROW_TILES=1 STAGES=7
// check: FORMAT=Q6_K ROW_TILES=8 STAGES=3
#include "linear_tiles.cuh"
#include "hopper.cuh"
#include "overlap.cuh"
#include "tiled_numbers.cuh"

#ifndef ROW_TILES
#define ROW_TILES 1
#endif
#ifndef STAGES
#define STAGES 5
#endif
#ifndef AHEAD
#define AHEAD 4
#endif
#ifndef GATED
#define GATED 0
#endif

static const int THREADS = 256;  // threads that multiply

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
static const int ROWS = 8 * ROW_TILES;
static const int PITCH = IMAGE_COLUMNS * 2 + (IS_SPLIT ? 32 : 64);  // bytes between rows of x: no bank conflicts
static const int STAGE_BYTES = IMAGE_BYTES + ROWS * PITCH;
static const int GROUPS_AT_ONCE = ROW_TILES > 4 ? 2 : 8;            // fewer registers
static const int PIECES = ROWS * IMAGE_COLUMNS / 8;                 // pieces of 16 bytes of a stage's x

struct Barriers { u64 full[STAGES], isFree[STAGES]; };

// Copies contiguous bytes, a multiple of 16, to shared memory. `barrier` counts them.
static __device__ __forceinline__ void copyBytes(void* shared, const void* global, int bytes, u64* barrier) {
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];"
        ::"r"(sharedAddress(shared)), "l"(global), "r"(bytes), "r"(sharedAddress(barrier)) : "memory");
}
static __device__ __forceinline__ void prefetchBytes(const void* global, int bytes) {
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(global), "r"(bytes) : "memory");
}

// Calls copy(offset in the stage, address, bytes) for each contiguous part of a step's image.
template <typename Copy>
static __device__ __forceinline__ void eachPart(const Matrices& matrices, int count, int slabs, int tile, int slab, Copy copy) {
#if !GATED
    const Matrix& m = matrices.at[matrixOf(matrices, count, tile)];
    copy(0, (const u8*) m.weight + ((i64) (tile - m.firstTile) * slabs + slab) * IMAGE_BYTES, IMAGE_BYTES);
#else
    // Half `tile % 2` of each part of the image of matrix h becomes half h of the stage's image.
#pragma unroll
    for (int h = 0; h < 2; h++) {
        const u8* image = (const u8*) matrices.at[h].weight + ((i64) (tile / 2) * slabs + slab) * IMAGE_BYTES;
        int starts[5] = {0, CODE_BYTES, SCALES_AT, MORE_AT, IMAGE_BYTES};
#pragma unroll
        for (int p = 0; p < 4; p++) {
            int bytes = (starts[p + 1] - starts[p]) / 2;
            if (bytes > 0) copy(starts[p] + h * bytes, image + starts[p] + tile % 2 * bytes, bytes);
        }
    }
#endif
}

// The work of the copying warp. Its lanes copy different rows of x.
static __device__ __forceinline__ void copyAll(const Piece& piece, u8* stages, Barriers& barriers, const Matrices& matrices, int count, const ACT* x, int rows, int k) {
    int lane = threadIdx.x % 32, tile = piece.tile, slab = piece.slab, stage = 0, parity = 1;
    for (int i = 0; i < piece.steps; i++) {
        bool isFirst = i < STAGES;  // the other warps read the x of these stages
        if (i == STAGES) {
            int nextTile = tile, nextSlab = slab;
            for (int a = 0; a < AHEAD && i + a < piece.steps; a++) {
                if (lane == 0) eachPart(matrices, count, piece.slabs, nextTile, nextSlab, [&](int, const u8* from, int bytes) { prefetchBytes(from, bytes); });
                if (++nextSlab == piece.slabs) { nextSlab = 0; nextTile++; }
            }
            waitForPrevious();
        }
        await(barriers.isFree + stage, parity);
        u64* full = barriers.full + stage;
        u8* to = stages + stage * STAGE_BYTES;
        int rowBytes = min(IMAGE_COLUMNS, k - slab * IMAGE_COLUMNS) * 2;
        if (lane == 0) {
            arriveExpecting(full, IMAGE_BYTES + (isFirst ? 0 : rows * rowBytes));
            eachPart(matrices, count, piece.slabs, tile, slab, [&](int at, const u8* from, int bytes) { copyBytes(to + at, from, bytes, full); });
        }
        __syncwarp();
        if (!isFirst) {
            for (int row = lane; row < rows; row += 32) copyBytes(to + IMAGE_BYTES + row * PITCH, x + (i64) row * k + slab * IMAGE_COLUMNS, rowBytes, full);
        }
        if (++slab == piece.slabs) { slab = 0; tile++; }
        if (++stage == STAGES) { stage = 0; parity ^= 1; }
    }
}

// Reads x for the first stages and fills the rest of all stages' x with zeros, which no copy
// overwrites: rows after `rows`, and at first columns after k.
static __device__ __forceinline__ void readFirstRows(const Piece& piece, u8* stages, const ACT* x, int rows, int k) {
    const int AT_ONCE = 8;
    for (int base = 0; base < STAGES * PIECES; base += AT_ONCE * THREADS) {
        uint4 held[AT_ONCE];
#pragma unroll
        for (int c = 0; c < AT_ONCE; c++) {
            int i = base + c * THREADS + threadIdx.x, stage = i / PIECES, row = i / (IMAGE_COLUMNS / 8) % ROWS;
            int column = (piece.slab + stage) % piece.slabs * IMAGE_COLUMNS + i % (IMAGE_COLUMNS / 8) * 8;
            held[c] = make_uint4(0, 0, 0, 0);
            if (stage < min(STAGES, piece.steps) && row < rows && column < k) held[c] = *(const uint4*) (x + (i64) row * k + column);
        }
#pragma unroll
        for (int c = 0; c < AT_ONCE; c++) {
            int i = base + c * THREADS + threadIdx.x, stage = i / PIECES, row = i / (IMAGE_COLUMNS / 8) % ROWS;
            if (stage < STAGES) *(uint4*) (stages + stage * STAGE_BYTES + IMAGE_BYTES + row * PITCH + i % (IMAGE_COLUMNS / 8) * 16) = held[c];
        }
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");  // later bulk copies overwrite these
    meet<THREADS>();
}

// d = a * b, with nothing to add to.
static __device__ __forceinline__ void product(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#pragma unroll
    for (int e = 0; e < 4; e++) d[e] = 0.f;
    multiply(ACT(), d, a, b0, b1);
}

static __device__ __forceinline__ void addScaled(float (&sums)[4], const float (&products)[4], float upper, float lower) {
    sums[0] = fmaf(upper, products[0], sums[0]);
    sums[1] = fmaf(upper, products[1], sums[1]);
    sums[2] = fmaf(lower, products[2], sums[2]);
    sums[3] = fmaf(lower, products[3], sums[3]);
}

// Sums of x over the columns of each group, for its rows.
struct GroupSums { float at[8][ROWS]; };

static __device__ __forceinline__ void sumGroups(GroupSums& groupSums, const u8* x, int warp, int lane) {
    u32 a[4] = {ones(ACT()), ones(ACT()), ones(ACT()), ones(ACT())};
#pragma unroll
    for (int n = 0; n < ROW_TILES; n++) {
        uint4 b = *(const uint4*) (x + (n * 8 + lane / 4) * PITCH + warp * 64 + lane % 4 * 16);
        float d[4];
        product(d, a, b.x, b.y);
        multiply(ACT(), d, a, b.z, b.w);
        // All rows of the product are the same.
        if (lane < 4) *(float2*) &groupSums.at[warp][n * 8 + lane * 2] = make_float2(d[0], d[1]);
    }
    meet<THREADS>();
}

static __device__ __forceinline__ float scaleOf(const u8* image, int row, int group) {
    return toFloat(((const SCALE*) (image + SCALES_AT + row * SCALE_BYTES))[group * PARTS / 8]);
}

static __device__ __forceinline__ void multiplyStage(float (&sums)[ROW_TILES][4], const u8* stage, GroupSums* groupSums) {
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, row = warp * 16 + lane / 4;
    const u8* x = stage + IMAGE_BYTES;
    if (HAS_OFFSETS) sumGroups(*groupSums, x, warp, lane);
    const u8* own = x + lane / 4 * PITCH + lane % 4 * (IS_SPLIT ? 8 : 16);
    const u8* upperScales = stage + SCALES_AT + row * SCALE_BYTES;
    const u8* lowerScales = upperScales + 8 * SCALE_BYTES;
    const u8* upperMore = stage + MORE_AT + row * MORE_BYTES;
    const u8* lowerMore = upperMore + 8 * MORE_BYTES;
    RowScales upperRow(HAS_OFFSETS ? upperScales : stage), lowerRow(HAS_OFFSETS ? lowerScales : stage);
    float upperD = FORMAT == Q6_K ? halfAt(upperMore) : 0.f, lowerD = FORMAT == Q6_K ? halfAt(lowerMore) : 0.f;
    const int ZERO = FORMAT == INT4 ? 8 : FORMAT == Q6_K ? 32 : 0;
#pragma unroll GROUPS_AT_ONCE
    for (int group = 0; group < 8; group++) {
        u32 zeros[2] = {minus(ACT(), ZERO), minus(ACT(), ZERO)};
        if (FORMAT == INT4_ZERO) {
            zeros[0] = minus(ACT(), upperMore[group * PARTS / 8]);
            zeros[1] = minus(ACT(), lowerMore[group * PARTS / 8]);
        }
        u32 numbers[2][4];
        decode(ACT(), numbers, stage, warp, lane, group, zeros);
        u32 first[4] = {numbers[0][0], numbers[1][0], numbers[0][1], numbers[1][1]};
        u32 second[4] = {numbers[0][2], numbers[1][2], numbers[0][3], numbers[1][3]};
        float upper, lower, upperSecond = 0, lowerSecond = 0;
        if (FORMAT == Q6_K) {
            upper = upperD * (float) ((const i8*) upperScales)[group * 2];
            lower = lowerD * (float) ((const i8*) lowerScales)[group * 2];
            upperSecond = upperD * (float) ((const i8*) upperScales)[group * 2 + 1];
            lowerSecond = lowerD * (float) ((const i8*) lowerScales)[group * 2 + 1];
        } else if (HAS_OFFSETS) {
            upper = upperRow.scaleOf(group);
            lower = lowerRow.scaleOf(group);
        } else {
            upper = scaleOf(stage, row, group);
            lower = scaleOf(stage, row + 8, group);
        }
#pragma unroll
        for (int n = 0; n < ROW_TILES; n++) {
            const u8* from = own + n * 8 * PITCH + group * 64;
            float products[4];
            if (IS_SPLIT) {
                uint2 b = *(const uint2*) from, c = *(const uint2*) (from + 32);
                product(products, first, b.x, b.y);
                addScaled(sums[n], products, upper, lower);
                product(products, second, c.x, c.y);
                addScaled(sums[n], products, upperSecond, lowerSecond);
            } else {
                uint4 b = *(const uint4*) from;
                product(products, first, b.x, b.y);
                multiply(ACT(), products, second, b.z, b.w);
                addScaled(sums[n], products, upper, lower);
                if (HAS_OFFSETS) {
                    float2 s = *(const float2*) &groupSums->at[group][n * 8 + lane % 4 * 2];
                    float both[4] = {s.x, s.y, s.x, s.y};
                    addScaled(sums[n], both, upperRow.offsetOf(group), lowerRow.offsetOf(group));
                }
            }
        }
    }
}
#endif

extern "C" __global__ void __launch_bounds__(THREADS + 32, 1) linearTiled(const __grid_constant__ Matrices matrices, int count, int tiles,
        const ACT* x, int rows, int k, float* partials, i32* counters) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900
    extern __shared__ __align__(128) u8 stages[];
    __shared__ Barriers barriers;
    __shared__ GroupSums groupSums[HAS_OFFSETS ? 2 : 1];
    letNextStart();
    Piece piece(tiles, (k + IMAGE_COLUMNS - 1) / IMAGE_COLUMNS);
    if (threadIdx.x == THREADS) {
        for (int s = 0; s < STAGES; s++) {
            initBarrier(barriers.full + s, 1);
            initBarrier(barriers.isFree + s, THREADS / 32);
        }
        publishBarriers();
    }
    __syncthreads();
    if (threadIdx.x >= THREADS) {
        copyAll(piece, stages, barriers, matrices, count, x, rows, k);
        return;
    }
    waitForPrevious();
    readFirstRows(piece, stages, x, rows, k);
    float sums[ROW_TILES][4] = {};
    int tile = piece.tile, slab = piece.slab, firstSlab = slab, stage = 0, parity = 0;
    for (int i = 0; i < piece.steps; i++) {
        await(barriers.full + stage, parity);
        multiplyStage(sums, stages + stage * STAGE_BYTES, groupSums + (HAS_OFFSETS ? i % 2 : 0));
        __syncwarp();
        if (threadIdx.x % 32 == 0) arrive(barriers.isFree + stage);
        if (++stage == STAGES) { stage = 0; parity ^= 1; }
        slab++;
        if (slab < piece.slabs && i + 1 < piece.steps) continue;

        bool isWhole = firstSlab == 0 && slab == piece.slabs;
        if (isWhole || addUp<THREADS>(sums, piece, tile, firstSlab, slab, partials, counters)) {
            int warp = threadIdx.x / 32;
#if GATED
            gate<THREADS>(sums, matrices, tile * 64 + warp % 4 * 16, rows);
#else
            const Matrix& m = matrices.at[matrixOf(matrices, count, tile)];
            store(sums, m, (tile - m.firstTile) * IMAGE_ROWS + warp * 16, rows);
#endif
        }
        clear(sums);
        if (slab == piece.slabs) { slab = 0; tile++; }
        firstSlab = slab;
    }
#endif
}
