/* What printing and reading of code agree on. */
#pragma once
#include "code.h"

enum { GN_NO_DTYPE = -1 };

extern const char *const gn_val_words[]; /* by kind; of an operation: NULL, its own name */

/* Operand i is a condition: its dtype is no other operand's. */
static inline bool gn_is_condition(gn_val_kind kind, const gn_op_info *op, size_t i)
{
    return i == 0 && (kind == GN_VAL_PICK || (kind == GN_VAL_OP && op == &gn_op_select));
}

/* A number, also in all lanes: what takes the type that its place says. */
static inline bool gn_is_number(const gn_val *v)
{
    return v->kind == GN_VAL_CONST || (v->kind == GN_VAL_SPLAT && v->a[0]->kind == GN_VAL_CONST);
}

/* The dtype that a number takes as operand i; GN_NO_DTYPE: it says its own. first: that of the first operand which has
 * one and is no condition. */
static inline int gn_number_dtype(gn_val_kind kind, const gn_op_info *op, gn_dtype result, int first, size_t i)
{
    if (gn_is_condition(kind, op, i)) return GN_BOOL;
    if (kind == GN_VAL_OP && (op == &gn_op_cast || op == &gn_op_bitcast)) return GN_NO_DTYPE;
    return result == GN_BOOL ? first : (int)result;
}

/* How many lanes operand i has, as the value's own say; 0: they do not. */
static inline uint16_t gn_operand_lanes(const gn_val *v, size_t i)
{
    if (v->kind == GN_VAL_LANE || v->kind == GN_VAL_LANES) return 0;
    if (v->kind == GN_VAL_LOW || v->kind == GN_VAL_HIGH) return (uint16_t)(2 * v->lanes);
    return v->kind == GN_VAL_PACK || (v->kind == GN_VAL_PICK && i == 0) ? 1 : v->lanes;
}

/* How many lanes the value of a store has, as its place says; 0: it does not. */
static inline uint16_t gn_store_lanes(const gn_access *a)
{
    return a->mode == GN_ACCESS_ONE;
}

/* How many operands the kind takes; of an operation as many as it has. */
static inline uint16_t gn_operand_count(const gn_val *v)
{
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_COPY:
    case GN_VAL_LANE:
    case GN_VAL_LOW:
    case GN_VAL_HIGH:
    case GN_VAL_LANES:
    case GN_VAL_THREADS: return 1;
    case GN_VAL_UP: return 2;
    case GN_VAL_PICK: return 3;
    case GN_VAL_PACK: return v->lanes;
    case GN_VAL_OP: return v->n;
    default: return 0;
    }
}
