/* Step 5: what crosses between groups is stored by its group, or computed again where it is used if that takes a few
 * operations from what is in memory anyway. Sums are never repeated. Number order matters: tanh z is stored first, so 1
 * - a^2 is then computed again from a. What memory alone gives belongs to no group: two may compute it, for more it is
 * stored before all of them. */
#include "group_state.h"
#include <string.h>

typedef struct crosser {
    grouper *g;
    uint32_t *stamp;             /* by node: 1 + the last group whose walk saw it */
    uint8_t *count;              /* by node that memory alone gives: groups that compute it; counted while `counts` */
    bool counts;
    GN_VEC(uint32_t) stack, found;
} crosser;

enum { MOST_TIMES = 2 };

static void push_operands(crosser *c, const gnode *n)
{
    for (uint32_t k = n->e->nin; k-- > 0;) gn_push(c->g->scratch, &c->stack, n->in[k]);
}

static void found(crosser *c, uint32_t at)
{
    gnode *n = &c->g->nodes.at[at];
    if (c->counts) return;
    if (n->crosses == 0) gn_push(c->g->scratch, &c->found, at);
    n->crosses = (uint16_t)(n->crosses + (n->crosses < UINT16_MAX));
}

/* One more group computes a node that memory alone gives; false: they are too many, and it is among those that are
 * found. */
static bool count_group(crosser *c, uint32_t at)
{
    const gnode *n = &c->g->nodes.at[at];
    if (!c->counts || n->group != NONE || is_move(n) || !(n->inlined || gn_group_covers(c->g, n))) return true;
    const int most = n->inlined ? gn_group_most_times(c->g, n) : MOST_TIMES;
    if (c->count[at] > most) return false;
    if (++c->count[at] <= most || (!n->stored && gn_group_is_near(c->g, at))) return true;
    gn_push(c->g->scratch, &c->found, at);
    return false;
}

/* Looks below one node for what group q needs and does not make itself. */
static void step(crosser *c, uint32_t at, int32_t q)
{
    grouper *g = c->g;
    const gnode *n = &g->nodes.at[at];
    if (c->stamp[at] == (uint32_t)q + 1) return;
    c->stamp[at] = (uint32_t)q + 1;
    gn_work_done.visits++;
    if (n->kind == NODE_MEMORY || is_ready(g, n, q)) return;
    const int32_t before = g->groups.at[q].after; /* what exists only behind that group is made here */
    const bool own = n->group == q || (is_light(n) && before != NONE && n->group == before && n->phase > 0);
    if (!is_light(n)) {
        if (!own) found(c, at);
    } else if (own || n->group == NONE || is_move(n) || !gn_group_covers(g, n)) {
        if (count_group(c, at)) push_operands(c, n);
    } else found(c, at);
}

static void drain(crosser *c, int32_t q)
{
    while (c->stack.n > 0) step(c, gn_pop(&c->stack), q);
}

static void walk_out(crosser *c, uint32_t at, int32_t q)
{
    const gnode *n = &c->g->nodes.at[at];
    c->stamp[at] = (uint32_t)q + 1;
    if (!is_light(n) && n->kind != NODE_SCATTER) return;
    if (!count_group(c, at)) return;
    push_operands(c, n);
    drain(c, q);
}

static void walk_group(crosser *c, int32_t q)
{
    const ggroup *group = &c->g->groups.at[q];
    for (size_t i = 0; i < group->members.n; i++) {
        push_operands(c, &c->g->nodes.at[group->members.at[i]]);
        drain(c, q);
    }
    for (size_t i = 0; i < group->outs.n; i++) walk_out(c, group->outs.at[i], q);
}

/* What computing a value again takes for each element: operations, and leaves as large as itself that are read. */
typedef struct near_work {
    int ops, loads;
} near_work;

static void add_near(const grouper *g, uint32_t at, const class_set *all, near_work *w)
{
    const uint32_t below = gn_group_look_through(g, at);
    const gnode *n = &g->nodes.at[below];
    if (n->kind == NODE_MEMORY || n->stored) {
        const class_set v = gn_group_var(g, &g->nodes.at[at]);
        w->loads += class_subset(all, &v);
        return;
    }
    w->ops += is_light(n) && !n->inlined ? gn_group_cost(n) : NEAR_COST + 1;
    for (uint32_t k = 0; k < n->e->nin && w->ops <= NEAR_COST; k++) add_near(g, n->in[k], all, w);
}

/* Cheaper than to store it once and to load it in every group that needs it. */
bool gn_group_is_near(const grouper *g, uint32_t at)
{
    const gnode *n = &g->nodes.at[at];
    const class_set all = gn_group_var(g, n);
    near_work w = { 0 };
    if (!is_light(n) || n->inlined) return false;
    add_near(g, at, &all, &w);
    return w.ops <= NEAR_COST && w.loads * n->crosses <= 1 + n->crosses;
}

static void walk_groups(crosser *c)
{
    const size_t n = c->g->groups.n;
    memset(c->stamp, 0, c->g->nodes.n * sizeof *c->stamp);
    for (size_t q = 0; q < n; q++)
        if (!c->g->groups.at[q].dead) walk_group(c, (int32_t)q);
}

/* An output that some later group was to store. */
static void take_out(ggroup *q, uint32_t at)
{
    size_t n = 0;
    for (size_t i = 0; i < q->outs.n; i++)
        if (q->outs.at[i] != at) q->outs.at[n++] = q->outs.at[i];
    q->outs.n = n;
}

static void store_first(crosser *c)
{
    grouper *g = c->g;
    c->counts = true;
    walk_groups(c);
    c->counts = false;
    gn_group_sort(c->found.at, c->found.n);
    for (size_t i = 0; i < c->found.n; i++) {
        const uint32_t at = c->found.at[i];
        const gnode *n = &g->nodes.at[at];
        if (n->is_part) continue;
        if (n->stored) take_out(&g->groups.at[n->home], at);
        gn_group_store(g, at, gn_group_first(g, n));
    }
    c->found.n = 0;
}

void gn_group_cross(grouper *g)
{
    crosser c = { g, .stamp = GN_NEW_ARRAY(g->scratch, uint32_t, g->nodes.n + 1),
                  .count = GN_NEW_ARRAY(g->scratch, uint8_t, g->nodes.n + 1) };
    store_first(&c);
    walk_groups(&c);
    /* What a group stores for others may need values that it did not need itself: until nothing new is found. */
    while (c.found.n > 0) {
        uint32_t *todo = gn_arena_copy(g->scratch, c.found.at, c.found.n * sizeof *todo);
        const size_t n = c.found.n;
        gn_group_sort(todo, n);
        c.found.n = 0;
        for (size_t i = 0; i < n; i++) {
            const gnode *x = &g->nodes.at[todo[i]];
            if (x->stored || gn_group_is_near(g, todo[i])) continue;
            walk_out(&c, todo[i], gn_group_home(g, todo[i])); /* which may need more values itself */
        }
    }
    for (size_t q = 0; q < g->groups.n; q++) gn_group_sort(g->groups.at[q].outs.at, g->groups.at[q].outs.n);
}
