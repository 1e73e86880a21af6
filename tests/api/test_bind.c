/* Bindings: the bare call, moved pointers, and their lives. */
#include "api.h"

static gn_func *square(gn_context *c)
{
    gn_graph *g = gn_graph_new(c);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, x)), .name = "square"));
    gn_graph_free(g);
    return f;
}

static void a_binding_sees_new_data_and_new_pointers(void **state)
{
    gn_func *f = square(*state);
    gn_binding *b = NULL;
    float x[3] = { 1, 2, 3 }, other[3] = { 4, 5, 6 }, y[3], z[3] = { 0 };
    must(gn_bind(&b, f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))));
    gn_func_free(f); /* the binding keeps it */
    must(gn_run(b));
    assert_true(y[0] == 1 && y[1] == 4 && y[2] == 9);
    x[0] = 10;
    must(gn_run(b));
    assert_true(y[0] == 100);
    must(gn_bind_set(b, 0, other));
    must(gn_bind_set(b, 1, z));
    must(gn_run(b));
    assert_true(z[0] == 16 && z[2] == 36 && y[0] == 100);
    gn_binding_free(b);
    gn_binding_free(NULL);
}

static void strides_are_fixed_by_the_binding(void **state)
{
    gn_func *f = square(*state);
    gn_binding *b = NULL;
    float x[6] = { 1, 0, 2, 0, 3, 0 }, other[6] = { 4, 0, 5, 0, 6, 0 }, y[6] = { 0 };
    gn_array xs = GN_VIEW(x, 3), ys = GN_VIEW(y, 3);
    xs.stride[0] = ys.stride[0] = 2;
    must(gn_bind(&b, f, GN_ARRAYS(xs), GN_ARRAYS(ys)));
    must(gn_run(b));
    assert_true(y[0] == 1 && y[2] == 4 && y[4] == 9 && y[1] == 0);
    must(gn_bind_set(b, 0, other));
    must(gn_run(b));
    assert_true(y[0] == 16 && y[4] == 36 && y[3] == 0);
    gn_binding_free(b);
    gn_func_free(f);
}

static void each_mistake_of_a_binding_is_told(void **state)
{
    gn_func *f = square(*state);
    gn_binding *b = NULL;
    float x[3] = { 1, 2, 3 }, y[6];
    gn_array made;
    refuse(gn_bind(NULL, f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))), GN_EINVAL, "out is NULL");
    refuse(gn_bind(&b, NULL, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))), GN_EINVAL, "the function is NULL");
    refuse(gn_bind(&b, f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_NEW(&made))), GN_EINVAL, "output 0 is GN_NEW");
    refuse(gn_bind(&b, f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 2))), GN_ESHAPE, "square");
    assert_null(b);
    refuse(gn_run(NULL), GN_EINVAL, "the binding is NULL");
    refuse(gn_bind_set(NULL, 0, x), GN_EINVAL, "the binding is NULL");
    must(gn_bind(&b, f, GN_ARRAYS(GN_VIEW(x, 3)), GN_ARRAYS(GN_VIEW(y, 3))));
    refuse(gn_bind_set(b, 2, x), GN_EINVAL, "slot 2 of 2");
    refuse(gn_bind_set(b, 0, NULL), GN_EINVAL, "input 'x' has data NULL");
    refuse(gn_bind_set(b, 1, x + 2), GN_EINVAL, "overlaps input 'x' in memory");
    refuse(gn_bind_set(b, 0, y + 2), GN_EINVAL, "overlaps input 'x' in memory");
    must(gn_run(b));
    gn_binding_free(b);
    gn_func_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_binding_sees_new_data_and_new_pointers),
        cmocka_unit_test(strides_are_fixed_by_the_binding),
        cmocka_unit_test(each_mistake_of_a_binding_is_told),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
