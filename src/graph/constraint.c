/* What type rules ask of extents: what holds for every size is let through, what holds for none is an error at the
 * user's line, and what is open is noted for the call. A constraint is two dims that must be equal; `big >= small` is
 * max(small, big) = big. */
#include "op.h"
#include <string.h>

enum { MOST_SHOWN = 3 };

/* The operand as the user gave it: what a builder cast, reshaped or repeated on the way is seen through. */
static gn_expr *given(const gn_graph *g, gn_expr *const *in, size_t i)
{
    return g->builder ? g->builder->operand[i] : in[i];
}

static const char *describe(gn_graph *g, const char *op, gn_expr *const *in, size_t n, const char *what)
{
    gn_text t = { .arena = &g->arena };
    size_t shown = 0;
    gn_text_add(&t, g->builder ? g->builder->name : op);
    if (g->builder && g->builder->text) gn_textf(&t, " \"%s\"", g->builder->text);
    gn_textf(&t, ": %s", what);
    if (g->builder) n = g->builder->n;
    for (size_t i = 0; i < n; i++) {
        const gn_expr *const e = given(g, in, i);
        if (!e || gn_is_error(e)) continue;
        if (++shown > MOST_SHOWN) continue;
        gn_text_add(&t, shown == 1 ? " of " : ", ");
        gn_expr_describe(&t, e);
    }
    if (shown > MOST_SHOWN) gn_textf(&t, " and %zu more", shown - MOST_SHOWN);
    return gn_text_done(&t);
}

static void constrain(gn_graph *g, const char *op, gn_expr *const *in, size_t n, const gn_dim *a, const gn_dim *b,
                      const char *what)
{
    gn_push(&g->arena, &g->pending, (gn_constraint){ a, b, g->here, describe(g, op, in, n, what), { NULL, 0 } });
}

enum { MOST_NAMES = 16 };
typedef struct names {
    size_t n;
    gn_dim_fact at[MOST_NAMES];
} names;

static void note_positive(void *user, const char *name)
{
    names *const l = user;
    size_t i = 0;
    while (i < l->n && strcmp(l->at[i].name, name) != 0) i++;
    if (i == l->n && l->n < MOST_NAMES) l->at[l->n++] = (gn_dim_fact){ .name = name, .min = 1, .max = INT64_MAX };
}

/* Extents that are equal for empty tensors alone (n and 2 n) are a mistake, too. */
bool gn_dim_never_equal(gn_dim_pool *pool, const gn_dim *a, const gn_dim *b)
{
    int64_t low, high;
    names positive = { 0 };
    if (a == b) return false;
    if (gn_dim_compare(a, b) == GN_DIM_DIFFERENT) return true;
    const gn_dim *const apart = gn_dim_sub(pool, a, b);
    gn_dim_symbols(apart, note_positive, &positive);
    gn_dim_range(apart, &(gn_dim_facts){ positive.n, positive.at }, &low, &high);
    return low > 0 || high < 0;
}

void gn_infer_equal(gn_graph *g, const char *op, gn_expr *const *in, size_t n, const gn_dim *a, const gn_dim *b,
                    const char *what)
{
    if (a == b) return;
    if (gn_dim_never_equal(&g->dims, a, b))
        gn_throw_at(g, GN_ESHAPE, op, in, n, "%s differ: %s and %s", what, gn_dim_text(&g->arena, a),
                    gn_dim_text(&g->arena, b));
    constrain(g, op, in, n, a, b, what);
}

void gn_infer_at_least(gn_graph *g, const char *op, gn_expr *const *in, size_t n, const gn_dim *big, const gn_dim *small,
                       const char *what)
{
    int64_t low, high;
    gn_dim_range(gn_dim_sub(&g->dims, big, small), NULL, &low, &high);
    if (low >= 0) return;
    if (high < 0)
        gn_throw_at(g, GN_ESHAPE, op, in, n, "%s is %s, at least %s is needed", what, gn_dim_text(&g->arena, big),
                    gn_dim_text(&g->arena, small));
    constrain(g, op, in, n, gn_dim_max(&g->dims, small, big), big, what);
}

bool gn_constraint_is_bound(const gn_dim *a, const gn_dim *b, const gn_dim **least)
{
    const gn_atom *const x = a->n == 1 && a->term[0].n == 1 && a->term[0].c == 1 ? a->term[0].atom[0] : NULL;
    if (!x || x->kind != GN_DIM_MAX || (x->a != b && x->b != b)) return false;
    *least = x->a == b ? x->b : x->a;
    return true;
}

const gn_dim *gn_infer_extent(gn_graph *g, const char *op, gn_expr *const *in, size_t n, const gn_dim *a, const gn_dim *b,
                              const char *what)
{
    gn_infer_equal(g, op, in, n, a, b, what);
    return gn_dim_is_const(b, NULL) ? b : a;
}

const gn_type *gn_infer_same_shape(gn_graph *g, const char *op, gn_expr *const *in, size_t n, gn_dtype dtype)
{
    const gn_dim *shape[GN_MAX_RANK];
    const size_t rank = in[0]->type->n;
    for (size_t d = 0; d < rank; d++) shape[d] = in[0]->type->dim[d];
    for (size_t i = 1; i < n; i++) {
        if (in[i]->type->n != rank) gn_throw_at(g, GN_ESHAPE, op, in, n, "ranks differ: %zu and %d", rank, in[i]->type->n);
        for (size_t d = 0; d < rank && in[i]->type->dim != in[0]->type->dim; d++)
            shape[d] = gn_infer_extent(g, op, in, n, shape[d], in[i]->type->dim[d],
                                       gn_arena_printf(&g->arena, "extents of axis %zu", d));
    }
    return gn_type_tensor(g, dtype, rank, shape);
}

static bool is_extent_of(gn_expr *const *in, size_t n, const gn_dim *d)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; in[i]->type->kind == GN_TYPE_TENSOR && k < in[i]->type->n; k++)
            if (in[i]->type->dim[k] == d) return true;
    return false;
}

void gn_infer_extents_exist(gn_graph *g, const char *op, gn_expr *const *in, size_t n, const gn_type *type)
{
    for (size_t d = 0; type->kind == GN_TYPE_TENSOR && d < type->n; d++) {
        if (gn_dim_is_const(type->dim[d], NULL) || is_extent_of(in, n, type->dim[d])) continue;
        gn_infer_at_least(g, op, in, n, type->dim[d], gn_dim_const(&g->dims, 0),
                          gn_arena_printf(&g->arena, "extent of axis %zu of the result", d));
    }
}
