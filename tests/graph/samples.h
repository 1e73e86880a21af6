/* Sample nodes of every op, for generic tests: claimed dtypes; extents 0, 1, odd and named. A new op adds its rows in
 * samples.c.
 *
 *     gn_each_sample(check, &user);      calls check(user, sample) with a fresh graph that holds the node and its
 * inputs
 *
 * Values are for the caller to draw: gn_sample_value knows which are allowed. */
#pragma once
#include <stdbool.h>
#include "evaluate.h"

enum { GN_SAMPLE_INPUTS = 6 };

typedef struct gn_sample {
    const char *name;             /* "sum f32 (n, 3) axes 0" */
    const gn_op_info *op;
    gn_graph *graph;
    gn_expr *y;                   /* a node of the op */
    size_t nin;
    gn_expr *in[GN_SAMPLE_INPUTS];
    double low[GN_SAMPLE_INPUTS], high[GN_SAMPLE_INPUTS]; /* values of each input lie in [low, high] */
    bool smooth;                  /* all values drawn are inside the op's domain, away from poles */
} gn_sample;

void gn_each_sample(void (*visit)(void *user, const gn_sample *), void *user);
/* All of them in one graph, so that many can be compiled together: inputs are named apart ("s12_a"). */
void gn_each_sample_in(gn_graph *, void (*visit)(void *user, const gn_sample *), void *user);
int64_t gn_sample_size(const char *dim); /* the size that samples bind a named dim to; -1: unknown */
/* A value of the i-th input, row-major, in memory from malloc; one in four floats is a multiple of 1/2, so that ties
 * and zeros occur. */
gn_array gn_sample_value(const gn_sample *, size_t i, uint64_t *random);
/* The same for any input of any graph. */
gn_array gn_sample_array(const gn_expr *input, double low, double high, uint64_t *random);
