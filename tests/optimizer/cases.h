/* Small graphs from text, for tests of rules and passes.
 *
 *     in x f32 (n 3)                       inputs; n is 3, m is 2, k is 4 when values are needed
 *     fire (log (add x 1)) => (log1p x)    the sweep makes one of the other
 *     near (log (add x 2))                 .. and leaves this alone
 *     range 0.5 2    most 100              samples, and the magnitude of special ones
 *     relax finite                         flags of the graph
 *
 * An expression is (op operand... :attribute value ...) with the op's own names; a number has dtype and shape of the
 * operand beside it, or says them: (f32 2) and (f32 2 (n 3)). */
#pragma once
#include "testlib.h"
#include "core.h"
#include "map.h"
#include "match.h"
#include "optimize.h"
#include "ops/make.h"
#include "sexpr.h"
#include "splat.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_graph {
    gn_arena arena;
    gn_graph *g;
    const char *name;                    /* of the text */
    gn_expr *input[8];
    size_t ninput;
    double low, high, most;
    gn_dtype from, to;                   /* inputs and numbers that say `from` get `to` instead */
} test_graph;

static inline void test_graph_open(test_graph *t, const char *name)
{
    *t = (test_graph){ .name = name, .low = -4, .high = 4, .most = INFINITY };
    t->g = gn_graph_private(NULL);
}

static inline gn_dtype read_dtype(test_graph *t, const gn_sx *x)
{
    gn_dtype d;
    if (x->kind != GN_SX_ATOM || !gn_dtype_parse(x->text, &d)) gn_sx_fail(t->name, x, "no dtype");
    return d == t->from ? t->to : d;
}

static inline void test_graph_close(test_graph *t)
{
    gn_graph_free(t->g);
    gn_arena_free(&t->arena);
}

static inline size_t read_dims(test_graph *t, const gn_sx *x, const gn_dim **out)
{
    for (size_t i = 0; i < x->n; i++) out[i] = gn_dim_read(&t->g->dims, t->name, x->at[i]);
    return x->n;
}

static inline gn_expr *read_input(test_graph *t, const gn_sx *name, const gn_sx *dtype, const gn_sx *shape)
{
    const gn_dim *dim[GN_MAX_RANK];
    const size_t rank = read_dims(t, shape, dim);
    return t->input[t->ninput++] = gn_input_node(t->g, name->text, gn_type_tensor(t->g, read_dtype(t, dtype), rank, dim));
}

static inline gn_attr read_attr(test_graph *t, uint8_t kind, const gn_sx *x)
{
    gn_attr a = { .kind = kind };
    gn_dtype dtype = GN_F32;
    int64_t *ints = GN_NEW_ARRAY(&t->arena, int64_t, x->n + 1);
    const gn_dim **dims = GN_NEW_ARRAY(&t->arena, const gn_dim *, x->n + 1);
    switch ((gn_attr_kind)kind) {
    case GN_ATTR_INT: gn_sx_int(x, &a.i); break;
    case GN_ATTR_FLOAT: gn_sx_double(x, &a.f); break;
    case GN_ATTR_NAME: a.name = x->text; break;
    case GN_ATTR_DTYPE: gn_dtype_parse(x->text, &dtype), a.i = dtype; break;
    case GN_ATTR_INTS:
        a.n = (uint32_t)x->n, a.ints = ints;
        for (size_t i = 0; i < x->n; i++) gn_sx_int(x->at[i], &ints[i]);
        break;
    case GN_ATTR_DIMS: a.n = (uint32_t)read_dims(t, x, dims), a.dims = dims; break;
    default: gn_sx_fail(t->name, x, "no such attribute in tests");
    }
    return a;
}

static inline gn_expr *read_expr(test_graph *t, const gn_sx *x);

static inline gn_expr *read_number(test_graph *t, const gn_sx *x, gn_dtype dtype)
{
    gn_splat v;
    const gn_dim *dim[GN_MAX_RANK];
    const size_t rank = x->n > 2 ? read_dims(t, x->at[2], dim) : 0;
    double number = gn_sx_is(x->at[1], "true");
    int64_t i;
    if (!number && !gn_sx_is(x->at[1], "false")) gn_sx_double(x->at[1], &number);
    if (!gn_is_float(dtype) && gn_sx_int(x->at[1], &i)) v = (gn_splat){ .dtype = dtype, .i = i };
    else if (!gn_splat_number(dtype, number, &v)) gn_sx_fail(t->name, x, "number does not fit");
    return gn_splat_make(t->g, v, gn_type_tensor(t->g, dtype, rank, dim));
}

static inline bool is_number(const gn_sx *x, double *v)
{
    *v = gn_sx_is(x, "true");
    return *v || gn_sx_is(x, "false") || (x->kind == GN_SX_ATOM && gn_sx_double(x, v));
}

static inline gn_expr *make_node(test_graph *t, const gn_op_info *op, gn_expr **in, const double *number, size_t n,
                                 const gn_attr *attr)
{
    const gn_expr *beside = NULL;
    for (size_t i = op == &gn_op_select; i < n; i++)
        if (!beside) beside = in[i];
    for (size_t i = 0; i < n; i++) {
        if (in[i]) continue;
        const gn_dtype dtype = op == &gn_op_select && i == 0 ? GN_BOOL : (gn_dtype)beside->type->dtype;
        gn_splat v;
        if (!gn_splat_number(dtype, number[i], &v)) gn_throw(GN_EINVAL, "%g is no %s", number[i], gn_dtype_name(dtype));
        in[i] = op == &gn_op_pad ? gn_make_scalar(t->g, dtype, number[i])
                                 : gn_splat_value(t->g, number[i], dtype, beside->type);
    }
    return gn_node(t->g, op, in, n, attr);
}

static inline gn_expr *read_node(test_graph *t, const gn_sx *x)
{
    const gn_op_info *op = gn_op_find(x->at[0]->text);
    gn_expr *in[8] = { 0 };
    double number[8];
    gn_attr attr[8] = { 0 };
    size_t n = 0;
    if (!op) gn_sx_fail(t->name, x, "no op '%s'", x->at[0]->text);
    for (size_t i = 1; i < x->n; i++) {
        if (x->at[i]->kind == GN_SX_ATOM && x->at[i]->text[0] == ':') {
            uint32_t k = 0;
            while (k < op->nattr && strcmp(op->attrs[k].name, x->at[i]->text + 1)) k++;
            if (k == op->nattr) gn_sx_fail(t->name, x->at[i], "no such attribute");
            attr[k] = read_attr(t, op->attrs[k].kind, x->at[i + 1]);
            i++;
        } else {
            if (!is_number(x->at[i], &number[n])) in[n] = read_expr(t, x->at[i]);
            n++;
        }
    }
    return make_node(t, op, in, number, n, attr);
}

static inline gn_expr *read_expr(test_graph *t, const gn_sx *x)
{
    gn_dtype dtype;
    if (x->kind == GN_SX_ATOM) {
        for (size_t i = 0; i < t->ninput; i++)
            if (!strcmp(gn_attr_of(t->input[i], "name")->name, x->text)) return t->input[i];
        gn_sx_fail(t->name, x, "no input '%s'", x->text);
    }
    if (gn_dtype_parse(x->at[0]->text, &dtype)) return read_number(t, x, read_dtype(t, x->at[0]));
    return read_node(t, x);
}

/* The same with operands of commutative ops in canonical order, as the sweep leaves them. */
static inline gn_expr *in_order(test_graph *t, gn_expr *e)
{
    gn_expr *in[8];
    if (!e->nin) return e;
    for (uint32_t i = 0; i < e->nin; i++) in[i] = in_order(t, e->in[i]);
    if (e->op->traits & GN_COMMUTES && !gn_operands_in_order(in[0], in[1])) {
        gn_expr *first = in[0];
        in[0] = in[1], in[1] = first;
    }
    return gn_node(t->g, e->op, in, e->nin, e->attr);
}

static inline const char *shown(test_graph *t, const gn_expr *e)
{
    gn_text s = { .arena = &t->arena };
    gn_expr_show(&s, e, 20);
    return gn_text_done(&s);
}

/* A core over this graph, for a sweep. */
static inline struct gn_core core_of(test_graph *t, gn_expr *out)
{
    struct gn_core c = { .graph = t->g };
    gn_push(&t->arena, &c.out, out);
    return c;
}

/* Setting of one line of a case; false if it is none. `i` is moved behind it. */
static inline bool read_setting(test_graph *t, const gn_sx *x, size_t *i)
{
    const gn_sx *word = x->at[*i];
    if (gn_sx_is(word, "in")) {
        read_input(t, x->at[*i + 1], x->at[*i + 2], x->at[*i + 3]);
        *i += 4;
    } else if (gn_sx_is(word, "range")) {
        gn_sx_double(x->at[*i + 1], &t->low), gn_sx_double(x->at[*i + 2], &t->high);
        *i += 3;
    } else if (gn_sx_is(word, "most")) {
        gn_sx_double(x->at[*i + 1], &t->most);
        *i += 2;
    } else if (gn_sx_is(word, "relax")) {
        if (gn_graph_relax(t->g, x->at[*i + 1]->text)) fail_msg("%s", gn_message());
        *i += 2;
    } else {
        return false;
    }
    return true;
}

/* A file beside the test's source, as items. */
static inline const gn_sx *read_case(gn_arena *arena, const char *source, const char *folder, const char *name)
{
    const char *slash = strrchr(source, '/');
    const char *path = gn_arena_printf(arena, "%.*s/%s/%s.txt", (int)(slash - source), source, folder, name);
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("no case %s", path);
    char part[4096];
    gn_text text = { .arena = arena };
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) gn_text_add_n(&text, part, n);
    fclose(f);
    return gn_sx_read(arena, path, gn_text_done(&text), text.n);
}
