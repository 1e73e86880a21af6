/* Lints: each is told once a line, can be left out, and is silent where the same is written on purpose. And mistakes
 * that are errors. */
#include "api.h"

typedef struct told {
    int n;
    char name[8][40], sentence[8][600];
} told;

static void note(void *user, const char *name, const char *sentence)
{
    told *const t = user;
    if (t->n == 8) return;
    snprintf(t->name[t->n], sizeof *t->name, "%s", name);
    snprintf(t->sentence[t->n++], sizeof *t->sentence, "%s", sentence);
}

static gn_context *context(told *t, const char *lints)
{
    gn_context *c = NULL;
    *t = (told){ 0 };
    must(gn_context_new(
        &c, &(gn_context_options){
                .cache_dir = "", .toolchain = "interpreter", .lints = lints, .lint = note, .lint_user = t }));
    return c;
}

static void assert_told(const told *t, int i, const char *name, int line, const char *words)
{
    char place[40];
    snprintf(place, sizeof place, "test_lints.c:%d: ", line);
    if (i >= t->n) fail_msg("%s was not told", name);
    assert_string_equal(t->name[i], name);
    if (!strstr(t->sentence[i], place) || !strstr(t->sentence[i], words)) fail_msg("%s", t->sentence[i]);
}

/* What a beginner writes; returns the line of the first. */
static int mistakes(gn_graph *g)
{
    gn_expr *y = gn_input(g, "y", GN_F32, "batch"), *p = gn_input(g, "p", GN_F32, "batch, 1"),
            *t = gn_input(g, "t", GN_I32, "batch");
    gn_expr *z = gn_input(g, "z", GN_F32, "batch, 10");
    const int line = __LINE__ + 1;
    for (int i = 0; i < 3; i++) gn_mean_all(gn_square(gn_sub(y, p)));
    gn_dropout(z, 0.5, "d", 7);
    gn_cross_entropy(gn_softmax(z, 1), t);
    must(gn_graph_check(g));
    return line;
}

static void each_mistake_is_told_once_a_line(void **state)
{
    (void)state;
    told t;
    gn_context *const c = context(&t, NULL);
    gn_graph *const g = gn_graph_new(c);
    const int line = mistakes(g);
    assert_int_equal(t.n, 3);
    assert_told(
        &t, 0, "broadcast-outer", line,
        "sub: y f32 (batch) and p f32 (batch, 1): the dim batch meets itself across axes 0 and 1 of the result");
    assert_told(&t, 1, "literal-step", line + 1, "dropout: the step is a number: every call drops the same elements");
    assert_told(&t, 2, "double-softmax", line + 2, "cross_entropy: the logits are the result of softmax");
    gn_graph_free(g);
    gn_context_free(c);
}

static void what_is_written_on_purpose_is_silent(void **state)
{
    (void)state;
    told t;
    gn_context *const c = context(&t, NULL);
    gn_graph *const g = gn_graph_new(c);
    gn_expr *y = gn_input(g, "y", GN_F32, "n"), *z = gn_input(g, "z", GN_F32, "n, n"),
            *k = gn_input(g, "k", GN_I64, "()"), *l = gn_input(g, "l", GN_I32, "n");
    gn_sub(gn_expand(y, GN_AXES(0)), gn_expand(y, GN_AXES(1))); /* all pairs */
    gn_sub(gn_expand(y, GN_AXES(1)), y);
    gn_outer(y, y);
    gn_add(z, y);
    gn_add(gn_input(g, "w", GN_F32, "4"), gn_input(g, "v", GN_F32, "4, 1"));
    gn_dropout(z, 0.5, "d", k);
    gn_uniform(g, "u", 0, GN_F32, "3");
    gn_cross_entropy(gn_log(gn_softmax(z, 1)), l);
    must(gn_graph_check(g));
    assert_int_equal(t.n, 0);
    gn_graph_free(g);
    gn_context_free(c);
}

static void lints_can_be_left_out(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        int left;
    } cases[] = { { "-broadcast-outer", 2 }, { "-literal-step, -double-softmax", 1 }, { "-all", 0 }, { "", 3 } };
    told t;
    for (int i = 0; i < 4; i++) {
        gn_context *const c = context(&t, cases[i].list);
        gn_graph *const g = gn_graph_new(c);
        mistakes(g);
        assert_int_equal(t.n, cases[i].left);
        gn_graph_free(g);
        gn_context_free(c);
    }
    setenv("GNOMON_LINTS", "-literal-step", 1);
    gn_context *c = context(&t, NULL);
    gn_graph *const g = gn_graph_new(c);
    mistakes(g);
    assert_int_equal(t.n, 2);
    gn_graph_free(g);
    gn_context_free(c);
    setenv("GNOMON_LINTS", "-typo", 1);
    refuse(gn_context_new(&c, &(gn_context_options){ .cache_dir = "" }), GN_EINVAL,
           "lints: '-typo': expected - and one of broadcast-outer, literal-step");
    unsetenv("GNOMON_LINTS");
    refuse(gn_context_new(&c, &(gn_context_options){ .cache_dir = "", .lints = "literal-step" }), GN_EINVAL,
           "lints: 'literal-step': expected - and one of");
}

static void one_dropout_name_for_two_operands_is_an_error(void **state)
{
    (void)state;
    told t;
    gn_context *const c = context(&t, NULL);
    gn_graph *const g = gn_graph_new(c);
    gn_expr *x = gn_input(g, "x", GN_F32, "n"), *k = gn_input(g, "k", GN_I64, "()"), *h = gn_tanh(x);
    gn_expr *a = gn_dropout(x, 0.5, "drop", k);
    assert_ptr_equal(a, gn_dropout(x, 0.5, "drop", k)); /* the same expression */
    gn_dropout(h, 0.5, "drop", gn_add(k, 1));           /* another step */
    gn_scope_push(g, "layer2");
    gn_dropout(h, 0.5, "drop", k);
    gn_scope_pop(g);
    must(gn_graph_check(g));
    gn_dropout(h, 0.5, "drop", k);
    refuse(gn_graph_check(g), GN_EINVAL,
           "dropout: the name \"drop\" was used with this step before, for x f32 (n): both masks would be equal; "
           "gn_scope_push tells");
    assert_message_contains("test_lints.c:");
    gn_graph_free(g);
    gn_context_free(c);
}

/* The file of a place need not live as long as the graph. */
static void files_of_places_are_copied(void **state)
{
    (void)state;
    told t;
    gn_context *const c = context(&t, NULL);
    gn_graph *const g = gn_graph_new(c);
    char file[] = "model.c";
    gn_expr *const x = gn_input_at((gn_loc){ file, 3 }, g, "x", GN_F32, "3"), *const y =
                                                                                  gn_input_at((gn_loc){ file, 4 }, g,
                                                                                              "y", GN_F32, "4");
    memcpy(file, "other.c", sizeof file);
    gn_add_at((gn_loc){ file, 5 }, gn_operand_expr(x), gn_operand_expr(y));
    memset(file, 'z', sizeof file - 1);
    refuse(gn_graph_check(g), GN_ESHAPE,
           "other.c:5: add: extents of axis -1 differ: 3 and 4\n    x  f32 (3)  made at model.c:3\n    y  f32 (4)  "
           "made at model.c:4");
    gn_graph_free(g);
    gn_context_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_is_told_once_a_line),
        cmocka_unit_test(what_is_written_on_purpose_is_silent),
        cmocka_unit_test(lints_can_be_left_out),
        cmocka_unit_test(one_dropout_name_for_two_operands_is_an_error),
        cmocka_unit_test(files_of_places_are_copied),
    };
    unsetenv("GNOMON_LINTS"); /* the suite's, which leaves all out */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
