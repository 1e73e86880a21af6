/* The thread team. A job is published by raising a ticket; workers that notice it enter, take parts, and leave. Each
 * worker begins with a share of its own, the same whenever the number of parts is, so that what one step left in its
 * caches serves the next; then it helps others with theirs.
 *
 * A worker may wake late, when its job is over and another is being set up. So it counts itself in (`inside`) before it
 * looks whether a job is open, and the caller closes the job and waits until nobody is inside before it touches the job
 * again: one of the two always sees the other. Threads start with the first job that has parts to share, and again in
 * the child after a fork, where the team is made anew before anything else runs. */
#include "team.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdalign.h>
#include <string.h>
#include "error.h"
#include "forks.h"
#include "fpmode.h"
#include "own_code.h"
#include "thread_start.h"
#include "view.h"

enum { SPINS = 2000, MAX_THREADS = 256 };

typedef struct worker {
    gn_team *team;
    int index; /* 1, 2, ...; the caller is worker 0 */
    pthread_t thread;
} worker;

typedef struct share { /* the parts that one worker begins with */
    alignas(64) atomic_llong next;
    int64_t end;
} share;

typedef struct job {
    void (*fn)(void *, int64_t, int);
    void *user;
    int64_t nparts;
} job;

struct gn_team {
    const gn_allocator *allocator;
    int size, started;               /* started: workers that run, without the caller */
    gn_fork_watch watch;
    worker *workers;
    share *shares;                   /* per worker */
    job job;
    alignas(64) atomic_flag busy;    /* held by the thread whose job it is */
    alignas(64) atomic_uint ticket;
    alignas(64) atomic_int inside, open;
    alignas(64) atomic_int sleepers, quit;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void take_parts(gn_team *t, int index)
{
    for (int i = 0; i < t->size; i++) {
        share *s = &t->shares[(index + i) % t->size];
        for (int64_t part; (part = atomic_fetch_add_explicit(&s->next, 1, memory_order_relaxed)) < s->end;)
            t->job.fn(t->job.user, part, index);
    }
}

static void deal(gn_team *t)
{
    int64_t first = 0;
    for (int i = 0; i < t->size; i++) {
        const int64_t n = t->job.nparts / t->size + (i < t->job.nparts % t->size);
        atomic_store_explicit(&t->shares[i].next, first, memory_order_relaxed);
        t->shares[i].end = first += n;
    }
}

/* Returns the new ticket. */
static unsigned wait_for_ticket(gn_team *t, unsigned seen)
{
    for (int i = 0; i < SPINS; i++) {
        const unsigned now = atomic_load_explicit(&t->ticket, memory_order_acquire);
        if (now != seen) return now;
        relax();
    }
    pthread_mutex_lock(&t->lock);
    atomic_fetch_add(&t->sleepers, 1);
    while (atomic_load(&t->ticket) == seen) pthread_cond_wait(&t->wake, &t->lock);
    atomic_fetch_sub(&t->sleepers, 1);
    pthread_mutex_unlock(&t->lock);
    return atomic_load(&t->ticket);
}

static void *live(void *arg)
{
    worker *w = arg;
    gn_team *t = w->team;
    gn_fp_enter(); /* for good: what this thread runs is ours */
    for (unsigned seen = 0;;) {
        seen = wait_for_ticket(t, seen);
        if (atomic_load(&t->quit)) return NULL;
        atomic_fetch_add(&t->inside, 1);
        if (atomic_load(&t->open)) take_parts(t, w->index);
        atomic_fetch_sub(&t->inside, 1);
    }
}

static void raise_ticket(gn_team *t)
{
    atomic_fetch_add(&t->ticket, 1);
    if (!atomic_load(&t->sleepers)) return;
    pthread_mutex_lock(&t->lock);
    pthread_cond_broadcast(&t->wake);
    pthread_mutex_unlock(&t->lock);
}

static void reset(gn_team *t)
{
    atomic_flag_clear(&t->busy);
    atomic_store(&t->ticket, 0);
    atomic_store(&t->inside, 0), atomic_store(&t->open, 0), atomic_store(&t->sleepers, 0), atomic_store(&t->quit, 0);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->wake, NULL);
    t->started = 0;
}

/* The child has one thread: whoever held the team does not exist here. */
static void after_fork(void *user, bool is_child)
{
    if (is_child) reset(user);
}

/* As many as the system allows; the caller alone is enough. */
static void start(gn_team *t)
{
    gn_own_code_stays();
    for (int i = 0; i < t->size - 1; i++) {
        t->workers[i] = (worker){ .team = t, .index = i + 1 };
        if (gn_thread_start(&t->workers[i].thread, GN_WORKER_STACK, 0, live, &t->workers[i])) break;
        t->started++;
    }
}

gn_status gn_team_new(gn_team **out, const gn_allocator *allocator, int threads)
{
    *out = NULL;
    const int size = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    gn_team *t = gn_block_new(allocator, sizeof *t);
    worker *workers = t ? gn_alloc_zeroed(allocator, (size_t)size * sizeof *workers) : NULL;
    share *shares = workers ? gn_block_new(allocator, (size_t)size * sizeof *shares) : NULL;
    if (!shares) {
        gn_release(allocator, workers, (size_t)size * sizeof *workers);
        gn_block_free(allocator, t, sizeof *t);
        return GN_ENOMEM;
    }
    memset(t, 0, sizeof *t);
    memset(shares, 0, (size_t)size * sizeof *shares);
    t->allocator = allocator, t->size = size, t->workers = workers, t->shares = shares;
    reset(t);
    t->watch = (gn_fork_watch){ .after = after_fork, .user = t };
    gn_fork_add(&t->watch);
    *out = t;
    return GN_OK;
}

void gn_team_free(gn_team *t)
{
    if (!t) return;
    gn_fork_remove(&t->watch);
    if (t->started) {
        atomic_store(&t->quit, 1);
        raise_ticket(t);
        for (int i = 0; i < t->started; i++) pthread_join(t->workers[i].thread, NULL);
        pthread_cond_destroy(&t->wake);
        pthread_mutex_destroy(&t->lock);
    }
    gn_block_free(t->allocator, t->shares, (size_t)t->size * sizeof *t->shares);
    gn_release(t->allocator, t->workers, (size_t)t->size * sizeof *t->workers);
    gn_block_free(t->allocator, t, sizeof *t);
}

int gn_team_size(const gn_team *t)
{
    return t->size;
}

static void run_alone(int64_t nparts, void (*fn)(void *, int64_t, int), void *user)
{
    for (int64_t part = 0; part < nparts; part++) fn(user, part, 0);
}

static void run_together(gn_team *t)
{
    deal(t);
    atomic_store(&t->open, 1);
    raise_ticket(t);
    take_parts(t, 0);
    atomic_store(&t->open, 0);
    for (int i = 0; atomic_load(&t->inside); i++) { /* a worker that lost its CPU in the middle of a part needs ours */
        if (i < SPINS) relax();
        else sched_yield();
    }
}

void gn_team_run(gn_team *t, int64_t nparts, void (*fn)(void *, int64_t, int), void *user)
{
    if (nparts < 2 || t->size < 2 || atomic_flag_test_and_set_explicit(&t->busy, memory_order_acquire)) {
        run_alone(nparts, fn, user);
        return;
    }
    if (!t->started) start(t);
    t->job = (job){ fn, user, nparts };
    if (t->started) run_together(t);
    else run_alone(nparts, fn, user);
    atomic_flag_clear_explicit(&t->busy, memory_order_release);
}
