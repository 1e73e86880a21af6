/* Opaque values: a register has a lane for each element of the row's C, in the order in which memory has them. What the
 * unit computes is said by the row's reference function alone, over operands laid out as in memory. */
#include "code_interpret_state.h"
#include "ops/reference.h"

static int size_of(const gn_tile_op *row, const gn_tile_operand *o)
{
    int n = 1;
    for (int i = 0; i < o->nleaf; i++) n *= row->leaf[o->leaf[i]].extent;
    return n;
}

/* Where element e of an operand is: its offset in memory, and its coordinates along m, n and k. */
static int64_t spot_of(const gn_tile_op *row, const gn_tile_operand *o, int e, int64_t stride, int64_t *at)
{
    int64_t offset = 0, step = 1;
    at[0] = at[1] = at[2] = 0;
    for (int i = o->nleaf; i-- > 0;) {
        const gn_tile_leaf *const l = &row->leaf[o->leaf[i]];
        const int digit = e % l->extent;
        e /= l->extent;
        at[l->dim == 'm' ? 0 : l->dim == 'n' ? 1 : 2] += (int64_t)digit * l->stride;
        offset += digit * (i ? step : stride);
        step *= l->extent;
    }
    return offset;
}

static bool is_there(gn_runner *r, const gn_tile_args *t, const int64_t *at)
{
    bool is = true;
    for (int i = 0; i < t->ncount; i++) is &= at[i] < gn_runner_dim(r, t->count[i]);
    return is;
}

typedef struct operand { /* as the reference function takes it */
    void *data;
    gn_lane *poison; /* by coordinate along m (A) or n (B): something that spoils it, or none */
} operand;

/* Room for so many numbers, behind *free. */
static gn_lane *take(gn_lane **free, int n)
{
    gn_lane *const x = *free;
    *free += n;
    memset(x, 0, (size_t)n * sizeof *x);
    return x;
}

static operand fetch(gn_runner *r, const gn_tile_args *t, int which, gn_lane **free)
{
    const gn_tile_op *const row = t->row;
    const gn_tile_memory *const m = &t->memory[which];
    const int n = size_of(row, m->layout);
    const gn_dtype dtype = m->layout->dtype;
    const operand x = {take(free, n), take(free, which ? row->n : row->m)};
    const int64_t base = gn_runner_dim(r, m->base), stride = gn_runner_dim(r, m->stride);
    for (int e = 0; e < n; e++) {
        int64_t at[3];
        const int64_t offset = spot_of(row, m->layout, e, stride, at);
        gn_lane v = gn_lane_number(dtype, 0);
        if (is_there(r, t, at)) v = gn_runner_load(r, m->place, base + offset);
        if (v.poison) x.poison[at[which]] = v;
        const gn_ref number = {.dtype = dtype, .f = v.f, .i = v.poison ? 0 : v.i};
        gn_ref_store(dtype, x.data, e, &number);
    }
    return x;
}

static void multiply(gn_runner *r, const gn_tile_args *t)
{
    const gn_tile_op *const row = t->row;
    const gn_dtype dtype = row->c.dtype;
    const int n = size_of(row, &row->c);
    gn_lane *free = r->tile;
    const operand a = fetch(r, t, 0, &free), b = fetch(r, t, 1, &free);
    void *const c = take(&free, n);
    gn_lane *const before = take(&free, n);
    for (int e = 0; e < n; e++) {
        before[e] = gn_runner_register(r, t->acc, t->c[0], e);
        const gn_ref number = {.dtype = dtype, .f = before[e].f, .i = before[e].poison ? 0 : before[e].i};
        gn_ref_store(dtype, c, e, &number);
    }
    row->reference(c, a.data, b.data);
    for (int e = 0; e < n; e++) {
        int64_t at[3];
        spot_of(row, &row->c, e, 0, at);
        const gn_lane *spoilt = before[e].poison ? &before[e] : &a.poison[at[0]];
        if (!spoilt->poison) spoilt = &b.poison[at[1]];
        const gn_ref x = gn_ref_load(dtype, c, e);
        const gn_lane now = {.dtype = (uint8_t)dtype, .f = x.f, .i = x.i};
        gn_runner_set_register(r, t->acc, t->c[0], e, spoilt->poison ? gn_lane_poison(dtype, *spoilt) : now);
    }
}

static void set_all(gn_runner *r, const gn_tile_args *t)
{
    const gn_tile_memory *const m = &t->memory[0];
    const int64_t base = t->nmemory ? gn_runner_dim(r, m->base) : 0;
    const int64_t stride = t->nmemory ? gn_runner_dim(r, m->stride) : 0;
    for (int e = 0; e < t->acc->lanes; e++) {
        int64_t at[3];
        const int64_t offset = spot_of(t->row, &t->row->c, e, stride, at);
        gn_lane v = gn_lane_number(t->row->c.dtype, 0);
        if (t->act == GN_TILE_LOAD && is_there(r, t, at)) v = gn_runner_load(r, m->place, base + offset);
        gn_runner_set_register(r, t->acc, t->c[0], e, v);
    }
}

static void store(gn_runner *r, const gn_tile_args *t)
{
    const gn_tile_memory *const m = &t->memory[0];
    const int64_t base = gn_runner_dim(r, m->base), stride = gn_runner_dim(r, m->stride);
    for (int e = 0; e < t->acc->lanes; e++) {
        int64_t at[3];
        const int64_t offset = spot_of(t->row, m->layout, e, stride, at);
        if (is_there(r, t, at)) gn_runner_store(r, m->place, base + offset, gn_runner_register(r, t->acc, t->c[0], e));
    }
}

void gn_runner_act(gn_runner *r, const gn_tile_args *t)
{
    switch ((gn_tile_act)t->act) {
    case GN_TILE_ZERO:
    case GN_TILE_LOAD: set_all(r, t); break;
    case GN_TILE_MULTIPLY: multiply(r, t); break;
    default: store(r, t); break;
    }
}
