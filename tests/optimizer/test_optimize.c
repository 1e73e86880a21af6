/* All passes on whole programs: values stay, the result is a core graph. */
#include "testlib.h"
#include "evaluate.h"
#include "ops/make.h"
#include "optimize.h"
#include "random_graph.h"
#include "splat.h"
#include <gnomon/gnomon.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRAMS = 60 };

static struct gn_core *copy_of(gn_arena *arena, gn_graph *g, gn_exprs in, gn_exprs out)
{
    return gn_graph_copy(arena, g, in, out, (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
}

static gn_expr_list nodes_of(gn_arena *arena, const struct gn_core *core)
{
    return gn_reachable(arena, core->out.n, core->out.at);
}

/* What grouping may rely on. */
static void assert_core_form(gn_arena *arena, const struct gn_core *core)
{
    const gn_expr_list nodes = nodes_of(arena, core);
    for (size_t i = 0; i < nodes.n; i++) {
        const gn_expr *e = nodes.at[i];
        gn_splat v;
        assert_false(e->op->traits & GN_COMPOSITE);
        assert_true(e->op != &gn_op_contract && e->op != &gn_op_argmax && e->op != &gn_op_argmin &&
                    e->op != &gn_op_permute);
        assert_true(e->op != &gn_op_tuple && e->op != &gn_op_proj);
        if (e->op == &gn_op_broadcast) assert_true(e->in[0]->op != &gn_op_broadcast);
        if (gn_splat_of(e, &v))
            assert_true(e->op == &gn_op_constant || (e->op == &gn_op_broadcast && e->in[0]->op == &gn_op_constant));
    }
}

/* ---- values ---- */

typedef struct comparison {
    gn_arena arena;
    const random_graph *r;
    size_t output;           /* position in r->output */
    const char *disable;
    char what[512];
    bool differs;
    int64_t elements, skipped;
} comparison;

static bool is_near(const gn_tensor *a, const gn_tensor *b, int64_t i)
{
    const gn_ref x = a->at[i], y = b->at[i];
    if (!gn_is_float(a->dtype)) return x.i == y.i;
    if (isnan(x.f) && isnan(y.f)) return true;
    return x.f == y.f || fabsl(x.f - y.f) <= x.err + y.err;
}

static void compare(comparison *c, const gn_tensor *a, const gn_tensor *b)
{
    for (int64_t i = 0; i < a->count; i++) {
        c->elements++;
        if (a->at[i].jump || b->at[i].jump || isinf(a->at[i].err) || isinf(b->at[i].err)) {
            c->skipped++;
        } else if (!is_near(a, b, i)) {
            snprintf(c->what, sizeof c->what,
                     "output %zu, element %lld: %.9Lg (%lld, err %.3Lg) became %.9Lg (%lld, err %.3Lg)", c->output,
                     (long long)i, a->at[i].f, (long long)a->at[i].i, a->at[i].err, b->at[i].f, (long long)b->at[i].i,
                     b->at[i].err);
            c->differs = true;
            return;
        }
    }
}

static void run(void *arg)
{
    comparison *c = arg;
    const random_graph *r = c->r;
    struct gn_core *core =
        copy_of(&c->arena, r->g, (gn_exprs){ r->ninputs, r->input }, (gn_exprs){ r->noutputs, r->output });
    gn_optimize(core, &(gn_optimize_options){ .disable = c->disable });
    assert_core_form(&c->arena, core);
    gn_evaluation *before = gn_evaluation_new(&c->arena), *after = gn_evaluation_new(&c->arena);
    for (size_t i = 0; i < r->ninputs; i++) {
        gn_evaluation_set(before, r->input[i], &r->value[i]);
        gn_evaluation_set(after, core->in.at[i], &r->value[i]);
    }
    for (c->output = 0; c->output < r->noutputs && !c->differs; c->output++) {
        const gn_tensor *a = gn_evaluate(before, r->output[c->output]), *b = gn_evaluate(after, core->out.at[c->output]);
        assert_int_equal(a->count, b->count);
        assert_int_equal(a->dtype, b->dtype);
        compare(c, a, b);
    }
    gn_core_free(core);
}

static void random_programs_keep_their_values(void **state)
{
    (void)state;
    const uint64_t seed = test_seed();
    int64_t elements = 0, skipped = 0, refused = 0;
    for (uint64_t i = 0; i < PROGRAMS; i++) {
        random_graph r;
        random_graph_make(&r, seed * 1000 + i);
        comparison c = { .r = &r };
        const gn_status status = gn_protect(run, &c);
        if (status == GN_ESHAPE) refused++; /* its values do not meet its constraints */
        else if (status) fail_msg("program %llu: %s", (unsigned long long)(seed * 1000 + i), gn_message());
        if (c.differs) {
            char *text = gn_graph_print(r.g, (gn_exprs){ r.noutputs, r.output });
            fail_msg("program %llu: %s\n%s", (unsigned long long)(seed * 1000 + i), c.what, text);
        }
        elements += c.elements, skipped += c.skipped;
        gn_arena_free(&c.arena);
        random_graph_free(&r);
    }
    print_message("%lld elements, %lld not comparable, %lld programs refused their values\n", (long long)elements,
                  (long long)skipped, (long long)refused);
    assert_true(elements > 1000 && 2 * refused < PROGRAMS && 5 * skipped < elements);
}

/* Rows of stacks whose parts have one element and two, along either axis, sliced within a part, with steps, and across;
 * two stacks of different parts meet; arithmetic with numbers, a sum that is repeated, and what is no stack. */
static void check_stacks(int axis, const char *take)
{
    static float xs[24], ys[24];
    uint64_t random = test_seed();
    for (int i = 0; i < 24; i++) xs[i] = (float)test_uniform(&random, -1, 1), ys[i] = (float)test_uniform(&random, -1, 1);
    random_graph r = { .g = gn_graph_new(NULL), .ninputs = 2, .noutputs = 3 };
    const int64_t shape[2] = { axis ? 6 : 4, axis ? 4 : 6 };
    gn_expr *x = gn_input(r.g, "x", GN_F32, axis ? "6, 4" : "4, 6"),
            *y = gn_input(r.g, "y", GN_F32, axis ? "6, 4" : "4, 6"), *b = NULL;
    r.input[0] = x, r.input[1] = y;
    r.value[0] = gn_array_of(xs, GN_F32, 2, shape), r.value[1] = gn_array_of(ys, GN_F32, 2, shape);
    for (int step = 0; step < 3; step++) {
        gn_expr *one = gn_slice(x, axis ? ":, :1" : ":1"), *two = gn_slice(x, axis ? ":, 1:3" : "1:3"),
                *last = gn_slice(x, axis ? ":, 3:" : "3:");
        gn_expr *a = gn_concat(GN_EXPRS(gn_sin(one), gn_mul(two, two), gn_add(last, one)), axis);
        gn_expr *repeated = gn_broadcast_to(gn_sum_all(y), axis ? "6, 4" : "4, 6");
        b = gn_concat(GN_EXPRS(gn_cos(two), gn_neg(two)), axis);
        x = gn_where(gn_lt(a, y), gn_add(gn_mul(a, 0.5), repeated),
                     gn_sub(gn_mul(gn_sin(x), a), step == 1 ? b : gn_sin(y)));
    }
    r.output[0] = gn_slice(x, "%s", take), r.output[1] = gn_slice(gn_mul(b, 2.0), "%s", take), r.output[2] = x;
    comparison c = { .r = &r };
    if (gn_protect(run, &c)) fail_msg("%s", gn_message());
    if (c.differs) fail_msg("axis %d, %s: %s", axis, take, c.what);
    assert_true(c.elements >= 36 && c.skipped == 0);
    gn_arena_free(&c.arena);
    gn_graph_free(r.g);
}

static void stacks_that_are_taken_apart_keep_their_values(void **state)
{
    (void)state;
    static const char *const takes[2][6] = { { "0", "1:3", "2", "3:0:-2", "::2", "1:4" },
                                             { ":, 0", ":, 1:3", ":, 2", ":, 3:0:-2", ":, ::2", ":, 1:4" } };
    for (int axis = 0; axis < 2; axis++)
        for (size_t i = 0; i < 6; i++) check_stacks(axis, takes[axis][i]);
}

/* ---- stability ---- */

enum { ROWS = 7 };

typedef struct slope {
    gn_arena arena;
    gn_graph *g;
    gn_expr *z, *t, *loss, *d;
    float zs[ROWS], ts[ROWS];
    const gn_tensor *before, *after;
} slope;

static void evaluate_slope(void *arg)
{
    slope *s = arg;
    const int rank = s->z->type->n;
    const int64_t shape[2] = { rank == 1 ? ROWS : 1, ROWS };
    const gn_array z = gn_array_of(s->zs, GN_F32, rank, shape), t = gn_array_of(s->ts, GN_F32, rank, shape);
    struct gn_core *core = copy_of(&s->arena, s->g, GN_EXPRS(s->z, s->t), GN_EXPRS(s->loss, s->d));
    gn_optimize(core, NULL);
    gn_evaluation *before = gn_evaluation_new(&s->arena), *after = gn_evaluation_new(&s->arena);
    gn_evaluation_set(before, s->z, &z), gn_evaluation_set(before, s->t, &t);
    gn_evaluation_set(after, core->in.at[0], &z), gn_evaluation_set(after, core->in.at[1], &t);
    s->before = gn_evaluate(before, s->d), s->after = gn_evaluate(after, core->out.at[1]);
    assert_true(isfinite(gn_evaluate(after, core->out.at[0])->at[0].f));
    gn_core_free(core);
}

/* The loss as textbooks write it, by log and sigmoid: d loss / d z = sigmoid(z) - t. */
static void logistic_regression_by_the_textbook_has_its_gradient_where_the_sigmoid_is_0(void **state)
{
    (void)state;
    slope s = { .g = gn_graph_new(NULL), .zs = { -200, -95, -1, 0, 2, 95, 200 }, .ts = { 1, 1, 0, 1, 1, 0, 0 } };
    s.z = gn_input(s.g, "z", GN_F32, "%d", ROWS), s.t = gn_input(s.g, "t", GN_F32, "%d", ROWS);
    gn_expr *p = gn_sigmoid(s.z);
    s.loss = gn_neg(gn_sum_all(gn_add(gn_mul(s.t, gn_log(p)), gn_mul(gn_sub(1, s.t), gn_log(gn_sub(1, p))))));
    s.d = gn_grad(s.loss, s.z);
    if (gn_protect(evaluate_slope, &s)) fail_msg("%s", gn_message());
    for (int i = 0; i < ROWS; i++) {
        const double expected = 1 / (1 + exp(-(double)s.zs[i])) - (double)s.ts[i];
        assert_true(fabs((double)s.before->at[i].f - expected) <= 1e-6 &&
                    fabs((double)s.after->at[i].f - expected) <= 1e-6);
    }
    gn_arena_free(&s.arena);
    gn_graph_free(s.g);
}

/* -sum t log softmax(z): d / d z = softmax(z) - t. */
static void the_log_of_a_softmax_has_its_gradient_where_the_softmax_is_0(void **state)
{
    (void)state;
    slope s = { .g = gn_graph_new(NULL), .zs = { -200, 3, -1, 0, 2, 95, 200 }, .ts = { 1, 0, 0, 0, 0, 0, 0 } };
    s.z = gn_input(s.g, "z", GN_F32, "1, %d", ROWS), s.t = gn_input(s.g, "t", GN_F32, "1, %d", ROWS);
    s.loss = gn_neg(gn_sum_all(gn_mul(s.t, gn_log(gn_softmax(s.z, 1)))));
    s.d = gn_grad(s.loss, s.z);
    if (gn_protect(evaluate_slope, &s)) fail_msg("%s", gn_message());
    for (int i = 0; i < ROWS; i++) {
        const double expected = (i == ROWS - 1) - (double)s.ts[i];
        assert_true(fabs((double)s.before->at[i].f - expected) <= 1e-6 &&
                    fabs((double)s.after->at[i].f - expected) <= 1e-6);
    }
    gn_arena_free(&s.arena);
    gn_graph_free(s.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_programs_keep_their_values),
        cmocka_unit_test(stacks_that_are_taken_apart_keep_their_values),
        cmocka_unit_test(logistic_regression_by_the_textbook_has_its_gradient_where_the_sigmoid_is_0),
        cmocka_unit_test(the_log_of_a_softmax_has_its_gradient_where_the_softmax_is_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
