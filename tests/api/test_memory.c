/* The n-th allocation fails, for every n, while a graph is built, compiled and called by the interpreter: a status each
 * time, nothing leaks (the allocator counts), and the next attempt goes further. */
#include "api.h"
#include "failing_alloc.h"

/* 0: all went well. */
static int whole_life(const gn_allocator *a)
{
    gn_context *c = NULL;
    gn_func *f = NULL;
    gn_array y = { 0 };
    float x[3] = { 1, 2, 3 }, w0[3] = { 1, 1, 1 }, s = 0;
    int bad = gn_context_new(
        &c, &(gn_context_options){ .allocator = a, .toolchain = "interpreter", .cache_dir = "", .threads = 1 });
    gn_graph *g = bad ? NULL : gn_graph_new(c);
    if (g) {
        gn_expr *e = gn_input(g, "x", GN_F32, "n"), *w = gn_shared(g, "w", GN_VIEW(w0, 3)), *out = gn_tanh(gn_mul(e, e));
        bad = gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(out, gn_sum_all(out)),
                         .update = GN_UPDATES({ w, gn_mul(w, 2) })) ||
              gn_call(f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_NEW(&y), GN_SCALAR(&s)));
        if (f && gn_get(w, GN_VIEW(w0, 3)) == GN_OK) /* all of a variable is new, or nothing */
            for (int i = 0; i < 3; i++) assert_true(w0[i] == (bad ? 1 : 2));
    } else {
        bad = 1;
    }
    gn_array_free(&y);
    gn_func_free(f);
    gn_graph_free(g);
    gn_context_free(c);
    return bad;
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    assert_true(survive_refusals(whole_life, false) > 50);
}

static void memory_that_stays_short_is_survived(void **state)
{
    (void)state;
    assert_true(survive_refusals(whole_life, true) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(memory_that_stays_short_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
