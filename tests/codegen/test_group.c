/* Grouping: what it makes of programs, and that its kernels, run in order, mean what the graph means. */
#include "programs.h"
#include <gnomon/ops.h>
#include <string.h>

static void run_and_check(program *p)
{
    program_group(p, &gn_target_avx512);
    program_check(p, program_interpret);
}

static void a_total_of_maps_is_one_kernel(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 37);
    gn_expr *x = program_in(p, "x", GN_F32, "n");
    program_out(p, gn_sum_all(gn_tanh(gn_mul(x, x))));
    run_and_check(p);
    assert_int_equal(p->grouping->groups.n, 1);
    program_free(p);
}

static void value_and_gradient_of_a_total(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 37);
    gn_expr *x = program_in(p, "x", GN_F32, "n"), *t = gn_tanh(gn_mul(x, x));
    program_out(p, gn_sum_all(t));
    program_out(p, gn_mul(gn_sub(1, gn_mul(t, t)), gn_mul(x, 2)));
    run_and_check(p);
    assert_int_equal(p->grouping->groups.n, 1);
    program_free(p);
}

static void outputs_from_memory_alone_are_maps(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    program_size(p, "n", 5);
    gn_expr *x = program_in(p, "x", GN_F32, "n, 3"), *y = program_in(p, "y", GN_F32, "3");
    program_out(p, gn_add(gn_exp(x), y));
    program_out(p, x);
    program_out(p, gn_mul(x, 2.0));
    run_and_check(p);
    program_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_total_of_maps_is_one_kernel),
        cmocka_unit_test(value_and_gradient_of_a_total),
        cmocka_unit_test(outputs_from_memory_alone_are_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
