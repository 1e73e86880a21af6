/* The block scheduler of the CUDA emulation: a fiber per thread, switched at barriers and warp collectives. */
#include "cuda_fibers.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { MAX_THREADS = 1024, STACK_BYTES = 64 << 10 };

typedef struct fiber {
    ucontext_t context;
    bool ended;
    int waits;               /* kind of the collective it waits at */
    _Alignas(64) char slot[64];
} fiber;

static struct {
    ucontext_t scheduler;
    fiber *fibers;
    char *stacks;
    unsigned current;
    unsigned *thread_index;
    void (*body)(void);
} state; /* one emulation at a time: generated text has no place for a pointer to it */

static void wait_here(int kind)
{
    fiber *f = &state.fibers[state.current];
    f->waits = kind;
    swapcontext(&f->context, &state.scheduler);
}

static void *slot_of(unsigned thread)
{
    return state.fibers[thread].slot;
}

static void run_body(void)
{
    state.body();
    state.fibers[state.current].ended = true;
}

static void resume(unsigned thread)
{
    state.current = thread;
    *state.thread_index = thread;
    swapcontext(&state.scheduler, &state.fibers[thread].context);
}

static void start(unsigned thread)
{
    fiber *f = &state.fibers[thread];
    f->ended = false;
    f->waits = 0;
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = state.stacks + (size_t)thread * STACK_BYTES;
    f->context.uc_stack.ss_size = STACK_BYTES;
    f->context.uc_link = &state.scheduler;
    makecontext(&f->context, run_body, 0);
}

/* All fibers to their next collective or their end. */
static const char *run_block(unsigned threads, bool descending)
{
    for (unsigned t = 0; t < threads; t++)
        start(t);
    for (unsigned ended = 0; ended < threads;) {
        ended = 0;
        for (unsigned i = 0; i < threads; i++)
            resume(descending ? threads - 1 - i : i);
        for (unsigned t = 0; t < threads; t++) {
            ended += state.fibers[t].ended;
            if (!state.fibers[t].ended && state.fibers[t].waits != state.fibers[0].waits)
                return "threads of a block wait at different collectives";
        }
        if (ended && ended < threads)
            return "a thread ended while others wait";
    }
    return NULL;
}

const char *cuda_fibers_run(void *library, void (*body)(void), unsigned blocks, unsigned threads, bool descending)
{
    unsigned *thread = dlsym(library, "threadIdx"), *block = dlsym(library, "blockIdx"), *size = dlsym(library, "blockDim");
    void (**wait)(int) = NULL;
    void *(**slot)(unsigned) = NULL;
    void *symbols[2] = { dlsym(library, "emulated_wait"), dlsym(library, "emulated_slot") };
    memcpy(&wait, &symbols[0], sizeof wait);
    memcpy(&slot, &symbols[1], sizeof slot);
    if (!thread || !block || !size || !wait || !slot || threads == 0 || threads > MAX_THREADS)
        return "the library is no emulated CUDA unit, or the block is too large";
    state.fibers = aligned_alloc(64, sizeof *state.fibers * threads);
    state.stacks = malloc((size_t)threads * STACK_BYTES);
    state.thread_index = thread;
    state.body = body;
    *size = threads;
    *wait = wait_here;
    *slot = slot_of;
    const char *trouble = state.fibers && state.stacks ? NULL : "no memory";
    for (unsigned b = 0; b < blocks && !trouble; b++) {
        *block = b;
        trouble = run_block(threads, descending);
    }
    free(state.fibers);
    free(state.stacks);
    return trouble;
}
