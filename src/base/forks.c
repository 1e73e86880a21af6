#include "forks.h"
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static gn_fork_watch *first, *last;
static uint64_t count;

static void before(void)
{
    pthread_mutex_lock(&lock);
    for (gn_fork_watch *w = first; w; w = w->next)
        if (w->before) w->before(w->user);
}

static void after(bool is_child)
{
    for (gn_fork_watch *w = last; w; w = w->prev) w->after(w->user, is_child);
    pthread_mutex_unlock(&lock);
}

static void in_parent(void)
{
    after(false);
}

static void in_child(void)
{
    after(true);
}

static void install(void)
{
    pthread_atfork(before, in_parent, in_child);
}

uint64_t gn_fork_add(gn_fork_watch *w)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    pthread_mutex_lock(&lock);
    w->next = NULL, w->prev = last;
    *(last ? &last->next : &first) = w;
    last = w;
    const uint64_t place = ++count;
    pthread_mutex_unlock(&lock);
    return place;
}

void gn_fork_remove(gn_fork_watch *w)
{
    pthread_mutex_lock(&lock);
    *(w->prev ? &w->prev->next : &first) = w->next;
    *(w->next ? &w->next->prev : &last) = w->prev;
    pthread_mutex_unlock(&lock);
}
