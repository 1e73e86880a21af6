/* The team: every part once, whatever the number of threads; nested, concurrent and forked use falls back to the caller. */
#include "testlib.h"
#include "team.h"
#include "alloc.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 1000 };
typedef struct counts {
    atomic_int part[PARTS];
    atomic_int worker_out_of_range;
    int size;
} counts;

static void count(void *user, int64_t part, int worker)
{
    counts *c = user;
    atomic_fetch_add(&c->part[part], 1);
    if (worker < 0 || worker >= c->size) atomic_store(&c->worker_out_of_range, 1);
}

static int each_part_once(gn_team *t, int64_t n)
{
    counts c = { .size = gn_team_size(t) };
    gn_team_run(t, n, count, &c);
    for (int i = 0; i < PARTS; i++)
        if (c.part[i] != (i < n)) return 0;
    return !c.worker_out_of_range;
}

/* Until each worker has run a part. Before that a thread may still be starting, inside of AddressSanitizer's allocator,
 * whose locks a fork copies held. */
static void see(void *user, int64_t part, int worker)
{
    (void)part;
    atomic_store(&((atomic_int *)user)[worker], 1);
    nanosleep(&(struct timespec){ 0, 100000 }, NULL);
}

static void wait_for_workers(gn_team *t)
{
    atomic_int seen[8] = { 0 };
    const int size = gn_team_size(t);
    for (int all = 0; all < size;) {
        gn_team_run(t, 4 * size, see, seen);
        all = 0;
        for (int i = 0; i < size; i++) all += atomic_load(&seen[i]);
    }
}

static void every_part_runs_once(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 4; threads++) {
        gn_team *t = NULL;
        assert_int_equal(gn_team_new(&t, &gn_allocator_libc, threads), GN_OK);
        assert_int_equal(gn_team_size(t), threads);
        for (int i = 0; i < 300; i++) assert_true(each_part_once(t, i % 7 == 0 ? PARTS : i % 5));
        gn_team_free(t);
    }
}

static void late_wakers_do_no_harm(void **state)
{
    (void)state;
    gn_team *t = NULL;
    assert_int_equal(gn_team_new(&t, &gn_allocator_libc, 4), GN_OK);
    for (int i = 0; i < 40; i++) { /* pauses let the workers fall asleep at different moments */
        const struct timespec pause = { 0, i * 20000 };
        assert_true(each_part_once(t, 3));
        nanosleep(&pause, NULL);
        assert_true(each_part_once(t, 50));
    }
    gn_team_free(t);
}

static void *use_many_times(void *arg)
{
    for (int i = 0; i < 300; i++)
        if (!each_part_once(arg, 20)) return arg;
    return NULL;
}

static void threads_may_share_a_team(void **state)
{
    (void)state;
    gn_team *t = NULL;
    pthread_t thread[3];
    assert_int_equal(gn_team_new(&t, &gn_allocator_libc, 3), GN_OK);
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&thread[i], NULL, use_many_times, t), 0);
    for (int i = 0; i < 3; i++) {
        void *wrong;
        pthread_join(thread[i], &wrong);
        assert_null(wrong);
    }
    gn_team_free(t);
}

static void run_inner(void *user, int64_t part, int worker)
{
    gn_team **t = user;
    (void)part, (void)worker;
    if (!each_part_once(t[0], 10)) t[1] = NULL;
}

static void a_part_may_enter_the_team(void **state)
{
    (void)state;
    gn_team *t[2] = { NULL, NULL };
    assert_int_equal(gn_team_new(&t[0], &gn_allocator_libc, 2), GN_OK);
    t[1] = t[0];
    gn_team_run(t[0], 4, run_inner, t);
    assert_non_null(t[1]);
    gn_team_free(t[0]);
}

static void the_team_works_in_a_forked_child(void **state)
{
    (void)state;
    gn_team *t = NULL;
    int status = 1;
    assert_int_equal(gn_team_new(&t, &gn_allocator_libc, 3), GN_OK);
    wait_for_workers(t);
    assert_true(each_part_once(t, PARTS));
    const pid_t pid = fork();
    if (!pid) {
        const int good = each_part_once(t, PARTS) && each_part_once(t, 5);
        gn_team_free(t);
        _exit(!good);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(each_part_once(t, PARTS));
    gn_team_free(t);
}

/* In a child, threads that call for the first time all at once must not each make the team anew. */
static void *use_once(void *arg)
{
    return each_part_once(arg, PARTS) ? NULL : arg;
}

static int use_by_many(gn_team *t)
{
    pthread_t thread[8];
    int wrong = 0;
    for (int i = 0; i < 8; i++) wrong |= pthread_create(&thread[i], NULL, use_once, t);
    for (int i = 0; i < 8; i++) {
        void *bad = NULL;
        wrong |= pthread_join(thread[i], &bad) || bad;
    }
    return wrong;
}

static void many_threads_of_a_child_may_be_first(void **state)
{
    (void)state;
    gn_team *t = NULL;
    assert_int_equal(gn_team_new(&t, &gn_allocator_libc, 4), GN_OK);
    wait_for_workers(t);
    assert_true(each_part_once(t, PARTS));
    for (int i = 0; i < 200; i++) {
        int status = 1;
        const pid_t pid = fork();
        if (!pid) {
            alarm(20);
            _exit(use_by_many(t));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status) fail_msg("child %d: status %#x", i, (unsigned)status);
    }
    gn_team_free(t);
}

/* A process that is forked while a job runs: the child's team is free. */
static atomic_int stop;

static void *keep_busy(void *arg)
{
    while (!atomic_load(&stop))
        if (!each_part_once(arg, PARTS)) return arg;
    return NULL;
}

static void a_fork_in_the_middle_of_a_job_leaves_a_usable_team(void **state)
{
    (void)state;
    gn_team *t = NULL;
    pthread_t thread;
    void *wrong = NULL;
    assert_int_equal(gn_team_new(&t, &gn_allocator_libc, 3), GN_OK);
    wait_for_workers(t);
    atomic_store(&stop, 0);
    assert_int_equal(pthread_create(&thread, NULL, keep_busy, t), 0);
    for (int i = 0; i < 100; i++) {
        int status = 1;
        const pid_t pid = fork();
        if (!pid) {
            alarm(20);
            const int good = each_part_once(t, PARTS) && gn_team_size(t) == 3;
            gn_team_free(t);
            _exit(!good);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    atomic_store(&stop, 1);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    gn_team_free(t);
}

typedef struct look {
    pthread_t caller;
    atomic_int workers, takes_signals, hides_faults, small;
} look;

static void look_around(void *user, int64_t part, int worker)
{
    look *l = user;
    sigset_t now;
    pthread_attr_t attr;
    size_t size = 0;
    void *low;
    (void)part;
    const struct timespec pause = { 0, 2000000 };
    nanosleep(&pause, NULL); /* so that all take part */
    if (!worker) return;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    atomic_fetch_add(&l->workers, 1);
    if (!sigismember(&now, SIGALRM) || !sigismember(&now, SIGINT) || !sigismember(&now, SIGCHLD))
        atomic_store(&l->takes_signals, 1);
    if (sigismember(&now, SIGSEGV) || sigismember(&now, SIGBUS) || sigismember(&now, SIGFPE) ||
        sigismember(&now, SIGILL))
        atomic_store(&l->hides_faults, 1);
    if (pthread_getattr_np(pthread_self(), &attr) || pthread_attr_getstack(&attr, &low, &size)) return;
    pthread_attr_destroy(&attr);
    if (size < 1 << 20) atomic_store(&l->small, 1);
}

static void workers_leave_signals_to_others_but_take_their_own_faults(void **state)
{
    (void)state;
    int status = 1;
    const pid_t pid = fork();
    if (!pid) {
        gn_team *t = NULL;
        look l = { .workers = 0 };
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setstacksize(&attr, 80 << 10);
        pthread_setattr_default_np(&attr); /* what a limit on stacks would do */
        if (gn_team_new(&t, &gn_allocator_libc, 3)) _exit(1);
        for (int i = 0; i < 20; i++) gn_team_run(t, 9, look_around, &l);
        _exit(!l.workers ? 2 : l.takes_signals ? 3 : l.hides_faults ? 4 : l.small ? 5 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once),      cmocka_unit_test(late_wakers_do_no_harm),
        cmocka_unit_test(threads_may_share_a_team),  cmocka_unit_test(a_part_may_enter_the_team),
        cmocka_unit_test(the_team_works_in_a_forked_child),
        cmocka_unit_test(many_threads_of_a_child_may_be_first),
        cmocka_unit_test(a_fork_in_the_middle_of_a_job_leaves_a_usable_team),
        cmocka_unit_test(workers_leave_signals_to_others_but_take_their_own_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
