/* Groups: what each reads and writes out, and where a value can be stored. */
#include "group_state.h"

enum { MOST_TRIES = 8 }; /* followers of a group that are asked to store one more value */

/* ---- groups ---- */

int32_t gn_group_new(grouper *g, group_kind kind, const class_set *spine, int32_t after)
{
    const int32_t q = (int32_t)g->groups.n;
    gn_push(g->scratch, &g->groups,
            (ggroup){ .kind = (uint8_t)kind, .spine = *spine, .after = after, .contraction = NONE });
    if (after >= 0) gn_push(g->scratch, &g->groups.at[after].followers, q);
    return q;
}

static uint64_t touch_key(int32_t group, uint32_t leaf)
{
    return (uint64_t)(uint32_t)group << 32 | leaf;
}

bool gn_group_touches(const grouper *g, int32_t group, uint32_t leaf)
{
    return gn_map_get(&g->touches, touch_key(group, leaf)) != NULL;
}

bool gn_group_is_full(const grouper *g, const class_set *d, uint32_t leaf)
{
    const class_set v = gn_group_var(g, &g->nodes.at[leaf]);
    return class_subset(d, &v);
}

bool gn_group_has_full(const grouper *g, const class_set *d, const gnode *n)
{
    for (size_t i = 0; i < n->nleaf; i++)
        if (gn_group_is_full(g, d, n->leaf[i])) return true;
    return false;
}

/* Bytes of the leaf that one point of the group's spine reads. */
int64_t gn_group_row_bytes(const grouper *g, const ggroup *q, const class_set *d, uint32_t leaf)
{
    const class_set row = class_minus(d, &q->spine);
    return gn_group_size(g, &row) * gn_dtypes[g->nodes.at[leaf].e->type->dtype].size;
}

bool gn_group_note_touch(grouper *g, int32_t group, uint32_t leaf)
{
    void **seen = gn_map_put(g->scratch, &g->touches, touch_key(group, leaf));
    if (*seen) return false;
    *seen = g;
    gn_push(g->scratch, &g->touchers[leaf].group, (uint32_t)group);
    gn_push(g->scratch, &g->groups.at[group].touch, leaf);
    return true;
}

void gn_group_touch(grouper *g, int32_t group, const gnode *body, const class_set *d)
{
    ggroup *q = &g->groups.at[group];
    for (size_t i = 0; i < body->nleaf; i++) {
        const uint32_t l = body->leaf[i];
        if (!gn_group_is_full(g, d, l)) continue;
        g->nodes.at[l].touched = group;
        if (gn_group_note_touch(g, group, l)) q->row_bytes += gn_group_row_bytes(g, q, d, l);
    }
    /* What it computes for pairs is as good as an operand that it reads: another use of it had better be there. */
    for (size_t i = 0; i < body->nroot; i++) {
        g->nodes.at[body->root[i]].touched = group;
        gn_group_note_touch(g, group, body->root[i]);
    }
}

/* ---- what a group writes out ---- */

static size_t new_axes(const ggroup *q, const uint32_t *axes, size_t n)
{
    size_t more = 0;
    for (size_t i = 0; i < n; i++) more += !has_number(q->axes.at, q->axes.n, axes[i]);
    return more;
}

bool gn_group_can_write(const grouper *g, int32_t group, const gnode *n)
{
    const ggroup *q = &g->groups.at[group];
    uint32_t reads = q->nreads;
    for (size_t i = 0; i < n->nleaf; i++) reads += !gn_map_get(&g->reads, touch_key(group, n->leaf[i]));
    return reads <= MAX_READS && q->axes.n + new_axes(q, n->axes, n->naxes) <= MAX_GROUP_AXES;
}

bool gn_group_can_join(const grouper *g, const ggroup *from, int32_t to)
{
    const ggroup *q = &g->groups.at[to];
    return q->nreads + from->nreads <= MAX_READS &&
           q->axes.n + new_axes(q, from->axes.at, from->axes.n) <= MAX_GROUP_AXES;
}

bool gn_group_is_map_of(const grouper *g, int32_t group, const gnode *n)
{
    const ggroup *q = &g->groups.at[group];
    const class_set d = gn_group_stored(g, n);
    return q->spine.n == d.n && class_subset(&q->spine, &d) && q->outs.n < MAX_OUTS && gn_group_can_write(g, group, n);
}

void gn_group_note_written(grouper *g, int32_t group, const gnode *n)
{
    ggroup *q = &g->groups.at[group];
    for (size_t i = 0; i < n->naxes; i++)
        if (new_axes(q, &n->axes[i], 1)) gn_push(g->scratch, &q->axes, n->axes[i]);
    for (size_t i = 0; i < n->nleaf; i++) {
        void **read = gn_map_put(g->scratch, &g->reads, touch_key(group, n->leaf[i]));
        q->nreads += !*read;
        *read = g;
    }
}

/* ---- where a value can be stored ---- */

bool gn_group_holds(const grouper *g, const ggroup *q, const gnode *n, int phase)
{
    const class_set d = gn_group_stored(g, n);
    if (q->kind == GROUP_SCATTER || q->outs.n >= MAX_OUTS || !gn_group_can_write(g, (int32_t)(q - g->groups.at), n))
        return false;
    if (phase == 0) return class_subset(&q->spine, &d);
    for (size_t i = 0; phase == 1 && i < q->closers.n; i++) {
        const class_set p = gn_group_kept(g, &g->nodes.at[q->closers.at[i]]);
        if (class_subset(&d, &p)) return true;
    }
    return false;
}

/* The last group that reads one of its full operands; else a map of its own. */
static int32_t home_from_memory(grouper *g, const gnode *n)
{
    const class_set d = gn_group_stored(g, n);
    int32_t best = NONE;
    for (size_t i = 0; i < n->nleaf; i++) {
        const uint32_t l = n->leaf[i];
        const int32_t t = g->nodes.at[l].touched;
        if (t <= best || !gn_group_is_full(g, &d, l)) continue;
        const ggroup *q = &g->groups.at[t];
        if ((q->kind == GROUP_ROWS || q->kind == GROUP_MAP) && gn_group_holds(g, q, n, 0)) best = t;
    }
    return best != NONE ? best : gn_group_new(g, GROUP_MAP, &d, NONE);
}

/* Leaves that are always read from memory are there when group q begins. */
static bool leaves_ready(const grouper *g, const gnode *n, int32_t q)
{
    for (size_t i = 0; i < n->nleaf; i++) {
        const gnode *l = &g->nodes.at[n->leaf[i]];
        if (l->cut && l != n && !is_ready(g, l, q)) return false;
    }
    return true;
}

/* A map that runs right behind the group of the node's level: one for all values of equal dims. */
static int32_t home_after(grouper *g, const gnode *n)
{
    const class_set d = gn_group_stored(g, n);
    const ggroup *q = &g->groups.at[n->group];
    for (size_t i = q->followers.n > MOST_TRIES ? q->followers.n - MOST_TRIES : 0; i < q->followers.n; i++) {
        const int32_t at = q->followers.at[i];
        if (leaves_ready(g, n, at) && gn_group_is_map_of(g, at, n)) return at;
    }
    return gn_group_new(g, GROUP_MAP, &d, n->group);
}

/* A map that runs before all others, for what memory alone gives. */
int32_t gn_group_first(grouper *g, const gnode *n)
{
    const class_set d = gn_group_stored(g, n);
    if (g->first.n > 0 && gn_group_is_map_of(g, g->first.at[g->first.n - 1], n)) return g->first.at[g->first.n - 1];
    const int32_t q = gn_group_new(g, GROUP_MAP, &d, FIRST);
    gn_push(g->scratch, &g->first, q);
    return q;
}

int32_t gn_group_store(grouper *g, uint32_t at, int32_t home)
{
    const gnode *n = &g->nodes.at[at];
    ggroup *q = &g->groups.at[home];
    gn_push(g->scratch, &q->outs, at);
    gn_group_note_written(g, home, n);
    if (q->kind == GROUP_MAP) {
        const class_set d = gn_group_stored(g, n);
        gn_group_touch(g, home, n, &d);
    }
    g->nodes.at[at].stored = true;
    g->nodes.at[at].home = home;
    return home;
}

int32_t gn_group_home(grouper *g, uint32_t at)
{
    const gnode *n = &g->nodes.at[at];
    if (n->stored || gn_group_slices(g, at)) return n->home;
    if ((!is_light(n) && n->kind != NODE_MEMORY) ||
        (n->group != NONE && gn_group_holds(g, &g->groups.at[n->group], n, n->phase)))
        return gn_group_store(g, at, n->group);
    return gn_group_store(g, at, n->group == NONE ? home_from_memory(g, n) : home_after(g, n));
}
