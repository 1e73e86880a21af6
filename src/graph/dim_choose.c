/* Dims: min and max, as sorted nests without operands that another one decides. */
#include "dim_parts.h"

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
        const bool keep_old = kind == GN_DIM_MIN ? gn_dim_constant(all->at[i]) <= gn_dim_constant(d)
                                                 : gn_dim_constant(all->at[i]) >= gn_dim_constant(d);
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
        for (size_t k = i; k > 0 && gn_dim_sort_order(all.at[k - 1], all.at[k]) > 0; k--) {
            const gn_dim *const x = all.at[k];
            all.at[k] = all.at[k - 1], all.at[k - 1] = x;
        }
    const gn_dim *d = all.at[all.n - 1];
    for (size_t i = all.n - 1; i-- > 0;) d = gn_dim_atom(pool, kind, "", all.at[i], d);
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
