/* The meaning of a logical kernel: every definition becomes a table over its parameters, computed in text order, in
 * long double and exact integers; each operation is rounded to its dtype, a sum of floats when it is complete. Slow and
 * plain on purpose: schedules, emitters and targets are judged against it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "kernel.h"
#include "ops/reference.h"
#include "visit.h"

typedef struct table {           /* a definition's values */
    gn_ref *value;
    uint16_t parts;              /* at each point */
    int64_t extent[64];          /* of its parameters */
} table;

typedef struct machine {
    const gn_kernel *k;
    void *const *buffer;
    const int64_t *sym;
    gn_arena *arena;
    table *tables;
    int64_t *axis;               /* current values */
    int64_t *most;               /* by axis: its largest extent */
    GN_VEC(const gn_kexpr *) open;
    gn_ref *memo;                /* per expression, valid if stamp equals now */
    uint64_t *stamp, now;
    const gn_ref *state;         /* of the fold at work */
} machine;

static bool value_of(void *user, const char *name, int64_t *out)
{
    const machine *m = user;
    const int32_t a = gn_kernel_find_axis(m->k, name);
    if (a >= 0) return *out = m->axis[a], true;
    const int32_t s = gn_kernel_find_sym(m->k, name);
    if (s >= 0) return *out = m->sym[s], true;
    return false;
}

static int64_t dim_value(machine *m, const gn_dim *d);

static int64_t buffer_count(machine *m, uint32_t buf)
{
    const gn_kbuf *b = &m->k->bufs.at[buf];
    int64_t n = 1, last = 0;
    for (size_t d = 0; d < b->rank; d++) {
        const int64_t e = dim_value(m, b->shape[d]);
        if (b->stride && e == 0) return 0;
        if (b->stride) last += (e - 1) * dim_value(m, b->stride[d]);
        n *= e;
    }
    return b->stride ? last + 1 : n;
}

static gn_ref load(machine *m, uint32_t buf, int64_t at)
{
    const gn_kbuf *b = &m->k->bufs.at[buf];
    if (at < 0 || at >= buffer_count(m, buf))
        gn_throw(GN_EINTERNAL, "kernel %s: element %" PRId64 " of %s, which has %" PRId64, m->k->name, at, b->name,
                 buffer_count(m, buf));
    const gn_ref x = gn_ref_load(b->dtype, m->buffer[buf], at);
    if (b->below && (x.i < 0 || x.i >= dim_value(m, b->below)))
        gn_throw(GN_EINTERNAL, "kernel %s: element %" PRId64 " of %s is %" PRId64 ", not in [0, %" PRId64 ")", m->k->name,
                 at, b->name, x.i, dim_value(m, b->below));
    return x;
}

static void save(machine *m, uint32_t buf, int64_t at, const gn_ref *v)
{
    const gn_kbuf *b = &m->k->bufs.at[buf];
    if (at < 0 || at >= buffer_count(m, buf))
        gn_throw(GN_EINTERNAL, "kernel %s: store to element %" PRId64 " of %s, which has %" PRId64, m->k->name, at,
                 b->name, buffer_count(m, buf));
    gn_ref_store(b->dtype, m->buffer[buf], at, v);
}

static bool fetch(void *user, const char *buffer, int64_t index, int64_t *out)
{
    machine *m = user;
    *out = load(m, (uint32_t)gn_kernel_find_buf(m->k, buffer), index).i;
    return true;
}

static int64_t dim_value(machine *m, const gn_dim *d)
{
    int64_t v;
    if (gn_dim_is_const(d, &v)) return v;
    if (!gn_dim_eval(d, value_of, fetch, m, &v)) gn_throw(GN_EINTERNAL, "kernel %s: an index has no value", m->k->name);
    return v;
}

static gn_ref eval_ref(machine *m, const gn_kexpr *e)
{
    const table *t = &m->tables[e->u.ref];
    int64_t at = 0;
    for (size_t i = 0; i < e->nindex; i++) {
        const int64_t x = dim_value(m, e->index[i]);
        if (x < 0 || x >= t->extent[i])
            gn_throw(GN_EINTERNAL, "kernel %s: %s at %" PRId64 ", its axis has %" PRId64, m->k->name,
                     m->k->defs.at[e->u.ref].name, x, t->extent[i]);
        at = at * t->extent[i] + x;
    }
    return t->value[at * t->parts + e->part];
}

/* As gn_kernel_flat, in numbers: the kernel's dims belong to all threads that interpret it. */
static int64_t flat_value(machine *m, uint32_t buf, const gn_dim *const *index)
{
    const gn_kbuf *b = &m->k->bufs.at[buf];
    int64_t flat = 0;
    for (size_t d = 0; d < b->rank; d++) {
        const int64_t i = dim_value(m, index[d]);
        flat = b->stride ? flat + dim_value(m, b->stride[d]) * i : flat * dim_value(m, b->shape[d]) + i;
    }
    return flat;
}

static bool holds(machine *m, const gn_kexpr *e)
{
    for (size_t i = 0; i < e->ncond; i++) {
        const int64_t a = dim_value(m, e->cond[i].a), b = dim_value(m, e->cond[i].b);
        if (e->cond[i].kind == GN_K_LT ? !(a < b) : a != b) return false;
    }
    return true;
}

/* The next operand that e needs and that has no value yet; NULL: none. */
static const gn_kexpr *missing(machine *m, const gn_kexpr *e)
{
    const size_t first = e->kind == GN_K_IF && !holds(m, e), end = e->kind == GN_K_IF ? first + 1 : e->n;
    for (size_t i = first; i < end; i++)
        if (m->stamp[e->a[i]->id] != m->now) return e->a[i];
    return NULL;
}

/* The value of e once what it needs has one. */
static gn_ref eval_now(machine *m, const gn_kexpr *e)
{
    gn_ref r = { .dtype = (gn_dtype)e->dtype }, in[16];
    switch (e->kind) {
    case GN_K_CONST:
        if (gn_is_float(r.dtype)) r.f = e->u.f;
        else r.i = e->u.i;
        return r;
    case GN_K_INDEX:
        r.i = dim_value(m, e->u.index);
        if (gn_is_float(r.dtype)) r.f = (long double)r.i;
        return r;
    case GN_K_LOAD: return load(m, e->u.ref, flat_value(m, e->u.ref, e->index));
    case GN_K_REF: return eval_ref(m, e);
    case GN_K_IF: return m->memo[e->a[holds(m, e) ? 0 : 1]->id];
    case GN_K_STATE: return m->state[e->part];
    case GN_K_TUPLE: return r; /* its operands are what is asked for */
    default:
        GN_ASSERT(e->n <= 16);
        for (size_t i = 0; i < e->n; i++) in[i] = m->memo[e->a[i]->id];
        e->u.op->eval(&r, in, NULL);
        gn_ref_finish(&r);
        return r;
    }
}

/* Not gn_visit: a branch that is not taken is not evaluated, and every point would need a table of its own. */
static gn_ref eval_fresh(machine *m, const gn_kexpr *root)
{
    m->now++;
    gn_push(m->arena, &m->open, root);
    while (m->open.n) {
        const gn_kexpr *e = m->open.at[m->open.n - 1], *next = missing(m, e);
        if (next) {
            gn_push(m->arena, &m->open, next);
            continue;
        }
        m->memo[e->id] = eval_now(m, e);
        m->stamp[e->id] = m->now;
        m->open.n--;
    }
    return m->memo[root->id];
}

/* Calls body for each point of the axes, outermost first; extents may depend on earlier axes of the kernel. */
static void each_point(machine *m, const uint16_t *axis, size_t n, void (*body)(machine *, void *), void *user)
{
    if (n == 0) {
        body(m, user);
        return;
    }
    const int64_t e = dim_value(m, m->k->axes.at[axis[0]].extent);
    for (int64_t x = 0; x < e; x++) {
        m->axis[axis[0]] = x;
        each_point(m, axis + 1, n - 1, body, user);
    }
}

typedef struct def_job {
    const gn_kdef *d;
    table *t;
    gn_ref acc[GN_FOLD_MOST];
    bool runs;                   /* a prefix: each value is the last one's and one point more */
} def_job;

/* Where the values of the definition at the axes' point are. */
static gn_ref *values_at(machine *m, const def_job *j)
{
    int64_t at = 0;
    for (size_t i = 0; i < j->d->nparam; i++) at = at * j->t->extent[i] + m->axis[j->d->param[i]];
    return &j->t->value[at * j->t->parts];
}

static void keep_values(machine *m, const def_job *j)
{
    gn_ref *to = values_at(m, j);
    for (uint16_t i = 0; i < j->t->parts; i++) {
        to[i] = j->acc[i];
        gn_ref_finish(&to[i]); /* whoever reads it from memory, in another kernel, must find the same */
    }
}

static void reduce_point(machine *m, void *user)
{
    def_job *j = user;
    const gn_ref in[2] = { j->acc[0], eval_fresh(m, j->d->body) };
    gn_ref r = { .dtype = j->d->dtype };
    gn_red_op(j->d->red)->eval(&r, in, NULL);
    if (!gn_is_float(r.dtype)) gn_ref_finish(&r); /* sums of floats keep their digits */
    j->acc[0] = r;
    if (j->runs) keep_values(m, j);
}

static void fold_point(machine *m, void *user)
{
    def_job *j = user;
    m->state = j->acc;
    eval_fresh(m, j->d->body);
    for (uint16_t i = 0; i < j->t->parts; i++) j->acc[i] = m->memo[j->d->body->a[i]->id];
    if (j->runs) keep_values(m, j);
}

static void def_point(machine *m, void *user)
{
    def_job *j = user;
    const gn_kdef *d = j->d;
    if (d->red == GN_RED_NONE) {
        *values_at(m, j) = eval_fresh(m, d->body);
        return;
    }
    for (uint16_t i = 0; i < j->t->parts; i++)
        j->acc[i] = eval_fresh(m, d->fold ? d->fold->start->a[i] : gn_red_start((gn_kernel *)m->k, d->red, d->dtype));
    each_point(m, d->raxis, d->nraxis, d->fold ? fold_point : reduce_point, j);
    if (!j->runs) keep_values(m, j);
}

/* The largest value of each extent: at the last points of the axes before it, since extents grow with earlier axes. */
static void find_largest(machine *m)
{
    m->most = GN_NEW_ARRAY(m->arena, int64_t, m->k->axes.n);
    for (size_t a = 0; a < m->k->axes.n; a++) {
        m->most[a] = dim_value(m, m->k->axes.at[a].extent);
        if (m->k->axes.at[a].max && m->most[a] > m->k->axes.at[a].max)
            gn_throw(GN_EINTERNAL, "kernel %s: %s has %" PRId64 " points, more than :max says", m->k->name,
                     m->k->axes.at[a].name, m->most[a]);
        m->axis[a] = m->most[a] > 0 ? m->most[a] - 1 : 0;
    }
}

static void run_def(machine *m, uint32_t at)
{
    const gn_kdef *d = &m->k->defs.at[at];
    table *t = &m->tables[at];
    int64_t n = 1;
    for (size_t i = 0; i < d->nparam; i++) n *= t->extent[i] = m->most[d->param[i]];
    t->parts = d->fold ? d->fold->start->n : 1;
    t->value = GN_NEW_ARRAY(m->arena, gn_ref, (n > 0 ? n : 1) * t->parts);
    uint16_t axis[64], naxis = 0;
    const bool runs = gn_is_prefix(d);
    for (uint16_t p = 0; p < d->nparam; p++)
        if (!runs || d->param[p] != d->raxis[0]) axis[naxis++] = d->param[p];
    each_point(m, axis, naxis, def_point, &(def_job){ .d = d, .t = t, .runs = runs });
}

static void store_point(machine *m, void *user)
{
    const gn_kstore *s = user;
    gn_ref v = eval_fresh(m, s->value);
    const int64_t at = flat_value(m, s->buf, s->index);
    if (s->kind != GN_STORE_SET) {
        const gn_ref in[2] = { load(m, s->buf, at), v };
        gn_ref r = { .dtype = v.dtype };
        gn_red_op(s->kind == GN_STORE_ADD ? GN_RED_SUM : GN_RED_MAX)->eval(&r, in, NULL);
        v = r;
    }
    save(m, s->buf, at, &v);
}

static void run_store(machine *m, const gn_kstore *s)
{
    uint64_t bits = gn_kexpr_axes(m->k, s->value, m->arena);
    for (size_t i = 0; i < m->k->bufs.at[s->buf].rank; i++) bits |= gn_dim_axes(m->k, s->index[i]);
    uint16_t axis[64];
    size_t n = 0;
    for (uint16_t a = 0; a < m->k->axes.n; a++)
        if (bits >> a & 1) axis[n++] = a;
    each_point(m, axis, n, store_point, (void *)s);
}

void gn_kernel_prepare(gn_kernel *k)
{
    for (int red = GN_RED_SUM; red <= GN_RED_ALL; red++)
        for (size_t d = 0; d < k->defs.n; d++)
            if (k->defs.at[d].red == (gn_red)red) gn_red_start(k, (gn_red)red, k->defs.at[d].dtype);
}

static size_t buffer_size(machine *m, size_t buf)
{
    return (size_t)buffer_count(m, (uint32_t)buf) * gn_dtypes[m->k->bufs.at[buf].dtype].size;
}

static bool is_stored_over(machine *m, size_t buf)
{
    const uintptr_t at = (uintptr_t)m->buffer[buf], end = at + buffer_size(m, buf);
    for (size_t i = 0; i < m->k->bufs.n; i++) {
        const uintptr_t other = (uintptr_t)m->buffer[i];
        if (m->k->bufs.at[i].access & GN_KBUF_WRITE && other < end && at < other + buffer_size(m, i)) return true;
    }
    return false;
}

/* All that is loaded is what was there before; where a store takes over memory that is loaded, that is kept aside. */
static void keep_loaded(machine *m, void *const *buffers)
{
    void **own = GN_NEW_ARRAY(m->arena, void *, m->k->bufs.n + 1);
    memcpy(own, buffers, m->k->bufs.n * sizeof *own);
    m->buffer = buffers;
    for (size_t i = 0; i < m->k->bufs.n; i++)
        if (m->k->bufs.at[i].access == GN_KBUF_READ && is_stored_over(m, i))
            own[i] = gn_arena_copy(m->arena, buffers[i], buffer_size(m, i));
    m->buffer = own;
}

void gn_kernel_interpret(const gn_kernel *k, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    gn_kernel_prepare((gn_kernel *)(uintptr_t)k);
    machine m = { .k = k, .sym = sym, .arena = scratch };
    m.tables = GN_NEW_ARRAY(scratch, table, k->defs.n);
    m.axis = GN_NEW_ARRAY(scratch, int64_t, k->axes.n);
    m.memo = GN_NEW_ARRAY(scratch, gn_ref, k->nexprs);
    m.stamp = GN_NEW_ARRAY(scratch, uint64_t, k->nexprs);
    keep_loaded(&m, buffers);
    find_largest(&m);
    for (size_t i = 0; i < k->items.n; i++) {
        if (k->items.at[i].is_store) run_store(&m, &k->stores.at[k->items.at[i].at]);
        else run_def(&m, k->items.at[i].at);
    }
}
