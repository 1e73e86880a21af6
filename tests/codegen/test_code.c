/* Code as text: printing and reading are inverse, and what is wrong is told with its place and reason. */
#include "testlib.h"
#include <string.h>
#include "code_text.h"

static const char axpy[] =
    "(code axpy avx512 (syms (n :min 1)) (args (X read f32 n) (Y write f32 n))\n"
    "  (step ((p (div (add n 1023) 1024)))\n"
    "    (for i (min (add (mul -64 p) (div (add n 15) 16)) 64)\n"
    "      (let %1 b16 (below (add (mul -16 i) n (mul -1024 p))))\n"
    "      (let %2 f32x16 (load X :row (add (mul 16 i) (mul 1024 p)) :mask %1))\n"
    "      (let %3 f32x16 (mul %2 2.0))\n"
    "      (store Y :row (add (mul 16 i) (mul 1024 p)) :mask %1 %3))))\n";

static const char sums[] =
    "(code sums c11 (syms (R :mul 4 :min 4) (C :is 10)) (args (T read i32 R) (X read f64 (mul 10 R)) (S write f64 R) (W scratch f64 16) (A arena f64 R))\n"
    "  (step ()\n"
    "    (for i R\n"
    "      (reg s f64)\n"
    "      (reg t f64 2 2)\n"
    "      (set $s 0.0)\n"
    "      (for j :from 1 10 :unroll 2 :carry (s)\n"
    "        (let %1 f64 (load X (add j (mul 10 (load T i))) :when (and (lt -1 (load T i)) (lt (load T i) R)) :unless (eq i 3)))\n"
    "        (set $t[1][0] %1)\n"
    "        (let %2 f64 (copy $s))\n"
    "        (let %3 f64 (add %2 $t[1][0]))\n"
    "        (set $s %3))\n"
    "      (let %4 bool (lt $s 1.5))\n"
    "      (let %5 bool (test :when (lt i 2)))\n"
    "      (let %6 f64 (select %4 0.1 $s))\n"
    "      (let %7 f64 (pick %5 %6 1e+100))\n"
    "      (let %8 f64 (cast %4))\n"
    "      (let %9 i32 (index (load T i) :when (lt i 2)))\n"
    "      (let %10 i32 (shl %9 31))\n"
    "      (let %11 bool (eq (f64 inf) (f64 nan)))\n"
    "      (if :when (lt 0 i) :unless (and (eq i 1) (lt i 3))\n"
    "        (store A i %7))\n"
    "      (store W 3 -0.0)\n"
    "      (store S i %8)))\n"
    "  (step ((q R))\n"
    "    (let %1 f64 (load A q))))\n";

static const char lanes[] =
    "(code lanes avx512 (syms n) (args (X read f32 (mul 16 n)) (I read i64 (mul 16 n)) (Y update f32 (mul 16 n)) (Z write f32 n))\n"
    "  (step ((p n))\n"
    "    (stack m f32 256)\n"
    "    (reg acc f32x16 2)\n"
    "    (set $acc[0] 0.0)\n"
    "    (let %1 i64x16 (index (div (add l (mul 16 p)) 3) :lane l))\n"
    "    (let %2 f32x16 (load X :each %1))\n"
    "    (let %3 i64x16 (iota (mul 16 p) 1))\n"
    "    (let %4 f32x16 (load Y :step (mul 16 p) 0))\n"
    "    (let %5 b16 (bit 3))\n"
    "    (let %6 b16 (gt %2 3.0))\n"
    "    (let %7 f32x16 (select %6 %2 %4))\n"
    "    (let %8 f32 (lanes sum %7))\n"
    "    (let %9 f32 (lane 3 %7))\n"
    "    (let %10 f32x4 (pack %8 %9 1.0 2.0))\n"
    "    (let %11 f32x16 (fma %7 $acc[0] (splat %8)))\n"
    "    (let %12 bool (lanes any %6))\n"
    "    (let %13 f32x16 (pick %12 %7 0.0))\n"
    "    (let %14 u32x16 (bitcast %13))\n"
    "    (let %15 u32x16 (bit_and %14 2147483648))\n"
    "    (let %16 f32 (lanes max (splat 16 %8)))\n"
    "    (tile tr16 m 0 16 X (mul 16 p) 16 16 1)\n"
    "    (store Y :each %3 (f32x16 0.0))\n"
    "    (store Y :row (mul 16 p) :mask %5 %11)\n"
    "    (store Z p %16)))\n";

static const char block[] =
    "(code block cuda (syms (n :min 1)) (args (A read f32 (mul 16 n)) (B read f32 64) (C write f32 (mul 8 n)))\n"
    "  (threads (ty 8) (tx 4))\n"
    "  (step ((bx n))\n"
    "    (shared t f32 64)\n"
    "    (reg acc f32 2 2)\n"
    "    (set $acc[0][0] 0.0)\n"
    "    (set $acc[0][1] 0.0)\n"
    "    (set $acc[1][0] 0.0)\n"
    "    (set $acc[1][1] 0.0)\n"
    "    (for k 2 :carry (acc)\n"
    "      (barrier)\n"
    "      (for c 64 :dealt\n"
    "        (let %1 f32 (load B c))\n"
    "        (store t c %1))\n"
    "      (barrier)\n"
    "      (let %2 f32 (load t (add tx (mul 8 ty))))\n"
    "      (tile mma_m16n8k8_tf32 (_ ty tx _ _) $acc[0][0] $acc[0][1] $acc[1][0] $acc[1][1] %2 %2 %2 1.0 %2 %2))\n"
    "    (let %3 f32 (threads sum $acc[0][0]))\n"
    "    (if :when (lt tx 1)\n"
    "      (store C (add (mul 8 bx) ty) %3))))\n";

static const char *const texts[] = { axpy, sums, lanes, block };

typedef struct attempt {
    const char *text;
    size_t length;
    gn_arena arena;
    gn_code *code;
} attempt;

static void try_reading(void *arg)
{
    attempt *const t = arg;
    const gn_sx *const x = gn_sx_read(&t->arena, "test", t->text, t->length);
    if (x->n == 0) gn_throw(GN_ESYNTAX, "nothing");
    t->code = gn_code_read(&t->arena, "test", x->at[0]);
}

static const char *printed(attempt *t)
{
    gn_text out = { .arena = &t->arena };
    gn_code_print(&out, t->code);
    return gn_text_done(&out);
}

static attempt read_text(const char *text)
{
    attempt t = { .text = text, .length = strlen(text) };
    if (gn_protect(try_reading, &t)) fail_msg("%s\n%s", gn_message(), text);
    return t;
}

static void printing_gives_what_was_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        attempt t = read_text(texts[i]);
        assert_string_equal(printed(&t), texts[i]);
        gn_arena_free(&t.arena);
    }
}

static void reading_gives_what_was_printed(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    gn_text deep = { .arena = &a };
    gn_text_add(&deep, "(code large c11 (syms a b) (args (X read f32 ");
    for (int i = 0; i < 20; i++) gn_text_add(&deep, "(max (div ");
    gn_text_add(&deep, "b");
    for (int i = 0; i < 20; i++) gn_text_add(&deep, " b) a)");
    gn_text_add(&deep, ")) (step ()))");
    attempt first = read_text(gn_text_done(&deep));
    const char *const text = printed(&first);
    attempt second = read_text(text);
    assert_non_null(strstr(text, "(@0 "));
    assert_string_equal(printed(&second), text);
    gn_arena_free(&a);
    gn_arena_free(&first.arena);
    gn_arena_free(&second.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printing_gives_what_was_read),
        cmocka_unit_test(reading_gives_what_was_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
