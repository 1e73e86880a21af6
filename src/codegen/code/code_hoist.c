/* The pass `hoist`: what a loop computes anew in each turn though nothing of it changes goes before the loop. Only what
 * reads neither memory nor registers moves, so that a loop without turns does no harm. */
#include "code_passes.h"

static bool is_free(const gn_val *v)
{
    const gn_val_kind kind = (gn_val_kind)v->kind;
    return kind != GN_VAL_LOAD && kind != GN_VAL_THREADS && !gn_val_reads_indices(v) && !gn_val_reads_registers(v);
}

typedef struct hoister {
    gn_code *code;
    gn_arena *arena;
    gn_map inside; /* lets of the loop at hand, by id */
    const char *var;
} hoister;

static bool is_of_loop(const hoister *h, const gn_val *v)
{
    for (uint16_t i = 0; i < v->n; i++) {
        const gn_val *const a = gn_val_source(v->a[i]);
        if (a->id && gn_map_get(&h->inside, a->id)) return true;
    }
    return gn_val_mentions(v, h->var);
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
