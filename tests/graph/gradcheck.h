/* Derivatives against central differences, and forward against reverse, through the reference evaluator in f64. */
#pragma once
#include <gnomon/gnomon.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "evaluate.h"
#include "testlib.h"

enum { CHECK_INPUTS = 6, CHECK_ELEMENTS = 256 };

/* A graph, some inputs of it, and their values. Integer inputs hold `integer`. */
typedef struct problem {
    gn_graph *g;
    size_t n;
    gn_expr *x[CHECK_INPUTS];
    gn_array value[CHECK_INPUTS];
    double number[CHECK_INPUTS][CHECK_ELEMENTS];
    int64_t integer[CHECK_INPUTS][CHECK_ELEMENTS];
} problem;

typedef struct evaluation_request {
    problem *p;
    gn_expr *e;
    double *out;
    int64_t *count;
    int rank;
    int64_t shape[GN_MAX_RANK];
} evaluation_request;

static inline void evaluate_body(void *arg)
{
    evaluation_request *r = arg;
    gn_arena arena = { 0 };
    gn_evaluation *v = gn_evaluation_new(&arena);
    for (size_t i = 0; i < r->p->n; i++) gn_evaluation_set(v, r->p->x[i], &r->p->value[i]);
    const gn_tensor *t = gn_evaluate(v, r->e);
    assert_true(t->count <= CHECK_ELEMENTS);
    for (int64_t i = 0; i < t->count; i++) r->out[i] = gn_is_float(t->dtype) ? (double)t->at[i].f : (double)t->at[i].i;
    *r->count = t->count, r->rank = t->rank;
    memcpy(r->shape, t->shape, sizeof r->shape);
    gn_arena_free(&arena);
}

/* The values of e; returns how many. */
static inline int64_t value_of(problem *p, gn_expr *e, double *out)
{
    int64_t count = 0;
    evaluation_request r = { .p = p, .e = e, .out = out, .count = &count };
    if (gn_is_error(e)) fail_msg("an error node: %s", gn_graph_check(p->g) ? gn_message() : "(no message)");
    if (gn_protect(evaluate_body, &r)) fail_msg("%s", gn_message());
    return count;
}

/* A constant of e's shape with random elements in [-1, 1]. */
static inline gn_expr *random_like(problem *p, gn_expr *e, uint64_t *seed, double *values)
{
    int64_t count = 0;
    evaluation_request r = { .p = p, .e = e, .out = values, .count = &count };
    if (gn_protect(evaluate_body, &r)) fail_msg("%s", gn_message());
    for (int64_t i = 0; i < count; i++) values[i] = test_uniform(seed, -1, 1);
    return gn_constant(p->g, gn_array_of(values, GN_F64, r.rank, r.shape));
}

static inline void assert_close(double got, double wanted, double tolerance, const char *name, const char *what, int64_t at)
{
    if (got == wanted || fabs(got - wanted) <= tolerance * (1 + fabs(wanted))) return;
    fail_msg("%s: %s, element %lld: %.12g, expected %.12g", name, what, (long long)at, got, wanted);
}

static inline double dot(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

/* sum(w y) with one element of an input moved. */
static inline double moved(problem *p, gn_expr *y, const double *w, double *x, double by)
{
    double values[CHECK_ELEMENTS];
    const double old = *x;
    *x = old + by;
    const int64_t n = value_of(p, y, values);
    *x = old;
    return dot(values, w, n);
}

/* The slope of sum(w y) along one element of an input. False where both sides differ (a kink) or a smaller step gives
 * another slope (a jump): differences cannot judge there. */
static inline bool slope_of(problem *p, gn_expr *y, const double *w, double centre, double *x, double *slope)
{
    const double h = 1e-5 * fmax(1, fabs(*x));
    const double up = moved(p, y, w, x, h), down = moved(p, y, w, x, -h), nearer = moved(p, y, w, x, h / 2);
    const double right = (up - centre) / h, left = (centre - down) / h, next = 2 * (nearer - centre) / h;
    *slope = (left + right) / 2;
    return fabs(left - right) <= 0.01 * (1 + fabs(*slope)) && fabs(next - right) <= 0.01 * (1 + fabs(*slope));
}

typedef struct check_count {
    int checked, skipped;
} check_count;

/* Checks both modes of y with respect to all inputs in f64. */
static inline check_count check_derivatives(problem *p, const char *name, gn_expr *y, uint64_t *seed, double tolerance)
{
    check_count c = { 0 };
    double dy[CHECK_ELEMENTS], dx[CHECK_INPUTS][CHECK_ELEMENTS], grad[CHECK_INPUTS][CHECK_ELEMENTS], up[CHECK_ELEMENTS],
        here[CHECK_ELEMENTS];
    gn_expr *xs[CHECK_INPUTS], *directions[CHECK_INPUTS], *grads[CHECK_INPUTS], *tangent = NULL;
    size_t which[CHECK_INPUTS], n = 0;
    if (gn_is_error(y)) fail_msg("%s: %s", name, gn_graph_check(p->g) ? gn_message() : "an error node");
    gn_expr *cotangent = random_like(p, y, seed, dy);
    for (size_t i = 0; i < p->n; i++) {
        if (p->value[i].dtype != GN_F64) continue;
        directions[n] = random_like(p, p->x[i], seed, dx[n]);
        which[n] = i, xs[n++] = p->x[i];
    }
    gn_vjp(1, &y, &cotangent, n, xs, grads);
    gn_jvp(1, &y, n, xs, directions, &tangent);
    if (gn_graph_check(p->g)) fail_msg("%s: %s", name, gn_message());
    const int64_t count = value_of(p, tangent, up);
    value_of(p, y, here);
    double forward = dot(up, dy, count), reverse = 0;
    for (size_t i = 0; i < n; i++) {
        const int64_t size = value_of(p, grads[i], grad[i]);
        assert_int_equal(size, gn_array_count(&p->value[which[i]]));
        reverse += dot(grad[i], dx[i], size);
        for (int64_t k = 0; k < size; k++) {
            double slope;
            if (slope_of(p, y, dy, dot(here, dy, count), (double *)p->value[which[i]].data + k, &slope)) {
                assert_close(grad[i][k], slope, tolerance, name, "reverse against differences", k);
                c.checked++;
            } else c.skipped++;
        }
    }
    assert_close(forward, reverse, 1e-9, name, "forward against reverse", 0);
    return c;
}
