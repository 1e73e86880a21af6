/* Closed forms for CUDA. A block of threads walks the axis that would go to the lanes; rows, or chunks of that axis,
 * are blocks. A large contraction is a tile of 128 by 128 in a block of 256 threads, both factors through shared memory
 * (V. Volkov and J. Demmel, Benchmarking GPUs to tune dense linear algebra, 2008). What a small program's single
 * function does, one thread does. */
#include "default_piece.h"

enum { THREADS = 256, WARP = 32, CHUNK = 4, CLOSED_ROWS = 16, TILE_LEAST = 48 };

/* ---- contractions ---- */

/* Nothing but the contraction itself is reduced: sums along its rows or columns would cross threads of one tile. */
static bool is_alone(const piece *p, const gn_kdef *acc)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (d && d != acc && d->red != GN_RED_NONE) return false;
    }
    return true;
}

typedef struct tile_side {
    leaf_id block, twice, thread, four; /* an axis as blocks of 2 x 16 x 4; up to 64: of 16 x 4 */
} tile_side;

static tile_side split_side(piece *p, uint32_t axis)
{
    tile_side s = { 0 };
    const bool wide = p->extent[axis] < 0 || p->extent[axis] > 64;
    SPLIT(p, axis, { "b", 0, &s.block }, { wide ? "v" : NULL, 2, &s.twice }, { "t", 16, &s.thread }, { "u", 4, &s.four });
    return s;
}

/* A factor's tile in shared memory, filled in the order in which its elements lie in memory. */
static void stage_side(piece *p, const gn_kdef *d, const tile_side *side, uint32_t k, leaf_id k0, leaf_id k1)
{
    gn_stage *s = gn_piece_stage(p, def_number(p, d), GN_LEVEL_SHARED, k0);
    const leaf_id layout[] = { k1, side->twice, side->thread, side->four }, copy[] = { side->twice, side->thread, side->four, k1 };
    for (size_t i = 0; i < 4; i++) gn_piece_layout(p, s, layout[i]);
    if (!gn_piece_is_unit(p, d, k)) return;
    s->pad_leaf = (int32_t)(side->twice ? side->twice : side->thread) - 1, s->pad = 4;
    for (size_t i = 0; i < 4; i++)
        if (copy[i]) gn_push(p->arena, &s->copy, copy[i] - 1);
}

static bool contract(piece *p)
{
    gn_contraction c;
    if (p->small || !gn_piece_contraction(p, &c) || !is_alone(p, c.acc)) return false;
    const gn_kdef *acc = c.acc, *a = c.a, *b = c.b;
    const uint32_t i = (uint32_t)gn_piece_role(p, GN_ROLE_M), j = (uint32_t)gn_piece_role(p, GN_ROLE_N);
    if ((p->extent[i] >= 0 && p->extent[i] < TILE_LEAST) || (p->extent[j] >= 0 && p->extent[j] < TILE_LEAST)) return false;
    const uint32_t k = acc->raxis[acc->nraxis - 1];
    if (!gn_has_axis(a->param, a->nparam, k) || !gn_has_axis(b->param, b->nparam, k)) return false; /* no tile to stage */
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (!gn_has_axis(acc->param, acc->nparam, x) && !gn_has_axis(acc->raxis, acc->nraxis, x))
            return false; /* a further loop that is no part of it */
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (gn_has_axis(acc->param, acc->nparam, x) && x != i && x != j) gn_piece_bound(p, GN_BIND_BLOCK, gn_piece_whole(p, x));
    const tile_side rows = split_side(p, i), columns = split_side(p, j);
    leaf_id k0 = 0, k1 = 0;
    SPLIT(p, k, { "0", 0, &k0 }, { "1", 8, &k1 });
    gn_piece_bound(p, GN_BIND_BLOCK, rows.block);
    gn_piece_bound(p, GN_BIND_BLOCK, columns.block);
    gn_piece_bound(p, GN_BIND_THREAD, rows.thread);
    gn_piece_bound(p, GN_BIND_THREAD, columns.thread);
    for (size_t r = 0; r + 1 < acc->nraxis; r++) gn_piece_axis(p, acc->raxis[r]);
    gn_piece_serial(p, k0);
    gn_piece_serial(p, k1);
    const leaf_id tile[] = { rows.twice, rows.four, columns.twice, columns.four };
    for (size_t t = 0; t < 4; t++) gn_piece_tile(p, GN_BIND_UNROLL, tile[t]);
    gn_piece_leaf(p, k1)->unroll = 8;
    stage_side(p, a, &rows, k, k0, k1);
    stage_side(p, b, &columns, k, k0, k1);
    return true;
}

/* ---- rows and maps ---- */

static int64_t threads_for(int64_t extent)
{
    return extent < 0 || extent > THREADS ? THREADS : extent <= WARP ? WARP : ceil_div(extent, WARP) * WARP;
}

/* A reduction along `along` has results for each point of `kept`. */
static bool reduces_for(const piece *p, uint32_t along, uint32_t kept)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (d && d->red != GN_RED_NONE && gn_has_axis(d->raxis, d->nraxis, along) && gn_has_axis(d->param, d->nparam, kept))
            return true;
    }
    return false;
}

/* Loops that are neither rows nor threads, those whose sums need no memory of their own on the right side of the
 * threads' loop. */
static void other_loops(piece *p, uint64_t done, uint32_t t, bool outside)
{
    for (int reduced = 0; reduced < 2; reduced++)
        for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
            if (!(done >> x & 1) && gn_piece_reduces(p, x) == reduced &&
                (reduces_for(p, t, x) && !reduces_for(p, x, t)) == outside)
                gn_piece_axis(p, x);
}

/* Chunks of the axis are blocks: maps over one axis, sums over everything. */
static void chunks(piece *p, uint32_t t)
{
    leaf_id block = 0, each = 0, thread = 0;
    SPLIT(p, t, { "b", 0, &block }, { "u", CHUNK, &each }, { "t", THREADS, &thread });
    gn_piece_bound(p, GN_BIND_BLOCK, block);
    other_loops(p, bit(t), t, true);
    gn_piece_bound(p, GN_BIND_THREAD, thread);
    gn_piece_serial(p, each);
    other_loops(p, bit(t), t, false);
    if (gn_piece_reduces(p, t)) gn_piece_close(p, t, block, CHUNK * THREADS);
}

/* A block for each row, or for each few where sums run along the rows. Axes of a tile are expanded. */
static void rows(piece *p, uint32_t i, uint32_t t, uint64_t tile)
{
    const int64_t threads = threads_for(p->extent[t]);
    uint64_t done = bit(i) | bit(t) | tile;
    leaf_id block = 0, each = 0, loop = 0, thread = 0;
    if (gn_piece_reduces(p, i)) SPLIT(p, i, { "b", 0, &block }, { "r", CLOSED_ROWS, &each });
    else block = gn_piece_whole(p, i);
    /* outermost: the sums over the blocks are a step of their own, in none of their loops */
    if (each) gn_piece_bound(p, GN_BIND_BLOCK, block);
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if ((p->spine >> x & 1) && !(done >> x & 1) && !gn_piece_reduces(p, x)) {
            gn_piece_bound(p, GN_BIND_BLOCK, gn_piece_whole(p, x));
            done |= bit(x);
        }
    if (!each) gn_piece_bound(p, GN_BIND_BLOCK, block);
    const bool fits =
        p->extent[t] >= 0 && p->extent[t] <= threads; /* one element for each thread: no loop, results stay in registers */
    SPLIT(p, t, { fits ? NULL : "0", 0, &loop }, { "t", threads, &thread });
    gn_piece_serial(p, each);
    other_loops(p, done, t, true);
    gn_piece_bound(p, GN_BIND_THREAD, thread); /* inside the rows: a sum over the threads ends where its thread loop ends */
    gn_piece_serial(p, loop);
    other_loops(p, done, t, false);
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (tile >> x & 1) gn_piece_tile(p, GN_BIND_UNROLL, gn_piece_whole(p, x));
    if (each) gn_piece_close(p, i, block, CLOSED_ROWS);
}

/* ---- scatters ---- */

static bool adds(const piece *p)
{
    for (uint32_t i = 0; i < p->nitems; i++)
        if (!gn_piece_def(p, i) && p->k->stores.at[p->k->items.at[p->first_item + i].at].kind != GN_STORE_SET) return true;
    return false;
}

/* Equal indices add in the order of the updates: what reaches an index through memory is a loop of each thread, the
 * other axes are threads. */
static void scatter(piece *p)
{
    int32_t t;
    const uint64_t free = gn_piece_scatter_axes(p, &t);
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if ((int32_t)x != t && (free >> x & 1)) gn_piece_bound(p, GN_BIND_BLOCK, gn_piece_whole(p, x));
    if (t >= 0) {
        leaf_id block = 0, thread = 0;
        SPLIT(p, (uint32_t)t, { "b", 0, &block }, { "t", threads_for(p->extent[t]), &thread });
        gn_piece_bound(p, GN_BIND_BLOCK, block);
        gn_piece_bound(p, GN_BIND_THREAD, thread);
    }
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (!(free >> x & 1)) gn_piece_axis(p, x);
}

void gn_default_cuda(piece *p)
{
    uint32_t i, t;
    if (p->small || p->naxes == 0) {
        for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++) gn_piece_axis(p, x);
        return;
    }
    if (adds(p)) {
        scatter(p);
        return;
    }
    gn_pairs s;
    if (gn_piece_pairs(p, &s)) {
        rows(p, s.i, s.j, s.tile);
        return;
    }
    if (contract(p)) return;
    gn_piece_main_axes(p, &i, &t);
    if (i == t) {
        for (uint32_t x = p->first_axis + p->naxes; x-- > p->first_axis && !gn_piece_reduces(p, t);)
            if ((p->spine >> x & 1) && x != t) i = x;
    }
    if (i == t)
        chunks(p, t);
    else
        rows(p, i, t, 0);
}
