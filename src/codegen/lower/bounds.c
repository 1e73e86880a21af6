/* Extents, trip counts and guards: where a leaf ends, which points lie past the end of their axis, and which part of a
 * loop needs no guard. */
#include "lower.h"
#include "visit.h"

/* ---- axes as sums of leaves ---- */

static const gn_dim *axis_replacement(void *user, const char *symbol)
{
    const gn_lower *g = ((const void *const *)user)[0];
    const gn_dim *const *value = ((const void *const *)user)[1];
    const uintptr_t a = (uintptr_t)gn_map_get(&g->axis_of, GN_KEY(symbol));
    return a ? value[a - 1] : NULL;
}

const gn_dim *gn_subst_axes(gn_lower *g, const gn_dim *d, const gn_dim *const *value)
{
    return gn_dim_subst(g->dims, d, axis_replacement, (const void *[]){ g, value });
}

const gn_laxis *gn_axis_named_by(const gn_lower *g, const gn_dim *d)
{
    if (d->n != 1 || d->term[0].c != 1 || d->term[0].n != 1 || d->term[0].atom[0]->kind != GN_DIM_SYM) return NULL;
    const uintptr_t a = (uintptr_t)gn_map_get(&g->axis_of, GN_KEY(d->term[0].atom[0]->name));
    return a ? &g->axes.at[a - 1] : NULL;
}

const gn_dim *gn_axis_value(gn_lower *g, uint32_t axis, const gn_dim *const *env)
{
    const gn_laxis *a = &g->axes.at[axis];
    const gn_dim *sum = gn_lconst(g, 0);
    for (size_t i = 0; i < a->leaf.n; i++) {
        if (!env[a->leaf.at[i]]) return NULL;
        sum = gn_ladd(g, sum, gn_lscale(g, env[a->leaf.at[i]], a->stride.at[i]));
    }
    return sum;
}

const gn_dim *const *gn_axes_over_leaves(gn_lower *g, size_t n)
{
    const gn_dim **env = gn_env_copy(g, NULL), **value = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    for (uint32_t l = 0; l < g->leaves.n; l++) env[l] = g->leaves.at[l].value;
    for (uint32_t a = 0; a < n; a++) value[a] = gn_axis_value(g, a, env);
    return value;
}

const gn_dim *gn_axis_most(gn_lower *g, const gn_dim *extent)
{
    const gn_dim **value = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    for (uint32_t a = 0; a < g->axes.n; a++) /* lower axes first: extents mention only those */
        value[a] = gn_lsub(g, gn_subst_axes(g, g->axes.at[a].extent, value), gn_lconst(g, 1));
    return gn_subst_axes(g, extent, value);
}

/* What is known of atoms, and of sums of them, as bits: they change with an axis; they may fall as one rises. */
enum { MOVES = 1, FALLS = 2 };
typedef struct growth {
    const gn_lower *g;
    gn_map of; /* by atom */
} growth;

static uintptr_t growth_of(const growth *w, const gn_dim *d)
{
    uintptr_t all = 0;
    for (uint32_t t = 0; d && t < d->n; t++) {
        uintptr_t term = 0;
        for (uint32_t i = 0; i < d->term[t].n; i++) term |= (uintptr_t)gn_map_get(&w->of, GN_KEY(d->term[t].atom[i]));
        all |= term & MOVES && d->term[t].c < 0 ? term | FALLS : term;
    }
    return all;
}

static void note_growth(void *user, const gn_atom *a)
{
    growth *w = user;
    const uintptr_t first = growth_of(w, a->a), second = growth_of(w, a->b);
    uintptr_t all = first | second;
    if (a->kind == GN_DIM_SYM) all = gn_map_get(&w->g->axis_of, GN_KEY(a->name)) ? MOVES : 0;
    else if (all && (a->kind == GN_DIM_MOD || a->kind == GN_DIM_LOAD || (a->kind == GN_DIM_DIV && second))) all |= FALLS;
    *gn_map_put(w->g->arena, &w->of, GN_KEY(a)) = (void *)all;
}

bool gn_grows(const gn_lower *g, const gn_dim *d)
{
    growth w = { .g = g };
    gn_visit v = { .arena = g->arena, .operand = gn_atom_operand };
    gn_dim_meet(&v, d, note_growth, &w);
    return !(growth_of(&w, d) & FALLS);
}

int64_t gn_points(const gn_lower *g, uint32_t leaf)
{
    int64_t n = 0;
    GN_ASSERT(gn_dim_is_const(g->leaves.at[leaf].points, &n));
    return n;
}

bool gn_dim_at_least(const gn_lower *g, const gn_dim *d, int64_t least)
{
    const gn_dim_facts f = gn_lfacts(g);
    int64_t low, high;
    gn_dim_range(d, &f, &low, &high);
    return low != INT64_MIN && low >= least;
}

/* ---- exactness ---- */

static bool is_parallel(const gn_lower *g, uint32_t leaf)
{
    const uint8_t b = g->leaves.at[leaf].bind;
    return b == GN_BIND_THREAD || b == GN_BIND_BLOCK || gn_set_has(&g->flat, leaf);
}

/* All its loops run to their full extents. */
static bool is_whole(gn_lower *g, const gn_laxis *a)
{
    int64_t e;
    if (a->into) return true;
    const int64_t stride = a->stride.at[0], outer = g->leaves.at[a->leaf.at[0]].extent;
    /* its own leaf, serial: ends at the extent itself */
    if (a->dependent) return outer == 0 && stride == 1 && a->leaf.n == 1;
    if (outer) return gn_dim_is_const(a->extent, &e) && e == outer * stride;
    const gn_dim_facts f = gn_lfacts(g);
    return gn_dim_divisible(a->extent, stride, &f);
}

/* Points of a tile inside serial loops, which end with the axis: it is enough that tiles divide. */
bool gn_axis_exact(gn_lower *g, uint32_t axis)
{
    const gn_laxis *a = &g->axes.at[axis];
    if (a->dependent || is_whole(g, a)) return is_whole(g, a);
    size_t loops = 0;
    while (loops < a->leaf.n && !gn_is_tile_leaf(g, a->leaf.at[loops]) && !is_parallel(g, a->leaf.at[loops])) loops++;
    for (size_t i = loops; i < a->leaf.n; i++)
        if (!gn_is_tile_leaf(g, a->leaf.at[i])) return false;
    const gn_dim_facts f = gn_lfacts(g);
    return loops > 0 && loops < a->leaf.n && gn_dim_divisible(a->extent, a->stride.at[loops - 1], &f);
}

/* whether the axes that an extent depends on move inside the loops of the axis, or past their own ends */
typedef struct passing {
    gn_lower *g;
    uint32_t last; /* place of the innermost loop of the axis */
    bool found;
    gn_leafset seen; /* axes */
} passing;

static void mark_passing(void *user, const char *symbol)
{
    passing *p = user;
    const uintptr_t a = (uintptr_t)gn_map_get(&p->g->axis_of, GN_KEY(symbol));
    if (!a || gn_set_has(&p->seen, (uint32_t)a - 1)) return;
    const gn_laxis *x = &p->g->axes.at[a - 1];
    gn_set_put(&p->seen, (uint32_t)a - 1);
    for (size_t i = 0; i < x->leaf.n; i++) {
        const uint32_t l = x->leaf.at[i];
        p->found |= gn_is_tile_leaf(p->g, l) || is_parallel(p->g, l) || p->g->leaves.at[l].place > p->last;
    }
    if (x->dependent) gn_dim_symbols(x->extent, mark_passing, p);
}

/* Some leaf runs past the end: a tile or thread leaf of the axis, or what its extent depends on. */
static bool may_pass(gn_lower *g, uint32_t axis)
{
    const gn_laxis *a = &g->axes.at[axis];
    passing p = { .g = g };
    for (size_t i = 0; i < a->leaf.n; i++) {
        p.found |= gn_is_tile_leaf(g, a->leaf.at[i]) || is_parallel(g, a->leaf.at[i]);
        if (g->leaves.at[a->leaf.at[i]].place > p.last) p.last = g->leaves.at[a->leaf.at[i]].place;
    }
    if (a->dependent) gn_dim_symbols(a->extent, mark_passing, &p);
    return p.found;
}

/* A tile whose points are at different ends of an axis is as long as its last point: the extent must not fall from one
 * to the next. */
void gn_check_extents(gn_lower *g)
{
    for (uint32_t a = 0; a < g->axes.n; a++) {
        passing p = { .g = g };
        for (size_t i = 0; i < g->axes.at[a].leaf.n; i++)
            if (g->leaves.at[g->axes.at[a].leaf.at[i]].place > p.last)
                p.last = g->leaves.at[g->axes.at[a].leaf.at[i]].place;
        if (g->axes.at[a].dependent && !gn_grows(g, g->axes.at[a].extent))
            gn_dim_symbols(g->axes.at[a].extent, mark_passing, &p);
        if (p.found)
            gn_illegal(g,
                       "the extent of '%s' falls with an axis whose points lie inside its loops, so that where they "
                       "end is not known",
                       g->axes.at[a].name);
    }
}

/* The value of an axis that stays inside: the last element for points past the end. */
static const gn_dim *clamped(gn_lower *g, uint32_t axis, const gn_dim *x, const gn_dim *extent)
{
    const gn_dim *last = gn_lsub(g, extent, gn_lconst(g, 1)), *v = gn_dim_min(g->dims, x, last);
    return g->axes.at[axis].dependent && !gn_dim_at_least(g, last, 0) ? gn_dim_max(g->dims, gn_lconst(g, 0), v) : v;
}

bool gn_mentions_leaf(const gn_lower *g, const gn_dim *d, int bind)
{
    for (size_t l = 0; l < g->leaves.n; l++)
        if ((bind < 0 || g->leaves.at[l].bind == bind) && gn_dim_mentions(d, g->leaves.at[l].name)) return true;
    return false;
}

/* Lower axes first: an extent that depends on others is that at the last points of those, where they pass their ends. */
gn_guards gn_guards_of(gn_lower *g, size_t n, const uint16_t *axis, const gn_dim *const *env, const gn_dim **inside)
{
    gn_guards out = { 0, GN_NEW_ARRAY(g->arena, gn_guard, n + 1) };
    gn_leafset wanted = { { 0 } };
    for (size_t i = 0; i < n; i++) gn_set_put(&wanted, axis[i]);
    for (uint32_t a = 0; a < g->axes.n; a++) {
        const gn_dim *x = inside[a] = gn_axis_value(g, a, env);
        if (!x || gn_set_has(&g->full, a)) continue;
        if ((!g->axes.at[a].dependent && gn_axis_exact(g, a)) || !may_pass(g, a)) continue;
        const gn_dim *e = gn_subst_axes(g, g->axes.at[a].extent, inside), *left = gn_lsub(g, e, x);
        if (gn_dim_at_least(g, left, 1)) continue;
        if (!gn_mentions_leaf(g, left, GN_BIND_LANE)) inside[a] = clamped(g, a, x, e);
        if (gn_set_has(&wanted, a)) out.at[out.n++] = (gn_guard){ a, x, e };
    }
    return out;
}

/* ---- trip counts ---- */

/* An extent over axes at its largest (or smallest) over the points that are not open yet. */
static const gn_dim *extreme(gn_lower *g, const gn_dim *extent, const gn_dim *const *env, bool most)
{
    const gn_dim **value = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    for (uint32_t a = 0; a < g->axes.n; a++) {
        const gn_laxis *x = &g->axes.at[a];
        const gn_dim *sum = gn_lconst(g, 0);
        bool beyond = most; /* the least point of open serial leaves is inside; threads pass the end */
        for (size_t i = 0; i < x->leaf.n; i++) {
            const uint32_t l = x->leaf.at[i];
            const gn_dim *v = env[l] && !gn_is_tile_leaf(g, l) ? env[l] : NULL;
            beyond |= v && is_parallel(g, l);
            if (!v && most) v = gn_lsub(g, gn_subst_axes(g, g->leaves.at[l].points, value), gn_lconst(g, 1));
            if (v) sum = gn_ladd(g, sum, gn_lscale(g, v, x->stride.at[i]));
        }
        const gn_dim *last = gn_lsub(g, gn_subst_axes(g, x->extent, value), gn_lconst(g, 1));
        value[a] = beyond && !is_whole(g, x) ? gn_dim_min(g->dims, sum, last) : sum;
    }
    return gn_subst_axes(g, extent, value);
}

/* The first axis that has the leaf, and its place there. */
static uint32_t axis_with(const gn_lower *g, uint32_t leaf, size_t *at)
{
    uint32_t a = 0;
    while (a < g->axes.n && !gn_has_leaf(&g->axes.at[a], leaf)) a++;
    GN_ASSERT(a < g->axes.n);
    *at = gn_leaf_place(g->axes.at[a].leaf.n, g->axes.at[a].leaf.at, leaf);
    return a;
}

/* What is left of the extent under the leaves of the axis that are open: outer ones, and serial inner ones that the
 * order puts outside. */
static const gn_dim *rest_of(gn_lower *g, const gn_laxis *a, size_t at, const gn_dim *extent, const gn_dim *const *env)
{
    for (size_t i = 0; i < a->leaf.n; i++) {
        const uint32_t l = a->leaf.at[i];
        const uint8_t b = g->leaves.at[l].bind;
        if (i == at || !env[l] || (i > at && b != GN_BIND_NONE && b != GN_BIND_PART)) continue;
        extent = gn_lsub(g, extent, gn_lscale(g, env[l], a->stride.at[i]));
    }
    return extent;
}

/* A serial leaf may run full where nothing but products of operands in shared memory, zero past the end, is summed
 * along the axis.
 */
static bool is_padded(gn_lower *g, uint32_t axis)
{
    bool any = false;
    for (size_t i = 0; i < g->items.n; i++) {
        const gn_ldef *d = g->items.at[i];
        bool reduced = false, param = false;
        for (size_t j = 0; j < d->nraxis; j++) reduced |= d->raxis[j] == axis;
        for (size_t j = 0; j < d->nparam; j++) param |= d->param[j] == axis;
        if (param && !(d->stage && d->stage->level == GN_LEVEL_SHARED)) return false;
        if (!reduced) continue;
        if (d->red != GN_RED_SUM || d->body->kind != GN_K_OP || d->body->u.op != &gn_op_mul) return false;
        for (size_t f = 0; f < 2; f++) {
            const gn_kexpr *x = d->body->a[f];
            if (x->kind != GN_K_REF || !g->def[x->u.ref]->stage || g->def[x->u.ref]->stage->level != GN_LEVEL_SHARED)
                return false;
            bool has = false;
            for (size_t p = 0; p < x->nindex; p++) has |= gn_dim_mentions(x->index[p], g->axes.at[axis].name);
            if (!has) return false;
        }
        any = true;
    }
    return any;
}

bool gn_axis_full(gn_lower *g, uint32_t axis)
{
    const gn_laxis *a = &g->axes.at[axis];
    return (!a->dependent && is_whole(g, a)) || is_padded(g, axis);
}

const gn_dim *gn_leaf_bound(gn_lower *g, uint32_t leaf, const gn_dim *const *env)
{
    const gn_lleaf *l = &g->leaves.at[leaf];
    size_t i;
    const uint32_t axis = axis_with(g, leaf, &i);
    const gn_laxis *a = &g->axes.at[axis];
    if (l->extent && (gn_set_has(&g->full, axis) || gn_axis_full(g, axis))) return gn_lconst(g, l->extent);
    const gn_dim *rest = rest_of(g, a, i, extreme(g, a->extent, env, true), env);
    const gn_dim *trips = gn_dim_cdiv(g->dims, rest, gn_lconst(g, a->stride.at[i]));
    return l->extent ? gn_dim_min(g->dims, gn_lconst(g, l->extent), trips) : trips;
}

const gn_dim *gn_loop_end(gn_lower *g, uint32_t leaf, const gn_dim *const *env)
{
    return g->leaves.at[leaf].bind == GN_BIND_THREAD ? g->leaves.at[leaf].points : gn_leaf_bound(g, leaf, env);
}

const gn_dim *gn_leaf_whole(gn_lower *g, uint32_t leaf, const gn_dim *const *env)
{
    const gn_lleaf *l = &g->leaves.at[leaf];
    size_t i;
    const gn_laxis *a = &g->axes.at[axis_with(g, leaf, &i)];
    for (size_t j = 0; j < i; j++)
        if (!env[a->leaf.at[j]]) return gn_lconst(g, 0); /* an outer leaf runs inside: every trip meets the end */
    const gn_dim *rest = rest_of(g, a, i, extreme(g, a->extent, env, false), env);
    const gn_dim *trips = gn_dim_div(g->dims, rest, gn_lconst(g, a->stride.at[i]));
    if (!l->extent) return gn_dim_at_least(g, trips, 0) ? trips : gn_dim_max(g->dims, gn_lconst(g, 0), trips);
    return gn_dim_max(g->dims, gn_lconst(g, 0), gn_dim_min(g->dims, trips, gn_lconst(g, l->extent)));
}

/* ---- tile points ---- */

void gn_points_begin(gn_lower *g, gn_points_iter *it, gn_leafset leaves)
{
    *it = (gn_points_iter){ 0 };
    for (size_t i = 0; i < g->order.n; i++) {
        const uint32_t l = g->order.at[i];
        if (!gn_set_has(&leaves, l) || !gn_is_tile_leaf(g, l)) continue;
        GN_ASSERT(it->n < 16);
        it->leaf[it->n] = l;
        it->count[it->n++] = g->leaves.at[l].bind == GN_BIND_LANE ? 1 : gn_points(g, l);
    }
}

bool gn_points_next(gn_lower *g, gn_points_iter *it, const gn_dim **env)
{
    if (!it->started) {
        it->started = true;
        for (uint32_t i = 0; i < it->n; i++)
            if (it->count[i] == 0) return false;
    } else {
        uint32_t i = it->n;
        while (i > 0 && ++it->at[i - 1] == it->count[i - 1]) it->at[--i] = 0;
        if (i == 0) {
            for (uint32_t k = 0; k < it->n; k++) env[it->leaf[k]] = NULL; /* the next statement is at no point of them */
            return false;
        }
    }
    for (uint32_t i = 0; i < it->n; i++) {
        const gn_lleaf *l = &g->leaves.at[it->leaf[i]];
        env[it->leaf[i]] = l->bind == GN_BIND_LANE ? l->value : gn_lconst(g, it->at[i]);
    }
    return true;
}

int32_t gn_lane_leaf(const gn_lower *g, gn_leafset leaves)
{
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (gn_set_has(&leaves, l) && g->leaves.at[l].bind == GN_BIND_LANE) return (int32_t)l;
    return -1;
}
