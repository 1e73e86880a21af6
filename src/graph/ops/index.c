/* Reading and adding by integer indices along an axis. take and scatter_add trust their indices; their builders put
 * check_index before them, the one place where a bad index is met: a call refuses it. Here, in the reference, a
 * computed one is kept within the axis and counted, because such an index may be uncertain. */
#include "evaluate.h"
#include "make.h"
#include "reference.h"
#include <math.h>

/* ---- types ---- */

static void check_operands(gn_graph *g, const char *op, gn_expr *const *in, size_t n, int64_t axis)
{
    if (axis < 0 || (size_t)axis >= gn_rank_in(in[0]))
        gn_throw_at(g, GN_EAXIS, op, in, n, "axis %lld of a tensor of rank %zu", (long long)axis, gn_rank_in(in[0]));
    if (!gn_is_int(gn_dtype_in(in[1])))
        gn_throw_at(g, GN_EDTYPE, op, in, n, "indices are %s, not integers", gn_dtype_name(gn_dtype_in(in[1])));
    if (gn_rank_in(in[0]) - 1 + gn_rank_in(in[1]) > GN_MAX_RANK)
        gn_throw_at(g, GN_ESHAPE, op, in, n, "a result of rank %zu; at most %d is possible",
                    gn_rank_in(in[0]) - 1 + gn_rank_in(in[1]), GN_MAX_RANK);
}

/* x[:axis] + indices + x[axis+1:] */
static size_t taken_shape(gn_expr *const *in, int64_t axis, const gn_dim **shape)
{
    size_t rank = 0;
    for (size_t d = 0; d < gn_rank_in(in[0]); d++) {
        if (d != (size_t)axis) shape[rank++] = gn_extent(in[0], d);
        else for (size_t i = 0; i < gn_rank_in(in[1]); i++) shape[rank++] = gn_extent(in[1], i);
    }
    return rank;
}

static const gn_type *infer_take(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_dim *shape[GN_MAX_RANK];
    check_operands(g, "take", in, n, attr[0].i);
    const size_t rank = taken_shape(in, attr[0].i, shape);
    return gn_type_tensor(g, gn_dtype_in(in[0]), rank, shape);
}

static const gn_type *infer_scatter(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_dim *shape[GN_MAX_RANK];
    check_operands(g, "scatter_add", in, n, attr[0].i);
    const size_t rank = taken_shape(in, attr[0].i, shape);
    if (gn_dtype_in(in[2]) != gn_dtype_in(in[0]))
        gn_throw_at(g, GN_EDTYPE, "scatter_add", in, n, "updates have another dtype");
    if (gn_rank_in(in[2]) != rank)
        gn_throw_at(g, GN_ESHAPE, "scatter_add", in, n, "updates have rank %zu, expected %zu", gn_rank_in(in[2]), rank);
    for (size_t d = 0; d < rank; d++)
        gn_infer_equal(g, "scatter_add", in, n, gn_extent(in[2], d), shape[d], "extents of the updates");
    return in[0]->type;
}

static const gn_type *infer_check(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)g, (void)n, (void)attr;
    return in[0]->type;
}

/* ---- reference ---- */

static void eval_check(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    const int64_t extent = gn_evaluation_dim(out->evaluation, gn_attr_of(e, "extent")->dims[0]);
    for (int64_t i = 0; i < out->count; i++) {
        out->at[i] = in[0]->at[i];
        const int64_t v = out->at[i].i;
        const bool high = v >= 0 ? v >= extent : gn_is_unsigned(out->dtype);
        if (v >= 0 && !high) continue;
        if (in[0]->given || extent == 0)
            gn_throw(GN_EINDEX, "index %lld is outside an axis of extent %lld", (long long)v, (long long)extent);
        out->at[i].i = high ? extent - 1 : 0;
        out->evaluation->clamped++;
    }
}

/* Position in x of the element that stands at `at` in the result. */
static int64_t taken(const gn_tensor *x, const gn_tensor *indices, int64_t axis, const int64_t *at, bool *jump)
{
    int64_t stride[GN_MAX_RANK], row[GN_MAX_RANK];
    gn_row_major(x->rank, x->shape, stride);
    gn_row_major(indices->rank, indices->shape, row);
    const gn_ref *index = &indices->at[gn_flat_index(indices->rank, at + axis, row)];
    int64_t flat = index->i * stride[axis];
    *jump = index->jump;
    for (int d = 0; d < x->rank; d++) {
        if (d < axis) flat += at[d] * stride[d];
        if (d > axis) flat += at[d - 1 + indices->rank] * stride[d];
    }
    return flat;
}

static void eval_take(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    const int64_t axis = gn_attr_of(e, "axis")->i;
    int64_t at[GN_MAX_RANK] = { 0 };
    for (int64_t i = 0; i < out->count; i++) {
        bool jump;
        const int64_t from = taken(in[0], in[1], axis, at, &jump);
        out->at[i] = in[0]->at[from];
        out->at[i].jump |= jump;
        gn_next_index(out->rank, out->shape, at);
    }
}

static void eval_scatter(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    const int64_t axis = gn_attr_of(e, "axis")->i;
    long double *const magnitude = GN_NEW_ARRAY(arena, long double, out->count);
    int64_t *const terms = GN_NEW_ARRAY(arena, int64_t, out->count), at[GN_MAX_RANK] = { 0 };
    bool jump, any = false;
    for (int64_t i = 0; i < out->count; i++)
        out->at[i] = in[0]->at[i], magnitude[i] = fabsl(in[0]->at[i].f) + in[0]->at[i].err, terms[i] = 1;
    for (int64_t i = 0; i < in[2]->count; i++) {
        const int64_t to = taken(out, in[1], axis, at, &jump);
        const gn_ref *u = &in[2]->at[i];
        out->at[to].f += u->f, out->at[to].err += u->err, out->at[to].jump |= u->jump;
        out->at[to].i = (int64_t)((uint64_t)out->at[to].i + (uint64_t)u->i);
        magnitude[to] += fabsl(u->f) + u->err, terms[to]++, any |= jump;
        gn_next_index(in[2]->rank, in[2]->shape, at);
    }
    for (int64_t i = 0; i < out->count; i++) {
        if (gn_is_float(out->dtype) && terms[i] > 1) gn_ref_sum_error(&out->at[i], terms[i], magnitude[i]);
        out->at[i].jump |= any; /* an update may belong anywhere */
    }
}

/* ---- derivatives: both are linear in values, not in indices ---- */

static void vjp_take(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gin[0] = gn_make_scatter_add(g, gn_make_like(g, y->in[0], 0), y->in[1], dy, gn_attr_of(y, "axis")->i);
    gin[1] = NULL;
}

static gn_expr *jvp_take(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    return t[0] ? gn_make_take(g, t[0], y->in[1], gn_attr_of(y, "axis")->i) : NULL;
}

static void vjp_scatter(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gin[0] = dy, gin[1] = NULL;
    gin[2] = gn_make_take(g, dy, y->in[1], gn_attr_of(y, "axis")->i);
}

static gn_expr *jvp_scatter(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    if (!t[0] && !t[2]) return NULL;
    gn_expr *const x = t[0] ? t[0] : gn_make_like(g, y->in[0], 0);
    return t[2] ? gn_make_scatter_add(g, x, y->in[1], t[2], gn_attr_of(y, "axis")->i) : x;
}

static const gn_attr_spec axis_attr[] = { { "axis", GN_ATTR_INT } },
                          extent_attr[] = { { "extent", GN_ATTR_DIMS, .count = 1 } };
const gn_op_info gn_op_check_index = { .name = "check_index", .arity = 1, .traits = GN_ELEMWISE, .dtypes = GN_INTS,
    .attrs = extent_attr, .nattr = 1, .infer = infer_check, .eval_whole = eval_check,
    .not_differentiable = "integers have no derivative",
    .gloss = "x, whose values must lie in 0 .. extent - 1: a call refuses others" };
const gn_op_info gn_op_take = { .name = "take", .arity = 2, .dtypes = GN_ANY_DTYPE, .attrs = axis_attr, .nattr = 1,
    .infer = infer_take, .eval_whole = eval_take, .vjp = vjp_take, .jvp = jvp_take,
    .gloss = "elements of a along an axis at the indices b, which are in range" };
const gn_op_info gn_op_scatter_add = { .name = "scatter_add", .arity = 3, .dtypes = GN_NUMBERS, .attrs = axis_attr,
    .nattr = 1, .infer = infer_scatter, .eval_whole = eval_scatter, .vjp = vjp_scatter, .jvp = jvp_scatter,
    .gloss = "a plus c added along an axis at the indices b, which are in range" };
