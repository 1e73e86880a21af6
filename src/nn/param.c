/* Parameters: shared variables that gn_params finds. */
#include <gnomon/ffi.h>
#include <stdio.h>
#include "expr.h"
#include "init.h"

typedef struct request {
    gn_loc loc;
    const char *name;
    gn_dtype dtype;
    const gn_init *init;
    const char *format;
    va_list *args;     /* of the format; NULL: it is the shape */
    const char *shape;
    gn_graph *graph;
    gn_array value;
    gn_arena scratch;
} request;

/* "784, 500", or "()" for a scalar. */
static gn_array read_shape(gn_graph *g, const request *r)
{
    const gn_dim *dim[GN_MAX_RANK];
    int64_t shape[GN_MAX_RANK];
    const size_t rank = gn_dim_read_shape(&g->dims, r->shape, dim, GN_MAX_RANK);
    for (size_t d = 0; d < rank; d++) {
        if (!gn_dim_is_const(dim[d], &shape[d]) || shape[d] < 0) {
            gn_throw(GN_ESHAPE, "extent %zu of the shape %s is not a number of elements", d, r->shape);
        }
    }
    const gn_array a = gn_array_of(NULL, r->dtype, (int)rank, shape);
    if (gn_array_count(&a) < 0) gn_throw(GN_ENOMEM, "the size of %s overflows", r->shape);
    return a;
}

static void make_value(void *arg)
{
    request *r = arg;
    r->shape = r->args ? gn_arena_printf_v(&r->scratch, r->format, *r->args) : r->format;
    r->value = read_shape(r->graph, r);
    r->value.data = gn_arena_alloc_n(&r->scratch, (size_t)gn_array_count(&r->value) + 1, gn_dtype_size(r->dtype), 64);
    gn_init_fill(&r->scratch, &r->value, r->init, r->graph->seed, r->name);
}

static gn_expr *build_param(gn_graph *g, void *arg)
{
    request *r = arg;
    if (!r->name) gn_throw_at(g, GN_EINVAL, "param", NULL, 0, "its name is NULL");
    if (!gn_dtype_name(r->dtype))
        gn_throw_at(g, GN_EDTYPE, "param", NULL, 0, "\"%s\": %d is no dtype", r->name, (int)r->dtype);
    if (!r->format) gn_throw_at(g, GN_EINVAL, "param", NULL, 0, "\"%s\": its shape is NULL; a scalar is \"()\"", r->name);
    r->graph = g;
    const gn_status bad = gn_protect(make_value, r);
    if (bad) gn_throw_at(g, bad, "param", NULL, 0, "\"%s\": %s", r->name, gn_message());
    gn_expr *e = gn_shared_at(r->loc, g, r->name, r->value);
    if (gn_is_error(e)) gn_rethrow(gn_error_of(e));
    gn_push(&g->arena, &g->params, e);
    return e;
}

static gn_expr *make_param(gn_loc loc, gn_graph *g, request *r)
{
    r->loc = loc;
    if (g) r->scratch.allocator = g->arena.allocator;
    gn_expr *e = gn_build(loc, g, build_param, r);
    gn_arena_free(&r->scratch);
    return e;
}

gn_expr *gn_param_text(gn_loc loc, gn_graph *g, const char *name, gn_dtype dtype, gn_init init, const char *shape)
{
    request r = { .name = name, .dtype = dtype, .init = &init, .format = shape };
    return make_param(loc, g, &r);
}

gn_expr *gn_param_at(gn_loc loc, gn_graph *g, const char *name, gn_dtype dtype, gn_init init, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    request r = { .name = name, .dtype = dtype, .init = &init, .format = shape, .args = &args };
    gn_expr *const e = make_param(loc, g, &r);
    va_end(args);
    return e;
}

gn_exprs gn_params(gn_graph *g)
{
    return g ? (gn_exprs){ g->params.n, g->params.at } : (gn_exprs){ 0 };
}
