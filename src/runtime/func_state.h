/* Inside functions, frames and bindings.
 *
 * A frame is a function prepared for given sizes: evaluated extents, the memory plan with its arena, and a table of
 * arguments per step in which only the pointers of inputs and outputs are still to be filled in. A call borrows a frame
 * of its sizes from the function's pool, or makes one; a binding owns one. */
#pragma once
#include <gnomon/func.h>
#include <pthread.h>
#include <stdatomic.h>
#include "context_state.h"
#include "frame_tree.h"
#include "program.h"
#include "shared.h"

typedef void (*gn_step_function)(void *const *arg, const int64_t *sym, int64_t part);
typedef struct gn_frame gn_frame;

typedef struct gn_slot_info {    /* an input or an output */
    const char *name;
    gn_loc loc;                  /* of the user's line; file "" if unknown */
} gn_slot_info;

typedef struct gn_step_profile {
    atomic_llong calls, ns;
} gn_step_profile;

struct gn_func {
    atomic_int refs;             /* the user's one, and one per binding */
    gn_context *context;
    const gn_allocator *allocator;
    gn_arena arena;              /* of the program and of all below that is not released on its own */
    const gn_program *program;
    gn_module *module;           /* NULL: the interpreter runs */
    gn_step_function *step;      /* per step of the program */
    const gn_kernel **kernel;    /* interpreter: per kernel of the program */
    struct gn_code **code;       /* likewise; NULL for a logical one */
    gn_variable **variable;      /* per variable of the program, kept */
    uint32_t *by_id;             /* variables in the order in which they are locked */
    gn_slot_info *slot;          /* inputs, then outputs */
    /* per check and per index of the program; where a check was built again, or "" */
    gn_loc *check_loc, *check_again, *index_loc;
    uint32_t nslots, max_args;
    bool updates;                /* changes variables */
    atomic_bool profiled;
    gn_step_profile *profile;    /* per step */
    const char **label;          /* per step: its function, or what it is */
    int *depth;                  /* per step: how many others it is within */
    atomic_bool taken;           /* a call has `hot` */
    gn_frame *hot;               /* the frame of the last call; only who has it may look at it */
    gn_fork_watch watch;
    pthread_mutex_t lock;        /* around the rest of the pool, and the sizes in info */
    gn_frame *pool;
    gn_func_info info;
    gn_pass_info *pass;          /* npasses, in the arena */
    size_t npasses;
};

typedef struct gn_slot_form {    /* what a row-major array must look like to be taken without a closer look */
    gn_dtype dtype;
    int rank;
    int64_t bytes, unaligned;    /* bits of a pointer that must be 0 */
    int64_t shape[GN_MAX_RANK], stride[GN_MAX_RANK];
    int64_t matters[GN_MAX_RANK]; /* all bits: the stride must be this one; 0: an extent of 1, where any does */
} gn_slot_form;

typedef struct gn_frame_index {  /* an index of the program, for these sizes */
    void *data;                  /* NULL: the array of a slot */
    int64_t n, bound;
} gn_frame_index;

typedef struct gn_frame_place {  /* an entry of the tables that points into memory which calls change */
    void **at;
    int64_t start;               /* bytes from the memory's start */
} gn_frame_place;

struct gn_frame {
    gn_func *f;
    gn_frame *next;
    gn_arena arena;              /* of the tables */
    int64_t *sym;                /* per symbol of the program */
    gn_plan plan;
    char *memory;                /* temporaries, scratch of all workers among them */
    size_t memory_bytes;
    int64_t (*shape)[GN_MAX_RANK]; /* per slot */
    int64_t *count;              /* elements per slot */
    gn_slot_form *form;          /* per slot */
    uintptr_t *low, *high;       /* per slot, if checked: its first byte and the one after its last */
    uint32_t *moved;             /* room for the slots whose pointers changed */
    void ***arg;                 /* per step */
    int64_t **step_sym;          /* per step */
    void **worker_arg;           /* max_args per worker, for steps with scratch */
    /* per home (a slot; a variable's memory and its second one): where its pointer goes, ended by one without */
    gn_frame_place **place;
    void **seen;                 /* per variable: its memory in the tables */
    uint32_t *exchanged, nexchanged; /* variables whose new value is in their second memory */
    gn_frame_step *tree;         /* per step; NULL: all are kernels */
    gn_frame_index *index;       /* per index of the program */
    gn_array *now;               /* per slot: the arrays of this call */
    void **staged;               /* per slot: a row-major block for a strided or unaligned view, NULL until needed */
    bool *is_staged;             /* per slot, of this call */
    bool any_staged, any_new;
    bool checked;                /* the pointers in the tables are row-major arrays of the caller that do not overlap */
    bool plain;                  /* nothing but steps of one part to run */
    bool single;                 /* plain, one step, and no variables to lock */
    bool is_hot;
};

/* program symbol values for call or bind: from the arrays. Checks everything about sizes; GN_OK or the sentence. `who`:
 * "gn_call". */
gn_status gn_call_sizes(const gn_func *, const char *who, gn_arrays in, gn_arrays out, int64_t *sym);
void gn_check_tell_again(const gn_func *, size_t check); /* adds to the message where the node of a check was built again */
/* Everything about the arrays that a frame's sizes decide, then their pointers are in place. */
gn_status gn_frame_fill(gn_frame *, const char *who, gn_arrays in, gn_arrays out);
/* Whether `a`, of the slot's shape, may be in its place among the others; and whether it goes through a block. */
gn_status gn_frame_check_move(const gn_frame *, const char *who, uint32_t slot, const gn_array *a);
gn_status gn_frame_stage(gn_frame *, uint32_t slot);
static inline uint32_t gn_frame_home(const gn_func *f, uint32_t variable) /* of its memory; the second one's is the next */
{
    return f->nslots + 2 * variable;
}
static inline void gn_frame_set(gn_frame *fr, uint32_t home, void *data) /* puts the pointer into the tables */
{
    for (const gn_frame_place *p = fr->place[home]; p->at; p++) *p->at = (void *)((uintptr_t)data + (uintptr_t)p->start);
}

gn_status gn_frame_new(gn_frame **out, gn_func *, const int64_t *sym);
void gn_frame_free(gn_frame *);
gn_status gn_frame_run(gn_frame *);
/* steps next to each other, with all within them */
gn_status gn_frame_run_range(const gn_frame *, uint32_t at, uint32_t end);
gn_status gn_frame_run_other(const gn_frame *, uint32_t at);    /* one that is no kernel */
gn_status gn_frame_status(const gn_frame *, uint32_t at);       /* that step `at`, which may end the program, has left */

gn_func *gn_func_new(gn_context *); /* empty; NULL: out of memory */
void gn_func_set_up(gn_func *);     /* what its program gives it: tables per step */
/* one per variable of the program, in the function's arena */
void gn_func_keep_variables(gn_func *, gn_variable *const *list);
gn_func *gn_func_keep(gn_func *);
/* A function of a program's text; variables: in the order of the program, each of the dtype and shape that it says.
 * Throws nothing. */
gn_status gn_func_of_text(gn_func **out, gn_context *, const char *text, size_t length, gn_variable *const *variables);
