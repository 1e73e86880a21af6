/* The evaluator: sizes, indices, bounds and jumps; whole-value ops against plain loops over random tensors. */
#include "expect.h"
#include "samples.h"
#include <gnomon/gnomon.h>
#include "ops/make.h"
#include "ops/reference.h"
#include "testlib.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- sizes ---- */

typedef struct bound_call {
    gn_expr *y;
    size_t n;
    gn_expr *in[3];
    gn_array value[3];
    gn_arena arena;
    gn_evaluation *v;
    const gn_tensor *result;
} bound_call;

static void run(void *arg)
{
    bound_call *c = arg;
    c->v = gn_evaluation_new(&c->arena);
    for (size_t i = 0; i < c->n; i++) gn_evaluation_set(c->v, c->in[i], &c->value[i]);
    c->result = gn_evaluate(c->v, c->y);
}

static void refuses(bound_call c, gn_status status, const char *part)
{
    assert_int_equal(gn_protect(run, &c), status);
    assert_message_contains(part);
    gn_arena_free(&c.arena);
}

static void sizes_are_bound_and_checked(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    static float data[64];
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = gn_input(g, "y", GN_F32, "m"), *w = gn_input(g, "w", GN_F32, "n, 2*n");
    const gn_array three = GN_VIEW(data, 3), four = GN_VIEW(data, 4), ints = gn_array_1d(data, GN_I32, 3);
    bound_call good = { .y = gn_add(x, y), .n = 2, .in = { x, y }, .value = { three, three } };
    assert_int_equal(gn_protect(run, &good), GN_OK);
    assert_int_equal(good.result->shape[0], 3);
    gn_arena_free(&good.arena);
    refuses((bound_call){ .y = gn_add(x, y), .n = 2, .in = { x, y }, .value = { three, four } }, GN_ESHAPE,
            "test_evaluate.c:");
    refuses((bound_call){ .y = gn_add(x, y), .n = 1, .in = { x }, .value = { three } }, GN_EINVAL,
            "no value was given for a leaf of kind input");
    refuses((bound_call){ .y = x, .n = 1, .in = { x }, .value = { ints } }, GN_ESHAPE,
            "an array of i32 and rank 1 for a leaf of f32 and rank 1");
    refuses((bound_call){ .y = w, .n = 1, .in = { w }, .value = { gn_array_of(data, GN_F32, 2, (int64_t[]){ 3, 5 }) } },
            GN_ESHAPE, "axis 1 has 5 elements, expected 6");
    refuses(
        (bound_call){
            .y = w, .n = 2, .in = { x, w }, .value = { three, gn_array_of(data, GN_F32, 2, (int64_t[]){ 4, 8 }) } },
        GN_ESHAPE, "dim n is bound to 3 and to 4");
    refuses((bound_call){ .y = gn_reshape(x, "p, q"), .n = 1, .in = { x }, .value = { three } }, GN_ESHAPE,
            "names a dim that nothing binds");
    refuses((bound_call){ .y = gn_slice(x, "4:"), .n = 1, .in = { x }, .value = { three } }, GN_ESHAPE,
            "slice \"4:\": extent of axis 0 of the result of x f32 (n) is -1, at least 0 is needed");
    refuses((bound_call){ .y = gn_reshape(x, "n/2, 2"), .n = 1, .in = { x }, .value = { three } }, GN_ESHAPE,
            "reshape \"n/2, 2\": numbers of elements");
    gn_expr *part[2];
    gn_split(x, 0, 2, part);
    refuses((bound_call){ .y = part[0], .n = 1, .in = { x }, .value = { three } }, GN_ESHAPE, "split: numbers of elements");
    gn_expr *huge = gn_broadcast_to(gn_sum_all(x), "4611686018427387904*n, 8");
    refuses((bound_call){ .y = huge, .n = 1, .in = { x }, .value = { three } }, GN_ESHAPE, "overflows");
    refuses((bound_call){ .y = gn_broadcast_to(gn_sum_all(x), "1000000000000*n, 1000000000000"),
                          .n = 1,
                          .in = { x },
                          .value = { three } },
            GN_ENOMEM, "a size overflows");
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_graph_free(g);
}

static void strided_and_empty_arrays_are_read(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    float data[6] = { 1, 2, 3, 4, 5, 6 };
    gn_array t = gn_array_of(data, GN_F32, 2, (int64_t[]){ 3, 2 }), back = gn_array_1d(data + 5, GN_F32, 6),
             none = gn_array_1d(data, GN_F32, 0);
    t.stride[0] = 1, t.stride[1] = 3, back.stride[0] = -1;
    gn_expr *x = gn_input(g, "x", GN_F32, "n, m"), *y = gn_input(g, "y", GN_F32, "k");
    bound_call c = { .y = x, .n = 1, .in = { x }, .value = { t } };
    const float want[6] = { 1, 4, 2, 5, 3, 6 };
    assert_int_equal(gn_protect(run, &c), GN_OK);
    for (int i = 0; i < 6; i++) assert_true(c.result->at[i].f == want[i]);
    bound_call d = { .y = y, .n = 1, .in = { y }, .value = { back } };
    assert_int_equal(gn_protect(run, &d), GN_OK);
    for (int i = 0; i < 6; i++) assert_true(d.result->at[i].f == 6 - i);
    bound_call e = { .y = gn_sum_all(gn_mul(y, y)), .n = 1, .in = { y }, .value = { none } };
    assert_int_equal(gn_protect(run, &e), GN_OK);
    assert_true(e.result->at[0].f == 0 && e.result->at[0].err == 0);
    gn_arena_free(&c.arena), gn_arena_free(&d.arena), gn_arena_free(&e.arena);
    gn_graph_free(g);
}

/* ---- indices ---- */

static void given_indices_are_refused_and_computed_ones_clamped(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    float table[4] = { 10, 20, 30, 40 }, logits[6] = { 0 };
    int32_t bad[3] = { 0, 4, -1 };
    gn_expr *x = gn_input(g, "x", GN_F32, "4"), *i = gn_input(g, "i", GN_I32, "3"), *z = gn_input(g, "z", GN_F32, "3, 2");
    bound_call c = { .n = 3,
                     .in = { x, i, z },
                     .value = { GN_VIEW(table, 4), GN_VIEW(bad, 3), gn_array_of(logits, GN_F32, 2, (int64_t[]){ 3, 2 }) } };
    c.y = gn_take(x, i, 0);
    refuses(c, GN_EINDEX, "index 4 is outside an axis of extent 4");
    c.y = gn_take(x, gn_reshape(gn_cast(i, GN_I64), "3, 1"), 0);
    refuses(c, GN_EINDEX, "index 4 is outside an axis of extent 4");
    c.y = gn_cross_entropy(z, i);
    refuses(c, GN_EINDEX, "index 4 is outside an axis of extent 2");
    c.y = gn_scatter_add(x, i, z = gn_input(g, "u", GN_F32, "3"), 0);
    c.in[2] = z, c.value[2] = GN_VIEW(logits, 3);
    refuses(c, GN_EINDEX, "index 4 is outside an axis of extent 4");
    c.y = gn_take(x, gn_add(i, 0), 0);
    if (gn_protect(run, &c)) fail_msg("%s", gn_message());
    assert_int_equal(c.v->clamped, 2);
    assert_true(c.result->at[0].f == 10 && c.result->at[1].f == 40 && c.result->at[2].f == 10);
    gn_arena_free(&c.arena);
    gn_graph_free(g);
}

/* ---- bounds and jumps ---- */

static void decisions_within_their_bounds_are_jumps(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_div(EXPECT_F32(g, "3", 3, 4, 1), EXPECT_F32(g, "3", 3, 3, 3)); /* inexact, the first near 1 */
    gn_expr *three = gn_mul(x, 3), *i = EXPECT_I32(g, "3", 1, 2, 3);
    assert_true(test_element(gn_floor(gn_mul(gn_exp(EXPECT_F32(g, "1", 0)), 1.5)), 0).jump == false);
    assert_true(test_element(gn_floor(three), 1).jump);             /* 4/3 3 is 4, more or less */
    assert_true(test_element(gn_lt(three, 4), 1).jump);
    assert_true(test_element(gn_eq(three, 4), 1).jump);
    assert_false(test_element(gn_lt(three, 5), 1).jump);
    assert_false(test_element(gn_lt(i, 2), 1).jump);
    assert_true(test_element(gn_cast(three, GN_I32), 1).jump);
    assert_true(test_element(gn_cast(gn_sub(three, 4), GN_BOOL), 1).jump);
    assert_true(test_element(gn_sign(gn_sub(three, 4)), 1).jump);
    assert_true(test_element(gn_argmax(gn_concat(GN_EXPRS(gn_slice(three, "1:2"), EXPECT_F32(g, "1", 4)), 0), 0), 0).jump);
    assert_false(test_element(gn_argmax(x, 0), 0).jump);
    assert_false(test_element(gn_relu(gn_sub(three, 4)), 1).jump);  /* continuous: a bound, no jump */
    gn_expr *near = gn_lt(three, 4);
    assert_true(test_element(gn_select(near, 1.0, 2.0), 1).jump);
    assert_false(test_element(gn_select(near, three, 4), 1).jump);  /* both branches meet there */
    assert_true(test_element(gn_add(gn_cast(near, GN_F32), 1), 1).jump);
    assert_false(test_element(gn_logical_and(near, 0), 1).jump);
    assert_true(test_element(gn_sum_all(gn_cast(near, GN_F32)), 0).jump);
    assert_true(isinf(test_element(gn_log(gn_sub(three, 4)), 1).err)); /* the sign of the operand is open */
    assert_true(isinf(test_element(gn_div(1.0, gn_sub(three, 4)), 1).err));
    gn_graph_free(g);
}

static void overflow_has_no_bound_but_an_infinite_operand_does(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "3", 100, INFINITY, 0);
    const gn_ref over = test_element(gn_exp(x), 0), inf = test_element(gn_exp(x), 1),
                 pole = test_element(gn_div(1.0, x), 2);
    assert_true(isinf(over.f) && isinf(over.err));
    assert_true(isinf(inf.f) && inf.err == 0);
    assert_true(isinf(pole.f) && pole.err == 0);
    gn_graph_free(g);
}

static void nearness_is_judged_by_the_bound_alone(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_arena arena = { 0 };
    const gn_tensor *t = gn_evaluate(gn_evaluation_new(&arena), gn_mul(EXPECT_F32(g, "4", 3, NAN, INFINITY, 3e38f),
                                                                       EXPECT_F32(g, "4", 1.0 / 3, 1, 1, 3)));
    const float close[4] = { 1, NAN, INFINITY, INFINITY }, far[4] = { 1.0000005f, 1, -INFINITY, 1 };
    for (int i = 0; i < 4; i++) {
        assert_true(gn_tensor_near(t, close, i, false));
        assert_false(gn_tensor_near(t, far, i, false));
        assert_int_equal(gn_tensor_near(t, far, i, true), i == 3); /* what overflowed may come out finite after rewriting */
    }
    float out[4];
    gn_tensor_store(t, out);
    assert_true(out[0] == 1 && isnan(out[1]) && isinf(out[2]));
    gn_arena_free(&arena);
    gn_graph_free(g);
}

/* ---- whole values against plain loops ---- */

enum { A = 3, B = 4, C = 5 };

static gn_expr *random_constant(gn_graph *g, const char *shape, size_t n, float *data, uint64_t *random)
{
    double v[A * B * C];
    for (size_t i = 0; i < n; i++) data[i] = (float)test_uniform(random, -2, 2), v[i] = (double)data[i];
    return test_constant(g, GN_F32, shape, n, v);
}

static void check_all(gn_expr *y, const double *want, int n)
{
    for (int i = 0; i < n; i++) {
        const gn_ref r = test_element(y, i);
        if (fabsl(r.f - want[i]) > r.err || r.err > 1e-4L)
            fail_msg("element %d is %Lg, not %g (bound %Lg)", i, r.f, want[i], r.err);
    }
}

static void whole_values_agree_with_loops(void **state)
{
    (void)state;
    uint64_t random = test_seed();
    gn_graph *g = gn_graph_new(NULL);
    float x[A * B * C], w[C * B];
    double want[A * B * C];
    gn_expr *ex = random_constant(g, "3, 4, 5", A * B * C, x, &random), *ew = random_constant(g, "5, 4", C * B, w, &random);
#define X(i, j, k) (double)x[((i) * B + (j)) * C + (k)]
    for (int i = 0; i < A; i++)
        for (int k = 0; k < C; k++) {
            want[i * C + k] = 0;
            for (int j = 0; j < B; j++) want[i * C + k] += X(i, j, k);
        }
    check_all(gn_sum(ex, GN_AXES(1)), want, A * C);
    for (int j = 0; j < B; j++) {
        want[j] = 1;
        for (int i = 0; i < A; i++)
            for (int k = 0; k < C; k++) want[j] *= X(i, j, k);
    }
    check_all(gn_prod(ex, GN_AXES(0, 2)), want, B);
    for (int k = 0; k < C; k++)
        for (int i = 0; i < A; i++)
            for (int j = 0; j < B; j++) want[(k * A + i) * B + j] = X(i, j, k);
    check_all(gn_permute(ex, GN_AXES(2, 0, 1)), want, A * B * C);
    for (int i = 0; i < A; i++)
        for (int j = 0; j < B; j++)
            for (int m = 0; m < B; m++) {
                double s = 0;
                for (int k = 0; k < C; k++) s += X(i, j, k) * (double)w[k * B + m];
                want[(i * B + j) * B + m] = s;
            }
    check_all(gn_matmul(ex, ew), want, A * B * B);
    for (int i = 0; i < A; i++) {
        double s = 0;
        for (int j = 0; j < B; j++)
            for (int k = 0; k < C; k++) s += X(i, j, k) * (double)w[k * B + j];
        want[i] = s;
    }
    check_all(gn_einsum("ijk,kj->i", ex, ew), want, A);
    for (int i = 0; i < A; i++)
        for (int j = 0; j < 2; j++)
            for (int k = 0; k < 3; k++) want[(i * 2 + j) * 3 + k] = X(A - 1 - i, 1 + j, 2 * k);
    check_all(gn_slice(ex, "::-1, 1:3, ::2"), want, A * 2 * 3);
    gn_graph_free(g);
}

/* pad and slice undo each other, with steps too; take of an iota is the tensor; concat of the parts is the whole. */
static void opposites_cancel(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *part[3];
    EXPECT(gn_slice(gn_pad(x, 9, "1:2, :3"), "1:-2, :-3"), "f32 (2, 3)", 1, 2, 3, 4, 5, 6);
    EXPECT(gn_take(x, gn_iota(g, GN_I32, 0, "3"), 1), "f32 (2, 3)", 1, 2, 3, 4, 5, 6);
    EXPECT(gn_scatter_add(gn_full(g, GN_F32, 0, "2, 3"), gn_iota(g, GN_I64, 0, "2"), x, 0), "f32 (2, 3)", 1, 2, 3, 4, 5, 6);
    gn_split(x, 1, 3, part);
    EXPECT(gn_concat(GN_EXPRS(part[0], part[1], part[2]), 1), "f32 (2, 3)", 1, 2, 3, 4, 5, 6);
    gn_graph_free(g);
}

typedef struct evaluating {
    gn_expr *e;
    gn_arena arena;
} evaluating;

static void evaluate(void *arg)
{
    evaluating *const v = arg;
    gn_evaluate(gn_evaluation_new(&v->arena), v->e);
}

static void an_expression_that_failed_has_no_value(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    evaluating v = { .e = gn_tanh(gn_input(g, "1", GN_F32, "3")) };
    assert_int_equal(gn_protect(evaluate, &v), GN_EINVAL);
    assert_message_contains("an expression that failed to build");
    gn_arena_free(&v.arena);
    gn_graph_free(g);
}

/* Not by way of long double, where 1 + 2^-53 + 2^-78 is a tie. The machine's own f64 arithmetic is the truth. */
static void f64_arithmetic_is_rounded_once(void **state)
{
    (void)state;
    const gn_op_info *const ops[] = { &gn_op_add, &gn_op_sub, &gn_op_mul, &gn_op_div, &gn_op_sqrt };
    uint64_t seed = test_seed();
    for (int i = 0; i < 200000; i++) {
        const double a = i ? ldexp(test_uniform(&seed, 0.5, 1), (int)(test_random(&seed) % 120) - 60) : 1;
        const double b = i ? ldexp(test_uniform(&seed, 0.5, 1), (int)(test_random(&seed) % 120) - 60) : 0x1p-53 + 0x1p-78;
        const double want[] = { a + b, a - b, a * b, a / b, sqrt(a) };
        const gn_ref in[2] = { { .dtype = GN_F64, .f = a }, { .dtype = GN_F64, .f = b } };
        for (int k = 0; k < 5; k++) {
            gn_ref out = { .dtype = GN_F64 };
            ops[k]->eval(&out, in, NULL);
            gn_ref_finish(&out);
            if ((double)out.f != want[k])
                fail_msg("%s of %a and %a is %a, not %a", ops[k]->name, a, b, (double)out.f, want[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_bound_and_checked),
        cmocka_unit_test(strided_and_empty_arrays_are_read),
        cmocka_unit_test(given_indices_are_refused_and_computed_ones_clamped),
        cmocka_unit_test(decisions_within_their_bounds_are_jumps),
        cmocka_unit_test(overflow_has_no_bound_but_an_infinite_operand_does),
        cmocka_unit_test(nearness_is_judged_by_the_bound_alone),
        cmocka_unit_test(whole_values_agree_with_loops),
        cmocka_unit_test(opposites_cancel),
        cmocka_unit_test(an_expression_that_failed_has_no_value),
        cmocka_unit_test(f64_arithmetic_is_rounded_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
