/* Values: every let is made once and used again while what it read is unchanged. */
#include <stdint.h>
#include "code_build.h"
#include "visit.h"

void gn_v_node(gn_code_builder *x, gn_code_node *n)
{
    gn_push(x->code->arena, &x->block->kids, n);
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

/* ---- equality and hash of values ---- */

static bool same(const gn_val *a, const gn_val *b);

bool gn_same_preds(gn_preds a, gn_preds b)
{
    if (a.n != b.n) return false;
    for (uint32_t i = 0; i < a.n; i++) {
        if (a.at[i].negate != b.at[i].negate || a.at[i].n != b.at[i].n) return false;
        for (uint16_t j = 0; j < a.at[i].n; j++) {
            const gn_kcond *c = &a.at[i].cond[j], *d = &b.at[i].cond[j];
            if (c->kind != d->kind || c->a != d->a || c->b != d->b) return false;
        }
    }
    return true;
}

static bool same_or_null(const gn_val *a, const gn_val *b)
{
    return a == b || (a && b && same(a, b));
}

static bool same_access(const gn_access *a, const gn_access *b)
{
    return a->place == b->place && a->mode == b->mode && a->base == b->base && a->step == b->step &&
           same_or_null(a->each, b->each) && same_or_null(a->mask, b->mask) && gn_same_preds(a->when, b->when);
}

static bool same(const gn_val *a, const gn_val *b)
{
    if (a == b) return true;
    if (a->kind != b->kind || a->dtype != b->dtype || a->lanes != b->lanes || a->red != b->red || a->n != b->n)
        return false;
    if (a->id && b->id) return a->id == b->id;
    for (uint16_t i = 0; i < a->n; i++)
        if (!same(a->a[i], b->a[i])) return false;
    switch ((gn_val_kind)a->kind) {
    case GN_VAL_LANE: return a->u.lane.i == b->u.lane.i && a->u.lane.at == b->u.lane.at;
    case GN_VAL_PARAM:
    case GN_VAL_CONST: return a->u.i == b->u.i;
    case GN_VAL_REG:
        return a->u.reg.place == b->u.reg.place && a->u.reg.number == b->u.reg.number && a->u.reg.at == b->u.reg.at;
    case GN_VAL_IOTA: return a->u.iota.base == b->u.iota.base && a->u.iota.step == b->u.iota.step;
    case GN_VAL_INDEX:
        return a->u.index.at == b->u.index.at && a->u.index.lane == b->u.index.lane && gn_same_preds(a->when, b->when);
    case GN_VAL_BIT:
    case GN_VAL_FIRST: return a->u.index.at == b->u.index.at;
    case GN_VAL_COND: return gn_same_preds(a->when, b->when);
    case GN_VAL_LOAD: return same_access(&a->u.load, &b->u.load);
    case GN_VAL_OP: return a->u.op == b->u.op;
    default: return true;
    }
}

static uint64_t hash_preds(uint64_t h, gn_preds w)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t j = 0; j < w.at[i].n; j++)
            h = gn_hash_mix(gn_hash_mix(h, w.at[i].cond[j].a->id), w.at[i].cond[j].b->id);
    return h;
}

uint64_t gn_v_hash(const gn_val *v)
{
    uint64_t h = gn_hash_mix(v->kind | v->red << 8, (uint64_t)v->dtype << 16 | v->lanes);
    for (uint16_t i = 0; i < v->n; i++) h = gn_hash_mix(h, v->a[i]->id ? v->a[i]->id : gn_v_hash(v->a[i]));
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_PARAM:
    case GN_VAL_LANE:
    case GN_VAL_CONST: return gn_hash_mix(h, (uint64_t)v->u.i);
    case GN_VAL_REG: return gn_hash_mix(gn_hash_mix(h, v->u.reg.place->id), v->u.reg.number);
    case GN_VAL_IOTA: return gn_hash_mix(gn_hash_mix(h, v->u.iota.base->id), v->u.iota.step->id);
    case GN_VAL_INDEX:
    case GN_VAL_BIT:
    case GN_VAL_FIRST: return hash_preds(gn_hash_mix(h, v->u.index.at->id), v->when);
    case GN_VAL_COND: return hash_preds(h, v->when);
    case GN_VAL_LOAD:
        h = gn_hash_mix(h, v->u.load.place->id);
        return gn_hash_mix(h, v->u.load.base ? v->u.load.base->id : v->u.load.each->id);
    case GN_VAL_OP: return gn_hash_bytes(h, v->u.op->name, strlen(v->u.op->name));
    default: return h;
    }
}

bool gn_v_same(const gn_val *a, const gn_val *b)
{
    return same(a, b);
}

/* ---- lets ---- */

static bool has_vectors(gn_dtype t)
{
    return t == GN_BOOL || gn_is_float(t) || gn_dtype_size(t) >= 4;
}

static void let(gn_code_builder *x, const gn_val *v)
{
    gn_code_node *n = gn_code_make(x->code, GN_CODE_LET);
    n->val = v;
    gn_v_node(x, n);
}

const gn_val *gn_v_let(gn_code_builder *x, gn_val probe)
{
    if (probe.lanes > 1 && !has_vectors((gn_dtype)probe.dtype))
        gn_throw(GN_EINVAL, "%s: bind lane: the target %s has no vectors of %s", x->code->origin, x->code->target->name,
                 gn_dtype_name((gn_dtype)probe.dtype));
    const uint64_t h = gn_v_hash(&probe);
    const gn_val *have = gn_known_find(x, &probe, h);
    if (have) return have;
    gn_val *v = gn_arena_copy(x->code->arena, &probe, sizeof probe);
    v->id = ++x->nlets;
    let(x, v);
    gn_known_add(x, v, h);
    return v;
}

/* ---- constants, variables, splats: no lets ---- */

static const gn_val *plain(gn_code_builder *x, gn_val v)
{
    return gn_arena_copy(x->code->arena, &v, sizeof v);
}

const gn_val *gn_v_float(gn_code_builder *x, gn_dtype t, double f)
{
    return plain(x, (gn_val){ .kind = GN_VAL_CONST, .dtype = (uint8_t)t, .lanes = 1, .u.f = f });
}

const gn_val *gn_v_int(gn_code_builder *x, gn_dtype t, int64_t i)
{
    if (gn_is_float(t)) return gn_v_float(x, t, (double)i);
    return plain(x, (gn_val){ .kind = GN_VAL_CONST, .dtype = (uint8_t)t, .lanes = 1, .u.i = i });
}

const gn_val *gn_v_zero(gn_code_builder *x, gn_dtype t)
{
    return gn_v_int(x, t, 0);
}

static uint64_t register_key(const gn_place *p, uint32_t number)
{
    return (uint64_t)p->id << 32 | number;
}

const gn_val *gn_v_reg(gn_code_builder *x, const gn_place *o, uint32_t number)
{
    const gn_held *h = gn_map_get(&x->held, register_key(o, number));
    if (h && h->val && h->epoch == x->epoch) return h->val;
    gn_val v = { .kind = GN_VAL_REG, .dtype = (uint8_t)o->dtype, .lanes = (uint16_t)o->lanes };
    v.u.reg.place = o;
    v.u.reg.number = number;
    return plain(x, v);
}

const gn_val *gn_v_splat(gn_code_builder *x, const gn_val *v, uint16_t lanes)
{
    if (v->lanes == lanes) return v;
    GN_ASSERT(v->lanes == 1);
    return plain(x, (gn_val){ .kind = GN_VAL_SPLAT, .dtype = v->dtype, .lanes = lanes, .n = 1, .a = { v } });
}

const gn_val *gn_v_copy(gn_code_builder *x, const gn_val *v)
{
    gn_val *c = gn_arena_alloc_n(x->code->arena, 1, sizeof *c, alignof(gn_val));
    *c = (gn_val){ .kind = GN_VAL_COPY, .dtype = v->dtype, .lanes = v->lanes, .n = 1, .a = { v }, .id = ++x->nlets };
    let(x, c); /* never shared: the register changes */
    return c;
}

/* ---- operations ---- */

static uint16_t common_lanes(const gn_val *const *a, size_t n)
{
    uint16_t lanes = 1;
    for (size_t i = 0; i < n; i++)
        if (a[i]->lanes > lanes) lanes = a[i]->lanes;
    return lanes;
}

/* A value compared with itself, which compilers warn of. Floats may be NaN. */
static const gn_val *compared_with_itself(gn_code_builder *x, const gn_op_info *op, const gn_val *v)
{
    static const gn_op_info *const ops[] = { &gn_op_eq, &gn_op_le, &gn_op_ge, &gn_op_ne, &gn_op_lt, &gn_op_gt };
    for (int i = 0; i < 6 && v->lanes == 1 && !gn_is_float((gn_dtype)v->dtype); i++)
        if (op == ops[i]) return gn_v_int(x, GN_BOOL, i < 3);
    return NULL;
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
    const gn_val *known = n == 2 && a[0] == a[1] ? compared_with_itself(x, op, a[0]) : NULL;
    if (known) return known;
    const gn_dtype t = op == &gn_op_select || op == &gn_op_fma ? result : (gn_dtype)a[0]->dtype;
    if (!x->code->target->spell(op, t, lanes > 1)) gn_body_text(x->code, op, t); /* a function of the unit */
    for (size_t i = 0; i < n; i++) v.a[i] = gn_v_splat(x, a[i], lanes);
    return gn_v_let(x, v);
}

const gn_val *gn_v_pack(gn_code_builder *x, const gn_val *const *a, uint16_t lanes)
{
    gn_val v = { .kind = GN_VAL_PACK, .dtype = a[0]->dtype, .lanes = lanes, .n = lanes };
    memcpy(v.a, a, lanes * sizeof *a);
    return gn_v_let(x, v);
}

const gn_val *gn_v_lane(gn_code_builder *x, const gn_val *a, uint32_t lane)
{
    return gn_v_let(
        x,
        (gn_val){ .kind = GN_VAL_LANE, .dtype = a->dtype, .lanes = 1, .n = 1, .a = { a }, .u.lane = { lane, NULL } });
}

const gn_val *gn_v_half(gn_code_builder *x, const gn_val *a, bool upper)
{
    return gn_v_let(x, (gn_val){ .kind = upper ? GN_VAL_HIGH : GN_VAL_LOW,
                                 .dtype = a->dtype,
                                 .lanes = a->lanes / 2,
                                 .n = 1,
                                 .a = { a } });
}

static gn_val scalar_op(const gn_op_info *op, const gn_val *const *a, uint16_t n)
{
    gn_val v = { .kind = GN_VAL_OP, .dtype = a[0]->dtype, .lanes = 1, .n = n };
    memcpy(v.a, a, n * sizeof *a);
    v.u.op = op;
    return v;
}

bool gn_v_knows_op(gn_code_builder *x, const gn_op_info *op, const gn_val *const *a, uint16_t n)
{
    const gn_val probe = scalar_op(op, a, n);
    return gn_known_find(x, &probe, gn_v_hash(&probe));
}

void gn_v_remember_op(gn_code_builder *x, const gn_op_info *op, const gn_val *const *a, uint16_t n, const gn_val *result)
{
    const gn_val v = scalar_op(op, a, n);
    gn_val *known = gn_arena_copy(x->code->arena, &v, sizeof v);
    known->id = result->id;
    gn_known_add(x, known, gn_v_hash(&v));
}

const gn_val *gn_v_op2(gn_code_builder *x, const gn_op_info *op, const gn_val *a, const gn_val *b)
{
    return gn_v_op(x, op, op->traits & GN_BOOL_OUT ? GN_BOOL : (gn_dtype)a->dtype, (const gn_val *[]){ a, b }, 2);
}

const gn_val *gn_v_reduce(gn_code_builder *x, gn_val_kind kind, gn_red red, const gn_val *v)
{
    const uint16_t lanes = kind == GN_VAL_LANES ? 1 : v->lanes;
    return gn_v_let(
        x,
        (gn_val){ .kind = (uint8_t)kind, .dtype = v->dtype, .lanes = lanes, .red = (uint8_t)red, .n = 1, .a = { v } });
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

static bool is_both(const gn_val *mask)
{
    return mask->kind == GN_VAL_OP && mask->u.op == &gn_op_and;
}

static const void *part_of_mask(const void *mask, size_t i)
{
    const gn_val *const v = mask;
    return is_both(v) && i < 2 ? v->a[i] : NULL;
}

/* What is met for the first time among the other's parts is none of the mask's. */
bool gn_v_asks_all_of(gn_code_builder *x, const gn_val *mask, const gn_val *other)
{
    gn_visit v = { .arena = x->code->arena, .operand = part_of_mask };
    gn_visit_add(&v, mask);
    while (gn_visit_next(&v)) {}
    gn_visit_add(&v, other);
    for (const gn_val *one; (one = gn_visit_next(&v));)
        if (!is_both(one)) return false;
    return true;
}

typedef struct wider_search {
    gn_code_builder *x;
    gn_val probe;
    const gn_val *own, *found;
} wider_search;

static bool look_for_wider(void *user, const void *mask)
{
    wider_search *const w = user;
    w->probe.u.load.mask = mask;
    if (mask != w->own && !w->found) w->found = gn_known_find(w->x, &w->probe, gn_v_hash(&w->probe));
    return !w->found;
}

/* The same load of more lanes, if it is known: what a mask leaves out is never looked at. */
static const gn_val *wider_load(gn_code_builder *x, const gn_val *load)
{
    wider_search w = { .x = x, .probe = *load, .own = load->u.load.mask };
    if (!w.own) return NULL;
    look_for_wider(&w, NULL);
    if (w.found || !is_both(w.own)) return w.found;
    gn_visit v = { .arena = x->code->arena, .operand = part_of_mask, .enter = look_for_wider, .user = &w };
    gn_visit_add(&v, w.own);
    while (gn_visit_next(&v)) {}
    return w.found;
}

static uint64_t hash_place(const gn_access *a)
{
    gn_val load = { .kind = GN_VAL_LOAD, .lanes = 1 };
    load.u.load = *a;
    return gn_v_hash(&load);
}

static gn_pending *find_pending(gn_code_builder *x, const gn_access *a)
{
    if (x->pending.n == 0) return NULL;
    for (uint32_t i = (uint32_t)(uintptr_t)gn_map_get(&x->pending_at, hash_place(a)); i; i = x->pending.at[i - 1].next) {
        gn_work_done.scans++;
        if (same_access(&x->pending.at[i - 1].place, a)) return &x->pending.at[i - 1];
    }
    return NULL;
}

const gn_val *gn_v_load(gn_code_builder *x, gn_dtype t, uint16_t lanes, const gn_access *a)
{
    gn_val v = { .kind = GN_VAL_LOAD, .dtype = (uint8_t)t, .lanes = a->mode == GN_ACCESS_ONE ? 1 : lanes };
    v.u.load = *a;
    const gn_pending *p = find_pending(x, a);
    if (p) return gn_v_reg(x, p->now, 0);
    const gn_val *wider = wider_load(x, &v);
    return wider ? wider : gn_v_let(x, v);
}

static void set_memory(gn_code_builder *x, const gn_access *a, const gn_val *v)
{
    gn_code_node *n = gn_code_make(x->code, GN_CODE_STORE);
    n->access = *a;
    n->val = v;
    gn_v_node(x, n);
}

static const gn_place *new_pending(gn_code_builder *x, const gn_access *a, const gn_val *v)
{
    gn_code_node *n = gn_code_make(x->code, GN_CODE_DECLARE);
    void **last = gn_map_put(x->code->arena, &x->pending_at, hash_place(a));
    n->place = gn_code_place(x->code, (gn_place){ .name = x->fresh(x->user, a->place->name), .dtype = a->place->dtype,
                                                  .space = GN_SPACE_REG, .lanes = v->lanes });
    gn_v_node(x, n);
    gn_push(x->code->arena, &x->pending, (gn_pending){ *a, n->place, (uint32_t)(uintptr_t)*last });
    *last = (void *)(uintptr_t)x->pending.n;
    return n->place;
}

void gn_v_store(gn_code_builder *x, const gn_access *a, const gn_val *v)
{
    if (a->mode != GN_ACCESS_ONE) v = gn_v_splat(x, v, x->lanes);
    if (x->hold) {
        const gn_pending *p = find_pending(x, a);
        gn_v_set_reg(x, p ? p->now : new_pending(x, a, v), 0, v);
        return;
    }
    set_memory(x, a, v);
    gn_known_written(x, a, v->lanes);
    if (a->mask || a->when.n || a->mode > GN_ACCESS_ROW || v->id == 0) return;
    gn_val load = { .kind = GN_VAL_LOAD, .dtype = v->dtype, .lanes = v->lanes }; /* what was stored is what a load finds */
    load.u.load = *a;
    const uint64_t h = gn_v_hash(&load);
    gn_val *known = gn_arena_copy(x->code->arena, v, sizeof *v);
    *known = load;
    known->id = v->id;
    gn_known_add(x, known, h);
}

void gn_v_flush(gn_code_builder *x)
{
    x->hold = false;
    for (size_t i = 0; i < x->pending.n; i++) gn_v_store(x, &x->pending.at[i].place, gn_v_reg(x, x->pending.at[i].now, 0));
    x->pending.n = 0;
    x->pending_at = (gn_map){ 0 };
}

void gn_v_forget_held(gn_code_builder *x)
{
    x->epoch++;
}

static void hold(gn_code_builder *x, const gn_place *o, uint32_t number, const gn_val *v)
{
    void **at = gn_map_put(x->code->arena, &x->held, register_key(o, number));
    if (!*at) *at = GN_NEW_OBJECT(x->code->arena, gn_held);
    *(gn_held *)*at = (gn_held){ gn_val_constant(v) ? v : NULL, x->epoch };
}

void gn_v_set_reg(gn_code_builder *x, const gn_place *o, uint32_t number, const gn_val *v)
{
    v = gn_v_splat(x, v, (uint16_t)o->lanes);
    hold(x, o, number, v);
    gn_code_node *n = gn_code_make(x->code, GN_CODE_SET);
    n->place = o;
    n->number = number;
    n->val = v;
    gn_v_node(x, n);
    gn_known_set(x, o, number);
}
