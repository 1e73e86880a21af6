/* No pass changes a bit: what the code of kernels and of random schedules computes before the first pass and after each
 * is the same, interpreted. */
#include "code_passes.h"
#include "code_unify.h"
#include "random_schedule.h"

typedef struct trial {
    gn_arena arena;
    const char *text;
    const gn_target *target;
    const kernel_case *c;
    job job;
    int64_t sym[8];
    run_data d;
    block before[16];
    size_t nlooks, nrolled;
} trial;

static void count_rolled(void *user, const gn_code_node *n)
{
    *(size_t *)user += n->unrolled;
}

static void look(void *user, const gn_code *c, const gn_code_pass *p)
{
    trial *t = user;
    const size_t n = t->job.kernel->bufs.n;
    reset(&t->job, &t->d);
    gn_code_interpret(c, t->d.args, t->sym, 3, &t->arena);
    for (size_t b = 0; b < n; b++) {
        if (!p) memcpy(t->before[b].data, t->d.got[b].data, t->d.got[b].bytes);
        else if (memcmp(t->before[b].data, t->d.got[b].data, t->d.got[b].bytes) != 0)
            gn_throw(GN_EINTERNAL, "pass %s changes %s\n%s", p->name, t->job.kernel->bufs.at[b].name, t->text);
    }
    t->nlooks++;
    for (size_t s = 0; p && !p[1].name && s < c->steps.n; s++)
        gn_code_walk(&c->steps.at[s].body, count_rolled, &t->nrolled);
}

static void lower_trial(void *arg)
{
    trial *t = arg;
    const gn_sx *x = gn_sx_read(&t->arena, "case", t->text, strlen(t->text));
    t->job = (job){ .c = t->c, .kernel = gn_kernel_read(&t->arena, "case", x->at[0]) };
    t->job.s = gn_schedule_lower(&t->arena, t->job.kernel, gn_schedule_read(&t->arena, t->job.kernel, "case", x->at[1]),
                                 t->target);
}

static void run_trial(void *arg)
{
    trial *t = arg;
    uint64_t seed = 11;
    t->d = begin_run(&t->arena, &t->job, t->sym, &seed);
    assert_true(t->job.kernel->bufs.n <= 16);
    for (size_t b = 0; b < t->job.kernel->bufs.n; b++) t->before[b] = new_block(t->d.got[b].bytes);
    gn_code_run_passes(t->job.s->code, look, t);
}

static size_t judge(const char *text, const gn_target *target, const kernel_case *c, const int64_t *sym, size_t *rolled)
{
    trial t = { .text = text, .target = target, .c = c };
    memcpy(t.sym, sym, sizeof t.sym);
    if (gn_protect(lower_trial, &t) == 0) {
        if (gn_protect(run_trial, &t)) fail_msg("%s", gn_message());
        for (size_t b = 0; b < t.job.kernel->bufs.n; b++) free_block(&t.before[b]);
        end_run(&t.job, &t.d);
    }
    *rolled += t.nrolled;
    gn_arena_free(&t.arena);
    return t.nlooks;
}

static void judge_random(const gn_target *target)
{
    static const kernel_case loose = { .name = "random", .below = 9, .tolerance = 1e-4 };
    static const int64_t extents[][8] = { { 5, 7, 3 },   { 17, 9, 4 }, { 4, 33, 6 },
                                          { 9, 16, 16 }, { 0, 3, 2 },  { 6, 5, 0 } };
    size_t looks = 0, rolled = 0;
    for (uint64_t seed = test_seed(), last = seed + 150; seed < last; seed++) {
        gn_arena a = { 0 };
        uint64_t random = seed;
        bool plain;
        for (int i = 0; i < 4; i++) test_random(&random);
        const char *kernel = templates[pick(&random, NTEMPLATES)];
        const char *text = random_schedule(&a, kernel, "wild", &random, target->lang == GN_LANG_CUDA, &plain);
        looks += judge(text, target, &loose, extents[seed % 6], &rolled);
        gn_arena_free(&a);
    }
    print_message("%s: %zu looks, %zu unrolled loops\n", target->name, looks, rolled);
    assert_true(looks > 300 && rolled > 50);
}

static void random_schedules_for_vectors_keep_their_bits(void **state)
{
    (void)state;
    judge_random(&gn_target_avx512);
}

static void random_schedules_for_blocks_and_threads_keep_their_bits(void **state)
{
    (void)state;
    judge_random(&gn_target_cuda);
}

static void kernels_keep_their_bits(void **state)
{
    (void)state;
    size_t looks = 0, rolled = 0;
    for (size_t i = 0; i < sizeof kernel_cases / sizeof *kernel_cases; i++) {
        const kernel_case *c = &kernel_cases[i];
        gn_arena a = { 0 };
        const gn_target *target = c->cuda ? &gn_target_cuda : &gn_target_avx2;
        for (int run = 0; run < 2 && c->sizes[run][0] >= 0; run++) {
            int64_t sym[8];
            for (int k = 0; k < 8; k++) sym[k] = c->sizes[run][k < 4 ? k : 3];
            looks += judge(with_lanes(&a, c->text, 8), target, c, sym, &rolled);
        }
        gn_arena_free(&a);
    }
    print_message("%zu looks, %zu unrolled loops\n", looks, rolled);
    assert_true(looks > 100 && rolled > 20);
}

/* What is found for all turns is what its text reads back as: operands stand in canonical order, wherever the variable
 * sorts. */
static void what_is_unified_is_canonical(void **state)
{
    (void)state;
    static const char *const vars[] = { "a", "p", "z" };
    for (size_t i = 0; i < sizeof vars / sizeof *vars; i++) {
        gn_arena arena = { 0 };
        gn_dim_pool pool = { .arena = &arena };
        const gn_dim *at[4], *q = gn_dim_sym(&pool, "q");
        for (int k = 0; k < 4; k++) {
            const gn_dim *x = gn_dim_add(&pool, gn_dim_div(&pool, gn_dim_sym(&pool, "i"), gn_dim_const(&pool, 5)),
                                         gn_dim_const(&pool, k));
            at[k] = gn_dim_min(&pool, x, q);
        }
        const gn_turns turns = { &pool, &arena, gn_dim_sym(&pool, vars[i])->term[0].atom[0]->name, 4 };
        const gn_dim *d = gn_unify_dims(&turns, at);
        assert_non_null(d);
        gn_text t = { .arena = &arena };
        gn_dim_print(&t, d);
        const gn_sx *x = gn_sx_read(&arena, "dim", gn_text_done(&t), t.n);
        assert_ptr_equal(d, gn_dim_read(&pool, "dim", x->at[0]));
        gn_arena_free(&arena);
    }
}

/* ---- planted faults: a pass that is wrong is found ---- */

/* The first that is met. */
static bool drop_a_set(gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        if (drop_a_set(&b->kids.at[i]->body)) return true;
        if (b->kids.at[i]->kind != GN_CODE_SET) continue;
        memmove(&b->kids.at[i], &b->kids.at[i + 1], (b->kids.n - i - 1) * sizeof *b->kids.at);
        return b->kids.n--, true;
    }
    return false;
}

static void forget_a_register(gn_code *c, gn_code_body *b)
{
    (void)c;
    drop_a_set(b);
}

static void end_a_loop_early(gn_code *c, gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *const n = b->kids.at[i];
        end_a_loop_early(c, &n->body);
        if (n->kind == GN_CODE_FOR && n->unrolled) n->to = gn_dim_sub(c->dims, n->to, gn_dim_const(c->dims, 1));
    }
}

static gn_preds always(const gn_code *c)
{
    const gn_kcond cond = { GN_K_LT, gn_dim_const(c->dims, 0), gn_dim_const(c->dims, 1) };
    const gn_pred pred = { .n = 1, .cond = gn_arena_copy(c->arena, &cond, sizeof cond) };
    return (gn_preds){ 1, gn_arena_copy(c->arena, &pred, sizeof pred) };
}

static void forget_conditions(gn_code *c, gn_code_body *b)
{
    for (size_t i = 0; i < b->kids.n; i++) {
        gn_code_node *const n = b->kids.at[i];
        forget_conditions(c, &n->body);
        if (n->kind == GN_CODE_STORE) n->access.mask = NULL;
        if (n->kind == GN_CODE_IF) n->when = always(c);
    }
}

typedef struct faulty {
    void (*spoil)(gn_code *, gn_code_body *);
    trial t;
} faulty;

static void run_faulty(void *arg)
{
    faulty *f = arg;
    gn_code *c = f->t.job.s->code;
    for (size_t i = 0; i < c->steps.n; i++) f->spoil(c, &c->steps.at[i].body);
    gn_code_find_facts(c);
    gn_code_find_carried(c);
    gn_code_verify(c);
    look(&f->t, c, gn_code_passes);
}

static void wrong_passes_are_found(void **state)
{
    (void)state;
    static const char text[] =
        "(kernel k (syms M N) (bufs (X f32 M N) (b f32 N) (Y f32 M N) (S f32 M)) (axes (i M) (j N)) (def s (i) (sum "
        "(j) (mul (load X i j) (load b j))))"
        " (store set S (i) (s i)) (store set Y (i j) (add (load X i j) (s i))))"
        "(schedule s (split i i0 (i1 4)) (split j j0 (jl 8)) (order i0 j0 i1 jl) (bind private i1) (bind lane jl))";
    static void (*const spoils[])(gn_code *, gn_code_body *) = { end_a_loop_early, forget_conditions, forget_a_register };
    static const kernel_case loose = { .name = "faults", .below = 9, .tolerance = 1e-4 };
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        faulty f = { .spoil = spoils[i], .t = { .text = text, .target = &gn_target_avx2, .c = &loose, .sym = { 6, 13 } } };
        assert_int_equal(gn_protect(lower_trial, &f.t), 0);
        assert_int_equal(gn_protect(run_trial, &f.t), 0);
        assert_int_not_equal(gn_protect(run_faulty, &f), 0);
        for (size_t b = 0; b < f.t.job.kernel->bufs.n; b++) free_block(&f.t.before[b]);
        end_run(&f.t.job, &f.t.d);
        gn_arena_free(&f.t.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_schedules_for_vectors_keep_their_bits),
        cmocka_unit_test(random_schedules_for_blocks_and_threads_keep_their_bits),
        cmocka_unit_test(kernels_keep_their_bits),
        cmocka_unit_test(what_is_unified_is_canonical),
        cmocka_unit_test(wrong_passes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
