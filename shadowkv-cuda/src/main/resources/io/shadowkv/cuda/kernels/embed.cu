// Rows of a table: out[i] = table[ids[i]]. An id outside the table gives a row of NaN.
//
// Arguments  ids i32 [rows], table TABLE [vocabulary, width], out ACT [rows, width]
// Grid       one block of 256 threads per row; VECTOR elements per access.
// Bytes      rows * width * (sizeof(TABLE) + sizeof(ACT)); a step of 32 rows of 4096 bf16: 0.5 MB,
//            below 2 us.
// Limits     width a multiple of VECTOR; pointers aligned to VECTOR elements.
//
// check: TABLE=bf16 ACT=bf16 VECTOR=8
// check: TABLE=bf16 ACT=float VECTOR=4
// check: TABLE=f16 ACT=bf16 VECTOR=1
#include "overlap.cuh"

#ifndef TABLE
#define TABLE bf16
#endif
#ifndef ACT
#define ACT bf16
#endif
#ifndef VECTOR
#define VECTOR 1
#endif

extern "C" __global__ void __launch_bounds__(256) embed(const i32* ids, const TABLE* table, ACT* out, int width, int vocabulary) {
    letNextStart();
    i32 id = ids[blockIdx.x];
    bool isKnown = id >= 0 && id < vocabulary;
    const TABLE* from = table + (i64) (isKnown ? id : 0) * width;
    ACT* to = out + (i64) blockIdx.x * width;
    for (int i = threadIdx.x * VECTOR; i < width; i += 256 * VECTOR) {
        Vector<TABLE, VECTOR> source = *(const Vector<TABLE, VECTOR>*) (from + i);
        Vector<ACT, VECTOR> target;
#pragma unroll
        for (int j = 0; j < VECTOR; j++) target.at[j] = fromFloat<ACT>(isKnown ? toFloat(source.at[j]) : __int_as_float(0x7fffffff));
        *(Vector<ACT, VECTOR>*) (to + i) = target;
    }
}
