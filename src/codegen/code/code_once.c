/* The pass `once`: what is computed again while what it read is unchanged is computed once; a load of what was just
 * stored is what was stored; a register that was set to a constant is the constant. A value is known to the end of the
 * region in which it was made. */
#include "code_fold.h"
#include "code_passes.h"

typedef struct counter {
    gn_code *code;
    gn_known_lets known;
    gn_map same;              /* by id: the operand that stands for it */
    gn_map held;              /* by register: its constant */
    GN_VEC(uint64_t) holding; /* registers that have one since the regions that are open began */
} counter;

static const gn_val *now(void *user, const gn_val *v)
{
    const counter *const c = user;
    if (v->id) {
        const gn_val *const other = gn_map_get(&c->same, v->id);
        return other ? other : v;
    }
    if (v->kind != GN_VAL_REG || v->u.reg.at) return v;
    const gn_val *const held = gn_map_get(&c->held, gn_register_key(v->u.reg.place, v->u.reg.number));
    return held ? held : v;
}

/* ---- what is written ---- */

static void set_register(counter *c, const gn_place *p, uint32_t number, const gn_val *v)
{
    const uint64_t key = gn_register_key(p, number);
    const gn_val *const held = v && gn_val_constant(v) ? v : NULL;
    if (held || gn_map_get(&c->held, key)) *gn_map_put(c->code->arena, &c->held, key) = (void *)held;
    if (held) gn_push(c->code->arena, &c->holding, key);
    gn_known_set(&c->known, p, number);
}

static void set(counter *c, const gn_code_node *n, const gn_val *v)
{
    if (!n->at) set_register(c, n->place, n->number, v);
    for (uint32_t i = 0; n->at && i < n->place->n; i++) set_register(c, n->place, i, NULL);
}

/* What is stored is what a load finds. */
static void store(counter *c, const gn_code_node *n)
{
    const gn_access *const a = &n->access;
    const bool write_only = a->place->space == GN_SPACE_BUFFER && !(a->place->access & GN_KBUF_READ);
    gn_known_stored(&c->known, a, n->val->lanes);
    if (write_only || a->mask || a->when.n || a->mode > GN_ACCESS_ROW || n->val->id == 0) return;
    gn_val load = { .kind = GN_VAL_LOAD, .dtype = n->val->dtype, .lanes = n->val->lanes };
    load.u.load = *a;
    gn_known_add(&c->known, gn_code_operand(c->code, load), n->val, gn_val_hash(&load));
}

/* Other threads may have written it, or copies that were under way. */
static void pass_barrier(counter *c)
{
    for (size_t i = 0; i < c->code->places.n; i++) {
        const gn_place *const p = c->code->places.at[i];
        const bool constant = p->space == GN_SPACE_BUFFER && !(p->access & GN_KBUF_WRITE);
        if (!constant && p->space != GN_SPACE_REG && p->space != GN_SPACE_STACK) gn_known_forget(&c->known, p);
    }
}

/* Nothing is known of what is written. */
static void forget_written(void *user, const gn_code_node *n)
{
    counter *const c = user;
    if (n->kind == GN_CODE_SET) set(c, n, NULL);
    if (n->kind == GN_CODE_STORE) gn_known_forget(&c->known, n->access.place);
    if (n->kind == GN_CODE_ASYNC) gn_known_forget(&c->known, n->access.place);
    if (n->kind == GN_CODE_BARRIER || n->kind == GN_CODE_AWAIT) pass_barrier(c);
    if (n->kind == GN_CODE_DECLARE && n->place->space == GN_SPACE_REG)
        for (uint32_t i = 0; i < n->place->n; i++) set_register(c, n->place, i, NULL);
    if (n->kind == GN_CODE_DECLARE && n->place->space != GN_SPACE_REG) gn_known_forget(&c->known, n->place);
    if (n->kind != GN_CODE_TILE) return;
    for (uint32_t i = 0; i < gn_tile_sets(n->tile); i++) set_register(c, n->tile->acc, n->tile->c[i], NULL);
    for (int i = 0; i < n->tile->nmemory; i++)
        if (n->tile->memory[i].written) gn_known_forget(&c->known, n->tile->memory[i].place);
}

/* ---- a region ---- */

static bool replace(counter *c, gn_val *let, const gn_val *other)
{
    const gn_val *const source = other ? gn_val_source(other) : NULL;
    if (!source) return false;
    if (source->id || source->kind != GN_VAL_REG) {
        *gn_map_put(c->code->arena, &c->same, let->id) = (void *)other;
        return true;
    }
    const uint32_t id = let->id;
    *let = gn_val_copy_of(other), let->id = id; /* the register changes, the let does not */
    return false;
}

/* Whether the let is not needed. */
static bool is_known(counter *c, gn_val *v)
{
    if (v->kind == GN_VAL_COPY) return replace(c, v, gn_val_constant(v->a[0]) ? v->a[0] : NULL);
    const uint64_t h = gn_val_hash(v);
    const gn_val *const known = gn_known_find(&c->known, v, h);
    if (replace(c, v, known ? known : gn_val_fold(c->code, &c->known, v))) return true;
    if (v->kind != GN_VAL_COPY) gn_known_add(&c->known, v, v, h);
    return false;
}

static void once_in(counter *c, gn_code_body *b)
{
    const size_t mark = gn_known_mark(&c->known), holding = c->holding.n;
    size_t kept = 0;
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *const n = b->kids.at[i];
        gn_code_rename(c->code, n, now, c);
        if (n->kind == GN_CODE_LET && is_known(c, (gn_val *)n->val)) continue; /* of a code that may be changed */
        b->kids.at[kept++] = n;
        if (n->kind == GN_CODE_FOR) gn_code_walk(&n->body, forget_written, c); /* by turns before this one */
        if (n->body.kids.n) once_in(c, &n->body);
        if (n->kind == GN_CODE_SET)
            set(c, n, n->val);
        else if (n->kind == GN_CODE_STORE)
            store(c, n);
        else
            forget_written(c, n);
    }
    b->kids.n = kept;
    gn_known_release(&c->known, mark);
    while (c->holding.n > holding) *gn_map_put(c->code->arena, &c->held, gn_pop(&c->holding)) = NULL;
}

static counter new_counter(gn_code *code)
{
    return (counter){ .code = code, .known = { .arena = code->arena, .dims = code->dims} };
}

void gn_code_once(gn_code *code, gn_code_body *step)
{
    counter c = new_counter(code);
    once_in(&c, step);
}

const gn_val *gn_code_once_of(gn_code *code, gn_code_body *body, const gn_val *result)
{
    counter c = new_counter(code);
    once_in(&c, body);
    return now(&c, result);
}
