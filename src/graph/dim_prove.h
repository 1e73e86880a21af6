/* Whether an index expression is not negative, from facts of its variables and from others that are known not to be
 * negative: a < b is b - 1 - a >= 0.
 *
 *     gn_prover p = { .pool = dims, .arena = scratch };
 *     gn_push(scratch, &p.facts, fact);              where a variable lies: dim.h
 *     const gn_prover_mark before = gn_prover_remember(&p);
 *     gn_prover_know(&p, d);                         d >= 0 until gn_prover_forget(&p, before)
 *     gn_prover_proves(&p, goal)
 *
 * It looks for known ones that, times what is not negative, add up to the goal but for a rest which facts decide. It
 * gives up after some steps: what it does not prove may hold all the same. */
#pragma once
#include "dim.h"
#include "vec.h"

typedef struct gn_tightened { /* a fact that what is known made narrower */
    size_t at;
    gn_dim_fact before;
} gn_tightened;

typedef struct gn_prover {
    gn_dim_pool *pool;
    gn_arena *arena;
    GN_VEC(gn_dim_fact) facts;
    GN_VEC(const gn_dim *) known;
    GN_VEC(gn_tightened) tightened;
    int steps; /* left for the goal */
} gn_prover;

typedef struct gn_prover_mark {
    size_t facts, known, tightened;
} gn_prover_mark;
gn_prover_mark gn_prover_remember(const gn_prover *);
void gn_prover_forget(gn_prover *, gn_prover_mark); /* what was told since */

void gn_prover_know(gn_prover *, const gn_dim *); /* and what it says of divisions, least and largest in it */
void gn_prover_know_less(gn_prover *, const gn_dim *a, const gn_dim *b); /* a < b */
bool gn_prover_proves(gn_prover *, const gn_dim *goal);
