/* Bits of integers. Unsigned values are kept zero-extended, signed ones sign-extended, so that most of this is 64-bit
 * arithmetic.
 * */
#include "reference.h"

#define BITWISE(name, result) \
    static void eval_##name(gn_ref *o, const gn_ref *in, const gn_expr *e) \
    { \
        (void)e; \
        const uint64_t a = (uint64_t)in[0].i, b = (uint64_t)in[1].i; \
        o->i = (int64_t)(result); \
    }
BITWISE(bit_and, a & b)
BITWISE(bit_or, a | b)
BITWISE(bit_xor, a ^ b)
BITWISE(mulhi, (uint64_t)(uint32_t)a * (uint32_t)b >> 32)

static void eval_bit_not(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->i = ~in[0].i;
}

/* The count is outside the width: nothing of the number is left. Negative counts are outside too. */
static bool is_outside(const gn_ref *count)
{
    return (uint64_t)count->i >= 8u * gn_dtypes[count->dtype].size;
}

static void eval_shl(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->i = is_outside(&in[1]) ? 0 : (int64_t)((uint64_t)in[0].i << in[1].i);
}

static void eval_shr(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    const bool outside = is_outside(&in[1]);
    if (gn_is_unsigned(o->dtype)) o->i = outside ? 0 : (int64_t)((uint64_t)in[0].i >> in[1].i);
    else o->i = in[0].i >> (outside ? 63 : in[1].i);
}

#define BITS(op, flags, words) \
    const gn_op_info gn_op_##op = { .name = #op, \
                                    .arity = 2, \
                                    .traits = GN_ELEMWISE | (flags), \
                                    .dtypes = GN_INTS, \
                                    .eval = eval_##op, \
                                    .not_differentiable = "bits have no derivative", \
                                    .gloss = words }
BITS(bit_and, GN_COMMUTES, "bits set in both");
BITS(bit_or, GN_COMMUTES, "bits set in one or both");
BITS(bit_xor, GN_COMMUTES, "bits set in exactly one");
BITS(shl, 0, "bits moved up, zeros enter; 0 for counts outside the width");
BITS(shr, 0, "bits moved down; the sign enters for signed dtypes, else zeros");
const gn_op_info gn_op_bit_not = { .name = "bit_not",
                                   .arity = 1,
                                   .traits = GN_ELEMWISE,
                                   .dtypes = GN_INTS,
                                   .eval = eval_bit_not,
                                   .not_differentiable = "bits have no derivative",
                                   .gloss = "all bits turned" };
const gn_op_info gn_op_mulhi = { .name = "mulhi", .arity = 2, .traits = GN_ELEMWISE | GN_COMMUTES | GN_KERNEL_ONLY,
    .dtypes = GN_BIT(GN_U32), .eval = eval_mulhi, .not_differentiable = "bits have no derivative",
    .gloss = "the upper 32 bits of the 64-bit product" };
