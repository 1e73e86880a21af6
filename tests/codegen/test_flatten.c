/* Flattening: which axes become one, as kernels before and after, and that no value changes. */
#include "testlib.h"
#include "read_kernel.h"
#include <stdlib.h>
#include <string.h>
#include "flatten.h"

enum { MOST_BUFS = 8, ELEMENTS = 4096 };

typedef struct flat_case {
    const char *title, *before, *after; /* after: NULL where nothing merges */
} flat_case;

static const flat_case cases[] = {
    { "a map over two dims is a map over one",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (exp (load X i j))))",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Y f32 (mul 10 R))) (axes (i (mul 10 R))) (store set Y (i) (exp "
      "(load X i))))" },
    { "all dims merge, also named ones",
      "(kernel k (syms R C) (bufs (X f32 R C 3 2) (Y f32 R C 3 2)) (axes (i R) (j C) (k 3) (l 2)) (store set Y (i j k "
      "l) (exp (load X i j k l))))",
      "(kernel k (syms R C) (bufs (X f32 (mul 6 C R)) (Y f32 (mul 6 C R))) (axes (i (mul 6 C R))) (store set Y (i) "
      "(exp (load X i))))" },
    { "a broadcast keeps its axis, those before it merge",
      "(kernel k (syms R) (bufs (X f32 R 4 5) (B f32 5) (Y f32 R 4 5)) (axes (i R) (j 4) (k 5))"
      " (store set Y (i j k) (add (load X i j k) (load B k))))",
      "(kernel k (syms R) (bufs (X f32 (mul 4 R) 5) (B f32 5) (Y f32 (mul 4 R) 5)) (axes (i (mul 4 R)) (k 5))"
      " (store set Y (i k) (add (load X i k) (load B k))))" },
    { "a broadcast of trailing dims, those after it merge",
      "(kernel k (syms R) (bufs (X f32 R 4 5) (B f32 R) (C f32 4 5) (Y f32 R 4 5)) (axes (i R) (j 4) (k 5))"
      " (store set Y (i j k) (add (mul (load X i j k) (load C j k)) (load B i))))",
      "(kernel k (syms R) (bufs (X f32 R 20) (B f32 R) (C f32 20) (Y f32 R 20)) (axes (i R) (j 20))"
      " (store set Y (i j) (add (mul (load X i j) (load C j)) (load B i))))" },
    { "a transposed operand keeps both axes",
      "(kernel k (syms R) (bufs (X f32 10 R) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (exp (load X j i))))",
      NULL },
    { "axes in another order than the dims",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10)) (axes (j 10) (i R)) (store set Y (i j) (exp (load X i j))))",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Y f32 (mul 10 R))) (axes (i (mul 10 R))) (store set Y (i) (exp "
      "(load X i))))" },
    { "the position of an element is no reason against it",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10)) (axes (i R) (j 10))"
      " (store set Y (i j) (mul (load X i j) (cast f32 (i32 (index (div (add (mul 10 i) j) 4)))))))",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Y f32 (mul 10 R))) (axes (i (mul 10 R)))"
      " (store set Y (i) (mul (load X i) (cast f32 (i32 (index (div i 4)))))))" },
    { "the position along one axis is",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (mul (load X i j) "
      "(cast f32 (i32 j)))))",
      NULL },
    { "a condition on one axis is",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (if (lt j 4) (load X "
      "i j) 0)))",
      NULL },
    { "a definition at its own parameters",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10)) (axes (i R) (j 10)) (def t (i j) (exp (load X i j)))"
      " (store set Y (i j) (mul (t i j) (t i j))))",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Y f32 (mul 10 R))) (axes (i (mul 10 R))) (def t (i) (exp (load X "
      "i)))"
      " (store set Y (i) (mul (t i) (t i))))" },
    { "the parameters of a fold",
      "(kernel k (syms R) (bufs (X f32 R 3 10) (Y f32 R 3) (Z f32 R 3)) (axes (i R) (l 3) (j 10))"
      " (def s (i l) (fold (j) (n f32 0) (a f32 0) (step (add n 1) (add a (div (load X i l j) (new n))))"
      " (merge (add n (other n)) (add a (other a)))))"
      " (store set Y (i l) (s.a i l)) (store set Z (i l) (s.n i l)))",
      "(kernel k (syms R) (bufs (X f32 (mul 3 R) 10) (Y f32 (mul 3 R)) (Z f32 (mul 3 R))) (axes (i (mul 3 R)) (j 10))"
      " (def s (i) (fold (j) (n f32 0) (a f32 0) (step (add n 1) (add a (div (load X i j) (new n))))"
      " (merge (add n (other n)) (add a (other a)))))"
      " (store set Y (i) (s.a i)) (store set Z (i) (s.n i)))" },
    { "a definition that is transposed elsewhere",
      "(kernel k (syms) (bufs (X f32 10 10) (Y f32 10 10)) (axes (i 10) (j 10)) (def t (i j) (exp (load X i j)))"
      " (store set Y (i j) (mul (t i j) (t j i))))",
      NULL },
    { "rows of sums merge, what is summed does not",
      "(kernel k (syms R) (bufs (X f32 R 4 5) (Y f32 R 4)) (axes (i R) (j 4) (k 5)) (def s (i j) (sum (k) (load X i j "
      "k)))"
      " (store set Y (i j) (s i j)))",
      "(kernel k (syms R) (bufs (X f32 (mul 4 R) 5) (Y f32 (mul 4 R))) (axes (i (mul 4 R)) (k 5)) (def s (i) (sum (k) "
      "(load X i k)))"
      " (store set Y (i) (s i)))" },
    { "rows that are summed, too",
      "(kernel k (syms R) (bufs (X f32 R 4 5) (Y f32 R 4) (Z f32 5)) (axes (i R) (j 4) (k 5)) (def s (i j) (sum (k) "
      "(load X i j k)))"
      " (def t (k) (sum (i j) (load X i j k))) (store set Y (i j) (s i j)) (store set Z (k) (t k)))",
      NULL },
    { "axes of their own meet in a buffer",
      "(kernel k (syms R) (bufs (X f32 R 10) (Y f32 R 10) (Z f32 R 10)) (axes (i R) (j 10) (k R) (l 10))"
      " (store set Y (i j) (exp (load X i j))) (store set Z (k l) (neg (load X k l))))",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Y f32 (mul 10 R)) (Z f32 (mul 10 R))) (axes (i (mul 10 R)) (k (mul "
      "10 R)))"
      " (store set Y (i) (exp (load X i))) (store set Z (k) (neg (load X k))))" },
    { "and keep one another from merging",
      "(kernel k (syms R) (bufs (X f32 R 10) (B f32 10) (Y f32 R 10) (Z f32 R 10)) (axes (i R) (j 10) (k R) (l 10))"
      " (store set Y (i j) (exp (load X i j))) (store set Z (k l) (mul (load B l) (load X k l))))",
      NULL },
    { "whole rows from the third on",
      "(kernel k (syms R) (bufs (X f32 (add R 3) 10) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (exp (load X "
      "(add i 3) j))))",
      "(kernel k (syms R) (bufs (X f32 (add (mul 10 R) 30)) (Y f32 (mul 10 R))) (axes (i (mul 10 R))) (store set Y (i) "
      "(exp (load X (add i 30)))))" },
    { "every second row",
      "(kernel k (syms R) (bufs (X f32 (mul 2 R) 10) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (exp (load X "
      "(mul 2 i) j))))",
      NULL },
    { "parts of rows",
      "(kernel k (syms R) (bufs (X f32 R 12) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (exp (load X i j))))",
      NULL },
    { "an inner axis without elements leaves no trace of the outer one",
      "(kernel k (syms) (bufs (X f32 0) (Y f32 2 0)) (axes (i 2) (j 0)) (def t (j) (exp (load X j))) (store set Y (i "
      "j) (mul (t j) (t j))))",
      NULL },
    { "rows with a pitch",
      "(kernel k (syms R) (bufs (X f32 R 10 :stride 12 1) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (exp "
      "(load X i j))))",
      NULL },
    { "the same elements under another shape",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Z f32 (mul 5 R) 2) (Y f32 R 10)) (axes (i R) (j 10))"
      " (store set Y (i j) (add (load X (add (mul 10 i) j)) (load Z (div (add (mul 10 i) j) 2) (mod (add (mul 10 i) j) "
      "2)))))",
      "(kernel k (syms R) (bufs (X f32 (mul 10 R)) (Z f32 (mul 5 R) 2) (Y f32 (mul 10 R))) (axes (i (mul 10 R)))"
      " (store set Y (i) (add (load X i) (load Z (div i 2) (mod i 2)))))" },
    { "elements taken by index",
      "(kernel k (syms R) (bufs (T i32 R 10) (X f32 7) (Y f32 R 10)) (axes (i R) (j 10)) (store set Y (i j) (load X "
      "(load T i j))))",
      "(kernel k (syms R) (bufs (T i32 R 10) (X f32 7) (Y f32 (mul 10 R))) (axes (i (mul 10 R))) (store set Y (i) "
      "(load X (load T i))))" },
    { "an extent that follows an axis",
      "(kernel k (syms) (bufs (X f32 5 5) (Y f32 5 5)) (axes (i 5) (j (add i 1))) (store set Y (i j) (exp (load X i "
      "j))))",
      NULL },
};

/* Buffers of any kernel: the same numbers at the same elements; indices below 7. */
static void **fill(gn_arena *a, const gn_kernel *k)
{
    void **at = GN_NEW_ARRAY(a, void *, k->bufs.n);
    for (size_t b = 0; b < k->bufs.n; b++) {
        at[b] = GN_NEW_ARRAY(a, float, ELEMENTS);
        for (int i = 0; i < ELEMENTS; i++) {
            const int x = (i * 29 + (int)b * 13) % 127;
            if (k->bufs.at[b].dtype == GN_I32) ((int32_t *)at[b])[i] = x % 7;
            else ((float *)at[b])[i] = (float)(x - 60) / 64;
        }
    }
    return at;
}

static void check_values(gn_arena *a, const gn_kernel *before, const gn_kernel *after)
{
    static const int64_t sizes[] = { 0, 1, 2, 5, 13 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const int64_t sym[2] = { sizes[s], sizes[s] + 2 };
        void **x = fill(a, before), **y = fill(a, after);
        gn_kernel_interpret(before, x, sym, a);
        gn_kernel_interpret(after, y, sym, a);
        for (size_t b = 0; b < before->bufs.n; b++) assert_memory_equal(x[b], y[b], ELEMENTS * sizeof(float));
    }
}

static void axes_that_are_one_walk_become_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gn_arena a = { 0 };
        gn_kernel *const before = read_kernel(&a, cases[i].before);
        gn_kernel *const after = gn_kernel_flatten(before, &a);
        gn_kernel_verify(after);
        const char *expected = kernel_text(&a, read_kernel(&a, cases[i].after ? cases[i].after : cases[i].before));
        if (strcmp(expected, kernel_text(&a, after)) != 0)
            fail_msg("%s:\n%s\nexpected\n%s", cases[i].title, kernel_text(&a, after), expected);
        assert_int_equal(after == before, !cases[i].after);
        check_values(&a, before, after);
        gn_arena_free(&a);
    }
}

static void roles_and_pieces_follow_the_axes(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    gn_kernel *const k = read_kernel(
        &a, "(kernel k (syms) (bufs (X f32 6 10) (Y f32 6 10) (V f32 4 3) (W f32 4 3)) (axes (i 6) (j 10 :role row) (k 4) "
            "(l 3 :role lane)) (piece i j) (store set Y (i j) (exp (load X i j))) (piece k l) (store set W (k l) (exp (load "
            "V k l))))");
    gn_kernel_verify(k);
    const char *flat = kernel_text(&a, gn_kernel_flatten(k, &a));
    assert_non_null(strstr(flat, "(axes (i 60 :role row) (k 12 :role lane))\n  (piece i)\n  (store set Y"));
    assert_non_null(strstr(flat, "\n  (piece k)\n  (store set W"));
    gn_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(axes_that_are_one_walk_become_one),
        cmocka_unit_test(roles_and_pieces_follow_the_axes),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
