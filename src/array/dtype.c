/* The table of dtypes, the table of their promotion, and the two 16-bit floats as bits. */
#include "dtype.h"
#include <math.h>
#include <string.h>

const gn_dtype_info gn_dtypes[GN_NDTYPES] = {
    [GN_BOOL] = { "bool", "uint8_t", 1, GN_KIND_BOOL }, [GN_I8] = { "i8", "int8_t", 1, GN_KIND_INT },
    [GN_I16] = { "i16", "int16_t", 2, GN_KIND_INT },    [GN_I32] = { "i32", "int32_t", 4, GN_KIND_INT },
    [GN_I64] = { "i64", "int64_t", 8, GN_KIND_INT },    [GN_U8] = { "u8", "uint8_t", 1, GN_KIND_UINT },
    [GN_U16] = { "u16", "uint16_t", 2, GN_KIND_UINT },  [GN_U32] = { "u32", "uint32_t", 4, GN_KIND_UINT },
    [GN_U64] = { "u64", "uint64_t", 8, GN_KIND_UINT },  [GN_F16] = { "f16", "uint16_t", 2, GN_KIND_FLOAT },
    [GN_BF16] = { "bf16", "uint16_t", 2, GN_KIND_FLOAT }, [GN_F32] = { "f32", "float", 4, GN_KIND_FLOAT },
    [GN_F64] = { "f64", "double", 8, GN_KIND_FLOAT },
};

/* Least upper bounds. No integer holds both u64 and a signed one, and f16 and bf16 do not hold each other: those meet
 * in f32. */
#define B GN_BOOL
#define C GN_I8
#define S GN_I16
#define I GN_I32
#define L GN_I64
#define c GN_U8
#define s GN_U16
#define i GN_U32
#define l GN_U64
#define H GN_F16
#define b GN_BF16
#define F GN_F32
#define D GN_F64
static const uint8_t promoted[GN_NDTYPES][GN_NDTYPES] = {
    /*           bool i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64 */
    [GN_BOOL] = { B, C, S, I, L, c, s, i, l, H, b, F, D },
    [GN_I8] =   { C, C, S, I, L, S, I, L, F, H, b, F, D },
    [GN_I16] =  { S, S, S, I, L, S, I, L, F, H, b, F, D },
    [GN_I32] =  { I, I, I, I, L, I, I, L, F, H, b, F, D },
    [GN_I64] =  { L, L, L, L, L, L, L, L, F, H, b, F, D },
    [GN_U8] =   { c, S, S, I, L, c, s, i, l, H, b, F, D },
    [GN_U16] =  { s, I, I, I, L, s, s, i, l, H, b, F, D },
    [GN_U32] =  { i, L, L, L, L, i, i, i, l, H, b, F, D },
    [GN_U64] =  { l, F, F, F, F, l, l, l, l, H, b, F, D },
    [GN_F16] =  { H, H, H, H, H, H, H, H, H, H, F, F, D },
    [GN_BF16] = { b, b, b, b, b, b, b, b, b, F, b, F, D },
    [GN_F32] =  { F, F, F, F, F, F, F, F, F, F, F, F, D },
    [GN_F64] =  { D, D, D, D, D, D, D, D, D, D, D, D, D },
};
#undef B
#undef C
#undef S
#undef I
#undef L
#undef c
#undef s
#undef i
#undef l
#undef H
#undef b
#undef F
#undef D

static bool is_dtype(gn_dtype t)
{
    return (unsigned)t < GN_NDTYPES;
}

const char *gn_dtype_name(gn_dtype t)
{
    return is_dtype(t) ? gn_dtypes[t].name : NULL;
}

size_t gn_dtype_size(gn_dtype t)
{
    return is_dtype(t) ? gn_dtypes[t].size : 0;
}

gn_dtype gn_dtype_promote(gn_dtype x, gn_dtype y)
{
    if (!is_dtype(x) || !is_dtype(y)) return is_dtype(x) ? y : x; /* what is no dtype stays none */
    return (gn_dtype)promoted[x][y];
}

bool gn_dtype_parse(const char *name, gn_dtype *out)
{
    for (int t = 0; t < GN_NDTYPES; t++)
        if (strcmp(name, gn_dtypes[t].name) == 0) {
            *out = (gn_dtype)t;
            return true;
        }
    return false;
}

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static float float_of(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

float gn_bf16_to_f32(uint16_t h)
{
    return float_of((uint32_t)h << 16);
}

uint16_t gn_f32_to_bf16(float f)
{
    const uint32_t u = bits_of(f);
    if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40); /* NaN stays one when the low bits go */
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

float gn_f16_to_f32(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 0x3ff;
    if (exponent == 31) return float_of(sign | 0x7f800000 | fraction << 13);
    if (exponent) return float_of(sign | (exponent + 112) << 23 | fraction << 13);
    const float tiny = (float)fraction * 0x1p-24f; /* subnormal or zero: exact */
    return float_of(sign | bits_of(tiny));
}

uint16_t gn_f32_to_f16(float f)
{
    const uint32_t u = bits_of(f), sign = u >> 16 & 0x8000, size = u & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00 | (size >> 13 & 0x3ff));
    if (size >= 0x477ff000) return (uint16_t)(sign | 0x7c00); /* from 65520 on the nearest is infinity */
    if (size >= 0x38800000) {                                 /* normal: round the 13 bits that go, to even */
        const uint32_t rebased = size - (112u << 23);
        return (uint16_t)(sign | (rebased + 0xfff + (rebased >> 13 & 1)) >> 13);
    }
    const float shifted = float_of(size) + 0.5f; /* ulp of 0.5 is 2^-24, the smallest f16: the addition rounds as we need */
    return (uint16_t)(sign | (bits_of(shifted) - bits_of(0.5f)));
}

double gn_float_load(gn_dtype t, const void *element)
{
    double d;
    float f;
    uint16_t h;
    if (t == GN_F64) return memcpy(&d, element, sizeof d), d;
    if (t == GN_F32) return memcpy(&f, element, sizeof f), (double)f;
    memcpy(&h, element, sizeof h);
    return t == GN_F16 ? (double)gn_f16_to_f32(h) : (double)gn_bf16_to_f32(h);
}

bool gn_float_store(gn_dtype t, double v, void *element)
{
    const float f = (float)v;
    const uint16_t h = t == GN_F16 ? gn_f32_to_f16(f) : gn_f32_to_bf16(f);
    if (t == GN_F64) memcpy(element, &v, sizeof v);
    else if (t == GN_F32) memcpy(element, &f, sizeof f);
    else memcpy(element, &h, sizeof h);
    return isfinite(v) <= isfinite(gn_float_load(t, element));
}
