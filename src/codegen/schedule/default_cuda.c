/* Closed forms for CUDA. A block of threads walks the axis that would go to the lanes; rows, or chunks of that axis,
 * are blocks. A large contraction is a tile of a block of threads (default_contract.c). What a small program's single
 * function does, one thread does. */
#include "default_piece.h"

enum { THREADS = 256, WARP = 32, CHUNK = 4, CLOSED_ROWS = 16 };

/* ---- rows and maps ---- */

int64_t gn_piece_threads(int64_t extent)
{
    return extent < 0 || extent > THREADS ? THREADS : extent <= WARP ? WARP : ceil_div(extent, WARP) * WARP;
}

/* Loops that are neither rows nor threads, those whose sums need no memory of their own on the right side of the
 * threads' loop. */
static void other_loops(piece *p, uint64_t done, uint32_t t, bool outside)
{
    for (int reduced = 0; reduced < 2; reduced++)
        for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
            if (!(done >> x & 1) && gn_piece_reduces(p, x) == reduced &&
                (gn_piece_reduces_for(p, t, x) && !gn_piece_reduces_for(p, x, t)) == outside)
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
    const int64_t threads = gn_piece_threads(p->extent[t]);
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
    gn_piece_bound(p, GN_BIND_THREAD,
                   thread); /* inside the rows: a sum over the threads ends where its thread loop ends */
    gn_piece_serial(p, loop);
    other_loops(p, done, t, false);
    gn_piece_expand(p, tile);
    if (each) gn_piece_close(p, i, block, CLOSED_ROWS);
}

void gn_default_cuda(piece *p)
{
    double by_axis[MAX_AXES] = { 0 };
    uint32_t i, t;
    gn_pairs s;
    if (p->small || p->naxes == 0) gn_piece_loops(p, GN_BIND_NONE, ~UINT64_C(0));
    else if (gn_piece_adds(p)) gn_default_scatter(p);
    else if (gn_piece_pairs(p, &s)) rows(p, s.i, s.j, s.tile);
    else if (!gn_default_contraction(p)) {
        gn_piece_main_axes(p, by_axis, &i, &t);
        if (i == t) chunks(p, t);
        else rows(p, i, t, 0);
    }
}
