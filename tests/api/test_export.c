/* Exported C: compiled by gcc and by clang at -O0 and -O3 with no other flag, it gives the bits of the function in
 * process; twice exported it is the same text. */
#include "api.h"
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <unistd.h>

static char *read_text(const char *dir, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

/* Libraries that were built, with all that went into each: most texts are the same for each toolchain in process. */
static struct {
    char *from, path[128];
} built[256];
static size_t nbuilt;

static const char *path_of_library(const char *compiler, const char *level, const char *name)
{
    char command[512], file[80], *text[2], *from;
    for (int i = 0; i < 2; i++) snprintf(file, sizeof file, "%s.%c", name, "ch"[i]), text[i] = read_text(api_dir, file);
    assert_true(asprintf(&from, "%s %s\n%s\n%s", compiler, level, text[0], text[1] ? text[1] : "") > 0);
    free(text[0]), free(text[1]);
    for (size_t i = 0; i < nbuilt; i++)
        if (!strcmp(built[i].from, from)) return free(from), built[i].path;
    char *path = built[nbuilt].path;
    assert_true(nbuilt < sizeof built / sizeof *built);
    snprintf(path, sizeof built->path, "%s/lib%zu.so", api_dir, nbuilt);
    snprintf(command, sizeof command, "%s %s -Wall -Wextra -Werror -shared -fPIC -o %s %s/%s.c -lm", compiler, level,
             path, api_dir, name);
    if (system(command)) fail_msg("%s", command);
    built[nbuilt++].from = from;
    return path;
}

static void *build_library(const char *compiler, const char *level, const char *name)
{
    const char *path = path_of_library(compiler, level, name);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail_msg("%s", dlerror());
    return handle;
}

static const char *const compilers[] = { "gcc", "clang-19", "clang" }, *const levels[] = { "-O0", "-O3" };

enum { N = 5, K = 33, C = 10 };
static _Alignas(64) unsigned char arena[1 << 20];

static gn_expr *network(gn_graph *g, gn_expr *x)
{
    gn_expr *h = gn_tanh(gn_add(gn_matmul(x, gn_param(g, "w1", GN_F32, GN_GLOROT, "33, 17")),
                                gn_param(g, "b1", GN_F32, GN_ZEROS, "17")));
    return gn_add(gn_matmul(h, gn_param(g, "w2", GN_F32, GN_GLOROT, "17, 10")), gn_param(g, "b2", GN_F32, GN_ZEROS, "10"));
}

static void a_network_gives_the_same_bits(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float x[N * K], p[N * C], q[N * C];
    int64_t label[N], label2[N];
    uint64_t seed = 7;
    for (int i = 0; i < N * K; i++) x[i] = (float)test_uniform(&seed, -1, 1);
    gn_expr *e = gn_input(g, "x", GN_F32, "batch, 33"), *z = network(g, e);
    must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_softmax(z, 1), gn_argmax(z, 1)), .fix = "batch=5",
                    .name = "net"));
    must(gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ N, K })),
                 GN_ARRAYS(gn_array_of(p, GN_F32, 2, (int64_t[]){ N, C }), GN_VIEW(label, N))));
    must(gn_export(f, "net", api_dir));
    char *header = read_text(api_dir, "net.h"), *source = read_text(api_dir, "net.c");
    assert_non_null(strstr(header, "#define NET_ARENA_BYTES "));
    assert_true(atol(strstr(header, "NET_ARENA_BYTES ") + 16) <= (long)sizeof arena);
    must(gn_export(f, "net", api_dir));
    char *again = read_text(api_dir, "net.c");
    assert_string_equal(source, again);
    assert_null(strstr(source, api_dir)); /* no path of this machine */
    const bool same_bits = strcmp(api_options.toolchain, "interpreter") != 0;
    for (int c = 0; c < 3; c++)
        for (int l = 0; l < 2 && api_has(compilers[c]); l++) {
            int (*net)(const float *, float *, int64_t *, void *);
            *(void **)&net = dlsym(build_library(compilers[c], levels[l], "net"), "net");
            assert_non_null(net);
            memset(q, 0, sizeof q);
            assert_int_equal(net(x, q, label2, arena), 0);
            if (same_bits) assert_memory_equal(p, q, sizeof p);
            assert_memory_equal(label, label2, sizeof label);
        }
    free(header), free(source), free(again);
    gn_func_free(f);
    gn_graph_free(g);
}

static size_t size_of_symbol(const void *at)
{
    Dl_info info;
    ElfW(Sym) *symbol = NULL;
    assert_true(dladdr1(at, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol);
    return symbol->st_size;
}

/* Parts of an output and of a temporary are written where they lie. */
static void parts_of_a_concat_are_exported(void **state)
{
    enum { ROWS = 70, WIDE = 7, ALL = 6 * WIDE };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    static float x[ROWS][WIDE], y[ROWS][ALL], z[ROWS][ALL], sums[ROWS], sums2[ROWS];
    for (int i = 0; i < ROWS * WIDE; i++) (&x[0][0])[i] = (float)(i % 19 - 9);
    gn_expr *e = gn_input(g, "x", GN_F32, "70, 7"), *r = gn_relu(e);
    gn_expr *first = gn_concat(GN_EXPRS(e, r, gn_neg(e), gn_mul(e, 2), r, gn_add(e, 1)), 1);
    gn_expr *second = gn_concat(GN_EXPRS(gn_mul(e, 3), r, e, gn_neg(r), e, gn_sub(e, 1)), 1);
    must(gn_compile(&f, g, .in = GN_EXPRS(e),
                    .out = GN_EXPRS(first, gn_sum(gn_mul(second, gn_flip(second, GN_AXES(1))), GN_AXES(1))),
                    .name = "parts"));
    must(gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ ROWS, WIDE })),
                 GN_ARRAYS(gn_array_of(y, GN_F32, 2, (int64_t[]){ ROWS, ALL }), GN_VIEW(sums, ROWS))));
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < WIDE; j++) {
            const float v = x[i][j], up = v > 0 ? v : 0, want[6] = { v, up, -v, 2 * v, up, v + 1 };
            for (int k = 0; k < 6; k++) assert_true(y[i][k * WIDE + j] == want[k]);
        }
    must(gn_export(f, "parts", api_dir));
    for (int c = 0; c < 3; c++)
        for (int l = 0; l < 2 && api_has(compilers[c]); l++) {
            int (*parts)(const float *, float *, float *, void *);
            void *library = build_library(compilers[c], levels[l], "parts");
            *(void **)&parts = dlsym(library, "parts");
            assert_non_null(parts);
            memset(z, 0x7f, sizeof z);
            assert_int_equal(parts(&x[0][0], &z[0][0], sums2, arena), 0);
            assert_memory_equal(y, z, sizeof y);
            assert_memory_equal(sums, sums2, sizeof sums); /* whole numbers: no order of a sum matters */
            dlclose(library);
        }
    gn_func_free(f);
    gn_graph_free(g);
}

/* The gradient of a split reads a local array from before its beginning, in lanes that a mask leaves out: no pointer
 * may go there, or gcc -O2 takes the array for one that nobody reads. */
static void no_pointer_leaves_its_array_in_an_export(void **state)
{
    enum { ROWS = 3, COLUMNS = 12 };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    static double x[ROWS][COLUMNS], want[ROWS][COLUMNS], got[ROWS][COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++) (&x[0][0])[i] = i * 0.1;
    gn_expr *e = gn_input(g, "x", GN_F64, "3, 12"), *part[COLUMNS];
    gn_split(e, 1, COLUMNS, part);
    gn_expr *a = gn_mul(part[1], 2.0), *b = gn_mul(part[0], 1.0), *c = gn_concat(GN_EXPRS(a, part[5]), 1);
    gn_expr *d = gn_sin(gn_concat(GN_EXPRS(b, a, b), 1)), *loss = gn_sum_all(gn_square(gn_concat(GN_EXPRS(d, c), 1)));
    must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_grad(loss, e)), .name = "splits"));
    must(gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F64, 2, (int64_t[]){ ROWS, COLUMNS })),
                 GN_ARRAYS(gn_array_of(want, GN_F64, 2, (int64_t[]){ ROWS, COLUMNS }))));
    for (int i = 0; i < ROWS; i++) assert_true(want[i][5] == 2 * x[i][5] && want[i][6] == 0);
    must(gn_export(f, "splits", api_dir));
    for (int k = 0; k < 3; k++)
        for (int l = 0; l < 2 && api_has(compilers[k]); l++) {
            int (*splits)(const double *, double *, void *);
            void *library = build_library(compilers[k], levels[l], "splits");
            *(void **)&splits = dlsym(library, "splits");
            assert_non_null(splits);
            memset(got, 0x7f, sizeof got);
            assert_int_equal(splits(&x[0][0], &got[0][0], arena), 0);
            assert_memory_equal(want, got, sizeof got);
            dlclose(library);
        }
    gn_func_free(f);
    gn_graph_free(g);
}

static void a_training_step_is_exported_whole(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float x[N * K], cost[4], other;
    int32_t t[N] = { 0, 3, 9, 1, 4 };
    uint64_t seed = 8;
    for (int i = 0; i < N * K; i++) x[i] = (float)test_uniform(&seed, -1, 1);
    gn_expr *e = gn_input(g, "x", GN_F32, "batch, 33"), *te = gn_input(g, "t", GN_I32, "batch");
    gn_expr *loss = gn_mean_all(gn_cross_entropy(network(g, e), te));
    must(gn_compile(&f, g, .in = GN_EXPRS(e, te), .out = GN_EXPRS(loss), .update = gn_sgd(loss, gn_params(g), 0.5),
                    .fix = "batch=5", .name = "step"));
    must(gn_export(f, "step", api_dir)); /* with the initial weights */
    for (int i = 0; i < 4; i++)
        must(gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ N, K }), GN_VIEW(t, N)),
                     GN_ARRAYS(GN_SCALAR(&cost[i]))));
    assert_true(cost[3] < cost[0]);
    const bool same_bits = strcmp(api_options.toolchain, "interpreter") != 0;
    static _Alignas(64) char weights[1 << 14];
    for (int c = 0; c < 2; c++)
        for (int l = 0; l < 2 && api_has(compilers[c]); l++) {
            void *handle = build_library(compilers[c], levels[l], "step");
            int (*step)(const float *, const int32_t *, float *, void *, void *);
            *(void **)&step = dlsym(handle, "step");
            const void *initial = dlsym(handle, "step_initial");
            assert_true(step && initial);
            assert_true(size_of_symbol(initial) <= sizeof weights);
            memcpy(weights, initial, size_of_symbol(initial));
            for (int i = 0; i < 4; i++) {
                assert_int_equal(step(x, t, &other, weights, arena), 0);
                if (same_bits) assert_memory_equal(&cost[i], &other, sizeof other);
                else assert_true(other - cost[i] < 1e-4f && cost[i] - other < 1e-4f);
            }
            const int32_t wrong[N] = { 0, 3, 10, 1, 4 };
            assert_int_equal(step(x, wrong, &other, weights, arena), -1);
        }
    gn_func_free(f);
    gn_graph_free(g);
}

/* A count of visits at computed places: the function returns -1 for a bad one, with the counts as they were. */
static void a_computed_index_is_checked_in_an_export(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float zero[6] = { 0 };
    gn_expr *v = gn_input(g, "v", GN_F32, "3"), *visits = gn_shared(g, "visits", GN_VIEW(zero, 6)),
            *at = gn_cast(gn_mul(v, 2.0), GN_I32);
    must(gn_compile(&f, g, .in = GN_EXPRS(v), .out = GN_EXPRS(gn_take(visits, at, 0)),
                    .update = GN_UPDATES({ visits, gn_scatter_add(visits, at, gn_full(g, GN_F32, 1.0, "3"), 0) })));
    must(gn_export(f, "visit", api_dir));
    for (int c = 0; c < 2; c++)
        for (int l = 0; l < 2 && api_has(compilers[c]); l++) {
            void *handle = build_library(compilers[c], levels[l], "visit");
            int (*visit)(const float *, float *, void *, void *);
            *(void **)&visit = dlsym(handle, "visit");
            assert_non_null(visit);
            struct {
                float visits[2][6]; /* every place may be counted: the new counts go to the other array */
                int now;
            } weights = { .now = 0 };
            assert_int_equal(size_of_symbol(dlsym(handle, "visit_initial")), sizeof weights);
            float out[3];
            const float good[3] = { 0.5f, 2.5f, 0.5f }, bad[3] = { 0, 1, 3 }, after[6] = { 0, 2, 0, 0, 0, 1 };
            assert_int_equal(visit(good, out, &weights, arena), 0);
            assert_int_equal(visit(bad, out, &weights, arena), -1);
            assert_int_equal(weights.now, 1);
            assert_memory_equal(weights.visits[1], after, sizeof after);
            assert_int_equal(visit(good, out, &weights, arena), 0);
            assert_true(out[0] == 2 && out[1] == 1 && out[2] == 2 && weights.now == 0 && weights.visits[0][1] == 4 &&
                        weights.visits[0][5] == 2);
        }
    gn_func_free(f);
    gn_graph_free(g);
}

static void each_mistake_of_an_export_is_told(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, x))));
    refuse(gn_export(f, "unfixed", api_dir), GN_EINVAL, "the dim 'n' is not fixed: compile with .fix = \"n=...\"");
    gn_func_free(f);
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, x)), .fix = "n=4"));
    refuse(gn_export(NULL, "a", api_dir), GN_EINVAL, "export: the function, its name or the directory is NULL");
    char far[5000];
    memset(far, 'd', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    refuse(gn_export(f, "a", far), GN_EIO, "export a: the path is too long");
    refuse(gn_export(f, "a b", api_dir), GN_EINVAL, "\"a b\" is no identifier");
    static const char *const words[] = { "int",    "memcpy", "sin",       "main",    "class", "and",  "co_await",
                                         "typeof", "NULL",   "INT64_MAX", "gn_call", "_x",    "a__b", "size_t" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        refuse(gn_export(f, words[i], api_dir), GN_EINVAL, "is a word of C, C++ or their libraries");
    refuse(gn_export(f, "a", "/nonexistent/directory"), GN_EIO, "cannot write /nonexistent/directory/a.h");
    gn_func_free(f);
    gn_graph_free(g);
}

static void flags_that_change_arithmetic_are_refused_by_the_text(void **state)
{
    static const char *const flags[] = { "gcc -ffast-math",
                                         "gcc -Ofast",
                                         "gcc -funsafe-math-optimizations",
                                         "gcc -freciprocal-math",
                                         "gcc -ffinite-math-only",
                                         "gcc -mfpmath=387",
                                         "clang-19 -ffast-math",
                                         "clang-19 -Ofast",
                                         "clang-19 -ffinite-math-only" };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    char command[256], compiler[16];
    gn_expr *x = gn_input(g, "x", GN_F32, "4");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, x))));
    must(gn_export(f, "square", api_dir));
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        sscanf(flags[i], "%15s", compiler);
        if (!api_has(compiler)) continue;
        snprintf(command, sizeof command, "%s -c -o /dev/null %s/square.c 2>&1 | grep -q 'error.*this file relies on'",
                 flags[i], api_dir);
        if (system(command)) fail_msg("not refused: %s", command);
    }
    char *header = read_text(api_dir, "square.h");
    assert_non_null(strstr(header, "It computes in the floating-point mode of its caller"));
    free(header);
    gn_func_free(f);
    gn_graph_free(g);
}

static void vectors_ask_for_a_compiler_that_has_them(void **state)
{
    (void)state;
    if (!api_has("tcc")) return;
    gn_context *vectors = NULL;
    gn_context_options o = api_options;
    o.target = "generic", o.toolchain = "interpreter";
    must(gn_context_new(&vectors, &o));
    gn_graph *g = gn_graph_new(vectors);
    gn_func *f = NULL;
    char command[256];
    gn_expr *x = gn_input(g, "x", GN_F32, "100");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, x))));
    must(gn_export(f, "wide", api_dir));
    snprintf(command, sizeof command, "tcc -c -o /dev/null %s/wide.c 2>&1 | grep -q 'error.*export it with target c11'",
             api_dir);
    assert_int_equal(system(command), 0);
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(vectors);
}

/* Infinities and NaN as constants, as weights and as what a reduction starts from. */
static void any_c11_compiler_has_infinities(void **state)
{
    (void)state;
    if (!api_has("tcc")) {
        print_message("skipped: there is no tcc\n");
        return;
    }
    gn_context *plain = NULL;
    gn_context_options o = api_options;
    o.target = "c11";
    must(gn_context_new(&plain, &o));
    gn_graph *g = gn_graph_new(plain);
    gn_func *f = NULL;
    float x[4] = { 1, -INFINITY, NAN, -2 }, y[4], z[4], most[1], most2[1], w[4] = { INFINITY, -INFINITY, NAN, -0.0f };
    gn_expr *e = gn_input(g, "x", GN_F32, "4"), *v = gn_shared(g, "w", GN_VIEW(w, 4));
    gn_expr *masked = gn_select(gn_lt(e, 0.0), -INFINITY, gn_add(e, v));
    must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(masked, gn_max_all(gn_select(gn_lt(e, 2.0), -INFINITY, e)))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 4)), GN_ARRAYS(GN_VIEW(y, 4), GN_SCALAR(most))));
    must(gn_export(f, "limits", api_dir));
    int (*limits)(const float *, float *, float *, void *);
    *(void **)&limits = dlsym(build_library("tcc", "-O0", "limits"), "limits");
    assert_non_null(limits);
    assert_int_equal(limits(x, z, most2, arena), 0);
    for (int i = 0; i < 4; i++) assert_true(isnan(y[i]) ? isnan(z[i]) : y[i] == z[i]);
    assert_true((isnan(most[0]) ? isnan(most2[0]) : most[0] == most2[0]) && z[0] == INFINITY && z[1] == -INFINITY);
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_gives_the_same_bits),
        cmocka_unit_test(parts_of_a_concat_are_exported),
        cmocka_unit_test(no_pointer_leaves_its_array_in_an_export),
        cmocka_unit_test(a_training_step_is_exported_whole),
        cmocka_unit_test(a_computed_index_is_checked_in_an_export),
        cmocka_unit_test(each_mistake_of_an_export_is_told),
        cmocka_unit_test(flags_that_change_arithmetic_are_refused_by_the_text),
        cmocka_unit_test(any_c11_compiler_has_infinities),
        cmocka_unit_test(vectors_ask_for_a_compiler_that_has_them),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
