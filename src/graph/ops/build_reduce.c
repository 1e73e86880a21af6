/* Public builders: reductions. */
#include "request.h"

/* The larger of bools is any, the smaller all. */
static const gn_op_info *op_for(const gn_request *r, gn_dtype t)
{
    if (t != GN_BOOL) return r->op;
    return r->op == &gn_op_max ? &gn_op_any : r->op == &gn_op_min ? &gn_op_all : r->op;
}

static gn_expr *make(gn_graph *g, const gn_request *r)
{
    gn_expr *x = r->x[0];
    const gn_axis_list axes =
        r->axes.n == -1 ? gn_all_axes(gn_rank_in(x)) : gn_request_axes(g, r, r->axes, gn_rank_in(x), false);
    const bool wants_bool = r->op == &gn_op_any || r->op == &gn_op_all,
               wants_float = r->op == &gn_op_mean || r->op == &gn_op_var;
    if (wants_bool && gn_dtype_in(x) != GN_BOOL)
        gn_request_fail(g, r, GN_EDTYPE, "the operand is %s, not bool", gn_dtype_name(gn_dtype_in(x)));
    if (wants_float) x = gn_make_cast(g, x, gn_float_of(gn_dtype_in(x)));
    else if ((r->op == &gn_op_sum || r->op == &gn_op_prod) && gn_dtype_in(x) == GN_BOOL) x = gn_make_cast(g, x, GN_I64);
    if (r->op == &gn_op_var && axes.n == 0) return gn_make2(g, &gn_op_sub, x, x);
    return gn_make_reduce(g, op_for(r, gn_dtype_in(x)), x, &axes);
}

static gn_expr *make_position(gn_graph *g, const gn_request *r)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = gn_request_axis(g, r, r->axis, gn_rank_in(r->x[0])) };
    if (gn_dtype_in(r->x[0]) == GN_BOOL) r->x[0] = gn_make_cast(g, r->x[0], GN_I32);
    return gn_node(g, r->op, r->x, 1, &attr);
}

static gn_expr *reduce(gn_loc loc, const gn_op_info *op, gn_expr *x, gn_axes axes)
{
    if (axes.n < 0) axes.n = -2; /* -1 says all, and is not for users */
    return gn_request_make(
        loc, &(gn_request){ .name = op->name, .make = make, .op = op, .axes = axes, .n = 1, .in = { gn_operand_expr(x) } });
}

static gn_expr *reduce_all(gn_loc loc, const gn_op_info *op, const char *name, gn_expr *x)
{
    return gn_request_make(
        loc, &(gn_request){
                 .name = name, .make = make, .op = op, .axes = { .n = -1 }, .n = 1, .in = { gn_operand_expr(x) } });
}

static gn_expr *position(gn_loc loc, const gn_op_info *op, gn_expr *x, int axis)
{
    return gn_request_make(
        loc,
        &(gn_request){
            .name = op->name, .make = make_position, .op = op, .axis = axis, .n = 1, .in = { gn_operand_expr(x) } });
}

#define REDUCTION(name) \
    gn_expr *gn_##name##_at(gn_loc loc, gn_expr *x, gn_axes axes) \
    { \
        return reduce(loc, &gn_op_##name, x, axes); \
    } \
    gn_expr *gn_##name##_all_at(gn_loc loc, gn_expr *x) \
    { \
        return reduce_all(loc, &gn_op_##name, #name "_all", x); \
    }

REDUCTION(sum)
REDUCTION(prod)
REDUCTION(max)
REDUCTION(min)
REDUCTION(any)
REDUCTION(all)
REDUCTION(mean)
REDUCTION(var)

gn_expr *gn_argmax_at(gn_loc loc, gn_expr *x, int axis)
{
    return position(loc, &gn_op_argmax, x, axis);
}

gn_expr *gn_argmin_at(gn_loc loc, gn_expr *x, int axis)
{
    return position(loc, &gn_op_argmin, x, axis);
}
