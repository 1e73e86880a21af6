/* Functions of pairs: grouping stores none of them, default schedules keep their sums in registers, and both mean what
 * the graph means. */
#include "code_interpret.h"
#include "lower_default.h"
#include "programs.h"
#include "pairs.h"
#include "default_schedule.h"
#include "lower.h"
#include "tree.h"
#include "visit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_generic, &gn_target_cuda };

static program *make(const struct pair_case *c, gn_dtype dtype, int coordinates, int64_t n, int64_t m)
{
    program *p = program_new(test_seed());
    gn_expr *out[MOST_PAIR_OUTS];
    char rows[16], columns[16];
    snprintf(rows, sizeof rows, "n, %d", coordinates), snprintf(columns, sizeof columns, "m, %d", coordinates);
    p->optimize = true;
    program_size(p, "n", n), program_size(p, "m", m);
    const pair_inputs in = { program_in(p, "x", dtype, rows), program_in(p, "y", dtype, columns),
                             program_in(p, "w", dtype, "n"), program_in(p, "v", dtype, "m") };
    const size_t nout = c->make(in, out);
    for (size_t i = 0; i < nout; i++) program_out(p, out[i]);
    return p;
}

static int named_dims(const gn_gvalue *v)
{
    int n = 0;
    for (uint32_t d = 0; d < v->expr->type->n; d++) n += !gn_dim_is_const(v->shape[d], NULL);
    return n;
}

static void nothing_is_stored_for_each_pair(void **state)
{
    (void)state;
    for (size_t i = 0; i < PAIR_CASES * sizeof targets / sizeof *targets; i++) {
        const struct pair_case *c = &pair_cases[i % PAIR_CASES];
        for (int coordinates = 2; coordinates <= 8; coordinates += 3) {
            program *p = make(c, i % 2 ? GN_F64 : GN_F32, coordinates, 40, 30);
            program_group(p, targets[i / PAIR_CASES]);
            for (size_t v = 0; v < p->grouping->values.n; v++)
                if (named_dims(&p->grouping->values.at[v]) > 1)
                    fail_msg("%s stores %s\n%s", c->name, p->grouping->values.at[v].name, program_text(p));
            if (p->grouping->groups.n != c->kernels)
                fail_msg("%s: %zu kernels\n%s", c->name, p->grouping->groups.n, program_text(p));
            program_free(p);
        }
    }
}

static void kernels_mean_what_the_graph_means(void **state)
{
    static const int64_t sizes[][2] = { { 1, 1 }, { 3, 1 }, { 1, 3 }, { 17, 9 }, { 5, 33 } };
    (void)state;
    for (size_t i = 0; i < PAIR_CASES; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            program *p = make(&pair_cases[i], s % 2 ? GN_F64 : GN_F32,
                              s == 0   ? 1
                              : s == 1 ? 2
                              : s == 2 ? 5
                              : s == 3 ? 3
                                       : 16,
                              sizes[s][0], sizes[s][1]);
            program_group(p, &gn_target_avx512);
            program_check(p, program_interpret);
            program_free(p);
        }
}

/* ---- schedules ---- */

static GN_VEC(gn_scheduled *) scheduled;
/* of random programs: kernels, those that no closed form fits, and values for each pair */
static int nkernels, nplain, nstored;

static void schedule_body(void *arg)
{
    void **a = arg;
    program *p = a[0];
    scheduled.n = 0, scheduled.at = NULL, scheduled.capacity = 0;
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        gn_schedule *s;
        gn_group *q = &p->grouping->groups.at[i];
        gn_scheduled *x = gn_default_apply(&p->arena, q->kernel, a[1], &s);
        if (strcmp(s->name, "default") != 0 && !a[2])
            fail_msg("no closed form fits: %s\n%s", gn_message(), program_text(p));
        gn_push(&p->arena, &scheduled, x);
        nkernels++, nplain += strcmp(s->name, "default") != 0;
    }
}

/* `any`: a kernel that no closed form fits may have the plain schedule. */
static void schedule(program *p, const gn_target *t, bool any)
{
    program_group(p, t);
    if (getenv("GNOMON_TEST_PRINT")) puts(program_text(p));
    if (gn_protect(schedule_body, (void *[]){ p, (void *)(uintptr_t)t, any ? p : NULL }))
        fail_msg("%s\n%s", gn_message(), program_text(p));
}

static void run_tree(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    gn_code_interpret(scheduled.at[q - p->grouping->groups.at]->code, buffers, sym, 1, scratch);
}

static void schedules_mean_what_the_graph_means(void **state)
{
    static const int64_t sizes[][2] = { { 1, 2 }, { 33, 3 }, { 17, 100 }, { 70, 5 } };
    (void)state;
    for (size_t i = 0; i < PAIR_CASES; i++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            program *p = make(&pair_cases[i], (s + i) % 2 ? GN_F64 : GN_F32,
                              s == 0   ? 8
                              : s == 1 ? 3
                              : s == 2 ? 2
                                       : 5,
                              sizes[s][0], sizes[s][1]);
            schedule(p, targets[(s + i) % 4], false);
            program_check(p, run_tree);
            program_free(p);
        }
}

/* Points of several systems, and coordinates that come first: forces, and a sum for each system. */
static program *systems(const char *shape, int first)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "b", 3), program_size(p, "n", 35);
    gn_expr *x = program_in(p, "x", GN_F32, shape);
    const int axis = first ? 0 : x->type->n, left = x->type->n - 2 + first;
    gn_expr *d = gn_sub(gn_expand(x, GN_AXES(left)), gn_expand(x, GN_AXES(left + 1)));
    gn_expr *r = gn_rsqrt(gn_add(gn_sum(gn_square(d), GN_AXES(axis)), 1e-2));
    program_out(p, gn_sum(gn_mul(d, gn_expand(r, GN_AXES(axis))), GN_AXES(left + 1)));
    program_out(p, gn_sum(r, GN_AXES(-1, -2)));
    return p;
}

static void systems_and_layouts(void **state)
{
    static const struct {
        const char *shape;
        int first;
    } cases[] = { { "n, 3", 0 },       { "b, n, 3", 0 }, { "4, n, 3", 0 }, { "20, n, 2", 0 },
                  { "b, 2, n, 3", 0 }, { "3, n", 1 },    { "40, 3", 0 } };
    (void)state;
    for (size_t i = 0; i < 4 * sizeof cases / sizeof *cases; i++) {
        program *p = systems(cases[i / 4].shape, cases[i / 4].first);
        schedule(p, targets[i % 4], false);
        if (p->grouping->groups.n != 1)
            fail_msg("%s: %zu kernels\n%s", cases[i / 4].shape, p->grouping->groups.n, program_text(p));
        program_check(p, run_tree);
        program_free(p);
    }
}

/* What parts leave to one another, and what each worker needs, grows with the number of points. */
static void schedules_keep_no_pairs(void **state)
{
    enum { N = 1 << 14 };
    (void)state;
    for (size_t i = 0; i < PAIR_CASES * 4; i++) {
        program *p = make(&pair_cases[i % PAIR_CASES], GN_F32, 3, N, N);
        schedule(p, targets[i / PAIR_CASES], false);
        for (size_t k = 0; k < scheduled.n; k++) {
            const gn_code *code = scheduled.at[k]->code;
            for (size_t b = scheduled.at[k]->kernel->bufs.n; b < code->nargs; b++) {
                const int64_t bytes = program_extent(p, gn_code_bytes(code, code->places.at[b]));
                if (bytes > 4 * N)
                    fail_msg("%s: a buffer of %lld bytes\n%s", pair_cases[i % PAIR_CASES].name, (long long)bytes,
                             program_text(p));
            }
        }
        program_free(p);
    }
}

/* ---- random ones ---- */

static int below(uint64_t *rng, int n)
{
    *rng = *rng * 6364136223846793005u + 1442695040888963407u;
    return (int)((*rng >> 33) % (uint64_t)n);
}

/* A number for each pair, of coordinates along axis 2. */
static gn_expr *random_measure(gn_expr *x, gn_expr *y, uint64_t *rng)
{
    gn_expr *a = gn_expand(x, GN_AXES(1)), *b = gn_expand(y, GN_AXES(0)), *d = gn_sub(a, b);
    switch (below(rng, 6)) {
    case 0: return gn_sum(gn_abs(d), GN_AXES(2));
    case 1: return gn_max(gn_abs(d), GN_AXES(2));
    case 2: return gn_prod(gn_add(gn_mul(a, b), 1.5), GN_AXES(2));
    case 3: return gn_matmul(x, gn_transpose(y));
    case 4: return gn_sqrt(gn_add(gn_sum(gn_square(d), GN_AXES(2)), 0.1));
    default: return gn_sum(gn_square(d), GN_AXES(2));
    }
}

static gn_expr *random_function(gn_expr *s, uint64_t *rng)
{
    switch (below(rng, 5)) {
    case 0: return gn_exp(gn_neg(gn_abs(s)));
    case 1: return gn_tanh(s);
    case 2: return gn_mul(s, gn_add(s, 0.5));
    case 3: return gn_select(gn_lt(s, 0.8), s, 0.25);
    default: return s;
    }
}

static gn_expr *random_sum(gn_expr *f, pair_inputs in, uint64_t *rng)
{
    switch (below(rng, 8)) {
    case 0: return gn_sum(f, GN_AXES(0));
    case 1: return gn_sum(f, GN_AXES(1));
    case 2: return gn_sum_all(f);
    case 3: return gn_matmul(f, in.v);
    case 4: return gn_matmul(gn_transpose(f), in.x);
    case 5: return gn_max(f, GN_AXES(1));
    case 6: return gn_matmul(gn_softmax(f, 1), in.y);
    default: return gn_matmul(in.w, f);
    }
}

/* Sums of functions of one or two measures, some of sums before, and the gradient of all. */
static program *random_pairs(uint64_t seed)
{
    static const char *const points[] = { "n, 2", "n, 3", "n, 7", "n, 16" }, *const others[] = { "m, 2", "m, 3", "m, 7",
                                                                                                 "m, 16" };
    program *p = program_new(seed);
    uint64_t rng = seed;
    for (int i = 0; i < 9; i++) below(&rng, 2);
    const int c = below(&rng, 4);
    const gn_dtype dtype = below(&rng, 3) ? GN_F32 : GN_F64;
    p->optimize = true;
    program_size(p, "n", 1 + below(&rng, 40)), program_size(p, "m", 1 + below(&rng, 40));
    const pair_inputs in = { program_in(p, "x", dtype, points[c]), program_in(p, "y", dtype, others[c]),
                             program_in(p, "w", dtype, "n"), program_in(p, "v", dtype, "m") };
    gn_expr *s = random_measure(in.x, in.y, &rng), *all = NULL;
    for (int i = 1 + below(&rng, 3); i > 0; i--) {
        if (below(&rng, 3) == 0) s = gn_mul(s, random_measure(in.x, in.y, &rng));
        gn_expr *sum = random_sum(random_function(s, &rng), in, &rng), *square = gn_mean_all(gn_square(sum));
        program_out(p, sum);
        all = all ? gn_add(all, square) : square;
        if (sum->type->n == 1 && below(&rng, 2))
            s = gn_mul(s, gn_expand(gn_tanh(sum), GN_AXES(sum->type->dim[0] == in.w->type->dim[0] ? 1 : 0)));
    }
    if (below(&rng, 2)) program_out(p, gn_grad(all, in.x));
    return p;
}

static void random_pairs_keep_their_values(void **state)
{
    const char *wanted = getenv("GNOMON_TEST_GRAPHS");
    (void)state;
    nkernels = nplain = nstored = 0;
    for (uint64_t i = 0; i < (wanted ? (uint64_t)atoi(wanted) : 60); i++) {
        program *p = random_pairs(test_seed() + i);
        schedule(p, targets[i % 4], true);
        program_check(p, i % 5 ? run_tree : program_interpret);
        for (size_t v = 0; v < p->grouping->values.n; v++) nstored += named_dims(&p->grouping->values.at[v]) > 1;
        program_free(p);
    }
    print_message("%d kernels, %d of them without a closed form; %d values stored for each pair\n", nkernels, nplain,
                  nstored);
}

/* ---- what is no such reduction ---- */

static size_t stored_pairs(program *p)
{
    size_t n = 0;
    program_group(p, &gn_target_avx512);
    for (size_t v = 0; v < p->grouping->values.n; v++)
        n += p->grouping->values.at[v].kind == GN_VALUE_TEMP && named_dims(&p->grouping->values.at[v]) > 1;
    return n;
}

static program *with_points(gn_expr **x, gn_expr **y, int coordinates)
{
    program *p = program_new(test_seed());
    char shape[16];
    p->optimize = true;
    program_size(p, "n", 19), program_size(p, "m", 11);
    snprintf(shape, sizeof shape, "n, %d", coordinates), *x = program_in(p, "x", GN_F32, shape);
    shape[0] = 'm', *y = program_in(p, "y", GN_F32, shape);
    return p;
}

static void long_reductions_are_stored(void **state)
{
    gn_expr *x, *y, *d;
    (void)state;
    for (int coordinates = 16; coordinates <= 17; coordinates++) {
        program *p = with_points(&x, &y, coordinates);
        program_out(p, gn_sum(gn_exp(gn_neg(pair_square(x, y, &d))), GN_AXES(1)));
        assert_int_equal(stored_pairs(p), coordinates > 16);
        program_check(p, program_interpret);
        program_free(p);
    }
}

/* Sixteen functions for each pair: computed in two kernels, not in more. */
static void work_is_repeated_at_most_twice(void **state)
{
    (void)state;
    for (int kernels = 1; kernels <= 4; kernels++) {
        gn_expr *x, *y;
        program *p = with_points(&x, &y, 12);
        gn_expr *s = gn_sum(gn_tanh(gn_mul(gn_expand(x, GN_AXES(1)), gn_expand(y, GN_AXES(0)))), GN_AXES(2)), *next = s;
        for (int i = 0; i < kernels; i++) { /* each needs the sums of the one before, over the other points */
            gn_expr *sum = gn_sum(next, GN_AXES(i % 2));
            program_out(p, sum);
            next = gn_tanh(gn_mul(s, gn_expand(sum, GN_AXES(i % 2))));
        }
        assert_int_equal(stored_pairs(p), kernels > 2);
        program_check(p, program_interpret);
        program_free(p);
    }
}

static void a_distance_that_is_a_result_is_stored_once(void **state)
{
    gn_expr *x, *y, *d;
    (void)state;
    program *p = with_points(&x, &y, 3);
    gn_expr *s = pair_square(x, y, &d);
    program_out(p, s);
    program_out(p, gn_sum(gn_sqrt(s), GN_AXES(1)));
    assert_int_equal(stored_pairs(p), 0);
    program_check(p, program_interpret);
    program_free(p);
}

/* Each kind of reduction, point by point. */
static void every_reduction_is_written_out(void **state)
{
    gn_expr *x, *y;
    (void)state;
    for (int i = 0; i < 6; i++) {
        program *p = with_points(&x, &y, 4);
        gn_expr *d = gn_sub(gn_expand(x, GN_AXES(1)), gn_expand(y, GN_AXES(0))), *less = gn_lt(d, 0.1);
        gn_expr *s = i == 0   ? gn_sum(gn_abs(d), GN_AXES(2))
                     : i == 1 ? gn_prod(d, GN_AXES(2))
                     : i == 2 ? gn_max(d, GN_AXES(2))
                     : i == 3 ? gn_min(d, GN_AXES(2))
                     : i == 4 ? gn_any(less, GN_AXES(2))
                              : gn_all(less, GN_AXES(2));
        program_out(p, gn_sum(i < 4 ? gn_square(s) : gn_cast(s, GN_F32), GN_AXES(1)));
        assert_int_equal(stored_pairs(p), 0);
        assert_int_equal(p->grouping->groups.n, 1);
        program_check(p, program_interpret);
        program_free(p);
    }
}

/* ---- what it costs ---- */

static uint64_t work_of(int steps)
{
    gn_expr *x, *y, *d;
    program *p = with_points(&x, &y, 3);
    for (int i = 0; i < steps; i++) { /* all points attract all */
        gn_expr *r = pair_near(x, x, &d);
        x = gn_add(x, gn_mul(gn_sum(gn_mul(d, gn_expand(r, GN_AXES(2))), GN_AXES(1)), 0.01));
    }
    program_out(p, gn_grad(gn_sum_all(x), p->in.at[0]));
    assert_int_equal(stored_pairs(p), 0);
    const gn_work before = gn_work_done;
    gn_group_core(&p->arena, p->core, &gn_target_avx512);
    const uint64_t work = gn_work_done.visits - before.visits + gn_work_done.scans - before.scans;
    program_free(p);
    return work;
}

static void ten_times_the_steps_are_ten_times_the_work(void **state)
{
    (void)state;
    const uint64_t few = work_of(4), many = work_of(40);
    if (many > 12 * few) fail_msg("%llu, then %llu", (unsigned long long)few, (unsigned long long)many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_stored_for_each_pair),
        cmocka_unit_test(kernels_mean_what_the_graph_means),
        cmocka_unit_test(schedules_mean_what_the_graph_means),
        cmocka_unit_test(systems_and_layouts),
        cmocka_unit_test(schedules_keep_no_pairs),
        cmocka_unit_test(random_pairs_keep_their_values),
        cmocka_unit_test(long_reductions_are_stored),
        cmocka_unit_test(work_is_repeated_at_most_twice),
        cmocka_unit_test(a_distance_that_is_a_result_is_stored_once),
        cmocka_unit_test(every_reduction_is_written_out),
        cmocka_unit_test(ten_times_the_steps_are_ten_times_the_work),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
