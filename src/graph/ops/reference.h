/* Arithmetic of the reference evaluator on single elements: rounding to a dtype, wrapping, and how errors pass through
 * a function.
 *
 * What `err` means. An implementation may compute each float operation within a few units in the last place (ulp) of
 * the exact function of its own operands: one for + - * / sqrt and conversions, GN_REF_MATH_ULP for the other
 * functions. gn_ref.err bounds how far a value so computed, and the real value, may lie from the reference's value. It
 * is 0 where all are exact, and infinite where the reference itself overflowed or met an invalid operation that a
 * nearby operand would not have met. */
#pragma once
#include "op.h"

#define GN_REF_MATH_ULP 4

long double gn_ref_round(gn_dtype, long double);        /* the nearest value of a float dtype, ties to even */
long double gn_ref_ulp(gn_dtype, long double);          /* distance of neighbours there; 0 for inf and NaN */
int64_t gn_ref_wrap(gn_dtype, int64_t); /* the value modulo 2^bits of an integer dtype; unsigned as bits; bool: != 0 */
int64_t gn_ref_saturate(gn_dtype, long double);         /* towards 0, saturating, NaN to 0; for bool: != 0 */
int64_t gn_ref_least(gn_dtype), gn_ref_greatest(gn_dtype); /* of an integer dtype or bool; unsigned as bits */
bool gn_ref_less(gn_dtype, int64_t a, int64_t b);       /* of integers and bools */
static inline bool gn_is_unsigned(gn_dtype t) { return gn_dtypes[t].kind == GN_KIND_UINT; }

/* How far v may be taken for y: 0 if they are the same (also inf, also both NaN), infinite if one is NaN or an infinity
 * of its own. */
long double gn_ref_apart(long double y, long double v);

/* The last word on a float result o->f with its propagated error in o->err: `ulp` of slack unless everything is exact.
 * Rounding to the dtype is done by the evaluator, for all ops alike. */
void gn_ref_slack(gn_ref *o, int ulp);

/* o = f(x) for f monotone on both sides of x within its bound, o = f(a, b) for f monotone in each operand; with `ulp`
 * of slack. */
void gn_ref_monotone(gn_ref *o, const gn_ref *x, long double (*f)(long double), int ulp);
void gn_ref_monotone2(gn_ref *o, const gn_ref *in, long double (*f)(long double, long double), int ulp);
/* o = f(x) for a step function of one operand: exact, but a jump if f is not constant within x's bound. */
void gn_ref_step(gn_ref *o, const gn_ref *x, long double (*f)(long double));

/* Rounds a finished element to its dtype: floats to the nearest value (overflow makes err infinite), integers by
 * wrapping. */
void gn_ref_finish(gn_ref *);
/* The error of a sum of n terms in any order: o->f and o->err are their exact sum and the sum of their bounds,
 * `magnitude` that of |x| + err. */
void gn_ref_sum_error(gn_ref *o, int64_t n, long double magnitude);
/* The product of n elements, in any order. */
void gn_ref_product(gn_ref *o, const gn_ref *x, int64_t n);
/* The i-th element of plain memory of a dtype, and back: floats are rounded, integers wrap. */
gn_ref gn_ref_load(gn_dtype, const void *data, int64_t i);
void gn_ref_store(gn_dtype, void *data, int64_t i, const gn_ref *);
