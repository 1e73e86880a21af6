/* Arithmetic of the reference evaluator on single elements. */
#include "reference.h"
#include <float.h>
#include <math.h>

typedef struct format {
    int digits, least_exponent; /* bits of the significand; exponent of the smallest normal number */
} format;

static format format_of(gn_dtype t)
{
    switch (t) {
    case GN_F16: return (format){ 11, -14 };
    case GN_BF16: return (format){ 8, -126 };
    case GN_F32: return (format){ 24, -126 };
    default: return (format){ 53, -1022 };
    }
}

long double gn_ref_ulp(gn_dtype t, long double v)
{
    const format f = format_of(t);
    int exponent = f.least_exponent;
    if (!isfinite(v)) return 0;
    if (v != 0 && ilogbl(v) > exponent) exponent = ilogbl(v);
    return ldexpl(1, exponent - f.digits + 1);
}

long double gn_ref_round(gn_dtype t, long double v)
{
    const format f = format_of(t);
    if (!isfinite(v) || v == 0) return v;
    const long double ulp = gn_ref_ulp(t, v), r = rintl(v / ulp) * ulp; /* ulp is a power of two: both steps are exact */
    const long double limit = ldexpl(1, 2 - f.least_exponent);       /* 2^(greatest exponent + 1) */
    return fabsl(r) >= limit ? copysignl(INFINITY, v) : r;
}

static int bits_of(gn_dtype t)
{
    return t == GN_BOOL ? 1 : 8 * gn_dtypes[t].size;
}

int64_t gn_ref_wrap(gn_dtype t, int64_t v)
{
    const int bits = bits_of(t);
    if (t == GN_BOOL) return v != 0;
    if (bits == 64) return v;
    const uint64_t low = (uint64_t)v & ((UINT64_C(1) << bits) - 1);
    return !gn_is_unsigned(t) && low >> (bits - 1) ? (int64_t)(low | ~UINT64_C(0) << bits) : (int64_t)low;
}

int64_t gn_ref_least(gn_dtype t)
{
    return t == GN_BOOL || gn_is_unsigned(t) ? 0 : (int64_t)(~UINT64_C(0) << (bits_of(t) - 1));
}

int64_t gn_ref_greatest(gn_dtype t)
{
    if (t == GN_BOOL) return 1;
    if (gn_is_unsigned(t)) return (int64_t)(~UINT64_C(0) >> (64 - bits_of(t)));
    return ~gn_ref_least(t);
}

int64_t gn_ref_saturate(gn_dtype t, long double v)
{
    if (t == GN_BOOL) return v != 0;
    if (isnan(v)) return 0;
    v = truncl(v);
    if (gn_is_unsigned(t)) {
        if (v <= 0) return 0;
        return v >= (long double)(uint64_t)gn_ref_greatest(t) ? gn_ref_greatest(t) : (int64_t)(uint64_t)v;
    }
    if (v <= (long double)gn_ref_least(t)) return gn_ref_least(t);
    return v >= (long double)gn_ref_greatest(t) ? gn_ref_greatest(t) : (int64_t)v;
}

bool gn_ref_less(gn_dtype t, int64_t a, int64_t b)
{
    return gn_is_unsigned(t) ? (uint64_t)a < (uint64_t)b : a < b;
}

long double gn_ref_apart(long double y, long double v)
{
    if (y == v || (isnan(y) && isnan(v))) return 0;
    const long double d = fabsl(y - v);
    return isnan(d) ? INFINITY : d;
}

void gn_ref_slack(gn_ref *o, int ulp)
{
    if (isnan(o->err)) o->err = INFINITY;
    if (ulp == 1 && o->err == 0 && gn_ref_round(o->dtype, o->f) == o->f) return;
    o->err += ulp * gn_ref_ulp(o->dtype, o->f);
}

void gn_ref_monotone(gn_ref *o, const gn_ref *x, long double (*f)(long double), int ulp)
{
    o->f = f(x->f);
    o->err = x->err == 0 ? 0 : fmaxl(gn_ref_apart(o->f, f(x->f - x->err)), gn_ref_apart(o->f, f(x->f + x->err)));
    gn_ref_slack(o, ulp);
}

void gn_ref_monotone2(gn_ref *o, const gn_ref *in, long double (*f)(long double, long double), int ulp)
{
    const long double a = in[0].f, b = in[1].f, ea = in[0].err, eb = in[1].err;
    o->f = f(a, b), o->err = 0;
    if (ea != 0 || eb != 0) {
        const long double corner[4] = { f(a - ea, b - eb), f(a - ea, b + eb), f(a + ea, b - eb), f(a + ea, b + eb) };
        for (int i = 0; i < 4; i++) o->err = fmaxl(o->err, gn_ref_apart(o->f, corner[i]));
    }
    gn_ref_slack(o, ulp);
}

void gn_ref_step(gn_ref *o, const gn_ref *x, long double (*f)(long double))
{
    o->f = f(x->f), o->err = 0;
    if (x->err != 0 && (gn_ref_apart(o->f, f(x->f - x->err)) != 0 || gn_ref_apart(o->f, f(x->f + x->err)) != 0))
        o->jump = true;
}

void gn_ref_finish(gn_ref *o)
{
    if (!gn_is_float(o->dtype)) {
        o->i = gn_ref_wrap(o->dtype, o->i), o->err = 0;
        return;
    }
    const long double exact = o->f;
    o->f = gn_ref_round(o->dtype, exact);
    if (isfinite(exact) && isinf(o->f)) o->err = INFINITY;
}

void gn_ref_sum_error(gn_ref *o, int64_t n, long double magnitude)
{
    /* an operand is no number or infinite, and so is any sum of them; or its own bound is infinite */
    if (!isfinite(magnitude)) {
        if (o->err != 0 || isfinite(o->f)) o->err = INFINITY;
        return;
    }
    if (isinf(gn_ref_round(o->dtype, magnitude))) o->err = INFINITY; /* another order may overflow on the way */
    if (n > 1) o->err += (long double)n * magnitude * gn_ref_ulp(o->dtype, 1) / 2;
    gn_ref_slack(o, n > 1);
}

/* In another order the product of the large factors may overflow, or that of the small ones vanish, on the way. */
void gn_ref_product(gn_ref *o, const gn_ref *x, int64_t n)
{
    long double far = 1, high = 1;
    bool exact = n <= 1;
    o->f = 1, o->i = 1;
    for (int64_t i = 0; i < n; i++) {
        const long double m = fabsl(x[i].f) + x[i].err;
        o->f *= x[i].f, o->jump |= x[i].jump, o->i = (int64_t)((uint64_t)o->i * (uint64_t)x[i].i);
        far *= m, high *= fmaxl(m, 1);
        exact = exact && x[i].err == 0;
    }
    if (!gn_is_float(o->dtype) || exact || (n > 0 && !isfinite(high) && high != INFINITY)) return;
    const long double moved = far - fabsl(o->f), rounds = (long double)n * gn_ref_ulp(o->dtype, 1);
    o->err = isfinite(gn_ref_round(o->dtype, high)) ? moved + far * rounds + high * (long double)n * gn_ref_ulp(o->dtype, 0)
                                                    : INFINITY;
    gn_ref_slack(o, 0);
}

gn_ref gn_ref_load(gn_dtype t, const void *data, int64_t i)
{
    gn_ref r = { .dtype = t };
    switch (t) {
    case GN_BOOL: r.i = ((const uint8_t *)data)[i] != 0; break;
    case GN_I8: r.i = ((const int8_t *)data)[i]; break;
    case GN_I16: r.i = ((const int16_t *)data)[i]; break;
    case GN_I32: r.i = ((const int32_t *)data)[i]; break;
    case GN_I64: r.i = ((const int64_t *)data)[i]; break;
    case GN_U8: r.i = ((const uint8_t *)data)[i]; break;
    case GN_U16: r.i = ((const uint16_t *)data)[i]; break;
    case GN_U32: r.i = ((const uint32_t *)data)[i]; break;
    case GN_U64: r.i = (int64_t)((const uint64_t *)data)[i]; break;
    case GN_F16: r.f = gn_f16_to_f32(((const uint16_t *)data)[i]); break;
    case GN_BF16: r.f = gn_bf16_to_f32(((const uint16_t *)data)[i]); break;
    case GN_F32: r.f = ((const float *)data)[i]; break;
    case GN_F64: r.f = ((const double *)data)[i]; break;
    }
    return r;
}

void gn_ref_store(gn_dtype t, void *data, int64_t i, const gn_ref *r)
{
    switch (t) {
    case GN_BOOL: ((uint8_t *)data)[i] = r->i != 0; break;
    case GN_I8: ((int8_t *)data)[i] = (int8_t)r->i; break;
    case GN_I16: ((int16_t *)data)[i] = (int16_t)r->i; break;
    case GN_I32: ((int32_t *)data)[i] = (int32_t)r->i; break;
    case GN_I64: ((int64_t *)data)[i] = r->i; break;
    case GN_U8: ((uint8_t *)data)[i] = (uint8_t)r->i; break;
    case GN_U16: ((uint16_t *)data)[i] = (uint16_t)r->i; break;
    case GN_U32: ((uint32_t *)data)[i] = (uint32_t)r->i; break;
    case GN_U64: ((uint64_t *)data)[i] = (uint64_t)r->i; break;
    case GN_F16: ((uint16_t *)data)[i] = gn_f32_to_f16((float)r->f); break;
    case GN_BF16: ((uint16_t *)data)[i] = gn_f32_to_bf16((float)r->f); break;
    case GN_F32: ((float *)data)[i] = (float)r->f; break;
    case GN_F64: ((double *)data)[i] = (double)r->f; break;
    }
}
