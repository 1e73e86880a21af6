/* The reader of the text form. Everything is rebuilt through gn_node, so a text cannot say what a program could not
 * build. */
#include "graph_text.h"
#include "op.h"
#include "context.h"
#include "ops/make.h"
#include <stdlib.h>
#include <string.h>

typedef struct reader {
    gn_arena *arena;
    const char *file;
    gn_graph *g;
    struct gn_core *core;
    gn_map dims;    /* names that the text lists */
    gn_visit listed; /* atoms whose names are among them */
    gn_map regions; /* number + 1 -> region */

    const char *text;
    size_t length;
} reader;

typedef struct scope {
    gn_map node; /* number + 1 -> expression */
    bool in_region;
    size_t nparam;
    const gn_type *const *param;
} scope;

static _Noreturn void fail(const reader *r, const gn_sx *x, const char *what)
{
    gn_sx_fail(r->file, x, "%s", what);
}

static const gn_sx *item(const reader *r, const gn_sx *list, size_t i, const char *what)
{
    if (i >= list->n) gn_sx_fail(r->file, list, "%s is missing", what);
    return list->at[i];
}

static const gn_sx *list_item(const reader *r, const gn_sx *list, size_t i, const char *what)
{
    const gn_sx *const x = item(r, list, i, what);
    if (x->kind != GN_SX_LIST) gn_sx_fail(r->file, x, "%s was expected", what);
    return x;
}

static const char *atom_item(const reader *r, const gn_sx *list, size_t i, const char *what)
{
    const gn_sx *const x = item(r, list, i, what);
    if (x->kind != GN_SX_ATOM) gn_sx_fail(r->file, x, "%s was expected", what);
    return x->text;
}

/* Dims and types. */

typedef struct dim_check {
    const reader *r;
    const gn_sx *x;
} dim_check;

static void check_listed(void *user, const gn_atom *x)
{
    const dim_check *const c = user;
    const char *const name = x->name;
    if (x->kind == GN_DIM_SYM && !gn_map_get(&c->r->dims, GN_KEY(gn_symbol(&c->r->g->arena, &c->r->g->symbols, name))))
        gn_sx_fail(c->r->file, c->x, "the dim %s is not listed in (dims ...)", name);
}

static const gn_dim *read_dim(reader *r, const gn_sx *x)
{
    const gn_dim *const d = gn_dim_read(&r->g->dims, r->file, x);
    dim_check c = { r, x };
    gn_dim_meet(&r->listed, d, check_listed, &c);
    if (gn_dim_has_load(d)) fail(r, x, "a dim of a graph loads nothing");
    return d;
}

static const gn_dim **read_dims(reader *r, const gn_sx *list)
{
    const gn_dim **const out = GN_NEW_ARRAY(r->arena, const gn_dim *, list->n);
    for (size_t i = 0; i < list->n; i++) out[i] = read_dim(r, list->at[i]);
    return out;
}

static gn_dtype read_dtype(const reader *r, const gn_sx *x)
{
    gn_dtype dtype;
    if (x->kind != GN_SX_ATOM || !gn_dtype_parse(x->text, &dtype))
        gn_sx_fail(r->file, x, "a dtype was expected, not \"%s\"", x->text);
    return dtype;
}

/* The two items of a type, from list->at[i] on. */
static const gn_type *read_type(reader *r, const gn_sx *list, size_t i)
{
    const char *const word = atom_item(r, list, i, "a type");
    const gn_sx *const parts = list_item(r, list, i + 1, "a list of extents");
    if (strcmp(word, "tuple") != 0) {
        const gn_dtype dtype = read_dtype(r, list->at[i]);
        if (parts->n > GN_MAX_RANK) gn_sx_fail(r->file, parts, "rank %zu: at most %d is possible", parts->n, GN_MAX_RANK);
        const gn_dim *const *const dim = read_dims(r, parts);
        return gn_type_tensor(r->g, dtype, parts->n, dim);
    }
    const gn_type **const elem = GN_NEW_ARRAY(r->arena, const gn_type *, parts->n);
    for (size_t k = 0; k < parts->n; k++) {
        const gn_sx *const e = list_item(r, parts, k, "a type in parentheses");
        if (gn_sx_head(e, "tuple")) fail(r, e, "a tuple holds tensors only");
        elem[k] = read_type(r, e, 0);
        if (e->n != 2) fail(r, e, "a type is a dtype and a list of extents");
    }
    return gn_type_tuple(r->g, parts->n, elem);
}

/* Attributes. */

static const gn_region *read_region_name(const reader *r, const gn_sx *x)
{
    char *end = NULL;
    const unsigned long n = x->kind == GN_SX_ATOM && x->text[0] == 'r' ? strtoul(x->text + 1, &end, 10) : 0;
    const gn_region *const region = end && end != x->text + 1 && !*end ? gn_map_get(&r->regions, n + 1) : NULL;
    if (!region) gn_sx_fail(r->file, x, "a region that stands earlier was expected");
    return region;
}

static gn_attr read_attr(reader *r, const gn_attr_spec *spec, const gn_sx *x)
{
    gn_attr a = { .kind = spec->kind };
    switch (spec->kind) {
    case GN_ATTR_INT:
        if (!gn_sx_int(x, &a.i)) gn_sx_fail(r->file, x, ":%s wants an integer", spec->name);
        return a;
    case GN_ATTR_FLOAT:
        if (!gn_element_read(x, GN_F64, &a.f)) gn_sx_fail(r->file, x, ":%s wants a float", spec->name);
        return a;
    case GN_ATTR_DTYPE: a.i = read_dtype(r, x); return a;
    case GN_ATTR_NAME:
        if (x->kind != GN_SX_STRING || strlen(x->text) != x->n)
            gn_sx_fail(r->file, x, ":%s wants a name in quotes", spec->name);
        a.name = x->text;
        return a;
    case GN_ATTR_REGION: a.region = read_region_name(r, x); return a;
    default: break;
    }
    if (x->kind != GN_SX_LIST) gn_sx_fail(r->file, x, ":%s wants a list", spec->name);
    a.n = (uint32_t)x->n;
    if (spec->kind == GN_ATTR_DIMS) {
        a.dims = read_dims(r, x);
        return a;
    }
    int64_t *const ints = GN_NEW_ARRAY(r->arena, int64_t, x->n);
    for (size_t i = 0; i < x->n; i++)
        if (!gn_sx_int(x->at[i], &ints[i])) gn_sx_fail(r->file, x->at[i], ":%s wants integers", spec->name);
    a.ints = ints;
    return a;
}

/* Nodes. */

static gn_expr *read_ref(const reader *r, const scope *s, const gn_sx *x)
{
    char *end = NULL;
    const unsigned long n = x->kind == GN_SX_ATOM && x->text[0] == '%' ? strtoul(x->text + 1, &end, 10) : 0;
    gn_expr *const e = end && end != x->text + 1 && !*end ? gn_map_get(&s->node, n + 1) : NULL;
    if (!e)
        gn_sx_fail(r->file, x, "a reference such as %%3 to a node that stands earlier was expected, not \"%s\"",
                   x->text);
    return e;
}

typedef struct node_call {
    const reader *r;
    const gn_op_info *op;
    const gn_type *type;
    gn_expr *const *in;
    size_t nin;
    const gn_attr *attr;
    gn_expr *result;
} node_call;

/* What trusts its indices gets checked ones, whoever wrote the text; they are checked once. */
static gn_expr *with_checked_indices(gn_graph *g, gn_expr *e)
{
    if ((e->op != &gn_op_take && e->op != &gn_op_scatter_add) || e->in[1]->op == &gn_op_check_index) return e;
    const gn_dim *const extent = gn_extent(e->in[0], (size_t)e->attr[0].i);
    gn_expr *const in[] = { e->in[0], gn_make_check_index(g, e->in[1], extent), e->nin > 2 ? e->in[2] : NULL };
    return gn_node(g, e->op, in, e->nin, e->attr);
}

static void make_node(void *arg)
{
    node_call *const c = arg;
    if (c->op->traits & GN_LEAF && !c->op->infer) c->result = gn_leaf_node(c->r->g, c->op, c->type, c->attr);
    else c->result = with_checked_indices(c->r->g, gn_node(c->r->g, c->op, c->in, c->nin, c->attr));
}

static gn_expr *read_expr(reader *r, const scope *s, const gn_type *type, const gn_sx *x)
{
    const char *const name = atom_item(r, x, 0, "an op");
    const gn_op_info *const op = gn_op_find(name);
    if (!op) gn_sx_fail(r->file, x->at[0], "there is no op \"%s\"", name);
    if (op == &gn_op_input || op == &gn_op_variable || op == &gn_op_constant)
        gn_sx_fail(r->file, x->at[0], "(%s ...) stands outside of nodes", name);
    if (op == &gn_op_param && !s->in_region) gn_sx_fail(r->file, x->at[0], "(param ...) stands in regions");
    size_t nin = 0;
    while (1 + nin < x->n && x->at[1 + nin]->kind == GN_SX_ATOM && x->at[1 + nin]->text[0] == '%') nin++;
    if (x->n != 1 + nin + 2 * op->nattr) gn_sx_fail(r->file, x, "%s has %u attributes", name, op->nattr);
    gn_expr **const in = GN_NEW_ARRAY(r->arena, gn_expr *, nin);
    gn_attr *const attr = GN_NEW_ARRAY(r->arena, gn_attr, op->nattr);
    for (size_t i = 0; i < nin; i++) in[i] = read_ref(r, s, x->at[1 + i]);
    for (uint32_t i = 0; i < op->nattr; i++) {
        const gn_sx *const key = x->at[1 + nin + 2 * i];
        if (key->kind != GN_SX_ATOM || key->text[0] != ':' || strcmp(key->text + 1, op->attrs[i].name) != 0)
            gn_sx_fail(r->file, key, ":%s was expected", op->attrs[i].name);
        attr[i] = read_attr(r, &op->attrs[i], x->at[2 + nin + 2 * i]);
    }
    if (op == &gn_op_param && (attr[0].i < 0 || (size_t)attr[0].i >= s->nparam || s->param[attr[0].i] != type))
        gn_sx_fail(r->file, x, "the region has no parameter %lld of this type", (long long)attr[0].i);
    node_call c = { r, op, type, in, nin, attr, NULL };
    const gn_status bad = gn_protect(make_node, &c);
    if (bad == GN_ENOMEM) gn_throw(bad, "%s:%d:%d: %s", r->file, x->line, x->column, gn_message());
    if (bad) gn_sx_fail(r->file, x, "%s", gn_message());
    return c.result;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void read_data(const reader *r, const gn_sx *x, unsigned char *out, size_t size)
{
    const gn_sx *const s = item(r, x, 1, "the bytes");
    if (s->kind != GN_SX_STRING || s->n != 2 * size || x->n != 2)
        gn_sx_fail(r->file, x, "%zu bytes in hex were expected", size);
    for (size_t i = 0; i < size; i++) {
        const int high = hex_value(s->text[2 * i]), low = hex_value(s->text[2 * i + 1]);
        if (high < 0 || low < 0) gn_sx_fail(r->file, s, "digit %zu is no lower-case hex digit", 2 * i + (high >= 0));
        out[i] = (unsigned char)(high * 16 + low);
    }
}

static gn_expr *read_constant(reader *r, const gn_sx *x)
{
    const gn_type *const type = read_type(r, x, 2);
    int64_t count = 1, v;
    if (type->kind != GN_TYPE_TENSOR) fail(r, x, "a constant is a tensor");
    for (size_t i = 0; i < type->n; i++) {
        if (!gn_dim_is_const(type->dim[i], &v)) fail(r, x, "a constant's extents are numbers");
        count *= v; /* cannot overflow: gn_type_tensor has checked it, unless one is 0 */
        if (!v) count = 0;
    }
    const size_t size = gn_dtype_size((gn_dtype)type->dtype), bytes = (size_t)count * size;
    if (x->n > 4 && gn_sx_head(x->at[4], "hash"))
        fail(r, x->at[4], "the text has only a hash of this constant: it cannot be read back");
    if (bytes > r->length * 8 + 64) fail(r, x, "the value of this constant is missing");
    unsigned char *const data = gn_arena_alloc(r->arena, bytes, 16);
    if (x->n == 5 && gn_sx_head(x->at[4], "data")) read_data(r, x->at[4], data, bytes);
    else {
        if (x->n != 4 + (size_t)count)
            gn_sx_fail(r->file, x, "%lld elements were expected, there are %zu", (long long)count, x->n - 4);
        for (int64_t i = 0; i < count; i++)
            if (!gn_element_read(x->at[4 + i], (gn_dtype)type->dtype, data + (size_t)i * size))
                gn_sx_fail(r->file, x->at[4 + i], "\"%s\" is no element of %s", x->at[4 + i]->text,
                           gn_dtypes[type->dtype].name);
    }
    return gn_constant_node(r->g, type, data, bytes);
}

static gn_expr *read_node(reader *r, const scope *s, const gn_sx *x)
{
    const gn_type *const type = read_type(r, x, 2);
    gn_expr *const e = read_expr(r, s, type, list_item(r, x, 4, "an expression in parentheses"));
    if (x->n != 5) fail(r, x, "a node is its number, type and expression");
    if (e->type != type) {
        gn_text t = { .arena = r->arena };
        gn_type_show(&t, e->type);
        gn_sx_fail(r->file, x, "the type of this node is %s", gn_text_done(&t));
    }
    return e;
}

static gn_expr *read_leaf(reader *r, const gn_sx *x)
{
    const char *const name = atom_item(r, x, 2, "a name");
    const gn_type *const type = read_type(r, x, 3);
    if (x->n != 5 || type->kind != GN_TYPE_TENSOR) fail(r, x, "a number, a name and the type of a tensor were expected");
    if (gn_sx_is(x->at[0], "input")) {
        gn_expr *const e = gn_input_node(r->g, name, type);
        gn_push(r->arena, &r->core->in, e);
        return e;
    }
    for (size_t i = 0; i < type->n; i++)
        if (!gn_dim_is_const(type->dim[i], NULL)) fail(r, x, "a variable's extents are numbers");
    return gn_variable_node(r->g, name, type, NULL); /* without memory: a text may say any size */
}

static void number_node(const reader *r, scope *s, const gn_sx *x, gn_expr *e)
{
    int64_t n;
    if (x->n < 2 || !gn_sx_int(x->at[1], &n) || n < 0) fail(r, x, "the number of the node is missing");
    void **const place = gn_map_put(r->arena, &s->node, (uint64_t)n + 1);
    if (*place) gn_sx_fail(r->file, x->at[1], "the number %lld is taken", (long long)n);
    *place = e;
}

static void read_region(reader *r, const gn_sx *x)
{
    scope inner = { 0 };
    const char *const name = atom_item(r, x, 1, "a region's name");
    const gn_sx *const params = list_item(r, x, 2, "(params ...)");
    const gn_sx *const out = x->at[x->n - 1];
    char *end;
    const unsigned long n = name[0] == 'r' ? strtoul(name + 1, &end, 10) : 0;
    if (name[0] != 'r' || end == name + 1 || *end) gn_sx_fail(r->file, x->at[1], "the name of a region is r and a number");
    if (!gn_sx_head(params, "params")) fail(r, params, "(params ...) was expected");
    if (!gn_sx_head(out, "out")) fail(r, x, "a region ends in (out ...)");
    const gn_type **const param = GN_NEW_ARRAY(r->arena, const gn_type *, params->n);
    gn_expr **const outs = GN_NEW_ARRAY(r->arena, gn_expr *, out->n);
    for (size_t i = 1; i < params->n; i++) param[i - 1] = read_type(r, list_item(r, params, i, "a type in parentheses"), 0);
    inner.in_region = true, inner.nparam = params->n - 1, inner.param = param;
    for (size_t i = 3; i + 1 < x->n; i++) {
        const gn_sx *const b = x->at[i];
        if (gn_sx_head(b, "constant")) number_node(r, &inner, b, read_constant(r, b));
        else if (gn_sx_head(b, "node")) number_node(r, &inner, b, read_node(r, &inner, b));
        else fail(r, b, "(constant ...) or (node ...) was expected");
    }
    for (size_t i = 1; i < out->n; i++) outs[i - 1] = read_ref(r, &inner, out->at[i]);
    void **const place = gn_map_put(r->arena, &r->regions, n + 1);
    if (*place) gn_sx_fail(r->file, x->at[1], "the name %s is taken", name);
    *place = (void *)(uintptr_t)gn_region_make(r->g, params->n - 1, param, out->n - 1, outs);
}

static void read_relax(const reader *r, const gn_sx *x)
{
    static const char *const word[] = { "reassociate", "finite", "approximate" };
    for (size_t i = 1; i < x->n; i++) {
        size_t k = 0;
        while (k < 3 && !gn_sx_is(x->at[i], word[k])) k++;
        if (k == 3) fail(r, x->at[i], "reassociate, finite or approximate was expected");
        r->g->relax |= 1u << k;
    }
}

static void read_item(reader *r, scope *s, const gn_sx *x)
{
    if (gn_sx_head(x, "relax")) read_relax(r, x);
    else if (gn_sx_head(x, "dims")) {
        for (size_t i = 1; i < x->n; i++) {
            const char *const name = gn_symbol(&r->g->arena, &r->g->symbols, atom_item(r, x, i, "the name of a dim"));
            *gn_map_put(r->arena, &r->dims, GN_KEY(name)) = r;
        }
    } else if (gn_sx_head(x, "constraint")) {
        const gn_sx *const text = item(r, x, 3, "what the constraint is for, in quotes,");
        if (x->n != 4 || text->kind != GN_SX_STRING) fail(r, x, "two dims and what they are, in quotes, were expected");
        const gn_constraint c = { read_dim(r, x->at[1]), read_dim(r, x->at[2]), { NULL, 0 }, text->text, { NULL, 0 } };
        gn_push(r->arena, &r->core->constraints, c);
    } else if (gn_sx_head(x, "input") || gn_sx_head(x, "variable")) number_node(r, s, x, read_leaf(r, x));
    else if (gn_sx_head(x, "region")) read_region(r, x);
    else if (gn_sx_head(x, "constant")) number_node(r, s, x, read_constant(r, x));
    else if (gn_sx_head(x, "node")) number_node(r, s, x, read_node(r, s, x));
    else if (gn_sx_head(x, "out")) {
        for (size_t i = 1; i < x->n; i++) {
            gn_expr *const e = read_ref(r, s, x->at[i]);
            gn_push(r->arena, &r->core->out, e);
        }
    } else if (gn_sx_head(x, "update")) {
        if (x->n != 3) fail(r, x, "a variable and its new value were expected");
        gn_expr *const v = read_ref(r, s, x->at[1]), *const e = read_ref(r, s, x->at[2]);
        if (v->op != &gn_op_variable) fail(r, x->at[1], "an update is of a variable");
        if (v->type != e->type) fail(r, x, "the new value has another type than the variable");
        gn_push(r->arena, &r->core->variable, v);
        gn_push(r->arena, &r->core->update, e);
    } else fail(r, x, "relax, dims, constraint, input, variable, region, constant, node, out or update was expected");
}

typedef struct item_call {
    reader *r;
    scope *s;
    const gn_sx *x;
} item_call;

static void read_item_call(void *arg)
{
    const item_call *const c = arg;
    read_item(c->r, c->s, c->x);
}

static void read_all(void *arg)
{
    reader *const r = arg;
    scope outer = { 0 };
    const gn_sx *const all = gn_sx_read(r->arena, r->file, r->text, r->length);
    if (all->n != 1 || !gn_sx_head(all->at[0], "graph")) fail(r, all->n ? all->at[0] : all, "one (graph ...) was expected");
    bool has_out = false;
    for (size_t i = 1; i < all->at[0]->n; i++) {
        const gn_sx *const x = all->at[0]->at[i];
        item_call c = { r, &outer, x };
        has_out = has_out || gn_sx_head(x, "out");
        const gn_status s = gn_protect(read_item_call, &c);
        if (s == GN_OK) continue;
        if (s == GN_ESYNTAX || s == GN_ENOMEM) gn_rethrow(s);
        gn_sx_fail(r->file, x, "%s", gn_message()); /* a mistake that a builder would have told */
    }
    if (!has_out) fail(r, all->at[0], "(out ...) is missing");
}

struct gn_core *gn_core_read(gn_arena *arena, gn_context *context, const char *file, const char *text, size_t length)
{
    reader r = { .arena = arena, .file = file, .text = text, .length = length };
    r.core = GN_NEW_OBJECT(arena, struct gn_core);
    r.g = r.core->graph = gn_graph_private(context);
    r.listed = (gn_visit){ .arena = arena, .operand = gn_atom_operand };
    const gn_status s = gn_protect(read_all, &r);
    if (!s) return r.core;
    gn_graph_free(r.g);
    gn_rethrow(s);
}
