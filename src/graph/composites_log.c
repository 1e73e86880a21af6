/* Logarithms of sums and differences of exponentials, elementwise. */
#include "composites.h"
#include "ops/request.h"

static gn_expr *minus(gn_graph *g, gn_expr *x)
{
    return gn_make1(g, &gn_op_neg, x);
}

/* By the larger one: max(a, b) + log(1 + e^-|a - b|). Equal operands are apart because inf - inf is NaN. */
static const gn_region *expand_log_add_exp(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in);
    gn_expr *const same = gn_make2(g, &gn_op_eq, x[0], x[1]), *const apart =
                                                                  gn_make1(g, &gn_op_abs, gn_minus(g, x[0], x[1]));
    gn_expr *const distance = gn_make3(g, &gn_op_select, same, gn_make_like(g, x[0], 0), apart);
    gn_expr *const more = gn_make1(g, &gn_op_softplus, minus(g, distance));
    return gn_body(g, n, in, gn_plus(g, gn_make2(g, &gn_op_maximum, x[0], x[1]), more));
}

/* log(-expm1(x)) near 0, where 1 - e^x cancels, log1p(-e^x) below, where -e^x is small (M. Maechler, Accurately computing
 * log(1 - exp(-|a|)), 2012). */
static const gn_region *expand_log1mexp(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr *const x = gn_body_params(g, n, in)[0];
    gn_expr *const near = gn_make1(g, &gn_op_log, minus(g, gn_make1(g, &gn_op_expm1, x)));
    gn_expr *const below = gn_make1(g, &gn_op_log1p, minus(g, gn_make1(g, &gn_op_exp, x)));
    return gn_body(g, n, in,
                   gn_make3(g, &gn_op_select, gn_make2(g, &gn_op_lt, x, gn_make_like(g, x, -0.69314718055994530942)),
                            below, near));
}

/* Equal infinities have the difference 0. */
#define DIFFERENCE(a, b) "(select (and (eq a b) (eq (abs a) inf)) 0 (sub " a " " b "))"
const gn_op_info gn_op_log_add_exp = { .name = "log_add_exp",
                                       .arity = 2,
                                       .traits = GN_ELEMWISE | GN_COMMUTES | GN_COMPOSITE,
                                       .dtypes = GN_FLOATS,
                                       .expand = expand_log_add_exp,
                                       .deriv = { "(mul g (sigmoid " DIFFERENCE("a", "b") "))",
                                                  "(mul g (sigmoid " DIFFERENCE("b", "a") "))" },
                                       .gloss = "log(e^a + e^b)" };
const gn_op_info gn_op_log1mexp = { .name = "log1mexp",
                                    .arity = 1,
                                    .traits = GN_ELEMWISE | GN_COMPOSITE,
                                    .dtypes = GN_FLOATS,
                                    .expand = expand_log1mexp,
                                    .deriv = { "(mul g (div (exp x) (expm1 x)))" },
                                    .gloss = "log(1 - e^x); NaN above 0" };

static gn_expr *make(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_FLOAT);
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

gn_expr *gn_log_add_exp_at(gn_loc loc, gn_operand a, gn_operand b)
{
    return gn_request_make(
        loc, &(gn_request){ .name = "log_add_exp", .make = make, .op = &gn_op_log_add_exp, .n = 2, .in = { a, b } });
}

gn_expr *gn_log1mexp_at(gn_loc loc, gn_expr *x)
{
    return gn_request_make(
        loc,
        &(gn_request){ .name = "log1mexp", .make = make, .op = &gn_op_log1mexp, .n = 1, .in = { gn_operand_expr(x) } });
}
