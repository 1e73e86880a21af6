/* Which nodes belong to which block of a run, and what several of them share. */
#include "code_roll.h"

/* ---- what nodes are made of ---- */

bool gn_roll_is_root(const gn_code_node *n)
{
    return n->kind == GN_CODE_SET || n->kind == GN_CODE_STORE || n->kind == GN_CODE_IF;
}

const gn_val *gn_roll_now(const gn_roller *r, const gn_val *v)
{
    const gn_val *kept = v && v->id ? gn_map_get(&r->kept, v->id) : NULL;
    return kept ? kept : v;
}

void gn_roll_operands(const gn_code_node *n, void (*meet)(void *user, const gn_val **), void *user)
{
    gn_code_operands(n, meet, user);
    for (size_t i = 0; i < n->body.kids.n; i++) gn_roll_operands(n->body.kids.at[i], meet, user);
}

/* The scalar or vector that an operand is or is a splat of. */
const gn_val *gn_roll_source(const gn_roller *r, const gn_val *v)
{
    v = gn_roll_now(r, v);
    return !v->id && v->kind == GN_VAL_SPLAT ? gn_roll_now(r, v->a[0]) : v;
}

/* ---- which blocks a let belongs to ---- */

typedef struct user_of {
    gn_roll_run *u;
    int32_t block;
} user_of;

static void note_use(void *user, const gn_val **operand)
{
    const user_of *w = user;
    const gn_val *const v = gn_roll_source(w->u->r, *operand);
    if (!v->id) return;
    gn_roll_let *l = &w->u->r->let.at[v->id];
    if (l->block == GN_ROLL_OUTSIDE) return;
    l->here++;
    l->block = l->block == GN_ROLL_NOBODY || l->block == w->block ? w->block : GN_ROLL_SHARED;
}

/* What a let reads is written by a root among these nodes: it cannot go past them. */
static bool is_held_back(const gn_roll_run *u, const gn_val *let, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        if (gn_roll_is_root(u->all->at[i]) && gn_code_writes_what(u->all->at[i], let)) return true;
    return false;
}

static size_t begin_of(const gn_roll_run *u, const uint32_t *root_of, int32_t block)
{
    size_t i = u->first;
    while (root_of[i] / u->q < (uint32_t)block) i++;
    return i;
}

/* Those of a branch, which are its block's. */
static void number_lets(gn_roller *r, const gn_code_body *b, int32_t block, uint32_t at)
{
    for (size_t i = 0; i < b->kids.n; i++)
        if (b->kids.at[i]->kind == GN_CODE_LET) {
            gn_roll_let *l = &r->let.at[b->kids.at[i]->val->id];
            l->block = block, l->at = at + (uint32_t)i, l->here = l->uses;
        }
}

/* Lists the lets of each block and those that go before the loop; false: one of them cannot. */
bool gn_roll_sort(gn_roll_run *u, const uint32_t *root_of)
{
    gn_roller *r = u->r;
    bool spare = false;
    for (size_t i = u->first; i < u->last; i++)
        if (u->all->at[i]->kind == GN_CODE_LET)
            r->let.at[u->all->at[i]->val->id].block = GN_ROLL_NOBODY, r->let.at[u->all->at[i]->val->id].here = 0;
    for (size_t i = u->last; i-- > u->first;) {
        const gn_code_node *n = u->all->at[i];
        gn_roll_let *l = n->kind == GN_CODE_LET ? &r->let.at[n->val->id] : NULL;
        if (l && l->block == GN_ROLL_NOBODY) {
            /* used by what follows alone: of its block, or, where no other block has such, made before the run */
            spare |= root_of[i] / u->q > 0;
            l->block = spare ? (int32_t)(root_of[i] / u->q) : GN_ROLL_SHARED;
        }
        gn_roll_operands(n, note_use, &(user_of){ u, l ? l->block : (int32_t)(root_of[i] / u->q) });
    }
    for (size_t i = u->first; i < u->last; i++) {
        gn_code_node *n = u->all->at[i];
        gn_roll_let *l = n->kind == GN_CODE_LET ? &r->let.at[n->val->id] : NULL;
        if (l && l->block == GN_ROLL_SHARED) {
            if (is_held_back(u, n->val, u->first, i)) return false;
            gn_push(r->arena, &u->shared, n);
            continue;
        }
        const int32_t k = l ? l->block : (int32_t)(root_of[i] / u->q);
        gn_roll_nodes *b = &u->block[k];
        if (l && root_of[i] / u->q < (uint32_t)k && is_held_back(u, n->val, i, begin_of(u, root_of, k))) return false;
        if (l) l->at = (uint32_t)b->n;
        else number_lets(r, &n->body, k, (uint32_t)b->n << 12);
        gn_push(r->arena, b, n);
    }
    return true;
}

void gn_roll_forget(gn_roll_run *u)
{
    for (size_t i = u->first; i < u->last; i++) {
        const gn_code_node *n = u->all->at[i];
        if (n->kind == GN_CODE_LET) u->r->let.at[n->val->id].block = GN_ROLL_OUTSIDE;
        else number_lets(u->r, &n->body, GN_ROLL_OUTSIDE, 0);
    }
}
