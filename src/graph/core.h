/* What a compile hands from stage to stage: the private graph with its inputs, outputs and updates. Made by
 * gn_graph_copy, rewritten in place by the optimizer (the fields then name other nodes, or another graph), cut into
 * kernels by codegen. */
#pragma once
#include "expr.h"

/* A node that indexes, or may when it is expanded (take, scatter_add, composites), where the user built it first. */
typedef struct gn_indexer {
    const gn_op_info *op;
    gn_loc loc;
} gn_indexer;

struct gn_core {
    gn_graph *graph;
    GN_VEC(gn_expr *) in;        /* inputs in call order */
    GN_VEC(gn_expr *) out;
    GN_VEC(gn_expr *) variable, update; /* updates: variable[i] becomes update[i] */
    GN_VEC(gn_constraint) constraints;
    /* Of the user's graph, in canonical order: a program refers to them by number, so one from the cache finds the
     * lines in the graph that asked for it. */
    GN_VEC(gn_indexer) indexers;
};

/* The private copy that a compile works on: what `out` and the new values reach, numbered in topological order from
 * outputs and inputs, in a graph of its own; named dims of `fix` are numbers in it; constraints of the copied nodes are
 * collected, with their lines. Operands belong to `g` and are no error nodes (the caller has checked that). Throws.
 * Lives in `arena`; release the graph with gn_core_free. */
typedef struct gn_fix {
    const char *name;
    int64_t value;
} gn_fix;
struct gn_core *gn_graph_copy(gn_arena *, gn_graph *g, gn_exprs in, gn_exprs out, gn_exprs variable, gn_exprs value,
                              size_t nfix, const gn_fix *fix);
void gn_core_free(struct gn_core *); /* accepts NULL */
gn_expr_list gn_core_roots(gn_arena *, const struct gn_core *); /* outputs, then new values */
/* The text form of the whole: inputs, variables, nodes, outputs, updates. The same for the same program: part of cache
 * keys. */
void gn_core_print(gn_text *, const struct gn_core *);
