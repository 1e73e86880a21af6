/* Finding what lies between outputs and inputs. */
#include "grad_flow.h"
#include <string.h>
#include "grad_recipe.h"
#include "ops/make.h"

static bool is_floating(const gn_type *t)
{
    return t->kind == GN_TYPE_TUPLE || (t->kind == GN_TYPE_TENSOR && gn_is_float((gn_dtype)t->dtype));
}

static bool has_text(const gn_op_info *op)
{
    return op->deriv[0] || op->deriv[1] || op->deriv[2] || op->deriv[3];
}

/* Composites without a rule for this mode are seen through. */
static bool uses_body(const gn_flow *f, const gn_op_info *op)
{
    if (!op->expand || has_text(op) || op->not_differentiable) return false;
    return f->mode == GN_FLOW_REVERSE ? !op->vjp : !op->jvp && !op->linear;
}

static void inline_body(gn_flow *f, gn_flow_node *node)
{
    gn_expr *e = node->e;
    const gn_type **types = GN_NEW_ARRAY(f->scratch, const gn_type *, e->nin + 1);
    for (uint32_t i = 0; i < e->nin; i++) types[i] = e->in[i]->type;
    const gn_region *body = e->op->expand(f->graph, types, e->nin, e->attr);
    gn_expr **out = GN_NEW_ARRAY(f->scratch, gn_expr *, body->nout);
    gn_region_inline(f->graph, body, e->in, out);
    node->from = out, node->nfrom = body->nout, node->is_body = true;
}

bool gn_flow_carries(const gn_flow_node *node, uint32_t k)
{
    return node->e->op != &gn_op_stop_gradient && is_floating(node->e->type) && is_floating(node->from[k]->type);
}

typedef struct frame {
    gn_flow_node node;
    uint32_t next;
} frame;
typedef GN_VEC(frame) frames;

/* Opens a node that was not met before. The map holds 1 for open nodes. */
static void visit(gn_flow *f, frames *stack, gn_expr *e)
{
    void **place = gn_map_put(f->scratch, &f->place, GN_KEY(e));
    if (*place) return;
    *place = (void *)1;
    frame fr = { .node = {
                     .e = e, .from = e->in, .nfrom = e->nin, .nd = e->type->kind == GN_TYPE_TUPLE ? e->type->n : 1 } };
    if (is_floating(e->type) && uses_body(f, e->op)) inline_body(f, &fr.node);
    fr.node.active = gn_map_get(&f->inputs, GN_KEY(e)) != NULL;
    fr.node.d = GN_NEW_ARRAY(f->scratch, gn_expr *, fr.node.nd);
    gn_push(f->scratch, stack, fr);
}

static void finish(gn_flow *f, gn_flow_node *node)
{
    for (uint32_t k = 0; k < node->nfrom; k++) {
        if (gn_flow_carries(node, k)) node->active |= gn_flow_find(f, node->from[k])->active;
    }
    *gn_map_put(f->scratch, &f->place, GN_KEY(node->e)) = (void *)(uintptr_t)(f->nodes.n + 2);
    gn_push(f->scratch, &f->nodes, *node);
}

void gn_flow_trace(gn_flow *f, size_t nout, gn_expr *const *out, size_t nin, gn_expr *const *in)
{
    frames stack = { 0 };
    for (size_t i = 0; i < nin; i++) *gn_map_put(f->scratch, &f->inputs, GN_KEY(in[i])) = (void *)1;
    for (size_t i = 0; i < nout; i++) {
        visit(f, &stack, out[i]);
        while (stack.n) {
            frame *top = &stack.at[stack.n - 1];
            if (top->next < top->node.nfrom) {
                const uint32_t k = top->next++;
                if (gn_flow_carries(&top->node, k)) visit(f, &stack, top->node.from[k]);
            } else {
                gn_flow_node done = gn_pop(&stack).node;
                finish(f, &done);
            }
        }
    }
}

gn_flow_node *gn_flow_find(const gn_flow *f, const gn_expr *e)
{
    const uintptr_t place = (uintptr_t)gn_map_get(&f->place, GN_KEY(e));
    return place < 2 ? NULL : &f->nodes.at[place - 2];
}

/* Whether the text multiplies or divides g by anything but a number: masks show through all else. */
static bool has_factor(const char *text)
{
    if (strstr(text, "(div")) return true;
    for (const char *m = text; (m = strstr(m, "(mul g ")); m++)
        if (m[7] == '(' || (m[7] >= 'a' && m[7] <= 'z')) return true;
    return false;
}

/* The factor has a pole: that of log, sqrt and their kin, and of powers. Elsewhere the zeros around a slice's gradient
 * are left alone. */
static bool has_pole(const gn_op_info *op, const char *text)
{
    return op == &gn_op_pow || (op->arity == 1 && strstr(text, "(div"));
}

gn_expr *gn_flow_text(gn_flow *f, gn_expr *y, uint32_t k, gn_expr *g)
{
    const char *text = y->op->deriv[k];
    if (!text) gn_flow_no_rule(f, y);
    void **recipe = gn_map_put(f->scratch, &f->recipes, GN_KEY(&y->op->deriv[k]));
    if (!*recipe) *recipe = (void *)gn_recipe_parse(f->scratch, y->op, text);
    gn_expr *const mask = g && has_factor(text) ? gn_flow_mask(f, g, has_pole(y->op, text)) : NULL;
    if (!mask) return gn_recipe_apply(*recipe, f->graph, y, g);
    if (g->op == &gn_op_select && g->in[0] == mask) g = g->in[1];
    gn_expr *const d = gn_recipe_apply(*recipe, f->graph, y, g);
    return gn_make3(f->graph, &gn_op_select, mask, d, gn_make_like(f->graph, d, 0));
}

gn_expr *gn_flow_add(gn_graph *g, gn_expr *a, gn_expr *b)
{
    if (!a || !b) return a ? a : b;
    return gn_make2(g, &gn_op_add, a, b);
}

gn_expr *gn_flow_whole(gn_flow *f, const gn_expr *e, gn_expr *const *d)
{
    if (e->type->kind == GN_TYPE_TENSOR) return d[0];
    const uint32_t n = e->type->n;
    gn_expr **part = GN_NEW_ARRAY(f->scratch, gn_expr *, n);
    for (uint32_t k = 0; k < n; k++) part[k] = d[k] ? d[k] : gn_make_zero(f->graph, e->type->elem[k]);
    return gn_make_tuple(f->graph, part, n);
}

gn_expr *gn_make_zero(gn_graph *g, const gn_type *t)
{
    return gn_make_splat(g, gn_make_scalar(g, (gn_dtype)t->dtype, 0), t->n, t->dim);
}

uint32_t gn_flow_element(const gn_expr *proj)
{
    return (uint32_t)gn_attr_of(proj, "index")->i;
}

void gn_flow_no_rule(const gn_flow *f, gn_expr *e)
{
    const char *why = e->op->not_differentiable;
    gn_throw_at(f->graph, GN_EGRAD, f->op, &e, 1, "%s has no derivative%s%s", e->op->name, why ? ": " : "", why ? why : "");
}
