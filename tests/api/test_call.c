/* Calls: values, every mistake a call can make, views with strides, zero sizes, memory that the library allocates. */
#include "api.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* y = x * x + t, over named dims */
typedef struct pair {
    gn_graph *g;
    gn_func *f;
} pair;

static pair make_pair(gn_context *c)
{
    pair p = { gn_graph_new(c), NULL };
    gn_expr *x = gn_input(p.g, "x", GN_F32, "n, m"), *t = gn_input(p.g, "t", GN_F32, "n, m");
    must(gn_compile(&p.f, p.g, .in = GN_EXPRS(x, t), .out = GN_EXPRS(gn_add(gn_mul(x, x), t), gn_sum_all(x)),
                    .name = "pair"));
    return p;
}

static void free_pair(pair p)
{
    gn_func_free(p.f);
    gn_graph_free(p.g);
}

static gn_array matrix(float *data, int64_t n, int64_t m)
{
    return gn_array_of(data, GN_F32, 2, (int64_t[]){ n, m });
}

static void a_call_computes(void **state)
{
    pair p = make_pair(*state);
    float x[6] = { 1, 2, 3, 4, 5, 6 }, t[6] = { 10, 20, 30, 40, 50, 60 }, y[6], s;
    must(gn_call(p.f, GN_ARRAYS(matrix(x, 2, 3), matrix(t, 2, 3)), GN_ARRAYS(matrix(y, 2, 3), GN_SCALAR(&s))));
    for (int i = 0; i < 6; i++) assert_true(y[i] == x[i] * x[i] + t[i]);
    assert_true(s == 21);
    must(gn_call(p.f, GN_ARRAYS(matrix(x, 3, 2), matrix(t, 3, 2)), GN_ARRAYS(matrix(y, 3, 2), GN_SCALAR(&s))));
    must(gn_call(p.f, GN_ARRAYS(matrix(x, 1, 1), matrix(t, 1, 1)), GN_ARRAYS(matrix(y, 1, 1), GN_SCALAR(&s))));
    assert_true(y[0] == 11 && s == 1);
    free_pair(p);
}

static void a_function_outlives_its_graph(void **state)
{
    pair p = make_pair(*state);
    gn_graph_free(p.g);
    float x[2] = { 1, 2 }, t[2] = { 0, 0 }, y[2], s;
    must(gn_call(p.f, GN_ARRAYS(matrix(x, 1, 2), matrix(t, 1, 2)), GN_ARRAYS(matrix(y, 1, 2), GN_SCALAR(&s))));
    assert_true(y[1] == 4);
    gn_func_free(p.f);
}

static void zero_sizes_work(void **state)
{
    pair p = make_pair(*state);
    float s = 5;
    must(gn_call(p.f, GN_ARRAYS(matrix(NULL, 0, 3), matrix(NULL, 0, 3)), GN_ARRAYS(matrix(NULL, 0, 3), GN_SCALAR(&s))));
    assert_true(s == 0);
    free_pair(p);
}

static void strided_views_are_copied(void **state)
{
    pair p = make_pair(*state);
    float x[12], t[6] = { 0 }, y[18], s;
    for (int i = 0; i < 12; i++) x[i] = (float)i;
    for (int i = 0; i < 18; i++) y[i] = -1;
    gn_array xt = matrix(x, 2, 3), tr = matrix(t, 2, 3), yv = matrix(y, 2, 3);
    xt.stride[0] = 1, xt.stride[1] = 2;      /* transposed */
    tr.stride[0] = tr.stride[1] = 0, t[0] = 100; /* broadcast */
    yv.data = y + 17, yv.stride[0] = -9, yv.stride[1] = -3; /* backwards with gaps */
    must(gn_call(p.f, GN_ARRAYS(xt, tr), GN_ARRAYS(yv, GN_SCALAR(&s))));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) {
            const float want = x[i + 2 * j];
            assert_true(y[17 - 9 * i - 3 * j] == want * want + 100);
        }
    assert_true(y[16] == -1 && y[0] == -1);
    assert_true(s == 15);
    free_pair(p);
}

static void outputs_are_allocated_on_request(void **state)
{
    pair p = make_pair(*state);
    float x[2] = { 1, 2 }, t[2] = { 3, 4 }, s;
    gn_array y = { 0 };
    must(gn_call(p.f, GN_ARRAYS(matrix(x, 2, 1), matrix(t, 2, 1)), GN_ARRAYS(GN_NEW(&y), GN_SCALAR(&s))));
    assert_true(y.dtype == GN_F32 && y.rank == 2 && y.shape[0] == 2 && y.shape[1] == 1 && !y.fill);
    assert_true(((float *)y.data)[1] == 8);
    gn_array_free(&y);
    assert_null(y.data);
    /* none is left behind by a failing call */
    assert_int_equal(gn_call(p.f, GN_ARRAYS(matrix(x, 2, 1), matrix(t, 2, 1)), GN_ARRAYS(GN_NEW(&y), GN_SCALAR(&x[0]))),
                     GN_EINVAL);
    assert_null(y.data);
    free_pair(p);
}

static void each_mistake_of_a_call_is_told(void **state)
{
    pair p = make_pair(*state);
    float x[6] = { 0 }, t[6] = { 0 }, y[6], s;
    double d[6] = { 0 };
    const gn_array X = matrix(x, 2, 3), T = matrix(t, 2, 3), Y = matrix(y, 2, 3), S = GN_SCALAR(&s);
    refuse(gn_call(NULL, GN_ARRAYS(X, T), GN_ARRAYS(Y, S)), GN_EINVAL, "the function is NULL");
    refuse(gn_call(p.f, GN_ARRAYS(X), GN_ARRAYS(Y, S)), GN_EINVAL, "pair: 1 inputs, expected 2");
    refuse(gn_call(p.f, GN_ARRAYS(X, T, T), GN_ARRAYS(Y, S)), GN_EINVAL, "pair: 3 inputs, expected 2");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(Y)), GN_EINVAL, "pair: 1 outputs, expected 2");
    refuse(gn_call(p.f, (gn_arrays){ 2, NULL }, GN_ARRAYS(Y, S)), GN_EINVAL, "the list of arrays is NULL");
    refuse(gn_call(p.f, GN_ARRAYS(gn_array_of(d, GN_F64, 2, (int64_t[]){ 2, 3 }), T), GN_ARRAYS(Y, S)), GN_EDTYPE,
           "input 'x' is f64 (2, 3), expected f32 (n, m)");
    assert_message_contains("'x' was made at ");
    assert_message_contains("test_call.c:");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(gn_array_of(d, GN_F64, 2, (int64_t[]){ 2, 3 }), S)), GN_EDTYPE,
           "is f64 (2, 3), expected f32 (n, m)");
    refuse(gn_call(p.f, GN_ARRAYS(GN_VIEW(x, 6), T), GN_ARRAYS(Y, S)), GN_ESHAPE,
           "input 'x' is f32 (6), expected f32 (n, m)");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(GN_VIEW(y, 6), S)), GN_ESHAPE, "is f32 (6), expected f32 (n, m)");
    refuse(gn_call(p.f, GN_ARRAYS(X, matrix(t, 1, 3)), GN_ARRAYS(Y, S)), GN_ESHAPE,
           "named dim 'n' is bound to two sizes: 2 by axis 0 of input 'x', 1 by axis 0 of input 't'");
    assert_message_contains("'t' was made at ");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(matrix(y, 3, 2), S)), GN_ESHAPE, "is f32 (3, 2), expected f32 (n, m)");
    assert_message_contains("for the sizes of this call that is (2, 3)");
    refuse(gn_call(p.f, GN_ARRAYS(matrix(NULL, 2, 3), T), GN_ARRAYS(Y, S)), GN_EINVAL, "input 'x' has data NULL");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(matrix(NULL, 2, 3), S)), GN_EINVAL, "has data NULL");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(X, S)), GN_EINVAL, "overlaps input 'x' in memory");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(Y, GN_SCALAR(&y[5]))), GN_EINVAL, "overlaps output");
    refuse(gn_call(p.f, GN_ARRAYS(matrix(x, -1, 3), T), GN_ARRAYS(Y, S)), GN_ESHAPE,
           "axis 0 of input 'x' has the negative extent -1");
    refuse(gn_call(p.f, GN_ARRAYS(matrix(x, INT64_MAX, 3), matrix(t, INT64_MAX, 3)), GN_ARRAYS(Y, S)), GN_ENOMEM,
           "size overflows");
    gn_array out;
    refuse(gn_call(p.f, GN_ARRAYS(GN_NEW(&out), T), GN_ARRAYS(Y, S)), GN_EINVAL, "input 'x' is GN_NEW");
    must(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(Y, S))); /* still usable */
    free_pair(p);
}

/* Extents that no renaming makes equal are compared at each call. */
static void sums_of_dims_that_differ_are_told_with_the_inputs_that_bind_them(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *a = gn_input(g, "a", GN_F32, "n"), *b = gn_input(g, "b", GN_F32, "m"), *c = gn_input(g, "c", GN_F32, "k");
    gn_expr *sum = gn_add(gn_concat(GN_EXPRS(a, b), 0), gn_concat(GN_EXPRS(c, c), 0));
    must(gn_compile(&f, g, .in = GN_EXPRS(a, b, c), .out = GN_EXPRS(gn_sum_all(sum))));
    float x[8] = { 1, 2, 3, 4, 5, 6, 7, 8 }, s = 0;
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 2), GN_VIEW(x, 4), GN_VIEW(x, 3)), GN_ARRAYS(GN_SCALAR(&s))));
    assert_true(s == 3 + 10 + 12);
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(x, 2), GN_VIEW(x, 4), GN_VIEW(x, 4)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE,
           " differ: ");
    assert_message_contains("test_call.c:");
    assert_message_contains("is 6, ");
    assert_message_contains("k = 4: axis 0 of input 'c', made at ");
    assert_message_contains("n = 2: axis 0 of input 'a', made at ");
    gn_func_free(f);
    gn_graph_free(g);
}

static void sizes_of_a_call_that_cannot_be_are_told(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_array y = { 0 };
    float x = 1;
    gn_expr *a = gn_input(g, "a", GN_F32, "n"), *b = gn_input(g, "b", GN_F32, "n-5");
    gn_array many = GN_VIEW(&x, 1);
    must(gn_compile(&f, g, .in = GN_EXPRS(a), .out = GN_EXPRS(gn_broadcast_to(gn_sum_all(a), "n, n, n, n")),
                    .name = "cube"));
    many.shape[0] = INT64_C(1) << 20, many.stride[0] = 0;
    refuse(gn_call(f, GN_ARRAYS(many), GN_ARRAYS(GN_NEW(&y))), GN_ENOMEM, "size overflows");
    assert_message_contains("cube: ");
    gn_func_free(f);
    must(gn_compile(&f, g, .in = GN_EXPRS(a, b), .out = GN_EXPRS(gn_add(gn_sum_all(a), gn_sum_all(b))), .name = "rest"));
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(&x, 1), GN_VIEW(&x, 1)), GN_ARRAYS(GN_SCALAR(&x))), GN_ESHAPE,
           "rest: axis 0 of 'b' has extent -4");
    gn_func_free(f);
    gn_graph_free(g);
}

/* The usual call compares with the last one: whatever changed, it must see all that a first call sees. */
static void a_pointer_that_moves_onto_another_is_refused_each_time(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    gn_expr *a = gn_input(g, "a", GN_F32, "n"), *b = gn_input(g, "b", GN_F32, "n"), *c = gn_input(g, "c", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(a, b, c), .out = GN_EXPRS(gn_add(a, b), gn_mul(b, c), gn_sub(c, a)),
                    .name = "six"));
    float memory[7][4] = { { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 9, 10, 11, 12 } };
    gn_array s[6];
    const gn_arrays in = { 3, s }, out = { 3, s + 3 };
    for (int i = 0; i < 6; i++) s[i] = GN_VIEW(memory[i], 4);
    must(gn_call(f, in, out));
    for (int moved = 0; moved < 6; moved++)
        for (int onto = 0; onto < 6; onto++) {
            float *const home = s[moved].data;
            s[moved].data = (float *)s[onto].data + (moved == onto ? 0 : 1);
            if (moved == onto || (moved < 3 && onto < 3)) s[moved].data = memory[6];
            const bool bad = s[moved].data != memory[6];
            for (int turn = 0; turn < 2; turn++) {
                if (bad) refuse(gn_call(f, in, out), GN_EINVAL, "overlaps");
                else must(gn_call(f, in, out));
            }
            s[moved].data = home;
            memset(memory[3], 0, 3 * sizeof *memory);
            must(gn_call(f, in, out));
            for (int i = 0; i < 4; i++)
                assert_true(memory[3][i] == memory[0][i] + memory[1][i] && memory[4][i] == memory[1][i] * memory[2][i] &&
                            memory[5][i] == memory[2][i] - memory[0][i]);
        }
    s[3].data = NULL;
    for (int turn = 0; turn < 2; turn++) refuse(gn_call(f, in, out), GN_EINVAL, "has data NULL");
    gn_func_free(f);
    gn_graph_free(g);
}

static void a_call_after_another_is_checked_as_the_first(void **state)
{
    pair p = make_pair(*state);
    float x[6] = { 1, 2, 3, 4, 5, 6 }, t[6] = { 0 }, u[6] = { 1, 1, 1, 1, 1, 1 }, y[6], z[6], s;
    const gn_array X = matrix(x, 2, 3), T = matrix(t, 2, 3), Y = matrix(y, 2, 3), S = GN_SCALAR(&s);
    gn_array wrong = X, fresh, turned = X;
    must(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(Y, S)));
    must(gn_call(p.f, GN_ARRAYS(X, matrix(u, 2, 3)), GN_ARRAYS(matrix(z, 2, 3), S)));
    for (int i = 0; i < 6; i++) assert_true(z[i] == y[i] + 1);
    wrong.dtype = GN_I32;
    refuse(gn_call(p.f, GN_ARRAYS(wrong, T), GN_ARRAYS(Y, S)), GN_EDTYPE, "input 'x' is i32 (2, 3)");
    refuse(gn_call(p.f, GN_ARRAYS(X, matrix(t, 2, 2)), GN_ARRAYS(Y, S)), GN_ESHAPE, "named dim 'm'");
    refuse(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(GN_VIEW(y, 6), S)), GN_ESHAPE, "is f32 (6)");
    turned.stride[0] = 1, turned.stride[1] = 2;
    must(gn_call(p.f, GN_ARRAYS(turned, T), GN_ARRAYS(Y, S)));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++) assert_true(y[3 * i + j] == x[i + 2 * j] * x[i + 2 * j]);
    must(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(GN_NEW(&fresh), S)));
    must(gn_call(p.f, GN_ARRAYS(X, T), GN_ARRAYS(Y, S)));
    for (int i = 0; i < 6; i++) assert_true(y[i] == x[i] * x[i] && ((float *)fresh.data)[i] == y[i]);
    gn_array_free(&fresh);
    free_pair(p);
}

static void fixed_dims_are_fixed(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float x[4] = { 1, 2, 3, 4 }, s;
    gn_expr *e = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(e), .out = GN_EXPRS(gn_sum_all(e)), .fix = "n = 3"));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_SCALAR(&s))));
    assert_true(s == 6);
    assert_int_equal(gn_call(f, GN_ARRAYS(GN_VIEW(x, 4)), GN_ARRAYS(GN_SCALAR(&s))), GN_ESHAPE);
    gn_func_free(f);
    gn_graph_free(g);
}

static void sizes_that_must_agree_name_both_lines(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float x[6] = { 1, 2, 3 }, y[6];
    gn_expr *a = gn_input(g, "a", GN_F32, "n");
    gn_expr *b = gn_input(g, "b", GN_F32, "m");
    gn_expr *c = gn_add(a, b);
    must(gn_compile(&f, g, .in = GN_EXPRS(a, b), .out = GN_EXPRS(c)));
    must(gn_call(f, GN_ARRAYS(GN_VIEW(x, 3), GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))));
    refuse(gn_call(f, GN_ARRAYS(GN_VIEW(x, 3), GN_VIEW(x, 2)), GN_ARRAYS(GN_VIEW(y, 3))), GN_ESHAPE, "'a'");
    assert_message_contains("'b'");
    assert_message_contains("test_call.c:");
    assert_message_contains("add");
    gn_func_free(f);
    gn_graph_free(g);
}

static void an_index_out_of_range_changes_nothing(void **state)
{
    gn_graph *g = gn_graph_new(*state);
    gn_func *f = NULL;
    float z[6] = { 1, 2, 3, 4, 5, 6 }, loss = 0, w0[1] = { 1 }, w1[1] = { 0 };
    int32_t t[2] = { 0, 3 };
    gn_expr *ze = gn_input(g, "z", GN_F32, "n, 3"), *te = gn_input(g, "t", GN_I32, "n"),
            *w = gn_shared(g, "w", GN_VIEW(w0, 1));
    must(gn_compile(&f, g, .in = GN_EXPRS(ze, te), .out = GN_EXPRS(gn_mean_all(gn_cross_entropy(ze, te))),
                    .update = GN_UPDATES({ w, gn_add(w, 1) })));
    refuse(gn_call(f, GN_ARRAYS(matrix(z, 2, 3), GN_VIEW(t, 2)), GN_ARRAYS(GN_SCALAR(&loss))), GN_EINDEX,
           "element 1 of 't' is 3, outside [0, 3)");
    t[1] = -1;
    refuse(gn_call(f, GN_ARRAYS(matrix(z, 2, 3), GN_VIEW(t, 2)), GN_ARRAYS(GN_SCALAR(&loss))), GN_EINDEX,
           "is -1, outside [0, 3)");
    must(gn_get(w, GN_VIEW(w1, 1)));
    assert_true(w1[0] == 1);
    t[1] = 2;
    must(gn_call(f, GN_ARRAYS(matrix(z, 2, 3), GN_VIEW(t, 2)), GN_ARRAYS(GN_SCALAR(&loss))));
    assert_true(fabsf(loss - (float)(log(exp(1) + exp(2) + exp(3)) - 1 + log(exp(4) + exp(5) + exp(6)) - 6) / 2) < 1e-5f);
    must(gn_get(w, GN_VIEW(w1, 1)));
    assert_true(w1[0] == 2);
    gn_func_free(f);
    gn_graph_free(g);
}

static void facts_can_be_read(void **state)
{
    pair p = make_pair(*state);
    const gn_func_info info = gn_func_inspect(p.f);
    assert_true(info.nkernels >= 1 && info.nsteps >= info.nkernels);
    assert_non_null(info.toolchain);
    assert_non_null(strstr(gn_func_source(p.f), "pair"));
    assert_int_equal(gn_func_inspect(NULL).nsteps, 0);
    assert_null(gn_func_source(NULL));
    free_pair(p);
}

static void steps_are_measured_on_request(void **state)
{
    pair p = make_pair(*state);
    float x[6] = { 0 }, t[6] = { 0 }, y[6], s;
    gn_step_info step[8];
    gn_func_profile(p.f, 1);
    for (int i = 0; i < 3; i++)
        must(gn_call(p.f, GN_ARRAYS(matrix(x, 2, 3), matrix(t, 2, 3)), GN_ARRAYS(matrix(y, 2, 3), GN_SCALAR(&s))));
    gn_func_profile(p.f, 0);
    must(gn_call(p.f, GN_ARRAYS(matrix(x, 2, 3), matrix(t, 2, 3)), GN_ARRAYS(matrix(y, 2, 3), GN_SCALAR(&s))));
    const size_t n = gn_func_steps(p.f, step, 8);
    assert_true(n >= 1 && n <= 8);
    for (size_t i = 0; i < n; i++) assert_int_equal(step[i].calls, 3);
    assert_true(step[0].total_ms > 0);
    free_pair(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_computes),
        cmocka_unit_test(a_function_outlives_its_graph),
        cmocka_unit_test(zero_sizes_work),
        cmocka_unit_test(strided_views_are_copied),
        cmocka_unit_test(outputs_are_allocated_on_request),
        cmocka_unit_test(each_mistake_of_a_call_is_told),
        cmocka_unit_test(sums_of_dims_that_differ_are_told_with_the_inputs_that_bind_them),
        cmocka_unit_test(sizes_of_a_call_that_cannot_be_are_told),
        cmocka_unit_test(a_pointer_that_moves_onto_another_is_refused_each_time),
        cmocka_unit_test(a_call_after_another_is_checked_as_the_first),
        cmocka_unit_test(fixed_dims_are_fixed),
        cmocka_unit_test(sizes_that_must_agree_name_both_lines),
        cmocka_unit_test(an_index_out_of_range_changes_nothing),
        cmocka_unit_test(facts_can_be_read),
        cmocka_unit_test(steps_are_measured_on_request),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
