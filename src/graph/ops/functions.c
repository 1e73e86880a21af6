/* Functions of one floating number (and pow): references in long double by libm, derivatives as text, bodies by
 * bodies.h. */
#include "bodies.h"
#include "reference.h"
#include <math.h>

/* An eval that applies one function; all of these are monotone, or are handled below. */
#define MONOTONE(name, function, ulp) \
    static void eval_##name(gn_ref *o, const gn_ref *x, const gn_expr *e) \
    { \
        (void)e; \
        gn_ref_monotone(o, x, function, ulp); \
    }

static long double rsqrt_of(long double x) { return 1 / sqrtl(x); }
static long double sigmoid_of(long double x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static long double softplus_of(long double x) { return fmaxl(x, 0) + log1pl(expl(-fabsl(x))) + (isnan(x) ? x : 0); }

static void eval_sqrt(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    gn_ref_monotone(o, x, sqrtl, 1);
    if (o->dtype == GN_F64) o->f = sqrt((double)x->f); /* rounded once */
}

MONOTONE(rsqrt, rsqrt_of, GN_REF_MATH_ULP)
MONOTONE(exp, expl, GN_REF_MATH_ULP)
MONOTONE(expm1, expm1l, GN_REF_MATH_ULP)
MONOTONE(log, logl, GN_REF_MATH_ULP)
MONOTONE(log1p, log1pl, GN_REF_MATH_ULP)
MONOTONE(tanh, tanhl, GN_REF_MATH_ULP)
MONOTONE(atanh, atanhl, GN_REF_MATH_ULP)
MONOTONE(sigmoid, sigmoid_of, GN_REF_MATH_ULP)
MONOTONE(softplus, softplus_of, GN_REF_MATH_ULP)
MONOTONE(erf, erfl, GN_REF_MATH_ULP)
MONOTONE(erfc, erfcl, GN_REF_MATH_ULP)

/* No steeper than 1, and no further apart than 2. */
static void eval_wave(gn_ref *o, const gn_ref *x, long double (*f)(long double))
{
    o->f = f(x->f);
    o->err = isfinite(x->f) || x->err == 0 ? fminl(x->err, 2) : INFINITY;
    gn_ref_slack(o, GN_REF_MATH_ULP);
}

static void eval_sin(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    eval_wave(o, x, sinl);
}

static void eval_cos(gn_ref *o, const gn_ref *x, const gn_expr *e)
{
    (void)e;
    eval_wave(o, x, cosl);
}

/* Monotone in each operand for a > 0. Elsewhere a moving exponent may leave the integers, and a moving base may change
 * its sign. */
static void eval_pow(gn_ref *o, const gn_ref *in, const gn_expr *e)
{
    (void)e;
    gn_ref_monotone2(o, in, powl, GN_REF_MATH_ULP);
    const bool base_moves = in[0].err != 0 && fabsl(in[0].f) <= in[0].err && in[1].f < 0;
    const bool exponent_moves = in[1].err != 0 && in[0].f - in[0].err <= 0;
    if (base_moves || exponent_moves) o->err = INFINITY;
}

/* What follows the words: initializers of bodies, or nothing. */
#define FUNCTION(op, derivative, ...) \
    const gn_op_info gn_op_##op = { .name = #op, \
                                    .arity = 1, \
                                    .traits = GN_ELEMWISE | GN_FLOAT_OUT, \
                                    .dtypes = GN_FLOATS, \
                                    .eval = eval_##op, \
                                    .deriv = { derivative }, \
                                    .gloss = __VA_ARGS__ }
#define BODY(op) .body_f32 = gn_body_##op##_f32, .body_f64 = gn_body_##op##_f64

FUNCTION(sqrt, "(div g (mul 2 y))", "the square root; NaN below 0");
FUNCTION(rsqrt, "(mul g (mul -0.5 (div y x)))", "1 / sqrt(x)", BODY(rsqrt));
FUNCTION(exp, "(mul g y)", "e^x", BODY(exp));
FUNCTION(expm1, "(mul g (add y 1))", "e^x - 1, accurate near 0", BODY(expm1));
FUNCTION(log, "(div g x)", "the natural logarithm", BODY(log));
FUNCTION(log1p, "(div g (add 1 x))", "log(1 + x), accurate near 0", BODY(log1p));
FUNCTION(sin, "(mul g (cos x))", "the sine of x radians", BODY(sin));
FUNCTION(cos, "(neg (mul g (sin x)))", "the cosine of x radians", BODY(cos));
FUNCTION(tanh, "(mul g (sub 1 (square y)))", "the hyperbolic tangent", BODY(tanh));
/* Half of log((1 + a) / (1 - a)), written so that nothing cancels near 0. */
static const char atanh_body[] = "(let (a (abs x)) (copysign (mul 0.5 (log1p (div (add a a) (sub 1 a)))) x))";
FUNCTION(atanh, "(div g (mul (sub 1 x) (add 1 x)))", "the inverse of tanh; NaN outside -1 .. 1", .body_f32 = atanh_body,
         .body_f64 = atanh_body);
FUNCTION(sigmoid, "(mul g (mul y (sub 1 y)))", "1 / (1 + e^-x)", BODY(sigmoid));
FUNCTION(softplus, "(mul g (sigmoid x))", "log(1 + e^x)", BODY(softplus));
FUNCTION(erf, "(mul g (mul 1.1283791670955126 (exp (neg (square x)))))", "the error function", BODY(erf));
FUNCTION(erfc, "(neg (mul g (mul 1.1283791670955126 (exp (neg (square x))))))",
         "1 - erf(x), accurate where erf is near 1", BODY(erfc));

/* By a: b a^(b - 1), which is 0 times inf only for a = b = 0, and is written b y / a for b = 0, where a^-1 may
 * overflow; both say the same function of a and b, so that mixed and higher derivatives are right as well. By b: y log
 * a; 0^b is flat. */
const gn_op_info gn_op_pow = {
    .name = "pow",
    .arity = 2,
    .traits = GN_ELEMWISE | GN_FLOAT_OUT,
    .dtypes = GN_FLOATS,
    .eval = eval_pow,
    .deriv = { "(select (eq b 0) (select (eq a 0) 0 (mul g (div (mul b y) a))) (mul g (mul b (pow a (sub b 1)))))",
               "(select (eq a 0) 0 (mul g (mul y (log (select (eq a 0) 1 a)))))" },
    .gloss = "a to the power b",
    BODY(pow)
};
