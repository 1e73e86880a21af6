/* Saved weights come back bit for bit, or not at all. */
#include <gnomon/nn.h>
#include "tempdir.h"

static gn_graph *model(gn_exprs *params, int hidden, gn_dtype dtype)
{
    gn_graph *g = gn_graph_new(NULL);
    gn_graph_seed(g, (uint64_t)hidden);
    gn_param(g, "layer.w", GN_F32, GN_HE, "3, %d", hidden);
    gn_param(g, "layer/b", dtype, GN_CONSTANT(0.25), "%d", hidden);
    gn_param(g, "count", GN_I32, GN_CONSTANT(7), "()");
    *params = gn_params(g);
    return g;
}

static void values_come_back_in_another_graph(void **state)
{
    (void)state;
    gn_exprs a, b;
    float w[12], v[12];
    int32_t n;
    gn_graph *g = model(&a, 4, GN_F64), *h = model(&b, 4, GN_F64);
    const gn_array ws = gn_array_of(w, GN_F32, 2, (int64_t[]){ 3, 4 }), vs = gn_array_of(v, GN_F32, 2, (int64_t[]){ 3, 4 });
    for (int i = 0; i < 12; i++) w[i] = (float)i / 7;
    assert_int_equal(gn_set(a.at[0], ws), GN_OK);
    assert_int_equal(gn_save(temp_path("m"), a), GN_OK);
    assert_int_equal(gn_load(temp_path("m"), GN_EXPRS(b.at[2], b.at[0], b.at[1])), GN_OK); /* any order */
    assert_int_equal(gn_get(b.at[0], vs), GN_OK);
    assert_memory_equal(v, w, sizeof w);
    assert_int_equal(gn_get(b.at[2], GN_SCALAR(&n)), GN_OK);
    assert_int_equal(n, 7);
    gn_graph_free(g);
    gn_graph_free(h);
}

static void refuses(const char *path, gn_exprs variables, gn_status status, const char *message)
{
    assert_int_equal(gn_load(path, variables), status);
    assert_message_contains(message);
}

static void what_does_not_fit_is_refused_as_a_whole(void **state)
{
    (void)state;
    gn_exprs a, b, c;
    float before[12], after[12];
    gn_graph *g = model(&a, 4, GN_F64), *h = model(&b, 5, GN_F64), *k = model(&c, 4, GN_F32);
    const gn_array was = gn_array_of(before, GN_F32, 2, (int64_t[]){ 3, 4 }),
                   is = gn_array_of(after, GN_F32, 2, (int64_t[]){ 3, 4 });
    const char *path = "/tmp/gnomon-absent";
    char file[128];
    snprintf(file, sizeof file, "%s/weights", temp_dir);
    assert_int_equal(gn_save(file, a), GN_OK);
    assert_int_equal(gn_get(c.at[0], was), GN_OK);
    refuses(file, b, GN_EFORMAT, "\"layer.w\" is f32 (3, 4) there, and the variable f32 (3, 5)");
    refuses(file, c, GN_EFORMAT, "\"layer/b\" is f64 (4) there, and the variable f32 (4)");
    assert_int_equal(gn_get(c.at[0], is), GN_OK);
    assert_memory_equal(before, after, sizeof before); /* the first variable would have fitted */
    refuses(file, GN_EXPRS(a.at[0], a.at[1]), GN_EFORMAT, "holds \"count\", which is none of the variables");
    gn_expr *extra = gn_param(g, "extra", GN_F32, GN_ZEROS, "2");
    refuses(file, gn_params(g), GN_EFORMAT, "has no values for the variable \"extra\"");
    refuses(path, a, GN_EIO, "cannot open");
    refuses(NULL, a, GN_EINVAL, "path is NULL");
    refuses(file, (gn_exprs){ 0 }, GN_EINVAL, "gn_load: the list of variables is empty");
    refuses(file, GN_EXPRS(extra, NULL), GN_EINVAL, "gn_load: variable 1 is NULL");
    refuses(file, GN_EXPRS(gn_input(g, "x", GN_F32, "n")), GN_EINVAL,
            "gn_load: expression 0 is f32 (n), and no shared variable");
    gn_graph_free(g), gn_graph_free(h), gn_graph_free(k);
}

static void what_cannot_be_saved_is_refused(void **state)
{
    (void)state;
    gn_exprs a;
    gn_graph *g = model(&a, 4, GN_F64);
    assert_int_equal(gn_save(NULL, a), GN_EINVAL);
    assert_message_contains("path is NULL");
    assert_int_equal(gn_save(temp_path("x"), (gn_exprs){ 0 }), GN_EINVAL);
    assert_message_contains("gn_save: the list of variables is empty");
    assert_int_equal(gn_save(temp_path("x"), GN_EXPRS(gn_input(g, "x", GN_F32, "n"))), GN_EINVAL);
    assert_message_contains("gn_save: expression 0 is f32 (n), and no shared variable");
    assert_int_equal(gn_save(temp_path("x"), GN_EXPRS(a.at[0], a.at[0])), GN_EINVAL);
    assert_message_contains("two arrays have the name \"layer.w\"");
    assert_int_equal(gn_save(temp_path("no/x"), a), GN_EIO);
    assert_message_contains("cannot create");
    gn_graph_free(g);
}

static void every_truncation_leaves_the_variables_alone(void **state)
{
    (void)state;
    gn_exprs a, b;
    gn_graph *g = model(&a, 4, GN_F64), *h = model(&b, 4, GN_F64);
    size_t n;
    float zero[12] = { 0 }, got[12];
    const gn_array zs = gn_array_of(zero, GN_F32, 2, (int64_t[]){ 3, 4 }),
                   ws = gn_array_of(got, GN_F32, 2, (int64_t[]){ 3, 4 });
    assert_int_equal(gn_set(b.at[0], zs), GN_OK);
    assert_int_equal(gn_save(temp_path("m"), a), GN_OK);
    char *whole = temp_read(temp_path("m"), &n);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(gn_load(temp_write("t", whole, k), b), GN_EFORMAT);
        assert_int_equal(gn_get(b.at[0], ws), GN_OK);
        assert_memory_equal(got, zero, sizeof got);
    }
    free(whole);
    gn_graph_free(g);
    gn_graph_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_in_another_graph),
        cmocka_unit_test(what_does_not_fit_is_refused_as_a_whole),
        cmocka_unit_test(what_cannot_be_saved_is_refused),
        cmocka_unit_test(every_truncation_leaves_the_variables_alone),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
