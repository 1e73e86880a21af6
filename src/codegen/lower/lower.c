/* Lowering, step by step: the kernel's copy and its leaves, legality, placement, storage, barriers, expansion. */
#include <stdio.h>
#include "code_passes.h"
#include "lower.h"

void gn_illegal(const gn_lower *g, const char *format, ...)
{
    char text[600];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    gn_throw(GN_EINVAL, "kernel %s, schedule %s: %s", g->from->name, g->schedule->name, text);
}

const gn_dim **gn_env_copy(gn_lower *g, const gn_dim *const *env)
{
    const gn_dim **copy = GN_NEW_ARRAY(g->arena, const gn_dim *, g->leaves.n + 1);
    if (env) memcpy(copy, env, g->leaves.n * sizeof *copy);
    return copy;
}

/* ---- barriers: before and after a run of shared copies in a loop body ---- */

static bool writes_shared(const gn_tree *t)
{
    if (t->kind == GN_NODE_STMT)
        return t->stmt != GN_STMT_STORE && t->def->object && t->def->object->level == GN_LEVEL_SHARED;
    for (size_t i = 0; i < t->kids.n; i++)
        if (writes_shared(t->kids.at[i])) return true;
    return false;
}

/* `uneven`: a loop around that threads leave at different turns; NULL: none. */
static void add_barriers(gn_lower *g, gn_tree *t, const gn_tree *uneven)
{
    GN_VEC(gn_tree *) kids = { 0 };
    if (t->kind == GN_NODE_FOR && gn_mentions_leaf(g, t->to, GN_BIND_THREAD)) uneven = t;
    for (size_t i = 0; i < t->kids.n; i++) {
        gn_tree *k = t->kids.at[i];
        const bool mine = gn_is_shared_copy(k);
        if (mine && uneven)
            gn_illegal(g, "stage %s shared: threads leave the loop '%s' around it at different turns", k->def->name,
                       g->leaves.at[uneven->leaf].name);
        const bool before = i > 0 && gn_is_shared_copy(t->kids.at[i - 1]);
        const bool after = i + 1 < t->kids.n && gn_is_shared_copy(t->kids.at[i + 1]);
        if (mine && !before) gn_push(g->arena, &kids, gn_tree_new(g, GN_NODE_BARRIER));
        gn_push(g->arena, &kids, k);
        if (mine && !after) gn_push(g->arena, &kids, gn_tree_new(g, GN_NODE_BARRIER));
        if (!mine) add_barriers(g, k, uneven);
    }
    t->kids.at = kids.at;
    t->kids.n = kids.n;
    t->kids.capacity = kids.capacity;
}

/* ---- parallel loops: a chain at the top of a step ---- */

/* Bounds of all loops; a part loop that is not in the chain of its step's top is an ordinary loop. */
static void set_bounds(gn_lower *g, gn_tree *t, const gn_dim **env, bool top)
{
    const gn_dim **inner = env;
    bool chain = top;
    if (t->kind == GN_NODE_FOR) {
        const uint8_t b = g->leaves.at[t->leaf].bind;
        inner = gn_env_copy(g, env);
        inner[t->leaf] = g->leaves.at[t->leaf].value;
        t->to = gn_loop_end(g, t->leaf, env);
        t->unroll = g->leaves.at[t->leaf].unroll;
        chain = top && (b == GN_BIND_PART || b == GN_BIND_BLOCK) && !gn_mentions_leaf(g, t->to, -1);
        t->bind = b == GN_BIND_PART ? (chain ? GN_BIND_PART : GN_BIND_NONE) : b;
        if (b == GN_BIND_BLOCK && !chain)
            gn_illegal(g, "bind block %s: not all statements of the step are in this loop and those around it",
                       g->leaves.at[t->leaf].name);
    }
    size_t loops = 0, others = 0;
    for (size_t i = 0; i < t->kids.n; i++)
        loops += t->kids.at[i]->kind == GN_NODE_FOR, others += t->kids.at[i]->kind == GN_NODE_STMT;
    const bool single = loops == 1 && others == 0;
    for (size_t i = 0; i < t->kids.n; i++)
        set_bounds(g, t->kids.at[i], inner, (t->kind == GN_NODE_STEP || chain) && single);
}

/* A step whose chain is not parallel (several loops side by side under the first) has one part. */
static void apply(gn_lower *g)
{
    gn_lower_kernel(g);
    gn_lower_names(g);
    gn_lower_check(g);
    gn_lower_place(g);
    gn_lower_storage(g);
    for (size_t i = 0; i < g->root->kids.n; i++) set_bounds(g, g->root->kids.at[i], gn_env_copy(g, NULL), true);
    gn_lower_alone(g);
    gn_lower_verify(g);
    if (g->cuda && writes_shared(g->root)) add_barriers(g, g->root, NULL);
    g->out->root = g->root;
    gn_lower_expand(g);
    g->out->code = g->code;
}

gn_scheduled *gn_schedule_apply(gn_arena *arena, const gn_kernel *k, const gn_schedule *s, const gn_target *t)
{
    gn_scheduled *out = gn_schedule_lower(arena, k, s, t);
    gn_code_run_passes(out->code, NULL, NULL);
    return out;
}

gn_scheduled *gn_schedule_lower(gn_arena *arena, const gn_kernel *k, const gn_schedule *s, const gn_target *t)
{
    gn_scheduled *out = GN_NEW_OBJECT(arena, gn_scheduled);
    gn_lower *g = GN_NEW_OBJECT(arena, gn_lower);
    *out = (gn_scheduled){ .kernel = k, .schedule = s, .lower = g };
    *g = (gn_lower){ .arena = arena, .from = k, .schedule = s, .target = t, .out = out, .cuda = t->lang == GN_LANG_CUDA };
    apply(g);
    return out;
}
