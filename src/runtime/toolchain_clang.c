/* Toolchain "clang": the plug-in, opened on the first compile, and driven on threads of its own with large stacks,
 * because a parser's recursion is as deep as the nesting of its input.
 *
 * There are texts at which LLVM never returns, and a thread cannot be stopped in the middle of it: one whose time is
 * over is parked. It sleeps for the rest of the process with all that it holds, so a batch of jobs owns everything its
 * threads look at. Where LLVM's static objects are destroyed as the process exits, all are parked before: destructors
 * and a compiler at work do not go together. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "clock.h"
#include "forks.h"
#include "fpmode.h"
#include "plugin.h"
#include "thread_start.h"
#include "toolchain_state.h"

enum { MAX_PIECES = 64 };

typedef struct batch batch;
typedef struct job { /* a source, or the link of their objects, on its own thread */
    batch *batch;
    char *source;                /* NULL: the link */
    gn_bytes out, words;
    pthread_t thread;
    bool started, done, parked, failed; /* under `lock` */
    struct job *next;            /* of those that run in this process */
} job;

struct batch {
    const gn_allocator *allocator;
    const gn_plugin *plugin;
    const gn_code_ranges *code;
    char name[64];
    gn_args args;
    gn_plugin_emit emit;
    bool is_lost;                /* a parked thread may look at it: it stays for ever */
    size_t n;
    job job[MAX_PIECES + 1];     /* the link comes last */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* around the list of jobs and what becomes of them */
static pthread_cond_t ended;
static job *running;
static bool is_forking; /* no job begins */
static bool is_closed; /* the process exits, or was forked in the middle of a compile: LLVM is not to be touched any more */

static void *work(void *arg);

static bool has_ended(void *user)
{
    const job *j = user;
    return atomic_load((_Atomic bool *)(uintptr_t)&j->done);
}

static void unlist(job *j)
{
    for (job **at = &running; *at; at = &(*at)->next)
        if (*at == j) {
            *at = j->next;
            return;
        }
}

/* With `lock` held, which the job needs to end: so it either has ended or is parked. */
static void park(job *j)
{
    if (j->done || j->parked) return;
    j->parked = true;
    unlist(j);
    pthread_mutex_unlock(&lock);
    gn_thread_park(j->thread, j->batch->code, has_ended, j);
    pthread_mutex_lock(&lock);
}

static void close_for_good(void)
{
    pthread_mutex_lock(&lock);
    is_closed = true;
    while (running) park(running);
    pthread_mutex_unlock(&lock);
}

static void init_ended(void)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&ended, &attr);
    pthread_condattr_destroy(&attr);
}

static struct timespec in_ms(long ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (t.tv_nsec += ms * 1000000) / 1000000000, t.tv_nsec %= 1000000000;
    return t;
}

/* In the child of a fork in the middle of a compile LLVM's own locks stay held for ever. Most compiles are over soon,
 * so they are waited for. */
static void before_fork(void *user)
{
    const struct timespec until = in_ms(999);
    (void)user;
    pthread_mutex_lock(&lock);
    is_forking = true;
    while (running && !pthread_cond_timedwait(&ended, &lock, &until)) continue;
}

static void after_fork(void *user, bool is_child)
{
    (void)user;
    if (is_child) {
        is_closed |= running != NULL;
        running = NULL;
        init_ended();
    }
    is_forking = false;
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
}

static void prepare_once(void)
{
    static gn_fork_watch watch = { .before = before_fork, .after = after_fork };
    init_ended();
    gn_fork_add(&watch);
}

/* LLVM was opened before, so its destructors run after this. */
static void guard_exit(void)
{
    atexit(close_for_good);
}

static gn_status open_for_work(const gn_opened_plugin **p)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const gn_status s = gn_plugin_open(p);
    if (s) return s;
    pthread_once(&once, prepare_once);
    static pthread_once_t guarded = PTHREAD_ONCE_INIT;
    if ((*p)->is_destroyed) pthread_once(&guarded, guard_exit);
    pthread_mutex_lock(&lock);
    const bool closed = is_closed;
    pthread_mutex_unlock(&lock);
    return closed ? gn_error(
                        GN_ECOMPILER,
                        "Clang cannot be used any more: the process exits, or was forked while another thread compiled")
                  : GN_OK;
}

/* ---- jobs ---- */

static void write_bytes(void *user, const char *data, size_t size)
{
    gn_bytes_add(user, data, size);
}

static int link_objects(job *j)
{
    const batch *b = j->batch;
    const void *object[MAX_PIECES];
    size_t size[MAX_PIECES];
    bool allow_undefined = false;
    for (size_t i = 0; i < b->args.n; i++) allow_undefined |= !strncmp(b->args.at[i], "-fsanitize=address", 18);
    for (size_t i = 0; i < b->n; i++) object[i] = b->job[i].out.at, size[i] = b->job[i].out.n;
    return b->plugin->link(b->n, object, size, allow_undefined, (gn_plugin_sink){ write_bytes, &j->out },
                           (gn_plugin_sink){ write_bytes, &j->words });
}

static void *work(void *arg)
{
    job *j = arg;
    const batch *b = j->batch;
    gn_fp_enter(); /* the constants that LLVM folds */
    const int failed =
        j->source ? b->plugin->compile(b->name, j->source, strlen(j->source), b->args.at, b->args.n, b->emit,
                                       (gn_plugin_sink){ write_bytes, &j->out }, (gn_plugin_sink){ write_bytes, &j->words })
                  : link_objects(j);
    pthread_mutex_lock(&lock);
    j->failed = failed;
    atomic_store((_Atomic bool *)&j->done, true);
    unlist(j);
    pthread_cond_broadcast(&ended);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static gn_status start(job *j)
{
    gn_status s = GN_OK;
    pthread_mutex_lock(&lock);
    while (is_forking) pthread_cond_wait(&ended, &lock);
    const int e = is_closed ? ECANCELED : gn_thread_start(&j->thread, GN_COMPILER_STACK, gn_park_signal(), work, j);
    if (e == ECANCELED) s = gn_error(GN_ECOMPILER, "the process exits");
    else if (e) s = gn_error(GN_ENOMEM, "no thread with a stack of 64 MiB for the compiler: %s", strerror(e));
    j->started = !s;
    if (!s) j->next = running, running = j;
    pthread_mutex_unlock(&lock);
    return s;
}

/* Its own time, so that a busy machine makes nothing late; but one that waits for ever gets no processor time at all. */
static bool is_late(const job *j, double since, int seconds)
{
    clockid_t clock;
    struct timespec t = { 0 };
    if (pthread_getcpuclockid(j->thread, &clock) || clock_gettime(clock, &t)) return false;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec > seconds || gn_now_ms() - since > 10e3 * seconds;
}

typedef enum outcome { ENDED, LATE, EXITING } outcome;

static outcome wait_for(job *j, int seconds)
{
    const double since = gn_now_ms();
    pthread_mutex_lock(&lock);
    while (!j->done && !j->parked && !is_late(j, since, seconds)) {
        const struct timespec until = in_ms(100);
        pthread_cond_timedwait(&ended, &lock, &until);
    }
    const outcome o = j->parked ? EXITING : j->done ? ENDED : LATE;
    park(j);
    pthread_mutex_unlock(&lock);
    if (o == ENDED) pthread_join(j->thread, NULL);
    else pthread_detach(j->thread);
    return o;
}

static gn_status failure(const job *j)
{
    return gn_error(GN_ECOMPILER, "Clang %s failed:\n%.8000s", j->batch->plugin->version(), j->words.at ? j->words.at : "");
}

static gn_status run(batch *b, size_t first, size_t end, int seconds, gn_trouble *trouble)
{
    gn_status s = GN_OK;
    bool had[3] = { false };
    for (size_t i = first; !s && i < end; i++) s = start(&b->job[i]);
    for (size_t i = first; i < end; i++)
        if (b->job[i].started) had[wait_for(&b->job[i], seconds)] = true;
    b->is_lost = had[LATE] || had[EXITING];
    if (had[EXITING]) return gn_error(GN_ECOMPILER, "the process exits");
    if (had[LATE]) *trouble = GN_TROUBLE_LATE;
    if (had[LATE]) return gn_error(GN_ECOMPILER, "Clang %s was not done after %d seconds", b->plugin->version(), seconds);
    for (size_t i = first; !s && i < end; i++) {
        if (b->job[i].failed) s = failure(&b->job[i]);
        else if (b->job[i].out.failed) s = gn_error(GN_ENOMEM, "out of memory for the object of %s", b->name);
    }
    return s;
}

/* ---- batches ---- */

static void batch_free(batch *b)
{
    for (size_t i = 0; i <= b->n; i++) {
        job *j = &b->job[i];
        if (j->source) gn_release(b->allocator, j->source, strlen(j->source) + 1);
        gn_bytes_free(&j->out), gn_bytes_free(&j->words);
    }
    gn_release(b->allocator, b, sizeof *b);
}

/* The words of the list may be the caller's. */
static bool own_args(gn_args *a, const gn_args *from)
{
    a->n = a->used = 0;
    for (size_t i = 0; i < from->n; i++)
        if (!gn_args_join(a, from->at[i], "")) return false;
    return true;
}

static gn_status batch_new(batch **out, const gn_toolchain *t, const gn_opened_plugin *p, const char *name, size_t n,
                           const char *const *sources, const char *const *args, gn_plugin_emit emit)
{
    gn_args all = { .n = 0 };
    batch *b = *out = gn_alloc_zeroed(t->allocator, sizeof *b);
    if (!b) return GN_ENOMEM;
    b->allocator = t->allocator, b->plugin = p->functions, b->code = &p->code, b->emit = emit, b->n = n;
    snprintf(b->name, sizeof b->name, "%s", name);
    for (size_t i = 0; i <= n; i++) {
        b->job[i] = (job){ .batch = b, .out = { .allocator = t->allocator }, .words = { .allocator = t->allocator } };
        if (i < n && !(b->job[i].source = gn_alloc_string(t->allocator, sources[i]))) return GN_ENOMEM;
    }
    if (gn_args_for_clang(&all, p->functions->host(), args) && own_args(&b->args, &all)) return GN_OK;
    return gn_error(GN_EINVAL, "too many arguments for Clang");
}

gn_status gn_clang_compile(const gn_toolchain *t, const char *name, size_t n, const char *const *sources,
                           const char *const *args, gn_plugin_emit emit, gn_bytes *out, gn_trouble *trouble)
{
    const gn_opened_plugin *plugin;
    batch *b = NULL;
    GN_ASSERT(n >= 1 && n <= MAX_PIECES && (n == 1 || emit == GN_PLUGIN_OBJECT));
    gn_status s = open_for_work(&plugin);
    if (s == GN_ECOMPILER) *trouble = GN_TROUBLE_UNUSABLE;
    if (s) return s;
    s = batch_new(&b, t, plugin, name, n, sources, args, emit);
    if (!s) s = run(b, 0, n, t->seconds, trouble);
    if (!s && emit == GN_PLUGIN_OBJECT) s = run(b, n, n + 1, t->seconds, trouble);
    const job *last = b ? &b->job[emit == GN_PLUGIN_OBJECT ? n : 0] : NULL;
    if (!s) gn_bytes_add(out, last->out.at, last->out.n);
    if (b && !b->is_lost) batch_free(b);
    return s;
}
