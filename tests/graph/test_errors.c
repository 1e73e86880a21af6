/* Every message that leaves, operands and scopes can give, and what a graph does after one. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "failing_alloc.h"
#include "graph_text.h"
#include "op.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* The graph's first error has this status and contains these words; then the graph is usable again. */
#define FAILS(g, status, words) assert_failed(g, status, words, __LINE__)
static void assert_failed(gn_graph *g, gn_status status, const char *words, int line)
{
    const gn_status s = gn_graph_check(g);
    if (s != status || !strstr(gn_message(), words))
        fail_msg("line %d: %s \"%s\", not %s with \"%s\"", line, gn_status_name(s), gn_message(),
                 gn_status_name(status), words);
    assert_int_equal(gn_graph_check(g), GN_OK);
}

static void inputs_say_what_is_wrong_with_name_dtype_and_shape(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_input(g, NULL, GN_F32, "n");
    FAILS(g, GN_EINVAL, "input: its name is NULL");
    gn_input(g, "1x", GN_F32, "n");
    FAILS(g, GN_EINVAL, "input: \"1x\" is no name");
    gn_input(g, "a b", GN_F32, "n");
    FAILS(g, GN_EINVAL, "\"a b\" is no name");
    gn_input(g, "", GN_F32, "n");
    FAILS(g, GN_EINVAL, "\"\" is no name");
    gn_input(g, "x", (gn_dtype)50, "n");
    FAILS(g, GN_EDTYPE, "input: \"x\": 50 is no dtype");
    gn_input(g, "x", GN_F32, "n, 7q");
    FAILS(g, GN_ESYNTAX, "input: \"x\": shape \"n, 7q\", character 5");
    gn_input(g, "x", GN_F32, "%d", -4);
    FAILS(g, GN_ESHAPE, "input: \"x\": extent -4 of axis 0 is negative");
    gn_input(g, "x", GN_F32, "1,1,1,1,1,1,1,1,1");
    FAILS(g, GN_ESYNTAX, "more extents than are possible");
    gn_input(g, "x", GN_F32, "4294967296, 4294967296");
    FAILS(g, GN_ENOMEM, "size overflows");
    const char *const nothing = NULL;
    gn_input(g, "x", GN_F32, nothing);
    FAILS(g, GN_EINVAL, "input: \"x\": its shape is NULL; a scalar is \"()\"");
    assert_string_equal(gn_type_text(gn_input(g, "long", GN_F32, "%2000d", 3)), "f32 (3)");
    gn_expr *const x = gn_input(g, "x", GN_F32, "n"); /* the name is free: nothing of the failures stayed */
    assert_string_equal(gn_type_text(x), "f32 (n)");
    const int line = __LINE__ + 1;
    gn_input(g, "x", GN_F32, "m");
    char want[200];
    snprintf(want, sizeof want, "test_errors.c:%d: input: the name \"x\" is taken\n    x  f32 (n)  made at ", line);
    FAILS(g, GN_EINVAL, want);
    gn_graph_free(g);
}

static void a_message_has_a_line_per_operand_with_type_and_place(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input_at((gn_loc){ "train.c", 12 }, g, "x", GN_F32, "batch, 784");
    gn_scope_push(g, "encoder");
    gn_expr *const w = gn_input_at((gn_loc){ "train.c", 17 }, g, "weights", GN_F32, "100, 10");
    gn_matmul_at((gn_loc){ "train.c", 41 }, x, w);
    gn_scope_pop(g);
    assert_int_equal(gn_graph_check(g), GN_ESHAPE);
    assert_message_contains("train.c:41: matmul: ");
    assert_message_contains("784");
    assert_message_contains(" (in encoder)");
    assert_message_contains("\n    x        f32 (batch, 784)  made at train.c:12");
    assert_message_contains("\n    weights  f32 (100, 10)     made at train.c:17 in encoder");
    gn_graph_free(g);
}

static void elementwise_operands_that_never_fit_are_an_error_and_those_that_may_are_noted(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const n = gn_input(g, "n1", GN_F32, "n"), *const n2 = gn_input(g, "n2", GN_F32, "n+1"),
                   *const m = gn_input(g, "m1", GN_F32, "m");
    gn_expr *const three = gn_input(g, "three", GN_F32, "3"), *const one = gn_input(g, "one", GN_F32, "1");
    assert_true(gn_is_error(gn_add(n, n2)));
    FAILS(g, GN_ESHAPE, "add: extents of axis -1 differ: n and n+1");
    gn_expr *const e = gn_add(n, m);
    assert_int_equal(gn_graph_check(g), GN_OK);
    assert_int_equal(gn_constraints_of(e).n, 1);
    assert_string_equal(gn_type_text(gn_add(n, three)), "f32 (3)");
    assert_string_equal(gn_type_text(gn_add(n, one)), "f32 (n)");
    assert_string_equal(gn_type_text(gn_add(one, three)), "f32 (3)");
    gn_expr *const wide = gn_input(g, "wide", GN_F32, "k, 1, m"), *const tall = gn_input(g, "tall", GN_F32, "5, 1");
    assert_string_equal(gn_type_text(gn_mul(wide, tall)), "f32 (k, 5, m)");
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_graph_free(g);
}

static void failed_and_foreign_and_forgotten_operands(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL), *const h = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "3"), *const y = gn_input(h, "y", GN_F32, "3");
    gn_expr *const forgotten = NULL, *const bad = gn_add(x, forgotten);
    assert_true(gn_is_error(bad));
    assert_true(gn_is_error(gn_tanh(gn_mul(2, bad)))); /* passed through: the first error stays */
    gn_input(g, "x", GN_F32, "3");
    FAILS(g, GN_EINVAL, "add: operand 2 is NULL");
    gn_add(x, y);
    FAILS(g, GN_EINVAL, "add: operand 2 belongs to another graph");
    assert_int_equal(gn_graph_check(h), GN_OK);
    assert_true(gn_is_error(gn_tanh(NULL)));
    assert_null(gn_graph_of(gn_tanh(NULL)));
    assert_true(gn_is_error(gn_add(x, gn_tanh(NULL))));
    assert_int_equal(gn_error_of(gn_add(x, gn_tanh(NULL))), GN_EINVAL);
    assert_message_contains("none of its operands belonged to a graph");
    assert_string_equal(gn_type_text(bad), "error");
    assert_int_equal(gn_rank_of(bad), -1);
    assert_null(gn_dtype_name(gn_dtype_of(bad)));
    assert_null(gn_graph_of(NULL));
    assert_int_equal(gn_graph_check(NULL), GN_EINVAL);
    assert_message_contains("the graph is NULL");
    gn_input(NULL, "x", GN_F32, "3");
    assert_message_contains("no operand belongs to a graph");
    assert_int_not_equal(gn_error_of(bad), GN_OK);
    assert_int_equal(gn_error_of(gn_tanh(NULL)), GN_EINVAL);
    gn_graph *const fresh = gn_graph_new(NULL);
    gn_grad(gn_square(gn_input(fresh, "x", GN_F32, "()")), gn_tanh(NULL));
    FAILS(fresh, GN_EINVAL, "an operand is the result of a builder that failed");
    gn_graph_free(fresh);
    assert_null(gn_graph_print(NULL, GN_EXPRS(x)));
    assert_message_contains("print: the graph is NULL");
    assert_null(gn_graph_print(g, GN_EXPRS(x, y)));
    assert_message_contains("print: output 2 belongs to another graph");
    gn_graph_free(g), gn_graph_free(h), gn_graph_free(NULL);
}

static void numbers_take_the_dtype_beside_them_or_are_refused(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const f = gn_input(g, "f", GN_F64, "()"), *const i = gn_input(g, "i", GN_U8, "()"),
                   *const b = gn_input(g, "b", GN_BOOL, "()");
    assert_string_equal(gn_type_text(gn_add(f, 2)), "f64 ()");
    assert_string_equal(gn_type_text(gn_add(f, 0.1)), "f64 ()");
    assert_string_equal(gn_type_text(gn_add(i, 2)), "u8 ()");
    assert_string_equal(gn_type_text(gn_add(i, 0.5)), "f32 ()");
    assert_string_equal(gn_type_text(gn_add(b, 2)), "i32 ()");
    assert_string_equal(gn_type_text(gn_add(b, 0.5)), "f32 ()");
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_number(g, GN_U8, 256);
    FAILS(g, GN_EDTYPE, "number: the number 256 does not fit u8");
    gn_number(g, GN_I8, -129);
    FAILS(g, GN_EDTYPE, "does not fit i8");
    gn_number(g, GN_I32, 0.5);
    FAILS(g, GN_EDTYPE, "number: the number 0.5 does not fit i32");
    gn_number(g, GN_BOOL, 2);
    FAILS(g, GN_EDTYPE, "does not fit bool");
    gn_number(g, GN_F32, 1e39);
    FAILS(g, GN_EDTYPE, "the number 1e+39 does not fit f32");
    gn_number(g, GN_F16, 65520);
    FAILS(g, GN_EDTYPE, "does not fit f16");
    gn_number(g, GN_F32, (double)INFINITY), gn_number(g, GN_F32, (double)NAN), gn_number(g, GN_I64, 3.0),
        gn_number(g, GN_I8, -128);
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_number(g, GN_F32, f);
    FAILS(g, GN_EINVAL, "number: takes a number, not an expression");
    gn_number(g, (gn_dtype)-1, 1);
    FAILS(g, GN_EDTYPE, "-1 is no dtype");
    gn_graph_free(g);
}

static void make_large_constant(void *arg)
{
    gn_constant_node(arg, gn_type_tensor(arg, GN_F32, 0, NULL), NULL, (size_t)UINT32_MAX + 1);
}

static void a_constant_of_more_than_4_gib_is_refused(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    assert_int_equal(gn_protect(make_large_constant, g), GN_ENOMEM);
    assert_message_contains(
        "a constant of 4294967296 bytes: at most 4 GiB are possible, larger ones can be shared variables");
    gn_graph_free(g);
}

static void more_axes_than_a_tensor_has_are_refused(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "1, 1, 1, 1, 1, 1, 1, 1");
    gn_stack(GN_EXPRS(x, x), 0);
    FAILS(g, GN_ESHAPE, "stack: a result of rank 9; at most 8 is possible");
    gn_graph_free(g);
}

static void dtypes_that_are_only_kept_are_refused_where_they_would_be_computed_with(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    const uint16_t half[2] = { 0x3c00, 0 };
    gn_expr *const c = gn_constant(g, gn_array_1d((void *)(uintptr_t)half, GN_F16, 2));
    assert_int_equal(gn_graph_check(g), GN_OK);
    gn_input(g, "x", GN_F16, "n");
    FAILS(g, GN_EDTYPE, "input: \"x\": f16 is only kept, no target computes with it; f32 does");
    gn_input(g, "x", GN_BF16, "n");
    FAILS(g, GN_EDTYPE, "input: \"x\": bf16 is only kept");
    gn_add(c, c);
    FAILS(g, GN_EDTYPE, "add: f16 is only kept, no target computes with it; f32 does\n    constant  f16 (2)");
    gn_cast(gn_input(g, "x", GN_F32, "n"), GN_BF16);
    FAILS(g, GN_EDTYPE, "cast: bf16 is only kept");
    gn_full(g, GN_F16, 1, "3");
    FAILS(g, GN_EDTYPE, "full: f16 is only kept");
    gn_uniform(g, "u", 0, GN_F16, "3");
    FAILS(g, GN_EDTYPE, "uniform: f16 is only kept");
    gn_func *f = NULL;
    assert_int_equal(gn_compile(&f, g, .out = GN_EXPRS(c)), GN_EDTYPE);
    assert_message_contains("constant: f16 is only kept");
    assert_message_contains("test_errors.c:");
    gn_graph_free(g);
}

static void what_was_thrown_without_a_place_gets_one(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "4000000000, n");
    gn_concat(GN_EXPRS(gn_broadcast_to(gn_slice(x, "0, 0"), "9000000000000000000"),
                       gn_broadcast_to(gn_slice(x, "0, 0"), "9000000000000000000")),
              0);
    assert_int_equal(gn_graph_check(g), GN_ENOMEM);
    assert_message_contains("size overflows");
    assert_message_contains("test_errors.c:");
    gn_slice(x, "0::4000000000");
    FAILS(g, GN_EINVAL, "slice: a step of 4000000000: from 1 to 2147483647, or negative, is possible");
    gn_graph_free(g);
}

static void a_text_that_cannot_be_formatted_is_told(void **state)
{
    (void)state;
    static const wchar_t no_character[] = { 0xd800, 0 }; /* half of a pair: none in any locale */
    gn_graph *const g = gn_graph_new(NULL);
    gn_reshape(gn_input(g, "x", GN_F32, "3"), "%ls", no_character);
    FAILS(g, GN_EINVAL, "reshape: a format could not be printed: %ls");
    gn_graph_free(g);
}

static void arrays_that_cannot_be_are_told(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    float v[2] = { 0 };
    gn_constant(g, gn_array_1d(NULL, GN_F32, 2));
    FAILS(g, GN_EINVAL, "constant: \"array\": its data are NULL");
    gn_constant(g, gn_array_1d(v, (gn_dtype)40, 2));
    FAILS(g, GN_EDTYPE, "40 is no dtype");
    gn_constant(g, gn_array_1d(v, GN_F32, -1));
    FAILS(g, GN_ESHAPE, "an extent is negative or the size overflows");
    gn_array a = GN_VIEW(v, 2);
    a.rank = 9;
    gn_shared(g, "w", a);
    FAILS(g, GN_ESHAPE, "shared: \"w\": rank 9: from 0 to 8 is possible");
    gn_shared(g, "w", gn_array_1d(NULL, GN_F32, 2));
    FAILS(g, GN_EINVAL, "shared: \"w\": its data are NULL");
    gn_shared(g, "w", GN_VIEW(v, 2));
    gn_shared(g, "w", GN_VIEW(v, 2));
    FAILS(g, GN_EINVAL, "shared: the name \"w\" is taken");
    assert_int_equal(gn_set(gn_shared(g, "unset", GN_VIEW(v, 2)), gn_array_1d(NULL, GN_F32, 2)), GN_EINVAL);
    assert_message_contains("variable \"unset\": the array's data are NULL");
    gn_shared(g, "", GN_VIEW(v, 2));
    FAILS(g, GN_EINVAL, "\"\" is no name");
    gn_dim(gn_input(g, "x", GN_F32, "n, 2"), 2);
    FAILS(g, GN_EAXIS, "dim: axis 2 of a tensor of rank 2");
    gn_dim(gn_input(g, "y", GN_F32, "()"), 0);
    FAILS(g, GN_EAXIS, "dim: axis 0 of a tensor of rank 0");
    gn_graph_free(g);
}

static void settings_and_scopes_take_what_they_know(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    assert_int_equal(gn_graph_relax(g, "finite, approximate"), GN_OK);
    assert_int_equal(g->relax, GN_RELAX_FINITE | GN_RELAX_APPROXIMATE);
    assert_int_equal(gn_graph_relax(g, ""), GN_OK);
    assert_int_equal(g->relax, 0);
    assert_int_equal(gn_graph_relax(g, "fast"), GN_EINVAL);
    assert_message_contains("gn_graph_relax: \"fast\" is unknown: reassociate, finite and approximate are known");
    assert_int_equal(gn_graph_relax(NULL, ""), GN_EINVAL);
    assert_int_equal(gn_graph_relax(g, NULL), GN_EINVAL);
    gn_graph_seed(g, 7);
    assert_int_equal(g->seed, 7);
    gn_scope_pop(g); /* one too many is no harm */
    gn_scope_push(g, NULL), gn_scope_push(NULL, "x"), gn_scope_pop(NULL);
    assert_null(gn_graph_print(g, GN_EXPRS(NULL)));
    assert_message_contains("print: output 1 is NULL");
    assert_null(gn_graph_print(NULL, (gn_exprs){ 0, NULL }));
    gn_graph_free(g);
}

/* Memory that runs out, at every request in turn: a status, no leak, no crash. */

typedef struct later_stages {
    gn_arena *arena;
    gn_graph *g;
    gn_context *context;
    gn_exprs in, out;
    const char *text;
    struct gn_core *read, *copy;
} later_stages;

static void copy_and_read(void *arg)
{
    later_stages *const s = arg;
    gn_text t = { .arena = s->arena };
    s->read = gn_core_read(s->arena, s->context, "t.gn", s->text, strlen(s->text));
    gn_core_verify(s->read);
    s->copy = gn_graph_copy(s->arena, s->g, s->in, s->out, (gn_exprs){ 0, NULL }, (gn_exprs){ 0, NULL }, 0, NULL);
    gn_core_verify(s->copy);
    gn_core_print(&t, s->copy);
}

static gn_status everything(gn_context *c)
{
    gn_graph *const g = gn_graph_new(c);
    float w[40] = { 0 };
    if (!g) return GN_ENOMEM;
    gn_expr *const x = gn_input(g, "x", GN_F32, "n, 2*m+1"), *const y = gn_input(g, "y", GN_F32, "k, 5"),
                   *const z = gn_input(g, "z", GN_F32, "m");
    gn_scope_push(g, "a");
    gn_scope_push(g, "b");
    gn_expr *const v = gn_shared(g, "w", GN_VIEW(w, 5)), *const k = gn_constant(g, GN_VIEW(w, 40));
    gn_expr *const d = gn_cast(gn_dim(x, 0), GN_F32), *const i = gn_iota(g, GN_F32, 0, "40");
    gn_expr *const s = gn_softmax(gn_mul(gn_add(x, y), v), 1);
    gn_expr *const e = gn_add(gn_mul(gn_sum_all(s), d), gn_add(gn_sum_all(z), gn_sum_all(gn_mul(k, gn_add(i, 0.5)))));
    gn_scope_pop(g);
    gn_status bad = gn_graph_check(g);
    const char *const type = bad ? "" : gn_type_text(e);
    if (!bad && strcmp(type, "f32 ()") != 0) {
        assert_string_equal(type, "out of memory"); /* it has no status to return */
        bad = GN_ENOMEM;
    }
    char *const text = bad ? NULL : gn_graph_print(g, GN_EXPRS(e));
    gn_arena scratch = { .allocator = g->arena.allocator };
    if (!bad && !text) bad = GN_ENOMEM;
    later_stages later = { &scratch, g, c, GN_EXPRS(x, y, z), GN_EXPRS(e), text, NULL, NULL };
    if (!bad) bad = gn_protect(copy_and_read, &later);
    gn_core_free(later.read), gn_core_free(later.copy);
    gn_arena_free(&scratch);
    gn_text_free(text);
    gn_graph_free(g);
    return bad;
}

static void memory_that_runs_out_at_any_request_leaves_a_status_and_no_leak(void **state)
{
    (void)state;
    int n = 1;
    for (;; n++) {
        failing_alloc a;
        failing_alloc_start(&a, 0);
        gn_context *c = NULL;
        assert_int_equal(gn_context_new(&c, &(gn_context_options){ .allocator = &a.allocator, .cache_dir = "" }), GN_OK);
        const long before = a.live;
        a.fail_at = a.requests + n;
        const gn_status s = everything(c);
        if (s && s != GN_ENOMEM) fail_msg("request %d: %s %s", n, gn_status_name(s), gn_message());
        assert_int_equal(a.live, before);
        gn_context_free(c);
        assert_int_equal(a.live, 0);
        if (!a.refused) {
            if (s) fail_msg("%s", gn_message());
            break;
        }
        assert_int_equal(s, GN_ENOMEM);
    }
    print_message("%d requests\n", n - 1);
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_say_what_is_wrong_with_name_dtype_and_shape),
        cmocka_unit_test(a_message_has_a_line_per_operand_with_type_and_place),
        cmocka_unit_test(elementwise_operands_that_never_fit_are_an_error_and_those_that_may_are_noted),
        cmocka_unit_test(failed_and_foreign_and_forgotten_operands),
        cmocka_unit_test(numbers_take_the_dtype_beside_them_or_are_refused),
        cmocka_unit_test(arrays_that_cannot_be_are_told),
        cmocka_unit_test(a_text_that_cannot_be_formatted_is_told),
        cmocka_unit_test(dtypes_that_are_only_kept_are_refused_where_they_would_be_computed_with),
        cmocka_unit_test(what_was_thrown_without_a_place_gets_one),
        cmocka_unit_test(a_constant_of_more_than_4_gib_is_refused),
        cmocka_unit_test(more_axes_than_a_tensor_has_are_refused),
        cmocka_unit_test(settings_and_scopes_take_what_they_know),
        cmocka_unit_test(memory_that_runs_out_at_any_request_leaves_a_status_and_no_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
