/* The options of a compile, checked and read. */
#pragma once
#include <gnomon/func.h>
#include "core.h"

typedef struct gn_request {      /* what gn_compile asks for, after all checks */
    gn_graph *graph;
    gn_exprs in, out;
    gn_exprs variable, value;    /* of the updates */
    size_t nfix;
    const gn_fix *fix;
    const char *name, *disable;  /* "f", "" */
} gn_request;

/* Throws with the place of gn_compile in the sentence. */
gn_request gn_request_read(gn_arena *, gn_loc, gn_graph *, const gn_compile_options *);
