/* Launches and scopes: grids of three dims, clusters, shared memory that the launch sizes, barriers of warps,
 * warpgroups, blocks and clusters; what is right is interpreted in several orders and run by the emulation, what is
 * wrong is refused or told. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include "code_interpret.h"
#include "code_text.h"
#include "code_verify.h"
#include "code_launch.h"
#include "cuda_driver.h"
#include "emulated.h"
#include "judge.h"
#include "nvrtc.h"
#include "unit_cc.h"

enum { MOST = 20000, ORDERS = 8 };
static float X[MOST], Y[MOST], want[MOST];

typedef struct trial {
    gn_arena arena;
    const char *text;
    gn_code *code;
    int64_t n;
    bool unverified;
} trial;

static gn_code *read_code(trial *t)
{
    t->code = gn_code_read(&t->arena, "test", gn_sx_read(&t->arena, "test", t->text, strlen(t->text))->at[0]);
    if (!t->unverified) gn_code_verify(t->code);
    return t->code;
}

static void begin(void)
{
    for (int i = 0; i < MOST; i++) X[i] = (float)(i % 251), Y[i] = -1;
}

static void verify(void *arg)
{
    trial *const t = arg;
    reread(&t->arena, read_code(t));
}

static void interpret(void *arg)
{
    trial *const t = arg;
    read_code(t);
    for (uint64_t order = 0; order < ORDERS; order++) {
        begin();
        gn_code_interpret(t->code, (void *[]){ X, Y }, &t->n, order, &t->arena);
    }
}

static void launch(void *arg)
{
    trial *const t = arg;
    read_code(t);
    for (size_t step = 0; step < t->code->steps.n; step++) gn_code_launch(t->code, step, &t->n);
}

static gn_status status_of(void (*run)(void *), trial t)
{
    const gn_status status = gn_protect(run, &t);
    gn_arena_free(&t.arena);
    return status;
}

#define XY "(syms n) (args (X read f32 n) (Y update f32 n)) "
#define CODE(threads, parts, ...) "(code k cuda " XY "(threads " threads ") (step (" parts ") " __VA_ARGS__ "))"
#define WARPS(...) CODE("(w 4) (l 32)", "(p (cdiv n 128))", __VA_ARGS__)
#define GROUPS(...) CODE("(g 2) (t 128)", "", __VA_ARGS__)

/* ---- what is right ---- */

/* Each thread gets what `other` put into s, a thread of the same group. */
#define TURN(own, barrier, other)                                                                                      \
    "(let %1 f32 (load X " own " :when (lt " own " n))) (store s " own " %1) " barrier                                 \
    " (let %2 f32 (load s " other ")) (store Y " own " :when (lt " own " n) %2)"
#define OWN_W "(add (mul 32 w) l)"
#define OWN_G "(add (mul 128 g) t)"

static float turned(int64_t i, int64_t n, int64_t size)
{
    const int64_t j = i / size * size + size - 1 - i % size;
    return j < n ? X[j] : 0;
}

static float turned_32(int64_t i, int64_t n) { return turned(i, n, 32); }
static float turned_128(int64_t i, int64_t n) { return turned(i, n, 128); }
static float turned_first(int64_t i, int64_t n) { return i < 32 ? turned(i, n, 32) : X[i]; }
static float warp_sum(int64_t i, int64_t n)
{
    float sum = 0;
    for (int64_t k = i / 32 * 32; k < i / 32 * 32 + 32 && k < n; k++) sum += X[k];
    return sum;
}
static float plus_one(int64_t i, int64_t n) { return (void)n, X[i] + 1; }
static float of_other_block(int64_t i, int64_t n)
{
    const int64_t j = i / 64 * 64 + (i + 32) % 64;
    return j < n ? X[j] : 0;
}
static float backwards(int64_t i, int64_t n) { return X[n - 1 - i]; }

typedef struct right {
    const char *text;
    float (*value)(int64_t i, int64_t n);
    int64_t n[4];
} right;

#define PARTNER "(add (mul 64 p) (mul 32 (sub 1 c)) t)"
#define SELF "(add (mul 64 p) (mul 32 c) t)"
#define PAIRS(cluster, barrier, partner)                                                                               \
    "(code k cuda (syms n) (args (X read f32 n) (Y update f32 n) (A arena f32 (add n 64))) (threads (t 32)) "          \
    "(step ((p (cdiv n 64)) (c 2 " cluster ")) (let %1 f32 (load X " SELF " :when (lt " SELF " n))) "                  \
    "(store A " SELF " %1) " barrier " (let %2 f32 (load A " partner ")) (store Y " SELF " :when (lt " SELF " n) %2)))"

static const right rights[] = {
    { GROUPS("(shared s f32 256)" TURN(OWN_G, "(barrier :warpgroup)", "(add (mul 128 g) (sub 127 t))")), turned_128,
      { 0, 1, 129, 256 } },
    { CODE("(w 4) (l 32)", "", "(shared s f32 128)" TURN(OWN_W, "(barrier :warp)", "(add (mul 32 w) (sub 31 l))")),
      turned_32, { 0, 1, 37, 128 } },
    /* a barrier in a branch that whole warps take */
    { CODE("(w 4) (l 32)", "", "(shared s f32 128) (let %3 f32 (load X " OWN_W " :when (lt " OWN_W " n)))"
           "(store Y " OWN_W " :when (lt " OWN_W " n) %3) (if :when (lt w 1)"
           TURN(OWN_W, "(barrier :warp)", "(add (mul 32 w) (sub 31 l))") ")"), turned_first, { 0, 1, 37, 128 } },
    { WARPS("(let %1 f32 (load X (add (mul 128 p) " OWN_W ") :when (lt (add (mul 128 p) " OWN_W ") n)))"
            "(let %2 f32 (threads sum :warp %1)) (store Y (add (mul 128 p) " OWN_W ") :when (lt (add (mul 128 p) "
            OWN_W ") n) %2)"), warp_sum, { 0, 1, 127, 300 } },
    /* in a branch of one warp, too: the block's threads do not meet */
    { CODE("(w 4) (l 32)", "", "(let %1 f32 (load X " OWN_W " :when (lt " OWN_W " n)))"
           "(if :when (lt w 2) (let %2 f32 (threads sum :warp %1)) (store Y " OWN_W " :when (lt " OWN_W " n) %2))"
           "(if :unless (lt w 2) (for i 1 (let %3 f32 (threads sum :warp %1))"
           " (store Y " OWN_W " :when (lt " OWN_W " n) %3)))"), warp_sum, { 0, 1, 37, 128 } },
    { CODE("(t 4)", "(a (cdiv n 24)) (b 3 :y) (c 2 :z)",
           "(name at (add (mul 24 a) (mul 8 b) (mul 4 c) t)) (let %1 f32 (load X at :when (lt at n)))"
           "(let %2 f32 (add %1 1.0)) (store Y at :when (lt at n) %2)"), plus_one, { 0, 1, 23, 100 } },
    { CODE("(t 4)", "(b 3 :z) (a (cdiv n 24)) (c 2 :z) (d 1 :y :cluster)",
           "(name at (add (mul 24 a) (mul 8 b) (mul 4 c) d t)) (let %1 f32 (load X at :when (lt at n)))"
           "(let %2 f32 (add %1 1.0)) (store Y at :when (lt at n) %2)"), plus_one, { 0, 1, 24, 100 } },
    { PAIRS(":cluster", "(barrier :cluster)", PARTNER), of_other_block, { 0, 1, 63, 200 } },
    { PAIRS(":y :cluster", "(barrier :cluster)", PARTNER), of_other_block, { 0, 1, 65, 129 } },
    /* each block of a cluster has its own shared memory */
    { CODE("(t 32)", "(p (cdiv n 64)) (c 2 :cluster)",
           "(shared s f32 32) (let %1 f32 (load X " SELF " :when (lt " SELF " n))) (store s t %1) (barrier :cluster)"
           "(let %2 f32 (load s (sub 31 t))) (store Y " SELF " :when (lt " SELF " n) %2)"), turned_32,
      { 0, 1, 63, 200 } },
    { CODE("(t 32)", "", "(shared s f32 n) (for i n :dealt (let %1 f32 (load X i)) (store s i %1)) (barrier)"
           "(for j n :dealt (let %2 f32 (load s (sub n (add j 1)))) (store Y j %2))"), backwards, { 0, 1, 77, 15000 } },
    { CODE("(t 32)", "", "(shared b bool 3) (shared s f32 16384) (store b 0 0)"
           "(for i n :dealt (let %1 f32 (load X i)) (store s i %1)) (barrier)"
           "(for j n :dealt (let %2 f32 (load s (sub n (add j 1)))) (store Y j %2))"), backwards, { 0, 1, 77, 16384 } },
};
enum { NRIGHTS = sizeof rights / sizeof *rights };

static void check_values(const right *x, int64_t n, const char *who)
{
    for (int64_t i = 0; i < MOST; i++) want[i] = i < n ? x->value(i, n) : -1;
    for (int64_t i = 0; i < MOST; i++)
        if (Y[i] != want[i])
            fail_msg("%s, n %d: Y[%d] is %g, not %g\n%s", who, (int)n, (int)i, (double)Y[i], (double)want[i], x->text);
}

static void what_is_right_reads_back_and_is_interpreted(void **state)
{
    (void)state;
    for (size_t i = 0; i < NRIGHTS; i++)
        for (int k = 0; k < 4; k++) {
            const trial t = { .text = rights[i].text, .n = rights[i].n[k] };
            if (status_of(verify, t)) fail_msg("%s\n%s", gn_message(), t.text);
            if (status_of(interpret, t)) fail_msg("n %d: %s\n%s", (int)t.n, gn_message(), t.text);
            check_values(&rights[i], t.n, "interpreted");
        }
}

static void emulate(const right *x, const char *compiler)
{
    trial t = { .text = x->text };
    assert_int_equal(gn_protect(verify, &t), GN_OK);
    void *library = unit_load_text(compiler, ".cc", emulated_code_text(&t.arena, 1, &t.code));
    for (int k = 0; k < 4; k++)
        for (int descending = 0; descending < 2; descending++) {
            begin();
            emulated_run_code(library, t.code, (void *[]){ X, Y }, &x->n[k], descending);
            check_values(x, x->n[k], "emulated");
        }
    dlclose(library);
    gn_arena_free(&t.arena);
}

static void what_is_right_is_emulated(void **state)
{
    (void)state;
    const char *compiler = unit_cxx();
    if (!compiler) skip();
    for (size_t i = 0; i < NRIGHTS; i++) emulate(&rights[i], compiler);
}

static void nvrtc_compiles_what_is_right(void **state)
{
    (void)state;
    gn_nvrtc *nvrtc;
    if (gn_nvrtc_open(&nvrtc, NULL)) {
        printf("skipped: %s\n", gn_message());
        skip();
    }
    for (size_t i = 0; i < NRIGHTS; i++) {
        trial t = { .text = rights[i].text };
        gn_nvrtc_output out;
        assert_int_equal(gn_protect(verify, &t), GN_OK);
        const char *const text = emulated_code_cuda(&t.arena, 1, &t.code);
        if (gn_nvrtc_compile(nvrtc, "launch", text, "sm_90", &out)) fail_msg("%s\n%s", gn_message(), text);
        gn_nvrtc_output_free(&out);
        gn_arena_free(&t.arena);
    }
    gn_nvrtc_close(nvrtc);
}

/* ---- what is wrong ---- */

typedef struct wrong {
    const char *text, *says;
    int64_t n;
} wrong;

static void tell(const wrong *all, size_t n, void (*run)(void *), bool unverified)
{
    int differ = 0;
    for (size_t i = 0; i < n; i++) {
        const gn_status s = status_of(run, (trial){ .text = all[i].text, .n = all[i].n, .unverified = unverified });
        if (s && strstr(gn_message(), all[i].says)) continue;
        printf("%s\n    should be: %s\n    is: %s\n", all[i].text, all[i].says, s ? gn_message() : "right");
        differ++;
    }
    assert_int_equal(differ, 0);
}
#define TELL(all, run, unverified) tell(all, sizeof all / sizeof *all, run, unverified)

static const wrong refused[] = {
    { WARPS("(barrier :thread)"), "barrier: it orders nothing for one thread" },
    { WARPS("(barrier :quad)"), "nothing more was expected here" },
    { CODE("(t 48)", "", "(barrier :warp)"),
      "barrier: a barrier of a warp: the block's 48 threads are no multiple of 32" },
    { CODE("(t 96)", "", "(barrier :warpgroup)"), "a barrier of a warpgroup: the block's 96 threads are no multiple of 128" },
    { CODE("(t 16)", "", "(let %1 f32 (threads sum :warp 1.0))"),
      "%1: a reduction over threads of a warp: the block's 16 threads are no multiple of 32" },
    { WARPS("(let %1 f32 (threads sum :cluster 1.0))"), "%1: a reduction over threads is of a warp or of the block" },
    { WARPS("(if :when (lt l 5) (barrier :warp))"),
      "barrier: a barrier that not all threads of a warp reach together: it is in 'if'" },
    { WARPS("(if :when (lt w 1) (barrier :warpgroup))"),
      "a barrier that not all threads of a warpgroup reach together: it is in 'if'" },
    { WARPS("(if :when (lt w 1) (barrier))"), "barrier: a barrier that not all threads reach together: it is in 'if'" },
    { GROUPS("(for i g (barrier :warpgroup) (barrier))"), "a barrier that not all threads reach together: it is in 'loop i'" },
    { GROUPS("(for i n :dealt (barrier :warp))"),
      "a barrier that not all threads of a warp reach together: it is in 'loop i'" },
    { CODE("(t 32)", "(c 2 :cluster)", "(if :when (lt c 1) (barrier) (barrier :cluster))"),
      "barrier: a barrier that not all threads of a cluster reach together: it is in 'if'" },
    { CODE("(t 32)", "(c 2 :cluster) (p n)", ""), "the part 'p' counts faster than those of the cluster in x" },
    { CODE("(t 32)", "(c n :cluster)", ""), "the count of the part 'c' of a cluster is no constant of at least 1" },
    { CODE("(t 32)", "(c 4 :cluster) (d 4 :z :cluster)", ""), "a cluster has at most 8 blocks" },
    { CODE("(t 32 :y)", "", ""), "nothing more was expected here" },
    { CODE("(t 32)", "(p 4 :w)", ""), "nothing more was expected here" },
    { "(code k avx512 " XY "(step ((p n) (q 2 :y))))", "the part 'q': the target avx512 has no grid of blocks" },
    { "(code k avx512 " XY "(step () (barrier :warp)))", "a barrier: the target avx512 has no blocks of threads" },
    { CODE("(t 32)", "(p n)", "(shared s f32 p)"), "s: its size is no index over symbols and no constant of at least 1" },
    { CODE("(mt 4) (mg 8)", "", "(reg c f32 2 2 :fragment mma_m16n8k8_tf32 (0 mg mt 1 _))"),
      "the thread variables of the row are not the last ones, in its order" },
    { CODE("(mg 8) (mt 4) (w 2)", "", "(reg c f32 2 2 :fragment mma_m16n8k8_tf32 (0 mg mt 1 _))"),
      "the thread variables of the row are not the last ones, in its order" },
    /* a barrier of a warp shows nobody else what a copy brought */
    { CODE("(t 32)", "", "(shared s f32 32) (reg k token 1) (async s t X t :when (lt t n)) (commit k) (await $k[0])"
           "(barrier :warp) (let %1 f32 (load s (sub 31 t))) (store Y t :when (lt t n) %1)"),
      "it reads 's' while 1 group of copies to it may be under way, or unseen behind no barrier" },
};

static void what_is_wrong_is_refused(void **state)
{
    (void)state;
    TELL(refused, verify, false);
}

/* s has content, which all see */
#define FULL(n) "(shared s f32 " #n ") (for z " #n " :dealt (store s z 0.0)) (barrier)"
#define RACE "a race for element "
static const wrong races[] = {
    { CODE("(w 4) (l 32)", "", FULL(128) TURN(OWN_W, "", "(add (mul 32 w) (sub 31 l))")), RACE, 128 },
    /* of other warps, other warpgroups */
    { CODE("(w 4) (l 32)", "", FULL(128) TURN(OWN_W, "(barrier :warp)", "(add (mul 32 (sub 3 w)) l)")),
      " since the last barrier of both", 128 },
    { GROUPS(FULL(256) TURN(OWN_G, "(barrier :warpgroup)", "(add (mul 128 (sub 1 g)) t)")), RACE, 256 },
    { GROUPS(FULL(256) TURN(OWN_G, "(barrier :warp)", "(add (mul 128 g) (sub 127 t))")), RACE, 256 },
    /* one warp writes what two others, which met, have read */
    { CODE("(w 3) (l 32)", "", "(shared s f32 1) (if :when (eq w 0) (if :when (eq l 0) (store s 0 1.0))) (barrier)"
           "(let %1 f32 (load s 0)) (barrier :warp) (if :when (eq w 1) (if :when (eq l 0) (store s 0 2.0)))"), RACE, 0 },
    { CODE("(w 3) (l 32)", "", "(shared s f32 1) (if :when (lt w 2) (store s 0 1.0) (barrier :warp))"
           "(if :when (eq w 2) (store s 0 2.0))"), RACE, 0 },
    { CODE("(w 2) (l 32)", "", "(shared s f32 1) (store s 0 1.0) (barrier :warp) (let %1 f32 (load s 0))"
           "(store s 0 2.0)"), RACE, 0 },
    { PAIRS(":cluster", "(barrier)", PARTNER), " of A", 128 },
    { PAIRS("", "(barrier :cluster)", PARTNER), " of A", 128 },
    { PAIRS(":cluster", "(barrier :cluster)", "(add (mul 64 (sub 1 p)) (mul 32 (sub 1 c)) t)"), "cluster ", 128 },
    { WARPS("(if :when (lt l 5) (barrier :warp))"), "not all threads reach the barrier: its condition holds ", 128 },
    { CODE("(t 32)", "(p 1) (c 2 :cluster)", "(if :when (lt c 1) (barrier :cluster))"),
      "k, step 0, cluster 0, block 1, thread 0, if: not all threads reach the barrier", 1 },
};

static void races_across_too_narrow_barriers_are_told(void **state)
{
    (void)state;
    TELL(races, interpret, true);
}

static const wrong launches[] = {
    { CODE("(t 32)", "(p 3) (q n :y)", ""), "code k, step 0: 65536 blocks along y, at most 65535 are possible", 65536 },
    { CODE("(t 32)", "(p 3) (q n :z)", ""), "65536 blocks along z, at most 65535", 65536 },
    { CODE("(t 32)", "(p n) (q 2)", ""), "2147483648 blocks along x, at most 2147483647", 1 << 30 },
    { CODE("(t 32)", "(p n) (q n)", ""), "the number of blocks overflows", INT64_MAX },
    { CODE("(t 32)", "", "(shared s f32 n)"), "232576 bytes of shared memory, at most 232448 are possible", 58113 },
};

static void launches_that_no_device_takes_are_refused(void **state)
{
    (void)state;
    TELL(launches, launch, false);
}

/* ---- values that the host makes, and what the driver is told ---- */

#define MADE(extents, box) "(code k cuda (syms (R :min 1) (C :mul 4)) (args (X read f32 (mul R C)) (M tensor_map X " extents " "  \
    box ") (Y update f32 (mul R C))) (threads (t 32)) (step ((r R :y) (c 2 :cluster)) (shared s f32 (mul 4 C)) "       \
    "(if :when (lt t C) :when (eq c 0) (let %1 f32 (load X (add (mul r C) t))) (store Y (add (mul r C) t) %1))))"
static const char made[] = MADE("(R C)", "(8 4)");

static const wrong unmade[] = {
    { MADE("(R)", "(8 4)"), "1 to 5 extents and as many of the box were expected" },
    { MADE("(R C)", "(8 512)"), "a number from 1 to 256 was expected, not '512'" },
    { MADE("(R C)", "(8 2)"), "M: rows of 8 bytes in its box, multiples of 16 are possible" },
    { MADE("(C R)", "(8 4)"), "M: rows of 'X' are not known to be multiples of 16 bytes" },
    { MADE("(R 8)", "(8 4)"), "M: its extents are not known to make all of 'X'" },
    { "(code k cuda (syms n) (args (A arena f32 n) (M tensor_map A (n) (4))) (step ()))", "M: 'A' is no buffer before it" },
    { "(code k c11 (syms n) (args (A read f32 n) (M tensor_map A (n) (4))) (step ()))",
      "M: the target c11 takes no values of the host" },
    { "(code k cuda (syms n) (args (A read f32 n) (M tensor_map A (n) (4))) (step () (let %1 u8 (load M 0))))",
      "'M' is a value that the host makes, not memory" },
    { "(code k cuda (syms n) (args (A read f32 n) (M tensor_map A (n) (4))) (step () (for i (load M 0))))",
      "an index loads 'M', which is no argument" },
    { "(code k cuda (syms n) (args (A read f32 n) (M tensor_map A ((load A 0)) (4))) (step ()))",
      "M: an extent is not over symbols alone" },
};

/* A driver that notes what it is told. */
static struct {
    int launches, attribute, value, fails;
    unsigned grid[3], block[3], shared;
    void *function, *stream, *params[8];
    uint64_t extents[2], stride;
    uint32_t box[2], rank;
    void *address;
} told;

static int note_launch(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned bytes,
                       void *stream, void **params, void **extra)
{
    const unsigned grid[] = { gx, gy, gz }, threads[] = { bx, by, bz };
    memcpy(told.grid, grid, sizeof grid);
    memcpy(told.block, threads, sizeof threads);
    told.launches++, told.function = f, told.stream = stream, told.shared = bytes;
    assert_null(extra);
    told.params[0] = *(void **)params[0], told.params[2] = *(void **)params[2];
    assert_int_equal((uintptr_t)params[1] % 64, 0);
    assert_int_equal(*(uint64_t *)params[1], 77); /* by value */
    assert_int_equal(*(int64_t *)params[3], 5);
    return told.fails;
}

static int note_attribute(void *f, int attribute, int value)
{
    (void)f;
    told.attribute = attribute, told.value = value;
    return 0;
}

static int note_map(void *map, int dtype, uint32_t rank, void *address, const uint64_t *extents, const uint64_t *strides,
                    const uint32_t *box, const uint32_t *element_strides, int interleave, int swizzle, int promotion, int fill)
{
    assert_int_equal(dtype, 7); /* CU_TENSOR_MAP_DATA_TYPE_FLOAT32 */
    assert_int_equal(interleave | swizzle | promotion | fill, 0);
    told.rank = rank, told.address = address, told.stride = strides[0];
    memcpy(told.extents, extents, sizeof told.extents);
    memcpy(told.box, box, sizeof told.box);
    assert_int_equal(element_strides[0], 1);
    *(uint64_t *)map = 77;
    return 0;
}

static int name_error(int error, const char **name)
{
    *name = error == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : "CUDA_ERROR";
    return 0;
}

static void expect_error(gn_status is, gn_status wanted, const char *says)
{
    assert_int_equal(is, wanted);
    assert_message_contains(says);
}

static void the_driver_is_told_what_code_says(void **state)
{
    (void)state;
    const gn_cuda_driver driver = { NULL, note_launch, note_attribute, note_map, name_error };
    trial t = { .text = made };
    static _Alignas(16) char x[64], y[64];
    void *memory[] = { x, NULL, y }, *crooked[] = { x + 4, NULL, y };
    memset(&told, 0, sizeof told);
    assert_int_equal(gn_protect(verify, &t), GN_OK);
    assert_int_equal(gn_cuda_launch(&driver, y, t.code, 0, memory, (int64_t[]){ 5, 4000 }, x), GN_OK);
    assert_true(told.launches == 1 && told.function == y && told.stream == x);
    assert_true(told.grid[0] == 2 && told.grid[1] == 5 && told.grid[2] == 1 && told.block[0] == 32 && told.block[1] == 1);
    assert_true(told.shared == 64000 && told.attribute == 8 && told.value == 64000);
    assert_true(told.params[0] == x && told.params[2] == y && told.address == x);
    assert_true(told.rank == 2 && told.extents[0] == 4000 && told.extents[1] == 5 && told.stride == 16000);
    assert_true(told.box[0] == 4 && told.box[1] == 8);
    told.value = 0;
    assert_int_equal(gn_cuda_launch(&driver, NULL, t.code, 0, memory, (int64_t[]){ 5, 400 }, NULL), GN_OK);
    assert_true(told.value == 0 && told.shared == 6400); /* no need to ask */
    assert_int_equal(gn_cuda_launch(&driver, NULL, t.code, 0, memory, (int64_t[]){ 0, 400 }, NULL), GN_OK);
    assert_int_equal(told.launches, 2); /* nothing to run */
    expect_error(gn_cuda_launch(&driver, NULL, t.code, 0, crooked, (int64_t[]){ 5, 400 }, NULL), GN_EINVAL,
                 "CUDA: tensor_map of 'X': its address is no multiple of 16");
    expect_error(gn_cuda_launch(&driver, NULL, t.code, 0, memory, (int64_t[]){ 5, 0 }, NULL), GN_EINVAL,
                 "CUDA: tensor_map of 'X': an extent of 0, 1 to 2^32");
    expect_error(gn_cuda_launch(&driver, NULL, t.code, 0, memory, (int64_t[]){ 70000, 4 }, NULL), GN_EINVAL,
                 "70000 blocks along y, at most 65535");
    told.fails = 700;
    expect_error(gn_cuda_launch(&driver, NULL, t.code, 0, memory, (int64_t[]){ 5, 400 }, NULL), GN_EDEVICE,
                 "CUDA: code k, step 0: the launch: CUDA_ERROR_ILLEGAL_ADDRESS");
    gn_arena_free(&t.arena);
}

static void a_driver_is_opened_or_told_to_be_absent(void **state)
{
    (void)state;
    gn_cuda_driver d;
    const gn_status s = gn_cuda_driver_open(&d);
    if (s) expect_error(s, GN_EDEVICE, "CUDA: ");
    else gn_cuda_driver_close(&d);
}

static void what_the_host_makes_is_refused_where_the_driver_would(void **state)
{
    (void)state;
    TELL(unmade, verify, false);
}

static void what_the_host_makes_is_passed_by_value(void **state)
{
    (void)state;
    trial t = { .text = made };
    gn_nvrtc *nvrtc;
    gn_nvrtc_output out;
    const int64_t sym[] = { 3, 16 };
    assert_int_equal(gn_protect(verify, &t), GN_OK);
    begin();
    gn_code_interpret(t.code, (void *[]){ X, Y }, sym, 1, &t.arena);
    for (int i = 0; i < 48; i++) assert_true(Y[i] == X[i]);
    const char *const text = emulated_code_cuda(&t.arena, 1, &t.code);
    assert_non_null(strstr(text, "const float *X, const __grid_constant__ gn_tensor_map M, float *Y"));
    if (!gn_nvrtc_open(&nvrtc, NULL)) {
        if (gn_nvrtc_compile(nvrtc, "made", text, "sm_90", &out)) fail_msg("%s", gn_message());
        gn_nvrtc_output_free(&out);
        gn_nvrtc_close(nvrtc);
    }
    gn_arena_free(&t.arena);
}

/* ---- schedules ---- */

typedef struct scheduled {
    const char *schedule, *says; /* says: of code, or why it is refused */
} scheduled;

#define MAP "(kernel k (syms R C) (bufs (X f32 R C) (Y f32 R C)) (axes (i R) (j C)) (store set Y (i j) (add (load X i j) 1)))"
#define ROWS "(split i ib (ic 2) (it 4)) (split j jb (jt 8)) (order ib ic jb it jt) (bind thread it jt) "
static const scheduled schedules[] = {
    { ROWS "(bind block ib ic) (bind block :y jb)", NULL }, /* ic may end early */
    { "(split i ib (ic 2) (it 4)) (split j jb (jt 8)) (order ib jb ic it jt) (bind thread it jt)"
      "(bind block ib jb) (bind block :cluster ic)", "(step ((ib (div (add R 7) 8)) (jb (div (add C 7) 8)) (ic 2 :cluster))" },
    { ROWS "(bind block ib) (bind block :y jb) (bind block :cluster ic)",
      "(step ((ib (div (add R 7) 8)) (ic 2 :cluster) (jb (div (add C 7) 8) :y))" },
    { ROWS "(bind block :z ib) (bind block :y jb) (bind block :z :cluster ic)",
      "(step ((ib (div (add R 7) 8) :z) (ic 2 :z :cluster) (jb (div (add C 7) 8) :y))" },
    { ROWS "(bind block ib ic) (bind block :cluster jb)", "bind block :cluster jb: a cluster has a constant number of blocks" },
    { ROWS "(bind block ib) (bind block :cluster ic) (bind block jb)",
      "bind block jb: it stands behind 'ic', a leaf of the cluster in the same dim of the grid" },
    { ROWS "(bind thread :y ib)", "no leaf ':y'" },
};

typedef struct scheduling {
    gn_arena arena;
    const char *schedule;
    const gn_kernel *kernel;
    gn_scheduled *s;
} scheduling;

static void apply(void *arg)
{
    scheduling *const t = arg;
    const char *const text = gn_arena_printf(&t->arena, MAP " (schedule s %s)", t->schedule);
    const gn_sx *const all = gn_sx_read(&t->arena, "test", text, strlen(text));
    t->kernel = gn_kernel_read(&t->arena, "test", all->at[0]);
    gn_schedule *const s = gn_schedule_read(&t->arena, t->kernel, "test", all->at[1]);
    gn_text once = { .arena = &t->arena }, twice = once;
    gn_schedule_print(&once, t->kernel, s);
    const gn_sx *const again = gn_sx_read(&t->arena, "test", gn_text_done(&once), once.n);
    gn_schedule_print(&twice, t->kernel, gn_schedule_read(&t->arena, t->kernel, "test", again->at[0]));
    assert_string_equal(gn_text_done(&once), gn_text_done(&twice));
    t->s = gn_schedule_apply(&t->arena, t->kernel, s, &gn_target_cuda);
    gn_code_verify(t->s->code);
}

static void check_scheduled(scheduling *t, const char *compiler)
{
    static const int64_t extents[][2] = { { 0, 5 }, { 1, 1 }, { 7, 9 }, { 16, 24 }, { 21, 17 } };
    void *library = compiler ? unit_load_text(compiler, ".cc", emulated_code_text(&t->arena, 1, &t->s->code)) : NULL;
    for (size_t k = 0; k < sizeof extents / sizeof *extents; k++)
        for (int run = 0; run < ORDERS; run++) {
            begin();
            if (run < 2 && library) emulated_run_code(library, t->s->code, (void *[]){ X, Y }, extents[k], run);
            else gn_code_interpret(t->s->code, (void *[]){ X, Y }, extents[k], (uint64_t)run, &t->arena);
            for (int i = 0; i < MOST; i++)
                if (Y[i] != (i < extents[k][0] * extents[k][1] ? X[i] + 1 : -1)) fail_msg("Y[%d]: %s", i, t->schedule);
        }
    if (library) dlclose(library);
}

static void schedules_bind_dims_of_the_grid_and_clusters(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        scheduling t = { .schedule = schedules[i].schedule };
        const gn_status status = gn_protect(apply, &t);
        gn_text code = { .arena = &t.arena };
        if (!status) gn_code_print(&code, t.s->code);
        const char *const is = status ? gn_message() : gn_text_done(&code);
        if (schedules[i].says ? !strstr(is, schedules[i].says) : status && !strstr(is, "not all statements"))
            fail_msg("%s\n    should be: %s\n    is: %s", t.schedule, schedules[i].says, is);
        if (!status) check_scheduled(&t, unit_cxx());
        gn_arena_free(&t.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right_reads_back_and_is_interpreted),
        cmocka_unit_test(what_is_right_is_emulated),
        cmocka_unit_test(nvrtc_compiles_what_is_right),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(races_across_too_narrow_barriers_are_told),
        cmocka_unit_test(schedules_bind_dims_of_the_grid_and_clusters),
        cmocka_unit_test(what_the_host_makes_is_refused_where_the_driver_would),
        cmocka_unit_test(what_the_host_makes_is_passed_by_value),
        cmocka_unit_test(the_driver_is_told_what_code_says),
        cmocka_unit_test(a_driver_is_opened_or_told_to_be_absent),
        cmocka_unit_test(launches_that_no_device_takes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
