#include "row.h"
#include <sys/mman.h>

int row_threads = 1;
int row_turns;

void row_need(gn_status s)
{
    if (!s) return;
    fprintf(stderr, "%s\n", gn_message());
    exit(1);
}

void *row_memory(size_t bytes)
{
    const size_t whole = (bytes + (2u << 20)) >> 21 << 21;
    void *x = aligned_alloc(2u << 20, whole);
    if (!x) abort();
    madvise(x, whole, MADV_HUGEPAGE);
    memset(x, 0, whole);
    return x;
}

float *row_floats(size_t n, uint64_t seed, float scale)
{
    float *x = row_memory(n * sizeof *x);
    meter_fill(x, n, seed, scale);
    return x;
}

void row_run(void *b)
{
    gn_run(b);
}

void row_head(void)
{
    printf("%-26s %-14s %12s %18s %17s %15s %6s %9s %6s\n", "what", "shape", "median", "low .. high", "GFLOP/s of peak",
           "GB/s of copy", "share", "compile", "kernels");
}

double row_compile_ms(const row *r)
{
    const gn_func_info info = gn_func_inspect(r->f);
    return info.build_ms + info.optimize_ms + info.codegen_ms + info.compile_ms + info.load_ms;
}

static void print_row(const row *r, meter_time t)
{
    printf("%-26s %-14s %9.2f us %8.2f..%8.2f %8.1f of %5.0f %6.1f of %5.1f %5.0f%% %6.0f ms %6d\n", r->name, r->shape,
           t.median * 1e6, t.low * 1e6, t.high * 1e6, r->flops / t.median * 1e-9, t.fma, r->bytes / t.median * 1e-9,
           t.copy, 100 * t.share, row_compile_ms(r), gn_func_inspect(r->f).nkernels);
    fflush(stdout);
}

void row_take_turns(const row *r, const char *what, void (*fn)(void *), void *user, double least)
{
    char line[16];
    long reps = 0;
    printf("%s%s, %s\t%.9f\n", r->name, what, r->shape, row_compile_ms(r) * 1e-3);
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) && strcmp(line, "next\n")) {
        if (!reps) reps = meter_enough(fn, user, least);
        const meter_sample s = meter_round(fn, user, reps, r->flops, r->bytes, row_threads);
        printf("%.9e\t%.9e\n", s.time, s.share);
        fflush(stdout);
    }
}

/* One line of the table, of the bound call; seconds a call, 0 in turns. */
double row_show(const row *r, int rounds, double least)
{
    if (row_turns) return row_take_turns(r, "", row_run, r->b, least), 0;
    const meter_time t = meter_beside_limit(row_run, r->b, rounds, least, r->flops, r->bytes, row_threads);
    print_row(r, t);
    return t.median;
}

void row_measure(row *r, gn_arrays in, gn_arrays out)
{
    row_need(gn_bind(&r->b, r->f, in, out));
    row_show(r, 15, 0.03);
    gn_binding_free(r->b);
    gn_func_free(r->f);
}
