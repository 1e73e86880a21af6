/* Contractions: which axis of an operand has which label is an attribute, so that a transposed operand costs nothing. */
#include "functions.h"
#include "match.h"
#include "ops/make.h"

typedef struct contraction {
    gn_expr *in[2];
    int64_t label[2][GN_MAX_RANK];
    const gn_attr *out;
} contraction;

static contraction contraction_of(const gn_expr *e)
{
    contraction c = { { e->in[0], e->in[1] }, { { 0 } }, &e->attr[2] };
    for (int k = 0; k < 2; k++)
        for (uint32_t d = 0; d < e->attr[k].n; d++) c.label[k][d] = e->attr[k].ints[d];
    return c;
}

static gn_expr *make(gn_graph *g, const contraction *c)
{
    return gn_make_contract(g, c->in[0], c->label[0], c->in[1], c->label[1], c->out->ints, c->out->n);
}

static bool has(const int64_t *labels, size_t n, int64_t label)
{
    for (size_t i = 0; i < n; i++)
        if (labels[i] == label) return true;
    return false;
}

/* Operand k without its view: a permutation only renames axes; an axis that a broadcast adds may go if the other
 * operand has its label, since every product takes the same element there. */
static bool without_view(contraction *c, int k)
{
    gn_expr *x = c->in[k];
    const bool turns = x->op == &gn_op_permute;
    if (!turns && x->op != &gn_op_broadcast) return false;
    const gn_attr *axes = gn_attr_of(x, "axes");
    int64_t label[GN_MAX_RANK];
    for (uint32_t d = 0; d < axes->n; d++) {
        if (turns) label[axes->ints[d]] = c->label[k][d];
        else label[d] = c->label[k][axes->ints[d]];
    }
    for (uint32_t d = 0; d < x->type->n; d++)
        if (!has(label, axes->n, c->label[k][d]) && !has(c->label[1 - k], c->in[1 - k]->type->n, c->label[k][d]))
            return false;
    for (uint32_t d = 0; d < axes->n; d++) c->label[k][d] = label[d];
    c->in[k] = x->in[0];
    return true;
}

gn_expr *gn_rewrite_contract_views(gn_match *m)
{
    contraction c = contraction_of(m->root);
    const bool a = without_view(&c, 0), b = without_view(&c, 1);
    return a || b ? make(m->graph, &c) : NULL;
}

/* Operand k without axes of extent 1 whose label is summed away. */
/* Of extent 1 wherever it stands: beside a named extent, which is 1 by a constraint, it stays. */
static bool is_unit(const contraction *c, int64_t label)
{
    for (int k = 0; k < 2; k++)
        for (uint32_t d = 0; d < c->in[k]->type->n; d++)
            if (c->label[k][d] == label && !gn_dim_is(c->in[k]->type->dim[d], 1)) return false;
    return true;
}

static bool without_units(gn_graph *g, const contraction *before, contraction *c, int k)
{
    gn_expr *x = c->in[k];
    const gn_dim *shape[GN_MAX_RANK];
    size_t n = 0;
    for (uint32_t d = 0; d < x->type->n; d++) {
        const int64_t label = before->label[k][d];
        if (is_unit(before, label) && !has(c->out->ints, c->out->n, label)) continue;
        shape[n] = x->type->dim[d], c->label[k][n++] = label;
    }
    if (n == x->type->n) return false;
    c->in[k] = gn_make_reshape(g, x, n, shape);
    return true;
}

gn_expr *gn_rewrite_contract_units(gn_match *m)
{
    const contraction before = contraction_of(m->root);
    contraction c = before;
    const bool a = without_units(m->graph, &before, &c, 0), b = without_units(m->graph, &before, &c, 1);
    return a || b ? make(m->graph, &c) : NULL;
}

/* ---- decompose ---- */

/* Operand k repeated along the labels that it lacks. Axes of the product: the result's in order, then what is summed. */
static gn_expr *spread(gn_graph *g, const contraction *c, int k, const int64_t *order, size_t rank,
                       const gn_dim *const *shape)
{
    gn_expr *x = c->in[k];
    int64_t to[GN_MAX_RANK];
    bool same = x->type->n == rank;
    for (uint32_t d = 0; d < x->type->n; d++) {
        for (size_t i = 0; i < rank; i++)
            if (order[i] == c->label[k][d]) to[d] = (int64_t)i;
        same = same && to[d] == d;
    }
    if (same) return x;
    const gn_attr attr[2] = { gn_attr_dims(rank, shape), gn_attr_ints(x->type->n, to) };
    return gn_node(g, &gn_op_broadcast, &x, 1, attr);
}

gn_expr *gn_rewrite_expand_contract(gn_match *m)
{
    const contraction c = contraction_of(m->root);
    const gn_dim *shape[2 * GN_MAX_RANK];
    int64_t order[2 * GN_MAX_RANK];
    size_t rank = c.out->n;
    for (uint32_t i = 0; i < c.out->n; i++) order[i] = c.out->ints[i], shape[i] = m->root->type->dim[i];
    for (int k = 0; k < 2; k++)
        for (uint32_t d = 0; d < c.in[k]->type->n; d++)
            if (!has(order, rank, c.label[k][d])) shape[rank] = c.in[k]->type->dim[d], order[rank++] = c.label[k][d];
    GN_ASSERT(rank <= GN_MAX_RANK); /* the op demands it */
    gn_expr *a = spread(m->graph, &c, 0, order, rank, shape), *b = spread(m->graph, &c, 1, order, rank, shape);
    gn_axis_list summed = { 0 };
    for (size_t i = c.out->n; i < rank; i++) summed.at[summed.n++] = (int64_t)i;
    return gn_make_reduce(m->graph, &gn_op_sum, gn_make2(m->graph, &gn_op_mul, a, b), &summed);
}
