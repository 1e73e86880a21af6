/* Rewrites of reductions that no pattern can say: lists of axes. */
#include "functions.h"
#include "match.h"
#include "ops/make.h"
#include "splat.h"
#include "sweep.h"
#include "checked.h"

static bool is_float(const gn_expr *e)
{
    return gn_is_float((gn_dtype)e->type->dtype);
}

/* r(r(x, a), b) = r(x, a and b), b's axes counted as x has them. */
static gn_expr *merged(gn_match *m)
{
    gn_expr *outer = m->root, *inner = outer->in[0];
    if (inner->op != outer->op || gn_rewriter_uses(m->rewriter, inner) > 1) return NULL;
    const gn_axis_list a = gn_axes_attr(inner), b = gn_axes_attr(outer);
    gn_axis_list both = { 0 };
    int64_t kept = 0;
    for (int64_t d = 0; d < inner->in[0]->type->n; d++) {
        const bool gone = gn_has_axis(&a, d);
        if (gone || gn_has_axis(&b, kept)) both.at[both.n++] = d;
        kept += !gone;
    }
    return gn_make_reduce(m->graph, outer->op, inner->in[0], &both);
}

gn_expr *gn_rewrite_merge_reductions(gn_match *m)
{
    return is_float(m->root) ? NULL : merged(m);
}

gn_expr *gn_rewrite_merge_float_extremes(gn_match *m)
{
    return is_float(m->root) ? merged(m) : NULL;
}

gn_expr *gn_rewrite_merge_float_reductions(gn_match *m)
{
    return is_float(m->root) ? merged(m) : NULL;
}

gn_expr *gn_rewrite_drop_unit_axes(gn_match *m)
{
    const gn_axis_list axes = gn_axes_attr(m->root);
    gn_expr *x = m->root->in[0];
    for (size_t i = 0; i < axes.n; i++)
        if (!gn_dim_is(gn_extent(x, (size_t)axes.at[i]), 1)) return NULL;
    return axes.n ? gn_make_reshape(m->graph, x, m->root->type->n, m->root->type->dim) : NULL;
}

/* sum(c x) = c sum(x), for a number c. */
gn_expr *gn_rewrite_sum_scaled(gn_match *m)
{
    gn_expr *product = m->root->in[0];
    gn_splat c;
    if (product->op != &gn_op_mul || !gn_splat_of(product->in[1], &c) || gn_rewriter_uses(m->rewriter, product) > 1)
        return NULL;
    const gn_axis_list axes = gn_axes_attr(m->root);
    gn_expr *sum = gn_make_reduce(m->graph, &gn_op_sum, product->in[0], &axes);
    return gn_make2(m->graph, &gn_op_mul, sum, gn_splat_make(m->graph, c, m->root->type));
}

/* ---- along broadcast axes ---- */

/* Axis d of the broadcast's operand, or -1 for one that it adds. */
static int64_t source_axis(const gn_attr *map, int64_t axis)
{
    for (uint32_t d = 0; d < map->n; d++)
        if (map->ints[d] == axis) return d;
    return -1;
}

/* How often each element is repeated along the reduced axes that the broadcast adds; false if that is open, 0 or
 * nothing. */
static bool repetitions(const gn_expr *root, const gn_attr *map, const gn_axis_list *axes, int64_t *n)
{
    bool any = false;
    *n = 1;
    for (size_t i = 0; i < axes->n; i++) {
        int64_t extent;
        if (source_axis(map, axes->at[i]) >= 0) continue;
        if (!gn_dim_is_const(gn_extent(root->in[0], (size_t)axes->at[i]), &extent) || extent < 1) return false;
        if (gn_mul_overflows(*n, extent, n)) return false;
        any = true;
    }
    return any;
}

/* What the reduction leaves of the broadcast: its operand reduced, and where the remaining axes go. */
static gn_expr *reduced_source(gn_match *m, const gn_attr *map, const gn_axis_list *axes, int64_t *to)
{
    gn_axis_list inner = { 0 };
    size_t n = 0;
    for (uint32_t d = 0; d < map->n; d++) {
        int64_t before = 0;
        for (size_t i = 0; i < axes->n; i++) before += axes->at[i] < map->ints[d];
        if (gn_has_axis(axes, map->ints[d])) inner.at[inner.n++] = d;
        else to[n++] = map->ints[d] - before;
    }
    return gn_make_reduce(m->graph, m->root->op, m->root->in[0]->in[0], &inner);
}

gn_expr *gn_rewrite_reduce_broadcast(gn_match *m)
{
    gn_expr *view = m->root->in[0];
    if (view->op != &gn_op_broadcast) return NULL;
    const gn_attr *map = gn_attr_of(view, "axes");
    const gn_axis_list axes = gn_axes_attr(m->root);
    int64_t n, to[GN_MAX_RANK];
    if (!repetitions(m->root, map, &axes, &n)) return NULL;
    gn_expr *x = reduced_source(m, map, &axes, to);
    if (m->root->op == &gn_op_sum) {
        const gn_dtype t = (gn_dtype)x->type->dtype;
        const gn_splat count = { .dtype = t, .f = gn_is_float(t) ? (double)n : 0, .i = n };
        x = gn_make2(m->graph, &gn_op_mul, x, gn_splat_make(m->graph, gn_splat_rounded(count), x->type));
    }
    if (x->type == m->root->type) {
        bool same = true;
        for (uint32_t d = 0; d < x->type->n; d++) same &= to[d] == d;
        if (same) return x;
    }
    const gn_attr attr[2] = { gn_attr_dims(m->root->type->n, m->root->type->dim), gn_attr_ints(x->type->n, to) };
    return gn_node(m->graph, &gn_op_broadcast, &x, 1, attr);
}
