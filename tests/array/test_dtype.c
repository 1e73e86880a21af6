/* dtypes: names, promotion, 16-bit floats. */
#include "testlib.h"
#include "dtype.h"
#include <math.h>
#include <string.h>

static void names_and_sizes_fit(void **state)
{
    (void)state;
    for (int t = 0; t < GN_NDTYPES; t++) {
        gn_dtype back;
        assert_true(gn_dtype_parse(gn_dtype_name((gn_dtype)t), &back));
        assert_int_equal(back, t);
        assert_true(gn_dtype_size((gn_dtype)t) > 0);
    }
    gn_dtype none;
    assert_false(gn_dtype_parse("f31", &none));
    assert_null(gn_dtype_name((gn_dtype)99));
    assert_int_equal(gn_dtype_size((gn_dtype)-1), 0);
}

/* What a dtype can hold, as the header's sentence has it: bits of magnitude and a sign for integers, a level for floats. */
static bool holds(gn_dtype t, gn_dtype u)
{
    static const int bits[] = { 1, 7, 15, 31, 63, 8, 16, 32, 64 }, float_level[] = { 0, 0, 1, 2 };
    if (gn_is_float(t) && gn_is_float(u)) return t == u || float_level[t - GN_F16] > float_level[u - GN_F16];
    if (gn_is_float(t) || gn_is_float(u)) return gn_is_float(t);
    const bool negative = gn_dtypes[u].kind == GN_KIND_INT;
    return bits[t] >= bits[u] && (!negative || gn_dtypes[t].kind == GN_KIND_INT);
}

static void promotion_is_the_least_upper_bound(void **state)
{
    (void)state;
    for (int a = 0; a < GN_NDTYPES; a++)
        for (int b = 0; b < GN_NDTYPES; b++) {
            const gn_dtype p = gn_dtype_promote((gn_dtype)a, (gn_dtype)b);
            assert_int_equal(p, gn_dtype_promote((gn_dtype)b, (gn_dtype)a));
            assert_true(holds(p, (gn_dtype)a) && holds(p, (gn_dtype)b));
            const bool mixed = (a == GN_F16 && b == GN_BF16) || (a == GN_BF16 && b == GN_F16) ||
                               (a == GN_U64 && gn_dtypes[b].kind == GN_KIND_INT) ||
                               (b == GN_U64 && gn_dtypes[a].kind == GN_KIND_INT);
            if (mixed) assert_int_equal(p, GN_F32);
            for (int c = 0; c < GN_NDTYPES && !mixed; c++)
                if (holds((gn_dtype)c, (gn_dtype)a) && holds((gn_dtype)c, (gn_dtype)b)) assert_true(holds((gn_dtype)c, p));
        }
}

static void half_floats_read_back_and_round_to_the_nearest(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        const float f = gn_f16_to_f32((uint16_t)h), b = gn_bf16_to_f32((uint16_t)h);
        if (isnan(f)) assert_true(isnan(gn_f16_to_f32(gn_f32_to_f16(f))));
        else assert_int_equal(gn_f32_to_f16(f), h);
        if (isnan(b)) assert_true(isnan(gn_bf16_to_f32(gn_f32_to_bf16(b))));
        else assert_int_equal(gn_f32_to_bf16(b), h);
    }
    assert_true(gn_f16_to_f32(0x0001) == 0x1p-24f && gn_f16_to_f32(0x7bff) == 65504 && gn_f16_to_f32(0x3c00) == 1);
    for (uint32_t h = 0; h < 0x7bff; h++) { /* between neighbours: ties go to the even one */
        const float a = gn_f16_to_f32((uint16_t)h), b = gn_f16_to_f32((uint16_t)(h + 1)), middle = (a + b) / 2;
        assert_int_equal(gn_f32_to_f16(middle), h & 1 ? h + 1 : h);
        assert_int_equal(gn_f32_to_f16(nextafterf(middle, 0)), h);
        assert_int_equal(gn_f32_to_f16(-nextafterf(middle, INFINITY)), 0x8000 | (h + 1));
    }
    assert_int_equal(gn_f32_to_f16(65519.996f), 0x7bff);
    assert_int_equal(gn_f32_to_f16(65520), 0x7c00);
    assert_int_equal(gn_f32_to_bf16(INFINITY), 0x7f80);
    assert_int_equal(gn_f32_to_bf16(3.4e38f), 0x7f80);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(names_and_sizes_fit),
                                        cmocka_unit_test(promotion_is_the_least_upper_bound),
                                        cmocka_unit_test(half_floats_read_back_and_round_to_the_nearest) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
