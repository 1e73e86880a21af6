/* Programs that users write, small: a scalar of some inputs, and its gradient. In f32 both are compared with the
 * reference evaluator, in f64 the gradient with differences of the compiled scalar. What compiling costs is counted. */
#include "api.h"
#include <math.h>
#include "evaluate.h"
#include "visit.h"

enum { MOST_INPUTS = 12, MOST_ELEMENTS = 256 };

typedef struct build {
    gn_graph *g;
    gn_dtype dtype;
    gn_expr *in[MOST_INPUTS];
    size_t n;
} build;

/* An input of numbers in -0.8 .. 0.8. */
static gn_expr *input(build *b, const char *shape)
{
    char name[8];
    snprintf(name, sizeof name, "p%zu", b->n);
    return b->in[b->n++] = gn_input(b->g, name, b->dtype, "%s", shape);
}

/* ---- recurrent networks ---- */

static gn_expr *gate(gn_expr *x, gn_expr *w, gn_expr *h, gn_expr *u, gn_expr *bias)
{
    return gn_add(gn_add(gn_matmul(x, w), gn_matmul(h, u)), bias);
}

static gn_expr *gru(build *b)
{
    gn_expr *x = input(b, "3, 2, 3"), *h = gn_full(b->g, b->dtype, 0.0, "2, 4"), *w[3], *u[3], *c = input(b, "4");
    for (int i = 0; i < 3; i++) w[i] = input(b, "3, 4"), u[i] = input(b, "4, 4");
    for (int t = 0; t < 3; t++) {
        char cut[16];
        snprintf(cut, sizeof cut, "%d", t);
        gn_expr *xt = gn_slice(x, "%s", cut), *r = gn_sigmoid(gate(xt, w[0], h, u[0], c)),
                *z = gn_sigmoid(gate(xt, w[1], h, u[1], c));
        h = gn_add(gn_mul(z, h), gn_mul(gn_sub(1.0, z), gn_tanh(gate(xt, w[2], gn_mul(r, h), u[2], c))));
    }
    return gn_mean_all(gn_square(h));
}

static gn_expr *lstm(build *b)
{
    gn_expr *x = input(b, "3, 2, 3"), *w = input(b, "7, 16"), *bias = input(b, "16");
    gn_expr *h = gn_full(b->g, b->dtype, 0.0, "2, 4"), *c = h;
    for (int t = 0; t < 3; t++) {
        char cut[16];
        snprintf(cut, sizeof cut, "%d", t);
        gn_expr *all = gn_add(gn_matmul(gn_concat(GN_EXPRS(gn_slice(x, "%s", cut), h), 1), w), bias);
        c = gn_add(gn_mul(gn_sigmoid(gn_slice(all, ":, 0:4")), c),
                   gn_mul(gn_sigmoid(gn_slice(all, ":, 4:8")), gn_tanh(gn_slice(all, ":, 8:12"))));
        h = gn_mul(gn_sigmoid(gn_slice(all, ":, 12:16")), gn_tanh(c));
    }
    return gn_sum_all(gn_mul(h, h));
}

/* ---- networks ---- */

static gn_expr *vae(build *b)
{
    gn_expr *x = input(b, "4, 6"), *e = input(b, "6, 5"), *m = input(b, "5, 2"), *s = input(b, "5, 2"),
            *d = input(b, "2, 6"), *noise = input(b, "4, 2");
    gn_expr *h = gn_tanh(gn_matmul(x, e)), *mean = gn_matmul(h, m), *log_var = gn_matmul(h, s);
    gn_expr *z = gn_add(mean, gn_mul(gn_exp(gn_mul(log_var, 0.5)), noise)), *back = gn_matmul(z, d);
    gn_expr *fit = gn_mean_all(gn_sum(gn_square(gn_sub(x, back)), GN_AXES(1)));
    gn_expr *kl = gn_sum(gn_sub(gn_sub(gn_add(gn_square(mean), gn_exp(log_var)), log_var), 1.0), GN_AXES(1));
    return gn_add(fit, gn_mul(gn_mean_all(kl), 0.5));
}

static gn_expr *residual(build *b)
{
    gn_expr *h = input(b, "4, 6"), *w = input(b, "6, 6");
    for (int i = 0; i < 14; i++) h = gn_add(h, gn_mul(gn_tanh(gn_matmul(h, w)), 0.25));
    return gn_mean_all(gn_square(h));
}

static gn_expr *batch_norm(build *b)
{
    gn_expr *x = input(b, "8, 5"), *scale = input(b, "5"), *shift = input(b, "5"), *w = input(b, "5, 3");
    gn_expr *mean = gn_mean(x, GN_AXES(0)), *centred = gn_sub(x, mean), *var = gn_mean(gn_square(centred), GN_AXES(0));
    gn_expr *y = gn_add(gn_mul(gn_div(centred, gn_sqrt(gn_add(var, 1e-3))), scale), shift);
    return gn_mean_all(gn_log_sum_exp(gn_matmul(y, w), 1));
}

static gn_expr *attention(build *b)
{
    gn_expr *q = input(b, "2, 5, 4"), *k = input(b, "2, 5, 4"), *v = input(b, "2, 5, 3");
    gn_expr *scores = gn_mul(gn_einsum("bid,bjd->bij", q, k), 0.5),
            *top = gn_stop_gradient(gn_expand(gn_max(scores, GN_AXES(2)), GN_AXES(2)));
    gn_expr *i = gn_iota(b->g, GN_I32, 0, "5, 5"), *j = gn_iota(b->g, GN_I32, 1, "5, 5");
    gn_expr *e = gn_select(gn_le(j, i), gn_exp(gn_sub(scores, top)), 0.0);
    return gn_sum_all(gn_square(gn_einsum("bij,bjd->bid", gn_div(e, gn_expand(gn_sum(e, GN_AXES(2)), GN_AXES(2))), v)));
}

static gn_expr *softmax_regression(build *b)
{
    gn_expr *x = input(b, "6, 4"), *w = input(b, "4, 3"), *bias = input(b, "3");
    int32_t label[6] = { 0, 2, 1, 1, 0, 2 };
    return gn_mean_all(gn_cross_entropy(gn_add(gn_matmul(x, w), bias), gn_constant(b->g, GN_VIEW(label, 6))));
}

/* ---- physics and maps ---- */

static gn_expr *slope(gn_expr *y, gn_expr *k)
{
    return gn_sub(gn_sin(gn_mul(y, k)), gn_mul(gn_mul(y, y), 0.25));
}

static gn_expr *rk4(build *b)
{
    gn_expr *y = input(b, "7"), *k = input(b, "7");
    for (int i = 0; i < 8; i++) {
        gn_expr *a = slope(y, k), *c = slope(gn_add(y, gn_mul(a, 0.05)), k), *d = slope(gn_add(y, gn_mul(c, 0.05)), k),
                *e = slope(gn_add(y, gn_mul(d, 0.1)), k);
        y = gn_add(y, gn_mul(gn_add(gn_add(a, gn_mul(gn_add(c, d), 2.0)), e), 0.1 / 6));
    }
    return gn_sum_all(y);
}

static gn_expr *pull(gn_expr *x)
{
    gn_expr *d = gn_sub(gn_expand(x, GN_AXES(0)), gn_expand(x, GN_AXES(1)));
    gn_expr *r = gn_add(gn_sum(gn_square(d), GN_AXES(2)), 0.3);
    return gn_sum(gn_div(d, gn_expand(gn_mul(r, gn_sqrt(r)), GN_AXES(2))), GN_AXES(1));
}

static gn_expr *bodies(build *b)
{
    gn_expr *x = input(b, "5, 3"), *v = input(b, "5, 3");
    for (int i = 0; i < 4; i++) {
        v = gn_add(v, gn_mul(pull(x), 0.005));
        x = gn_add(x, gn_mul(v, 0.01));
    }
    return gn_add(gn_sum_all(gn_square(v)), gn_sum_all(x));
}

static gn_expr *mandelbrot(build *b)
{
    gn_expr *cr = input(b, "6, 5"), *ci = input(b, "6, 5"), *zr = cr, *zi = ci,
            *inside = gn_full(b->g, b->dtype, 0.0, "6, 5");
    for (int i = 0; i < 10; i++) {
        gn_expr *r = gn_add(gn_sub(gn_mul(zr, zr), gn_mul(zi, zi)), cr), *s = gn_add(gn_mul(gn_mul(zr, zi), 2.0), ci);
        gn_expr *stays = gn_lt(gn_add(gn_square(r), gn_square(s)), 4.0);
        inside = gn_add(inside, gn_cast(stays, b->dtype));
        zr = gn_select(stays, r, zr), zi = gn_select(stays, s, zi);
    }
    return gn_add(gn_sum_all(inside), gn_mul(gn_sum_all(gn_mul(zr, zi)), 0.01));
}

static gn_expr *logistic_map(build *b)
{
    gn_expr *x = gn_add(gn_mul(input(b, "9"), 0.5), 0.5), *r = gn_add(input(b, "9"), 2.5);
    for (int i = 0; i < 12; i++) x = gn_mul(gn_mul(r, x), gn_sub(1.0, x));
    return gn_sum_all(x);
}

static gn_expr *heat(build *b)
{
    gn_expr *u = input(b, "9, 8");
    for (int i = 0; i < 5; i++) {
        gn_expr *p = gn_pad(u, 0.0, "1:1, 1:1"), *c = gn_mul(u, -4.0);
        gn_expr *around = gn_add(gn_add(gn_slice(p, "0:9, 1:9"), gn_slice(p, "2:11, 1:9")),
                                 gn_add(gn_slice(p, "1:10, 0:8"), gn_slice(p, "1:10, 2:10")));
        u = gn_add(u, gn_mul(gn_add(around, c), 0.2));
    }
    return gn_sum_all(gn_square(u));
}

/* ---- clusters ---- */

static gn_expr *distances(gn_expr *x, gn_expr *c)
{
    return gn_sum(gn_square(gn_sub(gn_expand(x, GN_AXES(1)), gn_expand(c, GN_AXES(0)))), GN_AXES(2));
}

static gn_expr *k_means(build *b)
{
    gn_expr *x = input(b, "12, 2"), *c = input(b, "3, 2");
    for (int i = 0; i < 3; i++) {
        gn_expr *mine = gn_one_hot(gn_cast(gn_argmin(distances(x, c), 1), GN_I32), b->dtype, "3"),
                *count = gn_sum(mine, GN_AXES(0));
        gn_expr *sum = gn_matmul(gn_transpose(mine), x), *some = gn_gt(count, 0.5);
        c = gn_select(gn_broadcast_to(gn_expand(some, GN_AXES(1)), "3, 2"),
                      gn_div(sum, gn_expand(gn_maximum(count, 1.0), GN_AXES(1))), c);
    }
    return gn_sum_all(gn_min(distances(x, c), GN_AXES(1)));
}

static gn_expr *mixture(build *b)
{
    gn_expr *x = input(b, "12, 2"), *c = input(b, "3, 2"), *log_width = input(b, "3"), *weight = input(b, "3");
    gn_expr *each = gn_sub(gn_sub(gn_log_softmax(weight, 0), gn_mul(log_width, 2.0)),
                           gn_div(distances(x, c), gn_mul(gn_exp(gn_mul(log_width, 2.0)), 2.0)));
    return gn_neg(gn_mean_all(gn_log_sum_exp(each, 1)));
}

static const struct whole {
    const char *name;
    gn_expr *(*make)(build *);
    bool jumps;                  /* all of it hangs on who is nearest: differences judge the gradient */
} wholes[] = {
    { "gru", gru },
    { "lstm", lstm },
    { "vae", vae },
    { "residual", residual },
    { "batch_norm", batch_norm },
    { "attention", attention },
    { "softmax_regression", softmax_regression },
    { "rk4", rk4 },
    { "bodies", bodies },
    { "mandelbrot", mandelbrot },
    { "logistic_map", logistic_map },
    { "heat", heat },
    { "k_means", k_means, true },
    { "mixture", mixture },
};

/* ---- what must be right of each ---- */

typedef struct run {
    build b;
    gn_func *f;
    gn_arena arena;
    gn_array in[MOST_INPUTS], out[MOST_INPUTS + 1];
    gn_expr *result[MOST_INPUTS + 1]; /* the scalar, then a gradient per input */
    const struct whole *whole;
} run;

static void make_run(run *r, gn_context *c, gn_dtype dtype)
{
    uint64_t rng = test_seed();
    r->b = (build){ .g = gn_graph_new(c), .dtype = dtype };
    r->result[0] = r->whole->make(&r->b);
    gn_grads_at(GN_HERE, r->result[0], r->b.n, r->b.in, r->result + 1, GN_DISCONNECTED_ZERO);
    if (gn_graph_check(r->b.g)) fail_msg("%s: %s", r->whole->name, gn_message());
    for (size_t i = 0; i <= r->b.n; i++) {
        const gn_type *t = r->result[i]->type;
        int64_t shape[GN_MAX_RANK];
        for (int d = 0; d < t->n; d++) assert_true(gn_dim_is_const(t->dim[d], &shape[d]));
        r->out[i] = gn_array_of(gn_arena_alloc(&r->arena, MOST_ELEMENTS * 8, 64), dtype, t->n, shape);
        assert_true(gn_array_count(&r->out[i]) <= MOST_ELEMENTS);
        if (i == 0) continue;
        gn_array *x = &r->in[i - 1];
        *x = gn_array_of(gn_arena_alloc(&r->arena, MOST_ELEMENTS * 8, 64), dtype, t->n, shape);
        for (int64_t k = 0; k < gn_array_count(x); k++) {
            const double v = test_uniform(&rng, -0.8, 0.8);
            if (dtype == GN_F32) ((float *)x->data)[k] = (float)v;
            else ((double *)x->data)[k] = v;
        }
    }
    const gn_work before = gn_work_done;
    const gn_compile_options o = { .in = { r->b.n, r->b.in }, .out = { r->b.n + 1, r->result }, .name = r->whole->name };
    if (gn_compile_at(GN_HERE, &r->f, r->b.g, &o)) fail_msg("%s: %s", r->whole->name, gn_message());
    const uint64_t work = gn_work_done.visits - before.visits + gn_work_done.scans - before.scans, nodes = r->b.g->nodes.n;
    if (getenv("GNOMON_TEST_SHOW")) print_message("%s: %llu a node\n", r->whole->name, (unsigned long long)(work / nodes));
    if (work > nodes * 1000)
        fail_msg("%s: compiling meets %llu things for %llu nodes", r->whole->name, (unsigned long long)work,
                 (unsigned long long)nodes);
}

static void call(run *r)
{
    if (gn_call(r->f, (gn_arrays){ r->b.n, r->in }, (gn_arrays){ r->b.n + 1, r->out }))
        fail_msg("%s: %s", r->whole->name, gn_message());
}

static void compare_all(void *user)
{
    run *r = user;
    int64_t jumps = 0, elements = 0;
    gn_evaluation *v = gn_evaluation_new(&r->arena);
    for (size_t i = 0; i < r->b.n; i++) gn_evaluation_set(v, r->b.in[i], &r->in[i]);
    for (size_t i = 0; i <= r->b.n; i++) {
        const gn_tensor *want = gn_evaluate(v, r->result[i]);
        for (int64_t k = 0; k < want->count; k++) {
            elements++, jumps += want->at[k].jump;
            if (!gn_tensor_near(want, r->out[i].data, k, false))
                fail_msg("%s: result %zu, element %lld is %.9g, not %.9Lg within %.3Lg", r->whole->name, i,
                         (long long)k, (double)((float *)r->out[i].data)[k], want->at[k].f, want->at[k].err);
        }
    }
    if (jumps * 20 > elements && !r->whole->jumps)
        fail_msg("%s: %lld of %lld elements hang on comparisons", r->whole->name, (long long)jumps,
                 (long long)elements);
}

static void free_run(run *r)
{
    gn_func_free(r->f);
    gn_graph_free(r->b.g);
    gn_arena_free(&r->arena);
}

static void programs_agree_with_the_reference(void **state)
{
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        run r = { .whole = &wholes[i] };
        make_run(&r, *state, GN_F32);
        call(&r);
        if (gn_protect(compare_all, &r)) fail_msg("%s: %s", r.whole->name, gn_message());
        free_run(&r);
    }
}

/* Central differences of step h err by h^2 times the third derivative and by 2^-52 |f| / h: both are below 1e-6 for h =
 * 1e-4 and these sizes. */
static void gradients_agree_with_differences(void **state)
{
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++) {
        run r = { .whole = &wholes[i] };
        double gradient[MOST_INPUTS][MOST_ELEMENTS];
        make_run(&r, *state, GN_F64);
        call(&r);
        for (size_t n = 0; n < r.b.n; n++)
            memcpy(gradient[n], r.out[n + 1].data, (size_t)gn_array_count(&r.in[n]) * sizeof(double));
        for (size_t n = 0; n < r.b.n; n++)
            for (int64_t k = 0; k < gn_array_count(&r.in[n]); k += 1 + gn_array_count(&r.in[n]) / 4) {
                double *const x = (double *)r.in[n].data + k, at = *x, h = 1e-4, up;
                *x = at + h, call(&r), up = *(double *)r.out[0].data;
                *x = at - h, call(&r);
                const double slope_here = (up - *(double *)r.out[0].data) / (2 * h);
                *x = at;
                if (!(fabs(slope_here - gradient[n][k]) <= 1e-6 * (1 + fabs(slope_here))))
                    fail_msg("%s: derivative by element %lld of input %zu is %.9g, differences give %.9g",
                             r.whole->name, (long long)k, n, gradient[n][k], slope_here);
            }
        free_run(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(programs_agree_with_the_reference),
                                        cmocka_unit_test(gradients_agree_with_differences) };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
