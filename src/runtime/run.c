/* Running a frame: locks, index checks, steps, updates. */
#include "func_state.h"
#include "clock.h"
#include "code_interpret.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "error.h"
#include "fpmode.h"
#include "view.h"

/* ---- indices must lie in their axis before any variable is changed ---- */

#define FIRST_OUTSIDE(type)                                                                                \
    do {                                                                                                   \
        const type *v = data;                                                                              \
        for (int64_t i = 0; i < n; i++)                                                                    \
            if ((int64_t)v[i] < 0 || (int64_t)v[i] >= bound) return *found = (int64_t)v[i], i;             \
        return -1;                                                                                         \
    } while (0)

static int64_t first_outside(const void *data, gn_dtype dtype, int64_t n, int64_t bound, int64_t *found)
{
    switch (dtype) {
    case GN_I8: FIRST_OUTSIDE(int8_t);
    case GN_I16: FIRST_OUTSIDE(int16_t);
    case GN_I32: FIRST_OUTSIDE(int32_t);
    case GN_U8: FIRST_OUTSIDE(uint8_t);
    case GN_U16: FIRST_OUTSIDE(uint16_t);
    case GN_U32: FIRST_OUTSIDE(uint32_t);
    case GN_I64:
    case GN_U64: FIRST_OUTSIDE(int64_t); /* above INT64_MAX is negative here, and outside as well */
    default: return -1;
    }
}

/* "f: train.c:12: take" */
static gn_status tell_index(const gn_func *f, size_t i, const char *format, ...)
{
    const gn_loc loc = f->index_loc[i];
    char what[256], place[256] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (*loc.file) snprintf(place, sizeof place, "%s:%d: ", loc.file, loc.line);
    return gn_error(GN_EINDEX, "%s: %s%s: %s", f->program->name, place, f->program->indices.at[i].text, what);
}

static gn_status check_index(const gn_frame *fr, size_t i)
{
    const gn_func *f = fr->f;
    const gn_pindex *x = &f->program->indices.at[i];
    const gn_pvalue *v = &f->program->values.at[x->value];
    const gn_frame_index *index = &fr->index[i];
    const void *data = index->data;
    int64_t found = 0;
    if (!data) data = fr->is_staged[x->value] ? fr->staged[x->value] : fr->now[x->value].data;
    const int64_t at = first_outside(data, v->dtype, index->n, index->bound, &found);
    if (at < 0) return GN_OK;
    char number[24];
    if (gn_dtypes[v->dtype].kind == GN_KIND_UINT) snprintf(number, sizeof number, "%llu", (unsigned long long)found);
    else snprintf(number, sizeof number, "%lld", (long long)found);
    if (x->after >= 0)
        return tell_index(f, i, "element %lld of the computed indices is %s, outside [0, %lld)", (long long)at, number,
                          (long long)index->bound);
    return tell_index(f, i, "element %lld of '%s' is %s, outside [0, %lld)", (long long)at, v->name, number,
                      (long long)index->bound);
}

/* What is there before anything runs. An axis without elements has no place even for an index that is kept within it. */
static gn_status check_given(const gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    gn_status s = GN_OK;
    for (size_t i = 0; !s && i < p->indices.n; i++) {
        if (p->indices.at[i].after < 0) s = check_index(fr, i);
        else if (fr->index[i].n && fr->index[i].bound <= 0)
            s = tell_index(fr->f, i, "computed indices into an axis without elements");
    }
    return s;
}

static gn_status check_computed(const gn_frame *fr, size_t step)
{
    const gn_program *p = fr->f->program;
    gn_status s = GN_OK;
    for (size_t i = 0; !s && i < p->indices.n; i++)
        if (p->indices.at[i].after == (int32_t)step) s = check_index(fr, i);
    return s;
}

/* ---- steps ---- */

typedef struct parallel {
    const gn_frame *fr;
    size_t step;
} parallel;

/* Each worker has its own scratch, so its own table of arguments. */
static void run_part(void *user, int64_t part, int worker)
{
    const parallel *w = user;
    const gn_frame *fr = w->fr;
    const gn_pstep *s = &fr->f->program->steps.at[w->step];
    void **arg = fr->arg[w->step];
    if (s->nscratch && worker) {
        void **own = fr->worker_arg + (size_t)worker * fr->f->max_args;
        memcpy(own, arg, s->narg * sizeof *own);
        for (uint32_t a = 0; a < s->narg; a++)
            if (s->arg[a] < 0) own[a] = (char *)arg[a] + (int64_t)worker * fr->plan.scratch_stride[w->step];
        arg = own;
    }
    fr->f->step[w->step](arg, fr->step_sym[w->step], part);
}

static void run_compiled(const gn_frame *fr, size_t i)
{
    const int64_t parts = fr->plan.parts[i];
    if (parts == 1) {
        fr->f->step[i](fr->arg[i], fr->step_sym[i], 0);
    } else if (parts > 1) {
        parallel w = { fr, i };
        gn_team_run(fr->f->context->team, parts, run_part, &w);
    }
}

typedef struct interpretation {
    const gn_frame *fr;
    size_t step;
    gn_arena arena;
} interpretation;

static void interpret(void *arg)
{
    interpretation *w = arg;
    const gn_frame *fr = w->fr;
    const uint32_t kernel = fr->f->program->steps.at[w->step].kernel;
    const gn_code *c = fr->f->code[kernel];
    if (c) gn_code_interpret(c, fr->arg[w->step], fr->step_sym[w->step], 1, &w->arena);
    else gn_kernel_interpret(fr->f->kernel[kernel], fr->arg[w->step], fr->step_sym[w->step], &w->arena);
}

/* A kernel runs as a whole at its first step: its buffers are the first arguments. */
static gn_status run_interpreted(const gn_frame *fr, size_t i)
{
    if (fr->f->program->steps.at[i].part_of) return GN_OK;
    interpretation w = { fr, i, { .allocator = fr->f->allocator } };
    const gn_status s = gn_protect(interpret, &w);
    gn_arena_free(&w.arena);
    return s;
}

static inline gn_status run_kernel(const gn_frame *fr, size_t i)
{
    if (!fr->f->module) return run_interpreted(fr, i);
    run_compiled(fr, i);
    return GN_OK;
}

static gn_status run_step(const gn_frame *fr, size_t i)
{
    const gn_pstep *step = &fr->f->program->steps.at[i];
    const gn_status s = step->kind == GN_STEP_KERNEL ? run_kernel(fr, i) : gn_frame_run_other(fr, (uint32_t)i);
    return step->status && !s ? gn_frame_status(fr, (uint32_t)i) : s;
}

static gn_status run_profiled(const gn_frame *fr, size_t i)
{
    gn_step_profile *p = &fr->f->profile[i];
    const int64_t start = gn_now_ns();
    const gn_status s = run_step(fr, i);
    atomic_fetch_add_explicit(&p->ns, gn_now_ns() - start, memory_order_relaxed);
    atomic_fetch_add_explicit(&p->calls, 1, memory_order_relaxed);
    return s;
}

/* New values that stand in second memories take effect together. */
static void exchange(const gn_frame *fr)
{
    for (size_t i = 0; i < fr->nexchanged; i++) gn_variable_exchange(fr->f->variable[fr->exchanged[i]]);
}

gn_status gn_frame_run_range(const gn_frame *fr, uint32_t at, uint32_t end)
{
    const gn_program *p = fr->f->program;
    const bool profiled = atomic_load_explicit(&fr->f->profiled, memory_order_relaxed);
    gn_status s = GN_OK;
    for (; !s && at < end; at = gn_step_after(p->steps.at, at)) {
        s = profiled ? run_profiled(fr, at) : run_step(fr, at);
        if (!s && p->indices.n) s = check_computed(fr, at);
    }
    return s;
}

/* Of kernels alone. */
static inline gn_status run_flat(const gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    const bool profiled = atomic_load_explicit(&fr->f->profiled, memory_order_relaxed);
    gn_status s = GN_OK;
    for (size_t i = 0; !s && i < p->steps.n; i++) {
        s = profiled ? run_profiled(fr, i) : run_kernel(fr, i);
        if (!s && p->indices.n) s = check_computed(fr, i);
    }
    return s;
}

static gn_status run_steps(const gn_frame *fr)
{
    const gn_program *p = fr->f->program;
    gn_status s = GN_OK;
    if (p->indices.n) s = check_given(fr);
    if (!s) s = p->is_tree ? gn_frame_run_range(fr, 0, (uint32_t)p->steps.n) : run_flat(fr);
    if (!s) exchange(fr);
    return s;
}

/* What is only read may be read by others meanwhile. */
static void lock_variables(const gn_func *f)
{
    for (size_t i = 0; i < f->program->variables.n; i++) {
        const uint32_t at = f->by_id[i];
        gn_variable_lock(f->variable[at], f->program->variables.at[at].updated);
    }
}

static void unlock_variables(const gn_func *f, bool changed)
{
    for (size_t i = f->program->variables.n; i-- > 0;) {
        gn_variable *v = f->variable[f->by_id[i]];
        if (changed && f->program->variables.at[f->by_id[i]].updated)
            atomic_fetch_add_explicit(&v->version, 1, memory_order_relaxed);
        gn_variable_unlock(v);
    }
}

/* Strided views go through their row-major blocks. */
static void copy_in(const gn_frame *fr)
{
    for (uint32_t s = 0; s < fr->f->program->ninputs; s++) {
        if (!fr->is_staged[s]) continue;
        const gn_array to = gn_array_of(fr->staged[s], fr->now[s].dtype, fr->now[s].rank, fr->now[s].shape);
        gn_array_copy(&to, &fr->now[s]);
    }
}

static void copy_out(const gn_frame *fr)
{
    for (uint32_t s = fr->f->program->ninputs; s < fr->f->nslots; s++) {
        if (!fr->is_staged[s]) continue;
        const gn_array from = gn_array_of(fr->staged[s], fr->now[s].dtype, fr->now[s].rank, fr->now[s].shape);
        gn_array_copy(&fr->now[s], &from);
    }
}

/* Other calls may have exchanged a variable's memories since this frame's last one. */
static void follow_variables(gn_frame *fr)
{
    const gn_func *f = fr->f;
    for (uint32_t i = 0; i < f->program->variables.n; i++) {
        const gn_variable *v = f->variable[i];
        if (fr->seen[i] == v->value.data) continue;
        fr->seen[i] = v->value.data;
        gn_frame_set(fr, gn_frame_home(f, i), v->value.data);
        gn_frame_set(fr, gn_frame_home(f, i) + 1, v->spare);
    }
}

__attribute__((noinline)) static gn_status run_whole(gn_frame *fr)
{
    const gn_func *f = fr->f;
    if (fr->any_staged) copy_in(fr);
    lock_variables(f);
    follow_variables(fr);
    const gn_status s = run_steps(fr);
    unlock_variables(f, !s);
    if (fr->any_staged && !s) copy_out(fr);
    return s;
}

__attribute__((noinline)) static gn_status run_plain(gn_frame *fr)
{
    const gn_func *f = fr->f;
    const size_t n = f->program->steps.n;
    if (f->program->variables.n) lock_variables(f), follow_variables(fr);
    for (size_t i = 0; i < n; i++) f->step[i](fr->arg[i], fr->step_sym[i], 0);
    if (f->program->variables.n) unlock_variables(f, false);
    return GN_OK;
}

/* A frame of one step calls it without a frame of its own on the stack: the rest, which needs one, is out of line. */
static inline gn_status run(gn_frame *fr)
{
    const gn_func *f = fr->f;
    if (!fr->plain || fr->any_staged || atomic_load_explicit(&f->profiled, memory_order_relaxed)) return run_whole(fr);
    if (!fr->single) return run_plain(fr);
    f->step[0](fr->arg[0], fr->step_sym[0], 0);
    return GN_OK;
}

__attribute__((noinline, cold)) static gn_status run_in_default_mode(gn_frame *fr)
{
    const gn_fpmode_code mode = gn_fp_enter_code();
    const gn_status s = run(fr);
    gn_fp_leave_code(mode);
    return s;
}

gn_status gn_frame_run(gn_frame *fr)
{
    return gn_fp_is_default_code() ? run(fr) : run_in_default_mode(fr);
}
