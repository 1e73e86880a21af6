/* What grouping costs: chains of any length are cut into kernels with work that grows no faster than n log n, and what
 * inlining would compute again and again is stored. Work is counted (visit.h), never timed. */
#include "programs.h"
#include <gnomon/grad.h>
#include <gnomon/ops.h>
#include <stdio.h>
#include <string.h>
#include "visit.h"

/* ---- chains ---- */

static gn_expr *residual(program *p, gn_expr *h)
{
    (void)p;
    return gn_add(h, gn_sin(h));
}

static gn_expr *logistic(program *p, gn_expr *y)
{
    (void)p;
    return gn_mul(gn_mul(3.1, y), gn_sub(1.0, y));
}

static gn_expr *layer(program *p, gn_expr *h)
{
    return gn_add(h, gn_tanh(gn_matmul(h, p->in.at[1])));
}

static gn_expr *slope(gn_expr *x)
{
    return gn_sub(gn_sin(x), gn_mul(x, 0.5));
}

static gn_expr *euler(program *p, gn_expr *x)
{
    (void)p;
    return gn_add(x, gn_mul(0.01, slope(x)));
}

static gn_expr *runge_kutta(program *p, gn_expr *x)
{
    (void)p;
    gn_expr *a = slope(x), *b = slope(gn_add(x, gn_mul(0.005, a))), *c = slope(gn_add(x, gn_mul(0.005, b))),
            *d = slope(gn_add(x, gn_mul(0.01, c)));
    return gn_add(x, gn_mul(0.01 / 6, gn_add(gn_add(a, d), gn_mul(2, gn_add(b, c)))));
}

static gn_expr *leapfrog(program *p, gn_expr *both) /* positions and speeds, one row each */
{
    (void)p;
    gn_expr *x = gn_slice(both, "0"), *v = gn_slice(both, "1");
    gn_expr *half = gn_add(v, gn_mul(0.005, slope(x))), *next = gn_add(x, gn_mul(0.01, half));
    return gn_stack(GN_EXPRS(next, gn_add(half, gn_mul(0.005, slope(next)))), 0);
}

typedef struct chain {
    const char *name, *shape;
    gn_expr *(*step)(program *, gn_expr *);
} chain;
static const chain chains[] = {
    { "residual", "n, 16", residual }, { "logistic", "n, 16", logistic },       { "layers", "n, 16", layer },
    { "euler", "n, 16", euler },       { "runge-kutta", "n, 16", runge_kutta }, { "leapfrog", "2, n", leapfrog }
};

static program *build(const chain *c, int steps, bool gradient)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "n", 5);
    gn_expr *x = program_in(p, "x", GN_F32, c->shape), *y = x;
    program_in(p, "w", GN_F32, "16, 16");
    for (int i = 0; i < steps; i++) y = c->step(p, y);
    program_out(p, y);
    if (gradient) program_out(p, gn_grad(gn_sum_all(y), x));
    return p;
}

static void group_body(void *arg)
{
    program_group_or_throw(arg, &gn_target_avx512);
}

/* Work of grouping, verifying and printing, without the passes before. */
static uint64_t work_of(program *p)
{
    if (gn_protect(group_body, p)) fail_msg("%s", gn_message());
    gn_text t = { .arena = &p->arena };
    const gn_work before = gn_work_done;
    const gn_grouping *o = gn_group_core(&p->arena, p->core, &gn_target_avx512);
    for (size_t i = 0; i < o->groups.n; i++) {
        gn_kernel_verify(o->groups.at[i].kernel);
        gn_kernel_print(&t, o->groups.at[i].kernel);
    }
    return gn_work_done.visits - before.visits + gn_work_done.scans - before.scans + t.n;
}

static void chains_keep_their_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        program *p = build(&chains[i], 10, true);
        program_group(p, &gn_target_avx512);
        program_check(p, program_interpret);
        program_free(p);
    }
}

/* Ten times as many steps: ten times the work, and a third for the logarithm. */
static void work_grows_with_the_length_of_a_chain(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        uint64_t work[3];
        int steps = 10;
        for (int k = 0; k < 3; k++, steps *= 10) {
            program *p = build(&chains[i], steps, true);
            work[k] = work_of(p);
            program_free(p);
        }
        if (work[2] > 13 * work[1])
            fail_msg("%s: work %llu %llu %llu", chains[i].name, (unsigned long long)work[0],
                     (unsigned long long)work[1], (unsigned long long)work[2]);
    }
}

static void eight_times_the_statements_are_eight_times_the_work(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        program *small = build(&chains[i], 500, false), *large = build(&chains[i], 4000, false);
        const uint64_t a = work_of(small), b = work_of(large);
        if (b > 11 * a) fail_msg("%s: work %llu, then %llu", chains[i].name, (unsigned long long)a, (unsigned long long)b);
        program_free(small), program_free(large);
    }
}

/* ---- what is computed again ---- */

static size_t stores_of(const program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->grouping->groups.n; i++) n += p->grouping->groups.at[i].kernel->stores.n;
    return n;
}

static gn_expr *shifted_sum(gn_expr *u, int dims)
{
    gn_expr *next = NULL;
    for (int d = 0; d < dims; d++) {
        gn_expr *low = gn_slice(u, dims == 1 ? ":-2"
                                   : d == 0  ? ":-2, 1:-1"
                                             : "1:-1, :-2"),
                *high = gn_slice(u, dims == 1 ? "2:"
                                    : d == 0  ? "2:, 1:-1"
                                              : "1:-1, 2:");
        gn_expr *both = gn_add(low, high);
        next = next ? gn_add(next, both) : both;
    }
    return gn_mul(next, 0.5 / dims);
}

/* Fifty steps of a stencil: a kernel for every few. */
static void a_stencil_is_stored_every_few_steps(void **state)
{
    (void)state;
    for (int dims = 1; dims <= 2; dims++) {
        program *p = program_new(test_seed());
        p->optimize = true;
        gn_expr *u = program_in(p, "u", GN_F32, dims == 1 ? "120" : "110, 104");
        for (int i = 0; i < 50; i++) u = shifted_sum(u, dims);
        program_out(p, u);
        program_group(p, &gn_target_avx512);
        program_check(p, program_interpret);
        assert_in_range(stores_of(p), 13, 50);
        program_free(p);
    }
}

static void gathers_of_gathers_are_stored(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    p->index_most = 40;
    gn_expr *u = program_in(p, "u", GN_F32, "40"), *i = program_in(p, "i", GN_I32, "40"),
            *j = program_in(p, "j", GN_I32, "40");
    for (int k = 0; k < 30; k++) u = gn_mul(gn_add(gn_take(u, i, 0), gn_take(u, j, 0)), 0.5);
    program_out(p, u);
    program_group(p, &gn_target_cuda);
    program_check(p, program_interpret);
    assert_in_range(stores_of(p), 7, 30);
    program_free(p);
}

static void reshapes_of_transposes_are_stored(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F32, "7, 11");
    for (int k = 0; k < 30; k++) x = gn_reshape(gn_transpose(x), "7, 11");
    program_out(p, x);
    program_group(p, &gn_target_avx512);
    program_check(p, program_interpret);
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        gn_text t = { .arena = &p->arena };
        gn_kernel_print(&t, p->grouping->groups.at[i].kernel);
        assert_in_range(t.n, 1, 30000);
    }
    program_free(p);
}

/* A function of ten operations or more at nine places costs more than a store and nine loads. */
static void a_costly_value_at_several_places_is_stored(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "n", 70);
    gn_expr *x = gn_tanh(program_in(p, "x", GN_F32, "n, 100")), *y = gn_slice(x, ":, :-4");
    y = gn_add(gn_add(y, gn_slice(x, ":, 1:-3")), gn_add(gn_slice(x, ":, 2:-2"), gn_slice(x, ":, 3:-1")));
    program_out(p, y);
    program_group(p, &gn_target_avx512);
    program_check(p, program_interpret);
    assert_int_equal(p->grouping->groups.n, 2);
    program_free(p);
}

/* ---- what is computed again over all kernels ---- */

typedef struct phase {
    gn_expr *q, *p;
} phase;

static phase along(phase at, double step, phase slope)
{
    return (phase){ gn_add(at.q, gn_mul(step, slope.q)), gn_add(at.p, gn_mul(step, slope.p)) };
}

static phase kick_drift_kick(phase s)
{
    gn_expr *half = gn_sub(s.p, gn_mul(0.05, gn_sin(s.q))), *q = gn_add(s.q, gn_mul(0.1, half));
    return (phase){ q, gn_sub(half, gn_mul(0.05, gn_sin(q))) };
}

static phase swing(phase s)
{
    return (phase){ gn_mul(gn_sin(s.p), gn_sub(1.5, gn_mul(s.q, s.q))),
                    gn_sub(gn_mul(gn_sub(1.0, gn_mul(s.p, s.p)), s.p), s.q) };
}

static phase four_slopes(phase s)
{
    const phase a = swing(s), b = swing(along(s, 0.025, a)), c = swing(along(s, 0.025, b)), d = swing(along(s, 0.05, c));
    return along(along(along(along(s, 0.05 / 6, a), 0.05 / 3, b), 0.05 / 3, c), 0.05 / 6, d);
}

static phase drift(phase s)
{
    return along(s, 0.01, (phase){ s.p, gn_neg(gn_sin(s.q)) });
}

static const struct pair_chain {
    const char *name;
    phase (*step)(phase);
    size_t kernels; /* at most, of 100 steps */
} pair_chains[] = { { "leapfrog", kick_drift_kick, 20 }, { "runge-kutta", four_slopes, 120 }, { "euler", drift, 20 } };

/* The same with the state as one array of two rows, which each step slices and stacks. */
static void stacked_state(program *p, const struct pair_chain *c, int steps)
{
    gn_expr *x = program_in(p, "x", GN_F64, "2, n"), *y = x;
    for (int i = 0; i < steps; i++) {
        const phase s = c->step((phase){ gn_slice(y, "0"), gn_slice(y, "1") });
        y = gn_stack(GN_EXPRS(s.q, s.p), 0);
    }
    program_out(p, y), program_out(p, gn_grad(gn_sum_all(y), x));
}

/* The last state, and the gradient of its sum. */
static program *pair_program(const struct pair_chain *c, int steps, bool stacked)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "n", 5);
    if (stacked) {
        stacked_state(p, c, steps);
        program_group(p, &gn_target_avx512);
        return p;
    }
    gn_expr *x[2] = { program_in(p, "q", GN_F64, "n"), program_in(p, "p", GN_F64, "n") }, *gradient[2];
    phase s = { x[0], x[1] };
    for (int i = 0; i < steps; i++) s = c->step(s);
    gn_grads(gn_add(gn_sum_all(s.q), gn_sum_all(s.p)), 2, x, gradient);
    program_out(p, s.q), program_out(p, s.p), program_out(p, gradient[0]), program_out(p, gradient[1]);
    program_group(p, &gn_target_avx512);
    return p;
}

/* Operations in the text of all kernels, and in the graph. */
static size_t written_operations(const program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        const gn_kernel *k = p->grouping->groups.at[i].kernel;
        gn_arena scratch = { 0 };
        gn_visit v = { .arena = &scratch, .operand = gn_kexpr_operand };
        for (size_t d = 0; d < k->defs.n; d++) gn_visit_add(&v, k->defs.at[d].body);
        for (size_t d = 0; d < k->stores.n; d++) gn_visit_add(&v, k->stores.at[d].value);
        for (const gn_kexpr *e; (e = gn_visit_next(&v));) n += e->kind == GN_K_OP;
        gn_arena_free(&scratch);
    }
    return n;
}

static size_t operations(const program *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->core->graph->nodes.n; i++) n += (p->core->graph->nodes.at[i]->op->traits & GN_ELEMWISE) != 0;
    return n;
}

/* A chain in one kernel is written once; one that is cut reads what was stored at the cut. A gradient may compute the
 * way forth again. */
static void check_repeats(const struct pair_chain *c, bool stacked)
{
    size_t before = 0;
    for (int steps = 100; steps <= 400; steps *= 2) {
        program *p = pair_program(c, steps, stacked);
        const size_t written = written_operations(p), needed = operations(p);
        if (written > 2 * needed) fail_msg("%s, %d steps: %zu operations for %zu", c->name, steps, written, needed);
        if (before && written > 2.2 * before) fail_msg("%s: from %zu operations to %zu", c->name, before, written);
        if (p->grouping->groups.n > c->kernels * (size_t)steps / 100)
            fail_msg("%s, %d steps: %zu kernels", c->name, steps, p->grouping->groups.n);
        before = written;
        program_free(p);
    }
}

static void kernels_do_not_repeat_each_others_chains(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pair_chains / sizeof *pair_chains; i++) check_repeats(&pair_chains[i], false);
}

static void states_in_one_array_are_as_good_as_states_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pair_chains / sizeof *pair_chains; i++) check_repeats(&pair_chains[i], true);
}

/* A chain that twenty contractions read: stored once, by a kernel before them, be it an output or not. */
static void what_many_kernels_read_is_stored(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        program *p = program_new(test_seed());
        p->optimize = true;
        gn_expr *y = program_in(p, "x", GN_F32, "24, 16");
        for (int i = 0; i < 15; i++) y = euler(p, y);
        for (int i = 0; i < 20; i++) {
            char name[8];
            snprintf(name, sizeof name, "w%d", i);
            program_out(p, gn_matmul(y, program_in(p, name, GN_F32, "16, 40")));
        }
        if (named) program_out(p, y);
        program_group(p, &gn_target_avx512);
        program_check(p, program_interpret);
        assert_int_equal(p->grouping->groups.n, 21);
        assert_in_range(written_operations(p), 1, operations(p) + 20);
        program_free(p);
    }
}

static void chains_that_are_cut_keep_their_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pair_chains / sizeof *pair_chains; i++)
        for (int k = 0; k < 4; k++) {
            program *p = pair_program(&pair_chains[i], k % 2 ? 100 : 37, k / 2);
            program_check(p, program_interpret);
            program_free(p);
        }
}

/* ---- limits ---- */

static void deep_graphs_need_no_deep_stack(void **state)
{
    (void)state;
    program *p = build(&chains[0], 10000, false);
    program_group(p, &gn_target_avx512);
    assert_in_range(p->grouping->groups.n, 10, 1000);
    for (size_t i = 0; i < p->grouping->groups.n; i++)
        assert_in_range(strlen(p->grouping->groups.at[i].kernel->comment), 1, 3000);
    program_free(p);
}

/* Sums over axes of their own that share one row value: 24 of them would have 73 axes. */
static void a_group_takes_no_more_axes_than_a_schedule_has(void **state)
{
    (void)state;
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *row = program_in(p, "r", GN_F32, "64");
    for (int i = 0; i < 24; i++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", i);
        gn_expr *x = program_in(p, name, GN_F32, "64, 3, 3, 3");
        row = gn_sum(gn_mul(gn_broadcast_to(gn_reshape(row, "64, 1, 1, 1"), "64, 3, 3, 3"), x), GN_AXES(1, 2, 3));
    }
    program_out(p, row);
    program_group(p, &gn_target_avx512);
    program_check(p, program_interpret);
    for (size_t i = 0; i < p->grouping->groups.n; i++) assert_in_range(p->grouping->groups.at[i].kernel->axes.n, 1, 48);
    program_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_keep_their_values),
        cmocka_unit_test(work_grows_with_the_length_of_a_chain),
        cmocka_unit_test(eight_times_the_statements_are_eight_times_the_work),
        cmocka_unit_test(a_stencil_is_stored_every_few_steps),
        cmocka_unit_test(gathers_of_gathers_are_stored),
        cmocka_unit_test(reshapes_of_transposes_are_stored),
        cmocka_unit_test(a_costly_value_at_several_places_is_stored),
        cmocka_unit_test(kernels_do_not_repeat_each_others_chains),
        cmocka_unit_test(states_in_one_array_are_as_good_as_states_of_their_own),
        cmocka_unit_test(what_many_kernels_read_is_stored),
        cmocka_unit_test(chains_that_are_cut_keep_their_values),
        cmocka_unit_test(deep_graphs_need_no_deep_stack),
        cmocka_unit_test(a_group_takes_no_more_axes_than_a_schedule_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
