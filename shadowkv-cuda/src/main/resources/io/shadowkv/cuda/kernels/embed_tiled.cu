// Rows of a quantised table: out[i] = table[ids[i]]. An id outside the table gives a row of NaN.
//
// Arguments  ids i32 [rows], images (tiled_weight.cuh), out ACT [rows, width], width, vocabulary
// Grid       one block of 256 threads per row, an element per thread and pass.
// Bytes      rows * width * (1 + sizeof(ACT)) at most; a step of 32 rows of 4096: below 3 us.
//
// check: FORMAT=INT8 ACT=bf16
// check: FORMAT=FP8 SCALE=float PARTS=1 ACT=float
// check: FORMAT=Q4_K ACT=f16
// check: FORMAT=Q6_K ACT=bf16
#include "overlap.cuh"
#include "tiled_weight.cuh"

#ifndef ACT
#define ACT bf16
#endif

extern "C" __global__ void __launch_bounds__(256) embedTiled(const i32* ids, const u8* images, ACT* out, int width, int vocabulary) {
    letNextStart();
    waitForPrevious();
    i32 id = ids[blockIdx.x];
    bool isKnown = id >= 0 && id < vocabulary;
    int imagesOfRow = (width + IMAGE_COLUMNS - 1) / IMAGE_COLUMNS;
    ACT* to = out + (i64) blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += 256) {
        to[i] = fromFloat<ACT>(isKnown ? element(images, imagesOfRow, id, i) : __int_as_float(0x7fffffff));
    }
}
