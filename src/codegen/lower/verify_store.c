/* Stores: every point stores once, points that run side by side go to different places, and those that go to one place
 * do so in the kernel's order. */
#include "places.h"
#include "verify.h"

static bool is_read_too(const gn_lower *g, const gn_ldef *d)
{
    return g->kernel->bufs.at[d->store->buf].access & GN_KBUF_READ;
}

/* ---- points of one store ---- */

static void check_once(gn_verifier *v, const gn_domain *s)
{
    const gn_lower *g = v->g;
    const gn_ldef *d = s->stmt->def;
    for (size_t i = 0; i < s->nloops; i++) {
        const uint32_t l = s->loop[i].leaf;
        if (!gn_set_has(&s->leaves, l))
            gn_illegal(g, "order: the store to '%s' stands in the loop '%s', which is none of its own", d->name,
                       g->leaves.at[l].name);
        for (size_t a = 0; a < s->naxes; a++)
            if (!gn_loop_covers(v, &s->loop[i], s->axis[a]))
                gn_illegal(g, "order: the loop '%s' around the store to '%s' may end before its axis '%s' does",
                           g->leaves.at[l].name, d->name, g->axes.at[s->axis[a]].name);
    }
}

static bool is_parallel(uint8_t bind)
{
    return bind == GN_BIND_PART || bind == GN_BIND_BLOCK || bind == GN_BIND_THREAD || bind == GN_BIND_LANE;
}

static void check_apart(const gn_lower *g, const gn_domain *s, uint32_t leaf, uint8_t bind)
{
    if (is_parallel(bind) && !gn_dim_is(g->leaves.at[leaf].points, 1))
        gn_illegal(g, "bind %s %s: the store to '%s' does not go to different places along it", gn_bind_names[bind],
                   g->leaves.at[leaf].name, s->stmt->def->name);
}

/* The leaves along which it may meet a place again, in the order in which they run. */
static gn_path meeting(const gn_domain *s, gn_leafset where)
{
    gn_path p = { 0 };
    for (size_t i = 0; i < s->nloops; i++)
        if (gn_set_has(&where, s->loop[i].leaf)) p.leaf[p.n++] = s->loop[i].leaf;
    for (size_t i = 0; i < s->ntiles; i++)
        if (gn_set_has(&where, s->tile[i].leaf) && s->tile[i].count != 1) p.leaf[p.n++] = s->tile[i].leaf;
    return p;
}

/* The kernel runs over axes in their order, each from its first point on. */
static void check_order(const gn_lower *g, const gn_domain *s, const gn_path *p)
{
    uint32_t at = 0;
    gn_leafset left = { { 0 } };
    for (uint32_t i = 0; i < p->n; i++) gn_set_put(&left, p->leaf[i]);
    for (size_t a = 0; a < s->naxes; a++)
        for (size_t i = 0; i < g->axes.at[s->axis[a]].leaf.n; i++) {
            const uint32_t l = g->axes.at[s->axis[a]].leaf.at[i];
            if (!gn_set_has(&left, l)) continue;
            if (s->axis[a] >= g->from->axes.n) /* rfactor's are over none of a store */
                gn_illegal(g,
                           "fuse %s: the store to '%s' may meet a place again along it, whose order is not the kernel's",
                           g->axes.at[s->axis[a]].name, s->stmt->def->name);
            if (p->leaf[at++] != l)
                gn_illegal(g,
                           "order: the store to '%s' may meet a place again along '%s', whose leaves do not run in the "
                           "kernel's order",
                           s->stmt->def->name, g->axes.at[s->axis[a]].name);
            gn_set_drop(&left, l);
        }
}

static void check_places(gn_lower *g, const gn_domain *s)
{
    const gn_ldef *d = s->stmt->def;
    /* what one point adds another may load */
    const gn_places places = is_read_too(g, d) ? (gn_places){ 0 } : gn_places_of(g, d, NULL);
    const gn_leafset met = gn_set_minus(s->leaves, places.leaves);
    if (gn_set_empty(met)) return;
    for (size_t i = 0; i < s->nloops; i++)
        if (gn_set_has(&met, s->loop[i].leaf)) check_apart(g, s, s->loop[i].leaf, s->loop[i].bind);
    for (size_t i = 0; i < s->ntiles; i++)
        if (gn_set_has(&met, s->tile[i].leaf)) check_apart(g, s, s->tile[i].leaf, s->tile[i].bind);
    const gn_path p = meeting(s, met);
    if (d->store->kind == GN_STORE_SET || is_read_too(g, d)) check_order(g, s, &p);
}

/* ---- two stores to one buffer ---- */

/* Without a barrier, only what one thread stores comes one after the other. */
static void check_threads(const gn_lower *g, const gn_domain *a, const gn_domain *b, const gn_places *together)
{
    if (!g->cuda || a->step != b->step) return;
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        if (g->leaves.at[l].bind != GN_BIND_THREAD || gn_dim_is(g->leaves.at[l].points, 1)) continue;
        const bool first = gn_set_has(&a->leaves, l), second = gn_set_has(&b->leaves, l);
        const bool alike = gn_set_has(&a->stmt->alone, l) == gn_set_has(&b->stmt->alone, l);
        if (first == second && (first ? gn_set_has(&together->leaves, l) : alike)) continue;
        gn_illegal(g, "bind thread %s: two stores to '%s' may go to one place in different threads of a block",
                   g->leaves.at[l].name, a->stmt->def->name);
    }
}

static void check_pair(gn_lower *g, const gn_domain *a, const gn_domain *b)
{
    const gn_ldef *first = a->stmt->def, *second = b->stmt->def;
    if (gn_places_apart(g, first, second)) return;
    const bool any_order =
        first->store->kind == second->store->kind && first->store->kind != GN_STORE_SET && !is_read_too(g, first);
    const gn_places together = gn_places_of(g, first, second);
    if (!any_order && a->number > b->number)
        gn_illegal(g, "order: of two stores to '%s' that may go to one place, the first in the kernel comes last",
                   first->name);
    for (size_t i = 0; i < gn_domain_common(a, b); i++) {
        if (gn_set_has(&together.leaves, a->loop[i].leaf) || (any_order && !is_parallel(a->loop[i].bind))) continue;
        gn_illegal(g, "order: two stores to '%s' share the loop '%s', and may go to one place in different turns of it",
                   first->name, g->leaves.at[a->loop[i].leaf].name);
    }
    check_threads(g, a, b, &together);
}

/* ---- buffers that are loaded too ---- */

static bool loads(const gn_lower *g, const gn_ldef *d, const char *buffer)
{
    bool found = gn_kexpr_reads(g->kernel, d->body, g->arena, buffer);
    for (size_t i = 0; d->is_store && i < g->kernel->bufs.at[d->store->buf].rank; i++)
        found |= gn_dim_reads(d->store->index[i], buffer);
    return found;
}

/* What loads it sees all of the stores before it in the kernel and nothing of those behind it. */
static void check_loads(gn_verifier *v, const gn_domain *s)
{
    const gn_lower *g = v->g;
    const gn_ldef *d = s->stmt->def;
    for (size_t i = 0; i < g->from->defs.n; i++) {
        const gn_kdef *q = &g->from->defs.at[i];
        const int32_t own = gn_kernel_find_def(g->kernel, q->name);
        if (gn_kexpr_reads(g->from, q->body, g->arena, d->name) && (own < 0 || !g->def[own]))
            gn_illegal(g, "stage %s: it loads '%s', which a store changes, and is not kept", q->name, d->name);
    }
    for (size_t i = 0; i < v->all.n; i++) {
        const gn_domain *r = v->all.at[i];
        const gn_ldef *q = r->stmt->def;
        if (q == d || r->stmt->stmt == GN_STMT_INIT || r->stmt->stmt == GN_STMT_MERGE) continue;
        if (!loads(g, q, d->name)) continue;
        if ((q->index < d->index) != (r->number < s->number) || gn_domain_common(r, s))
            gn_illegal(g,
                       "order: '%s' loads '%s' before or behind a store to it in the kernel, but not in the schedule",
                       q->name, d->name);
    }
}

void gn_verify_stores(gn_verifier *v)
{
    gn_lower *g = v->g;
    GN_VEC(const gn_domain *) stores = { 0 };
    for (size_t i = 0; i < g->items.n; i++) /* in the kernel's order */
        if (g->items.at[i]->is_store) gn_push(g->arena, &stores, gn_domain_at(v, g->items.at[i]->main));
    for (size_t i = 0; i < stores.n; i++) {
        const gn_domain *s = stores.at[i];
        check_once(v, s);
        check_places(g, s);
        if (is_read_too(g, s->stmt->def)) check_loads(v, s);
        for (size_t j = 0; j < i; j++)
            if (stores.at[j]->stmt->def->store->buf == s->stmt->def->store->buf) check_pair(g, stores.at[j], s);
    }
}
