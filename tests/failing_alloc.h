/* An allocator for tests: it counts what is allocated, and can refuse the n-th request, alone or with all after it.
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
#include <stdbool.h>
#include <stdlib.h>
#include "testlib.h"

typedef struct failing_alloc {
    gn_allocator allocator;
    int requests, fail_at; /* fail_at 0: never */
    bool from_then_on;     /* memory stays short: the requests after that one fail too */
    bool refused;
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
    a->requests++;
    if (a->fail_at && (a->from_then_on ? a->requests >= a->fail_at : a->requests == a->fail_at)) {
        a->refused = true;
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

/* Lives a life (0: all went well) again and again, each time with the next request failing, until none is left to fail:
 * nothing leaks, what fails without a refusal is shown, and a life in which memory stays short does not pretend to go
 * well. Returns the number of requests. */
static inline int survive_refusals(int (*life)(const gn_allocator *), bool from_then_on)
{
    failing_alloc a = { .refused = true };
    for (int n = 1; a.refused; n++) {
        failing_alloc_start(&a, n);
        a.from_then_on = from_then_on;
        const int bad = life(&a.allocator);
        if (a.live) fail_msg("request %d failed and %ld blocks leak", n, a.live);
        if (bad && !a.refused) fail_msg("%s", gn_message());
        if (a.refused && from_then_on) assert_true(bad);
    }
    print_message("%d requests\n", a.requests);
    return a.requests;
}
