/* What the closed forms share: leaves, splits of lane axes, reductions over parts, strides. */
#include "default_piece.h"
#include <string.h>

enum { GUESS = 4096 };

int64_t gn_piece_guess(const piece *p, uint32_t axis)
{
    return p->extent[axis] >= 0 ? p->extent[axis] : GUESS;
}

int32_t gn_piece_role(const piece *p, gn_role role)
{
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (p->k->axes.at[a].role == role) return (int32_t)a;
    return -1;
}

uint32_t gn_piece_row(const piece *p)
{
    static const gn_role roles[] = { GN_ROLE_ROW, GN_ROLE_PART, GN_ROLE_M };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (gn_piece_role(p, roles[i]) >= 0) return (uint32_t)gn_piece_role(p, roles[i]);
    return p->first_axis;
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

gn_leaf *gn_piece_leaf(const piece *p, leaf_id l)
{
    return &p->s->leaves.at[l - 1];
}

int64_t gn_piece_points(const piece *p, leaf_id id)
{
    const gn_leaf *l = gn_piece_leaf(p, id);
    int64_t e;
    if (l->extent) return l->extent;
    return gn_dim_is_const(p->k->axes.at[l->axis].extent, &e) ? ceil_div(e, l->stride) : -1;
}

void gn_piece_split(piece *p, uint32_t axis, size_t n, const new_leaf *leaf)
{
    int64_t stride = 1;
    uint32_t made[8], nmade = 0;
    for (size_t i = n; i-- > 0;) {
        if (leaf[i].suffix) {
            const char *name = gn_arena_printf(p->arena, "%s%s", p->k->axes.at[axis].name, leaf[i].suffix);
            *leaf[i].made = 1 + gn_schedule_leaf(p->s, axis, gn_piece_name(p, name), leaf[i].extent, stride);
        }
        if (!*leaf[i].made) continue;
        made[nmade++] = *leaf[i].made - 1;
        if (leaf[i].extent) stride *= leaf[i].extent;
    }
    while (nmade > 0) gn_push(p->arena, &gn_schedule_split(p->s, axis)->leaf, made[--nmade]);
}

leaf_id gn_piece_whole(piece *p, uint32_t axis)
{
    return 1 + gn_schedule_whole(p->s, axis, p->k->axes.at[axis].name);
}

void gn_piece_serial(piece *p, leaf_id l)
{
    if (l) gn_push(p->arena, &p->serial, l);
}

void gn_piece_bound(piece *p, gn_bind_kind bind, leaf_id l)
{
    if (l) gn_piece_leaf(p, l)->bind = (uint8_t)bind;
    gn_piece_serial(p, l);
}

void gn_piece_axis(piece *p, uint32_t axis)
{
    gn_piece_serial(p, gn_piece_whole(p, axis));
}

void gn_piece_loops(piece *p, gn_bind_kind bind, uint64_t axes)
{
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (axes >> a & 1) gn_piece_bound(p, bind, gn_piece_whole(p, a));
}

void gn_piece_expand(piece *p, uint64_t axes)
{
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (axes >> a & 1) gn_piece_tile(p, GN_BIND_UNROLL, gn_piece_whole(p, a));
}

void gn_piece_tile(piece *p, gn_bind_kind bind, leaf_id l)
{
    if (!l) return;
    gn_piece_leaf(p, l)->bind = (uint8_t)bind;
    gn_push(p->arena, &p->tile, l);
}

void gn_piece_peel(piece *p, leaf_id l)
{
    if (l) gn_piece_leaf(p, l)->peel = true;
}

/* ---- lanes ---- */

void gn_piece_lane_tiles(piece *p, const lanes *l, gn_bind_kind bind)
{
    gn_piece_tile(p, bind, l->unroll);
    gn_piece_tile(p, GN_BIND_LANE, l->lane);
}

lanes gn_piece_lanes(piece *p, uint32_t axis, int64_t unroll, int64_t full)
{
    const int64_t e = p->extent[axis], w = p->w;
    const bool whole = e >= 0 && e <= full * p->w;
    const int64_t u = whole ? ceil_div(e > 0 ? e : 1, w) : unroll;
    lanes l = { .exact = e >= 0 && e % (u * w) == 0 };
    SPLIT(p, axis, { whole ? NULL : "0", 0, &l.outer }, { u > 1 || w == 1 ? "u" : NULL, u, &l.unroll },
          { w > 1 ? "l" : NULL, w, &l.lane });
    return l;
}

lanes gn_piece_lane_parts(piece *p, uint32_t axis, int64_t tiles, int64_t unroll)
{
    const int64_t e = p->extent[axis];
    lanes l = { .exact = e >= 0 && e % (unroll * p->w) == 0 };
    SPLIT(p, axis, { "p", 0, &l.part }, { tiles > 1 || !l.exact ? "0" : NULL, tiles, &l.outer }, /* else it is peeled */
          { unroll > 1 || p->w == 1 ? "u" : NULL, unroll, &l.unroll }, { p->w > 1 ? "l" : NULL, p->w, &l.lane });
    return l;
}

/* ---- items ---- */

const gn_kdef *gn_piece_def(const piece *p, uint32_t item)
{
    const gn_kitem *i = &p->k->items.at[p->first_item + item];
    return i->is_store ? NULL : &p->k->defs.at[i->at];
}

const gn_kexpr *gn_piece_value(const piece *p, uint32_t item)
{
    const gn_kitem *i = &p->k->items.at[p->first_item + item];
    return i->is_store ? p->k->stores.at[i->at].value : p->k->defs.at[i->at].body;
}

bool gn_piece_reduces(const piece *p, uint32_t axis)
{
    for (uint32_t i = 0; i < p->nitems; i++)
        if (gn_def_reduces(gn_piece_def(p, i), axis)) return true;
    return false;
}

bool gn_piece_reduces_for(const piece *p, uint32_t along, uint32_t kept)
{
    for (uint32_t i = 0; i < p->nitems; i++)
        if (gn_def_reduces(gn_piece_def(p, i), along) && gn_def_keeps(gn_piece_def(p, i), kept)) return true;
    return false;
}

bool gn_piece_adds(const piece *p)
{
    for (uint32_t i = 0; i < p->nitems; i++)
        if (!gn_piece_def(p, i) && gn_piece_store(p, i)->kind != GN_STORE_SET) return true;
    return false;
}

/* ---- sums over parts ---- */

/* Whether what a reduction along the axis gives lies along further axes. */
static bool closes_for_others(const piece *p, uint32_t axis)
{
    for (uint32_t i = 0; i < p->nitems; i++)
        if (gn_def_reduces(gn_piece_def(p, i), axis) && gn_piece_def(p, i)->nparam) return true;
    return false;
}

/* The loop over the parts' results, the innermost: columns lie outside it. Many of them are added as vectors in several
 * chains, unless columns are the vectors. */
static const char *over_parts(piece *p, uint32_t axis, int64_t rows)
{
    enum { MANY = 32 };
    const char *over = gn_piece_name(p, "p_");
    const uint32_t q =
        gn_kernel_axis(p->k, over, gn_dim_cdiv(p->k->dims, p->k->axes.at[axis].extent, gn_dim_const(p->k->dims, rows)));
    int64_t n = -1;
    if (p->target->lang == GN_LANG_CUDA || (gn_dim_is_const(p->k->axes.at[q].extent, &n) && n < MANY) ||
        closes_for_others(p, axis)) {
        gn_piece_axis(p, q);
        return over;
    }
    const int64_t w = p->w, chains = w >= 16 ? 4 : w == 8 ? 8 : 16;
    leaf_id outer = 0, chain = 0, lane = 0;
    SPLIT(p, q, { "0", 0, &outer }, { "c", chains, &chain }, { w > 1 ? "l" : NULL, w, &lane });
    gn_piece_serial(p, outer);
    gn_piece_tile(p, GN_BIND_PRIVATE, chain);
    gn_piece_tile(p, GN_BIND_LANE, lane);
    return over;
}

void gn_piece_close(piece *p, uint32_t axis, leaf_id part, int64_t rows)
{
    const char *over = NULL;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!gn_def_reduces(d, axis)) continue;
        const uint32_t def = def_number(p, d);
        if (!over) over = over_parts(p, axis, rows);
        gn_push(p->arena, &p->factored, def);
        const char *partial = gn_piece_name(p, gn_arena_printf(p->arena, "%s_p", p->k->defs.at[def].name));
        gn_piece_stage(p, gn_schedule_rfactor(p->s, p->k, (gn_rfactor){def, part - 1, partial, over}), GN_LEVEL_ARENA,
                       0);
    }
}

/* ---- what is kept ---- */

gn_stage *gn_piece_stage(piece *p, uint32_t def, gn_level level, leaf_id at)
{
    gn_stage *s = gn_schedule_stage(p->s, def, level);
    if (at) s->at = (int32_t)at - 1;
    return s;
}

void gn_piece_layout(const piece *p, gn_stage *s, leaf_id l)
{
    if (l) gn_push(p->arena, &s->layout, l - 1);
}

void gn_piece_tensorize(piece *p, uint32_t def, const char *row, leaf_id a, leaf_id b)
{
    gn_tensorize t = { .def = def, .row = row };
    gn_push(p->arena, &t.leaf, a - 1);
    gn_push(p->arena, &t.leaf, b - 1);
    gn_push(p->arena, &p->s->tensorizes, t);
}

/* ---- what a body mentions ---- */

gn_piece_walk *gn_piece_walk_of(const piece *p, const gn_kexpr *body)
{
    void **at = gn_map_put(p->arena, p->walks, GN_KEY(body));
    if (*at) return *at;
    gn_piece_walk *w = *at = GN_NEW_OBJECT(p->arena, gn_piece_walk);
    w->plain = true;
    gn_visit v = { .arena = p->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        w->axes |= gn_kexpr_own_axes(p->k, e);
        w->costly |= e->kind == GN_K_OP && e->u.op->body_f32;
        if (e->kind == GN_K_LOAD) gn_push(p->arena, &w->loads, e);
        if (e->kind != GN_K_REF) continue;
        gn_push(p->arena, &w->refs, e);
        w->plain &= gn_kexpr_is_own(p->k, e);
    }
    return w;
}

gn_piece_walk *gn_piece_body(const piece *p, uint32_t item)
{
    return gn_piece_walk_of(p, gn_piece_value(p, item));
}

gn_piece_users gn_piece_users_of(const piece *p, uint32_t item)
{
    /* definitions that stand in place of their uses and need it */
    bool *needs = GN_NEW_ARRAY(p->arena, bool, p->k->defs.n);
    gn_piece_users u = { .plain = true };
    needs[p->k->items.at[p->first_item + item].at] = true;
    for (uint32_t k = item + 1; k < p->nitems; k++) {
        const gn_piece_walk *w = gn_piece_body(p, k);
        const gn_kdef *d = gn_piece_def(p, k);
        bool uses = false;
        for (size_t r = 0; r < w->refs.n; r++) {
            if (!needs[w->refs.at[r]->u.ref]) continue;
            uses = true;
            u.plain &= gn_kexpr_is_own(p->k, w->refs.at[r]);
        }
        if (!uses) continue;
        u.axes |= gn_piece_axes(p, k);
        if (d && d->red == GN_RED_NONE) needs[def_number(p, d)] = true;
        else u.n++;
    }
    return u;
}

/* Place of the first (or last) loop over one of these axes; -1: none. */
static int64_t loop_place(const piece *p, uint64_t axes, bool last)
{
    int64_t place = -1;
    for (size_t i = 0; i < p->serial.n; i++)
        if ((axes >> gn_piece_leaf(p, p->serial.at[i])->axis & 1) && (last || place < 0)) place = (int64_t)i;
    return place;
}

static uint64_t axis_bits(const uint16_t *axis, size_t n)
{
    uint64_t axes = 0;
    for (size_t i = 0; i < n; i++) axes |= bit(axis[i]);
    return axes;
}

/* Where a reduction is kept beside the loops, if it is: -1, or a level. */
static int kept_at(const piece *p, uint32_t item)
{
    const gn_kdef *d = gn_piece_def(p, item);
    const uint64_t reduced = axis_bits(d->raxis, d->nraxis), own = axis_bits(d->param, d->nparam) & ~reduced;
    const gn_piece_users u = gn_piece_users_of(p, item);
    bool factored = false;
    if (gn_is_prefix(d) && (!u.plain || u.axes & ~own & ~reduced))
        return p->small ? GN_LEVEL_STACK : GN_LEVEL_ARENA; /* it is read elsewhere than where it runs */
    for (size_t k = 0; k < p->factored.n; k++) factored |= p->factored.at[k] == def_number(p, d);
    const int64_t sum = loop_place(p, reduced, false), result = loop_place(p, own, true),
                  user = loop_place(p, u.axes & ~own & ~reduced, false);
    const bool cuda = p->target->lang == GN_LANG_CUDA, outside = !p->small && p->spread & ~own;
    /* Of threads one alone adds up what is in the arena, and the others do not wait for it: results that nobody needs
     * in other loops stay in registers, where each thread has its own. */
    if ((outside || (factored && result >= 0 && u.n > 1)) && !(cuda && u.plain && !(u.axes & ~own)))
        return GN_LEVEL_ARENA;
    if (outside || factored) return -1;
    if (sum >= 0 && result > sum) return p->small || cuda ? GN_LEVEL_STACK : GN_LEVEL_SCRATCH;
    /* it is read in a loop that is none of its own, and outside one that is */
    return user >= 0 && result > user ? p->small ? GN_LEVEL_STACK : GN_LEVEL_ARENA : -1;
}

void gn_piece_keep(piece *p)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        const int level = d && d->red != GN_RED_NONE ? kept_at(p, i) : -1;
        if (level >= 0) gn_piece_stage(p, def_number(p, d), (gn_level)level, 0);
    }
}

uint64_t gn_piece_axes(const piece *p, uint32_t item)
{
    const gn_kdef *d = gn_piece_def(p, item);
    if (d) return axis_bits(d->param, d->nparam) | axis_bits(d->raxis, d->nraxis);
    const gn_kstore *s = gn_piece_store(p, item);
    uint64_t axes = gn_piece_body(p, item)->axes;
    for (size_t i = 0; i < p->k->bufs.at[s->buf].rank; i++) axes |= gn_dim_axes(p->k, s->index[i]);
    return axes;
}

/* ---- addresses ---- */

int gn_piece_stride(const piece *p, uint32_t buf, const gn_dim *const *index, uint32_t axis)
{
    const char *name = p->k->axes.at[axis].name;
    const gn_dim *flat = gn_kernel_flat(p->k, buf, index);
    if (!gn_dim_mentions(flat, name)) return 0;
    const gn_dim *c = gn_dim_linear(p->k->dims, flat, name);
    return c && gn_dim_is(c, 1) ? 1 : -1;
}

bool gn_piece_is_unit(const piece *p, const gn_kdef *d, uint32_t axis)
{
    const gn_piece_walk *w = gn_piece_walk_of(p, d->body);
    for (size_t i = 0; i < w->loads.n; i++)
        if (gn_piece_stride(p, w->loads.at[i]->u.ref, w->loads.at[i]->index, axis) == 1) return true;
    return false;
}
