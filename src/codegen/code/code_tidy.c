/* What expansion leaves to be put in order, point by point as it goes: branches with one condition become one (the
 * stores of a row's vectors stand under one `row < rows`), constants that a variable loses before it is read are not
 * put into it, lets without a reader go. */
#include "code_build.h"
#include "code_passes.h"
#include "visit.h"

/* ---- branches: what is computed between them moves before the first ---- */

static bool stores_to(const gn_code_node *branch, const gn_access *from)
{
    for (size_t i = 0; i < branch->body.kids.n; i++) {
        const gn_code_node *t = branch->body.kids.at[i];
        if (t->kind == GN_CODE_SET || (t->kind == GN_CODE_STORE && t->access.place == from->place)) return true;
    }
    return false;
}

static bool is_simple(const gn_code_node *branch)
{
    for (size_t i = 0; i < branch->body.kids.n; i++) {
        const gn_code_node *t = branch->body.kids.at[i];
        if (t->kind != GN_CODE_LET && t->kind != GN_CODE_STORE) return false;
    }
    return !gn_preds_read_memory(branch->when);
}

/* Whether the let gives the same before the branch. */
static bool may_move(const gn_code_node *branch, const gn_code_node *let)
{
    const gn_val *v = let->val;
    if (v->kind == GN_VAL_COND) return !gn_preds_read_memory(v->when);
    if (v->kind == GN_VAL_IOTA) return !gn_dim_has_load(v->u.iota.base) && !gn_dim_has_load(v->u.iota.step);
    if (v->kind == GN_VAL_INDEX) return !gn_dim_has_load(v->u.index.at) && !gn_preds_read_memory(v->when);
    if (v->kind == GN_VAL_BIT || v->kind == GN_VAL_FIRST) return !gn_dim_has_load(v->u.index.at);
    return v->kind != GN_VAL_LOAD || !stores_to(branch, &v->u.load);
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
        else if (!branch || t->kind != GN_CODE_LET || !may_move(branch, t)) open = 0;
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
} reads;

static void visit_value(reads *r, const gn_val *v);
static void note_read(reads *r, const gn_place *p, uint32_t number);

static void visit_use(reads *r, const gn_val *v)
{
    if (!v) return;
    if (v->id) r->of.let[v->id] += r->by;
    else visit_value(r, v);
}

/* By a variable: any of them. */
static void note_any(reads *r, const gn_place *p)
{
    *gn_map_put(r->arena, &r->of.indexed, p->id) = r;
    for (uint32_t i = 0; i < p->n; i++) note_read(r, p, i);
}

static void note_read(reads *r, const gn_place *p, uint32_t number)
{
    if (!p) return;
    void **read = gn_map_put(r->arena, &r->of.place, p->id);
    if (!*read) *read = GN_NEW_ARRAY(r->arena, uint32_t, p->n + 1);
    ((uint32_t *)*read)[number] += r->by;
}

static void visit_access(reads *r, const gn_access *a, bool is_read)
{
    if (is_read) note_read(r, a->place, 0);
    visit_use(r, a->each);
    visit_use(r, a->mask);
}

static void visit_value(reads *r, const gn_val *v)
{
    if (v->kind == GN_VAL_REG && v->u.reg.at) note_any(r, v->u.reg.place);
    else if (v->kind == GN_VAL_REG) note_read(r, v->u.reg.place, v->u.reg.number);
    for (uint16_t i = 0; i < v->n; i++) visit_use(r, v->a[i]);
    if (v->kind == GN_VAL_LOAD) visit_access(r, &v->u.load, true);
}

static void visit_tile(reads *r, const gn_tile_args *t)
{
    for (int i = 0; i < GN_TILE_MAX_REGS; i++) visit_use(r, t->a[i]), visit_use(r, t->b[i]);
    for (int i = 0; i < t->nmemory; i++) note_read(r, t->memory[i].place, 0);
    for (uint32_t i = 0; t->acc && i < t->acc->n; i++) note_read(r, t->acc, i);
}

static void visit_node(void *user, const gn_code_node *t)
{
    reads *r = user;
    if (t->kind == GN_CODE_LET) visit_value(r, t->val);
    if (t->kind == GN_CODE_SET || t->kind == GN_CODE_STORE) visit_use(r, t->val);
    if (t->kind == GN_CODE_SET && t->at) *gn_map_put(r->arena, &r->of.indexed, t->place->id) = r;
    if (t->kind == GN_CODE_STORE) visit_access(r, &t->access, false);
    if (t->kind == GN_CODE_TILE) visit_tile(r, t->tile);
    if (t->kind == GN_CODE_ASYNC) visit_access(r, &t->source, true), visit_access(r, &t->access, true);
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

static uint64_t register_key(const gn_place *p, uint32_t number)
{
    return (uint64_t)p->id << 32 | number;
}

/* Registers that are set again in the same region before they are read, by place and number; walked from the end. */
typedef struct overwritten {
    gn_arena *arena;
    gn_map at; /* the epoch in which it is, + 1 */
    uintptr_t epoch;
} overwritten;

static void keep_read(overwritten *o, const gn_val *v)
{
    if (!v || v->id) return;
    if (v->kind == GN_VAL_REG) *gn_map_put(o->arena, &o->at, register_key(v->u.reg.place, v->u.reg.number)) = NULL;
    for (uint16_t i = 0; i < v->n; i++) keep_read(o, v->a[i]);
}

static void keep_reads(overwritten *o, const gn_code_node *t)
{
    if (t->kind != GN_CODE_LET) keep_read(o, t->val), keep_read(o, t->access.each), keep_read(o, t->access.mask);
    if (t->kind != GN_CODE_LET) return;
    for (uint16_t i = 0; i < t->val->n; i++) keep_read(o, t->val->a[i]);
    if (t->val->kind == GN_VAL_LOAD) keep_read(o, t->val->u.load.each), keep_read(o, t->val->u.load.mask);
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
        if (k->kind == GN_CODE_SET) {
            void **at = gn_map_put(arena, &o.at, register_key(k->place, k->number));
            if (gn_val_constant(k->val) && (uintptr_t)*at == o.epoch + 1) t->kids.at[i] = NULL;
            *at = (void *)(o.epoch + 1);
        }
        if (k->kind == GN_CODE_LET || k->kind == GN_CODE_SET || k->kind == GN_CODE_STORE) keep_reads(&o, k);
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
    return t->kind == GN_CODE_DECLARE ? !is_any_read(p, read) : !read || read[t->kind == GN_CODE_SET ? t->number : 0] == 0;
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

void gn_code_drop_idle(gn_code *c, gn_code_body *step)
{
    reads r = { .arena = c->arena, .of = gn_code_find_uses(c->arena, step), .by = UINT32_MAX /* -1 */ };
    while (drop_idle(&r, step)) {} /* a loop's last node may have been the last use of what its first one sets */
}
