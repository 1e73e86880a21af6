/* Random graphs for tests: valid by construction or by trial, with values for their inputs, and a shrinker. */
#pragma once
#include <gnomon/gnomon.h>
#include "evaluate.h"

enum { RANDOM_MAX_INPUTS = 12, RANDOM_MAX_OUTPUTS = 3, RANDOM_MAX_NODES = 96 };

typedef struct random_graph {
    gn_context *context;
    gn_graph *g;
    size_t ninputs, noutputs, npool;
    gn_expr *input[RANDOM_MAX_INPUTS], *output[RANDOM_MAX_OUTPUTS], *pool[RANDOM_MAX_NODES];
    gn_array value[RANDOM_MAX_INPUTS]; /* owned */
    int64_t n, m;                      /* sizes of the named dims */
} random_graph;

/* What was built so far, for the report at the end: a zero is a hole in the test. */
typedef struct random_counts {
    int dtype[GN_NDTYPES], rank[6], named, constant;
    struct {
        const char *op;
        int n;
    } op[256];
    size_t nops;
} random_counts;

void random_graph_make(random_graph *, uint64_t seed);
void random_graph_make_in(random_graph *, gn_context *, uint64_t seed);
void random_graph_free(random_graph *);
void random_graph_count(const random_graph *, random_counts *);

/* Computes a graph's outputs for values of its inputs, in memory that is there; throws. */
typedef void (*random_run)(void *user, gn_graph *, gn_exprs in, const gn_array *values, gn_exprs out, gn_array *results);
/* The way of a user: gn_compile, gn_call. */
void random_run_compiled(void *user, gn_graph *, gn_exprs in, const gn_array *values, gn_exprs out, gn_array *results);

/* Runs the outputs and compares with the reference evaluator. 0: equal within the evaluator's bounds; 1: values differ;
 * negative: the status of an error, whose message is set. *jumps and *elements count what was compared. what (of 512
 * bytes) says where they differ. */
int random_graph_check(const random_graph *, random_run, void *user, int64_t *jumps, int64_t *elements, char *what);

/* The smallest graph found that still fails in the same way, as text (.gn), with inputs in place of what is right; free
 * with gn_text_free. *nodes: how many. */
char *random_graph_shrink(const random_graph *, random_run, void *user, int kind, size_t *nodes);

/* Prints what random_graph_check found (`kind`, `what`); the graph is shrunk and written as PREFIX-SEED.gn. */
void random_graph_report(const random_graph *, random_run, void *user, const char *prefix, uint64_t seed, int kind,
                         const char *what);
