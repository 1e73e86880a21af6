/* Grouping: from the core graph to logical kernels. */
#pragma once
#include "core.h"
#include "kernel.h"

/* What crosses between kernels, and inputs and outputs: a value of the program. */
typedef enum { GN_VALUE_INPUT, GN_VALUE_VARIABLE, GN_VALUE_CONSTANT, GN_VALUE_TEMP, GN_VALUE_OUTPUT, GN_VALUE_UPDATE } gn_value_kind;
typedef struct gn_gvalue {
    uint8_t kind;                /* gn_value_kind */
    const gn_expr *expr;         /* core node whose elements it holds, row-major */
    uint32_t index;              /* input, output or update number */
    const char *name;            /* the user's, or "t7" */
} gn_gvalue;

typedef struct gn_group {
    gn_kernel *kernel;           /* buffers in the order of `buf` */
    GN_VEC(uint32_t) buf;        /* value per kernel buffer */
    GN_VEC(const gn_expr *) made;/* core nodes computed here, for comments and profiles */
    struct gn_kernel_hint *hint;
} gn_group;

typedef struct gn_grouping {
    GN_VEC(gn_gvalue) values;
    GN_VEC(gn_group) groups;     /* in a valid order of execution */
} gn_grouping;

/* Cuts the core graph (after all passes) into kernels. outs: outputs, then the new values of updates. Throws. */
gn_grouping *gn_group_core(gn_arena *, const struct gn_core *, int64_t l2_bytes, int nregs);
