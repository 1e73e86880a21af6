/* Reductions over sets of axes. */
#include "evaluate.h"
#include "make.h"
#include "reference.h"
#include <math.h>

static const gn_attr_spec axes_attr[] = { { "axes", GN_ATTR_INTS } }, axis_attr[] = { { "axis", GN_ATTR_INT } };

/* ---- types ---- */

static const gn_type *without(gn_graph *g, const gn_expr *x, const int64_t *axes, size_t n, gn_dtype dtype)
{
    const gn_dim *shape[GN_MAX_RANK];
    size_t rank = 0, next = 0;
    for (size_t d = 0; d < gn_rank_in(x); d++) {
        if (next < n && axes[next] == (int64_t)d) next++;
        else shape[rank++] = gn_extent(x, d);
    }
    return gn_type_tensor(g, dtype, rank, shape);
}

static const gn_type *infer_reduce(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const int64_t *axes = attr[0].ints;
    for (uint32_t i = 0; i < attr[0].n; i++) {
        if (axes[i] < 0 || axes[i] >= in[0]->type->n)
            gn_throw_at(g, GN_EAXIS, "reduction", in, n, "axis %lld of a tensor of rank %d", (long long)axes[i],
                        in[0]->type->n);
        if (i > 0 && axes[i] <= axes[i - 1])
            gn_throw_at(g, GN_EAXIS, "reduction", in, n, "axes are not in increasing order");
    }
    return without(g, in[0], axes, attr[0].n, gn_dtype_in(in[0]));
}

static const gn_type *infer_position(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const int64_t axis = attr[0].i;
    if (axis < 0 || axis >= in[0]->type->n)
        gn_throw_at(g, GN_EAXIS, "reduction", in, n, "axis %lld of a tensor of rank %d", (long long)axis, in[0]->type->n);
    return without(g, in[0], &axis, 1, GN_I64);
}

/* ---- reference: each function folds the n elements that go into one element of the result ---- */

static void fold_groups(gn_tensor *out, const gn_tensor *x, const int64_t *axes, size_t naxes, gn_arena *arena,
                        void (*fold)(gn_ref *, const gn_ref *, int64_t))
{
    int64_t stride[GN_MAX_RANK], kept[GN_MAX_RANK], kept_at[GN_MAX_RANK] = { 0 };
    int64_t folded[GN_MAX_RANK] = { 0 }, folded_stride[GN_MAX_RANK] = { 0 }, n = 1;
    size_t nkept = 0, next = 0;
    gn_row_major(x->rank, x->shape, stride);
    for (int d = 0; d < x->rank; d++) {
        if (next < naxes && axes[next] == d)
            folded[next] = x->shape[d], folded_stride[next++] = stride[d], n *= x->shape[d];
        else kept[nkept++] = stride[d];
    }
    gn_ref *const group = GN_NEW_ARRAY(arena, gn_ref, n);
    for (int64_t i = 0; i < out->count; i++) {
        const int64_t base = gn_flat_index(out->rank, kept_at, kept);
        int64_t at[GN_MAX_RANK] = { 0 };
        for (int64_t k = 0; k < n; k++) {
            group[k] = x->at[base + gn_flat_index((int)naxes, at, folded_stride)];
            gn_next_index((int)naxes, folded, at);
        }
        fold(&out->at[i], group, n);
        gn_next_index(out->rank, out->shape, kept_at);
    }
}

static void fold_axes(gn_tensor *out, const gn_tensor *x, const gn_expr *e, gn_arena *arena,
                      void (*fold)(gn_ref *, const gn_ref *, int64_t))
{
    const gn_attr *a = gn_attr_of(e, "axes");
    fold_groups(out, x, a->ints, a->n, arena, fold);
}

static void fold_sum(gn_ref *o, const gn_ref *x, int64_t n)
{
    long double magnitude = 0;
    for (int64_t i = 0; i < n; i++) {
        o->f += x[i].f, o->err += x[i].err, o->jump |= x[i].jump;
        o->i = (int64_t)((uint64_t)o->i + (uint64_t)x[i].i);
        magnitude += fabsl(x[i].f) + x[i].err;
    }
    if (gn_is_float(o->dtype)) gn_ref_sum_error(o, n, magnitude);
}

static void fold_max(gn_ref *o, const gn_ref *x, int64_t n)
{
    o->f = -INFINITY, o->i = gn_ref_least(o->dtype);
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i].f) || (!isnan(o->f) && x[i].f > o->f)) o->f = x[i].f;
        if (gn_ref_less(o->dtype, o->i, x[i].i)) o->i = x[i].i;
        o->err = fmaxl(o->err, x[i].err), o->jump |= x[i].jump;
    }
}

static void fold_min(gn_ref *o, const gn_ref *x, int64_t n)
{
    o->f = INFINITY, o->i = gn_ref_greatest(o->dtype);
    for (int64_t i = 0; i < n; i++) {
        if (isnan(x[i].f) || (!isnan(o->f) && x[i].f < o->f)) o->f = x[i].f;
        if (gn_ref_less(o->dtype, x[i].i, o->i)) o->i = x[i].i;
        o->err = fmaxl(o->err, x[i].err), o->jump |= x[i].jump;
    }
}

/* One element that is sure decides. */
static void fold_any(gn_ref *o, const gn_ref *x, int64_t n)
{
    bool sure = false;
    for (int64_t i = 0; i < n; i++) o->i |= x[i].i, o->jump |= x[i].jump, sure |= x[i].i && !x[i].jump;
    if (sure) o->jump = false;
}

static void fold_all(gn_ref *o, const gn_ref *x, int64_t n)
{
    bool sure = false;
    o->i = 1;
    for (int64_t i = 0; i < n; i++) o->i &= x[i].i, o->jump |= x[i].jump, sure |= !x[i].i && !x[i].jump;
    if (sure) o->jump = false;
}

/* The first largest element, or the first NaN; a jump if another one may be it. `sign` -1: the smallest. */
static void fold_position(gn_ref *o, const gn_ref *x, int64_t n, int sign)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++) {
        if (!gn_is_float(x[0].dtype)) {
            if (sign > 0 ? gn_ref_less(x[0].dtype, x[best].i, x[i].i) : gn_ref_less(x[0].dtype, x[i].i, x[best].i))
                best = i;
        } else if (!isnan(x[best].f) && (isnan(x[i].f) || sign * x[i].f > sign * x[best].f)) {
            best = i;
        }
    }
    o->i = best;
    for (int64_t i = 0; i < n; i++) {
        const long double reach = x[i].err + x[best].err;
        o->jump |=
            x[i].jump || (i != best && gn_is_float(x[0].dtype) && reach != 0 && !(fabsl(x[i].f - x[best].f) > reach));
    }
}

static void fold_argmax(gn_ref *o, const gn_ref *x, int64_t n)
{
    fold_position(o, x, n, 1);
}

static void fold_argmin(gn_ref *o, const gn_ref *x, int64_t n)
{
    fold_position(o, x, n, -1);
}

#define EVAL(name) \
    static void eval_##name(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena) \
    { \
        fold_axes(out, in[0], e, arena, fold_##name); \
    }
EVAL(sum)
EVAL(max)
EVAL(min)
EVAL(any)
EVAL(all)

static void eval_prod(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    fold_axes(out, in[0], e, arena, gn_ref_product);
}

static void eval_argmax(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    fold_groups(out, in[0], &gn_attr_of(e, "axis")->i, 1, arena, fold_argmax);
}

static void eval_argmin(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    fold_groups(out, in[0], &gn_attr_of(e, "axis")->i, 1, arena, fold_argmin);
}

/* ---- derivatives ---- */

static void vjp_sum(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gin[0] = gn_make_unreduce(g, dy, y->in[0], &axes);
}

/* The product of the others, which is right with zeros and can be differentiated again: composites_reduce.c. */
static gn_expr *others(gn_graph *g, const gn_expr *y)
{
    return gn_node(g, &gn_op_prod_others, y->in, 1, y->attr);
}

/* What flows times the product of the others. Nothing is nothing also of one that is not finite; elsewhere 0 stays a
 * factor, which the next derivative needs. */
static gn_expr *times_others(gn_graph *g, gn_expr *y, gn_expr *flow)
{
    gn_expr *const factor = others(g, y), *const zero = gn_make_like(g, flow, 0);
    gn_expr *const none = gn_make2(g, &gn_op_eq, flow, zero);
    gn_expr *const finite = gn_make2(g, &gn_op_lt, gn_make1(g, &gn_op_abs, factor), gn_make_like(g, flow, INFINITY));
    gn_expr *const masked = gn_make2(g, &gn_op_and, none, gn_make1(g, &gn_op_not, finite));
    return gn_make3(g, &gn_op_select, masked, zero, gn_make2(g, &gn_op_mul, flow, factor));
}

static void vjp_prod(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gin[0] = times_others(g, y, gn_make_unreduce(g, dy, y->in[0], &axes));
}

static gn_expr *jvp_prod(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    const gn_axis_list axes = gn_axes_attr(y);
    return gn_make_reduce(g, &gn_op_sum, times_others(g, y, t[0]), &axes);
}

/* Where x is one of the n extreme elements, and n as a float of the result's shape. */
static gn_expr *ties(gn_graph *g, gn_expr *y, const gn_axis_list *axes, gn_expr **count)
{
    gn_expr *const tie = gn_make2(g, &gn_op_eq, y->in[0], gn_make_unreduce(g, y, y->in[0], axes));
    *count = gn_make_reduce(g, &gn_op_sum, gn_make_cast(g, tie, gn_dtype_in(y)), axes);
    return tie;
}

/* NaN equals nothing: its row has NaN everywhere, as in forward mode, where 0 is divided by no ties. */
static void vjp_extreme(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gn_expr *n, *const tie = ties(g, y, &axes, &n);
    gn_expr *const share = gn_make_unreduce(g, gn_make2(g, &gn_op_div, dy, n), y->in[0], &axes);
    gn_expr *const other = gn_make3(g, &gn_op_select, gn_make2(g, &gn_op_eq, y, y), gn_make_like(g, y, 0), y);
    gin[0] = gn_make3(g, &gn_op_select, tie, share, gn_make_unreduce(g, other, y->in[0], &axes));
}

static gn_expr *jvp_extreme(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    const gn_axis_list axes = gn_axes_attr(y);
    gn_expr *n, *const tie = ties(g, y, &axes, &n);
    gn_expr *const picked = gn_make3(g, &gn_op_select, tie, t[0], gn_make_like(g, y->in[0], 0));
    return gn_make2(g, &gn_op_div, gn_make_reduce(g, &gn_op_sum, picked, &axes), n);
}

/* ---- records ---- */

const gn_op_info gn_op_sum = { .name = "sum", .arity = 1, .traits = GN_REDUCE, .dtypes = GN_NUMBERS, .attrs = axes_attr,
    .nattr = 1, .infer = infer_reduce, .eval_whole = eval_sum, .vjp = vjp_sum, .linear = true,
    .gloss = "the sum over axes, which vanish; 0 over none" };
const gn_op_info gn_op_prod = { .name = "prod", .arity = 1, .traits = GN_REDUCE, .dtypes = GN_NUMBERS,
    .attrs = axes_attr, .nattr = 1, .infer = infer_reduce, .eval_whole = eval_prod, .vjp = vjp_prod, .jvp = jvp_prod,
    .gloss = "the product over axes; 1 over none" };
const gn_op_info gn_op_max = { .name = "max",
                               .arity = 1,
                               .traits = GN_REDUCE,
                               .dtypes = GN_NUMBERS,
                               .attrs = axes_attr,
                               .nattr = 1,
                               .infer = infer_reduce,
                               .eval_whole = eval_max,
                               .vjp = vjp_extreme,
                               .jvp = jvp_extreme,
                               .gloss = "the largest over axes; NaN if one is; the least value over none" };
const gn_op_info gn_op_min = { .name = "min",
                               .arity = 1,
                               .traits = GN_REDUCE,
                               .dtypes = GN_NUMBERS,
                               .attrs = axes_attr,
                               .nattr = 1,
                               .infer = infer_reduce,
                               .eval_whole = eval_min,
                               .vjp = vjp_extreme,
                               .jvp = jvp_extreme,
                               .gloss = "the smallest over axes; NaN if one is; the greatest value over none" };
const gn_op_info gn_op_any = { .name = "any", .arity = 1, .traits = GN_REDUCE | GN_BOOL_OUT, .dtypes = GN_BIT(GN_BOOL),
    .attrs = axes_attr, .nattr = 1, .infer = infer_reduce, .eval_whole = eval_any,
    .not_differentiable = "bools have no derivative", .gloss = "one of them holds; false over none" };
const gn_op_info gn_op_all = { .name = "all", .arity = 1, .traits = GN_REDUCE | GN_BOOL_OUT, .dtypes = GN_BIT(GN_BOOL),
    .attrs = axes_attr, .nattr = 1, .infer = infer_reduce, .eval_whole = eval_all,
    .not_differentiable = "bools have no derivative", .gloss = "all of them hold; true over none" };
const gn_op_info gn_op_argmax = { .name = "argmax", .arity = 1, .traits = GN_REDUCE, .dtypes = GN_NUMBERS,
    .attrs = axis_attr, .nattr = 1, .infer = infer_position, .eval_whole = eval_argmax,
    .not_differentiable = "a position is constant almost everywhere",
    .gloss = "where the largest stands along an axis, the first of several or the first NaN" };
const gn_op_info gn_op_argmin = { .name = "argmin", .arity = 1, .traits = GN_REDUCE, .dtypes = GN_NUMBERS,
    .attrs = axis_attr, .nattr = 1, .infer = infer_position, .eval_whole = eval_argmin,
    .not_differentiable = "a position is constant almost everywhere",
    .gloss = "where the smallest stands along an axis, the first of several or the first NaN" };
