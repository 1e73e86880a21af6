/* The pass `pack`: functions of scalars as functions of vectors. A tile of rows holds one scalar for each row, and exp
 * of eight scalars costs eight times that of one vector of them. So calls of one function that do not depend on each
 * other are made together, where the first of them stands: what the others' operands are made of goes there, the
 * operands are packed, the function is computed once, and each call becomes a lane of it. A function has the same bits
 * for both. */
#include "code_passes.h"

enum { LEAST = 4, MOST = 16, MOST_TRIED = 48, MOST_MOVED = 256 };

enum { WAITS, STANDS, CALLED }; /* a node: not yet in `out`, there, one of the calls that are made together */

typedef struct packer {
    gn_code *code;
    gn_arena *arena;
    const gn_code_body *in;
    gn_code_body out;
    gn_map at;      /* by id: node of the region, + 1 */
    uint8_t *state; /* by node */
    bool *moves;    /* by node: with the calls at hand */
    uint32_t nlets;
} packer;

typedef struct calls { /* of one function, by node; what moves with them */
    size_t n, at[MOST];
    GN_VEC(size_t) moved;
} calls;

static bool is_call(const packer *p, const gn_code_node *n)
{
    const gn_val *const v = n->val;
    if (n->kind != GN_CODE_LET || v->kind != GN_VAL_OP || v->lanes > 1 || v->n == 0 || v->n > 2) return false;
    if (!gn_is_float((gn_dtype)v->dtype) || v->a[0]->dtype != v->dtype) return false;
    bool constant = true;
    for (uint16_t k = 0; k < v->n; k++) constant &= v->a[k]->kind == GN_VAL_CONST;
    return !constant && !p->code->target->spell(v->u.op, (gn_dtype)v->dtype, false);
}

static bool is_like(const gn_code_node *n, const gn_val *call)
{
    const gn_val *const v = n->val;
    return n->kind == GN_CODE_LET && v->kind == GN_VAL_OP && v->u.op == call->u.op && v->dtype == call->dtype &&
           v->lanes == 1;
}

/* ---- what a call needs must be able to go where the first call stands ---- */

typedef struct slice {
    packer *p;
    size_t first;
    bool fits;
    GN_VEC(size_t) moved;
} slice;

static bool may_move(const slice *s, size_t at)
{
    const gn_val *const v = s->p->in->kids.at[at]->val;
    if (v->kind == GN_VAL_THREADS || s->moved.n == MOST_MOVED) return false;
    if (v->kind != GN_VAL_LOAD && !gn_val_reads_registers(v) && !gn_val_reads_indices(v)) return true;
    for (size_t i = s->first; i < at; i++)
        if (gn_code_writes_what(s->p->in->kids.at[i], v)) return false;
    return true;
}

static void need(void *user, const gn_val **operand)
{
    slice *const s = user;
    const gn_val *const v = gn_val_source(*operand);
    const size_t at = v->id ? (uintptr_t)gn_map_get(&s->p->at, v->id) : 0;
    if (!s->fits || !at || s->p->state[at - 1] == STANDS || s->p->moves[at - 1]) return;
    s->fits = s->p->state[at - 1] == WAITS && may_move(s, at - 1);
    s->p->moves[at - 1] = true;
    gn_push(s->p->arena, &s->moved, at - 1);
}

static bool add_call(packer *p, calls *c, size_t at)
{
    slice s = { .p = p, .first = c->at[0] };
    s.fits = may_move(&s, at);
    gn_code_operands(p->in->kids.at[at], need, &s);
    for (size_t i = 0; s.fits && i < s.moved.n; i++) gn_code_operands(p->in->kids.at[s.moved.at[i]], need, &s);
    for (size_t i = 0; i < s.moved.n; i++) {
        if (s.fits)
            gn_push(p->arena, &c->moved, s.moved.at[i]);
        else
            p->moves[s.moved.at[i]] = false;
    }
    if (!s.fits) return false;
    p->state[at] = CALLED;
    c->at[c->n++] = at;
    return true;
}

static bool is_straight(const gn_code_node *n)
{
    return n->kind <= GN_CODE_DECLARE || n->kind == GN_CODE_IF;
}

static calls find_calls(packer *p, size_t first)
{
    calls c = { 1, { first }, { 0} };
    p->state[first] = CALLED;
    const gn_val *const call = p->in->kids.at[first]->val;
    for (size_t at = first + 1, tried = 0; at < p->in->kids.n && c.n < MOST && tried < MOST_TRIED; at++) {
        const gn_code_node *const n = p->in->kids.at[at];
        if (!is_straight(n)) break;
        if (p->state[at] != WAITS || p->moves[at] || !is_like(n, call)) continue;
        tried++;
        add_call(p, &c, at);
    }
    return c;
}

/* ---- together ---- */

static const gn_val *packed(packer *p, const calls *c, uint16_t operand, uint16_t lanes)
{
    gn_val v = { .kind = GN_VAL_PACK, .lanes = lanes, .n = lanes };
    for (uint16_t i = 0; i < lanes; i++) v.a[i] = p->in->kids.at[c->at[i < c->n ? i : 0]]->val->a[operand];
    v.dtype = v.a[0]->dtype;
    return gn_code_append_let(p->code, &p->out, &p->nlets, v);
}

static void call_together(packer *p, const calls *c)
{
    size_t last = c->at[0];
    for (size_t i = 0; i < c->moved.n; i++)
        if (c->moved.at[i] > last) last = c->moved.at[i];
    for (size_t i = c->at[0]; i <= last; i++)
        if (p->moves[i]) gn_push(p->code->arena, &p->out.kids, p->in->kids.at[i]), p->state[i] = STANDS;
    gn_val all = *p->in->kids.at[c->at[0]]->val;
    all.lanes = c->n <= 4 ? 4 : c->n <= 8 ? 8 : 16;
    for (uint16_t k = 0; k < all.n; k++) all.a[k] = packed(p, c, k, all.lanes);
    const gn_val *const results = gn_code_append_let(p->code, &p->out, &p->nlets, all);
    for (size_t i = 0; i < c->n; i++) {
        gn_code_node *const n = p->in->kids.at[c->at[i]];
        *(gn_val *)n->val = (gn_val){ .kind = GN_VAL_LANE,
                                     .dtype = all.dtype,
                                     .lanes = 1,
                                     .n = 1,
                                     .id = n->val->id,
                                     .a = { results },
                                     .u.lane = { (int64_t)i, NULL} };
        gn_push(p->code->arena, &p->out.kids, n);
        p->state[c->at[i]] = STANDS;
    }
}

static bool pack(packer *p, size_t first)
{
    const calls c = find_calls(p, first);
    if (c.n >= LEAST) call_together(p, &c);
    for (size_t i = 0; i < c.moved.n; i++) p->moves[c.moved.at[i]] = false;
    for (size_t i = 0; i < c.n && c.n < LEAST; i++) p->state[c.at[i]] = WAITS;
    return c.n >= LEAST;
}

static void pack_in(packer *p, gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) pack_in(p, &b->kids.at[i]->body);
    p->in = b, p->out = (gn_code_body){ 0 };
    p->state = GN_NEW_ARRAY(p->arena, uint8_t, b->kids.n + 1), p->moves = GN_NEW_ARRAY(p->arena, bool, b->kids.n + 1);
    for (size_t i = 0; i < b->kids.n; i++)
        if (b->kids.at[i]->kind == GN_CODE_LET) *gn_map_put(p->arena, &p->at, b->kids.at[i]->val->id) = (void *)(i + 1);
    for (size_t i = 0; i < b->kids.n; i++) {
        if (p->state[i] == STANDS || (is_call(p, b->kids.at[i]) && pack(p, i))) continue;
        gn_push(p->code->arena, &p->out.kids, b->kids.at[i]);
        p->state[i] = STANDS;
    }
    for (size_t i = 0; i < b->kids.n; i++)
        if (b->kids.at[i]->kind == GN_CODE_LET) *gn_map_put(p->arena, &p->at, b->kids.at[i]->val->id) = NULL;
    *b = p->out;
}

void gn_code_pack(gn_code *c, gn_code_body *step)
{
    packer p = { .code = c, .arena = c->arena, .nlets = gn_code_largest_id(step) };
    if (c->target->lang == GN_LANG_CUDA || c->target->vector_bytes <= 4) return; /* threads and scalars */
    pack_in(&p, step);
}
