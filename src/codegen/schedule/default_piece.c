/* What the closed forms share: names of leaves, splits of lane axes, reductions over parts, strides. */
#include "default_piece.h"
#include <inttypes.h>
#include <string.h>

enum { GUESS = 4096 };

int64_t gn_piece_guess(const piece *p, uint32_t axis)
{
    return p->extent[axis] >= 0 ? p->extent[axis] : GUESS;
}

static bool is_taken(const piece *p, const char *name)
{
    for (size_t i = 0; i < p->names.n; i++)
        if (strcmp(p->names.at[i], name) == 0) return true;
    return gn_kernel_find_axis(p->k, name) >= 0 || gn_kernel_find_buf(p->k, name) >= 0 || gn_kernel_find_def(p->k, name) >= 0 ||
           gn_kernel_find_sym(p->k, name) >= 0;
}

const char *gn_piece_name(piece *p, const char *wanted)
{
    const char *name = wanted;
    while (is_taken(p, name)) name = gn_arena_printf(p->arena, "%s_", name);
    gn_push(p->arena, &p->names, name);
    return name;
}

const char *gn_piece_leaf(piece *p, uint32_t axis, const char *suffix)
{
    return gn_piece_name(p, gn_arena_printf(p->arena, "%s%s", p->k->axes.at[axis].name, suffix));
}

void gn_piece_bind(piece *p, const char *how, const char *leaf)
{
    gn_textf(&p->binds, " (bind %s %s)", how, leaf);
}

void gn_piece_tile(piece *p, const char *how, const char *leaf, uint32_t axis, int64_t points)
{
    gn_piece_bind(p, how, leaf);
    gn_push(p->arena, &p->tile, (leaf_note){ leaf, axis, points });
}

void gn_piece_serial(piece *p, const char *leaf, uint32_t axis, int64_t points)
{
    gn_push(p->arena, &p->serial, (leaf_note){ leaf, axis, points });
}

void gn_piece_part(piece *p, const char *leaf, uint32_t axis)
{
    gn_piece_bind(p, "part", leaf);
    gn_piece_serial(p, leaf, axis, -1);
}

void gn_piece_axis(piece *p, uint32_t axis)
{
    gn_piece_serial(p, p->k->axes.at[axis].name, axis, p->extent[axis]);
}

void gn_piece_lane_tiles(piece *p, const lanes *l, uint32_t axis, const char *how)
{
    if (l->unroll) gn_piece_tile(p, how, l->unroll, axis, l->nunroll);
    if (l->lane) gn_piece_tile(p, "lane", l->lane, axis, 1);
}

/* Lanes of an axis in a program of several pieces: what crosses between them on the stack has no room past its end, so
 * vectors must divide. */
static int64_t lanes_of_axis(const piece *p, int64_t extent)
{
    int64_t w = p->w;
    if (!p->small || p->hint->pieces.n < 2 || extent <= 0) return w;
    while (w > 1 && extent % w != 0) w /= 2;
    return w;
}

lanes gn_piece_lanes(piece *p, uint32_t axis, int64_t unroll, int64_t full)
{
    const char *name = p->k->axes.at[axis].name;
    const int64_t e = p->extent[axis], w = lanes_of_axis(p, e);
    lanes l = { .lane = w > 1 ? gn_piece_leaf(p, axis, "l") : NULL };
    const bool whole = e >= 0 && e <= full * p->w;
    const int64_t u = whole ? ceil_div(e > 0 ? e : 1, w) : unroll;
    l.exact = e >= 0 && e % (u * w) == 0;
    l.nunroll = u;
    l.nouter = e < 0 ? -1 : ceil_div(e, u * w);
    if (u > 1 || !l.lane) l.unroll = gn_piece_leaf(p, axis, "u");
    if (!whole) l.outer = gn_piece_leaf(p, axis, "0");
    gn_textf(&p->splits, " (split %s", name);
    if (l.outer) gn_textf(&p->splits, " %s", l.outer);
    if (l.unroll) gn_textf(&p->splits, " (%s %" PRId64 ")", l.unroll, u);
    if (l.lane) gn_textf(&p->splits, " (%s %" PRId64 ")", l.lane, w);
    gn_text_char(&p->splits, ')');
    return l;
}

void gn_piece_peel(piece *p, const lanes *l)
{
    if (l->outer && !l->exact) gn_push(p->arena, &p->peeled, l->outer);
}

const gn_kdef *gn_piece_def(const piece *p, uint32_t item)
{
    const gn_kitem *i = &p->k->items.at[p->first_item + item];
    return i->is_store ? NULL : &p->k->defs.at[i->at];
}

void gn_piece_close(piece *p, uint32_t axis, const char *part_leaf, int64_t rows)
{
    const char *over = NULL;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || d->red == GN_RED_NONE || !has_axis(d->raxis, d->nraxis, axis)) continue;
        if (!over) {
            gn_dim_pool *dims = p->k->dims;
            over = "p_";
            while (is_taken(p, over)) over = gn_arena_printf(p->arena, "%s_", over);
            const uint32_t q = gn_kernel_axis(p->k, over, gn_dim_cdiv(dims, p->k->axes.at[axis].extent, gn_dim_const(dims, rows)));
            gn_piece_serial(p, over, q, -1); /* the innermost loop: columns lie outside it */
        }
        gn_push(p->arena, &p->factored, (uint32_t)(d - p->k->defs.at));
        const char *partial = gn_piece_name(p, gn_arena_printf(p->arena, "%s_p", d->name));
        gn_textf(&p->rest, " (rfactor %s %s %s %s) (stage %s arena)", d->name, part_leaf, partial, over, partial);
    }
}

/* Place of the first (or last) loop over one of these axes; -1: none. */
static int64_t loop_place(const piece *p, const uint16_t *axis, size_t n, bool last)
{
    int64_t place = -1;
    for (size_t i = 0; i < p->serial.n; i++)
        if (has_axis(axis, n, p->serial.at[i].axis) && (last || place < 0)) place = (int64_t)i;
    return place;
}

static bool refers(const gn_kexpr *e, uint32_t def)
{
    if (e->kind == GN_K_REF && e->u.ref == def) return true;
    for (size_t i = 0; i < e->n; i++)
        if (refers(e->a[i], def)) return true;
    return false;
}

/* Statements that need a definition, also below definitions that are inlined. */
static int count_statements(const piece *p, uint32_t item)
{
    const uint32_t at = p->k->items.at[p->first_item + item].at;
    int n = 0;
    for (uint32_t k = item + 1; k < p->nitems && n < 2; k++) {
        const gn_kdef *u = gn_piece_def(p, k);
        if (!refers(u ? u->body : p->k->stores.at[p->k->items.at[p->first_item + k].at].value, at)) continue;
        n += u && u->red == GN_RED_NONE ? count_statements(p, k) : 1;
    }
    return n;
}

void gn_piece_keep(piece *p)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || d->red == GN_RED_NONE) continue;
        bool factored = false;
        for (size_t k = 0; k < p->factored.n; k++) factored |= p->factored.at[k] == (uint32_t)(d - p->k->defs.at);
        const int64_t sum = loop_place(p, d->raxis, d->nraxis, false), result = loop_place(p, d->param, d->nparam, true);
        if (factored && result >= 0 && count_statements(p, i) > 1) gn_textf(&p->rest, " (stage %s arena)", d->name);
        if (!factored && sum >= 0 && result > sum)
            gn_textf(&p->rest, " (stage %s %s)", d->name,
                     p->small || p->target->lang == GN_LANG_CUDA ? "stack" : "scratch");
    }
}

static void add_axis(void *user, const char *name)
{
    const piece *p = ((void **)user)[0];
    uint64_t *bits = ((void **)user)[1];
    const int32_t a = gn_kernel_find_axis(p->k, name);
    if (a >= 0) *bits |= UINT64_C(1) << a;
}

static void add_expr_axes(void **user, const gn_kexpr *e)
{
    for (size_t i = 0; i < e->nindex; i++) gn_dim_symbols(e->index[i], add_axis, user);
    for (size_t i = 0; i < e->ncond; i++)
        gn_dim_symbols(e->cond[i].a, add_axis, user), gn_dim_symbols(e->cond[i].b, add_axis, user);
    if (e->kind == GN_K_INDEX) gn_dim_symbols(e->u.index, add_axis, user);
    for (size_t i = 0; i < e->n; i++) add_expr_axes(user, e->a[i]);
}

uint64_t gn_piece_axes(const piece *p, uint32_t item)
{
    const gn_kitem *it = &p->k->items.at[p->first_item + item];
    uint64_t bits = 0;
    void *user[2] = { (void *)p, &bits };
    if (it->is_store) {
        const gn_kstore *s = &p->k->stores.at[it->at];
        for (size_t d = 0; d < p->k->bufs.at[s->buf].rank; d++) gn_dim_symbols(s->index[d], add_axis, user);
        add_expr_axes(user, s->value);
        return bits;
    }
    const gn_kdef *d = &p->k->defs.at[it->at];
    for (size_t i = 0; i < d->nparam; i++) bits |= UINT64_C(1) << d->param[i];
    for (size_t i = 0; i < d->nraxis; i++) bits |= UINT64_C(1) << d->raxis[i];
    return bits;
}

/* ---- addresses ---- */

int gn_piece_stride(const piece *p, uint32_t buf, const gn_dim *const *index, uint32_t axis)
{
    const char *name = p->k->axes.at[axis].name;
    const gn_dim *flat = gn_kernel_flat(p->k, buf, index);
    if (!gn_dim_mentions(flat, name)) return 0;
    const gn_dim *c = gn_dim_coefficient(p->k->dims, flat, name);
    return c && gn_dim_is(c, 1) && !gn_dim_mentions(gn_dim_sub(p->k->dims, flat, gn_dim_sym(p->k->dims, name)), name) ? 1 : -1;
}

bool gn_piece_is_plain_load(const piece *p, const gn_kexpr *e)
{
    (void)p;
    return e->kind == GN_K_LOAD;
}

void gn_piece_loads(const piece *p, const gn_kexpr *e, void (*visit)(void *, const gn_kexpr *load), void *user)
{
    if (e->kind == GN_K_LOAD) visit(user, e);
    for (size_t i = 0; i < e->n; i++) gn_piece_loads(p, e->a[i], visit, user);
}
