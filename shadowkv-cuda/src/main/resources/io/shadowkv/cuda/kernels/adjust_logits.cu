// Changes of single logits: l = l > 0 ? l / penalty : l * penalty, then l + addend (SamplingOperations.adjustLogits).
//
// Arguments  logits float [rows, width], in place; places i32 [count, 2]: row and id, all different; row < 0: skipped
//            changes float [count, 2]: penalty and addend
// Grid       256 threads a block, an entry a thread.
// Bytes      count * (8 + 8 + 2 * 32, a sector each way): 32 rows of 1,000 entries: 2.6 MB, below the launch's 2 us.
// Precision  each step rounded to float by itself, not fused, so that all backends give the same bits.
//
// check: EXTRA=0
#include "overlap.cuh"

extern "C" __global__ void __launch_bounds__(256) adjustLogits(
    float* logits, const i32* places, const float* changes, int width, int count) {
    letNextStart();
    waitForPrevious();
    int at = blockIdx.x * 256 + threadIdx.x;
    if (at >= count || places[2 * at] < 0) return;
    float* logit = logits + (i64) places[2 * at] * width + places[2 * at + 1];
    float penalty = changes[2 * at], addend = changes[2 * at + 1];
    float own = *logit;
    float penalized = own > 0 ? __fdiv_rn(own, penalty) : __fmul_rn(own, penalty);
    *logit = __fadd_rn(penalized, addend);
}
