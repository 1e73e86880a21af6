/* Inside serial trees. */
#pragma once
#include "code_inline.h"
#include "serial_axes.h"
#include "serial_tree.h"

typedef struct gn_serial_node { /* a kernel, or a loop with what its turn does */
    gn_serial_use *use;         /* NULL: a loop */
    uint32_t loop;              /* its step */
    GN_VEC(struct gn_serial_node *) kids;
} gn_serial_node;

typedef struct gn_serial_memory { /* of a value of the subtree */
    bool inner, written;
    const gn_place *place; /* where it lies, or the argument; NULL: not yet */
    /* carried, or what is carried next: the loop that exchanges memories, its place in the ring of `turns` of them */
    int32_t loop, ring;
    uint32_t at, turns;
    gn_constant_places constant; /* of all accesses */
} gn_serial_memory;

typedef struct gn_serial {
    gn_kernel_maker *m;
    const gn_program *p;
    gn_arena *arena;
    const gn_pstep *steps;
    uint32_t at, end, nsteps;
    gn_kernel *const *kernel;
    gn_schedule *const *schedule;
    gn_serial_memory *memory; /* twice as many as values: behind them, their memories outside */
    gn_serial_node *root;
    GN_VEC(gn_serial_use *) uses;
    gn_code **code; /* per use */
    gn_serial_axes axes;
    /* the code at work */
    gn_code *out;
    gn_code_body *top;
    gn_code_names names;
    uint32_t nlets, nregisters, nuse;
    const char **symbol;  /* per symbol of the program: its name in the code; NULL: none yet */
    const gn_dim **turn;  /* per step that is a loop: the turn at work; before it 0, behind it their number */
    const char **part;    /* per class */
    GN_VEC(int32_t) args; /* value per argument */
} gn_serial;

/* No serial subtree: it stays a loop of steps. */
_Noreturn void gn_serial_refuse(const char *why);
static inline size_t gn_serial_nvalues(const gn_serial *s)
{
    return s->p->values.n;
}

static inline const gn_pvalue *gn_serial_value(const gn_serial *s, int32_t v)
{
    return &s->p->values.at[(size_t)v % gn_serial_nvalues(s)];
}

uint32_t gn_serial_symbol(const gn_serial *, const char *name); /* of the program */
void gn_serial_code(gn_serial *);                               /* lowers the kernels and writes the code */
