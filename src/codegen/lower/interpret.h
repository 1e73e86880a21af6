/* The machine that runs the statements of scheduled kernels: buffers, kept definitions, blocks of threads in lockstep. What
 * interpret*.c share. */
#pragma once
#include "lower.h"

typedef struct gn_cell {  /* an element of shared memory: who touched it since the last barrier */
    int writer, reader;   /* thread + 1; 0: none; -1: several readers */
    uint64_t wrote, read; /* epochs */
} gn_cell;

typedef struct gn_machine {
    const gn_scheduled *s;
    gn_lower *g;
    gn_arena *arena;
    void *const *buffer;
    const int64_t *sym;
    int64_t *count; /* elements of each buffer */
    int nthreads;
    int64_t **leaf; /* by thread, by leaf; a tile leaf's too */
    gn_ref **object; /* by object: elements, threads one after the other where each has its own */
    int64_t *size;   /* of each, of one thread */
    gn_cell **cell;  /* of shared ones */
    uint64_t epoch;
    int thread;   /* at work */
    gn_ref *memo; /* statements: by expression */
    uint64_t *stamp, now;
    gn_ref own_state[GN_FOLD_MOST], other[GN_FOLD_MOST]; /* of the reduction at work, and what is merged into it */
    gn_map address;     /* statements: of a use -> element index */
    const gn_dim **own; /* every leaf at its symbol */
} gn_machine;

void gn_machine_run(gn_machine *, const gn_tree *root, void (*body)(gn_machine *, const gn_tree *, const bool *active));
/* Walks a node for the threads that are active; statements go to `leafwork`, for one thread at a time. */
int64_t gn_machine_dim(gn_machine *, const gn_dim *);
gn_ref gn_machine_load(gn_machine *, int32_t buf, const gn_object *, int64_t at);
void gn_machine_store(gn_machine *, int32_t buf, const gn_object *, int64_t at, gn_ref);
gn_ref *gn_machine_variable(gn_machine *, const gn_object *, uint32_t number); /* its lanes */
gn_ref gn_machine_op(const gn_op_info *, gn_dtype, const gn_ref *a);
gn_ref gn_machine_threads(gn_machine *, gn_red, const gn_ref *of_thread); /* merged in the order of a block */
gn_ref gn_machine_number(gn_dtype, int64_t);
