/* Comparisons, logic, choice and conversion. */
#include "make.h"
#include "reference.h"
#include <math.h>
#include <string.h>

/* The operands' order is open: they differ by no more than their bounds allow. */
static bool is_open(const gn_ref *in)
{
    const long double reach = in[0].err + in[1].err;
    return gn_is_float(in[0].dtype) && reach != 0 && !(fabsl(in[0].f - in[1].f) > reach);
}

#define COMPARISON(name, of_floats, of_ints) \
    static void eval_##name(gn_ref *o, const gn_ref *in, const gn_expr *e) \
    { \
        (void)e; \
        const gn_dtype t = in[0].dtype; \
        const long double a = in[0].f, b = in[1].f; \
        const int64_t i = in[0].i, j = in[1].i; \
        o->i = gn_is_float(t) ? (of_floats) : (of_ints); \
        o->jump |= is_open(in); \
    }

COMPARISON(eq, a == b, i == j)
COMPARISON(ne, a != b, i != j)
COMPARISON(lt, a < b, gn_ref_less(t, i, j))
COMPARISON(le, a <= b, !gn_ref_less(t, j, i))
COMPARISON(gt, a > b, gn_ref_less(t, j, i))
COMPARISON(ge, a >= b, !gn_ref_less(t, i, j))

static void eval_and(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->i = in[0].i & in[1].i;
    if ((!in[0].jump && !in[0].i) || (!in[1].jump && !in[1].i)) o->jump = false; /* decided by the one that is sure */
}

static void eval_or(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->i = in[0].i | in[1].i;
    if ((!in[0].jump && in[0].i) || (!in[1].jump && in[1].i)) o->jump = false;
}

static void eval_xor(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->i = in[0].i ^ in[1].i;
}

static void eval_not(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->i = !in[0].i;
}

/* The branch not taken has no influence. Where the condition is open, two branches that nearly meet still give a usable
 * value: relu at its kink. */
static void eval_select(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    const gn_ref *taken = in[0].i ? &in[1] : &in[2], *other = in[0].i ? &in[2] : &in[1];
    const gn_dtype t = o->dtype;
    *o = *taken;
    o->dtype = t;
    if (!in[0].jump) return;
    const long double gap = gn_ref_apart(taken->f, other->f), reach = taken->err + other->err;
    const bool meets = gn_is_float(t) ? gap <= 64 * (reach + gn_ref_ulp(t, taken->f)) : taken->i == other->i;
    o->jump = !meets || taken->jump || other->jump;
    if (gn_is_float(t) && meets) o->err = gap + reach;
}

static long double as_float(const gn_ref *x)
{
    if (gn_is_float(x->dtype)) return x->f;
    return gn_is_unsigned(x->dtype) ? (long double)(uint64_t)x->i : (long double)x->i;
}

static int64_t cast_integer(gn_dtype from, gn_dtype to, int64_t v)
{
    if (to == GN_BOOL) return v != 0;
    const bool negative = !gn_is_unsigned(from) && v < 0;
    if (gn_is_unsigned(to)) {
        if (negative) return 0;
        return (uint64_t)v > (uint64_t)gn_ref_greatest(to) ? gn_ref_greatest(to) : v;
    }
    if (negative) return v < gn_ref_least(to) ? gn_ref_least(to) : v;
    return (uint64_t)v > (uint64_t)gn_ref_greatest(to) ? gn_ref_greatest(to) : v;
}

static void eval_cast(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    if (gn_is_float(o->dtype)) {
        o->f = as_float(x), o->err = gn_is_float(x->dtype) ? x->err : 0;
        gn_ref_slack(o, 1);
    } else if (!gn_is_float(x->dtype)) {
        o->i = cast_integer(x->dtype, o->dtype, x->i);
    } else {
        o->i = gn_ref_saturate(o->dtype, x->f);
        if (x->err == 0) return;
        const bool same =
            gn_ref_saturate(o->dtype, x->f - x->err) == o->i && gn_ref_saturate(o->dtype, x->f + x->err) == o->i;
        if (!same || (o->dtype == GN_BOOL && fabsl(x->f) <= x->err)) o->jump = true;
    }
}

static uint64_t bits_of(const gn_ref *x)
{
    uint64_t bits = (uint64_t)x->i;
    if (x->dtype == GN_F64) {
        const double d = (double)x->f;
        memcpy(&bits, &d, sizeof d);
    } else if (x->dtype == GN_F32) {
        const float f = (float)x->f;
        uint32_t low;
        memcpy(&low, &f, sizeof f);
        bits = low;
    } else if (x->dtype == GN_F16) {
        bits = gn_f32_to_f16((float)x->f);
    } else if (x->dtype == GN_BF16) {
        bits = gn_f32_to_bf16((float)x->f);
    }
    return bits;
}

static void eval_bitcast(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    const uint64_t bits = bits_of(x);
    const uint32_t low = (uint32_t)bits;
    float f;
    double d;
    memcpy(&f, &low, sizeof f), memcpy(&d, &bits, sizeof d);
    o->i = (int64_t)bits, o->err = 0;
    o->f = o->dtype == GN_F64 ? (long double)d : o->dtype == GN_F32 ? (long double)f
         : o->dtype == GN_F16 ? (long double)gn_f16_to_f32((uint16_t)bits) : (long double)gn_bf16_to_f32((uint16_t)bits);
    if (gn_is_float(x->dtype) && x->err != 0) o->jump = true;
}

/* A condition and two alternatives of one dtype, all of one shape. */
static const gn_type *infer_select(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)attr;
    if (in[0]->type->dtype != GN_BOOL)
        gn_throw_at(g, GN_EDTYPE, "select", in, n, "the condition is %s, not bool", gn_dtype_name(in[0]->type->dtype));
    if (in[1]->type->dtype != in[2]->type->dtype)
        gn_throw_at(g, GN_EDTYPE, "select", in, n, "the alternatives differ in dtype");
    for (size_t i = 1; i < 3; i++) {
        if (in[i]->type->n != in[0]->type->n) gn_throw_at(g, GN_ESHAPE, "select", in, n, "operands differ in rank");
    }
    return gn_infer_same_shape(g, "select", in, n, in[1]->type->dtype);
}

static const gn_type *infer_cast(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    (void)n;
    return gn_type_tensor(g, (gn_dtype)attr[0].i, in[0]->type->n, in[0]->type->dim);
}

static const gn_type *infer_bitcast(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    if (gn_dtypes[attr[0].i].size != gn_dtypes[in[0]->type->dtype].size)
        gn_throw_at(g, GN_EDTYPE, "bitcast", in, n, "%s has another size", gn_dtype_name((gn_dtype)attr[0].i));
    return infer_cast(g, in, n, attr);
}

static void vjp_cast(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    const gn_dtype from = (gn_dtype)y->in[0]->type->dtype;
    gin[0] = gn_is_float(from) && gn_is_float((gn_dtype)y->type->dtype) ? gn_make_cast(g, dy, from) : NULL;
}

#define COMPARE(op, flags, words) \
    const gn_op_info gn_op_##op = { .name = #op, \
                                    .arity = 2, \
                                    .traits = GN_ELEMWISE | GN_BOOL_OUT | (flags), \
                                    .dtypes = GN_ANY_DTYPE, \
                                    .eval = eval_##op, \
                                    .not_differentiable = "a comparison is constant almost everywhere", \
                                    .gloss = words }
#define LOGIC(op, words) \
    const gn_op_info gn_op_##op = { .name = #op, \
                                    .arity = 2, \
                                    .traits = GN_ELEMWISE | GN_BOOL_OUT | GN_COMMUTES, \
                                    .dtypes = GN_BIT(GN_BOOL), \
                                    .eval = eval_##op, \
                                    .not_differentiable = "bools have no derivative", \
                                    .gloss = words }

COMPARE(eq, GN_COMMUTES, "a equals b");
COMPARE(ne, GN_COMMUTES, "a differs from b, or one is NaN");
COMPARE(lt, 0, "a is less than b");
COMPARE(le, 0, "a is at most b");
COMPARE(gt, 0, "a is greater than b");
COMPARE(ge, 0, "a is at least b");
LOGIC(and, "both");
LOGIC(or, "one or both");
LOGIC(xor, "exactly one");
const gn_op_info gn_op_not = { .name = "not", .arity = 1, .traits = GN_ELEMWISE | GN_BOOL_OUT,
    .dtypes = GN_BIT(GN_BOOL), .eval = eval_not, .not_differentiable = "bools have no derivative",
    .gloss = "the opposite" };

const gn_op_info gn_op_select = { .name = "select", .arity = 3, .traits = GN_ELEMWISE, .dtypes = GN_ANY_DTYPE,
    .infer = infer_select, .eval = eval_select, .deriv = { NULL, "(select a g 0)", "(select a 0 g)" },
    .gloss = "b where a holds, c elsewhere" };
#define WORDS (GN_BIT(GN_I32) | GN_BIT(GN_U32) | GN_BIT(GN_F32) | GN_BIT(GN_I64) | GN_BIT(GN_U64) | GN_BIT(GN_F64))
static const gn_attr_spec dtype_attr[] = { { "dtype", GN_ATTR_DTYPE } },
                          word_attr[] = { { "dtype", GN_ATTR_DTYPE, .dtypes = WORDS } };
const gn_op_info gn_op_cast = { .name = "cast", .arity = 1, .traits = GN_ELEMWISE, .dtypes = GN_ANY_DTYPE,
    .attrs = dtype_attr, .nattr = 1, .infer = infer_cast, .eval = eval_cast, .vjp = vjp_cast, .linear = true,
    .gloss = "x as another dtype; to integers towards 0, saturating, NaN to 0" };
const gn_op_info gn_op_bitcast = { .name = "bitcast",
                                   .arity = 1,
                                   .traits = GN_ELEMWISE | GN_KERNEL_ONLY,
                                   .dtypes = WORDS,
                                   .attrs = word_attr,
                                   .nattr = 1,
                                   .infer = infer_bitcast,
                                   .eval = eval_bitcast,
                                   .not_differentiable = "bits have no derivative",
                                   .gloss = "the bits of x as another dtype of the same size" };
