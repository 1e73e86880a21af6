/* Folds that a kernel may have: a maximum with its place, a variance, the logarithm of a sum of exponentials, extremes
 * of several dtypes, a sum with what rounding took from it; what runs along a parameter. */
#pragma once

/* Of equal values the first place, whatever the order. */
#define FOLD_ARGMAX(name)                                                                                              \
    "(kernel " name " (syms M N K) (bufs (X f32 M N) (Y i32 M) (Z f32 M)) (axes (i M) (j N))"                          \
    " (def x (i j) (floor (mul 4 (load X i j))))"                                                                      \
    " (def s (i) (fold (j) (at i32 2147483647) (v f32 -inf)"                                                           \
    " (step (select (or (gt (x i j) v) (and (eq (x i j) v) (lt j at))) j at) (select (gt (x i j) v) (x i j) v))"       \
    " (merge (select (or (gt (other v) v) (and (eq (other v) v) (lt (other at) at))) (other at) at)"                   \
    " (select (gt (other v) v) (other v) v))))"                                                                        \
    " (store set Y (i) (s.at i)) (store set Z (i) (s.v i)))"
/* B. P. Welford, Note on a method for calculating corrected sums of squares and products, 1962; T. F. Chan, G. H. Golub,
 * R. J. LeVeque, Updating formulae and a pairwise algorithm for computing sample variances, 1979. */
#define FOLD_VARIANCE(name)                                                                                            \
    "(kernel " name " (syms M N K) (bufs (X f32 M N) (Y f32 M) (Z f32 M N)) (axes (i M) (j N))"                        \
    " (def w (i) (fold (j) (n f32 0) (mean f32 0) (m2 f32 0)"                                                          \
    " (step (add n 1) (add mean (div (sub (load X i j) mean) (new n)))"                                                \
    " (add m2 (mul (sub (load X i j) mean) (sub (load X i j) (new mean)))))"                                           \
    " (merge (add n (other n))"                                                                                        \
    " (add mean (mul (sub (other mean) mean) (div (other n) (maximum 1 (new n)))))"                                    \
    " (add (add m2 (other m2)) (mul (mul (sub (other mean) mean) (sub (other mean) mean))"                             \
    " (mul n (div (other n) (maximum 1 (new n)))))))))"                                                                \
    " (store set Y (i) (div (w.m2 i) (maximum 1 (w.n i)))) (store set Z (i j) (sub (load X i j) (w.mean i))))"
#define FOLD_LOGSUMEXP(name)                                                                                           \
    "(kernel " name " (syms M N K) (bufs (X f32 N M) (Y f32 M)) (axes (i M) (j N))"                                    \
    " (def s (i) (fold (j) (m f32 -0x1.fffffep127) (l f32 0)"                                                          \
    " (step (maximum m (load X j i)) (add (mul l (exp (sub m (new m)))) (exp (sub (load X j i) (new m)))))"            \
    " (merge (maximum m (other m))"                                                                                    \
    " (add (mul l (exp (sub m (new m)))) (mul (other l) (exp (sub (other m) (new m))))))))"                            \
    " (store set Y (i) (add (s.m i) (log (s.l i)))))"
/* Values whose steps read one another, of three dtypes; over a triangle. */
#define FOLD_EXTREMES(name)                                                                                            \
    "(kernel " name " (syms M N K) (bufs (X f64 M M) (P bool M) (V i64 M) (Y f64 M)) (axes (i M) (j (add i 1)))"       \
    " (def s (i) (fold (j) (lo f64 inf) (hi f64 -inf) (n i64 0) (low bool 0)"                                          \
    " (step (minimum lo (load X i j)) (maximum hi (load X i j)) (add n (if (lt j 3) 2 1))"                             \
    " (or low (lt (load X i j) -0.5)))"                                                                                \
    " (merge (minimum lo (other lo)) (maximum (other hi) hi) (add n (other n)) (or low (other low)))))"                \
    " (store set P (i) (s.low i)) (store set V (i) (s.n i)) (store set Y (i) (sub (s.hi i) (s.lo i))))"
/* A sum and what rounding took from it: D. E. Knuth, The Art of Computer Programming 2, 4.2.2, theorem B. */
#define FOLD_SPLIT_SUM(name)                                                                                           \
    "(kernel " name " (syms M N K) (bufs (X f32 M N K) (Y f32 M) (Z f32 M N)) (axes (i M) (j N) (k K))"                \
    " (def t (i) (fold (j k) (s f32 0) (lost f32 0)"                                                                   \
    " (step (add s (load X i j k))"                                                                                    \
    " (add lost (add (sub s (sub (new s) (sub (new s) s))) (sub (load X i j k) (sub (new s) s)))))"                    \
    " (merge (add s (other s)) (add (add lost (other lost))"                                                           \
    " (add (sub s (sub (new s) (sub (new s) s))) (sub (other s) (sub (new s) s)))))))"                                 \
    " (store set Y (i) (add (t.s i) (t.lost i))) (store set Z (i j) (mul (add (t.s i) (t.lost i)) j)))"
/* Sums up to a point, read there and one point later, and the largest of them. */
#define FOLD_RUNNING_SUM(name)                                                                                         \
    "(kernel " name " (syms M N K) (bufs (X f32 M N) (Y f32 M N) (Z f32 M)) (axes (i M) (j N))"                        \
    " (def c (i j) (sum (j) (load X i j))) (def t (i) (max (j) (c i j)))"                                              \
    " (store set Y (i j) (sub (c i j) (if (lt 0 j) (c i (sub j 1)) 0))) (store set Z (i) (t i)))"
/* The largest so far and its place, down the columns of a matrix and along the rows of a triangle. */
#define FOLD_RUNNING_PLACE(name)                                                                                       \
    "(kernel " name " (syms M N K) (bufs (X f64 N M) (Y i32 M N) (V i64 M M)) (axes (i M) (j N) (k (add i 1)))"        \
    " (def s (j i) (fold (j) (at i32 -1) (v f64 -inf) (step (select (gt (load X j i) v) j at) (maximum v (load X j i)))"\
    " (merge (select (gt (other v) v) (other at) at) (maximum v (other v)))))"                                         \
    " (def c (i k) (sum (k) (mul k k))) (store set Y (i j) (add (s.at j i) (cast i32 (s.v j i))))"                     \
    " (store set V (i k) (c i k)))"
