/* Inside programs: indices that the graph computes, and when they are looked at. */
#pragma once
#include "group.h"

typedef struct gn_computed_index {
    const gn_expr *check;        /* the check_index node */
    const gn_dim *bound;         /* of the graph's pool */
    uint32_t out;                /* which output of `core` holds the elements */
} gn_computed_index;

typedef struct gn_computed_indices {
    struct gn_core core;         /* the function's, with one more output for each */
    GN_VEC(gn_computed_index) at;
} gn_computed_indices;

gn_computed_indices *gn_indices_find(gn_arena *, const struct gn_core *);
/* Who indexes: its number among core->indexers, by the line that built the check; UINT32_MAX: unknown, as in a graph
 * that was read. */
uint32_t gn_check_user(const struct gn_core *, const gn_expr *check);
/* Groups that outputs from number `noutputs` on need run before all others, unless one of them updates a variable: then
 * what is updated later may be updated in place. */
void gn_checks_come_first(gn_arena *, gn_grouping *, uint32_t noutputs);
