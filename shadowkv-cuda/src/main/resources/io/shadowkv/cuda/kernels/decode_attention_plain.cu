// decodePlain, combinePlain: exact attention of one new token per sequence, for types and head dims
// that decode_attention.cu does not support.
//   out[i, q] = sum_p softmax_p(scale * queries[i, q] . keys[p]) values[p], p over the rows of decode_rows.cuh
// Source: the formula; each part of the positions has its own maximum, sum and output
// (Flash-Decoding).
//
// queries, out  QUERY, OUT [rows, kvHeads * GROUP, HEAD_DIM]
// table         AttendedEntry or IndexedEntry (SELECTED) [slots]; keys KEY, values VALUE
// slots         [rows], -1 skips the row; attended [rows]
// partials      float [rows * kvHeads * GROUP, splits, HEAD_DIM + 2]: output, maximum, sum
// grid          decodePlain (rows * kvHeads * GROUP, splits), WARPS * 32 threads; combinePlain (the
//               same x), any number of threads
//
// Bytes          2 * positions * HEAD_DIM * element size for each query head (the other heads of
//                its group read them from L2)
// Shared memory  WARPS * (HEAD_DIM + 2) floats
// Precision      all in float
// Fails          never; HEAD_DIM up to 1024
//
// check: HEAD_DIM=6 QUERY=bf16 KEY=float VALUE=float
// check: HEAD_DIM=10 QUERY=float KEY=bf16 VALUE=bf16 OUT=float SELECTED=1
// check: HEAD_DIM=128 QUERY=float KEY=float VALUE=float OUT=float GROUP=4
// check: HEAD_DIM=256 QUERY=f16 KEY=float VALUE=f16 OUT=float GROUP=7 SELECTED=1
#include "decode_rows.cuh"
#include "warp.cuh"

#ifndef QUERY
#define QUERY bf16
#endif
#ifndef KEY
#define KEY bf16
#endif
#ifndef VALUE
#define VALUE bf16
#endif
#ifndef OUT
#define OUT bf16
#endif
#ifndef HEAD_DIM
#define HEAD_DIM 128
#endif
#ifndef GROUP
#define GROUP 1
#endif
#ifndef SELECTED
#define SELECTED 0
#endif

#if SELECTED
typedef IndexedEntry Entry;
#else
typedef AttendedEntry Entry;
#endif

constexpr int WARPS = 8;
constexpr int PER_LANE = (HEAD_DIM + 31) / 32;

static __device__ __forceinline__ float minusInfinity() { return __uint_as_float(0xff800000u); }
static __device__ __forceinline__ float rescaling(float from, float to) { return from == minusInfinity() ? 0.f : expf(from - to); }

extern "C" __global__ void __launch_bounds__(WARPS * 32) decodePlain(const QUERY* queries, const Entry* table,
        const i32* slots, const i32* attended, i32 kvHeads, float scale, float* partials) {
    __shared__ float outs[WARPS][HEAD_DIM], tops[WARPS], sums[WARPS];
    i32 lane = threadIdx.x % 32, warp = threadIdx.x / 32, queryHeads = kvHeads * GROUP;
    i32 row = blockIdx.x / queryHeads, head = blockIdx.x % queryHeads / GROUP, slot = slots[row];
    if (slot < 0) return;
    const Entry& entry = table[slot];
    auto rows = rowsOf(entry, attended[row], head);
    i64 base = (i64) head * capacityOf(entry) * HEAD_DIM;
    const KEY* keys = (const KEY*) entry.keys + base;
    const VALUE* values = (const VALUE*) entry.values + base;
    i32 from = (i32) ((i64) blockIdx.y * rows.length / gridDim.y), until = (i32) (((i64) blockIdx.y + 1) * rows.length / gridDim.y);

    float query[PER_LANE], out[PER_LANE];
#pragma unroll
    for (int k = 0; k < PER_LANE; k++) {
        int d = k * 32 + lane;
        query[k] = d < HEAD_DIM ? toFloat(queries[(i64) blockIdx.x * HEAD_DIM + d]) : 0.f;
        out[k] = 0.f;
    }
    float top = minusInfinity(), sum = 0.f;
    for (i32 position = from + warp; position < until; position += WARPS) {
        i32 at = rows.at(position);
        if (at < 0) continue;
        const KEY* key = keys + (i64) at * HEAD_DIM;
        const VALUE* value = values + (i64) at * HEAD_DIM;
        float dot = 0.f, v[PER_LANE];
#pragma unroll
        for (int k = 0; k < PER_LANE; k++) {
            int d = k * 32 + lane;
            dot += d < HEAD_DIM ? query[k] * toFloat(key[d]) : 0.f;
            v[k] = d < HEAD_DIM ? toFloat(value[d]) : 0.f;
        }
        float score = warpSum(dot) * scale, most = fmaxf(top, score), factor = rescaling(top, most), weight = expf(score - most);
        top = most;
        sum = sum * factor + weight;
#pragma unroll
        for (int k = 0; k < PER_LANE; k++) out[k] = out[k] * factor + weight * v[k];
    }

#pragma unroll
    for (int k = 0; k < PER_LANE; k++) {
        if (k * 32 + lane < HEAD_DIM) outs[warp][k * 32 + lane] = out[k];
    }
    if (lane == 0) {
        tops[warp] = top;
        sums[warp] = sum;
    }
    __syncthreads();
    float most = minusInfinity(), total = 0.f;
    for (int w = 0; w < WARPS; w++) most = fmaxf(most, tops[w]);
    for (int w = 0; w < WARPS; w++) total += sums[w] * rescaling(tops[w], most);
    float* partial = partials + ((i64) blockIdx.x * gridDim.y + blockIdx.y) * (HEAD_DIM + 2);
    for (int d = threadIdx.x; d < HEAD_DIM; d += WARPS * 32) {
        float x = 0.f;
        for (int w = 0; w < WARPS; w++) x += outs[w][d] * rescaling(tops[w], most);
        partial[d] = x;
    }
    if (threadIdx.x == 0) {
        partial[HEAD_DIM] = most;
        partial[HEAD_DIM + 1] = total;
    }
}

extern "C" __global__ void combinePlain(const float* partials, const i32* slots, i32 queryHeads, i32 splits, OUT* out) {
    if (slots[blockIdx.x / queryHeads] < 0) return;
    const float* own = partials + (i64) blockIdx.x * splits * (HEAD_DIM + 2);
    float most = minusInfinity(), total = 0.f;
    for (i32 s = 0; s < splits; s++) most = fmaxf(most, own[(i64) s * (HEAD_DIM + 2) + HEAD_DIM]);
    for (i32 s = 0; s < splits; s++) {
        const float* part = own + (i64) s * (HEAD_DIM + 2);
        total += part[HEAD_DIM + 1] * rescaling(part[HEAD_DIM], most);
    }
    for (int d = threadIdx.x; d < HEAD_DIM; d += blockDim.x) {
        float x = 0.f;
        for (i32 s = 0; s < splits; s++) {
            const float* part = own + (i64) s * (HEAD_DIM + 2);
            x += part[d] * rescaling(part[HEAD_DIM], most);
        }
        out[(i64) blockIdx.x * HEAD_DIM + d] = fromFloat<OUT>(total > 0.f ? x / total : 0.f);
    }
}
