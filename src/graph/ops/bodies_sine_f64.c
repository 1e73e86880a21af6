/* Sine and cosine of f64, for every finite number (M. Payne and R. Hanek, Radian reduction for trigonometric
 * functions, 1983).
 *
 * x 2/pi = n + t. 2/pi is a row of chunks of 26 bits, here as whole numbers. A chunk whose product with x is a
 * multiple of 4, four quadrants, does not matter: six comparisons of |x| drop 32, 16, .. 1 of the first chunks and
 * scale x to match; 8 chunks from there on decide everything, since no double is closer to a multiple of pi/2 than
 * 2^-62 of a quadrant. x has two words of 26 and 27 bits, so the products are exact; they are added largest first
 * with what each sum rounds off (D. Knuth, The Art of Computer Programming 2, 4.2.2, theorem B) in e. */
#include "bodies.h"

#define QUADRANT_F64 \
    "(let (v x) (far (le 0x1p886 (abs v))) (v (select far (mul v 0x1p-832) v)) (c0 (select far 28629499 42722829))" \
    "     (c1 (select far 15891632 48555073)) (c2 (select far 40752081 21659401)) (c3 (select far 37709470 56087029))" \
    "     (c4 (select far 25143477 13858563)) (c5 (select far 55737260 28715353)) (c6 (select far 33225084 38736100))" \
    "     (c7 (select far 24853767 4324945)) (c8 (select far 15195689 26128250)) (c9 (select far 19476134 62674459))" \
    "     (c10 (select far 50255852 29957006)) (c11 (select far 18845021 37899730)) (c12 (select far 2185228 58726692))" \
    "     (far (le 0x1p470 (abs v))) (v (select far (mul v 0x1p-416) v)) (c0 (select far 46442140 c0))" \
    "     (c1 (select far 65964067 c1)) (c2 (select far 24988590 c2)) (c3 (select far 54822121 c3))" \
    "     (c4 (select far 41009306 c4)) (c5 (select far 54917092 c5)) (c6 (select far 5137525 c6))" \
    "     (c7 (select far 37323603 c7)) (c8 (select far 15192690 c8)) (c9 (select far 4585659 c9))" \
    "     (c10 (select far 58608142 c10)) (c11 (select far 52426903 c11)) (c12 (select far 67074070 c12))" \
    "     (c13 (select far 25231090 49193117)) (c14 (select far 63202006 6588223)) (c15 (select far 34237727 35515164))" \
    "     (c16 (select far 28629499 46442140)) (c17 (select far 15891632 65964067)) (c18 (select far 40752081 24988590))" \
    "     (c19 (select far 37709470 54822121)) (c20 (select far 25143477 41009306)) (c21 (select far 55737260 54917092))" \
    "     (c22 (select far 33225084 5137525)) (far (le 0x1p262 (abs v))) (v (select far (mul v 0x1p-208) v))" \
    "     (c0 (select far c8 c0)) (c1 (select far c9 c1)) (c2 (select far c10 c2)) (c3 (select far c11 c3))" \
    "     (c4 (select far c12 c4)) (c5 (select far c13 c5)) (c6 (select far c14 c6)) (c7 (select far c15 c7))" \
    "     (c8 (select far c16 c8)) (c9 (select far c17 c9)) (c10 (select far c18 c10)) (c11 (select far c19 c11))" \
    "     (c12 (select far c20 c12)) (c13 (select far c21 c13)) (c14 (select far c22 c14)) (far (le 0x1p158 (abs v)))" \
    "     (v (select far (mul v 0x1p-104) v)) (c0 (select far c4 c0)) (c1 (select far c5 c1)) (c2 (select far c6 c2))" \
    "     (c3 (select far c7 c3)) (c4 (select far c8 c4)) (c5 (select far c9 c5)) (c6 (select far c10 c6))" \
    "     (c7 (select far c11 c7)) (c8 (select far c12 c8)) (c9 (select far c13 c9)) (c10 (select far c14 c10))" \
    "     (far (le 0x1p106 (abs v))) (v (select far (mul v 0x1p-52) v)) (c0 (select far c2 c0)) (c1 (select far c3 c1))" \
    "     (c2 (select far c4 c2)) (c3 (select far c5 c3)) (c4 (select far c6 c4)) (c5 (select far c7 c5))" \
    "     (c6 (select far c8 c6)) (c7 (select far c9 c7)) (c8 (select far c10 c8)) (far (le 0x1p80 (abs v)))" \
    "     (v (select far (mul v 0x1p-26) v)) (c0 (select far c1 c0)) (c1 (select far c2 c1)) (c2 (select far c3 c2))" \
    "     (c3 (select far c4 c3)) (c4 (select far c5 c4)) (c5 (select far c6 c5)) (c6 (select far c7 c6))" \
    "     (c7 (select far c8 c7)) (h (bitcast f64 (bit_and (bitcast i64 v) -134217728))) (l (sub v h))" \
    "     (h0 (mul (mul h 0x1p-26) c0)) (h0 (sub h0 (mul 4 (round (mul 0.25 h0))))) (l0 (mul (mul l 0x1p-26) c0))" \
    "     (l0 (sub l0 (mul 4 (round (mul 0.25 l0))))) (h1 (mul (mul h 0x1p-52) c1))" \
    "     (h1 (sub h1 (mul 4 (round (mul 0.25 h1))))) (l1 (mul (mul l 0x1p-52) c1))" \
    "     (l1 (sub l1 (mul 4 (round (mul 0.25 l1))))) (h2 (mul (mul h 0x1p-78) c2))" \
    "     (h2 (sub h2 (mul 4 (round (mul 0.25 h2))))) (l2 (mul (mul l 0x1p-78) c2))" \
    "     (l2 (sub l2 (mul 4 (round (mul 0.25 l2))))) (h3 (mul (mul h 0x1p-104) c3))" \
    "     (h3 (sub h3 (mul 4 (round (mul 0.25 h3))))) (l3 (mul (mul l 0x1p-104) c3)) (h4 (mul (mul h 0x1p-130) c4))" \
    "     (l4 (mul (mul l 0x1p-130) c4)) (h5 (mul (mul h 0x1p-156) c5)) (l5 (mul (mul l 0x1p-156) c5))" \
    "     (h6 (mul (mul h 0x1p-182) c6)) (l6 (mul (mul l 0x1p-182) c6)) (h7 (mul (mul h 0x1p-208) c7))" \
    "     (n (round (add (add (add (add (add (add h0 l0) h1) l1) h2) l2) h3))) (s (sub h0 n)) (u (add s l0)) (w (sub u s))" \
    "     (e (add (sub s (sub u w)) (sub l0 w))) (s u) (u (add s h1)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h1 w)))) (s u) (u (add s l1)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub l1 w)))) (s u) (u (add s h2)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h2 w)))) (s u) (u (add s l2)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub l2 w)))) (s u) (u (add s h3)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h3 w)))) (s u) (u (add s l3)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub l3 w)))) (s u) (u (add s h4)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h4 w)))) (s u) (u (add s l4)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub l4 w)))) (s u) (u (add s h5)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h5 w)))) (s u) (u (add s l5)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub l5 w)))) (s u) (u (add s h6)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h6 w)))) (s u) (u (add s l6)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub l6 w)))) (s u) (u (add s h7)) (w (sub u s))" \
    "     (e (add e (add (sub s (sub u w)) (sub h7 w)))) (s u) (t (add s e)) (e (sub e (sub t s)))" \
    "     (t1 (bitcast f64 (bit_and (bitcast i64 t) -134217728))) (a (mul t1 0x1.921fb5p+0))" \
    "     (b (add (mul t1 0x1.110b4611a6263p-26) (mul (add (sub t t1) e) 0x1.921fb54442d18p+0))) (r (add a b))" \
    "     (low (sub b (sub r a)))"

/* sin r or cos r for r + low in [-pi/4, pi/4]. Bit 0 of the quadrant n picks one, bit 1 the sign. */
#define SINE_F64 \
    "     (z (mul r r))" \
    "     (s (fma z -0x1.8db7ffbf2a8b1p-41 0x1.60e688531e815p-33))" \
    "     (s (fma s z -0x1.ae63f901c27d5p-26))" \
    "     (s (fma s z 0x1.71de3a10d8acdp-19))" \
    "     (s (fma s z -0x1.a01a019fe8decp-13))" \
    "     (s (fma s z 0x1.111111111101fp-7))" \
    "     (s (fma s z -0x1.5555555555555p-3))" \
    "     (s (add r (fma (mul r z) s (mul low (fma z -0.5 1)))))" \
    "     (c (fma z 0x1.35b95c8410d8bp-45 -0x1.92a8707a2002ap-37))" \
    "     (c (fma c z 0x1.1eecd782f50e3p-29))" \
    "     (c (fma c z -0x1.27e4faefdabf1p-22))" \
    "     (c (fma c z 0x1.a01a019fb852fp-16))" \
    "     (c (fma c z -0x1.6c16c16c16a34p-10))" \
    "     (c (fma c z 0x1.5555555555555p-5))" \
    "     (half (mul 0.5 z))" \
    "     (one (sub 1 half))" \
    "     (c (add one (add (sub (sub 1 one) half) (sub (mul (mul z z) c) (mul r low)))))" \
    "     (h (floor (mul 0.5 n)))" \
    "     (y (select (lt (mul 2 h) n) c s))" \
    "     (q (mul 0.5 h))" \
    "     (y (select (lt (floor q) q) (neg y) y))"

const char gn_body_sin_f64[] =
    QUADRANT_F64
    SINE_F64
    "  (select (lt (abs x) 0x1p-26) x y))";

const char gn_body_cos_f64[] =
    QUADRANT_F64
    "     (n (add n 1))"
    SINE_F64
    "  y)";
