/* Builders of leaves: inputs, shared variables, constants, dims. */
#include "op.h"
#include "build.h"
#include "context.h"
#include "view.h"
#include "variable_name.h"
#include <gnomon/ffi.h>
#include <stdio.h>
#include <string.h>

static void check_dtype(gn_graph *g, const char *what, const char *name, gn_dtype dtype)
{
    if ((unsigned)dtype >= GN_NDTYPES) gn_throw_at(g, GN_EDTYPE, what, NULL, 0, "\"%s\": %d is no dtype", name, (int)dtype);
}

static void check_name(gn_graph *g, const char *what, const char *name)
{
    if (!name) gn_throw_at(g, GN_EINVAL, what, NULL, 0, "its name is NULL");
    if (!gn_is_leaf_name(name))
        gn_throw_at(g, GN_EINVAL, what, NULL, 0,
                    "\"%s\" is no name: a letter or _, then letters, digits and _ . / - are possible", name);
    gn_expr *const other = gn_map_get(&g->names, GN_KEY(gn_symbol(&g->arena, &g->symbols, name)));
    if (other) gn_throw_at(g, GN_EINVAL, what, &other, 1, "the name \"%s\" is taken", name);
}

typedef struct input_call {
    const char *name, *shape;
    gn_dtype dtype;
    va_list *args; /* of a format; NULL: the shape is as it is */
} input_call;

typedef struct shape_call {
    gn_graph *g;
    input_call *input;
    const gn_dim **dim;
    size_t n;
} shape_call;

static void read_shape(void *arg)
{
    shape_call *const c = arg;
    const char *const text =
        c->input->args ? gn_arena_printf_v(&c->g->arena, c->input->shape, *c->input->args) : c->input->shape;
    c->n = gn_dim_read_shape(&c->g->dims, text, c->dim, GN_MAX_RANK);
}

static gn_expr *build_input(gn_graph *g, void *arg)
{
    input_call *const c = arg;
    const gn_dim *dim[GN_MAX_RANK];
    int64_t v;
    check_name(g, "input", c->name);
    check_dtype(g, "input", c->name, c->dtype);
    if (!gn_dtype_computes(c->dtype))
        gn_throw_at(g, GN_EDTYPE, "input", NULL, 0, "\"%s\": " GN_NOT_COMPUTED, c->name, gn_dtype_name(c->dtype));
    if (!c->shape) gn_throw_at(g, GN_EINVAL, "input", NULL, 0, "\"%s\": its shape is NULL; a scalar is \"()\"", c->name);
    shape_call s = { g, c, dim, 0 };
    const gn_status bad = gn_protect(read_shape, &s);
    if (bad) gn_throw_at(g, bad, "input", NULL, 0, "\"%s\": %s", c->name, gn_message());
    for (size_t i = 0; i < s.n; i++)
        if (gn_dim_is_const(dim[i], &v) && v < 0)
            gn_throw_at(g, GN_ESHAPE, "input", NULL, 0, "\"%s\": extent %lld of axis %zu is negative", c->name,
                        (long long)v, i);
    return gn_input_node(g, c->name, gn_type_tensor(g, c->dtype, s.n, dim));
}

gn_expr *gn_input_text(gn_loc loc, gn_graph *g, const char *name, gn_dtype dtype, const char *shape)
{
    input_call c = { .name = name, .shape = shape, .dtype = dtype };
    return gn_build(loc, g, build_input, &c);
}

gn_expr *gn_input_at(gn_loc loc, gn_graph *g, const char *name, gn_dtype dtype, const char *shape, ...)
{
    va_list args;
    va_start(args, shape);
    input_call c = { .name = name, .shape = shape, .dtype = dtype, .args = &args };
    gn_expr *const e = gn_build(loc, g, build_input, &c);
    va_end(args);
    return e;
}

typedef struct array_call {
    const char *name;
    const gn_array *array;
    struct gn_variable *variable;
} array_call;

static const gn_type *array_type(gn_graph *g, const gn_array *a)
{
    const gn_dim *dim[GN_MAX_RANK];
    for (int d = 0; d < a->rank; d++) dim[d] = gn_dim_const(&g->dims, a->shape[d]);
    return gn_type_tensor(g, a->dtype, (size_t)a->rank, dim);
}

static void check_array(gn_graph *g, const char *what, const char *name, const gn_array *a)
{
    check_dtype(g, what, name, a->dtype);
    if (a->rank < 0 || a->rank > GN_MAX_RANK)
        gn_throw_at(g, GN_ESHAPE, what, NULL, 0, "\"%s\": rank %d: from 0 to %d is possible", name, a->rank, GN_MAX_RANK);
    const int64_t n = gn_array_count(a);
    if (n < 0 || (n && SIZE_MAX / gn_dtype_size(a->dtype) < (size_t)n))
        gn_throw_at(g, GN_ESHAPE, what, NULL, 0, "\"%s\": an extent is negative or the size overflows", name);
    if (n && !a->data) gn_throw_at(g, GN_EINVAL, what, NULL, 0, "\"%s\": its data are NULL", name);
    uintptr_t first, end;
    if (!gn_array_range(a, &first, &end))
        gn_throw_at(g, GN_EINVAL, what, NULL, 0, "\"%s\": its strides lead out of the address space", name);
}

static gn_expr *build_shared(gn_graph *g, void *arg)
{
    array_call *const c = arg;
    check_name(g, "shared", c->name);
    check_array(g, "shared", c->name, c->array);
    gn_check(gn_variable_new(&c->variable, g->arena.allocator, c->name, c->array));
    return gn_variable_node(g, c->name, array_type(g, c->array), c->variable);
}

gn_expr *gn_shared_at(gn_loc loc, gn_graph *g, const char *name, gn_array initial)
{
    array_call c = { name, &initial, NULL };
    gn_expr *const e = gn_build(loc, g, build_shared, &c);
    gn_variable_release(c.variable); /* the graph holds its own reference, or the builder failed */
    return e;
}

static gn_expr *build_constant(gn_graph *g, void *arg)
{
    const gn_array *const a = arg;
    check_array(g, "constant", "array", a);
    const size_t size = (size_t)gn_array_count(a) * gn_dtype_size(a->dtype);
    gn_array dense = gn_array_of(a->data, a->dtype, a->rank, a->shape);
    if (!gn_array_is_row_major(a)) {
        dense.data = gn_arena_alloc(&g->arena, size, 16);
        gn_array_copy(&dense, a);
    }
    return gn_constant_node(g, array_type(g, a), dense.data, size);
}

gn_expr *gn_constant_at(gn_loc loc, gn_graph *g, gn_array array)
{
    return gn_build(loc, g, build_constant, &array);
}

typedef struct number_call {
    gn_dtype dtype;
    gn_operand number;
} number_call;

static gn_expr *build_number(gn_graph *g, void *arg)
{
    const number_call *const c = arg;
    check_dtype(g, "number", "dtype", c->dtype);
    if (c->number.kind == 0) gn_throw_at(g, GN_EINVAL, "number", NULL, 0, "takes a number, not an expression");
    return gn_number_node(g, "number", c->dtype, &c->number);
}

gn_expr *gn_number_at(gn_loc loc, gn_graph *g, gn_dtype dtype, gn_operand number)
{
    number_call c = { dtype, number };
    return gn_build(loc, g, build_number, &c);
}

typedef struct dim_call {
    gn_expr *x;
    int axis;
} dim_call;

static gn_expr *build_dim(gn_graph *g, void *arg)
{
    const dim_call *const c = arg;
    gn_check_exprs(g, "dim", 1, &c->x);
    const int axis = gn_axis(g, "dim", c->x, c->axis, gn_rank_of(c->x));
    const gn_attr attr = { .kind = GN_ATTR_DIMS, .n = 1, .dims = &c->x->type->dim[axis] };
    return gn_node(g, &gn_op_dim, NULL, 0, &attr);
}

gn_expr *gn_dim_at(gn_loc loc, gn_expr *x, int axis)
{
    dim_call c = { x, axis };
    return gn_build(loc, gn_graph_of(x), build_dim, &c);
}

/* Values of variables. */

static gn_status storage_of(const char *what, const gn_expr *e, const gn_array *a, struct gn_variable **out)
{
    if (!e) return gn_error(GN_EINVAL, "%s: the variable is NULL", what);
    if (gn_is_error(e)) return gn_error_of(e);
    if (e->op != &gn_op_variable || !(*out = gn_variable_of(e)))
        return gn_error(GN_EINVAL, "%s: %s is no shared variable", what, e->op->name);
    const gn_array *const v = &(*out)->value;
    if (a->dtype != v->dtype || a->rank != v->rank || memcmp(a->shape, v->shape, (size_t)v->rank * sizeof *v->shape) != 0) {
        gn_error(a->dtype != v->dtype ? GN_EDTYPE : GN_ESHAPE,
                 "%s: variable \"%s\" is %s, the array is %s of rank %d (", what, (*out)->name, gn_type_text(e),
                 gn_dtype_name(a->dtype) ? gn_dtype_name(a->dtype) : "no dtype", a->rank);
        char text[512];
        int n = snprintf(text, sizeof text, "%s", gn_message());
        for (int d = 0; d < a->rank && d < GN_MAX_RANK && n < (int)sizeof text; d++)
            n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", d ? ", " : "", (long long)a->shape[d]);
        return gn_error(a->dtype != v->dtype ? GN_EDTYPE : GN_ESHAPE, "%s)", text);
    }
    if (!a->data && gn_array_count(a))
        return gn_error(GN_EINVAL, "%s: variable \"%s\": the array's data are NULL", what, (*out)->name);
    uintptr_t first, end;
    if (!gn_array_range(a, &first, &end))
        return gn_error(GN_EINVAL, "%s: variable \"%s\": the array's strides lead out of the address space", what,
                        (*out)->name);
    return GN_OK;
}

gn_status gn_get(const gn_expr *variable, gn_array out)
{
    struct gn_variable *v;
    const gn_status bad = storage_of("gn_get", variable, &out, &v);
    if (bad) return bad;
    if (gn_array_meets_itself(&out) != GN_APART)
        return gn_error(GN_EINVAL, "gn_get: variable \"%s\": the array overlaps itself in memory", v->name);
    gn_variable_lock(v, false);
    gn_array_copy(&out, &v->value);
    gn_variable_unlock(v);
    return GN_OK;
}

gn_status gn_set(gn_expr *variable, gn_array in)
{
    struct gn_variable *v;
    const gn_status bad = storage_of("gn_set", variable, &in, &v);
    if (bad) return bad;
    gn_variable_lock(v, true);
    gn_array_copy(&v->value, &in);
    atomic_fetch_add(&v->version, 1);
    gn_variable_unlock(v);
    return GN_OK;
}
