/* Lets, sets and stores of the thread at work. */
#include "code_interpret_state.h"

/* ---- operands ---- */

static gn_lane made_lane(gn_runner *r, const gn_val *v, int l)
{
    const gn_made *m = &r->made[(size_t)r->thread * r->nlets + v->id];
    if (v->id >= r->nlets || l >= m->lanes) gn_runner_fail(r, "%%%u was not made", v->id);
    return m->lane[l];
}

gn_lane gn_runner_operand(gn_runner *r, const gn_val *v, int l)
{
    while (!v->id && v->kind == GN_VAL_SPLAT) v = v->a[0];
    if (v->lanes == 1) l = 0;
    if (v->id) return made_lane(r, v, l);
    if (v->kind == GN_VAL_REG)
        return gn_runner_register(r, v->u.reg.place, gn_runner_number(r, v->u.reg.number, v->u.reg.at), l);
    if (v->kind != GN_VAL_CONST) gn_runner_fail(r, "an operand that is no let, register or number");
    const gn_dtype t = (gn_dtype)v->dtype;
    return gn_is_float(t) ? (gn_lane){ .dtype = v->dtype, .f = v->u.f } : (gn_lane){ .dtype = v->dtype, .i = v->u.i };
}

/* ---- accesses ---- */

static int64_t element_of(gn_runner *r, const gn_access *a, int l)
{
    switch ((gn_access_mode)a->mode) {
    case GN_ACCESS_ONE: return gn_runner_dim(r, a->base);
    case GN_ACCESS_ROW: return gn_runner_offset(r, a->base, NULL, l);
    case GN_ACCESS_STEP: return gn_runner_offset(r, a->base, a->step, l);
    case GN_ACCESS_EACH: break;
    }
    const gn_lane x = gn_runner_operand(r, a->each, l);
    if (x.poison) gn_runner_fail_poison(r, gn_arena_printf(r->arena, "the index of lane %d", l), x);
    return x.i;
}

static bool takes_part(gn_runner *r, const gn_access *a, int l)
{
    if (!a->mask) return true;
    const gn_lane x = gn_runner_operand(r, a->mask, l);
    if (x.poison) gn_runner_fail_poison(r, gn_arena_printf(r->arena, "lane %d of the mask", l), x);
    return x.i;
}

static gn_lane load(gn_runner *r, const gn_val *v, int l)
{
    const gn_access *a = &v->u.load;
    if (!gn_runner_holds(r, a->when) || !takes_part(r, a, l)) return gn_lane_number((gn_dtype)v->dtype, 0);
    return gn_runner_load(r, a->place, element_of(r, a, l));
}

void gn_runner_write(gn_runner *r, const gn_code_node *n)
{
    const gn_access *a = &n->access;
    if (!gn_runner_holds(r, a->when)) return;
    const int lanes = a->mode == GN_ACCESS_ONE ? 1 : n->val->lanes;
    for (int l = 0; l < lanes; l++)
        if (takes_part(r, a, l)) gn_runner_store(r, a->place, element_of(r, a, l), gn_runner_operand(r, n->val, l));
}

/* ---- values ---- */

static gn_lane index_as(gn_dtype t, int64_t i)
{
    const gn_lane whole = gn_lane_number(GN_I64, i);
    return gn_lane_op(&gn_op_cast, t, &whole, 1);
}

static gn_lane index_of(gn_runner *r, const gn_val *v, int l)
{
    if (v->lanes > 1) gn_runner_bind(r, v->u.index.lane, l);
    const int64_t i = gn_runner_holds(r, v->when) ? gn_runner_dim(r, v->u.index.at) : 0;
    if (v->lanes > 1) gn_runner_unbind(r, v->u.index.lane);
    return index_as((gn_dtype)v->dtype, i);
}

/* The side that is taken, alone, may have content. */
static gn_lane choice(gn_runner *r, const gn_val *v, int l)
{
    const gn_lane c = gn_runner_operand(r, v->a[0], l);
    return c.poison ? gn_lane_poison((gn_dtype)v->dtype, c) : gn_runner_operand(r, v->a[c.i ? 1 : 2], l);
}

static gn_lane operation(gn_runner *r, const gn_val *v, int l)
{
    gn_lane a[GN_VAL_MOST];
    if (v->u.op == &gn_op_select) return choice(r, v, l);
    for (uint16_t i = 0; i < v->n; i++) a[i] = gn_runner_operand(r, v->a[i], l);
    return gn_lane_op(v->u.op, (gn_dtype)v->dtype, a, v->n);
}

/* Lanes l with l + n/2, then n/4, .. 1. */
static gn_lane across(gn_runner *r, const gn_val *v)
{
    const gn_op_info *op = gn_red_op((gn_red)v->red);
    gn_lane x[GN_MOST_LANES];
    for (int l = 0; l < v->a[0]->lanes; l++) x[l] = gn_runner_operand(r, v->a[0], l);
    for (int n = v->a[0]->lanes / 2; n; n /= 2)
        for (int l = 0; l < n; l++) x[l] = gn_lane_op(op, (gn_dtype)v->dtype, (gn_lane[]){ x[l], x[l + n] }, 2);
    return x[0];
}

static gn_lane truth(bool holds)
{
    return gn_lane_number(GN_BOOL, holds);
}

static gn_lane compute(gn_runner *r, const gn_val *v, int l)
{
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_COPY: return gn_runner_operand(r, v->a[0], l);
    case GN_VAL_INDEX: return index_of(r, v, l);
    case GN_VAL_IOTA: return index_as((gn_dtype)v->dtype, gn_runner_offset(r, v->u.iota.base, v->u.iota.step, l));
    case GN_VAL_COND: return truth(gn_runner_holds(r, v->when));
    case GN_VAL_FIRST: return truth(l < gn_runner_dim(r, v->u.index.at));
    case GN_VAL_BIT: return truth(l == gn_runner_dim(r, v->u.index.at));
    case GN_VAL_LOAD: return load(r, v, l);
    case GN_VAL_OP: return operation(r, v, l);
    case GN_VAL_PICK: return choice(r, v, l);
    case GN_VAL_PACK: return gn_runner_operand(r, v->a[l], 0);
    case GN_VAL_LANE:
        return gn_runner_operand(r, v->a[0], (int)(v->u.lane.at ? gn_runner_dim(r, v->u.lane.at) : v->u.lane.i));
    case GN_VAL_LOW: return gn_runner_operand(r, v->a[0], l);
    case GN_VAL_HIGH: return gn_runner_operand(r, v->a[0], l + v->lanes);
    case GN_VAL_UP:
        return l < v->red ? gn_runner_operand(r, v->a[1], v->lanes - v->red + l) : gn_runner_operand(r, v->a[0], l - v->red);
    case GN_VAL_LANES: return across(r, v);
    case GN_VAL_SPLAT: return gn_runner_operand(r, v->a[0], 0);
    default: gn_runner_fail(r, "a let of what is no value");
    }
}

void gn_runner_make(gn_runner *r, const gn_val *v, const gn_lane *lanes)
{
    gn_made *m = &r->made[(size_t)r->thread * r->nlets + v->id];
    if (m->lanes < v->lanes) *m = (gn_made){ GN_NEW_ARRAY(r->arena, gn_lane, v->lanes), v->lanes };
    memcpy(m->lane, lanes, v->lanes * sizeof *lanes);
}

void gn_runner_let(gn_runner *r, const gn_val *v)
{
    gn_lane now[GN_MOST_LANES];
    if (v->lanes > GN_MOST_LANES || (v->n && v->a[0]->lanes > GN_MOST_LANES))
        gn_runner_fail(r, "more than %d lanes", GN_MOST_LANES);
    for (int l = 0; l < v->lanes; l++) now[l] = compute(r, v, l);
    gn_runner_make(r, v, now);
}

void gn_runner_set(gn_runner *r, const gn_code_node *n)
{
    gn_lane now[GN_MOST_LANES];
    if (n->place->lanes > GN_MOST_LANES) gn_runner_fail(r, "more than %d lanes", GN_MOST_LANES);
    for (int l = 0; l < n->place->lanes; l++) now[l] = gn_runner_operand(r, n->val, l);
    for (int l = 0; l < n->place->lanes; l++)
        gn_runner_set_register(r, n->place, gn_runner_number(r, n->number, n->at), l, now[l]);
}
