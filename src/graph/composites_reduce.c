/* Composites over reductions: mean, variance, and the product of the other elements, which the gradient of a product needs. */
#include "composites.h"
#include "ops/request.h"

/* ---- types ---- */

static const gn_type *infer_reduced(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    return gn_op_sum.infer(g, in, n, attr);
}

static const gn_type *infer_same(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    gn_op_sum.infer(g, in, n, attr);
    return in[0]->type;
}

static gn_axis_list axes_of(const gn_attr *attr)
{
    gn_axis_list l = { .n = attr[0].n };
    for (size_t i = 0; i < l.n; i++) l.at[i] = attr[0].ints[i];
    return l;
}

/* How many elements a result is made of, as a number of the dtype and shape of `like`. */
static gn_expr *count_like(gn_graph *g, const gn_expr *x, const gn_axis_list *axes, const gn_expr *like)
{
    gn_expr *const n = gn_make_size(g, gn_count_along(x, axes), gn_dtype_in(like));
    return gn_make_splat(g, n, gn_rank_in(like), like->type->dim);
}

static gn_expr *mean_of(gn_graph *g, gn_expr *x, const gn_axis_list *axes)
{
    gn_expr *const s = gn_summed(g, x, axes);
    return gn_over(g, s, count_like(g, x, axes, s));
}

/* ---- bodies ---- */

static const gn_region *expand_mean(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axes = axes_of(attr);
    gn_expr **x = gn_body_params(g, n, in);
    return gn_body(g, n, in, mean_of(g, x[0], &axes));
}

static const gn_region *expand_var(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axes = axes_of(attr);
    gn_expr **x = gn_body_params(g, n, in);
    gn_expr *const away = gn_minus(g, x[0], gn_make_unreduce(g, mean_of(g, x[0], &axes), x[0], &axes));
    return gn_body(g, n, in, mean_of(g, gn_times(g, away, away), &axes));
}

/* Without zeros the product over x; with one zero, the product of the others there and 0 elsewhere; with more, 0. */
static const gn_region *expand_others(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axes = axes_of(attr);
    gn_expr *const x = gn_body_params(g, n, in)[0], *const zero = gn_make_like(g, x, 0), *const one = gn_make_like(g, x, 1);
    gn_expr *const is_zero = gn_make2(g, &gn_op_eq, x, zero);
    gn_expr *const zeros = gn_rowwise(g, &gn_op_sum, gn_make_cast(g, is_zero, gn_dtype_in(x)), &axes);
    gn_expr *const nonzero = gn_make3(g, &gn_op_select, is_zero, one, x);
    gn_expr *const product = gn_rowwise(g, &gn_op_prod, nonzero, &axes);
    gn_expr *const at_zero = gn_make3(g, &gn_op_select, gn_make2(g, &gn_op_eq, zeros, one), product, zero);
    gn_expr *const elsewhere = gn_make3(g, &gn_op_select, gn_make2(g, &gn_op_eq, zeros, zero), gn_over(g, product, nonzero), zero);
    return gn_body(g, n, in, gn_make3(g, &gn_op_select, is_zero, at_zero, elsewhere));
}

/* ---- derivatives ---- */

static void vjp_mean(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gin[0] = gn_make_unreduce(g, gn_over(g, dy, count_like(g, y->in[0], &axes, dy)), y->in[0], &axes);
}

/* 2 (x - mean) / n; moving the mean has no first-order effect. */
static gn_expr *slope_of_var(gn_graph *g, gn_expr *y, const gn_axis_list *axes)
{
    gn_expr *const x = y->in[0], *const mean = gn_make_reduce(g, &gn_op_mean, x, axes);
    gn_expr *const away = gn_minus(g, x, gn_make_unreduce(g, mean, x, axes));
    return gn_over(g, gn_scaled(g, away, 2), count_like(g, x, axes, x));
}

static void vjp_var(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gin[0] = gn_times(g, gn_make_unreduce(g, dy, y->in[0], &axes), slope_of_var(g, y, &axes));
}

static gn_expr *jvp_var(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    const gn_axis_list axes = gn_axes_attr(y);
    return gn_summed(g, gn_times(g, t[0], slope_of_var(g, y, &axes)), &axes);
}

/* The matrix d others[i] / d x[j], the product of all but i and j, is symmetric with a diagonal of 0, so both modes are one
 * product with it. Its row i is prod_others of x with element i replaced by 1. Shapes: x (S); the matrix (S with the axes as j,
 * then the axes again as i). */
static gn_expr *times_others(gn_graph *g, gn_expr *y, gn_expr *t)
{
    gn_expr *const x = y->in[0];
    const gn_axis_list axes = gn_axes_attr(y);
    const size_t rank = gn_rank_in(x), wide = rank + axes.n;
    const gn_dim *shape[2 * GN_MAX_RANK];
    int64_t keep[GN_MAX_RANK], order[GN_MAX_RANK], to[GN_MAX_RANK];
    gn_axis_list appended = { 0 };
    if (wide > GN_MAX_RANK)
        gn_throw_at(g, GN_EGRAD, "prod", (gn_expr *const[]){ x }, 1,
                    "the second derivative needs rank %zu; at most %d is possible", wide, GN_MAX_RANK);
    for (size_t d = 0; d < rank; d++) shape[d] = gn_extent(x, d), keep[d] = (int64_t)d;
    for (size_t i = 0; i < axes.n; i++) {
        shape[rank + i] = gn_extent(x, (size_t)axes.at[i]);
        appended.at[appended.n++] = (int64_t)(rank + i);
    }
    gn_expr *same = NULL; /* i = j */
    for (size_t i = 0; i < axes.n; i++) {
        gn_expr *const eq = gn_make2(g, &gn_op_eq, gn_make_iota(g, GN_I64, wide, shape, axes.at[i]),
                                     gn_make_iota(g, GN_I64, wide, shape, appended.at[i]));
        same = same ? gn_make2(g, &gn_op_and, same, eq) : eq;
    }
    gn_expr *const repeated = gn_make_broadcast(g, x, wide, shape, keep);
    gn_expr *const row = gn_make3(g, &gn_op_select, same, gn_make_like(g, repeated, 1), repeated);
    gn_expr *const others = gn_node(g, &gn_op_prod_others, &row, 1, y->attr);
    gn_expr *const matrix = gn_make3(g, &gn_op_select, same, gn_make_like(g, repeated, 0), others);
    size_t n = 0; /* t with the axes last, as i */
    for (size_t d = 0; d < rank; d++) {
        if (!gn_has_axis(&axes, (int64_t)d)) order[n] = to[n] = (int64_t)d, n++;
    }
    for (size_t i = 0; i < axes.n; i++) order[n] = axes.at[i], to[n++] = appended.at[i];
    gn_expr *const as_i = gn_make_broadcast(g, gn_make_permute(g, t, order), wide, shape, to);
    return gn_summed(g, gn_times(g, matrix, as_i), &appended);
}

static void vjp_others(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gin[0] = times_others(g, y, dy);
}

static gn_expr *jvp_others(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    return times_others(g, y, t[0]);
}

/* ---- records ---- */

static const gn_attr_spec axes_attr[] = { { "axes", GN_ATTR_INTS } };
const gn_op_info gn_op_mean = { .name = "mean", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = axes_attr, .nattr = 1, .infer = infer_reduced, .expand = expand_mean, .vjp = vjp_mean, .linear = true,
    .gloss = "the sum over axes by the number of elements; NaN over none" };
const gn_op_info gn_op_var = { .name = "var", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = axes_attr, .nattr = 1, .infer = infer_reduced, .expand = expand_var, .vjp = vjp_var, .jvp = jvp_var,
    .gloss = "the mean of squared differences from the mean" };
const gn_op_info gn_op_prod_others = { .name = "prod_others", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = axes_attr, .nattr = 1, .infer = infer_same, .expand = expand_others, .vjp = vjp_others, .jvp = jvp_others,
    .gloss = "per element the product of all others along axes: the derivative of prod, right with zeros" };
