/* Roles of axes: their text, what they must be, where they come from, and what the automatic schedules make of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "code_interpret.h"
#include "lower_default.h"
#include "kernel_form.h"
#include "programs.h"
#include "read_kernel.h"
#include "roles.h"

#define MATMUL(axes, factors)                                                                                          \
    "(kernel k (syms M K N) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes " axes ")\n"                              \
    "  (def a (i k) (load A i k))\n  (def b (k j) (load B k j))\n  (def s (i j) (sum (k) " factors "))\n"              \
    "  (store set C (i j) (s i j)))\n"
#define PRODUCT "(mul (a i k) (b k j))"
#define ROWS(axes)                                                                                                     \
    "(kernel k (syms R C) (bufs (X f32 R C) (Y f32 R) (Z f32 C R)) (axes " axes                                        \
    ")\n  (def s (i) (sum (j) (load X i j)))\n"                                                                        \
    "  (store set Y (i) (s i))\n  (store set Z (j i) (load X i j)))\n"

static const char *schedule_text(gn_arena *a, gn_kernel *k, const gn_target *t)
{
    gn_text out = { .arena = a };
    gn_schedule_print(&out, k, gn_default_schedule(a, k, t));
    return gn_text_done(&out);
}

/* ---- text ---- */

static void roles_and_pieces_are_printed_as_they_are_read(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    static const char *const texts[] = {
        MATMUL("(i M :role m) (k K :role k) (j N :role n)", PRODUCT),
        ROWS("(i R :role row) (j C :role lane)"),
        ROWS("(i R) (j C :role part)"),
        ROWS("(i R :role row :max 5) (j C :max 1)"),
        "(kernel k (syms) (bufs (X f32 4) (Y f32 4) (Z f32)) (axes (i 4 :role row) (j 4))\n  (piece i)\n"
        "  (def y (i) (exp (load X i)))\n  (store set Y (i) (y i))\n  (piece j)\n  (def s () (sum (j) (y j)))\n  "
        "(piece)\n"
        "  (store set Z () (s)))\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *first = kernel_text(&a, read_kernel(&a, texts[i]));
        assert_string_equal(first, kernel_text(&a, read_kernel(&a, first)));
        for (const char *role = texts[i]; (role = strstr(role, ":role")); role++) {
            char word[16];
            snprintf(word, sizeof word, "%.*s", (int)strcspn(role, ")") + 1, role);
            assert_non_null(strstr(first, word));
        }
    }
    gn_arena_free(&a);
}

static void read_body(void *arg)
{
    void **a = arg;
    read_kernel(a[0], a[1]);
}

static void an_axis_that_is_not_what_its_role_says_is_refused(void **state)
{
    (void)state;
    static const char no_pair[] =
        "there is no sum of a product of two definitions, one with m alone and one with n alone";
    const char *const cases[][2] = {
        {MATMUL("(i M :role q) (k K) (j N)", PRODUCT), "a role is batch, row, part, lane, m, n or k"},
        {MATMUL("(i M :roll m) (k K) (j N)", PRODUCT), "expected (NAME extent [:role ROLE] [:max INT])"},
        {MATMUL("(i M :role) (k K) (j N)", PRODUCT), "expected (NAME extent [:role ROLE] [:max INT])"},
        {MATMUL("(i M :role m) (k K) (j N)", PRODUCT), no_pair},
        {MATMUL("(i M :role m) (k K :role n) (j N)", PRODUCT), no_pair},
        {MATMUL("(i M :role m) (k K) (j N :role n)", "(add (a i k) (b k j))"), no_pair},
        {MATMUL("(i M :role m) (k K) (j N :role m)", PRODUCT), "j: a second axis with the role m, beside i"},
        {MATMUL("(i M :role k) (k K) (j N)", PRODUCT), "i: has the role k, but no contraction of m and n sums over it"},
        {MATMUL("(i M :role m) (k K :role batch) (j N :role n)", PRODUCT),
         "k: has the role batch, but no contraction of m and n keeps it beside them"},
        {ROWS("(i R) (j C :role row)"), "j: has the role row, but a reduction runs along it: it is a part"},
        {ROWS("(i R :role part) (j C)"), "i: has the role part, but no reduction runs along it: it is a row"},
        {ROWS("(i R :role row) (j C :role part)"), "j: a second axis with the role part, beside i"},
        {ROWS("(i R :role lane) (j C :role lane)"), "j: a second axis with the role lane, beside i"},
        {ROWS("(i R) (j C)) (piece j i"), "'j' is not the next axis that no piece has"},
        {ROWS("(i R) (j C)) (piece i"), "the axis 'j' is in no piece"},
        {"(kernel k (syms) (bufs (Y f32 4)) (axes (i 4)) (store set Y (i) 1) (piece i))",
         "what stands before the first piece is in none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gn_arena a = { 0 };
        const gn_status s = gn_protect(read_body, (void *[]){ &a, (void *)cases[i][0] });
        if (s != GN_ESYNTAX || !strstr(gn_message(), cases[i][1]))
            fail_msg("%s\nsays %s, not %s", cases[i][0], s ? gn_message() : "nothing", cases[i][1]);
        gn_arena_free(&a);
    }
}

static void kernels_that_differ_in_roles_alone_have_one_form(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const char *text[2];
    for (int i = 0; i < 2; i++) {
        gn_kernel *k = read_kernel(&a, i ? ROWS("(i R :role row :max 9) (j C)") : ROWS("(i R) (j C)"));
        text[i] = gn_kernel_form(&a, k, gn_plain_schedule(&a, k, "a test"));
    }
    assert_string_equal(text[0], text[1]);
    gn_arena_free(&a);
}

/* ---- what becomes of them ---- */

#define NAMED(m, n) "(i M :role " m ") (k K :role k) (j N :role " n ")"

static void run_code(gn_arena *a, const gn_scheduled *s, void *const *buffers)
{
    gn_code_interpret(s->code, buffers, NULL, 1, a);
}

static void the_role_decides_not_the_order_of_the_factors(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    const gn_target *t = &gn_target_avx512;
    const char *plain = schedule_text(&a, read_kernel(&a, MATMUL(NAMED("m", "n"), PRODUCT)), t),
               *turned = schedule_text(&a, read_kernel(&a, MATMUL(NAMED("m", "n"), "(mul (b k j) (a i k))")), t),
               *other = schedule_text(&a, read_kernel(&a, MATMUL(NAMED("n", "m"), PRODUCT)), t);
    assert_string_equal(plain, turned);
    assert_non_null(strstr(plain, "(bind lane jl)"));
    assert_non_null(strstr(other, "(bind lane il)"));
    gn_arena_free(&a);
}

static void an_axis_with_the_role_lane_goes_to_the_lanes(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    assert_non_null(
        strstr(schedule_text(&a, read_kernel(&a, ROWS("(i R :role row) (j C :role lane)")), &gn_target_avx2),
               "(bind lane jl)"));
    assert_non_null(strstr(schedule_text(&a, read_kernel(&a, ROWS("(i R :role lane) (j C)")), &gn_target_avx2),
                           "(bind lane il)"));
    gn_arena_free(&a);
}

/* At most 32 rows, whatever the extent says, do not repay a packed copy. */
static void few_rows_pack_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *axes;
        bool packs;
    } cases[] = {
        { "(i M :role m) (k K :role k) (j N :role n)", true },
        { "(i M :role m :max 32) (k K :role k) (j N :role n)", false },
        { "(i M :role m :max 33) (k K :role k) (j N :role n)", true },
        { "(i 32 :role m) (k K :role k) (j N :role n)", false },
        { "(i 33 :role m) (k K :role k) (j N :role n)", true },
        { "(i 33 :role m :max 33) (k K :role k) (j N :role n :max 2)", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gn_arena a = { 0 };
        const char *text = gn_arena_printf(&a, MATMUL("%s", PRODUCT), cases[i].axes),
                   *schedule = schedule_text(&a, read_kernel(&a, text), &gn_target_avx512);
        if (!strstr(schedule, "(stage b ") == cases[i].packs) fail_msg("%s\n%s", text, schedule);
        gn_arena_free(&a);
    }
}

#define TWO(tail)                                                                                                      \
    "(kernel k (syms) (bufs (A f32 70 40) (B f32 40 90) (D f32 70 30) (E f32 90 30) (C f32 70 90))\n"                  \
    "  (axes (i 70 :role m) (j 90 :role n) (k 40 :role k) (l 30 :role k))\n"                                           \
    "  (def a (i k) (load A i k)) (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (a i k) (b k j))))\n"          \
    "  (def d (i l) (load D i l)) (def e (l j) (exp (load E j l))) (def t (i j) (sum (l) (mul (d i l) (e l j))))\n"    \
    "  (store set C (i j) " tail "))\n"

/* Several contractions of one m and n: the factors of each are packed, all sums are in registers at once. */
static void every_contraction_of_m_and_n_is_scheduled(void **state)
{
    (void)state;
    static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_c11, &gn_target_cuda };
    static float in[4][90 * 40], out[2][70 * 90];
    uint64_t random = 1;
    for (size_t b = 0; b < 4; b++)
        for (size_t i = 0; i < 90 * 40; i++) in[b][i] = (float)test_uniform(&random, -1, 1);
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        gn_arena a = { 0 };
        gn_kernel *k = read_kernel(&a, TWO("(tanh (add (s i j) (t i j)))"));
        gn_schedule *schedule;
        gn_kernel_interpret(k, (void *[]){ in[0], in[1], in[2], in[3], out[0] }, NULL, &a);
        gn_scheduled *x = gn_default_apply(&a, k, targets[t], &schedule);
        if (schedule->plain) fail_msg("%s: %s", targets[t]->name, schedule->plain);
        gn_text text = { .arena = &a };
        gn_schedule_print(&text, k, schedule);
        if (targets[t]->lang == GN_LANG_C) assert_non_null(strstr(gn_text_done(&text), "(stage e arena (at root)"));
        run_code(&a, x, (void *[]){ in[0], in[1], in[2], in[3], out[1] });
        for (size_t i = 0; i < 70 * 90; i++)
            if (!(fabsf(out[0][i] - out[1][i]) < 1e-5f))
                fail_msg("%s: %g, not %g", targets[t]->name, out[1][i], out[0][i]);
        gn_arena_free(&a);
    }
}

/* ---- where they come from ---- */

static const char *without_roles(gn_arena *a, const char *text)
{
    gn_text t = { .arena = a };
    for (const char *next; (next = strstr(text, " :role ")); text = next + strcspn(next, ")"))
        gn_text_add_n(&t, text, (size_t)(next - text));
    gn_text_add(&t, text);
    return gn_text_done(&t);
}

static int nkernels, nroles;

/* A kernel that was read gets the schedule of the one that was printed, and so does one whose roles were derived. */
static void schedule_body(void *arg)
{
    void **v = arg;
    program *p = v[0];
    gn_arena *a = &p->arena;
    for (size_t i = 0; i < p->grouping->groups.n; i++) {
        const char *text = kernel_text(a, p->grouping->groups.at[i].kernel), *bare = without_roles(a, text);
        const char *given = schedule_text(a, p->grouping->groups.at[i].kernel, v[1]);
        const char *read = schedule_text(a, read_kernel(a, text), v[1]);
        if (strcmp(given, read) != 0) fail_msg("%s\n%s\nwhen it is read\n%s", text, given, read);
        const char *derived = schedule_text(a, read_kernel(a, bare), v[1]);
        if (strcmp(given, derived) != 0) fail_msg("%s\n%s\nwhen its roles are derived\n%s", text, given, derived);
        nkernels++, nroles += strcmp(text, bare) != 0;
    }
}

static void check_program(program *p, const gn_target *t)
{
    program_group(p, t);
    if (!p->refused && gn_protect(schedule_body, (void *[]){ p, (void *)t })) fail_msg("%s", gn_message());
    program_free(p);
}

static void a_kernel_from_its_text_gets_the_schedule_of_the_graph(void **state)
{
    (void)state;
    static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_cuda };
    const char *n = getenv("GNOMON_TEST_GRAPHS");
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        check_program(program_mlp(60, 784, 500, 10), targets[t]);
        check_program(program_mlp(0, 17, 66, 36), targets[t]);
        check_program(program_layer_norm(0, 0), targets[t]);
        check_program(program_cross_entropy(64, 10), targets[t]);
        check_program(program_logistic(0, 0), targets[t]);
        check_program(program_tiny(7), targets[t]);
        for (uint64_t seed = 1; seed <= (uint64_t)(n ? atoi(n) : 100); seed++)
            check_program(program_random(seed), targets[t]);
    }
    printf("%d kernels, %d of them with roles\n", nkernels, nroles);
    assert_true(nroles > nkernels / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_and_pieces_are_printed_as_they_are_read),
        cmocka_unit_test(an_axis_that_is_not_what_its_role_says_is_refused),
        cmocka_unit_test(kernels_that_differ_in_roles_alone_have_one_form),
        cmocka_unit_test(the_role_decides_not_the_order_of_the_factors),
        cmocka_unit_test(an_axis_with_the_role_lane_goes_to_the_lanes),
        cmocka_unit_test(few_rows_pack_nothing),
        cmocka_unit_test(every_contraction_of_m_and_n_is_scheduled),
        cmocka_unit_test(a_kernel_from_its_text_gets_the_schedule_of_the_graph),
    };
    cmocka_set_test_filter(getenv("GNOMON_TEST_FILTER"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
