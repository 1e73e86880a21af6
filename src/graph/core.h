/* What a compile hands from stage to stage: the private graph with its inputs, outputs and updates. Made by gn_graph_copy, rewritten in
 * place by the optimizer (the fields then name other nodes, or another graph), cut into kernels by codegen. */
#pragma once
#include "expr.h"

struct gn_core {
    gn_graph *graph;
    GN_VEC(gn_expr *) in;        /* inputs in call order */
    GN_VEC(gn_expr *) out;
    GN_VEC(gn_expr *) variable, update; /* updates: variable[i] becomes update[i] */
    GN_VEC(gn_constraint) constraints;
};
