/* What gn_compile is asked for: operands that belong to the graph, inputs once each, variables updated once each by
 * values that fit. */
#include "compile_check.h"
#include <stdlib.h>
#include <string.h>
#include "ascii.h"
#include "op.h"

typedef struct reader {
    gn_arena *arena;
    gn_loc loc;
    gn_graph *graph;
} reader;

static const char *name_of(const gn_expr *e)
{
    return gn_attr_of(e, "name")->name;
}

/* An operand of `what`[i]: there, of this graph, no error. */
static void check_operand(const reader *r, gn_expr *e, const char *what, size_t i)
{
    if (!e) gn_throw(GN_EINVAL, "%s:%d: compile: %s %zu is NULL", r->loc.file, r->loc.line, what, i);
    if (gn_is_error(e)) gn_rethrow(gn_error_of(e)); /* the sentence of the builder that failed */
    if (gn_graph_in(e) != r->graph)
        gn_throw(GN_EINVAL, "%s:%d: compile: %s %zu belongs to another graph", r->loc.file, r->loc.line, what, i);
    if (e->type->kind == GN_TYPE_TUPLE)
        gn_throw(GN_EINVAL, "%s:%d: compile: %s %zu is a tuple", r->loc.file, r->loc.line, what, i);
}

static void check_inputs(const reader *r, gn_exprs in)
{
    gn_map seen = { 0 };
    for (size_t i = 0; i < in.n; i++) {
        check_operand(r, in.at[i], ".in", i);
        if (in.at[i]->op != &gn_op_input)
            gn_throw_at(r->graph, GN_EINVAL, "compile", &in.at[i], 1, ".in %zu is no input but %s", i, in.at[i]->op->name);
        void **place = gn_map_put(r->arena, &seen, GN_KEY(in.at[i]));
        if (*place)
            gn_throw_at(r->graph, GN_EINVAL, "compile", &in.at[i], 1, "input '%s' is twice in .in", name_of(in.at[i]));
        *place = in.at[i];
    }
}

/* Every input that the outputs and new values reach must be in the list. An explicit stack: graphs are deep. */
static void check_reached(const reader *r, gn_exprs in, gn_exprs out, gn_exprs value)
{
    gn_map given = { 0 }, seen = { 0 };
    GN_VEC(gn_expr *) stack = { 0 };
    for (size_t i = 0; i < in.n; i++) *gn_map_put(r->arena, &given, GN_KEY(in.at[i])) = in.at[i];
    for (size_t i = out.n; i-- > 0;) gn_push(r->arena, &stack, out.at[i]);
    for (size_t i = value.n; i-- > 0;) gn_push(r->arena, &stack, value.at[i]);
    while (stack.n) {
        gn_expr *e = gn_pop(&stack);
        void **place = gn_map_put(r->arena, &seen, GN_KEY(e));
        if (*place) continue;
        *place = e;
        if (e->op == &gn_op_input && !gn_map_get(&given, GN_KEY(e)))
            gn_throw_at(r->graph, GN_EINVAL, "compile", &e, 1, "input '%s' is needed but missing in .in", name_of(e));
        for (uint32_t i = 0; i < e->nin; i++) gn_push(r->arena, &stack, e->in[i]);
    }
}

static void check_update(const reader *r, const gn_update *u, size_t i)
{
    gn_expr *pair[2] = { u->variable, u->value };
    check_operand(r, u->variable, ".update variable", i);
    check_operand(r, u->value, ".update value", i);
    if (u->variable->op != &gn_op_variable)
        gn_throw_at(r->graph, GN_EINVAL, "compile", pair, 1, "update %zu is of no variable but of %s", i,
                    u->variable->op->name);
    const gn_type *a = u->variable->type, *b = u->value->type;
    if (a->dtype != b->dtype)
        gn_throw_at(r->graph, GN_EDTYPE, "compile", pair, 2, "update of '%s': dtype %s, expected %s",
                    name_of(u->variable), gn_dtype_name((gn_dtype)b->dtype), gn_dtype_name((gn_dtype)a->dtype));
    if (a->n != b->n)
        gn_throw_at(r->graph, GN_ESHAPE, "compile", pair, 2, "update of '%s': rank %d, expected %d",
                    name_of(u->variable), b->n, a->n);
    for (uint16_t d = 0; d < a->n; d++)
        if (gn_dim_compare(a->dim[d], b->dim[d]) != GN_DIM_EQUAL)
            gn_throw_at(r->graph, GN_ESHAPE, "compile", pair, 2, "update of '%s': axis %d has extent %s, expected %s",
                        name_of(u->variable), d, gn_dim_text(r->arena, b->dim[d]), gn_dim_text(r->arena, a->dim[d]));
}

static void read_updates(const reader *r, gn_updates u, gn_request *q)
{
    gn_expr **variable = GN_NEW_ARRAY(r->arena, gn_expr *, u.n), **value = GN_NEW_ARRAY(r->arena, gn_expr *, u.n);
    gn_map seen = { 0 };
    if (u.error) gn_rethrow(u.error); /* the message is the one of the optimizer that failed */
    for (size_t i = 0; i < u.n; i++) {
        check_update(r, &u.at[i], i);
        variable[i] = u.at[i].variable, value[i] = u.at[i].value;
        void **place = gn_map_put(r->arena, &seen, GN_KEY(variable[i]));
        if (*place)
            gn_throw_at(r->graph, GN_EINVAL, "compile", &variable[i], 1, "variable '%s' is updated twice",
                        name_of(variable[i]));
        *place = variable[i];
    }
    q->variable = (gn_exprs){ u.n, variable }, q->value = (gn_exprs){ u.n, value };
}

static const char *skip_spaces(const char *p)
{
    while (gn_is_space(*p)) p++;
    return p;
}

/* "batch=60, n = 3" */
static void read_fix(const reader *r, const char *text, gn_request *q)
{
    GN_VEC(gn_fix) list = { 0 };
    for (const char *p = skip_spaces(text ? text : ""); *p;) {
        const char *name = p;
        char *end;
        while (gn_in_name(*p)) p++;
        const char *word = gn_symbol_n(r->arena, &(gn_symbols){ 0 }, name, (size_t)(p - name));
        p = skip_spaces(p);
        const bool is_good = *word && *p == '=';
        const long long value = is_good ? strtoll(p + 1, &end, 10) : 0;
        if (!is_good || end == p + 1)
            gn_throw(GN_ESYNTAX, "%s:%d: compile: .fix \"%s\": expected name=number at column %d", r->loc.file,
                     r->loc.line, text, (int)(p - text) + 1);
        if (value < 0)
            gn_throw(GN_ESHAPE, "%s:%d: compile: .fix \"%s\": '%s' is negative", r->loc.file, r->loc.line, text, word);
        for (size_t i = 0; i < list.n; i++)
            if (!strcmp(list.at[i].name, word))
                gn_throw(GN_EINVAL, "%s:%d: compile: .fix \"%s\": '%s' twice", r->loc.file, r->loc.line, text, word);
        gn_push(r->arena, &list, (gn_fix){ word, value });
        p = skip_spaces(end);
        if (*p && *p != ',')
            gn_throw(GN_ESYNTAX, "%s:%d: compile: .fix \"%s\": expected a comma at column %d", r->loc.file, r->loc.line,
                     text, (int)(p - text) + 1);
        if (*p) p = skip_spaces(p + 1);
    }
    q->nfix = list.n, q->fix = list.at;
}

static void find_named_dim(void *user, const char *name)
{
    const char **wanted = user;
    if (*wanted && !strcmp(*wanted, name)) *wanted = NULL;
}

/* A fixed name must be a dim of some input: else it is a typing mistake. */
static void check_fix(const reader *r, const gn_request *q)
{
    for (size_t f = 0; f < q->nfix; f++) {
        const char *wanted = q->fix[f].name;
        for (size_t i = 0; i < q->in.n; i++)
            for (uint16_t d = 0; d < q->in.at[i]->type->n; d++)
                gn_dim_symbols(q->in.at[i]->type->dim[d], find_named_dim, &wanted);
        if (wanted)
            gn_throw(GN_EINVAL, "%s:%d: compile: .fix: no input has a dim named '%s'", r->loc.file, r->loc.line,
                     wanted);
    }
}

static void check_name(const reader *r, const char *name)
{
    if (!gn_is_name(name) || strlen(name) > 60)
        gn_throw(GN_EINVAL, "%s:%d: compile: .name \"%s\" is no identifier of up to 60 characters", r->loc.file,
                 r->loc.line, name);
}

gn_request gn_request_read(gn_arena *arena, gn_loc loc, gn_graph *g, const gn_compile_options *o)
{
    const reader r = { arena, loc, g };
    g->here = loc;
    gn_request q = {
        .graph = g, .in = o->in, .out = o->out, .name = o->name ? o->name : "f", .disable = o->disable ? o->disable : ""
    };
    check_name(&r, q.name);
    if (o->device && strcmp(o->device, "cpu"))
        gn_throw(GN_EDEVICE, "%s:%d: compile: .device \"%s\": only \"cpu\" runs functions", loc.file, loc.line, o->device);
    check_inputs(&r, o->in);
    for (size_t i = 0; i < o->out.n; i++) check_operand(&r, o->out.at[i], ".out", i);
    read_updates(&r, o->update, &q);
    if (!q.out.n && !q.value.n) gn_throw(GN_EINVAL, "%s:%d: compile: neither .out nor .update", loc.file, loc.line);
    check_reached(&r, q.in, q.out, q.value);
    read_fix(&r, o->fix, &q);
    check_fix(&r, &q);
    return q;
}
