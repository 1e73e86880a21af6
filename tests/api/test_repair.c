/* What is wrong with a cache entry, a compiler or the plug-in is mended or told, and the numbers are right. */
#include "api.h"
#include "cache_state.h"
#include "clang_plugin.h"
#include "context_state.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[128];

/* x * factor of 1 2 3 4 in a context of its own. Returns 0 if it is right; *info is the function's. */
static int scale(const gn_context_options *o, double factor, gn_func_info *info)
{
    gn_context *c = NULL;
    gn_func *f = NULL;
    float x[4] = { 1, 2, 3, 4 }, y[4] = { 0 };
    gn_status s = gn_context_new(&c, o);
    if (s) return s;
    gn_graph *g = gn_graph_new(c);
    gn_expr *e = gn_input(g, "x", GN_F32, "n");
    gn_expr *w = gn_shared(g, "w", GN_VIEW(x, 4));
    s = gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_mul(e, factor)),
                   .update = GN_UPDATES({ w, gn_add(w, 1.0) }));
    if (!s) s = gn_call(f, GN_ARRAYS(GN_VIEW(x, 4)), GN_ARRAYS(GN_VIEW(y, 4)));
    for (int i = 0; !s && i < 4; i++)
        if (y[i] != (float)factor * (float)(i + 1)) s = 1;
    if (info) *info = gn_func_inspect(f);
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(c);
    return s;
}

static gn_context_options options_in(const char *name)
{
    gn_context_options o = api_options;
    snprintf(dir, sizeof dir, "%s/%s-%s", api_dir, o.toolchain, name);
    o.cache_dir = dir;
    return o;
}

/* Calls `change` for every entry with its bytes taken apart, and puts what it leaves back under a good hash. */
typedef struct entry {
    gn_key key;
    bool has_code;
    char *object, *meta;
    size_t size, meta_size;
} entry;

static void forge(const gn_context_options *o, bool (*change)(entry *, int), int how)
{
    gn_cache *c = NULL;
    must(gn_cache_open(&c, &gn_allocator_libc, o->cache_dir, 0));
    for (int shelf = 0; shelf < 256; shelf++) {
        char path[200], name[480];
        snprintf(path, sizeof path, "%s/v1/%02x", gn_cache_dir(c), (unsigned)shelf);
        DIR *d = opendir(path);
        for (const struct dirent *e; d && (e = readdir(d));) {
            gn_entry found;
            entry x;
            if (!gn_entry_name_is_good(e->d_name)) continue;
            snprintf(name, sizeof name, "%s/%s", path, e->d_name);
            for (int i = 0; i < 32; i++) {
                unsigned byte = 0;
                assert_int_equal(sscanf(e->d_name + (ptrdiff_t)2 * i, "%2x", &byte), 1);
                x.key.bytes[i] = (uint8_t)byte;
            }
            const int fd = open(name, O_RDONLY);
            must(gn_entry_read(&gn_allocator_libc, fd, &x.key, &found));
            close(fd);
            x.has_code = found.object > 0, x.size = found.object, x.meta_size = found.meta;
            x.object = found.bytes, x.meta = found.bytes + found.object;
            if (change(&x, how)) must(gn_cache_keep(c, &x.key, x.object, x.size, x.meta, x.meta_size, NULL));
            gn_release(&gn_allocator_libc, found.bytes, found.size);
        }
        if (d) closedir(d);
    }
    gn_cache_close(c);
}

static bool spoil_text(entry *e, int how)
{
    static char text[] = "f\n(this is no program\n";
    if (e->has_code) return false;
    if (how == 0) e->meta = text, e->meta_size = sizeof text - 1;
    else if (how == 1) e->meta_size = 0;
    else if (how == 2) e->meta_size = 1;
    else e->meta_size = e->meta_size * (size_t)(how - 2) / 20; /* cut short, at 17 places */
    return true;
}

static void a_program_text_that_is_none_is_made_again(void **state)
{
    (void)state;
    gn_func_info info;
    const gn_context_options o = options_in("text");
    must(scale(&o, 3, NULL));
    for (int how = 0; how < 20; how++) {
        forge(&o, spoil_text, how);
        must(scale(&o, 3, &info));
        must(scale(&o, 3, &info)); /* and it was put right */
        assert_true(info.optimize_ms == 0 && (info.cache_hit || !strcmp(info.toolchain, "interpreter")));
    }
}

static bool spoil_source(entry *e, int how)
{
    (void)how;
    char *at = e->has_code ? NULL : memmem(e->meta, e->meta_size, "void f_", 7);
    if (!at) at = e->has_code ? NULL : memmem(e->meta, e->meta_size, "void ", 5);
    if (at) memcpy(at, "vodi ", 5);
    return at;
}

static void a_source_that_does_not_compile_is_made_again(void **state)
{
    (void)state;
    const gn_context_options o = options_in("source");
    must(scale(&o, 3, NULL));
    forge(&o, spoil_source, 0);
    must(scale(&o, 3, NULL));
}

static bool spoil_object(entry *e, int how)
{
    if (!e->has_code) return false;
    if (how == 0) e->size /= 2;
    else if (how == 1) e->size = 200;
    else if (how == 2) memset(e->object + 64, 0, e->size - 64);
    else e->size = 64;
    return true;
}

static void an_object_that_is_none_is_made_again(void **state)
{
    (void)state;
    const gn_context_options o = options_in("object");
    if (!strcmp(o.toolchain, "interpreter")) skip();
    must(scale(&o, 3, NULL));
    for (int how = 0; how < 4; how++) {
        gn_func_info info;
        forge(&o, spoil_object, how);
        must(scale(&o, 3, &info));
        assert_int_equal(info.cache_hit, 0);
        must(scale(&o, 3, &info));
        assert_int_equal(info.cache_hit, 1);
    }
}

/* ---- compilers ---- */

static const char *script(const char *name, const char *body)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s", api_dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\n[ \"$1\" = --version ] && exec echo odd 1.0\nall=\"$*\"\n%s\n", body);
    fclose(f);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static void refuse_compiler(const char *cc, const char *says)
{
    gn_context_options o = options_in("broken");
    o.cc = cc;
    assert_int_equal(scale(&o, 3, NULL), GN_ECOMPILER);
    assert_message_contains(says);
    assert_int_equal(scale(&o, 3, NULL), GN_ECOMPILER); /* nothing of it was kept */
    assert_message_contains(says);
}

/* An object is kept only after it was loaded and its functions were found. */
static void an_object_that_cannot_be_loaded_is_not_kept(void **state)
{
    static const char take[] = "while [ \"$1\" != -o ]; do shift; done\n";
    char body[500];
    (void)state;
    if (strcmp(api_options.toolchain, "cc")) skip();
    snprintf(body, sizeof body,
             "cc $all || exit 1\n%struncate -s 30%% \"$2\" 2>/dev/null; s=$(stat -c %%s \"$2\"); truncate -s $((s * 30 "
             "/ 100)) \"$2\"",
             take);
    refuse_compiler(script("torn", body), "made an object that cannot be used: ");
    snprintf(body, sizeof body, "%s: > \"$2\"", take);
    refuse_compiler(script("empty", body), "the compiler left an empty result");
    refuse_compiler(script("named", "exec cc $all -Wl,-soname,libc.so.6"), "it has a name of its own (soname)");
    snprintf(body, sizeof body, "%secho 'void nothing(void) {}' | cc -shared -fPIC -nostdlib -x c - -o \"$2\"", take);
    refuse_compiler(script("othersym", body), "made an object that lacks a function of its source");
    gn_context_options o = options_in("broken");
    must(scale(&o, 3, NULL));
}

/* Without optimization it is in time: that is what runs, and the next process does not wait for the other again. */
static void what_is_late_is_compiled_without_optimization(void **state)
{
    (void)state;
    char body[800], log[160];
    gn_func_info info;
    if (strcmp(api_options.toolchain, "cc")) skip();
    snprintf(log, sizeof log, "%s/log", api_dir);
    snprintf(body, sizeof body,
             "for a; do last=$a; done\ncase \"$all\" in *-O[01]*-O0*) echo plain >> '%s'; exec cc $all;; esac\necho late >> "
             "'%s'; sleep 1000",
             log, log);
    gn_context_options o = options_in("late");
    o.cc = script("slow", body), o.compile_seconds = 1;
    must(scale(&o, 3, &info));
    assert_string_equal(info.toolchain, "cc");
    must(scale(&o, 3, &info));
    assert_int_equal(info.cache_hit, 1);
    must(scale(&o, 5, &info));
    char text[200] = "";
    FILE *f = fopen(log, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(text, "late\nplain\nlate\nplain\n");
}

static void what_is_never_done_is_interpreted(void **state)
{
    (void)state;
    gn_func_info info;
    if (strcmp(api_options.toolchain, "cc")) skip();
    gn_context_options o = options_in("never");
    o.cc = script("never", "sleep 1000"), o.compile_seconds = 1;
    must(scale(&o, 3, &info));
    assert_string_equal(info.toolchain, "interpreter");
    must(scale(&o, 3, &info));
    assert_string_equal(info.toolchain, "interpreter");
}

/* ---- plug-ins; in children, since a process opens one for good ---- */

static const char plugin_text[] =
    "#include <stddef.h>\n"
    "typedef struct sink { void (*write)(void *, const char *, size_t); void *user; } sink;\n"
    "static volatile unsigned long count;\n"
    "static int abi(void) { return ABI; }\n"
    "static const char *version(void) { return \"0.0\"; }\n"
    "static int compile(const char *n, const char *s, size_t z, const char *const *a, size_t m, int e, sink o, sink d) "
    "{ for (;;) count++; }\n"
    "static int link(size_t n, const void *const *o, const size_t *z, int u, sink out, sink d) { return 1; }\n"
    "static const struct { int (*f)(void); const char *(*v)(void), *(*h)(void); int (*c)(const char *, const char *, "
    "size_t, const char *const *, size_t,\n"
    "    int, sink, sink); int (*l)(size_t, const void *const *, const size_t *, int, sink, sink); } p = { abi, "
    "version, version, compile, link };\n"
    "const void *gn_clang_plugin(void) { return &p; }\n";

static const char *make_plugin(const char *name, int version)
{
    static char place[160];
    char path[200], command[800];
    snprintf(place, sizeof place, "%s/%s", api_dir, name);
    assert_int_equal(mkdir(place, 0700), 0);
    snprintf(path, sizeof path, "%s/p.c", place);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(plugin_text, f);
    fclose(f);
    snprintf(command, sizeof command, "cc -w -shared -fPIC -DABI=%d '%s' -o '%s/gnomon-clang.so'", version, path, place);
    assert_int_equal(system(command), 0);
    return place;
}

static int scale_with_plugin(const char *place, const char *toolchain, const char *says)
{
    char out[300], text[2000] = "";
    int status = -1;
    snprintf(out, sizeof out, "%s/stderr", api_dir);
    const pid_t pid = fork();
    if (!pid) {
        gn_func_info info = { 0 };
        gn_context_options o = options_in("plugin");
        o.toolchain = toolchain, o.compile_seconds = 1, o.cache_dir = "";
        setenv("GNOMON_PLUGIN_DIR", place, 1);
        if (!freopen(out, "w", stderr)) _exit(9);
        int s = scale(&o, 3, &info);
        if (!s) s = scale(&o, 5, &info); /* told once */
        if (s) fprintf(stderr, "%s\n", gn_message());
        fflush(stderr);
        _exit(s                                        ? 1
              : !info.toolchain                        ? 2
              : !strcmp(info.toolchain, "cc")          ? 10
              : !strcmp(info.toolchain, "interpreter") ? 11
                                                       : 12);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    FILE *f = fopen(out, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    const char *at = strstr(text, says);
    if (!at || !WIFEXITED(status)) fail_msg("status %d, said: %s", status, text);
    const char *line = strchr(at, '\n');
    if (!toolchain && line && strstr(line, "going on")) fail_msg("told twice: %s", text);
    return WEXITSTATUS(status);
}

static void a_plugin_that_cannot_be_opened_is_replaced_by_cc(void **state)
{
    (void)state;
    if (strcmp(api_options.toolchain, "cc")) skip();
    const char *place = make_plugin("plugin-old", 9999);
    assert_int_equal(
        scale_with_plugin(place, NULL,
                          "gnomon-clang.so belongs to another version of Gnomon; going on with toolchain \"cc\""),
        10);
    /* who asks for it by name gets an error */
    assert_int_equal(scale_with_plugin(place, "clang", "belongs to another version of Gnomon"), 1);
    char path[200];
    snprintf(path, sizeof path, "%s/gnomon-clang.so", place);
    assert_int_equal(truncate(path, 1000), 0);
    assert_int_equal(scale_with_plugin(place, NULL, "gnomon-clang.so cannot be opened: "), 10);
}

/* A compiler in this process that never returns: its thread is put to sleep and its kernels are interpreted. */
static void a_compile_in_this_process_that_never_ends_is_given_up(void **state)
{
    (void)state;
    if (strcmp(api_options.toolchain, "cc")) skip(); /* no plug-in is open yet */
    const char *place = make_plugin("plugin-endless", GN_PLUGIN_ABI);
    assert_int_equal(
        scale_with_plugin(place, NULL, "Clang 0.0 was not done after 1 seconds; compiling it without optimization\n"),
        11);
    assert_int_equal(scale_with_plugin(place, "clang",
                                       "Clang 0.0 was not done after 1 seconds; its kernels are interpreted, slowly\n"),
                     11);
}

/* A target that this CPU is not: its code is made, shown and refused where it would run. */
static void code_for_another_cpu_is_not_called(void **state)
{
    (void)state;
    gn_context_options o = options_in("target");
    gn_context *c = NULL;
    gn_func *f = NULL;
    gn_binding *b = NULL;
    float x[4] = { 0, 1, 2, 3 }, y[4] = { 9, 9, 9, 9 };
    must(gn_context_new(&c, &o));
    gn_target elsewhere = gn_target_generic;
    elsewhere.name = "elsewhere";
    c->target = &elsewhere;
    gn_graph *g = gn_graph_new(c);
    gn_expr *e = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_exp(e)), .name = "far"));
    assert_non_null(strstr(gn_func_source(f), "far"));
    const gn_status called = gn_call(f, GN_ARRAYS(GN_VIEW(x, 4)), GN_ARRAYS(GN_VIEW(y, 4)));
    if (!strcmp(o.toolchain, "interpreter")) {
        assert_int_equal(called, GN_OK);
    } else {
        refuse(called, GN_EDEVICE, "far is compiled for target elsewhere, which this CPU is not");
        refuse(gn_bind(&b, f, GN_ARRAYS(GN_VIEW(x, 4)), GN_ARRAYS(GN_VIEW(y, 4))), GN_EDEVICE,
               "far is compiled for target elsewhere");
        assert_true(y[0] == 9);
    }
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_for_another_cpu_is_not_called),
        cmocka_unit_test(a_program_text_that_is_none_is_made_again),
        cmocka_unit_test(a_source_that_does_not_compile_is_made_again),
        cmocka_unit_test(an_object_that_is_none_is_made_again),
        cmocka_unit_test(an_object_that_cannot_be_loaded_is_not_kept),
        cmocka_unit_test(what_is_late_is_compiled_without_optimization),
        cmocka_unit_test(what_is_never_done_is_interpreted),
        cmocka_unit_test(a_plugin_that_cannot_be_opened_is_replaced_by_cc),
        cmocka_unit_test(a_compile_in_this_process_that_never_ends_is_given_up),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
