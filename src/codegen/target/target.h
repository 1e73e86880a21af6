/* Targets: facts and spellings. What differs between C for AVX-512, AVX2, any CPU, and CUDA stands in these records and nowhere else.
 *
 * How the emitter and the prelude speak to each other. The emitter writes one statement per value; every helper it may name comes from the
 * prelude, starts with gn_ and ends with the type it works on:
 *
 *     types      gn_f32 gn_f64 gn_i32 gn_i64 gn_u32 gn_bool     a scalar          gn_f32x16  a vector of 16     gn_boolx16  a mask of 16 lanes
 *     T          f32, f32x16: dtype, then x and the lanes of the kernel's lane leaf. All vectors of one statement have equally many lanes,
 *                whatever their dtype; 2, 4, 8 and 16 exist on every C target (natural: vector_bytes / 4, and half of it for f64 alone)
 *     constants  gn_splat_T(x)  gn_iota_T(base, step): lane l is base + l * step
 *     memory     gn_load_T(p)            gn_store_T(p, x)               lane l at p[l]; T may be scalar: gn_load_bool(p)
 *                gn_loadm_T(p, m)        gn_storem_T(p, x, m)           masked: lanes off are 0 and their memory is not touched
 *                gn_loads_T(p, s)        gn_stores_T(p, s, x)           lane l at p[l * s], s in elements, any sign
 *                gn_loadsm_T(p, s, m)    gn_storesm_T(p, s, x, m)
 *                gn_gather_T(p, i)       gn_scatter_T(p, i, x)          i: gn_i64xN, lane l at p[i[l]]; scatter in lane order
 *                gn_gatherm_T(p, i, m)   gn_scatterm_T(p, i, x, m)
 *     masks      gn_first_boolxN(n)      lanes l < n, n any gn_i64
 *     lanes      gn_hsum_T hprod hmax hmin (x)  gn_hany_boolxN gn_hall_boolxN (m)   to a scalar: l with l + N/2, then N/4, .. 1
 *                gn_get_T(x, l)          one lane
 *     ops        gn_spell, below; the patterns of `spell` use the same rule, as "gn_max_$T($0, $1)" or "$0 + $1"
 *     reduce     step and merge of a reduction are the ops add, mul, max, min, or, and; gn_identity gives the start
 *     indices    of gn_i64: gn_idiv(a, b) gn_imod(a, b) floor, 0 by 0;  gn_imin gn_imax;  gn_cdiv(a, b)
 *     functions  GN_STEP void NAME(...): a function that the loader finds; GN_INLINE void NAME(...): one that it does not
 *     buffers    gn_f32 *const X = (gn_f32 *)arg[0]; float, double, .. by gn_dtypes[].c_name are the same types
 *     tr16       gn_tr16_f32(dst, dst_stride, src, src_stride, ni, nl): tile.h
 *     CUDA       gn_barrier();  gn_block_sum_f32(x) prod max min, gn_block_any_bool all: over the threads of the block, every thread gets it;
 *                gn_warp_sum_f32(x, width): over `width` (a power of two, at most 32) neighbours;
 *                GN_SHARED float a[1024];  threadIdx.x and blockIdx.x as always;  gn_tf32_f32(x)
 *
 * The text before a unit is made for it: gn_prelude writes the definitions of the names that the unit uses, and no others. */
#pragma once
#include "op.h"
#include "text.h"

typedef enum { GN_LANG_C, GN_LANG_CUDA } gn_lang;

typedef struct gn_tile_op gn_tile_op; /* a row of the target's table of tile operations: tile.h */

typedef struct gn_target {
    const char *name;            /* "avx512", "avx2", "generic", "cuda" */
    gn_lang lang;
    int vector_bytes;            /* 64, 32, 16; CUDA 4: lanes of 1 */
    int nregs;                   /* vector registers */
    bool has_fma;                /* if not, fma is spelled as a multiplication and an addition */
    int64_t l1_bytes, l2_bytes, shared_bytes;
    const char *cpu;             /* clang -target-cpu, gcc -march; NULL: the compiler's default */
    const char *const *cc1_args; /* tuning options that clang's cc1 and gcc both take; NULL-terminated. Features are set by pragmas in the prelude */
    const char *head;            /* C text put before every unit: pragmas and macros */
    const char *const *prelude;  /* the templates of gn_prelude, the most special first; NULL-terminated: prelude.h */
    const gn_tile_op *tile;      /* ended by a name of NULL */
    /* Spelling of a scalar op on values: NULL: expand the op's body text. dtype: the first operand's, but select and fma: the result's.
     * In the pattern $0 $1 $2 are the operands, $T is that type ("f32x16"), $Q the result's dtype ("i32"; casts only). A pattern that is an
     * operator has spaces in it and wants parentheses inside a larger expression. */
    const char *(*spell)(const gn_op_info *, gn_dtype, bool vector);
} gn_target;

extern const gn_target gn_target_avx512, gn_target_avx2, gn_target_generic, gn_target_cuda;
extern const gn_target *const gn_targets[]; /* ended by NULL */
const gn_target *gn_target_find(const char *name);
const gn_target *gn_target_host(void);       /* the best this CPU executes */
bool gn_target_runs_here(const gn_target *); /* this CPU executes it */

/* Prints "f32" or "f32x16": the T of all names. lanes 1 is scalar. */
void gn_spell_type(gn_text *, gn_dtype, int lanes);
/* Prints op over operands that are printed already. `operand`: what T in the pattern is; `result`: for casts. False (nothing printed): the op
 * has no spelling here, expand its body. */
bool gn_spell(gn_text *, const gn_target *, const gn_op_info *, gn_dtype operand, gn_dtype result, int lanes, const char *const *operands);
/* Prints a scalar literal of this dtype: 0.5f, 1e-30f, -INT64_MIN safe, GN_INF_F32, GN_NAN_F64; floats read back as the same bits. */
void gn_spell_float(gn_text *, gn_dtype, double);
void gn_spell_int(gn_text *, gn_dtype, int64_t);

/* Prints target->head and the definitions of every gn_ name in `unit`, each once, what it needs before it. Throws GN_EINTERNAL for a name
 * that the target does not have. The same names give the same text. */
void gn_prelude(gn_text *, const gn_target *, const char *unit);
