/* Public builders: movement. */
#include "request.h"
#include <string.h>

/* ---- shapes ---- */

/* The one extent written as -1, or rank if there is none. */
static size_t find_rest(gn_graph *g, const gn_request *r, size_t rank, const gn_dim *const *shape)
{
    size_t rest = rank;
    for (size_t d = 0; d < rank; d++) {
        int64_t v;
        if (!gn_dim_is_const(shape[d], &v) || v >= 0) continue;
        if (v != -1 || rest != rank)
            gn_request_fail(g, r, GN_ESHAPE, "extents may not be negative, but for one -1: %s", gn_request_text(g, r));
        rest = d;
    }
    return rest;
}

/* What remains of x's elements beside the extents that are named. Extents that x has as well cancel, so that names need no
 * division. */
static const gn_dim *rest_of(gn_graph *g, const gn_expr *x, size_t rank, const gn_dim *const *shape, size_t rest)
{
    gn_dim_pool *p = &g->dims;
    const gn_dim *have = gn_dim_const(p, 1), *named = have;
    uint32_t gone = 0;
    for (size_t d = 0; d < rank; d++) {
        size_t same = 0;
        while (same < gn_rank_in(x) && (gone >> same & 1 || gn_extent(x, same) != shape[d])) same++;
        if (d == rest) continue;
        if (same < gn_rank_in(x) && !gn_dim_is(shape[d], 0)) gone |= 1u << same;
        else named = gn_dim_mul(p, named, shape[d]);
    }
    for (size_t d = 0; d < gn_rank_in(x); d++) have = gone >> d & 1 ? have : gn_dim_mul(p, have, gn_extent(x, d));
    return gn_dim_is(named, 0) ? NULL : gn_dim_div(p, have, named);
}

static gn_expr *make_reshape(gn_graph *g, const gn_request *r)
{
    const gn_dim *shape[GN_MAX_RANK];
    const size_t rank = gn_request_dims(g, r, gn_request_text(g, r), shape), rest = find_rest(g, r, rank, shape);
    if (rest < rank) {
        shape[rest] = rest_of(g, r->x[0], rank, shape, rest);
        if (!shape[rest])
            gn_request_fail(g, r, GN_ESHAPE, "-1 beside an extent of 0 could be anything: %s", gn_request_text(g, r));
    }
    return gn_make_reshape(g, r->x[0], rank, shape);
}

static gn_expr *make_broadcast_to(gn_graph *g, const gn_request *r)
{
    const gn_dim *shape[GN_MAX_RANK];
    const size_t rank = gn_request_shape(g, r, shape);
    return gn_request_repeat(g, r, r->x[0], rank, shape);
}

static gn_expr *make_permute(gn_graph *g, const gn_request *r)
{
    const size_t rank = gn_rank_in(r->x[0]);
    const gn_axis_list axes = gn_request_axes(g, r, r->axes, rank, true);
    if (axes.n != rank) gn_request_fail(g, r, GN_EAXIS, "%zu axes for a tensor of rank %zu", axes.n, rank);
    return gn_make_permute(g, r->x[0], axes.at);
}

static gn_expr *make_transpose(gn_graph *g, const gn_request *r)
{
    const size_t rank = gn_rank_in(r->x[0]);
    gn_axis_list axes = gn_all_axes(rank);
    if (rank < 2) gn_request_fail(g, r, GN_ESHAPE, "a tensor of rank %zu; at least 2 is needed", rank);
    axes.at[rank - 2] = (int64_t)rank - 1, axes.at[rank - 1] = (int64_t)rank - 2;
    return gn_make_permute(g, r->x[0], axes.at);
}

static gn_expr *make_expand(gn_graph *g, const gn_request *r)
{
    const gn_expr *x = r->x[0];
    const size_t more = r->axes.n > 0 ? (size_t)r->axes.n : 0, rank = gn_rank_in(x) + more;
    if (rank > GN_MAX_RANK)
        gn_request_fail(g, r, GN_ESHAPE, "a result of rank %zu; at most %d is possible", rank, GN_MAX_RANK);
    const gn_axis_list axes = gn_request_axes(g, r, r->axes, rank, false);
    const gn_dim *shape[GN_MAX_RANK];
    for (size_t d = 0, from = 0; d < rank; d++) {
        if (gn_has_axis(&axes, (int64_t)d)) shape[d] = gn_dim_const(&g->dims, 1);
        else shape[d] = gn_extent(x, from++);
    }
    return gn_make_reshape(g, r->x[0], rank, shape);
}

static gn_expr *make_squeeze(gn_graph *g, const gn_request *r)
{
    const gn_expr *x = r->x[0];
    const gn_axis_list axes = gn_request_axes(g, r, r->axes, gn_rank_in(x), false);
    const gn_dim *shape[GN_MAX_RANK];
    size_t rank = 0;
    for (size_t d = 0; d < gn_rank_in(x); d++) {
        if (!gn_has_axis(&axes, (int64_t)d)) shape[rank++] = gn_extent(x, d);
        else if (!gn_dim_is(gn_extent(x, d), 1))
            gn_request_fail(g, r, GN_ESHAPE, "axis %zu is not known to have extent 1", d);
    }
    return gn_make_reshape(g, r->x[0], rank, shape);
}

static gn_expr *make_flip(gn_graph *g, const gn_request *r)
{
    const gn_axis_list axes = gn_request_axes(g, r, r->axes, gn_rank_in(r->x[0]), false);
    return gn_make_flip(g, r->x[0], &axes);
}

/* ---- ranges: "start:stop:step" per axis ---- */

/* Splits at `separator` outside parentheses; returns how many parts; NULL-terminated copies, blanks at both ends cut. */
static size_t split_text(gn_graph *g, const gn_request *r, const char *text, char separator, const char **part,
                         size_t capacity)
{
    size_t n = 0;
    int depth = 0;
    for (const char *from = text, *at = text;; at++) {
        depth += (*at == '(') - (*at == ')');
        if (*at != '\0' && (*at != separator || depth > 0)) continue;
        const char *end = at;
        while (from < end && *from == ' ') from++;
        while (end > from && end[-1] == ' ') end--;
        if (n == capacity)
            gn_request_fail(g, r, GN_ESYNTAX, "more than %zu parts between '%c' in \"%s\"", capacity, separator, text);
        char *copy = gn_arena_copy(&g->arena, from, (size_t)(end - from) + 1);
        copy[end - from] = '\0';
        part[n++] = copy;
        if (*at == '\0') return n;
        from = at + 1;
    }
}

/* A place on an axis: negative numbers count from the end. */
static const gn_dim *read_place(gn_graph *g, const gn_request *r, const char *text, const gn_dim *extent,
                                const gn_dim *otherwise)
{
    if (*text == '\0') return otherwise;
    const gn_dim *d = gn_request_extent(g, r, text);
    int64_t v;
    return gn_dim_is_const(d, &v) && v < 0 ? gn_dim_add(&g->dims, extent, d) : d;
}

typedef struct ranges {
    const gn_dim *start[GN_MAX_RANK], *shape[GN_MAX_RANK];
    int64_t step[GN_MAX_RANK];
    gn_axis_list flipped, dropped;
} ranges;

static int64_t read_step(gn_graph *g, const gn_request *r, const char *text)
{
    int64_t step = 1;
    if (*text != '\0' && !gn_dim_is_const(gn_request_extent(g, r, text), &step))
        gn_request_fail(g, r, GN_ESYNTAX, "the step \"%s\" is no number", text);
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
        gn_request_fail(g, r, GN_EINVAL, "a step of %lld: from 1 to %d, or negative, is possible", (long long)step,
                        INT32_MAX);
    return step;
}

/* Throws where the bounds are outside for every size; what is open the type rule leaves to the call. */
static void check_bounds(gn_graph *g, const gn_request *r, size_t axis, const char *text, const gn_dim *start,
                         const gn_dim *stop, const gn_dim *extent)
{
    int64_t low, high;
    const char *const range = gn_arena_printf(&g->arena, "the range \"%s\" of axis %zu with extent %s", text, axis,
                                              gn_dim_text(&g->arena, extent));
    gn_dim_range(start, NULL, &low, &high);
    if (high < 0) gn_request_fail(g, r, GN_ESHAPE, "%s starts before it", range);
    gn_dim_range(gn_dim_sub(&g->dims, extent, stop), NULL, &low, &high);
    if (high < 0) gn_request_fail(g, r, GN_ESHAPE, "%s ends after it", range);
    gn_dim_range(gn_dim_sub(&g->dims, stop, start), NULL, &low, &high);
    if (high < 0) gn_request_fail(g, r, GN_ESHAPE, "%s ends before it starts", range);
}

/* Backwards from `start` down to above `stop` is forwards in the axis flipped: element i is there at extent - 1 - i. */
static void read_range(gn_graph *g, const gn_request *r, size_t axis, const char *text, ranges *o)
{
    gn_dim_pool *p = &g->dims;
    const gn_dim *zero = gn_dim_const(p, 0), *one = gn_dim_const(p, 1), *extent = gn_extent(r->x[0], axis);
    const char *part[3] = { "", "", "" };
    const size_t n = split_text(g, r, text, ':', part, 3);
    const int64_t step = n == 1 ? 1 : read_step(g, r, part[2]);
    const gn_dim *low, *high;
    if (n == 1) {
        if (*part[0] == '\0') gn_request_fail(g, r, GN_ESYNTAX, "an empty range");
        low = read_place(g, r, part[0], extent, NULL), high = gn_dim_add(p, low, one);
        o->dropped.at[o->dropped.n++] = (int64_t)axis;
    } else if (step > 0) {
        low = read_place(g, r, part[0], extent, zero), high = read_place(g, r, part[1], extent, extent);
    } else {
        high = gn_dim_add(p, read_place(g, r, part[0], extent, gn_dim_sub(p, extent, one)), one);
        low = *part[1] == '\0' ? zero : gn_dim_add(p, read_place(g, r, part[1], extent, NULL), one);
        o->flipped.at[o->flipped.n++] = (int64_t)axis;
    }
    check_bounds(g, r, axis, text, low, high, extent);
    o->start[axis] = step > 0 ? low : gn_dim_sub(p, extent, high);
    o->step[axis] = step > 0 ? step : -step;
    o->shape[axis] = gn_dim_cdiv(p, gn_dim_sub(p, high, low), gn_dim_const(p, o->step[axis]));
}

static gn_expr *make_slice(gn_graph *g, const gn_request *r)
{
    const gn_expr *x = r->x[0];
    const size_t rank = gn_rank_in(x);
    const char *part[GN_MAX_RANK];
    const char *text = gn_request_text(g, r);
    const size_t n = split_text(g, r, text, ',', part, GN_MAX_RANK);
    ranges o = { 0 };
    if (n > rank) gn_request_fail(g, r, GN_EAXIS, "%zu ranges for a tensor of rank %zu: %s", n, rank, text);
    for (size_t d = 0; d < rank; d++) read_range(g, r, d, d < n ? part[d] : ":", &o);
    gn_expr *const y = gn_make_slice(g, gn_make_flip(g, r->x[0], &o.flipped), o.start, o.step, o.shape);
    const gn_dim *kept[GN_MAX_RANK];
    size_t left = 0;
    for (size_t d = 0; d < rank; d++) {
        if (!gn_has_axis(&o.dropped, (int64_t)d)) kept[left++] = gn_extent(y, d);
    }
    return gn_make_reshape(g, y, left, kept);
}

static gn_expr *make_pad(gn_graph *g, const gn_request *r)
{
    gn_request_promote(g, r, 0, GN_TO_ANY);
    const gn_expr *x = r->x[0];
    const size_t rank = gn_rank_in(x);
    gn_dim_pool *p = &g->dims;
    const gn_dim *start[GN_MAX_RANK], *shape[GN_MAX_RANK], *zero = gn_dim_const(p, 0);
    int64_t step[GN_MAX_RANK];
    const char *axis[GN_MAX_RANK], *text = gn_request_text(g, r);
    const size_t n = split_text(g, r, text, ',', axis, GN_MAX_RANK);
    if (n > rank) gn_request_fail(g, r, GN_EAXIS, "%zu widths for a tensor of rank %zu: %s", n, rank, text);
    for (size_t d = 0; d < rank; d++) {
        const char *part[2] = { "", "" };
        if (d < n && split_text(g, r, axis[d], ':', part, 2) != 2)
            gn_request_fail(g, r, GN_ESYNTAX, "\"%s\" is not \"before:after\"", axis[d]);
        const gn_dim *after = *part[1] ? gn_request_extent(g, r, part[1]) : zero;
        int64_t low, high;
        start[d] = *part[0] ? gn_request_extent(g, r, part[0]) : zero, step[d] = 1;
        gn_dim_range(start[d], NULL, &low, &high);
        if (high < 0) gn_request_fail(g, r, GN_ESHAPE, "a negative width: %s", axis[d]);
        gn_dim_range(after, NULL, &low, &high);
        if (high < 0) gn_request_fail(g, r, GN_ESHAPE, "a negative width: %s", axis[d]);
        shape[d] = gn_dim_add(p, gn_dim_add(p, start[d], gn_extent(x, d)), after);
    }
    return gn_make_pad(g, r->x[0], r->x[1], start, step, shape);
}

/* ---- joining and cutting ---- */

static gn_expr *make_concat(gn_graph *g, const gn_request *r)
{
    if (r->n == 0) gn_request_fail(g, r, GN_EINVAL, "an empty list");
    gn_request_promote(g, r, 0, GN_TO_ANY);
    return gn_make_concat(g, r->x, r->n, gn_request_axis(g, r, r->axis, gn_rank_in(r->x[0])));
}

static gn_expr *make_stack(gn_graph *g, const gn_request *r)
{
    if (r->n == 0) gn_request_fail(g, r, GN_EINVAL, "an empty list");
    gn_request_promote(g, r, 0, GN_TO_ANY);
    const size_t rank = gn_rank_in(r->x[0]) + 1;
    if (rank > GN_MAX_RANK)
        gn_request_fail(g, r, GN_ESHAPE, "a result of rank %zu; at most %d is possible", rank, GN_MAX_RANK);
    const int64_t axis = gn_request_axis(g, r, r->axis, rank);
    for (size_t i = 0; i < r->n; i++) {
        const gn_dim *shape[GN_MAX_RANK];
        if (gn_rank_in(r->x[i]) + 1 != rank) gn_request_fail(g, r, GN_ESHAPE, "operands differ in rank");
        for (size_t d = 0; d < rank; d++)
            shape[d] = (int64_t)d == axis ? gn_dim_const(&g->dims, 1) : gn_extent(r->x[i], (int64_t)d > axis ? d - 1 : d);
        r->x[i] = gn_make_reshape(g, r->x[i], rank, shape);
    }
    return gn_make_concat(g, r->x, r->n, axis);
}

static gn_expr *make_split(gn_graph *g, const gn_request *r)
{
    const gn_expr *x = r->x[0];
    const size_t rank = gn_rank_in(x);
    const int64_t axis = gn_request_axis(g, r, r->axis, rank), n = (int64_t)r->number;
    gn_dim_pool *p = &g->dims;
    if (n < 1) gn_request_fail(g, r, GN_EINVAL, "%lld parts", (long long)n);
    if (rank == GN_MAX_RANK)
        gn_request_fail(g, r, GN_ESHAPE, "a tensor of rank %zu; at most %d is possible", rank, GN_MAX_RANK - 1);
    const gn_dim *extent = gn_extent(x, (size_t)axis), *part = gn_dim_div(p, extent, gn_dim_const(p, n));
    const gn_dim *start[GN_MAX_RANK], *shape[GN_MAX_RANK], *piece[GN_MAX_RANK];
    int64_t step[GN_MAX_RANK];
    gn_request_equal(g, r, gn_dim_scale(p, part, n), extent, "the parts together and the extent");
    for (size_t d = 0, k = 0; d < rank; d++) {
        if ((int64_t)d == axis) shape[k++] = gn_dim_const(p, n);
        shape[k++] = piece[d] = (int64_t)d == axis ? part : gn_extent(x, d);
    }
    /* keeps the constraint that n divides the extent */
    gn_expr *const whole = gn_make_reshape(g, r->x[0], rank + 1, shape);
    for (size_t d = 0; d <= rank; d++) start[d] = gn_dim_const(p, 0), step[d] = 1;
    shape[axis] = gn_dim_const(p, 1);
    for (int64_t i = 0; i < n; i++) {
        start[axis] = gn_dim_const(p, i);
        r->out[i] = gn_make_reshape(g, gn_make_slice(g, whole, start, step, shape), rank, piece);
    }
    return r->out[0];
}

/* ---- the public functions ---- */

static gn_expr *with_text(gn_loc loc, const char *name, gn_expr *(*maker)(gn_graph *, const gn_request *), gn_expr *x,
                          const char *text, va_list *args)
{
    return gn_request_make(
        loc,
        &(gn_request){ .name = name, .make = maker, .text = text, .args = args, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_reshape_text(gn_loc loc, gn_expr *x, const char *shape)
{
    return with_text(loc, "reshape", make_reshape, x, shape, NULL);
}

gn_expr *gn_reshape_at(gn_loc loc, gn_expr *x, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = with_text(loc, "reshape", make_reshape, x, shape, &args);
    va_end(args);
    return y;
}

gn_expr *gn_broadcast_to_text(gn_loc loc, gn_expr *x, const char *shape)
{
    return with_text(loc, "broadcast_to", make_broadcast_to, x, shape, NULL);
}

gn_expr *gn_broadcast_to_at(gn_loc loc, gn_expr *x, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    gn_expr *const y = with_text(loc, "broadcast_to", make_broadcast_to, x, shape, &args);
    va_end(args);
    return y;
}

gn_expr *gn_slice_text(gn_loc loc, gn_expr *x, const char *text)
{
    return with_text(loc, "slice", make_slice, x, text, NULL);
}

gn_expr *gn_slice_at(gn_loc loc, gn_expr *x, const char *text, ...)
{
    va_list args;
    va_start(args, text);
    gn_expr *const y = with_text(loc, "slice", make_slice, x, text, &args);
    va_end(args);
    return y;
}

static gn_expr *pad(gn_loc loc, gn_expr *x, gn_operand value, const char *widths, va_list *args)
{
    return gn_request_make(loc, &(gn_request){ .name = "pad", .make = make_pad, .text = widths, .args = args, .n = 2,
                                               .in = { gn_operand_expr(x), value } });
}

gn_expr *gn_pad_text(gn_loc loc, gn_expr *x, gn_operand value, const char *widths)
{
    return pad(loc, x, value, widths, NULL);
}

gn_expr *gn_pad_at(gn_loc loc, gn_expr *x, gn_operand value, const char *widths, ...)
{
    va_list args;
    va_start(args, widths);
    gn_expr *const y = pad(loc, x, value, widths, &args);
    va_end(args);
    return y;
}

static gn_expr *with_axes(gn_loc loc, const char *name, gn_expr *(*maker)(gn_graph *, const gn_request *), gn_expr *x,
                          gn_axes axes)
{
    return gn_request_make(
        loc, &(gn_request){ .name = name, .make = maker, .axes = axes, .n = 1, .in = { gn_operand_expr(x) } });
}

gn_expr *gn_permute_at(gn_loc loc, gn_expr *x, gn_axes axes)
{
    return with_axes(loc, "permute", make_permute, x, axes);
}

gn_expr *gn_transpose_at(gn_loc loc, gn_expr *x)
{
    return with_axes(loc, "transpose", make_transpose, x, (gn_axes){ 0 });
}

gn_expr *gn_expand_at(gn_loc loc, gn_expr *x, gn_axes axes)
{
    return with_axes(loc, "expand", make_expand, x, axes);
}

gn_expr *gn_squeeze_at(gn_loc loc, gn_expr *x, gn_axes axes)
{
    return with_axes(loc, "squeeze", make_squeeze, x, axes);
}

gn_expr *gn_flip_at(gn_loc loc, gn_expr *x, gn_axes axes)
{
    return with_axes(loc, "flip", make_flip, x, axes);
}

gn_expr *gn_concat_at(gn_loc loc, gn_exprs xs, int axis)
{
    return gn_request_make(
        loc, &(gn_request){ .name = "concat", .make = make_concat, .axis = axis, .n = xs.n, .list = xs.at });
}

gn_expr *gn_stack_at(gn_loc loc, gn_exprs xs, int axis)
{
    return gn_request_make(
        loc, &(gn_request){ .name = "stack", .make = make_stack, .axis = axis, .n = xs.n, .list = xs.at });
}

void gn_split_at(gn_loc loc, gn_expr *x, int axis, int n, gn_expr **out)
{
    gn_expr *const first = gn_request_make(loc, &(gn_request){ .name = "split",
                                                               .make = make_split,
                                                               .axis = axis,
                                                               .number = n,
                                                               .out = out,
                                                               .n = 1,
                                                               .in = { gn_operand_expr(x) } });
    for (int i = 0; i < n && (!first || gn_is_error(first)); i++) out[i] = first;
}
