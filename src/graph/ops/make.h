/* Nodes without ceremony: what builders, type rules, composites and derivatives use to build expressions from expressions.
 *
 *     gn_expr *p = gn_make2(g, &gn_op_mul, x, gn_make_like(g, x, 0.5));
 *
 * Operands must already agree in dtype and shape (gn_make_cast, gn_make_broadcast). All of it throws. */
#pragma once
#include "op.h"

static inline gn_dtype gn_dtype_in(const gn_expr *e) { return (gn_dtype)e->type->dtype; }
static inline size_t gn_rank_in(const gn_expr *e) { return e->type->n; }
static inline const gn_dim *gn_extent(const gn_expr *e, size_t axis) { return e->type->dim[axis]; }

/* A set of axes, as attributes have them: sorted, none twice, not negative. */
typedef struct gn_axis_list {
    size_t n;
    int64_t at[GN_MAX_RANK];
} gn_axis_list;
static inline bool gn_has_axis(const gn_axis_list *l, int64_t axis)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->at[i] == axis) return true;
    }
    return false;
}
gn_axis_list gn_axes_attr(const gn_expr *); /* the attribute "axes" */

/* ---- nodes ---- */

gn_expr *gn_make1(gn_graph *, const gn_op_info *, gn_expr *);
gn_expr *gn_make2(gn_graph *, const gn_op_info *, gn_expr *, gn_expr *);
gn_expr *gn_make3(gn_graph *, const gn_op_info *, gn_expr *, gn_expr *, gn_expr *);
gn_expr *gn_make_cast(gn_graph *, gn_expr *, gn_dtype);      /* the operand itself if it has that dtype */
gn_expr *gn_make_scalar(gn_graph *, gn_dtype, double);
gn_expr *gn_make_scalar_int(gn_graph *, gn_dtype, int64_t);
gn_expr *gn_make_like(gn_graph *, const gn_expr *shape, double); /* a number in another expression's dtype and shape */
bool gn_is_zero(const gn_expr *); /* 0 everywhere, as it is written down: a constant, or one repeated */
gn_expr *gn_make_splat(gn_graph *, gn_expr *scalar, size_t rank, const gn_dim *const *shape);
/* A dim as a scalar of this dtype. */
gn_expr *gn_make_size(gn_graph *, const gn_dim *, gn_dtype);
const gn_dim *gn_count_along(const gn_expr *, const gn_axis_list *); /* product of these extents */

/* the operand itself for no axes */
gn_expr *gn_make_reduce(gn_graph *, const gn_op_info *, gn_expr *, const gn_axis_list *);
/* Repeats y, which lacks these axes, along them to the shape of x: what a reduction's gradient needs. */
gn_expr *gn_make_unreduce(gn_graph *, gn_expr *y, const gn_expr *x, const gn_axis_list *);
gn_expr *gn_make_sum_to(gn_graph *, gn_expr *); /* sum over all axes */

/* axes[i]: the axis of the result that axis i goes to, increasing; the operand itself if nothing changes. */
gn_expr *gn_make_broadcast(gn_graph *, gn_expr *, size_t rank, const gn_dim *const *shape, const int64_t *axes);
gn_expr *gn_make_reshape(gn_graph *, gn_expr *, size_t rank, const gn_dim *const *shape);
gn_expr *gn_make_permute(gn_graph *, gn_expr *, const int64_t *axes);
gn_expr *gn_make_slice(gn_graph *, gn_expr *, const gn_dim *const *start, const int64_t *step, const gn_dim *const *shape);
gn_expr *gn_make_pad(gn_graph *, gn_expr *, gn_expr *fill, const gn_dim *const *start, const int64_t *step,
                     const gn_dim *const *shape);
gn_expr *gn_make_flip(gn_graph *, gn_expr *, const gn_axis_list *);
gn_expr *gn_make_concat(gn_graph *, gn_expr *const *in, size_t n, int64_t axis);
/* Labels as gn_op_contract has them, renumbered here by first appearance in a, then b. */
gn_expr *gn_make_contract(gn_graph *, gn_expr *a, const int64_t *la, gn_expr *b, const int64_t *lb, const int64_t *lout,
                          size_t nout);
/* indices that take and scatter_add may trust */
gn_expr *gn_make_check_index(gn_graph *, gn_expr *indices, const gn_dim *extent);
gn_expr *gn_make_take(gn_graph *, gn_expr *x, gn_expr *indices, int64_t axis);
gn_expr *gn_make_scatter_add(gn_graph *, gn_expr *x, gn_expr *indices, gn_expr *updates, int64_t axis);
gn_expr *gn_make_iota(gn_graph *, gn_dtype, size_t rank, const gn_dim *const *shape, int64_t axis);
gn_expr *gn_make_proj(gn_graph *, gn_expr *tuple, int64_t i);
gn_expr *gn_make_tuple(gn_graph *, gn_expr *const *elem, size_t n);
