/* Step 3: a level for every node, and groups for reductions and for what is stored. Nodes come in canonical order, so
 * an operand's level is known and groups are numbered in the order they are made; a node never lies below one of its
 * operands, hence no cycle can arise and none is searched. Every tie goes to the lower number. */
#include "group_state.h"
#include <string.h>

enum { MOST_TRIES = 8 }; /* followers of a group that are asked to store one more value */

typedef struct level {
    int32_t group;
    int phase;
} level;

static bool below(level a, level b)
{
    return a.group != b.group ? a.group < b.group : a.phase < b.phase;
}

static level level_of(const gnode *n)
{
    return (level){ n->group, n->phase };
}

/* ---- groups ---- */

static int32_t new_group(grouper *g, group_kind kind, const class_set *spine, int32_t after)
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

static bool is_full(const grouper *g, const class_set *d, uint32_t leaf)
{
    const class_set v = gn_group_var(g, &g->nodes.at[leaf]);
    return class_subset(d, &v);
}

/* Bytes of the leaf that one point of the group's spine reads. */
static int64_t row_bytes(const grouper *g, const ggroup *q, const class_set *d, uint32_t leaf)
{
    const class_set row = class_minus(d, &q->spine);
    return gn_group_size(g, &row) * gn_dtypes[g->nodes.at[leaf].e->type->dtype].size;
}

/* What a group computes for pairs is as good as an operand that it reads: another use of it had better be there. */
static void touch_root(grouper *g, int32_t group, uint32_t root)
{
    g->nodes.at[root].touched = group;
    void **seen = gn_map_put(g->scratch, &g->touches, touch_key(group, root));
    if (*seen) return;
    *seen = g;
    gn_push(g->scratch, &g->touchers[root].group, group);
    gn_push(g->scratch, &g->groups.at[group].touch, root);
}

static void touch(grouper *g, int32_t group, const gnode *body, const class_set *d)
{
    ggroup *q = &g->groups.at[group];
    for (size_t i = 0; i < body->nleaf; i++) {
        const uint32_t l = body->leaf[i];
        if (!is_full(g, d, l)) continue;
        g->nodes.at[l].touched = group;
        void **seen = gn_map_put(g->scratch, &g->touches, touch_key(group, l));
        if (*seen) continue;
        *seen = g;
        gn_push(g->scratch, &g->touchers[l].group, group);
        q->row_bytes += row_bytes(g, q, d, l);
        gn_push(g->scratch, &q->touch, l);
    }
    for (size_t i = 0; i < body->nroot; i++) touch_root(g, group, body->root[i]);
}

/* ---- what a group writes out ---- */

static size_t new_axes(const ggroup *q, const uint32_t *axes, size_t n)
{
    size_t more = 0;
    for (size_t i = 0; i < n; i++) {
        bool known = false;
        for (size_t k = 0; k < q->axes.n; k++) known |= q->axes.at[k] == axes[i];
        more += !known;
    }
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
    return q->nreads + from->nreads <= MAX_READS && q->axes.n + new_axes(q, from->axes.at, from->axes.n) <= MAX_GROUP_AXES;
}

static void note_written(grouper *g, int32_t group, const gnode *n)
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
        if (t <= best || !is_full(g, &d, l)) continue;
        const ggroup *q = &g->groups.at[t];
        if ((q->kind == GROUP_ROWS || q->kind == GROUP_MAP) && gn_group_holds(g, q, n, 0)) best = t;
    }
    return best != NONE ? best : new_group(g, GROUP_MAP, &d, NONE);
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
        const ggroup *a = &g->groups.at[q->followers.at[i]];
        const bool same = a->spine.n == d.n && class_subset(&a->spine, &d);
        const int32_t at = q->followers.at[i];
        if (same && a->outs.n < MAX_OUTS && leaves_ready(g, n, at) && gn_group_can_write(g, at, n)) return at;
    }
    return new_group(g, GROUP_MAP, &d, n->group);
}

/* A map that runs before all others, for what memory alone gives. */
int32_t gn_group_first(grouper *g, const gnode *n)
{
    const class_set d = gn_group_stored(g, n);
    if (g->first.n > 0) {
        const int32_t last = g->first.at[g->first.n - 1];
        const ggroup *q = &g->groups.at[last];
        if (q->spine.n == d.n && class_subset(&q->spine, &d) && q->outs.n < MAX_OUTS && gn_group_can_write(g, last, n))
            return last;
    }
    const int32_t q = new_group(g, GROUP_MAP, &d, FIRST);
    gn_push(g->scratch, &g->first, q);
    return q;
}

int32_t gn_group_store(grouper *g, uint32_t at, int32_t home)
{
    const gnode *n = &g->nodes.at[at];
    ggroup *q = &g->groups.at[home];
    gn_push(g->scratch, &q->outs, at);
    note_written(g, home, n);
    if (q->kind == GROUP_MAP) {
        const class_set d = gn_group_stored(g, n);
        touch(g, home, n, &d);
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

/* A reshape that is more than a change of extents 1, or a gather. */
static bool is_map(const grouper *g, const gnode *n)
{
    if (n->kind == NODE_TAKE) return true;
    if (n->kind != NODE_RESHAPE) return false;
    const reshape_blocks r = gn_group_reshape(g, n);
    for (uint8_t k = 0; k < r.n; k++)
        if (r.in_end[k] - (k ? r.in_end[k - 1] : 0) != 1 || r.out_end[k] - (k ? r.out_end[k - 1] : 0) != 1) return true;
    return false;
}

/* Makes a light node a leaf: from here on it is read from memory only. */
static void cut_here(grouper *g, uint32_t at)
{
    gnode *n = &g->nodes.at[at];
    const int32_t home = gn_group_home(g, at);
    const int32_t after = g->groups.at[home].after;
    uint32_t *self = GN_NEW_ARRAY(g->scratch, uint32_t, 1);
    *self = at;
    n->cut = true;
    n->group = after != NONE ? after : home;
    n->phase = 2, n->rvar = 0, n->depth = 0;
    n->leaf = self, n->nleaf = 1;
    n->naxes = 0, n->nroot = 0;
    n->maps = 0, n->moved = false;
    n->touched = NONE;
}

/* A view of something light, but for a slice, which may be little of it, and for what makes indices longer. */
static bool is_cut_below(const grouper *g, const gnode *n)
{
    return is_view(n) && n->kind != NODE_SLICE && !is_map(g, n) && !is_leaf(operand(g, n, 0)) && n->e->in[0]->nin > 0;
}

/* A view of what has become a leaf. */
static void see_leaf(grouper *g, gnode *n)
{
    const gnode *x = operand(g, n, 0);
    uint32_t *axes = GN_NEW_ARRAY(g->scratch, uint32_t, n->rank);
    for (uint32_t d = 0; d < n->rank; d++) axes[d] = class_of(g, n, d);
    n->leaf = x->leaf, n->nleaf = x->nleaf;
    n->axes = axes, n->naxes = n->rank;
    n->nroot = 0;
    n->depth = (uint16_t)(x->depth + 1), n->maps = x->maps, n->moved = x->moved;
    n->group = x->group, n->phase = x->phase, n->rvar = 0;
}

void gn_group_cut(grouper *g, uint32_t at)
{
    GN_VEC(uint32_t) views = { 0 };
    if (is_leaf(&g->nodes.at[at])) return;
    for (; is_cut_below(g, &g->nodes.at[at]); at = g->nodes.at[at].in[0]) gn_push(g->scratch, &views, at);
    cut_here(g, at);
    while (views.n > 0) see_leaf(g, &g->nodes.at[gn_pop(&views)]);
}

/* ---- light nodes ---- */

/* Operands that are read at places that only run time knows must stand in memory whole: indices. */
static bool is_index(const gnode *n, uint32_t k)
{
    return (n->kind == NODE_TAKE || n->kind == NODE_SCATTER) && k == 1;
}

/* The operand as levels and leaves see it. Of an index that is what is loaded, below views that were met before it was
 * stored. */
static const gnode *source(const grouper *g, const gnode *n, uint32_t k)
{
    uint32_t at = n->in[k];
    while (is_index(n, k)) {
        at = gn_group_look_through(g, at);
        const gnode *x = &g->nodes.at[at];
        if (is_leaf(x) || x->e->nin != 1) break;
        at = x->in[0]; /* a conversion */
    }
    return &g->nodes.at[at];
}

/* All leaves of the operands in order; false if there are too many. */
static bool gather_leaves(const grouper *g, const gnode *n, uint32_t *leaf, uint8_t *nleaf, uint16_t *depth)
{
    *nleaf = 0, *depth = 0;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = source(g, n, k);
        if (x->depth >= *depth) *depth = (uint16_t)(x->depth + 1);
        for (size_t i = 0; i < x->nleaf; i++) {
            bool seen = false;
            for (size_t j = 0; j < *nleaf; j++) seen |= leaf[j] == x->leaf[i];
            if (seen) continue;
            if (*nleaf == MAX_LEAVES) return false;
            leaf[(*nleaf)++] = x->leaf[i];
        }
    }
    return *depth <= MAX_DEPTH;
}

/* The operand that is worth storing most: with the most leaves, then the deepest, then the first. */
static uint32_t heaviest_operand(const grouper *g, const gnode *n)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = operand(g, n, k);
        if (is_leaf(x) || x->nleaf == 0) continue;
        const gnode *b = best == UINT32_MAX ? NULL : &g->nodes.at[best];
        if (!b || x->nleaf > b->nleaf || (x->nleaf == b->nleaf && x->depth > b->depth)) best = n->in[k];
    }
    return best;
}

/* Classes of the node and of what is written out below it; 0xff: too many. */
static uint8_t gather_axes(const grouper *g, const gnode *n, uint32_t *axes)
{
    uint8_t count = 0;
    for (uint32_t d = 0; d < n->rank; d++) axes[count++] = class_of(g, n, d);
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = operand(g, n, k);
        for (size_t i = 0; i < x->naxes; i++) {
            bool known = false;
            for (size_t j = 0; j < count; j++) known |= axes[j] == x->axes[i];
            if (known) continue;
            if (count == MAX_AXES) return UINT8_MAX;
            axes[count++] = x->axes[i];
        }
    }
    return count;
}

static const uint32_t *shared_axes(const grouper *g, const gnode *n, const uint32_t *axes)
{
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = operand(g, n, k);
        if (x->naxes == n->naxes && (!n->naxes || memcmp(x->axes, axes, n->naxes * sizeof *axes) == 0)) return x->axes;
    }
    return gn_arena_copy(g->scratch, axes, n->naxes * sizeof *axes);
}

static uint32_t widest_operand(const grouper *g, const gnode *n)
{
    uint32_t best = n->in[0];
    for (uint32_t k = 1; k < n->e->nin; k++)
        if (operand(g, n, k)->naxes > g->nodes.at[best].naxes) best = n->in[k];
    return best;
}

static void find_axes(grouper *g, gnode *n)
{
    uint32_t axes[MAX_AXES];
    while ((n->naxes = gather_axes(g, n, axes)) == UINT8_MAX) gn_group_cut(g, widest_operand(g, n));
    n->axes = shared_axes(g, n, axes);
}

static void visit_light(grouper *g, gnode *n);

/* What was visited behind a place that is cut now is visited again: it reads what was stored there. */
static bool cut_before(grouper *g, const gnode *n, uint32_t operand)
{
    const uint32_t end = (uint32_t)(n - g->nodes.at);
    uint32_t place;
    if (g->again || (place = gn_group_waist(g, end, g->nodes.at[operand].group)) == UINT32_MAX) return false;
    g->again = true;
    for (uint32_t at = place + 1; at < end; at++) {
        gnode *x = &g->nodes.at[at];
        if (!is_leaf(x) && !x->stored) visit_light(g, x);
    }
    g->again = false;
    return true;
}

/* Light nodes one upon the other since the last cut through all values. */
static uint16_t run_of(const grouper *g, const gnode *n)
{
    uint16_t run = 0;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = operand(g, n, k);
        if (n->in[k] >= g->waist && !is_leaf(x) && x->run > run) run = x->run;
    }
    return (uint16_t)(run + 1);
}

static void find_leaves(grouper *g, gnode *n)
{
    uint32_t leaf[MAX_LEAVES];
    for (;;) {
        const bool fits = gather_leaves(g, n, leaf, &n->nleaf, &n->depth);
        n->run = run_of(g, n);
        if (fits && (n->run <= MAX_RUN || g->again)) break;
        const uint32_t x = heaviest_operand(g, n);
        if (x == UINT32_MAX) break; /* a concat of many leaves */
        if (!cut_before(g, n, x) && !fits) gn_group_cut(g, x);
    }
    n->leaf = gn_arena_copy(g->scratch, leaf, n->nleaf * sizeof *leaf);
}

static void cut_indices(grouper *g, const gnode *n)
{
    if (n->kind != NODE_TAKE && n->kind != NODE_SCATTER) return;
    if (!gn_group_is_index(g, n->in[1])) gn_group_cut(g, gn_group_look_through(g, n->in[1]));
}

/* Moves something that is computed: it may be read at several places. */
static bool moves_text(const grouper *g, const gnode *n, uint32_t k)
{
    if (!is_move(n) || n->kind == NODE_BROADCAST) return false;
    const gnode *x = &g->nodes.at[gn_group_look_through(g, n->in[k])];
    return !is_leaf(x) && x->e->nin > 0;
}

/* Index maps stay short enough to be written out. */
static void find_maps(grouper *g, gnode *n)
{
    const bool own = is_map(g, n);
    n->maps = 0, n->moved = false;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = operand(g, n, k);
        if (own && x->maps >= MAX_MAPS) gn_group_cut(g, n->in[k]);
        if (x->maps > n->maps) n->maps = x->maps;
        n->moved |= x->moved || moves_text(g, n, k);
    }
    n->maps = (uint8_t)(n->maps + own);
}

/* Only where paths meet, or a gather reads an element more than once, is anything computed again. */
static bool may_repeat(const grouper *g, const gnode *n)
{
    int paths = n->kind == NODE_TAKE;
    for (uint32_t k = 0; k < n->e->nin; k++) paths += !is_leaf(operand(g, n, k)) && n->e->in[k]->nin > 0;
    return n->moved && (paths > 1 || n->kind == NODE_TAKE);
}

static void cut_repeated(grouper *g, gnode *n)
{
    while (may_repeat(g, n)) {
        const uint32_t again = gn_group_repeated(g, n);
        if (again == UINT32_MAX || &g->nodes.at[again] == n) return;
        gn_group_cut(g, again);
        find_maps(g, n);
    }
}

/* The level at which n can read operand k: behind its group, if it reads other elements of something that the group
 * makes. */
static level operand_level(const grouper *g, const gnode *n, uint32_t k)
{
    const gnode *x = source(g, n, k);
    level l = level_of(x);
    if (l.group == NONE || l.phase == 2) return l;
    if (is_index(n, k) || n->kind == NODE_SCATTER) return (level){ l.group, 2 };
    int8_t map[GN_MAX_RANK];
    gn_group_dims(g, n, k, map);
    for (uint32_t d = 0; d < x->rank; d++) {
        if (!(x->rvar >> d & 1)) continue;
        const bool same = map[d] != NONE && class_of(g, n, (uint32_t)map[d]) == class_of(g, x, d);
        if (!same && !(n->kind == NODE_REDUCE && map[d] == NONE)) l.phase = 2;
    }
    return l;
}

static level operands_level(const grouper *g, const gnode *n)
{
    level b = { NONE, 0 };
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const level l = operand_level(g, n, k);
        if (below(b, l)) b = l;
    }
    return b;
}

/* Values of points that a kernel has made and another one pairs are stored: for each pair anything is too much to
 * compute again. */
static void cut_points(grouper *g, const gnode *n)
{
    if (n->kind != NODE_ELEM || n->e->nin < 2) return;
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const gnode *x = &g->nodes.at[gn_group_look_through(g, n->in[k])];
        if (is_leaf(x) || x->group == NONE || operand_level(g, n, k).phase < 2 || !gn_group_covers(g, x)) continue;
        if (gn_group_pairs(g, n, x)) gn_group_cut(g, n->in[k]);
    }
}

/* In no loop of a group. */
static bool is_outside(level l)
{
    return l.group == NONE || l.phase == 2;
}

static void visit_light(grouper *g, gnode *n)
{
    if (gn_group_has_many_parts(g, n)) {
        gn_group_cut(g, (uint32_t)(n - g->nodes.at));
        return;
    }
    cut_indices(g, n);
    cut_points(g, n);
    find_maps(g, n);
    cut_repeated(g, n);
    find_axes(g, n);
    find_leaves(g, n);
    gn_group_roots(g, n);
    const level b = operands_level(g, n);
    n->group = b.group, n->phase = (uint8_t)b.phase;
    n->rvar = 0;
    for (uint32_t k = 0; k < n->e->nin && b.group != NONE && b.phase < 2; k++) {
        const gnode *x = operand(g, n, k);
        if (x->group == b.group && x->phase < 2) n->rvar |= gn_group_varies(g, n, k, x->rvar);
    }
}

/* ---- reductions ---- */

typedef enum { FIT_NONE, FIT_ROW, FIT_CLOSER } fit;

static bool made_in(const gnode *leaf, int32_t c)
{
    return leaf->group == c && leaf->phase == 0;
}

/* Some full operand is read or made in the group already; or all is made there; or its pairs are gone over there. */
static bool shares(const grouper *g, int32_t c, const gnode *body, const class_set *d, level b)
{
    bool any = false, all = true;
    for (size_t i = 0; i < body->nroot; i++) any |= gn_group_touches(g, c, body->root[i]);
    for (size_t i = 0; i < body->nleaf; i++) {
        const uint32_t l = body->leaf[i];
        if (!is_full(g, d, l)) continue;
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
        if (is_full(g, d, body->leaf[i]) && !gn_group_touches(g, c, body->leaf[i]))
            more += row_bytes(g, q, d, body->leaf[i]);
    return q->members.n < MAX_MEMBERS && (more == 0 || q->row_bytes + more <= g->target->l2_bytes / 2);
}

static fit fits(const grouper *g, int32_t c, const gnode *r, level b)
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
static int32_t toucher(const grouper *g, const gnode *body, const class_set *d, level b, int32_t last)
{
    int32_t best = NONE;
    for (size_t i = 0; i < body->nleaf + body->nroot; i++) {
        const uint32_t l = i < body->nleaf ? body->leaf[i] : body->root[i - body->nleaf];
        const int32_t t = g->nodes.at[l].touched;
        if (t > best && t < last && t >= b.group + (b.phase > 0) && (i >= body->nleaf || is_full(g, d, l))) best = t;
    }
    return best;
}

/* Candidates: the level's own group, then those that touched a full operand, highest number first. */
static int32_t find_group(const grouper *g, const gnode *r, level b, fit *how)
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
    if ((p.n > 0 && !few) || a.n == 0) return new_group(g, GROUP_ROWS, &p, NONE);
    const class_set spine = { .n = 1, .at = { long_class(g, &a) } };
    *how = FIT_CLOSER;
    return new_group(g, GROUP_ROWS, &spine, NONE);
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
    const int32_t c = new_group(g, narrow ? GROUP_ROWS : GROUP_CONTRACT, &spine, NONE);
    ggroup *q = &g->groups.at[c];
    q->contraction = (int32_t)at, q->row = h->i, q->lane = h->j;
    q->heavy = gn_arena_copy(g->scratch, h, sizeof *h);
    return c;
}

static const uint32_t *self_leaf(grouper *g, uint32_t at)
{
    uint32_t *self = GN_NEW_ARRAY(g->scratch, uint32_t, 1);
    *self = at;
    return self;
}

static void visit_reduction(grouper *g, uint32_t at)
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
        c = find_group(g, n, operands_level(g, n), &how);
        if (c == NONE) c = rows_group(g, n, &how);
    }
    gn_push(g->scratch, &g->groups.at[c].members, at);
    if (how == FIT_CLOSER) gn_push(g->scratch, &g->groups.at[c].closers, at);
    n->group = c, n->phase = gn_group_renamed(g, n) ? 2 : how == FIT_CLOSER;
    n->rvar = n->var;
    n->leaf = self_leaf(g, at), n->nleaf = 1;
    note_written(g, c, body);
    touch(g, c, body, &d);
    n->touched = c;
}

static void visit_scatter(grouper *g, uint32_t at)
{
    gnode *n = &g->nodes.at[at];
    cut_indices(g, n);
    const class_set d = gn_group_set(g, n);
    const int32_t c = new_group(g, GROUP_SCATTER, &d, NONE);
    gn_push(g->scratch, &g->groups.at[c].members, at);
    n->group = c, n->phase = 2, n->rvar = 0;
    n->leaf = self_leaf(g, at), n->nleaf = 1;
    n->touched = NONE;
    gn_group_home(g, at);
}

bool gn_group_covers(const grouper *g, const gnode *n)
{
    const class_set v = gn_group_var(g, n);
    for (size_t i = 0; i < n->nleaf; i++)
        if (is_full(g, &v, n->leaf[i])) return true;
    return false;
}

void gn_group_assign(grouper *g)
{
    g->touchers = GN_NEW_ARRAY(g->scratch, struct touchers, g->nodes.n + 1);
    g->waist_of = GN_NEW_ARRAY(g->scratch, uint32_t, g->nodes.n + 1);
    for (uint32_t at = 0; at < g->nodes.n; at++) {
        gnode *n = &g->nodes.at[at];
        n->touched = NONE, n->group = NONE, n->home = NONE;
        n->inlined = n->kind == NODE_REDUCE && is_outside(operands_level(g, n)) && gn_group_inlines(g, n);
        if (n->kind == NODE_SCATTER || (n->kind == NODE_REDUCE && !n->inlined)) g->fixed = at;
        if (n->kind == NODE_MEMORY) n->leaf = self_leaf(g, at), n->nleaf = 1;
        else if (n->kind == NODE_REDUCE && !n->inlined) visit_reduction(g, at);
        else if (n->kind == NODE_SCATTER) visit_scatter(g, at);
        else visit_light(g, n);
        n = &g->nodes.at[at];
        if (!n->named) continue;
        if (n->group == NONE) gn_push(g->scratch, &g->late, at);
        else gn_group_home(g, at);
    }
    /* What needs memory alone may be stored anywhere: behind all reductions, where most groups offer themselves. */
    for (size_t i = 0; i < g->late.n; i++) gn_group_home(g, g->late.at[i]);
}
