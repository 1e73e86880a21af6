/* Grouping: from the core graph to logical kernels.
 *
 *     gn_grouping *g = gn_group_core(arena, core, target);
 *     for (size_t i = 0; i < g->groups.n; i++) run(g->groups.at[i].kernel);
 *
 * Values are what stands in memory: inputs, variables, array constants, outputs, new values of variables, and what
 * crosses between kernels. A concat in memory has no kernel: each part is a value within it, written where it is
 * computed. Every output and every update has a value of its own that some kernel writes, also when two of them are the
 * same expression or an input. */
#pragma once
#include "core.h"
#include "kernel.h"
#include "target.h"

typedef enum {
    GN_VALUE_INPUT,
    GN_VALUE_VARIABLE,
    GN_VALUE_CONSTANT,
    GN_VALUE_TEMP,
    GN_VALUE_OUTPUT,
    GN_VALUE_UPDATE,
    GN_VALUE_SLICE               /* a part of another value, written by a kernel of its own */
} gn_value_kind;
typedef struct gn_gvalue {
    uint8_t kind;                /* gn_value_kind */
    const gn_expr *expr;         /* core node whose elements it holds, row-major; its dtype */
    uint32_t index; /* number of the input (in core->in), output or update; of the constant or variable: in order of
                       first use */
    const char *name;            /* the user's, or "tmp7" */
    int32_t in_place; /* UPDATE: value of the variable whose memory it may be, since no later kernel reads the old
                         elements. -1: memory of its own, moved into the variable after the last kernel */
    const gn_dim *const *shape;  /* its type's, but 1 along dims of a TEMP that it does not vary along */
    int32_t within;              /* SLICE: the value that it is a part of, which is no SLICE; else -1 */
    const gn_dim *start;         /* SLICE: its first element, counted in elements of `within`; else NULL */
    const gn_dim *const *stride; /* elements per step of each dim; NULL: row-major */
} gn_gvalue;

typedef struct gn_group {
    gn_kernel *kernel;           /* buffers in the order of `buf` */
    GN_VEC(uint32_t) buf;        /* value per kernel buffer */
    GN_VEC(const gn_expr *) made;/* core nodes computed here, for comments and profiles */
} gn_group;

typedef struct gn_index_check {  /* before any step runs: all elements of an input or variable must lie in [0, bound) */
    uint32_t value;
    const gn_dim *bound;         /* of the graph's pool */
    const gn_expr *expr;         /* the check_index node, for the message */
} gn_index_check;
/* Two checks of one value by one bound that take the same elements of it: one of them is enough. */
bool gn_check_same_uses(const gn_expr *check, const gn_expr *other);

typedef struct gn_grouping {
    GN_VEC(gn_gvalue) values;
    GN_VEC(gn_group) groups;     /* in a valid order of execution */
    GN_VEC(gn_index_check) checks;
    bool small;                  /* one kernel, to be emitted as one function */
} gn_grouping;

int32_t gn_group_find_buf(const gn_group *, uint32_t value); /* its buffer; -1 */
bool gn_group_uses(const gn_group *, uint32_t value, gn_kbuf_access); /* its kernel reads it, or writes it */
/* The value whose memory it is. */
static inline uint32_t gn_gvalue_root(const gn_grouping *g, uint32_t value)
{
    const int32_t within = g->values.at[value].within;
    return within < 0 ? value : (uint32_t)within;
}

/* Cuts the core graph (after all passes) into kernels. The target decides what is narrow and what fits. Throws. */
gn_grouping *gn_group_core(gn_arena *, const struct gn_core *, const gn_target *);

/* The input or variable whose integers x is, perhaps through views and conversions; NULL: x is computed. Every element
 * is used, so that checking it whole refuses no right program. */
const gn_expr *gn_group_given(const gn_expr *x);
