/* Values: a let for each; passes find those that are the same. */
#include "code_build.h"

gn_code_node *gn_v_node(gn_code_builder *x, gn_code_kind kind)
{
    return gn_code_append(x->code, x->block, kind);
}

bool gn_cond_reads_memory(const gn_kcond *c)
{
    return gn_dim_has_load(c->a) || gn_dim_has_load(c->b);
}

bool gn_preds_read_memory(gn_preds w)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t j = 0; j < w.at[i].n; j++)
            if (gn_cond_reads_memory(&w.at[i].cond[j])) return true;
    return false;
}

/* ---- lets ---- */

static bool has_vectors(gn_dtype t)
{
    return t == GN_BOOL || gn_is_float(t) || gn_dtype_size(t) >= 4;
}

const gn_val *gn_v_let(gn_code_builder *x, gn_val probe)
{
    if (probe.lanes > 1 && !has_vectors((gn_dtype)probe.dtype))
        gn_throw(GN_EINVAL, "%s: bind lane: the target %s has no vectors of %s", x->code->origin, x->code->target->name,
                 gn_dtype_name((gn_dtype)probe.dtype));
    return gn_code_append_let(x->code, x->block, &x->nlets, probe);
}

/* ---- constants, variables, splats: no lets ---- */

const gn_val *gn_v_float(gn_code_builder *x, gn_dtype t, double f)
{
    return gn_code_operand(x->code, (gn_val){ .kind = GN_VAL_CONST, .dtype = (uint8_t)t, .lanes = 1, .u.f = f });
}

const gn_val *gn_v_int(gn_code_builder *x, gn_dtype t, int64_t i)
{
    if (gn_is_float(t)) return gn_v_float(x, t, (double)i);
    return gn_code_operand(x->code, (gn_val){ .kind = GN_VAL_CONST, .dtype = (uint8_t)t, .lanes = 1, .u.i = i });
}

const gn_val *gn_v_zero(gn_code_builder *x, gn_dtype t)
{
    return gn_v_int(x, t, 0);
}

const gn_val *gn_v_reg(gn_code_builder *x, const gn_place *o, uint32_t number)
{
    return gn_code_register(x->code, o, number, NULL);
}

const gn_val *gn_v_splat(gn_code_builder *x, const gn_val *v, uint16_t lanes)
{
    if (v->lanes == lanes) return v;
    GN_ASSERT(v->lanes == 1);
    return gn_code_operand(x->code,
                           (gn_val){ .kind = GN_VAL_SPLAT, .dtype = v->dtype, .lanes = lanes, .n = 1, .a = { v } });
}

const gn_val *gn_v_copy(gn_code_builder *x, const gn_val *v)
{
    return gn_v_let(x, gn_val_copy_of(v));
}

/* ---- operations ---- */

static uint16_t common_lanes(const gn_val *const *a, size_t n)
{
    uint16_t lanes = 1;
    for (size_t i = 0; i < n; i++)
        if (a[i]->lanes > lanes) lanes = a[i]->lanes;
    return lanes;
}

const gn_val *gn_v_op(gn_code_builder *x, const gn_op_info *op, gn_dtype result, const gn_val *const *a, size_t n)
{
    const uint16_t lanes = common_lanes(a, n);
    gn_val v = { .kind = GN_VAL_OP, .dtype = (uint8_t)result, .lanes = lanes, .n = (uint16_t)n };
    v.u.op = op;
    GN_ASSERT(n <= 4);
    if (n == 3 && op == &gn_op_select && a[0]->lanes == 1 && lanes > 1) {
        v.kind = GN_VAL_PICK;
        v.a[0] = a[0], v.a[1] = gn_v_splat(x, a[1], lanes), v.a[2] = gn_v_splat(x, a[2], lanes);
        v.u.op = NULL;
        return gn_v_let(x, v);
    }
    if (op == &gn_op_cast && a[0]->dtype == result) return a[0];
    const gn_dtype t = op == &gn_op_select || op == &gn_op_fma ? result : (gn_dtype)a[0]->dtype;
    if (!x->code->target->spell(op, t, lanes > 1)) gn_body_text(x->code, op, t); /* a function of the unit */
    for (size_t i = 0; i < n; i++) v.a[i] = gn_v_splat(x, a[i], lanes);
    return gn_v_let(x, v);
}

const gn_val *gn_v_op2(gn_code_builder *x, const gn_op_info *op, const gn_val *a, const gn_val *b)
{
    return gn_v_op(x, op, op->traits & GN_BOOL_OUT ? GN_BOOL : (gn_dtype)a->dtype, (const gn_val *[]){ a, b }, 2);
}

const gn_val *gn_v_half(gn_code_builder *x, const gn_val *a, bool upper)
{
    const gn_val_kind kind = upper ? GN_VAL_HIGH : GN_VAL_LOW;
    return gn_v_let(
        x, (gn_val){ .kind = (uint8_t)kind, .dtype = a->dtype, .lanes = a->lanes / 2, .n = 1, .a = { a } });
}

const gn_val *gn_v_up(gn_code_builder *x, const gn_val *a, uint16_t by, const gn_val *below)
{
    const gn_val *const from = gn_v_splat(x, below, a->lanes);
    return gn_v_let(x, (gn_val){ .kind = GN_VAL_UP, .dtype = a->dtype, .lanes = a->lanes, .red = (uint8_t)by, .n = 2,
                                 .a = { a, from } });
}

const gn_val *gn_v_lane(gn_code_builder *x, const gn_val *a, uint16_t lane)
{
    gn_val v = { .kind = GN_VAL_LANE, .dtype = a->dtype, .lanes = 1, .n = 1, .a = { a } };
    v.u.lane.i = lane;
    return gn_v_let(x, v);
}

const gn_val *gn_v_reduce(gn_code_builder *x, gn_val_kind kind, gn_red red, const gn_val *v)
{
    const uint16_t lanes = kind == GN_VAL_LANES ? 1 : v->lanes;
    return gn_v_let(
        x,
        (gn_val){ .kind = (uint8_t)kind, .dtype = v->dtype, .lanes = lanes, .red = (uint8_t)red, .n = 1, .a = { v },
                  .scope = GN_SCOPE_BLOCK });
}

/* ---- memory ---- */

bool gn_v_varies(const gn_code_builder *x, const gn_dim *d)
{
    return x->lane && gn_dim_mentions(d, x->lane);
}

/* Neither base nor step mentions the lane. */
bool gn_v_affine(gn_code_builder *x, const gn_dim *d, const gn_dim **base, const gn_dim **step)
{
    gn_dim_pool *dims = x->code->dims;
    *step = gn_dim_coefficient(dims, d, x->lane);
    *base = gn_dim_sub(dims, d, gn_dim_mul(dims, *step, gn_dim_sym(dims, x->lane)));
    return !gn_v_varies(x, *base) && !gn_v_varies(x, *step);
}

const gn_val *gn_v_index(gn_code_builder *x, gn_dtype t, const gn_dim *d, gn_preds when)
{
    gn_val v = { .kind = GN_VAL_INDEX, .dtype = (uint8_t)t, .lanes = 1, .when = when, .u.index.at = d };
    const gn_dim *base, *step;
    int64_t c;
    if (when.n == 0 && gn_dim_is_const(d, &c)) return gn_v_int(x, t, c);
    if (!gn_v_varies(x, d)) return gn_v_let(x, v);
    v.lanes = x->lanes, v.dtype = GN_I64;
    if (gn_v_affine(x, d, &base, &step)) {
        v.kind = GN_VAL_IOTA, v.when = (gn_preds){ 0 };
        if (t == GN_I32) v.dtype = GN_I32;
        v.u.iota.base = base, v.u.iota.step = step;
    } else v.u.index.lane = x->lane;
    const gn_val *made = gn_v_let(x, v);
    return gn_v_op(x, &gn_op_cast, t, &made, 1);
}

gn_access gn_v_access(gn_code_builder *x, const gn_place *place, const gn_dim *at, const gn_val *mask, gn_preds when,
                      gn_preds safe)
{
    gn_access a = { .place = place, .base = at, .mask = mask, .when = when };
    if (!gn_v_varies(x, at)) {
        if (!mask) return a;
        a.mode = GN_ACCESS_STEP; /* one place, in the lanes of the mask only */
        a.step = gn_dim_const(x->code->dims, 0);
        return a;
    }
    const gn_dim *base, *step;
    if (gn_v_affine(x, at, &base, &step)) {
        a.base = base;
        a.mode = gn_dim_is(step, 1) ? GN_ACCESS_ROW : GN_ACCESS_STEP;
        a.step = a.mode == GN_ACCESS_STEP ? step : NULL;
        return a;
    }
    a.mode = GN_ACCESS_EACH;
    a.each = gn_v_index(x, GN_I64, at, safe);
    a.base = NULL;
    return a;
}

const gn_val *gn_v_load(gn_code_builder *x, gn_dtype t, uint16_t lanes, const gn_access *a)
{
    gn_val v = { .kind = GN_VAL_LOAD, .dtype = (uint8_t)t, .lanes = a->mode == GN_ACCESS_ONE ? 1 : lanes };
    v.u.load = *a;
    return gn_v_let(x, v);
}

void gn_v_store(gn_code_builder *x, const gn_access *a, const gn_val *v)
{
    gn_code_node *n = gn_v_node(x, GN_CODE_STORE);
    n->access = *a;
    n->val = a->mode == GN_ACCESS_ONE ? v : gn_v_splat(x, v, x->lanes);
}

void gn_v_set_reg(gn_code_builder *x, const gn_place *o, uint32_t number, const gn_val *v)
{
    gn_code_node *n = gn_v_node(x, GN_CODE_SET);
    n->place = o;
    n->number = number;
    n->val = gn_v_splat(x, v, (uint16_t)o->lanes);
}
