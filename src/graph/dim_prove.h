/* Whether an index expression is not negative, from facts of its variables and from others that are known not to be
 * negative: a < b is b - 1 - a >= 0.
 *
 *     gn_prover p = { .pool = dims, .arena = scratch };
 *     gn_push(scratch, &p.facts, fact);              where a variable lies, or the elements of a buffer: dim.h
 *     const gn_prover_mark before = gn_prover_remember(&p);
 *     gn_prover_know_range(&p, "i", from, to);       from <= i < to until gn_prover_forget(&p, before)
 *     gn_prover_know(&p, d);                         d >= 0
 *     gn_prover_proves(&p, goal)
 *
 * It takes products apart, and adds up what is known and what quotients, remainders, least and largest are
 * (dim_combine.h). What it does not prove may hold all the same; a goal takes a bounded number of steps. */
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
} gn_prover;

typedef struct gn_prover_mark {
    size_t facts, known, tightened;
} gn_prover_mark;
gn_prover_mark gn_prover_remember(const gn_prover *);
void gn_prover_forget(gn_prover *, gn_prover_mark); /* what was told since */

void gn_prover_know(gn_prover *, const gn_dim *);
void gn_prover_know_less(gn_prover *, const gn_dim *a, const gn_dim *b); /* a < b */
/* A variable that counts from `from` (NULL: 0) to below `to`. */
void gn_prover_know_range(gn_prover *, const char *name, const gn_dim *from, const gn_dim *to);
bool gn_prover_proves(gn_prover *, const gn_dim *goal);
/* Values, one for each fact, where the goal is negative and all that was told holds; of a buffer with a fact, elements
 * in its range. It tries some: false says nothing. dim_refute.c */
bool gn_prover_refutes(const gn_prover *, const gn_dim *goal, int64_t *at);
