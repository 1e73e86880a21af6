/* Long sums: what they lose grows with the longest chain of additions, not with the number of elements. */
#include "api.h"
#include <math.h>
#include "context_state.h"
#include "target.h"

/* Additions on the longest way of an element to the total: in its part of 4096, over the parts, and through the trees of both. */
static double longest_way(int64_t n, int64_t lanes)
{
    const int64_t within = 4096 / (4 * lanes), chains = lanes >= 16 ? 4 * lanes : lanes == 8 ? 8 * lanes : 16 * lanes;
    const int64_t parts = (n + 4095) / 4096;
    return (double)(within + (parts + chains - 1) / chains + 2 * 8);
}

/* Equal elements are the worst case: rounding always leans to one side. (N. Higham, The accuracy of floating point summation, 1993, (2.6).) */
static void a_long_sum_of_equal_elements_keeps_its_digits(void **state)
{
    const int64_t n = 10000000, lanes = ((gn_context *)*state)->target->vector_bytes / 4;
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    float *in = malloc((size_t)n * sizeof *in), total;
    for (int64_t i = 0; i < n; i++) in[i] = 0.1f;
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_sum_all(x))));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(in, n)), GN_ARRAYS(GN_SCALAR(&total))));
    const double want = (double)n * (double)0.1f, error = fabs((double)total - want) / want;
    print_message("     relative error %.3g\n", error);
    assert_true(error <= longest_way(n, lanes) * 0x1p-24);
    free(in);
    gn_func_free(f);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_long_sum_of_equal_elements_keeps_its_digits) };
    static const char *const names[] = { "clang", "cc" }; /* the interpreter adds in long double */
    return run_on(2, names, false, tests, 1);
}
