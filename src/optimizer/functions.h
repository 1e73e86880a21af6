/* The functions behind the names of functions.def, and the weights of the tables. */
#pragma once
#include "rule.h"

#define CONDITION(name, nargs, gloss) gn_condition gn_if_##name;
#define ATTRIBUTE(name, nargs, gloss) gn_attr_function gn_attr_##name;
#define FUNCTION(name, gloss) gn_rewrite_function gn_rewrite_##name;
#define MEASURE(name, gloss) uint32_t gn_weight_##name(const gn_expr *);
#include "functions.def"
