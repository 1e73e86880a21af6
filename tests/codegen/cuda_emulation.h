/* Put before generated CUDA text, lets a C++ compiler build it for the CPU. Every thread of a block is a fiber of
 * tests/cuda_fibers.c, which loads the result, sets the indices below before it resumes a fiber, and gets control at
 * every barrier and warp collective. Blocks run one after the other. Includes nothing, so that nothing of the system
 * hides a name that the generated text forgot. */
#define GN_CUDA_EMULATION 1
#pragma GCC diagnostic ignored "-Wunused-parameter" /* a kernel takes all symbols and knows all its threads, used or not */
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable" /* an array that is kept, but read where it was computed */
#pragma GCC diagnostic ignored "-Wtautological-compare" /* x <= x: not NaN */
#pragma GCC diagnostic ignored "-Wtype-limits"          /* 0 <= u of any unsigned u */
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned uint32_t;
typedef unsigned long long uint64_t;

#define __global__ __attribute__((visibility("default")))
#define __device__
#define __forceinline__ inline __attribute__((unused))
#define __shared__ static __attribute__((section("emulated_shared")))
#define __cluster_dims__(x, y, z)
#define __grid_constant__
#define __launch_bounds__(threads, blocks)
#define __align__(n) __attribute__((aligned(n)))

struct emulated_index {
    unsigned x, y, z;
};
extern "C" {
emulated_index threadIdx, blockIdx, blockDim;
/* Returns when every thread of the group called it with the same kind; the scheduler reports those that do not. group:
 * so many threads in a row of the block, 0 the cluster. */
void (*emulated_wait)(int kind, unsigned group);
unsigned char *emulated_dynamic; /* of the block at work, as many bytes as the launch says */
/* Static shared memory: the scheduler gives each block its own. */
extern char __start_emulated_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emulated_shared[] __attribute__((weak, visibility("hidden")));
char *emulated_static[2] = {__start_emulated_shared, __stop_emulated_shared};
void (*emulated_meet)(int barrier, int threads, bool wait); /* of some warps: returns at once, or when all came */
void *(*emulated_slot)(unsigned thread); /* 64 bytes that all threads may read after a wait */
float rintf(float), floorf(float), ceilf(float), truncf(float);
double rint(double), floor(double), ceil(double), trunc(double);
}
enum { EMULATED_BARRIER = 1, EMULATED_SHUFFLE, EMULATED_MMA };
enum { EMULATED_WARP = 32 };

template <class To, class From> static To emulated_bits(From from)
{
    static_assert(sizeof(To) == sizeof(From), "a bit cast keeps the size");
    To to;
    __builtin_memcpy(&to, &from, sizeof to);
    return to;
}
static inline float __int_as_float(int x) { return emulated_bits<float>(x); }
static inline float __uint_as_float(unsigned x) { return emulated_bits<float>(x); }
static inline unsigned __float_as_uint(float x) { return emulated_bits<unsigned>(x); }
static inline double __longlong_as_double(long long x) { return emulated_bits<double>(x); }
static inline float __fmaf_rn(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double __fma_rn(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline float __fsqrt_rn(float a) { return __builtin_sqrtf(a); }
static inline double __dsqrt_rn(double a) { return __builtin_sqrt(a); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
static inline void __syncthreads() { emulated_wait(EMULATED_BARRIER, blockDim.x); }
static inline void __syncwarp() { emulated_wait(EMULATED_BARRIER, EMULATED_WARP); }
static inline void gn_emulated_barrier(unsigned group) { emulated_wait(EMULATED_BARRIER, group); }

template <class T> static T __shfl_xor_sync(unsigned, T x, int distance)
{
    T *mine = (T *)emulated_slot(threadIdx.x);
    *mine = x;
    emulated_wait(EMULATED_SHUFFLE, EMULATED_WARP);
    const T got = *(const T *)emulated_slot(threadIdx.x ^ (unsigned)distance);
    emulated_wait(EMULATED_SHUFFLE, EMULATED_WARP);
    return got;
}

static inline void gn_emulated_meet(int barrier, int threads, bool wait) { emulated_meet(barrier, threads, wait); }

/* Copies under way are done at once: only the interpreter of code waits for whom they may surprise. */
static inline void gn_emulated_async(void *to, const void *from, int bytes, bool there)
{
    if ((__UINTPTR_TYPE__)to % bytes || (there && (__UINTPTR_TYPE__)from % bytes)) __builtin_trap();
    if (there) __builtin_memcpy(to, from, bytes);
    else __builtin_memset(to, 0, bytes);
}
static inline void gn_emulated_commit() {}
static inline void gn_emulated_wait_for(int) {}

/* Ten bits of mantissa; ties away from zero, as cvt.rna does. */
static inline float gn_emulated_tf32(float a)
{
    const unsigned bits = __float_as_uint(a);
    return (bits & 0x7f800000u) == 0x7f800000u ? a : __uint_as_float((bits + 0x1000u) & ~0x1fffu);
}

/* m16n8k8: which register of which thread holds an element, as the PTX manual's figures have it. */
static inline void gn_emulated_mma(float *c0, float *c1, float *c2, float *c3, float a0, float a1,
                                   float a2, float a3, float b0, float b1)
{
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x - lane, group = lane / 4, quad = lane % 4;
    float *const mine = (float *)emulated_slot(threadIdx.x), *const c[4] = { c0, c1, c2, c3 };
    const float sent[6] = { a0, a1, a2, a3, b0, b1 };
    __builtin_memcpy(mine, sent, sizeof sent);
    emulated_wait(EMULATED_MMA, EMULATED_WARP);
    for (unsigned r = 0; r < 4; r++) {
        const unsigned m = group + 8 * (r / 2), n = 2 * quad + r % 2;
        float sum = *c[r];
        for (unsigned k = 0; k < 8; k++) {
            const float *const a = (const float *)emulated_slot(warp + (m % 8) * 4 + k % 4);
            const float *const b = (const float *)emulated_slot(warp + n * 4 + k % 4);
            sum += a[m / 8 + 2 * (k / 4)] * b[4 + k / 4];
        }
        *c[r] = sum;
    }
    emulated_wait(EMULATED_MMA, EMULATED_WARP);
}
