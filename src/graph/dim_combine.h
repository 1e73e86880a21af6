/* Whether a row of whole numbers is a combination of others: factors that are not negative, and what is left of the last
 * column. It is what a proof of an inequality by others comes down to (Farkas' lemma), found by the simplex method with
 * whole numbers, exactly.
 *
 *     columns  n - 1 - i   2 n - 8        goal  4 n - 2 i - 7:  2 (n - 1 - i) + (2 n - 8) + 3
 *     n            1          2            4
 *     i           -1          0           -2
 *     (one)       -1         -8           -7  */
#pragma once
#include <stdbool.h>
#include "arena.h"

enum { GN_COMBINE_MOST = 64 };
typedef struct gn_combination {
    int nrows, ncolumns; /* at most GN_COMBINE_MOST of each; the last row is of constants, the last column the goal */
    int64_t at[GN_COMBINE_MOST][GN_COMBINE_MOST];
} gn_combination;

/* The goal is a combination of the columns and a constant above -1: whole numbers, it is not negative where they are
 * not. The table is used up. False also where it takes too many steps, or numbers beyond 64 bits. */
bool gn_combine(gn_combination *);
