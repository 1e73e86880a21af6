/* stop_gradient: a composite whose body is its operand, so that nothing is left of it after differentiation. */
#include <gnomon/grad.h>
#include "op.h"

static const gn_type *infer(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)g, (void)n, (void)attr;
    return in[0]->type;
}

static const gn_region *expand(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)n, (void)attr;
    gn_expr *const x = gn_param_node(g, 0, in[0]);
    return gn_region_make(g, 1, in, 1, &x);
}

const gn_op_info gn_op_stop_gradient = {.name = "stop_gradient",
                                        .arity = 1,
                                        .traits = GN_COMPOSITE,
                                        .dtypes = GN_ANY_DTYPE,
                                        .infer = infer,
                                        .expand = expand,
                                        .not_differentiable = "the program said so",
                                        .gloss = "x, through which no gradient flows"};

static gn_expr *build(gn_graph *g, void *arg)
{
    gn_expr *const *x = arg;
    gn_check_exprs(g, "stop_gradient", 1, x);
    return gn_node(g, &gn_op_stop_gradient, x, 1, NULL);
}

gn_expr *gn_stop_gradient_at(gn_loc loc, gn_expr *x)
{
    return gn_build(loc, gn_graph_of(x), build, &x);
}
