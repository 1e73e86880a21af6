/* Forward mode: tangents from the inputs on, node by node, by the same records. */
#include "grad_flow.h"
#include "ops/make.h"

static gn_expr *tangent_of(gn_flow *f, const gn_flow_node *node, uint32_t k)
{
    if (!gn_flow_carries(node, k)) return NULL;
    const gn_flow_node *from = gn_flow_find(f, node->from[k]);
    for (uint32_t i = 0; i < from->nd; i++) {
        if (from->d[i]) return gn_flow_whole(f, from->e, from->d);
    }
    return NULL;
}

/* The op itself, its floating operands replaced by their tangents. */
static gn_expr *apply_linear(gn_flow *f, gn_expr *e, gn_expr *const *t)
{
    gn_expr **in = GN_NEW_ARRAY(f->scratch, gn_expr *, e->nin + 1);
    for (uint32_t k = 0; k < e->nin; k++) {
        const bool moves = e->in[k]->type->kind == GN_TYPE_TENSOR && gn_is_float(gn_dtype_in(e->in[k]));
        in[k] = t[k] ? t[k] : moves ? gn_make_zero(f->graph, e->in[k]->type) : e->in[k];
    }
    return gn_node(f->graph, e->op, in, e->nin, e->attr);
}

static gn_expr *apply_rule(gn_flow *f, const gn_flow_node *node)
{
    gn_expr *e = node->e, *sum = NULL;
    gn_expr **t = GN_NEW_ARRAY(f->scratch, gn_expr *, e->nin + 1);
    bool any = false;
    for (uint32_t k = 0; k < e->nin; k++) any |= (t[k] = tangent_of(f, node, k)) != NULL;
    if (!any) return NULL;
    if (e->op->not_differentiable) gn_flow_no_rule(f, e);
    if (e->op->jvp) return e->op->jvp(f->graph, e, t);
    if (e->op->linear) return apply_linear(f, e, t);
    for (uint32_t k = 0; k < e->nin; k++) {
        if (!t[k]) continue;
        if (k >= 4) gn_flow_no_rule(f, e);
        sum = gn_flow_add(f->graph, sum, gn_flow_text(f, e, k, t[k]));
    }
    return sum;
}

static void spread(gn_flow *f, gn_flow_node *node, gn_expr *whole)
{
    if (!whole) return;
    if (node->e->type->kind == GN_TYPE_TENSOR) node->d[0] = whole;
    else for (uint32_t k = 0; k < node->nd; k++) node->d[k] = gn_make_proj(f->graph, whole, k);
}

static void follow(gn_flow *f, gn_flow_node *node)
{
    const gn_flow_node *first = gn_flow_carries(node, 0) ? gn_flow_find(f, node->from[0]) : NULL;
    if (node->e->op == &gn_op_proj) {
        node->d[0] = first->d[gn_flow_element(node->e)];
    } else if (node->e->op == &gn_op_tuple || (node->is_body && node->nfrom == node->nd)) {
        for (uint32_t k = 0; k < node->nd; k++) node->d[k] = tangent_of(f, node, k);
    } else if (node->is_body) {
        for (uint32_t k = 0; k < node->nd; k++) node->d[k] = first->d[k]; /* the body's only output is the tuple */
    } else {
        spread(f, node, apply_rule(f, node));
    }
}

/* An input that depends on another one moves with it as well. */
void gn_flow_forward(gn_flow *f, size_t n, gn_expr *const *x, gn_expr *const *direction)
{
    for (size_t i = 0; i < n; i++) {
        gn_flow_node *node = gn_flow_find(f, x[i]);
        if (node) node->d[0] = gn_flow_add(f->graph, node->d[0], direction[i]);
    }
    for (size_t i = 0; i < f->nodes.n; i++) {
        gn_flow_node *node = &f->nodes.at[i];
        if (!node->active) continue;
        gn_expr *const own = node->d[0];
        node->d[0] = NULL;
        if (node->nfrom) follow(f, node);
        node->d[0] = gn_flow_add(f->graph, node->d[0], own);
    }
}
