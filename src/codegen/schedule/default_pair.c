/* Closed form for functions of pairs: sum over j of f(x(i), y(j)), where nothing that is read has both loops. There is
 * much to compute for what is read, so i goes to the lanes whatever its stride: x is loaded once for a tile of vectors,
 * y(j) is one broadcast, and the sums of all results stay in registers while j runs. Short axes along which the pairs
 * are used again (coordinates) are expanded. Further axes (batches) are loops around, or beside j if nothing has them
 * together with i. Sums over i, too, have a partial per part. */
#include "default_piece.h"

enum { SHORT = 16, PAIRS_OF_PART = 1 << 16, MOST_VECTORS = 4, MOST_OPS = 128, COSTLY = 20, MOST_TILE = 32, WORKING = 8 };

/* ---- what is in the kernel ---- */

static bool is_statement(const piece *p, uint32_t item)
{
    const gn_kdef *d = gn_piece_def(p, item);
    return !d || d->red != GN_RED_NONE;
}

static uint64_t axes_of(const piece *p, bool is_short)
{
    uint64_t axes = 0;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if ((p->extent[a] >= 0 && p->extent[a] <= SHORT) == is_short) axes |= bit(a);
    return axes;
}

/* A load has both, or finds its place by a load. */
static bool meet(const piece *p, uint32_t i, uint32_t j)
{
    for (uint32_t k = 0; k < p->nitems; k++) {
        const gn_piece_walk *w = gn_piece_body(p, k);
        for (size_t l = 0; l < w->loads.n; l++) {
            const gn_kexpr *e = w->loads.at[l];
            if (gn_piece_stride(p, e->u.ref, e->index, i) && gn_piece_stride(p, e->u.ref, e->index, j)) return true;
            for (size_t d = 0; d < e->nindex; d++)
                if (gn_dim_has_load(e->index[d])) return true;
        }
    }
    return false;
}

static bool is_reduced_with(const piece *p, uint32_t i, uint32_t j)
{
    for (uint32_t k = 0; k < p->nitems; k++) {
        if (gn_def_reduces(gn_piece_def(p, k), j) && (gn_piece_axes(p, k) & bit(i))) return true;
    }
    return false;
}

/* Runs along i, or is stored in the end. Has no result for each pair, unless that is used where it is made. */
static bool fits(const piece *p, uint32_t item, uint32_t i, uint32_t j)
{
    const gn_kdef *d = gn_piece_def(p, item);
    const uint64_t axes = gn_piece_axes(p, item);
    if (!d) return !(axes & bit(j));
    if (!(axes & bit(i))) return false;
    return !gn_def_keeps(d, i) || !gn_def_keeps(d, j) ||
           gn_piece_users_of(p, item).n <= 1;
}

static bool all_fit(const piece *p, uint32_t i, uint32_t j)
{
    for (uint32_t k = 0; k < p->nitems; k++)
        if (is_statement(p, k) && !fits(p, k, i, j)) return false;
    return true;
}

/* ---- short axes ---- */

typedef struct operation {
    const gn_kexpr *e;
    uint64_t axes;               /* that it varies along */
} operation;
typedef GN_VEC(operation) operations;

/* Each once for each statement that has it. */
static operations operations_of(const piece *p)
{
    operations all = { 0 };
    for (uint32_t k = 0; k < p->nitems; k++) {
        gn_map below = { 0 };    /* axes, as bits */
        gn_visit v = { .arena = p->arena, .operand = gn_kexpr_operand };
        gn_visit_add(&v, gn_piece_value(p, k));
        for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
            uint64_t axes = gn_kexpr_own_axes(p->k, e);
            for (size_t i = 0; i < e->n; i++) axes |= (uintptr_t)gn_map_get(&below, e->a[i]->id);
            *gn_map_put(p->arena, &below, e->id) = (void *)(uintptr_t)axes;
            if (e->kind == GN_K_OP || e->kind == GN_K_IF) gn_push(p->arena, &all, (operation){ e, axes });
        }
    }
    return all;
}

/* Short axes that some operation on a pair does without: what it gives is used for each of their points. */
static uint64_t used_again(const piece *p, uint64_t pair, uint64_t shorts)
{
    const operations all = operations_of(p);
    uint64_t found = 0;
    for (size_t i = 0; i < all.n; i++)
        if ((all.at[i].axes & pair) == pair) found |= shorts & ~all.at[i].axes;
    return found;
}

static int64_t points_along(const piece *p, uint64_t axes)
{
    int64_t n = 1;
    for (uint32_t a = 0; a < p->k->axes.n; a++)
        if ((axes >> a & 1) && p->extent[a] > 0) n *= p->extent[a];
    return n;
}

/* Of these axes, those that are little code together in each statement, and in some of them. */
static uint64_t expanded(const piece *p, uint64_t chosen)
{
    uint64_t used = 0;
    for (uint32_t k = 0; k < p->nitems; k++) {
        const uint64_t axes = gn_piece_axes(p, k);
        if (!is_statement(p, k)) continue;
        used |= axes;
        for (uint32_t a = 0; a < p->k->axes.n && points_along(p, axes & chosen) > MOST_TILE; a++)
            chosen &= ~(axes & bit(a));
    }
    return chosen & used;
}

bool gn_piece_pairs(const piece *p, gn_pairs *s)
{
    const uint64_t longs = axes_of(p, false), shorts = axes_of(p, true);
    if (p->small || gn_piece_role(p, GN_ROLE_M) >= 0) return false;
    for (uint32_t n = 0; n <= p->naxes; n++) {
        const uint32_t i = n == 0 ? gn_piece_row(p) : p->first_axis + n - 1;
        for (uint32_t j = p->first_axis; j < p->first_axis + p->naxes && (longs >> i & 1); j++) {
            if (i == j || !(longs >> j & 1) || !is_reduced_with(p, i, j) || !all_fit(p, i, j) || meet(p, i, j)) continue;
            *s = (gn_pairs){ i, j, expanded(p, used_again(p, bit(i) | bit(j), shorts)) };
            return true;
        }
    }
    return false;
}

/* ---- the tile ---- */

static int64_t work_of(const piece *p, uint64_t tile)
{
    const operations all = operations_of(p);
    int64_t ops = 0;
    for (size_t i = 0; i < all.n; i++) {
        const gn_kexpr *e = all.at[i].e;
        ops += (e->kind == GN_K_OP && e->u.op->body_f32 ? COSTLY : 1) * points_along(p, all.at[i].axes & tile);
    }
    return ops;
}

/* Sums for each of i; beside each lies about one vector that was loaded before the loop over pairs. */
static int64_t sums_of(const piece *p, const gn_pairs *s)
{
    int64_t n = 0;
    for (uint32_t k = 0; k < p->nitems; k++) {
        const gn_kdef *d = gn_piece_def(p, k);
        uint64_t kept = 0;
        for (size_t a = 0; d && a < d->nparam; a++) kept |= bit(d->param[a]);
        if (d && d->red != GN_RED_NONE && (gn_piece_axes(p, k) & bit(s->j))) n += points_along(p, kept & s->tile);
    }
    return n;
}

static int64_t vectors(const piece *p, const gn_pairs *s)
{
    const int64_t sums = sums_of(p, s), ops = work_of(p, s->tile);
    int64_t n = MOST_VECTORS; /* where it is much, pairs of one i after the other fill the processor */
    while (n > 1 && (n * ops > MOST_OPS || 2 * n * sums > p->target->nregs - WORKING)) n /= 2;
    return n;
}

/* ---- the directives ---- */

typedef struct plan {
    piece *p;
    gn_pairs s;
    uint64_t around, beside;     /* further axes: loops outside the tile, and inside beside j */
    uint64_t idle;               /* of definitions alone */
    lanes l;
    int64_t rows;                /* of a part */
} plan;

static double size_along(const piece *p, uint64_t axes)
{
    double n = 1;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (axes >> a & 1) n *= (double)gn_piece_guess(p, a);
    return n < 1 ? 1 : n;
}

static void place_axes(plan *w)
{
    const piece *p = w->p;
    uint64_t used = 0;
    for (uint32_t k = 0; k < p->nitems; k++) used |= is_statement(p, k) ? gn_piece_axes(p, k) : 0;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) {
        if (a == w->s.i || (w->s.tile >> a & 1)) continue;
        if (!(used >> a & 1)) w->idle |= bit(a);
        else if (gn_piece_reduces(p, a) && is_reduced_with(p, w->s.i, a) && !meet(p, w->s.i, a)) w->beside |= bit(a);
        else w->around |= bit(a);
    }
}

/* i in parts, tiles, vectors, lanes. */
static void split_tiles(plan *w, int64_t unroll)
{
    piece *p = w->p;
    const uint32_t i = w->s.i;
    const int64_t tile = unroll * p->w, e = p->extent[i];
    const double others = size_along(p, w->beside);
    w->rows = others > PAIRS_OF_PART ? tile : PAIRS_OF_PART / (int64_t)others / tile * tile;
    if (w->rows < tile) w->rows = tile;
    w->l = e >= 0 && e <= w->rows ? gn_piece_lanes(p, i, unroll, unroll)
                                  : gn_piece_lane_parts(p, i, w->rows / tile, unroll);
}

/* The first of the axes around that nothing is reduced along goes to parts, too, each of work enough. */
static leaf_id split_batch(plan *w)
{
    piece *p = w->p;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) {
        if (!(w->around >> a & 1) || gn_piece_reduces(p, a)) continue;
        const double inside = size_along(p, w->beside | bit(w->s.i));
        const int64_t chunk = inside >= PAIRS_OF_PART ? 1 : PAIRS_OF_PART / (int64_t)inside;
        leaf_id part = 0, each = 0;
        w->around &= ~bit(a);
        SPLIT(p, a, { "p", 0, &part }, { "r", chunk, &each });
        gn_piece_bound(p, GN_BIND_PART, part);
        return each;
    }
    return 0;
}

bool gn_default_pairs(piece *p)
{
    plan w = { .p = p };
    if (!gn_piece_pairs(p, &w.s) || (p->extent[w.s.i] >= 0 && p->extent[w.s.i] <= p->w)) return false;
    const bool closes = gn_piece_reduces(p, w.s.i);
    place_axes(&w);
    split_tiles(&w, vectors(p, &w.s));
    const leaf_id each = split_batch(&w);
    gn_piece_bound(p, GN_BIND_PART, w.l.part);
    gn_piece_serial(p, each);
    gn_piece_loops(p, GN_BIND_NONE, w.around);
    gn_piece_serial(p, w.l.outer);
    if (!w.l.exact) gn_piece_peel(p, w.l.outer);
    gn_piece_loops(p, GN_BIND_NONE, w.beside | w.idle);
    gn_piece_expand(p, w.s.tile);
    gn_piece_lane_tiles(p, &w.l, closes ? GN_BIND_PRIVATE : GN_BIND_UNROLL);
    if (w.l.part && closes) gn_piece_close(p, w.s.i, w.l.part, w.rows);
    return true;
}
