/* The automatic schedules: closed forms over the shape of a kernel, one table (notes in the .c file). */
#pragma once
#include "schedule.h"
#include "target.h"

enum { GN_PACK_ROWS = 32 };      /* of a contraction: no more of them do not repay a packed copy of the other factor */

/* A schedule for any logical kernel that grouping makes, by the roles of its axes. Gives roles to a kernel that has
 * none; may add axes and definitions' own axes to it (a packed copy walks its own axis). */
gn_schedule *gn_default_schedule(gn_arena *, gn_kernel *, const gn_target *);

/* Loops one in another, every reduction in memory: right for any kernel. `why` is kept as its `plain`. */
gn_schedule *gn_plain_schedule(gn_arena *, const gn_kernel *, const char *why);
/* gn_default_schedule, or the plain one where no closed form fits. */
gn_schedule *gn_default_find(gn_arena *, gn_kernel *, const gn_target *);
