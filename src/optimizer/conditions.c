/* Conditions and attribute functions of the rule tables. */
#include "functions.h"
#include "match.h"
#include "splat.h"

static gn_dtype dtype_of(const gn_expr *e)
{
    return (gn_dtype)e->type->dtype;
}

bool gn_if_is_float(gn_match *m, const gn_arg *arg)
{
    (void)arg;
    return gn_is_float(dtype_of(m->root));
}

bool gn_if_is_f32(gn_match *m, const gn_arg *arg)
{
    (void)arg;
    return dtype_of(m->root) == GN_F32;
}

bool gn_if_is_f64(gn_match *m, const gn_arg *arg)
{
    (void)arg;
    return dtype_of(m->root) == GN_F64;
}

bool gn_if_is_int(gn_match *m, const gn_arg *arg)
{
    (void)arg;
    return gn_is_int(dtype_of(m->root));
}

bool gn_if_of_int(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return !gn_is_float(dtype_of(arg[0].expr));
}

bool gn_if_of_uint(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return gn_dtypes[dtype_of(arg[0].expr)].kind == GN_KIND_UINT || dtype_of(arg[0].expr) == GN_BOOL;
}

bool gn_if_of_bool(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return dtype_of(arg[0].expr) == GN_BOOL;
}

bool gn_if_is_signed(gn_match *m, const gn_arg *arg)
{
    (void)arg;
    return gn_dtypes[dtype_of(m->root)].kind != GN_KIND_UINT;
}

bool gn_if_is_probability(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return arg[0].expr->op == &gn_op_sigmoid || arg[0].expr->op == &gn_op_softmax;
}

bool gn_if_never_zero(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return arg[0].expr->op == &gn_op_exp || gn_if_is_probability(m, arg);
}

/* Bits of the integers that a dtype holds without gaps, and whether it has a sign. */
static int whole_bits(gn_dtype t)
{
    switch (t) {
    case GN_BOOL: return 1;
    case GN_F16: return 11;
    case GN_BF16: return 8;
    case GN_F32: return 24;
    case GN_F64: return 53;
    default: return 8 * gn_dtypes[t].size - (gn_dtypes[t].kind == GN_KIND_INT);
    }
}

static bool holds_all(gn_dtype from, gn_dtype to)
{
    if (from == to) return true;
    if (to == GN_BOOL) return false;
    if (gn_is_float(from)) return to == GN_F64 || (to == GN_F32 && (from == GN_F16 || from == GN_BF16));
    if (gn_dtypes[from].kind == GN_KIND_INT && gn_dtypes[to].kind == GN_KIND_UINT) return false;
    return whole_bits(from) <= whole_bits(to);
}

bool gn_if_holds_all(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return holds_all((gn_dtype)arg[0].attr->i, (gn_dtype)arg[1].attr->i);
}

bool gn_if_is_identity(gn_match *m, const gn_arg *arg)
{
    (void)m;
    for (uint32_t i = 0; i < arg[0].attr->n; i++)
        if (arg[0].attr->ints[i] != i) return false;
    return true;
}

/* The broadcast has all axes but the reduced ones, in order: the result stands where it was reduced from. */
bool gn_if_restores(gn_match *m, const gn_arg *arg)
{
    const gn_attr *map = arg[0].attr, *reduced = arg[1].attr;
    const int64_t *axes = reduced->kind == GN_ATTR_INT ? &reduced->i : reduced->ints;
    const uint32_t naxes = reduced->kind == GN_ATTR_INT ? 1 : reduced->n;
    uint32_t kept = 0, gone = 0;
    for (uint32_t axis = 0; axis < m->root->type->n || axis < map->n + naxes; axis++) {
        if (kept < map->n && map->ints[kept] == axis) kept++;
        else if (gone < naxes && axes[gone] == axis) gone++;
        else return false;
    }
    return true;
}

bool gn_if_is_axis(gn_match *m, const gn_arg *arg)
{
    (void)m;
    return arg[1].attr->n == 1 && arg[1].attr->ints[0] == arg[0].attr->i;
}

/* ---- attributes ---- */

bool gn_attr_axes_compose(gn_match *m, const gn_arg *arg, gn_attr *out)
{
    const gn_attr *first = arg[0].attr, *then = arg[1].attr;
    int64_t *axes = GN_NEW_ARRAY(&m->graph->arena, int64_t, then->n);
    for (uint32_t i = 0; i < then->n; i++) axes[i] = first->ints[then->ints[i]];
    *out = gn_attr_ints(then->n, axes);
    return true;
}

bool gn_attr_only_axis(gn_match *m, const gn_arg *arg, gn_attr *out)
{
    (void)m;
    if (arg[0].attr->n != 1) return false;
    *out = gn_attr_int(arg[0].attr->ints[0]);
    return true;
}
