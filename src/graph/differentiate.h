/* Differentiation as the public builders (optimizer/gradients.c) ask for it. */
#pragma once
#include <gnomon/grad.h>
#include "op.h"

typedef struct gn_differentiation {
    const char *op;              /* in messages: "grad" */
    size_t n, m;
    gn_expr *const *ys, *const *xs;
    gn_expr *const *dys;         /* reverse: cotangents of ys, NULL: 1; forward: directions of xs */
    gn_expr **out;
    gn_disconnected disconnected;
    bool forward;
    /* Puts in place of ys what has the same values and better derivatives; xs stand in it as they are. Throws. NULL:
     * nothing. */
    void (*prepare)(gn_graph *, size_t n, gn_expr **ys, size_t m, gn_expr *const *xs);
    gn_arena scratch;
} gn_differentiation;

/* What is written to out on failure is the graph's error node in every place. */
void gn_differentiate(gn_loc, gn_differentiation *);
