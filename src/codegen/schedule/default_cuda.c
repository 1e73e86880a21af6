/* Closed forms for CUDA. A block of threads walks the axis that would go to the lanes; rows, or chunks of that axis,
 * are blocks. A large contraction is a tile of 128 by 128 in a block of 256 threads, both factors through shared memory
 * (V. Volkov and J. Demmel, Benchmarking GPUs to tune dense linear algebra, 2008). What a small program's single
 * function does, one thread does. */
#include <inttypes.h>
#include "default_piece.h"

enum { THREADS = 256, WARP = 32, CHUNK = 4, CLOSED_ROWS = 16, TILE_LEAST = 48 };

static void bind_block(piece *p, const char *leaf, uint32_t axis)
{
    gn_piece_bind(p, "block", leaf);
    gn_piece_serial(p, leaf, axis, -1);
}

static void bind_thread(piece *p, const char *leaf, uint32_t axis, int64_t threads)
{
    gn_piece_bind(p, "thread", leaf);
    gn_piece_serial(p, leaf, axis, threads);
}

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
    const char *block, *twice, *thread, *four; /* an axis as blocks of 2 x 16 x 4; up to 64: of 16 x 4 */
} tile_side;

static tile_side split_side(piece *p, uint32_t axis)
{
    tile_side s = {.block = gn_piece_leaf(p, axis, "b")};
    const bool wide = p->extent[axis] < 0 || p->extent[axis] > 64;
    if (wide) s.twice = gn_piece_leaf(p, axis, "v");
    s.thread = gn_piece_leaf(p, axis, "t");
    s.four = gn_piece_leaf(p, axis, "u");
    gn_textf(&p->splits, " (split %s %s", p->k->axes.at[axis].name, s.block);
    if (wide) gn_textf(&p->splits, " (%s 2)", s.twice);
    gn_textf(&p->splits, " (%s 16) (%s 4))", s.thread, s.four);
    return s;
}

/* A factor's tile in shared memory, filled in the order in which its elements lie in memory. */
static void stage_side(piece *p, const gn_kdef *d, const tile_side *s, uint32_t k, const char *k0, const char *k1)
{
    const char *twice = s->twice ? s->twice : "";
    gn_textf(&p->rest, " (stage %s shared (at %s) (layout %s %s %s %s)", d->name, k0, k1, twice, s->thread, s->four);
    if (gn_piece_is_unit(p, d, k))
        gn_textf(&p->rest, " (pad %s 4) (copy %s %s %s %s)", s->twice ? s->twice : s->thread, twice, s->thread, s->four,
                 k1);
    gn_text_char(&p->rest, ')');
}

static bool contract(piece *p)
{
    gn_contraction c;
    if (p->small || !gn_piece_contraction(p, &c) || !is_alone(p, c.acc)) return false;
    const gn_kdef *acc = c.acc, *a = c.a, *b = c.b;
    const uint32_t i = (uint32_t)gn_piece_role(p, GN_ROLE_M), j = (uint32_t)gn_piece_role(p, GN_ROLE_N);
    if ((p->extent[i] >= 0 && p->extent[i] < TILE_LEAST) || (p->extent[j] >= 0 && p->extent[j] < TILE_LEAST)) return false;
    const uint32_t k = acc->raxis[acc->nraxis - 1];
    if (!has_axis(a->param, a->nparam, k) || !has_axis(b->param, b->nparam, k)) return false; /* no tile to stage */
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (!has_axis(acc->param, acc->nparam, x) && !has_axis(acc->raxis, acc->nraxis, x))
            return false; /* a further loop that is no part of it */
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (has_axis(acc->param, acc->nparam, x) && x != i && x != j) bind_block(p, p->k->axes.at[x].name, x);
    const tile_side rows = split_side(p, i), columns = split_side(p, j);
    const char *k0 = gn_piece_leaf(p, k, "0"), *k1 = gn_piece_leaf(p, k, "1");
    gn_textf(&p->splits, " (split %s %s (%s 8))", p->k->axes.at[k].name, k0, k1);
    bind_block(p, rows.block, i);
    bind_block(p, columns.block, j);
    bind_thread(p, rows.thread, i, 16);
    bind_thread(p, columns.thread, j, 16);
    for (size_t r = 0; r + 1 < acc->nraxis; r++) gn_piece_axis(p, acc->raxis[r]);
    gn_piece_serial(p, k0, k, -1);
    gn_piece_serial(p, k1, k, 8);
    if (rows.twice) gn_piece_tile(p, "unroll", rows.twice, i, 2);
    gn_piece_tile(p, "unroll", rows.four, i, 4);
    if (columns.twice) gn_piece_tile(p, "unroll", columns.twice, j, 2);
    gn_piece_tile(p, "unroll", columns.four, j, 4);
    gn_textf(&p->rest, " (unroll %s 8)", k1);
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
        if (d && d->red != GN_RED_NONE && has_axis(d->raxis, d->nraxis, along) && has_axis(d->param, d->nparam, kept))
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
    const char *block = gn_piece_leaf(p, t, "b"), *thread = gn_piece_leaf(p, t, "t"), *each = gn_piece_leaf(p, t, "u");
    gn_textf(&p->splits, " (split %s %s (%s %d) (%s %d))", p->k->axes.at[t].name, block, each, CHUNK, thread, THREADS);
    bind_block(p, block, t);
    const uint64_t done = UINT64_C(1) << t;
    other_loops(p, done, t, true);
    bind_thread(p, thread, t, THREADS);
    gn_piece_serial(p, each, t, CHUNK);
    other_loops(p, done, t, false);
    if (gn_piece_reduces(p, t)) gn_piece_close(p, t, block, CHUNK * THREADS);
}

/* A block for each row, or for each few where sums run along the rows. Axes of a tile are expanded. */
static void rows(piece *p, uint32_t i, uint32_t t, uint64_t tile)
{
    const int64_t threads = threads_for(p->extent[t]);
    uint64_t done = UINT64_C(1) << i | UINT64_C(1) << t | tile;
    const char *block = p->k->axes.at[i].name, *each = NULL;
    if (gn_piece_reduces(p, i)) {
        block = gn_piece_leaf(p, i, "b");
        each = gn_piece_leaf(p, i, "r");
        gn_textf(&p->splits, " (split %s %s (%s %d))", p->k->axes.at[i].name, block, each, CLOSED_ROWS);
    }
    /* outermost: the sums over the blocks are a step of their own, in none of their loops */
    if (each) bind_block(p, block, i);
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if ((p->spine >> x & 1) && !(done >> x & 1) && !gn_piece_reduces(p, x)) {
            bind_block(p, p->k->axes.at[x].name, x);
            done |= UINT64_C(1) << x;
        }
    if (!each) bind_block(p, block, i);
    const bool fits =
        p->extent[t] >= 0 && p->extent[t] <= threads; /* one element for each thread: no loop, results stay in registers */
    const char *loop = fits ? NULL : gn_piece_leaf(p, t, "0"), *thread = gn_piece_leaf(p, t, "t");
    gn_textf(&p->splits, " (split %s%s%s (%s %" PRId64 "))", p->k->axes.at[t].name, fits ? "" : " ", fits ? "" : loop,
             thread, threads);
    if (each) gn_piece_serial(p, each, i, CLOSED_ROWS);
    other_loops(p, done, t, true);
    bind_thread(p, thread, t, threads); /* inside the rows: a sum over the threads ends where its thread loop ends */
    if (loop) gn_piece_serial(p, loop, t, p->extent[t] < 0 ? -1 : ceil_div(p->extent[t], threads));
    other_loops(p, done, t, false);
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        if (tile >> x & 1) gn_piece_tile(p, "unroll", p->k->axes.at[x].name, x, p->extent[x]);
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
        if ((int32_t)x != t && (free >> x & 1)) bind_block(p, p->k->axes.at[x].name, x);
    if (t >= 0) {
        const char *block = gn_piece_leaf(p, (uint32_t)t, "b"), *thread = gn_piece_leaf(p, (uint32_t)t, "t");
        const int64_t threads = threads_for(p->extent[t]);
        gn_textf(&p->splits, " (split %s %s (%s %" PRId64 "))", p->k->axes.at[t].name, block, thread, threads);
        bind_block(p, block, (uint32_t)t);
        bind_thread(p, thread, (uint32_t)t, threads);
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
