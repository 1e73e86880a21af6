/* Logical kernels and schedules: text and back, meaning, and what a faulty one is told. */
#include "testlib.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "folds.h"
#include "kernel.h"
#include "read_kernel.h"
#include "schedule.h"

static const char softmax[] =
    "(kernel softmax (syms (R :min 1) (C :mul 2)) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))\n"
    "  (def m (i) (max (j) (load X i j)))\n"
    "  (def e (i j) (exp (sub (load X i j) (m i))))\n"
    "  (def s (i) (sum (j) (e i j)))\n"
    "  (store set Y (i j) (div (e i j) (s i))))\n";
static const char rows[] = "(schedule rows (split i ip (ii 16)) (split j j0 (ju 4) (jl 16)) (order ip ii j0 ju jl)\n"
                           "  (bind part ip) (bind private ju) (bind lane jl) (unroll j0 2) (stage e scratch (at ii) "
                           "(layout j0 ju jl) (pad ju 16)) (peel j0))";

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
    "(kernel scatter (syms n) (bufs (T i32 n :in 0 9) (G f32 n) (Y f32 9)) (axes (e n)) (store add Y ((load T e)) (load G e)))",
    "(kernel strided (syms n) (bufs (X f32 n 3 :stride 16 1) (Y f32 3 n)) (axes (i n) (j 3)) (store set Y (j i) (load "
    "X i j)))",
    "(kernel gather (syms n V) (bufs (T i64 n 2 :in 0 (mul 2 V) :stride 4 1) (X f32 (mul 2 V)) (Y f32 n 2)) (axes (i n) (j 2))"
    " (store set Y (i j) (load X (load T (add (mul 4 i) j)))))",
};

static const char *const folds[] = { FOLD_ARGMAX("k"), FOLD_VARIANCE("k"), FOLD_LOGSUMEXP("k"), FOLD_EXTREMES("k"),
                                      FOLD_SPLIT_SUM("k"), FOLD_RUNNING_SUM("k"), FOLD_RUNNING_PLACE("k") };

static void printing_then_reading_gives_the_same_kernel(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) check_round_trip(&a, kernels[i]);
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) check_round_trip(&a, folds[i]);
    gn_arena_free(&a);
}

static void printing_then_reading_gives(const char *text, const char *part)
{
    gn_arena a = { 0 };
    const gn_kernel *k = read_kernel(&a, softmax);
    const char *last = NULL;
    for (int turn = 0; turn < 2; turn++) {
        gn_text t = { .arena = &a };
        gn_schedule_print(&t, k, gn_schedule_read(&a, k, "test", gn_sx_read(&a, "test", text, strlen(text))->at[0]));
        last = turn ? last : gn_text_done(&t);
        text = gn_text_done(&t);
    }
    assert_string_equal(last, text);
    assert_non_null(strstr(text, part));
    gn_arena_free(&a);
}

static void printing_then_reading_gives_the_same_schedule(void **state)
{
    (void)state;
    printing_then_reading_gives(rows, "(stage e scratch (at ii) (layout j0 ju jl) (pad ju 16))");
    printing_then_reading_gives("(schedule s (fuse i j -> c) (order c))", "(fuse i j -> c)\n  (order c)");
    printing_then_reading_gives("(schedule s (fuse j i -> c) (split c c0 (c1 4)) (order c0 c1 q) (rfactor s c0 p q))",
                                "(fuse j i -> c) (split c c0 (c1 4))");
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

static gn_kernel *read_fold(gn_arena *a, const char *text)
{
    gn_kernel *k = read_kernel(a, text);
    gn_kernel_verify(k);
    return k;
}

static void folds_mean_what_their_steps_say_one_after_the_other(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    float x[2][5] = { { 0.5f, 0.9f, -1, 0.9f, 0.8f }, { -3, -2, -2.5f, -7, -2 } }, z[2], centred[2][5], y[5];
    int32_t at[2];
    const int64_t sym[3] = { 2, 5, 1 }, turned[3] = { 5, 2, 1 };
    gn_kernel_interpret(read_fold(&a, FOLD_ARGMAX("k")), (void *[]){ x, at, z }, sym, &a);
    assert_true(at[0] == 1 && z[0] == 3 && at[1] == 1 && z[1] == -8);
    gn_kernel_interpret(read_fold(&a, FOLD_VARIANCE("k")), (void *[]){ x, z, centred }, sym, &a);
    for (int i = 0; i < 2; i++) {
        double mean = 0, squares = 0;
        for (int j = 0; j < 5; j++) mean += x[i][j] / 5.0;
        for (int j = 0; j < 5; j++) squares += (x[i][j] - mean) * (x[i][j] - mean);
        assert_true(fabs(z[i] - squares / 5) < 1e-5 && fabs(centred[i][2] - (x[i][2] - mean)) < 1e-6);
    }
    const float large[4] = { 3e7f, 0.5f, -3e7f, 0.25f };
    gn_kernel_interpret(read_fold(&a, FOLD_SPLIT_SUM("k")), (void *[]){ (void *)large, z, y }, (int64_t[]){ 1, 2, 2 }, &a);
    assert_true(z[0] == 0.75f);
    gn_kernel_interpret(read_fold(&a, FOLD_LOGSUMEXP("k")), (void *[]){ x, y }, turned, &a);
    for (int i = 0; i < 5; i++) assert_true(fabs(y[i] - log(exp((double)x[0][i]) + exp((double)x[1][i]))) < 1e-6);
    gn_arena_free(&a);
}

static void a_fold_over_several_axes_and_dtypes_starts_anew_at_each_point(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    double x[3][3] = { { -1, 9, 9 }, { 0.5, -0.25, 9 }, { 3, 2, -4 } }, y[3];
    bool low[3];
    int64_t n[3];
    gn_kernel_interpret(read_fold(&a, FOLD_EXTREMES("k")), (void *[]){ x, low, n, y }, (int64_t[]){ 3, 1, 1 }, &a);
    assert_true(low[0] && !low[1] && low[2] && n[0] == 2 && n[1] == 4 && n[2] == 6);
    assert_true(y[0] == 0 && y[1] == 0.75 && y[2] == 7);
    gn_arena_free(&a);
}

static void a_reduction_along_a_parameter_is_a_prefix(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    float x[2][4] = { { 1, 2, -4, 8 }, { 0.5f, 0.5f, 0.5f, 0.5f } }, y[2][4], z[2];
    double v[3][2] = { { 1, 5 }, { 3, 4 }, { 2, 6 } };
    int32_t at[2][3];
    int64_t c[2][2];
    gn_kernel_interpret(read_fold(&a, FOLD_RUNNING_SUM("k")), (void *[]){ x, y, z }, (int64_t[]){ 2, 4, 1 }, &a);
    for (int i = 0; i < 8; i++) assert_true(y[i / 4][i % 4] == x[i / 4][i % 4]);
    assert_true(z[0] == 7 && z[1] == 2);
    gn_kernel_interpret(read_fold(&a, FOLD_RUNNING_PLACE("k")), (void *[]){ v, at, c }, (int64_t[]){ 2, 3, 1 }, &a);
    const int32_t want[2][3] = { { 1, 4, 4 }, { 5, 5, 8 } }; /* place and value */
    assert_memory_equal(at, want, sizeof at);
    assert_true(c[0][0] == 0 && c[1][0] == 0 && c[1][1] == 1);
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

static void loads_read_what_was_there_before_a_store_took_it_over(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    float x[3] = { 1, 2, 3 }, z[3];
    gn_kernel *k = read_kernel(&a, "(kernel k (syms) (bufs (x f32 3) (y f32 3) (z f32 3)) (axes (i 3))"
                                   " (store set y (i) (mul (load x (sub 2 i)) 10)) (store set z (i) (add (load x i) 1)))");
    gn_kernel_interpret(k, (void *[]){ x, x, z }, NULL, &a);
    assert_true(x[0] == 30 && x[1] == 20 && x[2] == 10 && z[0] == 2 && z[1] == 3 && z[2] == 4);
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
    if (t->schedule)
        gn_schedule_read(&t->arena, k, "test", gn_sx_read(&t->arena, "test", t->schedule, strlen(t->schedule))->at[0]);
}

static void refused(const char *kernel, const char *schedule, const char *says)
{
    attempt t = { .kernel = kernel, .schedule = schedule };
    const gn_status got = gn_protect(try_reading, &t);
    if (got != GN_ESYNTAX)
        fail_msg("%s %s: %s, expected '%s'", kernel, schedule ? schedule : "", gn_status_name(got), says);
    assert_message_contains(says);
    gn_arena_free(&t.arena);
}

#define SHARED(size, rest) \
    "(kernel k (syms n) (bufs (X f32 9) (Y f32 " size " :shares X) (I i32 n)) (axes (i 9) (e n)) " rest ")"
#define ADD "(store add Y ((load I e)) 1)"
#define KERNEL(rest) "(kernel k (syms n) (bufs (X f32 n) (Y f32 n) (C f32 4)) (axes (i n) (j 4)) " rest ")"

static void faults_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *kernel, *schedule, *says;
    } cases[] = {
        { KERNEL("(store set Y (i) (load Z i))"), NULL, "no such buffer" },
        { KERNEL("(store set Y (i) (load X i j))"), NULL, "expected 1 indices, found 2" },
        { KERNEL("(store set Y (i) (frobnicate (load X i)))"), NULL,
          "neither a definition made above nor an elementwise operation" },
        { KERNEL("(store set Y (q) (load X i))"), NULL, "'q' is neither an axis nor a symbol" },
        { KERNEL("(store set Y (i) (add (load X i)))"), NULL, "takes 2 operands, 1 given" },
        { KERNEL("(def X () 1)"), NULL, "the name 'X' is taken" },
        { KERNEL("(def d (i) (sum () (load X i)))"), NULL, "a reduction over no axis" },
        { KERNEL("(def d () (load X i))"), NULL, "uses an axis that is neither a parameter nor reduced: i" },
        { KERNEL("(store set C (j) (load C j))"), NULL, "both loaded and stored" },
        { KERNEL("(store set C ((add j 1)) 1)"), NULL, "index into C runs from 1 to 4, its extent is 4" },
        { KERNEL("(store set Y (i) (load C (sub j 1)))"), NULL, "index into C runs from -1 to 2" },
        { KERNEL("(def d (i) (mul 2 (load X i))) (store set Y (i) (d (add i 1000)))"), NULL,
          "index into d runs from 1000 to n+999, its extent is n" },
        { KERNEL("(store set Y (i) (load X (add i n 1)))"), NULL,
          "index into X runs from n+1 to 2*n, its extent is n" },
        { SHARED("8", ADD), NULL, "Y: :shares a buffer of another dtype or shape: X" },
        { SHARED("9", "(store set Y (i) (load X (sub 8 i)))" ADD), NULL, "Y: :shares a buffer that is used otherwise: X" },
        { SHARED("9", "(store set Y (i) (load X i)) (store add Y ((load I e)) (load X (load I e)))"), NULL,
          "Y: :shares a buffer that is used otherwise: X" },
        { SHARED("9", "(store set X (i) 0)" ADD), NULL, "Y: :shares a buffer that is used otherwise: X" },
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
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused(cases[i].kernel, cases[i].schedule, cases[i].says);
}

#define FOLD(rest) KERNEL("(def s () (fold (i) " rest "))")
#define INTEGERS(rest) "(kernel k (syms n) (bufs (X f32 n) (T i32 n)) (axes (i n)) " rest ")"

static void a_kernel_not_of_its_form_is_told_what_was_expected(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "(krnl k)", "expected (kernel NAME ...)" },
        { "(kernel 5)", "expected a name" },
        { "(kernel a-b)", "'a-b' is no name: letters, digits and _" },
        { "(kernel k 5)", "expected a list of at least 1 items" },
        { "(kernel k (axis (i 4)))", "expected syms, bufs, axes, piece, def or store" },
        { "(kernel k (axes (i 4 5)))", "expected (NAME extent [:role ROLE] [:max INT])" },
        { "(kernel k (axes (i 4 :max 0)))", "expected (NAME extent [:role ROLE] [:max INT])" },
        { "(kernel k (axes (i 4 :max 4 :role row)))", "expected (NAME extent [:role ROLE] [:max INT])" },
        { "(kernel k (bufs) (axes (i 4 :max 3)))", "kernel k: i: has more points than :max says" },
        { "(kernel k (syms (n :min -1)))", "expected a number that is not negative" },
        { "(kernel k (bufs (X f32 1 1 1 1 1 1 1 1 1)))", "more than 8 dims" },
        { "(kernel k (bufs (T i32 4 :in 0)))", "expected :in 0 extent" },
        { "(kernel k (bufs (T i32 4 :in 1 4)))", "expected :in 0 extent" },
        { "(kernel k (bufs (T i32 4 :in 0 4 4)))", "expected :stride" },
        { "(kernel k (bufs (X f32 4 :in 0 4)) (axes))", "kernel k: X: :in of elements that are no whole numbers" },
        { "(kernel k (bufs (T i32 4 :in 0 4)) (axes (i 4)) (store set T (i) 0))",
          "kernel k: T: :in of what the kernel stores" },
        { "(kernel k (bufs (S i32 4) (T i32 4 :in 0 (load S 0))) (axes))", "kernel k: T: :in is not over symbols alone" },
        { "(kernel k (bufs (X f32 2) (Y f32 2 :shares Z)))", ":shares is followed by a buffer before this one" },
        { "(kernel k (bufs (X f32 2) (Y f32 2 :shares Y)))", ":shares is followed by a buffer before this one" },
        { KERNEL("(def d (i))"), "expected (def NAME (axes) value)" },
        { KERNEL("(def d i 1)"), "expected a list of axes" },
        { KERNEL("(def d (q) 1)"), "'q' is no axis" },
        { KERNEL("(store set Y (i))"), "expected (store set|add|max BUF (indices) value)" },
        { KERNEL("(store mul Y (i) 1)"), "expected set, add or max" },
        { KERNEL("(store set Q (i) 1)"), "no buffer 'Q'" },
        { KERNEL("(store set Y ((load Q i)) 1)"), "no buffer 'Q'" },
        { KERNEL("(store set Y ((load X i i i)) 1)"), "X has 1 dims, 3 indices given" },
        { KERNEL("(store set Y ((sub i)) 1)"), "(sub ...) with 1 operands" },
        { KERNEL("(store set Y ((frob i 1)) 1)"), "a dim was expected" },
        { KERNEL("(store set Y (i) (index i j))"), "index takes one index expression" },
        { KERNEL("(store set Y (i) (if (lt i 1) 1))"), "if takes a condition and two values" },
        { KERNEL("(store set Y (i) (if (le i 1) 1 2))"), "expected (lt a b) or (eq a b)" },
        { KERNEL("(store set Y (i) ((add) 1 2))"), "expected an operation" },
        { KERNEL("(store set Y (i) (cast f99 1))"), "cast: expected a dtype" },
        { INTEGERS("(store set T (i) 1.5)"), "1.5 where i32 is expected" },
        { INTEGERS("(store set X (i) (add (load X i) (load T i)))"), "add: operands of f32 and i32" },
        { INTEGERS("(store set X (i) (load T i))"), "store of i32 into X, which is f32" },
        { INTEGERS("(store set X (i) (if (lt i 1) (load X i) (load T i)))"), "kernel k: if: branches of f32 and i32" },
        { KERNEL("(def d (i) (sum (i j) (load X i)))"),
          "d: a prefix runs along one axis alone, and this one along another too: j" },
        { "(kernel k (syms n) (bufs (X f32 n)) (axes (i n) (j (add i 1))) (def d (i j) (sum (i) (load X i))))",
          "d: a prefix runs along the axis that the extent of another parameter depends on: j" },
        { KERNEL("(def d () (any (i) (load X i)))"), "d: any and all reduce bool" },
        { FOLD("(a f32 0)"), "expected (fold (axes) (NAME dtype number).. (step ..) (merge ..)), of at most 8 values" },
        { FOLD("(a f99 0) (step a) (merge a)"), "expected (NAME dtype number)" },
        { FOLD("(a f32 (load X 0)) (step a) (merge a)"), "a state starts with a number" },
        { FOLD("(a f32 n) (step a) (merge a)"), "a state starts with a number" },
        { FOLD("(i f32 0) (step i) (merge i)"), "the name 'i' is taken" },
        { FOLD("(a f32 0) (a f32 0) (step a a) (merge a a)"), "the name 'a' is taken" },
        { FOLD("(a f32 0) (step a a) (merge a)"), "expected (step ..) of 1 values, one for each of the state" },
        { FOLD("(a f32 0) (merge a) (step a)"), "expected (step ..) of 1 values, one for each of the state" },
        { FOLD("(a i32 0) (step (load X i)) (merge a)"), "'a' is i32, this is f32" },
        { FOLD("(a f32 0) (step (add a (other a))) (merge a)"), "other stands in a merge" },
        { FOLD("(a f32 0) (b f32 0) (step (new b) b) (merge a b)"), "'b' is made after this" },
        { FOLD("(a f32 0) (step (new q)) (merge a)"), "new takes the name of a value of the state" },
        { FOLD("(a f32 0) (step a) (merge (add a (load X 0)))"),
          "s: a merge is made of the two states and numbers alone" },
        { KERNEL("(def s () (fold (i) (a f32 0) (step a) (merge a))) (def t () (s))"),
          "'s' is a fold: one of its values is taken, as in (s.a ..)" },
        { KERNEL("(def s () (fold (i) (a f32 0) (step a) (merge a))) (def t () (s.b))"),
          "'s' has no value 'b'" },
        { KERNEL("(def d () 1) (store set Y (i) (d.a))"), "'d' has no value 'a'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) refused(cases[i][0], NULL, cases[i][1]);
}

static void a_schedule_not_of_its_form_is_told_what_was_expected(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "(sched s)", "expected (schedule NAME directive*)" },
        { "(schedule (s))", "expected a name" },
        { "(schedule a-b)", "'a-b' is no name: letters, digits and _" },
        { "(schedule s (split i))", "expected (split AXIS leaf+)" },
        { "(schedule s (split q a))", "'q' is no axis of the kernel" },
        { "(schedule s (split i a) (split i b))", "the axis 'i' is split twice" },
        { "(schedule s (fuse i -> c))", "expected (fuse AXIS AXIS+ -> NAME)" },
        { "(schedule s (fuse i j c))", "expected (fuse AXIS AXIS+ -> NAME)" },
        { "(schedule s (fuse i q -> c))", "'q' is no axis of the kernel" },
        { "(schedule s (fuse i j -> d))", "the name 'd' is taken" },
        { "(schedule s (fuse i i -> c))", "the axis 'i' is fused twice" },
        { "(schedule s (fuse i j -> c) (fuse c i -> e))", "the axis 'c' is fused twice" },
        { "(schedule s (fuse i j -> c) (fuse j i -> e))", "the axis 'j' is fused into 'c'" },
        { "(schedule s (fuse i j -> c) (split i a))", "the axis 'i' is fused into 'c'" },
        { "(schedule s (fuse i j -> c) (rfactor d c p i))", "the axis 'i' is fused into 'c'" },
        { "(schedule s (fuse i j -> c) (order c) (bind lane i))", "no leaf 'i'" },
        { "(schedule s (split i a (b 2 3)))", "expected a leaf or (leaf extent)" },
        { "(schedule s (split i a (b 0)))", "expected a number of at least 1" },
        { "(schedule s (split i a (a 4)))", "the leaf 'a' stands twice in this split" },
        { "(schedule s (split i a (b 4)) (split j (b 2)))",
          "the leaf 'b' is shared, but its extent or stride differs between the two splits" },
        { "(schedule s (split i a (b 4611686018427387904) (c 4)))", "the extents overflow" },
        { "(schedule s (rfactor d))", "expected (rfactor DEF leaf NEW [axis])" },
        { "(schedule s (rfactor d i d))", "the definition 'd' exists already" },
        { "(schedule s (order i j) (order i j))", "a second order" },
        { "(schedule s (order i j) (bind heap i))",
          "expected (bind part|block|thread|lane|unroll|private|tile leaf+)" },
        { "(schedule s (order i j) (stage d))", "expected (stage DEF level ...)" },
        { "(schedule s (order i j) (stage q reg))", "no definition 'q'" },
        { "(schedule s (order i j) (stage d reg (near i)))",
          "stage: expected (at leaf), (layout leaf+), (copy leaf+), (pad leaf n) or (depth n)" },
        { "(schedule s (order i j) (stage d reg) (stage d stack))", "'d' is staged twice" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refused(KERNEL("(def d (i) (load X i))"), cases[i][0], cases[i][1]);
}

static void verify(void *kernel)
{
    gn_kernel_verify(kernel);
}

/* What no text can say of a fold. */
static void verify_fold(void *arg)
{
    const int fault = *(const int *)arg;
    gn_arena a = { 0 };
    gn_kernel *k = read_kernel(&a, FOLD_EXTREMES("k"));
    gn_kfold *f = (gn_kfold *)k->defs.at[0].fold;
    const gn_kexpr *const hi = gn_kexpr_state(k, GN_F64, 1, false), *two[4] = { hi, hi, hi, hi };
    if (fault == 0) f->merge = gn_kexpr_tuple(k, two, 2);
    if (fault == 1) f->merge = gn_kexpr_tuple(k, two, 4);
    if (fault == 2) f->start = f->merge;
    if (fault == 3) two[0] = gn_kexpr_state(k, GN_F64, 4, false);
    if (fault == 4) two[0] = gn_kexpr_state(k, GN_F64, 0, true);
    const gn_kexpr **step = &k->defs.at[0].body;
    if (fault >= 3 && fault < 5) two[2] = (*step)->a[2], two[3] = (*step)->a[3], *step = gn_kexpr_tuple(k, two, 4);
    if (fault == 5) k->stores.at[2].value = hi;
    if (fault == 6) k->defs.at[0].fold = NULL, k->defs.at[0].red = GN_RED_SUM;
    const gn_status s = gn_protect(verify, k);
    gn_arena_free(&a);
    gn_check(s);
}

static void the_verifier_sees_what_is_no_fold(void **state)
{
    (void)state;
    static const char *const says[] = { "s: not one value for each of the state: merge",
                                        "s: a value has another dtype than what it starts with: n",
                                        "s: a state starts with a number: lo",
                                        "s: has no such value in its state",
                                        "s: has no such value in its state",
                                        "Y: has the state of a fold and is none",
                                        "s: has the state of a fold and is none" };
    for (int fault = 0; fault < 7; fault++) {
        assert_int_equal(gn_protect(verify_fold, &fault), GN_ESYNTAX);
        assert_message_contains(says[fault]);
    }
}

/* What no text can say, because it is read from front to back. */
static void verify_disorder(void *arg)
{
    const int fault = *(const int *)arg;
    gn_arena a = { 0 };
    gn_kernel *k;
    if (fault == 0) {
        k = read_kernel(&a, softmax);
        const gn_kitem first = k->items.at[0];
        k->items.at[0] = k->items.at[1], k->items.at[1] = first;
    } else {
        k = gn_kernel_new(&a, "k");
        gn_kernel_axis(k, "i", fault == 1 ? gn_dim_sym(k->dims, "j") : gn_dim_const(k->dims, 4));
        gn_kernel_axis(k, "j", gn_dim_const(k->dims, 4));
        for (int i = 0; fault == 2 && i < 63; i++)
            gn_kernel_axis(k, gn_arena_printf(&a, "a%d", i), gn_dim_const(k->dims, 4));
    }
    const gn_status s = gn_protect(verify, k);
    gn_arena_free(&a);
    gn_check(s);
}

static void the_verifier_sees_what_stands_in_the_wrong_order(void **state)
{
    (void)state;
    static const char *const says[] = { "kernel softmax: e: uses a definition that stands below it: m",
                                        "kernel k: i: its extent depends on an axis that is not before it: j",
                                        "kernel k: axes: more than 64" };
    for (int fault = 0; fault < 3; fault++) {
        assert_int_equal(gn_protect(verify_disorder, &fault), GN_ESYNTAX);
        assert_message_contains(says[fault]);
    }
}

typedef struct interpretation {
    const char *kernel;
    int64_t n;
    gn_arena arena;
} interpretation;

static void interpret(void *arg)
{
    interpretation *t = arg;
    float x[4] = { 0 }, y[4], c[4];
    x[1] = 0x1p-140f; /* as an i32: 512 */
    gn_kernel_interpret(read_kernel(&t->arena, t->kernel), (void *[]){ x, y, c }, &t->n, &t->arena);
}

static void the_interpreter_stays_inside_the_buffers(void **state)
{
    (void)state;
    static const struct {
        const char *kernel;
        int64_t n;
        const char *says;
    } cases[] = {
        { KERNEL("(store set Y (i) (load X (add i (mod n 2))))"), 3, "kernel k: element 3 of X, which has 3" },
        { KERNEL("(store set Y ((add i (mod n 2))) 1)"), 3, "kernel k: store to element 3 of Y, which has 3" },
        { KERNEL("(def d (i) (load X i)) (store set Y (i) (d (add i (mod n 2))))"), 3, "kernel k: d at 3, its axis has 3" },
        { KERNEL("(store set C (j) (index (mul j n n)))"), INT64_C(1) << 40, "kernel k: an index has no value" },
        { "(kernel k (syms n) (bufs (T i32 n :in 0 (mul 100 n)) (Y f32 n)) (axes (i n)) (store set Y (i) (cast f32 (load T i))))",
          3, "kernel k: element 1 of T is 512, not in [0, 300)" },
        { "(kernel k (syms n) (bufs (Y f32 n)) (axes (i n :max 2)) (store set Y (i) 1))", 3,
          "kernel k: i has 3 points, more than :max says" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        interpretation t = { .kernel = cases[i].kernel, .n = cases[i].n };
        assert_int_equal(gn_protect(interpret, &t), GN_EINTERNAL);
        assert_message_contains(cases[i].says);
        gn_arena_free(&t.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printing_then_reading_gives_the_same_kernel),
        cmocka_unit_test(printing_then_reading_gives_the_same_schedule),
        cmocka_unit_test(softmax_means_softmax),
        cmocka_unit_test(folds_mean_what_their_steps_say_one_after_the_other),
        cmocka_unit_test(a_fold_over_several_axes_and_dtypes_starts_anew_at_each_point),
        cmocka_unit_test(a_reduction_along_a_parameter_is_a_prefix),
        cmocka_unit_test(conditions_guard_loads_and_pick_elements),
        cmocka_unit_test(loads_read_what_was_there_before_a_store_took_it_over),
        cmocka_unit_test(dependent_extents_and_scatters_have_their_meaning),
        cmocka_unit_test(faults_are_told_with_their_place),
        cmocka_unit_test(a_kernel_not_of_its_form_is_told_what_was_expected),
        cmocka_unit_test(a_schedule_not_of_its_form_is_told_what_was_expected),
        cmocka_unit_test(the_verifier_sees_what_is_no_fold),
        cmocka_unit_test(the_verifier_sees_what_stands_in_the_wrong_order),
        cmocka_unit_test(the_interpreter_stays_inside_the_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
