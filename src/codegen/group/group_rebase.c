/* Buffers begin where a kernel begins to read. Step t of an unrolled loop reads x[t]: as a number in every index that
 * makes a kernel for each t, as the start of the buffer the kernels are one. So the number that all indices of a
 * buffer's dim have in common becomes part of the value's place. */
#include "group_state.h"

typedef struct rebasing {
    grouper *g;
    gn_group *q;
    int64_t (*by)[GN_MAX_RANK];  /* per buffer and dim; -1: not looked at yet */
    const gn_dim *(*index)[GN_MAX_RANK]; /* the one index of all loads; NULL: they differ */
    GN_VEC(const gn_kexpr *) loads;
} rebasing;

/* The number in an index that is a number and axes added to it; -1: it is another one. */
static int64_t constant_of(const gn_dim *d)
{
    int64_t c = 0;
    for (uint32_t t = 0; t < d->n; t++) {
        if (d->term[t].n == 0) c = d->term[t].c;
        else if (d->term[t].c < 0 || d->term[t].n > 1 || d->term[t].atom[0]->kind != GN_DIM_SYM) return -1;
    }
    return c;
}

static void find_loads(rebasing *r)
{
    gn_visit v = gn_kernel_visit(r->q->kernel, r->g->scratch);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));)
        if (e->kind == GN_K_LOAD) gn_push(r->g->scratch, &r->loads, e);
}

static bool may_move(const rebasing *r, uint32_t buf)
{
    const uint8_t kind = r->g->out->values.at[r->q->buf.at[buf]].kind;
    return r->q->kernel->bufs.at[buf].access == GN_KBUF_READ && kind != GN_VALUE_VARIABLE && kind != GN_VALUE_UPDATE;
}

static void note_index(rebasing *r, uint32_t buf, size_t d, const gn_dim *index)
{
    int64_t *by = &r->by[buf][d], extent;
    const int64_t c = constant_of(index);
    const bool fits = c >= 0 && gn_dim_is_const(r->q->kernel->bufs.at[buf].shape[d], &extent) && c < extent;
    if (*by < 0) r->index[buf][d] = index;
    else if (r->index[buf][d] != index) r->index[buf][d] = NULL;
    *by = !fits || (*by >= 0 && *by != c) ? 0 : c;
    if (!fits) r->index[buf][d] = NULL;
}

/* By how much each dim of each buffer can begin later: what all its indices have in common, within a known extent. */
static void find_bases(rebasing *r)
{
    for (size_t i = 0; i < r->loads.n; i++)
        for (size_t d = 0; may_move(r, r->loads.at[i]->u.ref) && d < r->loads.at[i]->nindex; d++)
            note_index(r, r->loads.at[i]->u.ref, d, r->loads.at[i]->index[d]);
}

/* The extent that is left: what the one index of all loads runs through. */
static const gn_dim *left_extent(const rebasing *r, uint32_t buf, size_t d)
{
    gn_kernel *k = r->q->kernel;
    const gn_dim *index = r->index[buf][d], *whole = k->bufs.at[buf].shape[d];
    if (index && gn_dim_is_const(index, NULL)) return gn_dim_const(k->dims, 1);
    return r->by[buf][d] > 0 ? gn_dim_sub(k->dims, whole, gn_dim_const(k->dims, r->by[buf][d])) : whole;
}

static void move_value(rebasing *r, uint32_t buf, const gn_dim *const *stride)
{
    grouper *g = r->g;
    gn_dim_pool *pool = &g->core->graph->dims;
    const uint32_t old = r->q->buf.at[buf];
    gn_gvalue v = g->out->values.at[old];
    const gn_dim *start = v.start ? v.start : gn_dim_const(pool, 0);
    for (uint32_t d = 0; d < v.expr->type->n; d++)
        if (r->by[buf][d] > 0) start = gn_dim_add(pool, start, gn_dim_scale(pool, stride[d], r->by[buf][d]));
    if (gn_dim_is(start, 0)) return;
    v.within = (int32_t)gn_gvalue_root(g->out, old);
    v.kind = GN_VALUE_SLICE, v.in_place = NONE, v.start = start, v.stride = stride;
    r->q->buf.at[buf] = (uint32_t)g->out->values.n;
    gn_push(g->arena, &g->out->values, v);
}

static void move_buffer(rebasing *r, uint32_t buf)
{
    gn_kernel *k = r->q->kernel;
    const size_t rank = k->bufs.at[buf].rank;
    const gn_dim **shape = GN_NEW_ARRAY(k->arena, const gn_dim *, rank);
    bool moves = false;
    for (size_t d = 0; d < rank; d++) moves |= (shape[d] = left_extent(r, buf, d)) != k->bufs.at[buf].shape[d];
    if (!moves) return;
    const gn_gvalue v = r->g->out->values.at[r->q->buf.at[buf]];
    const gn_dim *const *strides = gn_group_strides(r->g, &v);
    move_value(r, buf, strides);
    const gn_dim *const *stride = gn_dims_import(k->dims, rank, strides);
    k->bufs.at[buf].shape = shape;
    k->bufs.at[buf].stride = gn_group_is_contiguous(k->dims, rank, shape, stride) ? NULL : stride;
}

static const gn_kexpr *moved_load(void *user, const gn_kexpr *e)
{
    const rebasing *r = user;
    const gn_dim *index[GN_MAX_RANK];
    if (e->kind == GN_K_REF) return e;
    for (size_t d = 0; d < e->nindex; d++) {
        const int64_t by = r->by[e->u.ref][d];
        index[d] = by > 0 ? gn_dim_sub(r->q->kernel->dims, e->index[d], gn_dim_const(r->q->kernel->dims, by)) : e->index[d];
    }
    return gn_kexpr_load(r->q->kernel, e->u.ref, index);
}

void gn_group_rebase(grouper *g, gn_group *q)
{
    rebasing r = { .g = g, .q = q };
    gn_kernel *k = q->kernel;
    if (gn_kernel_index_loads(k, g->scratch)) return; /* a gather names its buffer in an index, by its flat place */
    r.by = gn_arena_alloc_n(g->scratch, k->bufs.n + 1, sizeof *r.by, alignof(int64_t));
    r.index = gn_arena_alloc_n(g->scratch, k->bufs.n + 1, sizeof *r.index, alignof(const gn_dim *));
    for (size_t b = 0; b < k->bufs.n; b++)
        for (size_t d = 0; d < GN_MAX_RANK; d++) r.by[b][d] = -1;
    find_loads(&r);
    find_bases(&r);
    gn_kcopy copy = gn_kcopy_start(k, g->scratch, NULL, moved_load, &r);
    for (uint32_t b = 0; b < k->bufs.n; b++) move_buffer(&r, b);
    for (size_t d = 0; d < k->defs.n; d++) k->defs.at[d].body = gn_kexpr_copy(&copy, k->defs.at[d].body);
    for (size_t s = 0; s < k->stores.n; s++) k->stores.at[s].value = gn_kexpr_copy(&copy, k->stores.at[s].value);
}
