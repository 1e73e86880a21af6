/* What the interpreter of statements stands on: memory, loops, parts, blocks, threads, barriers. Threads run in
 * lockstep, one node after the other; reading what another thread wrote since the last barrier is a race and throws. */
#include <inttypes.h>
#include <math.h>
#include "interpret.h"
#include "ops/reference.h"

/* ---- numbers ---- */

gn_ref gn_machine_op(const gn_op_info *op, gn_dtype t, const gn_ref *a)
{
    gn_ref r = { .dtype = t };
    op->eval(&r, a, NULL);
    if (!gn_is_float(t)) gn_ref_finish(&r); /* integers wrap; floats keep their digits */
    return r;
}

gn_ref gn_machine_number(gn_dtype t, int64_t i)
{
    return gn_is_float(t) ? (gn_ref){ .dtype = t, .f = (long double)i } : (gn_ref){ .dtype = t, .i = i };
}

static gn_ref poison(gn_dtype t)
{
    return gn_is_float(t) ? (gn_ref){ .dtype = t, .f = NAN } : (gn_ref){ .dtype = t, .i = t == GN_BOOL ? 1 : 0x7b7b7b7b };
}

/* ---- index expressions ---- */

static bool value_of(void *user, const char *name, int64_t *out)
{
    const gn_machine *m = user;
    const uintptr_t l = (uintptr_t)gn_map_get(&m->g->leaf_of, GN_KEY(name));
    if (l) return *out = m->leaf[m->thread][l - 1], true;
    const int32_t s = gn_kernel_find_sym(m->g->kernel, name);
    if (s >= 0) return *out = m->sym[s], true;
    return false;
}

static bool fetch(void *user, const char *buffer, int64_t index, int64_t *out)
{
    gn_machine *m = user;
    *out = gn_machine_load(m, gn_kernel_find_buf(m->g->kernel, buffer), NULL, index).i;
    return true;
}

int64_t gn_machine_dim(gn_machine *m, const gn_dim *d)
{
    int64_t v;
    if (!gn_dim_eval(d, value_of, fetch, m, &v))
        gn_throw(GN_EINTERNAL, "kernel %s: an index has no value", m->s->kernel->name);
    return v;
}

/* ---- memory ---- */

static bool is_per_thread(const gn_object *o)
{
    return o->level == GN_LEVEL_REG || o->level == GN_LEVEL_STACK;
}

static void check_range(gn_machine *m, const char *what, const char *name, int64_t at, int64_t n)
{
    if (at < 0 || at >= n)
        gn_throw(GN_EINTERNAL, "kernel %s: %s element %" PRId64 " of %s, which has %" PRId64, m->s->kernel->name, what,
                 at, name, n);
}

static void race(gn_machine *m, const gn_object *o, int64_t at)
{
    gn_throw(GN_EINTERNAL, "kernel %s: threads race for element %" PRId64 " of %s", m->s->kernel->name, at, o->name);
}

static gn_ref *element(gn_machine *m, const gn_object *o, int64_t at, bool write)
{
    check_range(m, write ? "store to" : "load of", o->name, at, m->size[o->id]);
    if (o->level == GN_LEVEL_SHARED) {
        gn_cell *c = &m->cell[o->id][at];
        const int me = m->thread + 1;
        if (c->wrote == m->epoch && c->writer != me) race(m, o, at);
        if (write && c->read == m->epoch && c->reader != me) race(m, o, at);
        if (write)
            c->writer = me, c->wrote = m->epoch;
        else
            c->reader = c->read == m->epoch && c->reader != me ? -1 : me, c->read = m->epoch;
    }
    return &m->object[o->id][at + (is_per_thread(o) ? m->thread * m->size[o->id] : 0)];
}

gn_ref gn_machine_load(gn_machine *m, int32_t buf, const gn_object *o, int64_t at)
{
    if (o) return *element(m, o, at, false);
    const gn_kbuf *b = &m->g->kernel->bufs.at[buf];
    check_range(m, "load of", b->name, at, m->count[buf]);
    return gn_ref_load(b->dtype, m->buffer[buf], at);
}

void gn_machine_store(gn_machine *m, int32_t buf, const gn_object *o, int64_t at, gn_ref v)
{
    if (o) {
        *element(m, o, at, true) = v;
        return;
    }
    const gn_kbuf *b = &m->g->kernel->bufs.at[buf];
    check_range(m, "store to", b->name, at, m->count[buf]);
    gn_ref_store(b->dtype, m->buffer[buf], at, &v);
}

gn_ref *gn_machine_variable(gn_machine *m, const gn_object *o, uint32_t number)
{
    return &m->object[o->id][m->thread * m->size[o->id] + (int64_t)number * o->lanes];
}

/* ---- threads of a block merge: neighbours by xor in the warp, then over warps ---- */

static void butterfly(gn_ref *x, int n, gn_red red, gn_ref start)
{
    gn_ref y[32];
    for (int o = 16; o; o /= 2) {
        for (int t = 0; t < 32; t++)
            y[t] = gn_machine_op(gn_red_op(red), x[t].dtype, (gn_ref[]){ x[t], t < n && (t ^ o) < n ? x[t ^ o] : start });
        memcpy(x, y, sizeof y);
    }
}

gn_ref gn_machine_threads(gn_machine *m, gn_red red, const gn_ref *v)
{
    const gn_kexpr *c = gn_red_start(m->g->kernel, red, v[0].dtype);
    const gn_ref start = gn_is_float(v[0].dtype) ? (gn_ref){ .dtype = v[0].dtype, .f = c->u.f }
                                                 : (gn_ref){ .dtype = v[0].dtype, .i = c->u.i };
    gn_ref warp[32], x[32];
    int nwarps = 0;
    for (int t = 0; t < 32; t++) warp[t] = start;
    for (int first = 0; first < m->nthreads; first += 32) {
        for (int t = 0; t < 32; t++) x[t] = first + t < m->nthreads ? v[first + t] : start;
        butterfly(x, 32, red, start);
        warp[nwarps++] = x[0];
    }
    butterfly(warp, 32, red, start);
    return warp[0];
}

/* ---- loops ---- */

typedef void (*leafwork)(gn_machine *, const gn_tree *, const bool *);

static void walk(gn_machine *m, const gn_tree *t, const bool *active, leafwork body);

static void walk_kids(gn_machine *m, const gn_tree *t, const bool *active, leafwork body)
{
    for (size_t i = 0; i < t->kids.n; i++) walk(m, t->kids.at[i], active, body);
}

static bool *new_mask(gn_machine *m)
{
    return GN_NEW_ARRAY(m->arena, bool, m->nthreads);
}

static void serial(gn_machine *m, const gn_tree *t, const bool *active, leafwork body)
{
    int64_t *to = GN_NEW_ARRAY(m->arena, int64_t, m->nthreads), high = 0;
    bool *inner = new_mask(m);
    for (m->thread = 0; m->thread < m->nthreads; m->thread++) {
        if (!active[m->thread]) continue;
        to[m->thread] = gn_machine_dim(m, t->to);
        if (to[m->thread] > high) high = to[m->thread];
    }
    for (int64_t v = 0; v < high; v++) {
        for (int i = 0; i < m->nthreads; i++) {
            inner[i] = active[i] && v < to[i];
            if (inner[i]) m->leaf[i][t->leaf] = v;
        }
        walk_kids(m, t, inner, body);
    }
}

static void refill(gn_machine *m, const gn_object *o)
{
    const int64_t n = m->size[o->id] * (is_per_thread(o) ? m->nthreads : 1);
    for (int64_t i = 0; i < n; i++) m->object[o->id][i] = poison(o->dtype);
    if (m->cell[o->id]) memset(m->cell[o->id], 0, (size_t)n * sizeof(gn_cell));
}

static void walk(gn_machine *m, const gn_tree *t, const bool *active, leafwork body)
{
    switch ((gn_tree_kind)t->kind) {
    case GN_NODE_STEP: walk_kids(m, t, active, body); break;
    case GN_NODE_FOR:
        if (t->bind == GN_BIND_NONE)
            serial(m, t, active, body);
        else
            walk_kids(m, t, active, body);
        break;
    case GN_NODE_BUF:
        if (t->object->level != GN_LEVEL_ARENA && t->object->level != GN_LEVEL_SHARED) refill(m, t->object);
        break;
    case GN_NODE_BARRIER:
        for (int i = 0; i < m->nthreads; i++)
            if (!active[i]) gn_throw(GN_EINTERNAL, "kernel %s: not all threads reach the barrier", m->s->kernel->name);
        m->epoch++;
        break;
    case GN_NODE_STMT: body(m, t, active); break;
    }
}

/* ---- steps ---- */

static const gn_tree *only_loop(const gn_tree *t)
{
    const gn_tree *found = NULL;
    for (size_t i = 0; i < t->kids.n; i++)
        if (t->kids.at[i]->kind == GN_NODE_FOR) found = t->kids.at[i];
    return found;
}

static void set_parts(gn_machine *m, const gn_tree *t, int64_t part, int64_t count)
{
    for (; t && (t->bind == GN_BIND_PART || t->bind == GN_BIND_BLOCK); t = only_loop(t)) {
        const int64_t n = gn_machine_dim(m, t->to);
        count /= n;
        for (int i = 0; i < m->nthreads; i++) m->leaf[i][t->leaf] = part / count;
        part %= count;
    }
}

static void set_threads(gn_machine *m)
{
    const gn_lower *g = m->g;
    for (int t = 0; t < m->nthreads; t++) {
        int64_t rest = t;
        for (size_t i = g->order.n; i-- > 0;) {
            if (g->leaves.at[g->order.at[i]].bind != GN_BIND_THREAD) continue;
            const int64_t n = gn_points(g, g->order.at[i]);
            m->leaf[t][g->order.at[i]] = rest % n;
            rest /= n;
        }
    }
}

/* Parts run from the last to the first: none may need another's. */
static void run_step(gn_machine *m, const gn_tree *step, leafwork body)
{
    int64_t parts = 1;
    m->thread = 0;
    for (const gn_tree *t = only_loop(step); t && (t->bind == GN_BIND_PART || t->bind == GN_BIND_BLOCK); t = only_loop(t))
        parts *= gn_machine_dim(m, t->to);
    bool *all = new_mask(m);
    for (int i = 0; i < m->nthreads; i++) all[i] = true;
    for (int64_t p = parts; p-- > 0;) {
        m->thread = 0;
        set_parts(m, only_loop(step), p, parts);
        set_threads(m);
        m->epoch++;
        walk(m, step, all, body);
    }
}

static void allocate(gn_machine *m)
{
    const gn_lower *g = m->g;
    m->count = GN_NEW_ARRAY(m->arena, int64_t, g->kernel->bufs.n);
    for (size_t i = 0; i < g->kernel->bufs.n; i++) {
        const gn_kbuf *b = &g->kernel->bufs.at[i];
        int64_t n = 1, last = 0;
        bool empty = false;
        for (size_t d = 0; d < b->rank; d++) {
            const int64_t e = gn_machine_dim(m, b->shape[d]);
            empty |= e == 0;
            n *= e;
            if (b->stride) last += (e - 1) * gn_machine_dim(m, b->stride[d]);
        }
        m->count[i] = empty ? 0 : b->stride ? last + 1 : n;
    }
    m->object = GN_NEW_ARRAY(m->arena, gn_ref *, g->objects.n);
    m->size = GN_NEW_ARRAY(m->arena, int64_t, g->objects.n);
    m->cell = GN_NEW_ARRAY(m->arena, gn_cell *, g->objects.n);
    for (size_t i = 0; i < g->objects.n; i++) {
        const gn_object *o = g->objects.at[i];
        m->size[i] = o->level == GN_LEVEL_REG ? (int64_t)o->nregs * o->lanes : gn_machine_dim(m, o->size);
        m->object[i] = GN_NEW_ARRAY(m->arena, gn_ref, m->size[i] * (is_per_thread(o) ? m->nthreads : 1));
        if (o->level == GN_LEVEL_SHARED) m->cell[i] = GN_NEW_ARRAY(m->arena, gn_cell, m->size[i]);
        refill(m, o);
    }
}

void gn_machine_run(gn_machine *m, const gn_tree *root, leafwork body)
{
    gn_lower *g = m->g;
    m->nthreads = (int)gn_code_threads(m->s->code);
    m->leaf = GN_NEW_ARRAY(m->arena, int64_t *, m->nthreads);
    for (int i = 0; i < m->nthreads; i++) m->leaf[i] = GN_NEW_ARRAY(m->arena, int64_t, g->leaves.n + 1);
    allocate(m);
    for (size_t i = 0; i < root->kids.n; i++)
        if (root->kids.at[i]->kind == GN_NODE_STEP) run_step(m, root->kids.at[i], body);
}
