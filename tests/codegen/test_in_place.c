/* Which buffers may be one memory: pairs that are found and pairs that must not be, and that code on shared memory
 * computes what it does on memory apart. */
#include "lower_default.h"
#include "random_schedule.h"
#include "code_interpret.h"
#include "default_schedule.h"
#include "in_place.h"

/* ---- what is found ---- */

typedef struct pair_case {
    const char *title, *text, *pairs; /* "W>w V>v", in the order of the written buffers */
} pair_case;

static const pair_case cases[] = {
    { "a state on which another new value depends",
      "(kernel k (syms N) (bufs (G f32 N) (V f32 N) (v f32 N) (W f32 N) (w f32 N)) (axes (i N)) (def t (i) (add (load "
      "G i) (mul (load V i) 0.9)))"
      " (store set v (i) (t i)) (store set w (i) (sub (load W i) (mul (t i) 0.1))))",
      "G>v V>v G>w V>w W>w" },
    { "a swap: what is stored first is loaded too late for the second",
      "(kernel k (syms N) (bufs (A f32 N) (a f32 N) (B f32 N) (b f32 N)) (axes (i N)) (store set a (i) (load B i)) "
      "(store set b (i) (load A i)))",
      "B>a A>b B>b" },
    { "both are loaded for the first",
      "(kernel k (syms N) (bufs (A f32 N) (a f32 N) (B f32 N) (b f32 N)) (axes (i N)) (def s (i) (add (load A i) (load "
      "B i)))"
      " (store set a (i) (s i)) (store set b (i) (mul (load A i) (s i))))",
      "A>a B>a A>b B>b" },
    { "a neighbour",
      "(kernel k (syms) (bufs (X f32 9) (Y f32 9)) (axes (i 9)) (store set Y (i) (if (lt i 8) (load X (add i 1)) (load "
      "X i))))",
      "" },
    { "turned",
      "(kernel k (syms) (bufs (X f32 8 8) (Y f32 8 8)) (axes (i 8) (j 8)) (store set Y (i j) (exp (load X j i))))",
      "" },
    { "a row and its sum",
      "(kernel k (syms M N) (bufs (X f32 M N) (Y f32 M N)) (axes (i M) (j N)) (def s (i) (sum (j) (load X i j)))"
      " (store set Y (i j) (div (load X i j) (s i))))",
      "" },
    { "an index is read where nothing tells",
      "(kernel k (syms N) (bufs (T i32 N) (t i32 N) (X i32 N)) (axes (i N)) (store set t (i) (load X (load T i))))",
      "" },
    { "another shape, another dtype",
      "(kernel k (syms N) (bufs (X f32 N) (Y f64 N) (Z f32 N 2) (z f32 (mul 2 N))) (axes (i N) (j 2)) (store set Y (i) "
      "(cast f64 (load X i)))"
      " (store set z ((add (mul 2 i) j)) (load Z i j)))",
      "" },
    { "sums are added to",
      "(kernel k (syms N) (bufs (T i32 N) (X f32 N) (Y f32 N)) (axes (i N)) (store add Y ((load T i)) (load X i)))",
      "" },
};

static const char *pairs_of(gn_arena *a, const gn_scheduled *s)
{
    gn_text t = { .arena = a };
    const gn_in_place found = gn_in_place_find(a, a, s);
    for (size_t i = 0; i < found.pairs.n; i++)
        gn_textf(&t, "%s%s>%s", i ? " " : "", s->kernel->bufs.at[found.pairs.at[i].read].name,
                 s->kernel->bufs.at[found.pairs.at[i].write].name);
    return gn_text_done(&t);
}

static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_generic };

static void pairs_are_read_before_they_are_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
            gn_arena a = { 0 };
            gn_schedule *schedule;
            const gn_sx *x = gn_sx_read(&a, "case", cases[i].text, strlen(cases[i].text));
            gn_kernel *k = gn_kernel_read(&a, "case", x->at[0]);
            const gn_scheduled *s = gn_default_apply(&a, k, targets[t], &schedule);
            if (strcmp(pairs_of(&a, s), cases[i].pairs) != 0)
                fail_msg("%s, %s: %s, expected %s", cases[i].title, targets[t]->name, pairs_of(&a, s), cases[i].pairs);
            gn_arena_free(&a);
        }
}

/* ---- that it is right ---- */

static const char *const updates[] = {
    "(kernel %s (syms M N K) (bufs (A f32 M N) (B f32 M N) (C f32 M N) (a f32 M N) (b f32 M N) (c f32 M N) (R f32 N)) "
    "(axes (i M) (j N))"
    " (def t (i j) (add (mul (load A i j) 0.5) (load R j))) (def u (i j) (mul (load B i j) (t i j)))"
    " (store set a (i j) (t i j)) (store set b (i j) (sub (u i j) (load C i j))) (store set c (i j) (add (load C i j) "
    "(mul (load A i j) (u i j)))))",
    "(kernel %s (syms M N K) (bufs (X f32 M K) (D f32 K N) (W f32 M N) (V f32 M N) (w f32 M N) (v f32 M N)) (axes (i "
    "M) (j N) (k K))"
    " (def g (i j) (sum (k) (mul (load X i k) (load D k j)))) (def n (i j) (add (g i j) (mul (load V i j) 0.9)))"
    " (store set v (i j) (n i j)) (store set w (i j) (sub (load W i j) (n i j))))",
    "(kernel %s (syms M N K) (bufs (S f32 M) (X f32 M N) (s f32 M) (x f32 M N)) (axes (i M) (j N))"
    " (def m (i) (sum (j) (load X i j))) (store set s (i) (add (load S i) (m i))) (store set x (i j) (sub (load X i j) "
    "(load S i))))",
};

/* As the code runs on memory apart, and on memory of which the pair is one. */
static void compare_memory(const gn_scheduled *s, gn_in_place_pair pair, uint64_t seed)
{
    static const int64_t extents[][3] = { { 3, 5, 4 }, { 1, 17, 2 }, { 8, 1, 9 }, { 0, 4, 3 } };
    const gn_kernel *k = s->kernel;
    enum { MOST = 8 };
    for (size_t z = 0; z < sizeof extents / sizeof *extents; z++) {
        block apart[MOST], one[MOST];
        void *at[MOST], *shared[MOST];
        gn_arena scratch = { 0 };
        for (size_t b = 0; b < k->bufs.n; b++) {
            apart[b] = new_block(buffer_bytes(k, b, extents[z])), one[b] = new_block(apart[b].bytes);
            uint64_t same = seed + b;
            fill(&apart[b], k->bufs.at[b].dtype, 5, &same);
            memcpy(one[b].data, apart[b].data, apart[b].bytes);
            at[b] = apart[b].data, shared[b] = one[b].data;
        }
        shared[pair.write] = shared[pair.read];
        gn_code_interpret(s->code, at, extents[z], 1, &scratch);
        gn_code_interpret(s->code, shared, extents[z], 1, &scratch);
        for (size_t b = 0; b < k->bufs.n; b++)
            if (k->bufs.at[b].access & GN_KBUF_WRITE && apart[b].bytes)
                assert_memory_equal(at[b], shared[b], apart[b].bytes);
        for (size_t b = 0; b < k->bufs.n; b++) free_block(&apart[b]), free_block(&one[b]);
        gn_arena_free(&scratch);
    }
}

typedef struct trial {
    gn_arena arena;
    const char *text;
    const gn_target *target;
    job job;
} trial;

static void lower_trial(void *user)
{
    trial *t = user;
    t->job = lower_text(&t->arena, t->text, t->target);
}

static void shared_memory_changes_no_value(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    const char *wanted = getenv("GNOMON_TEST_SCHEDULES");
    const int n = wanted ? atoi(wanted) : 800;
    int legal = 0, pairs = 0;
    for (int i = 0; i < n; i++) {
        const bool cuda = i % 4 == 3;
        trial t = { .target = cuda ? &gn_target_cuda : targets[i % 3] };
        t.text = random_schedule(&t.arena, updates[i % 3], "k", &seed, cuda, NULL);
        if (gn_protect(lower_trial, &t) == GN_OK) {
            const gn_in_place found = gn_in_place_find(&t.arena, &t.arena, t.job.s);
            for (size_t p = 0; p < found.pairs.n; p++) compare_memory(t.job.s, found.pairs.at[p], seed);
            legal++, pairs += (int)found.pairs.n;
        }
        gn_arena_free(&t.arena);
    }
    print_message("%d schedules, %d legal, %d pairs\n", n, legal, pairs);
    assert_true(legal > n / 5 && pairs > legal);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(pairs_are_read_before_they_are_written),
                                        cmocka_unit_test(shared_memory_changes_no_value) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
