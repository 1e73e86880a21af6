/* Forms: kernels that differ in names alone have one, others do not. */
#include "testlib.h"
#include <string.h>
#include "kernel.h"
#include "kernel_form.h"
#include "read_kernel.h"
#include "schedule.h"
#include "sexpr.h"
#include "target.h"

static const char *form(gn_arena *a, const char *text)
{
    const gn_kernel *k = read_kernel(a, text);
    const char *schedule =
        k->axes.n > 1 ? "(schedule default (order i j) (bind part i))" : "(schedule default (order i) (bind part i))";
    return gn_kernel_form(a, k, gn_schedule_read(a, k, "test", gn_sx_read(a, "test", schedule, strlen(schedule))->at[0]));
}

#define ROWS(name, x, y, extent, op) \
    "(kernel " name " (syms n) (bufs (" x " f32 n " extent ") (" y " f32 n)) (axes (i n) (j " extent "))" \
    " (def s (i) (sum (j) (" op " (load " x " i j)))) (store set " y " (i) (s i)))"

static void names_do_not_matter(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const char *one = form(&a, ROWS("k0", "w1", "out0", "10", "exp"));
    assert_non_null(one);
    assert_string_equal(one, form(&a, ROWS("k7", "weights", "tmp3", "10", "exp")));
    gn_arena_free(&a);
}

static void ops_extents_and_the_order_of_buffers_do(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const char *one = form(&a, ROWS("k0", "x", "y", "10", "exp"));
    assert_string_not_equal(one, form(&a, ROWS("k0", "x", "y", "10", "log")));
    assert_string_not_equal(one, form(&a, ROWS("k0", "x", "y", "11", "exp")));
    const char *sub = "(kernel k (syms n) (bufs (a f32 n) (b f32 n) (c f32 n)) (axes (i n)) (store set c (i) (sub "
                      "(load a i) (load b i))))";
    const char *bus = "(kernel k (syms n) (bufs (a f32 n) (b f32 n) (c f32 n)) (axes (i n)) (store set c (i) (sub "
                      "(load b i) (load a i))))";
    assert_string_not_equal(form(&a, sub), form(&a, bus));
    gn_arena_free(&a);
}

/* exp of a buffer called exp is not log of one called log, nor is a buffer called sum a sum. */
static void a_name_that_is_also_a_word_is_a_name(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const char *one = form(&a, ROWS("k", "exp", "store", "10", "exp"));
    assert_string_equal(one, form(&a, ROWS("k", "x", "y", "10", "exp")));
    assert_string_not_equal(one, form(&a, ROWS("k", "log", "store", "10", "log")));
    gn_arena_free(&a);
}

/* Both have two buffers of indices; which of them a load within an index reads is told by number, whatever they are
 * called. */
static void the_buffer_that_an_index_reads_matters(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const char *first = "(kernel k (syms n) (bufs (t i32 n) (u i32 n) (x f32 n) (y f32 n)) (axes (i n)) (store set y "
                        "(i) (load x (load t i))))";
    const char *second = "(kernel k (syms n) (bufs (u i32 n) (t i32 n) (x f32 n) (y f32 n)) (axes (i n)) (store set y "
                         "(i) (load x (load t i))))";
    assert_string_not_equal(form(&a, first), form(&a, second));
    const char *other = "(kernel k (syms n) (bufs (a i32 n) (b i32 n) (c f32 n) (d f32 n)) (axes (i n)) (store set d "
                        "(i) (load c (load a i))))";
    assert_string_equal(form(&a, first), form(&a, other));
    gn_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_do_not_matter),
        cmocka_unit_test(ops_extents_and_the_order_of_buffers_do),
        cmocka_unit_test(a_name_that_is_also_a_word_is_a_name),
        cmocka_unit_test(the_buffer_that_an_index_reads_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
