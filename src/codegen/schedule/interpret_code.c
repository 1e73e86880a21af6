/* The second form, lets and sets, run as it stands: what the emitter prints is what happens here. */
#include "interpret.h"

static gn_ref *lanes_of(gn_machine *m, const gn_val *v)
{
    return m->val[(size_t)m->thread * m->nvals + v->id];
}

/* Lane l of an operand. */
static gn_ref operand(gn_machine *m, const gn_val *v, int l)
{
    if (v->lanes == 1) l = 0;
    if (v->id) return lanes_of(m, v)[l];
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_REG: return gn_machine_variable(m, v->u.reg.object, v->u.reg.number)[l];
    case GN_VAL_SPLAT: return operand(m, v->a[0], 0);
    default:
        return gn_is_float((gn_dtype)v->dtype) ? (gn_ref){ .dtype = (gn_dtype)v->dtype, .f = v->u.f }
                                               : (gn_ref){ .dtype = (gn_dtype)v->dtype, .i = v->u.i };
    }
}

static int64_t place_of(gn_machine *m, const gn_access *a, int l)
{
    switch ((gn_access_mode)a->mode) {
    case GN_ACCESS_ONE: return gn_machine_dim(m, a->base);
    case GN_ACCESS_ROW: return gn_machine_dim(m, a->base) + l;
    case GN_ACCESS_STEP: return gn_machine_dim(m, a->base) + l * gn_machine_dim(m, a->step);
    case GN_ACCESS_EACH: return operand(m, a->each, l).i;
    }
    return 0;
}

static bool takes_part(gn_machine *m, const gn_access *a, int l)
{
    return !a->mask || operand(m, a->mask, l).i;
}

static gn_ref load(gn_machine *m, const gn_val *v, int l)
{
    const gn_access *a = &v->u.load;
    if (!gn_machine_holds(m, a->when) || !takes_part(m, a, l)) return gn_machine_number((gn_dtype)v->dtype, 0);
    return gn_machine_load(m, a->buf, a->object, place_of(m, a, l));
}

static gn_ref index_of(gn_machine *m, const gn_val *v, int l)
{
    const gn_dtype t = (gn_dtype)v->dtype;
    int64_t i;
    if (v->lanes > 1 && v->u.index.base)
        i = gn_machine_dim(m, v->u.index.base) + l * gn_machine_dim(m, v->u.index.step);
    else {
        int64_t *lane = v->lanes > 1 ? &m->leaf[m->thread][v->u.index.lane] : NULL, before = lane ? *lane : 0;
        if (lane) *lane = l;
        i = gn_machine_holds(m, v->when) ? gn_machine_dim(m, v->u.index.at) : 0;
        if (lane) *lane = before;
    }
    const gn_ref whole = { .dtype = GN_I64, .i = i };
    return gn_machine_op(gn_op_find("cast"), t, &whole);
}

/* Lanes l with l + n/2, then n/4, .. 1. */
static gn_ref across(gn_machine *m, const gn_val *v)
{
    gn_ref x[64];
    for (int l = 0; l < v->a[0]->lanes; l++) x[l] = operand(m, v->a[0], l);
    for (int n = v->a[0]->lanes / 2; n; n /= 2)
        for (int l = 0; l < n; l++)
            x[l] = gn_machine_op(gn_red_op((gn_red)v->red), (gn_dtype)v->dtype, (gn_ref[]){ x[l], x[l + n] });
    return x[0];
}

static gn_ref compute(gn_machine *m, const gn_val *v, int l)
{
    gn_ref a[4];
    switch ((gn_val_kind)v->kind) {
    case GN_VAL_COPY: return operand(m, v->a[0], l);
    case GN_VAL_INDEX: return index_of(m, v, l);
    case GN_VAL_COND: return (gn_ref){ .dtype = GN_BOOL, .i = gn_machine_holds(m, v->when) };
    case GN_VAL_FIRST: return (gn_ref){ .dtype = GN_BOOL, .i = l < gn_machine_dim(m, v->u.index.at) };
    case GN_VAL_BIT: return (gn_ref){ .dtype = GN_BOOL, .i = l == gn_machine_dim(m, v->u.index.at) };
    case GN_VAL_LOAD: return load(m, v, l);
    case GN_VAL_OP:
        for (uint16_t i = 0; i < v->n; i++) a[i] = operand(m, v->a[i], l);
        return gn_machine_op(v->u.op, (gn_dtype)v->dtype, a);
    case GN_VAL_PICK: return operand(m, v->a[0], 0).i ? operand(m, v->a[1], l) : operand(m, v->a[2], l);
    case GN_VAL_PACK: return operand(m, v->a[l], 0);
    case GN_VAL_LANE: return operand(m, v->a[0], (int)v->u.i);
    case GN_VAL_LANES: return across(m, v);
    default: return operand(m, v, l);
    }
}

static void let(gn_machine *m, const gn_val *v)
{
    gn_ref **at = &m->val[(size_t)m->thread * m->nvals + v->id];
    gn_ref now[64];
    for (int l = 0; l < v->lanes; l++) now[l] = compute(m, v, l);
    if (!*at) *at = GN_NEW_ARRAY(m->arena, gn_ref, 64);
    memcpy(*at, now, v->lanes * sizeof *now);
}

static void set(gn_machine *m, const gn_tree *t)
{
    if (t->object) {
        gn_ref now[64], *var = gn_machine_variable(m, t->object, t->number);
        for (uint32_t l = 0; l < t->object->lanes; l++) now[l] = operand(m, t->val, (int)l);
        memcpy(var, now, t->object->lanes * sizeof *now);
        return;
    }
    if (!gn_machine_holds(m, t->place.when)) return;
    for (int l = 0; l < (t->place.mode == GN_ACCESS_ONE ? 1 : t->val->lanes); l++)
        if (takes_part(m, &t->place, l))
            gn_machine_store(m, t->place.buf, t->place.object, place_of(m, &t->place, l), operand(m, t->val, l));
}

/* ---- tile operations ---- */

static void copy_tile(gn_machine *m, const gn_tile_args *a)
{
    const int64_t ds = gn_machine_dim(m, a->dst_stride), ss = gn_machine_dim(m, a->src_stride), ni = gn_machine_dim(m, a->ncols);
    const int64_t nl = gn_machine_dim(m, a->nrows), dst = gn_machine_dim(m, a->dst.base), src = gn_machine_dim(m, a->src.base);
    for (int64_t i = 0; i < 16; i++)
        for (int64_t l = 0; l < 16; l++) {
            const gn_ref zero = gn_machine_number(GN_F32, 0);
            const gn_ref v = i < ni && l < nl ? gn_machine_load(m, a->src.buf, a->src.object, src + l * ss + i) : zero;
            gn_machine_store(m, a->dst.buf, a->dst.object, dst + i * ds + l, v);
        }
}

static int coord(const gn_machine *m, const gn_ldef *d, const gn_tile_coord *c, int thread)
{
    int v = c->constant;
    for (int i = 0; i < d->row->nleaf; i++)
        if (c->factor[i]) v += c->factor[i] * (int)m->leaf[thread][d->tile->leaf.at[i]];
    return v;
}

/* Threads that differ in nothing but the row's own leaves work together. */
static bool together(const gn_machine *m, const gn_ldef *d, int a, int b)
{
    for (uint32_t l = 0; l < m->g->leaves.n; l++) {
        if (m->g->leaves.at[l].bind != GN_BIND_THREAD || m->leaf[a][l] == m->leaf[b][l]) continue;
        bool own = false;
        for (size_t i = 0; i < d->tile->leaf.n; i++) own |= d->tile->leaf.at[i] == l;
        if (!own) return false;
    }
    return true;
}

static void multiply_group(gn_machine *m, const gn_tile_args *t, const gn_ldef *d, int leader)
{
    const gn_tile_op *row = t->row;
    gn_ref *a = GN_NEW_ARRAY(m->arena, gn_ref, row->m * row->k), *b = GN_NEW_ARRAY(m->arena, gn_ref, row->k * row->n);
    for (m->thread = 0; m->thread < m->nthreads; m->thread++) {
        if (!together(m, d, leader, m->thread)) continue;
        for (int r = 0; r < row->a.nregs; r++)
            a[coord(m, d, &row->a.reg[r].row, m->thread) * row->k + coord(m, d, &row->a.reg[r].col, m->thread)] =
                operand(m, t->a[r], 0);
        for (int r = 0; r < row->b.nregs; r++)
            b[coord(m, d, &row->b.reg[r].row, m->thread) * row->n + coord(m, d, &row->b.reg[r].col, m->thread)] =
                operand(m, t->b[r], 0);
    }
    for (m->thread = 0; m->thread < m->nthreads; m->thread++) {
        if (!together(m, d, leader, m->thread)) continue;
        for (int r = 0; r < row->c.nregs; r++) {
            const int i = coord(m, d, &row->c.reg[r].row, m->thread), j = coord(m, d, &row->c.reg[r].col, m->thread);
            gn_ref *c = gn_machine_variable(m, t->object, t->c[r]);
            for (int k = 0; k < row->k; k++)
                *c = gn_machine_op(gn_op_find("fma"), c->dtype, (gn_ref[]){ a[i * row->k + k], b[k * row->n + j], *c });
        }
    }
}

static void multiply(gn_machine *m, const gn_tile_args *t)
{
    const gn_ldef *d = t->object->def;
    for (int i = 0; i < m->nthreads; i++) {
        bool first = true;
        for (int j = 0; j < i; j++) first &= !together(m, d, i, j);
        if (first) multiply_group(m, t, d, i);
    }
}

static void merge_threads(gn_machine *m, const gn_val *v)
{
    gn_ref *x = GN_NEW_ARRAY(m->arena, gn_ref, m->nthreads);
    for (m->thread = 0; m->thread < m->nthreads; m->thread++) x[m->thread] = operand(m, v->a[0], 0);
    const gn_ref r = gn_machine_threads(m, (gn_red)v->red, x);
    for (m->thread = 0; m->thread < m->nthreads; m->thread++) {
        gn_ref **at = &m->val[(size_t)m->thread * m->nvals + v->id];
        if (!*at) *at = GN_NEW_ARRAY(m->arena, gn_ref, 64);
        **at = r;
    }
}

static void work(gn_machine *m, const gn_tree *t, const bool *active)
{
    if (t->kind == GN_NODE_LET && t->val->kind == GN_VAL_THREADS) {
        merge_threads(m, t->val);
        return;
    }
    if (t->kind == GN_NODE_TILE && t->tile->row->kind == GN_TILE_MMA) {
        multiply(m, t->tile);
        return;
    }
    for (m->thread = 0; m->thread < m->nthreads; m->thread++) {
        if (!active[m->thread]) continue;
        if (t->kind == GN_NODE_LET)
            let(m, t->val);
        else if (t->kind == GN_NODE_SET)
            set(m, t);
        else
            copy_tile(m, t->tile);
    }
}

void gn_scheduled_interpret_code(const gn_scheduled *s, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    gn_machine m = {
        .s = s, .g = s->lower, .arena = scratch, .buffer = buffers, .sym = sym, .nvals = gn_tree_largest_id(s->code) + 1
    };
    m.val = GN_NEW_ARRAY(scratch, gn_ref *, (size_t)m.nvals * gn_scheduled_threads(s));
    gn_machine_run(&m, s->code, work);
}
