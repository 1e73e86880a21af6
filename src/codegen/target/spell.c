/* How ops on values are written in C: one table by op, from which every target's answer comes. */
#include <math.h>
#include <string.h>
#include "dtype.h"
#include "number.h"
#include "spells.h"

enum {
    FLOATS = GN_BIT(GN_F32) | GN_BIT(GN_F64),
    WRAPS = GN_BIT(GN_U32) | GN_BIT(GN_U64),
    BOOL = GN_BIT(GN_BOOL),
    ANY = -1
};

/* An op whose dtype is in `operators` is an operator on GNU vectors and scalars alike; `scalar` says which are on
 * scalars only. Signed integers are not: their overflow is not defined in C. Division and remainder of integers are
 * words, for they floor and are 0 by 0. */
typedef struct spelling {
    const gn_op_info *op;
    int operators, scalar_operators;
    const char *as_operator, *as_word;
} spelling;

static const spelling table[] = {
    {&gn_op_add, FLOATS | WRAPS, FLOATS | WRAPS, "$0 + $1", "gn_add_$t($0, $1)"},
    {&gn_op_sub, FLOATS | WRAPS, FLOATS | WRAPS, "$0 - $1", "gn_sub_$t($0, $1)"},
    {&gn_op_mul, FLOATS | WRAPS, FLOATS | WRAPS, "$0 * $1", "gn_mul_$t($0, $1)"},
    {&gn_op_div, FLOATS, FLOATS, "$0 / $1", "gn_div_$t($0, $1)"},
    {&gn_op_floordiv, 0, 0, NULL, "gn_floordiv_$t($0, $1)"},
    {&gn_op_mod, 0, 0, NULL, "gn_mod_$t($0, $1)"},
    {&gn_op_neg, FLOATS, FLOATS, "-$0", "gn_neg_$t($0)"},
    {&gn_op_abs, 0, 0, NULL, "gn_abs_$t($0)"},
    {&gn_op_sign, 0, 0, NULL, "gn_sign_$t($0)"},
    {&gn_op_minimum, 0, 0, NULL, "gn_min_$t($0, $1)"},
    {&gn_op_maximum, 0, 0, NULL, "gn_max_$t($0, $1)"},
    {&gn_op_min, 0, 0, NULL, "gn_min_$t($0, $1)"}, /* the steps of reductions have the same words */
    {&gn_op_max, 0, 0, NULL, "gn_max_$t($0, $1)"},
    {&gn_op_copysign, 0, 0, NULL, "gn_copysign_$t($0, $1)"},
    {&gn_op_ldexp, 0, 0, NULL, "gn_ldexp_$t($0, $1)"},
    {&gn_op_fma, 0, 0, NULL, "gn_fma_$t($0, $1, $2)"},
    {&gn_op_sqrt, 0, 0, NULL, "gn_sqrt_$t($0)"},
    {&gn_op_floor, 0, 0, NULL, "gn_floor_$t($0)"},
    {&gn_op_trunc, 0, 0, NULL, "gn_trunc_$t($0)"},
    {&gn_op_round, 0, 0, NULL, "gn_round_$t($0)"},
    {&gn_op_lt, 0, ANY, "$0 < $1", "gn_lt_$s($0, $1)"},
    {&gn_op_le, 0, ANY, "$0 <= $1", "gn_le_$s($0, $1)"},
    {&gn_op_gt, 0, ANY, "$0 > $1", "gn_gt_$s($0, $1)"},
    {&gn_op_ge, 0, ANY, "$0 >= $1", "gn_ge_$s($0, $1)"},
    {&gn_op_eq, 0, ANY, "$0 == $1", "gn_eq_$s($0, $1)"},
    {&gn_op_ne, 0, ANY, "$0 != $1", "gn_ne_$s($0, $1)"},
    {&gn_op_and, 0, BOOL, "$0 && $1", "gn_and_$t($0, $1)"},
    {&gn_op_or, 0, BOOL, "$0 || $1", "gn_or_$t($0, $1)"},
    {&gn_op_xor, 0, BOOL, "$0 != $1", "gn_xor_$t($0, $1)"},
    {&gn_op_not, 0, BOOL, "!$0", "gn_not_$t($0)"},
    {&gn_op_select, 0, ANY, "$0 ? $1 : $2", "gn_sel_$t($0, $1, $2)"},
    {&gn_op_cast, 0, 0, NULL, "gn_cast_$s_$t($0)"},
    {&gn_op_bitcast, 0, 0, NULL, "gn_bits_$s_$t($0)"},
    {&gn_op_bit_and, ~(FLOATS | BOOL), ~(FLOATS | BOOL), "$0 & $1", "gn_and_$t($0, $1)"},
    {&gn_op_bit_or, ~(FLOATS | BOOL), ~(FLOATS | BOOL), "$0 | $1", "gn_or_$t($0, $1)"},
    {&gn_op_bit_xor, ~(FLOATS | BOOL), ~(FLOATS | BOOL), "$0 ^ $1", "gn_xor_$t($0, $1)"},
    {&gn_op_bit_not, ~(FLOATS | BOOL), ~(FLOATS | BOOL), "~$0", "gn_not_$t($0)"},
    {&gn_op_shl, 0, 0, NULL, "gn_shl_$t($0, $1)"},
    {&gn_op_shr, 0, 0, NULL, "gn_shr_$t($0, $1)"},
    {&gn_op_mulhi, 0, 0, NULL, "gn_mulhi_$t($0, $1)"},
};

static const spelling *find(const gn_op_info *op)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].op == op) return &table[i];
    return NULL;
}

const char *gn_spell_c_operators(const gn_op_info *op, gn_dtype t, bool vector)
{
    const spelling *s = find(op);
    if (!s) return NULL;
    const int operators = vector ? s->operators : s->scalar_operators;
    return operators & (int)GN_BIT(t) ? s->as_operator : s->as_word;
}

const char *gn_spell_c_words(const gn_op_info *op, gn_dtype t, bool vector)
{
    const spelling *s = find(op);
    if (!s) return NULL;
    return vector ? s->as_word : gn_spell_c_operators(op, t, false);
}

void gn_spell_pattern(gn_text *out, const char *pattern, const char *result_tag, const char *operand_tag,
                      const char *const *operands)
{
    for (const char *p = pattern; *p; p++) {
        if (*p != '$') {
            gn_text_char(out, *p);
            continue;
        }
        p++;
        gn_text_add(out, *p == 't' ? result_tag : *p == 's' ? operand_tag : operands[*p - '0']);
    }
}

void gn_spell_float(gn_text *out, gn_dtype t, double x)
{
    const char *suffix = t == GN_F64 ? "" : "f", *name = t == GN_F64 ? "F64" : "F32";
    if (isnan(x)) {
        gn_textf(out, "GN_NAN_%s", name);
        return;
    }
    const char *open = signbit(x) ? "(" : "", *close = signbit(x) ? ")" : "";
    if (isinf(x)) {
        gn_textf(out, "%s%sGN_INF_%s%s", open, signbit(x) ? "-" : "", name, close);
        return;
    }
    char digits[GN_NUMBER_SIZE];
    if (t == GN_F64) gn_number_shortest(digits, x);
    else gn_number_shortest_f32(digits, (float)x);
    if (strstr(digits, "e+") && fabs(x) < 1e7) gn_number_fixed(digits, x, 1);
    gn_textf(out, "%s%s%s%s%s", open, digits, strpbrk(digits, ".e") ? "" : ".0", suffix, close);
}

void gn_spell_int(gn_text *out, gn_dtype t, int64_t x)
{
    if (t == GN_BOOL)
        gn_text_add(out, x ? "1" : "0");
    else if (t == GN_U64)
        gn_textf(out, "%lluu", (unsigned long long)x);
    else if (gn_dtypes[t].kind == GN_KIND_UINT)
        gn_textf(out, "%lldu", (long long)x);
    else if (x == INT64_MIN)
        gn_text_add(out, "(-9223372036854775807 - 1)");
    else if (x == INT32_MIN)
        gn_text_add(out, "(-2147483647 - 1)");
    else
        gn_textf(out, x < 0 ? "(%lld)" : "%lld", (long long)x);
}
