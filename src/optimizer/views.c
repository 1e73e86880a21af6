/* Rewrites of views. A broadcast says where each axis of its operand stands in the result; with axes in any order it covers
 * permutations too, so that a chain of both is one node, which grouping reads as one index map. */
#include "functions.h"
#include "match.h"
#include "ops/make.h"
#include "splat.h"
#include "sweep.h"
#include <string.h>

/* Axis d of `source` is axis to[d] of the view's result. */
typedef struct view {
    gn_expr *source;
    int64_t to[GN_MAX_RANK];
} view;

static bool view_of(gn_expr *e, view *v)
{
    const bool turns = e->op == &gn_op_permute;
    if (!turns && e->op != &gn_op_broadcast) return false;
    const gn_attr *axes = gn_attr_of(e, "axes");
    v->source = e->in[0];
    for (uint32_t d = 0; d < axes->n; d++) {
        if (turns) v->to[axes->ints[d]] = d;
        else v->to[d] = axes->ints[d];
    }
    return true;
}

static bool is_identity(const gn_expr *source, const int64_t *to, const gn_type *type)
{
    if (source->type != type) return false;
    for (uint32_t d = 0; d < type->n; d++)
        if (to[d] != d) return false;
    return true;
}

static gn_expr *make_view(gn_graph *g, gn_expr *source, const int64_t *to, const gn_type *type)
{
    if (is_identity(source, to, type)) return source;
    const gn_attr attr[2] = { gn_attr_dims(type->n, type->dim), gn_attr_ints(source->type->n, to) };
    return gn_node(g, &gn_op_broadcast, &source, 1, attr);
}

gn_expr *gn_rewrite_merge_views(gn_match *m)
{
    view outer, inner;
    if (!view_of(m->root, &outer)) return NULL;
    if (view_of(outer.source, &inner)) {
        for (uint32_t d = 0; d < inner.source->type->n; d++) inner.to[d] = outer.to[inner.to[d]];
        outer = inner;
    }
    return make_view(m->graph, outer.source, outer.to, m->root->type);
}

gn_expr *gn_rewrite_move_splat(gn_match *m)
{
    gn_splat v;
    return gn_splat_of(m->root, &v) ? gn_splat_make(m->graph, v, m->root->type) : NULL;
}

/* Where each axis of x stands in a shape that has further axes of extent 1. */
static bool only_inserts_units(const gn_expr *x, const gn_type *shape, int64_t *to)
{
    uint32_t d = 0;
    for (uint32_t i = 0; i < shape->n; i++) {
        if (d < x->type->n && x->type->dim[d] == shape->dim[i]) to[d++] = i;
        else if (!gn_dim_is(shape->dim[i], 1)) return false;
    }
    return d == x->type->n;
}

gn_expr *gn_rewrite_unit_reshape(gn_match *m)
{
    int64_t to[GN_MAX_RANK];
    view v;
    gn_expr *x = m->root->in[0];
    if (only_inserts_units(x, m->root->type, to)) return make_view(m->graph, x, to, m->root->type);
    if (view_of(x, &v) && only_inserts_units(v.source, x->type, to) && !memcmp(to, v.to, v.source->type->n * sizeof *to))
        return gn_make_reshape(m->graph, v.source, m->root->type->n, m->root->type->dim);
    return NULL;
}

/* ---- slices and pads ---- */

static bool is_whole(const gn_attr *start, const gn_attr *step)
{
    for (uint32_t d = 0; d < start->n; d++)
        if (!gn_dim_is(start->dims[d], 0) || step->ints[d] != 1) return false;
    return true;
}

gn_expr *gn_rewrite_whole_slice(gn_match *m)
{
    return is_whole(gn_attr_of(m->root, "start"), gn_attr_of(m->root, "step")) ? m->root->in[0] : NULL;
}

gn_expr *gn_rewrite_empty_pad(gn_match *m)
{
    return gn_rewrite_whole_slice(m);
}

gn_expr *gn_rewrite_merge_slices(gn_match *m)
{
    gn_expr *inner = m->root->in[0];
    if (inner->op != &gn_op_slice) return NULL;
    const gn_attr *first = gn_attr_of(inner, "start"), *then = gn_attr_of(m->root, "start");
    const gn_attr *by = gn_attr_of(inner, "step"), *then_by = gn_attr_of(m->root, "step");
    const gn_dim *start[GN_MAX_RANK];
    int64_t step[GN_MAX_RANK];
    for (uint32_t d = 0; d < first->n; d++) {
        start[d] = gn_dim_add(&m->graph->dims, first->dims[d], gn_dim_scale(&m->graph->dims, then->dims[d], by->ints[d]));
        step[d] = by->ints[d] * then_by->ints[d];
    }
    return gn_make_slice(m->graph, inner->in[0], start, step, m->root->type->dim);
}

/* ---- sums of pads: what gradients of slices are ---- */

static bool is_zero_pad(gn_match *m, const gn_expr *e)
{
    gn_splat fill;
    if (e->op != &gn_op_pad || gn_rewriter_uses(m->rewriter, e) > 1 || !gn_splat_of(e->in[1], &fill)) return false;
    const gn_attr *step = gn_attr_of(e, "step");
    for (uint32_t d = 0; d < step->n; d++)
        if (step->ints[d] != 1) return false;
    return gn_is_float(fill.dtype) ? fill.f == 0 : fill.i == 0;
}

/* The axis along which b's elements begin where a's end, and nothing else tells both apart; -1: there is none. */
static int64_t follows(gn_match *m, const gn_expr *a, const gn_expr *b)
{
    const gn_attr *at = gn_attr_of(a, "start"), *bt = gn_attr_of(b, "start");
    int64_t axis = -1;
    for (uint32_t d = 0; d < at->n; d++) {
        if (at->dims[d] == bt->dims[d] && gn_extent(a->in[0], d) == gn_extent(b->in[0], d)) continue;
        if (axis >= 0 || gn_dim_add(&m->graph->dims, at->dims[d], gn_extent(a->in[0], d)) != bt->dims[d]) return -1;
        axis = d;
    }
    return axis;
}

/* pad(a) + pad(b) = pad(concat(a, b)); NULL: they do not lie side by side. */
static gn_expr *joined(gn_match *m, gn_expr *a, gn_expr *b)
{
    if (!is_zero_pad(m, a) || !is_zero_pad(m, b)) return NULL;
    int64_t axis = follows(m, a, b);
    if (axis < 0) {
        gn_expr *t = a;
        a = b, b = t;
        axis = follows(m, a, b);
    }
    if (axis < 0) return NULL;
    gn_expr *whole = gn_make_concat(m->graph, (gn_expr *[]){ a->in[0], b->in[0] }, 2, axis);
    return gn_make_pad(m->graph, whole, a->in[1], gn_attr_of(a, "start")->dims, gn_attr_of(a, "step")->ints,
                       m->root->type->dim);
}

/* Also (x + pad(a)) + pad(b): nowhere do more than two of the three meet. */
gn_expr *gn_rewrite_join_pads(gn_match *m)
{
    gn_expr *const *in = m->root->in, *both = joined(m, in[0], in[1]);
    if (both) return both;
    for (int side = 0; side < 2; side++) {
        gn_expr *sum = in[side], *pad = in[!side];
        if (sum->op != &gn_op_add || gn_rewriter_uses(m->rewriter, sum) > 1) continue;
        for (int k = 0; k < 2; k++)
            if ((both = joined(m, sum->in[k], pad))) return gn_make2(m->graph, &gn_op_add, sum->in[!k], both);
    }
    return NULL;
}

/* ---- views out of arithmetic ---- */

/* The operand as it stands below the broadcast that `like` is, or a number in that shape; NULL if it is broadcast
 * otherwise. */
static gn_expr *below(gn_graph *g, gn_expr *e, const view *like)
{
    gn_splat v;
    view mine;
    if (gn_splat_of(e, &v)) return gn_splat_make(g, v, like->source->type);
    if (!view_of(e, &mine) || mine.source->type->n != like->source->type->n) return NULL;
    for (uint32_t d = 0; d < mine.source->type->n; d++)
        if (mine.to[d] != like->to[d] || mine.source->type->dim[d] != like->source->type->dim[d]) return NULL;
    return mine.source;
}

static bool may_be_empty(const gn_type *t)
{
    int64_t extent;
    for (uint32_t d = 0; d < t->n; d++)
        if (!gn_dim_is_const(t->dim[d], &extent) || extent == 0) return true;
    return false;
}

gn_expr *gn_rewrite_lift_broadcast(gn_match *m)
{
    enum { MOST = 4 };
    gn_expr *in[MOST];
    gn_splat ignored;
    view like = { 0 };
    const gn_expr *e = m->root;
    for (uint32_t i = 0; i < e->nin && !like.source; i++)
        if (!gn_splat_of(e->in[i], &ignored) && !view_of(e->in[i], &like)) return NULL;
    if (!like.source || e->nin > MOST || like.source->type->n >= e->type->n) return NULL;
    if (e->op == &gn_op_check_index && may_be_empty(e->type)) return NULL; /* an index that nothing uses may be any */
    for (uint32_t i = 0; i < e->nin; i++)
        if (!(in[i] = below(m->graph, e->in[i], &like))) return NULL;
    return make_view(m->graph, gn_node(m->graph, e->op, in, e->nin, e->attr), like.to, e->type);
}
