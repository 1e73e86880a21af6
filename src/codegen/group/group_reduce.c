/* Groups for reductions and scatters: a reduction joins the group whose operands or pairs it shares, or begins one. */
#include "group_state.h"

/* ---- reductions ---- */

typedef enum { FIT_NONE, FIT_ROW, FIT_CLOSER } fit;

static bool made_in(const gnode *leaf, int32_t c)
{
    return leaf->group == c && leaf->phase == 0;
}

/* Some full operand is read or made in the group already; or all is made there; or its pairs are gone over there. */
static bool shares(const grouper *g, int32_t c, const gnode *body, const class_set *d, group_level b)
{
    bool any = false, all = true;
    for (size_t i = 0; i < body->nroot; i++) any |= gn_group_touches(g, c, body->root[i]);
    for (size_t i = 0; i < body->nleaf; i++) {
        const uint32_t l = body->leaf[i];
        if (!gn_group_is_full(g, d, l)) continue;
        if (gn_group_touches(g, c, l) || made_in(&g->nodes.at[l], c)) any = true;
        else all = false;
    }
    return any || (all && b.group == c && b.phase == 0);
}

static bool has_room(const grouper *g, int32_t c, const gnode *body, const class_set *d)
{
    const ggroup *q = &g->groups.at[c];
    int64_t more = 0;
    for (size_t i = 0; i < body->nleaf; i++)
        if (gn_group_is_full(g, d, body->leaf[i]) && !gn_group_touches(g, c, body->leaf[i]))
            more += gn_group_row_bytes(g, q, d, body->leaf[i]);
    return q->members.n < MAX_MEMBERS && (more == 0 || q->row_bytes + more <= g->target->l2_bytes / 2);
}

static fit fits(const grouper *g, int32_t c, const gnode *r, group_level b)
{
    const gnode *body = operand(g, r, 0);
    const ggroup *q = &g->groups.at[c];
    const class_set p = gn_group_kept(g, r), d = gn_group_set(g, body);
    if ((q->kind != GROUP_ROWS && q->kind != GROUP_CONTRACT) || !gn_group_can_write(g, c, body)) return FIT_NONE;
    const bool share = shares(g, c, body, &d, b);
    if (!has_room(g, c, body, &d)) return FIT_NONE;
    if (q->kind == GROUP_CONTRACT && g->target->lang != GN_LANG_C)
        return FIT_NONE; /* a block's threads share columns of the tile */
    if (q->kind == GROUP_CONTRACT)
        return class_subset(&d, &q->spine) && share && p.n == 1 && p.at[0] == q->lane ? FIT_CLOSER : FIT_NONE;
    if (class_subset(&q->spine, &p)) return share || b.group == c ? FIT_ROW : FIT_NONE;
    if (!gn_group_closes(g, r, &p)) return FIT_NONE;
    return class_subset(&q->spine, &d) && class_disjoint(&q->spine, &p) && share ? FIT_CLOSER : FIT_NONE;
}

/* The last group before `last` that touched a full operand or the same pairs. */
static int32_t toucher(const grouper *g, const gnode *body, const class_set *d, group_level b, int32_t last)
{
    int32_t best = NONE;
    for (size_t i = 0; i < body->nleaf + body->nroot; i++) {
        const uint32_t l = i < body->nleaf ? body->leaf[i] : body->root[i - body->nleaf];
        const int32_t t = g->nodes.at[l].touched;
        if (t <= best || t >= last || t < b.group + (b.phase > 0)) continue;
        if (i >= body->nleaf || gn_group_is_full(g, d, l)) best = t;
    }
    return best;
}

/* Candidates: the level's own group, then those that touched a full operand, highest number first. */
static int32_t find_group(const grouper *g, const gnode *r, group_level b, fit *how)
{
    const gnode *body = operand(g, r, 0);
    const class_set d = gn_group_set(g, body);
    if (b.group != NONE && b.phase == 0 && (*how = fits(g, b.group, r, b)) != FIT_NONE) return b.group;
    int32_t last = INT32_MAX;
    for (size_t tries = 0; tries < body->nleaf + body->nroot; tries++) {
        const int32_t best = toucher(g, body, &d, b, last);
        if (best == NONE) break;
        if (g->groups.at[best].after == NONE && (*how = fits(g, best, r, b)) != FIT_NONE) return best;
        last = best;
    }
    *how = FIT_NONE;
    return NONE;
}

/* The outer loop of few and long sums: the first reduced class, unless that is short and another is not. */
static uint32_t long_class(const grouper *g, const class_set *a)
{
    uint32_t best = a->at[0];
    if (gn_group_extent(g, best) >= FEW_POINTS) return best;
    for (size_t i = 1; i < a->n; i++)
        if (gn_group_extent(g, a->at[i]) > gn_group_extent(g, best)) best = a->at[i];
    return best;
}

static bool is_long(const grouper *g, const class_set *a)
{
    for (size_t i = 0; i < a->n; i++)
        if (gn_group_extent(g, a->at[i]) >= GUESS) return true;
    return false;
}

static int32_t rows_group(grouper *g, const gnode *r, fit *how)
{
    const class_set d = gn_group_set(g, operand(g, r, 0));
    class_set p = gn_group_kept(g, r);
    const class_set a = class_minus(&d, &p);
    const bool few = gn_group_size(g, &p) < FEW_POINTS && is_long(g, &a);
    *how = FIT_ROW;
    if (gn_group_is_pair(g, operand(g, r, 0))) p = gn_group_long(g, &p);
    if ((p.n > 0 && !few) || a.n == 0) return gn_group_new(g, GROUP_ROWS, &p, NONE);
    const class_set spine = { .n = 1, .at = { long_class(g, &a) } };
    *how = FIT_CLOSER;
    return gn_group_new(g, GROUP_ROWS, &spine, NONE);
}

static int32_t heavy_group(grouper *g, uint32_t at, const heavy *h)
{
    const class_set p = gn_group_kept(g, &g->nodes.at[at]);
    const class_set lane = { .n = 1, .at = { h->j } };
    class_set spine = class_minus(&p, &lane);
    int64_t extent;
    const bool narrow = g->target->lang == GN_LANG_C && gn_group_fixed(g, h->j, &extent) &&
                        extent <= 4 * gn_group_lanes(g, &g->nodes.at[at]);
    if (!narrow) spine.at[spine.n++] = h->j;
    const int32_t c = gn_group_new(g, narrow ? GROUP_ROWS : GROUP_CONTRACT, &spine, NONE);
    ggroup *q = &g->groups.at[c];
    q->contraction = (int32_t)at, q->row = h->i, q->lane = h->j;
    q->heavy = gn_arena_copy(g->scratch, h, sizeof *h);
    return c;
}

const uint32_t *gn_group_self_leaf(grouper *g, uint32_t at)
{
    uint32_t *self = GN_NEW_ARRAY(g->scratch, uint32_t, 1);
    *self = at;
    return self;
}

void gn_group_visit_reduction(grouper *g, uint32_t at)
{
    gnode *n = &g->nodes.at[at];
    const gnode *body = operand(g, n, 0);
    const class_set d = gn_group_set(g, body);
    heavy h;
    fit how = FIT_ROW;
    int32_t c = NONE;
    if (gn_group_heavy(g, n, NULL, &h)) {
        gn_group_orient(g, n, &h);
        c = heavy_group(g, at, &h);
    } else {
        c = find_group(g, n, gn_group_operands_level(g, n), &how);
        if (c == NONE) c = rows_group(g, n, &how);
    }
    gn_push(g->scratch, &g->groups.at[c].members, at);
    if (how == FIT_CLOSER) gn_push(g->scratch, &g->groups.at[c].closers, at);
    n->group = c, n->phase = gn_group_renamed(g, n) ? 2 : how == FIT_CLOSER;
    n->rvar = n->var;
    n->leaf = gn_group_self_leaf(g, at), n->nleaf = 1;
    gn_group_note_written(g, c, body);
    gn_group_touch(g, c, body, &d);
    n->touched = c;
}

void gn_group_visit_scatter(grouper *g, uint32_t at)
{
    gnode *n = &g->nodes.at[at];
    gn_group_cut_indices(g, n);
    const class_set d = gn_group_set(g, n);
    const int32_t c = gn_group_new(g, GROUP_SCATTER, &d, NONE);
    gn_push(g->scratch, &g->groups.at[c].members, at);
    n->group = c, n->phase = 2, n->rvar = 0;
    n->leaf = gn_group_self_leaf(g, at), n->nleaf = 1;
    n->touched = NONE;
    gn_group_home(g, at);
}
