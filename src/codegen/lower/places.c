/* Injectivity of index maps, by mixed radix. */
#include "dim_parts.h"
#include "places.h"

/* Symbols of axes that are determined; those of leaves take their places once axes alone lead no further. */
typedef struct search {
    gn_lower *g;
    gn_map moving;                    /* symbols of axes and leaves -> 1 not known, 2 known to be equal */
    gn_map atoms;                     /* quotients, remainders, loads that are known to be equal */
    GN_VEC(const gn_dim *) sums;      /* equal for both points */
    GN_VEC(gn_dim_fact) facts;        /* symbols, axes, leaves */
    bool moved;                       /* something new is known */
} search;

enum { UNKNOWN = 1, EQUAL = 2 };

static const char *symbol_of(const gn_dim *d)
{
    return d->term[0].atom[0]->name;
}

static uintptr_t state_of(const search *s, const char *symbol)
{
    return (uintptr_t)gn_map_get(&s->moving, GN_KEY(symbol));
}

static void set_state(search *s, const char *symbol, uintptr_t state)
{
    *gn_map_put(s->g->arena, &s->moving, GN_KEY(symbol)) = (void *)state;
}

/* ---- what is equal for both points ---- */

typedef struct known {
    const search *s;
    gn_map of; /* atoms: equal */
} known;

static bool are_known(const known *k, const gn_dim *d)
{
    for (uint32_t t = 0; d && t < d->n; t++)
        for (uint32_t i = 0; i < d->term[t].n; i++)
            if (!gn_map_get(&k->of, GN_KEY(d->term[t].atom[i]))) return false;
    return true;
}

static bool is_stored(const search *s, const gn_atom *load)
{
    const int32_t b = gn_kernel_find_buf(s->g->kernel, load->name);
    return b < 0 || s->g->kernel->bufs.at[b].access & GN_KBUF_WRITE;
}

static void note_known(void *user, const gn_atom *a)
{
    known *k = user;
    bool equal = gn_map_get(&k->s->atoms, GN_KEY(a)) != NULL;
    if (a->kind == GN_DIM_SYM) equal = state_of(k->s, a->name) != UNKNOWN;
    else if (!equal) equal = are_known(k, a->a) && are_known(k, a->b) && (a->kind != GN_DIM_LOAD || !is_stored(k->s, a));
    if (equal) *gn_map_put(k->s->g->arena, &k->of, GN_KEY(a)) = (void *)a;
}

static bool is_known(const search *s, const gn_dim *d)
{
    known k = { .s = s };
    gn_visit v = { .arena = s->g->arena, .operand = gn_atom_operand };
    gn_dim_meet(&v, d, note_known, &k);
    return are_known(&k, d);
}

static bool is_atom_known(const search *s, const gn_atom *a)
{
    return is_known(s, gn_dim_of_atom(s->g->dims, a));
}

/* ---- digits ---- */

typedef struct digit {
    const gn_atom *atom;  /* NULL: a product of several that are not known */
    const gn_dim *factor; /* equal for both points */
    const gn_dim *count;  /* values that the atom may have; NULL: any */
    const gn_dim *most;   /* the most that factor * atom differs by; NULL: anything */
} digit;

typedef GN_VEC(digit) digits;

static bool nonnegative(search *s, const gn_dim *d)
{
    const gn_dim_facts f = { s->facts.n, s->facts.at };
    return gn_dim_nonnegative(s->g->dims, d, &f);
}

static const gn_dim *limit_of(const search *s, const char *symbol)
{
    for (size_t i = 0; i < s->facts.n; i++)
        if (s->facts.at[i].name == symbol) return s->facts.at[i].limit;
    return NULL;
}

static void note_moving(void *user, const char *symbol)
{
    const search *s = ((void **)user)[0];
    if (state_of(s, symbol)) *(bool *)((void **)user)[1] = true;
}

/* No axis and no leaf is in it. */
static bool stands_still(search *s, const gn_dim *d)
{
    bool moves = false;
    gn_dim_symbols(d, note_moving, (void *[]){ s, &moves });
    return !moves;
}

/* How many values the atom may have, one after the other, by how much less one two of them may differ; NULL: any. */
static const gn_dim *count_of(search *s, const gn_atom *a)
{
    gn_lower *g = s->g;
    const gn_dim_facts f = { s->facts.n, s->facts.at };
    const gn_dim *self = gn_dim_of_atom(g->dims, a);
    int64_t low, high, span;
    if (a->kind == GN_DIM_SYM) return limit_of(s, a->name);
    gn_dim_range(self, &f, &low, &high);
    if (low != INT64_MIN && high != INT64_MAX && !__builtin_sub_overflow(high, low, &span) && span < INT64_MAX)
        return gn_lconst(g, span + 1);
    if (a->kind == GN_DIM_MOD && is_known(s, a->b) && nonnegative(s, gn_lsub(g, a->b, gn_lconst(g, 1)))) return a->b;
    if (a->kind == GN_DIM_DIV && is_known(s, a->b) && nonnegative(s, a->a) && nonnegative(s, a->b)) {
        const gn_dim *end = gn_dim_div(g->dims, gn_axis_most(g, a->a), a->b);
        return gn_grows(g, a->a) && stands_still(s, end) ? gn_ladd(g, end, gn_lconst(g, 1)) : NULL;
    }
    return NULL;
}

/* It has a value, which says something of sizes: of (i j) in rows of n - 1, n is at least 2. */
static bool follows(search *s, const digits *all, const gn_dim *d)
{
    gn_lower *g = s->g;
    if (nonnegative(s, d)) return true;
    for (size_t i = 0; i < all->n; i++) {
        const gn_dim *some = all->at[i].count ? gn_lsub(g, all->at[i].count, gn_lconst(g, 1)) : gn_lconst(g, 0);
        for (uint32_t t = 0; t < some->n; t++)
            for (uint32_t k = 0; k < d->n; k++) {
                const gn_term *x = &some->term[t], *y = &d->term[k];
                if (!x->n || x->n != y->n || memcmp(x->atom, y->atom, x->n * sizeof *x->atom) || y->c / x->c < 1) continue;
                if (nonnegative(s, gn_lsub(g, d, gn_lscale(g, some, y->c / x->c)))) return true;
            }
    }
    return false;
}

static const gn_dim *most_of(search *s, const digits *all, const digit *d)
{
    gn_lower *g = s->g;
    if (!d->count) return NULL;
    const gn_dim *by = gn_lsub(g, d->count, gn_lconst(g, 1)), *minus = gn_lscale(g, d->factor, -1);
    if (follows(s, all, d->factor)) return gn_dim_mul(g->dims, d->factor, by);
    return follows(s, all, minus) ? gn_dim_mul(g->dims, minus, by) : NULL;
}

static void add_term(search *s, digits *all, const gn_term *t)
{
    gn_lower *g = s->g;
    const gn_atom *unknown = NULL;
    const gn_dim *factor = gn_lconst(g, t->c);
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n; i++) {
        if (is_atom_known(s, t->atom[i])) factor = gn_dim_mul(g->dims, factor, gn_dim_of_atom(g->dims, t->atom[i]));
        else unknown = t->atom[i], n++;
    }
    if (!n) return;
    for (size_t i = 0; n == 1 && i < all->n; i++)
        if (all->at[i].atom == unknown) {
            all->at[i].factor = gn_ladd(g, all->at[i].factor, factor);
            return;
        }
    gn_push(g->arena, all, (digit){ n == 1 ? unknown : NULL, factor, NULL, NULL });
}

static digits digits_of(search *s, const gn_dim *sum)
{
    digits all = { 0 };
    for (uint32_t t = 0; t < sum->n; t++) add_term(s, &all, &sum->term[t]);
    for (size_t i = 0; i < all.n; i++)
        if (all.at[i].atom) all.at[i].count = count_of(s, all.at[i].atom);
    for (size_t i = 0; i < all.n; i++) all.at[i].most = most_of(s, &all, &all.at[i]);
    return all;
}

/* ---- steps ---- */

static void learn(search *s, const gn_atom *a)
{
    if (a->kind == GN_DIM_SYM) set_state(s, a->name, EQUAL);
    else *gn_map_put(s->g->arena, &s->atoms, GN_KEY(a)) = (void *)a;
    s->moved = true;
}

/* x div m and x mod m, which give x. */
static void learn_parts(search *s, const gn_atom *a)
{
    gn_dim_pool *p = s->g->dims;
    if ((a->kind != GN_DIM_DIV && a->kind != GN_DIM_MOD) || !is_atom_known(s, a) || !is_known(s, a->b) ||
        is_known(s, a->a))
        return;
    const gn_dim *other = a->kind == GN_DIM_DIV ? gn_dim_mod(p, a->a, a->b) : gn_dim_div(p, a->a, a->b);
    if (!is_known(s, other) || !nonnegative(s, gn_lsub(s->g, a->b, gn_lconst(s->g, 1)))) return;
    for (size_t i = 0; i < s->sums.n; i++)
        if (s->sums.at[i] == a->a) return;
    gn_push(s->g->arena, &s->sums, a->a);
    s->moved = true;
}

static bool exceeds_others(search *s, const digits *all, size_t which)
{
    gn_lower *g = s->g;
    const gn_dim *factor = all->at[which].factor, *others = gn_lconst(g, 1);
    for (size_t i = 0; i < all->n; i++) {
        if (i == which) continue;
        if (!all->at[i].most) return false;
        others = gn_ladd(g, others, all->at[i].most);
    }
    return follows(s, all, gn_lsub(g, factor, others)) || follows(s, all, gn_lsub(g, gn_lscale(g, factor, -1), others));
}

static void read_sum(search *s, const gn_dim *sum)
{
    const digits all = digits_of(s, sum);
    for (size_t i = 0; i < all.n; i++) {
        if (!all.at[i].atom || !exceeds_others(s, &all, i)) continue;
        learn(s, all.at[i].atom);
        return; /* what is left is read next time */
    }
}

static void note_parts(void *user, const gn_atom *a)
{
    learn_parts(user, a);
}

static void exhaust(search *s)
{
    do {
        s->moved = false;
        for (size_t i = 0; i < s->sums.n; i++) {
            gn_visit v = { .arena = s->g->arena, .operand = gn_atom_operand };
            read_sum(s, s->sums.at[i]);
            gn_dim_meet(&v, s->sums.at[i], note_parts, s);
        }
    } while (s->moved);
}

/* ---- leaves in place of axes ---- */

/* Axes as the sums of their leaves, which may say more: of i div 16 that i's tiles of 16 are apart. */
static void go_to_leaves(search *s)
{
    gn_lower *g = s->g;
    const gn_dim *const *all = gn_axes_over_leaves(g, g->axes.n);
    const gn_dim **value = GN_NEW_ARRAY(g->arena, const gn_dim *, g->axes.n + 1);
    for (uint32_t a = 0; a < g->axes.n; a++) {
        const gn_laxis *x = &g->axes.at[a];
        if (state_of(s, symbol_of(gn_dim_sym(g->dims, x->name))) != EQUAL) value[a] = all[a];
        for (size_t i = 0; !value[a] && i < x->leaf.n; i++)
            set_state(s, symbol_of(g->leaves.at[x->leaf.at[i]].value), EQUAL);
    }
    const gn_dim_facts f = { s->facts.n, s->facts.at };
    for (size_t i = 0; i < s->sums.n; i++)
        s->sums.at[i] = gn_dim_simplify(g->dims, gn_subst_axes(g, s->sums.at[i], value), &f);
}

/* From 0 to below its extent at most: two points may lie at different ends, so that no other axis is in the limit. */
static void add_moving(search *s, gn_dim_fact f, const gn_dim *extent)
{
    gn_lower *g = s->g;
    int64_t n;
    f.min = 0;
    f.limit = gn_grows(g, extent) ? gn_axis_most(g, extent) : NULL;
    if (f.limit && gn_dim_is_const(f.limit, &n) && n > 0) f.max = n - 1;
    gn_push(g->arena, &s->facts, f);
    set_state(s, f.name, UNKNOWN);
}

static void add_facts(search *s)
{
    gn_lower *g = s->g;
    for (size_t i = 0; i < g->kernel->syms.n; i++) gn_push(g->arena, &s->facts, g->facts.at[i]);
    for (uint32_t a = 0; a < g->axes.n; a++)
        add_moving(
            s, (gn_dim_fact){ .name = symbol_of(gn_dim_sym(g->dims, g->axes.at[a].name)), .mul = 1, .max = INT64_MAX },
            g->axes.at[a].extent);
    for (uint32_t l = 0; l < g->leaves.n; l++) /* not an axis that is its own leaf */
        if (!state_of(s, symbol_of(g->leaves.at[l].value)))
            add_moving(s, g->facts.at[g->kernel->syms.n + l], g->leaves.at[l].points);
}

static gn_places places_found(const search *s)
{
    const gn_lower *g = s->g;
    gn_places p = { 0 };
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (state_of(s, symbol_of(g->leaves.at[l].value)) == EQUAL) gn_set_put(&p.leaves, l);
    for (uint32_t a = 0; a < g->axes.n; a++) {
        bool all = true;
        for (size_t i = 0; i < g->axes.at[a].leaf.n; i++) all &= gn_set_has(&p.leaves, g->axes.at[a].leaf.at[i]);
        if (all) gn_set_put(&p.axes, a);
    }
    return p;
}

/* ---- indices ---- */

/* Rows do not overlap, so that places are equal only where all indices are. */
static bool rows_are_apart(gn_lower *g, const gn_kbuf *b)
{
    if (!b->stride) return true;
    search s = { .g = g };
    const gn_dim *sum = gn_lconst(g, 0), **at = GN_NEW_ARRAY(g->arena, const gn_dim *, b->rank + 1u);
    for (size_t i = 0; i < g->kernel->syms.n; i++) gn_push(g->arena, &s.facts, g->facts.at[i]);
    for (size_t d = 0; d < b->rank; d++) {
        at[d] = gn_dim_sym(g->dims, gn_arena_printf(g->arena, "@%zu", d));
        add_moving(&s, (gn_dim_fact){ .name = symbol_of(at[d]), .mul = 1, .max = INT64_MAX }, b->shape[d]);
        sum = gn_ladd(g, sum, gn_dim_mul(g->dims, b->stride[d], at[d]));
    }
    gn_push(g->arena, &s.sums, sum);
    exhaust(&s);
    bool all = true;
    for (size_t d = 0; d < b->rank; d++) all &= gn_dim_is(b->shape[d], 1) || state_of(&s, symbol_of(at[d])) == EQUAL;
    return all;
}

gn_places gn_places_of(gn_lower *g, const gn_ldef *d, const gn_ldef *other)
{
    search s = { .g = g };
    const gn_kbuf *b = &g->kernel->bufs.at[d->store->buf];
    const bool apart = rows_are_apart(g, b);
    add_facts(&s);
    for (size_t i = 0; apart && i < b->rank; i++)
        if (!other || other->store->index[i] == d->store->index[i]) gn_push(g->arena, &s.sums, d->store->index[i]);
    const gn_dim *flat = gn_kernel_flat(g->kernel, d->store->buf, d->store->index);
    if (!apart && (!other || gn_kernel_flat(g->kernel, d->store->buf, other->store->index) == flat))
        gn_push(g->arena, &s.sums, flat);
    exhaust(&s);
    go_to_leaves(&s);
    exhaust(&s);
    return places_found(&s);
}

/* ---- two stores ---- */

static const gn_dim *renamed(void *user, const char *symbol)
{
    gn_lower *g = user;
    return gn_map_get(&g->axis_of, GN_KEY(symbol)) ? gn_dim_sym(g->dims, gn_arena_printf(g->arena, "%s'", symbol)) : NULL;
}

/* The axes of another point. */
static void add_renamed(search *s)
{
    const size_t first = s->g->kernel->syms.n;
    for (size_t a = 0; a < s->g->axes.n; a++) {
        gn_dim_fact f = s->facts.at[first + a];
        f.name = symbol_of(renamed(s->g, f.name));
        gn_push(s->g->arena, &s->facts, f);
    }
}

/* Coefficients of all that moves have a divisor that the constant lacks: 2 i and 2 j + 1. */
static bool is_never_zero(const gn_dim *d)
{
    int64_t all = 0, constant = 0;
    for (uint32_t t = 0; t < d->n; t++) {
        if (d->term[t].n) all = gn_gcd(all, d->term[t].c);
        else constant = d->term[t].c;
    }
    return all ? constant % all != 0 : constant != 0;
}

bool gn_places_apart(gn_lower *g, const gn_ldef *a, const gn_ldef *b)
{
    const gn_kbuf *buf = &g->kernel->bufs.at[a->store->buf];
    search s = { .g = g };
    add_facts(&s);
    add_renamed(&s);
    if (!rows_are_apart(g, buf)) return false;
    for (size_t i = 0; i < buf->rank; i++) {
        const gn_dim *other = gn_dim_subst(g->dims, b->store->index[i], renamed, g),
                     *d = gn_lsub(g, a->store->index[i], other);
        if (is_never_zero(d) || nonnegative(&s, gn_lsub(g, d, gn_lconst(g, 1))) ||
            nonnegative(&s, gn_lsub(g, gn_lscale(g, d, -1), gn_lconst(g, 1))))
            return true;
    }
    return false;
}
