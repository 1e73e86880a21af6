/* Types: interned per graph. */
#include "expr.h"
#include "checked.h"
#include <string.h>

static bool type_equal(const void *stored, const void *probe)
{
    const gn_type *const a = stored, *const b = probe;
    if (a->kind != b->kind || a->dtype != b->dtype || a->n != b->n) return false;
    /* elem has the same layout: a list of pointers */
    return a->n == 0 || memcmp(a->dim, b->dim, a->n * sizeof *a->dim) == 0;
}

static const gn_type *intern_type(gn_graph *g, const gn_type *probe)
{
    uint64_t hash = gn_hash_mix(probe->kind, probe->dtype);
    for (size_t i = 0; i < probe->n; i++)
        hash = gn_hash_mix(hash, probe->kind == GN_TYPE_TENSOR ? probe->dim[i]->id : GN_KEY(probe->elem[i]));
    gn_type *t = gn_intern_find(&g->types, hash, probe, type_equal);
    if (t) return t;
    t = gn_arena_alloc(&g->arena, sizeof *t, alignof(gn_type));
    *t = *probe;
    if (t->n) t->dim = gn_arena_copy(&g->arena, probe->dim, t->n * sizeof *t->dim);
    gn_intern_add(&g->arena, &g->types, hash, t);
    return t;
}

static void check_extents(gn_dtype dtype, size_t rank, const gn_dim *const *dim)
{
    int64_t bytes = (int64_t)gn_dtype_size(dtype), v;
    if (rank > GN_MAX_RANK) gn_throw(GN_ESHAPE, "a tensor of rank %zu: at most %d is possible", rank, GN_MAX_RANK);
    for (size_t i = 0; i < rank; i++) {
        if (!gn_dim_is_const(dim[i], &v)) continue;
        if (v < 0) gn_throw(GN_ESHAPE, "extent %lld of axis %zu is negative", (long long)v, i);
        if (v > 0 && gn_mul_overflows(bytes, v, &bytes))
            gn_throw(GN_ENOMEM, "size overflows: the bytes of a tensor do not fit 64 bits");
    }
}

const gn_type *gn_type_tensor(gn_graph *g, gn_dtype dtype, size_t rank, const gn_dim *const *dim)
{
    check_extents(dtype, rank, dim);
    const gn_type probe = { .graph = g, .kind = GN_TYPE_TENSOR, .dtype = (uint8_t)dtype, .n = (uint16_t)rank, .dim = dim };
    return intern_type(g, &probe);
}

const gn_type *gn_type_tuple(gn_graph *g, size_t n, const gn_type *const *elem)
{
    if (n > UINT16_MAX) gn_throw(GN_EINVAL, "a tuple of %zu: at most %d are possible", n, UINT16_MAX);
    const gn_type probe = { .graph = g, .kind = GN_TYPE_TUPLE, .n = (uint16_t)n, .elem = elem };
    return intern_type(g, &probe);
}

void gn_type_show(gn_text *t, const gn_type *type)
{
    if (type->kind == GN_TYPE_ERROR) {
        gn_text_add(t, "error");
        return;
    }
    gn_text_add(t, type->kind == GN_TYPE_TUPLE ? "tuple" : gn_dtypes[type->dtype].name);
    gn_text_add(t, " (");
    for (size_t i = 0; i < type->n; i++) {
        if (i) gn_text_add(t, ", ");
        if (type->kind == GN_TYPE_TUPLE) gn_type_show(t, type->elem[i]); /* a tuple of tuples is no type: one level */
        else gn_dim_show(t, type->dim[i]);
    }
    gn_text_char(t, ')');
}
