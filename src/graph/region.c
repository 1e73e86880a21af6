/* Regions: closed lambdas, interned by the types of their parameters and the nodes of their results. Bodies are
 * ordinary nodes of the graph whose leaves are parameters, so equal bodies are one pointer without further work. */
#include "op.h"
#include <string.h>

static bool region_equal(const void *stored, const void *probe)
{
    const gn_region *const a = stored, *const b = probe;
    if (a->nparam != b->nparam || a->nout != b->nout) return false;
    return (!a->nparam || memcmp(a->param, b->param, a->nparam * sizeof *a->param) == 0) &&
           (!a->nout || memcmp(a->out, b->out, a->nout * sizeof *a->out) == 0);
}

const gn_region *gn_region_make(gn_graph *g, size_t nparam, const gn_type *const *param, size_t nout, gn_expr *const *out)
{
    const gn_region probe = { (uint32_t)nparam, (uint32_t)nout, param, out };
    uint64_t hash = gn_hash_mix(nparam, nout);
    for (size_t i = 0; i < nparam; i++) hash = gn_hash_mix(hash, GN_KEY(param[i]));
    for (size_t i = 0; i < nout; i++) hash = gn_hash_mix(hash, out[i]->id);
    gn_region *r = gn_intern_find(&g->regions, hash, &probe, region_equal);
    if (r) return r;
    r = gn_arena_alloc(&g->arena, sizeof *r, alignof(gn_region));
    *r = probe;
    r->param = gn_arena_copy(&g->arena, param, nparam * sizeof *param);
    r->out = gn_arena_copy(&g->arena, out, nout * sizeof *out);
    gn_intern_add(&g->arena, &g->regions, hash, r);
    return r;
}

void gn_region_inline(gn_graph *g, const gn_region *r, gn_expr *const *args, gn_expr **out)
{
    const gn_expr_list body = gn_reachable(&g->arena, r->nout, r->out);
    gn_map made = { 0 };
    for (size_t i = 0; i < body.n; i++) {
        gn_expr *const e = body.at[i];
        gn_expr *local[16], **in = local, *result = e;
        if (e->op == &gn_op_param) result = args[e->attr[0].i];
        else if (e->nin) {
            if (e->nin > 16) in = GN_NEW_ARRAY(&g->arena, gn_expr *, e->nin);
            for (uint32_t k = 0; k < e->nin; k++) in[k] = gn_map_get(&made, e->in[k]->id);
            result = gn_node(g, e->op, in, e->nin, e->attr);
        }
        *gn_map_put(&g->arena, &made, e->id) = result;
    }
    for (uint32_t i = 0; i < r->nout; i++) out[i] = gn_map_get(&made, r->out[i]->id);
}
