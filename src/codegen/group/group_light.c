/* Light nodes: their leaves, the classes that their text has, their level; and cuts, where such a text ends because it
 * would be too long, too deep or computed too often. */
#include <string.h>
#include "group_state.h"

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
    n->cut = true;
    n->group = after != NONE ? after : home;
    n->phase = 2, n->rvar = 0, n->depth = 0;
    n->leaf = gn_group_self_leaf(g, at), n->nleaf = 1;
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
            if (has_number(leaf, *nleaf, x->leaf[i])) continue;
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
            if (has_number(axes, count, x->axes[i])) continue;
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

/* What was visited behind a place that is cut now is visited again: it reads what was stored there. */
static bool cut_before(grouper *g, const gnode *n, uint32_t operand)
{
    const uint32_t end = (uint32_t)(n - g->nodes.at);
    uint32_t place;
    if (g->again || (place = gn_group_waist(g, end, g->nodes.at[operand].group)) == UINT32_MAX) return false;
    g->again = true;
    for (uint32_t at = place + 1; at < end; at++) {
        gnode *x = &g->nodes.at[at];
        if (!is_leaf(x) && !x->stored) gn_group_visit_light(g, x);
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

void gn_group_cut_indices(grouper *g, const gnode *n)
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

static bool below(group_level a, group_level b)
{
    return a.group != b.group ? a.group < b.group : a.phase < b.phase;
}

/* The level at which n can read operand k: behind its group, if it reads other elements of something that the group
 * makes. */
static group_level operand_level(const grouper *g, const gnode *n, uint32_t k)
{
    const gnode *x = source(g, n, k);
    group_level l = { x->group, x->phase };
    if (l.group == NONE || l.phase == 2) return l;
    if (is_index(n, k) || n->kind == NODE_SCATTER) return (group_level){ l.group, 2 };
    int8_t map[GN_MAX_RANK];
    gn_group_dims(g, n, k, map);
    for (uint32_t d = 0; d < x->rank; d++) {
        if (!(x->rvar >> d & 1)) continue;
        const bool same = map[d] != NONE && class_of(g, n, (uint32_t)map[d]) == class_of(g, x, d);
        if (!same && !(n->kind == NODE_REDUCE && map[d] == NONE)) l.phase = 2;
    }
    return l;
}

group_level gn_group_operands_level(const grouper *g, const gnode *n)
{
    group_level b = { NONE, 0 };
    for (uint32_t k = 0; k < n->e->nin; k++) {
        const group_level l = operand_level(g, n, k);
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

void gn_group_visit_light(grouper *g, gnode *n)
{
    if (gn_group_has_many_parts(g, n)) {
        gn_group_cut(g, (uint32_t)(n - g->nodes.at));
        return;
    }
    gn_group_cut_indices(g, n);
    cut_points(g, n);
    find_maps(g, n);
    cut_repeated(g, n);
    find_axes(g, n);
    find_leaves(g, n);
    gn_group_roots(g, n);
    const group_level b = gn_group_operands_level(g, n);
    n->group = b.group, n->phase = (uint8_t)b.phase;
    n->rvar = 0;
    for (uint32_t k = 0; k < n->e->nin && b.group != NONE && b.phase < 2; k++) {
        const gnode *x = operand(g, n, k);
        if (x->group == b.group && x->phase < 2) n->rvar |= gn_group_varies(g, n, k, x->rvar);
    }
}

bool gn_group_covers(const grouper *g, const gnode *n)
{
    const class_set v = gn_group_var(g, n);
    return gn_group_has_full(g, &v, n);
}
