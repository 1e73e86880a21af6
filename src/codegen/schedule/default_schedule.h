/* The automatic schedules: closed forms over the shape of a kernel, one table (notes in the .c file). */
#pragma once
#include "kernel_hint.h"
#include "schedule.h"
#include "target.h"

/* A schedule for any logical kernel that grouping makes. `hint` may be NULL.
 * May add axes and definitions' own axes to the kernel (a packed copy walks its own axis). */
gn_schedule *gn_default_schedule(gn_arena *, gn_kernel *, const gn_kernel_hint *, const gn_target *);

/* Loops one in another, every reduction in memory: right for any kernel. Its name is "plain". */
gn_schedule *gn_plain_schedule(gn_arena *, const gn_kernel *);
/* gn_default_schedule, or the plain one where no closed form fits. */
gn_schedule *gn_default_find(gn_arena *, gn_kernel *, const gn_kernel_hint *, const gn_target *);
