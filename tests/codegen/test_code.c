/* Code as text: printing and reading are inverse, and what is wrong is told with its place and reason. */
#include "testlib.h"
#include <string.h>
#include "code_text.h"
#include "code_verify.h"

static const char axpy[] =
    "(code axpy avx512 (syms (n :min 1)) (args (X read f32 n) (Y write f32 n))\n"
    "  (step ((p (div (add n 1023) 1024)))\n"
    "    (for i (min (add (mul -64 p) (div (add n 15) 16)) 64)\n"
    "      (let %1 b16 (below (add (mul -16 i) n (mul -1024 p))))\n"
    "      (let %2 f32x16 (load X :row (add (mul 16 i) (mul 1024 p)) :mask %1))\n"
    "      (let %3 f32x16 (mul %2 2.0))\n"
    "      (store Y :row (add (mul 16 i) (mul 1024 p)) :mask %1 %3))))\n";

static const char sums[] = "(code sums c11 (syms (R :mul 4 :min 4) (C :is 10)) (args (T read i32 R) (X read f64 (mul "
                           "10 R)) (S write f64 R) (W scratch f64 16) (A arena f64 R))\n"
                           "  (step ()\n"
                           "    (for i R\n"
                           "      (reg s f64)\n"
                           "      (reg t f64 2 2)\n"
                           "      (set $s 0.0)\n"
                           "      (for j :from 1 10 :unroll 2 :carry (s)\n"
                           "        (let %1 f64 (load X (add j (mul 10 (load T i))) :when (and (lt -1 (load T i)) (lt "
                           "(load T i) R)) :unless (eq i 3)))\n"
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

static const char lanes[] = "(code lanes avx512 (syms n) (args (X read f32 (mul 16 n)) (I read i64 (mul 16 n)) (Y "
                            "update f32 (mul 16 n)) (Z write f32 n))\n"
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
                            "    (let %17 f32x16 (up 4 %13 1.0))\n"
                            "    (tile tr16 m 0 16 X (mul 16 p) 16 16 1)\n"
                            "    (store Y :each %3 (f32x16 0.0))\n"
                            "    (store Y :row (mul 16 p) :mask %5 %11)\n"
                            "    (store Z p %16)))\n";

static const char block[] =
    "(code block cuda (syms (n :min 1)) (args (A read f32 (mul 16 n)) (B read f32 64) (C write f32 (mul 8 n)))\n"
    "  (threads (ty 8) (tx 4))\n"
    "  (step ((bx n))\n"
    "    (shared t f32 64)\n"
    "    (reg acc f32 2 2 :fragment mma_m16n8k8_tf32 (0 ty tx 1 _))\n"
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
    "      (name own (mul 8 ty))\n"
    "      (let %2 f32 (load t (add own tx)))\n"
    "      (tile mma_m16n8k8_tf32 $acc[0][0] %2 %2 %2 1.0 %2 %2))\n"
    "    (let %3 f32 (threads sum $acc[0][0]))\n"
    "    (if :when (lt tx 1)\n"
    "      (store C (add (mul 8 bx) ty) %3))))\n";

static const char ring[] =
    "(code ring cuda (syms n) (args (X read f32 n) (Y update f32 n))\n"
    "  (threads (t 4))\n"
    "  (step ()\n"
    "    (shared b f32 12)\n"
    "    (reg k token 2)\n"
    "    (async b t X t :when (lt t n))\n"
    "    (commit k)\n"
    "    (async b (add t 4) X (add t 4) :when (lt (add t 4) n))\n"
    "    (commit k)\n"
    "    (for i (div (add n 3) 4) :carry (k)\n"
    "      (await $k[0])\n"
    "      (barrier)\n"
    "      (async b (add t (mul 4 (mod (add i 2) 3))) X (add (mul 4 i) t 8) :when (lt (add (mul 4 i) t 8) n))\n"
    "      (commit k)\n"
    "      (let %1 f32 (load b (add (mul -1 t) (mul 4 (mod i 3)) 3)))\n"
    "      (store Y (add (mul 4 i) t) :when (lt (add (mul 4 i) t) n) %1))\n"
    "    (await $k[1])))\n";

static const char roles[] =
    "(code roles cuda (syms n) (args (X read f32 n :align 16) (Y update f32 n))\n"
    "  (threads (t 64))\n"
    "  (step ()\n"
    "    (shared b f32 64)\n"
    "    (reg full barrier:64 2)\n"
    "    (reg empty barrier:64)\n"
    "    (roles\n"
    "      (role copy 1\n"
    "        (reg k token)\n"
    "        (for i n\n"
    "          (async 4 b (mul 4 (mod t 8)) X (mul 4 (mod t 8)) :when (lt 9 n))\n"
    "          (commit k)\n"
    "          (await $k)\n"
    "          (arrive full (mod i 2))\n"
    "          (sync empty)))\n"
    "      (role use 1\n"
    "        (for i n\n"
    "          (sync full (mod i 2))\n"
    "          (let %1 f32 (load b (add t -32)))\n"
    "          (store Y (add t -32) :when (lt t (add n 32)) %1)\n"
    "          (arrive empty))))))\n";

static const char *const texts[] = { axpy, sums, lanes, block, ring, roles };

typedef struct attempt {
    const char *text;
    size_t length;
    bool verifies;
    gn_arena arena;
    gn_code *code;
} attempt;

static void try_reading(void *arg)
{
    attempt *const t = arg;
    const gn_sx *const x = gn_sx_read(&t->arena, "test", t->text, t->length);
    if (x->n == 0) gn_throw(GN_ESYNTAX, "nothing");
    t->code = gn_code_read(&t->arena, "test", x->at[0]);
    if (t->verifies) gn_code_verify(t->code);
}

static const char *printed(attempt *t)
{
    gn_text out = { .arena = &t->arena };
    gn_code_print(&out, t->code);
    return gn_text_done(&out);
}

static void read_text(attempt *t, const char *text) /* the code knows the arena */
{
    *t = (attempt){ .text = text, .length = strlen(text), .verifies = true };
    if (gn_protect(try_reading, t)) fail_msg("%s\n%s", gn_message(), text);
}

static void printing_gives_what_was_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        attempt t;
        read_text(&t, texts[i]);
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
    attempt first;
    read_text(&first, gn_text_done(&deep));
    const char *const text = printed(&first);
    attempt second;
    read_text(&second, text);
    assert_non_null(strstr(text, "(@0 "));
    assert_string_equal(printed(&second), text);
    gn_arena_free(&a);
    gn_arena_free(&first.arena);
    gn_arena_free(&second.arena);
}

/* ---- what is refused ---- */

typedef struct refusal {
    const char *text, *says;
} refusal;

#define ARGS "(syms n) (args (X read f32 n) (T read i32 n) (Y write f32 n))"
#define C11(...) "(code k c11 " ARGS " (step ((p n)) " __VA_ARGS__ "))"
#define CHECKED(below, ...)                                                                                            \
    "(code k c11 (syms n) (args (X read f32 n) (T read i32 n :in 0 " below ") (Y write f32 n)) (step ((p n)) " __VA_ARGS__ "))"
#define AVX(...) "(code k avx512 " ARGS " (step ((p n)) " __VA_ARGS__ "))"
#define CUDA(...) "(code k cuda " ARGS " (threads (a 8) (b 4)) (step ((p n)) " __VA_ARGS__ "))"

#define FRAGMENT(type, map, c) \
    CUDA("(reg c " type " :fragment mma_m16n8k8_tf32 " map ") (tile mma_m16n8k8_tf32 " c " 1 1 1 1 1 1)")

static const refusal unreadable[] = {
    { "(kernel k)", "test:1:1: (code NAME TARGET ..) was expected" },
    { "(code 1k c11 (syms) (args) (step ()))", "test:1:7: '1k' is no name: letters, digits and _" },
    { "(code k z80 (syms) (args) (step ()))", "test:1:9: 'z80' is no target" },
    { "(code k c11 (args) (syms) (step ()))", "test:1:13: (syms ..) was expected" },
    { "(code k c11 (syms n n) (args) (step ()))", "test:1:21: the name 'n' is taken" },
    { "(code k c11 (syms (n :max 3)) (args) (step ()))", "test:1:22: expected :mul, :min or :is" },
    { "(code k c11 (syms (n :mul 0)) (args) (step ()))",
      "test:1:22: expected :mul, :min or :is" },
    { "(code k c11 (syms) (args (X read f33 1)) (step ()))", "test:1:34: 'f33' is no dtype" },
    { "(code k c11 (syms) (args (X r f32 1)) (step ()))",
      "test:1:29: 'r': read, write, update, arena, scratch or tensor_map was expected" },
    { "(code k c11 (syms) (args (X read f32 m)) (step ()))", "test:1:38: no symbol or variable 'm' here" },
    { "(code k c11 (syms) (args (X read f32 1 1)) (step ()))", "test:1:40: nothing more was expected here" },
    { "(code k c11 (syms) (args (T read i32 1 :in 1 2)) (step ()))", "test:1:44: a number from 0 to 0 was expected, not '1'" },
    { "(code k c11 (syms) (args (T read i32 1 :in 0)) (step ()))", "an extent is missing" },
    { "(code k c11 (syms) (args))", "test:1:1: a step is missing" },
    { "(code k c11 (syms) (args) (step))", "test:1:27: a list of parts is missing" },
    { "(code k cuda (syms n) (args) (threads (a n)) (step ()))",
      "test:1:39: the number of threads 'a' is no constant" },
    { C11("(lett %1 f32 (load X p))"),
      "'lett' is no node: let, set, store, reg, stack, shared, for, if, name, barrier, tile, async, commit, await, roles, role, arrive and sync are" },
    { C11("(let %1 f32 (load Z p))"), "test:1:107: no place 'Z' here" },
    { C11("(let %1 f32 (load X q))"), "no symbol or variable 'q' here" },
    { C11("(let %1 f32 (load X))"), "an index is missing" },
    { C11("(let %1 f32 (load X (load p 1)))"), "no place 'p' here" },
    { C11("(let %1 f32 (load X 99999999999999999999))"), "a dim was expected" },
    { C11("(let %0 f32 (load X p))"), "'%0' is no value: %1, %2, .." },
    { C11("(let %4294967296 f32 (load X p))"), "'%4294967296' is no value" },
    { C11("(let %1 f32y (load X p))"), "'f32y' is no type: f32, f32x16, bool, b16 are some" },
    { C11("(let %1 f32x (load X p))"), "'f32x' is no type" },
    { C11("(let %1 b99999999999999999999 (below 1))"), "'b99999999999999999999' is no type" },
    { C11("(let %1 f32 %2)"), "a value was expected" },
    { C11("(let %1 f32 (neg %2))"), "%2 is not made before" },
    { C11("(let %1 f32 (neg %1))"), "%1 is not made before" },
    { C11("(for i n (let %1 f32 (load X i))) (let %2 f32 (neg %1))"), "%1 is out of scope: its region has ended" },
    { C11("(let %1 f32 (load X p)) (let %1 f32 (load X p))"), "%1 is made twice in this step" },
    { C11("(let %1 f32 (load X p))) (step () (let %2 f32 (neg %1))"), "%1 is not made before" },
    { C11("(let %1 f32 (wobble 1.0))"), "'wobble' is no operation" },
    { C11("(let %1 f32 (reshape 1.0))"), "'reshape' is no operation" },
    { C11("(let %1 f32 (square 1.0 1.0))"), "square takes 1 operand, 2 given" },
    { C11("(let %1 f32 (add 1.0))"), "add takes 2 operands, 1 given" },
    { C11("(let %1 f32 (pick 1 1.0))"), "pick takes 3 operands, 2 given" },
    { C11("(let %1 f32 (neg (quux 1.0)))"), "'quux' is no type" },
    { C11("(let %1 f32 (neg 1.x))"), "'1.x' is no f32" },
    { C11("(let %1 bool (lt 1 2))"), "nothing here says the type of 1: (f32 1), (f32x16 1) or another" },
    { C11("(let %1 i32 (neg 2147483648))"), "a number from -2147483648 to 2147483647 was expected, not '2147483648'" },
    { C11("(let %1 u64 (neg 18446744073709551616))"), "a number from 0 to 18446744073709551615 was expected" },
    { C11("(let %1 f32 (lanes mean 1.0))"), "'mean' is no reduction: sum prod max min any all" },
    { C11("(let %1 bool (test))"), "(test :when (lt a b)) was expected" },
    { C11("(let %1 bool (test :when (le p 1)))"), "(lt a b) or (eq a b) was expected" },
    { C11("(let %1 bool (test :when (and)))"), "(and test ..) with 0 tests" },
    { C11("(let %1 i64 (index p :lane l))"), "a scalar has no lane" },
    { C11("(if (store Y p 1.0))"), "(if :when (lt a b) node ..) was expected" },
    { C11("(for p n)"), "the name 'p' is taken" },
    { C11("(for X n)"), "the name 'X' is taken" },
    { C11("(for i n (for i n))"), "the name 'i' is taken" },
    { C11("(name p n)"), "the name 'p' is taken" },
    { C11("(name i q)"), "no symbol or variable 'q' here" },
    { C11("(name i)"), "an index is missing" },
    { C11("(name i n n)"), "nothing more was expected here" },
    { C11("(for k n (name i k)) (let %1 f32 (load X i))"), "no symbol or variable 'i' here" },
    { C11("(for i n :unroll 70000)"), "a number from 1 to 65535 was expected" },
    { C11("(for i n :carry (X))"), "'X' is no register" },
    { C11("(for i n (reg r f32)) (for i n (reg r f64))"), "'r' is declared before, as something else" },
    { C11("(for i n (reg r f32)) (set $r 1.0)"), "no place 'r' here" },
    { C11("(reg r f32) (stack r f32 4)"), "the name 'r' is taken" },
    { C11("(reg r f32 300 300)"), "a number from 1 to 218 was expected, not '300'" },
    { C11("(stack m f32 n)"), "a number from 1 to 2147483647 was expected, not 'n'" },
    { C11("(reg r f32 2) (set $r[2] 1.0)"), "'$r[2]': dim 0 has 2 registers" },
    { C11("(reg r f32 2) (set $r 1.0)"), "r has 1 dims: $r[0].. names one of its registers" },
    { C11("(reg r f32) (set $r[0] 1.0)"), "'$r[0]' is no register of r" },
    { C11("(set $Y 1.0)"), "'Y' is no register" },
    { C11("(reg r f32) (store r 0 1.0)"), "'r' is a register: $r" },
    { C11("(tile tr16 Y 0 1 X 0 1 1 1)"), "the target c11 has no tile operation 'tr16'" },
    { AVX("(let %1 f32x16 (load X p))"), "one element has one lane, 16 were expected: :row, :step or :each" },
    { AVX("(let %1 i64x16 (index p))"), "a vector's index says its lane: :lane NAME" },
    { AVX("(let %1 i64x16 (index p :lane p))"), "the name 'p' is taken" },
    { AVX("(let %1 f32x16 (load X :row p)) (store Y :row p (splat 1.0))"),
      "nothing here says how many lanes: (splat LANES operand)" },
    { AVX("(tile tr16 X 0)"), "a stride is missing" },
    { CUDA("(reg c f32 4 :fragment mma_m16n8k8_tf32 (a))"), "mma_m16n8k8_tf32 has 5 leaves, 1 given" },
    { CUDA("(reg c f32 4 :fragment mma_m16n8k8_tf32 (_ c _ _ _))"), "no variable 'c' here" },
    { CUDA("(reg c f32 4 :fragment wobble (_))"), "the target cuda has no tile product 'wobble'" },
    { CUDA("(reg c f32 4 :fragment mma_m16n8k8_tf32 (8 a b 1 _))"), "a number from 0 to 7 was expected, not '8'" },
    { CUDA("(reg c f32 4) (tile mma_m16n8k8_tf32 $c[0] 1 1 1 1 1 1)"), "'c' is no fragment of mma_m16n8k8_tf32" },
    { CUDA("(reg c f32 2 2 2 2 2 2 2 2 2)"), "more than 8 dims" },
};

static const refusal wrong[] = {
    { "(code k c11 (syms n) (args (X read f16 n)) (step () (let %1 f16 (load X 0))))",
      "code k: step 0: %1: it: f16 is only kept, no target computes with it; f32 does" },
    { "(code k c11 (syms n) (args (T read i32 n) (X read f32 (load T 0))) (step ()))",
      "code k: X: its size is not over symbols alone" },
    { "(code k c11 (syms n) (args (X read f32 n :in 0 n)) (step ()))",
      "code k: X: :in is of whole numbers that are read alone" },
    { "(code k c11 (syms n) (args (T update i32 n :in 0 n)) (step ()))",
      "code k: T: :in is of whole numbers that are read alone" },
    { "(code k c11 (syms n) (args (T read i32 n) (U read i32 n :in 0 (load T 0))) (step ()))",
      "code k: U: its :in is not over symbols alone" },
    { "(code k cuda (syms n) (args (X scratch f32 n)) (step ()))",
      "code k: X: the target cuda has no memory of workers" },
    { "(code k c11 (syms) (args) (threads (a 8)) (step ()))", "code k: the target c11 has no blocks of threads" },
    { "(code k cuda (syms) (args) (threads (a 64) (b 64)) (step ()))", "code k: a block has at most 1024 threads" },
    { "(code k cuda (syms) (args) (threads (a 0)) (step ()))",
      "code k: the number of threads 'a' is no constant of at least 1" },
    { "(code k c11 (syms) (args (T read i32 4)) (step ((p (load T 0)))))",
      "code k: step 0: the count of the parts 'p' is not over symbols alone" },
    { "(code k cuda (syms) (args) (threads (a 8)) (step ()) (step ((p a))))",
      "step 1: the count of the parts 'p' is not over symbols alone" },
    { C11("(reg r f32 513)"), "code k: r: a place has 1 to 512 registers" },
    { C11("(stack m f32 262145)"), "code k: m: more than 1048576 bytes together" },
    { C11("(shared m f32 4)"), "code k: m: more than 0 bytes together" },
    { CUDA("(shared m f32 58112) (shared o bool 1)"), "code k: o: more than 232448 bytes together" },
    { C11("(reg r f32x4)"), "code k: r: the target c11 has no f32x4" },
    { AVX("(reg r i8x4)"), "code k: r: the target avx512 has no i8x4" },
    { AVX("(reg r f32x3)"), "code k: r: the target avx512 has no f32x3" },
    { C11("(let %1 f32 (load Y p))"), "code k: step 0: %1: 'Y' is only written" },
    { C11("(store X p 1.0)"), "code k: step 0: store X: 'X' is only read" },
    { C11("(let %1 f64 (load X p))"), "%1: 'X' is f32, f64 was expected" },
    { C11("(store Y (load Y p) 1.0)"), "store Y: an index loads 'Y', which is only written" },
    { C11("(store Y (load X p) 1.0)"), "store Y: an index loads 'X', which is f32" },
    { C11("(stack m i32 4) (store Y (load m 0) 1.0)"), "an index loads 'm', which is no argument" },
    { C11("(store Y p (f64 1.0))"), "store Y: 'Y' is f32, f64 was expected" },
    { C11("(reg r f32) (set $r (i32 1))"), "set $r: the value is i32, f32 was expected" },
    { C11("(let %1 i32 (load T p)) (let %2 f32 (add %1 1.0))"), "%2: operand 1 is i32, f32 was expected" },
    { C11("(let %1 i32 (load T p)) (let %2 f32 (add 1.0 %1))"), "%2: operand 2 is i32, f32 was expected" },
    { C11("(let %1 i32 (load T p)) (let %2 bool (lt %1 (f32 1.0)))"), "%2: operand 2 is f32, i32 was expected" },
    { C11("(let %1 i32 (load T p)) (let %2 i32 (lt %1 1))"), "%2: lt gives a bool" },
    { C11("(let %1 i32 (load T p)) (let %2 i32 (select %1 1 2))"), "%2: the condition is i32, bool was expected" },
    { C11("(let %1 i32 (load T p)) (let %2 i32 (sqrt %1))"), "%2: sqrt takes no i32" },
    { C11("(let %1 f32 (load X p)) (let %2 f32 (shl %1 1.0))"), "%2: shl takes no f32" },
    { C11("(let %1 f32 (load X p)) (let %2 u64 (bitcast %1))"), "%2: bitcast of f32 to u64, which have other sizes" },
    { C11("(let %1 f32 (load X p)) (let %2 f32 (square %1))"), "%2: the target c11 has no square of f32" },
    { C11("(let %1 f32 (load X p)) (let %2 f32 (pick %1 1.0 2.0))"), "%2: the condition is f32, bool was expected" },
    { C11("(let %1 f32 (load X p)) (let %2 f32 (lane 0 %1))"), "%2: it makes a scalar of a vector" },
    { C11("(let %1 f32 (iota 0 1))"), "%1: iota is a vector of numbers" },
    { C11("(let %1 f32 (test :when (lt p 1)))"), "%1: a test is a bool" },
    { C11("(let %1 bool (below 3))"), "%1: a mask is a vector of bool" },
    { C11("(let %1 f32 (load X p :mask (bool 1)))"), "%1: a mask of one lane" },
    { C11("(let %1 f32 (load X :row p))"), "%1: 1 lanes of 'X': one element has one" },
    { AVX("(let %1 b8 (below 3)) (let %2 f32x16 (load X :row p :mask %1))"), "%2: the mask is b8, b16 was expected" },
    { AVX("(let %1 i32x16 (iota 0 1)) (let %2 f32x16 (load X :each %1))"),
      "%2: the index is i32x16, i64x16 was expected" },
    { AVX("(let %1 f32x8 (load X :row p)) (let %2 f32x16 (neg %1))"), "%2: operand 1 is f32x8, f32x16 was expected" },
    { AVX("(let %1 f32x8 (load X :row p)) (let %2 f32x16 (neg (splat %1)))"),
      "%2: operand 1: a splat is of one scalar of its dtype" },
    { AVX("(let %1 f32x8 (load X :row p)) (let %2 f32 (lane 8 %1))"), "%2: lane 8 of 8" },
    { AVX("(let %1 f32x8 (load X :row p)) (let %2 f32x8 (up 3 %1 0.0))"),
      "%2: moves 8 lanes up by 3, which is no smaller power of 2" },
    { AVX("(let %1 f32x8 (load X :row p)) (let %2 f32x8 (up 8 %1 0.0))"),
      "%2: moves 8 lanes up by 8, which is no smaller power of 2" },
    { AVX("(let %1 f32x8 (load X :row p)) (let %2 f32 (lanes any %1))"),
      "%2: any and all reduce bool, the others numbers" },
    { AVX("(let %1 f32x4 (pack 1.0 2.0 3.0 (f32x4 1.0)))"), "%1: operand 4 is f32x4, f32 was expected" },
    { AVX("(let %1 f32 (threads sum 1.0))"),
      "%1: a reduction over threads: the target avx512 has no blocks of threads" },
    { AVX("(barrier)"), "barrier: a barrier: the target avx512 has no blocks of threads" },
    { AVX("(for i n :dealt)"), "loop i: a loop dealt out to threads: the target avx512 has no blocks of threads" },
    { AVX("(tile tr16 T 0 1 X 0 1 1 1)"), "tile tr16: 'T' is only read" },
    { CUDA("(if :when (lt a 1) (barrier))"), "barrier: a barrier that not all threads reach together: it is in 'if'" },
    { CUDA("(if :when (lt a 1) (shared m f32 4))"),
      "place m: shared memory that not all threads reach together: it is in 'if'" },
    { CUDA("(for i (load T 0) (barrier))"),
      "barrier: a barrier that not all threads reach together: it is in 'loop i'" },
    { CUDA("(for i :from b 4 (for j n (barrier)))"),
      "a barrier that not all threads reach together: it is in 'loop i'" },
    { CUDA("(for i n :dealt (for j i (let %1 f32 (threads sum 1.0))))"),
      "%1: a reduction over threads that not all threads reach together: it is in 'loop i'" },
    { CUDA("(for i n :dealt (for j n :dealt))"),
      "loop j: a loop dealt out to threads that not all threads reach together" },
    { FRAGMENT("f32 2 2", "(0 a b 1 _)", "$c[0][1]"), "register 1 of c is not the first of a fragment" },
    { FRAGMENT("f32 2 2", "(0 b a 1 _)", "$c[0][0]"), "'b' counts to another number than the leaf 'mg' of the row, 8" },
    { FRAGMENT("f32 2 2", "(0 _ b 1 _)", "$c[0][0]"), "no thread variable counts along the leaf 'mg' of the row" },
    { FRAGMENT("f32 2 2", "(b a _ 1 _)", "$c[0][0]"), "threads do not count along the leaf 'ir' of the row" },
    { FRAGMENT("f32 2 2", "(0 p b 1 _)", "$c[0][0]"), "the leaf 'p' is no thread variable" },
    { FRAGMENT("f32 2 3", "(0 a b 1 _)", "$c[0][0]"), "no dim of 2 registers counts along the leaf 'jr' of the row" },
    { FRAGMENT("f32 2 2", "(0 a b 2 _)", "$c[0][0]"), "no dim of 2 registers counts along the leaf 'jr' of the row" },
    { FRAGMENT("f32 2 2", "(0 a b _ _)", "$c[0][0]"), "no dim of 2 registers counts along the leaf 'jr' of the row" },
    { FRAGMENT("f32 2 2", "(0 a b 1 1)", "$c[0][0]"), "registers do not count along the leaf 'kt' of the row" },
    { FRAGMENT("f32 2 2", "(0 a b 0 _)", "$c[0][0]"), "the leaves 'ir' and 'jr' of the row are counted by one thing" },
    { FRAGMENT("f64 2 2", "(0 a b 1 _)", "$c[0][0]"), "c is f64, f32 was expected" },
    { FRAGMENT("f32 2 2", "(0 a b 1 _)", "$c[0][0]"),
      "tile mma_m16n8k8_tf32: reads $c, which is not set on every way to it" },
    { C11("(reg r f32) (store Y p $r)"), "store Y: reads $r, which is not set on every way to it" },
    { C11("(reg r f32) (for i n (set $r 1.0)) (store Y p $r)"),
      "store Y: reads $r, which is not set on every way to it" },
    { C11("(reg r f32) (if :when (lt p 1) (set $r 1.0)) (store Y p $r)"),
      "store Y: reads $r, which is not set on every way to it" },
    { C11("(for i 2 (reg r f32) (for j 2 (let %1 f32 (neg $r)) (set $r %1)))"),
      "%1: reads $r, which is not set on every way to it" },
    { C11("(for i 2 (reg r f32) (set $r 1.0)) (for i 2 (reg r f32) (store Y p $r))"),
      "store Y: reads $r, which is not set on every way to it" },
    { C11("(reg r f32) (set $r 0.0) (for i n (let %1 f32 (neg $r)) (set $r %1))"), "loop i: :carry lacks 'r'" },
    { C11("(reg r f32) (set $r 0.0) (for i n (set $r 1.0)) (store Y p $r)"), "loop i: :carry lacks 'r'" },
    { C11("(reg r f32) (for i n :carry (r) (set $r 1.0) (store Y i $r))"),
      "loop i: :carry lists 'r', which no turn leaves to the next or to what follows" },
    { C11("(reg r f32) (set $r 0.0) (for i n :carry (r) (store Y i $r))"),
      "loop i: :carry lists 'r', which no turn leaves to the next or to what follows" },
    { C11("(reg r f32) (set $r 0.0) (for i n :carry (r r) (let %1 f32 (neg $r)) (set $r %1))"),
      "loop i: :carry lists 'r' twice" },
};

static bool refuses(const refusal *r, gn_status status)
{
    attempt t = { .text = r->text, .length = strlen(r->text), .verifies = status == GN_EINVAL };
    const gn_status got = gn_protect(try_reading, &t);
    const bool as_said = got == status && strstr(gn_message(), r->says);
    if (!as_said)
        print_error("%s\n%s: %s\nexpected '%s'\n", r->text, gn_status_name(got), got ? gn_message() : "", r->says);
    gn_arena_free(&t.arena);
    return as_said;
}

static void what_is_not_of_its_form_is_told_with_its_place(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) all &= refuses(&unreadable[i], GN_ESYNTAX);
    assert_true(all);
}

static void what_means_nothing_is_told_with_its_node(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) all &= refuses(&wrong[i], GN_EINVAL);
    assert_true(all);
}

/* ---- what goes from turn to turn ---- */

static const char *const carrying[] = {
    C11("(reg r f32) (for i 2 :carry (r) (set $r 1.0)) (store Y p $r)"), /* it runs */
    C11("(reg r f32) (set $r 0.0) (for i n :carry (r) (set $r 1.0)) (store Y p $r)"),
    C11("(reg r f32) (for i n (set $r 0.0) (for j n :carry (r) (let %1 f32 (neg $r)) (set $r %1)) (store Y i $r))"),
    C11("(reg r f32) (set $r 0.0) (for i n :carry (r) (for j n :carry (r) (let %1 f32 (neg $r)) (set $r %1)))"),
    C11("(reg r f32) (set $r 0.0) (for i n :carry (r) (store Y i $r) (for j n :carry (r) (set $r 1.0)))"),
    C11("(reg r f32) (set $r 0.0) (for i n :carry (r) (if :when (lt i 3) (set $r 1.0)) (store Y i $r))"),
    C11("(reg r f32) (set $r 0.0) (for i n (set $r 1.0) (for j n (store Y j $r)))"),
    C11("(for k n (reg r f32) (set $r 0.0) (for i n :carry (r) (let %1 f32 (neg $r)) (set $r %1)) (store Y k $r))"),
    C11("(reg r f32) (reg s f32 2) (set $r 0.0) (set $s[1] 0.0) (for i n :carry (r s) (let %1 f32 (add $r $s[1])) (set "
        "$r %1) (set $s[1] $r))"),
};

static void forget_carried(void *user, const gn_code_node *n)
{
    (void)user;
    ((gn_code_node *)n)->carry.n = 0;
}

static void what_is_carried_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof carrying / sizeof *carrying; i++) {
        attempt t;
        read_text(&t, carrying[i]);
        const char *const before = printed(&t);
        gn_code_walk(&t.code->steps.at[0].body, forget_carried, NULL);
        gn_code_find_carried(t.code);
        assert_string_equal(printed(&t), before);
        gn_arena_free(&t.arena);
    }
}

/* ---- what stays inside its place ---- */

static const refusal inside[] = {
    /* NULL: all is proved */
    { C11("(store Y p 1.0)"), NULL },
    { C11("(let %1 f32 (load X (add p 1)))"),
      "code k: step 0: %1: element p+1 of X, which has n: not known to be less" },
    { C11("(let %1 f32 (load X (sub p 1)))"),
      "code k: step 0: %1: element p-1 of X, which has n: not known to be 0 or more" },
    { C11("(let %1 f32 (load X (sub p 1) :unless (lt p 1)))"), NULL },
    { C11("(if :when (lt (add p 1) n) (store Y (add p 1) 1.0))"), NULL },
    { C11("(for i :from p n (store Y i 1.0))"), NULL },
    { C11("(for i :from p n (store Y (add i 1) 1.0))"),
      "store Y: element i+1 of Y, which has n: not known to be less" },
    { C11("(for i (load T p) (store Y i 1.0))"), "store Y: element i of Y, which has n: not known to be less" },
    { C11("(let %1 f32 (load X (load T p)))"), "%1: element T[p] of X, which has n: not known to be 0 or more" },
    { CHECKED("n", "(let %1 f32 (load X (load T p))) (store Y (sub (sub n 1) (load T (sub n (add p 1)))) %1)"), NULL },
    { CHECKED("n", "(let %1 f32 (load X (add 1 (load T p))))"), "%1: element T[p]+1 of X, which has n: not known to be less" },
    { CHECKED("n", "(let %1 f32 (load X (load T (load T p)) :when (lt p (sub n 4))))"), NULL },
    { CHECKED("(div n 3)", "(let %1 f32 (load X (add (mul 3 (load T p)) 2)))"), NULL },
    { CHECKED("(add n 1)", "(let %1 f32 (load X (load T p)))"), "%1: element T[p] of X, which has n: not known to be less" },
    { C11("(let %1 f32 (load X (load T (add p 1)) :when (and (lt -1 (load T (add p 1))) (lt (load T (add p 1)) n))))"),
      "%1: element p+1 of T, which has n: not known to be less" },
    { C11("(let %1 f32 (load X (load T p) :when (and (lt -1 (load T p)) (lt (load T p) n))))"), NULL },
    { C11("(for q (cdiv n 4) (for r 4 (store Y (min (sub n 1) (add (mul 4 q) r)) 1.0)))"), NULL },
    { AVX("(let %1 f32x4 (load X :row p))"), "%1: element @lane+p of X, which has n: not known to be less" },
    { AVX("(let %1 b4 (below (sub n p))) (let %2 f32x4 (load X :row p :mask %1))"), NULL },
    { AVX("(let %1 b4 (below 3)) (let %2 b4 (below (sub n p))) (let %3 b4 (and %1 %2)) (store Y :row p :mask %3 (f32x4 "
          "0.0))"),
      NULL },
    { AVX("(let %1 b4 (bit 0)) (let %2 f32x4 (load X :row p :mask %1))"), NULL },
    { AVX("(reg m b4 2) (let %1 b4 (below (sub n p))) (set $m[0] %1) (let %2 b4 (below (sub n (add p 4)))) (set $m[1] %2)"
          " (for u 2 :unrolled (store Y :row (add p (mul 4 u)) :mask $m[u] (f32x4 0.0)))"),
      NULL },
    { AVX("(reg m b4) (let %1 b4 (below (sub n p))) (set $m %1) (store Y :row p :mask $m (f32x4 0.0))"), NULL },
    { AVX("(reg m b4 2) (for u 2 :unrolled (let %1 b4 (below (sub n (add p (mul 4 u))))) (set $m[u] %1))"
          " (for v 2 :unrolled (store Y :row (add p (mul 4 v)) :mask $m[v] (f32x4 0.0))) (store Y :row (add p 4) :mask $m[1] (f32x4 0.0))"),
      NULL },
    { AVX("(reg m b4 2) (for u 2 :unrolled (let %1 b4 (below (sub n (add p (mul 4 u))))) (set $m[u] %1))"
          " (store Y :row (add p 4) :mask $m[0] (f32x4 0.0))"),
      "store Y: element @lane+p+4 of Y, which has n: not known to be less" },
    { AVX("(reg m b4 2) (for u 2 :unrolled (let %1 b4 (below (sub n (add p (mul 4 u))))) (set $m[u] %1)) (set $m[1] (b4 1))"
          " (for v 2 :unrolled (store Y :row (add p (mul 4 v)) :mask $m[v] (f32x4 0.0)))"),
      "store Y: element @lane+p+4*v of Y, which has n: not known to be less" },
    { AVX("(reg m b4) (let %1 b4 (below (sub n p))) (set $m %1) (set $m (b4 1)) (store Y :row p :mask $m (f32x4 0.0))"),
      "store Y: element @lane+p of Y, which has n: not known to be less" },
    { AVX("(reg m b4) (let %1 b4 (below (sub n p))) (set $m %1) (for i n :carry (m) (store Y :row p :mask $m (f32x4 0.0))"
          " (set $m (b4 1)))"),
      "store Y: element @lane+p of Y, which has n: not known to be less" },
    { AVX("(reg m b4 2) (let %1 b4 (below (sub n p))) (set $m[1] %1) (let %2 b4 (below (sub n (add p 4)))) (set $m[0] %2)"
          " (for u 2 :unrolled (store Y :row (add p (mul 4 u)) :mask $m[u] (f32x4 0.0)))"),
      "store Y: element @lane+p+4*u of Y, which has n: not known to be less" },
    { AVX("(let %1 b4 (below 1)) (let %2 b4 (not %1)) (let %3 f32x4 (load X :row p :mask %2))"),
      "%3: element @lane+p of X" },
    { AVX("(let %1 i64x4 (index (min (sub n 1) (add p l)) :lane l)) (let %2 f32x4 (load X :each %1))"), NULL },
    { AVX("(let %1 i64x4 (index (add p l) :lane l :when (lt (add p l) n))) (let %2 f32x4 (load X :each %1))"), NULL },
    { AVX("(let %1 i64x4 (iota 0 p)) (let %2 i64x4 (add %1 1)) (let %3 f32x4 (load X :each %2))"),
      "%3: element that data decide of X, which has n: not known to be inside" },
    { AVX("(stack m f32 256) (tile tr16 m 0 16 X p 1 1 (min 16 (sub n p)))"), NULL },
    { AVX("(stack m f32 255) (tile tr16 m 0 16 X p 1 1 (min 16 (sub n p)))"),
      "tile tr16: element 16*@i+@l of m, which has 255" },
    { CUDA("(shared m f32 32) (for i 32 :dealt (store m i 0.0)) (let %1 f32 (load m (add (mul 4 a) b)))"), NULL },
    { CUDA("(shared m f32 32) (let %1 f32 (load m (add (mul 8 a) b)))"),
      "%1: element 8*a+b of m, which has 32: not known to be less" },
};

static void what_is_not_known_to_be_inside_is_told(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        attempt t;
        read_text(&t, inside[i].text);
        const gn_code_ranges r = gn_code_verify_ranges(t.code, &t.arena);
        const char *const got = r.first ? r.first : "";
        const bool as_said = inside[i].says ? strstr(got, inside[i].says) != NULL : !r.first;
        if (!as_said || (r.asked == r.proved) != !r.first || r.asked == 0)
            print_error("%s\n%zu of %zu: %s\nexpected '%s'\n", inside[i].text, r.proved, r.asked, got,
                        inside[i].says ? inside[i].says : "");
        all &= as_said;
        gn_arena_free(&t.arena);
    }
    assert_true(all);
}

/* ---- what is outside for some sizes ---- */

static const refusal outside[] = {
    /* NULL: nothing is, or nobody knows */
    { C11("(let %1 f32 (load X (add p 1)))"), "%1: element p+1 of X, which has n: it is outside for n = 1, p = 0" },
    { C11("(let %1 f32 (load X (sub p 1)))"), "%1: element p-1 of X, which has n: it is outside for " },
    { C11("(store Y p 1.0)"), NULL },
    { C11("(if :when (lt p 1) (store Y (add p 1) 1.0))"), "element p+1 of Y, which has n: it is outside for n = 1, p = 0" },
    { C11("(for i :from p n (store Y (add i 1) 1.0))"), "store Y: element i+1 of Y, which has n: it is outside for " },
    { C11("(for i 3 (store Y (mul 2 i) 1.0))"), "store Y: element 2*i of Y, which has n: it is outside for " },
    { C11("(for i 3 (store Y (mul 2 i) :when (lt i 0) 1.0))"), NULL },
    { C11("(for i (sub p n) (store Y (sub i 1) 1.0))"), NULL },
    { C11("(let %1 f32 (load X (load T p)))"), NULL },
    { C11("(if :unless (and (lt 3 n) (lt p 5)) (store Y (add p 1) 1.0))"), NULL },
    { C11("(if :unless (eq n (add p 1)) (store Y (add p 1) 1.0))"), NULL },
    { CHECKED("(add n 1)", "(let %1 f32 (load X (load T p)))"), "element T[p] of X, which has n: it is outside for n = " },
    { CHECKED("(add n 1)", "(let %1 f32 (load X (load T p) :when (lt (load T p) n)))"), NULL },
    { "(code k c11 (syms (n :mul 8 :min 9)) (args (Y write f32 16)) (step ((p n)) (store Y p 1.0)))",
      "element p of Y, which has 16: it is outside for n = " },
    { "(code k c11 (syms (n :is 16)) (args (Y write f32 16)) (step ((p n)) (store Y p 1.0)))", NULL },
    { AVX("(let %1 f32x4 (load X :row p))"), "element @lane+p of X, which has n: it is outside for n = " },
    { AVX("(let %1 b4 (below 3)) (let %2 f32x4 (load X :row p :mask %1))"), "it is outside for n = " },
    { AVX("(let %1 b4 (below 1)) (let %2 f32x4 (load X :row p :mask %1))"), NULL },
    { AVX("(reg m b4) (let %1 b4 (below 1)) (set $m %1) (let %2 f32x4 (load X :row p :mask $m))"), NULL },
    { AVX("(let %3 f32x4 (load X :row 0 :mask (b4 0))) (let %1 b4 (lt %3 0.0)) (let %2 f32x4 (load X :row p :mask %1))"), NULL },
    { CUDA("(shared m f32 31) (store m (add (mul 4 a) b) 1.0)"),
      "store m: element 4*a+b of m, which has 31: it is outside for n = " },
    { CUDA("(shared m f32 30) (for i 32 :dealt (store m i 1.0))"), NULL },
    { AVX("(stack m f32 255) (tile tr16 m 0 16 X p 1 1 (min 16 (sub n p)))"),
      "element 16*@i+@l of m, which has 255: it is outside for n = " },
};

static void what_is_outside_is_told_with_its_sizes(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        attempt t;
        read_text(&t, outside[i].text);
        const char *const got = gn_code_verify_ranges(t.code, &t.arena).outside;
        const bool as_said = outside[i].says ? got && strstr(got, outside[i].says) : !got;
        if (!as_said) print_error("%s\n%s\nexpected '%s'\n", outside[i].text, got ? got : "", outside[i].says ? outside[i].says : "");
        all &= as_said;
        gn_arena_free(&t.arena);
    }
    assert_true(all);
}

/* ---- anything may be read ---- */

static void turned_bits_are_refused_or_read(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    size_t read = 0, tries = 0;
    for (int round = 0; round < 4000; round++) {
        char text[4096];
        const char *const from = texts[test_random(&seed) % (sizeof texts / sizeof *texts)];
        const size_t n = strlen(from);
        memcpy(text, from, n);
        for (uint64_t k = test_random(&seed) % 3 + 1; k > 0; k--)
            text[test_random(&seed) % n] ^= (char)(1 << test_random(&seed) % 8);
        attempt t = { .text = text, .length = n, .verifies = true };
        const gn_status got = gn_protect(try_reading, &t);
        assert_true(got == GN_OK || got == GN_ESYNTAX || got == GN_EINVAL || got == GN_ENOMEM);
        tries++;
        if (got == GN_OK) {
            gn_code_verify_ranges(t.code, &t.arena);
            attempt again;
            read_text(&again, printed(&t));
            assert_string_equal(printed(&again), printed(&t));
            gn_arena_free(&again.arena);
            read++;
        }
        gn_arena_free(&t.arena);
    }
    assert_true(read > tries / 100 && read < tries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printing_gives_what_was_read),
        cmocka_unit_test(reading_gives_what_was_printed),
        cmocka_unit_test(what_is_not_of_its_form_is_told_with_its_place),
        cmocka_unit_test(what_means_nothing_is_told_with_its_node),
        cmocka_unit_test(what_is_carried_is_found),
        cmocka_unit_test(what_is_not_known_to_be_inside_is_told),
        cmocka_unit_test(what_is_outside_is_told_with_its_sizes),
        cmocka_unit_test(turned_bits_are_refused_or_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
