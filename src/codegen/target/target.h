/* Targets: facts and spellings. What differs between C for AVX-512, AVX2, any CPU, and CUDA stands in these records and
 * nowhere else.
 *
 * The emitter writes one statement per value, in the words of emit.h; every word starts with gn_ and ends with the tag
 * of the type it works on: "f32" a scalar, "f32x16" a vector, "b16" a mask (a vector of bool), "bool" a scalar one. All
 * vectors of one statement have equally many lanes, whatever their dtype; 2, 4, 8 and 16 exist on every C target but
 * c11.
 *
 * A unit is text that uses these words. Who writes the text lists them (gn_words), and gn_target_unit puts their
 * definitions before it and no others, so that a generated file shows exactly the helpers it needs. Nobody looks for
 * them in the text, where users' names stand, too. The words are templates in *.prelude beside this file (their form:
 * prelude.c).
 *
 * More words than emit.h lists: gn_get_TAG(v, l) one lane; gn_tr16_f32 (tile.h); gn_warp_sum_TAG(x, width) for CUDA:
 * over `width` neighbours, a power of two up to 32. */
#pragma once
#include "op.h"
#include "map.h"
#include "text.h"
#include "vec.h"

typedef enum { GN_LANG_C, GN_LANG_CUDA } gn_lang;

typedef struct gn_tile_op gn_tile_op; /* a row of the target's table of tile operations: tile.h */

/* What a thread keeps of a contraction in its registers: rows by vectors of columns. Accumulators, one broadcast and
 * the vectors of b fit, and there are few loads for each fma. */
enum { GN_TILE_NARROW = 1, GN_TILE_LIGHT = 2 };
typedef struct gn_tile_shape {
    uint8_t use;      /* as bits: for columns of just so many vectors; where there is little to compute */
    uint8_t rows, vectors;
    double efficiency; /* what padding is weighed against */
} gn_tile_shape;

typedef struct gn_target {
    const char *name; /* "avx512", "avx2", "generic", "c11", "cuda" */
    gn_lang lang;
    int vector_bytes; /* 64, 32, 16; c11 and CUDA 4: lanes of 1 */
    int nregs;        /* vector registers */
    int64_t l2_bytes, shared_bytes;
    const gn_tile_shape *contract; /* ended by no rows */
    int tile_threads; /* along each side of a contraction's tile, whose factors they share; 1: a tile of its own */
    int tile_depth;   /* steps of k whose factors are shared at a time; 0 */
    const char *cpu; /* clang -target-cpu, gcc -march; NULL: the compiler's default */
    const char *const *cc1_args; /* tuning options that clang's cc1 and gcc both take; NULL-terminated. Features are set
                                    by pragmas in the head */
    const char *const *head;    /* C text before every unit: pragmas and macros; NULL-terminated */
    const char *tail;           /* and behind it */
    const char *const *prelude; /* templates, the most special file first; NULL-terminated */
    const gn_tile_op *tile;     /* ended by a name of NULL */
    /* Pattern of an op on values; NULL: expand the op's body text. dtype: the first operand's; for cast and bitcast the
     * result's. In the pattern $0 $1 $2 are the operands, $t is the result's tag, $s the first operand's. A pattern
     * with spaces outside its parentheses is an operator and wants parentheses inside a larger expression. */
    const char *(*spell)(const gn_op_info *, gn_dtype, bool vector);
} gn_target;

/* generic: GNU C's vectors without any instruction set; c11: scalars alone, for any C11 compiler. */
extern const gn_target gn_target_avx512, gn_target_avx2, gn_target_generic, gn_target_c11, gn_target_cuda;
extern const gn_target *const gn_targets[]; /* ended by NULL */
const gn_target *gn_target_find(const char *name);
/* Makes one more known by its name, before anybody asks: a target of somebody's own, like that of a test. */
void gn_target_add(const gn_target *);
const gn_target *gn_target_host(void);       /* the best this CPU executes */
bool gn_target_runs_here(const gn_target *); /* this CPU executes it, and the system permits it */
/* The system grants what the units of its tile table need (permission.c). */
bool gn_target_is_permitted(const gn_target *);

/* Prints a tag: "f32", "f32x16", "bool", "b16". lanes 1 is scalar. */
void gn_spell_tag(gn_text *, gn_dtype, int lanes);
/* Prints a pattern with its operands filled in. */
void gn_spell_pattern(gn_text *, const char *pattern, const char *result_tag, const char *operand_tag,
                      const char *const *operands);
/* Prints a scalar literal of this dtype that reads back as the same bits: 0.5f, (-0x1p-149f), GN_INF_F32, GN_NAN_F64,
 * (-2147483647
 * - 1). */
void gn_spell_float(gn_text *, gn_dtype, double);
void gn_spell_int(gn_text *, gn_dtype, int64_t);

/* Words that a unit uses, each once, in the order in which they were first asked for. */
typedef struct gn_words {
    gn_arena *arena;
    GN_VEC(const char *) at;
    gn_symbols symbols;
    gn_map known;
} gn_words;
void gn_words_need(gn_words *, const char *word);
void gn_words_need_all(gn_words *, const gn_words *more);
/* The words in a text of ours, in which no name of a user's stands: a template, a pattern, a test's C. */
void gn_words_read(gn_words *, const char *text);

/* Prints head, the definitions of the words (what they need before them), body, and tail. A word that the target lacks
 * throws GN_EINTERNAL. */
void gn_target_unit(gn_text *, const gn_target *, const gn_words *, const char *body);
