/* Copies that are under way while others are used: as text, and as what lowering makes of a depth. */
#include "code_interpret.h"
#include "judge.h"

typedef struct trial {
    gn_arena arena;
    const char *text;
    bool unverified;
} trial;

enum { MOST = 64 };
_Alignas(64) static float X[MOST], Y[MOST];

static gn_code *read_code(trial *t)
{
    gn_code *const c = gn_code_read(&t->arena, "test", gn_sx_read(&t->arena, "test", t->text, strlen(t->text))->at[0]);
    if (!t->unverified) gn_code_verify(c);
    return c;
}

static void read_again(void *arg)
{
    trial *const t = arg;
    reread(&t->arena, read_code(t));
}

static void interpret(void *arg)
{
    trial *const t = arg;
    const gn_code *const c = read_code(t);
    for (uint64_t order = 0; order < 4; order++)
        for (int64_t n = 0; n <= 23; n++) {
            for (int i = 0; i < MOST; i++) X[i] = (float)(i + 1), Y[i] = 100;
            gn_code_interpret(c, (void *[]){X, Y}, &n, order, &t->arena);
        }
}

static void ask_ranges(void *arg)
{
    trial *const t = arg;
    const gn_code_ranges r = gn_code_verify_ranges(read_code(t), &t->arena);
    if (r.first) gn_throw(GN_EINVAL, "%s", r.first);
}

static gn_status status_of(void (*run)(void *), const char *text, bool unverified)
{
    trial t = {.text = text, .unverified = unverified};
    const gn_status status = gn_protect(run, &t);
    gn_arena_free(&t.arena);
    return status;
}

/* Four threads turn blocks of four around, through a ring of three parts. */
#define CODE(...)                                                                                                      \
    "(code turn cuda (syms n) (args (X read f32 n) (Y update f32 n)) (threads (t 4)) (step () (shared b f32 "          \
    "12) " __VA_ARGS__ "))"
#define COPY(part, i) "(async b (add (mul 4 " part ") t) X (add (mul 4 " i ") t) :when (lt (add (mul 4 " i ") t) n))"
#define USE                                                                                                            \
    "(let %1 f32 (load b (add (mul 4 (mod i 3)) (sub 3 t))))"                                                          \
    " (store Y (add (mul 4 i) t) :when (lt (add (mul 4 i) t) n) %1)"
#define RING(first, await, barrier, commit, drain)                                                                     \
    CODE("(reg k token 2) " COPY("0", "0") "(commit k) " COPY("1", "1") first                                          \
         "(for i (cdiv n 4) :carry (k) " await barrier COPY("(mod (add i 2) 3)", "(add i 2)") commit USE ")" drain)
#define WHOLE RING("(commit k)", "(await $k[0])", "(barrier)", "(commit k)", "(await $k[1])")

static void a_ring_of_parts(void **state)
{
    (void)state;
    assert_int_equal(status_of(read_again, WHOLE, false), GN_OK);
    if (status_of(ask_ranges, WHOLE, false)) fail_msg("%s", gn_message());
    if (status_of(interpret, WHOLE, false)) fail_msg("%s", gn_message());
    for (int i = 0; i < MOST; i++) /* of n = 23 */
        assert_float_equal(Y[i], i >= 23 ? 100 : i / 4 * 4 + 3 - i % 4 < 23 ? (float)(i / 4 * 4 + 4 - i % 4) : 0, 0);
}

/* ---- planted faults: told by the verifier, and by the interpreter ---- */

static const struct fault {
    const char *text, *verifier, *interpreter; /* NULL: that one cannot know */
} faults[] = {
    {RING("(commit k)", "", "(barrier)", "(commit k)", "(await $k[1])"),
     "commit k: more than 32 groups of copies are under way", "of Y would come from element "},
    {RING("(commit k)", "(await $k[0])", "", "(commit k)", "(await $k[1])"), "it reads 'b' while ",
     "a race for element "},
    {RING("(commit k)", "(barrier)", "(await $k[0])", "(commit k)", "(await $k[1])"),
     "%1: it reads 'b' while 3 groups of copies to it may be under way, or unseen behind no barrier",
     "of Y would come from element "},
    {CODE("(reg k token 2) " COPY("0", "0") "(commit k) " COPY(
         "1", "1") "(commit k) (for i (cdiv n 4) (await $k[0]) (barrier)" COPY("(mod (add i 2) 3)", "(add i 2)") USE
          ")(await $k[1])"),
     "%1: it reads 'b' before copies to it are committed", "of Y would come from element "},
    {RING("(commit k)", "(await $k[0])", "(barrier)", "(commit k)", ""),
     "place b: copies to 'b' may be under way where it ends", NULL},
    {RING("", "(await $k[0])", "(barrier)", "(commit k)", "(await $k[1])"),
     "await $k: the token stands for no copies, or not for the same ones on every way",
     "a token that stands for no copies is awaited"},
    {CODE("(reg k token) " COPY(
         "0", "0") "(commit k) (await $k) (let %1 f32 (load b (sub 3 t))) (store Y t :when (lt t n) %1)"),
     "%1: it reads 'b' while 1 group of copies to it may be under way",
     " of b"}, /* a race or no content: by the order */
    {CODE("(reg k token) (for i 4 " COPY(
         "0", "i") "(commit k) (await $k) (barrier)"
                   " (let %1 f32 (load b (sub 3 t))) (store Y (add (mul 4 i) t) :when (lt (add (mul 4 i) t) n) %1))"),
     "async b: it writes over 'b', which was read since the last barrier", "a race for element "},
    {CODE("(reg k token) (for i n " COPY("0", "i") ")(commit k) (barrier)"),
     "copies to 'b' may be under way where it ends", NULL},
};

static void what_is_not_awaited_is_told_by_both(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        const struct fault *const f = &faults[i];
        const bool refused = status_of(read_again, f->text, false) == GN_EINVAL && strstr(gn_message(), f->verifier);
        if (!refused) print_error("%s\nverifier: %s\nexpected: %s\n", f->text, gn_message(), f->verifier);
        all &= refused;
        if (!f->interpreter) continue;
        const bool told = status_of(interpret, f->text, true) == GN_EINTERNAL && strstr(gn_message(), f->interpreter);
        if (!told) print_error("%s\ninterpreter: %s\nexpected: %s\n", f->text, gn_message(), f->interpreter);
        all &= told;
    }
    assert_true(all);
}

#define WIDE(align, ...)                                                                                               \
    "(code wide cuda (syms (n :mul 4)) (args (X read f32 n :align " #align ") (Y update f32 n)) (threads (t 4))"        \
    " (step () (shared b f32 16) " __VA_ARGS__ "))"

static void interpret_from(trial *t, float *x)
{
    for (int i = 0; i < MOST; i++) X[i] = (float)(i + 1), Y[i] = 100;
    gn_code_interpret(read_code(t), (void *[]){x, Y}, &(int64_t){16}, 1, &t->arena);
}

static void interpret_16(void *arg)
{
    interpret_from(arg, X);
}

static void interpret_odd(void *arg)
{
    interpret_from(arg, X + 1);
}

static const struct refusal {
    const char *text, *says;
} refusals[] = {
    {"(code k c11 (syms n) (args (X read f32 n)) (step () (stack b f32 4) (async b 0 X 0)))",
     "the target c11 has no copies under way"},
    {CODE("(reg k token) (async Y t X t)"), "'Y' is not shared memory"},
    {CODE("(reg k token) (stack s f32 4) (async b t s t)"), "'s' is no memory of the call's"},
    {CODE("(reg k token) (async X t X t)"), "'X' is only read"},
    {CODE("(shared c f64 4) (async c t X t)"), "'X' is f32, f64 was expected"},
    {CODE("(shared c bool 4) (shared d bool 4) (async c t d t)"), "'d' is no memory of the call's"},
    {CODE("(async b t X)"), "an index is missing"},
    {CODE("(async 3 b (mul 3 t) X (mul 3 t))"), "3 of f32: 4, 8 or 16 bytes are copied"},
    {CODE("(async 17 b (mul 3 t) X (mul 3 t))"), "17"},
    {CODE("(async 4 b (mul 4 t) X (mul 4 t))"), "'X' lies at multiples of 4 bytes, 16 were expected"},
    {WIDE(16, "(async 4 b (mul 2 t) X (mul 4 t))"), "the start of 'b' is not known to be a multiple of 16 bytes"},
    {WIDE(16, "(async 4 b (mul 4 t) X t)"), "the start of 'X' is not known to be a multiple of 16 bytes"},
    {WIDE(24, ""), "X: :align is a power of two, no less than an element, of a buffer"},
    {WIDE(2, ""), "X: :align is a power of two, no less than an element, of a buffer"},
    {WIDE(512, ""), "512"},
    {CODE("(reg k f32) (async k t X t)"), "'k' is a register, memory was expected"},
    {CODE("(reg k f32) (commit k)"), "commit k: 'k' is no token"},
    {CODE("(commit b)"), "commit b: 'b' is no token"},
    {CODE("(reg k token) (await $k[0])"), "'$k[0]' is no register of k"},
    {CODE("(reg k token) (await $k)"), "reads $k, which is not set on every way to it"},
    {CODE("(reg k token) (set $k 1)"), "'k' is a token: commit and await alone may touch it"},
    {CODE("(reg k token) (commit k) (let %1 i64 (copy $k))"), "'k' is a token"},
    {CODE("(reg k token 65) (commit k)"), "more than 64 tokens"},
    {CODE("(reg k token 2) (commit k) (for i 2 :unrolled (await $k[i]))"), "a token is named by constants"},
    {CODE("(reg k token) (for i n " COPY("0", "i") "(commit k))"), "groups of copies are under way"},
    {CODE("(reg k token) (reg m token) (commit k) (if :when (lt n 3) (commit m)) (await $k)"),
     "not for the same ones on every way"},
};

static void code_that_uses_them_otherwise_is_told(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const gn_status s = status_of(read_again, refusals[i].text, false);
        const bool is = (s == GN_EINVAL || s == GN_ESYNTAX) && strstr(gn_message(), refusals[i].says);
        if (!is)
            print_error("%s\n%s\nexpected '%s'\n", refusals[i].text, s ? gn_message() : "accepted", refusals[i].says);
        all &= is;
    }
    assert_true(all);
}

/* A copy of 4 elements is under way as a whole. */
static void a_wide_copy(void **state)
{
    (void)state;
    static const char *const good =
        WIDE(16, "(reg k token) (async 4 b (mul 4 t) X (mul 4 t) :when (lt (mul 4 t) n)) (commit k) (await $k) (barrier)"
                 " (let %1 f32 (load b (sub 15 t))) (store Y t %1)");
    static const char *const early =
        WIDE(16, "(reg k token) (async 4 b (mul 4 t) X (mul 4 t) :when (lt (mul 4 t) n)) (commit k)"
                 " (let %1 f32 (load b (add 3 (mul 4 t)))) (store Y t %1) (await $k)");
    static const char *const crooked = WIDE(16, "(reg k token) (async 4 b 0 X (add 1 t)) (commit k) (await $k)");
    assert_int_equal(status_of(read_again, good, false), GN_OK);
    if (status_of(interpret_16, good, false)) fail_msg("%s", gn_message());
    for (int i = 0; i < 4; i++) assert_float_equal(Y[i], 16 - i, 0);
    assert_int_equal(status_of(read_again, early, false), GN_EINVAL);
    assert_message_contains("it reads 'b' while ");
    assert_int_equal(status_of(interpret_16, early, true), GN_EINTERNAL);
    assert_message_contains("of Y would come from element ");
    assert_int_equal(status_of(interpret_16, crooked, true), GN_EINTERNAL);
    assert_message_contains("no multiple of their size");
    assert_int_equal(status_of(interpret_odd, good, false), GN_EINTERNAL);
    assert_message_contains("X begins at no multiple of 16 bytes");
}

/* ---- depths ---- */

#define GEMM                                                                                                           \
    "(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"                    \
    " (def a (i k) (load A i k)) (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (a i k) (b k j))))"             \
    " (store set C (i j) (s i j)))"
#define BLOCKS                                                                                                         \
    "(schedule g (split i i0 (it 4) (iu 2)) (split j j0 (jt 8)) (split k k0 (k1 3)) (order i0 j0 it jt k0 k1 iu)"      \
    " (bind block i0) (bind thread it jt) (bind unroll iu)"
#define LATER                                                                                                          \
    "(schedule g (split i i0 (it 4) (iu 2)) (split j j0 (jt 8)) (split k k0 (k1 3)) (order i0 it jt j0 k0 k1 iu)"      \
    " (bind block i0) (bind thread it jt) (bind unroll iu)"
#define COPIES(a, b) " (stage a shared (at k0) " a ") (stage b shared (at k0) " b "))"

static const char *const deep[] = {
    GEMM BLOCKS COPIES("(depth 2)", "(depth 2)"),
    GEMM BLOCKS COPIES("(depth 3) (layout k1 it iu) (pad it 1)", "(depth 3)"),
    GEMM BLOCKS COPIES("(depth 8)", "(depth 8)"),
    GEMM LATER COPIES("(depth 2)", "(depth 2)"),
    GEMM LATER COPIES("(depth 4)", "(depth 4)"),
    GEMM LATER " (stage a shared (at k0) (depth 2)))",
};

static void lower(void *arg)
{
    trial *const t = arg;
    lower_text(&t->arena, t->text, &gn_target_cuda);
}

static void judge_depth(const char *text)
{
    static const int64_t extents[][3] = {{8, 8, 3}, {1, 1, 1}, {9, 17, 7}, {17, 9, 31}, {5, 0, 3}, {3, 5, 0}};
    for (size_t e = 0; e < sizeof extents / sizeof *extents; e++) {
        trial t = {.text = text};
        uint64_t seed = e + 1;
        job j = lower_text(&t.arena, text, &gn_target_cuda);
        run_data d = begin_run(&t.arena, &j, extents[e], &seed);
        for (uint64_t order = 1; order <= 2; order++) { /* of threads */
            reset(&j, &d);
            gn_code_interpret(reread(&t.arena, j.s->code), d.args, extents[e], order, &t.arena);
            compare(&j, "code", extents[e], d.got, d.want);
        }
        end_run(&j, &d);
        gn_arena_free(&t.arena);
    }
}

static void judge_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof deep / sizeof *deep; i++) judge_depth(deep[i]);
}

static void depths_are_rings(void **state)
{
    (void)state;
    if (gn_protect(judge_all, NULL)) fail_msg("%s", gn_message());
}

static const struct refusal depths[] = {
    {GEMM BLOCKS COPIES("(depth 2)", "(depth 3)"), "beside 'a' of (depth 2) in the loop 'k0'"},
    {GEMM BLOCKS COPIES("(depth 2)", ""), "stage b: (depth 1) beside 'a' of (depth 2) in the loop 'k0'"},
    {GEMM BLOCKS COPIES("(depth 9)", "(depth 9)"), "stage a: (depth 9): at most 8"},
    {GEMM BLOCKS "(peel k0)" COPIES("(depth 2)", "(depth 2)"), "'k0' is peeled, it is no whole serial loop"},
    {GEMM BLOCKS "(stage a shared (at i0) (depth 2)))", "'i0' is bound, it is no whole serial loop"},
    {GEMM BLOCKS "(stage a arena (at root) (depth 2)))", "(depth 2) is for level shared, (at leaf)"},
    {"(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def a (i k) (exp (load A i k))) (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (a i k) (b k j))))"
     " (store set C (i j) (s i j)))" BLOCKS COPIES("(depth 2)", "(depth 2)"),
     "stage a: (depth 2): it is no plain load"},
    {"(kernel gemm (syms M N K) (bufs (T i32 M) (A f32 M K) (B f32 K N) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def a (i k) (load A (load T i) k)) (def b (k j) (load B k j)) (def s (i j) (sum (k) (mul (a i k) (b k j))))"
     " (store set C (i j) (s i j)))" BLOCKS COPIES("(depth 2)", "(depth 2)"),
     "stage a: (depth 2): data decide what is loaded"},
    {"(kernel gemm (syms M N K) (bufs (A f32 M K) (B f32 N K) (C f32 M N)) (axes (i M) (j N) (k K))"
     " (def b (j k) (load B j k)) (def a (i k) (mul 2 (load A i k))) (def s (i j) (sum (k) (mul (a i k) (b j k))))"
     " (store set C (i j) (s i j)))"
     "(schedule g (split j j0 (j1 4)) (order j0 k j1 i) (stage b shared (at j1) (depth 2)) (stage a arena (at k))"
     " (stage s arena))", /* a is made between the loop that makes b and the one that reads it */
     "stage b: (depth 2): 's' reads it in another loop 'j1' than the one it is made in"},
};

static void depths_that_are_no_rings_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        assert_int_equal(status_of(lower, depths[i].text, false), GN_EINVAL);
        assert_message_contains(depths[i].says);
    }
}

/* ---- widths ---- */

/* A contraction whose factors are copied along their rows, of elements and facts that are given. */
static const char *wide(gn_arena *arena, const char *type, int multiple, const char *facts, int k, const char *stage)
{
    return gn_arena_printf(arena,
                           "(kernel gemm (syms M (N :mul %d) (K :mul %d)) (bufs (A %s M K%s) (B %s K N%s) (C %s M N))"
                           " (axes (i M) (j N) (k K)) (def a (i k) (load A i k)) (def b (k j) (load B k j))"
                           " (def s (i j) (sum (k) (mul (a i k) (b k j)))) (store set C (i j) (s i j)))"
                           "(schedule g (split i i0 (it 4) (iu 2)) (split j j0 (jt 8)) (split k k0 (k1 %d))"
                           " (order i0 j0 it jt k0 k1 iu) (bind block i0) (bind thread it jt) (bind unroll iu)"
                           " (stage a shared (at k0) (depth 3)%s) (stage b shared (at k0) (depth 3) (layout k1 jt)))",
                           multiple, multiple, type, facts, type, facts, type, k, stage);
}

#define ROWS " (layout it iu k1)"
static const struct width {
    const char *type;
    int multiple;
    const char *facts;
    int k;
    const char *stage;
    int elements; /* of a in a copy */
} widths[] = {
    {"f32", 4, " :align 16", 8, ROWS, 4},
    {"f32", 4, " :align 64", 8, ROWS, 4},
    {"f32", 4, " :align 8", 8, ROWS, 2},
    {"f32", 4, "", 8, ROWS, 1},
    {"f32", 2, " :align 16", 8, ROWS, 2},
    {"f32", 1, " :align 16", 8, ROWS, 1},
    {"f32", 6, " :align 16", 8, ROWS, 2},
    {"f32", 4, " :align 16", 6, ROWS, 2},
    {"f32", 4, " :align 16", 3, ROWS, 1},
    {"f32", 4, " :align 16", 8, " (layout k1 it iu)", 1},
    {"f32", 4, " :align 16", 8, ROWS " (copy k1 it iu)", 1},
    {"f32", 4, " :align 16", 8, ROWS " (copy iu it k1)", 4},
    {"f32", 4, " :align 16", 8, ROWS " (pad k1 4)", 4},
    {"f32", 4, " :align 16", 8, ROWS " (pad k1 2)", 2},
    {"f32", 4, " :align 16", 8, ROWS " (pad k1 1)", 1},
    {"f32", 4, " :align 16", 8, ROWS " (swizzle k1 4)", 4},
    {"f32", 4, " :align 16", 8, ROWS " (swizzle k1 8)", 4},
    {"f32", 4, " :align 16", 8, ROWS " (swizzle k1 2)", 2},
    {"f32", 4, " :align 16", 8, ROWS " (swizzle k1 4) (pad k1 4)", 4},
    {"f64", 2, " :align 16", 4, ROWS, 2},
    {"f64", 4, "", 4, ROWS, 1},
    {"i32", 4, " :align 16", 4, ROWS, 4},
    {"i64", 2, " :align 16", 8, ROWS " (swizzle k1 2)", 2},
    {"u16", 8, " :align 16", 8, ROWS, 8},
    {"i8", 16, " :align 16", 16, ROWS, 16},
    {"i8", 8, " :align 16", 8, ROWS " (swizzle k1 4)", 4},
};

/* Interpreted for sizes that the facts allow: K is 0, less than a tile, whole tiles, and ends within one. */
static void judge_width(const char *text, int multiple)
{
    for (int64_t turns = 0; turns < 4; turns++) {
        trial t = {.text = text};
        uint64_t seed = (uint64_t)turns + 1;
        const int64_t extents[] = {5 + turns, multiple * (turns ? 3 - turns : 5), multiple * turns * turns};
        job j = lower_text(&t.arena, text, &gn_target_cuda);
        run_data d = begin_run(&t.arena, &j, extents, &seed);
        reset(&j, &d);
        gn_code_interpret(reread(&t.arena, j.s->code), d.args, extents, seed, &t.arena);
        compare(&j, "code", extents, d.got, d.want);
        end_run(&j, &d);
        gn_arena_free(&t.arena);
    }
}

static void copy_of_a(void *user, const gn_code_node *n)
{
    const gn_code_node **const found = user;
    if (n->kind == GN_CODE_ASYNC && strcmp(n->source.place->name, "A") == 0) *found = n;
}

static void check_width(void *arg)
{
    const struct width *const w = arg;
    gn_arena arena = {0};
    const char *const text = wide(&arena, w->type, w->multiple, w->facts, w->k, w->stage);
    const gn_code *const c = lower_text(&arena, text, &gn_target_cuda).s->code;
    const gn_code_node *copy = NULL;
    for (size_t i = 0; i < c->steps.n; i++) gn_code_walk(&c->steps.at[i].body, copy_of_a, &copy);
    assert_non_null(copy);
    if (copy->number != (uint32_t)w->elements)
        fail_msg("%s of %d, %d%s%s: %u elements", w->type, w->multiple, w->k, w->facts, w->stage, copy->number);
    judge_width(text, w->multiple);
    gn_arena_free(&arena);
}

static void copies_are_as_wide_as_is_proved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (gn_protect(check_width, (void *)&widths[i])) fail_msg("case %zu: %s", i, gn_message());
}

static const struct width no_widths[] = {
    {"i8", 1, " :align 16", 16, ROWS, 0},
    {"i8", 16, "", 16, ROWS, 0},
    {"u16", 2, " :align 16", 7, ROWS, 0},
    {"f32", 4, "", 8, ROWS " (swizzle k1 3)", 0},
    {"f32", 4, "", 8, " (layout it iu k1) (swizzle jt 4)", 0},
    {"f32", 4, "", 8, " (layout it iu k1) (swizzle iu 4)", 0}, /* within the digits of i */
};
static const char *const no_width_says[] = {
    "stage a: (depth 3): it is not known that 4 bytes of it lie together, at a multiple of 4",
    "stage a: (depth 3): it is not known that 4 bytes of it lie together, at a multiple of 4",
    "stage a: (depth 3): it is not known that 4 bytes of it lie together, at a multiple of 4",
    "stage a: swizzle: its rows are no groups of 3 elements",
    "stage a: swizzle: 'jt' is no dim of the buffer",
    "along 'i' may leave the leaf 'iu'",
};

static void what_is_too_narrow_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof no_widths / sizeof *no_widths; i++) {
        const struct width *const w = &no_widths[i];
        gn_arena arena = {0};
        const char *const text = wide(&arena, w->type, w->multiple, w->facts, w->k, w->stage);
        assert_int_equal(status_of(lower, text, false), GN_EINVAL);
        assert_message_contains(no_width_says[i]);
        gn_arena_free(&arena);
    }
}

typedef struct drawn {
    const char *text;
    int multiple;
    uint32_t elements; /* of a in a copy */
    bool lowered;
    gn_arena arena;
} drawn;

static void judge_drawn(void *arg)
{
    drawn *const d = arg;
    const gn_code *const c = lower_text(&d->arena, d->text, &gn_target_cuda).s->code;
    const gn_code_node *copy = NULL;
    for (size_t i = 0; i < c->steps.n; i++) gn_code_walk(&c->steps.at[i].body, copy_of_a, &copy);
    d->lowered = true, d->elements = copy->number;
    judge_width(d->text, d->multiple);
}

static void drawn_widths_compute_the_same(void **state)
{
    (void)state;
    const char *const wanted = getenv("GNOMON_TEST_COUNT");
    const int tries = wanted ? atoi(wanted) : 60;
    uint64_t seed = test_seed();
    int accepted = 0, broad = 0;
    for (int i = 0; i < tries; i++) {
        static const char *const types[] = {"f32", "f32", "f64", "i32", "u16", "i8"};
        static const char *const orders[] = {"it iu k1", "it iu k1", "iu it k1", "k1 it iu", "it k1 iu"};
        gn_arena a = {0};
        gn_text stage = {.arena = &a};
        const int multiple = 1 << test_random(&seed) % 5, k = 1 + (int)(test_random(&seed) % 16);
        gn_textf(&stage, " (layout %s)", orders[test_random(&seed) % 5]);
        if (test_random(&seed) % 2) gn_textf(&stage, " (copy %s)", orders[test_random(&seed) % 5]);
        if (test_random(&seed) % 3 == 0) gn_textf(&stage, " (pad k1 %d)", 1 << test_random(&seed) % 4);
        if (test_random(&seed) % 2)
            gn_textf(&stage, " (swizzle %s %d)", test_random(&seed) % 3 ? "k1" : "iu", 1 << test_random(&seed) % 4);
        const char *const facts = gn_arena_printf(&a, " :align %d", 8 << test_random(&seed) % 2);
        const char *const text = wide(&a, types[test_random(&seed) % 6], multiple, facts, k, gn_text_done(&stage));
        drawn d = {.text = text, .multiple = multiple};
        const gn_status status = gn_protect(judge_drawn, &d);
        if (status && !(status == GN_EINVAL && strstr(gn_message(), "stage ") && !d.lowered))
            fail_msg("%s\n%s", gn_message(), text);
        accepted += status == GN_OK, broad += d.elements > 1;
        gn_arena_free(&d.arena);
        gn_arena_free(&a);
    }
    if (accepted < tries / 4 || broad < tries / 16) fail_msg("%d accepted, %d wide of %d", accepted, broad, tries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_of_parts),
        cmocka_unit_test(what_is_not_awaited_is_told_by_both),
        cmocka_unit_test(code_that_uses_them_otherwise_is_told),
        cmocka_unit_test(a_wide_copy),
        cmocka_unit_test(depths_are_rings),
        cmocka_unit_test(depths_that_are_no_rings_are_told),
        cmocka_unit_test(copies_are_as_wide_as_is_proved),
        cmocka_unit_test(what_is_too_narrow_is_told),
        cmocka_unit_test(drawn_widths_compute_the_same),
    };
    return cmocka_run_group_tests_name("codegen/async", tests, NULL, NULL);
}
