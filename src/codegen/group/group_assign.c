/* Step 3: a level for every node, and groups for reductions and for what is stored. Nodes come in canonical order, so
 * an operand's level is known and groups are numbered in the order they are made; a node never lies below one of its
 * operands, hence no cycle can arise and none is searched. Every tie goes to the lower number. */
#include "group_state.h"

/* In no loop of a group. */
static bool is_outside(group_level l)
{
    return l.group == NONE || l.phase == 2;
}

void gn_group_assign(grouper *g)
{
    g->touchers = GN_NEW_ARRAY(g->scratch, struct touchers, g->nodes.n + 1);
    g->waist_of = GN_NEW_ARRAY(g->scratch, uint32_t, g->nodes.n + 1);
    for (uint32_t at = 0; at < g->nodes.n; at++) {
        gnode *n = &g->nodes.at[at];
        n->touched = NONE, n->group = NONE, n->home = NONE;
        n->inlined = n->kind == NODE_REDUCE && is_outside(gn_group_operands_level(g, n)) && gn_group_inlines(g, n);
        if (n->kind == NODE_SCATTER || (n->kind == NODE_REDUCE && !n->inlined)) g->fixed = at;
        if (n->kind == NODE_MEMORY) n->leaf = gn_group_self_leaf(g, at), n->nleaf = 1;
        else if (n->kind == NODE_REDUCE && !n->inlined) gn_group_visit_reduction(g, at);
        else if (n->kind == NODE_SCATTER) gn_group_visit_scatter(g, at);
        else gn_group_visit_light(g, n);
        n = &g->nodes.at[at];
        if (!n->named) continue;
        if (n->group == NONE) gn_push(g->scratch, &g->late, at);
        else gn_group_home(g, at);
    }
    /* What needs memory alone may be stored anywhere: behind all reductions, where most groups offer themselves. */
    for (size_t i = 0; i < g->late.n; i++) gn_group_home(g, g->late.at[i]);
}
