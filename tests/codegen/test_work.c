/* What making a program costs, in nodes met by walks and entries looked at in tables: n log n of its statements, and as
 * many lines. */
#include <gnomon/grad.h>
#include <gnomon/ops.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "code_interpret.h"
#include "default_schedule.h"
#include "emit.h"
#include "lower_default.h"
#include "make_program.h"
#include "program.h"
#include "programs.h"
#include "visit.h"

typedef gn_expr *(*make_step)(gn_expr *x, gn_expr *a);

static gn_expr *residual(gn_expr *h, gn_expr *a)
{
    return gn_add(h, gn_sin(gn_mul(h, a)));
}

static gn_expr *logistic(gn_expr *y, gn_expr *a)
{
    return gn_mul(gn_mul(a, y), gn_sub(1.0, y));
}

static gn_expr *slope(gn_expr *y, gn_expr *a)
{
    return gn_sub(gn_mul(a, y), gn_mul(gn_mul(y, y), y));
}

static gn_expr *euler(gn_expr *y, gn_expr *a)
{
    return gn_add(y, gn_mul(slope(y, a), 0.01));
}

static gn_expr *rk4(gn_expr *y, gn_expr *a)
{
    gn_expr *k1 = slope(y, a), *k2 = slope(gn_add(y, gn_mul(k1, 0.005)), a), *k3 = slope(gn_add(y, gn_mul(k2, 0.005)), a);
    gn_expr *k4 = slope(gn_add(y, gn_mul(k3, 0.01)), a);
    return gn_add(y, gn_mul(gn_add(gn_add(k1, k4), gn_mul(gn_add(k2, k3), 2.0)), 0.01 / 6));
}

static gn_expr *by_value(gn_expr *x, gn_expr *a)
{
    return gn_where(gn_lt(a, x), gn_mul(x, 2.0), gn_add(x, 1.0));
}

static gn_expr *leapfrog(gn_expr *x, gn_expr *a, int n)
{
    gn_expr *v = gn_mul(x, 0.0);
    for (int i = 0; i < n; i++) {
        gn_expr *half = gn_sub(v, gn_mul(gn_mul(a, x), 0.005));
        x = gn_add(x, gn_mul(half, 0.01));
        v = gn_sub(half, gn_mul(gn_mul(a, x), 0.005));
    }
    return gn_add(x, v);
}

static const struct chain {
    const char *name;
    make_step step; /* NULL: leapfrog, which has two states */
} chains[] = { { "residual", residual }, { "logistic", logistic }, { "euler", euler },
               { "rk4", rk4 },           { "select", by_value },   { "leapfrog", NULL } };

static program *chained(const struct chain *c, int n, const char *shape, bool gradient)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F64, shape), *a = program_in(p, "a", GN_F64, shape), *y = x;
    if (!c->step) y = leapfrog(x, a, n);
    for (int i = 0; c->step && i < n; i++) y = c->step(y, a);
    program_out(p, y);
    if (gradient) program_out(p, gn_grad(gn_sum_all(y), x));
    return p;
}

typedef struct cost {
    double work, lines;
} cost;

static double count_lines(const char *text)
{
    double n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* Grouping, schedules, lowering and text; frees the program. */
static cost cost_of(program *p)
{
    program_group(p, &gn_target_avx512); /* the passes are not counted */
    const gn_work before = gn_work_done;
    const gn_program *made = gn_program_make(&p->arena, p->core, &gn_target_avx512, "test");
    const cost c = { (double)(gn_work_done.visits - before.visits + gn_work_done.scans - before.scans),
                     count_lines(made->source) };
    program_free(p);
    return c;
}

/* Eight times the steps: at most 8 log(8 n) / log(n) times the work, below 12 from n = 64 on, and 8 times the lines
 * beside what all units have. */
static void assert_growth(const char *name, cost few, cost many)
{
    if (many.work > 12 * few.work || many.lines > 8 * few.lines)
        fail_msg("%s: work from %.0f to %.0f, lines from %.0f to %.0f", name, few.work, many.work, few.lines, many.lines);
}

static void work_and_text_grow_with_the_steps_of_a_chain(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof chains / sizeof *chains; c++)
        for (int gradient = 0; gradient < 2; gradient++)
            for (int big = 0; big < 2; big++) {
                const char *shape = big ? "100000" : "4";
                const int n = chains[c].step == rk4 ? 64 : 125;
                assert_growth(chains[c].name, cost_of(chained(&chains[c], n, shape, gradient)),
                              cost_of(chained(&chains[c], 8 * n, shape, gradient)));
            }
}

/* Position and speed as rows of one array, in a program that becomes one function. */
static program *pendulum(int n)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F64, "2, 5"), *y = x;
    for (int i = 0; i < n; i++) {
        gn_expr *q = gn_slice(y, "0"), *half = gn_sub(gn_slice(y, "1"), gn_mul(gn_sin(q), 0.05));
        q = gn_add(q, gn_mul(half, 0.1));
        y = gn_stack(GN_EXPRS(q, gn_sub(half, gn_mul(gn_sin(q), 0.05))), 0);
    }
    program_out(p, y), program_out(p, gn_grad(gn_sum_all(y), x));
    return p;
}

static void one_function_of_rows_grows_with_its_steps(void **state)
{
    (void)state;
    assert_growth("pendulum", cost_of(pendulum(12)), cost_of(pendulum(96)));
}

/* Views upon views of what is no number: whether it is one is known without a walk down to it. */
static cost cost_of_passes(int n)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *h = program_in(p, "x", GN_F64, "20000");
    for (int i = 0; i < n; i++) h = gn_flip(gn_slice(h, "1:"), GN_AXES(0));
    program_out(p, gn_mul(h, 2.0));
    const gn_work before = gn_work_done;
    program_group(p, &gn_target_avx512);
    const cost c = { (double)(gn_work_done.visits - before.visits + gn_work_done.scans - before.scans), 0 };
    program_free(p);
    return c;
}

static void passes_over_views_upon_views_take_n_log_n(void **state)
{
    (void)state;
    assert_growth("flipped slices", cost_of_passes(1000), cost_of_passes(8000));
}

/* u(i-1) + u(i+1) again and again: inside the array, so that it shrinks by two. */
static program *stencil(int n, bool plane)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *u = program_in(p, "u", GN_F64, plane ? "300, 310" : "5000");
    for (int i = 0; i < n; i++) {
        if (plane)
            u = gn_add(gn_add(gn_slice(u, ":-2, 1:-1"), gn_slice(u, "2:, 1:-1")),
                       gn_add(gn_slice(u, "1:-1, :-2"), gn_slice(u, "1:-1, 2:")));
        else u = gn_add(gn_slice(u, ":-2"), gn_slice(u, "2:"));
    }
    program_out(p, u);
    return p;
}

static void stencils_on_stencils_stay_as_long_as_their_number(void **state)
{
    (void)state;
    for (int plane = 0; plane < 2; plane++)
        assert_growth(plane ? "plane" : "line", cost_of(stencil(8, plane)), cost_of(stencil(64, plane)));
}

/* Each kernel tells what it needs of the n extents before: n^2 in all, while written out they would be 2^n. */
static double text_of_halves(int n)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    program_size(p, "n", 400);
    gn_expr *h = program_in(p, "x", GN_F64, "n");
    for (int i = 0; i < n; i++) h = gn_concat(GN_EXPRS(gn_slice(h, "::2"), gn_slice(h, "::3")), 0);
    program_out(p, h);
    program_group(p, &gn_target_avx512);
    const double length = (double)strlen(gn_program_make(&p->arena, p->core, &gn_target_avx512, "test")->source);
    program_free(p);
    return length;
}

static void extents_that_share_their_parts_are_told_once_a_kernel(void **state)
{
    (void)state;
    assert_true(text_of_halves(40) < 4 * text_of_halves(20));
}

/* ---- nested selects ---- */

typedef enum { EQUAL, NESTED, MODULO, TAKEN, KINDS } condition_kind;

static gn_expr *condition(program *p, condition_kind kind, gn_expr *i, gn_expr *at, int k)
{
    (void)p;
    switch (kind) {
    case EQUAL: return gn_lt(i, 7);
    case NESTED: return gn_lt(i, 3 + k);
    case MODULO: return gn_eq(gn_mod(i, 2 + k), 1);
    default: return gn_lt(gn_add(gn_mul(at, k % 2 ? -1 : 1), k), i);
    }
}

static program *selects(condition_kind kind, int levels, const char *shape)
{
    program *p = program_new(test_seed());
    p->optimize = true;
    gn_expr *x = program_in(p, "x", GN_F64, shape), *at = program_in(p, "at", GN_I64, shape),
            *i = gn_iota(p->graph, GN_I64, 0, "%s", shape);
    for (int k = 0; k < levels; k++)
        x = gn_where(condition(p, kind, i, at, k), gn_mul(x, k % 3 ? 0.5 : 2.0), gn_add(x, 1.0));
    program_out(p, x);
    return p;
}

static void nested_selects_make_each_value_once(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        const double few = cost_of(selects((condition_kind)kind, 8, "1000")).lines,
                     many = cost_of(selects((condition_kind)kind, 64, "1000")).lines;
        if (many > 8 * few) fail_msg("conditions of kind %d: %.0f lines for 8 levels, %.0f for 64", kind, few, many);
    }
}

static const gn_target *target;

static void run_code(const program *p, const gn_group *q, void *const *buffers, const int64_t *sym, gn_arena *scratch)
{
    (void)p;
    gn_code_interpret(gn_default_apply(scratch, q->kernel, target, NULL)->code, buffers, sym, 1, scratch);
}

static void nested_selects_have_their_values(void **state)
{
    (void)state;
    const gn_target *const targets[] = { &gn_target_c11, &gn_target_generic, &gn_target_avx2, &gn_target_avx512 };
    const int levels[] = { 4, 5, 16, 64 };
    for (size_t t = 0; t < 4; t++)
        for (int kind = 0; kind < KINDS; kind++)
            for (size_t l = 0; l < 4; l++) {
                program *p = selects((condition_kind)kind, levels[l], t % 2 ? "37" : "80");
                target = targets[t];
                program_group(p, target);
                program_check(p, run_code);
                program_free(p);
            }
}

/* ---- one kernel, one expression: definitions that stand in place of their uses ---- */

typedef struct deep {
    int n;
    cost cost;
} deep;

static void lower_deep(void *arg)
{
    deep *d = arg;
    gn_arena arena = { 0 };
    gn_kernel *k = gn_kernel_new(&arena, "deep");
    const gn_dim *n = gn_dim_const(k->dims, 100), *i = gn_dim_sym(k->dims, "i");
    const uint32_t x = gn_kernel_buf(k, "x", GN_F32, 1, &n), y = gn_kernel_buf(k, "y", GN_F32, 1, &n);
    const uint16_t axis = (uint16_t)gn_kernel_axis(k, "i", n);
    const gn_kexpr *e = gn_kexpr_load(k, x, &i), *one = gn_kexpr_const(k, GN_F32, 1);
    for (int j = 0; j < d->n; j++) {
        const gn_kcond c = { GN_K_LT, i, gn_dim_const(k->dims, j % 90 + 5) };
        const gn_kexpr *twice = gn_kexpr_op(k, gn_op_find("add"), GN_F32, (const gn_kexpr *[]){ e, e }, 2);
        const gn_kexpr *more = gn_kexpr_op(k, gn_op_find("tanh"), GN_F32, (const gn_kexpr *[]){ e }, 1);
        if (j % 3 == 0) e = gn_kexpr_if(k, 1, &c, e, one);
        else e = gn_kexpr_op(k, gn_op_find("mul"), GN_F32, (const gn_kexpr *[]){ twice, more }, 2);
        e = gn_kexpr_ref(k, gn_kernel_def(k, gn_arena_printf(&arena, "d%d", j), 1, &axis, GN_RED_NONE, 0, NULL, e), &i);
    }
    gn_kernel_store(k, GN_STORE_SET, y, &i, e);
    const gn_work before = gn_work_done;
    gn_text t = { .arena = &arena };
    gn_emit_kernel(&t, NULL, gn_default_apply(&arena, k, &gn_target_avx512, NULL)->code);
    d->cost = (cost){ (double)(gn_work_done.visits - before.visits + gn_work_done.scans - before.scans),
                      count_lines(gn_text_done(&t)) };
    gn_arena_free(&arena);
}

static void *in_thread(void *arg)
{
    if (gn_protect(lower_deep, arg)) ((deep *)arg)->n = 0;
    return NULL;
}

static cost cost_of_deep(int n)
{
    deep d = { n, { 0, 0 } };
    pthread_attr_t small;
    pthread_t thread;
    assert_int_equal(0, pthread_attr_init(&small));
    /* recursion over the operands of 8,000 steps takes more */
    assert_int_equal(0, pthread_attr_setstacksize(&small, 512 << 10));
    assert_int_equal(0, pthread_create(&thread, &small, in_thread, &d));
    pthread_join(thread, NULL);
    pthread_attr_destroy(&small);
    assert_int_equal(n, d.n);
    return d.cost;
}

static void an_expression_of_8000_steps_needs_no_deep_stack(void **state)
{
    (void)state;
    assert_growth("one expression", cost_of_deep(1000), cost_of_deep(8000));
}

/* ---- indices and extents that share their parts: (d div 3) + (d mod 5), again and again, stands for a text of 2^60
 * names ---- */

static const gn_dim *shared_parts(gn_kernel *k, const gn_dim *d)
{
    for (int i = 0; i < 60; i++)
        d = gn_dim_add(k->dims, gn_dim_div(k->dims, d, gn_dim_const(k->dims, 3)),
                       gn_dim_mod(k->dims, d, gn_dim_const(k->dims, 500000)));
    return d;
}

static void lower_falling_extent(void *arena)
{
    gn_kernel *k = gn_kernel_new(arena, "falling");
    const gn_dim *n = gn_dim_const(k->dims, 100), *i = gn_dim_sym(k->dims, "i"), *j = gn_dim_sym(k->dims, "j");
    const gn_dim *extent = gn_dim_add(k->dims, shared_parts(k, i), gn_dim_sub(k->dims, n, i));
    const uint32_t x = gn_kernel_buf(k, "x", GN_I32, 1, &n), y = gn_kernel_buf(k, "y", GN_F32, 1, &n);
    const uint16_t axis[] = { (uint16_t)gn_kernel_axis(k, "i", n), (uint16_t)gn_kernel_axis(k, "j", extent) };
    const gn_dim *at = shared_parts(k, gn_dim_load(k->dims, "x", j));
    const uint32_t sum = gn_kernel_def(k, "sum", 1, axis, GN_RED_SUM, 1, axis + 1, gn_kexpr_index(k, GN_F32, at));
    assert_true(k->bufs.at[x].access & GN_KBUF_READ);
    gn_kernel_store(k, GN_STORE_SET, y, &i, gn_kexpr_ref(k, sum, &i));
    const char *text = "(schedule s (split i i0 (i1 4)) (order i0 j i1) (bind unroll i1))";
    gn_schedule_apply(arena, k, gn_schedule_read(arena, k, "s", gn_sx_read(arena, "s", text, strlen(text))->at[0]),
                      &gn_target_avx512);
}

static void shared_parts_of_indices_and_extents_are_walked_once(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    const gn_work before = gn_work_done;
    assert_int_equal(gn_protect(lower_falling_extent, &arena), GN_EINVAL);
    assert_non_null(strstr(gn_message(), "the extent of 'j' falls with an axis"));
    assert_in_range(gn_work_done.visits - before.visits, 100, 10000);
    gn_arena_free(&arena);
}

/* ---- one kernel, many statements ---- */

typedef enum { APART, CHAINED, SUMMED, NESTED_COPIES, INTO_ONE, IN_REGISTERS, UNUSED, STATEMENTS } statements;

/* n definitions that are kept: each of its own, each of the one before, sums of the one before, copies inside the loop
 * of the next, all used by the last, each in a variable, and likewise those that nothing is stored of. */
static const char *statements_text(gn_arena *arena, statements kind, int n)
{
    gn_text k = { .arena = arena }, s = { .arena = arena };
    gn_textf(&k, "(kernel many (syms N M) (bufs (X f32 N M) (Y f32 N M)) (axes (i N) (j M)) (def d0 (i j) (load X i j))");
    gn_text_add(&s, " (schedule s (order i j) (stage d0 arena)");
    for (int t = 1; t < n; t++) {
        const int from = kind == APART || kind == INTO_ONE ? 0 : t - 1;
        if (kind == SUMMED && t % 2) gn_textf(&k, " (def d%d (i) (sum (j) (mul %d (d%d i j))))", t, t, from);
        else if (kind == SUMMED) gn_textf(&k, " (def d%d (i j) (mul (load X i j) (d%d i)))", t, from);
        else gn_textf(&k, " (def d%d (i j) (add %d (d%d i j)))", t, t, from);
        gn_textf(&s, " (stage d%d %s%s)", t, kind >= IN_REGISTERS ? "reg" : "arena",
                 kind == NESTED_COPIES ? " (at i)" : "");
    }
    gn_textf(&k, " (store set Y (i j) ");
    if (kind == INTO_ONE)
        for (int t = 0; t < n - 1; t++) gn_textf(&k, "(add (d%d i j) ", t);
    gn_textf(&k, kind == SUMMED && n % 2 == 0 ? "(d%d i)" : "(d%d i j)", kind == UNUSED ? 0 : n - 1);
    for (int t = 0; kind == INTO_ONE && t < n - 1; t++) gn_text_char(&k, ')');
    gn_textf(&k, "))%s)", gn_text_done(&s));
    return gn_text_done(&k);
}

static cost cost_of_statements(statements kind, int n)
{
    gn_arena arena = { 0 };
    const char *text = statements_text(&arena, kind, n);
    const gn_sx *x = gn_sx_read(&arena, "many", text, strlen(text));
    const gn_kernel *k = gn_kernel_read(&arena, "many", x->at[0]);
    const gn_schedule *s = gn_schedule_read(&arena, k, "many", x->at[1]);
    const gn_work before = gn_work_done;
    gn_text t = { .arena = &arena };
    gn_emit_kernel(&t, NULL, gn_schedule_apply(&arena, k, s, &gn_target_avx512)->code);
    const cost c = { (double)(gn_work_done.visits - before.visits + gn_work_done.scans - before.scans),
                     count_lines(gn_text_done(&t)) };
    gn_arena_free(&arena);
    return c;
}

static void placing_many_statements_takes_n_log_n(void **state)
{
    (void)state;
    for (int kind = 0; kind < STATEMENTS; kind++) {
        char name[20];
        snprintf(name, sizeof name, "statements %d", kind);
        assert_growth(name, cost_of_statements((statements)kind, 1000), cost_of_statements((statements)kind, 8000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_and_text_grow_with_the_steps_of_a_chain),
        cmocka_unit_test(one_function_of_rows_grows_with_its_steps),
        cmocka_unit_test(passes_over_views_upon_views_take_n_log_n),
        cmocka_unit_test(stencils_on_stencils_stay_as_long_as_their_number),
        cmocka_unit_test(extents_that_share_their_parts_are_told_once_a_kernel),
        cmocka_unit_test(nested_selects_make_each_value_once),
        cmocka_unit_test(nested_selects_have_their_values),
        cmocka_unit_test(an_expression_of_8000_steps_needs_no_deep_stack),
        cmocka_unit_test(shared_parts_of_indices_and_extents_are_walked_once),
        cmocka_unit_test(placing_many_statements_takes_n_log_n),
    };
    return cmocka_run_group_tests_name("codegen/work", tests, NULL, NULL);
}
