/* The sweep: linear work, no recursion, an end. */
#include "cases.h"
#include <unistd.h>

/* ---- linear ---- */

static gn_expr *pick(gn_expr *const *pool, size_t n, uint64_t *rng)
{
    const size_t window = n < 40 ? n : 40;
    return pool[n - 1 - test_random(rng) % window];
}

static gn_expr *random_node(test_graph *t, gn_expr *const *pool, size_t n, uint64_t *rng)
{
    static const gn_op_info *const unary[] = {&gn_op_neg,  &gn_op_abs,  &gn_op_exp,     &gn_op_log,
                                              &gn_op_tanh, &gn_op_sqrt, &gn_op_sigmoid, &gn_op_square};
    static const gn_op_info *const binary[] = { &gn_op_add, &gn_op_sub,     &gn_op_mul,
                                                &gn_op_div, &gn_op_maximum, &gn_op_minimum };
    static const double numbers[] = { 0, 1, -1, 2, 0.5, 3 };
    const uint64_t kind = test_random(rng) % 8;
    gn_expr *x = pool[n - 1]; /* a chain, so that all are alive and the graph is as deep as it is large */
    if (kind < 3) return gn_make1(t->g, unary[test_random(rng) % 8], x);
    gn_expr *y = kind < 5 ? gn_make_like(t->g, x, numbers[test_random(rng) % 6]) : pick(pool, n, rng);
    return test_random(rng) % 2 ? gn_make2(t->g, binary[test_random(rng) % 6], x, y)
                                : gn_make2(t->g, binary[test_random(rng) % 6], y, x);
}

typedef struct growth {
    size_t n, graphs;        /* nodes of each of so many graphs */
    uint64_t rng;
    size_t visits, probes, nodes;
    double ms;
} growth;

static void optimize_random(void *arg)
{
    growth *r = arg;
    test_graph t;
    gn_optimize_report report;
    gn_arena arena = { 0 };
    test_graph_open(&t, "random");
    const gn_dim *dim = gn_dim_sym(&t.g->dims, "n");
    gn_expr **pool = GN_NEW_ARRAY(&t.arena, gn_expr *, r->n + 1);
    pool[0] = t.input[t.ninput++] = gn_input_node(t.g, "x", gn_type_tensor(t.g, GN_F32, 1, &dim));
    for (size_t i = 1; i <= r->n; i++) pool[i] = random_node(&t, pool, i, &r->rng);
    struct gn_core *core =
        gn_graph_copy(&arena, t.g, (gn_exprs){1, pool}, (gn_exprs){1, &pool[r->n]}, (gn_exprs){0}, (gn_exprs){0}, 0, NULL);
    gn_optimize(core, &(gn_optimize_options){ .report = &report });
    for (size_t i = 0; i < report.n; i++)
        r->visits += report.pass[i].stats.visits, r->probes += report.pass[i].stats.probes;
    r->nodes += report.pass[0].stats.nodes, r->ms += report.ms;
    gn_core_free(core);
    test_graph_close(&t);
    gn_arena_free(&arena);
}

static void visits_and_probes_per_node_do_not_grow_with_the_graph(void **state)
{
    (void)state;
    growth r[3] = { { .n = 1000, .graphs = 30 }, { .n = 10000, .graphs = 3 }, { .n = 100000, .graphs = 1 } };
    double visits[3], probes[3];
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < r[i].graphs; k++)
            if (gn_protect(optimize_random, &r[i])) fail_msg("%s", gn_message());
        visits[i] = (double)r[i].visits / (double)r[i].nodes, probes[i] = (double)r[i].probes / (double)r[i].nodes;
        print_message("%zu nodes: %.3f visits and %.3f probes a node, %.2f us\n", r[i].n, visits[i], probes[i],
                      1e3 * r[i].ms / (double)r[i].nodes);
    }
    for (size_t i = 1; i < 3; i++) {
        assert_true(visits[i] <= 1.02 * visits[0]);
        assert_true(probes[i] <= 1.02 * probes[0]);
    }
}

/* ---- termination ---- */

static gn_expr *sin_to_cos(gn_match *m)
{
    return gn_make1(m->graph, &gn_op_cos, m->root->in[0]);
}

static gn_expr *cos_to_sin(gn_match *m)
{
    return gn_make1(m->graph, &gn_op_sin, m->root->in[0]);
}

static gn_expr *sin_grows(gn_match *m)
{
    return gn_make1(m->graph, &gn_op_sin, gn_make1(m->graph, &gn_op_tanh, m->root->in[0]));
}

static gn_expr *sin_into_itself(gn_match *m)
{
    return gn_make1(m->graph, &gn_op_tanh, m->root);
}

typedef struct planted {
    test_graph t;
    const gn_rule_set *set;
} planted;

static void sweep_planted(void *arg)
{
    planted *p = arg;
    const gn_dim *dim = gn_dim_sym(&p->t.g->dims, "n");
    gn_expr *x = gn_input_node(p->t.g, "x", gn_type_tensor(p->t.g, GN_F32, 1, &dim));
    struct gn_core core = core_of(&p->t, gn_make1(p->t.g, &gn_op_sin, x));
    gn_sweep(&core, &p->set, 1, NULL, NULL);
}

static void assert_internal_error(const gn_rule_set *set, const char *words, const char *more)
{
    planted p = { .set = set };
    test_graph_open(&p.t, "planted");
    assert_int_equal(gn_protect(sweep_planted, &p), GN_EINTERNAL);
    assert_message_contains(words);
    assert_message_contains(more);
    test_graph_close(&p.t);
}

static void a_cycle_of_rules_is_an_internal_error_that_names_them(void **state)
{
    (void)state;
    static const gn_rule rules[] = {{.name = "ping", .class = GN_EXACT, .function = sin_to_cos},
                                    {.name = "pong", .class = GN_EXACT, .function = cos_to_sin}};
    static const gn_rule_entry entries[] = { { &gn_op_sin, &rules[0], NULL }, { &gn_op_cos, &rules[1], NULL } };
    static const gn_rule_set set = { .name = "planted", .rule = rules, .nrules = 2, .entry = entries, .nentries = 2 };
    assert_internal_error(&set, "ping", "pong");
}

static void endless_growth_runs_out_of_fuel(void **state)
{
    (void)state;
    static const gn_rule rules[] = { { .name = "grow", .class = GN_EXACT, .function = sin_grows } };
    static const gn_rule_entry entries[] = { { &gn_op_sin, &rules[0], NULL } };
    static const gn_rule_set set = { .name = "planted", .rule = rules, .nrules = 1, .entry = entries, .nentries = 1 };
    assert_internal_error(&set, "does not end", "grow <- grow");
}

static void a_rule_that_puts_its_node_into_itself_is_found_out(void **state)
{
    (void)state;
    static const gn_rule rules[] = { { .name = "wrap", .class = GN_EXACT, .function = sin_into_itself } };
    static const gn_rule_entry entries[] = { { &gn_op_sin, &rules[0], NULL } };
    static const gn_rule_set set = { .name = "planted", .rule = rules, .nrules = 1, .entry = entries, .nentries = 1 };
    assert_internal_error(&set, "does not end", "wrap");
}

static uint32_t one(const gn_expr *e)
{
    (void)e;
    return 1;
}

static void a_rule_that_does_not_lower_the_measure_is_found_out(void **state)
{
    (void)state;
#ifdef NDEBUG
    skip();
#endif
    static const gn_rule rules[] = { { .name = "even", .class = GN_EXACT, .function = sin_to_cos } };
    static const gn_rule_entry entries[] = { { &gn_op_sin, &rules[0], NULL } };
    static const gn_rule_set set = {
        .name = "planted", .rule = rules, .nrules = 1, .entry = entries, .nentries = 1, .weight = one
    };
    assert_internal_error(&set, "even of planted does not lower the measure", "1 => 1");
}

/* ---- how it treats a graph ---- */

typedef struct sweep_case {
    test_graph t;
    const char *text;
    void (*check)(struct sweep_case *, const gn_sx *);
} sweep_case;

static void run_sweep_case(void *arg)
{
    sweep_case *c = arg;
    const gn_sx *x = gn_sx_read(&c->t.arena, "case", c->text, strlen(c->text));
    size_t i = 0;
    while (i < x->n && read_setting(&c->t, x, &i)) continue;
    c->check(c, x->at[i]);
}

static void with_case(const char *text, void (*check)(sweep_case *, const gn_sx *))
{
    sweep_case c = { .text = text, .check = check };
    test_graph_open(&c.t, "case");
    if (gn_protect(run_sweep_case, &c)) fail_msg("%s", gn_message());
    test_graph_close(&c.t);
}

static void check_dead(sweep_case *c, const gn_sx *x)
{
    gn_sweep_stats stats;
    gn_expr *e = read_expr(&c->t, x);
    gn_make1(c->t.g, &gn_op_neg, gn_make1(c->t.g, &gn_op_neg, e)); /* dead */
    struct gn_core core = core_of(&c->t, e);
    gn_sweep(&core, (const gn_rule_set *[]){ &gn_rules_canonicalize }, 1, NULL, &stats);
    assert_int_equal(stats.nodes, 2);
    assert_int_equal(stats.visits, 2);
    assert_int_equal(stats.fired, 0);
    assert_ptr_equal(core.out.at[0], e);
}

static void dead_nodes_are_not_visited(void **state)
{
    (void)state;
    with_case("in x f32 (n) (exp x)", check_dead);
}

static void check_order(sweep_case *c, const gn_sx *x)
{
    struct gn_core core = core_of(&c->t, read_expr(&c->t, x));
    gn_sweep(&core, NULL, 0, NULL, NULL);
    assert_string_equal(shown(&c->t, core.out.at[0]), "(add (mul x y) 2.0)");
}

static void operands_of_commutative_ops_stand_by_number_with_constants_last(void **state)
{
    (void)state;
    with_case("in x f32 (n) in y f32 (n) (add 2 (mul y x))", check_order);
}

static void check_class(sweep_case *c, const gn_sx *x)
{
    gn_expr *e = read_expr(&c->t, x);
    struct gn_core core = core_of(&c->t, e);
    gn_sweep(&core, (const gn_rule_set *[]){ &gn_rules_algebra }, 1, NULL, NULL);
    assert_ptr_equal(core.out.at[0], e);
    assert_int_equal(gn_graph_relax(c->t.g, "finite"), GN_OK);
    gn_sweep(&core, (const gn_rule_set *[]){ &gn_rules_algebra }, 1, NULL, NULL);
    assert_string_equal(shown(&c->t, core.out.at[0]), "x");
}

static void relaxed_rules_fire_only_where_the_graph_allows_them(void **state)
{
    (void)state;
    with_case("in x f32 (n) (exp (log x))", check_class);
}

static void check_trace(sweep_case *c, const gn_sx *x)
{
    struct gn_core core = core_of(&c->t, read_expr(&c->t, x));
    char text[512];
    FILE *file = tmpfile();
    const int saved = dup(2);
    fflush(stderr);
    dup2(fileno(file), 2);
    gn_sweep(&core, (const gn_rule_set *[]){ &gn_rules_stabilize }, 1,
             &(gn_sweep_options){ .pass = "stabilize", .trace = "log1p_exp" }, NULL);
    fflush(stderr);
    dup2(saved, 2), close(saved);
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    assert_non_null(strstr(text, "stabilize: log1p_exp at "));
    assert_non_null(strstr(text, "(log1p (exp x)) => (softplus x)"));
    assert_null(strstr(text, "log_one_plus"));
}

static void a_traced_rule_prints_both_sides(void **state)
{
    (void)state;
    with_case("in x f32 (n) (log (add 1 (exp x)))", check_trace);
}

/* A thousand operands, each of a thousand: 10^12 names, of which a record shows the first. */
static void check_shown(sweep_case *c, const gn_sx *x)
{
    gn_expr *in[1000], *e = read_expr(&c->t, x)->in[0];
    for (int level = 0; level < 4; level++) {
        for (int i = 0; i < 1000; i++) in[i] = e;
        e = gn_make_concat(c->t.g, in, 1000, 0);
    }
    gn_text shown_text = { .arena = &c->t.arena };
    gn_expr_show(&shown_text, e, 4);
    assert_in_range(shown_text.n, 1000, 1100);
    assert_non_null(strstr(gn_text_done(&shown_text), "(concat (concat (concat (concat x x x"));
    assert_non_null(strstr(gn_text_done(&shown_text), " ..) ..) ..) ..)"));
}

static void a_record_is_short_whatever_it_shows(void **state)
{
    (void)state;
    with_case("in x f32 (n) (add x 0)", check_shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits_and_probes_per_node_do_not_grow_with_the_graph),
        cmocka_unit_test(a_cycle_of_rules_is_an_internal_error_that_names_them),
        cmocka_unit_test(endless_growth_runs_out_of_fuel),
        cmocka_unit_test(a_rule_that_puts_its_node_into_itself_is_found_out),
        cmocka_unit_test(a_rule_that_does_not_lower_the_measure_is_found_out),
        cmocka_unit_test(dead_nodes_are_not_visited),
        cmocka_unit_test(a_record_is_short_whatever_it_shows),
        cmocka_unit_test(operands_of_commutative_ops_stand_by_number_with_constants_last),
        cmocka_unit_test(relaxed_rules_fire_only_where_the_graph_allows_them),
        cmocka_unit_test(a_traced_rule_prints_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
