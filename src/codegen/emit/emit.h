/* The one emitter: code to C or CUDA text.
 *
 * Generated code says hardware operations in the words of the target's prelude. A tag names a value's type: a scalar's
 * dtype, "f32"; a vector's dtype and lanes, "f32x16" (f32 f64 i32 i64 u32), "b16" for a vector of bool (a mask). Lanes
 * N are vector_bytes / 4 and vector_bytes / 8, each for every dtype. All words begin with gn_, as no name of a user's
 * does in generated code (spelling.h).
 *
 *     gn_f32x16, gn_b16                             types; scalars are float, double, int32_t, int64_t, uint32_t, _Bool
 *     gn_load_TAG(p)  gn_loadm_TAG(p, at, mask)       contiguous, any alignment; 0 where not in the mask, which is not
 * read gn_loads_TAG(p, step)  gn_loadsm_TAG(p, at, step, mask)      every step-th element gn_gather_TAG(p, i64xN)
 * gn_gatherm_TAG(p, i64xN, mask)  by element index; likewise gn_scatter_TAG(p, i64xN, v)  gn_scatterm_TAG(p, i64xN, v,
 * mask) gn_store_TAG(p, v)  gn_storem_TAG(p, at, v, mask)  gn_stores_TAG(p, step, v)  gn_storesm_TAG(p, at, step, v,
 * mask) gn_splat_TAG(scalar)                          bool too gn_iota_i64xN(base, step)                     base +
 * step * lane gn_below_bN(n)  gn_bit_bN(n)                  lane < n, lane == n, for int64_t n of any value
 *     gn_sel_TAG(mask, a, b)
 *     gn_hsum_TAG(v)  hprod hmax hmin (masks: gn_hany_bN gn_hall_bN)   lanes l with l + N/2, then N/4, .., 1; max and
 * min keep NaN gn_div_i64 gn_mod_i64 gn_min_i64 gn_max_i64 (a, b)       index arithmetic on int64_t: floors, 0 for a
 * divisor of 0 GN_UNROLL(n)                                  before a loop: a pragma GN_UNROLLED(n) before a loop of n
 * turns: a pragma; it is none in the object code gn_block_sum_TAG(x)  prod max min any all     CUDA: over the threads
 * of the block, the same value in each, xor butterfly
 *
 * Ops of records: target->spell(op, dtype, vector) gives a pattern where $0 $1 $2 are operands, $t the result's tag and
 * $s the first operand's: "$0 + $1", "gn_max_$t($0, $1)", "gn_cast_$s_$t($0)"; the dtype asked for is the first
 * operand's, for a cast the result's. NULL: the record's body is expanded. */
#pragma once
#include "code.h"

/* C: for each step   void NAME_STEP(void *const *arg, const int64_t *sym, int64_t part)
 * where arg holds the arguments in order (scratch ones already offset for the worker).
 * CUDA: one __global__ function per step. Appends to out, and the prelude's words that the text says to the words
 * (NULL: nobody asks). NAME is the kernel's, or near it where it is a word of C. */
void gn_emit_kernel(gn_text *out, gn_words *, gn_code *);
/* One serial function that runs all steps: void NAME(void *const *arg, const int64_t *sym, int64_t part), whose only
 * part is 0: it is called as every step is. For small programs. */
void gn_emit_function(gn_text *out, gn_words *, gn_code *);
