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
    return gn_kernel_has_name(p->k, name);
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

lanes gn_piece_lanes(piece *p, uint32_t axis, int64_t unroll, int64_t full)
{
    const char *name = p->k->axes.at[axis].name;
    const int64_t e = p->extent[axis], w = p->w;
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

/* Whether what a reduction along the axis gives lies along further axes. */
static bool closes_for_others(const piece *p, uint32_t axis)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (d && d->red != GN_RED_NONE && has_axis(d->raxis, d->nraxis, axis) && d->nparam) return true;
    }
    return false;
}

/* The loop over the parts' results, the innermost: columns lie outside it. Many of them are added as vectors in several
 * chains, unless columns are the vectors. */
static const char *over_parts(piece *p, uint32_t axis, int64_t rows)
{
    enum { MANY = 32 };
    const char *over = "p_";
    while (is_taken(p, over)) over = gn_arena_printf(p->arena, "%s_", over);
    const uint32_t q =
        gn_kernel_axis(p->k, over, gn_dim_cdiv(p->k->dims, p->k->axes.at[axis].extent, gn_dim_const(p->k->dims, rows)));
    int64_t n = -1;
    if (p->target->lang == GN_LANG_CUDA || (gn_dim_is_const(p->k->axes.at[q].extent, &n) && n < MANY) ||
        closes_for_others(p, axis)) {
        gn_piece_serial(p, over, q, n);
        return over;
    }
    const int64_t w = p->w, chains = w >= 16 ? 4 : w == 8 ? 8 : 16;
    const char *outer = gn_piece_leaf(p, q, "0"), *chain = gn_piece_leaf(p, q, "c"),
               *lane = w > 1 ? gn_piece_leaf(p, q, "l") : NULL;
    gn_textf(&p->splits, " (split %s %s (%s %" PRId64 ")", over, outer, chain, chains);
    if (lane) gn_textf(&p->splits, " (%s %" PRId64 ")", lane, w);
    gn_text_char(&p->splits, ')');
    gn_piece_serial(p, outer, q, n < 0 ? -1 : ceil_div(n, chains * w));
    gn_piece_tile(p, "private", chain, q, chains);
    if (lane) gn_piece_tile(p, "lane", lane, q, w);
    return over;
}

void gn_piece_close(piece *p, uint32_t axis, const char *part_leaf, int64_t rows)
{
    const char *over = NULL;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || d->red == GN_RED_NONE || !has_axis(d->raxis, d->nraxis, axis)) continue;
        if (!over) over = over_parts(p, axis, rows);
        gn_push(p->arena, &p->factored, (uint32_t)(d - p->k->defs.at));
        const char *partial = gn_piece_name(p, gn_arena_printf(p->arena, "%s_p", d->name));
        gn_textf(&p->rest, " (rfactor %s %s %s %s) (stage %s arena)", d->name, part_leaf, partial, over, partial);
    }
}

/* ---- what a body mentions ---- */

static void add_axis(void *user, const char *name)
{
    const piece *p = ((void **)user)[0];
    uint64_t *bits = ((void **)user)[1];
    const int32_t a = gn_kernel_find_axis(p->k, name);
    if (a >= 0) *bits |= UINT64_C(1) << a;
}

static void add_expr_axes(const piece *p, const gn_kexpr *e, uint64_t *bits)
{
    void *user[2] = { (void *)p, bits };
    for (size_t i = 0; i < e->nindex; i++) gn_dim_symbols(e->index[i], add_axis, user);
    for (size_t i = 0; i < e->ncond; i++)
        gn_dim_symbols(e->cond[i].a, add_axis, user), gn_dim_symbols(e->cond[i].b, add_axis, user);
    if (e->kind == GN_K_INDEX) gn_dim_symbols(e->u.index, add_axis, user);
}

bool gn_piece_is_own(const piece *p, const gn_kexpr *ref)
{
    const gn_kdef *d = &p->k->defs.at[ref->u.ref];
    for (size_t i = 0; i < d->nparam; i++)
        if (ref->index[i] != gn_dim_sym(p->k->dims, p->k->axes.at[d->param[i]].name)) return false;
    return true;
}

gn_piece_walk *gn_piece_walk_of(const piece *p, const gn_kexpr *body)
{
    void **at = gn_map_put(p->arena, p->walks, GN_KEY(body));
    if (*at) return *at;
    gn_piece_walk *w = *at = GN_NEW_OBJECT(p->arena, gn_piece_walk);
    w->plain = true;
    gn_visit v = { .arena = p->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        add_expr_axes(p, e, &w->axes);
        w->costly |= e->kind == GN_K_OP && e->u.op->body_f32;
        if (e->kind == GN_K_LOAD) gn_push(p->arena, &w->loads, e);
        if (e->kind != GN_K_REF) continue;
        gn_push(p->arena, &w->refs, e);
        w->plain &= gn_piece_is_own(p, e);
    }
    return w;
}

gn_piece_walk *gn_piece_body(const piece *p, uint32_t item)
{
    const gn_kitem *i = &p->k->items.at[p->first_item + item];
    return gn_piece_walk_of(p, i->is_store ? p->k->stores.at[i->at].value : p->k->defs.at[i->at].body);
}

int gn_piece_count_users(const piece *p, uint32_t item, bool *plain)
{
    /* definitions that stand in place of their uses and need it */
    bool *needs = GN_NEW_ARRAY(p->arena, bool, p->k->defs.n);
    int n = 0;
    needs[p->k->items.at[p->first_item + item].at] = true;
    if (plain) *plain = true;
    for (uint32_t k = item + 1; k < p->nitems; k++) {
        const gn_piece_walk *w = gn_piece_body(p, k);
        const gn_kdef *d = gn_piece_def(p, k);
        bool uses = false;
        for (size_t r = 0; r < w->refs.n; r++) {
            if (!needs[w->refs.at[r]->u.ref]) continue;
            uses = true;
            if (plain) *plain &= gn_piece_is_own(p, w->refs.at[r]);
        }
        if (uses && d && d->red == GN_RED_NONE) needs[d - p->k->defs.at] = true;
        else n += uses;
    }
    return n;
}

/* Place of the first (or last) loop over one of these axes; -1: none. */
static int64_t loop_place(const piece *p, const uint16_t *axis, size_t n, bool last)
{
    int64_t place = -1;
    for (size_t i = 0; i < p->serial.n; i++)
        if (has_axis(axis, n, p->serial.at[i].axis) && (last || place < 0)) place = (int64_t)i;
    return place;
}

/* Of threads one alone adds up what is in the arena, and the others do not wait for it: results that nobody needs in
 * other loops stay in registers, where each thread has its own. */
static bool stays_with_threads(const piece *p, uint32_t item)
{
    const gn_kdef *d = gn_piece_def(p, item);
    bool *needs = GN_NEW_ARRAY(p->arena, bool, p->k->defs.n), all = p->target->lang == GN_LANG_CUDA;
    uint64_t own = 0;
    for (uint16_t k = 0; k < d->nparam; k++) own |= UINT64_C(1) << d->param[k];
    needs[d - p->k->defs.at] = true;
    for (uint32_t k = item + 1; all && k < p->nitems; k++) {
        const gn_piece_walk *w = gn_piece_body(p, k);
        const gn_kdef *user = gn_piece_def(p, k);
        bool uses = false;
        for (size_t r = 0; r < w->refs.n; r++) {
            if (!needs[w->refs.at[r]->u.ref]) continue;
            uses = true;
            all &= gn_piece_is_own(p, w->refs.at[r]);
        }
        if (uses && user && user->red == GN_RED_NONE) needs[user - p->k->defs.at] = true;
        all &= !uses || !(gn_piece_axes(p, k) & ~own);
    }
    return all;
}

void gn_piece_keep(piece *p)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || d->red == GN_RED_NONE) continue;
        bool factored = false;
        for (size_t k = 0; k < p->factored.n; k++) factored |= p->factored.at[k] == (uint32_t)(d - p->k->defs.at);
        const int64_t sum = loop_place(p, d->raxis, d->nraxis, false), result = loop_place(p, d->param, d->nparam, true);
        uint64_t own = 0;
        for (uint16_t k = 0; k < d->nparam; k++) own |= UINT64_C(1) << d->param[k];
        const bool outside = !p->small && p->spread & ~own,
                   shared = factored && result >= 0 && gn_piece_count_users(p, i, NULL) > 1;
        if ((outside || shared) && !stays_with_threads(p, i)) gn_textf(&p->rest, " (stage %s arena)", d->name);
        if (outside) continue;
        if (!factored && sum >= 0 && result > sum)
            gn_textf(&p->rest, " (stage %s %s)", d->name,
                     p->small || p->target->lang == GN_LANG_CUDA ? "stack" : "scratch");
    }
}

uint64_t gn_piece_axes(const piece *p, uint32_t item)
{
    const gn_kitem *it = &p->k->items.at[p->first_item + item];
    uint64_t bits = 0;
    if (it->is_store) {
        const gn_kstore *s = &p->k->stores.at[it->at];
        for (size_t d = 0; d < p->k->bufs.at[s->buf].rank; d++)
            gn_dim_symbols(s->index[d], add_axis, (void *[]){ (void *)p, &bits });
        return bits | gn_piece_body(p, item)->axes;
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
    return c && gn_dim_is(c, 1) && !gn_dim_mentions(gn_dim_sub(p->k->dims, flat, gn_dim_sym(p->k->dims, name)), name)
               ? 1
               : -1;
}

bool gn_piece_is_plain_load(const piece *p, const gn_kexpr *e)
{
    (void)p;
    return e->kind == GN_K_LOAD;
}

void gn_piece_loads(const piece *p, const gn_kexpr *body, void (*visit)(void *, const gn_kexpr *load), void *user)
{
    const gn_piece_walk *w = gn_piece_walk_of(p, body);
    for (size_t i = 0; i < w->loads.n; i++) visit(user, w->loads.at[i]);
}
