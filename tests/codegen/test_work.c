/* What making a program costs, in nodes met by walks and entries looked at in tables: n log n of its statements, and as many lines. */
#include <gnomon/grad.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <string.h>
#include "optimize.h"
#include "program.h"
#include "programs.h"
#include "visit.h"

typedef gn_expr *(*make_step)(gn_expr *x, gn_expr *a);

static gn_expr *residual(gn_expr *h, gn_expr *a)
{
    return gn_add(h, gn_sin(gn_mul(h, a)));
}

static gn_expr *logistic(gn_expr *y, gn_expr *a)
{
    return gn_mul(gn_mul(a, y), gn_sub(1.0, y));
}

static gn_expr *slope(gn_expr *y, gn_expr *a)
{
    return gn_sub(gn_mul(a, y), gn_mul(gn_mul(y, y), y));
}

static gn_expr *euler(gn_expr *y, gn_expr *a)
{
    return gn_add(y, gn_mul(slope(y, a), 0.01));
}

static gn_expr *rk4(gn_expr *y, gn_expr *a)
{
    gn_expr *k1 = slope(y, a), *k2 = slope(gn_add(y, gn_mul(k1, 0.005)), a), *k3 = slope(gn_add(y, gn_mul(k2, 0.005)), a);
    gn_expr *k4 = slope(gn_add(y, gn_mul(k3, 0.01)), a);
    return gn_add(y, gn_mul(gn_add(gn_add(k1, k4), gn_mul(gn_add(k2, k3), 2.0)), 0.01 / 6));
}

static gn_expr *nested_select(gn_expr *x, gn_expr *a)
{
    return gn_where(gn_lt(a, x), gn_mul(x, 2.0), gn_add(x, 1.0));
}

static const struct chain {
    const char *name;
    make_step step;
} chains[] = { { "residual", residual }, { "logistic", logistic }, { "euler", euler }, { "rk4", rk4 }, { "select", nested_select } };

typedef struct cost {
    double work, lines;
} cost;

static gn_expr *leapfrog(gn_expr *x, gn_expr *a, int n)
{
    gn_expr *v = gn_mul(x, 0.0);
    for (int i = 0; i < n; i++) {
        gn_expr *half = gn_sub(v, gn_mul(gn_mul(a, x), 0.005));
        x = gn_add(x, gn_mul(half, 0.01));
        v = gn_sub(half, gn_mul(gn_mul(a, x), 0.005));
    }
    return gn_add(x, v);
}

static program *chained(make_step step, int n, const char *shape, bool gradient)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F64, shape), *a = program_in(p, "a", GN_F64, shape), *y = x;
    if (!step) y = leapfrog(x, a, n);
    for (int i = 0; step && i < n; i++) y = step(y, a);
    program_out(p, y);
    if (gradient) program_out(p, gn_grad(gn_sum_all(y), x));
    return p;
}

static cost cost_of(make_step step, int n, const char *shape, bool gradient)
{
    program *p = chained(step, n, shape, gradient);
    program_group(p, &gn_target_avx512);
    const gn_work before = gn_work_done;
    const char *text = gn_program_make(&p->arena, p->core, &gn_target_avx512, "test")->source;
    cost c = { .work = (double)(gn_work_done.visits - before.visits + gn_work_done.scans - before.scans) };
    for (; *text; text++) c.lines += *text == '\n';
    program_free(p);
    return c;
}

int main(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (int s = 0; s < 6; s++)
        for (int gradient = 0; gradient < 2; gradient++)
            for (int k = 0; k < 2; k++)
            for (int n = 10; n <= 1000; n *= 10) {
                const cost c = cost_of(s < 5 ? chains[s].step : NULL, n, k ? "100000" : "4", gradient);
                printf("%s %d %s n %d: work %.0f lines %.0f\n", s < 5 ? chains[s].name : "leapfrog", gradient, k ? "100000" : "4", n, c.work, c.lines);
                fflush(stdout);
            }
    return 0;
}
