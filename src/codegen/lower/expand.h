/* Expansion: statements become code. What expand*.c share. */
#pragma once
#include "code_build.h"
#include "lower.h"

typedef struct gn_expander {
    gn_lower *g;
    gn_code_builder b;
    gn_code_step *step;
    const gn_dim **env;  /* value of each leaf; a lane leaf's is its symbol */
    const gn_tree *stmt; /* the statement at work */
    int32_t lane;        /* its lane leaf, -1 */
    const gn_dim **axis, **inside; /* at the point: value of each axis; the same, not past the end except along the lane */
    gn_guards guards;              /* of the point */
    const struct gn_point_body *body;    /* of the statement, and its nodes at the point; NULL: not looked at yet */
    struct gn_point_node *node;
    const gn_val *state[GN_FOLD_MOST]; /* of the reduction at work, before its step */
    gn_preds when;                 /* what holds wherever the node at work is needed, */
    bool loose;                    /* but not only there */
    uint32_t ndealt;               /* dealt loops so far */
    uint32_t cuts;                 /* loops around that are cut */
    const gn_pred *ahead;          /* shared copies are started, not made, where this holds; NULL: made */
} gn_expander;

/* expand_index.c: masks of lanes, conditions. */
/* over leaves, uniform or not */
const gn_val *gn_v_select(gn_expander *, gn_preds when, const gn_val *yes, const gn_val *no);
const gn_val *gn_v_mask(gn_expander *, gn_preds);      /* of the statement's lanes; NULL if there are none */
/* Splits conditions into uniform ones and those that vary over the lane. */
void gn_preds_split(gn_expander *, const gn_pred *at, size_t n, gn_preds *uniform, gn_preds *varying);
gn_pred gn_pred_less(gn_expander *, const gn_dim *a, const gn_dim *b);
gn_preds gn_preds_joined(gn_expander *, gn_preds, gn_preds);
/* What keeps the point inside those of its axes that it may pass; NULL: inside all. */
gn_preds gn_guard_preds(gn_expander *, size_t n, const uint16_t *axis);
/* integers of 64 bits from memory, or such constants: any values */
bool gn_cond_compares_data(const gn_lower *, const gn_kcond *);

/* expand_point.c: what a statement's expression needs at the point. */
typedef struct gn_point_node gn_point_node;
typedef struct gn_point_body gn_point_body;
const gn_val *gn_v_expr(gn_expander *, const gn_kexpr *); /* the statement's, or a part of it */
/* expand_expr.c: kernel expressions at the point. */
const gn_val *gn_v_leaf(gn_expander *, const gn_kexpr *); /* without operands */
const gn_val *gn_v_const(gn_expander *, const gn_kexpr *);
gn_preds gn_when_of_conds(gn_expander *, uint16_t ncond, const gn_kcond *); /* under which conditions may be asked */
/* A kept definition at arguments over leaves. */
const gn_val *gn_v_read(gn_expander *, const gn_object *, const gn_dim *const *arg);
void gn_v_write(gn_expander *, gn_object *, const gn_dim *const *arg, const gn_val *);

/* expand_merge.c: what parts of a reduction have, as one. */
typedef struct gn_tuple { /* a value for each of the state */
    const gn_val *at[GN_FOLD_MOST];
} gn_tuple;
void gn_expand_merge(gn_expander *, gn_ldef *, const gn_dim *const *arg);
gn_tuple gn_merged(gn_expander *, const gn_ldef *, const gn_tuple *own, const gn_tuple *other);
/* States in shared memory: a place for `n` in the region at work, stores and loads, a barrier. */
void gn_declare_exchange(gn_expander *, gn_ldef *, int64_t n);
void gn_exchange(gn_expander *, const gn_ldef *, const gn_dim *at, const gn_tuple *);
gn_tuple gn_exchanged(gn_expander *, const gn_ldef *, const gn_dim *at);
void gn_meet(gn_expander *);
const gn_dim *gn_thread_number(gn_lower *);
/* expand_scan.c: points of a prefix that are scanned at once. */
void gn_expand_scan(gn_expander *, gn_ldef *, const gn_dim *const *arg);

/* expand_tile.c: shared copies and tile products. */
void gn_expand_shared(gn_expander *, const gn_tree *stmt);
void gn_expand_tile_mma(gn_expander *, const gn_tree *stmt);
/* The factors of a tensorized sum: A(m, k), then B(k, n). */
void gn_tile_factors(const gn_lower *, const gn_ldef *, const gn_kexpr **factor);
/* expand_ring.c: loops whose shared copies are started turns before they are used. */
bool gn_is_ring(const gn_tree *loop);
void gn_expand_ring(gn_expander *, const gn_tree *loop);
void gn_expand_kid(gn_expander *, const gn_tree *); /* expand.c */
const gn_val *gn_v_kept(gn_expander *, const gn_val *); /* as it is now, if it is a register's */
gn_code_node *gn_v_open(gn_expander *, gn_code_kind); /* a node with a region, which is the block from now on */
/* The accumulator at the point, of those that the row's leaves number where these are 0. */
uint32_t gn_first_register(const gn_expander *, const gn_object *);
/* expand_matrix.c: copies of tiles, and sums whose accumulators are opaque. */
void gn_expand_tile_copy(gn_expander *, const gn_tree *stmt);
void gn_expand_unit(gn_expander *, const gn_tree *stmt);
/* expand.c */
void gn_set_point(gn_expander *, const gn_ldef *); /* axis, inside and guards from env */
const gn_dim *const *gn_own_args(gn_expander *, const gn_ldef *);
