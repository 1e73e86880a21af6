/* The bodies of math functions, expanded into vectors of this CPU's target and of the generic one, against long double
 * libm. */
#include <math.h>
#include <stdio.h>
#include "dtype.h"
#include "expand.h"
#include "measure.h"
#include "testlib.h"

/* The promise of docs/math.md, in ulp. */
static const struct promise {
    const char *op;
    double f32, f64;
} promises[] = {
    { "exp", 1, 1 },    { "expm1", 1.5, 2 }, { "log", 1, 1 },       { "log1p", 1.5, 1 },  { "sin", 0.55, 1 },
    { "cos", 0.55, 1 }, { "tanh", 1, 1 },    { "sigmoid", 1, 1 },   { "softplus", 2, 2 }, { "erf", 2, 1.5 },
    { "erfc", 4, 4 },   { "pow", 0.55, 2 },  { "rsqrt", 1.5, 1.5 },
};

static void check(const gn_target *target)
{
    const measure_options o = {.target = target, .cc = "cc", .stride = 99991, .count = 30000};
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++)
        for (int is64 = 0; is64 < 2; is64++) {
            measure m;
            const double promise = is64 ? promises[i].f64 : promises[i].f32;
            if (measure_body(&m, &o, promises[i].op, is64 ? GN_F64 : GN_F32)) fail_msg("%s", gn_message());
            if (!(m.worst <= promise))
                fail_msg("%s f%d on %s: %g ulp at %.17g, %.17g; promised %g", promises[i].op, is64 ? 64 : 32,
                         target->name, m.worst, m.at, m.at2, promise);
        }
}

static void bodies_keep_their_worst_error_on_this_cpu(void **state)
{
    (void)state;
    check(gn_target_host());
}

static void bodies_keep_their_worst_error_without_fma(void **state)
{
    (void)state;
    check(&gn_target_generic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_keep_their_worst_error_on_this_cpu),
        cmocka_unit_test(bodies_keep_their_worst_error_without_fma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
