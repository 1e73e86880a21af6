/* Default schedules: legal for every kernel that grouping makes, and what they lower to means the same. */
#include "programs.h"
#include "default_schedule.h"
#include "tree.h"
#include <gnomon/ops.h>
#include <stdio.h>
#include <stdlib.h>

static const gn_target *const cpus[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_generic };

typedef struct schedule_call {
    program *p;
    const gn_target *target;
    const char *text;
} schedule_call;

static void schedule_body(void *arg)
{
    schedule_call *c = arg;
    for (size_t i = 0; i < c->p->grouping->groups.n; i++) {
        gn_group *q = &c->p->grouping->groups.at[i];
        gn_schedule *s = gn_default_schedule(&c->p->arena, q->kernel, q->hint, c->target);
        gn_text t = { .arena = &c->p->arena };
        gn_kernel_print(&t, q->kernel);
        gn_schedule_print(&t, q->kernel, s);
        c->text = gn_text_done(&t);
        gn_scheduled *x = gn_schedule_apply(&c->p->arena, q->kernel, s, c->target);
        if (getenv("GNOMON_TEST_PRINT")) {
            gn_scheduled_print(&t, x);
            puts(gn_text_done(&t));
        }
    }
}

static void schedule(program *p, const gn_target *t)
{
    schedule_call c = { p, t, "" };
    program_group(p, t);
    if (gn_protect(schedule_body, &c)) fail_msg("%s\n%s", gn_message(), c.text);
}

static void value_and_gradient_of_a_total(void **state)
{
    (void)state;
    for (size_t t = 0; t < sizeof cpus / sizeof *cpus; t++) {
        program *p = program_new(test_seed());
        program_size(p, "n", 37);
        gn_expr *x = program_in(p, "x", GN_F32, "n"), *s = gn_tanh(gn_mul(x, x));
        program_out(p, gn_sum_all(s));
        program_out(p, gn_mul(gn_sub(1, gn_mul(s, s)), gn_mul(x, 2)));
        schedule(p, cpus[t]);
        program_free(p);
    }
}

static void schedule_five(const gn_target *t)
{
    program *p[] = { program_mlp(60, 784, 500, 10), program_mlp(6, 34, 70, 10), program_mlp(0, 33, 70, 40), program_layer_norm(0, 1024),
                     program_layer_norm(40, 37), program_layer_norm(0, 0), program_cross_entropy(0, 0), program_cross_entropy(64, 10),
                     program_logistic(0, 128), program_logistic(0, 7), program_logistic(0, 0), program_tiny(16), program_tiny(3), program_tiny(0) };
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        if (getenv("GNOMON_TEST_PRINT")) printf("; program %zu on %s\n", i, t->name);
        schedule(p[i], t);
        program_free(p[i]);
    }
}

static void the_five_programs_on_avx512(void **state)
{
    (void)state;
    schedule_five(&gn_target_avx512);
}
static void the_five_programs_on_avx2(void **state)
{
    (void)state;
    schedule_five(&gn_target_avx2);
}
static void the_five_programs_on_any_cpu(void **state)
{
    (void)state;
    schedule_five(&gn_target_generic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(value_and_gradient_of_a_total),
        cmocka_unit_test(the_five_programs_on_avx512),
        cmocka_unit_test(the_five_programs_on_avx2),
        cmocka_unit_test(the_five_programs_on_any_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
