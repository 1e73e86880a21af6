/* Proofs that index expressions are not negative. Products go first, as rows and columns of an index: of m (n - i) - j, if
 * n - i is at least 1, m - j is left. In a sum each term has to come from what is known, with the same sign, and brings
 * others along that come from others again. Of what comes together so a combination is looked for. */
#include "dim_combine.h"
#include "dim_prover.h"
#include <string.h>

enum { MOST_SPLIT = 2, MOST_GOALS = 24, MOST_ATOMS = 24 };

typedef struct needed { /* a product that a sum needs with this sign */
    gn_term product;
    int sign;
    size_t looked; /* so many of what is known were asked for it */
} needed;

typedef struct proof {
    gn_prover *p;
    gn_arena *arena;
    GN_VEC(const gn_dim *) known;           /* what was told, then what atoms are */
    GN_VEC(needed) need;
    GN_VEC(const gn_atom *) atoms;          /* in them */
    const gn_dim *column[GN_COMBINE_MOST];
    gn_term row[GN_COMBINE_MOST];
    int ncolumns, nrows;
} proof;

/* ---- what atoms are ---- */

static void know(proof *x, const gn_dim *d)
{
    if (!gn_dim_is_const(d, NULL)) gn_push(x->arena, &x->known, gn_dim_without_content(x->p->pool, d));
}

/* Of a variable, or of what a buffer has for elements. */
static void know_fact(proof *x, const gn_atom *a, const gn_dim *d)
{
    gn_dim_pool *const q = x->p->pool;
    for (size_t i = x->p->facts.n; i-- > 0;) {
        const gn_dim_fact *const f = &x->p->facts.at[i];
        if (strcmp(f->name, a->name) != 0) continue;
        if (f->limit) know(x, gn_dim_below(q, d, f->limit));
        if (f->max != INT64_MAX && f->max > -GN_PROVER_MOST) know(x, gn_dim_sub(q, gn_dim_const(q, f->max), d));
        if (f->min != INT64_MIN && f->min < GN_PROVER_MOST) know(x, gn_dim_sub(q, d, gn_dim_const(q, f->min)));
        return;
    }
}

/* a div b <= c div b, for a <= c. */
static void know_rising(proof *x, const gn_atom *a)
{
    const gn_dim_facts facts = gn_prover_facts(x->p);
    gn_dim_pool *const q = x->p->pool;
    for (size_t i = 0; i < x->atoms.n; i++) {
        const gn_atom *const c = x->atoms.at[i];
        if (c->kind != GN_DIM_DIV || c->b != a->b || c == a) continue;
        const gn_dim *const more = gn_dim_sub(q, c->a, a->a), *const d = gn_dim_of_atom(q, a), *const e = gn_dim_of_atom(q, c);
        if (gn_dim_nonnegative(q, more, &facts)) know(x, gn_dim_sub(q, e, d));
        else if (gn_dim_nonnegative(q, gn_dim_scale(q, more, -1), &facts)) know(x, gn_dim_sub(q, d, e));
    }
}

/* Known from what symbols are multiples of. */
static bool divides(const gn_prover *p, const gn_dim *b, const gn_dim *a)
{
    const gn_dim_facts facts = gn_prover_facts(p);
    int64_t by;
    return gn_dim_is_const(b, &by) && gn_dim_divisible(a, by, &facts);
}

/* a div b, where `end` is more than a: end = e b gives a div b < e. */
static void know_below(proof *x, const gn_atom *a, const gn_dim *end)
{
    gn_dim_pool *const q = x->p->pool;
    const gn_dim *const e = gn_dim_exact(q, end, a->b), *const left = e ? gn_dim_below(q, gn_dim_of_atom(q, a), e) : NULL;
    if (left) know(x, left), know(x, gn_dim_mul(q, a->b, left));
}

/* A quotient by what is no number lies where its operand says. */
static void know_quotient(proof *x, const gn_atom *a)
{
    gn_dim_pool *const q = x->p->pool;
    const gn_dim *const one = gn_dim_const(q, 1);
    const gn_atom *const least_of = gn_dim_lone_atom(a->a);
    if (gn_dim_is_const(a->b, NULL)) return;
    if (gn_prover_least(x->p, a->a) >= 0) know(x, gn_dim_of_atom(q, a));
    for (size_t i = 0; i < x->p->known.n; i++)
        know_below(x, a, gn_dim_add(q, gn_dim_add(q, x->p->known.at[i], a->a), one));
    if (!least_of || least_of->kind != GN_DIM_MIN) return;
    know_below(x, a, gn_dim_add(q, least_of->a, one)), know_below(x, a, gn_dim_add(q, least_of->b, one));
}

/* b (a div b) <= a < b (a div b) + b, a mod b < b, min(a, b) <= a and so on. */
static void know_atom(proof *x, const gn_atom *a)
{
    gn_dim_pool *const q = x->p->pool;
    const gn_dim *const d = gn_dim_of_atom(q, a);
    if (a->kind == GN_DIM_SYM || a->kind == GN_DIM_LOAD) {
        know_fact(x, a, d);
        return;
    }
    if (a->kind == GN_DIM_MIN || a->kind == GN_DIM_MAX) {
        const int64_t sign = a->kind == GN_DIM_MIN ? 1 : -1;
        know(x, gn_dim_scale(q, gn_dim_sub(q, a->a, d), sign));
        know(x, gn_dim_scale(q, gn_dim_sub(q, a->b, d), sign));
        return;
    }
    if (gn_prover_least(x->p, a->b) < 1) return;
    const gn_dim *const rest = a->kind == GN_DIM_MOD ? d : gn_dim_sub(q, a->a, gn_dim_mul(q, a->b, d));
    know(x, rest);
    know(x, divides(x->p, a->b, a->a) ? gn_dim_scale(q, rest, -1) : gn_dim_below(q, rest, a->b));
    if (a->kind == GN_DIM_DIV) know_rising(x, a), know_quotient(x, a);
}

static void meet_atoms(proof *x, const gn_term *t)
{
    for (uint32_t k = 0; k < t->n; k++) {
        bool met = x->atoms.n == MOST_ATOMS;
        for (size_t i = 0; i < x->atoms.n && !met; i++) met = x->atoms.at[i] == t->atom[k];
        if (met) continue;
        gn_push(x->arena, &x->atoms, t->atom[k]);
        know_atom(x, t->atom[k]);
    }
}

/* ---- what a combination may be made of ---- */

static int row_of(proof *x, const gn_term *t)
{
    for (int i = 0; i < x->nrows; i++)
        if (x->row[i].atom == t->atom) return i;
    if (x->nrows == GN_COMBINE_MOST - 1) return -1; /* one is for constants */
    x->row[x->nrows] = *t;
    return x->nrows++;
}

static void need(proof *x, const gn_term *t, int sign)
{
    if (t->n == 0) return;
    for (size_t i = 0; i < x->need.n; i++)
        if (x->need.at[i].product.atom == t->atom && x->need.at[i].sign == sign) return;
    gn_push(x->arena, &x->need, ((needed){ { 1, t->n, t->atom }, sign, 0 }));
    meet_atoms(x, t);
}

/* d may be taken as often as one likes: its other terms are then too many. */
static void add_column(proof *x, const gn_dim *d)
{
    if (x->ncolumns == GN_COMBINE_MOST - 1) return; /* one is for the goal */
    for (int i = 0; i < x->ncolumns; i++)
        if (x->column[i] == d) return;
    x->column[x->ncolumns++] = d;
    for (uint32_t i = 0; i < d->n; i++) need(x, &d->term[i], d->term[i].c > 0 ? -1 : 1);
}

static bool has(const gn_dim *d, const needed *m)
{
    for (uint32_t i = 0; i < d->n; i++)
        if (d->term[i].atom == m->product.atom && (d->term[i].c > 0 ? 1 : -1) == m->sign) return true;
    return false;
}

/* By where the product lies. */
static void add_bound(proof *x, const needed *m)
{
    gn_dim_pool *const q = x->p->pool;
    const gn_dim *const d = gn_term_dim(q, &m->product, 1);
    int64_t low, high;
    gn_prover_range(x->p, d, &low, &high);
    if (m->sign > 0 && low > -GN_PROVER_MOST && low < GN_PROVER_MOST) add_column(x, gn_dim_sub(q, d, gn_dim_const(q, low)));
    if (m->sign < 0 && high > -GN_PROVER_MOST && high < GN_PROVER_MOST)
        add_column(x, gn_dim_sub(q, gn_dim_const(q, high), d));
}

static void look(proof *x, size_t which)
{
    needed m = x->need.at[which];
    if (m.looked == 0) add_bound(x, &m);
    for (; m.looked < x->known.n; m.looked++)
        if (has(x->known.at[m.looked], &m)) add_column(x, x->known.at[m.looked]);
    x->need.at[which].looked = m.looked;
}

static bool is_choice(const gn_atom *a)
{
    return a->kind == GN_DIM_MIN || a->kind == GN_DIM_MAX;
}

/* Some column has the product with its sign, or would in one case of a choice. */
static bool is_there(const proof *x, const needed *m)
{
    for (int j = 0; j < x->ncolumns; j++)
        if (has(x->column[j], m)) return true;
    for (uint32_t k = 0; k < m->product.n; k++)
        if (is_choice(m->product.atom[k])) return true;
    return false;
}

/* False: nothing that is known has some product of the goal. */
static bool gather(proof *x, const gn_dim *goal)
{
    for (size_t i = 0; i < x->p->known.n; i++) gn_push(x->arena, &x->known, x->p->known.at[i]);
    for (uint32_t i = 0; i < goal->n; i++) need(x, &goal->term[i], goal->term[i].c > 0 ? 1 : -1);
    const size_t own = x->need.n;
    for (size_t i = 0; i < x->p->known.n; i++)
        for (uint32_t k = 0; k < x->p->known.at[i]->n; k++) meet_atoms(x, &x->p->known.at[i]->term[k]);
    for (size_t i = 0; i < own; i++) look(x, i);
    for (size_t i = 0; i < own; i++)
        if (!is_there(x, &x->need.at[i])) return false;
    for (size_t done = 0; done < x->known.n;) {
        done = x->known.n;
        for (size_t i = 0; i < x->need.n; i++) look(x, i);
    }
    return true;
}

/* ---- the combination ---- */

/* False: more rows than there may be, or a number that is too large. */
static bool fill(proof *x, gn_combination *c, int column, const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_term *const t = &d->term[i];
        const int row = t->n ? row_of(x, t) : GN_COMBINE_MOST - 1;
        if (row < 0 || t->c > INT64_MAX / 4 || t->c < INT64_MIN / 4) return false;
        c->at[row][column] = t->c;
    }
    return true;
}

static bool combines(proof *x, const gn_dim *goal)
{
    gn_combination *const c = GN_NEW_OBJECT(x->arena, gn_combination);
    memset(c, 0, sizeof *c);
    for (int j = 0; j < x->ncolumns; j++)
        if (!fill(x, c, j, x->column[j])) return false;
    if (!fill(x, c, x->ncolumns, goal)) return false;
    memmove(c->at[x->nrows], c->at[GN_COMBINE_MOST - 1], sizeof *c->at);
    c->nrows = x->nrows + 1, c->ncolumns = x->ncolumns + 1;
    return gn_combine(c);
}

/* ---- least and largest: one or the other ---- */

typedef struct split {
    const gn_atom *of[MOST_SPLIT];
    int n, left;  /* left: goals that may still be looked at */
    bool products; /* rows are looked for by products, too */
} split;

static const gn_atom *choice(const proof *x, const split *s)
{
    for (size_t i = 0; i < x->atoms.n; i++) {
        const gn_atom *const a = x->atoms.at[i];
        bool done = !is_choice(a);
        for (int k = 0; k < s->n; k++) done |= s->of[k] == a;
        if (!done) return a;
    }
    return NULL;
}

/* Where the atom is `one`, which the other is no less than (of a largest, no more). */
static void know_choice(gn_prover *p, const gn_atom *a, const gn_dim *one, const gn_dim *other)
{
    const int64_t sign = a->kind == GN_DIM_MIN ? 1 : -1;
    const gn_dim *const d = gn_dim_of_atom(p->pool, a);
    gn_prover_know(p, gn_dim_scale(p->pool, gn_dim_sub(p->pool, d, one), sign));
    gn_prover_know(p, gn_dim_scale(p->pool, gn_dim_sub(p->pool, other, one), sign));
}

typedef struct question {
    gn_prover *p;
    gn_arena scratch;
    const gn_dim *goal;
    split *split;
    const gn_atom *next; /* a choice, where it is open; NULL: none */
    bool proved;
} question;

static void answer(void *arg)
{
    question *const q = arg;
    proof x = { .p = q->p, .arena = &q->scratch };
    if (!gather(&x, q->goal)) return;
    q->proved = combines(&x, q->goal);
    q->next = choice(&x, q->split);
}

static bool proves(gn_prover *p, const gn_dim *goal, split *s);

static bool proves_sum(gn_prover *p, const gn_dim *goal, split *s)
{
    question q = { .p = p, .goal = goal, .split = s };
    gn_dim_with_scratch(&q.scratch, answer, &q);
    if (q.proved || !q.next || s->n == MOST_SPLIT) return q.proved;
    s->of[s->n++] = q.next;
    bool all = true;
    for (int i = 0; i < 2 && all; i++) {
        const gn_prover_mark before = gn_prover_remember(p);
        know_choice(p, q.next, i ? q.next->b : q.next->a, i ? q.next->a : q.next->b);
        all = proves(p, goal, s);
        gn_prover_forget(p, before);
    }
    s->n--;
    return all;
}

/* ---- rows: n m - i m - j - 1 is m (n - i - 1) + m - j - 1 ---- */

/* What stands with the product, once. */
static const gn_dim *factor_of(gn_dim_pool *pool, const gn_dim *d, const gn_term *product)
{
    const gn_dim *all = gn_dim_const(pool, 0);
    gn_term t;
    for (uint32_t i = 0; i < d->n; i++)
        if (gn_term_divide(pool, &d->term[i], product, &t)) all = gn_dim_add(pool, all, gn_term_dim(pool, &t, t.c));
    return all;
}

/* The least that it is, if it is above 0 and a whole number: 4 n + 3 is at least 3. */
static int64_t least_above_zero(const gn_dim *d)
{
    const int64_t all = gn_dim_content(d), rest = gn_floor_mod(gn_dim_constant(d), all);
    return rest ? rest : all;
}

/* A sum of variables is no more than it seems: without it in the goal nothing is won. */
static bool is_open(const gn_dim *factor)
{
    for (uint32_t i = 0; i < factor->n; i++) {
        const gn_term *const t = &factor->term[i];
        bool open = t->c < 0 && factor->n > 1;
        for (uint32_t k = 0; k < t->n; k++) open |= t->c < 0 || t->atom[k]->kind != GN_DIM_SYM;
        if (open) return true;
    }
    return false;
}

static bool proves_by(gn_prover *p, const gn_dim *goal, const gn_term *product, split *s)
{
    gn_dim_pool *const q = p->pool;
    const gn_dim *const x = gn_term_dim(q, product, 1), *f = factor_of(q, goal, product);
    const bool more = !gn_dim_is_const(f, NULL) && gn_prover_least(p, f) > 0;
    if (gn_prover_least(p, x) < 0 || (!more && !is_open(f))) return false;
    const gn_dim *const above = gn_dim_sub(q, f, gn_dim_const(q, least_above_zero(f)));
    if (proves(p, above, s)) return proves(p, gn_dim_sub(q, goal, gn_dim_mul(q, x, above)), s);
    return proves(p, f, s) && proves(p, gn_dim_sub(q, goal, gn_dim_mul(q, x, f)), s);
}

/* The product of all factors of a term but one. */
static bool proves_by_others(gn_prover *p, const gn_dim *goal, const gn_term *t, const gn_term *one, split *s)
{
    gn_term others;
    return t->n > 2 && gn_term_divide(p->pool, t, one, &others) && proves_by(p, goal, &others, s);
}

/* By what stands in products, and in a term that is not negative. */
static bool proves_rows(gn_prover *p, const gn_dim *goal, split *s)
{
    for (uint32_t i = 0; i < goal->n; i++)
        for (uint32_t k = 0; goal->term[i].c > 0 && k < goal->term[i].n; k++) {
            const gn_term *const t = &goal->term[i], one = gn_term_make(p->pool, 1, 1, &t->atom[k]);
            if (s->products && proves_by_others(p, goal, t, &one, s)) return true;
            if (proves_by(p, goal, &one, s)) return true;
        }
    return false;
}

/* The least that a term is, if it is no term that may be large. */
static bool is_small(const gn_prover *p, const gn_term *t, int64_t *low)
{
    int64_t high;
    gn_prover_range(p, gn_term_dim(p->pool, t, t->c), low, &high);
    return *low > -GN_PROVER_MOST && high < GN_PROVER_MOST;
}

/* Without what is small, and divided: 8 q - 8 i - l - 1 is at least 8 (q - i - 1) for l < 8. */
static const gn_dim *coarser(const gn_prover *p, const gn_dim *goal)
{
    int64_t all = 0, low, rest = gn_dim_constant(goal);
    const gn_dim *large = gn_dim_const(p->pool, 0);
    for (uint32_t i = 0; i < goal->n; i++)
        if (goal->term[i].n && !is_small(p, &goal->term[i], &low)) all = gn_gcd(all, goal->term[i].c);
    if (all <= 1) return goal;
    for (uint32_t i = 0; i < goal->n; i++) {
        const gn_term *const t = &goal->term[i];
        if (t->n && t->c % all == 0) large = gn_dim_add(p->pool, large, gn_term_dim(p->pool, t, t->c / all));
        else if (t->n && is_small(p, t, &low)) rest += low;
    }
    return gn_dim_add(p->pool, large, gn_dim_const(p->pool, gn_floor_div(rest, all)));
}

/* A choice that the goal is least by, in a product of at most so many. */
static const gn_atom *choice_in(const gn_dim *goal, uint32_t most)
{
    for (uint32_t i = 0; i < goal->n; i++)
        for (uint32_t k = 0; k < goal->term[i].n && goal->term[i].n <= most; k++) {
            const gn_atom *const a = goal->term[i].atom[k];
            if (a->kind == (goal->term[i].c > 0 ? GN_DIM_MIN : GN_DIM_MAX)) return a;
        }
    return NULL;
}

/* With one and with the other in its place. */
static bool proves_both(gn_prover *p, const gn_dim *goal, const gn_atom *a, split *s)
{
    gn_dim_pool *const q = p->pool;
    const gn_dim *const chosen = gn_dim_of_atom(q, a), *const f = factor_of(q, goal, &chosen->term[0]),
                 *const rest = gn_dim_sub(q, goal, gn_dim_mul(q, f, chosen));
    bool all = true;
    for (int i = 0; i < 2 && all; i++) {
        const gn_dim *const one = i ? a->b : a->a;
        const gn_prover_mark before = gn_prover_remember(p);
        know_choice(p, a, one, i ? a->a : a->b);
        all = proves(p, gn_dim_add(q, rest, gn_dim_mul(q, one, f)), s);
        gn_prover_forget(p, before);
    }
    return all;
}

/* What rest + sign (x div b) >= 0 is: x + b rest >= 0, or b (rest + 1) - x - 1 >= 0. */
static const gn_dim *undivide(gn_dim_pool *q, const gn_atom *a, int64_t sign, const gn_dim *rest)
{
    const gn_dim *const one = gn_dim_const(q, 1);
    return sign > 0 ? gn_dim_add(q, a->a, gn_dim_mul(q, a->b, rest))
                    : gn_dim_below(q, a->a, gn_dim_mul(q, a->b, gn_dim_add(q, rest, one)));
}

static bool proves_quotient(gn_prover *p, const gn_dim *goal, split *s)
{
    gn_dim_pool *const q = p->pool;
    for (uint32_t i = 0; i < goal->n; i++) {
        const gn_term *const t = &goal->term[i];
        const gn_atom *const a = t->n == 1 && (t->c == 1 || t->c == -1) ? t->atom[0] : NULL;
        if (!a || a->kind != GN_DIM_DIV || gn_prover_least(p, a->b) < 1) continue;
        if (proves(p, undivide(q, a, t->c, gn_dim_sub(q, goal, gn_term_dim(q, t, t->c))), s)) return true;
    }
    return false;
}

static bool proves(gn_prover *p, const gn_dim *goal, split *s)
{
    const gn_dim_facts facts = gn_prover_facts(p);
    if (gn_dim_nonnegative(p->pool, goal, &facts)) return true;
    if (s->left-- <= 0) return false;
    const gn_atom *const alone = choice_in(goal, 1), *const a = choice_in(goal, UINT32_MAX);
    if (alone && proves_both(p, goal, alone, s)) return true;
    if (proves_rows(p, goal, s) || proves_sum(p, goal, s) || proves_quotient(p, goal, s)) return true;
    const gn_dim *const less = coarser(p, goal);
    return (less != goal && proves(p, less, s)) || (a && proves_both(p, goal, a, s));
}

/* ---- digits: m (f - n (f div n)) is m times a remainder ---- */

/* What stands in the goal with b (a div b). */
static const gn_dim *factor_of_multiple(gn_dim_pool *q, const gn_dim *goal, const gn_atom *a)
{
    const gn_dim *const multiple = gn_dim_mul(q, a->b, gn_dim_of_atom(q, a));
    return multiple->n == 1 ? factor_of(q, goal, &multiple->term[0]) : gn_dim_const(q, 0);
}

/* A variable for a - b (a div b), which is from 0 to below b. */
static const gn_dim *remainder_of(gn_prover *p, const gn_atom *a, const gn_dim *rest)
{
    const char *const name = gn_arena_printf(p->arena, "@mod%zu", p->facts.n);
    const gn_dim *const v = gn_dim_sym(p->pool, name);
    gn_prover_know_range(p, name, NULL, a->b);
    gn_prover_know(p, gn_dim_sub(p->pool, v, rest));
    gn_prover_know(p, gn_dim_sub(p->pool, rest, v));
    return v;
}

static const gn_dim *with_remainder(gn_prover *p, const gn_dim *goal, const gn_atom *a)
{
    gn_dim_pool *const q = p->pool;
    if (a->kind != GN_DIM_DIV || gn_dim_is_const(a->b, NULL) || gn_prover_least(p, a->b) < 1) return goal;
    const gn_dim *const rest = gn_dim_sub(q, a->a, gn_dim_mul(q, a->b, gn_dim_of_atom(q, a))),
                 *const f = factor_of_multiple(q, goal, a), *const without = gn_dim_add(q, goal, gn_dim_mul(q, f, rest));
    return without->n < goal->n ? gn_dim_sub(q, without, gn_dim_mul(q, f, remainder_of(p, a, rest))) : goal;
}

static const gn_dim *with_remainders(gn_prover *p, const gn_dim *goal)
{
    const gn_dim *all = goal;
    for (uint32_t i = 0; i < goal->n; i++)
        for (uint32_t k = 0; k < goal->term[i].n; k++) all = with_remainder(p, all, goal->term[i].atom[k]);
    return all;
}

typedef struct asked {
    gn_prover *p;
    const gn_dim *goal;
    bool proved;
} asked;

static void ask(void *arg)
{
    asked *const a = arg;
    const gn_dim_facts facts = gn_prover_facts(a->p);
    const gn_dim *const goal = with_remainders(a->p, gn_dim_simplify(a->p->pool, a->goal, &facts));
    for (int products = 0; products < 2 && !a->proved; products++) {
        split s = { .left = MOST_GOALS, .products = products };
        a->proved = proves(a->p, goal, &s);
    }
}

/* A sum that overflows is no proof. */
bool gn_prover_proves(gn_prover *p, const gn_dim *goal)
{
    asked a = { p, goal, false };
    const gn_prover_mark before = gn_prover_remember(p);
    const gn_status status = gn_protect(ask, &a);
    gn_prover_forget(p, before);
    if (status && status != GN_ENOMEM) gn_rethrow(status);
    return !status && a.proved;
}
