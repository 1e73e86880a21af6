/* What a let is without being computed: a load that leaves out less, the load itself where what it leaves out is chosen
 * as 0, what a maximum starts with. */
#include "code_fold.h"
#include "kernel.h"
#include "visit.h"

static const gn_val *constant(const gn_code *c, gn_dtype t, int64_t i)
{
    return gn_code_operand(c, (gn_val){ .kind = GN_VAL_CONST, .dtype = (uint8_t)t, .lanes = 1, .u.i = i });
}

/* A value compared with itself, which compilers warn of. Floats may be NaN. */
static const gn_val *compared_with_itself(const gn_code *c, const gn_val *v)
{
    static const gn_op_info *const ops[] = { &gn_op_eq, &gn_op_le, &gn_op_ge, &gn_op_ne, &gn_op_lt, &gn_op_gt };
    if (v->n != 2 || v->lanes > 1 || v->a[0] != v->a[1] || gn_is_float((gn_dtype)v->a[0]->dtype)) return NULL;
    for (int i = 0; i < 6; i++)
        if (v->u.op == ops[i]) return constant(c, GN_BOOL, i < 3);
    return NULL;
}

/* The first step of max and min from where they start is the value itself, of NaN too. A sum's is not: 0 + -0 is 0. */
static const gn_val *first_of_all(const gn_val *v)
{
    const bool max = v->u.op == &gn_op_maximum;
    const gn_val *const start = max || v->u.op == &gn_op_minimum ? gn_val_constant(v->a[0]) : NULL;
    const gn_dtype t = (gn_dtype)v->dtype;
    if (!start) return NULL;
    const gn_red red = max ? GN_RED_MAX : GN_RED_MIN;
    const bool is = gn_is_float(t) ? start->u.f == gn_red_start_float(red) : start->u.i == gn_red_start_int(red, t);
    return is ? v->a[1] : NULL;
}

/* ---- masks ---- */

static bool is_both(const gn_val *mask)
{
    return mask->kind == GN_VAL_OP && mask->u.op == &gn_op_and;
}

/* Every part of the other mask is one of the mask: what is met for the first time among the other's parts is none. */
static bool asks_all_of(const gn_code *c, const gn_val *mask, const gn_val *other)
{
    gn_visit v = { .arena = c->arena, .operand = gn_mask_part };
    gn_visit_add(&v, mask);
    while (gn_visit_next(&v)) {
    }
    gn_visit_add(&v, other);
    for (const gn_val *one; (one = gn_visit_next(&v));)
        if (!is_both(one)) return false;
    return true;
}

typedef struct wider_search {
    const gn_known_lets *known;
    gn_val probe;
    const gn_val *own, *found;
} wider_search;

static bool look_for_wider(void *user, const void *mask)
{
    wider_search *const w = user;
    w->probe.u.load.mask = mask;
    if (mask != w->own && !w->found) w->found = gn_known_find(w->known, &w->probe, gn_val_hash(&w->probe));
    return !w->found;
}

/* The same load of more lanes, if it is known: what a mask leaves out is never looked at. */
static const gn_val *wider_load(const gn_code *c, const gn_known_lets *known, const gn_val *load)
{
    wider_search w = { .known = known, .probe = *load, .own = load->u.load.mask };
    if (!w.own) return NULL;
    look_for_wider(&w, NULL);
    if (w.found || !is_both(w.own)) return w.found;
    gn_visit v = { .arena = c->arena, .operand = gn_mask_part, .enter = look_for_wider, .user = &w };
    gn_visit_add(&v, w.own);
    while (gn_visit_next(&v)) {
    }
    return w.found;
}

/* ---- choices: a load that is not executed is 0, so that a choice of it and 0 under the same conditions is the load
 * alone ---- */

static bool has_all_of(gn_preds w, gn_preds other)
{
    for (uint32_t i = 0, k; i < other.n; i++) {
        for (k = 0; k < w.n && !gn_same_preds((gn_preds){ 1, &w.at[k] }, (gn_preds){ 1, &other.at[i] });) k++;
        if (k == w.n) return false;
    }
    return true;
}

static bool is_plus_zero(const gn_val *v)
{
    const gn_val *const c = gn_val_constant(v);
    return c && c->u.i == 0; /* of a float: the bits, which are those of +0 alone */
}

static bool is_choice(const gn_val *v)
{
    return v->kind == GN_VAL_PICK || (v->kind == GN_VAL_OP && v->u.op == &gn_op_select);
}

static const gn_val *chosen(const gn_code *c, const gn_val *v)
{
    const gn_val *const test = v->a[0], *const yes = gn_val_source(v->a[1]), *load = yes;
    if (!is_plus_zero(v->a[2])) return NULL;
    if (test->lanes > 1) {
        const bool masked = yes->kind == GN_VAL_LOAD && yes->u.load.mask;
        return masked && asks_all_of(c, yes->u.load.mask, test) ? v->a[1] : NULL;
    }
    if (test->kind != GN_VAL_COND) return NULL;
    while (is_choice(load) && is_plus_zero(load->a[2])) load = gn_val_source(load->a[1]);
    return load->kind == GN_VAL_LOAD && has_all_of(load->u.load.when, test->when) ? v->a[1] : NULL;
}

const gn_val *gn_val_fold(const gn_code *c, const gn_known_lets *known, const gn_val *v)
{
    if (v->kind == GN_VAL_LOAD) return wider_load(c, known, v);
    const gn_val *const choice = is_choice(v) ? chosen(c, v) : NULL;
    if (choice || v->kind != GN_VAL_OP) return choice;
    const gn_val *const same = compared_with_itself(c, v);
    return same ? same : first_of_all(v);
}
