/* What the files dim*.c share. */
#pragma once
#include "dim.h"

int64_t gn_floor_div(int64_t a, int64_t b); /* by 0: 0 */
int64_t gn_floor_mod(int64_t a, int64_t b);
int64_t gn_gcd(int64_t a, int64_t b);       /* never negative; gcd(0, x) = |x| */
/* The atom of this kind over a and b, simplified. */
const gn_dim *gn_dim_apply(gn_dim_pool *, gn_atom_kind, const gn_dim *a, const gn_dim *b);
/* Bounds when nothing is known of symbols, not even that they are not negative. */
void gn_dim_range_unknown(const gn_dim *, int64_t *low, int64_t *high);
void gn_atom_bound(gn_atom *); /* notes them in a new atom, whose operands have theirs */
const gn_dim *gn_dim_of_atom(gn_dim_pool *, const gn_atom *); /* of the same pool */

/* Terms. gn_term_make interns the product of n sorted atoms; gn_term_divide is false where the quotient is no term. */
gn_term gn_term_make(gn_dim_pool *, int64_t c, uint32_t n, const gn_atom *const *atom);
gn_term gn_term_multiply(gn_dim_pool *, const gn_term *, const gn_term *);
bool gn_term_divide(gn_dim_pool *, const gn_term *a, const gn_term *b, gn_term *out);
const gn_dim *gn_dim_intern(gn_dim_pool *, const gn_term *, size_t n); /* of sorted terms without zeros */
const gn_dim *gn_dim_atom(gn_dim_pool *, gn_atom_kind, const char *name, const gn_dim *a,
                          const gn_dim *b); /* as it is, not simplified */
const gn_dim *gn_dim_rejoin(gn_dim_pool *,
                            const gn_dim *); /* the last step of a sum: pairs of div and mod that make their operand */
int64_t gn_dim_constant(const gn_dim *);                    /* its constant term */
int gn_dim_sort_order(const gn_dim *, const gn_dim *);      /* by names and structure */
int64_t gn_checked_mul(int64_t, int64_t);                   /* throws */

/* Sums under construction: terms in any order, put in canonical form by gn_sum_done. */

typedef struct gn_sum {
    gn_dim_pool *pool;
    gn_term *term;
    size_t n, capacity;
    gn_term local[16];
} gn_sum;
void gn_sum_start(gn_sum *, gn_dim_pool *);
void gn_sum_add(gn_sum *, const gn_term *, int64_t factor);
void gn_sum_const(gn_sum *, int64_t);
void gn_sum_dim(gn_sum *, const gn_dim *, int64_t factor);
const gn_dim *gn_sum_done(gn_sum *);

/* What is found in each atom, by a walk that meets each once. In a small dim nothing is remembered: what stands there
 * twice is found twice. */

enum { GN_DIM_SMALL = 64 };
uint32_t gn_dim_size(const gn_dim *); /* atoms in it, as often as they stand there; at most UINT32_MAX */
static inline bool gn_dim_is_small(const gn_dim *d)
{
    return gn_dim_size(d) <= GN_DIM_SMALL;
}
void gn_dim_walk_over(gn_dim_walk *, const gn_dim *); /* then each atom of a dim that is not small is found */
void *gn_dim_walk_get(const gn_dim_walk *, const gn_atom *); /* NULL: not found */
void gn_dim_walk_set(gn_dim_walk *, const gn_atom *, const void *what, size_t size);
void gn_dim_with_scratch(gn_arena *scratch, void (*body)(void *), void *arg); /* releases the arena, whatever is thrown */

uint64_t gn_dim_symbol_bit(const char *name);
