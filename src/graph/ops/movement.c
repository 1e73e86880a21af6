/* Movement: every element of the result is one element of an operand, or a fill. slice and pad are each other's
 * transpose: both say that element i of the small tensor is element start + step i of the large one. */
#include "evaluate.h"
#include "make.h"
#include "reference.h"

/* ---- types ---- */

static const gn_dim *product(gn_graph *g, size_t n, const gn_dim *const *dim)
{
    const gn_dim *p = gn_dim_const(&g->dims, 1);
    for (size_t i = 0; i < n; i++) p = gn_dim_mul(&g->dims, p, dim[i]);
    return p;
}

static const gn_type *infer_reshape(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_expr *x = in[0];
    gn_infer_equal(g, "reshape", in, n, product(g, gn_rank_in(x), x->type->dim), product(g, attr[0].n, attr[0].dims),
                   "numbers of elements");
    return gn_type_tensor(g, gn_dtype_in(x), attr[0].n, attr[0].dims);
}

static const gn_type *infer_permute(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_expr *x = in[0];
    const gn_dim *shape[GN_MAX_RANK];
    uint32_t seen = 0;
    if (attr[0].n != gn_rank_in(x))
        gn_throw_at(g, GN_EAXIS, "permute", in, n, "%u axes for a tensor of rank %zu", attr[0].n, gn_rank_in(x));
    for (uint32_t d = 0; d < attr[0].n; d++) {
        const int64_t from = attr[0].ints[d];
        if (from < 0 || from >= attr[0].n || seen >> from & 1)
            gn_throw_at(g, GN_EAXIS, "permute", in, n, "axis %lld is outside the rank, or named twice", (long long)from);
        seen |= 1u << from, shape[d] = gn_extent(x, (size_t)from);
    }
    return gn_type_tensor(g, gn_dtype_in(x), attr[0].n, shape);
}

static const gn_type *infer_broadcast(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_expr *x = in[0];
    uint32_t seen = 0;
    if (attr[1].n != gn_rank_in(x))
        gn_throw_at(g, GN_EAXIS, "broadcast", in, n, "%u axes for a tensor of rank %zu", attr[1].n, gn_rank_in(x));
    for (uint32_t d = 0; d < attr[1].n; d++) {
        const int64_t to = attr[1].ints[d];
        if (to < 0 || to >= attr[0].n || seen >> to & 1)
            gn_throw_at(g, GN_EAXIS, "broadcast", in, n, "axis %lld is outside the result, or named twice", (long long)to);
        seen |= 1u << to;
        gn_infer_equal(g, "broadcast", in, n, gn_extent(x, d), attr[0].dims[to], "extents");
    }
    return gn_type_tensor(g, gn_dtype_in(x), attr[0].n, attr[0].dims);
}

/* start, start + step, ... (n of them) lie within an extent, and start does so even where n is 0. */
static void infer_inside(gn_graph *g, const char *op, gn_expr *const *in, size_t nin, size_t axis, const gn_dim *start,
                         int64_t step, const gn_dim *n, const gn_dim *extent)
{
    gn_dim_pool *p = &g->dims;
    int64_t count;
    if (step < 1 || step > INT32_MAX)
        gn_throw_at(g, GN_EINVAL, op, in, nin, "a step of %lld: from 1 to %d is possible", (long long)step, INT32_MAX);
    if (gn_dim_is_const(n, &count) && count == 0) return;
    const gn_dim *const one = gn_dim_const(p, 1), *const last = gn_dim_add(
                                                      p, start, gn_dim_scale(p, gn_dim_sub(p, n, one), step));
    gn_infer_at_least(g, op, in, nin, start, gn_dim_const(p, 0),
                      gn_arena_printf(&g->arena, "start of the range in axis %zu", axis));
    const char *const what = gn_arena_printf(&g->arena, "extent of axis %zu", axis);
    gn_infer_at_least(g, op, in, nin, extent, gn_dim_add(p, last, one), what);
    if (step > 1) gn_infer_at_least(g, op, in, nin, extent, start, what);
}

static const gn_type *infer_slice(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_expr *x = in[0];
    const size_t rank = gn_rank_in(x);
    if (attr[0].n != rank || attr[1].n != rank || attr[2].n != rank)
        gn_throw_at(g, GN_EAXIS, "slice", in, n, "not one range an axis");
    for (size_t d = 0; d < rank; d++)
        infer_inside(g, "slice", in, n, d, attr[0].dims[d], attr[1].ints[d], attr[2].dims[d], gn_extent(x, d));
    return gn_type_tensor(g, gn_dtype_in(x), rank, attr[2].dims);
}

static const gn_type *infer_pad(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_expr *x = in[0];
    const size_t rank = gn_rank_in(x);
    if (attr[0].n != rank || attr[1].n != rank || attr[2].n != rank)
        gn_throw_at(g, GN_EAXIS, "pad", in, n, "not one range an axis");
    if (gn_rank_in(in[1]) != 0) gn_throw_at(g, GN_ESHAPE, "pad", in, n, "the fill is no scalar");
    if (gn_dtype_in(in[1]) != gn_dtype_in(x)) gn_throw_at(g, GN_EDTYPE, "pad", in, n, "the fill has another dtype");
    for (size_t d = 0; d < rank; d++)
        infer_inside(g, "pad", in, n, d, attr[0].dims[d], attr[1].ints[d], gn_extent(x, d), attr[2].dims[d]);
    return gn_type_tensor(g, gn_dtype_in(x), rank, attr[2].dims);
}

static const gn_type *infer_flip(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    for (uint32_t i = 0; i < attr[0].n; i++) {
        const int64_t a = attr[0].ints[i];
        if (a < 0 || a >= in[0]->type->n || (i > 0 && a <= attr[0].ints[i - 1]))
            gn_throw_at(g, GN_EAXIS, "flip", in, n, "axis %lld is outside the rank, or not in order", (long long)a);
    }
    return in[0]->type;
}

static const gn_type *infer_concat(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const int64_t axis = attr[0].i;
    const gn_dim *shape[GN_MAX_RANK];
    if (n == 0) gn_throw_at(g, GN_EINVAL, "concat", NULL, 0, "an empty list");
    const size_t rank = gn_rank_in(in[0]);
    if (axis < 0 || (size_t)axis >= rank)
        gn_throw_at(g, GN_EAXIS, "concat", in, n, "axis %lld of tensors of rank %zu", (long long)axis, rank);
    for (size_t d = 0; d < rank; d++) shape[d] = gn_extent(in[0], d);
    for (size_t i = 1; i < n; i++) {
        if (gn_rank_in(in[i]) != rank) gn_throw_at(g, GN_ESHAPE, "concat", in, n, "operands differ in rank");
        if (gn_dtype_in(in[i]) != gn_dtype_in(in[0]))
            gn_throw_at(g, GN_EDTYPE, "concat", in, n, "operands differ in dtype");
        for (size_t d = 0; d < rank; d++) {
            if (d == (size_t)axis) shape[d] = gn_dim_add(&g->dims, shape[d], gn_extent(in[i], d));
            else shape[d] = gn_infer_extent(g, "concat", in, n, shape[d], gn_extent(in[i], d), "extents");
        }
    }
    return gn_type_tensor(g, gn_dtype_in(in[0]), rank, shape);
}

/* ---- reference ---- */

static void eval_reshape(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)e, (void)arena;
    for (int64_t i = 0; i < out->count; i++) out->at[i] = in[0]->at[i];
}

/* Element `at` of the result is the operand's element at the sum of at[d] * stride[d]. */
static void gather_strided(gn_tensor *out, const gn_tensor *x, int64_t base, const int64_t *stride)
{
    int64_t at[GN_MAX_RANK] = { 0 };
    for (int64_t i = 0; i < out->count; i++) {
        out->at[i] = x->at[base + gn_flat_index(out->rank, at, stride)];
        gn_next_index(out->rank, out->shape, at);
    }
}

static void eval_permute(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    const gn_attr *axes = gn_attr_of(e, "axes");
    int64_t from[GN_MAX_RANK], stride[GN_MAX_RANK] = { 0 };
    gn_row_major(in[0]->rank, in[0]->shape, from);
    for (uint32_t d = 0; d < axes->n; d++) stride[d] = from[axes->ints[d]];
    gather_strided(out, in[0], 0, stride);
}

static void eval_broadcast(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    const gn_attr *axes = gn_attr_of(e, "axes");
    int64_t from[GN_MAX_RANK], stride[GN_MAX_RANK] = { 0 };
    gn_row_major(in[0]->rank, in[0]->shape, from);
    for (uint32_t d = 0; d < axes->n; d++) stride[axes->ints[d]] = from[d];
    gather_strided(out, in[0], 0, stride);
}

/* Where the small tensor's elements stand in the large one. */
static int64_t places(const gn_expr *e, const gn_tensor *large, const gn_evaluation *v, int64_t *stride)
{
    const gn_attr *start = gn_attr_of(e, "start"), *step = gn_attr_of(e, "step");
    int64_t base = 0;
    gn_row_major(large->rank, large->shape, stride);
    for (int d = 0; d < large->rank; d++) {
        base += gn_evaluation_dim(v, start->dims[d]) * stride[d];
        stride[d] *= step->ints[d];
    }
    return base;
}

static void eval_slice(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    int64_t stride[GN_MAX_RANK];
    const int64_t base = places(e, in[0], out->evaluation, stride);
    gather_strided(out, in[0], base, stride);
}

static void eval_pad(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    int64_t stride[GN_MAX_RANK], at[GN_MAX_RANK] = { 0 };
    const int64_t base = places(e, out, out->evaluation, stride);
    for (int64_t i = 0; i < out->count; i++) out->at[i] = in[1]->at[0];
    for (int64_t i = 0; i < in[0]->count; i++) {
        out->at[base + gn_flat_index(out->rank, at, stride)] = in[0]->at[i];
        gn_next_index(in[0]->rank, in[0]->shape, at);
    }
}

static void eval_flip(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    const gn_attr *axes = gn_attr_of(e, "axes");
    int64_t stride[GN_MAX_RANK], base = 0;
    gn_row_major(out->rank, out->shape, stride);
    for (uint32_t i = 0; i < axes->n; i++) {
        const int64_t d = axes->ints[i];
        base += (out->shape[d] - 1) * stride[d], stride[d] = -stride[d];
    }
    gather_strided(out, in[0], base, stride);
}

static void eval_concat(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    (void)arena;
    const int64_t axis = gn_attr_of(e, "axis")->i;
    int64_t stride[GN_MAX_RANK], base = 0;
    gn_row_major(out->rank, out->shape, stride);
    for (uint32_t k = 0; k < e->nin; k++) {
        int64_t at[GN_MAX_RANK] = { 0 };
        for (int64_t i = 0; i < in[k]->count; i++) {
            out->at[base + gn_flat_index(out->rank, at, stride)] = in[k]->at[i];
            gn_next_index(in[k]->rank, in[k]->shape, at);
        }
        base += in[k]->shape[axis] * stride[axis];
    }
}

/* ---- transposes ---- */

static void vjp_reshape(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gin[0] = gn_make_reshape(g, dy, gn_rank_in(y->in[0]), y->in[0]->type->dim);
}

static void vjp_permute(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_attr *axes = gn_attr_of(y, "axes");
    int64_t back[GN_MAX_RANK];
    for (uint32_t d = 0; d < axes->n; d++) back[axes->ints[d]] = d;
    gin[0] = gn_make_permute(g, dy, back);
}

/* The sum over what was repeated, with its axes in x's order. */
static void vjp_broadcast(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list kept = gn_axes_attr(y);
    gn_axis_list repeated = { 0 };
    int64_t place[GN_MAX_RANK], order[GN_MAX_RANK], n = 0; /* of the result's axes in the sum */
    for (size_t d = 0; d < gn_rank_in(y); d++) {
        if (gn_has_axis(&kept, (int64_t)d)) place[d] = n++;
        else repeated.at[repeated.n++] = (int64_t)d;
    }
    for (size_t d = 0; d < kept.n; d++) order[d] = place[kept.at[d]];
    gin[0] = gn_make_permute(g, gn_make_reduce(g, &gn_op_sum, dy, &repeated), order);
}

static void vjp_slice(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_expr *x = y->in[0];
    gin[0] = gn_make_pad(g, dy, gn_make_scalar(g, gn_dtype_in(dy), 0), gn_attr_of(y, "start")->dims,
                         gn_attr_of(y, "step")->ints, x->type->dim);
}

static void vjp_pad(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_dim *const *start = gn_attr_of(y, "start")->dims;
    const int64_t *step = gn_attr_of(y, "step")->ints;
    const gn_expr *x = y->in[0];
    gin[0] = gn_make_slice(g, dy, start, step, x->type->dim);
    gn_expr *const inner = gn_make_splat(g, gn_make_scalar_int(g, GN_BOOL, 0), gn_rank_in(x), x->type->dim);
    gn_expr *const border = gn_make_pad(g, inner, gn_make_scalar_int(g, GN_BOOL, 1), start, step, y->type->dim);
    gin[1] = gn_make_sum_to(g, gn_make3(g, &gn_op_select, border, dy, gn_make_like(g, dy, 0)));
}

static void vjp_flip(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gin[0] = gn_make_flip(g, dy, &axes);
}

static void vjp_concat(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const int64_t axis = gn_attr_of(y, "axis")->i;
    const gn_dim *start[GN_MAX_RANK];
    int64_t step[GN_MAX_RANK];
    for (size_t d = 0; d < gn_rank_in(y); d++) start[d] = gn_dim_const(&g->dims, 0), step[d] = 1;
    for (uint32_t k = 0; k < y->nin; k++) {
        gin[k] = gn_make_slice(g, dy, start, step, y->in[k]->type->dim);
        start[axis] = gn_dim_add(&g->dims, start[axis], gn_extent(y->in[k], (size_t)axis));
    }
}

/* ---- records ---- */

static const gn_attr_spec shape_attr[] = { { "shape", GN_ATTR_DIMS } }, axes_attr[] = { { "axes", GN_ATTR_INTS } },
                          axis_attr[] = { { "axis", GN_ATTR_INT } };
static const gn_attr_spec broadcast_attr[] = { { "shape", GN_ATTR_DIMS }, { "axes", GN_ATTR_INTS } };
static const gn_attr_spec range_attr[] = { { "start", GN_ATTR_DIMS }, { "step", GN_ATTR_INTS }, { "shape", GN_ATTR_DIMS } };

const gn_op_info gn_op_reshape = { .name = "reshape", .arity = 1, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = shape_attr, .nattr = 1, .infer = infer_reshape, .eval_whole = eval_reshape, .vjp = vjp_reshape,
    .linear = true, .gloss = "the same elements in row-major order under another shape" };
const gn_op_info gn_op_permute = { .name = "permute", .arity = 1, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = axes_attr, .nattr = 1, .infer = infer_permute, .eval_whole = eval_permute, .vjp = vjp_permute,
    .linear = true, .gloss = "axis i of the result is axis axes[i] of x" };
const gn_op_info gn_op_broadcast = { .name = "broadcast", .arity = 1, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = broadcast_attr, .nattr = 2, .infer = infer_broadcast, .eval_whole = eval_broadcast, .vjp = vjp_broadcast,
    .linear = true, .gloss = "repeated to a shape; axis i of x is axis axes[i] of the result, with the same extent" };
const gn_op_info gn_op_slice = { .name = "slice", .arity = 1, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = range_attr, .nattr = 3, .infer = infer_slice, .eval_whole = eval_slice, .vjp = vjp_slice, .linear = true,
    .gloss = "element i is x's element start + step i, per axis" };
const gn_op_info gn_op_pad = { .name = "pad", .arity = 2, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = range_attr, .nattr = 3, .infer = infer_pad, .eval_whole = eval_pad, .vjp = vjp_pad, .linear = true,
    .gloss = "element start + step i is a's element i, per axis; the scalar b elsewhere" };
const gn_op_info gn_op_flip = { .name = "flip", .arity = 1, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = axes_attr, .nattr = 1, .infer = infer_flip, .eval_whole = eval_flip, .vjp = vjp_flip, .linear = true,
    .gloss = "backwards along axes" };
const gn_op_info gn_op_concat = { .name = "concat", .arity = -1, .traits = GN_VIEW_OP, .dtypes = GN_ANY_DTYPE,
    .attrs = axis_attr, .nattr = 1, .infer = infer_concat, .eval_whole = eval_concat, .vjp = vjp_concat, .linear = true,
    .gloss = "one after the other along an axis" };
