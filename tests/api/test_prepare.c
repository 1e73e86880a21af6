/* Weights that a function does not update: what a product needs of them is made once for each version, and a batch of
 * few rows runs another kernel than a large one. */
#include "api.h"

enum { WIDE = 96, OUT = 70, MOST_ROWS = 67 };

static float weights[OUT * WIDE], rows[MOST_ROWS * WIDE], got[MOST_ROWS * OUT];

static gn_array matrix(float *a, int64_t n, int64_t m)
{
    return gn_array_of(a, GN_F32, 2, (int64_t[]){ n, m });
}

/* Small integers: sums are exact in any order. */
static void fill(int seed)
{
    for (int i = 0; i < OUT * WIDE; i++) weights[i] = (float)((i * 7 + seed) % 11 - 5);
    for (int i = 0; i < MOST_ROWS * WIDE; i++) rows[i] = (float)((i * 5) % 13 - 6);
}

/* x W^T, W being (OUT, WIDE); `wide`: x W, W being (WIDE, OUT). */
static void expect(gn_func *f, int64_t n, bool wide)
{
    memset(got, 0xff, sizeof got);
    must(gn_call(f, GN_ARRAYS(matrix(rows, n, WIDE)), GN_ARRAYS(matrix(got, n, OUT))));
    for (int64_t r = 0; r < n; r++)
        for (int o = 0; o < OUT; o++) {
            float s = 0;
            for (int k = 0; k < WIDE; k++)
                s += rows[r * WIDE + k] * (wide ? weights[k * OUT + o] : weights[o * WIDE + k]);
            if (got[r * OUT + o] != s)
                fail_msg("row %d, column %d: %g, expected %g", (int)r, o, (double)got[r * OUT + o], (double)s);
        }
}

/* Calls of the steps whose symbol begins so, all together; -1: there is none. */
static int64_t calls_of(const gn_func *f, const char *symbol)
{
    gn_step_info info[16];
    const size_t n = gn_func_steps(f, info, 16);
    int64_t calls = -1;
    for (size_t i = 0; i < n && i < 16; i++)
        if (strncmp(info[i].symbol, symbol, strlen(symbol)) == 0) calls = (calls < 0 ? 0 : calls) + info[i].calls;
    return calls;
}

static gn_func *compile(gn_graph *g, gn_expr *w, bool wide, bool trains)
{
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n, 96"), *y = gn_matmul(x, wide ? w : gn_transpose(w));
    if (trains)
        must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .update = GN_UPDATES({w, gn_mul(w, 1)})));
    else
        must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(y)));
    gn_func_profile(f, 1);
    return f;
}

static gn_expr *shared(gn_graph *g, bool wide)
{
    return gn_shared(g, "W", wide ? matrix(weights, WIDE, OUT) : matrix(weights, OUT, WIDE));
}

static void weights_are_turned_once_for_each_version(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    static const int64_t n[] = {1, 2, 32, 33, MOST_ROWS, 1};
    fill(0);
    gn_expr *w = shared(g, false);
    gn_func *f = compile(g, w, false, false);
    for (int version = 0; version < 3; version++) {
        fill(version);
        if (version) must(gn_set(w, matrix(weights, OUT, WIDE)));
        for (int call = 0; call < 3; call++) expect(f, MOST_ROWS, false);
        assert_int_equal(calls_of(f, "prepare"), 3 * (version + 1));
    }
    for (size_t k = 0; k < sizeof n / sizeof *n; k++) expect(f, n[k], false);
    gn_func_free(f);
    gn_graph_free(g);
}

/* Each binding of sizes chooses. */
static void few_rows_run_a_kernel_of_their_own(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    fill(0);
    gn_func *f = compile(g, shared(g, true), true, false);
    assert_int_equal(calls_of(f, "prepare"), -1);
    static const int64_t n[] = {1, 31, 32, 33, MOST_ROWS, 5, 0};
    for (size_t k = 0; k < sizeof n / sizeof *n; k++) {
        gn_func_profile(f, 1);
        expect(f, n[k], true);
        assert_int_equal(calls_of(f, "k0_many") > 0, n[k] > 32);
    }
    gn_func_free(f);
    gn_graph_free(g);
}

/* What the function itself updates is another one after each call. */
static void updated_weights_are_not_prepared(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    fill(0);
    gn_func *f = compile(g, shared(g, false), false, true);
    assert_int_equal(calls_of(f, "prepare"), -1);
    for (int call = 0; call < 2; call++) expect(f, 40, false);
    gn_func_free(f);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_turned_once_for_each_version),
        cmocka_unit_test(few_rows_run_a_kernel_of_their_own),
        cmocka_unit_test(updated_weights_are_not_prepared),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
