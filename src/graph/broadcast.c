/* Broadcasting of builders' operands: after it, every operand has the shape of the result, and repetition is a node
 * that anyone can see. */
#include "op.h"

typedef struct common {
    size_t rank;
    const gn_dim *dim[GN_MAX_RANK]; /* of the result, from the front */
} common;

/* The extent of an axis: of those that are not known to be 1, a known one before a named one. */
static const gn_dim *common_extent(gn_graph *g, const char *op, size_t n, gn_expr *const *e, size_t from_end)
{
    const gn_dim *best = NULL;
    for (size_t i = 0; i < n; i++) {
        if (e[i]->type->n < from_end) continue;
        const gn_dim *const d = e[i]->type->dim[e[i]->type->n - from_end];
        if (gn_dim_is(d, 1)) continue;
        if (best && gn_dim_never_equal(&g->dims, best, d))
            gn_throw_at(g, GN_ESHAPE, op, e, n, "extents of axis -%zu differ: %s and %s", from_end,
                        gn_dim_text(&g->arena, best), gn_dim_text(&g->arena, d));
        if (!best || (gn_dim_is_const(d, NULL) && !gn_dim_is_const(best, NULL))) best = d;
    }
    return best ? best : gn_dim_const(&g->dims, 1);
}

/* x with its axes where the result has them; those of extent 1 that must be repeated are taken out first. */
static gn_expr *repeat(gn_graph *g, gn_expr *x, const common *to)
{
    const gn_dim *kept[GN_MAX_RANK], *shape[GN_MAX_RANK];
    int64_t axes[GN_MAX_RANK];
    uint32_t n = 0;
    const size_t missing = to->rank - x->type->n;
    for (size_t d = 0; d < to->rank; d++) {
        const gn_dim *const own = d >= missing ? x->type->dim[d - missing] : NULL;
        const bool repeats = !own || (gn_dim_is(own, 1) && !gn_dim_is(to->dim[d], 1));
        shape[d] = repeats ? to->dim[d] : own;
        if (!repeats) kept[n] = own, axes[n++] = (int64_t)d;
    }
    if (n == to->rank) return x;
    if (n < x->type->n) {
        const gn_attr attr = { .kind = GN_ATTR_DIMS, .n = n, .dims = kept };
        x = gn_node(g, &gn_op_reshape, &x, 1, &attr);
    }
    const gn_attr attr[2] = { { .kind = GN_ATTR_DIMS, .n = (uint32_t)to->rank, .dims = shape },
                              { .kind = GN_ATTR_INTS, .n = n, .ints = axes } };
    return gn_node(g, &gn_op_broadcast, &x, 1, attr);
}

void gn_broadcast_common(gn_graph *g, const char *op, size_t n, gn_expr **e)
{
    common to = { 0 };
    bool same = true;
    for (size_t i = 0; i < n; i++) {
        same = same && e[i]->type->n == e[0]->type->n && e[i]->type->dim == e[0]->type->dim;
        if (e[i]->type->n > to.rank) to.rank = e[i]->type->n;
    }
    if (same) return; /* one type: the usual case */
    for (size_t k = 1; k <= to.rank; k++) to.dim[to.rank - k] = common_extent(g, op, n, e, k);
    gn_lint_broadcast(g, n, e, to.rank, to.dim);
    for (size_t i = 0; i < n; i++) e[i] = repeat(g, e[i], &to);
}
