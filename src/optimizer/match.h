/* Matching a compiled pattern and building its right side. */
#pragma once
#include "rule.h"

/* Fills the match and says whether pattern and conditions hold for m->root. */
bool gn_match_pattern(gn_match *, const gn_rule *, const gn_pat *);
/* The right side; NULL if an attribute function declines. */
gn_expr *gn_match_build(gn_match *, const gn_rule *);

/* Are these the operands of a commutative op in canonical order: by number, what is one number everywhere last? */
bool gn_operands_in_order(const gn_expr *, const gn_expr *);

gn_attr gn_attr_ints(size_t n, const int64_t *);
gn_attr gn_attr_int(int64_t);
gn_attr gn_attr_dtype(gn_dtype);
gn_attr gn_attr_dims(size_t n, const gn_dim *const *);
