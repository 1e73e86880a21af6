/* Composites against their formulas, the generator against its authors' vectors, random numbers against their
 * distributions. */
#include "expect.h"
#include <gnomon/gnomon.h>
#include "ops/make.h"
#include "testlib.h"
#include <math.h>
#include <string.h>

static void activations(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "4", -2, -0.5, 0, 3), *i = EXPECT_I32(g, "2", -3, 4);
    EXPECT(gn_relu(x), "f32 (4)", 0, 0, 0, 3);
    EXPECT(gn_relu(i), "i32 (2)", 0, 4);
    EXPECT(gn_leaky_relu(x, 0.125), "f32 (4)", -0.25, -0.0625, 0, 3);
    EXPECT(gn_square(x), "f32 (4)", 4, 0.25, 0, 9);
    EXPECT(gn_gelu(x), "f32 (4)", -erfc(sqrt(2.0)), -0.25 * erfc(0.5 / sqrt(2.0)), 0, 1.5 * (1 + erf(3 / sqrt(2.0))));
    EXPECT(gn_silu(x), "f32 (4)", -2 / (1 + exp(2)), -0.5 / (1 + exp(0.5)), 0, 3 / (1 + exp(-3)));
    EXPECT(gn_clip(x, -1, 1.5), "f32 (4)", -1, -0.5, 0, 1.5);
    EXPECT(gn_clip(x, gn_neg(gn_abs(x)), 0), "f32 (4)", -2, -0.5, 0, 0);
    EXPECT(gn_relu(EXPECT_F32(g, "1", NAN)), "f32 (1)", NAN);
    gn_graph_free(g);
}

static void rows_of_any_size_have_their_softmax(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    const double s = exp(-1) + exp(0) + exp(-3), big = 1000;
    gn_expr *x = EXPECT_F32(g, "3", 1, 2, -1), *large = EXPECT_F32(g, "2, 2", big, big, -big, big),
            *column = gn_reshape(x, "3, 1");
    EXPECT(gn_softmax(x, 0), "f32 (3)", exp(-1) / s, 1 / s, exp(-3) / s);
    EXPECT(gn_softmax(column, -2), "f32 (3, 1)", exp(-1) / s, 1 / s, exp(-3) / s);
    EXPECT(gn_softmax(column, 1), "f32 (3, 1)", 1, 1, 1);
    EXPECT(gn_log_softmax(x, 0), "f32 (3)", -1 - log(s), -log(s), -3 - log(s));
    EXPECT(gn_log_sum_exp(x, -1), "f32 ()", 2 + log(s));
    EXPECT(gn_softmax(large, 1), "f32 (2, 2)", 0.5, 0.5, 0, 1);
    EXPECT(gn_log_softmax(large, 1), "f32 (2, 2)", -log(2), -log(2), -2 * big, 0);
    EXPECT(gn_log_sum_exp(large, 1), "f32 (2)", big + log(2), big);
    EXPECT(gn_log_sum_exp(EXPECT_F32(g, "3, 2", -INFINITY, -INFINITY, INFINITY, 0, -INFINITY, 5), 1), "f32 (3)", -INFINITY,
           INFINITY, 5);
    EXPECT(gn_softmax(EXPECT_I32(g, "2", 3, 3), 0), "f32 (2)", 0.5, 0.5);
    EXPECT_NOTHING(gn_softmax(EXPECT_F32(g, "0, 3", 0), 1), "f32 (0, 3)");
    EXPECT(gn_log_sum_exp(EXPECT_F32(g, "2, 0", 0), 1), "f32 (2)", -INFINITY, -INFINITY);
    EXPECT_ERROR(gn_softmax(x, 1), GN_EAXIS, "softmax: axis 1 of a tensor of rank 1");
    EXPECT_ERROR(gn_log_softmax(x, -2), GN_EAXIS, "log_softmax: axis -2");
    EXPECT_ERROR(gn_log_sum_exp(x, 3), GN_EAXIS, "log_sum_exp: axis 3");
    gn_graph_free(g);
}

static void cross_entropy_is_exact_where_the_loss_is_small(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "3, 2", 0, 0, 10, -5, 1000, -1000), *t = EXPECT_I32(g, "3", 1, 0, 1), *nothing = NULL;
    EXPECT(gn_cross_entropy(x, t), "f32 (3)", log(2), log1p(exp(-15)), 2000);
    const double tiny = (double)test_element(gn_cross_entropy(gn_cast(x, GN_F64), t), 1)
                            .f; /* log(1 + e^-15) to 9 digits: no logit is subtracted from a large number */
    assert_true(fabs(tiny / log1p(exp(-15)) - 1) < 1e-9);
    EXPECT(gn_cross_entropy(gn_slice(x, "0"), gn_slice(t, "0")), "f32 ()", log(2));
    EXPECT(gn_cross_entropy(EXPECT_I32(g, "1, 2", 1, 1), EXPECT_OF(g, GN_I64, "1", 0)), "f32 (1)", log(2));
    EXPECT_ERROR(gn_cross_entropy(x, x), GN_EDTYPE, "cross_entropy: labels are f32, not integers");
    EXPECT_ERROR(gn_cross_entropy(x, gn_reshape(t, "3, 1")), GN_ESHAPE,
                 "cross_entropy: labels have rank 2, expected one less");
    EXPECT_ERROR(gn_cross_entropy(x, gn_slice(t, "1:")), GN_ESHAPE, "cross_entropy: extents differ: 3 and 2");
    EXPECT_ERROR(gn_cross_entropy(x, nothing), GN_EINVAL, "cross_entropy: operand 2 is NULL");
    gn_graph_free(g);
}

static void layer_norm_centers_and_scales_the_last_axis(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 4", 1, 2, 3, 4, -10, 10, -10, 10), *scale = EXPECT_F32(g, "4", 1, 2, 3, 4),
            *nothing = NULL;
    const double a = 1.5 / sqrt(1.25), b = 0.5 / sqrt(1.25);
    EXPECT(gn_layer_norm(x, 1, 0, 0), "f32 (2, 4)", -a, -b, b, a, -1, 1, -1, 1);
    EXPECT(gn_layer_norm(x, scale, 10, 0), "f32 (2, 4)", 10 - a, 10 - 2 * b, 10 + 3 * b, 10 + 4 * a, 9, 12, 7, 14);
    EXPECT(gn_layer_norm(x, 2.0, 1, 300), "f32 (2, 4)", 1 - 3 / sqrt(301.25), 1 - 1 / sqrt(301.25), 1 + 1 / sqrt(301.25),
           1 + 3 / sqrt(301.25), 0, 2, 0, 2);
    EXPECT(gn_layer_norm(EXPECT_F32(g, "2, 1", 5, 6), 1, 0, 1e-5), "f32 (2, 1)", 0, 0);
    EXPECT_NOTHING(gn_layer_norm(EXPECT_F32(g, "0, 4", 0), 1, 0, 1e-5), "f32 (0, 4)");
    EXPECT_ERROR(gn_layer_norm(gn_sum_all(x), 1, 0, 1e-5), GN_ESHAPE, "layer_norm: a scalar has no last axis");
    EXPECT_ERROR(gn_layer_norm(x, x, 0, 1e-5), GN_ESHAPE, "layer_norm: operand 2 has rank 2, expected (n) or a number");
    EXPECT_ERROR(gn_layer_norm(x, 1, gn_slice(scale, "1:"), 1e-5), GN_ESHAPE, "layer_norm: extents differ: 3 and 4");
    EXPECT_ERROR(gn_layer_norm(x, 1, nothing, 1e-5), GN_EINVAL, "layer_norm: operand 3 is NULL");
    EXPECT_ERROR(gn_layer_norm(x, 1, 0, -1), GN_EINVAL, "layer_norm: epsilon is -1, expected at least 0");
    gn_graph_free(g);
}

/* ---- philox ---- */

typedef struct words_call {
    gn_expr *in[6];
} words_call;

static gn_expr *philox_body(gn_graph *g, void *arg)
{
    words_call *c = arg;
    gn_expr *const t = gn_node(g, &gn_op_philox, c->in, 6, NULL), *w[4];
    for (int i = 0; i < 4; i++) w[i] = gn_make_proj(g, t, i);
    return gn_make_concat(g, w, 4, 0);
}

/* kat_vectors of the Random123 library, philox4x32 10: counter, key, result. */
static void philox_gives_the_published_vectors(void **state)
{
    (void)state;
    static const uint32_t row[3][10] = { { 0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 },
                                         { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff,
                                           0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd },
                                         { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0,
                                           0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } };
    for (int r = 0; r < 3; r++) {
        gn_graph *g = gn_graph_new(NULL);
        words_call c;
        for (int i = 0; i < 6; i++)
            c.in[i] = EXPECT_OF(g, GN_U32, "1", row[r][i < 2 ? 4 + i : i - 2]); /* operands: key, then counter */
        gn_expr *w = gn_build(GN_HERE, g, philox_body, &c);
        EXPECT(w, "u32 (4)", row[r][6], row[r][7], row[r][8], row[r][9]);
        gn_graph_free(g);
    }
}

/* ---- distributions ---- */

enum { COUNT = 20000 };

typedef struct draw_call {
    gn_expr *y;
    double *out;
} draw_call;

static void draw(void *arg)
{
    draw_call *c = arg;
    gn_arena arena = { 0 };
    const gn_tensor *t = gn_evaluate(gn_evaluation_new(&arena), c->y);
    assert_int_equal(t->count, COUNT);
    for (int i = 0; i < COUNT; i++) c->out[i] = gn_is_float(t->dtype) ? (double)t->at[i].f : (double)t->at[i].i;
    gn_arena_free(&arena);
}

static void moments(gn_expr *y, double *mean, double *var, double *low, double *high)
{
    static double x[COUNT];
    draw_call c = { y, x };
    if (gn_protect(draw, &c)) fail_msg("%s", gn_message());
    *mean = *var = 0, *low = INFINITY, *high = -INFINITY;
    for (int i = 0; i < COUNT; i++) *mean += x[i] / COUNT, *low = fmin(*low, x[i]), *high = fmax(*high, x[i]);
    for (int i = 0; i < COUNT; i++) *var += (x[i] - *mean) * (x[i] - *mean) / COUNT;
}

/* Four standard errors: one false alarm in 16,000, and the numbers never change. */
static void random_numbers_have_their_moments(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    double m, v, low, high;
    const gn_dtype t[2] = { GN_F32, GN_F64 };
    for (int i = 0; i < 2; i++) {
        moments(gn_uniform(g, "u", 1, t[i], "200, 100"), &m, &v, &low, &high);
        assert_true(low >= 0 && low < 0.001 && high < 1 && high > 0.999);
        assert_true(fabs(m - 0.5) < 4 * sqrt(1.0 / 12 / COUNT) && fabs(v - 1.0 / 12) < 0.003);
        moments(gn_normal(g, "u", 1, t[i], "%d", COUNT), &m, &v, &low, &high);
        assert_true(fabs(m) < 4 / sqrt(COUNT) && fabs(v - 1) < 4 * sqrt(2.0 / COUNT));
        assert_true(low < -3.3 && low > -6 && high > 3.3 && high < 6);
    }
    moments(gn_bernoulli(g, "b", 1, 0.2, "100, 200"), &m, &v, &low, &high);
    assert_true(fabs(m - 0.2) < 4 * sqrt(0.16 / COUNT));
    moments(gn_bernoulli(g, "b", 1, 0, "100, 200"), &m, &v, &low, &high);
    assert_true(m == 0);
    moments(gn_bernoulli(g, "b", 1, 1, "100, 200"), &m, &v, &low, &high);
    assert_true(m > 1 - 1e-9);
    moments(gn_dropout(gn_full(g, GN_F32, 3, "100, 200"), 0.25, "d", 7), &m, &v, &low, &high);
    assert_true(low == 0 && fabs(high - 4) < 1e-6 && fabs(m - 3) < 4 * sqrt(16 * 0.1875 / COUNT));
    moments(gn_dropout(gn_full(g, GN_F32, INFINITY, "100, 200"), 1, "e", 7), &m, &v, &low, &high);
    assert_true(low == 0 && high == 0);
    gn_graph_free(g);
}

static bool same(gn_expr *a, gn_expr *b)
{
    static double x[COUNT], y[COUNT];
    draw_call c = { a, x }, d = { b, y };
    if (gn_protect(draw, &c) || gn_protect(draw, &d)) fail_msg("%s", gn_message());
    return memcmp(x, y, sizeof x) == 0;
}

static void seed_scope_name_and_step_decide_the_numbers_and_nothing_else(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL), *h = gn_graph_new(NULL), *k = gn_graph_new(NULL);
    gn_input(h, "x", GN_F32, "n"); /* other nodes before it change nothing */
    gn_expr *u = gn_uniform(g, "u", 1, GN_F32, "200, 100");
    assert_true(same(u, gn_uniform(h, "u", 1, GN_F32, "200, 100")));
    assert_ptr_equal(u, gn_uniform(g, "u", 1, GN_F32, "200, 100"));
    assert_false(same(u, gn_uniform(g, "u", 2, GN_F32, "200, 100")));
    assert_false(same(u, gn_uniform(g, "u", 4294967297, GN_F32, "200, 100")));
    assert_false(same(u, gn_uniform(g, "v", 1, GN_F32, "200, 100")));
    assert_true(same(u, gn_uniform(g, "u", EXPECT_I32(g, "()", 1), GN_F32, "200, 100")));
    gn_scope_push(g, "s");
    assert_false(same(u, gn_uniform(g, "u", 1, GN_F32, "200, 100")));
    gn_scope_pop(g);
    gn_graph_seed(k, 1);
    assert_false(same(u, gn_uniform(k, "u", 1, GN_F32, "200, 100")));
    gn_graph_free(g), gn_graph_free(h), gn_graph_free(k);
}

static void random_builders_refuse(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2", 1, 2), *nothing = NULL;
    EXPECT_ERROR(gn_uniform(g, "", 1, GN_F32, "2"), GN_EINVAL, "uniform: an empty name");
    EXPECT_ERROR(gn_uniform(g, NULL, 1, GN_F32, "2"), GN_EINVAL, "uniform: an empty name");
    EXPECT_ERROR(gn_uniform(g, "u", 1.5, GN_F32, "2"), GN_EDTYPE, "uniform: step is a fraction, not an integer");
    EXPECT_ERROR(gn_uniform(g, "u", gn_sum_all(x), GN_F32, "2"), GN_EDTYPE, "uniform: step is f32, not an integer");
    EXPECT_ERROR(gn_normal(g, "u", gn_cast(x, GN_I32), GN_F32, "2"), GN_ESHAPE,
                 "normal: step has rank 1, expected a scalar");
    EXPECT_ERROR(gn_normal(g, "u", nothing, GN_F32, "2"), GN_EINVAL, "normal: operand 1 is NULL");
    EXPECT_ERROR(gn_normal(g, "u", 1, GN_I32, "2"), GN_EDTYPE, "normal: the dtype is not floating");
    EXPECT_ERROR(gn_normal(g, "u", 1, GN_F32, "-2"), GN_ESHAPE, "normal: an extent of -2");
    EXPECT_ERROR(gn_bernoulli(g, "u", 1, 1.5, "2"), GN_EINVAL, "bernoulli: a probability of 1.5");
    EXPECT_ERROR(gn_dropout(x, -0.5, "d", 1), GN_EINVAL, "dropout: a probability of -0.5");
    EXPECT_ERROR(gn_dropout(x, (double)NAN, "d", 1), GN_EINVAL, "dropout: a probability of");
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations),
        cmocka_unit_test(rows_of_any_size_have_their_softmax),
        cmocka_unit_test(cross_entropy_is_exact_where_the_loss_is_small),
        cmocka_unit_test(layer_norm_centers_and_scales_the_last_axis),
        cmocka_unit_test(philox_gives_the_published_vectors),
        cmocka_unit_test(random_numbers_have_their_moments),
        cmocka_unit_test(seed_scope_name_and_step_decide_the_numbers_and_nothing_else),
        cmocka_unit_test(random_builders_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
