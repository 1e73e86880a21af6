/* Whether accesses stay inside their places: each element that lanes which take part touch, and each load of an index,
 * under what holds there.
 *
 * What holds is kept as index expressions that are not negative (dim_prove.h): of loops and parts their counts, of
 * threads theirs, of conditions their sides' difference, of a mask what its lanes fulfil. A lane has the name "@lane".
 * */
#include <inttypes.h>
#include "code_known.h"
#include "code_verifier.h"
#include "dim_parts.h"
#include "dim_prove.h"

typedef struct ranges {
    const gn_code *code;
    gn_arena *arena, *scratch;
    gn_prover prover;
    gn_verifier where; /* for sentences */
    const gn_dim *lane;
    gn_visit loads; /* of the index that is looked at */
    gn_map names;   /* what named indices are */
    bool vague;     /* not all that holds here was told */
    gn_map loops;   /* by register place: the unrolled loop that sets all of it, once */
    gn_map kept;    /* by register place: the value of each register, if they are set once, beside their declaration */
    gn_code_ranges out;
} ranges;

typedef struct scope {
    gn_prover_mark mark;
    bool vague;
} scope;

static scope enter(const ranges *r)
{
    return (scope){ gn_prover_remember(&r->prover), r->vague };
}

static void leave(ranges *r, scope before)
{
    gn_prover_forget(&r->prover, before.mark);
    r->vague = before.vague;
}

static const gn_dim *constant(const ranges *r, int64_t c)
{
    return gn_dim_const(r->code->dims, c);
}

static const gn_dim *sub(const ranges *r, const gn_dim *a, const gn_dim *b)
{
    return gn_dim_sub(r->code->dims, a, b);
}

/* ---- questions ---- */

static gn_text begin_sentence(const ranges *r, const gn_place *p, const gn_dim *element)
{
    gn_text t = { .arena = r->arena };
    gn_textf(&t, "code %s: step %zu: ", r->code->name, r->where.step);
    if (r->where.node) gn_code_tell_node(&t, r->where.node), gn_text_add(&t, ": ");
    gn_textf(&t, "element ");
    if (element) gn_dim_show(&t, element);
    else gn_text_add(&t, "that data decide");
    gn_textf(&t, " of %s, which has ", p->name);
    gn_dim_show(&t, p->size);
    return t;
}

static void tell(ranges *r, const gn_place *p, const gn_dim *element, const char *how)
{
    gn_text t = begin_sentence(r, p, element);
    gn_textf(&t, ": %s", how);
    r->out.first = gn_text_done(&t);
}

/* `goal` is negative at these values of symbols and variables. */
static void tell_outside(ranges *r, const gn_place *p, const gn_dim *element, const gn_dim *goal, const int64_t *at)
{
    gn_text t = begin_sentence(r, p, element);
    const char *comma = ": it is outside for ";
    for (size_t i = 0; i < r->prover.facts.n; i++) {
        const char *const name = r->prover.facts.at[i].name;
        if (i >= r->code->syms.n && !gn_dim_mentions(element, name) && !gn_dim_mentions(goal, name)) continue;
        gn_textf(&t, "%s%s = %" PRId64, comma, name, at[i]);
        comma = ", ";
    }
    r->out.outside = gn_text_done(&t);
}

static void refute(ranges *r, const gn_place *p, const gn_dim *element, const gn_dim *goal)
{
    int64_t *const at = GN_NEW_ARRAY(r->scratch, int64_t, r->prover.facts.n + 1);
    if (r->vague || r->out.outside || !gn_prover_refutes(&r->prover, goal, at)) return;
    tell_outside(r, p, element, goal, at);
}

/* A question and all that is known where it is asked. Most accesses are as they were before a pass. */
static uint64_t question(const ranges *r, const gn_place *p, const gn_dim *element)
{
    uint64_t h = gn_hash_mix(gn_hash_mix(r->vague, GN_KEY(p->size)), GN_KEY(element));
    for (size_t i = 0; i < r->prover.known.n; i++) h = gn_hash_mix(h, GN_KEY(r->prover.known.at[i]));
    for (size_t i = 0; i < r->prover.facts.n; i++) {
        const gn_dim_fact *const f = &r->prover.facts.at[i];
        h = gn_hash_mix(gn_hash_mix(h, GN_KEY(f->name)), GN_KEY(f->limit));
        h = gn_hash_mix(gn_hash_mix(gn_hash_mix(h, (uint64_t)f->min), (uint64_t)f->max), (uint64_t)f->mul);
    }
    return h;
}

static const char *answer(ranges *r, const gn_place *p, const gn_dim *element)
{
    const gn_dim *const left = sub(r, sub(r, p->size, element), constant(r, 1));
    const bool negative = !gn_prover_proves(&r->prover, element);
    if (!negative && gn_prover_proves(&r->prover, left)) return NULL;
    refute(r, p, element, negative ? element : left);
    return negative ? "not known to be 0 or more" : "not known to be less";
}

/* NULL: it is inside. */
static const char *doubt(ranges *r, const gn_place *p, const gn_dim *element)
{
    static const char inside[] = "inside";
    if (!r->code->answers || r->out.outside) return answer(r, p, element);
    const uint64_t key = question(r, p, element);
    const char *how = gn_map_get(r->code->answers, key);
    if (how) return how == inside ? NULL : how;
    how = answer(r, p, element);
    if (!r->out.outside) *gn_map_put(r->code->arena, r->code->answers, key) = (void *)(uintptr_t)(how ? how : inside);
    return how;
}

static void count(ranges *r, const gn_place *p, const gn_dim *element, const char *how)
{
    r->out.asked++;
    r->out.proved += !how;
    if (how && !r->out.first) tell(r, p, element, how);
}

/* element NULL: nothing is known of it. */
static void ask(ranges *r, const gn_place *p, const gn_dim *element)
{
    element = gn_code_without_names(r->code, &r->names, element);
    count(r, p, element, element ? doubt(r, p, element) : "not known to be inside");
}

static void ask_load(void *user, const gn_atom *x)
{
    ranges *const r = user;
    if (x->kind == GN_DIM_LOAD) ask(r, gn_code_find_place(r->code, x->name), x->a);
}

/* What an index loads. */
static void ask_index(ranges *r, const gn_dim *d)
{
    if (!d || !gn_dim_has_load(d)) return;
    r->loads = (gn_visit){ .arena = r->scratch, .operand = gn_atom_operand };
    gn_dim_meet(&r->loads, d, ask_load, r);
}

/* ---- what is known ---- */

static void know_test(ranges *r, const gn_kcond *c, bool negate)
{
    const gn_dim *const a = gn_code_without_names(r->code, &r->names, c->a),
                 *const b = gn_code_without_names(r->code, &r->names, c->b);
    if (c->kind == GN_K_LT && !negate) gn_prover_know_less(&r->prover, a, b);
    if (c->kind == GN_K_LT && negate) gn_prover_know(&r->prover, sub(r, a, b));
    r->vague |= c->kind == GN_K_EQ && negate;
    if (c->kind != GN_K_EQ || negate) return;
    gn_prover_know(&r->prover, sub(r, a, b));
    gn_prover_know(&r->prover, sub(r, b, a));
}

/* Each test is computed where those before it hold. */
static void know_pred(ranges *r, const gn_pred *p, bool asks)
{
    const scope before = enter(r);
    for (uint16_t i = 0; i < p->n; i++) {
        if (asks) ask_index(r, p->cond[i].a), ask_index(r, p->cond[i].b);
        know_test(r, &p->cond[i], false);
    }
    if (!p->negate) return;
    leave(r, before);
    if (p->n == 1) know_test(r, p->cond, true);
    else r->vague = true;
}

static void know_preds(ranges *r, gn_preds w, bool asks)
{
    for (uint32_t i = 0; i < w.n; i++) know_pred(r, &w.at[i], asks);
}

/* ---- lanes ---- */

typedef struct renaming {
    const char *from;
    const gn_dim *to;
} renaming;

static const gn_dim *renamed(void *user, const char *symbol)
{
    const renaming *const n = user;
    return strcmp(symbol, n->from) == 0 ? n->to : NULL;
}

static const gn_dim *along_lane(const ranges *r, const gn_val *index, const gn_dim *d)
{
    renaming n = { index->u.index.lane, r->lane };
    return index->lanes > 1 ? gn_dim_subst(r->code->dims, d, renamed, &n) : d;
}

/* The whole number that v is in the lane; NULL: not known. */
static const gn_dim *number_in_lane(const ranges *r, const gn_val *v)
{
    if (v->kind == GN_VAL_SPLAT) v = v->a[0];
    if (v->kind == GN_VAL_CONST && !gn_is_float((gn_dtype)v->dtype)) return constant(r, v->u.i);
    if (v->kind == GN_VAL_IOTA && v->dtype == GN_I64)
        return gn_dim_add(r->code->dims, v->u.iota.base, gn_dim_mul(r->code->dims, v->u.iota.step, r->lane));
    return v->kind == GN_VAL_INDEX && v->dtype == GN_I64 ? along_lane(r, v, v->u.index.at) : NULL;
}

static void know_compared(ranges *r, const gn_val *m, bool negate)
{
    const gn_dim *const a = number_in_lane(r, m->a[0]), *const b = number_in_lane(r, m->a[1]);
    const gn_op_info *const op = m->u.op;
    const bool guarded = m->a[0]->when.n || m->a[1]->when.n, /* 0 where they do not hold */
        more = op == &gn_op_gt || op == &gn_op_le, equal = op == &gn_op_eq;
    if (!a || !b || guarded || (!more && !equal && op != &gn_op_lt && op != &gn_op_ge)) {
        r->vague = true;
        return;
    }
    const gn_kcond c = { equal ? GN_K_EQ : GN_K_LT, more ? b : a, more ? a : b };
    know_test(r, &c, negate != (op == &gn_op_le || op == &gn_op_ge));
}

static const gn_val *not_of(const gn_val *m)
{
    return m->kind == GN_VAL_OP && m->u.op == &gn_op_not ? m->a[0] : NULL;
}

/* What holds in the lanes of the mask, or in the others. */
static void know_part(ranges *r, const gn_val *m, bool negate)
{
    const gn_val *const test = m->kind == GN_VAL_SPLAT ? m->a[0] : m;
    const gn_kcond first = { GN_K_LT, r->lane, m->u.index.at }, bit = { GN_K_EQ, r->lane, m->u.index.at };
    if (m->kind == GN_VAL_FIRST) know_test(r, &first, negate);
    else if (m->kind == GN_VAL_BIT) know_test(r, &bit, negate);
    else if (test->kind == GN_VAL_COND && (!negate || test->when.n == 1)) {
        for (uint32_t i = 0; i < test->when.n; i++) {
            const gn_pred p = { test->when.at[i].negate != negate, test->when.at[i].n, test->when.at[i].cond };
            know_pred(r, &p, false);
        }
    } else if (m->kind == GN_VAL_OP && m->n == 2 && m->u.op != &gn_op_and) know_compared(r, m, negate);
    else r->vague |= m->kind != GN_VAL_OP || m->u.op != &gn_op_and || negate;
}

/* What a register holds; NULL: not known. */
static const gn_val *kept_in(const ranges *r, const gn_val *reg, uint32_t number)
{
    const gn_val *const *const all = gn_map_get(&r->kept, GN_KEY(reg->u.reg.place));
    return all ? all[number] : NULL;
}

/* The value that an unrolled loop gave the register of each turn's number. */
static const gn_val *value_of_turn(const gn_code_node *loop, const gn_place *p)
{
    for (size_t i = 0; i < loop->body.kids.n; i++) {
        const gn_code_node *const n = loop->body.kids.at[i];
        if (n->kind == GN_CODE_SET && n->place == p) return n->val;
    }
    return NULL;
}

/* A register of an array, by its number. */
typedef struct numbered {
    const gn_place *place;
    const gn_dim *number;
} numbered;
typedef GN_VEC(numbered) numbered_list;

static bool is_numbered(const gn_val *v)
{
    return v->kind == GN_VAL_REG && !v->id;
}

static numbered as_numbered(const ranges *r, const gn_val *reg)
{
    return (numbered){ reg->u.reg.place, reg->u.reg.at ? reg->u.reg.at : constant(r, reg->u.reg.number) };
}

static void add_numbered(const ranges *r, numbered_list *todo, numbered x)
{
    for (size_t i = 0; i < todo->n; i++)
        if (todo->at[i].place == x.place && todo->at[i].number == x.number) return;
    gn_push(r->scratch, todo, x);
}

/* One register: what its loop says, and others that it was made of. */
static void know_numbered(ranges *r, numbered of, numbered_list *todo)
{
    const gn_code_node *const loop = gn_map_get(&r->loops, GN_KEY(of.place));
    renaming number = { loop ? loop->var : NULL, of.number };
    gn_visit v = { .arena = r->scratch, .operand = gn_mask_part };
    if (loop) gn_visit_add(&v, value_of_turn(loop, of.place));
    else r->vague = true;
    for (const gn_val *m; (m = gn_visit_next(&v));) {
        const gn_val *const test = not_of(m) ? not_of(m) : m;
        numbered next = is_numbered(m) ? as_numbered(r, m) : of;
        next.number = gn_dim_subst(r->code->dims, next.number, renamed, &number);
        if (is_numbered(m)) add_numbered(r, todo, next);
        if (test->kind == GN_VAL_FIRST) {
            const gn_kcond below = { GN_K_LT, r->lane, gn_dim_subst(r->code->dims, test->u.index.at, renamed, &number) };
            know_test(r, &below, test != m);
        } else r->vague |= !gn_mask_part(m, 0) && !is_numbered(m);
    }
}

/* A register that an unrolled loop set in the turn of its number: what is known of the mask there. */
static bool know_turn(ranges *r, const gn_val *reg)
{
    numbered_list todo = { 0 };
    if (!is_numbered(reg) || !gn_map_get(&r->loops, GN_KEY(reg->u.reg.place))) return false;
    add_numbered(r, &todo, as_numbered(r, reg));
    for (size_t i = 0; i < todo.n; i++) know_numbered(r, todo.at[i], &todo);
    return true;
}

/* A register of the mask that an index chooses, of those that are kept; NULL: none. */
static const gn_val *chosen_in(const ranges *r, const gn_val *mask)
{
    gn_visit v = { .arena = r->scratch, .operand = gn_mask_part };
    if (mask) gn_visit_add(&v, mask);
    for (const gn_val *m; (m = gn_visit_next(&v));)
        if (m->kind == GN_VAL_REG && !m->id && m->u.reg.at && kept_in(r, m, 0)) return m;
    return NULL;
}

typedef struct turn { /* where an index that chooses registers is `number` */
    const gn_dim *at; /* NULL: none */
    uint32_t number;
} turn;

/* What the register of a mask holds; NULL: not known. */
static const gn_val *kept_at(const ranges *r, const gn_val *m, turn t)
{
    if (m->kind != GN_VAL_REG || m->id || (m->u.reg.at && m->u.reg.at != t.at)) return NULL;
    const uint32_t number = m->u.reg.at ? t.number : m->u.reg.number;
    return number < m->u.reg.place->n ? kept_in(r, m, number) : NULL;
}

static void know_mask(ranges *r, const gn_val *mask, turn t)
{
    gn_visit v = { .arena = r->scratch, .operand = gn_mask_part };
    if (mask) gn_visit_add(&v, mask);
    for (const gn_val *m; (m = gn_visit_next(&v));) {
        const gn_val *const kept = kept_at(r, m, t);
        if (kept) gn_visit_add(&v, kept);
        else if (!know_turn(r, m)) know_part(r, not_of(m) ? not_of(m) : m, not_of(m));
    }
}

static void know_lane(ranges *r, uint16_t lanes)
{
    const gn_dim_fact f = { .name = r->lane->term[0].atom[0]->name, .mul = 1, .max = lanes - 1 };
    gn_push(r->scratch, &r->prover.facts, f);
}

/* ---- accesses ---- */

static bool holds(ranges *r, const gn_kcond *c)
{
    if (c->kind == GN_K_EQ)
        return gn_prover_proves(&r->prover, sub(r, c->a, c->b)) && gn_prover_proves(&r->prover, sub(r, c->b, c->a));
    return gn_prover_proves(&r->prover, sub(r, sub(r, c->b, c->a), constant(r, 1)));
}

/* An index that is 0 where its conditions do not hold: those lanes take no part, or 0 is inside. */
static void ask_guarded(ranges *r, const gn_access *a, const gn_val *index)
{
    bool all = true;
    for (uint32_t i = 0; i < index->when.n; i++)
        for (uint16_t k = 0; k < index->when.at[i].n && all; k++) {
            const gn_kcond *const c = &index->when.at[i].cond[k];
            const gn_kcond own = { c->kind, along_lane(r, index, c->a), along_lane(r, index, c->b) };
            all = !index->when.at[i].negate && holds(r, &own);
            know_test(r, &own, index->when.at[i].negate);
        }
    if (!all) ask(r, a->place, constant(r, 0));
}

static void ask_each(ranges *r, const gn_access *a)
{
    const gn_dim *const at = number_in_lane(r, a->each);
    if (at && a->each->when.n) ask_guarded(r, a, a->each);
    ask(r, a->place, at);
}

/* In an unrolled loop, where each turn has another mask. */
static void ask_turns(ranges *r, const gn_access *a, const gn_val *masks, const gn_dim *element)
{
    const char *how = NULL;
    for (uint32_t k = 0; k < masks->u.reg.place->n && !how; k++) {
        const scope before = enter(r);
        const gn_kcond here = { GN_K_EQ, masks->u.reg.at, constant(r, k) };
        know_test(r, &here, false);
        know_mask(r, a->mask, (turn){ masks->u.reg.at, k });
        how = doubt(r, a->place, element);
        leave(r, before);
    }
    count(r, a->place, element, how);
}

static const gn_dim *element_in_lane(const ranges *r, const gn_access *a)
{
    const gn_dim *const step = a->mode == GN_ACCESS_STEP ? a->step : constant(r, a->mode == GN_ACCESS_ROW),
                 *const element = gn_dim_add(r->code->dims, a->base, gn_dim_mul(r->code->dims, step, r->lane));
    return gn_code_without_names(r->code, &r->names, element);
}

static void ask_access(ranges *r, const gn_access *a, uint16_t lanes)
{
    const scope before = enter(r);
    const gn_val *const masks = a->mode == GN_ACCESS_EACH ? NULL : chosen_in(r, a->mask);
    know_preds(r, a->when, true);
    ask_index(r, a->base);
    ask_index(r, a->mode == GN_ACCESS_STEP ? a->step : NULL);
    know_lane(r, lanes);
    if (!masks) know_mask(r, a->mask, (turn){ 0 });
    if (masks) ask_turns(r, a, masks, element_in_lane(r, a));
    else if (a->mode == GN_ACCESS_EACH) ask_each(r, a);
    else ask(r, a->place, element_in_lane(r, a));
    leave(r, before);
}

/* ---- values and nodes ---- */

static void ask_index_value(ranges *r, const gn_val *v)
{
    const scope before = enter(r);
    if (v->lanes > 1) gn_prover_know_range(&r->prover, v->u.index.lane, NULL, constant(r, v->lanes));
    know_preds(r, v->when, true);
    ask_index(r, v->u.index.at);
    leave(r, before);
}

static void ask_value(ranges *r, const gn_val *v)
{
    const scope before = enter(r);
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_INDEX: ask_index_value(r, v); break;
    case GN_VAL_COND: know_preds(r, v->when, true); break;
    case GN_VAL_FIRST:
    case GN_VAL_BIT: ask_index(r, v->u.index.at); break;
    case GN_VAL_IOTA:
        ask_index(r, v->u.iota.base);
        ask_index(r, v->u.iota.step);
        break;
    case GN_VAL_LOAD: ask_access(r, &v->u.load, v->lanes); break;
    default: break;
    }
    leave(r, before);
}

static const gn_dim *leaf_of(const ranges *r, const gn_tile_leaf *l)
{
    return gn_dim_sym(r->code->dims, gn_arena_printf(r->scratch, "@%s", l->name));
}

/* What is there of a dim: its leaves, times their strides, are less. */
static void know_count(ranges *r, const gn_tile_op *row, char dim, const gn_dim *count)
{
    gn_dim_pool *const q = r->code->dims;
    const gn_dim *at = constant(r, 0);
    for (int i = 0; i < row->nleaf; i++)
        if (row->leaf[i].dim == dim)
            at = gn_dim_add(q, at, gn_dim_scale(q, leaf_of(r, &row->leaf[i]), row->leaf[i].stride));
    gn_prover_know_less(&r->prover, at, count);
}

static void ask_operand(ranges *r, const gn_tile_args *a, const gn_tile_memory *m)
{
    const scope before = enter(r);
    gn_dim_pool *const q = r->code->dims;
    const gn_dim *at = m->base, *step = constant(r, 1);
    for (int i = m->layout->nleaf; i-- > 0;) {
        const gn_tile_leaf *const l = &a->row->leaf[m->layout->leaf[i]];
        const gn_dim *const n = constant(r, l->extent), *const v = leaf_of(r, l);
        gn_prover_know_range(&r->prover, v->term[0].atom[0]->name, NULL, n);
        at = gn_dim_add(q, at, gn_dim_mul(q, v, i ? step : m->stride));
        step = gn_dim_mul(q, step, n);
    }
    for (int i = 0; i < a->ncount && !m->whole; i++) know_count(r, a->row, "mnk"[i], a->count[i]);
    ask(r, m->place, at);
    leave(r, before);
}

static void ask_tile(ranges *r, const gn_tile_args *a)
{
    for (int i = 0; i < a->ncount; i++) ask_index(r, a->count[i]);
    for (int i = 0; i < a->nmemory; i++) {
        ask_index(r, a->memory[i].base);
        ask_index(r, a->memory[i].stride);
        ask_operand(r, a, &a->memory[i]);
    }
}

/* What is not there is filled with 0. */
static void ask_async(ranges *r, const gn_code_node *n)
{
    const scope before = enter(r);
    gn_dim_pool *const q = r->code->dims;
    know_lane(r, (uint16_t)n->number);
    const gn_dim *const element = n->number > 1 ? r->lane : constant(r, 0);
    ask_index(r, n->access.base);
    ask(r, n->access.place, gn_dim_add(q, n->access.base, element));
    know_preds(r, n->access.when, true);
    ask_index(r, n->source.base);
    ask(r, n->source.place, gn_dim_add(q, n->source.base, element));
    leave(r, before);
}

static void ask_body(ranges *r, const gn_code_body *b);

static void ask_region(ranges *r, const gn_code_node *n)
{
    const scope before = enter(r);
    if (n->kind == GN_CODE_FOR) {
        ask_index(r, n->from);
        ask_index(r, n->to);
        gn_prover_know_range(&r->prover, n->var, gn_code_without_names(r->code, &r->names, n->from),
                             gn_code_without_names(r->code, &r->names, n->to));
        r->vague |= n->dealt; /* which turns a thread has */
    } else know_preds(r, n->when, true);
    ask_body(r, &n->body);
    leave(r, before);
}

typedef struct setting {
    const gn_place *place;
    size_t n; /* how often it is set */
} setting;

static void count_set(void *user, const gn_code_node *n)
{
    setting *const s = user;
    s->n += n->kind == GN_CODE_SET && n->place == s->place;
}

/* An unrolled loop that sets the register of each turn's number. */
static bool sets_in_turn(const ranges *r, const gn_code_node *loop, const gn_place *p)
{
    bool found = false;
    if (loop->kind != GN_CODE_FOR || !loop->unrolled || !gn_dim_is(loop->to, p->n)) return false;
    for (size_t i = 0; i < loop->body.kids.n; i++) {
        const gn_code_node *const n = loop->body.kids.at[i];
        found |= n->kind == GN_CODE_SET && n->place == p && n->at == gn_dim_sym(r->code->dims, loop->var);
    }
    return found;
}

/* Registers that are set once each, beside their declaration, are names for values. */
static void note_kept(ranges *r, const gn_code_body *b, size_t at)
{
    const gn_place *const p = b->kids.at[at]->place;
    const gn_val **const all = GN_NEW_ARRAY(r->scratch, const gn_val *, p->n);
    setting inside = { p, 0 };
    const gn_code_node *loop = NULL;
    uint32_t here = 0;
    *gn_map_put(r->scratch, &r->kept, GN_KEY(p)) = *gn_map_put(r->scratch, &r->loops, GN_KEY(p)) = NULL;
    if (p->dtype != GN_BOOL) return;
    for (size_t i = at + 1; i < b->kids.n; i++) {
        const gn_code_node *const n = b->kids.at[i];
        const size_t before = inside.n;
        gn_code_walk(&n->body, count_set, &inside);
        if (inside.n > before && sets_in_turn(r, n, p)) loop = n;
        if (n->kind != GN_CODE_SET || n->place != p) continue;
        if (n->at || all[n->number]) return;
        all[n->number] = n->val, here++;
    }
    if (here == p->n && !inside.n) *gn_map_put(r->scratch, &r->kept, GN_KEY(p)) = all;
    if (loop && here == 0 && inside.n == 1) *gn_map_put(r->scratch, &r->loops, GN_KEY(p)) = (void *)(uintptr_t)loop;
}

static void ask_body(ranges *r, const gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        const gn_code_node *const n = r->where.node = b->kids.at[i];
        gn_work_done.visits++;
        if (n->kind == GN_CODE_DECLARE && n->place->space == GN_SPACE_REG) note_kept(r, b, i);
        if (n->kind == GN_CODE_LET) ask_value(r, n->val);
        if (n->kind == GN_CODE_STORE) ask_access(r, &n->access, n->val->lanes);
        if (n->kind == GN_CODE_NAME) ask_index(r, n->to), gn_code_learn_name(r->code, &r->names, n);
        if (n->kind == GN_CODE_TILE) ask_tile(r, n->tile);
        if (n->kind == GN_CODE_ASYNC) ask_async(r, n);
        if (n->at && n->kind >= GN_CODE_ROLES) ask_index(r, n->at);
        if (n->body.kids.n) ask_region(r, n);
    }
}

/* ---- the code ---- */

static void know_elements(ranges *r, const gn_place *p)
{
    const gn_dim_facts facts = { r->prover.facts.n, r->prover.facts.at };
    int64_t least, most;
    if (!p->below) return;
    gn_dim_range(p->below, &facts, &least, &most);
    const gn_dim_fact f = {
        .name = p->name, .mul = 1, .max = most == INT64_MAX ? most : most > 0 ? most - 1 : 0, .limit = p->below
    };
    gn_push(r->scratch, &r->prover.facts, f);
}

static void know_symbols(ranges *r)
{
    for (size_t i = 0; i < r->code->syms.n; i++) {
        const gn_ksym *const s = &r->code->syms.at[i];
        const bool is = s->is >= 0;
        const gn_dim_fact f = {
            .name = s->name, .mul = s->mul, .min = is ? s->is : s->min, .max = is ? s->is : INT64_MAX
        };
        gn_push(r->scratch, &r->prover.facts, f);
    }
    for (size_t i = 0; i < r->code->nargs; i++) know_elements(r, r->code->places.at[i]);
    for (size_t i = 0; i < r->code->threads.n; i++)
        gn_prover_know_range(&r->prover, r->code->threads.at[i].name, NULL, r->code->threads.at[i].count);
}

static void ask_all(void *arg)
{
    ranges *const r = arg;
    know_symbols(r);
    const scope before = enter(r);
    for (r->where.step = 0; r->where.step < r->code->steps.n; r->where.step++) {
        const gn_code_step *const s = &r->code->steps.at[r->where.step];
        for (size_t i = 0; i < s->parts.n; i++) gn_prover_know_range(&r->prover, s->parts.at[i].name, NULL, s->parts.at[i].count);
        ask_body(r, &s->body);
        leave(r, before);
    }
}

gn_code_ranges gn_code_verify_ranges(const gn_code *c, gn_arena *arena)
{
    gn_arena scratch = { .allocator = c->arena->allocator };
    ranges r = { .code = c, .arena = arena, .scratch = &scratch, .lane = gn_dim_sym(c->dims, "@lane") };
    r.prover = (gn_prover){ .pool = c->dims, .arena = &scratch };
    gn_dim_with_scratch(&scratch, ask_all, &r);
    return r.out;
}
