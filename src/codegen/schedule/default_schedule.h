/* The automatic schedules: closed forms over the shape of a kernel, one table (notes in the .c file). */
#pragma once
#include "schedule.h"
#include "target.h"

/* A schedule for any logical kernel that grouping makes. `hint` may be NULL. */
typedef struct gn_kernel_hint {
    const char *kind;            /* "map", "rows", "contract" */
    int32_t lhs, rhs, contraction; /* contract: definitions of both factors and of the sum; else -1 */
    int32_t spine;               /* axis that parts split; -1: none */
} gn_kernel_hint;
/* May add axes and definitions' own axes to the kernel (a packed copy walks its own axis). */
gn_schedule *gn_default_schedule(gn_arena *, gn_kernel *, const gn_kernel_hint *, const gn_target *);
