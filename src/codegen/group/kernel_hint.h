/* What grouping knows of a kernel beyond its text, for the default schedule. A kernel that was read from a file has
 * none: the same facts are then derived from its definitions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "vec.h"

/* A small program is several kernels in one: the axes and items of each, in order. */
typedef struct gn_kernel_piece {
    uint32_t first_axis, naxes;  /* consecutive axes of the kernel */
    uint32_t first_item, nitems; /* consecutive items */
} gn_kernel_piece;

enum { GN_FEW_ROWS = 32 };       /* of a contraction: then it does not pay to pack the factor without them */
typedef struct gn_kernel_hint {
    const char *kind;            /* "map", "rows", "contract", "scatter", "small" */
    int32_t lhs, rhs, contraction; /* contract, rows: definitions of both factors and of the sum; else -1 */
    int32_t spine;               /* axis that parts split, the rows of a contraction; -1: none */
    int32_t lane;                /* contract, rows with a contraction: the axis of rhs that goes to the lanes; else -1 */
    bool few;                    /* at most GN_FEW_ROWS rows, whatever the extent says */
    GN_VEC(gn_kernel_piece) pieces; /* small */
} gn_kernel_hint;
