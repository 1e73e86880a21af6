/* Pass decompose: what has a body or a definition in simpler ops becomes that. */
#include "functions.h"
#include "match.h"
#include "ops/make.h"
#include "splat.h"

/* A composite with several results becomes a tuple of them; proj_tuple picks. */
gn_expr *gn_rewrite_expand(gn_match *m)
{
    gn_expr *e = m->root;
    gn_graph *g = m->graph;
    const gn_type **type = GN_NEW_ARRAY(&g->arena, const gn_type *, e->nin);
    for (uint32_t i = 0; i < e->nin; i++) type[i] = e->in[i]->type;
    const gn_region *body = e->op->expand(g, type, e->nin, e->attr);
    gn_expr **out = GN_NEW_ARRAY(&g->arena, gn_expr *, body->nout);
    gn_region_inline(g, body, e->in, out);
    if (body->nout > 1) return gn_make_tuple(g, out, body->nout);
    /* of extents that only the call can show to be equal, it may have taken others */
    return gn_make_reshape(g, out[0], e->type->n, e->type->dim);
}

gn_expr *gn_rewrite_proj_tuple(gn_match *m)
{
    const gn_expr *tuple = m->root->in[0];
    return tuple->op == &gn_op_tuple ? tuple->in[gn_attr_of(m->root, "index")->i] : NULL;
}

/* Where x equals its extreme m (or is NaN, which m then is too), and the least such position:
 *     min over the axis of select(x = m or x != x, position, greatest)
 * NaN equals nothing, so in a row with one only NaNs are left. Positions are 32 bits wide where the extent is known to
 * allow it: twice as many in a vector. Over no elements the minimum is the greatest integer; the op says 0. */
gn_expr *gn_rewrite_expand_position(gn_match *m)
{
    gn_graph *g = m->graph;
    gn_expr *x = m->root->in[0];
    const gn_axis_list axis = { 1, { gn_attr_of(m->root, "axis")->i } };
    const gn_op_info *reduce = m->root->op == &gn_op_argmax ? &gn_op_max : &gn_op_min;
    gn_expr *extreme = gn_make_reduce(g, reduce, x, &axis);
    gn_expr *here = gn_make2(g, &gn_op_eq, x, gn_make_unreduce(g, extreme, x, &axis));
    if (gn_is_float(gn_dtype_in(x))) here = gn_make2(g, &gn_op_or, here, gn_make2(g, &gn_op_ne, x, x));
    int64_t extent;
    const bool is_known = gn_dim_is_const(gn_extent(x, (size_t)axis.at[0]), &extent),
               is_short = is_known && extent < INT32_MAX;
    const gn_dtype t = is_short ? GN_I32 : GN_I64;
    gn_expr *position = gn_make_iota(g, t, gn_rank_in(x), x->type->dim, axis.at[0]);
    const gn_splat none = { .dtype = t, .i = is_short ? INT32_MAX : INT64_MAX };
    gn_expr *least = gn_make_reduce(
        g, &gn_op_min, gn_make3(g, &gn_op_select, here, position, gn_splat_make(g, none, position->type)), &axis);
    if (!is_known || extent == 0) {
        gn_expr *empty = gn_make2(g, &gn_op_eq, least, gn_splat_make(g, none, least->type));
        least = gn_make3(g, &gn_op_select, empty, gn_make_like(g, least, 0), least);
    }
    return is_short ? gn_make_cast(g, least, GN_I64) : least;
}
