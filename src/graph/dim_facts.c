/* What follows for a dim from facts about its symbols: multiples, bounds, and simplification that needs them. */
#include "dim_parts.h"
#include <string.h>

typedef struct interval {
    int64_t low, high; /* INT64_MIN, INT64_MAX: unbounded */
} interval;

static const interval unbounded = { INT64_MIN, INT64_MAX };

/* What is asked of one dim under the same facts, with what was found on the way. */
typedef struct inquiry {
    gn_dim_pool *pool; /* NULL where nothing is built */
    const gn_dim_facts *facts;
    const gn_dim *d;
    gn_arena scratch;
    gn_dim_walk ranges, multiples, simpler;
    interval range; /* results */
    int64_t multiple;
    bool holds;
    const gn_dim *simple;
} inquiry;

static void find_range(void *user, const gn_atom *x);
static void find_multiple(void *user, const gn_atom *x);
static void find_simpler(void *user, const gn_atom *x);

static void inquire(inquiry *q, gn_dim_pool *pool, const gn_dim_facts *facts, const gn_dim *d)
{
    *q = (inquiry){ .pool = pool, .facts = facts, .d = d };
    q->ranges = (gn_dim_walk){ .arena = &q->scratch, .find = find_range, .user = q };
    q->multiples = (gn_dim_walk){ .arena = &q->scratch, .find = find_multiple, .user = q };
    q->simpler = (gn_dim_walk){ .arena = &q->scratch, .find = find_simpler, .user = q };
}

static const gn_dim_fact *fact_of(const gn_dim_facts *facts, const char *name)
{
    for (size_t i = 0; facts && i < facts->n; i++)
        if (strcmp(facts->at[i].name, name) == 0) return &facts->at[i];
    return NULL;
}

static int64_t clamp(__int128 v)
{
    return v <= INT64_MIN ? INT64_MIN : v >= INT64_MAX ? INT64_MAX : (int64_t)v;
}

static bool is_bound(int64_t v)
{
    return v != INT64_MIN && v != INT64_MAX;
}

static int64_t bound_mul(int64_t a, int64_t b)
{
    /* an infinite end times anything but 0 lands beyond the range, or on it, with the right sign */
    return clamp((__int128)a * b);
}

static interval bound_of(int64_t a, int64_t b, int64_t c, int64_t d)
{
    const int64_t low1 = a < b ? a : b, low2 = c < d ? c : d, high1 = a > b ? a : b, high2 = c > d ? c : d;
    return (interval){ low1 < low2 ? low1 : low2, high1 > high2 ? high1 : high2 };
}

static interval interval_mul(interval a, interval b)
{
    return bound_of(bound_mul(a.low, b.low), bound_mul(a.low, b.high), bound_mul(a.high, b.low), bound_mul(a.high, b.high));
}

static interval interval_add(interval a, interval b)
{
    return (interval){ a.low == INT64_MIN || b.low == INT64_MIN ? INT64_MIN : clamp((__int128)a.low + b.low),
                       a.high == INT64_MAX || b.high == INT64_MAX ? INT64_MAX : clamp((__int128)a.high + b.high) };
}

static int64_t bound_div(int64_t a, int64_t b)
{
    if (!is_bound(a)) return a;
    return b == INT64_MAX ? -(a < 0) : gn_floor_div(a, b);
}

static interval interval_div(interval a, interval b)
{
    if (b.low < 0) return unbounded;
    const int64_t low = b.low ? b.low : 1, high = b.high ? b.high : 1;
    interval r = bound_of(bound_div(a.low, low), bound_div(a.low, high), bound_div(a.high, low), bound_div(a.high, high));
    if (!b.low && r.low > 0) r.low = 0;
    if (!b.low && r.high < 0) r.high = 0;
    return r;
}

static interval interval_mod(interval a, interval b)
{
    if (b.low == b.high && b.low > 0 && is_bound(a.low) && is_bound(a.high) &&
        gn_floor_div(a.low, b.low) == gn_floor_div(a.high, b.low))
        return (interval){ gn_floor_mod(a.low, b.low), gn_floor_mod(a.high, b.low) };
    interval r = { b.low < 0 && is_bound(b.low) ? b.low + 1
                   : b.low < 0                  ? INT64_MIN
                                                : 0,
                   b.high <= 0        ? 0
                   : is_bound(b.high) ? b.high - 1
                                      : INT64_MAX };
    if (b.low >= 0 && a.low >= 0 && a.high < r.high) r.high = a.high;
    return r;
}

static interval interval_of(gn_atom_kind kind, interval a, interval b)
{
    switch (kind) {
    case GN_DIM_DIV: return interval_div(a, b);
    case GN_DIM_MOD: return interval_mod(a, b);
    case GN_DIM_MIN: return (interval){ a.low < b.low ? a.low : b.low, a.high < b.high ? a.high : b.high };
    default: return (interval){ a.low > b.low ? a.low : b.low, a.high > b.high ? a.high : b.high };
    }
}

static interval range(inquiry *q, const gn_dim *d);

static interval operation_range(inquiry *q, const gn_atom *x)
{
    if (x->kind != GN_DIM_SYM && x->kind != GN_DIM_LOAD) return interval_of(x->kind, range(q, x->a), range(q, x->b));
    const gn_dim_fact *const f = fact_of(q->facts, x->name);
    if (!f && x->kind == GN_DIM_LOAD) return unbounded;
    return f ? (interval){ f->min, f->max } : (interval){ 0, INT64_MAX };
}

static interval atom_range(inquiry *q, const gn_atom *x)
{
    const interval *const known = gn_dim_walk_get(&q->ranges, x);
    return known ? *known : operation_range(q, x);
}

static void find_range(void *user, const gn_atom *x)
{
    inquiry *const q = user;
    const interval r = operation_range(q, x);
    gn_dim_walk_set(&q->ranges, x, &r, sizeof r);
}

static interval range(inquiry *q, const gn_dim *d)
{
    interval all = { 0, 0 };
    gn_dim_walk_over(&q->ranges, d);
    for (uint32_t i = 0; i < d->n; i++) {
        interval term = { d->term[i].c, d->term[i].c };
        for (uint32_t k = 0; k < d->term[i].n; k++) term = interval_mul(term, atom_range(q, d->term[i].atom[k]));
        all = interval_add(all, term);
    }
    return all;
}

static void ask_range(void *user)
{
    inquiry *const q = user;
    q->range = range(q, q->d);
}

void gn_dim_range(const gn_dim *d, const gn_dim_facts *facts, int64_t *low, int64_t *high)
{
    inquiry q;
    inquire(&q, NULL, facts, d);
    gn_dim_with_scratch(&q.scratch, ask_range, &q);
    *low = q.range.low, *high = q.range.high;
}

static interval range_unknown(const gn_dim *d)
{
    interval all = { 0, 0 };
    for (uint32_t i = 0; i < d->n; i++) {
        interval term = { d->term[i].c, d->term[i].c };
        for (uint32_t k = 0; k < d->term[i].n; k++)
            term = interval_mul(term, (interval){ d->term[i].atom[k]->low, d->term[i].atom[k]->high });
        all = interval_add(all, term);
    }
    return all;
}

void gn_dim_range_unknown(const gn_dim *d, int64_t *low, int64_t *high)
{
    const interval r = range_unknown(d);
    *low = r.low, *high = r.high;
}

void gn_atom_bound(gn_atom *x)
{
    const bool open = x->kind == GN_DIM_SYM || x->kind == GN_DIM_LOAD;
    const interval r = open ? unbounded : interval_of(x->kind, range_unknown(x->a), range_unknown(x->b));
    x->low = r.low, x->high = r.high;
}

/* Multiples. */

static int64_t multiple(inquiry *q, const gn_dim *d);

static int64_t operation_multiple(inquiry *q, const gn_atom *x)
{
    if (x->kind == GN_DIM_LOAD) return 1;
    if (x->kind == GN_DIM_SYM) {
        const gn_dim_fact *const f = fact_of(q->facts, x->name);
        if (f && f->min == f->max) return f->min == INT64_MIN ? 1 : f->min < 0 ? -f->min : f->min;
        return f && f->mul > 1 ? f->mul : 1;
    }
    const int64_t a = multiple(q, x->a), b = multiple(q, x->b);
    int64_t by;
    if (x->kind != GN_DIM_DIV) return gn_gcd(a, b);
    return gn_dim_is_const(x->b, &by) && by > 0 && a % by == 0 ? a / by : 1;
}

static int64_t atom_multiple(inquiry *q, const gn_atom *x)
{
    const int64_t *const known = gn_dim_walk_get(&q->multiples, x);
    return known ? *known : operation_multiple(q, x);
}

static void find_multiple(void *user, const gn_atom *x)
{
    inquiry *const q = user;
    const int64_t m = operation_multiple(q, x);
    gn_dim_walk_set(&q->multiples, x, &m, sizeof m);
}

/* A number that divides the value; 0 where the value is 0. */
static int64_t multiple(inquiry *q, const gn_dim *d)
{
    int64_t all = 0;
    gn_dim_walk_over(&q->multiples, d);
    for (uint32_t i = 0; i < d->n; i++) {
        int64_t term = gn_gcd(0, d->term[i].c), more;
        for (uint32_t k = 0; k < d->term[i].n; k++)
            if (!__builtin_mul_overflow(term, atom_multiple(q, d->term[i].atom[k]), &more)) term = more;
        all = gn_gcd(all, term);
    }
    return all;
}

static bool divides(int64_t by, int64_t m)
{
    return by == 0 ? m == 0 : by == -1 || m % by == 0;
}

static void ask_multiple(void *user)
{
    inquiry *const q = user;
    q->multiple = multiple(q, q->d);
}

bool gn_dim_divisible(const gn_dim *d, int64_t by, const gn_dim_facts *facts)
{
    inquiry q;
    inquire(&q, NULL, facts, d);
    gn_dim_with_scratch(&q.scratch, ask_multiple, &q);
    return divides(by, q.multiple);
}

/* Signs with symbolic limits: every limited symbol is moved to the end of its interval where d is least. Later facts
 * first, since their limits mention earlier symbols. */

static bool nonnegative(inquiry *q, const gn_dim *d)
{
    const gn_dim_facts *const facts = q->facts;
    if (range(q, d).low >= 0) return true;
    for (size_t i = facts ? facts->n : 0; i-- > 0;) {
        const gn_dim_fact *const f = &facts->at[i];
        if (!f->limit) continue;
        const gn_dim *const slope = gn_dim_coefficient(q->pool, d, f->name);
        if (!slope || !slope->n) continue; /* not there, or inside of atoms */
        const gn_dim *const rest = gn_dim_sub(q->pool, d, gn_dim_mul(q->pool, slope, gn_dim_sym(q->pool, f->name)));
        if (gn_dim_mentions(rest, f->name)) continue;
        const interval sign = range(q, slope);
        const gn_dim *end;
        if (sign.high <= 0) end = gn_dim_sub(q->pool, f->limit, gn_dim_const(q->pool, 1));
        else if (sign.low >= 0 && is_bound(f->min)) end = gn_dim_const(q->pool, f->min);
        else continue;
        d = gn_dim_add(q->pool, rest, gn_dim_mul(q->pool, slope, end));
        if (range(q, d).low >= 0) return true;
    }
    return false;
}

static void ask_nonnegative(void *user)
{
    inquiry *const q = user;
    q->holds = nonnegative(q, q->d);
}

bool gn_dim_nonnegative(gn_dim_pool *pool, const gn_dim *d, const gn_dim_facts *facts)
{
    inquiry q;
    inquire(&q, pool, facts, d);
    gn_dim_with_scratch(&q.scratch, ask_nonnegative, &q);
    return q.holds;
}

/* Simplification. */

static const gn_dim *one_term(gn_dim_pool *pool, const gn_dim *d, uint32_t i)
{
    const gn_dim *t = gn_dim_const(pool, d->term[i].c);
    for (uint32_t k = 0; k < d->term[i].n; k++) {
        const gn_atom *const x = d->term[i].atom[k];
        t = gn_dim_mul(pool, t, gn_dim_of_atom(pool, x));
    }
    return t;
}

/* a = whole * b + rest, by the terms that b divides; for constant b also `apart`: terms that are multiples of it by the
 * facts. */
typedef struct parts {
    const gn_dim *whole, *apart, *rest;
} parts;

static parts split_by(inquiry *s, const gn_dim *a, const gn_dim *b)
{
    const gn_dim *const zero = gn_dim_const(s->pool, 0);
    parts p = { zero, zero, zero };
    int64_t c = 0;
    const bool constant = gn_dim_is_const(b, &c);
    for (uint32_t i = 0; i < a->n; i++) {
        const gn_dim *const t = one_term(s->pool, a, i), *const q = gn_dim_exact(s->pool, t, b);
        if (q) p.whole = gn_dim_add(s->pool, p.whole, q);
        else if (constant && divides(c, multiple(s, t))) p.apart = gn_dim_add(s->pool, p.apart, t);
        else p.rest = gn_dim_add(s->pool, p.rest, t);
    }
    return p;
}

/* 0 <= rest < b, or rest lies in a single period of a constant b: then rest div b is *quotient. */
static bool decides(inquiry *s, const gn_dim *rest, const gn_dim *b, int64_t *quotient)
{
    const interval r = range(s, rest);
    int64_t c;
    if (gn_dim_is_const(b, &c) && is_bound(r.low) && is_bound(r.high) &&
        gn_floor_div(r.low, c) == gn_floor_div(r.high, c)) {
        *quotient = gn_floor_div(r.low, c);
        return true;
    }
    *quotient = 0;
    return nonnegative(s, rest) &&
           nonnegative(s, gn_dim_sub(s->pool, gn_dim_sub(s->pool, b, gn_dim_const(s->pool, 1)), rest));
}

static const gn_dim *simplify_div(inquiry *s, const gn_dim *a, const gn_dim *b)
{
    int64_t q;
    if (range(s, b).low < 1) return gn_dim_div(s->pool, a, b);
    const gn_dim *const exact = gn_dim_exact(s->pool, a, b);
    if (exact) return exact;
    const parts p = split_by(s, a, b);
    if (decides(s, p.rest, b, &q))
        return gn_dim_add(s->pool, gn_dim_add(s->pool, p.whole, gn_dim_const(s->pool, q)), gn_dim_div(s->pool, p.apart, b));
    return gn_dim_add(s->pool, p.whole, gn_dim_div(s->pool, gn_dim_add(s->pool, p.apart, p.rest), b));
}

static const gn_dim *simplify_mod(inquiry *s, const gn_dim *a, const gn_dim *b)
{
    int64_t q;
    if (range(s, b).low < 1) return gn_dim_mod(s->pool, a, b);
    if (gn_dim_exact(s->pool, a, b)) return gn_dim_const(s->pool, 0);
    const parts p = split_by(s, a, b);
    if (decides(s, p.rest, b, &q)) return gn_dim_sub(s->pool, p.rest, gn_dim_scale(s->pool, b, q));
    return gn_dim_mod(s->pool, p.rest, b);
}

static const gn_dim *simplify(inquiry *s, const gn_dim *d);

static const gn_dim *simplify_operation(inquiry *s, const gn_atom *x)
{
    if (x->kind == GN_DIM_SYM) {
        const gn_dim_fact *const f = fact_of(s->facts, x->name);
        return f && f->min == f->max ? gn_dim_const(s->pool, f->min) : gn_dim_of_atom(s->pool, x);
    }
    const gn_dim *const a = simplify(s, x->a);
    if (x->kind == GN_DIM_LOAD) return gn_dim_load(s->pool, x->name, a);
    const gn_dim *const b = simplify(s, x->b);
    if (x->kind == GN_DIM_DIV) return simplify_div(s, a, b);
    if (x->kind == GN_DIM_MOD) return simplify_mod(s, a, b);
    if (nonnegative(s, gn_dim_sub(s->pool, b, a))) return x->kind == GN_DIM_MIN ? a : b;
    if (nonnegative(s, gn_dim_sub(s->pool, a, b))) return x->kind == GN_DIM_MIN ? b : a;
    return gn_dim_apply(s->pool, x->kind, a, b);
}

static const gn_dim *simplify_atom(inquiry *s, const gn_atom *x)
{
    const gn_dim *const *const known = gn_dim_walk_get(&s->simpler, x);
    return known ? *known : simplify_operation(s, x);
}

static void find_simpler(void *user, const gn_atom *x)
{
    inquiry *const s = user;
    const gn_dim *const d = simplify_operation(s, x);
    gn_dim_walk_set(&s->simpler, x, &d, sizeof d);
}

static const gn_dim *simplify(inquiry *s, const gn_dim *d)
{
    const gn_dim *all = gn_dim_const(s->pool, 0);
    gn_dim_walk_over(&s->simpler, d);
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_dim *t = gn_dim_const(s->pool, d->term[i].c);
        for (uint32_t k = 0; k < d->term[i].n; k++) t = gn_dim_mul(s->pool, t, simplify_atom(s, d->term[i].atom[k]));
        all = gn_dim_add(s->pool, all, t);
    }
    return all;
}

static void ask_simpler(void *user)
{
    inquiry *const s = user;
    s->simple = simplify(s, s->d);
}

const gn_dim *gn_dim_simplify(gn_dim_pool *pool, const gn_dim *d, const gn_dim_facts *facts)
{
    inquiry s;
    if (gn_dim_is_const(d, NULL)) return d;
    inquire(&s, pool, facts, d);
    gn_dim_with_scratch(&s.scratch, ask_simpler, &s);
    return s.simple;
}
