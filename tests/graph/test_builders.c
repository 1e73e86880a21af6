/* Builders: types and values of results, and what each of them says to bad operands. */
#include "expect.h"
#include <gnomon/gnomon.h>
#include "testlib.h"
#include <math.h>

/* ---- elementwise ---- */

static void operands_are_promoted_and_numbers_take_the_dtype_beside_them(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *f = EXPECT_F32(g, "2", 1.5, -2), *d = EXPECT_OF(g, GN_F64, "2", 1, 2), *i = EXPECT_I32(g, "2", 7, -7),
            *l = EXPECT_OF(g, GN_I64, "2", 7, 8), *b = EXPECT_OF(g, GN_BOOL, "2", 1, 0),
            *u = EXPECT_OF(g, GN_U32, "2", 3, 4);
    EXPECT(gn_add(f, d), "f64 (2)", 2.5, 0);
    EXPECT(gn_add(i, l), "i64 (2)", 14, 1);
    EXPECT(gn_add(u, i), "i64 (2)", 10, -3);
    EXPECT(gn_add(f, i), "f32 (2)", 8.5, -9);
    EXPECT(gn_mul(f, 2), "f32 (2)", 3, -4);
    EXPECT(gn_mul(f, 0.5), "f32 (2)", 0.75, -1);
    EXPECT(gn_mul(i, 2), "i32 (2)", 14, -14);
    EXPECT(gn_mul(i, 0.5), "f32 (2)", 3.5, -3.5);
    EXPECT(gn_sub(10L, l), "i64 (2)", 3, 2);
    EXPECT(gn_add(b, b), "i32 (2)", 2, 0);
    EXPECT(gn_add(b, 1), "i32 (2)", 2, 1);
    EXPECT(gn_eq(i, l), "bool (2)", 1, 0);
    EXPECT(gn_eq(b, 1), "bool (2)", 1, 0);
    EXPECT(gn_maximum(i, 0), "i32 (2)", 7, 0);
    EXPECT(gn_div(i, 2), "f32 (2)", 3.5, -3.5);
    EXPECT(gn_floordiv(i, 2), "i32 (2)", 3, -4);
    EXPECT(gn_mod(i, 4), "i32 (2)", 3, 1);
    EXPECT(gn_mod(i, 0), "i32 (2)", 0, 0);
    EXPECT(gn_floordiv(f, 1), "f32 (2)", 1, -2);
    EXPECT(gn_mod(f, 1.25), "f32 (2)", 0.25, 0.5);
    EXPECT(gn_tanh(gn_mul(i, 0)), "f32 (2)", 0, 0);
    EXPECT(gn_sqrt(u), "f32 (2)", sqrt(3.0), 2);
    EXPECT(gn_floor(i), "i32 (2)", 7, -7);
    EXPECT(gn_ceil(f), "f32 (2)", 2, -2);
    EXPECT(gn_round(gn_mul(f, 1)), "f32 (2)", 2, -2);
    EXPECT(gn_trunc(f), "f32 (2)", 1, -2);
    EXPECT(gn_abs(b), "i32 (2)", 1, 0);
    EXPECT(gn_select(b, f, 9), "f32 (2)", 1.5, 9);
    EXPECT(gn_where(b, 1, 2), "i32 (2)", 1, 2);
    EXPECT(gn_where(b, 1, 2.5), "f32 (2)", 1, 2.5);
    EXPECT(gn_logical_and(b, 1), "bool (2)", 1, 0);
    EXPECT(gn_logical_not(b), "bool (2)", 0, 1);
    EXPECT(gn_bit_xor(u, 1), "u32 (2)", 2, 5);
    EXPECT(gn_shl(u, 31), "u32 (2)", 2147483648.0, 0);
    EXPECT(gn_clip(f, -1, 1), "f32 (2)", 1, -1);
    EXPECT(gn_pow(f, 2), "f32 (2)", 2.25, 4);
    assert_ptr_equal(gn_cast(f, GN_F32), f);
    gn_graph_free(g);
}

static void elementwise_builders_broadcast(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *m = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *row = EXPECT_F32(g, "3", 10, 20, 30),
            *column = EXPECT_F32(g, "2, 1", 100, 200);
    EXPECT(gn_add(m, row), "f32 (2, 3)", 11, 22, 33, 14, 25, 36);
    EXPECT(gn_add(column, m), "f32 (2, 3)", 101, 102, 103, 204, 205, 206);
    EXPECT(gn_add(row, column), "f32 (2, 3)", 110, 120, 130, 210, 220, 230);
    EXPECT_NOTHING(gn_add(EXPECT_F32(g, "0, 3", 0), row), "f32 (0, 3)");
    gn_expr *x = gn_input(g, "x", GN_F32, "n, 3"), *y = gn_input(g, "y", GN_F32, "m, 1");
    assert_string_equal(gn_type_text(gn_add(x, row)), "f32 (n, 3)");
    assert_string_equal(gn_type_text(gn_add(x, y)), "f32 (n, 3)"); /* n and m must agree at the call */
    assert_int_equal(gn_graph_check(g), GN_OK);
    EXPECT_ERROR(gn_add(m, EXPECT_F32(g, "2", 1, 2)), GN_ESHAPE, "add: extents of axis -1 differ: 3 and 2");
    EXPECT_ERROR(gn_add(gn_input(g, "p", GN_F32, "n"), gn_input(g, "q", GN_F32, "n+1")), GN_ESHAPE, "n and n+1");
    gn_graph_free(g);
}

static void elementwise_builders_refuse(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL), *other = gn_graph_new(NULL);
    gn_expr *f = EXPECT_F32(g, "2", 1, 2), *i = EXPECT_I32(g, "2", 1, 2), *u = EXPECT_OF(g, GN_U32, "2", 1, 2),
            *b = EXPECT_OF(g, GN_BOOL, "2", 1, 0);
    gn_expr *nothing = NULL, *foreign = gn_input(other, "x", GN_F32, "2");
    EXPECT_ERROR(gn_add(f, nothing), GN_EINVAL, "add: operand 2 is NULL");
    EXPECT_ERROR(gn_add(nothing, f), GN_EINVAL, "add: operand 1 is NULL");
    EXPECT_ERROR(gn_add(f, foreign), GN_EINVAL, "operand 2 belongs to another graph");
    EXPECT_ERROR(gn_select(b, f, nothing), GN_EINVAL, "select: operand 3 is NULL");
    EXPECT_ERROR(gn_select(f, f, f), GN_EDTYPE, "select: the condition is f32, not bool");
    EXPECT_ERROR(gn_bit_and(f, 1), GN_EDTYPE, "bit_and: operand 1 is f32, not an integer");
    EXPECT_ERROR(gn_shl(b, 1), GN_EDTYPE, "shl: operand 1 is bool, not an integer");
    EXPECT_ERROR(gn_bit_not(f), GN_EDTYPE, "bit_not: operand 1 is f32, not an integer");
    EXPECT_ERROR(gn_shr(i, 1.5), GN_EDTYPE, "shr: operand 2 is a fraction, not an integer");
    EXPECT_ERROR(gn_logical_and(b, f), GN_EDTYPE, "logical_and: operand 2 is f32, not bool");
    EXPECT_ERROR(gn_logical_or(b, 2), GN_EDTYPE, "logical_or: operand 2 is a number, not bool");
    EXPECT_ERROR(gn_logical_not(i), GN_EDTYPE, "logical_not: operand 1 is i32, not bool");
    EXPECT_ERROR(gn_add(u, -1), GN_EDTYPE, "the number -1 does not fit u32");
    EXPECT_ERROR(gn_mul(i, 3000000000), GN_EDTYPE, "the number 3000000000 does not fit i32");
    EXPECT_ERROR(gn_cast(f, (gn_dtype)99), GN_EDTYPE, "cast: 99 is no dtype");
    assert_int_equal(gn_graph_check(g), GN_OK);
    assert_null(gn_graph_of(gn_tanh(nothing))); /* the static error node */
    assert_message_contains("no operand belongs to a graph");
    gn_expr *failed = gn_bit_not(f);
    assert_ptr_equal(gn_add(gn_tanh(failed), 1), failed); /* passes through; the first error stays */
    assert_int_equal(gn_graph_check(g), GN_EDTYPE);
    assert_message_contains("bit_not");
    assert_message_contains("f32 (2)");
    gn_graph_free(other);
    gn_graph_free(g);
}

/* ---- reductions ---- */

static void reductions_take_lists_of_axes(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 3", 1, -2, 3, 4, 5, -6), *b = EXPECT_OF(g, GN_BOOL, "2, 2", 1, 0, 1, 1),
            *i = EXPECT_I32(g, "3", 3, 9, 9);
    EXPECT(gn_sum(x, GN_AXES(0)), "f32 (3)", 5, 3, -3);
    EXPECT(gn_sum(x, GN_AXES(-1)), "f32 (2)", 2, 3);
    EXPECT(gn_sum(x, GN_AXES(1, 0)), "f32 ()", 5);
    EXPECT(gn_sum_all(x), "f32 ()", 5);
    EXPECT(gn_prod(x, GN_AXES(1)), "f32 (2)", -6, -120);
    EXPECT(gn_max(x, GN_AXES(0)), "f32 (3)", 4, 5, 3);
    EXPECT(gn_min_all(x), "f32 ()", -6);
    EXPECT(gn_any(b, GN_AXES(0)), "bool (2)", 1, 1);
    EXPECT(gn_all(b, GN_AXES(0)), "bool (2)", 1, 0);
    EXPECT(gn_max(b, GN_AXES(0)), "bool (2)", 1, 1);
    EXPECT(gn_min_all(b), "bool ()", 0);
    EXPECT(gn_argmin(b, 1), "i64 (2)", 1, 0);
    EXPECT(gn_any_all(b), "bool ()", 1);
    EXPECT(gn_all_all(b), "bool ()", 0);
    EXPECT(gn_sum_all(b), "i64 ()", 3);
    EXPECT(gn_mean_all(b), "f32 ()", 0.75);
    EXPECT(gn_mean(x, GN_AXES(0)), "f32 (3)", 2.5, 1.5, -1.5);
    EXPECT(gn_mean_all(i), "f32 ()", 7);
    EXPECT(gn_var(x, GN_AXES(0)), "f32 (3)", 2.25, 12.25, 20.25);
    EXPECT(gn_var_all(i), "f32 ()", 8);
    EXPECT(gn_argmax(x, 1), "i64 (2)", 2, 1);
    EXPECT(gn_argmin(x, -2), "i64 (3)", 0, 0, 1);
    EXPECT(gn_argmax(i, 0), "i64 ()", 1); /* the first of equals */
    EXPECT(gn_sum(x, ((gn_axes){ 0 })), "f32 (2, 3)", 1, -2, 3, 4, 5, -6);
    EXPECT(gn_var(x, ((gn_axes){ 0 })), "f32 (2, 3)", 0, 0, 0, 0, 0, 0);
    EXPECT(gn_expand(gn_sum(x, GN_AXES(0)), GN_AXES(0)), "f32 (1, 3)", 5, 3, -3);
    gn_graph_free(g);
}

static void reductions_over_nothing_and_over_nan(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *none = EXPECT_F32(g, "2, 0", 0), *nan = EXPECT_F32(g, "3", 1, NAN, 2), *inf = EXPECT_F32(g, "2", INFINITY, 1),
            *i = EXPECT_I32(g, "0", 0);
    EXPECT(gn_sum(none, GN_AXES(1)), "f32 (2)", 0, 0);
    EXPECT(gn_prod(none, GN_AXES(1)), "f32 (2)", 1, 1);
    EXPECT(gn_max(none, GN_AXES(1)), "f32 (2)", -INFINITY, -INFINITY);
    EXPECT(gn_min_all(none), "f32 ()", INFINITY);
    EXPECT(gn_max_all(i), "i32 ()", INT32_MIN);
    EXPECT(gn_min_all(i), "i32 ()", INT32_MAX);
    EXPECT(gn_mean(none, GN_AXES(1)), "f32 (2)", NAN, NAN);
    EXPECT(gn_argmax(none, 1), "i64 (2)", 0, 0);
    EXPECT_NOTHING(gn_sum(none, GN_AXES(0)), "f32 (0)");
    EXPECT(gn_any_all(gn_eq(none, none)), "bool ()", 0);
    EXPECT(gn_all_all(gn_eq(none, none)), "bool ()", 1);
    EXPECT(gn_sum_all(nan), "f32 ()", NAN);
    EXPECT(gn_max_all(nan), "f32 ()", NAN);
    EXPECT(gn_min_all(nan), "f32 ()", NAN);
    EXPECT(gn_argmax(nan, 0), "i64 ()", 1);
    EXPECT(gn_sum_all(inf), "f32 ()", INFINITY);
    EXPECT(gn_prod_all(gn_mul(inf, 0)), "f32 ()", NAN);
    gn_graph_free(g);
}

static void reductions_refuse(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *nothing = NULL;
    EXPECT_ERROR(gn_sum(x, GN_AXES(2)), GN_EAXIS, "sum: axis 2 of a tensor of rank 2");
    EXPECT_ERROR(gn_max(x, GN_AXES(0, -3)), GN_EAXIS, "max: axis -3 of a tensor of rank 2");
    EXPECT_ERROR(gn_mean(x, GN_AXES(0, -2)), GN_EAXIS, "mean: axis -2 is named twice");
    EXPECT_ERROR(gn_sum(x, ((gn_axes){ -1, NULL })), GN_EINVAL, "sum: a list of axes that is none");
    EXPECT_ERROR(gn_any_all(x), GN_EDTYPE, "any_all: the operand is f32, not bool");
    EXPECT_ERROR(gn_all(x, GN_AXES(0)), GN_EDTYPE, "all: the operand is f32, not bool");
    EXPECT_ERROR(gn_argmax(x, 5), GN_EAXIS, "argmax: axis 5 of a tensor of rank 2");
    EXPECT_ERROR(gn_argmin(gn_sum_all(x), 0), GN_EAXIS, "argmin: axis 0 of a tensor of rank 0");
    assert_null(gn_graph_of(gn_sum_all(nothing)));
    gn_graph_free(g);
}

/* ---- movement ---- */

static void shapes_are_changed_by_strings(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *n = gn_input(g, "x", GN_F32, "n, 6");
    EXPECT(gn_reshape(x, "3, %d", 2), "f32 (3, 2)", 1, 2, 3, 4, 5, 6);
    EXPECT(gn_reshape(x, "-1"), "f32 (6)", 1, 2, 3, 4, 5, 6);
    assert_ptr_equal(gn_reshape(x, "2, -1"), x);
    EXPECT(gn_reshape(gn_sum_all(x), "1, 1"), "f32 (1, 1)", 21);
    assert_string_equal(gn_type_text(gn_reshape(n, "n, 2, -1")), "f32 (n, 2, 3)");
    assert_string_equal(gn_type_text(gn_reshape(n, "-1")), "f32 (6*n)");
    EXPECT(gn_transpose(x), "f32 (3, 2)", 1, 4, 2, 5, 3, 6);
    EXPECT(gn_permute(gn_reshape(x, "1, 2, 3"), GN_AXES(2, 0, -2)), "f32 (3, 1, 2)", 1, 4, 2, 5, 3, 6);
    EXPECT(gn_broadcast_to(EXPECT_F32(g, "2, 1", 7, 8), "2, 2, 3"), "f32 (2, 2, 3)", 7, 7, 7, 8, 8, 8, 7, 7, 7, 8, 8, 8);
    EXPECT(gn_broadcast_to(gn_sum_all(x), "2"), "f32 (2)", 21, 21);
    EXPECT(gn_squeeze(gn_expand(x, GN_AXES(0, -1)), GN_AXES(0, 3)), "f32 (2, 3)", 1, 2, 3, 4, 5, 6);
    EXPECT(gn_flip(x, GN_AXES(1)), "f32 (2, 3)", 3, 2, 1, 6, 5, 4);
    EXPECT(gn_flip(x, GN_AXES(0, 1)), "f32 (2, 3)", 6, 5, 4, 3, 2, 1);
    gn_graph_free(g);
}

static void slices_are_pythons(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "7", 0, 1, 2, 3, 4, 5, 6), *m = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6),
            *n = gn_input(g, "x", GN_F32, "n");
    EXPECT(gn_slice(x, "2:5"), "f32 (3)", 2, 3, 4);
    EXPECT(gn_slice(x, "::3"), "f32 (3)", 0, 3, 6);
    EXPECT(gn_slice(x, "1:-1:2"), "f32 (3)", 1, 3, 5);
    EXPECT(gn_slice(x, "-2:"), "f32 (2)", 5, 6);
    EXPECT(gn_slice(x, "::-1"), "f32 (7)", 6, 5, 4, 3, 2, 1, 0);
    EXPECT(gn_slice(x, "::-2"), "f32 (4)", 6, 4, 2, 0);
    EXPECT(gn_slice(x, "5:0:-2"), "f32 (3)", 5, 3, 1);
    EXPECT(gn_slice(x, "5:1:-3"), "f32 (2)", 5, 2);
    EXPECT_NOTHING(gn_slice(x, "3:3"), "f32 (0)");
    EXPECT(gn_slice(x, "%d", 4), "f32 ()", 4);
    EXPECT(gn_slice(x, "-1"), "f32 ()", 6);
    EXPECT(gn_slice(m, "1"), "f32 (3)", 4, 5, 6);
    EXPECT(gn_slice(m, " : , -1 "), "f32 (2)", 3, 6);
    EXPECT(gn_slice(m, "::-1, 1:"), "f32 (2, 2)", 5, 6, 2, 3);
    assert_ptr_equal(gn_slice(m, ":, :"), m);
    assert_string_equal(gn_type_text(gn_slice(n, "1:")), "f32 (n-1)");
    assert_string_equal(gn_type_text(gn_slice(n, ":k")), "f32 (k)");
    assert_string_equal(gn_type_text(gn_slice(n, "n-min(n, 4):")), "f32 (min(n, 4))");
    gn_graph_free(g);
}

static void pads_concatenations_and_splits(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 2", 1, 2, 3, 4), *i = EXPECT_I32(g, "1, 2", 8, 9), *part[2];
    EXPECT(gn_pad(x, 0, "1:, :1"), "f32 (3, 3)", 0, 0, 0, 1, 2, 0, 3, 4, 0);
    EXPECT(gn_pad(x, -INFINITY, ":, 1:1"), "f32 (2, 4)", -INFINITY, 1, 2, -INFINITY, -INFINITY, 3, 4, -INFINITY);
    EXPECT(gn_pad(i, 0.5, "0:0"), "f32 (1, 2)", 8, 9);
    EXPECT(gn_concat(GN_EXPRS(x, i), 0), "f32 (3, 2)", 1, 2, 3, 4, 8, 9);
    EXPECT(gn_concat(GN_EXPRS(x, x), -1), "f32 (2, 4)", 1, 2, 1, 2, 3, 4, 3, 4);
    assert_ptr_equal(gn_concat(GN_EXPRS(x), 1), x);
    EXPECT(gn_stack(GN_EXPRS(x, gn_neg(x)), 0), "f32 (2, 2, 2)", 1, 2, 3, 4, -1, -2, -3, -4);
    EXPECT(gn_stack(GN_EXPRS(x, gn_neg(x)), -1), "f32 (2, 2, 2)", 1, -1, 2, -2, 3, -3, 4, -4);
    gn_split(gn_concat(GN_EXPRS(x, i), 0), 1, 2, part);
    EXPECT(part[0], "f32 (3, 1)", 1, 3, 8);
    EXPECT(part[1], "f32 (3, 1)", 2, 4, 9);
    gn_split(gn_input(g, "x", GN_F32, "3, n"), 1, 2, part);
    assert_string_equal(gn_type_text(part[1]), "f32 (3, n/2)");
    gn_graph_free(g);
}

static void movement_refuses(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *n = gn_input(g, "x", GN_F32, "n"), *nothing = NULL, *part[4];
    EXPECT_ERROR(gn_reshape(x, "4"), GN_ESHAPE, "reshape: numbers of elements differ: 6 and 4");
    EXPECT_ERROR(gn_reshape(n, "n+1"), GN_ESHAPE, "reshape: numbers of elements differ: n and n+1");
    EXPECT_ERROR(gn_reshape(n, "n, 2"), GN_ESHAPE, "reshape: numbers of elements differ: n and 2*n");
    EXPECT_ERROR(gn_add(n, gn_concat(GN_EXPRS(n, n), 0)), GN_ESHAPE, "add: extents of axis -1 differ: n and 2*n");
    EXPECT_ERROR(gn_reshape(x, "4, -1"), GN_ESHAPE, "reshape: numbers of elements differ: 6 and 4");
    EXPECT_ERROR(gn_reshape(x, "-1, -1"), GN_ESHAPE, "extents may not be negative, but for one -1: -1, -1");
    EXPECT_ERROR(gn_reshape(x, "-2, 3"), GN_ESHAPE, "extents may not be negative");
    EXPECT_ERROR(gn_reshape(x, "0, -1"), GN_ESHAPE, "-1 beside an extent of 0 could be anything");
    EXPECT_ERROR(gn_reshape(x, "2, ("), GN_ESYNTAX, "reshape: shape \"2, (\", character 5");
    EXPECT_ERROR(gn_permute(x, GN_AXES(0)), GN_EAXIS, "permute: 1 axes for a tensor of rank 2");
    EXPECT_ERROR(gn_permute(x, GN_AXES(0, 0)), GN_EAXIS, "permute: axis 0 is named twice");
    EXPECT_ERROR(gn_transpose(n), GN_ESHAPE, "transpose: a tensor of rank 1; at least 2 is needed");
    EXPECT_ERROR(gn_broadcast_to(x, "3"), GN_ESHAPE, "broadcast_to: a tensor of rank 2 does not broadcast to rank 1");
    EXPECT_ERROR(gn_broadcast_to(x, "2, 4"), GN_ESHAPE, "broadcast_to: extents differ: 3 and 4");
    EXPECT_ERROR(gn_broadcast_to(x, "2, -1"), GN_ESHAPE, "broadcast_to: an extent of -1 in \"2, -1\"");
    EXPECT_ERROR(gn_expand(x, GN_AXES(4)), GN_EAXIS, "expand: axis 4 of a tensor of rank 3");
    EXPECT_ERROR(gn_expand(x, GN_AXES(0, 1, 2, 3, 4, 5, 6)), GN_ESHAPE,
                 "expand: a result of rank 9; at most 8 is possible");
    EXPECT_ERROR(gn_squeeze(x, GN_AXES(0)), GN_ESHAPE, "squeeze: axis 0 is not known to have extent 1");
    EXPECT_ERROR(gn_flip(x, GN_AXES(2)), GN_EAXIS, "flip: axis 2 of a tensor of rank 2");
    EXPECT_ERROR(gn_slice(x, "0, 0, 0"), GN_EAXIS, "slice: 3 ranges for a tensor of rank 2");
    EXPECT_ERROR(gn_slice(x, "3:"), GN_ESHAPE, "slice: the range \"3:\" of axis 0 with extent 2 ends before it starts");
    EXPECT_ERROR(gn_slice(x, ":5"), GN_ESHAPE, "slice: the range \":5\" of axis 0 with extent 2 ends after it");
    EXPECT_ERROR(gn_slice(x, "-3:"), GN_ESHAPE, "slice: the range \"-3:\" of axis 0 with extent 2 starts before it");
    EXPECT_ERROR(gn_slice(x, "2"), GN_ESHAPE, "ends after it");
    EXPECT_ERROR(gn_slice(n, "n+1:n+2"), GN_ESHAPE, "ends after it");
    EXPECT_ERROR(gn_slice(x, "::0"), GN_EINVAL, "slice: a step of 0");
    EXPECT_ERROR(gn_slice(x, "::n"), GN_ESYNTAX, "slice: the step \"n\" is no number");
    EXPECT_ERROR(gn_slice(x, "1:2:3:4"), GN_ESYNTAX, "slice: more than 3 parts between ':'");
    EXPECT_ERROR(gn_slice(x, "1,,2"), GN_EAXIS, "slice: 3 ranges");
    EXPECT_ERROR(gn_slice(x, " "), GN_ESYNTAX, "slice: an empty range");
    EXPECT_ERROR(gn_slice(x, "a b:"), GN_ESYNTAX, "slice: extent \"a b\", character 3");
    EXPECT_ERROR(gn_pad(x, 0, "1"), GN_ESYNTAX, "pad: \"1\" is not \"before:after\"");
    EXPECT_ERROR(gn_pad(x, 0, "-1:1"), GN_ESHAPE, "pad: a negative width: -1:1");
    EXPECT_ERROR(gn_pad(x, 0, ":, :-2"), GN_ESHAPE, "pad: a negative width: :-2");
    EXPECT_ERROR(gn_pad(x, 0, "1:1, 1:1, 1:1"), GN_EAXIS, "pad: 3 widths for a tensor of rank 2");
    EXPECT_ERROR(gn_pad(x, x, "1:1"), GN_ESHAPE, "pad: the fill is no scalar");
    EXPECT_ERROR(gn_pad(x, nothing, "1:1"), GN_EINVAL, "pad: operand 2 is NULL");
    EXPECT_ERROR(gn_concat(GN_EXPRS(x, nothing), 0), GN_EINVAL, "concat: operand 2 is NULL");
    EXPECT_ERROR(gn_concat(GN_EXPRS(x, n), 0), GN_ESHAPE, "concat: operands differ in rank");
    EXPECT_ERROR(gn_concat(GN_EXPRS(x, gn_transpose(x)), 0), GN_ESHAPE, "concat: extents differ: 3 and 2");
    EXPECT_ERROR(gn_concat(GN_EXPRS(x, x), 2), GN_EAXIS, "concat: axis 2 of a tensor of rank 2");
    EXPECT_ERROR(gn_stack(GN_EXPRS(x, n), 0), GN_ESHAPE, "stack: operands differ in rank");
    EXPECT_ERROR(gn_stack(GN_EXPRS(x, x), 3), GN_EAXIS, "stack: axis 3 of a tensor of rank 3");
    gn_split(x, 1, 2, part);
    EXPECT_ERROR(part[1], GN_ESHAPE, "split: the parts together and the extent differ: 2 and 3");
    gn_split(x, 0, 0, part);
    assert_int_equal(gn_graph_check(g), GN_EINVAL);
    assert_message_contains("split: 0 parts");
    gn_split(x, 2, 1, part);
    EXPECT_ERROR(part[0], GN_EAXIS, "split: axis 2 of a tensor of rank 2");
    gn_graph_free(g);
}

static void empty_lists_have_no_graph(void **state)
{
    (void)state;
    assert_null(gn_graph_of(gn_concat(((gn_exprs){ 0 }), 0)));
    assert_message_contains("no operand belongs to a graph");
    assert_null(gn_graph_of(gn_stack(((gn_exprs){ 0 }), 0)));
}

/* ---- contractions ---- */

static void products_of_all_ranks(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *a = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *b = EXPECT_F32(g, "3, 2", 1, 0, 0, 1, 2, 2),
            *v = EXPECT_F32(g, "3", 1, 10, 100);
    gn_expr *i = EXPECT_I32(g, "2, 2", 1, 2, 3, 4), *batch = EXPECT_F32(g, "2, 1, 3", 1, 2, 3, 4, 5, 6);
    EXPECT(gn_matmul(a, b), "f32 (2, 2)", 7, 8, 16, 17);
    EXPECT(gn_matmul(i, i), "i32 (2, 2)", 7, 10, 15, 22);
    EXPECT(gn_matmul(a, v), "f32 (2)", 321, 654);
    EXPECT(gn_matmul(v, b), "f32 (2)", 201, 210);
    EXPECT(gn_matmul(v, v), "f32 ()", 10101);
    EXPECT(gn_matmul(batch, b), "f32 (2, 1, 2)", 7, 8, 16, 17);
    EXPECT(gn_matmul(a, gn_reshape(b, "1, 3, 2")), "f32 (1, 2, 2)", 7, 8, 16, 17);
    EXPECT(gn_matmul(batch, gn_reshape(b, "1, 3, 2")), "f32 (2, 1, 2)", 7, 8, 16, 17);
    EXPECT(gn_matmul(gn_stack(GN_EXPRS(a, gn_neg(a)), 0), gn_stack(GN_EXPRS(b, b), 0)), "f32 (2, 2, 2)", 7, 8, 16, 17,
           -7, -8, -16, -17);
    EXPECT(gn_dot(v, v), "f32 ()", 10101);
    EXPECT(gn_outer(gn_slice(v, ":2"), v), "f32 (2, 3)", 1, 10, 100, 10, 100, 1000);
    EXPECT(gn_einsum("ij,jk->ki", a, b), "f32 (2, 2)", 7, 16, 8, 17);
    EXPECT(gn_einsum("ij,ij->", a, a), "f32 ()", 91);
    EXPECT(gn_einsum("ij,kl->", a, v = gn_reshape(v, "1, 3")), "f32 ()", 21 * 111);
    EXPECT(gn_einsum("ij, ij -> i", a, a), "f32 (2)", 14, 77);
    EXPECT(gn_matmul(EXPECT_F32(g, "2, 0", 0), EXPECT_F32(g, "0, 2", 0)), "f32 (2, 2)", 0, 0, 0, 0);
    gn_expr *x = gn_input(g, "x", GN_F32, "n, k"), *w = gn_input(g, "w", GN_F32, "m, 10");
    assert_string_equal(gn_type_text(gn_matmul(x, w)), "f32 (n, 10)"); /* k = m is checked at the call */
    gn_graph_free(g);
}

static void contractions_refuse(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *a = EXPECT_F32(g, "2, 3", 1, 2, 3, 4, 5, 6), *v = EXPECT_F32(g, "3", 1, 2, 3), *s = gn_sum_all(a),
            *nothing = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "batch, 784"), *w = gn_input(g, "w", GN_F32, "100, 10");
    EXPECT_ERROR(gn_matmul(x, w), GN_ESHAPE, "matmul: inner extents differ: 784 and 100\n    x  f32 (batch, 784)  made at");
    EXPECT_ERROR(gn_matmul(a, a), GN_ESHAPE, "matmul: inner extents differ: 3 and 2");
    EXPECT_ERROR(gn_matmul(gn_input(g, "p", GN_F32, "n, n"), gn_input(g, "q", GN_F32, "n+1, n")), GN_ESHAPE,
                 "inner extents differ: n and n+1");
    EXPECT_ERROR(gn_matmul(a, s), GN_ESHAPE, "matmul: operand 2 is a scalar");
    EXPECT_ERROR(gn_matmul(s, a), GN_ESHAPE, "matmul: operand 1 is a scalar");
    EXPECT_ERROR(gn_matmul(a, nothing), GN_EINVAL, "matmul: operand 2 is NULL");
    EXPECT_ERROR(gn_matmul(gn_reshape(a, "2, 1, 3"), gn_broadcast_to(v, "3, 3, 3")), GN_ESHAPE, "differ: 2 and 3");
    EXPECT_ERROR(gn_dot(a, v), GN_ESHAPE, "dot: operand 1 has rank 2, expected 1");
    EXPECT_ERROR(gn_dot(v, gn_slice(v, "1:")), GN_ESHAPE, "dot: extents differ: 3 and 2");
    EXPECT_ERROR(gn_outer(v, a), GN_ESHAPE, "outer: operand 2 has rank 2, expected 1");
    EXPECT_ERROR(gn_einsum("ij,jk", a, a), GN_ESYNTAX, "einsum: \"ij,jk\" is not like \"ij,jk->ik\"");
    EXPECT_ERROR(gn_einsum("ij->ij", a, a), GN_ESYNTAX, "is not like");
    EXPECT_ERROR(gn_einsum("i1,jk->ik", a, a), GN_ESYNTAX, "einsum: '1' in \"i1,jk->ik\" is no letter");
    EXPECT_ERROR(gn_einsum("ii,jk->ik", a, a), GN_ESYNTAX, "einsum: 'i' stands twice");
    EXPECT_ERROR(gn_einsum("ij,jk->iz", a, a), GN_ESYNTAX, "einsum: 'z' stands in the result alone");
    EXPECT_ERROR(gn_einsum("ijk,jk->i", a, a), GN_ESHAPE, "einsum: 3 letters for operand 1 of rank 2");
    gn_expr *wide = gn_reshape(a, "2, 1, 1, 3, 1");
    EXPECT_ERROR(gn_einsum("abcde,fghij->a", wide, wide), GN_ESHAPE, "contract: 10 different axes, more than 8");
    EXPECT_ERROR(gn_einsum("abcdefghi,j->j", a, v), GN_ESYNTAX, "einsum: more than 8 letters");
    EXPECT_ERROR(gn_einsum("ij,jk->ik", a, a), GN_ESHAPE, "einsum: extents of one letter differ: 3 and 2");
    EXPECT_ERROR(gn_einsum(NULL, a, a), GN_EINVAL, "einsum: the letters are NULL");
    gn_graph_free(g);
}

/* ---- indices and fills ---- */

static void elements_by_index(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "3, 2", 1, 2, 3, 4, 5, 6), *i = EXPECT_I32(g, "2", 2, 0),
            *m = EXPECT_OF(g, GN_I64, "2, 2", 0, 1, 1, 1);
    EXPECT(gn_take(x, i, 0), "f32 (2, 2)", 5, 6, 1, 2);
    EXPECT(gn_take(x, m, -1), "f32 (3, 2, 2)", 1, 2, 2, 2, 3, 4, 4, 4, 5, 6, 6, 6);
    EXPECT(gn_take(x, gn_slice(i, "0"), 0), "f32 (2)", 5, 6);
    EXPECT(gn_scatter_add(x, EXPECT_I32(g, "3", 0, 0, 2), EXPECT_F32(g, "3, 2", 10, 20, 30, 40, 50, 60), 0),
           "f32 (3, 2)", 41, 62, 3, 4, 55, 66);
    EXPECT(gn_scatter_add(i, EXPECT_I32(g, "1", 1), EXPECT_F32(g, "1", 0.5), 0), "f32 (2)", 2, 0.5);
    EXPECT(gn_iota(g, GN_I32, 1, "2, 3"), "i32 (2, 3)", 0, 1, 2, 0, 1, 2);
    EXPECT(gn_iota(g, GN_F32, -2, "2, 2"), "f32 (2, 2)", 0, 0, 1, 1);
    EXPECT(gn_full(g, GN_I64, 7, "2, %d", 2), "i64 (2, 2)", 7, 7, 7, 7);
    EXPECT(gn_full(g, GN_F32, gn_sum_all(x), "2"), "f32 (2)", 21, 21);
    EXPECT(gn_one_hot(i, GN_F32, "3"), "f32 (2, 3)", 0, 0, 1, 1, 0, 0);
    EXPECT(gn_one_hot(EXPECT_I32(g, "2", -1, 3), GN_I32, "%d", 2), "i32 (2, 2)", 0, 0, 0, 0);
    gn_graph_free(g);
}

static void index_builders_refuse(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "3, 2", 1, 2, 3, 4, 5, 6), *i = EXPECT_I32(g, "2", 2, 0);
    EXPECT_ERROR(gn_take(x, x, 0), GN_EDTYPE, "take: indices are f32, not integers");
    EXPECT_ERROR(gn_take(x, i, 2), GN_EAXIS, "take: axis 2 of a tensor of rank 2");
    EXPECT_ERROR(gn_take(gn_reshape(x, "1, 1, 1, 1, 1, 1, 3, 2"), gn_reshape(i, "1, 2"), 0), GN_ESHAPE,
                 "take: a result of rank 9; at most 8 is possible");
    EXPECT_ERROR(gn_scatter_add(x, i, x, 0), GN_ESHAPE, "scatter_add: extents of the updates differ: 3 and 2");
    EXPECT_ERROR(gn_scatter_add(x, i, i, 0), GN_ESHAPE, "scatter_add: updates have rank 1, expected 2");
    EXPECT_ERROR(gn_scatter_add(x, x, x, 0), GN_EDTYPE, "scatter_add: indices are f32, not integers");
    EXPECT_ERROR(gn_iota(g, GN_BOOL, 0, "3"), GN_EDTYPE, "iota: counts in numbers, not in bools");
    EXPECT_ERROR(gn_iota(g, GN_I32, 1, "3"), GN_EAXIS, "iota: axis 1 of a tensor of rank 1");
    EXPECT_ERROR(gn_iota(g, (gn_dtype)50, 0, "3"), GN_EDTYPE, "iota: 50 is no dtype");
    EXPECT_ERROR(gn_full(g, GN_F32, x, "3"), GN_ESHAPE, "full: the value has rank 2, expected a scalar");
    EXPECT_ERROR(gn_full(g, GN_I32, 0.5, "3"), GN_EDTYPE, "full: the number 0.5 does not fit i32");
    EXPECT_ERROR(gn_full(g, GN_F32, 0, "-3"), GN_ESHAPE, "full: an extent of -3 in \"-3\"");
    EXPECT_ERROR(gn_one_hot(x, GN_F32, "3"), GN_EDTYPE, "one_hot: labels are f32, not integers");
    EXPECT_ERROR(gn_one_hot(i, GN_F32, "3, 4"), GN_ESYNTAX,
                 "one_hot: extent \"3, 4\", character 2: an operator or the end was expected");
    EXPECT_ERROR(gn_one_hot(i, (gn_dtype)-1, "3"), GN_EDTYPE, "one_hot: -1 is no dtype");
    EXPECT_ERROR(gn_reshape(x, NULL), GN_EINVAL, "reshape: a text that is NULL");
    gn_graph_free(g);
}

/* Every arithmetic type of C, and the ends of the widest. */
static void numbers_of_every_type_are_operands(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = EXPECT_F32(g, "2", 1, 2), *u = gn_full(g, GN_U64, 0, "1"), *i = gn_full(g, GN_I64, 0, "1");
    const size_t n = 3;
    const char c = 'a';
    gn_expr *y = gn_add(gn_add(x, n), (unsigned char)1);
    y = gn_add(gn_add(y, (signed char)-1), (short)2), y = gn_add(gn_add(y, (unsigned short)2), 3u),
    y = gn_add(gn_add(y, 4ul), 5ull);
    y = gn_add(gn_add(y, 1l), 1ll), y = gn_add(gn_add(y, (_Bool)1), 1.0L), y = gn_sub(gn_add(y, c), 97),
    y = gn_mul(gn_mul(y, 1.0f), 1.0);
    EXPECT(y, "f32 (2)", 24, 25);
    EXPECT(gn_eq(gn_sub(u, 1), UINT64_MAX), "bool (1)", 1);
    EXPECT(gn_eq(gn_sub(u, 1), 18446744073709551614u), "bool (1)", 0);
    EXPECT_ERROR(gn_add(i, UINT64_MAX), GN_EDTYPE, "add: the number 18446744073709551615 does not fit i64");
    EXPECT(gn_mul(x, UINT64_MAX), "f32 (2)", 0x1p64, 0x1p65);
    gn_graph_free(g);
}

/* The forms for other languages take their text as it is, and make the same nodes. */
static void texts_without_a_format_make_the_same_nodes(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_expr *x = gn_input_text(GN_HERE, g, "x", GN_F32, "n, 4"), *t = gn_input_text(GN_HERE, g, "t", GN_I32, "n");
    const gn_operand one = GN_OP(1), zero = GN_OP(0);
    assert_string_equal(gn_type_text(x), "f32 (n, 4)");
    assert_ptr_equal(gn_reshape_text(GN_HERE, x, "2*n, 2"), gn_reshape(x, "2*n, %d", 2));
    assert_ptr_equal(gn_broadcast_to_text(GN_HERE, x, "3, n, 4"), gn_broadcast_to(x, "%d, n, 4", 3));
    assert_ptr_equal(gn_slice_text(GN_HERE, x, ":, 1"), gn_slice(x, ":, %d", 1));
    assert_ptr_equal(gn_pad_text(GN_HERE, x, one, "0:0, 1:n%3"), gn_pad(x, 1, "0:0, %d:n%%3", 1));
    assert_ptr_equal(gn_iota_text(GN_HERE, g, GN_I32, 0, "n%5"), gn_iota(g, GN_I32, 0, "n%%5"));
    assert_ptr_equal(gn_full_text(GN_HERE, g, GN_F32, one, "n"), gn_full(g, GN_F32, 1, "n"));
    assert_ptr_equal(gn_one_hot_text(GN_HERE, t, GN_F32, "7"), gn_one_hot(t, GN_F32, "%d", 7));
    assert_ptr_equal(gn_uniform_text(GN_HERE, g, "u", zero, GN_F32, "n"), gn_uniform(g, "u", 0, GN_F32, "n"));
    assert_ptr_equal(gn_normal_text(GN_HERE, g, "v", zero, GN_F32, "n"), gn_normal(g, "v", 0, GN_F32, "n"));
    assert_ptr_equal(gn_bernoulli_text(GN_HERE, g, "b", zero, 0.5, "n"), gn_bernoulli(g, "b", 0, 0.5, "n"));
    assert_string_equal(gn_type_text(gn_param_text(GN_HERE, g, "w", GN_F32, GN_ZEROS, "3, 4")), "f32 (3, 4)");
    assert_int_equal(gn_graph_check(g), GN_OK);
    EXPECT_ERROR(gn_input_text(GN_HERE, g, "y", GN_F32, "%d"), GN_ESYNTAX, "input: \"y\": shape \"%d\", character 1");
    EXPECT_ERROR(gn_slice_text(GN_HERE, x, NULL), GN_EINVAL, "slice: a text that is NULL");
    EXPECT_ERROR(gn_param_text(GN_HERE, g, "z", GN_F32, GN_ZEROS, NULL), GN_EINVAL, "param: \"z\": its shape is NULL");
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operands_are_promoted_and_numbers_take_the_dtype_beside_them),
        cmocka_unit_test(elementwise_builders_broadcast),
        cmocka_unit_test(elementwise_builders_refuse),
        cmocka_unit_test(reductions_take_lists_of_axes),
        cmocka_unit_test(reductions_over_nothing_and_over_nan),
        cmocka_unit_test(reductions_refuse),
        cmocka_unit_test(shapes_are_changed_by_strings),
        cmocka_unit_test(slices_are_pythons),
        cmocka_unit_test(pads_concatenations_and_splits),
        cmocka_unit_test(movement_refuses),
        cmocka_unit_test(empty_lists_have_no_graph),
        cmocka_unit_test(products_of_all_ranks),
        cmocka_unit_test(contractions_refuse),
        cmocka_unit_test(elements_by_index),
        cmocka_unit_test(index_builders_refuse),
        cmocka_unit_test(numbers_of_every_type_are_operands),
        cmocka_unit_test(texts_without_a_format_make_the_same_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
