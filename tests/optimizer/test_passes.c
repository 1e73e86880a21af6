/* The pass table and its driver: golden texts, switches, records, errors. passes/NAME.txt has a graph and what it is
 * after that pass; GNOMON_UPDATE_GOLDEN=1 writes the second half anew, to be read before it is committed. */
#include "cases.h"
#include "graph_text.h"
#include <gnomon/gnomon.h>

static const char *golden_path(gn_arena *arena, const char *name)
{
    const char *slash = strrchr(__FILE__, '/');
    return gn_arena_printf(arena, "%.*s/passes/%s.txt", (int)(slash - __FILE__), __FILE__, name);
}

static const char *whole_file(gn_arena *arena, const char *path)
{
    gn_text text = { .arena = arena };
    char part[4096];
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("no file %s", path);
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) gn_text_add_n(&text, part, n);
    fclose(f);
    return gn_text_done(&text);
}

/* ---- golden texts ---- */

typedef struct golden {
    gn_arena arena;
    const char *pass, *before, *after; /* texts; after: as dumped */
} golden;

static void keep_dump(void *user, const char *pass, const char *text)
{
    golden *c = user;
    if (!strcmp(pass, c->pass)) c->after = gn_arena_string(&c->arena, text);
}

static void dump_pass(void *arg)
{
    golden *c = arg;
    struct gn_core *core = gn_core_read(&c->arena, NULL, c->pass, c->before, strlen(c->before));
    gn_optimize(core, &(gn_optimize_options){ .dump = c->pass, .on_dump = keep_dump, .user = c });
    gn_core_free(core);
}

static void a_pass_makes_the_golden_text(void **state)
{
    golden c = { .pass = *state };
    const char *path = golden_path(&c.arena, c.pass), *file = whole_file(&c.arena, path), *split = strstr(file, "\n=>\n");
    c.before = split ? gn_arena_printf(&c.arena, "%.*s", (int)(split - file), file) : file;
    if (gn_protect(dump_pass, &c)) fail_msg("%s", gn_message());
    assert_non_null(c.after);
    if (getenv("GNOMON_UPDATE_GOLDEN")) {
        FILE *f = fopen(path, "w");
        fprintf(f, "%s%s=>\n%s\n", c.before, split ? "\n" : "", c.after);
        fclose(f);
        return;
    }
    assert_non_null(split);
    assert_string_equal(gn_arena_printf(&c.arena, "%s\n", c.after), split + 4);
    gn_arena_free(&c.arena);
}

/* ---- switches, records, errors ---- */

static const char program[] = "(graph (dims n) (input 0 x f32 (n)) (node 1 f32 (n) (neg %0)) (node 2 f32 (n) (neg %1)) "
                              "(node 3 f32 (n) (exp %2)) (out %3))";

typedef struct driven {
    gn_arena arena;
    const char *text;
    gn_optimize_options options;
    const char *result;
    gn_text dumps;
    struct gn_core *core;
} driven;

static void drive_body(void *arg)
{
    driven *d = arg;
    gn_text t = { .arena = &d->arena };
    d->core = gn_core_read(&d->arena, NULL, "text", d->text, strlen(d->text));
    gn_optimize(d->core, &d->options);
    gn_core_print(&t, d->core);
    d->result = gn_text_done(&t);
}

static gn_status drive(driven *d)
{
    const gn_status status = gn_protect(drive_body, d);
    gn_core_free(d->core);
    return status;
}

static void a_rule_and_a_pass_can_be_switched_off_by_name(void **state)
{
    (void)state;
    driven d = { .text = program };
    assert_int_equal(drive(&d), GN_OK);
    assert_null(strstr(d.result, "neg"));
    d.options.disable = "pow_two, neg_neg";
    assert_int_equal(drive(&d), GN_OK);
    assert_non_null(strstr(d.result, "neg"));
    d.options.disable = "canonicalize,simplify,algebra,stabilize,contractions,shape,reductions";
    assert_int_equal(drive(&d), GN_OK);
    assert_non_null(strstr(d.result, "neg"));
    gn_arena_free(&d.arena);
}

static void unknown_names_are_refused_with_the_name(void **state)
{
    (void)state;
    driven d = { .text = program, .options = { .disable = "neg_nge" } };
    assert_int_equal(drive(&d), GN_EINVAL);
    assert_message_contains("disable: no rule or pass 'neg_nge'");
    d.options = (gn_optimize_options){ .dump = "fuse" };
    assert_int_equal(drive(&d), GN_EINVAL);
    assert_message_contains("dump: no pass 'fuse'");
    d.options = (gn_optimize_options){ .disable = "decompose" };
    assert_int_equal(drive(&d), GN_EINVAL);
    assert_message_contains("pass 'decompose' makes what later stages need");
    d.options = (gn_optimize_options){ .disable = "expand_contract" };
    assert_int_equal(drive(&d), GN_EINVAL);
    assert_message_contains("rule 'expand_contract' makes what later stages need");
    gn_arena_free(&d.arena);
}

static void explain_tells_each_firing_in_order(void **state)
{
    (void)state;
    driven d = { .text =
                     "(graph (dims n) (input 0 x f32 (n)) (constant 1 f32 () 1) (node 2 f32 (n) (broadcast %1 :shape "
                     "(n) :axes ()))"
                     " (node 3 f32 (n) (exp %0)) (node 4 f32 (n) (add %2 %3)) (node 5 f32 (n) (log %4)) (out %5))" };
    gn_explain record = { .arena = &d.arena };
    d.options.explain = &record;
    assert_int_equal(drive(&d), GN_OK);
    assert_int_equal(record.lines.n, 2);
    assert_string_equal(record.lines.at[0].rule, "log_one_plus");
    assert_string_equal(record.lines.at[0].pass, "stabilize");
    assert_string_equal(record.lines.at[0].class, "accurate");
    assert_string_equal(record.lines.at[0].before, "(log (add (exp x) 1.0))");
    assert_string_equal(record.lines.at[0].after, "(log1p (exp x))");
    assert_string_equal(record.lines.at[1].rule, "log1p_exp");
    assert_true(record.lines.at[0].cost_before > record.lines.at[0].cost_after);
    gn_text t = { .arena = &d.arena };
    gn_explain_print(&t, &record);
    assert_non_null(strstr(gn_text_done(&t), "stabilize: log1p_exp [accurate] at"));
    assert_non_null(strstr(gn_text_done(&t), "(log1p (exp x)) => (softplus x), cost"));
    gn_arena_free(&d.arena);
}

static void note_dump(void *user, const char *pass, const char *text)
{
    driven *d = user;
    gn_textf(&d->dumps, "%s ", pass);
    assert_non_null(strstr(text, "(graph"));
}

static void dumps_come_by_name_and_in_order(void **state)
{
    (void)state;
    driven d = { .text = program };
    d.dumps.arena = &d.arena;
    d.options = (gn_optimize_options){ .dump = "start,shape,decompose", .on_dump = note_dump, .user = &d };
    assert_int_equal(drive(&d), GN_OK);
    assert_string_equal(gn_text_done(&d.dumps), "start decompose shape ");
    gn_arena_free(&d.arena);
}

static void the_report_has_time_and_work_of_each_pass(void **state)
{
    (void)state;
    gn_optimize_report report;
    driven d = { .text = program, .options = { .report = &report } };
    assert_int_equal(drive(&d), GN_OK);
    assert_string_equal(report.pass[0].name, "canonicalize");
    assert_int_equal(report.pass[0].stats.nodes, 4);
    assert_int_equal(report.pass[0].stats.fired, 1);
    double ms = 0;
    size_t n = 0;
    while (gn_pass_name(n)) n++;
    assert_int_equal(report.n, n);
    for (size_t i = 0; i < report.n; i++) ms += report.pass[i].ms;
    assert_true(fabs(ms - report.ms) <= 1e-9 + 1e-6 * ms);
    gn_arena_free(&d.arena);
}

static void two_runs_give_the_same_text(void **state)
{
    (void)state;
    driven d = { .text = whole_file(&d.arena, golden_path(&d.arena, "decompose")) };
    gn_arena keep = { 0 };
    char *text = (char *)d.text, *split = strstr(text, "\n=>\n");
    if (split) *split = 0;
    assert_int_equal(drive(&d), GN_OK);
    const char *first = gn_arena_string(&keep, d.result);
    assert_int_equal(drive(&d), GN_OK);
    assert_string_equal(first, d.result);
    d.text = first; /* and what is optimized stays so, although softmax is found in it and taken apart again */
    assert_int_equal(drive(&d), GN_OK);
    assert_string_equal(first, d.result);
    gn_arena_free(&keep);
    gn_arena_free(&d.arena);
}

static void constraints_outlive_the_node_that_asked_for_them(void **state)
{
    (void)state;
    gn_graph *g = gn_graph_new(NULL);
    gn_arena arena = { 0 };
    gn_expr *x = gn_input(g, "x", GN_F32, "n*n"), *y = gn_input(g, "y", GN_F32, "m*m, n, m");
    gn_expr *z = gn_select(gn_eq(gn_constant(g, GN_SCALAR(&(_Bool){ 1 })), 1), x, gn_sum(y, GN_AXES(1, 2)));
    struct gn_core *core = gn_graph_copy(&arena, g, GN_EXPRS(x, y), GN_EXPRS(z), (gn_exprs){ 0 }, (gn_exprs){ 0 }, 0, NULL);
    const size_t n = core->constraints.n;
    assert_true(n > 0);
    gn_optimize(core, NULL);
    assert_ptr_equal(core->out.at[0]->op, &gn_op_input);
    assert_int_equal(core->constraints.n, n);
    gn_core_free(core);
    gn_arena_free(&arena);
    gn_graph_free(g);
}

static void the_document_is_made_from_the_tables(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_text t = { .arena = &arena };
    gn_rules_document(&t);
    const char *slash = strrchr(__FILE__, '/'),
               *path = gn_arena_printf(&arena, "%.*s/../../docs/rules.md", (int)(slash - __FILE__), __FILE__);
    if (getenv("GNOMON_UPDATE_GOLDEN")) {
        FILE *f = fopen(path, "w");
        fputs(gn_text_done(&t), f);
        fclose(f);
    }
    assert_string_equal(whole_file(&arena, path), gn_text_done(&t));
    gn_arena_free(&arena);
}

int main(void)
{
    struct CMUnitTest tests[GN_MOST_PASSES + 9];
    size_t n = 0;
    for (; gn_pass_name(n); n++)
        tests[n] = (struct CMUnitTest){ gn_pass_name(n), a_pass_makes_the_golden_text, NULL, NULL,
                                        (void *)(uintptr_t)gn_pass_name(n) };
    const struct CMUnitTest more[] = {
        cmocka_unit_test(a_rule_and_a_pass_can_be_switched_off_by_name),
        cmocka_unit_test(unknown_names_are_refused_with_the_name),
        cmocka_unit_test(explain_tells_each_firing_in_order),
        cmocka_unit_test(dumps_come_by_name_and_in_order),
        cmocka_unit_test(the_report_has_time_and_work_of_each_pass),
        cmocka_unit_test(two_runs_give_the_same_text),
        cmocka_unit_test(constraints_outlive_the_node_that_asked_for_them),
        cmocka_unit_test(the_document_is_made_from_the_tables),
    };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) tests[n++] = more[i];
    return _cmocka_run_group_tests("passes", tests, n, NULL, NULL);
}
