/* What has no operands, and the two ops that make and take apart tuples. input, variable, constant and param get their
 * type from gn_leaf. */
#include "op.h"

static const gn_attr_spec name_attrs[] = { { "name", GN_ATTR_NAME } };
static const gn_attr_spec data_attrs[] = { { "data", GN_ATTR_DATA } };
static const gn_attr_spec index_attrs[] = { { "index", GN_ATTR_INT } };
static const gn_attr_spec size_attrs[] = { { "size", GN_ATTR_DIMS, .count = 1 } };
static const gn_attr_spec iota_attrs[] = { { "shape", GN_ATTR_DIMS },
                                           { "axis", GN_ATTR_INT },
                                           { "dtype", GN_ATTR_DTYPE, .dtypes = GN_NUMBERS } };

static const gn_type *infer_dim(gn_graph *g, gn_expr *const *in, size_t nin, const gn_attr *attr)
{
    (void)in, (void)nin, (void)attr;
    return gn_type_tensor(g, GN_I64, 0, NULL);
}

static const gn_type *infer_iota(gn_graph *g, gn_expr *const *in, size_t nin, const gn_attr *attr)
{
    (void)in, (void)nin;
    const gn_dtype dtype = (gn_dtype)attr[2].i;
    if (attr[1].i < 0 || attr[1].i >= attr[0].n)
        gn_throw_at(g, GN_EAXIS, "iota", NULL, 0, "axis %lld of a tensor of rank %u", (long long)attr[1].i, attr[0].n);
    return gn_type_tensor(g, dtype, attr[0].n, attr[0].dims);
}

static const gn_type *infer_tuple(gn_graph *g, gn_expr *const *in, size_t nin, const gn_attr *attr)
{
    (void)attr;
    const gn_type *local[16], **elem = local;
    for (size_t i = 0; i < nin; i++)
        if (in[i]->type->kind != GN_TYPE_TENSOR) gn_throw_at(g, GN_EINVAL, "tuple", in, nin, "element %zu is a tuple", i);
    if (nin > 16) elem = GN_NEW_ARRAY(&g->arena, const gn_type *, nin);
    for (size_t i = 0; i < nin; i++) elem[i] = in[i]->type;
    return gn_type_tuple(g, nin, elem);
}

static const gn_type *infer_proj(gn_graph *g, gn_expr *const *in, size_t nin, const gn_attr *attr)
{
    (void)nin;
    const gn_type *const t = in[0]->type;
    if (t->kind != GN_TYPE_TUPLE) gn_throw_at(g, GN_EINVAL, "proj", in, 1, "takes a tuple");
    if (attr[0].i < 0 || attr[0].i >= t->n)
        gn_throw_at(g, GN_EINVAL, "proj", in, 1, "element %lld of a tuple of %d", (long long)attr[0].i, t->n);
    return t->elem[attr[0].i];
}

const gn_op_info gn_op_input = {
    .name = "input", .traits = GN_LEAF, .attrs = name_attrs, .nattr = 1,
    .gloss = "an argument of the function, by name",
};

const gn_op_info gn_op_variable = {
    .name = "variable", .traits = GN_LEAF, .attrs = name_attrs, .nattr = 1,
    .gloss = "the value of a shared variable before the call's updates",
};

const gn_op_info gn_op_constant = {
    .name = "constant", .traits = GN_LEAF, .attrs = data_attrs, .nattr = 1,
    .gloss = "an array of numbers; one number has rank 0 and is broadcast where more are needed",
};

const gn_op_info gn_op_param = {
    .name = "param", .traits = GN_LEAF, .attrs = index_attrs, .nattr = 1,
    .gloss = "a parameter of the region whose body it stands in",
};

const gn_op_info gn_op_dim = {
    .name = "dim", .traits = GN_LEAF, .attrs = size_attrs, .nattr = 1, .infer = infer_dim,
    .not_differentiable = "an integer",
    .gloss = "an extent as an i64 scalar",
};

const gn_op_info gn_op_iota = {
    .name = "iota", .traits = GN_LEAF, .attrs = iota_attrs, .nattr = 3, .infer = infer_iota,
    .not_differentiable = "it has no operands",
    .gloss = "each element's position along an axis: 0, 1, 2, ...",
};

const gn_op_info gn_op_tuple = {
    .name = "tuple", .arity = -1, .attrs = NULL, .infer = infer_tuple, .linear = true,
    .gloss = "several tensors as one value",
};

const gn_op_info gn_op_proj = {
    .name = "proj", .arity = 1, .attrs = index_attrs, .nattr = 1, .infer = infer_proj, .linear = true,
    .gloss = "an element of a tuple",
};
