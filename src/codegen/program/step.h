/* Steps of programs: a tree, kept as one list in the order of a walk. A step that has others within is followed by them
 * and knows where they end, so that a flat program is a list of kernel steps and a lifetime is a pair of numbers:
 *
 *     0 kernel      3 loop (end 6)      a step of a kernel, a copy, a call of one of our routines
 *     1 kernel        4 kernel          a loop and its body; a branch, or variants, and a body for each choice; work
 *     2 copy          5 kernel          that is kept from call to call
 *
 * Text and meaning: docs/program-text.md. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "dim.h"
#include "routine.h"

enum { GN_PROGRAM_DEPTH = 8 };   /* loops, branches, variants and prepared steps within each other */

typedef enum {
    GN_STEP_KERNEL,
    GN_STEP_COPY,                /* arguments: to, from */
    GN_STEP_CALL,                /* arguments: those of the routine, its workspace last */
    GN_STEP_LOOP,                /* arguments: three per carried value (itself, its initial one, the next); the condition */
    GN_STEP_BRANCH,              /* argument: what chooses between its two bodies */
    GN_STEP_VARIANTS,            /* the sizes of a binding choose one of its bodies */
    GN_STEP_BODY,                /* of a branch or of variants */
    GN_STEP_PREPARE              /* runs when a variable that it reads has changed since */
} gn_step_kind;

typedef struct gn_pcopy {        /* extents and strides in elements; rank 0: all of both values */
    uint8_t rank;
    const gn_dim *const *extent, *const *to, *const *from;
} gn_pcopy;

typedef struct gn_pcall {
    const gn_routine *routine;
    const gn_dim *const *dim;    /* one per dim of the routine */
} gn_pcall;

typedef struct gn_ploop {
    uint32_t sym;                /* the program's symbol that counts its turns */
    const gn_dim *count;         /* the most turns */
    uint32_t ncarried;
    bool has_condition;          /* goes on while the last argument is not 0, looked at after each turn */
} gn_ploop;

typedef enum { GN_FACT_EQ, GN_FACT_LT } gn_pfact_kind;
typedef struct gn_pfact {
    uint8_t kind;
    const gn_dim *a, *b;
} gn_pfact;
typedef struct gn_pbody {        /* of variants: the first body whose facts all hold */
    uint32_t nfact;
    const gn_pfact *fact;
} gn_pbody;

typedef struct gn_pprepare {
    uint32_t n;
    const uint32_t *variable;    /* of the program */
} gn_pprepare;

typedef struct gn_pstep {
    uint32_t kernel;
    uint32_t part_of;            /* which step of the kernel */
    const char *symbol;          /* void SYMBOL(void *const *arg, const int64_t *sym, int64_t part) in the object; of
                                    others: what they are, for people */
    const gn_dim *parts;         /* run for part 0 .. parts - 1, in any order; NULL: no kernel */
    uint32_t narg, nsym, nscratch;
    const int32_t *arg;          /* value per argument, or -1 - s: scratch area s of the worker */
    const gn_dim *const *start;  /* bytes from the start of its value, per argument: steps may read and write parts of
                                    one value; NULL: 0 for all */
    const uint32_t *sym;         /* symbol of the program per sym[i] of the function */
    const gn_dim *const *scratch;/* bytes per worker */
    uint8_t kind;                /* gn_step_kind */
    uint32_t end;                /* of one with others within: the number after the last of them */
    uint32_t status;             /* 1 + argument whose first integer ends the whole program unless it is 0; 0: none */
    uint32_t device;             /* 0: the host; n + 1: device n */
    const uint8_t *uses;         /* gn_operand_use bits per argument, and bytes from its start on: noted by
                                    gn_program_verify for trees, else NULL */
    const gn_dim *const *bytes;
    union {
        const gn_pcopy *copy;
        const gn_pcall *call;
        const gn_ploop *loop;
        const gn_pbody *body;
        const gn_pprepare *prepare;
    } of;
} gn_pstep;

static inline bool gn_step_has_body(const gn_pstep *s)
{
    return s->kind >= GN_STEP_LOOP;
}

/* The step after step `at` and all within it. */
static inline uint32_t gn_step_after(const gn_pstep *steps, uint32_t at)
{
    return gn_step_has_body(&steps[at]) ? steps[at].end : at + 1;
}

/* Arguments of a loop. */
static inline uint32_t gn_carried_now(uint32_t k) { return 3 * k; }
static inline uint32_t gn_carried_initial(uint32_t k) { return 3 * k + 1; }
static inline uint32_t gn_carried_next(uint32_t k) { return 3 * k + 2; }
static inline uint32_t gn_loop_condition(const gn_ploop *l) { return 3 * l->ncarried; }
static inline bool gn_is_carried(const gn_pstep *loop, int32_t value)
{
    for (uint32_t k = 0; k < loop->of.loop->ncarried; k++)
        if (loop->arg[gn_carried_now(k)] == value) return true;
    return false;
}
/* The carried value that has this one as its next; -1: none. */
static inline int32_t gn_becomes(const gn_pstep *loop, int32_t next)
{
    for (uint32_t k = 0; k < loop->of.loop->ncarried; k++)
        if (loop->arg[gn_carried_next(k)] == next) return loop->arg[gn_carried_now(k)];
    return -1;
}

/* Argument `a` of a loop is one that exchanges its memory: a carried value, or its next. */
static inline bool gn_is_exchanged(const gn_ploop *l, uint32_t a)
{
    return a < gn_loop_condition(l) && a % 3 != gn_carried_initial(0);
}

/* Of the values that exchange their memories: whose `value` has after a turn. A carried one has that of its next; a
 * next that is no carried value has the one that nobody takes. */
static inline int32_t gn_taken_from(const gn_pstep *loop, int32_t value)
{
    for (uint32_t k = 0; k < loop->of.loop->ncarried; k++)
        if (loop->arg[gn_carried_now(k)] == value) return loop->arg[gn_carried_next(k)];
    for (int32_t now; (now = gn_becomes(loop, value)) >= 0;) value = now;
    return value;
}
