/* Derivatives: every builder against central differences, both modes against each other, and the places where calculus
 * has a choice. */
#include "grad_recipe.h"
#include "gradcheck.h"
#include "ops/make.h"

typedef struct sample {
    const char *name;
    gn_expr *(*build)(gn_graph *, gn_expr *const *x);
    const char *shape[3];    /* of the floating inputs; "i:" before one: integers below 3 */
    double low, high;
} sample;

#define F(name, expression) \
    static gn_expr *name(gn_graph *g, gn_expr *const *x) \
    { \
        (void)g; \
        return (expression); \
    }
F(b_add, gn_add(x[0], x[1]))
F(b_sub, gn_sub(x[0], x[1]))
F(b_mul, gn_mul(x[0], x[1]))
F(b_div, gn_div(x[0], x[1]))
F(b_mod, gn_mod(x[0], x[1]))
F(b_pow, gn_pow(x[0], x[1]))
F(b_maximum, gn_maximum(x[0], x[1]))
F(b_minimum, gn_minimum(x[0], x[1]))
F(b_neg, gn_neg(x[0]))
F(b_abs, gn_abs(x[0]))
F(b_sign, gn_mul(x[0], gn_sign(x[0])))
F(b_square, gn_square(x[0]))
F(b_floor, gn_add(gn_floor(x[0]), gn_mul(x[0], gn_ceil(x[0]))))
F(b_round, gn_add(gn_round(x[0]), gn_mul(x[0], gn_trunc(x[0]))))
F(b_clip, gn_clip(x[0], -0.5, 0.5))
F(b_sqrt, gn_sqrt(x[0]))
F(b_rsqrt, gn_rsqrt(x[0]))
F(b_exp, gn_exp(x[0]))
F(b_expm1, gn_expm1(x[0]))
F(b_log, gn_log(x[0]))
F(b_log1p, gn_log1p(x[0]))
F(b_sin, gn_sin(x[0]))
F(b_cos, gn_cos(x[0]))
F(b_tanh, gn_tanh(x[0]))
F(b_sigmoid, gn_sigmoid(x[0]))
F(b_softplus, gn_softplus(x[0]))
F(b_erf, gn_erf(x[0]))
F(b_relu, gn_relu(x[0]))
F(b_leaky_relu, gn_leaky_relu(x[0], 0.1))
F(b_gelu, gn_gelu(x[0]))
F(b_silu, gn_silu(x[0]))
F(b_select, gn_select(gn_gt(x[0], x[1]), gn_square(x[0]), gn_sin(x[1])))
F(b_cast, gn_cast(gn_mul(x[0], gn_cast(gn_gt(x[0], 0.0), GN_F64)), GN_F64))
F(b_sum, gn_sum(x[0], GN_AXES(0, -1)))
F(b_sum_one, gn_sum(x[0], GN_AXES(1)))
F(b_prod, gn_prod(x[0], GN_AXES(1)))
F(b_prod_all, gn_prod_all(x[0]))
F(b_max, gn_max(x[0], GN_AXES(0)))
F(b_min, gn_min(x[0], GN_AXES(-1)))
F(b_max_all, gn_max_all(x[0]))
F(b_mean, gn_mean(x[0], GN_AXES(0, 2)))
F(b_var, gn_var(x[0], GN_AXES(1)))
F(b_var_all, gn_var_all(x[0]))
F(b_log_sum_exp, gn_log_sum_exp(x[0], 1))
F(b_reshape, gn_reshape(gn_square(x[0]), "2, 6"))
F(b_permute, gn_permute(gn_square(x[0]), GN_AXES(2, 0, 1)))
F(b_transpose, gn_transpose(x[0]))
F(b_broadcast, gn_broadcast_to(x[0], "5, 3, 4"))
F(b_broadcast_inner, gn_mul(gn_expand(x[0], GN_AXES(1)), gn_expand(x[1], GN_AXES(0))))
F(b_squeeze, gn_squeeze(gn_square(x[0]), GN_AXES(0)))
F(b_slice, gn_slice(x[0], "1:, ::2"))
F(b_slice_back, gn_slice(x[0], "1, ::-1"))
F(b_pad, gn_pad(x[0], gn_sum_all(x[1]), "1:2, 0:1"))
F(b_flip, gn_flip(gn_square(x[0]), GN_AXES(0)))
F(b_concat, gn_concat(GN_EXPRS(x[0], x[1], x[0]), 0))
F(b_stack, gn_stack(GN_EXPRS(x[0], gn_square(x[1])), 1))
F(b_matmul, gn_matmul(x[0], x[1]))
F(b_dot, gn_dot(x[0], x[1]))
F(b_outer, gn_outer(x[0], x[1]))
F(b_einsum, gn_einsum("bik,kjb->ij", x[0], x[1]))
F(b_take, gn_take(x[0], x[1], 0))
F(b_take_inner, gn_take(x[0], x[1], 1))
F(b_scatter_add, gn_scatter_add(x[0], x[2], gn_square(x[1]), 0))
F(b_softmax, gn_softmax(x[0], -1))
F(b_softmax_first, gn_softmax(x[0], 0))
F(b_log_softmax, gn_log_softmax(x[0], 1))
F(b_cross_entropy, gn_cross_entropy(x[0], x[1]))
F(b_layer_norm, gn_layer_norm(x[0], x[1], x[2], 1e-5))
F(b_dropout, gn_dropout(x[0], 0.5, "mask", 3))
F(b_network, gn_mean_all(gn_cross_entropy(gn_matmul(gn_tanh(gn_add(gn_matmul(x[0], x[1]), 0.1)), gn_transpose(x[1])),
                                          gn_iota(g, GN_I32, 0, "3"))))

static const sample samples[] = {
    { "add", b_add, { "2, 3", "3" }, -2, 2 },
    { "sub", b_sub, { "3", "2, 3" }, -2, 2 },
    { "mul", b_mul, { "2, 1", "2, 3" }, -2, 2 },
    { "div", b_div, { "2, 3", "()" }, 0.5, 2 },
    { "mod", b_mod, { "2, 3", "3" }, 1.1, 1.9 },
    { "pow", b_pow, { "2, 3", "3" }, 0.5, 3 },
    { "maximum", b_maximum, { "2, 3", "2, 3" }, -2, 2 },
    { "minimum", b_minimum, { "2, 3", "3" }, -2, 2 },
    { "neg", b_neg, { "3" }, -2, 2 },
    { "abs", b_abs, { "7" }, -2, 2 },
    { "sign", b_sign, { "7" }, -2, 2 },
    { "square", b_square, { "7" }, -2, 2 },
    { "floor, ceil", b_floor, { "7" }, 0.1, 0.9 },
    { "round, trunc", b_round, { "7" }, 0.6, 0.9 },
    { "clip", b_clip, { "9" }, -1, 1 },
    { "sqrt", b_sqrt, { "5" }, 0.5, 3 },
    { "rsqrt", b_rsqrt, { "5" }, 0.5, 3 },
    { "exp", b_exp, { "5" }, -2, 2 },
    { "expm1", b_expm1, { "5" }, -2, 2 },
    { "log", b_log, { "5" }, 0.5, 3 },
    { "log1p", b_log1p, { "5" }, -0.5, 3 },
    { "sin", b_sin, { "5" }, -4, 4 },
    { "cos", b_cos, { "5" }, -4, 4 },
    { "tanh", b_tanh, { "5" }, -2, 2 },
    { "sigmoid", b_sigmoid, { "5" }, -3, 3 },
    { "softplus", b_softplus, { "5" }, -3, 3 },
    { "erf", b_erf, { "5" }, -2, 2 },
    { "relu", b_relu, { "9" }, -1, 1 },
    { "leaky_relu", b_leaky_relu, { "9" }, -1, 1 },
    { "gelu", b_gelu, { "9" }, -3, 3 },
    { "silu", b_silu, { "9" }, -3, 3 },
    { "select", b_select, { "9", "9" }, -2, 2 },
    { "cast", b_cast, { "9" }, -2, 2 },
    { "sum", b_sum, { "2, 3, 2" }, -2, 2 },
    { "sum of one axis", b_sum_one, { "2, 3, 2" }, -2, 2 },
    { "sum over nothing", b_sum_one, { "2, 0, 2" }, -2, 2 },
    { "prod", b_prod, { "2, 4" }, -2, 2 },
    { "prod_all", b_prod_all, { "2, 2" }, -2, 2 },
    { "max", b_max, { "3, 4" }, -2, 2 },
    { "min", b_min, { "3, 4" }, -2, 2 },
    { "max_all", b_max_all, { "3, 4" }, -2, 2 },
    { "mean", b_mean, { "2, 3, 2" }, -2, 2 },
    { "var", b_var, { "2, 3, 2" }, -2, 2 },
    { "var_all", b_var_all, { "2, 3" }, -2, 2 },
    { "log_sum_exp", b_log_sum_exp, { "2, 4" }, -3, 3 },
    { "reshape", b_reshape, { "3, 4" }, -2, 2 },
    { "permute", b_permute, { "2, 3, 2" }, -2, 2 },
    { "transpose", b_transpose, { "2, 3" }, -2, 2 },
    { "broadcast", b_broadcast, { "3, 1" }, -2, 2 },
    { "broadcast of inner axes", b_broadcast_inner, { "3", "4" }, -2, 2 },
    { "squeeze", b_squeeze, { "1, 3" }, -2, 2 },
    { "slice", b_slice, { "3, 5" }, -2, 2 },
    { "slice backwards", b_slice_back, { "3, 5" }, -2, 2 },
    { "pad", b_pad, { "2, 3", "2" }, -2, 2 },
    { "flip", b_flip, { "3, 2" }, -2, 2 },
    { "concat", b_concat, { "2, 3", "1, 3" }, -2, 2 },
    { "stack", b_stack, { "2, 3", "2, 3" }, -2, 2 },
    { "matmul", b_matmul, { "2, 3", "3, 4" }, -2, 2 },
    { "matmul, batched and broadcast", b_matmul, { "2, 2, 3", "3, 2" }, -2, 2 },
    { "matmul of a row", b_matmul, { "3", "3, 2" }, -2, 2 },
    { "matmul and a column", b_matmul, { "2, 3", "3" }, -2, 2 },
    { "dot", b_dot, { "4", "4" }, -2, 2 },
    { "outer", b_outer, { "3", "4" }, -2, 2 },
    { "einsum", b_einsum, { "2, 3, 2", "2, 3, 2" }, -2, 2 },
    { "take", b_take, { "3, 2", "i:4" }, -2, 2 },
    { "take of an inner axis", b_take_inner, { "2, 3", "i:2, 2" }, -2, 2 },
    { "scatter_add", b_scatter_add, { "3, 2", "4, 2", "i:4" }, -2, 2 },
    { "softmax", b_softmax, { "2, 4" }, -3, 3 },
    { "softmax of the first axis", b_softmax_first, { "3, 2" }, -3, 3 },
    { "log_softmax", b_log_softmax, { "2, 4" }, -3, 3 },
    { "cross_entropy", b_cross_entropy, { "4, 3", "i:4" }, -3, 3 },
    { "layer_norm", b_layer_norm, { "2, 4", "4", "4" }, -2, 2 },
    { "dropout", b_dropout, { "12" }, -2, 2 },
    { "a network with shared weights", b_network, { "3, 3", "3, 4" }, -1, 1 },
};

/* Values that keep a distance of 0.001 from each other and from the kinks at halves. */
static void draw(problem *p, size_t i, const char *shape, double low, double high, uint64_t *seed)
{
    static const char *const names[3] = { "x", "y", "z" };
    int64_t extent[GN_MAX_RANK];
    int rank = 0;
    const bool integer = strncmp(shape, "i:", 2) == 0;
    const char *at = integer ? shape + 2 : shape;
    for (char *end; strcmp(at, "()") && *at; rank++) {
        extent[rank] = strtoll(at, &end, 10);
        at = *end ? end + 2 : end;
    }
    const gn_dtype dtype = integer ? GN_I64 : GN_F64;
    p->value[i] = gn_array_of(integer ? (void *)p->integer[i] : (void *)p->number[i], dtype, rank, extent);
    for (int64_t k = 0; k < gn_array_count(&p->value[i]); k++) {
        p->integer[i][k] = (int64_t)(test_random(seed) % 3);
        p->number[i][k] =
            floor(test_uniform(seed, low, high) * 100) / 100 + 0.001 * (double)(k % 4 + 1 + 4 * (int64_t)i % 7);
    }
    p->x[i] = gn_input(p->g, names[i], dtype, "%s", integer ? shape + 2 : shape);
}

static void begin(problem *p, const sample *s, uint64_t *seed)
{
    *p = (problem){ .g = gn_graph_new(NULL) };
    for (; p->n < 3 && s->shape[p->n]; p->n++) draw(p, p->n, s->shape[p->n], s->low, s->high, seed);
}

static void every_builder_agrees_with_central_differences(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        problem p;
        begin(&p, &samples[i], &seed);
        check_derivatives(&p, samples[i].name, samples[i].build(p.g, p.x), &seed, 1e-6);
        gn_graph_free(p.g);
    }
}

/* The gradient of sum(y^2 / 2) is a function like any other: its own derivatives are second derivatives. */
static void second_derivatives_agree_too(void **state)
{
    (void)state;
    static const char *const names[] = {
        "mul",  "div",         "pow",     "tanh",        "sigmoid",       "softplus",
        "gelu", "log_sum_exp", "softmax", "log_softmax", "cross_entropy", "layer_norm",
        "prod", "matmul",      "take",    "concat",      "var",           "a network with shared weights"};
    uint64_t seed = test_seed();
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        bool chosen = false;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) chosen |= strcmp(names[k], samples[i].name) == 0;
        if (!chosen) continue;
        problem p;
        begin(&p, &samples[i], &seed);
        gn_expr *y = samples[i].build(p.g, p.x);
        gn_expr *first = gn_grad(gn_mul(gn_sum_all(gn_square(y)), 0.5), p.x[0]);
        check_derivatives(&p, samples[i].name, first, &seed, 1e-5);
        gn_graph_free(p.g);
    }
}

/* ---- where calculus has a choice ---- */

static problem row(int n, const double *values)
{
    problem p = { .g = gn_graph_new(NULL), .n = 1 };
    memcpy(p.number[0], values, (size_t)n * sizeof *values);
    p.x[0] = gn_input(p.g, "x", GN_F64, "%d", n);
    return p;
}

/* By reverse mode, and by forward mode along each axis. NaN is asked for as NaN. */
static void gradient_is(int n, const double *x, gn_expr *(*build)(gn_graph *, gn_expr *const *), const double *wanted)
{
    double got[CHECK_ELEMENTS], pushed[CHECK_ELEMENTS];
    problem p = row(n, x);
    p.value[0] = gn_array_1d(p.number[0], GN_F64, n);
    gn_expr *y = build(p.g, p.x), *const sum = gn_rank_of(y) ? gn_sum_all(y) : y;
    assert_int_equal(value_of(&p, gn_grad(sum, p.x[0]), got), n);
    for (int i = 0; i < n; i++) {
        double unit[CHECK_ELEMENTS] = { 0 };
        unit[i] = 1;
        gn_expr *axis = gn_constant(p.g, gn_array_1d(unit, GN_F64, n)), *tangent;
        gn_jvp(1, &sum, 1, p.x, &axis, &tangent);
        assert_int_equal(value_of(&p, tangent, pushed), 1);
        if (isnan(wanted[i]) && isnan(got[i]) && isnan(pushed[0])) continue;
        assert_close(got[i], wanted[i], 1e-12, "gradient", "value", i);
        assert_close(pushed[0], wanted[i], 1e-12, "gradient", "value forward", i);
    }
    gn_graph_free(p.g);
}
#define GRADIENT_IS(build, n, x, ...) gradient_is(n, (double[])x, build, (double[])__VA_ARGS__)
#define V(...) { __VA_ARGS__ }

static void ties_share_equally(void **state)
{
    (void)state;
    GRADIENT_IS(b_max_all, 4, V(1, 3, 3, 2), V(0, 0.5, 0.5, 0));
    GRADIENT_IS(b_max_all, 3, V(2, 2, 2), V(1.0 / 3, 1.0 / 3, 1.0 / 3));
    GRADIENT_IS(b_min, 4, V(1, 3, 1, 2), V(0.5, 0, 0.5, 0));
}

/* A 0 would hide a broken loss. */
static void nan_in_a_row_is_nan_in_its_gradient(void **state)
{
    (void)state;
    GRADIENT_IS(b_max_all, 3, V(1, NAN, 2), V(NAN, NAN, NAN));
    GRADIENT_IS(b_min, 2, V(NAN, 1), V(NAN, NAN));
    GRADIENT_IS(b_relu, 2, V(NAN, 2), V(1, 1));
}

F(k_maximum_zero, gn_maximum(x[0], 0.0))
F(k_minimum_self, gn_minimum(x[0], gn_mul(x[0], 1.0)))
static void kinks_take_the_middle(void **state)
{
    (void)state;
    GRADIENT_IS(b_relu, 3, V(-1, 0, 1), V(0, 0, 1));
    GRADIENT_IS(k_maximum_zero, 3, V(-1, 0, 1), V(0, 0.5, 1));
    GRADIENT_IS(k_minimum_self, 2, V(-1, 1), V(1, 1));
    GRADIENT_IS(b_abs, 3, V(-2, 0, 2), V(-1, 0, 1));
    GRADIENT_IS(b_clip, 5, V(-1, -0.5, 0, 0.5, 1), V(0, 0.5, 1, 0.5, 0));
    GRADIENT_IS(b_leaky_relu, 3, V(-1, 0, 1), V(0.1, 0.55, 1));
    GRADIENT_IS(b_floor, 2, V(0.25, 0.75), V(1, 1));
}

static void products_are_right_with_zeros(void **state)
{
    (void)state;
    GRADIENT_IS(b_prod_all, 3, V(2, 3, 4), V(12, 8, 6));
    GRADIENT_IS(b_prod_all, 3, V(2, 0, 4), V(0, 8, 0));
    GRADIENT_IS(b_prod_all, 3, V(0, 3, 0), V(0, 0, 0));
    GRADIENT_IS(b_prod_all, 1, V(0), V(1));
}

static void products_are_right_where_they_leave_the_range(void **state)
{
    (void)state;
    GRADIENT_IS(b_prod_all, 3, V(1e-200, 1e-200, 2), V(2e-200, 2e-200, 0));
    GRADIENT_IS(b_prod_all, 3, V(1e200, -1e200, 1e-300), V(-1e-100, 1e-100, -INFINITY));
    GRADIENT_IS(b_prod_all, 4, V(1e-300, 1e-300, 1e300, 1e300), V(1e300, 1e300, 1e-300, 1e-300));
    GRADIENT_IS(b_prod_all, 3, V(INFINITY, 2, -3), V(-6, -INFINITY, INFINITY));
    GRADIENT_IS(b_prod_all, 3, V(INFINITY, 0, -3), V(0, -INFINITY, NAN));
    GRADIENT_IS(b_prod_all, 3, V(NAN, 2, 3), V(6, NAN, NAN));
    GRADIENT_IS(b_prod_all, 2, V(0x1p-1074, 3), V(3, 0x1p-1074));
}

F(z_sqrt, gn_select(gn_gt(x[0], 0.0), gn_sqrt(gn_select(gn_gt(x[0], 0.0), x[0], 1.0)), 0.0))
F(z_log_behind_select, gn_select(gn_gt(x[0], 0.0), gn_log(x[0]), 0.0))
F(z_pow_zero, gn_pow(x[0], 0.0))
F(z_pow_two, gn_pow(x[0], 2.0))
F(z_pow_base, gn_pow(0.0, gn_add(gn_square(x[0]), 1.0)))
F(z_relu_inf, gn_relu(x[0]))
F(z_safe_log, gn_select(gn_gt(x[0], 0.0), gn_log(x[0]), 0.0))
F(z_safe_square, gn_select(gn_gt(x[0], 0.0), gn_square(gn_log(x[0])), gn_mul(x[0], 2.0)))
F(z_safe_exp, gn_select(gn_lt(x[0], 700.0), gn_exp(x[0]), 1.0))
F(z_view, gn_sum_all(gn_select(gn_gt(gn_reshape(x[0], "2, 2"), 0.0),
                               gn_transpose(gn_transpose(gn_reshape(gn_sqrt(x[0]), "2, 2"))), 0.0)))
F(z_two_masks,
  gn_add(gn_select(gn_gt(x[0], 0.0), gn_log(x[0]), 0.0), gn_select(gn_gt(x[0], 1.0), gn_mul(gn_log(x[0]), 2.0), 0.0)))
F(z_slice, gn_slice(gn_log(x[0]), "1:"))
F(z_relu_sqrt, gn_relu(gn_sqrt(x[0])))
static void zero_times_infinity_never_arises(void **state)
{
    (void)state;
    GRADIENT_IS(z_sqrt, 2, V(0, 4), V(0, 0.25));
    GRADIENT_IS(z_log_behind_select, 2, V(-1, 4), V(0, 0.25));
    GRADIENT_IS(z_pow_zero, 2, V(0, 3), V(0, 0));
    GRADIENT_IS(z_pow_two, 2, V(0, 3), V(0, 6));
    GRADIENT_IS(z_pow_base, 2, V(0, 2), V(0, 0));
    GRADIENT_IS(z_relu_inf, 3, V(-INFINITY, 0, INFINITY), V(0, 0, 1));
    GRADIENT_IS(z_safe_log, 2, V(0, 4), V(0, 0.25));
    GRADIENT_IS(z_safe_square, 2, V(0, 1), V(2, 0));
    GRADIENT_IS(z_safe_exp, 2, V(1000, 0), V(0, 1));
    GRADIENT_IS(z_view, 4, V(0, 4, 0, 1), V(0, 0.25, 0, 0.5));
    GRADIENT_IS(z_two_masks, 3, V(0, 0.5, 2), V(0, 2, 1.5));
    GRADIENT_IS(z_relu_sqrt, 2, V(0, 4), V(0, 0.25));
}

/* p = x0 x1 x2 is 0, and so is the flow p of p^2/2; its derivative is not. */
static void a_product_of_zero_has_its_second_derivative(void **state)
{
    (void)state;
    double got[3];
    problem p = row(3, (double[])V(0, 3, 4));
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 3);
    gn_expr *y = gn_mul(gn_square(gn_prod_all(p.x[0])), 0.5), *first = gn_grad(y, p.x[0]);
    gn_expr *dxs[] = { gn_constant(p.g, GN_VIEW(((double[])V(1, 0, 0)), 3)) }, *second;
    gn_jvp(1, &first, 1, p.x, dxs, &second);
    assert_int_equal(value_of(&p, second, got), 3);
    assert_true(got[0] == 144 && got[1] == 0 && got[2] == 0);
    gn_graph_free(p.g);
}

/* In reverse mode, where the slice's zeros meet the pole. */
static void what_a_slice_leaves_out_has_no_gradient(void **state)
{
    (void)state;
    double got[2];
    problem p = row(2, (double[])V(0, 4));
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 2);
    assert_int_equal(value_of(&p, gn_grad(gn_sum_all(z_slice(p.g, p.x)), p.x[0]), got), 2);
    assert_true(got[0] == 0 && got[1] == 0.25);
    gn_graph_free(p.g);
}

/* An x that depends on another x: it moves by its own direction and by that of the other. */
static void forward_mode_moves_an_input_that_depends_on_another(void **state)
{
    (void)state;
    double got[2];
    problem p = row(2, (double[])V(3, 5));
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 2);
    gn_expr *a = p.x[0], *b = gn_square(a), *y = gn_mul(a, b), *xs[] = { a, b }, *tangent;
    gn_expr *dxs[] = { gn_full(p.g, GN_F64, 1.0, "2"), gn_full(p.g, GN_F64, 100.0, "2") };
    gn_jvp(1, &y, 2, xs, dxs, &tangent); /* b + a (2 a + 100) */
    assert_int_equal(value_of(&p, tangent, got), 2);
    assert_true(got[0] == 9 + 3 * 106 && got[1] == 25 + 5 * 110);
    gn_expr *grads[2];
    gn_grads(gn_sum_all(y), 2, xs, grads); /* b + 2 a a, a */
    assert_int_equal(value_of(&p, grads[0], got), 2);
    assert_true(got[0] == 27 && got[1] == 75);
    assert_int_equal(value_of(&p, grads[1], got), 2);
    assert_true(got[0] == 3 && got[1] == 5);
    gn_graph_free(p.g);
}

/* A stabilizing rule would see log1p of exp: the exp is what is differentiated by, so it stays. */
static void what_is_differentiated_by_is_not_rewritten_away(void **state)
{
    (void)state;
    double got[2];
    problem p = row(2, (double[])V(0, 1));
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 2);
    gn_expr *e = gn_exp(p.x[0]), *y = gn_sum_all(gn_log1p(e));
    assert_int_equal(value_of(&p, gn_grad(y, e), got), 2);
    assert_close(got[0], 0.5, 1e-15, "slope", "by e^x", 0);
    assert_close(got[1], 1 / (1 + exp(1)), 1e-15, "slope", "by e^x", 1);
    gn_graph_free(p.g);
}

/* ---- what flows and what does not ---- */

F(s_stopped, gn_mul(x[0], gn_stop_gradient(gn_square(x[0]))))
static void nothing_flows_through_stop_gradient(void **state)
{
    (void)state;
    GRADIENT_IS(s_stopped, 2, V(2, 3), V(4, 9)); /* not 3 x^2 */
    problem p = row(2, (double[])V(2, 3));
    double got[4];
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 2);
    assert_int_equal(value_of(&p, gn_stop_gradient(p.x[0]), got), 2);
    assert_true(got[0] == 2 && got[1] == 3);
    gn_expr *tangent, *y = gn_stop_gradient(p.x[0]), *one = gn_add(p.x[0], 1.0);
    gn_jvp(1, &y, 1, p.x, &one, &tangent);
    assert_int_equal(value_of(&p, tangent, got), 2);
    assert_true(got[0] == 0 && got[1] == 0);
    gn_graph_free(p.g);
}

static void known_gradients_replace_what_lies_behind(void **state)
{
    (void)state;
    problem p = row(2, (double[])V(2, 3));
    double got[4];
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 2);
    gn_expr *a = gn_square(p.x[0]), *b = gn_mul(a, 3.0), *ys[] = { a, b };
    gn_expr *dys[] = { gn_constant(p.g, GN_VIEW(((double[])V(1, 10)), 2)),
                       gn_constant(p.g, GN_VIEW(((double[])V(100, 1000)), 2)) };
    gn_expr *dx, *nothing = gn_input(p.g, "unused", GN_F64, "4"), *both[2], *xs[2] = { p.x[0], nothing };
    gn_vjp(2, ys, dys, 1, p.x, &dx); /* (1 + 3 * 100) * 2 x, (10 + 3 * 1000) * 2 x */
    assert_int_equal(value_of(&p, dx, got), 2);
    assert_true(got[0] == 301 * 4 && got[1] == 3010 * 6);
    gn_vjp(1, ys, dys, 2, xs, both); /* what is not reached is zero */
    assert_int_equal(value_of(&p, both[1], got), 4);
    assert_true(got[0] == 0 && got[3] == 0);
    gn_graph_free(p.g);
}

static void a_gradient_flows_through_one_input_to_another(void **state)
{
    (void)state;
    problem p = row(1, (double[])V(3));
    double got[2];
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 1);
    gn_expr *h = gn_square(p.x[0]), *loss = gn_sum_all(gn_mul(h, p.x[0])), *xs[] = { h, p.x[0], h }, *out[3];
    gn_grads(loss, 3, xs, out);
    assert_ptr_equal(out[0], out[2]);
    assert_int_equal(value_of(&p, out[0], got), 1);
    assert_true(got[0] == 3);
    assert_int_equal(value_of(&p, out[1], got), 1);
    assert_true(got[0] == 27);
    gn_graph_free(p.g);
}

static void a_disconnected_input_is_a_decision(void **state)
{
    (void)state;
    problem p = row(2, (double[])V(2, 3));
    double got[4];
    p.value[0] = gn_array_1d(p.number[0], GN_F64, 2);
    gn_expr *w = gn_input(p.g, "w", GN_F64, "3"), *loss = gn_sum_all(p.x[0]), *xs[] = { p.x[0], w }, *out[2];
    gn_grads_at(GN_HERE, loss, 2, xs, out, GN_DISCONNECTED_ZERO);
    assert_int_equal(value_of(&p, out[1], got), 3);
    assert_true(got[0] == 0 && got[2] == 0);
    gn_grads(loss, 2, xs, out);
    assert_int_equal(gn_graph_check(p.g), GN_EGRAD);
    assert_message_contains("does not depend on");
    assert_int_equal(gn_graph_check(p.g), GN_OK);
    gn_graph_free(p.g);
}

/* ---- mistakes ---- */

static void fails_with(gn_graph *g, gn_status status, int line, const char *message)
{
    char place[64];
    snprintf(place, sizeof place, "test_grad.c:%d: ", line);
    assert_int_equal(gn_graph_check(g), status);
    assert_message_contains(place);
    assert_message_contains(message);
}

static void mistakes_are_told_with_both_places(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *k = gn_input(g, "k", GN_I32, "n");
    const int line = __LINE__ + 1;
    gn_expr *y = gn_mul(x, x), *steps = gn_cast(gn_cast(gn_sum_all(x), GN_I32), GN_F32);
    char made[64];
    snprintf(made, sizeof made, "test_grad.c:%d", line);
    assert_ptr_equal(gn_grad(y, x), gn_grad(y, x)); /* the error node */
    fails_with(g, GN_EGRAD, __LINE__ - 1, "grad: what is differentiated is no scalar");
    assert_message_contains("f32 (n)");
    assert_message_contains(made);
    gn_grad(gn_sum_all(y), k);
    fails_with(g, GN_EGRAD, __LINE__ - 1, ", by which is differentiated, has no gradient: it is i32, not floating");
    gn_grad(gn_sum_all(k), x);
    fails_with(g, GN_EGRAD, __LINE__ - 1, ", which is differentiated, has no gradient: it is i32, not floating");
    gn_grad(gn_sum_all(y), gn_input(g, "other", GN_F32, "()"));
    fails_with(g, GN_EGRAD, __LINE__ - 1, "does not depend on");
    gn_grad(steps, x);
    fails_with(g, GN_EGRAD, __LINE__ - 1, "all ways pass integers, bools or stop_gradient");
    gn_grad(gn_sum_all(gn_stop_gradient(x)), x);
    fails_with(g, GN_EGRAD, __LINE__ - 1, "all ways pass integers, bools or stop_gradient");
    gn_grad(NULL, x);
    fails_with(g, GN_EINVAL, __LINE__ - 1, "NULL");
    gn_grad(gn_sum_all(y), NULL);
    fails_with(g, GN_EINVAL, __LINE__ - 1, "NULL");
    gn_stop_gradient(NULL);
    gn_expr *out, *wide = gn_cast(y, GN_F64), *shorter = gn_slice(gn_input(g, "five", GN_F32, "5"), "1:"),
                  *five = gn_input(g, "six", GN_F32, "6");
    gn_vjp(1, &y, &wide, 1, &x, &out);
    fails_with(g, GN_EGRAD, __LINE__ - 1, "vjp: an output and its known gradient differ in dtype or shape");
    gn_vjp(1, &five, &shorter, 1, &five, &out);
    fails_with(g, GN_EGRAD, __LINE__ - 1, "vjp: an output and its known gradient differ in dtype or shape");
    gn_jvp(1, &y, 1, &x, &wide, &out);
    fails_with(g, GN_EGRAD, __LINE__ - 1, "jvp: an input and its direction differ in dtype or shape");
    gn_jvp(1, &k, 1, &x, &x, &out);
    fails_with(g, GN_EGRAD, __LINE__ - 1, ", which is differentiated, has no gradient: it is i32, not floating");
    assert_int_equal(gn_graph_check(g), GN_OK);
    assert_non_null(gn_grad(gn_sum_all(y), x)); /* the graph is usable after all this */
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_graph_free(g);
}

static gn_expr *make_copysign(gn_graph *g, void *arg)
{
    gn_expr *const *x = arg;
    return gn_make2(g, &gn_op_copysign, x[0], x[0]);
}

static void an_op_without_a_derivative_says_why(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "()"), *y = gn_build(GN_HERE, g, make_copysign, &x), *tangent;
    char made[64], reason[160];
    snprintf(made, sizeof made, "test_grad.c:%d", __LINE__ - 2);
    snprintf(reason, sizeof reason, "grad: copysign has no derivative: %s", gn_op_copysign.not_differentiable);
    gn_grad(gn_exp(y), x);
    fails_with(g, GN_EGRAD, __LINE__ - 1, reason);
    assert_message_contains(made);
    gn_jvp(1, &y, 1, &x, &x, &tangent);
    fails_with(g, GN_EGRAD, __LINE__ - 1, "jvp: copysign has no derivative");
    gn_graph_free(g);
}

typedef struct parsing {
    const char *text;
    const gn_recipe *recipe;
    gn_arena arena;
} parsing;
static void parse_text(void *arg)
{
    parsing *p = arg;
    p->recipe = gn_recipe_parse(&p->arena, &gn_op_mul, p->text);
}

static void a_derivative_text_that_is_wrong_is_reported(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "(mul g c)", "the derivative of mul, (mul g c), has an unknown atom" }, /* mul has two operands */
        { "(mull g b)", "has an unknown op" },
        { "(mul)", "is malformed" },
        { "g g", "is not one expression" },
        { "(add g (add g (add g (add g (add g (add g (add g (add g (add g (add g (add g (add g (add g (add g (add g "
          "(add g g))))))))))))))))",
          "is too long" },
        { "(mul g", "mul:1:" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        parsing p = { .text = wrong[i][0] };
        assert_int_not_equal(gn_protect(parse_text, &p), GN_OK);
        assert_message_contains(wrong[i][1]);
        gn_arena_free(&p.arena);
    }
}

typedef struct applying {
    const gn_recipe *recipe;
    gn_graph *g;
    gn_expr *y;
} applying;

static void apply(void *arg)
{
    const applying *a = arg;
    gn_recipe_apply(a->recipe, a->g, a->y, a->y);
}

static void a_derivative_text_without_g_is_reported(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "()");
    parsing p = { .text = "2" };
    assert_int_equal(gn_protect(parse_text, &p), GN_OK);
    applying a = { p.recipe, g, gn_mul(x, x) };
    assert_int_equal(gn_protect(apply, &a), GN_EINTERNAL);
    assert_message_contains("the derivative of mul does not contain g");
    gn_arena_free(&p.arena);
    gn_graph_free(g);
}

static void an_earlier_error_passes_through(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "3"), *bad = gn_add(x, gn_input(g, "y", GN_F32, "4"));
    gn_expr *d = gn_grad(gn_sum_all(bad), x), *xs[] = { x, x }, *out[2] = { NULL, NULL };
    gn_grads(gn_sum_all(bad), 2, xs, out);
    assert_ptr_equal(d, bad);
    assert_ptr_equal(out[0], bad);
    assert_ptr_equal(out[1], bad);
    assert_int_equal(gn_graph_check(g), GN_ESHAPE);
    assert_message_contains("add");
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_graph_free(g);
}

static void operands_of_two_graphs_are_refused(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL), *h = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "()"), *y = gn_input(h, "y", GN_F32, "()");
    gn_grad(gn_square(x), y);
    fails_with(g, GN_EINVAL, __LINE__ - 1, "another graph");
    gn_graph_free(g);
    gn_graph_free(h);
}

/* ---- composites and size ---- */

typedef struct inlining {
    gn_expr *e, *body;
} inlining;
static void inline_one(void *arg)
{
    inlining *i = arg;
    const gn_type *types[8];
    for (uint32_t k = 0; k < i->e->nin; k++) types[k] = i->e->in[k]->type;
    gn_region_inline(gn_graph_in(i->e), i->e->op->expand(gn_graph_in(i->e), types, i->e->nin, i->e->attr), i->e->in,
                     &i->body);
}

/* Composites with a rule of their own against the same composites seen through. */
static void a_composite_has_the_gradient_of_its_body(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    int compared = 0;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        problem p;
        begin(&p, &samples[i], &seed);
        gn_expr *y = samples[i].build(p.g, p.x);
        double dy[CHECK_ELEMENTS], a[CHECK_ELEMENTS], b[CHECK_ELEMENTS];
        if (!gn_is_error(y) && y->op->expand && y->type->kind == GN_TYPE_TENSOR) {
            inlining in = { .e = y };
            assert_int_equal(gn_protect(inline_one, &in), GN_OK);
            gn_expr *w = random_like(&p, y, &seed, dy), *whole, *seen;
            gn_vjp(1, &y, &w, 1, p.x, &whole);
            gn_vjp(1, &in.body, &w, 1, p.x, &seen);
            const int64_t n = value_of(&p, whole, a);
            assert_int_equal(value_of(&p, seen, b), n);
            for (int64_t k = 0; k < n; k++)
                assert_close(a[k], b[k], 1e-9, samples[i].name, "composite against its body", k);
            compared++;
        }
        gn_graph_free(p.g);
    }
    print_message("%d composites compared\n", compared);
    assert_true(compared >= 5);
}

/* Nodes that the gradient of a chain adds, for each node of the chain; the chain is far deeper than a stack of frames
 * would be. */
static double nodes_per_step(int n)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input(g, "x", GN_F32, "()"), *y = x;
    for (int i = 0; i < n; i++) y = gn_mul(gn_tanh(y), x);
    const size_t before = g->nodes.n;
    gn_expr *d = gn_grad(y, x);
    assert_int_equal(gn_graph_check(g), GN_OK);
    assert_false(gn_is_error(d));
    const double added = (double)(g->nodes.n - before) / n;
    gn_graph_free(g);
    return added;
}

static void the_gradient_of_a_long_chain_is_linear_in_it(void **state)
{
    (void)state;
    const double small = nodes_per_step(100), large = nodes_per_step(50000);
    assert_true(large <= small && small < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_builder_agrees_with_central_differences),
        cmocka_unit_test(second_derivatives_agree_too),
        cmocka_unit_test(ties_share_equally),
        cmocka_unit_test(nan_in_a_row_is_nan_in_its_gradient),
        cmocka_unit_test(products_are_right_where_they_leave_the_range),
        cmocka_unit_test(a_product_of_zero_has_its_second_derivative),
        cmocka_unit_test(what_a_slice_leaves_out_has_no_gradient),
        cmocka_unit_test(forward_mode_moves_an_input_that_depends_on_another),
        cmocka_unit_test(what_is_differentiated_by_is_not_rewritten_away),
        cmocka_unit_test(kinks_take_the_middle),
        cmocka_unit_test(products_are_right_with_zeros),
        cmocka_unit_test(zero_times_infinity_never_arises),
        cmocka_unit_test(nothing_flows_through_stop_gradient),
        cmocka_unit_test(known_gradients_replace_what_lies_behind),
        cmocka_unit_test(a_gradient_flows_through_one_input_to_another),
        cmocka_unit_test(a_disconnected_input_is_a_decision),
        cmocka_unit_test(mistakes_are_told_with_both_places),
        cmocka_unit_test(an_op_without_a_derivative_says_why),
        cmocka_unit_test(a_derivative_text_that_is_wrong_is_reported),
        cmocka_unit_test(a_derivative_text_without_g_is_reported),
        cmocka_unit_test(an_earlier_error_passes_through),
        cmocka_unit_test(operands_of_two_graphs_are_refused),
        cmocka_unit_test(a_composite_has_the_gradient_of_its_body),
        cmocka_unit_test(the_gradient_of_a_long_chain_is_linear_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
