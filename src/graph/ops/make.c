/* Nodes without ceremony. */
#include "make.h"
#include <string.h>

gn_axis_list gn_axes_attr(const gn_expr *e)
{
    const gn_attr *a = gn_attr_of(e, "axes");
    gn_axis_list l = { .n = a->n };
    for (size_t i = 0; i < l.n; i++) l.at[i] = a->ints[i];
    return l;
}

gn_expr *gn_make1(gn_graph *g, const gn_op_info *op, gn_expr *a)
{
    return gn_node(g, op, &a, 1, NULL);
}

gn_expr *gn_make2(gn_graph *g, const gn_op_info *op, gn_expr *a, gn_expr *b)
{
    gn_expr *in[2] = { a, b };
    return gn_node(g, op, in, 2, NULL);
}

gn_expr *gn_make3(gn_graph *g, const gn_op_info *op, gn_expr *a, gn_expr *b, gn_expr *c)
{
    gn_expr *in[3] = { a, b, c };
    return gn_node(g, op, in, 3, NULL);
}

gn_expr *gn_make_cast(gn_graph *g, gn_expr *x, gn_dtype dtype)
{
    const gn_attr attr = { .kind = GN_ATTR_DTYPE, .i = dtype };
    return gn_dtype_in(x) == dtype ? x : gn_node(g, &gn_op_cast, &x, 1, &attr);
}

gn_expr *gn_make_scalar(gn_graph *g, gn_dtype dtype, double v)
{
    const gn_operand number = gn_is_float(dtype) ? gn_operand_double(v) : gn_operand_int((int64_t)v);
    return gn_number_node(g, "constant", dtype, &number);
}

gn_expr *gn_make_scalar_int(gn_graph *g, gn_dtype dtype, int64_t v)
{
    const gn_operand number = dtype == GN_U64 ? gn_operand_uint((uint64_t)v) : gn_operand_int(v);
    return gn_number_node(g, "constant", dtype, &number);
}

gn_expr *gn_make_size(gn_graph *g, const gn_dim *d, gn_dtype dtype)
{
    int64_t v;
    const gn_attr size = { .kind = GN_ATTR_DIMS, .n = 1, .dims = &d };
    if (gn_dim_is_const(d, &v)) return gn_make_cast(g, gn_make_scalar_int(g, GN_I64, v), dtype);
    return gn_make_cast(g, gn_node(g, &gn_op_dim, NULL, 0, &size), dtype);
}

gn_expr *gn_make_iota(gn_graph *g, gn_dtype dtype, size_t rank, const gn_dim *const *shape, int64_t axis)
{
    const gn_attr attr[3] = { { .kind = GN_ATTR_DIMS, .n = (uint32_t)rank, .dims = shape },
                              { .kind = GN_ATTR_INT, .i = axis },
                              { .kind = GN_ATTR_DTYPE, .i = dtype } };
    return gn_node(g, &gn_op_iota, NULL, 0, attr);
}

gn_expr *gn_make_splat(gn_graph *g, gn_expr *scalar, size_t rank, const gn_dim *const *shape)
{
    return gn_make_broadcast(g, scalar, rank, shape, NULL);
}

bool gn_is_zero(const gn_expr *e)
{
    if (e->op == &gn_op_broadcast) e = e->in[0];
    if (e->op != &gn_op_constant) return false;
    const gn_attr *data = gn_attr_of(e, "data");
    for (uint32_t i = 0; i < data->n; i++)
        if (((const char *)data->data)[i]) return false;
    return true;
}

gn_expr *gn_make_like(gn_graph *g, const gn_expr *like, double v)
{
    return gn_make_splat(g, gn_make_scalar(g, gn_dtype_in(like), v), gn_rank_in(like), like->type->dim);
}

const gn_dim *gn_count_along(const gn_expr *x, const gn_axis_list *axes)
{
    gn_dim_pool *p = &gn_graph_in(x)->dims;
    const gn_dim *n = gn_dim_const(p, 1);
    for (size_t i = 0; i < axes->n; i++) n = gn_dim_mul(p, n, gn_extent(x, (size_t)axes->at[i]));
    return n;
}

gn_expr *gn_make_reduce(gn_graph *g, const gn_op_info *op, gn_expr *x, const gn_axis_list *axes)
{
    const gn_attr attr = { .kind = GN_ATTR_INTS, .n = (uint32_t)axes->n, .ints = axes->at };
    return axes->n == 0 ? x : gn_node(g, op, &x, 1, &attr);
}

gn_expr *gn_make_sum_to(gn_graph *g, gn_expr *x)
{
    gn_axis_list all = { .n = gn_rank_in(x) };
    for (size_t d = 0; d < all.n; d++) all.at[d] = (int64_t)d;
    return gn_make_reduce(g, &gn_op_sum, x, &all);
}

gn_expr *gn_make_unreduce(gn_graph *g, gn_expr *y, const gn_expr *x, const gn_axis_list *axes)
{
    int64_t to[GN_MAX_RANK];
    size_t n = 0;
    for (size_t d = 0; d < gn_rank_in(x); d++) {
        if (!gn_has_axis(axes, (int64_t)d)) to[n++] = (int64_t)d;
    }
    return gn_make_broadcast(g, y, gn_rank_in(x), x->type->dim, to);
}

gn_expr *gn_make_broadcast(gn_graph *g, gn_expr *x, size_t rank, const gn_dim *const *shape, const int64_t *axes)
{
    const gn_attr attr[2] = { { .kind = GN_ATTR_DIMS, .n = (uint32_t)rank, .dims = shape },
                              { .kind = GN_ATTR_INTS, .n = (uint32_t)gn_rank_in(x), .ints = axes } };
    return gn_rank_in(x) == rank ? x : gn_node(g, &gn_op_broadcast, &x, 1, attr);
}

gn_expr *gn_make_reshape(gn_graph *g, gn_expr *x, size_t rank, const gn_dim *const *shape)
{
    const gn_attr attr = { .kind = GN_ATTR_DIMS, .n = (uint32_t)rank, .dims = shape };
    bool same = gn_rank_in(x) == rank;
    for (size_t d = 0; same && d < rank; d++) same = shape[d] == gn_extent(x, d);
    return same ? x : gn_node(g, &gn_op_reshape, &x, 1, &attr);
}

gn_expr *gn_make_permute(gn_graph *g, gn_expr *x, const int64_t *axes)
{
    const gn_attr attr = { .kind = GN_ATTR_INTS, .n = (uint32_t)gn_rank_in(x), .ints = axes };
    bool same = true;
    for (size_t d = 0; d < gn_rank_in(x); d++) same = same && axes[d] == (int64_t)d;
    return same ? x : gn_node(g, &gn_op_permute, &x, 1, &attr);
}

gn_expr *gn_make_slice(gn_graph *g, gn_expr *x, const gn_dim *const *start, const int64_t *step, const gn_dim *const *shape)
{
    const uint32_t n = (uint32_t)gn_rank_in(x);
    const gn_attr attr[3] = { { .kind = GN_ATTR_DIMS, .n = n, .dims = start },
                              { .kind = GN_ATTR_INTS, .n = n, .ints = step },
                              { .kind = GN_ATTR_DIMS, .n = n, .dims = shape } };
    bool same = true;
    for (size_t d = 0; d < n; d++) same = same && gn_dim_is(start[d], 0) && step[d] == 1 && shape[d] == gn_extent(x, d);
    return same ? x : gn_node(g, &gn_op_slice, &x, 1, attr);
}

gn_expr *gn_make_pad(gn_graph *g, gn_expr *x, gn_expr *fill, const gn_dim *const *start, const int64_t *step,
                     const gn_dim *const *shape)
{
    const uint32_t n = (uint32_t)gn_rank_in(x);
    const gn_attr attr[3] = { { .kind = GN_ATTR_DIMS, .n = n, .dims = start },
                              { .kind = GN_ATTR_INTS, .n = n, .ints = step },
                              { .kind = GN_ATTR_DIMS, .n = n, .dims = shape } };
    gn_expr *in[2] = { x, fill };
    bool same = true;
    for (size_t d = 0; d < n; d++) same = same && gn_dim_is(start[d], 0) && step[d] == 1 && shape[d] == gn_extent(x, d);
    return same ? x : gn_node(g, &gn_op_pad, in, 2, attr);
}

gn_expr *gn_make_flip(gn_graph *g, gn_expr *x, const gn_axis_list *axes)
{
    const gn_attr attr = { .kind = GN_ATTR_INTS, .n = (uint32_t)axes->n, .ints = axes->at };
    return axes->n == 0 ? x : gn_node(g, &gn_op_flip, &x, 1, &attr);
}

gn_expr *gn_make_concat(gn_graph *g, gn_expr *const *in, size_t n, int64_t axis)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = axis };
    return n == 1 ? in[0] : gn_node(g, &gn_op_concat, in, n, &attr);
}

gn_expr *gn_make_contract(gn_graph *g, gn_expr *a, const int64_t *la, gn_expr *b, const int64_t *lb, const int64_t *lout,
                          size_t nout)
{
    int64_t seen[2 * GN_MAX_RANK], list[3][GN_MAX_RANK];
    const int64_t *const from[3] = { la, lb, lout };
    const size_t n[3] = { gn_rank_in(a), gn_rank_in(b), nout };
    int64_t nseen = 0;
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < n[k]; i++) {
            int64_t at = 0;
            while (at < nseen && seen[at] != from[k][i]) at++;
            if (at == nseen) seen[nseen++] = from[k][i];
            list[k][i] = at;
        }
    }
    gn_attr attr[3];
    for (size_t k = 0; k < 3; k++) attr[k] = (gn_attr){ .kind = GN_ATTR_INTS, .n = (uint32_t)n[k], .ints = list[k] };
    gn_expr *in[2] = { a, b };
    return gn_node(g, &gn_op_contract, in, 2, attr);
}

gn_expr *gn_make_check_index(gn_graph *g, gn_expr *indices, const gn_dim *extent)
{
    const gn_attr attr = { .kind = GN_ATTR_DIMS, .n = 1, .dims = &extent };
    return gn_node(g, &gn_op_check_index, &indices, 1, &attr);
}

gn_expr *gn_make_take(gn_graph *g, gn_expr *x, gn_expr *indices, int64_t axis)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = axis };
    gn_expr *in[2] = { x, indices };
    return gn_node(g, &gn_op_take, in, 2, &attr);
}

gn_expr *gn_make_scatter_add(gn_graph *g, gn_expr *x, gn_expr *indices, gn_expr *updates, int64_t axis)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = axis };
    gn_expr *in[3] = { x, indices, updates };
    return gn_node(g, &gn_op_scatter_add, in, 3, &attr);
}

gn_expr *gn_make_proj(gn_graph *g, gn_expr *tuple, int64_t i)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = i };
    return gn_node(g, &gn_op_proj, &tuple, 1, &attr);
}

gn_expr *gn_make_tuple(gn_graph *g, gn_expr *const *elem, size_t n)
{
    return gn_node(g, &gn_op_tuple, elem, n, NULL);
}
