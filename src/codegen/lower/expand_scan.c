/* Scanning: points of a prefix side by side. Each is a state of one point; lanes merge with those 1, 2, 4, .. below,
 * vectors (or points) one after the other, threads with those 1, 2, 4, .. before; then all with what the turns before
 * have given, so that a turn waits for one merge alone. Unrolled points with neither lanes, private points nor threads
 * beside them are steps, one after the other. What lies past the end of the axis comes after all that is read. */
#include "expand.h"

typedef GN_VEC(gn_tuple) tuples;

static gn_tuple read_carried(gn_expander *x, const gn_ldef *d, const gn_dim *const *arg)
{
    gn_tuple t = { { NULL } };
    for (uint16_t i = 0; i < d->nstates; i++)
        t.at[i] = gn_v_kept(x, gn_v_read(x, d->state[i].partial, arg));
    return t;
}

static void write(gn_expander *x, const gn_ldef *d, bool carried, const gn_dim *const *arg, const gn_tuple *t)
{
    for (uint16_t i = 0; i < d->nstates; i++)
        gn_v_write(x, carried ? d->state[i].partial : d->state[i].object, arg, t->at[i]);
}

static gn_tuple start_of(gn_expander *x, const gn_ldef *d)
{
    gn_tuple t = { { NULL } };
    for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_const(x, d->state[i].start);
    return t;
}

/* The state after the point, of `before`. */
static gn_tuple stepped(gn_expander *x, const gn_ldef *d, const gn_tuple *before)
{
    gn_tuple t = { { NULL } };
    gn_set_point(x, d);
    for (uint16_t i = 0; i < d->nstates; i++) x->state[i] = before->at[i];
    for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_kept(x, gn_v_expr(x, d->state[i].step));
    return t;
}

/* ---- lanes ---- */

static gn_tuple scanned_lanes(gn_expander *x, const gn_ldef *d, gn_tuple t)
{
    const gn_tuple start = start_of(x, d);
    for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_splat(&x->b, t.at[i], x->b.lanes);
    for (uint16_t by = 1; by < x->b.lanes; by *= 2) {
        gn_tuple below = { { NULL } };
        for (uint16_t i = 0; i < d->nstates; i++) below.at[i] = gn_v_up(&x->b, t.at[i], by, start.at[i]);
        t = gn_merged(x, d, &below, &t);
        for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_splat(&x->b, t.at[i], x->b.lanes);
    }
    return t;
}

static gn_tuple last_lane(gn_expander *x, const gn_ldef *d, gn_tuple t)
{
    for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_lane(&x->b, t.at[i], x->b.lanes - 1);
    return t;
}

/* ---- threads: two halves of an exchange take turns. In front of the first thread are states without a point. ---- */

static int64_t farthest(int64_t threads)
{
    int64_t by = 1;
    while (2 * by < threads) by *= 2;
    return by;
}

static void exchange_starts(gn_expander *x, const gn_ldef *d, const gn_dim *number, int64_t n, int64_t half)
{
    gn_lower *g = x->g;
    gn_code_body *outer = x->b.block;
    const gn_pred p = gn_pred_less(x, number, gn_lconst(g, n));
    const gn_tuple start = start_of(x, d);
    gn_v_open(x, GN_CODE_IF)->when = (gn_preds){ 1, gn_arena_copy(g->arena, &p, sizeof p) };
    gn_exchange(x, d, number, &start);
    gn_exchange(x, d, gn_ladd(g, number, gn_lconst(g, half)), &start);
    x->b.block = outer;
}

/* What the threads before this one have; *t becomes what all have. */
static gn_tuple scanned_threads(gn_expander *x, gn_ldef *d, gn_tuple *t)
{
    gn_lower *g = x->g;
    const int64_t threads = gn_code_threads(g->code), most = farthest(threads), half = most + threads;
    const gn_dim *const number = gn_thread_number(g);
    int64_t from = most;
    gn_declare_exchange(x, d, 2 * half);
    exchange_starts(x, d, number, most, half);
    gn_exchange(x, d, gn_ladd(g, number, gn_lconst(g, from)), t);
    gn_meet(x);
    for (int64_t by = 1; by < threads; by *= 2) {
        const int64_t to = from == most ? most + half : most;
        const gn_tuple other = gn_exchanged(x, d, gn_ladd(g, number, gn_lconst(g, from - by)));
        *t = gn_merged(x, d, &other, t);
        gn_exchange(x, d, gn_ladd(g, number, gn_lconst(g, to)), t);
        gn_meet(x);
        from = to;
    }
    const gn_tuple before = gn_exchanged(x, d, gn_ladd(g, number, gn_lconst(g, from - 1)));
    *t = gn_exchanged(x, d, gn_lconst(g, from + threads - 1));
    gn_meet(x); /* before the next states are laid there */
    return before;
}

/* ---- the statement ---- */

static bool has_leaf(const gn_expander *x, const gn_ldef *d, uint8_t bind)
{
    for (uint32_t l = 0; l < x->g->leaves.n; l++)
        if (gn_set_has(&d->scanned, l) && x->g->leaves.at[l].bind == bind) return true;
    return false;
}

static void run_steps(gn_expander *x, gn_ldef *d, const gn_dim *const *arg)
{
    gn_tuple t = read_carried(x, d, arg);
    gn_points_iter it;
    gn_points_begin(x->g, &it, d->scanned);
    while (gn_points_next(x->g, &it, x->env)) {
        t = stepped(x, d, &t);
        write(x, d, false, gn_own_args(x, d), &t);
    }
    write(x, d, true, arg, &t);
}

/* The state of each point, of a vector scanned; upto: what those up to there give, of a vector all lanes. */
static void scan_points(gn_expander *x, const gn_ldef *d, bool lanes, tuples *points, tuples *upto)
{
    const gn_tuple start = start_of(x, d);
    gn_points_iter it;
    gn_points_begin(x->g, &it, d->scanned);
    while (gn_points_next(x->g, &it, x->env)) {
        gn_tuple t = stepped(x, d, &start), all;
        if (lanes) t = scanned_lanes(x, d, t);
        all = lanes ? last_lane(x, d, t) : t;
        if (upto->n) all = gn_merged(x, d, &upto->at[upto->n - 1], &all);
        gn_push(x->g->arena, points, t);
        gn_push(x->g->arena, upto, all);
    }
}

/* Each point with `first`, what is before all of them. A vector waits for the sums of those before it, not for them. */
static void write_points(gn_expander *x, const gn_ldef *d, const gn_tuple *first, const tuples *points,
                         const tuples *upto)
{
    gn_points_iter it;
    gn_points_begin(x->g, &it, d->scanned);
    for (size_t k = 0; gn_points_next(x->g, &it, x->env); k++) {
        const gn_tuple before = k && points ? gn_merged(x, d, first, &upto->at[k - 1]) : *first,
                       t = gn_merged(x, d, &before, points ? &points->at[k] : &upto->at[k]);
        write(x, d, false, gn_own_args(x, d), &t);
    }
}

void gn_expand_scan(gn_expander *x, gn_ldef *d, const gn_dim *const *arg)
{
    const bool lanes = has_leaf(x, d, GN_BIND_LANE), threads = has_leaf(x, d, GN_BIND_THREAD);
    tuples points = { 0 }, upto = { 0 };
    if (!threads && !lanes && !has_leaf(x, d, GN_BIND_PRIVATE)) {
        run_steps(x, d, arg);
        return;
    }
    const gn_tuple carried = read_carried(x, d, arg);
    scan_points(x, d, lanes, &points, &upto);
    if (!points.n) return;
    gn_tuple all = upto.at[upto.n - 1], first = carried;
    if (threads) {
        const gn_tuple others = scanned_threads(x, d, &all);
        first = gn_merged(x, d, &first, &others);
    }
    write_points(x, d, &first, lanes ? &points : NULL, &upto);
    all = gn_merged(x, d, &carried, &all);
    write(x, d, true, arg, &all);
}
