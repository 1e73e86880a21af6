/* Nodes: found or made by gn_node and gn_leaf, the only places where a gn_expr comes into being. */
#include "op.h"
#include "variable_name.h"
#include <string.h>

enum { MOST_ORIGINS = 8, MOST_ATTRS = 8 };

typedef struct probe {
    const gn_op_info *op;
    const gn_type *type; /* leaves that carry their own; else NULL */
    gn_expr *const *in;
    size_t nin;
    const gn_attr *attr;
} probe;

static uint64_t attr_hash(uint64_t hash, const gn_attr *a)
{
    switch (a->kind) {
    case GN_ATTR_INT:
    case GN_ATTR_DTYPE: return gn_hash_mix(hash, (uint64_t)a->i);
    case GN_ATTR_FLOAT: return gn_hash_bytes(hash, &a->f, sizeof a->f);
    case GN_ATTR_INTS: return gn_hash_bytes(hash, a->ints, a->n * sizeof *a->ints);
    case GN_ATTR_DIMS:
        for (uint32_t i = 0; i < a->n; i++) hash = gn_hash_mix(hash, a->dims[i]->id + 1u);
        return hash;
    case GN_ATTR_DATA: return gn_hash_bytes(hash, a->data, a->n);
    default: return gn_hash_mix(hash, GN_KEY(a->name)); /* NAME, REGION: interned */
    }
}

bool gn_attr_same(const gn_attr *a, const gn_attr *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case GN_ATTR_INT:
    case GN_ATTR_DTYPE: return a->i == b->i;
    case GN_ATTR_FLOAT: return memcmp(&a->f, &b->f, sizeof a->f) == 0;
    case GN_ATTR_INTS: return a->n == b->n && (!a->n || memcmp(a->ints, b->ints, a->n * sizeof *a->ints) == 0);
    case GN_ATTR_DIMS: return a->n == b->n && (!a->n || memcmp(a->dims, b->dims, a->n * sizeof *a->dims) == 0);
    case GN_ATTR_DATA: return a->n == b->n && (!a->n || memcmp(a->data, b->data, a->n) == 0);
    default: return a->name == b->name; /* NAME, REGION: interned */
    }
}

static uint64_t node_hash(const probe *p)
{
    uint64_t hash = gn_hash_mix(GN_KEY(p->op), GN_KEY(p->type));
    for (size_t i = 0; i < p->nin; i++) hash = gn_hash_mix(hash, p->in[i]->id);
    for (uint32_t i = 0; i < p->op->nattr; i++) hash = attr_hash(hash, &p->attr[i]);
    return hash;
}

static bool node_equal(const void *stored, const void *candidate)
{
    const gn_expr *const e = stored;
    const probe *const p = candidate;
    if (e->op != p->op || e->nin != p->nin || (p->type && e->type != p->type)) return false;
    for (size_t i = 0; i < p->nin; i++)
        if (e->in[i] != p->in[i]) return false;
    for (uint32_t i = 0; i < p->op->nattr; i++)
        if (!gn_attr_same(&e->attr[i], &p->attr[i])) return false;
    return true;
}

static const gn_attr *copy_attrs(gn_graph *g, const gn_attr *attr, uint32_t n)
{
    if (!n) return NULL;
    gn_attr *const copy = gn_arena_copy(&g->arena, attr, n * sizeof *copy);
    for (uint32_t i = 0; i < n; i++) {
        if (copy[i].kind == GN_ATTR_INTS)
            copy[i].ints = gn_arena_copy(&g->arena, attr[i].ints, attr[i].n * sizeof *attr[i].ints);
        if (copy[i].kind == GN_ATTR_DIMS)
            copy[i].dims = gn_arena_copy(&g->arena, attr[i].dims, attr[i].n * sizeof *attr[i].dims);
        if (copy[i].kind == GN_ATTR_DATA) copy[i].data = gn_arena_copy(&g->arena, attr[i].data, attr[i].n);
    }
    return copy;
}

/* Origins stand beside the node: a node that is built again keeps the first few places. */
static void note_origin(gn_graph *g, uint32_t id)
{
    const char *const scope = g->scopes.n ? g->scopes.at[g->scopes.n - 1] : "";
    int known = 0;
    if (!g->here.file) return;
    for (const gn_origin *o = g->origins.at[id]; o; o = o->next)
        if ((o->loc.line == g->here.line && o->loc.file == g->here.file && o->scope == scope) ||
            ++known == MOST_ORIGINS)
            return;
    gn_origin *const o = gn_arena_alloc(&g->arena, sizeof *o, alignof(gn_origin));
    *o = (gn_origin){ g->here, scope, g->origins.at[id] };
    g->origins.at[id] = o;
}

static const gn_expr *number_of(const gn_expr *e)
{
    if (e->op == &gn_op_constant) return gn_attr_of(e, "data")->n == gn_dtypes[e->type->dtype].size ? e : NULL;
    const bool passes = e->op == &gn_op_cast || (e->op->traits & GN_VIEW_OP && e->nin == 1 && e->op != &gn_op_concat);
    return passes ? e->in[0]->number : NULL;
}

static gn_expr *make(gn_graph *g, const probe *p, uint64_t hash, const gn_type *type, const gn_constraints *constraints)
{
    gn_expr *const e = gn_arena_alloc(&g->arena, sizeof *e + p->nin * sizeof *e->in, alignof(gn_expr));
    e->op = p->op;
    e->type = type;
    e->attr = copy_attrs(g, p->attr, p->op->nattr);
    e->id = (uint32_t)g->nodes.n;
    e->nin = (uint32_t)p->nin;
    for (size_t i = 0; i < p->nin; i++) e->in[i] = p->in[i];
    e->number = number_of(e);
    gn_push(&g->arena, &g->origins,
            NULL); /* the side tables first: if memory runs out, they may know of more nodes, never of fewer */
    g->origins.n = e->id + 1u;
    if (constraints->n)
        *gn_map_put(&g->arena, &g->constraints, e->id) = gn_arena_copy(&g->arena, constraints, sizeof *constraints);
    note_origin(g, e->id);
    gn_intern_add(&g->arena, &g->exprs, hash, e);
    gn_push(&g->arena, &g->nodes, e);
    return e;
}

/* Operands are usable: true, or false for an error node among them. */
static bool operands_are_good(gn_graph *g, const gn_op_info *op, gn_expr *const *in, size_t nin)
{
    bool good = true;
    for (size_t i = 0; i < nin; i++) {
        if (!in[i]) gn_throw_at(g, GN_EINVAL, op->name, NULL, 0, "operand %zu is NULL: a forgotten variable?", i + 1);
        if (gn_is_error(in[i])) good = false;
        else if (in[i]->type->graph != g)
            gn_throw_at(g, GN_EINVAL, op->name, in, nin, "operand %zu belongs to another graph", i + 1);
    }
    return good;
}

static const char *dtype_names(gn_graph *g, uint32_t set)
{
    gn_text t = { .arena = &g->arena };
    for (int d = 0; d < GN_NDTYPES; d++)
        if (set & GN_BIT(d)) gn_textf(&t, "%s%s", t.n ? ", " : "", gn_dtypes[d].name);
    return gn_text_done(&t);
}

static const char *dtype_words(gn_graph *g, uint32_t set)
{
    if (set == GN_FLOATS) return "floating operands";
    if (set == GN_INTS) return "integers";
    if (set == GN_NUMBERS) return "numbers";
    if (set == (GN_INTS | GN_BIT(GN_BOOL))) return "integers and bools";
    return dtype_names(g, set);
}

static void check_operands(gn_graph *g, const gn_op_info *op, gn_expr *const *in, size_t nin)
{
    if (op->arity >= 0 && nin != (size_t)op->arity)
        gn_throw_at(g, GN_EINVAL, op->name, in, nin, "takes %d operand%s, not %zu", op->arity,
                    op->arity == 1 ? "" : "s", nin);
    for (size_t i = 0; i < nin; i++) {
        if (in[i]->type->kind == GN_TYPE_TUPLE) {
            if (op != &gn_op_proj)
                gn_throw_at(g, GN_EINVAL, op->name, in, nin, "operand %zu is a tuple: only proj takes one", i + 1);
        } else if (op->dtypes && !(op->dtypes & GN_BIT(in[i]->type->dtype)))
            gn_throw_at(g, GN_EDTYPE, op->name, in, nin, "takes %s, not %s", dtype_words(g, op->dtypes),
                        gn_dtypes[in[i]->type->dtype].name);
    }
}

/* The rule of ops that name none: one shape, where extents that may differ are noted, and the promoted dtype. */
static const gn_type *infer_elementwise(gn_graph *g, const gn_op_info *op, gn_expr *const *in, size_t nin)
{
    gn_dtype dtype = nin ? (gn_dtype)in[0]->type->dtype : GN_F32;
    bool same = !(op->traits & GN_BOOL_OUT);
    if (!nin) return gn_type_tensor(g, dtype, 0, NULL);
    for (size_t i = 1; i < nin; i++) {
        same = same && in[i]->type == in[0]->type;
        dtype = gn_dtype_promote(dtype, (gn_dtype)in[i]->type->dtype);
    }
    return same ? in[0]->type : gn_infer_same_shape(g, op->name, in, nin, op->traits & GN_BOOL_OUT ? GN_BOOL : dtype);
}

const gn_type *gn_infer_type(gn_graph *g, const gn_op_info *op, gn_expr *const *in, size_t nin, const gn_attr *attr)
{
    check_operands(g, op, in, nin);
    const gn_type *const type = op->infer ? op->infer(g, in, nin, attr) : infer_elementwise(g, op, in, nin);
    gn_infer_extents_exist(g, op->name, in, nin, type);
    return type;
}

static void check_attr(gn_graph *g, const gn_op_info *op, const gn_attr_spec *spec, const gn_attr *a)
{
    const bool is_list = a->kind == GN_ATTR_INTS || a->kind == GN_ATTR_DIMS;
    if (is_list && spec->count && a->n != spec->count)
        gn_throw_at(g, GN_EINVAL, op->name, NULL, 0, ":%s has %u values, expected %u", spec->name, a->n,
                    (unsigned)spec->count);
    if (is_list && a->n > GN_MAX_RANK)
        gn_throw_at(g, GN_ESHAPE, op->name, NULL, 0, ":%s has %u values, at most %d are possible", spec->name, a->n,
                    GN_MAX_RANK);
    if (a->kind != GN_ATTR_DTYPE) return;
    if (a->i < 0 || a->i >= GN_NDTYPES)
        gn_throw_at(g, GN_EDTYPE, op->name, NULL, 0, ":%s is %d, which is no dtype", spec->name, (int)a->i);
    if (spec->dtypes && !(spec->dtypes & GN_BIT(a->i)))
        gn_throw_at(g, GN_EDTYPE, op->name, NULL, 0, ":%s is %s, not one of %s", spec->name, gn_dtypes[a->i].name,
                    dtype_names(g, spec->dtypes));
}

/* Attributes as the node will hold them: names interned. `local` has place for MOST_ATTRS. */
static const gn_attr *canonical_attrs(gn_graph *g, const gn_op_info *op, const gn_attr *attr, gn_attr *local)
{
    GN_ASSERT(op->nattr <= MOST_ATTRS);
    for (uint32_t i = 0; i < op->nattr; i++) {
        GN_ASSERT(attr[i].kind == op->attrs[i].kind);
        check_attr(g, op, &op->attrs[i], &attr[i]);
        local[i] = attr[i];
        if (attr[i].kind == GN_ATTR_NAME) local[i].name = gn_symbol(&g->arena, &g->symbols, attr[i].name);
    }
    return local;
}

gn_expr *gn_node(gn_graph *g, const gn_op_info *op, gn_expr *const *in, size_t nin, const gn_attr *attr)
{
    gn_attr local[MOST_ATTRS];
    if (!operands_are_good(g, op, in, nin)) return g->error;
    const probe p = { op, NULL, in, nin, canonical_attrs(g, op, attr, local) };
    const uint64_t hash = node_hash(&p);
    gn_expr *const known = gn_intern_find(&g->exprs, hash, &p, node_equal);
    if (known) {
        note_origin(g, known->id);
        return known;
    }
    const gn_constraints outer = g->pending;
    g->pending = (gn_constraints){ 0 }; /* a type rule may build nodes of its own */
    const gn_type *const type = gn_infer_type(g, op, in, nin, p.attr);
    const gn_constraints mine = g->pending;
    g->pending = outer;
    return make(g, &p, hash, type, &mine);
}

gn_expr *gn_leaf_node(gn_graph *g, const gn_op_info *op, const gn_type *type, const gn_attr *attr)
{
    gn_attr local[MOST_ATTRS];
    const probe p = { op, type, NULL, 0, canonical_attrs(g, op, attr, local) };
    const uint64_t hash = node_hash(&p);
    gn_expr *const known = gn_intern_find(&g->exprs, hash, &p, node_equal);
    if (!known) return make(g, &p, hash, type, &(gn_constraints){ 0 });
    note_origin(g, known->id);
    return known;
}

gn_expr *gn_param_node(gn_graph *g, size_t index, const gn_type *type)
{
    const gn_attr attr = { .kind = GN_ATTR_INT, .i = (int64_t)index };
    return gn_leaf_node(g, &gn_op_param, type, &attr);
}

gn_expr *gn_constant_node(gn_graph *g, const gn_type *type, const void *data, size_t size)
{
    if (size > UINT32_MAX)
        gn_throw(GN_ENOMEM, "a constant of %zu bytes: at most 4 GiB are possible, larger ones can be shared variables",
                 size);
    const gn_attr attr = { .kind = GN_ATTR_DATA, .n = (uint32_t)size, .data = data };
    return gn_leaf_node(g, &gn_op_constant, type, &attr);
}

static gn_expr *named_leaf(gn_graph *g, const gn_op_info *op, const char *name, const gn_type *type)
{
    if (!gn_is_leaf_name(name))
        gn_throw(GN_EINVAL, "\"%s\" is no name: a letter or _, then letters, digits and _ . / - are possible", name);
    const gn_attr attr = { .kind = GN_ATTR_NAME, .name = gn_symbol(&g->arena, &g->symbols, name) };
    gn_expr **const place = (gn_expr **)gn_map_put(&g->arena, &g->names, GN_KEY(attr.name));
    if (*place) gn_throw(GN_EINVAL, "the name \"%s\" is taken by another %s", name, (*place)->op->name);
    return *place = gn_leaf_node(g, op, type, &attr);
}

gn_expr *gn_input_node(gn_graph *g, const char *name, const gn_type *type)
{
    gn_push(&g->arena, &g->inputs, NULL); /* its place first: nothing may fail once the name is taken */
    g->inputs.n--;
    return g->inputs.at[g->inputs.n++] = named_leaf(g, &gn_op_input, name, type);
}

gn_expr *gn_variable_node(gn_graph *g, const char *name, const gn_type *type, struct gn_variable *storage)
{
    gn_push(&g->arena, &g->variables, NULL);
    gn_push(&g->arena, &g->kept, NULL);
    g->variables.n--, g->kept.n--;
    gn_expr *const e = named_leaf(g, &gn_op_variable, name, type);
    g->variables.at[g->variables.n++] = e;
    g->kept.at[g->kept.n++] = storage;
    if (storage) gn_variable_keep(storage);
    *gn_map_put(&g->arena, &g->storage, e->id) = storage;
    return e;
}

struct gn_variable *gn_variable_of(const gn_expr *e)
{
    return gn_map_get(&gn_graph_in(e)->storage, e->id);
}

const gn_attr *gn_attr_of(const gn_expr *e, const char *name)
{
    uint32_t i = 0;
    while (i < e->op->nattr && strcmp(e->op->attrs[i].name, name) != 0) i++;
    GN_ASSERT(i < e->op->nattr);
    return &e->attr[i];
}

gn_constraints gn_constraints_of(const gn_expr *e)
{
    const gn_constraints *const list = gn_map_get(&gn_graph_in(e)->constraints, e->id);
    return list ? *list : (gn_constraints){ 0 };
}

const gn_origin *gn_origin_of(const gn_expr *e)
{
    const gn_graph *const g = gn_graph_in(e);
    return g && !gn_is_error(e) ? g->origins.at[e->id] : NULL;
}

const void *gn_expr_operand(const void *node, size_t i)
{
    const gn_expr *const e = node;
    return i < e->nin ? e->in[i] : NULL;
}

gn_expr_list gn_reachable(gn_arena *arena, size_t n, gn_expr *const *roots)
{
    gn_visit v = { .arena = arena, .operand = gn_expr_operand };
    gn_expr_list order = { 0 };
    for (size_t r = 0; r < n; r++) {
        gn_visit_add(&v, roots[r]); /* one after the other: the order of the roots */
        for (const gn_expr *e; (e = gn_visit_next(&v));) gn_push(arena, &order, (gn_expr *)(uintptr_t)e);
    }
    return order;
}
