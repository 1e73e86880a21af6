/* Expansion: statements become lets and sets over typed values. What expand*.c share. */
#pragma once
#include "lower.h"

typedef struct gn_known { /* a let that later code may use again; dead: what it read was written since */
    const gn_val *val;
    uint64_t hash;
    uint32_t next; /* in its chain, + 1 */
    bool dead;
} gn_known;

/* What is known of the content of a variable, or of a stretch of memory: to be forgotten when that is written. */
typedef struct gn_reader {
    uint32_t known; /* among gn_expander.known, where `val` may have made room for another since */
    const gn_val *val;
} gn_reader;
typedef struct gn_readers {
    GN_VEC(gn_reader) at;
} gn_readers;

typedef struct gn_pending { /* a place in memory that is written once, at the end of the expansion */
    gn_access place;
    const gn_val *val;
    uint32_t next; /* of the same hash, + 1 */
} gn_pending;

typedef struct gn_held { /* a variable's constant */
    const gn_val *val;
    uint32_t epoch; /* of gn_expander.epoch: else it is forgotten */
} gn_held;

typedef struct gn_known_point { /* what is known at a point of the statement at work */
    const gn_dim **axis, **inside;
    gn_guards guards;
    struct gn_point_node *node; /* NULL: nothing */
} gn_known_point;

typedef struct gn_expander {
    gn_lower *g;
    gn_tree *block; /* nodes go here */
    uint32_t nlets;
    const gn_dim **env;  /* value of each leaf; a lane leaf's is its symbol */
    const gn_tree *stmt; /* the statement at work */
    int32_t lane;        /* its lane leaf, -1 */
    uint16_t lanes;
    const gn_dim **axis, **inside; /* at the point: value of each axis; the same, not past the end except along the lane */
    gn_guards guards;              /* of the point */
    const struct gn_point_body *body;    /* of the statement, and its nodes at the point; NULL: not looked at yet */
    struct gn_point_node *node;
    GN_VEC(gn_known_point) points;
    gn_preds when;                 /* what holds wherever the node at work is needed, */
    bool loose;                    /* but not only there */
    GN_VEC(gn_known) known;
    uint32_t *chain, nchains; /* of known, by hash */
    gn_map variable_readers;  /* by object and number: gn_readers */
    gn_map memory_readers;    /* by buffer or object: their stretches */
    gn_map held;              /* variables that are known to be constants in the block at work, by object and number: gn_held */
    uint32_t epoch;
    bool hold; /* writes to memory wait in `pending` */
    GN_VEC(gn_pending) pending;
    gn_map pending_at;        /* by hash of the place: the last one, + 1 */
    uint32_t nflat; /* flat copy loops so far */
} gn_expander;

/* expand_known.c: the table of known lets. */
const gn_val *gn_known_find(gn_expander *, const gn_val *probe, uint64_t hash); /* NULL: none */
void gn_known_add(gn_expander *, const gn_val *, uint64_t hash);
void gn_known_written(gn_expander *, const gn_access *, uint16_t lanes); /* forgets the loads that the place may meet */
void gn_known_set(gn_expander *, const gn_object *, uint32_t number);    /* a variable */
void gn_v_forget_object(gn_expander *, const gn_object *);
void gn_v_forget_buf(gn_expander *, uint32_t buf);
/* Lets of an inner body are not known outside: mark at its begin, release at its end. */
size_t gn_v_mark(const gn_expander *);
void gn_v_release(gn_expander *, size_t mark);

/* expand_value.c: values, each made once. */
const gn_val *gn_v_let(gn_expander *, gn_val); /* the known one that is the same, or a new let */
const gn_op_info *gn_v_op_named(const char *);
const gn_val *gn_v_float(gn_expander *, gn_dtype, double);
const gn_val *gn_v_int(gn_expander *, gn_dtype, int64_t);
const gn_val *gn_v_zero(gn_expander *, gn_dtype);
const gn_val *gn_v_reg(gn_expander *, const gn_object *, uint32_t number);
const gn_val *gn_v_copy(gn_expander *, const gn_val *);
const gn_val *gn_v_splat(gn_expander *, const gn_val *, uint16_t lanes); /* of a vector of these lanes: itself */
const gn_val *gn_v_op(gn_expander *, const gn_op_info *, gn_dtype result, const gn_val *const *a, size_t n);
bool gn_v_same(const gn_val *, const gn_val *);
const gn_val *gn_v_constant(const gn_val *); /* the scalar constant that v is, in all lanes; NULL: none */
const gn_val *gn_v_pack(gn_expander *, const gn_val *const *a, uint16_t lanes);
const gn_val *gn_v_lane(gn_expander *, const gn_val *, uint32_t lane);
bool gn_v_knows_op(gn_expander *, const gn_op_info *, const gn_val *const *a, uint16_t n);
void gn_v_remember_op(gn_expander *, const gn_op_info *, const gn_val *const *a, uint16_t n, const gn_val *result); /* scalars */
const gn_val *gn_v_op2(gn_expander *, const char *op, const gn_val *, const gn_val *);
bool gn_v_asks_all_of(gn_expander *, const gn_val *mask, const gn_val *other); /* every part of the other mask is one of the mask */
const gn_val *gn_v_load(gn_expander *, gn_dtype, uint16_t lanes, const gn_access *);
const gn_val *gn_v_reduce(gn_expander *, gn_val_kind, gn_red, const gn_val *);
bool gn_same_preds(gn_preds, gn_preds);
/* How lanes lie at this element index. `safe` are the conditions under which it may be computed (EACH). */
gn_access gn_v_access(gn_expander *, int32_t buf, const gn_object *, const gn_dim *at, const gn_val *mask, gn_preds when,
                      gn_preds safe);
void gn_v_forget_held(gn_expander *);
void gn_v_set_reg(gn_expander *, gn_object *, uint32_t number, const gn_val *);
void gn_v_store(gn_expander *, const gn_access *, const gn_val *);
void gn_v_flush(gn_expander *); /* pending writes */
void gn_emit_node(gn_expander *, gn_tree *);

/* expand_index.c: index expressions, masks of lanes, conditions. */
const gn_val *gn_v_index(gn_expander *, gn_dtype, const gn_dim *, gn_preds when);
const gn_val *gn_v_select(gn_expander *, gn_preds when, const gn_val *yes, const gn_val *no); /* over leaves, uniform or not */
const gn_val *gn_v_mask(gn_expander *, gn_preds);      /* of the statement's lanes; NULL if there are none */
bool gn_v_varies(const gn_expander *, const gn_dim *); /* over the lane */
bool gn_v_affine(gn_expander *, const gn_dim *, const gn_dim **base, const gn_dim **step); /* base + step * lane */
bool gn_preds_vary(const gn_expander *, const gn_pred *);
/* Splits conditions into uniform ones and those that vary over the lane. */
void gn_preds_split(gn_expander *, const gn_pred *at, size_t n, gn_preds *uniform, gn_preds *varying);
bool gn_preds_read_memory(gn_preds);
gn_pred gn_pred_less(gn_expander *, const gn_dim *a, const gn_dim *b);

/* expand_body.c: an op that the target does not spell is a function whose body is the text of its record. */
const char *gn_body_text(const gn_lower *, const gn_op_info *, gn_dtype); /* throws if there is none */
typedef struct gn_math_function {
    const gn_op_info *op;
    gn_dtype dtype;
    uint16_t lanes, narg;
    const gn_tree *code; /* lets over GN_VAL_PARAM */
    const gn_val *result;
    uint32_t body, here, most; /* while text is emitted: the loop body of the last call, calls in it, calls in the body with most */
} gn_math_function;
gn_math_function gn_math_expand(gn_lower *, const gn_op_info *, gn_dtype, uint16_t lanes, uint16_t narg);

bool gn_cond_reads_memory(const gn_kcond *);
bool gn_cond_compares_data(const gn_lower *, const gn_kcond *); /* integers of 64 bits from memory, or such constants: any values */

/* expand_point.c: what a statement's expression needs at the point. */
typedef struct gn_point_node gn_point_node;
typedef struct gn_point_body gn_point_body;
const gn_val *gn_v_expr(gn_expander *, const gn_kexpr *); /* the statement's, or a part of it */
/* expand_expr.c: kernel expressions at the point. */
const gn_val *gn_v_leaf(gn_expander *, const gn_kexpr *); /* without operands */
gn_preds gn_when_of_conds(gn_expander *, uint16_t ncond, const gn_kcond *); /* under which conditions may be asked */
/* A kept definition at arguments over leaves. */
const gn_val *gn_v_read(gn_expander *, const gn_object *, const gn_dim *const *arg);
void gn_v_write(gn_expander *, gn_object *, const gn_dim *const *arg, const gn_val *);

/* expand_tile.c: shared copies and tile operations. */
void gn_expand_shared(gn_expander *, const gn_tree *stmt);
void gn_expand_tile_copy(gn_expander *, const gn_tree *stmt);
void gn_expand_tile_mma(gn_expander *, const gn_tree *stmt);
/* expand_pack.c: functions of scalars at the points of these leaves, computed as vectors. */
void gn_pack_functions(gn_expander *, const gn_tree *stmt, gn_leafset);
/* expand_tidy.c: branches joined, what nobody reads dropped. */
void gn_tidy(gn_lower *, gn_tree *step);
uint32_t *gn_let_uses(gn_arena *, const gn_tree *); /* how often each let is used, by id */
/* expand.c */
void gn_go_to_point(gn_expander *, const gn_tree *stmt, size_t at); /* of the statement's points, that env is at */
void gn_keep_point(gn_expander *, size_t at);
void gn_set_point(gn_expander *, const gn_ldef *); /* axis, inside and guards from env */
const gn_dim *const *gn_own_args(gn_expander *, const gn_ldef *);
