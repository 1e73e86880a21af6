#include "kernel_maker.h"
#include "code_text.h"
#include "emit.h"
#include "kernel_form.h"

/* Memory of the call or of a worker that a kernel's steps need. Dims are over the kernel's symbols, in the program's
 * pool. */
typedef struct kept {
    const char *name;
    gn_dtype dtype;
    bool of_worker;
    const gn_dim *bytes;
} kept;

/* What kernels of one form have in common once they are lowered. */
struct gn_lowered {
    const char *form, *code; /* the kernel whose functions run */
    const char *plain;       /* why the default schedule was illegal; else NULL */
    uint32_t nsteps;
    const gn_dim *const *parts; /* per step */
    GN_VEC(kept) kept;          /* the code's arguments behind its buffers */
    gn_in_place in_place;
};

gn_kernel_maker gn_kernel_maker_of(gn_program *p, const gn_target *target)
{
    gn_kernel_maker m = {.p = p, .target = target};
    m.work.allocator = m.scratch.allocator = p->arena->allocator;
    return m;
}

void gn_kernel_maker_free(gn_kernel_maker *m)
{
    gn_arena_free(&m->scratch);
    gn_arena_free(&m->work);
}

const gn_in_place *gn_maker_in_place(const gn_kernel_maker *m, uint32_t kernel)
{
    return &m->code.at[kernel]->in_place;
}

uint32_t gn_maker_value(gn_program *p, gn_pvalue v)
{
    v.first = v.last = -1;
    v.alias = -1;
    if (!v.bytes)
        v.bytes = gn_dim_scale(p->dims, gn_dims_product(p->dims, v.rank, v.shape), (int64_t)gn_dtype_size(v.dtype));
    gn_push(p->arena, &p->values, v);
    return (uint32_t)p->values.n - 1;
}

/* ---- texts ---- */

static const char *print_kernel(gn_arena *a, const gn_kernel *k)
{
    gn_text t = {.arena = a};
    gn_kernel_print(&t, k);
    return gn_text_done(&t);
}

static const char *print_schedule(gn_arena *a, const gn_kernel *k, const gn_schedule *s)
{
    gn_text t = {.arena = a};
    gn_schedule_print(&t, k, s);
    return gn_text_done(&t);
}

/* ---- kernels ---- */

static bool equal_forms(const void *l, const void *form)
{
    return strcmp(((const gn_lowered *)l)->form, form) == 0;
}

static gn_lowered *new_lowered(gn_kernel_maker *m, const gn_code *c, size_t nbufs)
{
    gn_program *p = m->p;
    gn_lowered *l = GN_NEW_OBJECT(&m->work, gn_lowered);
    l->code = gn_arena_string(p->arena, c->name), l->nsteps = m->one_function ? 1 : (uint32_t)c->steps.n;
    const gn_dim **parts = GN_NEW_ARRAY(p->arena, const gn_dim *, l->nsteps);
    for (uint32_t i = 0; i < l->nsteps; i++)
        parts[i] = m->one_function ? gn_dim_const(p->dims, 1) : gn_dim_import(p->dims, gn_code_parts(c, i));
    l->parts = parts;
    for (size_t i = nbufs; i < c->nargs; i++) {
        const gn_place *b = c->places.at[i];
        gn_push(&m->work, &l->kept,
                (kept){gn_arena_string(&m->work, b->name), b->dtype, b->space == GN_SPACE_SCRATCH,
                       gn_dim_import(p->dims, gn_code_bytes(c, b))});
    }
    return l;
}

/* What stands in the source of a kernel that runs an earlier one's functions. */
static void emit_twin(gn_kernel_maker *m, const gn_kernel *k, const gn_lowered *l)
{
    gn_textf(&m->body, "/* %s runs the functions of %s", k->name, l->code);
    for (size_t i = 0; i < k->bufs.n; i++) gn_textf(&m->body, "%s%s", i ? ", " : " on ", k->bufs.at[i].name);
    gn_text_add(&m->body, ". */\n\n");
}

static void emit(gn_kernel_maker *m, gn_code *c)
{
    m->words.arena = m->body.arena = &m->work;
    if (m->one_function)
        gn_emit_function(&m->body, &m->words, c);
    else
        gn_emit_kernel(&m->body, &m->words, c);
    gn_text_char(&m->body, '\n');
}

static void add_kernel(gn_kernel_maker *m, const gn_lowered *l, gn_pkernel k)
{
    k.text_size = (uint32_t)m->body.n - k.text_at, k.nsteps = l->nsteps;
    gn_push(&m->work, &m->code, l);
    gn_push(m->p->arena, &m->p->kernels, k);
}

/* Its form is compared before it is lowered, and what lowering needs goes with it: of thousands of layers few are
 * lowered. */
void gn_maker_kernel(gn_kernel_maker *m, gn_kernel *k, gn_schedule *s)
{
    gn_program *p = m->p;
    gn_pkernel pk = {
        .name = gn_arena_string(p->arena, k->name), .first_step = (uint32_t)p->steps.n, .text_at = (uint32_t)m->body.n};
    if (!s) s = gn_default_find(&m->scratch, k, m->target);
    const char *form = gn_kernel_form(&m->scratch, k, s);
    const uint64_t hash = gn_hash_bytes(1, form, strlen(form));
    const gn_lowered *l = gn_intern_find(&m->lowered, hash, form, equal_forms);
    if (l) {
        if (l->plain) s = gn_plain_schedule(&m->scratch, k, l->plain);
        emit_twin(m, k, l);
    } else {
        const gn_scheduled *low = gn_default_lower(&m->scratch, k, m->target, &s);
        gn_lowered *made = new_lowered(m, low->code, k->bufs.n);
        made->form = gn_arena_string(&m->work, form);
        made->plain = s->plain ? gn_arena_string(p->arena, s->plain) : NULL;
        made->in_place = gn_in_place_find(&m->work, &m->scratch, low);
        gn_intern_add(&m->work, &m->lowered, hash, made);
        emit(m, low->code);
        l = made;
    }
    pk.plain = l->plain;
    pk.kernel = print_kernel(p->arena, k), pk.schedule = print_schedule(p->arena, k, s);
    add_kernel(m, l, pk);
    gn_arena_free(&m->scratch);
}

void gn_maker_code(gn_kernel_maker *m, gn_code *c)
{
    gn_text t = {.arena = m->p->arena};
    const gn_pkernel pk = {.name = gn_arena_string(t.arena, c->name),
                           .schedule = "",
                           .first_step = (uint32_t)m->p->steps.n,
                           .text_at = (uint32_t)m->body.n};
    gn_code_print(&t, c);
    emit(m, c);
    add_kernel(m, new_lowered(m, c, c->nargs), pk);
    m->p->kernels.at[m->p->kernels.n - 1].kernel = gn_text_done(&t);
}

/* ---- steps ---- */

/* Arguments behind the buffers. */
static void add_kept(gn_kernel_maker *m, const gn_kernel_use *use, const gn_lowered *l, const char *name, gn_pstep *s,
                     int32_t *arg)
{
    gn_program *p = m->p;
    const gn_dim **scratch = GN_NEW_ARRAY(p->arena, const gn_dim *, l->kept.n);
    for (size_t i = 0; i < l->kept.n; i++) {
        const kept *b = &l->kept.at[i];
        const gn_dim *bytes = gn_program_kernel_dim(p, use->kernel, use->sym, b->bytes);
        if (b->of_worker) {
            arg[i] = -1 - (int32_t)s->nscratch;
            scratch[s->nscratch++] = bytes;
            continue;
        }
        arg[i] = (int32_t)gn_maker_value(p, (gn_pvalue){.kind = GN_VALUE_TEMP,
                                                        .dtype = b->dtype,
                                                        .bytes = bytes,
                                                        .name = gn_arena_printf(p->arena, "%s.%s", name, b->name)});
    }
    s->scratch = scratch;
}

void gn_maker_steps(gn_kernel_maker *m, uint32_t kernel, const gn_kernel_use *use, const gn_pstep *like)
{
    gn_program *p = m->p;
    const gn_lowered *l = m->code.at[kernel];
    const size_t nbufs = use->kernel->bufs.n, nsyms = use->kernel->syms.n, narg = nbufs + l->kept.n;
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, narg);
    for (size_t i = 0; i < nbufs; i++) arg[i] = use->arg[i];
    const gn_dim **start = use->start ? GN_NEW_ARRAY(p->arena, const gn_dim *, narg) : NULL;
    for (size_t i = 0; start && i < narg; i++) start[i] = i < nbufs ? use->start[i] : gn_dim_const(p->dims, 0);
    gn_pstep s = {.kernel = kernel,
                  .narg = (uint32_t)narg,
                  .nsym = (uint32_t)nsyms,
                  .arg = arg,
                  .start = start,
                  .sym = gn_arena_copy(p->arena, use->sym, nsyms * sizeof *use->sym)};
    if (like) s.status = like->status, s.device = like->device;
    add_kept(m, use, l, p->kernels.at[kernel].name, &s, arg + nbufs);
    for (uint32_t i = 0; i < l->nsteps; i++) {
        s.part_of = i, s.parts = gn_program_kernel_dim(p, use->kernel, use->sym, l->parts[i]);
        s.symbol = m->one_function ? l->code : gn_arena_printf(p->arena, "%s_%u", l->code, i);
        gn_push(p->arena, &p->steps, s);
    }
}

void gn_maker_source(gn_kernel_maker *m, const char *head)
{
    gn_text t = {.arena = m->p->arena};
    m->words.arena = m->body.arena = &m->work;
    gn_text_add(&t, head);
    gn_target_unit(&t, m->target, &m->words, gn_text_done(&m->body));
    m->p->source = gn_text_done(&t);
    const size_t body_at = t.n - strlen(m->target->tail) - m->body.n; /* a unit is head, words, body, tail */
    for (size_t i = 0; i < m->p->kernels.n; i++) m->p->kernels.at[i].text_at += (uint32_t)body_at;
}
