/* A first walk finds what can be had in parts: concats, and what is elementwise upon them. All that one elementwise
 * node brings together is a cluster, by union-find over concats. A second walk asks which clusters a slice takes parts
 * of; a third makes those anew. */
#include "unstack.h"
#include "ops/make.h"
#include "splat.h"

enum { MOST_PARTS = 8 };

typedef struct stack {
    const gn_expr *like;         /* a concat with the same parts along the same axis; NULL: it cannot be had in parts */
    uint32_t cluster;            /* of a concat: one in the same cluster, or itself */
    bool alive, wanted;          /* wanted: of the cluster's first concat; a slice takes some part */
    gn_expr *next;               /* what it became */
    gn_expr **part;
} stack;

typedef struct unstacker {
    gn_graph *graph;
    gn_arena scratch;
    struct gn_core *core;
    stack *of;                   /* by node */
    size_t n;
} unstacker;

static gn_dim_pool *pool(const unstacker *u)
{
    return &u->graph->dims;
}

static uint32_t axis_of(const gn_expr *concat)
{
    return (uint32_t)concat->attr[0].i;
}

/* ---- what can be had in parts ---- */

static bool are_alike(const gn_expr *a, const gn_expr *b)
{
    bool alike = a->nin == b->nin && axis_of(a) == axis_of(b) && a->type->n == b->type->n;
    for (uint32_t k = 0; alike && k < a->nin; k++)
        alike = gn_extent(a->in[k], axis_of(a)) == gn_extent(b->in[k], axis_of(b));
    return alike;
}

static uint32_t cluster_of(const unstacker *u, const gn_expr *concat)
{
    uint32_t id = concat->id;
    while (u->of[id].cluster != id) id = u->of[id].cluster = u->of[u->of[id].cluster].cluster;
    return id;
}

static void find_like(unstacker *u, const gn_expr *e)
{
    stack *s = &u->of[e->id];
    if (e->op == &gn_op_concat && e->nin > 1 && e->nin <= MOST_PARTS) s->like = e, s->cluster = e->id;
    if (!(e->op->traits & GN_ELEMWISE) || e->op == &gn_op_check_index) return;
    for (uint32_t k = 0; k < e->nin; k++) {
        const gn_expr *like = u->of[e->in[k]->id].like;
        if (like && s->like && !are_alike(like, s->like)) {
            s->like = NULL;
            return;
        }
        if (like) s->like = like;
    }
    for (uint32_t k = 0; s->like && k < e->nin; k++) {
        const gn_expr *like = u->of[e->in[k]->id].like;
        if (like) u->of[cluster_of(u, like)].cluster = cluster_of(u, s->like);
    }
}

/* ---- what is taken ---- */

static const gn_dim *part_start(const unstacker *u, const gn_expr *concat, uint32_t k)
{
    const gn_dim *start = gn_dim_const(pool(u), 0);
    for (uint32_t i = 0; i < k; i++) start = gn_dim_add(pool(u), start, gn_extent(concat->in[i], axis_of(concat)));
    return start;
}

static bool lies_in(const gn_dim *start, const gn_dim *count, int64_t step, const gn_dim *from, const gn_dim *extent)
{
    int64_t a, n, b, m;
    if (start == from && count == extent && step == 1) return true;
    return gn_dim_is_const(start, &a) && gn_dim_is_const(count, &n) && gn_dim_is_const(from, &b) &&
           gn_dim_is_const(extent, &m) && n > 0 && step > 0 && a >= b && a + (n - 1) * step < b + m;
}

/* The part that a slice takes from alone; -1: it takes from several. */
static int32_t taken_part(const unstacker *u, const gn_expr *slice)
{
    const gn_expr *like = slice->op == &gn_op_slice ? u->of[slice->in[0]->id].like : NULL;
    for (uint32_t k = 0; like && k < like->nin; k++) {
        const uint32_t d = axis_of(like);
        if (lies_in(gn_attr_of(slice, "start")->dims[d], slice->type->dim[d], gn_attr_of(slice, "step")->ints[d],
                    part_start(u, like, k), gn_extent(like->in[k], d)))
            return (int32_t)k;
    }
    return -1;
}

static bool is_wanted(const unstacker *u, const gn_expr *e)
{
    const gn_expr *like = u->of[e->id].like;
    return like && u->of[cluster_of(u, like)].wanted;
}

/* ---- making it anew ---- */

static gn_expr *slice_of(unstacker *u, gn_expr *x, uint32_t axis, const gn_dim *from, const gn_dim *count)
{
    const gn_dim *start[GN_MAX_RANK], *shape[GN_MAX_RANK];
    int64_t step[GN_MAX_RANK];
    for (uint32_t d = 0; d < x->type->n; d++)
        start[d] = d == axis ? from : gn_dim_const(pool(u), 0), step[d] = 1, shape[d] = d == axis ? count : gn_extent(x, d);
    return gn_make_slice(u->graph, x, start, step, shape);
}

/* Arithmetic runs over a part without the stacked axis, where that has one element. */
static gn_expr *without_axis(unstacker *u, gn_expr *x, uint32_t axis)
{
    const gn_dim *shape[GN_MAX_RANK];
    uint32_t n = 0;
    if (!gn_dim_is(gn_extent(x, axis), 1)) return x;
    for (uint32_t d = 0; d < x->type->n; d++)
        if (d != axis) shape[n++] = gn_extent(x, d);
    return gn_make_reshape(u->graph, x, n, shape);
}

/* A part as it stands in the concat. */
static gn_expr *with_axis(unstacker *u, gn_expr *part, const gn_expr *like, uint32_t k)
{
    const gn_type *t = like->in[k]->type;
    return part->type->n == t->n ? part : gn_make_reshape(u->graph, part, t->n, t->dim);
}

static gn_expr *part_of(unstacker *u, const gn_expr *x, const gn_expr *like, uint32_t k)
{
    const stack *s = &u->of[x->id];
    const uint32_t axis = axis_of(like);
    gn_splat number;
    if (s->part) return s->part[k];
    gn_expr *part = gn_splat_of(x, &number)
                            ? gn_splat_make(u->graph, number, like->in[k]->type)
                            : slice_of(u, s->next, axis, part_start(u, like, k), gn_extent(like->in[k], axis));
    return without_axis(u, part, axis);
}

static gn_expr *part_made(unstacker *u, const gn_expr *e, const gn_expr *like, uint32_t k)
{
    if (e->op == &gn_op_concat) return without_axis(u, u->of[e->in[k]->id].next, axis_of(like));
    gn_expr **in = GN_NEW_ARRAY(&u->scratch, gn_expr *, e->nin);
    for (uint32_t i = 0; i < e->nin; i++) in[i] = part_of(u, e->in[i], like, k);
    return gn_node(u->graph, e->op, in, e->nin, e->attr);
}

static gn_expr *joined(unstacker *u, const stack *s)
{
    gn_expr *whole[MOST_PARTS];
    for (uint32_t k = 0; k < s->like->nin; k++) whole[k] = with_axis(u, s->part[k], s->like, k);
    return gn_make_concat(u->graph, whole, s->like->nin, axis_of(s->like));
}

static gn_expr *same_of_next(unstacker *u, gn_expr *e)
{
    gn_expr **in = GN_NEW_ARRAY(&u->scratch, gn_expr *, e->nin);
    bool changed = false;
    for (uint32_t i = 0; i < e->nin; i++) in[i] = u->of[e->in[i]->id].next, changed |= in[i] != e->in[i];
    return changed ? gn_node(u->graph, e->op, in, e->nin, e->attr) : e;
}

static gn_expr *taken(unstacker *u, const gn_expr *slice, uint32_t k)
{
    const gn_expr *like = u->of[slice->in[0]->id].like;
    const gn_attr *start = gn_attr_of(slice, "start"), *step = gn_attr_of(slice, "step");
    const gn_dim *from[GN_MAX_RANK];
    for (uint32_t d = 0; d < slice->type->n; d++)
        from[d] = d == axis_of(like) ? gn_dim_sub(pool(u), start->dims[d], part_start(u, like, k)) : start->dims[d];
    return gn_make_slice(u->graph, with_axis(u, u->of[slice->in[0]->id].part[k], like, k), from, step->ints,
                         slice->type->dim);
}

static void make(unstacker *u, gn_expr *e)
{
    stack *s = &u->of[e->id];
    if (is_wanted(u, e)) {
        s->part = GN_NEW_ARRAY(&u->scratch, gn_expr *, s->like->nin);
        for (uint32_t k = 0; k < s->like->nin; k++) s->part[k] = part_made(u, e, s->like, k);
        s->next = joined(u, s);
        return;
    }
    const int32_t k = e->op == &gn_op_slice && is_wanted(u, e->in[0]) ? taken_part(u, e) : -1;
    s->next = k >= 0 ? taken(u, e, (uint32_t)k) : same_of_next(u, e);
}

static void find_alive(unstacker *u)
{
    for (size_t i = 0; i < u->core->out.n; i++) u->of[u->core->out.at[i]->id].alive = true;
    for (size_t i = 0; i < u->core->update.n; i++) u->of[u->core->update.at[i]->id].alive = true;
    for (size_t id = u->n; id-- > 0;)
        for (uint32_t k = 0; u->of[id].alive && k < u->graph->nodes.at[id]->nin; k++)
            u->of[u->graph->nodes.at[id]->in[k]->id].alive = true;
}

static void unstack(void *arg)
{
    unstacker *u = arg;
    bool any = false;
    u->of = GN_NEW_ARRAY(&u->scratch, stack, u->n + 1);
    find_alive(u);
    for (size_t id = 0; id < u->n; id++)
        if (u->of[id].alive) find_like(u, u->graph->nodes.at[id]);
    for (size_t id = 0; id < u->n; id++) {
        const gn_expr *e = u->graph->nodes.at[id];
        if (!u->of[id].alive || taken_part(u, e) < 0) continue;
        u->of[cluster_of(u, u->of[e->in[0]->id].like)].wanted = any = true;
    }
    if (!any) return;
    for (size_t id = 0; id < u->n; id++)
        if (u->of[id].alive) make(u, u->graph->nodes.at[id]);
    for (size_t i = 0; i < u->core->out.n; i++) u->core->out.at[i] = u->of[u->core->out.at[i]->id].next;
    for (size_t i = 0; i < u->core->update.n; i++) u->core->update.at[i] = u->of[u->core->update.at[i]->id].next;
}

void gn_unstack(struct gn_core *core)
{
    unstacker u = {
        .graph = core->graph, .core = core, .n = core->graph->nodes.n, .scratch.allocator = core->graph->arena.allocator
    };
    const gn_status status = gn_protect(unstack, &u);
    gn_arena_free(&u.scratch);
    gn_check(status);
}
