/* Names below the border of lowering. Those of the kernel and of the schedule's leaves are unique when they come here;
 * what lowering adds, kept definitions and counters, is named by gn_lower_name alone. So a name means one thing in
 * every index and every text, whatever a user called his arrays. How it is spelled in C is the emitter's to settle. */
#include "lower.h"

static void **place_of(gn_lower *g, const char *name)
{
    return gn_map_put(g->arena, &g->names, GN_KEY(gn_symbol(g->arena, &g->dims->symbols, name)));
}

void gn_lower_names(gn_lower *g)
{
    for (size_t i = 0; i < g->kernel->syms.n; i++) *place_of(g, g->kernel->syms.at[i].name) = g;
    for (size_t i = 0; i < g->kernel->bufs.n; i++) *place_of(g, g->kernel->bufs.at[i].name) = g;
    for (size_t i = 0; i < g->axes.n; i++) *place_of(g, g->axes.at[i].name) = g;
    for (size_t i = 0; i < g->leaves.n; i++) *place_of(g, g->leaves.at[i].name) = g;
    for (size_t i = 0; i < g->items.n; i++)
        if (!g->items.at[i]->is_store) *place_of(g, g->items.at[i]->name) = g->items.at[i];
}

const char *gn_lower_name(gn_lower *g, const gn_ldef *own, const char *wanted)
{
    const char *name = wanted;
    void **taken = place_of(g, name);
    for (int i = 2; *taken && (!own || *taken != own); i++) {
        name = gn_arena_printf(g->arena, "%s_%d", wanted, i);
        taken = place_of(g, name);
    }
    *taken = g;
    return name;
}
