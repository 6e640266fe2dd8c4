// maxima[i, h, j] = the largest score of units j * groupUnits to (j + 1) * groupUnits (exclusive):
// what select_units.cu reads first where there are many units.
//
// scores  float [rows, kvHeads, width], non-negative; the first units[i] of row i are read
// slots   i32 [rows], -1: padding        units i32 [rows], 0: skipped
// maxima  float [rows, kvHeads, groups], groups = ceil(width / groupUnits)
// groupUnits  8, 16 or 32
//
// Grid: (ceil(width / 2048), rows * kvHeads) blocks of 256 threads, 256 units a warp. No shared
// memory.
// Bytes: 4 read for each unit (20 rows x 8 heads x 124,928: 80 MB, 18 us at 4.5 TB/s, less what L2
// still has of the scores).
// Exact.
//
// check: EXTRA=0
#include "overlap.cuh"
#include "warp.cuh"

static const int EACH = 8;  // loads that a thread starts before it reduces

extern "C" __global__ void __launch_bounds__(256) unitMaxima(
    const float* __restrict__ scores, const i32* __restrict__ slots, const i32* __restrict__ units, int kvHeads,
    int width, int groupUnits, int groups, float* __restrict__ maxima) {
    letNextStart();
    int segment = blockIdx.y, row = segment / kvHeads, lane = threadIdx.x % 32;
    int count = slots[row] < 0 ? 0 : units[row];
    int base = (blockIdx.x * 8 + threadIdx.x / 32) * (EACH * 32) + lane;
    waitForPrevious();
    if (base - lane >= count) return;
    const float* own = scores + (i64) segment * width;
    float largest[EACH];
#pragma unroll
    for (int j = 0; j < EACH; j++) largest[j] = base + j * 32 < count ? own[base + j * 32] : 0.f;
#pragma unroll
    for (int j = 0; j < EACH; j++) {
        int u = base + j * 32;
        for (int d = 1; d < groupUnits; d *= 2) largest[j] = fmaxf(largest[j], __shfl_xor_sync(ALL_LANES, largest[j], d));
        if (u % groupUnits == 0 && u < count) maxima[(i64) segment * groups + u / groupUnits] = largest[j];
    }
}
