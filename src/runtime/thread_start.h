/* Threads of ours in somebody else's process: a stack of a known size, signals left to the application's threads. Only
 * those that a thread causes itself (SIGSEGV and its like) are taken where they arise, so that the handlers and crash
 * reporters of the application see them. */
#pragma once
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

enum { GN_WORKER_STACK = 8 << 20, GN_COMPILER_STACK = 64 << 20 };

static inline void gn_signals_of_others(sigset_t *set)
{
    static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT };
    sigfillset(set);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) sigdelset(set, own[i]);
}

/* 0 or an errno. `open`: one more signal that it takes, or 0. */
static inline int gn_thread_start(pthread_t *thread, size_t stack, int open, void *(*run)(void *), void *arg)
{
    sigset_t others, before;
    pthread_attr_t attr;
    int e = pthread_attr_init(&attr);
    if (e) return e;
    gn_signals_of_others(&others);
    if (open) sigdelset(&others, open);
    if (!(e = pthread_attr_setstacksize(&attr, stack))) {
        pthread_sigmask(SIG_SETMASK, &others, &before);
        e = pthread_create(thread, &attr, run, arg);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    pthread_attr_destroy(&attr);
    return e;
}
