/* What a prover is told, and what it makes of that: sides of variables, whole numbers, quotients. */
#include "dim_prover.h"
#include <string.h>

gn_dim_facts gn_prover_facts(const gn_prover *p)
{
    return (gn_dim_facts){ p->facts.n, p->facts.at };
}

void gn_prover_range(const gn_prover *p, const gn_dim *d, int64_t *low, int64_t *high)
{
    const gn_dim_facts facts = gn_prover_facts(p);
    gn_dim_range(d, &facts, low, high);
}

int64_t gn_prover_least(const gn_prover *p, const gn_dim *d)
{
    int64_t low, high;
    gn_prover_range(p, d, &low, &high);
    return low;
}

const gn_dim *gn_term_dim(gn_dim_pool *pool, const gn_term *t, int64_t factor)
{
    const gn_term one = { factor, t->n, t->atom };
    return gn_dim_intern(pool, &one, factor != 0);
}

/* That the dim is; NULL. */
const gn_atom *gn_dim_lone_atom(const gn_dim *d)
{
    return d->n == 1 && d->term[0].n == 1 && d->term[0].c == 1 ? d->term[0].atom[0] : NULL;
}

const gn_dim *gn_dim_below(gn_dim_pool *q, const gn_dim *a, const gn_dim *b) /* b - a - 1 */
{
    return gn_dim_sub(q, gn_dim_sub(q, b, a), gn_dim_const(q, 1));
}

/* ---- what is told ---- */

gn_prover_mark gn_prover_remember(const gn_prover *p)
{
    return (gn_prover_mark){ p->facts.n, p->known.n, p->tightened.n };
}

void gn_prover_forget(gn_prover *p, gn_prover_mark m)
{
    while (p->tightened.n > m.tightened) {
        const gn_tightened t = gn_pop(&p->tightened);
        p->facts.at[t.at] = t.before;
    }
    p->facts.n = m.facts;
    p->known.n = m.known;
}

/* sign x + k >= 0: where a variable lies. */
static void tighten_one(gn_prover *p, const char *name, int64_t sign, int64_t k)
{
    for (size_t i = 0; i < p->facts.n; i++) {
        gn_dim_fact *const f = &p->facts.at[i];
        if (strcmp(f->name, name) != 0 || k == INT64_MIN || (sign > 0 ? -k <= f->min : k >= f->max)) continue;
        gn_push(p->arena, &p->tightened, ((gn_tightened){ i, *f }));
        if (sign > 0) f->min = -k;
        else f->max = k;
    }
}

static bool only_lessens(const gn_prover *p, const gn_term *t)
{
    const gn_atom *const a = t->n == 1 ? t->atom[0] : NULL;
    return a && t->c < 0 && a->kind == GN_DIM_SYM && gn_prover_least(p, gn_dim_of_atom(p->pool, a)) >= 0;
}

/* The sum without those of its terms that cannot make it larger, if others are there. */
static const gn_dim *without_lessening(const gn_prover *p, const gn_dim *d)
{
    const gn_dim *rest = d;
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_term *const t = &d->term[i];
        if (only_lessens(p, t)) rest = gn_dim_sub(p->pool, rest, gn_term_dim(p->pool, t, t->c));
    }
    return gn_dim_is_const(rest, NULL) ? d : rest;
}

/* Likewise of the factors of m n > 0, none of which is negative. */
static void tighten(gn_prover *p, const gn_dim *d)
{
    const gn_term *const t = d->n && d->n <= 2 ? &d->term[0] : NULL;
    const int64_t k = gn_dim_constant(d);
    bool all = t && (t->c == 1 || t->c == -1) && !(d->n == 2 && d->term[1].n) && (t->n == 1 || (t->c == 1 && k < 0));
    for (uint32_t i = 0; all && i < t->n; i++)
        all = t->atom[i]->kind == GN_DIM_SYM && (t->n == 1 || gn_prover_least(p, gn_dim_of_atom(p->pool, t->atom[i])) >= 0);
    for (uint32_t i = 0; all && i < t->n; i++) tighten_one(p, t->atom[i]->name, t->c, t->n == 1 ? k : -1);
}

/* Of whole numbers: 4 n - 6 >= 0 is n - 2 >= 0. */
int64_t gn_dim_content(const gn_dim *d)
{
    int64_t all = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->term[i].n) all = gn_gcd(all, d->term[i].c);
    return all;
}

const gn_dim *gn_dim_without_content(gn_dim_pool *pool, const gn_dim *d)
{
    const int64_t all = gn_dim_content(d);
    return all > 1 ? gn_dim_div(pool, d, gn_dim_const(pool, all)) : d;
}

/* Its atoms are of no later kind. */
static bool is_up_to(const gn_dim *d, gn_atom_kind kind)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++)
            if (d->term[i].atom[k]->kind > kind) return false;
    return true;
}

/* 64 n + 16 q - 32 i - l > 0, where l >= 0: 4 n + q - 2 i > 0, in whole numbers more than 0 by 1. NULL: nothing is gained. */
static const gn_dim *coarse(const gn_prover *p, const gn_dim *d)
{
    const gn_dim *rest = d;
    int64_t all = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->term[i].n && !only_lessens(p, &d->term[i])) all = gn_gcd(all, d->term[i].c);
    for (uint32_t i = 0; all > 1 && i < d->n; i++)
        if (d->term[i].n && d->term[i].c % all != 0)
            rest = gn_dim_sub(p->pool, rest,
                              gn_dim_scale(p->pool, gn_dim_of_atom(p->pool, d->term[i].atom[0]), d->term[i].c));
    return rest != d ? gn_dim_without_content(p->pool, rest) : NULL;
}

/* (x div c) + rest >= 0: x + c rest >= 0. NULL: it is of another form. */
static const gn_dim *undivided(const gn_prover *p, const gn_dim *d)
{
    gn_dim_pool *const q = p->pool;
    int64_t c;
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_atom *const a = d->term[i].n == 1 && d->term[i].c == 1 ? d->term[i].atom[0] : NULL;
        if (!a || a->kind != GN_DIM_DIV || !gn_dim_is_const(a->b, &c) || c < 1 || c > GN_PROVER_MOST) continue;
        return gn_dim_add(q, a->a, gn_dim_scale(q, gn_dim_sub(q, d, gn_dim_of_atom(q, a)), c));
    }
    return NULL;
}

static void know_sum(gn_prover *p, const gn_dim *d)
{
    int64_t c = -1; /* what never holds is known, too */
    tighten(p, without_lessening(p, d));
    tighten(p, d);
    if (!gn_dim_is_const(d, &c) || c < 0) gn_push(p->arena, &p->known, d);
}

typedef struct told {
    gn_prover *p;
    const gn_dim *d;
} told;

static void learn(void *arg)
{
    gn_prover *const p = ((told *)arg)->p;
    const gn_dim *d = ((told *)arg)->d;
    const gn_dim_facts facts = gn_prover_facts(p);
    if (!is_up_to(d, GN_DIM_SYM)) d = gn_dim_simplify(p->pool, d, &facts); /* as goals are */
    d = gn_dim_without_content(p->pool, d);
    know_sum(p, d);
    const gn_dim *const all = undivided(p, d), *const more = coarse(p, d);
    if (all) know_sum(p, gn_dim_without_content(p->pool, all));
    if (more && !gn_dim_is_const(more, NULL)) gn_push(p->arena, &p->known, more);
}

/* A sum that overflows tells nothing. */
void gn_prover_know(gn_prover *p, const gn_dim *d)
{
    told t = { p, d };
    const gn_status status = gn_protect(learn, &t);
    if (status && status != GN_ENOMEM) gn_rethrow(status);
}

void gn_prover_know_less(gn_prover *p, const gn_dim *a, const gn_dim *b)
{
    gn_prover_know(p, gn_dim_below(p->pool, a, b));
}

/* In a turn of a loop from 0 to max(0, n) there are n. */
static const gn_dim *count_of(const gn_dim *from, const gn_dim *to)
{
    const gn_atom *const a = gn_dim_lone_atom(to);
    if (from || !a || a->kind != GN_DIM_MAX) return to;
    return gn_dim_is(a->a, 0) ? a->b : gn_dim_is(a->b, 0) ? a->a : to;
}

/* first <= v < to: there is a turn. */
static void know_turn(gn_prover *p, const gn_dim *first, const gn_dim *v, const gn_dim *to)
{
    gn_prover_know_less(p, v, to);
    gn_prover_know_less(p, first, to);
}

void gn_prover_know_range(gn_prover *p, const char *name, const gn_dim *from, const gn_dim *to)
{
    const gn_dim *const v = gn_dim_sym(p->pool, name), *const first = from ? from : gn_dim_const(p->pool, 0);
    int64_t low, most, other;
    to = count_of(from, to);
    gn_prover_range(p, to, &other, &most);
    gn_prover_range(p, first, &low, &other);
    if (low < 0 && gn_prover_proves(p, first)) low = 0;
    if (most != INT64_MAX) most--;
    const gn_dim *const limit = is_up_to(to, GN_DIM_MOD) ? to : NULL; /* facts know no choice */
    const gn_dim_fact f = { .name = name, .mul = 1, .min = low, .max = most < low ? low : most, .limit = limit };
    gn_push(p->arena, &p->facts, f);
    const gn_atom *const both = gn_dim_lone_atom(to);
    if (both && both->kind == GN_DIM_MIN) {
        know_turn(p, first, v, both->a);
        know_turn(p, first, v, both->b);
    }
    know_turn(p, first, v, to);
    if (from) gn_prover_know(p, gn_dim_sub(p->pool, v, from));
}
