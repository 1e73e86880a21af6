/* What users compute of all pairs of points: x (n, c) with weights w (n), y (m, c) with weights v (m). No result has an
 * element for each pair, and nothing of that size need be stored. */
#pragma once
#include <gnomon/grad.h>
#include <gnomon/ops.h>

enum { MOST_PAIR_OUTS = 4 };
typedef struct pair_inputs {
    gn_expr *x, *y, *w, *v;
} pair_inputs;

/* d: (n, n, c), from the first to the second; the square of the distance: (n, n). */
static inline gn_expr *pair_square(gn_expr *x, gn_expr *y, gn_expr **d)
{
    *d = gn_sub(gn_expand(y, GN_AXES(0)), gn_expand(x, GN_AXES(1)));
    return gn_sum(gn_square(*d), GN_AXES(2));
}

static inline gn_expr *pair_near(gn_expr *x, gn_expr *y, gn_expr **d)
{
    return gn_rsqrt(gn_add(pair_square(x, y, d), 1e-2));
}

static inline gn_expr *pair_bell(gn_expr *x, gn_expr *y)
{
    gn_expr *d;
    return gn_exp(gn_mul(pair_square(x, y, &d), -0.5));
}

static inline size_t pair_forces(pair_inputs p, gn_expr **out)
{
    gn_expr *d, *r = pair_near(p.x, p.x, &d), *pull = gn_mul(gn_expand(p.w, GN_AXES(0)), gn_mul(r, gn_square(r)));
    out[0] = gn_sum(gn_mul(d, gn_expand(pull, GN_AXES(2))), GN_AXES(1));
    return 1;
}

static inline size_t pair_energy(pair_inputs p, gn_expr **out)
{
    gn_expr *d, *r = pair_near(p.x, p.x, &d);
    out[0] = gn_sum_all(gn_mul(gn_mul(gn_expand(p.w, GN_AXES(0)), gn_expand(p.w, GN_AXES(1))), r));
    out[1] = gn_grad(out[0], p.x);
    return 2;
}

static inline size_t pair_density(pair_inputs p, gn_expr **out)
{
    out[0] = gn_sum(pair_bell(p.x, p.y), GN_AXES(1));
    return 1;
}

static inline size_t pair_density_slope(pair_inputs p, gn_expr **out)
{
    pair_density(p, out);
    gn_grads(gn_sum_all(gn_square(out[0])), 2, ((gn_expr *[]){ p.x, p.y }), out + 1);
    return 3;
}

static inline size_t pair_nearest(pair_inputs p, gn_expr **out)
{
    gn_expr *d;
    out[0] = gn_argmin(pair_square(p.x, p.y, &d), 1);
    return 1;
}

static inline size_t pair_nearest_slope(pair_inputs p, gn_expr **out)
{
    gn_expr *d;
    out[0] = gn_mean_all(gn_min(pair_square(p.x, p.y, &d), GN_AXES(1)));
    gn_grads(out[0], 2, ((gn_expr *[]){ p.x, p.y }), out + 1);
    return 3;
}

static inline size_t pair_weighted(pair_inputs p, gn_expr **out)
{
    out[0] = gn_matmul(pair_bell(p.x, p.y), p.v);
    return 1;
}

static inline size_t pair_weighted_slope(pair_inputs p, gn_expr **out)
{
    pair_weighted(p, out);
    gn_grads(gn_sum_all(gn_square(out[0])), 3, ((gn_expr *[]){ p.x, p.y, p.v }), out + 1);
    return 4;
}

static inline size_t pair_columns(pair_inputs p, gn_expr **out)
{
    out[0] = gn_matmul(pair_bell(p.x, p.y), p.y);
    return 1;
}

static inline size_t pair_products(pair_inputs p, gn_expr **out)
{
    out[0] = gn_matmul(gn_exp(gn_matmul(p.x, gn_transpose(p.y))), p.v);
    return 1;
}

static inline size_t pair_expanded(pair_inputs p, gn_expr **out)
{
    gn_expr *xx = gn_expand(gn_sum(gn_square(p.x), GN_AXES(1)), GN_AXES(1)),
            *yy = gn_expand(gn_sum(gn_square(p.y), GN_AXES(1)), GN_AXES(0));
    out[0] = gn_sum(gn_exp(gn_sub(gn_mul(2.0, gn_matmul(p.x, gn_transpose(p.y))), gn_add(xx, yy))), GN_AXES(1));
    return 1;
}

static inline size_t pair_softmax(pair_inputs p, gn_expr **out)
{
    gn_expr *d;
    out[0] = gn_matmul(gn_softmax(gn_neg(pair_square(p.x, p.y, &d)), 1), p.v);
    return 1;
}

static const struct pair_case {
    const char *name;
    size_t (*make)(pair_inputs, gn_expr **out);
    size_t kernels;
} pair_cases[] = {
    { "forces", pair_forces, 1 },
    { "energy", pair_energy, 3 }, /* with sums over the second body, sums over the first, their difference */
    { "density", pair_density, 1 },
    { "density_slope", pair_density_slope, 2 },
    { "nearest", pair_nearest, 1 },
    { "nearest_slope", pair_nearest_slope, 2 },
    { "weighted", pair_weighted, 1 },
    { "weighted_slope", pair_weighted_slope, 2 },
    { "columns", pair_columns, 1 },
    { "products", pair_products, 1 },
    { "expanded", pair_expanded, 3 }, /* both lengths first */
    { "softmax", pair_softmax, 1 },
};
enum { PAIR_CASES = sizeof pair_cases / sizeof *pair_cases };
