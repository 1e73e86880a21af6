/* Functions: their life, and what can be asked of them. */
#include <gnomon/func.h>
#include <string.h>
#include "error.h"
#include "fpmode.h"
#include "func_state.h"

static void before_fork(void *user)
{
    gn_func *f = user;
    pthread_mutex_lock(&f->lock);
}

/* A frame that another thread was using stays with that thread: it is lost in the child. */
static void after_fork(void *user, bool is_child)
{
    gn_func *f = user;
    if (is_child && atomic_exchange(&f->taken, false)) f->hot = NULL;
    pthread_mutex_unlock(&f->lock);
}

gn_func *gn_func_new(gn_context *context)
{
    gn_func *f = gn_alloc_zeroed(gn_context_allocator(context), sizeof *f);
    if (!f) return NULL;
    f->context = context;
    f->allocator = gn_context_allocator(context);
    f->arena.allocator = f->allocator;
    atomic_init(&f->refs, 1);
    pthread_mutex_init(&f->lock, NULL);
    f->watch = (gn_fork_watch){ .before = before_fork, .after = after_fork, .user = f };
    gn_fork_add(&f->watch);
    return f;
}

static const char *label_of(gn_func *f, const gn_pstep *s)
{
    if (s->kind == GN_STEP_LOOP) return gn_arena_printf(&f->arena, "loop %s", s->symbol);
    if (s->kind == GN_STEP_CALL) return gn_arena_printf(&f->arena, "call %s", s->symbol);
    return s->symbol;
}

void gn_func_set_up(gn_func *f)
{
    const gn_program *p = f->program;
    uint32_t open[2 * GN_PROGRAM_DEPTH], nopen = 0; /* steps with bodies, and bodies */
    f->step = GN_NEW_ARRAY(&f->arena, gn_step_function, p->steps.n);
    f->profile = GN_NEW_ARRAY(&f->arena, gn_step_profile, p->steps.n);
    f->label = GN_NEW_ARRAY(&f->arena, const char *, p->steps.n);
    f->depth = GN_NEW_ARRAY(&f->arena, int, p->steps.n);
    for (uint32_t i = 0; i < p->steps.n; i++) {
        const gn_pstep *s = &p->steps.at[i];
        while (nopen && p->steps.at[open[nopen - 1]].end <= i) nopen--;
        f->label[i] = label_of(f, s), f->depth[i] = (int)nopen;
        if (gn_step_has_body(s)) open[nopen++] = i;
        if (s->narg > f->max_args) f->max_args = s->narg;
    }
    f->info.nkernels = (int)p->kernels.n, f->info.nsteps = (int)p->steps.n;
}

/* By id: in this order they are locked. */
void gn_func_keep_variables(gn_func *f, gn_variable *const *list)
{
    const size_t n = f->program->variables.n;
    f->by_id = GN_NEW_ARRAY(&f->arena, uint32_t, n);
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0 && list[f->by_id[at - 1]]->id > list[i]->id; at--) f->by_id[at] = f->by_id[at - 1];
        f->by_id[at] = (uint32_t)i;
        f->updates |= f->program->variables.at[i].updated;
    }
    gn_variable **own = gn_arena_copy(&f->arena, list, n * sizeof *own);
    for (size_t i = 0; i < n; i++) gn_variable_keep(own[i]);
    f->variable = own;
}

gn_func *gn_func_keep(gn_func *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

static void free_frames(gn_func *f)
{
    gn_frame_free(f->hot);
    for (gn_frame *fr = f->pool, *next; fr; fr = next) {
        next = fr->next;
        gn_frame_free(fr);
    }
}

void gn_func_free(gn_func *f)
{
    if (!f || atomic_fetch_sub(&f->refs, 1) != 1) return;
    gn_fork_remove(&f->watch);
    free_frames(f);
    for (size_t i = 0; f->variable && i < f->program->variables.n; i++) gn_variable_release(f->variable[i]);
    gn_module_release(f->module);
    if (f->info.source_path)
        gn_release(f->allocator, (char *)(uintptr_t)f->info.source_path, strlen(f->info.source_path) + 1);
    gn_arena_free(&f->arena);
    pthread_mutex_destroy(&f->lock);
    gn_release(f->allocator, f, sizeof *f);
}

const char *gn_func_source(const gn_func *f)
{
    return f ? f->program->source : NULL;
}

gn_func_info gn_func_inspect(const gn_func *f)
{
    if (!f) return (gn_func_info){ 0 };
    gn_func *const g = (gn_func *)(uintptr_t)f; /* the lock is no part of what is seen */
    pthread_mutex_lock(&g->lock);
    const gn_func_info info = f->info;
    pthread_mutex_unlock(&g->lock);
    return info;
}

void gn_func_profile(gn_func *f, int on)
{
    if (!f) return;
    for (size_t i = 0; on && i < f->program->steps.n; i++) {
        atomic_store(&f->profile[i].calls, 0);
        atomic_store(&f->profile[i].ns, 0);
    }
    atomic_store(&f->profiled, on != 0);
}

size_t gn_func_passes(const gn_func *f, gn_pass_info *out, size_t capacity)
{
    if (!f) return 0;
    for (size_t i = 0; out && i < f->npasses && i < capacity; i++) out[i] = f->pass[i];
    return f->npasses;
}

size_t gn_func_steps(const gn_func *f, gn_step_info *out, size_t capacity)
{
    if (!f) return 0;
    const gn_program *p = f->program;
    const gn_fpmode mode = gn_fp_enter();
    for (size_t i = 0; out && i < p->steps.n && i < capacity; i++) {
        const gn_pstep *s = &p->steps.at[i];
        out[i] = (gn_step_info){ .symbol = f->label[i],
                                 .kernel = s->kind == GN_STEP_KERNEL ? p->kernels.at[s->kernel].kernel : "",
                                 .depth = f->depth[i],
                                 .calls = atomic_load(&f->profile[i].calls),
                                 .total_ms = (double)atomic_load(&f->profile[i].ns) * 1e-6 };
    }
    gn_fp_leave(mode);
    return p->steps.n;
}
