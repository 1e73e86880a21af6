/* Step 4: a group of row reductions that reads the same rows as another and neither needs nor feeds it moves into the
 * other. (A bias' gradient, the column sum of dy, is met before the normalized rows exist, and ends in their group.)
 * One pass. */
#include "group_state.h"
#include "visit.h"

enum { MOST_TRIES = 32 };

/* Groups between which q may lie: operands' groups end before it, users begin behind it. */
static void bounds(const grouper *g, int32_t q, int32_t *low, int32_t *first)
{
    const ggroup *group = &g->groups.at[q];
    *low = 0, *first = (int32_t)g->groups.n;
    for (size_t i = 0; i < group->nodes.n; i++) {
        const gnode *n = &g->nodes.at[group->nodes.at[i]];
        for (uint32_t k = 0; k < n->e->nin; k++) {
            const gnode *x = operand(g, n, k);
            if (x->group != q && x->group != NONE && x->group + (x->phase > 0) > *low) *low = x->group + (x->phase > 0);
        }
        for (uint32_t k = 0; k < n->nuser; k++) {
            const gnode *u = &g->nodes.at[n->user[k]];
            if (u->group > q && u->group < *first) *first = u->group;
        }
    }
    for (size_t i = 0; i < group->outs.n; i++) { /* a concat in memory lies behind all that write its parts */
        const gnode *n = &g->nodes.at[group->outs.at[i]];
        for (uint32_t k = 0; n->is_part && k < n->nuser; k++) {
            const int32_t u = g->nodes.at[n->user[k]].group;
            if (u > q && u < *first) *first = u;
        }
    }
    if (group->followers.n > 0) *first = 0; /* something must run right behind it: it stays */
}

/* Phases of q's nodes inside c, in the order of q's nodes; false if a member fits neither as a row value nor as a
 * closer. */
static bool try_phases(const grouper *g, const ggroup *q, const ggroup *c, int32_t cn, gn_map *phase, gn_arena *scratch)
{
    for (size_t i = 0; i < q->nodes.n; i++) {
        const uint32_t at = q->nodes.at[i];
        const gnode *n = &g->nodes.at[at];
        if (n->sliced) return false;
        uintptr_t p = 1; /* one more than the phase */
        for (uint32_t k = 0; k < n->e->nin; k++) {
            const gnode *x = operand(g, n, k);
            const uintptr_t xp = (uintptr_t)gn_map_get(phase, n->in[k]);
            if (xp > p) p = xp;
            if (!xp && x->group == cn && x->phase + 1u > p) p = x->phase + 1u;
        }
        if (!is_light(n)) {
            const class_set d = gn_group_set(g, operand(g, n, 0)), kept = gn_group_kept(g, n);
            if (p > 1) return false;
            if (!class_subset(&c->spine, &kept)) {
                if (!class_subset(&c->spine, &d) || !class_disjoint(&c->spine, &kept) || !gn_group_closes(g, n, &kept))
                    return false;
                p = 2;
            } else if (n->phase == 1) return false;
        } else if (n->phase == 2) p = 3;
        *gn_map_put(scratch, phase, at) = (void *)p;
    }
    return true;
}

static bool outs_fit(const grouper *g, const ggroup *q, const ggroup *c, const gn_map *phase)
{
    for (size_t i = 0; i < q->outs.n; i++) {
        const gnode *n = &g->nodes.at[q->outs.at[i]];
        const uintptr_t p = (uintptr_t)gn_map_get(phase, q->outs.at[i]);
        if (n->cut || p > 2) return false;
        if (p == 2 && !is_light(n)) continue;
        if (!gn_group_holds(g, c, n, p == 2 ? 1 : 0)) return false;
    }
    return true;
}

static bool has_room(const ggroup *q, const ggroup *c, const grouper *g)
{
    return q->outs.n + c->outs.n <= MAX_OUTS && q->members.n + c->members.n <= MAX_MEMBERS &&
           q->row_bytes + c->row_bytes <= g->target->l2_bytes / 2;
}

static bool is_plain_rows(const ggroup *q)
{
    return !q->dead && q->kind == GROUP_ROWS && q->contraction == NONE && q->after == NONE;
}

typedef GN_VEC(uint32_t) group_list;

/* Groups in [from, end) that share a full operand with q, in order; of an operand that many read, the first MOST_TRIES. */
static group_list sharing(const grouper *g, int32_t q, int32_t from, int32_t end)
{
    const ggroup *group = &g->groups.at[q];
    group_list all = { 0 };
    for (size_t i = 0; i < group->touch.n; i++) {
        const struct touchers *t = &g->touchers[group->touch.at[i]];
        size_t tries = 0;
        for (size_t k = 0; k < t->group.n && tries < MOST_TRIES; k++) {
            const int32_t c = (int32_t)t->group.at[k];
            gn_work_done.scans++;
            if (c < from || c >= end || c == q || !is_plain_rows(&g->groups.at[c])) continue;
            gn_push(g->scratch, &all, (uint32_t)c);
            tries++;
        }
    }
    gn_group_sort(all.at, all.n);
    return all;
}

static void move(grouper *g, int32_t from, int32_t to, const gn_map *phase)
{
    ggroup *q = &g->groups.at[from], *c = &g->groups.at[to];
    for (size_t i = 0; i < q->nodes.n; i++) {
        const uint32_t at = q->nodes.at[i];
        gnode *n = &g->nodes.at[at];
        n->group = to;
        n->phase = (uint8_t)((uintptr_t)gn_map_get(phase, at) - 1);
        gn_push(g->scratch, &c->nodes, at);
        if (is_light(n)) continue;
        gn_push(g->scratch, &c->members, at);
        if (n->phase == 1) gn_push(g->scratch, &c->closers, at);
    }
    for (size_t i = 0; i < q->outs.n; i++) {
        gn_push(g->scratch, &c->outs, q->outs.at[i]);
        g->nodes.at[q->outs.at[i]].home = to;
    }
    for (size_t i = 0; i < q->touch.n; i++) {
        gn_group_note_touch(g, to, q->touch.at[i]);
        if (g->nodes.at[q->touch.at[i]].touched == from) g->nodes.at[q->touch.at[i]].touched = to;
    }
    for (size_t i = 0; i < q->axes.n; i++) gn_push(g->scratch, &c->axes, q->axes.at[i]);
    c->nreads += q->nreads;
    q->dead = true;
    q->members.n = q->outs.n = q->nodes.n = 0;
}

static void merge_one(grouper *g, int32_t q)
{
    int32_t low, first;
    bounds(g, q, &low, &first);
    const group_list others = sharing(g, q, low, first);
    for (size_t i = 0; i < others.n; i++) {
        const int32_t c = (int32_t)others.at[i];
        const ggroup *to = &g->groups.at[c];
        gn_map phase = { 0 };
        if ((i > 0 && others.at[i] == others.at[i - 1]) || !gn_group_can_join(g, &g->groups.at[q], c) ||
            !has_room(&g->groups.at[q], to, g))
            continue;
        if (!try_phases(g, &g->groups.at[q], to, c, &phase, g->scratch) || !outs_fit(g, &g->groups.at[q], to, &phase))
            continue;
        move(g, q, c, &phase);
        return;
    }
}

void gn_group_merge(grouper *g)
{
    for (uint32_t at = 0; at < g->nodes.n; at++)
        if (g->nodes.at[at].group != NONE) gn_push(g->scratch, &g->groups.at[g->nodes.at[at].group].nodes, at);
    for (int32_t q = 0; q < (int32_t)g->groups.n; q++) {
        if (!is_plain_rows(&g->groups.at[q])) continue;
        merge_one(g, q);
    }
    for (size_t q = 0; q < g->groups.n; q++) {
        ggroup *c = &g->groups.at[q];
        gn_group_sort(c->members.at, c->members.n);
        gn_group_sort(c->outs.at, c->outs.n);
    }
}
