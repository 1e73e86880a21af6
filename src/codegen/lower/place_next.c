/* Placement: which statement is next, and how many of the open loops it shares.
 *
 * Of the statements that are ready, the one that shares most of the open loops is next; of several the first in the
 * text. What it can share is the beginning of its path, up to the first loop that a use of something before it forbids.
 * That is so by the loop's leaf for good, or by the loop itself; the latter only for loops that were open when the
 * statement became ready, since all that it uses was placed before later ones are opened. So statements wait in a tree
 * of leaves: at every beginning of their paths that they may share, the first of each in a heap. */
#include "lower.h"
#include "visit.h"

gn_path gn_path_of(const gn_lower *g, gn_leafset leaves)
{
    gn_path p = { 0 };
    for (size_t i = 0; i < g->order.n; i++)
        if (gn_set_has(&leaves, g->order.at[i]) && !gn_is_tile_leaf(g, g->order.at[i])) p.leaf[p.n++] = g->order.at[i];
    return p;
}

gn_stmt_kind gn_main_stmt(const gn_ldef *d)
{
    return d->is_store ? GN_STMT_STORE : d->red != GN_RED_NONE ? GN_STMT_UPD : GN_STMT_ASG;
}

static gn_leafset main_leaves(const gn_ldef *d)
{
    if (d->red != GN_RED_NONE) return gn_set_or(d->params, d->reduced);
    return gn_is_copy(d) ? gn_set_minus(d->params, gn_row_leaves(d)) : d->params;
}

static bool is_staged(const gn_ldef *d)
{
    return gn_is_copy(d) && d->stage->at != GN_AT_NONE;
}

/* Of a copy staged at a loop: the loops around its uses, up to and with that one. */
static void find_loops_before(const gn_lower *g, gn_ldef *d)
{
    gn_leafset users = { { 0 } };
    if (!is_staged(d) || d->stage->at < 0) return;
    for (size_t i = 0; i < d->users.n; i++) {
        const gn_ldef *u = d->users.at[i];
        users = gn_set_or(users, gn_set_or(u->params, u->reduced));
        if (is_staged(u)) users = gn_set_or(users, u->before);
    }
    const uint32_t last = g->leaves.at[d->stage->at].place;
    for (uint32_t i = 0; i <= last; i++)
        if (gn_set_has(&users, g->order.at[i])) gn_set_put(&d->before, g->order.at[i]);
}

gn_path gn_stmt_path(const gn_lower *g, const gn_ldef *d, bool merge, size_t *own)
{
    gn_path p = gn_path_of(g, merge ? d->params : main_leaves(d));
    *own = p.n;
    if (merge || !is_staged(d)) return p;
    gn_path all = gn_path_of(g, d->before);
    *own = all.n;
    /* shared: all threads fill it, without loops */
    for (uint32_t i = 0; i < p.n && d->stage->level != GN_LEVEL_SHARED; i++)
        if (!gn_set_has(&d->before, p.leaf[i])) all.leaf[all.n++] = p.leaf[i];
    return all;
}

/* ---- how many loops may be shared ---- */

/* Loops that a use of q at these arguments must not share: leaves of parameters whose argument does not run along with
 * them. */
static gn_leafset forbidden(const gn_lower *g, const gn_ldef *q, const gn_kexpr *ref)
{
    gn_leafset out = { { 0 } };
    for (size_t p = 0; p < q->nparam; p++) {
        const gn_laxis *a = &g->axes.at[q->param[p]], *x = gn_axis_named_by(g, ref->index[p]);
        if (a == x) continue;
        for (size_t i = 0; i < a->leaf.n; i++)
            if (!x || gn_leaf_stride(x, a->leaf.at[i]) != a->stride.at[i]) gn_set_put(&out, a->leaf.at[i]);
    }
    return out;
}

/* Of a path's first `most` loops, those that it may share as far as their leaves say. */
static size_t limit_by_leaves(const gn_lower *g, const gn_ldef *d, const gn_path *p, size_t most)
{
    for (size_t r = 0; r < d->refs.n; r++) {
        const gn_leafset no = forbidden(g, g->def[d->refs.at[r]->u.ref], d->refs.at[r]);
        for (size_t i = 0; i < most; i++)
            if (gn_set_has(&no, p->leaf[i])) most = i;
    }
    return most;
}

/* Whether q is still being reduced inside this loop, for its user d. A loop over the same leaf that was opened later
 * sees the whole value. */
static bool is_reducing(const gn_ldef *q, const gn_ldef *d, const gn_tree *loop)
{
    if (q->red == GN_RED_NONE || !gn_set_has(&q->reduced, loop->leaf)) return false;
    if (q->prefix || (q->online == (int)loop->leaf && q->online_users[d->index])) return false;
    return gn_is_inside(q, loop);
}

/* How many of the first `most` open loops may stay open after this use of q by d. */
static size_t limit_by_use(const gn_lower *g, const gn_ldef *d, const gn_ldef *q, size_t most)
{
    if (is_staged(q)) { /* beyond `at` the copy has loops of its own */
        size_t limit = 0;
        for (size_t j = 0; q->stage->at >= 0 && j < q->main->above.n; j++)
            if (q->main->above.at[j]->leaf == (uint32_t)q->stage->at) limit = j + 1;
        if (limit < most && limit < q->main->above.n && q->main->above.at[limit] == g->open.at[limit]) most = limit;
    }
    for (size_t i = 0; i < most; i++)
        if (is_reducing(q, d, g->open.at[i])) most = i;
    return most;
}

/* ---- those that wait ---- */

typedef struct waiting {
    gn_ldef *d;
    bool merge;
} waiting;

typedef GN_VEC(waiting) heap; /* by index */

typedef struct spot { /* of the tree of leaves */
    uint32_t number;
    heap first;
} spot;

struct gn_place_queue {
    spot root, at_root; /* at_root: steps of their own, before all others */
    gn_map spots;       /* by number and leaf */
    uint32_t nspots;
    GN_VEC(waiting) held[GN_MAX_LEAVES + 1]; /* by depth: what an open loop keeps there */
};

static bool is_before(const heap *h, size_t a, size_t b)
{
    gn_work_done.scans++;
    return h->at[a].d->index < h->at[b].d->index;
}

static void swap(heap *h, size_t a, size_t b)
{
    const waiting w = h->at[a];
    h->at[a] = h->at[b], h->at[b] = w;
}

static void put(gn_arena *arena, heap *h, waiting w)
{
    gn_push(arena, h, w);
    for (size_t i = h->n - 1; i && is_before(h, i, (i - 1) / 2); i = (i - 1) / 2) swap(h, i, (i - 1) / 2);
}

static void drop_first(heap *h)
{
    swap(h, 0, --h->n);
    for (size_t i = 0, k; (k = 2 * i + 1) < h->n; i = k) {
        if (k + 1 < h->n && is_before(h, k + 1, k)) k++;
        if (!is_before(h, k, i)) return;
        swap(h, k, i);
    }
}

/* The first that was not placed meanwhile. */
static const waiting *first_of(heap *h)
{
    while (h->n && (h->at[0].d->done || h->at[0].d->updated != h->at[0].merge)) drop_first(h);
    return h->n ? h->at : NULL;
}

static spot *spot_below(gn_lower *g, const spot *s, uint32_t leaf)
{
    void **at = gn_map_put(g->arena, &g->queue->spots, (uint64_t)s->number << 32 | leaf);
    if (!*at) {
        spot *made = *at = GN_NEW_OBJECT(g->arena, spot);
        made->number = ++g->queue->nspots;
    }
    return *at;
}

/* At the beginnings of its path that have from .. to loops. */
static void wait_at(gn_lower *g, waiting w, const gn_path *p, size_t from, size_t to)
{
    spot *s = &g->queue->root;
    for (size_t i = 0;; i++) {
        if (i >= from) put(g->arena, &s->first, w);
        if (i == to) return;
        s = spot_below(g, s, p->leaf[i]);
    }
}

static size_t limits(const gn_lower *g, waiting w, gn_path *p)
{
    size_t own;
    *p = gn_stmt_path(g, w.d, w.merge, &own);
    return w.merge ? own : limit_by_leaves(g, w.d, p, own);
}

void gn_place_ready(gn_lower *g, gn_ldef *d)
{
    const waiting w = { d, d->updated };
    gn_path p;
    if (gn_is_copy(d) && d->stage->at == GN_AT_ROOT) {
        put(g->arena, &g->queue->at_root.first, w);
        return;
    }
    const size_t most = limits(g, w, &p);
    size_t open = 0, now;
    while (open < most && open < g->open.n && p.leaf[open] == g->open.at[open]->leaf) open++;
    now = w.merge ? limit_by_use(g, d, d, open) : open;
    for (size_t r = 0; !w.merge && r < d->refs.n; r++) now = limit_by_use(g, d, g->def[d->refs.at[r]->u.ref], now);
    if (now < open) gn_push(g->arena, &g->queue->held[now], w);
    wait_at(g, w, &p, 0, now < open ? now : most);
}

void gn_place_close(gn_lower *g, size_t depth)
{
    for (size_t i = depth; i < g->open.n; i++) {
        for (size_t k = 0; k < g->queue->held[i].n; k++) {
            const waiting w = g->queue->held[i].at[k];
            gn_path p;
            const size_t most = limits(g, w, &p);
            if (!w.d->done && w.d->updated == w.merge) wait_at(g, w, &p, i + 1, most);
        }
        g->queue->held[i].n = 0;
    }
    g->open.n = depth;
}

bool gn_place_next(gn_lower *g, gn_candidate *next)
{
    spot *s[GN_MAX_LEAVES + 1] = { &g->queue->root };
    size_t depth = 0;
    const waiting *w = first_of(&g->queue->at_root.first);
    for (; !w && depth < g->open.n; depth++) s[depth + 1] = spot_below(g, s[depth], g->open.at[depth]->leaf);
    for (; !w && !(w = first_of(&s[depth]->first)); depth--)
        if (depth == 0) return false;
    *next = (gn_candidate){ w->d, w->merge, depth };
    return true;
}

void gn_place_begin(gn_lower *g)
{
    g->queue = GN_NEW_OBJECT(g->arena, struct gn_place_queue);
    for (size_t i = 0; i < g->items.n; i++)
        for (size_t r = 0; r < g->items.at[i]->refs.n; r++) {
            gn_push(g->arena, &g->def[g->items.at[i]->refs.at[r]->u.ref]->users, g->items.at[i]);
            g->items.at[i]->nawaited++;
        }
    for (size_t i = g->items.n; i-- > 0;) find_loops_before(g, g->items.at[i]); /* users stand behind what they use */
    for (size_t i = 0; i < g->items.n; i++)
        if (!g->items.at[i]->nawaited) gn_place_ready(g, g->items.at[i]);
}

void gn_place_done(gn_lower *g, gn_ldef *d)
{
    d->done = true;
    for (size_t i = 0; i < d->users.n; i++)
        if (--d->users.at[i]->nawaited == 0) gn_place_ready(g, d->users.at[i]);
}
