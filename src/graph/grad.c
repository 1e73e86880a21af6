/* Reverse mode: one sweep from the outputs back, in which each node hands what reached it to its operands.
 * Source: A. Griewank, A. Walther, Evaluating Derivatives, 2nd edition, 2008, section 3.2; the rules are in the op
 * records. */
#include "differentiate.h"
#include "grad_flow.h"
#include "ops/make.h"

/* Adds `part` to what reached element k of e, if anyone wants it. */
static void give(gn_flow *f, gn_expr *e, uint32_t k, gn_expr *part)
{
    gn_flow_node *node = part ? gn_flow_find(f, e) : NULL;
    if (!node || !node->active) return;
    const gn_type *type = e->type->kind == GN_TYPE_TUPLE ? e->type->elem[k] : e->type;
    GN_ASSERT(part->type->dtype == type->dtype && part->type->n == type->n);
    node->d[k] = gn_flow_add(f->graph, node->d[k], part);
}

static void give_body(gn_flow *f, const gn_flow_node *node)
{
    const bool one_each = node->nfrom == node->nd; /* else the body's only output is the tuple */
    for (uint32_t k = 0; k < node->nd; k++) give(f, node->from[one_each ? k : 0], one_each ? 0 : k, node->d[k]);
}

static void give_elements(gn_flow *f, const gn_flow_node *node)
{
    for (uint32_t k = 0; k < node->nd; k++) give(f, node->from[k], 0, node->d[k]);
}

static void give_operands(gn_flow *f, const gn_flow_node *node)
{
    gn_expr *e = node->e;
    gn_expr **part = GN_NEW_ARRAY(f->scratch, gn_expr *, e->nin + 1);
    if (e->op->not_differentiable) gn_flow_no_rule(f, e);
    if (e->op->vjp) e->op->vjp(f->graph, e, gn_flow_whole(f, e, node->d), part);
    for (uint32_t k = 0; k < e->nin; k++) {
        if (!gn_flow_carries(node, k) || !gn_flow_find(f, e->in[k])->active) continue;
        if (!e->op->vjp && k >= 4) gn_flow_no_rule(f, e);
        give(f, e->in[k], 0, e->op->vjp ? part[k] : gn_flow_text(f, e, k, node->d[0]));
    }
}

static void sweep(gn_flow *f)
{
    for (size_t i = f->nodes.n; i-- > 0;) {
        const gn_flow_node *node = &f->nodes.at[i];
        bool reached = false;
        for (uint32_t k = 0; k < node->nd; k++) reached |= node->d[k] != NULL;
        if (!node->active || !reached || node->nfrom == 0) continue;
        if (node->is_body) give_body(f, node);
        else if (node->e->op == &gn_op_proj) give(f, node->e->in[0], gn_flow_element(node->e), node->d[0]);
        else if (node->e->op == &gn_op_tuple) give_elements(f, node);
        else give_operands(f, node);
    }
}

static void check_floating(gn_graph *g, const char *op, gn_expr *e, const char *role)
{
    if (e->type->kind == GN_TYPE_TENSOR && gn_is_float((gn_dtype)e->type->dtype)) return;
    gn_text t = { .arena = &g->arena };
    gn_expr_describe(&t, e);
    gn_throw_at(g, GN_EGRAD, op, &e, 1, "%s, %s, has no gradient: it is %s, not floating", gn_text_done(&t), role,
                e->type->kind == GN_TYPE_TENSOR ? gn_dtype_name((gn_dtype)e->type->dtype) : "a tuple");
}

static void check_same_type(gn_graph *g, const char *op, gn_expr *e, gn_expr *d, const char *words)
{
    bool same = d->type->kind == GN_TYPE_TENSOR && d->type->dtype == e->type->dtype && d->type->n == e->type->n;
    for (uint32_t i = 0; same && i < e->type->n; i++)
        same = gn_dim_compare(e->type->dim[i], d->type->dim[i]) != GN_DIM_DIFFERENT;
    if (!same) gn_throw_at(g, GN_EGRAD, op, (gn_expr *[]){ e, d }, 2, "%s", words);
}

/* Whether e depends on x at all, through whatever: for a better sentence. */
static bool depends(gn_arena *scratch, gn_expr *e, const gn_expr *x)
{
    GN_VEC(gn_expr *) stack = { 0 };
    gn_map seen = { 0 };
    gn_push(scratch, &stack, e);
    while (stack.n) {
        e = gn_pop(&stack);
        void **mark = gn_map_put(scratch, &seen, GN_KEY(e));
        if (e == x) return true;
        if (*mark) continue;
        *mark = e;
        for (uint32_t i = 0; i < e->nin; i++) gn_push(scratch, &stack, e->in[i]);
    }
    return false;
}

static _Noreturn void not_reached(gn_graph *g, gn_differentiation *r, gn_expr *x)
{
    gn_expr *both[] = { r->ys[0], x };
    gn_text y = { .arena = &g->arena }, by = { .arena = &g->arena };
    gn_expr_describe(&y, both[0]), gn_expr_describe(&by, x);
    if (depends(&r->scratch, r->ys[0], x)) {
        gn_throw_at(g, GN_EGRAD, r->op, both, 2,
                    "no gradient flows from %s to %s: all ways pass integers, bools or stop_gradient", gn_text_done(&y),
                    gn_text_done(&by));
    }
    gn_throw_at(g, GN_EGRAD, r->op, both, 2, "%s does not depend on %s", gn_text_done(&y), gn_text_done(&by));
}

static void collect(gn_graph *g, gn_flow *f, gn_differentiation *r, size_t i)
{
    const gn_flow_node *node = gn_flow_find(f, r->xs[i]);
    if (!node && r->disconnected == GN_DISCONNECTED_ERROR) not_reached(g, r, r->xs[i]);
    r->out[i] = node && node->d[0] ? node->d[0] : gn_make_zero(g, r->xs[i]->type);
}

/* What is differentiated in place of the outputs. */
static gn_expr **prepared(gn_graph *g, gn_differentiation *r)
{
    gn_expr **ys = GN_NEW_ARRAY(&r->scratch, gn_expr *, r->n + 1);
    for (size_t i = 0; i < r->n; i++) ys[i] = r->ys[i];
    if (r->prepare) r->prepare(g, r->n, ys, r->m, r->xs);
    return ys;
}

static gn_expr *reverse(gn_graph *g, void *arg)
{
    gn_differentiation *r = arg;
    gn_flow f = { .graph = g, .scratch = &r->scratch, .mode = GN_FLOW_REVERSE, .op = r->op };
    for (size_t i = 0; i < r->m; i++) check_floating(g, r->op, r->xs[i], "by which is differentiated");
    for (size_t i = 0; i < r->n; i++) {
        check_floating(g, r->op, r->ys[i], "which is differentiated");
        if (!r->dys && r->ys[i]->type->n)
            gn_throw_at(g, GN_EGRAD, r->op, &r->ys[i], 1,
                        "what is differentiated is no scalar; reduce it first, or use gn_vjp");
        if (r->dys)
            check_same_type(g, r->op, r->ys[i], r->dys[i], "an output and its known gradient differ in dtype or shape");
    }
    gn_expr **ys = prepared(g, r);
    gn_flow_trace(&f, r->n, ys, r->m, r->xs);
    for (size_t i = 0; i < r->n; i++) give(&f, ys[i], 0, r->dys ? r->dys[i] : gn_make_like(g, ys[i], 1));
    sweep(&f);
    for (size_t i = 0; i < r->m; i++) collect(g, &f, r, i);
    return r->m ? r->out[0] : r->ys[0];
}

static gn_expr *forward(gn_graph *g, void *arg)
{
    gn_differentiation *r = arg;
    gn_flow f = { .graph = g, .scratch = &r->scratch, .mode = GN_FLOW_FORWARD, .op = r->op };
    for (size_t i = 0; i < r->n; i++) check_floating(g, r->op, r->ys[i], "which is differentiated");
    for (size_t i = 0; i < r->m; i++) {
        check_floating(g, r->op, r->xs[i], "by which is differentiated");
        check_same_type(g, r->op, r->xs[i], r->dys[i], "an input and its direction differ in dtype or shape");
    }
    gn_expr **ys = prepared(g, r);
    gn_flow_trace(&f, r->n, ys, r->m, r->xs);
    gn_flow_forward(&f, r->m, r->xs, r->dys);
    for (size_t i = 0; i < r->n; i++) {
        const gn_flow_node *node = gn_flow_find(&f, ys[i]);
        r->out[i] = node->d[0] ? node->d[0] : gn_make_zero(g, r->ys[i]->type);
    }
    return r->n ? r->out[0] : r->xs[0];
}

/* The graph of the first of the lists' expressions that has one. */
static gn_graph *graph_of(const gn_differentiation *r)
{
    gn_exprs lists[] = { { r->n, r->ys }, { r->m, r->xs } };
    for (int l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l].n; i++) {
            if (lists[l].at[i] && gn_graph_in(lists[l].at[i])) return gn_graph_in(lists[l].at[i]);
        }
    }
    return NULL;
}

static gn_expr *checked(gn_graph *g, void *arg)
{
    gn_differentiation *r = arg;
    gn_check_exprs(g, r->op, r->n, r->ys);
    gn_check_exprs(g, r->op, r->m, r->xs);
    if (r->dys) gn_check_exprs(g, r->op, r->forward ? r->m : r->n, r->dys);
    return r->forward ? forward(g, r) : reverse(g, r);
}

void gn_differentiate(gn_loc loc, gn_differentiation *r)
{
    gn_graph *g = graph_of(r);
    const size_t n = r->forward ? r->n : r->m;
    if (g) r->scratch.allocator = g->arena.allocator;
    gn_expr *first = gn_build(loc, g, checked, r);
    gn_arena_free(&r->scratch);
    if (first && gn_is_error(first)) {
        for (size_t i = 0; i < n; i++) r->out[i] = first;
    }
}
