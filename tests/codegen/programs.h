/* Small programs for the tests of codegen: built, copied, filled with random numbers, evaluated by the reference and
 * run kernel by kernel. */
#pragma once
#include "evaluate.h"
#include "group.h"
#include "core.h"
#include "testlib.h"

enum { PROGRAM_SIZES = 48 };
typedef struct program {
    gn_arena arena;
    gn_graph *graph;
    GN_VEC(gn_expr *) in, out, variable, update;
    struct gn_core *core;
    gn_grouping *grouping;
    uint64_t random;
    struct { const char *name; int64_t size; } size[PROGRAM_SIZES]; /* of named dims */
    bool optimize;               /* all passes first; else the graph must be made of primitives */
    bool refused;                /* by the optimizer */
    int64_t index_most;          /* integers are drawn below it */
    void **memory;               /* by value */
    struct random_graph *from;   /* whose graph it is; NULL: our own, or the caller's */
    const gn_array *given;       /* values of the inputs; NULL: random numbers */
} program;

program *program_new(uint64_t seed);
program *program_random(uint64_t seed); /* a random graph, for all passes */
/* The caller's graph and values, for all passes; both stay the caller's. */
program *program_of(gn_graph *, gn_exprs in, const gn_array *values, gn_exprs out);
void program_free(program *);
void program_size(program *, const char *name, int64_t size);
gn_expr *program_in(program *, const char *name, gn_dtype, const char *shape);
gn_expr *program_variable(program *, const char *name, gn_dtype, int rank, const int64_t *shape);
void program_out(program *, gn_expr *);
void program_update(program *, gn_expr *variable, gn_expr *value);
/* The five programs whose kernels are counted: sizes of 0 are named dims. */
program *program_mlp(int64_t batch, int64_t in, int64_t hidden, int64_t out);  /* a training step */
program *program_layer_norm(int64_t rows, int64_t columns);                    /* value and three gradients */
program *program_cross_entropy(int64_t rows, int64_t columns);
program *program_logistic(int64_t rows, int64_t columns);
program *program_tiny(int64_t n);                                               /* value and four gradients */
/* Copies and groups for a target; verifies every kernel. */
void program_group(program *, const gn_target *);
void program_group_or_throw(program *, const gn_target *);
/* Fills inputs and variables, and compares with the reference what `run` makes of each group, in order. */
typedef void (*program_run)(const program *, const gn_group *, void *const *buffers, const int64_t *sym, gn_arena *scratch);
void program_execute(program *, program_run run); /* compares nothing: the values lie in p->memory */
void program_check(program *, program_run run);
void program_interpret(const program *, const gn_group *, void *const *buffers, const int64_t *sym,
                       gn_arena *scratch); /* the logical kernel */
const char *program_text(program *); /* all kernels */
int64_t program_extent(const program *, const gn_dim *);
