/* The tables of tile operations. */
#include <math.h>
#include <string.h>
#include "dtype.h"
#include "tile.h"
#include "tiles.h"

#define TR16                                                                                                           \
    { .name = "tr16",                                                                                                  \
      .kind = GN_TILE_COPY,                                                                                            \
      .m = 16,                                                                                                         \
      .n = 16,                                                                                                         \
      .nleaf = 2,                                                                                                      \
      .leaf = { { "i", 'm', 16, 1, 'u' }, { "l", 'n', 16, 1, 'l' } },                                                  \
      .c = { .dtype = GN_F32, .nleaf = 2, .leaf = { 0, 1 } },                                                          \
      .a = { .dtype = GN_F32, .nleaf = 2, .leaf = { 1, 0 } },                                                          \
      .spelling = "gn_tr16_f32($p0, $s0, $p1, $s1, $m, $n)" }

const gn_tile_op gn_tiles_c[] = { TR16, { 0 } };

/* ---- AMX ---- */

/* The instructions take and give 0 for what is less than the least normal number. */
static float flushed(float x)
{
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0, x) : x;
}

static float add_product(float sum, float a, float b)
{
    return flushed(fmaf(flushed(a), flushed(b), flushed(sum)));
}

/* The even and the odd steps of k are summed apart. */
static void multiply_bf16(void *c, const void *a, const void *b)
{
    const uint16_t(*const left)[32] = a, (*const right)[16][2] = b;
    float(*const sum)[16] = c;
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            float part[2] = { 0, 0 };
            for (int k = 0; k < 32; k++)
                part[k % 2] =
                    add_product(part[k % 2], gn_bf16_to_f32(left[i][k]), gn_bf16_to_f32(right[k / 2][j][k % 2]));
            sum[i][j] = flushed(flushed(sum[i][j]) + flushed(part[0] + part[1]));
        }
}

static void multiply_i8(void *c, const void *a, const void *b)
{
    const int8_t(*const left)[64] = a, (*const right)[16][4] = b;
    int32_t(*const sum)[16] = c;
    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++)
            for (int k = 0; k < 64; k++)
                sum[i][j] = (int32_t)((uint32_t)sum[i][j] + (uint32_t)(left[i][k] * right[k / 4][j][k % 4]));
}

/* Tiles are whole: their sizes are set up once in a function. Two of the eight take A and B. */
static const gn_tile_unit amx = {
    .name = "AMX", .most = 6, .begin = "gn_amx_begin();", .end = "GN_TILE_RELEASE();", .permission = "amx" };

#define AMX_ACTS(product, size)                                                                                        \
    { "GN_TILE_ZERO($t0)", "GN_TILE_LOAD($t0, $p0, 4*($s0))",                                                          \
      "GN_TILE_LOAD(6, $p0, " size "*($s0)); GN_TILE_LOAD(7, $p1, " size "*($s1)); " product "($t0, 6, 7)",            \
      "GN_TILE_STORE($t0, $p0, 4*($s0))" }

const gn_tile_op gn_tiles_amx[] = {
    { .name = "amx_bf16", .kind = GN_TILE_UNIT, .m = 16, .n = 16, .k = 32, .nleaf = 4,
      .leaf = { { "i", 'm', 16, 1, 'u' }, { "j", 'n', 16, 1, 'u' }, { "q", 'k', 16, 2, 'k' }, { "r", 'k', 2, 1, 'k' } },
      .c = { .dtype = GN_F32, .nleaf = 2, .leaf = { 0, 1 } },
      .a = { .dtype = GN_BF16, .nleaf = 3, .leaf = { 0, 2, 3 } },
      .b = { .dtype = GN_BF16, .nleaf = 3, .leaf = { 2, 1, 3 } },
      .unit = &amx, .act = AMX_ACTS("GN_TILE_BF16", "2"), .reference = multiply_bf16 },
    { .name = "amx_i8", .kind = GN_TILE_UNIT, .m = 16, .n = 16, .k = 64, .nleaf = 4,
      .leaf = { { "i", 'm', 16, 1, 'u' }, { "j", 'n', 16, 1, 'u' }, { "q", 'k', 16, 4, 'k' }, { "r", 'k', 4, 1, 'k' } },
      .c = { .dtype = GN_I32, .nleaf = 2, .leaf = { 0, 1 } },
      .a = { .dtype = GN_I8, .nleaf = 3, .leaf = { 0, 2, 3 } },
      .b = { .dtype = GN_I8, .nleaf = 3, .leaf = { 2, 1, 3 } },
      .unit = &amx, .act = AMX_ACTS("GN_TILE_I8", "1"), .reference = multiply_i8 },
    TR16,
    { 0 },
};

const gn_tile_op gn_tiles_none[] = { { 0 } };

/* Leaves of m16n8k8: a warp's thread is (mg, mt), mg the row of a quad; ir and jr pick the register. Coordinates
 * list factors in the order ir mg mt jr kt. A register of A holds column mt (+ 4), so kt, a tile leaf, has no digit:
 * the instruction sums over it. */
enum { IR, MG, MT, JR, KT };

const gn_tile_op gn_tiles_cuda[] = {
    { .name = "mma_m16n8k8_tf32", .kind = GN_TILE_MMA, .m = 16, .n = 8, .k = 8, .nleaf = 5,
      .leaf = { { "ir", 'm', 2, 8, 'u' }, { "mg", 'm', 8, 1, 't' }, { "mt", 'n', 4, 2, 't' },
                { "jr", 'n', 2, 1, 'u' }, { "kt", 'k', 8, 1, 'k' } },
      .a = { .dtype = GN_F32, .nregs = 4, .reg = { { { 0, { [MG] = 1 } }, { 0, { [MT] = 1 } } },
                          { { 8, { [MG] = 1 } }, { 0, { [MT] = 1 } } },
                          { { 0, { [MG] = 1 } }, { 4, { [MT] = 1 } } },
                          { { 8, { [MG] = 1 } }, { 4, { [MT] = 1 } } } } },
      .b = { .dtype = GN_F32, .nregs = 2, .reg = { { { 0, { [MT] = 1 } }, { 0, { [MG] = 1 } } },
                          { { 4, { [MT] = 1 } }, { 0, { [MG] = 1 } } } } },
      .c = { .dtype = GN_F32, .nregs = 4, .reg = { { { 0, { [MG] = 1 } }, { 0, { [MT] = 2 } } },
                          { { 0, { [MG] = 1 } }, { 1, { [MT] = 2 } } },
                          { { 8, { [MG] = 1 } }, { 0, { [MT] = 2 } } },
                          { { 8, { [MG] = 1 } }, { 1, { [MT] = 2 } } } } },
      .spelling = "gn_mma_m16n8k8_tf32(&$c0, &$c1, &$c2, &$c3, $a0, $a1, $a2, $a3, $b0, $b1)" },
    { 0 },
};

const char *const gn_tile_acts[GN_TILE_NACTS] = { "zero", "load", "multiply", "store" };

const gn_tile_op *gn_tile_find(const gn_target *target, const char *name)
{
    for (const gn_tile_op *row = target->tile; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}
