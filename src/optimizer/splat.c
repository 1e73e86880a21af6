/* Reading and making numbers. */
#include "splat.h"
#include "ops/make.h"
#include "ops/reference.h"
#include "visit.h"
#include <math.h>
#include <string.h>

static bool keeps_value(const gn_splat *from, gn_dtype to, gn_splat *out)
{
    out->dtype = to;
    if (gn_is_float(from->dtype) && gn_is_float(to)) {
        out->f = (double)gn_ref_round(to, from->f);
        return out->f == from->f || from->f != from->f;
    }
    if (gn_is_float(to)) {
        out->f = (double)gn_ref_round(to, (long double)from->i);
        return gn_dtypes[from->dtype].kind != GN_KIND_UINT && (long double)out->f == (long double)from->i;
    }
    if (gn_is_float(from->dtype)) {
        if (!(fabs(from->f) < 0x1p62) || from->f != trunc(from->f)) return false;
        out->i = (int64_t)from->f;
    } else {
        out->i = from->i;
    }
    return gn_ref_wrap(to, out->i) == out->i && gn_is_unsigned(to) == gn_is_unsigned(from->dtype);
}

/* One element of a constant's data. */
static gn_splat element(gn_dtype t, const void *data)
{
    gn_splat v = { .dtype = t };
    float f;
    uint16_t h;
    switch (t) {
    case GN_F64: memcpy(&v.f, data, 8); break;
    case GN_F32: memcpy(&f, data, 4), v.f = f; break;
    case GN_F16: memcpy(&h, data, 2), v.f = gn_f16_to_f32(h); break;
    case GN_BF16: memcpy(&h, data, 2), v.f = gn_bf16_to_f32(h); break;
    default: memcpy(&v.i, data, gn_dtypes[t].size), v.i = gn_ref_wrap(t, v.i); break;
    }
    return v;
}

bool gn_splat_of(const gn_expr *e, gn_splat *out)
{
    gn_splat inner;
    const gn_dtype t = (gn_dtype)e->type->dtype;
    if (!e->number) return false;
    for (; e->op != &gn_op_cast && e != e->number; e = e->in[0]) gn_work_done.scans++;
    if (e == e->number) {
        *out = element(t, gn_attr_of(e, "data")->data);
        return true;
    }
    if (!gn_splat_of(e->in[0], &inner)) return false; /* no deeper than casts of a number stand before they are folded */
    *out = inner;
    return keeps_value(&inner, t, out);
}

bool gn_splat_is(const gn_expr *e, double number)
{
    gn_splat v;
    if (!gn_splat_of(e, &v)) return false;
    if (gn_is_float(v.dtype)) {
        gn_splat n;
        return gn_splat_number(v.dtype, number, &n) && n.f == v.f && !signbit(n.f) == !signbit(v.f);
    }
    return !signbit(number) && fabs(number) < 0x1p53 ? (double)v.i == number : (double)v.i == number && number != 0;
}

gn_splat gn_splat_rounded(gn_splat v)
{
    if (gn_is_float(v.dtype)) v.f = (double)gn_ref_round(v.dtype, v.f);
    else v.i = gn_ref_wrap(v.dtype, v.i);
    return v;
}

bool gn_splat_number(gn_dtype t, double number, gn_splat *out)
{
    *out = (gn_splat){ .dtype = t };
    if (gn_is_float(t)) {
        out->f = (double)gn_ref_round(t, number);
        return true;
    }
    if (!(fabs(number) < 0x1p62) || number != trunc(number)) return false;
    out->i = (int64_t)number;
    return gn_ref_wrap(t, out->i) == out->i;
}

gn_expr *gn_splat_make(gn_graph *g, gn_splat v, const gn_type *like)
{
    gn_expr *scalar = gn_is_float(v.dtype) ? gn_make_scalar(g, v.dtype, v.f) : gn_make_scalar_int(g, v.dtype, v.i);
    return gn_make_splat(g, scalar, like->n, like->dim);
}

gn_expr *gn_splat_value(gn_graph *g, double number, gn_dtype t, const gn_type *like)
{
    gn_splat v;
    GN_ASSERT(gn_splat_number(t, number, &v)); /* rules ask before they make a number */
    return gn_splat_make(g, v, like);
}
