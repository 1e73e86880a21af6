/* Copies that are under way while others are used: as text, and as what lowering makes of a depth. */
#include "code_interpret.h"
#include "judge.h"

typedef struct trial {
    gn_arena arena;
    const char *text;
    bool unverified;
} trial;

enum { MOST = 64 };
static float X[MOST], Y[MOST];

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
     "stage a: (depth 2): it is no plain load of 4 or 8 bytes"},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_of_parts),
        cmocka_unit_test(what_is_not_awaited_is_told_by_both),
        cmocka_unit_test(code_that_uses_them_otherwise_is_told),
        cmocka_unit_test(depths_are_rings),
        cmocka_unit_test(depths_that_are_no_rings_are_told),
    };
    return cmocka_run_group_tests_name("codegen/async", tests, NULL, NULL);
}
