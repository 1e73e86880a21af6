/* Closed form for contractions: acc(i, j) = sum over k of a(i, k) b(k, j), j to the lanes. A tile of rows by vectors
 * stays in registers while k runs; the tile is the one that pads the shape least among those that fill the registers.
 * Parts are blocks of columns, of rows too where columns are few: kernels that share a matrix with these columns then
 * find their share of it in the same core's cache, and each part packs the columns of b that it needs. What follows in
 * the kernel (bias, activation, row values of narrow results, column sums) has the tile's leaves and finds the result in
 * registers. */
#include <inttypes.h>
#include <string.h>
#include "default_piece.h"

enum { USUAL_ROWS = 256, HEAVY = 1 << 23 };
enum { K_CHUNK = 1024, MOST_K = 4096 }; /* a longer k goes in chunks, whose packed columns stay in the second-level cache */
enum { PARTS = 32, PART_WORK = 1 << 17 };
enum { NARROW_PART_ROWS = 252, PART_ROWS = 1008 }; /* so many times is each packed element of b used in a part */

typedef struct contraction {
    const gn_kdef *acc, *a, *b;
    uint32_t i, j;
    int64_t m, n, k;             /* -1: symbolic */
    int64_t rows, vectors;       /* of the tile */
    int64_t tiles;               /* tiles of rows in a part; 0: no parts of rows */
    int64_t column_tiles;        /* tiles of columns in a part; 0: no parts of columns */
    bool pack_a, pack_b, transpose, chunks;
} contraction;

static const gn_kdef *side(const piece *p, const gn_kexpr *e)
{
    const gn_kdef *d = e->kind == GN_K_REF ? &p->k->defs.at[e->u.ref] : NULL;
    return d && d->red == GN_RED_NONE ? d : NULL;
}

/* The last parameter of x that acc keeps and y does not have; -1. */
static int32_t own_axis(const gn_kdef *acc, const gn_kdef *x, const gn_kdef *y)
{
    for (size_t i = x->nparam; i-- > 0;)
        if (has_axis(acc->param, acc->nparam, x->param[i]) && !has_axis(y->param, y->nparam, x->param[i]))
            return x->param[i];
    return -1;
}

static bool find(const piece *p, contraction *c)
{
    for (uint32_t at = 0; at < p->nitems; at++) {
        const gn_kdef *d = gn_piece_def(p, at);
        if (!d || d->red != GN_RED_SUM || d->body->kind != GN_K_OP || strcmp(d->body->u.op->name, "mul") != 0) continue;
        const gn_kdef *a = side(p, d->body->a[0]), *b = side(p, d->body->a[1]);
        if (!a || !b) continue;
        const int32_t i = own_axis(d, a, b), j = own_axis(d, b, a);
        if (i < 0 || j < 0) continue;
        *c = (contraction){ .acc = d, .a = a, .b = b, .i = (uint32_t)i, .j = (uint32_t)j, .k = 1 };
        if (p->hint && !p->small && p->hint->lane >= 0 && has_axis(b->param, b->nparam, (uint32_t)p->hint->lane))
            c->j = (uint32_t)p->hint->lane;
        c->m = p->extent[c->i], c->n = p->extent[c->j];
        for (size_t r = 0; r < d->nraxis; r++)
            c->k = c->k < 0 || p->extent[d->raxis[r]] < 0 ? -1 : c->k * p->extent[d->raxis[r]];
        return true;
    }
    return false;
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

static int b_stride(const piece *p, const contraction *c, uint32_t axis)
{
    return c->b->body->kind == GN_K_LOAD ? gn_piece_stride(p, c->b->body->u.ref, c->b->body->index, axis) : -1;
}

typedef struct strides {
    const piece *p;
    uint32_t axis;
    bool unit;
} strides;

static void note_unit(void *user, const gn_kexpr *load)
{
    strides *s = user;
    s->unit |= gn_piece_stride(s->p, load->u.ref, load->index, s->axis) == 1;
}

static bool has_unit(const piece *p, const gn_kdef *d, uint32_t axis)
{
    strides s = { p, axis, false };
    gn_piece_loads(p, d->body, note_unit, &s);
    return s.unit;
}

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
    const bool unit = has_unit(p, c->b, c->j), plain = c->b->body->kind == GN_K_LOAD;
    const int64_t ke = p->extent[k];
    c->transpose = !unit && plain && c->acc->nraxis == 1 && b_stride(p, c, k) == 1 && (ke < 0 || ke >= 16) &&
                   p->w == 16 && c->b->dtype == GN_F32;
    const bool few = p->hint && p->hint->few ? true : c->m >= 0 && c->m <= GN_FEW_ROWS;
    c->pack_b = !few || !unit || !plain;
    c->pack_a = c->a->body->kind != GN_K_LOAD;
    c->chunks = c->column_tiles > 0 && c->pack_b && !c->pack_a && !c->transpose && c->acc->nraxis == 1 && ke > MOST_K;
}

/* ---- the directives ---- */

/* The packed copy of a transposed factor walks k in an axis of its own, sixteen at a time: the definition is rewritten
 * over it. */
static const char *copy_axis(piece *p, const contraction *c, char **inner)
{
    const uint32_t k = c->acc->raxis[0];
    const char *name = p->k->axes.at[k].name;
    const char *own = gn_arena_printf(p->arena, "%sq", name);
    while (gn_kernel_has_name(p->k, own)) own = gn_arena_printf(p->arena, "%s_", own);
    const uint32_t q = gn_kernel_axis(p->k, own, p->k->axes.at[k].extent);
    gn_kdef *b = &p->k->defs.at[c->b - p->k->defs.at];
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
    const char *outer = gn_piece_leaf(p, q, "0");
    *inner = (char *)gn_piece_leaf(p, q, "1");
    gn_textf(&p->splits, " (split %s %s (%s 16))", own, outer, *inner);
    gn_piece_serial(p, outer, q, -1);
    return outer;
}

typedef struct row_leaves {
    const char *part, *each, *one;
} row_leaves;

static row_leaves split_rows(piece *p, const contraction *c)
{
    row_leaves r = { 0 };
    const bool parts = c->tiles > 0;
    gn_textf(&p->splits, " (split %s", p->k->axes.at[c->i].name);
    if (parts) {
        r.part = gn_piece_leaf(p, c->i, "p");
        gn_textf(&p->splits, " %s", r.part);
    }
    if (parts || c->m > c->rows) {
        r.each = gn_piece_leaf(p, c->i, "r");
        if (parts) gn_textf(&p->splits, " (%s %" PRId64 ")", r.each, c->tiles);
        else gn_textf(&p->splits, " %s", r.each);
    }
    r.one = gn_piece_leaf(p, c->i, "1");
    gn_textf(&p->splits, " (%s %" PRId64 "))", r.one, c->rows);
    return r;
}

static const char *split_columns(piece *p, const contraction *c, lanes *l)
{
    if (c->column_tiles == 0) {
        *l = gn_piece_lanes(p, c->j, c->vectors, c->vectors);
        return NULL;
    }
    const char *part = gn_piece_leaf(p, c->j, "p");
    /* else its loop is peeled */
    const bool exact = c->n >= 0 && c->n % (c->vectors * p->w) == 0, is_single = c->column_tiles == 1 && exact;
    *l = (lanes){.outer = is_single ? NULL : gn_piece_leaf(p, c->j, "0"),
                 .unroll = gn_piece_leaf(p, c->j, "u"),
                 .lane = p->w > 1 ? gn_piece_leaf(p, c->j, "l") : NULL};
    l->nunroll = c->vectors, l->nouter = c->column_tiles;
    l->exact = exact;
    gn_textf(&p->splits, " (split %s %s", p->k->axes.at[c->j].name, part);
    if (l->outer) gn_textf(&p->splits, " (%s %" PRId64 ")", l->outer, c->column_tiles);
    gn_textf(&p->splits, " (%s %" PRId64 ")", l->unroll, c->vectors);
    if (l->lane) gn_textf(&p->splits, " (%s %" PRId64 ")", l->lane, p->w);
    gn_text_char(&p->splits, ')');
    return part;
}

static void add_name(gn_text *t, const char *name)
{
    if (name) gn_textf(t, " %s", name);
}

/* k0 outside the rows, k1 inside: the sums of the rows are kept beside the loops from chunk to chunk (gn_piece_keep),
 * those of a chunk are in registers (gn_default_block). */
static const char *split_k(piece *p, const contraction *c, const char **inner)
{
    const uint32_t k = c->acc->raxis[0];
    const char *outer = gn_piece_leaf(p, k, "0");
    *inner = gn_piece_leaf(p, k, "1");
    gn_textf(&p->splits, " (split %s %s (%s %d))", p->k->axes.at[k].name, outer, *inner, K_CHUNK);
    return outer;
}

/* Each part packs what it reads, chunk by chunk of k; without parts it is a step of its own. */
static void stage_b(piece *p, const contraction *c, const char *at, const lanes *l, const char *k1, const char *q0,
                    const char *q1, uint64_t batch)
{
    gn_textf(&p->rest, " (stage %s ", c->b->name);
    if (at) gn_textf(&p->rest, "scratch (at %s) (layout", at);
    else gn_text_add(&p->rest, "arena (at root) (layout");
    for (uint32_t a = 0; a < p->k->axes.n; a++)
        if (!at && (batch >> a & 1) && has_axis(c->b->param, c->b->nparam, a)) add_name(&p->rest, p->k->axes.at[a].name);
    add_name(&p->rest, k1 ? k1 : l->outer);
    for (size_t r = 0; r < c->acc->nraxis && !q0 && !k1; r++)
        if (has_axis(c->b->param, c->b->nparam, c->acc->raxis[r])) add_name(&p->rest, p->k->axes.at[c->acc->raxis[r]].name);
    add_name(&p->rest, q0);
    add_name(&p->rest, q1);
    add_name(&p->rest, l->unroll);
    add_name(&p->rest, l->lane);
    gn_text_add(&p->rest, "))");
    if (q1) gn_textf(&p->rest, " (tensorize %s tr16 %s %s)", c->b->name, q1, l->lane);
}

static void stage_a(piece *p, const contraction *c, const row_leaves *r, uint64_t batch)
{
    gn_textf(&p->rest, " (stage %s ", c->a->name);
    if (r->part) gn_textf(&p->rest, "scratch (at %s) (layout", r->part);
    else gn_text_add(&p->rest, "arena (at root) (layout");
    for (uint32_t a = 0; a < p->k->axes.n; a++)
        if (!r->part && (batch >> a & 1) && has_axis(c->a->param, c->a->nparam, a))
            add_name(&p->rest, p->k->axes.at[a].name);
    add_name(&p->rest, r->each);
    for (size_t k = 0; k < c->acc->nraxis; k++)
        if (has_axis(c->a->param, c->a->nparam, c->acc->raxis[k])) add_name(&p->rest, p->k->axes.at[c->acc->raxis[k]].name);
    gn_textf(&p->rest, " %s))", r->one);
}

/* Kept axes of acc beside i and j: batches and further rows. They are loops, the outer ones parts where nothing is
 * reduced along them. */
static uint64_t batch_axes(piece *p, const contraction *c)
{
    uint64_t batch = 0;
    for (size_t d = 0; d < c->acc->nparam; d++) {
        const uint32_t a = c->acc->param[d];
        if (a == c->i || a == c->j) continue;
        batch |= UINT64_C(1) << a;
        bool reduced = p->small;
        for (uint32_t i = 0; i < p->nitems; i++) {
            const gn_kdef *x = gn_piece_def(p, i);
            reduced |= x && x->red != GN_RED_NONE && has_axis(x->raxis, x->nraxis, a);
        }
        if (reduced) gn_piece_axis(p, a);
        else gn_piece_part(p, p->k->axes.at[a].name, a);
    }
    return batch;
}

static void other_axes(piece *p, const contraction *c, uint64_t done)
{
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (!(done >> a & 1) && !has_axis(c->acc->raxis, c->acc->nraxis, a)) gn_piece_axis(p, a);
}

bool gn_default_contraction(piece *p)
{
    contraction c;
    if (!find(p, &c)) return false;
    choose_tile(p, &c);
    choose_parts(p, &c);
    choose_packing(p, &c);
    lanes l;
    const uint64_t batch = batch_axes(p, &c);
    const char *column_part = split_columns(p, &c, &l);
    const row_leaves r = split_rows(p, &c);
    if (column_part) gn_piece_part(p, column_part, c.j);
    if (r.part) gn_piece_part(p, r.part, c.i);
    if (l.outer) gn_piece_serial(p, l.outer, c.j, l.nouter);
    if (r.part) gn_piece_close(p, c.i, r.part, c.tiles * c.rows);
    const char *k0 = NULL, *k1 = NULL;
    if (c.chunks) gn_piece_serial(p, k0 = split_k(p, &c, &k1), c.acc->raxis[0], -1);
    if (r.each) gn_piece_serial(p, r.each, c.i, r.part ? c.tiles : ceil_div(c.m, c.rows));
    other_axes(p, &c, batch | UINT64_C(1) << c.i | UINT64_C(1) << c.j);
    for (size_t k = 0; k < c.acc->nraxis && !k1; k++) gn_piece_axis(p, c.acc->raxis[k]);
    if (k1) gn_piece_serial(p, k1, c.acc->raxis[0], K_CHUNK);
    const char *last_k = k1 ? k1 : p->k->axes.at[c.acc->raxis[c.acc->nraxis - 1]].name;
    char *q1 = NULL;
    const char *q0 = c.pack_b && c.transpose ? copy_axis(p, &c, &q1) : NULL;
    gn_piece_tile(p, "unroll", r.one, c.i, c.rows);
    if (q1) gn_piece_tile(p, "unroll", q1, p->first_axis, 16);
    gn_piece_lane_tiles(p, &l, c.j, "unroll");
    if (!p->small) gn_textf(&p->rest, " (unroll %s 2)", last_k);
    gn_piece_peel(p, &l);
    if (c.pack_b) stage_b(p, &c, k0 ? k0 : r.part ? r.part : column_part, &l, k1, q0, q1, batch);
    if (c.pack_a) stage_a(p, &c, &r, batch);
    return true;
}

bool gn_piece_contraction(const piece *p, const gn_kdef **acc, const gn_kdef **a, const gn_kdef **b, uint32_t *i,
                          uint32_t *j)
{
    contraction c;
    if (!find(p, &c)) return false;
    *acc = c.acc, *a = c.a, *b = c.b, *i = c.i, *j = c.j;
    return true;
}

bool gn_piece_is_unit(const piece *p, const gn_kdef *d, uint32_t axis)
{
    return has_unit(p, d, axis);
}
