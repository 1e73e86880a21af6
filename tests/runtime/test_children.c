/* Compilers that misbehave, as children of a process that must not mind: in time, in what they print, in what they
 * leave, in what they start. Each is a script of a few lines that answers to --version and then does something else
 * than to compile, or something besides. */
#include "testlib.h"
#include "tempdir.h"
#include "clock.h"
#include "toolchain_state.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char find_result[] = "while [ \"$1\" != -o ]; do shift; done; result=$2\n";

static const char *script(const char *name, const char *body)
{
    char text[1024];
    const int n =
        snprintf(text, sizeof text, "#!/bin/sh\nall=\"$*\"\n[ \"$1\" = --version ] && exec echo odd 1.0\n%s\n", body);
    const char *const path = temp_write(name, text, (size_t)n);
    assert_int_equal(chmod(path, 0700), 0);
    return path;
}

static gn_status compile_within(const char *cc, int seconds, const char *const *env, gn_trouble *trouble)
{
    gn_toolchain *t = NULL;
    void *object = NULL;
    size_t size = 0;
    const char *source = "int f(void) { return 1; }\n";
    gn_status s = gn_toolchain_open_with(
        &t, &gn_allocator_libc, &(gn_toolchain_options){ .name = "cc", .cc = cc, .seconds = seconds, .env = env });
    if (s) return s;
    s = gn_toolchain_compile_pieces(t, "unit", 1, &source, NULL, &object, &size, trouble);
    gn_release(&gn_allocator_libc, object, size);
    gn_toolchain_close(t);
    return s;
}

static gn_status compile_by(const char *cc, int seconds)
{
    gn_trouble trouble = GN_TROUBLE_NONE;
    return compile_within(cc, seconds, NULL, &trouble);
}

/* Is the process of this number, which a script wrote down, still there? */
static bool lives(const char *file)
{
    size_t n;
    char *text = temp_read(temp_path(file), &n);
    const pid_t pid = (pid_t)atoi(text);
    free(text);
    assert_true(pid > 1);
    for (int i = 0; i < 200 && !kill(pid, 0); i++) usleep(10000); /* init may take a moment to collect it */
    return !kill(pid, 0);
}

static void one_that_hangs_is_killed_with_all_it_started(void **state)
{
    (void)state;
    char body[400];
    gn_trouble trouble = GN_TROUBLE_NONE;
    snprintf(body, sizeof body, "sleep 1000 & echo $! > '%s'; echo thinking; wait", temp_path("pid"));
    assert_int_equal(compile_within(script("hangs", body), 1, NULL, &trouble), GN_ECOMPILER);
    assert_message_contains("hangs was not done after 1 seconds:\nthinking");
    assert_int_equal(trouble, GN_TROUBLE_LATE);
    assert_false(lives("pid"));
}

static void one_that_does_not_say_its_version_is_told(void **state)
{
    (void)state;
    const char *path = temp_write("silent", "#!/bin/sh\nsleep 1000\n", 21);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(compile_by(path, 1), GN_ECOMPILER);
    assert_message_contains("silent does not answer to --version");
}

/* A server that a compiler starts keeps the pipe open: its end is not waited for. */
static void one_that_leaves_a_server_is_not_waited_for(void **state)
{
    (void)state;
    char body[400];
    snprintf(body, sizeof body, "setsid sleep 1000 & echo $! > '%s'; exec cc $all", temp_path("server"));
    const double before = gn_now_ms();
    if (compile_by(script("daemon", body), 100)) fail_msg("%s", gn_message());
    assert_true(gn_now_ms() - before < 90e3); /* not the server's 1,000 seconds, nor the limit */
    size_t n;
    char *text = temp_read(temp_path("server"), &n);
    const pid_t pid = (pid_t)atoi(text);
    assert_int_equal(kill(pid, SIGKILL), 0); /* a session of its own is left alone */
    free(text);
}

static void one_that_prints_without_end_is_stopped(void **state)
{
    (void)state;
    assert_int_equal(compile_by(script("endless", "exec yes 'error: x'"), 1000), GN_ECOMPILER);
    assert_message_contains("endless printed without end:\nerror: x\nerror: x");
    assert_int_equal(compile_by(script("big", "head -c 10000000 /dev/zero | tr '\\0' x; exit 3"), 1000), GN_ECOMPILER);
    assert_message_contains("big failed (status 3):\nxxx");
}

static void what_it_leaves_is_swept(void **state)
{
    (void)state;
    char body[600];
    const char *tmp = temp_path("tmp");
    assert_int_equal(mkdir(tmp, 0700), 0);
    assert_int_equal(setenv("TMPDIR", tmp, 1), 0);
    snprintf(body, sizeof body,
             "echo > \"$TMPDIR/more\"; mkdir -p \"$TMPDIR/a/b\"; ln -s / \"$TMPDIR/a/root\"; %s echo x > $result",
             find_result);
    assert_int_equal(compile_by(script("untidy", body), 10), GN_OK);
    assert_int_equal(compile_by(script("killed", "echo > \"$TMPDIR/more\"; kill -9 $$"), 10), GN_ECOMPILER);
    assert_int_equal(rmdir(tmp), 0);
    unsetenv("TMPDIR");
    assert_int_equal(access("/etc/passwd", R_OK), 0); /* a link is not followed */
}

/* What a killed process left, once it is old: by the next one's first compile. */
static void what_the_dead_left_is_swept(void **state)
{
    (void)state;
    char dir[300], file[340];
    int status = 1;
    const char *tmp = temp_path("old");
    const pid_t dead = fork();
    if (!dead) _exit(0);
    assert_int_equal(waitpid(dead, &status, 0), dead);
    assert_int_equal(mkdir(tmp, 0700), 0);
    for (int fresh = 0; fresh < 2; fresh++) {
        snprintf(dir, sizeof dir, "%s/gnomon-%ld-%s", tmp, (long)dead, fresh ? "fresh" : "old");
        assert_int_equal(mkdir(dir, 0700), 0);
        snprintf(file, sizeof file, "%s/f.c", dir);
        assert_int_equal(symlink("nowhere", file), 0);
        const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
        if (!fresh) assert_int_equal(utimensat(AT_FDCWD, dir, times, 0), 0);
    }
    const pid_t pid = fork();
    if (!pid) {
        setenv("TMPDIR", tmp, 1);
        _exit(compile_by("cc", 100) != GN_OK);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(unlink(file), 0); /* the fresh one is still there */
    assert_int_equal(rmdir(dir), 0);
    assert_int_equal(rmdir(tmp), 0);
}

/* Exactly what it gets: nothing of the caller's. */
static void its_environment_is_made_for_it(void **state)
{
    (void)state;
    char body[400], want[400];
    size_t n;
    gn_trouble trouble;
    snprintf(body, sizeof body,
             "/usr/bin/env | /usr/bin/sort | grep -v '^\\(PWD\\|_\\|SHLVL\\|OLDPWD\\|TMPDIR\\)=' > '%s'; exit 1",
             temp_path("env"));
    const char *const cc = script("curious", body);
    static const char *const names[] = { "CPATH",          "C_INCLUDE_PATH", "COMPILER_PATH", "CCC_OVERRIDE_OPTIONS",
                                         "LD_PRELOAD_NOT", "GCC_EXEC_PREFIX" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) setenv(names[i], temp_dir, 1);
    assert_int_equal(compile_within(cc, 10, (const char *const[]){ "ZLICENCE=here", NULL }, &trouble), GN_ECOMPILER);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unsetenv(names[i]);
    char *text = temp_read(temp_path("env"), &n);
    snprintf(want, sizeof want, "LC_ALL=C\nPATH=%s:/usr/local/bin:/usr/bin:/bin\nZLICENCE=here\n", temp_dir);
    assert_string_equal(text, want);
    free(text);
}

static char *identity_with(const char *const *env)
{
    gn_toolchain *t = NULL;
    assert_int_equal(
        gn_toolchain_open_with(&t, &gn_allocator_libc, &(gn_toolchain_options){ .name = "cc", .cc = "cc", .env = env }),
        GN_OK);
    char *copy = strdup(gn_toolchain_identity(t));
    gn_toolchain_close(t);
    return copy;
}

static void what_is_added_identifies_it(void **state)
{
    (void)state;
    char *none = identity_with(NULL), *one = identity_with((const char *const[]){ "A=1", NULL }),
         *other = identity_with((const char *const[]){ "A=2", NULL });
    assert_string_not_equal(none, one);
    assert_string_not_equal(one, other);
    free(none), free(one), free(other);
}

/* An empty element of PATH, or one that is relative, means the working directory, whoever may write there. */
static void only_absolute_directories_are_searched(void **state)
{
    (void)state;
    char here[400], path[400], old[2000];
    snprintf(old, sizeof old, "%s", getenv("PATH") ? getenv("PATH") : "");
    script("gnomon-odd-cc", "exit 0");
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(temp_dir), 0);
    static const char *const paths[] = { "", ":", "/nonexistent::", ".", "./:bin" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        setenv("PATH", paths[i], 1);
        assert_false(gn_find_program("gnomon-odd-cc", path, sizeof path));
    }
    setenv("PATH", temp_dir, 1);
    assert_true(gn_find_program("gnomon-odd-cc -O", path, sizeof path));
    assert_string_equal(path, temp_path("gnomon-odd-cc"));
    assert_true(gn_find_program("./gnomon-odd-cc", path, sizeof path)); /* the user's own words: what they mean now */
    assert_int_equal(path[0], '/');
    assert_int_equal(chdir(here), 0);
    setenv("PATH", old, 1);
}

static void a_path_with_a_blank_is_one_word(void **state)
{
    (void)state;
    if (compile_by(script("my cc", "exec cc $all"), 100)) fail_msg("%s", gn_message());
}

static void a_directory_is_no_compiler(void **state)
{
    (void)state;
    assert_int_equal(compile_by(temp_dir, 10), GN_ECOMPILER);
    assert_message_contains("was not found; set $CC");
}

/* This program as one that is set-user-id: "search" tells whether a compiler is found where the caller's PATH says. */
enum { FOUND = 3, NOT_FOUND = 4, NOT_SECURE = 5 };

static int search(void)
{
    char path[400];
    if (!getauxval(AT_SECURE)) return NOT_SECURE;
    return gn_find_program("gnomon-odd-cc", path, sizeof path) ? FOUND : NOT_FOUND;
}

static int as_another_user(const char *program)
{
    int status = 0;
    const pid_t pid = fork();
    if (!pid) {
        setenv("PATH", temp_dir, 1);
        unsetenv("GNOMON_TEST_LOCALE"); /* the loader forgets where it lies */
        if (setgid(12345) || setuid(12345)) _exit(NOT_SECURE);
        execl(program, program, "search", (char *)NULL);
        _exit(NOT_SECURE);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : NOT_SECURE;
}

static void a_set_user_id_program_does_not_start_the_callers_compiler(void **state)
{
    (void)state;
    if (geteuid()) skip();
    size_t n;
    script("gnomon-odd-cc", "exit 0");
    char *self = temp_read("/proc/self/exe", &n);
    const char *program = temp_write("setuid", self, n);
    free(self);
    assert_int_equal(chmod(temp_path("gnomon-odd-cc"), 0755), 0);
    assert_int_equal(chmod(program, 04755), 0);
    assert_int_equal(chmod(temp_dir, 0755), 0);
    const int end = as_another_user(program);
    assert_int_equal(chmod(temp_dir, 0700), 0);
    if (end == NOT_SECURE) skip(); /* a mount that does not let programs be set-user-id */
    assert_int_equal(end, NOT_FOUND);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "search")) return search();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_dead_left_is_swept), /* once in a process: first */
        cmocka_unit_test(one_that_hangs_is_killed_with_all_it_started),
        cmocka_unit_test(one_that_does_not_say_its_version_is_told),
        cmocka_unit_test(one_that_leaves_a_server_is_not_waited_for),
        cmocka_unit_test(one_that_prints_without_end_is_stopped),
        cmocka_unit_test(what_it_leaves_is_swept),
        cmocka_unit_test(its_environment_is_made_for_it),
        cmocka_unit_test(what_is_added_identifies_it),
        cmocka_unit_test(only_absolute_directories_are_searched),
        cmocka_unit_test(a_path_with_a_blank_is_one_word),
        cmocka_unit_test(a_directory_is_no_compiler),
        cmocka_unit_test(a_set_user_id_program_does_not_start_the_callers_compiler),
    };
    return cmocka_run_group_tests(tests, temp_setup, temp_teardown);
}
