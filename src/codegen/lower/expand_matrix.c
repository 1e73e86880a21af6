/* Tile operations on matrices in memory: copies, and sums on a unit. Where such a sum starts its accumulators become
 * zero, its step multiplies matrices, and where it is done they are stored to what is kept of it. */
#include <inttypes.h>
#include "expand.h"

static void set_row_leaves(gn_expander *x, const gn_ldef *d, const gn_dim *value) /* NULL: their symbols */
{
    for (size_t i = 0; i < d->tile->leaf.n; i++)
        x->env[d->tile->leaf.at[i]] = value ? value : x->g->leaves.at[d->tile->leaf.at[i]].value;
}

/* ---- matrices in memory ---- */

/* What is kept of d itself where e is NULL. */
static const gn_object *object_of(const gn_lower *g, const gn_ldef *d, const gn_kexpr *e)
{
    return e && e->kind == GN_K_LOAD ? NULL : e ? g->def[e->u.ref]->object : d->object;
}

static const gn_dim *address(gn_expander *x, const gn_ldef *d, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    const gn_dim_facts facts = gn_lfacts(g);
    const gn_dim **axis = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    if (!e) return gn_object_address(g, d->object, gn_own_args(x, d), x->env);
    for (uint32_t a = 0; a < g->axes.n; a++) axis[a] = gn_axis_value(g, a, x->env);
    if (e->kind == GN_K_LOAD)
        return gn_dim_simplify(g->dims, gn_subst_axes(g, gn_kernel_flat(g->kernel, e->u.ref, e->index), axis), &facts);
    const gn_dim **arg = GN_NEW_ARRAY(g->arena, const gn_dim *, e->nindex + 1u);
    for (size_t i = 0; i < e->nindex; i++) arg[i] = gn_subst_axes(g, e->index[i], axis);
    return gn_object_address(g, object_of(g, d, e), arg, x->env);
}

/* Steps along the layout's leaves but the first are the row's, along leaves that it lacks there are none. */
static void check_step(const gn_lower *g, const gn_ldef *d, const gn_tile_memory *m, int leaf, const gn_dim *step)
{
    int64_t wanted = 0, dense = 1;
    for (int i = m->layout->nleaf; i-- > 0;) {
        if (m->layout->leaf[i] == leaf && i == 0) return;
        if (m->layout->leaf[i] == leaf) wanted = dense;
        dense *= d->row->leaf[m->layout->leaf[i]].extent;
    }
    if (gn_dim_is(step, wanted)) return;
    gn_text t = {.arena = g->arena};
    gn_dim_show(&t, step);
    gn_illegal(g, "tensorize %s %s: '%s' has a step of %s along '%s', the row takes %" PRId64, d->name, d->row->name,
               m->place->name, gn_text_done(&t), g->leaves.at[d->tile->leaf.at[leaf]].name, wanted);
}

static void check_start(const gn_lower *g, const gn_ldef *d, const gn_tile_memory *m)
{
    const int64_t size = (int64_t)gn_dtype_size(m->layout->dtype), by = m->layout->align / size;
    const gn_dim_facts facts = gn_lfacts(g);
    if (by <= 1 || (m->place->space != GN_SPACE_BUFFER && gn_dim_divisible(m->base, by, &facts) &&
                    gn_dim_divisible(m->stride, by, &facts)))
        return;
    gn_illegal(g, "tensorize %s %s: the row takes '%s' at multiples of %d bytes, which it is not known to be; stage it",
               d->name, d->row->name, m->place->name, m->layout->align);
}

static void set_matrix(gn_expander *x, const gn_ldef *d, const gn_kexpr *e, gn_tile_memory *m)
{
    gn_lower *g = x->g;
    const gn_object *o = object_of(g, d, e);
    m->place = o ? o->place : g->code->places.at[e->u.ref];
    set_row_leaves(x, d, gn_lconst(g, 0));
    const gn_dim *sum = m->base = address(x, d, e);
    for (int i = 0; i < d->row->nleaf; i++) {
        const uint32_t l = d->tile->leaf.at[i];
        x->env[l] = gn_lconst(g, 1);
        const gn_dim *step = gn_lsub(g, address(x, d, e), m->base);
        x->env[l] = gn_lconst(g, 0);
        check_step(g, d, m, i, step);
        if (i == m->layout->leaf[0]) m->stride = step;
        sum = gn_ladd(g, sum, gn_dim_mul(g->dims, step, g->leaves.at[l].value));
    }
    set_row_leaves(x, d, NULL);
    if (address(x, d, e) != sum)
        gn_illegal(g, "tensorize %s %s: '%s' is no matrix along the row's leaves", d->name, d->row->name,
                   m->place->name);
    set_row_leaves(x, d, gn_lconst(g, 0));
    check_start(g, d, m);
}

/* ---- edges ---- */

/* Kept copies are whole tiles, 0 past the end of an axis. Of other memory only so much is there as the axis has. */
static bool is_whole(const gn_lower *g, const gn_kexpr *e)
{
    return e->kind == GN_K_REF && g->def[e->u.ref]->red == GN_RED_NONE;
}

static bool is_row_axis(const gn_lower *g, const gn_ldef *d, uint32_t axis, char dim) /* 0: any */
{
    for (int i = 0; i < d->row->nleaf; i++)
        if (gn_has_leaf(&g->axes.at[axis], d->tile->leaf.at[i]) && (!dim || d->row->leaf[i].dim == dim)) return true;
    return false;
}

/* How much of the dim is inside, from the tile's first point on: all if it is more than the tile has, or nothing if it is
 * less than 1. The row's leaves are 0. */
static const gn_dim *left_of(gn_expander *x, const gn_ldef *d, char dim, int64_t extent)
{
    gn_lower *g = x->g;
    for (size_t i = 0; i < (size_t)d->nparam + d->nraxis; i++) {
        const uint32_t a = i < d->nparam ? d->param[i] : d->raxis[i - d->nparam];
        if (!is_row_axis(g, d, a, dim) || gn_set_has(&g->full, a)) continue;
        const gn_dim *left = gn_lsub(g, gn_subst_axes(g, g->axes.at[a].extent, x->axis), x->axis[a]);
        if (!gn_dim_at_least(g, left, extent)) return left;
    }
    return gn_lconst(g, extent);
}

static void set_counts(gn_expander *x, const gn_ldef *d, const gn_kexpr *const *factor, gn_tile_args *t)
{
    gn_lower *g = x->g;
    const gn_tile_op *row = d->row;
    const int extent[] = {row->m, row->n, row->k};
    const bool whole[] = {is_whole(g, factor[0]), is_whole(g, factor[1])};
    gn_set_point(x, d);
    for (size_t i = 0; i < x->guards.n && !(whole[0] && whole[1]); i++)
        if (!is_row_axis(g, d, x->guards.at[i].axis, 0))
            gn_illegal(g, "tensorize %s %s: '%s' may pass its end, and '%s' ends there; stage it", d->name, row->name,
                       g->axes.at[x->guards.at[i].axis].name, t->memory[whole[0]].place->name);
    for (int i = 0; i < 3; i++) {
        const bool ends = i < 2 ? !whole[i] : !(whole[0] && whole[1]);
        const gn_dim *n = ends ? left_of(x, d, "mnk"[i], extent[i]) : gn_lconst(g, extent[i]);
        if (!row->partial && !gn_dim_is(n, extent[i]))
            gn_illegal(g, "tensorize %s %s: '%s' may end within a tile, the row takes whole ones; stage it", d->name,
                       row->name, t->memory[i == 1 || whole[0]].place->name);
        t->count[i] = n;
    }
}

static void check_factor(const gn_lower *g, const gn_ldef *d, const gn_kexpr *e, char name, const gn_tile_operand *o)
{
    const bool kept = e->kind == GN_K_REF && g->def[e->u.ref]->object->level != GN_LEVEL_REG;
    if (!kept && e->kind != GN_K_LOAD)
        gn_illegal(g, "tensorize %s %s: the factor %c is in no memory; stage it", d->name, d->row->name, name);
    if (e->dtype != o->dtype)
        gn_illegal(g, "tensorize %s %s: the factor %c is %s, the row takes %s", d->name, d->row->name, name,
                   gn_dtype_name((gn_dtype)e->dtype), gn_dtype_name(o->dtype));
}

/* ---- operations ---- */

static void operate(gn_expander *x, const gn_ldef *d, gn_tile_act act, const gn_kexpr *const *factor)
{
    gn_lower *g = x->g;
    gn_tile_args *t = gn_v_node(&x->b, GN_CODE_TILE)->tile = gn_code_tile(g->code, d->row, act);
    t->acc = d->partial->place, t->c[0] = gn_first_register(x, d->partial);
    set_row_leaves(x, d, gn_lconst(g, 0));
    for (int i = 0; i < t->nmemory; i++) set_matrix(x, d, act == GN_TILE_MULTIPLY ? factor[i] : NULL, &t->memory[i]);
    t->count[0] = gn_lconst(g, d->row->m), t->count[1] = gn_lconst(g, d->row->n);
    if (act == GN_TILE_MULTIPLY) set_counts(x, d, factor, t);
    set_row_leaves(x, d, NULL);
}

static gn_tile_act act_of(const gn_tree *s)
{
    if (s->stmt == GN_STMT_INIT) return GN_TILE_ZERO;
    return s->stmt == GN_STMT_UPD ? GN_TILE_MULTIPLY : GN_TILE_STORE;
}

/* The points of a statement but those of the row's leaves. */
static void begin_points(gn_expander *x, const gn_tree *s, gn_points_iter *it)
{
    x->lane = -1, x->b.lane = NULL, x->b.lanes = 1;
    gn_points_begin(x->g, it, gn_set_minus(gn_stmt_leaves(s), gn_row_leaves(s->def)));
}

void gn_expand_unit(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    gn_ldef *d = s->def;
    const gn_tile_act act = act_of(s);
    const gn_kexpr *factor[2] = { NULL, NULL };
    const gn_dim **before = gn_env_copy(g, x->env);
    gn_points_iter it;
    if (s->online)
        gn_illegal(g, "online %s: '%s' is opaque, nothing rescales it", s->online->name, d->name);
    if (act == GN_TILE_MULTIPLY) {
        gn_tile_factors(g, d, factor);
        check_factor(g, d, factor[0], 'A', &d->row->a);
        check_factor(g, d, factor[1], 'B', &d->row->b);
    }
    begin_points(x, s, &it);
    while (gn_points_next(g, &it, x->env)) operate(x, d, act, factor);
    memcpy(x->env, before, g->leaves.n * sizeof *before);
}

void gn_expand_tile_copy(gn_expander *x, const gn_tree *s)
{
    gn_lower *g = x->g;
    const gn_ldef *d = s->def;
    const gn_dim **before = gn_env_copy(g, x->env);
    gn_points_iter it;
    begin_points(x, s, &it);
    while (gn_points_next(g, &it, x->env)) {
        gn_tile_args *t = gn_v_node(&x->b, GN_CODE_TILE)->tile = gn_code_tile(g->code, d->row, 0);
        set_matrix(x, d, NULL, &t->memory[0]);
        set_matrix(x, d, d->body, &t->memory[1]);
        gn_set_point(x, d);
        t->count[0] = left_of(x, d, 'm', d->row->m), t->count[1] = left_of(x, d, 'n', d->row->n);
    }
    memcpy(x->env, before, g->leaves.n * sizeof *before);
}
