/** @file Builders: what an expression can compute.
 *
 *      gn_expr *h = gn_tanh(gn_add(gn_matmul(x, w), b));
 *      gn_expr *loss = gn_mean_all(gn_square(gn_sub(h, t)));
 *      gn_expr *row = gn_slice(x, "0, ::2"), *sums = gn_sum(gn_mul(x, 2.0), GN_AXES(0, -1));
 *
 *  Each builder is a function `gn_NAME_at` that takes the place of the call, and a macro `gn_NAME` that passes it.
 *
 *  What holds for all of them
 *  Operands  `gn_operand` is an expression or a number: gn_add(x, 2.0). A number takes the dtype of the expression beside it,
 *            except that a floating number beside integers or bools makes both f32.
 *  Shapes    Elementwise builders broadcast: shapes are aligned at their last axes, missing axes and extents that are known to be
 *            1 are repeated. Two named extents that may differ are taken to be equal, and that is checked at each call.
 *  Dtypes    Operands are promoted to their common dtype (array.h). "floating" builders turn integers and bools into f32 first.
 *  Axes      An axis may be negative: -1 is the last one.
 *  Strings   Shapes and ranges are printf-formatted: gn_reshape(x, "batch, %d", n). Extents are numbers, names and + - * / % min
 *            max of them.
 *  Errors    GN_EINVAL for NULL or an operand of another graph; GN_ESHAPE, GN_EDTYPE, GN_EAXIS, GN_ESYNTAX as the words say; the
 *            result is then the graph's error node (graph.h), whose message has operands, dtypes, shapes and the line.
 *  Gradient  Given as d: what reaches an operand for the gradient g of the result y. "none" are steps, integers and bools.
 *            Gradients over broadcast axes are summed.
 *  Numbers   Integers wrap, integer division floors, x/0 and x mod 0 are 0 for integers, casts saturate, NaN casts to 0.
 *  Ownership and threads: results live as long as their graph, which belongs to one thread at a time. */
#pragma once
#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- arithmetic -------------------------------------------------------------------------------------------------- */

/** Sum, difference, product. On bools: i32 arithmetic.  Gradient  g, g;  g, -g;  g b, g a. */
GN_API gn_expr *gn_add_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_sub_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_mul_at(gn_loc, gn_operand a, gn_operand b);
#define gn_add(a, b) gn_add_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_sub(a, b) gn_sub_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_mul(a, b) gn_mul_at(GN_HERE, GN_OP(a), GN_OP(b))

/** Quotient of floats, as IEEE 754 has it. Floating.  Gradient  g / b, -g y / b. */
GN_API gn_expr *gn_div_at(gn_loc, gn_operand a, gn_operand b);
#define gn_div(a, b) gn_div_at(GN_HERE, GN_OP(a), GN_OP(b))

/** Quotient rounded down, and its remainder, which has the sign of b. Integers: exact, 0 where b is 0. Floats: as
 *  in Python and NumPy: the remainder is exact (fmod, moved to the sign of b), and 1.0 // 0.1 is 9.  Gradient  floordiv 0; mod g,
 *  -g floordiv(a, b). */
GN_API gn_expr *gn_floordiv_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_mod_at(gn_loc, gn_operand a, gn_operand b);
#define gn_floordiv(a, b) gn_floordiv_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_mod(a, b) gn_mod_at(GN_HERE, GN_OP(a), GN_OP(b))

/** a to the power b. Floating; the special cases are those of C's pow.  Gradient  g b a^(b-1), 0 where b is 0;  g y log a, 0
 *  where a is 0. */
GN_API gn_expr *gn_pow_at(gn_loc, gn_operand a, gn_operand b);
#define gn_pow(a, b) gn_pow_at(GN_HERE, GN_OP(a), GN_OP(b))

/** The larger, the smaller; NaN if one is NaN.  Gradient  to the one that was taken, half each where both are equal. */
GN_API gn_expr *gn_maximum_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_minimum_at(gn_loc, gn_operand a, gn_operand b);
#define gn_maximum(a, b) gn_maximum_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_minimum(a, b) gn_minimum_at(GN_HERE, GN_OP(a), GN_OP(b))

/** Negative, absolute value, sign (-1, 0, 1; NaN stays), square. Numbers.  Gradient  -g;  g sign x;  0;  2 g x.
 *  The magnitude of the least signed integer wraps to itself. */
GN_API gn_expr *gn_neg_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_abs_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_sign_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_square_at(gn_loc, gn_expr *x);
#define gn_neg(x) gn_neg_at(GN_HERE, x)
#define gn_abs(x) gn_abs_at(GN_HERE, x)
#define gn_sign(x) gn_sign_at(GN_HERE, x)
#define gn_square(x) gn_square_at(GN_HERE, x)

/** Rounded down, up, to the nearest (ties to even), towards 0. Floats; integers stay as they are.  Gradient  0. */
GN_API gn_expr *gn_floor_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_ceil_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_round_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_trunc_at(gn_loc, gn_expr *x);
#define gn_floor(x) gn_floor_at(GN_HERE, x)
#define gn_ceil(x) gn_ceil_at(GN_HERE, x)
#define gn_round(x) gn_round_at(GN_HERE, x)
#define gn_trunc(x) gn_trunc_at(GN_HERE, x)

/** x held between low and high: minimum(maximum(x, low), high).  Gradient  g inside, 0 outside, half on a border. */
GN_API gn_expr *gn_clip_at(gn_loc, gn_expr *x, gn_operand low, gn_operand high);
#define gn_clip(x, low, high) gn_clip_at(GN_HERE, x, GN_OP(low), GN_OP(high))

/* ---- functions: floating, elementwise ---------------------------------------------------------------------------- */

/** Square root and its reciprocal; NaN for x < 0.  Gradient  g / 2y;  -g y / 2x. */
GN_API gn_expr *gn_sqrt_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_rsqrt_at(gn_loc, gn_expr *x);
#define gn_sqrt(x) gn_sqrt_at(GN_HERE, x)
#define gn_rsqrt(x) gn_rsqrt_at(GN_HERE, x)

/** e^x, e^x - 1 (accurate near 0), log x, log(1 + x) (accurate near 0).  Gradient  g y;  g (y + 1);  g / x;  g / (1 + x). */
GN_API gn_expr *gn_exp_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_expm1_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_log_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_log1p_at(gn_loc, gn_expr *x);
#define gn_exp(x) gn_exp_at(GN_HERE, x)
#define gn_expm1(x) gn_expm1_at(GN_HERE, x)
#define gn_log(x) gn_log_at(GN_HERE, x)
#define gn_log1p(x) gn_log1p_at(GN_HERE, x)

/** Sine, cosine (radians), hyperbolic tangent.  Gradient  g cos x;  -g sin x;  g (1 - y^2). */
GN_API gn_expr *gn_sin_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_cos_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_tanh_at(gn_loc, gn_expr *x);
#define gn_sin(x) gn_sin_at(GN_HERE, x)
#define gn_cos(x) gn_cos_at(GN_HERE, x)
#define gn_tanh(x) gn_tanh_at(GN_HERE, x)

/** Inverse hyperbolic tangent: infinite at -1 and 1, NaN outside.  Gradient  g / (1 - x^2). */
GN_API gn_expr *gn_atanh_at(gn_loc, gn_expr *x);
#define gn_atanh(x) gn_atanh_at(GN_HERE, x)

/** 1 / (1 + e^-x); log(1 + e^x); the error function.  Gradient  g y (1 - y);  g sigmoid(x);  g 2/sqrt(pi) e^(-x^2). */
GN_API gn_expr *gn_sigmoid_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_softplus_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_erf_at(gn_loc, gn_expr *x);
#define gn_sigmoid(x) gn_sigmoid_at(GN_HERE, x)
#define gn_softplus(x) gn_softplus_at(GN_HERE, x)
#define gn_erf(x) gn_erf_at(GN_HERE, x)
/** 1 - erf(x), with all its digits also where erf is nearly 1.  Gradient  -g 2/sqrt(pi) e^(-x^2). */
GN_API gn_expr *gn_erfc_at(gn_loc, gn_expr *x);
#define gn_erfc(x) gn_erfc_at(GN_HERE, x)

/** log(e^a + e^b), which neither overflows nor cancels more than its value does; log(1 - e^x), right near 0 and far below, NaN above 0.
 *  Gradient  g sigmoid(a - b) and g sigmoid(b - a);  g e^x / expm1(x). */
GN_API gn_expr *gn_log_add_exp_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_log1mexp_at(gn_loc, gn_expr *x);
#define gn_log_add_exp(a, b) gn_log_add_exp_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_log1mexp(x) gn_log1mexp_at(GN_HERE, x)

/** Activations: max(x, 0); x or slope x where x < 0; x Phi(x) by erf; x sigmoid(x).  Gradient  at 0 of relu: 0, of leaky_relu:
 *  g (1 + slope)/2. The last two are products: NaN at -inf, as is their gradient at both infinities.
 *  Source    gelu: D. Hendrycks, K. Gimpel, Gaussian error linear units, 2016. silu: S. Elfwing et al., 2018. */
GN_API gn_expr *gn_relu_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_leaky_relu_at(gn_loc, gn_expr *x, double slope);
GN_API gn_expr *gn_gelu_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_silu_at(gn_loc, gn_expr *x);
#define gn_relu(x) gn_relu_at(GN_HERE, x)
#define gn_leaky_relu(x, slope) gn_leaky_relu_at(GN_HERE, x, slope)
#define gn_gelu(x) gn_gelu_at(GN_HERE, x)
#define gn_silu(x) gn_silu_at(GN_HERE, x)

/* ---- comparisons, logic, choice ---------------------------------------------------------------------------------- */

/** Comparisons give bool; with NaN all are false but ne. Operands are promoted first: i32 with i64 compares as i64.  Gradient
 *  none. */
GN_API gn_expr *gn_eq_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_ne_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_lt_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_le_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_gt_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_ge_at(gn_loc, gn_operand a, gn_operand b);
#define gn_eq(a, b) gn_eq_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_ne(a, b) gn_ne_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_lt(a, b) gn_lt_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_le(a, b) gn_le_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_gt(a, b) gn_gt_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_ge(a, b) gn_ge_at(GN_HERE, GN_OP(a), GN_OP(b))

/** Logic of bools. Errors  GN_EDTYPE if an operand is not bool.  Gradient  none. */
GN_API gn_expr *gn_logical_and_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_logical_or_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_logical_xor_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_logical_not_at(gn_loc, gn_expr *x);
#define gn_logical_and(a, b) gn_logical_and_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_logical_or(a, b) gn_logical_or_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_logical_xor(a, b) gn_logical_xor_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_logical_not(x) gn_logical_not_at(GN_HERE, x)

/** a where `condition` (bool) holds, b elsewhere; what is not taken has no influence, not even as NaN.  gn_where is the same.
 *  Gradient  g where taken, 0 elsewhere; the condition has none. */
GN_API gn_expr *gn_select_at(gn_loc, gn_expr *condition, gn_operand a, gn_operand b);
#define gn_select(condition, a, b) gn_select_at(GN_HERE, condition, GN_OP(a), GN_OP(b))
#define gn_where(condition, a, b) gn_select_at(GN_HERE, condition, GN_OP(a), GN_OP(b))

/** Converts. To integers: towards 0, saturating, NaN to 0; between integers: saturating; to bool: x is not 0.
 *  Gradient  between floats g, else none. */
GN_API gn_expr *gn_cast_at(gn_loc, gn_expr *x, gn_dtype);
#define gn_cast(x, dtype) gn_cast_at(GN_HERE, x, dtype)

/** Bits of integers; shifts fill with 0 (right shifts of signed integers with the sign) and give 0 (or the sign) for counts
 *  outside the width.
 *  Errors  GN_EDTYPE if not integers.  Gradient  none. */
GN_API gn_expr *gn_bit_and_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_bit_or_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_bit_xor_at(gn_loc, gn_operand a, gn_operand b);
GN_API gn_expr *gn_bit_not_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_shl_at(gn_loc, gn_operand a, gn_operand count);
GN_API gn_expr *gn_shr_at(gn_loc, gn_operand a, gn_operand count);
#define gn_bit_and(a, b) gn_bit_and_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_bit_or(a, b) gn_bit_or_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_bit_xor(a, b) gn_bit_xor_at(GN_HERE, GN_OP(a), GN_OP(b))
#define gn_bit_not(x) gn_bit_not_at(GN_HERE, x)
#define gn_shl(a, count) gn_shl_at(GN_HERE, GN_OP(a), GN_OP(count))
#define gn_shr(a, count) gn_shr_at(GN_HERE, GN_OP(a), GN_OP(count))

/* ---- reductions -------------------------------------------------------------------------------------------------- */

/** Reductions over a list of axes, which vanish from the shape (gn_expand brings them back with extent 1): gn_sum(x, GN_AXES(0,
 *  -1)). gn_sum_all(x) and its like reduce over all axes.
 *  Dtypes    sum, prod: numbers; bools count as i64. max, min: any. any, all: bool. mean, var: floating (the mean of bools is
 *            f32).
 *  Values    over no elements: sum 0, prod 1, any false, all true, mean and var NaN, max and min the least and the greatest value
 *            of the dtype (infinite for floats). NaN stays. var is the mean of squared differences from the mean. The order of
 *            summation depends on the shape alone.
 *  Gradient  sum g;  prod g times the product of the others, right with zeros;  max, min shared equally among ties;  mean g / n;
 *            var 2 g (x - mean) / n;  any, all none.
 *  Errors    GN_EAXIS for an axis outside the rank or named twice. */
GN_API gn_expr *gn_sum_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_prod_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_max_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_min_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_any_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_all_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_mean_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_var_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_sum_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_prod_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_max_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_min_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_any_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_all_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_mean_all_at(gn_loc, gn_expr *x);
GN_API gn_expr *gn_var_all_at(gn_loc, gn_expr *x);
#define gn_sum(x, axes) gn_sum_at(GN_HERE, x, axes)
#define gn_prod(x, axes) gn_prod_at(GN_HERE, x, axes)
#define gn_max(x, axes) gn_max_at(GN_HERE, x, axes)
#define gn_min(x, axes) gn_min_at(GN_HERE, x, axes)
#define gn_any(x, axes) gn_any_at(GN_HERE, x, axes)
#define gn_all(x, axes) gn_all_at(GN_HERE, x, axes)
#define gn_mean(x, axes) gn_mean_at(GN_HERE, x, axes)
#define gn_var(x, axes) gn_var_at(GN_HERE, x, axes)
#define gn_sum_all(x) gn_sum_all_at(GN_HERE, x)
#define gn_prod_all(x) gn_prod_all_at(GN_HERE, x)
#define gn_max_all(x) gn_max_all_at(GN_HERE, x)
#define gn_min_all(x) gn_min_all_at(GN_HERE, x)
#define gn_any_all(x) gn_any_all_at(GN_HERE, x)
#define gn_all_all(x) gn_all_all_at(GN_HERE, x)
#define gn_mean_all(x) gn_mean_all_at(GN_HERE, x)
#define gn_var_all(x) gn_var_all_at(GN_HERE, x)

/** Position of the largest or smallest element along one axis, as i64; the first of several, the first NaN if there is one, 0
 *  over no elements.
 *  Gradient  none. */
GN_API gn_expr *gn_argmax_at(gn_loc, gn_expr *x, int axis);
GN_API gn_expr *gn_argmin_at(gn_loc, gn_expr *x, int axis);
#define gn_argmax(x, axis) gn_argmax_at(GN_HERE, x, axis)
#define gn_argmin(x, axis) gn_argmin_at(GN_HERE, x, axis)

/** log of the sum of e^x along one axis, which vanishes; exact shift by the largest element, so that nothing overflows.  Gradient
 *  g softmax(x). */
GN_API gn_expr *gn_log_sum_exp_at(gn_loc, gn_expr *x, int axis);
#define gn_log_sum_exp(x, axis) gn_log_sum_exp_at(GN_HERE, x, axis)

/* ---- movement: any dtype ----------------------------------------------------------------------------------------- */

/** The same elements in row-major order under another shape; one extent may be -1: what remains.
 *  Errors    GN_ESHAPE if the numbers of elements differ for every size, or -1 does not come out whole.  Gradient  g in x's
 *            shape. */
GN_API gn_expr *gn_reshape_at(gn_loc, gn_expr *x, const char *shape, ...) GN_PRINTF(3, 4);
#define gn_reshape(x, ...) gn_reshape_at(GN_HERE, x, __VA_ARGS__)

/** Axes in another order: axis i of the result is axis axes[i] of x. gn_transpose exchanges the last two.  Gradient  g in the
 *  inverse order. */
GN_API gn_expr *gn_permute_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_transpose_at(gn_loc, gn_expr *x);
#define gn_permute(x, axes) gn_permute_at(GN_HERE, x, axes)
#define gn_transpose(x) gn_transpose_at(GN_HERE, x)

/** Repeats x to a shape: aligned at the last axis, missing axes and extents that are 1 are repeated.  Gradient  the sum over
 *  them. */
GN_API gn_expr *gn_broadcast_to_at(gn_loc, gn_expr *x, const char *shape, ...) GN_PRINTF(3, 4);
#define gn_broadcast_to(x, ...) gn_broadcast_to_at(GN_HERE, x, __VA_ARGS__)

/** Inserts axes of extent 1 at these places of the result; removes axes of extent 1.  Gradient  g in x's shape. */
GN_API gn_expr *gn_expand_at(gn_loc, gn_expr *x, gn_axes);
GN_API gn_expr *gn_squeeze_at(gn_loc, gn_expr *x, gn_axes);
#define gn_expand(x, axes) gn_expand_at(GN_HERE, x, axes)
#define gn_squeeze(x, axes) gn_squeeze_at(GN_HERE, x, axes)

/** A part of x: per axis "start:stop:step" as in Python, each may be left out, or one index, which takes the axis away; axes that
 *  are not named stay whole. gn_slice(x, "1:-1, ::2, %d", k). Negative numbers count from the end; a negative step (a number)
 *  runs backwards.
 *  Errors    GN_ESHAPE for a start or stop outside the axis (they are not clamped). Of named ones the call checks that the start and
 *            every element taken lie within the axis, and that the stop is not before the start. GN_ESYNTAX; GN_EAXIS for more ranges than axes.  Gradient  g in place, 0 elsewhere. */
GN_API gn_expr *gn_slice_at(gn_loc, gn_expr *x, const char *ranges, ...) GN_PRINTF(3, 4);
#define gn_slice(x, ...) gn_slice_at(GN_HERE, x, __VA_ARGS__)

/** Surrounds x by a value: per axis "before:after" (an empty one is 0): gn_pad(x, 0, "1:1, :n"). Neither may be negative.
 *  Gradient  g of the inner part; the value gets the sum over the border. */
GN_API gn_expr *gn_pad_at(gn_loc, gn_expr *x, gn_operand value, const char *widths, ...) GN_PRINTF(4, 5);
#define gn_pad(x, value, ...) gn_pad_at(GN_HERE, x, GN_OP(value), __VA_ARGS__)

/** Runs these axes backwards.  Gradient  g flipped. */
GN_API gn_expr *gn_flip_at(gn_loc, gn_expr *x, gn_axes);
#define gn_flip(x, axes) gn_flip_at(GN_HERE, x, axes)

/** Joins along an axis that they have, or along a new one: gn_concat(GN_EXPRS(a, b), 0). Dtypes are promoted.  Gradient  the
 *  parts of g.
 *  Errors    GN_ESHAPE if other extents differ; GN_EINVAL for an empty list. */
GN_API gn_expr *gn_concat_at(gn_loc, gn_exprs, int axis);
GN_API gn_expr *gn_stack_at(gn_loc, gn_exprs, int axis);
#define gn_concat(xs, axis) gn_concat_at(GN_HERE, xs, axis)
#define gn_stack(xs, axis) gn_stack_at(GN_HERE, xs, axis)

/** Cuts x along an axis into n equal parts, written to out[0 .. n-1].  Errors  GN_ESHAPE if the extent is known and n does not
 *  divide it. */
GN_API void gn_split_at(gn_loc, gn_expr *x, int axis, int n, gn_expr **out);
#define gn_split(x, axis, n, out) gn_split_at(GN_HERE, x, axis, n, out)

/* ---- contraction ------------------------------------------------------------------------------------------------- */

/** Matrix product over the last two axes, batched over the leading ones. An operand of rank 1 is a row (a) or a column (b) whose
 *  axis vanishes.
 *  Shapes    a (..., m, k), b (..., k, n) -> (..., m, n); leading axes broadcast.
 *  Dtypes    numbers; operands are promoted to their common dtype.
 *  Gradient  da = g b^T, db = a^T g, summed over broadcast axes.
 *  Errors    GN_ESHAPE if both inner extents are known and differ or an operand is a scalar; GN_EDTYPE if not numbers.
 *  Source    M. Giles, Collected matrix derivative results for forward and reverse mode AD, 2008. */
GN_API gn_expr *gn_matmul_at(gn_loc, gn_expr *a, gn_expr *b);
#define gn_matmul(a, b) gn_matmul_at(GN_HERE, a, b)

/** Inner and outer product of two vectors: (n), (n) -> ();  (m), (n) -> (m, n).  Errors  GN_ESHAPE if one has another rank. */
GN_API gn_expr *gn_dot_at(gn_loc, gn_expr *a, gn_expr *b);
GN_API gn_expr *gn_outer_at(gn_loc, gn_expr *a, gn_expr *b);
#define gn_dot(a, b) gn_dot_at(GN_HERE, a, b)
#define gn_outer(a, b) gn_outer_at(GN_HERE, a, b)

/** Einstein's summation over two operands: gn_einsum("bik,bkj->bij", a, b). One letter an axis; what stands left of the arrow
 *  only is summed.
 *  Errors    GN_ESYNTAX in the letters, one twice in an operand, one in the result alone; GN_ESHAPE if ranks or extents do not
 *            fit, or for more than 8 letters. */
GN_API gn_expr *gn_einsum_at(gn_loc, const char *letters, gn_expr *a, gn_expr *b);
#define gn_einsum(letters, a, b) gn_einsum_at(GN_HERE, letters, a, b)

/* ---- indices ----------------------------------------------------------------------------------------------------- */

/** Elements of x along an axis by integer indices: shape x[:axis] + indices + x[axis+1:]. Negative indices are out of range.
 *  Errors    GN_EDTYPE if indices are not integers. At the call: GN_EINDEX for one outside the axis, given or computed;
 *            then no variable has changed.
 *  Gradient  scatter_add of g into zeros; indices have none. */
GN_API gn_expr *gn_take_at(gn_loc, gn_expr *x, gn_expr *indices, int axis);
#define gn_take(x, indices, axis) gn_take_at(GN_HERE, x, indices, axis)

/** x plus `updates` added at indices along an axis; equal indices add up, in row-major order of the updates.
 *  Shapes    updates: x[:axis] + indices + x[axis+1:].  Dtypes  numbers, promoted; indices integers.  Gradient  g; take(g,
 *            indices, axis) for the updates.  Errors  as of gn_take. */
GN_API gn_expr *gn_scatter_add_at(gn_loc, gn_expr *x, gn_expr *indices, gn_expr *updates, int axis);
#define gn_scatter_add(x, indices, updates, axis) gn_scatter_add_at(GN_HERE, x, indices, updates, axis)

/** 0, 1, 2, ... along one axis of a shape. Numbers.  gn_full: one value everywhere. */
GN_API gn_expr *gn_iota_at(gn_loc, gn_graph *, gn_dtype, int axis, const char *shape, ...) GN_PRINTF(5, 6);
GN_API gn_expr *gn_full_at(gn_loc, gn_graph *, gn_dtype, gn_operand value, const char *shape, ...) GN_PRINTF(5, 6);
#define gn_iota(g, dtype, axis, ...) gn_iota_at(GN_HERE, g, dtype, axis, __VA_ARGS__)
#define gn_full(g, dtype, value, ...) gn_full_at(GN_HERE, g, dtype, GN_OP(value), __VA_ARGS__)

/** 1 where an integer label (...) equals the position along a new last axis of extent n, else 0. A label outside gives a row of
 *  zeros. n is a printf-formatted extent: gn_one_hot(t, GN_F32, "10").  Gradient  none. */
GN_API gn_expr *gn_one_hot_at(gn_loc, gn_expr *labels, gn_dtype, const char *n, ...) GN_PRINTF(4, 5);
#define gn_one_hot(labels, dtype, ...) gn_one_hot_at(GN_HERE, labels, dtype, __VA_ARGS__)

/* ---- networks ---------------------------------------------------------------------------------------------------- */

/** e^x over its sum along an axis, and the log of that; safe for any finite x.  Floating.  Gradient  y (g - sum g y);  g -
 *  softmax(x) sum g. */
GN_API gn_expr *gn_softmax_at(gn_loc, gn_expr *x, int axis);
GN_API gn_expr *gn_log_softmax_at(gn_loc, gn_expr *x, int axis);
#define gn_softmax(x, axis) gn_softmax_at(GN_HERE, x, axis)
#define gn_log_softmax(x, axis) gn_log_softmax_at(GN_HERE, x, axis)

/** -log softmax(logits)[label] along the last axis. It takes softmax itself: the result of gn_softmax as logits is a lint.
 *  Shapes    logits (..., classes), labels (...) -> (...).   Dtypes  logits floating, labels integers.
 *  Errors    GN_EDTYPE if labels are not integers; GN_ESHAPE. At the call: GN_EINDEX for a label outside the classes.
 *  Gradient  g (softmax(logits) - one_hot(labels)). */
GN_API gn_expr *gn_cross_entropy_at(gn_loc, gn_expr *logits, gn_expr *labels);
#define gn_cross_entropy(logits, labels) gn_cross_entropy_at(GN_HERE, logits, labels)

/** (x - mean) / sqrt(var + epsilon) over the last axis, times scale plus shift, which are (n) or numbers: gn_layer_norm(x, 1, 0,
 *  1e-5). Floating.  Source  J. Ba, J. Kiros, G. Hinton, Layer normalization, 2016. */
GN_API gn_expr *gn_layer_norm_at(gn_loc, gn_expr *x, gn_operand scale, gn_operand shift, double epsilon);
#define gn_layer_norm(x, scale, shift, epsilon) gn_layer_norm_at(GN_HERE, x, GN_OP(scale), GN_OP(shift), epsilon)

/* ---- random numbers ---------------------------------------------------------------------------------------------- */

/** Random tensors as pure functions: of the graph's seed, the scope, a name and `step`, an integer number or scalar expression.
 *  The same four give the same numbers on every machine; another step or name gives independent ones.
 *  Values    uniform: in [0, 1), multiples of 2^-24 (f32) or 2^-53 (f64). normal: mean 0, variance 1. bernoulli: bool, true with
 *            probability p.
 *  Errors    GN_EDTYPE if dtype is not floating or step not an integer; GN_EINVAL for p outside [0, 1] or an empty name.
 *            Gradient  none.
 *  Source    Philox4x32-10: J. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011. Normal: G. Box, M. Muller,
 *            1958. */
GN_API gn_expr *gn_uniform_at(gn_loc, gn_graph *, const char *name, gn_operand step, gn_dtype, const char *shape, ...)
    GN_PRINTF(6, 7);
GN_API gn_expr *gn_normal_at(gn_loc, gn_graph *, const char *name, gn_operand step, gn_dtype, const char *shape, ...)
    GN_PRINTF(6, 7);
GN_API gn_expr *gn_bernoulli_at(gn_loc, gn_graph *, const char *name, gn_operand step, double p, const char *shape, ...)
    GN_PRINTF(6, 7);
#define gn_uniform(g, name, step, dtype, ...) gn_uniform_at(GN_HERE, g, name, GN_OP(step), dtype, __VA_ARGS__)
#define gn_normal(g, name, step, dtype, ...) gn_normal_at(GN_HERE, g, name, GN_OP(step), dtype, __VA_ARGS__)
#define gn_bernoulli(g, name, step, p, ...) gn_bernoulli_at(GN_HERE, g, name, GN_OP(step), p, __VA_ARGS__)

/** x with each element set to 0 with probability p, the others divided by 1 - p; name and step as above. Recomputing gives the
 *  same mask. The step is an input or a variable that counts: a number gives every call the same mask (a lint).
 *  Errors    GN_EINVAL if the name, in its scope, was used with this step for another operand: both masks would be equal. A mask that is meant
 *            to be shared is made by gn_bernoulli and passed on.
 *  Gradient  g with the same mask.  Source  N. Srivastava et al., Dropout, JMLR 2014. */
GN_API gn_expr *gn_dropout_at(gn_loc, gn_expr *x, double p, const char *name, gn_operand step);
#define gn_dropout(x, p, name, step) gn_dropout_at(GN_HERE, x, p, name, GN_OP(step))

#ifdef __cplusplus
}
#endif
