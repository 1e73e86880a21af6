/* Graphs: birth, death, settings, and the questions a program may ask of an expression. */
#include "op.h"
#include "build.h"
#include "context.h"
#include "shared.h"
#include <string.h>

static const gn_type static_error_type = { .kind = GN_TYPE_ERROR };
static const gn_op_info error_op = { .name = "error", .traits = GN_LEAF };
/* What a builder returns that has no graph to put its error into. Nobody writes to it. */
static const gn_expr static_error = { .op = &error_op, .type = &static_error_type };

static void init(void *arg)
{
    gn_graph *const g = arg;
    gn_type *const type = GN_NEW_OBJECT(&g->arena, gn_type);
    *type = (gn_type){ .graph = g, .kind = GN_TYPE_ERROR };
    g->error = gn_arena_alloc(&g->arena, sizeof *g->error, alignof(gn_expr));
    *g->error = (gn_expr){ .op = &error_op, .type = type };
}

static gn_graph *new_graph(gn_context *context)
{
    const gn_allocator *const a = gn_context_allocator(context);
    gn_graph *const g = gn_alloc_zeroed(a, sizeof *g);
    if (!g) return NULL;
    g->context = context;
    g->arena.allocator = a;
    g->dims.arena = &g->arena;
    if (gn_protect(init, g) == GN_OK) return g;
    gn_graph_free(g);
    return NULL;
}

gn_graph *gn_graph_new(gn_context *context)
{
    if (!context) context = gn_context_default();
    return context ? new_graph(context) : NULL;
}

gn_graph *gn_graph_private(gn_context *context)
{
    gn_graph *const g = new_graph(context);
    if (!g) gn_rethrow(GN_ENOMEM);
    return g;
}

void gn_graph_free(gn_graph *g)
{
    if (!g) return;
    const gn_allocator *const a = g->arena.allocator;
    for (size_t i = 0; i < g->kept.n; i++) gn_variable_release(g->kept.at[i]);
    gn_arena_free(&g->arena);
    gn_release(a, g, sizeof *g);
}

gn_expr *gn_static_error(void)
{
    return (gn_expr *)(uintptr_t)&static_error;
}

gn_graph *gn_graph_of(const gn_expr *e)
{
    return e ? gn_graph_in(e) : NULL;
}

gn_status gn_graph_check(gn_graph *g)
{
    if (!g) return gn_error(GN_EINVAL, "the graph is NULL");
    const gn_status s = g->status;
    if (s) gn_error_set(s, g->message ? g->message : "out of memory");
    g->status = GN_OK;
    g->message = NULL;
    return s;
}

gn_status gn_error_of(const gn_expr *e)
{
    const gn_graph *const g = gn_graph_in(e);
    if (g && g->failed) return gn_error_set(g->failed, g->failed_message ? g->failed_message : "out of memory");
    return gn_error(GN_EINVAL,
                    "an expression is the result of a builder that failed: none of its operands belonged to a graph");
}

gn_status gn_graph_relax(gn_graph *g, const char *flags)
{
    static const char *const word[] = { "reassociate", "finite", "approximate" };
    uint32_t set = 0;
    if (!g || !flags) return gn_error(GN_EINVAL, "gn_graph_relax: the %s is NULL", g ? "list" : "graph");
    for (const char *at = flags + strspn(flags, ", "); *at; at += strspn(at, ", ")) {
        const size_t n = strcspn(at, ", ");
        size_t i = 0;
        while (i < 3 && (strlen(word[i]) != n || strncmp(word[i], at, n) != 0)) i++;
        if (i == 3)
            return gn_error(GN_EINVAL,
                            "gn_graph_relax: \"%.*s\" is unknown: reassociate, finite and approximate are known",
                            (int)n, at);
        set |= 1u << i;
        at += n;
    }
    g->relax = set;
    return GN_OK;
}

void gn_graph_seed(gn_graph *g, uint64_t seed)
{
    if (g) g->seed = seed;
}

typedef struct scope_call {
    gn_graph *g;
    const char *name;
} scope_call;

static void push_scope(void *arg)
{
    const scope_call *const c = arg;
    gn_arena *const a = &c->g->arena;
    const char *const outer = c->g->scopes.n ? c->g->scopes.at[c->g->scopes.n - 1] : "";
    const char *const whole = gn_symbol(a, &c->g->symbols, *outer ? gn_arena_printf(a, "%s/%s", outer, c->name) : c->name);
    gn_push(a, &c->g->scopes, whole);
}

void gn_scope_push(gn_graph *g, const char *name)
{
    scope_call c = { g, name ? name : "" };
    if (!g) return;
    const gn_status s = gn_protect(push_scope, &c);
    if (s && !g->status) g->status = s; /* only memory can be missing: what is built next would stand in the wrong scope */
}

void gn_scope_pop(gn_graph *g)
{
    if (g && g->scopes.n) g->scopes.n--;
}

gn_dtype gn_dtype_of(const gn_expr *e)
{
    return e && e->type->kind == GN_TYPE_TENSOR ? (gn_dtype)e->type->dtype : (gn_dtype)GN_NDTYPES;
}

int gn_rank_of(const gn_expr *e)
{
    return e && e->type->kind == GN_TYPE_TENSOR ? e->type->n : -1;
}

typedef struct text_call {
    const gn_expr *e;
    gn_arena scratch; /* a program may ask a million times: only new texts stay in the graph */
    const char *text;
} text_call;

static void type_text(void *arg)
{
    text_call *const c = arg;
    gn_graph *const g = gn_graph_in(c->e);
    gn_text t = { .arena = &c->scratch };
    gn_type_show(&t, c->e->type);
    c->text = gn_symbol(&g->arena, &g->symbols, gn_text_done(&t));
}

const char *gn_type_text(const gn_expr *e)
{
    if (!e || gn_is_error(e)) return "error";
    text_call c = { .e = e, .scratch = { .allocator = gn_graph_in(e)->arena.allocator } };
    const gn_status bad = gn_protect(type_text, &c);
    gn_arena_free(&c.scratch);
    return bad ? "out of memory" : c.text;
}
