/* Making a program: group, schedule, lower, emit each kernel; then lifetimes, values computed in place, checks of
 * indices. */
#include <inttypes.h>
#include "make_program.h"
#include "make_state.h"
#include "op.h"

/* ---- symbols ---- */

/* Each named dim is bound by the first extent of an input that is just its name. */
static void bind_symbols(gn_program_maker *m)
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

void gn_maker_need_symbol(void *user, const char *name)
{
    GN_ASSERT(gn_program_find_sym(user, name) >= 0); /* the copy has refused dims that no input binds */
}

const gn_dim *gn_maker_dim(gn_program_maker *m, const gn_dim *d)
{
    gn_dim_symbols(d, gn_maker_need_symbol, m->p);
    return gn_dim_import(m->p->dims, d);
}

static const gn_dim *const *dims_of(gn_program_maker *m, size_t n, const gn_dim *const *d)
{
    for (size_t i = 0; i < n; i++) gn_dim_symbols(d[i], gn_maker_need_symbol, m->p);
    return gn_dims_import(m->p->dims, n, d);
}

/* ---- values ---- */

static gn_pvalue value_like(gn_program_maker *m, const gn_expr *e, gn_value_kind kind, uint32_t index, const char *name)
{
    return (gn_pvalue){ .kind = (uint8_t)kind,
                        .dtype = (gn_dtype)e->type->dtype,
                        .rank = (uint8_t)e->type->n,
                        .shape = dims_of(m, e->type->n, e->type->dim),
                        .index = index,
                        .name = gn_arena_string(m->p->arena, name) };
}

static uint32_t variable_of(gn_program_maker *m, const gn_expr *e, bool updated)
{
    gn_program *p = m->p;
    const char *name = gn_attr_of(e, "name")->name;
    void **known =
        gn_map_put(&m->k.work, &m->variables, GN_KEY(gn_symbol(&m->k.work, &m->names, name))); /* 1 + its number */
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

/* Of a value that is neither an input nor an output. */
static gn_pvalue value_of_group(gn_program_maker *m, const gn_gvalue *v)
{
    gn_program *p = m->p;
    if (v->kind == GN_VALUE_OUTPUT) /* an index that is looked at */
        return value_like(m, v->expr, GN_VALUE_TEMP, 0, gn_arena_printf(p->arena, "index%u", v->index - p->noutputs));
    gn_pvalue x = value_like(m, v->expr, (gn_value_kind)v->kind, 0, v->name);
    if (v->kind == GN_VALUE_VARIABLE) x.index = variable_of(m, v->expr, false);
    if (v->kind == GN_VALUE_UPDATE) x.index = variable_of(m, m->core->variable.at[v->index], true);
    if (v->kind == GN_VALUE_TEMP) x.shape = dims_of(m, x.rank, v->shape);
    if (v->kind == GN_VALUE_CONSTANT) {
        const gn_attr *data = gn_attr_of(v->expr, "data");
        x.data = gn_arena_copy(p->arena, data->data, data->n), x.nbytes = data->n;
    }
    return x;
}

static void make_values(gn_program_maker *m)
{
    gn_program *p = m->p;
    const gn_grouping *g = m->groups;
    p->ninputs = (uint32_t)m->core->in.n, p->noutputs = (uint32_t)m->core->out.n;
    for (uint32_t i = 0; i < p->ninputs; i++)
        gn_maker_value(
            p, value_like(m, m->core->in.at[i], GN_VALUE_INPUT, i, gn_attr_of(m->core->in.at[i], "name")->name));
    for (uint32_t i = 0; i < p->noutputs; i++)
        gn_maker_value(p, value_like(m, m->core->out.at[i], GN_VALUE_OUTPUT, i, gn_arena_printf(p->arena, "out%u", i)));
    for (size_t u = 0; u < m->core->variable.n; u++) variable_of(m, m->core->variable.at[u], true);
    m->value_of = GN_NEW_ARRAY(p->arena, int32_t, g->values.n);
    for (size_t i = 0; i < g->values.n; i++) {
        const gn_gvalue *v = &g->values.at[i];
        if (v->kind == GN_VALUE_SLICE) continue; /* below: what it lies within may come later */
        if (v->kind == GN_VALUE_INPUT) m->value_of[i] = (int32_t)v->index;
        else if (v->kind == GN_VALUE_OUTPUT && v->index < p->noutputs)
            m->value_of[i] = (int32_t)(p->ninputs + v->index);
        else m->value_of[i] = (int32_t)gn_maker_value(p, value_of_group(m, v));
    }
    for (uint32_t i = 0; i < g->values.n; i++)
        if (g->values.at[i].kind == GN_VALUE_SLICE) m->value_of[i] = m->value_of[gn_gvalue_root(g, i)];
}

/* ---- checks of indices ---- */

static const char *user_name(const gn_program_maker *m, uint32_t user)
{
    return user < m->core->indexers.n ? m->core->indexers.at[user].op->name : "index";
}

static const gn_dim *uses_of(gn_program_maker *m, const gn_expr *check)
{
    return gn_dims_product(m->p->dims, check->type->n, dims_of(m, check->type->n, check->type->dim));
}

/* Elements that index an axis and come from outside are looked at before anything runs. */
static void add_index_checks(gn_program_maker *m)
{
    for (size_t i = 0; i < m->groups->checks.n; i++) {
        const gn_index_check *c = &m->groups->checks.at[i];
        const uint32_t user = gn_check_user(m->core, c->expr);
        gn_push(m->p->arena, &m->p->indices,
                (gn_pindex){ (uint32_t)m->value_of[c->value], gn_maker_dim(m, c->bound), uses_of(m, c->expr), -1, user,
                             user_name(m, user) });
    }
}

/* The last step of the last kernel that writes the value. */
static int32_t made_by(const gn_program_maker *m, uint32_t value)
{
    for (size_t i = m->groups->groups.n; i-- > 0;) {
        const gn_group *g = &m->groups->groups.at[i];
        for (size_t b = 0; b < g->buf.n; b++)
            if (gn_gvalue_root(m->groups, g->buf.at[b]) == value && g->kernel->bufs.at[b].access & GN_KBUF_WRITE)
                return m->made[i].last;
    }
    return -1;
}

static bool is_computed_index(const gn_program_maker *m, size_t value)
{
    const gn_gvalue *g = &m->groups->values.at[value];
    return g->kind == GN_VALUE_OUTPUT && g->index >= m->p->noutputs && m->p->values.at[m->value_of[value]].first >= 0;
}

/* Computed ones when all of them are there. */
static void add_computed_checks(gn_program_maker *m)
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
                (gn_pindex){value, gn_maker_dim(m, c->bound), uses_of(m, c->check), m->checks_end, user,
                            user_name(m, user)});
    }
}

/* ---- source ---- */

static void describe_values(gn_program_maker *m, gn_text *t, gn_value_kind kind, const char *title)
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

static void make_source(gn_program_maker *m)
{
    gn_text t = { .arena = &m->k.work };
    gn_textf(&t, "/* %s: %zu kernels in %zu steps, for %s.\n", m->p->name, m->p->kernels.n, m->p->steps.n,
             m->k.target->name);
    describe_values(m, &t, GN_VALUE_INPUT, "input");
    describe_values(m, &t, GN_VALUE_VARIABLE, "variable");
    describe_values(m, &t, GN_VALUE_OUTPUT, "output");
    gn_text_add(&t, " */\n\n");
    gn_maker_source(&m->k, gn_text_done(&t));
}

/* While an index can still be outside, variables keep what they have. */
static void share_nothing(gn_grouping *g)
{
    for (size_t i = 0; i < g->groups.n; i++)
        for (size_t b = 0; b < g->groups.at[i].kernel->bufs.n; b++) g->groups.at[i].kernel->bufs.at[b].shares = -1;
}

static void make(void *arg)
{
    gn_program_maker *m = arg;
    gn_program *p = m->p;
    const struct gn_core *core = m->core;
    m->computed = gn_indices_find(&m->k.work, core);
    bind_symbols(m);
    m->groups = gn_group_core(&m->k.work, &m->computed->core, m->k.target);
    if (m->computed->at.n) gn_checks_come_first(&m->k.work, m->groups, (uint32_t)core->out.n);
    make_values(m);
    if (m->computed->at.n) share_nothing(m->groups);
    for (size_t i = 0; i < core->constraints.n; i++) {
        const gn_constraint *c = &core->constraints.at[i];
        gn_push(
            p->arena, &p->checks,
            (gn_pcheck){gn_maker_dim(m, c->a), gn_maker_dim(m, c->b), (uint32_t)i, gn_arena_string(p->arena, c->text)});
    }
    m->k.one_function = m->groups->small; /* its steps share their temporaries on the stack */
    m->made = gn_arena_alloc_n(&m->k.work, m->groups->groups.n + 1, sizeof *m->made, alignof(struct gn_made));
    for (size_t i = 0; i < m->groups->groups.n; i++) gn_make_group(m, i);
    gn_program_set_lives(p); /* buffers of a kernel live through all its steps */
    add_index_checks(m);
    add_computed_checks(m);
    gn_place_values(m);
    make_source(m);
}

gn_program *gn_program_make(gn_arena *arena, const struct gn_core *core, const gn_target *target, const char *name)
{
    gn_program *p = GN_NEW_OBJECT(arena, gn_program);
    p->arena = arena;
    p->dims = GN_NEW_OBJECT(arena, gn_dim_pool);
    p->dims->arena = arena;
    p->name = gn_arena_string(arena, name);
    gn_program_maker m = { .p = p, .core = core, .k = gn_kernel_maker_of(p, target), .checks_end = -1 };
    const gn_status status = gn_protect(make, &m);
    gn_kernel_maker_free(&m.k);
    gn_check(status);
    return p;
}
