/* Softmax and its relatives. All subtract the largest element first, so that nothing overflows; their derivatives are
 * closed forms over the result, so nothing is differentiated through the shift. */
#include "composites.h"
#include "ops/request.h"
#include <math.h>

static const gn_type *infer_rows(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_expr *x = in[0];
    if (attr[0].i < 0 || (size_t)attr[0].i >= gn_rank_in(x))
        gn_throw_at(g, GN_EAXIS, "softmax", in, n, "axis %lld of a tensor of rank %zu", (long long)attr[0].i,
                    gn_rank_in(x));
    return x->type;
}

static const gn_type *infer_row(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    infer_rows(g, in, n, attr);
    const gn_attr axes = { .kind = GN_ATTR_INTS, .n = 1, .ints = &attr[0].i };
    return gn_op_max.infer(g, in, n, &axes);
}

static gn_axis_list axis_of(const gn_attr *attr)
{
    return (gn_axis_list){ .n = 1, .at = { attr[0].i } };
}

/* x less its largest, and e to that. */
static gn_expr *shifted(gn_graph *g, gn_expr *x, const gn_axis_list *axis, gn_expr **e)
{
    gn_expr *const z = gn_minus(g, x, gn_rowwise(g, &gn_op_max, x, axis));
    *e = gn_make1(g, &gn_op_exp, z);
    return z;
}

/* ---- bodies ---- */

static const gn_region *expand_softmax(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axis = axis_of(attr);
    gn_expr **x = gn_body_params(g, n, in), *e;
    shifted(g, x[0], &axis, &e);
    return gn_body(g, n, in, gn_over(g, e, gn_rowwise(g, &gn_op_sum, e, &axis)));
}

static const gn_region *expand_log_softmax(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axis = axis_of(attr);
    gn_expr **x = gn_body_params(g, n, in), *e, *const z = shifted(g, x[0], &axis, &e);
    gn_expr *const logs = gn_make1(g, &gn_op_log, gn_summed(g, e, &axis));
    return gn_body(g, n, in, gn_minus(g, z, gn_make_unreduce(g, logs, z, &axis)));
}

/* Where exponentials and the sum of any number of them neither overflow nor lose digits by underflow, nothing is
 * subtracted: adding the largest element again may cancel most of the logarithm (of 1000 elements of about -log 1000).
 * Nor is it where it is infinite: a row of -inf has -inf, one with inf has inf. */
static gn_expr *shift_of(gn_graph *g, gn_expr *m)
{
    const double safe = gn_dtype_in(m) == GN_F64 ? 512 : gn_dtype_in(m) == GN_F16 ? 0 : 64;
    gn_expr *const size = gn_make1(g, &gn_op_abs, m), *const zero = gn_make_like(g, m, 0);
    gn_expr *const far = gn_make2(g, &gn_op_lt, gn_make_like(g, m, safe), size);
    gn_expr *const finite = gn_make2(g, &gn_op_lt, size, gn_make_like(g, m, INFINITY));
    return gn_make3(g, &gn_op_select, gn_make2(g, &gn_op_and, far, finite), m, zero);
}

static const gn_region *expand_log_sum_exp(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    const gn_axis_list axis = axis_of(attr);
    gn_expr **x = gn_body_params(g, n, in);
    gn_expr *const shift = shift_of(g, gn_make_reduce(g, &gn_op_max, x[0], &axis));
    gn_expr *const e = gn_make1(g, &gn_op_exp, gn_minus(g, x[0], gn_make_unreduce(g, shift, x[0], &axis)));
    return gn_body(g, n, in, gn_plus(g, gn_make1(g, &gn_op_log, gn_summed(g, e, &axis)), shift));
}

/* ---- derivatives ---- */

/* y (t - sum t y): the Jacobian is symmetric, so one form serves both modes. */
static gn_expr *through_softmax(gn_graph *g, gn_expr *y, gn_expr *t)
{
    const gn_axis_list axis = axis_of(y->attr);
    return gn_times(g, y, gn_minus(g, t, gn_rowwise(g, &gn_op_sum, gn_times(g, t, y), &axis)));
}

static void vjp_softmax(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gin[0] = through_softmax(g, y, dy);
}

static gn_expr *jvp_softmax(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    return through_softmax(g, y, t[0]);
}

static gn_expr *softmax_node(gn_graph *g, gn_expr *x, int64_t axis)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = axis };
    return gn_node(g, &gn_op_softmax, &x, 1, &attr);
}

static void vjp_log_softmax(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axis = axis_of(y->attr);
    gin[0] = gn_minus(g, dy, gn_times(g, softmax_node(g, y->in[0], axis.at[0]), gn_rowwise(g, &gn_op_sum, dy, &axis)));
}

static gn_expr *jvp_log_softmax(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    const gn_axis_list axis = axis_of(y->attr);
    return gn_minus(g, t[0], gn_rowwise(g, &gn_op_sum, gn_times(g, softmax_node(g, y->in[0], axis.at[0]), t[0]), &axis));
}

static void vjp_log_sum_exp(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axis = axis_of(y->attr);
    gin[0] = gn_times(g, gn_make_unreduce(g, dy, y->in[0], &axis), softmax_node(g, y->in[0], axis.at[0]));
}

static gn_expr *jvp_log_sum_exp(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    const gn_axis_list axis = axis_of(y->attr);
    return gn_summed(g, gn_times(g, softmax_node(g, y->in[0], axis.at[0]), t[0]), &axis);
}

/* ---- cross-entropy and one-hot ---- */

static const gn_type *infer_cross_entropy(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    const gn_expr *x = in[0], *labels = in[1];
    const gn_dim *shape[GN_MAX_RANK];
    if (!gn_is_float(gn_dtype_in(x)))
        gn_throw_at(g, GN_EDTYPE, "cross_entropy", in, n, "logits are %s, not floating", gn_dtype_name(gn_dtype_in(x)));
    if (!gn_is_int(gn_dtype_in(labels)))
        gn_throw_at(g, GN_EDTYPE, "cross_entropy", in, n, "labels are %s, not integers",
                    gn_dtype_name(gn_dtype_in(labels)));
    if (gn_rank_in(x) == 0 || gn_rank_in(labels) != gn_rank_in(x) - 1)
        gn_throw_at(g, GN_ESHAPE, "cross_entropy", in, n, "labels have rank %zu, expected one less than the logits",
                    gn_rank_in(labels));
    for (size_t d = 0; d + 1 < gn_rank_in(x); d++)
        shape[d] = gn_infer_extent(g, "cross_entropy", in, n, gn_extent(x, d), gn_extent(labels, d), "extents");
    return gn_type_tensor(g, gn_dtype_in(x), gn_rank_in(x) - 1, shape);
}

/* Where a position along the last axis of `rank` and `shape` is the label of its row. */
static gn_expr *is_label(gn_graph *g, gn_expr *labels, size_t rank, const gn_dim *const *shape)
{
    int64_t to[GN_MAX_RANK];
    for (size_t d = 0; d + 1 < rank; d++) to[d] = (int64_t)d;
    gn_expr *const position = gn_make_iota(g, gn_dtype_in(labels), rank, shape, (int64_t)rank - 1);
    return gn_make2(g, &gn_op_eq, position, gn_make_broadcast(g, labels, rank, shape, to));
}

/* log(sum e^z) - z[label] with z = x - max x: both terms are small where the loss is. The picked logit is a sum over a
 * selection, which fuses with the row; nothing of the size of a one-hot matrix exists. */
static const gn_region *expand_cross_entropy(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    gn_expr **x = gn_body_params(g, n, in), *e;
    const size_t rank = gn_rank_in(x[0]);
    const gn_axis_list axis = { .n = 1, .at = { (int64_t)rank - 1 } };
    gn_expr *const z = shifted(g, x[0], &axis, &e);
    gn_expr *const hit = is_label(g, gn_make_check_index(g, x[1], gn_extent(x[0], rank - 1)), rank, x[0]->type->dim);
    gn_expr *const picked = gn_summed(g, gn_make3(g, &gn_op_select, hit, z, gn_make_like(g, z, 0)), &axis);
    return gn_body(g, n, in, gn_minus(g, gn_make1(g, &gn_op_log, gn_summed(g, e, &axis)), picked));
}

/* softmax - one_hot */
static gn_expr *slope_of_cross_entropy(gn_graph *g, gn_expr *y)
{
    gn_expr *const x = y->in[0];
    const size_t rank = gn_rank_in(x);
    gn_expr *const hit = is_label(g, gn_make_check_index(g, y->in[1], gn_extent(x, rank - 1)), rank, x->type->dim);
    return gn_minus(g, softmax_node(g, x, (int64_t)rank - 1), gn_make_cast(g, hit, gn_dtype_in(x)));
}

static void vjp_cross_entropy(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gn_expr *const x = y->in[0];
    const gn_axis_list axis = { .n = 1, .at = { (int64_t)gn_rank_in(x) - 1 } };
    gin[0] = gn_times(g, gn_make_unreduce(g, dy, x, &axis), slope_of_cross_entropy(g, y));
    gin[1] = NULL;
}

static gn_expr *jvp_cross_entropy(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    const gn_axis_list axis = { .n = 1, .at = { (int64_t)gn_rank_in(y->in[0]) - 1 } };
    return t[0] ? gn_summed(g, gn_times(g, t[0], slope_of_cross_entropy(g, y)), &axis) : NULL;
}

static const gn_type *infer_one_hot(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_dim *shape[GN_MAX_RANK + 1];
    const size_t rank = gn_rank_in(in[0]);
    if (rank == GN_MAX_RANK)
        gn_throw_at(g, GN_ESHAPE, "one_hot", in, n, "labels of rank %zu; at most %d is possible", rank, GN_MAX_RANK - 1);
    for (size_t d = 0; d < rank; d++) shape[d] = gn_extent(in[0], d);
    shape[rank] = attr[1].dims[0];
    return gn_type_tensor(g, (gn_dtype)attr[0].i, rank + 1, shape);
}

static const gn_region *expand_one_hot(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    gn_expr **x = gn_body_params(g, n, in);
    const gn_type *type = infer_one_hot(g, x, n, attr);
    return gn_body(g, n, in, gn_make_cast(g, is_label(g, x[0], type->n, type->dim), (gn_dtype)type->dtype));
}

/* ---- records ---- */

static const gn_attr_spec axis_attr[] = { { "axis", GN_ATTR_INT } },
                          one_hot_attr[] = { { "dtype", GN_ATTR_DTYPE }, { "extent", GN_ATTR_DIMS, .count = 1 } };
const gn_op_info gn_op_softmax = { .name = "softmax", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = axis_attr, .nattr = 1, .infer = infer_rows, .expand = expand_softmax, .vjp = vjp_softmax,
    .jvp = jvp_softmax, .gloss = "e^x over its sum along an axis" };
const gn_op_info gn_op_log_softmax = { .name = "log_softmax", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = axis_attr, .nattr = 1, .infer = infer_rows, .expand = expand_log_softmax, .vjp = vjp_log_softmax,
    .jvp = jvp_log_softmax, .gloss = "log of softmax" };
const gn_op_info gn_op_log_sum_exp = { .name = "log_sum_exp", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = axis_attr, .nattr = 1, .infer = infer_row, .expand = expand_log_sum_exp, .vjp = vjp_log_sum_exp,
    .jvp = jvp_log_sum_exp, .gloss = "log of the sum of e^x along an axis" };
const gn_op_info gn_op_cross_entropy = { .name = "cross_entropy", .arity = 2, .traits = GN_COMPOSITE,
    .dtypes = GN_ANY_DTYPE, .infer = infer_cross_entropy, .expand = expand_cross_entropy, .vjp = vjp_cross_entropy,
    .jvp = jvp_cross_entropy, .gloss = "-log softmax(a)[b] along the last axis, b integers" };
const gn_op_info gn_op_one_hot = { .name = "one_hot", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_INTS,
    .attrs = one_hot_attr, .nattr = 2, .infer = infer_one_hot, .expand = expand_one_hot,
    .not_differentiable = "integers have no derivative",
    .gloss = "1 where the position along a new last axis is x, else 0" };

/* ---- builders ---- */

static gn_expr *make_axis(gn_graph *g, const gn_request *r)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = gn_request_axis(g, r, r->axis, gn_rank_in(r->x[0])) };
    gn_request_promote(g, r, 0, GN_TO_FLOAT);
    return gn_node(g, r->op, r->x, 1, &attr);
}

static gn_expr *along(gn_loc loc, const gn_op_info *op, gn_expr *x, int axis)
{
    return gn_request_make(
        loc, &(gn_request){
                 .name = op->name, .make = make_axis, .op = op, .axis = axis, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_softmax_at(gn_loc loc, gn_expr *x, int axis)
{
    return along(loc, &gn_op_softmax, x, axis);
}

gn_expr *gn_log_softmax_at(gn_loc loc, gn_expr *x, int axis)
{
    return along(loc, &gn_op_log_softmax, x, axis);
}

gn_expr *gn_log_sum_exp_at(gn_loc loc, gn_expr *x, int axis)
{
    return along(loc, &gn_op_log_sum_exp, x, axis);
}

static gn_expr *make_cross_entropy(gn_graph *g, const gn_request *r)
{
    if (r->x[0]->op == &gn_op_softmax)
        gn_lint(g, GN_LINT_DOUBLE_SOFTMAX,
                "the logits are the result of softmax, which cross_entropy takes itself: give it softmax's operand");
    r->x[0] = gn_make_cast(g, r->x[0], gn_float_of(gn_dtype_in(r->x[0])));
    return gn_node(g, &gn_op_cross_entropy, r->x, 2, NULL);
}

gn_expr *gn_cross_entropy_at(gn_loc loc, gn_expr *logits, gn_expr *labels)
{
    return gn_request_make(loc, &(gn_request){ .name = "cross_entropy", .make = make_cross_entropy, .n = 2,
                                               .in = { gn_operand_expr(logits), gn_operand_expr(labels) } });
}

static gn_expr *make_one_hot(gn_graph *g, const gn_request *r)
{
    if ((unsigned)r->dtype >= GN_NDTYPES) gn_request_fail(g, r, GN_EDTYPE, "%d is no dtype", (int)r->dtype);
    if (!gn_is_int(gn_dtype_in(r->x[0])))
        gn_request_fail(g, r, GN_EDTYPE, "labels are %s, not integers", gn_dtype_name(gn_dtype_in(r->x[0])));
    const gn_dim *const extent = gn_request_extent(g, r, gn_request_text(g, r));
    const gn_attr attr[2] = { { .kind = GN_ATTR_DTYPE, .i = r->dtype }, { .kind = GN_ATTR_DIMS, .n = 1, .dims = &extent } };
    return gn_node(g, &gn_op_one_hot, r->x, 1, attr);
}

static gn_expr *one_hot(gn_loc loc, gn_expr *labels, gn_dtype dtype, const char *n, va_list *args)
{
    return gn_request_make(loc, &(gn_request){ .name = "one_hot",
                                               .make = make_one_hot,
                                               .dtype = dtype,
                                               .text = n,
                                               .args = args,
                                               .n = 1,
                                               .in = { gn_operand_expr(labels) } });
}

gn_expr *gn_one_hot_text(gn_loc loc, gn_expr *labels, gn_dtype dtype, const char *n)
{
    return one_hot(loc, labels, dtype, n, NULL);
}

gn_expr *gn_one_hot_at(gn_loc loc, gn_expr *labels, gn_dtype dtype, const char *n, ...)
{
    va_list args;
    va_start(args, n);
    gn_expr *const y = one_hot(loc, labels, dtype, n, &args);
    va_end(args);
    return y;
}
