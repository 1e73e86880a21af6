/* What the files dim*.c share. */
#pragma once
#include "dim.h"

int64_t gn_floor_div(int64_t a, int64_t b); /* by 0: 0 */
int64_t gn_floor_mod(int64_t a, int64_t b);
int64_t gn_gcd(int64_t a, int64_t b);       /* never negative; gcd(0, x) = |x| */
/* The atom of this kind over a and b, simplified. */
const gn_dim *gn_dim_apply(gn_dim_pool *, gn_atom_kind, const gn_dim *a, const gn_dim *b);
/* Bounds when nothing is known of symbols, not even that they are not negative. */
void gn_dim_range_unknown(const gn_dim *, int64_t *low, int64_t *high);
const gn_dim *gn_dim_of_atom(gn_dim_pool *, const gn_atom *); /* of the same pool */
