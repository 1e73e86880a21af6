/* Closed forms for rows and maps. One axis goes to the lanes: the one that is last in most of the memory traffic.
 * Either it lies in the rows (row values, closers over the rows), or it is the spine itself. Parts are blocks of rows,
 * counted from the shape alone; sums over the spine get a partial per part and a small step in the order of the parts.
 */
#include "default_piece.h"

enum { MAP_PART = 65536, SUM_PART = 4096, MOST_ROWS = 256, LITTLE = 8192, MOST_OPS = 192, BODY_OPS = 512 };

/* ---- which axis goes to the lanes ---- */

typedef struct scorer {
    const piece *p;
    double *score;               /* by axis */
} scorer;

static void score(scorer *s, uint32_t buf, const gn_dim *const *index)
{
    double size = 1;
    for (uint32_t a = s->p->first_axis; a < s->p->first_axis + s->p->naxes; a++)
        if (gn_piece_stride(s->p, buf, index, a) != 0) size *= (double)gn_piece_guess(s->p, a);
    for (uint32_t a = s->p->first_axis; a < s->p->first_axis + s->p->naxes; a++)
        if (gn_piece_stride(s->p, buf, index, a) == 1) s->score[a] += size;
}

static void score_axes(const piece *p, double *by_axis)
{
    scorer s = { p, by_axis };
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kstore *st = gn_piece_def(p, i) ? NULL : gn_piece_store(p, i);
        const gn_piece_walk *w = gn_piece_body(p, i);
        if (st) score(&s, st->buf, st->index);
        for (size_t l = 0; l < w->loads.n; l++) score(&s, w->loads.at[l]->u.ref, w->loads.at[l]->index);
    }
}

/* The best-scored axis that no statement has together with an axis of `taken`; the first on ties; -1: none. */
static int32_t best_lane(const piece *p, const double *by_axis, uint64_t taken)
{
    int32_t best = -1;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++) {
        const uint64_t own = bit(a);
        bool meets = (taken & own) != 0;
        for (uint32_t i = 0; i < p->nitems && !meets; i++) {
            const uint64_t axes = gn_piece_axes(p, i);
            meets = (axes & own) && (axes & taken);
        }
        if (!meets && (best < 0 || by_axis[a] > by_axis[best])) best = (int32_t)a;
    }
    return best;
}

static uint32_t first_lane(const piece *p, const double *by_axis)
{
    const int32_t given = gn_piece_role(p, GN_ROLE_LANE);
    return (uint32_t)(given >= 0 ? given : best_lane(p, by_axis, 0));
}

/* ---- facts ---- */

static bool has_row_sum(const piece *p, uint32_t spine, uint32_t lane)
{
    for (uint32_t i = 0; i < p->nitems; i++)
        if (gn_def_reduces(gn_piece_def(p, i), lane) && !gn_def_reduces(gn_piece_def(p, i), spine)) return true;
    return false;
}

/* ---- staged definitions ---- */

/* Functions of a long row that several statements need are computed once and kept beside the loops. */
static void stage_costly(piece *p, uint32_t spine, uint32_t lane)
{
    for (uint32_t i = 0; i < p->nitems; i++) {
        const gn_kdef *d = gn_piece_def(p, i);
        if (!d || d->red != GN_RED_NONE || !gn_def_keeps(d, lane) || !gn_def_keeps(d, spine) ||
            !gn_piece_body(p, i)->costly)
            continue;
        const gn_piece_users u = gn_piece_users_of(p, i);
        if (u.n >= 2 && u.plain) gn_piece_stage(p, def_number(p, d), GN_LEVEL_SCRATCH, 0);
    }
}

/* ---- how much is expanded ---- */

/* Operations that are done for each element along the lanes. */
static int64_t ops_along(const piece *p, const gn_kexpr *body, const char *lane)
{
    gn_map varies = { 0 };
    int64_t n = 0;
    gn_visit v = { .arena = p->arena, .operand = gn_kexpr_operand };
    gn_visit_add(&v, body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        bool inside = e->kind == GN_K_INDEX && gn_dim_mentions(e->u.index, lane);
        for (size_t i = 0; i < e->nindex; i++) inside |= gn_dim_mentions(e->index[i], lane);
        for (size_t i = 0; i < e->ncond; i++)
            inside |= gn_dim_mentions(e->cond[i].a, lane) || gn_dim_mentions(e->cond[i].b, lane);
        for (size_t i = 0; i < e->n; i++) inside |= gn_map_get(&varies, e->a[i]->id) != NULL;
        if (inside) *gn_map_put(p->arena, &varies, e->id) = (void *)e;
        n += inside && (e->kind == GN_K_OP || e->kind == GN_K_IF);
    }
    return n;
}

static int64_t ops_per_element(const piece *p, uint32_t lane)
{
    int64_t n = 0;
    for (uint32_t i = 0; i < p->nitems; i++) n += ops_along(p, gn_piece_value(p, i), p->k->axes.at[lane].name);
    return n;
}

/* So many vectors, or rows, fewer where each is much code: what is longer than a processor looks ahead gains nothing
 * from a neighbour. */
static int64_t fitting(int64_t wanted, int64_t ops)
{
    while (wanted > 1 && wanted * ops > BODY_OPS) wanted /= 2;
    return wanted;
}

static void peel(piece *p, const lanes *l, int64_t ops)
{
    if (ops <= BODY_OPS / 8 && !l->exact)
        gn_piece_peel(p, l->outer); /* else the masks of a second copy's loads cost less than its code */
}

/* ---- lanes along the spine ---- */

static int64_t others_size(const piece *p, uint32_t lane)
{
    double n = 1;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != lane) n *= (double)gn_piece_guess(p, a);
    return n > 1e6 ? 1000000 : n < 1 ? 1 : (int64_t)n;
}

/* Four chains for a short constant sum. */
static bool chains(piece *p, uint32_t a)
{
    const int64_t e = p->extent[a];
    if (e < 8 || e > 64 || e % 4 != 0 || !gn_piece_reduces(p, a)) return false;
    leaf_id outer = 0, inner = 0;
    SPLIT(p, a, { "a", e / 4, &outer }, { "b", 4, &inner });
    gn_piece_serial(p, outer);
    gn_piece_tile(p, GN_BIND_PRIVATE, inner);
    return true;
}

static void spine_lanes(piece *p, uint32_t ln)
{
    const bool closes = gn_piece_reduces(p, ln);
    const int64_t ops = ops_per_element(p, ln), unroll = fitting(4, ops), tile = unroll * p->w, e = p->extent[ln];
    int64_t rows = closes ? SUM_PART : MAP_PART / others_size(p, ln) / tile * tile;
    if (rows < tile) rows = tile;
    const bool parts = !p->small && (e < 0 || e > rows);
    const lanes l =
        parts ? gn_piece_lane_parts(p, ln, rows / tile, unroll) : gn_piece_lanes(p, ln, unroll, fitting(8, ops));
    gn_piece_bound(p, GN_BIND_PART, l.part);
    gn_piece_serial(p, l.outer);
    peel(p, &l, ops);
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != ln && (parts || !chains(p, a))) gn_piece_axis(p, a);
    gn_piece_lane_tiles(p, &l, closes ? GN_BIND_PRIVATE : GN_BIND_UNROLL);
    if (parts && closes) gn_piece_close(p, ln, l.part, rows);
}

/* ---- lanes within the rows ---- */

/* Rows that are expanded together: more where partial sums of columns are loaded and stored once for all of them, fewer
 * where that is much code. */
static int64_t row_unroll(const piece *p, bool column, uint32_t lane, int64_t ops)
{
    const int64_t most = p->target->nregs >= 32 ? 4 : 2, row = p->extent[lane], vectors = ceil_div(row, p->w);
    if (!column) return row >= 0 && row <= 4 * p->w ? fitting(most, vectors * ops) : 1;
    if (row < 0 || row > 128) return row >= 0 && row <= 1024 ? most : 2;
    int64_t n = 2 * most;
    while (n > 2 && n * vectors * ops > MOST_OPS) n /= 2;
    return n;
}

/* Outer axes of the spine: parts of their own where what lies inside is work enough. */
static void outer_spine(piece *p, uint32_t i, uint32_t ln, int64_t inside, bool closes, uint64_t *done)
{
    uint32_t outer[MAX_AXES], n = 0;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != i && a != ln && (p->spine >> a & 1)) outer[n++] = a;
    uint32_t nparts = n;
    while (nparts > 0 && (closes || p->small || inside < LITTLE)) inside *= gn_piece_guess(p, outer[--nparts]);
    for (uint32_t k = 0; k < nparts; k++) {
        gn_piece_bound(p, GN_BIND_PART, gn_piece_whole(p, outer[k]));
        *done |= bit(outer[k]);
    }
}

typedef struct row_plan {
    int64_t rows, unroll;        /* of a part; expanded together */
    bool parts, closes;
    leaf_id part, each, one;
} row_plan;

static row_plan plan_rows(const piece *p, uint32_t i, uint32_t ln, int64_t ops)
{
    const int64_t m = p->extent[i], c = p->extent[ln];
    row_plan r = { .closes = gn_piece_reduces(p, i), .unroll = row_unroll(p, gn_piece_reduces_for(p, i, ln), ln, ops) };
    if (m >= 0 && m < r.unroll) r.unroll = m > 0 ? m : 1;
    if (p->small) r.unroll = 1; /* short loops are expanded whole */
    int64_t width = 1;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != i && !(p->spine >> a & 1 && a != ln) && width < MAP_PART)
            width *= a == ln && c < 0 ? 4096 : gn_piece_guess(p, a);
    r.rows = MAP_PART / (width > 0 ? width : 1);
    if (r.rows > MOST_ROWS) r.rows = MOST_ROWS;
    r.rows = r.rows / r.unroll * r.unroll;
    if (r.rows < r.unroll) r.rows = r.unroll;
    r.parts = !p->small && (m < 0 || m > r.rows);
    return r;
}

static void split_rows(piece *p, uint32_t i, row_plan *r)
{
    if (!r->parts && r->unroll == 1) {
        r->each = gn_piece_whole(p, i);
        return;
    }
    const bool loop = r->parts || p->extent[i] > r->unroll;
    SPLIT(p, i, {r->parts ? "p" : NULL, 0, &r->part}, {loop ? "r" : NULL, r->parts ? r->rows / r->unroll : 0, &r->each},
          {r->unroll > 1 ? "1" : NULL, r->unroll, &r->one});
}

/* Axes that never meet the lane axis in a statement get lanes of their own. */
static void more_lanes(piece *p, const double *by_axis, uint32_t i, uint32_t ln, gn_bind_kind how, uint64_t *done)
{
    uint64_t taken = bit(ln);
    for (;;) {
        const int32_t a = best_lane(p, by_axis, taken);
        if (a < 0 || by_axis[a] == 0) return;
        taken |= bit(a);
        if ((uint32_t)a == i || (*done >> a & 1)) continue;
        const lanes l = gn_piece_lanes(p, (uint32_t)a, 4, 4);
        gn_piece_serial(p, l.outer);
        if (!l.exact) gn_piece_peel(p, l.outer);
        gn_piece_lane_tiles(p, &l, how);
        *done |= bit(a);
    }
}

static void row_lanes(piece *p, uint32_t i, uint32_t ln, const double *by_axis)
{
    const bool column = gn_piece_reduces_for(p, i, ln);
    const int64_t c = p->extent[ln], ops = ops_per_element(p, ln);
    row_plan r = plan_rows(p, i, ln, ops);
    uint64_t done = bit(i) | bit(ln);
    split_rows(p, i, &r);
    const int64_t narrow = 4 * p->w;
    const lanes l = gn_piece_lanes(p, ln, column && !(c >= 0 && c <= narrow) ? 1 : fitting(4, ops),
                                   fitting(column && c >= 0 && c <= 2 * narrow ? 8 : 4, ops));
    const gn_bind_kind how = has_row_sum(p, i, ln) && r.unroll < 4 ? GN_BIND_PRIVATE : GN_BIND_UNROLL;
    const int64_t row = r.rows * gn_piece_guess(p, ln);
    outer_spine(p, i, ln, row, r.closes, &done);
    gn_piece_bound(p, GN_BIND_PART, r.part);
    gn_piece_loops(p, GN_BIND_NONE, p->spine & ~done);
    done |= p->spine;
    gn_piece_serial(p, r.each);
    const bool in_spine = p->spine >> ln & 1;
    if (in_spine) gn_piece_serial(p, l.outer);
    gn_piece_tile(p, GN_BIND_UNROLL, r.one);
    more_lanes(p, by_axis, i, ln, how, &done);
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (!(done >> a & 1) && !(p->small && chains(p, a))) gn_piece_axis(p, a);
    if (!in_spine) gn_piece_serial(p, l.outer);
    peel(p, &l, ops);
    gn_piece_lane_tiles(p, &l, how);
    if (r.part && r.closes) gn_piece_close(p, i, r.part, r.rows);
    if (l.outer && !p->small) stage_costly(p, i, ln);
}

void gn_default_rows(piece *p)
{
    double by_axis[MAX_AXES] = { 0 };
    uint32_t i, ln;
    if (p->naxes == 0) return;
    gn_piece_main_axes(p, by_axis, &i, &ln);
    if (i == ln) spine_lanes(p, ln);
    else row_lanes(p, i, ln, by_axis);
}

void gn_piece_main_axes(const piece *p, double *by_axis, uint32_t *row, uint32_t *lane)
{
    score_axes(p, by_axis);
    *lane = first_lane(p, by_axis);
    *row = gn_piece_row(p);
    if (*row != *lane || gn_piece_reduces(p, *lane)) return;
    for (uint32_t a = p->first_axis + p->naxes; a-- > p->first_axis;)
        if ((p->spine >> a & 1) && a != *lane) *row = a; /* the outermost other one */
}
