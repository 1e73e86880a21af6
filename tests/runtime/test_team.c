/* The team: every part once, whatever the number of threads; nested, concurrent and forked use falls back to the caller. */
#include "testlib.h"
#include "team.h"
#include "alloc.h"
#include <pthread.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_runs_once),      cmocka_unit_test(late_wakers_do_no_harm),
        cmocka_unit_test(threads_may_share_a_team),  cmocka_unit_test(a_part_may_enter_the_team),
        cmocka_unit_test(the_team_works_in_a_forked_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
