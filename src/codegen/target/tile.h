/* Tile operations: rows of a target's table for hardware that works on small matrices or moves them. A row says what it
 * computes and how a thread's registers or an address hold the operands; `(tensorize def ROW leaves..)` names it,
 * lowering checks that the leaves fit.
 *
 *     C(m, n) += A(m, k) B(k, n)
 *
 * A UNIT keeps C where nothing but its own operations can touch it, an opaque value, and takes A and B from memory.
 * Its row is all that there is to say of it: spellings, layouts, limits, and a function that computes what it means.
 *
 * An operand in registers lists, for each register, the coordinate in both of its dims as a sum of digits: leaves of
 * the tensorized definition in the order of `leaf` below, times a factor, plus a constant. */
#pragma once
#include "target.h"

typedef enum { GN_TILE_COPY, GN_TILE_MMA, GN_TILE_UNIT } gn_tile_kind;
/* What a UNIT does with an accumulator: C = 0, C = memory, C += A B, memory = C. */
typedef enum { GN_TILE_ZERO, GN_TILE_LOAD, GN_TILE_MULTIPLY, GN_TILE_STORE, GN_TILE_NACTS } gn_tile_act;
enum { GN_TILE_MAX_REGS = 4, GN_TILE_MAX_LEAVES = 6 };

/* Coordinate = constant + sum over leaves of factor * (value of the leaf). */
typedef struct gn_tile_coord {
    int constant;
    int factor[GN_TILE_MAX_LEAVES];
} gn_tile_coord;

typedef struct gn_tile_reg {
    gn_tile_coord row, col; /* A: m, k;  B: k, n;  C: m, n */
} gn_tile_reg;

/* In memory an operand counts along leaves, the last fastest and without gaps; from one value of the first leaf to the
 * next is a stride that the code says. */
typedef struct gn_tile_operand {
    gn_dtype dtype;
    int nregs;
    gn_tile_reg reg[GN_TILE_MAX_REGS];
    int nleaf; /* in memory */
    uint8_t leaf[GN_TILE_MAX_LEAVES];
    int align; /* bytes, of the first element and of the stride; 0: any element */
} gn_tile_operand;

/* Where opaque values live: rows may share it. */
typedef struct gn_tile_unit {
    const char *name;        /* for messages */
    uint32_t most;           /* opaque values that may be declared at once */
    const char *begin, *end; /* statements of C around the body of a function that uses it; NULL: none */
    const char *permission;  /* that the process needs: permission.c; NULL: none */
} gn_tile_unit;

typedef struct gn_tile_leaf {
    const char *name; /* for messages: "mg" */
    char dim;         /* 'm', 'n' or 'k' */
    int extent;
    int stride;   /* along its dim */
    uint8_t bind; /* as in schedules: 't' thread, 'u' unroll, 'k' tile */
} gn_tile_leaf;

struct gn_tile_op {
    const char *name; /* "tr16", "mma_m16n8k8_tf32" */
    uint8_t kind;     /* gn_tile_kind */
    int m, n, k;
    int nleaf;
    gn_tile_leaf leaf[GN_TILE_MAX_LEAVES];
    /* COPY: c is the destination, a the source, in memory. MMA: in registers. UNIT: in memory */
    gn_tile_operand a, b, c;
    /* COPY: $p0 $s0 destination and its stride, $p1 $s1 source, $m $n how much of the source is there. MMA: $c0..
     * $a0.. $b0.. */
    const char *spelling;
    /* UNIT */
    const gn_tile_unit *unit;
    const char *type;               /* C's, of an accumulator; NULL: it has a number, and is no variable */
    const char *act[GN_TILE_NACTS]; /* spellings: $c0 the accumulator, $t0 its number, from 0 on, $p0 $s0 A or the
                                       memory, $p1 $s1 B; NULL: it cannot */
    bool partial;                   /* $m $n $k: how much is there, all where that is more; else all is */
    void (*reference)(void *c, const void *a, const void *b); /* C += A B; each as in memory, without gaps */
};

/* COPY: all of the destination is written, with 0 where the source is not there. A partial UNIT takes what is not there
 * of A and B, or of the memory that it loads, as 0, and does not touch it in a store. */

extern const char *const gn_tile_acts[GN_TILE_NACTS]; /* "zero", .. */
const gn_tile_op *gn_tile_find(const gn_target *, const char *name); /* NULL if the target has no such row */
