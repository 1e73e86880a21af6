/* One node for all blocks of a run: over the variable of the loop that they become. */
#include "code_roll.h"

static bool unify_operand(gn_roll_run *u, const gn_val *const *at, const gn_val **out);

static bool same_numbers(const gn_roll_run *u, const gn_val *const *at)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->u.i != at[0]->u.i) return false;
    return true;
}

static const gn_dim *number_of(const gn_roll_run *u, uint32_t number, const gn_dim *at)
{
    return at ? at : gn_dim_const(u->turns.dims, number);
}

static int64_t most_turns(const gn_roll_run *u, const char *var)
{
    if (var == u->turns.var) return u->turns.n;
    for (size_t i = 0; i < u->r->open.n; i++)
        if (u->r->open.at[i].var == var) return u->r->open.at[i].n;
    return INT32_MAX;
}

/* Each index of the array stays inside its extent. */
static bool has_digits(const gn_roll_run *u, const gn_place *p, const gn_dim *number)
{
    int64_t stride = p->n, most = 0;
    for (uint16_t d = 0; d < p->rank; d++, most = 0) {
        const int64_t above = d ? stride : INT64_MAX;
        stride /= p->extent[d];
        for (uint32_t i = 0; i < number->n; i++) {
            const gn_term *t = &number->term[i];
            const bool linear = t->c > 0 && t->c <= p->n && (t->n == 0 || (t->n == 1 && t->atom[0]->kind == GN_DIM_SYM));
            if (!linear) return false;
            if (t->n == 0) most += t->c % above / stride;
            else if (t->c % stride == 0 && t->c % above) most += t->c / stride * (most_turns(u, t->atom[0]->name) - 1);
        }
        if (most >= p->extent[d]) return false;
    }
    return true;
}

static bool unify_number(gn_roll_run *u, const gn_place *const *place, const gn_dim *const *number, uint32_t *out,
                         const gn_dim **at)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (place[k] != place[0]) return false;
    const gn_dim *d = gn_unify_dims(&u->turns, number);
    int64_t c = 0;
    if (!d || !has_digits(u, place[0], d)) return false;
    *at = gn_dim_is_const(d, &c) ? NULL : d;
    *out = (uint32_t)c;
    return true;
}

static bool unify_register(gn_roll_run *u, const gn_val *const *at, const gn_val **out)
{
    const gn_place *place[GN_UNIFY_MOST];
    const gn_dim *number[GN_UNIFY_MOST];
    gn_val *const v = gn_code_operand(u->r->code, *at[0]);
    for (uint32_t k = 0; k < u->n; k++) {
        place[k] = at[k]->u.reg.place;
        number[k] = number_of(u, at[k]->u.reg.number, at[k]->u.reg.at);
    }
    *out = v;
    return unify_number(u, place, number, &v->u.reg.number, &v->u.reg.at);
}

/* Different lets from before the run: an array that has them all. */
static bool gather(gn_roll_run *u, const gn_val *const *at, const gn_val **out)
{
    for (uint32_t k = 0; k < u->n; k++)
        if (!at[k]->id) return false;
    for (size_t g = 0; g <= u->gathered.n; g++) {
        if (g == u->gathered.n) {
            const gn_val **all = GN_NEW_ARRAY(u->r->arena, const gn_val *, u->n);
            memcpy(all, at, u->n * sizeof *all);
            gn_push(u->r->arena, &u->gathered, all);
        } else if (memcmp(u->gathered.at[g], at, u->n * sizeof *at) != 0) continue;
        gn_val v = { .kind = GN_VAL_REG, .dtype = at[0]->dtype, .lanes = at[0]->lanes };
        v.u.reg.number = (uint32_t)g; /* its place is made with the loop */
        v.u.reg.at = gn_dim_sym(u->turns.dims, u->turns.var);
        gn_val *element = gn_code_operand(u->r->code, v);
        gn_push(u->r->arena, &u->elements, element);
        *out = element;
        return true;
    }
    return false;
}

static bool is_of_its_block(const gn_roll_run *u, const gn_val *v, uint32_t k)
{
    return v->id && u->r->let.at[v->id].block == (int32_t)k;
}

static bool unify_let_operand(gn_roll_run *u, const gn_val *const *at, const gn_val **out)
{
    bool same = true, local = true;
    for (uint32_t k = 0; k < u->n; k++) {
        same &= at[k]->id == at[0]->id;
        local &= is_of_its_block(u, at[k], k) && u->r->let.at[at[k]->id].at == u->r->let.at[at[0]->id].at;
    }
    *out = local ? gn_map_get(&u->made, at[0]->id) : at[0];
    if (local || (same && u->r->let.at[at[0]->id].block < 0)) return *out;
    for (uint32_t k = 0; k < u->n; k++)
        if (u->r->let.at[at[k]->id].block >= 0) return false;
    return gather(u, at, out);
}

static bool unify_plain(gn_roll_run *u, const gn_val *const *at, const gn_val **out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->kind != at[0]->kind && !(at[k]->id && at[0]->id)) return false;
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->dtype != at[0]->dtype || at[k]->lanes != at[0]->lanes || !at[k]->id != !at[0]->id) return false;
    if (at[0]->id) return unify_let_operand(u, at, out);
    *out = at[0];
    if (at[0]->kind == GN_VAL_REG) return unify_register(u, at, out);
    return at[0]->kind == GN_VAL_CONST && same_numbers(u, at);
}

static bool unify_operand(gn_roll_run *u, const gn_val *const *at, const gn_val **out)
{
    const gn_val *all[GN_UNIFY_MOST], *one;
    bool splat = false;
    *out = NULL;
    for (uint32_t k = 0; k < u->n; k++) {
        if (!at[k] != !at[0]) return false;
        if (!at[0]) continue;
        all[k] = gn_roll_now(u->r, at[k]);
        if (k == 0) splat = !all[0]->id && all[0]->kind == GN_VAL_SPLAT;
        else if ((!all[k]->id && all[k]->kind == GN_VAL_SPLAT) != splat) return false;
    }
    if (!at[0]) return true;
    if (!splat) return unify_plain(u, all, out);
    gn_val whole = *all[0];
    for (uint32_t k = 0; k < u->n; k++) all[k] = gn_roll_now(u->r, all[k]->a[0]);
    if (!unify_plain(u, all, &one)) return false;
    whole.a[0] = one;
    *out = gn_code_operand(u->r->code, whole);
    return true;
}

#define OF_EACH(type, name, what) \
    type name[GN_UNIFY_MOST];     \
    for (uint32_t k = 0; k < u->n; k++) name[k] = what

static bool unify_access(gn_roll_run *u, const gn_access *const *at, gn_access *out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->place != at[0]->place || at[k]->mode != at[0]->mode) return false;
    OF_EACH(const gn_dim *, base, at[k]->base);
    OF_EACH(const gn_dim *, step, at[k]->step);
    OF_EACH(const gn_val *, each, at[k]->each);
    OF_EACH(const gn_val *, mask, at[k]->mask);
    OF_EACH(const gn_preds *, when, &at[k]->when);
    *out = *at[0];
    out->base = gn_unify_dims(&u->turns, base), out->step = gn_unify_dims(&u->turns, step);
    if (!out->base != !base[0] || !out->step != !step[0]) return false;
    return unify_operand(u, each, &out->each) && unify_operand(u, mask, &out->mask) &&
           gn_unify_preds(&u->turns, when, &out->when);
}

static bool unify_index(gn_roll_run *u, const gn_val *const *at, gn_val *out)
{
    if (at[0]->kind == GN_VAL_IOTA) {
        OF_EACH(const gn_dim *, base, at[k]->u.iota.base);
        OF_EACH(const gn_dim *, step, at[k]->u.iota.step);
        out->u.iota.base = gn_unify_dims(&u->turns, base), out->u.iota.step = gn_unify_dims(&u->turns, step);
        return out->u.iota.base && out->u.iota.step;
    }
    OF_EACH(const gn_dim *, index, at[k]->u.index.at);
    out->u.index.at = gn_unify_dims(&u->turns, index);
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->u.index.lane != at[0]->u.index.lane) return false;
    return out->u.index.at;
}

static bool unify_lane(gn_roll_run *u, const gn_val *const *at, gn_val *out)
{
    OF_EACH(const gn_dim *, lane, at[k]->u.lane.at ? at[k]->u.lane.at : gn_dim_const(u->turns.dims, at[k]->u.lane.i));
    const gn_dim *d = gn_unify_dims(&u->turns, lane);
    out->u.lane.at = d && !gn_dim_is_const(d, NULL) ? d : NULL;
    return d;
}

static bool unify_kind(gn_roll_run *u, const gn_val *const *at, gn_val *out)
{
    OF_EACH(const gn_access *, load, &at[k]->u.load);
    switch ((gn_val_kind)at[0]->kind) {
    case GN_VAL_INDEX:
    case GN_VAL_IOTA:
    case GN_VAL_FIRST:
    case GN_VAL_BIT: return unify_index(u, at, out);
    case GN_VAL_LOAD: return unify_access(u, load, &out->u.load);
    case GN_VAL_LANE: return unify_lane(u, at, out);
    case GN_VAL_OP:
        for (uint32_t k = 1; k < u->n; k++)
            if (at[k]->u.op != at[0]->u.op) return false;
        return true;
    default: return true;
    }
}

static bool unify_value(gn_roll_run *u, const gn_val *const *at, gn_val *out)
{
    for (uint32_t k = 1; k < u->n; k++) {
        const gn_val *v = at[k], *w = at[0];
        if (v->kind != w->kind || v->dtype != w->dtype || v->lanes != w->lanes || v->n != w->n || v->red != w->red)
            return false;
    }
    OF_EACH(const gn_preds *, when, &at[k]->when);
    *out = *at[0];
    for (uint16_t i = 0; i < at[0]->n; i++) {
        OF_EACH(const gn_val *, a, at[k]->a[i]);
        if (!unify_operand(u, a, &out->a[i])) return false;
    }
    return gn_unify_preds(&u->turns, when, &out->when) && unify_kind(u, at, out);
}

static bool unify_set(gn_roll_run *u, gn_code_node *const *at, gn_code_node *out)
{
    OF_EACH(const gn_place *, place, at[k]->place);
    OF_EACH(const gn_dim *, number, number_of(u, at[k]->number, at[k]->at));
    return unify_number(u, place, number, &out->number, &out->at);
}

static bool unify_node(gn_roll_run *u, gn_code_node *const *at, gn_code_node *out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (at[k]->kind != at[0]->kind || at[k]->body.kids.n != at[0]->body.kids.n) return false;
    OF_EACH(const gn_val *, val, at[k]->val);
    OF_EACH(const gn_preds *, when, &at[k]->when);
    OF_EACH(const gn_access *, access, &at[k]->access);
    OF_EACH(const gn_roll_nodes *, lists, (const gn_roll_nodes *)(const void *)&at[k]->body.kids);
    *out = *at[0];
    out->body = (gn_code_body){ 0 };
    if (at[0]->kind == GN_CODE_LET) {
        gn_val *v = GN_NEW_OBJECT(u->r->code->arena, gn_val);
        out->val = v;
        if (!unify_value(u, val, v)) return false;
        v->id = (uint32_t)u->r->let.n;
        gn_push(u->r->arena, &u->r->let, (gn_roll_let){ .block = GN_ROLL_OUTSIDE });
        *gn_map_put(u->r->arena, &u->made, at[0]->val->id) = v;
        return true;
    }
    if (at[0]->kind == GN_CODE_IF)
        return gn_unify_preds(&u->turns, when, &out->when) && gn_roll_unify(u, lists, &out->body);
    if (!unify_operand(u, val, &out->val)) return false;
    return at[0]->kind == GN_CODE_SET ? unify_set(u, at, out) : unify_access(u, access, &out->access);
}

bool gn_roll_unify(gn_roll_run *u, const gn_roll_nodes *const *lists, gn_code_body *out)
{
    for (uint32_t k = 1; k < u->n; k++)
        if (lists[k]->n != lists[0]->n) return false;
    for (size_t i = 0; i < lists[0]->n; i++) {
        gn_code_node *at[GN_UNIFY_MOST], *one = gn_code_append(u->r->code, out, GN_CODE_LET);
        for (uint32_t k = 0; k < u->n; k++) at[k] = lists[k]->at[i];
        if (!unify_node(u, at, one)) return false;
    }
    return true;
}
