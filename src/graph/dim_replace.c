/* Dims: symbols replaced, dims of one pool in another, factors of a symbol. */
#include "dim_parts.h"
#include <string.h>

static const gn_dim *replace(gn_dim_replacing *r, const gn_dim *d);

static const gn_dim *replace_operation(gn_dim_replacing *r, const gn_atom *x)
{
    if (x->kind == GN_DIM_SYM) {
        const gn_dim *const by = r->map(r->user, x->name);
        return by ? by : gn_dim_sym(r->pool, x->name);
    }
    const gn_dim *const a = replace(r, x->a);
    if (x->kind == GN_DIM_LOAD) return gn_dim_load(r->pool, x->name, a);
    return gn_dim_apply(r->pool, x->kind, a, replace(r, x->b));
}

static const gn_dim *replace_atom(gn_dim_replacing *r, const gn_atom *x)
{
    const gn_dim *const *const known = gn_dim_walk_get(&r->walk, x);
    return known ? *known : replace_operation(r, x);
}

static void find_replaced(void *user, const gn_atom *x)
{
    gn_dim_replacing *const r = user;
    const gn_dim *const d = replace_operation(r, x);
    gn_dim_walk_set(&r->walk, x, &d, sizeof d);
}

static const gn_dim *replace(gn_dim_replacing *r, const gn_dim *d)
{
    const gn_dim *all = gn_dim_const(r->pool, 0);
    gn_dim_walk_over(&r->walk, d);
    for (uint32_t i = 0; i < d->n; i++) {
        const gn_dim *term = gn_dim_const(r->pool, d->term[i].c);
        for (uint32_t k = 0; k < d->term[i].n; k++) term = gn_dim_mul(r->pool, term, replace_atom(r, d->term[i].atom[k]));
        all = gn_dim_add(r->pool, all, term);
    }
    return all;
}

const gn_dim *gn_dim_replace(gn_dim_replacing *r, const gn_dim *d)
{
    r->walk.arena = r->arena, r->walk.find = find_replaced, r->walk.user = r;
    return replace(r, d);
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

typedef struct replace_call {
    gn_dim_replacing r;
    const gn_dim *d, *result;
    gn_arena scratch;
} replace_call;

static void replace_once(void *user)
{
    replace_call *const c = user;
    c->result = gn_dim_replace(&c->r, c->d);
}

const gn_dim *gn_dim_subst(gn_dim_pool *pool, const gn_dim *d, gn_dim_map of, void *user)
{
    replace_call c = { .d = d };
    c.r = (gn_dim_replacing){ .pool = pool, .map = of, .user = user, .arena = &c.scratch };
    if (gn_dim_is_const(d, NULL)) return d;
    gn_dim_with_scratch(&c.scratch, replace_once, &c);
    return c.result;
}

static const gn_dim *keep_symbol(void *user, const char *symbol)
{
    (void)user, (void)symbol;
    return NULL;
}

const gn_dim *gn_dim_import(gn_dim_pool *into, const gn_dim *d)
{
    int64_t v;
    return gn_dim_is_const(d, &v) ? gn_dim_const(into, v) : gn_dim_subst(into, d, keep_symbol, NULL);
}

const gn_dim **gn_dims_import(gn_dim_pool *into, size_t n, const gn_dim *const *d)
{
    const gn_dim **out = d ? GN_NEW_ARRAY(into->arena, const gn_dim *, n) : NULL;
    for (size_t i = 0; d && i < n; i++) out[i] = gn_dim_import(into, d[i]);
    return out;
}

const gn_dim *gn_dims_product(gn_dim_pool *pool, size_t n, const gn_dim *const *d)
{
    const gn_dim *all = gn_dim_const(pool, 1);
    for (size_t i = 0; i < n; i++) all = gn_dim_mul(pool, all, d[i]);
    return all;
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
    gn_sum all;
    gn_sum_start(&all, pool);
    for (uint32_t i = 0; i < d->n; i++) {
        const uint32_t power = power_of(&d->term[i], symbol);
        gn_term t;
        if (power > 1) return NULL;
        if (power && gn_term_divide(pool, &d->term[i], &s->term[0], &t)) gn_sum_add(&all, &t, 1);
    }
    return gn_sum_done(&all);
}

const gn_dim *gn_dim_linear(gn_dim_pool *pool, const gn_dim *d, const char *symbol)
{
    const gn_dim *c = gn_dim_coefficient(pool, d, symbol);
    if (!c || gn_dim_mentions(c, symbol)) return NULL;
    const gn_dim *rest = gn_dim_sub(pool, d, gn_dim_mul(pool, c, gn_dim_sym(pool, symbol)));
    return gn_dim_mentions(rest, symbol) ? NULL : c;
}
