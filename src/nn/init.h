/* Initial values of parameters, computed on the host in double and rounded once. */
#pragma once
#include <gnomon/nn.h>
#include "arena.h"

/* Fills row-major `to` as `init` says. The numbers depend on the seed, the name, the shape and the kind alone. Throws
 * GN_ESHAPE, GN_EDTYPE, GN_EINVAL. */
void gn_init_fill(gn_arena *scratch, const gn_array *to, const gn_init *, uint64_t seed, const char *name);
