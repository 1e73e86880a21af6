/* The verifier: what must hold of a graph after every pass. A failure is a bug in Gnomon, hence GN_EINTERNAL with the
 * place in the graph. */
#include "dim_parts.h"
#include "graph_text.h"
#include "op.h"
#include <string.h>

typedef struct verifier {
    gn_arena scratch;
    const gn_graph *g;
    size_t nin, nout;
    gn_expr *const *in, *const *out;
    gn_map bound;   /* symbol -> v, of the inputs */
    gn_visit dims;  /* of nodes */
    gn_map regions; /* those that were verified */
} verifier;

static _Noreturn void broken(const gn_expr *e, const char *what)
{
    gn_throw(GN_EINTERNAL, "verify: node %u, %s: %s", e->id, e->op ? e->op->name : "without an op", what);
}

static void verify_attrs(const gn_expr *e)
{
    for (uint32_t i = 0; i < e->op->nattr; i++) {
        if (!e->attr) broken(e, "attributes are missing");
        if (e->attr[i].kind != e->op->attrs[i].kind) broken(e, "an attribute is of another kind than declared");
        if (e->attr[i].kind == GN_ATTR_DTYPE && (e->attr[i].i < 0 || e->attr[i].i >= GN_NDTYPES))
            broken(e, "an attribute is no dtype");
    }
}

static void verify_constant(const gn_expr *e)
{
    int64_t bytes = (int64_t)gn_dtype_size((gn_dtype)e->type->dtype), v;
    for (size_t i = 0; i < e->type->n; i++) {
        if (!gn_dim_is_const(e->type->dim[i], &v)) broken(e, "an extent is no number");
        bytes *= v;
    }
    if (bytes != e->attr[0].n) broken(e, "its bytes are not those of its type");
}

static void verify_type(verifier *v, gn_expr *e)
{
    gn_graph *const g = gn_graph_in(e);
    (void)v;
    if (e->op == &gn_op_constant) verify_constant(e);
    if (e->op->traits & GN_LEAF && !e->op->infer) return;
    const gn_constraints pending = g->pending;
    const gn_type *const type = gn_infer_type(g, e->op, e->in, e->nin, e->attr);
    g->pending = pending;
    if (type == e->type) return;
    gn_text a = { .arena = &v->scratch }, b = { .arena = &v->scratch };
    gn_type_show(&a, e->type);
    gn_type_show(&b, type);
    broken(e, gn_arena_printf(&v->scratch, "its type is %s, its rule says %s", gn_text_done(&a), gn_text_done(&b)));
}

static void note_bound(void *user, const gn_atom *x)
{
    verifier *const v = user;
    if (x->kind == GN_DIM_SYM) *gn_map_put(&v->scratch, &v->bound, GN_KEY(x)) = v;
}

static void note_all_bound(verifier *v)
{
    gn_visit all = { .arena = &v->scratch, .operand = gn_atom_operand };
    for (size_t i = 0; i < v->nin; i++)
        for (size_t d = 0; d < v->in[i]->type->n; d++) gn_dim_meet(&all, v->in[i]->type->dim[d], note_bound, v);
}

typedef struct bound_check {
    const verifier *v;
    const gn_expr *e;
    const char *where;
} bound_check;

static void check_bound(void *user, const gn_atom *x)
{
    const bound_check *const c = user;
    if (x->kind == GN_DIM_SYM && !gn_map_get(&c->v->bound, GN_KEY(x))) broken(c->e, c->where);
}

static void verify_dims(verifier *v, const gn_expr *e)
{
    bound_check c = { v, e, "a named dim of its type is bound by no input" };
    for (size_t d = 0; e->type->kind == GN_TYPE_TENSOR && d < e->type->n; d++)
        gn_dim_meet(&v->dims, e->type->dim[d], check_bound, &c);
    c.where = "a named dim of an attribute is bound by no input";
    for (uint32_t a = 0; a < e->op->nattr; a++)
        for (uint32_t d = 0; e->attr[a].kind == GN_ATTR_DIMS && d < e->attr[a].n; d++)
            gn_dim_meet(&v->dims, e->attr[a].dims[d], check_bound, &c);
}

static void verify_region(verifier *v, const gn_expr *holder, const gn_region *r);

static void verify_node(verifier *v, gn_expr *e)
{
    if (!e->op || gn_is_error(e)) broken(e, "an error node");
    if (gn_graph_in(e) != v->g) broken(e, "it belongs to another graph");
    if (e->id >= v->g->nodes.n || v->g->nodes.at[e->id] != e) broken(e, "its number is not its place");
    for (uint32_t i = 0; i < e->nin; i++)
        if (!e->in[i] || e->in[i]->id >= e->id) broken(e, "an operand stands after it");
    verify_attrs(e);
    verify_type(v, e);
    verify_dims(v, e);
    for (uint32_t i = 0; i < e->op->nattr; i++)
        if (e->attr[i].kind == GN_ATTR_REGION) verify_region(v, e, e->attr[i].region);
}

static void verify_region(verifier *v, const gn_expr *holder, const gn_region *r)
{
    void **const place = gn_map_put(&v->scratch, &v->regions, GN_KEY(r));
    if (*place) return;
    *place = v;
    const gn_expr_list body = gn_reachable(&v->scratch, r->nout, r->out);
    for (size_t i = 0; i < body.n; i++) {
        gn_expr *const e = body.at[i];
        if (e->op == &gn_op_input || e->op == &gn_op_variable) broken(holder, "its region is not closed");
        if (e->op == &gn_op_param && (e->attr[0].i < 0 || e->attr[0].i >= r->nparam || r->param[e->attr[0].i] != e->type))
            broken(holder, "its region has a parameter that it does not declare");
        verify_node(v, e);
    }
}

static void verify_all(void *arg)
{
    verifier *const v = arg;
    const gn_expr_list nodes = gn_reachable(&v->scratch, v->nout, v->out);
    for (size_t i = 0; i < v->nin; i++)
        if (v->in[i]->op != &gn_op_input) broken(v->in[i], "it stands among the inputs");
    note_all_bound(v);
    for (size_t i = 0; i < v->nout; i++)
        if (v->out[i]->type->kind != GN_TYPE_TENSOR) broken(v->out[i], "an output is no tensor");
    for (size_t i = 0; i < nodes.n; i++) {
        if (nodes.at[i]->op == &gn_op_param) broken(nodes.at[i], "a parameter outside of a region");
        verify_node(v, nodes.at[i]);
    }
}

void gn_graph_verify(const gn_graph *g, size_t nin, gn_expr *const *in, size_t nout, gn_expr *const *out)
{
    verifier v = { .scratch = { .allocator = g->arena.allocator }, .g = g, .nin = nin, .nout = nout, .in = in, .out = out };
    v.dims = (gn_visit){ .arena = &v.scratch, .operand = gn_atom_operand };
    const gn_status s = gn_protect(verify_all, &v);
    gn_arena_free(&v.scratch);
    gn_check(s);
}

void gn_core_verify(const struct gn_core *core)
{
    gn_graph_verify(core->graph, core->in.n, core->in.at, core->out.n, core->out.at);
    gn_graph_verify(core->graph, core->in.n, core->in.at, core->update.n, core->update.at);
    for (size_t i = 0; i < core->update.n; i++)
        if (core->variable.at[i]->type != core->update.at[i]->type)
            broken(core->update.at[i], "the new value of a variable has another type");
}

/* What is no bug. */

typedef struct core_check {
    gn_arena scratch;
    const struct gn_core *core;
    gn_map bound;  /* symbols that are an extent of an input */
    gn_visit dims;
    gn_expr *e;    /* at work; NULL: `of` is */
    const gn_constraint *of;
} core_check;

static void check_dtype(const core_check *c, const gn_type *t)
{
    for (size_t i = 0; t->kind == GN_TYPE_TUPLE && i < t->n; i++) check_dtype(c, t->elem[i]);
    if (t->kind != GN_TYPE_TENSOR || gn_dtype_computes((gn_dtype)t->dtype)) return;
    gn_throw_at(c->core->graph, GN_EDTYPE, c->e->op->name, &c->e, 1, GN_NOT_COMPUTED, gn_dtype_name((gn_dtype)t->dtype));
}

#define UNBOUND "the named dim %s is bound by no input: one must have it as an extent of its own"

static void check_name(void *user, const gn_atom *x)
{
    const core_check *const c = user;
    if (x->kind != GN_DIM_SYM || gn_map_get(&c->bound, GN_KEY(x))) return;
    if (!c->e && c->of->loc.file)
        gn_throw(GN_EINVAL, "%s:%d: %s: " UNBOUND, c->of->loc.file, c->of->loc.line, c->of->text, x->name);
    if (!c->e) gn_throw(GN_EINVAL, "%s: " UNBOUND, c->of->text, x->name);
    gn_throw_at(c->core->graph, GN_EINVAL, c->e->op->name, &c->e, 1, UNBOUND, x->name);
}

static void check_nodes(void *arg)
{
    core_check *const c = arg;
    const struct gn_core *const core = c->core;
    for (size_t i = 0; i < core->in.n; i++)
        for (size_t d = 0; d < core->in.at[i]->type->n; d++) {
            const gn_dim *const extent = core->in.at[i]->type->dim[d];
            if (extent->n == 1 && extent->term[0].n == 1 && extent->term[0].c == 1)
                *gn_map_put(&c->scratch, &c->bound, GN_KEY(extent->term[0].atom[0])) = c;
        }
    for (size_t i = 0; i < core->out.n; i++)
        if (core->out.at[i]->type->kind != GN_TYPE_TENSOR)
            gn_throw(GN_EINVAL, "output %zu is a tuple: only tensors leave a function", i + 1);
    for (size_t i = 0; i < core->constraints.n; i++) {
        c->of = &core->constraints.at[i];
        gn_dim_meet(&c->dims, c->of->a, check_name, c);
        gn_dim_meet(&c->dims, c->of->b, check_name, c);
    }
    for (size_t i = 0; i < core->graph->nodes.n; i++) {
        const gn_expr *const e = c->e = core->graph->nodes.at[i];
        check_dtype(c, e->type);
        for (size_t d = 0; e->type->kind == GN_TYPE_TENSOR && d < e->type->n; d++)
            gn_dim_meet(&c->dims, e->type->dim[d], check_name, c);
        for (uint32_t a = 0; a < e->op->nattr; a++)
            for (uint32_t d = 0; e->attr[a].kind == GN_ATTR_DIMS && d < e->attr[a].n; d++)
                gn_dim_meet(&c->dims, e->attr[a].dims[d], check_name, c);
    }
}

void gn_core_check(const struct gn_core *core)
{
    core_check c = { .scratch = { .allocator = core->graph->arena.allocator }, .core = core };
    c.dims = (gn_visit){ .arena = &c.scratch, .operand = gn_atom_operand };
    gn_dim_with_scratch(&c.scratch, check_nodes, &c);
}
