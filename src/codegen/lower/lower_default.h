/* Lowering by the automatic schedules. */
#pragma once
#include "default_schedule.h"
#include "tree.h"

/* Lowers. Where the closed form turns out to be illegal for a kernel that nobody thought of, *schedule becomes the
 * plain one. */
gn_scheduled *gn_default_lower(gn_arena *, gn_kernel *, const gn_target *, gn_schedule **schedule);
/* Finds a schedule, too: gn_default_find. `schedule` may be NULL. */
gn_scheduled *gn_default_apply(gn_arena *, gn_kernel *, const gn_target *, gn_schedule **schedule);
