/* Loops whose shared copies are started some turns before they are used. What is copied has a part for each turn that
 * is under way, which follow each other as a ring:
 *
 *     start the copies of turns 0 .. n-2, a group each
 *     loop:  await the group of this turn; barrier; start the copies of turn + n - 1, into the part that the turn
 * before has used; use the part of this turn await the last group, so that nothing is under way behind the loop
 *
 * Past the last turn groups are empty. One barrier a turn does for both ends: behind it all threads see the part that
 * has come, and none still uses the one that is written next. */
#include "expand.h"

static const gn_ldef *ring_of(const gn_tree *loop)
{
    for (size_t i = 0; i < loop->kids.n; i++)
        if (gn_is_shared_copy(loop->kids.at[i]) && loop->kids.at[i]->def->object->part) return loop->kids.at[i]->def;
    return NULL;
}

bool gn_is_ring(const gn_tree *loop)
{
    return ring_of(loop);
}

static bool is_within(const gn_tree *s, const gn_tree *loop)
{
    for (size_t i = 0; i < s->above.n; i++)
        if (s->above.at[i] == loop) return true;
    return false;
}

/* Each turn's part is used in that turn, not in a later loop over the same leaf. */
static void check_uses(const gn_lower *g, const gn_tree *loop, const gn_ldef *d)
{
    for (size_t i = 0; i < d->touched.n; i++)
        if (!is_within(d->touched.at[i], loop))
            gn_illegal(g, "stage %s: (depth %d): '%s' reads it in another loop '%s' than the one it is made in",
                       d->name, d->stage->depth, d->touched.at[i]->def->name, g->leaves.at[loop->leaf].name);
}

static void check_alike(const gn_lower *g, const gn_tree *loop, const gn_ldef *ring)
{
    for (size_t i = 0; i < loop->kids.n; i++) {
        const gn_tree *k = loop->kids.at[i];
        if (gn_is_shared_copy(k) && k->def->stage->depth != ring->stage->depth)
            gn_illegal(g, "stage %s: (depth %d) beside '%s' of (depth %d) in the loop '%s'", k->def->name,
                       k->def->stage->depth, ring->name, ring->stage->depth, g->leaves.at[loop->leaf].name);
        if (gn_is_shared_copy(k)) check_uses(g, loop, k->def);
    }
}

/* ---- tokens ---- */

static const gn_place *declare_tokens(gn_expander *x, const gn_tree *loop, uint32_t n)
{
    gn_lower *g = x->g;
    uint32_t *extent = GN_NEW_ARRAY(g->arena, uint32_t, 1);
    gn_place p = {.space = GN_SPACE_REG, .dtype = GN_I64, .lanes = 1, .rank = n > 1, .extent = extent, .token = true};
    *extent = n;
    p.name = gn_lower_name(g, NULL, gn_arena_printf(g->arena, "%s_copies", g->leaves.at[loop->leaf].name));
    return gn_v_node(&x->b, GN_CODE_DECLARE)->place = gn_code_place(g->code, p);
}

static void add_node(gn_expander *x, gn_code_kind kind, const gn_place *tokens, uint32_t number)
{
    gn_code_node *n = gn_v_node(&x->b, kind);
    n->place = tokens, n->number = number;
}

/* ---- copies ---- */

static void set_part(gn_expander *x, const gn_tree *loop, const gn_dim *turn)
{
    gn_lower *g = x->g;
    for (size_t i = 0; i < loop->kids.n; i++) {
        const gn_tree *k = loop->kids.at[i];
        if (!gn_is_shared_copy(k)) continue;
        const gn_dim *part = turn ? gn_dim_mod(g->dims, turn, gn_lconst(g, k->def->stage->depth)) : NULL;
        k->def->object->start = part ? gn_dim_mul(g->dims, k->def->object->part, part) : NULL;
    }
}

/* One group: those of a turn, which may be none. */
static void start_turn(gn_expander *x, const gn_tree *loop, const gn_dim *turn, const gn_dim *turns,
                       const gn_place *tokens)
{
    const gn_pred ahead = gn_pred_less(x, turn, turns);
    const gn_dim *before = x->env[loop->leaf];
    x->env[loop->leaf] = turn;
    x->ahead = &ahead;
    set_part(x, loop, turn);
    for (size_t i = 0; i < loop->kids.n; i++)
        if (gn_is_shared_copy(loop->kids.at[i])) gn_expand_kid(x, loop->kids.at[i]);
    x->ahead = NULL;
    x->env[loop->leaf] = before;
    add_node(x, GN_CODE_COMMIT, tokens, 0);
}

static void expand_turn(gn_expander *x, const gn_tree *loop, const gn_dim *turns, const gn_place *tokens)
{
    gn_lower *g = x->g;
    const gn_dim *now = g->leaves.at[loop->leaf].value;
    add_node(x, GN_CODE_AWAIT, tokens, 0);
    add_node(x, GN_CODE_BARRIER, NULL, 0);
    start_turn(x, loop, gn_ladd(g, now, gn_lconst(g, tokens->n)), turns, tokens);
    set_part(x, loop, now);
    for (size_t i = 0; i < loop->kids.n; i++)
        if (loop->kids.at[i]->kind != GN_NODE_BARRIER && !gn_is_shared_copy(loop->kids.at[i]))
            gn_expand_kid(x, loop->kids.at[i]);
}

void gn_expand_ring(gn_expander *x, const gn_tree *loop)
{
    gn_lower *g = x->g;
    const gn_ldef *ring = ring_of(loop);
    const gn_dim *before = x->env[loop->leaf];
    check_alike(g, loop, ring);
    x->env[loop->leaf] = NULL;
    const gn_dim *turns = gn_leaf_bound(g, loop->leaf, x->env);
    const gn_place *tokens = declare_tokens(x, loop, ring->stage->depth - 1u);
    add_node(x, GN_CODE_BARRIER, NULL, 0);
    for (uint32_t i = 0; i < tokens->n; i++) start_turn(x, loop, gn_lconst(g, i), turns, tokens);
    gn_code_body *outer = x->b.block;
    gn_code_node *n = gn_v_open(x, GN_CODE_FOR);
    n->var = g->leaves.at[loop->leaf].name, n->to = turns, n->unroll = loop->unroll;
    x->env[loop->leaf] = g->leaves.at[loop->leaf].value;
    expand_turn(x, loop, turns, tokens);
    x->b.block = outer;
    x->env[loop->leaf] = before;
    set_part(x, loop, NULL);
    add_node(x, GN_CODE_AWAIT, tokens, tokens->n - 1);
}
