/* Names in generated C. */
#include <string.h>
#include "ascii.h"
#include "spelling.h"
#include "testlib.h"
#include "words.h"

static void a_name_stays_where_it_can(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_spelling s = { .arena = &arena };
    static const char *const pairs[][2] = { { "x", "x" },
                                            { "w1", "w1" },
                                            { "WQ", "WQ" },
                                            { "l/w", "l_w" },
                                            { "l.w", "l_w_2" },
                                            { "l_w", "l_w_3" },
                                            { "L_W", "L_W_u" },
                                            { "int", "int_" },
                                            { "int_", "int_2" },
                                            { "NULL", "NULL_u" },
                                            { "NULL_", "NULL_u_2" },
                                            { "v1", "v1_" },
                                            { "gn_load", "u_gn_load" },
                                            { "gn", "u_gn" },
                                            { "_x", "u_x" },
                                            { "1a", "u_1a" },
                                            { "", "u_" },
                                            { "a__b", "a_b" },
                                            { "my_t", "my_t_" },
                                            { "\xc3\xa9", "u_2" } };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_equal(gn_spell_name(&s, pairs[i][0]), pairs[i][1]);
    gn_arena_free(&arena);
}

/* From the alphabet of the rules: all short texts, each three times. */
static void any_text_has_a_spelling_of_its_own(void **state)
{
    (void)state;
    static const char alphabet[] = "gnGNvt_1u.A";
    gn_arena arena = { 0 };
    gn_spelling s = { .arena = &arena };
    gn_symbols all = { 0 };
    gn_map given = { 0 };
    enum { LETTERS = sizeof alphabet - 1, TEXTS = LETTERS * LETTERS * LETTERS };
    for (int i = 0; i < 3 * TEXTS; i++) {
        char text[5];
        for (int k = 0, rest = i % TEXTS; k < 3; k++, rest /= LETTERS) text[k] = alphabet[rest % LETTERS];
        text[i / TEXTS + 1] = '\0';
        const char *name = gn_spell_name(&s, text);
        void **known = gn_map_put(&arena, &given, GN_KEY(gn_symbol(&arena, &all, name)));
        if (!gn_is_name(name) || *known) fail_msg("\"%s\" is spelled %s%s", text, name, *known ? ", which is taken" : "");
        *known = &s;
        assert_false(strstr(name, "__") || name[0] == '_' || strncmp(name, "gn_", 3) == 0 || strncmp(name, "GN_", 3) == 0);
    }
    gn_arena_free(&arena);
}

static const char *variable_of(void *user, const char *base, size_t i)
{
    return gn_arena_printf(user, "%s_%zu", base, i);
}

static void variables_of_an_array_are_free_together(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    gn_spelling s = { .arena = &arena };
    assert_string_equal(gn_spell_name(&s, "acc_2"), "acc_2");
    assert_string_equal(gn_spell_names(&s, "acc", 2, variable_of, &arena), "acc");
    assert_string_equal(gn_spell_names(&s, "b", 3, variable_of, &arena), "b");
    assert_string_equal(gn_spell_name(&s, "b_1"), "b_1_2");
    gn_spell_reserve(&s, "sum_0");
    assert_string_equal(gn_spell_names(&s, "sum", 2, variable_of, &arena), "sum_2");
    gn_arena_free(&arena);
}

/* The words of the list that are none for a function: of C, C++, CUDA and generated code all are refused or harmless. */
static void no_word_is_spelled_as_it_is(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    for (size_t i = 0; i < NWORDS; i++) {
        gn_spelling s = { .arena = &arena };
        const char *name = gn_spell_name(&s, every_word[i]);
        assert_true(gn_is_name(name));
        if (strncmp(every_word[i], "gn_", 3) == 0 || every_word[i][0] == '_') assert_string_not_equal(name, every_word[i]);
    }
    static const char *const keywords[] = { "int",         "typeof",    "nullptr", "co_await", "and_eq", "char16_t",
                                            "static_cast", "INT64_MAX", "NULL",    "errno",    "linux",  "threadIdx",
                                            "memcpy",      "arg",       "sym",     "part" };
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        gn_spelling s = { .arena = &arena };
        assert_string_not_equal(gn_spell_name(&s, keywords[i]), keywords[i]);
    }
    gn_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_stays_where_it_can),
        cmocka_unit_test(any_text_has_a_spelling_of_its_own),
        cmocka_unit_test(variables_of_an_array_are_free_together),
        cmocka_unit_test(no_word_is_spelled_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
