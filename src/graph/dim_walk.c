/* Walks over the atoms of dims.
 *
 * Splitting an axis and joining others gives div and mod of one operand, and again of both: a dim of 60 atoms stands for a tree of 2^30. What is
 * looked for in each atom is therefore kept, but for dims that are small as trees, too: most are a name or two, and looking up costs more there. */
#include "dim_parts.h"
#include <string.h>

const void *gn_atom_operand(const void *atom, size_t i)
{
    const gn_atom *const x = atom;
    return i < x->nin ? x->in[i] : NULL;
}

void gn_dim_meet(gn_visit *v, const gn_dim *d, void (*meet)(void *user, const gn_atom *), void *user)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            gn_visit_add(v, d->term[i].atom[k]); /* one after the other, so that symbols come in order */
            for (const gn_atom *x; (x = gn_visit_next(v));) meet(user, x);
        }
}

uint32_t gn_dim_size(const gn_dim *d)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) size += d->term[i].atom[k]->size;
    return size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

void gn_dim_walk_over(gn_dim_walk *w, const gn_dim *d)
{
    if (w->busy || gn_dim_is_small(d)) return; /* busy: d is an operand, whose atoms were met before */
    w->busy = true;
    w->visit.arena = w->arena, w->visit.operand = gn_atom_operand;
    gn_dim_meet(&w->visit, d, w->find, w->user);
    w->busy = false;
}

void *gn_dim_walk_get(const gn_dim_walk *w, const gn_atom *x)
{
    return gn_map_get(&w->found, GN_KEY(x));
}

void gn_dim_walk_set(gn_dim_walk *w, const gn_atom *x, const void *what, size_t size)
{
    *gn_map_put(w->arena, &w->found, GN_KEY(x)) = gn_arena_copy(w->arena, what, size);
}

void gn_dim_with_scratch(gn_arena *scratch, void (*body)(void *), void *arg)
{
    const gn_status s = gn_protect(body, arg);
    gn_arena_free(scratch);
    gn_check(s);
}

/* What a dim mentions. */

typedef struct symbol_walk {
    void (*visit)(void *user, const char *name);
    void *user;
    const gn_dim *d;
    gn_arena scratch;
} symbol_walk;

static void meet_symbol(void *user, const gn_atom *x)
{
    const symbol_walk *const w = user;
    if (x->kind == GN_DIM_SYM) w->visit(w->user, x->name);
}

static void meet_symbols(void *user)
{
    symbol_walk *const w = user;
    gn_visit v = { .arena = &w->scratch, .operand = gn_atom_operand };
    gn_dim_meet(&v, w->d, meet_symbol, w);
}

static void symbols_of_atom(const gn_atom *x, void (*visit)(void *user, const char *name), void *user)
{
    if (x->kind == GN_DIM_SYM) visit(user, x->name);
    for (uint32_t i = 0; i < x->nin; i++) symbols_of_atom(x->in[i], visit, user); /* a small dim's */
}

void gn_dim_symbols(const gn_dim *d, void (*visit)(void *user, const char *name), void *user)
{
    symbol_walk w = { .visit = visit, .user = user, .d = d };
    if (!gn_dim_is_small(d)) {
        gn_dim_with_scratch(&w.scratch, meet_symbols, &w);
        return;
    }
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) symbols_of_atom(d->term[i].atom[k], visit, user);
}

uint64_t gn_dim_symbol_bit(const char *name)
{
    return UINT64_C(1) << (gn_hash_bytes(0, name, strlen(name)) & 63);
}

typedef struct search {
    const char *name;
    bool found;
} search;

static void compare_symbol(void *user, const char *name)
{
    search *const s = user;
    s->found = s->found || strcmp(name, s->name) == 0;
}

bool gn_dim_mentions(const gn_dim *d, const char *symbol)
{
    search s = { symbol, false };
    uint64_t some = 0;
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) some |= d->term[i].atom[k]->symbols;
    if (some & gn_dim_symbol_bit(symbol)) gn_dim_symbols(d, compare_symbol, &s);
    return s.found;
}

bool gn_dim_has_load(const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++)
            if (d->term[i].atom[k]->has_load) return true;
    return false;
}
