/* Proofs that index expressions are not negative: what is proved holds for all values, and what indices need is proved. */
#include "testlib.h"
#include <string.h>
#include "dim_prove.h"

static const gn_dim *read_dim(gn_dim_pool *pool, const char *text)
{
    return gn_dim_read(pool, "test", gn_sx_read(pool->arena, "test", text, strlen(text))->at[0]);
}

typedef struct proof {
    const char *known[4], *goal; /* each at least 0, over symbols that are */
} proof;

static const proof proofs[] = {
    { { "(sub n (add i 1))", "(sub m (add j 1))" }, "(sub (mul n m) (add (mul i m) j 1))" },
    { { "(sub (cdiv n 16) (add i 1))" }, "(sub n (add (mul 16 i) 1))" },
    { { "(sub (div n 16) (add i 1))" }, "(sub n (add (mul 16 i) 16))" },
    { { "(sub (min 64 (sub (cdiv n 16) (mul 64 p))) (add i 1))" }, "(sub n (add (mul 1024 p) (mul 16 i) 1))" },
    { { "(sub (cdiv (sub n i) 5) (add j 1))" }, "(sub (cdiv n 5) (add j 1))" },
    { { "(sub (div n 8) (add i 1))" }, "(sub (mul 2 (cdiv n 8)) (add (mul 2 i) 1))" },
    { { "(sub (cdiv m 6) (add i 1))" }, "(add (mul n (min (sub m 1) (mul 6 i))) k)" },
    { { "(sub n (add i 1))" }, "(sub (mul n m) (add (mul n (min (sub m 1) j)) i 1))" },
    /* rows of rows, and blocks that are 3 wide */
    { { "(sub n (add i 1))", "(sub m (add j 1))", "(sub k (add l 1))" },
      "(sub (mul n m k) (add (mul i m k) (mul j k) l 1))" },
    { { "(sub m (add i 1))", "(sub 2 j)", "(sub (mul 4 n) (add k 1))" }, "(sub (mul 12 n m) (add (mul 3 m k) (mul 3 i) j 1))" },
    /* digits of i, which counts over m n, as an index of n rows of m; the quotient where i is the last, too */
    { { "(sub (mul n m) (add i 1))" }, "(sub (mul n m) (add (mul m (sub i (mul n (div i n)))) (div i n) 1))" },
    { { "(sub (mul n m) (add i 1))" }, "(add (mul m (sub i (mul n (div i n)))) (div i n))" },
    { { "(sub (div (mul n m) 6) (add i 1))", "(sub 5 j)" }, "(sub n (add (div (add (mul 6 i) j) m) 1))" },
    { { "(sub (mul n m) (add i j k 1))" }, "(sub n (add (div (add i j) m) 1))" },
    /* a window of a row that is a digit: k (i div k) ends where the row does */
    { { "(sub (mul k n) (add i 1))", "(sub m (add c 1))", "(sub k (add (sub i (mul k (div i k))) q))" },
      "(sub (mul k n m) (add (mul k n c) i q))" },
    /* rows before, of which one is there */
    { { "(sub (add (mul 3 j) i) 1)" }, "(add (mul m (sub (add (mul 3 j) i) 1)) k)" },
    { { "(sub m (add (mul 5 i) 1))", "(sub n 1)" }, "(sub (mul n m) (add (mul 5 i) 1))" },
    /* the least in a product, and one that the rest needs whole */
    { { "(sub m (add (mul 4 j) 1))", "(sub n 1)" }, "(sub (mul n m) (add (mul n (min (sub m 1) (mul 3 i))) 1))" },
    { { "(sub (add (min (sub k 1) i) q) 1)", "(sub m (add j 1))" },
      "(sub (add (mul k n (min (sub m 1) j)) (min (sub k 1) i) q) 1)" },
    /* what some sizes leave empty: there is no i */
    { { "(sub (div (add m 24) 25) (add i 1))" }, "(sub m 1)" },
    /* the last in a choice of a choice */
    { { "(sub (min m (mul 2 (cdiv m 2))) (add i 1))" }, "(sub (mul 2 (cdiv m 2)) (add i 1))" },
    /* what contradicts itself: there is no such point */
    { { "(sub i (add j 1))", "(sub j i)" }, "(sub j (add i 7))" },
};

/* Near to them, and not so for all values. */
static const proof fallacies[] = {
    { { "(sub n (add i 1))", "(sub m (add j 1))" }, "(sub (mul n m) (add (mul i m) j 2))" },
    { { "(sub n (add i 1))", "(sub m (add j 1))" }, "(sub (mul n m) (add (mul i n) j 1))" },
    { { "(sub (cdiv n 16) (add i 1))" }, "(sub n (add (mul 16 i) 2))" },
    { { "(sub (div n 16) i)" }, "(sub n (add (mul 16 i) 1))" },
    { { "(sub m (add i 1))", "(sub 3 j)", "(sub (mul 4 n) (add k 1))" }, "(sub (mul 12 n m) (add (mul 3 m k) (mul 3 i) j 1))" },
    { { "(sub (div (add m 24) 25) i)" }, "(sub m 1)" },
    { { "(sub (max m 4) (add i 1))" }, "(sub m (add i 1))" },
    { { "(sub n (add i 1))" }, "(sub (mul n m) (add i 1))" },
    { { "(sub 9 n)", "(sub n i)" }, "(sub 8 i)" },
    { { "(sub (mul n m) (add i 1))" }, "(sub (mul n m) (add (mul m (sub i (mul n (div i n)))) (div i n) 2))" },
    { { "(sub (mul n m) i)" }, "(sub n (add (div i m) 1))" },
    { { "(sub (mul n m) (add i 1))" }, "(sub n (add (div (add i j) m) 1))" },
    { { "(sub (mul k n) (add i 1))", "(sub m (add c 1))", "(sub k (sub (add (sub i (mul k (div i k))) q) 1))" },
      "(sub (mul k n m) (add (mul k n c) i q))" },
    { { "(add (mul 3 j) i)" }, "(add (mul m (sub (add (mul 3 j) i) 1)) k)" },
    { { "(sub m (add (mul 5 i) 1))" }, "(sub (mul n m) (add (mul 5 i) 1))" },
    { { "(sub n 1)" }, "(sub (mul n m) (add (mul n (min (sub m 1) (mul 3 i))) 2))" },
    { { "(add (div n 3) -2)" }, "(sub n 7)" },
};

/* Of sizes it is known that they are not negative. */
static gn_prover new_prover(gn_arena *a, gn_dim_pool *pool)
{
    gn_prover p = { .pool = pool, .arena = a };
    static const char *const sizes[] = { "n", "m", "k" };
    for (int i = 0; i < 3; i++)
        gn_push(a, &p.facts, ((gn_dim_fact){ .name = sizes[i], .mul = 1, .min = 0, .max = INT64_MAX }));
    return p;
}

static void what_indices_need_is_proved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof proofs / sizeof *proofs; i++) {
        gn_arena a = { 0 };
        gn_dim_pool pool = { .arena = &a };
        gn_prover p = new_prover(&a, &pool);
        for (size_t k = 0; k < 4 && proofs[i].known[k]; k++) gn_prover_know(&p, read_dim(&pool, proofs[i].known[k]));
        if (!gn_prover_proves(&p, read_dim(&pool, proofs[i].goal))) fail_msg("not proved: %s >= 0", proofs[i].goal);
        gn_arena_free(&a);
    }
}

static void what_does_not_follow_is_not_proved(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fallacies / sizeof *fallacies; i++) {
        gn_arena a = { 0 };
        gn_dim_pool pool = { .arena = &a };
        gn_prover p = new_prover(&a, &pool);
        for (size_t k = 0; k < 4 && fallacies[i].known[k]; k++)
            gn_prover_know(&p, read_dim(&pool, fallacies[i].known[k]));
        if (gn_prover_proves(&p, read_dim(&pool, fallacies[i].goal))) fail_msg("proved: %s >= 0", fallacies[i].goal);
        gn_arena_free(&a);
    }
}

/* In a turn of a loop over n m points there are some of both. */
static void digits_of_a_turn_are_inside(void **state)
{
    (void)state;
    static const char *const goals[] = { "(div c n)", "(sub m (add (div c n) 1))", "(sub c (mul n (div c n)))",
                                         "(sub (mul n (add (div c n) 1)) (add c 1))", "(sub n 1)", "(sub m 1)" };
    static const char *const wrong[] = { "(sub m (add (div c n) 2))", "(sub n (add (div c n) 1))", "(sub n 2)",
                                         "(sub (mul n (add (div c n) 1)) (add c 2))" };
    gn_arena a = { 0 };
    gn_dim_pool pool = { .arena = &a };
    gn_prover p = { .pool = &pool, .arena = &a };
    gn_push(&a, &p.facts, ((gn_dim_fact){ .name = "n", .mul = 1, .min = 0, .max = INT64_MAX }));
    gn_push(&a, &p.facts, ((gn_dim_fact){ .name = "m", .mul = 1, .min = 0, .max = INT64_MAX }));
    gn_prover_know_range(&p, "c", NULL, read_dim(&pool, "(mul n m)"));
    for (size_t i = 0; i < sizeof goals / sizeof *goals; i++)
        if (!gn_prover_proves(&p, read_dim(&pool, goals[i]))) fail_msg("not proved: %s >= 0", goals[i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (gn_prover_proves(&p, read_dim(&pool, wrong[i]))) fail_msg("proved: %s >= 0", wrong[i]);
    gn_arena_free(&a);
}

/* Whatever the goal: products of many sums, choices of choices. */
static void what_is_not_proved_takes_a_bounded_number_of_steps(void **state)
{
    (void)state;
    uint32_t most = 0;
    for (int n = 2; n <= 32; n *= 2) {
        gn_arena a = { 0 };
        gn_dim_pool pool = { .arena = &a };
        gn_prover p = { .pool = &pool, .arena = &a };
        const gn_dim *goal = gn_dim_const(&pool, -1), *least = gn_dim_sym(&pool, "z");
        for (int i = 0; i < n; i++) {
            const gn_dim *const x = gn_dim_sym(&pool, gn_arena_printf(&a, "x%d", i)),
                               *const y = gn_dim_sym(&pool, gn_arena_printf(&a, "y%d", i));
            least = gn_dim_min(&pool, least, gn_dim_sub(&pool, x, gn_dim_div(&pool, y, gn_dim_const(&pool, i + 2))));
            goal = gn_dim_add(&pool, goal, gn_dim_mul(&pool, least, gn_dim_sub(&pool, x, y)));
            gn_prover_know_less(&p, y, gn_dim_add(&pool, x, least));
        }
        const uint32_t before = pool.ndims;
        assert_false(gn_prover_proves(&p, goal));
        print_message("%d: %u sums\n", n, pool.ndims - before);
        if (pool.ndims - before > most) most = pool.ndims - before;
        gn_arena_free(&a);
    }
    assert_true(most < 10000);
}

static void what_is_forgotten_proves_nothing(void **state)
{
    (void)state;
    gn_arena a = { 0 };
    gn_dim_pool pool = { .arena = &a };
    gn_prover p = { .pool = &pool, .arena = &a };
    const gn_dim_fact f = { .name = gn_dim_sym(&pool, "n")->term[0].atom[0]->name, .mul = 1, .min = 0, .max = INT64_MAX };
    gn_push(&a, &p.facts, f);
    const gn_prover_mark before = gn_prover_remember(&p);
    gn_prover_know_less(&p, gn_dim_sym(&pool, "i"), gn_dim_sym(&pool, "n"));
    gn_prover_know(&p, read_dim(&pool, "(sub n 3)"));
    assert_true(gn_prover_proves(&p, read_dim(&pool, "(sub n 3)")));
    gn_prover_forget(&p, before);
    assert_false(gn_prover_proves(&p, read_dim(&pool, "(sub n 3)")));
    assert_false(gn_prover_proves(&p, read_dim(&pool, "(sub n (add i 1))")));
    gn_arena_free(&a);
}

/* ---- what is proved holds ---- */

enum { NSYMBOLS = 3, MOST = 7 };
static const char *const symbols[NSYMBOLS] = { "x", "y", "z" };

typedef struct point {
    int64_t at[NSYMBOLS];
} point;

static bool value_of(void *user, const char *name, int64_t *out)
{
    const point *const p = user;
    for (int i = 0; i < NSYMBOLS; i++)
        if (strcmp(name, symbols[i]) == 0) return *out = p->at[i], true;
    return false;
}

static bool is_negative_at(const gn_dim *d, point *p)
{
    int64_t v;
    assert_true(gn_dim_eval(d, value_of, NULL, p, &v));
    return v < 0;
}

static const gn_dim *random_dim(gn_dim_pool *pool, uint64_t *seed, int depth)
{
    static const char *const makes[] = { "add", "sub", "mul", "div", "mod", "min", "max" };
    const uint64_t what = test_random(seed) % (depth > 0 ? 9 : 2);
    if (what == 0) return gn_dim_const(pool, (int64_t)(test_random(seed) % 9) - 4);
    if (what == 1) return gn_dim_sym(pool, symbols[test_random(seed) % NSYMBOLS]);
    const gn_dim *const a = random_dim(pool, seed, depth - 1), *const b = random_dim(pool, seed, depth - 1);
    gn_text t = { .arena = pool->arena };
    gn_textf(&t, "(%s ", makes[what - 2]);
    gn_dim_print(&t, a);
    gn_text_char(&t, ' ');
    gn_dim_print(&t, b);
    gn_text_char(&t, ')');
    return read_dim(pool, gn_text_done(&t));
}

/* A negative value of the goal where all known ones are not. */
static bool is_refuted(const gn_dim *const *known, size_t n, const gn_dim *goal)
{
    for (int i = 0; i < MOST * MOST * MOST; i++) {
        point at = { { i % MOST, i / MOST % MOST, i / MOST / MOST } };
        bool inside = true;
        for (size_t k = 0; k < n; k++) inside = inside && !is_negative_at(known[k], &at);
        if (inside && is_negative_at(goal, &at)) return true;
    }
    return false;
}

static void what_is_proved_holds(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    size_t proved = 0, by_known = 0;
    for (int round = 0; round < 3000; round++) {
        gn_arena a = { 0 };
        gn_dim_pool pool = { .arena = &a };
        gn_prover p = { .pool = &pool, .arena = &a }, alone = p;
        const gn_dim *known[3];
        for (int i = 0; i < NSYMBOLS && round % 4 < 2; i++) /* facts, which what is known makes narrower */
            gn_push(&a, &p.facts, ((gn_dim_fact){ .name = symbols[i], .mul = 1, .max = MOST - 1 }));
        for (int k = 0; k < 3; k++) gn_prover_know(&p, known[k] = random_dim(&pool, &seed, 2));
        const gn_dim *const goal =
            round % 2 ? random_dim(&pool, &seed, 3) : gn_dim_add(&pool, known[0], random_dim(&pool, &seed, 2));
        if (gn_prover_proves(&p, goal)) {
            proved++;
            by_known += !gn_prover_proves(&alone, goal);
            if (is_refuted(known, 3, goal)) fail_msg("round %d: %s >= 0 does not follow", round, gn_dim_text(&a, goal));
        }
        gn_arena_free(&a);
    }
    assert_true(proved > 300 && by_known > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_indices_need_is_proved),
        cmocka_unit_test(what_does_not_follow_is_not_proved),
        cmocka_unit_test(digits_of_a_turn_are_inside),
        cmocka_unit_test(what_is_not_proved_takes_a_bounded_number_of_steps),
        cmocka_unit_test(what_is_forgotten_proves_nothing),
        cmocka_unit_test(what_is_proved_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
