/* Dims with numbers in place of symbols, and walks over what they mention. */
#include "checked.h"
#include "dim_parts.h"
#include <string.h>

typedef struct evaluator {
    gn_dim_value value;
    gn_dim_fetch load;
    void *user;
} evaluator;

static bool eval(const evaluator *e, const gn_dim *d, int64_t *out);

static bool eval_atom(const evaluator *e, const gn_atom *x, int64_t *out)
{
    int64_t a, b = 0;
    if (x->kind == GN_DIM_SYM) return e->value(e->user, x->name, out);
    if (!eval(e, x->a, &a)) return false;
    if (x->kind == GN_DIM_LOAD) return e->load && e->load(e->user, x->name, a, out);
    if (!eval(e, x->b, &b)) return false;
    if (a == INT64_MIN && b == -1 && x->kind == GN_DIM_DIV) return false;
    switch (x->kind) {
    case GN_DIM_DIV: *out = gn_floor_div(a, b); break;
    case GN_DIM_MOD: *out = gn_floor_mod(a, b); break;
    case GN_DIM_MIN: *out = a < b ? a : b; break;
    default: *out = a > b ? a : b; break;
    }
    return true;
}

static bool eval(const evaluator *e, const gn_dim *d, int64_t *out)
{
    int64_t all = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        int64_t term = d->term[i].c, factor;
        bool zero = false, overflows = false;
        for (uint32_t k = 0; k < d->term[i].n; k++) { /* 0 times what would overflow is 0 */
            if (!eval_atom(e, d->term[i].atom[k], &factor)) return false;
            if (!factor) zero = true;
            else if (!overflows && gn_mul_overflows(term, factor, &term)) overflows = true;
        }
        if (zero) continue;
        if (overflows || gn_add_overflows(all, term, &all)) return false;
    }
    *out = all;
    return true;
}

bool gn_dim_eval(const gn_dim *d, gn_dim_value value, gn_dim_fetch load, void *user, int64_t *out)
{
    const evaluator e = { value, load, user };
    return eval(&e, d, out);
}

bool gn_dim_mentions(const gn_dim *d, const char *symbol)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const x = d->term[i].atom[k];
            if (x->kind == GN_DIM_SYM ? strcmp(x->name, symbol) == 0 : gn_dim_mentions(x->a, symbol)) return true;
            if (x->b && gn_dim_mentions(x->b, symbol)) return true;
        }
    return false;
}

void gn_dim_symbols(const gn_dim *d, void (*visit)(void *user, const char *name), void *user)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const x = d->term[i].atom[k];
            if (x->kind == GN_DIM_SYM) visit(user, x->name);
            if (x->a) gn_dim_symbols(x->a, visit, user);
            if (x->b) gn_dim_symbols(x->b, visit, user);
        }
}

bool gn_dim_has_load(const gn_dim *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        for (uint32_t k = 0; k < d->term[i].n; k++) {
            const gn_atom *const x = d->term[i].atom[k];
            if (x->kind == GN_DIM_LOAD || (x->a && gn_dim_has_load(x->a)) || (x->b && gn_dim_has_load(x->b))) return true;
        }
    return false;
}
