/* The programs whose kernels are counted, and random graphs, with CUDA's default schedules: compiled by NVRTC without
 * spills, and run on the CPU as fibers against the reference evaluator. $GNOMON_TEST_SEED: of the first random graph;
 * $GNOMON_TEST_GRAPHS: how many. */
#include <dlfcn.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "default_schedule.h"
#include "emulated.h"
#include "lower_default.h"
#include "nvrtc.h"
#include "programs.h"
#include "random_graph.h"
#include "unit_cc.h"
#include "words.h"

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
        gn_schedule *s = gn_default_schedule(arena, q->kernel, &gn_target_cuda);
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

static void load_emulated(cuda_program *c)
{
    c->library = unit_load_text(unit_cxx(), ".cc", emulated_text(&c->p->arena, c->kernels.n, c->kernels.at));
    running = c;
}

static void check_emulated(program *p)
{
    cuda_program c = prepare(p);
    load_emulated(&c);
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
    gn_expr *x = program_in(p, "x", GN_F32, "5, 3"), *t = program_in(p, "t", GN_I32, "n"),
            *u = program_in(p, "u", GN_F32, "n, 3");
    program_out(p, gn_tanh(gn_take(x, t, 0)));
    program_out(p, gn_scatter_add(gn_mul(x, 2.0), t, gn_mul(u, u), 0));
    /* n times */
    program_out(
        p, gn_scatter_add(x, gn_broadcast_to(gn_slice(t, "0:1"), "n"), gn_broadcast_to(gn_slice(u, "0:1"), "n, 3"), 0));
    program_out(p, gn_mod(gn_mul(u, 1e6), 0.7));
    program_out(p, gn_sum(gn_cast(gn_lt(u, 0.5), GN_I64), GN_AXES(0)));
    program_out(p, gn_all(gn_gt(u, -2.0), GN_AXES(1)));
    check_emulated(p);
}

/* Found by random graphs. */

static void a_total_beside_a_transpose_runs_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    program *p = program_new(test_seed());
    program_size(p, "m", 40);
    program_size(p, "n", 7);
    gn_expr *const x = program_in(p, "x", GN_F32, "m, 5, n");
    program_out(p, gn_sum_all(x));
    program_out(p, gn_permute(gn_mul(x, x), GN_AXES(2, 0, 1)));
    check_emulated(p);
}

static void column_sums_beside_a_map_of_rank_3_run_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    program *p = program_new(test_seed());
    program_size(p, "n", 40);
    gn_expr *const x = program_in(p, "x", GN_F32, "n, 3, 17"), *const s = gn_sum(x, GN_AXES(0));
    program_out(p, gn_mul(s, gn_tanh(s)));
    program_out(p, gn_minimum(x, gn_log1p(gn_abs(x))));
    check_emulated(p);
}

static void no_elements_in_blocks_are_no_division_by_zero(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    program *p = program_new(test_seed());
    program_size(p, "n", 4);
    program_out(p, gn_exp(program_in(p, "x", GN_F32, "n, 0, 3")));
    check_emulated(p);
}

static void a_contraction_whose_factors_lack_its_axis_runs_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    program *p = program_new(test_seed());
    program_size(p, "n", 50);
    program_size(p, "m", 3);
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F32, "n"), *y = program_in(p, "y", GN_F32, "n, m");
    gn_expr *a = gn_broadcast_to(gn_expand(gn_exp(x), GN_AXES(1)), "n, m");
    gn_expr *b = gn_broadcast_to(gn_expand(gn_tanh(x), GN_AXES(1)), "n, m");
    program_out(p, gn_matmul(a, gn_transpose(b)));
    program_out(p, gn_neg(y)); /* binds m */
    check_emulated(p);
}

static void a_contraction_beside_a_loop_of_its_factor_runs_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "b", 3);
    program_size(p, "n", 50);
    gn_expr *const x = program_in(p, "x", GN_F32, "b, n, n"), *const w = program_in(p, "w", GN_F32, "b, n, n");
    program_out(p, gn_matmul(gn_dropout(x, 0.3, "mask", 1), w)); /* random bits run along rows of their own */
    check_emulated(p);
}

/* ---- names ---- */

/* Forty words from `at` on as names of inputs, and as many as dims: a map of all, maps of rank 4, and a contraction,
 * whose copies are counted. */
static program *program_of_words(size_t at)
{
    enum { N = 40 };
    program *p = program_new(test_seed());
    const char *const *word = every_word + (at + N < NWORDS ? at : NWORDS - N), *const *dim = every_word + NWORDS - N -
                                                                                              (word - every_word);
    char shape[400];
    gn_expr *y = NULL;
    p->optimize = true;
    for (size_t i = 0; i < N; i++) program_size(p, dim[i], 1 + (int64_t)i % 3);
    for (size_t i = 0; i < N - 12; i++) {
        gn_expr *const x = program_in(p, word[i], GN_F32, dim[0]);
        y = y ? gn_add(gn_mul(y, 0.5), x) : x;
    }
    program_out(p, gn_tanh(y));
    for (size_t i = 0; i < 9; i++) {
        const char *const *d = dim + 4 * i;
        snprintf(shape, sizeof shape, "%s, %s, %s, %s", d[0], d[1], d[2], d[3]);
        program_out(p, gn_exp(gn_permute(program_in(p, word[N - 12 + i], GN_F32, shape), GN_AXES(0, 1, 3, 2))));
    }
    snprintf(shape, sizeof shape, "%s, %s", dim[N - 4], dim[N - 3]);
    gn_expr *const a = program_in(p, word[N - 3], GN_F32, shape);
    snprintf(shape, sizeof shape, "%s, %s", dim[N - 3], dim[N - 2]);
    gn_expr *const b = program_in(p, word[N - 2], GN_F32, shape);
    program_out(p, gn_add(gn_matmul(a, b), program_in(p, word[N - 1], GN_F32, dim[N - 2])));
    return p;
}

static void every_word_is_a_name_in_cuda(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    for (size_t at = 0; at < NWORDS; at += 40) check_emulated(program_of_words(at));
}

/* ---- random graphs ---- */

static uint64_t seed_at_work; /* of the graph that runs; 0: none */
static int nkernels, nplain;  /* plain: without a closed form, one thread for all */

static void execute_random(void *arg)
{
    cuda_program *c = arg;
    program_group_or_throw(c->p, &gn_target_cuda);
    for (size_t i = 0; i < c->p->grouping->groups.n; i++) {
        const gn_group *q = &c->p->grouping->groups.at[i];
        gn_schedule *s;
        gn_push(&c->p->arena, &c->kernels, gn_default_apply(&c->p->arena, q->kernel, &gn_target_cuda, &s));
        nkernels++;
        if (strcmp(s->name, "plain")) continue;
        nplain++;
        print_message("seed %llu: no closed form fits: %s\n", (unsigned long long)seed_at_work, gn_message());
        gn_text t = {.arena = &c->p->arena};
        gn_kernel_print(&t, q->kernel);
        print_message("%s\n", gn_text_done(&t));
    }
    load_emulated(c);
    program_execute(c->p, run_emulated);
}

/* random_run; user: whose named dims they are. */
static void run_random(void *user, gn_graph *g, gn_exprs in, const gn_array *values, gn_exprs out, gn_array *results)
{
    const random_graph *r = user;
    cuda_program c = {.p = program_of(g, in, values, out), .text = ""};
    program_size(c.p, "n", r->n);
    program_size(c.p, "m", r->m);
    const gn_status s = gn_protect(execute_random, &c);
    for (size_t i = 0; !s && i < c.p->grouping->values.n; i++) {
        const gn_gvalue *v = &c.p->grouping->values.at[i];
        if (v->kind != GN_VALUE_OUTPUT) continue;
        gn_array *const a = &results[v->index];
        memcpy(a->data, c.p->memory[i], (size_t)gn_array_count(a) * gn_dtype_size(a->dtype));
    }
    if (c.library) dlclose(c.library);
    program_free(c.p);
    gn_check(s);
}

static int tell_seed(void **state)
{
    (void)state;
    if (seed_at_work) print_message("failed at seed %llu\n", (unsigned long long)seed_at_work);
    return 0;
}

static void random_graphs_run_as_fibers_like_the_reference(void **state)
{
    (void)state;
    if (!unit_cxx()) skip();
    const char *wanted = getenv("GNOMON_TEST_GRAPHS");
    const uint64_t first = test_seed(), n = wanted ? strtoull(wanted, NULL, 10) : 30;
    int64_t jumps = 0, elements = 0;
    int failed = 0;
    for (uint64_t seed = first; seed < first + n && failed < 3; seed++) {
        random_graph r;
        char what[512] = "";
        seed_at_work = seed;
        random_graph_make(&r, seed);
        const int kind = random_graph_check(&r, run_random, &r, &jumps, &elements, what);
        if (kind) random_graph_report(&r, run_random, &r, "random-cuda", seed, kind, what), failed++;
        random_graph_free(&r);
    }
    seed_at_work = 0;
    print_message("%llu graphs, %d kernels, %d of them without a closed form, %lld elements, %lld of them jumps\n",
                  (unsigned long long)n, nkernels, nplain, (long long)elements, (long long)jumps);
    assert_int_equal(failed, 0);
    assert_true(jumps * 20 <= elements);
    assert_true(nplain * 100 <= nkernels);
}

static void programs_compile_by_nvrtc_without_spills(void **state)
{
    (void)state;
    gn_nvrtc *nvrtc;
    if (gn_nvrtc_open(&nvrtc, &gn_allocator_libc)) {
        printf("skipped: %s\n", gn_message());
        skip();
    }
    program *const programs[] = { program_tiny(16),       program_layer_norm(0, 0),     program_cross_entropy(0, 10),
                                  program_logistic(0, 0), program_mlp(0, 784, 500, 10), program_of_words(0),
                                  program_of_words(80),   program_of_words(160),        program_of_words(240),
                                  program_of_words(320),  program_of_words(360) };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        const cuda_program c = prepare(programs[i]);
        emulated_check_nvrtc(nvrtc, emulated_cuda(&programs[i]->arena, c.kernels.n, c.kernels.at), c.kernels.n,
                             c.kernels.at);
        program_free(programs[i]);
    }
    gn_nvrtc_close(nvrtc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_run_as_fibers_like_the_reference),
        cmocka_unit_test(indices_run_as_fibers_like_the_reference),
        cmocka_unit_test(a_total_beside_a_transpose_runs_like_the_reference),
        cmocka_unit_test(column_sums_beside_a_map_of_rank_3_run_like_the_reference),
        cmocka_unit_test(no_elements_in_blocks_are_no_division_by_zero),
        cmocka_unit_test(a_contraction_whose_factors_lack_its_axis_runs_like_the_reference),
        cmocka_unit_test(a_contraction_beside_a_loop_of_its_factor_runs_like_the_reference),
        cmocka_unit_test(every_word_is_a_name_in_cuda),
        cmocka_unit_test_teardown(random_graphs_run_as_fibers_like_the_reference, tell_seed),
        cmocka_unit_test(programs_compile_by_nvrtc_without_spills),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
