#include "serial_axes.h"
#include <string.h>

/* ---- classes: axes of uses and dims of values that are one ---- */

typedef struct gn_axis_sets {
    gn_serial_axes *x;
    uint32_t *up;      /* by node: the next one of its class; a root is its own */
    bool *crossed;     /* by root */
    uint32_t *axis_at; /* by use: node of its first axis */
    uint32_t dims_at;  /* node of a value's first dim: dims_at + GN_MAX_RANK * value */
    uint32_t n;
    int8_t *class_of; /* by root; -1: none */
} sets;

static uint32_t root_of(const sets *s, uint32_t node)
{
    while (s->up[node] != node) node = s->up[node];
    return node;
}

static void join(sets *s, uint32_t a, uint32_t b)
{
    a = root_of(s, a), b = root_of(s, b);
    s->up[b] = a;
    s->crossed[a] |= s->crossed[b];
}

static void cross(sets *s, uint32_t node)
{
    s->crossed[root_of(s, node)] = true;
}

static uint32_t dim_node(const sets *s, int32_t value, uint32_t d)
{
    return s->dims_at + GN_MAX_RANK * (uint32_t)value + d;
}

static void cross_value(sets *s, int32_t value)
{
    for (uint32_t d = 0; d < GN_MAX_RANK; d++) cross(s, dim_node(s, value, d));
}

static void cross_mentioned(sets *s, size_t use, const gn_dim *d)
{
    const gn_kernel *k = s->x->use[use]->kernel;
    for (size_t a = 0; a < k->axes.n; a++)
        if (gn_dim_mentions(d, k->axes.at[a].name)) cross(s, s->axis_at[use] + (uint32_t)a);
}

static void link_index(sets *s, size_t use, const gn_dim *index, uint32_t node)
{
    const int32_t a = gn_kernel_plain_axis(s->x->use[use]->kernel, index);
    if (a >= 0) {
        join(s, s->axis_at[use] + (uint32_t)a, node);
        return;
    }
    cross(s, node);
    cross_mentioned(s, use, index);
}

static void link_access(sets *s, size_t use, uint32_t buf, const gn_dim *const *index)
{
    const gn_serial_use *u = s->x->use[use];
    for (uint32_t d = 0; d < u->kernel->bufs.at[buf].rank && s->x->is_written[u->arg[buf]]; d++)
        link_index(s, use, index[d], dim_node(s, u->arg[buf], d));
}

static void link_expr(sets *s, size_t use, const gn_kexpr *e)
{
    const gn_kernel *k = s->x->use[use]->kernel;
    if (e->kind == GN_K_LOAD) link_access(s, use, e->u.ref, e->index);
    if (e->kind != GN_K_REF) return;
    for (size_t i = 0; i < e->nindex; i++)
        link_index(s, use, e->index[i], s->axis_at[use] + k->defs.at[e->u.ref].param[i]);
}

/* All kernels see a value in one shape, from its first element on. */
static void note_shape(sets *s, const gn_serial_use *u, uint32_t buf)
{
    gn_serial_axes *x = s->x;
    const gn_kbuf *b = &u->kernel->bufs.at[buf];
    const int32_t v = u->arg[buf];
    if (!x->is_written[v]) return;
    bool same = !b->stride && (x->rank[v] == 0 || x->rank[v] == b->rank);
    for (int d = 0; d < b->rank && same; d++) {
        const gn_dim *e = gn_program_kernel_dim(x->p, u->kernel, u->sym, b->shape[d]);
        same = x->rank[v] == 0 || x->extent[v][d] == e;
        x->extent[v][d] = e;
    }
    if (!same) cross_value(s, v);
    x->rank[v] = b->rank;
}

static bool is_turn(const gn_program *p, const gn_dim *d)
{
    for (size_t i = 0; i < p->syms.n; i++)
        if (p->syms.at[i].input == GN_SYM_TURN && gn_dim_mentions(d, p->syms.at[i].name)) return true;
    return false;
}

static void link_use(sets *s, size_t use)
{
    const gn_serial_use *u = s->x->use[use];
    const gn_kernel *k = u->kernel;
    for (uint32_t b = 0; b < k->bufs.n; b++) note_shape(s, u, b);
    for (size_t i = 0; i < k->exprs.capacity; i++)
        if (k->exprs.slot && k->exprs.slot[i].object) link_expr(s, use, k->exprs.slot[i].object);
    for (size_t i = 0; i < k->stores.n; i++) link_access(s, use, k->stores.at[i].buf, k->stores.at[i].index);
    for (size_t i = 0; i < k->defs.n; i++)
        for (size_t r = 0; r < k->defs.at[i].nraxis; r++) cross(s, s->axis_at[use] + k->defs.at[i].raxis[r]);
    for (uint32_t a = 0; a < k->axes.n; a++) {
        const gn_dim *e = k->axes.at[a].extent;
        cross_mentioned(s, use, e);
        if (u->schedule || is_turn(s->x->p, gn_program_kernel_dim(s->x->p, k, u->sym, e)))
            cross(s, s->axis_at[use] + a);
    }
}

/* ---- which classes go outside ---- */

static int count_dims(const sets *s, int32_t value, uint32_t root, uint32_t *at)
{
    int n = 0;
    for (uint32_t d = 0; d < s->x->rank[value]; d++)
        if (root_of(s, dim_node(s, value, d)) == root) n++, *at = d;
    return n;
}

/* One axis in every kernel and one dim in every value. `last`: of each it is the last. */
static bool is_shared(const sets *s, uint32_t root, bool *last)
{
    const gn_serial_axes *x = s->x;
    uint32_t d = 0;
    *last = true;
    for (size_t u = 0; u < x->nuses; u++) {
        int n = 0;
        for (uint32_t a = 0; a < x->use[u]->kernel->axes.n; a++) n += root_of(s, s->axis_at[u] + a) == root;
        if (n != 1) return false;
    }
    for (int32_t v = 0; v < (int32_t)x->nvalues; v++) {
        if (!x->is_written[v]) continue;
        if (count_dims(s, v, root, &d) != 1) return false;
        *last &= d + 1 == x->rank[v];
    }
    return true;
}

/* Of its first axis; NULL: some have another. */
static const gn_dim *extent_of(const sets *s, uint32_t root, const char **name)
{
    const gn_dim *e = NULL;
    for (size_t u = 0; u < s->x->nuses; u++) {
        const gn_serial_use *of = s->x->use[u];
        for (uint32_t a = 0; a < of->kernel->axes.n; a++) {
            if (root_of(s, s->axis_at[u] + a) != root) continue;
            const gn_dim *own = gn_program_kernel_dim(s->x->p, of->kernel, of->sym, of->kernel->axes.at[a].extent);
            if (e && e != own) return NULL;
            if (!*name || !of->is_copy) *name = of->kernel->axes.at[a].name;
            e = own;
        }
    }
    return e;
}

/* Vectors that keep what the subtree writes in registers, where that is not much. 0: the axis is too short, or so short
 * that tiles which do not divide it cost more than they bring. */
static int64_t tile_of(const gn_serial_axes *x, const gn_target *t, const gn_dim *extent)
{
    int64_t size = 4, n = 0, e = 0;
    for (size_t v = 0; v < x->nvalues; v++) {
        const gn_pvalue *of = &x->p->values.at[v % x->p->values.n];
        if (!x->is_written[v]) continue;
        n += of->kind == GN_VALUE_TEMP && v < x->p->values.n;
        if (gn_dtype_size(of->dtype) > 4) size = 8;
    }
    const int64_t lanes = t->vector_bytes >= 2 * size ? t->vector_bytes / size : 4;
    int64_t vectors = 4;
    while (vectors > 1 && vectors * n > t->nregs / 2) vectors /= 2;
    if (!gn_dim_is_const(extent, &e)) return vectors * lanes;
    for (int64_t k = vectors; k >= 1; k /= 2)
        if (e % (k * lanes) == 0) return e > k * lanes ? k * lanes : 0;
    return e > 4 * vectors * lanes ? vectors * lanes : 0;
}

static void add_class(sets *s, uint32_t root, const gn_target *t)
{
    gn_serial_axes *x = s->x;
    gn_serial_class c = {.tile = 1};
    bool last = false;
    if (s->crossed[root] || !is_shared(s, root, &last) || !(c.extent = extent_of(s, root, &c.name))) return;
    if (last && !(c.tile = tile_of(x, t, c.extent))) return;
    s->class_of[root] = (int8_t)x->classes.n;
    gn_push(x->arena, &x->classes, c);
}

static void start_sets(sets *s)
{
    gn_serial_axes *x = s->x;
    s->axis_at = GN_NEW_ARRAY(x->arena, uint32_t, x->nuses + 1);
    for (size_t u = 0; u < x->nuses; u++) s->axis_at[u] = s->n, s->n += (uint32_t)x->use[u]->kernel->axes.n;
    s->dims_at = s->n, s->n += GN_MAX_RANK * (uint32_t)x->nvalues;
    s->up = GN_NEW_ARRAY(x->arena, uint32_t, s->n + 1), s->crossed = GN_NEW_ARRAY(x->arena, bool, s->n + 1);
    s->class_of = GN_NEW_ARRAY(x->arena, int8_t, s->n + 1);
    for (uint32_t i = 0; i < s->n; i++) s->up[i] = i, s->class_of[i] = -1;
    x->rank = GN_NEW_ARRAY(x->arena, uint8_t, x->nvalues);
    x->extent = gn_arena_alloc_n(x->arena, x->nvalues, sizeof *x->extent, alignof(const gn_dim *));
    x->dim = gn_arena_alloc_n(x->arena, x->nvalues, sizeof *x->dim, 1);
}

void gn_serial_find_axes(gn_serial_axes *x, const gn_target *t)
{
    enum { MOST = 4 };
    sets *s = x->sets = GN_NEW_OBJECT(x->arena, sets);
    s->x = x;
    start_sets(s);
    for (size_t u = 0; u < x->nuses; u++) link_use(s, u);
    for (size_t i = 0; i < x->nsame; i++)
        for (uint32_t d = 0; d < GN_MAX_RANK; d++)
            join(s, dim_node(s, x->same[i][0], d), dim_node(s, x->same[i][1], d));
    for (uint32_t a = 0; x->nuses && a < x->use[0]->kernel->axes.n && x->classes.n < MOST; a++)
        add_class(s, root_of(s, s->axis_at[0] + a), t);
    for (int32_t v = 0; v < (int32_t)x->nvalues; v++)
        for (uint32_t d = 0; d < GN_MAX_RANK; d++) x->dim[v][d] = s->class_of[root_of(s, dim_node(s, v, d))];
}

const gn_dim *gn_serial_elements(const gn_serial_axes *x, int32_t value, gn_dim_pool *dims)
{
    const gn_dim *n = gn_dim_const(dims, 1);
    if (!x->classes.n) return NULL;
    for (uint32_t d = 0; d < x->rank[value]; d++) {
        const int8_t c = x->dim[value][d];
        n = gn_dim_mul(dims, n,
                       c < 0 ? gn_dim_import(dims, x->extent[value][d]) : gn_dim_const(dims, x->classes.at[c].tile));
    }
    return n;
}

/* ---- the kernel of one part ---- */

typedef struct cutter {
    const gn_serial_axes *x;
    const gn_serial_use *use;
    const bool *is_inner;
    gn_kernel *k;     /* anew */
    int8_t *class_of; /* by axis of the old one */
    int32_t *axis;    /* by axis of the old one: of the new one; -1: it is gone */
} cutter;

static const gn_dim *in_part(void *user, const char *symbol)
{
    const cutter *c = user;
    const int32_t a = gn_kernel_find_axis(c->use->kernel, symbol);
    if (a < 0 || c->class_of[a] < 0) return NULL;
    gn_dim_pool *dims = c->k->dims;
    const gn_dim *part = gn_dim_sym(dims, c->use->part[c->class_of[a]]);
    const int64_t tile = c->x->classes.at[c->class_of[a]].tile;
    return tile == 1 ? part : gn_dim_add(dims, gn_dim_scale(dims, part, tile), gn_dim_sym(dims, symbol));
}

static const gn_dim *cut_dim(void *user, const gn_dim *d)
{
    cutter *c = user;
    return gn_dim_subst(c->k->dims, gn_dim_import(c->k->dims, d), in_part, c);
}

/* Dims of an inner value, or parameters, of classes of single points go; those of tiles count within the tile. */
static void cut_index(void *user, bool of_def, uint32_t of, const gn_dim *const *index, const gn_dim **out)
{
    cutter *c = user;
    const gn_kernel *old = c->use->kernel;
    const int32_t value = of_def ? 0 : c->use->arg[of];
    const size_t n = of_def ? old->defs.at[of].nparam : old->bufs.at[of].rank;
    for (size_t d = 0, kept = 0; d < n; d++) {
        const int8_t class_of = of_def                ? c->class_of[old->defs.at[of].param[d]]
                                : c->is_inner[value] ? c->x->dim[value][d]
                                                     : -1;
        if (class_of < 0) out[kept++] = cut_dim(c, index[d]);
        else if (c->x->classes.at[class_of].tile > 1) out[kept++] = gn_dim_import(c->k->dims, index[d]);
    }
}

static void cut_head(cutter *c, gn_serial_use *u)
{
    const gn_kernel *old = u->kernel;
    uint32_t *sym = GN_NEW_ARRAY(c->x->arena, uint32_t, old->syms.n + c->x->classes.n);
    u->part = GN_NEW_ARRAY(c->x->arena, const char *, c->x->classes.n);
    for (size_t i = 0; i < old->syms.n; i++) gn_kernel_sym_like(c->k, &old->syms.at[i]), sym[i] = u->sym[i];
    for (size_t i = 0; i < c->x->classes.n; i++) {
        const char *wanted = gn_arena_printf(c->x->arena, "%s_part", c->x->classes.at[i].name);
        const char *name = gn_kernel_fresh_name(u->kernel, wanted, 0, NULL);
        const uint32_t at = gn_kernel_sym(c->k, name);
        u->part[i] = c->k->syms.at[at].name, sym[at] = UINT32_MAX;
    }
    u->sym = sym;
}

static const gn_dim *cut_extent(cutter *c, const gn_dim *extent, int8_t class_of)
{
    const gn_dim *e = cut_dim(c, extent);
    if (class_of < 0) return e;
    gn_dim_pool *dims = c->k->dims;
    const int64_t tile = c->x->classes.at[class_of].tile;
    int64_t n;
    if (gn_dim_is_const(e, &n) && n % tile == 0) return gn_dim_const(dims, tile);
    const gn_dim *before = gn_dim_scale(dims, gn_dim_sym(dims, c->use->part[class_of]), tile);
    return gn_dim_min(dims, gn_dim_const(dims, tile), gn_dim_sub(dims, e, before));
}

static void cut_buffers(cutter *c)
{
    const gn_kernel *old = c->use->kernel;
    for (size_t b = 0; b < old->bufs.n; b++) {
        const gn_kbuf *x = &old->bufs.at[b];
        const int32_t v = c->use->arg[b];
        const gn_dim *shape[GN_MAX_RANK];
        size_t n = 0;
        for (size_t d = 0; d < x->rank; d++) {
            const int8_t class_of = c->is_inner[v] ? c->x->dim[v][d] : -1;
            const int64_t tile = class_of < 0 ? 0 : c->x->classes.at[class_of].tile;
            if (tile != 1) shape[n++] = tile ? gn_dim_const(c->k->dims, tile) : gn_dim_import(c->k->dims, x->shape[d]);
        }
        const uint32_t at = gn_kernel_buf(c->k, x->name, x->dtype, n, shape);
        c->k->bufs.at[at].stride = gn_dims_import(c->k->dims, x->rank, x->stride);
    }
}

static void cut_axes(cutter *c)
{
    const gn_kernel *old = c->use->kernel;
    for (size_t a = 0; a < old->axes.n; a++) {
        const bool gone = c->class_of[a] >= 0 && c->x->classes.at[c->class_of[a]].tile == 1;
        c->axis[a] = gone ? -1
                          : (int32_t)gn_kernel_axis(c->k, old->axes.at[a].name,
                                                    cut_extent(c, old->axes.at[a].extent, c->class_of[a]));
    }
}

static void cut_use(const gn_serial_axes *x, size_t at, const bool *is_inner)
{
    gn_serial_use *u = x->use[at];
    cutter c = {.x = x, .use = u, .is_inner = is_inner, .k = gn_kernel_new(x->arena, u->kernel->name)};
    c.class_of = GN_NEW_ARRAY(x->arena, int8_t, u->kernel->axes.n + 1);
    c.axis = GN_NEW_ARRAY(x->arena, int32_t, u->kernel->axes.n + 1);
    for (uint32_t a = 0; a < u->kernel->axes.n; a++)
        c.class_of[a] = x->sets->class_of[root_of(x->sets, x->sets->axis_at[at] + a)];
    c.k->comment = u->kernel->comment;
    cut_head(&c, u);
    cut_buffers(&c), cut_axes(&c);
    gn_kernel_rewrite(&(gn_krewrite){ u->kernel, c.k, c.axis, cut_dim, cut_index, &c }, x->arena);
    u->kernel = c.k;
}

void gn_serial_cut(gn_serial_axes *x, const bool *is_inner)
{
    for (size_t u = 0; x->classes.n && u < x->nuses; u++) cut_use(x, u, is_inner);
}
