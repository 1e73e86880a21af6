/* The printer of the text form. */
#include "graph_text.h"
#include "op.h"
#include "view.h"
#include <inttypes.h>
#include <sodium.h>
#include <string.h>

enum { INLINE_BYTES = 64 };

typedef struct printer {
    gn_text *t;
    gn_arena *arena;
    bool with_data;
    gn_map number;  /* node id -> its number + 1, outside regions */
    gn_map regions; /* region -> its number + 1 */
    size_t nregions;
} printer;

static void print_type(gn_text *t, const gn_type *type)
{
    gn_textf(t, "%s (", type->kind == GN_TYPE_TUPLE ? "tuple" : gn_dtypes[type->dtype].name);
    for (size_t i = 0; i < type->n; i++) {
        if (i) gn_text_char(t, ' ');
        if (type->kind == GN_TYPE_TENSOR) gn_dim_print(t, type->dim[i]);
        else {
            gn_text_char(t, '(');
            print_type(t, type->elem[i]);
            gn_text_char(t, ')');
        }
    }
    gn_text_char(t, ')');
}

static uint64_t number_in(const gn_map *numbers, const gn_expr *e)
{
    const uintptr_t n = (uintptr_t)gn_map_get(numbers, e->id);
    GN_ASSERT(n > 0);
    return n - 1;
}

void gn_attr_print_list(gn_text *t, const gn_attr *a)
{
    gn_text_char(t, '(');
    for (uint32_t i = 0; i < a->n; i++) {
        if (i) gn_text_char(t, ' ');
        if (a->kind == GN_ATTR_INTS) gn_textf(t, "%" PRId64, a->ints[i]);
        else gn_dim_print(t, a->dims[i]);
    }
    gn_text_char(t, ')');
}

static void print_attr(printer *p, const gn_attr *a)
{
    gn_text *const t = p->t;
    switch (a->kind) {
    case GN_ATTR_INT: gn_textf(t, "%" PRId64, a->i); return;
    case GN_ATTR_DTYPE: gn_text_add(t, gn_dtypes[a->i].name); return;
    case GN_ATTR_FLOAT: gn_element_print(t, GN_F64, &a->f); return;
    case GN_ATTR_NAME: gn_text_quote(t, a->name); return;
    case GN_ATTR_REGION: gn_textf(t, "r%zu", (size_t)(uintptr_t)gn_map_get(&p->regions, GN_KEY(a->region)) - 1); return;
    default: gn_attr_print_list(t, a); return;
    }
}

static void print_bytes(gn_text *t, const unsigned char *at, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    gn_text_char(t, '"');
    for (size_t i = 0; i < n; i++) {
        const char two[2] = { digit[at[i] >> 4], digit[at[i] & 15] };
        gn_text_add_n(t, two, 2);
    }
    gn_text_char(t, '"');
}

static void print_value(printer *p, const gn_expr *e)
{
    const gn_attr *const a = &e->attr[0];
    const gn_dtype dtype = (gn_dtype)e->type->dtype;
    const size_t size = gn_dtype_size(dtype);
    if (a->n <= INLINE_BYTES) {
        for (size_t at = 0; at < a->n; at += size) {
            gn_text_char(p->t, ' ');
            gn_element_print(p->t, dtype, (const char *)a->data + at);
        }
        return;
    }
    gn_text_add(p->t, p->with_data ? " (data " : " (hash ");
    if (p->with_data) print_bytes(p->t, a->data, a->n);
    else {
        unsigned char hash[32];
        crypto_generichash(hash, sizeof hash, a->data, a->n, NULL, 0);
        print_bytes(p->t, hash, sizeof hash);
    }
    gn_text_char(p->t, ')');
}

/* A constant or node, with `numbers` of where it stands. */
static void print_node(printer *p, gn_map *numbers, uint64_t n, const gn_expr *e, const char *indent)
{
    gn_text *const t = p->t;
    *gn_map_put(p->arena, numbers, e->id) = (void *)(uintptr_t)(n + 1);
    gn_textf(t, "\n%s(%s %" PRIu64 " ", indent, e->op == &gn_op_constant ? "constant" : "node", n);
    print_type(t, e->type);
    if (e->op == &gn_op_constant) print_value(p, e);
    else {
        gn_textf(t, " (%s", e->op->name);
        for (uint32_t i = 0; i < e->nin; i++) gn_textf(t, " %%%" PRIu64, number_in(numbers, e->in[i]));
        for (uint32_t i = 0; i < e->op->nattr; i++) {
            gn_textf(t, " :%s ", e->op->attrs[i].name);
            print_attr(p, &e->attr[i]);
        }
        gn_text_char(t, ')');
    }
    gn_text_char(t, ')');
}

static void print_refs(printer *p, const gn_map *numbers, size_t n, gn_expr *const *e)
{
    for (size_t i = 0; i < n; i++) gn_textf(p->t, " %%%" PRIu64, number_in(numbers, e[i]));
}

static void print_regions_of(printer *p, const gn_expr_list *nodes);

static void print_region(printer *p, const gn_region *r)
{
    gn_map numbers = { 0 };
    if (gn_map_get(&p->regions, GN_KEY(r))) return;
    const gn_expr_list body = gn_reachable(p->arena, r->nout, r->out);
    print_regions_of(p, &body);
    gn_textf(p->t, "\n  (region r%zu (params", p->nregions);
    *gn_map_put(p->arena, &p->regions, GN_KEY(r)) = (void *)(uintptr_t)++p->nregions;
    for (uint32_t i = 0; i < r->nparam; i++) {
        gn_text_add(p->t, " (");
        print_type(p->t, r->param[i]);
        gn_text_char(p->t, ')');
    }
    gn_text_char(p->t, ')');
    for (size_t i = 0; i < body.n; i++) print_node(p, &numbers, i, body.at[i], "    ");
    gn_text_add(p->t, "\n    (out");
    print_refs(p, &numbers, r->nout, r->out);
    gn_text_add(p->t, "))");
}

static void print_regions_of(printer *p, const gn_expr_list *nodes)
{
    for (size_t i = 0; i < nodes->n; i++)
        for (uint32_t k = 0; k < nodes->at[i]->op->nattr; k++)
            if (nodes->at[i]->attr[k].kind == GN_ATTR_REGION) print_region(p, nodes->at[i]->attr[k].region);
}

/* The names of dims, in the order of their first use in constraints, types and attributes. */

typedef struct names {
    printer *p;
    gn_visit dims;
    gn_map regions;
    size_t n;
} names;

static void print_name(void *user, const gn_atom *x)
{
    names *const l = user;
    if (x->kind == GN_DIM_SYM) gn_textf(l->p->t, "%s%s", l->n++ ? " " : "\n  (dims ", x->name);
}

static void names_of_dim(names *l, const gn_dim *d)
{
    gn_dim_meet(&l->dims, d, print_name, l);
}

static void names_of_type(names *l, const gn_type *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->kind == GN_TYPE_TENSOR) names_of_dim(l, t->dim[i]);
        else names_of_type(l, t->elem[i]);
    }
}

static void names_of_nodes(names *l, const gn_expr_list *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const gn_expr *const e = nodes->at[i];
        names_of_type(l, e->type);
        for (uint32_t k = 0; k < e->op->nattr; k++) {
            for (uint32_t m = 0; e->attr[k].kind == GN_ATTR_DIMS && m < e->attr[k].n; m++)
                names_of_dim(l, e->attr[k].dims[m]);
            if (e->attr[k].kind != GN_ATTR_REGION) continue;
            const gn_region *const r = e->attr[k].region;
            void **const place = gn_map_put(l->p->arena, &l->regions, GN_KEY(r));
            if (*place) continue;
            *place = l;
            const gn_expr_list body = gn_reachable(l->p->arena, r->nout, r->out);
            for (uint32_t m = 0; m < r->nparam; m++) names_of_type(l, r->param[m]);
            names_of_nodes(l, &body);
        }
    }
}

static void print_header(printer *p, const struct gn_core *core, const gn_expr_list *nodes)
{
    static const char *const relax[] = { "reassociate", "finite", "approximate" };
    if (core->graph->relax) {
        gn_text_add(p->t, "\n  (relax");
        for (int i = 0; i < 3; i++)
            if (core->graph->relax & 1u << i) gn_textf(p->t, " %s", relax[i]);
        gn_text_char(p->t, ')');
    }
    names l = { .p = p, .dims = { .arena = p->arena, .operand = gn_atom_operand } };
    for (size_t i = 0; i < core->constraints.n; i++)
        names_of_dim(&l, core->constraints.at[i].a), names_of_dim(&l, core->constraints.at[i].b);
    for (size_t i = 0; i < core->in.n; i++) names_of_type(&l, core->in.at[i]->type);
    names_of_nodes(&l, nodes);
    if (l.n) gn_text_char(p->t, ')');
    for (size_t i = 0; i < core->constraints.n; i++) {
        gn_text_add(p->t, "\n  (constraint ");
        gn_dim_print(p->t, core->constraints.at[i].a);
        gn_text_char(p->t, ' ');
        gn_dim_print(p->t, core->constraints.at[i].b);
        gn_text_char(p->t, ' ');
        gn_text_quote(p->t, core->constraints.at[i].text);
        gn_text_char(p->t, ')');
    }
}

static void print_leaf(printer *p, uint64_t n, const gn_expr *e)
{
    if (gn_map_get(&p->number, e->id)) return;
    *gn_map_put(p->arena, &p->number, e->id) = (void *)(uintptr_t)(n + 1);
    gn_textf(p->t, "\n  (%s %" PRIu64 " %s ", e->op->name, n, e->attr[0].name);
    print_type(p->t, e->type);
    gn_text_char(p->t, ')');
}

static void print_body(printer *p, const struct gn_core *core, const gn_expr_list *nodes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < core->in.n; i++) print_leaf(p, n++, core->in.at[i]);
    for (size_t i = 0; i < nodes->n; i++)
        if (nodes->at[i]->op == &gn_op_input && !gn_map_get(&p->number, nodes->at[i]->id)) print_leaf(p, n++, nodes->at[i]);
    for (size_t i = 0; i < nodes->n; i++)
        if (nodes->at[i]->op == &gn_op_variable) print_leaf(p, n++, nodes->at[i]);
    print_regions_of(p, nodes);
    for (size_t i = 0; i < nodes->n; i++)
        if (nodes->at[i]->op == &gn_op_constant) print_node(p, &p->number, n++, nodes->at[i], "  ");
    for (size_t i = 0; i < nodes->n; i++)
        if (!gn_map_get(&p->number, nodes->at[i]->id)) print_node(p, &p->number, n++, nodes->at[i], "  ");
    gn_text_add(p->t, "\n  (out");
    print_refs(p, &p->number, core->out.n, core->out.at);
    gn_text_char(p->t, ')');
    for (size_t i = 0; i < core->update.n; i++)
        gn_textf(p->t, "\n  (update %%%" PRIu64 " %%%" PRIu64 ")", number_in(&p->number, core->variable.at[i]),
                 number_in(&p->number, core->update.at[i]));
}

void gn_core_print_with(gn_text *t, const struct gn_core *core, bool with_data)
{
    printer p = { .t = t, .arena = t->arena, .with_data = with_data };
    GN_VEC(gn_expr *) roots = { 0 };
    for (size_t i = 0; i < core->out.n; i++) gn_push(p.arena, &roots, core->out.at[i]);
    for (size_t i = 0; i < core->update.n; i++) {
        gn_push(p.arena, &roots, core->variable.at[i]);
        gn_push(p.arena, &roots, core->update.at[i]);
    }
    const gn_expr_list nodes = gn_reachable(p.arena, roots.n, roots.at);
    gn_text_add(t, "(graph");
    print_header(&p, core, &nodes);
    print_body(&p, core, &nodes);
    gn_text_add(t, ")\n");
}

void gn_core_print(gn_text *t, const struct gn_core *core)
{
    gn_core_print_with(t, core, false);
}

/* The public form: a part of the user's graph, as if it were a program without updates. */

typedef struct print_call {
    gn_graph *g;
    gn_exprs out;
    gn_arena scratch;
    const char *text;
} print_call;

static void collect_constraints(gn_arena *arena, struct gn_core *core, const gn_expr_list *nodes, gn_map *seen)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const gn_constraints list = gn_constraints_of(nodes->at[i]);
        for (size_t k = 0; k < list.n; k++) {
            void **const place = gn_map_put(arena, seen, (uint64_t)list.at[k].a->id << 32 | list.at[k].b->id);
            if (!*place) gn_push(arena, &core->constraints, list.at[k]);
            *place = core;
        }
    }
}

static void print_user_graph(void *arg)
{
    print_call *const c = arg;
    gn_text t = { .arena = &c->scratch };
    struct gn_core core = { .graph = c->g };
    gn_map seen = { 0 };
    for (size_t i = 0; i < c->out.n; i++) {
        if (!c->out.at[i]) gn_throw(GN_EINVAL, "print: output %zu is NULL", i + 1);
        if (gn_is_error(c->out.at[i])) gn_check(gn_error_of(c->out.at[i]));
        if (gn_graph_in(c->out.at[i]) != c->g) gn_throw(GN_EINVAL, "print: output %zu belongs to another graph", i + 1);
        gn_push(&c->scratch, &core.out, c->out.at[i]);
    }
    const gn_expr_list nodes = gn_reachable(&c->scratch, c->out.n, c->out.at);
    collect_constraints(&c->scratch, &core, &nodes, &seen);
    gn_core_print_with(&t, &core, true);
    c->text = gn_text_done(&t);
}

char *gn_graph_print(gn_graph *g, gn_exprs outputs)
{
    if (!g) {
        gn_error(GN_EINVAL, "print: the graph is NULL");
        return NULL;
    }
    print_call c = { .g = g, .out = outputs, .scratch = { .allocator = g->arena.allocator } };
    char *copy = NULL;
    if (gn_protect(print_user_graph, &c) == GN_OK) copy = gn_block_new(g->arena.allocator, strlen(c.text) + 1);
    if (copy) strcpy(copy, c.text);
    gn_arena_free(&c.scratch);
    return copy;
}

void gn_text_free(char *text)
{
    gn_block_free(NULL, text, 0); /* the block knows its allocator */
}
