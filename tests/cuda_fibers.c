/* The scheduler of the CUDA emulation: a fiber per thread of a cluster, switched at barriers and warp collectives. */
#include "cuda_fibers.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { MAX_THREADS = 1024, STACK_BYTES = 64 << 10, POISON = 0xff, WARP = 32, BARRIERS = 16, BLOCKS = 8, MEETS = -1 };

typedef struct fiber {
    ucontext_t context;
    bool ended;
    int waits;      /* kind of the collective it waits at; 0: it may run */
    int barrier;    /* where it meets others; waits is MEETS */
    unsigned group; /* which waits with it: so many threads in a row of a block; 0: the cluster */
    _Alignas(64) char slot[64];
} fiber;

typedef struct coords {
    unsigned x, y, z;
} coords;

static struct {
    ucontext_t scheduler;
    fiber *fibers;
    char *stacks;
    unsigned current, threads, blocks; /* of a block; of a cluster */
    const gn_launch *launch;
    coords *thread_index, *block_index, first; /* first: of the cluster's blocks */
    /* shared memory: static where the text knows it, with a copy for each block; dynamic, one for each block */
    char **fixed, *copies;
    unsigned char **dynamic, **own;
    unsigned at; /* the block whose shared memory is there */
    int here[BLOCKS][BARRIERS]; /* threads that came to a barrier of some warps */
    bool wrong;
    void (*body)(void);
} state; /* one emulation at a time: generated text has no place for a pointer to it */

static void wait_here(int kind, unsigned group)
{
    fiber *f = &state.fibers[state.current];
    f->waits = kind, f->group = group;
    swapcontext(&f->context, &state.scheduler);
}

static void meet_here(int barrier, int threads, bool wait)
{
    fiber *const f = &state.fibers[state.current], *const block = &state.fibers[state.at * state.threads];
    state.wrong |= barrier < 1 || barrier >= BARRIERS || threads % WARP;
    if (state.wrong) return;
    f->waits = wait ? MEETS : 0, f->barrier = barrier, f->group = 1;
    if (++state.here[state.at][barrier] == threads) {
        state.here[state.at][barrier] = 0;
        for (unsigned t = 0; t < state.threads; t++)
            if (block[t].waits == MEETS && block[t].barrier == barrier) block[t].waits = 0;
    }
    if (f->waits) swapcontext(&f->context, &state.scheduler);
}

static void *slot_of(unsigned thread)
{
    return state.fibers[state.at * state.threads + thread].slot;
}

static void run_body(void)
{
    state.body();
    state.fibers[state.current].ended = true;
}

/* ---- shared memory ---- */

static size_t fixed_bytes(void)
{
    return (size_t)(state.fixed[1] - state.fixed[0]);
}

static void enter_block(unsigned block)
{
    const size_t n = fixed_bytes();
    if (n && block != state.at) {
        memcpy(state.copies + state.at * n, state.fixed[0], n);
        memcpy(state.fixed[0], state.copies + block * n, n);
    }
    *state.dynamic = state.own[block];
    state.at = block;
}

static void empty_blocks(void)
{
    state.at = 0;
    if (fixed_bytes()) memset(state.fixed[0], POISON, fixed_bytes());
    if (fixed_bytes()) memset(state.copies, POISON, fixed_bytes() * state.blocks);
    for (unsigned b = 0; b < state.blocks; b++)
        if (state.launch->shared) memset(state.own[b], POISON, (size_t)state.launch->shared);
}

/* ---- threads ---- */

static void resume(unsigned thread)
{
    const unsigned block = thread / state.threads;
    const uint32_t *const c = state.launch->cluster;
    enter_block(block);
    state.current = thread;
    *state.thread_index = (coords){ thread % state.threads, 0, 0 };
    *state.block_index = (coords){ state.first.x + block % c[0], state.first.y + block / c[0] % c[1],
                                  state.first.z + block / c[0] / c[1] };
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

/* The group goes on if all of it wait, and wait alike. */
static bool release(unsigned thread, const char **trouble)
{
    const fiber *const f = &state.fibers[thread];
    const unsigned block = f->group ? thread / state.threads * state.threads : 0, in = thread - block;
    const unsigned first = f->group ? block + in / f->group * f->group : 0;
    if (f->waits == MEETS || !f->waits) return false;
    unsigned end = f->group ? first + f->group : state.threads * state.blocks;
    if (f->group && end > block + state.threads) end = block + state.threads;
    for (unsigned t = first; t < end; t++) {
        const fiber *const o = &state.fibers[t];
        if (o->ended || !o->waits) return false;
        if (o->group == f->group && o->waits != f->waits) *trouble = "threads of a block wait at different collectives";
        if (o->group != f->group || *trouble) return false;
    }
    for (unsigned t = first; t < end; t++) state.fibers[t].waits = 0;
    return true;
}

/* The first that may run, until it waits or ends. */
static bool run_one(bool descending, const char **trouble)
{
    const unsigned all = state.threads * state.blocks;
    for (unsigned i = 0; i < all; i++) {
        const unsigned t = descending ? all - 1 - i : i;
        if (state.fibers[t].ended || state.fibers[t].waits) continue;
        resume(t);
        if (!state.fibers[t].ended) release(t, trouble);
        return true;
    }
    return false;
}

static const char *run_cluster(bool descending)
{
    const char *trouble = NULL;
    unsigned ended = 0;
    empty_blocks();
    memset(state.here, 0, sizeof state.here);
    for (unsigned t = 0; t < state.threads * state.blocks; t++) start(t);
    while (!trouble && run_one(descending, &trouble)) {
    }
    for (unsigned t = 0; t < state.threads * state.blocks; t++) ended += state.fibers[t].ended;
    if (state.wrong) return "a barrier of roles that does not exist";
    if (trouble || ended == state.threads * state.blocks) return trouble;
    return ended ? "a thread ended while others wait" : "threads of a block wait at different collectives";
}

/* ---- a launch ---- */

static bool allocate(void)
{
    state.fibers = aligned_alloc(64, sizeof *state.fibers * state.threads * state.blocks);
    state.stacks = malloc((size_t)state.threads * state.blocks * STACK_BYTES);
    state.copies = malloc(fixed_bytes() * state.blocks + 1);
    state.own = calloc(state.blocks, sizeof *state.own);
    bool all = state.fibers && state.stacks && state.copies && state.own;
    for (unsigned b = 0; all && b < state.blocks && state.launch->shared; b++)
        all &= !posix_memalign((void **)&state.own[b], 1024, (size_t)state.launch->shared);
    return all;
}

static void release_all(void)
{
    for (unsigned b = 0; state.own && b < state.blocks; b++) free(state.own[b]);
    free(state.own);
    free(state.copies);
    free(state.fibers);
    free(state.stacks);
}

static const char *run_grid(const gn_launch *l, bool descending)
{
    const char *trouble = NULL;
    for (state.first.z = 0; state.first.z < l->grid[2]; state.first.z += l->cluster[2])
        for (state.first.y = 0; state.first.y < l->grid[1]; state.first.y += l->cluster[1])
            for (state.first.x = 0; state.first.x < l->grid[0] && !trouble; state.first.x += l->cluster[0])
                trouble = run_cluster(descending);
    return trouble;
}

const char *cuda_fibers_run(void *library, void (*body)(void), const gn_launch *l, bool descending)
{
    coords *size = dlsym(library, "blockDim");
    void (**wait)(int, unsigned) = NULL;
    void *(**slot)(unsigned) = NULL;
    void (**meet)(int, int, bool) = NULL;
    void *symbols[3] = { dlsym(library, "emulated_wait"), dlsym(library, "emulated_slot"),
                         dlsym(library, "emulated_meet") };
    memcpy(&meet, &symbols[2], sizeof meet);
    memcpy(&wait, &symbols[0], sizeof wait);
    memcpy(&slot, &symbols[1], sizeof slot);
    state.thread_index = dlsym(library, "threadIdx"), state.block_index = dlsym(library, "blockIdx");
    state.fixed = dlsym(library, "emulated_static"), state.dynamic = dlsym(library, "emulated_dynamic");
    if (!size || !wait || !slot || !meet || !state.fixed || l->threads == 0 || l->threads > MAX_THREADS)
        return "the library is no emulated CUDA unit, or the block is too large";
    state.launch = l, state.body = body;
    state.threads = l->threads, state.blocks = l->cluster[0] * l->cluster[1] * l->cluster[2];
    *size = (coords){ l->threads, 1, 1 };
    *wait = wait_here;
    *meet = meet_here, state.wrong = false;
    *slot = slot_of;
    const char *const trouble = allocate() ? run_grid(l, descending) : "no memory";
    release_all();
    return trouble;
}
