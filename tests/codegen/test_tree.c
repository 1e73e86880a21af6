/* Scheduled kernels mean what the logical kernel means: their code, whatever the order of parts and threads. */
#include "lower_default.h"
#include "random_schedule.h"
#include "texts.h"

static void judge(const kernel_case *c, const gn_target *target, int lanes)
{
    gn_arena a = { 0 };
    job j = lower_text(&a, with_lanes(&a, c->text, lanes), target);
    j.c = c;
    uint64_t seed = test_seed();
    for (int run = 0; c->sizes[run][0] >= 0; run++) {
        gn_arena scratch = { 0 };
        int64_t sym[8] = { 0 };
        sizes_of(&j, run, sym);
        run_data d = begin_run(&scratch, &j, sym, &seed);
        for (uint64_t order = 1; order <= 2; order++) { /* of parts and threads */
            reset(&j, &d);
            gn_code_interpret(order == 1 ? j.s->code : reread(&scratch, j.s->code), d.args, sym, order, &scratch);
            compare(&j, "code", sym, d.got, d.want);
        }
        end_run(&j, &d);
        gn_arena_free(&scratch);
    }
    gn_arena_free(&a);
}

typedef struct protected_judge {
    const kernel_case *c;
    const gn_target *t;
    int lanes;
} protected_judge;

static void judge_body(void *arg)
{
    const protected_judge *p = arg;
    judge(p->c, p->t, p->lanes);
}

static void code_means_what_the_kernel_means(void **state)
{
    (void)state;
    const char *only = getenv("GNOMON_TEST_CASE");
    for (int i = 0; i < NCASES; i++) {
        const kernel_case *c = &kernel_cases[i];
        if (only && strcmp(only, c->name) != 0) continue;
        const bool by_lane = strchr(c->text, '@');
        for (int lanes = 4; lanes <= 16; lanes *= 4) {
            if (!by_lane && lanes != 4) continue;
            protected_judge p = { c, c->cuda ? &gn_target_cuda : &gn_target_avx512, lanes };
            if (gn_protect(judge_body, &p)) fail_msg("%s: %s", c->name, gn_message());
        }
    }
}

/* ---- random schedules ---- */

typedef struct trial {
    gn_arena arena;
    const char *text;
    const gn_target *target;
    job job;
    int64_t sym[3];
} trial;

static void lower_trial(void *arg)
{
    trial *t = arg;
    t->job = lower_text(&t->arena, t->text, t->target);
}

static void run_trial(void *arg)
{
    static const kernel_case loose = { .name = "random", .below = 9, .tolerance = 1e-4 };
    trial *t = arg;
    uint64_t seed = 7;
    gn_arena scratch = { 0 };
    t->job.c = &loose;
    run_data d = begin_run(&scratch, &t->job, t->sym, &seed);
    for (uint64_t order = 1; order <= 2; order++) {
        reset(&t->job, &d);
        gn_code_interpret(t->job.s->code, d.args, t->sym, order, &scratch);
        compare(&t->job, "code", t->sym, d.got, d.want);
    }
    end_run(&t->job, &d);
    gn_arena_free(&scratch);
}

static void judge_random_schedules(const gn_target *target)
{
    const bool cuda = target->lang == GN_LANG_CUDA;
    uint64_t seed = test_seed();
    const char *count = getenv("GNOMON_TEST_COUNT");
    const int n = count ? atoi(count) : 400;
    int legal[NTEMPLATES] = { 0 };
    for (int i = 0; i < n; i++) {
        const int which = i % NTEMPLATES;
        trial t = { .target = target, .sym = { pick(&seed, 8), pick(&seed, 8), pick(&seed, 8) } };
        t.text = random_schedule(&t.arena, templates[which], "random", &seed, cuda, NULL);
        if (gn_protect(lower_trial, &t) == GN_OK) {
            legal[which]++;
            if (getenv("GNOMON_TEST_SHOW")) print_message("%s\n", t.text);
            if (gn_protect(run_trial, &t))
                fail_msg("sizes %d %d %d: %s\n%s", (int)t.sym[0], (int)t.sym[1], (int)t.sym[2], gn_message(), t.text);
        } else if (getenv("GNOMON_TEST_SHOW"))
            print_message("%d: %s\n", which, gn_message());
        else if (!strstr(gn_message(), "schedule s: "))
            fail_msg("%s\n%s", gn_message(), t.text);
        gn_arena_free(&t.arena);
    }
    for (int i = 0; i < NTEMPLATES; i++) {
        print_message("kernel %d: %d legal schedules\n", i, legal[i]);
        assert_true(legal[i] > 0);
    }
}

static void legal_random_schedules_agree(void **state)
{
    (void)state;
    judge_random_schedules(&gn_target_avx512);
}

static void legal_random_schedules_of_blocks_and_threads_agree(void **state)
{
    (void)state;
    judge_random_schedules(&gn_target_cuda);
}

/* ---- faults of lowering, planted in the tree ---- */

enum { NO_BARRIERS, A_BARRIER_FOR_SOME, A_COPY_BY_SOME, BEYOND_THE_END, OVERFLOW };

/* Puts what `is` finds below an if that holds for thread 0 of each row of four, or takes it out. */
static void spoil(const gn_code *c, gn_code_body *t, bool (*is)(const gn_code_node *), bool drop)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->kids.n; i++) {
        gn_code_node *const kid = t->kids.at[i];
        spoil(c, &kid->body, is, drop);
        if (is(kid) && drop) continue;
        t->kids.at[kept++] = kid;
        if (!is(kid)) continue;
        gn_code_node *const some = gn_code_make(c, GN_CODE_IF);
        gn_kcond *const cond = GN_NEW_OBJECT(c->arena, gn_kcond);
        gn_pred *const pred = GN_NEW_OBJECT(c->arena, gn_pred);
        *cond = (gn_kcond){ GN_K_LT, gn_dim_sym(c->dims, "mt"), gn_dim_const(c->dims, 1) };
        *pred = (gn_pred){ .n = 1, .cond = cond };
        some->when = (gn_preds){ 1, pred };
        gn_push(c->arena, &some->body.kids, kid);
        t->kids.at[kept - 1] = some;
    }
    t->kids.n = kept;
}

static bool is_barrier(const gn_code_node *n)
{
    return n->kind == GN_CODE_BARRIER;
}

static bool is_copy(const gn_code_node *n)
{
    return n->kind == GN_CODE_FOR && n->dealt;
}

typedef struct faulty {
    int fault;
    gn_arena arena;
} faulty;

static void run_faulty(void *arg)
{
    static const char shift[] =
        "(kernel shift (syms n) (bufs (X f32 n) (Y f32 n)) (axes (i n)) (store set Y (i) (load X (add i (mod n 3)))))"
        "(schedule s (order i))";
    static const char large[] =
        "(kernel large (syms n) (bufs (Y f32 4)) (axes (j 4)) (store set Y (j) (index (mul j n n))))"
        "(schedule s (order j))";
    faulty *const f = arg;
    static float x[40 * 40], y[40 * 40], z[40 * 40];
    void *args[] = { x, y, z };
    const int64_t sym[] = { f->fault == OVERFLOW ? INT64_C(1) << 40 : 40, 40, 40 };
    const char *text = f->fault == BEYOND_THE_END ? shift : f->fault == OVERFLOW ? large : NULL;
    for (size_t i = 0; !text; i++)
        if (strcmp(golden_texts[i].name, "mma") == 0) text = golden_texts[i].text;
    const job j = lower_text(&f->arena, text, f->fault >= BEYOND_THE_END ? &gn_target_generic : &gn_target_cuda);
    for (size_t i = 0; i < j.s->code->steps.n && f->fault < BEYOND_THE_END; i++)
        spoil(j.s->code, &j.s->code->steps.at[i].body, f->fault == A_COPY_BY_SOME ? is_copy : is_barrier,
              f->fault == NO_BARRIERS);
    gn_code_interpret(j.s->code, args, sym, 1, &f->arena);
}

static void the_interpreter_tells_what_a_wrong_tree_does(void **state)
{
    (void)state;
    static const char *const says[] = { "a race for element", "not all threads reach the barrier",
                                        "not all threads reach the dealt loop", "element 40 of X, which has 40",
                                        "the index j*n*n has no value: it overflows" };
    for (int fault = 0; fault <= OVERFLOW; fault++) {
        faulty f = { .fault = fault };
        assert_int_equal(gn_protect(run_faulty, &f), GN_EINTERNAL);
        assert_message_contains(says[fault]);
        gn_arena_free(&f.arena);
    }
}

/* ---- folds whose merge breaks what the writer promised ---- */

#define BROKEN(fold)                                                                                                   \
    "(kernel broken (syms M N K) (bufs (X f32 M N) (Y f32 M)) (axes (i M) (j N))"                                      \
    " (def x (i j) (floor (mul 4 (load X i j)))) (def s (i) (fold (j) " fold ")) (store set Y (i) (cast f32 (s.a i))))"

typedef struct claim { /* that the schedule gives what the kernel means */
    const char *kernel, *schedule;
    bool right;
} claim;

static void try_claim(void *arg)
{
    static const kernel_case loose = { .below = 9, .tolerance = 1e-5 };
    const int64_t sym[3] = { 5, 37, 1 };
    claim *const c = arg;
    gn_arena a = { 0 };
    job j = lower_text(&a, gn_arena_printf(&a, "%s%s", c->kernel, c->schedule), &gn_target_avx512);
    uint64_t seed = 1;
    j.c = &loose;
    run_data d = begin_run(&a, &j, sym, &seed);
    gn_code_interpret(j.s->code, d.args, sym, seed, &a);
    c->right = !difference(&a, &j, "code", sym, d.got, d.want);
    end_run(&j, &d);
    gn_arena_free(&a);
}

static bool is_right(const char *kernel, const char *schedule)
{
    claim c = { kernel, schedule, false };
    if (gn_protect(try_claim, &c)) fail_msg("%s", gn_message());
    return c.right;
}

static void a_merge_that_breaks_its_promise_shows_where_points_are_merged(void **state)
{
    (void)state;
    static const char *const kernels[] = {
        BROKEN("(a f32 0) (step (add a (x i j))) (merge a)"),
        BROKEN("(a f32 1) (step (add a (x i j))) (merge (add a (other a)))"),
        BROKEN("(a i32 -1) (v f32 -inf) (step (select (gt (x i j) v) j a) (maximum v (x i j)))"
               " (merge (select (gt (other v) v) (other a) a) (maximum v (other v)))"),
        BROKEN("(n f32 0) (a f32 0) (step (add n 1) (add a (div (sub (x i j) a) (new n))))"
               " (merge (add n (other n)) (mul 0.5 (add a (other a))))"),
    };
    static const char *const merging[] = { "(schedule s (split j j0 (ju 4)) (order i j0 ju) (bind private ju))",
                                           "(schedule s (split j j0 (jl 4)) (order i j0 jl) (bind lane jl))",
                                           "(schedule s (split j jp (j0 8)) (order i jp j0) (rfactor s jp sp)"
                                           " (stage sp stack) (bind unroll j0))" };
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
        assert_true(is_right(kernels[i], "(schedule s (order i j))"));
        assert_false(is_right(kernels[i], merging[0]));
        assert_false(is_right(kernels[i], merging[1]));
        if (i < 2) assert_false(is_right(kernels[i], merging[2]));
    }
}

/* ---- folds, of rows and of all ---- */

#define FOLD_TOTAL                                                                                                     \
    "(kernel total (syms M N K) (bufs (X f32 M) (Y i32) (Z f32)) (axes (i M))"                                         \
    " (def s () (fold (i) (at i32 2147483647) (v f32 -inf)"                                                            \
    " (step (select (or (gt (load X i) v) (and (eq (load X i) v) (lt i at))) i at) (maximum v (load X i)))"            \
    " (merge (select (or (gt (other v) v) (and (eq (other v) v) (lt (other at) at))) (other at) at)"                   \
    " (maximum v (other v))))) (store set Y () (s.at)) (store set Z () (s.v)))"

typedef struct scheduling {
    const char *text;
    const gn_target *t;
    const int64_t *sym;
} scheduling;

static void schedule_fold(void *arg)
{
    static const kernel_case loose = { .below = 9, .tolerance = 1e-4 };
    const scheduling *const f = arg;
    gn_arena a = { 0 };
    gn_schedule *s;
    uint64_t seed = 1;
    const gn_sx *x = gn_sx_read(&a, "case", f->text, strlen(f->text));
    job j = { .c = &loose, .kernel = gn_kernel_read(&a, "case", x->at[0]) };
    j.s = gn_default_apply(&a, j.kernel, f->t, &s);
    assert_null(s->plain);
    run_data d = begin_run(&a, &j, f->sym, &seed);
    gn_code_interpret(j.s->code, d.args, f->sym, seed, &a);
    compare(&j, f->t->name, f->sym, d.got, d.want);
    end_run(&j, &d);
    gn_arena_free(&a);
}

static void folds_are_scheduled_as_sums_are(void **state)
{
    (void)state;
    static const char *const kernels[] = { FOLD_ARGMAX("k"), FOLD_VARIANCE("k"), FOLD_LOGSUMEXP("k"),
                                           FOLD_EXTREMES("k"), FOLD_SPLIT_SUM("k"), FOLD_TOTAL };
    static const gn_target *const targets[] = { &gn_target_avx512, &gn_target_avx2, &gn_target_c11, &gn_target_cuda };
    static const int64_t extents[][3] = { { 19, 75, 3 }, { 1, 1, 1 }, { 301, 2, 5 } };
    for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
        for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
            for (size_t i = 0; i < sizeof extents / sizeof *extents; i++) {
                scheduling f = { kernels[k], targets[t], extents[i] };
                if (gn_protect(schedule_fold, &f)) fail_msg("%s", gn_message());
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_means_what_the_kernel_means),
        cmocka_unit_test(legal_random_schedules_agree),
        cmocka_unit_test(legal_random_schedules_of_blocks_and_threads_agree),
        cmocka_unit_test(the_interpreter_tells_what_a_wrong_tree_does),
        cmocka_unit_test(folds_are_scheduled_as_sums_are),
        cmocka_unit_test(a_merge_that_breaks_its_promise_shows_where_points_are_merged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
