/* Closed form for maps that read an operand transposed: y = x^T + b. Lanes go along the last axis of what is stored;
 * an operand whose elements lie next to one another along another axis would be gathered one by one, from as many
 * cache lines as there are lanes, and each line many times. Instead a block of it is copied, turned, into memory of
 * the worker: 16 by 16 elements at a time, along the lines of the source. A block is 256 rows of the result by 64
 * columns, so that it stays in the second cache; the source is read in pieces of 1,024 bytes, and the next part has the
 * next of them (4096 x 4096, two threads: 6.1 ms; pieces of 256 bytes 8.7, of 512 with 128 columns 7.8).
 *
 *     (split i ip (ii 256)) (split j jp (j0 1) (ju 4) (jl 16)) (split iq ip (iqh 16) (iq1 16)) (split jq jp (jq0 4) (jql 16))
 *     (order jp ip jq0 iqh ii j0 iq1 jql ju jl) (bind part jp ip) (bind lane jql jl) (bind unroll iq1 ju)
 *     (stage x_t scratch (at ip) (layout iqh iq1 jq0 jql) (pad jq0 16)) (tensorize x_t tr16 iq1 jql)
 *
 * The copy has axes of its own, iq and jq, that share the loops over blocks; its lanes are 16 for any target. Rows
 * longer or shorter than a block, and further axes (batches), only change which loops there are. Operands other than
 * f32, which tr16 does not move, are gathered, but tile by tile: each line is read once. */
#include "default_piece.h"
#include "tile.h"

enum { EDGE = 16, ROWS = 256, COLUMNS = 64, MOST_COLUMNS = 512, PART = ROWS * COLUMNS, SHORTEST = EDGE, MOST_OPERANDS = 4 };

typedef struct turned {
    piece *p;
    uint32_t lane, rows;         /* axes: last in what is stored; last in the operands */
    GN_VEC(const gn_kexpr *) loads, uses; /* by load: the use of its definition */
    GN_VEC(uint32_t) def;        /* by load */
} turned;

/* ---- what is turned ---- */

/* The axis that all stores walk with unit stride; -1: they differ. */
static int32_t lane_of_stores(const piece *p)
{
    int32_t lane = -1;
    for (size_t s = 0; s < p->k->stores.n; s++) {
        const gn_kstore *st = &p->k->stores.at[s];
        int32_t own = -1;
        for (uint32_t a = 0; a < p->k->axes.n; a++)
            if (gn_piece_stride(p, st->buf, st->index, a) == 1) own = (int32_t)a;
        if (own < 0 || (lane >= 0 && lane != own)) return -1;
        lane = own;
    }
    return lane;
}

/* The axis along which the elements of a load lie next to one another, if they do not along the lanes; -1. */
static int32_t rows_of_load(const piece *p, const gn_kexpr *e, uint32_t lane)
{
    if (gn_dtypes[e->dtype].size < 4 || gn_piece_stride(p, e->u.ref, e->index, lane) != -1) return -1;
    const gn_dim *c = gn_dim_linear(p->k->dims, gn_kernel_flat(p->k, e->u.ref, e->index), p->k->axes.at[lane].name);
    if (!c || gn_dim_axes(p->k, c)) return -1;
    for (uint32_t a = 0; a < p->k->axes.n; a++)
        if (gn_piece_stride(p, e->u.ref, e->index, a) == 1) return (int32_t)a;
    return -1;
}

static bool has_load(const turned *t, const gn_kexpr *e)
{
    for (size_t i = 0; i < t->loads.n; i++)
        if (t->loads.at[i] == e) return true;
    return false;
}

/* Loads that are executed whenever the statement is: what a condition guards may lie outside its buffer. */
static bool is_always(void *unused, const void *e)
{
    (void)unused;
    return ((const gn_kexpr *)e)->kind != GN_K_IF;
}

static void find_loads(turned *t, const gn_kexpr *body)
{
    gn_visit v = { .arena = t->p->arena, .operand = gn_kexpr_operand, .enter = is_always };
    gn_visit_add(&v, body);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) {
        const int32_t rows = e->kind == GN_K_LOAD ? rows_of_load(t->p, e, t->lane) : -1;
        if (rows < 0 || has_load(t, e) || t->loads.n == MOST_OPERANDS || (t->loads.n && t->rows != (uint32_t)rows))
            continue;
        t->rows = (uint32_t)rows;
        gn_push(t->p->arena, &t->loads, e);
    }
}

static bool find_turned(turned *t)
{
    const piece *p = t->p;
    const gn_kernel *k = p->k;
    const int32_t lane = lane_of_stores(p);
    if (p->small || p->w < 2 || !gn_tile_find(p->target, "tr16") || lane < 0) return false;
    t->lane = (uint32_t)lane;
    for (size_t d = 0; d < k->defs.n; d++)
        if (k->defs.at[d].red != GN_RED_NONE || !gn_piece_walk_of(p, k->defs.at[d].body)->plain) return false;
    for (size_t s = 0; s < k->stores.n; s++) /* then a load in a definition is the same load everywhere */
        if (!gn_piece_walk_of(p, k->stores.at[s].value)->plain) return false;
    for (size_t a = 0; a < k->axes.n; a++)
        for (size_t b = 0; b < k->axes.n; b++)
            if (gn_dim_mentions(k->axes.at[a].extent, k->axes.at[b].name)) return false;
    for (size_t d = 0; d < k->defs.n; d++) find_loads(t, k->defs.at[d].body);
    for (size_t s = 0; s < k->stores.n; s++) find_loads(t, k->stores.at[s].value);
    return t->loads.n > 0 && gn_piece_guess(p, t->rows) >= SHORTEST && gn_piece_guess(p, t->lane) >= SHORTEST;
}

/* ---- the kernel with a definition for each of them ---- */

typedef struct own_axes {
    const turned *t;
    uint32_t rows, lane;         /* the copy's */
} own_axes;

static const gn_dim *own_name(void *user, const char *symbol)
{
    const own_axes *o = user;
    const gn_kernel *k = o->t->p->k;
    const int32_t a = gn_kernel_find_axis(k, symbol);
    if (a < 0 || ((uint32_t)a != o->t->rows && (uint32_t)a != o->t->lane)) return NULL;
    return gn_dim_sym(k->dims, k->axes.at[(uint32_t)a == o->t->rows ? o->rows : o->lane].name);
}

static const gn_kexpr *use_of(void *user, const gn_kexpr *e)
{
    const turned *t = user;
    for (size_t i = 0; i < t->loads.n; i++)
        if (t->loads.at[i] == e) return t->uses.at[i];
    return e;
}

/* A definition of the load over the copy's axes; the load is a use of it at the statement's. */
static void define_load(turned *t, const own_axes *own, const gn_kexpr *e)
{
    piece *p = t->p;
    gn_kernel *k = p->k;
    const gn_dim *index[GN_MAX_RANK], *args[MAX_AXES];
    uint16_t param[MAX_AXES];
    size_t n = 0;
    for (uint32_t a = 0; a < own->rows; a++) {
        bool mentioned = false;
        for (size_t d = 0; d < e->nindex; d++) mentioned |= gn_dim_mentions(e->index[d], k->axes.at[a].name);
        if (!mentioned) continue;
        args[n] = gn_dim_sym(k->dims, k->axes.at[a].name);
        param[n++] = (uint16_t)(a == t->rows ? own->rows : a == t->lane ? own->lane : a);
    }
    for (size_t d = 0; d < e->nindex; d++) index[d] = gn_dim_subst(k->dims, e->index[d], own_name, (void *)own);
    const char *name = gn_piece_name(p, gn_arena_printf(p->arena, "%s_t", k->bufs.at[e->u.ref].name));
    const uint32_t def = gn_kernel_def(k, name, n, param, GN_RED_NONE, 0, NULL, gn_kexpr_load(k, e->u.ref, index));
    gn_push(p->arena, &t->uses, gn_kexpr_ref(k, def, args));
    gn_push(p->arena, &t->def, def);
}

/* The new definitions come first: others use them. */
static void put_first(gn_kernel *k, size_t nold)
{
    const size_t added = k->items.n - nold;
    gn_kitem fresh[MOST_OPERANDS];
    memcpy(fresh, &k->items.at[nold], added * sizeof *fresh);
    memmove(&k->items.at[added], k->items.at, nold * sizeof *fresh);
    memcpy(k->items.at, fresh, added * sizeof *fresh);
}

static const char *own_axis_name(piece *p, uint32_t axis)
{
    return gn_piece_name(p, gn_arena_printf(p->arena, "%sq", p->k->axes.at[axis].name));
}

static own_axes rewrite_kernel(turned *t)
{
    piece *p = t->p;
    gn_kernel *k = p->k;
    const size_t nitems = k->items.n, ndefs = k->defs.n;
    own_axes own = { .t = t };
    own.rows = gn_kernel_axis(k, own_axis_name(p, t->rows), k->axes.at[t->rows].extent);
    own.lane = gn_kernel_axis(k, own_axis_name(p, t->lane), k->axes.at[t->lane].extent);
    p->extent[own.rows] = p->extent[t->rows], p->extent[own.lane] = p->extent[t->lane];
    for (size_t i = 0; i < t->loads.n; i++) define_load(t, &own, t->loads.at[i]);
    gn_kcopy copy = gn_kcopy_start(k, p->arena, NULL, use_of, t);
    for (size_t d = 0; d < ndefs; d++) k->defs.at[d].body = gn_kexpr_copy(&copy, k->defs.at[d].body);
    for (size_t s = 0; s < k->stores.n; s++) k->stores.at[s].value = gn_kexpr_copy(&copy, k->stores.at[s].value);
    put_first(k, nitems);
    return own;
}

/* ---- loops ---- */

typedef struct block {
    leaf_id part, row;              /* leaves of the rows: parts, one row */
    leaf_id tile, edge;             /* of the copy's rows */
    leaf_id columns, chunk, line;   /* parts of the columns; the copy's tiles and lanes of them */
    leaf_id at;                     /* the innermost loop around it */
} block;

static int64_t at_most(int64_t n, int64_t most)
{
    return n < most ? n : most;
}

/* Other axes: parts, but for inner ones of little work. Returns the number of parts among them. */
static uint32_t part_others(const turned *t, uint32_t *other, uint32_t *n)
{
    const piece *p = t->p;
    for (uint32_t a = p->first_axis; a < p->first_axis + p->naxes; a++)
        if (a != t->rows && a != t->lane) other[(*n)++] = a;
    uint32_t parts = *n;
    int64_t inside = at_most(gn_piece_guess(p, t->rows), ROWS) * at_most(gn_piece_guess(p, t->lane), COLUMNS);
    while (parts > 0 && inside < PART / 4 && inside * gn_piece_guess(p, other[parts - 1]) <= 2 * PART)
        inside *= gn_piece_guess(p, other[--parts]);
    return parts;
}

static void split_rows(turned *t, const own_axes *own, block *b)
{
    piece *p = t->p;
    const int64_t e = p->extent[t->rows], rows = e >= 0 && e < ROWS ? ceil_div(e > 0 ? e : 1, EDGE) * EDGE : ROWS;
    SPLIT(p, t->rows, { "p", 0, &b->part }, { "i", rows, &b->row });
    SPLIT(p, own->rows, { NULL, 0, &b->part }, { "h", rows / EDGE, &b->tile }, { "1", EDGE, &b->edge });
}

/* Few rows: more columns, so that a part is work enough. */
static lanes split_columns(turned *t, const own_axes *own, block *b)
{
    piece *p = t->p;
    const int64_t e = p->extent[t->lane], rows = at_most(gn_piece_guess(p, t->rows), ROWS),
                  columns = at_most(PART / rows / COLUMNS * COLUMNS, MOST_COLUMNS);
    const bool parts = e < 0 || e > columns;
    const lanes l = parts ? gn_piece_lane_parts(p, t->lane, columns / (4 * p->w), 4) : gn_piece_lanes(p, t->lane, 4, 4);
    b->columns = l.part;
    SPLIT(p, own->lane, { NULL, 0, &b->columns }, { parts || e > EDGE ? "0" : NULL, parts ? columns / EDGE : 0, &b->chunk },
          { "l", EDGE, &b->line });
    return l;
}

static void stage_loads(turned *t, const block *b)
{
    const leaf_id dims[] = { b->tile, b->edge, b->chunk, b->line };
    for (size_t i = 0; i < t->def.n; i++) {
        gn_stage *s = gn_piece_stage(t->p, t->def.at[i], GN_LEVEL_SCRATCH, b->at);
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) gn_piece_layout(t->p, s, dims[d]);
        if (b->chunk) s->pad_leaf = (int32_t)b->chunk - 1, s->pad = EDGE;
        if (t->p->k->defs.at[t->def.at[i]].dtype == GN_F32)
            gn_piece_tensorize(t->p, t->def.at[i], "tr16", b->edge, b->line);
    }
}

/* Parts, loops around a block, the copy, the statements. */
static void order_loops(turned *t, block *b, const lanes *l)
{
    piece *p = t->p;
    uint32_t other[MAX_AXES], nother = 0;
    const uint32_t nparts = part_others(t, other, &nother);
    for (uint32_t i = 0; i < nparts; i++) gn_piece_bound(p, GN_BIND_PART, gn_piece_whole(p, other[i]));
    gn_piece_bound(p, GN_BIND_PART, b->columns);
    gn_piece_bound(p, GN_BIND_PART, b->part);
    for (uint32_t i = nparts; i < nother; i++) gn_piece_axis(p, other[i]);
    b->at = p->serial.at[p->serial.n - 1];
    const leaf_id loops[] = { b->chunk, b->tile, b->row, l->outer };
    for (size_t i = 0; i < sizeof loops / sizeof *loops; i++) gn_piece_serial(p, loops[i]);
    if (!l->exact) gn_piece_peel(p, l->outer);
    gn_piece_tile(p, GN_BIND_UNROLL, b->edge);
    gn_piece_tile(p, GN_BIND_LANE, b->line);
    gn_piece_lane_tiles(p, l, GN_BIND_UNROLL);
}

bool gn_default_transpose(piece *p)
{
    turned t = { .p = p };
    if (!find_turned(&t)) return false;
    const own_axes own = rewrite_kernel(&t);
    block b = { 0 };
    split_rows(&t, &own, &b);
    const lanes l = split_columns(&t, &own, &b);
    order_loops(&t, &b, &l);
    stage_loads(&t, &b);
    return true;
}
