/* The values of a grouping: inputs in call order, variables and array constants that are read, outputs and updates each
 * with a value of its own, and what crosses between kernels. A node that is an output is read from that output's
 * memory; a node that is several has several. */
#include <inttypes.h>
#include <string.h>
#include "group_state.h"

static int32_t add_value(grouper *g, gn_value_kind kind, const gn_expr *e, uint32_t index, const char *name)
{
    gn_push(g->arena, &g->out->values,
            (gn_gvalue){ .kind = (uint8_t)kind,
                         .expr = e,
                         .index = index,
                         .name = name,
                         .in_place = NONE,
                         .shape = e->type->dim,
                         .within = NONE });
    return (int32_t)g->out->values.n - 1;
}

static const char *leaf_name(const gn_expr *e)
{
    for (uint32_t i = 0; i < e->op->nattr; i++)
        if (e->attr[i].kind == GN_ATTR_NAME) return e->attr[i].name;
    return e->op->name;
}

static void add_memory(grouper *g)
{
    for (size_t i = 0; i < g->core->in.n; i++) {
        const gn_expr *e = g->core->in.at[i];
        const int32_t v = add_value(g, GN_VALUE_INPUT, e, (uint32_t)i, leaf_name(e));
        const uint32_t at = g->number[e->id];
        if (at < g->nodes.n && g->nodes.at[at].e == e) g->value[at] = v; /* else it is not used */
    }
    uint32_t nvariables = 0, nconstants = 0;
    for (size_t at = 0; at < g->nodes.n; at++) {
        const gnode *n = &g->nodes.at[at];
        if (n->kind != NODE_MEMORY || g->value[at] != NONE) continue;
        if (n->e->op == &gn_op_constant) {
            g->value[at] =
                add_value(g, GN_VALUE_CONSTANT, n->e, nconstants, gn_arena_printf(g->arena, "c%" PRIu32, nconstants));
            nconstants++;
        } else {
            GN_ASSERT(n->e->op == &gn_op_variable); /* the copy has looked for inputs that are not given */
            g->value[at] = add_value(g, GN_VALUE_VARIABLE, n->e, nvariables++, leaf_name(n->e));
        }
    }
}

void gn_group_note_value(grouper *g, uint32_t at, int32_t value)
{
    struct extra_values *more = gn_map_get(&g->output_values, at);
    if (g->value[at] == NONE) g->value[at] = value;
    if (!more) {
        more = GN_NEW_OBJECT(g->scratch, struct extra_values);
        *gn_map_put(g->scratch, &g->output_values, at) = more;
    }
    gn_push(g->scratch, &more->value, value);
}

static void add_named(grouper *g, gn_expr *e, gn_value_kind kind, uint32_t index, const char *name)
{
    gn_group_note_value(g, g->number[e->id], add_value(g, kind, e, index, name));
}

/* Its elements along dims that it varies along: of others there is one. */
static const gn_dim *const *stored_shape(grouper *g, const gnode *n)
{
    const gn_dim **shape = gn_arena_copy(g->arena, n->e->type->dim, n->rank * sizeof *shape);
    for (uint32_t d = 0; d < n->rank; d++)
        if (!(stored_dims(n) >> d & 1)) shape[d] = gn_dim_const(&g->core->graph->dims, 1);
    return shape;
}

int32_t gn_group_add_temp(grouper *g, uint32_t at)
{
    const gnode *n = &g->nodes.at[at];
    const int32_t v = add_value(g, GN_VALUE_TEMP, n->e, g->ntemps, gn_arena_printf(g->arena, "tmp%" PRIu32, g->ntemps));
    g->ntemps++;
    g->out->values.at[v].shape = stored_shape(g, n);
    return v;
}

void gn_group_values(grouper *g)
{
    const struct gn_core *c = g->core;
    g->value = GN_NEW_ARRAY(g->scratch, int32_t, g->nodes.n + 1);
    for (size_t i = 0; i < g->nodes.n; i++) g->value[i] = NONE;
    add_memory(g);
    for (size_t i = 0; i < c->out.n; i++)
        add_named(g, c->out.at[i], GN_VALUE_OUTPUT, (uint32_t)i,
                  c->out.n == 1 ? "out" : gn_arena_printf(g->arena, "out%zu", i));
    for (size_t i = 0; i < c->update.n; i++)
        add_named(g, c->update.at[i], GN_VALUE_UPDATE, (uint32_t)i,
                  gn_arena_printf(g->arena, "%s_new", leaf_name(c->variable.at[i])));
    for (uint32_t at = 0; at < g->nodes.n; at++) {
        const gnode *n = &g->nodes.at[at];
        if (n->stored && !n->is_part && g->value[at] == NONE) g->value[at] = gn_group_add_temp(g, at);
    }
    gn_group_slice_values(g);
}
