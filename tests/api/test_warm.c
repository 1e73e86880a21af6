/* A warm program: what another process left in the cache is found without running passes, and no compiler is opened. */
#include "api.h"
#include <sys/wait.h>
#include <unistd.h>

static gn_pass_info passes[16];

/* Compiles and runs a small training step; returns its cost, or -1. */
static float run(const char *toolchain, const char *dir, gn_func_info *info, size_t *npasses)
{
    gn_context *c = NULL;
    gn_func *f = NULL;
    float x[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, cost = -1;
    if (gn_context_new(&c, &(gn_context_options){ .cache_dir = dir, .toolchain = toolchain, .threads = 2 })) return -1;
    gn_graph *g = gn_graph_new(c);
    gn_expr *e = gn_input(g, "x", GN_F32, "n, 4"), *w = gn_param(g, "w", GN_F32, GN_GLOROT, "4, 3");
    gn_expr *loss = gn_mean_all(gn_square(gn_tanh(gn_matmul(e, w))));
    if (gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(loss), .update = gn_sgd(loss, gn_params(g), 0.1),
                   .name = "warm") ||
        gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ 2, 4 })), GN_ARRAYS(GN_SCALAR(&cost))))
        print_error("%s\n", gn_message());
    *info = gn_func_inspect(f);
    *npasses = gn_func_passes(f, passes, 16);
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(c);
    return cost;
}

static void warm_after(const char *toolchain)
{
    gn_toolchain *probe;
    gn_func_info info;
    size_t n;
    char dir[96];
    int ends[2];
    float cold = -2;
    if (gn_toolchain_open(&probe, &gn_allocator_libc, toolchain, NULL)) skip();
    gn_toolchain_close(probe);
    snprintf(dir, sizeof dir, "%s/%s", api_dir, toolchain);
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    if (!pid) {
        const float cost = run(toolchain, dir, &info, &n);
        const int told = n > 3 && passes[0].name && passes[0].nodes > 0; /* every pass is reported where passes ran */
        _exit(write(ends[1], &cost, sizeof cost) != sizeof cost || info.cache_hit || info.compile_ms <= 0 || !told);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], &cold, sizeof cold), sizeof cold);
    close(ends[0]), close(ends[1]);
    const float warm = run(toolchain, dir, &info, &n);
    assert_int_equal(n, 0);
    assert_memory_equal(&cold, &warm, sizeof cold);
    assert_true(cold > 0 && info.cache_hit && info.compile_ms == 0 && info.optimize_ms == 0 && info.codegen_ms == 0);
    assert_false(gn_toolchain_plugin_is_open());
}

static void clang_stays_closed(void **state) { (void)state, warm_after("clang"); }
static void cc_is_not_started(void **state) { (void)state, warm_after("cc"); }

/* Every single entry may be lost: what is missing is made again. */
static void a_lost_entry_is_made_again(void **state)
{
    (void)state;
    gn_func_info info;
    size_t n;
    char dir[96], command[160];
    snprintf(dir, sizeof dir, "%s/lost", api_dir);
    const float first = run("cc", dir, &info, &n);
    snprintf(command, sizeof command, "find %s -name '*.so' | sort | head -1 | xargs truncate -s 50", dir);
    assert_int_equal(system(command), 0);
    float again = run("cc", dir, &info, &n);
    assert_memory_equal(&first, &again, sizeof first);
    snprintf(command, sizeof command, "find %s -name '*.so' | sort | tail -1 | xargs rm", dir);
    assert_int_equal(system(command), 0);
    again = run("cc", dir, &info, &n);
    assert_memory_equal(&first, &again, sizeof first);
    run("cc", dir, &info, &n);
    assert_true(info.cache_hit && info.codegen_ms == 0);
}

static int make_dir(void **state)
{
    (void)state;
    strcpy(api_dir, "/tmp/gnomon-warm-XXXXXX");
    return !mkdtemp(api_dir);
}

static int remove_dir(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", api_dir);
    return system(command);
}

int main(void)
{
    (void)api_options;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clang_stays_closed),
        cmocka_unit_test(cc_is_not_started),
        cmocka_unit_test(a_lost_entry_is_made_again),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
