/* Where a peeled loop is cut: into turns before all its conditions hold, those in which they do, and turns behind.
 *
 *     for (i < n) acc += 0 < i + q && i + q < n + 1 ? x[i + q - 1] : 0          q a tile leaf of 3 points
 *     first = 1, end = n - 1: i < 1, then 1 <= i < n - 1 without any condition, then n - 1 <= i < n
 *
 * A condition is d >= 0, linear in the loop's leaf, for all points inside the loop at once; the ends of axes are some,
 * and so are those of `if`. Where one ends far from the axes (j <= i), the turns between are a piece more. Conditions
 * that leave no turn to those before are not cut by. */
#pragma once
#include "domain.h"

typedef struct gn_cut {
    const gn_dim *first, *end;     /* turns from first to below end; NULL: the loop's own */
    gn_leafset full;               /* axes that do not end there */
    const gn_dim *whole;           /* before which they do not end either, many turns behind `end`; NULL: few */
    size_t nends;                  /* so many of `holds` say that they do not */
    GN_VEC(const gn_dim *) holds;  /* what is not negative there */
} gn_cut;
/* env: value of each leaf of the open loops, that of `loop` among them, which ends at `to`. */
gn_cut gn_cut_of(gn_lower *, const gn_tree *loop, const gn_dim *const *env, const gn_dim *to);

/* What is known of the turns of the open loops: g->turns. */
void gn_turns_know(gn_lower *, const gn_dim *);  /* it is not negative, until what is known is forgotten */
bool gn_turns_prove(gn_lower *, const gn_dim *); /* it is not negative */
const gn_dim *gn_turns_most(gn_lower *, const gn_dim *, const gn_dim *);
const gn_dim *gn_turns_least(gn_lower *, const gn_dim *, const gn_dim *);
