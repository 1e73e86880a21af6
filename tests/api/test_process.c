/* What a host process may do while others of its threads compile and call: fork, exit, unload the library. */
#include "api.h"
#include "toolchain.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N = 1 << 16 };
static gn_context *context;
static gn_func *step, *twice;
static gn_expr *weight;
static float memory[6][N];
static atomic_int stop;

/* Status of x * factor, compiled for this alone. */
static gn_status compile_new(double factor)
{
    gn_graph *g = gn_graph_new(context);
    gn_func *f = NULL;
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    const gn_status s = gn_compile(&f, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, factor)));
    gn_func_free(f);
    gn_graph_free(g);
    return s;
}

static gn_status call_twice(int out)
{
    return gn_call(twice, GN_ARRAYS(GN_VIEW(memory[0], N)), GN_ARRAYS(GN_VIEW(memory[out], N)));
}

static void *update(void *arg)
{
    while (!atomic_load(&stop))
        if (gn_call(step, (gn_arrays){ 0 }, (gn_arrays){ 0 })) return arg;
    return NULL;
}

static void *set(void *arg)
{
    while (!atomic_load(&stop))
        if (gn_set(weight, GN_VIEW(memory[1], N))) return arg;
    return NULL;
}

static void *call(void *arg)
{
    while (!atomic_load(&stop))
        if (call_twice(2)) return arg;
    return NULL;
}

static void *compile_many(void *arg)
{
    for (int i = 0; !atomic_load(&stop); i++)
        if (compile_new(1000.0 + i + getpid() % 1000 * 1e-3)) return arg;
    return NULL;
}

static void make_functions(void)
{
    gn_context_options o = api_options;
    o.threads = 3;
    must(gn_context_new(&context, &o));
    gn_graph *g = gn_graph_new(context);
    weight = gn_shared(g, "w", GN_VIEW(memory[1], N));
    gn_expr *x = gn_input(g, "x", GN_F32, "n");
    must(gn_compile(&step, g, .update = GN_UPDATES({ weight, gn_add(weight, 1.0) })));
    must(gn_compile(&twice, g, .in = GN_EXPRS(x), .out = GN_EXPRS(gn_mul(x, 2.0))));
    must(compile_new(7));
}

/* Every element of the variable was written by the same update. */
static bool is_whole(void)
{
    if (gn_get(weight, GN_VIEW(memory[4], N))) return false;
    for (int i = 1; i < N; i++)
        if (memory[4][i] != memory[4][0]) return false;
    return true;
}

static int in_child(int what)
{
    alarm(60);
    switch (what) {
    case 0: return call_twice(3);
    case 1: return !is_whole();
    case 2: return gn_call(step, (gn_arrays){ 0 }, (gn_arrays){ 0 }) || !is_whole();
    case 3: return compile_new(7);
    case 4: return gn_set(weight, GN_VIEW(memory[1], N));
    default: { /* a compile that took long when the process was forked left Clang as it was then: that is told */
        const gn_status s = compile_new(5000.0 + getpid());
        return s == GN_ECOMPILER && strstr(gn_message(), "was forked while another thread compiled") ? 0 : s;
    }
    }
}

static void a_child_can_use_all_that_others_held(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__ /* a child inherits the allocator's locks as other threads held them: it would hang in the \
                               allocator, not in what is tested */
    print_message(
        "skipped under AddressSanitizer, whose allocator does not survive a fork while other threads are in it\n");
    skip();
#endif
    void *(*const bodies[])(void *) = { update, set, call, compile_many };
    pthread_t thread[4];
    make_functions();
    atomic_store(&stop, 0);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&thread[i], NULL, bodies[i], thread), 0);
    for (int k = 0; k < 60; k++) {
        int status = 1;
        const struct timespec pause = { 0, 1000000 + k % 7 * 700000 };
        nanosleep(&pause, NULL);
        const int what = k % 15 == 14 ? 5 : k % 5;
        const pid_t pid = fork();
        if (!pid) _exit(in_child(what) != 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status) fail_msg("child that does %d: status %#x", what, (unsigned)status);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    gn_graph *g = gn_graph_of(weight);
    gn_func_free(step), gn_func_free(twice);
    gn_graph_free(g);
    gn_context_free(context);
}

/* ---- exit ---- */

static void *compile_for_ever(void *arg)
{
    for (int i = 0;; i++) compile_new(1000.0 + i + getpid());
    return arg;
}

static void compile_late(void)
{
    if (compile_new(9000.0 + getpid())) _exit(3);
}

static _Noreturn void exit_in_the_middle(int microseconds)
{
    gn_context_options o = api_options;
    pthread_t thread;
    alarm(100);
    o.cache_dir = "";
    if (gn_context_new(&context, &o)) _exit(1);
    if (microseconds % 3 == 0) atexit(compile_late);
    for (int i = 0; i < 2; i++)
        if (pthread_create(&thread, NULL, compile_for_ever, NULL)) _exit(2);
    usleep((useconds_t)microseconds);
    exit(0);
}

/* From before the plug-in is loaded until after some compiles. */
static void exit_waits_for_no_compile_and_breaks_none(void **state)
{
    (void)state;
    uint64_t seed = test_seed();
    for (int i = 0; i < 24; i++) {
        int status = 1;
        const int after = (int)(test_random(&seed) % 300000);
        const pid_t pid = fork();
        if (!pid) exit_in_the_middle(after);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status) fail_msg("exit after %d us: status %#x", after, (unsigned)status);
    }
}

/* ---- dlclose ---- */

#define FIND(name) __typeof__(&name) const p_##name = (__typeof__(&name))dlsym(library, #name)

/* A host that loads the library, lets its workers start, and unloads it. */
static int load_use_unload(const char *path, int turn)
{
    static gn_context *kept[2]; /* its workers wait in the library */
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    FIND(gn_context_new);
    FIND(gn_graph_new);
    FIND(gn_input_at);
    FIND(gn_exp_at);
    FIND(gn_compile_at);
    FIND(gn_call);
    FIND(gn_func_free);
    FIND(gn_graph_free);
    gn_func *f = NULL;
    gn_context_options o = api_options;
    o.threads = 4;
    if (p_gn_context_new(&kept[turn], &o)) return 2;
    gn_graph *g = p_gn_graph_new(kept[turn]);
    gn_expr *x = p_gn_input_at(GN_HERE, g, "x", GN_F32, "n");
    static float in[1 << 20], out[1 << 20];
    const gn_array from = { .data = in, .dtype = GN_F32, .rank = 1, .shape = { 1 << 20 }, .stride = { 1 } };
    gn_array to = from;
    to.data = out;
    if (p_gn_compile_at(GN_HERE, &f, g,
                        &(gn_compile_options){ .in = GN_EXPRS(x), .out = GN_EXPRS(p_gn_exp_at(GN_HERE, x)) }))
        return 3;
    if (p_gn_call(f, GN_ARRAYS(from), GN_ARRAYS(to)) || out[5] != 1) return 4;
    p_gn_func_free(f), p_gn_graph_free(g);
    if (dlclose(library)) return 5;
    usleep(30000); /* workers fall asleep, in code that must still be there */
    const pid_t pid = fork();
    int status = 1;
    if (!pid) exit(0); /* handlers for fork and exit, too */
    return waitpid(pid, &status, 0) != pid || status ? 6 : 0;
}

static void the_library_may_be_unloaded(void **state)
{
    (void)state;
    int status = 1;
    const pid_t pid = fork();
    if (!pid) {
        int wrong = load_use_unload(GNOMON_LIBRARY, 0);
        if (!wrong) wrong = load_use_unload(GNOMON_LIBRARY, 1) * 10;
        exit(wrong);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_waits_for_no_compile_and_breaks_none), /* before the plug-in is open */
        cmocka_unit_test(the_library_may_be_unloaded),
        cmocka_unit_test(a_child_can_use_all_that_others_held),
    };
    return run_on_toolchains(tests, sizeof tests / sizeof *tests);
}
