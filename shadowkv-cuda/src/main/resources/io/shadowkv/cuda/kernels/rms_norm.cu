// Root-mean-square norm of rows: out = x / sqrt(mean(x^2) + epsilon) * weight.
//
// Arguments  x ACT [rows, WIDTH], weight WEIGHT [WIDTH], out ACT [rows, WIDTH]
// Precision  statistics in float, rounded once.
// Grid       one block of THREADS threads per row, which holds the row in registers.
// Bytes      2 * rows * WIDTH * sizeof(ACT): 8192 rows of 4096 bf16: 134 MB, 31 us at 4.3 TB/s; a
//            decode row is bound by latency, 2 to 3 us.
// Limits     WIDTH a multiple of VECTOR; pointers aligned to VECTOR elements; WIDTH up to 16
//            vectors per thread.
//
// check: ACT=bf16 WEIGHT=bf16 WIDTH=4096 VECTOR=8 THREADS=512
// check: ACT=float WEIGHT=f16 WIDTH=1000 VECTOR=4 THREADS=256
// check: ACT=f16 WEIGHT=float WIDTH=127 VECTOR=1 THREADS=128
// check: ACT=bf16 WEIGHT=bf16 WIDTH=8192 VECTOR=8 THREADS=1024
#include "overlap.cuh"
#include "warp.cuh"

#ifndef ACT
#define ACT bf16
#endif
#ifndef WEIGHT
#define WEIGHT bf16
#endif
#ifndef WIDTH
#define WIDTH 4096
#endif
#ifndef VECTOR
#define VECTOR 8
#endif
#ifndef THREADS
#define THREADS 512
#endif

static const int STEP = VECTOR * THREADS;
static const int STEPS = (WIDTH + STEP - 1) / STEP;

extern "C" __global__ void __launch_bounds__(THREADS) rmsNorm(const ACT* x, const WEIGHT* weight, float epsilon, ACT* out) {
    letNextStart();
    const ACT* row = x + (i64) blockIdx.x * WIDTH;
    ACT* target = out + (i64) blockIdx.x * WIDTH;
    Vector<ACT, VECTOR> held[STEPS];
    Vector<WEIGHT, VECTOR> weights[STEPS];
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
        int at = s * STEP + threadIdx.x * VECTOR;
        if (at < WIDTH) weights[s] = *(const Vector<WEIGHT, VECTOR>*) (weight + at);
    }
    waitForPrevious();
    float squares = 0.f;
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
        int at = s * STEP + threadIdx.x * VECTOR;
        if (at < WIDTH) held[s] = *(const Vector<ACT, VECTOR>*) (row + at);
    }
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
        if (s * STEP + threadIdx.x * VECTOR < WIDTH) {
#pragma unroll
            for (int i = 0; i < VECTOR; i++) {
                float value = toFloat(held[s].at[i]);
                squares = fmaf(value, value, squares);
            }
        }
    }
    float factor = 1.f / sqrtf(blockSum(squares) / WIDTH + epsilon);
#pragma unroll
    for (int s = 0; s < STEPS; s++) {
        int at = s * STEP + threadIdx.x * VECTOR;
        if (at < WIDTH) {
            Vector<ACT, VECTOR> result;
#pragma unroll
            for (int i = 0; i < VECTOR; i++) result.at[i] = fromFloat<ACT>(toFloat(held[s].at[i]) * factor * toFloat(weights[s].at[i]));
            *(Vector<ACT, VECTOR>*) (target + at) = result;
        }
    }
}
