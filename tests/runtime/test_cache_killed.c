/* Writers that are killed: at random times, and at each system call on their way. The next process finds whole entries
 * or none, the verifier has no complaint, and what the dead left goes with the next pruning. */
#include "cached.h"
#include <sys/ptrace.h>

static void a_killed_writer_leaves_whole_entries_or_none(void **state)
{
    (void)state;
    char dir[128];
    gn_cache *c = fresh("killed", dir);
    uint64_t seed = test_seed();
    for (int i = 0; i < 40; i++) {
        const pid_t pid = fork();
        if (!pid) {
            for (int k = 0;; k++) {
                char key[32];
                snprintf(key, sizeof key, "%d", k % 20);
                gn_module_release(store(c, key, k % 20 & 1));
            }
        }
        const struct timespec pause = { 0, (long)(test_random(&seed) % 3000000) };
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        for (int k = 0; k < 20; k++) {
            char key[32];
            snprintf(key, sizeof key, "%d", k);
            gn_module *m = load(c, key);
            if (m) assert_int_equal(answer_of(m), 42 + (k & 1));
            gn_module_release(m);
        }
    }
    assert_int_equal(gn_cache_prune(c, (int64_t)1 << 30, NULL), GN_OK);
    assert_int_equal(count_files(dir, ".new"), 0); /* what the dead left is gone */
    gn_cache_close(c);
}

/* ---- at each system call ---- */

enum { CANNOT_BE_TRACED = 77, MOST_SINGLY = 80 };

/* What the writer finds: no directory at all; a good entry of its key; a torn one; a cache that is full, so that it
 * prunes. */
typedef enum { COLD, STORED, TORN, FULL, NPLACES } place;
static const char *const place_names[] = { "cold", "stored", "torn", "full" };

static int64_t bound_of(place p)
{
    return p == FULL ? 3 * (int64_t)object_size[0] : (int64_t)1 << 30;
}

static void prepare(place p, const char *dir)
{
    char path[256];
    if (p == COLD) return;
    gn_cache *c = open_cache(dir);
    for (int i = 0; p == FULL && i < 4; i++) gn_module_release(store(c, (const char[]){ (char)('b' + i), 0 }, 1));
    if (p != FULL) gn_module_release(store(c, "a", 0));
    path_of(c, "a", path);
    if (p == TORN) assert_int_equal(truncate(path, (off_t)object_size[0] / 2), 0);
    gn_cache_close(c);
}

/* The child: waits for its tracer, then stores as a first process would. */
static _Noreturn void write_traced(place p, const char *dir)
{
    gn_cache *c = NULL;
    gn_module *m = NULL;
    const gn_key k = key_of("a");
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) _exit(CANNOT_BE_TRACED);
    raise(SIGSTOP);
    if (gn_cache_open(&c, &gn_allocator_libc, dir, bound_of(p))) _exit(1);
    if (gn_cache_store(c, &k, object[0], object_size[0], "answer\nmore", 11, &m)) _exit(2);
    _exit(!gn_module_path(m) || answer_of(m) != 42 ? 3 : 0);
}

/* Kills the child as it enters its n-th system call, which is not done then. Its exit status if it ends before that, -1
 * if it was killed. */
static int kill_at(pid_t pid, int n)
{
    int status, signal = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) return WEXITSTATUS(status);
    if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return CANNOT_BE_TRACED;
    }
    for (int stops = 0; stops < 2 * n - 1;) { /* two each: as it enters, as it returns */
        assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) return WEXITSTATUS(status);
        assert_true(WIFSTOPPED(status));
        const bool call = WSTOPSIG(status) == (SIGTRAP | 0x80);
        stops += call;
        signal = call ? 0 : WSTOPSIG(status);
    }
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return -1;
}

/* What the next process finds in the directory. Returns true if the entry is there. */
static bool judge_remains(place p, const char *dir, int n)
{
    gn_cache *c = NULL;
    seen s = { 0 };
    assert_int_equal(gn_cache_open(&c, &gn_allocator_libc, dir, bound_of(p)), GN_OK);
    if (!gn_cache_dir(c)) fail_msg("%s, killed at call %d: the directory is refused: %s", place_names[p], n, gn_message());
    gn_module *m = load(c, "a");
    const bool there = m;
    if (there && (answer_of(m) != 42 || strcmp(gn_module_meta(m, NULL), "answer\nmore")))
        fail_msg("%s, killed at call %d: a wrong entry was loaded", place_names[p], n);
    if (p == STORED && !there) fail_msg("killed at call %d: a good entry was lost", n);
    gn_module_release(m);
    assert_int_equal(gn_cache_walk(c, true, see, &s), GN_OK);
    const int torn = p == TORN && !there; /* the one that was torn before */
    if (s.bad != torn) fail_msg("%s, killed at call %d: %d of %d entries are bad", place_names[p], n, s.bad, s.n);
    if (p != FULL && s.n != there + torn) fail_msg("%s, killed at call %d: %d entries are listed", place_names[p], n, s.n);
    m = store(c, "a", 0); /* and it can go on */
    assert_int_equal(answer_of(m), 42);
    assert_non_null(gn_module_path(m));
    gn_module_release(m);
    assert_int_equal(gn_cache_prune(c, (int64_t)1 << 30, NULL), GN_OK);
    if (count_files(dir, ".new")) fail_msg("%s, killed at call %d: what the dead left is still there", place_names[p], n);
    gn_cache_close(c);
    return there;
}

static void a_writer_killed_at_any_system_call_leaves_a_whole_entry_or_none(void **state)
{
    (void)state;
    for (place p = COLD; p < NPLACES; p++) {
        int kept = 0, ended = -1, n = 0, times = 0;
        for (n = 1; ended < 0; n += n < MOST_SINGLY ? 1 : 5, times++) { /* beyond that it walks 256 shelves */
            char dir[128];
            snprintf(dir, sizeof dir, "%s/%s-%d", base, place_names[p], n);
            prepare(p, dir);
            const pid_t pid = fork();
            if (!pid) write_traced(p, dir);
            ended = kill_at(pid, n);
            if (ended == CANNOT_BE_TRACED) {
                print_message("skipped: a process may not be traced here\n");
                skip();
            }
            kept += judge_remains(p, dir, n);
        }
        assert_int_equal(ended, 0);
        print_message("%s: killed at %d system calls, the entry was whole after %d of them\n", place_names[p],
                      times - 1, kept - 1);
        assert_true(times > 30 && kept > 1 && (p == STORED || kept < times));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_writer_leaves_whole_entries_or_none),
        cmocka_unit_test(a_writer_killed_at_any_system_call_leaves_a_whole_entry_or_none),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
