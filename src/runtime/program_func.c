/* A function of a program's text, without a graph: its slots and checks have no lines. */
#include "compile_state.h"
#include "emit_program.h"

typedef struct making {
    compilation c;
    gn_variable *const *variables;
} making;

/* A text without source: its functions are made first, and what comes of it is read like any other. */
static void make_functions(making *m)
{
    gn_program *p = gn_program_read(&m->c.scratch, "program", m->c.text, m->c.text_size);
    gn_text t = { .arena = &m->c.scratch };
    if (*p->source) return;
    gn_program_emit(p, m->c.context->target, false);
    gn_program_print(&t, p);
    m->c.text = gn_text_done(&t), m->c.text_size = t.n;
}

static void read_text(void *arg)
{
    making *m = arg;
    gn_func *f = m->c.f;
    make_functions(m);
    f->program = gn_program_read(&f->arena, "program", gn_arena_copy(&f->arena, m->c.text, m->c.text_size),
                                 m->c.text_size);
    const gn_program *p = f->program;
    m->c.request.name = p->name;
    f->nslots = p->ninputs + p->noutputs;
    f->slot = GN_NEW_ARRAY(&f->arena, gn_slot_info, f->nslots);
    for (uint32_t s = 0; s < f->nslots; s++) f->slot[s] = (gn_slot_info){ p->values.at[s].name, { "", 0 } };
    f->check_loc = GN_NEW_ARRAY(&f->arena, gn_loc, p->checks.n),
    f->check_again = GN_NEW_ARRAY(&f->arena, gn_loc, p->checks.n);
    f->index_loc = GN_NEW_ARRAY(&f->arena, gn_loc, p->indices.n);
    for (size_t i = 0; i < p->checks.n; i++) f->check_loc[i] = f->check_again[i] = (gn_loc){ "", 0 };
    for (size_t i = 0; i < p->indices.n; i++) f->index_loc[i] = (gn_loc){ "", 0 };
    gn_func_set_up(f);
    gn_func_keep_variables(f, m->variables);
    gn_compile_set_args(&m->c);
}

gn_status gn_func_of_text(gn_func **out, gn_context *context, const char *text, size_t length,
                          gn_variable *const *variables)
{
    making m = { .c = { .context = context, .text = text, .text_size = length }, .variables = variables };
    *out = NULL;
    if (!(m.c.f = gn_func_new(context))) return GN_ENOMEM;
    m.c.scratch.allocator = m.c.f->allocator;
    gn_status s = gn_context_open(context);
    m.c.toolchain = context->toolchain;
    if (!s) s = gn_protect(read_text, &m);
    if (!s) s = gn_compile_code(&m.c);
    gn_arena_free(&m.c.scratch);
    if (s)
        gn_func_free(m.c.f);
    else
        *out = m.c.f;
    return s;
}
