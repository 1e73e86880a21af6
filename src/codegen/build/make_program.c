/* Making a program: group, schedule, lower, emit each kernel; then lifetimes, values computed in place, and updates
 * that take effect together. */
#include <inttypes.h>
#include "make_program.h"
#include "factor.h"
#include "index_check.h"
#include "kernel_maker.h"
#include "op.h"

typedef struct maker {
    gn_program *p;
    const struct gn_core *core;
    gn_kernel_maker k;
    gn_grouping *groups;
    const gn_computed_indices *computed;
    int32_t checks_end;          /* the last step before all computed indices are there; -1: there are none */
    int32_t *value_of;           /* program value per value of the grouping */
    gn_symbols names;
    gn_map variables;            /* by name, one of `names` */
    struct made {                /* per group */
        uint32_t kernel;         /* what all its steps run, unless it has variants */
        bool has_variants;
        int32_t first, last;     /* steps */
    } *made;
    GN_VEC(uint32_t) group_of;   /* per step */
    int32_t *root, *last_use;    /* per value: whose memory it has; of a root: the last step that uses its memory */
} maker;

/* ---- symbols ---- */

/* Each named dim is bound by the first extent of an input that is just its name. */
static void bind_symbols(maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->core->in.n; i++) {
        const gn_type *t = m->core->in.at[i]->type;
        for (uint16_t d = 0; d < t->n; d++) {
            const gn_dim *e = t->dim[d];
            if (e->n != 1 || e->term[0].n != 1 || e->term[0].c != 1 || e->term[0].atom[0]->kind != GN_DIM_SYM) continue;
            const char *name = gn_symbol(p->arena, &p->dims->symbols, e->term[0].atom[0]->name);
            if (gn_program_find_sym(p, name) < 0)
                gn_push(p->arena, &p->syms, (gn_psym){ .name = name, .input = (int32_t)i, .axis = d, .is = -1 });
        }
    }
}

static void need_symbol(void *user, const char *name)
{
    GN_ASSERT(gn_program_find_sym(user, name) >= 0); /* the copy has refused dims that no input binds */
}

static const gn_dim *dim_of(maker *m, const gn_dim *d)
{
    gn_dim_symbols(d, need_symbol, m->p);
    return gn_dim_import(m->p->dims, d);
}

/* ---- values ---- */

static gn_pvalue value_like(maker *m, const gn_expr *e, gn_value_kind kind, uint32_t index, const char *name)
{
    const gn_dim **shape = GN_NEW_ARRAY(m->p->arena, const gn_dim *, e->type->n);
    for (uint16_t d = 0; d < e->type->n; d++) shape[d] = dim_of(m, e->type->dim[d]);
    return (gn_pvalue){ .kind = (uint8_t)kind,
                        .dtype = (gn_dtype)e->type->dtype,
                        .rank = (uint8_t)e->type->n,
                        .shape = shape,
                        .index = index,
                        .name = gn_arena_string(m->p->arena, name) };
}

static uint32_t variable_of(maker *m, const gn_expr *e, bool updated)
{
    gn_program *p = m->p;
    const char *name = gn_attr_of(e, "name")->name;
    void **known = gn_map_put(&m->k.work, &m->variables, GN_KEY(gn_symbol(&m->k.work, &m->names, name))); /* 1 + its number */
    if (*known) {
        p->variables.at[(uintptr_t)*known - 1].updated |= updated;
        return (uint32_t)((uintptr_t)*known - 1);
    }
    *known = (void *)(uintptr_t)(p->variables.n + 1);
    const gn_pvalue like = value_like(m, e, GN_VALUE_VARIABLE, 0, name);
    gn_push(p->arena, &p->variables,
            (gn_pvariable){
                .name = like.name, .dtype = like.dtype, .rank = like.rank, .shape = like.shape, .updated = updated });
    return (uint32_t)p->variables.n - 1;
}

static void make_values(maker *m)
{
    gn_program *p = m->p;
    const gn_grouping *g = m->groups;
    p->ninputs = (uint32_t)m->core->in.n, p->noutputs = (uint32_t)m->core->out.n;
    for (uint32_t i = 0; i < p->ninputs; i++)
        gn_maker_value(p, value_like(m, m->core->in.at[i], GN_VALUE_INPUT, i, gn_attr_of(m->core->in.at[i], "name")->name));
    for (uint32_t i = 0; i < p->noutputs; i++)
        gn_maker_value(p, value_like(m, m->core->out.at[i], GN_VALUE_OUTPUT, i, gn_arena_printf(p->arena, "out%u", i)));
    for (size_t u = 0; u < m->core->variable.n; u++) variable_of(m, m->core->variable.at[u], true);
    m->value_of = GN_NEW_ARRAY(p->arena, int32_t, g->values.n);
    for (size_t i = 0; i < g->values.n; i++) {
        const gn_gvalue *v = &g->values.at[i];
        switch (v->kind) {
        case GN_VALUE_INPUT: m->value_of[i] = (int32_t)v->index; break;
        case GN_VALUE_OUTPUT:
            if (v->index < p->noutputs) m->value_of[i] = (int32_t)(p->ninputs + v->index);
            else
                m->value_of[i] =
                    (int32_t)gn_maker_value(p, value_like(m, v->expr, GN_VALUE_TEMP, 0,
                                                     gn_arena_printf(p->arena, "index%u", v->index - p->noutputs)));
            break;
        case GN_VALUE_VARIABLE:
            m->value_of[i] =
                (int32_t)gn_maker_value(p, value_like(m, v->expr, GN_VALUE_VARIABLE, variable_of(m, v->expr, false), v->name));
            break;
        case GN_VALUE_UPDATE:
            m->value_of[i] = (int32_t)gn_maker_value(
                p, value_like(m, v->expr, GN_VALUE_UPDATE, variable_of(m, m->core->variable.at[v->index], true), v->name));
            break;
        case GN_VALUE_CONSTANT: {
            gn_pvalue c = value_like(m, v->expr, GN_VALUE_CONSTANT, 0, v->name);
            const gn_attr *data = gn_attr_of(v->expr, "data");
            c.data = gn_arena_copy(p->arena, data->data, data->n), c.nbytes = data->n;
            m->value_of[i] = (int32_t)gn_maker_value(p, c);
            break;
        }
        case GN_VALUE_SLICE: break; /* below: what it lies within may come later */
        default: {
            gn_pvalue t = value_like(m, v->expr, GN_VALUE_TEMP, 0, v->name);
            const gn_dim **shape = GN_NEW_ARRAY(p->arena, const gn_dim *, t.rank);
            for (uint8_t d = 0; d < t.rank; d++) shape[d] = dim_of(m, v->shape[d]);
            t.shape = shape;
            m->value_of[i] = (int32_t)gn_maker_value(p, t);
        }
        }
    }
    for (uint32_t i = 0; i < g->values.n; i++)
        if (g->values.at[i].kind == GN_VALUE_SLICE) m->value_of[i] = m->value_of[gn_gvalue_root(g, i)];
}

/* ---- kernels and steps ---- */

/* Where the kernel's buffers begin within their values; NULL: all at the start. */
static const gn_dim *const *starts_of(maker *m, const gn_group *g)
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
        start[i] = gn_dim_scale(p->dims, dim_of(m, v->start), (int64_t)gn_dtype_size((gn_dtype)v->expr->type->dtype));
    }
    return start;
}

/* A kernel and its steps. `kept`: the value of its last buffer, which the group does not know; -1. */
static void make_kernel(maker *m, const gn_group *g, int32_t kept)
{
    gn_program *p = m->p;
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, g->kernel->bufs.n);
    uint32_t *sym = GN_NEW_ARRAY(p->arena, uint32_t, g->kernel->syms.n);
    const gn_dim *const *start = starts_of(m, g);
    gn_maker_kernel(&m->k, g->kernel, g->hint, NULL);
    for (size_t i = 0; i < g->kernel->bufs.n; i++) arg[i] = i < g->buf.n ? m->value_of[g->buf.at[i]] : kept;
    for (size_t i = 0; i < g->kernel->syms.n; i++) {
        need_symbol(p, g->kernel->syms.at[i].name);
        sym[i] = (uint32_t)gn_program_find_sym(p, g->kernel->syms.at[i].name);
    }
    gn_maker_steps(&m->k, (uint32_t)p->kernels.n - 1, &(gn_kernel_use){ g->kernel, arg, start, sym }, NULL);
}

/* ---- steps with others within ---- */

static uint32_t open_step(maker *m, gn_pstep s)
{
    gn_push(m->p->arena, &m->p->steps, s);
    m->p->is_tree = true;
    return (uint32_t)m->p->steps.n - 1;
}

static void close_step(maker *m, uint32_t at)
{
    m->p->steps.at[at].end = (uint32_t)m->p->steps.n;
}

/* ---- factors of variables alone ---- */

static const gn_pvariable *variable_behind(const maker *m, const gn_group *g, size_t buf)
{
    const gn_pvalue *v = &m->p->values.at[m->value_of[g->buf.at[buf]]];
    return v->kind == GN_VALUE_VARIABLE ? &m->p->variables.at[v->index] : NULL;
}

/* That the program does not update; or constants. */
static bool *given_buffers(maker *m, const gn_group *g)
{
    bool *given = GN_NEW_ARRAY(&m->k.work, bool, g->buf.n);
    for (size_t b = 0; b < g->buf.n; b++) {
        const gn_pvariable *v = variable_behind(m, g, b);
        const gn_gvalue *of = &m->groups->values.at[g->buf.at[b]];
        given[b] = !of->start && (of->kind == GN_VALUE_CONSTANT || (v && !v->updated));
    }
    return given;
}

static gn_pprepare *variables_of(maker *m, const gn_group *g, const gn_kernel *k, const uint32_t *buf)
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

/* The value that holds the factor, made by prepared steps; -1: it is read as it lies, or is no such factor. */
static int32_t keep_factor(maker *m, const gn_group *g)
{
    gn_program *p = m->p;
    const gn_kernel_hint *h = g->hint;
    if (m->groups->small || m->k.target->lang != GN_LANG_C || h->rhs < 0 || h->lane < 0 ||
        gn_factor_has_rows(g->kernel, (uint32_t)h->rhs, (uint32_t)h->lane) ||
        !gn_factor_is_given(g->kernel, (uint32_t)h->rhs, given_buffers(m, g)))
        return -1;
    uint32_t *buf = GN_NEW_ARRAY(&m->k.work, uint32_t, g->kernel->bufs.n + 1);
    gn_kernel *q = gn_factor_split(&m->k.work, g->kernel, (uint32_t)h->rhs, (uint32_t)h->lane, buf);
    const gn_kbuf *b = &g->kernel->bufs.at[g->kernel->bufs.n - 1];
    const gn_dim **shape = GN_NEW_ARRAY(p->arena, const gn_dim *, b->rank);
    int32_t *arg = GN_NEW_ARRAY(p->arena, int32_t, q->bufs.n);
    for (uint8_t d = 0; d < b->rank; d++) shape[d] = gn_dim_import(p->dims, b->shape[d]);
    arg[0] = (int32_t)gn_maker_value(p, (gn_pvalue){ .kind = GN_VALUE_TEMP, .dtype = b->dtype, .rank = b->rank,
                                                     .shape = shape, .name = gn_arena_string(p->arena, b->name) });
    for (size_t i = 1; i < q->bufs.n; i++) arg[i] = m->value_of[g->buf.at[buf[i]]];
    const uint32_t at = open_step(m, (gn_pstep){ .kind = GN_STEP_PREPARE, .symbol = "prepare",
                                                 .of.prepare = variables_of(m, g, q, buf) });
    gn_maker_kernel(&m->k, q, NULL, NULL);
    gn_maker_steps(&m->k, (uint32_t)p->kernels.n - 1, &(gn_kernel_use){ q, arg, NULL, NULL }, NULL);
    close_step(m, at);
    return arg[0];
}

/* ---- variants ---- */

enum { WORTH_A_VARIANT = 4096 }; /* elements of a factor */

/* A contraction of unknown many rows packs the other factor, which costs more than it saves where they are few. Who
 * trains has many. */
static const gn_dim *rows_that_may_be_few(const maker *m, const gn_group *g)
{
    const gn_kernel *k = g->kernel;
    const gn_kernel_hint *h = g->hint;
    int64_t elements = 1, n;
    if (m->groups->small || m->k.target->lang != GN_LANG_C || m->core->variable.n || h->rhs < 0 || h->lane < 0 ||
        h->spine < 0 || gn_dim_is_const(k->axes.at[h->spine].extent, NULL) ||
        !gn_factor_has_rows(k, (uint32_t)h->rhs, (uint32_t)h->lane))
        return NULL;
    const gn_kdef *b = &k->defs.at[h->rhs];
    for (uint16_t i = 0; i < b->nparam; i++)
        if (!gn_dim_is_const(k->axes.at[b->param[i]].extent, &n) || (elements *= n) > INT32_MAX) return NULL;
    return elements >= WORTH_A_VARIANT ? k->axes.at[h->spine].extent : NULL;
}

static void make_variant(maker *m, const gn_group *g, int32_t kept, const gn_pbody *facts)
{
    const uint32_t at = open_step(m, (gn_pstep){ .kind = GN_STEP_BODY, .symbol = "case", .of.body = facts });
    g->hint->few = facts->nfact;
    make_kernel(m, g, kept);
    close_step(m, at);
}

static void make_variants(maker *m, const gn_group *g, int32_t kept, const gn_dim *rows)
{
    gn_program *p = m->p;
    const uint32_t at = open_step(m, (gn_pstep){ .kind = GN_STEP_VARIANTS, .symbol = "variants" });
    gn_pbody *body = gn_arena_alloc_n(p->arena, 2, sizeof *body, alignof(gn_pbody));
    gn_pfact *fact = GN_NEW_OBJECT(p->arena, gn_pfact);
    *fact = (gn_pfact){ GN_FACT_LT, rows, gn_dim_const(p->dims, GN_FEW_ROWS + 1) };
    body[0] = (gn_pbody){ 1, fact };
    make_variant(m, g, kept, &body[0]);
    g->kernel->name = gn_arena_printf(&m->k.work, "%s_many", g->kernel->name);
    make_variant(m, g, kept, &body[1]);
    close_step(m, at);
}

static void make_group(maker *m, size_t at)
{
    const gn_group *g = &m->groups->groups.at[at];
    struct made *made = &m->made[at];
    made->first = (int32_t)m->p->steps.n;
    const int32_t kept = keep_factor(m, g);
    const gn_dim *rows = rows_that_may_be_few(m, g);
    if (rows) rows = dim_of(m, rows);
    made->has_variants = rows != NULL;
    if (rows) make_variants(m, g, kept, rows);
    else make_kernel(m, g, kept);
    made->kernel = (uint32_t)m->p->kernels.n - 1, made->last = (int32_t)m->p->steps.n - 1;
    while (m->group_of.n < m->p->steps.n) gn_push(&m->k.work, &m->group_of, (uint32_t)at);
}

/* ---- in place ---- */

static void start_roots(maker *m)
{
    const gn_program *p = m->p;
    m->root = GN_NEW_ARRAY(&m->k.work, int32_t, p->values.n), m->last_use = GN_NEW_ARRAY(&m->k.work, int32_t, p->values.n);
    for (size_t i = 0; i < p->values.n; i++) m->root[i] = (int32_t)i, m->last_use[i] = p->values.at[i].last;
}

/* `value` takes over the memory of `from`, before another takes over its own. */
static void take_over(maker *m, int32_t value, int32_t from)
{
    const int32_t root = m->root[from], last = m->p->values.at[value].last;
    m->p->values.at[value].alias = from;
    m->root[value] = root;
    if (last > m->last_use[root]) m->last_use[root] = last;
}

/* The buffer of group `at` that is this value of the grouping; -1. */
static int32_t buffer_of(const maker *m, uint32_t at, uint32_t value)
{
    const gn_group *g = &m->groups->groups.at[at];
    for (size_t b = 0; b < g->buf.n; b++)
        if (g->buf.at[b] == value) return (int32_t)b;
    return -1;
}

/* The code of the kernel that makes an update leaves the old elements alone until it has read them. */
static bool reads_before_it_writes(const maker *m, const gn_pvalue *update, uint32_t value, uint32_t variable)
{
    const uint32_t group = m->group_of.at[update->first];
    const int32_t read = buffer_of(m, group, variable), write = buffer_of(m, group, value);
    return read < 0 || gn_in_place_allows(gn_maker_in_place(&m->k, m->made[group].kernel), (uint32_t)read, (uint32_t)write);
}

/* An update is computed in its variable's memory where grouping says that nobody reads the old elements later, and
 * where no check of an index can still fail. */
static void place_updates(maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->groups->values.n; i++) {
        const gn_gvalue *g = &m->groups->values.at[i];
        if (g->kind != GN_VALUE_UPDATE || g->in_place < 0) continue;
        gn_pvalue *v = &p->values.at[m->value_of[i]];
        if (v->first > m->checks_end && reads_before_it_writes(m, v, (uint32_t)i, (uint32_t)g->in_place))
            take_over(m, m->value_of[i], m->value_of[g->in_place]);
    }
}

static bool is_slice(const maker *m, uint32_t value)
{
    return m->groups->values.at[value].kind == GN_VALUE_SLICE;
}

/* The kernel has the memory of this buffer under another name, too. */
static bool is_there_twice(const maker *m, const gn_group *g, size_t buf)
{
    size_t n = 0;
    for (size_t b = 0; b < g->buf.n; b++)
        n += gn_gvalue_root(m->groups, g->buf.at[b]) == gn_gvalue_root(m->groups, g->buf.at[buf]);
    return n > 1;
}

static void place_temp(maker *m, const struct made *made, const gn_group *g, uint32_t to)
{
    gn_program *p = m->p;
    const int32_t value = m->value_of[g->buf.at[to]];
    for (size_t b = 0; b < g->buf.n; b++) {
        const int32_t from = m->value_of[g->buf.at[b]];
        const gn_pvalue *v = &p->values.at[from];
        if (from == value || v->kind != GN_VALUE_TEMP || v->first >= made->first || is_slice(m, g->buf.at[b]) ||
            is_there_twice(m, g, b))
            continue;
        const int32_t root = m->root[from];
        if (p->values.at[root].kind != GN_VALUE_TEMP || m->last_use[root] > made->last ||
            !gn_in_place_allows(gn_maker_in_place(&m->k, made->kernel), (uint32_t)b, to))
            continue;
        take_over(m, value, from);
        return;
    }
}

static void place_all(maker *m)
{
    start_roots(m);
    place_updates(m);
    for (size_t i = 0; i < m->groups->groups.n; i++) {
        const gn_group *g = &m->groups->groups.at[i];
        for (uint32_t b = 0; b < g->buf.n && !m->made[i].has_variants; b++) {
            const gn_pvalue *v = &m->p->values.at[m->value_of[g->buf.at[b]]];
            if (g->kernel->bufs.at[b].access & GN_KBUF_WRITE && v->kind == GN_VALUE_TEMP && v->alias < 0 &&
                !is_slice(m, g->buf.at[b]))
                place_temp(m, &m->made[i], g, b);
        }
    }
}

static const char *user_name(const maker *m, uint32_t user)
{
    return user < m->core->indexers.n ? m->core->indexers.at[user].op : "index";
}

static const gn_dim *uses_of(maker *m, const gn_expr *check)
{
    const gn_dim *n = gn_dim_const(m->p->dims, 1);
    for (uint16_t d = 0; d < check->type->n; d++) n = gn_dim_mul(m->p->dims, n, dim_of(m, check->type->dim[d]));
    return n;
}

/* Elements that index an axis and come from outside are looked at before anything runs. */
static void add_index_checks(maker *m)
{
    for (size_t i = 0; i < m->groups->checks.n; i++) {
        const gn_index_check *c = &m->groups->checks.at[i];
        const uint32_t user = gn_check_user(m->core, c->expr);
        gn_push(m->p->arena, &m->p->indices,
                (gn_pindex){ (uint32_t)m->value_of[c->value], dim_of(m, c->bound), uses_of(m, c->expr), -1, user,
                             user_name(m, user) });
    }
}

/* The last step of the last kernel that writes the value. */
static int32_t made_by(const maker *m, uint32_t value)
{
    for (size_t i = m->groups->groups.n; i-- > 0;) {
        const gn_group *g = &m->groups->groups.at[i];
        for (size_t b = 0; b < g->buf.n; b++)
            if (gn_gvalue_root(m->groups, g->buf.at[b]) == value && g->kernel->bufs.at[b].access & GN_KBUF_WRITE)
                return m->made[i].last;
    }
    return -1;
}

static bool is_computed_index(const maker *m, size_t value)
{
    const gn_gvalue *g = &m->groups->values.at[value];
    return g->kind == GN_VALUE_OUTPUT && g->index >= m->p->noutputs && m->p->values.at[m->value_of[value]].first >= 0;
}

/* Computed ones when all of them are there. */
static void add_computed_checks(maker *m)
{
    gn_program *p = m->p;
    for (size_t i = 0; i < m->groups->values.n; i++) {
        const int32_t made = is_computed_index(m, i) ? made_by(m, (uint32_t)i) : -1;
        if (made > m->checks_end) m->checks_end = made;
    }
    for (size_t i = 0; i < m->groups->values.n; i++) {
        if (!is_computed_index(m, i)) continue;
        const gn_computed_index *c = &m->computed->at.at[m->groups->values.at[i].index - p->noutputs];
        const uint32_t user = gn_check_user(m->core, c->check), value = (uint32_t)m->value_of[i];
        if (p->values.at[value].last < m->checks_end) p->values.at[value].last = m->checks_end;
        gn_push(p->arena, &p->indices,
                (gn_pindex){ value, dim_of(m, c->bound), uses_of(m, c->check), m->checks_end, user, user_name(m, user) });
    }
}

/* ---- source ---- */

static void describe_values(maker *m, gn_text *t, gn_value_kind kind, const char *title)
{
    for (size_t i = 0; i < m->p->values.n; i++) {
        const gn_pvalue *v = &m->p->values.at[i];
        if (v->kind != kind) continue;
        gn_textf(t, " *   %-8s  %s  %s (", title, v->name, gn_dtype_name(v->dtype));
        for (size_t d = 0; d < v->rank; d++) {
            if (d) gn_text_add(t, ", ");
            gn_dim_show(t, v->shape[d]);
        }
        gn_text_add(t, ")\n");
    }
}

static void make_source(maker *m)
{
    gn_text t = { .arena = &m->k.work };
    gn_textf(&t, "/* %s: %zu kernels in %zu steps, for %s.\n", m->p->name, m->p->kernels.n, m->p->steps.n, m->k.target->name);
    describe_values(m, &t, GN_VALUE_INPUT, "input");
    describe_values(m, &t, GN_VALUE_VARIABLE, "variable");
    describe_values(m, &t, GN_VALUE_OUTPUT, "output");
    gn_text_add(&t, " */\n\n");
    gn_maker_source(&m->k, gn_text_done(&t));
}

static void make(void *arg)
{
    maker *m = arg;
    gn_program *p = m->p;
    const struct gn_core *core = m->core;
    m->computed = gn_indices_find(&m->k.work, core);
    bind_symbols(m);
    m->groups = gn_group_core(&m->k.work, &m->computed->core, m->k.target);
    if (m->computed->at.n) gn_checks_come_first(&m->k.work, m->groups, (uint32_t)core->out.n);
    make_values(m);
    for (size_t i = 0; i < core->constraints.n; i++) {
        const gn_constraint *c = &core->constraints.at[i];
        gn_push(p->arena, &p->checks,
                (gn_pcheck){ dim_of(m, c->a), dim_of(m, c->b), (uint32_t)i, gn_arena_string(p->arena, c->text) });
    }
    m->k.one_function = m->groups->small; /* its steps share their temporaries on the stack */
    m->made = gn_arena_alloc_n(&m->k.work, m->groups->groups.n + 1, sizeof *m->made, alignof(struct made));
    for (size_t i = 0; i < m->groups->groups.n; i++) make_group(m, i);
    gn_program_set_lives(p); /* buffers of a kernel live through all its steps */
    add_index_checks(m);
    add_computed_checks(m);
    place_all(m);
    make_source(m);
}

gn_program *gn_program_make(gn_arena *arena, const struct gn_core *core, const gn_target *target, const char *name)
{
    gn_program *p = GN_NEW_OBJECT(arena, gn_program);
    p->arena = arena;
    p->dims = GN_NEW_OBJECT(arena, gn_dim_pool);
    p->dims->arena = arena;
    p->name = gn_arena_string(arena, name);
    maker m = { .p = p, .core = core, .k = gn_kernel_maker_of(p, target), .checks_end = -1 };
    const gn_status status = gn_protect(make, &m);
    gn_kernel_maker_free(&m.k);
    gn_check(status);
    return p;
}
