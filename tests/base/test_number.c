/* Numbers as text and back, beside the C library in the C locale and the default mode, which round correctly. */
#include "testlib.h"
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ascii.h"
#include "number.h"

enum { SIZE = GN_NUMBER_SIZE };
static const int modes[] = { FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO };

static double double_of(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* The C library's words; an exact answer in the C locale. */
static void in_c_locale(char *out, size_t size, const char *format, int precision, double v)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), old = uselocale(c);
    if (precision < 0) snprintf(out, size, format, v);
    else snprintf(out, size, format, precision, v);
    uselocale(old);
    freelocale(c);
}

static double read_by_library(const char *text, char **end)
{
    const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), old = uselocale(c);
    const double v = strtod(text, end);
    uselocale(old);
    freelocale(c);
    return v;
}

static void agrees_with_library(double v)
{
    char mine[SIZE], theirs[512];
    in_c_locale(theirs, sizeof theirs, "%a", -1, v);
    assert_string_equal(gn_number_hex(mine, v), theirs);
    for (int digits = 1; digits <= 17; digits++) {
        in_c_locale(theirs, sizeof theirs, "%.*g", digits, v);
        assert_string_equal(gn_number_digits(mine, v, digits), theirs);
    }
    for (int decimals = 0; decimals <= 9 && fabs(v) < 0x1p69; decimals += 3) {
        in_c_locale(theirs, sizeof theirs, "%.*f", decimals, v);
        assert_string_equal(gn_number_fixed(mine, v, decimals), theirs);
    }
}

static void reads_back(double v)
{
    char text[SIZE];
    const char *end;
    double back;
    assert_true(gn_number_read(gn_number_shortest(text, v), &end, &back) && !*end && same(back, v));
    assert_true(gn_number_read(gn_number_hex(text, v), &end, &back) && !*end && same(back, v));
    const float single = (float)v;
    float f;
    assert_true(gn_number_read_f32(gn_number_shortest_f32(text, single), &end, &f) && !*end && memcmp(&f, &single, 4) == 0);
}

static void the_digits_are_those_of_the_library(void **state)
{
    (void)state;
    static const double special[] = { 0,      0.1,      2.5,  3.5,  9.995,  99.5,      0.05,
                                      0.5,    1e21,     1e22, 1e23, 5e-324, 0x1p-1022, 0x1.fffffffffffffp1023,
                                      0x1p53, 999999.5, 1e5,  1e-4, 1e-5,   INFINITY };
    uint64_t random = test_seed();
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        agrees_with_library(special[i]), agrees_with_library(-special[i]);
    for (int e = -1074; e < 1024; e += 7) agrees_with_library(ldexp(1, e)), agrees_with_library(nextafter(ldexp(1, e), 0));
    for (int i = 0; i < 3000; i++) {
        const double v = double_of(test_random(&random));
        if (!isnan(v)) agrees_with_library(v);
        agrees_with_library((double)(test_random(&random) % 1000000) / 1000);
    }
}

/* But for powers of two, whose shortest text need not be the nearest of its length. */
static void no_shorter_text_reads_back(double v)
{
    char mine[SIZE], theirs[512], *end;
    gn_number_shortest(mine, v);
    for (int digits = 1; digits <= 17; digits++) {
        in_c_locale(theirs, sizeof theirs, "%.*g", digits, v);
        if (!same(read_by_library(theirs, &end), v)) continue;
        assert_string_equal(mine, theirs);
        return;
    }
}

static void the_shortest_text_reads_back(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } known[] = { { 0.1, "0.1" },
                  { 1, "1" },
                  { 100, "1e+02" },
                  { 123, "123" },
                  { -0.0, "-0" },
                  { 1e30, "1e+30" },
                  { 0x1p-1074, "5e-324" },
                  { 9007199254740992, "9007199254740992" },
                  { 0x1p-44, "5.684341886080802e-14" },
                  { INFINITY, "inf" },
                  { -INFINITY, "-inf" },
                  { NAN, "nan" },
                  { 0.3, "0.3" },
                  { 0.1 + 0.2, "0.30000000000000004" } };
    char text[SIZE];
    uint64_t random = test_seed();
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_string_equal(gn_number_shortest(text, known[i].v), known[i].text);
    assert_string_equal(gn_number_shortest_f32(text, 0.1f), "0.1");
    assert_string_equal(gn_number_shortest_f32(text, 16777216.0f), "16777216");
    for (int i = 0; i < 20000; i++) {
        const double v = double_of(test_random(&random));
        if (!isnan(v)) reads_back(v);
        if (!isnan(v) && i % 10 == 0) no_shorter_text_reads_back(v);
        reads_back(ldexp((double)(test_random(&random) >> 40), -(int)(test_random(&random) % 40)));
    }
}

static void reads_as_library(const char *text)
{
    char *theirs;
    const char *end;
    double v;
    const double truth = read_by_library(text, &theirs);
    assert_true(gn_number_read(text, &end, &v));
    if (end != theirs || !same(v, truth)) fail_msg("%.80s: %a, %a expected", text, v, truth);
}

static void long_and_odd_texts_round_as_in_the_library(void **state)
{
    (void)state;
    static const char *const odd[] = { "1e",
                                       "1e+",
                                       "0x",
                                       "0x.8p1",
                                       "0x1p",
                                       "0x1.8",
                                       "0X1P5",
                                       ".5",
                                       "5.",
                                       "1.2.3",
                                       "1e400",
                                       "-1e-400",
                                       "0x1p-1075",
                                       "0x1.8p-1075",
                                       "0x1.00000000000008p0",
                                       "0x1.000000000000080000000000000001p0",
                                       "0x1.fffffffffffff8p1023",
                                       "00001",
                                       "0e999999999999",
                                       "1e99999999999999999999",
                                       "1e-99999999999999999999",
                                       "0.00000000000000000000000000000000000000000000001e46",
                                       "inf",
                                       "-nan",
                                       "12abc",
                                       "0x1p99999",
                                       "+7",
                                       "9007199254740993",
                                       "9007199254740992.99999999999999999999999" };
    uint64_t random = test_seed();
    char text[2048];
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) reads_as_library(odd[i]);
    for (int i = 0; i < 20000; i++) {
        const int digits = 1 + (int)(test_random(&random) % (i % 10 ? 22 : 900)), point = (int)(test_random(&random) % 24);
        int n = 0;
        for (int k = 0; k < digits; k++) {
            if (k == point) text[n++] = '.';
            text[n++] = (char)('0' + test_random(&random) % 10);
        }
        text[n] = '\0';
        if (i % 2) snprintf(text + n, sizeof text - (size_t)n, "e%d", (int)(test_random(&random) % 700) - 350);
        reads_as_library(text);
    }
    for (int i = 0; i < 2000; i++) { /* halfway between two numbers */
        const uint64_t bits =
            (test_random(&random) & UINT64_C(0x000fffffffffffff)) | (UINT64_C(1013) + test_random(&random) % 20) << 52;
        const double v = double_of(bits), next = double_of(bits + 1);
        const locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), old = uselocale(c);
        snprintf(text, sizeof text, "%.100Lf", ((long double)v + (long double)next) / 2);
        uselocale(old);
        freelocale(c);
        reads_as_library(text);
    }
    const char *end;
    double v;
    static const char *const none[] = { "", "-", ".", "e5", " 1", "x", "+-1", "_0", "INF" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_false(gn_number_read(none[i], &end, &v));
}

static void a_float_is_rounded_once(void **state)
{
    (void)state;
    const char *end;
    float f;
    double v;
    /* just above half way from 1 to the next float; the double is half way */
    const char text[] = "1.000000059604644775390625000000000001";
    assert_true(gn_number_read(text, &end, &v) && (float)v == 1);
    assert_true(gn_number_read_f32(text, &end, &f) && f == 0x1.000002p0f);
    assert_true(gn_number_read_f32("1e39", &end, &f) && isinf(f));
    assert_true(gn_number_read_f32("-1e-45", &end, &f) && f == -0x1p-149f);
    assert_true(gn_number_read_f32("nan", &end, &f) && isnan(f));
}

static void no_rounding_mode_and_no_locale_changes_a_digit(void **state)
{
    (void)state;
    static const char *const locales[] = { "C", "de_DE.UTF-8", "tr_TR.ISO-8859-9" };
    uint64_t random = test_seed();
    for (int i = 0; i < 2000; i++) {
        const double v = double_of(test_random(&random) & ~(UINT64_C(7) << 60)); /* finite */
        char truth[4][SIZE], text[SIZE];
        gn_number_shortest(truth[0], v), gn_number_digits(truth[1], v, 6), gn_number_fixed(truth[2], v, 2),
            gn_number_shortest_f32(truth[3], (float)v);
        for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
            setlocale(LC_ALL, locales[i % 3]); /* where it is installed */
            fesetround(modes[m]);
            const char *end;
            double back = 0;
            const bool read = gn_number_read(truth[0], &end, &back) && !*end;
            const bool texts = !strcmp(gn_number_shortest(text, v), truth[0]) &&
                               !strcmp(gn_number_digits(text, v, 6), truth[1]) &&
                               !strcmp(gn_number_fixed(text, v, 2), truth[2]);
            fesetround(FE_TONEAREST);
            setlocale(LC_ALL, "C");
            assert_true(read && texts && same(back, v));
        }
    }
}

static void classes_are_those_of_ascii(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        const char k = (char)c;
        const bool digit = strchr("0123456789", c), lower = strchr("abcdefghijklmnopqrstuvwxyz", c),
                   upper = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ", c);
        assert_true(gn_is_digit(k) == digit && gn_is_letter(k) == (lower || upper) &&
                    gn_in_name(k) == (digit || lower || upper || c == '_'));
        assert_true(gn_is_space(k) == (strchr(" \t\n\v\f\r", c) != NULL));
        assert_int_equal(gn_to_upper(k), lower ? (char)(c - 32) : k);
        assert_int_equal(gn_to_lower(k), upper ? (char)(c + 32) : k);
    }
    assert_true(gn_is_name("_a1") && !gn_is_name("1a") && !gn_is_name("") && !gn_is_name("a-b") && !gn_is_name("\xe4"));
    assert_int_equal(gn_name_length("ab2 c"), 3);
    assert_true(gn_hex_digit('F') == 15 && gn_hex_digit('a') == 10 && gn_hex_digit('0') == 0 &&
                gn_hex_digit('g') == -1 && gn_hex_digit('\0') == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digits_are_those_of_the_library),
        cmocka_unit_test(the_shortest_text_reads_back),
        cmocka_unit_test(long_and_odd_texts_round_as_in_the_library),
        cmocka_unit_test(a_float_is_rounded_once),
        cmocka_unit_test(no_rounding_mode_and_no_locale_changes_a_digit),
        cmocka_unit_test(classes_are_those_of_ascii),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
