/* Index expressions as values, masks of lanes, conditions. */
#include <stdint.h>
#include "expand.h"

static const gn_val *lanes_at(gn_expander *x, gn_val_kind kind, const gn_dim *n)
{
    gn_val v = { .kind = (uint8_t)kind, .dtype = GN_BOOL, .lanes = x->b.lanes };
    v.u.index.at = n;
    return gn_v_let(&x->b, v);
}

static const gn_val *first(gn_expander *x, const gn_dim *n)
{
    return lanes_at(x, GN_VAL_FIRST, n);
}

static const gn_val * not(gn_expander * x, const gn_val *v)
{
    return gn_v_op(&x->b, &gn_op_not, GN_BOOL, &v, 1);
}

static bool is_wide(const gn_lower *g, const gn_dim *d)
{
    for (uint32_t t = 0; t < d->n; t++) {
        if (d->term[t].c > INT64_MAX / 4 || d->term[t].c < INT64_MIN / 4) return true;
        for (uint32_t i = 0; i < d->term[t].n; i++) {
            const gn_atom *a = d->term[t].atom[i];
            if (a->kind == GN_DIM_LOAD &&
                gn_dtypes[g->kernel->bufs.at[gn_kernel_find_buf(g->kernel, a->name)].dtype].size == 8)
                return true;
        }
    }
    return false;
}

bool gn_cond_compares_data(const gn_lower *g, const gn_kcond *c)
{
    return is_wide(g, c->a) || is_wide(g, c->b);
}

/* Where an index reads memory: only inside the axes and under what is asked before it. */
static gn_preds inside(gn_expander *x, const gn_kcond *asked)
{
    uint32_t n = 0;
    for (const gn_pred *w = x->when.at; n < x->when.n && !(asked >= w->cond && asked < w->cond + w->n); w++) n++;
    return gn_preds_joined(x, gn_guard_preds(x, 0, NULL), (gn_preds){ n, x->when.at });
}

static const gn_val *index_of_side(gn_expander *x, const gn_kcond *c, const gn_dim *d)
{
    if (!gn_dim_has_load(d)) return gn_v_index(&x->b, GN_I64, d, (gn_preds){ 0 });
    gn_preds uniform, varying;
    const gn_preds all = inside(x, c);
    gn_preds_split(x, all.at, all.n, &uniform, &varying);
    return gn_v_index(&x->b, GN_I64, d, gn_v_varies(&x->b, d) ? all : uniform);
}

/* Lanes in which a < b: for an affine difference the first or all but the first so many. */
static const gn_val *mask_of(gn_expander *x, const gn_kcond *c)
{
    gn_lower *g = x->g;
    const bool guarded = gn_cond_reads_memory(c) && x->when.n > 0; /* what it reads may lie outside where it is not asked */
    if (guarded || gn_cond_compares_data(g, c)) /* as it stands: a difference may overflow */
        return gn_v_op2(&x->b, c->kind == GN_K_EQ ? &gn_op_eq : &gn_op_lt, index_of_side(x, c, c->a),
                        index_of_side(x, c, c->b));
    const gn_dim *d = gn_lsub(g, c->b, c->a), *base, *step;
    int64_t s = 0;
    const bool affine = gn_v_affine(&x->b, d, &base, &step) && gn_dim_is_const(step, &s);
    if (c->kind == GN_K_EQ && affine && (s == 1 || s == -1)) return lanes_at(x, GN_VAL_BIT, gn_lscale(g, base, -s));
    if (c->kind == GN_K_LT && affine) {
        if (s < 0) return first(x, gn_dim_cdiv(g->dims, base, gn_lconst(g, -s)));
        const gn_dim *none = gn_ladd(g, gn_dim_div(g->dims, gn_lscale(g, base, -1), gn_lconst(g, s)), gn_lconst(g, 1));
        return not(x, first(x, none));
    }
    const gn_val *v = index_of_side(x, c, d);
    if (c->kind == GN_K_EQ) return gn_v_op2(&x->b, &gn_op_eq, v, gn_v_int(&x->b, GN_I64, 0));
    return gn_v_op2(&x->b, &gn_op_lt, gn_v_int(&x->b, GN_I64, 0), v);
}

/* ---- conditions ---- */

static bool cond_varies(const gn_expander *x, const gn_kcond *c)
{
    if (gn_cond_compares_data(x->g, c)) return gn_v_varies(&x->b, c->a) || gn_v_varies(&x->b, c->b);
    return gn_v_varies(&x->b, gn_lsub(x->g, c->b, c->a));
}

static bool varies(const gn_expander *x, const gn_pred *p)
{
    for (uint16_t i = 0; i < p->n; i++)
        if (cond_varies(x, &p->cond[i])) return true;
    return false;
}

void gn_preds_split(gn_expander *x, const gn_pred *at, size_t n, gn_preds *uniform, gn_preds *varying)
{
    gn_pred *u = GN_NEW_ARRAY(x->g->arena, gn_pred, n + 1), *v = GN_NEW_ARRAY(x->g->arena, gn_pred, n + 1);
    *uniform = (gn_preds){ 0, u };
    *varying = (gn_preds){ 0, v };
    for (size_t i = 0; i < n; i++) {
        if (varies(x, &at[i]))
            v[varying->n++] = at[i];
        else
            u[uniform->n++] = at[i];
    }
}

gn_pred gn_pred_less(gn_expander *x, const gn_dim *a, const gn_dim *b)
{
    gn_kcond *c = GN_NEW_OBJECT(x->g->arena, gn_kcond);
    *c = (gn_kcond){ GN_K_LT, a, b };
    return (gn_pred){ .n = 1, .cond = c };
}

gn_preds gn_preds_joined(gn_expander *x, gn_preds a, gn_preds b)
{
    gn_pred *all = GN_NEW_ARRAY(x->g->arena, gn_pred, a.n + b.n + 1);
    if (a.n) memcpy(all, a.at, a.n * sizeof *all);
    if (b.n) memcpy(all + a.n, b.at, b.n * sizeof *all);
    return (gn_preds){ a.n + b.n, all };
}

gn_preds gn_guard_preds(gn_expander *x, size_t n, const uint16_t *axis)
{
    gn_pred *p = GN_NEW_ARRAY(x->g->arena, gn_pred, x->guards.n + 1);
    uint32_t count = 0;
    for (size_t i = 0; i < x->guards.n; i++)
        if (!axis || gn_has_axis(axis, n, x->guards.at[i].axis))
            p[count++] = gn_pred_less(x, x->guards.at[i].value, x->guards.at[i].extent);
    return (gn_preds){ count, p };
}

/* A condition that reads memory is asked only where the branches around it are taken. */
static const gn_val *cond(gn_expander *x, gn_preds w)
{
    if (gn_preds_read_memory(w) && x->when.n > 0) {
        gn_preds uniform, varying;
        gn_preds_split(x, x->when.at, x->when.n, &uniform, &varying);
        w = gn_preds_joined(x, uniform, w);
    }
    return gn_v_let(&x->b, (gn_val){ .kind = GN_VAL_COND, .dtype = GN_BOOL, .lanes = 1, .when = w });
}

static const gn_val *both(gn_expander *x, const gn_val *a, const gn_val *b)
{
    if (!a || !b) return a ? a : b;
    return gn_v_op2(&x->b, &gn_op_and, a, b);
}

const gn_val *gn_v_mask(gn_expander *x, gn_preds w)
{
    const gn_val *all = NULL;
    for (uint32_t i = 0; i < w.n; i++) {
        const gn_val *one = NULL;
        for (uint16_t j = 0; j < w.at[i].n; j++) {
            const gn_kcond *c = &w.at[i].cond[j];
            const gn_pred p = { .n = 1, .cond = c };
            const gn_val *m =
                cond_varies(x, c)
                    ? mask_of(x, c)
                    : gn_v_splat(&x->b, cond(x, (gn_preds){ 1, gn_arena_copy(x->g->arena, &p, sizeof p) }), x->b.lanes);
            one = both(x, one, m);
        }
        all = both(x, all, w.at[i].negate ? not(x, one) : one);
    }
    return all;
}

/* ---- choices ---- */

const gn_val *gn_v_select(gn_expander *x, gn_preds when, const gn_val *yes, const gn_val *no)
{
    const gn_op_info *const select = &gn_op_select;
    gn_preds uniform, varying;
    gn_preds_split(x, when.at, when.n, &uniform, &varying);
    if (varying.n)
        yes = gn_v_op(&x->b, select, (gn_dtype)yes->dtype, (const gn_val *[]){ gn_v_mask(x, varying), yes, no }, 3);
    if (!uniform.n) return yes;
    return gn_v_op(&x->b, select, (gn_dtype)yes->dtype, (const gn_val *[]){ cond(x, uniform), yes, no }, 3);
}
