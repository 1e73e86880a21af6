#include "lower_default.h"

typedef struct attempt {
    gn_arena *arena;
    gn_kernel *k;
    const gn_target *target;
    gn_schedule *schedule;
    gn_scheduled *scheduled;
} attempt;

static void try_lower(void *arg)
{
    attempt *a = arg;
    a->scheduled = gn_schedule_apply(a->arena, a->k, a->schedule, a->target);
}

gn_scheduled *gn_default_lower(gn_arena *arena, gn_kernel *k, const gn_target *target, gn_schedule **schedule)
{
    attempt a = { arena, k, target, *schedule, NULL };
    const gn_status status = gn_protect(try_lower, &a);
    if (!status) return a.scheduled;
    if (status != GN_EINVAL) gn_rethrow(status);
    *schedule = gn_plain_schedule(arena, k, gn_message());
    return gn_schedule_apply(arena, k, *schedule, target);
}

gn_scheduled *gn_default_apply(gn_arena *arena, gn_kernel *k, const gn_target *target, gn_schedule **schedule)
{
    gn_schedule *s = gn_default_find(arena, k, target);
    gn_scheduled *x = gn_default_lower(arena, k, target, &s);
    if (schedule) *schedule = s;
    return x;
}
