// Adds up the parts of attention that prefill_wgmma.cu computed over parts of the keys.
//
//   out[i, h] = sum_s 2^(m_s - m) sums[s, i, h] / sum_s 2^(m_s - m) w_s,   m = max_s m_s over parts with w_s > 0
//
// source     Dao et al. 2023, Flash-Decoding
// sums       float [splits, rows, HEAD_DIM]
// marks      float2 [splits, rows]: m_s and w_s; w_s is 0 where a part has no key for the row, and
//            its sums are not read
// out        TYPE [rows, HEAD_DIM]
// grid       a block of HEAD_DIM / 2 threads for each row, a token and a head
// bytes      sums once
// limits     HEAD_DIM a multiple of 2 up to 2,048; some part of each row has w_s > 0
//
// check: TYPE=bf16 HEAD_DIM=64
// check: TYPE=f16 HEAD_DIM=256
#include "types.cuh"
#include "convert.cuh"

#ifndef TYPE
#define TYPE bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif

extern "C" __global__ void __launch_bounds__(HEAD_DIM / 2) prefillCombine(
    const float2* sums, const float2* marks, int splits, int rows, TYPE* out) {
    int row = blockIdx.x, column = threadIdx.x;
    float largest = -3e38f, weights = 0.f;
    float2 total = make_float2(0.f, 0.f);
    for (int split = 0; split < splits; split++) {
        float2 mark = marks[(i64) split * rows + row];
        if (mark.y == 0.f) continue;
        float2 sum = sums[((i64) split * rows + row) * (HEAD_DIM / 2) + column];
        float next = fmaxf(largest, mark.x);
        float before = exp2f(largest - next), now = exp2f(mark.x - next);
        largest = next;
        weights = weights * before + mark.y * now;
        total.x = total.x * before + sum.x * now;
        total.y = total.y * before + sum.y * now;
    }
    *(u32*) (out + (i64) row * HEAD_DIM + 2 * column) = pack(TYPE(), total.x / weights, total.y / weights);
}
