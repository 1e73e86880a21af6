#include "factor.h"

typedef struct mentioned {
    const gn_kernel *k;
    const gn_kdef *d;
    bool only_axes;
} mentioned;

static void note_name(void *user, const char *name)
{
    mentioned *m = user;
    const int32_t axis = gn_kernel_find_axis(m->k, name);
    m->only_axes &= axis >= 0 && gn_def_keeps(m->d, (uint32_t)axis);
}

static bool is_over_axes(const gn_kernel *k, const gn_kdef *d, const gn_dim *const *index, size_t n)
{
    mentioned m = { k, d, true };
    for (size_t i = 0; i < n; i++) {
        gn_dim_symbols(index[i], note_name, &m);
        m.only_axes &= !gn_dim_has_load(index[i]);
    }
    return m.only_axes;
}

bool gn_factor_is_given(const gn_kernel *k, uint32_t def, const bool *given)
{
    const gn_kdef *d = &k->defs.at[def];
    bool all = d->red == GN_RED_NONE;
    gn_visit v = { .arena = k->arena, .operand = gn_kexpr_operand };
    for (uint16_t i = 0; i < d->nparam; i++) all &= gn_dim_is_const(k->axes.at[d->param[i]].extent, NULL);
    gn_visit_add(&v, d->body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        all &= e->kind == GN_K_CONST || e->kind == GN_K_OP || e->kind == GN_K_LOAD;
        if (e->kind == GN_K_LOAD) all &= given[e->u.ref] && is_over_axes(k, d, e->index, e->nindex);
    }
    return all;
}

bool gn_factor_has_rows(const gn_kernel *k, uint32_t def, uint32_t axis)
{
    const gn_kexpr *e = k->defs.at[def].body;
    if (e->kind != GN_K_LOAD) return false;
    const gn_dim *c = gn_dim_linear(k->dims, gn_kernel_flat(k, e->u.ref, e->index), k->axes.at[axis].name);
    return c && gn_dim_is(c, 1);
}

typedef struct splitting {
    const gn_kernel *from;
    gn_kernel *to;
    int32_t *own;                /* by buffer of the old kernel: the new one's; -1 */
    uint32_t *buf;
} splitting;

static const gn_dim *copy_dim(void *user, const gn_dim *d)
{
    return gn_dim_import(((splitting *)user)->to->dims, d);
}

static uint32_t copy_buffer(splitting *s, uint32_t at)
{
    const gn_kbuf *b = &s->from->bufs.at[at];
    if (s->own[at] >= 0) return (uint32_t)s->own[at];
    s->own[at] = (int32_t)gn_kernel_buf(s->to, gn_kernel_fresh_name(s->to, b->name, 0, NULL), b->dtype, b->rank,
                                        gn_dims_import(s->to->dims, b->rank, b->shape));
    s->to->bufs.at[s->own[at]].stride = gn_dims_import(s->to->dims, b->rank, b->stride);
    s->buf[s->own[at]] = at;
    return (uint32_t)s->own[at];
}

static const gn_kexpr *copy_load(void *user, const gn_kexpr *e)
{
    splitting *s = user;
    return gn_kexpr_load(s->to, copy_buffer(s, e->u.ref), gn_dims_import(s->to->dims, e->nindex, e->index));
}

gn_kernel *gn_factor_split(gn_arena *arena, gn_kernel *k, uint32_t def, uint32_t axis, uint32_t *buf)
{
    gn_kdef *d = &k->defs.at[def];
    gn_kernel *q = gn_kernel_new(arena, gn_arena_printf(arena, "%s_%s", k->name, d->name));
    splitting s = { k, q, GN_NEW_ARRAY(arena, int32_t, k->bufs.n), buf };
    const gn_dim *shape[GN_MAX_RANK], *here[GN_MAX_RANK];
    uint16_t n = 0;
    for (size_t b = 0; b < k->bufs.n; b++) s.own[b] = -1;
    for (uint16_t i = 0; i <= d->nparam; i++) { /* the axis last */
        const uint32_t a = i < d->nparam ? d->param[i] : axis;
        if (i < d->nparam && a == axis) continue;
        here[n] = gn_dim_sym(k->dims, k->axes.at[a].name), shape[n++] = k->axes.at[a].extent;
        gn_kernel_axis(q, k->axes.at[a].name, gn_dim_import(q->dims, k->axes.at[a].extent));
    }
    const uint32_t y = gn_kernel_buf(q, gn_kernel_fresh_name(q, d->name, 0, NULL), d->dtype, n,
                                     gn_dims_import(q->dims, n, shape));
    gn_kcopy copy = gn_kcopy_start(q, arena, copy_dim, copy_load, &s);
    gn_kernel_store(q, GN_STORE_SET, y, gn_dims_import(q->dims, n, here), gn_kexpr_copy(&copy, d->body));
    const uint32_t x = gn_kernel_buf(k, gn_kernel_fresh_name(k, gn_arena_printf(arena, "%s_kept", d->name), 0, NULL),
                                     d->dtype, n, shape);
    d->body = gn_kexpr_load(k, x, here);
    return q;
}
