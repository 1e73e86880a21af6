/* Numbers: folding them, and the rules that look at their value. */
#include "functions.h"
#include "match.h"
#include "ops/make.h"
#include "ops/reference.h"
#include "splat.h"
#include <math.h>
#include <stdlib.h>

/* Computed as the reference evaluator does, one element, rounded to the dtype of the node. */
gn_expr *gn_rewrite_fold(gn_match *m)
{
    enum { MOST = 4 };
    const gn_expr *e = m->root;
    gn_ref in[MOST] = { 0 }, out = { .dtype = (gn_dtype)e->type->dtype };
    if (e->nin > MOST) return NULL;
    for (uint32_t i = 0; i < e->nin; i++) {
        gn_splat v;
        if (!gn_splat_of(e->in[i], &v)) return NULL;
        in[i] = (gn_ref){ .dtype = v.dtype, .f = v.f, .i = v.i };
    }
    e->op->eval(&out, in, e);
    gn_ref_finish(&out);
    return gn_splat_make(m->graph, (gn_splat){ .dtype = out.dtype, .f = (double)out.f, .i = out.i }, e->type);
}

/* The magnitude of a negative number; false for zeros, NaN and what is not negative. */
static bool negated(gn_splat *c)
{
    if (gn_is_float(c->dtype)) {
        if (!(c->f < 0)) return false;
        c->f = -c->f;
        return true;
    }
    if (gn_dtypes[c->dtype].kind != GN_KIND_INT || c->i >= 0) return false;
    if (c->i == gn_ref_least(c->dtype)) return false; /* its magnitude is itself */
    c->i = -c->i;
    return true;
}

gn_expr *gn_rewrite_add_negative(gn_match *m)
{
    gn_splat c;
    if (!gn_splat_of(m->root->in[1], &c) || !negated(&c)) return NULL;
    const gn_op_info *other = m->root->op == &gn_op_add ? &gn_op_sub : &gn_op_add;
    return gn_make2(m->graph, other, m->root->in[0], gn_splat_make(m->graph, c, m->root->type));
}

/* Both the number and its reciprocal are normal powers of two of the dtype. */
gn_expr *gn_rewrite_divide_by_power(gn_match *m)
{
    gn_splat c;
    int exponent;
    if (!gn_splat_of(m->root->in[1], &c) || !isfinite(c.f) || fabs(frexp(c.f, &exponent)) != 0.5 || fabs(c.f) == 1)
        return NULL;
    const int most = c.dtype == GN_F64 ? 1021 : c.dtype == GN_F16 ? 13 : 125;
    if (abs(exponent - 1) > most) return NULL;
    c.f = 1 / c.f;
    return gn_make2(m->graph, &gn_op_mul, m->root->in[0], gn_splat_make(m->graph, c, m->root->type));
}

gn_expr *gn_rewrite_dim_value(gn_match *m)
{
    int64_t v;
    const gn_attr *dim = gn_attr_of(m->root, "size");
    if (!gn_dim_is_const(dim->dims[0], &v)) return NULL;
    const gn_dtype t = gn_dtype_in(m->root);
    return gn_splat_make(m->graph, gn_splat_rounded((gn_splat){ .dtype = t, .f = (double)v, .i = v }), m->root->type);
}
