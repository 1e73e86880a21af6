/* Texts under construction and s-expressions. */
#include "testlib.h"
#include "sexpr.h"
#include "text.h"
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *decimal(gn_arena *arena, double v)
{
    gn_text t = { .arena = arena };
    gn_text_double(&t, v);
    return gn_text_done(&t);
}

static void doubles_are_printed_shortest_and_read_back(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    uint64_t random = test_seed();
    setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed, its comma must not show */
    assert_string_equal(decimal(&arena, 0.1), "0.1");
    assert_string_equal(decimal(&arena, 1), "1.0");
    assert_string_equal(decimal(&arena, 1e30), "1e+30");
    assert_string_equal(decimal(&arena, -0.0), "-0.0");
    assert_string_equal(decimal(&arena, INFINITY), "inf");
    assert_string_equal(decimal(&arena, -INFINITY), "-inf");
    assert_string_equal(decimal(&arena, NAN), "nan");
    for (int i = 0; i < 20000; i++) {
        const uint64_t bits = test_random(&random);
        double v, back;
        memcpy(&v, &bits, sizeof v);
        if (isnan(v)) continue;
        gn_text t = { .arena = &arena };
        gn_text_double(&t, v);
        gn_text_char(&t, ' ');
        gn_text_hex(&t, v);
        const gn_sx *const x = gn_sx_read(&arena, "t", t.at, t.n);
        for (int k = 0; k < 2; k++) {
            assert_true(gn_sx_double(x->at[k], &back));
            assert_memory_equal(&back, &v, sizeof v);
        }
        if (i % 1000 == 0) gn_arena_free(&arena);
    }
    setlocale(LC_ALL, "C");
    gn_arena_free(&arena);
}

static void strings_read_back_with_their_escapes(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    char all[256];
    for (int i = 0; i < 255; i++) all[i] = (char)(i + 1);
    all[255] = '\0';
    gn_text t = { .arena = &arena };
    gn_text_quote(&t, all);
    const gn_sx *const x = gn_sx_read(&arena, "t", t.at, t.n);
    assert_int_equal(x->n, 1);
    assert_int_equal(x->at[0]->kind, GN_SX_STRING);
    assert_string_equal(x->at[0]->text, all);
    gn_arena_free(&arena);
}

static void lists_atoms_and_places_are_read(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    const char text[] = "; a comment\n(sum x :axes (0 -1))\n  -12 ; more\n1.5";
    const gn_sx *const x = gn_sx_read(&arena, "t", text, strlen(text));
    int64_t i;
    double d;
    assert_int_equal(x->n, 3);
    assert_true(gn_sx_head(x->at[0], "sum"));
    assert_int_equal(x->at[0]->n, 4);
    assert_int_equal(x->at[0]->line, 2);
    assert_int_equal(x->at[0]->at[3]->column, 14);
    assert_int_equal(x->at[1]->line, 3);
    assert_int_equal(x->at[1]->column, 3);
    assert_true(gn_sx_int(x->at[1], &i) && i == -12);
    assert_false(gn_sx_int(x->at[2], &i));
    assert_true(gn_sx_double(x->at[2], &d) && d == 1.5);
    assert_false(gn_sx_double(x->at[0]->at[1], &d));
    assert_false(gn_sx_int(x->at[0], &i));
    gn_arena_free(&arena);
}

typedef struct reading {
    const char *text;
    size_t n;
    gn_arena arena;
} reading;

static void read_one(void *arg)
{
    reading *const r = arg;
    gn_sx_read(&r->arena, "f", r->text, r->n);
}

static void malformed_texts_are_told_with_their_place(void **state)
{
    (void)state;
    static const char *const cases[][2] = { { "(a\n (b)", "f:1:1: '(' without its ')'" },
                                            { "a )", "f:1:3: ')' without its '('" },
                                            { "\n\"abc", "f:2:1: string without its closing quote" },
                                            { "\"\\x1\"", "\\x wants two hex digits" },
                                            { "\"\\z\"", "unknown escape" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reading r = { cases[i][0], strlen(cases[i][0]), { 0 } };
        assert_int_equal(gn_protect(read_one, &r), GN_ESYNTAX);
        assert_message_contains(cases[i][1]);
        gn_arena_free(&r.arena);
    }
    char deep[300];
    memset(deep, '(', sizeof deep);
    reading r = { deep, sizeof deep, { 0 } };
    assert_int_equal(gn_protect(read_one, &r), GN_ESYNTAX);
    assert_message_contains("f:1:300: '(' without its ')'");
    gn_arena_free(&r.arena);
    r = (reading){ "a\0b", 3, { 0 } };
    assert_int_equal(gn_protect(read_one, &r), GN_ESYNTAX);
    assert_message_contains("a byte 0");
    gn_arena_free(&r.arena);
}

static void no_text_is_too_deep(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *deep = malloc(2 * DEEP);
    memset(deep, '(', DEEP), memset(deep + DEEP, ')', DEEP);
    gn_arena arena = { 0 };
    const gn_sx *x = gn_sx_read(&arena, "f", deep, 2 * DEEP);
    size_t depth = 0;
    for (; x->n == 1; x = x->at[0]) depth++;
    assert_int_equal(depth, DEEP);
    gn_arena_free(&arena);
    free(deep);
}

static void texts_grow(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_text t = { .arena = &arena };
    assert_string_equal(gn_text_done(&t), "");
    for (int i = 0; i < 3000; i++) gn_textf(&t, "%04d", i);
    assert_int_equal(t.n, 12000);
    for (int i = 0; i < 3000; i++) assert_int_equal(atoi(strncpy((char[5]){ 0 }, t.at + 4 * i, 4)), i);
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doubles_are_printed_shortest_and_read_back),
        cmocka_unit_test(strings_read_back_with_their_escapes),
        cmocka_unit_test(lists_atoms_and_places_are_read),
        cmocka_unit_test(malformed_texts_are_told_with_their_place),
        cmocka_unit_test(no_text_is_too_deep),
        cmocka_unit_test(texts_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
