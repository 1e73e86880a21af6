/* What expansion leaves to be put in order, point by point as it goes: branches with one condition become one (the
 * stores of a row's vectors stand under one `row < rows`), constants that a variable loses before it is read are not
 * put into it, lets without a reader go. */
#include "code_build.h"
#include "code_known.h"
#include "code_passes.h"
#include "visit.h"

/* ---- branches: what is computed between them moves before the first ---- */

static bool is_simple(const gn_code_node *branch)
{
    for (size_t i = 0; i < branch->body.kids.n; i++) {
        const gn_code_node *t = branch->body.kids.at[i];
        if (t->kind != GN_CODE_LET && t->kind != GN_CODE_STORE) return false;
    }
    return !gn_preds_read_memory(branch->when);
}

static void join_kids(gn_arena *arena, gn_code_body *parent)
{
    GN_VEC(gn_code_node *) out = { 0 };
    size_t open = 0; /* place of the branch that may grow, + 1 */
    for (size_t i = 0; i < parent->kids.n; i++) {
        gn_code_node *t = parent->kids.at[i];
        gn_code_node *branch = open ? out.at[open - 1] : NULL;
        if (branch && t->kind == GN_CODE_IF && is_simple(t) && gn_same_preds(branch->when, t->when)) {
            for (size_t k = 0; k < t->body.kids.n; k++) gn_push(arena, &branch->body.kids, t->body.kids.at[k]);
            for (size_t k = open; k < out.n; k++) out.at[k - 1] = out.at[k];
            out.at[out.n - 1] = branch;
            open = out.n;
            continue;
        }
        gn_push(arena, &out, t);
        if (t->kind == GN_CODE_IF && is_simple(t)) open = out.n;
        else if (!branch || t->kind != GN_CODE_LET || gn_code_writes_what(branch, t->val))
            open = 0;
    }
    parent->kids.n = 0;
    for (size_t i = 0; i < out.n; i++) gn_push(arena, &parent->kids, out.at[i]);
}

static void join_branches(gn_arena *arena, gn_code_body *t)
{
    for (size_t i = 0; i < t->kids.n; i++) join_branches(arena, &t->kids.at[i]->body);
    join_kids(arena, t);
}

/* ---- what nobody reads ---- */

typedef struct reads {
    gn_arena *arena;
    gn_code_uses of;
    uint32_t by; /* 1; to forget reads: -1 */
    gn_map declared;
} reads;

static void note_read(reads *r, const gn_place *p, uint32_t number)
{
    void **read = gn_map_put(r->arena, &r->of.place, p->id);
    if (!*read) *read = GN_NEW_ARRAY(r->arena, uint32_t, p->n + 1);
    ((uint32_t *)*read)[number] += r->by;
}

/* By a variable: any of them. */
static void note_any(reads *r, const gn_place *p)
{
    *gn_map_put(r->arena, &r->of.indexed, p->id) = r;
    for (uint32_t i = 0; i < p->n; i++) note_read(r, p, i);
}

static void note_operand(void *user, const gn_val **operand)
{
    reads *r = user;
    const gn_val *const v = gn_val_source(*operand);
    if (v->id) r->of.let[v->id] += r->by;
    else if (v->kind == GN_VAL_REG && v->u.reg.at) note_any(r, v->u.reg.place);
    else if (v->kind == GN_VAL_REG) note_read(r, v->u.reg.place, v->u.reg.number);
}

static void visit_node(void *user, const gn_code_node *t)
{
    reads *r = user;
    gn_code_operands(t, note_operand, r);
    if (t->kind == GN_CODE_LET && t->val->kind == GN_VAL_LOAD) note_read(r, t->val->u.load.place, 0);
    if (t->kind == GN_CODE_SET && t->at) *gn_map_put(r->arena, &r->of.indexed, t->place->id) = r;
    for (int i = 0; t->kind == GN_CODE_TILE && i < t->tile->nmemory; i++) note_read(r, t->tile->memory[i].place, 0);
    for (uint32_t i = 0; t->kind == GN_CODE_TILE && t->tile->acc && i < t->tile->acc->n; i++)
        note_read(r, t->tile->acc, i);
    if (t->kind == GN_CODE_ASYNC) note_read(r, t->source.place, 0), note_read(r, t->access.place, 0);
    if (t->kind == GN_CODE_AWAIT) note_read(r, t->place, t->number);
}

gn_code_uses gn_code_find_uses(gn_arena *arena, const gn_code_body *t)
{
    reads r = { .arena = arena, .of.let = GN_NEW_ARRAY(arena, uint32_t, gn_code_largest_id(t) + 1), .by = 1 };
    gn_code_walk(t, visit_node, &r);
    return r.of;
}

void gn_code_find_indexed(gn_arena *arena, const gn_code_body *t, gn_map *add)
{
    reads r = {
        .arena = arena, .of.let = GN_NEW_ARRAY(arena, uint32_t, gn_code_largest_id(t) + 1), .of.indexed = *add, .by = 1
    };
    gn_code_walk(t, visit_node, &r);
    *add = r.of.indexed;
}

/* ---- sets of constants ---- */

/* Registers that are set again in the same region before they are read, by place and number; walked from the end. */
typedef struct overwritten {
    gn_arena *arena;
    gn_map at; /* the epoch in which it is, + 1 */
    uintptr_t epoch;
} overwritten;

static void keep_read(void *user, const gn_val **operand)
{
    overwritten *o = user;
    const gn_val *const v = gn_val_source(*operand);
    if (v->id || v->kind != GN_VAL_REG) return;
    if (v->u.reg.at) o->epoch++; /* any of them */
    *gn_map_put(o->arena, &o->at, gn_register_key(v->u.reg.place, v->u.reg.number)) = NULL;
}

static void drop_nulls(gn_code_body *t)
{
    size_t n = 0;
    for (size_t i = 0; i < t->kids.n; i++)
        if (t->kids.at[i]) t->kids.at[n++] = t->kids.at[i];
    t->kids.n = n;
}

static void drop_sets(gn_arena *arena, gn_code_body *t)
{
    overwritten o = { .arena = arena };
    for (size_t i = 0; i < t->kids.n; i++) drop_sets(arena, &t->kids.at[i]->body);
    for (size_t i = t->kids.n; i-- > 0;) {
        gn_code_node *k = t->kids.at[i];
        if (k->kind == GN_CODE_SET && !k->at) {
            void **at = gn_map_put(arena, &o.at, gn_register_key(k->place, k->number));
            if (gn_val_constant(k->val) && (uintptr_t)*at == o.epoch + 1) t->kids.at[i] = NULL;
            *at = (void *)(o.epoch + 1);
        }
        if (k->kind == GN_CODE_LET || k->kind == GN_CODE_SET || k->kind == GN_CODE_STORE) gn_code_operands(k, keep_read, &o);
        else if (k->kind != GN_CODE_DECLARE) o.epoch++;
    }
    drop_nulls(t);
}

/* ---- what is left of nothing: values kept for nobody, loops around nothing, registers that are not read ---- */

static bool is_any_read(const gn_place *p, const uint32_t *read)
{
    bool any = false;
    for (uint32_t i = 0; read && i < (p->space == GN_SPACE_REG ? p->n : 1); i++) any |= read[i] > 0;
    return any;
}

static bool is_idle(const reads *r, const gn_code_node *t)
{
    const gn_place *p = t->kind == GN_CODE_STORE ? t->access.place : t->place;
    if (t->kind == GN_CODE_LET) return r->of.let[t->val->id] == 0;
    if (t->kind == GN_CODE_FOR) return t->body.kids.n == 0;
    if (!p || (p->space != GN_SPACE_REG && p->space != GN_SPACE_STACK)) return false;
    const uint32_t *read = gn_map_get(&r->of.place, p->id);
    if (t->kind == GN_CODE_DECLARE || t->at) return !is_any_read(p, read);
    return !read || read[t->kind == GN_CODE_SET ? t->number : 0] == 0;
}

/* Backward, so that what only a dropped node used goes with it. */
static bool drop_idle(reads *r, gn_code_body *t)
{
    bool dropped = false;
    for (size_t i = t->kids.n; i-- > 0;) {
        dropped |= drop_idle(r, &t->kids.at[i]->body);
        if (!is_idle(r, t->kids.at[i])) continue;
        visit_node(r, t->kids.at[i]);
        t->kids.at[i] = NULL;
        dropped = true;
    }
    drop_nulls(t);
    return dropped;
}

void gn_code_join(gn_code *c, gn_code_body *step)
{
    join_branches(c->arena, step);
}

void gn_code_drop_sets(gn_code *c, gn_code_body *step)
{
    drop_sets(c->arena, step);
}

static void note_declared(void *user, const gn_code_node *n)
{
    reads *const r = user;
    if (n->kind == GN_CODE_DECLARE) *gn_map_put(r->arena, &r->declared, GN_KEY(n->place)) = r;
}

/* Of places that no step declares any more, the names are free. */
static void forget_places(gn_code *c, reads *r)
{
    uint32_t n = c->nargs;
    for (size_t s = 0; s < c->steps.n; s++) gn_code_walk(&c->steps.at[s].body, note_declared, r);
    for (size_t i = n; i < c->places.n; i++) {
        gn_place *const p = c->places.at[i];
        if (gn_map_get(&r->declared, GN_KEY(p))) p->id = n, c->places.at[n++] = p;
    }
    c->places.n = n;
}

void gn_code_drop_idle(gn_code *c, gn_code_body *step)
{
    reads r = { .arena = c->arena, .of = gn_code_find_uses(c->arena, step), .by = UINT32_MAX /* -1 */ };
    while (drop_idle(&r, step)) {} /* a loop's last node may have been the last use of what its first one sets */
    forget_places(c, &r);
}
