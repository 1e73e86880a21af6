/* Inside the verifier of plans: running a tree over poisoned memory. */
#pragma once
#include "program.h"

/* Throws GN_EINTERNAL if a step reads what is not there. */
void gn_plan_replay(const gn_program *, const int64_t *sym, const gn_plan *);
