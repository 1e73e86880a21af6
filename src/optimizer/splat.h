/* Numbers in the graph: constants of one element, and tensors that repeat one. Canonical form is a constant of rank 0
 * behind a broadcast. */
#pragma once
#include "op.h"

typedef struct gn_splat {
    gn_dtype dtype;
    double f;                  /* floats: the value, exact in double */
    int64_t i;                 /* bool and integers: the value; u64 as its bits */
} gn_splat;

/* Is this node one number everywhere? Looks through broadcasts, and through casts that keep the value. */
bool gn_splat_of(const gn_expr *, gn_splat *out);
bool gn_splat_is(const gn_expr *, double number);            /* equal to it, also in the sign of a zero */
/* The number as a tensor of a shape: constant, broadcast if the rank is not 0. The dtype is the splat's. */
gn_expr *gn_splat_make(gn_graph *, gn_splat, const gn_type *like);
/* A double as a splat of a dtype; false if the dtype cannot hold it. */
gn_splat gn_splat_rounded(gn_splat); /* to its dtype: floats to the nearest value, integers wrap */
bool gn_splat_number(gn_dtype, double number, gn_splat *out);
/* throws GN_EINTERNAL if it cannot hold it */
gn_expr *gn_splat_value(gn_graph *, double number, gn_dtype, const gn_type *like);
