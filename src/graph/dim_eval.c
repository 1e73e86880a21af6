/* Dims with numbers in place of symbols. */
#include "checked.h"
#include "dim_parts.h"

typedef struct evaluator {
    gn_dim_value value;
    gn_dim_fetch load;
    void *user;
    const gn_dim *d;
    bool ok;
    int64_t result;
    gn_arena scratch;
    gn_dim_walk values;
} evaluator;

typedef struct number {
    bool ok;
    int64_t v;
} number;

static bool eval(evaluator *e, const gn_dim *d, int64_t *out);

static bool eval_operation(evaluator *e, const gn_atom *x, int64_t *out)
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

static bool eval_atom(evaluator *e, const gn_atom *x, int64_t *out)
{
    const number *const known = gn_dim_walk_get(&e->values, x);
    if (!known) return eval_operation(e, x, out);
    *out = known->v;
    return known->ok;
}

static bool eval(evaluator *e, const gn_dim *d, int64_t *out)
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

static void find_value(void *user, const gn_atom *x)
{
    evaluator *const e = user;
    number n = { .v = 0 };
    n.ok = eval_operation(e, x, &n.v);
    gn_dim_walk_set(&e->values, x, &n, sizeof n);
}

static void eval_large(void *user)
{
    evaluator *const e = user;
    gn_dim_walk_over(&e->values, e->d);
    e->ok = eval(e, e->d, &e->result);
}

bool gn_dim_eval(const gn_dim *d, gn_dim_value value, gn_dim_fetch load, void *user, int64_t *out)
{
    evaluator e = { .value = value, .load = load, .user = user, .d = d };
    if (gn_dim_is_small(d)) return eval(&e, d, out);
    e.values = (gn_dim_walk){ .arena = &e.scratch, .find = find_value, .user = &e };
    gn_dim_with_scratch(&e.scratch, eval_large, &e);
    if (e.ok) *out = e.result;
    return e.ok;
}
