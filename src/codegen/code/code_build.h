/* Building code, value by value.
 *
 *     gn_code_builder b = { .code = code, .block = &step->body, .lanes = 16, .lane = "jl" };
 *     const gn_val *v = gn_v_load(&b, GN_F32, 16, &place);
 *     gn_v_store(&b, &to, gn_v_op2(&b, &gn_op_mul, v, v)); */
#pragma once
#include "code.h"

typedef struct gn_code_builder {
    gn_code *code;
    gn_code_body *block; /* nodes go here */
    uint32_t nlets;
    const char *lane;    /* the symbol of the lane at work; NULL: scalars */
    uint16_t lanes;
} gn_code_builder;

gn_code_node *gn_v_node(gn_code_builder *, gn_code_kind);     /* a new one, at the end of the block */
const gn_val *gn_v_let(gn_code_builder *, gn_val);
const gn_val *gn_v_float(gn_code_builder *, gn_dtype, double);
const gn_val *gn_v_int(gn_code_builder *, gn_dtype, int64_t);
const gn_val *gn_v_zero(gn_code_builder *, gn_dtype);
const gn_val *gn_v_reg(gn_code_builder *, const gn_place *, uint32_t number);
const gn_val *gn_v_copy(gn_code_builder *, const gn_val *);
const gn_val *gn_v_splat(gn_code_builder *, const gn_val *, uint16_t lanes); /* of a vector of these lanes: itself */
const gn_val *gn_v_op(gn_code_builder *, const gn_op_info *, gn_dtype result, const gn_val *const *a, size_t n);
const gn_val *gn_v_op2(gn_code_builder *, const gn_op_info *, const gn_val *, const gn_val *);
const gn_val *gn_v_half(gn_code_builder *, const gn_val *, bool upper); /* of its lanes */
const gn_val *gn_v_up(gn_code_builder *, const gn_val *, uint16_t by, const gn_val *below); /* lanes moved up */
const gn_val *gn_v_lane(gn_code_builder *, const gn_val *, uint16_t lane);
const gn_val *gn_v_load(gn_code_builder *, gn_dtype, uint16_t lanes, const gn_access *);
const gn_val *gn_v_reduce(gn_code_builder *, gn_val_kind, gn_red, const gn_val *);
bool gn_preds_read_memory(gn_preds);
bool gn_cond_reads_memory(const gn_kcond *);
bool gn_v_varies(const gn_code_builder *, const gn_dim *); /* over the lane */
bool gn_v_affine(gn_code_builder *, const gn_dim *, const gn_dim **base, const gn_dim **step); /* base + step * lane */
const gn_val *gn_v_index(gn_code_builder *, gn_dtype, const gn_dim *, gn_preds when);
/* How lanes lie at this element index. `safe` are the conditions under which it may be computed (EACH). */
gn_access gn_v_access(gn_code_builder *, const gn_place *, const gn_dim *at, const gn_val *mask, gn_preds when,
                      gn_preds safe);
void gn_v_set_reg(gn_code_builder *, const gn_place *, uint32_t number, const gn_val *);
void gn_v_store(gn_code_builder *, const gn_access *, const gn_val *);

/* code_body.c: an op that the target does not spell is a function whose body is the text of its record. */
const char *gn_body_text(const gn_code *, const gn_op_info *, gn_dtype); /* throws if there is none */
typedef struct gn_math_function {
    const gn_op_info *op;
    gn_dtype dtype;
    uint16_t lanes, narg;
    const gn_code_body *code; /* lets over GN_VAL_PARAM */
    const gn_val *result;
    /* while text is emitted: the loop body of the last call, calls in it, calls in the body with most */
    uint32_t body, here, most;
} gn_math_function;
gn_math_function gn_math_expand(gn_code *, const gn_op_info *, gn_dtype, uint16_t lanes, uint16_t narg);

/* code_tidy.c */
typedef struct gn_code_uses {
    uint32_t *let;   /* how often each is used, by id */
    gn_map place;    /* by id: how often each of its registers, or the memory, is read; NULL: never */
    /* by id: some register is numbered by a variable, so that all of them are taken for read; NULL: none is */
    gn_map indexed;
} gn_code_uses;
gn_code_uses gn_code_find_uses(gn_arena *, const gn_code_body *);
void gn_code_find_indexed(gn_arena *, const gn_code_body *, gn_map *add); /* places alone */
