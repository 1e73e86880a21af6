/* The worked examples of docs/kernel-text.md whose trees and sources are kept in golden/. */
#pragma once
#include "folds.h"

typedef struct golden_text {
    const char *name, *target, *text;
} golden_text;

static const golden_text golden_texts[] = {
    { "softmax", "avx512",
      "(kernel softmax (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
      " (store set Y (i j) (mul (e i j) (div 1 (s i)))))"
      "(schedule rows (split i ip (ii 16)) (split j j0 (ju 4) (jl 16)) (order ip ii j0 ju jl) (bind part ip) (bind "
      "private ju) (bind lane jl)"
      " (stage e scratch) (peel j0))" },
    { "gemm", "avx512",
      "(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (bias f32 N) (C f32 M N) (DB f32 N)) (axes (i M) (j N) "
      "(k K))"
      " (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (def h (i j) (tanh (add (acc i "
      "j) (load bias j))))"
      " (def db (j) (sum (i) (h i j))) (store set C (i j) (h i j)) (store set DB (j) (db j)))"
      "(schedule big (split i ip (ir 42) (i1 6)) (split j jr (ju 4) (jl 16)) (order ip jr p ir k i1 ju jl) (bind part "
      "ip) (bind unroll i1 ju)"
      " (bind lane jl) (unroll k 4) (stage b arena (at root) (layout jr k ju jl)) (rfactor db ip dbp p) (stage dbp "
      "arena))" },
    { "padding", "avx512",
      "(kernel padding (syms N C H W) (bufs (X f32 N C H W) (K f32 C 3 3) (Y f32 N C H W))"
      " (axes (n N) (c C) (y H) (x W) (p 3) (q 3))"
      " (def s (n c y x) (sum (p q) (mul (load K c p q) (if (and (lt 0 (add y p)) (lt (add y p) (add H 1))"
      " (lt 0 (add x q)) (lt (add x q) (add W 1))) (load X n c (add y p -1) (add x q -1)) 0))))"
      " (store set Y (n c y x) (s n c y x)))"
      "(schedule s (split x x0 (xl 16)) (order n c y x0 p q xl) (bind part n) (bind lane xl) (peel y x0))" },
    { "conv", "avx512",
      "(kernel conv (syms B (H :is 56) (W :is 56) (C :is 64) (O :is 64)) (bufs (X f32 B H W C) (Wt f32 3 3 C O) (Y f32 "
      "B H W O))"
      " (axes (n B) (y H) (x W) (o O) (ky 3) (kx 3) (c C) (yy (add H 2)) (xx (add W 2)) (cc C))"
      " (def xp (n yy xx cc) (if (and (lt 0 yy) (lt yy (add H 1)) (lt 0 xx) (lt xx (add W 1))) (load X n (sub yy 1) "
      "(sub xx 1) cc) 0))"
      " (def w (ky kx c o) (load Wt ky kx c o)) (def acc (n y x o) (sum (ky kx c) (mul (xp n (add y ky) (add x kx) c) "
      "(w ky kx c o))))"
      " (store set Y (n y x o) (acc n y x o)))"
      "(schedule direct (split x x0 (x1 14)) (split o oo (ou 2) (ol 16)) (split cc c0 (cl 16)) (order n yy xx c0 oo y "
      "x0 ky kx c cl x1 ou ol)"
      " (bind part n) (bind unroll x1 ou) (bind lane ol cl) (unroll c 2) (stage xp scratch (at n) (layout yy xx c0 cl))"
      " (stage w arena (at root) (layout oo ky kx c ou ol)))" },
    { "flash", "avx512",
      "(kernel flash (syms B T (D :is 64)) (bufs (Q f32 B T D) (Kx f32 B T D) (V f32 B T D) (O f32 B T D))"
      " (axes (h B) (i T) (j (add i 1)) (jj (add i 1)) (c D) (e D) (c2 D) (j2 T))"
      " (def kt (h c2 j2) (load Kx h j2 c2)) (def s (h i j) (sum (c) (mul (load Q h i c) (kt h c j)))) (def sv (h i j) "
      "(mul 0.125 (s h i j)))"
      " (def m (h i) (max (j) (sv h i j))) (def p (h i j) (exp (sub (sv h i j) (m h i)))) (def l (h i) (sum (j) (p h i "
      "j)))"
      " (def o (h i e) (sum (jj) (mul (p h i jj) (load V h jj e)))) (store set O (h i e) (div (o h i e) (l h i))))"
      "(schedule flash (split i ir (i1 2)) (split j j0 (ju 2) (jl 16)) (split jj j0 (jq 32)) (split e (eu 4) (el 16)) "
      "(split j2 jp (jv 2) (jm 16))"
      " (split c2 c0 (c1 16)) (order h jp c0 ir j0 jq c i1 ju jl c1 jv jm eu el) (bind part h) (bind unroll i1 ju eu "
      "jv) (bind lane jl el jm)"
      " (peel j0 jq) (unroll c 4) (unroll jq 4) (tensorize kt tr16 c1 jm) (stage kt scratch (at h) (layout jp c0 c1 jv "
      "jm)) (stage sv reg)"
      " (stage p stack (layout i1 ju jl)) (rfactor m j0 mb) (online m j0))" },
    { "mma", "cuda",
      "(kernel mma (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
      " (def a (i k) (load A i k)) (def b (k j) (load B k j)) (def acc (i j) (sum (k) (mul (a i k) (b k j)))) (store "
      "set C (i j) (acc i j)))"
      "(schedule mma (split i ib (iw 2) (ia 4) (ir 2) (mg 8)) (split j jb (jw 2) (jm 2) (mt 4) (jr 2)) (split k k0 (k2 "
      "2) (kt 8))"
      " (order ib jb iw jw mg mt k0 k2 kt ia ir jm jr) (bind block ib jb) (bind thread iw jw mg mt) (bind unroll ia ir "
      "jm jr) (bind tile kt)"
      " (stage a shared (at k0) (layout k2 kt iw ia ir mg) (pad iw 8) (copy iw ia ir mg k2 kt))"
      " (stage b shared (at k0) (layout k2 kt jw jm mt jr) (pad jw 8)) (tensorize acc mma_m16n8k8_tf32 (ir mg) (mt jr) "
      "(kt)))" },
    { "softmax_cuda", "cuda",
      "(kernel softmax (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
      " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
      " (store set Y (i j) (mul (e i j) (div 1 (s i)))))"
      "(schedule s (split j j0 (jt 256)) (order i jt j0) (bind block i) (bind thread jt))" },
    { "variance", "avx512",
      FOLD_VARIANCE("variance") "(schedule s (split j j0 (ju 2) (jl 8)) (order i j0 ju jl) (bind part i) (bind private ju)"
                                " (bind lane jl) (peel j0))" },
    { "argmax_cuda", "cuda",
      FOLD_ARGMAX("argmax") "(schedule s (split j j0 (jt 8)) (order i jt j0) (bind block i) (bind thread jt))" },
};
