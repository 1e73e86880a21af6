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

long meter_enough(void (*fn)(void *), void *user, double least)
{
    fn(user);
    for (long reps = 1;;) {
        const double start = meter_now();
        for (long i = 0; i < reps; i++) fn(user);
        const double spent = meter_now() - start;
        if (spent >= least) return reps;
        reps = spent < least / 16 ? reps * 8 : reps * 2;
    }
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return x[n / 2];
}

meter_time meter_run(void (*fn)(void *), void *user, int rounds, double least)
{
    double t[64];
    const long reps = meter_enough(fn, user, least);
    if (rounds > 64) rounds = 64;
    for (int r = 0; r < rounds; r++) {
        const double start = meter_now();
        for (long i = 0; i < reps; i++) fn(user);
        t[r] = (meter_now() - start) / (double)reps;
    }
    const double middle = median(t, rounds);
    return (meter_time){ .median = middle, .low = t[0], .high = t[rounds - 1], .rounds = rounds };
}

meter_sample meter_round(void (*fn)(void *), void *user, long reps, double flops, double bytes, int threads)
{
    const double fma = flops > 0 ? meter_fma_peak(threads) : 0, copy = bytes > 0 ? meter_copy_bandwidth(threads) : 0;
    const double start = meter_now();
    for (long i = 0; i < reps; i++) fn(user);
    const double time = (meter_now() - start) / (double)reps;
    const double by_fma = flops > 0 ? flops / (fma * 1e9) : 0, by_copy = bytes > 0 ? bytes / (copy * 1e9) : 0;
    return (meter_sample){ time, fma, copy, (by_fma > by_copy ? by_fma : by_copy) / time };
}

meter_time meter_beside_limit(void (*fn)(void *), void *user, int rounds, double least, double flops, double bytes,
                              int threads)
{
    double t[64], fma[64], copy[64], share[64];
    const long reps = meter_enough(fn, user, least);
    if (rounds > 64) rounds = 64;
    for (int r = 0; r < rounds; r++) {
        const meter_sample s = meter_round(fn, user, reps, flops, bytes, threads);
        t[r] = s.time, fma[r] = s.fma, copy[r] = s.copy, share[r] = s.share;
    }
    const double middle = median(t, rounds);
    return (meter_time){
        middle, t[0], t[rounds - 1], rounds, median(fma, rounds), median(copy, rounds), median(share, rounds)
    };
}

void meter_in_turn(int n, void (*const *fn)(void *), void *const *user, double *best)
{
    const double slice = 1e-4;
    for (int turn = 0; turn < 500; turn++)
        for (int i = 0; i < n; i++) {
            const long reps = turn ? (long)(slice / best[i]) + 1 : 1000;
            const double start = meter_now();
            for (long r = 0; r < reps; r++) fn[i](user[i]);
            const double t = (meter_now() - start) / (double)reps;
            if (!turn || t < best[i]) best[i] = t;
        }
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
    const long turns = 1000000; /* some 5 ms */
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

enum { MOST_THREADS = 64, COPIED = 64 << 20 };

double meter_fma_peak(int threads)
{
    pthread_t t[MOST_THREADS];
    double rate[MOST_THREADS], sum = 0;
    for (int i = 1; i < threads && i < MOST_THREADS; i++) pthread_create(&t[i], NULL, peak_thread, &rate[i]);
    peak_thread(&rate[0]);
    for (int i = 1; i < threads && i < MOST_THREADS; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < threads && i < MOST_THREADS; i++) sum += rate[i];
    return sum;
}

struct copy {
    float *to;
    const float *from;
    size_t n;
};

static void *copy_share(void *user)
{
    const struct copy *c = user;
    for (size_t i = 0; i < c->n; i += 16) {
        float block[16];
        memcpy(block, c->from + i, sizeof block);
        memcpy(c->to + i, block, sizeof block);
    }
    __asm__ volatile("" ::: "memory");
    return NULL;
}

static float *huge_pages(void)
{
    float *x = aligned_alloc(2u << 20, COPIED);
    if (!x) exit(1);
    madvise(x, COPIED, MADV_HUGEPAGE);
    memset(x, 0, COPIED);
    return x;
}

double meter_copy_bandwidth(int threads)
{
    static float *from, *to;
    struct copy c[MOST_THREADS];
    pthread_t t[MOST_THREADS];
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    if (!from) from = huge_pages(), to = huge_pages();
    const size_t each = COPIED / sizeof(float) / (size_t)threads / 16 * 16;
    for (int i = 0; i < threads; i++) c[i] = (struct copy){ to + (size_t)i * each, from + (size_t)i * each, each };
    const double start = meter_now();
    for (int i = 1; i < threads; i++) pthread_create(&t[i], NULL, copy_share, &c[i]);
    copy_share(&c[0]);
    for (int i = 1; i < threads; i++) pthread_join(t[i], NULL);
    return 2.0 * (double)each * sizeof(float) * threads / (meter_now() - start) * 1e-9;
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
