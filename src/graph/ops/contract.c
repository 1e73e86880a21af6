/* One node for all products that are summed: matrix products, batched, inner and outer ones. Each axis of an operand
 * has a label (a small number); labels that the result lacks are summed over. */
#include "evaluate.h"
#include "make.h"
#include "reference.h"
#include <math.h>

enum { MAX_LABELS = 2 * GN_MAX_RANK };

/* ---- type ---- */

/* Extents by label. Labels are numbered by first appearance in a, then b, so that equal contractions are equal nodes. */
static size_t extents(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr, const gn_dim **extent)
{
    size_t nlabels = 0;
    for (size_t k = 0; k < 2; k++) {
        if (attr[k].n != gn_rank_in(in[k]))
            gn_throw_at(g, GN_ESHAPE, "contract", in, n, "%u labels for a tensor of rank %zu", attr[k].n,
                        gn_rank_in(in[k]));
        uint32_t seen = 0;
        for (uint32_t d = 0; d < attr[k].n; d++) {
            const int64_t l = attr[k].ints[d];
            if (l < 0 || (size_t)l > nlabels || seen >> l & 1)
                gn_throw_at(g, GN_EINVAL, "contract", in, n, "label %lld stands twice in an operand, or out of order",
                            (long long)l);
            seen |= 1u << l;
            if ((size_t)l == nlabels) extent[nlabels++] = gn_extent(in[k], d);
            else extent[l] = gn_infer_extent(g, "contract", in, n, extent[l], gn_extent(in[k], d), "inner extents");
        }
    }
    return nlabels;
}

static const gn_type *infer_contract(gn_graph *g, gn_expr *const *in, size_t n, const gn_attr *attr)
{
    const gn_dim *extent[MAX_LABELS], *shape[GN_MAX_RANK];
    const size_t nlabels = extents(g, in, n, attr, extent);
    uint32_t seen = 0;
    if (nlabels > GN_MAX_RANK)
        gn_throw_at(g, GN_ESHAPE, "contract", in, n, "%zu different axes, more than %d", nlabels, GN_MAX_RANK);
    if (gn_dtype_in(in[0]) != gn_dtype_in(in[1])) gn_throw_at(g, GN_EDTYPE, "contract", in, n, "operands differ in dtype");
    for (uint32_t d = 0; d < attr[2].n; d++) {
        const int64_t l = attr[2].ints[d];
        if (l < 0 || (size_t)l >= nlabels || seen >> l & 1)
            gn_throw_at(g, GN_EINVAL, "contract", in, n, "label %lld of the result is in no operand, or stands twice",
                        (long long)l);
        seen |= 1u << l, shape[d] = extent[l];
    }
    return gn_type_tensor(g, gn_dtype_in(in[0]), attr[2].n, shape);
}

/* ---- reference ---- */

/* Extents by label, and how far a step along it moves in a, b and the result. */
typedef struct walk {
    int64_t extent[MAX_LABELS], stride[3][MAX_LABELS];
    int nlabels;
} walk;

static walk walk_of(const gn_tensor *out, const gn_tensor *const *in, const gn_expr *e)
{
    walk w = { 0 };
    const gn_tensor *const t[3] = { in[0], in[1], out };
    for (int k = 0; k < 3; k++) {
        int64_t stride[GN_MAX_RANK];
        gn_row_major(t[k]->rank, t[k]->shape, stride);
        for (uint32_t d = 0; d < e->attr[k].n; d++) {
            const int64_t l = e->attr[k].ints[d];
            w.stride[k][l] = stride[d], w.extent[l] = t[k]->shape[d];
            if (l >= w.nlabels) w.nlabels = (int)l + 1;
        }
    }
    return w;
}

static void accumulate(gn_ref *o, const gn_ref *a, const gn_ref *b, long double *magnitude)
{
    if (gn_is_float(o->dtype)) {
        const gn_ref in[2] = { *a, *b };
        gn_ref p = { .dtype = o->dtype };
        p.f = a->f * b->f;
        if (in[0].err != 0 || in[1].err != 0) p.err = fabsl(a->f) * b->err + fabsl(b->f) * a->err + a->err * b->err;
        o->f += p.f, o->err += p.err;
        *magnitude += fabsl(p.f) + p.err;
    } else {
        o->i = (int64_t)((uint64_t)o->i + (uint64_t)a->i * (uint64_t)b->i);
    }
    o->jump |= a->jump || b->jump;
}

static void eval_contract(gn_tensor *out, const gn_tensor *const *in, const gn_expr *e, gn_arena *arena)
{
    const walk w = walk_of(out, in, e);
    long double *const magnitude = GN_NEW_ARRAY(arena, long double, out->count);
    int64_t at[MAX_LABELS] = { 0 }, total = 1, terms = 1;
    for (int l = 0; l < w.nlabels; l++) total *= w.extent[l];
    if (out->count > 0) terms = total / out->count;
    for (int64_t i = 0; i < total; i++) {
        const int64_t a = gn_flat_index(w.nlabels, at, w.stride[0]), b = gn_flat_index(w.nlabels, at, w.stride[1]);
        const int64_t o = gn_flat_index(w.nlabels, at, w.stride[2]);
        accumulate(&out->at[o], &in[0]->at[a], &in[1]->at[b], &magnitude[o]);
        gn_next_index(w.nlabels, w.extent, at);
    }
    for (int64_t i = 0; gn_is_float(out->dtype) && i < out->count; i++)
        if (terms > 0) gn_ref_sum_error(&out->at[i], terms + 1, magnitude[i]); /* one rounding more for the products */
}

/* ---- derivatives ---- */

static bool has_label(const gn_attr *list, int64_t l)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->ints[i] == l) return true;
    }
    return false;
}

/* The gradient of operand k: dy times the other operand, summed over what k lacks, repeated along what k alone has. */
static gn_expr *transpose(gn_graph *g, gn_expr *y, gn_expr *dy, int k)
{
    const gn_attr *mine = &y->attr[k], *theirs = &y->attr[1 - k], *result = &y->attr[2];
    gn_expr *const x = y->in[k], *const other = y->in[1 - k];
    int64_t labels[GN_MAX_RANK], axes[GN_MAX_RANK];
    size_t n = 0;
    for (uint32_t d = 0; d < mine->n; d++) {
        if (has_label(theirs, mine->ints[d]) || has_label(result, mine->ints[d])) labels[n] = mine->ints[d], axes[n++] = d;
    }
    gn_expr *const part = gn_make_contract(g, dy, result->ints, other, theirs->ints, labels, n);
    return gn_make_broadcast(g, part, gn_rank_in(x), x->type->dim, axes);
}

static void vjp_contract(gn_graph *g, gn_expr *y, gn_expr *dy, gn_expr **gin)
{
    gin[0] = transpose(g, y, dy, 0), gin[1] = transpose(g, y, dy, 1);
}

static gn_expr *jvp_contract(gn_graph *g, gn_expr *y, gn_expr *const *t)
{
    gn_expr *sum = NULL;
    for (int k = 0; k < 2; k++) {
        if (!t[k]) continue;
        gn_expr *in[2] = { y->in[0], y->in[1] };
        in[k] = t[k];
        gn_expr *const part = gn_node(g, &gn_op_contract, in, 2, y->attr);
        sum = sum ? gn_make2(g, &gn_op_add, sum, part) : part;
    }
    return sum;
}

static const gn_attr_spec labels_attr[] = { { "a", GN_ATTR_INTS }, { "b", GN_ATTR_INTS }, { "out", GN_ATTR_INTS } };
const gn_op_info gn_op_contract = { .name = "contract", .arity = 2, .dtypes = GN_NUMBERS, .attrs = labels_attr,
    .nattr = 3, .infer = infer_contract, .eval_whole = eval_contract, .vjp = vjp_contract, .jvp = jvp_contract,
    .gloss = "products of a and b along equal labels, summed over labels that the result lacks" };
