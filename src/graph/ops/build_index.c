/* Public builders: indices, and tensors made from nothing. */
#include "request.h"

/* Indices that take and scatter_add may trust. */
static gn_expr *checked(gn_graph *g, const gn_request *r, gn_expr *indices, const gn_dim *extent)
{
    if (!gn_is_int(gn_dtype_in(indices)))
        gn_request_fail(g, r, GN_EDTYPE, "indices are %s, not integers", gn_dtype_name(gn_dtype_in(indices)));
    return gn_make_check_index(g, indices, extent);
}

static gn_expr *make_take(gn_graph *g, const gn_request *r)
{
    gn_expr *const x = r->x[0];
    const int64_t axis = gn_request_axis(g, r, r->axis, gn_rank_in(x));
    return gn_make_take(g, x, checked(g, r, r->x[1], gn_extent(x, (size_t)axis)), axis);
}

static gn_expr *make_scatter_add(gn_graph *g, const gn_request *r)
{
    const int64_t axis = gn_request_axis(g, r, r->axis, gn_rank_in(r->x[0]));
    const gn_dtype t = gn_dtype_promote(gn_dtype_in(r->x[0]), gn_dtype_in(r->x[2]));
    gn_expr *const x = gn_make_cast(g, r->x[0], t);
    return gn_make_scatter_add(g, x, checked(g, r, r->x[1], gn_extent(x, (size_t)axis)), gn_make_cast(g, r->x[2], t), axis);
}

static void check_dtype(gn_graph *g, const gn_request *r)
{
    if ((unsigned)r->dtype >= GN_NDTYPES) gn_request_fail(g, r, GN_EDTYPE, "%d is no dtype", (int)r->dtype);
}

static gn_expr *make_iota(gn_graph *g, const gn_request *r)
{
    const gn_dim *shape[GN_MAX_RANK];
    const size_t rank = gn_request_shape(g, r, shape);
    check_dtype(g, r);
    if (r->dtype == GN_BOOL) gn_request_fail(g, r, GN_EDTYPE, "counts in numbers, not in bools");
    return gn_make_iota(g, r->dtype, rank, shape, gn_request_axis(g, r, r->axis, rank));
}

static gn_expr *make_full(gn_graph *g, const gn_request *r)
{
    const gn_dim *shape[GN_MAX_RANK];
    const size_t rank = gn_request_shape(g, r, shape);
    check_dtype(g, r);
    gn_expr *const value = r->x[0] ? gn_make_cast(g, r->x[0], r->dtype) : gn_number_node(g, r->name, r->dtype, &r->in[0]);
    if (gn_rank_in(value) != 0)
        gn_request_fail(g, r, GN_ESHAPE, "the value has rank %zu, expected a scalar", gn_rank_in(value));
    return gn_make_splat(g, value, rank, shape);
}

gn_expr *gn_take_at(gn_loc loc, gn_expr *x, gn_expr *indices, int axis)
{
    return gn_request_make(loc, &(gn_request){ .name = "take", .make = make_take, .axis = axis, .n = 2,
                                               .in = { gn_operand_expr(x), gn_operand_expr(indices) } });
}

gn_expr *gn_scatter_add_at(gn_loc loc, gn_expr *x, gn_expr *indices, gn_expr *updates, int axis)
{
    return gn_request_make(
        loc, &(gn_request){ .name = "scatter_add",
                            .make = make_scatter_add,
                            .axis = axis,
                            .n = 3,
                            .in = { gn_operand_expr(x), gn_operand_expr(indices), gn_operand_expr(updates) } });
}

static gn_expr *iota(gn_loc loc, gn_graph *g, gn_dtype dtype, int axis, const char *shape, va_list *args)
{
    return gn_request_make(
        loc,
        &(gn_request){
            .name = "iota", .make = make_iota, .graph = g, .dtype = dtype, .axis = axis, .text = shape, .args = args });
}

gn_expr *gn_iota_text(gn_loc loc, gn_graph *g, gn_dtype dtype, int axis, const char *shape)
{
    return iota(loc, g, dtype, axis, shape, NULL);
}

gn_expr *gn_iota_at(gn_loc loc, gn_graph *g, gn_dtype dtype, int axis, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = iota(loc, g, dtype, axis, shape, &args);
    va_end(args);
    return y;
}

static gn_expr *full(gn_loc loc, gn_graph *g, gn_dtype dtype, gn_operand value, const char *shape, va_list *args)
{
    return gn_request_make(loc, &(gn_request){ .name = "full",
                                               .make = make_full,
                                               .graph = g,
                                               .dtype = dtype,
                                               .text = shape,
                                               .args = args,
                                               .n = 1,
                                               .in = { value } });
}

gn_expr *gn_full_text(gn_loc loc, gn_graph *g, gn_dtype dtype, gn_operand value, const char *shape)
{
    return full(loc, g, dtype, value, shape, NULL);
}

gn_expr *gn_full_at(gn_loc loc, gn_graph *g, gn_dtype dtype, gn_operand value, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = full(loc, g, dtype, value, shape, &args);
    va_end(args);
    return y;
}
