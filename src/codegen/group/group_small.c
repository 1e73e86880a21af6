/* Small programs: where all extents are constant and all values small, the kernels become one. Axes and definitions of
 * each piece get its number; what crossed memory between them becomes a definition, which the schedule keeps on the
 * stack. The whole is one function. */
#include <inttypes.h>
#include <string.h>
#include "group_state.h"

enum { SMALL_BYTES = 4096, MOST_AXES = 56, MOST_PIECES = 24 };

typedef struct joiner {
    grouper *g;
    gn_kernel *k;                /* the whole */
    gn_group *out;
    int32_t *buf, *def;          /* by value: buffer of the whole; definition that stands for it */
    const gn_group *piece;
    size_t number;
    uint32_t first_axis;
    uint32_t *defs;              /* by definition of the piece: that of the whole */
    gn_kcopy copy;
} joiner;

static int64_t bytes_of(const gn_expr *e)
{
    int64_t bytes = gn_dtypes[e->type->dtype].size;
    for (uint32_t d = 0; d < e->type->n; d++) {
        int64_t c;
        if (!gn_dim_is_const(e->type->dim[d], &c)) return INT64_MAX;
        if (c > SMALL_BYTES) return INT64_MAX;
        bytes *= c;
        if (bytes > SMALL_BYTES) return INT64_MAX;
    }
    return bytes;
}

static bool is_read(const gn_grouping *o, uint32_t value)
{
    for (size_t i = 0; i < o->groups.n; i++)
        if (gn_group_uses(&o->groups.at[i], value, GN_KBUF_READ)) return true;
    return false;
}

/* Something reads what several kernels wrote: no definition could stand for it. */
static bool reads_slices(const gn_grouping *o)
{
    for (size_t i = 0; i < o->values.n; i++)
        if (o->values.at[i].kind == GN_VALUE_SLICE && is_read(o, gn_gvalue_root(o, (uint32_t)i))) return true;
    return false;
}

static bool is_small(const grouper *g)
{
    const gn_grouping *o = g->out;
    size_t axes = 0;
    if (g->target->lang != GN_LANG_C || o->groups.n == 0 || o->groups.n > MOST_PIECES) return false;
    for (size_t i = 0; i < o->values.n; i++)
        if (bytes_of(o->values.at[i].expr) == INT64_MAX) return false;
    for (size_t i = 0; i < o->groups.n; i++) {
        const gn_kernel *k = o->groups.at[i].kernel;
        axes += k->axes.n;
        for (size_t a = 0; a < k->axes.n; a++) {
            int64_t e;
            if (!gn_dim_is_const(k->axes.at[a].extent, &e) || e > SMALL_BYTES) return false;
        }
        for (size_t s = 0; s < k->stores.n; s++)
            if (k->stores.at[s].kind != GN_STORE_SET && o->groups.n > 1) return false;
        if (k->syms.n > 0 || (o->groups.n > 1 && gn_kernel_index_loads(k, g->scratch))) return false;
    }
    return axes <= MOST_AXES && (o->groups.n == 1 || !reads_slices(o));
}

/* ---- copying a piece ---- */

static const char *piece_name(const joiner *j, const char *name)
{
    return gn_kernel_fresh_name(j->k, gn_arena_printf(j->g->arena, "%s_%zu", name, j->number), 0, NULL);
}

static const gn_dim *rename_axis(void *user, const char *symbol)
{
    const joiner *j = user;
    const int32_t a = gn_kernel_find_axis(j->piece->kernel, symbol);
    return a < 0 ? NULL : gn_dim_sym(j->k->dims, j->k->axes.at[j->first_axis + (uint32_t)a].name);
}

static const gn_dim *copy_dim(void *user, const gn_dim *d)
{
    joiner *j = user;
    return gn_dim_subst(j->k->dims, gn_dim_import(j->k->dims, d), rename_axis, j);
}

static uint32_t whole_buf(joiner *j, uint32_t value)
{
    const gn_gvalue *v = &j->g->out->values.at[value];
    const uint32_t rank = v->expr->type->n;
    if (j->buf[value] == NONE) {
        const gn_kbuf *b = &j->piece->kernel->bufs.at[gn_group_find_buf(j->piece, value)];
        j->buf[value] = (int32_t)gn_kernel_buf(j->k, gn_kernel_fresh_name(j->k, b->name, 0, NULL), b->dtype, rank,
                                               gn_dims_import(j->k->dims, rank, v->shape));
        gn_push(j->g->arena, &j->out->buf, value);
        gn_kbuf *made = &j->k->bufs.at[j->buf[value]];
        if (b->below) made->below = gn_dim_import(j->k->dims, b->below);
        made->stride = gn_dims_import(j->k->dims, rank, v->stride);
    }
    return (uint32_t)j->buf[value];
}

/* Dims along which a value has elements of its own. */
static size_t own_dims(const gn_gvalue *v, const gn_dim *const *index, const gn_dim **own)
{
    size_t n = 0;
    for (uint32_t d = 0; d < v->expr->type->n; d++)
        if (v->shape[d] == v->expr->type->dim[d]) own[n++] = index[d];
    return n;
}

static const gn_kexpr *copy_leaf(void *user, const gn_kexpr *e)
{
    joiner *j = user;
    const gn_dim **index = GN_NEW_ARRAY(j->g->scratch, const gn_dim *, e->nindex);
    for (size_t i = 0; i < e->nindex; i++) index[i] = copy_dim(j, e->index[i]);
    if (e->kind == GN_K_REF) return gn_kexpr_part(j->k, j->defs[e->u.ref], e->part, index);
    const uint32_t value = j->piece->buf.at[e->u.ref];
    if (j->def[value] == NONE) return gn_kexpr_load(j->k, whole_buf(j, value), index);
    const gn_dim *own[GN_MAX_RANK];
    own_dims(&j->g->out->values.at[value], index, own);
    return gn_kexpr_ref(j->k, (uint32_t)j->def[value], own);
}

static uint16_t *copy_axes(const joiner *j, const uint16_t *axis, size_t n)
{
    uint16_t *copy = GN_NEW_ARRAY(j->g->scratch, uint16_t, n);
    for (size_t i = 0; i < n; i++) copy[i] = (uint16_t)(axis[i] + j->first_axis);
    return copy;
}

static void copy_def(joiner *j, uint32_t at)
{
    const gn_kdef *d = &j->piece->kernel->defs.at[at];
    gn_kdef copy = gn_kdef_copy(&j->copy, d);
    copy.param = copy_axes(j, d->param, d->nparam), copy.raxis = copy_axes(j, d->raxis, d->nraxis);
    j->defs[at] = gn_kernel_add(j->k, piece_name(j, d->name), copy);
}

/* The axes of a store that visits every element once, in the buffer's order; false if it is another one. */
static bool plain_axes(const joiner *j, const gn_dim *const *index, size_t rank, uint16_t *axis)
{
    for (size_t d = 0; d < rank; d++) {
        const int32_t a = gn_kernel_plain_axis(j->k, index[d]);
        if (a < 0) return false;
        axis[d] = (uint16_t)a;
    }
    return true;
}

static void copy_store(joiner *j, const gn_kstore *st)
{
    const gn_kbuf *b = &j->piece->kernel->bufs.at[st->buf];
    const uint32_t value = j->piece->buf.at[st->buf];
    const gn_dim *index[GN_MAX_RANK], *own[GN_MAX_RANK];
    uint16_t axis[GN_MAX_RANK];
    for (size_t d = 0; d < b->rank; d++) index[d] = copy_dim(j, st->index[d]);
    const gn_kexpr *v = gn_kexpr_copy(&j->copy, st->value);
    const gn_gvalue *of = &j->g->out->values.at[value];
    const size_t n = own_dims(of, index, own);
    if (is_read(j->g->out, value) && plain_axes(j, own, n, axis)) {
        j->def[value] = (int32_t)gn_kernel_def(j->k, piece_name(j, of->name), n, axis, GN_RED_NONE, 0, NULL, v);
        v = gn_kexpr_ref(j->k, (uint32_t)j->def[value], own);
    }
    if (of->kind != GN_VALUE_TEMP) gn_kernel_store(j->k, (gn_store_kind)st->kind, whole_buf(j, value), index, v);
}

static void copy_piece(joiner *j)
{
    const gn_kernel *k = j->piece->kernel;
    gn_push(j->k->arena, &j->k->pieces, (gn_kernel_piece){ (uint32_t)j->k->axes.n, (uint32_t)j->k->items.n });
    j->first_axis = (uint32_t)j->k->axes.n;
    j->copy = gn_kcopy_start(j->k, j->g->scratch, copy_dim, copy_leaf, j);
    j->defs = GN_NEW_ARRAY(j->g->scratch, uint32_t, k->defs.n + 1);
    for (size_t a = 0; a < k->axes.n; a++) {
        gn_kernel_axis(j->k, piece_name(j, k->axes.at[a].name), gn_dim_import(j->k->dims, k->axes.at[a].extent));
        j->k->axes.at[j->first_axis + a].role = k->axes.at[a].role;
    }
    for (size_t i = 0; i < k->items.n; i++) {
        if (k->items.at[i].is_store) copy_store(j, &k->stores.at[k->items.at[i].at]);
        else copy_def(j, k->items.at[i].at);
    }
    for (size_t i = 0; i < j->piece->made.n; i++) gn_push(j->g->arena, &j->out->made, j->piece->made.at[i]);
}

static const char *join_comments(grouper *g)
{
    gn_text t = { .arena = g->arena };
    for (size_t i = 0; i < g->out->groups.n; i++) {
        if (i > 0) gn_text_char(&t, '\n');
        gn_text_add(&t, g->out->groups.at[i].kernel->comment);
    }
    return gn_text_done(&t);
}

static void take_one(grouper *g)
{
    gn_kernel *k = g->out->groups.at[0].kernel;
    gn_push(k->arena, &k->pieces, (gn_kernel_piece){ 0, 0 });
    g->out->small = true;
}

void gn_group_small(grouper *g)
{
    if (!is_small(g)) return;
    if (g->out->groups.n == 1) {
        take_one(g);
        return;
    }
    gn_group whole = { 0 };
    joiner j = { .g = g, .k = gn_kernel_new(g->arena, "k0"), .out = &whole };
    whole.kernel = j.k;
    j.buf = GN_NEW_ARRAY(g->scratch, int32_t, g->out->values.n + 1);
    j.def = GN_NEW_ARRAY(g->scratch, int32_t, g->out->values.n + 1);
    for (size_t v = 0; v < g->out->values.n; v++) j.buf[v] = j.def[v] = NONE;
    for (size_t i = 0; i < g->out->groups.n; i++) {
        j.piece = &g->out->groups.at[i], j.number = i;
        copy_piece(&j);
    }
    j.k->comment = join_comments(g);
    g->out->groups.n = 0;
    gn_push(g->arena, &g->out->groups, whole);
    g->out->small = true;
    while (g->out->values.n > 0 && g->out->values.at[g->out->values.n - 1].kind == GN_VALUE_TEMP)
        g->out->values.n--; /* they come last */
}
