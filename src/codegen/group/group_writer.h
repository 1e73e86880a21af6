/* The text of one group at work. Arrays by node and by class are made once for all groups; a stamp says whose entry it
 * is. */
#pragma once
#include "group_state.h"

typedef struct writer {
    grouper *g;
    int32_t q;
    gn_kernel *k;
    gn_group *out;
    uint32_t *node_stamp, *class_stamp;
    uint32_t *count;             /* by node: uses in this group's text */
    int32_t *def;                /* by node: definition; NONE */
    uint16_t *axis;              /* by class */
    gn_map bufs;                 /* by value: 1 + buffer */
} writer;

/* Dims of the kernel, from dims of the graph; declares the symbols. */
const gn_dim *gn_write_dim(writer *, const gn_dim *);
/* The buffer of a node that is read from memory, and where its element at the given indices lies there. */
uint32_t gn_write_memory(writer *, uint32_t node, const gn_dim *const *index, const gn_dim **out);
/* The node's element at the given indices. */
const gn_kexpr *gn_write_expr(writer *, uint32_t node, const gn_dim *const *index);
bool gn_write_loads(const writer *, const gnode *); /* it is read from memory here */

/* group_index.c: index maps. */
const gn_kexpr *gn_write_move(writer *, uint32_t node, const gn_dim *const *index);
const gn_dim *gn_write_taken(writer *, const gnode *take, const gn_dim *const *index); /* the index operand's element */
/* Indices that an input or variable brings are checked before anything runs: notes that. False: they are computed, and
 * clamped here. */
bool gn_write_is_checked(writer *, const gnode *check);
/* A condition on indices that equals the boolean node, or its negation; false if there is none. */
bool gn_write_condition(writer *, uint32_t node, const gn_dim *const *index, gn_kcond *cond, bool *negated);
