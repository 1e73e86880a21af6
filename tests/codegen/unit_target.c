/* A target that exists nowhere: generic C beside a matrix unit with opaque accumulators. Its rows stand in the table,
 * what they mean is said by a reference function each, and the text that programs get emulates the unit in C. */
#include "unit_target.h"
#include "tile.h"

#define LINE(text) text "\n"

static const char unit_prelude[] =
    LINE("The unit traps where a function uses it that has not set it up.")
    LINE("")
    LINE("@ unit_is_on :")
    LINE("static _Thread_local int gn_unit_is_on;")
    LINE("@ unit_begin :")
    LINE("static inline void gn_unit_begin(void) { if (gn_unit_is_on++) __builtin_trap(); }")
    LINE("@ unit_end :")
    LINE("static inline void gn_unit_end(void) { if (--gn_unit_is_on) __builtin_trap(); }")
    LINE("")
    LINE("C is 4 x 8, A 4 x 6 row by row, B 6 x 8 as 3 rows of 8 pairs, of two neighbours along k each.")
    LINE("")
    LINE("@ pairs4x8x6 :")
    LINE("typedef struct { float c[8][4]; } gn_pairs4x8x6;")
    LINE("@ pairs4x8x6_zero :")
    LINE("static inline void gn_pairs4x8x6_zero(gn_pairs4x8x6 *t)")
    LINE("{")
    LINE("    if (!gn_unit_is_on) __builtin_trap();")
    LINE("    for (int i = 0; i < 4; i++)")
    LINE("        for (int j = 0; j < 8; j++) t->c[j][i] = 0;")
    LINE("}")
    LINE("@ pairs4x8x6_load :")
    LINE("static inline void gn_pairs4x8x6_load(gn_pairs4x8x6 *t, const float *s, int64_t ss, int64_t m, int64_t n)")
    LINE("{")
    LINE("    if (!gn_unit_is_on) __builtin_trap();")
    LINE("    for (int i = 0; i < 4; i++)")
    LINE("        for (int j = 0; j < 8; j++) t->c[j][i] = i < m && j < n ? s[i * ss + j] : 0;")
    LINE("}")
    LINE("@ pairs4x8x6_multiply :")
    LINE("static inline void gn_pairs4x8x6_multiply(gn_pairs4x8x6 *t, const float *a, int64_t as, const float *b,")
    LINE("                                          int64_t bs, int64_t m, int64_t n, int64_t k)")
    LINE("{")
    LINE("    if (!gn_unit_is_on || (__UINTPTR_TYPE__)b % 16 || bs % 4) __builtin_trap();")
    LINE("    for (int i = 0; i < 4 && i < m; i++)")
    LINE("        for (int j = 0; j < 8 && j < n; j++)")
    LINE("            for (int q = 0; q < 6 && q < k; q++) t->c[j][i] += a[i * as + q] * b[q / 2 * bs + 2 * j + q % 2];")
    LINE("}")
    LINE("@ pairs4x8x6_store :")
    LINE("static inline void gn_pairs4x8x6_store(const gn_pairs4x8x6 *t, float *d, int64_t ds, int64_t m, int64_t n)")
    LINE("{")
    LINE("    if (!gn_unit_is_on) __builtin_trap();")
    LINE("    for (int i = 0; i < 4 && i < m; i++)")
    LINE("        for (int j = 0; j < 8 && j < n; j++) d[i * ds + j] = t->c[j][i];")
    LINE("}")
    LINE("")
    LINE("Whole tiles of i32 alone: C is 8 x 2, A 8 x 4 column by column, B 4 x 2 as 2 quads of neighbours along k.")
    LINE("")
    LINE("@ quads8x2x4 :")
    LINE("typedef struct { int32_t c[16]; } gn_quads8x2x4;")
    LINE("@ quads8x2x4_zero :")
    LINE("static inline gn_quads8x2x4 gn_quads8x2x4_zero(void)")
    LINE("{")
    LINE("    const gn_quads8x2x4 t = { { 0 } };")
    LINE("    if (!gn_unit_is_on) __builtin_trap();")
    LINE("    return t;")
    LINE("}")
    LINE("@ quads8x2x4_multiply :")
    LINE("static inline gn_quads8x2x4 gn_quads8x2x4_multiply(gn_quads8x2x4 t, const int32_t *a, int64_t as,")
    LINE("                                                   const int32_t *b, int64_t bs)")
    LINE("{")
    LINE("    if (!gn_unit_is_on || (__UINTPTR_TYPE__)a % 32 || as % 8) __builtin_trap();")
    LINE("    for (int e = 0; e < 16; e++)")
    LINE("        for (int q = 0; q < 4; q++)")
    LINE("            t.c[e] = (int32_t)((uint32_t)t.c[e] + (uint32_t)a[q * as + e / 2] * (uint32_t)b[e % 2 * bs + q]);")
    LINE("    return t;")
    LINE("}")
    LINE("@ quads8x2x4_store :")
    LINE("static inline void gn_quads8x2x4_store(gn_quads8x2x4 t, int32_t *d, int64_t ds)")
    LINE("{")
    LINE("    if (!gn_unit_is_on) __builtin_trap();")
    LINE("    for (int e = 0; e < 16; e++) d[e / 2 * ds + e % 2] = t.c[e];")
    LINE("}");

static const gn_tile_unit unit = { .name = "the unit", .most = 4, .begin = "gn_unit_begin();", .end = "gn_unit_end();" };

static void multiply_pairs(void *c, const void *a, const void *b)
{
    const float(*const left)[6] = a;
    const float(*const right)[8][2] = b;
    float(*const sum)[8] = c;
    for (int k = 0; k < 6; k++)
        for (int i = 0; i < 4; i++)
            for (int j = 0; j < 8; j++) sum[i][j] += left[i][k] * right[k / 2][j][k % 2];
}

static void multiply_quads(void *c, const void *a, const void *b)
{
    const int32_t(*const left)[8] = a, (*const right)[4] = b;
    int32_t(*const sum)[2] = c;
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 2; j++)
            for (int k = 0; k < 4; k++)
                sum[i][j] = (int32_t)((uint32_t)sum[i][j] + (uint32_t)left[k][i] * (uint32_t)right[j][k]);
}

static const gn_tile_op unit_tiles[] = {
    { .name = "pairs4x8x6", .kind = GN_TILE_UNIT, .m = 4, .n = 8, .k = 6, .nleaf = 4,
      .leaf = { { "i", 'm', 4, 1, 'u' }, { "j", 'n', 8, 1, 'u' }, { "q", 'k', 3, 2, 'k' }, { "r", 'k', 2, 1, 'k' } },
      .c = { .dtype = GN_F32, .nleaf = 2, .leaf = { 0, 1 } },
      .a = { .dtype = GN_F32, .nleaf = 3, .leaf = { 0, 2, 3 } },
      .b = { .dtype = GN_F32, .nleaf = 3, .leaf = { 2, 1, 3 }, .align = 16 },
      .unit = &unit,
      .type = "gn_pairs4x8x6",
      .act = { "gn_pairs4x8x6_zero(&$c0)", "gn_pairs4x8x6_load(&$c0, $p0, $s0, $m, $n)",
               "gn_pairs4x8x6_multiply(&$c0, $p0, $s0, $p1, $s1, $m, $n, $k)",
               "gn_pairs4x8x6_store(&$c0, $p0, $s0, $m, $n)" },
      .partial = true,
      .reference = multiply_pairs },
    { .name = "quads8x2x4", .kind = GN_TILE_UNIT, .m = 8, .n = 2, .k = 4, .nleaf = 3,
      .leaf = { { "q", 'k', 4, 1, 'k' }, { "i", 'm', 8, 1, 'u' }, { "j", 'n', 2, 1, 'u' } },
      .c = { .dtype = GN_I32, .nleaf = 2, .leaf = { 1, 2 } },
      .a = { .dtype = GN_I32, .nleaf = 2, .leaf = { 0, 1 }, .align = 32 },
      .b = { .dtype = GN_I32, .nleaf = 2, .leaf = { 2, 0 } },
      .unit = &unit,
      .type = "gn_quads8x2x4",
      .act = { "$c0 = gn_quads8x2x4_zero()", NULL, "$c0 = gn_quads8x2x4_multiply($c0, $p0, $s0, $p1, $s1)",
               "gn_quads8x2x4_store($c0, $p0, $s0)" },
      .reference = multiply_quads },
    { 0 },
};

const gn_target *unit_target(void)
{
    static const char *prelude[8] = { unit_prelude };
    static gn_target t;
    if (t.name) return &t;
    for (size_t i = 0; gn_target_generic.prelude[i]; i++) prelude[i + 1] = gn_target_generic.prelude[i];
    t = gn_target_generic;
    t.name = "unit", t.prelude = prelude, t.tile = unit_tiles;
    gn_target_add(&t);
    return &t;
}
