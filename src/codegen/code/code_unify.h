/* What several things have in common: one thing over a variable that is each of them at its turn. */
#pragma once
#include "code.h"

enum { GN_UNIFY_MOST = 64 };
typedef struct gn_turns { /* var = 0 .. n - 1 */
    gn_dim_pool *dims;
    gn_arena *arena;
    const char *var;      /* a symbol of the pool that nothing mentions yet */
    uint32_t n;
} gn_turns;

/* d with d(var = k) = at[k]; NULL: none is found. */
const gn_dim *gn_unify_dims(const gn_turns *, const gn_dim *const *at);
/* The same for conditions. */
bool gn_unify_preds(const gn_turns *, const gn_preds *const *at, gn_preds *out);
