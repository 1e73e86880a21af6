/* Closed form for contractions: acc(m, n) = sum over k of a(m, k) b(k, n), n to the lanes. A tile of rows by vectors
 * stays in registers while k runs; the tile is the one of the target's table that pads the shape least. Parts are
 * blocks of columns, of rows too where columns are few: kernels that share a matrix with these columns then find their
 * share of it in the same core's cache, and each part packs the columns of b that it needs. What follows in the kernel
 * (bias, activation, row values of narrow results, column sums) has the tile's leaves and finds the result in
 * registers.
 *
 * Where threads make a tile together, blocks are parts and both factors go through shared memory, a few steps of k at a
 * time (V. Volkov and J. Demmel, Benchmarking GPUs to tune dense linear algebra, 2008). */
#include "default_piece.h"

enum { USUAL_ROWS = 256, HEAVY = 1 << 23 };
enum { K_CHUNK = 1024, MOST_K = 4096 }; /* a longer k goes in chunks, whose packed columns stay in the second cache */
enum { PARTS = 32, PART_WORK = 1 << 17 };
enum { NARROW_PART_ROWS = 252, PART_ROWS = 1008 }; /* so many times is each packed element of b used in a part */
enum { THREADS_LEAST = 48, PAD = 4, MOST_CONTRACTIONS = 8 };

/* One of those that keep m and n. */
typedef struct product {
    gn_contraction of;
    bool pack_a, pack_b, transpose;
    leaf_id q0, q1;              /* of a transposed copy */
} product;

/* A side of the tile, outermost first. */
typedef struct side {
    uint32_t axis;
    leaf_id part, tile, half, thread, point, lane;
    bool exact;
} side;

typedef struct plan {
    piece *p;
    product product[MOST_CONTRACTIONS];
    size_t n;
    int64_t rows, columns, depth;/* extents of m, n, and of k of the first; -1: symbolic */
    int64_t tile_rows, vectors;
    int64_t row_tiles, column_tiles; /* in a part; 0: no parts of rows, of columns */
    bool threads, chunks;
    side row, column;
    leaf_id k0, k1;              /* a chunk of k, the innermost loop over k */
    uint64_t batch;              /* axes, as bits */
} plan;

static bool contracts(const piece *p, uint32_t item, gn_contraction *c)
{
    const int32_t m = gn_piece_role(p, GN_ROLE_M), n = gn_piece_role(p, GN_ROLE_N);
    const gn_kdef *d = gn_piece_def(p, item);
    return d && m >= 0 && n >= 0 && gn_is_contraction(p->k, d, (uint32_t)m, (uint32_t)n, c);
}

static bool find(piece *p, plan *w)
{
    *w = (plan){ .p = p, .depth = 1, .threads = p->target->tile_threads > 1 };
    for (uint32_t at = 0; at < p->nitems && w->n < MOST_CONTRACTIONS; at++)
        w->n += contracts(p, at, &w->product[w->n].of);
    if (!w->n) return false;
    w->row.axis = (uint32_t)gn_piece_role(p, GN_ROLE_M), w->column.axis = (uint32_t)gn_piece_role(p, GN_ROLE_N);
    w->rows = p->extent[w->row.axis], w->columns = p->extent[w->column.axis];
    const gn_kdef *acc = w->product[0].of.acc;
    for (size_t r = 0; r < acc->nraxis; r++)
        w->depth = w->depth < 0 || p->extent[acc->raxis[r]] < 0 ? -1 : w->depth * p->extent[acc->raxis[r]];
    return true;
}

/* ---- the tile ---- */

static double padding(int64_t extent, int64_t tile)
{
    return extent <= 0 ? 1 : (double)(ceil_div(extent, tile) * tile) / (double)extent;
}

/* Little to compute, also for batches of some hundred rows: the shorter code of a smaller tile, which compiles in two
 * thirds of the time, is worth more than its last 3 %. */
static bool is_light(const plan *w)
{
    return w->columns >= 0 &&
           (w->rows < 0 ? USUAL_ROWS : w->rows) * w->columns * (w->depth < 0 ? USUAL_ROWS : w->depth) < HEAVY;
}

static bool take_best(plan *w, uint8_t use)
{
    const piece *p = w->p;
    const int64_t threads = p->target->tile_threads, vectors = w->columns <= p->w ? 1 : ceil_div(w->columns, p->w);
    double best = 0;
    for (const gn_tile_shape *s = p->target->contract; s->rows; s++) {
        if (s->use != use || (use & GN_TILE_NARROW && s->vectors != vectors)) continue;
        const double e =
            s->efficiency / (padding(w->rows, s->rows * threads) * padding(w->columns, p->w * s->vectors * threads));
        if (e <= best) continue;
        best = e, w->tile_rows = s->rows, w->vectors = s->vectors;
    }
    return best > 0;
}

static void choose_tile(plan *w)
{
    const piece *p = w->p;
    const uint8_t narrow = w->columns >= 0 && w->columns <= 4 * p->w ? GN_TILE_NARROW : 0;
    if (p->small || !is_light(w) || !take_best(w, narrow | GN_TILE_LIGHT)) take_best(w, narrow);
    w->tile_rows /= (int64_t)w->n; /* all have their sums in registers at once */
    if (w->rows >= 0 && w->rows < w->tile_rows && !w->threads) w->tile_rows = w->rows;
    if (w->tile_rows < 1) w->tile_rows = 1;
    while (p->small && w->rows % w->tile_rows != 0)
        w->tile_rows--; /* whole tiles: what is on the stack has no guards */
}

/* ---- parts and packing ---- */

/* Tiles of columns in a part; 0: all. */
static int64_t columns_of_part(const plan *w)
{
    const int64_t tile = w->vectors * w->p->w;
    if (w->columns < 0) return 4;
    if (w->columns <= tile) return 0;
    const int64_t work = w->rows < 0 || w->depth < 0 ? PART_WORK : w->rows * tile * w->depth; /* of a column of tiles */
    const int64_t n = work >= PART_WORK ? 1 : ceil_div(PART_WORK, work > 0 ? work : 1);
    return n * tile >= w->columns ? 0 : n;
}

static void choose_parts(plan *w)
{
    if (w->p->small || w->threads) return;
    w->column_tiles = columns_of_part(w);
    const int64_t tile = w->column_tiles * w->vectors * w->p->w,
                  parts = w->columns < 0 || !tile ? 1 : ceil_div(w->columns, tile);
    const int64_t rows = tile ? PART_ROWS : NARROW_PART_ROWS, most = w->rows < 0 ? 1 : ceil_div(w->rows, rows),
                  wanted = tile ? ceil_div(PARTS, parts) : INT64_MAX;
    if (w->rows < 0) w->row_tiles = rows / w->tile_rows;
    else if (wanted > 1 && most > 1)
        w->row_tiles = ceil_div(ceil_div(w->rows, w->tile_rows), wanted < most ? wanted : most);
}

static uint32_t last_k(const product *x)
{
    return x->of.acc->raxis[x->of.acc->nraxis - 1];
}

static bool has_few_rows(const plan *w)
{
    const int64_t known = w->p->k->axes.at[w->row.axis].max, most = known ? known : w->rows;
    return most >= 0 && most <= GN_PACK_ROWS;
}

static void choose_packing(plan *w, product *x)
{
    const piece *p = w->p;
    const gn_kexpr *b = x->of.b->body;
    const int64_t k = p->extent[last_k(x)];
    const bool unit = gn_piece_is_unit(p, x->of.b, w->column.axis), plain = b->kind == GN_K_LOAD;
    x->transpose = !unit && plain && x->of.acc->nraxis == 1 && gn_piece_stride(p, b->u.ref, b->index, last_k(x)) == 1 &&
                   (k < 0 || k >= 16) && p->w == 16 && x->of.b->dtype == GN_F32;
    x->pack_b = !has_few_rows(w) || !unit || !plain;
    x->pack_a = x->of.a->body->kind != GN_K_LOAD;
    w->chunks = w->n == 1 && w->column_tiles > 0 && x->pack_b && !x->pack_a && !x->transpose &&
                x->of.acc->nraxis == 1 && k > MOST_K;
}

/* ---- threads ---- */

/* All is done by one contraction: sums along its rows or columns would cross threads of one tile, and a further loop
 * would be no part of it. */
static bool suits_threads(const plan *w)
{
    const piece *p = w->p;
    const gn_contraction *c = &w->product[0].of;
    const uint32_t k = last_k(&w->product[0]);
    bool alone = gn_def_keeps(c->a, k) && gn_def_keeps(c->b, k) && !p->small;
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        alone &= !d || d == c->acc || d->red == GN_RED_NONE;
    }
    for (uint32_t x = p->first_axis; x < p->first_axis + p->naxes; x++)
        alone &= gn_def_keeps(c->acc, x) || gn_def_reduces(c->acc, x);
    return alone && (w->rows < 0 || w->rows >= THREADS_LEAST) && (w->columns < 0 || w->columns >= THREADS_LEAST);
}

/* A factor's tile in shared memory, filled in the order in which its elements lie in memory. */
static void share(const plan *w, const gn_kdef *d, const side *s, uint32_t k)
{
    gn_stage *g = gn_piece_stage(w->p, def_number(w->p, d), GN_LEVEL_SHARED, w->k0);
    const leaf_id own[] = { s->half, s->thread, s->point };
    gn_piece_layout(w->p, g, w->k1);
    for (size_t i = 0; i < 3; i++) gn_piece_layout(w->p, g, own[i]);
    if (!gn_piece_is_unit(w->p, d, k)) return;
    g->pad_leaf = (int32_t)(s->half ? s->half : s->thread) - 1, g->pad = PAD;
    for (size_t i = 0; i < 3; i++)
        if (own[i]) gn_push(w->p->arena, &g->copy, own[i] - 1);
    gn_push(w->p->arena, &g->copy, w->k1 - 1);
}

/* ---- packed copies ---- */

/* The packed copy of a transposed factor walks k in an axis of its own, sixteen at a time: the definition is rewritten
 * over it. */
static void split_copy(piece *p, product *x)
{
    const uint32_t k = x->of.acc->raxis[0];
    const char *name = p->k->axes.at[k].name;
    const char *own = gn_piece_name(p, gn_arena_printf(p->arena, "%sq", name));
    const uint32_t q = gn_kernel_axis(p->k, own, p->k->axes.at[k].extent);
    gn_kdef *b = &p->k->defs.at[def_number(p, x->of.b)];
    uint16_t *param = gn_arena_copy(p->k->arena, b->param, b->nparam * sizeof *param);
    const gn_dim *index[GN_MAX_RANK];
    for (size_t d = 0; d < b->nparam; d++)
        if (param[d] == k) param[d] = (uint16_t)q;
    for (size_t d = 0; d < b->body->nindex; d++) {
        const gn_dim *rest = gn_dim_sub(p->k->dims, b->body->index[d], gn_dim_sym(p->k->dims, name));
        index[d] = gn_dim_mentions(b->body->index[d], name) ? gn_dim_add(p->k->dims, rest, gn_dim_sym(p->k->dims, own))
                                                            : b->body->index[d];
    }
    b->param = param;
    b->body = gn_kexpr_load(p->k, b->body->u.ref, index);
    SPLIT(p, q, { "0", 0, &x->q0 }, { "1", 16, &x->q1 });
}

/* At a loop in memory of the worker; without one it is a step of its own, for all batches and parts. So are the copies
 * of several contractions: the loops of the second would close those in which the sums of the first are. */
static gn_stage *pack(const plan *w, const gn_kdef *d, leaf_id at, leaf_id part)
{
    if (w->n > 1) at = 0;
    gn_stage *s = gn_piece_stage(w->p, def_number(w->p, d), at ? GN_LEVEL_SCRATCH : GN_LEVEL_ARENA, at);
    if (at) return s;
    s->at = GN_AT_ROOT;
    for (uint32_t a = 0; a < w->p->k->axes.n; a++)
        if ((w->batch >> a & 1) && gn_def_keeps(d, a)) gn_piece_layout(w->p, s, gn_piece_whole(w->p, a));
    gn_piece_layout(w->p, s, part);
    return s;
}

static void layout_k(const plan *w, gn_stage *s, const product *x, const gn_kdef *d)
{
    for (size_t r = 0; r < x->of.acc->nraxis; r++)
        if (gn_def_keeps(d, x->of.acc->raxis[r])) gn_piece_layout(w->p, s, gn_piece_whole(w->p, x->of.acc->raxis[r]));
}

/* Each part packs what it reads of b, chunk by chunk of k. */
static void pack_b(const plan *w, const product *x)
{
    const leaf_id rest[] = { x->q0, x->q1, w->column.point, w->column.lane };
    gn_stage *s = pack(w, x->of.b, w->k0 ? w->k0 : w->row.part ? w->row.part : w->column.part, w->column.part);
    gn_piece_layout(w->p, s, w->chunks ? w->k1 : w->column.tile);
    if (!x->q0 && !w->chunks) layout_k(w, s, x, x->of.b);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) gn_piece_layout(w->p, s, rest[i]);
    if (x->q1) gn_piece_tensorize(w->p, def_number(w->p, x->of.b), "tr16", x->q1, w->column.lane);
}

static void pack_a(const plan *w, const product *x)
{
    gn_stage *s = pack(w, x->of.a, w->row.part, w->row.part);
    gn_piece_layout(w->p, s, w->row.tile);
    layout_k(w, s, x, x->of.a);
    gn_piece_layout(w->p, s, w->row.point);
}

/* ---- loops ---- */

static gn_bind_kind part_bind(const plan *w)
{
    return w->threads ? GN_BIND_BLOCK : GN_BIND_PART;
}

/* Batches and further rows: loops, the outer ones parts where nothing is reduced along them. */
static void batch_axes(plan *w)
{
    const gn_kdef *acc = w->product[0].of.acc;
    for (size_t d = 0; d < acc->nparam; d++) {
        const uint32_t a = acc->param[d];
        if (a == w->row.axis || a == w->column.axis) continue;
        w->batch |= bit(a);
        const leaf_id l = gn_piece_whole(w->p, a);
        if (w->p->small || gn_piece_reduces(w->p, a)) gn_piece_serial(w->p, l);
        else gn_piece_bound(w->p, part_bind(w), l);
    }
}

static void split_side(const plan *w, side *s, bool parts, int64_t tiles, int64_t points)
{
    const int64_t threads = w->p->target->tile_threads, half = threads > 1 && points > 4 ? 2 : 1;
    SPLIT(w->p, s->axis, { parts ? "p" : NULL, 0, &s->part }, { tiles >= 0 ? "r" : NULL, tiles, &s->tile },
          { half > 1 ? "v" : NULL, half, &s->half }, { threads > 1 ? "t" : NULL, threads, &s->thread },
          { "1", points / half, &s->point });
}

static void split_sides(plan *w)
{
    const bool parts = w->threads || w->row_tiles > 0;
    if (w->threads) split_side(w, &w->column, true, -1, w->vectors);
    else {
        const lanes l = w->column_tiles ? gn_piece_lane_parts(w->p, w->column.axis, w->column_tiles, w->vectors)
                                        : gn_piece_lanes(w->p, w->column.axis, w->vectors, w->vectors);
        w->column = (side){ w->column.axis, l.part, l.outer, 0, 0, l.unroll, l.lane, l.exact };
    }
    split_side(w, &w->row, parts, !w->threads && (parts || w->rows > w->tile_rows) ? w->row_tiles : -1, w->tile_rows);
}

/* k0 outside the rows, k1 inside: the sums of the rows are kept beside the loops from chunk to chunk (gn_piece_keep),
 * those of a chunk are in registers (gn_default_block). Threads share what is read in such a chunk. */
static void split_k(plan *w)
{
    const int64_t chunk = w->threads ? w->p->target->tile_depth : K_CHUNK;
    if (w->threads || w->chunks) SPLIT(w->p, last_k(&w->product[0]), { "0", 0, &w->k0 }, { "1", chunk, &w->k1 });
    if (w->chunks) gn_piece_serial(w->p, w->k0);
}

static void loops_over_k(plan *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const gn_kdef *acc = w->product[i].of.acc;
        const size_t whole = acc->nraxis - (w->k0 != 0);
        for (size_t r = 0; r < whole; r++) gn_piece_axis(w->p, acc->raxis[r]);
        const leaf_id k1 = w->k0 ? w->k1 : gn_piece_whole(w->p, last_k(&w->product[i]));
        if (w->threads) gn_piece_serial(w->p, w->k0);
        if (w->k0) gn_piece_serial(w->p, k1);
        if (!w->p->small) gn_piece_leaf(w->p, k1)->unroll = w->threads ? (uint16_t)w->p->target->tile_depth : 2;
    }
}

static void other_axes(const plan *w)
{
    uint64_t done = bit(w->row.axis) | bit(w->column.axis) | w->batch;
    for (size_t i = 0; i < w->n; i++)
        for (size_t r = 0; r < w->product[i].of.acc->nraxis; r++) done |= bit(w->product[i].of.acc->raxis[r]);
    gn_piece_loops(w->p, GN_BIND_NONE, ~done);
}

static void tile_leaves(plan *w)
{
    const leaf_id leaf[] = { w->row.half, w->row.point, w->column.half, w->column.point };
    for (size_t i = 0; i < w->n; i++) {
        product *x = &w->product[i];
        if (x->pack_b && x->transpose) split_copy(w->p, x);
        gn_piece_serial(w->p, x->q0);
    }
    for (size_t i = 0; i < 4; i++) {
        gn_piece_tile(w->p, GN_BIND_UNROLL, leaf[i]);
        for (size_t x = 0; x < w->n && i == 1; x++) gn_piece_tile(w->p, GN_BIND_UNROLL, w->product[x].q1);
    }
    gn_piece_tile(w->p, GN_BIND_LANE, w->column.lane);
    if (!w->column.exact) gn_piece_peel(w->p, w->column.tile);
}

static void stage_factors(const plan *w)
{
    for (size_t i = 0; i < w->n; i++) {
        const product *x = &w->product[i];
        if (w->threads) share(w, x->of.a, &w->row, last_k(x)), share(w, x->of.b, &w->column, last_k(x));
        if (x->pack_b) pack_b(w, x);
        if (x->pack_a) pack_a(w, x);
    }
}

bool gn_default_contraction(piece *p)
{
    plan w;
    if (!find(p, &w) || (w.threads && !suits_threads(&w))) return false;
    choose_tile(&w);
    choose_parts(&w);
    for (size_t i = 0; i < w.n && !p->small && !w.threads; i++) choose_packing(&w, &w.product[i]);
    batch_axes(&w);
    split_sides(&w);
    if (w.threads) gn_piece_bound(p, GN_BIND_BLOCK, w.row.part);
    gn_piece_bound(p, part_bind(&w), w.column.part);
    if (!w.threads) gn_piece_bound(p, GN_BIND_PART, w.row.part);
    gn_piece_serial(p, w.column.tile);
    if (w.row.part) gn_piece_close(p, w.row.axis, w.row.part, w.row_tiles * w.tile_rows);
    split_k(&w);
    gn_piece_serial(p, w.row.tile);
    gn_piece_bound(p, GN_BIND_THREAD, w.row.thread);
    gn_piece_bound(p, GN_BIND_THREAD, w.column.thread);
    other_axes(&w);
    loops_over_k(&w);
    tile_leaves(&w);
    stage_factors(&w);
    return true;
}
