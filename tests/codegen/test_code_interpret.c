/* Code against plain loops; and code that is wrong, each with what the interpreter says of it. */
#include "testlib.h"
#include <stdio.h>
#include <string.h>
#include "code_text.h"
#include "code_verify.h"
#include "code_interpret.h"

enum { MOST = 4096, ORDERS = 8 };
static float X[MOST], Y[MOST], want[MOST];
static int32_t T[MOST];

static void fill(void)
{
    static uint64_t first;
    if (!first) first = test_seed();
    uint64_t seed = first;
    for (int i = 0; i < MOST; i++) {
        X[i] = (float)(int)(test_random(&seed) % 17) - 8; /* sums and products of these are exact */
        T[i] = (int32_t)(test_random(&seed) % 16);
        Y[i] = want[i] = 100;
    }
}

/* ---- running ---- */

typedef struct running {
    const char *text;
    void (*spoil)(gn_code *);
    bool verify;
    int64_t n;
    uint64_t order;
    gn_arena arena;
} running;

/* Buffers are named X, Y and T. */
static void run(void *arg)
{
    running *w = arg;
    const gn_sx *all = gn_sx_read(&w->arena, "test", w->text, strlen(w->text));
    gn_code *c = gn_code_read(&w->arena, "test", all->at[0]);
    if (w->verify) gn_code_verify(c);
    if (w->spoil) w->spoil(c);
    void *buffers[8];
    size_t n = 0;
    for (size_t i = 0; i < c->nargs; i++) {
        const gn_place *p = c->places.at[i];
        if (p->space != GN_SPACE_BUFFER) continue;
        buffers[n++] = *p->name == 'X' ? (void *)X : *p->name == 'Y' ? (void *)Y : (void *)T;
    }
    gn_code_interpret(c, buffers, &w->n, w->order, &w->arena);
}

static gn_status status_of(running w)
{
    const gn_status s = gn_protect(run, &w);
    gn_arena_free(&w.arena);
    return s;
}

/* In each order Y becomes as wanted. */
static void judge(const char *text, int64_t n)
{
    for (uint64_t order = 0; order < ORDERS; order++) {
        for (int i = 0; i < MOST; i++) Y[i] = 100;
        const running w = { .text = text, .verify = true, .n = n, .order = order };
        if (status_of(w)) fail_msg("n %d: %s\n%s", (int)n, gn_message(), text);
        for (int i = 0; i < MOST; i++)
            if (Y[i] != want[i])
                fail_msg("n %d: Y[%d] is %g, not %g\n%s", (int)n, i, (double)Y[i], (double)want[i], text);
    }
}

#define XY(name, target) "(code " name " " target " (syms n) (args (X read f32 n) (Y update f32 n)) "

/* ---- what is right ---- */

static void rows_with_tails(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 0, 1, 15, 16, 1000, 1024, 1025, 3000, -1 };
    static const char text[] = XY("axpy", "avx512")
        "(step ((p (cdiv n 1024)))"
        " (for i (min 64 (sub (cdiv n 16) (mul 64 p)))"
        "  (let %1 b16 (below (sub n (add (mul 1024 p) (mul 16 i)))))"
        "  (let %2 f32x16 (load X :row (add (mul 1024 p) (mul 16 i)) :mask %1))"
        "  (let %3 f32x16 (mul %2 2.0))"
        "  (store Y :row (add (mul 1024 p) (mul 16 i)) :mask %1 %3))))";
    fill();
    for (int r = 0; sizes[r] >= 0; r++) {
        for (int i = 0; i < MOST; i++) want[i] = i < sizes[r] ? 2 * X[i] : 100;
        judge(text, sizes[r]);
    }
}

static void sums_in_carried_registers(void **state)
{
    (void)state;
    static const int64_t sizes[] = { 1, 16, 37, 300, -1 };
    static const char text[] = XY("dot", "avx512")
        "(step () (reg acc f32x16 2) (set $acc[1] 0.0)"
        " (for i (cdiv n 16) :carry (acc)"
        "  (let %1 b16 (below (sub n (mul 16 i)))) (let %2 f32x16 (load X :row (mul 16 i) :mask %1))"
        "  (let %3 f32x16 (fma %2 %2 $acc[1])) (set $acc[1] %3))"
        " (let %4 f32x16 (copy $acc[1])) (let %5 f32 (lanes sum %4)) (store Y 0 %5)))";
    fill();
    for (int r = 0; sizes[r] >= 0; r++) {
        want[0] = 0;
        for (int i = 0; i < sizes[r]; i++) want[0] += X[i] * X[i];
        judge(text, sizes[r]);
    }
}

/* Each kind of value, in words of one line of C. */
static void values_of_all_kinds(void **state)
{
    (void)state;
    static const char text[] = XY("values", "avx512")
        "(step () (reg r f32x4) (set $r 3.0)"
        " (let %1 f32x4 (index (mod (mul 3 l) 4) :lane l :when (lt l 3)))"          /* 0 3 2 0 */
        " (let %2 i64x4 (iota 40 -10))"                                             /* 40 30 20 10 */
        " (let %3 b4 (bit 2)) (let %4 f32x4 (load X :each %2 :mask %3))"            /* 0 0 X[20] 0 */
        " (let %5 bool (test :when (lt n 5) :unless (lt n 5)))"                     /* false */
        " (let %6 f32x4 (pick %5 %1 $r)) (let %7 f32x4 (copy $r)) (set $r 5.0)"     /* 3 3 3 3, twice */
        " (let %8 f32 (lane 1 %1)) (let %9 f32x4 (pack %8 1.0 %8 2.0))"             /* 3 1 3 2 */
        " (let %10 f32 (load X 7 :when (lt n 5))) (let %11 i8 (cast (f64 300.0)))"  /* 0; 127 */
        " (let %12 i8 (add %11 1)) (let %13 f32 (cast %12))"                        /* -128 */
        " (let %14 f32 (lanes max %9)) (let %15 f32x4 (load X :step 3 5))"          /* 3; X[3] X[8] X[13] X[18] */
        " (store Y :row 0 %1) (store Y :row 4 %4) (store Y :row 8 %6) (store Y :row 12 %7) (store Y :row 16 $r)"
        " (store Y :row 20 %9) (store Y 24 %10) (store Y 25 %13) (store Y 26 %14) (store Y :step 40 -2 %15)"
        " (store Y 27 :when (lt n 5) 1.0)"
        " (let %16 f32x4 (up 2 %9 %1)) (store Y :row 48 %16)))";                    /* 2 0 3 1 */
    fill();
    const float all[] = { 0, 3, 2, 0, 0, 0, X[20], 0, 3, 3, 3, 3, 3, 3, 3, 3, 5, 5, 5, 5, 3, 1, 3, 2, 0, -128, 3 };
    memcpy(want, all, sizeof all);
    for (int l = 0; l < 4; l++) want[40 - 2 * l] = X[3 + 5 * l];
    memcpy(want + 48, (float[]){ 2, 0, 3, 1 }, 4 * sizeof *want);
    judge(text, 64);
}

/* Each block turns its 64 elements around, through shared memory. */
#define TURNED(first_barrier, second_barrier) \
    XY("turned", "cuda") "(threads (t 64)) (step ((p (div n 128))) (for k 2 (shared s f32 64) " first_barrier \
    " (for c 64 :dealt (let %1 f32 (load X (add (mul 128 p) (mul 64 k) c))) (store s c %1)) " second_barrier \
    " (let %2 f32 (load s (sub 63 t))) (store Y (add (mul 128 p) (mul 64 k) t) %2))))"

static void a_shared_copy_between_barriers(void **state)
{
    (void)state;
    fill();
    for (int i = 0; i < 1024; i++) want[i] = X[i / 64 * 64 + 63 - i % 64];
    judge(TURNED("(barrier)", "(barrier)"), 1024);
}

static float merged(bool max, const float *v, int n)
{
    float all = v[0];
    for (int i = 1; i < n; i++) all = !max ? all + v[i] : v[i] > all ? v[i] : all;
    return all;
}

static void threads_merge(void **state)
{
    (void)state;
    static const int threads[] = { 1, 32, 40, 96, 1024 };
    for (int b = 0; b < 10; b++) {
        const int n = threads[b / 2];
        char text[400];
        snprintf(text, sizeof text,
                 XY("merged", "cuda") "(threads (t %d)) (step ()"
                 " (let %%1 f32 (load X t)) (let %%2 f32 (threads %s %%1)) (store Y t %%2)))",
                 n, b % 2 ? "max" : "sum");
        fill();
        for (int i = 0; i < n; i++) want[i] = merged(b % 2, X, n);
        judge(text, n);
    }
}

/* C = A B for A of 32 by 16 and B of 16 by 8: two warps, two turns of a product of 16 by 8 by 8. A lies in X from 0, B
 * from 512. */
#define PRODUCT(before, leaves, after) \
    XY("product", "cuda") "(threads (iw 2) (mg 8) (mt 4)) (step () (reg acc f32 2 2 :fragment mma_m16n8k8_tf32 " leaves ")" \
    " (set $acc[0][0] 0.0) (set $acc[0][1] 0.0) (set $acc[1][0] 0.0) (set $acc[1][1] 0.0)" \
    " (for k 2 :carry (acc)" \
    "  (let %1 f32 (load X (add (mul 256 iw) (mul 16 mg) (mul 8 k) mt)))" \
    "  (let %2 f32 (load X (add (mul 256 iw) (mul 16 mg) (mul 8 k) mt 128)))" \
    "  (let %3 f32 (load X (add (mul 256 iw) (mul 16 mg) (mul 8 k) mt 4)))" \
    "  (let %4 f32 (load X (add (mul 256 iw) (mul 16 mg) (mul 8 k) mt 132)))" \
    "  (let %5 f32 (load X (add 512 (mul 64 k) (mul 8 mt) mg)))" \
    "  (let %6 f32 (load X (add 544 (mul 64 k) (mul 8 mt) mg)))" \
    before "(tile mma_m16n8k8_tf32" \
    " $acc[0][0] %1 %2 %3 %4 %5 %6)" after ")" \
    " (store Y (add (mul 128 iw) (mul 8 mg) (mul 2 mt)) $acc[0][0])" \
    " (store Y (add (mul 128 iw) (mul 8 mg) (mul 2 mt) 1) $acc[0][1])" \
    " (store Y (add (mul 128 iw) (mul 8 mg) (mul 2 mt) 64) $acc[1][0])" \
    " (store Y (add (mul 128 iw) (mul 8 mg) (mul 2 mt) 65) $acc[1][1])))"

static void a_product_of_tiles(void **state)
{
    (void)state;
    fill();
    for (int i = 0; i < 32; i++)
        for (int j = 0; j < 8; j++) {
            want[8 * i + j] = 0;
            for (int k = 0; k < 16; k++) want[8 * i + j] += X[16 * i + k] * X[512 + 8 * k + j];
        }
    judge(PRODUCT("", "(0 mg mt 1 _)", ""), 640);
}

static void a_copy_of_a_tile(void **state)
{
    (void)state;
    fill();
    for (int i = 0; i < 256; i++) want[i] = i % 16 < 9 ? X[3 + i % 16 * 20 + i / 16] : 0;
    judge(XY("turn", "avx512") "(step () (tile tr16 Y 0 16 X 3 20 (min 16 n) 9)))", 400);
}

/* Lanes past the end gather from nowhere and add what has no content; nobody sees it. */
static void what_has_no_content_where_nobody_looks(void **state)
{
    (void)state;
    static const char text[] =
        "(code tail avx512 (syms n) (args (X read f32 n) (Y write f32 n) (T read i32 n))"
        " (step () (stack s f32 16) (stack k i64 16) (let %1 b16 (below n))"
        "  (let %2 i32x16 (load T :row 0 :mask %1)) (let %3 i64x16 (cast %2)) (store k :row 0 :mask %1 %3)"
        "  (let %4 f32x16 (load X :row 0 :mask %1)) (store s :row 0 :mask %1 %4)"
        "  (let %5 f32x16 (load s :row 0)) (let %6 b16 (lt %5 0.0)) (let %7 i64x16 (load k :row 0))"
        "  (let %8 f32x16 (load s :each %7 :mask %1)) (let %9 f32x16 (add %5 %5))"
        "  (let %10 f32x16 (select %6 %8 %9)) (store Y :row 0 :mask %1 %10)))";
    fill();
    for (int e = 0; e < 11; e++) T[e] = (int32_t)((e * 7) % 11);
    for (int e = 0; e < 11; e++) want[e] = X[e] < 0 ? X[T[e]] : 2 * X[e];
    judge(text, 11);
}

/* All threads write the same to one element of an arena, and each reads it again; sides not taken have no content. */
static void threads_may_write_the_same(void **state)
{
    (void)state;
    static const char text[] =
        "(code same cuda (syms n) (args (X read f32 n) (Y write f32 n) (a arena f32 2)) (threads (t 8))"
        " (step () (stack r f32 1) (let %7 f32 (load r 0)) (let %1 f32 (load X 3))"
        "  (store a 0 %1) (let %2 f32 (load a 0)) (let %3 f32 (load a 1))"
        "  (let %4 bool (test :when (lt 0 n))) (let %5 f32 (pick %4 %2 %7)) (let %6 f32 (select %4 %5 %3))"
        "  (store Y t %6)))";
    fill();
    for (int i = 0; i < 8; i++) want[i] = X[3];
    judge(text, 8);
}

/* Another step sees what the parts of one before it wrote to an arena, and an index may load. */
static void steps_follow_one_another(void **state)
{
    (void)state;
    static const char text[] =
        "(code steps generic (syms n) (args (a arena i32 n) (X read f32 n) (Y write f32 n))"
        " (step ((p n)) (let %1 i32 (index p)) (store a (sub n (add p 1)) %1))"
        " (step ((q (div n 4)) (r 4)) (let %1 f32 (load X (load a (add (mul 4 q) r))))"
        "  (store Y (add (mul 4 q) r) %1)))";
    fill();
    for (int i = 0; i < 40; i++) want[i] = X[39 - i];
    judge(text, 40);
}

static void each_part_has_scratch_of_its_own(void **state)
{
    (void)state;
    static const char text[] =
        "(code own generic (syms n) (args (X read f32 n) (Y write f32 n) (s scratch f32 2))"
        " (step ((p n)) (let %1 f32 (load X p)) (store s 1 %1) (let %2 f32 (load s 1)) (store Y p %2)))";
    fill();
    for (int i = 0; i < 40; i++) want[i] = X[i];
    judge(text, 40);
}

static void each_thread_reads_what_all_wrote_alike(void **state)
{
    (void)state;
    static const char text[] = "(code alike cuda (syms n) (args (Y update f32 n)) (threads (t 70))"
                               " (step ((p 1)) (store Y 0 1.0) (let %1 f32 (threads sum (f32 2.0)))"
                               " (let %2 f32 (load Y 0)) (let %3 f32 (add %1 %2)) (store Y (add t 1) %3)))";
    fill();
    for (int i = 0; i < 71; i++) want[i] = i ? 141 : 1;
    judge(text, 71);
}

/* Parts, turns, elements. */
static void counts_below_zero_are_none(void **state)
{
    (void)state;
    static const char text[] =
        "(code none generic (syms n) (args (Y write f32 n) (s scratch f32 (sub n 50)))"
        " (step ((p (sub n 50)) (q (sub n 51))) (store Y 0 1.0))"
        " (step () (for i :from -3 (sub n 50) (store Y 1 1.0))))";
    fill();
    judge(text, 40);
}

/* ---- what is wrong ---- */

typedef struct fault {
    const char *text;
    const char *says, *also; /* both are in the sentence, in any order of parts and threads */
    void (*spoil)(gn_code *);
} fault;

static void drop_first_node(gn_code *c)
{
    c->steps.at[0].body.kids.at++;
    c->steps.at[0].body.kids.n--;
}

static void rename_first_loop(gn_code *c)
{
    c->steps.at[0].body.kids.at[0]->var = "j";
}

#define ONE(name, step) XY(name, "avx512") "(step " step "))"
#define BLOCK(name, threads, nodes) XY(name, "cuda") "(threads (t " threads ")) (step ((p 1)) " nodes "))"

static const fault without_content[] = {
    { ONE("unwritten", "() (reg acc f32x4 3) (set $acc[1] 1.0) (let %1 f32x4 (add $acc[1] $acc[2]))"
          " (store Y :row 0 %1)"),
      "code unwritten, step 0, store Y %1: element 0 of Y would come from lane 0 of register 2 of acc, which has no "
      "content" },
    { ONE("forgotten", "() (reg acc f32) (set $acc 0.0)"
          " (for i n (let %1 f32 (load X i)) (let %2 f32 (add $acc %1)) (set $acc %2)) (store Y 0 $acc)"),
      "element 0 of Y would come from register acc, which has no content", "store Y" },
    { ONE("left", "() (reg last f32) (for i n (let %1 f32 (load X i)) (set $last %1)) (store Y 0 $last)"),
      "element 0 of Y would come from register last", "store Y" },
    { BLOCK("left", "8", "(reg last f32) (for i n (barrier) (set $last 1.0)) (store Y t $last)"),
      " of Y would come from register last", "store Y" },
    { "(code worker generic (syms n) (args (Y write f32 n) (s scratch f32 n))"
      " (step ((p 2)) (if :when (lt p 1) (store s 0 1.0)) (let %1 f32 (load s 0)) (store Y p %1)))",
      "element 1 of Y would come from element 0 of s", "code worker, step 0, part 1, store Y %1" },
    { ONE("again", "() (for i 2 (stack s f32 2) (store s i 1.0) (let %1 f32 (load s 0)) (store Y i %1))"),
      "element 1 of Y would come from element 0 of s", "store Y %1" },
    { ONE("lanes", "() (stack s f32 16) (let %1 b16 (below 11)) (store s :row 0 :mask %1 (f32x16 1.0))"
          " (let %2 f32x16 (load s :row 0)) (let %3 f32 (lanes sum %2)) (store Y 0 %3)"),
      "element 0 of Y would come from element 12 of s", "store Y %3" },
    { BLOCK("merge", "64", "(reg r f32) (if :when (lt t 63) (set $r 1.0)) (let %1 f32 (threads sum $r))"
            " (if :when (lt t 1) (store Y 0 %1))"),
      "element 0 of Y would come from register r", "thread 0, store Y %1" },
    { ONE("masked", "() (reg m b16) (store Y :row 0 :mask $m (f32x16 1.0))"),
      "lane 0 of the mask would come from lane 0 of register m", "store Y" },
    { ONE("gather", "() (stack s i64 16) (let %1 i64x16 (load s :row 0)) (let %2 f32x16 (load X :each %1))"),
      "the index of lane 0 would come from element 0 of s", "step 0, %2" },
    { "(code condition generic (syms n) (args (Y write f32 n) (a arena i32 n))"
      " (step () (if :when (lt 0 (load a 5)) (store Y 0 1.0))))",
      "an index would come from element 5 of a", "step 0, if:" },
    { ONE("choice", "() (reg c bool) (let %1 f32 (pick $c 1.0 2.0)) (store Y 0 %1)"),
      "element 0 of Y would come from register c", "store Y %1" },
};

static const fault races[] = {
    { ONE("parts", "((p n)) (store Y (div p 2) 1.0)"), "of Y: this part writes what part ", " of the step wrote" },
    { ONE("adding", "((p 2)) (let %1 f32 (load Y 0)) (let %2 f32 (add %1 1.0)) (store Y 0 %2)"),
      "a race for element 0 of Y: this part reads what part ", " of the step wrote" },
    { ONE("neighbours", "((p (sub n 1))) (let %1 f32 (load Y (add p 1))) (store Y p %1)"),
      "a race for element ", " of the step " },
    { "(code links generic (syms n) (args (T update i32 n))"
      " (step ((p (sub n 1))) (let %1 i32 (load T (load T p))) (store T (add p 1) %1)))",
      "a race for element ", " of T: this part " },
    { BLOCK("watched", "2", "(let %1 f32 (load Y 0)) (if :when (lt 0 t) (store Y 0 2.0))"),
      "a race for element 0 of Y: this thread ", " since the last barrier" },
    { TURNED("(barrier)", ""), " of s: this thread ", " since the last barrier" },
    { TURNED("", "(barrier)"), " of s: this thread writes what thread ", " read since the last barrier" },
    { BLOCK("bits", "64", "(let %1 f32 (index t)) (store Y (div t 2) %1)"), " of Y: this thread writes what thread ",
      " wrote since the last barrier" },
    { BLOCK("alike", "8", "(if :when (lt t 7) (store Y 0 1.0)) (let %1 f32 (threads sum (f32 1.0)))"
            " (let %2 f32 (load Y 0)) (store Y (add t 1) %2)"),
      "a race for element 0 of Y: this thread ", " since the last barrier" },
    { BLOCK("changed", "64", "(store Y 0 1.0) (let %1 f32 (threads sum (f32 1.0))) (if :when (lt t 1) (store Y 0 2.0))"),
      "a race for element 0 of Y: this thread writes what thread ", " wrote since the last barrier" },
    { BLOCK("shift", "16", "(store Y t 1.0) (let %1 f32 (load Y (mod (add t 1) 16))) (store Y (add t 16) %1)"),
      " of Y: this thread ", " since the last barrier" },
};

static const fault meetings[] = {
    { BLOCK("some", "64", "(if :when (lt t 32) (barrier))"), "thread 32, if: not all threads reach the barrier: ",
      "its condition holds in thread 0, not here" },
    { BLOCK("often", "64", "(for i (add 1 (div t 63)) (barrier))"),
      "thread 63, loop i: not all threads reach the barrier: ", "i runs from 0 to 2 here, from 0 to 1 in thread 0" },
    { BLOCK("merging", "64", "(if :unless (lt t 32) (let %1 f32 (threads sum (f32 1.0))))"),
      "thread 32, if: not all threads reach the merge: ", "its condition holds here, not in thread 0" },
    { BLOCK("dealing", "64", "(if :when (lt t 1) (for c 64 :dealt))"),
      "thread 1, if: not all threads reach the dealt loop" },
    { BLOCK("declaring", "64", "(for i t (shared s f32 64))"),
      "loop i: not all threads reach the declaration of shared memory" },
    { BLOCK("inner", "64", "(for c 64 :dealt (barrier))"),
      "barrier: not all threads reach the barrier: it stands in a dealt loop" },
    { PRODUCT("(if :when (lt mt 3)", "(0 mg mt 1 _)", ")"),
      ", if: not all threads reach the product of tiles" },
    { PRODUCT("", "(0 _ mt 1 _)", ""), "no thread of the group has element ", "tile mma_m16n8k8_tf32" },
    { PRODUCT("", "(0 mt mg 1 _)", ""), " of a tile of ", "tile mma_m16n8k8_tf32" },
    { BLOCK("crowd", "1025", ""), "code crowd: a block of 1025 threads; 1 to 1024 are possible" },
};

static const fault indices[] = {
    { ONE("far", "() (let %1 f32x16 (load X :row (sub n 15)))"), "%1: a load of element 40 of X, which has 40" },
    { ONE("early", "() (store Y -1 1.0)"), "store Y: a store to element -1 of Y, which has 40" },
    { "(code checked c11 (syms n) (args (T read i32 n :in 0 (sub 0 n)) (Y write f32 n)) (step () (store Y (load T 3) 1.0)))",
      "code checked, step 0, store Y: element 3 of T is ", ", outside of its :in" },
    { ONE("deep", "() (stack s f32 8) (let %1 f32 (load s 8))"), "a load of element 8 of s, which has 8" },
    { ONE("large", "() (let %1 f32 (load X (mul n 1152921504606846976)))"), "has no value: it overflows", ", %1: " },
    { ONE("wide", "() (let %1 i64x4 (iota 9223372036854775806 1))"),
      "the index 9223372036854775806 has no value: it overflows", ", %1: " },
    { ONE("many", "((p (mul n n n n n n)) (q (mul n n n n n n)))"),
      "code many, step 0: the number of parts overflows" },
    { ONE("unknown", "() (for i n (let %1 f32 (load X i)))"), "the index i has no value: 'i' is unknown here", ", %1: ",
      rename_first_loop },
    { ONE("unmade", "() (let %1 f32 (load X 0)) (store Y 0 %1)"), "%1 was not made", "store Y %1", drop_first_node },
};

/* In whatever order things run. */
static void are_told(const fault *f, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (uint64_t order = 0; order < ORDERS; order++) {
            const bool large = strstr(f[i].text, "code product") || strstr(f[i].text, "code turned");
            const running w = { .text = f[i].text, .spoil = f[i].spoil, .n = large ? 640 : 40, .order = order };
            fill();
            if (status_of(w) != GN_EINTERNAL) fail_msg("not told: %s: %s\n%s", f[i].says, gn_message(), f[i].text);
            assert_message_contains(f[i].says);
            if (f[i].also) assert_message_contains(f[i].also);
        }
}
#define ARE_TOLD(faults) are_told(faults, sizeof faults / sizeof *faults)

static void what_has_no_content_is_told(void **state)
{
    (void)state;
    ARE_TOLD(without_content);
}

static void races_are_told(void **state)
{
    (void)state;
    ARE_TOLD(races);
}

static void threads_that_do_not_meet_are_told(void **state)
{
    (void)state;
    ARE_TOLD(meetings);
}

static void indices_without_meaning_are_told(void **state)
{
    (void)state;
    ARE_TOLD(indices);
}

/* Which part or thread comes first depends on the seed, and on nothing else. */
static void judge_order(const char *text)
{
    char said[ORDERS][256];
    int others = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int order = 0; order < ORDERS; order++) {
            const running w = { .text = text, .n = 40, .order = (uint64_t)order };
            assert_int_equal(status_of(w), GN_EINTERNAL);
            if (pass) assert_string_equal(said[order], gn_message());
            snprintf(said[order], sizeof said[order], "%s", gn_message());
            others += strcmp(said[order], said[0]) != 0;
        }
    assert_true(others > ORDERS);
}

static void the_order_is_drawn(void **state)
{
    (void)state;
    judge_order(ONE("parts", "((p n)) (store Y -1 1.0)"));
    judge_order(BLOCK("threads", "64", "(store Y -1 1.0)"));
    judge_order(BLOCK("turns", "64", "(for c 64 :dealt (store Y -1 1.0))"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_with_tails),
        cmocka_unit_test(sums_in_carried_registers),
        cmocka_unit_test(values_of_all_kinds),
        cmocka_unit_test(a_shared_copy_between_barriers),
        cmocka_unit_test(threads_merge),
        cmocka_unit_test(a_product_of_tiles),
        cmocka_unit_test(a_copy_of_a_tile),
        cmocka_unit_test(what_has_no_content_where_nobody_looks),
        cmocka_unit_test(threads_may_write_the_same),
        cmocka_unit_test(steps_follow_one_another),
        cmocka_unit_test(each_part_has_scratch_of_its_own),
        cmocka_unit_test(each_thread_reads_what_all_wrote_alike),
        cmocka_unit_test(counts_below_zero_are_none),
        cmocka_unit_test(what_has_no_content_is_told),
        cmocka_unit_test(races_are_told),
        cmocka_unit_test(threads_that_do_not_meet_are_told),
        cmocka_unit_test(indices_without_meaning_are_told),
        cmocka_unit_test(the_order_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
