/* What a public builder does around its work. */
#include "request.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

_Noreturn void gn_request_fail(gn_graph *g, const gn_request *r, gn_status status, const char *format, ...)
{
    char sentence[400];
    gn_expr *known[16];
    size_t n = 0;
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    for (size_t i = 0; r->x && i < r->n && n < 16; i++) {
        if (r->x[i]) known[n++] = r->x[i];
    }
    gn_throw_at(g, status, r->name, known, n, "%s", sentence);
}

static gn_expr *operand(const gn_request *r, size_t i)
{
    return r->list ? r->list[i] : r->in[i].expr;
}

static bool is_number(const gn_request *r, size_t i)
{
    return !r->list && r->in[i].kind != 0;
}

/* NULL, foreign and failed operands end here. */
static gn_expr *make(gn_graph *g, void *arg)
{
    gn_request r = *(const gn_request *)arg;
    r.x = GN_NEW_ARRAY(&g->arena, gn_expr *, r.n + 1);
    for (size_t i = 0; i < r.n; i++) {
        gn_expr *const e = operand(&r, i);
        if (!is_number(&r, i) && !e) gn_request_fail(g, &r, GN_EINVAL, "operand %zu is NULL", i + 1);
    }
    for (size_t i = 0; i < r.n; i++) {
        gn_expr *const e = operand(&r, i);
        if (is_number(&r, i)) continue;
        if (gn_is_error(e)) return g->error;
        if (gn_graph_in(e) != g) gn_request_fail(g, &r, GN_EINVAL, "operand %zu belongs to another graph", i + 1);
        r.x[i] = e;
    }
    gn_builder builder = { r.name, r.n, gn_arena_copy(&g->arena, r.x, r.n * sizeof *r.x), NULL };
    for (size_t i = 0; i < r.n; i++) {
        if (!r.x[i]) continue;
        if (r.x[i]->type->kind == GN_TYPE_TUPLE) gn_request_fail(g, &r, GN_EINVAL, "operand %zu is a tuple", i + 1);
        if (!gn_dtype_computes(gn_dtype_in(r.x[i])))
            gn_request_fail(g, &r, GN_EDTYPE, GN_NOT_COMPUTED, gn_dtype_name(gn_dtype_in(r.x[i])));
    }
    if ((unsigned)r.dtype < GN_NDTYPES && !gn_dtype_computes(r.dtype))
        gn_request_fail(g, &r, GN_EDTYPE, GN_NOT_COMPUTED, gn_dtype_name(r.dtype));
    g->builder = &builder; /* until gn_build ends */
    if (r.text) builder.text = r.text = gn_request_text(g, &r), r.args = NULL;
    return r.make(g, &r);
}

gn_expr *gn_request_make(gn_loc loc, const gn_request *r)
{
    gn_graph *g = r->graph;
    gn_expr *lost = NULL; /* an error node of no graph */
    gn_request copy = *r;
    for (size_t i = 0; i < r->n; i++) {
        gn_expr *const e = operand(r, i);
        if (e && !gn_graph_in(e)) lost = e;
        else if (e && !g) g = gn_graph_in(e);
    }
    if (lost) return lost;
    return gn_build(loc, g, make, &copy);
}

/* ---- dtypes and shapes ---- */

void gn_request_equal(gn_graph *g, const gn_request *r, const gn_dim *a, const gn_dim *b, const char *what)
{
    if (gn_dim_never_equal(&g->dims, a, b))
        gn_request_fail(g, r, GN_ESHAPE, "%s differ: %s and %s", what, gn_dim_text(&g->arena, a),
                        gn_dim_text(&g->arena, b));
}

gn_dtype gn_float_of(gn_dtype t)
{
    return gn_is_float(t) ? t : GN_F32;
}

void gn_request_promote(gn_graph *g, const gn_request *r, size_t from, int to)
{
    bool any = false, fraction = false;
    gn_dtype t = GN_BOOL;
    for (size_t i = from; i < r->n; i++) {
        if (r->x[i]) t = any ? gn_dtype_promote(t, gn_dtype_in(r->x[i])) : gn_dtype_in(r->x[i]), any = true;
        else fraction = fraction || r->in[i].kind == 1;
    }
    bool numbers = false;
    for (size_t i = from; i < r->n; i++) numbers = numbers || !r->x[i];
    if ((fraction || to == GN_TO_FLOAT) && !gn_is_float(t)) t = GN_F32;
    if (t == GN_BOOL && (to == GN_TO_NUMBER || numbers)) t = GN_I32;
    for (size_t i = from; i < r->n; i++)
        r->x[i] = r->x[i] ? gn_make_cast(g, r->x[i], t) : gn_number_node(g, r->name, t, &r->in[i]);
}

gn_expr *gn_request_repeat(gn_graph *g, const gn_request *r, gn_expr *x, size_t rank, const gn_dim *const *shape)
{
    const gn_dim *kept[GN_MAX_RANK];
    int64_t to[GN_MAX_RANK];
    const size_t mine = gn_rank_in(x);
    size_t n = 0;
    if (mine > rank) gn_request_fail(g, r, GN_ESHAPE, "a tensor of rank %zu does not broadcast to rank %zu", mine, rank);
    for (size_t d = 0; d < mine; d++) {
        const gn_dim *want = shape[rank - mine + d], *have = gn_extent(x, d);
        if (gn_dim_is(have, 1) && want != have) continue;
        gn_request_equal(g, r, have, want, "extents");
        kept[n] = have, to[n++] = (int64_t)(rank - mine + d);
    }
    return gn_make_broadcast(g, gn_make_reshape(g, x, n, kept), rank, shape, to);
}

void gn_request_broadcast(gn_graph *g, const gn_request *r)
{
    gn_broadcast_common(g, r->name, r->n, r->x);
}

/* ---- axes and texts ---- */

int64_t gn_request_axis(gn_graph *g, const gn_request *r, int axis, size_t rank)
{
    const int64_t n = (int64_t)rank;
    if (axis < -n || axis >= n) gn_request_fail(g, r, GN_EAXIS, "axis %d of a tensor of rank %zu", axis, rank);
    return axis < 0 ? axis + n : axis;
}

gn_axis_list gn_request_axes(gn_graph *g, const gn_request *r, gn_axes axes, size_t rank, bool keep_order)
{
    gn_axis_list l = { 0 };
    if (axes.n < 0 || (axes.n > 0 && !axes.at)) gn_request_fail(g, r, GN_EINVAL, "a list of axes that is none");
    for (int i = 0; i < axes.n; i++) {
        const int64_t a = gn_request_axis(g, r, axes.at[i], rank);
        if (gn_has_axis(&l, a)) gn_request_fail(g, r, GN_EAXIS, "axis %d is named twice", axes.at[i]);
        size_t at = l.n++;
        while (!keep_order && at > 0 && l.at[at - 1] > a) l.at[at] = l.at[at - 1], at--;
        l.at[at] = a;
    }
    return l;
}

gn_axis_list gn_all_axes(size_t rank)
{
    gn_axis_list l = { .n = rank };
    for (size_t d = 0; d < rank; d++) l.at[d] = (int64_t)d;
    return l;
}

const char *gn_request_text(gn_graph *g, const gn_request *r)
{
    va_list copy;
    if (!r->text) gn_request_fail(g, r, GN_EINVAL, "a text that is NULL");
    if (!r->args) return r->text;
    va_copy(copy, *r->args); /* it may be asked for again */
    const char *const text = gn_arena_printf_v(&g->arena, r->text, copy);
    va_end(copy);
    return text;
}

typedef struct reading {
    gn_graph *g;
    const char *text;
    const gn_dim **out;
    size_t n;
} reading;

static void read_dims(void *arg)
{
    reading *const a = arg;
    a->n = gn_dim_read_shape(&a->g->dims, a->text, a->out, GN_MAX_RANK);
}

size_t gn_request_dims(gn_graph *g, const gn_request *r, const char *text, const gn_dim **out)
{
    reading a = { .g = g, .text = text, .out = out };
    const gn_status bad = gn_protect(read_dims, &a); /* its message knows no line of the user's */
    if (bad) gn_request_fail(g, r, bad, "%s", gn_message());
    return a.n;
}

static void read_extent(void *arg)
{
    reading *const a = arg;
    *a->out = gn_dim_read_extent(&a->g->dims, a->text);
}

const gn_dim *gn_request_extent(gn_graph *g, const gn_request *r, const char *text)
{
    const gn_dim *d = NULL;
    reading a = { .g = g, .text = text, .out = &d };
    const gn_status bad = gn_protect(read_extent, &a);
    if (bad) gn_request_fail(g, r, bad, "%s", gn_message());
    return d;
}

size_t gn_request_shape(gn_graph *g, const gn_request *r, const gn_dim **shape)
{
    const char *text = gn_request_text(g, r);
    const size_t rank = gn_request_dims(g, r, text, shape);
    int64_t v;
    for (size_t d = 0; d < rank; d++) {
        if (gn_dim_is_const(shape[d], &v) && v < 0)
            gn_request_fail(g, r, GN_ESHAPE, "an extent of %lld in \"%s\"", (long long)v, text);
    }
    return rank;
}
