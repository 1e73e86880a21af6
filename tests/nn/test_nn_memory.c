/* The n-th allocation fails, for every n, while parameters, gradients and updates are built: an error each time,
 * nothing leaks, and the graph stays clean enough to be freed. */
#include <gnomon/gnomon.h>
#include "failing_alloc.h"

static int build(gn_graph *g)
{
    gn_expr *x = gn_input(g, "x", GN_F32, "n, 40"), *t = gn_input(g, "t", GN_I32, "n");
    gn_expr *w = gn_param(g, "w", GN_F32, GN_ORTHOGONAL, "40, 30"), *b = gn_param(g, "b", GN_F32, GN_ZEROS, "30");
    gn_expr *z = gn_add(gn_matmul(gn_tanh(x), w), b), *loss = gn_mean_all(gn_cross_entropy(z, t)), *tangent;
    const gn_updates adam = gn_adam(loss, gn_params(g), 0.1);
    gn_jvp(1, &loss, 1, &w, &w, &tangent);
    gn_expr *second = gn_grad(gn_sum_all(gn_square(gn_grad(loss, w))), b);
    if (gn_graph_check(g)) return 1;
    assert_int_equal(adam.n, 7); /* what was not reported did not happen */
    assert_int_equal(gn_params(g).n, 2);
    assert_int_equal(gn_rank_of(second), 1);
    return 0;
}

static int whole_life(const gn_allocator *a)
{
    gn_context *c = NULL;
    if (gn_context_new(
            &c, &(gn_context_options){ .allocator = a, .toolchain = "interpreter", .cache_dir = "", .threads = 1 }))
        return 1;
    gn_graph *g = gn_graph_new(c);
    const int bad = g ? build(g) : 1;
    gn_graph_free(g);
    gn_context_free(c);
    return bad;
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    assert_true(survive_refusals(whole_life, false) > 10);
}

static void memory_that_stays_short_is_survived(void **state)
{
    (void)state;
    assert_true(survive_refusals(whole_life, true) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(memory_that_stays_short_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
