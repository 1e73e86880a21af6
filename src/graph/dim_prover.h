/* What dim_know.c and dim_prove.c share. */
#pragma once
#include "dim_parts.h"
#include "dim_prove.h"

enum { GN_PROVER_MOST = 1 << 30 }; /* bounds and divisors beyond it are not looked at */

gn_dim_facts gn_prover_facts(const gn_prover *);
void gn_prover_range(const gn_prover *, const gn_dim *, int64_t *low, int64_t *high);
int64_t gn_prover_least(const gn_prover *, const gn_dim *);
const gn_dim *gn_term_dim(gn_dim_pool *, const gn_term *, int64_t factor); /* the term's product, so many times */
const gn_atom *gn_dim_lone_atom(const gn_dim *);                           /* that the dim is; NULL */
const gn_dim *gn_dim_below(gn_dim_pool *, const gn_dim *a, const gn_dim *b); /* b - a - 1 */
int64_t gn_dim_content(const gn_dim *);                                    /* the gcd of all factors but the constant */
/* Of whole numbers: 4 n - 6 >= 0 is n - 2 >= 0. */
const gn_dim *gn_dim_without_content(gn_dim_pool *, const gn_dim *);
