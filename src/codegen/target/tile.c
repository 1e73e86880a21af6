/* The tables of tile operations. */
#include <string.h>
#include "tile.h"
#include "tiles.h"

const gn_tile_op gn_tiles_c[] = {
    { .name = "tr16",
      .kind = GN_TILE_COPY,
      .m = 16,
      .n = 16,
      .nleaf = 2,
      .leaf = { { "i", 'm', 16, 1, 'u' }, { "l", 'n', 16, 1, 'l' } },
      .c = { .dtype = GN_F32, .nleaf = 2, .leaf = { 0, 1 } },
      .a = { .dtype = GN_F32, .nleaf = 2, .leaf = { 1, 0 } },
      .spelling = "gn_tr16_f32($p0, $s0, $p1, $s1, $m, $n)" },
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
