/* Programs that are trees: loops, branches, calls, variants, prepared steps, from text. Each runs compiled and
 * interpreted, and is compared with what the same words say in C here. */
#include <math.h>
#include "failing_alloc.h"
#include "tree_run.h"

static void check(int inputs, int outputs, const char *items, gn_arrays in, gn_arrays want, const char *exported)
{
    tree_check(tree_text(&arena, inputs, outputs, items), in, want, exported);
}

/* One vector of four from another. */
static void check_vector(const char *items, double *x, double *want, const char *exported)
{
    check(1, 1, items, GN_ARRAYS(vec(x)), GN_ARRAYS(vec(want)), exported);
}

/* ---- what is carried ---- */

/* a, b = b, a + b */
#define FIBONACCI(turns) \
    V4("input", 0, "a0", 0, 0, -1) V4("input", 1, "b0", 0, 0, -1) V4("output", 0, "ya", 2, 2, -1) \
    V4("output", 1, "yb", 3, 3, -1) \
    V4("temp", 0, "a", 0, 3, -1) V4("temp", 0, "b", 0, 3, -1) V4("temp", 0, "t", 0, 3, -1) " (sym i -2 -1 0)\n" \
    " (loop i " turns " ((4 0 5) (5 1 6)) () (step 0 0 add 1 (6 4 5) () ()))\n" COPY(2, 4) COPY(3, 5)

static void fibonacci(int turns, const double *a0, const double *b0, double *a, double *b)
{
    memcpy(a, a0, 32), memcpy(b, b0, 32);
    for (int n = 0; n < turns; n++)
        for (int i = 0; i < 4; i++) {
            const double t = a[i] + b[i];
            a[i] = b[i], b[i] = t;
        }
}

static void carried_values_are_swapped(void **state)
{
    (void)state;
    static const int turns[] = { 0, 1, 2, 3, 50 };
    double a0[4] = { 0, 1, 2, 0.5 }, b0[4] = { 1, 1, 3, 0.25 }, a[4], b[4];
    for (size_t n = 0; n < sizeof turns / sizeof *turns; n++) {
        fibonacci(turns[n], a0, b0, a, b);
        check(2, 2, gn_arena_printf(&arena, FIBONACCI("%d"), turns[n]), GN_ARRAYS(vec(a0), vec(b0)),
              GN_ARRAYS(vec(a), vec(b)), "fibonacci");
    }
}

/* The first value lies where a step has made the initial one. Its next one lies in the same memory, or elsewhere: then
 * an odd number of turns leaves it there, and the next call makes it where it was. */
static void a_carried_value_may_begin_in_the_memory_of_its_initial_one(void **state)
{
    (void)state;
    static const char *const where[] = { V4("temp", 0, "next", 1, 3, 3), V4("temp", 0, "next", 1, 3, -1) };
    double x[4] = { 1, 2, 3, 4 }, y[4];
    for (int i = 0; i < 4; i++) y[i] = 2 * x[i] + 21;
    for (int k = 0; k < 2; k++)
        check_vector(gn_arena_printf(&arena, "%s%s%s",
                                     V4("input", 0, "x", 0, 0, -1) V4("output", 0, "y", 3, 3, -1)
                                         V4("temp", 0, "first", 0, 1, -1) V4("temp", 0, "now", 1, 3, 2),
                                     where[k], " (sym i -2 -1 0)\n (step 1 0 twice 1 (2 0) () ())"
                                     " (loop i 7 ((3 2 4)) () (step 2 0 plus_turn 1 (4 3) (0) ()))\n" COPY(1, 3)),
                     x, y, k ? "begins" : "in_place");
}

/* now = 2 (now + 2 x): what is made before the loop is read first in each turn, and what the turn makes needs
 * memory. */
#define OUTSIDE \
    V4("input", 0, "x", 0, 1, -1) V4("output", 0, "y", 4, 4, -1) V4("temp", 0, "kept", 0, 3, -1) \
    V4("temp", 0, "now", 1, 4, -1) \
    V4("temp", 0, "next", 1, 4, -1) V4("temp", 0, "sum", 2, 3, -1) " (sym i -2 -1 0)\n" \
    " (step 1 0 twice 1 (2 0) () ()) (loop i 5 ((3 0 4)) () (step 0 0 add 1 (5 3 2) () ())" \
    " (step 1 0 twice 1 (4 5) () ()))\n" COPY(1, 3)

static void what_is_made_before_a_loop_is_there_in_each_turn(void **state)
{
    (void)state;
    double x[4] = { 1, 2, 3, 4 }, y[4];
    for (int i = 0; i < 4; i++) {
        y[i] = x[i];
        for (int k = 0; k < 5; k++) y[i] = 2 * (y[i] + 2 * x[i]);
    }
    check_vector(OUTSIDE, x, y, NULL);
}

/* Doubles until 100 is reached: the condition is looked at after each turn, so that at least one is made. */
static void a_condition_ends_a_loop(void **state)
{
    (void)state;
    for (double start = 1; start < 400; start *= 3) {
        double x[4] = { start, 1, 2, 3 }, y[4], times = 1;
        do times *= 2;
        while (start * times < 100);
        for (int i = 0; i < 4; i++) y[i] = x[i] * times;
        check_vector(V4("input", 0, "x", 0, 0, -1) V4("output", 0, "y", 3, 3, -1)
                     V4("temp", 0, "now", 0, 3, -1) V4("temp", 0, "next", 0, 3, -1)
                     FLAG("goes", 0, 2) " (sym i -2 -1 0)\n"
                     " (loop i 1000 ((2 0 3)) (4) (step 1 0 twice 1 (3 2) () ()) (step 3 0 below 1 (4 3) () ()))\n" COPY(1, 2),
                     x, y, start > 1 ? NULL : "doubling");
    }
}

/* An i64 counts down: 4, 3, 2, 1, 0 are five turns. */
static void a_condition_may_be_a_number(void **state)
{
    (void)state;
    double x[4] = { 1, 2, 3, 4 }, y[4];
    for (int i = 0; i < 4; i++) y[i] = x[i] + 5;
    check_vector(V4("input", 0, "x", 0, 0, -1) V4("output", 0, "y", 3, 3, -1)
                 V4("temp", 0, "now", 0, 3, -1) V4("temp", 0, "next", 0, 3, -1)
                 " (value temp 0 \"left\" i64 (1) 8 0 2 -1) (sym i -2 -1 0)\n"
                 " (loop i 1000 ((2 0 3)) (4) (step 6 0 plus_one 1 (3 2) () ()) (step 8 0 left 1 (4) (0) ()))\n" COPY(1, 2),
                 x, y, NULL);
}

/* ---- slices ---- */

/* y[i] = 2 * (running sum of x)[i]; backwards: the last row first. */
#define SCAN(count, x_at, y_at) \
    " (sym n 0 0 -1) (sym i -2 -1 0)\n (value input 0 \"x\" f64 (n 4) (mul 32 n) 0 2 -1)" \
    " (value output 0 \"y\" f64 (n 4) (mul 32 n) 0 2 -1)\n" \
    V4("output", 1, "last", 3, 3, -1) " (value constant 0 \"zero\" f64 (4) 32 0 0 -1" \
    " \"0000000000000000000000000000000000000000000000000000000000000000\")\n" \
    V4("temp", 0, "sum", 0, 3, -1) V4("temp", 0, "next", 0, 3, -1) \
    " (loop i " count " ((4 3 5)) () (step 0 0 add 1 (5 4 (0 " x_at ")) () ())" \
    " (step 1 0 twice 1 ((1 " y_at ") 5) () ()))\n" COPY(2, 4)

static void sequences_are_read_and_written_by_slice(void **state)
{
    (void)state;
    static const char *const back = "(sub (mul 32 n) (add 32 (mul 32 i)))";
    const char *items[] = { SCAN("n", "(mul 32 i)", "(mul 32 i)"),
                            gn_arena_printf(&arena, SCAN("n", "%s", "%s"), back, back) };
    double x[40], want[40], sum[4];
    for (int k = 0; k < 40; k++) x[k] = k % 7 - 2.5;
    for (int backwards = 0; backwards < 2; backwards++)
        for (int n = 0; n <= 10; n += n < 3 ? 1 : 7) {
            memset(sum, 0, sizeof sum);
            for (int k = 0; k < 4 * n; k++) {
                const int at = 4 * (backwards ? n - 1 - k / 4 : k / 4) + k % 4;
                want[at] = 2 * (sum[k % 4] += x[at]);
            }
            check(1, 2, items[backwards], GN_ARRAYS(rows(x, n, 4)), GN_ARRAYS(rows(want, n, 4), vec(sum)), NULL);
        }
}

/* y[i][j] = x[i] + j: a slice of a slice. */
#define NEST \
    " (sym i -2 -1 0) (sym j -2 -1 0)\n (value input 0 \"x\" f64 (3 4) 96 0 2 -1)" \
    " (value output 0 \"y\" f64 (3 2 4) 192 0 2 -1)\n" \
    " (loop i 3 () () (loop j 2 () ()" \
    " (step 2 0 plus_turn 1 ((1 (add (mul 64 i) (mul 32 j))) (0 (mul 32 i))) (1) ())))\n"

static void loops_nest(void **state)
{
    (void)state;
    double x[12], y[24];
    for (int k = 0; k < 12; k++) x[k] = k;
    for (int k = 0; k < 24; k++) y[k] = x[k / 8 * 4 + k % 4] + k / 4 % 2;
    check(1, 1, NEST, GN_ARRAYS(rows(x, 3, 4)), GN_ARRAYS(gn_array_of(y, GN_F64, 3, (int64_t[]){ 3, 2, 4 })), "nest");
}

/* In each turn an inner loop of i + .. turns on a copy of what is carried: ((x + 0 + 1 + 2) * 2 + 0 + 1 + 2) * 2 .. */
static void a_loop_within_carries_of_its_own(void **state)
{
    (void)state;
    double x[4] = { 1, 2, 3, 4 }, y[4];
    for (int i = 0; i < 4; i++) {
        y[i] = x[i];
        for (int k = 0; k < 5; k++) y[i] = (y[i] + 3) * 2;
    }
    check_vector(V4("input", 0, "x", 0, 0, -1) V4("output", 0, "y", 4, 4, -1)
                 V4("temp", 0, "outer", 0, 4, -1) V4("temp", 0, "after", 0, 4, -1)
                 V4("temp", 0, "inner", 1, 3, -1) V4("temp", 0, "next", 1, 3, -1) " (sym i -2 -1 0) (sym j -2 -1 0)\n"
                 " (loop i 5 ((2 0 3)) () (loop j 3 ((4 2 5)) () (step 2 0 plus_turn 1 (5 4) (1) ()))"
                 " (step 1 0 twice 1 (3 4) () ()))\n" COPY(1, 2),
                 x, y, "inner");
}

static void a_body_has_parallel_steps(void **state)
{
    (void)state;
    double x[64], y[64];
    for (int k = 0; k < 64; k++) x[k] = k * 0.5, y[k] = x[k] + 101;
    check(1, 1,
          " (value input 0 \"x\" f64 (64) 512 0 0 -1) (value output 0 \"y\" f64 (64) 512 2 2 -1)"
          " (value temp 0 \"now\" f64 (64) 512 0 2 -1)\n"
          " (value temp 0 \"next\" f64 (64) 512 0 2 -1) (sym i -2 -1 0)\n (loop i 101 ((2 0 3)) ()"
          " (step 4 0 many 4 (3 2) () ()))" COPY(1, 2),
          GN_ARRAYS(gn_array_1d(x, GN_F64, 64)), GN_ARRAYS(gn_array_1d(y, GN_F64, 64)), NULL);
}

/* ---- choices ---- */

#define BRANCHES \
    " (sym i -2 -1 0)\n (value input 0 \"x\" f64 (6 4) 192 0 5 -1) (value output 0 \"y\" f64 (6 4) 192 0 5 -1)\n" \
    FLAG("is_odd", 1, 2) \
    " (loop i 6 () () (step 7 0 odd 1 (2) (0) ())\n" \
    "  (branch 2 ((step 1 0 twice 1 ((1 (mul 32 i)) (0 (mul 32 i))) () ()))" \
    " ((copy ((1 (mul 32 i)) (0 (mul 32 i))) (4) (1) (1)))))\n"

static void a_branch_chooses_in_each_turn(void **state)
{
    (void)state;
    double x[24], y[24];
    for (int k = 0; k < 24; k++) x[k] = k + 1, y[k] = k / 4 % 2 ? 2 * x[k] : x[k];
    check(1, 1, BRANCHES, GN_ARRAYS(rows(x, 6, 4)), GN_ARRAYS(rows(y, 6, 4)), "branches");
}

/* One row is not doubled, an even number of rows has one added, others are copied: chosen when sizes are bound. */
#define VARIANTS \
    " (sym n 0 0 -1) (sym i -2 -1 0)\n (value input 0 \"x\" f64 (n 4) (mul 32 n) 1 7 -1)" \
    " (value output 0 \"y\" f64 (n 4) (mul 32 n) 1 7 -1)\n" \
    " (variants (((eq n 1)) (copy (1 0) () () ()))\n" \
    "  (((eq (mod n 2) 0) (lt n 9)) (loop i n () () (step 6 0 plus_one 1 ((1 (mul 32 i)) (0 (mul 32 i))) () ())))\n" \
    "  (() (loop i n () () (step 1 0 twice 1 ((1 (mul 32 i)) (0 (mul 32 i))) () ()))))\n"

static void variants_are_chosen_by_sizes(void **state)
{
    (void)state;
    double x[40], y[40];
    for (int k = 0; k < 40; k++) x[k] = k + 1;
    for (int n = 1; n <= 10; n++) {
        for (int k = 0; k < 4 * n; k++) y[k] = n == 1 ? x[k] : n % 2 == 0 && n < 9 ? x[k] + 1 : 2 * x[k];
        check(1, 1, VARIANTS, GN_ARRAYS(rows(x, n, 4)), GN_ARRAYS(rows(y, n, 4)), NULL);
    }
}

/* ---- calls and copies ---- */

#define SORTS \
    " (value input 0 \"x\" f32 (5 7) 140 0 0 -1) (value output 0 \"y\" f32 (5 7) 140 1 1 -1)" \
    " (value temp 0 \"keys\" f32 (5 7) 140 0 1 -1)\n" \
    " (copy (2 0) () () ()) (call sort_rows_f32 (1 2 -1) (5 7) (28))\n"

static int compare_floats(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

static void rows_are_sorted_by_a_call(void **state)
{
    (void)state;
    float x[35], y[35];
    uint64_t seed = test_seed();
    for (int k = 0; k < 35; k++) y[k] = x[k] = (float)test_uniform(&seed, -4, 4);
    for (int r = 0; r < 5; r++) qsort(y + 7 * r, 7, sizeof *y, compare_floats);
    check(1, 1, SORTS, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ 5, 7 })),
          GN_ARRAYS(gn_array_of(y, GN_F32, 2, (int64_t[]){ 5, 7 })), "sorts");
}

/* Transposed by a copy, summed along rows, transposed back. */
static void a_copy_has_strides(void **state)
{
    (void)state;
    double x[15], y[15];
    for (int k = 0; k < 15; k++) x[k] = k * k;
    for (int k = 0; k < 15; k++) y[k] = x[k] + (k >= 5 ? x[k - 5] : 0) + (k >= 10 ? x[k - 10] : 0);
    check(1, 1,
          " (value input 0 \"x\" f64 (3 5) 120 0 0 -1)"
          " (value output 0 \"y\" f64 (3 5) 120 2 2 -1) (value temp 0 \"t\" f64 (5 3) 120 0 1 -1)\n"
          " (value temp 0 \"s\" f64 (5 3) 120 1 2 -1)\n (copy (2 0) (5 3) (3 1) (1 5))"
          " (call cumulative_sum_f64 (3 2) (5 3) ()) (copy (1 3) (3 5) (5 1) (1 3))\n",
          GN_ARRAYS(rows(x, 3, 5)), GN_ARRAYS(rows(y, 3, 5)), "strides");
}

/* Columns of a matrix, one beside the other, are all of it. */
static void columns_are_copied_beside_each_other(void **state)
{
    (void)state;
    double x[15], y[15];
    for (int k = 0; k < 15; k++) x[k] = k;
    for (int k = 0; k < 15; k++) y[k] = x[k / 5 * 5 + (k % 5 + 2) % 5];
    check(1, 1,
          " (value input 0 \"x\" f64 (3 5) 120 0 1 -1) (value output 0 \"y\" f64 (3 5) 120 0 1 -1)\n"
          " (copy (1 (0 16)) (3 3) (5 1) (5 1)) (copy ((1 24) 0) (3 2) (5 1) (5 1))\n",
          GN_ARRAYS(rows(x, 3, 5)), GN_ARRAYS(rows(y, 3, 5)), NULL);
}

/* ---- statuses, variables ---- */

static gn_variable *new_variable(const double *v)
{
    gn_variable *w = NULL;
    const gn_array initial = gn_array_1d((void *)(uintptr_t)v, GN_F64, 4);
    must(gn_variable_new(&w, &gn_allocator_libc, "w", &initial));
    return w;
}

/* w doubles in each turn; once it is above 50 in the middle of the loop, the program ends and w is what it was. */
#define ENDS \
    " (variable \"w\" f64 (4) 1)\n" V4("output", 0, "y", 4, 4, -1) V4("variable", 0, "w", 0, 0, -1) \
    V4("update", 0, "w2", 3, 3, -1) \
    V4("temp", 0, "now", 0, 4, -1) \
    V4("temp", 0, "next", 0, 4, -1) " (value temp 0 \"bad\" i64 (1) 8 2 2 -1) (sym i -2 -1 0)\n" \
    " (loop i 3 ((3 1 4)) () (step 1 0 twice 1 (4 3) () ()) (step 5 0 check 1 (5 4) () () (status 0)))\n" \
    COPY(2, 3) COPY(0, 3)

static void a_status_ends_the_program_and_changes_nothing(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        double w[4] = { 1, 2, 3, 4 }, y[4];
        gn_variable *v = new_variable(w);
        gn_func *f = tree_compile(c, tree_text(&arena, 0, 1, ENDS), &v);
        must(gn_call(f, (gn_arrays){ 0 }, GN_ARRAYS(vec(y))));
        assert_true(y[0] == 8 && ((double *)v->value.data)[3] == 32);
        const uint64_t version = atomic_load(&v->version);
        for (int call = 0; call < 2; call++) {
            assert_int_equal(gn_call(f, (gn_arrays){ 0 }, GN_ARRAYS(vec(y))), GN_EINVAL);
            assert_message_contains("tree: step 2 (check) ended it with status 7");
            for (int i = 0; i < 4; i++) assert_true(((double *)v->value.data)[i] == 8 * w[i]);
            assert_int_equal(atomic_load(&v->version), version);
        }
        struct {
            double w[2][4];
            int now;
        } weights;
        int (*library)(double *, void *, void *);
        *(void **)&library = tree_exported(f, "ends");
        for (int i = 0; i < 4; i++) weights.w[0][i] = w[i];
        weights.now = 0;
        assert_int_equal(library(y, &weights, tree_memory), 0);
        assert_true(weights.now == 1 && y[3] == 32);
        assert_int_equal(library(y, &weights, tree_memory), 7);
        assert_true(weights.now == 1 && weights.w[1][0] == 8);
        ((double *)v->value.data)[0] = 2; /* and goes on as if nothing had been */
        must(gn_call(f, (gn_arrays){ 0 }, GN_ARRAYS(vec(y))));
        assert_true(y[0] == 16);
        gn_func_free(f);
        gn_variable_release(v);
    }
}

static void a_routine_may_end_the_program(void **state)
{
    (void)state;
        const char *items = " (value input 0 \"a\" f64 (2 2) 32 0 0 -1) (value output 0 \"l\" f64 (2 2) 32 0 0 -1)"
        " (call ldl_f64 (1 0) (2) ())\n";
        double good[4] = { 4, 2, 2, 3 }, bad[4] = { 0, 2, 2, 3 }, l[4];
    for (int c = 0; c < 2; c++) {
        gn_func *f = tree_compile(c, tree_text(&arena, 1, 1, items), NULL);
        must(gn_call(f, GN_ARRAYS(gn_array_of(good, GN_F64, 2, (int64_t[]){ 2, 2 })),
                     GN_ARRAYS(gn_array_of(l, GN_F64, 2, (int64_t[]){ 2, 2 }))));
        assert_true(l[0] == 4 && l[1] == 0 && l[2] == 0.5 && l[3] == 2);
        assert_int_equal(gn_call(f, GN_ARRAYS(gn_array_of(bad, GN_F64, 2, (int64_t[]){ 2, 2 })),
                                 GN_ARRAYS(gn_array_of(l, GN_F64, 2, (int64_t[]){ 2, 2 }))),
                         GN_EINVAL);
        assert_message_contains("tree: step 0: ldl_f64: a pivot is 0");
        int (*library)(const double *, double *, void *);
        *(void **)&library = tree_exported(f, "factor");
        assert_int_equal(library(good, l, tree_memory), 0);
        assert_int_equal(library(bad, l, tree_memory), -1);
        gn_func_free(f);
    }
}

/* The doubled variable is kept; a profile shows how often it was made. */
#define PREPARES \
    " (variable \"w\" f64 (4) 0)\n" V4("input", 0, "x", 2, 2, -1) V4("output", 0, "y", 2, 2, -1) \
    V4("variable", 0, "w", 1, 1, -1) \
    V4("temp", 0, "packed", 0, 2, -1) " (prepare (0) (step 1 0 twice 1 (3 2) () ())) (step 0 0 add 1 (1 0 3) () ())\n"

static int64_t calls_of(const gn_func *f, size_t step)
{
    gn_step_info info[8];
    assert_true(gn_func_steps(f, info, 8) > step);
    return info[step].calls;
}

static void prepared_steps_run_when_a_variable_has_changed(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        double w[4] = { 1, 2, 3, 4 }, x[4] = { 10, 20, 30, 40 }, y[4];
        gn_variable *v = new_variable(w);
        gn_func *f = tree_compile(c, tree_text(&arena, 1, 1, PREPARES), &v);
        gn_func_profile(f, 1);
        for (int round = 0; round < 3; round++) {
            for (int call = 0; call < 4; call++) {
                must(gn_call(f, GN_ARRAYS(vec(x)), GN_ARRAYS(vec(y))));
                for (int i = 0; i < 4; i++) assert_true(y[i] == x[i] + 2 * ((double *)v->value.data)[i]);
            }
            assert_int_equal(calls_of(f, 1), round + 1);
            int (*library)(const double *, double *, void *);
            *(void **)&library = tree_exported(f, "prepared");
            double z[4];
            assert_int_equal(library(x, z, tree_memory), 0);
            assert_memory_equal(y, z, 32);
            ((double *)v->value.data)[1] += 5;
            atomic_fetch_add(&v->version, 1);
        }
        gn_func_free(f);
        gn_variable_release(v);
    }
}

static void a_profile_shows_the_tree(void **state)
{
    (void)state;
    gn_step_info info[8];
    double a[4] = { 0 }, b[4] = { 0 }, y[4], z[4];
    gn_func *f = tree_compile(0, tree_text(&arena, 2, 2, FIBONACCI("6")), NULL);
    gn_func_profile(f, 1);
    must(gn_call(f, GN_ARRAYS(vec(a), vec(b)), GN_ARRAYS(vec(y), vec(z))));
    assert_int_equal(gn_func_steps(f, info, 8), 4);
    assert_string_equal(info[0].symbol, "loop i");
    assert_int_equal(info[0].calls, 1);
    assert_int_equal(info[0].depth, 0);
    assert_string_equal(info[1].symbol, "add");
    assert_int_equal(info[1].calls, 6);
    assert_int_equal(info[1].depth, 1);
    assert_string_equal(info[2].symbol, "copy");
    gn_func_free(f);
}

/* ---- memory runs out ---- */

static int live(const gn_allocator *allocator)
{
    static const char *text;
    const gn_context_options o = { .allocator = allocator, .cache_dir = "", .toolchain = "interpreter", .threads = 2 };
    double x[4] = { 1, 2, 3, 4 }, y[4];
    gn_context *c = NULL;
    gn_func *f = NULL;
    if (!text) text = tree_text(&arena, 1, 1, OUTSIDE);
    gn_status s = gn_context_new(&c, &o);
    if (!s) s = gn_func_of_text(&f, c, text, strlen(text), NULL);
    if (!s) s = gn_call(f, GN_ARRAYS(vec(x)), GN_ARRAYS(vec(y)));
    if (!s) s = gn_export(f, "scarce", temp_dir);
    gn_func_free(f);
    gn_context_free(c);
    return s;
}

static void nothing_leaks_when_memory_runs_out(void **state)
{
    (void)state;
    assert_true(survive_refusals(live, false) > 20);
    assert_true(survive_refusals(live, true) > 20);
}

/* ---- text ---- */

static const char *const all[] = {
    FIBONACCI("12"), SCAN("n", "(mul 32 i)", "(mul 32 i)"), NEST, BRANCHES, VARIANTS, SORTS, PREPARES, OUTSIDE
};
static const int inputs[] = { 2, 1, 1, 1, 1, 1, 1, 1 }, outputs[] = { 2, 2, 1, 1, 1, 1, 1, 1 };

static void printing_then_reading_gives_the_same_tree(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *text = tree_text(&arena, inputs[i], outputs[i], all[i]);
        gn_text first = { .arena = &arena }, second = { .arena = &arena };
        gn_program_print(&first, gn_program_read(&arena, "tree", text, strlen(text)));
        gn_program_print(&second, gn_program_read(&arena, "tree", gn_text_done(&first), first.n));
        assert_string_equal(gn_text_done(&first), gn_text_done(&second));
        assert_true(strstr(first.at, "(loop") || strstr(first.at, "(call") || strstr(first.at, "(prepare"));
    }
}

/* The tree that docs/program-text.md shows. */
static void the_example_of_the_documentation_runs(void **state)
{
    (void)state;
    static char page[1 << 15];
    FILE *file = fopen(TEST_DIR "/../docs/program-text.md", "r");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *begin = strstr(page, "    (program \"sums\""), *end = begin ? strstr(begin, "\n\n") : NULL;
    assert_non_null(end);
    *end = '\0';
    float x[40], y[40], sum[4] = { 0 };
    gn_func *f = tree_compile(1, begin, NULL);
    for (int k = 0; k < 40; k++) x[k] = (float)(k % 11);
    must(gn_call(f, GN_ARRAYS(gn_array_of(x, GN_F32, 2, (int64_t[]){ 10, 4 })),
                 GN_ARRAYS(gn_array_of(y, GN_F32, 2, (int64_t[]){ 10, 4 }))));
    for (int k = 0; k < 40; k++) assert_true(y[k] == 2 * (sum[k % 4] += x[k]));
    gn_func_free(f);
}

typedef struct attempt {
    const char *text;
    gn_arena arena;
    gn_program *p;
    const gn_plan *plan;
} attempt;

static void read_text(void *user)
{
    attempt *t = user;
    t->p = gn_program_read(&t->arena, "entry", t->text, strlen(t->text));
}

/* `from` becomes `to`, once; it must be there. */
static const char *edited(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at) fail_msg("no %s", from);
    return gn_arena_printf(&arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void assert_refused(const char *text, const char *says)
{
    attempt t = { .text = text };
    const gn_status s = gn_protect(read_text, &t);
    if (s != GN_EFORMAT && s != GN_ESYNTAX)
        fail_msg("%s, expected '%s': %s", s ? gn_status_name(s) : "accepted", says, s ? gn_message() : "");
    assert_message_contains(says);
    gn_arena_free(&t.arena);
}

static const struct {
    int of; /* all[of], edited */
    const char *from, *to, *says;
} wrong[] = {
    { 0, "(4 0 5) (5 1 6)", "(4 0 5) (5 1 5)", "'b' becomes two carried values: a copy is needed" },
    { 0, "(4 0 5) (5 1 6)", "(4 0 6) (4 1 5)", "'a' is carried twice" },
    { 0, "(4 0 5) (5 1 6)", "(4 0 1) (5 1 6)",
      "'b0', which becomes 'a', has no memory of its own: a copy is needed" },
    { 0, "(4 0 5) (5 1 6)", "(2 0 5) (5 1 6)", "the carried value 'ya' has no memory of its own" },
    { 0, "\"t\" f64 (4) 32", "\"t\" f32 (8) 32", "carries 'b', f64 of 32 bytes, and 't', f32 of 32 bytes" },
    { 0, "\"a\" f64 (4) 32 0 3 -1", "\"a\" f64 (4) 32 0 3 0",
      "'a' takes over the memory of 'a0', which is not the program's" },
    { 0, "(6 4 5)", "(6 4 6)", "step 1 (add): reads 't' before it is written" },
    { 0, "(6 4 5)", "(5 4 4)", "writes 'b', which a loop carries" },
    { 0, "(6 4 5)", "(1 4 5)", "writes 'b0', which is given" },
    { 0, "\"a\" f64 (4) 32 0 3", "\"a\" f64 (4) 32 0 1",
      "'a' lives from step 0 to step 1 and is needed from 0 to 3" },
    { 0, "\"t\" f64 (4) 32 0 3", "\"t\" f64 (4) 32 0 1",
      "'t' lives from step 0 to step 1 and is needed from 0 to 3" },
    { 2, "f64 (3 4) 96", "f64 (3 4) 128", "'x' has 96 bytes, not 128" },
    { 2, "(loop j 2", "(loop j 1", "no step writes all of 'y'" },
    { 0, "(copy (3 5) () () ())", "(copy (3 5) () () ()) (copy (3 5) () () ())",
      "writes 'yb', which is written already" },
    { 0, "(copy (3 5)", "(copy (3 6)", "reads 't' before it is written" },
    { 0, "(loop i 12", "(loop k 12", "no symbol 'k' counts turns" },
    { 0, "(loop i 12", "(loop i (add 1 i)", "the number of turns depends on 'i', which counts turns" },
    { 0, "(step 0 0 add 1 (6 4 5) () ())", "(step 0 0 add 1 (6 4 5) () () (status 0))",
      "argument 0, its status, is no i32 or i64" },
    { 0, "(step 0 0 add 1 (6 4 5) () ())", "(step 0 0 add 1 (6 4) () ())",
      "has 2 arguments and 0 symbols, its kernel 3 and 0" },
    { 0, "(Y f64 4)", "(Y f64 4 :align 16)", "its kernel wants 'Y' at a multiple of 16 bytes, which no call checks" },
    { 0, "(step 0 0 add 1 (6 4 5) () ())", "(step 0 0 add i (6 4 5) () ())",
      "the number of parts depends on 'i', which counts turns" },
    { 0, "(step 0 0 add 1 (6 4 5) () ())", "(step 0 0 add 1 (6 4 5) () () (stat 0))",
      "expected (status N) or (device N)" },
    { 1, "((1 (mul 32 i)) 5)", "((1 (mul 16 i)) 5)",
      "writes 32 bytes of 'y' at 16*i: the turns of 'i' write over each other" },
    { 1, "((1 (mul 32 i)) 5)", "((1 (add 32 (mul 32 i))) 5)", "writes 32 bytes at 32*i+32 of 'y', which has 32*n" },
    { 1, "(0 (mul 32 i))", "(0 (mul 32 (add i 1)))", "reads 32 bytes at 32*i+32 of 'x', which has 32*n" },
    { 1, "((1 (mul 32 i)) 5)", "((1 (mul i i)) 5)", "the start i*i is not linear in 'i'" },
    { 1, "((4 3 5)) ()", "((4 3 5)) (5)", "its condition 'next' is no bool or i64" },
    { 2, "(loop j 2", "(loop i 2", "'i' counts the turns of the loop around it" },
    { 2, "(mul 64 i)", "(mul 32 i)", "the turns of 'i' write over each other" },
    { 3, "((copy ((1 (mul 32 i)) (0 (mul 32 i))) (4) (1) (1)))", "()", "no step writes all of 'y'" },
    { 3, "(branch 2", "(branch 0", "its value 'x' is no bool or i64" },
    { 4, "(() (loop", "(((lt n 99)) (loop", "the last variant is for some sizes alone" },
    { 5, "(1 2 -1)", "(1 0 -1)", "it destroys 'x', which is no temporary" },
    { 5, "(28)", "(27)", "its workspace is 28 bytes, the last argument" },
    { 5, "call sort_rows_f32", "call sort_rows_f16", "there is no routine 'sort_rows_f16'" },
    { 5, "(call sort_rows_f32 (1 2 -1) (5 7) (28))",
      "(call sort_rows_f32 (1 2 -1) (5 7) (28)) (copy (0 2) () () ())",
      "reads 'keys', which step 1 has destroyed" },
    { 5, "(copy (2 0) () () ())", "(copy (2 0) (5 7) (6 1) (7 1))",
      "writes with stride 6 what the dims behind it reach over: 7" },
    { 5, "(copy (2 0) () () ())", "(copy (2 0) (5 7) (7 1) (7 2))", "reads 164 bytes at 0 of 'x', which has 140" },
    { 5, "(copy (2 0) () () ())", "(copy (2 0) (5 3) (7 1) (7 1)) (copy ((2 8) (0 8)) (5 4) (7 1) (7 1))",
      "writes 'keys' at 8, where step 0 has written" },
    { 7, "\"kept\" f64 (4) 32 0 3", "\"kept\" f64 (4) 32 0 2",
      "'kept' lives from step 0 to step 2 and is needed from 0 to 3" },
    { 7, "\"sum\" f64 (4) 32 2 3", "\"sum\" f64 (4) 32 3 3",
      "'sum' lives from step 3 to step 3 and is needed from 2 to 3" },
    { 7, "\"sum\" f64 (4) 32 2 3 -1", "\"sum\" f64 (4) 32 2 3 2",
      "step 2 destroys 'kept', which is from before the loop" },
    { 6, "(prepare (0)", "(prepare ()", "a prepared step reads 'w', which is no variable of its list" },
    { 6, "(variable \"w\" f64 (4) 0)", "(variable \"w\" f64 (4) 1)",
      "the variable 'w' is updated by the program itself" },
    { 6, "\"packed\" f64 (4) 32 0 2", "\"packed\" f64 (4) 32 1 2",
      "'packed' lives from step 1 to step 2 and is needed from 0 to 2" },
};

static void wrong_trees_are_refused_with_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(edited(tree_text(&arena, inputs[wrong[i].of], outputs[wrong[i].of], all[wrong[i].of]),
                              wrong[i].from, wrong[i].to),
                       wrong[i].says);
}

static void steps_nest_to_a_bound(void **state)
{
    (void)state;
    gn_text t = { .arena = &arena };
    for (int k = 0; k < 9; k++) gn_textf(&t, " (sym i%d -2 -1 0)", k);
    for (int k = 0; k < 9; k++) gn_textf(&t, " (loop i%d 2 () ()", k);
    for (int k = 0; k < 9; k++) gn_text_char(&t, ')');
    assert_refused(tree_text(&arena, 0, 0, gn_text_done(&t)), "steps within each other more than 8 deep");
}

/* w is written in its own memory in each turn, and a step behind it may end the program: half of the turns would be
 * seen. */
static void a_status_behind_a_variable_that_has_changed_is_refused(void **state)
{
    (void)state;
    const char *items = " (variable \"w\" f64 (4) 1)\n" V4("output", 0, "y", 1, 1, -1)
        V4("variable", 0, "w", 0, 0, -1) V4("update", 0, "w2", 0, 2, 1)
        " (value temp 0 \"bad\" i64 (1) 8 2 2 -1)\n (step 1 0 twice 1 (2 1) () ())"
        " (step 6 0 plus_one 1 (0 2) () ()) (step 5 0 check 1 (3 2) () () (status 0))\n";
    assert_refused(tree_text(&arena, 0, 1, items),
                   "step 2 (check): may end the program when the variable of 'w2' has changed already");
}

static void a_device_is_refused_when_sizes_are_bound(void **state)
{
    (void)state;
    double a[4] = { 0 }, y[4], z[4];
    const char *text = edited(tree_text(&arena, 2, 2, FIBONACCI("6")), "(6 4 5) () ()", "(6 4 5) () () (device 1)");
    gn_func *f = tree_compile(0, text, NULL);
    assert_int_equal(gn_call(f, GN_ARRAYS(vec(a), vec(a)), GN_ARRAYS(vec(y), vec(z))), GN_EDEVICE);
    assert_message_contains("step 1 (add) is for device 1: steps run on the host alone");
    gn_func_free(f);
}

/* ---- plans ---- */

static void verify_plan(void *user)
{
    const attempt *t = user;
    gn_plan_verify(t->p, (int64_t[]){ 5, 0, 0 }, t->plan);
}

static int64_t bytes_of_plan(gn_program *p, int64_t n, gn_arena *a)
{
    gn_plan plan;
    gn_program_plan(p, &n, 2, &plan, a);
    gn_plan_verify(p, &n, &plan);
    return plan.arena_bytes;
}

/* What is not chosen takes no memory. */
static void memory_is_that_of_the_chosen_variant(void **state)
{
    (void)state;
    const char *items = " (sym n 0 0 -1) (value input 0 \"x\" f64 (n 4) (mul 32 n) 2 4 -1)"
        " (value output 0 \"y\" f64 (n 4) (mul 32 n) 2 5 -1) (value temp 0 \"t\" f64 (n 4) (mul 32 n) 4 5 -1)\n"
        " (variants (((lt n 3)) (copy (1 0) () () ())) (() (copy (2 0) () () ()) (copy (1 2) () () ())))\n";
    attempt t = { .text = tree_text(&arena, 1, 1, items) };
    must(gn_protect(read_text, &t));
    assert_int_equal(bytes_of_plan(t.p, 2, &t.arena), 0);
    assert_int_equal(bytes_of_plan(t.p, 5, &t.arena), 192);
    gn_arena_free(&t.arena);
}

static void plans_of_trees_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        attempt t = { .text = tree_text(&arena, inputs[i], outputs[i], all[i]) };
        gn_plan plan;
        must(gn_protect(read_text, &t));
        gn_program_plan(t.p, (int64_t[]){ 5, 0, 0 }, 2, &plan, &t.arena);
        t.plan = &plan;
        must(gn_protect(verify_plan, &t));
        gn_arena_free(&t.arena);
    }
}

/* Numbers of a text are exchanged for others: what the verifier takes, the replay of its plan takes, too. */
static void what_is_accepted_has_a_plan_that_holds(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    int accepted = 0;
    for (int n = 0; n < 3000; n++) {
        const size_t of = test_random(&seed) % (sizeof all / sizeof *all);
        char *text = gn_arena_string(&arena, tree_text(&arena, inputs[of], outputs[of], all[of]));
        const size_t head = (size_t)(strstr(text, "(kernel") - text);
        for (int edits = 1 + (int)(test_random(&seed) % 3); edits > 0;) {
            char *at = text + test_random(&seed) % head;
            if (*at < '0' || *at > '9') continue;
            *at = (char)('0' + test_random(&seed) % 10);
            edits--;
        }
        attempt t = { .text = text };
        gn_plan plan;
        if (!gn_protect(read_text, &t)) {
            gn_program_plan(t.p, (int64_t[]){ 5, 0, 0 }, 2, &plan, &t.arena);
            t.plan = &plan, accepted++;
            if (gn_protect(verify_plan, &t)) fail_msg("%s in\n%.*s", gn_message(), (int)head, text);
        }
        gn_arena_free(&t.arena);
    }
    print_message("%d of 3000 accepted\n", accepted);
    assert_true(accepted > 100);
}

/* Faults that a reader cannot see, planted behind it: lifetimes that are too short, memories that meet, values
 * carried crosswise. */
static void planted_faults_are_found(void **state)
{
    (void)state;
    static const struct {
        int of, value, first, last, place_of; /* new lifetime, or -1; the value whose place it gets, or -1 */
        const char *says;
    } cases[] = {
        { 0, 4, 0, 1, -1, "reads a, whose time has ended" }, /* one turn short */
        { 0, 6, 0, 1, -1, "reads b, whose time has ended" }, /* which lies in its memory behind the loop */
        { 0, 5, 0, 2, -1, "reads b, whose time has ended" }, /* what it exchanged memories with, one step short */
        { 0, 6, -1, -1, 5, "live at once in the same bytes" },
        { 1, 4, 0, 1, -1, "reads next, whose time has ended" },
        { 6, 3, 1, 1, -1, "reads packed, whose time has ended" },
        { 7, 2, 0, 2, -1, "reads kept, whose time has ended" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int of = cases[i].of;
        attempt t = { .text = tree_text(&arena, inputs[of], outputs[of], all[of]) };
        gn_plan plan;
        must(gn_protect(read_text, &t));
        gn_pvalue *v = &t.p->values.at[cases[i].value];
        if (cases[i].last >= 0) v->first = cases[i].first, v->last = cases[i].last;
        gn_program_plan(t.p, (int64_t[]){ 5, 0, 0 }, 2, &plan, &t.arena);
        if (cases[i].place_of >= 0) plan.offset[cases[i].value] = plan.offset[cases[i].place_of];
        t.plan = &plan;
        if (!gn_protect(verify_plan, &t)) fail_msg("the plan holds, expected '%s'", cases[i].says);
        assert_message_contains(cases[i].says);
        gn_arena_free(&t.arena);
    }
}

/* Faults that are right programs of another meaning: they are seen in the bits. */
static void another_order_or_slice_gives_other_bits(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
    } cases[] = { { "(4 0 5) (5 1 6)", "(4 0 6) (5 1 4)" },
                  { "(4 0 5) (5 1 6)", "(4 1 5) (5 0 6)" },
                  { "(loop i 12", "(loop i 11" },
                  { "(6 4 5)", "(6 5 5)" } };
    double a0[4] = { 0, 1, 2, 0.5 }, b0[4] = { 1, 1, 3, 0.25 }, a[4], b[4], want_a[4], want_b[4];
    fibonacci(12, a0, b0, want_a, want_b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gn_func *f = tree_compile(1, edited(tree_text(&arena, 2, 2, all[0]), cases[i].from, cases[i].to), NULL);
        must(gn_call(f, GN_ARRAYS(vec(a0), vec(b0)), GN_ARRAYS(vec(a), vec(b))));
        assert_true(memcmp(a, want_a, 32) || memcmp(b, want_b, 32));
        gn_func_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carried_values_are_swapped),
        cmocka_unit_test(a_carried_value_may_begin_in_the_memory_of_its_initial_one),
        cmocka_unit_test(what_is_made_before_a_loop_is_there_in_each_turn),
        cmocka_unit_test(a_condition_ends_a_loop),
        cmocka_unit_test(a_condition_may_be_a_number),
        cmocka_unit_test(sequences_are_read_and_written_by_slice),
        cmocka_unit_test(loops_nest),
        cmocka_unit_test(a_loop_within_carries_of_its_own),
        cmocka_unit_test(a_body_has_parallel_steps),
        cmocka_unit_test(a_branch_chooses_in_each_turn),
        cmocka_unit_test(variants_are_chosen_by_sizes),
        cmocka_unit_test(rows_are_sorted_by_a_call),
        cmocka_unit_test(a_copy_has_strides),
        cmocka_unit_test(columns_are_copied_beside_each_other),
        cmocka_unit_test(a_status_ends_the_program_and_changes_nothing),
        cmocka_unit_test(a_routine_may_end_the_program),
        cmocka_unit_test(prepared_steps_run_when_a_variable_has_changed),
        cmocka_unit_test(a_profile_shows_the_tree),
        cmocka_unit_test(nothing_leaks_when_memory_runs_out),
        cmocka_unit_test(the_example_of_the_documentation_runs),
        cmocka_unit_test(printing_then_reading_gives_the_same_tree),
        cmocka_unit_test(wrong_trees_are_refused_with_a_sentence),
        cmocka_unit_test(steps_nest_to_a_bound),
        cmocka_unit_test(a_status_behind_a_variable_that_has_changed_is_refused),
        cmocka_unit_test(a_device_is_refused_when_sizes_are_bound),
        cmocka_unit_test(plans_of_trees_hold),
        cmocka_unit_test(memory_is_that_of_the_chosen_variant),
        cmocka_unit_test(what_is_accepted_has_a_plan_that_holds),
        cmocka_unit_test(planted_faults_are_found),
        cmocka_unit_test(another_order_or_slice_gives_other_bits),
    };
    return cmocka_run_group_tests(tests, tree_setup, tree_teardown);
}
