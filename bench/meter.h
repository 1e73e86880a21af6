/* Timing for the benchmarks: medians with spread over alternating rounds, and the machine's own limits measured in the
 * same run. */
#pragma once
#include <stddef.h>
#include <stdint.h>

double meter_now(void); /* seconds */

/* Calls fn(user) in rounds of enough repetitions (at least `least` seconds each); seconds per call. */
typedef struct meter_time {
    double median, low, high;
    int rounds;
    double fma, copy; /* GFLOP/s and GB/s of the machine: medians over the rounds; 0 if not asked for */
    /* the time that flops or bytes need at these limits, over the time of a call: median over the rounds */
    double share;
} meter_time;
meter_time meter_run(void (*fn)(void *), void *user, int rounds, double least);
/* One round, with the limits measured before it; repetitions that take at least `least` seconds. */
typedef struct meter_sample {
    double time, fma, copy, share;
} meter_sample;
meter_sample meter_round(void (*fn)(void *), void *user, long reps, double flops, double bytes, int threads);
long meter_enough(void (*fn)(void *), void *user, double least);
/* Likewise, with the limits measured before each round: what else runs on the machine slows both. */
meter_time meter_beside_limit(void (*fn)(void *), void *user, int rounds, double least, double flops, double bytes,
                              int threads);
/* Calls n functions in turn, a tenth of a millisecond each and 500 times; seconds per call of each one's fastest turn.
 * For calls of nanoseconds that are compared with one another: what else runs on the machine only adds. */
void meter_in_turn(int n, void (*const *fn)(void *), void *const *user, double *best);

double meter_fma_peak(int threads);          /* GFLOP/s of f32 fused multiply-adds, each thread on registers alone */
/* GB/s of a copy of 64 MiB, read and written both counted; ordinary vector stores */
double meter_copy_bandwidth(int threads);
double meter_peak_memory(void);              /* MiB of this process, highest so far */
const char *meter_cpu(void);
uint64_t meter_random(uint64_t *state);
void meter_fill(float *x, size_t n, uint64_t seed, float scale);
