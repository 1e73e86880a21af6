/* The verifier of placed statements: loops, thread numbers and sizes here; stores and kept values in files of their own. */
#include <inttypes.h>
#include "verify.h"

const char *const gn_stmt_names[] = { "init", "upd", "merge", "asg", "store" };

const gn_domain *gn_domain_at(const gn_verifier *v, const gn_tree *stmt)
{
    const gn_domain *d = gn_map_get(&v->of, GN_KEY(stmt));
    if (!d) gn_illegal(v->g, "order: '%s' has a statement that is nowhere in the tree", stmt->def->name);
    return d;
}

/* ---- loops ---- */

typedef struct naming {
    gn_verifier *v;
    gn_guards *guards;
} naming;

static void add_guard(naming *n, uint32_t axis);

static void add_guard_of(void *user, const char *symbol)
{
    const naming *n = user;
    const uintptr_t a = (uintptr_t)gn_map_get(&n->v->g->axis_of, GN_KEY(symbol));
    if (a) add_guard(user, (uint32_t)a - 1);
}

/* The axis keeps within its extent, and so do those that this depends on. */
static void add_guard(naming *n, uint32_t axis)
{
    gn_lower *g = n->v->g;
    for (size_t i = 0; i < n->guards->n; i++)
        if (n->guards->at[i].axis == axis) return;
    n->guards->at[n->guards->n++] = gn_domain_guard(g, axis);
    gn_dim_symbols(g->axes.at[axis].extent, add_guard_of, n);
}

/* leaf < to, whatever the point of the axis: as whole numbers, stride (to - leaf) > 0. */
static bool covers(gn_verifier *v, const gn_domain_loop *l, uint32_t axis)
{
    gn_lower *g = v->g;
    int64_t to;
    if (l->bind == GN_BIND_THREAD ||
        (g->leaves.at[l->leaf].extent && gn_dim_is_const(l->to, &to) && to >= g->leaves.at[l->leaf].extent))
        return true;
    gn_guards guards = { 0, GN_NEW_ARRAY(g->arena, gn_guard, g->axes.n + 2) };
    naming n = { v, &guards };
    const int64_t stride = gn_leaf_stride(&g->axes.at[axis], l->leaf);
    const gn_dim *left = gn_lscale(g, gn_lsub(g, l->to, g->leaves.at[l->leaf].value), stride);
    add_guard(&n, axis);
    return gn_guards_prove(g, &guards, left);
}

bool gn_loop_covers(gn_verifier *v, const gn_domain_loop *l, uint32_t axis)
{
    if (!gn_has_leaf(&v->g->axes.at[axis], l->leaf)) return true;
    gn_map *of = gn_map_get(&v->proved, GN_KEY(l->node));
    if (!of) *gn_map_put(v->g->arena, &v->proved, GN_KEY(l->node)) = of = GN_NEW_OBJECT(v->g->arena, gn_map);
    void **known = gn_map_put(v->g->arena, of, axis + 1);
    if (!*known) *known = (void *)(uintptr_t)(covers(v, l, axis) ? 1 : 2);
    return *known == (void *)1;
}

static void check_loop(const gn_lower *g, const gn_domain *s, const gn_domain_loop *l)
{
    const gn_lleaf *leaf = &g->leaves.at[l->leaf];
    if (gn_domain_loop_over(s, l->leaf) != l)
        gn_illegal(g, "order: '%s' stands in two loops over '%s'", s->stmt->def->name, leaf->name);
    if (l->node->to != l->to)
        gn_illegal(g, "order: the loop '%s' around '%s' does not run over the points of its leaf", leaf->name,
                   s->stmt->def->name);
    if (l->bind != leaf->bind && (l->bind || leaf->bind != GN_BIND_PART))
        gn_illegal(g, "bind %s %s: the loop around '%s' is bound to %s", gn_bind_names[leaf->bind], leaf->name,
                   s->stmt->def->name, gn_bind_names[l->bind]);
}

/* Leaves that are no loops: tile leaves, or those that a copy walks by itself. */
static void check_walked(const gn_lower *g, const gn_domain *s)
{
    const gn_ldef *d = s->stmt->def;
    const gn_leafset row = gn_row_leaves(d);
    for (size_t i = 0; i < s->ntiles; i++) {
        const uint32_t l = s->tile[i].leaf;
        const bool by_copy = s->stmt->stmt == GN_STMT_ASG &&
                             (gn_set_has(&row, l) || (d->object->level == GN_LEVEL_SHARED && gn_is_dim(d->object, l)));
        if (!by_copy && !gn_is_tile_leaf(g, l))
            gn_illegal(g, "order: the %s of '%s' has no loop over its leaf '%s'", gn_stmt_names[s->stmt->stmt], d->name,
                       g->leaves.at[l].name);
    }
}

/* One thread alone changes memory that all share, and leaves out no points of its own. */
static void check_alone(const gn_lower *g, const gn_domain *s)
{
    const gn_leafset must = g->cuda ? gn_must_be_alone(g, s->stmt) : (gn_leafset){ { 0 } };
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (gn_set_has(&s->stmt->alone, l) ? !gn_set_has(&s->leaves, l) : !gn_set_has(&must, l)) continue;
        gn_illegal(g,
                   gn_set_has(&must, l) ? "bind thread %s: all of them run the %s of '%s', which changes what they share"
                                        : "bind thread %s: the first alone runs the %s of '%s', which has points there",
                   g->leaves.at[l].name, gn_stmt_names[s->stmt->stmt], s->stmt->def->name);
    }
}

/* Of two axes that share a leaf a statement over both would meet a part of their pairs alone. An axis that rfactor
 * makes is the leaf. */
static void check_pairs(const gn_lower *g, const gn_domain *s)
{
    for (size_t a = 0; a < s->naxes; a++)
        for (size_t b = 0; b < a; b++) {
            const gn_laxis *x = &g->axes.at[s->axis[a]], *y = &g->axes.at[s->axis[b]];
            if (s->axis[a] == s->axis[b] || s->axis[a] >= g->nown || s->axis[b] >= g->nown) continue;
            for (size_t i = 0; i < x->leaf.n; i++)
                if (gn_has_leaf(y, x->leaf.at[i]) && !gn_dim_is(g->leaves.at[x->leaf.at[i]].points, 1))
                    gn_illegal(g, "split: '%s' and '%s' share the leaf '%s', and '%s' is over both", y->name, x->name,
                               g->leaves.at[x->leaf.at[i]].name, s->stmt->def->name);
        }
}

/* ---- thread numbers: as emitted, the last thread leaf of the order is the lowest digit ---- */

static void check_row(const gn_lower *g, const gn_ldef *d)
{
    GN_VEC(uint32_t) wanted = { 0 };
    int64_t threads = 1;
    for (int i = 0; i < d->row->nleaf && d->row->kind == GN_TILE_MMA; i++)
        if (d->row->leaf[i].bind == 't') gn_push(g->arena, &wanted, d->tile->leaf.at[i]);
    for (size_t i = g->order.n, left = wanted.n; left && i-- > 0;) {
        const uint32_t l = g->order.at[i];
        if (g->leaves.at[l].bind != GN_BIND_THREAD || gn_dim_is(g->leaves.at[l].points, 1)) continue;
        if (l != wanted.at[--left])
            gn_illegal(g,
                       "tensorize %s %s: the thread leaf '%s' stands where the row takes '%s', whose number in the "
                       "warp would be another",
                       d->name, d->row->name, g->leaves.at[l].name, g->leaves.at[wanted.at[left]].name);
        threads *= gn_points(g, l);
    }
    if (wanted.n && threads != 32)
        gn_illegal(g, "tensorize %s %s: its thread leaves have %" PRId64 " points, a warp has 32", d->name,
                   d->row->name, threads);
}

/* The leaves of one dim of a row belong to one axis, at the row's strides; those of different dims to different ones. */
static void check_row_axes(const gn_lower *g, const gn_ldef *d)
{
    for (int i = 0; i < d->row->nleaf; i++)
        for (int j = 0; j < d->row->nleaf; j++) {
            const gn_tile_leaf *x = &d->row->leaf[i], *y = &d->row->leaf[j];
            const uint32_t p = d->tile->leaf.at[i], q = d->tile->leaf.at[j];
            bool together = false;
            for (size_t a = 0; a < g->axes.n; a++) {
                const int64_t s = gn_leaf_stride(&g->axes.at[a], p), t = gn_leaf_stride(&g->axes.at[a], q);
                together |= s && t && (x->dim != y->dim || (s == x->stride && t == y->stride));
            }
            if (together != (x->dim == y->dim))
                gn_illegal(g, "tensorize %s %s: '%s' and '%s' are not in their axes where the row has '%s' and '%s'",
                           d->name, d->row->name, g->leaves.at[p].name, g->leaves.at[q].name, x->name, y->name);
        }
}

/* ---- sizes ---- */

enum { STACK_BYTES = 1 << 20, BLOCK_THREADS = 1024 };

static void check_threads(const gn_lower *g)
{
    int64_t threads = 1;
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (g->leaves.at[l].bind == GN_BIND_THREAD && __builtin_mul_overflow(threads, gn_points(g, l), &threads))
            threads = INT64_MAX;
    if (threads > BLOCK_THREADS)
        gn_illegal(g, "bind thread: %" PRId64 " threads, a block has at most %d", threads, BLOCK_THREADS);
}

/* Of shared memory in which threads merge a fold. */
static int64_t exchange_bytes(const gn_lower *g, const gn_ldef *d)
{
    int64_t bytes = 0, threads = 1;
    bool merges = false;
    for (uint32_t l = 0; d->fold && l < g->leaves.n; l++) {
        if (g->leaves.at[l].bind != GN_BIND_THREAD) continue;
        threads *= gn_points(g, l);
        merges |= gn_set_has(&d->private, l);
    }
    for (uint16_t i = 0; merges && i < d->nstates; i++)
        bytes += threads * (int64_t)gn_dtype_size(d->state[i].object->dtype);
    return bytes;
}

static void check_bytes(const gn_lower *g, uint8_t level, int64_t most)
{
    int64_t all = 0, n, bytes;
    for (size_t i = 0; level == GN_LEVEL_SHARED && i < g->items.n; i++) {
        all += exchange_bytes(g, g->items.at[i]);
        if (all > most)
            gn_illegal(g, "bind thread: '%s' is a fold that the threads merge in %" PRId64 " bytes of shared memory, %"
                       PRId64 " fit", g->items.at[i]->name, all, most);
    }
    for (size_t i = 0; i < g->objects.n; i++) {
        const gn_object *o = g->objects.at[i];
        if (o->level != level || !gn_dim_is_const(o->size, &n)) continue;
        if (__builtin_mul_overflow(n, (int64_t)gn_dtype_size(o->dtype), &bytes) ||
            __builtin_add_overflow(all, bytes, &all))
            all = INT64_MAX;
        if (all > most)
            gn_illegal(g, "stage %s %s: %" PRId64 " bytes together, at most %" PRId64 " fit", o->name,
                       level == GN_LEVEL_STACK ? "stack" : "shared", all, most);
    }
}

/* Opaque values that live inside of this node, if `open` do around it. */
static void check_room(const gn_lower *g, const gn_tree *t, const gn_tile_unit *unit, uint32_t open)
{
    for (size_t i = 0; i < t->kids.n; i++) {
        const gn_object *o = t->kids.at[i]->object;
        if (t->kids.at[i]->kind != GN_NODE_BUF || !o->opaque || o->def->row->unit != unit) continue;
        open += o->place->n;
        if (open > unit->most)
            gn_illegal(g, "tensorize %s %s: %u accumulators at once, %s has room for %u", o->def->name, o->def->row->name,
                       open, unit->name, unit->most);
    }
    for (size_t i = 0; i < t->kids.n; i++) check_room(g, t->kids.at[i], unit, open);
}

void gn_lower_verify(gn_lower *g)
{
    gn_verifier v = { .g = g };
    check_threads(g);
    check_bytes(g, GN_LEVEL_STACK, STACK_BYTES);
    check_bytes(g, GN_LEVEL_SHARED, g->target->shared_bytes);
    v.all = gn_domains_of(g);
    for (size_t i = 0; i < v.all.n; i++) {
        const gn_domain *s = v.all.at[i];
        *gn_map_put(g->arena, &v.of, GN_KEY(s->stmt)) = (void *)s;
        for (size_t k = 0; k < s->nloops; k++) check_loop(g, s, &s->loop[k]);
        check_walked(g, s);
        check_alone(g, s);
        check_pairs(g, s);
    }
    for (size_t i = 0; i < g->items.n; i++)
        if (g->items.at[i]->row) check_row(g, g->items.at[i]), check_row_axes(g, g->items.at[i]);
    for (size_t i = 0; i < g->items.n; i++)
        if (gn_is_opaque(g->items.at[i])) check_room(g, g->root, g->items.at[i]->row->unit, 0);
    gn_verify_stores(&v);
    gn_verify_kept(&v);
}
