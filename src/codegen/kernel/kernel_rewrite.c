/* Kernels with fewer axes: definitions and stores one after the other, since a reference needs its definition to be
 * there. */
#include "kernel.h"

typedef struct rewriting {
    const gn_krewrite *r;
    uint32_t *def;               /* per definition: its number in the new kernel */
    gn_kcopy copy;
} rewriting;

static const gn_kexpr *leaf_anew(void *user, const gn_kexpr *e)
{
    const rewriting *w = user;
    gn_kernel *to = w->r->to;
    const gn_dim **index = GN_NEW_ARRAY(to->arena, const gn_dim *, e->nindex);
    w->r->index(w->r->user, e->kind == GN_K_REF, e->u.ref, e->index, index);
    return e->kind == GN_K_REF ? gn_kexpr_part(to, w->def[e->u.ref], e->part, index) : gn_kexpr_load(to, e->u.ref, index);
}

static const gn_dim *dim_anew(void *user, const gn_dim *d)
{
    const rewriting *w = user;
    return w->r->dim(w->r->user, d);
}

static const uint16_t *axes_anew(const gn_krewrite *r, const uint16_t *axis, uint16_t *n)
{
    uint16_t *anew = GN_NEW_ARRAY(r->to->arena, uint16_t, *n), kept = 0;
    for (uint16_t i = 0; i < *n; i++) {
        const int32_t a = r->axis[axis[i]];
        if (a >= 0 && !gn_has_axis(anew, kept, (uint32_t)a)) anew[kept++] = (uint16_t)a;
    }
    *n = kept;
    return anew;
}

static void def_anew(rewriting *w, uint32_t at)
{
    gn_kdef d = gn_kdef_copy(&w->copy, &w->r->from->defs.at[at]);
    d.param = axes_anew(w->r, d.param, &d.nparam), d.raxis = axes_anew(w->r, d.raxis, &d.nraxis);
    w->def[at] = gn_kernel_add(w->r->to, d.name, d);
}

static void store_anew(rewriting *w, const gn_kstore *s)
{
    const gn_dim *index[GN_MAX_RANK];
    w->r->index(w->r->user, false, s->buf, s->index, index);
    gn_kernel_store(w->r->to, (gn_store_kind)s->kind, s->buf, index, gn_kexpr_copy(&w->copy, s->value));
}

void gn_kernel_rewrite(const gn_krewrite *r, gn_arena *scratch)
{
    rewriting w = { .r = r, .def = GN_NEW_ARRAY(scratch, uint32_t, r->from->defs.n + 1) };
    w.copy = gn_kcopy_start(r->to, scratch, dim_anew, leaf_anew, &w);
    for (size_t i = 0; i < r->from->items.n; i++) {
        const gn_kitem *item = &r->from->items.at[i];
        if (item->is_store) store_anew(&w, &r->from->stores.at[item->at]);
        else def_anew(&w, item->at);
    }
}
