/* What the records of composites have in common. */
#pragma once
#include "ops/make.h"

/* Parameters of a body, then its region: one result, or several as a tuple. */
gn_expr **gn_body_params(gn_graph *, size_t n, const gn_type *const *types);
const gn_region *gn_body(gn_graph *, size_t n, const gn_type *const *types, gn_expr *result);
const gn_region *gn_body_tuple(gn_graph *, size_t n, const gn_type *const *types, gn_expr *const *result, size_t nresult);
/* The i-th part of a cotangent that belongs to a tuple. */
gn_expr *gn_part(gn_graph *, gn_expr *tuple, size_t i);

/* Pointwise shorthands for bodies and derivatives. */
static inline gn_expr *gn_plus(gn_graph *g, gn_expr *a, gn_expr *b) { return gn_make2(g, &gn_op_add, a, b); }
static inline gn_expr *gn_minus(gn_graph *g, gn_expr *a, gn_expr *b) { return gn_make2(g, &gn_op_sub, a, b); }
static inline gn_expr *gn_times(gn_graph *g, gn_expr *a, gn_expr *b) { return gn_make2(g, &gn_op_mul, a, b); }
static inline gn_expr *gn_over(gn_graph *g, gn_expr *a, gn_expr *b) { return gn_make2(g, &gn_op_div, a, b); }
static inline gn_expr *gn_scaled(gn_graph *g, gn_expr *a, double v) { return gn_times(g, a, gn_make_like(g, a, v)); }
static inline gn_expr *gn_summed(gn_graph *g, gn_expr *x, const gn_axis_list *axes)
{
    return gn_make_reduce(g, &gn_op_sum, x, axes);
}
/* Reduced and repeated back to the shape of x. */
static inline gn_expr *gn_rowwise(gn_graph *g, const gn_op_info *op, gn_expr *x, const gn_axis_list *axes)
{
    return gn_make_unreduce(g, gn_make_reduce(g, op, x, axes), x, axes);
}
