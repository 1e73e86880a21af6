/* What lowering knows while it turns a kernel and a schedule into a tree and code; private to this folder.
 *
 * The kernel is copied: constants substituted, rfactors applied, definitions that are not kept inlined. All index
 * expressions of the copy are over symbols and leaves; an axis is the sum of its leaves times their strides. */
#pragma once
#include "dim_prove.h"
#include "leafset.h"
#include "tree_node.h"

typedef struct gn_lleaf {
    const char *name;    /* also the symbol of its value */
    const gn_dim *value; /* that symbol as a dim */
    int64_t extent;      /* 0: outermost */
    uint8_t bind, grid;
    uint16_t unroll;
    bool peel, cluster;
    uint32_t place;       /* in the order */
    uint32_t axis;        /* the first one that has it */
    const gn_dim *points; /* how many values, before any tail: over symbols, and axes where extents depend on them */
} gn_lleaf;

typedef struct gn_laxis {
    const char *name;
    const gn_dim *extent; /* over symbols and axes of lower index */
    bool dependent;       /* its extent mentions axes */
    GN_VEC(uint32_t) leaf;
    GN_VEC(int64_t) stride;
    /* of an axis that is fused: the one that walks it, what it is of that, and what one point of it is there */
    const struct gn_fuse *into; /* NULL: it has leaves */
    const gn_dim *digit, *weight;
} gn_laxis;

static inline bool gn_has_leaf(const gn_laxis *a, uint32_t leaf)
{
    return gn_leaf_place(a->leaf.n, a->leaf.at, leaf) < a->leaf.n;
}
/* The leaf's stride on the axis; 0: it is none of its leaves. */
static inline int64_t gn_leaf_stride(const gn_laxis *a, uint32_t leaf)
{
    return gn_has_leaf(a, leaf) ? a->stride.at[gn_leaf_place(a->leaf.n, a->leaf.at, leaf)] : 0;
}

typedef struct gn_lstate { /* a value of what is kept: of a reduction's state, or the one of a copy */
    /* Reductions: as in gn_kfold; a sum has (add state body), and so on. start NULL: the step makes it anew. */
    const gn_kexpr *start, *step, *merge;
    const gn_kexpr *first; /* what it starts with, if that is not start: a value of another definition */
    const gn_kexpr *past; /* what it becomes at points past the end; NULL: it stays */
    const char *name;     /* behind the definition's; NULL: none */
    gn_object *object, *partial;
    const gn_place *exchange; /* of a fold, shared memory in which threads merge it; NULL: not made yet */
    const gn_code_body *exchanged_in; /* the last region that declares it */
} gn_lstate;

typedef struct gn_ldef { /* a definition that is computed somewhere, or a store */
    const char *name;
    uint32_t index; /* text order */
    bool is_store;
    const gn_kstore *store;
    gn_red red;
    gn_dtype dtype;
    uint16_t nparam, nraxis; /* a store's parameters: the axes in it */
    const uint16_t *param, *raxis;
    const gn_kexpr *body;    /* what is reduced, kept or stored; of a fold its step */
    const gn_kexpr *upd;     /* of a reduction: all steps */
    const gn_kexpr *turn;    /* what a sum becomes before a turn of a running maximum; NULL: it stays */
    const gn_kfold *fold;    /* NULL: none */
    gn_lstate *state;
    uint16_t nstates;
    uint32_t chunk; /* of a prefix that starts anew at each point of its axis' first leaf: that leaf, + 1 */
    gn_leafset scanned; /* of a prefix: leaves of its axis whose points are scanned at once; they are among params */
    bool prefix;             /* a running reduction, read within its loops: reduced has the leaves of that parameter */
    const gn_stage *stage; /* NULL: a reduction that lives in registers, or a store */
    const gn_tensorize *tile;
    const gn_tile_op *row;
    int32_t online;                      /* leaf, -1 */
    const bool *online_users;            /* by item: it may run inside the loop over that leaf and is corrected there */
    gn_leafset params, reduced, private; /* leaves; reduced: those that are no parameter's */
    GN_VEC(const gn_kexpr *) refs;       /* to kept definitions */
    GN_VEC(struct gn_ldef *) users;      /* once for each use */
    uint32_t nawaited;                   /* uses of what is not placed yet */
    gn_leafset before;                   /* of a copy staged at a loop, the loops around its uses */
    bool *reaches;                       /* of a running maximum, by item: it is needed there; NULL: not asked yet */
    GN_VEC(gn_tree *) touched;           /* statements that read or write it */
    gn_tree *main; /* its upd, asg or store, once placed */
    bool updated, done;
    gn_object *object, *partial; /* of the first value; those of the others are like them */
} gn_ldef;

/* Leaves of the row that it is tensorized to. */
static inline gn_leafset gn_row_leaves(const gn_ldef *d)
{
    return d->tile ? gn_set_of(d->tile->leaf.n, d->tile->leaf.at) : (gn_leafset){ { 0 } };
}
/* Its accumulators are opaque values of its row. */
static inline bool gn_is_opaque(const gn_ldef *d)
{
    return d->row && d->row->kind == GN_TILE_UNIT;
}
/* Its accumulators are not what is kept of it: a statement of its own makes one of the other. */
static inline bool gn_is_merged(const gn_ldef *d)
{
    return !gn_set_empty(d->private) || gn_is_opaque(d);
}

typedef struct gn_lower {
    gn_arena *arena;
    const gn_kernel *from;
    const gn_schedule *schedule;
    const gn_target *target;
    gn_scheduled *out;
    gn_kernel *kernel; /* the copy */
    gn_code *code;
    gn_dim_pool *dims; /* its */
    bool cuda;
    GN_VEC(gn_lleaf) leaves;
    GN_VEC(uint32_t) order;
    GN_VEC(gn_laxis) axes;   /* the copy's, by index: the kernel's, those of fuses, those of rfactors */
    size_t nown;             /* of the kernel and of fuses */
    gn_map axis_of;          /* symbol's name -> axis index + 1 */
    gn_map leaf_of;          /* symbol's name -> leaf index + 1 */
    gn_map sites, site_args; /* lower_inline.c: definitions in place of their uses */
    gn_map bodies;           /* expand_point.c: statements' expressions */
    GN_VEC(gn_ldef *) items; /* computed definitions and stores, text order */
    gn_ldef **def;           /* by definition of the copy; NULL: inlined */
    GN_VEC(gn_object *) objects;
    gn_tree *root;
    GN_VEC(gn_tree *) open;
    struct gn_place_queue *queue;
    GN_VEC(gn_ldef *) online;
    GN_VEC(gn_dim_fact) facts; /* symbols, then leaves */
    gn_leafset full;           /* axes that do not end in the open turns of a peeled loop */
    gn_prover turns;           /* what is known in the turns of the open loops */
    gn_leafset flat;           /* leaves of a flat copy: guarded though serial */
    /* taken names, by symbol: the definition that may still take it for what is kept of it, or g */
    gn_map names;
} gn_lower;

/* Dims in the copy's pool. */
static inline const gn_dim *gn_lconst(const gn_lower *g, int64_t v)
{
    return gn_dim_const(g->dims, v);
}
static inline const gn_dim *gn_ladd(const gn_lower *g, const gn_dim *a, const gn_dim *b)
{
    return gn_dim_add(g->dims, a, b);
}
static inline const gn_dim *gn_lsub(const gn_lower *g, const gn_dim *a, const gn_dim *b)
{
    return gn_dim_sub(g->dims, a, b);
}
static inline const gn_dim *gn_lscale(const gn_lower *g, const gn_dim *a, int64_t c)
{
    return gn_dim_scale(g->dims, a, c);
}
static inline double gn_lowest_float(gn_dtype t)
{
    return t == GN_F32 ? -0x1.fffffep127 : -0x1.fffffffffffffp1023;
}
static inline gn_dim_facts gn_lfacts(const gn_lower *g)
{
    return (gn_dim_facts){ g->facts.n, g->facts.at };
}
static inline bool gn_is_tile_leaf(const gn_lower *g, uint32_t l)
{
    return gn_is_tile_bind(g->leaves.at[l].bind);
}
/* All its points run, also past the end of its axis: threads, and blocks of a cluster. */
static inline bool gn_runs_all(const gn_lower *g, uint32_t l)
{
    return g->leaves.at[l].bind == GN_BIND_THREAD || g->leaves.at[l].cluster;
}
int64_t gn_points(const gn_lower *, uint32_t leaf); /* of a leaf whose count is constant; asserts that it is */
const gn_laxis *gn_axis_named_by(const gn_lower *, const gn_dim *); /* that it is, alone; NULL */

_Noreturn void gn_illegal(const gn_lower *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* lower_kernel.c: the copy, leaves and statements' leaves. */
void gn_lower_kernel(gn_lower *);
uint32_t gn_lower_axis(gn_lower *, const char *name, const gn_dim *extent); /* a new one of the copy */
const gn_dim *gn_lower_import(gn_lower *, const gn_dim *); /* a dim of the caller's kernel */
/* lower_inline.c: expressions of the copy. */
typedef struct gn_expr_copy {
    gn_lower *g;
    uint32_t *def; /* schedule's numbering -> copy's */
    bool *fused; /* by the kernel's definition: its parameters are */
    const gn_dim *const *digit; /* by axis: what stands for it; NULL: nothing does */
    gn_kcopy copy;
} gn_expr_copy;
void gn_copy_start(gn_expr_copy *); /* its copy */
/* lower_fuse.c: axes that are walked by one. */
void gn_lower_fuse(gn_lower *);
const gn_dim **gn_fused_digits(gn_lower *);    /* what stands for each axis; NULL: no fuse */
bool gn_fused_def(gn_lower *, const gn_kdef *); /* it is over fused axes; throws if not over all of them */
uint16_t *gn_fused_axes(gn_lower *, uint16_t *n, const uint16_t *axis); /* what takes the place of these */
const gn_dim **gn_fused_args(gn_lower *, const gn_kdef *, const gn_dim *const *arg);
void gn_check_fused_store(gn_lower *, const gn_kstore *); /* of the caller's kernel */
const gn_kexpr *gn_inline_expr(gn_lower *, const gn_kexpr *); /* of the copy */
/* lower_check.c: legality of directives that needs no placement. */
void gn_lower_check(gn_lower *);
/* verify_stmt.c: what must hold of the tree of statements once storage and bounds are there. */
void gn_lower_verify(gn_lower *);
/* lower_name.c: the names that are there after gn_lower_kernel; then new ones near `wanted`, which may be that of
 * definition `own`. */
void gn_lower_names(gn_lower *);
const char *gn_lower_name(gn_lower *, const gn_ldef *own, const char *wanted);
/* place.c: the tree of loops. */
void gn_lower_place(gn_lower *);
bool gn_is_inside(const gn_ldef *, const gn_tree *loop); /* its main statement is */
bool gn_depends_on(gn_lower *, const gn_ldef *, gn_ldef *m); /* on a maximum, through definitions */
/* place_next.c: in which order, and how far into the open loops. */
typedef struct gn_path { /* leaves of the loops around a statement, from outside */
    uint32_t n, leaf[GN_MAX_LEAVES];
} gn_path;
typedef struct gn_candidate {
    gn_ldef *d;
    bool merge;   /* of its private results; else its main statement */
    size_t depth; /* open loops that it shares */
} gn_candidate;
gn_path gn_path_of(const gn_lower *, gn_leafset);
/* own: only so many loops are shared with others */
gn_path gn_stmt_path(const gn_lower *, const gn_ldef *, bool merge, size_t *own);
gn_stmt_kind gn_main_stmt(const gn_ldef *);
void gn_place_begin(gn_lower *);
bool gn_place_next(gn_lower *, gn_candidate *);  /* false: all are placed */
void gn_place_close(gn_lower *, size_t depth);   /* the open loops from there on */
void gn_place_ready(gn_lower *, gn_ldef *);      /* its next statement may be placed */
void gn_place_done(gn_lower *, gn_ldef *);
static inline bool gn_is_copy(const gn_ldef *d)
{
    return !d->is_store && d->red == GN_RED_NONE;
}
static inline bool gn_is_shared_copy(const gn_tree *t)
{
    return t->kind == GN_NODE_STMT && t->stmt == GN_STMT_ASG && t->def->object->level == GN_LEVEL_SHARED;
}
/* storage.c: homes, dims, levels, sizes; then addresses. */
void gn_lower_storage(gn_lower *);
gn_object *gn_accumulator(const gn_ldef *); /* where init and upd write; of the first value */
gn_object *gn_accumulator_of(const gn_lstate *);
gn_tree *gn_step_of(const gn_lower *, const gn_tree *stmt);
/* Element index of the object at arguments per parameter; env: value per leaf, NULL outside loops. */
const gn_dim *gn_object_address(gn_lower *, const gn_object *, const gn_dim *const *arg, const gn_dim *const *env);
/* Whether the argument of this parameter is known to fall into what is kept, also past the end of the axis. */
bool gn_object_covers(gn_lower *, const gn_object *, size_t param, const gn_dim *arg, const gn_dim *const *env);
/* The value of each dim of the object at the arguments. */
void gn_object_digits(gn_lower *, const gn_object *, const gn_dim *const *arg, const gn_dim *const *env,
                      const gn_dim **digit);

/* alone.c: marks what one thread of a block runs for all. */
void gn_lower_alone(gn_lower *);
gn_leafset gn_must_be_alone(const gn_lower *, const gn_tree *stmt); /* whoever reads it: it changes what all share */
/* bounds.c */
const gn_dim *gn_axis_value(gn_lower *, uint32_t axis, const gn_dim *const *env);         /* NULL if a leaf has no value */
const gn_dim *const *gn_axes_over_leaves(gn_lower *, size_t n); /* of the first n axes; the others are NULL */
const gn_dim *gn_subst_axes(gn_lower *, const gn_dim *, const gn_dim *const *axis_value); /* NULL entries stay */
/* an extent with every axis at its last value */
const gn_dim *gn_axis_most(gn_lower *, const gn_dim *extent);
/* it never falls with that symbol; NULL: with an axis */
bool gn_grows(const gn_lower *, const gn_dim *, const char *symbol);
void gn_check_extents(gn_lower *);                                                /* throws where it does and must not */
const gn_dim *gn_leaf_bound(gn_lower *, uint32_t leaf, const gn_dim *const *env); /* trips under the open loops */
const gn_dim *gn_loop_end(gn_lower *, uint32_t leaf, const gn_dim *const *env);   /* the same, but all threads run */
/* its loops of known extent run all of it, whatever is left of the axis */
bool gn_axis_full(gn_lower *, uint32_t axis);
bool gn_axis_exact(gn_lower *, uint32_t axis);                                    /* its leaves never pass its extent */
typedef struct gn_guard {
    uint32_t axis;
    const gn_dim *value, *extent; /* value may reach extent or pass it */
} gn_guard;
typedef struct gn_guards {
    size_t n;
    gn_guard *at;
} gn_guards;
/* Of these axes; inside: per axis of the kernel its value, not past the end but along the lane. */
gn_guards gn_guards_of(gn_lower *, size_t n, const uint16_t *axis, const gn_dim *const *env, const gn_dim **inside);
bool gn_mentions_leaf(const gn_lower *, const gn_dim *, int bind); /* one that is bound so; -1: any */
bool gn_dim_at_least(const gn_lower *, const gn_dim *, int64_t); /* known from the facts */

/* Steps of the tile points of a statement, in the order of the schedule: start with *point = -1. Sets the points'
 * values in env (the lane leaf's is its symbol); false after the last, which leaves none in env. */
typedef struct gn_points_iter {
    uint32_t n, leaf[16];
    int64_t at[16], count[16];
    bool started;
} gn_points_iter;
void gn_points_begin(gn_lower *, gn_points_iter *, gn_leafset leaves);
bool gn_points_next(gn_lower *, gn_points_iter *, const gn_dim **env);
int32_t gn_lane_leaf(const gn_lower *, gn_leafset leaves); /* -1: none */

/* Leaves that a statement runs over. */
gn_leafset gn_stmt_leaves(const gn_tree *stmt);

/* expand.c: the code. */
void gn_lower_expand(gn_lower *);

gn_tree *gn_tree_new(gn_lower *, gn_tree_kind);
const gn_dim **gn_env_copy(gn_lower *, const gn_dim *const *env);
