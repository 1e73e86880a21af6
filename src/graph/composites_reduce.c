/* Composites over reductions: mean, variance, and the product of the other elements, which the gradient of a product
 * needs. */
#include "composites.h"
#include "evaluate.h"
#include "ops/reference.h"
#include "ops/request.h"
#include <math.h>

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

/* A finite number v other than 0 as m 2^e, |m| from 0.7 to 1.4; NaN is m. */
static gn_expr *split(gn_graph *g, gn_expr *v, gn_expr **e)
{
    const gn_attr to_bits = { .kind = GN_ATTR_DTYPE, .i = GN_I64 }, to_float = { .kind = GN_ATTR_DTYPE, .i = GN_F64 };
    gn_expr *const tiny = gn_make2(g, &gn_op_lt, gn_make1(g, &gn_op_abs, v), gn_make_like(g, v, 0x1p-1022));
    gn_expr *const size = gn_make1(g, &gn_op_abs, gn_make3(g, &gn_op_select, tiny, gn_scaled(g, v, 0x1p54), v));
    gn_expr *const bits = gn_node(g, &gn_op_bitcast, &size, 1, &to_bits);
    gn_expr *const half = gn_make_splat(g, gn_make_scalar_int(g, GN_I64, 0x3fe6a09e667f3bcd), gn_rank_in(v), v->type->dim);
    gn_expr *const by = gn_make2(g, &gn_op_shr, gn_minus(g, bits, half),
                                 gn_make_like(g, bits, 52));
    gn_expr *m = gn_minus(g, bits, gn_make2(g, &gn_op_shl, by, gn_make_like(g, by, 52)));
    m = gn_make2(g, &gn_op_copysign, gn_node(g, &gn_op_bitcast, &m, 1, &to_float), v);
    *e = gn_minus(g, by, gn_make3(g, &gn_op_select, tiny, gn_make_like(g, by, 54), gn_make_like(g, by, 0)));
    return gn_make3(g, &gn_op_select, gn_make2(g, &gn_op_eq, v, v), m, v);
}

/* v 2^e in two steps, of which the first cannot leave the range where the result does not. */
static gn_expr *joined(gn_graph *g, gn_expr *v, gn_expr *e)
{
    gn_expr *const one = gn_make_like(g, v, 1), *const by = gn_make_cast(g, e, GN_F64);
    gn_expr *const low = gn_make2(g, &gn_op_maximum, by, gn_make_like(g, by, -4000));
    gn_expr *const whole = gn_make2(g, &gn_op_minimum, low, gn_make_like(g, by, 4000));
    gn_expr *const half = gn_make1(g, &gn_op_floor, gn_scaled(g, whole, 0.5));
    gn_expr *const first = gn_times(g, v, gn_make2(g, &gn_op_ldexp, one, half));
    return gn_times(g, first, gn_make2(g, &gn_op_ldexp, one, gn_minus(g, whole, half)));
}

/* Whether another element of the row is one of these. */
static gn_expr *has_other(gn_graph *g, gn_expr *these, const gn_axis_list *axes)
{
    gn_expr *const own = gn_make_cast(g, these, GN_I64), *const all = gn_rowwise(g, &gn_op_sum, own, axes);
    return gn_make2(g, &gn_op_lt, own, all);
}

/* The product of all, divided by the element. Exponents are apart, so that nothing overflows or vanishes on the way;
 * zeros and infinities count as 1, and are multiplied with where another element is one. */
static const gn_region *expand_others(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axes = axes_of(attr);
    gn_expr *const x = gn_body_params(g, n, in)[0], *const v = gn_make_cast(g, x, GN_F64), *e;
    gn_expr *const one = gn_make_like(g, v, 1), *const zero = gn_make_like(g, v, 0),
                   *const inf = gn_make_like(g, v, INFINITY);
    gn_expr *const is_zero = gn_make2(g, &gn_op_eq, v, zero), *const is_inf =
                                                                  gn_make2(g, &gn_op_eq, gn_make1(g, &gn_op_abs, v), inf);
    gn_expr *const apart = gn_make2(g, &gn_op_or, is_zero, is_inf);
    gn_expr *const m = split(g, gn_make3(g, &gn_op_select, apart, gn_make2(g, &gn_op_copysign, one, v), v), &e);
    gn_expr *others = gn_over(g, gn_rowwise(g, &gn_op_prod, m, &axes), m);
    others = gn_times(g, others, gn_make3(g, &gn_op_select, has_other(g, is_zero, &axes), zero, one));
    others = gn_times(g, others, gn_make3(g, &gn_op_select, has_other(g, is_inf, &axes), inf, one));
    others = joined(g, others, gn_minus(g, gn_rowwise(g, &gn_op_sum, e, &axes), e));
    return gn_body(g, n, in, gn_make_cast(g, others, gn_dtype_in(x)));
}

/* Without the body's steps, which are no functions of approximate operands. */
static void eval_others(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    const gn_axis_list axes = axes_of(e->attr);
    const gn_tensor *x = in[0];
    int64_t stride[GN_MAX_RANK], along[GN_MAX_RANK] = { 0 }, step[GN_MAX_RANK] = { 0 }, at[GN_MAX_RANK] = { 0 }, n = 1;
    gn_row_major(x->rank, x->shape, stride);
    for (size_t i = 0; i < axes.n; i++) along[i] = x->shape[axes.at[i]], step[i] = stride[axes.at[i]], n *= along[i];
    gn_ref *const group = GN_NEW_ARRAY(arena, gn_ref, n + 1);
    for (int64_t i = 0; i < x->count; i++) {
        int64_t base = i, k[GN_MAX_RANK] = { 0 }, found = 0;
        for (size_t d = 0; d < axes.n; d++) base -= at[axes.at[d]] * step[d];
        for (int64_t j = 0; j < n; j++) {
            const int64_t place = base + gn_flat_index((int)axes.n, k, step);
            if (place != i) group[found++] = x->at[place];
            gn_next_index((int)axes.n, along, k);
        }
        gn_ref_product(&out->at[i], group, found);
        gn_next_index(x->rank, x->shape, at);
    }
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

/* The matrix d others[i] / d x[j], the product of all but i and j, is symmetric with a diagonal of 0, so both modes are
 * one product with it. Its row i is prod_others of x with element i replaced by 1. Shapes: x (S); the matrix (S with
 * the axes as j, then the axes again as i). */
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
const gn_op_info gn_op_prod_others = {
    .name = "prod_others",
    .arity = 1,
    .traits = GN_COMPOSITE,
    .dtypes = GN_FLOATS,
    .attrs = axes_attr,
    .nattr = 1,
    .infer = infer_same,
    .expand = expand_others,
    .eval_whole = eval_others,
    .vjp = vjp_others,
    .jvp = jvp_others,
    .gloss = "per element the product of all others along axes: the derivative of prod, right with zeros"
};
