/* Bodies of math functions: kernel-expression text per dtype, which every target, interpreter and export expands where
 * it has no instruction. Form: docs/kernel-text.md, "Bodies". Worst errors: docs/math.md, measured by bench/ulp.
 *
 * Rules that all of them keep: right at 0 (with its sign), infinities and NaN; subnormal arguments and results are
 * kept; a clamp is written
 * `(select (lt x low) low x)`, which keeps NaN; no step needs fma to be exact, only better, for targets without it
 * spell mul and add. */
#pragma once

#define GN_BODIES(X)                                                                                                   \
    X(exp) X(expm1) X(log) X(log1p) X(sin) X(cos) X(tanh) X(sigmoid) X(softplus) X(erf) X(erfc) X(pow) X(rsqrt)

#define GN_BODY(name) extern const char gn_body_##name##_f32[], gn_body_##name##_f64[];
GN_BODIES(GN_BODY)
#undef GN_BODY
