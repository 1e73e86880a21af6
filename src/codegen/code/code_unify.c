/* Index expressions that differ from turn to turn by a multiple of something, or in whose div, mod, min and max that is
 * so. What is found is put to the test: with the variable at each turn it must be the very expression of that turn. */
#include "code_unify.h"
#include "dim_parts.h"

static const gn_dim *var_of(const gn_turns *t)
{
    return gn_dim_sym(t->dims, t->var);
}

/* at[k] = at[0] + k * (at[1] - at[0]). */
static const gn_dim *linear(const gn_turns *t, const gn_dim *const *at)
{
    const bool constant = gn_dim_compare(at[0], at[1]) == GN_DIM_DIFFERENT;
    const int64_t first = gn_dim_constant(at[0]), by = gn_dim_constant(at[1]) - first;
    const gn_dim *step = constant ? gn_dim_const(t->dims, by) : gn_dim_sub(t->dims, at[1], at[0]);
    for (uint32_t k = 2; k < t->n; k++) {
        const bool same =
            constant ? gn_dim_compare(at[0], at[k]) == GN_DIM_DIFFERENT && gn_dim_constant(at[k]) == first + k * by
                     : gn_dim_add(t->dims, at[0], gn_dim_scale(t->dims, step, k)) == at[k];
        if (!same) return NULL;
    }
    return gn_dim_add(t->dims, at[0], gn_dim_mul(t->dims, step, var_of(t)));
}

static const gn_dim *rebuilt(gn_dim_pool *p, const gn_atom *like, const gn_dim *a, const gn_dim *b)
{
    switch (like->kind) {
    case GN_DIM_DIV: return gn_dim_div(p, a, b);
    case GN_DIM_MOD: return gn_dim_mod(p, a, b);
    case GN_DIM_MIN: return gn_dim_min(p, a, b);
    case GN_DIM_MAX: return gn_dim_max(p, a, b);
    case GN_DIM_LOAD: return gn_dim_load(p, like->name, a);
    case GN_DIM_SYM: break;
    }
    return NULL;
}

static const gn_dim *atoms(const gn_turns *t, const gn_atom *const *at)
{
    const gn_dim *a[GN_UNIFY_MOST], *b[GN_UNIFY_MOST];
    bool same = true;
    for (uint32_t k = 1; k < t->n; k++) {
        same &= at[k] == at[0];
        if (at[k]->kind != at[0]->kind || !at[k]->a != !at[0]->a || !at[k]->b != !at[0]->b) return NULL;
        if (at[k]->name != at[0]->name) return NULL;
    }
    if (same) return gn_dim_of_atom(t->dims, at[0]);
    if (!at[0]->a) return NULL;
    for (uint32_t k = 0; k < t->n; k++) a[k] = at[k]->a, b[k] = at[k]->b;
    const gn_dim *left = gn_unify_dims(t, a), *right = left && at[0]->b ? gn_unify_dims(t, b) : NULL;
    if (!left || (at[0]->b && !right)) return NULL;
    return rebuilt(t->dims, at[0], left, right);
}

static const gn_dim *products(const gn_turns *t, const gn_dim *const *at, uint32_t term)
{
    const gn_atom *a[GN_UNIFY_MOST];
    const gn_term *first = &at[0]->term[term];
    const gn_dim *product = gn_dim_const(t->dims, first->c);
    for (uint32_t k = 1; k < t->n; k++)
        if (at[k]->term[term].c != first->c || at[k]->term[term].n != first->n) return NULL;
    for (uint32_t i = 0; product && i < first->n; i++) {
        for (uint32_t k = 0; k < t->n; k++) a[k] = at[k]->term[term].atom[i];
        const gn_dim *one = atoms(t, a);
        product = one ? gn_dim_mul(t->dims, product, one) : NULL;
    }
    return product;
}

/* Term by term, the constants apart. */
static const gn_dim *term_by_term(const gn_turns *t, const gn_dim *const *at)
{
    const gn_dim *constant[GN_UNIFY_MOST], *rest[GN_UNIFY_MOST];
    for (uint32_t k = 0; k < t->n; k++) {
        constant[k] = gn_dim_const(t->dims, gn_dim_constant(at[k]));
        rest[k] = gn_dim_sub(t->dims, at[k], constant[k]);
        if (rest[k]->n != rest[0]->n) return NULL;
    }
    const gn_dim *sum = linear(t, constant);
    for (uint32_t i = 0; sum && i < rest[0]->n; i++) {
        const gn_dim *one = products(t, rest, i);
        sum = one ? gn_dim_add(t->dims, sum, one) : NULL;
    }
    return sum;
}

typedef struct turn {
    const gn_turns *t;
    int64_t at;
} turn;

static const gn_dim *at_turn(void *user, const char *symbol)
{
    const turn *now = user;
    return symbol == now->t->var ? gn_dim_const(now->t->dims, now->at) : NULL;
}

const gn_dim *gn_unify_dims(const gn_turns *t, const gn_dim *const *at)
{
    bool same = true, some = at[0];
    for (uint32_t k = 1; k < t->n; k++) same &= at[k] == at[0], some &= at[k] != NULL;
    if (same || !some) return same ? at[0] : NULL;
    const gn_dim *d = linear(t, at);
    if (d) return d;
    d = term_by_term(t, at);
    for (uint32_t k = 0; d && k < t->n; k++) {
        turn now = { t, k };
        if (gn_dim_subst(t->dims, d, at_turn, &now) != at[k]) return NULL;
    }
    return d;
}

static bool unify_conds(const gn_turns *t, const gn_pred *const *at, gn_pred *out)
{
    const gn_dim *a[GN_UNIFY_MOST], *b[GN_UNIFY_MOST];
    gn_kcond *cond = GN_NEW_ARRAY(t->arena, gn_kcond, at[0]->n + 1u);
    for (uint32_t k = 1; k < t->n; k++)
        if (at[k]->negate != at[0]->negate || at[k]->n != at[0]->n) return false;
    for (uint16_t i = 0; i < at[0]->n; i++) {
        for (uint32_t k = 0; k < t->n; k++) {
            if (at[k]->cond[i].kind != at[0]->cond[i].kind) return false;
            a[k] = at[k]->cond[i].a, b[k] = at[k]->cond[i].b;
        }
        cond[i] = (gn_kcond){ at[0]->cond[i].kind, gn_unify_dims(t, a), gn_unify_dims(t, b) };
        if (!cond[i].a || !cond[i].b) return false;
    }
    *out = (gn_pred){ at[0]->negate, at[0]->n, cond };
    return true;
}

bool gn_unify_preds(const gn_turns *t, const gn_preds *const *at, gn_preds *out)
{
    const gn_pred *one[GN_UNIFY_MOST];
    gn_pred *all = GN_NEW_ARRAY(t->arena, gn_pred, at[0]->n + 1);
    for (uint32_t k = 1; k < t->n; k++)
        if (at[k]->n != at[0]->n) return false;
    for (uint32_t i = 0; i < at[0]->n; i++) {
        for (uint32_t k = 0; k < t->n; k++) one[k] = &at[k]->at[i];
        if (!unify_conds(t, one, &all[i])) return false;
    }
    *out = (gn_preds){ at[0]->n, all };
    return true;
}
