// Adds the results of the warps of a block, each of which attended to a share of the positions.
#pragma once
#include "decode_sums.cuh"

// Shared memory of a block of COUNT warps, in addition to an area of COUNT / 2 * PLACE floats. All
// threads must call its functions together.
template <int COUNT, typename WarpSums> struct Meeting {
    static constexpr int QUERY_TILES = WarpSums::TILES, STEPS = WarpSums::STEPS, QUERIES = 8 * QUERY_TILES;
    static constexpr int FRAGMENTS = QUERY_TILES * STEPS * 4;
    static constexpr int FRAGMENT_PITCH = 33;  // with 32, the elements that `gather` reads at a time would share few banks
    static constexpr int PLACE = FRAGMENTS * FRAGMENT_PITCH;

    float largest[COUNT][QUERIES], sum[COUNT][QUERIES];
    float allLargest[QUERIES], allSum[QUERIES];
    u32 arrived;

    // Writes the warps' outputs to `area` as COUNT / 2 addends relative to allLargest, and writes
    // allSum; ends with a barrier. The upper warps write and the lower warps add, which halves the
    // area and never overwrites data that another thread still reads.
    __device__ __forceinline__ void meet(WarpSums& sums, float* area) {
        int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
        for (int n = 0; n < QUERY_TILES; n++) {
#pragma unroll
            for (int c = 0; c < 2; c++) {
                for (int d = 4; d < 32; d *= 2) sums.sum[n][c] += __shfl_xor_sync(ALL_LANES, sums.sum[n][c], d);
                if (lane < 4) {
                    largest[warp][n * 8 + lane * 2 + c] = sums.largest[n][c];
                    sum[warp][n * 8 + lane * 2 + c] = sums.sum[n][c];
                }
            }
        }
        __syncthreads();
        if (threadIdx.x < QUERIES) addUp(threadIdx.x);
        float* place = area + warp % (COUNT / 2) * PLACE + lane;
#pragma unroll
        for (int n = 0; n < QUERY_TILES; n++) {
            float factor[2];
#pragma unroll
            for (int c = 0; c < 2; c++) factor[c] = rescaling(sums.largest[n][c], top(n * 8 + lane % 4 * 2 + c));
#pragma unroll
            for (int k = 0; k < STEPS * 4; k++) {
                sums.out[n][k / 4][k % 4] *= factor[k % 2];
                if (warp >= COUNT / 2) place[(n * STEPS * 4 + k) * FRAGMENT_PITCH] = sums.out[n][k / 4][k % 4];
            }
        }
        __syncthreads();
        if (warp < COUNT / 2) {
#pragma unroll
            for (int k = 0; k < FRAGMENTS; k++) place[k * FRAGMENT_PITCH] += sums.out[k / (STEPS * 4)][k / 4 % STEPS][k % 4];
        }
        __syncthreads();
    }

    // Element (query, d) of the sums of the block.
    __device__ __forceinline__ float gather(const float* area, int query, int d) const {
        int fragment = (query / 8 * STEPS + d / 16) * 4 + d % 16 / 8 * 2 + query % 2, lane = d % 8 * 4 + query % 8 / 2;
        float x = 0.f;
#pragma unroll
        for (int w = 0; w < COUNT / 2; w++) x += area[w * PLACE + fragment * FRAGMENT_PITCH + lane];
        return x;
    }

private:
    __device__ __forceinline__ float top(int query) const {
        float x = minusInfinity();
#pragma unroll
        for (int w = 0; w < COUNT; w++) x = fmaxf(x, largest[w][query]);
        return x;
    }

    __device__ __forceinline__ void addUp(int query) {
        float x = 0.f, most = top(query);
        for (int w = 0; w < COUNT; w++) x += sum[w][query] * rescaling(largest[w][query], most);
        allLargest[query] = most;
        allSum[query] = x;
    }
};
