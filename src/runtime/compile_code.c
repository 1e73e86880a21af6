/* From a program to its code: found in the cache, or compiled by the context's toolchain. Where that cannot be used, by
 * the next one; where it is not done in time, without optimization; where nothing compiles it, its kernels are
 * interpreted. Each such step says so on stderr. */
#include "compile_state.h"
#include "code_as_kernel.h"
#include <stdio.h>
#include "plugin.h"

/* ---- keys ---- */

static const char *all_flags(compilation *c)
{
    gn_args a = { .n = 0 };
    gn_text t = { .arena = &c->scratch };
    const bool fits = c->toolchain->tool == GN_TOOL_CC ? gn_args_for_cc(&a, c->toolchain->cc_is_clang, c->args)
                                                       : gn_args_for_clang(&a, "host", c->args);
    GN_ASSERT(fits); /* our own flags */
    for (size_t i = 0; i < a.n; i++) gn_textf(&t, "%s\n", a.at[i]);
    return gn_text_done(&t);
}

typedef struct code { /* a unit and what is to be done with it */
    compilation *c;
    const char *identity;        /* of the toolchain */
    gn_key key;
    gn_trouble trouble;
} code;

static void make_key(void *arg)
{
    code *w = arg;
    gn_key_fields f = { .n = 0 };
    gn_key_field(&f, "gnomon kernels 2");
    gn_key_field(&f, w->c->f->program->source);
    gn_key_field(&f, all_flags(w->c));
    gn_key_field(&f, w->identity);
    w->key = gn_key_of(f.n, f.at, f.length);
}

/* ---- pieces ---- */

/* Kernels are compiled at once on as many threads as the context has: each piece is the unit without the kernels of the
 * others. Which kernel goes where changes no bit of what it computes: functions are compiled one by one. */
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
    if (!gn_toolchain_takes_pieces(c->toolchain)) return 1;
    while (n < (size_t)c->context->threads && n < p->kernels.n && n < MAX_PIECES && n * WORTH_A_PIECE < bytes) n++;
    return n ? n : 1;
}

/* The largest kernel that has no piece yet; the number of kernels if there is none. */
static size_t largest_left(const gn_program *p, const uint8_t *piece)
{
    size_t best = p->kernels.n;
    for (size_t i = 0; i < p->kernels.n; i++)
        if (piece[i] == MAX_PIECES && (best == p->kernels.n || p->kernels.at[i].text_size > p->kernels.at[best].text_size))
            best = i;
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

/* ---- finding and making ---- */

/* Every function of the object; false if the object is not of this source. */
static bool find_symbols(gn_func *f)
{
    const gn_program *p = f->program;
    for (size_t i = 0; i < p->steps.n; i++) {
        if (p->steps.at[i].kind != GN_STEP_KERNEL) continue;
        *(void **)&f->step[i] = gn_module_symbol(f->module, p->steps.at[i].symbol);
        if (!f->step[i]) return false;
    }
    return true;
}

static void let_go(gn_func *f)
{
    gn_module_release(f->module);
    f->module = NULL;
}

/* An entry that says "late" stands for a compile that was given up: to wait for it again in each process would be no
 * help. */
static const char late_mark[] = "late\n";

static bool is_marked_late(const gn_module *m)
{
    size_t n;
    const char *meta = gn_module_meta(m, &n), *line = memchr(meta, '\n', n);
    return line && !strcmp(line + 1, late_mark);
}

/* True: the code is loaded, or the entry says that it took too long. */
static bool find_code(code *w)
{
    gn_func *f = w->c->f;
    gn_cache *cache = w->c->context->cache;
    if (!(f->module = gn_cache_load(cache, &w->key))) return false;
    if (is_marked_late(f->module)) w->trouble = GN_TROUBLE_LATE;
    else if (find_symbols(f)) return true;
    else gn_cache_drop(cache, &w->key);
    let_go(f);
    return w->trouble == GN_TROUBLE_LATE;
}

/* Only what was loaded and has its functions is kept. */
static gn_status take_object(code *w, const void *object, size_t size)
{
    compilation *c = w->c;
    char meta[128], label[GN_CACHE_LABEL];
    const int n = snprintf(meta, sizeof meta, "%.80s\nkernels\n", c->request.name);
    gn_cache_label(&w->key, label);
    gn_status s = gn_module_new(&c->f->module, c->f->allocator, label, object, size, meta, (size_t)n);
    if (s == GN_EFORMAT) {
        char why[512];
        snprintf(why, sizeof why, "%s", gn_message());
        return gn_error(GN_ECOMPILER, "%s: toolchain \"%s\" made an object that cannot be used: %s", c->request.name,
                        gn_toolchain_name(c->toolchain), why);
    }
    if (!s && !find_symbols(c->f))
        s = gn_error(GN_ECOMPILER, "%s: toolchain \"%s\" made an object that lacks a function of its source",
                     c->request.name, gn_toolchain_name(c->toolchain));
    if (!s) s = gn_cache_keep(c->context->cache, &w->key, object, size, meta, (size_t)n, c->f->module);
    if (s) let_go(c->f);
    return s;
}

static void mark_late(code *w)
{
    char meta[128];
    const int n = snprintf(meta, sizeof meta, "%.80s\n%s", w->c->request.name, late_mark);
    gn_cache_keep(w->c->context->cache, &w->key, NULL, 0, meta, (size_t)n, NULL);
}

static gn_status compile_source(code *w)
{
    compilation *c = w->c;
    void *object = NULL;
    size_t size = 0;
    split pieces = { .c = c };
    gn_compile_lap(c);
    gn_status s = gn_protect(split_source, &pieces);
    if (!s)
        s = gn_toolchain_compile_pieces(c->toolchain, c->request.name, pieces.n, pieces.source, c->args, &object, &size,
                                        &w->trouble);
    c->f->info.compile_ms += gn_compile_lap(c);
    c->compiled = 1;
    if (w->trouble == GN_TROUBLE_LATE) mark_late(w);
    if (!s) s = take_object(w, object, size);
    gn_release(c->f->allocator, object, size);
    return s;
}

/* The identity that the plug-in proved to have once it was open; then the entry may be found after all. */
static gn_status ask_plugin(code *w, bool *found)
{
    const gn_opened_plugin *plugin;
    gn_status s = gn_plugin_open(&plugin);
    if (s == GN_ECOMPILER) w->trouble = GN_TROUBLE_UNUSABLE;
    if (s || !strcmp(plugin->identity, w->identity)) return s;
    w->identity = plugin->identity;
    if (!(s = gn_protect(make_key, w))) *found = find_code(w);
    return s;
}

/* The code by this toolchain with these flags. An error with a trouble leaves the caller something to try. */
static gn_status get_code(code *w)
{
    gn_status s = gn_protect(make_key, w);
    bool found = !s && find_code(w);
    if (!s && !found && w->c->toolchain->tool == GN_TOOL_CLANG) s = ask_plugin(w, &found);
    if (!s && !found) return compile_source(w);
    if (!s && w->trouble)
        return gn_error(GN_ECOMPILER, "an earlier process gave it up (`gnomon cache clear` lets it be tried again)");
    return s;
}

/* The first line of what the thread's message says. */
static void warn(const compilation *c, const char *instead)
{
    const char *m = gn_message();
    int n = (int)strcspn(m, "\n");
    if (n && m[n - 1] == ':') n--; /* before a tool's own words */
    fprintf(stderr, "gnomon: %s: %.*s; %s\n", c->request.name, n, m, instead);
}

static void parse_kernels(void *arg)
{
    gn_func *f = arg;
    const gn_program *p = f->program;
    f->kernel = GN_NEW_ARRAY(&f->arena, const gn_kernel *, p->kernels.n);
    f->code = GN_NEW_ARRAY(&f->arena, gn_code *, p->kernels.n);
    for (size_t i = 0; i < p->kernels.n; i++) {
        gn_kernel *k = gn_kernel_of_text(&f->arena, p->kernels.at[i].name, p->kernels.at[i].kernel, &f->code[i]);
        gn_kernel_prepare(k);
        f->kernel[i] = k;
    }
}

/* What comes after toolchain and flags that did not do: without optimization, then the interpreter; or another
 * toolchain. False: nothing does. */
static bool try_next(compilation *c, gn_trouble trouble)
{
    if (trouble == GN_TROUBLE_LATE && !c->is_plain) {
        warn(c, "compiling it without optimization");
        c->args[c->nargs++] = "-O0";
        c->args[c->nargs] = NULL;
        return c->is_plain = true;
    }
    if (trouble == GN_TROUBLE_LATE) {
        warn(c, "its kernels are interpreted, slowly");
        c->toolchain = NULL;
        return true;
    }
    if (trouble != GN_TROUBLE_UNUSABLE || !c->toolchain->chosen) return false;
    char why[512];
    snprintf(why, sizeof why, "%s", gn_message());
    if (gn_context_second(c->context, &c->toolchain)) return false;
    gn_error_set(GN_ECOMPILER, why);
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told))
        warn(c, c->toolchain->tool == GN_TOOL_CC ? "going on with toolchain \"cc\""
                                                 : "graphs run on the interpreter, slowly");
    return true;
}

gn_status gn_compile_code(compilation *c)
{
    gn_func *f = c->f;
    for (;;) {
        if (!c->toolchain || c->toolchain->tool == GN_TOOL_INTERPRETER) {
            f->info.toolchain = "interpreter";
            return gn_protect(parse_kernels, f);
        }
        code w = { .c = c, .identity = gn_toolchain_identity(c->toolchain) };
        const gn_status s = get_code(&w);
        f->info.toolchain = gn_toolchain_name(c->toolchain);
        if (!s) c->code_key = w.key;
        if (!s || !w.trouble || !try_next(c, w.trouble)) return s;
    }
}
