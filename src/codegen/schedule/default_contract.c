/* Closed form for contractions: acc(i, j) = sum over k of a(i, k) b(k, j), j to the lanes. A tile of rows by vectors
 * stays in registers while k runs; the tile is the one that pads the shape least among those that fill the registers.
 * Parts are blocks of columns, of rows too where columns are few: kernels that share a matrix with these columns then
 * find their share of it in the same core's cache, and each part packs the columns of b that it needs. What follows in
 * the kernel (bias, activation, row values of narrow results, column sums) has the tile's leaves and finds the result in
 * registers. */
#include "default_piece.h"

enum { USUAL_ROWS = 256, HEAVY = 1 << 23 };
enum { K_CHUNK = 1024, MOST_K = 4096 }; /* a longer k goes in chunks, whose packed columns stay in the second-level cache */
enum { PARTS = 32, PACK_ROWS = 32, PART_WORK = 1 << 17 };
enum { NARROW_PART_ROWS = 252, PART_ROWS = 1008 }; /* so many times is each packed element of b used in a part */

typedef struct contraction {
    const gn_kdef *acc, *a, *b;
    uint32_t i, j;
    int64_t m, n, k;             /* -1: symbolic */
    int64_t rows, vectors;       /* of the tile */
    int64_t tiles;               /* tiles of rows in a part; 0: no parts of rows */
    int64_t column_tiles;        /* tiles of columns in a part; 0: no parts of columns */
    bool pack_a, pack_b, transpose, chunks;
    lanes columns;
    leaf_id row_part, row_tile, row, k0, k1; /* k1 the innermost loop over k */
    leaf_id q0, q1;              /* of a transposed copy */
} contraction;

bool gn_piece_contraction(const piece *p, gn_contraction *c)
{
    const int32_t m = gn_piece_role(p, GN_ROLE_M), n = gn_piece_role(p, GN_ROLE_N);
    for (uint32_t at = 0; at < p->nitems && m >= 0 && n >= 0; at++) {
        const gn_kdef *d = gn_piece_def(p, at);
        if (d && gn_is_contraction(p->k, d, (uint32_t)m, (uint32_t)n, c)) return true;
    }
    return false;
}

static bool find(const piece *p, contraction *c)
{
    gn_contraction found;
    if (!gn_piece_contraction(p, &found)) return false;
    *c = (contraction){ .acc = found.acc, .a = found.a, .b = found.b, .k = 1 };
    c->i = (uint32_t)gn_piece_role(p, GN_ROLE_M), c->j = (uint32_t)gn_piece_role(p, GN_ROLE_N);
    c->m = p->extent[c->i], c->n = p->extent[c->j];
    for (size_t r = 0; r < c->acc->nraxis; r++)
        c->k = c->k < 0 || p->extent[c->acc->raxis[r]] < 0 ? -1 : c->k * p->extent[c->acc->raxis[r]];
    return true;
}

/* ---- the tile ---- */

static double padding(int64_t extent, int64_t tile)
{
    return extent <= 0 ? 1 : (double)(ceil_div(extent, tile) * tile) / (double)extent;
}

typedef struct shape {
    int64_t rows, vectors;
    double efficiency;
} shape;

/* Little to compute, also for batches of some hundred rows: the shorter code of a smaller tile, which compiles in two
 * thirds of the time, is worth more than its last 3 %. */
static bool is_light(const contraction *c)
{
    return c->n >= 0 && (c->m < 0 ? USUAL_ROWS : c->m) * c->n * (c->k < 0 ? USUAL_ROWS : c->k) < HEAVY;
}

static void choose_tile(const piece *p, contraction *c)
{
    /* Rows times vectors accumulators, one broadcast and the vectors of b fit the registers; few loads for each fma. */
    static const shape wide32[] = { { 6, 4, 1 }, { 8, 3, .975 }, { 14, 2, .96 }, { 0, 0, 0 } };
    static const shape light32[] = { { 8, 2, 1 }, { 4, 4, .97 }, { 0, 0, 0 } },
                       light_one32[] = { { 8, 1, 1 }, { 0, 0, 0 } };
    static const shape wide16[] = { { 6, 2, 1 }, { 4, 3, .99 }, { 0, 0, 0 } };
    static const shape one32[] = { { 12, 1, 1 }, { 10, 1, 1 }, { 9, 1, 1 }, { 8, 1, 1 }, { 0, 0, 0 } };
    static const shape two32[] = { { 12, 2, 1 }, { 10, 2, 1 }, { 9, 2, 1 }, { 8, 2, 1 }, { 0, 0, 0 } };
    static const shape three32[] = { { 8, 3, 1 }, { 0, 0, 0 } }, four32[] = { { 6, 4, 1 }, { 0, 0, 0 } };
    static const shape two16[] = { { 6, 2, 1 }, { 5, 2, 1 }, { 4, 2, 1 }, { 0, 0, 0 } };
    static const shape three16[] = { { 4, 3, 1 }, { 0, 0, 0 } }, four16[] = { { 2, 4, 1 }, { 0, 0, 0 } };
    const bool many = p->target->nregs >= 32;
    const shape *narrow[] = { one32, many ? two32 : two16, many ? three32 : three16, many ? four32 : four16 };
    const bool is_narrow = c->n >= 0 && c->n <= 4 * p->w;
    const shape *s = is_narrow ? narrow[c->n <= p->w ? 0 : (c->n - 1) / p->w] : many ? wide32 : wide16;
    if (!p->small && is_light(c) && s == wide32) s = light32;
    if (!p->small && is_light(c) && s == one32) s = light_one32;
    double best = -1;
    for (; s->rows; s++) {
        const double e = s->efficiency / (padding(c->m, s->rows) * padding(c->n, p->w * s->vectors));
        if (e <= best) continue;
        best = e, c->rows = s->rows, c->vectors = s->vectors;
    }
    if (c->m >= 0 && c->m < c->rows) c->rows = c->m > 0 ? c->m : 1;
    while (p->small && c->m % c->rows != 0) c->rows--; /* whole tiles: what crosses on the stack is read without guards */
}

/* ---- parts and packing ---- */

/* Tiles of columns in a part; 0: all. */
static int64_t columns_of_part(const piece *p, const contraction *c)
{
    const int64_t tile = c->vectors * p->w;
    if (c->n < 0) return 4;
    if (c->n <= tile) return 0;
    const int64_t work = c->m < 0 || c->k < 0 ? PART_WORK : c->m * tile * c->k; /* of a column of tiles */
    const int64_t n = work >= PART_WORK ? 1 : ceil_div(PART_WORK, work > 0 ? work : 1);
    return n * tile >= c->n ? 0 : n;
}

static void choose_parts(const piece *p, contraction *c)
{
    if (p->small) return;
    c->column_tiles = columns_of_part(p, c);
    const int64_t columns = c->n < 0 || !c->column_tiles ? 1 : ceil_div(c->n, c->column_tiles * c->vectors * p->w);
    const int64_t rows = c->column_tiles ? PART_ROWS : NARROW_PART_ROWS;
    const int64_t wanted = c->column_tiles ? ceil_div(PARTS, columns) : INT64_MAX,
                  most = c->m < 0 ? 1 : ceil_div(c->m, rows);
    if (c->m < 0) c->tiles = rows / c->rows;
    else if (wanted > 1 && most > 1) c->tiles = ceil_div(ceil_div(c->m, c->rows), wanted < most ? wanted : most);
}

static void choose_packing(const piece *p, contraction *c)
{
    if (p->small) return;
    const uint32_t k = c->acc->raxis[c->acc->nraxis - 1];
    const gn_kexpr *b = c->b->body;
    const bool unit = gn_piece_is_unit(p, c->b, c->j), plain = b->kind == GN_K_LOAD;
    const int64_t ke = p->extent[k];
    c->transpose = !unit && plain && c->acc->nraxis == 1 && gn_piece_stride(p, b->u.ref, b->index, k) == 1 &&
                   (ke < 0 || ke >= 16) && p->w == 16 && c->b->dtype == GN_F32;
    c->pack_b = c->m < 0 || c->m > PACK_ROWS || !unit || !plain;
    c->pack_a = c->a->body->kind != GN_K_LOAD;
    c->chunks = c->column_tiles > 0 && c->pack_b && !c->pack_a && !c->transpose && c->acc->nraxis == 1 && ke > MOST_K;
}

/* ---- the directives ---- */

/* The packed copy of a transposed factor walks k in an axis of its own, sixteen at a time: the definition is rewritten
 * over it. */
static void split_copy(piece *p, contraction *c)
{
    const uint32_t k = c->acc->raxis[0];
    const char *name = p->k->axes.at[k].name;
    const char *own = gn_piece_name(p, gn_arena_printf(p->arena, "%sq", name));
    const uint32_t q = gn_kernel_axis(p->k, own, p->k->axes.at[k].extent);
    gn_kdef *b = &p->k->defs.at[def_number(p, c->b)];
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
    SPLIT(p, q, { "0", 0, &c->q0 }, { "1", 16, &c->q1 });
}

static void split_rows(piece *p, contraction *c)
{
    const bool parts = c->tiles > 0;
    SPLIT(p, c->i, { parts ? "p" : NULL, 0, &c->row_part },
          { parts || c->m > c->rows ? "r" : NULL, parts ? c->tiles : 0, &c->row_tile }, { "1", c->rows, &c->row });
}

/* Axes of b or a that are loops around all, where nothing in the loops has a copy for each of them. */
static void layout_batch(piece *p, gn_stage *s, const gn_kdef *d, uint64_t batch)
{
    for (uint32_t a = 0; a < p->k->axes.n && s->at == GN_AT_ROOT; a++)
        if ((batch >> a & 1) && gn_has_axis(d->param, d->nparam, a)) gn_piece_layout(p, s, gn_piece_whole(p, a));
}

static void layout_k(piece *p, gn_stage *s, const contraction *c, const gn_kdef *d)
{
    for (size_t r = 0; r < c->acc->nraxis; r++)
        if (gn_has_axis(d->param, d->nparam, c->acc->raxis[r])) gn_piece_layout(p, s, gn_piece_whole(p, c->acc->raxis[r]));
}

/* Each part packs what it reads, chunk by chunk of k; without parts it is a step of its own. */
static gn_stage *pack(piece *p, const gn_kdef *d, leaf_id at)
{
    gn_stage *s = gn_piece_stage(p, def_number(p, d), at ? GN_LEVEL_SCRATCH : GN_LEVEL_ARENA, at);
    if (!at) s->at = GN_AT_ROOT;
    return s;
}

static void stage_b(piece *p, const contraction *c, uint64_t batch)
{
    gn_stage *s = pack(p, c->b, c->k0 ? c->k0 : c->row_part ? c->row_part : c->columns.part);
    layout_batch(p, s, c->b, batch);
    gn_piece_layout(p, s, c->chunks ? c->k1 : c->columns.outer);
    if (!c->q0 && !c->chunks) layout_k(p, s, c, c->b);
    const leaf_id rest[] = { c->q0, c->q1, c->columns.unroll, c->columns.lane };
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) gn_piece_layout(p, s, rest[i]);
    if (c->q1) gn_piece_tensorize(p, def_number(p, c->b), "tr16", c->q1, c->columns.lane);
}

static void stage_a(piece *p, const contraction *c, uint64_t batch)
{
    gn_stage *s = pack(p, c->a, c->row_part);
    layout_batch(p, s, c->a, batch);
    gn_piece_layout(p, s, c->row_tile);
    layout_k(p, s, c, c->a);
    gn_piece_layout(p, s, c->row);
}

/* Kept axes of acc beside i and j: batches and further rows. They are loops, the outer ones parts where nothing is
 * reduced along them. */
static uint64_t batch_axes(piece *p, const contraction *c)
{
    uint64_t batch = 0;
    for (size_t d = 0; d < c->acc->nparam; d++) {
        const uint32_t a = c->acc->param[d];
        if (a == c->i || a == c->j) continue;
        batch |= bit(a);
        if (p->small || gn_piece_reduces(p, a)) gn_piece_axis(p, a);
        else gn_piece_bound(p, GN_BIND_PART, gn_piece_whole(p, a));
    }
    return batch;
}

static void other_axes(piece *p, const contraction *c, uint64_t done)
{
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (!(done >> a & 1) && !gn_has_axis(c->acc->raxis, c->acc->nraxis, a)) gn_piece_axis(p, a);
}

/* k0 outside the rows, k1 inside: the sums of the rows are kept beside the loops from chunk to chunk (gn_piece_keep),
 * those of a chunk are in registers (gn_default_block). */
static void order_k(piece *p, contraction *c)
{
    for (size_t r = 0; r < c->acc->nraxis && !c->chunks; r++) gn_piece_serial(p, c->k1 = gn_piece_whole(p, c->acc->raxis[r]));
    if (c->chunks) gn_piece_serial(p, c->k1);
    if (!p->small) gn_piece_leaf(p, c->k1)->unroll = 2;
}

bool gn_default_contraction(piece *p)
{
    contraction c;
    if (!find(p, &c)) return false;
    choose_tile(p, &c);
    choose_parts(p, &c);
    choose_packing(p, &c);
    const uint64_t batch = batch_axes(p, &c);
    c.columns = c.column_tiles ? gn_piece_lane_parts(p, c.j, c.column_tiles, c.vectors)
                               : gn_piece_lanes(p, c.j, c.vectors, c.vectors);
    split_rows(p, &c);
    gn_piece_bound(p, GN_BIND_PART, c.columns.part);
    gn_piece_bound(p, GN_BIND_PART, c.row_part);
    gn_piece_serial(p, c.columns.outer);
    if (c.row_part) gn_piece_close(p, c.i, c.row_part, c.tiles * c.rows);
    if (c.chunks) SPLIT(p, c.acc->raxis[0], { "0", 0, &c.k0 }, { "1", K_CHUNK, &c.k1 });
    gn_piece_serial(p, c.k0);
    gn_piece_serial(p, c.row_tile);
    other_axes(p, &c, batch | bit(c.i) | bit(c.j));
    order_k(p, &c);
    if (c.pack_b && c.transpose) split_copy(p, &c);
    gn_piece_serial(p, c.q0);
    gn_piece_tile(p, GN_BIND_UNROLL, c.row);
    gn_piece_tile(p, GN_BIND_UNROLL, c.q1);
    gn_piece_lane_tiles(p, &c.columns, GN_BIND_UNROLL);
    if (!c.columns.exact) gn_piece_peel(p, c.columns.outer);
    if (c.pack_b) stage_b(p, &c, batch);
    if (c.pack_a) stage_a(p, &c, batch);
    return true;
}
