/* Logical kernels and schedules: text and back, meaning, and what a faulty one is told. */
#include "testlib.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "kernel.h"
#include "schedule.h"

static const char softmax[] =
    "(kernel softmax (syms (R :min 1) (C :mul 2)) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))\n"
    "  (def m (i) (max (j) (load X i j)))\n"
    "  (def e (i j) (exp (sub (load X i j) (m i))))\n"
    "  (def s (i) (sum (j) (e i j)))\n"
    "  (store set Y (i j) (div (e i j) (s i))))\n";
static const char rows[] = "(schedule rows (split i ip (ii 16)) (split j j0 (ju 4) (jl 16)) (order ip ii j0 ju jl)\n"
                           "  (bind part ip) (bind private ju) (bind lane jl) (unroll j0 2) (stage e scratch (at ii) (layout j0 ju jl) (pad ju 16)) (peel j0))";

static gn_kernel *read_kernel(gn_arena *a, const char *text)
{
    const gn_sx *x = gn_sx_read(a, "test", text, strlen(text));
    gn_kernel *k = gn_kernel_read(a, "test", x->at[0]);
    gn_kernel_verify(k);
    return k;
}

static const char *kernel_text(gn_arena *a, const gn_kernel *k)
{
    gn_text t = { .arena = a };
    gn_kernel_print(&t, k);
    return gn_text_done(&t);
}

static void check_round_trip(gn_arena *a, const char *text)
{
    const char *first = kernel_text(a, read_kernel(a, text));
    assert_string_equal(first, kernel_text(a, read_kernel(a, first)));
}

static const char *const kernels[] = {
    softmax,
    "(kernel mixed (syms n) (bufs (T i32 n) (X f64 n 7) (Y f64 n) (Z i32 n)) (axes (i n) (j 7))\n"
    "  (def hit (i) (sum (j) (if (eq j (load T i)) (load X i j) 0)))\n"
    "  (def c (i) (cast i32 (hit i)))\n"
    "  (store set Y (i) (select (lt (hit i) 0.5) (mul 2 (hit i)) (f64 1)))\n"
    "  (store set Z (i) (add (c i) i)))",
    "(kernel triangle (syms) (bufs (X f32 5 5) (Y f32 5)) (axes (i 5) (j (add i 1)))\n"
    "  (def s (i) (sum (j) (load X i j))) (store set Y (i) (s i)))",
    "(kernel pad (syms) (bufs (X f32 4) (Y f32 6)) (axes (i 6))\n"
    "  (store set Y (i) (if (and (lt 0 i) (lt i 5)) (load X (sub i 1)) (f32 -inf))))",
    "(kernel scatter (syms n) (bufs (T i32 n) (G f32 n) (Y f32 9)) (axes (e n)) (store add Y ((load T e)) (load G e)))",
    "(kernel strided (syms n) (bufs (X f32 n 3 :stride 16 1) (Y f32 3 n)) (axes (i n) (j 3)) (store set Y (j i) (load X i j)))",
};

static void printing_then_reading_gives_the_same_kernel(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) check_round_trip(&a, kernels[i]);
    gn_arena_free(&a);
}

static void printing_then_reading_gives_the_same_schedule(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const gn_kernel *k = read_kernel(&a, softmax);
    const char *text = rows, *last = NULL;
    for (int turn = 0; turn < 2; turn++) {
        gn_text t = { .arena = &a };
        gn_schedule_print(&t, k, gn_schedule_read(&a, k, "test", gn_sx_read(&a, "test", text, strlen(text))->at[0]));
        last = turn ? last : gn_text_done(&t);
        text = gn_text_done(&t);
    }
    assert_string_equal(last, text);
    assert_non_null(strstr(text, "(stage e scratch (at ii) (layout j0 ju jl) (pad ju 16))"));
    gn_arena_free(&a);
}

static void softmax_means_softmax(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    float x[3][4], y[3][4];
    for (int i = 0; i < 12; i++) x[i / 4][i % 4] = (float)sin(i * 1.7) * 3;
    gn_kernel_interpret(read_kernel(&a, softmax), (void *[]){ x, y }, (int64_t[]){ 3, 4 }, &a);
    for (int i = 0; i < 3; i++) {
        double s = 0;
        for (int j = 0; j < 4; j++) s += exp((double)x[i][j]);
        for (int j = 0; j < 4; j++) assert_true(fabs(y[i][j] - exp((double)x[i][j]) / s) < 1e-7);
    }
    gn_arena_free(&a);
}

static void conditions_guard_loads_and_pick_elements(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const float x[4] = { 1, 2, 3, 4 };
    float y[6];
    gn_kernel_interpret(read_kernel(&a, kernels[3]), (void *[]){ (void *)x, y }, NULL, &a);
    const float want[6] = { -INFINITY, 1, 2, 3, 4, -INFINITY };
    assert_memory_equal(y, want, sizeof y);
    const int32_t t[2] = { 6, 0 };
    double table[2][7] = { { 0, 0, 0, 0, 0, 0, 0.25 }, { 5 } }, out[2];
    int32_t z[2];
    gn_kernel_interpret(read_kernel(&a, kernels[1]), (void *[]){ (void *)t, table, out, z }, (int64_t[]){ 2 }, &a);
    assert_true(out[0] == 0.5 && out[1] == 1 && z[0] == 0 && z[1] == 6);
    gn_arena_free(&a);
}

static void dependent_extents_and_scatters_have_their_meaning(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    float x[25], y[5], g[4] = { 1, 2, 3, 4 }, sum[9] = { 0 };
    const int32_t t[4] = { 8, 0, 8, 8 };
    for (int i = 0; i < 25; i++) x[i] = 1;
    gn_kernel_interpret(read_kernel(&a, kernels[2]), (void *[]){ x, y }, NULL, &a);
    for (int i = 0; i < 5; i++) assert_true(y[i] == (float)(i + 1));
    gn_kernel_interpret(read_kernel(&a, kernels[4]), (void *[]){ (void *)t, g, sum }, (int64_t[]){ 4 }, &a);
    assert_true(sum[8] == 8 && sum[0] == 2 && sum[1] == 0);
    gn_arena_free(&a);
}

typedef struct attempt {
    const char *kernel, *schedule;
    gn_arena arena;
} attempt;

static void try_reading(void *arg)
{
    attempt *t = arg;
    gn_kernel *k = read_kernel(&t->arena, t->kernel);
    if (t->schedule) gn_schedule_read(&t->arena, k, "test", gn_sx_read(&t->arena, "test", t->schedule, strlen(t->schedule))->at[0]);
}

#define KERNEL(rest) "(kernel k (syms n) (bufs (X f32 n) (Y f32 n) (C f32 4)) (axes (i n) (j 4)) " rest ")"

static void faults_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *schedule, *says;
    } cases[] = {
        { KERNEL("(store set Y (i) (load Z i))"), NULL, "no such buffer" },
        { KERNEL("(store set Y (i) (load X i j))"), NULL, "expected 1 indices, found 2" },
        { KERNEL("(store set Y (i) (frobnicate (load X i)))"), NULL, "neither a definition made above nor an elementwise operation" },
        { KERNEL("(store set Y (q) (load X i))"), NULL, "'q' is neither an axis nor a symbol" },
        { KERNEL("(store set Y (i) (add (load X i)))"), NULL, "takes 2 operands, 1 given" },
        { KERNEL("(def X () 1)"), NULL, "the name 'X' is taken" },
        { KERNEL("(def d (i) (sum () (load X i)))"), NULL, "a reduction over no axis" },
        { KERNEL("(def d () (load X i))"), NULL, "uses an axis that is neither a parameter nor reduced: i" },
        { KERNEL("(store set C (j) (load C j))"), NULL, "both loaded and stored" },
        { KERNEL("(store set C ((add j 1)) 1)"), NULL, "index into C runs from 1 to 4, its extent is 4" },
        { KERNEL("(store set Y (i) (load C (sub j 1)))"), NULL, "index into C runs from -1 to 2" },
        { KERNEL("(store set C (j) (load X i))"), NULL, "the value depends on an axis that the index lacks: i" },
        { "(kernel k (syms) (bufs) (axes (i j) (j 4)))", NULL, "'j' is neither an axis nor a symbol" },
        { "(kernel k (syms) (bufs (X f99 3)) (axes))", NULL, "'f99' is no dtype" },
        { "(kernel k (syms (n :mul 0)) (bufs) (axes))", NULL, "expected :mul, :min or :is" },
        { KERNEL(""), "(schedule s (order i))", "the order lacks the leaf 'j'" },
        { KERNEL(""), "(schedule s (split i a b) (order a b j))", "only the outermost leaf may lack an extent" },
        { KERNEL(""), "(schedule s (order i j j))", "stands twice in the order" },
        { KERNEL(""), "(schedule s (order i j) (bind lane q))", "no leaf 'q'" },
        { KERNEL(""), "(schedule s (order i j) (bind lane j) (bind part j))", "bound to lane already" },
        { KERNEL("(def d (i) (load X i))"), "(schedule s (order i j) (stage d heap))", "is no level" },
        { KERNEL(""), "(schedule s (order i j) (swap i j))", "no such directive" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        attempt t = { .kernel = cases[i].kernel, .schedule = cases[i].schedule };
        assert_int_equal(gn_protect(try_reading, &t), GN_ESYNTAX);
        assert_message_contains(cases[i].says);
        gn_arena_free(&t.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printing_then_reading_gives_the_same_kernel), cmocka_unit_test(printing_then_reading_gives_the_same_schedule),
        cmocka_unit_test(softmax_means_softmax),                        cmocka_unit_test(conditions_guard_loads_and_pick_elements),
        cmocka_unit_test(dependent_extents_and_scatters_have_their_meaning), cmocka_unit_test(faults_are_told_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
