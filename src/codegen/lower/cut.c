/* Cuts of peeled loops. Everything asked is d >= 0 over leaves: with the leaves inside the loop at their worst,
 * k v + rest is left of it, and a number of turns. */
#include "cut.h"
#include "expand.h"
#include "visit.h"

typedef struct cutter {
    gn_lower *g;
    const gn_dim *const *env;
    uint32_t leaf;
    const gn_dim *to;
    const gn_dim *const *axis; /* over leaves */
    gn_cut cut;
} cutter;

/* ---- what is known ---- */

enum { MOST_PARTS = 64 };

/* Of extents of views upon views, each a quotient of the last, a proof takes longer than what it saves. */
static bool is_small(const gn_dim *d)
{
    uint64_t parts = 0;
    for (uint32_t t = 0; t < d->n; t++)
        for (uint32_t i = 0; i < d->term[t].n; i++) parts += d->term[t].atom[i]->size;
    return parts <= MOST_PARTS;
}

void gn_turns_know(gn_lower *g, const gn_dim *d)
{
    if (is_small(d)) gn_prover_know(&g->turns, d);
}

bool gn_turns_prove(gn_lower *g, const gn_dim *d)
{
    return gn_dim_at_least(g, d, 0) || (is_small(d) && gn_prover_proves(&g->turns, d));
}

const gn_dim *gn_turns_most(gn_lower *g, const gn_dim *a, const gn_dim *b)
{
    if (gn_turns_prove(g, gn_lsub(g, a, b))) return a;
    return gn_turns_prove(g, gn_lsub(g, b, a)) ? b : gn_dim_max(g->dims, a, b);
}

static const gn_atom *least_of_two(const gn_dim *d)
{
    const gn_atom *a = d->n == 1 && d->term[0].n == 1 && d->term[0].c == 1 ? d->term[0].atom[0] : NULL;
    return a && a->kind == GN_DIM_MIN ? a : NULL;
}

const gn_dim *gn_turns_least(gn_lower *g, const gn_dim *a, const gn_dim *b)
{
    for (const gn_atom *x; (x = least_of_two(b));) /* min(n div 4, (n + 3) div 4, 8): without the second */
        if (gn_turns_prove(g, gn_lsub(g, x->a, a))) b = x->b;
        else if (gn_turns_prove(g, gn_lsub(g, x->b, a))) b = x->a;
        else break;
    if (gn_turns_prove(g, gn_lsub(g, b, a))) return a;
    return gn_turns_prove(g, gn_lsub(g, a, b)) ? b : gn_dim_min(g->dims, a, b);
}

/* ---- a condition ---- */

/* d = factor * leaf + rest; false: it is not linear. */
static bool is_linear(gn_lower *g, const gn_dim *d, uint32_t leaf, int64_t *factor, const gn_dim **rest)
{
    const gn_dim *k = gn_dim_coefficient(g->dims, d, g->leaves.at[leaf].name);
    if (!k || !gn_dim_is_const(k, factor)) return false;
    *rest = gn_lsub(g, d, gn_lscale(g, g->leaves.at[leaf].value, *factor));
    return !gn_dim_mentions(*rest, g->leaves.at[leaf].name);
}

typedef struct first_point {
    const char *leaf;
    const gn_dim *zero;
} first_point;

static const gn_dim *at_first(void *user, const char *symbol)
{
    const first_point *p = user;
    return strcmp(symbol, p->leaf) == 0 ? p->zero : NULL;
}

/* The least over the points of a leaf; NULL: not known. */
static const gn_dim *least_over(gn_lower *g, const gn_dim *d, uint32_t leaf)
{
    const gn_lleaf *x = &g->leaves.at[leaf];
    const gn_dim *rest;
    int64_t factor, n;
    if (!gn_dim_is_const(x->points, &n)) return NULL;
    if (is_linear(g, d, leaf, &factor, &rest))
        return factor < 0 ? gn_ladd(g, rest, gn_lconst(g, factor * (n - 1))) : rest;
    first_point first = { x->name, gn_lconst(g, 0) };
    return gn_grows(g, d, x->name) ? gn_dim_subst(g->dims, d, at_first, &first) : NULL;
}

/* Of all points inside the loop, threads included, the least; NULL: not known. */
static const gn_dim *least_inside(const cutter *c, const gn_dim *d)
{
    gn_lower *g = c->g;
    for (uint32_t l = 0; d && l < g->leaves.n; l++) {
        const gn_lleaf *x = &g->leaves.at[l];
        if (l == c->leaf || (c->env[l] && x->bind != GN_BIND_THREAD) || !gn_dim_mentions(d, x->name)) continue;
        d = least_over(g, d, l);
    }
    return d;
}

/* A turn is left. */
static bool narrow(cutter *c, const gn_dim *first, const gn_dim *end)
{
    gn_lower *g = c->g;
    const gn_dim *from = first ? first : gn_lconst(g, 0), *to = end ? gn_turns_least(g, end, c->to) : c->to;
    if (gn_turns_prove(g, gn_lsub(g, from, to))) return false;
    c->cut.first = first, c->cut.end = end && gn_turns_prove(g, gn_lsub(g, end, c->to)) ? NULL : end;
    return true;
}

static bool ask(cutter *c, const gn_dim *d)
{
    gn_lower *g = c->g;
    const gn_dim *const least = least_inside(c, d), *rest, *first = c->cut.first, *end = c->cut.end;
    int64_t k;
    if (!least || !is_linear(g, least, c->leaf, &k, &rest) || k == 0) return false;
    if (k > 0) {
        first = gn_dim_cdiv(g->dims, gn_lscale(g, rest, -1), gn_lconst(g, k));
        first = gn_turns_most(g, first, c->cut.first ? c->cut.first : gn_lconst(g, 0));
        if (gn_dim_is(first, 0)) first = NULL;
    } else {
        end = gn_dim_div(g->dims, gn_lsub(g, rest, gn_lconst(g, k)), gn_lconst(g, -k));
        if (c->cut.end) end = gn_turns_least(g, end, c->cut.end);
    }
    if (!narrow(c, first, end)) return false;
    gn_push(g->arena, &c->cut.holds, least);
    return true;
}

/* ---- all of them ---- */

static void ask_ends(cutter *c)
{
    gn_lower *g = c->g;
    for (uint32_t a = 0; a < g->axes.n; a++) {
        const gn_laxis *x = &g->axes.at[a];
        if (!gn_has_leaf(x, c->leaf) || gn_set_has(&g->full, a) || (!x->dependent && gn_axis_exact(g, a))) continue;
        const gn_guard q = gn_domain_guard(g, a);
        if (ask(c, gn_lsub(g, gn_lsub(g, q.extent, q.value), gn_lconst(g, 1)))) gn_set_put(&c->cut.full, a);
    }
}

static void ask_conds(cutter *c, const gn_kexpr *e)
{
    gn_lower *g = c->g;
    for (uint16_t i = 0; e->kind == GN_K_IF && i < e->ncond; i++) {
        const gn_kcond *q = &e->cond[i];
        if (q->kind != GN_K_LT || gn_cond_compares_data(g, q)) continue;
        if (gn_dim_has_load(q->a) || gn_dim_has_load(q->b)) continue;
        const gn_dim *d = gn_subst_axes(g, gn_lsub(g, gn_lsub(g, q->b, q->a), gn_lconst(g, 1)), c->axis);
        if (gn_dim_mentions(d, g->leaves.at[c->leaf].name) && !gn_turns_prove(g, d)) ask(c, d);
    }
}

static void ask_statements(cutter *c, gn_visit *seen, const gn_tree *t)
{
    const bool computes = t->kind == GN_NODE_STMT && t->stmt != GN_STMT_INIT && t->stmt != GN_STMT_MERGE;
    if (computes) gn_visit_add(seen, t->def->body);
    for (const gn_kexpr *e; computes && (e = gn_visit_next(seen));) ask_conds(c, e);
    for (size_t i = 0; i < t->kids.n; i++) ask_statements(c, seen, t->kids.at[i]);
}

/* At most a turn before all conditions hold, and one between those and the ends of axes. */
static bool is_close(const cutter *c, const gn_dim *whole)
{
    gn_lower *g = c->g;
    const gn_dim *const one = gn_lconst(g, 1), *const end = c->cut.end ? c->cut.end : whole;
    return (!c->cut.first || gn_turns_prove(g, gn_lsub(g, one, c->cut.first))) &&
           gn_turns_prove(g, gn_ladd(g, gn_lsub(g, end, whole), one));
}

gn_cut gn_cut_of(gn_lower *g, const gn_tree *loop, const gn_dim *const *env, const gn_dim *to)
{
    cutter c = { .g = g, .env = env, .leaf = loop->leaf, .to = to };
    if (!g->leaves.at[loop->leaf].peel || loop->bind != GN_BIND_NONE) return c.cut;
    gn_visit seen = { .arena = g->arena, .operand = gn_kexpr_operand };
    c.axis = gn_axes_over_leaves(g, g->axes.n);
    ask_ends(&c);
    const gn_dim *const whole = c.cut.end;
    c.cut.nends = c.cut.holds.n;
    ask_statements(&c, &seen, loop);
    if (whole && !is_close(&c, whole)) c.cut.whole = whole;
    return c.cut;
}
