/* What differentiation walks over: the nodes between some outputs and some inputs through which a derivative can flow,
 * in topological order.
 *
 * A composite without a rule of its own is seen through: it "comes from" the outputs of its body, inlined over its
 * operands, and its derivative is theirs. So one sweep handles every depth of nesting, and the gradient through a
 * composite is the gradient through its body. */
#pragma once
#include "op.h"
#include "visit.h"

typedef enum { GN_FLOW_REVERSE, GN_FLOW_FORWARD } gn_flow_mode;

typedef struct gn_flow_node {
    gn_expr *e;
    gn_expr *const *from;    /* its operands, or its body's outputs */
    uint32_t nfrom;
    bool is_body;            /* from is the body's outputs */
    bool active;             /* depends on one of the inputs */
    uint32_t nd;             /* 1, or the number of a tuple's elements */
    gn_expr **d;             /* cotangents or tangents; NULL: zero */
} gn_flow_node;

typedef struct gn_flow {
    gn_graph *graph;
    gn_arena *scratch;
    gn_flow_mode mode;
    const char *op;          /* in messages: "grad" */
    GN_VEC(gn_flow_node) nodes; /* operands before users */
    gn_map place, inputs;    /* of a node: its number in nodes plus 2; set for inputs */
    gn_map recipes;          /* derivative text -> its parsed form */
    struct {                 /* grad_mask.c: flows that were looked at, and the masks found; [1]: pads are masks, too */
        gn_visit visit;
        gn_map found;
    } masks[2];
} gn_flow;

void gn_flow_trace(gn_flow *, size_t nout, gn_expr *const *out, size_t nin, gn_expr *const *in);
gn_flow_node *gn_flow_find(const gn_flow *, const gn_expr *); /* NULL: no derivative flows there */

/* A derivative can flow from operand k into the node: both are floating, and the op lets it pass. */
bool gn_flow_carries(const gn_flow_node *, uint32_t k);
/* Where selects (and, if asked, pads) let a flow differ from 0, as bools of its shape; NULL: everywhere. */
gn_expr *gn_flow_mask(gn_flow *, gn_expr *flow, bool pads);
/* Derivative text k of the node's op, applied to what flows, and 0 where a select made that 0; NULL: zero. */
gn_expr *gn_flow_text(gn_flow *, gn_expr *y, uint32_t k, gn_expr *g);
/* a + b, where NULL is zero. */
gn_expr *gn_flow_add(gn_graph *, gn_expr *a, gn_expr *b);
/* What flows at e as one operand of a rule: d[0], or a tuple of d with zeros for what is NULL. */
gn_expr *gn_flow_whole(gn_flow *, const gn_expr *e, gn_expr *const *d);
gn_expr *gn_make_zero(gn_graph *, const gn_type *);
/* The tuple element that a proj takes. */
uint32_t gn_flow_element(const gn_expr *proj);
_Noreturn void gn_flow_no_rule(const gn_flow *, gn_expr *);

/* Tangents of all nodes, from the directions in which the inputs x move. */
void gn_flow_forward(gn_flow *, size_t n, gn_expr *const *x, gn_expr *const *direction);
