/* Indices that the graph computes. An input's are looked at before anything runs; a computed one exists only once some
 * kernel has run, and may never stand in memory at all. So each becomes one more result of the grouping, whatever the
 * kernels make of it otherwise, and the call looks at it as soon as it is there. Kernels keep such an index within its
 * axis meanwhile, so nothing is read or written that should not be. What comes of a bad one may be in the outputs,
 * never in a variable: see gn_checks_come_first and place_updates. */
#include "index_check.h"
#include <string.h>
#include "op.h"
#include "ops/reference.h"

/* Below what only places elements elsewhere. */
static gn_expr *below_views(gn_expr *x)
{
    while (x->op == &gn_op_broadcast || x->op == &gn_op_reshape || x->op == &gn_op_permute) x = x->in[0];
    return x;
}

/* Whether x is known to lie in [0, bound): a count along an axis that is no longer, constants. Conversions between
 * integers keep what does. */
static bool is_in_range(gn_expr *x, const gn_dim *bound)
{
    int64_t most, n = 1;
    while ((x = below_views(x))->op == &gn_op_cast && gn_is_int((gn_dtype)x->in[0]->type->dtype)) x = x->in[0];
    const bool is_const = gn_dim_is_const(bound, &most);
    if (x->op == &gn_op_iota) {
        const gn_dim *extent = x->type->dim[gn_attr_of(x, "axis")->i];
        return extent == bound || (is_const && gn_dim_is_const(extent, &n) && n <= most);
    }
    if (x->op != &gn_op_constant || !is_const) return false;
    const gn_attr *data = gn_attr_of(x, "data");
    const gn_dtype t = (gn_dtype)x->type->dtype;
    for (int64_t i = 0; i < (int64_t)(data->n / gn_dtype_size(t)); i++) {
        const int64_t v = gn_ref_load(t, data->data, i).i;
        if (v < 0 || v >= most) return false;
    }
    return true;
}

static bool is_direct(const gn_op_info *op)
{
    return op == &gn_op_take || op == &gn_op_scatter_add;
}

/* Whether take and scatter_add alone have these indices; the body of a composite compares them, too. */
static bool is_used_directly(const gn_graph *g, const gn_expr *check)
{
    for (size_t i = check->id + (size_t)1; i < g->nodes.n; i++) {
        gn_expr *e = g->nodes.at[i];
        for (uint32_t k = 0; k < e->nin && !(is_direct(e->op) && k == 1); k++)
            if (e == below_views(e) && below_views(e->in[k]) == check) return false;
    }
    return true;
}

static bool was_built_at(const gn_expr *e, gn_loc loc)
{
    for (const gn_origin *o = gn_origin_of(e); o; o = o->next)
        if (o->loc.line == loc.line && strcmp(o->loc.file, loc.file) == 0) return true;
    return false;
}

uint32_t gn_check_user(const struct gn_core *core, const gn_expr *check)
{
    const bool direct = is_used_directly(core->graph, check);
    uint32_t other = UINT32_MAX;
    for (uint32_t i = 0; i < core->indexers.n; i++) {
        const gn_indexer *x = &core->indexers.at[i];
        if (!was_built_at(check, x->loc)) continue;
        if (is_direct(x->op) == direct) return i;
        if (other == UINT32_MAX) other = i;
    }
    return other;
}

static void add_check(gn_arena *arena, gn_computed_indices *out, const gn_expr *check)
{
    gn_expr *x = below_views(check->in[0]);
    const gn_dim *bound = gn_attr_of(check, "extent")->dims[0];
    for (size_t i = 0; i < out->at.n; i++)
        if (out->at.at[i].bound == bound && out->core.out.at[out->at.at[i].out] == x &&
            gn_check_same_uses(out->at.at[i].check, check)) return;
    gn_push(arena, &out->at, (gn_computed_index){ check, bound, (uint32_t)out->core.out.n });
    gn_push(arena, &out->core.out, x);
}

gn_computed_indices *gn_indices_find(gn_arena *arena, const struct gn_core *core)
{
    gn_computed_indices *found = GN_NEW_OBJECT(arena, gn_computed_indices);
    const gn_expr_list roots = gn_core_roots(arena, core), nodes = gn_reachable(arena, roots.n, roots.at);
    found->core = *core;
    memset(&found->core.out, 0, sizeof found->core.out);
    for (size_t i = 0; i < core->out.n; i++) gn_push(arena, &found->core.out, core->out.at[i]);
    for (size_t i = 0; i < nodes.n; i++) {
        const gn_expr *e = nodes.at[i];
        if (e->op != &gn_op_check_index || gn_group_given(e->in[0]) ||
            is_in_range(e->in[0], gn_attr_of(e, "extent")->dims[0]))
            continue;
        add_check(arena, found, e);
    }
    return found;
}

/* ---- order ---- */

static bool writes(const gn_group *g, size_t buf)
{
    return g->kernel->bufs.at[buf].access & GN_KBUF_WRITE;
}

/* Marks what the checks need: a group is needed if it writes a value that is. */
static bool mark_needed(const gn_grouping *g, uint32_t noutputs, bool *needed, bool *value)
{
    for (size_t v = 0; v < g->values.n; v++)
        value[v] = g->values.at[v].kind == GN_VALUE_OUTPUT && g->values.at[v].index >= noutputs;
    for (size_t i = g->groups.n; i-- > 0;) {
        const gn_group *q = &g->groups.at[i];
        for (size_t b = 0; b < q->buf.n && !needed[i]; b++)
            needed[i] = value[gn_gvalue_root(g, q->buf.at[b])] && writes(q, b);
        for (size_t b = 0; b < q->buf.n && needed[i]; b++) {
            const uint32_t root = gn_gvalue_root(g, q->buf.at[b]);
            if (g->values.at[root].kind == GN_VALUE_UPDATE) return false;
            value[root] = true;
        }
    }
    return true;
}

void gn_checks_come_first(gn_arena *arena, gn_grouping *g, uint32_t noutputs)
{
    bool *needed = GN_NEW_ARRAY(arena, bool, g->groups.n);
    gn_group *old = gn_arena_copy(arena, g->groups.at, g->groups.n * sizeof *old);
    size_t n = 0;
    if (!mark_needed(g, noutputs, needed, GN_NEW_ARRAY(arena, bool, g->values.n))) return;
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; i < g->groups.n; i++)
            if (needed[i] == first) g->groups.at[n++] = old[i];
}
