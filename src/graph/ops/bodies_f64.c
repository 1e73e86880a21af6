/* The f64 bodies: as in bodies.c, with longer polynomials. */
#include "bodies.h"
#include "pow_signs.h"

/* The first part of ln 2 has 32 bits, so that its product with n is exact. */
#define EXP_POLYNOMIAL \
    "     (p (fma r 0x1.1f293d5baefc9p-29 0x1.af4f970cdf021p-26))" \
    "     (p (fma p r 0x1.27e5072c1945cp-22))" \
    "     (p (fma p r 0x1.71de0153c07fdp-19))" \
    "     (p (fma p r 0x1.a01a0194e1dbdp-16))" \
    "     (p (fma p r 0x1.a01a01ac35ba8p-13))" \
    "     (p (fma p r 0x1.6c16c16c1918ep-10))" \
    "     (p (fma p r 0x1.1111111110033p-7))" \
    "     (p (fma p r 0x1.5555555555551p-5))" \
    "     (p (fma p r 0x1.5555555555557p-3))" \
    "     (p (fma p r 0.5))"
#define LN2_REDUCTION \
    "     (t (fma z 0x1.71547652b82fep+0 6755399441055744))" \
    "     (n (sub t 6755399441055744))" \
    "     (r (fma n -0x1.a39ef35793c76p-33 (fma n -0x1.62e42feep-1 z)))"

const char gn_body_exp_f64[] =
    "(let (low (select (lt x -746) -746 x))"
    "     (z (select (lt 710 low) 710 low))"
    LN2_REDUCTION
    EXP_POLYNOMIAL
    "     (q (fma (mul r r) p r))"
    "  (ldexp (add 1 q) n))";

const char gn_body_expm1_f64[] =
    "(let (low (select (lt x -40) -40 x))"
    "     (z (select (lt 710 low) 710 low))"
    LN2_REDUCTION
    EXP_POLYNOMIAL
    "     (q (fma (mul r r) p r))"
    "     (s (bitcast f64 (shl (sub (bitcast i64 t) 4843621399236967426) 52)))"
    "     (y (fma s q (sub s 0.5)))"
    "  (select (lt (abs x) 0x1p-54) x (add y y)))";

/* log m = 2 s + s z R(z), s = f / (2 + f), z = s^2, arranged as f - (f^2/2 - s (f^2/2 + z R)) (K. C. Ng, fdlibm,
 * e_log.c). */
#define LOG_SERIES \
    "     (s (div f (add 2 f)))" \
    "     (z (mul s s))" \
    "     (p (fma z 0x1.2b7d1f2acdcf2p-3 0x1.39fb717ba2991p-3))" \
    "     (p (fma p z 0x1.7462caae06fefp-3))" \
    "     (p (fma p z 0x1.c71c629bb2a23p-3))" \
    "     (p (fma p z 0x1.2492492e25b5cp-2))" \
    "     (p (fma p z 0x1.9999999995184p-2))" \
    "     (p (fma p z 0x1.5555555555558p-1))" \
    "     (h (mul 0.5 (mul f f)))"

const char gn_body_log_f64[] =
    "(let (tiny (lt x 0x1p-1022))"
    "     (bits (bitcast i64 (select tiny (mul x 0x1p52) x)))"
    "     (e (shr (sub bits 4604544271217802189) 52))"
    "     (f (sub (bitcast f64 (sub bits (shl e 52))) 1))"
    "     (n (sub (cast f64 e) (select tiny 52 0)))"
    LOG_SERIES
    "     (y (fma s (fma z p h) (mul n 0x1.a39ef35793c76p-33)))"
    "     (y (sub (mul n 0x1.62e42feep-1) (sub (sub h y) f)))"
    "  (select (lt 0 x) (select (lt x inf) y x) (select (eq x 0) -inf nan)))";

/* What u = 1 + x lost is added as lost / m, for which 1 - f + f^2 is good enough a reciprocal. */
const char gn_body_log1p_f64[] =
    "(let (u (add 1 x))"
    "     (lost (select (lt 1 x) (sub 1 (sub u x)) (sub x (sub u 1))))"
    "     (bits (bitcast i64 u))"
    "     (e (shr (sub bits 4604544271217802189) 52))"
    "     (scale (bitcast f64 (shl (maximum (sub 1023 e) 1) 52)))"
    "     (f (sub (bitcast f64 (sub bits (shl e 52))) 1))"
    "     (n (cast f64 e))"
    "     (c (mul (mul lost scale) (fma f f (sub 1 f))))"
    LOG_SERIES
    "     (y (fma s (fma z p h) (fma n 0x1.a39ef35793c76p-33 c)))"
    "     (y (sub (mul n 0x1.62e42feep-1) (sub (sub h y) f)))"
    "     (y (select (lt (abs x) 0x1p-54) x y))"
    "  (select (lt -1 x) (select (lt x inf) y x) (select (eq x -1) -inf nan)))";

/* As in f32, with 26 bits, and with what rounding r lost. */
const char gn_body_tanh_f64[] =
    "(let (z (mul -2 (abs x)))"
    "     (z (select (lt z -39) -39 z))"
    LN2_REDUCTION
    EXP_POLYNOMIAL
    "     (s (bitcast f64 (shl (sub (bitcast i64 t) 4843621399236967425) 52)))"
    "     (a (mul s r))"
    "     (low (fma n -0x1.a39ef35793c76p-33 (sub (fma n -0x1.62e42feep-1 z) r)))"
    "     (b (mul s (fma (mul r r) p low)))"
    "     (d (add (add (add s 1) a) b))"
    "     (w (div 1 d))"
    "     (d1 (bitcast f64 (bit_and (bitcast i64 d) -134217728)))"
    "     (d2 (add (add (add (sub 1 d1) s) a) b))"
    "     (less (sub s 1))"
    "     (b (add b (sub s (add less 1))))"
    "     (y1 (bitcast f64 (bit_and (bitcast i64 (mul (add (add less a) b) w)) -134217728)))"
    "     (e (add (add (fma (neg y1) d1 less) a) b))"
    "     (e (fma (neg y1) d2 e))"
    "  (copysign (fma e w y1) x))";

const char gn_body_sigmoid_f64[] =
    "(let (z (neg (abs x)))"
    "     (z (select (lt z -746) -746 z))"
    LN2_REDUCTION
    EXP_POLYNOMIAL
    "     (v (mul (mul r r) p))"
    "     (s (bitcast f64 (shl (maximum (sub (bitcast i64 t) 4843621399236967425) 1) 52)))"
    "     (a (mul s r))"
    "     (c (mul s v))"
    "     (d (add (add (add 1 s) a) c))"
    "     (w (div 1 d))"
    "     (d1 (bitcast f64 (bit_and (bitcast i64 d) -134217728)))"
    "     (d2 (add (add (add (sub 1 d1) s) a) c))"
    "     (below (lt x 0))"
    "     (f (select below r 0))"
    "     (g (select below v 0))"
    "     (y1 (bitcast f64 (bit_and (bitcast i64 (mul (add 1 f) w)) -134217728)))"
    "     (e (fma (neg y1) d2 (add (add (fma (neg y1) d1 1) f) g)))"
    "  (ldexp (fma e w y1) (select below n 0)))";

const char gn_body_softplus_f64[] = "(add (select (lt x 0) 0 x) (log1p (exp (neg (abs x)))))";
const char gn_body_rsqrt_f64[] = "(div 1 (sqrt x))";

/* Below 1: x + x P(x^2). From 1 on: 1 - exp(-x^2) G((x - 2) / (x + 2)). */
const char gn_body_erf_f64[] =
    "(let (z (mul x x))"
    "     (p (fma z -0x1.0b15869110b96p-33 0x1.e45807f19fb9bp-31))"
    "     (p (fma p z -0x1.81ba130b6c87ap-29))"
    "     (p (fma p z 0x1.2d319827b9fb2p-28))"
    "     (p (fma p z 0x1.073b3da90680dp-27))"
    "     (p (fma p z -0x1.51edacc9319c2p-23))"
    "     (p (fma p z 0x1.b8d87dea6c4b3p-20))"
    "     (p (fma p z -0x1.f4c34f51bde0fp-17))"
    "     (p (fma p z 0x1.f9a28eff7551ap-14))"
    "     (p (fma p z -0x1.c02dafd7055c2p-11))"
    "     (p (fma p z 0x1.565bccfae7deep-8))"
    "     (p (fma p z -0x1.b82ce312159b3p-6))"
    "     (p (fma p z 0x1.ce2f21a0413cdp-4))"
    "     (p (fma p z -0x1.812746b0379c1p-2))"
    "     (p (fma p z 0x1.06eba8214db68p-3))"
    "     (near (fma x p x))"
    "     (m (abs x))"
    "     (t (select (lt 6 m) 6 m))"
    "     (q (div (sub t 2) (add t 2)))"
    "     (g (fma q -0x1.e90ffe57644b8p-22 0x1.2b3c39a62914fp-18))"
    "     (g (fma g q 0x1.e719b1bea5112p-20))"
    "     (g (fma g q -0x1.debd2d8cbcb42p-17))"
    "     (g (fma g q -0x1.cf207e955ca1p-16))"
    "     (g (fma g q 0x1.ce949ad725d77p-16))"
    "     (g (fma g q 0x1.6da815efc562dp-13))"
    "     (g (fma g q 0x1.6d5785840dd07p-15))"
    "     (g (fma g q -0x1.016b56723fc4ep-10))"
    "     (g (fma g q -0x1.bc25a00837063p-11))"
    "     (g (fma g q 0x1.ca95ed413456cp-8))"
    "     (g (fma g q 0x1.e9471592bd377p-9))"
    "     (g (fma g q -0x1.437f0b68bc00dp-4))"
    "     (g (fma g q 0x1.eeea7dc8a7a75p-3))"
    "     (g (fma g q -0x1.b57034efd3f88p-2))"
    "     (g (fma g q 0x1.058671b52c776p-2))"
    "     (far (copysign (sub 1 (mul g (exp (neg (mul t t))))) x))"
    "  (select (lt m 1) near far))";

/* As f32's, with u = 4.25 / (t + 2.125) and a derivative that fits from 0 to infinity. */
const char gn_body_erfc_f64[] =
    "(let (t (abs x))"
    "     (t (select (lt 27.3 t) 27.3 t))"
    "     (s (add t 2.125))"
    "     (e (sub t (sub s 2.125)))"
    "     (u (div 4.25 s))"
    "     (q (sub 1 u))"
    "     (p (fma q -0x1.a26fa73645ef7p-30 -0x1.26bb2a33f63ecp-28))"
    "     (p (fma p q 0x1.57a33b95d9bb2p-28))"
    "     (p (fma p q 0x1.086ebacdc28bep-25))"
    "     (p (fma p q 0x1.60fd779f75fc4p-26))"
    "     (p (fma p q -0x1.748393e602a14p-24))"
    "     (p (fma p q -0x1.b4119c9e1ea64p-23))"
    "     (p (fma p q -0x1.8136ed9206548p-27))"
    "     (p (fma p q 0x1.8c4659f5b5228p-21))"
    "     (p (fma p q 0x1.4bc3e0909ad71p-20))"
    "     (p (fma p q -0x1.21fd39851a151p-20))"
    "     (p (fma p q -0x1.cc13412fe677bp-18))"
    "     (p (fma p q -0x1.3d76da79f0166p-18))"
    "     (p (fma p q 0x1.b0199be7a736bp-16))"
    "     (p (fma p q 0x1.b6bb6aa322711p-15))"
    "     (p (fma p q -0x1.5a8b95104a464p-14))"
    "     (p (fma p q -0x1.6ff82bf424413p-12))"
    "     (p (fma p q 0x1.57edbb5b77a33p-12))"
    "     (p (fma p q 0x1.32903fbf1b4a1p-9))"
    "     (p (fma p q -0x1.c035f4d1791d2p-9))"
    "     (p (fma p q -0x1.055c1fe425ff6p-6))"
    "     (p (fma p q 0x1.3ad08623567d8p-4))"
    "     (p (fma p q -0x1.5b8fad28475bfp-3))"
    "     (p (fma p q 0x1.f0fd28fdc20abp-3))"
    "     (w (mul u p))"
    "     (h (bitcast f64 (bit_and (bitcast i64 t) -134217728)))"
    "     (low (fma (mul u (fma u -0.164 -0.235)) e (mul (sub h t) (add h t))))"
    "     (n (sub (fma (mul t t) -0x1.71547652b82fep+0 6755399441055744) 6755399441055744))"
    "     (r (add (fma n -0x1.62e42feep-1 (neg (mul h h))) (fma n -0x1.a39ef35793c76p-33 low)))"
    EXP_POLYNOMIAL
    "     (y (ldexp (fma (fma (mul r r) p r) w w) n))"
    "  (select (lt x 0) (sub 2 y) y))";

/* b log |a| in two words, then exp. A word that is multiplied exactly has 26 bits, the others masked off; with s =
 * (m - 1) / (m + 1), log m = 2/3 s (3 + s^2 + s^4 R(s^2)). Where b log |a| is far from 0, or a is 0 or infinite, one
 * word is enough. */
const char gn_body_pow_f64[] =
    "(let (x (abs a))"
    "     (tiny (lt x 0x1p-1022))"
    "     (bits (bitcast i64 (select tiny (mul x 0x1p54) x)))"
    "     (e (shr (sub bits 4604544271217802189) 52))"
    "     (m (bitcast f64 (sub bits (shl e 52))))"
    "     (n (sub (cast f64 e) (select tiny 54 0)))"
    "     (f (sub m 1))"
    "     (u (add m 1))"
    "     (u1 (bitcast f64 (bit_and (bitcast i64 u) -134217728)))"
    "     (u2 (sub m (sub u1 1)))"
    "     (s (div f u))"
    "     (s1 (bitcast f64 (bit_and (bitcast i64 s) -134217728)))"
    "     (s2 (div (sub (sub f (mul s1 u1)) (mul s1 u2)) u))"
    "     (z (mul s s))"
    "     (r (fma z 0x1.6a8b708ed57aep-3 0x1.675a05ef8bce3p-3))"
    "     (r (fma r z 0x1.99a821c941fb4p-3))"
    "     (r (fma r z 0x1.d89d4fd24132dp-3))"
    "     (r (fma r z 0x1.1745d1b5cab4cp-2))"
    "     (r (fma r z 0x1.555555550768ap-2))"
    "     (r (fma r z 0x1.b6db6db6db973p-2))"
    "     (r (fma r z 0x1.3333333333333p-1))"
    "     (q1 (mul s1 s1))"
    "     (q2 (add (mul s2 (add s1 s)) (mul (mul z z) r)))"
    "     (t (add 3 (add q1 q2)))"
    "     (t1 (bitcast f64 (bit_and (bitcast i64 t) -134217728)))"
    "     (t2 (sub q2 (sub (sub t1 3) q1)))"
    "     (v (mul s1 t1))"
    "     (w (add (mul s2 t1) (mul t2 s)))"
    "     (p (add v w))"
    "     (p1 (bitcast f64 (bit_and (bitcast i64 p) -134217728)))"
    "     (p2 (sub w (sub p1 v)))"
    "     (c1 (mul 0x1.555555p-1 p1))"
    "     (c2 (add (mul 0x1.5555555555555p-27 p1) (mul 0x1.5555555555555p-1 p2)))"
    "     (n1 (mul n 0x1.62e42feep-1))"
    "     (k (add c2 (mul n 0x1.a39ef35793c76p-33)))"
    "     (l (add n1 (add c1 k)))"
    "     (l1 (bitcast f64 (bit_and (bitcast i64 l) -134217728)))"
    "     (l2 (sub k (sub (sub l1 n1) c1)))"
    "     (l (select (lt x inf) (select (eq x 0) -inf l) x))"
    "     (b1 (bitcast f64 (bit_and (bitcast i64 b) -134217728)))"
    "     (g1 (mul b1 l1))"
    "     (g2 (add (mul b1 l2) (mul (sub b b1) l)))"
    "     (g (add g1 g2))"
    "     (rough (mul b l))"
    "     (close (lt (abs rough) 800))"
    "     (y (exp (select close g rough)))"
    "     (y (select (and close (lt y inf)) (fma y (sub g2 (sub g g1)) y) y))"
    GN_POW_SIGNS;
