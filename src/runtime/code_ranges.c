#include "code_ranges.h"
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

typedef struct search {
    gn_code_ranges *ranges;
    const char *name;
    char *found;
    size_t capacity;
} search;

/* The same path, or one that ends in "/NAME". */
static bool is_named(const char *path, const char *name)
{
    const size_t n = strlen(path), m = strlen(name);
    return !strcmp(path, name) || (!strchr(name, '/') && n > m && path[n - m - 1] == '/' && !strcmp(path + n - m, name));
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
    search *s = arg;
    (void)size;
    if (!info->dlpi_name || !is_named(info->dlpi_name, s->name)) return 0;
    snprintf(s->found, s->capacity, "%s", info->dlpi_name);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        gn_code_ranges *r = s->ranges;
        if (p->p_type != PT_LOAD || !(p->p_flags & PF_X) || r->n == sizeof r->at / sizeof *r->at) continue;
        r->at[r->n].start = info->dlpi_addr + p->p_vaddr;
        r->at[r->n].end = r->at[r->n].start + p->p_memsz;
        r->n++;
    }
    return 1;
}

bool gn_code_add(gn_code_ranges *r, const char *name, char *found, size_t capacity)
{
    search s = { r, name, found, capacity };
    return dl_iterate_phdr(visit, &s) == 1;
}

/* ---- parking ---- */

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
static const gn_code_ranges *_Atomic wanted;
static atomic_int answer; /* 1: parked, 2: elsewhere */

static uintptr_t counter_of(const ucontext_t *u)
{
#if defined(__x86_64__)
    return (uintptr_t)u->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)u->uc_mcontext.pc;
#else
    (void)u;
    return 0;
#endif
}

static void stop_here(int signal, siginfo_t *info, void *context)
{
    const int e = errno;
    const gn_code_ranges *r = atomic_load(&wanted);
    const uintptr_t at = counter_of(context);
    bool inside = false;
    (void)signal, (void)info;
    for (size_t i = 0; r && i < r->n; i++) inside |= at >= r->at[i].start && at < r->at[i].end;
    atomic_store(&answer, inside ? 1 : 2);
    sigset_t all;
    sigfillset(&all);
    while (inside) sigsuspend(&all);
    errno = e;
}

static bool is_free(int signal)
{
    struct sigaction now;
    return !sigaction(signal, NULL, &now) && !(now.sa_flags & SA_SIGINFO) && now.sa_handler == SIG_DFL;
}

int gn_park_signal(void)
{
    static atomic_int chosen; /* the same for all: a host may take another one later */
    int s = atomic_load(&chosen);
    if (s) return s;
    for (s = SIGRTMAX; s >= SIGRTMIN && !is_free(s);) s--;
    int none = 0;
    if (s < SIGRTMIN) return 0;
    return atomic_compare_exchange_strong(&chosen, &none, s) ? s : none;
}

static void pause_ns(long ns)
{
    nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

static bool park(pthread_t thread, int signal, bool (*has_ended)(void *), void *user)
{
    for (int attempt = 0; attempt < 4000 && !has_ended(user); attempt++) {
        atomic_store(&answer, 0);
        if (pthread_kill(thread, signal)) return false;
        for (int i = 0; !atomic_load(&answer) && i < 20000 && !has_ended(user); i++) pause_ns(50000);
        if (atomic_load(&answer) == 1) return true;
        pause_ns(100000);
    }
    return false;
}

bool gn_thread_park(pthread_t thread, const gn_code_ranges *ranges, bool (*has_ended)(void *), void *user)
{
    struct sigaction ours = { .sa_sigaction = stop_here, .sa_flags = SA_SIGINFO | SA_RESTART }, before;
    const int signal = gn_park_signal();
    if (!signal || !ranges->n) return false;
    for (int i = 0; pthread_mutex_trylock(&one_at_a_time); i++) { /* a fork may have left it held */
        if (i == 5000) return false;
        pause_ns(1000000);
    }
    bool parked = false;
    if (is_free(signal) && !sigaction(signal, &ours, &before)) {
        atomic_store(&wanted, ranges);
        parked = park(thread, signal, has_ended, user);
        sigaction(signal, &before, NULL);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return parked;
}
