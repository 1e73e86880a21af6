/* Closed form for stores that add at indices read from memory. Equal indices must add in the order of the updates, so
 * what reaches the index through a load runs one after the other, in each thread; an axis that the index leaves alone
 * may go to parts and lanes, or to blocks and threads. */
#include "default_piece.h"

/* The axis that stands in an index as it is, alone: of a quotient or a sum of two, several points go to one place. */
static uint64_t plain_axis(const piece *p, const gn_dim *d)
{
    uint64_t bits = 0;
    for (uint32_t t = 0; t < d->n; t++)
        for (uint32_t i = 0; i < d->term[t].n; i++) {
            const gn_atom *x = d->term[t].atom[i];
            const int32_t a = x->kind == GN_DIM_SYM ? gn_kernel_find_axis(p->k, x->name) : -1;
            if (a >= 0) bits |= bit(a);
        }
    return bits & (bits - 1) ? 0 : bits;
}

/* Axes that stand so in an index of every store, as bits. */
static uint64_t free_axes(const piece *p)
{
    uint64_t all = ~UINT64_C(0);
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kitem *it = &p->k->items.at[p->first_item + i];
        if (!it->is_store) continue;
        const gn_kstore *s = &p->k->stores.at[it->at];
        uint64_t own = 0;
        for (size_t d = 0; d < p->k->bufs.at[s->buf].rank; d++)
            if (!gn_dim_has_load(s->index[d])) own |= plain_axis(p, s->index[d]);
        all &= own;
    }
    return all;
}

/* The free axis that is last in the buffer that is added to; -1: none. */
static int32_t lane_axis(const piece *p, uint64_t free)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kitem *it = &p->k->items.at[p->first_item + i];
        if (!it->is_store || p->k->stores.at[it->at].kind == GN_STORE_SET) continue;
        const gn_kstore *s = &p->k->stores.at[it->at];
        for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
            if ((free >> a & 1) && gn_piece_stride(p, s->buf, s->index, a) == 1) return (int32_t)a;
    }
    return -1;
}

void gn_default_scatter(piece *p)
{
    const bool cuda = p->target->lang == GN_LANG_CUDA;
    const gn_bind_kind part = p->small ? GN_BIND_NONE : cuda ? GN_BIND_BLOCK : GN_BIND_PART;
    const uint64_t free = free_axes(p);
    const int32_t ln = lane_axis(p, free);
    lanes l = { 0 };
    leaf_id thread = 0;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) p->spread |= free & bit(a);
    gn_piece_loops(p, part, ln < 0 ? free : free & ~bit((uint32_t)ln));
    if (ln >= 0 && cuda)
        SPLIT(p, (uint32_t)ln, { "b", 0, &l.outer }, { "t", gn_piece_threads(p->extent[ln]), &thread });
    else if (ln >= 0) l = gn_piece_lanes(p, (uint32_t)ln, 4, 4);
    gn_piece_bound(p, part, l.outer);
    gn_piece_bound(p, GN_BIND_THREAD, thread);
    gn_piece_loops(p, GN_BIND_NONE, ~free);
    gn_piece_lane_tiles(p, &l, GN_BIND_UNROLL);
}
