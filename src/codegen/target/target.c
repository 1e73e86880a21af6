/* The target records. Register and cache sizes are what schedules are made for, not what a particular machine has: the
 * same source text comes from every machine of a target. */
#include <string.h>
#include "preludes.h"
#include "spells.h"
#include "tiles.h"

static const gn_tile_shape tiles_of_32[] = {
    { 0, 6, 4, 1 },               { 0, 8, 3, .975 },            { 0, 14, 2, .96 },
    { GN_TILE_LIGHT, 8, 2, 1 },   { GN_TILE_LIGHT, 4, 4, .97 }, { GN_TILE_NARROW | GN_TILE_LIGHT, 8, 1, 1 },
    { GN_TILE_NARROW, 12, 1, 1 }, { GN_TILE_NARROW, 10, 1, 1 }, { GN_TILE_NARROW, 9, 1, 1 }, { GN_TILE_NARROW, 8, 1, 1 },
    { GN_TILE_NARROW, 12, 2, 1 }, { GN_TILE_NARROW, 10, 2, 1 }, { GN_TILE_NARROW, 9, 2, 1 }, { GN_TILE_NARROW, 8, 2, 1 },
    { GN_TILE_NARROW, 8, 3, 1 },  { GN_TILE_NARROW, 6, 4, 1 },  { 0 },
};
static const gn_tile_shape tiles_of_16[] = {
    { 0, 6, 2, 1 },               { 0, 4, 3, .99 },             { GN_TILE_NARROW | GN_TILE_LIGHT, 8, 1, 1 },
    { GN_TILE_NARROW, 12, 1, 1 }, { GN_TILE_NARROW, 10, 1, 1 }, { GN_TILE_NARROW, 9, 1, 1 }, { GN_TILE_NARROW, 8, 1, 1 },
    { GN_TILE_NARROW, 6, 2, 1 },  { GN_TILE_NARROW, 5, 2, 1 },  { GN_TILE_NARROW, 4, 2, 1 },
    { GN_TILE_NARROW, 4, 3, 1 },  { GN_TILE_NARROW, 2, 4, 1 },  { 0 },
};
/* 4 where twice as much is padding alone */
static const gn_tile_shape tiles_of_threads[] = {
    { 0, 8, 8, 1 }, { 0, 8, 4, .51 }, { 0, 4, 8, .51 }, { 0, 4, 4, .26 }, { 0 },
};

static const char x86_tail[] = "#if defined __clang__\n#pragma clang attribute pop\n#endif\n";

static const char *const no_args[] = { "-DGN_FREESTANDING", "-Wno-psabi", NULL };
static const char *const avx512_args[] = { "-DGN_FREESTANDING", "-Wno-psabi", "-mprefer-vector-width=512", NULL };

static const char *const avx512_head[] = { gn_head_c, gn_head_vector, gn_head_avx512, gn_head_freestanding, NULL };
static const char *const avx512_prelude[] = { gn_prelude_avx512, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_avx512 = {
    .name = "avx512",
    .lang = GN_LANG_C,
    .vector_bytes = 64,
    .nregs = 32,
    .contract = tiles_of_32,
    .tile_threads = 1,
    .l2_bytes = 1 << 20,
    .cpu = "x86-64-v4",
    .cc1_args = avx512_args,
    .head = avx512_head,
    .tail = x86_tail,
    .prelude = avx512_prelude,
    .tile = gn_tiles_c,
    .spell = gn_spell_c_operators,
};

static const char *const avx2_head[] = { gn_head_c, gn_head_vector, gn_head_avx2, gn_head_freestanding, NULL };
static const char *const avx2_prelude[] = { gn_prelude_avx2, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_avx2 = {
    .name = "avx2",
    .lang = GN_LANG_C,
    .vector_bytes = 32,
    .nregs = 16,
    .contract = tiles_of_16,
    .tile_threads = 1,
    .l2_bytes = 256 << 10,
    .cpu = "x86-64-v3",
    .cc1_args = no_args,
    .head = avx2_head,
    .tail = x86_tail,
    .prelude = avx2_prelude,
    .tile = gn_tiles_c,
    .spell = gn_spell_c_operators,
};

static const char *const generic_head[] = { gn_head_c, gn_head_vector, gn_head_freestanding, NULL };
static const char *const generic_prelude[] = { gn_prelude_generic, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_generic = {
    .name = "generic", .lang = GN_LANG_C, .vector_bytes = 16, .nregs = 16, .contract = tiles_of_16, .tile_threads = 1,
    .l2_bytes = 256 << 10,
    .cpu = NULL, .cc1_args = no_args, .head = generic_head, .tail = "",
    .prelude = generic_prelude, .tile = gn_tiles_c, .spell = gn_spell_c_words,
};

/* The words that every C11 compiler takes: scalars, and mul and add for fma. */
static const char *const c11_head[] = { gn_head_c, gn_head_freestanding, NULL };
static const char *const c11_prelude[] = { gn_prelude_generic, gn_prelude_scalar, NULL };
const gn_target gn_target_c11 = {
    .name = "c11", .lang = GN_LANG_C, .vector_bytes = 4, .nregs = 16, .contract = tiles_of_16, .tile_threads = 1,
    .l2_bytes = 256 << 10,
    .cpu = NULL, .cc1_args = no_args, .head = c11_head, .tail = "",
    .prelude = c11_prelude, .tile = gn_tiles_none, .spell = gn_spell_c_words,
};

static const char *const cuda_head[] = { gn_head_cuda, NULL };
static const char *const cuda_prelude[] = { gn_prelude_cuda, gn_prelude_scalar, NULL };
const gn_target gn_target_cuda = {
    .name = "cuda", .lang = GN_LANG_CUDA, .vector_bytes = 4, .nregs = 255, .contract = tiles_of_threads,
    .tile_threads = 16, .tile_depth = 8, .l2_bytes = 40 << 20, .shared_bytes = 48 << 10,
    .cc1_args = no_args + 2, .head = cuda_head, .tail = "",
    .prelude = cuda_prelude, .tile = gn_tiles_cuda,
    .spell = gn_spell_c_operators,
};

const gn_target *const gn_targets[] = {
    &gn_target_avx512, &gn_target_avx2, &gn_target_generic, &gn_target_c11, &gn_target_cuda, NULL
};

static const gn_target *added;

void gn_target_add(const gn_target *t)
{
    added = t;
}

const gn_target *gn_target_find(const char *name)
{
    if (added && strcmp(added->name, name) == 0) return added;
    for (size_t i = 0; gn_targets[i]; i++)
        if (strcmp(gn_targets[i]->name, name) == 0)
            return gn_targets[i];
    return NULL;
}

bool gn_target_runs_here(const gn_target *t)
{
    if (!gn_target_is_permitted(t)) return false;
#if defined __x86_64__
    if (t == &gn_target_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && gn_target_runs_here(&gn_target_avx2);
    if (t == &gn_target_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi")
            && __builtin_cpu_supports("bmi2");
#endif
    return t == &gn_target_generic || t == &gn_target_c11;
}

const gn_target *gn_target_host(void)
{
    for (size_t i = 0; gn_targets[i]; i++)
        if (gn_target_runs_here(gn_targets[i]))
            return gn_targets[i];
    return &gn_target_generic;
}
