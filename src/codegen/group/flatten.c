/* Flattening: two axes that are everywhere one walk over consecutive elements become one axis.
 *
 *     before   (axes (i R) (j 10)) (store set Y (i j) (exp (load X i j)))      lanes over 10 elements, masked
 *     after    (axes (i (mul 10 R))) (store set Y (i) (exp (load X i)))        lanes over all of them
 *
 * Axes i and j of extent E become q = E i + j. In a kernel's text that is a substitution of q - E i for j, after which
 * nothing may be left that mentions i: buffers and definitions that are used at (i j) lose a dim, a position E i + j
 * is just q, and where i or j stands alone (a broadcast, a condition, a transposed operand, a reduction) they stay
 * two.
 *
 * Starting from two neighbours in the index of a store, the pair draws in what it meets: a buffer that is used at (i
 * j) gets one dim of both, so every other use of the buffer must be at a pair, too, which need not be the same axes
 * (pieces of a small program have their own). That ends in a set that fits or in a contradiction; then the next
 * neighbours are tried. */
#include "flatten.h"
#include <string.h>

enum { NONE = -1 };

typedef struct flattening {
    gn_kernel *k;                /* before */
    gn_arena *scratch;
    GN_VEC(const gn_kexpr *) exprs; /* all that are used */
    int32_t *inner, *outer;      /* by axis: the j of this i, the i of this j; NONE */
    int32_t *buf_at, *def_at;    /* dims at and at + 1 of the buffer, parameters of the definition, become one; NONE */
    bool grown, wrong;
} flattening;

static int32_t *nones(flattening *f, size_t n)
{
    int32_t *list = GN_NEW_ARRAY(f->scratch, int32_t, n + 1);
    for (size_t i = 0; i < n; i++) list[i] = NONE;
    return list;
}

static void start(flattening *f, gn_kernel *k, gn_arena *scratch)
{
    *f = (flattening){ .k = k, .scratch = scratch };
    gn_visit v = gn_kernel_visit(k, scratch);
    for (const gn_kexpr *e; (e = gn_visit_next(&v));) gn_push(scratch, &f->exprs, e);
    f->inner = nones(f, k->axes.n), f->outer = nones(f, k->axes.n);
    f->buf_at = nones(f, k->bufs.n), f->def_at = nones(f, k->defs.n);
}

/* ---- one pair draws in what it meets ---- */

static void pair(flattening *f, int32_t i, int32_t j)
{
    if (f->inner[i] == j) return;
    f->wrong |= i == j || f->inner[i] != NONE || f->outer[i] != NONE || f->inner[j] != NONE || f->outer[j] != NONE;
    f->wrong |= gn_dim_is(f->k->axes.at[j].extent, 0); /* 0 i + j leaves no trace of i, so nothing shows that i is in use */
    f->inner[i] = j, f->outer[j] = i;
    f->grown = true;
}

static void join(flattening *f, int32_t *at, size_t dim)
{
    if (*at == (int32_t)dim) return;
    f->wrong |= *at != NONE;
    *at = (int32_t)dim;
    f->grown = true;
}

/* The symbol that stands for E i + j until no i is left; no name of a user looks like it. */
static const gn_dim *walk_of(const flattening *f, int32_t i)
{
    return gn_dim_sym(f->k->dims, gn_arena_printf(f->scratch, "(%s)", f->k->axes.at[i].name));
}

static const gn_dim *replace_inner(void *user, const char *symbol)
{
    const flattening *f = user;
    const int32_t j = gn_kernel_find_axis(f->k, symbol), i = j == NONE ? NONE : f->outer[j];
    if (i == NONE) return NULL;
    const gn_dim *before = gn_dim_mul(f->k->dims, f->k->axes.at[j].extent, gn_dim_sym(f->k->dims, f->k->axes.at[i].name));
    return gn_dim_sub(f->k->dims, walk_of(f, i), before);
}

static const gn_dim *moved(const flattening *f, const gn_dim *d)
{
    return gn_dim_subst(f->k->dims, d, replace_inner, (void *)f);
}

/* An outer axis that the dim mentions; NONE. */
static int32_t outer_in(const flattening *f, const gn_dim *d)
{
    for (size_t a = 0; a < f->k->axes.n; a++)
        if (f->inner[a] != NONE && gn_dim_mentions(d, f->k->axes.at[a].name)) return (int32_t)a;
    return NONE;
}

static const gn_dim *extent_of(const flattening *f, int32_t axis)
{
    return f->k->axes.at[axis].extent;
}

/* Something with dims of these extents is used at this index. */
static void meet(flattening *f, const gn_dim *const *index, const gn_dim *const *extent, size_t rank, int32_t *at)
{
    for (size_t d = 0; d < rank; d++) {
        const int32_t i = outer_in(f, index[d]);
        if (i == NONE || outer_in(f, moved(f, index[d])) == NONE) continue;
        if (d + 1 < rank && extent[d + 1] == extent_of(f, f->inner[i])) join(f, at, d);
        else f->wrong = true;
    }
    if (*at == NONE || f->wrong) return;
    const int32_t i = gn_kernel_plain_axis(f->k, index[*at]), j = gn_kernel_plain_axis(f->k, index[*at + 1]);
    if (i != NONE && j != NONE && extent_of(f, j) == extent[*at + 1]) pair(f, i, j);
}

static const gn_dim *const *param_extents(const flattening *f, const gn_kdef *d)
{
    const gn_dim **extent = GN_NEW_ARRAY(f->scratch, const gn_dim *, d->nparam);
    for (size_t p = 0; p < d->nparam; p++) extent[p] = extent_of(f, d->param[p]);
    return extent;
}

static const gn_dim *const *param_index(const flattening *f, const gn_kdef *d)
{
    const gn_dim **index = GN_NEW_ARRAY(f->scratch, const gn_dim *, d->nparam);
    for (size_t p = 0; p < d->nparam; p++) index[p] = gn_dim_sym(f->k->dims, f->k->axes.at[d->param[p]].name);
    return index;
}

static void meet_expr(flattening *f, const gn_kexpr *e)
{
    if (e->kind == GN_K_LOAD) meet(f, e->index, f->k->bufs.at[e->u.ref].shape, e->nindex, &f->buf_at[e->u.ref]);
    if (e->kind == GN_K_REF) meet(f, e->index, param_extents(f, &f->k->defs.at[e->u.ref]), e->nindex, &f->def_at[e->u.ref]);
}

static void grow(flattening *f, int32_t i, int32_t j)
{
    pair(f, i, j);
    while (f->grown && !f->wrong) {
        f->grown = false;
        for (size_t d = 0; d < f->k->defs.n; d++) {
            const gn_kdef *def = &f->k->defs.at[d];
            meet(f, param_index(f, def), param_extents(f, def), def->nparam, &f->def_at[d]);
        }
        for (size_t s = 0; s < f->k->stores.n; s++) {
            const gn_kstore *st = &f->k->stores.at[s];
            const gn_kbuf *b = &f->k->bufs.at[st->buf];
            meet(f, st->index, b->shape, b->rank, &f->buf_at[st->buf]);
        }
        for (size_t e = 0; e < f->exprs.n; e++) meet_expr(f, f->exprs.at[e]);
    }
}

/* ---- does all of it fit ---- */

/* The dim without a trace of the outer axes; NULL: it has one. */
static const gn_dim *flat_dim(const flattening *f, const gn_dim *d)
{
    const gn_dim *m = moved(f, d);
    return outer_in(f, m) == NONE ? m : NULL;
}

/* The index of a buffer or definition with dims at and at + 1 in one; false: an outer axis is left. */
static bool flat_index(const flattening *f, bool of_def, uint32_t of, const gn_dim *const *index, const gn_dim **out,
                       size_t *n)
{
    const gn_kernel *k = f->k;
    const int32_t at = of_def ? f->def_at[of] : f->buf_at[of];
    const size_t rank = of_def ? k->defs.at[of].nparam : k->bufs.at[of].rank;
    *n = 0;
    for (size_t d = 0; d < rank; d++) {
        const gn_dim *x = index[d];
        if ((int32_t)d == at) {
            const gn_dim *e = of_def ? extent_of(f, k->defs.at[of].param[++d]) : k->bufs.at[of].shape[++d];
            x = gn_dim_add(k->dims, gn_dim_mul(k->dims, x, e), index[d]);
        }
        if (!(out[(*n)++] = flat_dim(f, x))) return false;
    }
    return true;
}

static bool fits_index(const flattening *f, bool of_def, uint32_t of, const gn_dim *const *index)
{
    const gn_dim *out[GN_MAX_RANK + 1];
    size_t n;
    return flat_index(f, of_def, of, index, out, &n);
}

static bool fits_expr(const flattening *f, const gn_kexpr *e)
{
    for (size_t c = 0; c < e->ncond; c++)
        if (!flat_dim(f, e->cond[c].a) || !flat_dim(f, e->cond[c].b)) return false;
    if (e->kind == GN_K_INDEX) return flat_dim(f, e->u.index) != NULL;
    return (e->kind != GN_K_LOAD && e->kind != GN_K_REF) || fits_index(f, e->kind == GN_K_REF, e->u.ref, e->index);
}

static bool is_paired(const flattening *f, uint32_t axis)
{
    return f->inner[axis] != NONE || f->outer[axis] != NONE;
}

/* The last element along dim d + 1 is followed by the first of the next row. */
static bool is_one_walk(const gn_kernel *k, const gn_kbuf *b, size_t d)
{
    return !b->stride || b->stride[d] == gn_dim_mul(k->dims, b->stride[d + 1], b->shape[d + 1]);
}

static bool fits(const flattening *f)
{
    const gn_kernel *k = f->k;
    for (size_t a = 0; a < k->axes.n; a++)
        if (!flat_dim(f, k->axes.at[a].extent)) return false;
    for (size_t b = 0; b < k->bufs.n; b++)
        if (f->buf_at[b] != NONE && !is_one_walk(k, &k->bufs.at[b], (size_t)f->buf_at[b])) return false;
    for (uint32_t d = 0; d < k->defs.n; d++) {
        const gn_kdef *def = &k->defs.at[d];
        for (size_t r = 0; r < def->nraxis; r++)
            if (is_paired(f, def->raxis[r])) return false;
        if (!fits_index(f, true, d, param_index(f, def))) return false;
    }
    for (size_t s = 0; s < k->stores.n; s++)
        if (!fits_index(f, false, k->stores.at[s].buf, k->stores.at[s].index)) return false;
    for (size_t e = 0; e < f->exprs.n; e++)
        if (!fits_expr(f, f->exprs.at[e])) return false;
    return true;
}

/* ---- the kernel anew ---- */

typedef struct writer {
    const flattening *f;
    gn_kernel *k;                /* after */
    int32_t *axis;               /* by old axis */
} writer;

static const gn_dim *rename_walk(void *user, const char *symbol)
{
    const writer *w = user;
    for (size_t a = 0; a < w->f->k->axes.n; a++)
        if (w->f->inner[a] != NONE && gn_dim_sym(w->f->k->dims, symbol) == walk_of(w->f, (int32_t)a))
            return gn_dim_sym(w->k->dims, w->f->k->axes.at[a].name);
    return NULL;
}

static const gn_dim *write_dim(const writer *w, const gn_dim *flat)
{
    return gn_dim_subst(w->k->dims, gn_dim_import(w->k->dims, flat), rename_walk, (void *)w);
}

static void write_index(void *user, bool of_def, uint32_t of, const gn_dim *const *index, const gn_dim **out)
{
    const writer *w = user;
    size_t n;
    flat_index(w->f, of_def, of, index, out, &n);
    for (size_t d = 0; d < n; d++) out[d] = write_dim(w, out[d]);
}

static void write_axes(writer *w)
{
    const gn_kernel *old = w->f->k;
    w->axis = GN_NEW_ARRAY(w->f->scratch, int32_t, old->axes.n + 1);
    for (size_t a = 0; a < old->axes.n; a++) {
        const int32_t inner = w->f->inner[a];
        if (w->f->outer[a] != NONE) continue;
        const gn_dim *e = old->axes.at[a].extent;
        if (inner != NONE) e = gn_dim_mul(old->dims, e, extent_of(w->f, inner));
        w->axis[a] = (int32_t)gn_kernel_axis(w->k, old->axes.at[a].name, write_dim(w, e));
    }
    for (size_t a = 0; a < old->axes.n; a++)
        if (w->f->outer[a] != NONE) w->axis[a] = w->axis[w->f->outer[a]];
    for (size_t a = 0; a < old->axes.n; a++) {
        gn_kaxis *made = &w->k->axes.at[w->axis[a]];
        if (old->axes.at[a].role > made->role) made->role = old->axes.at[a].role;
    }
}

static void write_bufs(writer *w)
{
    const gn_kernel *old = w->f->k;
    for (size_t b = 0; b < old->bufs.n; b++) {
        const gn_kbuf *x = &old->bufs.at[b];
        const gn_dim *shape[GN_MAX_RANK];
        size_t n = 0;
        for (size_t d = 0; d < x->rank; d++) {
            const gn_dim *e = x->shape[d];
            if ((int32_t)d == w->f->buf_at[b]) e = gn_dim_mul(old->dims, e, x->shape[++d]);
            shape[n++] = gn_dim_import(w->k->dims, e);
        }
        const uint32_t at = gn_kernel_buf(w->k, x->name, x->dtype, n, shape);
        w->k->bufs.at[at].align = x->align;
        if (x->below) w->k->bufs.at[at].below = gn_dim_import(w->k->dims, x->below);
        w->k->bufs.at[at].shares = x->shares;
        if (!x->stride) continue;
        const gn_dim **stride = GN_NEW_ARRAY(w->k->arena, const gn_dim *, n);
        for (size_t d = 0; d < n; d++)
            stride[d] =
                gn_dim_import(w->k->dims, x->stride[d + (w->f->buf_at[b] != NONE && (int32_t)d >= w->f->buf_at[b])]);
        w->k->bufs.at[at].stride = stride;
    }
}

static const gn_dim *write_moved(void *user, const gn_dim *d)
{
    const writer *w = user;
    return write_dim(w, moved(w->f, d));
}

static gn_kernel *write_kernel(const flattening *f)
{
    writer w = { .f = f, .k = gn_kernel_new(f->k->arena, f->k->name) };
    w.k->comment = f->k->comment;
    for (size_t s = 0; s < f->k->syms.n; s++) gn_kernel_sym_like(w.k, &f->k->syms.at[s]);
    write_bufs(&w);
    write_axes(&w);
    gn_kernel_rewrite(&(gn_krewrite){ f->k, w.k, w.axis, write_moved, write_index, &w }, f->scratch);
    for (size_t p = 0; p < f->k->pieces.n; p++) {
        gn_kernel_piece piece = f->k->pieces.at[p];
        for (uint32_t a = 0; a < f->k->pieces.at[p].first_axis; a++) piece.first_axis -= f->outer[a] != NONE;
        gn_push(w.k->arena, &w.k->pieces, piece);
    }
    return w.k;
}

/* ---- the neighbours that are tried ---- */

static gn_kernel *flatten_once(gn_kernel *k, gn_arena *scratch)
{
    flattening f;
    for (size_t s = 0; s < k->stores.n; s++) {
        const gn_kstore *st = &k->stores.at[s];
        for (size_t d = 0; d + 1 < k->bufs.at[st->buf].rank; d++) {
            const int32_t i = gn_kernel_plain_axis(k, st->index[d]), j = gn_kernel_plain_axis(k, st->index[d + 1]);
            if (i == NONE || j == NONE || i == j) continue;
            start(&f, k, scratch);
            grow(&f, i, j);
            if (!f.wrong && fits(&f)) return write_kernel(&f);
        }
    }
    return NULL;
}

gn_kernel *gn_kernel_flatten(gn_kernel *k, gn_arena *scratch)
{
    for (gn_kernel *next = k; next; next = flatten_once(k, scratch)) k = next;
    return k;
}
