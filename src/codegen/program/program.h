/* Programs: what a compiled function runs. Steps over values, a symbolic memory plan, the checks of a call, the kernels
 * and their source.
 *
 *     gn_program *p = gn_program_make(arena, core, target, "step");   make_program.h
 *     gn_text t = { .arena = arena };
 *     gn_program_print(&t, p);                                   what the cache keeps beside the object
 *     p = gn_program_read(arena, "entry", t.at, t.n);            always, cold or warm: the warm path is the tested path
 *     gn_plan plan;
 *     gn_program_plan(p, sym, &plan, arena);                     for the sizes of one binding
 *
 * Text: docs/program-text.md. A program lives in one arena and does not change once made or read. */
#pragma once
#include "group.h"
#include "step.h"

enum { GN_SYM_TURN = -2 };
typedef struct gn_psym {         /* a named dim: the number that kernels get as sym[i] */
    const char *name;
    int32_t input, axis;         /* extent that binds it at a call; input -1: fixed (value in `is`); GN_SYM_TURN: counts
                                    the turns of a loop */
    int64_t is;
} gn_psym;

typedef struct gn_pvalue {
    uint8_t kind;                /* gn_value_kind */
    gn_dtype dtype;
    uint8_t rank;
    const gn_dim *const *shape;  /* over the program's symbols; row-major */
    /* INPUT, OUTPUT: position in the call; VARIABLE, UPDATE: in variables; TEMP, CONSTANT: unused */
    uint32_t index;
    const char *name;            /* the user's, or "t7" */
    const void *data;            /* CONSTANT: its elements, nbytes of them */
    size_t nbytes;
    const gn_dim *bytes;         /* size over the symbols */
    int32_t first, last;         /* steps between which its memory is needed: see gn_program_lifetimes */
    int32_t alias; /* value whose memory it takes over at `first` (in place); -1: memory of its own, which for an UPDATE
                      is the second memory of its variable: both are exchanged when all steps went well */
} gn_pvalue;

typedef struct gn_pvariable {
    const char *name;
    gn_dtype dtype;
    uint8_t rank;
    const gn_dim *const *shape;  /* constants */
    bool updated;
} gn_pvariable;

typedef struct gn_pkernel {      /* as texts; the interpreter and `gnomon inspect` read them */
    const char *name, *kernel, *schedule;
    uint32_t first_step, nsteps;
    /* its functions in `source`: what stands before the first kernel and after the last belongs to every unit */
    uint32_t text_at, text_size;
    const char *plain;           /* why its schedule is the plain one, where no closed form fitted; else NULL */
} gn_pkernel;

typedef struct gn_pcheck {       /* extents that must agree */
    const gn_dim *a, *b;
    uint32_t constraint;         /* number in core->constraints: has the lines */
    const char *text;
} gn_pcheck;

typedef struct gn_pindex {       /* elements that index an axis: they must lie in [0, bound) */
    uint32_t value;
    /* uses: how many elements the user takes from the value, through views; 0: any index will do */
    const gn_dim *bound, *uses;
    /* -1: an input or variable, before anything runs; else computed: after this step, before any update */
    int32_t after;
    uint32_t user;               /* who indexes: number among the core's indexers, which have the lines */
    const char *text;            /* its op: "take" */
} gn_pindex;

typedef struct gn_program {
    gn_arena *arena;
    gn_dim_pool *dims;
    const char *name;
    uint32_t ninputs, noutputs;
    GN_VEC(gn_psym) syms;
    GN_VEC(gn_pvalue) values;    /* inputs first, in call order, then outputs, then the rest */
    GN_VEC(gn_pvariable) variables;
    GN_VEC(gn_pkernel) kernels;
    GN_VEC(gn_pstep) steps;      /* a tree: step.h */
    GN_VEC(gn_pcheck) checks;
    GN_VEC(gn_pindex) indices;   /* in the order of `after` */
    const char *source;          /* prelude and all functions: one translation unit */
    bool is_tree;                /* has other steps than those of kernels on the host */
} gn_program;

/* The value whose memory it lies in, through others that took it over. */
static inline int32_t gn_memory_of(const gn_program *p, int32_t value)
{
    while (p->values.at[value].alias >= 0) value = p->values.at[value].alias;
    return value;
}
/* What carried value k of a loop becomes is computed in its memory. */
static inline bool gn_is_next_in_place(const gn_program *p, const gn_pstep *loop, uint32_t k)
{
    return p->values.at[loop->arg[gn_carried_next(k)]].alias == loop->arg[gn_carried_now(k)];
}
int32_t gn_program_find_sym(const gn_program *, const char *name); /* -1: none */
/* A dim over the program's symbols, for their values; false if it overflows. */
bool gn_program_eval(const gn_program *, const int64_t *sym, const gn_dim *, int64_t *out);
/* A kernel's dim over the program's symbols, of which `sym` has one per symbol of the kernel. */
const gn_dim *gn_program_kernel_dim(const gn_program *, const gn_kernel *, const uint32_t *sym, const gn_dim *);

void gn_program_print(gn_text *, const gn_program *);
gn_program *gn_program_read(gn_arena *, const char *file, const char *text, size_t length); /* throws GN_ESYNTAX */

/* Of a tree, throws GN_EFORMAT with a sentence: who writes before who reads, slices that are disjoint, what loops
 * carry, lifetimes, variables that a status would leave half changed. `file` stands before it. Notes in the steps
 * what their arguments are for. */
void gn_program_verify(gn_program *, const char *file);

/* Between which steps the memory of each value is needed; -1, -1 for one that no step has. What a loop takes from
 * outside lives to its end, what it makes anew each turn within the turn; a carried value and the one that it
 * becomes live through the whole loop, and each for as long as the other, since they exchange their memories. What a
 * prepared step makes lives from the first step to the last. */
typedef struct gn_plive {
    int32_t first, last;
    int32_t around;              /* innermost loop around all steps that have it: makes it anew each turn; -1: none */
} gn_plive;
void gn_program_lifetimes(const gn_program *, gn_plive *out); /* one per value */
void gn_program_set_lives(gn_program *); /* of its values */

/* Memory for given symbols: places in one arena, found by size from the largest, at the lowest offset that is free
 * while the value lives. The scratch of a step's workers has its place among them, for that step. Steps are numbered
 * in the order of the walk. */
typedef struct gn_plan {
    int64_t *offset;             /* per value; -1: not in the arena (inputs, outputs, variables, constants) */
    int64_t *parts;              /* per step */
    int64_t **scratch;           /* per step: offset of each area of worker 0; NULL: none */
    int64_t *scratch_stride;     /* per step: bytes to the next worker's */
    int64_t arena_bytes;
    int64_t all_bytes, bound_bytes;     /* sum of all temporaries; largest sum that lives at once */
} gn_plan;
/* throws GN_ENOMEM "size overflows" */
void gn_program_plan(const gn_program *, const int64_t *sym, int workers, gn_plan *, gn_arena *);
/* The body that these sizes choose. */
uint32_t gn_plan_choose(const gn_program *, const int64_t *sym, uint32_t variants);
/* Replays the plan: throws GN_EINTERNAL if two values that live at once share bytes. Of a tree the steps are run
 * over poisoned memory, loops for one turn, two and three: no step may read what another has written over, or what
 * memories hold that were exchanged. */
void gn_plan_verify(const gn_program *, const int64_t *sym, const gn_plan *);
