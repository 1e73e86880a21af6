/* Dims: div and mod. Every step here is an identity for all integers, zero divisors included; the comments beside the
 * steps name it. */
#include "dim_parts.h"
#include "checked.h"

enum {
    DEEPEST = 64, /* nesting of operands that rules go down into */
    MOST_FLAT = 4 /* terms of an operand that took in another's: without a bound they double in each of nested views */
};

/* gcd of the coefficients of all terms that are not constant. */
static int64_t content(const gn_dim *d)
{
    int64_t g = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->term[i].n) g = gn_gcd(g, d->term[i].c);
    return g;
}

/* d with its coefficients divided by g, which divides those that are not constant; the constant is floored. */
static const gn_dim *divide_content(gn_dim_pool *pool, const gn_dim *d, int64_t g)
{
    gn_sum s;
    if (g == 1) return d;
    gn_sum_start(&s, pool);
    for (uint32_t i = 0; i < d->n; i++) {
        gn_term t = d->term[i];
        t.c = gn_floor_div(t.c, g);
        gn_sum_add(&s, &t, t.c != 0);
    }
    return gn_sum_done(&s);
}

/* If d is one atom of this kind, coefficient 1, plus a constant: the atom. */
static const gn_atom *lone_atom(const gn_dim *d, gn_atom_kind kind)
{
    if (!d->n || d->n > 2 || (d->n == 2 && d->term[1].n)) return NULL;
    const gn_term *const t = &d->term[0];
    return t->c == 1 && t->n == 1 && t->atom[0]->kind == kind ? t->atom[0] : NULL;
}

static bool positive_const(const gn_dim *d, int64_t *c)
{
    return gn_dim_is_const(d, c) && *c > 0;
}

/* Splits a into c * whole + rest, where rest has no term divisible by c and its constant lies in [0, c). */
static void split_multiples(gn_dim_pool *pool, const gn_dim *a, int64_t c, const gn_dim **whole, const gn_dim **rest)
{
    gn_sum w, r;
    gn_sum_start(&w, pool);
    gn_sum_start(&r, pool);
    for (uint32_t i = 0; i < a->n; i++) {
        gn_term t = a->term[i];
        if (!t.n) {
            gn_sum_const(&w, gn_floor_div(t.c, c));
            gn_sum_const(&r, gn_floor_mod(t.c, c));
        } else if (t.c % c == 0) {
            t.c /= c;
            gn_sum_add(&w, &t, 1);
        } else gn_sum_add(&r, &t, 1);
    }
    if (whole) *whole = gn_sum_done(&w);
    *rest = gn_sum_done(&r);
}

/* (rest div c) where split_multiples left nothing to take out. c >= 2. */
static const gn_dim *divide_rest(gn_dim_pool *pool, const gn_dim *rest, int64_t c)
{
    int64_t inner, low, high, both, shift;
    if (gn_dim_is_const(rest, NULL)) return gn_dim_const(pool, 0);
    const int64_t g = gn_gcd(c, content(rest));
    rest = divide_content(pool, rest, g), c /= g; /* floor((g x + k) / (g y)) = floor((x + floor(k / g)) / y) */
    gn_dim_range_unknown(rest, &low, &high);
    if (low != INT64_MIN && high != INT64_MAX && gn_floor_div(low, c) == gn_floor_div(high, c))
        return gn_dim_const(pool, gn_floor_div(low, c));
    const gn_atom *const div = lone_atom(rest, GN_DIM_DIV);
    if (div && positive_const(div->b, &inner) && !gn_mul_overflows(inner, c, &both) &&
        !gn_mul_overflows(gn_dim_constant(rest), inner, &shift)) { /* (x div a + k) div b = (x + k a) div (a b) */
        const gn_dim *const shifted = gn_dim_add(pool, div->a, gn_dim_const(pool, shift));
        return gn_dim_div(pool, shifted, gn_dim_const(pool, both));
    }
    const gn_atom *const mod = lone_atom(rest, GN_DIM_MOD);
    /* (x mod (b k)) div b = (x div b) mod k */
    if (mod && rest->n == 1 && mod->depth < DEEPEST && positive_const(mod->b, &inner) && inner % c == 0)
        return gn_dim_mod(pool, gn_dim_div(pool, mod->a, gn_dim_const(pool, c)), gn_dim_const(pool, inner / c));
    return gn_dim_atom(pool, GN_DIM_DIV, "", rest, gn_dim_const(pool, c));
}

static const gn_dim *divide(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    const gn_dim *whole, *rest;
    int64_t c;
    if (gn_dim_is_const(b, &c)) {
        if (c < 0) return gn_dim_div(pool, gn_dim_scale(pool, a, -1), gn_dim_const(pool, gn_checked_mul(c, -1)));
        if (c == 1) return a;
        split_multiples(pool, a, c, &whole, &rest);
        return gn_dim_add(pool, whole, divide_rest(pool, rest, c));
    }
    const int64_t g = gn_gcd(gn_gcd(content(a), gn_dim_constant(a)), gn_gcd(content(b), gn_dim_constant(b)));
    return gn_dim_atom(pool, GN_DIM_DIV, "", divide_content(pool, a, g), divide_content(pool, b, g));
}

/* Rules go down into operands, and up again by gn_dim_rejoin: each pair is divided once. */
static uint64_t pair(const gn_dim *a, const gn_dim *b)
{
    return (uint64_t)a->id << 32 | b->id;
}

const gn_dim *gn_dim_div(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    if (!a->n || !b->n) return gn_dim_const(pool, 0);
    const gn_dim *q = gn_map_get(&pool->quotients, pair(a, b));
    if (!q) *gn_map_put(pool->arena, &pool->quotients, pair(a, b)) = (void *)(uintptr_t)(q = divide(pool, a, b));
    return q;
}

const gn_dim *gn_dim_cdiv(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    return gn_dim_div(pool, gn_dim_add(pool, a, gn_dim_sub(pool, b, gn_dim_const(pool, 1))), b);
}

static bool is_far(int64_t c)
{
    return c > INT64_MAX / 4 || c < -(INT64_MAX / 4);
}

/* d with factor * x in place of factor * (x mod m), its i-th term; NULL where that would be long, or near the ends of
 * 64 bits: rules that only make a form simpler do not fail. */
static const gn_dim *without_mod(gn_dim_pool *pool, const gn_dim *d, uint32_t i, const gn_term *factor, const gn_dim *x,
                                 int64_t c)
{
    gn_sum s;
    size_t left = 0;
    gn_sum_start(&s, pool);
    for (uint32_t k = 0; k < d->n; k++) {
        if (is_far(d->term[k].c)) return NULL;
        gn_sum_add(&s, &d->term[k], k != i);
    }
    for (uint32_t k = 0; k < x->n; k++) {
        int64_t all;
        if (gn_mul_overflows(factor->c, x->term[k].c, &all) || is_far(all)) return NULL;
        const gn_term t = gn_term_multiply(pool, factor, &x->term[k]);
        gn_sum_add(&s, &t, 1);
    }
    const gn_dim *const flat = gn_sum_done(&s);
    for (uint32_t k = 0; k < flat->n; k++) left += flat->term[k].c % c != 0;
    return left <= MOST_FLAT || left <= d->n ? flat : NULL;
}

/* Within mod c, k * (x mod m) may be k * x where c divides k * m. NULL: nothing to replace. */
static const gn_dim *drop_inner_mods(gn_dim_pool *pool, const gn_dim *d, int64_t c)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const x = d->term[i].atom[k];
            int64_t m, km;
            if (x->kind != GN_DIM_MOD || !gn_dim_is_const(x->b, &m) || gn_mul_overflows(m, d->term[i].c, &km) ||
                km % c != 0)
                continue;
            gn_term others;
            const gn_term this = gn_term_make(pool, 1, 1, &x);
            if (!gn_term_divide(pool, &d->term[i], &this, &others)) continue;
            const gn_dim *const flat = without_mod(pool, d, i, &others, x->a, c);
            if (flat) return flat;
        }
    return NULL;
}

static const gn_dim *mod_const(gn_dim_pool *pool, const gn_dim *a, int64_t c)
{
    const gn_dim *rest;
    int64_t low, high;
    do {
        split_multiples(pool, a, c, NULL, &rest);
        if (gn_dim_is_const(rest, NULL)) return rest;
    } while ((a = drop_inner_mods(pool, rest, c)));
    const int64_t g = gn_gcd(c, content(rest)), k = gn_dim_constant(rest) % g;
    if (g > 1) { /* (g x + g l + k) mod (g y) = g ((x + l) mod y) + k */
        const gn_dim *const inner = gn_dim_mod(pool, divide_content(pool, rest, g), gn_dim_const(pool, c / g));
        return gn_dim_add(pool, gn_dim_scale(pool, inner, g), gn_dim_const(pool, k));
    }
    gn_dim_range_unknown(rest, &low, &high);
    if (low != INT64_MIN && high != INT64_MAX && gn_floor_div(low, c) == gn_floor_div(high, c))
        return gn_dim_sub(pool, rest, gn_dim_const(pool, gn_checked_mul(gn_floor_div(low, c), c)));
    return gn_dim_atom(pool, GN_DIM_MOD, "", rest, gn_dim_const(pool, c));
}

static const gn_dim *remainder_of(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    int64_t c;
    gn_term t;
    if (gn_dim_is_const(b, &c)) {
        if (c == 1 || c == -1) return gn_dim_const(pool, 0);
        if (c > 0) return mod_const(pool, a, c);
        return gn_dim_scale(pool, mod_const(pool, gn_dim_scale(pool, a, -1), gn_checked_mul(c, -1)), -1);
    }
    if (b->n == 1) { /* (q b + r) mod b = r mod b, also for b = 0, where both are 0 */
        gn_sum s;
        gn_sum_start(&s, pool);
        for (uint32_t i = 0; i < a->n; i++)
            gn_sum_add(&s, &a->term[i], !gn_term_divide(pool, &a->term[i], &b->term[0], &t));
        a = gn_sum_done(&s);
        if (!a->n) return a;
    }
    const int64_t g = gn_gcd(gn_gcd(content(a), gn_dim_constant(a)), gn_gcd(content(b), gn_dim_constant(b)));
    const gn_dim *const mod = gn_dim_atom(pool, GN_DIM_MOD, "", divide_content(pool, a, g), divide_content(pool, b, g));
    return gn_dim_scale(pool, mod, g);
}

const gn_dim *gn_dim_mod(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    if (!a->n || !b->n || a == b) return gn_dim_const(pool, 0);
    const gn_dim *r = gn_map_get(&pool->remainders, pair(a, b));
    if (!r) *gn_map_put(pool->arena, &pool->remainders, pair(a, b)) = (void *)(uintptr_t)(r = remainder_of(pool, a, b));
    return r;
}

/* k c (x div c) + k (x mod c) is k x, whatever else k multiplies: splitting an axis and joining it again leaves nothing
 * behind. */
const gn_dim *gn_dim_rejoin(gn_dim_pool *pool, const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const mod = d->term[i].atom[k];
            int64_t c, kc;
            gn_term others;
            if (mod->kind != GN_DIM_MOD || d->n < 2 || !positive_const(mod->b, &c) ||
                gn_mul_overflows(c, d->term[i].c, &kc))
                continue;
            const gn_dim *const div = gn_dim_div(pool, mod->a, mod->b);
            if (div->n != 1 || div->term[0].n != 1 || div->term[0].c != 1) continue;
            const gn_term this = gn_term_make(pool, 1, 1, &mod);
            if (!gn_term_divide(pool, &d->term[i], &this, &others)) continue;
            others.c = 1;
            const gn_term partner = gn_term_multiply(pool, &others, &div->term[0]);
            for (uint32_t m = 0; m < d->n; m++)
                if (d->term[m].atom == partner.atom && d->term[m].c == kc) {
                    gn_sum s;
                    gn_sum_start(&s, pool);
                    for (uint32_t q = 0; q < d->n; q++) gn_sum_add(&s, &d->term[q], q != m && q != i);
                    for (uint32_t q = 0; q < mod->a->n; q++) {
                        const gn_term t = gn_term_multiply(pool, &others, &mod->a->term[q]);
                        gn_sum_add(&s, &t, d->term[i].c);
                    }
                    return gn_sum_done(&s);
                }
        }
    return d;
}
