/* Regions of warps that have roles: some copy, some compute, and barriers of both between them. As text, verified,
 * interpreted thread by thread in any order, and as CUDA: emulated, and compiled by NVRTC. */
#include <dlfcn.h>
#include "code_as_kernel.h"
#include "code_interpret.h"
#include "emulated.h"
#include "judge.h"
#include "nvrtc.h"
#include "unit_cc.h"

/* ---- texts: blocks of an array are copied by one role, doubled by another or by none, and turned around by the last */

enum { MOST_N = 700, NODES = 64 };

typedef struct sketch {
    gn_arena *a;
    const char *name;
    int parts, ahead;       /* of the ring; groups that are under way while the next is started */
    int copiers, users;     /* warps */
    bool doubles;           /* by a role between */
    int block;              /* elements */
    int fault;              /* the node that is left out, or is at another barrier; -1: none */
    bool shifts;
    int nodes;
} sketch;

/* One that is at a barrier, or waits; `at` NULL: of one. */
static const char *put(sketch *s, const char *what, const char *at)
{
    const bool faulty = s->nodes++ == s->fault;
    if (faulty && (!s->shifts || !at)) return "";
    if (!at) return gn_arena_printf(s->a, " (%s)", what);
    return gn_arena_printf(s->a, " (%s (mod (add %s %d) %d))", what, at, faulty, s->parts);
}

static const char *element(const sketch *s, const char *turn, const char *at)
{
    return gn_arena_printf(s->a, "(add (mul %d (mod %s %d)) %s)", s->block, turn, s->parts, at);
}

static const char *copy(sketch *s, const char *turn)
{
    gn_text t = {.arena = s->a};
    gn_text_add(&t, put(s, "sync empty", turn));
    gn_textf(&t, " (for c %d :dealt (async b %s X (add (mul %d %s) c) :when (lt (add (mul %d %s) c) n)))", s->block,
             element(s, turn, "c"), s->block, turn, s->block, turn);
    gn_text_add(&t, put(s, "commit k", NULL));
    return gn_text_done(&t);
}

/* Copies run ahead; each is awaited, and told to those who wait for it. What was started in vain is met at the end. */
static const char *copier(sketch *s)
{
    gn_text t = {.arena = s->a};
    gn_textf(&t, " (reg k token %d)", s->ahead + 1);
    for (int i = 0; i < s->ahead; i++) gn_text_add(&t, copy(s, gn_arena_printf(s->a, "%d", i)));
    gn_textf(&t, " (for i turns%s", copy(s, gn_arena_printf(s->a, "(add i %d)", s->ahead)));
    gn_text_add(&t, put(s, "await $k[0]", NULL));
    gn_textf(&t, "%s)", put(s, "arrive full", "i"));
    if (s->ahead) gn_text_add(&t, put(s, gn_arena_printf(s->a, "await $k[%d]", s->ahead), NULL));
    if (s->parts > s->ahead)
        gn_textf(&t, " (for p %d%s)", s->parts - s->ahead,
                 put(s, "sync empty", gn_arena_printf(s->a, "(add (add turns p) %d)", s->ahead)));
    return gn_text_done(&t);
}

static const char *doubler(sketch *s)
{
    gn_text t = {.arena = s->a};
    gn_textf(&t, " (for i turns%s (for d %d :dealt", put(s, "sync full", "i"), s->block);
    gn_textf(&t, " (let %%1 f32 (load b %s)) (let %%2 f32 (mul 2 %%1)) (store b %s %%2))%s)", element(s, "i", "d"),
             element(s, "i", "d"), put(s, "arrive ready", "i"));
    return gn_text_done(&t);
}

static const char *user(sketch *s)
{
    gn_text t = {.arena = s->a};
    gn_textf(&t, " (for p %d%s)", s->parts, put(s, "arrive empty", "p"));
    gn_textf(&t, " (for i turns%s (for e %d :dealt", put(s, s->doubles ? "sync ready" : "sync full", "i"), s->block);
    gn_textf(&t, " (let %%3 f32 (load b %s))", element(s, "i", gn_arena_printf(s->a, "(sub %d e)", s->block - 1)));
    gn_textf(&t, " (store Y (add (mul %d i) e) :when (lt (add (mul %d i) e) n) %%3))%s)", s->block, s->block,
             put(s, "arrive empty", "i"));
    return gn_text_done(&t);
}

static const char *text_of(sketch *s)
{
    gn_text t = {.arena = s->a};
    const int all = s->copiers + s->users + s->doubles;
    s->nodes = 0;
    gn_textf(&t, "(code %s cuda (syms n) (args (X read f32 n) (Y update f32 n)) (threads (w %d) (t 32)) (step ()", s->name,
             all);
    gn_textf(&t, " (shared b f32 %d) (name turns (cdiv n %d))", s->parts * s->block, s->block);
    gn_textf(&t, " (reg full barrier:%d %d)", 32 * (s->copiers + (s->doubles ? 1 : s->users)), s->parts);
    gn_textf(&t, " (reg empty barrier:%d %d)", 32 * (s->copiers + s->users), s->parts);
    if (s->doubles) gn_textf(&t, " (reg ready barrier:%d %d)", 32 * (1 + s->users), s->parts);
    gn_textf(&t, " (roles (role copy %d%s)", s->copiers, copier(s));
    if (s->doubles) gn_textf(&t, " (role double 1%s)", doubler(s));
    gn_textf(&t, " (role use %d%s))))", s->users, user(s));
    return gn_text_done(&t);
}

static sketch draw(gn_arena *a, uint64_t *seed)
{
    sketch s = {.a = a, .name = "turn", .fault = -1};
    s.parts = 1 + (int)(test_random(seed) % 4);
    s.ahead = (int)(test_random(seed) % (uint64_t)s.parts);
    s.copiers = 1 + (int)(test_random(seed) % 2), s.users = 1 + (int)(test_random(seed) % 2);
    s.doubles = test_random(seed) % 2;
    s.block = 8 + (int)(test_random(seed) % 60);
    if (s.parts * (2 + s.doubles) > 15) s.doubles = false;
    return s;
}

/* ---- trials ---- */

typedef struct trial {
    gn_arena arena;
    const char *text;
    bool unverified;
    int64_t n;
    uint64_t order;
} trial;

static float X[MOST_N], Y[MOST_N];

static gn_code *read_code(trial *t)
{
    gn_code *const c = gn_code_read(&t->arena, "test", gn_sx_read(&t->arena, "test", t->text, strlen(t->text))->at[0]);
    gn_code_find_carried(c); /* which a node that is left out changes */
    if (!t->unverified) gn_code_verify(c);
    return c;
}

static void read_again(void *arg)
{
    trial *const t = arg;
    gn_code *const c = reread(&t->arena, read_code(t));
    const gn_code_ranges r = gn_code_verify_ranges(c, &t->arena);
    if (r.first) gn_throw(GN_EINVAL, "%s", r.first);
}

static void interpret(void *arg)
{
    trial *const t = arg;
    for (int i = 0; i < MOST_N; i++) X[i] = (float)(i + 1), Y[i] = -1;
    gn_code_interpret(read_code(t), (void *[]){X, Y}, &t->n, t->order, &t->arena);
}

static gn_status status_of(void (*run)(void *), const char *text, bool unverified, int64_t n, uint64_t order)
{
    trial t = {.text = text, .unverified = unverified, .n = n, .order = order};
    const gn_status status = gn_protect(run, &t);
    gn_arena_free(&t.arena);
    return status;
}

static float expected(const sketch *s, int64_t n, int64_t i)
{
    const int64_t from = i / s->block * s->block + s->block - 1 - i % s->block;
    if (i >= n) return -1;
    return from < n ? (float)(from + 1) * (s->doubles ? 2 : 1) : 0;
}

static bool is_right(const sketch *s, int64_t n)
{
    for (int64_t i = 0; i < MOST_N; i++)
        if (Y[i] != expected(s, n, i)) return false;
    return true;
}

static int64_t some_size(const sketch *s, int turns, uint64_t *seed)
{
    const int64_t n = s->block * turns - (turns ? (int64_t)(test_random(seed) % (uint64_t)s->block) : 0);
    return n < MOST_N ? n : MOST_N;
}

static void drawn_roles_compute_the_same(void **state)
{
    (void)state;
    const char *const wanted = getenv("GNOMON_TEST_COUNT");
    uint64_t seed = test_seed();
    for (int k = 0; k < (wanted ? atoi(wanted) : 25); k++) {
        gn_arena a = {0};
        sketch s = draw(&a, &seed);
        const char *const text = text_of(&s);
        if (status_of(read_again, text, false, 0, 0)) fail_msg("%s\n%s", gn_message(), text);
        for (int turns = 0; turns < 7; turns++) {
            const int64_t n = some_size(&s, turns, &seed);
            if (status_of(interpret, text, false, n, test_random(&seed))) fail_msg("%s\n%s", gn_message(), text);
            if (!is_right(&s, n)) fail_msg("n = %d is wrong\n%s", (int)n, text);
        }
        gn_arena_free(&a);
    }
}

/* A node less, or at another barrier: what the verifier takes computes the same in any order; nothing wrong is taken. */
static void what_is_left_out_is_told(void **state)
{
    (void)state;
    const char *const wanted = getenv("GNOMON_TEST_COUNT");
    uint64_t seed = test_seed();
    int refused = 0, taken = 0, seen = 0;
    for (int k = 0; k < (wanted ? atoi(wanted) : 20); k++) {
        gn_arena a = {0};
        sketch s = draw(&a, &seed);
        text_of(&s);
        for (int fault = 0, all = s.nodes; fault < all; fault++) {
            s.fault = fault, s.shifts = s.parts > 1 && test_random(&seed) % 2;
            const char *const text = text_of(&s);
            const gn_status status = status_of(read_again, text, false, 0, 0);
            if (status && status != GN_EINVAL && status != GN_ESYNTAX) fail_msg("%s\n%s", gn_message(), text);
            if (status) refused++;
            else taken++;
            bool wrong = false;
            for (int turns = 0; turns < 6 && !wrong; turns++) {
                const int64_t n = some_size(&s, turns, &seed);
                const gn_status run = status_of(interpret, text, true, n, test_random(&seed));
                wrong = run || !is_right(&s, n);
                if (wrong && !status) fail_msg("taken, and wrong for n = %d: %s\n%s", (int)n, run ? gn_message() : "", text);
            }
            seen += wrong;
        }
        gn_arena_free(&a);
    }
    print_message("%d refused, %d of them wrong when interpreted; %d taken and right\n", refused, seen, taken);
    assert_true(refused > 10 * taken && seen > refused * 3 / 4);
}

/* ---- sentences ---- */

#define CODE(roles)                                                                                                    \
    "(code r cuda (syms n) (args (X read f32 n) (Y update f32 n)) (threads (t 64)) (step () (shared b f32 64)"         \
    " (reg k token) (reg one barrier:64) (reg two barrier:64 2) " roles "))"
#define TWO(first, second) CODE("(roles (role a 1 " first ") (role b 1 " second "))")
#define COPY "(async b t X t) (commit k) (await $k)"
#define LOAD "(let %1 f32 (load b t)) (store Y t %1)"

static const struct refusal {
    const char *text, *verifier, *interpreter; /* NULL: that one need not know */
} refusals[] = {
    {CODE("(role a 2)"), "role a: it stands among no (roles ..)", NULL},
    {CODE("(roles (role a 1))"), "roles: its roles have 32 threads, the block has 64", NULL},
    {CODE("(roles (role a 2) (role b 1))"), "roles: its roles have 96 threads, the block has 64",
     "the block has no threads for role 'b'"},
    {CODE("(roles (role a 1) (role a 1))"), "role a: another role has its name", NULL},
    {CODE("(roles)"), "1 to 8 roles", NULL},
    {CODE("(roles (barrier))"), "roles alone stand among roles", NULL},
    {CODE("(roles (role a 0))"), "0", NULL},
    {CODE("(if :when (lt t 3) (roles (role a 2)))"),
     "roles: a division into roles that not all threads reach together: it is in 'if'", "not all threads reach the roles"},
    {TWO("(roles (role c 2))", ""), "a division into roles that not all threads reach together: it is in 'role a'",
     "it is of the whole block, and stands in a role"},
    {TWO("(barrier)", "(barrier)"), "barrier: a barrier that not all threads reach together: it is in 'role a'",
     "it is of the whole block, and stands in a role"},
    {TWO("(shared c f32 4)", ""), "shared memory that not all threads reach together: it is in 'role a'", NULL},
    {TWO("(let %1 f32 (threads sum 1.0))", ""), "that not all threads reach together: it is in 'role a'",
     "it is of the whole block, and stands in a role"},
    {CODE("(sync one)"), "sync one: a barrier of roles outside of roles",
     "a barrier of roles outside of roles"},
    {TWO("(sync k)", ""), "'k' is no barrier", NULL},
    {TWO("(sync two)", "(sync two 0)"), "sync two: which of 2 barriers?", NULL},
    {TWO("(sync two t)", "(sync two 0)"), "sync two: its threads come to different barriers", NULL},
    {TWO("(sync two 2)", "(sync two 2)"), "barrier 2 of 'two', which has 2", "barrier 2 of two, which has 2"},
    {TWO("(sync two n)", "(sync two n)"), "which barrier it is hangs on more than the turns of loops around it", NULL},
    {TWO("(if :when (lt t 5) (sync one))", "(sync one)"), "a barrier of roles that not all threads reach together",
     "waits for who never comes"},
    {TWO("(if :when (lt n 5) (sync one))", "(if :when (lt n 5) (sync one))"),
     "if: barriers and tokens of roles hang on no condition", NULL},
    {TWO("(for c 32 :dealt (commit k))", ""), "barriers and tokens of roles stand in no loop that is dealt out", NULL},
    {TWO("(sync one)", ""), "'one' is a barrier of 64 threads, the roles that come there have 32",
     "role 'a' waits for who never comes"},
    {TWO("(sync two 0) (sync two 1)", "(sync two 1) (sync two 0)"),
     "sync two: role 'a' waits at 'two' for role 'b', which never comes", "role 'a' waits for who never comes"},
    {TWO("(sync one) (sync one)", "(sync one)"), "role 'a' waits at 'one' for role 'b', which never comes",
     "role 'a' waits for who never comes"},
    {TWO("(arrive one) (arrive one)", "(arrive one) (arrive one)"),
     "arrive one: role 'a' comes to 'one' again before role 'b' has", NULL},
    {TWO("(arrive one) (sync two 0)", "(arrive one) (sync two 0) (arrive one)"),
     "role 'b' comes to 'one' once more than role 'a'", NULL},
    {TWO("(for i (cdiv n 3) (arrive one))", "(for i (cdiv n 2) (sync one))"),
     "loop i: it ends elsewhere than another loop of roles in which barriers or copies are", NULL},
    {TWO("(for i n (arrive one))", "(for i n (sync one))"), "role 'a' comes to 'one' again before role 'b' has", NULL},
    {TWO("(for i n (arrive one))", "(for i (cdiv n 2) (sync one))"), "role 'a' comes to 'one' again before role 'b' has",
     NULL},
    {TWO("(for i (add n 1) (sync one))", "(sync one)"), "role 'b' waits at 'one' for role 'a', which never comes",
     "role 'a' waits for who never comes"},
    {TWO(COPY " (arrive one)", LOAD " (sync one)"), "%1: it reads 'b', which role 'a' copies with no barrier between",
     " of b"}, /* a race or no content: by the order */
    {TWO("(async b t X t) (commit k) (arrive one) (await $k)", "(sync one) " LOAD),
     "%1: it reads 'b', which role 'a' copies with no barrier between", " of b"},
    {TWO("(async b t X t) (commit k) (arrive one) (sync two 0) (await $k)", "(sync one) " LOAD " (arrive two 0)"),
     "%1: it reads 'b' while copies of role 'a' to it may be under way", " of b"},
    {TWO("(async b t X t) (arrive one)", "(sync one) " LOAD),
     "%1: it reads 'b' while copies of role 'a' to it may be under way", NULL},
    {TWO("(async b t X t) (commit k)", ""), "role 'a' ends while copies to 'b' may be under way", NULL},
    {TWO(COPY " " LOAD, ""), "%1: it reads 'b', which role 'a' copies with no barrier between", NULL},
    {TWO(COPY " (sync one) " COPY, "(sync one) " LOAD), "async b: it writes over 'b', which role 'b' reads with no barrier",
     NULL},
    {TWO("(store b t 1.0)", "(store b (sub t 32) 2.0)"), "store b: it writes over 'b', which role 'a' writes with no barrier",
     "role '"},
    {TWO("(store b t 1.0) (arrive one)", LOAD "(sync one)"), "it reads 'b', which role 'a' writes with no barrier between",
     NULL},
    {TWO("(await $k)", ""), "await $k: reads $k, which is not set on every way to it", NULL},
    {CODE(COPY " (barrier) (async b t X t) (roles (role a 2))"), "copies may be under way where roles begin", NULL},
    {TWO("(set $one 1)", ""), "'one' is a barrier: sync and arrive alone may touch it", NULL},
    {CODE("(reg more barrier:64 13)"), "more: more than 15 barriers of roles", NULL},
    {CODE("(reg more barrier:0)"), "barrier: and the number of threads that meet there was expected", NULL},
    {"(code r c11 (syms n) (args (X read f32 n)) (step () (reg one barrier:32)))", "the target c11 has no barriers", NULL},
    {"(code r c11 (syms n) (args (X read f32 n)) (step () (roles (role a 1))))", "the target c11 has no blocks of threads",
     NULL},
};

static void wrong_roles_are_told(void **state)
{
    (void)state;
    bool all = true;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *const f = &refusals[i];
        const gn_status s = status_of(read_again, f->text, false, 0, 0);
        const bool is = (s == GN_EINVAL || s == GN_ESYNTAX) && strstr(gn_message(), f->verifier);
        if (!is) print_error("%s\n%s\nexpected: %s\n", f->text, s ? gn_message() : "accepted", f->verifier);
        all &= is;
        if (!f->interpreter) continue;
        bool told = false;
        for (uint64_t order = 0; order < 8 && !told; order++)
            told = status_of(interpret, f->text, true, 64, order) && strstr(gn_message(), f->interpreter);
        if (!told) print_error("%s\ninterpreter: %s\nexpected: %s\n", f->text, gn_message(), f->interpreter);
        all &= told;
    }
    assert_true(all);
}

/* Within a role, a warp's own barrier orders what its threads do. */
static void a_warp_of_a_role_meets_itself(void **state)
{
    (void)state;
    static const char *const with =
        TWO("(store b t 1.0) (barrier :warp) (let %1 f32 (load b (sub 31 (mod t 32)))) (store Y t :when (lt t n) %1)", "");
    static const char *const without = TWO("(store b t 1.0) (let %1 f32 (load b (sub 31 (mod t 32)))) (store Y t :when (lt t n) %1)", "");
    static const char *const wide = TWO("(barrier :warpgroup)", "");
    if (status_of(read_again, with, false, 0, 0)) fail_msg("%s", gn_message());
    for (uint64_t order = 0; order < 4; order++) {
        if (status_of(interpret, with, false, 64, order)) fail_msg("%s", gn_message());
        assert_int_equal(status_of(interpret, without, true, 64, order), GN_EINTERNAL);
    }
    assert_int_equal(status_of(read_again, wide, false, 0, 0), GN_EINVAL);
    assert_message_contains("a barrier of a warpgroup: the block's 64 threads are no multiple of 128");
}

/* ---- CUDA ---- */

enum { SKETCHES = 6 };

static gn_scheduled *scheduled_of(gn_arena *a, const char *text)
{
    gn_scheduled *const s = GN_NEW_OBJECT(a, gn_scheduled);
    s->code = gn_code_read(a, "test", gn_sx_read(a, "test", text, strlen(text))->at[0]);
    gn_code_find_carried(s->code);
    gn_code_verify(s->code);
    s->kernel = gn_code_as_kernel(a, s->code);
    return s;
}

static void the_text_for_cuda_runs_and_compiles(void **state)
{
    (void)state;
    gn_arena a = {0};
    uint64_t seed = test_seed();
    sketch sketches[SKETCHES];
    gn_scheduled *all[SKETCHES];
    for (int i = 0; i < SKETCHES; i++) {
        sketches[i] = draw(&a, &seed);
        sketches[i].name = gn_arena_printf(&a, "turn%d", i);
        all[i] = scheduled_of(&a, text_of(&sketches[i]));
    }
    gn_nvrtc *nvrtc;
    if (gn_nvrtc_open(&nvrtc, &gn_allocator_libc)) print_message("skipped: %s\n", gn_message());
    else emulated_check_nvrtc(nvrtc, emulated_cuda(&a, SKETCHES, all), SKETCHES, all), gn_nvrtc_close(nvrtc);
    if (!unit_cxx()) skip();
    void *const library = unit_load_text(unit_cxx(), ".cc", emulated_text(&a, SKETCHES, all));
    for (int i = 0; i < SKETCHES * 14; i++) {
        const sketch *const s = &sketches[i / 14];
        const int64_t n = some_size(s, i % 7, &seed);
        for (int k = 0; k < MOST_N; k++) X[k] = (float)(k + 1), Y[k] = -1;
        emulated_run(library, all[i / 14], (void *[]){X, Y}, &n, i / 7 % 2);
        if (!is_right(s, n)) fail_msg("n = %d is wrong\n%s", (int)n, text_of(&sketches[i / 14]));
    }
    dlclose(library);
    gn_arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawn_roles_compute_the_same),
        cmocka_unit_test(what_is_left_out_is_told),
        cmocka_unit_test(wrong_roles_are_told),
        cmocka_unit_test(a_warp_of_a_role_meets_itself),
        cmocka_unit_test(the_text_for_cuda_runs_and_compiles),
    };
    return cmocka_run_group_tests_name("codegen/warp_roles", tests, NULL, NULL);
}
