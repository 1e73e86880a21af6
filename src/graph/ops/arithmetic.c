/* Arithmetic, elementwise: floats rounded once, integers modulo 2^bits. */
#include "reference.h"
#include <math.h>

static long double plus(long double a, long double b) { return a + b; }
static long double minus(long double a, long double b) { return a - b; }
static long double times(long double a, long double b) { return a * b; }
static long double over(long double a, long double b) { return a / b; }

/* Long double is as good as exact for the other dtypes; rounding it to f64 would round twice. */
static void round_once(gn_ref *o, double once)
{
    if (o->dtype != GN_F64) return;
    if (isinf(once) && isfinite(o->f)) o->err = INFINITY;
    o->f = once;
}

static void eval_add(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    if (gn_is_float(o->dtype)) gn_ref_monotone2(o, in, plus, 1);
    else o->i = (int64_t)((uint64_t)in[0].i + (uint64_t)in[1].i);
    round_once(o, (double)in[0].f + (double)in[1].f);
}

static void eval_sub(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    if (gn_is_float(o->dtype)) gn_ref_monotone2(o, in, minus, 1);
    else o->i = (int64_t)((uint64_t)in[0].i - (uint64_t)in[1].i);
    round_once(o, (double)in[0].f - (double)in[1].f);
}

static void eval_mul(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    if (gn_is_float(o->dtype)) gn_ref_monotone2(o, in, times, 1);
    else o->i = (int64_t)((uint64_t)in[0].i * (uint64_t)in[1].i);
    round_once(o, (double)in[0].f * (double)in[1].f);
}

static void eval_div(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    gn_ref_monotone2(o, in, over, 1);
    if (in[1].err != 0 && !(fabsl(in[1].f) > in[1].err)) o->err = INFINITY; /* the divisor may be 0 */
    round_once(o, (double)in[0].f / (double)in[1].f);
}

/* Quotient rounded down and its remainder; unsigned values as bits. The least value by -1 wraps to itself. */
static void floor_divide(gn_dtype t, int64_t a, int64_t b, int64_t *q, int64_t *r)
{
    if (b == 0) {
        *q = *r = 0;
    } else if (gn_is_unsigned(t)) {
        *q = (int64_t)((uint64_t)a / (uint64_t)b), *r = (int64_t)((uint64_t)a % (uint64_t)b);
    } else if (b == -1) {
        *q = (int64_t)(0 - (uint64_t)a), *r = 0;
    } else {
        *q = a / b, *r = a % b;
        if (*r != 0 && (*r < 0) != (b < 0)) *q -= 1, *r += b;
    }
}

/* One operation, rounded once. */
#define ROUNDED(t, a, operation, b) \
    ((t) == GN_F64 ? (long double)((double)(a) operation (double)(b)) : gn_ref_round(t, (a) operation (b)))

/* a - n b for the whole n that leaves the sign of b, exactly but for one addition; *n is the quotient rounded down,
 * each step in the dtype, as NumPy has it. */
static long double float_mod(gn_dtype t, long double a, long double b, long double *n, bool *moved)
{
    const long double r = fmodl(a, b);
    *moved = r != 0 && (r < 0) != (b < 0);
    const long double difference = ROUNDED(t, a, -, r), quotient = ROUNDED(t, difference, /, b);
    const long double q = ROUNDED(t, quotient, -, *moved), whole = floorl(q);
    *n = b == 0 ? a / b : q == 0 ? copysignl(0, a / b) : q - whole > 0.5L ? whole + 1 : whole;
    return r == 0 ? copysignl(0, b) : *moved ? ROUNDED(t, r, +, b) : r;
}

/* Beside a step of the quotient both jump. */
static void eval_quotient(gn_ref *o, const gn_ref *in, bool remainder)
{
    bool moved, ignored;
    long double n, other;
    const long double r = float_mod(o->dtype, in[0].f, in[1].f, &n, &moved);
    o->f = remainder ? r : n;
    if (remainder) o->err = in[0].err + (in[1].err != 0 ? fabsl(n) * in[1].err : 0) + (moved ? gn_ref_ulp(o->dtype, r) : 0);
    for (int i = 0; i < 4 && (in[0].err != 0 || in[1].err != 0); i++) {
        float_mod(o->dtype, in[0].f + (i & 1 ? 1 : -1) * in[0].err, in[1].f + (i & 2 ? 1 : -1) * in[1].err, &other,
                  &ignored);
        o->jump |= !(other == n);
    }
}

static void eval_floordiv(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    int64_t r;
    if (gn_is_float(o->dtype)) {
        eval_quotient(o, in, false);
        return;
    }
    floor_divide(o->dtype, in[0].i, in[1].i, &o->i, &r);
}

static void eval_mod(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    int64_t q;
    if (gn_is_float(o->dtype)) {
        eval_quotient(o, in, true);
        return;
    }
    floor_divide(o->dtype, in[0].i, in[1].i, &q, &o->i);
}

static void eval_neg(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    o->f = -x->f, o->err = x->err;
    o->i = (int64_t)(0 - (uint64_t)x->i);
}

static void eval_abs(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    o->f = fabsl(x->f), o->err = x->err;
    o->i = x->i < 0 && !gn_is_unsigned(x->dtype) ? (int64_t)(0 - (uint64_t)x->i) : x->i;
}

static long double sign_of(long double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static void eval_sign(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    if (gn_is_float(o->dtype)) gn_ref_step(o, x, sign_of);
    else if (gn_is_unsigned(x->dtype)) o->i = x->i != 0;
    else o->i = (x->i > 0) - (x->i < 0);
}

/* Neither moves further than the operands do. */
static void eval_maximum(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    const long double a = in[0].f, b = in[1].f;
    o->f = isnan(a) || isnan(b) ? NAN : a > b ? a : b;
    o->err = fmaxl(in[0].err, in[1].err);
    o->i = gn_ref_less(o->dtype, in[0].i, in[1].i) ? in[1].i : in[0].i;
}

static void eval_minimum(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    const long double a = in[0].f, b = in[1].f;
    o->f = isnan(a) || isnan(b) ? NAN : a < b ? a : b;
    o->err = fmaxl(in[0].err, in[1].err);
    o->i = gn_ref_less(o->dtype, in[0].i, in[1].i) ? in[0].i : in[1].i;
}

/* One rounding or two: targets without the instruction multiply and add. */
static void eval_fma(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    gn_ref product = { .dtype = o->dtype };
    gn_ref_monotone2(&product, in, times, 1);
    const gn_ref sum[2] = { product, in[2] };
    gn_ref_monotone2(o, sum, plus, 1);
}

static void eval_floor(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    gn_ref_step(o, x, floorl);
}

static void eval_round(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    gn_ref_step(o, x, rintl);
}

static void eval_trunc(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    gn_ref_step(o, x, truncl);
}

static void eval_copysign(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    o->f = copysignl(in[0].f, in[1].f), o->err = in[0].err;
    if (in[1].err != 0 && fabsl(in[1].f) <= in[1].err) o->jump = true;
}

static long double times_power(long double a, long double b)
{
    return isnan(b) ? b : scalblnl(a, lrintl(fmaxl(-40000, fminl(b, 40000))));
}

static void eval_ldexp(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    gn_ref_monotone2(o, in, times_power, 1);
}

/* Constant almost everywhere: nothing flows through. */
static void vjp_zero(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    (void)g, (void)dy;
    for (uint32_t i = 0; i < y->nin; i++) gin[i] = NULL;
}

static gn_expr *jvp_zero(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    (void)g, (void)y, (void)t;
    return NULL;
}

const gn_op_info gn_op_add = { .name = "add", .arity = 2, .traits = GN_ELEMWISE | GN_COMMUTES, .dtypes = GN_NUMBERS,
    .eval = eval_add, .deriv = { "g", "g" }, .gloss = "a + b" };
const gn_op_info gn_op_sub = { .name = "sub", .arity = 2, .traits = GN_ELEMWISE, .dtypes = GN_NUMBERS, .eval = eval_sub,
    .deriv = { "g", "(neg g)" }, .gloss = "a - b" };
const gn_op_info gn_op_mul = { .name = "mul", .arity = 2, .traits = GN_ELEMWISE | GN_COMMUTES, .dtypes = GN_NUMBERS,
    .eval = eval_mul, .deriv = { "(mul g b)", "(mul g a)" }, .gloss = "a b" };
const gn_op_info gn_op_div = { .name = "div", .arity = 2, .traits = GN_ELEMWISE, .dtypes = GN_FLOATS, .eval = eval_div,
    .deriv = { "(div g b)", "(neg (div (mul g y) b))" }, .gloss = "a / b of floats" };
const gn_op_info gn_op_floordiv = { .name = "floordiv",
                                    .arity = 2,
                                    .traits = GN_ELEMWISE,
                                    .dtypes = GN_NUMBERS,
                                    .eval = eval_floordiv,
                                    .vjp = vjp_zero,
                                    .jvp = jvp_zero,
                                    .gloss = "a / b rounded down; of integers 0 if b is 0" };
const gn_op_info gn_op_mod = { .name = "mod", .arity = 2, .traits = GN_ELEMWISE, .dtypes = GN_NUMBERS, .eval = eval_mod,
    .deriv = { "g", "(neg (mul g (floordiv a b)))" },
    .gloss = "a - b floordiv(a, b), which has the sign of b, exactly; of integers 0 if b is 0, of floats NaN" };
const gn_op_info gn_op_neg = { .name = "neg", .arity = 1, .traits = GN_ELEMWISE, .dtypes = GN_NUMBERS, .eval = eval_neg,
    .deriv = { "(neg g)" }, .gloss = "-x" };
const gn_op_info gn_op_abs = { .name = "abs", .arity = 1, .traits = GN_ELEMWISE, .dtypes = GN_NUMBERS, .eval = eval_abs,
    .deriv = { "(mul g (sign x))" }, .gloss = "|x|" };
const gn_op_info gn_op_sign = { .name = "sign", .arity = 1, .traits = GN_ELEMWISE, .dtypes = GN_NUMBERS, .eval = eval_sign,
    .vjp = vjp_zero, .jvp = jvp_zero, .gloss = "-1, 0 or 1; zeros and NaN stay" };
/* Beside a NaN the gradient goes both ways: no 0 hides it. */
const gn_op_info gn_op_maximum = { .name = "maximum",
                                   .arity = 2,
                                   .traits = GN_ELEMWISE | GN_COMMUTES,
                                   .dtypes = GN_ANY_DTYPE,
                                   .eval = eval_maximum,
                                   .deriv = { "(select (lt a b) 0 (select (eq a b) (mul g 0.5) g))",
                                              "(select (lt b a) 0 (select (eq a b) (mul g 0.5) g))" },
                                   .gloss = "the larger; NaN if one is" };
const gn_op_info gn_op_minimum = { .name = "minimum",
                                   .arity = 2,
                                   .traits = GN_ELEMWISE | GN_COMMUTES,
                                   .dtypes = GN_ANY_DTYPE,
                                   .eval = eval_minimum,
                                   .deriv = { "(select (lt b a) 0 (select (eq a b) (mul g 0.5) g))",
                                              "(select (lt a b) 0 (select (eq a b) (mul g 0.5) g))" },
                                   .gloss = "the smaller; NaN if one is" };
const gn_op_info gn_op_floor = { .name = "floor",
                                 .arity = 1,
                                 .traits = GN_ELEMWISE,
                                 .dtypes = GN_FLOATS,
                                 .eval = eval_floor,
                                 .vjp = vjp_zero,
                                 .jvp = jvp_zero,
                                 .gloss = "the greatest integer not above x" };
const gn_op_info gn_op_round = { .name = "round",
                                 .arity = 1,
                                 .traits = GN_ELEMWISE,
                                 .dtypes = GN_FLOATS,
                                 .eval = eval_round,
                                 .vjp = vjp_zero,
                                 .jvp = jvp_zero,
                                 .gloss = "the nearest integer, ties to even" };
const gn_op_info gn_op_trunc = { .name = "trunc",
                                 .arity = 1,
                                 .traits = GN_ELEMWISE,
                                 .dtypes = GN_FLOATS,
                                 .eval = eval_trunc,
                                 .vjp = vjp_zero,
                                 .jvp = jvp_zero,
                                 .gloss = "x without its fraction" };
const gn_op_info gn_op_fma = { .name = "fma", .arity = 3, .traits = GN_ELEMWISE | GN_KERNEL_ONLY, .dtypes = GN_FLOATS,
    .eval = eval_fma, .deriv = { "(mul g b)", "(mul g a)", "g" },
    .gloss = "a b + c, rounded once where the target can" };
const gn_op_info gn_op_copysign = { .name = "copysign", .arity = 2, .traits = GN_ELEMWISE | GN_KERNEL_ONLY,
    .dtypes = GN_FLOATS, .eval = eval_copysign, .not_differentiable = "used in bodies only, after differentiation",
    .gloss = "|a| with the sign of b" };
const gn_op_info gn_op_ldexp = { .name = "ldexp", .arity = 2, .traits = GN_ELEMWISE | GN_KERNEL_ONLY,
    .dtypes = GN_FLOATS, .eval = eval_ldexp, .not_differentiable = "used in bodies only, after differentiation",
    .gloss = "a 2^b, rounded once, for |a| from 1/2 to 2 and a whole b from -252 to 252 (f64: -2044 to 2044)" };
