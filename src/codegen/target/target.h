/* Targets: facts and spellings. What differs between C for AVX-512, AVX2, any CPU, and CUDA stands in these records and nowhere else. */
#pragma once
#include "op.h"

typedef enum { GN_LANG_C, GN_LANG_CUDA } gn_lang;

typedef struct gn_tile_op gn_tile_op; /* a row of the target's table of tile operations: tile.h */

typedef struct gn_target {
    const char *name;            /* "avx512", "avx2", "generic", "cuda" */
    gn_lang lang;
    int vector_bytes;            /* 64, 32, 16; 0: scalar bodies only. Lanes of a dtype = vector_bytes / size; CUDA: 4-byte lanes of 1 */
    int nregs;                   /* vector registers */
    bool has_fma;
    int64_t l1_bytes, l2_bytes, shared_bytes;
    const char *const *cc1_args; /* for the compiler: target features; NULL-terminated */
    const char *prelude;         /* C text put before every unit */
    const gn_tile_op *tile;      /* ended by a name of NULL */
    /* Spelling of a scalar op on values: vector or scalar; NULL: expand the op's body text. */
    const char *(*spell)(const gn_op_info *, gn_dtype, bool vector);
} gn_target;

extern const gn_target gn_target_avx512, gn_target_avx2, gn_target_generic, gn_target_cuda;
extern const gn_target *const gn_targets[]; /* ended by NULL */
const gn_target *gn_target_find(const char *name);
const gn_target *gn_target_host(void);       /* the best this CPU executes */
