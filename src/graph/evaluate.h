/* The reference evaluator: what an expression means, element by element, with a bound on how far an implementation may
 * be off.
 *
 *     gn_evaluation *v = gn_evaluation_new(arena);
 *     gn_evaluation_set(v, x, &array);               binds the named dims of x's shape, too
 *     const gn_tensor *y = gn_evaluate(v, expr);
 *     y->at[i].f, y->at[i].err, y->at[i].jump
 *
 * Integers are exact; floats are computed in long double and each node is rounded to its dtype. reference.h says what
 * `err` bounds; it is the only tolerance of tests. An element with `jump` set hangs on a comparison, floor or the like
 * within its operands' bounds and is not comparable. Composites are evaluated by their bodies. Slow and simple on
 * purpose. Everything throws; one thread. */
#pragma once
#include "op.h"

typedef struct gn_evaluation {
    gn_arena *arena;
    gn_map leaves;              /* input or variable -> value */
    gn_map *values;             /* node id -> value, of the region at work */
    const struct gn_tensor *const *params; /* of the region at work; NULL outside */
    GN_VEC(gn_dim_fact) sizes;  /* name, and its size as min */
    int64_t clamped;            /* computed indices that were out of range */
} gn_evaluation;

typedef struct gn_tensor {
    gn_evaluation *evaluation;
    const gn_type *type;
    gn_dtype dtype;
    int rank;
    int64_t shape[GN_MAX_RANK], count;
    gn_ref *at;                 /* row-major */
    /* the values are an input's, perhaps through views and casts: bad indices among them are refused */
    bool given;
    size_t nelem;               /* of a tuple */
    const struct gn_tensor **elem;
} gn_tensor;

gn_evaluation *gn_evaluation_new(gn_arena *);
/* Binds a named dim; throws GN_ESHAPE if it is bound to another size. */
void gn_evaluation_size(gn_evaluation *, const char *name, int64_t size);
/* The value of an input or variable; checks dtype and shape, binds named dims. The data are copied. */
void gn_evaluation_set(gn_evaluation *, const gn_expr *leaf, const gn_array *);
const gn_tensor *gn_evaluate(gn_evaluation *, gn_expr *);
/* A dim's size; throws if a name is unbound, if it overflows or is negative. */
int64_t gn_evaluation_dim(const gn_evaluation *, const gn_dim *);
/* The value as plain memory of its dtype, row-major. */
void gn_tensor_store(const gn_tensor *, void *out);
/* |got - value| is within err, for the i-th element of a plain array of the tensor's dtype; jumps are within. NaN is
 * near NaN, and an infinity near itself; what overflowed (err infinite) is near anything if `lenient`, else near the
 * same infinity or NaN only. */
bool gn_tensor_near(const gn_tensor *, const void *got, int64_t i, bool lenient);

/* ---- for the ops that see whole values ---- */

/* Counts `at` up in row-major order, from all zeros back to all zeros. */
void gn_next_index(int rank, const int64_t *shape, int64_t *at);
void gn_row_major(int rank, const int64_t *shape, int64_t *stride);
static inline int64_t gn_flat_index(int rank, const int64_t *at, const int64_t *stride)
{
    int64_t flat = 0;
    for (int d = 0; d < rank; d++) flat += at[d] * stride[d];
    return flat;
}
