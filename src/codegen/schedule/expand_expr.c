/* Kernel expressions at one tile point. Points past the end of an axis are computed too and thrown away later, so what they load
 * stays inside: masked along the lane, the last element elsewhere. */
#include <float.h>
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
    x->memo = (gn_map){ 0 };
    x->when.n = 0;
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
                gn_illegal(g, "stage %s reg: a use does not run along its lane leaf '%s'", o->name, g->leaves.at[o->lane].name);
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
    return gn_v_access(x, -1, o, gn_object_address(x->g, o, arg, x->env), NULL, (gn_preds){ 0 }, (gn_preds){ 0 });
}

const gn_val *gn_v_read(gn_expander *x, const gn_object *o, const gn_dim *const *arg)
{
    if (o->level == GN_LEVEL_REG) return gn_v_reg(x, o, variable_of(x, o, arg));
    const gn_access a = place_of(x, o, arg);
    return gn_v_load(x, o->dtype, x->lanes, &a);
}

void gn_v_write(gn_expander *x, gn_object *o, const gn_dim *const *arg, const gn_val *v)
{
    if (o->level == GN_LEVEL_REG) {
        gn_v_set_reg(x, o, variable_of(x, o, arg), v);
        return;
    }
    const gn_access a = place_of(x, o, arg);
    gn_v_store(x, &a, v);
}

static bool inside_online(const gn_expander *x, const gn_ldef *m)
{
    for (size_t i = 0; i < x->stmt->above.n; i++)
        if (x->stmt->above.at[i]->leaf == (uint32_t)m->online) return true;
    return false;
}

static void lane_guards(gn_expander *x, const gn_dim *const *at, size_t nat, gn_preds *varying);

/* Memory at arguments that may leave what is kept along the lane: lanes past the end read nothing. */
static const gn_val *read_inside(gn_expander *x, const gn_object *o, const gn_dim *const *arg, const gn_kexpr *e)
{
    gn_preds varying = { 0 };
    lane_guards(x, e->index, e->nindex, &varying);
    const gn_val *mask = varying.n ? gn_v_mask(x, varying) : NULL;
    const gn_access a = gn_v_access(x, -1, o, gn_object_address(x->g, o, arg, x->env), mask, (gn_preds){ 0 }, varying);
    return gn_v_load(x, o->dtype, x->lanes, &a);
}

static const gn_val *ref(gn_expander *x, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    const gn_ldef *q = g->def[e->u.ref];
    const gn_dim **arg = GN_NEW_ARRAY(g->arena, const gn_dim *, e->nindex + 1u);
    bool leaves = false;
    for (size_t i = 0; i < e->nindex; i++) {
        const bool own = e->index[i] == gn_dim_sym(g->dims, g->axes.at[q->param[i]].name); /* whole tiles are kept: no clamp */
        arg[i] = gn_subst_axes(g, e->index[i], x->axis);
        if (own || q->object->level == GN_LEVEL_REG || gn_object_covers(g, q->object, i, arg[i], x->env)) continue;
        arg[i] = gn_subst_axes(g, e->index[i], x->inside);
        leaves |= gn_v_varies(x, arg[i]);
    }
    const gn_val *v = leaves ? read_inside(x, q->object, arg, e) : gn_v_read(x, q->object, arg);
    if (q->online < 0 || !inside_online(x, q) || x->stmt->def == q) return v;
    /* A row that is wholly -inf so far: exp(-inf - m) must be 0, not NaN. */
    return gn_v_op2(x, "maximum", v, gn_v_float(x, q->dtype, q->dtype == GN_F32 ? -(double)FLT_MAX : -DBL_MAX));
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
        if (gn_set_has(&u.axes, q->axis) && gn_v_varies(x, gn_lsub(x->g, q->extent, q->value)))
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

static const gn_val *load(gn_expander *x, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    const gn_dim *at = gn_kernel_flat(g->kernel, e->u.ref, e->index);
    if (is_empty_point(x)) return gn_v_zero(x, (gn_dtype)e->dtype);
    gn_preds uniform, varying;
    gn_preds_split(x, x->when.at, x->when.n, &uniform, &varying);
    lane_guards(x, &at, 1, &varying);
    const gn_dim *flat = gn_subst_axes(g, at, x->inside);
    const gn_val *mask = varying.n ? gn_v_mask(x, varying) : NULL;
    gn_preds safe = varying;
    if (gn_dim_has_load(flat) && uniform.n) {
        gn_pred *all = GN_NEW_ARRAY(g->arena, gn_pred, uniform.n + varying.n);
        memcpy(all, uniform.at, uniform.n * sizeof *all);
        memcpy(all + uniform.n, varying.at, varying.n * sizeof *all);
        safe = (gn_preds){ uniform.n + varying.n, all };
    }
    const gn_access a = gn_v_access(x, (int32_t)e->u.ref, NULL, flat, mask, uniform, safe);
    return gn_v_load(x, (gn_dtype)e->dtype, x->lanes, &a);
}

static const gn_val *index_value(gn_expander *x, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    if (!gn_dim_has_load(e->u.index))
        return gn_v_index(x, (gn_dtype)e->dtype, gn_subst_axes(g, e->u.index, x->axis), (gn_preds){ 0 });
    if (is_empty_point(x)) return gn_v_zero(x, (gn_dtype)e->dtype);
    gn_preds uniform, varying;
    gn_preds_split(x, x->when.at, x->when.n, &uniform, &varying);
    lane_guards(x, &e->u.index, 1, &varying);
    gn_pred *all = GN_NEW_ARRAY(g->arena, gn_pred, uniform.n + varying.n + 1);
    if (uniform.n) memcpy(all, uniform.at, uniform.n * sizeof *all);
    if (varying.n) memcpy(all + uniform.n, varying.at, varying.n * sizeof *all);
    const gn_dim *d = gn_subst_axes(g, e->u.index, x->inside);
    return gn_v_index(x, (gn_dtype)e->dtype, d, gn_v_varies(x, d) ? (gn_preds){ uniform.n + varying.n, all } : uniform);
}

/* ---- if ---- */

/* 1, 0: known from ranges; -1: not known. */
static int known_cond(gn_expander *x, const gn_kcond *c)
{
    const gn_dim *d = gn_lsub(x->g, c->b, c->a), *minus = gn_lsub(x->g, c->a, c->b);
    if (c->kind == GN_K_EQ) return gn_dim_is(d, 0) ? 1 : gn_dim_at_least(x->g, d, 1) || gn_dim_at_least(x->g, minus, 1) ? 0 : -1;
    return gn_dim_at_least(x->g, d, 1) ? 1 : gn_dim_at_least(x->g, minus, 0) ? 0 : -1;
}

static const gn_val *branch(gn_expander *x, const gn_kexpr *e, gn_pred when)
{
    const gn_map outer = x->memo;
    x->memo = (gn_map){ 0 };
    gn_push(x->g->arena, &x->when, when);
    const gn_val *v = gn_v_expr(x, e);
    x->when.n--;
    x->memo = outer;
    return v;
}

static bool is_zero(const gn_kexpr *e)
{
    return e->kind == GN_K_CONST && e->u.i == 0;
}

/* Both branches are computed, but what they load is loaded only under their condition. */
static const gn_val *conditional(gn_expander *x, const gn_kexpr *e)
{
    gn_lower *g = x->g;
    gn_kcond *c = GN_NEW_ARRAY(g->arena, gn_kcond, e->ncond + 1u);
    uint16_t n = 0;
    for (uint16_t i = 0; i < e->ncond; i++) {
        c[n] = (gn_kcond){ e->cond[i].kind, gn_subst_axes(g, e->cond[i].a, x->inside), gn_subst_axes(g, e->cond[i].b, x->inside) };
        const int known = known_cond(x, &c[n]);
        if (known == 0) return gn_v_expr(x, e->a[1]);
        if (known < 0) n++;
    }
    if (n == 0) return gn_v_expr(x, e->a[0]);
    const gn_pred p = { .n = n, .cond = c };
    const bool is_load = is_zero(e->a[1]) && e->a[0]->kind == GN_K_LOAD;
    x->zero_outside = is_load;
    const gn_val *yes = branch(x, e->a[0], p);
    x->zero_outside = false;
    if (is_load && yes->kind == GN_VAL_LOAD) return yes; /* 0 where it was not executed */
    const gn_val *no = branch(x, e->a[1], (gn_pred){ true, n, c });
    return gn_v_select(x, (gn_preds){ 1, gn_arena_copy(g->arena, &p, sizeof p) }, yes, no);
}

/* ---- all kinds ---- */

static const gn_val *expr(gn_expander *x, const gn_kexpr *e)
{
    switch ((gn_kexpr_kind)e->kind) {
    case GN_K_CONST:
        return gn_is_float((gn_dtype)e->dtype) ? gn_v_float(x, (gn_dtype)e->dtype, e->u.f)
                                               : gn_v_int(x, (gn_dtype)e->dtype, e->u.i);
    case GN_K_INDEX: return index_value(x, e);
    case GN_K_LOAD: return load(x, e);
    case GN_K_REF: return ref(x, e);
    case GN_K_IF: return conditional(x, e);
    case GN_K_OP: break;
    }
    const gn_val *a[4];
    GN_ASSERT(e->n <= 4);
    for (size_t i = 0; i < e->n; i++) a[i] = gn_v_expr(x, e->a[i]);
    return gn_v_op(x, e->u.op, (gn_dtype)e->dtype, a, e->n);
}

const gn_val *gn_v_expr(gn_expander *x, const gn_kexpr *e)
{
    const gn_val *have = gn_map_get(&x->memo, e->id);
    if (have) return have;
    const gn_val *v = expr(x, e);
    *gn_map_put(x->g->arena, &x->memo, e->id) = (void *)v;
    return v;
}
