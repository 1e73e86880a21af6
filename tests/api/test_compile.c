/* Every mistake that gn_compile can be given, cold and warm starts, and what stays usable. */
#include "api.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "expr.h"
#include "op.h"

static void each_mistake_of_a_compile_is_told(void **state)
{
    gn_graph *g = gn_graph_new(*state), *other = gn_graph_new(*state);
    float w0[2] = { 1, 2 };
    gn_func *f = (gn_func *)g;
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = gn_input(g, "y", GN_F32, "n"),
            *w = gn_shared(g, "w", GN_VIEW(w0, 2)), *null = NULL;
    gn_expr *sum = gn_add(x, y), *far = gn_input(other, "far", GN_F32, "n");
    refuse(gn_compile_at(GN_HERE, NULL, g, &(gn_compile_options){ .out = GN_EXPRS(x) }), GN_EINVAL, "out is NULL");
    refuse(gn_compile(&f, NULL, .out = GN_EXPRS(x)), GN_EINVAL, "the graph is NULL");
    assert_null(f);
    refuse(gn_compile_at(GN_HERE, &f, g, NULL), GN_EINVAL, "the options are NULL");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x)), GN_EINVAL, "neither .out nor .update");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(sum)), GN_EINVAL, "input 'y' is needed but missing in .in");
    assert_message_contains("test_compile.c:");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x, y, x), .out = GN_EXPRS(sum)), GN_EINVAL, "input 'x' is twice in .in");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(sum), .out = GN_EXPRS(sum)), GN_EINVAL, ".in 0 is no input but add");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x, null), .out = GN_EXPRS(x)), GN_EINVAL, ".in 1 is NULL");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x, null)), GN_EINVAL, ".out 1 is NULL");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(far)), GN_EINVAL, ".out 0 belongs to another graph");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .update = GN_UPDATES({ x, x })), GN_EINVAL,
           "update 0 is of no variable but of input");
    refuse(gn_compile(&f, g, .update = GN_UPDATES({ w, NULL })), GN_EINVAL, ".update value 0 is NULL");
    refuse(gn_compile(&f, g, .update = GN_UPDATES({ w, gn_add(w, 1) }, { w, gn_mul(w, 2) })), GN_EINVAL,
           "variable 'w' is updated twice");
    refuse(gn_compile(&f, g, .update = GN_UPDATES({ w, gn_sum_all(w) })), GN_ESHAPE, "update of 'w': rank 0, expected 1");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .update = GN_UPDATES({ w, x })), GN_ESHAPE,
           "update of 'w': axis 0 has extent ");
    refuse(gn_compile(&f, g, .update = GN_UPDATES({ w, gn_cast(w, GN_F64) })), GN_EDTYPE, "update of 'w': dtype ");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .fix = "n"), GN_ESYNTAX, "expected name=number");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .fix = "n=3 4"), GN_ESYNTAX,
           "expected a comma at column 5");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .fix = "n=-3"), GN_ESHAPE, "'n' is negative");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .fix = "n=3, n=4"), GN_EINVAL, "'n' twice");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .fix = "k=3"), GN_EINVAL,
           "no input has a dim named 'k'");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .device = "cuda"), GN_EDEVICE,
           "only \"cpu\" runs functions");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(x), .name = "a b"), GN_EINVAL, "is no identifier");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_neg(x)), .disable = "no_such_rule"), GN_EINVAL,
           "no_such_rule");
    gn_expr *k = gn_input(g, "k", GN_U32, "()"),
            *words = gn_node(g, &gn_op_philox, (gn_expr *[]){ k, k, k, k, k, k }, 6, NULL);
    refuse(gn_compile(&f, g, .in = GN_EXPRS(k), .out = GN_EXPRS(words)), GN_EINVAL, ".out 0 is a tuple");
    must(gn_compile(&f, g, .in = GN_EXPRS(x, y), .out = GN_EXPRS(sum))); /* the graph is still usable */
    gn_func_free(f);
    gn_graph_free(other);
    gn_graph_free(g);
}

static void the_first_error_of_a_builder_is_returned(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *a = gn_input(g, "a", GN_F32, "3"), *b = gn_input(g, "b", GN_F32, "4"), *bad = gn_add(a, b);
    gn_expr *more = gn_tanh(gn_mul(bad, bad));
    assert_int_equal(gn_compile(&f, g, .in = GN_EXPRS(a, b), .out = GN_EXPRS(more)), GN_ESHAPE);
    assert_null(f);
    assert_message_contains("add");
    assert_message_contains("test_compile.c:");
    /* its error node says it again */
    assert_int_equal(gn_compile(&f, g, .in = GN_EXPRS(a, b), .out = GN_EXPRS(more)), GN_ESHAPE);
    assert_message_contains("add");
    must(gn_compile(&f, g, .in = GN_EXPRS(a), .out = GN_EXPRS(gn_neg(a))));
    gn_func_free(f);
    gn_graph_free(g);
}

/* Builds the same function and returns whether it was found in the cache; y is its value. */
static int build_and_call(gn_context *c, float factor, float y[3], const char **source_out, gn_func **out)
{
    gn_graph *g = gn_graph_new(c);
    float x[3] = { 0.5f, -1.25f, 3 };
    gn_expr *e = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(out, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_tanh(gn_mul(e, (double)factor))), .name = "warm"));
    must(gn_call(*out, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))));
    *source_out = gn_func_source(*out);
    gn_graph_free(g);
    return gn_func_inspect(*out).cache_hit;
}

static void a_warm_start_compiles_nothing_and_gives_the_same_bits(void **state)
{
    (void)state;
    gn_context_options o = api_options;
    char dir[96];
    float cold[3], warm[3];
    const char *source[2];
    gn_func *f[2];
    gn_context *c[2];
    snprintf(dir, sizeof dir, "%s/warm-%s", api_dir, o.toolchain);
    o.cache_dir = dir;
    for (int i = 0; i < 2; i++) {
        must(gn_context_new(&c[i], &o));
        const int hit = build_and_call(c[i], 2, i ? warm : cold, &source[i], &f[i]);
        if (strcmp(o.toolchain, "interpreter")) assert_int_equal(hit, i);
    }
    assert_memory_equal(cold, warm, sizeof cold);
    assert_string_equal(source[0], source[1]);
    for (int i = 0; i < 2; i++) gn_func_free(f[i]), gn_context_free(c[i]);
}

static void two_compiles_in_one_process_give_the_same_source(void **state)
{
    (void)state;
    gn_context_options o = api_options;
    o.cache_dir = "";
    const char *source[3];
    gn_func *f[3];
    gn_context *c;
    float y[2][3];
    must(gn_context_new(&c, &o));
    build_and_call(c, 2, y[0], &source[0], &f[0]);
    gn_func *between;
    const char *unused;
    build_and_call(c, 7, y[1], &unused, &between);
    gn_func_free(between);
    build_and_call(c, 2, y[1], &source[1], &f[1]);
    assert_string_equal(source[0], source[1]);
    assert_memory_equal(y[0], y[1], sizeof y[0]);
    gn_func_free(f[0]), gn_func_free(f[1]);
    gn_context_free(c);
}

static int count_entries(const char *dir)
{
    char command[160];
    int n = -1;
    snprintf(command, sizeof command, "find '%s' -name '*.so' | wc -l", dir);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    if (fscanf(p, "%d", &n) != 1) n = -1;
    pclose(p);
    return n;
}

/* Variants of one program; each differs from the first in one thing that can change its bytes or its numbers. */
enum { VARIANTS = 10 };
static void compile_variant(const char *dir, int variant)
{
    gn_context *c;
    gn_func *f = NULL;
    must(gn_context_new(&c, &(gn_context_options){ .cache_dir = dir,
                                                   .toolchain = variant == 1 ? "interpreter" : "cc",
                                                   .cc = variant == 2 ? "env cc" : "cc",
                                                   .target = variant == 3 ? "avx2" : "generic" }));
    gn_graph *g = gn_graph_new(c);
    if (variant == 4) must(gn_graph_relax(g, "reassociate"));
    gn_expr *x = gn_input(g, "x", variant == 5 ? GN_F64 : GN_F32, variant == 6 ? "m" : "n"),
            *y = gn_mul(gn_add(x, variant == 7 ? 2.0 : 1.0), 3.0);
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .name = variant == 8 ? "other" : "same",
                    .fix = variant == 9 ? "n=3" : NULL));
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(c);
}

static void everything_that_matters_changes_the_key(void **state)
{
    (void)state;
    char dir[96];
    snprintf(dir, sizeof dir, "%s/keys-%s", api_dir, api_options.toolchain);
    if (strcmp(api_options.toolchain, "cc")) skip();
    compile_variant(dir, 0);
    const int first = count_entries(dir);
    assert_int_equal(first, 2); /* the program and its kernels */
    compile_variant(dir, 0);
    assert_int_equal(count_entries(dir), first);
    for (int v = 1, before = first; v < VARIANTS; v++) {
        compile_variant(dir, v);
        const int now = count_entries(dir);
        if (now <= before) fail_msg("variant %d has the key of another", v);
        before = now;
    }
}

static void without_a_compiler_both_ways_are_named(void **state)
{
    gn_context *c;
    gn_func *f = NULL;
    (void)state;
    must(gn_context_new(&c, &(gn_context_options){ .cache_dir = "", .toolchain = "cc", .cc = "/nonexistent/cc" }));
    gn_graph *g = gn_graph_new(c);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_neg(x))), GN_ECOMPILER,
           "the C compiler '/nonexistent/cc' was not found");
    assert_message_contains("interpreter");
    gn_graph_free(g);
    gn_context_free(c);
}

static void a_compiler_that_fails_is_quoted(void **state)
{
    gn_context *c;
    gn_func *f = NULL;
    char cc[128];
    (void)state;
    snprintf(cc, sizeof cc, "%s/broken-cc", api_dir);
    FILE *script = fopen(cc, "w");
    assert_non_null(script);
    fputs("#!/bin/sh\ncase $1 in --version) echo broken 1.0; exit 0 ;; esac\necho no licence today >&2\nexit 3\n", script);
    fclose(script);
    char command[160];
    snprintf(command, sizeof command, "chmod +x '%s'", cc);
    assert_int_equal(system(command), 0);
    must(gn_context_new(&c, &(gn_context_options){ .cache_dir = "", .toolchain = "cc", .cc = cc }));
    gn_graph *g = gn_graph_new(c);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_neg(x))), GN_ECOMPILER, "no licence today");
    assert_message_contains("status 3");
    assert_null(f);
    gn_graph_free(g);
    gn_context_free(c);
}

/* A compiler that compiles another text than it was given. */
static void an_object_without_its_functions_is_told(void **state)
{
    (void)state;
    char path[120];
    gn_context_options o = api_options;
    gn_context *c = NULL;
    gn_func *f = NULL;
    if (strcmp(o.toolchain, "cc")) skip();
    snprintf(path, sizeof path, "%s/forgetful", api_dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("#!/bin/sh\n[ \"$1\" = --version ] || for last; do :; done\n[ -z \"$last\" ] || : > \"$last\"\nexec cc "
          "\"$@\"\n",
          file);
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
    o.cc = path;
    must(gn_context_new(&c, &o));
    gn_graph *g = gn_graph_new(c);
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_exp(x)), .name = "lost"), GN_ECOMPILER,
           "lost: toolchain \"cc\" made an object that lacks a function of its source");
    assert_null(f);
    gn_graph_free(g);
    gn_context_free(c);
}

static void a_source_that_cannot_be_kept_is_told(void **state)
{
    char path[400];
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *y = gn_exp(gn_mul(x, 3));
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .keep_source = 1));
    const char *const kept = gn_func_inspect(f).source_path;
    snprintf(path, sizeof path, "%s", kept ? kept : "");
    gn_func_free(f);
    if (!*path) { /* nothing is compiled */
        gn_graph_free(g);
        skip();
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    refuse(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .keep_source = 1), GN_EIO, "cannot be written");
    assert_int_equal(rmdir(path), 0);
    gn_graph_free(g);
}

/* A k that does not fit the caches goes in chunks, the last of them short. */
static void a_long_contraction_goes_in_chunks(void **state)
{
    enum { M = 33, K = 4133, N = 40 };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    static float a[M * K], b[K * N], y[M * N];
    uint64_t random = 9;
    for (int i = 0; i < M * K; i++) a[i] = (float)test_uniform(&random, -1, 1);
    for (int i = 0; i < K * N; i++) b[i] = (float)test_uniform(&random, -0.02, 0.02);
    gn_expr *x = gn_input(g, "x", GN_F32, "%d, %d", M, K), *w = gn_input(g, "w", GN_F32, "%d, %d", K, N);
    must(gn_compile(&f, g, .in = GN_EXPRS(x, w), .out = GN_EXPRS(gn_add(gn_matmul(x, w), 1)), .name = "long"));
    const int64_t da[2] = { M, K }, db[2] = { K, N }, dy[2] = { M, N };
    must(gn_call(f, GN_ARRAYS(gn_array_of(a, GN_F32, 2, da), gn_array_of(b, GN_F32, 2, db)),
                 GN_ARRAYS(gn_array_of(y, GN_F32, 2, dy))));
    for (int i = 0; i < M; i++)
        for (int j = 0; j < N; j++) {
            double sum = 1;
            for (int k = 0; k < K; k++) sum += (double)a[i * K + k] * (double)b[k * N + j];
            assert_float_equal(y[i * N + j], sum, 1e-5);
        }
    gn_func_free(f);
    gn_graph_free(g);
}

/* Three layers of one shape: three kernels, one function, and each layer's own numbers. */
static void layers_of_one_shape_share_their_function(void **state)
{
    enum { ROWS = 40, N = 48 };
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "%d, %d", ROWS, N), *h = x;
    static float in[ROWS * N], out[ROWS * N], want[ROWS * N], w[3][N * N];
    uint64_t random = 5;
    for (int i = 0; i < ROWS * N; i++) in[i] = want[i] = (float)test_uniform(&random, -1, 1);
    for (int layer = 0; layer < 3; layer++) {
        char name[8];
        const int64_t dims[2] = { N, N };
        snprintf(name, sizeof name, "w%d", layer);
        for (int i = 0; i < N * N; i++) w[layer][i] = (float)test_uniform(&random, -0.3, 0.3);
        h = gn_relu(gn_matmul(h, gn_shared(g, name, gn_array_of(w[layer], GN_F32, 2, dims))));
    }
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(h), .name = "layers"));
    gn_step_info step[8];
    const size_t n = gn_func_steps(f, step, 8);
    assert_true(n >= 3 && n % 3 == 0);
    for (size_t i = 0; i < n; i++) assert_string_equal(step[i].symbol, step[i % (n / 3)].symbol);
    const int64_t dims[2] = { ROWS, N };
    must(gn_call(f, GN_ARRAYS(gn_array_of(in, GN_F32, 2, dims)), GN_ARRAYS(gn_array_of(out, GN_F32, 2, dims))));
    for (int layer = 0; layer < 3; layer++) {
        static float next[ROWS * N];
        for (int i = 0; i < ROWS; i++)
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int k = 0; k < N; k++) sum += (double)want[i * N + k] * (double)w[layer][k * N + j];
                next[i * N + j] = sum > 0 ? (float)sum : 0;
            }
        memcpy(want, next, sizeof want);
    }
    for (int i = 0; i < ROWS * N; i++) assert_float_equal(out[i], want[i], 1e-5);
    gn_func_free(f);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_one_shape_share_their_function),
        cmocka_unit_test(a_long_contraction_goes_in_chunks),
        cmocka_unit_test(each_mistake_of_a_compile_is_told),
        cmocka_unit_test(the_first_error_of_a_builder_is_returned),
        cmocka_unit_test(a_warm_start_compiles_nothing_and_gives_the_same_bits),
        cmocka_unit_test(everything_that_matters_changes_the_key),
        cmocka_unit_test(without_a_compiler_both_ways_are_named),
        cmocka_unit_test(a_compiler_that_fails_is_quoted),
        cmocka_unit_test(an_object_without_its_functions_is_told),
        cmocka_unit_test(a_source_that_cannot_be_kept_is_told),
        cmocka_unit_test(two_compiles_in_one_process_give_the_same_source),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
