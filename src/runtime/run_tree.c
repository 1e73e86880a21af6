/* Running the steps that are no kernels. */
#include "func_state.h"
#include <string.h>
#include "error.h"
#include "view.h"

/* ---- loops ---- */

static void move(const gn_frame_loop *l, int64_t turns)
{
    for (uint32_t i = 0; i < l->nmoves; i++)
        *l->move[i].at = (void *)((uintptr_t)*l->move[i].at + (uintptr_t)(l->move[i].bytes * turns));
}

static void set_turn(const gn_frame_loop *l, int64_t turn)
{
    for (uint32_t i = 0; i < l->nturns; i++) *l->turn[i] = turn;
}

static void shift(gn_frame_exchanged *e, int64_t by)
{
    for (uint32_t i = 0; i < e->nentries; i++) *e->entry[i] = (void *)((uintptr_t)*e->entry[i] + (uintptr_t)by);
    e->shift += by;
}

/* Each value takes the memory of the one that it becomes. */
static void exchange(gn_frame_loop *l)
{
    for (uint32_t i = 0; i < l->nexchanged; i++) l->exchanged[i].now = *l->exchanged[i].at;
    for (uint32_t i = 0; i < l->nexchanged; i++) {
        gn_frame_exchanged *e = &l->exchanged[i];
        shift(e, (int64_t)((uintptr_t)l->exchanged[e->from].now - (uintptr_t)e->now));
    }
}

/* The loop may have run before and have left its values in memories of each other. */
static void enter(const gn_frame *fr, gn_frame_loop *l, uint32_t at)
{
    void **arg = fr->arg[at];
    for (uint32_t i = 0; i < l->nexchanged; i++) shift(&l->exchanged[i], -l->exchanged[i].shift);
    for (uint32_t k = 0; k < fr->f->program->steps.at[at].of.loop->ncarried; k++)
        if (l->initial[k]) memcpy(arg[gn_carried_now(k)], arg[gn_carried_initial(k)], (size_t)l->initial[k]);
}

/* The first element: an i64 or a bool. */
static bool is_set(const gn_frame *fr, uint32_t at, uint32_t arg)
{
    const gn_pstep *s = &fr->f->program->steps.at[at];
    const void *data = fr->arg[at][arg];
    return fr->f->program->values.at[s->arg[arg]].dtype == GN_I64 ? *(const int64_t *)data != 0
                                                                  : *(const unsigned char *)data != 0;
}

static gn_status run_loop(const gn_frame *fr, uint32_t at)
{
    const gn_pstep *s = &fr->f->program->steps.at[at];
    gn_frame_loop *l = fr->tree[at].loop;
    gn_status status = GN_OK;
    int64_t turn = 0;
    bool goes_on = true;
    enter(fr, l, at);
    for (; goes_on && turn < l->count; turn++) {
        set_turn(l, turn);
        if ((status = gn_frame_run_range(fr, at + 1, s->end))) break;
        goes_on = !s->of.loop->has_condition || is_set(fr, at, gn_loop_condition(s->of.loop));
        exchange(l);
        move(l, 1);
    }
    move(l, -turn);
    set_turn(l, 0);
    return status;
}

/* ---- choices ---- */

static gn_status run_body(const gn_frame *fr, uint32_t body)
{
    return gn_frame_run_range(fr, body + 1, fr->f->program->steps.at[body].end);
}

static gn_status run_branch(const gn_frame *fr, uint32_t at)
{
    return run_body(fr, is_set(fr, at, 0) ? at + 1 : fr->f->program->steps.at[at + 1].end);
}

static gn_status run_variants(const gn_frame *fr, uint32_t at)
{
    return run_body(fr, fr->tree[at].body);
}

/* ---- the other kinds ---- */

static gn_status run_copy(const gn_frame *fr, uint32_t at)
{
    gn_frame_copy c = *fr->tree[at].copy;
    c.to.data = fr->arg[at][0], c.from.data = fr->arg[at][1];
    gn_array_copy(&c.to, &c.from);
    return GN_OK;
}

static gn_status run_call(const gn_frame *fr, uint32_t at)
{
    const gn_routine *r = fr->f->program->steps.at[at].of.call->routine;
    const int s = r->run(fr->arg[at], fr->tree[at].dim);
    return s ? gn_error(GN_EINVAL, "%s: step %u: %s: %s", fr->f->program->name, at, r->name, r->failure) : GN_OK;
}

/* The variables are locked by the call. */
static gn_status run_prepare(const gn_frame *fr, uint32_t at)
{
    const gn_pstep *s = &fr->f->program->steps.at[at];
    gn_frame_prepared *q = fr->tree[at].prepared;
    bool good = q->done;
    for (uint32_t i = 0; i < s->of.prepare->n; i++)
        good &= q->version[i] ==
                atomic_load_explicit(&fr->f->variable[s->of.prepare->variable[i]]->version, memory_order_relaxed);
    if (good) return GN_OK;
    q->done = false;
    const gn_status status = gn_frame_run_range(fr, at + 1, s->end);
    for (uint32_t i = 0; i < s->of.prepare->n; i++)
        q->version[i] = atomic_load_explicit(&fr->f->variable[s->of.prepare->variable[i]]->version,
                                             memory_order_relaxed);
    q->done = !status;
    return status;
}

gn_status gn_frame_run_other(const gn_frame *fr, uint32_t at)
{
    static gn_status (*const run_kind[])(const gn_frame *, uint32_t) = {
        [GN_STEP_COPY] = run_copy,     [GN_STEP_CALL] = run_call,         [GN_STEP_LOOP] = run_loop,
        [GN_STEP_BRANCH] = run_branch, [GN_STEP_VARIANTS] = run_variants, [GN_STEP_PREPARE] = run_prepare,
    };
    return run_kind[fr->f->program->steps.at[at].kind](fr, at);
}

gn_status gn_frame_status(const gn_frame *fr, uint32_t at)
{
    const gn_pstep *s = &fr->f->program->steps.at[at];
    const void *data = fr->arg[at][s->status - 1];
    const int64_t status = fr->f->program->values.at[s->arg[s->status - 1]].dtype == GN_I64 ? *(const int64_t *)data
                                                                                            : *(const int32_t *)data;
    if (!status) return GN_OK;
    return gn_error(GN_EINVAL, "%s: step %u (%s) ended it with status %lld", fr->f->program->name, at, s->symbol,
                    (long long)status);
}
