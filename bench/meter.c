#include "meter.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

double meter_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *x, const void *y)
{
    const double a = *(const double *)x, b = *(const double *)y;
    return a < b ? -1 : a > b;
}

meter_time meter_run(void (*fn)(void *), void *user, int rounds, double least)
{
    double t[64];
    long reps = 1;
    fn(user);
    for (;;) {
        const double start = meter_now();
        for (long i = 0; i < reps; i++) fn(user);
        const double spent = meter_now() - start;
        if (spent >= least) break;
        reps = spent < least / 16 ? reps * 8 : reps * 2;
    }
    if (rounds > 64) rounds = 64;
    for (int r = 0; r < rounds; r++) {
        const double start = meter_now();
        for (long i = 0; i < reps; i++) fn(user);
        t[r] = (meter_now() - start) / (double)reps;
    }
    qsort(t, (size_t)rounds, sizeof *t, by_value);
    return (meter_time){ t[rounds / 2], t[0], t[rounds - 1], rounds };
}

#if defined(__x86_64__)
typedef float v16 __attribute__((vector_size(64)));
typedef float v8 __attribute__((vector_size(32)));

/* Accumulators are independent: enough to hide the latency of the unit. */
#define PEAK(name, type, features, n)                                                                              \
    __attribute__((target(features), noinline)) static void name(long turns, float *sink)                          \
    {                                                                                                              \
        type acc[n];                                                                                               \
        const type x = (type){ 0 } + 0.999f, y = (type){ 0 } + 1e-9f;                                              \
        _Pragma("GCC unroll 16") for (int i = 0; i < n; i++) acc[i] = y;                                           \
        for (long t = 0; t < turns; t++) {                                                                         \
            _Pragma("GCC unroll 16") for (int i = 0; i < n; i++)                                                   \
                __asm__("vfmadd213ps %2, %1, %0" : "+v"(acc[i]) : "v"(x), "v"(y));                                 \
        }                                                                                                          \
        _Pragma("GCC unroll 16") for (int i = 0; i < n; i++) sink[0] += acc[i][0];                                 \
    }
PEAK(peak_512, v16, "avx512f", 16)
PEAK(peak_256, v8, "avx2,fma", 12)
#endif

static void *peak_thread(void *out)
{
    const long turns = 20000000;
    float sink = 0;
    double flops = 0;
    const double start = meter_now();
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) peak_512(turns, &sink), flops = (double)turns * 16 * 16 * 2;
    else if (__builtin_cpu_supports("fma")) peak_256(turns, &sink), flops = (double)turns * 12 * 8 * 2;
#endif
    *(double *)out = flops / (meter_now() - start) * 1e-9 + (sink == 12345.0f ? 1 : 0);
    return NULL;
}

double meter_fma_peak(int threads)
{
    double best = 0;
    for (int round = 0; round < 3; round++) {
        pthread_t t[64];
        double rate[64], sum = 0;
        for (int i = 0; i < threads && i < 64; i++) pthread_create(&t[i], NULL, peak_thread, &rate[i]);
        for (int i = 0; i < threads && i < 64; i++) pthread_join(t[i], NULL), sum += rate[i];
        if (sum > best) best = sum;
    }
    return best;
}

struct copy {
    float *to;
    const float *from;
    size_t n;
};

static void copy_once(void *user)
{
    const struct copy *c = user;
    for (size_t i = 0; i < c->n; i += 16) {
        float block[16];
        memcpy(block, c->from + i, sizeof block);
        memcpy(c->to + i, block, sizeof block);
    }
    __asm__ volatile("" ::: "memory");
}

double meter_copy_bandwidth(size_t bytes)
{
    const size_t round = (bytes + (2u << 20) - 1) >> 21 << 21;
    struct copy c = { aligned_alloc(2u << 20, round), NULL, bytes / sizeof(float) / 16 * 16 };
    float *from = aligned_alloc(2u << 20, round);
    madvise(c.to, round, MADV_HUGEPAGE);
    madvise(from, round, MADV_HUGEPAGE);
    memset(from, 0, round);
    memset(c.to, 0, round);
    c.from = from;
    const meter_time t = meter_run(copy_once, &c, 7, 0.05);
    free(c.to);
    free(from);
    return 2.0 * (double)bytes / t.median * 1e-9;
}

double meter_peak_memory(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_maxrss / 1024;
}

const char *meter_cpu(void)
{
    static char name[128] = "unknown CPU";
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "model name", 10) == 0 && strchr(line, ':')) {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(strchr(line, ':') + 2, "\n"), strchr(line, ':') + 2);
            break;
        }
    if (f) fclose(f);
    return name;
}

uint64_t meter_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void meter_fill(float *x, size_t n, uint64_t seed, float scale)
{
    for (size_t i = 0; i < n; i++) x[i] = scale * (float)((double)(meter_random(&seed) >> 11) * 0x1p-52 - 1.0);
}
