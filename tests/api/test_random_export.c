/* Random graphs exported as C for each target, compiled as a user would at -O0, -O3 and with traps on undefined
 * behaviour, against the reference evaluator. Outputs and arena lie between guards. A failing graph is shrunk and
 * written as a .gn file. $GNOMON_TEST_SEED: of the first graph; $GNOMON_TEST_GRAPHS: how many [40]. */
#include "api.h"
#include <dlfcn.h>
#include <inttypes.h>
#include "arena.h"
#include "random_graph.h"
#include "target.h"

enum { GUARD = 4096, MOST = 1 << 22 };

typedef struct way { /* in which a graph is built */
    const char *target, *compiler, *flags;
    const random_graph *r;
} way;

/* A function of pointers alone stands before the exported one, whose parameters differ from graph to graph. */
static void *build(const way *w, size_t nargs)
{
    static int counter;
    char path[128], command[512];
    snprintf(path, sizeof path, "%s/all.c", api_dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("#include \"made.c\"\n"
          "#ifdef __cplusplus\nstruct any {\n    void *p;\n    template <class T> operator T *() const { return "
          "static_cast<T *>(p); }\n};\n"
          "#define AT(i) any{p[i]}\n#define VOID\nextern \"C\" long long bytes();\nextern \"C\" int call(void **);\n"
          "#else\n#define AT(i) p[i]\n#define VOID void\nlong long bytes(void);\nint call(void **);\n#endif\n"
          "long long bytes(VOID) { return MADE_ARENA_BYTES; }\nint call(void **p)\n{\n    return made(",
          f);
    for (size_t i = 0; i < nargs; i++) fprintf(f, "%sAT(%zu)", i ? ", " : "", i);
    fputs(");\n}\n", f);
    fclose(f);
    snprintf(path, sizeof path, "%s/lib%d.so", api_dir, counter++);
    snprintf(command, sizeof command,
             "%s %s -Wall -Wextra -Wpedantic -Wconversion -Werror -Wno-psabi -shared -fPIC -o %s %s/all.c -lm",
             w->compiler, w->flags, path, api_dir);
    if (system(command)) gn_throw(GN_ECOMPILER, "%s", command);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) gn_throw(GN_ECOMPILER, "%s", dlerror());
    remove(path);
    return library;
}

/* Memory with guards around it, the value of each byte that of a NaN. */
static unsigned char *guarded(gn_arena *a, size_t bytes)
{
    unsigned char *p = gn_arena_alloc(a, bytes + 2 * GUARD, 4096);
    memset(p, 0xff, bytes + 2 * GUARD);
    return p + GUARD;
}

static void check_guards(const unsigned char *p, size_t bytes, const char *what)
{
    for (size_t i = 0; i < GUARD; i++)
        if (p[i - GUARD] != 0xff || p[bytes + i] != 0xff) gn_throw(GN_EINTERNAL, "an export wrote outside of %s", what);
}

static size_t bytes_of(const gn_array *a)
{
    return (size_t)gn_array_count(a) * gn_dtype_size(a->dtype);
}

static void run_exported(void *user, gn_graph *g, gn_exprs in, const gn_array *values, gn_exprs out, gn_array *results)
{
    const way *w = user;
    gn_func *f = NULL;
    gn_arena arena = { 0 };
    char fix[64];
    void **args = GN_NEW_ARRAY(&arena, void *, in.n + out.n + 1), *library;
    int (*call)(void **);
    long long (*bytes)(void);
    snprintf(fix, sizeof fix, "n=%" PRId64 ",m=%" PRId64, w->r->n, w->r->m);
    gn_check(gn_compile(&f, g, .in = in, .out = out, .fix = fix, .name = "made"));
    const gn_status s = gn_export(f, "made", api_dir);
    gn_func_free(f);
    gn_check(s);
    library = build(w, in.n + out.n + 1);
    *(void **)&call = dlsym(library, "call"), *(void **)&bytes = dlsym(library, "bytes");
    const size_t room = (size_t)bytes();
    for (size_t i = 0; i < in.n; i++) {
        args[i] = guarded(&arena, bytes_of(&values[i]));
        memcpy(args[i], values[i].data, bytes_of(&values[i]));
    }
    for (size_t i = 0; i < out.n; i++) args[in.n + i] = guarded(&arena, bytes_of(&results[i]));
    args[in.n + out.n] = guarded(&arena, room);
    const int rc = call(args);
    for (size_t i = 0; i < in.n; i++) check_guards(args[i], bytes_of(&values[i]), "an input");
    for (size_t i = 0; i < out.n; i++) {
        check_guards(args[in.n + i], bytes_of(&results[i]), "an output");
        memcpy(results[i].data, args[in.n + i], bytes_of(&results[i]));
    }
    check_guards(args[in.n + out.n], room, "the arena");
    dlclose(library);
    gn_arena_free(&arena);
    if (rc) gn_throw(GN_EINDEX, "the exported function returned %d", rc);
}

static void random_graphs_are_exported_right(void **state)
{
    (void)state;
    static const char *const compilers[] = { "gcc", "clang-19", "clang", "g++ -x c++", "clang++-19 -x c++" },
                             *const targets[] = { "avx512", "avx2", "generic", "c11" };
    static const char *const flags[] = { "-O0", "-O3", "-O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error" };
    const char *wanted = getenv("GNOMON_TEST_GRAPHS");
    const uint64_t first = test_seed(), n = wanted ? strtoull(wanted, NULL, 10) : 40;
    int64_t jumps = 0, elements = 0, ran = 0;
    int failed = 0;
    for (uint64_t seed = first; seed < first + n && failed < 3; seed++) {
        uint64_t random = seed;
        random_graph r;
        char what[512] = "";
        gn_context *context = NULL;
        gn_context_options o = { .cache_dir = "", .toolchain = "interpreter" };
        way w = { .target = targets[test_random(&random) % 4],
                  .compiler = compilers[test_random(&random) % 5],
                  .flags = flags[test_random(&random) % 3],
                  .r = &r };
        if (!api_has(w.compiler) || !gn_target_runs_here(gn_target_find(w.target))) continue;
        o.target = w.target;
        must(gn_context_new(&context, &o));
        random_graph_make_in(&r, context, seed);
        const int kind = random_graph_check(&r, run_exported, &w, &jumps, &elements, what);
        if (kind) {
            print_message("for %s, %s %s\n", w.target, w.compiler, w.flags);
            random_graph_report(&r, run_exported, &w, "export", seed, kind, what), failed++;
        }
        random_graph_free(&r);
        gn_context_free(context);
        ran++;
    }
    print_message("%" PRId64 " of %" PRIu64 " graphs exported, %" PRId64 " elements, %.2f%% jumps\n", ran, n, elements,
                  100.0 * (double)jumps / (double)(elements ? elements : 1));
    assert_int_equal(failed, 0);
    assert_true(jumps * 5 <= elements); /* as test_random has it */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_graphs_are_exported_right) };
    strcpy(api_dir, "/tmp/gnomon-export-XXXXXX");
    if (!mkdtemp(api_dir)) return 1;
    const int failures = cmocka_run_group_tests(tests, NULL, NULL);
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", api_dir);
    return failures + (system(command) != 0);
}
