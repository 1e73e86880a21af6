/* The programs whose kernels are counted, with CUDA's default schedules: compiled by NVRTC without spills, and run on the CPU as
 * fibers against the reference evaluator. */
#include <dlfcn.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <stdlib.h>
#include "default_schedule.h"
#include "emulated.h"
#include "nvrtc.h"
#include "programs.h"
#include "unit_cc.h"

typedef struct cuda_program {
    program *p;
    GN_VEC(gn_scheduled *) kernels;
    const char *text; /* of the last kernel, for messages */
    void *library;
} cuda_program;

static cuda_program *running; /* program_check passes a function alone */

static void schedule_all(void *arg)
{
    cuda_program *c = arg;
    gn_arena *arena = &c->p->arena;
    for (size_t i = 0; i < c->p->grouping->groups.n; i++) {
        const gn_group *q = &c->p->grouping->groups.at[i];
        gn_schedule *s = gn_default_schedule(arena, q->kernel, q->hint, &gn_target_cuda);
        gn_text t = {.arena = arena};
        gn_kernel_print(&t, q->kernel);
        gn_schedule_print(&t, q->kernel, s);
        c->text = gn_text_done(&t);
        if (getenv("GNOMON_TEST_PRINT")) puts(c->text);
        gn_push(arena, &c->kernels, gn_schedule_apply(arena, q->kernel, s, &gn_target_cuda));
    }
}

static cuda_program prepare(program *p)
{
    cuda_program c = {.p = p, .text = ""};
    program_group(p, &gn_target_cuda);
    if (gn_protect(schedule_all, &c)) fail_msg("%s\n%s", gn_message(), c.text);
    return c;
}

static void run_emulated(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    (void)p, (void)scratch;
    for (size_t i = 0; i < running->kernels.n; i++)
        if (running->kernels.at[i]->kernel == q->kernel) {
            emulated_run(running->library, running->kernels.at[i], buffers, sym, i % 2);
            return;
        }
    fail_msg("a kernel was not scheduled");
}

static void check_emulated(program *p)
{
    cuda_program c = prepare(p);
    c.library = unit_load_text(unit_cxx(), ".cc", emulated_text(&p->arena, c.kernels.n, c.kernels.at));
    running = &c;
    program_check(p, run_emulated);
    dlclose(c.library);
    program_free(p);
}

static void programs_run_as_fibers_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) {
        printf("skipped: no C++ compiler for the emulation\n");
        skip();
    }
    check_emulated(program_tiny(5));
    check_emulated(program_layer_norm(3, 300));
    check_emulated(program_cross_entropy(5, 10));
    check_emulated(program_logistic(300, 7));
    check_emulated(program_mlp(5, 20, 9, 3));
}

static void indices_run_as_fibers_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    program *p = program_new(test_seed());
    program_size(p, "n", 7);
    p->index_most = 5;
    gn_expr *x = program_in(p, "x", GN_F32, "5, 3"), *t = program_in(p, "t", GN_I32, "n"), *u = program_in(p, "u", GN_F32, "n, 3");
    program_out(p, gn_tanh(gn_take(x, t, 0)));
    program_out(p, gn_scatter_add(gn_mul(x, 2.0), t, gn_mul(u, u), 0));
    program_out(p, gn_sum(gn_cast(gn_lt(u, 0.5), GN_I64), GN_AXES(0)));
    program_out(p, gn_all(gn_gt(u, -2.0), GN_AXES(1)));
    check_emulated(p);
}

static void programs_compile_by_nvrtc_without_spills(void **state)
{
    (void)state;
    gn_nvrtc *nvrtc;
    if (gn_nvrtc_open(&nvrtc, &gn_allocator_libc)) {
        printf("skipped: %s\n", gn_message());
        skip();
    }
    program *const programs[] = {program_tiny(16), program_layer_norm(0, 0), program_cross_entropy(0, 10), program_logistic(0, 0),
                                 program_mlp(0, 784, 500, 10)};
    for (size_t i = 0; i < 5; i++) {
        const cuda_program c = prepare(programs[i]);
        emulated_check_nvrtc(nvrtc, emulated_cuda(&programs[i]->arena, c.kernels.n, c.kernels.at), c.kernels.n, c.kernels.at);
        program_free(programs[i]);
    }
    gn_nvrtc_close(nvrtc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_run_as_fibers_like_the_reference),
        cmocka_unit_test(indices_run_as_fibers_like_the_reference),
        cmocka_unit_test(programs_compile_by_nvrtc_without_spills),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
