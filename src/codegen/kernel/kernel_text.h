/* What printer and reader of kernels share. Grammar: docs/kernel-text.md; printing and reading are inverse.
 *
 * Numbers, axes and (index ..) are weak: they take the dtype of the first operand beside them that is not, else the one
 * that the place expects; (f32 1) says it outright. The printer follows the same rule to know where it must. */
#pragma once
#include "kernel.h"

enum { GN_NO_DTYPE = -1 }; /* none is expected */

static inline bool gn_takes_dtype(const gn_op_info *op) /* cast and bitcast say their result in the text */
{
    return op->nattr == 1 && op->attrs[0].kind == GN_ATTR_DTYPE;
}

/* Which operands have the dtype of the operation itself: all but a select's condition. */
static inline size_t gn_first_value(const gn_op_info *op)
{
    return op == &gn_op_select;
}
