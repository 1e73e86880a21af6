/* The nodes of scheduled kernels. Only lowering and printing look inside. */
#pragma once
#include "leafset.h"
#include "tree.h"

/* A definition that is kept: in registers (one variable per tile point, a vector if the lane leaf is among its dims) or
 * in memory. Of a fold each value is one. A reduction with private leaves has others for its accumulators. */
typedef struct gn_object {
    const char *name;
    uint32_t id;
    gn_dtype dtype;
    uint8_t level; /* gn_level */
    struct gn_ldef *def;
    bool opaque;           /* reg: values of the definition's row, which hold all points of the row's leaves */
    GN_VEC(uint32_t) dims; /* leaves, outermost first; reg: the lane leaf last */
    const gn_dim **stride; /* memory: elements per step of each dim */
    const gn_dim *size;    /* memory: elements */
    const gn_dim *part;    /* shared, of several turns at once: elements of one; NULL: there is one */
    const gn_dim *start;   /* where the part at work starts; NULL: 0 */
    int32_t lane;          /* reg: the lane leaf among the dims, -1 */
    uint32_t lanes;        /* reg: of each variable, 1 if lane < 0 */
    uint32_t nregs;        /* reg: variables, row-major over the dims but the lane */
    const gn_place *place; /* in the code */
    struct gn_tree *home;  /* node in whose body it lives */
} gn_object;

static inline bool gn_is_dim(const gn_object *o, uint32_t leaf)
{
    return gn_leaf_place(o->dims.n, o->dims.at, leaf) < o->dims.n;
}

typedef enum { GN_STMT_INIT, GN_STMT_UPD, GN_STMT_MERGE, GN_STMT_ASG, GN_STMT_STORE } gn_stmt_kind;
extern const char *const gn_stmt_names[];

struct gn_tree {
    uint8_t kind;            /* gn_tree_kind */
    uint8_t stmt;            /* STMT: gn_stmt_kind */
    uint8_t bind;            /* FOR: gn_bind_kind, NONE for serial */
    bool parallel;           /* STEP: has a part or block loop */
    uint16_t unroll;         /* FOR: pragma, 0 none */
    uint32_t leaf;           /* FOR */
    const gn_dim *to;        /* FOR: 0 <= leaf < to */
    GN_VEC(gn_tree *) kids;
    GN_VEC(gn_tree *) above;      /* STMT: the loops around it, outermost first */
    gn_leafset alone;             /* STMT: thread leaves that it lacks and of which the first thread alone runs it */
    struct gn_ldef *def;          /* STMT */
    struct gn_ldef *online;       /* INIT, in each turn of the loop of this running maximum; NULL: once */
    gn_object *object;            /* BUF */
};
