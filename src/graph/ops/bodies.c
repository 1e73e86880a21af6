/* The f32 bodies. Polynomials are minimax fits (Sollya's fpminimax, relative error) on the reduced range; the
 * reductions are those of W. Cody and W. Waite, Software Manual for the Elementary Functions, 1980, unless a comment
 * says otherwise. f64: bodies_f64.c. */
#include "bodies.h"
#include "pow_signs.h"

/* x = n ln 2 + r. Adding 1.5 * 2^23 rounds x / ln 2 to the integer n and leaves n in the low bits of the sum. The
 * product of n and the first part of ln 2 (9 bits) is exact. */
const char gn_body_exp_f32[] =
    "(let (low (select (lt x -104) -104 x))"
    "     (z (select (lt 89 low) 89 low))"
    "     (t (fma z 1.44269504 12582912))"
    "     (n (sub t 12582912))"
    "     (r (fma n 2.12194440e-4 (fma n -0.693359375 z)))"
    "     (p (fma r 0x1.6cad1cp-10 0x1.120c86p-7))"
    "     (p (fma p r 0x1.55556ap-5))"
    "     (p (fma p r 0x1.5554dcp-3))"
    "     (p (fma p r 0.5))"
    "  (ldexp (add 1 (fma (mul r r) p r)) n))";

/* exp(x) - 1 = 2^n (exp(r) - 1) + (2^n - 1), with half of 2^n, which does not overflow. */
const char gn_body_expm1_f32[] =
    "(let (low (select (lt x -18) -18 x))"
    "     (z (select (lt 89 low) 89 low))"
    "     (t (fma z 1.44269504 12582912))"
    "     (n (sub t 12582912))"
    "     (r (fma n 2.12194440e-4 (fma n -0.693359375 z)))"
    "     (p (fma r 0x1.a26768p-13 0x1.6d30cep-10))"
    "     (p (fma p r 0x1.110ff2p-7))"
    "     (p (fma p r 0x1.5555p-5))"
    "     (p (fma p r 0x1.555556p-3))"
    "     (p (fma p r 0.5))"
    "     (q (fma (mul r r) p r))"
    "     (s (bitcast f32 (shl (sub (bitcast i32 t) 1262485378) 23)))"
    "     (y (fma s q (sub s 0.5)))"
    "  (select (lt (abs x) 0x1p-25) x (add y y)))";

/* Of log and log1p: n ln 2 + log(1 + f), f - f^2/2 + f^3 P(f) / Q(f). */
#define LOG_SERIES \
    "     (p (fma f 0x1.af83c8p-9 0x1.e643a2p-2))" \
    "     (p (fma p f 0x1.647e88p-1))" \
    "     (p (div p (fma (add f 0x1.7ee014p+1) f 0x1.0b5ee2p+1)))" \
    "     (z (mul f f))" \
    "     (y (fma z (fma p f -0.5) (mul n -2.12194440e-4)))" \
    "     (y (fma n 0.693359375 (add f y)))"

/* x = 2^e m, m in [sqrt(1/2), sqrt(2)); log m = f - f^2/2 + f^3 Q(f), f = m - 1. */
const char gn_body_log_f32[] =
    "(let (tiny (lt x 0x1p-126))"
    "     (bits (bitcast i32 (select tiny (mul x 8388608) x)))"
    "     (e (shr (sub bits 1060439283) 23))"
    "     (f (sub (bitcast f32 (sub bits (shl e 23))) 1))"
    "     (n (sub (cast f32 e) (select tiny 23 0)))"
    LOG_SERIES
    "  (select (lt 0 x) (select (lt x inf) y x) (select (eq x 0) -inf nan)))";

/* log(u) for u = 1 + x rounded, with what the rounding lost added to f (K. C. Ng, fdlibm, s_log1p.c). */
const char gn_body_log1p_f32[] =
    "(let (u (add 1 x))"
    "     (lost (select (lt 1 x) (sub 1 (sub u x)) (sub x (sub u 1))))"
    "     (bits (bitcast i32 u))"
    "     (e (shr (sub bits 1060439283) 23))"
    "     (scale (bitcast f32 (shl (maximum (sub 127 e) 1) 23)))"
    "     (f (fma lost scale (sub (bitcast f32 (sub bits (shl e 23))) 1)))"
    "     (n (cast f32 e))"
    LOG_SERIES
    "     (y (select (lt (abs x) 0x1p-25) x y))"
    "  (select (lt -1 x) (select (lt x inf) y x) (select (eq x -1) -inf nan)))";

/* m = |x|. Below 0.65: m + m^3 P(m^2). From there on (d - 2) / d, d = exp(2 m) + 1 = s q + (s + 1), s = 2^n, rounded
 * once; d - 2 is exact up to 2^25, from where on 1 - 2^-24 is nearest, then 1. The exponent of s is in the low bits of
 * t. */
const char gn_body_tanh_f32[] =
    "(let (m (abs x))"
    "     (z (mul m m))"
    "     (p (fma z -0x1.696b9cp-8 0x1.4f5dap-6))"
    "     (p (fma p z -0x1.b7cfbap-5))"
    "     (p (fma p z 0x1.1103fp-3))"
    "     (p (fma p z -0x1.555524p-2))"
    "     (near (fma m (mul z p) m))"
    "     (z (select (lt 8.66 m) 8.66 m))"
    "     (t (fma z 2.88539008 12583039))"
    "     (n (sub t 12583039))"
    "     (r (fma n 1.06097220e-4 (fma n -0.3466796875 z)))"
    "     (p (fma r 0x1.6d585ep-4 0x1.123e54p-2))"
    "     (p (fma p r 0x1.5554dep-1))"
    "     (p (fma p r 0x1.55548ap0))"
    "     (p (fma p r 2))"
    "     (p (fma p r 2))"
    "     (s (bitcast f32 (shl (bitcast i32 t) 23)))"
    "     (d (fma (mul s r) p (add s 1)))"
    "     (far (select (lt 9.01 m) 1 (div (sub d 2) d)))"
    "  (copysign (select (lt m 0.65) near far) x))";

/* 1 / (1 + e), or 1 minus it, e = exp(|x|) = (1 + q) / s, s = 2^-n: s w, w = 1 / d, d = s + 1 + q, where q = a + v is
 * not rounded and v is small. y, 6 bits of w, has exact products with s and with a (if |x| is not small, where that
 * matters), and w mends it by what y d lacks of 1. b = 2^64 s, which is never subnormal. */
const char gn_body_sigmoid_f32[] =
    "(let (z (abs x))"
    "     (z (select (lt 104 z) 104 z))"
    "     (t (fma z -1.44269504 12583103))"
    "     (n (sub t 12583103))"
    "     (a (fma n 0.693359375 z))"
    "     (c (mul n -2.12194440e-4))"
    "     (r (add a c))"
    "     (p (fma r 0x1.6cad1cp-10 0x1.120c86p-7))"
    "     (p (fma p r 0x1.55556ap-5))"
    "     (p (fma p r 0x1.5554dcp-3))"
    "     (p (fma p r 0.5))"
    "     (v (fma (mul r r) p c))"
    "     (b (bitcast f32 (shl (bitcast i32 t) 23)))"
    "     (s (mul b 0x1p-64))"
    "     (w (div 1 (add (add (add s 1) a) v)))"
    "     (y (bitcast f32 (bit_and (bitcast i32 w) -262144)))"
    "     (e (fma (neg y) v (fma (neg y) a (fma (neg y) s (sub 1 y)))))"
    "     (y (mul (mul (fma e w y) b) 0x1p-64))"
    "  (select (lt x 0) y (sub 1 y)))";

/* max(x, 0) + log(1 + exp(-|x|)) */
const char gn_body_softplus_f32[] =
    "(add (select (lt x 0) 0 x) (log1p (exp (neg (abs x)))))";

const char gn_body_rsqrt_f32[] = "(div 1 (sqrt x))";

/* Sine and cosine: x 2/pi = n + r in f64, for every finite float. 2/pi is cut into chunks of 28 bits, whose products
 * with the 24 bits of x are exact; multiples of 4, four quadrants, are taken from each product before they are
 * added, largest first (M. Payne and R. Hanek, Radian reduction for trigonometric functions, 1983, with floats for
 * digits). Bit 0 of the quadrant n picks sine or cosine, bit 1 the sign. */
#define QUADRANT_F32 \
    "(let (v (cast f64 x))" \
    "     (a (mul v 0x1.45f306cp-1)) (a (sub a (mul 4 (round (mul 0.25 a)))))" \
    "     (b (mul v 0x1.c9c882ap-29)) (b (sub b (mul 4 (round (mul 0.25 b)))))" \
    "     (c (mul v 0x1.4fe13a8p-59)) (c (sub c (mul 4 (round (mul 0.25 c)))))" \
    "     (d (mul v 0x1.f47d4dp-86)) (d (sub d (mul 4 (round (mul 0.25 d)))))" \
    "     (e (mul v 0x1.bb81b6cp-113)) (e (sub e (mul 4 (round (mul 0.25 e)))))" \
    "     (f (mul v 0x1.4acc9ep-143))" \
    "     (g (mul v 0x1.0e4107cp-170))" \
    "     (n (round (add (add (add (add a b) c) d) e)))" \
    "     (r (add (add (add (add (add (add (sub a n) b) c) d) e) f) g))" \
    "     (r (mul r 0x1.921fb54442d18p+0))"
#define SINE_F32 \
    "     (z (mul r r))" \
    "     (s (fma z 0x1.6dbc2dcdb226fp-19 -0x1.a013a0c2fe0ffp-13))" \
    "     (s (fma s z 0x1.11110de8e8c48p-7))" \
    "     (s (fma s z -0x1.555555545a9dbp-3))" \
    "     (s (fma (mul r z) s r))" \
    "     (c (fma z 0x1.9bd71609facb4p-16 -0x1.6c12cf3a1ec72p-10))" \
    "     (c (fma c z 0x1.5555543f35483p-5))" \
    "     (c (fma (mul z z) c (fma z -0.5 1)))" \
    "     (h (floor (mul 0.5 n)))" \
    "     (y (select (lt (mul 2 h) n) c s))" \
    "     (q (mul 0.5 h))" \
    "     (y (select (lt (floor q) q) (neg y) y))"

const char gn_body_sin_f32[] =
    QUADRANT_F32
    SINE_F32
    "  (select (lt (abs x) 0x1p-13) x (cast f32 y)))";

/* The cosine is the sine one quadrant on. */
const char gn_body_cos_f32[] =
    QUADRANT_F32
    "     (n (add n 1))"
    SINE_F32
    "  (cast f32 y))";

/* Below 1: x + x P(x^2). From 1 on: 1 - exp(Q(|x|)), Q a fit of log(1 - erf). */
const char gn_body_erf_f32[] =
    "(let (z (mul x x))"
    "     (p (fma z -0x1.12339ep-14 0x1.536cecp-12))"
    "     (p (fma p z -0x1.326364p-10))"
    "     (p (fma p z 0x1.666f26p-8))"
    "     (p (fma p z -0x1.b9db28p-6))"
    "     (p (fma p z 0x1.ce4648p-4))"
    "     (p (fma p z -0x1.8127d4p-2))"
    "     (p (fma p z 0x1.06ebbp-3))"
    "     (near (fma x p x))"
    "     (m (abs x))"
    "     (t (select (lt 4 m) 4 m))"
    "     (q (fma t 0x1.ada56cp-20 -0x1.7c208cp-15))"
    "     (q (fma q t 0x1.35852ap-11))"
    "     (q (fma q t -0x1.35e3d2p-8))"
    "     (q (fma q t 0x1.af655ep-6))"
    "     (q (fma q t -0x1.c236a8p-4))"
    "     (q (fma q t -0x1.43965ap-1))"
    "     (q (fma q t -0x1.214fd6p0))"
    "     (q (fma q t 0x1.329572p-12))"
    "     (far (copysign (sub 1 (exp q)) x))"
    "  (select (lt m 1) near far))";

/* e^(-t^2) Q / ((b t + c) Q + P), t = |x|: what 1 / (e^(t^2) erfc t) has beyond its line b t + c is P / Q, which fades.
 * All coefficients are positive, so nothing cancels, and the errors of Q are above and below the line. (For quotients see
 * W. J. Cody, Rational Chebyshev approximations for the error function, 1969.) Of -t^2, -h^2 is exact for h, the first
 * half of t; the rest joins what exp leaves to its polynomial. */
const char gn_body_erfc_f32[] =
    "(let (t (abs x))"
    "     (t (select (lt 10.1 t) 10.1 t))"
    "     (p (fma t 0x1.bbdb3cp-1 0x1.9301fcp+2))"
    "     (p (fma p t 0x1.215ba4p+4))"
    "     (p (fma p t 0x1.e74c2ep+4))"
    "     (d (fma (add t 0x1.bf4676p+2) t 0x1.64e10ep+4))"
    "     (d (fma d t 0x1.2e0a0cp+5))"
    "     (d (fma d t 0x1.e7c33p+4))"
    "     (w (div d (fma (fma t 0x1.c5be24p+0 0x1.f3ad9cp-11) d p)))"
    "     (h (bitcast f32 (bit_and (bitcast i32 t) -4096)))"
    "     (n (sub (fma (mul t t) -1.44269504 12582912) 12582912))"
    "     (r (add (fma n -0.693359375 (neg (mul h h))) (fma n 2.12194440e-4 (mul (sub h t) (add h t)))))"
    "     (p (fma r 0x1.6cad1cp-10 0x1.120c86p-7))"
    "     (p (fma p r 0x1.55556ap-5))"
    "     (p (fma p r 0x1.5554dcp-3))"
    "     (p (fma p r 0.5))"
    "     (y (ldexp (fma (fma (mul r r) p r) w w) n))"
    "  (select (lt x 0) (sub 2 y) y))";

/* exp(b log |a|) in f64. */
const char gn_body_pow_f32[] =
    "(let (y (cast f32 (exp (mul (cast f64 b) (log (cast f64 (abs a)))))))"
    GN_POW_SIGNS;
