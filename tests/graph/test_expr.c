/* Leaves, interning, origins, regions. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "op.h"
#include "shared.h"
#include "view.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void inputs_have_the_type_of_their_shape_string(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "batch, %d", 784), *const s = gn_input(g, "s", GN_F64, "()");
    assert_string_equal(gn_type_text(x), "f32 (batch, 784)");
    assert_string_equal(gn_type_text(s), "f64 ()");
    assert_string_equal(gn_type_text(gn_input(g, "y", GN_I32, "2*n+1, n/2, min(n, 4)")), "i32 (2*n+1, n/2, min(n, 4))");
    assert_int_equal(gn_rank_of(x), 2);
    assert_int_equal(gn_dtype_of(s), GN_F64);
    assert_ptr_equal(gn_graph_of(x), g);
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_graph_free(g);
}

static void equal_leaves_are_one_pointer_and_keep_both_places(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const a = gn_number(g, GN_F32, 2), *const b = gn_number(g, GN_F32, 2.0);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, gn_number(g, GN_F64, 2));
    assert_ptr_not_equal(a, gn_number(g, GN_I32, 2));
    gn_scope_push(g, "encoder"), gn_scope_push(g, "3");
    gn_number(g, GN_F32, 2);
    gn_scope_pop(g), gn_scope_pop(g);
    const gn_origin *o = gn_origin_of(a);
    assert_string_equal(o->scope, "encoder/3");
    assert_non_null(o->next);
    assert_string_equal(o->next->scope, "");
    /* places do not pile up */
    for (int i = 0; i < 100000; i++) gn_number_at((gn_loc){ "f.c", i }, g, GN_F32, gn_operand_int(2));
    int places = 0;
    for (o = gn_origin_of(a); o; o = o->next) places++;
    assert_int_equal(places, 8);
    gn_expr *const x = gn_input(g, "x", GN_F32, "n, 3");
    assert_ptr_equal(gn_dim(x, -2), gn_dim(x, 0));
    assert_string_equal(gn_type_text(gn_dim(x, 0)), "i64 ()");
    gn_graph_free(g);
}

static void variables_copy_their_value_and_give_it_back(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    float w[6] = { 1, 2, 3, 4, 5, 6 }, out[6] = { 0 };
    gn_array columns = gn_array_of(w, GN_F32, 2, (int64_t[]){ 3, 2 }); /* transposed view of a 2x3 block */
    columns.stride[0] = 1, columns.stride[1] = 3;
    gn_expr *const v = gn_shared(g, "w", columns);
    w[0] = 100;
    assert_int_equal(gn_get(v, gn_array_of(out, GN_F32, 2, (int64_t[]){ 3, 2 })), GN_OK);
    const float want[6] = { 1, 4, 2, 5, 3, 6 };
    assert_memory_equal(out, want, sizeof out);
    assert_int_equal(gn_set(v, columns), GN_OK);
    assert_int_equal(gn_get(v, columns), GN_OK);
    assert_true(w[0] == 100);
    assert_int_equal(gn_set(v, GN_VIEW(w, 6)), GN_ESHAPE);
    assert_message_contains("gn_set: variable \"w\" is f32 (3, 2), the array is f32 of rank 1 (6)");
    double d[6];
    assert_int_equal(gn_get(v, gn_array_of(d, GN_F64, 2, (int64_t[]){ 3, 2 })), GN_EDTYPE);
    assert_int_equal(gn_get(gn_number(g, GN_F32, 1), GN_VIEW(w, 6)), GN_EINVAL);
    assert_message_contains("is no shared variable");
    assert_int_equal(gn_get(NULL, GN_VIEW(w, 6)), GN_EINVAL);
    assert_message_contains("gn_get: the variable is NULL");
    gn_expr *const none = gn_shared(g, "none", GN_VIEW((float *)NULL, 0));
    assert_int_equal(gn_get(none, GN_VIEW(out, 0)), GN_OK);
    gn_graph_free(g);
}

static void region_body(void *arg)
{
    gn_graph *const g = arg;
    const gn_type *const t = gn_type_tensor(g, GN_F32, 0, NULL);
    gn_expr *const p = gn_param_node(g, 0, t), *const q = gn_param_node(g, 1, t);
    gn_expr *const pair = gn_node(g, &gn_op_tuple, (gn_expr *[]){ q, p }, 2, NULL);
    const gn_region *const r = gn_region_make(g, 2, (const gn_type *[]){ t, t }, 1, &pair);
    assert_ptr_equal(r, gn_region_make(g, 2, (const gn_type *[]){ t, t }, 1, &pair));
    gn_expr *const args[2] = { gn_number(g, GN_F32, 1), gn_number(g, GN_F32, 2) };
    gn_expr *out;
    gn_region_inline(g, r, args, &out);
    assert_ptr_equal(out, gn_node(g, &gn_op_tuple, (gn_expr *[]){ args[1], args[0] }, 2, NULL));
    const gn_attr second = { .kind = GN_ATTR_INT, .i = 1 };
    assert_string_equal(gn_type_text(gn_node(g, &gn_op_proj, &out, 1, &second)), "f32 ()");
}

static void regions_are_interned_and_inlined(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    if (gn_protect(region_body, g)) fail_msg("%s", gn_message());
    gn_graph_free(g);
}

static void a_chain_of_100000_nodes_is_built_and_printed_without_recursion(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "n, 64"), *e = x;
    const clock_t start = clock();
    for (int i = 0; i < 50000; i++) e = gn_mul(gn_tanh(e), x);
    print_message("100000 nodes: %.1f ms\n", (double)(clock() - start) * 1e3 / CLOCKS_PER_SEC);
    assert_int_equal(gn_graph_check(g), GN_OK);
    assert_int_equal(g->nodes.n, 100001);
    char *const text = gn_graph_print(g, GN_EXPRS(e));
    assert_non_null(text);
    assert_non_null(strstr(text, "(node 100000 f32 (n 64) (mul %99999 %0))\n  (out %100000))"));
    gn_text_free(text);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_have_the_type_of_their_shape_string),
        cmocka_unit_test(equal_leaves_are_one_pointer_and_keep_both_places),
        cmocka_unit_test(variables_copy_their_value_and_give_it_back),
        cmocka_unit_test(regions_are_interned_and_inlined),
        cmocka_unit_test(a_chain_of_100000_nodes_is_built_and_printed_without_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
