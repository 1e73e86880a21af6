/* Where a derivative is 0 because a select says so, its factors do not count: 0 times inf is not NaN there.
 *
 *     y = select(x > 0, log(x), 0)       what reaches the log is select(x > 0, g, 0); g/x is taken where x > 0 alone
 *
 * Masks are read off the flow itself. What a rule makes of a masked flow is masked again, so that they show at the next
 * rule, too. */
#include "grad_flow.h"
#include "ops/make.h"

/* Ops behind which a mask shows; their operands that count. */
static const void *operand(const void *node, size_t i)
{
    const gn_expr *e = node;
    if (e->op == &gn_op_select) i++;
    return i < e->nin ? e->in[i] : NULL;
}

static bool shows(void *user, const void *node)
{
    const gn_expr *e = node;
    (void)user;
    return e->op == &gn_op_select || e->op == &gn_op_add || e->op == &gn_op_neg || e->op == &gn_op_cast ||
           e->op == &gn_op_mul || e->op->traits & GN_VIEW_OP;
}

typedef struct search {
    gn_graph *graph;
    const gn_map *found;
    bool pads;
} search;

static gn_expr *mask_in(const search *s, const gn_expr *e)
{
    return gn_map_get(s->found, GN_KEY(e));
}

static gn_expr *either(gn_graph *g, gn_expr *a, gn_expr *b)
{
    return a == b ? a : gn_make2(g, &gn_op_or, a, b);
}

static gn_expr *select_mask(const search *s, const gn_expr *e)
{
    gn_graph *g = s->graph;
    gn_expr *const c = e->in[0], *const yes = mask_in(s, e->in[1]), *const no = mask_in(s, e->in[2]);
    if (gn_is_zero(e->in[2])) return yes ? gn_make2(g, &gn_op_and, c, yes) : c;
    if (!gn_is_zero(e->in[1]) && !yes && !no) return NULL;
    if (yes && no) return either(g, yes, no);
    gn_expr *const otherwise = gn_make1(g, &gn_op_not, c);
    if (gn_is_zero(e->in[1])) return no ? gn_make2(g, &gn_op_and, otherwise, no) : otherwise;
    return yes ? either(g, otherwise, yes) : either(g, c, no);
}

/* A view of a mask; around a pad's operand nothing flows. */
static gn_expr *view_mask(const search *s, const gn_expr *e)
{
    gn_graph *g = s->graph;
    gn_expr *in[2] = { mask_in(s, e->in[0]), NULL };
    if (e->op == &gn_op_concat || (e->op == &gn_op_pad && !(s->pads && gn_is_zero(e->in[1])))) return NULL;
    if (e->op != &gn_op_pad) return in[0] ? gn_node(g, e->op, in, 1, e->attr) : NULL;
    const gn_type *const t = e->in[0]->type;
    if (!in[0]) in[0] = gn_make_splat(g, gn_make_scalar_int(g, GN_BOOL, 1), t->n, t->dim);
    in[1] = gn_make_scalar_int(g, GN_BOOL, 0);
    return gn_node(g, &gn_op_pad, in, 2, e->attr);
}

/* The mask of a node whose operands' masks are known; NULL: it flows everywhere. */
static gn_expr *mask_of(const search *s, const gn_expr *e)
{
    if (e->op == &gn_op_select) return select_mask(s, e);
    if (e->op == &gn_op_neg || e->op == &gn_op_cast) return mask_in(s, e->in[0]);
    if (e->op->traits & GN_VIEW_OP) return view_mask(s, e);
    gn_expr *const a = mask_in(s, e->in[0]), *const b = mask_in(s, e->in[1]);
    if (e->op == &gn_op_add) return a && b ? either(s->graph, a, b) : NULL;
    const gn_expr *factor = e->in[1]->op == &gn_op_broadcast ? e->in[1]->in[0] : e->in[1];
    return factor->op == &gn_op_constant ? a : NULL; /* a number of it */
}

gn_expr *gn_flow_mask(gn_flow *f, gn_expr *flow, bool pads)
{
    gn_visit *v = &f->masks[pads].visit;
    gn_map *found = &f->masks[pads].found;
    const search s = { f->graph, found, pads };
    v->arena = f->scratch, v->operand = operand, v->enter = shows;
    gn_visit_add(v, flow);
    for (const gn_expr *e; (e = gn_visit_next(v));) {
        gn_expr *const mask = mask_of(&s, e);
        if (mask) *gn_map_put(f->scratch, found, GN_KEY(e)) = mask;
    }
    return mask_in(&s, flow);
}
