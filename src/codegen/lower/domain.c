/* Domains of placed statements, and what follows from the ends of axes. */
#include "dim_prove.h"
#include "domain.h"

/* ---- axes over leaves ---- */

gn_guard gn_domain_guard(gn_lower *g, uint32_t axis)
{
    const gn_dim *const *value = gn_axes_over_leaves(g, axis + 1);
    return (gn_guard){ axis, value[axis], gn_subst_axes(g, g->axes.at[axis].extent, value) };
}

/* ---- one statement ---- */

static uint16_t *axes_of(gn_lower *g, const gn_tree *s, size_t *n)
{
    const gn_ldef *d = s->def;
    uint16_t *axis = GN_NEW_ARRAY(g->arena, uint16_t, d->nparam + d->nraxis + 1u);
    for (size_t i = 0; i < d->nparam; i++) axis[(*n)++] = d->param[i];
    for (size_t i = 0; s->stmt == GN_STMT_UPD && i < d->nraxis; i++) axis[(*n)++] = d->raxis[i];
    return axis;
}

/* A loop inside those whose leaves have values. */
static gn_domain_loop loop_of(gn_lower *g, const gn_tree *t, const gn_dim *const *env)
{
    const gn_dim_facts known = gn_lfacts(g);
    gn_domain_loop l = { .node = t, .leaf = t->leaf, .symbol = g->leaves.at[t->leaf].name, .bind = t->bind };
    l.from = gn_lconst(g, 0);
    l.to = gn_loop_end(g, t->leaf, env);
    gn_dim_range(l.to, &known, &l.least, &l.most);
    if (l.least < 0) l.least = 0;
    return l;
}

static void set_loops(gn_lower *g, gn_domain *d, const gn_domain_loop *path, size_t n)
{
    gn_domain_loop *loop = GN_NEW_ARRAY(g->arena, gn_domain_loop, n + 1);
    if (n) memcpy(loop, path, n * sizeof *loop);
    for (size_t i = 0; i < n; i++) gn_set_put(&d->looped, loop[i].leaf);
    d->loop = loop, d->nloops = n;
}

static void set_tiles(gn_lower *g, gn_domain *d)
{
    gn_domain_tile *tile = GN_NEW_ARRAY(g->arena, gn_domain_tile, g->leaves.n + 1);
    const gn_leafset rest = gn_set_minus(d->leaves, d->looped);
    for (size_t i = 0; i < g->order.n; i++) {
        const uint32_t l = g->order.at[i];
        int64_t n = 0;
        if (!gn_set_has(&rest, l)) continue;
        gn_dim_is_const(g->leaves.at[l].points, &n);
        tile[d->ntiles++] = (gn_domain_tile){ l, g->leaves.at[l].bind, n };
    }
    d->tile = tile;
}

static void set_facts(gn_lower *g, gn_domain *d)
{
    gn_dim_fact *fact = GN_NEW_ARRAY(g->arena, gn_dim_fact, g->kernel->syms.n + g->leaves.n + 1);
    const gn_dim_fact *leaf = g->facts.at + g->kernel->syms.n;
    size_t n = g->kernel->syms.n;
    if (n) memcpy(fact, g->facts.at, n * sizeof *fact);
    for (size_t i = 0; i < d->nloops; i++) {
        fact[n] = leaf[d->loop[i].leaf];
        fact[n++].limit = d->loop[i].to;
    }
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (!gn_set_has(&d->looped, l)) fact[n++] = leaf[l];
    d->facts = (gn_dim_facts){ n, fact };
}

/* `known`: the guards of all axes that were asked for, by axis. */
static const gn_guard *guard_of(gn_lower *g, uint32_t axis, gn_guard **known)
{
    if (!known[axis]) {
        known[axis] = GN_NEW_OBJECT(g->arena, gn_guard);
        *known[axis] = gn_domain_guard(g, axis);
    }
    return known[axis];
}

static gn_domain *domain_of(gn_lower *g, const gn_tree *stmt, const gn_domain_loop *path, size_t n, gn_guard **known)
{
    gn_domain *d = GN_NEW_OBJECT(g->arena, gn_domain);
    *d = (gn_domain){ .stmt = stmt, .leaves = gn_stmt_leaves(stmt) };
    set_loops(g, d, path, n);
    set_tiles(g, d);
    set_facts(g, d);
    d->axis = axes_of(g, stmt, &d->naxes);
    d->guards.at = GN_NEW_ARRAY(g->arena, gn_guard, d->naxes + 1);
    for (; d->guards.n < d->naxes; d->guards.n++) d->guards.at[d->guards.n] = *guard_of(g, d->axis[d->guards.n], known);
    return d;
}

/* ---- all of them ---- */

typedef struct walk {
    gn_lower *g;
    const gn_tree *step;
    gn_domain_loop path[GN_MAX_LEAVES + 1];
    size_t depth;
    const gn_dim **env;
    gn_guard **guards; /* by axis */
    gn_domains found;
} walk;

static void note_stmt(walk *w, const gn_tree *s)
{
    gn_domain *d = domain_of(w->g, s, w->path, w->depth, w->guards);
    d->step = w->step, d->number = (uint32_t)w->found.n;
    gn_push(w->g->arena, &w->found, d);
}

static void walk_tree(walk *w, const gn_tree *t);

static void walk_loop(walk *w, const gn_tree *t)
{
    const gn_dim *before = w->env[t->leaf];
    GN_ASSERT(w->depth <= GN_MAX_LEAVES);
    w->path[w->depth++] = loop_of(w->g, t, w->env);
    w->env[t->leaf] = w->g->leaves.at[t->leaf].value;
    for (size_t i = 0; i < t->kids.n; i++) walk_tree(w, t->kids.at[i]);
    w->env[t->leaf] = before;
    w->depth--;
}

static void walk_tree(walk *w, const gn_tree *t)
{
    if (t->kind == GN_NODE_FOR) {
        walk_loop(w, t);
        return;
    }
    if (t->kind == GN_NODE_STEP) w->step = t;
    if (t->kind == GN_NODE_STMT) note_stmt(w, t);
    for (size_t i = 0; i < t->kids.n; i++) walk_tree(w, t->kids.at[i]);
}

gn_domains gn_domains_of(gn_lower *g)
{
    walk *w = GN_NEW_OBJECT(g->arena, walk);
    *w = (walk){ .g = g, .env = gn_env_copy(g, NULL), .guards = GN_NEW_ARRAY(g->arena, gn_guard *, g->axes.n + 1) };
    walk_tree(w, g->root);
    return w->found;
}

size_t gn_domain_common(const gn_domain *a, const gn_domain *b)
{
    size_t n = 0;
    while (n < a->nloops && n < b->nloops && a->loop[n].node == b->loop[n].node) n++;
    return n;
}

const gn_domain_loop *gn_domain_loop_over(const gn_domain *d, uint32_t leaf)
{
    for (size_t i = 0; i < d->nloops; i++)
        if (d->loop[i].leaf == leaf) return &d->loop[i];
    return NULL;
}

/* ---- what follows from the ends of axes ---- */

/* What a digit is whatever loops there are: an outermost leaf has no more points than its axis needs. */
static gn_dim_facts digit_facts(gn_lower *g)
{
    gn_dim_fact *fact = GN_NEW_ARRAY(g->arena, gn_dim_fact, g->facts.n + 1);
    memcpy(fact, g->facts.at, g->facts.n * sizeof *fact);
    for (uint32_t l = 0; l < g->leaves.n; l++) {
        const gn_lleaf *leaf = &g->leaves.at[l];
        if (!leaf->extent && !g->axes.at[leaf->axis].dependent) fact[g->kernel->syms.n + l].limit = leaf->points;
    }
    return (gn_dim_facts){ g->facts.n, fact };
}

bool gn_guards_prove(gn_lower *g, const gn_guards *guards, const gn_dim *goal)
{
    gn_prover p = { .pool = g->dims, .arena = g->arena };
    const gn_dim_facts facts = digit_facts(g);
    for (size_t i = 0; i < facts.n; i++) gn_push(g->arena, &p.facts, facts.at[i]);
    for (size_t i = 0; i < guards->n; i++) gn_prover_know_less(&p, guards->at[i].value, guards->at[i].extent);
    return gn_prover_proves(&p, gn_lsub(g, goal, gn_lconst(g, 1)));
}
