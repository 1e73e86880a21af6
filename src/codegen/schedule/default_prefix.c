/* Closed forms for prefixes along one axis, beside the table's rows, which have lanes inside the rows. A long row alone is
 * cut into chunks, each a part, of which every one adds up the totals of those before it:
 *
 *     (split j jp (j0 2048) (ju 4) (jl 16)) (order jp q j0 ju jl) (bind part jp) .. (rfactor c jp c_p q)
 *
 * Where another axis goes to the lanes, the prefix runs beside them, each lane's in registers. */
#include "default_piece.h"

enum { CHUNK = 131072, CHUNK_CUDA = 32768, VECTORS = 4, THREADS = 256, POINTS = 4 };

/* The one axis that everything which is reduced along it runs along; -1: none, or several. */
static int32_t running_axis(const piece *p)
{
    int32_t axis = -1;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || !gn_is_prefix(d)) continue;
        if (axis >= 0 && axis != d->raxis[0]) return -1;
        axis = d->raxis[0];
    }
    for (uint32_t i = 0; axis >= 0 && i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (gn_def_reduces(d, (uint32_t)axis) && !gn_is_prefix(d)) return -1;
    }
    return axis;
}

static void cut(piece *p, leaf_id part)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || !gn_is_prefix(d)) continue;
        const char *q = gn_piece_name(p, "q"), *total = gn_piece_name(p, gn_arena_printf(p->arena, "%s_p", d->name));
        const uint32_t def =
            gn_schedule_rfactor(p->s, p->k, (gn_rfactor){ def_number(p, d), part - 1, total, q });
        gn_piece_stage(p, def, GN_LEVEL_ARENA, 0);
        gn_piece_serial(p, 1 + gn_schedule_whole(p->s, def - (uint32_t)p->k->defs.n + (uint32_t)p->k->axes.n, q));
    }
}

/* One row: chunks are parts (blocks), in which lanes (threads) take the points of a turn. */
static void one_row(piece *p, uint32_t axis)
{
    const bool cuda = p->target->lang == GN_LANG_CUDA;
    const int64_t w = cuda ? THREADS : p->w, n = cuda ? POINTS : VECTORS, turns = (cuda ? CHUNK_CUDA : CHUNK) / w / n;
    const bool whole = p->extent[axis] >= 0 && p->extent[axis] <= w * n * turns;
    leaf_id part = 0, turn = 0, point = 0, lane = 0;
    if (cuda)
        SPLIT(p, axis, { whole ? NULL : "p", 0, &part }, { "0", whole ? 0 : turns, &turn }, { "t", w, &lane }, { "u", n, &point });
    else
        SPLIT(p, axis, { whole ? NULL : "p", 0, &part }, { "0", whole ? 0 : turns, &turn }, { "u", n, &point },
              { w > 1 ? "l" : NULL, w, &lane });
    gn_piece_bound(p, cuda ? GN_BIND_BLOCK : GN_BIND_PART, part);
    if (part) cut(p, part);
    gn_piece_serial(p, turn);
    if (cuda) gn_piece_bound(p, GN_BIND_THREAD, lane);
    else gn_piece_peel(p, turn);
    gn_piece_tile(p, GN_BIND_PRIVATE, point);
    if (!cuda) gn_piece_tile(p, GN_BIND_LANE, lane);
}

/* The axes that nothing is reduced along are parts (blocks) but the last, which goes to lanes (threads). */
static void columns(piece *p, uint32_t axis, uint32_t ln)
{
    const bool cuda = p->target->lang == GN_LANG_CUDA;
    const int64_t w = cuda ? THREADS : p->w;
    leaf_id part = 0, point = 0, lane = 0;
    if (cuda) SPLIT(p, ln, { "b", 0, &part }, { "t", w, &lane });
    else SPLIT(p, ln, { "p", 0, &part }, { "u", VECTORS, &point }, { w > 1 ? "l" : NULL, w, &lane });
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != axis && a != ln && !gn_piece_reduces(p, a))
            gn_piece_bound(p, cuda ? GN_BIND_BLOCK : GN_BIND_PART, gn_piece_whole(p, a));
    gn_piece_bound(p, cuda ? GN_BIND_BLOCK : GN_BIND_PART, part);
    if (cuda) gn_piece_bound(p, GN_BIND_THREAD, lane);
    gn_piece_axis(p, axis);
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != axis && a != ln && gn_piece_reduces(p, a)) gn_piece_axis(p, a);
    gn_piece_tile(p, GN_BIND_UNROLL, point);
    if (!cuda) gn_piece_tile(p, GN_BIND_LANE, lane);
}

/* A block for each row, whose threads take the points of a turn. */
static void rows_of_blocks(piece *p, uint32_t axis)
{
    leaf_id turn = 0, thread = 0, point = 0;
    SPLIT(p, axis, { "0", 0, &turn }, { "t", THREADS, &thread }, { "u", POINTS, &point });
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != axis && !gn_piece_reduces(p, a)) gn_piece_bound(p, GN_BIND_BLOCK, gn_piece_whole(p, a));
    gn_piece_serial(p, turn);
    gn_piece_bound(p, GN_BIND_THREAD, thread);
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != axis && gn_piece_reduces(p, a)) gn_piece_axis(p, a);
    gn_piece_tile(p, GN_BIND_PRIVATE, point);
}

bool gn_default_prefix(piece *p)
{
    const int32_t axis = running_axis(p);
    double by_axis[MAX_AXES] = { 0 };
    uint32_t row, ln;
    if (axis < 0 || p->small) return false;
    gn_piece_main_axes(p, by_axis, &row, &ln);
    if (p->naxes == 1) one_row(p, ln);
    else if (ln != (uint32_t)axis && !gn_piece_reduces(p, ln)) columns(p, (uint32_t)axis, ln);
    else if (p->target->lang == GN_LANG_CUDA) rows_of_blocks(p, (uint32_t)axis);
    else return false;
    return true;
}
