/* No pass changes a bit: what the code of kernels and of random schedules computes before the first pass and after each
 * is the same, interpreted. */
#include "code_passes.h"
#include "code_text.h"
#include "code_verify.h"
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

/* ---- single passes: what they are for, and what holds them back ---- */

#define HEAD "(code k avx512 (syms n) (args (X read f32 64) (Y update f32 64) (T read i32 64)) (step () "
#define POINT(set, at)                                                                                                 \
    "(let %" #set "0 f32 (load X " #at ")) (let %" #set "1 f32 (exp %" #set "0)) (store Y " #at " %" #set "1)"
#define REGS "(reg a f32 4) (reg b f32 4) (reg s f32) (set $s 0.0) "

#define LONG(from, to)                                                                                                 \
    HEAD "(for i 4 :unrolled (let %1 f32 (load " from ")) (let %2 f32 (erfc %1)) (let %3 f32 (erfc %2)) (let %4 f32 (exp "  \
         "%3)) (let %5 f32 (add %1 %4)) (store " to " %5))))"

typedef struct expectation {
    const char *pass, *text;
    int loads, stores, loops, calls; /* afterwards; calls: of exp */
} expectation;

static const expectation expectations[] = {
    /* an element that is added to */
    {"wait",
     HEAD "(let %1 f32 (load Y 0)) (let %2 f32 (add %1 1.0)) (store Y 0 %2) (let %3 f32 (load Y 0)) (let %4 f32 (add "
          "%3 2.0)) "
          "(store Y 0 %4)))",
     1, 1, 0, 0},
    {"wait", HEAD "(store Y 0 1.0) (let %1 f32 (load Y 0)) (store Y 0 2.0) (store Y 1 %1)))", 0, 2, 0,
     0},                                                                                          /* kept: a copy */
    {"wait", HEAD "(store Y 0 1.0) (store Y n 3.0) (store Y 0 2.0)))", 0, 3, 0, 0},               /* may be the same */
    {"wait", HEAD "(store Y 0 1.0) (store Y :row 1 (f32x16 3.0)) (store Y 0 2.0)))", 0, 2, 0, 0}, /* apart */
    {"wait", HEAD "(store Y 8 1.0) (store Y :row 1 (f32x16 3.0)) (store Y 8 2.0)))", 0, 3, 0, 0}, /* a part of it */
    {"wait", HEAD "(store Y 0 1.0) (if :when (lt 0 n) (store Y 0 3.0)) (store Y 0 2.0)))", 0, 3, 0, 0},
    {"wait", HEAD "(store Y 0 1.0) (let %1 f32 (load X (load T 0))) (store Y 0 %1)))", 1, 1, 0, 0},
    /* what is known */
    {"once", HEAD "(let %1 f32 (load X 0)) (let %2 f32 (load X 0)) (store Y 0 %1) (store Y 1 %2)))", 1, 2, 0, 0},
    {"once", HEAD "(let %1 f32 (load X 0)) (store Y 0 %1) (let %2 f32 (load Y 0)) (store Y 1 %2)))", 1, 2, 0, 0},
    {"once", HEAD "(let %1 f32 (load X 0)) (store Y 0 %1) (store Y n 1.0) (let %2 f32 (load Y 0)) (store Y 1 %2)))", 2,
     3, 0, 0},
    {"once",
     HEAD "(let %1 f32 (load Y 0)) (for i 3 (let %2 f32 (load Y 0)) (let %3 f32 (add %2 1.0)) (store Y 0 %3)) (store Y "
          "1 %1)))",
     2, 2, 0, 0},
    {"once",
     HEAD "(let %1 f32 (load Y 0)) (if :when (lt 0 n) (store Y 0 1.0)) (let %2 f32 (load Y 0)) (store Y 1 %1) (store Y "
          "2 %2)))",
     2, 3, 0, 0},
    {"once", HEAD "(if :when (lt 0 n) (let %1 f32 (load X 0)) (store Y 0 %1)) (let %2 f32 (load X 0)) (store Y 1 %2)))",
     2, 2, 0, 0},
    {"once",
     HEAD "(reg r f32) (set $r 1.0) (for i 3 :carry (r) (let %1 f32 (add $r 1.0)) (set $r %1)) (store Y 0 $r)))", 0, 1,
     0, 0},
    /* functions of vectors */
    {"pack", HEAD POINT(1, 0) POINT(2, 1) POINT(3, 2) POINT(4, 3) "))", 4, 4, 0, 1},
    {"pack", HEAD POINT(1, 0) POINT(2, 1) POINT(3, 2) "))", 3, 3, 0, 3},
    {"pack",
     HEAD
     "(let %1 f32 (load X 0)) (let %2 f32 (exp %1)) (let %3 f32 (exp %2)) (let %4 f32 (exp %3)) (let %5 f32 (exp %4)) "
     "(store Y 0 %5)))",
     1, 1, 0, 4},
    {"pack",
     HEAD "(let %1 f32 (load Y 0)) (let %2 f32 (exp %1)) (store Y 1 %2) (let %3 f32 (load Y 1)) (let %4 f32 (exp %3)) "
          "(store Y 2 %4) "
          "(let %5 f32 (load Y 2)) (let %6 f32 (exp %5)) (store Y 3 %6) (let %7 f32 (load Y 3)) (let %8 f32 (exp %7)) "
          "(store Y 4 %8)))",
     4, 4, 0, 4},
    /* loops of one tile */
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load X i)) (set $a[i] %1)) (for i 4 :unrolled (store Y i $a[i]))))", 1,
     1, 1, 0},
    {"fuse",
     HEAD REGS "(set $a[3] 5.0) (for i 3 :unrolled (let %1 f32 (load X i)) (set $a[i] %1)) (for i 3 :unrolled (store Y "
               "i $a[i+1]))))",
     1, 1, 2, 0}, /* a later turn's */
    {"fuse",
     HEAD REGS "(set $a[0] 5.0) (for i 3 :unrolled (let %1 f32 (load X i)) (set $a[i+1] %1)) (for i 3 :unrolled (store "
               "Y i $a[i]))))",
     1, 1, 1, 0}, /* an earlier one's */
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load Y (add i 8))) (set $a[i] %1)) (for i 4 :unrolled (store Y (add i "
               "9) $a[i]))))",
     1, 1, 2, 0},
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load Y (mul 16 i))) (set $a[i] %1)) (for i 4 :unrolled (store Y :row "
               "(mul 16 i) (splat "
               "16 $a[i])))))",
     1, 1, 1, 0},
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load X i)) (let %2 f32 (mul $s %1)) (set $s %2)) (for i 4 :unrolled "
               "(let %3 f32 (load X "
               "i)) (let %4 f32 (add $s %3)) (set $s %4)) (store Y 0 $s)))",
     2, 1, 2, 0},
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load X i)) (set $a[i] %1)) (set $b[1] $a[2]) (let %2 f32 (load X 7)) "
               "(for i 4 :unrolled (let "
               "%3 f32 (add $a[i] %2)) (store Y i %3)) (store Y 9 $b[1])))",
     2, 2, 1, 0}, /* the load before, the set behind */
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load X i)) (set $a[i] %1)) (store Y 2 $a[2]) (for i 4 :unrolled (store "
               "Y i $a[i]))))",
     1, 2, 2, 0},
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load X i)) (set $a[i] %1)) (let %2 f32 (copy $a[3])) (for i 4 "
               ":unrolled (let %3 f32 (add "
               "$a[i] %2)) (store Y i %3))))",
     1, 1, 2, 0},
    {"fuse",
     HEAD REGS "(for i 4 :unrolled (let %1 f32 (load X i)) (set $a[i] %1)) (for j 4 :unrolled (store Y j $a[j]))))", 1,
     1, 2, 0},
    /* long functions of several points: cut behind each */
    { "interleave", LONG("X i", "Y i"), 2, 1, 4, 1 },         /* loaded again */
    { "interleave", LONG("Y i", "Y i"), 1, 1, 4, 1 },         /* not where something is stored: kept */
    { "interleave", LONG("Y (add i 1)", "Y i"), 1, 1, 4, 1 }, /* what a later turn stores */
    { "interleave", LONG("Y i", "Y (add i 1)"), 1, 1, 1, 1 }, /* what an earlier one stores */
    { "interleave", LONG("X (load T i)", "Y i"), 1, 1, 4, 1 }, /* the index is from memory */
    { "interleave", LONG("X i", "Y (load T i)"), 2, 1, 4, 1 }, /* no turn reads it */
    { "interleave", LONG("Y i", "Y (load T i)"), 1, 1, 1, 1 },
    { "interleave", HEAD REGS "(for i 4 :unrolled (let %1 f32 (erfc $s)) (let %2 f32 (erfc %1)) (let %3 f32 (exp %2)) (set "
                              "$s %3)) (store Y 0 $s)))", 0, 1, 1, 1 }, /* one chain */
    { "interleave", HEAD "(for i 4 :unrolled (let %1 b16 (below (sub n i))) (let %2 f32x16 (load X :row (mul 16 i) :mask %1)) "
                         "(let %3 f32x16 (erfc %2)) (let %4 f32x16 (erfc %3)) (let %5 f32x16 (exp %4)) (store Y :row (mul 16 "
                         "i) :mask %1 %5))))", 1, 1, 1, 1 }, /* an end */
    { "interleave", HEAD "(for i 4 :unrolled (let %1 f32 (load X i)) (let %2 f32 (exp %1)) (let %3 f32 (exp %2)) (store Y i "
                         "%3))))", 1, 1, 1, 2 }, /* short */
    /* parts of addresses */
    { "rows", HEAD "(for i 3 (for j 4 (let %1 f32 (load X (add (mul 2 n) (mul 16 i) j))) (store Y (add (mul 2 n) (mul 16 i) "
                   "(mul 3 j)) %1))) (store Y n 1.0)))", 1, 2, 0, 0 },
    { "rows", HEAD "(for i 3 (for j 4 :unrolled (let %1 f32 (load X (add (mul 2 n) (min i 2) (load T (add j 40))))) (store Y "
                   "(add (mul 2 n) (min i 2) j) %1)))))", 1, 1, 1, 0 },
};

typedef struct single {
    gn_arena arena;
    const expectation *e;
    float y[2][64];
    int loads, stores, loops, calls;
} single;

static void count(void *user, const gn_code_node *n)
{
    single *t = user;
    t->loads += n->kind == GN_CODE_LET && n->val->kind == GN_VAL_LOAD;
    t->calls += n->kind == GN_CODE_LET && n->val->kind == GN_VAL_OP && strcmp(n->val->u.op->name, "exp") == 0;
    t->stores += n->kind == GN_CODE_STORE;
    t->loops += n->unrolled;
}

static void interpret(single *t, gn_code *c, float *y)
{
    static float x[64];
    static int32_t places[64];
    const int64_t n = 7;
    for (int i = 0; i < 64; i++) x[i] = (float)i / 16, y[i] = (float)i / 8, places[i] = 63 - i;
    gn_code_find_facts(c);
    gn_code_find_carried(c);
    gn_code_verify(c);
    gn_code_interpret(c, (void *[]){x, y, places}, &n, 3, &t->arena);
}

static void run_single(void *arg)
{
    single *t = arg;
    const gn_sx *x = gn_sx_read(&t->arena, "test", t->e->text, strlen(t->e->text));
    gn_code *c = gn_code_read(&t->arena, "test", x->at[0]);
    const gn_code_pass *p = gn_code_passes;
    while (strcmp(p->name, t->e->pass) != 0) p++;
    interpret(t, c, t->y[0]);
    p->run(c, &c->steps.at[0].body);
    interpret(t, c, t->y[1]);
    gn_code_walk(&c->steps.at[0].body, count, t);
}

static void passes_do_what_they_are_for_and_no_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        const expectation *e = &expectations[i];
        single t = {.e = e};
        if (gn_protect(run_single, &t)) fail_msg("%s\n%s", gn_message(), e->text);
        if (memcmp(t.y[0], t.y[1], sizeof t.y[0]) != 0) fail_msg("%s changes\n%s", e->pass, e->text);
        if (t.loads != e->loads || t.stores != e->stores || t.loops != e->loops || t.calls != e->calls)
            fail_msg("%s: %d loads, %d stores, %d loops, %d calls\n%s", e->pass, t.loads, t.stores, t.loops, t.calls,
                     e->text);
        gn_arena_free(&t.arena);
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

/* The pass "join" loses all masks; who looks next says where an access leaves its place, and for which sizes. */
static void lose_masks(void *user, const gn_code *c, const gn_code_pass *p)
{
    (void)user;
    for (size_t i = 0; p && strcmp(p->name, "join") == 0 && i < c->steps.n; i++)
        forget_conditions((gn_code *)(uintptr_t)c, &((gn_code *)(uintptr_t)c)->steps.at[i].body);
}

static void run_losing(void *arg)
{
    trial *t = arg;
    gn_code_run_passes(t->job.s->code, lose_masks, t);
}

static void ranges_are_looked_at_after_each_pass(void **state)
{
    (void)state;
    trial t = { .text = "(kernel k (syms N) (bufs (X f32 N) (Y f32 N)) (axes (j N)) (store set Y (j) (load X j)))"
                        "(schedule s (split j j0 (jl 8)) (order j0 jl) (bind lane jl))",
                .target = &gn_target_avx2 };
    assert_int_equal(gn_protect(lower_trial, &t), 0);
    assert_int_equal(gn_protect(run_losing, &t), GN_EINTERNAL);
    assert_message_contains("pass overwritten: ");
    assert_message_contains(": it is outside for N = ");
    gn_arena_free(&t.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_schedules_for_vectors_keep_their_bits),
        cmocka_unit_test(random_schedules_for_blocks_and_threads_keep_their_bits),
        cmocka_unit_test(kernels_keep_their_bits),
        cmocka_unit_test(what_is_unified_is_canonical),
        cmocka_unit_test(passes_do_what_they_are_for_and_no_more),
        cmocka_unit_test(wrong_passes_are_found),
        cmocka_unit_test(ranges_are_looked_at_after_each_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
