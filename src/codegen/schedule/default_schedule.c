/* The automatic schedules, one table of closed forms:
 *
 *     axes with the roles m and n    tile of rows by vectors, packed or shared factors          default_contract.c
 *     sum over j of f(x(i), y(j))    lanes along i, results in registers                        default_pair.c
 *     map that reads transposed      blocks of the operand turned beside the loops              default_transpose.c
 *     prefixes along one row         chunks with totals; lanes and threads scan                default_prefix.c
 *     row reductions, other maps     lanes along the axis with most traffic                     default_rows.c
 *     sums over all rows             a partial per part, then a small step                      default_piece.c
 *     long sums in any of these      blocks, each with a partial sum in registers               default_block.c
 *     store add                      lanes and parts along axes that the index leaves alone     default_scatter.c
 *     CUDA                           blocks and threads for the same                            default_cuda.c
 *     small programs                 no parts, short loops expanded, one function               here
 *
 * Parts and the order of every sum depend on the shape and the target alone, never on the number of threads. Every
 * number is a knob. */
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

static bool is_scalar_only(const gn_kernel *k, gn_arena *arena)
{
    gn_visit v = gn_kernel_visit(k, arena);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));)
        if (has_no_vectors(e)) return true;
    return false;
}

/* Lanes of the widest dtype that is computed with. Integers of 64 bits beside f32 are positions and counts, which may
 * take two vectors. */
static int64_t lanes_of(const gn_kernel *k, const gn_target *t, gn_arena *arena)
{
    bool f64 = false, wide = false, f32 = false;
    for (size_t i = 0; i < k->bufs.n + k->defs.n; i++) {
        const gn_dtype dtype = i < k->bufs.n ? k->bufs.at[i].dtype : k->defs.at[i - k->bufs.n].dtype;
        f64 |= dtype == GN_F64;
        f32 |= dtype == GN_F32;
        wide |= gn_dtypes[dtype].size == 8;
    }
    if (t->lang == GN_LANG_CUDA || t->vector_bytes < 8 || is_scalar_only(k, arena)) return 1;
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
        if (gn_def_reduces(d, first)) continue; /* a closer */
        spine &= kept;
        any = true;
    }
    return any ? spine : UINT64_C(1) << first;
}

static piece start_piece(gn_arena *arena, gn_kernel *k, const gn_target *target)
{
    piece p = { .arena = arena,
                .k = k,
                .s = gn_schedule_new(arena, "default"),
                .target = target,
                .walks = GN_NEW_OBJECT(arena, gn_map),
                .naxes = (uint32_t)k->axes.n,
                .nitems = (uint32_t)k->items.n,
                .small = k->pieces.n > 0,
                .w = lanes_of(k, target, arena) };
    if (k->axes.n + 8 > MAX_AXES)
        gn_throw(GN_EINVAL, "kernel %s: %zu axes are too many for a closed form", k->name, k->axes.n);
    for (size_t a = 0; a < k->axes.n; a++)
        if (!gn_dim_is_const(k->axes.at[a].extent, &p.extent[a])) p.extent[a] = -1;
    return p;
}

static void write_piece(piece *p)
{
    p->spine = p->naxes > 0 ? spine_of(p, gn_piece_row(p)) : 0;
    if (gn_default_prefix(p)) return;
    if (p->target->lang == GN_LANG_CUDA) gn_default_cuda(p);
    else if (gn_piece_adds(p)) gn_default_scatter(p);
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
        if (!d || !is_inlined(p, def_number(p, d)))
            weight[i] = weight_of(p, gn_piece_value(p, i));
    }
    return weight;
}

/* Lines of the expanded text, roughly: statements times points of their expanded leaves; a vector is one. */
static double lines(const piece *p, const double *weight)
{
    double all = 0;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const uint64_t axes = gn_piece_axes(p, i);
        double n = weight[i];
        for (size_t t = 0; t < p->tile.n; t++) {
            const gn_leaf *l = gn_piece_leaf(p, p->tile.at[t]);
            if ((axes >> l->axis & 1) && l->bind != GN_BIND_LANE) n *= (double)gn_piece_points(p, p->tile.at[t]);
        }
        all += n;
    }
    return all;
}

static void remove_leaf(leaf_id *at, size_t n, size_t i)
{
    memmove(&at[i], &at[i + 1], (n - i - 1) * sizeof *at);
}

/* Loops of a few constant turns are expanded, shortest first, while the text stays short. */
static void unroll_loops(piece *p)
{
    const double *weight = weights_of(p);
    for (int64_t turns = 1; turns <= UNROLL_MOST; turns++)
        for (size_t i = 0; i < p->serial.n; i++) {
            const leaf_id l = p->serial.at[i];
            const int64_t n = gn_piece_points(p, l);
            if (n != turns && !(n == 0 && turns == 1)) continue;
            gn_push(p->arena, &p->tile, l);
            if (lines(p, weight) > LINES_MOST) {
                p->tile.n--;
                continue;
            }
            remove_leaf(p->serial.at, p->serial.n--, i--);
            memmove(&p->tile.at[1], &p->tile.at[0], (p->tile.n - 1) * sizeof l);
            p->tile.at[0] = l;
            gn_piece_leaf(p, l)->bind = GN_BIND_UNROLL;
            gn_piece_leaf(p, l)->peel = false;
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
            for (size_t r = 0; r < w->refs.n; r++)
                whole->crosses[w->refs.at[r]->u.ref] |= piece_of[w->refs.at[r]->u.ref] != q;
        }
    for (size_t d = 0; d < k->defs.n; d++)
        if (whole->crosses[d]) gn_piece_stage(whole, (uint32_t)d, GN_LEVEL_STACK, 0);
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

/* ---- the whole ---- */

gn_schedule *gn_default_schedule(gn_arena *arena, gn_kernel *k, const gn_target *target)
{
    gn_roles_derive(k);
    piece p = start_piece(arena, k, target);
    if (p.small) write_small(&p);
    else {
        write_piece(&p);
        gn_piece_keep(&p);
    }
    for (size_t i = 0; i < p.serial.n; i++) gn_push(arena, &p.s->order, p.serial.at[i] - 1);
    for (size_t i = 0; i < p.tile.n; i++) gn_push(arena, &p.s->order, p.tile.at[i] - 1);
    GN_ASSERT(p.s->order.n == p.s->leaves.n);
    if (!p.small && target->lang != GN_LANG_CUDA) gn_default_block(&p);
    return p.s;
}

/* ---- the way out ---- */

gn_schedule *gn_plain_schedule(gn_arena *arena, const gn_kernel *k, const char *why)
{
    gn_schedule *s = gn_schedule_new(arena, "plain");
    s->plain = gn_arena_string(arena, why);
    for (uint32_t a = 0; a < k->axes.n; a++) gn_push(arena, &s->order, gn_schedule_whole(s, a, k->axes.at[a].name));
    for (uint32_t d = 0; d < k->defs.n; d++)
        if (k->defs.at[d].red != GN_RED_NONE) gn_schedule_stage(s, d, GN_LEVEL_ARENA);
    return s;
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
    return status ? gn_plain_schedule(arena, k, gn_message()) : a.schedule;
}
