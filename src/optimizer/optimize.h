/* The optimizer: a table of passes from the private copy of the user's graph to the core graph that grouping cuts into
 * kernels.
 *
 *     gn_optimize(core, &(gn_optimize_options){ .explain = &record });
 *
 * Core graph: no composites, no contract, argmax or argmin; views are reshape, slice, pad, flip, concat and one
 * broadcast with an axis map (permutations included); what is one number everywhere is a constant of rank 0, behind a
 * broadcast if it has axes; no dead nodes; numbers in topological order from the outputs.
 *
 * The environment, where the options say nothing: GN_DUMP=decompose,shape (or all) prints the graph after these passes
 * on stderr, "start" the graph before them; GN_TRACE=rule:NAME prints each firing of a rule, rule:* of all. */
#pragma once
#include "explain.h"
#include "sweep.h"

typedef struct gn_pass_report {
    const char *name;
    double ms;
    gn_sweep_stats stats;
} gn_pass_report;

enum { GN_MOST_PASSES = 16 };
typedef struct gn_optimize_report {
    size_t n;
    gn_pass_report pass[GN_MOST_PASSES];
    double ms;
} gn_optimize_report;

typedef struct gn_optimize_options {
    /* names of rules or passes, separated by commas; throws GN_EINVAL for an unknown one */
    const char *disable;
    const char *dump;                  /* names of passes, or "all" */
    void (*on_dump)(void *user, const char *pass, const char *text); /* default: stderr */
    void *user;
    const char *trace;                 /* a rule, or "*" */
    gn_explain *explain;               /* gets a line per firing */
    gn_optimize_report *report;        /* is overwritten */
} gn_optimize_options;

/* Rewrites the core in place: afterwards it names nodes of a new graph, the old one is released. Options may be NULL.
 * Throws; the core is then still valid, and its graph the old one. */
void gn_optimize(struct gn_core *, const gn_optimize_options *);

/* The passes by number, in their order: name and reason; NULL after the last. */
const char *gn_pass_name(size_t i);
const char *gn_pass_reason(size_t i);

/* docs/rules.md, from the tables. */
void gn_rules_document(gn_text *);
