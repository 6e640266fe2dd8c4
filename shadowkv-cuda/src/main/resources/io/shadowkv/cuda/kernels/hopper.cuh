// Instructions of Hopper (sm_90a), as functions: barriers in shared memory, bulk copies of tiles,
// and matrix products of a warpgroup (four warps). For other architectures it is empty.
#pragma once
#include "types.cuh"
#include "mma.cuh"

// The description of an array for tile copies; cuTensorMapEncodeTiled writes it.
struct alignas(64) TensorMap { u64 words[16]; };

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900

static __device__ __forceinline__ void initBarrier(u64* barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(arrivals) : "memory");
}
// Makes initialised barriers visible to bulk copies. A __syncthreads makes them visible to the
// other threads.
static __device__ __forceinline__ void publishBarriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }
static __device__ __forceinline__ void arrive(u64* barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(sharedAddress(barrier)) : "memory");
}
// Arrives, and extends the phase until that many bytes are copied.
static __device__ __forceinline__ void arriveExpecting(u64* barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(sharedAddress(barrier)), "r"(bytes) : "memory");
}
// Returns when the phase of that parity is complete. Parity 1 of a new barrier counts as complete.
static __device__ __forceinline__ void await(u64* barrier, int parity) {
    asm volatile("{\n.reg .pred done;\nagain:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@done bra over;\nbra again;\nover:\n}" ::"r"(sharedAddress(barrier)), "r"(parity) : "memory");
}

// Copies a tile of a 3-D array to shared memory, with zeros outside the array. `barrier` counts its
// bytes.
static __device__ __forceinline__ void copyTile(void* shared, const TensorMap* map, u64* barrier, int x, int y, int z) {
    asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], [%2];"
        ::"r"(sharedAddress(shared)), "l"(map), "r"(sharedAddress(barrier)), "r"(x), "r"(y), "r"(z) : "memory");
}

// Fetches a tile into the L2 cache only.
static __device__ __forceinline__ void prefetchTile(const TensorMap* map, int x, int y, int z) {
    asm volatile("cp.async.bulk.prefetch.tensor.3d.L2.global [%0, {%1, %2, %3}];" ::"l"(map), "r"(x), "r"(y), "r"(z) : "memory");
}

template <int COUNT> static __device__ __forceinline__ void moreRegisters() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(COUNT));
}
template <int COUNT> static __device__ __forceinline__ void fewerRegisters() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(COUNT));
}

// Named barriers of `threads` threads, which wait or only arrive.
static __device__ __forceinline__ void namedWait(int id, int threads) {
    asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
static __device__ __forceinline__ void namedArrive(int id, int threads) {
    asm volatile("bar.arrive %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// Descriptor of an operand in shared memory: rows of 128 bytes in groups of eight, swizzled as tile
// copies write them. `panelBytes` is the distance between panels of 64 columns, for operands whose
// columns are not the summed index.
static __device__ __forceinline__ u64 operand(const void* shared, int panelBytes) {
    u64 swizzle128 = 1ull << 62, eightRows = 1024 >> 4;
    return swizzle128 | eightRows << 32 | (u64) (panelBytes >> 4) << 16 | (u64) ((sharedAddress(shared) & 0x3ffff) >> 4);
}
// Descriptor of the operand that starts `bytes` later.
static __device__ __forceinline__ u64 further(u64 operand, int bytes) { return operand + (bytes >> 4); }

static __device__ __forceinline__ void beginProducts() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
static __device__ __forceinline__ void commitProducts() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int PENDING> static __device__ __forceinline__ void waitProducts() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(PENDING) : "memory");
}
// Prevents the compiler from moving uses of registers across the start or end of products that
// access them.
template <int N> static __device__ __forceinline__ void pin(float (&registers)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) asm volatile("" : "+f"(registers[i])::"memory");
}
template <int N> static __device__ __forceinline__ void pin(u32 (&registers)[N]) {
#pragma unroll
    for (int i = 0; i < N; i++) asm volatile("" : "+r"(registers[i])::"memory");
}

#define SUMS8(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), "+f"(d[i + 6]), "+f"(d[i + 7])
#define SUMS32(d, i) SUMS8(d, i), SUMS8(d, i + 8), SUMS8(d, i + 16), SUMS8(d, i + 24)
#define NAMES32 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define NAMES64 NAMES32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47,%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"

// d[64 x N] = a[64 x 16] * b[N x 16]^T, or += if `adds` is 1. Both operands are in shared memory,
// and the summed index is contiguous.
#define PRODUCT_OF_SHARED(TYPE, NAME, N, NAMES, SUMS, A, B, ADDS) \
    static __device__ __forceinline__ void multiplyShared(TYPE, float (&d)[N / 2], u64 a, u64 b, int adds) { \
        asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %" ADDS ", 0;\nwgmma.mma_async.sync.aligned.m64n" #N "k16.f32." NAME "." NAME \
                     " {" NAMES "}, %" A ", %" B ", p, 1, 1, 0, 0;\n}" : SUMS : "l"(a), "l"(b), "r"(adds)); \
    }
// d[64 x N] += a[64 x 16] * b[16 x N]. a is in registers with the layout of mma.m16n8k16, b is in
// shared memory with contiguous columns.
#define PRODUCT_OF_REGISTERS(TYPE, NAME, N, NAMES, SUMS, A0, A1, A2, A3, B) \
    static __device__ __forceinline__ void multiplyRegisters(TYPE, float (&d)[N / 2], const u32 (&a)[4], u64 b) { \
        asm volatile("wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." NAME "." NAME " {" NAMES "}, {%" A0 ",%" A1 ",%" A2 ",%" A3 "}, %" B \
                     ", 1, 1, 1, 1;" : SUMS : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b)); \
    }
#define PRODUCTS(TYPE, NAME) \
    PRODUCT_OF_SHARED(TYPE, NAME, 64, NAMES32, SUMS32(d, 0), "32", "33", "34") \
    PRODUCT_OF_SHARED(TYPE, NAME, 128, NAMES64, SUMS32(d, 0) COMMA SUMS32(d, 32), "64", "65", "66") \
    PRODUCT_OF_REGISTERS(TYPE, NAME, 64, NAMES32, SUMS32(d, 0), "32", "33", "34", "35", "36") \
    PRODUCT_OF_REGISTERS(TYPE, NAME, 128, NAMES64, SUMS32(d, 0) COMMA SUMS32(d, 32), "64", "65", "66", "67", "68")
#define COMMA ,
PRODUCTS(bf16, "bf16")
PRODUCTS(f16, "f16")

#endif
