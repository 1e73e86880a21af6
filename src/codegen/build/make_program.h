/* From the core graph to a program: the only place that sees all levels. */
#pragma once
#include "program.h"

/* Groups, schedules, lowers, emits, plans. Throws. */
gn_program *gn_program_make(gn_arena *, const struct gn_core *, const gn_target *, const char *name);
