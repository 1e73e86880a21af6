/* Layer normalization. The node is a tuple (y, r): the normalized rows and 1 / sqrt(var + epsilon), which the gradient uses
 * again. */
#include "composites.h"
#include "number.h"
#include "ops/request.h"

static const gn_type *infer(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    const gn_type *x = in[0]->type;
    if (x->n == 0) gn_throw_at(g, GN_ESHAPE, "layer_norm", in, n, "a scalar has no last axis");
    const gn_type *parts[2] = { x, gn_type_tensor(g, (gn_dtype)x->dtype, x->n - 1u, x->dim) };
    return gn_type_tuple(g, 2, parts);
}

static gn_axis_list last_axis(const gn_expr *x)
{
    return (gn_axis_list){ .n = 1, .at = { (int64_t)gn_rank_in(x) - 1 } };
}

static gn_expr *mean(gn_graph *g, gn_expr *x)
{
    const gn_axis_list last = last_axis(x);
    return gn_make_reduce(g, &gn_op_mean, x, &last);
}

static gn_expr *repeated(gn_graph *g, gn_expr *row, const gn_expr *x)
{
    const gn_axis_list last = last_axis(x);
    return gn_make_unreduce(g, row, x, &last);
}

static const gn_region *expand(gn_graph *g, const gn_type *const *in, size_t n, const gn_attr *attr)
{
    gn_expr *const x = gn_body_params(g, n, in)[0];
    gn_expr *const away = gn_minus(g, x, repeated(g, mean(g, x), x)), *const var = mean(g, gn_times(g, away, away));
    gn_expr *const r = gn_make1(g, &gn_op_rsqrt, gn_plus(g, var, gn_make_like(g, var, attr[0].f)));
    gn_expr *const parts[2] = { gn_times(g, away, repeated(g, r, x)), r };
    return gn_body_tuple(g, n, in, parts, 2);
}

/* dy_i / dx_j = r (1[i = j] - 1/n - y_i y_j / n) is symmetric: both modes are r (t - mean t - y mean(t y)). */
static gn_expr *through_rows(gn_graph *g, gn_expr *y, gn_expr *r, gn_expr *t)
{
    gn_expr *const along = gn_times(g, y, repeated(g, mean(g, gn_times(g, t, y)), t));
    return gn_times(g, repeated(g, r, t), gn_minus(g, gn_minus(g, t, repeated(g, mean(g, t), t)), along));
}

/* dr / dx_j = -r^2 y_j / n. The gradient of a result that nothing uses stays out: 0 times x stays in a graph, since x
 * may be infinite. */
static void vjp(gn_graph *g, gn_expr *node, gn_expr *d, gn_expr **gin)
{
    gn_expr *const x = node->in[0], *const y = gn_make_proj(g, node, 0), *const r = gn_make_proj(g, node, 1);
    gn_expr *const dy = gn_part(g, d, 0), *const dr = gn_part(g, d, 1);
    gin[0] = through_rows(g, y, r, dy);
    if (gn_is_zero(dr)) return;
    gn_expr *const n =
        gn_make_splat(g, gn_make_size(g, gn_extent(x, gn_rank_in(x) - 1), gn_dtype_in(r)), gn_rank_in(r), r->type->dim);
    gn_expr *const row = gn_over(g, gn_times(g, dr, gn_times(g, r, r)), n);
    gin[0] = gn_minus(g, gin[0], gn_times(g, repeated(g, row, x), y));
}

static gn_expr *jvp(gn_graph *g, gn_expr *node, gn_expr *const *t)
{
    gn_expr *const y = gn_make_proj(g, node, 0), *const r = gn_make_proj(g, node, 1);
    gn_expr *const dr = gn_make1(g, &gn_op_neg, gn_times(g, gn_times(g, r, r), mean(g, gn_times(g, t[0], y))));
    gn_expr *const parts[2] = { through_rows(g, y, r, t[0]), dr };
    return gn_make_tuple(g, parts, 2);
}

static const gn_attr_spec epsilon_attr[] = { { "epsilon", GN_ATTR_FLOAT } };
const gn_op_info gn_op_layer_norm = { .name = "layer_norm", .arity = 1, .traits = GN_COMPOSITE, .dtypes = GN_FLOATS,
    .attrs = epsilon_attr, .nattr = 1, .infer = infer, .expand = expand, .vjp = vjp, .jvp = jvp,
    .gloss = "(y, r): r = 1 / sqrt(var + epsilon) and y = (x - mean) r along the last axis" };

/* A factor or summand of the rows: a number, a scalar or (n). */
static gn_expr *per_column(gn_graph *g, const gn_request *r, size_t i, const gn_expr *x)
{
    gn_expr *e = r->x[i] ? r->x[i] : gn_number_node(g, r->name, gn_dtype_in(x), &r->in[i]);
    if (gn_rank_in(e) > 1)
        gn_request_fail(g, r, GN_ESHAPE, "operand %zu has rank %zu, expected (n) or a number", i + 1, gn_rank_in(e));
    return gn_request_repeat(g, r, gn_make_cast(g, e, gn_dtype_in(x)), gn_rank_in(x), x->type->dim);
}

static bool is_number(const gn_request *r, size_t i, int64_t v)
{
    return (r->in[i].kind == 1 && r->in[i].number == (double)v) || (r->in[i].kind == 2 && r->in[i].integer == v);
}

static gn_expr *make(gn_graph *g, const gn_request *r)
{
    const gn_attr epsilon = { .kind = GN_ATTR_FLOAT, .f = r->number };
    gn_dtype t = gn_float_of(gn_dtype_in(r->x[0]));
    if (!(r->number >= 0)) gn_request_fail(g, r, GN_EINVAL, "epsilon is %s, expected at least 0", GN_NUMBER(r->number));
    for (size_t i = 1; i < 3; i++) t = r->x[i] ? gn_float_of(gn_dtype_promote(t, gn_dtype_in(r->x[i]))) : t;
    gn_expr *x = gn_make_cast(g, r->x[0], t);
    gn_expr *y = gn_make_proj(g, gn_node(g, &gn_op_layer_norm, &x, 1, &epsilon), 0);
    if (!is_number(r, 1, 1)) y = gn_times(g, y, per_column(g, r, 1, x));
    if (!is_number(r, 2, 0)) y = gn_plus(g, y, per_column(g, r, 2, x));
    return y;
}

gn_expr *gn_layer_norm_at(gn_loc loc, gn_expr *x, gn_operand scale, gn_operand shift, double epsilon)
{
    return gn_request_make(loc, &(gn_request){ .name = "layer_norm",
                                               .make = make,
                                               .number = epsilon,
                                               .n = 3,
                                               .in = { gn_operand_expr(x), scale, shift } });
}
