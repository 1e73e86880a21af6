/* The record of rewriting: what fired, where, in which order, and what it changed. */
#pragma once
#include "rule.h"
#include "text.h"

typedef struct gn_explain_line {
    const char *pass, *rule, *class;
    uint32_t node;                 /* number of the node that was rewritten, in the pass's graph */
    const char *before, *after;    /* texts, inner parts cut at a depth of 4 */
    uint64_t cost_before, cost_after; /* weight of the nodes that only one of the sides needs */
} gn_explain_line;

struct gn_explain {
    gn_arena *arena;
    GN_VEC(gn_explain_line) lines;
};
typedef struct gn_explain gn_explain;

/* "(add x (mul %12 2.0))": inputs by name, scalar constants by value, what lies deeper by number. */
void gn_expr_show(gn_text *, const gn_expr *, int depth);
/* "canonicalize: neg_neg [exact] (neg (neg x)) => x, cost 4 => 0" */
void gn_explain_print(gn_text *, const gn_explain *);
