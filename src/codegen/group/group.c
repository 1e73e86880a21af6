/* Grouping: the steps of group_state.h in order. */
#include "group_state.h"
#include "flatten.h"
#include <stdlib.h>
#include <string.h>

static void reserve(void *user, const char *name)
{
    grouper *g = user;
    for (size_t i = 0; i < g->reserved.n; i++)
        if (strcmp(g->reserved.at[i], name) == 0) return;
    gn_push(g->scratch, &g->reserved, name);
}

/* Users' names of dims must not meet the names of axes and buffers: all share one space in the text. */
static void reserve_symbols(grouper *g)
{
    for (size_t i = 0; i < g->nclasses; i++) gn_dim_symbols(g->extent[i], reserve, g);
    for (size_t i = 0; i < g->nodes.n; i++)
        if (g->nodes.at[i].kind == NODE_DIM) gn_dim_symbols(gn_group_dim_of(g->nodes.at[i].e), reserve, g);
}

typedef struct place {
    int64_t key;
    int32_t group;
} place;

static int compare_places(const void *a, const void *b)
{
    const place *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

static void write_kernels(grouper *g)
{
    place *order = GN_NEW_ARRAY(g->scratch, place, g->groups.n + 1);
    size_t n = 0;
    for (int32_t q = 0; q < (int32_t)g->groups.n; q++)
        if (g->groups.at[q].outs.n > 0) order[n++] = (place){ order_key(g, q), q };
    if (n > 1) qsort(order, n, sizeof *order, compare_places);
    for (size_t i = 0; i < n; i++) {
        gn_group made = { 0 };
        gn_group_kernel(g, order[i].group, &made);
        gn_group_comment(g, order[i].group, made.kernel);
        gn_push(g->arena, &g->out->groups, made);
    }
}

static void flatten(grouper *g)
{
    for (size_t i = 0; i < g->out->groups.n; i++) {
        gn_group *q = &g->out->groups.at[i];
        if (!g->out->small) gn_group_rebase(g, q);
        q->kernel = gn_kernel_flatten(q->kernel, g->scratch);
    }
}

static void run_steps(grouper *g)
{
    gn_group_nodes(g);
    gn_group_classes(g);
    gn_group_find_tiny(g);
    gn_group_assign(g);
    gn_group_merge(g);
    gn_group_slice_homes(g);
    gn_group_cross(g);
    gn_group_slice_homes(g);
    gn_group_values(g);
    reserve_symbols(g);
    write_kernels(g);
    gn_group_small(g);
    gn_group_order(g);
    flatten(g);
}

static void body(void *arg)
{
    run_steps(arg);
}

gn_grouping *gn_group_core(gn_arena *arena, const struct gn_core *core, const gn_target *target)
{
    gn_arena scratch = { .allocator = arena->allocator };
    grouper g = { .arena = arena, .scratch = &scratch, .core = core, .target = target };
    g.out = GN_NEW_OBJECT(arena, gn_grouping);
    const gn_status status = gn_protect(body, &g);
    gn_arena_free(&scratch);
    gn_check(status);
    return g.out;
}
