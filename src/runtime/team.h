/* The thread team: one per context, entered once per call. The parts of a step depend on its shape, never on the team,
 * so results do not depend on the number of threads. */
#pragma once
#include <gnomon/base.h>
#include "alloc.h"

typedef struct gn_team gn_team;
gn_status gn_team_new(gn_team **out, const gn_allocator *, int threads);
void gn_team_free(gn_team *);
int gn_team_size(const gn_team *);
/* Runs fn(user, part, worker) for all parts; worker < gn_team_size. When the team is busy or the process was forked,
 * the caller runs all parts as worker 0. Workers spin briefly, then sleep. They compute in the default floating-point
 * mode; the caller sets its own. */
void gn_team_run(gn_team *, int64_t nparts, void (*fn)(void *user, int64_t part, int worker), void *user);
