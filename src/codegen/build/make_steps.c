/* The steps of a group: its kernel, variants of it that sizes choose, and what is prepared for it when variables
 * change. */
#include "factor.h"
#include "make_state.h"
#include "roles.h"

/* Where the kernel's buffers begin within their values; NULL: all at the start. */
static const gn_dim *const *starts_of(gn_program_maker *m, const gn_group *g)
{
    gn_program *p = m->p;
    const gn_dim **start = NULL;
    for (size_t i = 0; i < g->buf.n; i++) {
        const gn_gvalue *v = &m->groups->values.at[g->buf.at[i]];
        if (!v->start || gn_dim_is(v->start, 0)) continue;
        if (!start) {
            start = GN_NEW_ARRAY(p->arena, const gn_dim *, g->buf.n);
            for (size_t a = 0; a < g->buf.n; a++) start[a] = gn_dim_const(p->dims, 0);
        }
        start[i] =
            gn_dim_scale(p->dims, gn_maker_dim(m, v->start), (int64_t)gn_dtype_size((gn_dtype)v->expr->type->dtype));
    }
    return start;
}

/* A kernel and its steps. `kept`: the value of its last buffer, which the group does not know; -1. */
static void make_kernel(gn_program_maker *m, const gn_group *g, int32_t kept)
{
    gn_program *p = m->p;
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, g->kernel->bufs.n);
    uint32_t *sym = GN_NEW_ARRAY(p->arena, uint32_t, g->kernel->syms.n);
    const gn_dim *const *start = starts_of(m, g);
    gn_maker_kernel(&m->k, g->kernel, NULL);
    for (size_t i = 0; i < g->kernel->bufs.n; i++) arg[i] = i < g->buf.n ? m->value_of[g->buf.at[i]] : kept;
    for (size_t i = 0; i < g->kernel->syms.n; i++) {
        gn_maker_need_symbol(p, g->kernel->syms.at[i].name);
        sym[i] = (uint32_t)gn_program_find_sym(p, g->kernel->syms.at[i].name);
    }
    gn_maker_steps(&m->k, (uint32_t)p->kernels.n - 1, &(gn_kernel_use){ g->kernel, arg, start, sym }, NULL);
}

/* ---- steps with others within ---- */

static uint32_t open_step(gn_program_maker *m, gn_pstep s)
{
    gn_push(m->p->arena, &m->p->steps, s);
    m->p->is_tree = true;
    return (uint32_t)m->p->steps.n - 1;
}

static void close_step(gn_program_maker *m, uint32_t at)
{
    m->p->steps.at[at].end = (uint32_t)m->p->steps.n;
}

/* ---- factors of variables alone ---- */

static const gn_pvariable *variable_behind(const gn_program_maker *m, const gn_group *g, size_t buf)
{
    const gn_pvalue *v = &m->p->values.at[m->value_of[g->buf.at[buf]]];
    return v->kind == GN_VALUE_VARIABLE ? &m->p->variables.at[v->index] : NULL;
}

/* That the program does not update; or constants. */
static bool *given_buffers(gn_program_maker *m, const gn_group *g)
{
    bool *given = GN_NEW_ARRAY(&m->k.work, bool, g->buf.n);
    for (size_t b = 0; b < g->buf.n; b++) {
        const gn_pvariable *v = variable_behind(m, g, b);
        const gn_gvalue *of = &m->groups->values.at[g->buf.at[b]];
        given[b] = !of->start && (of->kind == GN_VALUE_CONSTANT || (v && !v->updated));
    }
    return given;
}

static gn_pprepare *variables_of(gn_program_maker *m, const gn_group *g, const gn_kernel *k, const uint32_t *buf)
{
    gn_pprepare *q = GN_NEW_OBJECT(m->p->arena, gn_pprepare);
    uint32_t *variable = GN_NEW_ARRAY(m->p->arena, uint32_t, k->bufs.n);
    for (size_t b = 1; b < k->bufs.n; b++) {
        const gn_pvariable *v = variable_behind(m, g, buf[b]);
        if (v) variable[q->n++] = (uint32_t)(v - m->p->variables.at);
    }
    q->variable = variable;
    return q;
}

enum { MOST_KEPT = 1 << 22, WORTH_A_VARIANT = 4096 }; /* elements of a factor; each frame keeps its own */

/* The factor of a group's first contraction that goes to the lanes. */
typedef struct factor {
    uint32_t def, rows, lane;    /* axes of the contraction: m, n */
    int64_t elements;
} factor;

static int32_t axis_with(const gn_kernel *k, gn_role role)
{
    for (size_t a = 0; a < k->axes.n; a++)
        if (k->axes.at[a].role == role) return (int32_t)a;
    return -1;
}

/* Its shape is constant. */
static bool find_factor(const gn_program_maker *m, const gn_kernel *k, factor *f)
{
    const int32_t rows = axis_with(k, GN_ROLE_M), lane = axis_with(k, GN_ROLE_N);
    gn_contraction c = { 0 };
    int64_t n;
    if (m->groups->small || m->k.target->lang != GN_LANG_C || rows < 0 || lane < 0) return false;
    for (size_t d = 0; d < k->defs.n; d++)
        if (gn_is_contraction(k, &k->defs.at[d], (uint32_t)rows, (uint32_t)lane, &c)) break;
    if (!c.b) return false;
    *f = (factor){ (uint32_t)(c.b - k->defs.at), (uint32_t)rows, (uint32_t)lane, 1 };
    for (uint16_t i = 0; i < c.b->nparam; i++)
        if (!gn_dim_is_const(k->axes.at[c.b->param[i]].extent, &n) || (f->elements *= n) > INT32_MAX) return false;
    return true;
}

/* The value that holds the factor, made by prepared steps; -1: it is read as it lies, or is no such factor. */
static int32_t keep_factor(gn_program_maker *m, const gn_group *g)
{
    gn_program *p = m->p;
    factor f;
    if (!find_factor(m, g->kernel, &f) || f.elements > MOST_KEPT || gn_factor_has_rows(g->kernel, f.def, f.lane) ||
        !gn_factor_is_given(g->kernel, f.def, given_buffers(m, g)))
        return -1;
    uint32_t *buf = GN_NEW_ARRAY(&m->k.work, uint32_t, g->kernel->bufs.n + 1);
    gn_kernel *q = gn_factor_split(&m->k.work, g->kernel, f.def, f.lane, buf);
    const gn_kbuf *b = &g->kernel->bufs.at[g->kernel->bufs.n - 1];
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, q->bufs.n);
    arg[0] = (int32_t)gn_maker_value(p, (gn_pvalue){ .kind = GN_VALUE_TEMP, .dtype = b->dtype, .rank = b->rank,
                                                     .shape = gn_dims_import(p->dims, b->rank, b->shape),
                                                     .name = gn_arena_string(p->arena, b->name) });
    for (size_t i = 1; i < q->bufs.n; i++) arg[i] = m->value_of[g->buf.at[buf[i]]];
    const uint32_t at = open_step(m, (gn_pstep){ .kind = GN_STEP_PREPARE, .symbol = "prepare",
                                                 .of.prepare = variables_of(m, g, q, buf) });
    gn_maker_kernel(&m->k, q, NULL);
    gn_maker_steps(&m->k, (uint32_t)p->kernels.n - 1, &(gn_kernel_use){ q, arg, NULL, NULL }, NULL);
    close_step(m, at);
    return arg[0];
}

/* ---- variants ---- */

/* A contraction of unknown many rows packs the other factor, which costs more than it saves where they are few. Who
 * trains has many. */
static bool may_have_few_rows(const gn_program_maker *m, const gn_group *g, factor *f)
{
    return find_factor(m, g->kernel, f) && f->elements >= WORTH_A_VARIANT && !m->core->variable.n &&
           gn_factor_has_rows(g->kernel, f->def, f->lane) &&
           !gn_dim_is_const(g->kernel->axes.at[f->rows].extent, NULL);
}

static void make_variant(gn_program_maker *m, const gn_group *g, int32_t kept, const gn_pbody *facts)
{
    const uint32_t at = open_step(m, (gn_pstep){ .kind = GN_STEP_BODY, .symbol = "case", .of.body = facts });
    make_kernel(m, g, kept);
    close_step(m, at);
}

static void make_variants(gn_program_maker *m, const gn_group *g, int32_t kept, uint32_t rows)
{
    gn_program *p = m->p;
    const uint32_t at = open_step(m, (gn_pstep){ .kind = GN_STEP_VARIANTS, .symbol = "variants" });
    gn_pbody *body = gn_arena_alloc_n(p->arena, 2, sizeof *body, alignof(gn_pbody));
    gn_pfact *fact = GN_NEW_OBJECT(p->arena, gn_pfact);
    *fact = (gn_pfact){ GN_FACT_LT, gn_maker_dim(m, g->kernel->axes.at[rows].extent),
                        gn_dim_const(p->dims, GN_PACK_ROWS + 1) };
    body[0] = (gn_pbody){ 1, fact };
    g->kernel->axes.at[rows].max = GN_PACK_ROWS;
    make_variant(m, g, kept, &body[0]);
    g->kernel->axes.at[rows].max = 0;
    g->kernel->name = gn_arena_printf(&m->k.work, "%s_many", g->kernel->name);
    make_variant(m, g, kept, &body[1]);
    close_step(m, at);
}

void gn_make_group(gn_program_maker *m, size_t at)
{
    const gn_group *g = &m->groups->groups.at[at];
    struct gn_made *made = &m->made[at];
    made->first = (int32_t)m->p->steps.n;
    const int32_t kept = keep_factor(m, g);
    factor f;
    made->has_variants = may_have_few_rows(m, g, &f);
    if (made->has_variants) make_variants(m, g, kept, f.rows);
    else make_kernel(m, g, kept);
    made->kernel = (uint32_t)m->p->kernels.n - 1, made->last = (int32_t)m->p->steps.n - 1;
    while (m->group_of.n < m->p->steps.n) gn_push(&m->k.work, &m->group_of, (uint32_t)at);
}
