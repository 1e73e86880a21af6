/* The automatic schedules, one table of closed forms:
 *
 *     kernel contains              form                                                                     file
 *     sum over k of a(i,k) b(k,j)  tile of rows by vectors, packed factors, parts of rows or columns default_contract.c
 *     sum over j of f(x(i), y(j))  lanes along i, results in registers, parts of 64 Ki pairs default_pair.c maps that
 * read transposed    blocks of the operand turned beside the loops                            default_transpose.c row
 * reductions, other maps   lanes along the axis with most traffic, parts of 64 Ki elements          default_rows.c sums
 * over all rows           a partial per part, then a small step                                    default_piece.c long
 * sums in any of these     blocks, each with a partial sum in registers                             default_block.c
 *     store add                    lanes and parts along an axis that the index leaves alone default_scatter.c CUDA
 * blocks and threads for the same                                          default_cuda.c small programs no parts,
 * short loops expanded, one function                             here
 *
 * Parts and the order of every sum depend on the shape and the target alone, never on the number of threads. Every
 * number is a knob. */
#include <inttypes.h>
#include <string.h>
#include "default_piece.h"

enum { UNROLL_MOST = 16, LINES_MOST = 1500 };

/* Integers of 8 and 16 bits among the values, not as indices alone, and conversions of u64: no target has vectors for
 * them. */
static bool has_no_vectors(const gn_kexpr *e)
{
    if (gn_is_int((gn_dtype)e->dtype) && gn_dtypes[e->dtype].size < 4) return true;
    return e->kind == GN_K_OP && e->u.op == &gn_op_cast && e->dtype != e->a[0]->dtype &&
           (e->dtype == GN_U64 || e->a[0]->dtype == GN_U64);
}

static bool is_scalar_only(const gn_kernel *k)
{
    for (size_t i = 0; i < k->exprs.capacity; i++) {
        const gn_kexpr *e = k->exprs.slot ? k->exprs.slot[i].object : NULL;
        if (e && has_no_vectors(e)) return true;
    }
    return false;
}

/* Lanes of the widest dtype that is computed with. Integers of 64 bits beside f32 are positions and counts, which may
 * take two vectors. */
static int64_t lanes_of(const gn_kernel *k, const gn_target *t)
{
    bool f64 = false, wide = false, f32 = false;
    for (size_t i = 0; i < k->bufs.n + k->defs.n; i++) {
        const gn_dtype dtype = i < k->bufs.n ? k->bufs.at[i].dtype : k->defs.at[i - k->bufs.n].dtype;
        f64 |= dtype == GN_F64;
        f32 |= dtype == GN_F32;
        wide |= gn_dtypes[dtype].size == 8;
    }
    if (t->lang == GN_LANG_CUDA || t->vector_bytes < 8 || is_scalar_only(k)) return 1;
    return f64 || (wide && !f32) ? t->vector_bytes / 8 : t->vector_bytes / 4;
}

/* Axes that every statement over the spine's first axis keeps. */
static uint64_t spine_of(const piece *p, uint32_t first)
{
    uint64_t spine = ~UINT64_C(0);
    bool any = false;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        const uint64_t axes = gn_piece_axes(p, i);
        if (!(axes >> first & 1) || (d && d->red == GN_RED_NONE)) continue;
        uint64_t kept = axes;
        for (size_t r = 0; d && r < d->nraxis; r++) kept &= ~(UINT64_C(1) << d->raxis[r]);
        if (d && has_axis(d->raxis, d->nraxis, first)) continue; /* a closer */
        spine &= kept;
        any = true;
    }
    return any ? spine : UINT64_C(1) << first;
}

static piece start_piece(gn_arena *arena, gn_kernel *k, const gn_target *target)
{
    piece p = {.arena = arena,
               .k = k,
               .target = target,
               .walks = GN_NEW_OBJECT(arena, gn_map),
               .naxes = (uint32_t)k->axes.n,
               .nitems = (uint32_t)k->items.n};
    p.splits.arena = p.binds.arena = p.rest.arena = arena;
    p.w = lanes_of(k, target);
    if (k->axes.n + 8 > MAX_AXES)
        gn_throw(GN_EINVAL, "kernel %s: %zu axes are too many for a closed form", k->name, k->axes.n);
    for (size_t a = 0; a < k->axes.n; a++)
        if (!gn_dim_is_const(k->axes.at[a].extent, &p.extent[a])) p.extent[a] = -1;
    return p;
}

static void write_piece(piece *p)
{
    p->spine = p->naxes > 0 ? spine_of(p, gn_piece_row(p)) : 0;
    bool adds = false;
    for (uint32_t i = 0; i < p->nitems; i++)
        if (!gn_piece_def(p, i) && p->k->stores.at[p->k->items.at[p->first_item + i].at].kind != GN_STORE_SET) adds = true;
    if (p->target->lang == GN_LANG_CUDA) gn_default_cuda(p);
    else if (adds) gn_default_scatter(p);
    else if (!gn_default_pairs(p) && !gn_default_contraction(p) && !gn_default_transpose(p)) gn_default_rows(p);
}

/* ---- small programs ---- */

/* What crosses from one piece to the next is computed once. */
static bool is_inlined(const piece *p, uint32_t def)
{
    return p->k->defs.at[def].red == GN_RED_NONE && !p->crosses[def];
}

static double weight_of(const piece *p, const gn_kexpr *body)
{
    gn_piece_walk *w = gn_piece_walk_of(p, body);
    if (w->weight > 0) return w->weight;
    gn_visit v = { .arena = p->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        w->weight += e->kind == GN_K_OP && e->u.op->body_f32 ? 20 : 1;
        if (e->kind == GN_K_REF && is_inlined(p, e->u.ref)) gn_visit_add(&v, p->k->defs.at[e->u.ref].body);
    }
    return w->weight;
}

/* By item: lines of its text at one point. */
static const double *weights_of(const piece *p)
{
    double *weight = GN_NEW_ARRAY(p->arena, double, p->nitems + 1);
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || !is_inlined(p, (uint32_t)(d - p->k->defs.at)))
            weight[i] = weight_of(p, d ? d->body : p->k->stores.at[p->k->items.at[p->first_item + i].at].value);
    }
    return weight;
}

/* Lines of the expanded text, roughly: statements times points of their expanded leaves. */
static double lines(const piece *p, const double *weight)
{
    double all = 0;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const uint64_t axes = gn_piece_axes(p, i);
        double n = weight[i];
        for (size_t t = 0; t < p->tile.n; t++)
            if (axes >> p->tile.at[t].axis & 1) n *= (double)p->tile.at[t].points;
        all += n;
    }
    return all;
}

/* Loops of a few constant turns are expanded, shortest first, while the text stays short. */
static void unroll_loops(piece *p)
{
    const double *weight = weights_of(p);
    for (int64_t turns = 1; turns <= UNROLL_MOST; turns++)
        for (size_t i = 0; i < p->serial.n; i++) {
            const leaf_note leaf = p->serial.at[i];
            if (leaf.points != turns && !(leaf.points == 0 && turns == 1)) continue;
            gn_push(p->arena, &p->tile, leaf);
            if (lines(p, weight) > LINES_MOST) {
                p->tile.n--;
                continue;
            }
            p->tile.n--;
            memmove(&p->serial.at[i], &p->serial.at[i + 1], (p->serial.n - i - 1) * sizeof leaf);
            p->serial.n--, i--;
            gn_push(p->arena, &p->tile, leaf);
            memmove(&p->tile.at[1], &p->tile.at[0], (p->tile.n - 1) * sizeof leaf);
            p->tile.at[0] = leaf;
            gn_piece_bind(p, "unroll", leaf.name);
        }
}

/* Definitions that a later piece reads stay on the stack between them. */
static void stage_crossing(piece *whole)
{
    const gn_kernel *k = whole->k;
    uint32_t *piece_of = GN_NEW_ARRAY(whole->arena, uint32_t, k->defs.n + 1);
    for (uint32_t q = 0; q < k->pieces.n; q++)
        for (uint32_t i = k->pieces.at[q].first_item; i < gn_kernel_piece_end(k, q).first_item; i++) {
            const gn_piece_walk *w = gn_piece_body(whole, i);
            if (!k->items.at[i].is_store) piece_of[k->items.at[i].at] = q;
            for (size_t r = 0; r < w->refs.n; r++) whole->crosses[w->refs.at[r]->u.ref] |= piece_of[w->refs.at[r]->u.ref] != q;
        }
    for (size_t d = 0; d < k->defs.n; d++)
        if (whole->crosses[d]) gn_textf(&whole->rest, " (stage %s stack)", k->defs.at[d].name);
}

static void set_range(piece *p, gn_kernel_piece first, gn_kernel_piece end)
{
    p->first_axis = first.first_axis, p->naxes = end.first_axis - first.first_axis;
    p->first_item = first.first_item, p->nitems = end.first_item - first.first_item;
}

static void write_small(piece *whole)
{
    const gn_kernel *k = whole->k;
    const gn_kernel_piece start = { 0, 0 }, end = { whole->naxes, whole->nitems };
    whole->crosses = GN_NEW_ARRAY(whole->arena, bool, k->defs.n + 1);
    for (size_t i = 0; i < k->pieces.n; i++) {
        set_range(whole, k->pieces.at[i], gn_kernel_piece_end(k, i));
        write_piece(whole);
    }
    set_range(whole, start, end);
    stage_crossing(whole);
    unroll_loops(whole);
    gn_piece_keep(whole);
}

/* ---- the text, read back ---- */

static void write_order(gn_text *t, const piece *p)
{
    if (p->serial.n + p->tile.n == 0) return;
    gn_text_add(t, " (order");
    for (size_t i = 0; i < p->serial.n; i++) gn_textf(t, " %s", p->serial.at[i].name);
    for (size_t i = 0; i < p->tile.n; i++) gn_textf(t, " %s", p->tile.at[i].name);
    gn_text_char(t, ')');
}

static void write_peels(gn_text *t, const piece *p)
{
    for (size_t i = 0; i < p->peeled.n; i++)
        for (size_t k = 0; k < p->serial.n; k++)
            if (strcmp(p->peeled.at[i], p->serial.at[k].name) == 0) gn_textf(t, " (peel %s)", p->peeled.at[i]);
}

gn_schedule *gn_default_schedule(gn_arena *arena, gn_kernel *k, const gn_target *target)
{
    gn_roles_derive(k);
    piece p = start_piece(arena, k, target);
    p.small = k->pieces.n > 0;
    if (p.small) write_small(&p);
    else {
        write_piece(&p);
        gn_piece_keep(&p);
    }
    gn_text t = { .arena = arena };
    gn_textf(&t, "(schedule default%s", gn_text_done(&p.splits));
    write_order(&t, &p);
    gn_text_add(&t, gn_text_done(&p.binds));
    write_peels(&t, &p);
    gn_textf(&t, "%s)", gn_text_done(&p.rest));
    const gn_sx *list = gn_sx_read(arena, "default", t.at, t.n);
    gn_schedule *s = gn_schedule_read(arena, k, "default", list->at[0]);
    if (!p.small && target->lang != GN_LANG_CUDA) gn_default_block(&p, s);
    return s;
}

/* ---- the way out ---- */

gn_schedule *gn_plain_schedule(gn_arena *arena, const gn_kernel *k)
{
    gn_text t = { .arena = arena };
    gn_text_add(&t, "(schedule plain");
    if (k->axes.n > 0) gn_text_add(&t, " (order");
    for (size_t a = 0; a < k->axes.n; a++) gn_textf(&t, " %s", k->axes.at[a].name);
    if (k->axes.n > 0) gn_text_char(&t, ')');
    for (size_t d = 0; d < k->defs.n; d++)
        if (k->defs.at[d].red != GN_RED_NONE) gn_textf(&t, " (stage %s arena)", k->defs.at[d].name);
    gn_text_char(&t, ')');
    const gn_sx *list = gn_sx_read(arena, "plain", t.at, t.n);
    return gn_schedule_read(arena, k, "plain", list->at[0]);
}

typedef struct attempt {
    gn_arena *arena;
    gn_kernel *k;
    const gn_target *target;
    gn_schedule *schedule;
} attempt;

static void try_schedule(void *arg)
{
    attempt *a = arg;
    a->schedule = gn_default_schedule(a->arena, a->k, a->target);
}

gn_schedule *gn_default_find(gn_arena *arena, gn_kernel *k, const gn_target *target)
{
    attempt a = { arena, k, target, NULL };
    const gn_status status = gn_protect(try_schedule, &a);
    if (status && status != GN_EINVAL) gn_rethrow(status);
    return status ? gn_plain_schedule(arena, k) : a.schedule;
}
