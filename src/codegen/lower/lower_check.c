/* Legality of a schedule's directives, as far as it needs no placement: one sentence per rule. Homes and addresses
 * check the rest.
 */
#include <inttypes.h>
#include "lower.h"
#include "visit.h"

static const char *leaf_name(const gn_lower *g, uint32_t l)
{
    return g->leaves.at[l].name;
}

/* ---- leaves ---- */

static void check_names(const gn_lower *g)
{
    for (uint32_t i = 0; i < g->leaves.n; i++) {
        const char *n = leaf_name(g, i);
        const int32_t a = gn_kernel_find_axis(g->kernel, n);
        const bool own = a >= 0 && g->axes.at[a].leaf.n == 1 && g->axes.at[a].leaf.at[0] == i;
        if ((a >= 0 && !own) || gn_kernel_find_sym(g->kernel, n) >= 0 || gn_kernel_find_buf(g->kernel, n) >= 0 ||
            gn_kernel_find_def(g->kernel, n) >= 0)
            gn_illegal(g, "split: the leaf '%s' has the name of something else in the kernel", n);
    }
}

/* A split whose outermost leaf has an extent must reach the end of its axis, which is known then. */
static void check_cover(const gn_lower *g)
{
    for (uint32_t a = 0; a < g->nown; a++) {
        const gn_laxis *x = &g->axes.at[a];
        const int64_t outer = x->into ? 0 : g->leaves.at[x->leaf.at[0]].extent;
        int64_t e;
        if (!outer || (gn_dim_is_const(x->extent, &e) && (e - 1) / x->stride.at[0] < outer)) continue;
        gn_text t = { .arena = g->arena };
        gn_dim_show(&t, x->extent);
        gn_illegal(g,
                   "split %s: its leaves have %" PRId64
                   " points, the axis has %s; name an outermost leaf without an extent",
                   x->name, outer * x->stride.at[0], gn_text_done(&t));
    }
}

static void check_split(const gn_lower *g)
{
    for (uint32_t a = 0; a < g->axes.n; a++)
        for (uint32_t b = 0; b < a; b++) {
            const gn_laxis *x = &g->axes.at[a], *y = &g->axes.at[b];
            for (size_t i = 0; i < x->leaf.n; i++)
                for (size_t j = 0; j < y->leaf.n; j++) {
                    const bool stands_for_leaf = a >= g->nown && (x->leaf.n == 1 || y->leaf.n == 1); /* rfactor's */
                    if (x->leaf.at[i] != y->leaf.at[j] || stands_for_leaf) continue;
                    if (i || j || x->stride.at[i] != y->stride.at[j] || x->extent != y->extent)
                        gn_illegal(g,
                                   "split: '%s' and '%s' share the leaf '%s', which takes the outermost place, equal "
                                   "strides and "
                                   "equal extents of both",
                                   x->name, y->name, leaf_name(g, x->leaf.at[i]));
                }
        }
}

static bool is_width(int64_t lanes)
{
    return lanes == 2 || lanes == 4 || lanes == 8 || lanes == 16;
}

static bool is_tensorized(const gn_lower *g, uint32_t leaf)
{
    for (size_t i = 0; i < g->schedule->tensorizes.n; i++) {
        const gn_tensorize *t = &g->schedule->tensorizes.at[i];
        if (gn_leaf_place(t->leaf.n, t->leaf.at, leaf) < t->leaf.n) return true;
    }
    return false;
}

/* Blocks of a cluster are neighbours in their dim of the grid, and few. */
static void check_cluster(const gn_lower *g, size_t at)
{
    const gn_lleaf *const l = &g->leaves.at[g->order.at[at]];
    int64_t n = 1, blocks = 1;
    for (size_t i = 0; i <= at; i++) {
        const gn_lleaf *const o = &g->leaves.at[g->order.at[i]];
        if (!o->cluster) continue;
        if (!l->cluster && o->grid == l->grid)
            gn_illegal(g, "bind block %s: it stands behind '%s', a leaf of the cluster in the same dim of the grid", l->name,
                       o->name);
        if (!gn_dim_is_const(o->points, &n) || n < 1 || n > GN_MOST_CLUSTER || (blocks *= n) > GN_MOST_CLUSTER)
            gn_illegal(g, "bind block :cluster %s: a cluster has a constant number of blocks, %d at most", o->name,
                       GN_MOST_CLUSTER);
    }
}

static void check_binds(const gn_lower *g)
{
    bool tile = false;
    for (size_t i = 0; i < g->order.n; i++) {
        const gn_lleaf *l = &g->leaves.at[g->order.at[i]];
        int64_t n = 0;
        if (gn_is_tile_bind(l->bind)) {
            tile = true;
            if (!gn_dim_is_const(l->points, &n))
                gn_illegal(g, "bind %s %s: the extent is not constant", gn_bind_names[l->bind], l->name);
            if (l->bind != GN_BIND_LANE && n > 512)
                gn_illegal(g, "bind %s %s: %" PRId64 " points are too many", gn_bind_names[l->bind], l->name, n);
        } else if (tile && !is_tensorized(g, g->order.at[i]))
            gn_illegal(g, "order: '%s' stands after a leaf that is bound to lane, unroll, private or tile", l->name);
        if (l->bind == GN_BIND_LANE && g->cuda)
            gn_illegal(g, "bind lane %s: the target %s has no vectors", l->name, g->target->name);
        if (l->bind == GN_BIND_LANE && !is_width(n))
            gn_illegal(g, "bind lane %s: %" PRId64 " lanes, the target %s has 2, 4, 8 and 16", l->name, n, g->target->name);
        if ((l->bind == GN_BIND_BLOCK || l->bind == GN_BIND_THREAD) && !g->cuda)
            gn_illegal(g, "bind %s %s: the target %s has no blocks and threads", gn_bind_names[l->bind], l->name,
                       g->target->name);
        if (l->bind == GN_BIND_PART && g->cuda)
            gn_illegal(g, "bind part %s: the target %s has blocks instead", l->name, g->target->name);
        if (l->bind == GN_BIND_BLOCK) check_cluster(g, i);
        if (l->bind == GN_BIND_THREAD && !gn_dim_is_const(l->points, &n))
            gn_illegal(g, "bind thread %s: the extent is not constant", l->name);
        if (l->bind != GN_BIND_NONE && l->unroll)
            gn_illegal(g, "unroll %s: the leaf is bound to %s, it is no loop", l->name, gn_bind_names[l->bind]);
        if (l->bind != GN_BIND_NONE && l->peel)
            gn_illegal(g, "peel %s: the leaf is bound to %s, it is no loop", l->name, gn_bind_names[l->bind]);
    }
}

/* ---- statements ---- */

enum { MOST_POINTS = 4096 }; /* of a statement, each written out */

/* One operation does all its points. */
static bool is_row_leaf(const gn_ldef *d, uint32_t leaf)
{
    for (size_t i = 0; d->tile && i < d->tile->leaf.n; i++)
        if (d->tile->leaf.at[i] == leaf) return true;
    return false;
}

static void check_lanes(const gn_lower *g, const gn_ldef *d)
{
    const gn_leafset all = gn_set_or(d->params, d->reduced);
    int32_t lane = -1;
    uint32_t tiles = 0;
    int64_t points = 1;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (!gn_set_has(&all, l)) continue;
        tiles += gn_is_tile_leaf(g, l);
        if (gn_is_tile_leaf(g, l) && points <= MOST_POINTS && g->leaves.at[l].bind != GN_BIND_LANE && !is_row_leaf(d, l))
            points *= gn_points(g, l);
        if (g->leaves.at[l].bind != GN_BIND_LANE) continue;
        if (lane >= 0)
            gn_illegal(g, "bind lane: '%s' has two lane leaves, '%s' and '%s'", d->name, leaf_name(g, (uint32_t)lane),
                       leaf_name(g, l));
        lane = (int32_t)l;
    }
    if (points > MOST_POINTS)
        gn_illegal(g, "order: '%s' would be written out at more than %d points", d->name, MOST_POINTS);
    if (tiles > 16) gn_illegal(g, "order: '%s' has %u tile leaves, at most 16 are supported", d->name, tiles);
}

/* Threads merge as a whole block: a reduction along one thread leaf is one along all. */
static void check_block(const gn_lower *g, const gn_ldef *d)
{
    int32_t along = -1, other = -1;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (g->leaves.at[l].bind != GN_BIND_THREAD) continue;
        if (gn_set_has(&d->reduced, l) || gn_set_has(&d->scanned, l))
            along = (int32_t)l;
        else
            other = (int32_t)l;
    }
    if (along >= 0 && other >= 0)
        gn_illegal(g, "bind thread %s: '%s' is reduced along it by all threads of the block, but not along '%s'",
                   leaf_name(g, (uint32_t)along), d->name, leaf_name(g, (uint32_t)other));
}

/* How deep a leaf of a prefix stands: loops, then threads, then points, then lanes. */
static int depth_of(uint8_t bind)
{
    return bind == GN_BIND_LANE ? 3 : bind == GN_BIND_PRIVATE || bind == GN_BIND_UNROLL ? 2 : bind == GN_BIND_THREAD;
}

/* Its loops run in the order of the axis, and what is scanned at once is inside of them. */
static void check_prefix(const gn_lower *g, const gn_ldef *d)
{
    const gn_laxis *a = &g->axes.at[d->raxis[0]];
    if (d->online >= 0) gn_illegal(g, "online %s: it is a prefix", d->name);
    for (size_t i = d->chunk ? 1 : 0; i < a->leaf.n; i++) {
        const gn_lleaf *l = &g->leaves.at[a->leaf.at[i]];
        for (size_t k = d->chunk ? 1 : 0; k < i; k++)
            if (depth_of(g->leaves.at[a->leaf.at[k]].bind) > depth_of(l->bind))
                gn_illegal(g, "bind %s %s: '%s' is a prefix along '%s', and inside of that leaf '%s' is bound to %s",
                           gn_bind_names[g->leaves.at[a->leaf.at[k]].bind], leaf_name(g, a->leaf.at[k]), d->name, a->name,
                           l->name, gn_bind_names[l->bind]);
        if (i && l->place < g->leaves.at[a->leaf.at[i - 1]].place)
            gn_illegal(g, "order: '%s' is a prefix along '%s', whose leaves do not run in the order of its points",
                       d->name, a->name);
    }
}

static void check_reduction(const gn_lower *g, const gn_ldef *d)
{
    if (d->prefix) check_prefix(g, d);
    check_block(g, d);
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        const uint8_t b = g->leaves.at[l].bind;
        if (gn_set_has(&d->reduced, l) && (b == GN_BIND_PART || b == GN_BIND_BLOCK))
            gn_illegal(g, "bind %s %s: '%s' is reduced along it; rfactor it first", gn_bind_names[b], leaf_name(g, l),
                       d->name);
        if (gn_set_has(&d->reduced, l) && b == GN_BIND_TILE && !d->row)
            gn_illegal(g, "bind tile %s: '%s' is not tensorized", leaf_name(g, l), d->name);
    }
}

/* Copies that are under way while earlier ones are used. */
static void check_depth(const gn_lower *g, const gn_ldef *d)
{
    enum { DEEPEST = 8 };
    const gn_stage *s = d->stage;
    const gn_lleaf *at = s->at >= 0 ? &g->leaves.at[s->at] : NULL;
    if (s->level != GN_LEVEL_SHARED || !at)
        gn_illegal(g, "stage %s: (depth %d) is for level shared, (at leaf)", d->name, s->depth);
    if (at->bind != GN_BIND_NONE || at->peel)
        gn_illegal(g, "stage %s: (depth %d): '%s' is %s, it is no whole serial loop", d->name, s->depth, at->name,
                   at->peel ? "peeled" : "bound");
    if (d->body->kind != GN_K_LOAD)
        gn_illegal(g, "stage %s: (depth %d): it is no plain load", d->name, s->depth);
    for (size_t i = 0; i < d->body->nindex; i++)
        if (gn_dim_has_load(d->body->index[i]))
            gn_illegal(g, "stage %s: (depth %d): data decide what is loaded", d->name, s->depth);
    if (s->depth > DEEPEST) gn_illegal(g, "stage %s: (depth %d): at most %d", d->name, s->depth, DEEPEST);
}

static void check_stage(const gn_lower *g, const gn_ldef *d)
{
    const gn_stage *s = d->stage;
    if (s->depth > 1) check_depth(g, d);
    if (s->copy.n && s->level != GN_LEVEL_SHARED) gn_illegal(g, "stage %s: (copy ..) is for level shared", d->name);
    if (s->at != GN_AT_NONE && d->red != GN_RED_NONE)
        gn_illegal(g, "stage %s: (at ..) is for definitions without a reduction", d->name);
    if (s->at == GN_AT_ROOT && s->level != GN_LEVEL_ARENA)
        gn_illegal(g, "stage %s: (at root) makes a step of its own, only arena outlives a step", d->name);
    if (s->at >= 0 && gn_is_tile_leaf(g, (uint32_t)s->at))
        gn_illegal(g, "stage %s: (at %s): the leaf is no loop", d->name, leaf_name(g, (uint32_t)s->at));
    for (size_t i = 0; i < s->layout.n; i++)
        if (!gn_set_has(&d->params, s->layout.at[i]))
            gn_illegal(g, "stage %s: layout: '%s' is no leaf of its parameters", d->name, leaf_name(g, s->layout.at[i]));
    for (size_t i = 0; i < s->copy.n; i++)
        if (!gn_set_has(&d->params, s->copy.at[i]))
            gn_illegal(g, "stage %s: copy: '%s' is no leaf of its parameters", d->name, leaf_name(g, s->copy.at[i]));
    if (s->level == GN_LEVEL_SHARED && d->red != GN_RED_NONE)
        gn_illegal(g, "stage %s shared: it is a reduction; copies alone, which all threads fill, are shared", d->name);
    if (s->level == GN_LEVEL_SHARED && s->at == GN_AT_NONE)
        gn_illegal(g, "stage %s shared: (at leaf) is missing: all threads fill it there", d->name);
    if (s->swizzle && s->level != GN_LEVEL_SHARED) gn_illegal(g, "stage %s: (swizzle ..) is for level shared", d->name);
    if (s->pad_leaf >= 0 && gn_leaf_place(s->layout.n, s->layout.at, (uint32_t)s->pad_leaf) == s->layout.n)
        gn_illegal(g, "stage %s: pad: '%s' is not in its layout", d->name, leaf_name(g, (uint32_t)s->pad_leaf));
}

/* ---- online: every use of m inside the loop is exp(x - m), a factor of a sum ---- */

static bool is_op(const gn_kexpr *e, const gn_op_info *op)
{
    return e->kind == GN_K_OP && e->u.op == op;
}

typedef struct uses_of { /* of the maximum m */
    const gn_lower *g;
    const gn_ldef *m;
    /* by item: it needs m, through definitions without a reduction; its body is x * exp(y - m) with x and y free of m */
    bool *reaches, *scaled;
} uses_of;

static bool is_scaled(const uses_of *u, const gn_kexpr *e, const gn_map *reads, const gn_map *scaled)
{
    const gn_lower *g = u->g;
    if (e->kind == GN_K_REF)
        return g->def[e->u.ref] != u->m && g->def[e->u.ref]->red == GN_RED_NONE && u->scaled[g->def[e->u.ref]->index];
    if (is_op(e, &gn_op_mul))
        for (int i = 0; i < 2; i++)
            if (gn_map_get(scaled, e->a[i]->id) && !gn_map_get(reads, e->a[!i]->id)) return true;
    return is_op(e, &gn_op_exp) && is_op(e->a[0], &gn_op_sub) && !gn_map_get(reads, e->a[0]->a[0]->id) &&
           e->a[0]->a[1]->kind == GN_K_REF && g->def[e->a[0]->a[1]->u.ref] == u->m;
}

static void note_uses(uses_of *u, const gn_ldef *d)
{
    const gn_lower *g = u->g;
    gn_map reads = { 0 }, scaled = { 0 };
    gn_visit v = { .arena = g->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, d->body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        const gn_ldef *q = e->kind == GN_K_REF ? g->def[e->u.ref] : NULL;
        bool found = q == u->m || (q && q != d && q->red == GN_RED_NONE && u->reaches[q->index]);
        u->reaches[d->index] |= q && q != d && (q == u->m || (q->red == GN_RED_NONE && u->reaches[q->index]));
        for (size_t i = 0; i < e->n; i++) found |= gn_map_get(&reads, e->a[i]->id) != NULL;
        if (found) *gn_map_put(g->arena, &reads, e->id) = (void *)e;
        if (is_scaled(u, e, &reads, &scaled)) *gn_map_put(g->arena, &scaled, e->id) = (void *)e;
    }
    u->scaled[d->index] = gn_map_get(&scaled, d->body->id);
}

static bool reads_def(const gn_lower *g, const gn_ldef *d, const gn_ldef *q)
{
    for (size_t r = 0; r < d->refs.n; r++)
        if (g->def[d->refs.at[r]->u.ref] == q) return true;
    return false;
}

/* What may see the maximum before it is whole: sums that are corrected, and copies that only those read. */
static void find_online_users(const gn_lower *g, gn_ldef *m)
{
    bool *may = GN_NEW_ARRAY(g->arena, bool, g->items.n);
    for (size_t i = g->items.n; i-- > 0;) {
        const gn_ldef *d = g->items.at[i];
        may[i] = d->red == GN_RED_SUM && gn_set_has(&d->reduced, (uint32_t)m->online);
        if (d->is_store || d->red != GN_RED_NONE) continue;
        bool used = false, all = true;
        for (size_t k = i + 1; k < g->items.n; k++)
            if (reads_def(g, g->items.at[k], d)) used = true, all &= may[k];
        may[i] = used && all && gn_set_has(&d->params, (uint32_t)m->online);
    }
    m->online_users = may;
}

static void check_online(const gn_lower *g, gn_ldef *m)
{
    const uint32_t l = (uint32_t)m->online;
    if (m->red != GN_RED_MAX || !gn_is_float(m->dtype)) gn_illegal(g, "online %s: it is no maximum of floats", m->name);
    if (!gn_set_has(&m->reduced, l))
        gn_illegal(g, "online %s %s: it is not reduced along that leaf", m->name, leaf_name(g, l));
    if (gn_is_tile_leaf(g, l) || g->leaves.at[l].bind == GN_BIND_THREAD)
        gn_illegal(g, "online %s %s: the leaf is bound to %s, it is no loop", m->name, leaf_name(g, l),
                   gn_bind_names[g->leaves.at[l].bind]);
    for (uint32_t x = 0; x < g->leaves.n; x++)
        if (gn_set_has(&m->reduced, x) && x != l)
            gn_illegal(g, "online %s: it is reduced along '%s' too; rfactor it by '%s'", m->name, leaf_name(g, x),
                       leaf_name(g, l));
    uses_of u = { g, m, GN_NEW_ARRAY(g->arena, bool, g->items.n), GN_NEW_ARRAY(g->arena, bool, g->items.n) };
    for (size_t i = 0; i < g->items.n; i++) {
        const gn_ldef *d = g->items.at[i];
        note_uses(&u, d);
        if (!gn_set_has(&d->reduced, l) || d == m || !u.reaches[d->index]) continue;
        if (d->red != GN_RED_SUM || !u.scaled[d->index])
            gn_illegal(g, "online %s: '%s' uses it inside '%s' otherwise than as a factor exp(x - %s) of a sum",
                       m->name, d->name, leaf_name(g, l), m->name);
    }
    find_online_users(g, m);
}

static void check_unit_leaf(const gn_lower *g, const gn_ldef *d, const gn_tile_leaf *of, uint32_t l)
{
    const bool reduced = of->dim == 'k';
    if (gn_set_has(&d->reduced, l) != reduced)
        gn_illegal(g, "tensorize %s %s: '%s' is %s", d->name, d->row->name, leaf_name(g, l),
                   reduced ? "a parameter's, the row sums over it" : "reduced, the row does not sum over it");
    if (reduced ? g->leaves.at[l].bind != GN_BIND_TILE : !gn_is_tile_leaf(g, l))
        gn_illegal(g, "tensorize %s %s: the leaf '%s' is not bound to %s", d->name, d->row->name, leaf_name(g, l),
                   reduced ? "tile" : "tile, unroll, private or lane");
}

static void check_unit(const gn_lower *g, const gn_ldef *d)
{
    const gn_tile_op *row = d->row;
    const uint8_t level = d->stage ? d->stage->level : GN_LEVEL_REG;
    if (level == GN_LEVEL_REG || level == GN_LEVEL_SHARED)
        gn_illegal(g, "tensorize %s %s: its accumulators are opaque: stage %s stack, scratch or arena", d->name,
                   row->name, d->name);
    if (!gn_set_empty(d->private))
        gn_illegal(g, "tensorize %s %s: its accumulators are opaque, and lanes, private points or threads reduce it",
                   d->name, row->name);
    if (d->dtype != row->c.dtype)
        gn_illegal(g, "tensorize %s %s: it is %s, the row adds up %s", d->name, row->name, gn_dtype_name(d->dtype),
                   gn_dtype_name(row->c.dtype));
}

static void check_tensorize(const gn_lower *g, const gn_ldef *d)
{
    const gn_tile_op *row = d->row;
    if (!row) gn_illegal(g, "tensorize %s %s: the target %s has no such row", d->name, d->tile->row, g->target->name);
    const bool copy = row->kind == GN_TILE_COPY;
    const size_t want = (size_t)row->nleaf;
    if (d->tile->leaf.n != want)
        gn_illegal(g, "tensorize %s %s: %zu leaves, the row takes %zu", d->name, row->name, d->tile->leaf.n, want);
    const gn_leafset all = gn_set_or(d->params, d->reduced);
    for (size_t i = 0; i < want; i++) {
        const uint32_t l = d->tile->leaf.at[i];
        const int extent = row->leaf[i].extent;
        int64_t n = 0;
        if (!gn_set_has(&all, l))
            gn_illegal(g, "tensorize %s %s: '%s' is no leaf of it", d->name, row->name, leaf_name(g, l));
        if (!gn_dim_is_const(g->leaves.at[l].points, &n) || n != extent)
            gn_illegal(g, "tensorize %s %s: the leaf '%s' has not the %d points that the row takes", d->name, row->name,
                       leaf_name(g, l), extent);
        if (row->kind == GN_TILE_UNIT) {
            check_unit_leaf(g, d, &row->leaf[i], l);
            continue;
        }
        const uint8_t bind = row->leaf[i].bind == 't'   ? GN_BIND_THREAD
                             : row->leaf[i].bind == 'u' ? GN_BIND_UNROLL
                                                        : GN_BIND_TILE;
        if (!copy && g->leaves.at[l].bind != bind)
            gn_illegal(g, "tensorize %s %s: the leaf '%s' is not bound to %s", d->name, row->name, leaf_name(g, l),
                       gn_bind_names[bind]);
    }
    if (copy && (d->red != GN_RED_NONE || d->body->kind != GN_K_LOAD))
        gn_illegal(g, "tensorize %s %s: it is no plain load of a buffer", d->name, row->name);
    if (copy && d->dtype != row->c.dtype)
        gn_illegal(g, "tensorize %s %s: it is %s, the row moves %s", d->name, row->name, gn_dtype_name(d->dtype),
                   gn_dtype_name(row->c.dtype));
    if (row->kind == GN_TILE_UNIT) check_unit(g, d);
    if (row->kind == GN_TILE_MMA && d->stage && d->stage->level != GN_LEVEL_REG)
        gn_illegal(g, "tensorize %s %s: its accumulators are registers, 'stage %s' has others", d->name, row->name,
                   d->name);
    if (!copy && (d->red != GN_RED_SUM || !is_op(d->body, &gn_op_mul)))
        gn_illegal(g, "tensorize %s %s: it is no sum of products", d->name, row->name);
}

void gn_lower_check(gn_lower *g)
{
    check_names(g);
    check_split(g);
    check_cover(g);
    check_binds(g);
    gn_check_extents(g);
    for (size_t i = 0; i < g->items.n; i++) {
        gn_ldef *d = g->items.at[i];
        if (d->tile) check_tensorize(g, d);
        check_lanes(g, d);
        check_reduction(g, d);
        if (d->stage) check_stage(g, d);
        if (d->online >= 0) check_online(g, d);
    }
}
