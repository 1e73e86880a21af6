/* Scheduled kernels: both forms of the tree mean what the logical kernel means. */
#include "judge.h"

static void judge(const kernel_case *c, const gn_target *target, int lanes)
{
    gn_arena a = { 0 };
    job j = lower_text(&a, with_lanes(&a, c->text, lanes), target);
    j.c = c;
    uint64_t seed = test_seed();
    for (int run = 0; c->sizes[run][0] >= 0; run++) {
        gn_arena scratch = { 0 };
        int64_t sym[8] = { 0 };
        sizes_of(&j, run, sym);
        run_data d = begin_run(&scratch, &j, sym, &seed);
        gn_scheduled_interpret(j.s, d.args, sym, &scratch);
        compare(&j, "statements", sym, d.got, d.want);
        reset(&j, &d);
        gn_scheduled_interpret_code(j.s, d.args, sym, &scratch);
        compare(&j, "code", sym, d.got, d.want);
        end_run(&j, &d);
        gn_arena_free(&scratch);
    }
    gn_arena_free(&a);
}

typedef struct protected_judge {
    const kernel_case *c;
    const gn_target *t;
    int lanes;
} protected_judge;

static void judge_body(void *arg)
{
    const protected_judge *p = arg;
    judge(p->c, p->t, p->lanes);
}

static void both_forms_mean_what_the_kernel_means(void **state)
{
    (void)state;
    const char *only = getenv("GNOMON_TEST_CASE");
    for (int i = 0; i < NCASES; i++) {
        const kernel_case *c = &kernel_cases[i];
        if (only && strcmp(only, c->name) != 0) continue;
        const bool by_lane = strchr(c->text, '@');
        for (int lanes = 4; lanes <= 16; lanes *= 4) {
            if (!by_lane && lanes != 4) continue;
            protected_judge p = { c, c->cuda ? &gn_target_cuda : &gn_target_avx512, lanes };
            if (gn_protect(judge_body, &p)) fail_msg("%s: %s", c->name, gn_message());
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_mean_what_the_kernel_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
