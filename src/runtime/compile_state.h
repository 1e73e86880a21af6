/* Inside gn_compile: what its stages hand on. */
#pragma once
#include "clock.h"
#include "compile_check.h"
#include "error.h"
#include "func_state.h"
#include "toolchain_state.h"
#include <string.h>

typedef struct compilation {
    gn_loc loc;
    gn_graph *graph;
    const gn_compile_options *options;
    gn_context *context;
    gn_arena scratch;            /* of the request, the private graph and the passes */
    gn_request request;
    struct gn_core *core;
    gn_key key;                  /* of the program */
    gn_toolchain *toolchain;     /* the context's, until it proves to be of no use */
    gn_module *found;            /* the entry of the program; NULL: made anew */
    const char *graph_text;      /* of the request, if it is to be kept; else NULL */
    const char *text;            /* of the program */
    size_t text_size;
    const char *args[GN_MAX_ARGS];/* for the compiler, nargs and NULL */
    size_t nargs;
    bool is_plain;               /* without optimization: the compiler was not done in time */
    gn_key code_key;             /* of the entry of its code */
    gn_func *f;                  /* being built */
    double mark;
    int compiled;
} compilation;

/* Milliseconds since the last lap. */
static inline double gn_compile_lap(compilation *c)
{
    const double now = gn_now_ms(), spent = now - c->mark;
    c->mark = now;
    return spent;
}

typedef struct gn_key_fields {
    const char *at[16];
    size_t length[16], n;
} gn_key_fields;
static inline void gn_key_field(gn_key_fields *f, const char *text)
{
    GN_ASSERT(f->n < 16);
    f->at[f->n] = text;
    f->length[f->n++] = strlen(text);
}

void gn_compile_set_args(compilation *); /* those of the context's target */
/* The code of f->program, out of the cache or compiled; where no compiler does it in time, its kernels for the
 * interpreter. */
gn_status gn_compile_code(compilation *);
