/* Grouping at work: what its steps share. The steps, in order:
 *
 *     group_node.c    live nodes, what kind each is, where an operand's dims go
 *     group_axes.c    1 axis classes: one union-find over (node, dim) names every loop of the program
 *     group_assign.c  2 heavy reductions, 3 a level for every node
 *     group_light.c   what is text, and where it is cut; group_repeat.c: what would be computed too often is stored
 *     group_reduce.c  groups for reductions; group_home.c: where a value can be stored
 *     group_pair.c    reductions that are text
 *     group_waist.c   where chains that are too long are cut
 *     group_merge.c   4 independent groups that read the same rows
 *     group_cross.c   5 what is stored between groups
 *     group_text.c    6 logical kernels; group_index.c: index maps; group_comment.c: comments
 *     group_order.c   7 updates in place
 *     group_rebase.c  8 buffers begin where they are read, so that steps of a loop have one kernel
 *
 * Words. A node is light unless it is memory (input, variable, array constant), a reduction or a scatter: it is text,
 * inlined where it is used. So is a reduction over a few constant points for each pair of elements (group_pair.c). A
 * leaf of a node is memory, a reduction, a scatter or a light node that is stored, reached through light nodes. A class
 * is a loop of the program; P, D, A of a reduction are the classes it keeps, those of its body, and D - P. A full
 * operand is a leaf that varies along all of D. The spine S of a group are the outer classes that all its members share.
 * A level (group, phase) says where a value first exists: phase 0 inside the loops of the spine, 1 after a sum along the
 * spine was closed, 2 when the group is over. */
#pragma once
#include "group.h"
#include "map.h"
#include "vec.h"

enum {
    MAX_LEAVES = 16,   /* of a light node; beyond, an operand is stored: else long chains are quadratic */
    MAX_RUN = 100,     /* of light nodes one upon the other between two cuts */
    MAX_DEPTH = 300,   /* the same with what is computed again from before a cut; bounds the recursion of the text */
    MAX_MAPS = 2,      /* of index maps one upon the other: each writes its operand's index out several times */
    MAX_AXES = 20,     /* of a light node with all that is written out below it */
    MAX_GROUP_AXES = 40, /* schedules take 56 */
    MAX_READS = 64,    /* values that a group reads */
    MAX_MEMBERS = 24,  /* reductions of a group: about as many values are live at once */
    MAX_OUTS = 12,
    MAX_PARTS = 4,     /* of a concat that is written as a choice by position where it is used */
    MAX_TINY_PARTS = 16, /* the same in small programs, whose loops are expanded */
    NEAR_COST = 3,     /* operations per element up to which a crossing value is computed again */
    COSTLY = 20,       /* a transcendental function */
    SHORT = 16,        /* the most points of a loop that may be written out */
    MAX_ROOTS = 4,     /* costly functions of pairs that a node is made of */
    GUESS = 4096,      /* a symbolic extent */
    FEW_POINTS = 64,
    NONE = -1,
    FIRST = -2
};

typedef enum {
    NODE_MEMORY,
    NODE_SCALAR,
    NODE_DIM,
    NODE_IOTA,
    NODE_ELEM,
    NODE_CHECK,
    NODE_BROADCAST,
    NODE_PERMUTE,
    NODE_RESHAPE,
    NODE_SLICE,
    NODE_PAD,
    NODE_FLIP,
    NODE_CONCAT,
    NODE_TAKE,
    NODE_REDUCE,
    NODE_SCATTER
} node_kind;

typedef enum { GROUP_MAP, GROUP_ROWS, GROUP_CONTRACT, GROUP_SCATTER } group_kind;

typedef struct class_set {
    uint32_t n;
    uint32_t at[GN_MAX_RANK + 1];
} class_set;

typedef struct gnode {
    const gn_expr *e;
    uint8_t kind, rank;
    uint8_t var;              /* dims along which the value varies, as bits */
    uint8_t rvar;             /* dims along which it varies through a reduction of its level's group */
    uint8_t phase;
    bool named;               /* an output or an update */
    bool stored;              /* in memory after `home` ran */
    bool cut;                 /* a light node that is a leaf: always read from memory */
    uint16_t crosses;         /* groups that need it and do not make it */
    bool sliced;              /* a concat in memory: its parts are written where they lie */
    bool is_part;             /* of such a concat */
    uint8_t part;             /* dims along which it stands in such concats */
    uint8_t nleaf;
    uint16_t depth;           /* of light nodes above the leaves */
    uint16_t run;             /* of those since the last cut through all values */
    uint8_t maps;             /* index maps above the leaves that are no translation: reshapes, gathers */
    bool moved;               /* something light below it is read at other places than its own */
    bool inlined;             /* a reduction that is text */
    uint16_t work;            /* of such a one: operations per element */
    uint8_t nroot;
    uint32_t root[MAX_ROOTS]; /* inlined reductions, and costly functions of pairs with several users, in its text */
    int32_t group;            /* of the level; NONE: from memory alone */
    int32_t home;             /* group that stores it */
    int32_t touched;          /* last group that reads it as a full operand */
    uint32_t slot;            /* of dim 0, in classes */
    uint32_t nparts;          /* of a concat, with those of concats along the same axis within it */
    uint32_t nuser;
    const uint32_t *user;     /* in number order */
    const uint32_t *leaf;
    uint8_t naxes;
    const uint32_t *axes;     /* classes of it and of the light nodes below it */
    const uint32_t *in;       /* operands by number */
} gnode;

typedef struct ggroup {
    uint8_t kind;             /* group_kind */
    bool dead;                /* moved into another */
    int32_t after;            /* NONE, or the group behind whose end it runs, before all later ones; FIRST: before all */
    class_set spine;
    GN_VEC(uint32_t) members; /* reductions */
    GN_VEC(uint32_t) closers; /* members summed along the spine */
    GN_VEC(uint32_t) outs;    /* nodes it stores */
    GN_VEC(uint32_t) touch;   /* full operands */
    GN_VEC(uint32_t) axes;    /* classes of what it computes */
    uint32_t nreads;          /* leaves that it reads */
    GN_VEC(uint32_t) nodes;   /* nodes of its level, filled by merge */
    GN_VEC(int32_t) followers;/* groups that run right behind it */
    int32_t contraction;      /* heavy member; NONE */
    const struct heavy *heavy;/* its sides */
    uint32_t row, lane;       /* its classes i and j */
    int64_t row_bytes;        /* of the full operands, per point of the spine */
} ggroup;

struct extra_values {
    GN_VEC(int32_t) value;
};
struct touchers {
    GN_VEC(uint32_t) group;
};

typedef struct grouper {
    gn_arena *arena;          /* the result's */
    gn_arena *scratch;
    const struct gn_core *core;
    const gn_target *target;
    GN_VEC(gnode) nodes;      /* live ones; operands before users */
    uint32_t *number;         /* by expr id */
    uint32_t nslots;
    uint32_t *parent, *cls;   /* union-find over slots; then the class of each slot */
    const gn_dim **extent;    /* by class */
    uint32_t nclasses;
    GN_VEC(ggroup) groups;
    gn_map touches, reads;    /* (group, leaf) pairs */
    struct touchers *touchers;/* by leaf: the groups that touch it */
    GN_VEC(int32_t) first;    /* groups that run before all others */
    GN_VEC(uint32_t) late;    /* outputs from memory alone, placed last */
    gn_grouping *out;
    uint32_t waist, fixed;    /* nodes behind the last cut through all values; the last node whose group is settled */
    uint32_t *waist_of;       /* by node: the last search for such a cut that met it */
    bool again;               /* nodes behind such a cut are visited anew */
    bool tiny;                /* all of it may become one function */
    uint32_t ntemps;
    int32_t *value;           /* by node: its value, NONE */
    gn_map output_values;     /* by node: struct extra_values, all outputs and updates that it is */
    struct writer *writer;    /* group_text.c */
    GN_VEC(const char *) reserved; /* names of all symbols */
} grouper;

/* group_node.c */
void gn_group_nodes(grouper *);
/* Where dim d of operand k stands in node n: a dim of n with the same index, or NONE where the index is another one or
 * the dim is reduced. */
void gn_group_dims(const grouper *, const gnode *n, uint32_t k, int8_t *map);
/* A reshape as blocks of dims with equal numbers of elements, as small as can be told; extents of 1 are in none. */
typedef struct reshape_blocks {
    uint8_t n, in[GN_MAX_RANK], out[GN_MAX_RANK]; /* dims that are not 1, in order */
    uint8_t in_end[GN_MAX_RANK], out_end[GN_MAX_RANK]; /* by block: end of its dims in `in` and `out` */
} reshape_blocks;
reshape_blocks gn_group_reshape(const grouper *, const gnode *n);
/* Dims of node n that vary because operand k varies along `var`. */
uint8_t gn_group_varies(const grouper *, const gnode *n, uint32_t k, uint8_t var);
uint8_t gn_group_mapped(const grouper *, const gnode *n, uint32_t k); /* the operand's dims that stand in n, as bits */
static inline const gnode *operand(const grouper *g, const gnode *n, uint32_t k) { return &g->nodes.at[n->in[k]]; }
static inline uint8_t all_dims(const gnode *n) { return (uint8_t)((1u << n->rank) - 1); }
static inline bool has_number(const uint32_t *at, size_t n, uint32_t x)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] == x) return true;
    return false;
}
static inline bool is_light(const gnode *n)
{
    return n->kind != NODE_MEMORY && (n->kind != NODE_REDUCE || n->inlined) && n->kind != NODE_SCATTER;
}
static inline bool is_leaf(const gnode *n) { return !is_light(n) || n->cut; }
static inline bool is_move(const gnode *n) { return n->kind >= NODE_BROADCAST && n->kind <= NODE_TAKE; }
/* A move with one operand and nothing to fill in. */
static inline bool is_view(const gnode *n)
{
    return n->kind == NODE_BROADCAST || n->kind == NODE_PERMUTE || n->kind == NODE_RESHAPE || n->kind == NODE_SLICE ||
           n->kind == NODE_FLIP;
}
void gn_group_sort(uint32_t *numbers, size_t n);
bool gn_group_has_extent(const gnode *, int64_t extent);     /* along some dim */
bool gn_group_reduces_dim(const gnode *reduction, uint32_t dim);
uint32_t gn_group_look_through(const grouper *, uint32_t n); /* the first node below views */
int gn_group_cost(const gnode *);                            /* operations per element */
/* its elements can be written as indices: positions, numbers, loads */
bool gn_group_is_index(const grouper *, uint32_t n);
gn_ref gn_group_scalar(const gn_expr *);                     /* a constant's value */
const gn_dim *gn_group_dim_of(const gn_expr *);              /* of a dim node */
gn_red gn_group_red(const gnode *);

/* group_axes.c */
void gn_group_classes(grouper *);
class_set gn_group_along(const grouper *, const gnode *, uint8_t dims); /* classes of these dims */
static inline class_set gn_group_set(const grouper *g, const gnode *n) { return gn_group_along(g, n, all_dims(n)); }
static inline class_set gn_group_var(const grouper *g, const gnode *n) { return gn_group_along(g, n, n->var); }
class_set gn_group_kept(const grouper *, const gnode *reduction);  /* P */
bool gn_group_renamed(const grouper *, const gnode *reduction);    /* a kept dim has another class in the body */
bool class_in(const class_set *, uint32_t c);
bool class_subset(const class_set *a, const class_set *b);
bool class_disjoint(const class_set *a, const class_set *b);
class_set class_minus(const class_set *a, const class_set *b);
int64_t gn_group_extent(const grouper *, uint32_t c);              /* GUESS where symbolic */
bool gn_group_fixed(const grouper *, uint32_t c, int64_t *extent);
int64_t gn_group_size(const grouper *, const class_set *);
static inline uint32_t class_of(const grouper *g, const gnode *n, uint32_t d) { return g->cls[n->slot + d]; }

/* group_heavy.c: contractions. */
typedef struct heavy {
    uint8_t nfactors, rows, lanes;  /* dims of the body along which only one of both sides varies */
    uint32_t factor[8];             /* nodes of the product, through multiplications */
    uint8_t side[8];                /* 0 rows, 1 lanes */
    uint32_t i, j;                  /* chosen classes; set by gn_group_orient, which may exchange the sides */
} heavy;
/* `pair`: classes along which a factor will be text, though that cannot be seen yet; or NULL. */
bool gn_group_heavy(const grouper *, const gnode *reduction, const class_set *pair, heavy *);
void gn_group_orient(const grouper *, const gnode *reduction, heavy *);
int gn_group_lanes(const grouper *, const gnode *reduction);       /* of a vector of its dtype */

/* group_assign.c */
typedef struct group_level {
    int32_t group;
    int phase;
} group_level;
void gn_group_assign(grouper *);

/* group_home.c: what groups read and write out, and where a value can be stored. */
int32_t gn_group_new(grouper *, group_kind, const class_set *spine, int32_t after);
bool gn_group_is_full(const grouper *, const class_set *d, uint32_t leaf); /* it varies along all of d */
bool gn_group_has_full(const grouper *, const class_set *d, const gnode *); /* one of its leaves does */
/* bytes of the leaf that one point of the group's spine reads */
int64_t gn_group_row_bytes(const grouper *, const ggroup *, const class_set *d, uint32_t leaf);
void gn_group_touch(grouper *, int32_t group, const gnode *body, const class_set *d); /* notes its full operands */
bool gn_group_note_touch(grouper *, int32_t group, uint32_t leaf); /* false: it is known */
bool gn_group_touches(const grouper *, int32_t group, uint32_t leaf);
void gn_group_note_written(grouper *, int32_t group, const gnode *);
/* its axes and operands beside those of the group are not too many */
bool gn_group_can_write(const grouper *, int32_t group, const gnode *);
bool gn_group_can_join(const grouper *, const ggroup *from, int32_t to);
bool gn_group_is_map_of(const grouper *, int32_t group, const gnode *); /* over the node's dims, with room for it */
bool gn_group_holds(const grouper *, const ggroup *, const gnode *, int phase); /* the group can store the node */
int32_t gn_group_home(grouper *, uint32_t node); /* a group that can store the node; makes one if none can */
int32_t gn_group_first(grouper *, const gnode *); /* a group before all others that can store it */
int32_t gn_group_store(grouper *, uint32_t node, int32_t home); /* makes it an output of the group */
/* Dims along which it stands in memory: all of an output, else those that it varies along, and of a part those of the
 * whole. */
static inline uint8_t stored_dims(const gnode *n) { return n->named ? all_dims(n) : n->var | n->part; }
static inline class_set gn_group_stored(const grouper *g, const gnode *n)
{
    return gn_group_along(g, n, stored_dims(n));
}

/* group_light.c: leaves, classes and level of a light node; cuts. */
void gn_group_visit_light(grouper *, gnode *);
group_level gn_group_operands_level(const grouper *, const gnode *); /* the first at which all operands can be read */
/* Makes a light node a leaf, which is read from memory only; of a view, which stays text, what lies below it. */
void gn_group_cut(grouper *, uint32_t node);
void gn_group_cut_indices(grouper *, const gnode *);  /* those that are computed, of a gather or scatter */
bool gn_group_covers(const grouper *, const gnode *); /* some leaf varies along all that the node varies along */

/* group_reduce.c: groups of reductions and scatters. */
void gn_group_visit_reduction(grouper *, uint32_t node);
void gn_group_visit_scatter(grouper *, uint32_t node);
const uint32_t *gn_group_self_leaf(grouper *, uint32_t node); /* the list of leaves of what is its own */

/* group_slice.c */
void gn_group_find_tiny(grouper *);
bool gn_group_has_many_parts(const grouper *, const gnode *); /* too many for a choice by position */
bool gn_group_slices(grouper *, uint32_t node);  /* stores the parts of a concat; false: it is stored as any other node */
void gn_group_slice_homes(grouper *);            /* anew, where groups have moved */
void gn_group_slice_values(grouper *);

/* elements per step of each dim, also where it is row-major */
const gn_dim *const *gn_group_strides(grouper *, const gn_gvalue *);

/* Row-major after all: nothing lies between the elements. Strides of extents 1 do not matter. */
bool gn_group_is_contiguous(gn_dim_pool *, size_t rank, const gn_dim *const *shape, const gn_dim *const *stride);

/* group_rebase.c: last, since values of a buffer change. */
void gn_group_rebase(grouper *, gn_group *);

/* group_pair.c */
int64_t gn_group_points(const gnode *reduction);              /* of what is reduced; 0 if it is not known or not short */
bool gn_group_inlines(grouper *, gnode *reduction);           /* the reduction is text, once its operand is placed */
bool gn_group_is_pair(const grouper *, const gnode *light);   /* it varies along two long loops, which no leaf has both */
void gn_group_roots(const grouper *, gnode *light);           /* finds them */
/* n has one more long loop than x, which no operand has with those of x */
bool gn_group_pairs(const grouper *, const gnode *n, const gnode *x);
bool gn_group_is_short(const grouper *, uint32_t class);
class_set gn_group_long(const grouper *, const class_set *);  /* without short loops, unless all are */
/* A sum over the spine of what the pairs give has its accumulators in registers: it keeps no long loop, P. */
bool gn_group_closes(const grouper *, const gnode *reduction, const class_set *p);
/* so many groups may compute it from memory; for more it is stored */
int gn_group_most_times(const grouper *, const gnode *);

/* group_repeat.c: the light node below this one to store, since inlining would compute it too often; UINT32_MAX: none. */
uint32_t gn_group_repeated(grouper *, const gnode *);

/* group_waist.c: stores all values of the level's group that are alive at one place before node `end`, and returns
 * that: the last node before the cut. UINT32_MAX: there is none. */
uint32_t gn_group_waist(grouper *, uint32_t end, int32_t group);

/* group_merge.c, group_cross.c, group_order.c */
void gn_group_merge(grouper *);
void gn_group_cross(grouper *);
bool gn_group_is_near(const grouper *, uint32_t node); /* cheaper to compute again than to store and load */
/* Place of a group in the order of execution: those that run behind another come in the order they were made. */
static inline int64_t order_key(const grouper *g, int32_t q)
{
    const ggroup *group = &g->groups.at[q];
    return group->after != NONE ? (int64_t)group->after * ((int64_t)1 << 32) + q : (int64_t)q << 32;
}
/* The node is in memory when group q begins. */
static inline bool is_ready(const grouper *g, const gnode *n, int32_t q)
{
    return n->kind == NODE_MEMORY || (n->stored && order_key(g, n->home) < order_key(g, q));
}

/* group_values.c, group_text.c */
void gn_group_values(grouper *);
int32_t gn_group_add_temp(grouper *, uint32_t node);
void gn_group_note_value(grouper *, uint32_t node, int32_t value); /* one more place where the node is stored */
void gn_group_kernel(grouper *, int32_t q, gn_group *out);
void gn_group_order(grouper *);
void gn_group_comment(grouper *, int32_t q, gn_kernel *);

/* group_small.c: if everything is constant and small, all kernels become one. */
void gn_group_small(grouper *);
