/* Numbers of the interpreter: an operation at a time, lanes over threads. */
#include <math.h>
#include "code_interpret_state.h"
#include "ops/reference.h"

static gn_ref ref_of(gn_lane x)
{
    return (gn_ref){ .dtype = (gn_dtype)x.dtype, .f = x.f, .i = x.i };
}

gn_lane gn_lane_number(gn_dtype t, int64_t i)
{
    gn_lane x = { .dtype = (uint8_t)t };
    if (gn_is_float(t)) x.f = (long double)i;
    else x.i = i;
    return x;
}

gn_lane gn_lane_poison(gn_dtype t, gn_lane of)
{
    return (gn_lane){ .dtype = (uint8_t)t, .i = of.i, .poison = of.poison };
}

gn_lane gn_lane_op(const gn_op_info *op, gn_dtype t, const gn_lane *a, size_t n)
{
    gn_ref r = { .dtype = t }, in[GN_VAL_MOST];
    for (size_t i = 0; i < n; i++) {
        if (a[i].poison) return gn_lane_poison(t, a[i]);
        in[i] = ref_of(a[i]);
    }
    op->eval(&r, in, NULL);
    if (!gn_is_float(t)) gn_ref_finish(&r); /* integers wrap; floats keep their digits */
    return (gn_lane){ .dtype = (uint8_t)t, .f = r.f, .i = r.i };
}

bool gn_lane_same(gn_dtype t, gn_lane a, gn_lane b)
{
    if (a.poison || b.poison) return a.poison && b.poison;
    const gn_ref x = ref_of(a), y = ref_of(b);
    int64_t p = 0, q = 0;
    gn_ref_store(t, &p, 0, &x);
    gn_ref_store(t, &q, 0, &y);
    return p == q;
}

/* ---- threads of a block merge: neighbours by xor in the warp, then over warps ---- */

static gn_lane infinite(gn_dtype t, long double f)
{
    return (gn_lane){ .dtype = (uint8_t)t, .f = f };
}

static gn_lane start_of(gn_red red, gn_dtype t)
{
    switch (red) {
    case GN_RED_MAX: return gn_is_float(t) ? infinite(t, -INFINITY) : gn_lane_number(t, gn_ref_least(t));
    case GN_RED_MIN: return gn_is_float(t) ? infinite(t, INFINITY) : gn_lane_number(t, gn_ref_greatest(t));
    case GN_RED_PROD:
    case GN_RED_ALL: return gn_lane_number(t, 1);
    default: return gn_lane_number(t, 0);
    }
}

static void butterfly(gn_lane *x, const gn_op_info *op)
{
    gn_lane y[32];
    for (int o = 16; o; o /= 2) {
        for (int t = 0; t < 32; t++) y[t] = gn_lane_op(op, (gn_dtype)x[t].dtype, (gn_lane[]){ x[t], x[t ^ o] }, 2);
        memcpy(x, y, sizeof y);
    }
}

gn_lane gn_lane_merge(gn_red red, gn_scope scope, const gn_lane *v, uint32_t n)
{
    const gn_op_info *op = gn_red_op(red);
    const gn_lane start = start_of(red, (gn_dtype)v[0].dtype);
    gn_lane warp[32], x[32];
    for (int t = 0; t < 32; t++) warp[t] = start;
    for (uint32_t first = 0; first < n; first += 32) {
        for (uint32_t t = 0; t < 32; t++) x[t] = first + t < n ? v[first + t] : start;
        butterfly(x, op);
        warp[first / 32] = x[0];
    }
    if (scope > GN_SCOPE_WARP) butterfly(warp, op);
    return warp[0];
}
