/* Dims: construction in canonical form.
 *
 * A dim is a sorted sum of terms, a term a coefficient times an interned product of interned atoms, so equality is a pointer comparison at
 * every level. Products are ordered lexicographically, the longer first (a*a, a*b, a, b, 1): a monomial order, which is what makes the
 * division in gn_dim_exact end. Nothing is ordered by address or age: two programs that build the same dim in different ways print it alike.
 *
 * Every simplification here holds for all integer values of the symbols, negative ones and zero divisors included. What needs to know
 * more about them stands in dim_facts.c. */
#include "dim.h"
#include "checked.h"
#include "dim_parts.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_TERMS = 4096 }; /* a product of sums grows quickly: beyond this it is a mistake */

static _Noreturn void overflows(void)
{
    gn_throw(GN_ENOMEM, "size overflows: an extent does not fit 64 bits");
}

static int64_t checked_mul(int64_t a, int64_t b)
{
    int64_t c;
    if (gn_mul_overflows(a, b, &c)) overflows();
    return c;
}

static int64_t checked_add(int64_t a, int64_t b)
{
    int64_t c;
    if (gn_add_overflows(a, b, &c)) overflows();
    return c;
}

int64_t gn_floor_div(int64_t a, int64_t b)
{
    if (b == 0) return 0;
    if (b == -1) return (int64_t)(0 - (uint64_t)a); /* INT64_MIN wraps */
    const int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t gn_floor_mod(int64_t a, int64_t b)
{
    if (b == 0 || b == -1) return 0;
    const int64_t r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

int64_t gn_gcd(int64_t a, int64_t b)
{
    uint64_t x = a < 0 ? 0 - (uint64_t)a : (uint64_t)a, y = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;
    while (y) {
        const uint64_t r = x % y;
        x = y, y = r;
    }
    return x > INT64_MAX ? 1 : (int64_t)x;
}

/* Order. */

static int dim_order(const gn_dim *a, const gn_dim *b);

static int atom_order(const gn_atom *a, const gn_atom *b)
{
    if (a == b) return 0;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->name != b->name) return strcmp(a->name, b->name);
    const int o = dim_order(a->a, b->a);
    return o || !a->b ? o : dim_order(a->b, b->b);
}

static int product_order(const gn_term *a, const gn_term *b)
{
    if (a->atom == b->atom) return 0;
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        const int o = atom_order(a->atom[i], b->atom[i]);
        if (o) return o;
    }
    return a->n > b->n ? -1 : a->n < b->n;
}

static int dim_order(const gn_dim *a, const gn_dim *b)
{
    if (a == b) return 0;
    for (uint32_t i = 0; i < a->n && i < b->n; i++) {
        const int o = product_order(&a->term[i], &b->term[i]);
        if (o) return o;
        if (a->term[i].c != b->term[i].c) return a->term[i].c < b->term[i].c ? -1 : 1;
    }
    return a->n < b->n ? -1 : a->n > b->n;
}

/* Interning. */

typedef struct product {
    uint32_t id, n;
    const gn_atom *atom[];
} product;

static uint32_t product_id(const gn_term *t)
{
    return ((const product *)(const void *)((const char *)t->atom - offsetof(product, atom)))->id;
}

static bool product_equal(const void *stored, const void *probe)
{
    const product *const p = stored;
    const gn_term *const t = probe;
    return p->n == t->n && (p->n == 0 || memcmp(p->atom, t->atom, t->n * sizeof *t->atom) == 0);
}

/* The interned product of n sorted atoms, as a term with coefficient c. */
static gn_term make_term(gn_dim_pool *pool, int64_t c, uint32_t n, const gn_atom *const *atom)
{
    gn_term t = { c, n, atom };
    uint64_t hash = n;
    for (uint32_t i = 0; i < n; i++) hash = gn_hash_mix(hash, atom[i]->id);
    product *p = n ? gn_intern_find(&pool->products, hash, &t, product_equal) : gn_intern_find(&pool->products, 0, &(gn_term){ 0 }, product_equal);
    if (!p) {
        p = gn_arena_alloc(pool->arena, sizeof *p + n * sizeof *atom, alignof(product));
        p->id = pool->nproducts++;
        p->n = n;
        if (n) memcpy(p->atom, atom, n * sizeof *atom);
        gn_intern_add(pool->arena, &pool->products, hash, p);
    }
    t.atom = p->atom;
    return t;
}

static bool dim_equal(const void *stored, const void *probe)
{
    const gn_dim *const a = stored, *const b = probe;
    if (a->n != b->n) return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->term[i].c != b->term[i].c || a->term[i].atom != b->term[i].atom) return false;
    return true;
}

static const gn_dim *intern_dim(gn_dim_pool *pool, const gn_term *term, size_t n)
{
    const gn_dim probe = { 0, (uint32_t)n, term };
    uint64_t hash = n;
    for (size_t i = 0; i < n; i++) hash = gn_hash_mix(gn_hash_mix(hash, (uint64_t)term[i].c), product_id(&term[i]));
    gn_dim *d = gn_intern_find(&pool->dims, hash, &probe, dim_equal);
    if (d) return d;
    d = gn_arena_alloc(pool->arena, sizeof *d, alignof(gn_dim));
    *d = (gn_dim){ pool->ndims++, (uint32_t)n, n ? gn_arena_copy(pool->arena, term, n * sizeof *term) : NULL };
    gn_intern_add(pool->arena, &pool->dims, hash, d);
    return d;
}

static bool atom_equal(const void *stored, const void *probe)
{
    const gn_atom *const x = stored, *const y = probe;
    return x->kind == y->kind && x->name == y->name && x->a == y->a && x->b == y->b;
}

static const gn_atom *make_atom(gn_dim_pool *pool, gn_atom_kind kind, const char *name, const gn_dim *a, const gn_dim *b)
{
    const gn_atom probe = { kind, 0, gn_symbol(pool->arena, &pool->symbols, name), a, b };
    const uint64_t hash = gn_hash_mix(gn_hash_mix(gn_hash_mix(kind, GN_KEY(probe.name)), a ? a->id + 1 : 0), b ? b->id + 1 : 0);
    gn_atom *x = gn_intern_find(&pool->atoms, hash, &probe, atom_equal);
    if (x) return x;
    x = gn_arena_alloc(pool->arena, sizeof *x, alignof(gn_atom));
    *x = probe;
    x->id = pool->natoms++;
    gn_intern_add(pool->arena, &pool->atoms, hash, x);
    return x;
}

static const gn_dim *atom_dim(gn_dim_pool *pool, gn_atom_kind kind, const char *name, const gn_dim *a, const gn_dim *b)
{
    const gn_atom *const x = make_atom(pool, kind, name, a, b);
    const gn_term t = make_term(pool, 1, 1, &x);
    return intern_dim(pool, &t, 1);
}

/* Sums under construction: terms in any order, put in canonical form by sum_done. */

typedef struct sum {
    gn_dim_pool *pool;
    gn_term *term;
    size_t n, capacity;
    gn_term local[16];
} sum;

static void sum_start(sum *s, gn_dim_pool *pool)
{
    s->pool = pool;
    s->term = s->local;
    s->n = 0;
    s->capacity = sizeof s->local / sizeof *s->local;
}

static void sum_add(sum *s, const gn_term *t, int64_t factor)
{
    if (!factor) return;
    if (s->n == s->capacity) {
        if (s->n >= MOST_TERMS) gn_throw(GN_ENOMEM, "size overflows: an extent has more than %d terms", MOST_TERMS);
        gn_term *const bigger = GN_NEW_ARRAY(s->pool->arena, gn_term, 2 * s->capacity);
        memcpy(bigger, s->term, s->n * sizeof *bigger);
        s->term = bigger;
        s->capacity *= 2;
    }
    s->term[s->n] = *t;
    s->term[s->n++].c = checked_mul(t->c, factor);
}

static void sum_const(sum *s, int64_t c)
{
    const gn_term t = make_term(s->pool, 1, 0, NULL);
    sum_add(s, &t, c);
}

static void sum_dim(sum *s, const gn_dim *d, int64_t factor)
{
    for (uint32_t i = 0; i < d->n; i++) sum_add(s, &d->term[i], factor);
}

static int compare_terms(const void *a, const void *b)
{
    return product_order(a, b);
}

/* Insertion: sums are short, and mostly two sorted runs. */
static void sort_terms(gn_term *t, size_t n)
{
    if (n > 32) {
        qsort(t, n, sizeof *t, compare_terms);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const gn_term x = t[i];
        size_t k = i;
        for (; k > 0 && product_order(&t[k - 1], &x) > 0; k--) t[k] = t[k - 1];
        t[k] = x;
    }
}

static const gn_dim *rejoin(gn_dim_pool *pool, const gn_dim *d);

static const gn_dim *sum_done(sum *s)
{
    size_t n = 0;
    sort_terms(s->term, s->n);
    for (size_t i = 0; i < s->n; i++)
        if (n && s->term[n - 1].atom == s->term[i].atom) s->term[n - 1].c = checked_add(s->term[n - 1].c, s->term[i].c);
        else {
            if (n && !s->term[n - 1].c) n--;
            s->term[n++] = s->term[i];
        }
    if (n && !s->term[n - 1].c) n--;
    return rejoin(s->pool, intern_dim(s->pool, s->term, n));
}

const gn_dim *gn_dim_const(gn_dim_pool *pool, int64_t v)
{
    const gn_term t = make_term(pool, v, 0, NULL);
    return intern_dim(pool, &t, v != 0);
}

const gn_dim *gn_dim_sym(gn_dim_pool *pool, const char *name)
{
    return atom_dim(pool, GN_DIM_SYM, name, NULL, NULL);
}

const gn_dim *gn_dim_load(gn_dim_pool *pool, const char *buffer, const gn_dim *index)
{
    return atom_dim(pool, GN_DIM_LOAD, buffer, index, NULL);
}

bool gn_dim_is_const(const gn_dim *d, int64_t *value)
{
    if (d->n > 1 || (d->n == 1 && d->term[0].n)) return false;
    if (value) *value = d->n ? d->term[0].c : 0;
    return true;
}

const gn_dim *gn_dim_add(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    sum s;
    if (!a->n) return b;
    if (!b->n) return a;
    sum_start(&s, pool);
    sum_dim(&s, a, 1);
    sum_dim(&s, b, 1);
    return sum_done(&s);
}

const gn_dim *gn_dim_scale(gn_dim_pool *pool, const gn_dim *a, int64_t c)
{
    sum s;
    if (c == 1) return a;
    sum_start(&s, pool);
    sum_dim(&s, a, c);
    return sum_done(&s);
}

const gn_dim *gn_dim_sub(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    sum s;
    if (!b->n) return a;
    sum_start(&s, pool);
    sum_dim(&s, a, 1);
    sum_dim(&s, b, -1);
    return sum_done(&s);
}

static gn_term multiply_terms(gn_dim_pool *pool, const gn_term *a, const gn_term *b)
{
    const int64_t c = checked_mul(a->c, b->c);
    const gn_atom *local[16], **atom = local;
    const uint32_t n = a->n + b->n;
    if (!a->n || !b->n) return (gn_term){ c, n, a->n ? a->atom : b->atom };
    if (n > 16) atom = GN_NEW_ARRAY(pool->arena, const gn_atom *, n);
    for (uint32_t i = 0, k = 0; i + k < n;) {
        const bool left = k == b->n || (i < a->n && atom_order(a->atom[i], b->atom[k]) <= 0);
        atom[i + k] = left ? a->atom[i] : b->atom[k];
        if (left) i++;
        else k++;
    }
    return make_term(pool, c, n, atom);
}

const gn_dim *gn_dim_mul(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    int64_t c;
    sum s;
    if (gn_dim_is_const(a, &c)) return gn_dim_scale(pool, b, c);
    if (gn_dim_is_const(b, &c)) return gn_dim_scale(pool, a, c);
    sum_start(&s, pool);
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++) {
            const gn_term t = multiply_terms(pool, &a->term[i], &b->term[k]);
            sum_add(&s, &t, 1);
        }
    return sum_done(&s);
}

/* The quotient of two terms, if it is one. */
static bool divide_terms(gn_dim_pool *pool, const gn_term *a, const gn_term *b, gn_term *out)
{
    const gn_atom *local[16], **atom = local;
    uint32_t n = 0, k = 0;
    if (a->n < b->n || !b->c || (b->c == -1 ? a->c == INT64_MIN : a->c % b->c != 0)) return false;
    if (a->n - b->n > 16) atom = GN_NEW_ARRAY(pool->arena, const gn_atom *, a->n - b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        if (k < b->n && a->atom[i] == b->atom[k]) k++;
        else if (n == a->n - b->n) return false;
        else atom[n++] = a->atom[i];
    }
    if (k < b->n) return false;
    *out = make_term(pool, a->c / b->c, n, atom);
    return true;
}

const gn_dim *gn_dim_exact(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    sum quotient;
    gn_term t;
    if (!b->n) return NULL;
    sum_start(&quotient, pool);
    for (int step = 0; a->n; step++) {
        if (step > MOST_TERMS || !divide_terms(pool, &a->term[0], &b->term[0], &t)) return NULL;
        sum rest;
        sum_add(&quotient, &t, 1);
        sum_start(&rest, pool);
        sum_dim(&rest, a, 1);
        for (uint32_t i = 0; i < b->n; i++) {
            const gn_term less = multiply_terms(pool, &t, &b->term[i]);
            sum_add(&rest, &less, -1);
        }
        a = sum_done(&rest);
    }
    return sum_done(&quotient);
}

/* div and mod. */

/* gcd of the coefficients of all terms that are not constant. */
static int64_t content(const gn_dim *d)
{
    int64_t g = 0;
    for (uint32_t i = 0; i < d->n; i++)
        if (d->term[i].n) g = gn_gcd(g, d->term[i].c);
    return g;
}

static int64_t constant_of(const gn_dim *d)
{
    return d->n && !d->term[d->n - 1].n ? d->term[d->n - 1].c : 0;
}

/* d with its coefficients divided by g, which divides those that are not constant; the constant is floored. */
static const gn_dim *divide_content(gn_dim_pool *pool, const gn_dim *d, int64_t g)
{
    sum s;
    if (g == 1) return d;
    sum_start(&s, pool);
    for (uint32_t i = 0; i < d->n; i++) {
        gn_term t = d->term[i];
        t.c = gn_floor_div(t.c, g);
        sum_add(&s, &t, t.c != 0);
    }
    return sum_done(&s);
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
    sum w, r;
    sum_start(&w, pool);
    sum_start(&r, pool);
    for (uint32_t i = 0; i < a->n; i++) {
        gn_term t = a->term[i];
        if (!t.n) {
            sum_const(&w, gn_floor_div(t.c, c));
            sum_const(&r, gn_floor_mod(t.c, c));
        } else if (t.c % c == 0) {
            t.c /= c;
            sum_add(&w, &t, 1);
        } else sum_add(&r, &t, 1);
    }
    if (whole) *whole = sum_done(&w);
    *rest = sum_done(&r);
}

/* (rest div c) where split_multiples left nothing to take out. c >= 2. */
static const gn_dim *divide_rest(gn_dim_pool *pool, const gn_dim *rest, int64_t c)
{
    int64_t inner, low, high, both;
    if (gn_dim_is_const(rest, NULL)) return gn_dim_const(pool, 0);
    const int64_t g = gn_gcd(c, content(rest));
    rest = divide_content(pool, rest, g), c /= g; /* floor((g x + k) / (g y)) = floor((x + floor(k / g)) / y) */
    gn_dim_range_unknown(rest, &low, &high);
    if (low != INT64_MIN && high != INT64_MAX && gn_floor_div(low, c) == gn_floor_div(high, c)) return gn_dim_const(pool, gn_floor_div(low, c));
    const gn_atom *const div = lone_atom(rest, GN_DIM_DIV);
    if (div && positive_const(div->b, &inner) && !gn_mul_overflows(inner, c, &both)) { /* (x div a + k) div b = (x + k a) div (a b) */
        const gn_dim *const shifted = gn_dim_add(pool, div->a, gn_dim_const(pool, checked_mul(constant_of(rest), inner)));
        return gn_dim_div(pool, shifted, gn_dim_const(pool, both));
    }
    const gn_atom *const mod = lone_atom(rest, GN_DIM_MOD);
    if (mod && rest->n == 1 && positive_const(mod->b, &inner) && inner % c == 0) /* (x mod (b k)) div b = (x div b) mod k */
        return gn_dim_mod(pool, gn_dim_div(pool, mod->a, gn_dim_const(pool, c)), gn_dim_const(pool, inner / c));
    return atom_dim(pool, GN_DIM_DIV, "", rest, gn_dim_const(pool, c));
}

const gn_dim *gn_dim_div(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    const gn_dim *whole, *rest;
    int64_t c;
    if (!a->n || !b->n) return gn_dim_const(pool, 0);
    if (gn_dim_is_const(b, &c)) {
        if (c < 0) return gn_dim_div(pool, gn_dim_scale(pool, a, -1), gn_dim_const(pool, checked_mul(c, -1)));
        if (c == 1) return a;
        split_multiples(pool, a, c, &whole, &rest);
        return gn_dim_add(pool, whole, divide_rest(pool, rest, c));
    }
    const int64_t g = gn_gcd(gn_gcd(content(a), constant_of(a)), gn_gcd(content(b), constant_of(b)));
    return atom_dim(pool, GN_DIM_DIV, "", divide_content(pool, a, g), divide_content(pool, b, g));
}

const gn_dim *gn_dim_cdiv(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    return gn_dim_div(pool, gn_dim_add(pool, a, gn_dim_sub(pool, b, gn_dim_const(pool, 1))), b);
}

/* Within mod c, k * (x mod m) may be k * x where c divides k * m. NULL: nothing to replace. */
static const gn_dim *drop_inner_mods(gn_dim_pool *pool, const gn_dim *d, int64_t c)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const x = d->term[i].atom[k];
            int64_t m, km;
            if (x->kind != GN_DIM_MOD || !gn_dim_is_const(x->b, &m) || gn_mul_overflows(m, d->term[i].c, &km) || km % c != 0) continue;
            gn_term others;
            const gn_term this = make_term(pool, 1, 1, &x);
            if (!divide_terms(pool, &d->term[i], &this, &others)) continue;
            const gn_dim *const factor = intern_dim(pool, &others, 1), *const term = intern_dim(pool, &d->term[i], 1);
            return gn_dim_add(pool, gn_dim_sub(pool, d, term), gn_dim_mul(pool, factor, x->a));
        }
    return NULL;
}

static const gn_dim *mod_const(gn_dim_pool *pool, const gn_dim *a, int64_t c)
{
    const gn_dim *rest, *flat;
    int64_t low, high;
    split_multiples(pool, a, c, NULL, &rest);
    if (gn_dim_is_const(rest, NULL)) return rest;
    if ((flat = drop_inner_mods(pool, rest, c))) return mod_const(pool, flat, c);
    const int64_t g = gn_gcd(c, content(rest)), k = constant_of(rest) % g;
    if (g > 1) { /* (g x + g l + k) mod (g y) = g ((x + l) mod y) + k */
        const gn_dim *const inner = gn_dim_mod(pool, divide_content(pool, rest, g), gn_dim_const(pool, c / g));
        return gn_dim_add(pool, gn_dim_scale(pool, inner, g), gn_dim_const(pool, k));
    }
    gn_dim_range_unknown(rest, &low, &high);
    if (low != INT64_MIN && high != INT64_MAX && gn_floor_div(low, c) == gn_floor_div(high, c))
        return gn_dim_sub(pool, rest, gn_dim_const(pool, checked_mul(gn_floor_div(low, c), c)));
    return atom_dim(pool, GN_DIM_MOD, "", rest, gn_dim_const(pool, c));
}

const gn_dim *gn_dim_mod(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    int64_t c;
    gn_term t;
    if (!a->n || !b->n || a == b) return gn_dim_const(pool, 0);
    if (gn_dim_is_const(b, &c)) {
        if (c == 1 || c == -1) return gn_dim_const(pool, 0);
        if (c > 0) return mod_const(pool, a, c);
        return gn_dim_scale(pool, mod_const(pool, gn_dim_scale(pool, a, -1), checked_mul(c, -1)), -1);
    }
    if (b->n == 1) { /* (q b + r) mod b = r mod b, also for b = 0, where both are 0 */
        sum s;
        sum_start(&s, pool);
        for (uint32_t i = 0; i < a->n; i++) sum_add(&s, &a->term[i], !divide_terms(pool, &a->term[i], &b->term[0], &t));
        a = sum_done(&s);
        if (!a->n) return a;
    }
    const int64_t g = gn_gcd(gn_gcd(content(a), constant_of(a)), gn_gcd(content(b), constant_of(b)));
    const gn_dim *const mod = atom_dim(pool, GN_DIM_MOD, "", divide_content(pool, a, g), divide_content(pool, b, g));
    return gn_dim_scale(pool, mod, g);
}

/* k c (x div c) + k (x mod c) is k x, whatever else k multiplies: splitting an axis and joining it again leaves nothing behind. */
static const gn_dim *rejoin(gn_dim_pool *pool, const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const mod = d->term[i].atom[k];
            int64_t c, kc;
            gn_term others;
            if (mod->kind != GN_DIM_MOD || d->n < 2 || !positive_const(mod->b, &c) || gn_mul_overflows(c, d->term[i].c, &kc)) continue;
            const gn_dim *const div = gn_dim_div(pool, mod->a, mod->b);
            if (div->n != 1 || div->term[0].n != 1 || div->term[0].c != 1) continue;
            const gn_term this = make_term(pool, 1, 1, &mod);
            if (!divide_terms(pool, &d->term[i], &this, &others)) continue;
            others.c = 1;
            const gn_term partner = multiply_terms(pool, &others, &div->term[0]);
            for (uint32_t m = 0; m < d->n; m++)
                if (d->term[m].atom == partner.atom && d->term[m].c == kc) {
                    sum s;
                    sum_start(&s, pool);
                    for (uint32_t q = 0; q < d->n; q++) sum_add(&s, &d->term[q], q != m && q != i);
                    for (uint32_t q = 0; q < mod->a->n; q++) {
                        const gn_term t = multiply_terms(pool, &others, &mod->a->term[q]);
                        sum_add(&s, &t, d->term[i].c);
                    }
                    return sum_done(&s);
                }
        }
    return d;
}

/* min and max. */

enum { MOST_CHOICES = 64 };
typedef struct choices {
    size_t n;
    const gn_dim *at[MOST_CHOICES];
} choices;

static void add_choice(choices *all, gn_atom_kind kind, const gn_dim *d)
{
    if (d->n == 1 && d->term[0].n == 1 && d->term[0].c == 1 && d->term[0].atom[0]->kind == kind) {
        add_choice(all, kind, d->term[0].atom[0]->a);
        add_choice(all, kind, d->term[0].atom[0]->b);
        return;
    }
    for (size_t i = 0; i < all->n; i++) {
        if (gn_dim_compare(all->at[i], d) == GN_DIM_UNKNOWN) continue;
        const bool keep_old = kind == GN_DIM_MIN ? constant_of(all->at[i]) <= constant_of(d) : constant_of(all->at[i]) >= constant_of(d);
        if (!keep_old) all->at[i] = d; /* they differ by a constant */
        return;
    }
    if (all->n == MOST_CHOICES) gn_throw(GN_ENOMEM, "size overflows: min or max of more than %d extents", MOST_CHOICES);
    all->at[all->n++] = d;
}

static const gn_dim *choose(gn_dim_pool *pool, gn_atom_kind kind, const gn_dim *a, const gn_dim *b)
{
    choices all;
    all.n = 0;
    add_choice(&all, kind, a);
    add_choice(&all, kind, b);
    for (size_t i = 1; i < all.n; i++)
        for (size_t k = i; k > 0 && dim_order(all.at[k - 1], all.at[k]) > 0; k--) {
            const gn_dim *const x = all.at[k];
            all.at[k] = all.at[k - 1], all.at[k - 1] = x;
        }
    const gn_dim *d = all.at[all.n - 1];
    for (size_t i = all.n - 1; i-- > 0;) d = atom_dim(pool, kind, "", all.at[i], d);
    return d;
}

const gn_dim *gn_dim_min(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    return choose(pool, GN_DIM_MIN, a, b);
}

const gn_dim *gn_dim_max(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    return choose(pool, GN_DIM_MAX, a, b);
}

gn_dim_order gn_dim_compare(const gn_dim *a, const gn_dim *b)
{
    if (a == b) return GN_DIM_EQUAL;
    uint32_t na = a->n, nb = b->n;
    if (na && !a->term[na - 1].n) na--;
    if (nb && !b->term[nb - 1].n) nb--;
    if (na != nb) return GN_DIM_UNKNOWN;
    for (uint32_t i = 0; i < na; i++)
        if (a->term[i].c != b->term[i].c || a->term[i].atom != b->term[i].atom) return GN_DIM_UNKNOWN;
    return GN_DIM_DIFFERENT;
}

/* Replacement. */

typedef struct replacer {
    gn_dim_pool *pool;
    gn_dim_map of;
    void *user;
} replacer;

static const gn_dim *replace(const replacer *r, const gn_dim *d);

static const gn_dim *replace_atom(const replacer *r, const gn_atom *x)
{
    if (x->kind == GN_DIM_SYM) {
        const gn_dim *const by = r->of(r->user, x->name);
        return by ? by : gn_dim_sym(r->pool, x->name);
    }
    const gn_dim *const a = replace(r, x->a);
    if (x->kind == GN_DIM_LOAD) return gn_dim_load(r->pool, x->name, a);
    return gn_dim_apply(r->pool, x->kind, a, replace(r, x->b));
}

static const gn_dim *replace(const replacer *r, const gn_dim *d)
{
    const gn_dim *all = gn_dim_const(r->pool, 0);
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_dim *term = gn_dim_const(r->pool, d->term[i].c);
        for (uint32_t k = 0; k < d->term[i].n; k++) term = gn_dim_mul(r->pool, term, replace_atom(r, d->term[i].atom[k]));
        all = gn_dim_add(r->pool, all, term);
    }
    return all;
}

const gn_dim *gn_dim_apply(gn_dim_pool *pool, gn_atom_kind kind, const gn_dim *a, const gn_dim *b)
{
    switch (kind) {
    case GN_DIM_DIV: return gn_dim_div(pool, a, b);
    case GN_DIM_MOD: return gn_dim_mod(pool, a, b);
    case GN_DIM_MIN: return gn_dim_min(pool, a, b);
    default: GN_ASSERT(kind == GN_DIM_MAX); return gn_dim_max(pool, a, b);
    }
}

const gn_dim *gn_dim_subst(gn_dim_pool *pool, const gn_dim *d, gn_dim_map of, void *user)
{
    const replacer r = { pool, of, user };
    return gn_dim_is_const(d, NULL) ? d : replace(&r, d);
}

static const gn_dim *keep_symbol(void *user, const char *symbol)
{
    (void)user, (void)symbol;
    return NULL;
}

const gn_dim *gn_dim_import(gn_dim_pool *into, const gn_dim *d)
{
    const replacer r = { into, keep_symbol, NULL };
    return replace(&r, d);
}

static uint32_t power_of(const gn_term *t, const char *symbol)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->n; i++) n += t->atom[i]->kind == GN_DIM_SYM && strcmp(t->atom[i]->name, symbol) == 0;
    return n;
}

const gn_dim *gn_dim_coefficient(gn_dim_pool *pool, const gn_dim *d, const char *symbol)
{
    const gn_dim *const s = gn_dim_sym(pool, symbol);
    sum all;
    sum_start(&all, pool);
    for (uint32_t i = 0; i < d->n; i++) {
        const uint32_t power = power_of(&d->term[i], symbol);
        gn_term t;
        if (power > 1) return NULL;
        if (power && divide_terms(pool, &d->term[i], &s->term[0], &t)) sum_add(&all, &t, 1);
    }
    return sum_done(&all);
}

const gn_dim *gn_dim_of_atom(gn_dim_pool *pool, const gn_atom *x)
{
    const gn_term t = make_term(pool, 1, 1, &x);
    return intern_dim(pool, &t, 1);
}
