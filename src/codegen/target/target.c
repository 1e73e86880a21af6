/* The target records. Register and cache sizes are what schedules are made for, not what a particular machine has: the
 * same source text comes from every machine of a target. */
#include <string.h>
#if defined __x86_64__
#include <cpuid.h>
#endif
#include "preludes.h"
#include "spells.h"
#include "tiles.h"

#define LINE(text) text "\n"

/* Contraction is off in every compiler, so that an fma stands exactly where the text says so. */
#define C_HEAD \
    LINE("#if defined __FAST_MATH__ || defined __ASSOCIATIVE_MATH__ || defined __RECIPROCAL_MATH__ || defined _M_FP_FAST") \
    LINE("#error \"this file relies on IEEE arithmetic: compile it without -ffast-math and its parts\"") \
    LINE("#endif") \
    LINE("#if defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__") \
    LINE("#error \"this file relies on infinities and NaN: compile it without -ffinite-math-only\"") \
    LINE("#endif") \
    LINE("#if defined __FLT_EVAL_METHOD__ && (__FLT_EVAL_METHOD__ == 1 || __FLT_EVAL_METHOD__ == 2)") \
    LINE("#error \"this file relies on operations that round to their type: compile it with -msse2 -mfpmath=sse\"") \
    LINE("#endif") \
    LINE("#ifdef GN_FREESTANDING") \
    LINE("typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef __INT64_TYPE__ int64_t;") \
    LINE("typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned uint32_t;") \
    LINE("typedef __UINT64_TYPE__ uint64_t;") \
    LINE("#else") \
    LINE("#include <stdint.h>") \
    LINE("#endif") \
    LINE("#define GN_PRAGMA(text) _Pragma(#text)") \
    LINE("#ifdef __cplusplus") \
    LINE("#define _Bool bool") \
    LINE("#define _Alignas(n) alignas(n)") \
    LINE("#endif") \
    LINE("#if defined __clang__") \
    LINE("#pragma STDC FP_CONTRACT OFF") \
    LINE("#define GN_UNROLL(n) GN_PRAGMA(clang loop unroll_count(n))") \
    LINE("#define GN_UNROLLED(n) GN_PRAGMA(clang loop unroll(full))") \
    LINE("#elif defined __GNUC__") \
    LINE("#ifndef __STRICT_ANSI__") \
    LINE("#pragma GCC optimize(\"fp-contract=off\")") \
    LINE("#endif") \
    LINE("#define GN_UNROLL(n) GN_PRAGMA(GCC unroll n)") \
    LINE("#define GN_UNROLLED(n) GN_PRAGMA(GCC unroll n)") \
    LINE("#else") \
    LINE("#define GN_UNROLL(n)") \
    LINE("#define GN_UNROLLED(n)") \
    LINE("#endif") \
    LINE("#ifdef __GNUC__") \
    LINE("#pragma GCC diagnostic ignored \"-Wpsabi\"") \
    LINE("#ifdef __cplusplus") \
    LINE("#pragma GCC diagnostic ignored \"-Wpedantic\"") \
    LINE("#endif") \
    LINE("#define GN_INLINE static inline __attribute__((always_inline, unused))") \
    LINE("#define GN_CALLED static __attribute__((noinline, unused))") \
    LINE("#define GN_INF_F32 __builtin_inff()") \
    LINE("#define GN_NAN_F32 __builtin_nanf(\"\")") \
    LINE("#define GN_INF_F64 __builtin_inf()") \
    LINE("#define GN_NAN_F64 __builtin_nan(\"\")") \
    LINE("#else") \
    LINE("#include <math.h>") \
    LINE("#define GN_INLINE static inline") \
    LINE("#define GN_CALLED static") \
    LINE("#define GN_INF_F32 INFINITY") \
    LINE("#define GN_NAN_F32 NAN") \
    LINE("#define GN_INF_F64 ((double)INFINITY)") \
    LINE("#define GN_NAN_F64 ((double)NAN)") \
    LINE("#endif")

/* Compilers call memcpy and memset for plain assignments; an object that is linked to nothing brings its own. */
#define C_FREESTANDING \
    LINE("#ifdef GN_FREESTANDING") \
    LINE("__attribute__((weak, visibility(\"hidden\"))) void *memcpy(void *to, const void *from, __SIZE_TYPE__ n)") \
    LINE("{") \
    LINE("    volatile char *d = (volatile char *)to;") \
    LINE("    const char *s = (const char *)from;") \
    LINE("    while (n--)") \
    LINE("        *d++ = *s++;") \
    LINE("    return to;") \
    LINE("}") \
    LINE("__attribute__((weak, visibility(\"hidden\"))) void *memset(void *to, int value, __SIZE_TYPE__ n)") \
    LINE("{") \
    LINE("    volatile char *d = (volatile char *)to;") \
    LINE("    while (n--)") \
    LINE("        *d++ = (char)value;") \
    LINE("    return to;") \
    LINE("}") \
    LINE("#endif")

#define VECTOR_HEAD \
    LINE("#ifndef __GNUC__") \
    LINE("#error \"this file uses the vectors of GNU C: for other compilers export it with target c11\"") \
    LINE("#endif")
#define X86_HEAD(features) \
    LINE("#if defined __clang__") \
    LINE("#pragma clang attribute push(__attribute__((target(\"" features "\"))), apply_to = function)") \
    LINE("#elif defined __GNUC__") \
    LINE("#pragma GCC target(\"" features "\")") \
    LINE("#endif")
#define AVX512 "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,fma,bmi,bmi2"
/* All lanes of a mask, where gcc takes it for a signed number and clang does not. */
#define AVX512_HEAD \
    LINE("#if defined __clang__") \
    LINE("#define GN_ALL_8 0xff") \
    LINE("#define GN_ALL_16 0xffff") \
    LINE("#else") \
    LINE("#define GN_ALL_8 (-1)") \
    LINE("#define GN_ALL_16 (-1)") \
    LINE("#endif")
#define X86_TAIL \
    LINE("#if defined __clang__") \
    LINE("#pragma clang attribute pop") \
    LINE("#endif")

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

static const char *const no_args[] = { "-DGN_FREESTANDING", "-Wno-psabi", NULL };
static const char *const avx512_args[] = { "-DGN_FREESTANDING", "-Wno-psabi", "-mprefer-vector-width=512", NULL };

static const char *const avx512_prelude[] = { gn_prelude_avx512, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_avx512 = {
    .name = "avx512",
    .lang = GN_LANG_C,
    .vector_bytes = 64,
    .nregs = 32,
    .contract = tiles_of_32,
    .tile_threads = 1,
    .has_fma = true,
    .l1_bytes = 32 << 10,
    .l2_bytes = 1 << 20,
    .cpu = "x86-64-v4",
    .cc1_args = avx512_args,
    .head = C_HEAD VECTOR_HEAD X86_HEAD(AVX512) AVX512_HEAD C_FREESTANDING,
    .tail = X86_TAIL,
    .prelude = avx512_prelude,
    .tile = gn_tiles_c,
    .spell = gn_spell_c_operators,
};

/* AVX-512 beside the tiles of AMX. */
static const char *const amx_prelude[] = { gn_prelude_amx, gn_prelude_avx512, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_amx = {
    .name = "amx",
    .lang = GN_LANG_C,
    .vector_bytes = 64,
    .nregs = 32,
    .contract = tiles_of_32,
    .tile_threads = 1,
    .has_fma = true,
    .l1_bytes = 32 << 10,
    .l2_bytes = 1 << 20,
    .cpu = "x86-64-v4",
    .cc1_args = avx512_args,
    .head = C_HEAD VECTOR_HEAD X86_HEAD(AVX512 ",amx-tile,amx-bf16,amx-int8") AVX512_HEAD C_FREESTANDING,
    .tail = X86_TAIL,
    .prelude = amx_prelude,
    .tile = gn_tiles_amx,
    .spell = gn_spell_c_operators,
};

static const char *const avx2_prelude[] = { gn_prelude_avx2, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_avx2 = {
    .name = "avx2",
    .lang = GN_LANG_C,
    .vector_bytes = 32,
    .nregs = 16,
    .contract = tiles_of_16,
    .tile_threads = 1,
    .has_fma = true,
    .l1_bytes = 32 << 10,
    .l2_bytes = 256 << 10,
    .cpu = "x86-64-v3",
    .cc1_args = no_args,
    .head = C_HEAD VECTOR_HEAD X86_HEAD("avx2,fma,bmi,bmi2") C_FREESTANDING,
    .tail = X86_TAIL,
    .prelude = avx2_prelude,
    .tile = gn_tiles_c,
    .spell = gn_spell_c_operators,
};

static const char *const generic_prelude[] = { gn_prelude_generic, gn_prelude_vector, gn_prelude_scalar, NULL };
const gn_target gn_target_generic = {
    .name = "generic", .lang = GN_LANG_C, .vector_bytes = 16, .nregs = 16, .contract = tiles_of_16, .tile_threads = 1,
    .has_fma = false,
    .l1_bytes = 32 << 10, .l2_bytes = 256 << 10,
    .cpu = NULL, .cc1_args = no_args, .head = C_HEAD VECTOR_HEAD C_FREESTANDING, .tail = "",
    .prelude = generic_prelude, .tile = gn_tiles_c, .spell = gn_spell_c_words,
};

/* The words that every C11 compiler takes: scalars, and mul and add for fma. */
static const char *const c11_prelude[] = { gn_prelude_generic, gn_prelude_scalar, NULL };
const gn_target gn_target_c11 = {
    .name = "c11", .lang = GN_LANG_C, .vector_bytes = 4, .nregs = 16, .contract = tiles_of_16, .tile_threads = 1,
    .has_fma = false,
    .l1_bytes = 32 << 10, .l2_bytes = 256 << 10,
    .cpu = NULL, .cc1_args = no_args, .head = C_HEAD C_FREESTANDING, .tail = "",
    .prelude = c11_prelude, .tile = gn_tiles_none, .spell = gn_spell_c_words,
};

/* An emulation that runs the same text on a CPU has declared these types, and more, before it. */
#define CUDA_HEAD \
    LINE("#ifndef GN_CUDA_EMULATION") \
    LINE("typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long long int64_t;") \
    LINE("typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned uint32_t;") \
    LINE("typedef unsigned long long uint64_t;") \
    LINE("#define GN_PRAGMA(text) _Pragma(#text)") \
    LINE("#define GN_UNROLL(n) GN_PRAGMA(unroll n)") \
    LINE("#define GN_UNROLLED(n) GN_PRAGMA(unroll)") \
    LINE("#else") \
    LINE("#define GN_UNROLL(n)") \
    LINE("#define GN_UNROLLED(n)") \
    LINE("#endif") \
    LINE("#define _Bool bool") \
    LINE("#define GN_INLINE static __device__ __forceinline__") \
    LINE("#define GN_CALLED GN_INLINE") \
    LINE("#define GN_INF_F32 __int_as_float(0x7f800000)") \
    LINE("#define GN_NAN_F32 __int_as_float(0x7fc00000)") \
    LINE("#define GN_INF_F64 __longlong_as_double(0x7ff0000000000000)") \
    LINE("#define GN_NAN_F64 __longlong_as_double(0x7ff8000000000000)")

static const char *const cuda_prelude[] = { gn_prelude_cuda, gn_prelude_scalar, NULL };
const gn_target gn_target_cuda = {
    .name = "cuda", .lang = GN_LANG_CUDA, .vector_bytes = 4, .nregs = 255, .has_fma = true,
    .contract = tiles_of_threads, .tile_threads = 16, .tile_depth = 8,
    .l1_bytes = 128 << 10, .l2_bytes = 40 << 20,
    .shared_bytes = 227 << 10, .cc1_args = no_args + 2, .head = CUDA_HEAD, .tail = "",
    .prelude = cuda_prelude, .tile = gn_tiles_cuda,
    .spell = gn_spell_c_operators,
};

const gn_target *const gn_targets[] = {
    &gn_target_amx, &gn_target_avx512, &gn_target_avx2, &gn_target_generic, &gn_target_c11, &gn_target_cuda, NULL
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

#if defined __x86_64__
static bool has_amx(void)
{
    enum { BF16 = 1 << 22, TILE = 1 << 24, INT8 = 1 << 25, ALL = BF16 | TILE | INT8 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & ALL) == ALL;
}
#endif

bool gn_target_runs_here(const gn_target *t)
{
    if (!gn_target_is_permitted(t)) return false;
#if defined __x86_64__
    if (t == &gn_target_amx) return has_amx() && gn_target_runs_here(&gn_target_avx512);
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
