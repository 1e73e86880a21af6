/* Dims: construction in canonical form.
 *
 * A dim is a sorted gn_sum of terms, a term a coefficient times an interned product of interned atoms, so equality is a
 * pointer comparison at every level. Products are ordered lexicographically, the longer first (a*a, a*b, a, b, 1): a
 * monomial order, which is what makes the division in gn_dim_exact end. Nothing is ordered by address or age: two
 * programs that build the same dim in different ways print it alike.
 *
 * Every simplification here holds for all integer values of the symbols, negative ones and zero divisors included. What
 * needs to know more about them stands in dim_facts.c. */
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

int64_t gn_checked_mul(int64_t a, int64_t b)
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

/* Order. What is not one pointer differs, so that the first difference decides, however deep it lies. Past DEEP it
 * would have to be looked for too long: there depth decides, then a hash of names and structure. */

enum { DEEP = 8 };

/* The operands that decide between two atoms, if their kinds and names do not. */
static int atom_order(const gn_atom *a, const gn_atom *b, const gn_dim **da, const gn_dim **db)
{
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->name != b->name) return strcmp(a->name, b->name);
    if (a->depth > DEEP || b->depth > DEEP) {
        if (a->depth != b->depth) return a->depth < b->depth ? -1 : 1;
        if (a->hash != b->hash) return a->hash < b->hash ? -1 : 1;
    }
    *da = a->a != b->a ? a->a : a->b, *db = a->a != b->a ? b->a : b->b;
    return 0;
}

/* As product_order; *da and *db are what decides where the result is 0 and they were set. */
static int products_apart(const gn_term *a, const gn_term *b, const gn_dim **da, const gn_dim **db)
{
    if (a->atom == b->atom) return 0;
    for (uint32_t i = 0; i < a->n && i < b->n; i++)
        if (a->atom[i] != b->atom[i]) return atom_order(a->atom[i], b->atom[i], da, db);
    return a->n > b->n ? -1 : a->n < b->n;
}

int gn_dim_sort_order(const gn_dim *a, const gn_dim *b)
{
    while (a != b) {
        const gn_dim *da = NULL, *db = NULL;
        for (uint32_t i = 0; !da; i++) {
            if (i == a->n || i == b->n) return a->n < b->n ? -1 : a->n > b->n;
            const int o = products_apart(&a->term[i], &b->term[i], &da, &db);
            if (o) return o;
            if (!da && a->term[i].c != b->term[i].c) return a->term[i].c < b->term[i].c ? -1 : 1;
        }
        a = da, b = db;
    }
    return 0;
}

static int product_order(const gn_term *a, const gn_term *b)
{
    const gn_dim *da = NULL, *db = NULL;
    const int o = products_apart(a, b, &da, &db);
    return o || !da ? o : gn_dim_sort_order(da, db);
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
gn_term gn_term_make(gn_dim_pool *pool, int64_t c, uint32_t n, const gn_atom *const *atom)
{
    gn_term t = { c, n, atom };
    uint64_t hash = n;
    for (uint32_t i = 0; i < n; i++) hash = gn_hash_mix(hash, atom[i]->id);
    product *p = n ? gn_intern_find(&pool->products, hash, &t, product_equal)
                   : gn_intern_find(&pool->products, 0, &(gn_term){ 0 }, product_equal);
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

const gn_dim *gn_dim_intern(gn_dim_pool *pool, const gn_term *term, size_t n)
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

static uint32_t count_atoms(const gn_dim *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; d && i < d->n; i++) n += d->term[i].n;
    return n;
}

static const gn_atom **add_atoms(const gn_atom **at, const gn_dim *d)
{
    for (uint32_t i = 0; d && i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) *at++ = d->term[i].atom[k];
    return at;
}

static uint64_t structure_hash(const gn_atom *x)
{
    const gn_dim *const part[2] = { x->a, x->b };
    uint64_t hash = gn_hash_bytes(x->kind, x->name, strlen(x->name));
    for (int p = 0; p < 2 && part[p]; p++)
        for (uint32_t i = 0; i < part[p]->n; i++) {
            const gn_term *const t = &part[p]->term[i];
            hash = gn_hash_mix(gn_hash_mix(hash, (uint64_t)t->c), t->n + (uint64_t)p);
            for (uint32_t k = 0; k < t->n; k++) hash = gn_hash_mix(hash, t->atom[k]->hash);
        }
    return hash;
}

static void note_facts(gn_dim_pool *pool, gn_atom *x)
{
    uint64_t size = 1;
    x->nin = count_atoms(x->a) + count_atoms(x->b);
    const gn_atom **const in = x->nin ? GN_NEW_ARRAY(pool->arena, const gn_atom *, x->nin) : NULL;
    add_atoms(add_atoms(in, x->a), x->b);
    x->in = in;
    x->has_load = x->kind == GN_DIM_LOAD;
    x->symbols = x->kind == GN_DIM_SYM ? gn_dim_symbol_bit(x->name) : 0;
    for (uint32_t i = 0; i < x->nin; i++) {
        size += in[i]->size;
        x->has_load |= in[i]->has_load;
        x->symbols |= in[i]->symbols;
        if (x->depth < in[i]->depth) x->depth = in[i]->depth;
    }
    x->depth++;
    x->hash = structure_hash(x);
    x->size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
    gn_atom_bound(x);
}

static const gn_atom *make_atom(gn_dim_pool *pool, gn_atom_kind kind, const char *name, const gn_dim *a, const gn_dim *b)
{
    const gn_atom probe = { .kind = kind, .name = gn_symbol(pool->arena, &pool->symbols, name), .a = a, .b = b };
    const uint64_t hash =
        gn_hash_mix(gn_hash_mix(gn_hash_mix(kind, GN_KEY(probe.name)), a ? a->id + 1 : 0), b ? b->id + 1 : 0);
    gn_atom *x = gn_intern_find(&pool->atoms, hash, &probe, atom_equal);
    if (x) return x;
    x = gn_arena_alloc(pool->arena, sizeof *x, alignof(gn_atom));
    *x = probe;
    note_facts(pool, x);
    x->id = pool->natoms++;
    gn_intern_add(pool->arena, &pool->atoms, hash, x);
    return x;
}

const gn_dim *gn_dim_atom(gn_dim_pool *pool, gn_atom_kind kind, const char *name, const gn_dim *a, const gn_dim *b)
{
    const gn_atom *const x = make_atom(pool, kind, name, a, b);
    const gn_term t = gn_term_make(pool, 1, 1, &x);
    return gn_dim_intern(pool, &t, 1);
}

/* Sums under construction. */

void gn_sum_start(gn_sum *s, gn_dim_pool *pool)
{
    s->pool = pool;
    s->term = s->local;
    s->n = 0;
    s->capacity = sizeof s->local / sizeof *s->local;
}

void gn_sum_add(gn_sum *s, const gn_term *t, int64_t factor)
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
    s->term[s->n++].c = gn_checked_mul(t->c, factor);
}

void gn_sum_const(gn_sum *s, int64_t c)
{
    const gn_term t = gn_term_make(s->pool, 1, 0, NULL);
    gn_sum_add(s, &t, c);
}

void gn_sum_dim(gn_sum *s, const gn_dim *d, int64_t factor)
{
    for (uint32_t i = 0; i < d->n; i++) gn_sum_add(s, &d->term[i], factor);
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

const gn_dim *gn_sum_done(gn_sum *s)
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
    return gn_dim_rejoin(s->pool, gn_dim_intern(s->pool, s->term, n));
}

const gn_dim *gn_dim_const(gn_dim_pool *pool, int64_t v)
{
    const gn_term t = gn_term_make(pool, v, 0, NULL);
    return gn_dim_intern(pool, &t, v != 0);
}

const gn_dim *gn_dim_sym(gn_dim_pool *pool, const char *name)
{
    return gn_dim_atom(pool, GN_DIM_SYM, name, NULL, NULL);
}

const gn_dim *gn_dim_load(gn_dim_pool *pool, const char *buffer, const gn_dim *index)
{
    return gn_dim_atom(pool, GN_DIM_LOAD, buffer, index, NULL);
}

bool gn_dim_is_const(const gn_dim *d, int64_t *value)
{
    if (d->n > 1 || (d->n == 1 && d->term[0].n)) return false;
    if (value) *value = d->n ? d->term[0].c : 0;
    return true;
}

const gn_dim *gn_dim_add(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    gn_sum s;
    if (!a->n) return b;
    if (!b->n) return a;
    gn_sum_start(&s, pool);
    gn_sum_dim(&s, a, 1);
    gn_sum_dim(&s, b, 1);
    return gn_sum_done(&s);
}

const gn_dim *gn_dim_scale(gn_dim_pool *pool, const gn_dim *a, int64_t c)
{
    gn_sum s;
    if (c == 1) return a;
    gn_sum_start(&s, pool);
    gn_sum_dim(&s, a, c);
    return gn_sum_done(&s);
}

const gn_dim *gn_dim_sub(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    gn_sum s;
    if (!b->n) return a;
    gn_sum_start(&s, pool);
    gn_sum_dim(&s, a, 1);
    gn_sum_dim(&s, b, -1);
    return gn_sum_done(&s);
}

static bool atoms_in_order(const gn_atom *a, const gn_atom *b)
{
    const gn_dim *da = NULL, *db = NULL;
    const int o = a == b ? 0 : atom_order(a, b, &da, &db);
    return o ? o < 0 : !da || gn_dim_sort_order(da, db) < 0;
}

gn_term gn_term_multiply(gn_dim_pool *pool, const gn_term *a, const gn_term *b)
{
    const int64_t c = gn_checked_mul(a->c, b->c);
    const gn_atom *local[16], **atom = local;
    const uint32_t n = a->n + b->n;
    if (!a->n || !b->n) return (gn_term){ c, n, a->n ? a->atom : b->atom };
    if (n > 16) atom = GN_NEW_ARRAY(pool->arena, const gn_atom *, n);
    for (uint32_t i = 0, k = 0; i + k < n;) {
        const bool left = k == b->n || (i < a->n && atoms_in_order(a->atom[i], b->atom[k]));
        atom[i + k] = left ? a->atom[i] : b->atom[k];
        if (left) i++;
        else k++;
    }
    return gn_term_make(pool, c, n, atom);
}

const gn_dim *gn_dim_mul(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    int64_t c;
    gn_sum s;
    if (gn_dim_is_const(a, &c)) return gn_dim_scale(pool, b, c);
    if (gn_dim_is_const(b, &c)) return gn_dim_scale(pool, a, c);
    gn_sum_start(&s, pool);
    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t k = 0; k < b->n; k++) {
            const gn_term t = gn_term_multiply(pool, &a->term[i], &b->term[k]);
            gn_sum_add(&s, &t, 1);
        }
    return gn_sum_done(&s);
}

/* The quotient of two terms, if it is one. */
bool gn_term_divide(gn_dim_pool *pool, const gn_term *a, const gn_term *b, gn_term *out)
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
    *out = gn_term_make(pool, a->c / b->c, n, atom);
    return true;
}

const gn_dim *gn_dim_exact(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    gn_sum quotient;
    gn_term t;
    if (!b->n) return NULL;
    gn_sum_start(&quotient, pool);
    for (int step = 0; a->n; step++) {
        if (step > MOST_TERMS || !gn_term_divide(pool, &a->term[0], &b->term[0], &t)) return NULL;
        gn_sum rest;
        gn_sum_add(&quotient, &t, 1);
        gn_sum_start(&rest, pool);
        gn_sum_dim(&rest, a, 1);
        for (uint32_t i = 0; i < b->n; i++) {
            const gn_term less = gn_term_multiply(pool, &t, &b->term[i]);
            gn_sum_add(&rest, &less, -1);
        }
        a = gn_sum_done(&rest);
    }
    return gn_sum_done(&quotient);
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

int64_t gn_dim_constant(const gn_dim *d)
{
    return d->n && !d->term[d->n - 1].n ? d->term[d->n - 1].c : 0;
}

const gn_dim *gn_dim_of_atom(gn_dim_pool *pool, const gn_atom *x)
{
    const gn_term t = gn_term_make(pool, 1, 1, &x);
    return gn_dim_intern(pool, &t, 1);
}
