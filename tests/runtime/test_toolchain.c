/* Toolchains: every one that is here compiles the same unit, says its compiler's words, and leaves nothing behind. */
#include <errno.h>
#include "testlib.h"
#include "failing_alloc.h"
#include "tempdir.h"
#include "toolchain.h"
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char unit[] = "typedef float v8 __attribute__((vector_size(32)));\n"
                           "void f(float *y, const float *x) { v8 a; __builtin_memcpy(&a, x, sizeof a); a = a * a + "
                           "1.0f; __builtin_memcpy(y, &a, "
                           "sizeof a); }\n";
static const char *const avx2[] = { "-target-feature", "+avx2", NULL };

typedef void (*unit_function)(float *, const float *);

/* Through a memfd, as the cache would do. */
static void *load(const void *object, size_t size)
{
    char path[64];
    const int fd = memfd_create("test", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, object, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail_msg("%s", dlerror());
    return handle; /* the descriptor stays open: glibc finds libraries by name */
}

static gn_toolchain *open_or_skip(const char *name)
{
    gn_toolchain *t = NULL;
    if (gn_toolchain_open(&t, &gn_allocator_libc, name, NULL)) {
        print_message("skipped: %s\n", gn_message());
        skip();
    }
    return t;
}

static void compile_and_run(const char *name)
{
    gn_toolchain *t = open_or_skip(name);
    void *object = NULL;
    size_t size = 0;
    float x[8] = { 0, 1, 2, 3, 4, 5, 6, 7 }, y[8] = { 0 };
    assert_string_equal(gn_toolchain_name(t), name);
    if (gn_toolchain_compile(t, "unit", unit, __builtin_cpu_supports("avx2") ? avx2 : NULL, &object, &size))
        fail_msg("%s", gn_message());
    void *handle = load(object, size);
    unit_function f;
    *(void **)&f = dlsym(handle, "f");
    assert_non_null(f);
    f(y, x);
    for (int i = 0; i < 8; i++) assert_true(y[i] == x[i] * x[i] + 1.0f);
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
}

static void cc_compiles_a_unit(void **state) { (void)state, compile_and_run("cc"); }
static void clang_compiles_a_unit(void **state) { (void)state, compile_and_run("clang"); }

static void errors_carry_the_words(const char *name)
{
    gn_toolchain *t = open_or_skip(name);
    void *object = NULL;
    size_t size = 0;
    assert_int_equal(gn_toolchain_compile(t, "unit", "int f(void) { return missing_thing; }\n", NULL, &object, &size),
                     GN_ECOMPILER);
    assert_message_contains("unit.c:1:");
    assert_message_contains("missing_thing");
    assert_null(object);
    gn_toolchain_close(t);
}

static void an_error_of_cc_carries_its_words(void **state) { (void)state, errors_carry_the_words("cc"); }
static void an_error_of_clang_carries_its_words(void **state) { (void)state, errors_carry_the_words("clang"); }

static void undefined_symbols_are_refused(const char *name)
{
    gn_toolchain *t = open_or_skip(name);
    void *object = NULL;
    size_t size = 0;
#if !defined(__SANITIZE_ADDRESS__)
    assert_int_equal(
        gn_toolchain_compile(t, "unit", "int g(void); int f(void) { return g(); }\n", NULL, &object, &size),
        GN_ECOMPILER);
    assert_message_contains("undefined");
#endif
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
}

static void cc_resolves_nothing_from_the_process(void **state) { (void)state, undefined_symbols_are_refused("cc"); }
static void clang_resolves_nothing_from_the_process(void **state) { (void)state, undefined_symbols_are_refused("clang"); }

static void a_missing_compiler_is_named(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    assert_int_equal(gn_toolchain_open(&t, &gn_allocator_libc, "cc", "no-such-compiler-here"), GN_ECOMPILER);
    assert_message_contains("no-such-compiler-here");
    assert_null(t);
}

/* A compiler of our own: a script that says it is one, and then does `body`. */
static const char *script(const char *name, const char *body)
{
    char text[512];
    const int n = snprintf(text, sizeof text, "#!/bin/sh\n[ \"$1\" = --version ] && exec echo odd 1.0\n%s\n", body);
    const char *const path = temp_write(name, text, (size_t)n);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static gn_status compile_by(const char *command)
{
    gn_toolchain *t = NULL;
    void *object = NULL;
    size_t size = 0;
    gn_status s = gn_toolchain_open(&t, &gn_allocator_libc, "cc", command);
    if (s) return s;
    s = gn_toolchain_compile(t, "unit", "int f(void) { return 1; }\n", NULL, &object, &size);
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
    return s;
}

static void a_compiler_that_misbehaves_is_told(void **state)
{
    (void)state;
    assert_int_equal(compile_by(script("idle", "exit 0")), GN_ECOMPILER);
    assert_message_contains("the compiler left no result: ");
    assert_int_equal(compile_by(script("killed", "kill -9 $$")), GN_ECOMPILER);
    assert_message_contains("killed failed (signal 9)");
    assert_int_equal(compile_by(script("wordy", "echo no such luck >&2; exit 3")), GN_ECOMPILER);
    assert_message_contains("wordy failed (status 3):\nno such luck");
    const char *const path = temp_write("unstartable", "#!/nonexistent/shell\n", 21);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(compile_by(path), GN_ECOMPILER);
    assert_message_contains("unstartable: cannot be started: ");
    assert_int_equal(compile_by(script("directory", "while [ \"$1\" != -o ]; do shift; done; mkdir \"$2\"")), GN_EIO);
    assert_message_contains("cannot read ");
    rmdir(strstr(gn_message(), "/tmp"));
}

/* Too many words for a list of arguments: of the command alone, or with those of a compile. */
static void a_command_of_too_many_words_is_refused(void **state)
{
    (void)state;
    char command[2000];
    int refused = 0;
    for (int words = 0; words < 200; words++) {
        strcpy(command, "env");
        for (int i = 0; i < words; i++) strcat(command, " A=1");
        strcat(command, " ");
        strcat(command, script("true", "exit 0"));
        if (words > 0 && words < 100) continue;
        const gn_status s = compile_by(command);
        if (s == GN_EINVAL && !refused++) assert_message_contains("too many arguments for the C compiler 'env A=1");
        else if (s != GN_EINVAL) assert_message_contains("left no result");
    }
    assert_true(refused > 1);
    assert_int_equal(compile_by(command), GN_EINVAL);
    assert_message_contains("the command of the C compiler is too long: 'env A=1");
}

static void a_temporary_directory_that_cannot_be_is_told(void **state)
{
    (void)state;
    char far[400];
    memset(far, 'd', sizeof far - 1);
    far[sizeof far - 1] = '\0';
    setenv("TMPDIR", far, 1);
    assert_int_equal(compile_by("cc"), GN_EIO);
    assert_message_contains(
        "has a name in it that is too long\n    (the temporary directory for the C compiler; $TMPDIR says where)");
    setenv("TMPDIR", "/nonexistent", 1);
    assert_int_equal(compile_by("cc"), GN_EIO);
    assert_message_contains("/nonexistent cannot be opened: ");
    assert_message_contains(strerror(ENOENT)); /* in the language of the program */
    setenv("TMPDIR", "/proc/self", 1);
    assert_int_equal(compile_by("cc"), GN_EIO);
    assert_message_contains("no temporary directory in /proc/");
    const char *dir = temp_path("theirs"); /* somebody could put another source there while the compiler starts */
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 0777), 0);
    setenv("TMPDIR", dir, 1);
    assert_int_equal(compile_by("cc"), GN_EIO);
    assert_message_contains("/theirs may be written by others (mode 0777)");
    assert_int_equal(chmod(dir, 01777), 0);
    assert_int_equal(compile_by("cc"), GN_OK);
    assert_int_equal(rmdir(dir), 0); /* and it is empty */
    unsetenv("TMPDIR");
}

/* In a child: what is changed there ends with it. */
static void in_a_child(void (*change)(void), const char *command, gn_status want, const char *says)
{
    int status = 1;
    const pid_t pid = fork();
    if (!pid) {
        change();
        const gn_status s = compile_by(command);
        if (s != want || (s && !strstr(gn_message(), says)))
            fprintf(stderr, "%s: %s\n", gn_status_name(s), gn_message()), _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void take_descriptors(void)
{
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 3, 3 });
}

static void ignore_children(void)
{
    signal(SIGCHLD, SIG_IGN);
}

static void take_any_child(int signal)
{
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
}

static void reap_children(void)
{
    sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = take_any_child }, NULL);
}

static void close_the_first_three(void)
{
    close(0), close(1), close(2);
}

static void block_everything(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
}

static void live_on_a_small_stack(void)
{
    setrlimit(RLIMIT_STACK, &(struct rlimit){ 80 << 10, RLIM_INFINITY });
}

static void take_rights(void)
{
    umask(0777);
    if (!geteuid() && (setgid(12345) || setuid(12345))) _exit(0); /* root may read what nobody may */
}

static void a_process_may_be_set_up_oddly(void **state)
{
    (void)state;
    in_a_child(take_descriptors, "cc", GN_EIO, ": no pipe: ");
    in_a_child(ignore_children, "cc", GN_OK, "");
    in_a_child(reap_children, "cc", GN_OK, "");
    /* its status is lost */
    in_a_child(ignore_children, script("mute", "echo no luck >&2; exit 1"), GN_ECOMPILER, "the compiler left no result: ");
    in_a_child(close_the_first_three, "cc", GN_OK, "");
    in_a_child(block_everything, "cc", GN_OK, "");
    in_a_child(live_on_a_small_stack, "cc", GN_OK, "");
    in_a_child(take_rights, "/usr/bin/cc", GN_OK, "");
}

static void pieces_are_for_clang(void **state)
{
    (void)state;
    gn_toolchain *t = open_or_skip("cc");
    void *object = NULL;
    size_t size = 0;
    gn_trouble trouble;
    assert_int_equal(
        gn_toolchain_compile_pieces(t, "unit", 2, (const char *const[]){ "", "" }, NULL, &object, &size, &trouble),
        GN_ECOMPILER);
    assert_message_contains("toolchain \"cc\" compiles one piece at a time");
    gn_toolchain_close(t);
}

static const char *scarce_command;

static int compile_scarcely(const gn_allocator *a)
{
    gn_toolchain *t = NULL;
    void *object = NULL;
    char *text = NULL;
    size_t size = 0, length = 0;
    gn_status s = gn_toolchain_open(&t, a, "cc", scarce_command);
    if (!s) s = gn_toolchain_compile(t, "unit", "", NULL, &object, &size);
    if (!s) s = gn_toolchain_assembly(t, "unit", "", NULL, &text, &length);
    if (s) assert_int_equal(s, GN_ENOMEM);
    if (object) gn_release(a, object, size);
    if (text) gn_release(a, text, length);
    gn_toolchain_close(t);
    return s;
}

static void memory_that_runs_out_is_told(void **state)
{
    (void)state;
    scarce_command = script("small", "while [ \"$1\" != -o ]; do shift; done; echo object > \"$2\"");
    assert_true(survive_refusals(compile_scarcely, false) > 2);
    assert_true(survive_refusals(compile_scarcely, true) > 2);
}

/* Plug-ins that are none, in a child each: a process opens one for good. */
static void open_wrong_plugin(const char *says)
{
    int status = 1;
    const pid_t pid = fork();
    if (!pid) {
        gn_toolchain *t = NULL;
        void *object = NULL;
        size_t size = 0;
        setenv("GNOMON_PLUGIN_DIR", temp_dir, 1);
        gn_status s = gn_toolchain_open(&t, &gn_allocator_libc, "clang", NULL);
        if (!s) s = gn_toolchain_compile(t, "unit", "", NULL, &object, &size);
        if (s != GN_ECOMPILER || !strstr(gn_message(), says))
            fprintf(stderr, "%s: %s\n", gn_status_name(s), gn_message()), _exit(1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void a_plugin_that_is_none_is_told(void **state)
{
    (void)state;
    char command[500];
    if (gn_toolchain_plugin_is_open()) skip();
    open_wrong_plugin("toolchain \"clang\": the plug-in was not found beside the library nor in $GNOMON_PLUGIN_DIR");
    temp_write("gnomon-clang.so", "nothing", 7);
    open_wrong_plugin("gnomon-clang.so cannot be opened: ");
    snprintf(command, sizeof command, "echo 'int other;' | cc -shared -fPIC -x c - -o '%s'", temp_path("gnomon-clang.so"));
    assert_int_equal(system(command), 0);
    open_wrong_plugin("gnomon-clang.so belongs to another version of Gnomon");
    unlink(temp_path("gnomon-clang.so"));
}

static void an_unknown_toolchain_is_refused(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    assert_int_equal(gn_toolchain_open(&t, &gn_allocator_libc, "tcc", NULL), GN_EINVAL);
    assert_message_contains("expected clang, cc or interpreter");
}

static void the_interpreter_compiles_nothing(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    void *object = NULL;
    size_t size = 0;
    assert_int_equal(gn_toolchain_open(&t, &gn_allocator_libc, "interpreter", NULL), GN_OK);
    assert_string_equal(gn_toolchain_identity(t), "interpreter");
    assert_int_equal(gn_toolchain_compile(t, "unit", unit, NULL, &object, &size), GN_ECOMPILER);
    gn_toolchain_close(t);
}

static void identities_differ_and_open_no_compiler(void **state)
{
    (void)state;
    const bool was_open = gn_toolchain_plugin_is_open();
    gn_toolchain *clang = open_or_skip("clang"), *cc = open_or_skip("cc"), *again = open_or_skip("clang");
    assert_string_not_equal(gn_toolchain_identity(clang), gn_toolchain_identity(cc));
    assert_string_equal(gn_toolchain_identity(clang), gn_toolchain_identity(again));
    assert_int_equal(gn_toolchain_plugin_is_open(), was_open);
    gn_toolchain_close(clang), gn_toolchain_close(cc), gn_toolchain_close(again);
}

static void a_command_of_two_words_is_started(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    void *object = NULL;
    size_t size = 0;
    assert_int_equal(gn_toolchain_open(&t, &gn_allocator_libc, "cc", "env cc"), GN_OK);
    if (gn_toolchain_compile(t, "unit", "int f(void) { return 1; }\n", NULL, &object, &size)) fail_msg("%s", gn_message());
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
}

static void clang_may_be_the_child(void **state)
{
    (void)state;
    gn_toolchain *t = NULL;
    void *object = NULL;
    size_t size = 0;
    if (gn_toolchain_open(&t, &gn_allocator_libc, "cc", "clang-19")) skip();
    if (gn_toolchain_compile(t, "unit", unit, __builtin_cpu_supports("avx2") ? avx2 : NULL, &object, &size))
        fail_msg("%s", gn_message());
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
}

static void *compile_many(void *arg)
{
    gn_toolchain *t = arg;
    for (int i = 0; i < 6; i++) {
        char source[128];
        void *object = NULL;
        size_t size = 0;
        int (*f)(void);
        const bool wrong = i % 3 == 2;
        snprintf(source, sizeof source, wrong ? "int f(void) { return %d }\n" : "int f(void) { return %d; }\n", i);
        const gn_status s = gn_toolchain_compile(t, "unit", source, NULL, &object, &size);
        if (wrong ? s != GN_ECOMPILER : s != GN_OK) return "wrong status";
        if (wrong) continue;
        *(void **)&f = dlsym(load(object, size), "f");
        if (!f || f() != i) return "wrong result";
        gn_release(&gn_allocator_libc, object, size);
    }
    return NULL;
}

static void threads_compile_at_once(void **state)
{
    (void)state;
    gn_toolchain *t = open_or_skip("clang");
    pthread_t thread[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&thread[i], NULL, compile_many, t), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        if (wrong) fail_msg("%s", (const char *)wrong);
    }
    gn_toolchain_close(t);
}

static void deep_nesting_is_a_clean_error(void **state)
{
    (void)state;
    gn_toolchain *t = open_or_skip("clang");
    void *object = NULL;
    size_t size = 0;
    char source[4096] = "int f(int x) { return ";
    for (int i = 0; i < 1000; i++) strcat(source, "(");
    assert_int_equal(gn_toolchain_compile(t, "unit", source, NULL, &object, &size), GN_ECOMPILER);
    assert_message_contains("bracket nesting level exceeded");
    gn_toolchain_close(t);
}

static void assembly_can_be_read(const char *name)
{
    gn_toolchain *t = open_or_skip(name);
    char *text = NULL;
    size_t size = 0;
    if (gn_toolchain_assembly(t, "unit", "int f(void) { return 7; }\n", NULL, &text, &size)) fail_msg("%s", gn_message());
    assert_non_null(strstr(text, "f:"));
    assert_int_equal(strlen(text) + 1, size);
    gn_release(&gn_allocator_libc, text, size);
    gn_toolchain_close(t);
}

static void cc_shows_assembly(void **state) { (void)state, assembly_can_be_read("cc"); }
static void clang_shows_assembly(void **state) { (void)state, assembly_can_be_read("clang"); }

/* Whatever the level of optimization: wide registers that stay in use slow down all that runs after a call. */
static void wide_registers_are_clear_on_return(const char *name)
{
#if defined(__x86_64__)
    static const char *const args[] = { "-target-feature", "+avx2", NULL };
    gn_toolchain *t = open_or_skip(name);
    char *text = NULL;
    size_t size = 0;
    const char *source = "typedef float v8 __attribute__((vector_size(32)));\nvoid f(v8 *x) { *x = *x * *x; }\n";
    if (gn_toolchain_assembly(t, "unit", source, args, &text, &size)) fail_msg("%s", gn_message());
    assert_non_null(strstr(text, "vzeroupper"));
    gn_release(&gn_allocator_libc, text, size);
    gn_toolchain_close(t);
#else
    (void)name;
    skip();
#endif
}

static void cc_clears_wide_registers(void **state) { (void)state, wide_registers_are_clear_on_return("cc"); }
static void clang_clears_wide_registers(void **state) { (void)state, wide_registers_are_clear_on_return("clang"); }

/* Under AddressSanitizer generated code is checked too: a planted read beyond an array ends the child. */
static void generated_code_is_checked(const char *name)
{
#if defined(__SANITIZE_ADDRESS__)
    gn_toolchain *t = open_or_skip(name);
    void *object = NULL;
    size_t size = 0;
    int (*f)(const int *, long), status = 0;
    if (gn_toolchain_compile(t, "unit", "int f(const int *p, long i) { return p[i]; }\n", NULL, &object, &size))
        fail_msg("%s", gn_message());
    *(void **)&f = dlsym(load(object, size), "f");
    int *p = calloc(4, sizeof *p);
    assert_int_equal(f(p, 3), 0);
    const pid_t pid = fork();
    if (!pid) {
        if (!freopen("/dev/null", "w", stderr)) _exit(0);
        _exit(f(p, 4) & 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_not_equal(status, 0);
    free(p);
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
#else
    (void)name;
    skip();
#endif
}

static void code_of_cc_is_checked(void **state) { (void)state, generated_code_is_checked("cc"); }
static void code_of_clang_is_checked(void **state) { (void)state, generated_code_is_checked("clang"); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plugin_that_is_none_is_told),
        cmocka_unit_test(a_compiler_that_misbehaves_is_told),
        cmocka_unit_test(a_command_of_too_many_words_is_refused),
        cmocka_unit_test(a_temporary_directory_that_cannot_be_is_told),
        cmocka_unit_test(a_process_may_be_set_up_oddly),
        cmocka_unit_test(pieces_are_for_clang),
        cmocka_unit_test(memory_that_runs_out_is_told),
        cmocka_unit_test(identities_differ_and_open_no_compiler),
        cmocka_unit_test(cc_compiles_a_unit),
        cmocka_unit_test(clang_compiles_a_unit),
        cmocka_unit_test(an_error_of_cc_carries_its_words),
        cmocka_unit_test(an_error_of_clang_carries_its_words),
        cmocka_unit_test(cc_resolves_nothing_from_the_process),
        cmocka_unit_test(clang_resolves_nothing_from_the_process),
        cmocka_unit_test(a_missing_compiler_is_named),
        cmocka_unit_test(an_unknown_toolchain_is_refused),
        cmocka_unit_test(the_interpreter_compiles_nothing),
        cmocka_unit_test(a_command_of_two_words_is_started),
        cmocka_unit_test(clang_may_be_the_child),
        cmocka_unit_test(threads_compile_at_once),
        cmocka_unit_test(deep_nesting_is_a_clean_error),
        cmocka_unit_test(cc_shows_assembly),
        cmocka_unit_test(clang_shows_assembly),
        cmocka_unit_test(cc_clears_wide_registers),
        cmocka_unit_test(clang_clears_wide_registers),
        cmocka_unit_test(code_of_cc_is_checked),
        cmocka_unit_test(code_of_clang_is_checked),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
