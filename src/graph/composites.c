/* Elementwise composites, and what all composites share. */
#include "composites.h"
#include "ops/request.h"

gn_expr **gn_body_params(gn_graph *g, size_t n, const gn_type *const *types)
{
    gn_expr **p = GN_NEW_ARRAY(&g->arena, gn_expr *, n);
    for (size_t i = 0; i < n; i++) p[i] = gn_param_node(g, i, types[i]);
    return p;
}

const gn_region *gn_body(gn_graph *g, size_t n, const gn_type *const *types, gn_expr *result)
{
    return gn_region_make(g, n, types, 1, &result);
}

const gn_region *gn_body_tuple(gn_graph *g, size_t n, const gn_type *const *types, gn_expr *const *result, size_t nresult)
{
    return gn_region_make(g, n, types, nresult, result);
}

gn_expr *gn_part(gn_graph *g, gn_expr *tuple, size_t i)
{
    return tuple->op == &gn_op_tuple ? tuple->in[i] : gn_make_proj(g, tuple, (int64_t)i);
}

/* ---- bodies ---- */

static const gn_region *expand_square(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in);
    return gn_body(g, n, in, gn_times(g, x[0], x[0]));
}

static const gn_region *expand_relu(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in);
    return gn_body(g, n, in, gn_make2(g, &gn_op_maximum, x[0], gn_make_like(g, x[0], 0)));
}

static const gn_region *expand_leaky_relu(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    gn_expr **x = gn_body_params(g, n, in);
    gn_expr *const zero = gn_make_like(g, x[0], 0); /* both halves are extremes, so that the gradient at 0 is shared */
    gn_expr *const above = gn_make2(g, &gn_op_maximum, x[0], zero), *const below = gn_make2(g, &gn_op_minimum, x[0], zero);
    return gn_body(g, n, in, gn_plus(g, above, gn_scaled(g, below, attr[0].f)));
}

static const gn_region *expand_gelu(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in);
    gn_expr *const e = gn_make1(g, &gn_op_erfc, gn_scaled(g, x[0], -0.70710678118654752440)); /* 1 + erf cancels below 0 */
    return gn_body(g, n, in, gn_times(g, gn_scaled(g, x[0], 0.5), e));
}

static const gn_region *expand_silu(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in);
    return gn_body(g, n, in, gn_times(g, x[0], gn_make1(g, &gn_op_sigmoid, x[0])));
}

static const gn_region *expand_clip(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in);
    return gn_body(g, n, in, gn_make2(g, &gn_op_minimum, gn_make2(g, &gn_op_maximum, x[0], x[1]), x[2]));
}

/* ---- records ---- */

static const gn_attr_spec slope_attr[] = { { "slope", GN_ATTR_FLOAT } };
const gn_op_info gn_op_square = { .name = "square", .arity = 1, .traits = GN_ELEMWISE | GN_COMPOSITE,
    .dtypes = GN_NUMBERS, .expand = expand_square, .deriv = { "(mul g (mul 2 x))" }, .gloss = "x x" };
const gn_op_info gn_op_relu = { .name = "relu", .arity = 1, .traits = GN_ELEMWISE | GN_COMPOSITE, .dtypes = GN_NUMBERS,
    .expand = expand_relu, .deriv = { "(select (le y 0) 0 g)" }, .gloss = "maximum(x, 0)" };
const gn_op_info gn_op_leaky_relu = { .name = "leaky_relu", .arity = 1, .traits = GN_ELEMWISE | GN_COMPOSITE,
    .dtypes = GN_FLOATS, .attrs = slope_attr, .nattr = 1, .expand = expand_leaky_relu,
    .gloss = "x, or slope x below 0" };
const gn_op_info gn_op_gelu = { .name = "gelu", .arity = 1, .traits = GN_ELEMWISE | GN_COMPOSITE, .dtypes = GN_FLOATS,
    .expand = expand_gelu, .gloss = "x/2 erfc(-x / sqrt(2))" };
const gn_op_info gn_op_silu = { .name = "silu", .arity = 1, .traits = GN_ELEMWISE | GN_COMPOSITE, .dtypes = GN_FLOATS,
    .expand = expand_silu, .deriv = { "(mul g (add (sigmoid x) (mul y (sub 1 (sigmoid x)))))" },
    .gloss = "x sigmoid(x)" };
const gn_op_info gn_op_clip = { .name = "clip", .arity = 3, .traits = GN_ELEMWISE | GN_COMPOSITE, .dtypes = GN_NUMBERS,
    .expand = expand_clip, .gloss = "minimum(maximum(a, b), c)" };

/* ---- builders ---- */

static gn_expr *make_number(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_NUMBER);
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

static gn_expr *make_float(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_FLOAT);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

static gn_expr *make_slope(gn_graph *g, const gn_request *r)
{
    const gn_attr slope = { .kind = GN_ATTR_FLOAT, .f = r->number };
    gn_request_promote(g, r, 0, GN_TO_FLOAT);
    return gn_node(g, &gn_op_leaky_relu, r->x, 1, &slope);
}

static gn_expr *unary(gn_loc loc, const gn_op_info *op, gn_expr *(*make)(gn_graph *, const gn_request *), gn_expr *x)
{
    return gn_request_make(
        loc, &(gn_request){ .name = op->name, .make = make, .op = op, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_square_at(gn_loc loc, gn_expr *x)
{
    return unary(loc, &gn_op_square, make_number, x);
}

gn_expr *gn_relu_at(gn_loc loc, gn_expr *x)
{
    return unary(loc, &gn_op_relu, make_number, x);
}

gn_expr *gn_gelu_at(gn_loc loc, gn_expr *x)
{
    return unary(loc, &gn_op_gelu, make_float, x);
}

gn_expr *gn_silu_at(gn_loc loc, gn_expr *x)
{
    return unary(loc, &gn_op_silu, make_float, x);
}

gn_expr *gn_leaky_relu_at(gn_loc loc, gn_expr *x, double slope)
{
    return gn_request_make(
        loc, &(gn_request){
                 .name = "leaky_relu", .make = make_slope, .number = slope, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_clip_at(gn_loc loc, gn_expr *x, gn_operand low, gn_operand high)
{
    return gn_request_make(
        loc,
        &(gn_request){
            .name = "clip", .make = make_number, .op = &gn_op_clip, .n = 3, .in = { gn_operand_expr(x), low, high } });
}
