/* Derivatives given as text, `(mul g (sub 1 (square y)))`: parsed once per differentiation and applied many times.
 *
 * Atoms are the operands a, b, c, d (x for the first), the output y, what flows through g, and numbers. The text is
 * linear in g, so the same one serves both modes: with a cotangent for g it gives the operand's cotangent, with the
 * operand's tangent the output's. */
#pragma once
#include "op.h"

typedef struct gn_recipe gn_recipe;

/* Throws GN_EINTERNAL for a text that is no derivative: a bug in the op's record. */
const gn_recipe *gn_recipe_parse(gn_arena *, const gn_op_info *, const char *text);
/* The nodes for node y; NULL if the text is 0. */
gn_expr *gn_recipe_apply(const gn_recipe *, gn_graph *, gn_expr *y, gn_expr *g);
