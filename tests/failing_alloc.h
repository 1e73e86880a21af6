/* An allocator for tests: it counts what is allocated, and can refuse the n-th request.
 *
 *     failing_alloc a;
 *     for (int n = 1;; n++) {
 *         failing_alloc_start(&a, n);
 *         ... run with &a.allocator ...
 *         assert_int_equal(a.live, 0);
 *         if (!a.refused) break;
 *     } */
#pragma once
#include <gnomon/base.h>
#include <stdlib.h>

typedef struct failing_alloc {
    gn_allocator allocator;
    int requests, fail_at; /* fail_at 0: never */
    int refused;
    long live;             /* blocks that are allocated */
    size_t bytes;
} failing_alloc;

static void *failing_reallocate(void *user, void *old, size_t old_size, size_t size)
{
    failing_alloc *const a = user;
    if (!size) {
        a->live -= old != NULL;
        a->bytes -= old ? old_size : 0;
        free(old);
        return NULL;
    }
    if (++a->requests == a->fail_at) {
        a->refused = 1;
        return NULL;
    }
    void *const block = realloc(old, size);
    a->live += !old;
    a->bytes += size - (old ? old_size : 0);
    return block;
}

static inline void failing_alloc_start(failing_alloc *a, int fail_at)
{
    *a = (failing_alloc){ .fail_at = fail_at };
    a->allocator = (gn_allocator){ failing_reallocate, a };
}
