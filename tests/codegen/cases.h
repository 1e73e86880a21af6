/* Kernels with schedules on which lowering, both interpreters and emitted code are judged. "@" stands for the lanes of
 * a target. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "folds.h"

typedef struct kernel_case {
    const char *name, *text;
    int64_t sizes[6][4];         /* per run, symbols in order; ends at the first run whose first is -1 */
    int64_t below;               /* elements of integer buffers are in [0, below) */
    double tolerance;            /* 0: 1e-5 of 1 + |value| */
    bool cuda;
} kernel_case;

#define END { -1 }

static const kernel_case kernel_cases[] = {
    { "question_under_a_condition", /* it reads memory, which lies outside where the condition does not hold */
      "(kernel question_under_a_condition (syms M) (bufs (T i32 M) (Y f32 M 8)) (axes (i M) (l 8))"
      " (store set Y (i l) (if (lt 0 i) (if (eq l (load T (add i -1))) 1.0 0.5) 0.25)))"
      "(schedule s (split l (ll 8)) (order i ll) (bind lane ll))",
      { { 9 }, { 1 }, { 0 }, END },
      8,
      0,
      false },
    { "chain",
      "(kernel chain (syms R C) (bufs (A f32 R C) (S f32 C) (B f32 R) (Y f32 R C)) (axes (i R) (j C))"
      " (store set Y (i j) (mul (tanh (add (mul (load A i j) (load S j)) (load B i))) (sigmoid (load A i j)))))"
      "(schedule s (split i ip (i1 4)) (split j j0 (ju 2) (jl @)) (order ip i1 j0 ju jl) (bind part ip) (bind unroll "
      "ju) (bind lane jl) (peel j0))",
      { { 5, 129 }, { 1, 1 }, { 0, 7 }, { 3, 0 }, { 4, 64 }, { -1 } },
      1,
      0,
      false },
    { "long_functions", /* several points of a tile are under way at once */
      "(kernel long_functions (syms N) (bufs (X f32 N) (Y f32 N) (Z f32 N)) (axes (i N)) (def a (i) (erfc (log (load X i))))"
      " (store set Y (i) (mul (erfc (sub (a i) (load X i))) (load X i))) (store set Z (i) (exp (a i))))"
      "(schedule s (split i i0 (iu 4) (il @)) (order i0 iu il) (bind unroll iu) (bind lane il) (peel i0))",
      { { 129 }, { 1 }, { 0 }, { 64 }, { 512 }, { -1 } },
      1,
      0,
      false },
    { "chain_tr16",
      "(kernel chain_tr16 (syms R C) (bufs (A f32 R C) (S f32 C) (T f32 C R) (Y f32 R C)) (axes (i R) (j C)) (def t (i "
      "j) (load T j i))"
      " (store set Y (i j) (mul (tanh (mul (load A i j) (load S j))) (t i j))))"
      "(schedule s (split i ip (ih 2) (i1 16)) (split j j0 (ju 2) (jl 16)) (order ip ih j0 i1 ju jl) (bind part ip) "
      "(bind unroll ju) (bind lane jl)"
      " (peel j0) (stage t stack (at j0) (layout i1 ju jl)) (tensorize t tr16 i1 jl))",
      { { 37, 45 }, { 1, 1 }, { 0, 3 }, { 32, 64 }, { -1 } },
      1,
      0,
      false },
    { "picked_twice", /* the same element read plainly and where a label says so: 0 elsewhere */
      "(kernel picked_twice (syms R C) (bufs (Z f32 R C) (T i32 R) (M f32 R) (P f32 R)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load Z i j))) (def p (i) (sum (j) (if (eq j (load T i)) (load Z i j) 0.0)))"
      " (store set M (i) (m i)) (store set P (i) (p i)))"
      "(schedule rows (split j j0 (ju 2) (jl @)) (order i j0 ju jl) (bind private ju) (bind lane jl) (peel j0))",
      { { 5, 67 }, { 1, 1 }, { 3, 64 }, { -1 } },
      1,
      0,
      false },
    { "one_load_two_ifs", /* a load that is 0 outside, and where it is a branch beside something else */
      "(kernel one_load_two_ifs (syms N) (bufs (y f64 N) (x f64 N) (out f64 N)) (axes (i N))"
      " (def p (i) (if (lt -1 (add i -3)) (load x i) 0.0)) (def q (i) (select (eq (mod (i64 (index i)) (i64 3)) 0) "
      "(load y i) (p i)))"
      " (store set out (i) (if (lt i 3) (p i) (add (if (lt i 5) (load x i) (q i)) (sin (q i))))))"
      "(schedule s (split i i0 (il @)) (order i0 il) (bind lane il))",
      { { 40 }, { 1 }, { 0 }, { 7 }, { -1 } },
      1,
      0,
      false },
    { "guarded_conditions", /* a condition that reads memory, under one that reads memory */
      "(kernel guarded_conditions (syms N) (bufs (at i64 N) (x f64 N) (y f64 N) (out f64 N)) (axes (i N))"
      " (def s (i) (if (lt (load at i) 2) (mul (load y i) 0.5) (if (and (lt -1 (add i -3)) (lt i N)) (load x i) 0.0)))"
      " (def t (i) (add (if (lt i 6) (s i) (s i)) (sin (load y i))))"
      " (def p (i) (if (and (lt -1 (add i -2)) (lt (add i -2) N)) (t (add i -2)) 0.0))"
      " (store set out (i) (add (if (eq (load at i) 1) (p i) (mul (p i) 2.0)) (p (load at i)))))"
      "(schedule s (split i i0 (il @)) (order i0 il) (bind lane il))",
      { { 40 }, { 5 }, { 0 }, { 16 }, { -1 } },
      5,
      0,
      false },
    { "row_functions", /* functions of one scalar per row, computed as vectors */
      "(kernel row_functions (syms R C) (bufs (X f32 R C) (W f32 C) (Y f32 R) (L f32) (G f32 R C)) (axes (i R) (j C))"
      " (def z (i) (sum (j) (mul (load X i j) (load W j)))) (def l () (sum (i) (sub (softplus (z i)) (mul (load Y i) "
      "(z i)))))"
      " (store set L () (l)) (store set G (i j) (mul (pow (sigmoid (z i)) (add 1 (exp (load Y i)))) (load X i j))))"
      "(schedule rows (split i ir (i1 8)) (split j j0 (jl @)) (order ir j0 i1 jl) (bind unroll i1) (bind lane jl))",
      { { 17, 35 }, { 1, 1 }, { 8, 16 }, { 0, 4 }, { -1 } },
      1,
      1e-4,
      false },
    { "gathered_transpose",
      "(kernel gathered_transpose (syms R C) (bufs (T f32 C R) (Y f32 R C)) (axes (i R) (j C))"
      " (store set Y (i j) (add (load T j i) (cast f32 j))))"
      "(schedule s (split j j0 (jl @)) (order i j0 jl) (bind part i) (bind lane jl))",
      { { 7, 37 }, { 1, 1 }, { -1 } },
      1,
      0,
      false },
    { "softmax",
      "(kernel softmax (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
      " (store set Y (i j) (mul (e i j) (div 1 (s i)))))"
      "(schedule rows (split i ip (ii 16)) (split j j0 (ju 4) (jl @)) (order ip ii j0 ju jl) (bind part ip) (bind "
      "private ju) (bind lane jl)"
      " (stage e scratch) (peel j0))",
      { { 37, 129 }, { 1, 1 }, { 0, 5 }, { 3, 77 }, { 2, 128 }, { -1 } },
      1,
      0,
      false },
    { "layernorm",
      "(kernel layernorm (syms R C) (bufs (X f32 R C) (G f32 C) (B f32 C) (Y f32 R C)) (axes (i R) (j C))"
      " (def mu (i) (sum (j) (load X i j))) (def d (i j) (sub (load X i j) (div (mu i) (cast f32 (index C)))))"
      " (def var (i) (sum (j) (mul (d i j) (d i j))))"
      " (store set Y (i j) (add (mul (mul (d i j) (rsqrt (add (div (var i) (cast f32 (index C))) 0.00001))) (load G "
      "j)) (load B j))))"
      "(schedule s (split i ip (ii 8)) (split j j0 (ju 4) (jl @)) (order ip ii j0 ju jl) (bind part ip) (bind private "
      "ju) (bind lane jl) (peel j0))",
      { { 9, 129 }, { 2, 5 }, { -1 } },
      1,
      1e-4,
      false },
    { "gemm",
      "(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (bias f32 N) (C f32 M N) (DB f32 N)) (axes (i M) (j N) "
      "(k K))"
      " (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (def h (i j) (tanh (add (acc i "
      "j) (load bias j))))"
      " (def db (j) (sum (i) (h i j))) (store set C (i j) (h i j)) (store set DB (j) (db j)))"
      "(schedule big (split i ip (ir 3) (i1 6)) (split j jr (ju 2) (jl @)) (order ip jr p ir k i1 ju jl) (bind part "
      "ip) (bind unroll i1 ju)"
      " (bind lane jl) (unroll k 4) (stage b arena (at root) (layout jr k ju jl)) (rfactor db ip dbp p) (stage dbp "
      "arena))",
      { { 37, 45, 19 }, { 1, 1, 1 }, { 6, 32, 4 }, { 0, 3, 3 }, { 3, 3, 0 }, { -1 } },
      1,
      1e-4,
      false },
    { "gemm_bt",
      "(kernel gemm_bt (syms M N K) (bufs (A f32 M K) (B f32 N K) (C f32 M N)) (axes (i M) (j N) (k K) (q K))"
      " (def b (q j) (load B j q)) (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (store set C (i j) (acc i j)))"
      "(schedule big (split q q0 (q1 16)) (split i ip (ir 3) (i1 6)) (split j jr (ju 2) (jl 16)) (order ip jr ir k q0 "
      "q1 i1 ju jl) (bind part ip)"
      " (bind unroll i1 ju) (bind lane jl) (stage b arena (at root) (layout jr q0 q1 ju jl)) (tensorize b tr16 q1 jl))",
      { { 19, 45, 37 }, { 1, 1, 1 }, { -1 } },
      1,
      1e-4,
      false },
    { "gemm_ksplit",
      "(kernel gemm_ksplit (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
      " (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (store set C (i j) (add (acc i "
      "j) 1)))"
      "(schedule ks (split k k0 (k1 8)) (split i ip (ir 3) (i1 4)) (split j jr (ju 2) (jl @)) (order ip k0 jr ir k1 i1 "
      "ju jl) (bind part ip)"
      " (bind unroll i1 ju) (bind lane jl) (rfactor acc k0 accp) (stage acc scratch (layout jr ir i1 ju jl)) (stage b "
      "arena (at root) (layout jr k0 k1 ju jl)))",
      { { 19, 45, 37 }, { 1, 1, 1 }, { -1 } },
      1,
      1e-4,
      false },
    { "conv",
      "(kernel conv (syms B H W C O) (bufs (X f32 B H W C) (Wt f32 3 3 C O) (Y f32 B H W O))"
      " (axes (n B) (y H) (x W) (o O) (ky 3) (kx 3) (c C) (yy (add H 2)) (xx (add W 2)) (cc C))"
      " (def xp (n yy xx cc) (if (and (lt 0 yy) (lt yy (add H 1)) (lt 0 xx) (lt xx (add W 1))) (load X n (sub yy 1) "
      "(sub xx 1) cc) 0))"
      " (def w (ky kx c o) (load Wt ky kx c o)) (def acc (n y x o) (sum (ky kx c) (mul (xp n (add y ky) (add x kx) c) "
      "(w ky kx c o))))"
      " (store set Y (n y x o) (acc n y x o)))"
      "(schedule direct (split x x0 (x1 4)) (split o oo (ou 2) (ol @)) (split cc c0 (cl @)) (order n yy xx c0 oo y x0 "
      "ky kx c cl x1 ou ol)"
      " (bind part n) (bind unroll x1 ou) (bind lane ol cl) (unroll c 2) (stage xp scratch (at n) (layout yy xx c0 cl))"
      " (stage w arena (at root) (layout oo ky kx c ou ol)))",
      { { 2, 5, 6, 3 }, { 1, 1, 1, 1 }, { -1 } },
      1,
      1e-4,
      false },
    { "attention_rows",
      "(kernel attention_rows (syms B T (D :is 20)) (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))"
      " (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))"
      " (def kt (h c2 j2) (load Kx h j2 c2)) (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j)))) (def sv (h i j) "
      "(mul 0.125 (s h i j)))"
      " (def m (h i) (max (j) (sv h i j))) (def p (h i j) (exp (sub (sv h i j) (m h i)))) (def l (h i) (sum (j) (p h i "
      "j)))"
      " (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e)))) (store set O (h i e) (div (o h i e) (l h i))))"
      "(schedule rowblock (split i ir (i1 3)) (split j j0 (ju 2) (jl 16)) (split jj jq) (split e (eu 2) (el 16)) "
      "(split j2 jp (jv 2) (jm 16)) (split c2 c0 (c1 16))"
      " (order h jp c0 ir j0 jq c i1 ju jl c1 jv jm eu el) (bind part h) (bind unroll i1 ju eu jv) (bind lane jl el "
      "jm) (peel j0 jq)"
      " (stage kt scratch (at h) (layout jp c0 c1 jv jm)) (tensorize kt tr16 c1 jm)"
      " (stage sv scratch (layout i1 j0 ju jl)) (stage p scratch (layout i1 j0 ju jl)))",
      { { 2, 37, 20 }, { 1, 1, 20 }, { 1, 64, 20 }, { -1 } },
      1,
      1e-4,
      false },
    { "attention_online",
      "(kernel attention_online (syms B T (D :is 20)) (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))"
      " (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))"
      " (def kt (h c2 j2) (load Kx h j2 c2)) (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j)))) (def sv (h i j) "
      "(mul 0.125 (s h i j)))"
      " (def m (h i) (max (j) (sv h i j))) (def p (h i j) (exp (sub (sv h i j) (m h i)))) (def l (h i) (sum (j) (p h i "
      "j)))"
      " (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e)))) (store set O (h i e) (div (o h i e) (l h i))))"
      "(schedule flash (split i ir (i1 3)) (split j j0 (ju 2) (jl 16)) (split jj j0 (jq 32)) (split e (eu 2) (el 16)) "
      "(split j2 jp (jv 2) (jm 16)) (split c2 c0 (c1 16))"
      " (order h jp c0 ir j0 jq c i1 ju jl c1 jv jm eu el) (bind part h) (bind unroll i1 ju eu jv) (bind lane jl el "
      "jm) (peel j0 jq)"
      " (stage kt scratch (at h) (layout jp c0 c1 jv jm)) (tensorize kt tr16 c1 jm)"
      " (stage sv reg) (stage p stack (layout i1 ju jl)) (rfactor m j0 mb) (online m j0))",
      { { 2, 37, 20 }, { 1, 1, 20 }, { 1, 70, 20 }, { -1 } },
      1,
      1e-4,
      false },
    { "nbody",
      "(kernel nbody (syms N) (bufs (X f32 3 N) (W f32 N) (A f32 3 N)) (axes (i N) (j N))"
      " (def dx (i j) (sub (load X 0 j) (load X 0 i))) (def dy (i j) (sub (load X 1 j) (load X 1 i))) (def dz (i j) "
      "(sub (load X 2 j) (load X 2 i)))"
      " (def r (i j) (rsqrt (add (mul (dx i j) (dx i j)) (add (mul (dy i j) (dy i j)) (add (mul (dz i j) (dz i j)) "
      "0.01)))))"
      " (def f (i j) (mul (load W j) (mul (r i j) (mul (r i j) (r i j)))))"
      " (def ax (i) (sum (j) (mul (f i j) (dx i j)))) (def ay (i) (sum (j) (mul (f i j) (dy i j)))) (def az (i) (sum "
      "(j) (mul (f i j) (dz i j))))"
      " (store set A (0 i) (ax i)) (store set A (1 i) (ay i)) (store set A (2 i) (az i)))"
      "(schedule s (split i ip (i0 2) (iu 2) (il @)) (order ip i0 j iu il) (bind part ip) (bind unroll iu) (bind lane "
      "il))",
      { { 45 }, { 1 }, { 0 }, { -1 } },
      1,
      1e-3,
      false },
    { "scatter",
      "(kernel scatter (syms E D V) (bufs (S i32 E) (T i32 E) (W f32 E) (X f32 V D) (Y f32 V D)) (axes (e E) (d D))"
      " (store add Y ((load T e) d) (mul (load W e) (load X (load S e) d))))"
      "(schedule s (split d dp (du 2) (dl @)) (order dp e du dl) (bind part dp) (bind unroll du) (bind lane dl))",
      { { 50, 70, 9 }, { 3, 1, 9 }, { 0, 5, 9 }, { -1 } },
      9,
      0,
      false },
    { "total",
      "(kernel total (syms N) (bufs (X f32 N) (Y f32 1)) (axes (i N) (z 1)) (def t () (sum (i) (load X i))) (store set "
      "Y (0) (t)))"
      "(schedule s (split i ip (i0 4) (iu 2) (il @)) (order ip i0 q z iu il) (bind part ip) (bind private iu) (bind "
      "lane il) (peel i0)"
      " (rfactor t ip tp q) (stage tp arena))",
      { { 1000 }, { 1 }, { 0 }, { 64 }, { -1 } },
      1,
      1e-4,
      false },
    { "mixed_widths",
      "(kernel mixed_widths (syms n) (bufs (X f32 n) (D f64 n) (T i32 n) (Y f64 n) (Z i64 n) (B bool n) (U u32 n)) "
      "(axes (i n))"
      " (def q (i) (add (cast f64 (load X i)) (mul (load D i) (f64 2))))"
      " (store set Y (i) (select (lt (load X i) 0) (q i) (neg (q i))))"
      " (store set Z (i) (add (cast i64 (load T i)) i)) (store set B (i) (and (lt (load X i) 0.5) (lt (load T i) 3)))"
      " (store set U (i) (cast u32 (mul 3 (abs (load X i))))))"
      "(schedule s (split i i0 (il @)) (order i0 il) (bind part i0) (bind lane il))",
      { { 37 }, { 1 }, { 0 }, { 64 }, { -1 } },
      7,
      0,
      false },
    { "lane_row_max",
      "(kernel lane_row_max (syms R C) (bufs (X f32 R C) (V f32 R) (I i64 R)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load X i j))) (def a (i) (min (j) (select (eq (load X i j) (m i)) j (index C))))"
      " (store set V (i) (m i)) (store set I (i) (a i)))"
      "(schedule s (split j j0 (jl @)) (order i j0 jl) (bind part i) (bind lane jl))",
      { { 3, 37 }, { 2, 1 }, { -1 } },
      1,
      0,
      false },
    { "any_all",
      "(kernel any_all (syms R C) (bufs (X f32 R C) (P bool R) (Q bool R)) (axes (i R) (j C))"
      " (def some (i) (any (j) (lt 0.9 (load X i j)))) (def every (i) (all (j) (lt (load X i j) 0.9)))"
      " (store set P (i) (some i)) (store set Q (i) (every i)))"
      "(schedule s (split j j0 (ju 2) (jl @)) (order i j0 ju jl) (bind part i) (bind private ju) (bind lane jl))",
      { { 9, 37 }, { 2, 1 }, { 2, 0 }, { -1 } },
      1,
      0,
      false },
    { "picked",
      "(kernel picked (syms R C) (bufs (Z f32 R C) (T i32 R) (L f32 R) (G f32 R C)) (axes (i R) (j C))"
      " (def hit (i) (sum (j) (if (eq j (load T i)) (load Z i j) 0)))"
      " (store set L (i) (hit i)) (store set G (i j) (if (eq j (load T i)) 1 (load Z i j))))"
      "(schedule s (split j j0 (ju 2) (jl @)) (order i j0 ju jl) (bind part i) (bind private ju) (bind lane jl))",
      { { 5, 37 }, { 3, 9 }, { -1 } },
      9,
      0,
      false },
    { "reshaped",
      "(kernel reshaped (syms n) (bufs (X f32 n 6) (Y f32 n 2 3) (Z f32 (mul 6 n))) (axes (i (mul 6 n)))"
      " (store set Y ((div i 6) (mod (div i 3) 2) (mod i 3)) (load X (div i 6) (mod i 6))) (store set Z (i) (load X "
      "(div i 6) (sub 5 (mod i 6)))))"
      "(schedule s (split i i0 (il @)) (order i0 il) (bind part i0) (bind lane il))",
      { { 7 }, { 1 }, { 0 }, { -1 } },
      1,
      0,
      false },
    { "constant_shape",
      "(kernel constant_shape (syms) (bufs (X f32 10) (W f32 10 5) (Y f32 5) (S f32 5)) (axes (i 10) (j 5))"
      " (def y (j) (sum (i) (mul (load X i) (load W i j)))) (def m () (max (j) (y j))) (def e (j) (exp (sub (y j) "
      "(m))))"
      " (def s () (sum (j) (e j))) (store set Y (j) (y j)) (store set S (j) (div (e j) (s))))"
      "(schedule s (split j (jl 16)) (order i jl) (bind lane jl) (unroll i 2))",
      { { 0 }, { -1 } },
      1,
      0,
      false },
    { "other_axis_in_lanes",
      "(kernel other_axis_in_lanes (syms) (bufs (X f32 7) (W f32 7 7) (Y f32 7) (Z f32 7)) (axes (i 7) (j 7) (k 7))"
      " (def t (i) (exp (load X i))) (def s (j) (sum (i) (mul (t i) (load W i j)))) (store set Y (j) (s j)) (store set "
      "Z (k) (mul 2 (t k))))"
      "(schedule s (split j (jl 8)) (split k (kl 8)) (order i jl kl) (bind lane jl kl) (stage t stack))",
      { { 0 }, { -1 } },
      1,
      0,
      false },
    { "doubles",
      "(kernel doubles (syms n m) (bufs (X f64 n m) (Y f64 n)) (axes (i n) (j m)) (def s (i) (sum (j) (exp (load X i "
      "j)))) (store set Y (i) (log (s i))))"
      "(schedule s (split j j0 (ju 2) (jl @)) (order i j0 ju jl) (bind part i) (bind private ju) (bind lane jl) (peel "
      "j0))",
      { { 3, 37 }, { 1, 1 }, { -1 } },
      1,
      1e-12,
      false },
    { "fold_argmax",
      FOLD_ARGMAX("fold_argmax") "(schedule s (split j j0 (ju 3) (jl @)) (order i j0 ju jl) (bind part i) (bind private ju)"
                                 " (bind lane jl) (peel j0))",
      { { 9, 133, 1 }, { 2, 1, 1 }, { 3, 48, 1 }, { 2, 0, 1 }, { -1 } },
      1,
      0,
      false },
    { "fold_variance",
      FOLD_VARIANCE("fold_variance") "(schedule s (split j j0 (ju 2) (jl @)) (order i j0 ju jl) (bind part i) (bind private ju)"
                                     " (bind lane jl))",
      { { 9, 133, 1 }, { 2, 1, 1 }, { 3, 64, 1 }, { 2, 0, 1 }, { -1 } },
      1,
      0,
      false },
    { "fold_by_parts",
      FOLD_VARIANCE("fold_by_parts") "(schedule s (split j jp (j0 5) (jl @)) (order jp i j0 q jl) (bind part jp) (bind lane jl)"
                                     " (rfactor w jp wp q) (stage wp arena) (stage w arena))",
      { { 9, 233, 1 }, { 2, 1, 1 }, { 3, 64, 1 }, { 2, 0, 1 }, { -1 } },
      1,
      0,
      false },
    { "fold_of_rows_in_lanes",
      FOLD_LOGSUMEXP("fold_of_rows_in_lanes") "(schedule s (split i ip (iu 4) (il @)) (split j j0 (j1 3)) (order ip j0 j1 iu il)"
                                              " (bind part ip) (bind unroll iu j1) (bind lane il))",
      { { 133, 9, 1 }, { 1, 2, 1 }, { 64, 33, 1 }, { 2, 1, 1 }, { -1 } },
      1,
      0,
      false },
    { "fold_split_sum",
      FOLD_SPLIT_SUM("fold_split_sum") "(schedule s (split k k0 (kl @)) (split j j0 (ju 3)) (order i j0 k0 ju kl) (bind part i)"
                                       " (bind private ju) (bind lane kl))",
      { { 5, 9, 37 }, { 1, 1, 1 }, { 2, 0, 5 }, { -1 } },
      1,
      1e-6,
      false },
    { "fold_exchange", /* each value becomes another one of the state */
      "(kernel fold_exchange (syms M N) (bufs (X f32 M N) (Y f32 M) (Z f32 M)) (axes (i M) (j N))"
      " (def s (i) (fold (j) (a f32 1) (b f32 2) (c f32 3) (step b (add c (load X i j)) a) (merge a b c)))"
      " (store set Y (i) (s.a i)) (store set Z (i) (s.b i)))"
      "(schedule s (split i i0 (iu 2) (il @)) (order i0 j iu il) (bind part i0) (bind unroll iu) (bind lane il))",
      { { 37, 4 }, { 3, 1 }, { 3, 0 }, { 64, 11 }, { -1 } },
      1,
      0,
      false },
    { "fold_running_sum",
      FOLD_RUNNING_SUM("fold_running_sum") "(schedule s (split i ip (iu 2) (il @)) (split j j0 (j1 4))"
                                           " (order ip j0 j1 iu il) (bind part ip) (bind unroll iu) (bind lane il)"
                                           " (stage c scratch (layout j0 j1 iu il)))",
      { { 37, 19, 1 }, { 1, 1, 1 }, { 64, 33, 1 }, { 3, 0, 1 }, { -1 } },
      1,
      0,
      false },
    { "fold_running_place",
      FOLD_RUNNING_PLACE("fold_running_place") "(schedule s (split i ip (iu 3)) (split k k0 (k1 5)) (order j ip k0 k1 iu)"
                                               " (bind unroll iu) (stage s arena) (stage c stack))",
      { { 20, 9, 1 }, { 1, 1, 1 }, { 0, 4, 1 }, { -1 } },
      1,
      0,
      false },
    { "scanned_lanes",
      FOLD_RUNNING_SUM("scanned_lanes") "(schedule s (split i ip (i1 3)) (split j j0 (ju 3) (jl @)) (order ip i1 j0 ju jl)"
                                        " (bind part ip) (bind private ju) (bind lane jl) (peel j0) (stage c scratch))",
      { { 5, 131, 1 }, { 1, 1, 1 }, { 0, 7, 1 }, { 3, 0, 1 }, { 4, 96, 1 }, { -1 } },
      1,
      0,
      false },
    { "scanned_chunks", /* of a state of two values and of one, beside a reduction along the same axis */
      "(kernel scanned_chunks (syms N M) (bufs (X f64 N M) (A i64 N M) (V f64 N M) (P f64 N M)) (axes (j N) (i M))"
      " (def s (j i) (fold (j) (at i64 -1) (v f64 -inf) (step (select (gt (load X j i) v) (i64 j) at) (maximum v (load X j i)))"
      " (merge (select (gt (other v) v) (other at) at) (maximum v (other v)))))"
      " (def p (j i) (sum (j) (mul (load X j i) (load X j i))))"
      " (store set A (j i) (s.at j i)) (store set V (j i) (s.v j i)) (store set P (j i) (p j i)))"
      "(schedule s (split j jp (j0 3) (ju 2)) (split i i0 (il 8)) (order jp i0 q r j0 ju il) (bind part jp)"
      " (bind private ju) (bind lane il) (rfactor s jp t q) (rfactor p jp pt r) (stage t arena) (stage pt arena))",
      { { 29, 11 }, { 1, 1 }, { 0, 3 }, { 6, 8 }, { 47, 1 }, { -1 } },
      1,
      0,
      false },
    { "scanned_masks", /* lanes of bool, and rows of a triangle */
      "(kernel scanned_masks (syms N) (bufs (X f32 N N) (B bool N N) (C bool N N)) (axes (i N) (j (add i 1)))"
      " (def a (i j) (any (j) (lt (load X i j) (f32 -0.5)))) (def b (i j) (all (j) (lt (load X i j) (f32 0.25))))"
      " (store set B (i j) (a i j)) (store set C (i j) (b i j)))"
      "(schedule s (split j j0 (ju 2) (jl @)) (order i j0 ju jl) (bind part i) (bind private ju) (bind lane jl))",
      { { 45 }, { 1 }, { 0 }, { 32 }, { -1 } },
      1,
      0,
      false },
    { "scanned_in_order", /* unrolled points alone */
      FOLD_RUNNING_SUM("scanned_in_order") "(schedule s (split j j0 (ju 5)) (order i j0 ju) (bind unroll ju) (stage c arena))",
      { { 5, 13, 1 }, { 1, 1, 1 }, { 3, 0, 1 }, { -1 } },
      1,
      0,
      false },
    { "cuda_scanned_threads",
      "(kernel cuda_scanned_threads (syms M N) (bufs (X f32 M N) (Y f32 M N) (Z f32 M)) (axes (i M) (j N))"
      " (def c (i j) (sum (j) (load X i j))) (def t (i) (max (j) (c i j)))"
      " (store set Y (i j) (c i j)) (store set Z (i) (t i)))"
      "(schedule s (split j j0 (jt 24) (ju 2)) (order i j0 jt ju) (bind block i) (bind thread jt) (bind private ju))",
      { { 5, 131 }, { 1, 1 }, { 3, 0 }, { 2, 96 }, { -1 } },
      1,
      0,
      true },
    { "cuda_scanned_chunks",
      "(kernel cuda_scanned_chunks (syms N) (bufs (X f64 N) (A i32 N) (V f64 N)) (axes (j N))"
      " (def s (j) (fold (j) (at i32 -1) (v f64 -inf) (step (select (gt (load X j) v) j at) (maximum v (load X j)))"
      " (merge (select (gt (other v) v) (other at) at) (maximum v (other v)))))"
      " (store set A (j) (s.at j)) (store set V (j) (s.v j)))"
      "(schedule s (split j jp (j0 2) (jt 32)) (order jp q j0 jt) (bind block jp) (bind thread jt) (rfactor s jp t q)"
      " (stage t arena))",
      { { 300 }, { 1 }, { 0 }, { 64 }, { -1 } },
      1,
      0,
      true },
    { "cuda_merged_in_the_arena", /* all threads write the same there, and each reads it without a barrier */
      "(kernel cuda_merged_in_the_arena (syms M N K) (bufs (X f32 M N K) (Y f32 M) (Z f32 M N)) (axes (i M) (j N) (k K))"
      " (def t (i) (sum (j k) (load X i j k))) (store set Y (i) (t i)) (store set Z (i j) (mul (t i) j)))"
      "(schedule s (split i i0 (i1 3)) (split j j0 (j3 4)) (order j3 j0 i0 k i1) (bind private i1) (bind thread j3)"
      " (stage t arena))",
      { { 2, 2, 5 }, { 7, 9, 3 }, { -1 } },
      1,
      0,
      true },
    { "cuda_fold_running_sum",
      FOLD_RUNNING_SUM("cuda_fold_running_sum") "(schedule s (split i ib (it 32)) (order ib it j) (bind block ib) (bind thread it)"
                                                " (stage c arena))",
      { { 37, 19, 1 }, { 1, 1, 1 }, { 64, 33, 1 }, { -1 } },
      1,
      0,
      true },
    { "fold_of_four_dtypes",
      FOLD_EXTREMES("fold_of_four_dtypes") "(schedule s (split j j0 (ju 2) (jl 2)) (order i j0 ju jl) (bind part i)"
                                           " (bind private ju) (bind lane jl))",
      { { 19, 1, 1 }, { 1, 1, 1 }, { 0, 1, 1 }, { -1 } },
      1,
      1e-12,
      false },
    { "fold_of_scalar_points",
      FOLD_EXTREMES("fold_of_scalar_points") "(schedule s (split i i0 (iu 3)) (split j j0 (ju 5)) (order i0 j0 iu ju)"
                                             " (bind part i0) (bind private ju) (bind unroll iu) (stage s stack))",
      { { 19, 1, 1 }, { 1, 1, 1 }, { 0, 1, 1 }, { -1 } },
      1,
      1e-12,
      false },
    { "cuda_fold_argmax",
      FOLD_ARGMAX("cuda_fold_argmax") "(schedule s (split j j0 (jt 48)) (order i jt j0) (bind block i) (bind thread jt))",
      { { 3, 129, 1 }, { 1, 1, 1 }, { 2, 64, 1 }, { 0, 4, 1 }, { 3, 0, 1 }, { -1 } },
      1,
      0,
      true },
    { "cuda_fold_by_blocks",
      FOLD_LOGSUMEXP("cuda_fold_by_blocks") "(schedule s (split j jp (j0 3) (ju 2) (jt 8)) (order jp i jt j0 q ju)"
                                            " (bind block jp) (bind thread jt) (bind private ju) (rfactor s jp sp q)"
                                            " (stage sp arena))",
      { { 3, 129, 1 }, { 1, 1, 1 }, { 2, 64, 1 }, { 0, 4, 1 }, { -1 } },
      1,
      1e-4,
      true },
    { "cuda_fold_in_a_loop", /* the threads merge again and again in the same memory */
      FOLD_LOGSUMEXP("cuda_fold_in_a_loop") "(schedule s (split i ib (i1 3) (iu 2)) (split j j0 (jt 33)) (order ib i1 jt j0 iu)"
                                            " (bind block ib) (bind thread jt) (bind unroll iu))",
      { { 13, 129, 1 }, { 1, 1, 1 }, { 2, 64, 1 }, { -1 } },
      1,
      0,
      true },
    { "cuda_softmax",
      "(kernel cuda_softmax (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
      " (store set Y (i j) (mul (e i j) (div 1 (s i)))))"
      "(schedule s (split j j0 (jt 64)) (order i jt j0) (bind block i) (bind thread jt))",
      { { 3, 129 }, { 1, 1 }, { 2, 64 }, { 0, 4 }, { -1 } },
      1,
      0,
      true },
    { "cuda_softmax_registers",
      "(kernel cuda_softmax_registers (syms R (C :is 150)) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
      " (store set Y (i j) (mul (e i j) (div 1 (s i)))))"
      "(schedule s (split j j0 (jt 64)) (order i jt j0) (bind block i) (bind thread jt) (bind unroll j0) (stage e "
      "reg))",
      { { 3, 150 }, { -1 } },
      1,
      0,
      true },
    { "partial_results_of_nothing", /* the loop of j1 runs where j has no points, too */
      "(kernel partial_results_of_nothing (syms M N) (bufs (X f32 N M) (Y f32 M)) (axes (i M) (j N))"
      " (def s (i) (sum (j) (load X j i))) (store set Y (i) (s i)))"
      "(schedule s (split i i0 (i1 5)) (split j j0 (j1 1) (j2 1)) (order j1 i1 i0 j0 j2) (bind private j2)"
      " (rfactor s j1 p) (stage p arena) (stage s scratch))",
      { { 17, 0 }, { 17, 9 }, { 1, 1 }, { -1 } },
      1,
      0,
      false },
    { "a_loop_named_as_registers_are", /* j1 counts the partial results in registers, and is the loop of a copy */
      "(kernel a_loop_named_as_registers_are (syms M N K) (bufs (A f32 M K) (B f32 N K) (Y f32 M))"
      " (axes (i M) (j N) (k K)) (def b (j k) (load B j k))"
      " (def s (i j) (sum (k) (mul (load A i k) (b j k)))) (def h (i j) (mul 2 (s i j)))"
      " (def r (i) (max (j) (h i j))) (store set Y (i) (r i)))"
      "(schedule s (split j j0 (j1 5)) (split k k0 (k2 5)) (order i j0 k0 j1 k2) (bind private j1) (bind unroll k2)"
      " (peel k0) (stage b arena) (stage s arena) (stage h arena))",
      { { 4, 13, 12 }, { 1, 1, 1 }, { 2, 10, 15 }, { -1 } },
      1,
      0,
      false },
    { "cuda_copy_past_the_end", /* h is whole tiles of j, the sums end with j */
      "(kernel cuda_copy_past_the_end (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
      " (def acc (i j) (sum (k) (mul (load A i k) (load B k j)))) (def h (i j) (add (acc i j) 1))"
      " (store set C (i j) (h i j)))"
      "(schedule s (split i i0 (i1 2)) (split j j0 (j1 2)) (order i0 k j0 j1 i1) (bind private i1)"
      " (stage acc arena) (stage h shared (at j0)))",
      { { 3, 1, 4 }, { 1, 3, 1 }, { 4, 4, 2 }, { -1 } },
      1,
      0,
      true },
    { "cuda_online_beside_threads", /* each thread keeps the running maximum, and corrects the sum */
      "(kernel cuda_online_beside_threads (syms M N) (bufs (X f32 M N) (L f32 M) (Y f32 M 20)) (axes (i M) (j N) (e "
      "20))"
      " (def m (i) (max (j) (load X i j))) (def l (i) (sum (j) (exp (sub (load X i j) (m i)))))"
      " (store set L (i) (l i)) (store set Y (i e) (cast f32 e)))"
      "(schedule s (split e e0 (e1 16)) (order i j e1 e0) (bind thread e1) (online m j))",
      { { 6, 5 }, { 1, 1 }, { 3, 20 }, { -1 } },
      1,
      0,
      true },
    { "cuda_gemm",
      "(kernel cuda_gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (bias f32 N) (C f32 M N)) (axes (i M) (j N) (k K))"
      " (def a (i k) (load A i k)) (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (a i k) (b k j))))"
      " (store set C (i j) (tanh (add (acc i j) (load bias j)))))"
      "(schedule g (split i ib (iv 2) (it 4) (iu 2)) (split j jb (jv 2) (jt 8) (ju 2)) (split k k0 (k1 4)) (order ib "
      "jb it jt k0 k1 iv iu jv ju)"
      " (bind block ib jb) (bind thread it jt) (bind unroll iv iu jv ju) (unroll k1 4)"
      " (stage a shared (at k0) (layout k1 iv it iu) (pad iv 4) (copy iv it iu k1)) (stage b shared (at k0) (layout k1 "
      "jv jt ju)))",
      { { 17, 45, 9 }, { 1, 1, 1 }, { 16, 32, 8 }, { -1 } },
      1,
      1e-4,
      true },
    { "cuda_mma",
      "(kernel cuda_mma (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
      " (def a (i k) (load A i k)) (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (a i k) (b k j)))) (store "
      "set C (i j) (acc i j)))"
      "(schedule mma (split i ib (iw 2) (ia 1) (ir 2) (mg 8)) (split j jb (jw 2) (jm 2) (mt 4) (jr 2)) (split k k0 (k2 "
      "2) (kt 8))"
      " (order ib jb iw jw mg mt k0 k2 kt ia ir jm jr) (bind block ib jb) (bind thread iw jw mg mt) (bind unroll ia ir "
      "jm jr) (bind tile kt)"
      " (stage a shared (at k0) (layout k2 kt iw ia ir mg) (pad iw 8) (copy iw ia ir mg k2 kt))"
      " (stage b shared (at k0) (layout k2 kt jw jm mt jr) (pad jw 8)) (tensorize acc mma_m16n8k8_tf32 (ir mg) (mt jr) "
      "(kt)))",
      { { 35, 45, 19 }, { 1, 1, 1 }, { -1 } },
      1,
      1e-4,
      true },
    { "cuda_mma_plain",
      "(kernel cuda_mma_plain (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
      " (def acc (i j) (sum (k) (mul (load A i k) (load B k j)))) (store set C (i j) (acc i j)))"
      "(schedule mma (split i ib (iw 2) (ir 2) (mg 8)) (split j jb (mt 4) (jr 2)) (split k k0 (kt 8))"
      " (order ib jb iw mg mt k0 kt ir jr) (bind block ib jb) (bind thread iw mg mt) (bind unroll ir jr) (bind tile kt)"
      " (tensorize acc mma_m16n8k8_tf32 (ir mg) (mt jr) (kt)))",
      { { 35, 13, 19 }, { 1, 1, 1 }, { -1 } },
      1,
      1e-4,
      true },
    { "cuda_mma_once", /* all of k is one tile: no loop stands between where the sums start and what reads them */
      "(kernel cuda_mma_once (syms M N) (bufs (A f32 M 8) (B f32 8 N) (C f32 M N)) (axes (i M) (j N) (k 8))"
      " (def acc (i j) (sum (k) (mul (load A i k) (load B k j)))) (store set C (i j) (acc i j)))"
      "(schedule mma (split i ib (iw 2) (ir 2) (mg 8)) (split j jb (mt 4) (jr 2)) (split k (kt 8))"
      " (order ib jb iw mg mt kt ir jr) (bind block ib jb) (bind thread iw mg mt) (bind unroll ir jr) (bind tile kt)"
      " (tensorize acc mma_m16n8k8_tf32 (ir mg) (mt jr) (kt)))",
      { { 35, 13 }, { 1, 1 }, { -1 } },
      1,
      1e-4,
      true },
    { "fused_map", /* a row of any length in whole vectors, but for the last */
      "(kernel fused_map (syms M N) (bufs (X f32 M N) (B f32 N) (Y f32 M N) (Z f32 N M)) (axes (i M) (j N))"
      " (def a (i j) (mul 2 (add (load X i j) (load B j)))) (store set Y (i j) (a i j)) (store set Z (j i) (a i j)))"
      "(schedule s (fuse i j -> c) (split c cp (c0 2) (cu 2) (cl @)) (order cp c0 cu cl) (bind part cp)"
      " (bind unroll cu) (bind lane cl) (peel c0) (stage a stack))",
      { { 5, 67 }, { 1, 1 }, { 0, 3 }, { 3, 0 }, { 64, 16 }, { -1 } },
      1,
      0,
      false },
    { "padding", /* of an image, gone from the inner loops */
      "(kernel padding (syms N C H W) (bufs (X f32 N C H W) (K f32 C 3 3) (Y f32 N C H W))"
      " (axes (n N) (c C) (y H) (x W) (p 3) (q 3))"
      " (def s (n c y x) (sum (p q) (mul (load K c p q) (if (and (lt 0 (add y p)) (lt (add y p) (add H 1))"
      " (lt 0 (add x q)) (lt (add x q) (add W 1))) (load X n c (add y p -1) (add x q -1)) 0))))"
      " (store set Y (n c y x) (s n c y x)))"
      "(schedule s (split x x0 (xl @)) (order n c y x0 p q xl) (bind part n) (bind lane xl) (peel y x0))",
      { { 2, 3, 5, 37 }, { 1, 1, 1, 1 }, { 1, 1, 2, 33 }, { 1, 2, 0, 16 }, { 1, 1, 3, 16 }, { -1 } },
      1,
      1e-5,
      false },
    { "padding_of_taps", /* the short loops are cut, several rows and vectors at once */
      "(kernel padding_of_taps (syms N C H W) (bufs (X f32 N C H W) (K f32 C 3 3) (Y f32 N C H W))"
      " (axes (n N) (c C) (y H) (x W) (p 3) (q 3))"
      " (def s (n c y x) (sum (p q) (mul (load K c p q) (if (and (lt 0 (add y p)) (lt (add y p) (add H 1))"
      " (lt 0 (add x q)) (lt (add x q) (add W 1))) (load X n c (add y p -1) (add x q -1)) 0))))"
      " (store set Y (n c y x) (s n c y x)))"
      "(schedule s (split x x0 (xu 2) (xl @)) (split y y0 (yu 3)) (order n c y0 x0 p q yu xu xl) (bind part n)"
      " (bind unroll yu xu) (bind lane xl) (peel y0 x0 p q))",
      { { 2, 3, 7, 69 }, { 1, 1, 1, 1 }, { 1, 1, 2, 33 }, { 1, 2, 0, 16 }, { 1, 1, 3, 32 }, { -1 } },
      1,
      1e-5,
      false },
    { "triangle_of_rows", /* j <= i as a condition: nothing is loaded behind it */
      "(kernel triangle_of_rows (syms M N) (bufs (A f32 M N) (Y f32 M)) (axes (i M) (j N))"
      " (def s (i) (sum (j) (if (lt j (add i 1)) (load A i j) 0.5))) (store set Y (i) (s i)))"
      "(schedule s (split i ip (iu 2)) (split j j0 (ju 2) (jl @)) (order ip j0 iu ju jl) (bind part ip) (bind unroll iu)"
      " (bind private ju) (bind lane jl) (peel j0))",
      { { 37, 41 }, { 1, 1 }, { 70, 35 }, { 0, 3 }, { 3, 0 }, { -1 } },
      1,
      1e-5,
      false },
    { "fused_convolution", /* image points along the lanes, taps and channels as one sum */
      "(kernel fused_convolution (syms N C H W) (bufs (X f32 N C H W) (K f32 2 C 3 3) (Y f32 N 2 H W))"
      " (axes (n N) (o 2) (y H) (x W) (c C) (p 3) (q 3))"
      " (def s (n o y x) (sum (c p q) (mul (load K o c p q) (if (and (lt 0 (add y p)) (lt (add y p) (add H 1))"
      " (lt 0 (add x q)) (lt (add x q) (add W 1))) (load X n c (add y p -1) (add x q -1)) 0))))"
      " (store set Y (n o y x) (s n o y x)))"
      "(schedule s (fuse c p q -> k) (fuse y x -> z) (split z z0 (zl @)) (split k k0 (ku 2)) (order n z0 k0 o ku zl)"
      " (bind part n) (bind unroll o ku) (bind lane zl))",
      { { 2, 3, 5, 7 }, { 1, 1, 1, 1 }, { 1, 0, 4, 4 }, { 1, 2, 0, 4 }, { 2, 2, 8, 0 }, { -1 } },
      1,
      1e-4,
      false },
    { "fused_sum", /* of all points, in parts */
      "(kernel fused_sum (syms M N K) (bufs (X f32 M N K) (Y f32 N) (Z f32)) (axes (i M) (j N) (k K) (a M) (b N) (c K))"
      " (def s (j) (sum (i k) (load X i j k))) (def t () (max (a b c) (load X a b c)))"
      " (store set Y (j) (s j)) (store set Z () (t)))"
      "(schedule s (fuse i k -> f) (fuse c b a -> g) (split f fp (f0 3) (fl @)) (split g gp (g0 3) (gl @))"
      " (order fp gp j p r f0 g0 fl gl) (bind part fp gp) (bind lane fl gl) (rfactor s fp sp p) (stage sp arena)"
      " (rfactor t gp tp r) (stage tp arena))",
      { { 5, 3, 11 }, { 1, 1, 1 }, { 0, 3, 2 }, { 3, 2, 0 }, { 9, 2, 16 }, { -1 } },
      1,
      1e-4,
      false },
    { "cuda_fused", /* a block walks rows and columns together, its threads what is summed */
      "(kernel cuda_fused (syms M N K) (bufs (X f32 M N) (W f32 M N K 3) (Y f32 M N)) (axes (i M) (j N) (k K) (q 3))"
      " (def s (i j) (sum (k q) (mul (load X i j) (load W i j k q)))) (store set Y (i j) (s i j)))"
      "(schedule s (fuse i j -> c) (fuse q k -> r) (split r r0 (rt 32)) (order c r0 rt) (bind block c)"
      " (bind thread rt))",
      { { 3, 5, 23 }, { 1, 1, 1 }, { 2, 0, 4 }, { 2, 2, 0 }, { -1 } },
      1,
      1e-4,
      true },
    { "cuda_fused_map",
      "(kernel cuda_fused_map (syms M N) (bufs (X f32 M N) (B f32 N) (Y f32 N M)) (axes (i M) (j N))"
      " (store set Y (j i) (mul (load X i j) (load B j))))"
      "(schedule s (fuse j i -> c) (split c cb (cu 2) (ct 32)) (order cb ct cu) (bind block cb) (bind thread ct)"
      " (bind unroll cu))",
      { { 17, 23 }, { 1, 1 }, { 2, 0 }, { 0, 2 }, { -1 } },
      1,
      0,
      true },
};
enum { NCASES = sizeof kernel_cases / sizeof *kernel_cases };
