/* What a public builder does around its work: finds the graph, refuses NULL and foreign operands, passes error nodes
 * through, turns numbers into constants, catches what is thrown.
 *
 *     static gn_expr *make_square(gn_graph *g, const gn_request *r) { return gn_make2(g, &gn_op_mul, r->x[0], r->x[0]);
 * } gn_expr *gn_square_at(gn_loc loc, gn_expr *x)
 *     {
 *         const gn_request r = { .name = "square", .make = make_square, .n = 1, .in = { gn_operand_expr(x) } };
 *         return gn_request_make(loc, &r);
 *     } */
#pragma once
#include <stdarg.h>
#include <gnomon/ffi.h>
#include "make.h"

typedef struct gn_request {
    const char *name;            /* of the builder, for messages */
    gn_expr *(*make)(gn_graph *, const struct gn_request *);
    gn_graph *graph;             /* where no operand has one */
    const gn_op_info *op;
    size_t n;
    gn_operand in[3];
    gn_expr *const *list;        /* instead of `in`: n expressions */
    gn_axes axes;
    int axis;
    gn_dtype dtype;
    double number;
    const char *label;           /* a name that the user gave */
    const char *text;            /* as it is, or with `args` a printf format */
    va_list *args;
    gn_expr **out;               /* builders of several results */
    gn_expr **x;                 /* set for `make`: the operands; NULL where a number stands, until gn_request_promote */
} gn_request;

/* Runs `make` on checked operands; the graph's error node after a mistake. */
gn_expr *gn_request_make(gn_loc, const gn_request *);
_Noreturn void gn_request_fail(gn_graph *, const gn_request *, gn_status, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Operands from..n-1 get their common dtype, numbers become constants, and all are broadcast to their common shape. With
 * `floating`, integers and bools become f32; with `arithmetic`, bools become i32. */
enum { GN_TO_ANY, GN_TO_FLOAT, GN_TO_NUMBER };
void gn_request_promote(gn_graph *, const gn_request *, size_t from, int to);
void gn_request_broadcast(gn_graph *, const gn_request *);
/* Throws if two extents differ for every size; what is open is left to the type rule of the node. */
void gn_request_equal(gn_graph *, const gn_request *, const gn_dim *a, const gn_dim *b, const char *what);
gn_dtype gn_float_of(gn_dtype); /* itself if floating, else f32 */

/* The user's axis, also negative, within a rank; axes sorted (`keep_order`: as given), none twice. */
int64_t gn_request_axis(gn_graph *, const gn_request *, int axis, size_t rank);
gn_axis_list gn_request_axes(gn_graph *, const gn_request *, gn_axes, size_t rank, bool keep_order);
gn_axis_list gn_all_axes(size_t rank);
const char *gn_request_text(gn_graph *, const gn_request *); /* formatted, in the graph's arena */
/* A list of extents, also negative ones; `text` as a shape, without those. They return how many. */
size_t gn_request_dims(gn_graph *, const gn_request *, const char *text, const gn_dim **out);
size_t gn_request_shape(gn_graph *, const gn_request *, const gn_dim **shape);
const gn_dim *gn_request_extent(gn_graph *, const gn_request *, const char *text); /* one, also negative */
/* x repeated to a shape, aligned at the last axis. */
gn_expr *gn_request_repeat(gn_graph *, const gn_request *, gn_expr *x, size_t rank, const gn_dim *const *shape);
