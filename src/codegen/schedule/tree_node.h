/* The nodes of scheduled kernels and the values that expansion makes. Only lowering, printing, interpreting and emitting look
 * inside. */
#pragma once
#include "tree.h"

/* A definition that is kept: in registers (one variable per tile point, a vector if the lane leaf is among its dims) or in memory.
 * A reduction with private leaves has a second one for its accumulators, an online one a third for its correction. */
typedef struct gn_object {
    const char *name;
    uint32_t id;
    gn_dtype dtype;
    uint8_t level; /* gn_level */
    struct gn_ldef *def;
    GN_VEC(uint32_t) dims; /* leaves, outermost first; reg: the lane leaf last */
    const gn_dim **stride; /* memory: elements per step of each dim */
    const gn_dim *size;    /* memory: elements */
    int32_t lane;          /* reg: the lane leaf among the dims, -1 */
    uint32_t lanes;        /* reg: of each variable, 1 if lane < 0 */
    uint32_t nregs;        /* reg: variables, row-major over the dims but the lane */
    const bool *read;      /* reg: those that the code reads; others are not in it. NULL: none */
    int32_t sbuf;          /* arena, scratch: index among gn_scheduled.sbufs; -1 */
    struct gn_tree *home;  /* node in whose body it lives */
} gn_object;

/* Conditions over index expressions: `cond` all hold; with `negate`, not all. */
typedef struct gn_pred {
    bool negate;
    uint16_t n;
    const gn_kcond *cond;
} gn_pred;
typedef struct gn_preds { /* all of them */
    uint32_t n;
    const gn_pred *at;
} gn_preds;

typedef struct gn_val gn_val;

typedef enum { GN_ACCESS_ONE, GN_ACCESS_ROW, GN_ACCESS_STEP, GN_ACCESS_EACH } gn_access_mode;
typedef struct gn_access { /* a place in memory, or `lanes` of them */
    int32_t buf;           /* of the kernel; -1: object */
    const gn_object *object;
    uint8_t mode;              /* gn_access_mode: one element; lanes contiguous; at a stride; each at its own index */
    const gn_dim *base, *step; /* ROW, STEP: element of lane 0, elements between lanes. ONE: the element */
    const gn_val *each;        /* EACH: i64 vector of element indices */
    const gn_val *mask;        /* lanes that take part; NULL: all */
    gn_preds when;             /* uniform: not executed unless they hold; a load gives 0 */
} gn_access;

typedef enum {
    GN_VAL_CONST, /* number */
    GN_VAL_REG,   /* what a variable holds now */
    GN_VAL_PARAM, /* operand number i of a math function's body */
    GN_VAL_COPY,  /* a[0], kept: of a variable that is about to change */
    GN_VAL_INDEX, /* index expression; a vector over the lane leaf: index of lane l, 0 in lanes where not `when` */
    GN_VAL_COND,  /* scalar bool: `when` */
    GN_VAL_FIRST, /* mask: lane < index */
    GN_VAL_BIT,   /* mask: lane == index */
    GN_VAL_LOAD,
    GN_VAL_OP,     /* op over a */
    GN_VAL_PICK,   /* scalar bool a[0] ? a[1] : a[2], of any lanes */
    GN_VAL_SPLAT,  /* a[0] in all lanes */
    GN_VAL_PACK,   /* vector of the scalars a[0..n) */
    GN_VAL_LANE,   /* lane u.i of a[0] */
    GN_VAL_LANES,  /* reduction `red` of the lanes of a[0] to a scalar */
    GN_VAL_THREADS /* reduction `red` of a[0] over the threads of the block */
} gn_val_kind;

struct gn_val {
    uint8_t kind, dtype, red;
    uint16_t lanes; /* 1: scalar */
    uint16_t n;
    uint32_t id;      /* number of its let; 0: none, printed in place (constants, variables, splats) */
    uint32_t version; /* REG, LOAD: of what it reads, so that a value of before a write is another value */
    const gn_val *a[16];
    union {
        double f;
        int64_t i;
        const gn_op_info *op;
        struct {
            const gn_object *object;
            uint32_t number;
        } reg;
        struct {
            const gn_dim *at;          /* over the lane leaf `lane` if lanes > 1 */
            const gn_dim *base, *step; /* if it is affine in the lane: base + step * lane; else NULL */
            uint32_t lane;
        } index;
        gn_access load;
    } u;
    gn_preds when; /* INDEX, COND */
};

typedef enum { GN_STMT_INIT, GN_STMT_UPD, GN_STMT_MERGE, GN_STMT_SCALE, GN_STMT_ASG, GN_STMT_STORE } gn_stmt_kind;

typedef struct gn_tile_args { /* GN_NODE_TILE */
    const gn_tile_op *row;
    gn_access dst, src; /* COPY: first elements */
    const gn_dim *dst_stride, *src_stride, *ncols, *nrows;
    const gn_val *a[4], *b[4]; /* MMA */
    uint32_t c[4];             /* MMA: variables of `object` */
    const gn_object *object;
} gn_tile_args;

struct gn_tree {
    uint8_t kind;            /* gn_tree_kind */
    uint8_t stmt;            /* STMT: gn_stmt_kind */
    uint8_t bind;            /* FOR: gn_bind_kind, NONE for serial */
    bool add;                /* SET in memory: unused; STEP: has a part or block loop */
    uint16_t unroll;         /* FOR: pragma, 0 none */
    uint32_t leaf;           /* FOR */
    const gn_dim *from, *to; /* FOR: from <= leaf < to; from NULL: 0 */
    GN_VEC(gn_tree *) kids;
    GN_VEC(gn_tree *) above;      /* STMT: the loops around it, outermost first */
    struct gn_ldef *def, *online; /* STMT; SCALE: whose correction */
    gn_object *object;            /* BUF; SET of a variable */
    uint32_t number;              /* SET: which variable */
    const gn_val *val;            /* LET, SET */
    gn_access place;              /* SET in memory (object NULL) */
    gn_preds when;                /* IF */
    gn_tile_args *tile;           /* TILE */
    GN_VEC(uint32_t) flat;        /* FOR over a flat copy index: the leaves it stands for (CUDA) */
    const char *name;             /* FOR over a flat index: its variable */
};

uint32_t gn_tree_largest_id(const gn_tree *); /* of the lets in it; 0: none */
