/* The block scheduler of the CUDA emulation: a fiber per thread, switched at barriers and warp collectives. */
#include "cuda_fibers.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { MAX_THREADS = 1024, STACK_BYTES = 64 << 10, WARP = 32, BARRIERS = 16, BLOCK_WAITS = 1, MEETS = -1 };

typedef struct fiber {
    ucontext_t context;
    bool ended;
    int waits;               /* kind of the collective it waits at: of the block, of its warp, or MEETS; 0: none */
    int barrier;             /* where it meets others */
    _Alignas(64) char slot[64];
} fiber;

static struct {
    ucontext_t scheduler;
    fiber *fibers;
    char *stacks;
    unsigned current;
    int here[BARRIERS];      /* threads that came to a barrier of some warps */
    const char *trouble;
    unsigned *thread_index, *block_size;
    void (*body)(void);
} state; /* one emulation at a time: generated text has no place for a pointer to it */

static void wait_here(int kind)
{
    fiber *f = &state.fibers[state.current];
    f->waits = kind;
    swapcontext(&f->context, &state.scheduler);
}

static void meet_here(int barrier, int threads, bool wait)
{
    fiber *f = &state.fibers[state.current];
    if (barrier < 1 || barrier >= BARRIERS || threads % WARP) {
        state.trouble = "a barrier of roles that does not exist";
        return;
    }
    f->waits = wait ? MEETS : 0, f->barrier = barrier;
    if (++state.here[barrier] == threads) {
        state.here[barrier] = 0;
        for (unsigned t = 0; t < *state.block_size; t++)
            if (state.fibers[t].waits == MEETS && state.fibers[t].barrier == barrier) state.fibers[t].waits = 0;
    }
    if (f->waits) swapcontext(&f->context, &state.scheduler);
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

/* Who waits for the threads from .. to goes on if all of them wait so. */
static bool release(unsigned from, unsigned to)
{
    const int kind = state.fibers[from].waits;
    for (unsigned t = from; t < to; t++)
        if (state.fibers[t].ended || state.fibers[t].waits != kind) return false;
    for (unsigned t = from; t < to; t++) state.fibers[t].waits = 0;
    return true;
}

static bool release_all(unsigned threads)
{
    bool any = state.fibers[0].waits == BLOCK_WAITS && release(0, threads);
    for (unsigned t = 0; t < threads; t += WARP) {
        const int kind = state.fibers[t].waits;
        if (kind > BLOCK_WAITS) any |= release(t, t + WARP < threads ? t + WARP : threads);
    }
    return any;
}

/* All fibers to their next collective or their end. */
static const char *run_block(unsigned threads, bool descending)
{
    memset(state.here, 0, sizeof state.here);
    for (unsigned t = 0; t < threads; t++)
        start(t);
    for (unsigned ended = 0; ended < threads;) {
        bool any = false;
        ended = 0;
        for (unsigned i = 0; i < threads; i++) {
            const unsigned t = descending ? threads - 1 - i : i;
            if (state.fibers[t].ended || state.fibers[t].waits) continue;
            resume(t), any = true;
        }
        for (unsigned t = 0; t < threads; t++) ended += state.fibers[t].ended;
        if (ended < threads) any |= release_all(threads);
        if (state.trouble) return state.trouble;
        if (!any && ended) return "a thread ended while others wait";
        if (!any && ended < threads) return "threads of a block wait at different collectives";
    }
    return NULL;
}

const char *cuda_fibers_run(void *library, void (*body)(void), unsigned blocks, unsigned threads, bool descending)
{
    unsigned *thread = dlsym(library, "threadIdx"), *block = dlsym(library, "blockIdx"), *size = dlsym(library, "blockDim");
    void (**wait)(int) = NULL;
    void *(**slot)(unsigned) = NULL;
    void (**meet)(int, int, bool) = NULL;
    void *symbols[3] = { dlsym(library, "emulated_wait"), dlsym(library, "emulated_slot"),
                         dlsym(library, "emulated_meet") };
    memcpy(&wait, &symbols[0], sizeof wait);
    memcpy(&slot, &symbols[1], sizeof slot);
    memcpy(&meet, &symbols[2], sizeof meet);
    if (!thread || !block || !size || !wait || !slot || !meet || threads == 0 || threads > MAX_THREADS)
        return "the library is no emulated CUDA unit, or the block is too large";
    state.fibers = aligned_alloc(64, sizeof *state.fibers * threads);
    state.stacks = malloc((size_t)threads * STACK_BYTES);
    state.thread_index = thread;
    state.body = body;
    *size = threads;
    *wait = wait_here;
    *meet = meet_here;
    state.block_size = size, state.trouble = NULL;
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
