#include "emit_program.h"
#include "code_as_kernel.h"
#include "serial_tree.h"

typedef struct emission {
    gn_kernel_maker m;
    const gn_pkernel *from; /* as read */
    const gn_pstep *steps;
    uint32_t nsteps;
    gn_kernel **kernel;     /* per kernel */
    gn_schedule **schedule; /* NULL: none is given */
    int32_t *made;          /* its number in the program; -1: it is not needed yet */
    uint32_t *last;         /* per step: the last that stands for it */
    bool loops_stay;
} emission;

static void read_kernels(emission *e, size_t n)
{
    gn_arena *arena = &e->m.work;
    gn_code *code;
    e->kernel = GN_NEW_ARRAY(arena, gn_kernel *, n), e->schedule = GN_NEW_ARRAY(arena, gn_schedule *, n);
    e->made = GN_NEW_ARRAY(arena, int32_t, n);
    for (size_t i = 0; i < n; i++) {
        const gn_pkernel *k = &e->from[i];
        e->kernel[i] = gn_kernel_of_text(arena, k->name, k->kernel, &code);
        e->made[i] = -1;
        if (code) gn_throw(GN_EFORMAT, "kernel %s: code has its functions in the source", k->name);
        const gn_sx *x = gn_sx_read(arena, k->name, k->schedule, strlen(k->schedule));
        if (x->n) e->schedule[i] = gn_schedule_read(arena, e->kernel[i], k->name, x->at[0]);
    }
}

/* Steps take over memory as the text says where the code allows it; else they have memory of their own. */
static void keep_apart(emission *e, const gn_pstep *s, const gn_in_place *allowed)
{
    const gn_kernel *k = e->kernel[s->kernel];
    for (uint32_t w = 0; w < k->bufs.n; w++)
        for (uint32_t r = 0; r < k->bufs.n; r++) {
            gn_pvalue *v = &e->m.p->values.at[s->arg[w]];
            if (k->bufs.at[w].access & GN_KBUF_WRITE && r != w && v->alias == s->arg[r] &&
                k->bufs.at[w].shares != (int32_t)r &&
                !gn_in_place_allows(allowed, r, w))
                v->alias = -1;
        }
}

static void emit_kernel(emission *e, uint32_t at)
{
    const gn_pstep *s = &e->steps[at];
    int32_t *made = &e->made[s->kernel];
    if (s->part_of || e->from[s->kernel].nsteps != 1)
        gn_throw(GN_EFORMAT, "step %u (%s): without a source, a step is a whole kernel", at, s->symbol);
    if (*made < 0) {
        gn_maker_kernel(&e->m, e->kernel[s->kernel], e->schedule[s->kernel]);
        *made = (int32_t)e->m.p->kernels.n - 1;
    }
    gn_maker_steps(&e->m, (uint32_t)*made, &(gn_kernel_use){e->kernel[s->kernel], s->arg, s->start, s->sym}, s);
    keep_apart(e, s, gn_maker_in_place(&e->m, (uint32_t)*made));
}

static void emit_steps(emission *e, uint32_t at, uint32_t end)
{
    gn_program *p = e->m.p;
    for (; at < end; at = gn_step_after(e->steps, at)) {
        const gn_pstep *s = &e->steps[at];
        const bool serial = s->kind == GN_STEP_LOOP && !e->loops_stay &&
                            gn_serial_tree(&e->m, e->steps, at, e->nsteps, e->kernel, e->schedule);
        if (s->kind == GN_STEP_KERNEL) {
            emit_kernel(e, at);
        } else if (!serial) {
            const size_t own = p->steps.n;
            gn_push(p->arena, &p->steps, *s);
            if (gn_step_has_body(s)) emit_steps(e, at + 1, s->end);
            p->steps.at[own].end = gn_step_has_body(s) ? (uint32_t)p->steps.n : s->end;
        }
        e->last[at] = (uint32_t)p->steps.n - 1;
    }
}

/* Values that no step has any more have no memory, and nobody takes it over. */
static void place_values(gn_program *p)
{
    gn_program_set_lives(p);
    for (size_t i = 0; i < p->values.n; i++) {
        gn_pvalue *v = &p->values.at[i];
        if (v->kind == GN_VALUE_TEMP && (v->first < 0 || (v->alias >= 0 && p->values.at[v->alias].last < 0)))
            v->alias = -1;
    }
}

static void emit(void *arg)
{
    emission *e = arg;
    gn_program *p = e->m.p;
    const size_t nkernels = p->kernels.n;
    e->from = gn_arena_copy(&e->m.work, p->kernels.at, nkernels * sizeof *p->kernels.at);
    e->steps = gn_arena_copy(&e->m.work, p->steps.at, p->steps.n * sizeof *p->steps.at);
    e->nsteps = (uint32_t)p->steps.n, e->last = GN_NEW_ARRAY(&e->m.work, uint32_t, p->steps.n);
    p->kernels.n = p->steps.n = 0;
    read_kernels(e, nkernels);
    emit_steps(e, 0, e->nsteps);
    for (size_t i = 0; i < p->indices.n; i++)
        if (p->indices.at[i].after >= 0) p->indices.at[i].after = (int32_t)e->last[p->indices.at[i].after];
    place_values(p);
    gn_maker_source(&e->m, "");
}

void gn_program_emit(gn_program *p, const gn_target *target, bool loops_stay)
{
    emission e = {.m = gn_kernel_maker_of(p, target), .loops_stay = loops_stay};
    const gn_status status = gn_protect(emit, &e);
    gn_kernel_maker_free(&e.m);
    gn_check(status);
}
