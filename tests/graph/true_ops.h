/* Elementwise ops of floats by MPFR, in the precision of the result: the truth of their values and of their derivatives. */
#pragma once
#include <mpfr.h>
#include "op.h"


static void true_rsqrt(mpfr_t y, const mpfr_t *x)
{
    mpfr_sqrt(y, x[0], MPFR_RNDN), mpfr_ui_div(y, 1, y, MPFR_RNDN);
} /* -inf at -0, as IEEE 754 has it */
static void true_sigmoid(mpfr_t y, const mpfr_t *x)
{
    mpfr_neg(y, x[0], MPFR_RNDN), mpfr_exp(y, y, MPFR_RNDN), mpfr_add_ui(y, y, 1, MPFR_RNDN),
        mpfr_ui_div(y, 1, y, MPFR_RNDN);
}
static void true_softplus(mpfr_t y, const mpfr_t *x) /* max(x, 0) + log1p(e^-|x|), where e^x overflows */
{
    const bool above = mpfr_cmp_ui(x[0], 0) > 0;
    if (above) mpfr_neg(y, x[0], MPFR_RNDN), mpfr_exp(y, y, MPFR_RNDN);
    else mpfr_exp(y, x[0], MPFR_RNDN);
    mpfr_log1p(y, y, MPFR_RNDN);
    if (above) mpfr_add(y, y, x[0], MPFR_RNDN);
}
static void true_max(mpfr_t y, const mpfr_t *x)
{
    if (mpfr_nan_p(x[0]) || mpfr_nan_p(x[1])) mpfr_set_nan(y);
    else mpfr_max(y, x[0], x[1], MPFR_RNDN);
}
static void true_min(mpfr_t y, const mpfr_t *x)
{
    if (mpfr_nan_p(x[0]) || mpfr_nan_p(x[1])) mpfr_set_nan(y);
    else mpfr_min(y, x[0], x[1], MPFR_RNDN);
}
static void true_sign(mpfr_t y, const mpfr_t *x)
{
    if (mpfr_nan_p(x[0])) mpfr_set_nan(y);
    else mpfr_set_si(y, mpfr_sgn(x[0]), MPFR_RNDN);
}
static void true_silu(mpfr_t y, const mpfr_t *x) { true_sigmoid(y, x), mpfr_mul(y, y, x[0], MPFR_RNDN); }
static void true_gelu(mpfr_t y, const mpfr_t *x)
{
    mpfr_sqrt_ui(y, 2, MPFR_RNDN), mpfr_div(y, x[0], y, MPFR_RNDN), mpfr_neg(y, y, MPFR_RNDN), mpfr_erfc(y, y, MPFR_RNDN);
    mpfr_mul(y, y, x[0], MPFR_RNDN), mpfr_div_ui(y, y, 2, MPFR_RNDN);
}
static void true_relu(mpfr_t y, const mpfr_t *x)
{
    if (mpfr_nan_p(x[0])) mpfr_set_nan(y);
    else if (mpfr_sgn(x[0]) > 0) mpfr_set(y, x[0], MPFR_RNDN);
    else mpfr_set_ui(y, 0, MPFR_RNDN);
}
static void true_log_add_exp(mpfr_t y, const mpfr_t *x) /* max(a, b) + log1p(e^-|a - b|) */
{
    mpfr_t e;
    if (mpfr_equal_p(x[0], x[1]) && mpfr_inf_p(x[0])) {
        mpfr_set(y, x[0], MPFR_RNDN);
        return;
    }
    mpfr_init2(e, mpfr_get_prec(y));
    mpfr_sub(e, x[0], x[1], MPFR_RNDN), mpfr_abs(e, e, MPFR_RNDN), mpfr_neg(e, e, MPFR_RNDN), mpfr_exp(e, e, MPFR_RNDN),
        mpfr_log1p(e, e, MPFR_RNDN);
    mpfr_max(y, x[0], x[1], MPFR_RNDN), mpfr_add(y, y, e, MPFR_RNDN);
    if (mpfr_nan_p(x[0]) || mpfr_nan_p(x[1])) mpfr_set_nan(y);
    mpfr_clear(e);
}
static void true_log1mexp(mpfr_t y, const mpfr_t *x)
{
    const bool far = mpfr_cmp_si(x[0], -1) < 0;
    if (far) mpfr_exp(y, x[0], MPFR_RNDN), mpfr_neg(y, y, MPFR_RNDN), mpfr_log1p(y, y, MPFR_RNDN);
    else mpfr_expm1(y, x[0], MPFR_RNDN), mpfr_neg(y, y, MPFR_RNDN), mpfr_log(y, y, MPFR_RNDN);
}
static void true_mod(mpfr_t y, const mpfr_t *x) /* fmod, moved to the sign of b */
{
    mpfr_fmod(y, x[0], x[1], MPFR_RNDN);
    if (mpfr_zero_p(y)) mpfr_set_zero(y, mpfr_signbit(x[1]) ? -1 : 1);
    else if (!mpfr_nan_p(y) && !mpfr_signbit(y) != !mpfr_signbit(x[1])) mpfr_add(y, y, x[1], MPFR_RNDN);
}
static void true_fma(mpfr_t y, const mpfr_t *x) { mpfr_fma(y, x[0], x[1], x[2], MPFR_RNDN); }
static void true_copysign(mpfr_t y, const mpfr_t *x) { mpfr_copysign(y, x[0], x[1], MPFR_RNDN); }
static void true_clip(mpfr_t y, const mpfr_t *x)
{
    if (mpfr_nan_p(x[0]) || mpfr_nan_p(x[1]) || mpfr_nan_p(x[2])) mpfr_set_nan(y);
    else mpfr_max(y, x[0], x[1], MPFR_RNDN), mpfr_min(y, y, x[2], MPFR_RNDN);
}

#define T1(name, f) static void true_##name(mpfr_t y, const mpfr_t *x) { f(y, x[0], MPFR_RNDN); }
#define T2(name, f) static void true_##name(mpfr_t y, const mpfr_t *x) { f(y, x[0], x[1], MPFR_RNDN); }
T1(sqrt, mpfr_sqrt)
T1(exp, mpfr_exp)
T1(expm1, mpfr_expm1) T1(log, mpfr_log) T1(log1p, mpfr_log1p) T1(sin, mpfr_sin) T1(cos, mpfr_cos) T1(tanh, mpfr_tanh)
    T1(atanh, mpfr_atanh) T1(erf, mpfr_erf) T1(erfc, mpfr_erfc) T1(neg, mpfr_neg) T1(abs, mpfr_abs) T1(square, mpfr_sqr)
        T1(floor, mpfr_rint_floor) T1(round, mpfr_rint_roundeven) T1(trunc, mpfr_rint_trunc) T2(add, mpfr_add)
            T2(sub, mpfr_sub) T2(mul, mpfr_mul) T2(div, mpfr_div) T2(pow, mpfr_pow)

                static void true_ldexp(mpfr_t y, const mpfr_t *x)
{
    mpfr_t power;
    mpfr_init2(power, mpfr_get_prec(y));
    mpfr_rint_roundeven(power, x[1], MPFR_RNDN);
    if (mpfr_cmp_si(power, 40000) > 0) mpfr_set_si(power, 40000, MPFR_RNDN); /* beyond any float, as infinity is */
    if (mpfr_cmp_si(power, -40000) < 0) mpfr_set_si(power, -40000, MPFR_RNDN);
    mpfr_exp2(power, power, MPFR_RNDN);
    mpfr_mul(y, x[0], power, MPFR_RNDN);
    mpfr_clear(power);
}

typedef struct truth {
    const gn_op_info *op;
    void (*f)(mpfr_t, const mpfr_t *);
    int ulp;                     /* the bound that is expected for exact operands: a promise that the bounds are not idle */
} truth;
static const truth truths[] = { { &gn_op_add, true_add, 1 },
                                { &gn_op_sub, true_sub, 1 },
                                { &gn_op_mul, true_mul, 1 },
                                { &gn_op_div, true_div, 1 },
                                { &gn_op_pow, true_pow, 4 },
                                { &gn_op_neg, true_neg, 0 },
                                { &gn_op_abs, true_abs, 0 },
                                { &gn_op_sign, true_sign, 0 },
                                { &gn_op_maximum, true_max, 0 },
                                { &gn_op_minimum, true_min, 0 },
                                { &gn_op_floor, true_floor, 0 },
                                { &gn_op_round, true_round, 0 },
                                { &gn_op_trunc, true_trunc, 0 },
                                { &gn_op_sqrt, true_sqrt, 1 },
                                { &gn_op_rsqrt, true_rsqrt, 4 },
                                { &gn_op_exp, true_exp, 4 },
                                { &gn_op_expm1, true_expm1, 4 },
                                { &gn_op_log, true_log, 4 },
                                { &gn_op_log1p, true_log1p, 4 },
                                { &gn_op_sin, true_sin, 4 },
                                { &gn_op_cos, true_cos, 4 },
                                { &gn_op_tanh, true_tanh, 4 },
                                { &gn_op_sigmoid, true_sigmoid, 4 },
                                { &gn_op_softplus, true_softplus, 4 },
                                { &gn_op_erf, true_erf, 4 },
                                { &gn_op_erfc, true_erfc, 4 },
                                { &gn_op_fma, true_fma, -1 },
                                { &gn_op_copysign, true_copysign, 0 },
                                { &gn_op_ldexp, true_ldexp, 1 },
                                { &gn_op_atanh, true_atanh, 4 },
                                { &gn_op_log_add_exp, true_log_add_exp, -1 },
                                { &gn_op_log1mexp, true_log1mexp, -1 },
                                { &gn_op_mod, true_mod, 1 },
                                { &gn_op_square, true_square, 1 },
                                { &gn_op_relu, true_relu, 0 },
                                { &gn_op_gelu, true_gelu, -1 },
                                { &gn_op_silu, true_silu, -1 },
                                { &gn_op_clip, true_clip, 0 } };
enum { NTRUTHS = sizeof truths / sizeof *truths };
