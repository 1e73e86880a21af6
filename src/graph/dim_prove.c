/* Proofs that index expressions are not negative: a search among the known ones, each of which takes a term of the
 * goal away; short proofs first. */
#include "dim_parts.h"
#include "dim_prove.h"
#include <string.h>

enum { MOST_STEPS = 40, DEEPEST = 5, MOST_SPLIT = 12, MOST_SCALE = 1024 };

static gn_dim_facts facts_of(const gn_prover *p)
{
    return (gn_dim_facts){ p->facts.n, p->facts.at };
}

static int64_t least(const gn_prover *p, const gn_dim *d)
{
    int64_t low, high;
    const gn_dim_facts facts = facts_of(p);
    gn_dim_range(d, &facts, &low, &high);
    return low;
}

/* c times the atoms but for one of them; skip = t->n: all. */
static const gn_dim *product(const gn_prover *p, const gn_term *t, uint32_t skip)
{
    const gn_dim *d = gn_dim_const(p->pool, t->c);
    for (uint32_t i = 0; i < t->n; i++)
        if (i != skip) d = gn_dim_mul(p->pool, d, gn_dim_of_atom(p->pool, t->atom[i]));
    return d;
}

/* ---- what is known ---- */

/* A term c min(a, b) with c > 0, or c max(a, b) with c < 0: with a or b in its place it is no less. */
static const gn_term *bounded_by_both(const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_term *const t = &d->term[i];
        if (t->n == 1 && t->atom[0]->kind == (t->c > 0 ? GN_DIM_MIN : GN_DIM_MAX)) return t;
    }
    return NULL;
}

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

/* x + k >= 0, or k - x >= 0: where a variable lies. */
static void tighten(gn_prover *p, const gn_dim *d)
{
    const gn_term *const t = d->n && d->n <= 2 ? &d->term[0] : NULL;
    if (!t || t->n != 1 || t->atom[0]->kind != GN_DIM_SYM || (t->c != 1 && t->c != -1) || (d->n == 2 && d->term[1].n))
        return;
    const int64_t k = gn_dim_constant(d);
    for (size_t i = 0; i < p->facts.n; i++) {
        gn_dim_fact *const f = &p->facts.at[i];
        const bool same = strcmp(f->name, t->atom[0]->name) == 0;
        if (!same || k == INT64_MIN || (t->c > 0 ? -k <= f->min : k >= f->max)) continue;
        gn_push(p->arena, &p->tightened, ((gn_tightened){ i, *f }));
        if (t->c > 0) f->min = -k;
        else f->max = k;
    }
}

static void add(gn_prover *p, const gn_dim *d, size_t from)
{
    tighten(p, d);
    for (size_t i = from; i < p->known.n; i++)
        if (p->known.at[i] == d) return;
    if (p->known.n < from + MOST_SPLIT && !gn_dim_is_const(d, NULL)) gn_push(p->arena, &p->known, d);
}

/* (a div b) + rest >= 0 is a + b rest >= 0; rest - (a div b) >= 0 is b rest + b - 1 - a >= 0: of whole numbers, with b
 * > 0. */
static void add_undivided(gn_prover *p, const gn_dim *d, size_t from)
{
    gn_dim_pool *const q = p->pool;
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_term *const t = &d->term[i];
        const gn_atom *const x = t->n == 1 && t->atom[0]->kind == GN_DIM_DIV ? t->atom[0] : NULL;
        if (!x || (t->c != 1 && t->c != -1) || least(p, x->b) < 1) continue;
        const gn_dim *const rest = gn_dim_mul(q, x->b, gn_dim_sub(q, d, product(p, t, t->n)));
        if (t->c == 1) add(p, gn_dim_add(q, x->a, rest), from);
        else add(p, gn_dim_sub(q, gn_dim_add(q, rest, gn_dim_sub(q, x->b, gn_dim_const(q, 1))), x->a), from);
    }
}

/* The numerator without what makes it less: (M - i) div 5 <= M div 5. */
static const gn_dim *raised(const gn_prover *p, const gn_dim *a)
{
    const gn_dim *all = a;
    for (uint32_t i = 0; i < a->n; i++) {
        const gn_term *const t = &a->term[i];
        if (t->n == 1 && t->c < 0 && t->atom[0]->kind == GN_DIM_SYM &&
            least(p, gn_dim_of_atom(p->pool, t->atom[0])) >= 0)
            all = gn_dim_sub(p->pool, all, product(p, t, 1));
    }
    return all;
}

static void add_raised(gn_prover *p, const gn_dim *d, size_t from)
{
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_term *const t = &d->term[i];
        const gn_atom *const x = t->n == 1 && t->c > 0 && t->atom[0]->kind == GN_DIM_DIV ? t->atom[0] : NULL;
        const gn_dim *const a = x && least(p, x->b) >= 1 ? raised(p, x->a) : NULL;
        if (!a || a == x->a) continue;
        const gn_dim *const rest = gn_dim_sub(p->pool, d, product(p, t, 1));
        add(p, gn_dim_add(p->pool, rest, gn_dim_scale(p->pool, gn_dim_div(p->pool, a, x->b), t->c)), from);
    }
}

static void know(gn_prover *p, const gn_dim *d)
{
    const size_t from = p->known.n;
    add(p, d, from);
    for (size_t i = from; i < p->known.n; i++) {
        const gn_dim *const whole = p->known.at[i];
        const gn_term *const t = bounded_by_both(whole);
        add_undivided(p, whole, from);
        add_raised(p, whole, from);
        if (!t) continue;
        const gn_dim *const rest = gn_dim_sub(p->pool, whole, product(p, t, t->n));
        add(p, gn_dim_add(p->pool, rest, gn_dim_scale(p->pool, t->atom[0]->a, t->c)), from);
        add(p, gn_dim_add(p->pool, rest, gn_dim_scale(p->pool, t->atom[0]->b, t->c)), from);
    }
}

/* What an atom is: b (a div b) <= a < b (a div b) + b, a mod b < b, min(a, b) <= a and so on. */
static void know_atom(gn_prover *p, const gn_atom *x)
{
    gn_dim_pool *const q = p->pool;
    const gn_dim *const d = gn_dim_of_atom(q, x);
    if (x->kind == GN_DIM_MIN || x->kind == GN_DIM_MAX) {
        const int64_t sign = x->kind == GN_DIM_MIN ? 1 : -1;
        know(p, gn_dim_scale(q, gn_dim_sub(q, x->a, d), sign));
        know(p, gn_dim_scale(q, gn_dim_sub(q, x->b, d), sign));
    }
    if ((x->kind != GN_DIM_DIV && x->kind != GN_DIM_MOD) || least(p, x->b) < 1) return;
    const gn_dim *const rest = x->kind == GN_DIM_MOD ? d : gn_dim_sub(q, x->a, gn_dim_mul(q, x->b, d));
    know(p, rest);
    know(p, gn_dim_sub(q, gn_dim_sub(q, x->b, rest), gn_dim_const(q, 1)));
}

static void know_atoms(gn_prover *p, const gn_term *t)
{
    for (uint32_t k = 0; k < t->n; k++) know_atom(p, t->atom[k]);
}

void gn_prover_know(gn_prover *p, const gn_dim *d)
{
    const size_t from = p->known.n;
    know(p, d);
    for (size_t i = from, n = p->known.n; i < n; i++)
        for (uint32_t t = 0; t < p->known.at[i]->n; t++) know_atoms(p, &p->known.at[i]->term[t]);
}

void gn_prover_know_less(gn_prover *p, const gn_dim *a, const gn_dim *b)
{
    gn_prover_know(p, gn_dim_sub(p->pool, gn_dim_sub(p->pool, b, a), gn_dim_const(p->pool, 1)));
}

/* ---- the search ---- */

static bool proves(gn_prover *p, const gn_dim *goal, int depth);

/* What to multiply a by, so that b divides it; 0: too much. */
static int64_t scale_for(const gn_term *a, const gn_term *b)
{
    const int64_t g = gn_gcd(a->c, b->c), scale = g ? gn_gcd(0, b->c / g) : 0;
    return scale <= MOST_SCALE && a->c < INT32_MAX && a->c > INT32_MIN ? scale : 0;
}

/* The goal, or a multiple of it, without a known one, as often as makes its term vanish; NULL: none does. */
static const gn_dim *without(const gn_prover *p, const gn_dim *goal, const gn_term *term, const gn_dim *known)
{
    gn_term quotient;
    for (uint32_t i = 0; i < known->n; i++) {
        const int64_t scale = scale_for(term, &known->term[i]);
        const gn_term whole = { term->c * scale, term->n, term->atom };
        if (scale == 0 || !gn_term_divide(p->pool, &whole, &known->term[i], &quotient)) continue;
        const gn_dim *const times = product(p, &quotient, quotient.n);
        if (least(p, times) >= 0)
            return gn_dim_sub(p->pool, gn_dim_scale(p->pool, goal, scale), gn_dim_mul(p->pool, times, known));
    }
    return NULL;
}

static bool proves_without(gn_prover *p, const gn_dim *goal, const gn_term *term, int depth)
{
    const gn_prover_mark before = gn_prover_remember(p);
    bool proved = false;
    know_atoms(p, term);
    for (size_t i = p->known.n; i-- > 0 && p->steps > 0 && !proved;) {
        const gn_dim *const rest = without(p, goal, term, p->known.at[i]);
        proved = rest && rest != goal && rest->n <= goal->n + 1 && proves(p, rest, depth - 1);
    }
    gn_prover_forget(p, before);
    return proved;
}

/* Where the goal rises with min(a, b), or falls with max(a, b), it holds if it does with both. */
static bool proves_both(gn_prover *p, const gn_dim *goal, const gn_term *t, int depth)
{
    for (uint32_t k = 0; k < t->n; k++) {
        const gn_atom *const x = t->atom[k];
        if (x->kind != GN_DIM_MIN && x->kind != GN_DIM_MAX) continue;
        const gn_dim *const factor = product(p, t, k), *const rest = gn_dim_sub(p->pool, goal, product(p, t, t->n));
        if (least(p, x->kind == GN_DIM_MIN ? factor : gn_dim_scale(p->pool, factor, -1)) < 0) continue;
        return proves(p, gn_dim_add(p->pool, rest, gn_dim_mul(p->pool, factor, x->a)), depth - 1) &&
               proves(p, gn_dim_add(p->pool, rest, gn_dim_mul(p->pool, factor, x->b)), depth - 1);
    }
    return false;
}

enum { ANYTHING, BELOW_ZERO, OTHERS, NCLASSES };

/* How much a term is in the way. */
static int class_of(const gn_prover *p, const gn_term *t)
{
    const int64_t low = least(p, product(p, t, t->n));
    return low == INT64_MIN ? ANYTHING : low < 0 ? BELOW_ZERO : OTHERS;
}

static bool proves(gn_prover *p, const gn_dim *goal, int depth)
{
    const gn_dim_facts facts = facts_of(p);
    if (gn_dim_nonnegative(p->pool, goal, &facts)) return true;
    if (depth == 0 || --p->steps <= 0) return false;
    for (int class = 0; class < NCLASSES; class ++)
        for (uint32_t i = 0; i < goal->n; i++) {
            const gn_term *const t = &goal->term[i];
            if (t->n == 0 || class_of(p, t) != class) continue;
            if (proves_without(p, goal, t, depth) || proves_both(p, goal, t, depth)) return true;
            if (class == ANYTHING) return false; /* no proof leaves it */
        }
    return false;
}

typedef struct question {
    gn_prover *p;
    const gn_dim *goal;
    bool proved;
} question;

static void answer(void *arg)
{
    question *const q = arg;
    const gn_dim_facts facts = facts_of(q->p);
    q->goal = gn_dim_simplify(q->p->pool, q->goal, &facts);
    q->p->steps = MOST_STEPS;
    for (int depth = 0; depth <= DEEPEST && q->p->steps > 0 && !q->proved; depth++)
        q->proved = proves(q->p, q->goal, depth);
}

/* A sum that overflows is no proof. */
bool gn_prover_proves(gn_prover *p, const gn_dim *goal)
{
    question q = { p, goal, false };
    const gn_prover_mark before = gn_prover_remember(p);
    const gn_status status = gn_protect(answer, &q);
    if (status) gn_prover_forget(p, before);
    if (status && status != GN_ENOMEM) gn_rethrow(status);
    return !status && q.proved;
}
