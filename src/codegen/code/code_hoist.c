/* The passes `hoist` and `once`: what a loop computes anew in each turn though nothing of it changes goes before the
 * loop, and what is computed in a region and again behind or inside of it is computed once. Only what reads neither
 * memory nor registers moves, so that a loop without turns does no harm and nothing that is written lies between. */
#include "code_build.h"
#include "code_passes.h"

static bool reads_registers(const gn_val *v)
{
    for (uint16_t i = 0; i < v->n; i++) {
        const gn_val *a = v->a[i];
        if (!a->id && a->kind == GN_VAL_SPLAT) a = a->a[0];
        if (!a->id && a->kind == GN_VAL_REG) return true;
    }
    return false;
}

static bool is_free(const gn_val *v)
{
    if (gn_preds_read_memory(v->when) || reads_registers(v)) return false;
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_INDEX:
    case GN_VAL_FIRST:
    case GN_VAL_BIT: return !gn_dim_has_load(v->u.index.at);
    case GN_VAL_IOTA: return !gn_dim_has_load(v->u.iota.base) && !gn_dim_has_load(v->u.iota.step);
    case GN_VAL_COND:
    case GN_VAL_OP:
    case GN_VAL_PICK:
    case GN_VAL_PACK:
    case GN_VAL_LANES: return true;
    case GN_VAL_LANE: return !v->u.lane.at;
    default: return false;
    }
}

/* ---- hoist ---- */

typedef struct hoister {
    gn_code *code;
    gn_arena *arena;
    gn_map inside; /* lets of the loop at hand, by id */
    const char *var;
} hoister;

static bool preds_mention(gn_preds w, const char *var)
{
    for (uint32_t i = 0; i < w.n; i++)
        for (uint16_t k = 0; k < w.at[i].n; k++)
            if (gn_dim_mentions(w.at[i].cond[k].a, var) || gn_dim_mentions(w.at[i].cond[k].b, var)) return true;
    return false;
}

static bool mentions(const gn_val *v, const char *var)
{
    if (preds_mention(v->when, var)) return true;
    if (v->kind == GN_VAL_IOTA) return gn_dim_mentions(v->u.iota.base, var) || gn_dim_mentions(v->u.iota.step, var);
    return (v->kind == GN_VAL_INDEX || v->kind == GN_VAL_FIRST || v->kind == GN_VAL_BIT) &&
           gn_dim_mentions(v->u.index.at, var);
}

static bool is_of_loop(const hoister *h, const gn_val *v)
{
    for (uint16_t i = 0; i < v->n; i++) {
        const gn_val *a = !v->a[i]->id && v->a[i]->kind == GN_VAL_SPLAT ? v->a[i]->a[0] : v->a[i];
        if (a->id && gn_map_get(&h->inside, a->id)) return true;
    }
    return mentions(v, h->var);
}

static void hoist_from(hoister *h, gn_code_node *loop, gn_code_body *out)
{
    size_t kept = 0;
    h->inside = (gn_map){ 0 }, h->var = loop->var;
    for (size_t i = 0; i < loop->body.kids.n; i++) {
        gn_code_node *n = loop->body.kids.at[i];
        if (n->kind == GN_CODE_LET && is_free(n->val) && !is_of_loop(h, n->val)) {
            gn_push(h->code->arena, &out->kids, n);
            continue;
        }
        if (n->kind == GN_CODE_LET) *gn_map_put(h->arena, &h->inside, n->val->id) = n;
        loop->body.kids.at[kept++] = n;
    }
    loop->body.kids.n = kept;
}

static void hoist_region(hoister *h, gn_code_body *b)
{
    gn_code_body out = { 0 };
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *n = b->kids.at[i];
        hoist_region(h, &n->body);
        if (n->kind == GN_CODE_FOR && !n->dealt) hoist_from(h, n, &out);
        gn_push(h->code->arena, &out.kids, n);
    }
    *b = out;
}

void gn_code_hoist(gn_code *c, gn_code_body *step)
{
    hoister h = { .code = c, .arena = c->arena };
    hoist_region(&h, step);
}

/* ---- once ---- */

typedef struct known {
    const gn_val *val;
    uint64_t hash;
    uint32_t next; /* of the same hash, + 1 */
} known;

typedef struct counter {
    gn_code *code;
    gn_arena *arena;
    GN_VEC(known) known; /* of the regions that are open */
    gn_map last;         /* by hash: the newest, + 1 */
    gn_map same;         /* by id: the let that stands for it */
} counter;

static void rename_operand(const counter *c, const gn_val **v)
{
    const gn_val *const own = *v && !(*v)->id && (*v)->kind == GN_VAL_SPLAT ? (*v)->a[0] : *v;
    const gn_val *const other = own && own->id ? gn_map_get(&c->same, own->id) : NULL;
    if (!other) return;
    if (own == *v) {
        *v = other;
        return;
    }
    gn_val *splat = gn_arena_copy(c->code->arena, *v, sizeof **v);
    splat->a[0] = other;
    *v = splat;
}

static void rename_operands(const counter *c, gn_code_node *n)
{
    gn_val *let = n->kind == GN_CODE_LET ? (gn_val *)n->val : NULL; /* of a code that may be changed */
    gn_access *a = let ? let->kind == GN_VAL_LOAD ? &let->u.load : NULL : &n->access;
    for (uint16_t i = 0; let && i < let->n; i++) rename_operand(c, &let->a[i]);
    if (!let) rename_operand(c, &n->val);
    if (a) rename_operand(c, &a->each), rename_operand(c, &a->mask);
    for (int i = 0; n->tile && i < GN_TILE_MAX_REGS; i++)
        rename_operand(c, &n->tile->a[i]), rename_operand(c, &n->tile->b[i]);
}

static const gn_val *find(const counter *c, const gn_val *v, uint64_t h)
{
    for (uint32_t i = (uint32_t)(uintptr_t)gn_map_get(&c->last, h); i; i = c->known.at[i - 1].next) {
        gn_val probe = *v;
        gn_work_done.scans++;
        probe.id = 0;
        if (gn_v_same(c->known.at[i - 1].val, &probe)) return c->known.at[i - 1].val;
    }
    return NULL;
}

static void note(counter *c, const gn_val *v, uint64_t h)
{
    void **last = gn_map_put(c->arena, &c->last, h);
    gn_push(c->arena, &c->known, (known){ v, h, (uint32_t)(uintptr_t)*last });
    *last = (void *)(uintptr_t)c->known.n;
}

static void release(counter *c, size_t mark)
{
    while (c->known.n > mark) {
        const known k = gn_pop(&c->known);
        *gn_map_put(c->arena, &c->last, k.hash) = (void *)(uintptr_t)k.next;
    }
}

static void once_in(counter *c, gn_code_body *b)
{
    const size_t mark = c->known.n;
    size_t kept = 0;
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *n = b->kids.at[i];
        rename_operands(c, n);
        if (n->kind == GN_CODE_LET && is_free(n->val)) {
            const uint64_t h = gn_v_hash(n->val);
            const gn_val *other = find(c, n->val, h);
            if (other) {
                *gn_map_put(c->arena, &c->same, n->val->id) = (void *)other;
                continue;
            }
            note(c, n->val, h);
        }
        once_in(c, &n->body);
        b->kids.at[kept++] = n;
    }
    b->kids.n = kept;
    release(c, mark);
}

void gn_code_once(gn_code *code, gn_code_body *step)
{
    counter c = { .code = code, .arena = code->arena };
    once_in(&c, step);
}
