/* Kernel expressions at one tile point. Points past the end of an axis are computed too and thrown away later, so what
 * they load stays inside: masked along the lane, the last element elsewhere. */
#include "expand.h"

/* ---- the point ---- */

void gn_set_point(gn_expander *x, const gn_ldef *d)
{
    gn_lower *g = x->g;
    const size_t n = (size_t)d->nparam + d->nraxis;
    uint16_t *axes = GN_NEW_ARRAY(g->arena, uint16_t, n + 1);
    for (size_t i = 0; i < d->nparam; i++) axes[i] = d->param[i];
    for (size_t i = 0; i < d->nraxis; i++) axes[d->nparam + i] = d->raxis[i];
    x->axis = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    x->inside = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    x->guards = gn_guards_of(g, n, axes, x->env, x->inside);
    for (uint32_t a = 0; a < g->axes.n; a++) x->axis[a] = gn_axis_value(g, a, x->env);
    x->node = NULL;
    x->when = (gn_preds){ 0 };
    x->loose = false;
}

const gn_dim *const *gn_own_args(gn_expander *x, const gn_ldef *d)
{
    const gn_dim **arg = GN_NEW_ARRAY(x->g->arena, const gn_dim *, d->nparam + 1u);
    for (size_t p = 0; p < d->nparam; p++) arg[p] = gn_axis_value(x->g, d->param[p], x->env);
    return arg;
}

/* ---- kept definitions ---- */

static uint32_t variable_of(gn_expander *x, const gn_object *o, const gn_dim *const *arg)
{
    gn_lower *g = x->g;
    const gn_dim **digit = GN_NEW_ARRAY(g->arena, const gn_dim *, o->dims.n + 1);
    gn_object_digits(g, o, arg, x->env, digit);
    uint32_t number = 0;
    for (size_t i = 0; i < o->dims.n; i++) {
        int64_t c;
        if ((int32_t)o->dims.at[i] == o->lane) {
            if (digit[i] != g->leaves.at[o->lane].value || x->lane != o->lane)
                gn_illegal(g, "stage %s reg: a use does not run along its lane leaf '%s'", o->name,
                           g->leaves.at[o->lane].name);
            continue;
        }
        if (!gn_dim_is_const(digit[i], &c))
            gn_illegal(g, "stage %s reg: a use along '%s' is no tile point", o->name, g->leaves.at[o->dims.at[i]].name);
        number = number * (uint32_t)gn_points(g, o->dims.at[i]) + (uint32_t)c;
    }
    return number;
}

static gn_access place_of(gn_expander *x, const gn_object *o, const gn_dim *const *arg)
{
    return gn_v_access(&x->b, o->place, gn_object_address(x->g, o, arg, x->env), NULL, (gn_preds){ 0 }, (gn_preds){ 0 });
}

const gn_val *gn_v_read(gn_expander *x, const gn_object *o, const gn_dim *const *arg)
{
    if (o->level == GN_LEVEL_REG) return gn_v_reg(&x->b, o->place, variable_of(x, o, arg));
    const gn_access a = place_of(x, o, arg);
    return gn_v_load(&x->b, o->dtype, x->b.lanes, &a);
}

void gn_v_write(gn_expander *x, gn_object *o, const gn_dim *const *arg, const gn_val *v)
{
    if (o->level == GN_LEVEL_REG) {
        gn_v_set_reg(&x->b, o->place, variable_of(x, o, arg), v);
        return;
    }
    const gn_access a = place_of(x, o, arg);
    gn_v_store(&x->b, &a, v);
}

static bool inside_online(const gn_expander *x, const gn_ldef *m)
{
    for (size_t i = 0; i < x->stmt->above.n; i++)
        if (x->stmt->above.at[i]->leaf == (uint32_t)m->online) return true;
    return false;
}

/* ---- loads ---- */

typedef struct usage { /* guards of the axes that an index uses and that vary over the lane */
    gn_expander *x;
    gn_leafset axes;
} usage;

static void use_axis(void *user, const char *name)
{
    usage *u = user;
    const uintptr_t a = (uintptr_t)gn_map_get(&u->x->g->axis_of, GN_KEY(name));
    if (!a || gn_set_has(&u->axes, (uint32_t)(a - 1))) return;
    gn_set_put(&u->axes, (uint32_t)(a - 1));
    gn_dim_symbols(u->x->g->axes.at[a - 1].extent, use_axis, u); /* where it ends may depend on others */
}

static void lane_guards(gn_expander *x, const gn_dim *const *at, size_t nat, gn_preds *varying)
{
    usage u = { .x = x };
    for (size_t i = 0; i < nat; i++) gn_dim_symbols(at[i], use_axis, &u);
    gn_pred *p = GN_NEW_ARRAY(x->g->arena, gn_pred, x->guards.n + varying->n + 1);
    uint32_t n = 0;
    for (size_t i = 0; i < x->guards.n; i++) {
        const gn_guard *q = &x->guards.at[i];
        if (gn_set_has(&u.axes, q->axis) && gn_v_varies(&x->b, gn_lsub(x->g, q->extent, q->value)))
            p[n++] = gn_pred_less(x, q->value, q->extent);
    }
    for (uint32_t i = 0; i < varying->n; i++) p[n++] = varying->at[i];
    *varying = (gn_preds){ n, p };
}

/* An axis without elements has no last one: nothing may be loaded. */
static bool is_empty_point(const gn_expander *x)
{
    for (size_t i = 0; i < x->guards.n; i++)
        if (gn_dim_is(x->guards.at[i].extent, 0)) return true;
    return false;
}

/* ---- what may be asked beyond what needs it stays inside by its own index ---- */

typedef struct bounds {
    gn_expander *x;
    GN_VEC(gn_pred) all;
    gn_map seen;
} bounds;

static void stay_within(bounds *b, const gn_dim *at, const gn_dim *extent)
{
    gn_expander *x = b->x;
    const gn_dim *minus_one = gn_lconst(x->g, -1);
    if (!gn_dim_has_load(at) && gn_dim_at_least(x->g, at, 0)) { /* known */
    } else gn_push(x->g->arena, &b->all, gn_pred_less(x, minus_one, at));
    if (!gn_dim_has_load(at) && gn_dim_at_least(x->g, gn_lsub(x->g, extent, at), 1)) return;
    gn_push(x->g->arena, &b->all, gn_pred_less(x, at, extent));
}

/* What an index reads is read first. */
static void stay_within_loads(bounds *b, const gn_dim *d)
{
    gn_lower *g = b->x->g;
    if (!gn_dim_has_load(d) || gn_map_get(&b->seen, GN_KEY(d))) return;
    *gn_map_put(g->arena, &b->seen, GN_KEY(d)) = b;
    for (uint32_t t = 0; t < d->n; t++)
        for (uint32_t i = 0; i < d->term[t].n; i++) {
            const gn_atom *a = d->term[t].atom[i];
            if (a->a) stay_within_loads(b, a->a);
            if (a->b) stay_within_loads(b, a->b);
            if (a->kind != GN_DIM_LOAD) continue;
            const gn_kbuf *buf = &g->kernel->bufs.at[gn_kernel_find_buf(g->kernel, a->name)];
            const gn_dim *size = gn_lconst(g, 1);
            for (size_t k = 0; k < buf->rank; k++) size = gn_dim_mul(g->dims, size, buf->shape[k]);
            stay_within(b, a->a, size);
        }
}

/* An index that is an axis of that extent is kept inside by its guards. */
static bool is_axis_within(const gn_lower *g, const gn_dim *at, const gn_dim *extent)
{
    for (size_t a = 0; a < g->axes.n; a++)
        if (g->axes.at[a].extent == extent && at == gn_dim_sym(g->dims, g->axes.at[a].name)) return true;
    return false;
}

/* Where memory may be read at these indices of these extents. */
static gn_preds safe_when(gn_expander *x, size_t n, const gn_dim *const *index, const gn_dim *const *extent)
{
    gn_lower *g = x->g;
    if (!x->loose) return x->when;
    bounds b = { .x = x };
    for (uint32_t i = 0; i < x->when.n; i++) {
        const gn_pred *w = &x->when.at[i];
        for (uint16_t k = 0; k < w->n; k++) stay_within_loads(&b, w->cond[k].a), stay_within_loads(&b, w->cond[k].b);
        gn_push(g->arena, &b.all, *w);
    }
    for (size_t i = 0; i < n; i++) stay_within_loads(&b, gn_subst_axes(g, index[i], x->inside));
    for (size_t i = 0; extent && i < n; i++)
        if (!is_axis_within(g, index[i], extent[i]))
            stay_within(&b, gn_subst_axes(g, index[i], x->inside), gn_subst_axes(g, extent[i], x->inside));
    return (gn_preds){ (uint32_t)b.all.n, b.all.at };
}

gn_preds gn_when_of_conds(gn_expander *x, uint16_t ncond, const gn_kcond *cond)
{
    const gn_dim **side = GN_NEW_ARRAY(x->g->arena, const gn_dim *, 2u * ncond + 1u);
    for (uint16_t i = 0; i < ncond; i++) side[2 * i] = cond[i].a, side[2 * i + 1] = cond[i].b;
    return safe_when(x, 2u * ncond, side, NULL);
}

/* ---- the one way to read memory, of a buffer or kept ---- */

typedef struct memory {
    const gn_place *place;
    const gn_dim *at;            /* the element */
    size_t nindex;               /* its index as the kernel has it, for the axes that it uses */
    const gn_dim *const *index;
} memory;

/* Under `when`, and along the lane inside the axes. */
static const gn_val *read_memory(gn_expander *x, const memory *m, gn_preds when)
{
    if (is_empty_point(x)) return gn_v_zero(&x->b, m->place->dtype);
    gn_preds uniform, varying;
    gn_preds_split(x, when.at, when.n, &uniform, &varying);
    lane_guards(x, m->index, m->nindex, &varying);
    const gn_preds before = x->when;
    x->when = when;
    const gn_val *mask = varying.n ? gn_v_mask(x, varying) : NULL;
    x->when = before;
    const gn_preds safe = gn_dim_has_load(m->at) && uniform.n ? gn_preds_joined(x, uniform, varying) : varying;
    const gn_access a = gn_v_access(&x->b, m->place, m->at, mask, uniform, safe);
    return gn_v_load(&x->b, m->place->dtype, x->b.lanes, &a);
}

static const gn_val *load(gn_expander *x, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    const gn_dim *at = gn_kernel_flat(g->kernel, e->u.ref, e->index);
    const memory m = { g->code->places.at[e->u.ref], gn_subst_axes(g, at, x->inside), 1, &at };
    return read_memory(x, &m, safe_when(x, e->nindex, e->index, g->kernel->bufs.at[e->u.ref].shape));
}

/* Arguments that fall into what is kept are as they are: whole tiles are kept, also past the end of an axis. For the
 * others it is read as any memory is. A flat copy goes on where the loops that made it have ended. */
static const gn_val *read_kept(gn_expander *x, const gn_ldef *q, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    const gn_object *o = q->state[e->part].object;
    const gn_dim **arg = GN_NEW_ARRAY(g->arena, const gn_dim *, e->nindex + 1u);
    const gn_dim **index = GN_NEW_ARRAY(g->arena, const gn_dim *, e->nindex + 1u),
                 **extent = GN_NEW_ARRAY(g->arena, const gn_dim *, e->nindex + 1u);
    size_t n = 0; /* arguments that may leave it */
    for (size_t i = 0; i < e->nindex; i++) {
        const bool own = e->index[i] == gn_dim_sym(g->dims, g->axes.at[q->param[i]].name);
        arg[i] = gn_subst_axes(g, e->index[i], x->axis);
        if (own || o->level == GN_LEVEL_REG || gn_object_covers(g, o, i, arg[i], x->env)) continue;
        arg[i] = gn_subst_axes(g, e->index[i], x->inside);
        index[n] = e->index[i], extent[n++] = g->axes.at[q->param[i]].extent;
    }
    const bool ends = !gn_set_empty(g->flat) && (o->level == GN_LEVEL_ARENA || o->level == GN_LEVEL_SCRATCH);
    if (n == 0 && !ends) return gn_v_read(x, o, arg);
    const memory m = { o->place, gn_object_address(g, o, arg, x->env), n, index };
    const gn_preds when = safe_when(x, n, index, extent);
    return read_memory(x, &m, ends ? gn_preds_joined(x, when, gn_guard_preds(x, 0, NULL)) : when);
}

static const gn_val *ref(gn_expander *x, const gn_kexpr *e)
{
    const gn_ldef *q = x->g->def[e->u.ref];
    const gn_val *v = read_kept(x, q, e);
    if (q->online < 0 || e->part || !inside_online(x, q) || x->stmt->def == q) return v;
    /* exp(-inf - m) must be 0: make_running (lower_kernel.c) */
    return gn_v_op2(&x->b, &gn_op_maximum, v, gn_v_float(&x->b, q->dtype, gn_lowest_float(q->dtype)));
}

static const gn_val *index_value(gn_expander *x, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    if (!gn_dim_has_load(e->u.index))
        return gn_v_index(&x->b, (gn_dtype)e->dtype, gn_subst_axes(g, e->u.index, x->axis), (gn_preds){ 0 });
    if (is_empty_point(x)) return gn_v_zero(&x->b, (gn_dtype)e->dtype);
    const gn_preds when = safe_when(x, 1, &e->u.index, NULL);
    gn_preds uniform, varying;
    gn_preds_split(x, when.at, when.n, &uniform, &varying);
    lane_guards(x, &e->u.index, 1, &varying);
    const gn_dim *d = gn_subst_axes(g, e->u.index, x->inside);
    return gn_v_index(&x->b, (gn_dtype)e->dtype, d,
                      gn_v_varies(&x->b, d) ? gn_preds_joined(x, uniform, varying) : uniform);
}

const gn_val *gn_v_const(gn_expander *x, const gn_kexpr *e)
{
    return gn_is_float((gn_dtype)e->dtype) ? gn_v_float(&x->b, (gn_dtype)e->dtype, e->u.f)
                                           : gn_v_int(&x->b, (gn_dtype)e->dtype, e->u.i);
}

const gn_val *gn_v_leaf(gn_expander *x, const gn_kexpr *e)
{
    switch ((gn_kexpr_kind)e->kind) {
    case GN_K_CONST: return gn_v_const(x, e);
    case GN_K_INDEX: return index_value(x, e);
    case GN_K_LOAD: return load(x, e);
    case GN_K_REF: return ref(x, e);
    case GN_K_STATE: return x->state[e->part];
    case GN_K_IF:
    case GN_K_OP:
    case GN_K_TUPLE: break;
    }
    GN_ASSERT(!"a leaf");
    return NULL;
}
