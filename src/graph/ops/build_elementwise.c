/* Public builders: elementwise. */
#include "request.h"

static gn_expr *make_any(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_ANY);
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

static gn_expr *make_number(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_NUMBER);
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

static gn_expr *make_float(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_FLOAT);
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

/* Integers are whole already. */
static gn_expr *make_rounding(gn_graph *g, const gn_request *r)
{
    return gn_is_float(gn_dtype_in(r->x[0])) ? gn_make1(g, r->op, r->x[0]) : r->x[0];
}

static gn_expr *make_ceil(gn_graph *g, const gn_request *r)
{
    if (!gn_is_float(gn_dtype_in(r->x[0]))) return r->x[0];
    return gn_make1(g, &gn_op_neg, gn_make1(g, &gn_op_floor, gn_make1(g, &gn_op_neg, r->x[0])));
}

/* Bools stay bools: a number beside them must be 0 or 1. */
static gn_expr *make_logic(gn_graph *g, const gn_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (!r->x[i]) {
            if (r->in[i].kind != 2 || (uint64_t)r->in[i].integer > 1)
                gn_request_fail(g, r, GN_EDTYPE, "operand %zu is a number, not bool", i + 1);
            r->x[i] = gn_make_scalar_int(g, GN_BOOL, r->in[i].integer);
        }
        if (gn_dtype_in(r->x[i]) != GN_BOOL)
            gn_request_fail(g, r, GN_EDTYPE, "operand %zu is %s, not bool", i + 1, gn_dtype_name(gn_dtype_in(r->x[i])));
    }
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

static gn_expr *make_bits(gn_graph *g, const gn_request *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (r->x[i] && !gn_is_int(gn_dtype_in(r->x[i])))
            gn_request_fail(g, r, GN_EDTYPE, "operand %zu is %s, not an integer", i + 1,
                            gn_dtype_name(gn_dtype_in(r->x[i])));
        if (!r->x[i] && r->in[i].kind == 1)
            gn_request_fail(g, r, GN_EDTYPE, "operand %zu is a fraction, not an integer", i + 1);
    }
    gn_request_promote(g, r, 0, GN_TO_ANY);
    gn_request_broadcast(g, r);
    return gn_node(g, r->op, r->x, r->n, NULL);
}

static gn_expr *make_select(gn_graph *g, const gn_request *r)
{
    if (gn_dtype_in(r->x[0]) != GN_BOOL)
        gn_request_fail(g, r, GN_EDTYPE, "the condition is %s, not bool", gn_dtype_name(gn_dtype_in(r->x[0])));
    gn_request_promote(g, r, 1, GN_TO_ANY);
    gn_request_broadcast(g, r);
    return gn_node(g, &gn_op_select, r->x, 3, NULL);
}

static gn_expr *make_cast(gn_graph *g, const gn_request *r)
{
    if ((unsigned)r->dtype >= GN_NDTYPES) gn_request_fail(g, r, GN_EDTYPE, "%d is no dtype", (int)r->dtype);
    return gn_make_cast(g, r->x[0], r->dtype);
}

typedef gn_expr *make_fn(gn_graph *, const gn_request *);

static gn_expr *unary(gn_loc loc, const gn_op_info *op, make_fn *make, gn_expr *x)
{
    return gn_request_make(
        loc, &(gn_request){ .name = op->name, .make = make, .op = op, .n = 1, .in = { gn_operand_expr(x) } });
}

static gn_expr *binary(gn_loc loc, const char *name, const gn_op_info *op, make_fn *make, gn_operand a, gn_operand b)
{
    return gn_request_make(loc, &(gn_request){ .name = name, .make = make, .op = op, .n = 2, .in = { a, b } });
}

#define UNARY(name, make) \
    gn_expr *gn_##name##_at(gn_loc loc, gn_expr *x) \
    { \
        return unary(loc, &gn_op_##name, make, x); \
    }
#define BINARY(name, make) \
    gn_expr *gn_##name##_at(gn_loc loc, gn_operand a, gn_operand b) \
    { \
        return binary(loc, #name, &gn_op_##name, make, a, b); \
    }
#define LOGIC(name) \
    gn_expr *gn_logical_##name##_at(gn_loc loc, gn_operand a, gn_operand b) \
    { \
        return binary(loc, "logical_" #name, &gn_op_##name, make_logic, a, b); \
    }

BINARY(add, make_number)
BINARY(sub, make_number)
BINARY(mul, make_number)
BINARY(div, make_float)
BINARY(floordiv, make_number)
BINARY(mod, make_number)
BINARY(pow, make_float)
BINARY(maximum, make_any)
BINARY(minimum, make_any)
UNARY(neg, make_number)
UNARY(abs, make_number)
UNARY(sign, make_number)
UNARY(floor, make_rounding)
UNARY(round, make_rounding)
UNARY(trunc, make_rounding)
UNARY(sqrt, make_float)
UNARY(rsqrt, make_float)
UNARY(exp, make_float)
UNARY(expm1, make_float)
UNARY(log, make_float)
UNARY(log1p, make_float)
UNARY(sin, make_float)
UNARY(cos, make_float)
UNARY(tanh, make_float)
UNARY(atanh, make_float)
UNARY(sigmoid, make_float)
UNARY(softplus, make_float)
UNARY(erf, make_float)
UNARY(erfc, make_float)
BINARY(eq, make_any)
BINARY(ne, make_any)
BINARY(lt, make_any)
BINARY(le, make_any)
BINARY(gt, make_any)
BINARY(ge, make_any)
LOGIC(and)
LOGIC(or)
LOGIC(xor)
BINARY(bit_and, make_bits)
BINARY(bit_or, make_bits)
BINARY(bit_xor, make_bits)
BINARY(shl, make_bits)
BINARY(shr, make_bits)
UNARY(bit_not, make_bits)

gn_expr *gn_ceil_at(gn_loc loc, gn_expr *x)
{
    return gn_request_make(loc, &(gn_request){ .name = "ceil", .make = make_ceil, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_logical_not_at(gn_loc loc, gn_expr *x)
{
    return gn_request_make(
        loc, &(gn_request){
                 .name = "logical_not", .make = make_logic, .op = &gn_op_not, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_select_at(gn_loc loc, gn_expr *condition, gn_operand a, gn_operand b)
{
    return gn_request_make(
        loc, &(gn_request){ .name = "select", .make = make_select, .n = 3, .in = { gn_operand_expr(condition), a, b } });
}

gn_expr *gn_cast_at(gn_loc loc, gn_expr *x, gn_dtype dtype)
{
    return gn_request_make(
        loc, &(gn_request){ .name = "cast", .make = make_cast, .dtype = dtype, .n = 1, .in = { gn_operand_expr(x) } });
}
