/* The private copy of a compile. */
#include "testlib.h"
#include <gnomon/gnomon.h>
#include "graph_text.h"
#include "op.h"
#include <string.h>

typedef struct copying {
    gn_arena arena;
    gn_graph *g;
    gn_exprs in, out, variable, value;
    size_t nfix;
    const gn_fix *fix;
    struct gn_core *core;
    const char *text;
} copying;

static void copy(void *arg)
{
    copying *const c = arg;
    gn_text t = { .arena = &c->arena };
    c->core = gn_graph_copy(&c->arena, c->g, c->in, c->out, c->variable, c->value, c->nfix, c->fix);
    gn_core_verify(c->core);
    gn_core_print(&t, c->core);
    c->text = gn_text_done(&t);
}

static void finish(copying *c)
{
    gn_core_free(c->core);
    gn_arena_free(&c->arena);
}

static gn_expr *program(gn_graph *g, gn_expr **x, gn_expr **w)
{
    static float zeros[10];
    *x = gn_input(g, "x", GN_F32, "batch, 10");
    *w = gn_shared(g, "w", GN_VIEW(zeros, 10));
    return gn_mean_all(gn_softmax(gn_mul(*x, *w), 1));
}

static void the_copy_depends_on_the_program_alone(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL), *const h = gn_graph_new(NULL);
    gn_expr *x, *w, *noise = gn_input(h, "a", GN_F64, "q");
    for (int i = 0; i < 50; i++) noise = gn_add(gn_tanh(noise), i);
    gn_expr *y = program(g, &x, &w);
    copying a = {
        .g = g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .variable = GN_EXPRS(w), .value = GN_EXPRS(gn_sub(w, gn_grad(y, w)))
    };
    if (gn_protect(copy, &a)) fail_msg("%s", gn_message());
    y = program(h, &x, &w);
    copying b = {
        .g = h, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .variable = GN_EXPRS(w), .value = GN_EXPRS(gn_sub(w, gn_grad(y, w)))
    };
    if (gn_protect(copy, &b)) fail_msg("%s", gn_message());
    assert_string_equal(a.text, b.text);
    assert_int_equal(a.core->graph->nodes.n, b.core->graph->nodes.n);
    for (size_t i = 0; i < a.core->graph->nodes.n; i++)
        assert_ptr_equal(a.core->graph->nodes.at[i]->op, b.core->graph->nodes.at[i]->op);
    assert_ptr_equal(gn_variable_of(b.core->variable.at[0]), gn_variable_of(w));
    assert_int_equal(a.core->in.at[0]->id, 0);
    finish(&a), finish(&b);
    gn_graph_free(g), gn_graph_free(h);
}

static void fixed_names_are_numbers_everywhere(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *x, *w;
    gn_expr *const y = program(g, &x, &w);
    const gn_fix fix = { "batch", 60 };
    copying c = { .g = g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .nfix = 1, .fix = &fix };
    if (gn_protect(copy, &c)) fail_msg("%s", gn_message());
    assert_non_null(strstr(c.text, "(input 0 x f32 (60 10))"));
    assert_null(strstr(c.text, "batch"));
    finish(&c);
    const gn_fix unknown = { "bach", 60 }, negative = { "batch", -1 };
    copying d = { .g = g, .in = GN_EXPRS(x), .out = GN_EXPRS(y), .nfix = 1, .fix = &unknown };
    assert_int_equal(gn_protect(copy, &d), GN_EINVAL);
    assert_message_contains("fix: no input has an extent named \"bach\"");
    gn_arena_free(&d.arena);
    d.fix = &negative;
    assert_int_equal(gn_protect(copy, &d), GN_ESHAPE);
    assert_message_contains("fix: batch=-1 is negative");
    gn_arena_free(&d.arena);
    d.fix = (const gn_fix[]){ { "batch", 60 }, { "batch", 61 } }, d.nfix = 2;
    assert_int_equal(gn_protect(copy, &d), GN_EINVAL);
    assert_message_contains("fix: \"batch\" is there twice");
    gn_arena_free(&d.arena);
    gn_graph_free(g);
}

static void names_that_must_be_equal_become_one_and_the_line_is_kept(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input(g, "x", GN_F32, "n"), *const y = gn_input(g, "y", GN_F32, "m"),
                   *const z = gn_input(g, "z", GN_F32, "2*k+1"), *const k = gn_input(g, "k", GN_F32, "k");
    gn_expr *const e =
        gn_add_at((gn_loc){ "user.c", 9 },
                  gn_operand_expr(gn_add_at((gn_loc){ "user.c", 8 }, gn_operand_expr(x), gn_operand_expr(y))),
                  gn_operand_expr(z));
    copying c = { .g = g, .in = GN_EXPRS(x, y, z, k), .out = GN_EXPRS(gn_add(gn_sum_all(e), gn_sum_all(k))) };
    if (gn_protect(copy, &c)) fail_msg("%s", gn_message());
    for (int i = 0; i < 3; i++) assert_string_equal(gn_type_text(c.core->in.at[i]), "f32 (2*k+1)");
    assert_int_equal(c.core->constraints.n, 2);
    for (size_t i = 0; i < 2; i++) assert_ptr_equal(c.core->constraints.at[i].a, c.core->constraints.at[i].b);
    assert_string_equal(c.core->constraints.at[0].text, "add: extents of axis 0 of x f32 (n), y f32 (m): n and m");
    assert_int_equal(c.core->constraints.at[0].loc.line, 8);
    assert_string_equal(c.core->constraints.at[1].text,
                        "add: extents of axis 0 of add f32 (n), z f32 (2*k+1): n and 2*k+1");
    finish(&c);
    gn_expr *const three = gn_input(g, "three", GN_F32, "3"), *const four = gn_input(g, "four", GN_F32, "4");
    gn_expr *const both =
        gn_add(gn_sum_all(gn_add_at((gn_loc){ "user.c", 20 }, gn_operand_expr(x), gn_operand_expr(three))),
               gn_sum_all(gn_add_at((gn_loc){ "user.c", 21 }, gn_operand_expr(x), gn_operand_expr(four))));
    copying d = { .g = g, .in = GN_EXPRS(x, three, four), .out = GN_EXPRS(both) };
    assert_int_equal(gn_protect(copy, &d), GN_ESHAPE);
    assert_message_contains("user.c:21: add: extents of axis 0 of x f32 (n), four f32 (4) differ: n is 3 and 4 is 4");
    gn_arena_free(&d.arena);
    gn_graph_free(g);
}

static void what_a_compile_lacks_is_told(void **state)
{
    (void)state;
    gn_graph *const g = gn_graph_new(NULL);
    gn_expr *const x = gn_input_at((gn_loc){ "user.c", 3 }, g, "x", GN_F32, "2*n"), *const y =
                                                                                        gn_input(g, "y", GN_F32, "n");
    gn_expr *const e = gn_sum_all(gn_tanh(x));
    copying c = { .g = g, .in = GN_EXPRS(y), .out = GN_EXPRS(e) };
    assert_int_equal(gn_protect(copy, &c), GN_EINVAL);
    assert_message_contains("input \"x\", made at user.c:3, is needed and is not among the inputs");
    gn_arena_free(&c.arena);
    c.in = GN_EXPRS(x, x);
    assert_int_equal(gn_protect(copy, &c), GN_EINVAL);
    assert_message_contains("input \"x\" is there twice");
    gn_arena_free(&c.arena);
    c.in = GN_EXPRS(x, e);
    assert_int_equal(gn_protect(copy, &c), GN_EINVAL);
    assert_message_contains("element 2 of the inputs is no input but the result of sum");
    gn_arena_free(&c.arena);
    c.in = GN_EXPRS(x);
    assert_int_equal(gn_protect(copy, &c), GN_EINVAL);
    assert_message_contains("the named dim n is bound by no input");
    gn_arena_free(&c.arena);
    c.in = GN_EXPRS(x, y);
    if (gn_protect(copy, &c)) fail_msg("%s", gn_message());
    finish(&c);
    gn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_copy_depends_on_the_program_alone),
        cmocka_unit_test(fixed_names_are_numbers_everywhere),
        cmocka_unit_test(names_that_must_be_equal_become_one_and_the_line_is_kept),
        cmocka_unit_test(what_a_compile_lacks_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
