/* gn_compile: from a checked request to a loaded function.
 *
 *     request -> private copy -> program key -- found --------------------------> program text -> program -> function
 *                                     \-- missed -> passes -> program -> text --/    kernel key -> found or compiled --^
 *
 * A program is always printed and read back, so that the way of a warm start is the way that is tested. */
#include "compile_state.h"
#include <stdlib.h>
#include "build_id.h"
#include "fpmode.h"
#include "graph_text.h"
#include "make_program.h"
#include "optimize.h"

/* The graph as it was asked for, for `gnomon inspect`: the passes have not seen it yet. */
static void keep_graph(compilation *c)
{
    gn_text t = { .arena = &c->scratch };
    if (!c->options->keep_source) return;
    gn_core_print_with(&t, c->core, true);
    c->graph_text = gn_text_done(&t);
}

static gn_key program_key(compilation *c)
{
    char build[96];
    gn_text graph = { .arena = &c->scratch };
    gn_key_fields f = { .n = 0 };
    gn_core_print(&graph, c->core);
    keep_graph(c);
    gn_build_id(build, sizeof build);
    gn_key_field(&f, "gnomon program 1");
    gn_key_field(&f, build);
    gn_key_field(&f, gn_text_done(&graph));
    gn_key_field(&f, c->request.name);
    gn_key_field(&f, c->request.disable);
    gn_key_field(&f, c->context->target->name);
    gn_key_field(&f, gn_toolchain_identity(c->context->toolchain));
    return gn_key_of(f.n, f.at, f.length);
}

/* ---- the program ---- */

static void read_request(void *arg)
{
    compilation *c = arg;
    c->request = gn_request_read(&c->scratch, c->loc, c->graph, c->options);
}

static void copy_graph(void *arg)
{
    compilation *c = arg;
    const gn_request *q = &c->request;
    c->core = gn_graph_copy(&c->scratch, q->graph, q->in, q->out, q->variable, q->value, q->nfix, q->fix);
    c->key = program_key(c);
}

static void run_passes(void *arg)
{
    compilation *c = arg;
    gn_func *f = c->f;
    gn_optimize_report *r = GN_NEW_OBJECT(&c->scratch, gn_optimize_report);
    gn_optimize(c->core, &(gn_optimize_options){ .disable = *c->request.disable ? c->request.disable : NULL, .report = r });
    f->pass = GN_NEW_ARRAY(&f->arena, gn_pass_info, r->n);
    for (f->npasses = 0; f->npasses < r->n; f->npasses++) {
        const gn_pass_report *p = &r->pass[f->npasses];
        f->pass[f->npasses] =
            (gn_pass_info){ p->name, p->ms, (int64_t)p->stats.nodes, (int64_t)p->stats.visits, (int64_t)p->stats.fired };
    }
}

static void make_program(void *arg)
{
    compilation *c = arg;
    gn_text t = { .arena = &c->scratch };
    gn_program_print(&t, gn_program_make(&c->scratch, c->core, c->context->target, c->request.name));
    c->text = gn_text_done(&t);
    c->text_size = t.n;
}

/* Metadata of a program's entry: its name on the first line, as for every entry, then its text. */
static gn_status keep_program(compilation *c)
{
    gn_bytes meta = { .allocator = c->f->allocator };
    if (!gn_cache_dir(c->context->cache)) return GN_OK;
    gn_bytes_printf(&meta, "%s\n", c->request.name);
    gn_bytes_add(&meta, c->text, c->text_size);
    const gn_status s = meta.failed ? GN_ENOMEM : gn_cache_keep(c->context->cache, &c->key, NULL, 0, meta.at, meta.n, NULL);
    gn_bytes_free(&meta);
    return s;
}

/* Who asks to see the passes wants them to run. */
static bool passes_are_watched(void)
{
    return secure_getenv("GN_DUMP") || secure_getenv("GN_TRACE");
}

static void find_program(compilation *c)
{
    size_t size;
    if (passes_are_watched() || !(c->found = gn_cache_load(c->context->cache, &c->key))) return;
    const char *meta = gn_module_meta(c->found, &size), *line = memchr(meta, '\n', size);
    c->text = line ? line + 1 : "", c->text_size = line ? size - (size_t)(line + 1 - meta) : 0;
}

static gn_status make_text(compilation *c)
{
    gn_func_info *info = &c->f->info;
    gn_compile_lap(c);
    gn_status s = gn_protect(run_passes, c);
    info->optimize_ms = gn_compile_lap(c);
    if (!s) s = gn_protect(make_program, c);
    info->codegen_ms = gn_compile_lap(c);
    return s ? s : keep_program(c);
}

static void read_program(void *arg)
{
    compilation *c = arg;
    const char *text = gn_arena_copy(&c->f->arena, c->text, c->text_size);
    c->f->program = gn_program_read(&c->f->arena, c->request.name, text, c->text_size);
}

/* ---- the function ---- */

static gn_loc keep_loc(gn_arena *a, gn_loc loc)
{
    return (gn_loc){ loc.file ? gn_arena_string(a, loc.file) : "", loc.line };
}

static gn_variable *find_variable(const compilation *c, const char *name)
{
    const gn_graph *g = c->graph;
    for (size_t i = 0; i < g->variables.n; i++)
        if (!strcmp(gn_attr_of(g->variables.at[i], "name")->name, name)) return gn_variable_of(g->variables.at[i]);
    return NULL;
}

/* Variables are kept one by one, so that a failure in between releases those that were. */
static void take_variables(compilation *c)
{
    gn_func *f = c->f;
    const gn_program *p = f->program;
    gn_variable **list = GN_NEW_ARRAY(&f->arena, gn_variable *, p->variables.n);
    for (size_t i = 0; i < p->variables.n; i++) {
        list[i] = find_variable(c, p->variables.at[i].name);
        if (!list[i])
            gn_throw(GN_EFORMAT, "the program has a variable '%s' that the graph has not", p->variables.at[i].name);
    }
    gn_func_keep_variables(f, list);
}

static void describe(compilation *c)
{
    gn_func *f = c->f;
    const gn_program *p = f->program;
    if (p->ninputs != c->request.in.n || p->noutputs != c->request.out.n)
        gn_throw(GN_EFORMAT, "the program is of another request");
    f->nslots = p->ninputs + p->noutputs;
    f->slot = GN_NEW_ARRAY(&f->arena, gn_slot_info, f->nslots);
    for (uint32_t s = 0; s < f->nslots; s++) {
        const gn_expr *e = s < p->ninputs ? c->request.in.at[s] : c->request.out.at[s - p->ninputs];
        const gn_origin *o = gn_origin_of(e);
        f->slot[s] = (gn_slot_info){ p->values.at[s].name, keep_loc(&f->arena, o ? o->loc : (gn_loc){ "", 0 }) };
    }
    f->check_loc = GN_NEW_ARRAY(&f->arena, gn_loc, p->checks.n);
    f->check_again = GN_NEW_ARRAY(&f->arena, gn_loc, p->checks.n);
    for (size_t i = 0; i < p->checks.n; i++) {
        const uint32_t at = p->checks.at[i].constraint;
        const gn_constraint x = at < c->core->constraints.n ? c->core->constraints.at[at] : (gn_constraint){ 0 };
        f->check_loc[i] = keep_loc(&f->arena, x.loc), f->check_again[i] = keep_loc(&f->arena, x.again);
    }
    f->index_loc = GN_NEW_ARRAY(&f->arena, gn_loc, p->indices.n);
    for (size_t i = 0; i < p->indices.n; i++) {
        const uint32_t at = p->indices.at[i].user;
        f->index_loc[i] = keep_loc(&f->arena, at < c->core->indexers.n ? c->core->indexers.at[at].loc : (gn_loc){ "", 0 });
    }
    gn_func_set_up(f);
}

void gn_compile_set_args(compilation *c)
{
    const gn_target *t = c->context->target;
    c->nargs = 0, c->is_plain = false;
    if (t->cpu) c->args[c->nargs++] = "-target-cpu", c->args[c->nargs++] = t->cpu;
    for (const char *const *a = t->cc1_args; a && *a && c->nargs < GN_MAX_ARGS / 2; a++) c->args[c->nargs++] = *a;
    c->args[c->nargs] = NULL;
}

static void set_up(void *arg)
{
    compilation *c = arg;
    describe(c);
    take_variables(c);
    gn_compile_set_args(c);
}

static gn_status write_beside(compilation *c)
{
    gn_func *f = c->f;
    char *graph = NULL, *source = NULL;
    /* a cache that takes nothing is no error */
    if (!c->options->keep_source || !f->module || !gn_module_path(f->module)) return GN_OK;
    gn_status s =
        c->graph_text ? gn_cache_write_beside(c->context->cache, &c->code_key, ".gn", c->graph_text, &graph) : GN_OK;
    if (!s) s = gn_cache_write_beside(c->context->cache, &c->code_key, ".c", f->program->source, &source);
    if (graph) gn_release(f->allocator, graph, strlen(graph) + 1);
    f->info.source_path = source;
    return s;
}

static gn_status make_function(compilation *c)
{
    gn_func *f = c->f;
    gn_status s = gn_protect(read_program, c);
    if (!s) s = gn_protect(set_up, c);
    f->info.load_ms = gn_compile_lap(c);
    if (!s) s = gn_compile_code(c);
    f->info.cache_hit = !c->compiled && f->module;
    f->info.load_ms += gn_compile_lap(c);
    return s;
}

/* An entry whose hash is right and whose text is not (a program of a build that lied about itself, a disk that did): as
 * if it had not been. */
static void forget_found(compilation *c)
{
    gn_func *f = c->f;
    gn_cache_drop(c->context->cache, &c->key);
    gn_module_release(c->found);
    c->found = NULL;
    for (size_t i = 0; f->variable && i < f->program->variables.n; i++) gn_variable_release(f->variable[i]);
    f->variable = NULL;
    f->updates = false, f->max_args = 0;
}

static gn_status run_stages(compilation *c)
{
    gn_status s = gn_protect(read_request, c);
    if (!s) s = gn_context_open(c->context);
    c->toolchain = c->context->toolchain;
    if (!s) s = gn_protect(copy_graph, c);
    c->f->info.build_ms = gn_compile_lap(c);
    if (s) return s;
    find_program(c);
    if (c->found) {
        s = make_function(c);
        if (!s || s == GN_ENOMEM) return s;
        forget_found(c);
        c->toolchain = c->context->toolchain;
    }
    s = make_text(c);
    gn_compile_lap(c);
    return s ? s : make_function(c);
}

static gn_status compile(gn_loc loc, gn_func **out, gn_graph *g, const gn_compile_options *options)
{
    compilation c = { .loc = loc, .graph = g, .options = options, .context = g->context, .mark = gn_now_ms() };
    if (!(c.f = gn_func_new(g->context))) return GN_ENOMEM;
    c.scratch.allocator = c.f->allocator;
    gn_status s = run_stages(&c);
    if (!s) s = write_beside(&c);
    gn_core_free(c.core);
    gn_arena_free(&c.scratch);
    gn_module_release(c.found);
    if (s) gn_func_free(c.f);
    else *out = c.f;
    return s;
}

gn_status gn_compile_at(gn_loc loc, gn_func **out, gn_graph *g, const gn_compile_options *options)
{
    if (!out) return gn_error(GN_EINVAL, "%s:%d: compile: out is NULL", loc.file, loc.line);
    *out = NULL;
    if (!g) return gn_error(GN_EINVAL, "%s:%d: compile: the graph is NULL", loc.file, loc.line);
    if (!options) return gn_error(GN_EINVAL, "%s:%d: compile: the options are NULL", loc.file, loc.line);
    const gn_status bad = gn_graph_check(g);
    if (bad) return bad;
    const gn_fpmode mode = gn_fp_enter(); /* times are computed, too */
    const gn_status s = compile(loc, out, g, options);
    gn_fp_leave(mode);
    return s;
}
