/* Which indices come from outside, and what they must stay below. */
#include <string.h>
#include "core.h"
#include "op.h"

/* Every element stays reachable, so that looking at all of the source refuses no right program (a slice would). */
static bool keeps_all(const gn_op_info *op)
{
    return op == &gn_op_broadcast || op == &gn_op_reshape || op == &gn_op_permute || op == &gn_op_flip || op == &gn_op_check_index;
}

const gn_expr *gn_index_source(const gn_expr *e)
{
    while (keeps_all(e->op)) e = e->in[0];
    return e->op == &gn_op_input || e->op == &gn_op_variable ? e : NULL;
}

static void add_bound(gn_arena *arena, struct gn_core *core, const gn_expr *source, const gn_dim *bound)
{
    gn_index_bound b = { .input = -1, .bound = bound };
    for (size_t i = 0; i < core->in.n; i++)
        if (core->in.at[i] == source) b.input = (int32_t)i;
    if (b.input < 0) b.variable = gn_attr_of(source, "name")->name;
    for (size_t i = 0; i < core->indices.n; i++) {
        const gn_index_bound *k = &core->indices.at[i];
        if (k->input == b.input && k->bound == bound && (b.input >= 0 || strcmp(k->variable, b.variable) == 0)) return;
    }
    gn_push(arena, &core->indices, b);
}

void gn_core_find_indices(gn_arena *arena, struct gn_core *core)
{
    for (size_t i = 0; i < core->graph->nodes.n; i++) {
        const gn_expr *e = core->graph->nodes.at[i];
        if (e->op != &gn_op_check_index) continue;
        const gn_expr *source = gn_index_source(e);
        if (source) add_bound(arena, core, source, gn_attr_of(e, "extent")->dims[0]);
    }
}
