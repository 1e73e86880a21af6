/* Walks over the atoms of dims.
 *
 * Splitting an axis and joining others gives div and mod of one operand, and again of both: a dim of 60 atoms stands
 * for a tree of 2^30. What is looked for in each atom is therefore kept, but for dims that are small as trees, too:
 * most are a name or two, and looking up costs more there. */
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

typedef struct name_walk {
    gn_atom_kind kind;
    void (*visit)(void *user, const char *name);
    void *user;
    const gn_dim *d;
    gn_arena scratch;
} name_walk;

static void meet_name(void *user, const gn_atom *x)
{
    const name_walk *const w = user;
    if (x->kind == w->kind) w->visit(w->user, x->name);
}

static void meet_names(void *user)
{
    name_walk *const w = user;
    gn_visit v = { .arena = &w->scratch, .operand = gn_atom_operand };
    gn_dim_meet(&v, w->d, meet_name, w);
}

static void names_of_atom(name_walk *w, const gn_atom *x)
{
    meet_name(w, x);
    for (uint32_t i = 0; i < x->nin; i++) names_of_atom(w, x->in[i]); /* a small dim's */
}

static void find_names(const gn_dim *d, gn_atom_kind kind, void (*visit)(void *user, const char *name), void *user)
{
    name_walk w = { .kind = kind, .visit = visit, .user = user, .d = d };
    if (!gn_dim_is_small(d)) {
        gn_dim_with_scratch(&w.scratch, meet_names, &w);
        return;
    }
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) names_of_atom(&w, d->term[i].atom[k]);
}

void gn_dim_symbols(const gn_dim *d, void (*visit)(void *user, const char *name), void *user)
{
    find_names(d, GN_DIM_SYM, visit, user);
}

void gn_dim_loads(const gn_dim *d, void (*visit)(void *user, const char *buffer), void *user)
{
    if (gn_dim_has_load(d)) find_names(d, GN_DIM_LOAD, visit, user);
}

uint64_t gn_dim_symbol_bit(const char *name)
{
    return UINT64_C(1) << (gn_hash_bytes(0, name, strlen(name)) & 63);
}

typedef struct search {
    const char *name;
    bool found;
} search;

static void compare_name(void *user, const char *name)
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
    if (some & gn_dim_symbol_bit(symbol)) gn_dim_symbols(d, compare_name, &s);
    return s.found;
}

bool gn_dim_reads(const gn_dim *d, const char *buffer)
{
    search s = { buffer, false };
    gn_dim_loads(d, compare_name, &s);
    return s.found;
}

bool gn_dim_has_load(const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++)
            if (d->term[i].atom[k]->has_load) return true;
    return false;
}
