/* Merging: what private points, lanes and threads have of a reduction becomes one state. Points as a balanced tree of
 * neighbours, then lane l with l + N/2, N/4, .. 1, then threads. */
#include "expand.h"
#include "visit.h"

typedef struct merging {
    gn_expander *x;
    const gn_ldef *d;
    gn_tuple own, other;
    gn_map made; /* by expression of the merge */
} merging;

static const gn_val *merged_value(const merging *m, const gn_kexpr *e)
{
    const gn_val *a[4];
    if (e->kind == GN_K_STATE) return (e->u.i ? &m->other : &m->own)->at[e->part];
    if (e->kind == GN_K_CONST) return gn_v_const(m->x, e);
    for (uint16_t i = 0; i < e->n; i++) a[i] = gn_map_get(&m->made, GN_KEY(e->a[i]));
    return gn_v_op(&m->x->b, e->u.op, (gn_dtype)e->dtype, a, e->n);
}

gn_tuple gn_merged(gn_expander *x, const gn_ldef *d, const gn_tuple *own, const gn_tuple *other)
{
    merging m = { .x = x, .d = d, .own = *own, .other = *other };
    gn_tuple out = { { NULL } };
    gn_visit v = { .arena = x->g->arena, .operand = gn_kexpr_operand };
    for (uint16_t i = 0; i < d->nstates; i++) {
        gn_visit_add(&v, d->state[i].merge);
        for (const gn_kexpr *e; (e = gn_visit_next(&v));)
            *gn_map_put(x->g->arena, &m.made, GN_KEY(e)) = (void *)merged_value(&m, e);
        out.at[i] = gn_map_get(&m.made, GN_KEY(d->state[i].merge));
    }
    return out;
}

static gn_tuple merged_points(gn_expander *x, const gn_ldef *d, gn_leafset points, const gn_dim *const *arg)
{
    GN_VEC(gn_tuple) v = { 0 };
    gn_points_iter it;
    gn_points_begin(x->g, &it, points);
    while (gn_points_next(x->g, &it, x->env)) {
        gn_tuple t = { { NULL } };
        for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_read(x, d->state[i].partial, arg);
        gn_push(x->g->arena, &v, t);
    }
    GN_ASSERT(v.n > 0);
    while (v.n > 1) {
        size_t n = 0;
        for (size_t i = 0; i < v.n; i += 2) v.at[n++] = i + 1 < v.n ? gn_merged(x, d, &v.at[i], &v.at[i + 1]) : v.at[i];
        v.n = n;
    }
    return v.at[0];
}

static gn_tuple merged_lanes(gn_expander *x, const gn_ldef *d, gn_tuple t)
{
    if (!d->fold) return (gn_tuple){ { gn_v_reduce(&x->b, GN_VAL_LANES, d->red, t.at[0]) } };
    for (uint16_t lanes = t.at[0]->lanes; lanes > 1; lanes /= 2) {
        gn_tuple low, high;
        for (uint16_t i = 0; i < d->nstates; i++) {
            low.at[i] = gn_v_half(&x->b, t.at[i], false);
            high.at[i] = gn_v_half(&x->b, t.at[i], true);
        }
        t = gn_merged(x, d, &low, &high);
        for (uint16_t i = 0; i < d->nstates; i++) t.at[i] = gn_v_splat(&x->b, t.at[i], lanes / 2);
    }
    return t;
}

/* ---- threads: through shared memory, thread t with t + n/2, the halves rounded up ---- */

/* The number of the thread in its block, the last leaf of the order fastest. */
const gn_dim *gn_thread_number(gn_lower *g)
{
    const gn_dim *number = gn_lconst(g, 0);
    for (size_t i = 0; i < g->order.n; i++) {
        const gn_lleaf *l = &g->leaves.at[g->order.at[i]];
        if (l->bind == GN_BIND_THREAD) number = gn_ladd(g, gn_dim_mul(g->dims, number, l->points), l->value);
    }
    return number;
}

/* Where the threads lay their states, in the region at work. */
void gn_declare_exchange(gn_expander *x, gn_ldef *d, int64_t threads)
{
    for (uint16_t i = 0; i < d->nstates; i++) {
        gn_lstate *s = &d->state[i];
        if (s->exchanged_in == x->b.block) continue;
        gn_place p = { .dtype = s->object->dtype, .space = GN_SPACE_SHARED, .size = gn_lconst(x->g, threads) };
        if (!s->exchange) p.name = gn_lower_name(x->g, NULL, gn_arena_printf(x->g->arena, "%s_t", s->object->name));
        if (!s->exchange) s->exchange = gn_code_place(x->g->code, p);
        gn_v_node(&x->b, GN_CODE_DECLARE)->place = s->exchange;
        s->exchanged_in = x->b.block;
    }
}

gn_tuple gn_exchanged(gn_expander *x, const gn_ldef *d, const gn_dim *at)
{
    gn_tuple t = { { NULL } };
    for (uint16_t i = 0; i < d->nstates; i++) {
        const gn_access a = { .place = d->state[i].exchange, .base = at };
        t.at[i] = gn_v_load(&x->b, a.place->dtype, 1, &a);
    }
    return t;
}

void gn_exchange(gn_expander *x, const gn_ldef *d, const gn_dim *at, const gn_tuple *t)
{
    for (uint16_t i = 0; i < d->nstates; i++)
        gn_v_store(&x->b, &(gn_access){ .place = d->state[i].exchange, .base = at }, t->at[i]);
}

void gn_meet(gn_expander *x)
{
    gn_v_node(&x->b, GN_CODE_BARRIER);
}

/* Of n states, those from `half` on are merged into those before. */
static void merge_half(gn_expander *x, const gn_ldef *d, const gn_dim *number, int64_t n, int64_t half)
{
    gn_lower *g = x->g;
    gn_code_body *outer = x->b.block;
    const gn_pred p = gn_pred_less(x, number, gn_lconst(g, n - half));
    gn_v_open(x, GN_CODE_IF)->when = (gn_preds){ 1, gn_arena_copy(g->arena, &p, sizeof p) };
    const gn_tuple own = gn_exchanged(x, d, number), other = gn_exchanged(x, d, gn_ladd(g, number, gn_lconst(g, half)));
    const gn_tuple t = gn_merged(x, d, &own, &other);
    gn_exchange(x, d, number, &t);
    x->b.block = outer;
    gn_meet(x);
}

static gn_tuple merged_threads(gn_expander *x, gn_ldef *d, gn_tuple t)
{
    if (!d->fold) return (gn_tuple){ { gn_v_reduce(&x->b, GN_VAL_THREADS, d->red, t.at[0]) } };
    const gn_dim *number = gn_thread_number(x->g);
    const int64_t threads = gn_code_threads(x->g->code);
    gn_declare_exchange(x, d, threads);
    gn_exchange(x, d, number, &t);
    gn_meet(x);
    for (int64_t n = threads; n > 1; n = (n + 1) / 2) merge_half(x, d, number, n, (n + 1) / 2);
    t = gn_exchanged(x, d, gn_lconst(x->g, 0));
    gn_meet(x); /* before the next states are laid there */
    return t;
}

void gn_expand_merge(gn_expander *x, gn_ldef *d, const gn_dim *const *arg)
{
    gn_lower *g = x->g;
    gn_leafset points = d->private;
    bool threads = false;
    for (uint32_t l = 0; l < g->leaves.n; l++)
        if (gn_set_has(&points, l) && g->leaves.at[l].bind == GN_BIND_THREAD) {
            threads = true;
            gn_set_drop(&points, l);
        }
    gn_tuple t = merged_points(x, d, points, arg);
    if (gn_lane_leaf(g, d->private) >= 0) t = merged_lanes(x, d, t);
    if (threads) t = merged_threads(x, d, t);
    for (uint16_t i = 0; i < d->nstates; i++) gn_v_write(x, d->state[i].object, arg, t.at[i]);
}
