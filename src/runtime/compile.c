/* gn_compile: from a checked request to a loaded function.
 *
 *     request -> private copy -> program key --- found ---------------------------> program text -> program -> function
 *                                      \-- missed -> passes -> program -> text --/                       \-> kernel key -> found or compiled
 *
 * A program is always printed and read back, so that the way of a warm start is the way that is tested. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "build_id.h"
#include "clock.h"
#include "compile_check.h"
#include "error.h"
#include "func_state.h"
#include "graph_text.h"
#include "optimize.h"
#include "toolchain_state.h"
#include "view.h"

typedef struct compilation {
    gn_loc loc;
    gn_graph *graph;
    const gn_compile_options *options;
    gn_context *context;
    gn_arena scratch;            /* of the request, the private graph and the passes */
    gn_request request;
    struct gn_core *core;
    gn_key key;                  /* of the program */
    gn_module *found;            /* the entry of the program; NULL: made anew */
    const char *graph_text;      /* of the request, if it is to be kept; else NULL */
    const char *text;            /* of the program */
    size_t text_size;
    const char *args[GN_MAX_ARGS];/* for the compiler */
    gn_func *f;                  /* being built */
    double mark;
    int compiled;
} compilation;

/* Milliseconds since the last lap. */
static double lap(compilation *c)
{
    const double now = gn_now_ms(), spent = now - c->mark;
    c->mark = now;
    return spent;
}

/* ---- keys ---- */

typedef struct fields {
    const char *at[16];
    size_t length[16], n;
} fields;

static void add_field(fields *f, const char *text)
{
    GN_ASSERT(f->n < 16);
    f->at[f->n] = text;
    f->length[f->n++] = strlen(text);
}

static const char *all_flags(compilation *c)
{
    gn_args a = { .n = 0 };
    gn_text t = { .arena = &c->scratch };
    const bool fits = c->context->toolchain->tool == GN_TOOL_CC ? gn_args_for_cc(&a, c->context->toolchain->cc_is_clang, c->args) : gn_args_for_clang(&a, "host", c->args);
    GN_ASSERT(fits); /* our own flags */
    for (size_t i = 0; i < a.n; i++) gn_textf(&t, "%s\n", a.at[i]);
    return gn_text_done(&t);
}

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
    fields f = { .n = 0 };
    gn_core_print(&graph, c->core);
    keep_graph(c);
    gn_build_id(build, sizeof build);
    add_field(&f, "gnomon program 1");
    add_field(&f, build);
    add_field(&f, gn_text_done(&graph));
    add_field(&f, c->request.name);
    add_field(&f, c->request.disable);
    add_field(&f, c->context->target->name);
    add_field(&f, gn_toolchain_identity(c->context->toolchain));
    return gn_key_of(f.n, f.at, f.length);
}

static gn_key kernel_key(compilation *c, const char *source)
{
    fields f = { .n = 0 };
    add_field(&f, "gnomon kernels 1");
    add_field(&f, source);
    add_field(&f, all_flags(c));
    add_field(&f, gn_toolchain_identity(c->context->toolchain));
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
        f->pass[f->npasses] = (gn_pass_info){ p->name, p->ms, (int64_t)p->stats.nodes, (int64_t)p->stats.visits, (int64_t)p->stats.fired };
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
    gn_module *m = NULL;
    if (!gn_cache_dir(c->context->cache)) return GN_OK;
    gn_bytes_printf(&meta, "%s\n", c->request.name);
    gn_bytes_add(&meta, c->text, c->text_size);
    const gn_status s = meta.failed ? GN_ENOMEM : gn_cache_store(c->context->cache, &c->key, NULL, 0, meta.at, meta.n, &m);
    gn_module_release(m);
    gn_bytes_free(&meta);
    return s;
}

/* Who asks to see the passes wants them to run. */
static bool passes_are_watched(void)
{
    return secure_getenv("GN_DUMP") || secure_getenv("GN_TRACE");
}

static gn_status find_program(compilation *c)
{
    size_t size;
    if (passes_are_watched()) return GN_OK;
    if (!(c->found = gn_cache_load(c->context->cache, &c->key))) return GN_OK;
    const char *meta = gn_module_meta(c->found, &size), *line = memchr(meta, '\n', size);
    if (!line) return GN_OK;
    c->text = line + 1, c->text_size = size - (size_t)(line + 1 - meta);
    return GN_OK;
}

static gn_status make_text(compilation *c)
{
    gn_func_info *info = &c->f->info;
    gn_status s = find_program(c);
    if (s || c->text) return s;
    lap(c);
    s = gn_protect(run_passes, c);
    info->optimize_ms = lap(c);
    if (!s) s = gn_protect(make_program, c);
    info->codegen_ms = lap(c);
    return s ? s : keep_program(c);
}

static void read_program(void *arg)
{
    compilation *c = arg;
    const char *text = gn_arena_copy(&c->f->arena, c->text, c->text_size);
    c->f->program = gn_program_read(&c->f->arena, c->request.name, text, c->text_size);
}

/* ---- the code ---- */

/* PATH.so becomes PATH.SUFFIX in place. */
static gn_status write_beside(char *path, const char *suffix, const char *text)
{
    strcpy(path + strlen(path) - 2, suffix);
    FILE *file = fopen(path, "we");
    bool bad = !file || fputs(text, file) < 0;
    if (file && fclose(file)) bad = true;
    return bad ? gn_error(GN_EIO, "%s cannot be written", path) : GN_OK;
}

static gn_status write_source(compilation *c)
{
    const char *object = gn_module_path(c->f->module);
    if (!object || !c->options->keep_source) return GN_OK;
    char *path = gn_alloc_string(c->f->allocator, object); /* both suffixes fit where "so" stands */
    if (!path) return GN_ENOMEM;
    gn_status s = c->graph_text ? write_beside(path, "gn", c->graph_text) : GN_OK;
    strcpy(path + strlen(path) - 2, "so");
    if (!s) s = write_beside(path, "c", c->f->program->source);
    if (!s && !(c->f->info.source_path = gn_alloc_string(c->f->allocator, path))) s = GN_ENOMEM;
    gn_release(c->f->allocator, path, strlen(object) + 1);
    return s;
}

/* Kernels are compiled at once on as many threads as the context has: each piece is the unit without the kernels of the others. Which kernel
 * goes where changes no bit of what it computes: functions are compiled one by one. */
enum { MAX_PIECES = 16, WORTH_A_PIECE = 8000 /* bytes of kernels */ };

typedef struct split {
    compilation *c;
    size_t n;
    const char *source[MAX_PIECES];
} split;

static size_t count_pieces(const compilation *c)
{
    const gn_program *p = c->f->program;
    size_t bytes = 0, n = 0;
    for (size_t i = 0; i < p->kernels.n; i++) bytes += p->kernels.at[i].text_size;
    if (!gn_toolchain_takes_pieces(c->context->toolchain)) return 1;
    while (n < (size_t)c->context->threads && n < p->kernels.n && n < MAX_PIECES && n * WORTH_A_PIECE < bytes) n++;
    return n ? n : 1;
}

/* The largest kernel that has no piece yet; the number of kernels if there is none. */
static size_t largest_left(const gn_program *p, const uint8_t *piece)
{
    size_t best = p->kernels.n;
    for (size_t i = 0; i < p->kernels.n; i++)
        if (piece[i] == MAX_PIECES && (best == p->kernels.n || p->kernels.at[i].text_size > p->kernels.at[best].text_size)) best = i;
    return best;
}

static void write_piece(split *w, size_t piece, const uint8_t *of)
{
    const gn_program *p = w->c->f->program;
    const gn_pkernel *first = &p->kernels.at[0], *last = &p->kernels.at[p->kernels.n - 1];
    gn_text t = { .arena = &w->c->scratch };
    gn_text_add_n(&t, p->source, first->text_at);
    for (size_t i = 0; i < p->kernels.n; i++)
        if (of[i] == piece) gn_text_add_n(&t, p->source + p->kernels.at[i].text_at, p->kernels.at[i].text_size);
    gn_text_add(&t, p->source + last->text_at + last->text_size);
    w->source[piece] = gn_text_done(&t);
}

static void split_source(void *arg)
{
    split *w = arg;
    const gn_program *p = w->c->f->program;
    size_t load[MAX_PIECES] = { 0 };
    uint8_t *of = GN_NEW_ARRAY(&w->c->scratch, uint8_t, p->kernels.n);
    w->n = count_pieces(w->c);
    w->source[0] = p->source;
    if (w->n == 1) return;
    memset(of, MAX_PIECES, p->kernels.n);
    for (size_t k; (k = largest_left(p, of)) < p->kernels.n;) {
        size_t least = 0;
        for (size_t i = 1; i < w->n; i++) least = load[i] < load[least] ? i : least;
        of[k] = (uint8_t)least;
        load[least] += p->kernels.at[k].text_size;
    }
    for (size_t i = 0; i < w->n; i++) write_piece(w, i, of);
}

static gn_status compile_source(compilation *c, const gn_key *key)
{
    gn_func *f = c->f;
    void *object = NULL;
    size_t size = 0;
    char meta[128];
    split w = { .c = c };
    lap(c);
    gn_status s = gn_protect(split_source, &w);
    if (!s) s = gn_toolchain_compile_pieces(c->context->toolchain, c->request.name, w.n, w.source, c->args, &object, &size);
    f->info.compile_ms = lap(c);
    c->compiled = 1;
    if (s) return s;
    const int n = snprintf(meta, sizeof meta, "%s\nkernels\n", c->request.name);
    s = gn_cache_store(c->context->cache, key, object, size, meta, (size_t)n, &f->module);
    gn_release(f->allocator, object, size);
    return s;
}

/* Every function of the object; false if the object is not of this source. */
static bool find_symbols(gn_func *f)
{
    const gn_program *p = f->program;
    for (size_t i = 0; i < p->steps.n; i++) {
        if (p->steps.at[i].kernel < 0) continue;
        *(void **)&f->step[i] = gn_module_symbol(f->module, p->steps.at[i].symbol);
        if (!f->step[i]) return false;
    }
    return true;
}

static void make_kernel_key(void *arg)
{
    compilation *c = arg;
    c->key = kernel_key(c, c->f->program->source);
}

static gn_status load_code(compilation *c)
{
    gn_func *f = c->f;
    gn_status s = gn_protect(make_kernel_key, c);
    if (s) return s;
    f->module = gn_cache_load(c->context->cache, &c->key);
    if (f->module && !find_symbols(f)) {
        gn_module_release(f->module);
        f->module = NULL;
    }
    if (!f->module && !(s = compile_source(c, &c->key)) && !find_symbols(f))
        s = gn_error(GN_EINTERNAL, "%s: the object lacks a function of its source", f->program->name);
    return s ? s : write_source(c);
}

static void parse_kernels(void *arg)
{
    gn_func *f = arg;
    const gn_program *p = f->program;
    f->kernel = GN_NEW_ARRAY(&f->arena, const gn_kernel *, p->kernels.n);
    for (size_t i = 0; i < p->kernels.n; i++) {
        const char *text = p->kernels.at[i].kernel;
        const gn_sx *all = gn_sx_read(&f->arena, p->kernels.at[i].name, text, strlen(text));
        gn_kernel *k = gn_kernel_read(&f->arena, p->kernels.at[i].name, all->at[0]);
        gn_kernel_prepare(k);
        f->kernel[i] = k;
    }
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

static void order_variables(gn_func *f)
{
    const size_t n = f->program->variables.n;
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && f->variable[f->by_id[at - 1]]->id > f->variable[i]->id; at--) f->by_id[at] = f->by_id[at - 1];
        f->by_id[at] = (uint32_t)i;
    }
}

/* Variables are kept one by one, so that a failure in between releases those that were. */
static void take_variables(compilation *c)
{
    gn_func *f = c->f;
    const gn_program *p = f->program;
    gn_variable **list = GN_NEW_ARRAY(&f->arena, gn_variable *, p->variables.n);
    f->by_id = GN_NEW_ARRAY(&f->arena, uint32_t, p->variables.n);
    for (size_t i = 0; i < p->variables.n; i++) {
        list[i] = find_variable(c, p->variables.at[i].name);
        GN_ASSERT(list[i]); /* the program is of this graph */
        f->updates |= p->variables.at[i].updated;
    }
    for (size_t i = 0; i < p->variables.n; i++) gn_variable_keep(list[i]);
    f->variable = list;
    order_variables(f);
}

static void describe(compilation *c)
{
    gn_func *f = c->f;
    const gn_program *p = f->program;
    f->nslots = p->ninputs + p->noutputs;
    f->slot = GN_NEW_ARRAY(&f->arena, gn_slot_info, f->nslots);
    for (uint32_t s = 0; s < f->nslots; s++) {
        const gn_expr *e = s < p->ninputs ? c->request.in.at[s] : c->request.out.at[s - p->ninputs];
        const gn_origin *o = gn_origin_of(e);
        f->slot[s] = (gn_slot_info){ p->values.at[s].name, keep_loc(&f->arena, o ? o->loc : (gn_loc){ "", 0 }) };
    }
    f->check_loc = GN_NEW_ARRAY(&f->arena, gn_loc, p->checks.n);
    for (size_t i = 0; i < p->checks.n; i++) {
        const uint32_t at = p->checks.at[i].constraint;
        f->check_loc[i] = keep_loc(&f->arena, at < c->core->constraints.n ? c->core->constraints.at[at].loc : (gn_loc){ "", 0 });
    }
    f->index_loc = GN_NEW_ARRAY(&f->arena, gn_loc, p->indices.n);
    for (size_t i = 0; i < p->indices.n; i++) {
        const uint32_t at = p->indices.at[i].user;
        f->index_loc[i] = keep_loc(&f->arena, at < c->core->indexers.n ? c->core->indexers.at[at].loc : (gn_loc){ "", 0 });
    }
    for (size_t i = 0; i < p->steps.n; i++)
        if (p->steps.at[i].narg > f->max_args) f->max_args = p->steps.at[i].narg;
    f->step = GN_NEW_ARRAY(&f->arena, gn_step_function, p->steps.n);
    f->profile = GN_NEW_ARRAY(&f->arena, gn_step_profile, p->steps.n);
    f->info.nkernels = (int)p->kernels.n, f->info.nsteps = (int)p->steps.n;
    f->info.toolchain = gn_toolchain_name(c->context->toolchain);
}

static void set_up(void *arg)
{
    compilation *c = arg;
    describe(c);
    take_variables(c);
    const gn_target *t = c->context->target;
    size_t n = 0;
    if (t->cpu) c->args[n++] = "-target-cpu", c->args[n++] = t->cpu;
    for (const char *const *a = t->cc1_args; a && *a && n < GN_MAX_ARGS - 1; a++) c->args[n++] = *a;
}

static gn_status make_function(compilation *c)
{
    gn_func *f = c->f;
    gn_status s = gn_protect(read_program, c);
    if (!s) s = gn_protect(set_up, c);
    f->info.load_ms = lap(c);
    if (s) return s;
    if (c->context->toolchain->tool == GN_TOOL_INTERPRETER) return gn_protect(parse_kernels, f);
    s = load_code(c);
    f->info.cache_hit = !c->compiled;
    f->info.load_ms += lap(c);
    return s;
}

static gn_status run_stages(compilation *c)
{
    gn_status s = gn_protect(read_request, c);
    if (!s) s = gn_context_open(c->context);
    if (!s) s = gn_protect(copy_graph, c);
    c->f->info.build_ms = lap(c);
    if (!s) s = make_text(c);
    lap(c);
    return s ? s : make_function(c);
}

static gn_func *func_new(gn_context *context)
{
    gn_func *f = gn_alloc_zeroed(gn_context_allocator(context), sizeof *f);
    if (!f) return NULL;
    f->context = context;
    f->allocator = gn_context_allocator(context);
    f->arena.allocator = f->allocator;
    atomic_init(&f->refs, 1);
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

gn_status gn_compile_at(gn_loc loc, gn_func **out, gn_graph *g, const gn_compile_options *options)
{
    if (!out) return gn_error(GN_EINVAL, "%s:%d: compile: out is NULL", loc.file, loc.line);
    *out = NULL;
    if (!g) return gn_error(GN_EINVAL, "%s:%d: compile: the graph is NULL", loc.file, loc.line);
    if (!options) return gn_error(GN_EINVAL, "%s:%d: compile: the options are NULL", loc.file, loc.line);
    gn_status s = gn_graph_check(g);
    if (s) return s;
    compilation c = { .loc = loc, .graph = g, .options = options, .context = g->context, .mark = gn_now_ms() };
    if (!(c.f = func_new(g->context))) return GN_ENOMEM;
    c.scratch.allocator = c.f->allocator;
    s = run_stages(&c);
    gn_core_free(c.core);
    gn_arena_free(&c.scratch);
    gn_module_release(c.found);
    if (s) gn_func_free(c.f);
    else *out = c.f;
    return s;
}
