/* Lowering: what each directive demands, and the trees of the worked examples. */
#include "code_text.h"
#include "judge.h"
#include "lower_default.h"
#include "read_kernel.h"
#include "texts.h"

static const char map2[] =
    "(kernel map2 (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C)) (store set Y (i j) (neg (load X i j))))";
#define WIDE(s) /* 7 values of 8 bytes */                                                                              \
    " (def " s " (i) (fold (j) (a f64 0) (b f64 0) (c f64 0) (d f64 0) (e f64 0) (f f64 0) (g f64 0)"                  \
    " (step (add a (load X i j)) a b c d e f) (merge (add a (other a)) a b c d e f)))"
#define WIDE_HEAD "(syms M N) (bufs (X f64 M N) (Y f64 M)) (axes (i M) (j N))"
static const char wide_fold[] = "(kernel wide_fold " WIDE_HEAD WIDE("s") " (store set Y (i) (s.a i)))";
static const char wide_folds[] = "(kernel wide_folds " WIDE_HEAD WIDE("o") WIDE("p") WIDE("q") WIDE("r") WIDE("s")
    " (store set Y (i) (add (add (o.a i) (p.b i)) (add (add (q.c i) (r.d i)) (s.a i)))))";
static const char running[] =
    "(kernel running (syms M N) (bufs (X f32 M N) (Y f32 M N) (Z f32 M N)) (axes (i M) (j N) (k N))"
    " (def c (i j) (sum (j) (load X i j))) (def t (i) (max (j) (c i j)))"
    " (store set Y (i j) (c i j)) (store set Z (i k) (sub (c i k) (t i))))";
static const char rows2[] =
    "(kernel rows2 (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
    " (def m (i) (max (j) (load X i j))) (def e (i j) (exp (sub (load X i j) (m i)))) (def s (i) (sum (j) (e i j)))"
    " (store set Y (i j) (div (e i j) (s i))))";
static const char scatter1[] = "(kernel scatter1 (syms E D) (bufs (T i32 E) (X f32 E D) (Y f32 9 D)) (axes (e E) (d D))"
                               " (store add Y ((load T e) d) (load X e d)))";
static const char matmul[] = "(kernel matmul (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) "
                             "(k K)) (def b (k j) (load B k j))"
                             " (def acc (i j) (sum (k) (mul (load A i k) (b k j)))) (store set C (i j) (acc i j)))";
static const char shared_axes[] =
    "(kernel shared_axes (syms R C) (bufs (X f32 R C) (Y f32 R) (Z f32 R)) (axes (i R) (j C) (jj C) (z R))"
    " (def a (i) (sum (j) (load X i j))) (def b (i) (sum (jj) (load X i jj))) (store set Y (i) (a i)) (store set Z (i) "
    "(b i)))";

typedef struct illegal {
    const char *kernel, *schedule;
    const gn_target *target;
    const char *message;
} illegal;

static const char online_beside[] = /* one of the threads keeps the running maximum and its sum, which all read */
    "(kernel online (syms M N) (bufs (X f32 M N) (L f32 M) (Y f32 M 20)) (axes (i M) (j N) (e 20)) (def m (i) (max (j) "
    "(load X i j)))"
    " (def l (i) (sum (j) (exp (sub (load X i j) (m i))))) (store set L (i) (l i)) (store set Y (i e) (mul (l i) e)))";

static const char prefix2[] = "(kernel prefix2 (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C))"
                              " (def p (i j) (sum (j) (load X i j))) (store set Y (i j) (p i j)))";
static const char triangle[] = "(kernel triangle (syms R) (bufs (X f32 R R) (Y f32 R R))"
                               " (axes (i R) (j (add i 1)) (k R)) (store set Y (i j) (load X i j)) (store set Y (i k) (load X i k)))";

static const illegal illegals[] = {
    { rows2, "(fuse i j -> c) (order c)", &gn_target_avx512, "fuse c: 'm' keeps 'i' and is reduced along 'j'" },
    { matmul, "(fuse i k -> c) (order c j)", &gn_target_avx512, "fuse c: 'acc' keeps 'i' and is reduced along 'k'" },
    { matmul, "(fuse k j -> c) (order i c) (stage b arena (at root))", &gn_target_avx512,
      "fuse c: 'acc' keeps 'j' and is reduced along 'k'" },
    { shared_axes, "(fuse i jj -> c) (order z j c)", &gn_target_avx512, "fuse c: 'a' runs over 'i' and not over 'jj'" },
    { "(kernel two (syms M N) (bufs (X f32 M) (Y f32 M) (Z f32 N)) (axes (i M) (j N)) (store set Y (i) (load X i))"
      " (store set Z (j) 1))",
      "(fuse i j -> c) (order c)", &gn_target_avx512, "fuse c: the store to 'Y' runs over 'i' and not over 'j'" },
    { prefix2, "(fuse i j -> c) (order c)", &gn_target_avx512, "fuse c: 'p' is a prefix along 'j'" },
    { triangle, "(fuse i j -> c) (order c k)", &gn_target_avx512, "fuse c: the extent of 'j' depends on 'i'" },
    { triangle, "(fuse k j -> c) (order i c)", &gn_target_avx512, "fuse c: the extent of 'j' depends on another axis" },
    { "(kernel twice (syms M N) (bufs (X f32 M N) (Y f32 M)) (axes (i M) (j N))"
      " (store set Y ((mod (add i j) M)) (load X i j)))",
      "(fuse i j -> c) (order c)", &gn_target_avx512,
      "fuse c: the store to 'Y' may meet a place again along it, whose order is not the kernel's" },
    { map2, "(split i ip (R 4)) (order ip R j)", &gn_target_avx512,
      "split: the leaf 'R' has the name of something else in the kernel" },
    { map2, "(split j (jl 16)) (order i jl) (bind lane jl)", &gn_target_avx512,
      "split j: its leaves have 16 points, the axis has C" },
    { shared_axes, "(split j j0 (j1 4)) (split z j0 (z1 4)) (order i jj j0 j1 z1)", &gn_target_avx512,
      "'z' and 'j' share the leaf 'j0', which takes the outermost place" },
    { map2, "(split j j0 (jl 16)) (order i jl j0) (bind lane jl)", &gn_target_avx512,
      "order: 'j0' stands after a leaf that is bound to lane" },
    { map2, "(order i j) (bind unroll j)", &gn_target_avx512, "bind unroll j: the extent is not constant" },
    { map2, "(split j j0 (jl 24)) (order i j0 jl) (bind lane jl)", &gn_target_avx512,
      "bind lane jl: 24 lanes, the target avx512 has 2, 4, 8 and 16" },
    { map2, "(split j j0 (jl 4)) (order i j0 jl) (bind lane jl)", &gn_target_cuda,
      "bind lane jl: the target cuda has no vectors" },
    { map2, "(split i i0 (il 4)) (split j j0 (jl 4)) (order i0 j0 il jl) (bind lane il jl)", &gn_target_avx512,
      "two lane leaves, 'il' and 'jl'" },
    { map2, "(order i j) (bind block i)", &gn_target_avx512,
      "bind block i: the target avx512 has no blocks and threads" },
    { map2, "(order i j) (bind part i)", &gn_target_cuda, "bind part i: the target cuda has blocks instead" },
    { map2, "(order i j) (bind thread j)", &gn_target_cuda, "bind thread j: the extent is not constant" },
    { map2, "(split j j0 (jt 2048)) (order i j0 jt) (bind thread jt)", &gn_target_cuda,
      "bind thread: 2048 threads, a block has at most 1024" },
    { map2, "(split j j0 (jl 16)) (order i j0 jl) (bind lane jl) (unroll jl 4)", &gn_target_avx512,
      "unroll jl: the leaf is bound to lane, it is no loop" },
    { map2, "(split j j0 (jl 16)) (order i j0 jl) (bind lane jl) (peel jl)", &gn_target_avx512,
      "peel jl: the leaf is bound to lane, it is no loop" },
    { map2, "(split j j0 (jl 1024)) (order i j0 jl) (bind unroll jl)", &gn_target_avx512,
      "bind unroll jl: 1024 points are too many" },
    { rows2, "(order i j) (bind part j)", &gn_target_avx512, "bind part j: 'm' is reduced along it; rfactor it first" },
    { rows2, "(split j j0 (j1 8)) (order i j0 j1) (bind tile j1)", &gn_target_avx512,
      "bind tile j1: 'm' is not tensorized" },
    { scatter1, "(order e d) (bind part e)", &gn_target_avx512,
      "bind part e: the store to 'Y' does not go to different places along it" },
    { rows2, "(order i j) (stage e scratch (depth 2))", &gn_target_avx512, "stage e: (depth 2) is for level shared, (at leaf)" },
    { rows2, "(order i j) (stage e scratch (copy j))", &gn_target_avx512, "stage e: (copy ..) is for level shared" },
    { rows2, "(order i j) (stage m scratch (at i))", &gn_target_avx512,
      "stage m: (at ..) is for definitions without a reduction" },
    { matmul, "(order i j k) (stage b scratch (at root))", &gn_target_avx512,
      "stage b: (at root) makes a step of its own, only arena outlives a step" },
    { matmul, "(split j j0 (jl 16)) (order i k j0 jl) (bind lane jl) (stage b arena (at jl))", &gn_target_avx512,
      "stage b: (at jl): the leaf is no loop" },
    { matmul, "(order i j k) (stage b arena (at root) (layout k i))", &gn_target_avx512,
      "stage b: layout: 'i' is no leaf of its parameters" },
    { matmul, "(order i j k) (stage b arena (at root) (layout k j) (pad i 4))", &gn_target_avx512,
      "stage b: pad: 'i' is not in its layout" },
    { matmul, "(split j j0 (j1 8)) (order i j0 j1 k) (bind block i) (stage b shared (copy i))", &gn_target_cuda,
      "stage b: copy: 'i' is no leaf of its parameters" },
    { matmul, "(order i j k) (bind block i) (stage b shared)", &gn_target_cuda,
      "stage b shared: (at leaf) is missing" },
    { wide_folds, "(split j j0 (j1 1024)) (order i j0 j1) (bind thread j1)", &gn_target_cuda,
      "bind thread: 's' is a fold that the threads merge in 286720 bytes of shared memory, 232448 fit" },
    { wide_fold, "(order i j) (bind part j)", &gn_target_avx512, "bind part j: 's' is reduced along it; rfactor it first" },
    { running, "(split j j0 (j1 4)) (order i j1 j0 k)", &gn_target_avx512,
      "order: 'c' is a prefix along 'j', whose leaves do not run in the order of its points" },
    { running, "(split j j0 (j1 4)) (order i k j1 j0) (bind private j0) (stage c arena)", &gn_target_avx512,
      "bind private j0: the extent is not constant" },
    { running, "(split j j0 (jl 4) (ju 2)) (order i k j0 jl ju) (bind lane jl) (bind private ju) (stage c arena)",
      &gn_target_avx512, "bind lane jl: 'c_r' is a prefix along 'j', and inside of that leaf 'ju' is bound to private" },
    { running, "(split j j0 (jt 4) (js 2)) (order i k j0 jt js) (bind thread jt) (stage c arena)", &gn_target_cuda,
      "bind thread jt: 'c_r' is a prefix along 'j', and inside of that leaf 'js' is bound to none" },
    { running, "(order j i k) (bind part j) (stage c arena)", &gn_target_avx512,
      "bind part j: 'c_r' is reduced along it; rfactor it first" },
    { running, "(order i j k) (rfactor c j cp)", &gn_target_avx512,
      "rfactor c: it is a prefix; name an axis for the chunks before each" },
    { running, "(split j j0 (j1 4)) (order i j0 j1 k q) (rfactor c j1 cp q)", &gn_target_avx512,
      "rfactor c: the leaf 'j1' is not the first that its axis 'j' is cut by" },
    { running, "(split j j0 (j1 4)) (order i j0 j1 k q p) (rfactor c j0 cp q) (rfactor c j0 cr p)", &gn_target_avx512,
      "rfactor c: the leaf 'j0' is not the first that its axis 'j' is cut by" },
    { running, "(order i j k) (stage c arena (at i))", &gn_target_avx512,
      "stage c: (at ..) is for definitions without a reduction" },
    { running, "(order i j k)", &gn_target_avx512,
      "order: 'c' is a prefix along the loop 'j', outside of which 'Z' reads it; stage it" },
    { running, "(order j i k) (stage c reg)", &gn_target_avx512,
      "stage c_r reg: the leaf 'i' among its dims is no tile leaf of constant extent" },
    { wide_fold, "(order i j) (online s j)", &gn_target_avx512, "online s: it is no maximum of floats" },
    { online_beside,
      "(split e e0 (e1 16)) (order j i e1 e0) (bind thread e1) (stage m arena) (online m j) (stage l arena)",
      &gn_target_cuda,
      "bind thread e1: 'Y' reads what another thread made of 'l' in the arena, with no barrier between" },
    { matmul, "(split k k0 (k1 8)) (split j j0 (j1 8)) (order i j0 j1 k0 k1) (stage b shared (at k0) (layout k1 j1))",
      &gn_target_avx512, "stage b shared: the target avx512 has no shared memory" },
    { rows2, "(order i j) (bind block i) (stage e scratch)", &gn_target_cuda,
      "stage e scratch: the target cuda has no workers" },
    { rows2, "(split j j0 (jl 16)) (order i j0 jl) (bind lane jl) (stage e reg)", &gn_target_avx512,
      "stage e reg: the leaf 'j0' among its dims is no tile leaf of constant extent" },
    { rows2, "(order i j) (stage e stack)", &gn_target_avx512, "stage e stack: its size C is not constant" },
    { rows2, "(split j j0 (j1 8)) (order i j0 j1) (stage e scratch (layout j1))", &gn_target_avx512,
      "stage e scratch: not all its uses share the loop 'j0'" },
    { rows2, "(order j i) (bind part i) (stage e scratch)", &gn_target_avx512, "stage" },
    { matmul, "(split i i0 (i1 8)) (order i0 i1 j k) (rfactor acc i0 p)", &gn_target_avx512,
      "rfactor acc: it does not reduce along the leaf 'i0'" },
    { matmul, "(split k k0 (k1 8)) (order i j k0 k1) (rfactor b k0 p)", &gn_target_avx512,
      "rfactor: 'b' is no reduction" },
    { matmul, "(split k k0 (k1 8)) (order i j k0 k1) (rfactor acc k0 p) (rfactor acc k1 r)", &gn_target_avx512,
      "rfactor acc: it does not reduce along the leaf 'k1'" },
    { matmul, "(split k k0 (k1 8)) (order i j q k0 k1) (rfactor acc k1 p q) (stage p arena)", &gn_target_avx512,
      "the leaf 'k1' may end with its axis 'k' before all its results are made" },
    { matmul,
      "(split k k0 (k1 8) (k2 4)) (order i j k0 k1 k2 q) (rfactor acc k0 p) (rfactor p k1 r q) (stage p arena) (stage "
      "r arena)",
      &gn_target_avx512, "the leaf 'k1' may end with its axis 'k' before all its results are made" },
    { matmul, "(split k k0 (k1 8)) (order b i j k0 k1) (rfactor acc k0 p b)", &gn_target_avx512,
      "rfactor: the name 'b' is taken" },
    { matmul, "(split k k0 (k1 8)) (order i j k0 k1) (rfactor acc k0 A)", &gn_target_avx512,
      "rfactor: the name 'A' is taken" },
    { rows2, "(order i j) (online s j)", &gn_target_avx512, "online s: it is no maximum of floats" },
    { rows2, "(order i j) (online m i)", &gn_target_avx512, "online m i: it is not reduced along that leaf" },
    { rows2, "(split j j0 (j1 4)) (order i j0 j1) (bind lane j1) (rfactor m j1 p) (stage p arena) (online m j1)",
      &gn_target_avx512, "online m j1: the leaf is bound to lane, it is no loop" },
    { rows2, "(split j j0 (j1 4)) (order i j0 j1) (bind thread j1) (rfactor m j1 p) (stage p arena) (online m j1)",
      &gn_target_cuda, "online m j1: the leaf is bound to thread, it is no loop" },
    { rows2, "(split j j0 (j1 8)) (order i j0 j1) (online m j0)", &gn_target_avx512,
      "online m: it is reduced along 'j1' too; rfactor it by 'j0'" },
    { "(kernel bad (syms R C) (bufs (X f32 R C) (Y f32 R)) (axes (i R) (j C)) (def m (i) (max (j) (load X i j)))"
      " (def s (i) (sum (j) (sub (load X i j) (m i)))) (store set Y (i) (s i)))",
      "(order i j) (online m j)", &gn_target_avx512,
      "online m: 's' uses it inside 'j' otherwise than as a factor exp(x - m) of a sum" },
    { matmul, "(order i j k) (stage b arena (at root)) (tensorize b tr99 k j)", &gn_target_avx512,
      "tensorize b tr99: the target avx512 has no such row" },
    { matmul, "(order i j k) (stage b arena (at root)) (tensorize b tr16 k)", &gn_target_avx512,
      "tensorize b tr16: 1 leaves, the row takes 2" },
    { matmul, "(order i j k) (stage b arena (at root)) (tensorize b tr16 k i)", &gn_target_avx512,
      "tensorize b tr16: the leaf 'k' has not the 16 points" },
    { matmul,
      "(split i i0 (i1 16)) (split k k0 (k1 16)) (order i0 i1 j k0 k1) (stage b arena (at root)) (tensorize b tr16 k1 "
      "i1)",
      &gn_target_avx512, "tensorize b tr16: 'i1' is no leaf of it" },
    { matmul,
      "(split j j0 (jl 16)) (split k k0 (k1 16)) (order i j0 k0 k1 jl) (bind lane jl) (stage b arena (at root)) "
      "(tensorize b tr16 k1 jl)",
      &gn_target_avx512, "tensorize b tr16: 'B' has a step of N along 'k1', the row takes 1" },
    { rows2,
      "(split i i0 (i1 16)) (split j j0 (jl 16)) (order i0 i1 j0 jl) (bind lane jl) (stage e scratch) (tensorize e "
      "tr16 i1 jl)",
      &gn_target_avx512, "tensorize e tr16: it is no plain load of a buffer" },
    { rows2, "(order i j) (bind block i j)", &gn_target_cuda, "bind block j" },
    { rows2, "(split i i0 (i1 4)) (split j j0 (j1 8)) (order i0 i1 j0 j1) (bind thread i1 j1)", &gn_target_cuda,
      "bind thread j1: 'm' is reduced along it by all threads of the block, but not along 'i1'" },
    { scatter1, "(split e e0 (et 32)) (order d e0 et) (bind block d) (bind thread et)", &gn_target_cuda,
      "bind thread et: the store to 'Y' does not go" },
    { "(kernel t (syms M N) (bufs (X f32 M) (Y f32 M) (U f32 N) (V f32 N)) (axes (i M) (j N)) (store set Y (i) (load X "
      "i)) (store set V (j) (load U j)))",
      "(split j i) (order i)", &gn_target_avx512, "split: 'j' and 'i' share the leaf 'i'" },
    { "(kernel t (syms N) (bufs (X f32 N) (Y f32 4)) (axes (i N)) (store add Y ((mod i 4)) (load X i)))",
      "(split i i0 (il 16)) (order i0 il) (bind lane il)", &gn_target_avx512,
      "bind lane il: the store to 'Y' does not go to different places along it" },
    { "(kernel t (syms N) (bufs (X f32 N) (Y f32 N)) (axes (i N)) (store set Y ((div i 2)) (load X i)))",
      "(order i) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { "(kernel t (syms N) (bufs (Y f32 (add N 1))) (axes (i N)) (store add Y ((add i 1)) (load Y i)))",
      "(order i) (bind part i)", &gn_target_avx512,
      "bind part i: the store to 'Y' does not go to different places along it" },
    { "(kernel t (syms R C) (bufs (X f32 R C) (Z f32 R C) (Y f32 R)) (axes (i R) (j C)) (def m (i) (max (j) (load X i "
      "j)))"
      " (def w (i j) (exp (sub (load Z i j) (m i)))) (def o (i) (sum (j) (mul (exp (sub (load X i j) (m i))) (w i "
      "j)))) (store set Y (i) (o i)))",
      "(order i j) (online m j) (stage w reg)", &gn_target_avx512,
      "online m: 'o' uses it inside 'j' otherwise than as a factor exp(x - m) of a sum" },
    { "(kernel t (syms R C) (bufs (T f32 C R) (Y f32 R C)) (axes (i R) (j C)) (def t (i j) (load T (div j 2) i)) "
      "(store set Y (i j) (t i j)))",
      "(split i ip (i1 16)) (split j j0 (jl 16)) (order ip j0 i1 jl) (bind lane jl) (bind unroll i1) (stage t stack "
      "(at j0) (layout i1 jl))"
      " (tensorize t tr16 i1 jl)",
      &gn_target_avx512, "tensorize t tr16: 'T' is no matrix along the row's leaves" },
    { "(kernel t (syms N) (bufs (X f32 N N) (Y f32 N)) (axes (i N) (j (sub N i))) (def s (i) (sum (j) (load X i j))) "
      "(store set Y (i) (s i)))",
      "(split i i0 (i1 4)) (order i0 j i1) (bind unroll i1)", &gn_target_avx512,
      "the extent of 'j' falls with an axis" },
    { "(kernel t (syms N) (bufs (X f32 N N) (Y f32 N)) (axes (i N) (j (sub N i))) (def d (i j) (load X i j)) (def s "
      "(i) (sum (j) (d i j))) (store set Y (i) (s i)))",
      "(order i j) (stage d arena)", &gn_target_avx512, "stage d: the extent of 'j' falls with another axis" },
    { "(kernel t (syms M) (bufs (X i8 M) (Y i8 M)) (axes (i M)) (store set Y (i) (load X i)))",
      "(split i i0 (il 16)) (order i0 il) (bind lane il)", &gn_target_avx512,
      "bind lane: the target avx512 has no vectors of i8" },
    { matmul, "(split i i0 (i1 512)) (split j j0 (j1 512)) (order i0 j0 k i1 j1) (bind unroll i1 j1)",
      &gn_target_avx512, "would be written out at more than 4096 points" },
    { matmul,
      "(split i ib (it 4294967296)) (split j jb (jt 4294967296)) (order ib jb it jt k) (bind block ib jb) (bind thread "
      "it jt)",
      &gn_target_cuda, "a block has at most 1024" },
    { "(kernel t (syms M) (bufs (X f32 M) (Y f32 M)) (axes (i M)) (def t (i) (load X i)) (store set Y (i) (t i)))",
      "(split i i0 (i1 4611686018427387904)) (order i0 i1) (stage t stack (at i0))", &gn_target_avx512,
      "bytes together, at most 1048576 fit" },
    { matmul, "(split k k0 (k1 4)) (order i j k0 k1 q) (rfactor acc k1 part q) (stage part arena)", &gn_target_avx512,
      "rfactor acc: the leaf 'k1' may end with its axis 'k' before all its results are made" },
    { matmul, "(split i ib (it 8)) (order ib it j k) (bind block ib) (bind thread it) (stage acc shared)",
      &gn_target_cuda, "stage acc shared: it is a reduction" },
    { matmul, "(split k k0 (k1 4)) (order i j q k0 k1) (bind thread k1) (rfactor acc k1 part q) (stage part reg)",
      &gn_target_cuda, "is at another point than the one that is kept" },
    { "(kernel t (syms M N K) (bufs (X f32 M N) (V f32 N K) (Y f32 M K) (L f32 M)) (axes (i M) (j N) (e K)) (def m (i) "
      "(max (j) (load X i j)))"
      " (def f (i j) (exp (sub (load X i j) (m i)))) (def l (i) (sum (j) (f i j))) (def o (i e) (sum (j) (mul (f i j) "
      "(load V j e))))"
      " (store set Y (i e) (div (o i e) (l i))) (store set L (i) (l i)))",
      "(order i e j) (stage f arena) (online m j)", &gn_target_avx512,
      "stage f: it is made inside the loop 'j', and 'o' reads it outside" },
    { "(kernel t (syms M N) (bufs (T i32 M) (X f32 M N) (Y f32 9 N) (S f32 N M)) (axes (e M) (d N)) (def t (e d) (load "
      "S d e))"
      " (store add Y ((load T e) d) (mul (t e d) (load X e d))))",
      "(split d d0 (d1 5) (d2 5)) (order d0 e d1 d2) (bind thread d1) (bind block d0) (stage t shared (at d2))",
      &gn_target_cuda, "stage t shared: threads leave the loop 'd2' around it at different turns" },
    { matmul,
      "(split j jb (j1 64)) (split k k0 (k1 1024)) (order i jb k0 j1 k1) (bind block i jb) (stage acc arena) (stage b "
      "shared (at k0) (layout k1 j1))",
      &gn_target_cuda, "stage b shared: 262144 bytes together, at most 232448 fit" },
    { matmul,
      "(split j jb (j1 8)) (split k k0 (k1 8)) (order i jb k0 j1 k1) (bind block i jb) (stage b shared (at k0) (layout "
      "k1 j1) (copy k1 jb))",
      &gn_target_cuda, "stage b: copy: 'jb' is no dim of the buffer, or stands twice" },
    { matmul,
      "(split j jb (j1 8)) (split k k0 (k1 8)) (order i jb k0 j1 k1) (bind block i jb) (stage b shared (at k0) (layout "
      "k1 j1) (copy k1))",
      &gn_target_cuda, "stage b: copy: the dim 'j1' of the buffer is missing" },
    { matmul,
      "(split i ib (ir 2) (mg 8)) (split j jb (mt 4) (jr 2)) (split k k0 (kt 8)) (order ib jb mg mt k0 kt ir jr) (bind "
      "thread mg mt) (bind tile kt)"
      " (tensorize acc mma_m16n8k8_tf32 (ir mg) (mt jr) (kt))",
      &gn_target_cuda, "tensorize acc mma_m16n8k8_tf32: the leaf 'ir' is not bound to unroll" },
    { "(kernel big (syms) (bufs (X f32 1000 1000) (Y f32 1000 1000)) (axes (i 1000) (j 1000)) (def t (i j) (load X j "
      "i)) (store set Y (i j) (t i j)))",
      "(order i j) (stage t stack (at root))", &gn_target_avx512, "stage t: (at root) makes a step of its own" },
    { "(kernel big (syms) (bufs (X f32 1000 1000) (Y f32 1000 1000)) (axes (z 1) (i 1000) (j 1000) (a 1000) (b 1000)) "
      "(def t (a b) (load X b a))"
      " (store set Y (i j) (t i j)))",
      "(order z a b i j) (stage t stack)", &gn_target_avx512,
      "stage t stack: 4000000 bytes together, at most 1048576 fit" },
    { rows2, "(split j j0 (ju 2)) (order i j0 ju) (bind unroll ju) (stage e reg)", &gn_target_avx512,
      "stage e reg: the leaf 'j0' among its dims" },
    { "(kernel shift (syms n) (bufs (X f32 n 8) (Y f32 n 4)) (axes (i n) (j 8) (k 4)) (def t (i j) (exp (load X i j))) "
      "(store set Y (i k) (t i (add k 3))))",
      "(order i k j) (bind unroll j) (stage t reg)", &gn_target_avx512,
      "stage t reg: a use along 'j' is no tile point" },
    { "(kernel lanes (syms n) (bufs (X f32 n 8) (Y f32 n 8)) (axes (i n) (j 8) (k 8)) (def t (i j) (exp (load X i j))) "
      "(store set Y (i k) (t i k)))",
      "(order i j k) (bind lane j k) (stage t reg)", &gn_target_avx512,
      "stage t reg: a use does not run along its lane leaf 'j'" },
    { "(kernel digits (syms n) (bufs (X f32 n 8) (Y f32 n 3)) (axes (i n) (j 8) (k 3)) (def t (i j) (exp (load X i "
      "j))) (store set Y (i k) (t i (mul 2 k))))",
      "(split j (ja 2) (jb 4)) (order i ja jb k) (stage t scratch (layout jb ja))", &gn_target_avx512,
      "stage t: the use at 2*k along 'j' may leave the leaf 'jb'" },
};

typedef struct attempt {
    gn_arena *arena;
    const char *text;
    const gn_target *target;
    job job;
} attempt;

static void try_lowering(void *arg)
{
    attempt *a = arg;
    a->job = lower_text(a->arena, a->text, a->target);
}

static void illegal_directives_are_named_with_leaf_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof illegals / sizeof *illegals; i++) {
        gn_arena arena = { 0 };
        const illegal *x = &illegals[i];
        attempt a = { &arena, gn_arena_printf(&arena, "%s (schedule s %s)", x->kernel, x->schedule), x->target };
        const gn_status s = gn_protect(try_lowering, &a);
        if (s == GN_OK) fail_msg("%s is legal for %s, which should be: %s", x->schedule, x->target->name, x->message);
        if (s != GN_EINVAL) fail_msg("%s: %s, not GN_EINVAL: %s", x->schedule, gn_status_name(s), gn_message());
        assert_message_contains(x->message);
        assert_message_contains("schedule s: ");
        gn_arena_free(&arena);
    }
}

static void a_function_without_a_body_for_its_dtype_is_refused(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    attempt a = {
        &arena,
        "(kernel k (syms n) (bufs (T i32 n)) (axes (i n)) (store set T (i) (exp (index i)))) (schedule s (order i))",
        &gn_target_avx512
    };
    assert_int_equal(gn_protect(try_lowering, &a), GN_EINVAL);
    assert_message_contains("kernel k: the target avx512 has no exp of i32");
    gn_arena_free(&arena);
}

/* ---- golden trees ---- */

static const char *slurp(gn_arena *a, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) return NULL;
    char *text = gn_arena_alloc(a, 1 << 20, 1);
    text[fread(text, 1, (1 << 20) - 1, f)] = '\0';
    fclose(f);
    return text;
}

/* GNOMON_TEST_UPDATE=1 writes the files anew. */
static void compare_with_file(gn_arena *a, const char *name, const char *suffix, const char *got)
{
    const char *path = gn_arena_printf(a, TEST_DIR "/codegen/golden/%s.%s", name, suffix);
    if (getenv("GNOMON_TEST_UPDATE")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(got, f);
        fclose(f);
    }
    const char *want = slurp(a, path);
    if (!want) fail_msg("no file %s", path);
    assert_string_equal(want, got);
}

static void the_worked_examples_become_their_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof golden_texts / sizeof *golden_texts; i++) {
        gn_arena arena = { 0 };
        const golden_text *x = &golden_texts[i];
        attempt a = { &arena, x->text, gn_target_find(x->target) };
        if (gn_protect(try_lowering, &a)) fail_msg("%s: %s", x->name, gn_message());
        gn_text t = { .arena = &arena }, c = { .arena = &arena };
        gn_scheduled_print(&t, a.job.s);
        compare_with_file(&arena, x->name, "tree", gn_text_done(&t));
        gn_emit_kernel(&c, NULL, a.job.s->code);
        const char *kernels =
            strstr(gn_text_done(&c), "/* (kernel"); /* not the bodies of math functions, which may change */
        assert_non_null(kernels);
        compare_with_file(&arena, x->name, a.target->lang == GN_LANG_C ? "c" : "cu", kernels);
        gn_arena_free(&arena);
    }
}

static void lowering_twice_gives_the_same_text(void **state)
{
    (void)state;
    gn_arena arena = { 0 };
    const char *text[2];
    for (int turn = 0; turn < 2; turn++) {
        gn_text t = { .arena = &arena };
        const job j = lower_text(&arena, golden_texts[1].text, &gn_target_avx512);
        gn_code_print(&t, j.s->code);
        gn_emit_kernel(&t, NULL, j.s->code);
        text[turn] = gn_text_done(&t);
    }
    assert_string_equal(text[0], text[1]);
    gn_arena_free(&arena);
}

/* ---- names ---- */

static void names_of_users_never_meet_ours(void **state)
{
    (void)state;
    static const char text[] =
        "(kernel names (syms int v1 gn_n) (bufs (float f32 int) (arg f32 int) (part f32 int)) (axes (for int))"
        " (def double (for) (exp (load float for))) (store set arg (for) (double for)) (store set part (for) (mul "
        "(double for) 2)))"
        "(schedule s (split for sym (s2 4)) (order sym s2) (bind part sym) (bind lane s2) (stage double reg))";
    gn_arena a = { 0 };
    gn_text c = { .arena = &a };
    const job j = lower_text(&a, text, &gn_target_generic);
    gn_emit_kernel(&c, NULL, j.s->code);
    const char *body = strstr(gn_text_done(&c), "void names_0");
    assert_non_null(strstr(body, "const float *const float_ = (const float *)arg[0];"));
    assert_non_null(strstr(body, "float *const arg_ = (float *)arg[1];"));
    assert_non_null(strstr(body, "const int64_t int_ = sym[0];"));
    assert_non_null(strstr(body, "const int64_t sym_ = part;"));
    gn_arena_free(&a);
}

static void a_comment_cannot_end_early(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    gn_text c = { .arena = &a };
    job j = lower_text(&a, gn_arena_printf(&a, "%s (schedule s (order i j))", map2), &gn_target_generic);
    j.s->code->comment = "the user's */ text";
    gn_emit_kernel(&c, NULL, j.s->code);
    assert_null(strstr(gn_text_done(&c), "user's */"));
    assert_non_null(strstr(gn_text_done(&c), "/* the user's +/ text"));
    gn_arena_free(&a);
}

static void one_function_runs_all_steps(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    gn_text c = { .arena = &a };
    const job j = lower_text(&a, golden_texts[1].text, &gn_target_avx512);
    gn_emit_function(&c, NULL, j.s->code);
    const char *text = gn_text_done(&c);
    assert_non_null(strstr(text, "void gemm(void *const *arg, const int64_t *sym, int64_t part)\n"));
    assert_null(strstr(text, "gemm_0"));
    assert_non_null(strstr(text, "for (int64_t ip = 0; ip < (M + 251)/252; ip++) {"));
    gn_arena_free(&a);
}

/* Loops of blocks take no more memory than one loop over the axis does. */
static void blocks_of_a_kept_row_are_as_long_as_the_row(void **state)
{
    (void)state;
    static const char *const schedules[] = {
        "(split j j0 (jl 16)) (order i j0 jl)", "(split j jb (j0 64) (jl 16)) (order i jb j0 jl) (rfactor s jb s_b)",
        "(split j jb (jc 8) (j0 64) (jl 16)) (order i jb jc j0 jl) (rfactor s jb s_b) (rfactor s_b jc s_c)"
    };
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        gn_arena a = { 0 };
        gn_text bytes = { .arena = &a };
        const char *text = gn_arena_printf(&a, "%s (schedule s %s (bind lane jl) (stage e scratch))", rows2, schedules[i]);
        const job j = lower_text(&a, text, &gn_target_avx512);
        assert_int_equal(j.s->code->nargs, j.kernel->bufs.n + 1);
        gn_dim_show(&bytes, gn_code_bytes(j.s->code, j.s->code->places.at[j.kernel->bufs.n]));
        assert_string_equal("64*((C+15)/16)", gn_text_done(&bytes));
        gn_arena_free(&a);
    }
}

/* One row in chunks, rows, columns, columns of a batch; read elsewhere than at its own point. */
static void prefixes_have_closed_forms(void **state)
{
    (void)state;
    static const char *const kernels[] = {
        "(kernel k (syms n) (bufs (X f32 n) (Y f32 n)) (axes (j n)) (def c (j) (sum (j) (load X j))) (store set Y (j) (c j)))",
        "(kernel k (bufs (X f64 100) (Y f64 100)) (axes (j 100)) (def c (j) (prod (j) (load X j))) (store set Y (j) (c j)))",
        "(kernel k (syms m n) (bufs (X f32 m n) (Y f32 m n)) (axes (i m) (j n)) (def c (i j) (max (j) (load X i j)))"
        " (store set Y (i j) (c i j)))",
        "(kernel k (syms m n) (bufs (X f32 m n) (Y f32 m n)) (axes (i m) (j n)) (def c (i j) (sum (i) (load X i j)))"
        " (store set Y (i j) (c i j)))",
        "(kernel k (syms b m n) (bufs (X i32 b m n) (Y i32 b m n)) (axes (a b) (i m) (j n))"
        " (def c (a i j) (sum (i) (load X a i j))) (store set Y (a i j) (c a i j)))",
    };
    static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_c11, &gn_target_cuda };
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels * 4; i++) {
        gn_arena a = { 0 };
        gn_schedule *s;
        gn_default_apply(&a, read_kernel(&a, kernels[i / 4]), targets[i % 4], &s);
        if (s->plain) fail_msg("%s: %s\n%s", targets[i % 4]->name, s->plain, kernels[i / 4]);
        gn_arena_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(illegal_directives_are_named_with_leaf_and_reason),
        cmocka_unit_test(a_function_without_a_body_for_its_dtype_is_refused),
        cmocka_unit_test(the_worked_examples_become_their_trees),
        cmocka_unit_test(lowering_twice_gives_the_same_text),
        cmocka_unit_test(names_of_users_never_meet_ours),
        cmocka_unit_test(a_comment_cannot_end_early),
        cmocka_unit_test(one_function_runs_all_steps),
        cmocka_unit_test(prefixes_have_closed_forms),
        cmocka_unit_test(blocks_of_a_kept_row_are_as_long_as_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
